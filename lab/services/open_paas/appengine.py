"""appengine, port 8000: what talks to the paas_agents."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import requests

from .database import Database
from .logs import open_logs
from .settings import load
from .web import Request, Response, Site, answer_json

settings = load(Path.cwd(), "controller/settings.py")
logger = open_logs("appengine", settings.TIME_ZONE, "appengine_mysql.log")
database = Database(settings)


def healthz(request: Request) -> Response:
    """Always status 200; every active agent is asked, one after the other."""
    problem = database_problem() or agents_problem()
    if problem:
        logger.error(problem)
    return answer_json({"message": problem, "data": {}, "result": not problem})


def database_problem() -> str:
    try:
        database.query("SELECT 0")
    except Exception as error:
        return f"database health check failed! database connection exception {error}"
    return ""


def agents_problem() -> str:
    failed = "paasagent health check failed, error: "
    agents = database.query("SELECT ip_address, ip_port, s_id, token FROM engine_servers WHERE is_active = 1")
    if not agents:
        return failed + "have not registered and activated applicable app servers"
    for address, port, sid, token in agents:
        headers = {"X-ID": str(uuid.UUID(sid)), "X-TOKEN": str(uuid.UUID(token))}
        try:
            url = f"http://{address}:{port}/v1/app/healthz"
            answer = requests.get(url, headers=headers, timeout=settings.HTTP_TIMEOUT).json()
        except (requests.RequestException, ValueError) as error:
            return f"{failed}{error}"
        if answer.get("error") != 0:
            return f"{failed}{address} agent return not zero"
    return ""


def close_database(request: Request, answer: Callable[[Request], Response]) -> Response:
    try:
        return answer(request)
    finally:
        database.close()


application = Site([("/v1/healthz/", healthz)], middleware=close_database)
