"""Programs that do not run because they are not there: the remedy is not to start them."""

from typing import Any


def gone(snapshot: dict[str, Any], host: str, ending: str) -> str:
    paths = snapshot["hosts"][host]["startup"]["paths"]
    (path,) = [one for one in paths if one.endswith(ending)]
    paths[path].update(type="missing", mode=None)
    return str(path)


def stop(snapshot: dict[str, Any], name: str) -> None:
    supervisor = snapshot["hosts"]["paas-1"]["supervisors"]["by_module"]["open_paas"]
    for lines in (supervisor["status"], supervisor["later"]):
        for line in lines or ():
            if line["name"] == name:
                line.update(state="FATAL", description="Exited too quickly", pid=None)


def test_a_service_without_its_program(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        stop(snapshot, "esb")
        gone(snapshot, "paas-1", "/.envs/esb/bin/uwsgi")

    verdict = judge("supervisor-status", change)["paas-1"]
    assert verdict["case"] == "not-installed"
    assert "/.envs/esb/bin/uwsgi does not exist" in verdict["evidence"] and "start esb" in verdict["remedy"]
    assert (
        judge("supervisor-status", lambda snapshot: stop(snapshot, "esb"))["paas-1"]["case"] == "not-running"
    )


def test_an_agent_without_its_program(judge: Any) -> None:
    def stopped(snapshot: dict[str, Any]) -> None:
        host = snapshot["hosts"]["appo-1"]
        items = host["processes"]["items"]
        host["processes"]["items"] = [
            one for one in items if "paas_agent/bin/paas_agent" not in " ".join(one[6])
        ]
        answer = host["answers"]["by_name"]["agent-healthz"]
        answer.update(status=None, error_kind="refused", error_text="refused")

    def change(snapshot: dict[str, Any]) -> None:
        stopped(snapshot)
        gone(snapshot, "appo-1", "paas_agent/bin/paas_agent")

    assert judge("agent-process", change)["appo-1"]["case"] == "not-installed"
    assert judge("agent-process", stopped)["appo-1"]["case"] == "not-running"
