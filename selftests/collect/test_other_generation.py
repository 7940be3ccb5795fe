"""A host of another generation than the inventory's is asked in round 2 what hosts of its own one are asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from bkpaas.collect import plan
from bkpaas.facts.query import Earlier
from selftests.judges.test_container_cases import in_containers, in_units
from selftests.snapshots.edited import load_edited


def planned(path: Path, change: Any) -> str:
    """Return the plan of round 2 of paas-1 in a deployment whose inventory is of 5.x."""

    def of_5(snapshot: dict[str, Any]) -> None:
        change(snapshot, "paas-1")
        snapshot["deployment"]["generation"] = "5.x"

    snapshot = load_edited(path, of_5)
    deployment = snapshot.deployment
    secrets = Earlier(snapshot.hosts, lambda digest: None)
    second = plan.round_2(deployment.host("paas-1"), deployment, secrets)
    return json.dumps(msgspec.to_builtins(second))


def test_a_host_of_6_in_an_inventory_of_5_is_asked_for_its_containers_and_files(tmp_path: Path) -> None:
    containers, units = planned(tmp_path / "c.json", in_containers), planned(tmp_path / "u.json", in_units)
    own = planned(tmp_path / "a.json", lambda snapshot, name: None)
    for text in ('"docker"', "esb/conf/settings_production.py", "paas.service.consul"):
        assert text in containers and text in units and text not in own
