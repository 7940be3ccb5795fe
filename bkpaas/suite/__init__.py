"""The suite inside pytest: what a condition's test is made of, and how its outcome becomes a verdict."""

from bkpaas.faq.model import (
    Each,
    FromController,
    Links,
    Pairs,
    Text,
    anywhere,
    same_host,
    same_link,
    seen_from_host,
    source,
    target,
)
from bkpaas.suite.cases import Finding, condition

__all__ = [
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
]
