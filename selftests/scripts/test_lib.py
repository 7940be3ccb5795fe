"""The shell code of script/, run in a repository of its own with commands that only pretend."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bkpaas.catalogue.registry import SECTIONS
from lab.faults import FAULTS

REPOSITORY = Path(__file__).parents[2]
SCRIPTS = [*sorted((REPOSITORY / "script").iterdir()), REPOSITORY / ".ci" / "run"]


class Place:
    """A repository that holds nothing but script/lib.sh, and a directory of commands that hide the machine's."""

    def __init__(self, root: Path) -> None:
        self.root, self.commands = root, root / "commands"
        (root / "script").mkdir(parents=True)
        self.commands.mkdir()
        shutil.copy(REPOSITORY / "script" / "lib.sh", root / "script")
        self.command("id", "echo 0")
        self.has()

    def command(self, name: str, script: str) -> None:
        file = self.commands / name
        file.write_text(f"#!/bin/bash\n{script}\n")
        file.chmod(0o755)

    def has(self, *packages: str) -> None:
        """dpkg knows these packages only."""
        known = "|".join(packages) or "-"
        self.command("dpkg-query", f"case ${{@: -1}} in {known}) printf installed ;; *) exit 1 ;; esac")

    def plain_user(self) -> None:
        self.command("id", "echo 1000")

    def run(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.commands}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-c", f". {self.root}/script/lib.sh\n{script}"],
            env={"PATH": path, "HOME": str(self.root), "LANG": "C.UTF-8", **environment},
            capture_output=True,
            text=True,
            timeout=240,
        )

    def apt(self, install_status: int = 0) -> None:
        """apt-get only writes down its arguments, and if daemons were forbidden then."""
        self.command(
            "apt-get",
            f'echo "$* policy=$(cat {self.root}/policy-rc.d 2>/dev/null | tail -n 1)" >> {self.root}/asked\n'
            f'[[ $* != *install* ]] || {{ echo "Setting up mmdebstrap (1.3)"; exit {install_status}; }}',
        )

    @property
    def apt_calls(self) -> list[str]:
        file = self.root / "asked"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def names(self) -> set[str]:
        return {item.name for item in self.root.iterdir()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "repository")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_script_parses(script: Path) -> None:
    done = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True)
    assert not done.returncode, done.stderr


@pytest.mark.parametrize(
    "script", [file for file in SCRIPTS if file.suffix == ""], ids=lambda script: script.name
)
def test_script_may_be_started(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/usr/bin/env bash\n")


def test_ci_has_a_fault_of_every_section() -> None:
    chosen = re.findall(r"--only (\S+)", (REPOSITORY / ".ci" / "run").read_text())
    named = {FAULTS[name].condition for name in chosen}
    assert not [symptom.key for symptom in SECTIONS if not named & set(symptom.conditions)]


def test_plain_user_gets_the_command_and_nothing_is_installed(place: Place) -> None:
    place.plain_user()
    place.has("iproute2", "gcc")
    place.apt()
    before = place.names
    done = place.run("need_packages iproute2 gcc mmdebstrap")
    assert done.returncode == 1
    lines = [line.strip() for line in done.stderr.splitlines() if "apt-get" in line]
    assert lines == [
        "sudo apt-get update && sudo apt-get install -y --no-install-recommends mmdebstrap uidmap"
    ]
    assert not place.apt_calls
    assert place.names == before


def test_plain_user_with_all_packages_gets_no_message(place: Place) -> None:
    place.plain_user()
    place.has("gcc", "uidmap")
    done = place.run("need_packages gcc")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_root_installs_what_is_missing_and_no_daemon_starts(place: Place) -> None:
    place.has("gcc")
    place.apt()
    policy = place.root / "policy-rc.d"
    place.command("systemctl", "true")
    done = place.run(
        f'mkdir .lab; mapfile -t missing < <(missing_packages gcc mmdebstrap); without_daemons {policy} apt_get "${{missing[@]}}"'
    )
    assert done.returncode == 0, done.stderr
    assert place.apt_calls == [
        "-q update policy=exit 101",
        "-q -y --no-install-recommends -o Dpkg::Use-Pty=0 install mmdebstrap policy=exit 101",
    ]
    assert "mmdebstrap" in done.stdout, "progress is shown"
    assert not policy.exists()


def test_failure_of_apt_is_a_failure_and_the_policy_is_gone(place: Place) -> None:
    place.apt(install_status=100)
    policy = place.root / "policy-rc.d"
    done = place.run(f"mkdir .lab; without_daemons {policy} apt_get mmdebstrap && echo went on")
    assert done.returncode
    assert "went on" not in done.stdout
    assert not policy.exists()


def test_policy_of_the_machine_stays(place: Place) -> None:
    policy = place.root / "policy-rc.d"
    policy.write_text("of the machine\n")
    assert place.run(f"without_daemons {policy} true").returncode == 0
    assert policy.read_text() == "of the machine\n"


def test_machine_without_apt_gets_a_list_of_needs(place: Place) -> None:
    needed = ("bash", "sed", "grep", "dirname", "python3")
    for name in needed:
        (place.commands / name).symlink_to(
            sys.executable if name == "python3" else shutil.which(name) or "/bin/false"
        )
    done = place.run("PATH=$(dirname $(command -v dpkg-query)); need_packages mmdebstrap gcc")
    assert done.returncode == 1
    assert "mmdebstrap gcc" in done.stderr


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": ""}, "en"),
    ],
    ids=["zh", "overridden", "none"],
)
def test_language_is_the_suites(place: Place, locale: dict[str, str], language: str) -> None:
    ours = "from bkpaas.language import language_of_locale; print(language_of_locale())"
    theirs = subprocess.run(
        [sys.executable, "-c", ours], cwd=REPOSITORY, env=locale, capture_output=True, text=True
    )
    assert place.run("say en zh", **locale).stdout == theirs.stdout == f"{language}\n"


