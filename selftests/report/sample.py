"""Records as real runs leave them: eleven hosts, the FAQ's conditions, and faults with their consequences."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from bkpaas.facts.former_texts import MARKS, in_language
from bkpaas.language import get_language, other_language
from bkpaas.plugin.flow import request_flow
from bkpaas.record import (
    Change,
    Clock,
    Comparison,
    FactChange,
    History,
    HostRecord,
    NotCompared,
    PastRun,
    Results,
    RootCause,
    Run,
    Section,
    Verdict,
    WaiverUse,
    count,
)


def say(*, en: str, zh: str) -> str:
    """Return one string that carries both texts, until `bilingual` splits it."""
    return f"{MARKS[0]}{en}{MARKS[1]}{zh}{MARKS[2]}"


HOSTS = {
    "paas-1": ("10.66.0.11", "paas"),
    "paas-2": ("10.66.0.12", "paas"),
    "nginx-1": ("10.66.0.30", "nginx"),
    "appo-1": ("10.66.0.41", "appo"),
    "appo-2": ("10.66.0.43", "appo"),
    "appt-1": ("10.66.0.42", "appt"),
    "data-1": ("10.66.0.51", "redis,rabbitmq,mysql"),
    "data-2": ("10.66.0.52", "mysql"),
    "es-1": ("10.66.0.53", "es"),
    "cmdb-1": ("10.66.0.61", "cmdb,fta"),
    "job-1": ("10.66.0.62", "job"),
}

# condition, symptom, severity, where, title in English, title in Chinese.
# where: roles (judged on each), "a*a" (pairs), "a>b" (connections), "controller", "all".
CONDITIONS = """
host-reachable|deployment-healthy|fail|all|The host answers over its connection|主机可以连接
disk-space|login-no-response|fail|all|The file systems in use have room and inodes left|所用文件系统尚有空间和 inode
login-log-dir|login-no-response|fail|paas|The login logs exist and are being written|登录日志存在并持续写入
login-is-login-direct|login-no-response|fail|paas|is_login answers JSON on the host itself|本机直接访问 is_login 返回 JSON
login-is-login-domain|login-no-response|fail|controller|is_login answers JSON through the domain|通过域名访问 is_login 返回 JSON
login-is-login-esb|login-no-response|fail|paas|is_login answers through ESB|通过 ESB 访问 is_login 有应答
login-request-arrives|login-no-response|fail|controller|A request through the domain arrives at a PaaS host|经域名的请求到达 PaaS 主机
http-proxy-env|login-no-response|fail|all|No HTTP proxy stands between the hosts and PaaS|主机到 PaaS 之间没有 HTTP 代理
paas-clock-skew|login-validity-illegal|fail|paas*paas|The clocks differ by less than tokens tolerate|两台 PaaS 的时间差小于登录态的容忍值
paas-clock-drift|login-validity-illegal|warn|paas*paas|The clocks differ by less than three seconds|两台 PaaS 的时间差小于 3 秒
time-daemon|login-validity-illegal|warn|all|A time daemon runs and is synchronised|时间同步服务在运行并已同步
token-offset-config|login-validity-illegal|fail|paas|BK_TOKEN_OFFSET_ERROR_TIME is a sane number, the same everywhere|BK_TOKEN_OFFSET_ERROR_TIME 为合理数值且各机一致
login-illegal-in-logs|login-validity-illegal|warn|paas,appo,appt|The logs do not speak of an illegal login validity|日志中没有“登录态有效期不合法”
login-secret-equal|login-validity-illegal|fail|paas*paas|Both hosts sign tokens with the same key|两台 PaaS 使用相同的签名密钥
supervisor-status|fatal-exited-too-quickly|fail|paas|Every program of open_paas is RUNNING|open_paas 的所有进程均为 RUNNING
supervisor-sock|fatal-exited-too-quickly|fail|paas|supervisor.sock is a private socket with a living supervisord behind it|supervisor.sock 仅属主可用，且有存活的 supervisord 监听
supervisor-proc|fatal-exited-too-quickly|fail|paas|Exactly one supervisord runs|只有一个 supervisord 在运行
uwsgi-orphans|fatal-exited-too-quickly|fail|paas|Every uwsgi master is a child of supervisord|所有 uwsgi 主进程都由 supervisord 管理
uwsgi-single-master|fatal-exited-too-quickly|fail|paas|Each service has one uwsgi master|每个服务只有一个 uwsgi 主进程
port-owner|fatal-exited-too-quickly|fail|paas|The ports 8000 to 8003 belong to open_paas|端口 8000 至 8003 由 open_paas 占用
bk-env-production|fatal-exited-too-quickly|fail|paas|Every service runs with BK_ENV=production|所有服务均以 BK_ENV=production 运行
paas-ports-local|login-502|fail|paas|The four services listen|四个服务均在监听
paas-ports-from-nginx|login-502|fail|nginx>paas|nginx reaches the four services|nginx 能访问四个服务
nginx-conf-upstreams|login-502|fail|nginx|paas.conf names the PaaS hosts and no others|paas.conf 的上游与 PaaS 主机一致
nginx-listen-vs-domain|login-502|fail|nginx|nginx listens on the address the domain resolves to|nginx 监听在域名解析到的地址上
domain-502|login-502|fail|controller|No page of the domain answers 502, 503 or 504|域名下没有页面返回 502、503 或 504
nginx-error-log|login-502|warn|nginx|nginx logged no upstream errors lately|nginx 近期没有上游错误日志
bind-address-consistent|login-502|fail|paas|The services listen where nginx asks|服务监听地址与 nginx 上游一致
listen-queue|login-502|warn|paas|The listen queues have room|监听队列未满
agent-nginx-8010|appt-502|fail|appo,appt|nginx listens on 8010 and answers|nginx 监听 8010 并有应答
agent-8010-from-nginx|appt-502|fail|nginx>appo,appt|nginx reaches port 8010 of the agent|nginx 能访问应用服务器的 8010 端口
agent-upstream-map|appt-502|fail|nginx|PAAS_AGENT_TEST and PAAS_AGENT_PROD name the right hosts|PAAS_AGENT_TEST 与 PAAS_AGENT_PROD 指向正确主机
agent-process|appt-502|fail|appo,appt|paas_agent runs and answers|paas_agent 在运行并有应答
deploy-timeout-order|deploy-timeout|fail|appo,appt|The agent's time-out is shorter than PaaS's|PaaSAgent 的超时时间小于 PaaS 的超时时间
deploy-timeout-consistent|deploy-timeout|fail|paas|The deployment time-out is the same on all PaaS hosts|各 PaaS 主机的部署超时时间一致
deploy-timeout-stale|deploy-timeout|warn|appo,appt|The time-out in the file is the one in force|文件中的超时时间已生效
domain-resolve|deployment-healthy|fail|all|The domain resolves to nginx|域名解析到 nginx
healthz-paas|deployment-healthy|fail|controller|The developer centre and all it needs are well|开发者中心及其依赖正常
healthz-login|deployment-healthy|fail|controller|The login service and all it needs are well|登录服务及其依赖正常
healthz-esb|deployment-healthy|fail|controller|ESB and all it needs are well|ESB 及其依赖正常
healthz-appengine|deployment-healthy|fail|controller|appengine and all it needs are well|appengine 及其依赖正常
healthz-console|deployment-healthy|fail|controller|The desktop is well|桌面正常
database-reachable|deployment-healthy|fail|paas|The database accepts connections from PaaS|PaaS 能连接数据库
es-health|logs-not-shown|fail|es|Elasticsearch answers and is not red|Elasticsearch 有应答且状态不为 red
paas-es-config|logs-not-shown|fail|paas|PaaS is set to the right Elasticsearch|PaaS 配置的 ES 地址正确
log-agent-deployed|logs-not-shown|fail|appo,appt|log_agent is there and runs|log_agent 已部署并在运行
log-parser-deployed|logs-not-shown|fail|paas|log_parser is there and runs|log_parser 已部署并在运行
log-redis-equal|logs-not-shown|fail|appo,appt|log_agent and log_parser use the same redis|log_agent 与 log_parser 的 redis 配置一致
timezone-all|logs-not-shown|fail|all|The time zone is the fleet's|时区与其他主机一致
clock-all|logs-not-shown|warn|all|The clock agrees with the fleet's|时间与其他主机一致
login-settings-equal|login-redirect-loop|fail|paas*paas|login/conf/settings_production.py is the same on both|两台 PaaS 的 login/conf/settings_production.py 一致
domain-from-agents|login-redirect-loop|fail|appo,appt|The agents reach the PaaS domain|PaaSAgent 服务器能访问 PaaS 域名
domain-from-cmdb-job|login-redirect-loop|fail|cmdb,job|cmdb and job reach the PaaS domain|cmdb 与 job 服务器能访问 PaaS 域名
cookie-domain|login-redirect-loop|fail|paas|The cookie's domain fits the domain|Cookie 域与访问域名一致
login-redirect-shape|login-redirect-loop|fail|controller|The way to the login page does not loop|跳转到登录页的过程没有循环
"""

# key, title in English, title in Chinese, conditions it shares with the section that they belong to.
SECTIONS = """
foundations|What everything else rests on|其他一切的基础|host-reachable,disk-space
login-no-response|Login does not respond|PaaS登陆无响应|
login-validity-illegal|"Login validity is illegal"|应用日志提示“Login validity is illegal”|
fatal-exited-too-quickly|Starting PaaS: "FATAL Exited too quickly"|PaaS启动提示FATAL Exited too quickly|
login-502|Login answers 502 Bad Gateway|PaaS登陆提示502 Bad GateWay|
appt-502|appt answers 502 Bad Gateway|appt访问报502 bad gateway|
deploy-timeout|The time-outs of a SaaS deployment|SaaS部署的超时时间可以自行配置|
deployment-healthy|Is PaaS deployed well?|如何确认PaaS部署正常|
logs-not-shown|The developer center shows no logs|在开发者中心无法查看日志|
login-redirect-loop|The login page loops|登录页面无限跳转|paas-clock-skew,login-secret-equal
"""

LIMITS = {
    "clock_drift_seconds": 3.0,
    "clock_apart_seconds": 60.0,
    "clock_uncertainty_seconds": 2.0,
    "token_offset_seconds": 60.0,
}

HEADLINES = {
    "supervisor-sock": say(en="supervisor.sock of paas-1 is gone", zh="paas-1 的 supervisor.sock 不存在"),
    "paas-clock-skew": say(
        en="Clock of paas-1 is 73.2 s ahead of paas-2", zh="paas-1 的时钟比 paas-2 快 73.2 秒"
    ),
    "disk-space": say(en="/data of es-1 is full", zh="es-1 的 /data 已满"),
    "time-daemon": say(en="chronyd of job-1 has no time source", zh="job-1 的 chronyd 没有时间源"),
    "host-reachable": say(en="paas-2 cannot be reached", zh="无法连接 paas-2"),
}
"""By condition, of the root causes of the samples."""

SOCK = "/data/bkce/logs/open_paas/supervisor.sock"


def hosts_with(roles: str) -> list[str]:
    wanted = set(roles.split(","))
    return [name for name, (_, has) in HOSTS.items() if roles == "all" or wanted & set(has.split(","))]


def subjects(where: str) -> list[tuple[str, ...]]:
    if where == "controller":
        return [()]
    if "*" in where:
        return [("paas-1", "paas-2")]
    if ">" in where:
        sources, targets = where.split(">")
        return [(source, target) for source in hosts_with(sources) for target in hosts_with(targets)]
    return [(host,) for host in hosts_with(where)]


def bilingual(scenario: Callable[[], Results]) -> Callable[[], Results]:
    """Return the record in the present language, with the other language in `translated`, as a run leaves it."""

    @wraps(scenario)
    def build() -> Results:
        results = scenario()
        results.run.language = get_language()
        for verdict in results.verdicts:
            for name in ("title", "reason", "evidence", "remedy"):
                own, translated = _halves(getattr(verdict, name))
                setattr(verdict, name, own)
                if translated != own:
                    setattr(verdict.translated, name, translated)
        for host in results.hosts:
            host.error, translated = _halves(host.error)
            host.translated = host.translated if translated == host.error else translated
        for cause in results.causes:
            cause.headline, translated = _halves(cause.headline)
            cause.translated = cause.translated or translated
        for section in results.sections:
            section.title, translated = _halves(section.title)
            section.translated = section.translated or translated
        return results

    return build


def _halves(text: str) -> tuple[str, str]:
    return (
        (text, text)
        if text is None
        else (in_language(text, get_language()), in_language(text, other_language()))
    )


def sections() -> list[Section]:
    found = []
    homes = [line.split("|")[:2] for line in CONDITIONS.strip().splitlines()]
    for line in SECTIONS.strip().splitlines():
        key, en, zh, shared = line.split("|")
        own = [condition for condition, faq in homes if faq == key]
        found.append(Section(key, say(en=en, zh=zh), "", [*own, *filter(None, shared.split(","))]))
    return found


@bilingual
def healthy() -> Results:
    """All is well but one warning's worth of nothing: every verdict is pass, a few are not applicable."""
    verdicts = []
    for line in CONDITIONS.strip().splitlines():
        condition, faq, severity, where, en, zh = line.split("|")
        for hosts in subjects(where):
            subject = "+".join(hosts) or "controller"
            verdicts.append(
                Verdict(
                    id=f"{condition}@{subject}",
                    condition=condition,
                    subject=subject,
                    hosts=list(hosts),
                    faq=faq,
                    severity="warn" if severity == "warn" else "fail",
                    verdict="pass",
                    title=say(en=en, zh=zh),
                    reason=None,
                    evidence=None,
                    remedy=None,
                    explained_by=[],
                )
            )
    results = Results(
        run=Run(
            id="20260307-031502-7f3a",
            started="2026-03-07T03:15:02+08:00",
            seconds=3.104,
            inventory="inventory/bklab",
            suite="0.1.0",
            collector_sha256="9f0c6a1e" * 8,
            exit=0,
        ),
        hosts=[
            HostRecord(
                name,
                address,
                roles.split(","),
                "5.x",
                True,
                0.3 + number / 50,
                None,
                clock=Clock((number * 7 % 11 - 5) / 2500, 0.0004 + number / 9000),
            )
            for number, (name, (address, roles)) in enumerate(HOSTS.items())
        ],
        verdicts=verdicts,
        root_causes=[],
        counts={},
        sections=sections(),
        flow=request_flow(),
        limits=dict(LIMITS),
    )
    console = say(
        en="no console service here: ports.env has no port for it", zh="未部署桌面：ports.env 中没有它的端口"
    )
    judge(results, "healthz-console@controller", "not_applicable", reason=console)
    return settle(results, 0)


