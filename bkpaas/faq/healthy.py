"""FAQ: how to make sure that PaaS is deployed well: the domain and the healthz of each service."""

from __future__ import annotations

from bkpaas.faq.model import (
    Cause,
    Condition,
    Each,
    FromController,
    Point,
    Symptom,
    Text,
    anywhere,
    needed,
    repair,
    same_host,
    seen_from_host,
)

SERVICES = ("paas", "login", "esb", "console", "appengine")

SYMPTOM = Symptom(
    key="platform-healthy",
    title=Text(en="Is PaaS deployed well?", zh="如何确认PaaS部署正常"),
    introduction=Text(
        en="After an installation or an upgrade: is the platform well? The domain must lead to nginx, and "
        "every service must say of itself that it is well.",
        zh="安装或升级之后：平台是否正常？域名要指向 nginx，每个服务的 healthz 都要返回正常。",
    ),
    conditions=("domain-resolve", *(f"healthz-{service}" for service in SERVICES)),
    points=(
        Point(
            says=Text(
                en="ping the PaaS domain, to see that the name works.",
                zh="首先 ping PaaS 域名，确认域名通。",
            ),
            conditions=("domain-resolve", "domain-502"),
            answer=Text(
                en="No ping is sent: an answer to it says nothing of the platform, and many sites block "
                "it. The name is resolved on every host and asked over HTTP.",
                zh="不发送 ping：有应答不代表平台正常，很多环境还会屏蔽。套件在每台主机上解析域名，并通过 "
                "HTTP 访问。",
            ),
        ),
        Point(
            says=Text(
                en="See that /healthz/ (developer center), /login/healthz/, /api/healthz/ (ESB), "
                "/console/healthz/ (desktop) and /v1/healthz/ (appengine) are well.",
                zh="确认 /healthz/（开发者中心）、/login/healthz/、/api/healthz/（ESB）、/console/healthz/"
                "（桌面）、/v1/healthz/（appengine）正常。",
            ),
            conditions=(
                "healthz-paas",
                "healthz-login",
                "healthz-esb",
                "healthz-console",
                "healthz-appengine",
            ),
            answer=Text(
                en="The last slash is needed: without it nginx's redirect leads to another service, which "
                "is well. The community edition 5.x has no console.",
                zh="末尾的斜杠不能省：否则会被重定向到另一个服务，并得到它的“正常”。社区版 5.x 没有 console。",
            ),
        ),
        Point(
            says=Text(
                en="healthz checks the service and all it depends on; when something is wrong, it is not "
                "200 and tells the error.",
                zh="healthz 检查服务本身及所有外部依赖，有问题则非 200 并提示错误。",
            ),
            conditions=(
                "healthz-paas",
                "healthz-login",
                "healthz-esb",
                "healthz-appengine",
                "database-reachable",
                "database-login",
                "services-answer",
            ),
            answer=Text(
                en="True of paas, and of login while it has no database (a page with 500). Otherwise they answer 200 with "
                "result or ok false when they are ill: read the body. And not all is checked: paas takes any answer of "
                "login and appengine for well, even a 500; in the community edition 5.x no healthz asks redis or "
                "Elasticsearch.",
                zh="paas 如此；login 只在没有数据库时如此（500 页面）。其余情况异常时返回 200，而 result 或 ok 为 false：要看返回内容。"
                "也没有检查全部依赖：login 和 appengine 只要有应答，即使是 500，paas 也算正常；社区版 5.x 中没有 healthz 检查 redis "
                "或 Elasticsearch。",
            ),
        ),
        Point(
            says=Text(en="When there is a problem, act on the error.", zh="如果有问题，根据相应错误处理。"),
            conditions=(
                "healthz-paas",
                "healthz-login",
                "healthz-esb",
                "healthz-console",
                "healthz-appengine",
            ),
            answer=Text(
                en="Each verdict has the service's own message, and names first what caused it.",
                zh="每个结果都附有服务自己的错误信息，并首先指出其原因。",
            ),
        ),
    ),
)

