"""Foundations: reachable hosts, room on disk, a database, services that reply."""

import re
from shlex import quote

from bkpaas.checks import (
    OPEN_PAAS_SERVICES,
    PASSWORD_EXPIRED,
    Answer,
    CaseMessage,
    Connection,
    DatabaseLogin,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    HttpName,
    Message,
    NoData,
    NotApplicable,
    Snapshot,
    Subject,
    body_text,
    case,
    clauses,
    collecting_account,
    condition,
    connection_case,
    database_connection,
    database_error_text,
    has_project,
    host_accounts,
    is_login_refusal,
    labelled,
    later_time,
    lines,
    login_obstacle,
    msg,
    name_database,
    no_answer,
    seconds,
    series,
    several,
    ssh_command,
    statement_failure,
    unreadable_for_want_of_rights,
)

# Kinds of failure that are the host's own; with the others (keys, sudo, no Python) the suite could not look.
HOST_FAULTS = frozenset({"unreachable", "refused", "login_hung", "hung", "closed"})
# Kinds of a merged snapshot: it has the host, and no facts of it.
NOT_MERGED = frozenset({"no_snapshot", "old_snapshot"})
NAMED = 3


@condition("controller-connectivity")
def test_hosts_are_not_all_out_of_reach_for_one_reason(
    snapshot: Snapshot, deployment: Deployment, finding: Finding
) -> None:
    """Some host could be looked at, or the reasons differ from host to host."""
    hosts = [snapshot.hosts[host.name] for host in deployment.selected()]
    if len(hosts) < 2:
        raise NotApplicable(msg("one host only: see host-reachable"))
    finding.add_evidence(", ".join(facts.host for facts in hosts if facts.collected))
    kinds = {None if facts.collected else facts.error_kind for facts in hosts}
    first = deployment.host(hosts[0].host)
    finding.set_remedy_values(login=ssh_command(first.connection), address=first.address)
    finding.set_remedy_values(file=quote(deployment.source))
    count = len(hosts)
    text = msg(
        "none of {hosts_count} hosts could be collected, all for the same reason: {error}",
        hosts_count=count,
        error=hosts[0].error,
    )
    if len(kinds) == 1 and not kinds <= {None, "interrupted"}:
        otherwise = case("all-out-of-reach", text, count=count)
        raise AssertionError(_access_case(hosts[0].error_kind, text, otherwise, count))


@condition("host-reachable")
def test_host_can_be_collected(snapshot: Snapshot, subject: Subject, finding: Finding) -> None:
    """The host answers over ssh and lets the collector run to its end."""
    facts = snapshot.hosts[subject.id]
    if facts.error is not None and facts.error_kind in NOT_MERGED:
        finding.set_remedy_values(file=quote(snapshot.deployment.source))
        same = [other.host for other in snapshot.hosts.values() if other.error == facts.error]
        raise NoData(case("not-merged", lines([facts.error]), hosts=_first_names(same)))
    if facts.error is not None and facts.error_kind not in HOST_FAULTS:
        finding.set_remedy_values(file=quote(snapshot.deployment.source))
        text, limit = lines([facts.error]), seconds(snapshot.deployment.limits.run_seconds)
        if facts.error_kind == "out_of_time":
            raise NoData(case("out-of-time", text, limit=limit))
        raise NoData(_access_case(facts.error_kind, text, case("not-collected", text)))
    if facts.error is not None:
        raise AssertionError(_host_fault(facts.error_kind, facts.error))
    if unreadable := unreadable_for_want_of_rights(facts):
        finding.set_remedy_values(file=quote(snapshot.deployment.source))
        account = collecting_account(facts, snapshot.deployment.host(subject.id).connection)
        shown, rest = series(unreadable[:NAMED]), len(unreadable) - NAMED
        more = msg("{first} and {rest} more", first=shown, rest=rest) if rest > 0 else shown
        text = msg("not readable for {account}, which is not root: {list}", account=account, list=more)
        raise NoData(case("insufficient-rights", text, account=account))
    finding.add_evidence(msg("collected in {seconds}", seconds=seconds(facts.seconds)))