def judge(results: Results, id_: str, word: str, **bilingual: object) -> None:
    """Give one verdict another word, and its reason, evidence, remedy or causes."""
    verdict = results.verdict(id_)
    for name, value in {"verdict": word, **bilingual}.items():
        setattr(verdict, name, value)
        if name in ("title", "reason", "evidence", "remedy"):
            setattr(verdict.translated, name, None)


def settle(results: Results, exit_: int) -> Results:
    results.run.exit = exit_
    results.counts = count(results.verdicts)
    return results


def _cause(results: Results, id_: str) -> RootCause:
    verdict = results.verdict(id_)
    verdict.case = "failed"
    explains = [one.id for one in results.verdicts if id_ in one.explained_by]
    headline = HEADLINES[verdict.condition]
    return RootCause(headline, "failed", [id_], verdict.hosts, explains)


@bilingual
def three_faults() -> Results:
    """A removed supervisor.sock, two clocks apart, and a full disk under Elasticsearch, with what follows."""
    results = healthy()
    _clock(results)
    _socket(results)
    _disk(results)
    judge(
        results,
        "time-daemon@job-1",
        "warn",
        evidence=say(
            en="chronyd runs but has no source: Leap status Not synchronised",
            zh="chronyd 在运行，但没有可用时间源：Not synchronised",
        ),
        remedy=say(
            en="Point chronyd at the site's time server:\n$ chronyc -a sources -v",
            zh="为 chronyd 配置本地时间服务器：\n$ chronyc -a sources -v",
        ),
    )
    judge(
        results,
        "http-proxy-env@cmdb-1",
        "waived",
        reason=say(
            en="waived until 2026-06-30: the proxy of the CMDB team, change CHG-2231",
            zh="豁免至 2026-06-30：CMDB 团队的代理，变更单 CHG-2231",
        ),
        evidence="/etc/profile.d/proxy.sh:3 http_proxy=http://***@10.66.0.200:3128",
    )
    results.root_causes = [
        "supervisor-sock@paas-1",
        "paas-clock-skew@paas-1+paas-2",
        "disk-space@es-1",
        "time-daemon@job-1",
    ]
    results.causes = [_cause(results, id_) for id_ in results.root_causes]
    next(host for host in results.hosts if host.name == "paas-1").clock = Clock(73.1, 0.05)
    return settle(results, 1)


