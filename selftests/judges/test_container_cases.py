"""Each case of the conditions about containers, on hosts of the lab whose services are put into containers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

ID = "d0f2b464c7663e161e5ff7343281e2318b191518b99edf21aa2e2456c44a8465"
SERVICES = ("appengine", "paas", "esb", "login")
INI = "/data/bkce/etc/uwsgi-open_paas-login.ini"
LIMIT = 512 << 20
Change = Callable[[dict[str, Any]], None]


def masters(host: dict[str, Any]) -> dict[str, int]:
    """Return the pid of the master of each service, from the fields of a process in a snapshot."""
    items, pids = host["processes"]["items"], {}
    for one in items:
        words = " ".join(one[6])
        for service in SERVICES:
            if f"uwsgi-open_paas-{service}.ini" in words and "uwsgi" in one[6][0]:
                pids.setdefault(service, one[0])
    return pids


HOME = "/data/bkce"
SHARED = (f"{HOME}/open_paas", f"{HOME}/logs/open_paas")


def binds(service: str, *directories: str) -> list[dict[str, str]]:
    """Return the bind mounts of a container as the installer creates it, or with these directories only."""
    file = f"{HOME}/etc/uwsgi-open_paas-{service}.ini"
    mounts = [(file, "file"), *((path, "dir") for path in directories or SHARED)]
    return [{"source": path, "destination": path, "type": type_} for path, type_ in mounts]


def moved(path: str, source: str) -> list[dict[str, str]]:
    """Return the bind mounts of login with another source for a path."""
    destination = f"{HOME}/{path}"
    return [{**one, "source": source} if one["destination"] == destination else one for one in binds("login")]


def in_containers(snapshot: dict[str, Any], *names: str) -> None:
    """Make the services of these paas hosts run in containers, as in generation 6.2."""
    snapshot["deployment"]["generation"] = "6.x"
    for name in names or ("paas-1", "paas-2"):
        host = snapshot["hosts"][name]
        pids, items = masters(host), host["processes"]["items"]
        host["processes"]["items"] = [one for one in items if "supervisord" not in " ".join(one[6])]
        by_name = {
            f"bk-paas-{service}": {
                "name": f"bk-paas-{service}", "id": ID, "state": "running", "pid": pid, "memory": LIMIT,
                "image": f"bk-paas-{service}:2.14.68", "policy": "no", "network": "host",
                "binds": binds(service),
            }
            for service, pid in pids.items()
        }  # fmt: skip
        host["containers"] = {"fact": "Containers", "by_name": by_name, "source": "socket"}
        host["containers"]["later"] = copy.deepcopy(by_name)
        groups = {str(pid): f"/docker/{ID}" for pid in pids.values()}
        host["units"] = {"fact": "Units", "by_name": {}, "booted": True, "later": {}, "groups": groups}


def in_units(snapshot: dict[str, Any], *names: str) -> None:
    """Make systemd run the services of these paas hosts, as in generation 6.0."""
    snapshot["deployment"]["generation"] = "6.x"
    for name in names or ("paas-1", "paas-2"):
        host = snapshot["hosts"][name]
        pids = masters(host)
        groups = {str(pid): f"/system.slice/bk-paas-{service}.service" for service, pid in pids.items()}
        host["units"] = {"fact": "Units", "by_name": {}, "booted": True, "later": {}, "groups": groups}


def login(*later: str, host: str = "paas-1", **values: Any) -> Change:
    """Change the container of login, in round 2 only if `later` says so."""

    def change(snapshot: dict[str, Any]) -> None:
        in_containers(snapshot)
        containers = snapshot["hosts"][host]["containers"]
        for part in later or ("by_name", "later"):
            containers[part]["bk-paas-login"] |= values

    return change


def removed(snapshot: dict[str, Any]) -> None:
    in_containers(snapshot)
    containers = snapshot["hosts"]["paas-1"]["containers"]
    for part in ("by_name", "later"):
        del containers[part]["bk-paas-login"]


def of_other_project(snapshot: dict[str, Any]) -> None:
    """install.config gives paas-1 the other three projects only."""
    removed(snapshot)
    for host in snapshot["deployment"]["hosts"]:
        if host["name"] == "paas-1":
            host["projects"] = ["appengine", "esb", "paas"]


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (in_containers, None),
        (login(state="exited", pid=0, exit_code=22), "application"),
        (login(state="exited", pid=0, exit_code=137, oom_killed=True), "out-of-memory"),
        (login(state="exited", pid=0, exit_code=137), "killed"),
        (login(state="exited", pid=0, exit_code=1), "exits"),
        (login(state="created", pid=0), "exits"),
        (login(state="paused"), "paused"),
        (login("later", pid=4242), "restarts"),
        (removed, "not-created"),
        (of_other_project, None),
    ],
)
def test_the_state_of_containers(judge: Any, change: Change, case: str | None) -> None:
    verdict = judge("container-state", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))
    if case:
        assert (
            "docker ps -a --filter name=bk-" in verdict["remedy"] and "supervisorctl" not in verdict["remedy"]
        )


def by_hand(snapshot: dict[str, Any]) -> None:
    in_containers(snapshot)
    host = snapshot["hosts"]["paas-1"]
    pid = masters(host)["login"]
    host["units"]["groups"][str(pid)] = "/user.slice/user-0.slice/session-1.scope"
    for part in ("by_name", "later"):
        host["containers"][part]["bk-paas-login"] |= {"state": "exited", "pid": 0, "exit_code": 1}


def test_a_uwsgi_that_was_started_by_hand(judge: Any) -> None:
    verdict = judge("container-processes", by_hand)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "outside")
    assert judge("container-processes", in_containers)["paas-1"]["verdict"] == "pass"


def in_a_copy(snapshot: dict[str, Any], name: str | None = "bk-paas-login-old") -> None:
    """login's uwsgi runs in another container, whose name is bk-* or was not asked for; its own has ended."""
    in_containers(snapshot)
    host = snapshot["hosts"]["paas-1"]
    pid, id_ = masters(host)["login"], "e" * 64
    host["units"]["groups"][str(pid)] = f"/docker/{id_}"
    for part in ("by_name", "later"):
        containers = host["containers"][part]
        if name:
            containers[name] = containers["bk-paas-login"] | {"name": name, "id": id_}
        containers["bk-paas-login"] |= {"state": "exited", "pid": 0, "exit_code": 1}


