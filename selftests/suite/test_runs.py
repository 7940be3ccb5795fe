"""A run from its command line to its record: words, exit codes, the ledger, interruption; on a recorded snapshot."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEALTHY = ROOT / "selftests/snapshots/healthy.json"


def open_socket(snapshot):
    snapshot["hosts"]["paas-1"]["supervisors"]["by_module"]["open_paas"]["socket"]["mode"] = 0o777


def stop_chronyd(snapshot):
    snapshot["hosts"]["job-1"]["time_daemon"].update(daemon=None, pid=None, synchronised=None)


def test_a_healthy_deployment_is_green(run):
    done = run()
    assert done.exit == 0
    counts = done.results["counts"]
    assert counts["pass"] > 100 and not counts["fail"] + counts["warn"] + counts["no_data"]
    assert done.results["root_causes"] == [] and done.results["run"]["exit"] == 0
    assert {path.name for path in done.directory.iterdir()} >= {
        "results.json",
        "report.html",
        "details.html",
        "junit.xml",
    }


def test_a_failure_is_red_with_evidence_and_remedy(run, changed):
    done = run(snapshot=changed(open_socket))
    assert done.exit == 1
    assert done.results["root_causes"] == ["supervisor-sock@paas-1"]
    found = next(v for v in done.results["verdicts"] if v["id"] == "supervisor-sock@paas-1")
    assert found["case"] == "wrong-mode"
    assert {v["case"] for v in done.results["verdicts"] if v["verdict"] == "pass"} == {None}
    assert done.results["causes"] == [
        {
            "headline": "/data/bkce/logs/open_paas/supervisor.sock on paas-1 has the mode srwxrwxrwx",
            "case": "wrong-mode",
            "ids": ["supervisor-sock@paas-1"],
            "hosts": ["paas-1"],
            "explains": [],
            "may_explain": [],
            "translated": "paas-1 上 /data/bkce/logs/open_paas/supervisor.sock 的权限为 srwxrwxrwx",
        }
    ]
    assert "srwxrwxrwx" in found["evidence"] and "chmod 0700 /data/bkce/" in found["remedy"]
    assert "supervisor-sock@paas-1" in done.out
    details = (done.directory / "details.html").read_text()
    assert details.count("col-bkId") == len(done.results["verdicts"]) and "srwxrwxrwx" in details


@pytest.mark.parametrize(("language", "closing"), [("en", "1 fail"), ("zh", "1 失败")])
def test_the_closing_line_is_one_in_the_language_of_the_run(run, changed, language, closing):
    done = run("--only", "supervisor-sock", "--lang", language, snapshot=changed(open_socket))
    last = done.out.strip().splitlines()[-1]
    assert closing in last and last.endswith("report.html")
    assert " passed" not in done.out and " failed" not in done.out


def test_tests_of_the_sites_own_are_counted_by_pytest_too(run, tmp_path):
    own = tmp_path / "test_own.py"
    own.write_text("def test_mine(): pass")
    done = run(str(own), "tests_paas/test_fatal.py")
    *_, before, _, _, _, _, last = done.out.strip().splitlines()
    assert "passed" in before and last.endswith("report.html")


@pytest.mark.parametrize("workers", [(), ("-n", "2", "--dist", "load")])
def test_of_very_many_verdicts_details_holds_what_is_not_pass(run, changed, workers):
    few = """
        from bkpaas.report import details
        details.ROWS = 100
    """
    done = run(*workers, snapshot=changed(open_socket), plugin=few)
    counts = done.results["counts"]
    details = (done.directory / "details.html").read_text()
    assert details.count("col-bkId") == sum(counts.values()) - counts["pass"] > 0
    assert "srwxrwxrwx" in details and "login-log-dir@paas-1" not in details
    assert f"{counts['pass']} verdicts that are pass have no row here; report.html has them all." in details


def test_a_warning_is_green_unless_strict(run, changed):
    path = changed(stop_chronyd)
    assert (done := run(snapshot=path)).exit == 0 and done.word("time-daemon@job-1") == "warn"
    assert run("--strict", snapshot=path).exit == 1


def test_a_missing_fact_is_no_data_and_not_green(run, changed):
    def lose_supervisors(snapshot):
        snapshot["hosts"]["paas-1"]["supervisors"] = {"fact": "Missing", "reason": "needs root"}

    done = run(snapshot=changed(lose_supervisors))
    assert done.exit == 1
    assert done.word("supervisor-status@paas-1") == "no_data"
    assert done.reason("supervisor-status@paas-1") == "needs root"


def waiver(**words):
    usual = {"condition": "supervisor-sock", "hosts": ["paas-1"], "reason": "known", "owner": "ops"}
    return {**usual, "expires": "2999-12-31", "evidence": None, **words}


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ({}, "waived"),
        ({"hosts": []}, "waived"),
        ({"evidence": "srwxrwxrwx"}, "waived"),
        ({"hosts": ["paas-2"]}, "fail"),
        ({"expires": "2020-01-01"}, "fail"),
        ({"evidence": "some other reason"}, "fail"),
    ],
)
def test_a_waiver_holds_for_its_hosts_its_evidence_and_its_time(run, changed, words, word):
    def accept(snapshot):
        open_socket(snapshot)
        snapshot["deployment"]["waivers"] = [waiver(**words)]

    done = run("--only", "supervisor-sock", snapshot=changed(accept))
    assert done.word("supervisor-sock@paas-1") == word
    assert done.exit == (0 if word == "waived" else 1)


def test_a_5x_host_is_not_green_as_6x(run, changed):
    """Each host is judged by the supervisord that runs there, and the inventory's generation is the finding."""

    def make_6(snapshot):
        snapshot["deployment"]["generation"] = "6.x"

    done = run(snapshot=changed(make_6))
    assert done.exit == 1
    assert done.word("process-manager@paas-1") == "fail"
    assert done.word("supervisor-status@paas-1") == "pass"
    assert done.word("unit-state@paas-1") == done.word("container-state@paas-1") == "not_applicable"
    assert done.results["root_causes"][0] == "generation-mixed@controller"


