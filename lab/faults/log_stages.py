"""A log line stops on its way: at log_agent, in redis, at log_parser, in Elasticsearch."""

from __future__ import annotations

import json
import re
import shlex

from lab.control import Lab
from lab.faults.actions import edit, host, restart, restore, signal_processes, start_roles
from lab.faults.fault import Act, Fault
from lab.faults.log_cleanup import application_log
from lab.faults.log_search import (
    LATE,
    PIDS,
    SECTION,
    agent_file,
    edit_parsers,
    paas_hosts,
    plugin,
    redis_cli,
    restore_parsers,
)
from lab.faults.search_engine import ask_search
from lab.services.layout import SECRETS

AGENT = "/usr/share/filebeat/bin/filebeat"
UNUSED = "10.66.0.99"
"""An address that no host has."""


def write_until_late(lab: Lab, role: str) -> None:
    """Write lines on the host of a role, until the first of them are late."""
    name = host(lab, role)
    line = f"echo \"INFO [$(date '+%F %T')] bk_framework 1 visited\" >> {application_log(lab)}"
    begun = float(lab.run(name, "date +%s"))

    def late() -> bool:
        lab.run(name, line)
        return float(lab.run(name, "date +%s")) - begun > LATE

    lab.wait(late, 4 * LATE, "lines are missed")


def agent_edited(role: str, sed: str, late: bool = False) -> tuple[Act, Act]:
    """Another line in the configuration of log_agent, which was restarted."""

    def break_(lab: Lab) -> None:
        edit(lab, host(lab, role), agent_file(lab), sed)
        plugin(lab, host(lab, role), "restart log_agent")
        if late:
            write_until_late(lab, role)

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, role), agent_file(lab))
        plugin(lab, host(lab, role), "restart log_agent")

    return break_, heal


def parser_edited(sed: str, index: str = "", late: str = "") -> tuple[Act, Act]:
    """Return the edit of every log_parser's configuration, and its removal with the index that it made.

    Args:
        index: a regular expression for the whole name of the index.
    """

    def break_(lab: Lab) -> None:
        edit_parsers(lab, sed)
        if late:
            write_until_late(lab, late)

    def heal(lab: Lab) -> None:
        restore_parsers(lab)
        if index:
            for name in ask_search(lab, "_cat/indices?h=index").split():
                if re.fullmatch(index, name):
                    ask_search(lab, name, "-X DELETE")

    return break_, heal


def redis_set(*arguments: str, undo: tuple[str, ...]) -> tuple[Act, Act]:
    """Commands to redis, and those that undo them."""

    def break_(lab: Lab) -> None:
        for one in arguments:
            redis_cli(lab, one)

    def heal(lab: Lab) -> None:
        for one in undo:
            redis_cli(lab, one)

    return break_, heal


def lose_directory(lab: Lab, stop_writes: str = "yes") -> None:
    """The directory of redis is gone, so its next save fails."""
    lab.run(host(lab, "redis"), f"rm -rf {lab.layout.home}/public/redis")
    redis_cli(lab, f"config set stop-writes-on-bgsave-error {stop_writes}")
    redis_cli(lab, "config set save '3600 1'")
    redis_cli(lab, "bgsave")
    lab.wait(
        lambda: "rdb_last_bgsave_status:err" in redis_cli(lab, "info persistence"), 20, "the save has failed"
    )


def start_redis_again(lab: Lab) -> None:
    name = host(lab, "redis")
    lab.run(
        name, "pkill -KILL -x redis-server; while pgrep -x redis-server >/dev/null; do sleep 0.05; done; true"
    )
    start_roles(lab, name)


def freeze_parsers(lab: Lab) -> None:
    for name in paas_hosts(lab):
        signal_processes(lab, name, "STOP", f"{lab.layout.home}/jvm/bin/java")


def wake_parsers(lab: Lab) -> None:
    for name in paas_hosts(lab):
        signal_processes(lab, name, "CONT", f"{lab.layout.home}/jvm/bin/java")


def flood(lab: Lab) -> None:
    """Another program fills the list faster than log_parser can take it."""
    event = json.dumps({"@timestamp": "2026-11-28T00:00:00Z", "message": "flood", "type": "other"})
    line = shlex.quote(f"RPUSH paas_app_log {json.dumps(event)}")
    script = f"for n in $(seq 3000); do printf '%s\\n' {line}; done"
    endless = shlex.quote(f"while true; do ({script}) | {redis_cli_command(lab)} >/dev/null; done")
    lab.run(
        host(lab, "redis"),
        f"setsid sh -c {endless} </dev/null >/dev/null 2>&1 & echo $! > {PIDS}",
    )


