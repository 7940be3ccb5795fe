"""The login state of 6.x: the token stands in a refusal, a session ends when it is idle, usermgr has the passwords."""

from __future__ import annotations

import time

import pymysql

from ..open_paas.accounts import Accounts, Refused
from ..open_paas.tokens import new_token

TEXTS = {
    "missing": ("缺少参数bk_token", "Missing parameters bk_token"),
    "illegal": ("参数bk_token非法", "Parameters bk_token is illegal"),
    "unknown": ("不存在bk_token[{}]的记录", "Record of bk_token [{}] does not exist"),
    "logged out": ("登录态已注销", "login status has been logged out"),
    "expired": ("登录态已过期", "Login status has expired"),
    "ahead": ("登录态有效期不合法", "Login validity is illegal"),
    "idle": ("长时间无操作，登录态已过期", "Login status has expired due to long inactivity"),
    "no user": ("用户不存在", "user does not exist"),
    "good": ("用户验证成功", "User authentication succeeded"),
    "information": ("用户信息获取成功", "User information is obtained successfully"),
}


def text(reason: str | None, language: str, token: str = "") -> str:
    """Return the text of a reason in a language; a token undecryptable in any way has one text only."""
    return TEXTS[reason or "illegal"][language == "en"].format(token)


class IdleAccounts(Accounts):
    """The login states of 6.x; settings gives the idle age."""

    idle_age = 7200
    update_interval = 60

    def issue(self, username: str) -> tuple[str, int]:
        """Return a new token, stored in the database, and when it expires."""
        now = int(time.time())
        token = new_token(self.cipher, username, now + self.age)
        self.database.query(
            "INSERT INTO login_bktoken (token, is_logout, inactive_expire_time) VALUES (%s, 0, %s)",
            token,
            now + self.idle_age,
        )
        return token, now + self.age

    def username(self, token: str) -> str:
        """Return whose token it is, and renew its idle time. Raises Refused."""
        if not token:
            raise Refused("missing")
        fields = self._fields(token)
        if len(fields) < 3:
            raise Refused("illegal")
        try:
            rows = self.database.query(
                "SELECT is_logout, inactive_expire_time FROM login_bktoken WHERE token = %s", token
            )
        except pymysql.MySQLError:
            rows = []  # as the original: a database that is down looks like a token that is not there
        if not rows:
            raise Refused("unknown")
        if rows[0][0]:
            raise Refused("logged out")
        expire, now, idle = int(fields[0]), int(time.time()), int(rows[0][1])
        if now > expire + self.offset:
            raise Refused("expired")
        if expire - now > self.age + self.offset:
            raise Refused("ahead")
        if now > idle + self.offset:
            raise Refused("idle")
        if now + self.idle_age - idle > self.update_interval:
            self.database.query(
                "UPDATE login_bktoken SET inactive_expire_time = %s WHERE token = %s",
                now + self.idle_age,
                token,
            )
        return fields[1]
