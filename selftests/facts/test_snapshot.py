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
        ("", "is no snapshot"),
        ("{}", "is no snapshot"),
        ('{"schema": 1, "run": 5}', "is no snapshot"),
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