def test_xdist_judges_the_same(run, changed):
    path = changed(open_socket)
    alone, together = run(snapshot=path), run("-n", "2", "--dist", "load", snapshot=path)
    assert together.exit == alone.exit == 1
    assert together.results["verdicts"] == alone.results["verdicts"]


def test_a_crashed_worker_loses_nothing_silently(run):
    done = run(
        "-n", "2", "--dist", "load", "--max-worker-restart=0",
        plugin="""
        import os
        def pytest_runtest_call(item):
            if "supervisor-sock@paas-1" in item.name:
                os._exit(9)
        """,
    )  # fmt: skip
    assert done.exit == 1
    assert done.word("supervisor-sock@paas-1") == "no_data"
    assert "did not run" in done.reason("supervisor-sock@paas-1")
    assert "supervisor-sock@paas-1" in (done.directory / "junit.xml").read_text()
    assert len(done.results["verdicts"]) == len({v["id"] for v in done.results["verdicts"]}) > 100


def test_an_omitted_test_is_no_data(run):
    done = run(
        plugin="""
        def pytest_collection_modifyitems(items):
            items[:] = [item for item in items if "port-owner@" not in item.name]
        """
    )
    assert done.exit == 1
    assert done.word("port-owner@paas-1") == "no_data"


def test_an_error_of_the_suite_is_no_data(run):
    done = run(
        plugin="""
        import bkpaas.facts
        def explode(self, *words):
            raise ZeroDivisionError("secret text")
        bkpaas.facts.Processes.uwsgi_masters = explode
        """
    )
    assert done.exit == 1
    assert done.word("uwsgi-orphans@paas-1") == "no_data"
    assert "ZeroDivisionError" in done.reason("uwsgi-orphans@paas-1")
    assert "secret text" not in done.out


def test_ctrl_c_while_judging_leaves_a_truthful_partial_record(run):
    done = run(
        plugin="""
        def pytest_runtest_call(item):
            if "port-owner@paas-1" in item.name:
                raise KeyboardInterrupt
        """
    )
    assert done.exit == 2 == done.results["run"]["exit"]
    assert done.word("supervisor-proc@paas-1") == "pass"
    assert done.word("port-owner@paas-1") == "no_data"
    assert "interrupted" in done.reason("healthz-login@paas-2")
    assert done.results["root_causes"] == []


def test_selection_narrows_what_is_expected(run):
    done = run("-m", "appt_502")
    conditions = {v["condition"] for v in done.results["verdicts"]}
    assert {"agent-nginx-8010", "host-reachable", "disk-space"} <= conditions
    assert "paas-clock-skew" not in conditions and done.exit == 0
    assert run("--only", "supervisor-sock@paas-1").results["counts"]["pass"] == 1
    done = run("tests_appengine")
    assert done.exit == 0 and "supervisor-sock" not in {v["condition"] for v in done.results["verdicts"]}


