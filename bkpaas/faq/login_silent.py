"""FAQ: the login of PaaS does not answer: is the request sent, does it arrive, is it answered?"""

from __future__ import annotations

from bkpaas.faq.model import (
    Condition,
    Each,
    FromController,
    Point,
    Symptom,
    Text,
    anywhere,
    by_hand,
    needed,
    repair,
    same_host,
    seen_by_all,
    seen_from_host,
)

SYMPTOM = Symptom(
    key="login-no-response",
    title=Text(en="Login does not respond", zh="PaaS登陆无响应"),
    introduction=Text(
        en="The login page does not come, or an application waits for ever for the login to be checked. Is "
        "the request sent, does it arrive at login, and is it answered? What the FAQ says under its sub-heading "
        "check the login interface (校验登陆接口):",
        zh="登录页面打不开，或应用一直等待登录校验。请求是否发出、是否到达 login、是否有应答？即 FAQ 小标题“校验登陆接口”下的内容。",
    ),
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
    points=(
        Point(
            says=Text(
                en="Go to the log directory of open_paas on a paas host and follow the logs with login in "
                "their name.",
                zh="在 paas 主机进入 open_paas 日志目录，跟踪名称含 login 的日志。",
            ),
            conditions=("login-log-dir", "login-request-arrives", "login-access-log-status"),
            answer=Text(
                en="The request lines are in login_uwsgi.log (or what `logto2` names); login.log has "
                "exceptions only. login-log-dir sees that both are there and may be written; the other two read the end of "
                "the access log instead of following it.",
                zh="请求记录在 login_uwsgi.log（或 `logto2` 指定的文件）中，login.log 只有异常。login-log-dir 只看两者是否存在、"
                "可写；另外两项读取访问日志的末尾，而不是持续跟踪。",
            ),
        ),
        Point(
            says=Text(
                en="Open the failing link and see whether a line with is_login is written.",
                zh="点击出错的链接，观察日志是否出现 is_login。",
            ),
            conditions=("login-request-arrives",),
            answer=Text(
                en="Instead of a browser the suite sends one is_login request of its own from the controller, through the "
                "domain, and looks for it in the login log of every paas host. The request of the platform that fails is not "
                "followed: click there yourself with `tail -f` running; whether its host can ask login at all is "
                "domain-from-agents and domain-from-cmdb-job.",
                zh="套件不用浏览器，而是从运行套件的机器通过域名发一次自己的 is_login 请求，再到每台 paas 主机的 login 日志"
                "中查找。出错平台自己的请求不会跟踪：请在 `tail -f` 的同时自行点击；其主机能否访问 login 见 domain-from-agents 和 "
                "domain-from-cmdb-job。",
            ),
        ),
        Point(
            says=Text(
                en="Tell from the domain in that line whether login is asked directly or through ESB.",
                zh="通过日志中的域名确认是直接调用 login 还是通过 ESB。",
            ),
            conditions=("login-access-log-status", "login-is-login-esb"),
            answer=Text(
                en="login's line has no domain; the FAQ means the application's own log, whose URL has the domain of PaaS "
                "(login asked directly, that is through nginx) or a path below /api/c/compapi/ (through ESB). In login's log "
                "the form tells: what came through nginx has HTTP/1.0 and a path without /login, what came from ESB a path "
                "that begins with /login/, and what is left was sent straight to the port. The verdict counts them by caller.",
                zh="login 的日志中没有域名；FAQ 指的是应用自己的日志：URL 为 PaaS 域名的是直接调用 login（即经 nginx），路径在 "
                "/api/c/compapi/ 之下的是通过 ESB。在 login 的日志中要看形式：经 nginx 的是 HTTP/1.0 且不带 /login，经 ESB 的路径以 "
                "/login/ 开头，其余是直接访问端口。结果中按调用方计数。",
            ),
        ),
        Point(
            says=Text(
                en="Imitate the call on the server: curl of is_login with bk_cookie.",
                zh="在服务器上用 curl 模拟调用带 bk_cookie 的 is_login。",
            ),
            conditions=("login-is-login-direct", "login-is-login-domain", "login-is-login-esb"),
            answer=Text(
                en="As the FAQ writes it, it is a 404. The path is /login/accounts/is_login/ (with the "
                "last slash), the parameter is bk_token in the query, and every refusal is HTTP 200: "
                "read the body.",
                zh="按 FAQ 的写法会得到 404。路径是 /login/accounts/is_login/（末尾有斜杠），参数是查询串中"
                "的 bk_token，且所有拒绝都是 HTTP 200：要看返回内容。",
            ),
        ),
        Point(
            says=Text(
                en="The same with a token of one's own, taken from the browser's cookie.",
                zh="同样的调用，带上浏览器 cookie 中自己的 bk_token。",
            ),
            answer=Text(
                en="The suite sends none. By hand, on the paas host, at the address of login's uwsgi file: `curl -m 8 "
                "'http://ADDRESS:8003/accounts/is_login/?bk_token=TOKEN'`; through the domain: `curl --noproxy '*' -m 8 "
                "'http://PAAS_DOMAIN/login/accounts/is_login/?bk_token=TOKEN'`. `result: true` is a valid login. The token "
                "then stands in the access logs of login and nginx, and whoever reads them can use it: log out afterwards. "
                "Never open /login/ with it: that page logs the token out.",
                zh="套件不发送登录态。手工测试时，在 paas 主机上按 login 的 uwsgi 配置中的地址执行：`curl -m 8 "
                "'http://ADDRESS:8003/accounts/is_login/?bk_token=TOKEN'`；通过域名：`curl --noproxy '*' -m 8 "
                "'http://PAAS_DOMAIN/login/accounts/is_login/?bk_token=TOKEN'`。`result: true` 表示登录态有效。bk_token 会留在 login "
                "和 nginx 的访问日志中，看到日志的人可以使用它：测试后请退出登录。切勿带着它访问 /login/：该页面会注销这个登录态。",
            ),
        ),
        Point(
            says=Text(
                en="Look into login's logs, above all login_uwsgi, for whether requests arrive.",
                zh="查看 login 相关日志，特别是 login_uwsgi，是否有请求到达。",
            ),
            conditions=("login-request-arrives", "login-access-log-status", "login-access-log-latency"),
        ),
        Point(
            says=Text(
                en="Cause: requests of other machines to PaaS are taken by an HTTP proxy.",
                zh="原因：其他机器到 PaaS 的请求被 HTTP 代理劫持。",
            ),
            conditions=(
                "http-proxy-env",
                "login-is-login-domain",
                "domain-from-agents",
                "domain-from-cmdb-job",
            ),
            answer=Text(
                en="http-proxy-env sees a proxy that is set: in the shell's files, those of curl and wget, the environment of "
                "BlueKing's processes. The other three ask past any such proxy, so they see what takes requests on the network "
                "itself: the answer is then not login's.",
                zh="http-proxy-env 检查设置的代理：shell、curl、wget 的配置文件和蓝鲸进程的环境变量。其余三项绕过此类代理直接访问，"
                "发现的是网络中的透明代理：那时应答的不是 login。",
            ),
        ),
        Point(
            says=Text(
                en="Cause: cookies and cache of the browser; try a private window or another browser.",
                zh="原因：浏览器 cookie 缓存；换无痕窗口或其他浏览器。",
            ),
            conditions=("cookie-domain",),
            answer=Text(
                en="What a browser holds cannot be seen from the hosts; trying a private window remains "
                "with the user. Checked is the one cause that the server has a part in: a cookie for "
                "the wrong domain.",
                zh="浏览器里的内容从主机上看不到，换无痕窗口仍需用户自己尝试。这里检查的是服务端能造成的那"
                "一种：cookie 的域不对。",
            ),
        ),
    ),
)

