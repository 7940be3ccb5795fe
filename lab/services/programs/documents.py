"""What the stand-in of Elasticsearch keeps: indices with their settings and documents, in files of its data directory."""

from __future__ import annotations

import json
import os
import re
import threading
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,200}")
ALLOCATION = "cluster.routing.allocation.enable"
REPLICAS = "index.number_of_replicas"
BLOCKS = {
    "read_only": (403, "FORBIDDEN/5/index read-only (api)"),
    "write": (403, "FORBIDDEN/8/index write (api)"),
    "read_only_allow_delete": (
        429,
        "TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block",
    ),
}
"""Settings below index.blocks that keep documents out, with the status and reason of the refusal."""
CLUSTER_BLOCKS = {
    "read_only": (403, "FORBIDDEN/6/cluster read-only (api)"),
    "read_only_allow_delete": (403, "FORBIDDEN/13/cluster read-only / allow delete (api)"),
}


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.kind, self.reason = status, kind, reason

    def body(self) -> dict[str, Any]:
        """Return the JSON of the error; a kind "" is for the errors that are text only."""
        if not self.kind:
            return {"error": self.reason, "status": self.status}
        cause = {"type": self.kind, "reason": self.reason}
        return {"error": {"root_cause": [cause], **cause}, "status": self.status}


def index_not_found(name: str) -> Refused:
    return Refused(404, "index_not_found_exception", f"no such index [{name}]")


@dataclass
class Index:
    name: str
    settings: dict[str, str] = field(default_factory=dict)  # flat, index.blocks.write: "true"
    assigned: bool = True  # whether its primary shard is on the node
    documents: list[dict[str, Any]] = field(default_factory=list)

    @property
    def replicas(self) -> int:
        return int(self.settings.get(REPLICAS, "1"))

    @staticmethod
    def sort_value(document: dict[str, Any], name: str, missing: int) -> int:
        """Return the value of a date field in milliseconds since the epoch."""
        try:
            return round(datetime.fromisoformat(document[name].replace("Z", "+00:00")).timestamp() * 1000)
        except (KeyError, AttributeError, ValueError):
            return missing

    @staticmethod
    def has_word(document: dict[str, Any], name: str, word: str = "") -> bool:
        return word.lower() in re.findall(r"\w+", str(document.get(name, "")).lower())


class Store:
    """All indices. `lock` is held by the caller of each method."""

    def __init__(self, data: Path) -> None:
        self.lock = threading.Lock()
        self.cluster: dict[str, dict[str, str]] = {"persistent": {}, "transient": {}}
        self._data = data
        self._state = data / "state.json"
        self._indices: dict[str, Index] = {}
        if self._state.exists():
            state = json.loads(self._state.read_text("utf-8"))
            self.cluster["persistent"] = state["cluster"]
            for name, one in state["indices"].items():
                lines = self._file(name).read_text("utf-8").splitlines()
                self._indices[name] = Index(
                    name, one["settings"], one["assigned"], list(map(json.loads, lines))
                )

    def _file(self, name: str) -> Path:
        return self._data / f"{name}.jsonl"

    def save(self) -> None:
        """Write the settings; assign the shards that wait for it, if allocation is enabled again."""
        if self._allocation() != "none":
            for index in self._indices.values():
                index.assigned = True
        indices = {
            name: {"settings": index.settings, "assigned": index.assigned}
            for name, index in self._indices.items()
        }
        partial = self._state.with_suffix(".partial")
        partial.write_text(json.dumps({"cluster": self.cluster["persistent"], "indices": indices}), "utf-8")
        partial.replace(self._state)

    def settings(self) -> dict[str, str]:
        """Return the settings of the cluster that were set, the transient ones first."""
        return self.cluster["persistent"] | self.cluster["transient"]

    def _allocation(self) -> str:
        return self.settings().get(ALLOCATION, "all")

    def _refuse_new(self, name: str) -> None:
        """Raise Refused if the cluster creates no index of its own, or holds as many shards as it may."""
        if self.settings().get("action.auto_create_index") == "false":
            raise Refused(
                404,
                "index_not_found_exception",
                f"no such index [{name}] and [action.auto_create_index] is [false]",
            )
        most = int(self.settings().get("cluster.max_shards_per_node", "1000"))
        held = sum(1 + index.replicas for index in self._indices.values())
        if held + 2 > most:
            text = f"this action would add [2] total shards, but this cluster currently has [{held}]/[{most}] maximum shards open"
            raise Refused(400, "validation_exception", text)

    def matching(self, patterns: str, missing_allowed: bool = False) -> list[Index]:
        """Return the indices that names and patterns, separated by commas, stand for; Refused for a missing name."""
        indices: dict[str, Index] = {}
        for pattern in patterns.split(","):
            if "*" in pattern:
                indices |= {name: one for name, one in self._indices.items() if fnmatchcase(name, pattern)}
            elif pattern in self._indices:
                indices[pattern] = self._indices[pattern]
            elif not missing_allowed:
                raise index_not_found(pattern)
        return [indices[name] for name in sorted(indices)]

    def create(self, name: str) -> Index:
        """Create an index; its shard stays unassigned while allocation is off."""
        if not NAME.fullmatch(name):
            raise Refused(400, "invalid_index_name_exception", f"Invalid index name [{name}]")
        if name in self._indices:
            raise Refused(400, "resource_already_exists_exception", f"index [{name}] already exists")
        self._refuse_if_blocked("", self.cluster["persistent"] | self.cluster["transient"])
        self._indices[name] = Index(name, assigned=self._allocation() != "none")
        self._file(name).write_text("", "utf-8")
        self.save()
        return self._indices[name]

    def delete(self, index: Index) -> None:
        del self._indices[index.name]
        self.save()
        self._file(index.name).unlink()

    def add(self, name: str, document: dict[str, Any]) -> int:
        """Add a document, to a new index if necessary. Return its number in the index."""
        if name not in self._indices:
            self._refuse_new(name)
        index = self._indices.get(name) or self.create(name)
        self._refuse_if_blocked("", self.cluster["persistent"] | self.cluster["transient"])
        self._refuse_if_blocked(name, index.settings)
        if not index.assigned:
            raise Refused(503, "unavailable_shards_exception", f"[{name}][0] primary shard is not active")
        with self._file(name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(document) + "\n")
        index.documents.append(document)
        return len(index.documents)

    def _refuse_if_blocked(self, index: str, settings: dict[str, str]) -> None:
        """Raise Refused if a block of the index, or with "" of the cluster, keeps documents out."""
        for name, (status, text) in (BLOCKS if index else CLUSTER_BLOCKS).items():
            if settings.get(f"{'index' if index else 'cluster'}.blocks.{name}") == "true":
                subject = f"index [{index}] " if index else ""
                raise Refused(status, "cluster_block_exception", f"{subject}blocked by: [{text}];")

    def disk_free(self) -> int:
        """Return the free bytes of the disk of the data directory."""
        disk = os.statvfs(self._data)
        return disk.f_bavail * disk.f_frsize

    def disk_percent(self) -> int:
        """Return how much of the disk of the data directory is used."""
        disk = os.statvfs(self._data)
        return round(100 * (disk.f_blocks - disk.f_bavail) / disk.f_blocks)
