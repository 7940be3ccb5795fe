"""Settings and mappings of Elasticsearch that keep logs out of the index or out of the search."""

from __future__ import annotations

import json

from lab.control import Lab
from lab.faults.actions import host
from lab.faults.fault import Act, Fault
from lab.faults.log_search import SECTION
from lab.faults.search_engine import ask_search

NEW_INDEX, TIME = "es-new-index", "es-time-field"
FILLER = "/root/core.4711"


def cluster(name: str, value: object) -> tuple[Act, Act]:
    """Another setting of the cluster of Elasticsearch."""

    def put(lab: Lab, what: object) -> None:
        body = json.dumps({"persistent": {name: what}})
        ask_search(lab, "_cluster/settings", f"-X PUT -H 'Content-Type: application/json' -d '{body}'")

    return lambda lab: put(lab, value), lambda lab: put(lab, None)


LOWERED, RAISED = cluster("cluster.routing.allocation.disk.watermark.high", "2%")


def lower_watermark(lab: Lab) -> None:
    """Use 6 % of the disk, since that of a fresh lab is empty, and lower the watermark below it."""
    size = "$(df --output=size -B1 / | awk 'NR == 2 { print int($1 * 0.06) }')"
    lab.run(host(lab, "es"), f"head -c {size} /dev/zero > {FILLER}")
    LOWERED(lab)


def raise_watermark(lab: Lab) -> None:
    RAISED(lab)
    lab.run(host(lab, "es"), f"rm -f {FILLER}")


BYTES_RAISED, BYTES_USUAL = cluster("cluster.routing.allocation.disk.watermark.high", "500gb")


HEADROOM = "cluster.routing.allocation.disk.watermark.high.max_headroom"


def lower_with_headroom(value: str) -> tuple[Act, Act]:
    """The share of the high watermark is exceeded, and so many free bytes are enough."""
    put, remove = cluster(HEADROOM, value)

    def break_(lab: Lab) -> None:
        put(lab)
        lower_watermark(lab)

    def heal(lab: Lab) -> None:
        remove(lab)
        raise_watermark(lab)

    return break_, heal


def time_type(value: str) -> tuple[Act, Act]:
    """Another type of @timestamp in the indices of logs."""

    def put(lab: Lab, what: str | None) -> None:
        body = json.dumps({"index.lab.timestamp": what})
        ask_search(lab, "paas_app_log-*/_settings", f"-X PUT -H 'Content-Type: application/json' -d '{body}'")

    return lambda lab: put(lab, value), lambda lab: put(lab, None)


def block_by_hand(lab: Lab, value: bool | None) -> None:
    body = json.dumps({"index.blocks.write": value})
    ask_search(lab, "paas_app_log-*/_settings", f"-X PUT -H 'Content-Type: application/json' -d '{body}'")


FAULTS = (
    Fault(
        "es-auto-create-off",
        NEW_INDEX,
        SECTION,
        "Elasticsearch creates no index by itself",
        "Elasticsearch 不自动创建索引",
        *cluster("action.auto_create_index", "false"),
    ),
    Fault(
        "es-auto-create-others",
        NEW_INDEX,
        SECTION,
        "Elasticsearch creates only the indices of monitoring by itself",
        "Elasticsearch 只自动创建监控索引",
        *cluster("action.auto_create_index", ".monitoring*,.watches"),
    ),
    Fault(
        "es-allocation-off",
        NEW_INDEX,
        SECTION,
        "the allocation of shards is off since maintenance, today's index works still",
        "维护后分片分配仍关闭，今天的索引还正常",
        *cluster("cluster.routing.allocation.enable", "none"),
    ),
    Fault(
        "es-too-many-shards",
        NEW_INDEX,
        SECTION,
        "Elasticsearch has as many shards as it may have",
        "Elasticsearch 的分片数已达上限",
        *cluster("cluster.max_shards_per_node", 2),
    ),
    Fault(
        "es-above-watermark",
        NEW_INDEX,
        SECTION,
        "the high watermark of Elasticsearch was lowered, its disk is above it",
        "Elasticsearch 的高水位线被调低，磁盘已超过",
        lower_watermark,
        raise_watermark,
    ),
    Fault(
        "es-above-watermark-and-headroom",
        NEW_INDEX,
        SECTION,
        "the disk of Elasticsearch is above the high watermark and has fewer free bytes than max_headroom",
        "Elasticsearch 的磁盘超过高水位线，剩余字节也少于 max_headroom",
        *lower_with_headroom("500gb"),
    ),
    Fault(
        "es-above-watermark-in-bytes",
        NEW_INDEX,
        SECTION,
        "the high watermark of Elasticsearch is a number of free bytes that its disk does not have",
        "Elasticsearch 的高水位线是剩余字节数，磁盘剩余空间低于它",
        BYTES_RAISED,
        BYTES_USUAL,
    ),
    Fault(
        "es-time-is-text",
        TIME,
        SECTION,
        "@timestamp of the logs is a text, since a template is missing",
        "缺少模板，日志的 @timestamp 成为文本",
        *time_type("text"),
    ),
    Fault(
        "es-time-not-mapped",
        TIME,
        SECTION,
        "the documents of logs have no @timestamp",
        "日志文档没有 @timestamp",
        *time_type("none"),
    ),
    Fault(
        "es-write-block",
        "es-writable",
        SECTION,
        "a write block was set by hand on the indices of logs",
        "日志索引被人为设置了写入限制",
        lambda lab: block_by_hand(lab, True),
        lambda lab: block_by_hand(lab, None),
    ),
)
