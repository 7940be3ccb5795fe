"""The bill of materials and the page of dependencies are those of the lock file, with licences that are accepted."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ACCEPTED = {
    "Apache Software License",
    "Apache-2.0",
    "Apache-2.0 AND BSD-2-Clause",
    "Apache-2.0 OR BSD-2-Clause",
    "Apache-2.0 OR BSD-3-Clause",
    "BSD License",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "EPL-2.0 OR GPL-2.0-or-later",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "PSF-2.0",
}
"""Licences under which a package may be installed unchanged together with the suite."""


def normalised(name: str) -> str:
    """Return the name of a distribution as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> set[tuple[str, str]]:
    """Return name and version of each pin of requirements.lock, also of those for other Pythons."""
    lines = (ROOT / "requirements.lock").read_text("utf-8")
    return {(normalised(name), version) for name, version in re.findall(r"^([\w.-]+)==(\S+)", lines, re.M)}


def components() -> dict[str, tuple[str, set[str]]]:
    """Return version and licences of each component of sbom.json."""
    entries = json.loads((ROOT / "sbom.json").read_text("utf-8"))["components"]
    return {
        normalised(entry["name"]): (
            entry["version"],
            {
                one.get("expression") or one["license"].get("id") or one["license"]["name"].split(" :: ")[-1]
                for one in entry["licenses"]
            },
        )
        for entry in entries
    }


def rows(page: str) -> dict[str, str]:
    """Return the licence of each package in the table of a page."""
    table = re.findall(r"^\| ([\w.-]+) \| ([^|]+) \| [^|]+ \|$", (ROOT / page).read_text("utf-8"), re.M)
    return {normalised(name): licence for name, licence in table if name not in {"package", "包"}}


def test_components_are_pinned_as_listed() -> None:
    listed = {(name, version) for name, (version, _) in components().items()}
    assert listed and not listed - pins(), "script/lock makes sbom.json"
    elsewhere = {name for name, _ in pins()} - {name for name, _ in listed}
    assert elsewhere <= {"colorama", "exceptiongroup", "tomli"}, "these are for other Pythons or systems only"


@pytest.mark.parametrize("page", ["docs/dependencies.md", "docs/dependencies.zh-CN.md"])
def test_page_has_every_pin_with_its_licence(page: str) -> None:
    assert set(rows(page)) == {name for name, _ in pins()}
    stated = rows(page)
    assert not {name for name, (_, licences) in components().items() if stated[name] not in licences}


@pytest.mark.parametrize("page", ["docs/dependencies.md", "docs/dependencies.zh-CN.md"])
def test_every_licence_is_accepted(page: str) -> None:
    assert set(rows(page).values()) <= ACCEPTED
