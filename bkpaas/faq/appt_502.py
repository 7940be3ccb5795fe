"""FAQ: a SaaS on appt (or appo) answers 502 Bad Gateway."""

from __future__ import annotations

from bkpaas.faq.model import Condition, Each, Links, Symptom, Text, same_host, target

NO_AGENT = Text(en="the inventory has no appo or appt host", zh="清单中没有 appo 或 appt 主机")

SYMPTOM = Symptom(
    key="appt-502",
    title=Text(en="appt answers 502 Bad Gateway", zh="appt访问报502 bad gateway"),
    conditions=(
        "agent-nginx-8010",
        "agent-8010-from-nginx",
        "agent-upstream-map",
        "agent-process",
        "agent-from-paas",
        "saas-run-state",
    ),
)

CONDITIONS = (
    Condition(
        id="agent-nginx-8010",
        scopes=(Each(("appo", "appt")),),
        nobody=NO_AGENT,
        title=Text(
            en="nginx on the app host listens on 8010 and answers",
            zh="app 主机上的 nginx 监听 8010 并有应答",
        ),
        remedy=Text(
            en="nginx that runs but does not listen was started before its file was there: reload it. nginx that does "
            "not run: start it. A file without `listen {agent_port}`: mend the file first.\n"
            "$ {nginx} -t\n$ {nginx} -s reload || {nginx}\n$ ss -lntp | grep ':{agent_port} '",
            zh="nginx 在运行但未监听，是因为启动早于配置文件：重载即可。nginx 未运行：启动它。配置中没有 "
            "`listen {agent_port}`：先修正配置。\n"
            "$ {nginx} -t\n$ {nginx} -s reload || {nginx}\n$ ss -lntp | grep ':{agent_port} '",
        ),
        causes=same_host("disk-space"),
    ),
    Condition(
        id="agent-8010-from-nginx",
        scopes=(Links(("nginx", "paas"), ("appo", "appt")),),
        nobody=NO_AGENT,
        title=Text(
            en="The nginx and paas hosts reach port 8010 of the app host",
            zh="nginx 和 paas 主机能访问 app 主机的 8010 端口",
        ),
        remedy=Text(
            en="Refused: nginx on {target} does not listen. No answer in time or no route: a firewall on {target} or "
            "between.\n$ curl -m 5 -i http://{target_address}:{agent_port}/    # on {source}\n"
            "$ iptables -nL INPUT; firewall-cmd --list-all    # on {target}",
            zh="拒绝连接：{target} 上的 nginx 没有监听。超时或无路由：{target} 或中间的防火墙。\n"
            "$ curl -m 5 -i http://{target_address}:{agent_port}/    # 在 {source} 上执行\n"
            "$ iptables -nL INPUT; firewall-cmd --list-all    # 在 {target} 上执行",
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
        remedy=Text(
            en="Correct the server lines of PAAS_AGENT_TEST (appt) and PAAS_AGENT_PROD (appo), then reload.\n"
            "$ grep -n -A4 'upstream PAAS_AGENT' {home}/etc/nginx/paas.conf\n$ nginx -t && nginx -s reload",
            zh="修正 PAAS_AGENT_TEST（appt）和 PAAS_AGENT_PROD（appo）的 server 行，然后重载。\n"
            "$ grep -n -A4 'upstream PAAS_AGENT' {home}/etc/nginx/paas.conf\n$ nginx -t && nginx -s reload",
        ),
        causes=same_host("nginx-conf-port80"),
    ),
    Condition(
        id="agent-process",
        scopes=(Each(("appo", "appt")),),
        nobody=NO_AGENT,
        title=Text(en="paas_agent runs and its healthz answers", zh="paas_agent 在运行且 healthz 有应答"),
        remedy=Text(
            en="Start it; when it ends at once, its log says why (usually that it cannot reach the PaaS domain).\n"
            "$ {home}/.envs/paas_agent/bin/supervisorctl -c {home}/etc/supervisor-paas_agent.conf start paas_agent\n"
            "$ tail -n 50 {home}/logs/paas_agent/agent.log",
            zh="启动它；如果立即退出，日志中有原因（通常是无法访问 PaaS 域名）。\n"
            "$ {home}/.envs/paas_agent/bin/supervisorctl -c {home}/etc/supervisor-paas_agent.conf start paas_agent\n"
            "$ tail -n 50 {home}/logs/paas_agent/agent.log",
        ),
        causes=same_host("disk-space"),
    ),
    Condition(
        id="agent-from-paas",
        scopes=(Links(("paas",), ("appo", "appt")),),
        nobody=NO_AGENT,
        title=Text(en="The paas host reaches paas_agent", zh="paas 主机能访问 paas_agent"),
        remedy=Text(
            en="Deployments are sent over this connection. Refused: paas_agent is down. No answer: a firewall.\n"
            "$ curl -m 5 -i http://{target_address}:{paas_agent_port}/healthz    # on {source}",
            zh="部署任务通过该连接下发。拒绝连接：paas_agent 未运行。无应答：防火墙。\n"
            "$ curl -m 5 -i http://{target_address}:{paas_agent_port}/healthz    # 在 {source} 上执行",
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
        remedy=Text(
            en="The pid file is there but nothing serves: that SaaS answers 502. Deploy it again from the developer "
            "center.\n$ ls -l {home}/paas_agent/apps/projects/*/run/",
            zh="pid 文件存在但没有进程服务：该 SaaS 会返回 502。在开发者中心重新部署。\n"
            "$ ls -l {home}/paas_agent/apps/projects/*/run/",
        ),
        causes=same_host("agent-process", "disk-space"),
    ),
)
