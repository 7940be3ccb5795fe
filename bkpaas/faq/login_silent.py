"""FAQ: the login of PaaS does not answer: is the request sent, does it arrive, is it answered?"""

from __future__ import annotations

from bkpaas.faq.model import (
    Condition,
    Each,
    FromController,
    Symptom,
    Text,
    anywhere,
    same_host,
    seen_from_host,
)

SYMPTOM = Symptom(
    key="login-no-response",
    title=Text(en="Login does not respond", zh="PaaS登陆无响应"),
    conditions=(
        "login-log-dir",
        "login-is-login-direct",
        "login-is-login-domain",
        "login-is-login-esb",
        "login-request-arrives",
        "login-access-log-status",
        "login-access-log-latency",
        "http-proxy-env",
        "cookie-domain",
    ),
)

_DOWN = (
    "disk-space",
    "database-reachable",
    "supervisor-proc",
    "supervisor-status",
    "port-owner",
    "paas-ports-local",
    "services-answer",
    "bind-address-consistent",
)
_ON_THE_WAY = (
    "domain-resolve",
    "virtual-address-held",
    "domain-certificate",
    "nginx-conf-port80",
    "nginx-listen-vs-domain",
    "nginx-conf-upstreams",
    "paas-ports-from-nginx",
    "upstream-answers",
)

