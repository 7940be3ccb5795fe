"""The worked examples: each is what its service takes, and does what its page says, on recorded hosts."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cronsim import CronSim
from pygments.lexers import GroovyLexer
from pygments.token import Comment, Error, Operator
from report.robots import robot

from bkpaas import inventory
from docs import examples
from docs.conftest import Site
from docs.pages import EXAMPLES, ROOT, page

BIN = Path(sys.executable).parent
SUITE, STATE, ETC = "/opt/bkpaas-acceptance", "/var/lib/bkpaas", "/etc/bkpaas"


def open_socket(snapshot: Any) -> None:
    snapshot["hosts"]["paas-1"]["supervisors"]["by_module"]["open_paas"]["socket"]["mode"] = 0o777


def moved(text: str, site: Site) -> str:
    """The same with the places of a site in this directory."""
    text = text.replace(SUITE, str(site.suite)).replace(STATE, str(site.state))
    return text.replace(ETC, f"{site.root}/etc")


def verdicts(folder: Path) -> int:
    return len(json.loads((folder / "results.json").read_text("utf-8"))["verdicts"])


# ---- every file is what its service takes


def test_every_example_is_shown_on_a_page() -> None:
    for language in ("", ".zh-CN"):
        shown = {
            link
            for name in ("nightly", "install", "connect", "engines")
            for link in page(ROOT / "docs" / f"{name}{language}.md").links
        }
        assert {f"examples/{file.name}" for file in EXAMPLES.iterdir() if file.is_file()} <= shown


@pytest.mark.parametrize("name", examples.SHELL)
def test_shell_is_sound(name: str, tmp_path: Path) -> None:
    shell = examples.SHELL[name]()
    assert shell.strip()
    script = tmp_path / "script"
    begin = "" if shell.startswith("#!") else "#!/bin/bash\n"
    script.write_text(begin + shell, "utf-8")
    done = subprocess.run(
        [str(BIN / "shellcheck"), str(script)], capture_output=True, text=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert done.returncode == 0, done.stdout + done.stderr


SCHEMAS = {"gitlab-ci.yml": "vendor.gitlab-ci", "github-workflow.yml": "vendor.github-workflows"}


def check_schema(name: str, file: Path) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", SCHEMAS[name], str(file)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema(name: str, tmp_path: Path) -> None:
    done = check_schema(name, EXAMPLES / name)
    assert done.returncode == 0, done.stdout
    broken = tmp_path / name
    broken.write_text(re.sub(r"(timeout(-minutes)?):.*", r"\1: [soon]", examples.read(name)), "utf-8")
    assert check_schema(name, broken).returncode == 1


def test_gitlab_keeps_the_report_private_and_for_a_limited_time() -> None:
    job = examples.yaml("gitlab-ci.yml")["bkpaas-nightly"]
    artifacts = job["artifacts"]
    assert artifacts["access"] == "developer" and artifacts["expire_in"] and artifacts["when"] == "always"
    assert artifacts["reports"] == {"junit": "report/junit.xml", "codequality": "code-quality.json"}
    assert job["tags"] and job["resource_group"]


def test_github_runs_where_the_hosts_are() -> None:
    flow = examples.yaml("github-workflow.yml")
    job = flow["jobs"]["nightly"]
    assert job["runs-on"][0] == "self-hosted" and flow["permissions"] == {"contents": "read"}
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in job["steps"] if "uses" in step)


def test_jenkinsfile() -> None:
    """Groovy's tokens, brackets that match, and the sections of a declarative pipeline."""
    nesting: list[str] = []
    sections: list[str] = []
    before = ""
    for kind, text in GroovyLexer().get_tokens(examples.read("Jenkinsfile")):
        assert kind is not Error, text
        if kind in Comment or not text.strip():
            continue
        if kind in Operator:
            for sign in text:
                if sign in "([{":
                    nesting.append({"(": ")", "[": "]", "{": "}"}[sign])
                    if sign == "{" and nesting.count("}") <= 2:
                        sections.append(before)
                elif sign in ")]}":
                    assert nesting.pop() == sign
        else:
            before = text.strip()
    assert nesting == []
    assert sections[0] == "pipeline"
    assert {"triggers", "options", "stages", "post"} <= set(sections)