@pytest.mark.parametrize(("name", "shown"), [("bk-paas-login-old", "bk-paas-login-old"), (None, "e" * 12)])
def test_a_second_container_of_a_service(judge: Any, name: str | None, shown: str) -> None:
    verdict = judge("container-processes", lambda snapshot: in_a_copy(snapshot, name))["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "copy")
    assert f"docker stop {shown}" in verdict["remedy"] and "docker start bk-paas-login" in verdict["remedy"]


def bound(**values: str) -> Change:
    return login(binds=[*binds("login")[1:], {"source": INI, "destination": INI, **values}])


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (bound(type="dir"), "directory"),
        (bound(type="missing"), "gone"),
        (bound(type="file"), None),
        (login(binds=binds("login", SHARED[0])), "no-mount"),
        (login(binds=binds("login", HOME)), None),
        (login(binds=binds("esb")), "no-mount"),
        (login(network="bridge"), "network"),
        (login(network="default"), "network"),
        (login(binds=moved("open_paas", f"{HOME}/open_paas.before")), "other-source"),
        (login(binds=moved("etc/uwsgi-open_paas-login.ini", "/root/login.ini")), "other-source"),
        (login(binds=moved("logs/open_paas", "/data1/logs")), None),
    ],
)
def test_the_sources_of_bind_mounts(judge: Any, change: Change, case: str | None) -> None:
    verdict = judge("container-definition", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


def test_a_network_that_was_not_read(judge: Any) -> None:
    assert judge("container-definition", login(network=""))["paas-1"]["verdict"] == "no_data"


def test_the_home_of_a_container_need_not_be_that_of_the_host(judge: Any) -> None:
    """Enterprise hosts have /data/bkee, which the installer mounts at /data/bkce."""

    def change(snapshot: dict[str, Any]) -> None:
        in_containers(snapshot)
        host = snapshot["hosts"]["paas-1"]
        host["system"]["home"] = "/data/bkee"
        for container in host["containers"]["by_name"].values():
            for bind in container["binds"]:
                bind["source"] = bind["source"].replace("/data/bkce", "/data/bkee")

    assert judge("container-definition", change)["paas-1"]["verdict"] == "pass"


def workers_killed(limit: int | None, number: int, signal: int = 9) -> Change:
    def change(snapshot: dict[str, Any]) -> None:
        login(memory=limit)(snapshot)
        host = snapshot["hosts"]["paas-1"]
        host["logs"]["worker_deaths"] = [["login", host["system"]["time"] - 60, signal, "x"]] * number

    return change


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (login(oom_kills=2), "killed"),
        (login(oom_killed=True), "killed"),
        (login(oom_kills=0), None),
        (workers_killed(96 << 20, 2), "workers"),
        (workers_killed(96 << 20, 1), None),
        (workers_killed(None, 5), None),
        (workers_killed(96 << 20, 5, signal=15), None),
    ],
)
def test_the_memory_of_containers(judge: Any, change: Change, case: str | None) -> None:
    verdict = judge("container-memory", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (in_containers, None),
        (login(image="bk-paas-login:2.14.60"), "image"),
        (login(user="10000"), "user"),
        (login(memory=LIMIT // 4), "memory"),
    ],
)
def test_containers_of_two_hosts(judge: Any, change: Change, case: str | None) -> None:
    verdict = judge("containers-equal", change)["paas-1+paas-2"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


def half_way(snapshot: dict[str, Any]) -> None:
    """paas-2 runs under supervisord still."""
    in_containers(snapshot, "paas-1")
    absent = {"fact": "Containers", "by_name": {}, "later": {}, "absent": True}
    snapshot["hosts"]["paas-2"]["containers"] = absent


def twice(snapshot: dict[str, Any]) -> None:
    """One service of paas-1 was not brought into its container."""
    in_containers(snapshot)
    host = snapshot["hosts"]["paas-1"]
    host["units"]["groups"][str(masters(host)["login"])] = "/system.slice/bk-paas-login.service"


@pytest.mark.parametrize(
    ("change", "case"), [(in_containers, None), (half_way, "hosts"), (twice, "one-host")]
)
def test_hosts_of_several_generations(judge: Any, change: Change, case: str | None) -> None:
    verdict = judge("generation-mixed", change)["controller"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


def of_5(snapshot: dict[str, Any]) -> None:
    """The inventory was not renewed: it is of 5.x, and an upgrade has put paas-1 into containers."""
    in_containers(snapshot, "paas-1")
    snapshot["deployment"]["generation"] = "5.x"


def all_of_6(snapshot: dict[str, Any]) -> None:
    in_containers(snapshot)
    snapshot["deployment"]["generation"] = "5.x"


def all_of_5(snapshot: dict[str, Any]) -> None:
    snapshot["deployment"]["generation"] = "6.x"


def test_an_inventory_of_5_has_hosts_of_6(judge: Any) -> None:
    def stopped(snapshot: dict[str, Any]) -> None:
        of_5(snapshot)
        for containers in ("by_name", "later"):
            container = snapshot["hosts"]["paas-1"]["containers"][containers]["bk-paas-login"]
            container |= {"state": "exited", "pid": 0, "exit_code": 137}

    verdicts = judge("container-state", stopped)
    assert (verdicts["paas-1"]["verdict"], verdicts["paas-2"]["verdict"]) == ("fail", "not_applicable")
    assert "docker" in verdicts["paas-1"]["remedy"]
    for id_ in ("supervisor-proc", "supervisor-status"):
        words = {name: one["verdict"] for name, one in judge(id_, of_5).items()}
        assert words["paas-1"] == "not_applicable" and words["paas-2"] == "pass"
    mixed = judge("generation-mixed", stopped)["controller"]
    assert (mixed["verdict"], mixed["case"]) == ("fail", "hosts")


@pytest.mark.parametrize("change", [all_of_6, all_of_5])
def test_an_inventory_of_another_generation(judge: Any, change: Change) -> None:
    verdict = judge("generation-mixed", change)["controller"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "inventory")
    assert "install.config" in verdict["remedy"]


def test_units_that_an_upgrade_has_left(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        in_containers(snapshot)
        unit = {"name": "bk-paas-login.service", "load": "loaded", "active": "active", "sub": "running"}
        snapshot["hosts"]["paas-1"]["units"]["by_name"] = {"bk-paas-login.service": unit}

    verdict = judge("process-manager", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "units-left")
    assert judge("process-manager", in_containers)["paas-1"]["verdict"] == "pass"


def test_without_containers_these_conditions_have_nothing_to_judge(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        snapshot["deployment"]["generation"] = "6.x"
        for host in ("paas-1", "paas-2"):
            absent = {"fact": "Containers", "by_name": {}, "later": {}, "absent": True}
            snapshot["hosts"][host]["containers"] = absent

    for id_ in ("container-state", "container-processes", "container-definition", "container-memory"):
        assert judge(id_, change)["paas-1"]["verdict"] == "not_applicable"


def test_containers_that_could_not_be_read_are_no_data(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        in_containers(snapshot)
        denied = {"fact": "Containers", "by_name": {}, "later": {}, "error": "socket: Permission denied"}
        snapshot["hosts"]["paas-1"]["containers"] = denied

    verdict = judge("container-state", change)["paas-1"]
    assert verdict["verdict"] == "no_data" and "Permission denied" in verdict["reason"]


def test_remedies_of_other_conditions_name_docker(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        in_containers(snapshot)
        answers = snapshot["hosts"]["paas-1"]["answers"]["by_name"]
        answers["answer-login"] |= {"status": 500}

    remedy = judge("services-answer", change)["paas-1"]["remedy"]
    assert "docker restart bk-paas-login" in remedy and "supervisorctl" not in remedy


@pytest.mark.parametrize(
    "id_", ["login-settings-equal", "login-secret-equal", "deploy-timeout-consistent", "containers-equal"]
)
def test_hosts_of_two_generations_are_not_compared(judge: Any, id_: str) -> None:
    verdict = judge(id_, half_way)["paas-1+paas-2"]
    assert verdict["verdict"] == "not_applicable" and "generation-mixed" in verdict["reason"]


def test_each_host_is_judged_by_its_own_generation(judge: Any) -> None:
    for id_ in ("supervisor-proc", "supervisor-sock", "supervisor-status", "uwsgi-orphans"):
        verdicts = judge(id_, half_way)
        assert verdicts["paas-2"]["verdict"] == "pass"
        assert verdicts["paas-1"]["verdict"] == "not_applicable" and "docker" in verdicts["paas-1"]["reason"]
    verdicts = judge("container-state", half_way)
    assert (verdicts["paas-1"]["verdict"], verdicts["paas-2"]["verdict"]) == ("pass", "not_applicable")
