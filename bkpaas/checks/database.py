"""What the checks of the database share: the accounts of a host, their connections, and what they read."""

from __future__ import annotations

from collections.abc import Iterator

from bkpaas.checks.finding import Finding
from bkpaas.checks.log_search import addresses, hosts_at
from bkpaas.checks.lookup import HostLookup
from bkpaas.checks.phrases import labelled
from bkpaas.errors import NoData
from bkpaas.facts import Connection, HostView
from bkpaas.facts.database import Account, DatabaseLogin, accounts
from bkpaas.facts.database_state import TABLES, WRITTEN_TABLES, DatabaseState, StatementError
from bkpaas.inventory.deployment import Deployment
from bkpaas.messages import Message, msg

LOGIN_TABLES = TABLES["login"]
"""The tables that database-tables reads for login."""
CONNECTION_LOST = frozenset({2006, 2013, 2055})
"""Numbers with which a client reports that the server closed its connection."""
PASSWORD_REFUSED = frozenset({1045, 1698})
"""The answers to a login with another password than that of the account."""
PASSWORD_EXPIRED = 1820
"""The answer to each statement of an account whose password has expired."""


def host_accounts(host: HostView) -> dict[str, Account]:
    """Return the accounts of a host by the names of their connections. Raises NoData if there are none."""
    by_service = accounts(host.settings)
    if not by_service:
        raise NoData(msg("no DATABASES with a HOST in the settings"))
    return by_service


def name_database(
    account: Account, host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Set the remedy values and the hosts of the database of an account."""
    finding.set_remedy_values(database=account.host, database_port=account.port, account=account.user)
    finding.depends_on_hosts(hosts_at(addresses(host, account.host, deployment), deployment, host_facts))


def database_connection(host: HostView, name: str, account: Account) -> Connection | Message | str:
    """Return the connection to a database, or why it was not made."""
    connection = host.connections.by_name.get(name)
    if account.obstacle is not None:
        return account.obstacle
    if connection is not None and connection.error_kind == "withheld":
        return msg(
            "not connected: an account that the host has in no file as it is, or in one that has changed since round 1, is sent over ssh:// only"
        )
    if connection is None:
        return msg("not connected: the account could not be read whole")
    return connection


def login_obstacle(login: DatabaseLogin | None) -> Message:
    """Return why it is not known whether an account may log in."""
    if login is None:
        return msg("the database did not answer")
    if login.state == "unsupported":
        return msg("the account uses the authentication {plugin}, which is not tried", plugin=login.plugin)
    if login.state == "needs-tls":
        return msg(
            "{plugin} requires the password in clear, and the server offers no TLS: not sent",
            plugin=login.plugin,
        )
    if login.state == "refused":
        return msg("refused: {code} {text}", code=login.code, text=login.text)
    return msg("the login did not end: {text}", text=login.text)


def refuses_password(host: HostView, project: str) -> bool:
    """Return whether the database refuses the password in the settings of a project."""
    for name, account in accounts(host.settings).items():
        connection = database_connection(host, name, account)
        login = connection.login if isinstance(connection, Connection) else None
        if project in account.projects and login is not None and login.state == "refused":
            return login.code in PASSWORD_REFUSED
    return False


def database_state(host: HostView, name: str, account: Account) -> DatabaseState | Message | str:
    """Return what an account read of its database, or why it read nothing."""
    connection = database_connection(host, name, account)
    if not isinstance(connection, Connection):
        return connection
    login = connection.login
    if login is None or login.state != "accepted":
        return login_obstacle(login)
    return login.database or msg("the database was not queried")


def statement_failure(error: StatementError) -> Message:
    """Return the text of a statement without an answer."""
    if error.code is not None:
        return msg("error {code} {text}", code=error.code, text=error.text)
    return msg("no answer ({text})", text=error.text)


def database_states(
    host: HostView, unknown: list[Message | str]
) -> Iterator[tuple[Account, str, DatabaseState]]:
    """Yield each account with `address:port` and what it read; append why the others read nothing."""
    for name, account in host_accounts(host).items():
        state = database_state(host, name, account)
        endpoint = f"{account.host}:{account.port}"
        if isinstance(state, DatabaseState):
            yield account, endpoint, state
        else:
            unknown.append(labelled(endpoint, state))


READ_ONLY = ("read_only", "super_read_only", "innodb_read_only", "tx_read_only", "transaction_read_only")
"""Variables with which a server or a new connection refuses to write."""
NOT_EXEMPTED = ("super_read_only", "innodb_read_only", "tx_read_only", "transaction_read_only")
"""Those that apply to accounts with every right as well."""


def read_only_variables(state: DatabaseState) -> list[str]:
    """Return the variables that make the database read-only for the account."""
    effective = NOT_EXEMPTED if state.exempt_from_read_only() else READ_ONLY
    names = [name for name in effective if state.variables.get(name, "OFF").upper() not in ("OFF", "0", "")]
    recovery = state.variables.get("innodb_force_recovery", "0") not in ("0", "")
    return [*names, "innodb_force_recovery"] if recovery else names


def database_works(host: HostView) -> bool:
    """Return whether each account may log in, got an answer to each statement, and may write."""
    unknown: list[Message | str] = []
    try:
        states = list(database_states(host, unknown))
    except NoData:
        return False
    return not unknown and all(
        not state.errors
        and not read_only_variables(state)
        and not any(
            state.missing_rights(account.database, table)
            for table in WRITTEN_TABLES
            if "login" in account.tables_of and state.grants and not state.roles
        )
        for account, _, state in states
    )
