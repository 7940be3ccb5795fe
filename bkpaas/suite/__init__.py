"""The former name of bkpaas.checks, for tests of a site; it works for one minor version."""

from __future__ import annotations

import warnings
from importlib import import_module

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
    warnings.warn(f"bkpaas.suite is now bkpaas.checks: import {name} from there", DeprecationWarning, 2)
    found: object = getattr(import_module("bkpaas.checks"), RENAMED.get(name, name))
    return found
