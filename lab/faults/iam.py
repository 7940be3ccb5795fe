"""Faults of bkiam, which every page of the developer center of 6.x asks: all healthz of open_paas stay green."""

from __future__ import annotations

from functools import partial

from lab.control import Lab
from lab.faults.actions import address, await_http, edit, host, restore
from lab.faults.browser_session import open_platform
from lab.faults.fault import Act, Fault
from lab.faults.units import signal_unit, start_unit, stop_unit, systemctl

UNIT = "bk-iam"
SECTION = "platform-healthy"


def conf(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/iam.conf"


def restart(lab: Lab) -> None:
    name = host(lab, "iam")
    systemctl(lab, name, f"restart {UNIT}")
    await_http(lab, name, f"http://{address(lab, name)}:{lab.layout.ports['iam']}/ping", "200")


def await_page(lab: Lab, *statuses: str) -> None:
    """Open the platform on the first paas host as a user who has logged in, until it answers like that."""
    name = host(lab, "paas")
    lab.wait(lambda: open_platform(lab, name, name) in statuses, 60, f"/platform/ answers {statuses}")


def change_secret(lab: Lab) -> None:
    """bkiam has another secret of the application bk_paas than paas."""
    edit(lab, host(lab, "iam"), conf(lab), "s/^secret = .*/secret = 0b1f6a52-another-secret/")
    restart(lab)
    await_page(lab, "500")


def change_database(lab: Lab) -> None:
    """bkiam has the wrong port of its database: it runs, and refuses everything."""
    edit(lab, host(lab, "iam"), conf(lab), "/^\\[database\\]/,$ s/^port = .*/port = 3307/")
    restart(lab)


def restore_conf(lab: Lab) -> None:
    restore(lab, host(lab, "iam"), conf(lab))
    restart(lab)


def send(signal: str, lab: Lab) -> None:
    signal_unit(lab, host(lab, "iam"), UNIT, signal)


def _fault(name: str, condition: str, en: str, zh: str, break_: Act, heal: Act, layout: str = "e") -> Fault:
    return Fault(name, condition, SECTION, en, zh, break_, heal, layout=layout)


FAULTS = [
    _fault("iam-stopped", "unit-state", "bkiam was stopped", "bkiam 被停止", stop_unit("iam", UNIT), start_unit("iam", UNIT)),
    _fault("iam-refuses", "iam-answers", "bkiam has another secret of the application bk_paas", "bkiam 中应用 bk_paas 的密钥不同", change_secret, restore_conf),
    _fault("iam-database-wrong", "iam-answers", "bkiam has the wrong port of its database", "bkiam 的数据库端口有误", change_database, restore_conf),
    _fault("iam-hangs", "unit-state", "bkiam hangs under an active unit", "bkiam 卡死，而单元为 active", partial(send, "STOP"), partial(send, "CONT")),
    _fault("docker-iam-database-wrong", "iam-answers", "bkiam has the wrong port of its database, paas runs in a container", "bkiam 的数据库端口有误，paas 在容器中运行", change_database, restore_conf, "f"),
]  # fmt: skip
