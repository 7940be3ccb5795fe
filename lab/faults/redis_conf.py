"""The running redis of the log plugins and its file differ: one of them was changed, and redis not restarted."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import edit, host, restore
from lab.faults.fault import Act, Fault
from lab.faults.log_search import (
    SECTION,
    agent_file,
    app_hosts,
    edit_parsers,
    plugin,
    redis_cli,
    right_password,
)

PASSWORD, SETTINGS = "redis-password", "redis-loaded"
NEW = "Lab-redis-9new"
"""A password that only files have."""


def conf(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/redis.conf"


def edited(sed: str) -> tuple[Act, Act]:
    """Another line in the file of redis, which was not restarted."""
    return (
        lambda lab: edit(lab, host(lab, "redis"), conf(lab), sed),
        lambda lab: restore(lab, host(lab, "redis"), conf(lab)),
    )


def restarted(lab: Lab) -> None:
    """Restart redis with its file; the plugins connect again by themselves."""
    name = host(lab, "redis")
    lab.run(
        name, "pkill -x redis-server; while pgrep -x redis-server >/dev/null; do sleep 0.05; done; sleep 1"
    )
    lab.run(name, f"/usr/bin/redis-server {conf(lab)}")
    lab.wait(lambda: "PONG" in redis_cli(lab, "ping"), 20, f"redis answers on {name}")


def started_with(line: str) -> tuple[Act, Act]:
    """Restart redis with one more line in its file."""

    def break_(lab: Lab) -> None:
        edit(lab, host(lab, "redis"), conf(lab), f"$ a {line}")
        restarted(lab)

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, "redis"), conf(lab))
        restarted(lab)

    return break_, heal


def new_password_everywhere(lab: Lab) -> None:
    """The new password is in all files, the plugins were restarted and redis was not."""
    edit(lab, host(lab, "redis"), conf(lab), f"s/^requirepass .*/requirepass {NEW}/")
    for name in app_hosts(lab):
        edit(lab, name, agent_file(lab), f's/^  password: .*/  password: "{NEW}"/')
        plugin(lab, name, "restart log_agent")
    edit_parsers(lab, f's/password => .*/password => "{NEW}"/')


def old_password_everywhere(lab: Lab) -> None:
    restore(lab, host(lab, "redis"), conf(lab))
    right_password(lab)


def fault(name: str, condition: str, title_en: str, title_zh: str, break_: Act, heal: Act) -> Fault:
    return Fault(name, condition, SECTION, title_en, title_zh, break_, heal)


FAULTS = (
    fault(
        "redis-password-edited",
        PASSWORD,
        "requirepass in the file of redis is another one than the running redis accepts",
        "redis 配置文件中的 requirepass 与运行中的 redis 接受的密码不同",
        *edited(f"s/^requirepass .*/requirepass {NEW}/"),
    ),
    fault(
        "redis-password-not-loaded",
        PASSWORD,
        "the password was changed in redis.conf and in the log plugins, and redis was not restarted",
        "redis.conf 和日志插件中的密码都已修改，redis 没有重启",
        new_password_everywhere,
        old_password_everywhere,
    ),
    fault(
        "redis-memory-not-written",
        SETTINGS,
        "maxmemory was set on the running redis and not written to its file",
        "对运行中的 redis 设置了 maxmemory，没有写入配置文件",
        lambda lab: redis_cli(lab, "config set maxmemory 300mb"),
        lambda lab: redis_cli(lab, "config set maxmemory 0"),
    ),
    fault(
        "redis-bind-edited",
        SETTINGS,
        "bind in the file of redis was narrowed to loopback, redis was not restarted",
        "redis 配置文件中的 bind 改成了只有回环地址，redis 没有重启",
        *edited("s/^bind .*/bind 127.0.0.1/"),
    ),
    fault(
        "redis-command-renamed",
        "log-redis-writable",
        "a hardening guide's rename-command took RPUSH away from log_agent",
        "按安全加固指南配置的 rename-command 使 log_agent 无法使用 RPUSH",
        *started_with('rename-command RPUSH ""'),
    ),
    fault(
        "redis-account-may-not-write",
        "log-redis-writable",
        "an access control list takes RPUSH from the account of log_agent",
        "ACL 不允许 log_agent 的账号使用 RPUSH",
        lambda lab: redis_cli(lab, "acl setuser default -rpush"),
        lambda lab: redis_cli(lab, "acl setuser default +@all"),
    ),
    fault(
        "redis-account-other-keys",
        "log-redis-writable",
        "an access control list leaves the account of the plugins no key of theirs",
        "ACL 不允许插件的账号使用其 key",
        lambda lab: redis_cli(lab, "acl setuser default resetkeys ~cache:*"),
        lambda lab: redis_cli(lab, "acl setuser default resetkeys allkeys"),
    ),
    fault(
        "redis-clients-used-up",
        "log-redis-reachable",
        "redis has no connection left for the log plugins",
        "redis 的连接数已用完，日志插件无法连接",
        lambda lab: redis_cli(lab, "config set maxclients 1"),
        restarted,
    ),
    fault(
        "redis-account-off",
        PASSWORD,
        "the default account of the running redis was switched off",
        "运行中的 redis 的默认账号被停用",
        lambda lab: redis_cli(lab, "acl setuser default off"),
        restarted,
    ),
)