CONDITIONS = (
    Condition(
        id="login-log-dir",
        scopes=(Each(("paas",)),),
        about=("login",),
        title=Text(
            en="Login's logs are where they belong, and login may write them",
            zh="login 的日志在应有的位置，且 login 可以写入",
        ),
        remedy=Text(
            en="See that the directory exists, belongs to the user that runs login, and has room; then restart login.\n"
            "$ ls -la {home}/logs/open_paas/ | grep login\n$ df -h {home}/logs; df -i {home}/logs\n"
            "$ {supervisorctl} restart login",
            zh="确认目录存在、属于运行 login 的用户且有空间，然后重启 login。\n"
            "$ ls -la {home}/logs/open_paas/ | grep login\n$ df -h {home}/logs; df -i {home}/logs\n"
            "$ {supervisorctl} restart login",
        ),
        causes=same_host(*_DOWN),
    ),
    Condition(
        id="login-is-login-direct",
        scopes=(Each(("paas",)),),
        about=("login",),
        title=Text(
            en="is_login, asked directly on the host, is answered by login",
            zh="在主机上直接调用 is_login，由 login 应答",
        ),
        remedy=Text(
            en="Whoever answers is not login, or login is ill: see what holds its port and what its log says.\n"
            "$ curl -i {url}\n$ tail -n 50 {home}/logs/open_paas/login_uwsgi.log",
            zh="应答的不是 login，或 login 异常：查看端口由谁持有以及日志。\n"
            "$ curl -i {url}\n$ tail -n 50 {home}/logs/open_paas/login_uwsgi.log",
        ),
        causes=same_host(*_DOWN),
    ),
    Condition(
        id="login-is-login-domain",
        scopes=(FromController(), Each(("nginx", "paas"))),
        about=("login",),
        title=Text(
            en="is_login, asked through the PaaS domain, is answered by login",
            zh="通过 PaaS 域名调用 is_login，由 login 应答",
        ),
        remedy=Text(
            en="See where the name leads from this machine, and whether a proxy or another server answers.\n"
            "$ getent hosts {domain}\n$ curl --noproxy '*' -i {url}",
            zh="查看本机上域名指向哪里，是否由代理或其他服务器应答。\n"
            "$ getent hosts {domain}\n$ curl --noproxy '*' -i {url}",
        ),
        causes=(
            *same_host("domain-resolve", "nginx-conf-port80", "nginx-listen-vs-domain"),
            *anywhere(*_DOWN[1:], *_ON_THE_WAY[1:], "host-reachable"),
            *seen_from_host("domain-resolve"),
        ),
    ),
    Condition(
        id="login-is-login-esb",
        scopes=(Each(("paas",)),),
        about=("esb",),
        title=Text(
            en="is_login, asked through ESB, is answered by ESB",
            zh="通过 ESB 调用 is_login，由 ESB 应答",
        ),
        remedy=Text(
            en="ESB itself does not answer; applications that check logins through it fail.\n"
            "$ curl -i {url}\n$ tail -n 50 {home}/logs/open_paas/esb.log",
            zh="ESB 自身没有应答；通过它校验登录的应用都会失败。\n"
            "$ curl -i {url}\n$ tail -n 50 {home}/logs/open_paas/esb.log",
        ),
        causes=same_host(*_DOWN, "healthz-esb"),
    ),
    Condition(
        id="login-request-arrives",
        scopes=(FromController(),),
        about=("login",),
        title=Text(
            en="A request sent through the domain arrives in the login log of exactly one paas host",
            zh="通过域名发出的请求恰好出现在一台 paas 主机的 login 日志中",
        ),
        remedy=Text(
            en="The answer came from somewhere else: a proxy, another nginx, or a paas host that the inventory does not "
            "name. Or login goes on writing to a log that was moved or removed: then restart login.\n$ getent hosts {domain}\n$ env | grep -i proxy\n"
            "$ grep -n -A4 'upstream OPEN_PAAS_LOGIN' {home}/etc/nginx/paas.conf",
            zh="应答来自别处：代理、另一个 nginx，或清单之外的 paas 主机；也可能日志文件被移走或删除而 login 仍写入原文件：请重启 login。\n"
            "$ getent hosts {domain}\n$ env | grep -i proxy\n"
            "$ grep -n -A4 'upstream OPEN_PAAS_LOGIN' {home}/etc/nginx/paas.conf",
        ),
        causes=anywhere(
            "host-reachable",
            *_DOWN,
            *_ON_THE_WAY,
            "login-log-dir",
            "login-is-login-domain",
            "nginx-conf-upstreams",
        ),
    ),
    Condition(
        id="login-access-log-status",
        scopes=(Each(("paas",)),),
        severity="warn",
        about=("login",),
        title=Text(
            en="Login has not recently answered callers with server errors",
            zh="login 近期没有对调用方返回服务器错误",
        ),
        remedy=Text(
            en="See the Tracebacks at that time.\n$ grep -n -A20 Traceback {home}/logs/open_paas/login_uwsgi.log | tail -n 60",
            zh="查看当时的 Traceback。\n$ grep -n -A20 Traceback {home}/logs/open_paas/login_uwsgi.log | tail -n 60",
        ),
        causes=(*same_host(*_DOWN), *anywhere("database-reachable")),
    ),
    Condition(
        id="login-access-log-latency",
        scopes=(Each(("paas",)),),
        severity="warn",
        about=("login",),
        title=Text(en="Login has recently answered quickly", zh="login 近期响应迅速"),
        remedy=Text(
            en="The usual reason is a slow database or too few workers.\n"
            "$ tail -n 20 {home}/logs/open_paas/login_uwsgi.log",
            zh="常见原因是数据库慢或 worker 不足。\n$ tail -n 20 {home}/logs/open_paas/login_uwsgi.log",
        ),
        causes=(*same_host(*_DOWN), *anywhere("database-reachable")),
    ),
    Condition(
        id="http-proxy-env",
        scopes=(Each(),),
        title=Text(
            en="No HTTP proxy takes the requests to PaaS: none is set, or no_proxy excepts PaaS",
            zh="没有 HTTP 代理劫持发往 PaaS 的请求：未设置代理，或 no_proxy 已排除 PaaS",
        ),
        remedy=Text(
            en="Remove the proxy where it is set, or except PaaS, then restart the services that were started with it.\n"
            "$ grep -rni _proxy /etc/environment /etc/profile /etc/profile.d/ ~/.bashrc ~/.bash_profile\n"
            "$ export no_proxy={no_proxy}",
            zh="删除代理设置，或将 PaaS 排除在外，然后重启带着该变量启动的服务。\n"
            "$ grep -rni _proxy /etc/environment /etc/profile /etc/profile.d/ ~/.bashrc ~/.bash_profile\n"
            "$ export no_proxy={no_proxy}",
        ),
    ),
    Condition(
        id="cookie-domain",
        scopes=(Each(("paas",)),),
        about=("login",),
        title=Text(
            en="The login cookie is valid for the domains of PaaS, CMDB and JOB",
            zh="登录 cookie 的域覆盖 PaaS、CMDB 和 JOB 的域名",
        ),
        remedy=Text(
            en="A browser drops a cookie of another domain, and the login page comes back for ever. Set BK_COOKIE_DOMAIN "
            "to the common part, with a leading dot, and restart login.\n"
            "$ grep -n BK_COOKIE_DOMAIN {home}/open_paas/login/conf/*.py\n$ {supervisorctl} restart login",
            zh="域不匹配的 cookie 会被浏览器丢弃，登录页面会无限出现。将 BK_COOKIE_DOMAIN 设为公共域（以点开头）并重启 login。\n"
            "$ grep -n BK_COOKIE_DOMAIN {home}/open_paas/login/conf/*.py\n$ {supervisorctl} restart login",
        ),
    ),
)
