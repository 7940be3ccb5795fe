"""Every pytest line of a page runs unchanged, and ends as the page says: on recorded hosts, with 0."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from docs.conftest import HEALTHY
from docs.pages import ROOT, engine_words, pages, pytest_words
from selftests.suite.forks import FORKS

ROLES = {"paas", "nginx", "appo", "appt", "cmdb", "job", "redis", "rabbitmq", "mysql", "es", "fta"}
VISITS = {"--limit", "--plan", "--login-user", "--collect-plan"}
"""These are about hosts that can be visited: there the plan is printed, of the lab's inventory."""
WRITTEN = {
    *("--collect-plan", "--save-snapshot", "--summary", "--prometheus", "--history", "--report"),
    *("--bundle", "--code-quality"),
}
OURS = re.compile(r"^(?:-m [a-z_]+|--(?:limit|only|strict)\b)")
ELSEWHERE = re.compile("selftests/pytest.ini|tests_site|site-|-m site|--from-answers")
"""Selftests, the checks of a site (selftests/custom/), and answers of engines (selftests/collect/test_exchange.py)."""


def shown() -> set[tuple[str, ...]]:
    """The words behind pytest of every command of every page, and of the options that a table of code shows."""
    found = set()
    for one in pages():
        for line in one.commands():
            words = pytest_words(re.split(r" ; |\s{3,}", line)[0])
            if words is None and OURS.match(line):
                words = ["--inventory", "PATH", *re.split(r"\s{3,}", line)[0].split()]
            if words and not ELSEWHERE.search(line):
                found.add(tuple(words))
    return found


def different() -> list[tuple[str, ...]]:
    """One of those that come to the same."""
    return sorted({tuple(runnable(words, Path("/"))): words for words in sorted(shown())}.values())


def runnable(words: tuple[str, ...], place: Path) -> list[str]:
    """The same line for recorded hosts, with every file in this directory."""
    lab = bool(VISITS & set(words))
    done: list[str] = []
    option = ""
    for word in words:
        if option == "--inventory":
            done[-1:] = (
                ["--inventory", str(ROOT / "inventory/lab")] if lab else ["--from-snapshot", str(HEALTHY)]
            )
        elif option in ("--from-snapshot", "--baseline"):
            done.append(str(HEALTHY))
        elif option in WRITTEN:
            done.append(str(place / Path(word).name))
        elif option == "--secret-key-file" and not lab:
            done.pop()  # a recorded snapshot has its digests
        elif option == "--failed-of":
            done.append(str(place / "report" / "results.json"))
        elif option == "--waivers":
            done.append(str(place / "waivers.yaml"))
        elif option == "--bkmonitor-file":
            done.append(str(place / "monitor.json"))
        elif option in ("--webhook-file", "--login-password-file"):
            done.append(str(place / "secret"))
        elif option == "--limit":
            done.append(",".join(name if name in ROLES else "paas-1" for name in word.split(",")))
        elif option == "--only":
            done.append(re.sub(r"@10\.0\.1\.\d", "@paas-1", word))
        else:
            done.append(word)
        option = word if word.startswith("--") else ""
    if lab and not {"--plan", "--collect-plan"} & set(done):
        done.append("--plan")
    return done if "--report" in done else [*done, "--report", str(place / "report")]


SHOWN = different()


def test_there_are_some() -> None:
    assert len(SHOWN) > 8
    assert any("--baseline" in words for words in SHOWN) and any("--limit" in words for words in SHOWN)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the text of a results.json in which one verdict is fail."""
    report = tmp_path_factory.mktemp("earlier")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--from-snapshot", str(HEALTHY)]
    subprocess.run(
        [*command, "--report", str(report)], cwd=ROOT, check=True, capture_output=True, timeout=240
    )
    results = json.loads((report / "results.json").read_text())
    failed = next(verdict for verdict in results["verdicts"] if verdict["id"] == "supervisor-sock@paas-1")
    failed["verdict"] = "fail"
    return json.dumps(results)


@pytest.mark.parametrize("words", SHOWN, ids=" ".join)
def test_it_runs(words: tuple[str, ...], tmp_path: Path, record: str) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "results.json").write_text(record)
    (tmp_path / "waivers.yaml").write_text("waivers: []\n")
    (tmp_path / "secret").write_text("https://127.0.0.1:9/hook\n")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "monitor.json").write_text(
        '{"url": "http://127.0.0.1:9/", "data_id": 1, "access_token": "x"}'
    )
    (tmp_path / "monitor.json").chmod(0o600)
    command = ["-p", "no:cacheprovider", *runnable(words, tmp_path)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    code, output = FORKS.run(command, environment, 240)
    assert code == 0, f"{' '.join(command)}\n{output[-6000:]}"


@pytest.mark.parametrize("language", ["", ".zh-CN"])
def test_engine_programs_take_the_words_of_the_page(language: str, tmp_path: Path) -> None:
    """The scripts start with the command of the page; script/proof runs Ansible and Salt with theirs to the end."""
    (tmp_path / "round-1").mkdir()
    settings = tmp_path / "job.json"
    settings.write_text('{"hosts": {}}')
    settings.chmod(0o600)
    for script in ("salt_round.py", "job_round.py"):
        words = engine_words(language, script, DIR=str(tmp_path))
        words = [str(settings) if word.startswith("/etc/") else word for word in words[1:]]
        done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("0 of 0 "), done
    words = engine_words(language, "ansible-playbook", DIR=str(tmp_path), HOSTS="hosts")
    (play,) = YAML(typ="safe").load((ROOT / words[-1]).read_text("utf-8"))
    assert words[:5] == ["ansible-playbook", "-i", "hosts", "-e", f"folder={tmp_path}/round-1"]
    assert {key for task in play["tasks"] for key in task} & {"script", "shell", "command", "raw"} == {"raw"}


def test_a_line_that_cannot_be_typed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="--colour"):
        test_it_runs(("--inventory", "PATH", "--colour", "green"), tmp_path, "{}")
