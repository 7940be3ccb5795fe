"""What everything else rests on: reachable hosts, room on disk, a database, services that reply."""

import re
from shlex import quote

from bkpaas.checks import (
    OPEN_PAAS_SERVICES,
    Connection,
    DatabaseAccount,
    DatabaseLogin,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    HttpName,
    NoData,
    NotApplicable,
    Snapshot,
    Subject,
    addresses,
    condition,
    database_accounts,
    database_error_text,
    hosts_at,
    is_login_refusal,
    no_answer,
    say,
    seconds,
    ssh_command,
)

# Kinds of failure that are the host's own; with the others (keys, sudo, no Python) the suite could not look.
SICK = frozenset({"unreachable", "refused", "login_hung", "hung", "closed"})


@condition("way-to-hosts")
def test_hosts_are_not_all_out_of_reach_for_one_reason(
    snapshot: Snapshot, deployment: Deployment, finding: Finding
) -> None:
    """Some host could be looked at, or the reasons differ from host to host."""
    hosts = [snapshot.hosts[host.name] for host in deployment.selected()]
    if len(hosts) < 2:
        raise NotApplicable(say(en="one host only: see host-reachable", zh="只有一台主机：见 host-reachable"))
    finding.add_evidence(", ".join(facts.host for facts in hosts if facts.collected))
    kinds = {None if facts.collected else facts.error_kind for facts in hosts}
    finding.set_remedy_values(login=ssh_command(deployment.host(hosts[0].host).connection))
    assert len(kinds) > 1 or kinds <= {None, "interrupted"}, say(
        en=f"none of {len(hosts)} hosts could be looked at, all for one reason: {hosts[0].error}",
        zh=f"{len(hosts)} 台主机全部无法查看，原因相同：{hosts[0].error}",
    )


@condition("host-reachable")
def test_host_can_be_looked_at(snapshot: Snapshot, subject: Subject, finding: Finding) -> None:
    """The host answers over ssh and lets the collector run to its end."""
    facts = snapshot.hosts[subject.id]
    if facts.error is not None and facts.error_kind not in SICK:
        raise NoData(facts.error)
    assert facts.error is None, facts.error
    finding.add_evidence(
        say(en=f"looked at in {seconds(facts.seconds)}", zh=f"{seconds(facts.seconds)} 内查看完毕")
    )


def _least_free(host: HostView, finding: Finding) -> tuple[float, str]:
    """(path, percent, of what) of the file system with the least room."""
    disks = [(disk.path, disk.free_percent, say(en="space", zh="空间")) for disk in host.disks.items]
    disks += [
        (disk.path, disk.free_inodes_percent, "inodes")
        for disk in host.disks.items
        if disk.free_inodes_percent is not None
    ]
    path, percent, what = min(disks, key=lambda disk: disk[1])
    text = say(en=f"{path}: {percent:.1f} % of {what} free", zh=f"{path}：剩余 {percent:.1f} % {what}")
    finding.add_evidence(text)
    finding.set_remedy_values(disk=quote(path))
    return percent, text


