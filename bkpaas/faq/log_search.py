"""FAQ: the developer center shows no logs: Elasticsearch, log_agent, redis, log_parser, and the time everywhere."""

from __future__ import annotations

from bkpaas.faq.appt_502 import NO_AGENT
from bkpaas.faq.model import Condition, Each, Symptom, Text, anywhere, same_host

SYMPTOM = Symptom(
    key="no-logs",
    title=Text(en="The developer center shows no logs", zh="在开发者中心无法查看日志"),
    conditions=(
        "paas-es-config",
        "es-health",
        "es-writable",
        "log-agent-deployed",
        "log-parser-deployed",
        "log-redis-equal",
        "log-redis-reachable",
        "log-redis-connected",
        "log-queue-depth",
        "log-index-fresh",
        "clock-all",
        "clock-drift-all",
        "timezone-all",
    ),
)

CONDITIONS = (
    Condition(
        id="paas-es-config",
        scopes=(Each(("paas",)),),
        title=Text(
            en="PaaS is told where Elasticsearch is",
            zh="PaaS 中配置的 Elasticsearch 地址正确",
        ),
        remedy=Text(
            en="Correct ELASTICSEARCH_URLS (user:password@host:port without a scheme, several divided by ;) on this host, "
            "then restart paas.\n"
            "$ grep -n ELASTICSEARCH {home}/open_paas/paas/conf/settings_production.py\n"
            "$ curl -m 5 {es_url}/\n"
            "$ {supervisorctl} restart paas",
            zh="修正本机的 ELASTICSEARCH_URLS（user:password@host:port，不带 http://，多个地址用 ; 分隔），再重启 paas。\n"
            "$ grep -n ELASTICSEARCH {home}/open_paas/paas/conf/settings_production.py\n"
            "$ curl -m 5 {es_url}/\n"
            "$ {supervisorctl} restart paas",
        ),
    ),
    Condition(
        id="es-health",
        scopes=(Each(("paas",)),),
        title=Text(
            en="Elasticsearch answers this host at its configured address and is not red",
            zh="本机可访问所配置的 Elasticsearch，且集群状态不是 red",
        ),
        remedy=Text(
            en="Refused: start Elasticsearch. No answer: look for a firewall, or a JVM that collects garbage. 401: give the "
            "right login in ELASTICSEARCH_URLS. Red: see which shards have no node, and why.\n"
            "$ curl -m 5 '{es_url}/_cluster/health?pretty'    # on {host}; -u USER when it asks for a login\n"
            "$ curl -m 5 '{es_url}/_cat/shards?v' | grep UNASSIGNED\n"
            "$ curl -m 5 '{es_url}/_cluster/allocation/explain?pretty'\n"
            "$ ssh {es_host} 'ps -ef | grep [e]lasticsearch; df -h'",
            zh="拒绝连接：启动 Elasticsearch。无应答：检查防火墙，或 JVM 是否频繁 GC。401：在 ELASTICSEARCH_URLS 中填写正确的账号。"
            "red：查看哪些分片未分配及其原因。\n"
            "$ curl -m 5 '{es_url}/_cluster/health?pretty'    # 在 {host} 上执行；需要登录时加 -u USER\n"
            "$ curl -m 5 '{es_url}/_cat/shards?v' | grep UNASSIGNED\n"
            "$ curl -m 5 '{es_url}/_cluster/allocation/explain?pretty'\n"
            "$ ssh {es_host} 'ps -ef | grep [e]lasticsearch; df -h'",
        ),
        causes=(*same_host("paas-es-config"), *anywhere("disk-space", "host-reachable")),
    ),
    Condition(
        id="es-writable",
        scopes=(Each(("paas",)),),
        title=Text(
            en="Elasticsearch takes new documents into today's index of logs",
            zh="Elasticsearch 当天的日志索引可写入",
        ),
        remedy=Text(
            en="Elasticsearch makes indices read-only when a disk is fuller than its flood stage (95 %), and versions before 7.4 "
            "never undo it. Make room first (old indices), then take the block away.\n"
            "$ curl -m 5 '{es_url}/_cat/allocation?v'\n"
            "$ curl -m 5 '{es_url}/_cat/indices/paas_app_log-*?v&s=index'\n"
            "$ curl -m 5 -X PUT -H 'Content-Type: application/json' '{es_url}/paas_app_log-*/_settings' "
            "-d '{{\"index.blocks.read_only_allow_delete\": null}}'",
            zh="磁盘使用超过 flood stage（95 %）时 Elasticsearch 会把索引置为只读，7.4 之前的版本不会自动恢复。先清理空间（旧索引），"
            "再解除只读。\n"
            "$ curl -m 5 '{es_url}/_cat/allocation?v'\n"
            "$ curl -m 5 '{es_url}/_cat/indices/paas_app_log-*?v&s=index'\n"
            "$ curl -m 5 -X PUT -H 'Content-Type: application/json' '{es_url}/paas_app_log-*/_settings' "
            "-d '{{\"index.blocks.read_only_allow_delete\": null}}'",
        ),
        causes=(*same_host("paas-es-config", "es-health"), *anywhere("disk-space")),
    ),
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
        id="log-redis-reachable",
        scopes=(Each(("appo", "appt", "paas")),),
        nobody=NO_AGENT,
        title=Text(
            en="The redis of log_agent and log_parser answers and takes their password",
            zh="log_agent、log_parser 配置的 redis 可访问，且密码正确",
        ),
        remedy=Text(
            en="Refused: start redis. No answer: look for a firewall, or a redis that hangs. Wrong password: both plugins must "
            "have the one of requirepass; restart what was changed.\n"
            "$ nc -vz {redis_host} {redis_port}    # on {host}\n"
            "$ redis-cli -h {redis_host} -p {redis_port} ping    # NOAUTH shows that it can be reached\n"
            "$ ssh {redis_host} \"ps -ef | grep [r]edis-server; grep -n '^bind\\|^requirepass' {home}/etc/redis.conf\"",
            zh="拒绝连接：启动 redis。无应答：检查防火墙，或 redis 是否卡死。密码错误：两个插件都必须使用 requirepass 的密码，"
            "修改后重启。\n"
            "$ nc -vz {redis_host} {redis_port}    # 在 {host} 上执行\n"
            "$ redis-cli -h {redis_host} -p {redis_port} ping    # 返回 NOAUTH 说明网络可达\n"
            "$ ssh {redis_host} \"ps -ef | grep [r]edis-server; grep -n '^bind\\|^requirepass' {home}/etc/redis.conf\"",
        ),
        causes=anywhere("log-redis-equal", "disk-space", "host-reachable"),
    ),
    Condition(
        id="log-redis-connected",
        scopes=(Each(("appo", "appt", "paas")),),
        nobody=NO_AGENT,
        title=Text(
            en="log_agent and log_parser are connected to the redis of their configuration",
            zh="log_agent、log_parser 实际连接的是配置中的 redis",
        ),
        remedy=Text(
            en="It still uses a configuration from before, or a master that is none any more: restart it.\n"
            "$ ss -tnp | grep ':{redis_port} '\n"
            "$ ps -o pid,lstart,args -p {pids}",
            zh="进程仍在使用旧配置，或仍连着切换前的主节点：重启它。\n"
            "$ ss -tnp | grep ':{redis_port} '\n"
            "$ ps -o pid,lstart,args -p {pids}",
        ),
        causes=(*anywhere("log-redis-equal"), *same_host("log-redis-reachable")),
    ),
    Condition(
        id="log-queue-depth",
        scopes=(Each(("paas",)),),
        severity="warn",
        title=Text(
            en="log_parser keeps up with the list in redis",
            zh="log_parser 消费 redis 列表的速度跟得上",
        ),
        remedy=Text(
            en="See whether log_parser works or hangs, and whether Elasticsearch takes what it delivers.\n"
            "$ redis-cli -h {redis_host} -p {redis_port} llen {list}    # with -a PASSWORD; twice\n"
            "$ tail -n 50 {home}/logs/paas_plugins/*log*\n"
            "$ top -b -n 1 | grep -i java",
            zh="检查 log_parser 是否卡死，以及 Elasticsearch 能否写入。\n"
            "$ redis-cli -h {redis_host} -p {redis_port} llen {list}    # 加 -a PASSWORD；执行两次\n"
            "$ tail -n 50 {home}/logs/paas_plugins/*log*\n"
            "$ top -b -n 1 | grep -i java",
        ),
        causes=anywhere(
            "es-health", "es-writable", "log-parser-deployed", "log-redis-equal", "log-redis-reachable"
        ),
    ),
    Condition(
        id="log-index-fresh",
        scopes=(Each(("paas",)),),
        severity="warn",
        title=Text(
            en="What applications logged some minutes ago can be searched",
            zh="应用几分钟前写的日志已经可以检索",
        ),
        remedy=Text(
            en="Follow one line on its way: log file, list in redis, log_parser's output, index. A wrong time zone in log_parser "
            "puts lines where nobody looks for them.\n"
            "$ curl -m 5 '{es_url}/_cat/indices/paas_app_log-*?v&s=index' | tail -n 3\n"
            "$ grep -rn -A8 elasticsearch {home}/paas_plugins/log_parser/\n"
            "$ tail -n 50 {home}/logs/paas_plugins/*log*",
            zh="跟踪一行日志的去向：日志文件、redis 列表、log_parser 的输出、索引。log_parser 时区错误会使日志落在查询范围之外。\n"
            "$ curl -m 5 '{es_url}/_cat/indices/paas_app_log-*?v&s=index' | tail -n 3\n"
            "$ grep -rn -A8 elasticsearch {home}/paas_plugins/log_parser/\n"
            "$ tail -n 50 {home}/logs/paas_plugins/*log*",
        ),
        causes=(
            *same_host("paas-es-config", "es-health", "es-writable"),
            *anywhere("log-agent-deployed", "log-parser-deployed", "log-redis-equal", "log-redis-reachable"),
            *anywhere(
                "log-redis-connected", "log-queue-depth", "clock-all", "timezone-all", "host-reachable"
            ),
        ),
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
