"""Keep the history of a deployment in one SQLite file: since when an id is bad, what is new, what is repaired.

runs: one row for each run. turns: a row whenever an id changed to good, bad or neither, so that constant states use no
space. The last row of an id is its present state with its start. An id that a run does not check keeps its state.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Set
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from bkpaas.errors import SuiteError
from bkpaas.messages import Message, msg
from bkpaas.record import History, PastRun, Results, Word

FILE = "history.sqlite"
RUNS_KEPT = 400
"""A year of nights and more; of what is older only the state that still holds is kept."""
FLAPPING_RUNS = 10
"""How many of the last runs are looked at for flapping ..."""
FLAPPING_TURNS = 3
"""... and how often something must have turned in them: a failure and its repair are two."""
LOCK_SECONDS = 30.0
"""How long to wait for another run that writes at the same moment."""

NOT_RENAMED: Mapping[str, str] = MappingProxyType({})

State = Literal["good", "bad", "neither"]
STATES: dict[Word, State] = {
    "pass": "good",
    "warn": "bad",
    "fail": "bad",
    "no_data": "bad",
    "not_applicable": "neither",
    "waived": "neither",
}
"""Not applicable and waived are neither: what was waived has not been repaired."""

_INTERRUPTED = 2
_APPLICATION = 0x626B7061  # "bkpa", in the file's own head: nothing else is taken for a history
_VERSION = 2
_TABLES = """
CREATE TABLE deployment (domain TEXT NOT NULL);
CREATE TABLE runs (
    run TEXT PRIMARY KEY, started REAL NOT NULL, at TEXT NOT NULL, exit INTEGER NOT NULL, counts TEXT NOT NULL,
    report TEXT
);
CREATE TABLE turns (
    id TEXT NOT NULL, started REAL NOT NULL, at TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (id, started)
) WITHOUT ROWID;
"""


class Archive:
    """Open the history of one deployment in a directory; check it, and create it if it is missing."""

    def __init__(self, directory: Path, domain: str, renamed: Mapping[str, str] = NOT_RENAMED) -> None:
        """Open the file of a domain. Raises SuiteError: not a history, damaged, another deployment, read-only.

        renamed: by the former id of a condition its id of today. What is remembered of it is kept under this one.
        """
        self.file = directory / FILE
        self._domain = domain
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(self.file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with self._opened() as database:
                self._prepare(database)
                _rename(database, renamed)
        except (sqlite3.Error, OSError, ValueError) as error:
            raise self._refused(str(error)) from _system_error(error)

    def record(
        self, results: Results, started: float, checked: Set[str], report: Path | None = None
    ) -> History:
        """Add a run and tell how it stands among the others. SuiteError: it could not be written.

        started: epoch seconds. judged: ids that were really judged. report: the directory of its report. An interrupted run is one of the runs, and says
        nothing about what is new or repaired. Nor does one that is judged again, or that is older than the newest, change
        what is remembered; it is told how it stood among those before it.
        """
        try:
            with self._opened() as database:
                newest = database.execute("SELECT max(started) FROM runs").fetchone()[0]
                newer = newest is None or started > newest
                self._add_run(database, results, started, report)
                history = History(self._runs(database, started), {}, [], [], [])
                if results.run.exit != _INTERRUPTED:
                    states = {v.id: STATES[v.verdict] for v in results.verdicts if v.id in checked}
                    self._notify(database, history, states, started, results.run.started, keep=newer)
                    _prune(database)
                return history
        except (sqlite3.Error, OSError, ValueError) as error:
            raise self._refused(str(error)) from None

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Open one transaction that locks out other writers from its start."""
        uri = f"{self.file.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=LOCK_SECONDS, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    database.execute("ROLLBACK")
                raise

    def _prepare(self, database: sqlite3.Connection) -> None:
        application = database.execute("PRAGMA application_id").fetchone()[0]
        version = database.execute("PRAGMA user_version").fetchone()[0]
        tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not tables and not application:
            for statement in _TABLES.strip().split(";\n"):
                database.execute(statement)
            database.execute("INSERT INTO deployment VALUES (?)", (self._domain,))
            database.execute(f"PRAGMA application_id = {_APPLICATION}")
            database.execute(f"PRAGMA user_version = {_VERSION}")
            return
        if application != _APPLICATION:
            raise self._refused(msg("is a database of another program"))
        if version == 1:
            database.execute("ALTER TABLE runs ADD COLUMN report TEXT")
            database.execute(f"PRAGMA user_version = {_VERSION}")
        elif version != _VERSION:
            raise self._refused(
                msg(
                    "was written by another version of the suite (format {version}, this one writes {own})",
                    version=version,
                    own=_VERSION,
                )
            )
        if (problem := database.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise self._refused(msg("is damaged: {problem}", problem=problem))
        (domain,) = database.execute("SELECT domain FROM deployment").fetchone()
        if domain != self._domain:
            raise self._refused(
                msg("is the history of {domain}, this deployment is {own}", domain=domain, own=self._domain)
            )

    def _refused(self, reason: Message | str) -> SuiteError:
        fix = msg("leave the file as it is and give another directory, one for each deployment")
        return SuiteError(
            msg("{location}: {reason}\n  fix: {fix}", location=self.file, reason=reason, fix=fix)
        )

    def _add_run(
        self, database: sqlite3.Connection, results: Results, started: float, report: Path | None
    ) -> None:
        run, place = results.run, None if report is None else str(report.absolute())
        row = (run.id, started, run.started, run.exit, json.dumps(results.counts), place)
        database.execute("INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?, ?, ?)", row)

    def _runs(self, database: sqlite3.Connection, until: float) -> list[PastRun]:
        rows = database.execute(
            "SELECT at, exit, counts, report FROM runs WHERE started <= ? ORDER BY started DESC LIMIT ?",
            (until, RUNS_KEPT),
        ).fetchall()
        return [
            PastRun(at, exit_, json.loads(counts), report) for at, exit_, counts, report in reversed(rows)
        ]

    def _notify(
        self,
        database: sqlite3.Connection,
        history: History,
        states: dict[str, State],
        started: float,
        at: str,
        *,
        keep: bool,
    ) -> None:
        """Return what is new, repaired and flapping, and since when; keep: store the turns."""
        present = _before(database, started)
        first = not present
        for id_, state in states.items():
            before, since = present.get(id_, (None, at))
            if state != before:
                since = at
                if keep:
                    row = (id_, started, at, state)
                    database.execute("INSERT INTO turns VALUES (?, ?, ?, ?)", row)
            if state == "bad":
                history.since[id_] = since
                if before != "bad" and not first:
                    history.new.append(id_)
            elif state == "good" and before == "bad":
                history.repaired.append(id_)
        flapping = _flapping(database, started)
        history.flapping = [id_ for id_ in states if id_ in flapping]


def _rename(database: sqlite3.Connection, renamed: Mapping[str, str]) -> None:
    """Give the turns of renamed conditions their id of today."""
    for former, current in renamed.items():
        database.execute(
            "UPDATE OR IGNORE turns SET id = ? || substr(id, ?) WHERE substr(id, 1, ?) = ?",
            (f"{current}@", len(former) + 2, len(former) + 1, f"{former}@"),
        )


def _system_error(error: Exception) -> OSError | None:
    """Return the error of the system behind a refusal; SQLite reports a full disk in words of its own."""
    if isinstance(error, sqlite3.Error) and "is full" in str(error):
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return error if isinstance(error, OSError) else None


def _before(database: sqlite3.Connection, started: float) -> dict[str, tuple[str, str]]:
    """Return the state of each id before a run, with the start of the first run in that state."""
    rows = database.execute(
        "SELECT id, state, at FROM turns WHERE started < ? ORDER BY id, started", (started,)
    )
    return {id_: (state, at) for id_, state, at in rows}


def _flapping(database: sqlite3.Connection, started: float) -> set[str]:
    """Return ids that changed often in the last runs; the first verdict of an id is not a change."""
    rows = database.execute(
        """
        WITH late AS (
            SELECT started FROM runs WHERE exit <> ? AND started <= ? ORDER BY started DESC LIMIT ?
        )
        SELECT id FROM turns AS turn
        WHERE started BETWEEN (SELECT min(started) FROM late) AND ?
          AND EXISTS (SELECT 1 FROM turns WHERE id = turn.id AND started < turn.started)
        GROUP BY id HAVING count(*) >= ?
        """,
        (_INTERRUPTED, started, FLAPPING_RUNS, started, FLAPPING_TURNS),
    )
    return {id_ for (id_,) in rows}


def _prune(database: sqlite3.Connection) -> None:
    """Delete runs that are too old, and the turns before them except the last of each id."""
    row = database.execute(
        "SELECT started FROM runs ORDER BY started DESC LIMIT 1 OFFSET ?", (RUNS_KEPT - 1,)
    ).fetchone()
    if row is None:
        return
    (oldest,) = row
    database.execute("DELETE FROM runs WHERE started < ?", (oldest,))
    database.execute(
        "DELETE FROM turns WHERE EXISTS (SELECT 1 FROM turns AS later WHERE later.id = turns.id "
        "AND later.started > turns.started AND later.started <= ?)",
        (oldest,),
    )
