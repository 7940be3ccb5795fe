"""Rows of appengine that are not those of the app hosts."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import address, edit, host, restore
from lab.faults.database_state import sql
from lab.faults.deploying import agent_file, restart_agent
from lab.faults.fault import Act, Fault

SECTION = "appt-502"
KEPT = "engine_servers_kept"


def change(assignment: str) -> Act:
    """Change the row of the test host."""

    def act(lab: Lab) -> None:
        sql(lab, f"CREATE TABLE IF NOT EXISTS {KEPT} AS SELECT * FROM engine_servers")
        sql(
            lab,
            f"UPDATE engine_servers SET {assignment} WHERE ip_address = '{address(lab, host(lab, 'appt'))}'",
        )

    return act


def remove(lab: Lab) -> None:
    change("is_active = is_active")(lab)
    sql(lab, f"DELETE FROM engine_servers WHERE ip_address = '{address(lab, host(lab, 'appt'))}'")


def put_back(lab: Lab) -> None:
    if KEPT in sql(lab, "SHOW TABLES").split():
        sql(
            lab,
            f"DELETE FROM engine_servers; INSERT INTO engine_servers SELECT * FROM {KEPT}; DROP TABLE {KEPT}",
        )


def renew_token(lab: Lab) -> None:
    change("token = CONCAT('aaaa', SUBSTR(token, 5))")(lab)
    edit(lab, host(lab, "appt"), agent_file(lab), "s/^\\( *token: .\\)..../\\1aaaa/")


def token_with_blank(lab: Lab) -> None:
    edit(lab, host(lab, "appt"), agent_file(lab), "s/^\\( *token: '[^']*\\)'/\\1 '/")
    restart_agent(lab)


def token_as_before(lab: Lab) -> None:
    put_back(lab)
    restore(lab, host(lab, "appt"), agent_file(lab))
    restart_agent(lab)


def fault(name: str, title_en: str, title_zh: str, break_: Act) -> Fault:
    return Fault(name, "agent-registered", SECTION, title_en, title_zh, break_, put_back)


FAULTS = (
    fault(
        "agent-row-inactive",
        "the test host was deactivated in appengine",
        "appengine 中停用了测试机",
        change("is_active = 0"),
    ),
    fault(
        "agent-row-missing",
        "the test host is not registered in appengine",
        "appengine 中没有登记测试机",
        remove,
    ),
    fault(
        "agent-row-other-address",
        "the test host is registered with its former address, which is not active",
        "测试机登记的是旧地址且未激活",
        change("ip_address = '10.66.0.142', is_active = 0"),
    ),
    fault(
        "agent-row-other-port",
        "the test host is registered with another port",
        "测试机登记的端口不一致",
        change("ip_port = '4246'"),
    ),
    Fault(
        "agent-token-not-loaded",
        "agent-registered",
        SECTION,
        "the token of the test host was renewed in appengine and in the file, and the agent was not restarted",
        "测试机的 token 在 appengine 和文件中都已更换，agent 没有重启",
        renew_token,
        token_as_before,
    ),
    Fault(
        "agent-token-blank",
        "agent-registered",
        SECTION,
        "the token in the file of paas_agent on the appt host ends with a blank",
        "appt 主机 paas_agent 配置中的 token 末尾多一个空格",
        token_with_blank,
        token_as_before,
    ),
    fault(
        "agent-row-other-token",
        "the token of the test host in appengine is not that of its agent",
        "appengine 中测试机的 token 与 agent 不一致",
        change("token = REVERSE(token)"),
    ),
    fault(
        "agent-row-other-category",
        "the test host is registered as a production host",
        "测试机登记成了正式机",
        change("category = 'app'"),
    ),
)
