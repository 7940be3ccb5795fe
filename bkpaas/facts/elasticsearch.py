"""Elasticsearch: where the settings of paas say that it is, and what it answers there. Versions 5 to 8."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from msgspec import UNSET, UnsetType, field

from bkpaas.errors import NoData
from bkpaas.facts import raw
from bkpaas.facts.answers import Answer, answer
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.names import unresolved
from bkpaas.facts.query import Earlier, HttpName, Password, Query, http_get
from bkpaas.facts.ranges import Percent, Time, valid_time
from bkpaas.facts.search_state import (
    HOST_FIELDS,
    PATH_FIELDS,
    ClusterSettings,
    Sample,
    cluster_settings,
    index_days,
    sample,
    source_paths,
    sources,
    time_types,
)
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.settings import SEARCH_SETTINGS, Settings
from bkpaas.facts.system import usable_time
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg

if TYPE_CHECKING:
    from bkpaas.facts.host import HostFacts

INDEX = "paas_app_log-"
"""The name of an index of the applications' logs, before its date in UTC."""

_PORTS = {"http": 9200, "https": 443}
_MOST = 400
_BLOCKS = ("read_only", "read_only_allow_delete", "write")
"""Settings that keep documents out."""


class Endpoint(Record, frozen=True):
    """Represent one address of the settings."""

    host: str
    port: int
    scheme: str = "http"
    user: str = ""
    password: str = ""
    """A digest; empty without a password."""

    @property
    def text(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Index(Record, frozen=True):
    name: str
    closed: bool = False
    documents: int | None = None


class Node(Record, frozen=True):
    name: str
    used_percent: Percent
    """Of its disk."""
    free_bytes: int | None = None
    """Of its disk; None: it did not tell."""


class Search(Record, frozen=True):
    """Represent the answers of one address; `unknown` lists parts without a usable answer."""

    root: Answer
    health: Answer
    blocks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By index, "" for the whole cluster: the settings that keep documents out of it."""
    indices: tuple[Index, ...] = ()
    """Of the applications' logs."""
    nodes: tuple[Node, ...] = ()
    newest: Time | None = None
    """Time stamp, in epoch seconds, of the newest document since yesterday; None without a document."""
    sample: Sample = Sample()
    """How that document names its host and file."""
    sources: dict[str, Time | None] = field(default_factory=dict)
    """Time stamp of the newest document of each log that was searched for, by `Source.part`; None without a document."""
    time_types: dict[str, str] = field(default_factory=dict)
    """By index of these days: the type of @timestamp, "" where it is not mapped."""
    settings: ClusterSettings = ClusterSettings()
    unknown: dict[str, Message | str] = field(default_factory=dict)
    """Why one of the above is not known, by its name."""

    def need(self, *parts: str) -> None:
        """Raise NoData if one of these parts is unknown."""
        for part in parts:
            if part in self.unknown:
                raise NoData(self.unknown[part])


class Searches(Fact, frozen=True):
    by_address: dict[str, Search] = field(name="by_place")
    missing: dict[str, Message | str] = field(default_factory=dict)
    """Why the answers of an address cannot be used."""

    def at(self, endpoint: Endpoint) -> Search:
        """Return the answers of an address. Raises NoData without a usable answer."""
        if endpoint.text in self.missing:
            raise NoData(self.missing[endpoint.text])
        if endpoint.text not in self.by_address:
            raise NoData(msg("not queried: {text}", text=endpoint.text))
        return self.by_address[endpoint.text]


def elasticsearch_endpoints(paas: Settings | None) -> tuple[Endpoint, ...]:
    """Return the addresses in the settings of paas, in order, without duplicates.

    Raises: NoData if they are unknown; ValueError, with a text for the user, for an invalid address.
    """
    settings = [(name, paas.get(name)) for name in SEARCH_SETTINGS] if paas else []
    values = [(name, value) for name, value in settings if value is not None]
    if not values:
        names = " / ".join(SEARCH_SETTINGS)
        raise NoData(msg("{names} is not in the settings of paas", names=names))
    # What is made from another one of them says less than that.
    name, value = next(((n, v) for n, v in values if v.kind in ("str", "list")), values[0])
    where = f"{value.file}:{value.line}: {name}"
    if value.kind not in ("str", "list") or value.value is None:
        raise NoData(msg("{where} is not a plain text", where=where))
    texts = value.value.split(";") if isinstance(value.value, str) else value.value
    unique = dict.fromkeys(_endpoint(word.strip(), where) for word in raw.texts(texts, 500) if word.strip())
    if not unique:
        raise ValueError(msg("{where} is empty", where=where))
    return tuple(unique)


def _endpoint(word: str, where: str) -> Endpoint:
    login, _, address = word.rpartition("@")
    scheme, mark, rest = word.partition("://")
    scheme = scheme.lower() if mark else "http"
    if mark and login:
        login = login.partition("://")[2]
    elif mark:
        address = rest
    user, _, password = login.partition(":")
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, parts.port or _PORTS[scheme]
    except (ValueError, KeyError):
        host, port = None, 0
    if not host or not host.isascii() or any(sign.isspace() for sign in host):
        raise ValueError(msg("{where}: {address!r} is not an address", where=where, address=address[:100]))
    return Endpoint(host, port, scheme, user, password)


def searches(
    section: dict[str, dict[str, Any]], secrets: Secrets, missing: dict[str, Message | str] | None = None
) -> Searches:
    """Parse the raw HTTP answers by name; answers of other services are ignored."""
    by_address: dict[str, dict[str, dict[str, Any]]] = {}
    for name, item in section.items():
        part, _, address = name.removeprefix(HttpName.SEARCH.prefix).partition("@")
        if name.startswith(HttpName.SEARCH.prefix):
            by_address.setdefault(address, {})[part] = item
    reasons = {
        name.partition("@")[2]: reason
        for name, reason in (missing or {}).items()
        if name.startswith(HttpName.SEARCH.prefix)
    }
    read = {
        address: _search(parts, secrets) for address, parts in by_address.items() if address not in reasons
    }
    return Searches(by_address=read, missing=reasons)


def _search(parts: dict[str, dict[str, Any]], secrets: Secrets) -> Search:
    unknown: dict[str, Message | str] = {}

    def read_part(part: str, read: Callable[[Any], Any]) -> Any:
        """Return a part, None if it is unknown."""
        item = parts.get(part)
        if item is not None and item.get("status") == 200:
            with suppress(KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError):
                return read(raw.clean(json.loads(raw.text(item.get("body"), 1_000_000) or "")))
        unknown[part] = _reason(part, None if item is None else answer(item, secrets))
        return None

    blocks = read_part("blocks", _index_blocks) or {}
    if of_cluster := read_part("cluster", _cluster_blocks):
        blocks = {"": of_cluster, **blocks}
    newest = read_part("newest", _newest) or ()
    of_sources = {part: read_part(part, _newest) for part in parts if part.startswith("source-")}
    return Search(
        root=answer(parts.get("root", {}), secrets),
        health=answer(parts.get("health", {}), secrets),
        blocks=blocks,
        indices=read_part("indices", _indices) or (),
        nodes=read_part("nodes", _nodes) or (),
        newest=newest[0] if newest else None,
        sample=read_part("newest", sample) or Sample(),
        sources={part: next(iter(times), None) for part, times in of_sources.items() if times is not None},
        time_types=read_part("mapping", time_types) or {},
        settings=read_part("cluster", cluster_settings) or ClusterSettings(),
        unknown=unknown,
    )


def _reason(part: str, reply: Answer | None) -> Message:
    if reply is None:
        return msg("Elasticsearch was not queried for {part}", part=part)
    what = reply.error_text if reply.status is None else f"HTTP {reply.status} {complaint(reply)}"
    return msg("{url}: {failure}", url=reply.url, failure=what)


def speaks(reply: Answer) -> bool:
    """Return whether this answer to GET /, error or not, is one of Elasticsearch."""
    body = reply.json() or {}
    number = raw.record(body.get("version")).get("number")
    return isinstance(number, str) or (isinstance(body.get("error"), dict) and "status" in body)


def complaint(reply: Answer) -> str:
    """Return type and reason of an error of Elasticsearch, else the start of the body."""
    error = (reply.json() or {}).get("error")
    if isinstance(error, dict):
        return f"{error.get('type')}: {error.get('reason')}"[:300]
    return " ".join(reply.body.split())[:120]


def _index_blocks(body: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Parse {"INDEX": {"settings": {"index": {"blocks": {"write": "true"}}}}}."""
    by_index: dict[str, tuple[str, ...]] = {}
    for index, one in list(body.items())[:_MOST]:
        inner = one.get("settings", one) if isinstance(one, dict) else {}
        blocks = [name for name in _BLOCKS if _set(inner, ("index", "blocks", name))]
        if blocks:
            by_index[index[:255]] = tuple(f"index.blocks.{name}" for name in blocks)
    return by_index


def _cluster_blocks(body: dict[str, Any]) -> tuple[str, ...]:
    """Parse the blocks of GET /_cluster/settings, persistent and transient."""
    return tuple(
        f"cluster.blocks.{name}"
        for name in _BLOCKS
        if any(
            _set(raw.record(body.get(kind)), ("cluster", "blocks", name))
            for kind in ("persistent", "transient")
        )
    )


def _set(settings: dict[str, Any], path: tuple[str, ...]) -> bool:
    """Return whether a setting, nested or flat, is true."""
    value: Any = settings.get(".".join(path))
    if value is None:
        value = settings
        for word in path:
            value = value.get(word) if isinstance(value, dict) else None
    return value is True or value == "true"


def _rows(body: list[Any]) -> list[dict[str, Any]]:
    """Return a list of objects. Raises TypeError for other data, which must not look like an empty list."""
    if not isinstance(body, list) or not all(isinstance(one, dict) for one in body):
        raise TypeError
    return body


def _indices(body: list[Any]) -> tuple[Index, ...]:
    """Parse [{"index": NAME, "status": "open"}]."""
    return tuple(
        Index(str(one["index"])[:255], one.get("status") == "close", _count(one.get("docs.count")))
        for one in _rows(body)[:_MOST]
    )


def _count(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 16 else None


def _nodes(body: list[Any]) -> tuple[Node, ...]:
    """Parse [{"node": NAME, "disk.percent": "93", "disk.avail": "7000"}]; unassigned shards have null."""
    some = [one for one in _rows(body) if one.get("disk.percent") is not None]
    return tuple(
        Node(str(one.get("node"))[:100], _percent(one["disk.percent"]), _count(one.get("disk.avail")))
        for one in some[:_MOST]
    )


def _percent(text: Any) -> float:
    """Return a percentage; ValueError for anything else, "nan" included."""
    percent = float(text)
    if not 0 <= percent <= 100:
        raise ValueError
    return percent


def _newest(body: dict[str, Any]) -> tuple[float, ...]:
    """Return the time of the first hit or none. Raises ValueError if a shard failed or the time is impossible."""
    if raw.record(body.get("_shards")).get("failed"):
        raise ValueError
    times = [valid_time(float(hit["sort"][0]) / 1000) for hit in body["hits"]["hits"][:1]]
    if None in times:
        raise ValueError
    return tuple(time for time in times if time is not None)


_MOST_SERVERS = 5
_SETTINGS = (
    "*.cluster.blocks,*.cluster.routing.allocation,*.cluster.max_shards_per_node,*.action.auto_create_index"
)
"""The only settings that are asked for."""
_WELL = {"root": "/", "health": "/_cluster/health?master_timeout=5s"}


def search_endpoints(facts: HostFacts) -> tuple[Endpoint, ...]:
    """Return the addresses in the settings of paas, at most five; none when they cannot be read."""
    if isinstance(facts.settings, Missing):
        return ()
    try:
        return elasticsearch_endpoints(facts.settings.by_project.get("paas"))[:_MOST_SERVERS]
    except (NoData, ValueError):
        return ()


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Return queries for the state of each address, and for the contents of the cluster at the first one."""
    if earlier is None or not entry.has_role("paas"):
        return
    facts = earlier.hosts[entry.name]
    servers = search_endpoints(facts)
    for number, endpoint in enumerate(servers):
        login: dict[str, str | Password] | UnsetType = UNSET
        if endpoint.password:
            password = earlier.secret(entry.name, endpoint.password) or Password("")
            login = {"user": endpoint.user, "password": password}
        for part, path in {**_WELL, **({} if number else _details(facts, deployment, earlier))}.items():
            yield http_get(
                deployment,
                HttpName.SEARCH.of(part, endpoint.text),
                f"{endpoint.scheme}://{endpoint.text}{path}",
                login=login,
            )
    yield from unresolved((endpoint.host for endpoint in servers), deployment)


def _details(facts: HostFacts, deployment: Deployment, earlier: Earlier) -> dict[str, str]:
    """Return the paths of blocks, indices, nodes and documents, of the indices of three days."""
    days = index_days(INDEX, None if isinstance(facts.system, Missing) else usable_time(facts.system))
    by_index = sources(deployment, earlier.hosts)
    fields = quote(",".join(("@timestamp", *HOST_FIELDS, *PATH_FIELDS)), safe="@,.")
    return {
        "blocks": f"/{INDEX}*/_settings/index.blocks.*",
        "cluster": f"/_cluster/settings?include_defaults=true&filter_path={_SETTINGS}",
        "indices": f"/_cat/indices/{INDEX}*?format=json&h=index,status,docs.count",
        "nodes": "/_cat/allocation?format=json&bytes=b&h=node,disk.percent,disk.avail",
        "newest": f"/{days}/_search?ignore_unavailable=true&size=1&sort=@timestamp:desc&_source={fields}",
        "mapping": f"/{days}/_mapping/field/@timestamp?ignore_unavailable=true",
        **dict(source_paths(days, by_index)),
    }
