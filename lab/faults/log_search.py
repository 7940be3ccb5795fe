"""Why the developer centre shows no logs: plugins, their redis, the search engine, clocks and zones."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.fault import Fault
from lab.faults.hands import (
    address,
    block,
    edit,
    host,
    restart,
    restore,
    set_clock,
    signal_processes,
    start_roles,
    supervisorctl,
    unblock,
)

SECTION = "no-logs"
CLOCK = 20  # seconds; more than the others differ, less than a token bears
FAR = 90  # seconds; lines of logs stand where nobody looks for them


def plugin(lab: Lab, name: str, words: str) -> None:
    supervisorctl(lab, name, words, module="paas_plugins")


def parsers(lab: Lab, words: str) -> None:
    for each in lab.layout.hosts:
        if "paas" in each.roles:
            plugin(lab, each.name, words)


def agent_file(lab: Lab) -> str:
    return f"{lab.layout.home}/paas_plugins/log_agent/conf/django.yml"


def other_list(lab: Lab) -> None:
    edit(lab, host(lab, "appt"), agent_file(lab), 's/^  key: .*/  key: "paas_log"/')
    plugin(lab, host(lab, "appt"), "restart log_agent")


def same_list(lab: Lab) -> None:
    restore(lab, host(lab, "appt"), agent_file(lab))
    plugin(lab, host(lab, "appt"), "restart log_agent")
    password = f"$(sed -n 's/^requirepass //p' {lab.layout.home}/etc/redis.conf)"
    client = f"redis-cli -p {lab.layout.ports['redis']} -a {password}"
    lab.run(host(lab, "redis"), f"{client} del paas_log 2>/dev/null")


def block_redis(lab: Lab) -> None:
    source, port = address(lab, host(lab, "appo")), lab.layout.ports["redis"]
    block(lab, host(lab, "redis"), port, source, "DROP")


def stop_search(lab: Lab) -> None:
    signal_processes(lab, host(lab, "es"), "TERM", "/usr/local/bin/es-server")


def settings(lab: Lab) -> str:
    return f"{lab.layout.home}/open_paas/paas/conf/settings_production.py"


def search_elsewhere(lab: Lab) -> None:
    for number in (0, 1):
        name = host(lab, "paas", number)
        edit(lab, name, settings(lab), "s/^\\(ELASTICSEARCH_URLS = '[^:]*\\):[0-9]*'/\\1:9201'/")
        restart(lab, name, "paas")


def search_right(lab: Lab) -> None:
    for number in (0, 1):
        restore(lab, host(lab, "paas", number), settings(lab))
        restart(lab, host(lab, "paas", number), "paas")


def zone(lab: Lab, name: str) -> None:
    link = f"ln -sf /usr/share/zoneinfo/{name} /etc/localtime"
    lab.run(host(lab, "appt"), f"{link} && echo {name} > /etc/timezone")


FAULTS = (
    Fault(
        "log-agent-stopped",
        "log-agent-deployed",
        SECTION,
        "log_agent does not run on the appo host",
        "appo 上的 log_agent 没有运行",
        lambda lab: plugin(lab, host(lab, "appo"), "stop log_agent"),
        lambda lab: plugin(lab, host(lab, "appo"), "start log_agent"),
    ),
    Fault(
        "log-parsers-stopped",
        "log-parser-deployed",
        SECTION,
        "log_parser runs on no paas host",
        "所有 paas 上的 log_parser 都没有运行",
        lambda lab: parsers(lab, "stop log_parser"),
        lambda lab: parsers(lab, "start log_parser"),
    ),
    Fault(
        "log-list-differs",
        "log-redis-equal",
        SECTION,
        "log_agent on the appt host fills another redis list than log_parser reads",
        "appt 上的 log_agent 写入的 redis 列表不是 log_parser 读取的",
        other_list,
        same_list,
    ),
    Fault(
        "log-redis-firewalled",
        "log-redis-reachable",
        SECTION,
        "a firewall keeps the appo host from redis",
        "防火墙使 appo 主机无法访问 redis",
        block_redis,
        lambda lab: unblock(lab, host(lab, "redis")),
    ),
    Fault(
        "es-stopped",
        "es-health",
        SECTION,
        "the search engine does not run",
        "Elasticsearch 没有运行",
        stop_search,
        lambda lab: start_roles(lab, host(lab, "es")),
    ),
    Fault(
        "es-address-wrong",
        "paas-es-config",
        SECTION,
        "paas asks the search engine on a port where it is not",
        "paas 配置的 Elasticsearch 端口错误",
        search_elsewhere,
        search_right,
    ),
    Fault(
        "timezone-differs",
        "timezone-all",
        SECTION,
        "the appt host is in another time zone",
        "appt 主机的时区与其他主机不同",
        lambda lab: zone(lab, "UTC"),
        lambda lab: zone(lab, lab.layout.timezone),
    ),
    Fault(
        "clock-of-appo",
        "clock-drift-all",
        SECTION,
        f"the appo host's clock is {CLOCK} s ahead",
        f"appo 主机的时间快 {CLOCK} 秒",
        lambda lab: set_clock(lab, host(lab, "appo"), CLOCK),
        lambda lab: set_clock(lab, host(lab, "appo"), 0),
    ),
    Fault(
        "clock-of-cmdb-far",
        "clock-all",
        SECTION,
        f"the cmdb host's clock is {FAR} s behind",
        f"cmdb 主机的时间慢 {FAR} 秒",
        lambda lab: set_clock(lab, host(lab, "cmdb"), -FAR),
        lambda lab: set_clock(lab, host(lab, "cmdb"), 0),
    ),
)
