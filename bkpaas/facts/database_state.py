"""Parse what a database answers to the statements of the collector: variables, rights, tables, registered agents.

The statements stand in DATABASE_STATEMENTS of the collector. Names of accounts and the values of tokens are not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import field

from bkpaas.facts import raw
from bkpaas.facts.missing import Record
from bkpaas.facts.secrets import Secrets

SERVER_STATEMENTS = ("variables", "status", "grants", "sessions")
"""Sent with every account."""
TABLES: dict[str, tuple[str, ...]] = {
    "login": ("django_session", "bkaccount_bkuser", "login_bktoken", "login_bklog"),
    "esb": ("esb_app_account", "esb_channel"),
    "appengine": ("engine_servers",),
}
"""Tables that each project reads, by project, in 5.x. Source: the models of login, esb and appengine, 3.2.5."""
WRITTEN_TABLES = ("django_session", "bkaccount_bkuser", "login_bktoken", "login_bklog")
"""Tables that a login writes."""
WRITE_RIGHTS = ("SELECT", "INSERT", "UPDATE")
"""What a login needs in them."""
AGENTS_TABLE = "engine_servers"

ESB_TOKEN = "esb_token"
"""The statement for the token of the application bk_paas, with which login, paas and esb call ESB."""

COUNTERS = "counters"
"""The statement for the next number of each table with AUTO_INCREMENT."""

USERS_TABLE = "bkaccount_bkuser"

_TEXT_LENGTH = 200
_ALL = "ALL PRIVILEGES"
_EXEMPT = (_ALL, "SUPER", "READ_ONLY ADMIN", "CONNECTION_ADMIN")
"""Rights on *.* with which read_only does not apply."""
_GRANT = re.compile(r"(?P<verb>GRANT|REVOKE) (?P<rights>.+?) ON (?P<on>[^ ]+) (?:TO|FROM) ", re.DOTALL)
_ROLE = re.compile(r"GRANT [`'\"]?[^ ,]+[`'\"]?(?:@\S+)?(?:, ?\S+)* TO ")
_COLUMNS = re.compile(r" ?\([^)]*\)")
_ON = re.compile(r"(?P<schema>\*|`(?:[^`]|``)+`|[^.`]+)\.(?P<table>\*|`(?:[^`]|``)+`|[^.`]+)")
_UUID = re.compile(r"[0-9a-f]{32}")


class Grant(Record, frozen=True):
    """Represent rights of the account on one place."""

    schema: str
    """As granted: *, or a name with the wildcards % and _."""
    table: str
    """A name, or *."""
    rights: tuple[str, ...]
    revoked: bool = False
    """MySQL 8 can take rights on a schema out of those on *.*."""


class StatementError(Record, frozen=True):
    """Represent why a statement has no rows."""

    code: int | None = None
    """Number of the server's error."""
    kind: str = ""
    """Of an answer that did not come: silent, empty, protocol ...; empty if the server answered."""
    text: str = ""


_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}


class Counter(Record, frozen=True):
    """Represent the next number that a table gives to a new row."""

    table: str
    type: str
    """Of its column, such as int(11) unsigned."""
    next: int

    @property
    def largest(self) -> int | None:
        """Return the largest number of the column; None for another type."""
        bits = _BITS.get(self.type.partition("(")[0].partition(" ")[0].lower())
        if bits is None:
            return None
        return (1 << (bits if "unsigned" in self.type.lower() else bits - 1)) - 1


class Session(Record, frozen=True):
    """Represent the connections of the account in one state."""

    state: str
    count: int
    seconds: int
    """How long the oldest is in its state."""


class UnhashedPasswords(Record, frozen=True):
    """Represent how many users have a password in the table that is not a hash as Django writes it."""

    users: int
    administrators: int
    """How many of them are named admin."""