_DOWN = (
    "disk-space",
    "database-reachable",
    "database-login",
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
        reads=Text(
            en="Type, owner and mode of `logs/open_paas`, `login.log` and login's access log (`logto2` of "
            "its uwsgi file); the user that login runs as.",
            zh="`logs/open_paas`、`login.log` 和 login 访问日志（uwsgi 配置中的 `logto2`）的类型、属主和权"
            "限；login 的运行用户。",
        ),
        fails=Text(
            en="The directory or one of the two files is missing or of another type, or login runs as a "
            "user that owns neither the file nor may write it.",
            zh="目录或两个日志文件之一缺失、类型不对，或 login 的运行用户既不是文件属主也不可写。",
        ),
        means=Text(
            en="`tail -f` on login's log stays silent for a reason that has nothing to do with requests.",
            zh="对 login 日志执行 `tail -f` 没有输出，但原因与请求无关。",
        ),
        remedy=repair(
            Text(
                en="See that the directory exists, belongs to the user that runs login, and has room; then "
                "restart login (logins pause for some seconds), and see it write.",
                zh="确认目录存在、属于运行 login 的用户且有空间，然后重启 login（登录会中断几秒），再确认日"
                "志写入。",
            ),
            "ls -la {home}/logs/open_paas/ | grep login",
            "df -h {home}/logs; df -i {home}/logs",
            "{supervisorctl} restart login",
            "tail -n 3 {home}/logs/open_paas/login_uwsgi.log",
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
        reads=Text(
            en="GET of is_login without a token on login's own port, from its host: `/accounts/is_login/` "
            "and `/login/api/v2/is_login/`.",
            zh="在本机对 login 端口发不带 bk_token 的 GET：`/accounts/is_login/` 和 `/login/api/v2/is_login/`。",
        ),
        fails=Text(
            en="The answer is anything but HTTP 200 with `result: false` and login's own words that "
            "bk_token is missing, in Chinese or English.",
            zh="应答不是 HTTP 200、`result: false` 且带有 login 自己的“缺少参数bk_token”（中文或英文）。",
        ),
        means=Text(
            en="Login itself is ill on this host, or another program has its port. Whoever has logins "
            "checked here is refused.",
            zh="该主机上的 login 自身异常，或端口被其他程序占用。到这里校验登录态的请求都会失败。",
        ),
        remedy=repair(
            Text(
                en="See first who holds the port, then what it answers. Another program: see port-owner, a restart of login "
                "would end in FATAL.",
                zh="先看端口由谁持有，再看应答。若是其他程序：见 port-owner，此时重启 login 会变成 FATAL。",
            ),
            "ss -lntp | grep ':{port} '",
            "curl -m 8 -i {url}",
            "tail -n 50 {home}/logs/open_paas/login_uwsgi.log",
            Text(
                en="Only when it is login's own uwsgi, and what its log names is mended:",
                zh="确认是 login 自己的 uwsgi，且日志中的问题已修复之后：",
            ),
            "{supervisorctl} restart login",
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
        reads=Text(
            en="GET of `/login/accounts/is_login/` without a token through the PaaS domain: from the "
            "controller, each nginx and each paas host, never through a proxy.",
            zh="通过 PaaS 域名发不带 bk_token 的 GET `/login/accounts/is_login/`：从运行套件的机器、各 nginx 和 paas "
            "主机发起，不经过代理。",
        ),
        fails=Text(
            en="The name does not resolve, nothing answers within `request_seconds` (8), or who answers is "
            "not login: the body decides, not the status.",
            zh="域名无法解析、`request_seconds`（8）内无应答，或应答的不是 login：以返回内容而不是状态码为"
            "准。",
        ),
        means=Text(
            en="Requests sent to the domain never become requests to login: wrong name, nginx that leads "
            "elsewhere, or another server in between.",
            zh="发往域名的请求没有到达 login：域名解析错误、nginx 指向别处，或中间有其他服务器。",
        ),
        remedy=repair(
            Text(
                en="See where the name leads from this machine, and whether a proxy or another server "
                "answers. Login's own answer has `bk_token` in its message.",
                zh="查看本机上域名指向哪里，是否由代理或其他服务器应答。login 自己的应答信息中有 `bk_token`。",
            ),
            "getent hosts {domain}",
            "curl --noproxy '*' -m 8 -i {url}",
            "curl -m 8 -i {url}",
        ),
        causes=(
            *same_host("domain-resolve", "nginx-conf-port80", "nginx-listen-vs-domain"),
            *needed("host-reachable", "disk-space"),
            *anywhere(*_DOWN[1:], *_ON_THE_WAY[1:]),
            *seen_from_host("domain-resolve"),
            *seen_by_all("login-is-login-domain"),
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
        reads=Text(
            en="GET of `/c/compapi/v2/bk_login/is_login/` on ESB's own port, from its host, without an "
            "application's secret.",
            zh="在本机对 ESB 端口发 GET `/c/compapi/v2/bk_login/is_login/`，不带应用密钥。",
        ),
        fails=Text(
            en="The answer is neither ESB's refusal of an unknown application nor login's own refusal "
            "passed on: a 5xx, another body, or none within `request_seconds` (8).",
            zh="应答既不是 ESB 对未知应用的拒绝，也不是转发的 login 拒绝：例如 5xx、其他内容，或 "
            "`request_seconds`（8）内无应答。",
        ),
        means=Text(
            en="Applications that check logins through ESB fail, while those that ask login directly work.",
            zh="通过 ESB 校验登录态的应用失败，而直接访问 login 的应用正常。",
        ),
        remedy=repair(
            Text(
                en="ESB itself does not answer; applications that check logins through it fail. Read its "
                "log, mend what it names, restart it.",
                zh="ESB 自身没有应答；通过它校验登录的应用都会失败。查看日志，修复后重启。",
            ),
            "curl -m 8 -i {url}",
            "tail -n 50 {home}/logs/open_paas/esb_uwsgi.log {home}/logs/open_paas/esb.log",
            "{supervisorctl} restart esb",
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
        reads=Text(
            en="The controller's own is_login request through the domain, sent with a User-Agent that is "
            "new in each run; then the end of login's access log on every paas host.",
            zh="运行套件的机器通过域名发出的 is_login 请求，User-Agent 每次运行都不同；随后读取各 paas 主机 login "
            "访问日志的末尾。",
        ),
        fails=Text(
            en="The request is answered, but stands in no login log of the inventory's paas hosts, or in "
            "more than one. no_data while a log could not be read or moves too fast.",
            zh="请求得到了应答，但清单中 paas 主机的 login 日志都没有它，或出现在多台上。日志不可读或滚动过"
            "快时为 no_data。",
        ),
        means=Text(
            en="The domain leads to a login that nobody here looks after, or a proxy answers in its place.",
            zh="域名指向清单之外的 login，或由代理代为应答。",
        ),
        remedy=repair(
            Text(
                en="The answer came from somewhere else: a proxy, another nginx, or a paas host that the "
                "inventory does not name. Or login goes on writing to a log that was moved or removed: "
                "then restart login.",
                zh="应答来自别处：代理、另一个 nginx，或清单之外的 paas 主机；也可能日志文件被移走或删除而 "
                "login 仍写入原文件：请重启 login。",
            ),
            (
                "getent hosts {domain}; env | grep -i proxy",
                Text(en="on the machine this suite runs on", zh="在运行本套件的机器上执行"),
            ),
            (
                "grep -rn -A4 'upstream OPEN_PAAS_LOGIN' {nginx_folder}",
                Text(en="on the nginx hosts", zh="在 nginx 主机上执行"),
            ),
            (
                "ls -l /proc/*/fd 2>/dev/null | grep 'login_uwsgi.log.*deleted'",
                Text(en="on the paas hosts", zh="在 paas 主机上执行"),
            ),
        ),
        causes=(
            *needed("host-reachable", "disk-space"),
            *anywhere(
                "way-to-hosts",
                *_DOWN[1:],
                *_ON_THE_WAY,
                "login-log-dir",
                "login-is-login-domain",
                "nginx-conf-upstreams",
            ),
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
        reads=Text(
            en="Calls of is_login and get_user in the end of login's access log (`log_bytes`, 262144), "
            "told apart by caller: through nginx, through ESB, direct.",
            zh="login 访问日志末尾（`log_bytes`，262144 字节）中对 is_login 和 get_user 的调用，并按调用方"
            "式区分：经 nginx、经 ESB、直接。",
        ),
        fails=Text(
            en="Of the calls within `log_window_minutes` (10), more than `login_error_percent` (1) were "
            "answered with a 5xx.",
            zh="`log_window_minutes`（10）内的调用中，5xx 超过 `login_error_percent`（1）%。",
        ),
        means=Text(
            en="Logins failed for users a short while ago, even if login answers now.",
            zh="不久前有用户登录失败，即使 login 现在已有应答。",
        ),
        remedy=repair(
            Text(
                en="See the Tracebacks at that time, and mend what they name.",
                zh="查看当时的 Traceback，并修复其中指出的问题。",
            ),
            "grep -n -A20 Traceback {home}/logs/open_paas/login_uwsgi.log | tail -n 60",
        ),
        causes=(*same_host(*_DOWN, "login-log-dir"), *anywhere("database-reachable", "database-login")),
    ),
    Condition(
        id="login-access-log-latency",
        scopes=(Each(("paas",)),),
        severity="warn",
        about=("login",),
        title=Text(en="Login has recently answered quickly", zh="login 近期响应迅速"),
        reads=Text(
            en="The same calls, with the milliseconds that uwsgi notes for each.",
            zh="同样的调用，以及 uwsgi 记录的每次耗时（毫秒）。",
        ),
        fails=Text(
            en="Within `log_window_minutes` (10), 5% of the calls took longer than `login_slow_seconds` (5).",
            zh="`log_window_minutes`（10）内，有 5% 的调用超过 `login_slow_seconds`（5）秒。",
        ),
        means=Text(
            en="Pages of all applications are slow or time out, since each asks login first.",
            zh="所有应用的页面变慢或超时，因为它们都要先访问 login。",
        ),
        remedy=repair(
            Text(
                en="The usual reason is a slow database or too few workers. See whether the slow calls (the limit is 5 s as "
                "shipped) have a time, a caller or a path in common: the seventh field is milliseconds.",
                zh="常见原因是数据库慢或 worker 不足。查看慢请求（默认上限 5 秒）的时间、调用方、路径有无共同点：第七个字段"
                "为毫秒数。",
            ),
            "awk -F'[][]' '$14 > 5000' {home}/logs/open_paas/login_uwsgi.log | tail -n 20",
            (
                "ss -lnt | grep ':8003 '",
                Text(en="Recv-Q: connections that wait", zh="Recv-Q 为等待的连接数"),
            ),
        ),
        causes=(*same_host(*_DOWN, "login-log-dir"), *anywhere("database-reachable", "database-login")),
    ),
    Condition(
        id="http-proxy-env",
        scopes=(Each(),),
        title=Text(
            en="No HTTP proxy takes the requests to PaaS: none is set, or no_proxy excepts PaaS",
            zh="没有 HTTP 代理劫持发往 PaaS 的请求：未设置代理，或 no_proxy 已排除 PaaS",
        ),
        reads=Text(
            en="Proxy variables in `/etc/environment`, `/etc/profile`, `/etc/profile.d/*.sh` and root's "
            "shell, curl and wget files; in `/proc/PID/environ` of BlueKing's processes; "
            "-Dhttp.proxyHost of Java.",
            zh="`/etc/environment`、`/etc/profile`、`/etc/profile.d/*.sh` 以及 root 的 shell、curl、wget 配"
            "置中的代理变量；蓝鲸进程的 `/proc/PID/environ`；Java 的 -Dhttp.proxyHost。",
        ),
        fails=Text(
            en="An http_proxy, all_proxy or proxy of the domain's scheme is set, and its no_proxy does not "
            "except every name and address that this host asks: the domains of PaaS, CMDB and JOB; on a "
            "paas host also the paas and app hosts.",
            zh="设置了 http_proxy、all_proxy 或域名所用协议的代理，且 no_proxy 没有排除本机要访问的全部域名"
            "和地址：PaaS、CMDB、JOB 域名；paas 主机还包括 paas 和 app 主机的地址。",
        ),
        means=Text(
            en="Requests to PaaS go to the proxy, which refuses them or answers with a page of its own: "
            "the commonest reason why a login does not respond on one host only.",
            zh="发往 PaaS 的请求被送到代理，被拒绝或得到代理自己的页面：只在某台主机上登录无响应时最常见的"
            "原因。",
        ),
        remedy=repair(
            Text(
                en="Remove the proxy where the verdict found it, or add the exception to that very file (typed at a prompt "
                "it is lost with the shell); then restart what was started with it: a process keeps its environment.",
                zh="在结果指出的位置删除代理，或在该文件中添加排除项（只在命令行输入，退出 shell 即失效）；然后重启带着该变量"
                "启动的服务：进程会保留启动时的环境变量。",
            ),
            "grep -niE 'proxy' /etc/environment /etc/profile /etc/profile.d/*.sh ~/.bashrc ~/.bash_profile ~/.profile "
            "~/.curlrc ~/.wgetrc",
            by_hand(
                en="a line for a shell's file: export no_proxy={no_proxy}",
                zh="shell 配置文件中的一行：export no_proxy={no_proxy}",
            ),
            by_hand(
                en="for /etc/environment and ~/.wgetrc: no_proxy={no_proxy}",
                zh="/etc/environment 和 ~/.wgetrc 中的一行：no_proxy={no_proxy}",
            ),
            by_hand(
                en='for ~/.curlrc: noproxy = "{no_proxy}"', zh='~/.curlrc 中的一行：noproxy = "{no_proxy}"'
            ),
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
        reads=Text(
            en="BK_COOKIE_DOMAIN as login's settings yield it (default.py, then settings_production.py); "
            "the domains of PaaS, CMDB and JOB of the inventory.",
            zh="login 配置最终生效的 BK_COOKIE_DOMAIN（先 default.py，后 settings_production.py）；清单中 "
            "PaaS、CMDB、JOB 的域名。",
        ),
        fails=Text(
            en="The value is a top-level domain, or does not cover one of these domains. Without a value, "
            "only the PaaS domain itself is covered.",
            zh="该值是顶级域，或没有覆盖其中某个域名。没有值时只覆盖 PaaS 域名本身。",
        ),
        means=Text(
            en="The browser drops the cookie after a correct password, and the login form comes back.",
            zh="密码正确后浏览器丢弃 cookie，登录页面再次出现。",
        ),
        remedy=repair(
            Text(
                en="A browser drops a cookie of another domain, and the login page comes back for ever. "
                "Set BK_COOKIE_DOMAIN to the common part, with a leading dot, in settings_production.py "
                "on every paas host, and restart login. Users log in once more.",
                zh="域不匹配的 cookie 会被浏览器丢弃，登录页面会无限出现。在每台 paas 主机的 "
                "settings_production.py 中将 BK_COOKIE_DOMAIN 设为公共域（以点开头）并重启 login。用户需"
                "要重新登录一次。",
            ),
            (
                "grep -nw BK_COOKIE_DOMAIN {home}/open_paas/login/conf/default.py "
                "{home}/open_paas/login/conf/settings_production.py",
                Text(en="the second file overrides the first", zh="后一个文件覆盖前一个"),
            ),
            by_hand(en="edit the value now", zh="此时修改该值"),
            "{supervisorctl} restart login",
        ),
    ),
)
