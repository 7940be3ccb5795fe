"""The open_paas services as they are configured: uwsgi ini files, or gunicorn under supervisor."""

from __future__ import annotations

from bkpaas.facts.file import FileFact
from bkpaas.facts.missing import Fact, Record


class Service(Record, frozen=True):
    """How one service is to be started."""

    name: str
    ini: FileFact
    """uwsgi-open_paas-<name>.ini, or supervisor's configuration for gunicorn."""
    bind_address: str | None = None
    """0.0.0.0 for every way to say "all IPv4 addresses"."""
    bind_port: int | None = None
    bk_env: str | None = None
    chdir: str | None = None
    logto: str | None = None
    problems: tuple[str, ...] = ()


class Services(Fact, frozen=True):
    """By name: login, paas, esb, appengine ..."""

    by_name: dict[str, Service]
