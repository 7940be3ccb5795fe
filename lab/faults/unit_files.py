"""Unit files that say something else than the installer wrote, and the application of ESB that they need."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import edit, restore
from lab.faults.database_state import sql
from lab.faults.fault import Act, Fault
from lab.faults.units import (
    LOGIN,
    add_drop_in,
    await_loop,
    heal_login,
    ini,
    paas,
    remove_drop_in,
    start,
    systemctl,
)

SECTION = "fatal-exited-too-quickly"
LOGIN_FILE = f"/usr/lib/systemd/system/{LOGIN}.service"
NO_RESTART = f"/etc/systemd/system/{LOGIN}.service.d/restart.conf"


def start_other_file(lab: Lab) -> None:
    """The unit of login was copied from that of paas: it starts a second paas, which finds the port held."""
    edit(lab, paas(lab), LOGIN_FILE, f"s#{ini(lab)}#{ini(lab, 'paas')}#")
    systemctl(lab, paas(lab), "daemon-reload")
    systemctl(lab, paas(lab), f"restart {LOGIN}")
    await_loop(lab, paas(lab), LOGIN)


def start_own_file(lab: Lab) -> None:
    restore(lab, paas(lab), LOGIN_FILE)
    systemctl(lab, paas(lab), "daemon-reload")
    heal_login(lab)
    start(lab, paas(lab), "paas")  # the second one has removed its pid file


def never_restart(lab: Lab) -> None:
    """Restart=no was set to look at a crash, and stayed."""
    add_drop_in(lab, paas(lab), NO_RESTART, "Restart=no")


def restart_again(lab: Lab) -> None:
    remove_drop_in(lab, paas(lab), NO_RESTART)


def disable_target(lab: Lab) -> None:
    systemctl(lab, paas(lab), "disable bk-paas.target")


def enable_target(lab: Lab) -> None:
    systemctl(lab, paas(lab), "enable bk-paas.target")


def change_token(lab: Lab) -> None:
    """A restored database has another token of bk_paas."""
    sql(lab, "UPDATE esb_app_account SET app_token = CONCAT('old-', app_token) WHERE app_code = 'bk_paas'")


def put_token_back(lab: Lab) -> None:
    sql(
        lab,
        "UPDATE esb_app_account SET app_token = SUBSTR(app_token, 5)"
        " WHERE app_code = 'bk_paas' AND app_token LIKE 'old-%'",
    )


def _fault(name: str, condition: str, en: str, zh: str, break_: Act, heal: Act, faq: str = SECTION) -> Fault:
    return Fault(name, condition, faq, en, zh, break_, heal, layout="e")


FAULTS = [
    _fault("unit-other-ini", "unit-state", "The unit of login starts the uwsgi file of paas", "login 的单元启动了 paas 的 uwsgi 配置文件", start_other_file, start_own_file),
    _fault("unit-never-restarts", "unit-definition", "A drop-in has Restart=no for login", "drop-in 给 login 设置了 Restart=no", never_restart, restart_again),
    _fault("unit-target-disabled", "unit-definition", "bk-paas.target does not start at boot", "bk-paas.target 开机不会启动", disable_target, enable_target),
    _fault("app-token-changed", "esb-token", "The token of bk_paas in the database is not that of the settings of 6.x", "6.x 数据库中 bk_paas 的令牌与配置不同", change_token, put_token_back, "login-no-response"),
]  # fmt: skip
