"""The ledger: the ids that a run has to check, and the outcomes, so that a lost test is found."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from bkpaas import former_names
from bkpaas.catalogue.model import Condition
from bkpaas.catalogue.registry import CONDITIONS, CUSTOM_CONDITIONS, current_id
from bkpaas.inventory.deployment import Deployment
from bkpaas.libraries import MESSAGES
from bkpaas.plugin.outcome import Outcome
from bkpaas.plugin.selection import identity, subjects


class Ledger:
    """Hold the expected ids and the outcomes; only the controller has one.

    expected = inventory x catalogue, less what -m, -k, --only and --failed-of deselected. When paths were given on the
    command line, or with --lf, which skips whole files, only what was collected is expected. After -x, only what began.
    """

    def __init__(self, config: pytest.Config, deployment: Deployment, directory: Path) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._option = config.option
        self._selection_file = directory / "selection.json"
        self._narrowed = config.args_source == pytest.Config.ArgsSource.ARGS or bool(
            getattr(config.option, "lf", False)
        )
        self.begun: set[str] = set()
        """The ids whose tests began."""
        self._only_begun = False
        self._catalogue = [
            f"{condition.id}@{subject.id}"
            for condition in CONDITIONS.values()
            for subject in subjects(condition, deployment)
        ]
        self._selected: list[str] = []
        self._deselected: set[str] = set()

    def select(self, selected: list[str], deselected: list[str]) -> None:
        self._selected, self._deselected = selected, set(deselected)

    def read_worker_selection(self) -> None:
        """Read what the workers selected, as soon as one has written it: only workers import the tests."""
        if not self._selected and self._selection_file.exists():
            written = json.loads(self._selection_file.read_text())
            self.select(written["selected"], written["deselected"])
            CUSTOM_CONDITIONS.update(msgspec.convert(written["added"], dict[str, Condition]))

    def leave_out_the_rest(self) -> None:
        """Expect only what has begun: -x ended the run."""
        self._only_begun = True

    def total(self) -> int:
        """Return how many ids would be expected without a selection, as far as its own files of a site were read."""
        return len({*self._catalogue, *self._selected, *self._deselected})

    def expected(self) -> list[str]:
        """Return the ids in the order of the catalogue, then those of a site."""
        self.read_worker_selection()
        ids = self._selection()
        if self._only_begun:
            return [id_ for id_ in ids if id_ in self.begun or id_ in self.outcomes]
        return ids

    def _selection(self) -> list[str]:
        if self._narrowed:
            chosen = set(self._selected)
            return [id_ for id_ in self._catalogue if id_ in chosen] + self._own()
        named = self._catalogue
        if self._option.only and not self._option.collectonly:  # no items were made of the other conditions
            conditions = {current_id(id_).partition("@")[0] for id_ in self._option.only}
            named = [id_ for id_ in named if id_.partition("@")[0] in conditions]
        return [id_ for id_ in named if id_ not in self._deselected] + self._own()

    def _own(self) -> list[str]:
        ids = set(self._catalogue)
        return [id_ for id_ in self._selected if id_ not in ids]


class SelectionReporter:
    """Report the selected and deselected ids to the ledger; in a worker, by a file in the directory of the run."""

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
        selection = {
            "selected": selected,
            "deselected": self._deselected,
            "added": msgspec.to_builtins(CUSTOM_CONDITIONS),
        }
        partial.write_text(json.dumps(selection))
        partial.replace(self._path)
