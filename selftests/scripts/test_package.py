"""The package: what it declares, what a wheel of it holds, and an installation from the wheel alone."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
SEPARATE_FILES = ("conftest.py", "pytest.ini", "tests_paas", "tests_appengine", "tests_logging", "inventory")
"""Files that a run needs and a wheel does not contain."""
NOT_PACKAGED = {".po"}
"""Sources of other files of the package."""
INSTALL_SECONDS = 500
RUN_SECONDS = 200


def tracked_files(below: str) -> list[str]:
    """Return the files of the work tree below a directory, as git lists them, without deleted ones."""
    options = ("--cached", "--others", "--exclude-standard")
    done = subprocess.run(
        ["git", "ls-files", *options, "--", below], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return sorted({name for name in done.stdout.splitlines() if (ROOT / name).is_file()})


def distribution_name(requirement: str) -> str:
    """Return the normalised name of the distribution that a requirement asks for."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]).lower()


def declared_distributions() -> set[str]:
    """Return the distributions that the metadata of the package requires."""
    return {distribution_name(line) for line in metadata.requires("bkpaas-acceptance") or ()}


def imported_modules(file: str) -> Iterator[str]:
    """Yield the top-level modules that a file imports, whether at its top or in a function."""
    for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def imported_distributions() -> dict[str, str]:
    """Return the distributions that the package and its checks import, each with a file that does."""
    owners = metadata.packages_distributions()
    files = [name for name in tracked_files("bkpaas") if name.endswith(".py")]
    files += [name for below in SEPARATE_FILES for name in tracked_files(below) if name.endswith(".py")]
    return {
        distribution_name(owner): file
        for file in files
        for module in imported_modules(file)
        if module not in sys.stdlib_module_names and module != "bkpaas"
        for owner in owners.get(module, [module])
    }


def is_pytest_plugin(name: str) -> bool:
    return any(point.group == "pytest11" for point in metadata.distribution(name).entry_points)


def test_each_imported_distribution_is_declared() -> None:
    imported = imported_distributions()
    assert len(imported) > 5
    assert {name: file for name, file in imported.items() if name not in declared_distributions()} == {}


def test_each_declared_distribution_is_imported_or_a_plugin_of_pytest() -> None:
    unused = declared_distributions() - set(imported_distributions())
    assert {name for name in unused if not is_pytest_plugin(name)} == set()


def test_the_lock_files_pin_each_declared_distribution() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        pinned = {distribution_name(line) for line in (ROOT / lock).read_text().splitlines() if "==" in line}
        assert declared_distributions() <= pinned, lock


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel from a copy of the work tree."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    for name in ("pyproject.toml", *tracked_files("bkpaas")):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(place))
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], check=True)
    (built,) = place.glob("*.whl")
    return built


def test_a_wheel_holds_each_file_of_the_package(wheel: Path) -> None:
    packed = {name for name in ZipFile(wheel).namelist() if name.startswith("bkpaas/")}
    assert packed == {name for name in tracked_files("bkpaas") if Path(name).suffix not in NOT_PACKAGED}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel in an environment of its own, next to the checks. Return that directory."""
    place = tmp_path_factory.mktemp("installed")
    pins = re.findall(r"^\S+==[^\\\n]+", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    (place / "pins.txt").write_text("\n".join(pins))
    subprocess.run([sys.executable, "-m", "venv", place / ".venv"], check=True)
    options = ("--quiet", "--no-compile", "--only-binary", ":all:")
    pip = [str(place / ".venv/bin/python"), "-m", "pip", "install", *options]
    subprocess.run(
        [*pip, "--constraint", str(place / "pins.txt"), str(wheel)], check=True, timeout=INSTALL_SECONDS
    )
    for below in SEPARATE_FILES:
        for name in tracked_files(below):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
    return place


def run_installed(installed: Path, *args: str) -> str:
    """Run pytest of the environment there; return its output, raise AssertionError if it fails."""
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(installed)}
    done = subprocess.run(
        [installed / ".venv/bin/python", "-m", "pytest", *args],
        cwd=installed,
        env=environment,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def test_an_installed_wheel_prints_the_plan(installed: Path) -> None:
    assert not (installed / "bkpaas").exists()
    out = run_installed(installed, "--inventory", "inventory/example-6.x", "--plan", "--lang", "en")
    assert "3 hosts" in out and "nothing has been sent" in out


def test_an_installed_wheel_judges_a_snapshot_and_writes_the_page(installed: Path) -> None:
    shutil.copy(ROOT / "selftests" / "snapshots" / "healthy.json", installed / "healthy.json")
    args = ("--from-snapshot", "healthy.json", "--baseline", "healthy.json", "--report", "report")
    assert "All is well" in run_installed(installed, *args, "--lang", "en")
    assert (installed / "report" / "results.json").is_file()
    assert "<html" in (installed / "report" / "report.html").read_text("utf-8")[:2000]
