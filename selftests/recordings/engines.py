"""Judge recorded faults three ways: as over ssh, through the exchange of an engine, and as two merged shards.

    .venv/bin/python -m selftests.recordings.engines [--all | NAME ...]

The answers of each host go through the directory that Salt, Ansible and JOB fill: scripts are planned, the recorded
answers written as their output, round 2 planned from them. It prints how many verdicts differ from those over ssh, by
reason, and each that no reason of docs/engines.md explains. The exit status is 1 with one of those.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from bkpaas import inventory
from bkpaas.collect import deployment as collection
from bkpaas.collect import rounds
from bkpaas.collect.exchange import Exchange
from bkpaas.collect.program import MARK, VERSION
from bkpaas.facts import Snapshot
from bkpaas.facts.merging import merge
from bkpaas.inventory.deployment import Deployment
from bkpaas.language import set_language
from selftests.recordings import judging
from selftests.recordings.store import KEY, PACKED, SUFFIX, Recording, names, read_lines
from selftests.suite import in_process

LAYOUT = "a"
FAULTS = (
    "healthy-1", "clock-ahead", "faq-fatal", "firewall-drop", "saas-dead", "disk-full", "manage-missing",
    "login-to-the-wrong-service", "deploy-limits-reversed", "database-stopped", "host-down+faq-fatal",
)  # fmt: skip
NORTH = ("data-1", "es-1", "nginx-1", "paas-1")
CLOCKS = {"clock-all", "clock-drift-all", "paas-clock-skew", "paas-clock-drift"}


class Listener:
    """Receive the progress of a collection, and print nothing."""

    def start(self, hosts: int) -> None: ...
    def __call__(self, host: str, state: str) -> None: ...
    def end(self, text: object) -> None: ...


def main(words: list[str]) -> int:
    set_language("en")
    known, differing = names(LAYOUT, PACKED), 0
    chosen = known if words == ["--all"] else tuple(words) or FAULTS
    wanted = [name for name in known if name in chosen]
    until = known.index(wanted[-1]) + 1 if wanted else 0
    for name, recording in zip(known[:until], read_lines(PACKED / f"{LAYOUT}{SUFFIX}"), strict=False):
        if name in wanted:
            differing += report(name, recording)
    print(f"{len(wanted)} recordings, {differing} verdicts differ without a reason")
    return int(differing > 0 or not wanted)


def reason_of(way: str, id_: str, word: str, text: str) -> str:
    """Return why docs/engines.md says that a verdict is not the one over ssh; "" if it does not."""
    condition = id_.partition("@")[0]
    if word != "no_data":
        return ""
    if condition in CLOCKS:
        return "clock"
    if way == "engine" and condition == "host-reachable" and "has no answer" in text:
        return "host without an answer"
    if way == "shards" and condition == "login-request-arrives" and "another controller" in text:
        return "log read by another controller"
    return ""


def report(name: str, recording: Recording) -> int:
    """Print how the verdicts of a recording differ; return the number of those that nothing explains."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        judging._write_inventory(recording, place / "inventory")
        whole = inventory.load(place / "inventory", limit=None, conditions=frozenset(), visits=False)
        ssh = words_of(collected(recording, whole))
        unexplained = 0
        for way, snapshot in (
            ("engine", collected(recording, whole, place / "exchange")),
            ("shards", merged(recording, whole)),
        ):
            words = words_of(snapshot)
            changed = {id_: words[id_] for id_ in ssh if words[id_][0] != ssh[id_][0]}
            expected, others = Counter[str](), []
            for id_, (word, text) in changed.items():
                if reason := reason_of(way, id_, word, text):
                    expected[reason] += 1
                else:
                    others.append(f"    {id_}: {ssh[id_][0]} -> {word}: {text[:150]}")
            unexplained += len(others)
            print(f"{name} {way}: {len(ssh)} verdicts, {len(changed)} differ: {dict(expected)}", flush=True)
            print("".join(f"{line}\n" for line in others), end="", flush=True)
    return unexplained


def words_of(snapshot: Snapshot) -> dict[str, tuple[str, str]]:
    return {id_: (verdict.word, verdict.text) for id_, verdict in in_process.verdicts(snapshot).items()}


def merged(recording: Recording, whole: Deployment) -> Snapshot:
    """Return what two controllers collect, each its part of the hosts."""
    parts = []
    for run, is_own in (("north", lambda name: name in NORTH), ("south", lambda name: name not in NORTH)):
        hosts = tuple(msgspec.structs.replace(host, selected=is_own(host.name)) for host in whole.hosts)
        part = collected(recording, msgspec.structs.replace(whole, hosts=hosts))
        parts.append((run, msgspec.structs.replace(part, run=run)))
    return merge(parts)


def collected(recording: Recording, deployment: Deployment, exchange: Path | None = None) -> Snapshot:
    """Return the snapshot of recorded answers. exchange: a directory, if they go through an engine's."""
    judging._replace_network(recording)
    replaced: Any = collection
    if exchange is not None:
        replaced.collect_hosts = through_exchange(replaced.collect_hosts, exchange, recording["started"])
    return collection.collect(deployment, "asyncssh", Listener(), None, KEY).snapshot


def through_exchange(recorded: Callable[..., Any], directory: Path, started: float) -> Callable[..., Any]:
    """Return a function that stands for collect_hosts and hands the recorded answers on through a directory."""

    def collect_hosts(deployment: Any, first: Any, second: Any, *, between: Any, parse: Any, **_: Any) -> Any:
        answers = recorded(deployment, first, second, between=lambda: None, parse=parse)
        for number in (1, 2):
            exchange = Exchange(directory, deployment, planned_round=number)
            rounds.collect_hosts(deployment, first, second, transport=exchange, parse=parse)
            exchange.save()
            for name in exchange.planned:
                write_output(exchange, deployment.host(name), number, answers[name], started)
        exchange = Exchange(directory, deployment)
        return rounds.collect_hosts(
            deployment, first, second, transport=exchange, between=between, parse=parse
        )

    return collect_hosts


def write_output(exchange: Exchange, host: Any, number: int, answers: Any, started: float) -> None:
    """Write what the script of a host would have printed, and when; nothing for a host that gave no answer."""
    data = answers.round_1 if number == 1 else answers.round_2
    if data is None:
        return
    exchange.file(number, host, ".out").write_text("\n".join(lines(exchange, host, data, started)) + "\n")
    if answers.clock is not None:
        middle, half = started - answers.clock.offset_seconds, answers.clock.uncertainty_seconds
        times = msgspec.json.encode({"sent": middle - half, "received": middle + half})
        exchange.file(number, host, ".json").write_bytes(times)


def lines(exchange: Exchange, host: Any, data: bytes, started: float) -> Iterator[str]:
    yield f"{MARK} plan {exchange.planned[host.name]}"
    yield f"{MARK} ready {VERSION} 3.11.2"
    yield f"{MARK} clock begin {started}"
    yield f"{MARK} answer {len(data)}"
    yield base64.b64encode(data).decode()
    yield f"{MARK} end"
    yield f"{MARK} clock end {started}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
