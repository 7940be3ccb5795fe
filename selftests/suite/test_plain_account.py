"""A healthy deployment, read by an account without the rights of root: what it cannot read is one root cause."""

from __future__ import annotations

from bkpaas.catalogue.grouping import NO_RIGHTS
from bkpaas.facts import Snapshot
from selftests.snapshots.edited import HEALTHY
from selftests.suite import in_process

GUEST = HEALTHY.with_name("guest.json")


def test_missing_rights_are_one_root_cause() -> None:
    results = in_process.record(Snapshot.load(GUEST))
    assert {(cause.ids[0].partition("@")[0], cause.case) for cause in results.causes} == {NO_RIGHTS}
    assert len(results.causes) == 1 and results.counts["no_data"] > 20


def test_no_other_verdict_than_that_of_root() -> None:
    root, guest = (in_process.verdicts(Snapshot.load(file)) for file in (HEALTHY, GUEST))
    words = {id_: (root[id_].word, guest[id_].word) for id_ in root.keys() & guest.keys()}
    assert root.keys() == guest.keys()
    assert {pair for pair in words.values() if pair[0] != pair[1]} == {("pass", "no_data")}
