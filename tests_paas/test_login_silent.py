"""FAQ: the login of PaaS does not answer: is_login asked on each of its ways, and what may stand on them."""

from bkpaas.checks import (
    BEHIND_THE_DOMAIN,
    Answer,
    ControllerView,
    Deployment,
    FileName,
    Finding,
    Host,
    HostLookup,
    HostView,
    HttpName,
    Missing,
    NoData,
    NotApplicable,
    Process,
    Snapshot,
    Subject,
    condition,
    excepted,
    is_login_refusal,
    judge_refusal,
    login_access_log,
    no_answer,
    say,
    setting,
    sorted_uids,
)

ProxyVariable = tuple[str, str, str]
"""A name in lower case, its value, and where it is set."""


@condition("login-is-login-direct")
def test_login_answers_is_login_itself(host: HostView, finding: Finding) -> None:
    """Asked without a token on its own port, login says that the token is missing, in both versions."""
    for answer in (host.answers.get(HttpName.SERVICE, "login"), host.answers.get(HttpName.IS_LOGIN_V2)):
        judge_refusal(answer, finding)


@condition("login-is-login-domain")
def test_login_answers_is_login_through_the_domain(
    vantage: HostView | ControllerView, subject: Subject, deployment: Deployment, finding: Finding
) -> None:
    """Asked through the domain, it is login that answers: no proxy, no portal, no other server."""
    own_way = "nginx" if subject.hosts else "controller"  # a way that fails is nobody else's
    judge_refusal(
        vantage.answers.get(HttpName.IS_LOGIN_DOMAIN), finding, through=own_way, deployment=deployment
    )


@condition("login-is-login-esb")
def test_esb_answers_is_login(host: HostView, finding: Finding) -> None:
    """Asked without an application's secret, ESB says that it is missing: ESB itself is alive."""
    answer = host.answers.get(HttpName.IS_LOGIN_ESB)
    finding.set_remedy_values(url=answer.url)
    finding.add_evidence(f"{answer.url}: HTTP {answer.status}")
    if is_login_refusal(answer):
        return  # an ESB that lets anybody ask passes login's own answer on
    body = answer.json()
    message = body.get("message") if body else None
    names_application = isinstance(message, str) and "app" in message.lower()
    refused = body is not None and body.get("result") is False and names_application
    assert answer.status == 200 and refused, _not_esb(answer)


def _not_esb(answer: Answer) -> str:
    shown = answer.error_text if not answer.ok else " ".join(answer.body.split())[:200]
    return say(
        en=f"{answer.url}: HTTP {answer.status}, not ESB's own answer: {shown}",
        zh=f"{answer.url}：HTTP {answer.status}，不是 ESB 自身的应答：{shown}",
    )


