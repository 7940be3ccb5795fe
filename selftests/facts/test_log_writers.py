"""The logs that applications have open, and which of them log_agent covers."""

from typing import Any

from recorded import HOME, NOW, entry, process

from bkpaas.facts.log_writers import WrittenLog, written_logs
from bkpaas.facts.process import processes
from bkpaas.facts.secrets import Secrets

APPS = f"{HOME}/paas_agent/apps"
LOGS = f"{APPS}/logs"
UWSGI = process(700, 1, f"{APPS}/Envs/a/bin/uwsgi", "--ini", f"{APPS}/projects/a/conf/a.ini")
OTHER = process(701, 1, "/usr/bin/vi", f"{APPS}/notes.log")


def covers(path: str) -> bool:
    return path.startswith(f"{LOGS}/") and path.endswith(".log") and path.count("/") == LOGS.count("/") + 2


def opened(path: str, **values: Any) -> dict[str, Any]:
    return {"path": path, "inode": 5, "size": 9, "mtime": NOW, "ctime": NOW, "pids": [700], **values}


def written(*items: dict[str, Any], **files: Any) -> tuple[WrittenLog, ...] | None:
    named = {name.replace("_", "-"): entries for name, entries in files.items()}
    return written_logs(named, list(items), processes([UWSGI, OTHER], Secrets(b"k")), covers)


def test_logs_of_applications_only() -> None:
    found = written(
        opened(f"{LOGS}/a/a.log"),
        opened(f"{LOGS}/a/uwsgi.log"),
        opened("/tmp/a.sqlite3"),
        opened(f"{APPS}/notes.log", pids=[701]),
        opened("/gone.log", pids=[999]),
    )
    assert found == (WrittenLog("a", f"{LOGS}/a/a.log", NOW, 9, 5, (700,), UWSGI["start"], covered=True),)


def test_a_renamed_and_a_removed_log() -> None:
    (renamed, lost) = (
        written(
            opened(f"{LOGS}/a/a.log.1", inode=6),
            opened(f"{LOGS}/a/a.log (deleted)", ctime=NOW + 1),
        )
        or ()
    )
    assert (renamed.first_path, renamed.covered, renamed.written_since) == (f"{LOGS}/a/a.log", False, True)
    assert (lost.path, lost.lost, lost.written_since) == (f"{LOGS}/a/a.log", True, False)


def test_a_log_behind_a_link_is_covered_by_its_inode() -> None:
    moved = opened("/data2/logs/a/a.log")
    assert [log.covered for log in written(moved) or ()] == [False]
    names = [entry(f"{LOGS}/a/a.log", inode=5)]
    assert [log.covered for log in written(moved, saas_names=names) or ()] == [True]
    unreadable = [{"path": LOGS, "type": "other", "error": "Permission denied"}]
    assert [log.covered for log in written(moved, saas_names=unreadable) or ()] == [None]


def test_logs_deeper_below_the_directory_of_the_logs() -> None:
    deeper = [
        entry(f"{LOGS}/a/prod/a.log", inode=8, mtime=NOW),
        entry(f"{LOGS}/old/x/b.log", inode=9, mtime=NOW),
    ]
    found = written(saas_names_deeper=deeper) or ()
    assert [(log.app, log.since is None, log.pids) for log in found] == [("a", False, ()), ("old", True, ())]
    assert len(written(opened(f"{LOGS}/a/prod/a.log", inode=8), saas_names_deeper=deeper) or ()) == 2


def test_without_the_list_of_open_files_nothing_is_known() -> None:
    assert written_logs({}, None, processes([UWSGI], Secrets(b"k")), covers) is None
    assert written_logs({}, [], None, covers) is None


def test_a_log_that_a_mount_hides() -> None:
    log = opened(f"{LOGS}/a/a.log")
    nothing = [{"path": f"{LOGS}/*/*.log", "type": "missing"}]
    assert [one.hidden for one in written(log, saas_names=nothing) or ()] == [True]
    assert [one.hidden for one in written(log, saas_names=[entry(f"{LOGS}/a/a.log", inode=8)]) or ()] == [
        True
    ]
    linked = [entry(f"/link{LOGS}/a/a.log", inode=5)]
    assert [one.hidden for one in written(log, saas_names=linked) or ()] == [False]
    unreadable = [{"path": LOGS, "type": "other", "error": "Permission denied"}]
    assert [one.hidden for one in written(log, saas_names=unreadable) or ()] == [False]
    for path in (f"{LOGS}/a/a.log.1", f"{LOGS}/a/a.log (deleted)", "/data2/logs/a/a.log"):
        assert [one.hidden for one in written(opened(path), saas_names=nothing) or ()] == [False]
