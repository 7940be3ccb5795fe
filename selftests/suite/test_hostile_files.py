"""Files that the suite reads and did not write: one error each, no traceback, no hang, no more memory than the limit."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEALTHY = ROOT / "selftests/snapshots/healthy.json"
SECONDS = 60
MEMORY_BYTES = 2 << 30


def called(*words):
    """Run a command that must end by itself, in bounded memory -> (exit code, output)."""
    limited = ["prlimit", f"--as={MEMORY_BYTES}", sys.executable, "-m", *map(str, words)]
    done = subprocess.run(limited, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.returncode, done.stdout + done.stderr


def hostile(kind, directory):
    path = directory / "given"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "too large":
        with open(path, "wb") as file:
            file.truncate((256 << 20) + 1)
    elif kind == "deep":
        path.write_text('{"schema": 1, "suite": "x", "run": ' + "[" * 200_000)
    elif kind == "bad UTF-8":
        path.write_bytes(b'{"schema": 1, "suite": "\xff"}')
    return path


KINDS = ("fifo", "directory", "device", "too large", "deep", "bad UTF-8", "absent")


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_snapshot_is_one_error(kind, tmp_path):
    path = hostile(kind, tmp_path)
    code, text = called("pytest", f"--from-snapshot={path}", f"--report={tmp_path / 'r'}", "--lang=en")
    assert (code, "Traceback" in text) == (4, False), text
    assert f"{path}: " in text and "fix: " in text


@pytest.mark.parametrize("option", ["--baseline", "--waivers", "--secret-key-file", "--inventory"])
@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_other_files_are_read_in_the_same_way(option, kind, tmp_path):
    path = hostile(kind, tmp_path)
    words = (
        [f"{option}={path}"]
        if option == "--inventory"
        else [f"--from-snapshot={HEALTHY}", f"{option}={path}"]
    )
    code, text = called("pytest", *words, f"--report={tmp_path / 'r'}", "--lang=en")
    assert (code, "Traceback" in text) == (4, False), text
    assert str(path) in text or option == "--secret-key-file"


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_record_is_one_error(kind, tmp_path):
    path = hostile(kind, tmp_path)
    code, text = called("bkpaas.report", path, "--lang=en")
    assert (code, "Traceback" in text) == (1, False), text
    assert str(path) in text


@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_a_hostile_history_is_one_error(kind, tmp_path):
    path = hostile(kind, tmp_path)
    (tmp_path / "history").mkdir()
    (tmp_path / "history/history.sqlite").symlink_to(path)
    words = [f"--from-snapshot={HEALTHY}", f"--history={tmp_path / 'history'}", "--lang=en"]
    code, text = called("pytest", *words, f"--report={tmp_path / 'r'}")
    assert (code, "Traceback" in text) == (4, False), text
    assert "history.sqlite" in text
