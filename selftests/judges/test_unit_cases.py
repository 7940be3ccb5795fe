"""Cases of units of systemd: what ends a service at its start, too little memory, processes that are stopped."""

from __future__ import annotations

from typing import Any

import pytest

from bkpaas.inventory.platform import required_units
from selftests.judges.test_container_cases import in_units

RUNS = {"load": "loaded", "active": "active", "sub": "running", "enabled": "enabled", "restarts": 0}
ETC = "/data/bkce/etc"


def unit(name: str, *rounds: str, **values: Any) -> Any:
    """Change a unit of paas-1, of which all others run, in these rounds or in both."""

    def change(snapshot: dict[str, Any]) -> None:
        in_units(snapshot)
        units = snapshot["hosts"]["paas-1"]["units"]
        for part in ("by_name", "later"):
            units[part] = {one: {"name": one, **RUNS} for one in required_units(("paas",))}
        for part in rounds or ("by_name", "later"):
            units[part][f"{name}.service"] |= values

    return change


def loops(result: str) -> Any:
    ended = {
        "active": "activating",
        "sub": "auto-restart",
        "result": result,
        "exec_code": 2,
        "exec_status": 9,
    }
    return unit("bk-paas-esb", "by_name", **ended)


def exits(status: int, **values: Any) -> Any:
    ended = {"active": "activating", "sub": "auto-restart", "exec_code": 1, "exec_status": status}
    return unit("bk-paas-esb", "by_name", **ended, **values)


def without_file(snapshot: dict[str, Any]) -> None:
    exits(1, ini=f"{ETC}/uwsgi-open_paas-esb.ini")(snapshot)
    del snapshot["hosts"]["paas-1"]["services"]["by_name"]["esb"]


def usermgr(state: str) -> Any:
    """Give paas-1 a usermgr, whose process is in a state."""

    def change(snapshot: dict[str, Any]) -> None:
        unit("bk-paas-login")(snapshot)
        host = snapshot["hosts"]["paas-1"]
        process = host["processes"]["items"][-1]
        pid, process[4] = process[0], state  # the fields of Process in order
        name = "bk-usermgr.service"
        for part in ("by_name", "later"):
            host["units"][part][name] = {"name": name, **RUNS, "pid": pid}

    return change


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (unit("bk-paas-login"), None),
        (exits(126), "not-executable"),
        (exits(127), "no-program"),
        (exits(217), "no-account"),
        (exits(1, ini=f"{ETC}/uwsgi-open_paas-esb.ini"), "exits"),
        (without_file, "no-file"),
        (unit("bk-paas-login", load="masked", active="inactive", sub="dead"), "masked"),
        (usermgr("S"), None),
        (usermgr("T"), "frozen"),
        (unit("bk-paas-login", ini=f"{ETC}/uwsgi-open_paas-login.ini"), None),
        (unit("bk-paas-login", ini=f"{ETC}/own.ini"), None),
        (unit("bk-paas-login", ini=f"{ETC}/uwsgi-open_paas-paas.ini"), "other-file"),
        (loops("signal"), "restarts"),
        (loops("oom-kill"), "memory"),
        (unit("bk-paas-esb", active="failed", sub="failed", result="oom-kill"), "memory"),
        (unit("bk-paas-esb", active="failed", sub="failed", result="signal"), "failed"),
    ],
)
def test_the_state_of_units(judge: Any, change: Any, case: str | None) -> None:
    verdict = judge("unit-state", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail" if case else "pass", case)


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (unit("bk-paas-login", restart="on-failure"), None),
        (unit("bk-paas-login", restart="always"), None),
        (unit("bk-paas-login", restart="no"), "no-restart"),
        (unit("bk-paas-login", restart="no", active="inactive", sub="dead"), None),
        (unit("bk-paas-login", enabled="disabled", restart="no"), "disabled"),
    ],
)
def test_the_definition_of_units(judge: Any, change: Any, case: str | None) -> None:
    verdict = judge("unit-definition", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("warn" if case else "pass", case)
