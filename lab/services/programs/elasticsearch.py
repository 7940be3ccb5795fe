"""A single node of Elasticsearch 7: the interfaces that log_parser, the suite and the faults of the lab use.

Started as `bin/elasticsearch CLASS -Ehttp.port=10004 -Enetwork.host=... -Epath.data=...`. An interface or parameter that is not
listed here is refused with HTTP 400, as Elasticsearch refuses what it does not know.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .documents import Index, Refused, Store
from .server import Answer, Question, server

CLUSTER, NODE, VERSION = "bkee-es", "es-1", "7.16.3"
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
MOST_HITS = 10_000
"""Largest `size` of a search, as index.max_result_window."""
TIME = "@timestamp"
TIME_TYPE = "index.lab.timestamp"
"""Setting of an index of the lab: the type of @timestamp, "none" where it is not mapped."""
DEFAULTS = {
    "action.auto_create_index": "true",
    "cluster.max_shards_per_node": "1000",
    "cluster.routing.allocation.enable": "all",
    "cluster.routing.allocation.disk.threshold_enabled": "true",
    "cluster.routing.allocation.disk.watermark.high": "90%",
    "cluster.routing.allocation.disk.watermark.flood_stage": "95%",
    "cluster.name": CLUSTER,
}
PARAMETERS = {
    "_cluster/health": {"master_timeout", "timeout"},
    "_cluster/settings": {"master_timeout", "flat_settings", "include_defaults", "filter_path"},
    "_cat/indices": {"format", "h"},
    "_cat/allocation": {"format", "h", "bytes"},
    "_mapping/field": {"ignore_unavailable"},
    "_search": {"ignore_unavailable", "size", "sort", "_source", "q", "lenient"},
    "_count": {"ignore_unavailable", "q"},
}
"""What an interface takes in its query string; the others take nothing."""


def main() -> None:
    settings = node_settings(sys.orig_argv)
    data = Path(settings["path.data"])
    data.mkdir(parents=True, exist_ok=True)
    node = Node(Store(data))
    server(settings["network.host"], int(settings["http.port"]), node.answer, METHODS).serve_forever()


def node_settings(args: list[str]) -> dict[str, str]:
    """Return the settings given as -EKEY=VALUE."""
    pairs = [arg[2:].partition("=") for arg in args if arg.startswith("-E")]
    return {key: value for key, _, value in pairs}


class Node:
    """Answers requests from the documents of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def answer(self, question: Question) -> Answer:
        """Return the answer to a request; a refusal as the JSON that Elasticsearch gives."""
        url = urlsplit(question.path)
        parts = [unquote(part) for part in url.path.split("/") if part]
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        try:
            with self._store.lock:
                content = self._route(question, parts, query)
        except Refused as refusal:
            return as_answer(refusal.body(), refusal.status)
        return content if isinstance(content, Answer) else as_answer(content)

    def _route(self, question: Question, parts: list[str], query: dict[str, str]) -> Any:
        method = "GET" if question.method == "HEAD" else question.method
        handler, index = find_handler(method, parts)
        interface = next((name for name in PARAMETERS if name in "/".join(parts)), "")
        if unknown := set(query) - PARAMETERS.get(interface, set()):
            text = f"request [/{'/'.join(parts)}] contains unrecognized parameter: [{min(unknown)}]"
            raise Refused(400, "illegal_argument_exception", text)
        return handler(self, question, index, query)

    def root(self, question: Question, index: str, query: dict[str, str]) -> Any:
        version = {"number": VERSION, "build_flavor": "default", "lucene_version": "8.10.1"}
        return {"name": NODE, "cluster_name": CLUSTER, "version": version, "tagline": "You Know, for Search"}

    def health(self, question: Question, index: str, query: dict[str, str]) -> Any:
        indices = self._store.matching("*")
        primaries = sum(each.assigned for each in indices)
        total = sum(1 + each.replicas for each in indices)
        return {
            "cluster_name": CLUSTER,
            "status": status(indices),
            "timed_out": False,
            "number_of_nodes": 1,
            "number_of_data_nodes": 1,
            "active_primary_shards": primaries,
            "active_shards": primaries,
            "relocating_shards": 0,
            "initializing_shards": 0,
            "unassigned_shards": total - primaries,
            "active_shards_percent_as_number": 100.0 * primaries / total if total else 100.0,
        }

    def cluster_settings(self, question: Question, index: str, query: dict[str, str]) -> Any:
        defaults = {name: value for name, value in DEFAULTS.items() if name not in self._store.settings()}
        kinds = self._store.cluster | (
            {"defaults": defaults} if query.get("include_defaults") == "true" else {}
        )
        settings = {kind: nested(filtered(values, query)) for kind, values in kinds.items()}
        return {kind: values for kind, values in settings.items() if values or "filter_path" not in query}

    def put_cluster_settings(self, question: Question, index: str, query: dict[str, str]) -> Any:
        body = as_object(question.body)
        for kind, values in body.items():
            if kind not in self._store.cluster:
                raise Refused(400, "illegal_argument_exception", f"unknown setting [{kind}]")
            change(self._store.cluster[kind], flat(values))
        self._store.save()
        return {"acknowledged": True, **self.cluster_settings(question, index, query)}

    def cat_indices(self, question: Question, index: str, query: dict[str, str]) -> Any:
        rows = [
            {
                "health": status([each]),
                "status": "open",
                "index": each.name,
                "rep": str(each.replicas),
                "docs.count": str(len(each.documents)) if each.assigned else None,
            }
            for each in self._store.matching(index or "*")
        ]
        return table(rows, query)

    def cat_allocation(self, question: Question, index: str, query: dict[str, str]) -> Any:
        indices = self._store.matching("*")
        lost = sum(1 + each.replicas - each.assigned for each in indices)
        used = str(self._store.disk_percent())
        row = {"shards": str(len(indices)), "disk.percent": used, "node": NODE}
        if query.get("bytes") == "b":
            row["disk.avail"] = str(self._store.disk_free())
        rows: list[dict[str, str | None]] = [dict(row)]
        rows += [{"shards": str(lost), "disk.percent": None, "node": "UNASSIGNED"}] if lost else []
        return table(rows, query)

    def settings(self, question: Question, index: str, query: dict[str, str]) -> Any:
        return {
            each.name: {"settings": nested(each.settings)}
            for each in self._store.matching(index)
            if each.settings
        }

    def blocks(self, question: Question, index: str, query: dict[str, str]) -> Any:
        result = {}
        for each in self._store.matching(index):
            blocks = {k: v for k, v in each.settings.items() if k.startswith("index.blocks.")}
            if blocks:
                result[each.name] = {"settings": nested(blocks)}
        return result

    def field_mapping(self, question: Question, index: str, query: dict[str, str]) -> Any:
        """Return the type of @timestamp: as the index was made, else date if a document has it."""
        result = {}
        for each in self._searched(index, query):
            kind = each.settings.get(TIME_TYPE) or (
                "date" if any(TIME in one for one in each.documents) else ""
            )
            one = (
                {TIME: {"full_name": TIME, "mapping": {TIME: {"type": kind}}}}
                if kind not in ("", "none")
                else {}
            )
            result[each.name] = {"mappings": one}
        return result

    def put_settings(self, question: Question, index: str, query: dict[str, str]) -> Any:
        values = flat(as_object(question.body))
        for each in self._store.matching(index):
            change(
                each.settings, {k if k.startswith("index.") else f"index.{k}": v for k, v in values.items()}
            )
        self._store.save()
        return {"acknowledged": True}

    def create_index(self, question: Question, index: str, query: dict[str, str]) -> Any:
        self._store.create(index)
        return {"acknowledged": True, "shards_acknowledged": True, "index": index}

    def delete_index(self, question: Question, index: str, query: dict[str, str]) -> Any:
        for each in self._store.matching(index):
            self._store.delete(each)
        return {"acknowledged": True}

    def add(self, question: Question, index: str, query: dict[str, str]) -> Any:
        return as_answer(self._add(index, as_object(question.body)), 201)

    def _add(self, index: str, document: dict[str, Any]) -> dict[str, Any]:
        number = self._store.add(index, document)
        return {"_index": index, "_type": "_doc", "_id": f"{index}-{number}", "result": "created"}

    def bulk(self, question: Question, index: str, query: dict[str, str]) -> Any:
        lines = [as_object(line) for line in question.body.splitlines() if line.strip()]
        items: list[dict[str, Any]] = []
        for action, document in zip(lines[::2], lines[1::2], strict=False):
            ((name, target),) = action.items()
            if name not in ("index", "create"):
                raise Refused(400, "illegal_argument_exception", f"Malformed action/metadata line: [{name}]")
            try:
                items.append({name: {**self._add(target.get("_index", index), document), "status": 201}})
            except Refused as refusal:
                items.append({name: {**refusal.body(), "status": refusal.status}})
        return {
            "took": 1,
            "errors": any("error" in one for item in items for one in item.values()),
            "items": items,
        }

    def count(self, question: Question, index: str, query: dict[str, str]) -> Any:
        indices = self._searched(index, query)
        hits = [one for each in indices if each.assigned for one in each.documents if matches(one, query)]
        return {"count": len(hits), "_shards": shards(indices)}

    def search(self, question: Question, index: str, query: dict[str, str]) -> Any:
        indices = self._searched(index, query)
        if indices and not any(each.assigned for each in indices):
            raise Refused(503, "search_phase_execution_exception", "all shards failed")
        name, _, order = query.get("sort", "").partition(":")
        hits = [
            {"_index": each.name, "_id": f"{each.name}-{number}", "_source": document}
            for each in indices
            if each.assigned
            for number, document in enumerate(each.documents, 1)
            if matches(document, query)
        ]
        total = len(hits)
        if name and any(each.settings.get(TIME_TYPE) == "none" for each in indices):
            raise Refused(
                400, "search_phase_execution_exception", f"No mapping found for [{name}] in order to sort on"
            )
        if name:
            missing = -(2**63) if order == "desc" else 2**63 - 1
            for hit in hits:
                hit["sort"] = [Index.sort_value(hit["_source"], name, missing)]
            hits.sort(key=lambda hit: hit["sort"], reverse=order == "desc")
        for hit in (hits := hits[: min(int(query.get("size", "10")), MOST_HITS)]):
            if "_source" in query:
                names = {word.partition(".")[0] for word in query["_source"].split(",")}
                hit["_source"] = {k: v for k, v in hit["_source"].items() if k in names}
        result = {"total": {"value": total, "relation": "eq"}, "max_score": None, "hits": hits}
        return {"took": 1, "timed_out": False, "_shards": shards(indices), "hits": result}

    def _searched(self, index: str, query: dict[str, str]) -> list[Index]:
        return self._store.matching(index, missing_allowed=query.get("ignore_unavailable") == "true")


