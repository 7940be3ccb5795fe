"""esb of 6.x, port 8002: components, each behind the account of an application; its healthz calls its neighbours."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

import redis
import requests

from ..open_paas.database import Database
from ..open_paas.logs import open_logs
from ..open_paas.settings import load, missing
from ..open_paas.web import JSON, Request, Response, Site, answer_json

NEEDED = ("ESB_TOKEN", "PAAS_HOST", "HOST_BK_LOGIN", "HOST_CC", "HOST_JOB")
CODE = 1306000
NO_SECRET = "Signature [bk_signature] and APP Secret [bk_app_secret] cannot be empty at the same time"

settings = load(Path.cwd(), "conf/settings_production.py")
logger = open_logs("esb", settings.TIME_ZONE, "esb_mysql.log")
api_log = Path(settings.LOGGING_DIR, "esb_api.log").open("a", encoding="utf-8")  # noqa: SIM115
database = Database(settings, pooled=True)
redis_pool = redis.Redis(
    settings.REDIS_HOST, settings.REDIS_PORT, password=settings.REDIS_PASSWORD, socket_timeout=10
)


def call(
    system: str, component: str, url: str, params: dict[str, str], method: str = "GET"
) -> dict[str, Any]:
    """Return the JSON of another system, with a line in esb_api.log. Raises RuntimeError."""
    start, status, answer, problem = time.time(), -1, None, ""
    try:
        response = requests.request(method, url, params=params, timeout=settings.HTTP_TIMEOUT)
        status = response.status_code
        answer = response.json() if "json" in response.headers.get("Content-Type", "") else {}
    except (requests.RequestException, ValueError) as error:
        problem = str(error)
    record = {
        "type": "api",
        "message": f"Request outgoing finished, method={method} url={url}",
        "request_id": uuid.uuid4().hex,
        "req_system_name": system,
        "req_component_name": component,
        "req_params": params,
        "req_status": status,
        "req_message": problem,
        "req_msecs_cost": int((time.time() - start) * 1000),
        "req_start_time": utc(start),
        "req_end_time": utc(time.time()),
    }
    api_log.write(json.dumps(record) + "\n")
    api_log.flush()
    if not isinstance(answer, dict):
        what = f"Component request third-party system [{system}] interface [{component}] error: {problem}"
        logger.error(what)
        raise RuntimeError(what)
    return answer


def utc(seconds: float) -> str:
    """Return a time as the original writes it here, and only here, in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


def healthz(request: Request) -> Response:
    problem = settings_problem() or redis_problem() or database_problem() or neighbours_problem()
    return answer_json({"ok": not problem, "code": str(CODE), "message": problem or "OK", "data": {}})


def settings_problem() -> str:
    lacking = missing(settings, *NEEDED)
    return f"settings [{lacking[0]}] cannot be empty" if lacking else ""


def redis_problem() -> str:
    try:
        redis_pool.set("esb_redis_check", "1", ex=60)
    except redis.RedisError as error:
        where = f"[{settings.REDIS_HOST}:{settings.REDIS_PORT}] [use_sentinel=False]"
        return f"Exceptions occurred in Redis connection ({where}): {error}"
    return ""


def database_problem() -> str:
    try:
        database.query("SELECT id FROM esb_channel LIMIT 1")
    except Exception as error:
        return f"Exceptions occurred in database connection: {error}"
    return ""


def neighbours_problem() -> str:
    """Return the first of usermgr, cmdb and job that gives no answer; the users come first."""
    for system, component, url in (
        ("USERMANAGE", "usermanage_component", f"{settings.USERMGR_HOST}/api/v1/profile_list/"),
        ("CC", "search_business", f"{settings.HOST_CC}/api/v3/biz/search"),
        ("JOB", "get_job_list", f"{settings.HOST_JOB}/esb/api/v3/job/list"),
    ):
        try:
            call(system, component, url, {"bk_role": "1"} if system == "USERMANAGE" else {})
        except RuntimeError as error:
            name = "BK_LOGIN" if system == "USERMANAGE" else system
            return f"System {name} interface access abnormal: {error}"
    return ""


class Denied(Exception):
    """The calling application may not use the component."""


def require_application(parameters: dict[str, str]) -> None:
    """Raise Denied unless the calling application proves itself."""
    secret = parameters.get("bk_app_secret") or parameters.get("app_secret", "")
    code = parameters.get("bk_app_code") or parameters.get("app_code", "")
    if not secret:
        raise Denied(NO_SECRET)
    if not code:
        raise Denied("APP Code [bk_app_code] cannot be empty")
    rows = database.query("SELECT app_token FROM esb_app_account WHERE app_code = %s", code)
    if not rows:
        raise Denied(
            f"Invalid APP Code [bk_app_code={code}], please confirm if the APP Code has been registered"
        )
    if rows[0][0] != secret:
        raise Denied("APP Code or APP Secret is incorrect")


def component(request: Request, version: str, system: str, name: str) -> Response:
    """Pass a call of a registered application on to login or usermgr."""
    request_id = uuid.uuid4().hex
    parameters = request.query | (request.form() if request.method == "POST" else {})
    try:
        require_application(parameters)
    except Denied as denied:
        logger.error(f"{denied}, request_id={request_id}")
        return answer(request_id, CODE, str(denied))
    if system == "bk_login":
        path = "/login/api/v2/is_login/" if version else "/login/accounts/is_login/"
        url, params = f"{settings.HOST_BK_LOGIN}{path}", {"bk_token": parameters.get("bk_token", "")}
        method = "GET"
    else:
        url = f"{settings.USERMGR_HOST}/api/v1/{name}"
        params = {key: parameters[key] for key in ("username", "password") if key in parameters}
        method = request.method
    try:
        reply = call(system.upper(), name, url, params, method)
    except RuntimeError as error:
        return answer(request_id, 1306201, str(error))
    message = reply.get("bk_error_msg") or reply.get("message")
    code = reply.get("bk_error_code", reply.get("code"))
    return answer(request_id, code, message, reply.get("data"), bool(reply["result"]))


def answer(
    request_id: str, code: object, message: object, data: object = None, result: bool = False
) -> Response:
    content = {"result": result, "code": code, "message": message, "data": data, "request_id": request_id}
    return answer_json(content, content_type=f"{JSON}; charset=utf-8")


def unknown(request: Request, path: str) -> Response:
    content = {"result": False, "data": None, "message": "The content does not exist"}
    return Response(json.dumps(content), 404, f"{JSON}; charset=utf-8")


application = Site(
    [
        ("/healthz/", healthz),
        ("/ping/", lambda request: Response("pong")),
        (r"/c/compapi/(?:v1/|(v2/))?(bk_login|usermanage)/(.+)/", component),
        ("/(.*)", unknown),
    ],
    languages=lambda request: "en",
)
