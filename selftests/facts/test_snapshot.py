"""Snapshots: written private and whole, read again as they were."""

import os
import stat

import msgspec
import pytest
from recorded import first, host, second, visit

from bkpaas.errors import SuiteError
from bkpaas.facts import Missing, Secrets, Snapshot, controller_facts, host_facts
from bkpaas.inventory.deployment import Deployment


def snapshot():
    facts = {"paas-1": host_facts(host(), visit(first(), second()), Secrets())}
    deployment = Deployment(source="inventory", generation="5.x", hosts=(host(),), domain="paas.bk.com")
    return Snapshot(
        run="r1",
        started=1.5,
        suite="1.0.0",
        deployment=deployment,
        hosts=facts,
        controller=controller_facts({}, Secrets()),
    )


def test_there_and_back(tmp_path):
    path = tmp_path / "snapshot.json"
    old = os.umask(0)
    try:
        snapshot().save(path)
    finally:
        os.umask(old)
    again = Snapshot.load(path)
    assert again.hosts["paas-1"].supervisors.by_module["open_paas"].status[0].name == "appengine"
    assert isinstance(again.hosts["paas-1"].nginx, Missing)
    assert again.deployment.host("paas-1").roles == ("paas",) and again.schema == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["snapshot.json"]


def test_an_older_one_is_replaced_and_a_failure_leaves_it(tmp_path, monkeypatch):
    path = tmp_path / "snapshot.json"
    snapshot().save(path)
    before = path.read_bytes()
    monkeypatch.setattr(msgspec.json, "encode", lambda value: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        snapshot().save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["snapshot.json"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a readable snapshot"),
        ("{}", "is not a readable snapshot"),
        ('{"schema": 1, "run": 5}', "is not a readable snapshot"),
        ('{"schema": 1, "suite": "0.0.1", "run": "r"}', "was saved by suite 0.0.1"),
        ('{"schema": 2, "suite": "9.0", "facts": {}}', "was saved by suite 9.0"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_snapshot(tmp_path, text, words):
    path = tmp_path / "x.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SuiteError, match=words):
        Snapshot.load(path)


def test_a_snapshot_of_another_schema(tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(msgspec.json.encode(snapshot()).replace(b'"schema":1', b'"schema":2', 1))
    with pytest.raises(SuiteError, match=r"cannot read.*schema 2"):
        Snapshot.load(path)


def written(path, change):
    """Write a snapshot whose JSON has been changed."""
    value = msgspec.json.decode(msgspec.json.encode(snapshot()))
    change(value)
    path.write_bytes(msgspec.json.encode(value))
    return path


FLAWS = {
    "no host": (lambda v: v["deployment"].update(hosts=[]), "its deployment has no host"),
    "two of one name": (
        lambda v: v["deployment"]["hosts"].append(v["deployment"]["hosts"][0]),
        "two hosts of one name",
    ),
    "facts are absent": (lambda v: v["hosts"].clear(), r"its facts and its deployment differ: paas-1"),
    "facts of an unknown host": (
        lambda v: v["hosts"].update({"paas-9": v["hosts"]["paas-1"]}),
        r"its facts and its deployment differ: paas-9",
    ),
    "facts of another host": (lambda v: v["hosts"]["paas-1"].update(host="paas-9"), "under another name"),
    "the run's time": (lambda v: v.update(started=1e300), "the time of its run is impossible"),
    "the run's time is negative": (lambda v: v.update(started=-1), "the time of its run is impossible"),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_snapshot_that_no_run_has_saved_is_refused(tmp_path, flaw):
    change, words = FLAWS[flaw]
    with pytest.raises(SuiteError, match=words):
        Snapshot.load(written(tmp_path / "x.json", change))


@pytest.mark.parametrize("number", [1e300, -1e300])
def test_an_impossible_time_within_the_facts_is_refused(tmp_path, number):
    def change(value):
        value["hosts"]["paas-1"]["system"]["time"] = number

    with pytest.raises(SuiteError, match=r"cannot read.*hosts"):
        Snapshot.load(written(tmp_path / "x.json", change))


@pytest.mark.parametrize("seconds", [-1, 1e300])
def test_an_impossible_duration_within_the_facts_is_refused(tmp_path, seconds):
    with pytest.raises(SuiteError, match=r"cannot read.*seconds"):
        Snapshot.load(written(tmp_path / "x.json", lambda v: v["hosts"]["paas-1"].update(seconds=seconds)))


def test_a_number_that_is_not_json_is_refused(tmp_path):
    path = written(tmp_path / "x.json", lambda v: v.update(started=12345))
    path.write_bytes(path.read_bytes().replace(b"12345", b"NaN"))
    with pytest.raises(SuiteError, match=r"cannot be read|cannot read|is not a readable snapshot"):
        Snapshot.load(path)
