"""The smaller nouns: files, time daemon, disks, names, and the reading of raw values."""

import json

import pytest
import recorded

from bkpaas.errors import NoData
from bkpaas.facts import HostView, host_facts, raw
from bkpaas.facts.disks import disks
from bkpaas.facts.file import FileFact, file_fact
from bkpaas.facts.names import names
from bkpaas.facts.process import Process, processes
from bkpaas.facts.query import FileName
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.timedaemon import time_daemon

TRACKING = """\
Reference ID    : CB00710F (203.0.113.15)
Stratum         : 3
Ref time (UTC)  : Mon Jul 30 01:47:28 2018
System time     : 0.000006523 seconds slow of NTP time
Leap status     : Normal
"""
NTPQ = """\
     remote           refid      st t when poll reach   delay   offset  jitter
==============================================================================
+10.0.0.1        .GPS.            1 u   33   64  377    0.345    0.012   0.021
*10.0.0.2        10.0.0.1         2 u   31   64  377    0.345    0.012   0.021
"""


def daemon(**given):
    return time_daemon({"chronyd": None, "ntpd": None, "chronyc": None, "ntpq": None} | given, Secrets())


def test_chronyd():
    found = daemon(chronyd=700, chronyc={"rc": 0, "out": TRACKING, "err": "", "error": None})
    assert (found.daemon, found.pid, found.synchronised, found.source) == (
        "chronyd",
        700,
        True,
        "203.0.113.15",
    )
    lost = TRACKING.replace("Normal", "Not synchronised").replace("CB00710F (203.0.113.15)", "00000000 ()")
    found = daemon(chronyd=700, chronyc={"out": lost})
    assert (found.synchronised, found.source) == (False, None)
    silent = daemon(chronyd=700, chronyc={"rc": 1, "out": "506 Cannot talk to daemon\n", "err": ""})
    assert (silent.synchronised, silent.text) == (None, "506 Cannot talk to daemon")


def test_ntpd():
    found = daemon(ntpd=701, ntpq={"out": NTPQ})
    assert (found.daemon, found.synchronised, found.source) == ("ntpd", True, "10.0.0.2")
    assert daemon(ntpd=701, ntpq={"out": NTPQ.replace("*", "+")}).synchronised is False
    assert daemon(ntpd=701, ntpq=None).synchronised is None
    assert daemon(ntpd=701, ntpq={"error": "timeout", "out": ""}).text == "timeout"


def test_timesyncd_leaves_a_file_when_it_is_synchronised():
    path, running = "/run/systemd/timesync/synchronized", [Process(702, 1, name="systemd-timesyn")]
    none = {"chronyd": None, "ntpd": None}

    def found(*entries, processes=running):
        return time_daemon(none, Secrets(), processes, {"timesyncd": list(entries)})

    there = {"path": path, "type": "file", "mode": 0o100644}
    assert (found(there).daemon, found(there).pid) == ("systemd-timesyncd", 702)
    assert found(there).synchronised is True
    assert found({"path": path, "type": "missing"}).synchronised is None
    assert found(there, processes=[]).daemon is None


def test_no_time_daemon():
    assert daemon().daemon is None and daemon().synchronised is None


def test_disks():
    given = {
        "path": "/",
        "bytes": 1000,
        "bytes_available": 250,
        "inodes": 0,
        "inodes_available": 0,
        "readonly": True,
    }
    root, broken = disks([given, {"path": "/x", "error": "Permission denied"}, {"bytes": 5}]).items
    assert (root.free_percent, root.free_inodes_percent, root.readonly) == (25.0, None, True)
    for figure in ("free_percent", "free_inodes_percent"):
        with pytest.raises(NoData, match="/x: Permission denied"):
            getattr(broken, figure)


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("passwd: files\nhosts:      files dns myhostname\n", ("files", "dns", "myhostname")),
        ("hosts: files", ("files",)),
        ("hosts: files [NOTFOUND=return] dns # no", ("files",)),
        ("hosts: files mdns4_minimal [NOTFOUND=return] dns", ("files", "mdns4_minimal", "dns")),
        ("#hosts: dns\n", ()),
        ("", ()),
    ],
)
def test_sources_of_names(text, sources):
    file = recorded.entry("/etc/nsswitch.conf", text)
    assert names({}, files={"nsswitch": [file]}).sources == sources


def test_names():
    found = names(
        {"a": {"addresses": ["10.0.0.1"], "error": None}, "b": {"addresses": [], "error": "timeout"}}
    ).by_name
    assert (found["a"].addresses, found["a"].error) == (("10.0.0.1",), None)
    assert (found["b"].addresses, found["b"].error) == ((), "timeout")


