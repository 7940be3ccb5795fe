"""The databases in the settings of open_paas: the accounts, the queries, and the results of the logins.

At most one connection per account and database server, host and run: projects with the same account share it. The
account logs in, sends the statements that are planned here, and quits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

from bkpaas.facts import raw
from bkpaas.facts.database_state import (
    COUNTERS,
    ESB_TOKEN,
    SERVER_STATEMENTS,
    TABLES,
    DatabaseState,
    database_state,
)
from bkpaas.facts.missing import Missing, Record
from bkpaas.facts.query import Earlier, MysqlLogin, Password, Query
from bkpaas.facts.secrets import DIGEST, Secrets
from bkpaas.facts.settings import Settings, SettingsByProject
from bkpaas.inventory.deployment import DEFAULT_PORTS, Deployment, Host
from bkpaas.messages import Message, msg, series

LoginState = Literal["accepted", "refused", "unsupported", "needs-tls", "error"]
_STATES: dict[Any, LoginState] = {state: state for state in get_args(LoginState)}

PREFIX = "database"
"""How the names of these connections begin."""
PROJECTS = ("login", "paas", "esb", "appengine")
"""The projects of open_paas, in the order in which their settings are looked up."""
MOST_ACCOUNTS = len(PROJECTS)
"""Accounts that are tried, of a host."""
_DEFAULT_PORT = DEFAULT_PORTS["mysql"]
_TEXT_LENGTH = 200
"""Of the text of an error, in characters."""
_OWN_OPTIONS = ("unix_socket", "read_default_file", "read_default_group")
"""OPTIONS of Django that take the connection or the account from a place that is not read here."""
_PASSWORD = re.compile(r" \(using password: ([^)]{1,40})\)?")
_WITH = {"YES": " (with a password)", "NO": " (without a password)"}
_ACCOUNT = re.compile(r"'[^']{0,100}'@'[^']{0,255}'")


class DatabaseLogin(Record, frozen=True):
    """Represent the result of one login."""

    state: LoginState
    code: int | None = None
    """Number of the server's error, when it refused."""
    kind: str = ""
    """Of an error: silent, tls, protocol, empty, reset, other; see Answer."""
    text: str = ""
    """The server's error without the account, or why the login came to no end."""
    plugin: str = ""
    """The authentication that the server asked for, when the collector does not know it or it needs TLS."""
    database: DatabaseState | None = None
    """What the statements read; None if none was sent."""


class Account(Record, frozen=True):
    """Represent one account at one database server, with the projects whose settings have it."""

    host: str
    port: int
    projects: tuple[str, ...]
    user: str = ""
    password: str = ""
    """A digest, or empty."""
    database: str = ""
    obstacle: Message | str | None = None
    """Why it cannot be tried; None when it can."""
    tables_of: tuple[str, ...] = ()
    """The projects whose tables are in `database`."""


def accounts(settings: SettingsByProject | Missing) -> dict[str, Account]:
    """Return the accounts by the names of their connections; the first is called `database`."""
    unique: dict[tuple[str, int, str, str], Account] = {}
    by_project = {} if isinstance(settings, Missing) else settings.by_project
    for project in PROJECTS:
        own = by_project.get(project)
        account = _account(own) if own else None
        if account is not None:
            key = (account.host, account.port, account.user, account.password)
            first = unique.get(key, account)
            projects = (*first.projects, project) if key in unique else first.projects
            unique[key] = Account(
                host=first.host,
                port=first.port,
                projects=projects,
                user=first.user,
                password=first.password,
                database=first.database,
                obstacle=first.obstacle,
                tables_of=first.tables_of
                + ((project,) if key in unique and account.database == first.database else ()),
            )
    names = [PREFIX, *(f"{PREFIX}-{number}" for number in range(2, MOST_ACCOUNTS + 1))]
    return dict(zip(names, unique.values(), strict=False))