Handler = Callable[[Node, Question, str, dict[str, str]], Any]
CONTENT_TYPE = "application/json; charset=UTF-8"
CLUSTER_HANDLERS: dict[tuple[str, ...], Handler] = {
    ("GET",): Node.root,
    ("GET", "_cluster", "health"): Node.health,
    ("GET", "_cluster", "settings"): Node.cluster_settings,
    ("PUT", "_cluster", "settings"): Node.put_cluster_settings,
    ("GET", "_cat", "indices"): Node.cat_indices,
    ("GET", "_cat", "allocation"): Node.cat_allocation,
    ("POST", "_bulk"): Node.bulk,
    ("GET", "_search"): Node.search,
    ("GET", "_count"): Node.count,
}
INDEX_HANDLERS: dict[tuple[str, ...], Handler] = {
    ("PUT",): Node.create_index,
    ("DELETE",): Node.delete_index,
    ("GET", "_settings"): Node.settings,
    ("GET", "_settings", "index.blocks.*"): Node.blocks,
    ("GET", "_mapping", "field", "@timestamp"): Node.field_mapping,
    ("PUT", "_settings"): Node.put_settings,
    ("POST", "_doc"): Node.add,
    ("POST", "_bulk"): Node.bulk,
    ("GET", "_search"): Node.search,
    ("GET", "_count"): Node.count,
}