@bilingual
def among_others() -> Results:
    """The three faults, with what earlier runs, a baseline and waivers say of them."""
    results = three_faults()
    days = range(1, 8)
    bad = [0, 0, 3, 0, 9, 11, 11]
    results.history = History(
        runs=[
            PastRun(
                f"2026-03-{day:02d}T03:15:02+08:00",
                1 if fail else 0,
                {"pass": 160 - fail, "warn": 1, "fail": fail, "no_data": 2 if day == 3 else 0},
            )
            for day, fail in zip(days, bad, strict=True)
        ],
        since={
            "supervisor-sock@paas-1": "2026-03-05T03:15:02+08:00",
            "paas-clock-skew@paas-1+paas-2": "2026-03-07T03:15:02+08:00",
            "es-health@es-1": "2026-03-07T03:15:02+08:00",
        },
        new=["paas-clock-skew@paas-1+paas-2", "es-health@es-1"],
        repaired=["domain-from-cmdb-job@job-1"],
        flapping=["listen-queue@paas-2"],
    )
    results.comparison = Comparison(
        run="20260228-220101-11ab",
        started="2026-02-28T22:01:01+08:00",
        verdicts=[
            Change("supervisor-sock@paas-1", "pass", "fail"),
            Change("disk-space@es-1", "warn", "fail"),
            Change("domain-from-cmdb-job@job-1", "fail", "pass"),
            Change("log-redis-equal@appo-2", None, "pass"),
            Change("time-daemon@job-1", "pass", "warn"),
        ],
        facts=[
            FactChange("paas-1", "version", "open_paas", "2.14.56", "2.14.61"),
            FactChange("paas-2", "setting", "login BK_COOKIE_AGE", "86400", "43200"),
            FactChange("paas-1", "listener", "10.66.0.11:8004", None, "uwsgi"),
            FactChange("nginx-1", "upstream", "OPEN_PAAS 10.66.0.13:8003", "up", None),
        ],
        not_compared=[
            NotCompared(
                "paas-2",
                "5.x (supervisord)",
                "6.0/6.1 (systemd)",
                ["supervisor-sock", "unit-state"],
                ["process"],
            )
        ],
    )
    cmdb = {"condition": "http-proxy-env", "hosts": ["cmdb-1"], "owner": "cmdb team", "evidence": None}
    results.waivers = [
        WaiverUse(**cmdb, reason="their proxy stays until the move, CHG-2231", expires="2026-06-30", state="used",
                  verdicts=["http-proxy-env@cmdb-1"]),
        WaiverUse("disk-space", ["es-1"], "disk ordered, ORD-77", "search team", "2026-02-28", None, "expired",
                  ["disk-space@es-1"]),
        WaiverUse("listen-queue", [], "load test", "lijing", "2026-03-31", None, "unneeded", []),
        WaiverUse("supervisor-sock", ["paas-1"], "known mode", "zhangwei", "2026-05-01", "srwxrwxrwx", "changed",
                  ["supervisor-sock@paas-1"]),
    ]  # fmt: skip
    return results