def test_files():
    sock = FileFact(path="/x", type="socket", mode=0o700)
    assert sock.permissions == "srwx------" and sock.exists
    assert FileFact(path="/x", type="dir", mode=0o1777).permissions == "drwxrwxrwt"
    assert FileFact(path="/x", type="file", mode=0o4755).permissions == "-rwsr-xr-x"
    assert not FileFact(path="/x", type="missing").exists
    assert FileFact(path="/x", type="file", mode=0o600, error="Permission denied").exists
    for kind in ("other", "missing"):
        with pytest.raises(NoData, match="/x: Permission denied"):
            _ = FileFact(path="/x", type=kind, error="Permission denied").exists
    assert file_fact({"path": "/x", "type": "fifo"}).error == "type 'fifo'"
    assert file_fact({}).path == ""


def test_what_json_cannot_carry_is_cleaned():
    deep = []
    for _ in range(5000):
        deep = [deep]
    given = {
        "nan": float("nan"), "inf": float("-inf"), "huge": 10**400, "surrogate": "a\ud800b", 5: "key",
        "deep": deep, "set": {1}, "bytes": b"x", "ok": [1, 2.5, True, None, "é"], "k" * 5000: 1,
    }  # fmt: skip
    found = raw.clean(given)
    assert (found["nan"], found["inf"], found["huge"], found["surrogate"]) == (
        raw.UNFIT,
        raw.UNFIT,
        raw.UNFIT,
        "a?b",
    )
    assert (found["5"], found["set"], found["bytes"], found["ok"]) == (
        "key",
        raw.UNFIT,
        raw.UNFIT,
        [1, 2.5, True, None, "é"],
    )
    assert max(map(len, found)) == 300


NESTED = json.loads("[" * 25 + "]" * 25)
LARGE = (
    {"ok": [{"a": 1, "b": "x\\n", "c": None, "d": True, "e": 2.5, "f": {}, "g": []}]},
    {"deep": NESTED, "below": {"list": NESTED[0][0][0][0][0]}},
    {"integer": 2**64, "list": [-(2**70)], "most": 2**63 - 1, "float": 1e300, "floats": [2.0**53, 2.0**54]},
    {"k" * 301: 1, "k" * 300: {"x" * 400: 2}},
    {"items": [0] * 30_001, "pairs": {str(number): 0 for number in range(30_001)}, "whole": [0] * 30_000},
    {"é": "é", "marks": "\ue000 \ufdd0", "half": "\ud800"},
    "text",
    "é",
    2**64,
    None,
    [],
)


@pytest.mark.parametrize("value", LARGE, ids=range(len(LARGE)))
@pytest.mark.parametrize("ascii", [True, False])
def test_a_decoded_answer_is_cleaned_like_any_other_value(value: object, ascii: bool) -> None:
    decoded = raw.Decoded()
    text = json.dumps(value, ensure_ascii=ascii).encode("utf-8", "surrogatepass")
    decoded.add("section", value, text)
    decoded.add("other", [1], b"[1]")
    assert decoded.clean() == raw.clean({"section": value, "other": [1]})


def test_an_answer_of_too_many_sections_is_unfit() -> None:
    decoded = raw.Decoded()
    for number in range(30_001):
        decoded.add(str(number), 1, b"1")
    assert decoded.clean() is raw.UNFIT


def test_readers_of_raw_values():
    values = [None, True, 3, 3.0, 3.5, "3", [3], {"a": 3}]
    assert [raw.integer(value) for value in values] == [None, None, 3, 3, None, None, None, None]
    assert [raw.number(value) for value in values] == [None, None, 3.0, 3.0, 3.5, None, None, None]
    assert [raw.text(value) for value in values] == [None] * 5 + ["3", None, None]
    assert [raw.texts(value) for value in (values, "x")] == [["3"], []]
    assert [raw.integers(value) for value in (values, "x")] == [(3, 3), None]
    assert [raw.records(value) for value in (values, "x")] == [[{"a": 3}], []]
    assert [raw.flag(value) for value in values][:3] == [None, True, None]


def test_paths_that_are_only_searched_for():
    given = recorded.first()
    given["files"]["login-manage"] = [recorded.entry(f"{recorded.HOME}/open_paas/login/manage.py", "")]
    given["files"]["login-python"] = [recorded.missing(f"{recorded.HOME}/.envs/*login/bin/python")]
    stats = HostView(host_facts(recorded.host(), recorded.visit(given), Secrets(b"k"))).path_stats
    assert [file.exists for file in stats.get(FileName.LOGIN_MANAGE)] == [True]
    assert [file.exists for file in stats.get(FileName.LOGIN_PYTHON)] == [False]
    with pytest.raises(NoData):
        stats.get(FileName.LOGIN_LOGS)


def test_no_process_of_the_collectors_maximum_is_left_out():
    records = [{"pid": pid, "ppid": 1, "argv": [], "environ": None} for pid in range(1, 30_001)]
    assert len(processes(raw.clean(records), Secrets()).items) == 30_000