def test_cron() -> None:
    text = examples.read("bkpaas.cron")
    assert text.endswith("\n")
    variables, jobs = examples.cron()
    assert variables["MAILTO"] and len(jobs) == 1
    for *times, account, command in jobs:
        CronSim(" ".join(times), datetime(2026, 1, 1))
        assert account == "bkpaas" and "%" not in command


def test_units_are_verified(site: Site) -> None:
    """systemd itself checks the units, with the paths of this machine; it reports a misspelt setting."""

    def verify(**spoilt: str) -> str:
        folder = site.root / "units"
        folder.mkdir(exist_ok=True)
        files = []
        for name in ("bkpaas-nightly.service", "bkpaas-nightly.timer"):
            text = moved(examples.read(name), site)
            for word, other in spoilt.items():
                text = text.replace(word, other)
            files.append(folder / name)
            files[-1].write_text(text, "utf-8")
        tool = shutil.which("systemd-analyze")
        assert tool, "script/test installs systemd"
        done = subprocess.run([tool, "verify", "--man=no", *map(str, files)], capture_output=True, text=True)
        return done.stdout + done.stderr

    assert "bkpaas-nightly" not in verify()
    assert "MemoryMost" in verify(MemoryMax="MemoryMost")
    assert "calendar" in verify(OnCalendar="OnCalendar=sometimes #")


def test_the_service_is_confined_and_its_secrets_are_its_own() -> None:
    service = examples.unit("bkpaas-nightly.service")["Service"]
    for setting in ("ProtectSystem", "NoNewPrivileges", "CapabilityBoundingSet", "SystemCallFilter"):
        assert setting in service
    assert service["User"] == ["bkpaas"] and service["LoadCredential"] == ["key:/etc/bkpaas/key"]
    assert service["UMask"] == ["0077"]
    assert "key: /run/credentials/bkpaas-nightly.service/key" in examples.read("bkpaas-nightly.service")


def test_inventory(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "deployment.yaml", tmp_path)
    shutil.copy(ROOT / "inventory/example-install.config", tmp_path / "install.config")
    (tmp_path / "globals.env").write_text('export BK_DOMAIN="bk.example.com"\n')
    connection = inventory.load(tmp_path).hosts[0].connection
    assert connection.key == str(tmp_path / "key") and connection.sudo


# ---- and does what its page says


def test_gitlab_job(site: Site) -> None:
    variables = {"BKPAAS_KEY": f"{site.root}/etc/key", "CI_JOB_URL": "https://gitlab.example.com/j/1"}
    done = site.run(examples.gitlab(), **variables)
    assert done.exit == 0, done
    assert verdicts(site.suite / "report") > 100
    assert (site.suite / "summary.md").read_text("utf-8")
    for file in examples.yaml("gitlab-ci.yml")["bkpaas-nightly"]["artifacts"]["reports"].values():
        assert (site.suite / file).exists(), file
    assert list((site.suite / "history").iterdir()) and not (site.root / "etc/inventory/key").exists()
    assert (
        "-m pip install --quiet --require-hashes -r requirements.lock"
        in (site.root / "installed").read_text()
    )


def test_github_job(site: Site) -> None:
    job = examples.yaml("github-workflow.yml")["jobs"]["nightly"]
    (site.root / "inventory").symlink_to(site.root / "etc/inventory")
    (site.state / "key").write_text("a private key\n")
    summary = site.root / "step-summary"
    for step in job["steps"]:
        if "run" in step:
            assert (site.suite if step["working-directory"] == "suite" else None) == site.suite
            done = site.run(moved(step["run"], site), BKPAAS_WEBHOOK="", GITHUB_STEP_SUMMARY=str(summary))
            assert done.exit == 0, done
    assert verdicts(site.suite / "report") > 100 and summary.read_text("utf-8")
    assert list((site.state / "history").iterdir()) and not (site.root / "etc/inventory/key").exists()


def test_jenkins_job(site: Site) -> None:
    with robot((200, '{"errcode": 0}')) as chat:
        variables = {
            "BKPAAS_KEY": f"{site.root}/etc/key",
            "BKPAAS_WEBHOOK": chat.url,
            "BUILD_URL": "https://jenkins.example.com/job/1/",
        }
        done = site.run(moved(examples.jenkins(), site), "sh", "-xe", **variables)
    assert done.exit == 0, done
    assert len(chat.bodies) == 1
    assert verdicts(site.suite / "report") > 100 and list((site.state / "history").iterdir())


