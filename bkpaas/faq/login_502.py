"""FAQ: the login of the integration platform answers 502 Bad Gateway."""

from __future__ import annotations

from bkpaas.faq.model import (
    RELOAD,
    SERVICES,
    START,
    Condition,
    Each,
    FromController,
    Links,
    Point,
    Symptom,
    Text,
    anywhere,
    by_hand,
    needed,
    repair,
    same_host,
    seen_by_all,
    source,
    target,
)

SYMPTOM = Symptom(
    key="login-502",
    title=Text(en="Login answers 502 Bad Gateway", zh="PaaS登陆提示502 Bad GateWay"),
    introduction=Text(
        en="The browser shows 502 Bad Gateway for the integration platform: nginx is there, what should "
        "answer behind it is not, or not on the way that nginx takes.",
        zh="浏览器访问集成平台显示 502 Bad Gateway：nginx 正常，但其后的服务没有应答，或 nginx 走的路不通。",
    ),
    conditions=(
        "bind-address-consistent",
        "paas-ports-local",
        "listen-queue",
        "nginx-conf-port80",
        "nginx-listen-vs-domain",
        "virtual-address-held",
        "domain-certificate",
        "domain-certificate-expiry",
        "domain-certificate-trusted",
        "nginx-conf-upstreams",
        "nginx-upstreams-complete",
        "paas-ports-from-nginx",
        "upstream-answers",
        "domain-502",
        "nginx-error-log",
    ),
    points=(
        Point(
            says=Text(
                en="The integration platform (open_paas) easily shows 502, for many reasons.",
                zh="访问集成平台（open_paas）容易出现 502，原因较多。",
            ),
            conditions=("domain-502", "nginx-error-log"),
        ),
        Point(
            says=Text(
                en="Make sure that its four web services have started and can be reached; most likely the "
                "cause.",
                zh="确认 open_paas 4 个 web 服务启动正常且可以访问（最可能）。",
            ),
            conditions=(
                "supervisor-status",
                "paas-ports-local",
                "services-answer",
                "database-reachable",
                "database-login",
                "listen-queue",
            ),
            answer=Text(
                en="Started is not enough: settings that do not load give RUNNING, an open port and a 500.",
                zh="启动还不够：配置加载失败时也是 RUNNING、端口已监听，但返回 500。",
            ),
        ),
        Point(
            says=Text(
                en="A service whose port is taken does not start.",
                zh="端口被占用时 web 服务启动失败。",
            ),
            conditions=("port-owner",),
            answer=Text(
                en="Often without a 502: nginx passes on what the stranger answers, when it speaks HTTP often with status 200. "
                "A stranger that speaks no HTTP, or listens on another address only, is a 502.",
                zh="往往不是 502：nginx 会转发占用者的应答，若它使用 HTTP，状态码常常是 200。占用者不使用 HTTP，或只监听"
                "其他地址时，才是 502。",
            ),
        ),
        Point(
            says=Text(
                en="Make sure of the firewall: nginx's host must reach each service, curl "
                "http://OPEN_PAAS_IP:8000.",
                zh="确认防火墙：nginx 所在服务器能访问各服务，curl http://OPEN_PAAS_IP:8000。",
            ),
            conditions=("paas-ports-from-nginx", "upstream-answers", "bind-address-consistent"),
            answer=Text(
                en="For the firewall any HTTP answer will do, 404 and 500 as well; that the answer is no 5xx is asked by "
                "upstream-answers. Ask the address in nginx's upstream, not 127.0.0.1: usually the services bind the "
                "host's address only.",
                zh="就防火墙而言，任何 HTTP 应答都可以，404 和 500 也行；应答不能是 5xx 由 upstream-answers 检查。要访问 nginx "
                "upstream 中的地址而不是 127.0.0.1：服务通常只绑定主机地址。",
            ),
        ),
        Point(
            says=Text(
                en="Make sure of server{listen 80;} in nginx's paas.conf.",
                zh="确认 nginx 的 paas.conf 中 server{listen 80;}。",
            ),
            conditions=("nginx-conf-port80", "nginx-conf-upstreams", "nginx-upstreams-complete"),
        ),
        Point(
            says=Text(
                en="With several NICs, nginx may listen on another one than the domain leads to; change it "
                "to listen NIC:80.",
                zh="多块网卡时，listen 的网卡与域名的网卡可能不同；改为 listen 网卡:80。",
            ),
            conditions=("nginx-listen-vs-domain", "bind-address-consistent"),
            answer=Text(
                en="A connection to an address without a listener is refused, not answered with 502. The "
                "502 of several NICs is a service that binds another address than the upstream names. "
                "`listen 80;` takes all addresses and needs no NIC.",
                zh="访问没有监听的地址是拒绝连接，不是 502。多网卡造成的 502，是服务绑定的地址与 upstream "
                "不同。`listen 80;` 监听所有地址，无需指定网卡。",
            ),
        ),
    ),
)

