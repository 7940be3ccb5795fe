"""Why the developer centre shows no logs: plugins, their redis, their index, clocks and zones."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import (
    address,
    await_states,
    block,
    edit,
    host,
    restore,
    set_clock,
    signal_processes,
    supervisorctl,
    unblock,
)
from lab.faults.fault import Fault
from lab.faults.log_cleanup import application_log
from lab.faults.search_engine import ask_search
from lab.services.layout import SECRETS

SECTION = "no-logs"
CLOCK = 20  # seconds; more than the others differ, less than a token bears
FAR = 90  # seconds; offset of logged lines beyond the searched range
BACKLOG = 1500  # lines; more than a list in redis may hold without a warning
LATE = 60  # seconds; a line that old is missed in this lab's inventory
SUPERVISOR = "{home}/etc/supervisor-open_paas.conf"
REDIS = "/usr/bin/redis-server"
PIDS = "/run/lab-faults-pid"


def plugin(lab: Lab, name: str, arguments: str) -> None:
    supervisorctl(lab, name, arguments, module="paas_plugins")


def parsers(lab: Lab, arguments: str) -> None:
    for each in lab.layout.hosts:
        if "paas" in each.roles:
            plugin(lab, each.name, arguments)


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


def parser_file(lab: Lab) -> str:
    return f"{lab.layout.home}/paas_plugins/log_parser/conf/paas_app_log.conf"


def app_hosts(lab: Lab) -> list[str]:
    return [each.name for each in lab.layout.hosts if {"appo", "appt"} & set(each.roles)]


def paas_hosts(lab: Lab) -> list[str]:
    return [each.name for each in lab.layout.hosts if "paas" in each.roles]


def edit_parsers(lab: Lab, sed: str) -> None:
    for name in paas_hosts(lab):
        edit(lab, name, parser_file(lab), sed)
        plugin(lab, name, "restart log_parser")


def restore_parsers(lab: Lab) -> None:
    for name in paas_hosts(lab):
        restore(lab, name, parser_file(lab))
        plugin(lab, name, "restart log_parser")


def wrong_password(lab: Lab) -> None:
    """The same in all of them, and not the one of redis."""
    for name in app_hosts(lab):
        edit(lab, name, agent_file(lab), 's/^  password: .*/  password: "Lab-redis-0old"/')
        plugin(lab, name, "restart log_agent")
    edit_parsers(lab, 's/password => .*/password => "Lab-redis-0old"/')


def right_password(lab: Lab) -> None:
    for name in app_hosts(lab):
        restore(lab, name, agent_file(lab))
        plugin(lab, name, "restart log_agent")
    restore_parsers(lab)


def redis_cli(lab: Lab, arguments: str) -> str:
    client = f"redis-cli --no-auth-warning -p {lab.layout.ports['redis']} -a {SECRETS['REDIS_PASS']}"
    return lab.run(host(lab, "redis"), f"{client} {arguments}").strip()


def freeze_parsers(lab: Lab) -> None:
    """They run and are equal; an application writes a lot meanwhile, and goes on."""
    for name in paas_hosts(lab):
        signal_processes(lab, name, "STOP", f"{lab.layout.home}/jvm/bin/java")
    line = "DEBUG [$(date +%F\\ %T)] bk_framework 1 retrying"
    lab.run(
        host(lab, "appo"),
        f'log={application_log(lab)}; for n in $(seq {BACKLOG}); do echo "{line} $n"; done >> $log;'
        f" setsid sh -c 'while sleep 0.2; do echo \"{line}\" >> '$log'; done' </dev/null >/dev/null 2>&1 &"
        f" echo $! > {PIDS}",
    )
    lab.wait(lambda: int(redis_cli(lab, "llen paas_app_log")) > BACKLOG, 60, "the list in redis is long")


def wake_parsers(lab: Lab) -> None:
    lab.run(host(lab, "appo"), f"[ ! -e {PIDS} ] || {{ kill -- -$(cat {PIDS}); rm {PIDS}; }}")
    for name in paas_hosts(lab):
        signal_processes(lab, name, "CONT", f"{lab.layout.home}/jvm/bin/java")
    lab.wait(lambda: redis_cli(lab, "llen paas_app_log") == "0", 90, "the list in redis is empty")


def other_index(lab: Lab) -> None:
    """Everything runs, and the documents come to lie where paas does not look."""
    edit_parsers(lab, 's/index => "paas_app_log-/index => "paas_log-/')
    name = host(lab, "appo")
    line = f"echo \"INFO [$(date '+%F %T')] bk_framework 1 visited\" >> {application_log(lab)}"
    begun = float(lab.run(name, "date +%s"))

    def missed() -> bool:
        lab.run(name, line)
        return float(lab.run(name, "date +%s")) - begun > LATE

    lab.wait(missed, 4 * LATE, "lines are missed")


def right_index(lab: Lab) -> None:
    restore_parsers(lab)
    for index in ask_search(lab, "_cat/indices/paas_log-*?h=index").split():
        ask_search(lab, index, "-X DELETE")


def second_redis(lab: Lab) -> str:
    """Another redis with the same port and password, on a host where none belongs -> its address."""
    name = host(lab, "cmdb")
    arguments = f"--port {lab.layout.ports['redis']} --requirepass {SECRETS['REDIS_PASS']} --daemonize yes"
    lab.run(name, f"pgrep -x redis-server >/dev/null || {REDIS} {arguments} --bind 0.0.0.0 --save ''")
    return address(lab, name)


def end_second_redis(lab: Lab) -> None:
    lab.run(host(lab, "cmdb"), "pkill -x redis-server || true")


def parsers_elsewhere(lab: Lab) -> None:
    edit_parsers(lab, f's/^\\(    host => \\).*/\\1"{second_redis(lab)}"/')


def parsers_home(lab: Lab) -> None:
    restore_parsers(lab)
    end_second_redis(lab)


def edited_only(lab: Lab) -> None:
    """The file was corrected, log_agent was not restarted."""
    name, other = host(lab, "appo"), second_redis(lab)
    edit(lab, name, agent_file(lab), f's/^  hosts: .*/  hosts: ["{other}:{lab.layout.ports["redis"]}"]/')
    plugin(lab, name, "restart log_agent")
    restore(lab, name, agent_file(lab))
    lab.run(name, f"echo \"INFO [$(date '+%F %T')] bk_framework 1 visited\" >> {application_log(lab)}")
    lab.wait(lambda: other in lab.run(name, "ss -tnH state established"), 30, "log_agent is connected")


def restarted(lab: Lab) -> None:
    restore(lab, host(lab, "appo"), agent_file(lab))
    plugin(lab, host(lab, "appo"), "restart log_agent")
    end_second_redis(lab)


def zone(lab: Lab, name: str) -> None:
    link = f"ln -sf /usr/share/zoneinfo/{name} /etc/localtime"
    lab.run(host(lab, "appt"), f"{link} && echo {name} > /etc/timezone")


def zone_of_login(lab: Lab) -> None:
    """login of the second paas host is started with another time zone."""
    name = host(lab, "paas", 1)
    edit(lab, name, SUPERVISOR.format(home=lab.layout.home), '/^\\[program:login\\]/a environment=TZ="UTC"')
    supervisorctl(lab, name, "update")
    await_states(lab, name, "RUNNING")


def zone_of_the_host(lab: Lab) -> None:
    name = host(lab, "paas", 1)
    restore(lab, name, SUPERVISOR.format(home=lab.layout.home))
    supervisorctl(lab, name, "update")
    await_states(lab, name, "RUNNING")


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
        "log-redis-frozen",
        "log-redis-reachable",
        SECTION,
        "redis accepts connections and does not answer",
        "redis 接受连接但没有应答",
        lambda lab: signal_processes(lab, host(lab, "redis"), "STOP", REDIS),
        lambda lab: signal_processes(lab, host(lab, "redis"), "CONT", REDIS),
    ),
    Fault(
        "log-redis-password-wrong",
        "log-redis-reachable",
        SECTION,
        "log_agent and log_parser have the same password, and redis another one",
        "log_agent 与 log_parser 的密码一致，但不是 redis 的密码",
        wrong_password,
        right_password,
    ),
    Fault(
        "log-parsers-elsewhere",
        "log-redis-equal",
        SECTION,
        "log_parser reads from another redis than log_agent writes to",
        "log_parser 读取的 redis 不是 log_agent 写入的",
        parsers_elsewhere,
        parsers_home,
    ),
    Fault(
        "log-agent-not-restarted",
        "log-redis-connected",
        SECTION,
        "log_agent on the appo host still uses a redis that its configuration no longer names",
        "appo 上的 log_agent 修改配置后没有重启，仍连接原来的 redis",
        edited_only,
        restarted,
    ),
    Fault(
        "log-queue-growing",
        "log-parser-deployed",
        SECTION,
        "log_parser is stopped while an application writes many lines",
        "log_parser 停滞，而应用正在大量写日志",
        freeze_parsers,
        wake_parsers,
    ),
    Fault(
        "log-index-stale",
        "log-parser-delivers",
        SECTION,
        "log_parser delivers to an index that paas does not search",
        "log_parser 写入的索引不是 paas 查询的",
        other_index,
        right_index,
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
        "timezone-of-login",
        "timezone-all",
        SECTION,
        "login of the second paas host is started with TZ=UTC",
        "第二台 paas 主机的 login 以 TZ=UTC 启动",
        zone_of_login,
        zone_of_the_host,
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
