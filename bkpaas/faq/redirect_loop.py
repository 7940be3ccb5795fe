"""FAQ: the login page comes back for ever; and the full login that shows it."""

from __future__ import annotations

from bkpaas.faq.model import (
    Condition,
    Each,
    FromController,
    Pairs,
    Symptom,
    Text,
    anywhere,
    same_host,
)
from bkpaas.faq.tokens import ONE_PAAS

SYMPTOM = Symptom(
    key="login-redirect-loop",
    title=Text(en="The login page comes back for ever", zh="登录页面无限跳转"),
    conditions=(
        "paas-clock-skew",
        "login-settings-equal",
        "login-secret-equal",
        "domain-from-agents",
        "domain-from-cmdb-job",
        "cookie-domain",
        "scheme-matches",
        "login-redirect-shape",
        "login-works",
        "login-illegal-in-logs",
    ),
)

_ON_THE_WAY = (
    "host-reachable",
    "virtual-address-held",
    "domain-certificate",
    "nginx-conf-port80",
    "nginx-listen-vs-domain",
    "nginx-conf-upstreams",
    "paas-ports-from-nginx",
    "upstream-answers",
    "database-reachable",
    "services-answer",
    "supervisor-status",
    "supervisor-proc",
    "port-owner",
    "paas-ports-local",
    "bind-address-consistent",
)

_REACH = Text(
    en="Applications here cannot have a login checked, and send the user back to the login page. See the name, the way "
    "and proxies from this host.\n$ getent hosts {domain}\n$ curl --noproxy '*' -i -m 5 {url}",
    zh="此处的应用无法校验登录态，会把用户送回登录页面。从本机检查域名解析、网络和代理。\n"
    "$ getent hosts {domain}\n$ curl --noproxy '*' -i -m 5 {url}",
)

CONDITIONS = (
    Condition(
        id="login-settings-equal",
        scopes=(Pairs("paas"),),
        nobody=ONE_PAAS,
        about=("login",),
        title=Text(
            en="settings_production.py of login says the same on both paas hosts",
            zh="两台 paas 主机上 login 的 settings_production.py 一致",
        ),
        remedy=Text(
            en="Copy the file of the host that is right, then restart login.\n"
            "$ scp {first}:{home}/open_paas/login/conf/settings_production.py /tmp/    # compare, then copy\n"
            "$ {supervisorctl} restart login",
            zh="以正确的主机为准复制该文件，然后重启 login。\n"
            "$ scp {first}:{home}/open_paas/login/conf/settings_production.py /tmp/    # 比较后复制\n"
            "$ {supervisorctl} restart login",
        ),
        causes=same_host("login-secret-equal", "token-offset-config", "services-answer", "cookie-domain"),
    ),
    Condition(
        id="domain-from-agents",
        scopes=(Each(("appo", "appt")),),
        about=("login",),
        title=Text(
            en="From the app host, is_login through the PaaS domain is answered by login",
            zh="从 app 主机通过 PaaS 域名调用 is_login，由 login 应答",
        ),
        remedy=_REACH,
        causes=(*same_host("domain-resolve", "login-is-login-domain"), *anywhere(*_ON_THE_WAY)),
    ),
    Condition(
        id="domain-from-cmdb-job",
        scopes=(Each(("cmdb", "job")),),
        about=("login",),
        title=Text(
            en="From the cmdb and job hosts, is_login through the PaaS domain is answered by login",
            zh="从 cmdb 和 job 主机通过 PaaS 域名调用 is_login，由 login 应答",
        ),
        remedy=_REACH,
        causes=(*same_host("domain-resolve", "login-is-login-domain"), *anywhere(*_ON_THE_WAY)),
    ),
    Condition(
        id="scheme-matches",
        scopes=(Each(("paas",)),),
        title=Text(
            en="HTTP_SCHEMA in the settings is the scheme under which the domain is served",
            zh="配置中的 HTTP_SCHEMA 与域名实际使用的协议一致",
        ),
        remedy=Text(
            en="With https in front and http in the settings, or the other way round, each side sends the browser to the "
            "other. Make them equal and restart.\n"
            "$ grep -n HTTP_SCHEMA {home}/open_paas/*/conf/settings_production.py\n$ {supervisorctl} restart all",
            zh="前端为 https 而配置为 http（或相反）时，两边会互相跳转。改为一致并重启。\n"
            "$ grep -n HTTP_SCHEMA {home}/open_paas/*/conf/settings_production.py\n$ {supervisorctl} restart all",
        ),
    ),
    Condition(
        id="login-redirect-shape",
        scopes=(FromController(),),
        about=("login", "paas"),
        title=Text(
            en="Without a login, the platform leads to the login form in a few steps",
            zh="未登录时访问平台，几步之内到达登录表单",
        ),
        remedy=Text(
            en="The steps above show where it turns in a circle or leaves for another site.\n"
            "$ curl -sIL --max-redirs 5 {url}",
            zh="上面的步骤显示了在何处循环或跳到其他站点。\n$ curl -sIL --max-redirs 5 {url}",
        ),
        causes=anywhere(*_ON_THE_WAY, "domain-resolve", "scheme-matches", "domain-502"),
    ),
)