_NAMES = {
    "paas": Text(en="the developer center", zh="开发者中心"),
    "login": Text(en="the login service", zh="登录服务"),
    "esb": Text(en="component interfaces", zh="组件接口"),
    "console": Text(en="the desktop", zh="桌面"),
    "appengine": Text(en="deployments of SaaS", zh="应用部署引擎"),
}

_PATHS = {
    "paas": ("/healthz/", "/healthz/"),
    "login": ("/healthz/", "/login/healthz/"),
    "esb": ("/healthz/", "/api/healthz/"),
    "console": ("/console/healthz/", "/console/healthz/"),
    "appengine": ("/v1/healthz/", "/v1/healthz/"),
}
"""On the service's own port, and through the domain."""

_ILL = {
    "paas": Text(
        en="Ill, it answers 500 with plain text.",
        zh="异常时返回 500 和纯文本。",
    ),
    "login": Text(
        en="Ill, it answers 200 with `result: false`; without a database 500 with a page.",
        zh="异常时返回 200 和 `result: false`；数据库不可用时返回 500 页面。",
    ),
    "esb": Text(
        en="Ill, it answers 200 with `ok: false` and the same code, 1306000. Not applicable while all that it misses is CC or "
        "FTA, and the inventory has none.",
        zh="异常时返回 200、`ok: false` 和相同的 code 1306000。仅缺少 CC 或 FTA 而清单中本来就没有时不适用。",
    ),
    "console": Text(
        en="Not applicable where no paas host has a console: the community edition 5.x has none, and its path ends at the "
        "developer center.",
        zh="paas 主机上没有 console 时不适用：社区版 5.x 没有该服务，其路径由开发者中心应答。",
    ),
    "appengine": Text(
        en="Ill, it answers 200 with `result: false`. Not applicable while all that it misses are app hosts, and the inventory "
        "has none.",
        zh="异常时返回 200 和 `result: false`。仅缺少 app 主机而清单中本来就没有时不适用。",
    ),
}

_MEANS = {
    "paas": Text(
        en="A setting is missing, the database is gone, or appengine or login cannot be reached. That these two give an HTTP answer "
        "is enough for it, even a 500.",
        zh="缺少配置、数据库不可用，或无法访问 appengine 或 login。只要这两者有 HTTP 应答它就认为正常，即使是 500。",
    ),
    "login": Text(
        en="A setting is missing or the database is gone: nobody can log in.",
        zh="缺少配置或数据库不可用：所有人无法登录。",
    ),
    "esb": Text(
        en="A setting is missing, or the database, login, CC or FTA fails; they are tried in this order, and the first is named. Its connections to the "
        "database are pooled: right after a repair one more request may fail.",
        zh="缺少配置，或依次检查的数据库、login、CC、FTA 中有一项失败，返回信息只写第一项。数据库连接有池：刚修复后可能还会失败一次。",
    ),
    "console": Text(
        en="The desktop does not open, the developer center may.",
        zh="桌面打不开，开发者中心可能正常。",
    ),
    "appengine": Text(
        en="The database is gone, or no registered paas_agent answers: nothing can be deployed.",
        zh="数据库不可用，或没有已注册的 paas_agent 应答：无法部署应用。",
    ),
}

# Whom a service's healthz asks in turn: a failure of those accounts for its own.
_ASKS = {
    "paas": ("paas", "login", "appengine"),
    "login": ("login",),
    "esb": ("esb", "login"),
    "console": ("console", "login"),
    "appengine": ("appengine", "agent"),
}

_HOSTS = ("host-reachable", "disk-space")
_AT_HOME = ("database-reachable", "database-login", "supervisor-proc", "supervisor-status")
_AT_HOME_TOO = ("port-owner", "paas-ports-local", "services-answer", "bind-address-consistent")
_ON_THE_WAY = ("domain-resolve", "nginx-conf-port80", "nginx-listen-vs-domain", "nginx-conf-upstreams")
_ON_THE_WAY_TOO = ("paas-ports-from-nginx", "upstream-answers", "virtual-address-held")


