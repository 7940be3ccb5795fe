"""What everything else rests on: reachable hosts, room on disk, a database, services that reply."""

import re
from shlex import quote

from bkpaas.errors import NoData, NotApplicable
from bkpaas.facts.database import accounts as database_accounts
from bkpaas.facts.database import error_text
from bkpaas.facts.healthz import is_login_refusal
from bkpaas.facts.query import HttpName
from bkpaas.faq.slots import login
from bkpaas.inventory.platform import OPEN_PAAS_SERVICES
from bkpaas.lang import say
from bkpaas.suite import condition
from bkpaas.suite.log_search import addresses, hosts_at
from bkpaas.suite.words import no_answer, seconds

# Kinds of failure that are the host's own; with the others (keys, sudo, no Python) the suite could not look.
SICK = frozenset({"unreachable", "refused", "login_hung", "hung", "closed"})


@condition("way-to-hosts")
def test_hosts_are_not_all_out_of_reach_for_one_reason(snapshot, deployment, finding):
    """Some host could be looked at, or the reasons differ from host to host."""
    hosts = [snapshot.hosts[host.name] for host in deployment.judged()]
    if len(hosts) < 2:
        raise NotApplicable(say(en="one host only: see host-reachable", zh="只有一台主机：见 host-reachable"))
    finding.saw(", ".join(facts.host for facts in hosts if facts.collected))
    kinds = {None if facts.collected else facts.error_kind for facts in hosts}
    finding.fill(login=login(deployment.host(hosts[0].host).connection))
    assert len(kinds) > 1 or kinds <= {None, "interrupted"}, say(
        en=f"none of {len(hosts)} hosts could be looked at, all for one reason: {hosts[0].error}",
        zh=f"{len(hosts)} 台主机全部无法查看，原因相同：{hosts[0].error}",
    )


@condition("host-reachable")
def test_host_can_be_looked_at(snapshot, subject, finding):
    """The host answers over ssh and lets the collector run to its end."""
    facts = snapshot.hosts[subject.id]
    if facts.error is not None and facts.error_kind not in SICK:
        raise NoData(facts.error)
    assert facts.error is None, facts.error
    finding.saw(say(en=f"looked at in {seconds(facts.seconds)}", zh=f"{seconds(facts.seconds)} 内查看完毕"))


def _least_free(host, finding):
    """(path, percent, of what) of the file system with the least room."""
    disks = [(disk.path, disk.free_percent, say(en="space", zh="空间")) for disk in host.disks.items]
    disks += [
        (disk.path, disk.free_inodes_percent, "inodes")
        for disk in host.disks.items
        if disk.free_inodes_percent is not None
    ]
    path, percent, what = min(disks, key=lambda disk: disk[1])
    text = say(en=f"{path}: {percent:.1f} % of {what} free", zh=f"{path}：剩余 {percent:.1f} % {what}")
    finding.saw(text)
    finding.fill(disk=quote(path))
    return percent, text


@condition("disk-space")
def test_no_file_system_is_full(host, deployment, finding):
    """There is room, and inodes, on every file system that BlueKing writes to; none is read-only."""
    limit = deployment.thresholds.disk_free_percent
    percent, text = _least_free(host, finding)
    assert percent >= limit, say(en=f"{text}, needed {limit} %", zh=f"{text}，至少需要 {limit} %")
    readonly = [disk.path for disk in host.disks.items if disk.readonly]
    assert not readonly, say(en="read-only: ", zh="只读：") + ", ".join(readonly)


@condition("disk-headroom")
def test_file_systems_have_room_left(host, deployment, finding):
    """There is some room left on every file system that BlueKing writes to."""
    limit = deployment.thresholds.disk_headroom_percent
    percent, text = _least_free(host, finding)
    assert percent >= limit, say(en=f"{text}, better {limit} %", zh=f"{text}，建议至少 {limit} %")


