"""The running redis and its file, on edited facts."""

from typing import Any

import pytest

PATH = "/data/bkce/etc/redis.conf"
SETTINGS = {"port": "6379", "maxmemory": "0", "maxmemory-policy": "noeviction", "bind": "10.66.0.51"}


def pair(running: dict[str, str] | None = None, refused: str = "", **file: Any) -> Any:
    """Give data-1 a file, and the paas hosts what the running redis reports."""

    def change(snapshot: dict[str, Any]) -> None:
        hosts = snapshot["hosts"]
        targets = hosts["paas-1"]["log_plugins"]["parser"]["targets"]
        password = targets[0]["password"]
        entry = {"file": {"path": PATH, "type": "file"}, "password": password, "settings": SETTINGS, **file}
        hosts["data-1"]["redis_confs"] = {"fact": "RedisConfs", "files": [entry]}
        for name in ("paas-1", "paas-2"):
            values = {"config_file": PATH, "settings": {**SETTINGS, **(running or {})}}
            by_target = {} if refused else {f"conf-of-redis-{server(target)}": values for target in targets}
            hosts[name]["redis_confs"] = {"fact": "RedisConfs", "running": by_target}
            for target in targets if refused else ():
                hosts[name]["redis"]["by_name"][f"redis-{server(target)}"]["replies"] = [refused]

    return change


def server(target: dict[str, Any]) -> str:
    return f"{target['host']}:{target['port']}/{target['db']} {target['password']}"


OTHER = "another-digest"
WRONG = "-WRONGPASS invalid username-password pair"
NEW = {"path": PATH, "type": "file", "mtime": 4e9, "ctime": 4e9}
"""Written after redis was started."""


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (pair(), None),
        (pair(password=OTHER), "edited"),
        (pair(password=None), "edited"),
        (pair(password=OTHER, unknown=["requirepass"]), None),
        (pair(refused=WRONG), "closed"),
        (pair(refused=WRONG, file=NEW), "not-loaded"),
        (pair({"maxmemory": "1048576"}), "settings"),
        (pair({"maxmemory-policy": "allkeys-lru"}), "settings"),
        (pair({"bind": "0.0.0.0"}), "settings"),
        (pair({"maxmemory": "1048576"}, unknown=["maxmemory"]), None),
    ],
)
def test_redis_runs_with_its_file(judge: Any, change: Any, case: str | None) -> None:
    password, settings = judge("redis-password", change)["data-1"], judge("redis-loaded", change)["data-1"]
    wrong = [(one["verdict"], one["case"]) for one in (password, settings) if one["case"]]
    assert wrong == ([("warn" if case == "settings" else "fail", case)] if case else [])
    assert "no_data" not in (password["verdict"], settings["verdict"])


@pytest.mark.parametrize(
    "change",
    [
        pair(file={"path": "/etc/redis/other.conf", "type": "file"}),
        pair(refused="-WRONGPASS invalid username-password pair", password=OTHER),
    ],
)
def test_a_file_that_is_not_known_is_not_judged(judge: Any, change: Any) -> None:
    for condition in ("redis-password", "redis-loaded"):
        assert judge(condition, change)["data-1"]["verdict"] == "not_applicable"


def test_a_redis_without_a_free_connection_does_not_refuse_the_password(judge: Any) -> None:
    change = pair(refused="-ERR max number of clients reached")
    assert judge("redis-password", change)["data-1"]["case"] is None
    assert judge("log-redis-reachable", change)["paas-1"]["case"] == "clients"


def test_a_redis_that_was_not_restarted_is_the_cause_of_its_refusals(record: Any) -> None:
    results = record(pair(refused="-WRONGPASS invalid username-password pair"))
    assert results["causes"][0]["ids"] == ["redis-password@data-1"]
    verdicts = {one["id"]: one for one in results["verdicts"]}
    assert verdicts["log-redis-reachable@paas-1"]["explained_by"] == ["redis-password@data-1"]
