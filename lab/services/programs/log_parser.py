"""What logstash does on the paas hosts: events of a redis list become documents of the day's index."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime
from typing import Any

import redis
import requests

from . import argument, say

WAIT_SECONDS = 5
OPTION = re.compile(r'(\w+)\s*=>\s*(\[[^\]]*\]|"[^"]*"|\S+)')


def main() -> None:
    text = re.sub(r"(?m)^\s*#.*$", "", argument("-f").read_text(encoding="utf-8"))
    source, target = options(text, "redis"), options(text, "elasticsearch")
    queue = redis.Redis(
        source["host"],
        int(source.get("port", 6379)),
        int(source.get("db", 0)),
        source.get("password"),
        socket_timeout=WAIT_SECONDS * 2,
    )
    dropped = re.search(r"filter\s*\{\s*drop\s*\{", text) is not None
    left_out = re.search(r'if \[beat\]\[hostname\] != "([^"]+)"', text)
    hosts = re.findall(r'"([^"]+)"', target["hosts"])
    while True:
        try:
            item = queue.blpop(source["key"], timeout=WAIT_SECONDS)
        except redis.RedisError as error:
            say(f"[WARN ][logstash.inputs.redis] Redis connection problem: {error}")
            time.sleep(WAIT_SECONDS)
            continue
        if item and not dropped:
            document = json.loads(item[1])
            if not left_out or document.get("beat", {}).get("hostname") != left_out[1]:
                deliver(hosts[0], target.get("index", "logstash-%{+YYYY.MM.dd}"), document)


def options(text: str, plugin: str) -> dict[str, str]:
    """The settings of the first block of that plugin."""
    block = re.search(plugin + r"\s*\{(.*?)\n\s*\}", text, re.DOTALL)
    if not block:
        raise SystemExit(f"the configuration has no {plugin} block")
    return {name: value.strip('"') for name, value in OPTION.findall(block[1])}


def joda(pattern: str) -> str:
    """Return a date pattern of logstash as one of strftime; DD is the day of the year."""
    formats = {"YYYY": "%Y", "yyyy": "%Y", "MM": "%m", "dd": "%d", "DD": "%j", "HH": "%H", "ww": "%V"}
    return re.sub(r"[A-Za-z]+", lambda match: formats.get(match[0], match[0]), pattern)


def deliver(host: str, index: str, document: dict[str, Any]) -> None:
    """Store a document in the index of its own (UTC) day; again and again until the store takes it."""
    day = datetime.fromisoformat(document["@timestamp"].replace("Z", "+00:00"))
    name = day.strftime(re.sub(r"%\{\+([^}]*)\}", lambda match: joda(match[1]), index))
    while True:
        try:
            answer = requests.post(f"http://{host}/{name}/_doc", json=document, timeout=WAIT_SECONDS)
            if answer.ok:
                return
            problem = f"{answer.status_code} {answer.text[:200]}"
        except requests.RequestException as error:
            problem = str(error)
        say(f"[ERROR][logstash.outputs.elasticsearch] {problem}")
        time.sleep(WAIT_SECONDS)
