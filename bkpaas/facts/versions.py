"""The versions that a host tells without being asked for more than a few small files and names."""

from __future__ import annotations

import re
from typing import Any

from bkpaas.facts import raw
from bkpaas.facts.file import Files, content
from bkpaas.facts.missing import Fact

_PACKAGE = re.compile(
    r"/\.envs/(?P<env>[^/]+)/lib/python(?P<python>[\d.]+)/site-packages/(?P<name>\w+)-(?P<version>\d[\w.+]*?)"
    r"(?:-py[\d.]+)?\.(?:dist-info|egg-info|egg)$"
)
_MODULE = re.compile(r"/(?P<module>[^/]+(?:/[^/]+)?)/VERSION$")
_LENGTH = 100


class Versions(Fact, frozen=True):
    """By what they are of: system, kernel, open_paas, and `login: Django` for a package of a virtual environment."""

    by_name: dict[str, str]


def versions(files: Files, system: Any) -> Versions:
    """From the entries whose names begin with version-, and the raw section `system`."""
    kernel = raw.text(raw.record(system).get("kernel"), _LENGTH)
    found = {"kernel": kernel} if kernel else {}
    for entry in files.get("version-system", []):
        if name := _distribution(content(entry) or ""):
            found.setdefault("system", name)
    for entry in files.get("version-module", []):
        match = _MODULE.search(raw.text(entry.get("path")) or "")
        if match and (line := _first_line(entry)):
            found[match["module"].partition("/")[2] or match["module"]] = line
    for entry in files.get("version-package", []):
        if match := _PACKAGE.search(raw.text(entry.get("path")) or ""):
            found[f"{match['env']}: python"] = match["python"]
            found[f"{match['env']}: {match['name']}"] = match["version"]
    return Versions(by_name=dict(sorted(found.items())))


def _distribution(text: str) -> str | None:
    """PRETTY_NAME of os-release, the line of redhat-release."""
    pretty = re.search(r"^PRETTY_NAME=(.*)$", text, re.MULTILINE)
    name = pretty[1].strip("\"'") if pretty else text.strip().partition("\n")[0]
    return name[:_LENGTH] or None


def _first_line(entry: dict[str, Any]) -> str | None:
    lines = (content(entry) or "").strip().splitlines()
    return lines[0].strip()[:_LENGTH] if lines else None
