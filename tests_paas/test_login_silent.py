"""FAQ: the login of PaaS does not answer: is_login asked on each of its ways, and what may stand on them."""

import re

from bkpaas.errors import NoData
from bkpaas.facts.healthz import is_login_refusal
from bkpaas.facts.proxies import excepted
from bkpaas.lang import say
from bkpaas.suite import condition
from bkpaas.suite.login import judge_refusal, setting


@condition("login-is-login-direct")
def test_login_answers_is_login_itself(host, finding):
    """Asked without a token on its own port, login says that the token is missing, in both versions."""
    for name in ("answer-login", "is_login-v2"):
        judge_refusal(host.answers.get(name), finding)


@condition("login-is-login-domain")
def test_login_answers_is_login_through_the_domain(vantage, finding):
    """Asked through the domain, it is login that answers: no proxy, no portal, no other server."""
    judge_refusal(vantage.answers.get("is_login-domain"), finding, through="nginx")


@condition("login-is-login-esb")
def test_esb_answers_is_login(host, finding):
    """Asked without an application's secret, ESB says that it is missing: ESB itself is alive."""
    answer = host.answers.get("is_login-esb")
    finding.fill(url=answer.url)
    finding.saw(f"{answer.url}: HTTP {answer.status}")
    if is_login_refusal(answer):
        return  # an ESB that lets anybody ask passes login's own answer on
    body = answer.json()
    message = body.get("message") if body else None
    refused = body is not None and body.get("result") is False and isinstance(message, str)
    assert answer.status == 200 and refused and "app" in message.lower(), _not_esb(answer)


def _not_esb(answer):
    shown = answer.error_text if not answer.ok else " ".join(answer.body.split())[:200]
    return say(
        en=f"{answer.url}: HTTP {answer.status}, not ESB's own answer: {shown}",
        zh=f"{answer.url}：HTTP {answer.status}，不是 ESB 自身的应答：{shown}",
    )


@condition("cookie-domain")
def test_cookie_reaches_every_domain(host, deployment, finding):
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
    finding.saw(f"{where}: BK_COOKIE_DOMAIN = {value.text}")
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


def _covers(covered, name, own):
    """Without a domain a cookie belongs to the host that set it, and to no other."""
    return name == own if not covered else name == covered or name.endswith(f".{covered}")


@condition("http-proxy-env")
def test_no_proxy_takes_requests_to_paas(host, subject, deployment, finding):
    """No proxy is set in files or running services, or its no_proxy excepts PaaS and what is asked by address."""
    needed = _asked(host, deployment.host(subject.id), deployment)
    finding.fill(no_proxy=",".join(needed))
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
    finding.saw(
        say(
            en=f"no proxy takes them in the files of the shell and in {len(services)} processes",
            zh=f"shell 配置文件和 {len(services)} 个进程中没有代理劫持",
        )
    )


def _asked(host, known, deployment):
    """Names and addresses that programs on this host ask over HTTP."""
    names = [deployment.domain, *deployment.fqdns.values()]
    if known.has("paas"):
        names += [other.address for other in deployment.having("paas", "appo", "appt")]
        texts = [
            str(value.value)
            for project in host.settings.by_project.values()
            for value in project.values.values()
        ]
        names += [name for text in texts for name in re.findall(r"[\w.-]+\.service\.consul", text)]
    return list(dict.fromkeys(names))


def _taken(found, needed, deployment):
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


def _of_blueking(host, process):
    """A service, not a shell or an editor that happens to name a file of BlueKing."""
    home = f"{host.system.home}/" if host.system.home else "/data/bk"
    program = (process.exe or "").rpartition("/")[2]
    if process.name == "paas_agent" or any(
        word.startswith(home) for word in (process.exe or "", *process.argv[:1])
    ):
        return True
    return program.startswith(("uwsgi", "java", "python")) and any(home in word for word in process.argv)


def _of_java(process, place):
    """A JVM reads no environment: -Dhttp.proxyHost and -Dhttp.nonProxyHosts tell it."""
    options = dict(word[2:].split("=", 1) for word in process.argv if word.startswith("-D") and "=" in word)
    found = [
        (f"{scheme}_proxy", options[f"{scheme}.proxyHost"], place)
        for scheme in ("http", "https")
        if options.get(f"{scheme}.proxyHost")
    ]
    exceptions = options.get("http.nonProxyHosts", "").replace("*.", ".")
    return [*found, ("no_proxy", exceptions, place)] if found else []
