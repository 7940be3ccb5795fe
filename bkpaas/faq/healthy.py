"""FAQ: how to make sure that PaaS is deployed well: the domain and the healthz of each service."""

from __future__ import annotations

from bkpaas.faq.model import (
    Cause,
    Condition,
    Each,
    FromController,
    Symptom,
    Text,
    anywhere,
    from_controller,
    same_host,
    seen_from_host,
)

SERVICES = ("paas", "login", "esb", "console", "appengine")

SYMPTOM = Symptom(
    key="platform-healthy",
    title=Text(en="Is PaaS deployed well?", zh="如何确认PaaS部署正常"),
    conditions=("domain-resolve", *(f"healthz-{service}" for service in SERVICES)),
)

_NAMES = {
    "paas": Text(en="the developer center", zh="开发者中心"),
    "login": Text(en="the login service", zh="登录服务"),
    "esb": Text(en="component interfaces", zh="组件接口"),
    "console": Text(en="the desktop", zh="桌面"),
    "appengine": Text(en="deployments of SaaS", zh="应用部署引擎"),
}

# Whom a service's healthz asks in turn: a failure of those accounts for its own.
_ASKS = {
    "paas": ("paas", "login", "appengine"),
    "login": ("login",),
    "esb": ("esb", "login"),
    "console": ("console", "login"),
    "appengine": ("appengine",),
}

_AT_HOME = ("host-reachable", "disk-space", "database-reachable", "supervisor-proc", "supervisor-status")
_AT_HOME_TOO = ("port-owner", "paas-ports-local", "services-answer", "bind-address-consistent")
_ON_THE_WAY = ("domain-resolve", "nginx-conf-port80", "nginx-listen-vs-domain", "nginx-conf-upstreams")
_ON_THE_WAY_TOO = ("paas-ports-from-nginx", "upstream-answers", "virtual-address-held")


def _healthz(service: str) -> Condition:
    others: tuple[Cause, ...] = ()
    if service == "appengine":
        others = anywhere("agent-process", "agent-from-paas", "host-reachable")
    if service == "esb":
        others = (*seen_from_host("healthz-login"), *same_host("healthz-login"))
    if service == "console":
        others = same_host("healthz-login")
    return Condition(
        id=f"healthz-{service}",
        scopes=(FromController(), Each(("paas",))),
        about=_ASKS[service],
        title=Text(
            en=f"healthz of {service} ({_NAMES[service].en}) says that it and its dependencies are well",
            zh=f"{service}（{_NAMES[service].zh}）的 healthz 正常，依赖也正常",
        ),
        remedy=Text(
            en="The message names what is wrong: a setting, the database, or another service. Judge the body, not the "
            "status: most of these answer 200 when they are ill. A time-out means that a dependency hangs.\n"
            f"$ curl -m 30 {{url}}\n$ tail -n 50 {{home}}/logs/open_paas/{service}.log",
            zh="返回信息会指明问题：配置、数据库或其他服务。看返回内容而不是状态码：多数服务异常时也返回 200。超时说明依赖卡死。\n"
            f"$ curl -m 30 {{url}}\n$ tail -n 50 {{home}}/logs/open_paas/{service}.log",
        ),
        causes=(
            *same_host(*_AT_HOME, *_AT_HOME_TOO),
            *seen_from_host(f"healthz-{service}", *_AT_HOME, *_AT_HOME_TOO),
            *seen_from_host(*_ON_THE_WAY, *_ON_THE_WAY_TOO),
            *from_controller("domain-certificate", "domain-502"),
            *others,
        ),
    )


CONDITIONS = (
    Condition(
        id="domain-resolve",
        scopes=(Each(),),
        title=Text(
            en="The PaaS domain resolves to an nginx host of the inventory",
            zh="PaaS 域名解析到清单中的 nginx 主机",
        ),
        remedy=Text(
            en="Correct /etc/hosts (its first line for the name wins, also over DNS) or the resolver.\n"
            "$ getent hosts {domain}\n$ grep -n {domain} /etc/hosts\n$ cat /etc/resolv.conf",
            zh="修正 /etc/hosts（同名第一行生效，且优先于 DNS）或 DNS 配置。\n"
            "$ getent hosts {domain}\n$ grep -n {domain} /etc/hosts\n$ cat /etc/resolv.conf",
        ),
    ),
    *(_healthz(service) for service in SERVICES),
)
