"""Runs that check a selection: they say so, and what was not selected is not missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from selftests.suite.runs import ROOT, Done


def open_socket(snapshot):
    snapshot["hosts"]["paas-1"]["supervisors"]["by_module"]["open_paas"]["socket"]["mode"] = 0o777


@pytest.fixture
def broken(changed):
    return changed(open_socket)


def test_a_selection_that_holds_says_that_it_was_one(run):
    done = run("-m", "appt_502")
    total, count = done.results["run"]["selected_from"], len(done.results["verdicts"])
    checked = done.results["counts"]["pass"] + done.results["counts"]["warn"]
    assert 0 < count < total
    assert f"{checked} of {total} conditions checked on" in done.out and ": all hold." in done.out


def test_what_x_did_not_run_is_not_selected(run, broken):
    done = run("-x", snapshot=broken)
    words = {one["verdict"] for one in done.results["verdicts"]}
    assert done.exit == 1 and done.results["counts"]["fail"] == 1 and "no_data" not in words
    total = done.results["run"]["selected_from"]
    assert f"Only {len(done.verdicts)} of {total} conditions were selected." in " ".join(done.out.split())


def test_what_x_did_not_run_is_not_selected_in_workers_either(run, broken):
    done = run("-x", "-n2", "--dist", "load", "tests_paas", "-k", "supervisor", snapshot=broken)
    assert done.exit == 1 and done.results["counts"]["no_data"] == 0 and "Interrupted" not in done.out


def test_what_stepwise_did_not_run_is_not_selected(tmp_path, broken):
    first = cached(tmp_path, broken, "--stepwise")
    assert first.exit == 1 and first.results["run"]["exit"] == 1 and "Interrupted" not in first.out
    assert first.results["counts"]["fail"] == 1 and first.results["counts"]["no_data"] == 0
    again = cached(tmp_path, broken, "--stepwise")  # from the failure on
    assert len(again.verdicts) == 1 == again.results["counts"]["fail"] and again.exit == 1


def test_an_unknown_symptom_ends_without_a_line_of_pytest(run):
    done = run("-m", "login_503")
    assert done.exit == 5 and "nothing is marked login_503" in done.out
    assert "!!!" not in done.out and "_pytest" not in done.out and not done.results


def test_failed_of_checks_again_what_failed(run, broken):
    first = run("-k", "supervisor", snapshot=broken)
    red = {one["id"] for one in first.verdicts.values() if one["verdict"] in ("fail", "no_data")}
    record = first.directory / "results.json"
    again = run(f"--failed-of={record}", report="again")
    assert again.verdicts.keys() == red and again.exit == 0 and ": all hold." in again.out
    nothing = run(f"--failed-of={again.directory / 'results.json'}", report="nothing")
    assert nothing.exit == 5 and "nothing failed there" in nothing.out and "!!!" not in nothing.out


def cached(tmp_path, snapshot, *words):
    """Run with pytest's cache, which --lf and --ff use."""
    command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={tmp_path}/cache", "--lang=en"]
    command += [f"--from-snapshot={snapshot}", f"--report={tmp_path}/report", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    return Done(done.returncode, done.stdout + done.stderr, tmp_path / "report")


def test_lf_and_ff_after_a_failure(tmp_path, broken):
    first = cached(tmp_path, broken, "-k", "supervisor or disk")
    red = {one["id"] for one in first.verdicts.values() if one["verdict"] == "fail"}
    last = cached(tmp_path, broken, "--lf")
    assert last.exit == 1 and last.verdicts.keys() == red and last.results["run"]["selected_from"]
    assert last.results["counts"]["no_data"] == 0
    ordered = cached(tmp_path, broken, "--ff", "-x")
    assert len(ordered.verdicts) == 1 and ordered.results["counts"]["fail"] == 1 == ordered.exit


def test_an_internal_error_leaves_a_record_with_its_exit_code(run):
    plugin = """
    def pytest_runtest_logfinish(nodeid):
        if "supervisor" in nodeid:
            raise ValueError("planted")
    """
    done = run("-k", "supervisor", plugin=plugin)
    assert done.exit == 3 == done.results["run"]["exit"]
