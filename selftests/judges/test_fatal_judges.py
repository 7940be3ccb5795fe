"""Output of supervisorctl in the shapes of healthy and faulty deployments."""

import pytest


def supervisor(snapshot):
    return snapshot["hosts"]["paas-1"]["supervisors"]["by_module"]["open_paas"]


def grouped(snapshot):
    for status in (supervisor(snapshot)["status"], supervisor(snapshot)["later"]):
        for program in status:
            program["name"] = f"open_paas:{program['name']}"


def several_processes(snapshot):
    for status in (supervisor(snapshot)["status"], supervisor(snapshot)["later"]):
        for program in status:
            program["name"] = f"{program['name']}:{program['name']}_00"


def started_on_demand(snapshot):
    program = {"name": "sync", "command": "/bin/sync.sh", "autostart": False}
    supervisor(snapshot)["programs_in_conf"].append(program)
    shown = {"name": "sync", "state": "STOPPED", "description": "Not started"}
    for status in (supervisor(snapshot)["status"], supervisor(snapshot)["later"]):
        status.append(shown)


def being_started(snapshot, uptime=4):
    first = next(one for one in supervisor(snapshot)["status"] if one["name"] == "login")
    first.update(state="STARTING", pid=None, uptime_seconds=None, description="")
    later = next(one for one in supervisor(snapshot)["later"] if one["name"] == "login")
    later.update(uptime_seconds=uptime)


def always_being_started(snapshot):
    being_started(snapshot, uptime=0)


def service_stopped_on_purpose(snapshot):
    for program in supervisor(snapshot)["programs_in_conf"]:
        program["autostart"] = False
    for status in (supervisor(snapshot)["status"], supervisor(snapshot)["later"]):
        status[0].update(state="STOPPED", pid=None, description="Not started")


def one_of_several_fatal(snapshot):
    several_processes(snapshot)
    more = {"name": "login:login_01", "state": "FATAL", "description": "Exited too quickly"}
    supervisor(snapshot)["status"].append(more)


@pytest.mark.parametrize("change", [grouped, several_processes, started_on_demand, being_started])
def test_programs_that_do_what_they_should(judge, change):
    assert judge("supervisor-status", change)["paas-1"]["verdict"] == "pass"


@pytest.mark.parametrize("change", [always_being_started, service_stopped_on_purpose, one_of_several_fatal])
def test_programs_that_do_not(judge, change):
    assert judge("supervisor-status", change)["paas-1"]["verdict"] == "fail"


def broker(snapshot):
    return next(one for one in snapshot["hosts"]["data-1"]["processes"]["items"] if one[5].startswith("beam"))


def test_a_frozen_broker_does_not_count(judge):
    def freeze(snapshot):
        broker(snapshot)[4] = "T"

    found = judge("rabbit-orphan", freeze)["data-1"]
    assert found["verdict"] == "fail" and "state T" in found["evidence"]
