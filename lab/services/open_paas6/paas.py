"""paas of 6.x, port 8001: the developer centre. Its healthz asks login's page, which asks usermgr."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import redis
import requests

from ..open_paas import pages
from ..open_paas.database import Database
from ..open_paas.logs import open_logs
from ..open_paas.settings import load, missing
from ..open_paas.web import Request, Response, Site, answer_json, redirect
from .permissions import is_allowed

NEEDED = ("ESB_TOKEN", "PAAS_DOMAIN", "PAAS_INNER_DOMAIN", "ENGINE_HOST", "LOGIN_HOST", "DATABASES")
TIMEOUT = 10  # seconds for each third party

environment = os.environ.get("BK_ENV", "development")
settings = load(Path.cwd(), "conf/default.py", f"conf/settings_{environment}.py")
if not settings.ESB_TOKEN:
    raise RuntimeError("ESB_TOKEN is not set")
logger = open_logs("paas", settings.TIME_ZONE, "paas_mysql.log", "paas_iam.log")
database = Database(settings)


def healthz(request: Request) -> Response:
    """Return what is well; a database that does not answer is the page of an error, not JSON."""
    database.query("SELECT id FROM paas_saas_app_version")
    lacking = missing(settings, *NEEDED)
    if lacking:
        return answer_healthz(1301001, "配置文件不正确, 缺失对应配置: " + ", ".join(lacking))
    problem = neighbours_problem()
    if problem:
        return answer_healthz(1301003, problem)
    data = {"settings": "ok", "database": "ok", "hosts": "ok", **redis_state(), **agents_state()}
    return answer_healthz("1301000", "OK", data | {"third_server": "ok", "database bksuite": "ok"})


def answer_healthz(code: str | int, message: str, data: dict[str, str] | None = None) -> Response:
    return answer_json({"ok": data is not None, "code:": code, "message": message, "data": data or {}})


def neighbours_problem() -> str:
    for name, host in (("engine_host", settings.ENGINE_HOST), ("login_host", settings.LOGIN_HOST)):
        try:
            requests.get(f"{host}/", timeout=TIMEOUT)
        except requests.RequestException as error:
            return f"第三方依赖连接超时: name={name}, host={host},  error={error}"
    return ""


def redis_state() -> dict[str, str]:
    """Return the key with the original's spelling when redis answers."""
    try:
        redis.Redis(
            settings.REDIS_HOST, settings.REDIS_PORT, password=settings.REDIS_PASSWORD, socket_timeout=5
        ).ping()
    except redis.RedisError as error:
        return {"redis": f"1301004 Redis连接存在问题: {error}; 将导致监控告警不可用"}
    return {"reids": "ok"}


def agents_state() -> dict[str, str]:
    """Return the state of the agents; the key of the tests stands for production too, as in the original."""
    rows = database.query("SELECT DISTINCT category FROM engine_servers WHERE is_active = 1")
    if ("app",) in rows:
        return {"paas_agent_test": "ok"}
    warning = "WARNING: 1301005 当前没有可用的[正式服务器], 无法进行上线操作, 请到[蓝鲸智云-开发者中心-服务器信息]注册并激活服务器"
    return {"paas_agent_test": "ok" if rows else warning, "paas_agent_prod": warning}


def call_login(token: str) -> dict[str, Any]:
    """Return the data of is_login; empty, and a line in paas.log, when it refuses or cannot be asked."""
    try:
        answer = requests.get(
            f"{settings.LOGIN_HOST}/api/v2/is_login/", params={"bk_token": token}, timeout=TIMEOUT
        ).json()
    except (requests.RequestException, ValueError) as error:
        answer = {"bk_error_msg": str(error)}
    if not answer.get("result"):
        logger.info(f"Verification of user login token is invalid: {answer.get('bk_error_msg')}")
        return {}
    return dict(answer["data"])


def platform(request: Request) -> Response:
    token = request.cookies.get("bk_token", "")
    if token:
        user = call_login(token)
        if user:
            name = user.get("bk_username", "")
            is_allowed(settings, name, "develop_app")
            return Response(pages.page("开发者中心|蓝鲸智云", f"<h1>{name}</h1>"))
    if request.header("X-Requested-With") == "XMLHttpRequest":
        return Response(status=401)
    return redirect(f"/login/?c_url={quote(request.path)}")


def close_database(request: Request, answer: Callable[[Request], Response]) -> Response:
    try:
        return answer(request)
    finally:
        database.close()


application = Site(
    [
        ("/", platform),
        ("/platform/.*", platform),
        ("/healthz/", healthz),
        ("/ping/", lambda request: Response("pong")),
    ],
    languages=lambda request: "zh-hans",
    middleware=close_database,
)
