"""The former name of bkpaas.checks, for tests of a site; it works for one minor version."""

from __future__ import annotations

from importlib import import_module

from bkpaas.former_names import warn_former_name

FORWARDED = (
    "Each",
    "Finding",
    "FromController",
    "Links",
    "Pairs",
    "Text",
    "anywhere",
    "condition",
    "same_host",
    "same_link",
    "seen_from_host",
    "source",
    "target",
)
RENAMED = {"Each": "PerHost", "FromController": "OnController", "Links": "PerLink", "Pairs": "PerPair"}
"""The scopes that bkpaas.checks has under another name."""


def __getattr__(name: str) -> object:
    if name not in FORWARDED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    new = RENAMED.get(name, name)
    former = f", in place of {name}" if new != name else ""
    warn_former_name(f"bkpaas.suite is now bkpaas.checks: import {new} from there{former}")
    value: object = getattr(import_module("bkpaas.checks"), new)
    return value
