"""What login needs of the database, as the accounts in the settings see it: rights to write, tables, connections."""

import re

from bkpaas.checks import (
    EXECUTE,
    SHARED_SETTINGS,
    WRITE,
    WRITTEN_TABLES,
    CaseMessage,
    DatabaseAccount,
    DatabaseState,
    Deployment,
    FileFact,
    FileName,
    Finding,
    HostLookup,
    HostView,
    Message,
    Missing,
    NoData,
    NotApplicable,
    StatementError,
    addresses,
    case,
    clauses,
    condition,
    database_states,
    hosts_at,
    labelled,
    lines,
    may_use,
    msg,
    name_database,
    plural,
    read_only_variables,
    readings,
    series,
    statement_failure,
)

TOKEN = "ESB_TOKEN"
LOCK_SECONDS = 5
"""A connection that waits longer than this for a lock of a table or of the server is stuck."""
LOCKED = re.compile(r"Waiting for .*(?:lock|flush|space)", re.IGNORECASE)
TABLE_LOCK = re.compile(r"Waiting for table (?:metadata|level) lock", re.IGNORECASE)
NO_TABLE = frozenset({1146, 1932})
NO_TEMPORARY_FILE = frozenset({1, 3, 23, 1004, 1021, 1026})
"""The server cannot create or write a file for an answer. Source: MySQL, global errors 1 to 23 and server errors."""
SERVERS = ("mysqld", "mariadbd")
USED_PERCENT = 98
"""Of the numbers that a column can hold."""
NO_COLUMN = 1054
NO_RIGHT = frozenset({1142, 1143, 1356})
NOT_JUDGED = frozenset({1040, 1047, 1053, 1203, 1226, 1820, 1927, 1969, 3024, 4031})
"""Refusals of each statement that are not about a table: the node, the password or a limit of the account or server."""


