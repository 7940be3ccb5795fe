"""appengine of 6.x, port 8000: asks every active agent; the sid and the token of one that fails stand in the answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import requests

from ..open_paas.database import Database
from ..open_paas.logs import open_logs
from ..open_paas.settings import load
from ..open_paas.web import Request, Response, Site, answer_json

CATEGORIES = {"tapp": "test", "app": "prod"}

settings = load(Path.cwd(), "conf/settings_production.py")
logger = open_logs("appengine", settings.TIME_ZONE, "appengine_mysql.log")
database = Database(settings)


def healthz(request: Request) -> Response:
    """Return the first problem; its text stands twice."""
    try:
        database.query("SELECT 0")
    except Exception as error:
        text = f"Database health check failed! Database connection exception {error}"
        logger.error(text)
        return answer(1304001, text, "mysql")
    code, text = agents_problem()
    if text:
        logger.error(text)
        return answer(code, text, "paas_agent")
    return answer_json({"code": 1304000, "ok": True, "message": "", "data": {}})


def answer(code: int, text: str, part: str) -> Response:
    return answer_json({"code": code, "ok": False, "message": text, "data": {part: text}})


def agents_problem() -> tuple[int, str]:
    """Return the code and the text of the first agent that is not well."""
    agents = database.query(
        "SELECT category, ip_address, ip_port, s_id, token FROM engine_servers WHERE is_active = 1"
    )
    if not agents:
        return 1304102, "Have not registered and activated applicable app servers"
    for category, name in CATEGORIES.items():
        if not any(row[0] == category for row in agents):
            return 1304102, f"Have not registered app's {name} environment server"
    for _, address, port, sid, token in agents:
        headers = {"X-ID": str(uuid.UUID(sid)), "X-TOKEN": str(uuid.UUID(token))}
        url = f"http://{address}:{port}/v1/app/healthz"
        what = f"url={url}, sid={headers['X-ID']}, token={headers['X-TOKEN']}"
        try:
            response = requests.get(url, headers=headers, timeout=settings.HTTP_TIMEOUT)
        except requests.RequestException as error:
            return 1304104, f"paasagent healthz FAIL! Request exception! {what}, error={error}"
        if response.status_code != 200:
            return 1304103, f"paasagent healthz FAIL! sid/token error! {what}, status={response.status_code}"
    return 0, ""


def close_database(request: Request, reply: Callable[[Request], Response]) -> Response:
    try:
        return reply(request)
    finally:
        database.close()


application = Site(
    [
        ("/v1/healthz/?", healthz),
        ("/v1/ping/", lambda request: Response("pong", content_type="text/plain")),
    ],
    middleware=close_database,
)