@condition("disk-space")
def test_no_file_system_is_full(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """There is room, and inodes, on every file system that BlueKing writes to; none is read-only."""
    limit = deployment.thresholds.disk_free_percent
    percent, text = _least_free(host, finding)
    assert percent >= limit, say(en=f"{text}, needed {limit} %", zh=f"{text}，至少需要 {limit} %")
    readonly = [disk.path for disk in host.disks.items if disk.readonly]
    assert not readonly, say(en="read-only: ", zh="只读：") + ", ".join(readonly)


@condition("disk-headroom")
def test_file_systems_have_room_left(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """There is some room left on every file system that BlueKing writes to."""
    limit = deployment.thresholds.disk_headroom_percent
    percent, text = _least_free(host, finding)
    assert percent >= limit, say(en=f"{text}, better {limit} %", zh=f"{text}，建议至少 {limit} %")


@condition("database-reachable")
def test_database_answers(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """A connection from this host to the configured database is answered by a MySQL server."""
    unknown = []
    for name, account in _database_accounts(host).items():
        connection = _tried(host, name, account)
        if isinstance(connection, str):
            unknown.append(connection)
            continue
        _database_is_asked(account, host, deployment, host_facts, finding)
        address, answered = f"{account.host}:{account.port}", connection.greeting in ("mysql", "mysql-error")
        failure = f"{no_answer(connection.error_kind)} ({connection.error_text})"
        assert answered or connection.ok, f"{address}: {failure}"
        assert answered, say(
            en=f"{address} is reached, but no MySQL greets: {connection.text or 'silence'}",
            zh=f"{address} 可连接，但没有 MySQL 应答：{connection.text or '无响应'}",
        )
        finding.add_evidence(say(en=f"{address} answers as MySQL", zh=f"{address} 有 MySQL 应答"))
    if unknown:
        raise NoData("\n".join(unknown))


@condition("database-login")
def test_database_accepts_the_account(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The database accepts the account in the settings of each project, and no service reports a refusal."""
    unknown, accounts = [], _database_accounts(host)
    _database_is_asked(accounts["database"], host, deployment, host_facts, finding)
    for name, account in accounts.items():
        connection = _tried(host, name, account)
        login = None if isinstance(connection, str) else connection.login
        who = f"{account.host}:{account.port} ({', '.join(account.projects)})"
        if login is not None and login.state == "accepted":
            finding.add_evidence(say(en=f"{who}: the account is accepted", zh=f"{who}：账号可以登录"))
            continue
        text = f"{who}: {connection if isinstance(connection, str) else _no_login(login)}"
        if login is not None and (login.code in REFUSALS or login.kind == "silent"):
            _database_is_asked(account, host, deployment, host_facts, finding)
            raise AssertionError(text)
        unknown.append(text)
    reported = _refusal(host)
    assert not reported, say(en=f"the database refuses {reported}", zh=f"数据库拒绝 {reported}")
    if unknown:
        raise NoData("\n".join(unknown))


def _database_accounts(host: HostView) -> dict[str, DatabaseAccount]:
    accounts = database_accounts(host.settings)
    if not accounts:
        raise NoData(say(en="no DATABASES with a HOST in the settings", zh="配置中没有带 HOST 的 DATABASES"))
    return accounts


def _database_is_asked(
    account: DatabaseAccount, host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    finding.set_remedy_values(database=account.host, database_port=account.port)
    finding.depends_on_hosts(hosts_at(addresses(host, account.host, deployment), deployment, host_facts))


def _tried(host: HostView, name: str, account: DatabaseAccount) -> Connection | str:
    """Return the connection to a database, or why it was not made."""
    connection = host.connections.by_name.get(name)
    if account.obstacle is not None:
        return account.obstacle
    if connection is not None and connection.error_kind == "withheld":
        return say(
            en="the account of the database is sent over ssh:// only: not connected",
            zh="数据库账号只通过 ssh:// 发送：未连接",
        )
    if connection is None:
        return say(en="not connected: the account could not be read whole", zh="未连接：账号未能完整读取")
    return connection


def _no_login(login: DatabaseLogin | None) -> str:
    """Why it is not known whether an account may log in."""
    if login is None:
        return say(en="the database did not answer", zh="数据库没有应答")
    if login.state == "unsupported":
        return say(
            en=f"the account uses the authentication {login.plugin}, which is not tried",
            zh=f"该账号使用认证插件 {login.plugin}，未尝试",
        )
    if login.state == "needs-tls":
        return say(
            en=f"{login.plugin} wants the password itself and the server offers no TLS: not sent",
            zh=f"{login.plugin} 要求发送密码本身，而服务器不提供 TLS：未发送",
        )
    if login.state == "refused":
        return say(en=f"refused: {login.code} {login.text}", zh=f"被拒绝：{login.code} {login.text}")
    return say(en=f"the login did not end: {login.text}", zh=f"登录未完成：{login.text}")


REFUSALS = frozenset({1040, 1044, 1045, 1049, 1129, 1130, 1203, 1226, 1698, 1862, 3118})
"""MySQL's numbers for: no connection left, no right, wrong password, no such database, host blocked, host not allowed,
too many connections of the account (two), no password, password expired, account locked."""
REFUSAL = re.compile(rf"\(({'|'.join(map(str, sorted(REFUSALS)))}), \\*[\"']([^\"\\]{{1,200}})")
"""The same in a healthz, as pymysql and MySQLdb write it."""


def _refusal(host: HostView) -> str | None:
    """What a service's healthz says of a database that lets it not in."""
    for service in OPEN_PAAS_SERVICES:
        answer = host.answers.find(f"healthz-{service}")
        found = REFUSAL.search(answer.body) if answer and answer.ok else None
        if found:
            return f"{service}: {found[1]} {database_error_text(found[2])}"
    return None


@condition("services-answer")
def test_services_answer(host: HostView, finding: Finding) -> None:
    """Each service that listens gives an HTTP answer in time, and not a server error."""
    wrong = {}
    for service in OPEN_PAAS_SERVICES:
        answer = host.answers.get(HttpName.SERVICE, service)
        if answer.error_kind == "refused":
            continue  # nothing listens: paas-ports-local tells
        if not answer.ok:
            wrong[service] = f"{answer.url}: {no_answer(answer.error_kind)}" + _frozen(host, service, "; ")
        elif answer.status is not None and answer.status >= 500:
            wrong[service] = f"{answer.url}: HTTP {answer.status} {answer.body.strip()[:120]}" + _why(
                host, service
            )
        elif frozen := _frozen(host, service):
            wrong[service] = frozen  # the others of its processes answer, for now
        elif service == "login" and not is_login_refusal(answer):
            wrong[service] = say(
                en=f"{answer.url}: HTTP {answer.status}, not login's answer: {answer.body.strip()[:120]}",
                zh=f"{answer.url}：HTTP {answer.status}，不是 login 的应答：{answer.body.strip()[:120]}",
            )
    finding.affects_services(wrong)
    finding.set_remedy_values(service=" ".join(sorted(wrong)) or "SERVICE")
    finding.set_remedy_values(
        url=" ".join(host.answers.get(HttpName.SERVICE, service).url for service in sorted(wrong))
    )
    assert not wrong, "\n".join(f"{service}: {text}" for service, text in sorted(wrong.items()))


def _frozen(host: HostView, service: str, before: str = "") -> str:
    """Stopped processes; one that waits for a disk only beside a silence."""
    states = ("T", "t", "D") if before else ("T", "t")
    pids = [str(process.pid) for process in host.processes.uwsgi(service) if process.state in states]
    if not pids:
        return ""
    return before + say(en=f"frozen processes: {', '.join(pids)}", zh=f"冻结的进程：{', '.join(pids)}")


def _why(host: HostView, service: str) -> str:
    """What the service's own log and settings say of a server error."""
    words: list[str] = []
    project = host.settings.by_project.get(service)
    words += project.problems[:1] if project else ()
    error = host.logs.start_errors.get(service)
    words += [error.text[:200]] if error else []
    return "".join(f"; {word}" for word in words)