@condition("database-writable")
def test_database_can_be_written(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The accounts in the settings may write, and the database is neither read-only nor locked."""
    unknown: list[Message | str] = []
    for account, endpoint, state in database_states(host, unknown):
        name_database(account, host, deployment, host_facts, finding)
        _check_writable(account, endpoint, state)
        _check_temporary_files(account, endpoint, state, host, deployment, host_facts)
        _check_counters(endpoint, account, state)
        if "variables" in state.errors:
            failure = statement_failure(state.errors["variables"])
            unknown.append(labelled(endpoint, failure))
            continue
        finding.add_evidence(msg("{endpoint} is not read-only", endpoint=endpoint))
        if state.roles:
            finding.add_evidence(msg("rights through roles are not compared"))
    if unknown:
        raise NoData(lines(unknown))


def _check_writable(account: DatabaseAccount, endpoint: str, state: DatabaseState) -> None:
    """Raise AssertionError if the account cannot write."""
    replicates = state.variables.get("wsrep_on", "OFF").upper() in ("ON", "1")
    assert not replicates or state.status.get("wsrep_ready", "ON").upper() != "OFF", case(
        "not-in-cluster",
        "{endpoint}: wsrep_ready is OFF, the node refuses statements until it is part of its cluster again",
        endpoint=endpoint,
    )
    locked = read_only_variables(state)
    assert not locked, case(
        "read-only",
        "{endpoint}: {values}: a login writes a session, a token and a line of history and ends in an error 500",
        endpoint=endpoint,
        values=series(f"{name}={state.variables[name]}" for name in locked),
    )
    stuck = [
        session
        for session in state.sessions
        if LOCKED.match(session.state) and session.seconds >= LOCK_SECONDS
    ]
    if stuck:
        text = msg(
            "{endpoint}: {connections} in the state {state!r}, for up to {seconds} s (limit {limit} s)",
            endpoint=endpoint,
            connections=plural("{count} connection", "{count} connections", count=stuck[0].count),
            state=stuck[0].state,
            seconds=stuck[0].seconds,
            limit=LOCK_SECONDS,
        )
        assert not TABLE_LOCK.match(stuck[0].state), case("table-locked", text, endpoint=endpoint)
        raise AssertionError(case("locked", text, endpoint=endpoint))
    if "login" in account.tables_of and state.grants and not state.roles and account.database:
        missing = {
            table: rights
            for table in WRITTEN_TABLES
            if (rights := state.missing_rights(account.database, table))
        }
        assert not missing, case(
            "no-right",
            "{endpoint}/{database_name}: the account of login has no right to {rights}",
            endpoint=endpoint,
            rights=clauses(
                msg("{rights} in {table}", rights=", ".join(rights), table=table)
                for table, rights in missing.items()
            ),
            database_name=account.database,
        )


def _check_temporary_files(
    account: DatabaseAccount,
    endpoint: str,
    state: DatabaseState,
    host: HostView,
    deployment: Deployment,
    host_facts: HostLookup,
) -> None:
    """Raise AssertionError if the server cannot write temporary files, as its answers or its directory show."""
    failed = [error for error in state.errors.values() if error.code in NO_TEMPORARY_FILE]
    tmpdir = state.variables.get("tmpdir", "")
    assert not failed, case(
        "no-temporary-file",
        "{endpoint}: {reason} (tmpdir {path})",
        endpoint=endpoint,
        reason=statement_failure(failed[0]) if failed else "",
        path=tmpdir or "-",
    )
    for name in hosts_at(addresses(host, account.host, deployment), deployment, host_facts):
        closed = _closed_directory(host_facts(name), tmpdir)
        assert closed is None, case(
            "no-temporary-file",
            "{endpoint}: tmpdir {path} is {permissions} of uid {owner}, the server runs as uid {uid}",
            endpoint=endpoint,
            path=closed[0].path if closed else "",
            permissions=closed[0].permissions if closed else "",
            owner=closed[0].uid if closed else "",
            uid=closed[1] if closed else "",
        )


def _closed_directory(server: HostView, tmpdir: str) -> tuple[FileFact, int] | None:
    """Return the directory for temporary files and the account of the server that may not write there; None: none known."""
    if isinstance(server.facts.path_stats, Missing) or isinstance(server.facts.processes, Missing):
        return None
    found = server.facts.path_stats.by_name.get(FileName.TEMPORARY.value, ())
    uids = [one.uid for one in server.processes.items if one.name in SERVERS and one.uid is not None]
    for file in found:
        if file.path == tmpdir and file.type == "dir" and file.mode is not None:
            refused = [uid for uid in uids if not may_use(file, uid, WRITE | EXECUTE)]
            return (file, refused[0]) if refused else None
    return None


def _check_counters(endpoint: str, account: DatabaseAccount, state: DatabaseState) -> None:
    """Raise AssertionError if a table has no number left for a new row."""
    full = [
        one
        for one in state.counters
        if one.largest is not None and one.next * 100 >= one.largest * USED_PERCENT
    ]
    assert not full, case(
        "numbers-used-up",
        lines(
            msg(
                "{endpoint}/{database_name}: the next number of {table} is {next}, the largest of {type} is {largest} (limit {limit} %)",
                endpoint=endpoint,
                database_name=account.database,
                table=one.table,
                next=one.next,
                type=one.type,
                largest=one.largest,
                limit=USED_PERCENT,
            )
            for one in full
        ),
        endpoint=endpoint,
        tables=series(one.table for one in full),
    )


@condition("database-tables")
def test_tables_can_be_read(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The tables that login, esb and appengine read are there, undamaged, with their columns, and there is a user."""
    unknown: list[Message | str] = []
    for account, endpoint, state in database_states(host, unknown):
        name_database(account, host, deployment, host_facts, finding)
        schema = f"{endpoint}/{account.database}"
        failed = {
            name: error
            for name, error in state.errors.items()
            if name not in ("variables", "status", "grants", "sessions", "esb_token", "counters")
            and error.code not in NOT_JUDGED
            and error.code not in NO_TEMPORARY_FILE
        }
        if failed:
            raise AssertionError(_table_case(schema, failed))
        assert state.filled.get("bkaccount_bkuser", True), case(
            "no-users",
            "{place}: bkaccount_bkuser has no row: no user can log in",
            place=schema,
        )
        if set(state.errors) - {"counters"} or not state.filled:
            unknown.extend(
                labelled(schema, statement_failure(error)) for error in list(state.errors.values())[:1]
            )
        if state.filled:
            finding.add_evidence(
                msg("{place}: {tables} can be read", place=schema, tables=series(state.filled))
            )
    if unknown:
        raise NoData(lines(unknown))


@condition("esb-token")
def test_database_has_the_token(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The database has the application bk_paas with the ESB_TOKEN of login, paas and esb."""
    unknown: list[Message | str] = []
    absent: list[str] = []
    finding.names_components("setting", [TOKEN])
    for account, endpoint, state in database_states(host, unknown):
        if "esb" not in account.projects:
            continue
        name_database(account, host, deployment, host_facts, finding)
        place = f"{endpoint}/{account.database}"
        if state.esb_token is None:
            error = state.errors.get("esb_token")
            unknown.append(
                labelled(place, statement_failure(error) if error else msg("it was not asked for the token"))
            )
            continue
        if not state.esb_token:
            absent.append(place)
            continue
        wrong = {}
        for project in SHARED_SETTINGS[TOKEN]:
            reading = readings(host, project).get(TOKEN)
            if isinstance(reading, NoData):
                unknown.append(reading.message())
            elif reading is not None and state.esb_token not in reading.tokens:
                wrong[project] = reading.where
        finding.set_remedy_values(service=" ".join(wrong) or "SERVICE")
        assert not wrong, case(
            "differs",
            "{setting} of {projects} is not the app_token of bk_paas in esb_app_account of {place} ({locations})",
            setting=TOKEN,
            projects=series(wrong),
            place=place,
            locations=", ".join(wrong.values()),
        )
        finding.add_evidence(msg("{place}: {setting} is that of bk_paas", place=place, setting=TOKEN))
    if unknown:
        raise NoData(lines(unknown))
    if absent:
        # The packages of 5.x do not all have the row; on 6.x login calls ESB for each password.
        no_row = msg("esb_app_account of {places} has no row bk_paas", places=series(absent))
        if deployment.generation == "5.x":
            raise NotApplicable(no_row)
        raise AssertionError(case("no-row", no_row, place=series(absent)))


def _table_case(schema: str, failed: dict[str, StatementError]) -> CaseMessage:
    """Return the case of the tables that cannot be read."""
    texts = clauses(dict.fromkeys(statement_failure(error) for error in failed.values()))
    tables = series(failed)
    codes = {error.code for error in failed.values()}
    if codes & NO_TABLE:
        return case("missing", "{place}: {tables}: {texts}", place=schema, texts=texts, tables=tables)
    if NO_COLUMN in codes:
        return case("other-columns", "{place}: {tables}: {texts}", place=schema, texts=texts, tables=tables)
    if codes & NO_RIGHT:
        return case("no-right", "{place}: {tables}: {texts}", place=schema, texts=texts, tables=tables)
    if None in codes:
        return case("silent", "{place}: {tables}: {texts}", place=schema, texts=texts, tables=tables)
    return case("damaged", "{place}: {tables}: {texts}", place=schema, texts=texts, tables=tables)


@condition("database-connections")
def test_database_has_connections_left(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The database and the accounts in the settings have connections left."""
    unknown: list[Message | str] = []
    limit = deployment.thresholds.database_connections_percent
    for account, endpoint, state in database_states(host, unknown):
        name_database(account, host, deployment, host_facts, finding)
        used, most = _number(state.status, "threads_connected"), _number(state.variables, "max_connections")
        if used is None or not most:
            unknown.append(msg("{endpoint}: the number of connections was not answered", endpoint=endpoint))
            continue
        finding.add_evidence(
            msg("{endpoint}: {used} of {most} connections are taken", endpoint=endpoint, used=used, most=most)
        )
        assert used * 100 <= limit * most, case(
            "nearly-used",
            "{endpoint}: {used} of {most} connections are taken (limit {limit:.0f} %)",
            endpoint=endpoint,
            used=used,
            most=most,
            limit=limit,
        )
        own, allowed = (
            sum(each.count for each in state.sessions),
            _number(state.variables, "max_user_connections"),
        )
        assert not allowed or own * 100 <= limit * allowed, case(
            "account-nearly-used",
            "{endpoint}: the account has {own} of its {allowed} connections (limit {limit:.0f} %)",
            endpoint=endpoint,
            own=own,
            allowed=allowed,
            limit=limit,
        )
    if unknown:
        raise NoData(lines(unknown))


def _number(values: dict[str, str], name: str) -> int | None:
    text = values.get(name, "")
    return int(text) if re.fullmatch(r"\d{1,9}", text) else None
