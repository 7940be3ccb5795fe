"""Helpers of the checks of log_parser and of the index that it writes."""

from __future__ import annotations

import re
from datetime import datetime

from bkpaas.checks.log_search import IpAddress, own_addresses, parsers, valid_addresses
from bkpaas.checks.lookup import HostLookup
from bkpaas.errors import NoData
from bkpaas.facts import HostView, Missing, Search
from bkpaas.facts.query import TcpName
from bkpaas.facts.redis import key_readings
from bkpaas.facts.search_state import Source, sources
from bkpaas.inventory.deployment import Deployment

_JODA = {
    "YYYY": "%Y", "yyyy": "%Y", "xxxx": "%G", "YY": "%y", "yy": "%y", "MM": "%m", "dd": "%d", "DD": "%j",
    "DDD": "%j", "ww": "%V", "HH": "%H", "mm": "%M", "ss": "%S", "MMM": "%b", "EEE": "%a",
    "M": "%-m", "d": "%-d", "H": "%-H", "m": "%-M",
}  # fmt: skip
"""Letters of a date of Joda, which logstash writes between %{+ and }. A single letter has no leading zero."""


def index_names(pattern: str, day: datetime) -> str | None:
    """Return the index of a pattern of logstash on a day, None if it depends on the event or is not understood."""

    def part(run: re.Match[str]) -> str:
        form = _JODA.get(run[0])
        return day.strftime(form) if form else "\0"

    def date(match: re.Match[str]) -> str:
        return "\0" if "'" in match[1] else re.sub(r"([A-Za-z])\1*", part, match[1])

    name = re.sub(r"%\{\+([^}]*)\}", date, pattern)
    return None if "%{" in name or "\0" in name or "${" in name else name


def setting_text(host: HostView, project: str, name: str) -> str | None:
    """Return a setting that is a text, None if it is not set. Raises NoData if it cannot be told."""
    settings = host.settings.by_project.get(project)
    value = settings.get(name) if settings else None
    return value.value if value is not None and isinstance(value.value, str) else None


def es_addresses(deployment: Deployment, host_facts: HostLookup) -> set[IpAddress]:
    """Return the addresses of the es hosts of the inventory, and the virtual addresses."""
    addresses = valid_addresses(deployment.virtual_addresses)
    for es in deployment.hosts_with("es"):
        addresses |= (
            own_addresses(host_facts(es.name), deployment) if es.selected else valid_addresses([es.address])
        )
    return addresses


def newest_by_source(
    search: Search, deployment: Deployment, host_facts: HostLookup
) -> dict[tuple[str, str], float | None]:
    """Return {(host, path): time of the newest document}, empty unless documents name hosts and files as expected."""
    apps = {app.name: host_facts(app.name).facts for app in deployment.selected("appo", "appt")}
    read_sources = [source for source in sources(deployment, apps) if source.part in search.sources]
    if not any(search.sources[source.part] is not None or _named(search, source) for source in read_sources):
        return {}
    return {(source.host, source.log.path): search.sources[source.part] for source in read_sources}


def _named(search: Search, source: Source) -> bool:
    """Return whether the newest document names its host and file as this source is named."""
    return source.log.path in search.sample.paths and bool(set(source.names) & set(search.sample.hosts))


def waiting_lines(deployment: Deployment, host_facts: HostLookup) -> tuple[str, int] | None:
    """Return (redis list, its length) of a list of some log_parser that is not empty, None without one."""
    for view, parser in parsers(deployment, host_facts)[0]:
        if isinstance(view.facts.redis, Missing):
            continue
        for target in parser.targets:
            try:
                readings = key_readings(
                    view.redis.get(TcpName.REDIS, target.server), view.log_plugins, target
                )
            except NoData:
                continue
            for key in readings:
                last = key.later or key.first
                if last is not None and last.is_list and last.readable and last.length:
                    return f"{target.host}:{target.port} {key.name}", last.length
    return None
