"""Packets that are lost between hosts, on edited facts."""

from typing import Any

import pytest

from bkpaas.collect import collector
from bkpaas.facts.answers import answers
from bkpaas.facts.names import RESOLVER_SILENT
from bkpaas.facts.secrets import Secrets

PAAS, DATA, APP, NGINX = "10.66.0.11", "10.66.0.51", "10.66.0.41", "10.66.0.30"


def link(connections: int, lossy: int, repeats: int = 0, again: int = 0, heavy: int = 0) -> dict[str, int]:
    counts = {"connections": connections, "lossy": lossy, "heavy": heavy, "repeats": repeats}
    return counts | {"lossy_repeats": again, "packets": lossy + again + 2 * heavy}


def peers(**by_host: dict[str, dict[str, int]]) -> Any:
    """Set the counts of these hosts, and clear those of all others."""

    def change(snapshot: dict[str, Any]) -> None:
        for name, host in snapshot["hosts"].items():
            host["retransmits"]["by_peer"] = by_host.get(name.replace("-", "_"), {})

    return change


LOST = {f"{PAAS}:8003": link(2, 2, 5, 3), f"{PAAS}:8001": link(2, 1, 5, 3)}
DELAYED = {f"{PAAS}:8003": link(2, 2, 5, 0), f"{PAAS}:8001": link(2, 2, 5, 1)}
FULL_QUEUE = {f"{PAAS}:8003": link(2, 2, 5, 5), f"{PAAS}:8001": link(2, 0)}
RARE = {f"{PAAS}:8003": link(2, 1, 5, 1), f"{PAAS}:8001": link(2, 1, 5, 1)}
HEAVY = {f"{DATA}:3306": link(1, 1, heavy=1), f"{DATA}:6379": link(3, 2, heavy=1)}
ELSEWHERE = {"10.66.0.99:80": link(1, 1, 5, 5), "10.66.0.99:81": link(1, 1, 5, 5)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (peers(nginx_1=LOST), {"nginx-1": "fail", "paas-1": "fail", "paas-2": "not_applicable"}),
        (peers(nginx_1=DELAYED), {"nginx-1": "pass", "paas-1": "pass"}),
        (peers(nginx_1=FULL_QUEUE), {"nginx-1": "pass", "paas-1": "pass"}),
        (peers(nginx_1=RARE), {"nginx-1": "pass", "paas-1": "pass"}),
        (peers(nginx_1=ELSEWHERE), {"nginx-1": "pass", "paas-1": "not_applicable"}),
        (peers(paas_1=HEAVY), {"paas-1": "fail", "data-1": "fail"}),
        (peers(appo_1={f"{DATA}:6379": link(3, 2, 5, 3)}), {"appo-1": "fail", "data-1": "fail"}),
        (peers(), {"paas-1": "not_applicable"}),
    ],
)
def test_a_link(judge: Any, change: Any, words: dict[str, str]) -> None:
    verdicts = judge("packet-loss", change)
    assert {name: verdicts[name]["verdict"] for name in words} == words


def test_a_full_queue_of_two_services_is_not_packet_loss(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        peers(nginx_1=LOST)(snapshot)
        for one in snapshot["hosts"]["paas-1"]["sockets"]["listeners"]:
            one["queue"] = 100

    assert judge("packet-loss", change)["nginx-1"]["verdict"] == "pass"


def test_without_counts_there_is_no_verdict(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        snapshot["hosts"]["paas-1"]["retransmits"] = {
            "fact": "Missing",
            "reason": "the host was not collected",
        }

    assert judge("packet-loss", change)["paas-1"]["verdict"] == "no_data"


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (peers(nginx_1=LOST), "packet-loss@nginx-1"),
        (peers(paas_1=HEAVY, appo_1={f"{DATA}:6379": link(3, 2, 2, 2)}), "packet-loss@data-1"),
        (peers(paas_1=HEAVY, paas_2={f"{DATA}:3306": link(1, 1)}), "packet-loss@data-1"),
    ],
)
def test_one_cause_for_both_ends(record: Any, change: Any, cause: str) -> None:
    """With a database that could not be asked in time."""

    def with_silence(snapshot: dict[str, Any]) -> None:
        change(snapshot)
        if "data" in cause:
            silent = {"error_kind": "silent", "error_text": "no complete answer in time", "seconds": 8.0}
            snapshot["hosts"]["paas-1"]["connections"]["by_name"]["database"] = silent

    assert record(with_silence)["root_causes"] == [cause]


@pytest.mark.parametrize(("host", "roots"), [("paas-1", 1), ("appo-1", 2)])
def test_a_resolver_that_a_lossy_host_does_not_reach(record: Any, host: str, roots: int) -> None:
    """Hosts that only send to the lossy one have another reason why their resolver is silent."""

    def change(snapshot: dict[str, Any]) -> None:
        peers(nginx_1=LOST, appo_1=LOST)(snapshot)
        facts = snapshot["hosts"][host]
        name = facts["names"]["by_name"]["paas.bklab.test"]
        name.update(addresses=[], error=RESOLVER_SILENT)
        answer = facts["answers"]["by_name"]["is_login-domain"]
        answer.update(status=None, body="", headers={}, error_kind="resolver", error_text=RESOLVER_SILENT)

    results = record(change)
    verdicts = {one["id"]: one for one in results["verdicts"]}
    assert verdicts[f"domain-resolve@{host}"]["case"] == "silent"
    found = {
        id_ for id_ in results["root_causes"] if id_.startswith(("packet-loss", "domain-resolve", "login-"))
    }
    assert len(found) == roots, found


def test_the_collector_names_a_silent_resolver_so() -> None:
    assert collector.timeout_error("resolve") == ("resolve", RESOLVER_SILENT)
    raw = {"name": "x", "error": {"kind": "resolve", "text": RESOLVER_SILENT}}
    assert answers({"x": raw}, Secrets()).by_name["x"].error_kind == "resolver"
