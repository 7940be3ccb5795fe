"""What only looks like a login that fails, or a database that cannot be used."""

from __future__ import annotations

import time

from lab.control import Lab
from lab.faults.actions import address, edit, gate_url, host, inner, reload_nginx, restart, start_roles
from lab.faults.data import stop_database
from lab.faults.database_state import ACCOUNT, crowd, disperse, log_in, regrant, sql
from lab.faults.gateway import site, site_right
from lab.lookalikes.lookalike import Lookalike

ACCOUNT_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'open_paas'"


def url(lab: Lab, path: str) -> str:
    name = host(lab, "paas")
    return f"http://{inner(lab, name)}:{lab.layout.ports['login']}{path}"


def repaired_read_only(lab: Lab) -> None:
    """A login failed while the database was read-only for a moment; it is not any more."""
    sql(lab, "SET GLOBAL read_only = 1")
    log_in(lab, 0, "500")
    sql(lab, "SET GLOBAL read_only = 0")


def repaired_and_used(lab: Lab) -> None:
    """A table was missing, a login failed; it is back, and a login succeeded."""
    sql(lab, "RENAME TABLE login_bktoken TO login_bktoken_moved")
    log_in(lab, 0, "500")
    sql(lab, "RENAME TABLE login_bktoken_moved TO login_bktoken")
    log_in(lab, 0, "302")


def repaired_in_nginx(lab: Lab) -> None:
    """A login failed since nginx passed another Host; its file was put right, and nginx was reloaded."""
    edit(lab, host(lab, "nginx"), site(lab, "paas"), "/proxy_set_header Host/d")
    reload_nginx(lab, host(lab, "nginx"))
    log_in(lab, 0, "500", gate_url(lab, "/login/?c_url=/platform/"))
    time.sleep(3)  # the log has whole seconds
    site_right(lab)


def repaired_by_restart(lab: Lab) -> None:
    """A login failed; what it needed was repaired, and login was restarted."""
    sql(lab, "RENAME TABLE login_bklog TO login_bklog_moved")
    log_in(lab, 0, "500")
    sql(lab, "RENAME TABLE login_bklog_moved TO login_bklog")
    restart(lab, host(lab, "paas"), "login")


def refused_in_masses(lab: Lab) -> None:
    """A scanner and a client without the CSRF token: hundreds of 403 and 404, no server error."""
    post = f"curl -s -o /dev/null -m 9 -d username=x {url(lab, '/')}"
    get = f"curl -s -o /dev/null -m 9 {url(lab, '/wp-login.php')}"
    lab.run(host(lab, "paas"), f"for i in $(seq 60); do {post}; {get}; done")


def more_tables(lab: Lab) -> None:
    sql(
        lab,
        "CREATE TABLE login_report (id INT); CREATE TABLE bkaccount_old (id INT); ALTER TABLE login_bklog ADD note INT",
    )


def no_more_tables(lab: Lab) -> None:
    sql(
        lab,
        "DROP TABLE IF EXISTS login_report, bkaccount_old; ALTER TABLE login_bklog DROP COLUMN IF EXISTS note",
    )


def rights_by_table(lab: Lab) -> None:
    """The account has exactly what it needs, table by table, and no right to drop."""
    sql(lab, f"REVOKE ALL ON open_paas.* FROM {ACCOUNT}")
    for table in sql(lab, ACCOUNT_TABLES).split():
        sql(lab, f"GRANT SELECT, INSERT, UPDATE, DELETE ON open_paas.{table} TO {ACCOUNT}")


def former_agent(lab: Lab) -> None:
    """A host that was taken out of service is still in the table, not active."""
    sql(
        lab,
        "INSERT INTO engine_servers (name, s_id, token, ip_address, ip_port, app_port, category, is_active) "
        "SELECT 'old', REVERSE(s_id), REVERSE(token), '10.66.0.199', ip_port, app_port, category, 0 "
        f"FROM engine_servers WHERE ip_address = '{address(lab, host(lab, 'appt'))}'",
    )