class RegisteredAgent(Record, frozen=True):
    """Represent an app server as appengine knows it."""

    address: str
    port: str
    app_port: str
    category: str
    """app: production, tapp: test."""
    active: bool
    sid: str
    """A digest."""
    token: str
    """A digest."""


class DatabaseState(Record, frozen=True):
    """Represent what one account read of its database; what was not answered is in errors."""

    variables: dict[str, str] = field(default_factory=dict)
    """Names in lower case."""
    status: dict[str, str] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()
    roles: bool = False
    """Whether the account has rights through a role, which are not listed."""
    sessions: tuple[Session, ...] = ()
    filled: dict[str, bool] = field(default_factory=dict)
    """By table that could be read: whether it has a row."""
    unhashed: UnhashedPasswords | None = None
    """None: not counted, or there is no user."""
    agents: tuple[RegisteredAgent, ...] | None = None
    esb_token: str | None = None
    """A digest of the token of bk_paas; empty: there is no such row; None: it was not read."""
    counters: tuple[Counter, ...] = ()
    """Of the tables with the largest next numbers, at least 100."""
    errors: dict[str, StatementError] = field(default_factory=dict)
    """By statement."""

    def exempt_from_read_only(self) -> bool:
        """Return whether the account may write although read_only is set."""
        everywhere = [grant for grant in self.grants if grant.schema == "*" and not grant.revoked]
        return any(right in _EXEMPT for grant in everywhere for right in grant.rights)

    def missing_rights(self, schema: str, table: str, needed: tuple[str, ...] = WRITE_RIGHTS) -> list[str]:
        """Return the rights of `needed` that no grant gives in this table."""
        held: set[str] = set()
        lost: set[str] = set()
        for grant in self.grants:
            if _fits(grant, schema, table):
                (lost if grant.revoked else held).update(grant.rights)
        if _ALL in held:
            held |= set(needed)
        return [right for right in needed if right not in held or right in lost or _ALL in lost]


def _fits(grant: Grant, schema: str, table: str) -> bool:
    if grant.table not in ("*", table):
        return False
    if grant.schema == "*":
        return True
    pattern = "".join(
        part[1:] if part.startswith("\\") else {"%": ".*", "_": "."}.get(part, re.escape(part))
        for part in re.findall(r"\\[%_]|.", grant.schema)
    )
    return re.fullmatch(pattern, schema, re.IGNORECASE) is not None


def agent_secret(text: str | None, secrets: Secrets) -> str:
    """Return the digest of an id or token of an agent, however it is written; empty if it is not one."""
    plain = (text or "").strip().lower().replace("-", "")
    return secrets.digest(plain) if _UUID.fullmatch(plain) else ""


def is_agent_secret(text: str) -> bool:
    """Return whether an id or token of an agent is written as it must be, without a blank or another character."""
    return _UUID.fullmatch(text.lower().replace("-", "")) is not None


def database_state(results: Mapping[str, Any], secrets: Secrets) -> DatabaseState | None:
    """Parse the results of the statements; None if none was sent."""
    if not results:
        return None
    rows = {name: list(_rows(raw.record(result).get("rows"))) for name, result in results.items()}
    errors = {
        name: _error(raw.record(result), secrets)
        for name, result in results.items()
        if "rows" not in raw.record(result)
    }
    lines = [row[0] for row in rows.get("grants", ()) if row and row[0]]
    tables = {table for group in TABLES.values() for table in group}
    return DatabaseState(
        variables=_pairs(rows.get("variables", ()), secrets),
        status=_pairs(rows.get("status", ()), secrets),
        grants=tuple(grant for line in lines if (grant := _grant(line, secrets))),
        roles=any(_ROLE.match(line) and not _GRANT.match(line) for line in lines),
        sessions=tuple(_sessions(rows.get("sessions", ()), secrets)),
        filled={name: bool(rows[name]) for name in rows if name in tables and name not in errors},
        counters=tuple(_counters(rows.get(COUNTERS, ()), secrets)),
        unhashed=_unhashed(rows.get(USERS_TABLE, ())),
        agents=tuple(_agents(rows[AGENTS_TABLE], secrets))
        if AGENTS_TABLE in rows and AGENTS_TABLE not in errors
        else None,
        esb_token=None if ESB_TOKEN in errors else _token(rows.get(ESB_TOKEN), secrets),
        errors=errors,
    )


