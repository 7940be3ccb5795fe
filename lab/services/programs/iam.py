"""bkiam, port 5001: whether a user may do something, as paas asks for each page, and a healthz of its own."""

from __future__ import annotations

import json
import socket
from configparser import SectionProxy
from urllib.parse import urlsplit

from . import argument
from .portal import configuration
from .server import Answer, Question, as_json, server

NO_SYSTEM, NOT_ALLOWED, SYSTEM_ERROR = 1901404, 1901401, 1901500
CONNECT_SECONDS = 3


def main() -> None:
    config = configuration(argument("-c"))
    application, database = config["application"], config["database"]

    def reply(question: Question) -> Answer:
        path = urlsplit(question.path).path.rstrip("/")
        if path == "/ping":
            return as_json({"message": "pong"})
        problem = database_problem(database)
        if path == "/healthz":
            return Answer(problem or "ok", 500 if problem else 200, "text/plain; charset=utf-8")
        if path != "/api/v1/policy/query":
            return Answer("404 page not found", 404, "text/plain")
        return as_json(policy(question, application, problem))

    server(
        config["server"]["address"], config.getint("server", "port"), reply, ("GET", "POST")
    ).serve_forever()


def database_problem(database: SectionProxy) -> str:
    """Return what the healthz reports of the database; empty if its port accepts a connection."""
    place = database["host"], database.getint("port")
    try:
        socket.create_connection(place, timeout=CONNECT_SECONDS).close()
    except OSError as error:
        return f"db connect fail: dial tcp {place[0]}:{place[1]}: {error} [id={database['id']} host={place[0]} port={place[1]}]"
    return ""


def policy(question: Question, application: SectionProxy, problem: str) -> dict[str, object]:
    """Return the policy of a user for an action: any resource, for an application that is known."""
    headers = question.headers
    known = headers.get("x-bk-app-code") == application["code"]
    if not known or headers.get("x-bk-app-secret") != application["secret"]:
        return answer(NOT_ALLOWED, "unauthorized: app code or app secret wrong")
    if json.loads(question.body or b"{}").get("system") != "bk_paas":
        return answer(NO_SYSTEM, "not found:system not exists")
    if problem:
        return answer(SYSTEM_ERROR, f"system error: {problem}")
    return answer(0, "ok", {"field": "app.id", "op": "any", "value": []})


def answer(code: int, message: str, data: dict[str, object] | None = None) -> dict[str, object]:
    return {"code": code, "message": message, "data": data or {}}
