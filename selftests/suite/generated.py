"""Random deployments: roles spread over 1 to 12 hosts at random, with facts of a healthy lab, with none, or both.

`python -m selftests.suite.generated FIRST COUNT DIRECTORY` judges those many in one process, a directory for each seed.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bkpaas.facts import Addresses, Answers, ControllerFacts, HostFacts, Missing, Snapshot
from bkpaas.inventory import load
from bkpaas.inventory.deployment import Deployment

HEALTHY = Path(__file__).parents[1] / "snapshots/healthy.json"
ROLES = (
    *("paas", "nginx", "appo", "appt", "cmdb", "job", "redis", "rabbitmq", "mysql", "es", "fta"),
    *("consul", "gse", "license", "bkdata", "zk"),
)
NOT_NOUNS = ("host", "collected", "error_kind", "error", "seconds")
NOUNS = tuple(one.name for one in msgspec.structs.fields(HostFacts) if one.name not in NOT_NOUNS)
HOW = ("healthy", "missing", "mixture")


def deployment(seed: int, directory: Path) -> Deployment:
    """Loaded from the inventory that the seed writes into the directory; often only a part of it is to be judged."""
    chance = random.Random(seed)
    known = [host.name for host in Snapshot.load(HEALTHY).deployment.hosts]
    names = chance.sample([*known, *(f"host-{number}" for number in range(1, 8))], chance.randint(1, 12))
    addresses = chance.sample(range(2, 250), len(names))
    roles: dict[str, set[str]] = {name: set() for name in names}
    for role in ROLES:
        for name in chance.sample(names, min(len(names), chance.choice((0, 1, 1, 2, 3)))):
            roles[name].add(role)
    scheme = chance.choice(("http", "https"))
    content: dict[str, Any] = {
        "generation": "5.x",
        "domain": "paas.bklab.test",
        "scheme": scheme,
        "virtual_addresses": chance.choice(([], ["10.99.1.80"], ["10.99.1.80", "10.99.1.81"])),
        "hosts": [
            {"name": name, "address": f"10.99.0.{number}", "roles": sorted(roles[name]) or ["consul"]}
            for name, number in zip(names, addresses, strict=True)
        ],
    }
    if chance.random() < 0.5:
        content["home"] = chance.choice(("/data/bkce", "/data/bkee"))
    (directory / "deployment.yaml").write_text(json.dumps(content), "utf-8")
    limit = ",".join(chance.sample(names, chance.randint(1, len(names)))) if chance.random() < 0.3 else None
    return load(directory, limit=limit)


def snapshot(seed: int, found: Deployment) -> Snapshot:
    """Return what a run on it may have collected; the ways alternate: see HOW."""
    chance, recorded = random.Random(seed), Snapshot.load(HEALTHY)
    how = HOW[seed % len(HOW)]
    hosts = {}
    for host in found.selected():
        donors = [
            recorded.hosts[known.name] for known in recorded.deployment.hosts if known.has_role(*host.roles)
        ] or list(recorded.hosts.values())
        hosts[host.name] = _facts(host.name, host.address, donors, how, chance)
    controller = recorded.controller
    if how == "missing" or (how == "mixture" and chance.random() < 0.5):
        controller = ControllerFacts(names=Missing("none"), answers=Missing("none"))
    return msgspec.structs.replace(recorded, deployment=found, hosts=hosts, controller=controller)


def _facts(name: str, address: str, donors: list[HostFacts], how: str, chance: random.Random) -> HostFacts:
    def noun(field: str) -> Any:
        if how == "missing" or (how == "mixture" and chance.random() < 0.3):
            return Missing(f"{field}: cut off")
        if field == "addresses":
            return Addresses(("127.0.0.1", address), ("127.0.0.1",))
        given = [fact for donor in donors if not isinstance(fact := getattr(donor, field), Missing)]
        if field == "answers" and given:
            return Answers({key: value for one in given for key, value in one.by_name.items()})
        return chance.choice(given or [Missing(f"{field}: not queried")])

    collected = how != "missing" or chance.random() < 0.5
    return HostFacts(
        host=name,
        collected=collected,
        error_kind=None if collected else "timeout",
        error=None if collected else "no answer in time",
        seconds=1.0,
        **{field: noun(field) for field in NOUNS},
    )


def judge(seed: int, directory: Path, main: Callable[[list[str]], Any] = pytest.main) -> int:
    """One run of the suite on it, in this process -> its exit code."""
    directory.mkdir(parents=True)
    snapshot(seed, deployment(seed, directory)).save(directory / "snapshot.json")
    words = ["-p", "no:cacheprovider", "--lang", ("en", "zh")[seed % 2]]
    return int(main([*words, f"--from-snapshot={directory / 'snapshot.json'}", f"--report={directory}"]))


def main() -> None:
    first, count, directory = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    for seed in range(first, first + count):
        place = directory / str(seed)
        status = judge(seed, place)
        (place / "exit").write_text(str(status), "utf-8")


if __name__ == "__main__":
    main()