def test_cron_says_how_it_is_called(tmp_path: Path) -> None:
    for words in ([], [str(tmp_path)]):
        done = subprocess.run(["bash", str(EXAMPLES / "nightly.sh"), *words], capture_output=True, text=True)
        assert done.returncode == 64 and done.stderr.endswith("nightly.sh INVENTORY STATE\n")


def test_cron_is_silent_when_all_is_well(site: Site) -> None:
    _, [job] = examples.cron()
    done = site.run(moved(job[6], site), "/bin/bash", cwd=site.root)
    assert (done.exit, done.out, done.err) == (0, "", "")
    (report,) = (site.state / "reports").iterdir()
    assert verdicts(report) > 100 and list((site.state / "history").iterdir())
    assert report.stat().st_mode & 0o077 == 0


def test_cron_mails_the_summary_when_something_is_wrong(site: Site) -> None:
    _, [job] = examples.cron()
    site.change_snapshot(open_socket)
    done = site.run(moved(job[6], site), "/bin/bash", cwd=site.root)
    assert done.exit == 1 and "supervisor-sock" in done.out and "chmod 0700" in done.out


def test_cron_mails_the_output_of_pytest_without_a_summary(site: Site) -> None:
    _, [job] = examples.cron()
    (site.root / "snapshot.json").write_text("{}")
    done = site.run(moved(job[6], site), "/bin/bash", cwd=site.root)
    assert done.exit == 4 and "snapshot.json" in done.out


def test_two_runs_do_not_meet(site: Site) -> None:
    _, [job] = examples.cron()
    with (site.state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = site.run(moved(job[6], site), "/bin/bash", cwd=site.root)
    assert done.exit == 75 and "has not ended" in done.err
    assert not (site.state / "reports").exists()


def test_service_runs(site: Site) -> None:
    done = site.run(moved(examples.service(), site), "/bin/sh")
    assert done.exit == 0, done
    assert verdicts(site.state / "report") > 100 and list((site.state / "history").iterdir())


def test_acceptance_names_what_the_upgrade_changed(site: Site) -> None:
    script = f"docs/examples/acceptance.sh {{}} {site.root}/etc/inventory {site.root}/upgrade"
    before = site.run(script.format("before"))
    assert before.exit == 0, before
    site.change_snapshot(open_socket)
    after = site.run(script.format("after"))
    assert after.exit == 1 and "supervisor-sock@paas-1" in after.out, after
    kept = {file.name: file.stat().st_mode & 0o777 for file in (site.root / "upgrade").iterdir()}
    assert kept["before.json"] == kept["secret-key"] == 0o600
    assert site.run(script.format("during")).exit == 64


# ---- the container


def test_container_is_pinned_and_not_root() -> None:
    steps = examples.container()
    order = [step["instruction"] for step in steps]
    base = next(step["value"] for step in steps if step["instruction"] == "ARG")
    assert re.search(r":\d+\.\d+-slim-[a-z]+$", base)
    assert steps[order.index("FROM")]["value"] == "${BASE}"
    assert order.index("USER") < order.index("ENTRYPOINT") == len(order) - 1
    assert int(steps[order.index("USER")]["value"]) > 0 and "ADD" not in order
    assert "--require-hashes" in examples.SHELL["Containerfile"]()


def test_what_is_copied_into_the_container_is_enough(site: Site) -> None:
    """The entry point on a tree of the copied files alone."""
    tree = site.root / "image"
    tree.mkdir()
    (tree / ".venv").symlink_to(site.suite / ".venv")
    entry: list[str] = []
    for step in examples.container():
        if step["instruction"] == "COPY":
            *sources, target = step["value"].split()
            for source in sources:
                place = tree / (source if target == "./" else target)
                copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
                copy(ROOT / source, place)
        elif step["instruction"] == "ENTRYPOINT":
            entry = json.loads(step["value"])
    assert entry[-2:] == ["--report", "/report"]
    words = [*entry[:-1], str(site.root / "report"), "--inventory", str(site.root / "etc/inventory")]
    done = site.run(" ".join(words), cwd=tree, PYTHONPATH=str(tree))
    assert done.exit == 0, done
    assert verdicts(site.root / "report") > 100
