"""FAQ: a SaaS on appt (or appo) answers 502 Bad Gateway."""

from __future__ import annotations

from bkpaas.faq.model import (
    RELOAD,
    START,
    Condition,
    Each,
    Links,
    Point,
    Symptom,
    Text,
    by_hand,
    repair,
    same_host,
    target,
)

NO_AGENT = Text(en="the inventory has no appo or appt host", zh="清单中没有 appo 或 appt 主机")

SYMPTOM = Symptom(
    key="appt-502",
    title=Text(en="appt answers 502 Bad Gateway", zh="appt访问报502 bad gateway"),
    introduction=Text(
        en="http://PAAS_DOMAIN/t/APP/ (or /o/APP/) shows 502 Bad Gateway, while the platform itself works.",
        zh="访问 http://PAAS域名/t/应用/（或 /o/应用/）报 502 Bad Gateway，而平台自身正常。",
    ),
    conditions=(
        "agent-nginx-8010",
        "agent-8010-from-nginx",
        "agent-upstream-map",
        "agent-process",
        "agent-from-paas",
        "saas-run-state",
    ),
    points=(
        Point(
            says=Text(
                en="Find where /t/ really leads: its location in paas.conf, and the servers of upstream "
                "PAAS_AGENT_TEST.",
                zh="确认 /t/ 的实际访问路径：paas.conf 中的 location 和 upstream PAAS_AGENT_TEST 的 server。",
            ),
            conditions=("agent-upstream-map", "upstream-answers", "domain-502"),
            answer=Text(
                en="Judged are the servers of the upstream, and through the domain `/t/` and `/o/` themselves. The location "
                "is read only to see which upstreams are in use: how it is written differs from version to version. "
                "/t/bk_framework/ is not asked: it need not be deployed, and a page of an application runs its code. The "
                "FAQ's /data/bkee is the enterprise edition's prefix, /data/bkce the community edition's; the suite finds "
                "each host's own.",
                zh="判定的是 upstream 的 server，以及域名下的 `/t/` 和 `/o/` 本身。location 只用来确认哪些 upstream 被使用：各版本写法不同。"
                "不访问 /t/bk_framework/：它不一定部署，而且访问应用页面会运行其代码。FAQ 中的 /data/bkee 是企业版的安装前缀，"
                "/data/bkce 是社区版的；套件按每台主机的实际路径查找。",
            ),
        ),
        Point(
            says=Text(
                en="Ask port 8010 of that host from the paas host with curl.",
                zh="在 paas 服务器上用 curl 访问该主机的 8010。",
            ),
            conditions=("agent-8010-from-nginx",),
            answer=Text(
                en="Asked from every paas host and from every nginx host: it is nginx that must get through.",
                zh="从每台 paas 主机和每台 nginx 主机访问：真正需要通的是 nginx。",
            ),
        ),
        Point(
            says=Text(
                en="Connection refused: see on appt whether 8010 is listened on.",
                zh="拒绝连接：在 appt 上确认 8010 是否监听。",
            ),
            conditions=("agent-nginx-8010", "agent-process"),
        ),
        Point(
            says=Text(
                en="Find nginx's program by its pid in /proc.",
                zh="通过 /proc 中的 pid 找到 nginx 程序路径。",
            ),
            conditions=("agent-nginx-8010",),
            answer=Text(en="The verdict and the remedy name it.", zh="结果和处理方法中会写明。"),
        ),
        Point(
            says=Text(en="Reload nginx; 8010 comes up.", zh="重新 reload nginx，8010 起来。"),
            conditions=("agent-nginx-8010",),
            answer=Text(
                en="That an nginx runs and does not listen is this fault exactly: it was started before "
                "its file was there. A reload is never done by the suite.",
                zh="nginx 在运行却未监听，正是这个故障：启动早于配置文件。套件自身从不执行 reload。",
            ),
        ),
        Point(
            says=Text(
                en="Try again: /t/bk_framework/ is well, and curl of 8010 shows nginx's test page.",
                zh="重新测试，/t/bk_framework/ 访问 OK，curl 8010 显示 nginx 测试页。",
            ),
            conditions=("agent-nginx-8010", "saas-run-state"),
            answer=Text(
                en="The test page proves nginx, not the application: whose process is gone still answers "
                "502. A 404 is an application that is not deployed. With more than one server in the "
                "upstream, nginx may avoid a repaired one for 30 s more.",
                zh="测试页只证明 nginx 正常，不代表应用正常：进程已不在的应用仍返回 502；404 表示应用未部署。"
                "upstream 有多个 server 时，nginx 可能在 30 秒内仍避开刚修复的节点。",
            ),
        ),
    ),
)