@pytest.fixture
def lonely(tmp_path):
    """An inventory of one host that would be collected immediately, and fails then."""
    inventory = tmp_path / "site" / "deployment.yaml"
    inventory.parent.mkdir()
    inventory.write_text(
        "generation: 5.x\ndomain: paas.example.test\nhosts:\n"
        "  - {name: closed, address: 127.0.0.1, roles: [paas], connect: {port: 1}}\n"
    )
    return inventory.parent


def test_unknown_symptom_is_refused_before_any_connection(run, lonely):
    done = run("-m", "login_502 or login_503", f"--inventory={lonely}", snapshot=None)
    assert done.exit == 5 and not done.results and "closed" not in done.out
    assert "nothing is marked login_503" in done.out and "did you mean -m login_502 ?" in done.out
    assert "-m appt_502" in done.out and "-m login_502 or" not in done.out


@pytest.mark.parametrize(
    "words", ["login_502", "not login_502 and appt_502", "condition(id='x') or appt_502"]
)
def test_known_markers_are_taken(run, words):
    assert (
        "nothing is marked"
        not in run("-m", words, "--plan", f"--inventory={ROOT / 'inventory/lab'}", snapshot=None).out
    )


def test_called_in_another_directory(tmp_path, lonely):
    """From another directory: paths are relative to it, the tests are the suite's, the reports go there."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--lang=en", "--inventory", "site"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240, env=own)
    assert done.returncode == 1, done.stdout + done.stderr
    results = json.loads((tmp_path / "report/results.json").read_text())
    assert results["root_causes"][0] == "host-reachable@closed" and len(results["verdicts"]) > 50


def test_notes_of_the_inventory_are_printed(tmp_path, lonely):
    (lonely / "install.config").write_bytes("127.0.0.1 paas，paaas\r\n".encode())
    (lonely / "deployment.yaml").write_text(
        "generation: 5.x\ndomain: paas.example.test\nconnect: {port: 1}\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--lang=en"]
    command += [f"--inventory={lonely}", f"--report={tmp_path / 'report'}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    unknown = "unknown roles, kept: paaas (did you mean paas?) of 127.0.0.1"
    assert f"inventory: {unknown};" in " ".join(done.stdout.split())
    assert "(all of it: --plan)" in done.stdout


def test_nothing_selected_is_not_green(run):
    assert run("-k", "nosuchthing").exit == 5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "--inventory PATH"),
        (("--inventory=/nonexistent",), "/nonexistent"),
        (("--from-snapshot=/etc/hostname",), "/etc/hostname"),
        (("--from-snapshot=/nonexistent",), "/nonexistent"),
    ],
)
def test_bad_options_are_refused_with_exit_code_4(run, words, message):
    done = run(*words, snapshot=None)
    assert done.exit == 4 and message in done.out and "Traceback" not in done.out


def test_a_key_that_is_not_there_ends_the_run_before_any_visit(run, tmp_path):
    inventory = tmp_path / "deployment.yaml"
    inventory.write_text(
        "generation: 5.x\ndomain: paas.example.test\nconnect: {key: id}\n"
        "hosts:\n  - {address: 127.0.0.1, roles: [paas]}\n"
    )
    done = run(f"--inventory={inventory}", snapshot=None)
    assert done.exit == 4 and f"{inventory}:3: key: {tmp_path}/id does not exist" in done.out


def test_ctrl_c_while_collecting_leaves_a_truthful_partial_record(tmp_path):
    """A host that accepts and says nothing keeps the run collecting until the signal comes."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        inventory = tmp_path / "deployment.yaml"
        inventory.write_text(
            "generation: 5.x\ndomain: paas.example.test\nhosts:\n"
            f"  - {{name: slow, address: 127.0.0.1, roles: [paas], connect: {{port: {port}}}}}\n"
        )
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--lang=en"]
        command += [f"--inventory={inventory}", f"--report={tmp_path / 'report'}"]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        silent.settimeout(240)
        connection, _ = silent.accept()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=240)
        connection.close()
    assert process.returncode == 2, out
    results = json.loads((tmp_path / "report/results.json").read_text())
    assert results["run"]["exit"] == 2
    assert results["hosts"][0]["collected"] is False
    assert results["counts"]["pass"] == 0 and results["counts"]["no_data"] > 10