@condition("database-reachable")
def test_database_answers(host, deployment, host_facts, finding):
    """A connection from this host to the configured database is answered by a MySQL server."""
    unknown = []
    for name, account in _database_accounts(host).items():
        connection, obstacle = _tried(host, name, account)
        if connection is None:
            unknown.append(obstacle)
            continue
        _database_is_asked(account, host, deployment, host_facts, finding)
        address, answered = f"{account.host}:{account.port}", connection.greeting in ("mysql", "mysql-error")
        failure = f"{no_answer(connection.error_kind)} ({connection.error_text})"
        assert answered or connection.ok, f"{address}: {failure}"
        assert answered, say(
            en=f"{address} is reached, but no MySQL greets: {connection.text or 'silence'}",
            zh=f"{address} 可连接，但没有 MySQL 应答：{connection.text or '无响应'}",
        )
        finding.saw(say(en=f"{address} answers as MySQL", zh=f"{address} 有 MySQL 应答"))
    if unknown:
        raise NoData("\n".join(unknown))


@condition("database-login")
def test_database_accepts_the_account(host, deployment, host_facts, finding):
    """The database accepts the account in the settings of each project, and no service reports a refusal."""
    unknown, accounts = [], _database_accounts(host)
    _database_is_asked(accounts["database"], host, deployment, host_facts, finding)
    for name, account in accounts.items():
        connection, obstacle = _tried(host, name, account)
        login = connection.login if connection else None
        who = f"{account.host}:{account.port} ({', '.join(account.projects)})"
        if login is not None and login.state == "accepted":
            finding.saw(say(en=f"{who}: the account is accepted", zh=f"{who}：账号可以登录"))
            continue
        text = f"{who}: {obstacle or _no_login(login)}"
        if login is not None and (login.code in REFUSALS or login.kind == "silent"):
            _database_is_asked(account, host, deployment, host_facts, finding)
            raise AssertionError(text)
        unknown.append(text)
    reported = _refusal(host)
    assert not reported, say(en=f"the database refuses {reported}", zh=f"数据库拒绝 {reported}")
    if unknown:
        raise NoData("\n".join(unknown))


def _database_accounts(host):
    accounts = database_accounts(host.settings)
    if not accounts:
        raise NoData(say(en="no DATABASES with a HOST in the settings", zh="配置中没有带 HOST 的 DATABASES"))
    return accounts


def _database_is_asked(account, host, deployment, host_facts, finding):
    finding.fill(database=account.host, database_port=account.port)
    finding.needs(hosts_at(addresses(host, account.host, deployment), deployment, host_facts))


def _tried(host, name, account):
    """(the connection to a database, None), or (None, why it was not made)."""
    connection = host.connections.by_name.get(name)
    if account.obstacle is not None:
        return None, account.obstacle
    if connection is not None and connection.error_kind == "withheld":
        return None, say(
            en="the account of the database is sent over ssh:// only: not connected",
            zh="数据库账号只通过 ssh:// 发送：未连接",
        )
    if connection is None:
        return None, say(
            en="not connected: the account could not be read whole", zh="未连接：账号未能完整读取"
        )
    return connection, None


def _no_login(login):
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


def _refusal(host):
    """What a service's healthz says of a database that lets it not in."""
    for service in OPEN_PAAS_SERVICES:
        answer = host.answers.find(f"healthz-{service}")
        found = REFUSAL.search(answer.body) if answer and answer.ok else None
        if found:
            return f"{service}: {found[1]} {error_text(found[2])}"
    return None


@condition("services-answer")
def test_services_answer(host, finding):
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
    finding.concerns(wrong)
    finding.fill(service=" ".join(sorted(wrong)) or "SERVICE")
    finding.fill(url=" ".join(host.answers.get(HttpName.SERVICE, service).url for service in sorted(wrong)))
    assert not wrong, "\n".join(f"{service}: {text}" for service, text in sorted(wrong.items()))


def _frozen(host, service, before=""):
    """Stopped processes; one that waits for a disk only beside a silence."""
    states = ("T", "t", "D") if before else ("T", "t")
    pids = [str(process.pid) for process in host.processes.uwsgi(service) if process.state in states]
    if not pids:
        return ""
    return before + say(en=f"frozen processes: {', '.join(pids)}", zh=f"冻结的进程：{', '.join(pids)}")


def _why(host, service):
    """What the service's own log and settings say of a server error."""
    words = []
    project = host.settings.by_project.get(service)
    words += project.problems[:1] if project else ()
    error = host.logs.start_errors.get(service)
    words += [error.text[:200]] if error else []
    return "".join(f"; {word}" for word in words)
