"""File systems that are full, without inodes, read-only, or filled by removed files that are still open."""

from typing import Any

import pytest

DISK = {
    "path": "/data",
    "bytes": 1000,
    "bytes_available": 500,
    "inodes": 100,
    "inodes_available": 50,
    "readonly": False,
}


def disks(*changes: dict[str, Any]) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        items = [
            dict(DISK, path=f"/data{number}", bytes=1000 + number, **one)
            for number, one in enumerate(changes)
        ]
        for item in items:
            if item.get("holders") == "paas":
                pid = next(
                    one[0]
                    for one in snapshot["hosts"]["paas-1"]["processes"]["items"]
                    if "open_paas-paas.ini" in str(one[6])
                )
                item["holders"] = [{"pid": pid, "bytes": 400, "files": 1}]
        snapshot["hosts"]["paas-1"]["disks"]["items"] = items

    return change


def held(size: int) -> dict[str, Any]:
    return {"bytes_available": 0, "holders": [{"pid": 4711, "bytes": size, "files": 2}]}


CASES = [
    (disks({"bytes_available": 0}), "full", "full", "du -xh"),
    (disks({"inodes_available": 0}), "inodes", "inodes", "du --inodes"),
    (disks({"bytes_available": 0, "readonly": True}), "read-only", None, "remount,rw"),
    (disks({"inodes_available": 0, "readonly": True}), "read-only", None, "remount,rw"),
    (disks(held(400)), "held", "held", "/proc/4711/fd"),
    (disks(held(5)), "full", "full", "du -xh"),
    (disks({"bytes_available": 0, "holders": "paas"}), "held-by-service", "held-by-service", "restart paas"),
    (disks({"bytes_available": 0, "holders": []}), "full", "full", "du -xh"),
    (disks({"bytes_available": 400, "holders": None}), None, None, ""),
]


@pytest.mark.parametrize(("change", "space", "headroom", "command"), CASES)
def test_each_shortage_has_a_remedy_of_its_own(
    record: Any, change: Any, space: str | None, headroom: str | None, command: str
) -> None:
    results = record(change)
    verdicts = {one["id"]: one for one in results["verdicts"]}
    first, second = verdicts["disk-space@paas-1"], verdicts["disk-headroom@paas-1"]
    assert (first["case"], second["case"]) == (space, headroom)
    assert command in (first["remedy"] or "")
    assert "du -x" not in (first["remedy"] or "") or space == "full"
    assert [one["ids"] for one in results["causes"]] == ([["disk-space@paas-1"]] if space else [])


def test_another_file_system_that_is_nearly_full_is_a_cause_of_its_own(record: Any) -> None:
    results = record(disks({"readonly": True}, {"bytes_available": 30}))
    assert {one["ids"][0] for one in results["causes"]} == {"disk-space@paas-1", "disk-headroom@paas-1"}
    results = record(disks({"bytes_available": 0}, {"inodes_available": 0}))
    evidence = next(one["evidence"] for one in results["verdicts"] if one["id"] == "disk-space@paas-1")
    assert "/data0: " in evidence and "/data1: " in evidence
    assert [one["ids"] for one in results["causes"]] == [["disk-space@paas-1"]]


def test_a_file_system_that_cannot_be_read_does_not_hide_a_full_one(judge: Any) -> None:
    broken = {"error": "Permission denied", "bytes": None, "bytes_available": None}
    assert judge("disk-space", disks_with(broken, {"bytes_available": 0}))["paas-1"]["verdict"] == "fail"
    assert judge("disk-space", disks_with(broken, {}))["paas-1"]["verdict"] == "no_data"


def disks_with(broken: dict[str, Any], other: dict[str, Any]) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        items = [dict(DISK, path="/broken") | broken, dict(DISK) | other]
        snapshot["hosts"]["paas-1"]["disks"]["items"] = items

    return change
