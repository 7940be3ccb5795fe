"""State, main process and manager of each service."""

from pathlib import Path

import msgspec
import pytest

from bkpaas.errors import NoData
from bkpaas.facts import HostView
from bkpaas.facts.managers import ServiceRun
from bkpaas.facts.missing import Missing
from bkpaas.facts.services import Later
from bkpaas.facts.snapshot import Snapshot
from bkpaas.facts.supervisor import Supervisors

HEALTHY = Path(__file__).parents[1] / "snapshots/healthy.json"
SERVICES = ("paas", "login", "esb", "appengine")


@pytest.fixture(scope="module")
def paas():
    return Snapshot.load(HEALTHY).hosts["paas-1"]


def changed(facts, **line):
    """Return the facts with the line of login in supervisorctl's status changed, in both rounds."""
    supervisor = facts.supervisors.by_module["open_paas"]
    status = tuple(
        msgspec.structs.replace(one, **line) if one.name == "login" else one for one in supervisor.status
    )
    new = msgspec.structs.replace(supervisor, status=status, later=status)
    return msgspec.structs.replace(facts, supervisors=Supervisors(by_module={"open_paas": new}))


def login(facts) -> ServiceRun:
    return HostView(facts).services.run("login")


def test_healthy_services_run_under_supervisord(paas):
    for name in SERVICES:
        run = HostView(paas).services.run(name)
        assert (run.state, run.manager, run.starts_at_boot, run.restarts) == (
            "running",
            "supervisord",
            True,
            0,
        )
        assert run.pid and run.since and run.defined_in.endswith("supervisor-open_paas.conf")


@pytest.mark.parametrize(
    ("word", "state"),
    [("FATAL", "failed"), ("STOPPED", "stopped"), ("BACKOFF", "restarting"), ("STARTING", "starting"), ("ODD", "unknown")],
)  # fmt: skip
def test_states_of_supervisord(paas, word, state):
    assert login(changed(paas, state=word, pid=None)).state == state


def test_another_pid_in_round_2_is_a_restart(paas):
    supervisor = paas.supervisors.by_module["open_paas"]
    later = tuple(
        msgspec.structs.replace(one, pid=1) if one.name == "login" else one for one in supervisor.later
    )
    new = msgspec.structs.replace(supervisor, later=later)
    facts = msgspec.structs.replace(paas, supervisors=Supervisors(by_module={"open_paas": new}))
    assert (login(facts).state, login(facts).restarts) == ("restarting", 1)


def test_a_master_without_supervisor_runs_by_hand(paas):
    facts = msgspec.structs.replace(paas, supervisors=Missing("no file"))
    assert (login(facts).manager, login(facts).state) == ("by-hand", "running")
    pid = str(login(facts).pid)
    ended = msgspec.structs.replace(facts, later=Later(starts={pid: None}))
    assert login(ended).restarts == 1


def test_a_service_without_a_manager_is_absent(paas):
    assert HostView(paas).services.run("console").state == "absent"


def test_the_configuration_raises_no_data(paas):
    facts = msgspec.structs.replace(paas, services=Missing("Permission denied"))
    with pytest.raises(NoData):
        _ = HostView(facts).services.by_name
