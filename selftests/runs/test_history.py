"""Many nights: since when something fails, what is new, what is repaired, and what may happen to the file."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading

import pytest

from bkpaas.errors import SuiteError
from bkpaas.record import Results, Run, Verdict, count
from bkpaas.runs import history
from bkpaas.runs.history import FILE, Archive


def record(night, words, exit_=0):
    """A run on that night; words: by id."""
    verdicts = [
        Verdict(id_, *id_.split("@"), [], "x", "fail", word, "t", None, None, None, [])
        for id_, word in words.items()
    ]
    at = f"2026-03-{night:02}T03:00:00+08:00"
    return Results(Run(f"run-{night}", at, 1.0, "inv", "1", "0", exit_), [], verdicts, [], count(verdicts))


@pytest.fixture
def nights(tmp_path):
    """Record one run per night; each is given as its words, or as (words, exit code)."""
    archive = Archive(tmp_path / "history", "paas.bk.com")

    def run(*nights, first=1):
        found = []
        for night, one in enumerate(nights, first):
            words, exit_ = one if isinstance(one, tuple) else (one, 0)
            found.append(archive.record(record(night, words, exit_), float(night), words.keys()))
        return found

    return run


def bad(word="fail", **more):
    return {"a@h": word, **{f"{name}@h": one for name, one in more.items()}}


def test_since_new_repaired(nights):
    first, second, third, fourth = nights(bad("pass"), bad(), bad("no_data"), bad("pass"))
    assert (first.since, first.new, first.repaired) == ({}, [], [])
    assert second.new == ["a@h"] and second.since == {"a@h": "2026-03-02T03:00:00+08:00"}
    assert third.new == [] and third.since == {"a@h": "2026-03-02T03:00:00+08:00"}, (
        "no_data after fail is as bad"
    )
    assert fourth.repaired == ["a@h"] and fourth.since == {}
    assert [run.started[:10] for run in fourth.runs] == [f"2026-03-0{n}" for n in (1, 2, 3, 4)]
    assert fourth.runs[1].counts["fail"] == 1


def test_in_the_first_run_nothing_is_new(nights):
    (only,) = nights(bad())
    assert only.new == [] and only.since == {"a@h": "2026-03-01T03:00:00+08:00"}


def test_a_waived_failure_is_not_repaired(nights):
    *_, waived, after = nights(bad(), bad("waived"), bad("pass"))
    assert waived.repaired == [] and after.repaired == []


def test_a_waiver_that_ends_is_new(nights):
    assert nights(bad("waived"), bad())[-1].new == ["a@h"]


def test_what_is_not_judged_keeps_its_state(nights):
    *_, narrow, whole = nights(bad(b="pass"), {"b@h": "pass"}, bad(b="pass"))
    assert narrow.repaired == [] and narrow.since == {}
    assert whole.new == [] and whole.since["a@h"].startswith("2026-03-01")


def test_an_interrupted_run_repairs_nothing_and_breaks_nothing(nights):
    lost = (bad("pass", b="no_data"), 2)
    _, partial, after = nights(bad(b="pass"), lost, bad(b="pass"))
    assert (partial.new, partial.repaired, partial.since) == ([], [], {})
    assert [run.exit for run in after.runs] == [0, 2, 0]
    assert after.new == [] and after.repaired == [] and after.since["a@h"].startswith("2026-03-01")


def test_a_renamed_host_is_another_one(nights):
    *_, last = nights({"a@old": "fail"}, {"a@new": "fail"})
    assert last.new == ["a@new"] and last.repaired == []


def test_flapping(nights):
    good, broken = bad("pass"), bad()
    assert nights(good, broken, good)[-1].flapping == []
    assert nights(broken, first=4)[-1].flapping == ["a@h"]
    steady = nights(*[broken] * history.FLAPPING_RUNS, first=5)
    assert steady[0].flapping == ["a@h"] and steady[-1].flapping == []


def test_the_size_is_bounded_and_since_is_kept(nights, tmp_path, monkeypatch):
    monkeypatch.setattr(history, "RUNS_KEPT", 5)
    good, broken = bad("pass", b="fail"), bad("fail", b="fail")
    last = nights(*[good, broken] * 6)[-1]
    assert len(last.runs) == 5 and last.since["b@h"].startswith("2026-03-01")
    with sqlite3.connect(tmp_path / "history" / FILE) as database:
        assert database.execute("SELECT count(*) FROM runs").fetchone() == (5,)
        assert database.execute("SELECT count(*) FROM turns WHERE id = 'a@h'").fetchone()[0] <= 6
        assert database.execute("SELECT count(*) FROM turns WHERE id = 'b@h'").fetchone() == (1,)


def test_a_run_judged_again_gives_the_same_and_counts_once(nights):
    nights(bad("pass"))
    first, again = nights(bad(), first=2)[0], nights(bad(), first=2)[0]
    assert first == again
    later = nights(bad("pass"), first=3)[0]
    old = nights(bad("pass"), first=2)[0]
    assert later.repaired == ["a@h"] and len(old.runs) == 2
    assert nights(bad("pass"), first=4)[0].repaired == []


def test_it_is_private(nights, tmp_path):
    nights(bad())
    assert stat.S_IMODE((tmp_path / "history").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "history" / FILE).stat().st_mode) == 0o600


def test_runs_at_the_same_time_are_all_kept(tmp_path):
    errors = []

    def run(night):
        try:
            archive = Archive(tmp_path, "paas.bk.com")
            archive.record(record(night, bad()), float(night), bad().keys())
        except SuiteError as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(night,)) for night in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    last = Archive(tmp_path, "paas.bk.com").record(record(20, bad()), 20.0, bad().keys())
    assert len(last.runs) == 13 and last.new == []


def test_a_history_of_the_format_before_is_continued(tmp_path):
    Archive(tmp_path, "paas.bk.com").record(record(1, bad()), 1.0, bad().keys())
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("ALTER TABLE runs DROP COLUMN report")
        database.execute("PRAGMA user_version = 1")
    again = Archive(tmp_path, "paas.bk.com").record(record(2, bad()), 2.0, bad().keys(), tmp_path / "report")
    assert [run.report for run in again.runs] == [None, str(tmp_path / "report")] and again.new == []


def database_of_another_program(file):
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE songs (title TEXT)")


def newer(file):
    Archive(file.parent, "paas.bk.com")
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA user_version = 9")


def damaged(file):
    Archive(file.parent, "paas.bk.com")
    data = bytearray(file.read_bytes())
    data[100:4096] = os.urandom(3996)
    file.write_bytes(data)


REFUSED = {
    "text": (lambda file: file.write_text("not a database " * 100), "not a database"),
    "foreign": (database_of_another_program, "another program"),
    "newer": (newer, "format 9"),
    "damaged": (damaged, FILE),
    "directory": (lambda file: file.mkdir(), FILE),
    "other": (lambda file: Archive(file.parent, "other.bk.com"), "is the history of other.bk.com"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_history_of_this_deployment_is_refused_and_left_alone(tmp_path, name):
    make, words = REFUSED[name]
    file = tmp_path / FILE
    make(file)
    before = file.read_bytes() if file.is_file() else None
    with pytest.raises(SuiteError, match=words) as caught:
        Archive(tmp_path, "paas.bk.com")
    assert str(file) in str(caught.value) and "another directory" in str(caught.value)
    assert before is None or file.read_bytes() == before


def test_a_file_that_breaks_between_runs_is_reported(nights, tmp_path):
    nights(bad())
    (tmp_path / "history" / FILE).write_text("gone " * 2000)
    with pytest.raises(SuiteError, match=r"history\.sqlite"):
        nights(bad(), first=2)


def test_what_is_remembered_of_a_renamed_condition_is_kept_under_its_new_id(tmp_path):
    archive = Archive(tmp_path, "paas.bk.com")
    for night, words in enumerate(({"old@h": "pass"}, {"old@h": "fail", "older@h": "fail"}), 1):
        archive.record(record(night, words), float(night), words.keys())
    words = {"new@h": "fail", "older@h": "fail"}
    last = Archive(tmp_path, "paas.bk.com", {"old": "new"}).record(record(3, words), 3.0, words.keys())
    assert last.new == [] and set(last.since) == {"new@h", "older@h"}
    assert last.since["new@h"].startswith("2026-03-02")
