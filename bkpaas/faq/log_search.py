"""FAQ: the developer center shows no logs: Elasticsearch, log_agent, redis, log_parser, and the time everywhere."""

from __future__ import annotations

from bkpaas.faq.appt_502 import NO_AGENT
from bkpaas.faq.model import Condition, Each, Point, Symptom, Text, anywhere, repair, same_host

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
        "log-agent-deployed",
        "log-parser-deployed",
        "log-redis-equal",
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
            answer=Text(en="Not judged yet.", zh="尚未判定。"),
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
            conditions=("log-redis-equal",),
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

CONDITIONS = (
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
            ("grep -rn -A8 'redis' {home}/paas_plugins/log_agent/", Text(en="here", zh="本机")),
            (
                "grep -rn -A8 'redis' {home}/paas_plugins/log_parser/",
                Text(en="on the paas hosts", zh="paas 主机"),
            ),
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
                en="Set the clock and keep it synchronised; logs and logins are judged by it. makestep "
                "jumps: where MySQL, ZooKeeper or Kafka run too, expect them to notice.",
                zh="校正时间并保持同步；日志和登录都依赖它。makestep 会使时间跳变：若该机还运行 MySQL、"
                "ZooKeeper 或 Kafka，需留意影响。",
            ),
            "chronyc tracking",
            (
                "chronyc makestep",
                Text(en="or: ntpdate -u YOUR_NTP_SERVER", zh="或者：ntpdate -u 你的NTP服务器"),
            ),
            "systemctl enable --now chronyd",
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
            "chronyc tracking; chronyc sources",
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