def _access_case(kind: str | None, text: Message, otherwise: CaseMessage, count: int = 1) -> CaseMessage:
    """Return the case of an error of the suite's access, or the other case for an error of another kind."""
    if kind == "host_key_unknown":
        return case("host-key-unknown", text, count=count)
    if kind == "host_key_changed":
        return case("host-key-changed", text, count=count)
    if kind == "login_refused":
        return case("login-refused", text, count=count)
    if kind == "sudo_denied":
        return case("sudo-denied", text, count=count)
    if kind == "no_python":
        return case("no-python", text, count=count)
    return case("not-set-up", text, count=count) if kind == "config" else otherwise


def _first_names(names: list[str]) -> Message | str:
    first, rest = ", ".join(names[:NAMED]), len(names) - NAMED
    return msg("{first} and {rest} more", first=first, rest=rest) if rest > 0 else first


def _host_fault(kind: str | None, error: Message | str) -> CaseMessage:
    """Return the case of an error of the host itself, of a kind in SICK."""
    if kind == "refused":
        return case("refused", lines([error]))
    if kind == "closed":
        return case("closed", lines([error]))
    if kind == "unreachable":
        return case("unreachable", lines([error]))
    return case("silent", lines([error]))


@condition("database-reachable")
def test_database_answers(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """A connection from this host to the configured database is answered by a MySQL server."""
    unknown: list[Message | str] = []
    for name, account in host_accounts(host).items():
        connection = database_connection(host, name, account)
        if not isinstance(connection, Connection):
            unknown.append(connection)
            continue
        name_database(account, host, deployment, host_facts, finding)
        address, answered = f"{account.host}:{account.port}", connection.greeting in ("mysql", "mysql-error")
        assert answered or connection.ok, connection_case(
            connection.error_kind,
            msg(
                "{database}: {problem} ({error})",
                database=address,
                problem=no_answer(connection.error_kind),
                error=connection.error_text,
            ),
            endpoint=address,
        )
        assert answered, case(
            "not-mysql",
            "{endpoint} accepts the connection, but its greeting is not that of MySQL: {text}",
            endpoint=address,
            text=connection.text or msg("silence"),
        )
        finding.add_evidence(msg("{address} answers as MySQL", address=address))
    if unknown:
        raise NoData(lines(unknown))


@condition("database-login")
def test_database_accepts_the_account(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The database accepts the account in the settings of each project, and no service reports a refusal."""
    unknown: list[Message] = []
    accounts = host_accounts(host)
    name_database(accounts["database"], host, deployment, host_facts, finding)
    for name, account in accounts.items():
        connection = database_connection(host, name, account)
        login = connection.login if isinstance(connection, Connection) else None
        endpoint = f"{account.host}:{account.port}"
        who = f"{endpoint} ({', '.join(account.projects)})"
        if login is not None and login.state == "accepted":
            expired = _password_expired(login)
            assert expired is None, case(
                "refused",
                "{endpoint} ({projects}): refused: {expired}",
                endpoint=endpoint,
                projects=", ".join(account.projects),
                expired=expired,
            )
            finding.add_evidence(msg("{who}: the account is accepted", who=who))
            continue
        reason = login_obstacle(login) if isinstance(connection, Connection) else connection
        text = labelled(who, reason)
        if login is not None and (login.code in REFUSALS or login.kind == "silent"):
            name_database(account, host, deployment, host_facts, finding)
            assert login.kind != "silent", case("silent", text, endpoint=endpoint)
            assert login.code not in NO_CONNECTION, case("connections-used-up", text, endpoint=endpoint)
            assert login.code != HOST_BLOCKED, case("host-blocked", text, endpoint=endpoint)
            raise AssertionError(case("refused", text, endpoint=endpoint))
        unknown.append(text)
    if refusal := _refusal(host):
        service, error = refusal
        raise AssertionError(
            case("reported", "the database refuses {service}: {error}", service=service, error=error)
        )
    if unknown:
        raise NoData(lines(unknown))


def _password_expired(login: DatabaseLogin) -> Message | None:
    """Return the error with which an expired account answers each statement after it was let in."""
    errors = login.database.errors.values() if login.database is not None else ()
    return next((statement_failure(error) for error in errors if error.code == PASSWORD_EXPIRED), None)


NO_CONNECTION = frozenset({1040, 1203, 1226})
"""MySQL's numbers for: the server has no connection left, or the account (two)."""
HOST_BLOCKED = 1129
REFUSALS = frozenset({1040, 1044, 1045, 1049, 1129, 1130, 1203, 1226, 1698, 1862, 3032, 3118, 4151})
"""MySQL's numbers for: no connection left, no right, wrong password, no such database, host blocked, host not allowed,
too many connections of the account (two), no password, password expired, offline mode, account locked (MySQL,
MariaDB)."""
REFUSAL = re.compile(rf"\(({'|'.join(map(str, sorted(REFUSALS)))}), \\*[\"']([^\"\\]{{1,200}})")
"""The same in a healthz, as pymysql and MySQLdb write it."""


def _refusal(host: HostView) -> tuple[str, str] | None:
    """Return the service whose healthz reports that the database refuses the login, and the error."""
    for service in OPEN_PAAS_SERVICES:
        answer = host.answers.find(f"healthz-{service}")
        match = REFUSAL.search(answer.body) if answer and answer.ok else None
        if match:
            return service, f"{match[1]} {database_error_text(match[2])}"
    return None


@condition("services-answer")
def test_services_answer(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """Each service that listens gives an HTTP answer in time, and not a server error."""
    wrong: dict[str, CaseMessage] = {}
    entry = deployment.host(host.name)
    for service in (name for name in OPEN_PAAS_SERVICES if has_project(entry, name)):
        answer = host.answers.get(HttpName.SERVICE, service)
        if answer.error_kind == "refused":
            continue  # nothing listens: reported by paas-ports-local
        if problem := _service_problem(host, service, answer):
            wrong[service] = problem
    finding.affects_services(wrong)
    finding.set_remedy_values(service=" ".join(sorted(wrong)) or "SERVICE")
    finding.set_remedy_values(
        url=" ".join(host.answers.get(HttpName.SERVICE, service).url for service in sorted(wrong))
    )
    assert not wrong, several(dict(sorted(wrong.items())), "services")


def _service_problem(host: HostView, service: str, answer: Answer) -> CaseMessage | None:
    """Return what is wrong with the answer of a service that listens, or with its processes."""
    if not answer.ok:
        problem = no_answer(answer.error_kind)
        if pids := _pids_in(host, service, ("T", "t", "D")):  # one that waits for a disk: only with a silence
            return case(
                "frozen",
                "{url}: {problem}; frozen processes: {pids}",
                url=answer.url,
                problem=problem,
                pids=pids,
            )
        return connection_case(answer.error_kind, labelled(answer.url, problem))
    if answer.status is not None and answer.status >= 500:
        answered = msg(
            "{url}: HTTP {status}, {body}",
            url=answer.url,
            status=answer.status,
            body=body_text(answer, 120),
        )
        return case("5xx", clauses([answered, *_reasons(host, service)]))
    if pids := _pids_in(host, service, ("T", "t")):
        return case("frozen", "frozen processes: {pids}", pids=pids)  # the others answer, for now
    if service == "login" and not is_login_refusal(answer):
        return case(
            "wrong-body",
            msg(
                "{url}: HTTP {status}, not login's answer: {body}",
                url=answer.url,
                status=answer.status,
                body=body_text(answer, 120),
            ),
            where=answer.url,
        )
    return None


def _pids_in(host: HostView, service: str, states: tuple[str, ...]) -> str:
    """Return the pids of the service's processes in these states."""
    return ", ".join(str(process.pid) for process in host.processes.uwsgi(service) if process.state in states)


RECENT_SECONDS = 120
"""An exception of a service is about its present answers if it is not older."""


def _reasons(host: HostView, service: str) -> list[Message | str]:
    """Return the cause of a server error in the log and settings of the service."""
    reasons: list[Message | str] = []
    project = host.settings.by_project.get(service)
    reasons += project.problems[:1] if project else ()
    error = host.logs.start_errors.get(service)
    reasons += [error.text[:200]] if error else []
    raised = host.logs.exceptions.get(service)
    if raised and raised.time is not None and later_time(host) - raised.time <= RECENT_SECONDS:
        reasons.append(msg("its log has {exception}", exception=raised.text[:200]))
    return reasons
