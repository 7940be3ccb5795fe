"""The database, RabbitMQ, disks, and what the services need from each other."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import (
    address,
    await_http,
    block,
    host,
    inner,
    restart,
    signal_processes,
    start_roles,
    unblock,
)
from lab.faults.fault import Fault
from lab.services.layout import SECRETS

SECTION = "platform-healthy"
GREEDY = "/run/lab-greedy"  # as long as it is there, clients take every connection
MARIADB = "/usr/sbin/mariadbd"


def stop_database(lab: Lab) -> None:
    signal_processes(lab, host(lab, "mysql"), "TERM", MARIADB)
    lab.run(host(lab, "mysql"), "while pgrep -x mariadbd >/dev/null; do sleep 0.05; done")


def start_database(lab: Lab) -> None:
    start_roles(lab, host(lab, "mysql"))
    lab.run(host(lab, "mysql"), "until mariadb-admin --silent ping; do sleep 0.05; done 2>/dev/null")
    fresh_connections(lab)


def fresh_connections(lab: Lab) -> None:
    """esb keeps its connections: each worker fails once more when the database is back, so restart it."""
    for name in (each.name for each in lab.layout.hosts if "paas" in each.roles):
        restart(lab, name, "esb")


def freeze_database(lab: Lab) -> None:
    signal_processes(lab, host(lab, "mysql"), "STOP", MARIADB)


def thaw_database(lab: Lab) -> None:
    signal_processes(lab, host(lab, "mysql"), "CONT", MARIADB)


def reject_database(lab: Lab) -> None:
    source = address(lab, host(lab, "paas"))
    block(lab, host(lab, "mysql"), lab.layout.ports["mysql"], source, "REJECT --reject-with tcp-reset")


def admit_database(lab: Lab) -> None:
    unblock(lab, host(lab, "mysql"))
    fresh_connections(lab)


def stop_rabbit_application(lab: Lab) -> None:
    lab.run(host(lab, "rabbitmq"), "rabbitmqctl -q stop_app", timeout=90)


def start_rabbit_application(lab: Lab) -> None:
    lab.run(host(lab, "rabbitmq"), "rabbitmqctl -q start_app", timeout=90)


def fill_disk(lab: Lab) -> None:
    lab.run(host(lab, "paas"), f"head -c 8G /dev/zero > {filler(lab)} 2>/dev/null || true")


def crowd_disk(lab: Lab) -> None:
    """Leave 3 % of the disk."""
    size = "$(df --output=avail -B1 / | awk 'NR == 2 { print int($1 * 0.97) }')"
    lab.run(host(lab, "paas"), f"head -c {size} /dev/zero > {filler(lab)}")


def fill_data_disk(lab: Lab) -> None:
    """redis keeps its data on a file system of its own."""
    disk = data_disk(lab)
    mount = f"mount -t tmpfs -o size=1m,mode=0755 data {disk}"
    lab.run(host(lab, "redis"), f"{mount} && head -c 8M /dev/zero > {disk}/dump.rdb 2>/dev/null || true")


def empty_data_disk(lab: Lab) -> None:
    lab.run(host(lab, "redis"), f"umount {data_disk(lab)} 2>/dev/null || true")


def data_disk(lab: Lab) -> str:
    return f"{lab.layout.home}/public/redis"


def empty_disk(lab: Lab) -> None:
    lab.run(host(lab, "paas"), f"rm -f {filler(lab)}")


def filler(lab: Lab) -> str:
    return f"{lab.layout.home}/logs/core.4711"


def stop_cmdb(lab: Lab) -> None:
    signal_processes(lab, host(lab, "cmdb"), "TERM", "/.*/cmdb_apiserver")


def set_agents_active(lab: Lab, active: bool) -> None:
    statement = f"UPDATE engine_servers SET is_active = {int(active)}"
    lab.run(host(lab, "mysql"), f"mariadb open_paas -e '{statement}'")
    paas = host(lab, "paas")
    await_http(lab, paas, f"http://{inner(lab, paas)}:{lab.layout.ports['appengine']}/v1/healthz/", "200")


def use_up_connections(lab: Lab) -> None:
    """A program keeps all connections that the database allows."""
    name = host(lab, "mysql")
    client = f"mariadb -h {address(lab, name)} -u {SECRETS['MYSQL_USER']} -p{SECRETS['MYSQL_PASS']}"
    lab.run(name, "mariadb -e 'SET GLOBAL max_connections = 10'")
    restart(lab, host(lab, "paas"), "esb")  # which keeps connections of its own
    restart(lab, host(lab, "paas", 1), "esb")
    again = f"while [ -e {GREEDY} ]; do {client} -e 'DO SLEEP(1000)'; sleep 0.1; done"
    lab.run(name, f": > {GREEDY}; for i in $(seq 12); do {again} >/dev/null 2>&1 & done")
    lab.wait(lambda: lab.run(name, f"{client} -e 'DO 1' 2>&1 || true").strip(), 20, "no connection is left")


def free_connections(lab: Lab) -> None:
    lab.run(
        host(lab, "mysql"),
        f"rm -f {GREEDY}; pkill -x mariadb; tries=0;"  # those that end now still count for a moment
        " until mariadb -e 'SET GLOBAL max_connections = 151'; do"
        " tries=$((tries + 1)); [ $tries -lt 50 ] || exit 1; sleep 0.1; done",
    )
    fresh_connections(lab)


def set_database_password(lab: Lab, password: str) -> None:
    """Connections that are open already are kept."""
    statement = f"ALTER USER '{SECRETS['MYSQL_USER']}'@'%' IDENTIFIED BY '{password}'"
    lab.run(host(lab, "mysql"), f'mariadb -e "{statement}"')
    fresh_connections(lab)


def kill_rabbit(lab: Lab) -> None:
    signal_processes(lab, host(lab, "rabbitmq"), "KILL", "/usr/lib/erlang/erts.*beam")


def start_rabbit(lab: Lab) -> None:
    start_roles(lab, host(lab, "rabbitmq"))


def freeze_rabbit(lab: Lab) -> None:
    signal_processes(lab, host(lab, "rabbitmq"), "STOP", "/usr/lib/erlang/erts.*beam")


def thaw_rabbit(lab: Lab) -> None:
    signal_processes(lab, host(lab, "rabbitmq"), "CONT", "/usr/lib/erlang/erts.*beam")


def lock_disk(lab: Lab) -> None:
    logs = f"{lab.layout.home}/logs"
    lab.run(host(lab, "paas"), f"mount --bind {logs} {logs} && mount -o remount,bind,ro {logs}")


def unlock_disk(lab: Lab) -> None:
    logs = f"{lab.layout.home}/logs"
    lab.run(host(lab, "paas"), f"! mountpoint -q {logs} || umount -l {logs}")


FAULTS = (
    Fault(
        "database-stopped",
        "database-reachable",
        SECTION,
        "the database is stopped",
        "数据库已停止",
        stop_database,
        start_database,
    ),
    Fault(
        "database-frozen",
        "database-reachable",
        SECTION,
        "the database accepts connections and does not answer",
        "数据库接受连接但没有应答",
        freeze_database,
        thaw_database,
    ),
    Fault(
        "database-rejected",
        "database-reachable",
        SECTION,
        "a firewall rejects the first paas host's connections to the database",
        "防火墙拒绝第一台 paas 连接数据库",
        reject_database,
        admit_database,
    ),
    Fault(
        "rabbit-orphan",
        "rabbit-orphan",
        "fatal-exited-too-quickly",
        "RabbitMQ is stopped, but its beam process lives on",
        "RabbitMQ 已停止，但 beam 进程仍然存活",
        stop_rabbit_application,
        start_rabbit_application,
    ),
    Fault(
        "disk-full",
        "disk-space",
        "login-no-response",
        "the disk of the first paas host is full",
        "第一台 paas 的磁盘已满",
        fill_disk,
        empty_disk,
    ),
    Fault(
        "data-disk-full",
        "disk-space",
        "no-logs",
        "the file system of redis's data is full, the others have room",
        "redis 数据所在的文件系统已满，其他文件系统仍有空间",
        fill_data_disk,
        empty_data_disk,
    ),
    Fault(
        "disk-crowded",
        "disk-headroom",
        "login-no-response",
        "the disk of the first paas host is nearly full",
        "第一台 paas 的磁盘快满了",
        crowd_disk,
        empty_disk,
    ),
    Fault(
        "cc-down",
        "healthz-esb",
        SECTION,
        "the interface of the configuration platform does not run, esb needs it",
        "配置平台的 apiserver 没有运行，而 esb 依赖它",
        stop_cmdb,
        lambda lab: start_roles(lab, host(lab, "cmdb")),
    ),
    Fault(
        "agent-unregistered",
        "agent-registered",
        SECTION,
        "no paas_agent is active in the database",
        "数据库中没有激活的 paas_agent",
        lambda lab: set_agents_active(lab, False),
        lambda lab: set_agents_active(lab, True),
    ),
    Fault(
        "database-connections-used-up",
        "database-login",
        SECTION,
        "the database has no connection left",
        "数据库连接数已用尽",
        use_up_connections,
        free_connections,
    ),
    Fault(
        "database-password-changed",
        "database-login",
        SECTION,
        "the password of the database was changed there, not in the settings",
        "数据库密码已修改，但配置中没有改",
        lambda lab: set_database_password(lab, "Another-6Rm1"),
        lambda lab: set_database_password(lab, SECRETS["MYSQL_PASS"]),
    ),
    Fault(
        "rabbit-killed",
        "rabbit-orphan",
        "fatal-exited-too-quickly",
        "RabbitMQ was killed, only epmd is left",
        "RabbitMQ 被杀死，只剩 epmd",
        kill_rabbit,
        start_rabbit,
    ),
    Fault(
        "rabbit-frozen",
        "rabbit-orphan",
        "fatal-exited-too-quickly",
        "RabbitMQ accepts connections and does not answer",
        "RabbitMQ 接受连接但没有应答",
        freeze_rabbit,
        thaw_rabbit,
    ),
    Fault(
        "disk-readonly",
        "disk-space",
        "login-no-response",
        "the disk of the logs on the first paas host became read-only",
        "第一台 paas 上日志所在的磁盘变为只读",
        lock_disk,
        unlock_disk,
    ),
)
