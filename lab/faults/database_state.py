"""The database answers and accepts the account, and login cannot work with it all the same."""

from __future__ import annotations

import shlex

from lab.control import Lab
from lab.faults.actions import address, host, inner
from lab.faults.data import fresh_connections
from lab.faults.fault import Act, Fault
from lab.services.layout import SECRETS

SECTION = "login-no-response"
ACCOUNT = f"'{SECRETS['MYSQL_USER']}'@'%'"
HOLDER = "lab-lock-holder"


def sql(lab: Lab, statements: str, database: str = "open_paas") -> str:
    """Run statements as root of the database."""
    return lab.run(host(lab, "mysql"), f"mariadb {database} -Ne {shlex.quote(statements)}")


def statement(text: str) -> Act:
    return lambda lab: sql(lab, text)


def repaired(text: str) -> Act:
    """The account is accepted again, also by what keeps its connections."""

    def act(lab: Lab) -> None:
        sql(lab, text)
        fresh_connections(lab)

    return act


def log_in(lab: Lab, number: int = 0, wanted: str = "", url: str = "") -> None:
    """A user sends the login form of one paas host, or that at a URL."""
    name = host(lab, "paas", number)
    url = url or f"http://{inner(lab, name)}:{lab.layout.ports['login']}/"
    user, word = SECRETS["PAAS_ADMIN_USER"], SECRETS["PAAS_ADMIN_PASS"]
    script = (
        f"jar=$(mktemp); form=$(curl -s -m 9 -c $jar {url}); "
        "token=$(printf %s \"$form\" | sed -n \"s/.*csrfmiddlewaretoken' value='\\([^']*\\)'.*/\\1/p\"); "
        f"curl -s -o /dev/null -m 9 -w '%{{http_code}}' -b $jar -d csrfmiddlewaretoken=$token -d username={user} "
        f"-d password={word} {url} || true; rm -f $jar"
    )
    status = lab.run(name, script).strip()
    if wanted and status != wanted:
        raise AssertionError(f"the login answered {status}, not {wanted}")


def regrant(lab: Lab) -> None:
    sql(lab, f"GRANT ALL ON open_paas.* TO {ACCOUNT}")
    tables = sql(lab, "SELECT table_name FROM mysql.tables_priv WHERE db = 'open_paas'", "mysql").split()
    for table in tables:
        sql(lab, f"REVOKE ALL ON open_paas.{table} FROM {ACCOUNT}")
    fresh_connections(lab)


def only_read(lab: Lab) -> None:
    sql(lab, f"REVOKE ALL ON open_paas.* FROM {ACCOUNT}; GRANT SELECT ON open_paas.* TO {ACCOUNT}")


def hide_one_table(lab: Lab) -> None:
    """The rights were given table by table, and one was forgotten."""
    sql(lab, f"REVOKE ALL ON open_paas.* FROM {ACCOUNT}")
    for table in sql(lab, "SHOW TABLES").split():
        if table != "login_bktoken":
            sql(lab, f"GRANT ALL ON open_paas.{table} TO {ACCOUNT}")
    fresh_connections(lab)


def move_table(table: str) -> Act:
    return statement(f"RENAME TABLE {table} TO {table}_moved")


def move_back(table: str) -> Act:
    return statement(f"DROP TABLE IF EXISTS {table}; RENAME TABLE {table}_moved TO {table}")


def empty_users(lab: Lab) -> None:
    sql(lab, "RENAME TABLE bkaccount_bkuser TO bkaccount_bkuser_moved")
    sql(lab, "CREATE TABLE bkaccount_bkuser LIKE bkaccount_bkuser_moved")


def damage_table(lab: Lab) -> None:
    """A file of a table was overwritten."""
    sql(lab, "RENAME TABLE login_bklog TO login_bklog_moved")
    sql(lab, "CREATE TABLE login_bklog LIKE login_bklog_moved; ALTER TABLE login_bklog ENGINE=MyISAM")
    sql(lab, "FLUSH TABLES login_bklog")
    lab.run(host(lab, "mysql"), "head -c 2048 /dev/urandom > /var/lib/mysql/open_paas/login_bklog.MYI")


def hold(statements: str) -> Act:
    """A program holds a lock until it is ended."""

    def act(lab: Lab) -> None:
        command = f"mariadb open_paas -e {shlex.quote(f'{statements}; DO SLEEP(3000)')}"
        lab.run(host(lab, "mysql"), f"exec -a {HOLDER} setsid {command} >/dev/null 2>&1 & sleep 1")

    return act