def _socket(results: Results) -> None:
    judge(
        results,
        "supervisor-sock@paas-1",
        "fail",
        evidence=say(
            en=f"{SOCK} does not exist; supervisord (pid 26444, up 12 d) still holds a deleted inode\nlistening: none of the 41 unix sockets of the host has that path",
            zh=f"{SOCK} 不存在；supervisord（pid 26444，已运行 12 天）仍持有已删除的 inode\n监听：主机的 41 个 unix socket 中没有此路径",
        ),
        remedy=say(
            en="The socket was removed under a running supervisord, so nothing can talk to it any more. Stop what is left on paas-1, then start again:\n$ kill 26444\n$ pgrep -af /data/bkce/etc/uwsgi-open_paas\n$ /data/bkce/.envs/open_paas/bin/supervisord -c /data/bkce/etc/supervisor-open_paas.conf\nThe new socket must be srwx------:\n$ ls -l "
            + SOCK,
            zh="socket 在 supervisord 运行时被删除，已无法与其通信。先停止 paas-1 上残留的进程，再重新启动：\n$ kill 26444\n$ pgrep -af /data/bkce/etc/uwsgi-open_paas\n$ /data/bkce/.envs/open_paas/bin/supervisord -c /data/bkce/etc/supervisor-open_paas.conf\n新的 socket 权限应为 srwx------：\n$ ls -l "
            + SOCK,
        ),
    )
    for id_, evidence in {
        "supervisor-status@paas-1": "unix:///data/bkce/logs/open_paas/supervisor.sock no such file",
        "supervisor-proc@paas-1": "2 supervisord with supervisor-open_paas.conf: pid 26444, pid 31207",
        "uwsgi-orphans@paas-1": "pid 28606 ppid 1 since 2026-02-23: uwsgi --ini /data/bkce/etc/uwsgi-open_paas-paas.ini",
        "uwsgi-single-master@paas-1": "uwsgi-open_paas-login.ini has 2 masters: pid 28611, pid 31255",
        "port-owner@paas-1": "8003 is held by pid 28611, which no supervisord manages",
        "domain-502@controller": "GET http://paas.bklab.test/login/ -> 502 (nginx/1.22.1), 2 of 4 requests",
        "healthz-login@controller": 'HTTP 200 {"result": false, "message": "login: connection refused"}',
    }.items():
        judge(results, id_, "fail", evidence=evidence, explained_by=["supervisor-sock@paas-1"])
    results.verdict("healthz-login@controller").explained_by = ["domain-502@controller"]