def test_the_record_has_both_languages(run, changed):
    def spoil(snapshot):
        open_socket(snapshot)
        snapshot["hosts"]["paas-1"]["proxies"] = {
            "fact": "Missing",
            "reason": "\ufdd0no sudo here\ufdd1没有 sudo\ufdd2",
        }

    path = changed(spoil)
    english, chinese = run(snapshot=path), run("--lang", "zh", snapshot=path)
    for done in (english, chinese):
        assert not set(done.out) & set("\ufdd0\ufdd1\ufdd2")
        for file in done.directory.iterdir():
            assert not set(file.read_text()) & set("\ufdd0\ufdd1\ufdd2"), file
    pairs = zip(english.results["verdicts"], chinese.results["verdicts"], strict=True)
    for ours, theirs in pairs:
        for name in ("title", "reason", "evidence", "remedy"):
            assert ours["translated"].get(name, ours[name]) == theirs[name], (ours["id"], name)
            assert theirs["translated"].get(name, theirs[name]) == ours[name], (ours["id"], name)
    assert chinese.reason("http-proxy-env@paas-1") == "没有 sudo"
    assert chinese.results["run"]["language"] == "zh"
    assert [section["translated"] for section in english.results["sections"]] == [
        section["title"] for section in chinese.results["sections"]
    ]


def test_what_has_nothing_to_be_compared_with_is_explained_by_the_hosts_out_of_reach(run, changed):
    def lose_all_but_one(snapshot):
        for name, facts in snapshot["hosts"].items():
            if name != "paas-1":
                for noun, fact in facts.items():
                    if isinstance(fact, dict) and "fact" in fact:
                        facts[noun] = {"fact": "Missing", "reason": "no answer in 10 s"}
                facts.update(collected=False, error="no answer in 10 s", error_kind="unreachable")

    done = run(snapshot=changed(lose_all_but_one))
    loose = [v["id"] for v in done.results["verdicts"] if v["verdict"] == "no_data" and not v["explained_by"]]
    assert done.word("clock-all@paas-1") == "no_data" and loose == []
    assert {id_.partition("@")[0] for id_ in done.results["root_causes"]} == {"host-reachable"}


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ("supervisor-sok", "there is no condition supervisor-sok; did you mean supervisor-sock?"),
        (
            "supervisor-sock@pas-1",
            "is not checked on pas-1; its subjects here: paas-1, paas-2; did you mean paas-",
        ),
        ("supervisor-sock@job-1", "is not checked on job-1; its subjects here: paas-1, paas-2"),
    ],
)
def test_only_with_an_id_that_nothing_has_is_refused(run, ids, message):
    done = run("--only", ids)
    assert done.exit == 4 and message in done.out and not done.results


def bare(directory, *words):
    """pytest as it is called from anywhere."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(directory)}
    command = [sys.executable, "-m", "pytest", *words]
    return subprocess.run(
        command,
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        stdin=subprocess.DEVNULL,
    )


def test_called_without_a_word_it_asks_for_a_deployment():
    done = bare(ROOT)
    assert done.returncode == 4 and "--inventory PATH" in done.stderr + done.stdout


def test_called_next_to_tests_of_others_it_runs_its_own(tmp_path):
    (tmp_path / "test_theirs.py").write_text("def test_theirs():\n    print('theirs ran')\n")
    done = bare(tmp_path, "-s", "--from-snapshot", str(HEALTHY), "--only", "disk-space", "--lang", "en")
    assert done.returncode == 0 and "9 pass" in done.stdout and "theirs" not in done.stdout
    done = bare(tmp_path, "-s", "--inventory", str(ROOT / "inventory/lab"), "--plan", "--lang", "en")
    assert done.returncode == 0 and "nothing has been sent" in done.stdout and "theirs" not in done.stdout


def test_workers_are_left_out_where_they_cannot_help(run):
    done = run("--only", "disk-space", "-n", "2")
    assert done.exit == 0 and "-n 2 is ignored" in done.out and "bringing up nodes" not in done.out
    done = run("--only", "disk-space", "-n", "2", "--dist", "load")
    assert done.exit == 0 and "is ignored" not in done.out and "bringing up nodes" in done.out