def _account(settings: Settings) -> Account | None:
    """Return the account of one project; None when its settings name no host of a MySQL."""
    value = settings.values.get("DATABASES")
    default = value.value.get("default") if value and isinstance(value.value, dict) else None
    if not isinstance(default, dict) or not isinstance(default.get("HOST"), str):
        return None
    if "mysql" not in str(default.get("ENGINE", "mysql")) or default["HOST"].startswith("/"):
        return None  # another kind of database, or a socket of this host
    port = str(default.get("PORT") or _DEFAULT_PORT)
    if not port.isdigit():
        return None
    user, password = default.get("USER"), default.get("PASSWORD")
    return Account(
        host=default["HOST"] or "127.0.0.1",
        port=int(port),
        projects=(settings.project,),
        user=user if isinstance(user, str) else "",
        password=password if isinstance(password, str) else "",
        database=default["NAME"] if isinstance(default.get("NAME"), str) else "",
        obstacle=_obstacle(settings.project, user, password, default.get("OPTIONS")),
        tables_of=(settings.project,),
    )


def _obstacle(project: str, user: Any, password: Any, options: Any) -> Message | None:
    """Return why the account of a project cannot be tried; None when it can."""
    if not isinstance(user, str) or not user or not isinstance(password, str):
        return msg(
            "DATABASES of {project} has no USER and PASSWORD that can be read: not connected", project=project
        )
    own_options = options if isinstance(options, dict) else {}
    tls = own_options["ssl"] if isinstance(own_options.get("ssl"), dict) else {}
    own = [name for name in _OWN_OPTIONS if name in own_options] + [
        f"ssl.{name}" for name in ("cert",) if name in tls
    ]
    if own:
        return msg(
            "DATABASES of {project} has OPTIONS that are not followed here ({own}): not connected",
            project=project,
            own=series(own),
        )
    return None


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Log in with each account and send its statements; none for an account that has an unknown digest."""
    if earlier is None or not entry.has_role("paas"):
        return
    for name, account in accounts(earlier.hosts[entry.name].settings).items():
        words = {"user": account.user, "password": account.password, "database": account.database}
        login = {
            name: value for name, word in words.items() if (value := _plain(word, entry, earlier)) is not None
        }
        if account.obstacle is None and len(login) == len(words):
            seconds = deployment.limits.request_seconds
            statements = _statements(account, deployment)
            yield MysqlLogin(name, account.host, account.port, seconds, mysql=login, statements=statements)


def _statements(account: Account, deployment: Deployment) -> tuple[str, ...]:
    """Return the names of the statements for an account: about the server, and about the tables of its projects.

    The tables of 6.x are other ones; that of the applications of ESB is the same.
    """
    projects = account.tables_of if account.database else ()
    own = projects if deployment.generation == "5.x" else ()
    tables = (table for project in own for table in TABLES.get(project, ()))
    token = (ESB_TOKEN,) if "esb" in projects else ()
    return (*SERVER_STATEMENTS, *dict.fromkeys(tables), *token, *((COUNTERS,) if own else ()))


def _plain(word: str, entry: Host, earlier: Earlier) -> str | Password | None:
    """Return the password of a digest, or a plain value as it is; None if unknown or not valid UTF-8."""
    value = earlier.secret(entry.name, word) if DIGEST.fullmatch(word) else word
    text = value.text if isinstance(value, Password) else value
    return None if text is None or "\ufffd" in text or "\0" in text else value


def error_text(text: str) -> str:
    """Return the text of an error of the database without the account that it names."""
    text = _ACCOUNT.sub("'...'@'...'", text)
    return _PASSWORD.sub(lambda match: _WITH.get(match[1], ""), text)


def login(item: Mapping[str, Any], secrets: Secrets) -> DatabaseLogin | None:
    """Return the login of a raw TCP connection; None when it has none."""
    record = raw.record(item.get("login"))
    state = _STATES.get(raw.text(record.get("state"), 20))
    if state is None:
        return None
    text = error_text(raw.text(record.get("text"), 4 * _TEXT_LENGTH) or "")
    return DatabaseLogin(
        state=state,
        code=raw.integer(record.get("code")),
        kind=raw.text(record.get("kind"), 20) or "",
        text=secrets.truncate("".join(c if c.isprintable() else "." for c in text), _TEXT_LENGTH),
        plugin=secrets.truncate(raw.text(record.get("plugin"), 100) or "", 100),
        database=database_state(raw.record(record.get("results")), secrets),
    )
