"""docs/install.md, followed word by word: a wheelhouse, an installation from it alone, and a verdict."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from docs.pages import ROOT, page, shell_lines

PAGE = ROOT / "docs" / "install.md"
PROXIES = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
PIP = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


def block(begin: str) -> list[str]:
    """The commands of the page's block that holds this."""
    (found,) = [block for block in page(PAGE).code if begin in block]
    return shell_lines(found)


def run(lines: list[str], cwd: Path, **variables: str) -> str:
    """The commands in one shell, as a person types them; it ends at the first that fails."""
    environment = {
        "PATH": f"{Path(sys.executable).resolve().parent}:/usr/bin:/bin",
        "HOME": str(cwd),
        **variables,
    }
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(lines)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=580,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def test_a_wheelhouse_is_enough(tmp_path: Path) -> None:
    there, here = tmp_path / "with-internet", tmp_path / "without"
    there.mkdir()
    (here / "opt").mkdir(parents=True)
    (there / "requirements.lock").symlink_to(ROOT / "requirements.lock")
    venv, download, archive = block("pip download")
    assert venv == "python3 -m venv .venv"
    (there / ".venv").symlink_to(sys.prefix)
    assert archive == "git archive --prefix bkpaas-acceptance/ -o bkpaas-acceptance.tar HEAD"
    run([download], there, **PIP, **PROXIES)
    wheels = list((there / "wheelhouse").iterdir())
    assert 25 <= len(wheels) <= 35, "the page says about 30"
    assert sum(wheel.stat().st_size for wheel in wheels) < 15 << 20, "the page says 10 MB"
    tree = here / "opt" / "bkpaas-acceptance"
    files = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    subprocess.run(
        ["bash", "-c", f"mkdir {tree}; tar -C {ROOT} -cf - -T - | tar -xf - -C {tree}"],
        input=files,
        text=True,
        check=True,
    )
    unpack, *rest = block("--no-index")
    assert unpack.startswith("tar -xf bkpaas-acceptance.tar")
    lines = [
        line.replace("/opt", str(here / "opt"))
        .replace("WHEELHOUSE", str(there / "wheelhouse"))
        .replace("/tmp/bkpaas-check", str(here / "report"))
        for line in rest
    ]
    assert "--no-index" in lines[2] and "--no-index" in lines[3]
    nowhere = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_NO_COMPILE": "1"}
    out = run(lines, here, LC_ALL="C.UTF-8", **nowhere)
    assert "All is well" in out and (here / "report" / "results.json").exists()