def release(lab: Lab) -> None:
    ids = sql(
        lab,
        "SELECT id FROM information_schema.PROCESSLIST WHERE info LIKE '%SLEEP(3000)%' AND id <> CONNECTION_ID()",
    )
    for number in ids.split():
        sql(lab, f"KILL {number}")


CROWD = "/run/lab-crowd.pid"
MANY = (
    "import pymysql, time; kept = [pymysql.connect(host='{database}', user='{user}', password='{password}') "
    "for _ in range({count})]; time.sleep(3000)"
)


def crowd(lab: Lab, count: int = 134) -> None:
    """A program keeps all but some of the 151 connections."""
    name, database = host(lab, "paas"), address(lab, host(lab, "mysql"))
    user, password = SECRETS["MYSQL_USER"], SECRETS["MYSQL_PASS"]
    code = MANY.format(database=database, user=user, password=password, count=count)
    python = f"{lab.layout.home}/.envs/login/bin/python"
    lab.run(name, f"setsid {python} -c {shlex.quote(code)} >/dev/null 2>&1 & echo $! > {CROWD}")
    wanted = "SELECT COUNT(*) FROM information_schema.PROCESSLIST"
    lab.wait(lambda: int(sql(lab, wanted)) > count, 30, "the connections are taken")


def disperse(lab: Lab) -> None:
    lab.run(host(lab, "paas"), f"[ ! -e {CROWD} ] || {{ kill $(cat {CROWD}); rm {CROWD}; }}")
    wanted = "SELECT COUNT(*) FROM information_schema.PROCESSLIST"
    lab.wait(lambda: int(sql(lab, wanted)) < 40, 30, "the connections are free")


def fault(
    name: str, condition: str, title_en: str, title_zh: str, break_: Act, heal: Act, section: str = SECTION
) -> Fault:
    return Fault(name, condition, section, title_en, title_zh, break_, heal)


def then_log_in(act: Act) -> Act:
    """The fault, and a user who meets it."""

    def both(lab: Lab) -> None:
        act(lab)
        log_in(lab, 0, "500")

    return both


def use_up_queries(lab: Lab) -> None:
    """An administrator limited the account, and its queries of this hour are used up."""
    sql(lab, f"ALTER USER {ACCOUNT} WITH MAX_QUERIES_PER_HOUR 20")
    for _ in range(8):
        log_in(lab)


KEPT_USERS = "bkaccount_bkuser_kept"


def set_password(stored: str, status: str) -> Act:
    """An operator reset the password of admin in the table, and tries it: the login answers with that status."""

    def act(lab: Lab) -> None:
        user = SECRETS["PAAS_ADMIN_USER"]
        sql(lab, f"CREATE TABLE {KEPT_USERS} AS SELECT username, password FROM bkaccount_bkuser")
        sql(lab, f"UPDATE bkaccount_bkuser SET password = {stored} WHERE username = '{user}'")
        log_in(lab, 0, status)

    return act


def password_as_before(lab: Lab) -> None:
    if KEPT_USERS in sql(lab, "SHOW TABLES").split():
        sql(
            lab,
            f"UPDATE bkaccount_bkuser JOIN {KEPT_USERS} USING (username) SET bkaccount_bkuser.password = "
            f"{KEPT_USERS}.password; DROP TABLE {KEPT_USERS}",
        )


