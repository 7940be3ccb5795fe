"""The log search set up otherwise, and applications that write nothing."""

from __future__ import annotations

import json

from lab.control import Lab
from lab.faults.actions import edit, host, keep, restore
from lab.faults.log_cleanup import application_log
from lab.faults.log_search import agent_file, edit_parsers, plugin, redis_cli, restore_parsers
from lab.faults.log_stages import lose_directory, start_redis_again
from lab.faults.search_engine import ask_search
from lab.faults.search_settings import lower_with_headroom
from lab.lookalikes.lookalike import Lookalike


def redis_conf(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/redis.conf"


def full_but_evicting(lab: Lab) -> None:
    keep(lab, host(lab, "redis"), redis_conf(lab))
    redis_cli(lab, "config set maxmemory-policy allkeys-lru")
    redis_cli(lab, "config set maxmemory 600kb")
    redis_cli(lab, "config rewrite")


def unlimited(lab: Lab) -> None:
    redis_cli(lab, "config set maxmemory 0")
    redis_cli(lab, "config set maxmemory-policy noeviction")
    restore(lab, host(lab, "redis"), redis_conf(lab))


def idle(lab: Lab) -> None:
    """An application that was not used for hours: its last lines, and their documents, are old."""
    for role in ("appo", "appt"):
        folder = f"{lab.layout.home}/paas_agent/apps/logs/bk_idle"
        line = "INFO [$(date -d '5 hours ago' '+%F %T')] bk_idle 1 visited"
        lab.run(
            host(lab, role),
            f'mkdir -p {folder} && echo "{line}" > {folder}/bk_idle.log && touch -d "5 hours ago" {folder}/bk_idle.log',
        )


def not_idle(lab: Lab) -> None:
    for role in ("appo", "appt"):
        lab.run(host(lab, role), f"rm -rf {lab.layout.home}/paas_agent/apps/logs/bk_idle")


def old_index(lab: Lab) -> None:
    """An index of last month that is read-only, as archived ones are."""
    ask_search(lab, "paas_app_log-2026.10.01", "-X PUT")
    body = json.dumps({"index.blocks.write": True})
    ask_search(
        lab,
        "paas_app_log-2026.10.01/_settings",
        f"-X PUT -H 'Content-Type: application/json' -d '{body}'",
    )


def no_old_index(lab: Lab) -> None:
    ask_search(lab, "paas_app_log-2026.10.01", "-X DELETE")


def two_globs(lab: Lab) -> None:
    """The paths of log_agent are written one by one, and one of them matches nothing yet."""
    name = host(lab, "appt")
    edit(
        lab,
        name,
        agent_file(lab),
        "s#^    - \\(.*\\)/logs/.*#    - \\1/logs/*/*.log\\n    - \\1/logs/*/*.json#",
    )
    plugin(lab, name, "restart log_agent")


def one_glob(lab: Lab) -> None:
    restore(lab, host(lab, "appt"), agent_file(lab))
    plugin(lab, host(lab, "appt"), "restart log_agent")


LOOKALIKES = (
    Lookalike(
        "es-headroom-left",
        "the disk of Elasticsearch is above the share of the high watermark, and has more free bytes than max_headroom",
        "Elasticsearch 的磁盘超过高水位线的百分比，但剩余字节多于 max_headroom",
        *lower_with_headroom("1mb"),
    ),
    Lookalike(
        "log-redis-evicts",
        "redis has reached maxmemory and evicts old keys",
        "redis 达到 maxmemory，会淘汰旧的 key",
        full_but_evicting,
        unlimited,
    ),
    Lookalike(
        "log-redis-unsaved-allowed",
        "the last save of redis failed, and it is set to accept writes all the same",
        "redis 上次保存失败，但设置为仍可写入",
        lambda lab: lose_directory(lab, "no"),
        start_redis_again,
    ),
    Lookalike(
        "log-idle-application",
        "an application has written nothing for hours",
        "应用几小时没有写日志",
        idle,
        not_idle,
    ),
    Lookalike(
        "log-old-index-blocked",
        "an old index of logs is read-only",
        "旧的日志索引是只读的",
        old_index,
        no_old_index,
    ),
    Lookalike(
        "log-two-globs",
        "log_agent has two paths, of which one matches nothing",
        "log_agent 有两个路径，其中一个没有匹配",
        two_globs,
        one_glob,
    ),
    Lookalike(
        "log-index-lower-case-year",
        "log_parser writes the year of its index as yyyy",
        "log_parser 的索引年份写成 yyyy",
        lambda lab: edit_parsers(lab, "s/YYYY.MM.dd/yyyy.MM.dd/"),
        restore_parsers,
    ),
    Lookalike(
        "log-other-files",
        "an application also writes a file that is not a log for log_agent",
        "应用还写了 log_agent 不采集的文件",
        lambda lab: lab.run(host(lab, "appo"), f"echo x > {application_log(lab)}.trace"),
        lambda lab: lab.run(host(lab, "appo"), f"rm -f {application_log(lab)}.trace"),
    ),
)
