"""--explain, --bundle and the versions that a run met."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import msgspec
import pytest

from bkpaas.facts import Snapshot
from bkpaas.plugin.explanation import explain, explain_record
from bkpaas.plugin.proved import platform_versions
from bkpaas.record import Results, read_json
from bkpaas.runs import bundle
from bkpaas.runs.anonymous import names_of, replaced
from selftests.snapshots.edited import HEALTHY
from selftests.suite.in_process import record

ROOT = Path(__file__).parents[2]


def open_socket(snapshot):
    snapshot["hosts"]["paas-1"]["supervisors"]["by_module"]["open_paas"]["socket"]["mode"] = 0o777


def test_a_verdict_is_explained_from_the_record_in_both_languages(run, changed):
    done = run("-k", "supervisor-sock", snapshot=changed(open_socket))
    english = run("--explain", "supervisor-sock@paas-1", snapshot=None, report=done.directory.name)
    text = " ".join(english.out.split())
    assert english.exit == 0
    for part in ("supervisor-sock@paas-1: fail", "What was read", "It fails if", "srwxrwxrwx", "paas-1 (10."):
        assert part in text
    chinese = run("--explain=supervisor-sock@paas-1", "--lang=zh", snapshot=None, report=done.directory.name)
    assert "读取了什么" in chinese.out and "What was read" not in chinese.out
    with pytest.raises(pytest.UsageError, match="supervisor-sock@paas-2"):
        explain_record(done.directory / "results.json", "supervisor-sock", 80)
    with pytest.raises(pytest.UsageError, match="did you mean supervisor-sock@paas-1"):
        explain_record(done.directory / "results.json", "supervisor-sok@paas-1", 80)


def test_a_snapshot_is_checked_and_then_explained(run):
    limit = run("--explain=paas-clock-skew@paas-1+paas-2", "--only=paas-clock-skew")
    assert limit.exit == 0 and "clock_uncertainty_seconds = 2" in limit.out
    assert "Nothing of what makes it fail was seen." in limit.out
    facts = limit.out.partition("The facts that it read")[2]
    assert "hosts.paas-1.clock" in facts and '"offset_seconds"' in facts and "hosts.paas-2.settings" in facts
    assert "hosts.paas-1.disks" not in facts


def test_modes_of_files_are_octal(run):
    done = run("--only=supervisor-sock@paas-1")
    read = {"hosts.paas-1.files": [{"path": "/x", "mode": 0o644, "size": 420}]}
    text = "\n".join(explain(read_json(done.directory / "results.json"), "supervisor-sock@paas-1", 80, read))
    assert '"mode": "0644"' in text and '"size": 420' in text


@pytest.mark.parametrize("file", ["healthy.json", "healthy-b.json"])
def test_a_bundle_has_no_name_or_address_and_gives_the_same_verdicts(tmp_path, file):
    snapshot = Snapshot.load(HEALTHY.with_name(file))
    original = record(snapshot)
    bundle.write(original, snapshot, tmp_path / "bundle.zip")
    archive = zipfile.ZipFile(tmp_path / "bundle.zip")
    texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert texts.keys() == {"README.txt", "snapshot.json", "results.json", "versions.txt"}
    facts = json.loads(HEALTHY.with_name(file).read_text())
    private = {host[key] for host in facts["deployment"]["hosts"] for key in ("name", "address")}
    private |= {
        address
        for host in facts["hosts"].values()
        for address in host["addresses"]["items"]
        if address not in ("127.0.0.1", "::1")
    }
    private |= {facts["deployment"]["domain"], facts["deployment"]["cookie_domain"], "/home/ops", "bklab."}
    for name, text in texts.items():
        left = [word for word in private if word.lower() in text.lower()]
        assert not left, (name, left)
    again = record(msgspec.json.decode(texts["snapshot.json"], type=Snapshot))
    assert [(one.condition, one.verdict) for one in again.verdicts] == [
        (one.condition, one.verdict) for one in original.verdicts
    ]
    assert msgspec.json.decode(texts["results.json"], type=Results).counts == original.counts


def test_names_are_replaced_consistently_in_every_form():
    host = {
        "name": "PAY-01",
        "address": "10.9.8.7",
        "connection": {"spec": "ssh://alice@10.9.8.7:22", "key": "/k/a"},
    }
    deployment = {"source": "/srv/acme", "domain": "paas.acme-bank.com", "hosts": [host], "waivers": []}
    facts = {"system": {"hostname": "pay-01.dc1.acme-bank.com"}, "log": "0A090807 pay-01 alice fe80::1%eth0"}
    snapshot = {"deployment": deployment, "hosts": {"PAY-01": facts}}
    texts = [
        "http://wiki.intern.org/x",
        "bob@acme-bank.com",
        "[fe80::aff:1]:80",
        "acme-bank",
        "127.0.0.1",
        "10.9.8.7+10.9.8.8",
    ]
    results = {"run": {"inventory": "/srv/acme"}, "texts": texts}
    names = names_of(snapshot, results)
    out = json.dumps([replaced(snapshot, names), replaced(results, names)]).lower()
    for word in ("pay-01", "10.9.8.", "0a090807", "alice", "acme", "dc1", "intern", "fe80", "/k/a"):
        assert word not in out, word
    assert "127.0.0.1" in out and out.count("host-01") >= 3


def test_the_option_writes_a_bundle(run, tmp_path):
    done = run("--only=disk-space", f"--bundle={tmp_path}/bundle.zip")
    assert done.exit == 0
    path = tmp_path / "bundle.zip"
    assert path.stat().st_mode & 0o777 == 0o600 and len(zipfile.ZipFile(path).namelist()) == 4
    assert done.results["versions"]["unknown"] == ["paas-1", "paas-2"]
    assert "BlueKing versions: no VERSION file was read on paas-1, paas-2" in done.out


def test_versions_are_proved_or_only_checked():
    snapshot = msgspec.json.decode(HEALTHY.read_bytes(), type=dict)
    for host, version in (("paas-1", "3.2.5"), ("paas-2", "3.2.6")):
        snapshot["hosts"][host]["versions"]["by_name"]["open_paas"] = version
    facts = msgspec.convert(snapshot, Snapshot)
    versions = platform_versions(facts.deployment, facts)
    assert (versions.proved, versions.checked, versions.unknown) == (
        ["open_paas 3.2.5"],
        ["open_paas 3.2.6"],
        [],
    )
