"""The agent on appo and appt, port 4245: health, and the registration that appengine checks."""

from __future__ import annotations

import sys
import time
import uuid
from pathlib import Path
from typing import Any

import requests
import yaml

from .server import Answer, Question, as_json, server

START_SECONDS = 10


class Config:
    """Read the YAML file as viper does: case-insensitive names, an invalid number is 0."""

    def __init__(self, path: Path) -> None:
        self.tree = _lower(yaml.safe_load(path.read_text(encoding="utf-8")))

    def text(self, name: str) -> str:
        value: Any = self.tree
        for part in name.lower().split("."):
            value = value.get(part, "") if isinstance(value, dict) else ""
        return str(value)

    def number(self, name: str) -> int:
        try:
            return int(self.text(name), 0)
        except ValueError:
            return 0


def _lower(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {str(key).lower(): _lower(inner) for key, inner in value.items()}


def main() -> None:
    config = Config(Path(sys.orig_argv[0]).parents[1] / "etc/paas_agent_config.yaml")
    controller = config.text("settings.CONTROLLER_SERVER_URL")
    try:
        requests.get(f"{controller}/v1/healthz", timeout=START_SECONDS)
    except requests.RequestException:
        raise SystemExit(
            f"paasagent start failed, please make sure {controller} has been enabled, and normal access"
        ) from None
    sid, token = config.text("auth.sid"), config.text("auth.token")

    def reply(question: Question) -> Answer:
        if question.path.rstrip("/") == "/healthz":
            return Answer("paasagent is alive", content_type="text/plain; charset=utf-8")
        if question.path.rstrip("/") != "/v1/app/healthz":
            return Answer("404 page not found\n", 404, "text/plain; charset=utf-8")
        if (question.headers.get("x-id"), question.headers.get("x-token")) != (sid, token):
            return as_json({"error": 20100, "msg": "sid or token is not valid, please check"}, 403)
        return as_json({"error": 0, "mac": _mac()})

    limit = config.number("settings.EXECUTE_TIME_LIMIT")
    line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} paasagent started, a deployment may take {limit} seconds"
    with open(config.text("settings.AGENT_LOG_PATH"), "a", encoding="utf-8") as log:
        log.write(line + "\n")
    server(config.text("ip"), config.number("port"), reply).serve_forever()


def _mac() -> str:
    return ":".join(f"{byte:02x}" for byte in uuid.getnode().to_bytes(6, "big"))
