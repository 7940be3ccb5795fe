"""Check the words of an inventory: roles, addresses, names of hosts and domains."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterable

from bkpaas.inventory.problems import quoted
from bkpaas.messages import Message, msg

RESERVED_NAMES = ("controller", "deployment")
"""Subjects of verdicts that are no host."""

ONLY_5 = frozenset({"bkarchiva", "bkdata"})
ONLY_6 = frozenset(
    {"apigw", "auth", "iam", "iam_search_engine", "lesscode", "monitorv3", "nodeman", "ssm", "usermgr"}
)
_EVERYWHERE = frozenset(
    {"appo", "appt", "beanstalk", "cmdb", "consul", "es", "etcd", "fta", "gse", "influxdb", "job", "kafka"}
    | {"license", "log", "mongodb", "mysql", "nfs", "nginx", "paas", "rabbitmq", "redis", "redis_cluster"}
    | {"redis_sentinel", "zk"}
)
ROLES = _EVERYWHERE | ONLY_5 | ONLY_6

ALIASES = {"cc": "cmdb", "es7": "es"}
"""Other words for the same role: the FAQ's name of cmdb, and what 6.x calls es."""

ROLE = re.compile(r"[a-z][a-z0-9_]*")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def role(word: str) -> str:
    """Return the role of a word, in lower case."""
    word = word.lower()
    return ALIASES.get(word, word)


def unknown_roles(roles: Iterable[str]) -> list[str]:
    return sorted(set(roles) - ROLES)


def near_roles(word: str) -> str:
    """Return the known roles similar to a word, the most similar first."""
    return ", ".join(difflib.get_close_matches(word, sorted(ROLES), 2, cutoff=0.7))


def is_address(text: str) -> bool:
    """Return whether text is an IPv4 address of a host: four decimal numbers, no leading zeros."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_multicast or address.is_reserved)


def no_address(word: str) -> tuple[Message, Message]:
    """Return reason and fix for a word that is_address refuses."""
    return (
        msg("{word} is not the IPv4 address of a host", word=quoted(word)),
        msg("write four numbers of 0 to 255, without leading zeros: 10.0.1.1"),
    )


def is_domain(text: str) -> bool:
    """Return whether text, in lower case, is a valid DNS host name."""
    return len(text) <= 253 and _DOMAIN.fullmatch(text) is not None
