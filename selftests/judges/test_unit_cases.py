"""Cases of units of systemd: the file of another service, too little memory, no start after a crash."""

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


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (unit("bk-paas-login"), None),
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
