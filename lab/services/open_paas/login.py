"""login, port 8003: the login form, is_login and get_user."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from . import pages
from .accounts import Accounts, Refused, text
from .database import Database
from .logs import open_logs
from .settings import load, missing
from .web import Request, Response, Site, answer_json, redirect

NEEDED = ("ESB_TOKEN", "PAAS_DOMAIN", "PAAS_INNER_DOMAIN", "BK_COOKIE_DOMAIN", "DATABASES")
LANGUAGES = ("zh-hans", "en")
WRONG_PASSWORD = "账户或者密码错误，请重新输入"

environment = os.environ.get("BK_ENV", "development")
settings = load(Path.cwd(), "conf/default.py", f"conf/settings_{environment}.py")
logger = open_logs("login", settings.TIME_ZONE, "login_mysql.log")
database = Database(settings)
accounts = Accounts(settings, database, logger)


def negotiate(request: Request) -> str:
    """is_login under its full path speaks English, everything else what cookie or browser ask for."""
    full_path = (f"{settings.SITE_URL}accounts/is_login/", f"{settings.SITE_URL}api/v2/is_login/")
    if request.path.startswith(full_path):
        return request.header("Blueking-Language") or "en"
    chosen = request.cookies.get(settings.LANGUAGE_COOKIE_NAME)
    if chosen in LANGUAGES:
        return str(chosen)
    return "en" if request.header("Accept-Language").lower().startswith("en") else str(settings.LANGUAGE_CODE)


def cookie(name: str, value: str, age: int, *, domain: str = "", http_only: bool = False) -> str:
    """A Set-Cookie value as Python 2 writes it; its date comes from this host's clock. Age 0 takes the cookie away."""
    when = time.strftime("%a, %d-%b-%Y %H:%M:%S GMT", time.gmtime(time.time() + age if age else 0))
    parts = [f"{name}={value}"] + ([f"Domain={domain}"] if domain else []) + [f"expires={when}"]
    parts += ["httponly"] if http_only else []
    return "; ".join([*parts, f"Max-Age={age}", "Path=/"])


def guard(request: Request, answer: Callable[[Request], Response]) -> Response:
    """What the original's middleware does before any view: ask the database, refuse forms without the CSRF token."""
    try:
        database.query("SELECT 1 FROM django_session LIMIT 1")
        if request.method == "POST" and not csrf_is_right(request):
            return Response(pages.csrf_failed(), status=403, content_type="text/html")
        response = answer(request)
        if request.cookies.get(settings.BK_COOKIE_NAME) and not response.cookies:
            response.cookies += session_of(request.cookies[settings.BK_COOKIE_NAME])
        return response
    finally:
        database.close()


def csrf_is_right(request: Request) -> bool:
    expected = request.cookies.get(settings.CSRF_COOKIE_NAME, "")
    request.posted = request.form()
    return bool(expected) and request.posted.get("csrfmiddlewaretoken") == expected


def session_of(token: str) -> list[str]:
    """The Set-Cookie of a new session, if the token is good."""
    try:
        return [new_session(accounts.username(token))]
    except Refused:
        return []


def new_session(username: str) -> str:
    key = secrets.token_hex(16)
    age = settings.SESSION_COOKIE_AGE
    database.query(
        "INSERT INTO django_session (session_key, session_data, expire_date)"
        " VALUES (%s, %s, NOW() + INTERVAL %s SECOND)",
        key,
        username,
        age,
    )
    return cookie("sessionid", key, age, http_only=True)


def login_page(request: Request) -> Response:
    if request.method == "POST":
        username = request.posted.get("username", "")
        if accounts.password_is_right(username, request.posted.get("password", "")):
            return logged_in(request, username)
    csrf = request.cookies.get(settings.CSRF_COOKIE_NAME) or secrets.token_hex(16)
    error = WRONG_PASSWORD if request.method == "POST" else ""
    response = Response(pages.login(csrf, request.query.get("app_id", ""), error))
    response.cookies.append(cookie(settings.CSRF_COOKIE_NAME, csrf, settings.CSRF_COOKIE_AGE))
    return forget(request, response)