def redis_cli_command(lab: Lab) -> str:
    return f"redis-cli --no-auth-warning -p {lab.layout.ports['redis']} -a {SECRETS['REDIS_PASS']}"


def settings(lab: Lab) -> str:
    return f"{lab.layout.home}/open_paas/paas/conf/default.py"


def other_format(lab: Lab) -> None:
    """The settings of paas name another index than log_parser writes."""
    for name in paas_hosts(lab):
        edit(lab, name, settings(lab), 's/^ES_APP_LOG_INDEX_FMT = .*/ES_APP_LOG_INDEX_FMT = "app_log-%s"/')
        restart(lab, name, "paas")


def usual_format(lab: Lab) -> None:
    for name in paas_hosts(lab):
        restore(lab, name, settings(lab))
        restart(lab, name, "paas")


READS, WRITABLE, DELIVERS = "log-agent-reads", "log-redis-writable", "log-parser-delivers"

FAULTS = (
    Fault(
        "log-agent-suspended",
        "log-agent-deployed",
        SECTION,
        "log_agent on the appo host is stopped by a signal, and still runs for ps and its supervisor",
        "appo 上的 log_agent 被信号暂停，但 ps 和 supervisor 仍显示在运行",
        lambda lab: signal_processes(lab, host(lab, "appo"), "STOP", AGENT),
        lambda lab: signal_processes(lab, host(lab, "appo"), "CONT", AGENT),
    ),
    Fault(
        "log-parsers-suspended",
        "log-parser-deployed",
        SECTION,
        "every log_parser is stopped by a signal",
        "所有 log_parser 都被信号暂停",
        freeze_parsers,
        wake_parsers,
    ),
    Fault(
        "log-list-flooded",
        "log-queue-depth",
        SECTION,
        "another program fills the list faster than log_parser reads it",
        "其他程序写入列表的速度超过 log_parser 的消费速度",
        flood,
        lambda lab: (
            lab.run(host(lab, "redis"), f"[ ! -e {PIDS} ] || {{ kill -- -$(cat {PIDS}); rm {PIDS}; }}"),
            redis_cli(lab, "del paas_app_log"),
        ),
    ),
    Fault(
        "log-paths-wrong",
        READS,
        SECTION,
        "log_agent on the appt host looks for logs in a directory that does not exist",
        "appt 上的 log_agent 在不存在的目录中查找日志",
        *agent_edited("appt", "s#apps/logs/#apps/log/#"),
    ),
    Fault(
        "log-paths-too-deep",
        READS,
        SECTION,
        "the path of log_agent on the appo host has one directory too many",
        "appo 上 log_agent 的路径多了一级目录",
        *agent_edited("appo", "s#logs/\\*/\\*.log#logs/*/*/*.log#"),
    ),
    Fault(
        "log-excluded",
        READS,
        SECTION,
        "log_agent on the appo host excludes every log",
        "appo 上的 log_agent 排除了所有日志",
        *agent_edited("appo", "s#exclude_files: .*#exclude_files: ['\\\\.log$']#"),
    ),
    Fault(
        "log-excluded-loosely",
        READS,
        SECTION,
        "an expression of log_agent on the appt host fits more than the ending that was meant",
        "appt 主机 log_agent 的排除表达式匹配范围超出预期的后缀",
        *agent_edited("appt", "s#exclude_files: .*#exclude_files: ['(old|bak|.log)$']#"),
    ),
    Fault(
        "log-input-disabled",
        READS,
        SECTION,
        "the only input of log_agent on the appt host is disabled",
        "appt 上 log_agent 唯一的输入被禁用",
        *agent_edited("appt", "s#^- input_type: log#- input_type: log\\n  enabled: false#"),
    ),
    Fault(
        "log-scanned-rarely",
        READS,
        SECTION,
        "log_agent on the appt host opens each log once a day only",
        "appt 上的 log_agent 每天只打开一次日志",
        *agent_edited(
            "appt", "s#^- input_type: log#&\\n  close_eof: true\\n  scan_frequency: 86400s#", late=True
        ),
    ),
    Fault(
        "log-redis-replica",
        WRITABLE,
        SECTION,
        "the redis of the logs became a replica and refuses writes",
        "日志的 redis 变成从节点，拒绝写入",
        *redis_set(f"replicaof {UNUSED} 6379", undo=("replicaof no one",)),
    ),
    Fault(
        "log-redis-full",
        WRITABLE,
        SECTION,
        "the redis of the logs has used up its memory and evicts nothing",
        "日志的 redis 内存已用完且不淘汰",
        *redis_set(
            "config set maxmemory-policy noeviction",
            "config set maxmemory 600kb",
            undo=("config set maxmemory 0",),
        ),
    ),
    Fault(
        "log-redis-full-volatile",
        WRITABLE,
        SECTION,
        "the redis of the logs is full and evicts only keys that expire, of which it has none",
        "日志的 redis 内存已满，只淘汰带过期时间的 key，而没有这样的 key",
        *redis_set(
            "config set maxmemory-policy volatile-lru",
            "config set maxmemory 600kb",
            undo=("config set maxmemory 0", "config set maxmemory-policy noeviction"),
        ),
    ),
    Fault(
        "log-redis-not-saved",
        WRITABLE,
        SECTION,
        "the directory of redis is gone, its save failed and it refuses writes",
        "redis 的目录丢失，保存失败后拒绝写入",
        lose_directory,
        start_redis_again,
    ),
    Fault(
        "log-redis-without-replicas",
        WRITABLE,
        SECTION,
        "redis requires a replica for each write and has none",
        "redis 写入要求有从节点，而没有从节点",
        *redis_set("config set min-replicas-to-write 1", undo=("config set min-replicas-to-write 0",)),
    ),
    Fault(
        "log-key-string",
        WRITABLE,
        SECTION,
        "the key of the log list is a string, and redis refuses each line",
        "日志列表的 key 变成了字符串，redis 拒绝每一行",
        *redis_set("del paas_app_log", "set paas_app_log 1", undo=("del paas_app_log",)),
    ),
    Fault(
        "log-index-day-of-year",
        DELIVERS,
        SECTION,
        "log_parser names its index by the day of the year",
        "log_parser 用一年中的第几天命名索引",
        *parser_edited("s/YYYY.MM.dd/YYYY.MM.DD/", r"paas_app_log-\d{4}\.\d\d\.\d{3}"),
    ),
    Fault(
        "log-index-usual-name",
        DELIVERS,
        SECTION,
        "the output of log_parser has no index, so it writes to logstash-",
        "log_parser 的输出没有配置索引，写入了 logstash-",
        *parser_edited("/index => /d", r"logstash-.*"),
    ),
    Fault(
        "log-index-monthly",
        DELIVERS,
        SECTION,
        "log_parser writes to an index of the month, paas searches that of the day",
        "log_parser 按月写索引，paas 按天查询",
        *parser_edited("s/YYYY.MM.dd/YYYY.MM/", r"paas_app_log-\d{4}\.\d\d"),
    ),
    Fault(
        "log-parser-drops",
        DELIVERS,
        SECTION,
        "a filter that was left in log_parser drops every line",
        "log_parser 中遗留的过滤器丢弃所有行",
        *parser_edited("s/^output {/filter { drop { } }\\noutput {/"),
    ),
    Fault(
        "log-parser-other-search",
        DELIVERS,
        SECTION,
        "log_parser delivers to another Elasticsearch than paas searches",
        "log_parser 写入的 Elasticsearch 不是 paas 查询的",
        *parser_edited('s/hosts => .*/hosts => ["10.66.0.62:9200"]/'),
    ),
    Fault(
        "log-format-differs",
        DELIVERS,
        SECTION,
        "the settings of paas name another index than log_parser writes",
        "paas 的配置与 log_parser 写入的索引不一致",
        other_format,
        usual_format,
    ),
    Fault(
        "log-one-host-left-out",
        "log-index-fresh",
        SECTION,
        "log_parser delivers the lines of every host but the appt one",
        "log_parser 写入除 appt 以外所有主机的日志",
        *parser_edited(
            's/^  elasticsearch {/  if [beat][hostname] != "appt-1" {\\n  elasticsearch {/; $ s/^}$/}}/',
            late="appt",
        ),
    ),
)
