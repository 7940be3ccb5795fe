"""The containers of generation 6.2 and later: their states in both rounds, and the services that they run."""

from pathlib import Path

import msgspec
import pytest

from bkpaas.errors import NoData
from bkpaas.facts import HostView
from bkpaas.facts.containers import Containers, container_of, containers
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.snapshot import Snapshot
from bkpaas.facts.systemd import Units

HEALTHY = Path(__file__).parents[1] / "snapshots/healthy.json"
ID = "d0f2b464c7663e161e5ff7343281e2318b191518b99edf21aa2e2456c44a8465"
RUNNING = {
    "Running": True,
    "Paused": False,
    "Restarting": False,
    "OOMKilled": False,
    "Dead": False,
    "Pid": 477,
    "ExitCode": 0,
    "Error": "",
    "StartedAt": "2026-11-28T19:38:02.366527828Z",
    "FinishedAt": "0001-01-01T00:00:00Z",
}
"""As dockerd 20.10 shows a container that runs."""
EXITED = RUNNING | {"Running": False, "Pid": 0, "ExitCode": 137}


def container(name="bk-paas-login", state=RUNNING, **more):
    return {
        "id": ID,
        "name": name,
        "state": state,
        "image": "bk-paas-login:2.14.68",
        "image_id": "sha256:5425",
        "user": "",
        "memory": 536870912,
        "network": "host",
        "restarts": 0,
        "policy": "no",
        "oom_kills": None,
        "binds": [["/data/bkce/etc/uwsgi-open_paas-login.ini", "/data/bkce/etc/uwsgi-open_paas-login.ini", "file"]],
        **more,
    }  # fmt: skip


def answer(*shown, source="socket", reasons=(), error=None):
    return {"shown": {"error": error, "source": source, "containers": list(shown), "reasons": list(reasons)}}


def parsed(first, second=None) -> Containers:
    return containers(first, second, Secrets())


def test_a_container_that_runs():
    one = parsed(answer(container())).by_name["bk-paas-login"]
    assert (one.state, one.pid, one.version, one.memory, one.policy) == (
        "running",
        477,
        "2.14.68",
        536870912,
        "no",
    )
    assert one.binds[0].type == "file" and one.shown == "running" and one.short_id == ID[:12]


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (EXITED, "exited (137)"),
        (EXITED | {"ExitCode": 22}, "exited (22)"),
        (RUNNING | {"Paused": True}, "paused"),
        (RUNNING | {"Restarting": True}, "restarting"),
        (EXITED | {"Dead": True}, "dead"),
        (EXITED | {"StartedAt": "0001-01-01T00:00:00Z"}, "created"),
    ],
)
def test_the_states_are_those_of_docker(state, shown):
    assert parsed(answer(container(state=state))).by_name["bk-paas-login"].shown == shown


def test_no_limit_of_memory_is_not_a_limit_of_0_bytes():
    assert parsed(answer(container(memory=0))).by_name["bk-paas-login"].memory is None


def test_another_first_process_in_round_2_is_a_restart():
    facts = parsed(answer(container()), answer(container(state=RUNNING | {"Pid": 858})))
    assert facts.restarted(facts.by_name["bk-paas-login"])
    facts = parsed(answer(container()), answer(container()))
    assert not facts.restarted(facts.by_name["bk-paas-login"])
    facts = parsed(answer(container()), answer(container(state=EXITED)))
    assert facts.now(facts.by_name["bk-paas-login"]).shown == "exited (137)"


def test_no_docker_differs_from_no_permission():
    gone = [["socket", "gone", "No such file or directory"], ["files", "other", "no containers of docker"]]
    assert parsed(answer(source=None, reasons=gone)).absent
    denied = [["socket", "denied", "Permission denied"], ["files", "denied", "/data: Permission denied"]]
    facts = parsed(answer(source=None, reasons=denied))
    assert not facts.absent and "socket: Permission denied" in str(facts.error)
    assert parsed(answer(source=None, error="timeout")).error == "timeout"


@pytest.mark.parametrize(
    ("group", "id_"),
    [
        (f"/docker/{ID}", ID),
        (f"/system.slice/docker-{ID}.scope", ID),
        ("/system.slice/bk-paas-login.service", None),
        ("/docker/short", None),
        (None, None),
    ],
)
def test_the_control_group_names_the_container(group, id_):
    assert container_of(group) == id_


def on_docker(facts, masters=True):
    """Return a host whose services run in containers: the same masters in other control groups."""
    pids = {one.service: one.pid for one in facts.processes.uwsgi_masters()}
    items = [
        container(f"bk-paas-{name}", RUNNING | {"Pid": pid if masters else 0, "Running": masters})
        for name, pid in pids.items()
    ]
    groups = {str(pid): f"/docker/{ID}" for pid in pids.values()} if masters else {}
    units = Units(booted=True, by_name={}, later={}, groups=groups)
    return msgspec.structs.replace(facts, containers=parsed(answer(*items)), units=units)


@pytest.fixture(scope="module")
def paas():
    return Snapshot.load(HEALTHY).hosts["paas-1"]


def test_the_manager_is_what_runs_the_masters(paas):
    assert HostView(paas).services.manager == "supervisord"
    assert HostView(on_docker(paas)).services.manager == "docker"


def test_services_in_containers_are_services(paas):
    login = [run for run in HostView(on_docker(paas)).services.runs if run.name == "login"]
    docker = [run for run in login if run.manager == "docker"]
    assert [(run.state, run.starts_at_boot) for run in docker] == [("running", False)]
    assert docker[0].pid and docker[0].since and "bk-paas-login" in docker[0].defined_in
    assert "by-hand" not in {run.manager for run in login}


def test_containers_that_could_not_be_read_are_no_data(paas):
    denied = [["socket", "denied", "Permission denied"], ["files", "denied", "no"]]
    facts = msgspec.structs.replace(on_docker(paas), containers=parsed(answer(source=None, reasons=denied)))
    with pytest.raises(NoData, match="Permission denied"):
        _ = HostView(facts).services.runs


def test_a_module_without_a_container_is_not_there(paas):
    facts = on_docker(paas, masters=False)
    left = {name: one for name, one in facts.containers.by_name.items() if name != "bk-paas-esb"}
    facts = msgspec.structs.replace(
        facts,
        containers=msgspec.structs.replace(facts.containers, by_name=left),
        processes=msgspec.structs.replace(facts.processes, items=()),
    )
    assert "esb" not in HostView(facts).services.by_name
    assert "login" in HostView(facts).services.by_name