def logged_in(request: Request, username: str) -> Response:
    wanted = request.posted.get("c_url") or request.query.get("c_url", "")
    target = wanted if is_safe(wanted, request.host) else f"{settings.SITE_URL}accounts/user/list/"
    token, _ = accounts.issue(username)
    database.query(
        "INSERT INTO login_bklog (username, login_time, login_browser, login_host) VALUES (%s, NOW(), %s, %s)",
        username,
        request.header("User-Agent")[:200],
        request.host,
    )
    response = redirect(request.absolute(target) if target.startswith("/") else target)
    response.cookies = [
        cookie(
            settings.BK_COOKIE_NAME,
            token,
            settings.BK_COOKIE_AGE,
            domain=settings.BK_COOKIE_DOMAIN,
            http_only=True,
        ),
        new_session(username),
    ]
    return response


def is_safe(url: str, host: str) -> bool:
    """Same second-level label as ours. A host without a dot is an IndexError, as in the original."""
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


def log_out(request: Request) -> Response:
    return forget(request, redirect(request.absolute(f"{settings.SITE_URL}?is_from_logout=1")))


def user_list(request: Request) -> Response:
    try:
        accounts.username(request.cookies.get(settings.BK_COOKIE_NAME, ""))
    except Refused:
        target = f"{settings.SITE_URL}accounts/user/list/"
        return redirect(request.absolute(f"{settings.SITE_URL}?c_url={target}"))
    return Response(pages.page("用户管理|蓝鲸智云", "<h1>用户管理</h1>"))


def is_login_v1(request: Request) -> Response:
    try:
        username = accounts.username(request.query.get("bk_token", ""))
    except Refused as refused:
        return answer_v1("1200", text(refused.reason, request.language), {})
    return answer_v1("00", text("good", request.language), {"username": username})


def is_login_v2(request: Request) -> Response:
    try:
        username = accounts.username(request.query.get("bk_token", ""))
    except Refused as refused:
        return answer_v2(1302100, text(refused.reason, request.language), {})
    return answer_v2(0, text("good", request.language), {"bk_username": username})


def get_user_v1(request: Request) -> Response:
    try:
        user = user_of(accounts.username(request.query.get("bk_token", "")))
    except Refused as refused:
        code = "1300" if refused.reason == "no user" else "1200"
        return answer_v1(code, text(refused.reason, request.language), {})
    return answer_v1("00", text("information", request.language), user)


def get_user_v2(request: Request) -> Response:
    try:
        user = user_of(accounts.username(request.query.get("bk_token", "")))
    except Refused as refused:
        code = 1302103 if refused.reason == "no user" else 1302100
        return answer_v2(code, text(refused.reason, request.language), {})
    return answer_v2(0, text("information", request.language), {"bk_" + key: user[key] for key in user})


def user_of(username: str) -> dict[str, str]:
    rows = database.query("SELECT username, chname FROM bkaccount_bkuser WHERE username = %s", username)
    if not rows:
        raise Refused("no user")
    return {
        "username": rows[0][0],
        "chname": rows[0][1],
        "role": "1",
        "language": "",
        "time_zone": settings.TIME_ZONE,
    }


def get_all_user(request: Request) -> Response:
    rows = database.query("SELECT username, chname FROM bkaccount_bkuser")
    users = [{"username": username, "chname": chname, "role": "1"} for username, chname in rows]
    return answer_json(
        {"message": text("information", request.language), "code": "00", "data": users, "result": True}
    )


def healthz(request: Request) -> Response:
    lacking = missing(settings, *NEEDED)
    if lacking:
        return answer_v2(1302001, "配置文件不正确, 缺失对应配置: " + ", ".join(lacking), {})
    try:
        database.query("SELECT username FROM bkaccount_bkuser")
    except Exception as error:
        return answer_v2(1302002, f"数据库连接存在问题: {error}", {})
    return answer_v2(0, "", {"database": "ok", "settings": "ok"})


def answer_v1(code: str, message: str | None, data: dict[str, str]) -> Response:
    return answer_json({"message": message, "code": code, "data": data, "result": code == "00"})


def answer_v2(code: int, message: str | None, data: dict[str, str]) -> Response:
    return answer_json({"bk_error_msg": message, "bk_error_code": code, "data": data, "result": code == 0})


application = Site(
    [
        ("/", login_page),
        ("/logout/", log_out),
        ("/accounts/user/list/", user_list),
        ("/accounts/is_login/", is_login_v1),
        ("/accounts/get_user/", get_user_v1),
        ("/accounts/get_all_user/", get_all_user),
        ("/api/v2/is_login/", is_login_v2),
        ("/api/v2/get_user/", get_user_v2),
        ("/healthz/", healthz),
    ],
    languages=negotiate,
    middleware=guard,
    prefix=settings.SITE_URL,
)