def _clock(results: Results) -> None:
    judge(
        results,
        "paas-clock-skew@paas-1+paas-2",
        "fail",
        evidence=say(
            en="paas-1 is 73.2 s (±0.05 s) ahead of paas-2, which tolerates 60 s: tokens signed on paas-1 are refused on paas-2",
            zh="paas-1 比 paas-2 快 73.2 秒（±0.05 秒），而 paas-2 只容忍 60 秒：paas-1 签发的登录态会被 paas-2 拒绝",
        ),
        remedy=say(
            en="Set both clocks by the same time server; on paas-2, which is behind:\n$ chronyc -a makestep\n$ chronyc tracking\nWhere that cannot be done, raise BK_TOKEN_OFFSET_ERROR_TIME in /data/bkce/open_paas/login/conf/default.py on both hosts.",
            zh="让两台主机与同一时间服务器同步；在落后的 paas-2 上执行：\n$ chronyc -a makestep\n$ chronyc tracking\n若客观原因无法同步，可在两台主机上调大 /data/bkce/open_paas/login/conf/default.py 中的 BK_TOKEN_OFFSET_ERROR_TIME。",
        ),
    )
    cause = ["paas-clock-skew@paas-1+paas-2"]
    judge(results, "paas-clock-drift@paas-1+paas-2", "warn", evidence="73.2 s", explained_by=cause)
    judge(
        results,
        "login-illegal-in-logs@paas-2",
        "warn",
        evidence='login.log: 41 x "登录态有效期不合法", last 03:14:57',
        explained_by=cause,
    )
    judge(
        results,
        "login-redirect-shape@controller",
        "fail",
        evidence="/ -> /platform/ -> /login/?c_url=%2Fplatform%2F -> / (loop after 3 hops)",
        explained_by=cause,
    )
    judge(
        results,
        "clock-all@paas-1",
        "warn",
        evidence="+73.1 s against the median of 11 hosts",
        explained_by=cause,
    )


