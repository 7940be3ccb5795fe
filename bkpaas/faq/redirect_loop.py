"""FAQ: the login page comes back for ever; and the full login that shows it."""

from __future__ import annotations

from bkpaas.faq.model import (
    Condition,
    Each,
    FromController,
    Pairs,
    Point,
    Symptom,
    Text,
    anywhere,
    by_hand,
    needed,
    repair,
    same_host,
    seen_by_all,
)
from bkpaas.faq.tokens import ONE_PAAS

SYMPTOM = Symptom(
    key="login-redirect-loop",
    title=Text(en="The login page comes back for ever", zh="登录页面无限跳转"),
    introduction=Text(
        en="After a correct password the login form comes back, again and again. It is no chain of "
        "redirects: the application asks login, gets a refusal, and sends the user back to the form.",
        zh="输入正确密码后又回到登录表单，反复如此。它不是一串 HTTP 跳转：应用向 login 校验失败，把用户送回"
        "表单。",
    ),
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
    points=(
        Point(
            says=Text(
                en="login/conf/settings_production.py is the same on both paas hosts.",
                zh="两台 PaaS 机器上 login/conf/settings_production.py 一致。",
            ),
            conditions=("login-settings-equal", "login-secret-equal"),
        ),
        Point(
            says=Text(
                en="Both paas hosts have the same time, kept by synchronisation so that it is exactly the "
                "same.",
                zh="两台 PaaS 机器时间一致（需设置时间同步保证绝对一致）。",
            ),
            conditions=("paas-clock-skew", "paas-clock-drift", "time-daemon"),
            answer=Text(
                en="Exactly the same they need not be: up to BK_TOKEN_OFFSET_ERROR_TIME nothing is "
                "refused, and from 3 s on there is a warning.",
                zh="不需要绝对一致：不超过 BK_TOKEN_OFFSET_ERROR_TIME 就不会拒绝，超过 3 秒为警告。",
            ),
        ),
        Point(
            says=Text(
                en="The hosts of paas_agent, cc and job reach the PaaS domain.",
                zh="PaaSAgent 服务器、cc 和 job 所在服务器能访问到 PaaS 域名。",
            ),
            conditions=("domain-from-agents", "domain-from-cmdb-job", "domain-resolve", "http-proxy-env"),
        ),
        Point(
            says=Text(
                en="One logs in at login; the signed token goes into a cookie.",
                zh="到 login 登录，签名的登录态（bk_token）写入 cookie。",
            ),
            conditions=("login-redirect-shape", "login-works", "cookie-domain"),
            answer=Text(
                en="The cookie is for BK_COOKIE_DOMAIN; a browser drops it when that does not fit.",
                zh="cookie 的域是 BK_COOKIE_DOMAIN；不匹配时浏览器会丢弃。",
            ),
        ),
        Point(
            says=Text(
                en="The application then sends a POST to PaaS to have login check it; refused, it leads "
                "back to the login page.",
                zh="应用向 PaaS 发起 post 请求由 login 校验，校验失败又跳转回登录页面。",
            ),
            conditions=("login-works", "domain-from-agents", "domain-from-cmdb-job", "scheme-matches"),
            answer=Text(
                en="It is a GET, with bk_token in the query: a POST is refused. The refusal comes with "
                "HTTP 200 and result false.",
                zh="实际是 GET，bk_token 在查询串中；POST 会被拒绝。校验失败时是 HTTP 200 和 result false。",
            ),
        ),
        Point(
            says=Text(
                en="Most likely: the two clocks differ, or the application's host has no way to the domain.",
                zh="极大可能：两台 PaaS 时间不一致，或应用机器到 PaaS 域名网络不通。",
            ),
            conditions=("paas-clock-skew", "domain-from-agents", "domain-from-cmdb-job"),
        ),
    ),
)

