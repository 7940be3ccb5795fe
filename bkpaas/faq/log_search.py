"""FAQ: the developer center shows no logs: Elasticsearch, log_agent, redis, log_parser, and the time everywhere."""

from __future__ import annotations

from bkpaas.faq.appt_502 import NO_AGENT
from bkpaas.faq.model import (
    Condition,
    Each,
    Point,
    Symptom,
    Text,
    anywhere,
    by_hand,
    needed,
    repair,
    same_host,
)
from bkpaas.faq.tokens import SET_CLOCK

SYMPTOM = Symptom(
    key="no-logs",
    title=Text(en="The developer center shows no logs", zh="在开发者中心无法查看日志"),
    introduction=Text(
        en="In the developer center the page of an application's logs stays empty. They go from log_agent "
        "through redis and log_parser to Elasticsearch; any link may be broken.",
        zh="开发者中心的应用日志页面为空。日志经 log_agent、redis、log_parser 到 Elasticsearch，任何一环都"
        "可能中断。",
    ),
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
    points=(
        Point(
            says=Text(
                en="Elasticsearch is well, and PaaS is configured with its right address.",
                zh="es 服务正常，且 PaaS 中配置的 es 地址正确。",
            ),
            conditions=("paas-es-config", "es-health", "es-writable"),
            answer=Text(
                en="Up is not enough: a red cluster shows nothing, and with a full disk new logs never arrive.",
                zh="启动还不够：集群 red 时什么都查不到，磁盘满时新日志不会写入。",
            ),
        ),
        Point(
            says=Text(
                en="paas_plugins/log_agent is deployed on appo and appt.",
                zh="appo/appt 上均部署了 paas_plugins/log_agent。",
            ),
            conditions=("log-agent-deployed",),
            answer=Text(en="Deployed is not enough: it must run.", zh="部署还不够：必须在运行。"),
        ),
        Point(
            says=Text(en="paas_plugins/log_parser is deployed.", zh="部署了 paas_plugins/log_parser。"),
            conditions=("log-parser-deployed",),
        ),
        Point(
            says=Text(
                en="log_agent and log_parser have the same redis configuration.",
                zh="log_agent 和 log_parser 的 redis 配置一致。",
            ),
            conditions=(
                *("log-redis-equal", "log-redis-reachable", "log-redis-connected"),
                *("log-queue-depth", "log-index-fresh"),
            ),
            answer=Text(
                en="Equal is not enough: redis must accept the password and db that both are configured with, and the lines "
                "must be found in Elasticsearch at the end.",
                zh="一致还不够：redis 必须接受两边的配置，日志必须最终可以查到。",
            ),
        ),
        Point(
            says=Text(
                en="All machines have the same time zone and the same time (important).",
                zh="所有机器的时区及时间一致（重要）。",
            ),
            conditions=("timezone-all", "clock-all", "clock-drift-all", "time-daemon"),
            answer=Text(
                en="The offset from UTC counts, not the name of the zone: Asia/Shanghai and PRC are the "
                "same.",
                zh="比较的是相对 UTC 的偏移，而不是时区名称：Asia/Shanghai 与 PRC 相同。",
            ),
        ),
    ),
)

_PUT = "curl -m 5 -X PUT -H 'Content-Type: application/json' '{es_url}"

