"""Parse versions from small files and names on a host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bkpaas.facts import raw
from bkpaas.facts.file import Files, content
from bkpaas.facts.missing import Fact
from bkpaas.facts.query import Earlier, FileName, Query, ReadFile
from bkpaas.inventory.deployment import Deployment, Host

_PACKAGE = re.compile(
    r"/\.envs/(?P<env>[^/]+)/lib/python(?P<python>[\d.]+)/site-packages/(?P<name>\w+)-(?P<version>\d[\w.+]*?)"
    r"(?:-py[\d.]+)?\.(?:dist-info|egg-info|egg)$"
)
_MODULE = re.compile(r"/(?P<module>[^/]+(?:/[^/]+)?)/VERSION$")
_LENGTH = 100


class Versions(Fact, frozen=True):
    """Hold versions by subject: system, kernel, open_paas, `login: Django` for a package of an environment."""

    by_name: dict[str, str]


def versions(files: Files, system: Any) -> Versions:
    """Parse the entries with the prefix version-, and the raw section `system`."""
    kernel = raw.text(raw.record(system).get("kernel"), _LENGTH)
    by_package = {"kernel": kernel} if kernel else {}
    for entry in files.get(FileName.VERSION_SYSTEM, []):
        if name := _distribution(content(entry) or ""):
            by_package.setdefault("system", name)
    for entry in files.get(FileName.VERSION_MODULE, []):
        match = _MODULE.search(raw.text(entry.get("path")) or "")
        if match and (line := _first_line(entry)):
            by_package[match["module"].partition("/")[2] or match["module"]] = line
    for entry in files.get(FileName.VERSION_PACKAGE, []):
        if match := _PACKAGE.search(raw.text(entry.get("path")) or ""):
            by_package[f"{match['env']}: python"] = match["python"]
            by_package[f"{match['env']}: {match['name']}"] = match["version"]
    return Versions(by_name=dict(sorted(by_package.items())))


def _distribution(text: str) -> str | None:
    """Return PRETTY_NAME of os-release or the line of redhat-release."""
    pretty = re.search(r"^PRETTY_NAME=(.*)$", text, re.MULTILINE)
    name = pretty[1].strip("\"'") if pretty else text.strip().partition("\n")[0]
    return name[:_LENGTH] or None


def _first_line(entry: dict[str, Any]) -> str | None:
    lines = (content(entry) or "").strip().splitlines()
    return lines[0].strip()[:_LENGTH] if lines else None


_FILES = (
    (FileName.VERSION_SYSTEM, "/etc/os-release"),
    (FileName.VERSION_SYSTEM, "/etc/redhat-release"),
    (FileName.VERSION_MODULE, "{home}/*/VERSION"),
    (FileName.VERSION_MODULE, "{home}/open_paas/*/VERSION"),
)
_PACKAGES = ("Django", "uWSGI", "gunicorn", "supervisor", "celery")
"""The names of their directories in the virtual environments contain the version."""
_BYTES = 4096
_MOST_FILES = 50


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Read the files that name a version, and look for the directories of a few packages."""
    if earlier is not None:
        return
    for name, path in _FILES:
        yield ReadFile(name.value, path, _BYTES, _MOST_FILES)
    if entry.has_role("paas", "appo", "appt"):
        for package in _PACKAGES:
            path = f"{{home}}/.envs/*/lib/python*/site-packages/{package}-[0-9]*"
            yield ReadFile(FileName.VERSION_PACKAGE.value, path, read=0, most=_MOST_FILES)
