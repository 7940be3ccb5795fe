"""login of 6.x, port 8003: the form, is_login of three versions, healthz."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from ..open_paas.accounts import Refused
from ..open_paas.database import Database
from ..open_paas.logs import open_logs
from ..open_paas.settings import load, missing
from ..open_paas.web import Request, Response, Site, answer_json, redirect
from .accounts import IdleAccounts, text
from .components import Esb, NoAnswer
from .pages import csrf_failed, login_form

NEEDED = ("ESB_TOKEN", "PAAS_DOMAIN", "PAAS_INNER_DOMAIN", "BK_COOKIE_DOMAIN", "DATABASES")
WRONG_PASSWORD = "账户或者密码错误，请重新输入"
CATEGORIES = "/v2/usermanage/list_categories/"
CACHE_SECONDS = 60

environment = os.environ.get("BK_ENV", "development")
settings = load(Path.cwd(), "conf/default.py", f"conf/settings_{environment}.py")
logger = open_logs("login", settings.TIME_ZONE, "login_mysql.log")
database = Database(settings)
accounts = IdleAccounts(settings, database, logger)
accounts.idle_age = settings.BK_INACTIVE_COOKIE_AGE
accounts.update_interval = settings.BK_INACTIVE_UPDATE_INTERVEL
esb = Esb(settings, logger)
asked_at = 0.0


def negotiate(request: Request) -> str:
    """Version 1 is always English behind nginx, everything else speaks the browser's language."""
    if request.path.startswith("/accounts/"):
        return "en"
    if request.path.startswith("/login/accounts/"):
        return "zh-hans"
    return "en" if request.header("Accept-Language").lower().startswith("en") else "zh-hans"


def cookie(name: str, value: str, age: int, *, domain: str = "", http_only: bool = False) -> str:
    """Return a Set-Cookie value; its date comes from this host's clock. Age 0 takes the cookie away."""
    when = time.strftime("%a, %d-%b-%Y %H:%M:%S GMT", time.gmtime(time.time() + age if age else 0))
    parts = (
        [f"{name}={value or chr(34) * 2}"] + ([f"Domain={domain}"] if domain else []) + [f"expires={when}"]
    )
    parts += ["HttpOnly"] if http_only else []
    return "; ".join([*parts, f"Max-Age={age}", "Path=/"])


def guard(request: Request, answer: Callable[[Request], Response]) -> Response:
    """Refuse forms without the CSRF token; give the database up at the end."""
    try:
        if request.method == "POST":
            expected = request.cookies.get(settings.CSRF_COOKIE_NAME, "")
            request.posted = request.form()
            if not expected or request.posted.get("csrfmiddlewaretoken") != expected:
                return Response(csrf_failed(), status=403)
        return answer(request)
    finally:
        database.close()


def ask_domains() -> None:
    """Ask usermgr, through nginx and ESB, which domains of users there are; a minute per worker."""
    global asked_at
    if time.monotonic() - asked_at < CACHE_SECONDS and asked_at:
        return
    try:
        esb.call("get", CATEGORIES, no_page="True")
        asked_at = time.monotonic()
    except NoAnswer:
        pass  # the form is served without them


def login_page(request: Request) -> Response:
    ask_domains()
    if request.method == "POST":
        username = request.posted.get("username", "")
        try:
            esb.call(
                "post",
                "/v1/usermanage/login/check/",
                username=username,
                password=request.posted.get("password", ""),
            )
            return logged_in(request, username)
        except NoAnswer:
            pass
    csrf = request.cookies.get(settings.CSRF_COOKIE_NAME) or secrets.token_hex(16)
    error = WRONG_PASSWORD if request.method == "POST" else ""
    response = Response(login_form(csrf, request.query.get("app_id", ""), error))
    response.cookies.append(cookie(settings.CSRF_COOKIE_NAME, csrf, settings.CSRF_COOKIE_AGE))
    return forget(request, response)


def logged_in(request: Request, username: str) -> Response:
    wanted = request.posted.get("c_url") or request.query.get("c_url", "")
    target = wanted if is_safe(wanted, request.host) else "/console/"
    token, _ = accounts.issue(username)
    response = redirect(target)
    age, domain = settings.BK_COOKIE_AGE, settings.BK_COOKIE_DOMAIN
    response.cookies = [
        cookie(settings.BK_COOKIE_NAME, token, age, domain=domain, http_only=True),
        cookie("sessionid", secrets.token_hex(16), settings.SESSION_COOKIE_AGE, http_only=True),
    ]
    return response


def is_safe(url: str, host: str) -> bool:
    """Return whether the second-level label of the target is this host's."""
    parts = urlsplit(url)
    if not url or url.startswith("///") or (parts.scheme and not parts.netloc):
        return False
    ours = host.split(":")[0].split(".")[-2]
    theirs = parts.netloc.split(":")[0].split(".")[-2] if parts.netloc else ours
    return theirs == ours and parts.scheme in ("", "http", "https")


def forget(request: Request, response: Response) -> Response:
    """Log the caller's token out in the database and take its cookie away."""
    token = request.cookies.get(settings.BK_COOKIE_NAME)
    if token:
        accounts.log_out(token)
    response.cookies.append(cookie(settings.BK_COOKIE_NAME, "", 0, domain=settings.BK_COOKIE_DOMAIN))
    return response


def username_of(request: Request) -> tuple[str, str]:
    """Return the user of the request's token, and the text of a refusal."""
    token = request.query.get("bk_token", "")
    try:
        return accounts.username(token), ""
    except Refused as refused:
        return "", text(refused.reason, request.language, token)


def is_login_v1(request: Request) -> Response:
    username, refusal = username_of(request)
    data = {"username": username} if username else {}
    message = refusal or text("good", request.language)
    code = "1200" if refusal else "00"
    return answer_json({"result": not refusal, "code": code, "message": message, "data": data})


def is_login_v2(request: Request) -> Response:
    username, refusal = username_of(request)
    data = {"bk_username": username} if username else {}
    message = refusal or text("good", request.language)
    code = 1302100 if refusal else 0
    return answer_json({"result": not refusal, "bk_error_code": code, "bk_error_msg": message, "data": data})


def is_login_v3(request: Request) -> Response:
    username, refusal = username_of(request)
    data = {"bk_username": username} if username else {}
    message = refusal or text("good", request.language)
    code = 1302100 if refusal else 0
    return answer_json({"result": not refusal, "code": code, "message": message, "data": data})


def healthz(request: Request) -> Response:
    lacking = missing(settings, *NEEDED)
    if lacking:
        return answer_healthz(1302001, "配置文件不正确, 缺失对应配置: " + ", ".join(lacking))
    try:
        database.query("SELECT username FROM bkaccount_bkuser")
    except Exception as error:
        return answer_healthz(1302002, f"数据库连接存在问题: {error}")
    return answer_healthz("1302000", "OK", {"settings": "ok", "database": "ok"})


def answer_healthz(code: str | int, message: str, data: dict[str, str] | None = None) -> Response:
    """Return an answer whose code has a colon in its name; a good one is a string."""
    return answer_json({"ok": data is not None, "code:": code, "message": message, "data": data or {}})


application = Site(
    [
        ("/", login_page),
        ("/accounts/is_login/", is_login_v1),
        ("/api/v2/is_login/", is_login_v2),
        ("/api/v3/is_login/", is_login_v3),
        ("/healthz/", healthz),
        ("/ping/", lambda request: Response("pong", content_type="text/plain")),
    ],
    languages=negotiate,
    middleware=guard,
    prefix="/login/",
)
