"""FAQ: the login of the integration platform answers 502 Bad Gateway."""

from __future__ import annotations

from bkpaas.faq.model import (
    Condition,
    Each,
    FromController,
    Links,
    Symptom,
    Text,
    anywhere,
    same_host,
    source,
    target,
)

SYMPTOM = Symptom(
    key="login-502",
    title=Text(en="Login answers 502 Bad Gateway", zh="PaaS登陆提示502 Bad GateWay"),
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
)

_SERVICE_DOWN = ("supervisor-status", "port-owner", "bind-address-consistent")

CONDITIONS = (
    Condition(
        id="bind-address-consistent",
        scopes=(Each(("paas",)),),
        title=Text(
            en="Each service listens on the address that nginx and the inventory use for this host",
            zh="各服务监听的地址与 nginx 和清单中本机的地址一致",
        ),
        remedy=Text(
            en="The uwsgi file names another address of this host (several NICs). Put {address} there, then restart the "
            "service.\n$ grep -n '^http' {home}/etc/uwsgi-open_paas-*.ini\n$ {supervisorctl} restart {service}",
            zh="uwsgi 配置中写的是本机的另一个地址（多网卡）。改为 {address} 后重启服务。\n"
            "$ grep -n '^http' {home}/etc/uwsgi-open_paas-*.ini\n$ {supervisorctl} restart {service}",
        ),
    ),
    Condition(
        id="paas-ports-local",
        scopes=(Each(("paas",)),),
        title=Text(
            en="Each open_paas service listens where its configuration says",
            zh="open_paas 各服务都在配置的地址和端口上监听",
        ),
        remedy=Text(
            en="The service is down. See its state and its log, then start it.\n"
            "$ {supervisorctl} status\n$ tail -n 50 {home}/logs/open_paas/{service}_uwsgi.log\n"
            "$ {supervisorctl} start {service}",
            zh="服务没有起来。查看状态和日志后启动。\n"
            "$ {supervisorctl} status\n$ tail -n 50 {home}/logs/open_paas/{service}_uwsgi.log\n"
            "$ {supervisorctl} start {service}",
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
        remedy=Text(
            en="The service is slower than its callers: see what it waits for (database, other services), then the number "
            "of workers.\n$ ss -lnt | grep ':800'",
            zh="服务处理速度跟不上请求：查看它在等什么（数据库、其他服务），再考虑 worker 数量。\n$ ss -lnt | grep ':800'",
        ),
        causes=same_host("services-answer", "database-reachable"),
    ),
    Condition(
        id="nginx-conf-port80",
        scopes=(Each(("nginx",)),),
        title=Text(
            en="nginx runs, its files serve the PaaS domain, and it listens on that port",
            zh="nginx 在运行，配置中有 PaaS 域名的 server，并监听对应端口",
        ),
        remedy=Text(
            en="Start or reload nginx; when it does not start, see what holds the port and what nginx says of its files.\n"
            "$ ss -lntp | grep ':{domain_port} '\n$ nginx -t\n$ nginx -s reload || nginx",
            zh="启动或重载 nginx；若启动失败，查看端口占用和 nginx 对配置的检查结果。\n"
            "$ ss -lntp | grep ':{domain_port} '\n$ nginx -t\n$ nginx -s reload || nginx",
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
        remedy=Text(
            en="The host has several addresses and nginx listens on another one than the domain resolves to, or another "
            "server block owns that address. Use `listen {domain_port};`, or the address of the domain, in paas.conf.\n"
            "$ grep -rn 'listen\\|server_name' {home}/etc/nginx/\n$ nginx -t && nginx -s reload",
            zh="主机有多个地址，nginx 监听的不是域名解析到的地址，或该地址被另一个 server 占用。在 paas.conf 中使用 "
            "`listen {domain_port};` 或域名对应的地址。\n"
            "$ grep -rn 'listen\\|server_name' {home}/etc/nginx/\n$ nginx -t && nginx -s reload",
        ),
        causes=same_host("nginx-conf-port80"),
    ),
    Condition(
        id="nginx-conf-upstreams",
        scopes=(Each(("nginx",)),),
        title=Text(
            en="nginx's upstreams for open_paas name paas hosts of the inventory with the right port",
            zh="nginx 中 open_paas 的 upstream 都是清单中的 paas 主机且端口正确",
        ),
        remedy=Text(
            en="Correct the server lines of that upstream and reload.\n"
            "$ grep -n -A6 'upstream OPEN_PAAS' {home}/etc/nginx/paas.conf\n$ nginx -t && nginx -s reload",
            zh="修正该 upstream 的 server 行并重载。\n"
            "$ grep -n -A6 'upstream OPEN_PAAS' {home}/etc/nginx/paas.conf\n$ nginx -t && nginx -s reload",
        ),
    ),
    Condition(
        id="nginx-upstreams-complete",
        scopes=(Each(("nginx",)),),
        severity="warn",
        title=Text(
            en="Every paas host of the inventory stands in nginx's upstreams",
            zh="清单中的每台 paas 主机都在 nginx 的 upstream 中",
        ),
        remedy=Text(
            en="Without it the host takes no load and there is no redundancy. Add its server line and reload.\n"
            "$ grep -n -A6 'upstream OPEN_PAAS' {home}/etc/nginx/paas.conf\n$ nginx -t && nginx -s reload",
            zh="缺少它则该主机不承担流量，也没有冗余。补上 server 行并重载。\n"
            "$ grep -n -A6 'upstream OPEN_PAAS' {home}/etc/nginx/paas.conf\n$ nginx -t && nginx -s reload",
        ),
        causes=same_host("nginx-conf-upstreams"),
    ),
    Condition(
        id="paas-ports-from-nginx",
        scopes=(Links(("nginx",), ("paas",)),),
        title=Text(
            en="nginx's host reaches every open_paas service of the paas host",
            zh="nginx 所在主机能访问 paas 主机的各个 open_paas 服务",
        ),
        remedy=Text(
            en="Refused: the service is down or listens elsewhere. No answer in time or no route: a firewall. "
            "On {target} allow {source_address} to ports 8000-8003.\n"
            "$ curl -m 5 http://{target_address}:{ports}/    # on {source}\n"
            "$ iptables -nL INPUT; firewall-cmd --list-all    # on {target}",
            zh="拒绝连接：服务未启动或监听在别处。超时或无路由：防火墙。在 {target} 上允许 {source_address} 访问 8000-8003。\n"
            "$ curl -m 5 http://{target_address}:{ports}/    # 在 {source} 上执行\n"
            "$ iptables -nL INPUT; firewall-cmd --list-all    # 在 {target} 上执行",
        ),
        causes=target(
            "paas-ports-local",
            "services-answer",
            "database-reachable",
            *_SERVICE_DOWN,
            "supervisor-proc",
        ),
    ),
    Condition(
        id="upstream-answers",
        scopes=(Each(("nginx",)),),
        title=Text(
            en="Each upstream server in nginx's files answers when asked by itself",
            zh="逐个访问 nginx 配置中的每个 upstream server 都有应答",
        ),
        remedy=Text(
            en="nginx hides one dead upstream behind the others, then fails for a part of the requests. Repair or remove "
            "the server named above.\n$ curl -m 5 -i http://{ports}/    # on {host}",
            zh="nginx 会用其他节点掩盖一个失效的 upstream，然后部分请求失败。修复或移除上面列出的 server。\n"
            "$ curl -m 5 -i http://{ports}/    # 在 {host} 上执行",
        ),
        causes=(
            *same_host("nginx-conf-upstreams"),
            *source("paas-ports-from-nginx", "agent-8010-from-nginx"),
            *anywhere(
                "host-reachable",
                "services-answer",
                "database-reachable",
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
            zh="PaaS 域名下没有路径返回 502、503、504 或没有应答",
        ),
        remedy=Text(
            en="nginx's error log names the upstream that failed.\n"
            "$ curl -i -m 10 http://{domain}/login/\n$ tail -n 20 {home}/logs/nginx/*error.log",
            zh="nginx 错误日志会写明失败的 upstream。\n"
            "$ curl -i -m 10 http://{domain}/login/\n$ tail -n 20 {home}/logs/nginx/*error.log",
        ),
        causes=anywhere(
            "host-reachable",
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
            "paas-ports-local",
            "domain-resolve",
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
        remedy=Text(
            en="Requests failed a short while ago. When everything else is green, the upstream has recovered; see when it "
            "was down.\n$ tail -n 50 {home}/logs/nginx/*error.log",
            zh="不久前有请求失败。如果其他检查都正常，说明 upstream 已恢复；查看它何时不可用。\n"
            "$ tail -n 50 {home}/logs/nginx/*error.log",
        ),
        causes=(
            *same_host("nginx-conf-upstreams", "upstream-answers"),
            *source("paas-ports-from-nginx", "agent-8010-from-nginx"),
            *anywhere(
                "host-reachable",
                "services-answer",
                "database-reachable",
                "paas-ports-local",
                "supervisor-status",
                "port-owner",
                "agent-nginx-8010",
                "saas-run-state",
            ),
        ),
    ),
)
