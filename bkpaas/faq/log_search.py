"""FAQ: the developer center shows no logs: Elasticsearch, log_agent, redis, log_parser, and the time everywhere."""

from __future__ import annotations

from bkpaas.faq.appt_502 import NO_AGENT
from bkpaas.faq.model import Condition, Each, Symptom, Text, anywhere, same_host

SYMPTOM = Symptom(
    key="no-logs",
    title=Text(en="The developer center shows no logs", zh="在开发者中心无法查看日志"),
    conditions=(
        "log-agent-deployed",
        "log-parser-deployed",
        "log-redis-equal",
        "clock-all",
        "clock-drift-all",
        "timezone-all",
    ),
)

CONDITIONS = (
    Condition(
        id="log-agent-deployed",
        scopes=(Each(("appo", "appt")),),
        nobody=NO_AGENT,
        title=Text(en="log_agent is deployed and runs", zh="log_agent 已部署并在运行"),
        remedy=Text(
            en="Deploy or start it on this host.\n$ ls {home}/paas_plugins/log_agent\n"
            "$ ps -ef | grep '[p]aas_plugins/log_agent'",
            zh="在该主机上部署或启动。\n$ ls {home}/paas_plugins/log_agent\n$ ps -ef | grep '[p]aas_plugins/log_agent'",
        ),
        causes=same_host("disk-space"),
    ),
    Condition(
        id="log-parser-deployed",
        scopes=(Each(("paas",)),),
        title=Text(en="log_parser is deployed and runs", zh="log_parser 已部署并在运行"),
        remedy=Text(
            en="Deploy or start it on this host.\n$ ls {home}/paas_plugins/log_parser\n"
            "$ ps -ef | grep '[p]aas_plugins/log_parser'",
            zh="在该主机上部署或启动。\n$ ls {home}/paas_plugins/log_parser\n$ ps -ef | grep '[p]aas_plugins/log_parser'",
        ),
        causes=same_host("disk-space"),
    ),
    Condition(
        id="log-redis-equal",
        scopes=(Each(("appo", "appt")),),
        nobody=NO_AGENT,
        title=Text(
            en="log_agent writes to the redis list that a log_parser reads",
            zh="log_agent 写入的 redis 列表与 log_parser 读取的一致",
        ),
        remedy=Text(
            en="Make host, port, db, password and key equal in both, then restart the one that was changed.\n"
            "$ grep -rn -A8 'redis' {home}/paas_plugins/log_agent/    # here\n"
            "$ grep -rn -A8 'redis' {home}/paas_plugins/log_parser/    # on the paas hosts",
            zh="使两边的 host、port、db、password、key 一致，并重启修改过的一方。\n"
            "$ grep -rn -A8 'redis' {home}/paas_plugins/log_agent/    # 本机\n"
            "$ grep -rn -A8 'redis' {home}/paas_plugins/log_parser/    # paas 主机",
        ),
        causes=(*same_host("log-agent-deployed"), *anywhere("log-parser-deployed")),
    ),
    Condition(
        id="clock-all",
        scopes=(Each(),),
        title=Text(
            en="The clock agrees with most hosts to a minute",
            zh="时钟与多数主机相差不超过一分钟",
        ),
        remedy=Text(
            en="Set the clock and keep it synchronised; logs and logins are judged by it.\n"
            "$ chronyc makestep    # or: ntpdate -u YOUR_NTP_SERVER\n$ systemctl enable --now chronyd",
            zh="校正时间并保持同步；日志和登录都依赖它。\n"
            "$ chronyc makestep    # 或者：ntpdate -u 你的NTP服务器\n$ systemctl enable --now chronyd",
        ),
        causes=same_host("paas-clock-skew"),
    ),
    Condition(
        id="clock-drift-all",
        scopes=(Each(),),
        severity="warn",
        title=Text(
            en="The clock agrees with most hosts to a few seconds",
            zh="时钟与多数主机相差不超过几秒",
        ),
        remedy=Text(
            en="See why it is not synchronised.\n$ chronyc tracking; chronyc sources",
            zh="检查为何没有同步。\n$ chronyc tracking; chronyc sources",
        ),
        causes=same_host("clock-all", "paas-clock-skew", "paas-clock-drift", "time-daemon"),
    ),
    Condition(
        id="timezone-all",
        scopes=(Each(),),
        title=Text(
            en="The time zone has the same offset as on most hosts",
            zh="时区偏移与多数主机相同",
        ),
        remedy=Text(
            en="Set it, then restart the services: a process keeps the zone that it started with.\n"
            "$ timedatectl set-timezone {zone}    # or: ln -sf /usr/share/zoneinfo/{zone} /etc/localtime\n$ date +%z",
            zh="设置时区后重启服务：进程沿用启动时的时区。\n"
            "$ timedatectl set-timezone {zone}    # 或者：ln -sf /usr/share/zoneinfo/{zone} /etc/localtime\n$ date +%z",
        ),
    ),
)