CONDITIONS = (
    Condition(
        id="agent-nginx-8010",
        scopes=(Each(("appo", "appt")),),
        nobody=NO_AGENT,
        about=("agent",),
        title=Text(
            en="nginx on the app host listens on 8010 and answers",
            zh="app 主机上的 nginx 监听 8010 并有应答",
        ),
        reads=Text(
            en="Who listens on the app host's port 8010 (or that of the inventory), nginx's processes and "
            "files, and one GET of `/` there from the host itself.",
            zh="app 主机上 8010（或清单中的端口）由谁监听、nginx 的进程和配置，以及在本机 GET 一次 `/`。",
        ),
        fails=Text(
            en="Nothing listens, there is no HTTP answer within `request_seconds` (8), the answer is 502, "
            "503 or 504, or a program that is no nginx has the port. A 404 is well: no SaaS is deployed "
            "there.",
            zh="没有监听、`request_seconds`（8）内没有 HTTP 应答、返回 502/503/504，或占用端口的不是 nginx。"
            "404 属正常：那里没有部署该 SaaS。",
        ),
        means=Text(
            en="Every SaaS of that environment is a 502. The usual case is an nginx that runs but was "
            "started before its file was there.",
            zh="该环境的所有 SaaS 都是 502。常见情形是 nginx 在运行，但启动早于配置文件。",
        ),
        remedy=repair(
            Text(
                en="nginx that runs but does not listen was started before its file was there: reload it. "
                "A file without `listen {agent_port}`: mend the file first. Another program on the port: stop that first.",
                zh="nginx 在运行但未监听，是因为启动早于配置文件：重载即可。配置中没"
                "有 `listen {agent_port}`：先修正配置。端口被其他程序占用：先停止它。",
            ),
            RELOAD,
            Text(en="When no nginx runs, and only then:", zh="nginx 没有运行时才启动："),
            START,
            Text(en="Either way:", zh="之后确认："),
            "ss -lntp | grep ':{agent_port} '",
            (
                "curl -m 5 -i http://{address}:{agent_port}/",
                Text(en="any answer but a 502", zh="除 502 外的任何应答"),
            ),
        ),
        causes=same_host("disk-space", "nginx-conf-port80"),
    ),
    Condition(
        id="agent-8010-from-nginx",
        scopes=(Links(("nginx", "paas"), ("appo", "appt")),),
        nobody=NO_AGENT,
        about=("agent",),
        title=Text(
            en="The nginx and paas hosts reach port 8010 of the app host",
            zh="nginx 和 paas 主机能访问 app 主机的 8010 端口",
        ),
        reads=Text(
            en="From each nginx and paas host one GET of `/` on 8010 of each app host.",
            zh="在每台 nginx 和 paas 主机上 GET 各 app 主机 8010 的 `/`。",
        ),
        fails=Text(
            en="No HTTP answer within `request_seconds` (8): refused, no route, silence.",
            zh="`request_seconds`（8）内没有 HTTP 应答：拒绝、无路由或无响应。",
        ),
        means=Text(
            en="nginx in front cannot pass the request on: 502, or a long wait and 504 when a firewall drops it.",
            zh="接入层 nginx 无法转发请求：502；若被防火墙丢弃，则长时间等待后 504。",
        ),
        remedy=repair(
            Text(
                en="See how it fails. Refused: nginx on {target} does not listen (agent-nginx-8010).",
                zh="先看是哪种失败。拒绝连接：{target} 上的 nginx 没有监听（agent-nginx-8010）。",
            ),
            (
                "curl -m 5 -i http://{target_address}:{agent_port}/",
                Text(en="on {source}", zh="在 {source} 上执行"),
            ),
            ("ss -lntp | grep ':{agent_port} '", Text(en="on {target}", zh="在 {target} 上执行")),
            Text(
                en="No answer in time or no route, while {target} listens: a firewall there or between. Allow "
                "{source_address} on {target}:",
                zh="超时或无路由，而 {target} 已监听：该机或中间的防火墙。在 {target} 上允许 {source_address}：",
            ),
            ("iptables -nL INPUT; firewall-cmd --list-all", Text(en="on {target}", zh="在 {target} 上执行")),
            (
                "iptables -I INPUT -s {source_address} -p tcp --dport {agent_port} -j ACCEPT",
                Text(
                    en="on {target}; lost at its next boot: for good, add it to the firewall's own rules",
                    zh="在 {target} 上执行，重启后失效：需写入防火墙自身的规则",
                ),
            ),
        ),
        causes=target("agent-nginx-8010"),
    ),
    Condition(
        id="agent-upstream-map",
        scopes=(Each(("nginx",)),),
        title=Text(
            en="nginx sends /t/ to the appt hosts and /o/ to the appo hosts",
            zh="nginx 把 /t/ 转发到 appt 主机，把 /o/ 转发到 appo 主机",
        ),
        reads=Text(
            en="The server lines of upstreams PAAS_AGENT_TEST and PAAS_AGENT_PROD in nginx's files; the "
            "addresses of appt and appo hosts.",
            zh="nginx 配置中 PAAS_AGENT_TEST 和 PAAS_AGENT_PROD 的 server 行；appt 和 appo 主机的地址。",
        ),
        fails=Text(
            en="TEST names a host that is no appt, or PROD one that is no appo. no_data when such an "
            "upstream is missing.",
            zh="TEST 中有不是 appt 的主机，或 PROD 中有不是 appo 的主机。缺少该 upstream 时为 no_data。",
        ),
        means=Text(
            en="The test environment of a SaaS is served from production hosts or the other way round, or "
            "from a host that was given up.",
            zh="SaaS 的测试环境由正式环境主机提供（或相反），或指向已停用的主机。",
        ),
        remedy=repair(
            Text(
                en="Correct the server lines of PAAS_AGENT_TEST (appt) and PAAS_AGENT_PROD (appo), then "
                "reload.",
                zh="修正 PAAS_AGENT_TEST（appt）和 PAAS_AGENT_PROD（appo）的 server 行，然后重载。",
            ),
            "grep -rn -A4 'upstream PAAS_AGENT' {nginx_folder}",
            by_hand(en="edit the server lines now", zh="此时修改 server 行"),
            RELOAD,
        ),
        causes=same_host("nginx-conf-port80"),
    ),
    Condition(
        id="agent-process",
        scopes=(Each(("appo", "appt")),),
        nobody=NO_AGENT,
        about=("agent",),
        title=Text(en="paas_agent runs and its healthz answers", zh="paas_agent 在运行且 healthz 有应答"),
        reads=Text(
            en="The paas_agent process, and GET `/healthz` at the address of `paas_agent_config.yaml` "
            "(4245 as shipped), from the host itself.",
            zh="paas_agent 进程，以及在本机按 `paas_agent_config.yaml` 的地址（出厂端口 4245）GET "
            "`/healthz`。",
        ),
        fails=Text(
            en="No HTTP answer within `request_seconds` (8), or one that does not say that it is alive.",
            zh="`request_seconds`（8）内没有 HTTP 应答，或应答没有表明存活。",
        ),
        means=Text(
            en="Nothing can be deployed on this host, and healthz of appengine becomes false (with status "
            "200).",
            zh="无法在该主机上部署，appengine 的 healthz 会变为 false（状态码仍为 200）。",
        ),
        remedy=repair(
            Text(
                en="Start it; when it ends at once, its log says why (usually that it cannot reach the "
                "PaaS domain).",
                zh="启动它；如果立即退出，日志中有原因（通常是无法访问 PaaS 域名）。",
            ),
            "{agent_supervisorctl} start paas_agent",
            "tail -n 50 {home}/logs/paas_agent/agent.log",
            "curl -m 5 -i {url}",
        ),
        causes=same_host("disk-space"),
    ),
    Condition(
        id="agent-from-paas",
        scopes=(Links(("paas",), ("appo", "appt")),),
        nobody=NO_AGENT,
        about=("agent",),
        title=Text(en="The paas host reaches paas_agent", zh="paas 主机能访问 paas_agent"),
        reads=Text(
            en="From each paas host GET `/healthz` of paas_agent on each app host.",
            zh="在每台 paas 主机上 GET 各 app 主机 paas_agent 的 `/healthz`。",
        ),
        fails=Text(
            en="No HTTP answer within `request_seconds` (8).",
            zh="`request_seconds`（8）内没有 HTTP 应答。",
        ),
        means=Text(
            en="Deployments from that paas host to this app host never begin, and end in the platform's "
            "time-out.",
            zh="该 paas 主机无法向这台 app 主机下发部署，最终以平台超时结束。",
        ),
        remedy=repair(
            Text(
                en="Deployments are sent over this connection. See how it fails. Refused: paas_agent is down (agent-process).",
                zh="部署任务通过该连接下发。先看是哪种失败。拒绝连接：paas_agent 未运行（agent-process）。",
            ),
            (
                "curl -m 5 -i http://{target_address}:{paas_agent_port}/healthz",
                Text(en="on {source}", zh="在 {source} 上执行"),
            ),
            ("ss -lntp | grep ':{paas_agent_port} '", Text(en="on {target}", zh="在 {target} 上执行")),
            Text(
                en="No answer in time or no route, while {target} listens: a firewall there or between. Allow "
                "{source_address} on {target}:",
                zh="超时或无路由，而 {target} 已监听：该机或中间的防火墙。在 {target} 上允许 {source_address}：",
            ),
            ("iptables -nL INPUT; firewall-cmd --list-all", Text(en="on {target}", zh="在 {target} 上执行")),
            (
                "iptables -I INPUT -s {source_address} -p tcp --dport {paas_agent_port} -j ACCEPT",
                Text(
                    en="on {target}; lost at its next boot: for good, add it to the firewall's own rules",
                    zh="在 {target} 上执行，重启后失效：需写入防火墙自身的规则",
                ),
            ),
        ),
        causes=target("agent-process"),
    ),
    Condition(
        id="saas-run-state",
        scopes=(Each(("appo", "appt")),),
        nobody=NO_AGENT,
        severity="warn",
        title=Text(
            en="Every SaaS that claims to run has a living process behind its socket",
            zh="每个标记为运行的 SaaS 都有存活的进程",
        ),
        reads=Text(
            en="`run/uwsgi.pid` (or nginx.pid) and the socket beside it of each application below "
            "`paas_agent/apps/projects`; `/proc`.",
            zh="`paas_agent/apps/projects` 下各应用的 `run/uwsgi.pid`（或 nginx.pid）及同目录的套接字；"
            "`/proc`。",
        ),
        fails=Text(
            en="The process of the pid file is gone, or its socket is.",
            zh="pid 文件中的进程不存在，或套接字不存在。",
        ),
        means=Text(
            en="This one SaaS answers 502; the others are well.",
            zh="只有这个 SaaS 返回 502，其他正常。",
        ),
        remedy=repair(
            Text(
                en="The pid file is there but nothing serves: that SaaS answers 502. Deploy it again from "
                "the developer center.",
                zh="pid 文件存在但没有进程服务：该 SaaS 会返回 502。在开发者中心重新部署。",
            ),
            "ls -l {home}/paas_agent/apps/projects/*/run/",
        ),
        causes=same_host("agent-process", "disk-space"),
    ),
)
