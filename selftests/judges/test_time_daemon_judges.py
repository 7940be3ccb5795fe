"""A time daemon that is missing, follows nothing, or follows its own host, and limits of app hosts that differ."""

from typing import Any

import pytest


def daemon(**values: Any) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        own = {"fact": "TimeDaemon", "daemon": "chronyd", "pid": 31, "synchronised": False, "source": None}
        snapshot["hosts"]["paas-1"]["time_daemon"] = own | values

    return change


@pytest.mark.parametrize(
    ("values", "case", "words"),
    [
        ({"daemon": None, "pid": None}, "not-running", "yum install -y chrony"),
        ({}, "not-synchronised", "It runs already (pid 31)"),
        ({"source": "7F7F0101"}, "own-clock", "systemctl restart chronyd"),
        ({"daemon": "ntpd"}, "ntpd-not-synchronised", "ntpq -pn"),
        ({"daemon": "ntpd", "source": "127.127.1.0"}, "own-clock", "systemctl restart ntpd"),
        ({"synchronised": True, "source": "10.0.0.1"}, None, ""),
    ],
)
def test_remedies_name_the_state_of_the_daemon(judge: Any, values: Any, case: str | None, words: str) -> None:
    verdict = judge("time-daemon", daemon(**values))["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (("warn", case) if case else ("pass", None))
    remedy = verdict["remedy"] or ""
    assert words in remedy and ("enable --now" in remedy) == (case == "not-running")


def limits(appo: dict[str, Any], appt: dict[str, Any]) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        for name, values in (("appo-1", appo), ("appt-1", appt)):
            limit = snapshot["hosts"][name]["agent"]["config"]["execute_time_limit"]
            limit.update({"text": str(values.get("seconds", 300))} | values)

    return change


@pytest.mark.parametrize(
    ("appo", "appt", "cases"),
    [
        ({"earlier": [4]}, {}, ("repeated", None)),
        ({"earlier": [4], "seconds": 200}, {}, ("repeated", None)),
        ({"seconds": 200}, {"seconds": 250}, ("undecided", "undecided")),
        ({"seconds": 200}, {}, ("differs", None)),
        ({"seconds": 200}, {"seconds": 200}, (None, None)),
    ],
)
def test_limits_of_two_app_hosts(judge: Any, appo: Any, appt: Any, cases: Any) -> None:
    verdicts = judge("deploy-timeout-agents-equal", limits(appo, appt))
    assert tuple(verdicts[name]["case"] for name in ("appo-1", "appt-1")) == cases
    if "undecided" in cases:
        assert "200 (appo-1); 250 (appt-1)" in verdicts["appo-1"]["remedy"]