def _healthz(service: str) -> Condition:
    others: tuple[Cause, ...] = ()
    if service == "login":
        others = same_host("login-is-login-domain")
    if service == "appengine":
        others = anywhere("agent-process", "agent-from-paas")
    if service == "esb":
        others = (
            *seen_from_host("healthz-login"),
            *same_host("healthz-login"),
        )
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
        reads=Text(
            en=f"One GET of {_PATHS[service][0]} on its own port, from its host; one of {_PATHS[service][1]} through the domain, "
            "from the controller.",
            zh=f"在本机 GET 一次自身端口的 {_PATHS[service][0]}；从运行套件的机器通过域名 GET 一次 {_PATHS[service][1]}。",
        ),
        fails=Text(
            en="No answer within `healthz_seconds` (25), or anything but HTTP 200 with a JSON object whose `ok` or `result` is true and "
            f"whose `data` has no warning. {_ILL[service].en}",
            zh="`healthz_seconds`（25）内无应答，或不是 HTTP 200、`ok` 或 `result` 为 true 且 `data` 中没有警告的 JSON。"
            f"{_ILL[service].zh}",
        ),
        means=_MEANS[service],
        remedy=repair(
            Text(
                en="The message names what is wrong: a setting, the database, or another service. Judge the body, not "
                "the status: most of these answer 200 when they are ill. A time-out means that a dependency hangs.",
                zh="返回信息会指明问题：配置、数据库或其他服务。看返回内容而不是状态码：多数服务异常时也返回 200。"
                "超时说明依赖卡死。",
            ),
            "curl -m 30 {url}",
            (
                f"tail -n 50 {{home}}/logs/open_paas/{service}_uwsgi.log {{home}}/logs/open_paas/{service}.log",
                Text(en="on the paas hosts", zh="在 paas 主机上执行"),
            ),
        ),
        causes=(
            *needed(*_HOSTS),
            *same_host(
                *_HOSTS, *_AT_HOME, *_AT_HOME_TOO, "http-proxy-env", "domain-502", "domain-certificate"
            ),
            *seen_from_host(f"healthz-{service}", *_AT_HOME, *_AT_HOME_TOO),
            *seen_from_host(*_ON_THE_WAY, *_ON_THE_WAY_TOO),
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
        reads=Text(
            en="What getaddrinfo makes of the PaaS domain on every host (so `/etc/hosts` before DNS); the "
            "addresses of the nginx hosts and `virtual_addresses` of the inventory.",
            zh="每台主机上 getaddrinfo 对 PaaS 域名的解析结果（因此 `/etc/hosts` 优先于 DNS）；nginx 主机的"
            "地址和清单中的 `virtual_addresses`。",
        ),
        fails=Text(
            en="It resolves to nothing within `resolve_seconds` (5), or to any address that is neither of "
            "an nginx host nor a virtual one.",
            zh="`resolve_seconds`（5）内没有解析结果，或有地址既不是 nginx 主机也不是虚拟地址。",
        ),
        means=Text(
            en="Programs on this host talk to the wrong server or to none, while other hosts are well: "
            "mostly a stale line in /etc/hosts.",
            zh="该主机上的程序访问了错误的服务器或无法访问，而其他主机正常：多半是 /etc/hosts 中的旧记录。",
        ),
        remedy=repair(
            Text(
                en="Correct /etc/hosts (its first line for the name wins, also over DNS) or the resolver.",
                zh="修正 /etc/hosts（同名第一行生效，且优先于 DNS）或 DNS 配置。",
            ),
            "grep -n {domain} /etc/hosts; cat /etc/resolv.conf",
            ("getent hosts {domain}", Text(en="must be {domain_address}", zh="应为 {domain_address}")),
        ),
    ),
    *(_healthz(service) for service in SERVICES),
)