def _token(rows: list[list[str | None]] | None, secrets: Secrets) -> str | None:
    if rows is None:
        return None
    return secrets.digest(rows[0][0]) if rows and rows[0] and rows[0][0] else ""


def _rows(value: Any) -> Iterator[list[str | None]]:
    for row in value if isinstance(value, list) else ():
        if isinstance(row, list):
            yield [raw.text(item, 1000) for item in row]


def _error(result: Mapping[str, Any], secrets: Secrets) -> StatementError:
    text = raw.text(result.get("text"), 4 * _TEXT_LENGTH) or ""
    text = re.sub(r"'[^']{0,100}'@'[^']{0,255}'", "'...'@'...'", text)
    return StatementError(
        code=raw.integer(result.get("code")),
        kind=raw.text(result.get("kind"), 20) or "",
        text=secrets.truncate("".join(c if c.isprintable() else "." for c in text), _TEXT_LENGTH),
    )


def _pairs(rows: Any, secrets: Secrets) -> dict[str, str]:
    return {
        row[0].lower()[:60]: secrets.truncate(row[1] or "", 60) for row in rows if len(row) == 2 and row[0]
    }


def _grant(line: str, secrets: Secrets) -> Grant | None:
    """Return the rights of one line of SHOW GRANTS; None for a role, a proxy or a routine."""
    match = _GRANT.match(line)
    target = _ON.fullmatch(match["on"]) if match else None
    if match is None or target is None:
        return None
    rights = [right.strip().upper() for right in _COLUMNS.sub("", match["rights"]).split(",")]
    return Grant(
        schema=secrets.truncate(_unquoted(target["schema"]), 100),
        table=secrets.truncate(_unquoted(target["table"]), 100),
        rights=tuple(_ALL if right == "ALL" else right[:50] for right in rights[:60]),
        revoked=match["verb"] == "REVOKE",
    )


def _unquoted(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name


def _sessions(rows: Any, secrets: Secrets) -> Iterator[Session]:
    for row in rows:
        if len(row) == 3:
            yield Session(secrets.truncate(row[0] or "", 100), _whole(row[1]), _whole(row[2]))


def _counters(rows: Any, secrets: Secrets) -> Iterator[Counter]:
    for row in rows:
        number = re.fullmatch(r"\d{1,20}", row[2] or "") if len(row) == 3 else None
        if number is not None:
            yield Counter(
                secrets.truncate(row[0] or "", 100), secrets.truncate(row[1] or "", 60), int(number[0])
            )


def _unhashed(rows: Any) -> UnhashedPasswords | None:
    """Return the counts in the third column of the statement: `USERS ADMINISTRATORS`."""
    for row in rows:
        counts = re.fullmatch(r"(\d{1,9}) (\d{1,9})", row[2] or "") if len(row) == 3 else None
        return UnhashedPasswords(int(counts[1]), int(counts[2])) if counts else None
    return None


def _whole(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,12}", text) else 0


def _agents(rows: Any, secrets: Secrets) -> Iterator[RegisteredAgent]:
    for row in rows:
        if len(row) != 7:
            continue
        address, port, app_port, category = (secrets.truncate(item or "", 60) for item in row[:4])
        yield RegisteredAgent(
            address=address.strip(),
            port=port.strip(),
            app_port=app_port.strip(),
            category=category.strip(),
            active=row[4] not in ("0", "", None),
            sid=agent_secret(row[5], secrets),
            token=agent_secret(row[6], secrets),
        )