def find_handler(method: str, parts: list[str]) -> tuple[Handler, str]:
    """Return the handler of a request and the index that its path names; raise Refused without one."""
    if (key := (method, *parts)) in CLUSTER_HANDLERS:
        return CLUSTER_HANDLERS[key], "*"
    if parts[:2] == ["_cat", "indices"] and len(parts) == 3 and method == "GET":
        return Node.cat_indices, parts[2]
    if parts and not parts[0].startswith("_") and (key := (method, *parts[1:])) in INDEX_HANDLERS:
        return INDEX_HANDLERS[key], parts[0]
    raise Refused(400, "", f"no handler found for uri [/{'/'.join(parts)}] and method [{method}]")


def as_answer(content: Any, status: int = 200) -> Answer:
    text = json.dumps(content, separators=(",", ":"))
    return Answer(text, status, CONTENT_TYPE, {"X-elastic-product": "Elasticsearch"})


def as_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body; Refused with HTTP 400 if it is not one."""
    try:
        content = json.loads(body)
    except ValueError as error:
        raise Refused(400, "parse_exception", str(error)) from None
    if not isinstance(content, dict):
        raise Refused(400, "parse_exception", "an object is expected")
    return content


def status(indices: list[Index]) -> str:
    """Return red if a primary shard is not assigned, yellow if a replica is not: one node holds no replicas."""
    if not all(each.assigned for each in indices):
        return "red"
    return "yellow" if any(each.replicas for each in indices) else "green"


def shards(indices: list[Index]) -> dict[str, int]:
    good = sum(each.assigned for each in indices)
    return {"total": len(indices), "successful": good, "skipped": 0, "failed": len(indices) - good}


def matches(document: dict[str, Any], query: dict[str, str]) -> bool:
    """Whether a document fits q: FIELD:WORD, FIELD:"PHRASE", and groups of them with OR and AND."""
    if "q" not in query:
        return True
    groups = [group.strip().strip("()") for group in query["q"].split(" AND ")]
    return all(any(_fits(document, term.strip()) for term in group.split(" OR ")) for group in groups)


def _fits(document: dict[str, Any], term: str) -> bool:
    name, _, word = term.partition(":")
    value: Any = document
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if word.startswith('"'):
        return words_of(word) in words_of(str(value)) if isinstance(value, str) else False
    return Index.has_word(document, name, word)


def words_of(text: str) -> str:
    """Return the words of a text as its analysis makes them, each between blanks."""
    text_ = " ".join(re.findall(r"[\w.]+", text.lower()))
    return f" {text_} "


def filtered(values: dict[str, str], query: dict[str, str]) -> dict[str, str]:
    """Return the settings that filter_path names: *.cluster.blocks,*.action."""
    if "filter_path" not in query:
        return values
    wanted = [pattern.partition(".")[2] for pattern in query["filter_path"].split(",")]
    return {k: v for k, v in values.items() if any(k == one or k.startswith(f"{one}.") for one in wanted)}


def table(rows: list[dict[str, Any]], query: dict[str, str]) -> Any:
    """Return the rows of a _cat interface with the columns of h, as JSON or as text."""
    columns = query["h"].split(",") if "h" in query else list(rows[0]) if rows else []
    chosen = [{column: row.get(column) for column in columns} for row in rows]
    if query.get("format") == "json":
        return chosen
    lines = [" ".join("" if value is None else value for value in row.values()) for row in chosen]
    return Answer("".join(f"{line}\n" for line in lines), content_type="text/plain; charset=UTF-8")


def flat(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested settings as {"index.blocks.write": True}."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        result |= flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return result


def nested(values: dict[str, str]) -> dict[str, Any]:
    """Return flat settings as {"index": {"blocks": {"write": "true"}}}; below a value the rest stays flat."""
    result: dict[str, Any] = {}
    for key, value in sorted(values.items()):
        target, rest = result, key
        while "." in rest and isinstance(target.get(rest.partition(".")[0], {}), dict):
            word, _, rest = rest.partition(".")
            target = target.setdefault(word, {})
        target[rest] = value
    return result


def change(settings: dict[str, str], values: dict[str, Any]) -> None:
    """Put values into settings as text; null removes a setting."""
    for key, value in values.items():
        if value is None:
            settings.pop(key, None)
        else:
            settings[key] = str(value).lower() if isinstance(value, bool) else str(value)
