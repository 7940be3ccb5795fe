"""Send the collector and read its lines."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect import program
from bkpaas.inventory.deployment import Connection
from collect.running import needs_root

ROOT = Connection("ssh://root@10.0.1.3")


def lines(answer: Any, length: int | None = None) -> bytes:
    return packed(json.dumps(answer).encode(), length)


def packed(text: bytes, length: int | None = None) -> bytes:
    data = zlib.compress(text)
    size = len(data) if length is None else length
    return b"@@bkpaas answer %d\n%s\n@@bkpaas end\n" % (size, base64.b64encode(data))


def parse(*pieces: bytes, most: int = 10_000) -> list[Any]:
    parser = program.AnswerParser(most)
    return [event for piece in pieces for event in parser.feed(piece)]


def test_words_in_any_pieces() -> None:
    raw = b"Welcome!\n@@bkpaas ready 1 3.11.2\n@@bkpaas clock 0 12.5\n" + lines({"version": 1, "x": "y"})
    expected = [("ready", "3.11.2"), ("clock", ("0", 12.5)), ("answer", {"version": 1, "x": "y"})]
    assert parse(raw) == expected
    assert parse(*[raw[at : at + 1] for at in range(len(raw))]) == expected
    assert parse(raw.replace(b"\n", b"\r\n")) == expected


def test_output_of_others_is_kept_apart() -> None:
    parser = program.AnswerParser(10_000)
    assert list(parser.feed(b"Last login: x\n@@bkpaas ready 1 2.7.5\n")) == [("ready", "2.7.5")]
    assert parser.noise == b"Last login: x\n"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"@@bkpaas ready 2 3.11\n", id="other-version"),
        pytest.param(b"@@bkpaas ready\n", id="word-without-value"),
        pytest.param(b"@@bkpaas dance\n", id="unknown-word"),
        pytest.param(b"@@bkpaas end\n", id="end-without-answer"),
        pytest.param(b"@@bkpaas clock 0 noon\n", id="no-number"),
        pytest.param(b"@@bkpaas clock 0 nan\n", id="not-a-number"),
        pytest.param(b"@@bkpaas clock 0 inf\n", id="never"),
        pytest.param(b"@@bkpaas clock 0 -1.0\n", id="before-the-epoch"),
        pytest.param(packed(b'{"version": 1, "deep": ' + b"[" * 99_999 + b"]" * 99_999 + b"}"), id="deep"),
        pytest.param(b"@@bkpaas answer 3\n!!!!\n@@bkpaas end\n", id="no-base64"),
        pytest.param(b"@@bkpaas answer 3\nAAAA\n@@bkpaas end\n", id="no-zlib"),
        pytest.param(lines({"version": 1}, 5), id="other-length"),
        pytest.param(lines({"version": 9}), id="answer-of-another-version"),
        pytest.param(lines([1]), id="no-object"),
    ],
)
def test_garbage(raw: bytes) -> None:
    with pytest.raises(program.InvalidAnswer):
        parse(raw)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"x" * 10_001, id="noise-without-end"),
        pytest.param(b"x\n" * 5_001, id="lines-without-end"),
        pytest.param(b"@@bkpaas answer 10001\n", id="announced"),
        pytest.param(b"@@bkpaas answer 10\n" + b"A" * 10_000, id="more-than-announced"),
        pytest.param(
            lines({"version": 1, "bomb": "0" * (program.PLAIN_BYTES + 1)}), id="unpacks-to-too-much"
        ),
        pytest.param(lines({"version": 1, "bomb": [[]] * program.JSON_VALUES}), id="too-many-values"),
        pytest.param(b"@@bkpaas clock 0 1.5\n" * 500, id="events-without-end"),
    ],
)
def test_too_much(raw: bytes) -> None:
    with pytest.raises(program.AnswerTooLarge):
        parse(raw)


def test_limit_counts_all_that_comes() -> None:
    """Many small answers are not taken for one another's budget."""
    one = lines({"version": 1})
    assert len(parse(*[one] * 5, most=5 * len(one))) == 5
    with pytest.raises(program.AnswerTooLarge):
        parse(*[one] * 6, most=5 * len(one))


def test_answers_can_stay_compressed() -> None:
    data = zlib.compress(b'{"version": 1, "x": [1]}')
    parser = program.AnswerParser(10_000, decode=False)
    assert next(iter(parser.feed(lines({"version": 1, "x": [1]}))))[0] == "answer"
    assert program.decode(data) == {"version": 1, "x": [1]}
    hidden = program.Public({}, {"http": {"a": {"error": None}}}, {}).complete(data)
    assert program.decode(hidden) == {"version": 1, "x": [1], "http": {"a": {"error": None}}}


