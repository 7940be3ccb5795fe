"""Which versions of BlueKing a run met, and whether the suite was proved on them."""

from __future__ import annotations

import re

from bkpaas.facts import Snapshot, Versions
from bkpaas.facts.containers import Containers
from bkpaas.inventory.deployment import Deployment
from bkpaas.language import get_language, other_language
from bkpaas.messages import Message, joined, msg, series
from bkpaas.record import PlatformVersions

PROVED: dict[str, tuple[str, ...]] = {"5.x": ("3.2.5",), "6.x": ("2.14.68",)}
"""By generation, the versions of open_paas of which the real programs were run and broken, and the verdicts compared."""
_MODULES = ("open_paas", "paas", "login", "esb", "appengine", "apigw")
_IMAGE = re.compile(r"(?:^|/)bk-paas-(?P<module>[a-z]+):(?P<version>[\w.-]+)$")


def platform_versions(deployment: Deployment, snapshot: Snapshot) -> PlatformVersions:
    """Return the versions that were met, by what is known about them, with one sentence for every report."""
    proved, other, unknown = dict[str, None](), dict[str, None](), dict[str, None]()
    for host in deployment.selected("paas"):
        found = _versions(snapshot, host.name)
        if not found:
            unknown[host.name] = None
        for module, version in found.items():
            known = version in PROVED.get(deployment.generation, ())
            (proved if known else other)[f"{module} {version}"] = None
    text = _sentence(list(proved), list(other), list(unknown))
    own, translation = text.render(get_language()), text.render(other_language())
    return PlatformVersions(list(proved), list(other), list(unknown), own, translation)


def _versions(snapshot: Snapshot, host: str) -> dict[str, str]:
    facts = snapshot.hosts.get(host)
    found: dict[str, str] = {}
    if facts is not None and isinstance(facts.containers, Containers):
        for container in facts.containers.by_name.values():
            if match := _IMAGE.search(container.image or ""):
                found[match["module"]] = match["version"]
    if facts is not None and isinstance(facts.versions, Versions):
        found |= {name: version for name, version in facts.versions.by_name.items() if name in _MODULES}
    return found


def _sentence(proved: list[str], other: list[str], unknown: list[str]) -> Message:
    parts = []
    if proved:
        parts.append(msg("proved on {versions}", versions=series(proved)))
    if other:
        parts.append(
            msg("checked, but the suite was not proved on this version: {versions}", versions=series(other))
        )
    if unknown:
        parts.append(msg("no VERSION file was read on {hosts}", hosts=series(unknown)))
    if not parts:
        return msg("BlueKing versions: none, no paas host was checked")
    return msg("BlueKing versions: {parts}", parts=joined("; ", parts))
