"""Where paas_agent puts the applications."""

from typing import Any

import pytest


def changed(part: str | None, uid: int = 0, **values: Any) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        host = snapshot["hosts"]["appo-1"]
        base = host["agent"]["config"]["base_app_path"]
        for process in host["processes"]["items"]:
            if process[5] == "paas_agent":
                process[2] = uid
        if part is not None:
            host["startup"]["paths"][base + part].update(values)

    return change


@pytest.mark.parametrize(
    ("change", "word", "case"),
    [
        (changed(None), "pass", None),
        (changed("", type="missing", mode=None), "fail", "missing"),
        (changed("", type="symlink", mode=None), "fail", "missing"),
        (changed("", type="file"), "fail", "not-a-directory"),
        (changed("/apps", type="missing", mode=None), "pass", None),
        (changed("/apps", uid=500, mode=0o755), "fail", "no-access"),
        (changed("/apps", uid=0, mode=0o755), "pass", None),
        (changed("/apps", error="Permission denied", mode=None, type="other"), "no_data", None),
    ],
)
def test_the_directory_of_applications(judge: Any, change: Any, word: str, case: str | None) -> None:
    verdict = judge("agent-app-path", change)["appo-1"]
    assert (verdict["verdict"], verdict["case"]) == (word, case)


def test_a_path_that_is_not_absolute(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        snapshot["hosts"]["appo-1"]["agent"]["config"]["base_app_path"] = "paas_agent"

    assert judge("agent-app-path", change)["appo-1"]["case"] == "relative"
