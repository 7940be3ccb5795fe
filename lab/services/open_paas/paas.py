"""paas, port 8001: the developer centre. Asks its own login, not nginx, whether a visitor is logged in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from . import pages
from .database import Database
from .logs import open_logs
from .settings import load, missing
from .web import HTML, Request, Response, Site, answer_json, redirect

NEEDED = (
    "ESB_TOKEN",
    "PAAS_DOMAIN",
    "PAAS_INNER_DOMAIN",
    "BK_COOKIE_DOMAIN",
    "ENGINE_HOST",
    "LOGIN_HOST",
    "HOST_CC",
    "HOST_JOB",
    "DATABASES",
)
TIMEOUT_SECONDS = 10  # seconds for each third party

environment = os.environ.get("BK_ENV", "development")
settings = load(Path.cwd(), "conf/default.py", f"conf/settings_{environment}.py")
logger = open_logs("paas", settings.TIME_ZONE, "paas_mysql.log")
database = Database(settings)


def healthz(request: Request) -> Response:
    """Any HTTP answer of engine and login is good enough; a failure is plain text with status 500."""
    problem = settings_problem() or database_problem() or neighbours_problem()
    if problem:
        return Response(problem, status=500, content_type=HTML)
    return answer_json({"result": True})


def settings_problem() -> str:
    lacking = missing(settings, *NEEDED)
    return "配置文件不正确, 缺失对应配置: " + ", ".join(lacking) if lacking else ""


def database_problem() -> str:
    try:
        database.query("SELECT id FROM paas_saas_app_version")
    except Exception as error:
        return f"数据库连接存在问题: {error}"
    return ""


def neighbours_problem() -> str:
    for name, host in (("engine_host", settings.ENGINE_HOST), ("login_host", settings.LOGIN_HOST)):
        try:
            requests.get(host, timeout=TIMEOUT_SECONDS)
        except requests.RequestException as error:
            return f"第三方依赖连接超时: name={name}, host={host},  error={error}"
    return ""


def call_login(api: str, token: str) -> dict[str, Any]:
    """The data of a login interface; empty, and a line in paas.log, when it refuses or cannot be asked."""
    url = f"{settings.LOGIN_HOST}/accounts/{api}/"
    try:
        answer = requests.get(url, params={"bk_token": token}, timeout=TIMEOUT_SECONDS).json()
        message = answer.get("message")
    except (requests.RequestException, ValueError) as error:
        answer, message = {}, error
    if not answer.get("result"):
        logger.error(f"请求login接口失败: method=http_get, api={api}, message={message}")
        return {}
    return dict(answer["data"])


def platform(request: Request) -> Response:
    database.query("SELECT 1 FROM django_session LIMIT 1")
    token = request.cookies.get(settings.BK_COOKIE_NAME, "")
    if token and call_login("is_login", token):
        user = call_login("get_user", token)
        return Response(pages.page("开发者中心|蓝鲸智云", f"<h1>{user.get('username', '')}</h1>"))
    if request.header("X-Requested-With") == "XMLHttpRequest":
        return Response(status=401)
    return redirect(request.absolute(f"/login/?c_url={quote(request.path)}"))


def home(request: Request) -> Response:
    return redirect(request.absolute("/platform/"), permanent=True)


def close_database(request: Request, answer: Callable[[Request], Response]) -> Response:
    try:
        return answer(request)
    finally:
        database.close()


application = Site(
    [("/", home), ("/platform/.*", platform), ("/console/user_center/", platform), ("/healthz/", healthz)],
    middleware=close_database,
)