@condition("cookie-domain")
def test_cookie_reaches_every_domain(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """BK_COOKIE_DOMAIN covers the domains of PaaS, CMDB and JOB; a browser drops a cookie of another domain."""
    value, where = setting(host, "login", "BK_COOKIE_DOMAIN")
    if value is None:
        raise NoData(
            say(
                en="BK_COOKIE_DOMAIN stands in no settings file of login",
                zh="login 的配置文件中没有 BK_COOKIE_DOMAIN",
            )
        )
    if value.kind not in ("str", "none"):
        raise NoData(f"{where}: BK_COOKIE_DOMAIN = {value.text}")
    covered = (value.value or "").lstrip(".").lower()
    finding.add_evidence(f"{where}: BK_COOKIE_DOMAIN = {value.text}")
    assert not covered or "." in covered, say(
        en=f"{where}: BK_COOKIE_DOMAIN = {value.text}: browsers take no cookie for a whole top-level domain",
        zh=f"{where}：BK_COOKIE_DOMAIN = {value.text}：浏览器不接受顶级域的 cookie",
    )
    names = dict.fromkeys((deployment.domain, *deployment.fqdns.values()))
    outside = [name for name in names if not _covers(covered, name, deployment.domain)]
    assert not outside, say(
        en=f"{where}: BK_COOKIE_DOMAIN = {value.text} does not cover {', '.join(outside)}",
        zh=f"{where}：BK_COOKIE_DOMAIN = {value.text} 不覆盖 {', '.join(outside)}",
    )


def _covers(covered: str, name: str, own: str) -> bool:
    """Without a domain a cookie belongs to the host that set it, and to no other."""
    return name == own if not covered else name == covered or name.endswith(f".{covered}")


@condition("http-proxy-env")
def test_no_proxy_takes_requests_to_paas(
    host: HostView, subject: Subject, deployment: Deployment, finding: Finding
) -> None:
    """No proxy is set in files or running services, or its no_proxy excepts PaaS and what is asked by address."""
    needed = _asked(host, deployment.host(subject.id), deployment)
    finding.set_remedy_values(no_proxy=",".join(needed))
    proxies = host.proxies
    wrong = _taken([(one.name, one.value, one.place) for one in proxies.settings], needed, deployment)
    unknown = list(proxies.problems)
    services = [process for process in host.processes.items if _of_blueking(host, process)]
    for process in services:
        if process.environ is None:
            unknown.append(f"/proc/{process.pid}/environ")
        place = f"pid {process.pid} ({process.command[:80]})"
        found = [(name.lower(), value, place) for name, value in (process.environ or {}).items()]
        wrong += _taken(found + _of_java(process, place), needed, deployment)
    assert not wrong, "\n".join(dict.fromkeys(wrong))
    if unknown:
        raise NoData(say(en="could not be read: ", zh="无法读取：") + ", ".join(unknown[:5]))
    finding.add_evidence(
        say(
            en=f"no proxy takes them in the files of the shell and in {len(services)} processes",
            zh=f"shell 配置文件和 {len(services)} 个进程中没有代理劫持",
        )
    )


def _asked(host: HostView, known: Host, deployment: Deployment) -> list[str]:
    """Names and addresses that programs on this host ask over HTTP."""
    names = [deployment.domain, *deployment.fqdns.values()]
    if known.has_role("paas"):
        names += [other.address for other in deployment.hosts_with("paas", "appo", "appt")]
        names += [name for project in host.settings.by_project.values() for name in project.consul_names]
    return list(dict.fromkeys(names))


def _taken(found: list[ProxyVariable], needed: list[str], deployment: Deployment) -> list[str]:
    """What the proxies among these settings take that they should not."""
    matters = ("http_proxy", "all_proxy", f"{deployment.scheme}_proxy")
    exceptions = ",".join(value for name, value, _ in found if name == "no_proxy")
    left = [name for name in needed if not excepted(name, exceptions)]
    return [
        f"{place}: {name}={value}"
        + say(en=f", no_proxy does not except {', '.join(left)}", zh=f"，no_proxy 未排除 {', '.join(left)}")
        for name, value, place in found
        if name in matters and value and left
    ]


def _of_blueking(host: HostView, process: Process) -> bool:
    """A service, not a shell or an editor that happens to name a file of BlueKing."""
    home = f"{host.system.home}/" if host.system.home else "/data/bk"
    program = (process.exe or "").rpartition("/")[2]
    if process.name == "paas_agent" or any(
        word.startswith(home) for word in (process.exe or "", *process.argv[:1])
    ):
        return True
    return program.startswith(("uwsgi", "java", "python")) and any(home in word for word in process.argv)


def _of_java(process: Process, place: str) -> list[ProxyVariable]:
    """A JVM reads no environment: -Dhttp.proxyHost and -Dhttp.nonProxyHosts tell it."""
    options = dict(word[2:].split("=", 1) for word in process.argv if word.startswith("-D") and "=" in word)
    found = [
        (f"{scheme}_proxy", options[f"{scheme}.proxyHost"], place)
        for scheme in ("http", "https")
        if options.get(f"{scheme}.proxyHost")
    ]
    exceptions = options.get("http.nonProxyHosts", "").replace("*.", ".")
    return [*found, ("no_proxy", exceptions, place)] if found else []


@condition("login-log-dir")
def test_login_writes_its_logs(host: HostView, finding: Finding) -> None:
    """The folder of logs is there, and login.log and login's access log are files that login's user may write."""
    folder = host.places.get(FileName.LOGIN_LOG_DIRECTORY)[0]
    assert folder.exists and folder.type == "dir", say(
        en=f"{folder.path} is not a directory", zh=f"{folder.path} 不是目录"
    )
    files = {file.path: file for file in (*host.places.get(FileName.LOGIN_LOGS), *host.login_access.files)}
    users = {process.uid for process in host.processes.uwsgi_masters("login")} - {0}
    login = None if isinstance(host.facts.services, Missing) else host.services.by_name.get("login")
    names = [f"{folder.path}/login.log"]
    if login is None or login.by_uwsgi:  # gunicorn writes none unless it is told to
        names.append(login_access_log(host.facts))
    for name in names:
        path = name.replace("{home}", folder.path.removesuffix("/logs/open_paas"))
        file = files.get(path)
        assert file is not None and file.exists, say(en=f"{path} does not exist", zh=f"{path} 不存在")
        assert file.type == "file", say(en=f"{path} is a {file.type}", zh=f"{path} 的类型是 {file.type}")
        assert not users or file.uid in users or (file.mode or 0) & 0o022, say(
            en=f"{path} belongs to uid {file.uid}, login runs as {sorted_uids(users)} and cannot write it",
            zh=f"{path} 属主 uid 为 {file.uid}，login 运行用户为 {sorted_uids(users)}，无法写入",
        )
        finding.add_evidence(f"{path} {file.permissions}")


@condition("login-request-arrives")
def test_request_arrives_in_one_login_log(
    controller: ControllerView,
    snapshot: Snapshot,
    deployment: Deployment,
    host_facts: HostLookup,
    finding: Finding,
) -> None:
    """The request for is_login that the controller sent through the domain is logged by one login, ours."""
    agent, answer = controller.facts.agent, controller.answers.get(HttpName.IS_LOGIN_DOMAIN)
    finding.depends_on_hosts(entry.name for entry in deployment.hosts_with(*BEHIND_THE_DOMAIN))
    assert answer.ok, f"{answer.url}: {no_answer(answer.error_kind)}"
    if not deployment.selected("paas"):
        raise NotApplicable(say(en="no paas host is judged in this run", zh="本次运行不判定任何 paas 主机"))
    arrived, unknown = [], []
    elsewhere = [paas.name for paas in deployment.hosts_with("paas") if not paas.selected]
    for paas in deployment.selected("paas"):
        reason = _unseen(paas, host_facts, snapshot)
        if not reason and agent in host_facts(paas.name).login_access.probes:
            arrived.append(paas.name)
        elif reason:
            unknown.append(f"{paas.name}: {reason}")
    finding.add_evidence(
        say(en=f"{agent} arrived on {', '.join(arrived)}", zh=f"{agent} 到达 {', '.join(arrived)}")
    )
    assert len(arrived) < 2, say(
        en=f"one request is in the logs of several hosts: {', '.join(arrived)}",
        zh=f"同一请求出现在多台主机的日志中：{', '.join(arrived)}",
    )
    if not arrived and unknown:
        raise NoData("; ".join(unknown))
    if not arrived and elsewhere:
        names = ", ".join(elsewhere)
        raise NotApplicable(
            say(en=f"{names} may have got it, which this run leaves out", zh=f"可能到达本次未查看的 {names}")
        )
    assert arrived, say(
        en=f"{answer.url} was answered by {answer.peer} (HTTP {answer.status}), but no login log of a paas host of the "
        f"inventory has the request ({agent})",
        zh=f"{answer.url} 由 {answer.peer} 应答（HTTP {answer.status}），但清单中的 paas 主机的 login 日志都没有该请求"
        f"（{agent}）",
    )


def _unseen(paas: Host, host_facts: HostLookup, snapshot: Snapshot) -> str | None:
    """Why the log of a host cannot tell whether the request arrived; None when it can."""
    host = host_facts(paas.name)
    try:
        access = host.login_access
        started = snapshot.started + host.clock.offset_seconds
    except NoData as error:
        return str(error)
    if access.problems:
        return access.problems[0]
    if not access.later:
        return say(en="its log was not read after the request", zh="请求之后没有读取其日志")
    if access.since is not None and access.since > started:
        return say(en="its log grows too fast to see the request", zh="日志增长过快，看不到该请求")
    if not access.requests and not access.probes:
        files = ", ".join(file.path for file in access.files)
        return say(
            en=f"no line of {files} is a request in a format that is known",
            zh=f"{files} 中没有可识别格式的请求行",
        )
    return None
