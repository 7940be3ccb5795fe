"""Snapshots of several controllers as one: which facts count, what is missing, what is refused."""

from __future__ import annotations

import msgspec
import pytest

from bkpaas.errors import SuiteError
from bkpaas.facts import Clock, Missing, Snapshot
from bkpaas.facts.merging import merge
from selftests.snapshots.parts import NORTH, SOUTH, WHOLE, part

HOUR = 3600.0


def clock_of(snapshot: Snapshot, host: str) -> Clock:
    clock = snapshot.hosts[host].clock
    assert isinstance(clock, Clock)
    return clock


def test_hosts_of_all_parts_are_judged() -> None:
    merged = merge([part("north", NORTH), part("south", SOUTH, 60)])
    assert {host.name for host in merged.deployment.selected()} == merged.hosts.keys() == WHOLE.hosts.keys()
    assert merged.started == WHOLE.started and merged.run not in ("north", "south")
    assert [(one.source, one.hosts) for one in merged.parts] == [
        ("north.json", NORTH),
        ("south.json", SOUTH),
    ]
    assert {clock_of(merged, name).controller for name in SOUTH} == {"south"}
    assert merged.has_own_controller("paas-1") and not merged.has_own_controller("paas-2")


def test_host_that_no_part_has_is_not_collected() -> None:
    merged = merge([part("north", NORTH), part("south", {*SOUTH} - {"job-1", "paas-2"})])
    missing = {name: facts for name, facts in merged.hosts.items() if not facts.collected}
    assert missing.keys() == {"job-1", "paas-2"}
    assert {facts.error_kind for facts in missing.values()} == {"no_snapshot"}
    assert len({str(facts.error) for facts in missing.values()}) == 1
    assert all(isinstance(facts.processes, Missing) for facts in missing.values())


def test_part_that_is_too_old_counts_for_nothing() -> None:
    merged = merge([part("north", NORTH, -6.1 * HOUR), part("south", SOUTH)])
    assert {merged.hosts[name].error_kind for name in NORTH} == {"old_snapshot"}
    assert isinstance(merged.controller.answers, Missing)  # that of the first part
    later = merge([part("north", NORTH, -5.9 * HOUR), part("south", SOUTH)])
    assert all(facts.collected for facts in later.hosts.values())


def test_newest_counts_of_a_host_that_several_have() -> None:
    north, south = part("north", NORTH), part("south", (*SOUTH, "paas-1"), 60)
    merged = merge([north, south])
    assert clock_of(merged, "paas-1").controller == "south"
    assert merged.parts[0].elsewhere == ("paas-1",) and "paas-1" in merged.parts[1].hosts
    dead = msgspec.structs.replace(south[1].hosts["paas-1"], collected=False)
    unreached = msgspec.structs.replace(south[1], hosts={**south[1].hosts, "paas-1": dead})
    assert clock_of(merge([north, (south[0], unreached)]), "paas-1").controller == "north"


def test_merged_snapshot_can_be_merged_again() -> None:
    once = merge([part("north", NORTH), part("south", {*SOUTH} - {"job-1"})])
    twice = merge([("once.json", once), part("east", ("job-1",), 1)])
    assert all(facts.collected for facts in twice.hosts.values())
    assert clock_of(twice, "paas-2").controller == "south"


@pytest.mark.parametrize(
    ("other", "text"),
    [
        (part("south", SOUTH, key="other"), "different keys"),
        (part("south", SOUTH, key=None), "different keys"),
        (part("south", SOUTH, domain="other.bk.com"), "domain"),
        (part("south", SOUTH, generation="6.x"), "generation"),
    ],
    ids=["key", "no-key", "domain", "generation"],
)
def test_parts_that_do_not_fit_are_refused(other: tuple[str, Snapshot], text: str) -> None:
    with pytest.raises(SuiteError, match=text):
        merge([part("north", NORTH), other])


@pytest.mark.parametrize("change", [{"address": "10.9.9.9"}, {"name": "second"}, {"roles": ("paas",)}])
def test_inventories_that_contradict_each_other_are_refused(change: dict[str, object]) -> None:
    source, south = part("south", SOUTH)
    first, *rest = south.deployment.hosts
    deployment = msgspec.structs.replace(
        south.deployment, hosts=(msgspec.structs.replace(first, **change), *rest)
    )
    with pytest.raises(SuiteError, match="same inventory"):
        merge([part("north", NORTH), (source, msgspec.structs.replace(south, deployment=deployment))])


def test_other_settings_are_a_note() -> None:
    merged = merge([part("north", NORTH), part("south", SOUTH, install_root="/data/other")])
    assert merged.deployment.install_root == WHOLE.deployment.install_root
    assert "install_root" in str(merged.deployment.notes[-1])