def _disk(results: Results) -> None:
    judge(
        results,
        "disk-space@es-1",
        "fail",
        evidence=say(
            en="/data (xfs, /dev/vdb1): 100 % of 200 GiB used, 0 B free",
            zh="/data（xfs，/dev/vdb1）：200 GiB 已用 100%，剩余 0 B",
        ),
        remedy=say(
            en="See what fills it, then make room:\n$ du -xh --max-depth=2 /data | sort -h | tail -20",
            zh="查看占用来源并腾出空间：\n$ du -xh --max-depth=2 /data | sort -h | tail -20",
        ),
    )
    judge(
        results,
        "es-health@es-1",
        "fail",
        evidence="GET http://10.66.0.53:9200/_cluster/health -> status red, 12 unassigned shards",
        explained_by=["disk-space@es-1"],
    )


@bilingual
def without_data() -> Results:
    """paas-2 does not answer, and the bastion before data-2 refuses connections: its consequences are only probable."""
    results = healthy()
    silent = say(en="10.66.0.12 port 22: timed out after 10 s", zh="10.66.0.12 端口 22：10 秒超时")
    bastion = say(
        en="bastion 10.66.0.2 refused the key, so 10.66.0.52 could not be tried",
        zh="跳板机 10.66.0.2 拒绝了密钥，无法尝试连接 10.66.0.52",
    )
    _dark(results, "paas-2", silent)
    _dark(results, "data-2", bastion)
    judge(
        results,
        "host-reachable@paas-2",
        "fail",
        evidence=silent,
        remedy=say(
            en="See whether the host is up and its ssh port open from here:\n"
            "$ ssh -o ConnectTimeout=5 root@10.66.0.12 true",
            zh="确认主机在线且 ssh 端口可达：\n$ ssh -o ConnectTimeout=5 root@10.66.0.12 true",
        ),
    )
    judge(
        results,
        "paas-ports-from-nginx@nginx-1+paas-2",
        "fail",
        evidence="8000 8001 8002 8003: timed out after 5 s",
        explained_by=["host-reachable@paas-2"],
    )
    judge(
        results,
        "host-reachable@data-2",
        "no_data",
        reason=bastion,
        remedy=say(
            en="Offer the bastion the key it knows, in deployment.yaml.",
            zh="在 deployment.yaml 中配置跳板机认可的密钥。",
        ),
    )
    judge(
        results,
        "database-reachable@paas-1",
        "fail",
        evidence="10.66.0.52:3306 refused the connection",
        explained_by=["host-reachable@data-2"],
    )
    results.root_causes = ["host-reachable@paas-2", "host-reachable@data-2"]
    return settle(results, 1)


