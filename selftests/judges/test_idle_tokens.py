"""The two limits between the clocks of paas hosts on 6.x: tokens of the future, and tokens that look unused."""

from typing import Any

import pytest

OFFSET, IDLE = "BK_TOKEN_OFFSET_ERROR_TIME", "BK_INACTIVE_COOKIE_AGE"
FILE = "/data/bkce/open_paas/login/conf/default.py"


def clocks(ahead: float, tolerated: int = 60, idle: int | None = 7200) -> Any:
    """Put the clock of paas-1 ahead of that of paas-2; idle None: a login without that limit, as on 5.x."""

    def change(snapshot: dict[str, Any]) -> None:
        for name, offset in (("paas-1", ahead), ("paas-2", 0.0)):
            host = snapshot["hosts"][name]
            host["clock"]["offset_seconds"] = offset
            values = host["settings"]["by_project"]["login"]["values"]
            values[OFFSET][3] = tolerated
            if idle is not None:
                values[IDLE] = ["int", FILE, 39, idle, "", None, None]

    return change


@pytest.mark.parametrize(
    ("change", "verdict", "case"),
    [
        (clocks(90.0), "fail", "apart"),
        (clocks(7100.0), "fail", "apart"),
        (clocks(7300.0), "fail", "both-refuse"),
        (clocks(7300.0, idle=None), "fail", "apart"),
        (clocks(9000.0, idle=None, tolerated=86400), "pass", None),
        (clocks(3000.0, tolerated=3600), "pass", None),
        (clocks(9000.0, tolerated=86400), "pass", None),
        (clocks(90000.0, tolerated=86400, idle=600), "fail", "both-refuse"),
    ],
)
def test_both_limits(judge: Any, change: Any, verdict: str, case: str | None) -> None:
    """The second limit is that of the host that is ahead: its own idle age and offset."""
    result = judge("paas-clock-skew", change)["paas-1+paas-2"]
    assert (result["verdict"], result["case"]) == (verdict, case)


def test_only_the_host_that_is_behind_has_a_larger_offset(judge: Any) -> None:
    """Its own limit is raised, but the host that is ahead takes new tokens for unused ones."""

    def change(snapshot: dict[str, Any]) -> None:
        clocks(7300.0)(snapshot)
        snapshot["hosts"]["paas-2"]["settings"]["by_project"]["login"]["values"][OFFSET][3] = 86400

    result = judge("paas-clock-skew", change)["paas-1+paas-2"]
    assert (result["verdict"], result["case"]) == ("fail", "idle")
    assert "7260 s" in result["evidence"]


def test_too_close_to_the_second_limit(judge: Any) -> None:
    """The first limit decides where it is exceeded; without it nothing does."""
    result = judge("paas-clock-skew", clocks(7260.0))["paas-1+paas-2"]
    assert (result["verdict"], result["case"]) == ("fail", "apart")

    def change(snapshot: dict[str, Any]) -> None:
        clocks(7260.0)(snapshot)
        snapshot["hosts"]["paas-2"]["settings"]["by_project"]["login"]["values"][OFFSET][3] = 86400

    assert judge("paas-clock-skew", change)["paas-1+paas-2"]["verdict"] == "no_data"
