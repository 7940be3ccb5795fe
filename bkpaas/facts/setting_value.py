"""Represent the value of one setting, and make it from an assignment, without secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Set
from typing import Any, Literal

from bkpaas.facts import python2
from bkpaas.facts.missing import Record
from bkpaas.facts.secret_names import is_random
from bkpaas.facts.secret_shapes import Hide
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.shown import Own, allowed, consul_names, is_plain, normalised

Kind = Literal[
    "int", "float", "str", "bool", "none", "list", "dict", "secret", "expression", "broken", "unknown"
]

_TYPES: dict[Kind, Any] = {
    "int": int,
    "float": (int, float),
    "str": str,
    "bool": bool,
    "list": list,
    "dict": dict,
}
"""The types of the values of each kind; the others keep none."""

SEARCH_SETTINGS = ("ELASTICSEARCH_URLS", "ELASTICSEARCH_HOSTS")
"""Where paas looks for logs: `user:password@host:port`, without a scheme."""
TEXT_LENGTH = 200
"""Of the right side of an assignment as it is shown, in characters."""
_VALUE_LENGTH = 2000
"""Of one value as JSON, in characters; a longer one is kept as its digest."""
_PLACEHOLDER = re.compile(r"__[0-9A-Z_]+__")
_KINDS: dict[type, Kind] = {
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    list: "list",
    dict: "dict",
    type(None): "none",
}


class Value(Record, frozen=True, array_like=True):  # there are hundreds on a host: JSON without names
    """Represent the last assignment of a name."""

    kind: Kind
    """unknown: a later statement may have set the name in a way that is not followed; its place is here."""
    file: str
    line: int
    value: Any = None
    """JSON; None for a secret, an expression, a broken assignment, what is too long, and a name that is not SHOWN."""
    source: str = ""
    """The right side as written, without secrets, cut; empty where the value says as much."""
    digest: str | None = None
    """Of a value that is not kept; of its normalised form, in which 3306 and "3306" are equal."""
    own_digest: str | None = None
    """The same with LAN_IP in place of the host's own addresses and names; None: there are none of them in it."""

    def __post_init__(self) -> None:
        """Refuse a value that is not of its kind, also where it is decoded."""
        if self.value is not None and not isinstance(self.value, _TYPES.get(self.kind, ())):
            raise ValueError(f"a value of another type than {self.kind}")

    @property
    def text(self) -> str:
        """Return the right side for display, redacted and truncated."""
        return self.source or self.digest or json.dumps(self.value, ensure_ascii=False)[:TEXT_LENGTH]


class ValueMaker:
    """Make the values of the settings of one host."""

    def __init__(self, secrets: Secrets, own: Own, shown: Set[str]) -> None:
        self.secrets, self.own, self.shown = secrets, own, shown
        self.consul_names: list[str] = []
        self.file = ""

    def value(self, name: str, line: int, source: Any, value: tuple[Any] | None) -> Value:
        """Return the value of a name; value: None if the source could not be evaluated."""
        written = self.text(name, list(python2.leaves(source)))
        if value is None:
            kind: Kind = "broken" if any(map(python2.is_error, python2.leaves(source))) else "expression"
            if kind == "expression" and self.secrets.is_secret(name):
                kind = "secret"
            digest = self.secrets.digest(source.get_code(include_prefix=False)) if kind == "secret" else None
            return Value(kind=kind, file=self.file, line=line, source=written, digest=digest)
        telling = isinstance(value[0], str | int | float) and source.type not in (
            "string",
            "number",
            "keyword",
        )
        return self.plain(name, line, value[0], written if telling else "")

    def plain(self, name: str, line: int, plain: Any, written: str = "") -> Value:
        """Return an evaluated value. written: the source, if it says more than the value."""
        self.consul_names += consul_names(plain)
        if self._hidden(name, plain):
            digest = self.secrets.digest(plain if isinstance(plain, str) else json.dumps(plain))
            return Value(kind="secret", file=self.file, line=line, digest=digest)
        if name not in self.shown and not is_plain(plain):
            return self._concealed(name, line, plain)
        logins = self.secrets.logins(plain) if name in SEARCH_SETTINGS else plain
        shown = allowed(self.secrets.tree(logins), self.shown, self.secrets)
        as_json = json.dumps(shown, ensure_ascii=False, sort_keys=True)
        long = len(as_json) > _VALUE_LENGTH
        return Value(
            kind=_KINDS[type(shown)],
            file=self.file,
            line=line,
            value=None if long else shown,
            source=written or (as_json[:TEXT_LENGTH] if long else ""),
            digest=self.secrets.conceal(as_json) if long else None,
        )

    def _concealed(self, name: str, line: int, plain: Any) -> Value:
        """Return a value of which only the digest is kept."""
        if isinstance(plain, str) and is_random(plain):
            self.secrets.digest(plain)  # it is looked for elsewhere, as a secret is
        self.secrets.tree(plain)  # remembers the secrets within
        normal = normalised(plain)
        own = self.own(normal)
        return Value(
            kind=_KINDS[type(plain)],
            file=self.file,
            line=line,
            digest=self.secrets.conceal(normal),
            own_digest=None if own == normal else self.secrets.conceal(own),
        )

    def _hidden(self, name: str, value: Any) -> bool:
        """Return whether a value is secret; empty values and unreplaced template variables are not."""
        if not value or (isinstance(value, str) and _PLACEHOLDER.fullmatch(value)):
            return False
        return self.secrets.is_secret(name, value)

    def _hiding(self, name: str, values: list[Any]) -> Hide | None:
        """Return what hides the strings of an expression; None where they may be shown."""
        names = [name, *(leaf.value.strip("'\"") for leaf in values if leaf.type in ("name", "string"))]
        secret = any(map(self.secrets.is_secret, names))
        secret = secret or (name in SEARCH_SETTINGS and any("@" in leaf.value for leaf in values))
        if secret:
            return self.secrets.digest
        return None if name in self.shown else self.secrets.conceal

    def text(self, name: str, values: list[Any]) -> str:
        """Return the source without comments; strings are redacted if any name in it is secret."""
        hide = self._hiding(name, values)
        if hide and any(map(python2.is_error, values)):
            return hide(" ".join(leaf.value for leaf in values))
        texts: list[str] = []
        room = 4 * TEXT_LENGTH  # of which the cut below takes the beginning; the next leaf is costly to find
        for leaf in values:
            if room <= 0:
                break
            inner = leaf.value.strip("'\"")
            number = name not in self.shown or self.secrets.is_secret(name, inner)
            hidden = leaf.type == "string" or (leaf.type == "number" and number)
            variable = inner.isidentifier() and inner.isupper() and self.secrets.is_secret(inner)
            if hide and hidden and inner and not variable:
                texts.append(hide(inner))
            else:
                texts.append(leaf.value)
            following = leaf.get_next_leaf()
            texts.append(" " if following is not None and following.prefix else "")
            room -= len(texts[-2]) + len(texts[-1])
        return self.secrets.truncate("".join(texts).strip(), TEXT_LENGTH)