def test_half_characters_of_python_2() -> None:
    data = zlib.compress(b'{"version": 1, "text": "a\\ud83d\\ude00 \\udcff"}')
    raw = b"@@bkpaas answer %d\n%s\n@@bkpaas end\n" % (len(data), base64.b64encode(data))
    ((_, answer),) = parse(raw)
    assert answer["text"].startswith("a") and answer["text"].endswith("\ufffd")


def run(line: str, path: Path, stdin: bytes = b"") -> list[Any]:
    result = subprocess.run(
        line, shell=True, input=stdin, capture_output=True, env={"PATH": str(path)}, timeout=240
    )
    return parse(result.stdout, most=1_000_000)


def put(folder: Path, name: str, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n" + script)
    (folder / name).chmod(0o755)


def test_interpreters_are_tried_in_turn(tmp_path: Path) -> None:
    """One that is not there, a broken one, one too old; then one under a home."""
    plan = program.plan_lines({"disks": ["/"]})
    put(tmp_path / "bin", "python3", "exit 127")
    put(tmp_path / "bin", "python2.7", "echo 'ImportError: No module named json' >&2; exit 1")
    put(tmp_path / "my home/.envs/paas/bin", "python", 'exec /usr/bin/python3 "$@"')
    line = program.command(ROOT, [str(tmp_path / "my home")])
    events = run(line, tmp_path / "bin", program.packed() + plan)
    assert [word for word, _ in events] == ["ready", "answer"]


def test_no_interpreter(tmp_path: Path) -> None:
    put(tmp_path, "python3", "exit 127")
    assert run(program.command(ROOT).replace("/usr/libexec/platform-python", ""), tmp_path) == [
        ("nopython", None)
    ]


def test_modules_of_the_working_directory_are_not_imported(public: Path) -> None:
    """With sudo it is the home of an account: its json.py would run as root."""
    for name in ("json", "re", "select", "zlib", "hashlib"):
        (public / f"{name}.py").write_text(f"open({str(public / 'ran')!r}, 'w')")
    for pinned in (False, True):
        line = program.command(ROOT, pinned=pinned)
        sent = program.packed() + program.plan_lines({"disks": ["/"]})
        result = subprocess.run(line, shell=True, cwd=public, input=sent, capture_output=True, timeout=30)
        assert [word for word, _ in parse(result.stdout, most=1_000_000)] == ["ready", "answer"]
    assert not (public / "ran").exists()


@needs_root
def test_root_runs_no_interpreter_of_another_account(public: Path) -> None:
    """An account that owns the environment of a service must not become root by the collector."""
    python = public / "home/.envs/paas/bin/python"
    put(python.parent, "python", f'/usr/bin/touch {public}/ran; exec /usr/bin/python3 "$@"')
    line = program.command(ROOT, [str(public / "home")]).replace("/usr/libexec/platform-python", "")
    sent = program.packed() + program.plan_lines({"disks": ["/"]})
    for owned in (python, python.parent, python.parents[3]):
        os.chown(owned, 65534, 65534)
        assert run(line, public, sent) == [("nopython", None)]
        os.chown(owned, 0, 0)
    assert not (public / "ran").exists()
    assert [word for word, _ in run(line, public, sent)] == ["ready", "answer"]


def test_second_interpreter_is_not_started_after_the_first_did_its_work(tmp_path: Path) -> None:
    put(tmp_path, "python3", "cat >/dev/null 2>&1; exit 3")
    put(tmp_path, "python2", "echo started twice")
    assert run(program.command(ROOT), tmp_path) == []


def test_sudo_in_front() -> None:
    line = program.command(Connection("ssh://ops@h", sudo=True, sudo_user="bk king"))
    assert line.startswith("exec env LC_ALL=C sudo -n -u 'bk king' /bin/sh -c ")
    assert program.command(Connection("ssh://ops@h", sudo=True)).startswith(
        "exec env LC_ALL=C sudo -n /bin/sh -c "
    )
    assert program.command(ROOT).startswith("exec /bin/sh -c ")


def test_digest_is_of_the_file_that_can_be_read() -> None:
    assert len(program.digest()) == 64 and zlib.decompress(program.packed()) == program.source()