_ON_THE_WAY = (
    "virtual-address-held",
    "domain-certificate",
    "nginx-conf-port80",
    "nginx-listen-vs-domain",
    "nginx-conf-upstreams",
    "paas-ports-from-nginx",
    "upstream-answers",
    "database-reachable",
    "database-login",
    "services-answer",
    "supervisor-status",
    "supervisor-proc",
    "port-owner",
    "paas-ports-local",
    "bind-address-consistent",
)

_REACH_READS = Text(
    en="GET of `/login/accounts/is_login/` without a token through the PaaS domain, from the host itself, "
    "never through a proxy.",
    zh="在本机通过 PaaS 域名发不带 bk_token 的 GET `/login/accounts/is_login/`，不经过代理。",
)
_REACH_FAILS = Text(
    en="The name does not resolve, nothing answers within `request_seconds` (8), or who answers is not "
    "login: the body decides, not the status.",
    zh="域名无法解析、`request_seconds`（8）内无应答，或应答的不是 login：以返回内容而不是状态码为准。",
)
_REACH = repair(
    Text(
        en="Applications here cannot have a login checked, and send the user back to the login page. See "
        "the name, the way and proxies from this host. Login's own answer has `bk_token` in its message.",
        zh="此处的应用无法校验登录态，会把用户送回登录页面。从本机检查域名解析、网络和代理。login 自己的应"
        "答信息中有 `bk_token`。",
    ),
    "getent hosts {domain}",
    ("curl --noproxy '*' -i -m 5 {url}", Text(en="without a proxy", zh="不经代理")),
    ("curl -i -m 5 {url}", Text(en="as programs here do it", zh="与本机程序相同的方式")),
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
        reads=Text(
            en="settings_production.py of login, paas and console on both paas hosts, key by key; secrets "
            "as digests; each host's own addresses count as equal.",
            zh="两台 paas 主机上 login、paas、console 的 settings_production.py，逐项比较；密钥只比较摘要；"
            "各自的本机地址视为相同。",
        ),
        fails=Text(
            en="A key differs or stands on one host only. no_data when such a file cannot be parsed.",
            zh="某项不同，或只有一台有。文件无法解析时为 no_data。",
        ),
        means=Text(
            en="A login that one host gives is not understood by the other (other key, database or cookie "
            "domain), and the form comes back.",
            zh="一台给出的登录态另一台无法识别（密钥、数据库或 cookie 域不同），登录页面再次出现。",
        ),
        remedy=repair(
            Text(
                en="Put the lines of the host that is right into the file of the other, then restart that "
                "project there. Do not copy the whole file of paas or console: it has addresses of its "
                "own host.",
                zh="把正确一台的相应配置行写入另一台的文件，然后在那里重启该项目。不要复制 paas 或 console "
                "的整个文件：其中有本机地址。",
            ),
            (
                "diff <(ssh {source_address} cat {home}/open_paas/login/conf/settings_production.py) <(ssh {target_address} cat {home}/open_paas/login/conf/settings_production.py)",
                Text(en="in bash; shows passwords", zh="用 bash 执行；会显示密码"),
            ),
            by_hand(en="edit those lines now", zh="此时修改这些行"),
            (
                "{supervisorctl} restart login",
                Text(en="on the host that was changed", zh="在修改过的主机上执行"),
            ),
        ),
        causes=same_host(
            "login-secret-equal", "token-offset-config", "services-answer", "cookie-domain", "settings-valid"
        ),
    ),
    Condition(
        id="domain-from-agents",
        scopes=(Each(("appo", "appt")),),
        about=("login",),
        title=Text(
            en="From the app host, is_login through the PaaS domain is answered by login",
            zh="从 app 主机通过 PaaS 域名调用 is_login，由 login 应答",
        ),
        reads=_REACH_READS,
        fails=_REACH_FAILS,
        means=Text(
            en="Every SaaS on this host takes its users for not logged in and sends them back to the login "
            "page.",
            zh="该主机上的 SaaS 都认为用户未登录，把用户送回登录页面。",
        ),
        remedy=_REACH,
        causes=(
            *same_host("domain-resolve", "login-is-login-domain"),
            *needed("host-reachable"),
            *anywhere(*_ON_THE_WAY),
            *seen_by_all("login-is-login-domain"),
        ),
    ),
    Condition(
        id="domain-from-cmdb-job",
        scopes=(Each(("cmdb", "job")),),
        about=("login",),
        title=Text(
            en="From the cmdb and job hosts, is_login through the PaaS domain is answered by login",
            zh="从 cmdb 和 job 主机通过 PaaS 域名调用 is_login，由 login 应答",
        ),
        reads=_REACH_READS,
        fails=_REACH_FAILS,
        means=Text(
            en="CMDB or JOB takes its users for not logged in and sends them back to the login page; the "
            "platform itself works.",
            zh="配置平台或作业平台认为用户未登录，把用户送回登录页面；平台自身正常。",
        ),
        remedy=_REACH,
        causes=(
            *same_host("domain-resolve", "login-is-login-domain"),
            *needed("host-reachable"),
            *anywhere(*_ON_THE_WAY),
            *seen_by_all("login-is-login-domain"),
        ),
    ),
    Condition(
        id="scheme-matches",
        scopes=(Each(("paas",)),),
        title=Text(
            en="HTTP_SCHEMA in the settings is the scheme under which the domain is served",
            zh="配置中的 HTTP_SCHEMA 与域名实际使用的协议一致",
        ),
        reads=Text(
            en="HTTP_SCHEMA of login, paas and console as it takes effect; the scheme of the inventory's "
            "domain.",
            zh="login、paas、console 最终生效的 HTTP_SCHEMA；清单中域名所用的协议。",
        ),
        fails=Text(
            en="They differ. Not applicable when no settings file has HTTP_SCHEMA.",
            zh="两者不同。配置中都没有 HTTP_SCHEMA 时不适用。",
        ),
        means=Text(
            en="Redirects lead from https to http and back, or the cookie is lost on the way.",
            zh="在 https 与 http 之间来回跳转，或途中丢失 cookie。",
        ),
        remedy=repair(
            Text(
                en="With https in front and http in the settings, or the other way round, each side sends "
                "the browser to the other. Make them equal and restart.",
                zh="接入层为 https 而配置为 http（或相反）时，两边会互相跳转。改为一致并重启。",
            ),
            "grep -n HTTP_SCHEMA {home}/open_paas/*/conf/settings_production.py",
            by_hand(en="edit the value now", zh="此时修改该值"),
            "{supervisorctl} restart login paas",
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
        reads=Text(
            en="From the controller GET `/platform/` of the domain without cookies, and its redirects "
            "within the domain, 5 at most.",
            zh="从运行套件的机器不带 cookie GET 域名的 `/platform/`，并跟随域名内的跳转，最多 5 次。",
        ),
        fails=Text(
            en="It does not end on a page with fields for user name and password: an error, a circle, too "
            "many steps, or another site. Not applicable when login itself sends its users to another "
            "site.",
            zh="没有到达带用户名和密码输入框的页面：出错、循环、步数过多，或跳到其他站点。login 自身使用其"
            "他站点登录时不适用。",
        ),
        means=Text(
            en="Nobody gets as far as typing a password. The endless login after a password is another "
            "matter: it ends on the form each time, and is found by the other conditions here.",
            zh="用户到不了输入密码这一步。输入密码后的无限登录是另一回事：每次都回到登录表单，由本节其他检"
            "查发现。",
        ),
        remedy=repair(
            Text(
                en="Follow the steps with the command: they show where it turns in a circle or leaves for another site.",
                zh="用下面的命令逐步查看：在何处循环，或跳到其他站点。",
            ),
            "curl -sL -o /dev/null -D - --max-redirs 5 {url}",
        ),
        causes=(
            *needed("host-reachable"),
            *anywhere(*_ON_THE_WAY, "domain-resolve", "scheme-matches", "domain-502"),
            *seen_by_all("login-is-login-domain"),
        ),
    ),
)
