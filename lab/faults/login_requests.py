"""login answers users with errors that no healthz shows."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import host, restart
from lab.faults.database_state import log_in, sql
from lab.faults.fault import Act, Fault

SECTION = "login-no-response"
LIKE_DJANGO = (
    'try:\\n        raise KeyError("bk_role")\\n    except KeyError:\\n'
    '        logger.exception("Internal Server Error")\\n'
    '        return Response("Server Error (500)", status=500)'
)
"""The exception is written to login.log, and the log of uwsgi has the request only."""


def raising(line: str, number: int = 0) -> Act:
    """A release broke what runs after a correct password, on one paas host."""

    def act(lab: Lab) -> None:
        name = host(lab, "paas", number)
        code = module(lab, name)
        lab.run(
            name, f"cp -p {code} /run/lab-login.py && sed -i 's/^def logged_in(.*$/&\\n    {line}/' {code}"
        )
        restart(lab, name, "login")
        log_in(lab, number, "500")

    return act


def module(lab: Lab, name: str) -> str:
    """Return the path of login's code on a host."""
    path = lab.run(
        name, "find / -xdev -path '*open_paas/login.py' -not -path '/proc/*' 2>/dev/null | head -1"
    )
    return path.strip()


def put_back(number: int = 0) -> Act:
    def act(lab: Lab) -> None:
        name = host(lab, "paas", number)
        lab.run(
            name,
            f"[ ! -e /run/lab-login.py ] || {{ cat /run/lab-login.py > {module(lab, name)}; rm /run/lab-login.py; }}",
        )
        restart(lab, name, "login")

    return act


def table_of_another_version(change: str) -> Act:
    """A table is that of another release: what a login writes does not fit, and every statement that reads does."""

    def act(lab: Lab) -> None:
        sql(lab, f"DELETE FROM login_bktoken; ALTER TABLE login_bktoken {change}")
        log_in(lab, 0, "500")

    return act


def table_put_back(change: str) -> Act:
    def act(lab: Lab) -> None:
        sql(lab, f"DELETE FROM login_bktoken; ALTER TABLE login_bktoken {change}")
        log_in(lab)
        restart(lab, host(lab, "paas"), "login")

    return act


def use_up_ids(lab: Lab) -> None:
    """The next id of a token does not fit into its column."""
    row = "INSERT INTO login_bktoken (id, token) VALUES (2147483647, 'last')"
    sql(lab, f"DELETE FROM login_bktoken; ALTER TABLE login_bktoken AUTO_INCREMENT = 2147483647; {row}")
    log_in(lab, 0, "500")


TOKEN = "MODIFY token VARCHAR({width}) COLLATE utf8_bin NOT NULL"
FAULTS = (
    Fault(
        "login-column-too-short",
        "login-errors",
        SECTION,
        "the column of the login tokens is that of an older release: each login ends in error 1406",
        "登录令牌的列是旧版本的：每次登录都以错误 1406 结束",
        table_of_another_version(TOKEN.format(width=20)),
        table_put_back(TOKEN.format(width=255)),
    ),
    Fault(
        "login-column-added",
        "login-errors",
        SECTION,
        "the table of the login tokens has a column of a newer release without a default: error 1364",
        "登录令牌表多了新版本的一列且没有默认值：错误 1364",
        table_of_another_version("ADD COLUMN tenant VARCHAR(32) NOT NULL"),
        table_put_back("DROP COLUMN IF EXISTS tenant"),
    ),
    Fault(
        "login-ids-used-up",
        "database-writable",
        SECTION,
        "the ids of the table of the login tokens are used up: each login ends in a server error",
        "登录令牌表的 id 已用完：每次登录都返回服务器错误",
        use_up_ids,
        table_put_back("AUTO_INCREMENT = 1000"),
    ),
    Fault(
        "login-package-broken",
        "login-errors",
        SECTION,
        "an update of a package makes every correct password end in a TypeError on the first paas host",
        "软件包升级后，第一台 paas 上每次正确的密码都以 TypeError 结束",
        raising('raise TypeError("Object type <type unicode> cannot be passed to C code")'),
        put_back(),
    ),
    Fault(
        "login-module-missing",
        "login-errors",
        SECTION,
        "a module that only a login imports is missing on the second paas host",
        "第二台 paas 缺少只有登录时才导入的模块",
        raising("import a_module_that_is_missing", 1),
        put_back(1),
    ),
    Fault(
        "login-exception-in-login-log",
        "login-errors",
        SECTION,
        "every correct password ends in an exception that only login.log has, on the second paas host",
        "第二台 paas 上每次正确的密码都以异常结束，且只有 login.log 中有该异常",
        raising(LIKE_DJANGO, 1),
        put_back(1),
    ),
    Fault(
        "login-session-store-refused",
        "login-errors",
        SECTION,
        "the session store of login refuses connections on the first paas host",
        "第一台 paas 上 login 的会话存储拒绝连接",
        raising('raise ConnectionError("Error 111 connecting to 10.66.0.51:6380. Connection refused.")'),
        put_back(),
    ),
)
