"""esb, port 8002: the component interface. Its database connection is pooled, its error code is always the same."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

import requests

from .database import Database
from .logs import open_logs
from .settings import load, missing
from .web import JSON, Request, Response, Site, answer_json

NEEDED = ("ESB_TOKEN", "PAAS_HOST", "HOST_BK_LOGIN", "HOST_CC", "HOST_FTA")
CODE = 1306000
NO_SECRET = "Signature [bk_signature] and APP Secret [bk_app_secret] cannot be empty at the same time"
NOT_LOGGED_IN = "User authentication failed, please check if the bk_token is valid"

settings = load(Path.cwd(), "configs/default.py")
logger = open_logs("esb", settings.TIME_ZONE)
api_log = Path(settings.LOGGING_DIR, "esb_api.log").open("a", encoding="utf-8")  # noqa: SIM115
database = Database(settings, pooled=True)


def call(system: str, component: str, url: str, params: dict[str, str], app_code: str = "") -> dict[str, Any]:
    """The JSON of another system's interface, with a line in esb_api.log. Raises RuntimeError."""
    start, status, answer, problem = time.time(), -1, None, ""
    try:
        response = requests.get(url, params=params, timeout=settings.HTTP_TIMEOUT)
        status, answer = response.status_code, response.json()
    except (requests.RequestException, ValueError) as error:
        problem = str(error)
    record = {
        "type": "api",
        "message": f"Request outgoing finished, method=GET url={url}",
        "request_id": uuid.uuid4().hex,
        "req_app_code": app_code,
        "req_system_name": system,
        "req_component_name": component,
        "req_url": url,
        "req_params": params,
        "req_status": status,
        "req_response": answer,
        "req_exception": problem,
        "req_msecs_cost": (time.time() - start) * 1000,
        "req_start_time": start,
        "req_end_time": time.time(),
    }
    api_log.write(json.dumps(record) + "\n")
    api_log.flush()
    if not isinstance(answer, dict):
        what = f"Component request third-party system [{system}] interface [{component}] error: {problem}"
        logger.error(what)
        raise RuntimeError(what)
    return answer


def healthz(request: Request) -> Response:
    problem = settings_problem() or database_problem() or neighbours_problem()
    return answer_json({"data": {}, "message": problem or "OK", "code": str(CODE), "ok": not problem})


def settings_problem() -> str:
    lacking = missing(settings, *NEEDED)
    return f"settings 配置中 {lacking[0]} 不能为空" if lacking else ""


def database_problem() -> str:
    try:
        channels = database.query("SELECT id FROM esb_channel LIMIT 1")
    except Exception as error:
        return f"数据库连接出现异常：{error}"
    return "" if channels else "组件系统及通道数据未初始化，请先初始化"


def neighbours_problem() -> str:
    """Login, cmdb and fta are called for real; the first failure wins."""
    login = f"{settings.HOST_BK_LOGIN}/login/accounts/get_all_user/"
    for system, component, url, params in (
        ("BK_LOGIN", "get_all_user", login, {"role": "1", "bk_token": ""}),
        ("CC", "get_app_list", f"{settings.HOST_CC}/api/v3/biz/search", {}),
        ("FTA", "status", f"{settings.HOST_FTA}/event/api/status/", {}),
    ):
        try:
            call(system, component, url, params)
        except RuntimeError as error:
            return f"系统 {system} 接口访问异常：{error}"
    return ""


class Denied(Exception):
    """The calling application may not use the component."""


def app_code_of(request: Request) -> str:
    """The calling application, if it proves itself. Raises Denied."""
    parameters = request.query
    secret = parameters.get("bk_app_secret") or parameters.get("app_secret", "")
    code = parameters.get("bk_app_code") or parameters.get("app_code", "")
    if not secret:
        raise Denied(NO_SECRET)
    if not code:
        raise Denied("APP Code [bk_app_code] cannot be empty")
    rows = database.query("SELECT app_token FROM esb_app_account WHERE app_code = %s", code)
    if not rows:
        raise Denied("Invalid APP Code")
    if rows[0][0] != secret:
        raise Denied("APP Code or APP Secret is incorrect")
    return code


def bk_login(request: Request, version: str | None, component: str) -> Response:
    """is_login passes login's answer on; get_user makes one sentence of every refusal."""
    request_id = uuid.uuid4().hex
    try:
        code = app_code_of(request)
    except Denied as denied:
        logger.error(f"{denied}, request_id={request_id}")
        return component_answer(request_id, code=CODE, message=str(denied))
    base = "/login/api/v2" if version else "/login/accounts"
    params = {"bk_token": request.query.get("bk_token", "")}
    answer = call("BK_LOGIN", component, f"{settings.HOST_BK_LOGIN}{base}/{component}/", params, code)
    message = answer.get("bk_error_msg") if version else answer.get("message")
    if component == "get_user" and not answer["result"]:
        return component_answer(request_id, code=CODE, message=NOT_LOGGED_IN)
    error_code = answer.get("bk_error_code") if version else answer.get("code")
    return component_answer(request_id, error_code, message, answer["data"], bool(answer["result"]))


def component_answer(
    request_id: str, code: object, message: str | None, data: object = None, result: bool = False
) -> Response:
    content = {"message": message, "code": code, "data": data, "result": result, "request_id": request_id}
    return answer_json(content, content_type=f"{JSON}; charset=utf-8")


application = Site(
    [("/healthz/", healthz), ("/c/compapi/(v2/)?bk_login/(is_login|get_user)/", bk_login)],
    languages=lambda request: "en",
)