def pythons(place: Place, **versions: str) -> None:
    """Interpreters by name; all others of the machine are hidden. A version of "" is one that cannot start."""
    names = ["python3", *(f"python3.{minor}" for minor in range(10, 15))]
    for name in names:
        version = versions.get(name.replace(".", "_"), "")
        interpreter = f'exec {sys.executable} -c "import sys; sys.version_info = ({version}); ${{2}}"'
        place.command(name, interpreter if version else "exit 127")


@pytest.mark.parametrize(
    ("versions", "chosen"),
    [
        ({"python3": "3, 11"}, "python3"),
        ({"python3": "3, 9", "python3_12": "3, 12", "python3_10": "3, 10"}, "python3.12"),
        ({"python3": "3, 9"}, ""),
        ({}, ""),
    ],
    ids=["usual", "newer-beside-old", "only-old", "none"],
)
def test_python_is_the_first_that_is_new_enough(place: Place, versions: dict[str, str], chosen: str) -> None:
    pythons(place, **versions)
    assert Path(place.run("find_python").stdout.strip()).name == chosen


def test_named_python_comes_first(place: Place) -> None:
    pythons(place, python3="3, 11", python3_13="3, 13")
    assert place.run("find_python", PYTHON="python3.13").stdout.strip().endswith("/python3.13")


def test_missing_python_is_a_missing_package(place: Place) -> None:
    pythons(place)
    place.plain_user()
    place.has("gcc", "uidmap")
    assert "--no-install-recommends python3-venv" in place.run("need_packages gcc").stderr


def test_environment_is_made_once_for_each_lock(place: Place) -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        (place.root / name).write_text(f"{name}==1\n")
    (place.root / ".venv" / "bin").mkdir(parents=True)
    (place.root / ".venv" / "bin" / "python").symlink_to(sys.executable)
    assert place.run("is_installed requirements.lock").returncode
    place.run("fingerprint requirements.lock > .venv/installed")
    assert place.run("is_installed requirements.lock").returncode == 0
    assert place.run("is_installed requirements-dev.lock").returncode
    place.run("fingerprint requirements-dev.lock > .venv/installed")
    assert place.run("is_installed requirements.lock && is_installed requirements-dev.lock").returncode == 0
    (place.root / "requirements.lock").write_text("changed==1\n")
    assert place.run("is_installed requirements.lock").returncode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave files that another user cannot replace")
def test_files_of_another_user_are_named_with_the_fix() -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        place = Place(Path(directory) / "repository")
        (place.root / ".lab").mkdir(mode=0o755)
        done = subprocess.run(
            ["bash", "-c", f". {place.root}/script/lib.sh; own_directories"],
            user=65534, group=65534, extra_groups=[], capture_output=True, text=True, cwd="/",
        )  # fmt: skip
        assert done.returncode == 1
        assert f"sudo rm -rf {place.root}/.lab" in done.stderr


@pytest.mark.parametrize(
    "name", sorted(file.name for file in (REPOSITORY / "script").iterdir() if file.name != "lib.sh")
)
def test_help_explains_and_starts_nothing(name: str) -> None:
    """The --help of a program of the suite is tested with it; here only that nothing is set up before."""
    done = subprocess.run(
        [REPOSITORY / "script" / name, "--help"], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) > 80 and "==>" not in done.stdout