FAULTS = (
    fault(
        "admin-password-plain",
        "password-hashes",
        "the password of admin was set in the table, in plain text",
        "在表中以明文设置了 admin 的密码",
        set_password("'newpass123'", "200"),
        password_as_before,
        "password-reset",
    ),
    fault(
        "admin-password-cut-off",
        "password-hashes",
        "a half of the hash of admin was pasted into the table",
        "在表中只粘贴了 admin 哈希的前一半",
        set_password("SUBSTRING_INDEX(password, '$', 2)", "500"),
        password_as_before,
        "password-reset",
    ),
    fault(
        "database-queries-used-up",
        "database-login",
        "the account has used up its queries of the hour",
        "账号每小时的查询次数已用完",
        use_up_queries,
        repaired(f"ALTER USER {ACCOUNT} WITH MAX_QUERIES_PER_HOUR 0; FLUSH USER_RESOURCES"),
    ),
    fault(
        "database-read-only",
        "database-writable",
        "the database was left read-only after a maintenance",
        "数据库维护后一直处于只读状态",
        then_log_in(statement("SET GLOBAL read_only = 1")),
        statement("SET GLOBAL read_only = 0"),
    ),
    fault(
        "database-transactions-read-only",
        "database-writable",
        "new connections of the database start in read-only transactions",
        "数据库的新连接默认使用只读事务",
        statement("SET GLOBAL tx_read_only = 1"),
        statement("SET GLOBAL tx_read_only = 0"),
    ),
    fault(
        "database-account-only-reads",
        "database-writable",
        "the account of the settings may only read",
        "配置中的账号只有读权限",
        then_log_in(only_read),
        regrant,
    ),
    fault(
        "database-table-without-right",
        "database-writable",
        "the account has rights table by table, that of the tokens was forgotten",
        "按表授权时遗漏了 token 表",
        hide_one_table,
        regrant,
    ),
    *(
        fault(
            f"database-without-{table.replace('_', '-')}",
            "database-tables",
            f"the table {table} does not exist",
            f"表 {table} 不存在",
            move_table(table),
            move_back(table),
        )
        for table in (
            "login_bktoken",
            "django_session",
            "login_bklog",
            "bkaccount_bkuser",
            "esb_channel",
            "engine_servers",
        )
    ),
    fault(
        "database-column-missing",
        "database-tables",
        "an upgrade did not run a migration: a column of the tokens is missing",
        "升级时没有执行迁移：token 表缺少一列",
        statement("ALTER TABLE login_bktoken CHANGE inactive_expire_time old_time INT NOT NULL DEFAULT 0"),
        statement("ALTER TABLE login_bktoken CHANGE old_time inactive_expire_time INT NOT NULL DEFAULT 0"),
    ),
    fault(
        "database-without-users",
        "database-tables",
        "a restore left the table of the users empty",
        "恢复数据后用户表为空",
        empty_users,
        move_back("bkaccount_bkuser"),
    ),
    fault(
        "database-table-damaged",
        "database-tables",
        "the table of the login history is damaged",
        "登录历史表已损坏",
        damage_table,
        move_back("login_bklog"),
    ),
    fault(
        "database-table-locked",
        "database-tables",
        "a program keeps the table of the tokens locked",
        "有程序一直锁着 token 表",
        hold("LOCK TABLES login_bktoken WRITE"),
        release,
    ),
    fault(
        "database-users-locked",
        "database-tables",
        "a session that was forgotten keeps the table of the users locked",
        "被遗忘的会话一直锁着用户表",
        hold("LOCK TABLES bkaccount_bkuser WRITE"),
        release,
    ),
    fault(
        "database-connections-nearly-used",
        "database-connections",
        "programs keep all but a few connections of the database",
        "程序占用了数据库的绝大部分连接",
        crowd,
        disperse,
    ),
    fault(
        "database-password-expired",
        "database-login",
        "the password of the account in the database has expired",
        "数据库账号的密码已过期",
        statement(f"ALTER USER {ACCOUNT} PASSWORD EXPIRE"),
        repaired(f"ALTER USER {ACCOUNT} IDENTIFIED BY '{SECRETS['MYSQL_PASS']}'"),
    ),
    fault(
        "database-account-locked",
        "database-login",
        "the account in the database is locked",
        "数据库账号已被锁定",
        statement(f"ALTER USER {ACCOUNT} ACCOUNT LOCK"),
        repaired(f"ALTER USER {ACCOUNT} ACCOUNT UNLOCK"),
    ),
    fault(
        "database-rights-revoked",
        "database-login",
        "the account has lost all rights in the database",
        "账号失去了该数据库的全部权限",
        statement(f"REVOKE ALL ON open_paas.* FROM {ACCOUNT}"),
        regrant,
    ),
    fault(
        "esb-token-changed",
        "esb-token",
        "the token of bk_paas in the database is not the ESB_TOKEN of the settings",
        "数据库中 bk_paas 的令牌与配置中的 ESB_TOKEN 不同",
        statement(
            "UPDATE esb_app_account SET app_token = CONCAT('old-', app_token) WHERE app_code = 'bk_paas'"
        ),
        statement(
            "UPDATE esb_app_account SET app_token = SUBSTR(app_token, 5)"
            " WHERE app_code = 'bk_paas' AND app_token LIKE 'old-%'"
        ),
    ),
    fault(
        "database-numbers-used-up",
        "database-writable",
        "the table of the tokens has used up the numbers of its INT column",
        "登录令牌表的 INT 自增编号已用完",
        statement("ALTER TABLE login_bktoken AUTO_INCREMENT = 2147483647"),
        statement(
            "DELETE FROM login_bktoken WHERE id = 2147483647; ALTER TABLE login_bktoken AUTO_INCREMENT = 1"
        ),
    ),
    fault(
        "database-tmp-closed",
        "database-writable",
        "/tmp of the host of the database lost its mode 1777",
        "数据库主机的 /tmp 失去了 1777 权限",
        lambda lab: lab.run(host(lab, "mysql"), "chmod 755 /tmp"),
        lambda lab: lab.run(host(lab, "mysql"), "chmod 1777 /tmp"),
    ),
)