def without_former_agent(lab: Lab) -> None:
    sql(lab, "DELETE FROM engine_servers WHERE ip_address = '10.66.0.199'")


def many_connections(lab: Lab) -> None:
    crowd(lab, 90)


def restarted_database(lab: Lab) -> None:
    """The database was restarted; esb still has its old connections and reports each once."""
    stop_database(lab)
    start_roles(lab, host(lab, "mysql"))
    lab.run(host(lab, "mysql"), "until mariadb-admin --silent ping; do sleep 0.05; done 2>/dev/null")


STORED = {
    "unusable": "!Yq3x0c8v",
    "external": "",
    "digits": "5f4dcc3b5aa765d61d8327deb882cf99",
    "salted": "sha1$a1b2$2346ad27d7568ba9896f1b7da6b5991251debdf2",
    "unsalted": "md5$$5f4dcc3b5aa765d61d8327deb882cf99",
    "bcrypt": "bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuv",
    "national": "sm3$seed$66c7f0f462eeedd9",
}
"""Passwords by user as Django and its extensions store them."""


def users_of_other_systems(lab: Lab) -> None:
    rows = ", ".join(f"('{name}', '{name}', '{stored}')" for name, stored in STORED.items())
    sql(lab, f"INSERT INTO bkaccount_bkuser (username, chname, password) VALUES {rows}")


def without_users_of_other_systems(lab: Lab) -> None:
    names = ", ".join(f"'{name}'" for name in STORED)
    sql(lab, f"DELETE FROM bkaccount_bkuser WHERE username IN ({names})")


def nothing_left(lab: Lab) -> None:
    sql(lab, "SET GLOBAL read_only = 0")


LOOKALIKES = (
    Lookalike(
        "login-failed-before-repair",
        "a login failed while the database was read-only; it is repaired",
        "数据库只读期间登录失败，现已修复",
        repaired_read_only,
        nothing_left,
    ),
    Lookalike(
        "login-failed-before-reload",
        "a login failed while nginx passed another Host; its file was put right and nginx reloaded",
        "nginx 传递错误的 Host 期间登录失败，配置已修正并重新加载",
        repaired_in_nginx,
        site_right,
    ),
    Lookalike(
        "login-failed-then-worked",
        "a login failed because a table was missing, and works now",
        "缺表时登录失败，之后登录成功",
        repaired_and_used,
        nothing_left,
    ),
    Lookalike(
        "login-failed-before-restart",
        "a login failed before login was repaired and restarted",
        "登录失败后已修复并重启 login",
        repaired_by_restart,
        nothing_left,
    ),
    Lookalike(
        "passwords-of-other-forms",
        "users with hashes of other algorithms, and users that log in elsewhere",
        "使用其他哈希算法的用户，以及在其他系统登录的用户",
        users_of_other_systems,
        without_users_of_other_systems,
    ),
    Lookalike(
        "login-refuses-scanner",
        "a scanner gets many 403 and 404 from login",
        "扫描程序从 login 得到大量 403 和 404",
        refused_in_masses,
        nothing_left,
    ),
    Lookalike(
        "database-has-more",
        "the database has further tables and columns",
        "数据库中有多余的表和列",
        more_tables,
        no_more_tables,
    ),
    Lookalike(
        "database-rights-by-table",
        "the account has its rights table by table",
        "账号按表授权",
        rights_by_table,
        regrant,
    ),
    Lookalike(
        "agent-row-of-former-host",
        "a former host is still in the table of appengine, not active",
        "appengine 表中还有已下线且未激活的主机",
        former_agent,
        without_former_agent,
    ),
    Lookalike(
        "database-connections-half-used",
        "more than half of the connections are taken",
        "数据库连接占用过半",
        many_connections,
        disperse,
    ),
    Lookalike(
        "database-restarted",
        "the database was restarted, esb has old connections",
        "数据库重启过，esb 仍持有旧连接",
        restarted_database,
        nothing_left,
    ),
)
