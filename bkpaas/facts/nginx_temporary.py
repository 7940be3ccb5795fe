"""Find the directories in which nginx keeps the bodies of large requests and answers while it passes them on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bkpaas.facts.missing import Record

DIRECTIVES = ("client_body_temp_path", "proxy_temp_path", "uwsgi_temp_path")
_LAYOUTS = (
    ("/var/lib/nginx/body", "/var/lib/nginx/proxy", "/var/lib/nginx/uwsgi"),
    ("/var/lib/nginx/tmp/client_body", "/var/lib/nginx/tmp/proxy", "/var/lib/nginx/tmp/uwsgi"),
    ("/var/cache/nginx/client_temp", "/var/cache/nginx/proxy_temp", "/var/cache/nginx/uwsgi_temp"),
)
"""Directories that packages of Debian, EPEL and nginx.org were built with, in the order of the directives."""
_SUFFIX = "/sbin/nginx"


class Directories(Record, frozen=True):
    """Represent one set of directories that a nginx may use; it was built with one of several."""

    body: str
    proxy: str
    uwsgi: str


def configured_directories(block: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Return the directory that each directive names, at whatever level; the first one counts."""
    found: dict[str, str] = {}
    for name, path in _named(block):
        found.setdefault(name, path)
    return found


def _named(block: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for statement in block:
        if statement["directive"] in DIRECTIVES and statement["args"]:
            yield statement["directive"], statement["args"][0][:300]
        yield from _named(statement.get("block", []))


def temporary_directories(configured: dict[str, str], exe: str | None) -> tuple[Directories, ...]:
    """Return the sets of directories that a nginx may use.

    Args:
        configured: the directories that its files name.
        exe: its program; one below /usr/sbin is of a package.
    """
    prefix = exe.removesuffix(_SUFFIX) if exe and exe.endswith(_SUFFIX) else ""
    layouts: tuple[tuple[str, ...], ...] = _LAYOUTS
    if prefix not in ("", "/usr"):
        layouts = (tuple(f"{prefix}/{name}" for name in ("client_body_temp", "proxy_temp", "uwsgi_temp")),)
    return tuple(
        Directories(
            *(
                _absolute(configured[name], prefix) if name in configured else default
                for name, default in zip(DIRECTIVES, layout, strict=True)
            )
        )
        for layout in layouts
    )


def _absolute(path: str, prefix: str) -> str:
    """Return a path below the prefix of a nginx; empty where that is not known."""
    if path.startswith("/"):
        return path.rstrip("/")
    return f"{prefix}/{path}".rstrip("/") if prefix not in ("", "/usr") else ""