_SERVICE_DOWN = ("supervisor-status", "port-owner", "bind-address-consistent")

CONDITIONS = (
    Condition(
        id="bind-address-consistent",
        about=SERVICES,
        scopes=(Each(("paas",)),),
        title=Text(
            en="Each service listens on the address that nginx and the inventory use for this host",
            zh="各服务监听的地址与 nginx 和清单中本机的地址一致",
        ),
        reads=Text(
            en="The address of `http` (or http-socket, socket) in each uwsgi file; this host's addresses; "
            "the addresses that nginx's upstreams name for it, else the inventory's.",
            zh="各 uwsgi 配置中 `http`（或 http-socket、socket）的地址；本机地址；nginx upstream 中指向本机"
            "的地址，没有时用清单中的地址。",
        ),
        fails=Text(
            en="A service binds one address, and is asked on another. 0.0.0.0 and [::] suit all.",
            zh="服务绑定的地址与访问方使用的不同。0.0.0.0 和 [::] 视为相符。",
        ),
        means=Text(
            en="On a host with several NICs the service is RUNNING and answers locally, but nginx is "
            "refused: 502.",
            zh="多网卡主机上，服务 RUNNING 且本地可访问，但 nginx 被拒绝：502。",
        ),
        remedy=repair(
            Text(
                en="The uwsgi file names another address of this host (several NICs). Put {address} there, "
                "then restart the service.",
                zh="uwsgi 配置中写的是本机的另一个地址（多网卡）。改为 {address} 后重启服务。",
            ),
            "grep -n '^http' {home}/etc/uwsgi-open_paas-*.ini",
            by_hand(en="put {address} there now", zh="此时改为 {address}"),
            "{supervisorctl} restart {service}",
            "ss -lnt | grep '{address}:'",
        ),
    ),
    Condition(
        id="paas-ports-local",
        about=SERVICES,
        scopes=(Each(("paas",)),),
        title=Text(
            en="Each open_paas service listens where its configuration says",
            zh="open_paas 各服务都在配置的地址和端口上监听",
        ),
        reads=Text(
            en="The address and port of each uwsgi file; the listening sockets of `/proc/net/tcp` and tcp6.",
            zh="各 uwsgi 配置的地址和端口；`/proc/net/tcp` 和 tcp6 中的监听套接字。",
        ),
        fails=Text(
            en="Nothing listens there. A listener on 0.0.0.0, or on [::] that takes IPv4, counts.",
            zh="该处没有监听。监听 0.0.0.0，或接受 IPv4 的 [::]，均算在内。",
        ),
        means=Text(
            en="The service is down; every path of the domain that leads to it is a 502.",
            zh="服务没有起来；域名下通向它的路径都是 502。",
        ),
        remedy=repair(
            Text(
                en="The service is down. See its state and its log, then start it.",
                zh="服务没有起来。查看状态和日志后启动。",
            ),
            "{supervisorctl} status",
            "tail -n 50 {service_logs}",
            "{supervisorctl} start {service}",
            "ss -lntp | grep uwsgi",
        ),
        causes=same_host("supervisor-proc", "supervisor-status", "bind-address-consistent", "disk-space"),
    ),
    Condition(
        id="listen-queue",
        scopes=(Each(("paas",)),),
        severity="warn",
        title=Text(
            en="No service has a backlog of connections that wait to be accepted",
            zh="各服务没有积压等待接受的连接",
        ),
        reads=Text(
            en="Connections that wait for accept() on each service's port, from `/proc/net/tcp`.",
            zh="`/proc/net/tcp` 中各服务端口上等待 accept() 的连接数。",
        ),
        fails=Text(
            en="At least `listen_queue_percent` (80) of uwsgi's queue (`listen_queue_length`, 100 "
            "connections) are taken.",
            zh="达到 uwsgi 队列（`listen_queue_length`，100 个连接）的 `listen_queue_percent`（80）%。",
        ),
        means=Text(
            en="Workers are too few or wait for something; the next connections are dropped and users see "
            "time-outs and 502.",
            zh="worker 不足或在等待；再来的连接会被丢弃，用户看到超时和 502。",
        ),
        remedy=repair(
            Text(
                en="The service is slower than its callers: see what it waits for (database, other "
                "services), then the number of workers.",
                zh="服务处理速度跟不上请求：查看它在等什么（数据库、其他服务），再考虑 worker 数量。",
            ),
            ("ss -lnt | grep ':800'", Text(en="Recv-Q: connections that wait", zh="Recv-Q 为等待的连接数")),
            "tail -n 50 {service_logs}",
        ),
        causes=same_host("services-answer", "database-reachable", "database-login"),
    ),
    Condition(
        id="nginx-conf-port80",
        scopes=(Each(("nginx",)),),
        title=Text(
            en="nginx runs, its files serve the PaaS domain, and it listens on that port",
            zh="nginx 在运行，配置中有 PaaS 域名的 server，并监听对应端口",
        ),
        reads=Text(
            en="nginx's processes; its configuration with all includes; its listening sockets.",
            zh="nginx 进程；nginx 配置及全部 include；监听套接字。",
        ),
        fails=Text(
            en="nginx does not run; no server block has the PaaS domain as server_name (or is the default "
            "that leads to open_paas); or nginx listens on none of that block's ports.",
            zh="nginx 没有运行；没有 server_name 为 PaaS 域名的 server（或指向 open_paas 的默认 server）；"
            "或 nginx 没有监听该 server 的任何端口。",
        ),
        means=Text(
            en="The domain is refused or answered by something else. An nginx that runs without listening "
            "was started before its files were complete.",
            zh="域名被拒绝连接，或由别的程序应答。运行但未监听，说明 nginx 启动早于配置完成。",
        ),
        remedy=repair(
            Text(
                en="When nginx runs: let it check its files, then reload it. When it does not start, see what holds the port.",
                zh="nginx 在运行时：先检查配置，再重载。若启动失败，查看端口由谁占用。",
            ),
            RELOAD,
            Text(en="When none runs, and only then:", zh="没有运行时才启动："),
            START,
            Text(en="Either way:", zh="之后确认："),
            "ss -lntp | grep ':{domain_port} '",
            (
                "curl -sI -H 'Host: {domain}' http://{address}:{domain_port}/",
                Text(en="an answer of nginx", zh="应有 nginx 的应答"),
            ),
        ),
        causes=same_host("disk-space"),
    ),
    Condition(
        id="nginx-listen-vs-domain",
        scopes=(Each(("nginx",)),),
        title=Text(
            en="A request to the address that the domain resolves to ends in nginx's server for that domain",
            zh="发往域名解析地址的请求会落到 nginx 中该域名的 server",
        ),
        reads=Text(
            en="What the domain resolves to on the nginx host, its own addresses, the listen lines of all "
            "server blocks, the listening sockets.",
            zh="nginx 主机上域名解析的地址、本机地址、所有 server 的 listen 行、监听套接字。",
        ),
        fails=Text(
            en="nginx does not listen on that address, or the `listen` of a server block of another name fits "
            "it better than those of the domain's.",
            zh="nginx 没有监听该地址，或另一个 server 的 `listen` 比域名的 server 更匹配该地址。",
        ),
        means=Text(
            en="With several NICs requests are refused, or end in a wrong server block, although nginx "
            "listens on the domain's port.",
            zh="多网卡时，虽然 nginx 监听了域名的端口，请求仍被拒绝或进入错误的 server。",
        ),
        remedy=repair(
            Text(
                en="The host has several addresses and nginx listens on another one than the domain "
                "resolves to, or another server block owns that address. Use `listen {domain_port};`, "
                "or the address of the domain, in that server block.",
                zh="主机有多个地址，nginx 监听的不是域名解析到的地址，或该地址被另一个 server 占用。在该 "
                "server 中使用 `listen {domain_port};` 或域名对应的地址。",
            ),
            "getent hosts {domain}; ip -4 addr",
            "grep -rn 'listen\\|server_name' {nginx_folder}",
            by_hand(en="edit the listen line now", zh="此时修改 listen 行"),
            RELOAD,
            "ss -lntp | grep ':{domain_port} '",
        ),
        causes=same_host("nginx-conf-port80"),
    ),
    Condition(
        id="nginx-conf-upstreams",
        about=SERVICES,
        scopes=(Each(("nginx",)),),
        title=Text(
            en="nginx's upstreams for open_paas name paas hosts of the inventory with the right port",
            zh="nginx 中 open_paas 的 upstream 都是清单中的 paas 主机且端口正确",
        ),
        reads=Text(
            en="The server lines of upstreams OPEN_PAAS, _APPENGINE, _ESB, _LOGIN, _CONSOLE in nginx's "
            "files, with names resolved on that host; the paas hosts' addresses and the ports of their "
            "uwsgi files.",
            zh="nginx 配置中 OPEN_PAAS、_APPENGINE、_ESB、_LOGIN、_CONSOLE 各 upstream 的 server 行（名称在"
            "该主机上解析）；paas 主机的地址和 uwsgi 配置的端口。",
        ),
        fails=Text(
            en="A server is no paas host of the inventory, or has another port than the service.",
            zh="某个 server 不是清单中的 paas 主机，或端口与服务不符。",
        ),
        means=Text(
            en="A part of the requests goes to a host that is no longer there, or to a stranger: 502 now "
            "and then, or another site's login.",
            zh="部分请求被送到已不存在的主机或陌生主机：时而 502，或出现其他环境的登录。",
        ),
        remedy=repair(
            Text(
                en="Correct the server lines of that upstream and reload.",
                zh="修正该 upstream 的 server 行并重载。",
            ),
            "grep -rn -A6 'upstream OPEN_PAAS' {nginx_folder}",
            by_hand(en="edit the server lines now", zh="此时修改 server 行"),
            RELOAD,
        ),
        causes=same_host("nginx-conf-port80"),
    ),
    Condition(
        id="nginx-upstreams-complete",
        scopes=(Each(("nginx",)),),
        severity="warn",
        title=Text(
            en="Every paas host of the inventory stands in nginx's upstreams",
            zh="清单中的每台 paas 主机都在 nginx 的 upstream 中",
        ),
        reads=Text(en="The same server lines.", zh="同样的 server 行。"),
        fails=Text(
            en="A paas host of the inventory stands in none of the lines of a service, or only with `down`.",
            zh="清单中的某台 paas 主机不在某服务的 server 行中，或只以 `down` 出现。",
        ),
        means=Text(
            en="It takes no load; when the others fail, everything does.",
            zh="它不承担流量；其他主机故障时，服务全部中断。",
        ),
        remedy=repair(
            Text(
                en="Without it the host takes no load and there is no redundancy. Add its server line and "
                "reload.",
                zh="缺少它则该主机不承担流量，也没有冗余。补上 server 行并重载。",
            ),
            "grep -rn -A6 'upstream OPEN_PAAS' {nginx_folder}",
            by_hand(en="edit the server lines now", zh="此时修改 server 行"),
            RELOAD,
        ),
        causes=same_host("nginx-conf-upstreams"),
    ),
    Condition(
        id="paas-ports-from-nginx",
        about=SERVICES,
        scopes=(Links(("nginx",), ("paas",)),),
        title=Text(
            en="nginx's host reaches every open_paas service of the paas host",
            zh="nginx 所在主机能访问 paas 主机的各个 open_paas 服务",
        ),
        reads=Text(
            en="From the nginx host one GET to each of the four services of the paas host, at the address "
            "that nginx uses.",
            zh="在 nginx 主机上，按 nginx 使用的地址对 paas 主机的四个服务各发一次 GET。",
        ),
        fails=Text(
            en="No HTTP answer within `request_seconds` (8): refused, no route, silence. Any status counts "
            "as an answer.",
            zh="`request_seconds`（8）内没有 HTTP 应答：拒绝、无路由或无响应。任何状态码都算应答。",
        ),
        means=Text(
            en="Refused, or no route: the service is down or bound elsewhere, and users see 502 at once. Silence: a "
            "firewall drops, or the service hangs: users wait, and see 504 when nginx's own time is up.",
            zh="拒绝或无路由：服务未启动或绑定在别处，用户立即看到 502。无响应：防火墙丢弃或服务卡死，用户一直等待，nginx 超时后"
            "看到 504。",
        ),
        remedy=repair(
            Text(
                en="See how it fails. Refused: the service is down or listens elsewhere.",
                zh="先看是哪种失败。拒绝连接：服务未启动或监听在别处。",
            ),
            ("curl -m 5 -i {urls}", Text(en="on {source}", zh="在 {source} 上执行")),
            ("{supervisorctl} status; ss -lnt", Text(en="on {target}", zh="在 {target} 上执行")),
            Text(
                en="No answer in time or no route, while the same request is answered on {target}: a firewall. Allow "
                "{source_address} on {target}:",
                zh="超时或无路由，而同一请求在 {target} 本机有应答：防火墙。在 {target} 上允许 {source_address}：",
            ),
            ("iptables -nL INPUT; firewall-cmd --list-all", Text(en="on {target}", zh="在 {target} 上执行")),
            (
                "iptables -I INPUT -s {source_address} -p tcp --dport 8000:8003 -j ACCEPT",
                Text(
                    en="on {target}; lost at its next boot: for good, add it to the firewall's own rules",
                    zh="在 {target} 上执行，重启后失效：需写入防火墙自身的规则",
                ),
            ),
        ),
        causes=target(
            "paas-ports-local",
            "services-answer",
            "database-reachable",
            "database-login",
            *_SERVICE_DOWN,
            "supervisor-proc",
        ),
    ),
    Condition(
        id="upstream-answers",
        about=(*SERVICES, "agent"),
        scopes=(Each(("nginx",)),),
        title=Text(
            en="Each upstream server in nginx's files answers when asked by itself",
            zh="逐个访问 nginx 配置中的每个 upstream server 都有应答",
        ),
        reads=Text(
            en="From the nginx host GET `/` of every server in nginx's upstreams that something is passed to over "
            "HTTP and that is not marked down, one by one.",
            zh="在 nginx 主机上逐个 GET 被引用的 nginx upstream 中每个使用 HTTP 且未标记 down 的 server 的 `/`。",
        ),
        fails=Text(
            en="No HTTP answer within `request_seconds` (8), or a 5xx.",
            zh="`request_seconds`（8）内没有 HTTP 应答，或返回 5xx。",
        ),
        means=Text(
            en="nginx hides one dead server behind the living; one that answers 500 is not hidden: every "
            "second request fails.",
            zh="nginx 会用存活的节点掩盖失效的节点；但返回 500 的节点不会被跳过：每两次请求就有一次失败。",
        ),
        remedy=repair(
            Text(
                en="nginx hides one dead upstream behind the others, then fails for a part of the "
                "requests. Repair the server that does not answer, or take it out of the upstream.",
                zh="nginx 会用其他节点掩盖一个失效的 upstream，但部分请求会失败。修复没有应答的 server，或将其移出 upstream。",
            ),
            ("curl -m 5 -i {urls}", Text(en="on {host}", zh="在 {host} 上执行")),
        ),
        causes=(
            *same_host("nginx-conf-upstreams"),
            *source("paas-ports-from-nginx", "agent-8010-from-nginx"),
            *needed("host-reachable"),
            *anywhere(
                "services-answer",
                "database-reachable",
                "database-login",
                "paas-ports-local",
                "supervisor-status",
                "supervisor-proc",
                "port-owner",
                "bind-address-consistent",
                "agent-nginx-8010",
            ),
        ),
    ),
    Condition(
        id="domain-502",
        scopes=(FromController(),),
        title=Text(
            en="No path of the PaaS domain answers 502, 503 or 504, or not at all",
            zh="PaaS 域名下的各路径都有应答，且不是 502、503、504",
        ),
        reads=Text(
            en="From the controller GET `/`, `/login/`, `/api/`, `/v1/`, and with app hosts `/o/`, `/t/` "
            "of the PaaS domain, without cookies.",
            zh="从运行套件的机器 GET PaaS 域名的 `/`、`/login/`、`/api/`、`/v1/`，有 app 主机时还有 `/o/`、`/t/`，"
            "不带 cookie。",
        ),
        fails=Text(
            en="One of them answers 502, 503 or 504, or not at all within `request_seconds` (8). 404 is an "
            "answer.",
            zh="其中之一返回 502、503、504，或 `request_seconds`（8）内无应答。404 也算应答。",
        ),
        means=Text(
            en="nginx is there, the service behind that path is not.",
            zh="nginx 正常，但该路径后面的服务不可用。",
        ),
        remedy=repair(
            Text(
                en="nginx's error log names the upstream that failed.",
                zh="nginx 错误日志会写明失败的 upstream。",
            ),
            "curl -i -m 10 {site}/login/",
            ("tail -n 20 {error_logs}", Text(en="on the nginx hosts", zh="在 nginx 主机上执行")),
        ),
        causes=(
            *needed("host-reachable"),
            *anywhere(
                "virtual-address-held",
                "domain-certificate",
                "nginx-conf-port80",
                "nginx-listen-vs-domain",
                "nginx-conf-upstreams",
                "paas-ports-from-nginx",
                "agent-8010-from-nginx",
                "upstream-answers",
                "services-answer",
                "database-reachable",
                "database-login",
                "paas-ports-local",
                "domain-resolve",
            ),
        ),
    ),
    Condition(
        id="nginx-error-log",
        scopes=(Each(("nginx",)),),
        severity="warn",
        title=Text(
            en="nginx has not recently failed to get an answer from an upstream",
            zh="nginx 近期没有访问 upstream 失败的记录",
        ),
        reads=Text(
            en="The ends of nginx's error logs: those that its files name, `logs/nginx/*error*.log`, "
            "`/var/log/nginx/*error*.log`.",
            zh="nginx 错误日志的末尾：配置中指定的、`logs/nginx/*error*.log`、`/var/log/nginx/*error*.log`。",
        ),
        fails=Text(
            en="A line about an upstream, or a name that does not resolve, is younger than "
            "`log_window_minutes` (10).",
            zh="存在 `log_window_minutes`（10）分钟以内关于 upstream 或域名解析失败的日志。",
        ),
        means=Text(
            en="Users had errors just now, also when nginx has since found a living upstream.",
            zh="刚刚有用户遇到错误，即使 nginx 随后找到了可用的 upstream。",
        ),
        remedy=repair(
            Text(
                en="Requests failed a short while ago. When everything else is green, the upstream has "
                "recovered; see when it was down.",
                zh="不久前有请求失败。如果其他检查都正常，说明 upstream 已恢复；查看它何时不可用。",
            ),
            "tail -n 50 {error_logs}",
        ),
        causes=(
            *same_host("nginx-conf-upstreams", "upstream-answers"),
            *source("paas-ports-from-nginx", "agent-8010-from-nginx"),
            *seen_by_all("domain-502"),
            *needed("host-reachable"),
            *anywhere(
                "services-answer",
                "database-reachable",
                "database-login",
                "paas-ports-local",
                "supervisor-status",
                "port-owner",
                "agent-nginx-8010",
                "saas-run-state",
            ),
        ),
    ),
)