CONDITIONS = (
    Condition(
        id="paas-es-config",
        scopes=(Each(("paas",)),),
        title=Text(
            en="PaaS is told where Elasticsearch is",
            zh="PaaS 中配置的 Elasticsearch 地址正确",
        ),
        reads=Text(
            en="ELASTICSEARCH_URLS or ELASTICSEARCH_HOSTS in the settings of paas, how each address "
            "resolves on this host, the addresses and listeners of the es hosts, the outputs of "
            "every log_parser, and the answer to GET / there.",
            zh="paas 配置中的 ELASTICSEARCH_URLS 或 ELASTICSEARCH"
            "_HOSTS，各地址在本机的解析结果，es 主机的地址与监听端口，各 log_parse"
            "r 的输出地址，以及对该地址 GET / 的应答。",
        ),
        fails=Text(
            en="An address is malformed, does not resolve here, or belongs to no es host of the "
            "inventory, no virtual address and no output of a log_parser; or its port is not the "
            "inventory's port of es and nothing listens there; or something else than "
            "Elasticsearch answers. no_data when the setting is absent or no plain text.",
            zh="地址不合法、在本机无法解析，或不属于清单中的 es 主机、虚拟地址和任何 log_par"
            "ser 的输出；端口与清单中 es 的端口不同且没有监听；或应答的不是 Elastics"
            "earch。没有该配置或不是普通文本时为 no_data。",
        ),
        means=Text(
            en="The developer center asks for logs where there are none.",
            zh="开发者中心到没有日志的地方查询。",
        ),
        remedy=repair(
            Text(
                en="Correct ELASTICSEARCH_URLS (user:password@host:port without a scheme, several divided by ;) on "
                "this host, then restart paas. The first command may show a password.",
                zh="修正本机的 ELASTICSEARCH_URLS（user:password@host:port，不带 http://，多个地址用 ; 分隔），再重启 paas。"
                "第一条命令可能显示密码。",
            ),
            "grep -n ELASTICSEARCH {home}/open_paas/paas/conf/settings_production.py",
            (
                "curl -m 5 {es_url}/",
                Text(
                    en="has to show the version; -u USER when it asks for a login",
                    zh="应当显示版本号；需要登录时加 -u USER",
                ),
            ),
            by_hand(en="edit the setting now", zh="此时修改该配置"),
            "{supervisorctl} restart paas",
        ),
    ),
    Condition(
        id="es-health",
        scopes=(Each(("paas",)),),
        title=Text(
            en="Elasticsearch answers this host at its configured address and is not red",
            zh="本机可访问所配置的 Elasticsearch，且集群状态不是 red",
        ),
        reads=Text(
            en="GET / and GET /_cluster/health at each configured address, from this paas host, with "
            "the login of the settings.",
            zh="从本 paas 主机用配置中的账号对每个地址 GET / 和 GET /_cluster/health。",
        ),
        fails=Text(
            en="An address does not answer, answers 401 or another error, is not Elasticsearch, or "
            "its cluster is red. Yellow is well. no_data when the login could only be sent where the list of processes "
            "shows it (all transports but ssh://), or may not read the health.",
            zh="地址无应答、返回 401 或其他错误、不是 Elasticsearch，或集群状态为 r"
            "ed。yellow 视为正常。账号无法安全发送（只有 ssh:// 可以）或无权查看健康"
            "状态时为 no_data。",
        ),
        means=Text(
            en="The developer center shows an error or no logs at all.",
            zh="开发者中心报错或完全没有日志。",
        ),
        remedy=repair(
            Text(
                en="Refused: start Elasticsearch. No answer: a firewall, or a JVM that only collects garbage. 401: give the "
                "right login in ELASTICSEARCH_URLS. Red: see which shards have no node, and why.",
                zh="拒绝连接：启动 Elasticsearch。无应答：防火墙，或 JVM 一直在 GC。401：在 ELASTICSEARCH_URLS 中填写正确的"
                "账号。red：查看哪些分片没有分配及其原因。",
            ),
            ("ps -ef | grep '[e]lasticsearch'; df -h", Text(en="on {es_host}", zh="在 {es_host} 上执行")),
            "curl -m 5 '{es_url}/_cat/shards?v' | grep UNASSIGNED",
            "curl -m 5 '{es_url}/_cluster/allocation/explain?pretty'",
            (
                "curl -m 5 '{es_url}/_cluster/health?pretty'",
                Text(
                    en="on {host}; -u USER when it asks for a login",
                    zh="在 {host} 上执行；需要登录时加 -u USER",
                ),
            ),
        ),
        causes=(*same_host("paas-es-config"), *needed("disk-space", "host-reachable")),
    ),
    Condition(
        id="es-writable",
        scopes=(Each(("paas",)),),
        title=Text(
            en="Elasticsearch takes new documents into today's index of logs",
            zh="Elasticsearch 当天的日志索引可写入",
        ),
        reads=Text(
            en="The index.blocks settings of paas_app_log-*, the cluster.blocks settings, the list "
            "of these indices and how full the disks of the nodes are, at the first configured "
            "address.",
            zh="在第一个配置的地址上读取 paas_app_log-* 的 index.blocks 设"
            "置、cluster.blocks 设置、这些索引的列表和各节点磁盘使用率。",
        ),
        fails=Text(
            en="The index of yesterday, today or tomorrow (in UTC), the newest one, or the whole "
            "cluster has read_only, read_only_allow_delete or write set, or such an index is "
            "closed. Older indices may be.",
            zh="昨天、今天或明天（UTC）的索引、最新的索引或整个集群设置了 read_only、rea"
            "d_only_allow_delete 或 write，或该索引已关闭。更旧的索引不判定"
            "。",
        ),
        means=Text(
            en="Old logs are found, new ones never arrive; the list in redis grows.",
            zh="能查到旧日志，新日志始终不出现；redis 列表不断增长。",
        ),
        remedy=repair(
            Text(
                en="See first which block it is, and how full the disks are. Where Elasticsearch asks for a login, add -u USER "
                "to each curl: it then asks for the password.",
                zh="先看是哪种限制，以及磁盘使用率。Elasticsearch 需要登录时，每条 curl 加 -u USER，它会提示输入密码。",
            ),
            "curl -m 5 '{es_url}/_cat/allocation?v'",
            (
                "curl -m 5 '{es_url}/_cat/indices/paas_app_log-*?v&s=index'",
                Text(en="status: close?", zh="status 是否为 close"),
            ),
            (
                "curl -m 5 '{es_url}/paas_app_log-*/_settings/index.blocks.*?pretty'",
                Text(en="{{}}: no block", zh="{{}} 表示没有限制"),
            ),
            "curl -m 5 '{es_url}/_cluster/settings?flat_settings=true&pretty'",
            Text(
                en="read_only_allow_delete comes from a disk fuller than the flood stage (95 %); versions before 7.4 never "
                "undo it. Make room, then:",
                zh="read_only_allow_delete 由磁盘使用超过 flood stage（95 %）引起，7.4 之前的版本不会自动恢复。先清理空间，然后：",
            ),
            f"{_PUT}/paas_app_log-*/_settings' -d '{{{{\"index.blocks.read_only_allow_delete\": null}}}}'",
            Text(
                en="read_only and write of an index were set by somebody: learn why, then:",
                zh="索引的 read_only 和 write 是人为设置的：先弄清原因，再解除：",
            ),
            f'{_PUT}/paas_app_log-*/_settings\' -d \'{{{{"index.blocks.read_only": null, "index.blocks.write": null}}}}\'',
            Text(en="So was a block of the whole cluster:", zh="整个集群的限制也是如此："),
            f'{_PUT}/_cluster/settings\' -d \'{{{{"persistent": {{{{"cluster.blocks.*": null}}}}, '
            '"transient": {{"cluster.blocks.*": null}}}}\'',
            Text(en="An index of these days that is closed:", zh="近日的索引被关闭时："),
            "curl -m 30 -X POST '{es_url}/INDEX/_open'",
        ),
        causes=(*same_host("paas-es-config", "es-health"), *needed("disk-space")),
    ),
    Condition(
        id="log-agent-deployed",
        scopes=(Each(("appo", "appt")),),
        nobody=NO_AGENT,
        title=Text(en="log_agent is deployed and runs", zh="log_agent 已部署并在运行"),
        reads=Text(
            en="`paas_plugins/log_agent` and what is in it; filebeat processes whose configuration lies "
            "below it.",
            zh="`paas_plugins/log_agent` 目录及内容；使用其下配置的 filebeat 进程。",
        ),
        fails=Text(
            en="The folder is missing or empty, or no such filebeat runs.",
            zh="目录缺失或为空，或没有这样的 filebeat 进程。",
        ),
        means=Text(
            en="The logs of the applications on this host are not collected; those of other hosts are.",
            zh="该主机上的应用日志没有被采集；其他主机的正常。",
        ),
        remedy=repair(
            Text(en="Deploy or start it on this host.", zh="在该主机上部署或启动。"),
            "ls {home}/paas_plugins/log_agent",
            "ps -ef | grep '[p]aas_plugins/log_agent'",
        ),
        causes=same_host("disk-space"),
    ),
    Condition(
        id="log-parser-deployed",
        scopes=(Each(("paas",)),),
        title=Text(en="log_parser is deployed and runs", zh="log_parser 已部署并在运行"),
        reads=Text(
            en="`paas_plugins/log_parser` and what is in it; logstash processes whose configuration lies "
            "below it.",
            zh="`paas_plugins/log_parser` 目录及内容；使用其下配置的 logstash 进程。",
        ),
        fails=Text(
            en="The folder is missing or empty and no other host runs one, or the folder is filled and no "
            "such logstash runs here.",
            zh="目录缺失或为空且其他主机也没有运行，或目录有内容但本机没有这样的 logstash 进程。",
        ),
        means=Text(
            en="Logs pile up in redis and never reach Elasticsearch.",
            zh="日志堆积在 redis 中，到不了 Elasticsearch。",
        ),
        remedy=repair(
            Text(en="Deploy or start it on this host.", zh="在该主机上部署或启动。"),
            "ls {home}/paas_plugins/log_parser",
            "ps -ef | grep '[p]aas_plugins/log_parser'",
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
        reads=Text(
            en="output.redis of log_agent's filebeat and the redis inputs of every log_parser's logstash: "
            "host (as it resolves there), port, db, key, type and the password's digest.",
            zh="log_agent 的 filebeat output.redis 与各 log_parser 的 logstash redis 输入：host（按各自解析"
            "结果）、port、db、key、type 和密码摘要。",
        ),
        fails=Text(
            en="A list that log_agent fills is, in one of these fields, none that a log_parser reads. "
            "no_data when a file could not be read.",
            zh="log_agent 写入的列表在某个字段上与所有 log_parser 读取的都不同。有文件无法读取时为 no_data。",
        ),
        means=Text(
            en="Both run and are content, yet no log arrives: one writes where the other does not read.",
            zh="两边都在正常运行，却看不到日志：一边写入的位置另一边没有读取。",
        ),
        remedy=repair(
            Text(
                en="Make host, port, db, password and key equal in both, then restart the one that was "
                "changed. The output shows passwords.",
                zh="使两边的 host、port、db、password、key 一致，并重启修改过的一方。输出中会显示密码。",
            ),
            (
                "grep -rn -A8 'redis' {home}/paas_plugins/log_agent/",
                Text(en="on {host}", zh="在 {host} 上执行"),
            ),
            (
                "grep -rn -A8 'redis' {home}/paas_plugins/log_parser/",
                Text(en="on the paas hosts", zh="在 paas 主机上执行"),
            ),
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
        reads=Text(
            en="The redis of each list that this host's plugins use: PING without a login, then "
            "AUTH, SELECT and PING with that of their configuration, from this host.",
            zh="本机插件使用的每个 redis：先不登录 PING，再用其配置中的密码 AUTH、SEL"
            "ECT、PING，均从本机发起。",
        ),
        fails=Text(
            en="It does not answer, something else answers, or it refuses the password or the db. "
            "NOAUTH to the first PING is well. no_data when the password comes from a variable, or could only be sent "
            "where the list of processes shows it (all transports but ssh://), and over TLS.",
            zh="无应答、应答的不是 redis，或拒绝密码或 db。第一次 PING 返回 NOAUTH"
            " 视为正常。密码来自变量、无法安全发送（只有 ssh:// 可以）或使用 TLS 时为 "
            "no_data。",
        ),
        means=Text(
            en="log_agent cannot send, or log_parser cannot receive: no new logs.",
            zh="log_agent 无法发送或 log_parser 无法接收：没有新日志。",
        ),
        remedy=repair(
            Text(
                en="Refused: start redis. No answer: a firewall, or a redis that hangs. Wrong password: log_agent and "
                "log_parser must have the one of requirepass; restart what was changed.",
                zh="拒绝连接：启动 redis。无应答：防火墙，或 redis 卡死。密码错误：log_agent 和 log_parser 都必须使用 requirepass "
                "的密码，修改后重启。",
            ),
            (
                "ps -eo pid,stat,lstart,args | grep '[r]edis-server'",
                Text(en="on {redis_host}", zh="在 {redis_host} 上执行"),
            ),
            (
                "redis-cli -h {redis_host} -p {redis_port} ping",
                Text(
                    en="on {host}; NOAUTH shows that it is reached",
                    zh="在 {host} 上执行；返回 NOAUTH 说明可以访问",
                ),
            ),
        ),
        causes=(*anywhere("log-redis-equal"), *needed("disk-space", "host-reachable")),
    ),
    Condition(
        id="log-redis-connected",
        scopes=(Each(("appo", "appt", "paas")),),
        nobody=NO_AGENT,
        title=Text(
            en="log_agent and log_parser are connected to the redis of their configuration",
            zh="log_agent、log_parser 实际连接的是配置中的 redis",
        ),
        reads=Text(
            en="The established TCP connections of the processes of filebeat and logstash, in /proc, "
            "and what their configuration means on this host.",
            zh="/proc 中 filebeat 和 logstash 进程已建立的 TCP 连接，以及其配置在本机的含义。",
        ),
        fails=Text(
            en="Such a process has a connection to a port of redis at another address than its "
            "configuration names, and none to that; for a name, any redis host of the "
            "inventory counts. No connection at all is well: filebeat connects when it has something to "
            "send.",
            zh="进程连接着配置以外地址的 redis 端口，而没有连接配置中的地址；配置为名字时，清单中"
            "任一 redis 主机都可以。完全没有连接视为正常：filebeat 有内容发送时才连接"
            "。",
        ),
        means=Text(
            en="The files are right and the logs go elsewhere: edited but not restarted, or a master "
            "that was replaced.",
            zh="文件正确而日志去了别处：修改后没有重启，或仍连着已切换的主节点。",
        ),
        remedy=repair(
            Text(
                en="It still uses a configuration from before, or a master that is none any more: restart it.",
                zh="进程仍在使用旧配置，或仍连着切换前的主节点：重启它。",
            ),
            "ps -o pid,lstart,args -p {pids}",
            "ss -tnp | grep ':{redis_port} '",
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
        reads=Text(
            en="TYPE and LLEN of the list that log_parser reads, with its own login; a list that is "
            "long once more 3 s later.",
            zh="用 log_parser 自己的账号读取其列表的 TYPE 和 LLEN；列表较长时 3 秒后再读一次。",
        ),
        fails=Text(
            en="It is longer than `log_queue_length` (1000) and has grown in between, or the key is "
            "no list. A list that stays or shrinks is well.",
            zh="长度超过 `log_queue_length`（1000）且期间仍在增长，或该 key 不是列表。不变或减少视为正常。",
        ),
        means=Text(
            en="Logs appear late, later all the time, and redis runs out of memory in the end.",
            zh="日志越来越晚才出现，最终 redis 内存耗尽。",
        ),
        remedy=repair(
            Text(
                en="See whether log_parser works or hangs, and whether Elasticsearch takes what it delivers.",
                zh="检查 log_parser 是否卡死，以及 Elasticsearch 能否写入。",
            ),
            "tail -n 50 {home}/logs/paas_plugins/*log*",
            "top -b -n 1 | grep -i java",
            (
                "redis-cli -h {redis_host} -p {redis_port} llen {list}",
                Text(en="twice, after AUTH", zh="先 AUTH，执行两次"),
            ),
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
        reads=Text(
            en="The newest document of paas_app_log- of yesterday, today and tomorrow (in UTC), and "
            "the times of the lines in the applications' logs that log_agent surely reads.",
            zh="昨天、今天、明天（UTC）的 paas_app_log- 索引中最新的文档，以及 log"
            "_agent 确定会读取的应用日志中各行的时间。",
        ),
        fails=Text(
            en="A line older than `log_delay_minutes` (5) is younger than the newest document, or "
            "that document is further than this in the future. Applications that are silent are "
            "well; not_applicable when nothing would have to be there, or when a configuration "
            "drops some lines on purpose.",
            zh="存在早于 `log_delay_minutes`（5）分钟、却比最新文档更新的日志行，或"
            "最新文档的时间超前这么多。应用没有写日志视为正常；没有应当送达的日志，或配置有意丢弃部分"
            "日志行时不适用。",
        ),
        means=Text(
            en="Everything seems well and the developer center still shows no new logs.",
            zh="一切看似正常，开发者中心却没有新日志。",
        ),
        remedy=repair(
            Text(
                en="Follow one line on its way: the log, the list in redis, log_parser's output, the index. A wrong time "
                "zone in log_parser puts lines where nobody looks for them. The output may show passwords.",
                zh="跟踪一行日志的去向：日志文件、redis 列表、log_parser 的输出、索引。log_parser 时区错误会使日志落在查询范围"
                "之外。输出中可能显示密码。",
            ),
            "grep -rn -A8 elasticsearch {home}/paas_plugins/log_parser/",
            "tail -n 50 {home}/logs/paas_plugins/*log*",
            "curl -m 5 '{es_url}/_cat/indices/paas_app_log-*?v&s=index' | tail -n 3",
        ),
        causes=(
            *same_host("paas-es-config", "es-health", "es-writable"),
            *anywhere("log-agent-deployed", "log-parser-deployed", "log-redis-equal", "log-redis-reachable"),
            *anywhere(
                "log-redis-connected",
                "log-queue-depth",
                "clock-all",
                "timezone-all",
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
        reads=Text(
            en="Each host's clock, measured to and fro over its connection, against the median of all.",
            zh="通过连接往返测得的各主机时钟，与全部主机的中位数比较。",
        ),
        fails=Text(
            en="It is further away than `clock_apart_seconds` (60), after the uncertainty is taken off.",
            zh="扣除误差后相差超过 `clock_apart_seconds`（60）秒。",
        ),
        means=Text(
            en="Logs of this host are stored under the wrong time and not found; on a paas host, logins "
            "fail.",
            zh="该主机的日志以错误的时间入库而查不到；若是 paas 主机，登录会失败。",
        ),
        remedy=repair(
            Text(
                en="Set the clock and keep it synchronised; logs and logins are judged by it.",
                zh="校正时间并保持同步；日志和登录都依赖它。",
            ),
            "chronyc tracking || ntpq -pn",
            *SET_CLOCK,
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
        reads=Text(en="The same clocks.", zh="同样的时钟。"),
        fails=Text(
            en="It is further away than `clock_drift_seconds` (3), after the uncertainty is taken off.",
            zh="扣除误差后相差超过 `clock_drift_seconds`（3）秒。",
        ),
        means=Text(
            en="No harm yet; it is not synchronised, and will get worse.",
            zh="暂无影响；但没有同步，会继续恶化。",
        ),
        remedy=repair(
            Text(en="See why it is not synchronised.", zh="检查为何没有同步。"),
            "chronyc tracking && chronyc sources || ntpq -pn",
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
        reads=Text(
            en="The offset from UTC that the host's time zone gives now; the name of the zone does not "
            "matter.",
            zh="主机时区当前相对 UTC 的偏移；时区名称不作比较。",
        ),
        fails=Text(
            en="It is not what most hosts have (with equal counts, what most paas hosts have), or no "
            "offset has a majority.",
            zh="与多数主机不同（数量相等时以多数 paas 主机为准），或没有多数。",
        ),
        means=Text(
            en="Logs are shown hours off, or outside of the time that is searched. Tokens are not "
            "affected: they count seconds since 1970.",
            zh="日志时间相差数小时，或落在查询时间之外。登录态不受影响：它以 1970 年以来的秒数计算。",
        ),
        remedy=repair(
            Text(
                en="Set it, then restart the services: a process keeps the zone that it started with.",
                zh="设置时区后重启服务：进程沿用启动时的时区。",
            ),
            (
                "timedatectl set-timezone {zone}",
                Text(
                    en="or: ln -sf /usr/share/zoneinfo/{zone} /etc/localtime",
                    zh="或者：ln -sf /usr/share/zoneinfo/{zone} /etc/localtime",
                ),
            ),
            "date +%z",
        ),
    ),
)
