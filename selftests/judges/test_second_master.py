"""A SaaS that two uwsgi masters run, on edited facts."""

from typing import Any

import pytest

PID, PPID, START, ARGV, EXE, CWD = 0, 1, 3, 6, 7, 9
APP = "bk_framework"


def another(seconds: float, parent: int = 1, app: str = APP, name: str = "uwsgi", pid: int = 7000) -> Any:
    """Add a process of an application to the appo host, older than the collection by so many seconds."""

    def change(snapshot: dict[str, Any]) -> None:
        host = snapshot["hosts"]["appo-1"]
        items = host["processes"]["items"]
        own = next(one for one in items if APP in " ".join(one[ARGV]))
        copy = list(own)
        copy[PID], copy[PPID], copy[START] = pid, parent or own[PID], host["system"]["time"] - seconds
        own[START] = min(own[START], host["system"]["time"] - 100)
        copy[ARGV] = [word.replace(APP, app).replace("bin/uwsgi", f"bin/{name}") for word in own[ARGV]]
        copy[EXE], copy[CWD] = f"/usr/bin/{name}", own[CWD].replace(APP, app)
        items.append(copy)

    return change


@pytest.mark.parametrize(
    ("change", "word", "case"),
    [
        (another(5000), "fail", "second-master"),
        (another(20), "fail", "second-master"),
        (another(3), "pass", None),  # a deployment
        (another(5000, parent=0), "pass", None),  # a worker
        (another(5000, app="other_app"), "pass", None),
        (another(5000, name="celery"), "pass", None),
    ],
)
def test_another_process(judge: Any, change: Any, word: str, case: str | None) -> None:
    verdict = judge("saas-run-state", change)["appo-1"]
    assert (verdict["verdict"], verdict["case"]) == (word, case), verdict["evidence"]
    assert case is None or "kill -KILL 7000" in verdict["remedy"]
