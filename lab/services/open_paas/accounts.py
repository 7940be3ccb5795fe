"""The login state: who may log in, and whether a bk_token is good. Judged by this host's own clock."""

from __future__ import annotations

import time
from logging import Logger
from types import SimpleNamespace

from .database import Database
from .passwords import check_password
from .tokens import Cipher, new_token

# reason -> its text in Chinese and in English, as the original's catalogue has them
TEXTS = {
    "missing": ("缺少参数bk_token", "Missing parameters bk_token"),
    "illegal": ("参数bk_token非法", "Parameters bk_token is illegal"),
    "unknown": ("不存在该bk_token的记录", "不存在该bk_token的记录"),
    "logged out": ("登录态已注销", "login status has been logged out"),
    "expired": ("登录态已过期", "Login status has expired"),
    "ahead": ("登录态有效期不合法", "Login validity is illegal"),
    "no user": ("用户不存在", "user does not exist"),
    "good": ("用户验证成功", "User authentication succeeded"),
    "information": ("用户信息获取成功", "User information is obtained successfully"),
}


def text(reason: str | None, language: str) -> str | None:
    return TEXTS[reason][language == "en"] if reason else None


class Refused(Exception):
    """The token is not good. `reason` is a key of TEXTS, or None where the original forgets to give one."""

    def __init__(self, reason: str | None) -> None:
        super().__init__(reason)
        self.reason = reason


class Accounts:
    def __init__(self, settings: SimpleNamespace, database: Database, logger: Logger) -> None:
        self.cipher = Cipher(settings.SECRET_KEY)
        self.age = settings.BK_COOKIE_AGE
        self.offset = settings.BK_TOKEN_OFFSET_ERROR_TIME  # read once: a changed file needs a restart
        self.database = database
        self.logger = logger

    def password_is_right(self, username: str, password: str) -> bool:
        rows = self.database.query("SELECT password FROM bkaccount_bkuser WHERE username = %s", username)
        return bool(rows) and check_password(password, rows[0][0])

    def issue(self, username: str) -> tuple[str, int]:
        """A new token in the database, and when it expires."""
        expire = int(time.time()) + self.age
        token = new_token(self.cipher, username, expire)
        self.database.query("INSERT INTO login_bktoken (token, is_logout) VALUES (%s, 0)", token)
        return token, expire

    def log_out(self, token: str) -> None:
        self.database.query("UPDATE login_bktoken SET is_logout = 1 WHERE token = %s", token)

    def username(self, token: str) -> str:
        """Whose token it is. Raises Refused."""
        if not token:
            raise Refused("missing")
        fields = self._fields(token)
        if len(fields) < 3:
            raise Refused(None)
        rows = self.database.query("SELECT is_logout FROM login_bktoken WHERE token = %s", token)
        if not rows:
            raise Refused("unknown")
        if rows[0][0]:
            raise Refused("logged out")
        expire, now = int(fields[0]), int(time.time())
        if now > expire + self.offset:
            raise Refused("expired")
        if expire - now > self.age + self.offset:
            raise Refused("ahead")
        return fields[1]

    def _fields(self, token: str) -> list[str]:
        try:
            plain = self.cipher.decrypt(token)
        except ValueError as error:
            self.logger.exception(f"Parameter parse failed, error: {error}")
            plain = b""
        if not plain:
            raise Refused("illegal")
        try:
            return plain.decode("ascii").split("|")
        except UnicodeDecodeError as error:
            self.logger.exception(f"token info wrong, error: {error}")
            return []
