"""tests_site/: the examples of docs/custom-checks.md run unchanged, and mistakes of a site get a clear message."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from custom.site import DOCUMENTS, HEALTHY, Site, changed, documented

SNAPSHOT = f"--from-snapshot={HEALTHY}"
HOSTS = {"appo-1", "appt-1", "cmdb-1", "data-1", "es-1", "job-1", "nginx-1", "paas-1", "paas-2"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


@pytest.fixture(params=DOCUMENTS, ids=["en", "zh"])
def example(request: pytest.FixtureRequest, site: Site) -> Site:
    """The documented conditions on facts."""
    path = "tests_site/test_ours.py"
    site.put(path, documented(request.param)[path])
    return site


def spoil(snapshot: dict[str, Any]) -> None:
    snapshot["hosts"]["job-1"]["system"].update(zone="UTC", utc_offset_seconds=0)
    login = snapshot["hosts"]["paas-2"]["settings"]["by_project"]["login"]
    login["values"]["BK_COOKIE_DOMAIN"][3] = ".elsewhere.test"


def test_the_documented_example_holds_on_a_healthy_deployment(example: Site) -> None:
    done = example.run(SNAPSHOT, "-m", "site")
    assert done.exit == 0, done.out
    assert done.of("site-time-zone") == dict.fromkeys(HOSTS, "pass")
    assert done.of("site-cookie-domain") == {"paas-1": "pass", "paas-2": "pass"}
    assert set(done.of("disk-space")) == set()
    assert done.verdicts["site-time-zone@job-1"]["evidence"].startswith("CST")


def test_a_sites_verdicts_are_like_all_others(example: Site, tmp_path: Path) -> None:
    """Severity, evidence, remedy with its slots, causes; in the record, both pages, JUnit, and on the terminal."""
    done = example.run(changed(tmp_path / "spoilt.json", spoil))
    assert done.exit == 1
    assert done.of("site-time-zone") == {**dict.fromkeys(HOSTS, "pass"), "job-1": "warn"}
    zone, cookie = done.verdicts["site-time-zone@job-1"], done.verdicts["site-cookie-domain@paas-2"]
    assert "UTC" in zone["evidence"] and "# on job-1" in zone["remedy"].replace("在 job-1 上执行", "on job-1")
    assert cookie["verdict"] == "fail" and ".elsewhere.test" in cookie["evidence"]
    assert "settings-across-projects@paas-2" in cookie["explained_by"]
    assert cookie["remedy"].endswith("/etc/supervisor-open_paas.conf restart login")
    assert cookie["faq"] == "site" and cookie["translated"]["title"] == "登录 cookie 的域是本公司域名"
    section = next(section for section in done.results["sections"] if section["key"] == "site")
    assert section["conditions"] == ["site-time-zone", "site-cookie-domain"]
    for file in ("details.html", "junit.xml"):
        assert "site-time-zone@job-1" in (done.directory / file).read_text("utf-8"), file
    page = (done.directory / "report.html").read_text("utf-8")
    assert "site-time-zone" in page and "This site" in page and ".elsewhere.test" in page
    assert "site-cookie-domain@paas-2" in done.out


def test_selection_and_waivers_hold_for_a_sites_conditions(example: Site, tmp_path: Path) -> None:
    def accept(snapshot: dict[str, Any]) -> None:
        spoil(snapshot)
        waiver = {"condition": "site-time-zone", "hosts": ["job-1"], "reason": "abroad", "owner": "ops"}
        snapshot["deployment"]["waivers"] = [{**waiver, "expires": "2999-12-31", "evidence": None}]

    snapshot = changed(tmp_path / "spoilt.json", accept)
    done = example.run(snapshot, "--only", "site-time-zone@job-1", "--only", "site-time-zone@es-1")
    assert done.exit == 0 and len(done.verdicts) == 2
    assert done.of("site-time-zone") == {"job-1": "waived", "es-1": "pass"}
    done = example.run(snapshot, "-m", "login_redirect_loop")
    assert set(done.of("site-cookie-domain")) == {"paas-1", "paas-2"} and not done.of("site-time-zone")


def test_workers_report_a_sites_conditions(site: Site, tmp_path: Path) -> None:
    path = "tests_site/test_ours.py"
    site.put(path, documented(DOCUMENTS[0])[path])
    words = (changed(tmp_path / "spoilt.json", spoil), "tests_site", "tests_paas/test_redirect_loop.py")
    alone, together = site.run(*words), site.run(*words, "-n", "2", "--dist", "load")
    assert alone.of("site-cookie-domain") == {"paas-1": "pass", "paas-2": "fail"}
    assert together.exit == alone.exit == 1
    assert together.results["verdicts"] == alone.results["verdicts"]
    assert together.results["root_causes"] == alone.results["root_causes"]


def test_a_lost_test_of_a_site_is_no_data(site: Site) -> None:
    path = "tests_site/test_ours.py"
    site.put(path, documented(DOCUMENTS[0])[path])
    site.put(
        "spoiler.py",
        "import os\n"
        "def pytest_runtest_call(item):\n"
        "    if 'site-time-zone@es-1' in item.name:\n"
        "        os._exit(9)\n",
    )
    done = site.run(
        SNAPSHOT, "tests_site", "-n", "1", "--dist", "load", "--max-worker-restart=0", "-p", "spoiler"
    )
    assert done.exit == 1 and done.of("site-time-zone")["es-1"] == "no_data"
    assert "did not run" in done.verdicts["site-time-zone@es-1"]["reason"]


def test_a_live_check_of_a_snapshot_is_no_data(site: Site) -> None:
    files = documented(DOCUMENTS[0])
    for path in ("tests_site/test_live.py", "tests_site/test_plain.py"):
        site.put(path, files[path])
    done = site.run(SNAPSHOT, "tests_site")
    assert done.exit == 1
    assert set(done.of("site-hosts-file-ours").values()) == {"no_data"}
    assert "checking a saved snapshot" in done.verdicts["site-hosts-file-ours@es-1"]["reason"]
    assert "test_plain.py::test_passwd_is_safe[paas-1]: checking a saved snapshot" in done.out
    assert "test_the_inventory_has_two_paas_hosts" not in done.out


HEAD = "from bkpaas.checks import condition\n\n\n"
JUDGE = "def test_it(host):\n    '''True.'''\n"
MISTAKES = {
    "taken": ("@condition('disk-space')\n" + JUDGE, "4: disk-space is a condition of the suite, which has its own check"),
    "prefix": ("@condition('ours')\n" + JUDGE, "4: there is no condition 'ours'; a custom condition begins with 'site-'"),
    "case": ("@condition('site-Ours', remedy='x')\n" + JUDGE, "4: 'site-Ours': an id is site-, then words of a-z and 0-9"),
    "remedy": ("@condition('site-a')\n" + JUDGE, "4: site-a needs a title"),
    "title": ("@condition('site-b', remedy='x')\ndef test_it(host):\n    pass\n", "4: site-b needs a title"),
    "brace": ("@condition('site-c', remedy='{')\n" + JUDGE, "4: its remedy has a brace that does not open a variable"),
    "symptom": (
        "@condition('site-d', remedy='x', symptoms=('login',))\n" + JUDGE,
        "4: no symptom login; available: foundations, login-no-response",
    ),
    "cause": (
        "from bkpaas.checks import same_host\n\n\n"
        "@condition('site-f', remedy='x', causes=same_host('disk-full'))\n" + JUDGE,
        "7: no condition disk-full that could cause it",
    ),
    "twice": (
        "@condition('site-e', remedy='x')\ndef test_other(host):\n    '''True.'''\n\n\n"
        "@condition('site-e', remedy='x')\n" + JUDGE,
        "9: site-e is already checked at ",
    ),
    "syntax": ("def test_it(:\n", "SyntaxError"),
    "import": ("import nosuchmodule\n", "No module named 'nosuchmodule'"),
}  # fmt: skip


def test_a_file_with_a_mistake_is_named_and_keeps_nothing_else_from_being_judged(site: Site) -> None:
    for name, (text, _) in MISTAKES.items():
        site.put(f"tests_site/test_{name}.py", HEAD + text)
    done = site.run(SNAPSHOT, "tests_site", "tests_paas/test_foundations.py")
    assert done.exit == 1 and "Traceback" not in done.out
    for name, (_, expected) in MISTAKES.items():
        block = done.out[done.out.index(f"  tests_site/test_{name}.py:") :]
        assert expected in block.partition("\n  tests_site/")[0], block
    assert set(done.of("host-reachable")) == HOSTS and done.results["counts"]["no_data"] == 0


def test_a_mistake_within_a_test_is_no_data_and_says_where_and_what(site: Site) -> None:
    site.put(
        "tests_site/test_wrong.py",
        HEAD + "@condition('site-ours', remedy='x', roles='nginx')\n"
        "def test_it(host):\n    '''True.'''\n    host.nginx.no_such_thing\n\n\n"
        "@condition('site-loud', remedy='x', roles='nginx')\n"
        "def test_loud(host):\n    '''True.'''\n"
        "    raise RuntimeError('password=hunter2secret\\n\\x1b[31m' + 'x' * 999)\n",
    )
    done = site.run(SNAPSHOT, "tests_site")
    assert done.exit == 1 and done.of("site-ours") == {"nginx-1": "no_data"}
    reason = done.verdicts["site-ours@nginx-1"]["reason"]
    assert "own test is broken: AttributeError (test_wrong.py:7): 'Nginx' object has no" in reason
    assert "no_such_thing" in reason
    reason = done.verdicts["site-loud@nginx-1"]["reason"]
    assert "RuntimeError (test_wrong.py:13): password=secret:" in reason and "hunter2secret" not in reason
    assert "\\x1b[31mxxx" in reason and len(reason) < 300 and "hunter2secret" not in done.out


def test_what_a_test_of_a_site_reports_has_no_secrets(site: Site) -> None:
    check = "@condition('site-{0}', remedy='x', roles='nginx')\ndef test_{0}(host, finding):\n    '''True.'''\n    {1}\n\n\n"
    site.put(
        "tests_site/test_leaks.py",
        HEAD
        + "from bkpaas.checks import NoData\n\n\n"
        + check.format("said", "assert False, 'password=hunter2said'")
        + check.format("gone", "raise NoData('password=hunter2gone')")
        + check.format("seen", "finding.add_evidence('password=hunter2seen')")
        + check.format("printed", "print('password=hunter2printed'); assert False, 'x'"),
    )
    done = site.run(SNAPSHOT, "tests_site", "-rA")
    words = {name: done.of(f"site-{name}")["nginx-1"] for name in ("said", "gone", "seen", "printed")}
    assert words == {"said": "fail", "gone": "no_data", "seen": "pass", "printed": "fail"}
    assert "hunter2" not in done.out and "hunter2" not in str(done.results)
    assert "password=secret:" in done.verdicts["site-said@nginx-1"]["evidence"]


def test_a_role_that_no_host_has_is_not_applicable(site: Site) -> None:
    site.put(
        "tests_site/test_ours.py",
        HEAD + "@condition('site-ours', remedy='x', roles='kafka')\ndef test_it(host):\n    '''True.'''\n",
    )
    done = site.run(SNAPSHOT, "tests_site", "--lang", "zh")
    assert done.of("site-ours") == {"deployment": "not_applicable"}
    assert done.verdicts["site-ours@deployment"]["reason"] == "清单中没有角色为 kafka 的主机"


@pytest.mark.parametrize("document", DOCUMENTS, ids=["en", "zh"])
def test_a_condition_in_a_file_of_its_own(site: Site, document: Path, tmp_path: Path) -> None:
    """The example of the document: its texts, its case and its causes are those of the file."""
    text = document.read_text("utf-8")
    (file,) = re.findall(r"```toml\n# (tests_site/site-backup-room\.toml)\n(.*?)```", text, re.S)
    (test,) = re.findall(r'```python\n(@condition\("site-backup-room"\)\n.*?)```', text, re.S)
    site.put(*file)
    site.put("tests_site/test_room.py", f"from bkpaas.checks import condition\n\n\n{test}")

    def fill(snapshot: dict[str, Any]) -> None:
        for disk in snapshot["hosts"]["appo-1"]["disks"]["items"]:
            disk["bytes_available"] = disk["bytes"] // 20

    done = site.run(changed(tmp_path / "filled.json", fill), "tests_site")
    assert done.of("site-backup-room") == {"appo-1": "warn", "paas-1": "pass", "paas-2": "pass"}
    verdict = done.verdicts["site-backup-room@appo-1"]
    assert verdict["title"] == "Every file system of the host has 10 percent of its space left"
    assert verdict["translated"]["title"] == "主机的每个文件系统都有 10% 的剩余空间"
    assert verdict["remedy"].endswith("$ df -h\n$ ls -lt /data/backup    # on appo-1")
    (cause,) = done.results["causes"]
    assert cause["headline"] == "A file system of appo-1 has too little space for the backup"
    assert (
        cause["case"] == verdict["case"] == "failed" and cause["translated"] == "appo-1 的文件系统放不下备份"
    )


def test_a_file_of_a_condition_that_cannot_be_used_is_named(site: Site) -> None:
    ((_, text),) = re.findall(r"```toml\n# (tests_site/\S+)\n(.*?)```", DOCUMENTS[0].read_text("utf-8"), re.S)
    site.put("tests_site/site-wrong.toml", text.replace('zh = "移走旧的备份。"\n', ""))
    site.put("tests_site/site-twice.toml", text)
    site.put(
        "tests_site/test_wrong.py", HEAD + "@condition('site-wrong')\ndef test_it(host):\n    '''True.'''\n"
    )
    site.put(
        "tests_site/test_twice.py",
        HEAD + "@condition('site-twice', remedy='x')\ndef test_it(host):\n    '''True.'''\n",
    )
    done = site.run(SNAPSHOT, "tests_site")
    assert done.exit == 1
    assert "site-wrong.toml: remedy[0]: Object missing required field `zh`" in done.out
    assert "site-twice.toml describes site-twice: only `symptoms` may be given here" in done.out


def test_a_plain_test_is_reported_by_pytest_and_counts(site: Site) -> None:
    site.put(
        "tests_site/test_plain.py",
        "def test_good(deployment):\n    assert deployment.domain\n\n\n"
        "def test_bad(deployment):\n    assert deployment.domain == 'paas.example.com'\n",
    )
    done = site.run(SNAPSHOT, "tests_site", "tests_paas/test_foundations.py")
    assert done.exit == 1
    assert not done.results["counts"]["fail"] and set(done.of("host-reachable")) == HOSTS
    where = "AssertionError: assert deployment.domain == 'paas.example.com' (test_plain.py:6)"
    assert f"tests_site/test_plain.py::test_bad: {where}" in done.out
    assert "test_good" not in done.out
    details = (done.directory / "details.html").read_text("utf-8")
    assert "tests_site/test_plain.py::test_good" in details
    done = site.run(SNAPSHOT, "tests_site", "tests_paas/test_foundations.py", "-k", "good or collected")
    assert done.exit == 0


def test_what_a_site_adds_is_not_the_repositorys() -> None:
    ignored = (HEALTHY.parents[2] / ".gitignore").read_text().split()
    assert "/tests_site/" in ignored
