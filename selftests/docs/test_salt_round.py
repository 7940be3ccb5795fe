"""docs/examples/salt_round.py, with a stand-in for the client of Salt; it was tried by hand with real minions."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

from docs.pages import EXAMPLES

HERE, DEAD, SLOW = socket.gethostname(), "dead-1", "slow-1"


class Client:
    """Stand in for salt.client.LocalClient, constructed from its documentation: every minion has this host's name."""

    published: ClassVar[list[tuple[Any, ...]]] = []
    cache: Path

    def __init__(self, c_path: str) -> None:
        self.opts = {"cachedir": str(self.cache), "hash_type": "sha256"}

    def run_job(self, tgt: list[str], fun: str, arg: list[str], **more: Any) -> dict[str, Any]:
        self.published.append((tgt, fun, arg, more))
        self.keywords = more["kwarg"]
        return {"jid": "20260307031502000000", "minions": tgt}

    def get_iter_returns(self, jid: str, minions: list[str], **more: Any) -> Any:
        yield None
        done = subprocess.run(["/bin/sh", "-s"], input=self.keywords["stdin"], capture_output=True, text=True)
        (self.cache / "jobs" / jid).mkdir(parents=True)
        if HERE in minions:
            yield {HERE: {"ret": done.stdout, "retcode": 0}}
        yield {DEAD: {"ret": "Minion did not return. [No response]", "failed": True}}
        yield {"other": {"ret": "of no host that was asked"}}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("salt_round", EXAMPLES / "salt_round.py")
    assert spec and spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    Client.cache, Client.published = tmp_path / "cache", []
    jid_dir = SimpleNamespace(jid_dir=lambda jid, folder, kind: str(Path(folder) / jid))
    for name, value in (
        ("salt", ModuleType("salt")),
        ("salt.client", SimpleNamespace(LocalClient=Client)),
        ("salt.utils", ModuleType("salt.utils")),
        ("salt.utils.jid", jid_dir),
    ):
        monkeypatch.setitem(sys.modules, name, value)  # type: ignore[arg-type]
    sys.modules["salt"].client, sys.modules["salt"].utils = (
        sys.modules["salt.client"],
        sys.modules["salt.utils"],
    )  # type: ignore[attr-defined]
    sys.modules["salt.utils"].jid = jid_dir  # type: ignore[attr-defined]
    monkeypatch.setattr(loaded.time, "sleep", lambda seconds: None)
    return loaded


@pytest.fixture
def round_1(tmp_path: Path) -> Path:
    folder = tmp_path / "round-1"
    folder.mkdir()
    for name in (HERE, DEAD, SLOW):
        (folder / f"{name}.sh").write_text(
            f"#!/bin/sh\n# a\necho 'script of {name}'\nprintf '%s\\n' \"a\\\\nb\"\n"
        )
    return folder


def test_answers_are_written_and_the_others_named(
    module: ModuleType, round_1: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["salt_round.py", str(round_1)])
    assert module.main() == 1
    assert f"no answer: {' '.join(sorted((DEAD, SLOW)))}" in capsys.readouterr().out
    output = round_1 / f"{HERE}.out"
    assert output.read_text().startswith(f"script of {HERE}\n") and SLOW not in output.read_text()
    assert output.stat().st_mode & 0o777 == 0o600
    times = json.loads((round_1 / f"{HERE}.json").read_text())
    assert times["sent"] <= times["received"]
    assert {path.name for path in round_1.iterdir() if path.suffix != ".sh"} == {
        f"{HERE}.out",
        f"{HERE}.json",
    }
    assert not (Client.cache / "jobs" / "20260307031502000000").exists()


def test_one_publish_that_writes_no_file(
    module: ModuleType, round_1: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["salt_round.py", str(round_1)])
    module.main()
    ((minions, function, arguments, more),) = Client.published
    assert sorted(minions) == sorted((HERE, DEAD, SLOW)) and more["tgt_type"] == "list"
    assert (function, arguments) == ("cmd.run_stdout", ["/bin/sh -s"])
    assert "template" not in more["kwarg"] and more["kwarg"]["output_loglevel"] == "quiet"


def test_large_rounds_are_divided(module: ModuleType, round_1: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["salt_round.py", str(round_1), "--hosts", "2"])
    monkeypatch.setattr(module, "forget", lambda opts, jid: None)
    monkeypatch.setattr(Client, "get_iter_returns", lambda *words, **more: iter(()))
    module.main()
    assert [len(published[0]) for published in Client.published] == [2, 1]
