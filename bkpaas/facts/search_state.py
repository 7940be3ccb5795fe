"""Parse what Elasticsearch says of its settings, its mappings and the sources of the log documents.

Source: Elasticsearch 5.6 to 8: Cluster-level shard allocation, Get field mapping API, URI search.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bkpaas.facts import raw
from bkpaas.facts.log_plugins import LogFile
from bkpaas.facts.missing import Missing, Record
from bkpaas.inventory.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bkpaas.facts.host import HostFacts

HOST_FIELDS = (
    *("beat.hostname", "beat.name", "host.name", "host.hostname", "agent.hostname", "agent.name"),
    *("hostname", "host", "ip"),
)
"""Fields in which shippers of different versions name the host of a line."""
PATH_FIELDS = ("source", "log.file.path", "path", "file")
MOST_SOURCES = 12
"""So many logs of the applications are searched for, the newest of each host first."""
_MOST = 400


class ClusterSettings(Record, frozen=True):
    """Hold the settings that decide whether a new index can be created and written to."""

    allocation: str = "all"
    """cluster.routing.allocation.enable."""
    auto_create: str = "true"
    """action.auto_create_index: true, false or patterns."""
    shards_per_node: int | None = None
    """cluster.max_shards_per_node; None: before 7.0 there is no limit."""
    high_watermark: str = "90%"
    high_headroom: str = ""
    """watermark.high.max_headroom, since 8.5: free bytes that are enough above a share; empty or -1: none."""
    flood_stage: str = "95%"
    thresholds: bool = True
    """cluster.routing.allocation.disk.threshold_enabled."""


class Sample(Record, frozen=True):
    """Represent how the newest document names its host and file."""

    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


class Source(Record, frozen=True):
    """Represent one log of an application whose documents are searched for."""

    host: str
    """Its name in the inventory."""
    names: tuple[str, ...]
    """Under which documents may name it."""
    log: LogFile

    @property
    def part(self) -> str:
        """Return the name of its query."""
        return f"source-{self.host}-{zlib.crc32(self.log.path.encode()):08x}"

    @property
    def query(self) -> str:
        """Return the condition of a search for its documents."""
        hosts = " OR ".join(f'{field}:"{name}"' for field in HOST_FIELDS for name in self.names)
        paths = " OR ".join(f'{field}:"{self.log.path}"' for field in PATH_FIELDS)
        return f"({hosts}) AND ({paths})"


def sources(deployment: Deployment, hosts: Mapping[str, HostFacts]) -> tuple[Source, ...]:
    """Return the logs that are searched for: those that log_agent surely reads, the newest of each host first."""
    by_index: list[tuple[int, Source]] = []
    for app in deployment.selected("appo", "appt"):
        facts = hosts.get(app.name)
        if facts is None or isinstance(facts.log_plugins, Missing) or isinstance(facts.system, Missing):
            continue
        names = tuple(dict.fromkeys(filter(None, (facts.system.hostname, app.name, app.address))))
        logs = [log for log in facts.log_plugins.logs if facts.log_plugins.agent.reads(log.path)]
        by_index += [
            (rank, Source(app.name, names, log)) for rank, log in enumerate(logs) if '"' not in log.path
        ]
    return tuple(source for _, source in sorted(by_index, key=lambda one: one[0])[:MOST_SOURCES])


def index_days(index: str, now: float | None) -> str:
    """Return the indices of yesterday, today and tomorrow in UTC, as a path."""
    today = datetime.fromtimestamp(now, timezone.utc) if now is not None else datetime.now(timezone.utc)
    return ",".join(f"{index}{today + timedelta(day):%Y.%m.%d}" for day in (-1, 0, 1))


def source_paths(days: str, sources_: tuple[Source, ...]) -> Iterator[tuple[str, str]]:
    """Yield (name, path) of the search for the newest document of each source."""
    parameters = "ignore_unavailable=true&lenient=true&size=1&sort=@timestamp:desc&_source=@timestamp"
    for source in sources_:
        yield source.part, f"/{days}/_search?{parameters}&q={quote(source.query)}"


def sample(body: dict[str, Any]) -> Sample:
    """Parse how the first hit of a search names its host and its file."""
    hits = raw.records(raw.record(body.get("hits")).get("hits"))
    document = raw.record(hits[0].get("_source")) if hits else {}

    def values(fields: tuple[str, ...]) -> tuple[str, ...]:
        texts = (raw.text(_inside(document, field), 300) for field in fields)
        return tuple(dict.fromkeys(text for text in texts if text))

    return Sample(values(HOST_FIELDS), values(PATH_FIELDS))


def _inside(document: dict[str, Any], name: str) -> Any:
    """Return a field by its dotted name, nested or flat; Elasticsearch nests `high` and writes `high.max_headroom` flat."""
    value: Any = document
    rest = name
    while isinstance(value, dict):
        if rest in value:
            return value[rest]
        word, _, rest = rest.partition(".")
        value = value.get(word) if rest else None
    return None


def cluster_settings(body: dict[str, Any]) -> ClusterSettings:
    """Parse GET /_cluster/settings: transient before persistent before defaults."""

    def value(name: str, usual: str) -> str:
        for kind in ("transient", "persistent", "defaults"):
            setting = _inside(raw.record(body.get(kind)), name)
            if isinstance(setting, bool | str | int | float):
                return str(setting).lower()[:300]
        return usual

    watermark = "cluster.routing.allocation.disk.watermark"
    shards = value("cluster.max_shards_per_node", "")
    return ClusterSettings(
        allocation=value("cluster.routing.allocation.enable", "all"),
        auto_create=value("action.auto_create_index", "true"),
        shards_per_node=int(shards) if shards.isdecimal() and len(shards) < 9 else None,
        high_watermark=value(f"{watermark}.high", "90%"),
        high_headroom=value(f"{watermark}.high.max_headroom", ""),
        flood_stage=value(f"{watermark}.flood_stage", "95%"),
        thresholds=value("cluster.routing.allocation.disk.threshold_enabled", "true") == "true",
    )


def time_types(body: dict[str, Any]) -> dict[str, str]:
    """Parse the field mappings of @timestamp: the type by index, "" where it is not mapped.

    Versions before 7 have a level for the type of the documents.
    """
    by_index: dict[str, str] = {}
    for index, one in list(body.items())[:_MOST]:
        mappings = one["mappings"]
        levels = [mappings, *(inner for inner in mappings.values() if isinstance(inner, dict))]
        fields = [level["@timestamp"] for level in levels if isinstance(level.get("@timestamp"), dict)]
        types = [
            raw.record(raw.record(field.get("mapping")).get("@timestamp")).get("type") for field in fields
        ]
        by_index[index[:255]] = next((kind for kind in types if isinstance(kind, str)), "")[:50]
    return by_index
