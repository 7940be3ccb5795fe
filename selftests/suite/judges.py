"""Judges called one by one, on facts made for them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from msgspec.structs import fields

from bkpaas.catalogue.registry import SECTIONS
from bkpaas.checks import HostLookup
from bkpaas.facts import HostFacts, HostView, Missing
from bkpaas.inventory.deployment import Connection, Deployment, Host

ROOT = Path(__file__).parents[2]


def register_markers(config: pytest.Config) -> None:
    """Register the markers of the checks, which are loaded in this process."""
    for name in ("condition", *(section.marker for section in SECTIONS)):
        config.addinivalue_line("markers", name)


def room(path: str) -> ModuleType:
    """Load a file of tests_*; these directories are not packages."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def facts(host: str, **known: Any) -> HostFacts:
    """A host of which only these nouns are known."""
    nouns: dict[str, Any] = {field.name: Missing("not looked at") for field in fields(HostFacts)}
    shared = {"host": host, "collected": True, "error_kind": None, "error": None, "seconds": 0.1}
    return HostFacts(**{**nouns, **shared, **known})


def deployment(roles: dict[str, str], **more: Any) -> Deployment:
    """Hosts by name, each with its roles in one string."""
    connection = Connection("ssh://root@nowhere")
    hosts = tuple(
        Host(name, f"10.0.1.{number}", tuple(words.split()), connection)
        for number, (name, words) in enumerate(roles.items(), 1)
    )
    return Deployment(source="x", generation="5.x", hosts=hosts, domain="paas.bk.com", **more)


def views(all_facts: list[HostFacts]) -> HostLookup:
    return HostLookup({one.host: HostView(one) for one in all_facts}, set())
