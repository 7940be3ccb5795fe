"""The ledger: what was expected to be judged, what was, and nothing lost in between."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from bkpaas import former_names
from bkpaas.catalogue.model import Condition
from bkpaas.catalogue.registry import CONDITIONS, CUSTOM_CONDITIONS
from bkpaas.inventory.deployment import Deployment
from bkpaas.libraries import MESSAGES
from bkpaas.plugin.outcome import Outcome
from bkpaas.plugin.selection import identity, subjects


class Ledger:
    """Kept by the controller; workers tell it what was deselected through a file in the run's own directory.

    expected = inventory x catalogue, less what -m, -k and --only deselected. When paths were given on the
    command line, only what those paths hold is expected.
    """

    def __init__(self, config: pytest.Config, deployment: Deployment, directory: Path) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._told = directory / "selection.json"
        self._narrowed = config.args_source == pytest.Config.ArgsSource.ARGS
        self._catalogue = [
            f"{known.id}@{subject.id}"
            for known in CONDITIONS.values()
            for subject in subjects(known, deployment)
        ]
        self._selected: list[str] = []
        self._deselected: set[str] = set()

    def select(self, selected: list[str], deselected: list[str]) -> None:
        self._selected, self._deselected = selected, set(deselected)

    def hear(self) -> None:
        """Take in what the workers tell, once they do: it is they who import the tests."""
        if not self._selected and self._told.exists():
            told = json.loads(self._told.read_text())
            self.select(told["selected"], told["deselected"])
            CUSTOM_CONDITIONS.update(msgspec.convert(told["added"], dict[str, Condition]))

    def expected(self) -> list[str]:
        """Ids in the catalogue's order, then those of a site's own tests."""
        self.hear()
        if self._narrowed:
            chosen = set(self._selected)
            return [id_ for id_ in self._catalogue if id_ in chosen] + self._own()
        return [id_ for id_ in self._catalogue if id_ not in self._deselected] + self._own()

    def _own(self) -> list[str]:
        known = set(self._catalogue)
        return [id_ for id_ in self._selected if id_ not in known]


class SelectionTeller:
    """Sees what is selected where the collecting happens: in the only process, or in every worker."""

    def __init__(self, ledger: Ledger | None, directory: Path) -> None:
        self._ledger, self._path = ledger, directory / "selection.json"
        self._deselected: list[str] = []

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self._deselected += [id_ for item in items if (id_ := identity(item))]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._ledger is None:  # of a worker: its messages of libraries
            output = session.config.workeroutput  # type: ignore[attr-defined]
            output["bkpaas_messages"], output["bkpaas_further"] = MESSAGES.counts, MESSAGES.further
            output["bkpaas_former_names"] = list(former_names.USES)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        selected = [id_ for item in session.items if (id_ := identity(item))]
        if self._ledger is not None:
            self._ledger.select(selected, self._deselected)
            return
        partial = self._path.with_suffix(f".{session.config.workerinput['workerid']}")  # type: ignore[attr-defined]
        told = {
            "selected": selected,
            "deselected": self._deselected,
            "added": msgspec.to_builtins(CUSTOM_CONDITIONS),
        }
        partial.write_text(json.dumps(told))
        partial.replace(self._path)
