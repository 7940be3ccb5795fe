"""Check an earlier snapshot with the current checks, and compare it with this run.

Checks depend on the snapshot only, so the same checks on both snapshots show changes of the hosts and none of the
suite. The baseline is checked in a separate process while the hosts are collected, since pytest has one session per
process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from bkpaas.errors import SuiteError
from bkpaas.facts import Snapshot
from bkpaas.facts.generations import shown_generation
from bkpaas.language import get_language
from bkpaas.messages import msg
from bkpaas.record import Change, Comparison, FactChange, NotCompared, Results, read_json
from bkpaas.runs.facts import changes

SECONDS = 120.0
"""How long the judging of a baseline may take after this run has judged everything itself."""


class Baseline:
    """Check a baseline in a process that runs during the collection."""

    def __init__(self, snapshot: Snapshot, path: Path, selection: Sequence[str], directory: Path) -> None:
        """Start a run that judges the baseline.

        Args:
            snapshot: content of the file.
            path: of that file.
            selection: arguments that choose what this run judges.
            directory: holds pytest.ini.
        """
        self.snapshot = snapshot
        self._directory = tempfile.TemporaryDirectory(prefix="bkpaas-baseline-")
        self._report = Path(self._directory.name)
        command = [sys.executable, "-m", "pytest", "-c", str(directory / "pytest.ini")]
        command += ["--rootdir", str(directory)]
        command += ["-p", "no:cacheprovider", "--from-snapshot", str(path)]
        command += ["--report", str(self._report), "--lang", get_language(), *selection]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "BKPAAS_"))
        }
        self._output = self._report / "output.txt"
        with open(self._output, "wb") as out:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # Ctrl-C is for this run; half a baseline would be compared else
            )

    def compare(self, after: Results, new: Snapshot, checked: Set[str]) -> Comparison:
        """Compare this run with the baseline. judged: the ids with a verdict. Raises SuiteError if that fails."""
        before = self._record()
        if before is None or before.run.exit not in (0, 1):
            last = self._output.read_text("utf-8", "replace").strip().rpartition("\n")[2]
            reason = last[:300] or self._process.poll()
            raise SuiteError(msg("the baseline could not be checked: {reason}", reason=reason))
        return comparison(before, self.snapshot, after, new, checked)

    def _record(self) -> Results | None:
        try:
            self._process.wait(SECONDS)
            return read_json(self._report / "results.json")
        except (subprocess.TimeoutExpired, SuiteError, msgspec.DecodeError, RecursionError):
            return None

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        with suppress(OSError):
            self._directory.cleanup()


def comparison(
    before: Results, old: Snapshot, after: Results, new: Snapshot, checked: Set[str]
) -> Comparison:
    """Return what differs, and what cannot be compared since hosts were upgraded to another generation."""
    verdicts = compared(before, old, after, new, checked)
    upgraded = upgrades(old, new)
    hosts = {verdict.id: verdict.hosts for record in (before, after) for verdict in record.verdicts}
    return Comparison(
        run=old.run,
        started=datetime.fromtimestamp(old.started).astimezone().isoformat(timespec="seconds"),
        verdicts=[one for one in verdicts if not _upgraded_host(one, hosts[one.id], upgraded)],
        facts=[one for one in changes(old, new) if one.host not in upgraded or not _is_managed(one)],
        not_compared=_not_compared(verdicts, hosts, upgraded),
    )


def compared(
    before: Results, old: Snapshot, after: Results, new: Snapshot, checked: Set[str]
) -> list[Change]:
    """Return the verdicts that differ, in the order of the record.

    Verdicts that one run did not select (--limit, -m) or lost are not changes; added and removed hosts are.
    """
    was = {verdict.id: verdict.verdict for verdict in before.verdicts}
    is_ = {verdict.id: verdict.verdict for verdict in after.verdicts}
    left_out = {
        host.name for snapshot in (old, new) for host in snapshot.deployment.hosts if not host.selected
    }
    about = {verdict.id: verdict.hosts for record in (before, after) for verdict in record.verdicts}
    changes = []
    for id_ in dict.fromkeys([*is_, *was]):
        if id_ in is_ and id_ not in checked:
            continue
        if was.get(id_) == is_.get(id_) or (
            (id_ not in was or id_ not in is_) and left_out & set(about[id_])
        ):
            continue
        changes.append(Change(id_, was.get(id_), is_.get(id_)))
    return changes


MANAGED = ("process",)
"""Kinds of facts that differ with the generation of a host."""
SUPERVISOR = "supervisor-"
"""Start of the names of facts that are read from the files of supervisor."""


def upgrades(old: Snapshot, new: Snapshot) -> dict[str, tuple[str, str]]:
    """Return the generations then and now of the hosts that both have and that were upgraded in between."""
    both = {host.name for host in old.deployment.hosts} & {host.name for host in new.deployment.hosts}
    generations = {
        name: tuple(
            shown_generation(one.hosts.get(name), one.deployment.host(name), one.deployment)
            for one in (old, new)
        )
        for name in sorted(both)
        if all(name in one.hosts and one.hosts[name].collected for one in (old, new))
    }
    return {name: (then, now) for name, (then, now) in generations.items() if then != now}


def _is_managed(change: FactChange) -> bool:
    """Return whether a fact differs with the process manager: a process, or a program of supervisor."""
    return change.kind in MANAGED or change.name.startswith(SUPERVISOR)


def _upgraded_host(change: Change, hosts: Sequence[str], upgraded: Mapping[str, object]) -> str | None:
    """Return the upgraded host because of which a verdict cannot be compared: only one of both applies.

    A host can have roles in one generation only, as usermgr: it is not judged for them in the other one.
    """
    before, after = (verdict in (None, "not_applicable") for verdict in (change.before, change.after))
    if before == after:
        return None
    return next((host for host in hosts or upgraded if host in upgraded), None)


def _not_compared(
    verdicts: Sequence[Change], hosts: Mapping[str, Sequence[str]], upgraded: Mapping[str, tuple[str, str]]
) -> list[NotCompared]:
    conditions: dict[str, list[str]] = {name: [] for name in upgraded}
    for change in verdicts:
        if host := _upgraded_host(change, hosts[change.id], upgraded):
            conditions[host].append(change.id.partition("@")[0])
    return [
        NotCompared(name, then, now, list(dict.fromkeys(conditions[name])), list(MANAGED))
        for name, (then, now) in upgraded.items()
    ]