def _dark(results: Results, name: str, why: str) -> None:
    """A host that gave nothing: every verdict about it is no_data, because of that."""
    host = next(host for host in results.hosts if host.name == name)
    host.collected, host.error, host.seconds, host.clock = False, why, 10.0, None
    for verdict in results.verdicts:
        if name in verdict.hosts:
            judge(results, verdict.id, "no_data", reason=why, explained_by=[f"host-reachable@{name}"])
    judge(results, f"host-reachable@{name}", "no_data", reason=None, explained_by=[])


@bilingual
def interrupted() -> Results:
    """Interrupted: verdicts that are missing are no_data."""
    results = healthy()
    lost = say(en="not checked: the run was interrupted", zh="未检查：运行被中断")
    for verdict in results.verdicts[120:]:
        judge(results, verdict.id, "no_data", reason=lost)
    results.root_causes = [verdict.id for verdict in results.verdicts[120:]]
    last = results.hosts[-1]
    last.collected, last.error = False, say(en="not collected: interrupted", zh="未采集：运行被中断")
    last.clock = None
    return settle(results, 2)


@bilingual
def nothing_judged() -> Results:
    """Everything is waived or not applicable."""
    results = healthy()
    later = say(en="generation 6.x is not checked yet", zh="尚不支持检查 6.x 版本")
    known = say(en="waived until 2026-12-31: migration", zh="豁免至 2026-12-31：迁移")
    for number, verdict in enumerate(results.verdicts):
        word, reason = ("waived", known) if number % 9 == 4 else ("not_applicable", later)
        judge(results, verdict.id, word, reason=reason)
    for host in results.hosts:
        host.generation = "6.x"
    return settle(results, 1)


SCENARIOS = {
    "healthy": healthy,
    "three-faults": three_faults,
    "among-others": among_others,
    "without-data": without_data,
    "interrupted": interrupted,
    "nothing-judged": nothing_judged,
}
