"""What filebeat does on appo and appt: new lines of the applications' logs go into a redis list."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from datetime import datetime, timezone
from glob import glob
from pathlib import Path
from typing import Any

import redis
import yaml

from . import argument, say

POLL_SECONDS = 1.0


def main() -> None:
    config = yaml.safe_load(argument("-c").read_text(encoding="utf-8"))
    output = config["output.redis"]
    host, _, port = output["hosts"][0].partition(":")
    timeout = output.get("timeout", 5)
    queue = redis.Redis(
        host, int(port or 6379), output.get("db", 0), output.get("password"), socket_timeout=timeout
    )
    registry = Registry(Path(config["filebeat.registry_file"]))
    begun = time.monotonic()
    while True:
        for prospector in [one for one in config["filebeat.prospectors"] if one.get("enabled", True)]:
            pause = float(str(prospector.get("scan_frequency", "0")).rstrip("s"))
            if prospector.get("close_eof") and begun + POLL_SECONDS < time.monotonic() < begun + pause:
                continue  # each file is closed at its end, and opened again by the next scan
            for path in sources(prospector):
                try:
                    ship(path, prospector.get("document_type", "log"), registry, queue, output["key"])
                except (redis.RedisError, OSError) as error:
                    say(f"ERR Failed to publish events of {path}: {error}")
        time.sleep(POLL_SECONDS)


def sources(prospector: dict[str, Any]) -> list[str]:
    excluded = [re.compile(pattern) for pattern in prospector.get("exclude_files", [])]
    paths = {path for pattern in prospector["paths"] for path in glob(pattern)}
    return sorted(path for path in paths if not any(pattern.search(path) for pattern in excluded))


class Registry:
    """How far each file has been shipped, in bytes; survives a restart. The format is that of filebeat 5."""

    def __init__(self, path: Path) -> None:
        self.path = path
        states = json.loads(path.read_text()) if path.exists() else []
        self.offsets: dict[str, int] = {one["source"]: one["offset"] for one in states}

    def set(self, source: str, offset: int) -> None:
        self.offsets[source] = offset
        states = [self._state(path, number) for path, number in self.offsets.items() if os.path.exists(path)]
        partial = self.path.with_suffix(".new")
        partial.write_text(json.dumps(states))
        partial.replace(self.path)

    @staticmethod
    def _state(source: str, offset: int) -> dict[str, Any]:
        file = os.stat(source)
        identity = {"inode": file.st_ino, "device": file.st_dev}
        return {
            "source": source,
            "offset": offset,
            "FileStateOS": identity,
            "timestamp": time.time(),
            "ttl": -1,
        }


def ship(path: str, kind: str, registry: Registry, queue: redis.Redis[bytes], key: str) -> None:
    """Push the whole new lines of a file; raises before anything is noted as shipped."""
    with open(path, "rb") as file:
        start = registry.offsets.get(path, 0)
        if start > file.seek(0, 2):
            start = 0  # truncated
        file.seek(start)
        content = file.read()
    whole = content[: content.rfind(b"\n") + 1]
    if whole:
        lines = whole.decode("utf-8", "replace").splitlines()
        queue.rpush(key, *[json.dumps(event(path, kind, line)) for line in lines])
        registry.set(path, start + len(whole))


def event(source: str, kind: str, line: str) -> dict[str, Any]:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "@timestamp": now,
        "beat": {"hostname": socket.gethostname()},
        "message": line,
        "source": source,
        "type": kind,
    }
