"""Shared objects that were replaced under a service, and a narrow range of local ports, on edited facts."""

from typing import Any

import pytest

OWN = "/data/bkce/.envs/login/lib/python2.7/site-packages/MySQLdb/_mysql.so"


@pytest.mark.parametrize(
    ("paths", "word", "case"),
    [
        ([OWN], "fail", "library"),
        (["/opt/py27/lib/python2.7/lib-dynload/_socket.so"], "fail", "library"),
        (["/usr/lib64/libssl.so.1.0.2k", "/lib/x86_64-linux-gnu/libc.so.6"], "pass", None),
        (["/tmp/ffi.so", "/dev/zero.so", "/memfd:jit.so", "/SYSV00000000.so"], "pass", None),
        ([], "pass", None),
    ],
)
def test_shared_objects_of_login(judge: Any, paths: list[str], word: str, case: str | None) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        host = snapshot["hosts"]["paas-1"]
        items = host["processes"]["items"]
        pids = [str(one[0]) for one in items if "uwsgi-open_paas-login.ini" in " ".join(one[6])]
        host["later"]["libraries"].update(dict.fromkeys(pids, paths))

    verdict = judge("services-loaded", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (word, case), verdict["evidence"]


@pytest.mark.parametrize(
    ("later", "word"),
    [
        ({"libraries": {}}, "no_data"),
        ({"libraries": {}, "problems": ["Permission denied"]}, "no_data"),
        ({"libraries": {}, "starts": {}}, "pass"),  # they have ended: services-loaded is about those that run
        ({"fact": "Missing", "reason": "Permission denied"}, "no_data"),
    ],
)
def test_shared_objects_that_were_not_read(judge: Any, later: dict[str, Any], word: str) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        host = snapshot["hosts"]["paas-1"]
        host["later"] = {**host["later"], **later} if "fact" not in later else later

    verdict = judge("services-loaded", change)["paas-1"]
    assert verdict["verdict"] == word, verdict["evidence"]


@pytest.mark.parametrize(
    ("ports", "word", "case"),
    [
        ([40000, 40063], "fail", "few-ports"),
        ([40000, 40000], "fail", "few-ports"),
        ([40000, 41023], "pass", None),
        ([32768, 60999], "pass", None),
        ([1024, 65535], "pass", None),
        (None, "no_data", None),
    ],
)
def test_local_ports_of_nginx(judge: Any, ports: list[int] | None, word: str, case: str | None) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        snapshot["hosts"]["nginx-1"]["system"]["local_ports"] = ports

    verdict = judge("nginx-limits", change)["nginx-1"]
    assert (verdict["verdict"], verdict["case"]) == (word, case), verdict["evidence"]
