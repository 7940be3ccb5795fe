"""FAQ: Elasticsearch keeps taking logs: the next index can be created, and documents are found by their time."""

import re

from bkpaas.checks import (
    LOG_INDEX,
    CaseMessage,
    Deployment,
    Endpoint,
    Finding,
    HostLookup,
    HostView,
    NoData,
    Node,
    NotApplicable,
    Search,
    addresses,
    case,
    condition,
    elasticsearch_endpoints,
    hosts_at,
    message_of,
    msg,
    require_log_search,
)

NEW_SHARDS = 2
"""Of an index as Elasticsearch makes it from version 7: one primary and one replica."""
DATES = ("date", "date_nanos")


def _first(host: HostView, finding: Finding) -> Endpoint:
    """Return the first configured address, whose contents are asked. Raises NoData if it is wrong."""
    try:
        endpoint = elasticsearch_endpoints(host.settings.by_project.get("paas"))[0]
    except ValueError as error:
        raise NoData(message_of(error)) from None
    finding.set_remedy_values(es_url=f"{endpoint.scheme}://{endpoint.text}", es_host=endpoint.host)
    return endpoint


@condition("es-new-index")
def test_the_next_index_can_be_created(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """No setting, limit or full disk keeps Elasticsearch from creating the index of the next day."""
    require_log_search(deployment, host_facts)
    endpoint = _first(host, finding)
    finding.depends_on_hosts(hosts_at(addresses(host, endpoint.host, deployment), deployment, host_facts))
    search = host.searches.at(endpoint)
    search.need("cluster", "nodes")
    assert _may_create(search.settings.auto_create), case(
        "auto-create", "action.auto_create_index is {value}", value=search.settings.auto_create
    )
    health = search.health.json() or {}
    red = health.get("status") == "red"
    assert search.settings.allocation != "none" or red, case(
        "allocation", "cluster.routing.allocation.enable is {value}", value=search.settings.allocation
    )
    count, limit = _shards(search)
    assert limit is None or count + NEW_SHARDS <= limit, case(
        "shards",
        "{count} shards, cluster.max_shards_per_node allows {limit}",
        count=count,
        limit=limit,
    )
    full = _above_watermark(search)
    assert not full, case(
        "disk",
        "{nodes}; cluster.routing.allocation.disk.watermark.high is {limit}",
        nodes=", ".join(full),
        limit=search.settings.high_watermark,
    )
    finding.add_evidence(f"{count} / {limit}" if limit else f"{count}")


def _may_create(value: str) -> bool:
    """Return whether action.auto_create_index allows the index of logs: true, false, or patterns with + and -."""
    if value in ("true", "false"):
        return value == "true"
    for pattern in value.split(","):
        word = pattern.strip()
        name = word.lstrip("+-")
        if re.fullmatch(re.escape(name).replace(r"\*", ".*"), f"{LOG_INDEX}2000.01.01"):
            return not word.startswith("-")
    return False


def _shards(search: Search) -> tuple[int, int | None]:
    """Return the number of shards and how many the data nodes may hold, None without a limit."""
    health = search.health.json() or {}
    active, lost, nodes = (
        health.get(name) for name in ("active_shards", "unassigned_shards", "number_of_data_nodes")
    )
    per_node = search.settings.shards_per_node
    if (
        per_node is None
        or not isinstance(nodes, int)
        or not isinstance(active, int)
        or not isinstance(lost, int)
    ):
        return 0, None
    return active + lost, per_node * nodes


_UNITS = {"b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40, "pb": 1 << 50}


def _above_watermark(search: Search) -> list[str]:
    """Return all nodes if each is above the high watermark, which is a share of its disk or a number of free bytes."""
    if not search.settings.thresholds or not search.nodes:
        return []
    limit = search.settings.high_watermark.strip().lower()
    if match := re.fullmatch(r"(\d{1,3}(?:\.\d+)?)(%?)", limit):
        percent = float(match[1]) if match[2] else 100 * float(match[1])  # 0.9 is 90 %
        enough = _headroom(search.settings.high_headroom)
        full = [
            f"{node.name} {node.used_percent:g} %"
            for node in search.nodes
            if node.used_percent > percent and (enough is None or _free(node, limit) < enough)
        ]
    elif (needed := _bytes(limit)) is not None:
        full = [f"{node.name} {_gigabytes(node)}" for node in search.nodes if _free(node, limit) < needed]
    else:
        raise NoData(msg("cluster.routing.allocation.disk.watermark.high is {limit}", limit=limit))
    return full if len(full) == len(search.nodes) else []


def _bytes(text: str) -> float | None:
    match = re.fullmatch(r"(\d{1,15}(?:\.\d+)?)(b|kb|mb|gb|tb|pb)", text)
    return float(match[1]) * _UNITS[match[2]] if match else None


def _headroom(text: str) -> float | None:
    """Return the free bytes that are enough although a share of the disk is exceeded, None without that limit.

    Source: Elasticsearch 8.5, cluster.routing.allocation.disk.watermark.high.max_headroom.
    """
    plain = text.strip().lower()
    if plain in ("", "-1"):
        return None
    enough = _bytes(plain)
    if enough is None:
        raise NoData(
            msg("cluster.routing.allocation.disk.watermark.high.max_headroom is {limit}", limit=plain)
        )
    return enough


def _free(node: Node, limit: str) -> int:
    """Return the free bytes of a node. Raises NoData if they are not known."""
    if node.free_bytes is None:
        raise NoData(
            msg(
                "cluster.routing.allocation.disk.watermark.high is {limit}, and the free bytes of {node} are not known",
                limit=limit,
                node=node.name,
            )
        )
    return node.free_bytes


def _gigabytes(node: Node) -> str:
    return f"{(node.free_bytes or 0) / (1 << 30):.1f} GB"


@condition("es-time-field")
def test_the_time_of_documents_is_a_date(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """In each index of these days that has documents, @timestamp is a date."""
    require_log_search(deployment, host_facts)
    endpoint = _first(host, finding)
    search = host.searches.at(endpoint)
    search.need("mapping", "indices")
    filled = {index.name for index in search.indices if index.documents}
    types = {name: kind for name, kind in search.time_types.items() if name in filled}
    if not types:
        raise NotApplicable(msg("no index of logs of these days has documents"))
    wrong = [(name, kind) for name, kind in sorted(types.items()) if kind not in DATES]
    if wrong:
        finding.set_remedy_values(index=wrong[0][0])
        raise AssertionError(_wrong_type(*wrong[0]))
    finding.add_evidence(", ".join(f"{name} {kind}" for name, kind in sorted(types.items())))


def _wrong_type(index: str, kind: str) -> CaseMessage:
    if not kind:
        return case("not-mapped", "{index}: @timestamp is not mapped", index=index)
    return case("not-a-date", "{index}: @timestamp is mapped as {type}", index=index, type=kind)
