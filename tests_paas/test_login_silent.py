"""FAQ: the login of PaaS does not answer: is_login asked on each of its ways, and what may stand on them."""

from bkpaas.errors import NoData
from bkpaas.facts.healthz import is_login_refusal
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
