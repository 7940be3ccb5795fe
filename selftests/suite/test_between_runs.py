"""One run compared with others, from the command line: snapshots checked again, a baseline, a history, waivers."""

import json

import pytest
from test_runs import open_socket, stop_chronyd, waiver


def spoil(snapshot):
    """Several facts together: a failure, a warning, a fact that is missing, causes with consequences."""
    open_socket(snapshot)
    stop_chronyd(snapshot)
    hosts = snapshot["hosts"]
    hosts["paas-2"]["clock"]["offset_seconds"] += 75
    hosts["appo-1"]["agent"] = {"fact": "Missing", "reason": "\ufdd0needs root\ufdd1需要 root\ufdd2"}
    hosts["nginx-1"]["nginx"]["upstreams"][0]["servers"][0]["port"] = 9
    hosts["cmdb-1"].update(collected=False, error_kind="timeout", error="timed out")


def verdicts(done):
    return [(one["id"], one["verdict"], one["explained_by"]) for one in done.results["verdicts"]]


def test_a_saved_snapshot_is_judged_the_same(run, changed, tmp_path):
    """Equal to the verdict of its run, in any language, process or selection."""
    path, saved = changed(spoil), tmp_path / "saved.json"
    live = run("--save-snapshot", str(saved), snapshot=path)
    words = {one["verdict"] for one in live.results["verdicts"]}
    assert words >= {"pass", "warn", "fail", "no_data", "not_applicable"} and live.results["root_causes"]
    for more in ([], ["--lang", "zh"], ["-n", "2", "--dist", "load"]):
        again = run(*more, snapshot=saved, report="again")
        assert verdicts(again) == verdicts(live) and again.exit == live.exit
        assert again.results["root_causes"] == live.results["root_causes"]
    for more in (["-m", "login_502"], ["--only", "supervisor-sock"]):
        few = [run(*more, snapshot=one, report="few").results["verdicts"] for one in (path, saved)]
        assert few[0] == few[1] and 0 < len(few[0]) < len(live.results["verdicts"])


def test_a_baseline_shows_what_changed(run, changed):
    def upgrade(snapshot):
        open_socket(snapshot)
        snapshot["run"], snapshot["started"] = "after", snapshot["started"] + 3600
        login = snapshot["hosts"]["paas-1"]["settings"]["by_project"]["login"]["values"]
        login["BK_COOKIE_DOMAIN"][3] = ".other.test"

    before, after = changed(lambda _: None, "before.json"), changed(upgrade, "after.json")
    done = run("--baseline", str(before), "--only", "supervisor-sock", "--only", "disk-space", snapshot=after)
    comparison = done.results["comparison"]
    assert comparison["verdicts"] == [{"id": "supervisor-sock@paas-1", "before": "pass", "after": "fail"}]
    (fact,) = comparison["facts"]
    assert (fact["host"], fact["kind"], fact["name"]) == ("paas-1", "setting", "login BK_COOKIE_DOMAIN")
    assert "changed verdicts 1 (supervisor-sock@paas-1)" in done.out and done.exit == 1
    same = run("--baseline", str(before), "-n", "2", "--dist", "load", snapshot=before)
    assert same.results["comparison"]["verdicts"] == same.results["comparison"]["facts"] == []
    assert "no verdict and no fact differs" in same.out and same.exit == 0


def test_a_history_shows_what_is_new_and_what_was_repaired(run, changed, tmp_path):
    def night(number, spoiler=lambda _: None):
        def change(snapshot):
            spoiler(snapshot)
            snapshot["run"], snapshot["started"] = f"night-{number}", 1_700_000_000.0 + 86_400 * number

        return changed(change, f"night-{number}.json")

    remember = ("--history", str(tmp_path / "history"), "--only", "supervisor-sock")
    run(*remember, snapshot=night(1))
    second = run(*remember, snapshot=night(2, open_socket))
    assert second.results["history"]["new"] == ["supervisor-sock@paas-1"]
    assert "new 1 (supervisor-sock@paas-1)" in second.out and "new in this run" in second.out
    third = run(*remember, snapshot=night(3, open_socket))
    assert third.results["history"]["since"] == {"supervisor-sock@paas-1": second.results["run"]["started"]}
    assert "nothing new" in third.out and "since     2023-11-16" in third.out
    fourth = run(*remember, snapshot=night(4))
    assert fourth.results["history"]["repaired"] == ["supervisor-sock@paas-1"]
    assert len(fourth.results["history"]["runs"]) == 4


def test_an_interrupted_run_is_compared_with_nothing_and_repairs_nothing(run, changed, tmp_path):
    remember = ("--history", str(tmp_path / "history"))
    run(*remember, snapshot=changed(open_socket))

    def next_night(snapshot):
        snapshot["run"], snapshot["started"] = "next", snapshot["started"] + 86_400

    done = run(
        *remember, "--baseline", str(tmp_path / "changed.json"), snapshot=changed(next_night, "next.json"),
        plugin="""
        def pytest_runtest_call(item):
            if "healthz-esb" in item.name:
                raise KeyboardInterrupt
        """,
    )  # fmt: skip
    assert done.exit == 2 and done.word("supervisor-sock@paas-1") == "pass"
    assert done.results["comparison"] is None
    history = done.results["history"]
    assert [one["exit"] for one in history["runs"]] == [1, 2] and not history["repaired"] + history["new"]


def write_waivers(tmp_path, *waivers):
    path = tmp_path / "waivers.yaml"
    path.write_text(
        json.dumps({"waivers": [{k: v for k, v in one.items() if v is not None} for one in waivers]})
    )
    return str(path)


def test_waivers_of_a_file_and_what_becomes_of_them(run, changed, tmp_path):
    file = write_waivers(
        tmp_path,
        waiver(),
        waiver(condition="disk-space", hosts=["paas-1"]),
        waiver(condition="time-daemon", hosts=["job-1"], expires="2020-01-01"),
        waiver(condition="supervisor-sock", hosts=["paas-2"], evidence="some other"),
    )

    def change(snapshot):
        open_socket(snapshot)
        stop_chronyd(snapshot)
        supervisors = snapshot["hosts"]["paas-2"]["supervisors"]["by_module"]
        supervisors["open_paas"]["socket"]["mode"] = 0o755

    done = run("--waivers", file, snapshot=changed(change))
    states = {(one["condition"], *one["hosts"]): one["state"] for one in done.results["waivers"]}
    assert states == {
        ("supervisor-sock", "paas-1"): "used",
        ("disk-space", "paas-1"): "unneeded",
        ("time-daemon", "job-1"): "expired",
        ("supervisor-sock", "paas-2"): "changed",
    }
    assert done.word("supervisor-sock@paas-1") == "waived" and done.word("supervisor-sock@paas-2") == "fail"
    together = run(
        "--waivers", file, "-n", "2", "--dist", "load", snapshot=tmp_path / "changed.json", report="together"
    )
    assert together.results["waivers"] == done.results["waivers"]
    for message in ("no longer needed", "expired on 2020-01-01", 'other evidence than "some other"'):
        assert message in " ".join(done.out.split()), message


BAD = {
    "--waivers": (
        lambda tmp: write_waivers(tmp, waiver(condition="supervisor-sok")),
        "did you mean supervisor-sock",
    ),
    "--baseline": (lambda tmp: "/etc/hostname", "/etc/hostname"),
    "--history": (lambda tmp: "/dev/null", "/dev/null"),
    "--save-snapshot": (lambda tmp: str(tmp / "nowhere/x.json"), "create it first"),
    "--summary": (lambda tmp: str(tmp), "name a file in it"),
    "--prometheus": (lambda tmp: str(tmp / "x.txt"), "no other files"),
    "--report": (lambda tmp: "/dev/null/report", "/dev/null is not a directory"),
    "--webhook-kind": (lambda tmp: "wecom", "BKPAAS_WEBHOOK"),
    "--webhook-file": (lambda tmp: str(tmp), "--webhook-kind"),
}


@pytest.mark.parametrize("option", BAD)
def test_what_cannot_be_used_is_refused_before_any_host(run, tmp_path, option):
    """A connection would be reported: the host of this inventory does not answer."""
    value, message = BAD[option]
    inventory = tmp_path / "deployment.yaml"
    inventory.write_text(
        "generation: 5.x\ndomain: paas.example.test\nhosts:\n- {address: 127.0.0.1, roles: [paas], connect: {port: 9}}\n"
    )
    done = run("--inventory", str(inventory), option, value(tmp_path), snapshot=None)
    assert done.exit == 4 and message in done.out and "Traceback" not in done.out
    assert "looking at" not in done.out and not done.results


@pytest.mark.parametrize(
    ("text", "mode", "message"), [("k" * 31, 0o600, "31 bytes"), ("k" * 40, 0o644, "chmod 600")]
)
def test_a_key_that_is_short_or_public_is_refused(run, tmp_path, text, mode, message):
    key = tmp_path / "key"
    key.write_text(text)
    key.chmod(mode)
    (tmp_path / "deployment.yaml").write_text(
        "generation: 5.x\ndomain: paas.example.test\nhosts:\n- {address: 127.0.0.1, roles: [paas], connect: {port: 9}}\n"
    )
    done = run("--inventory", str(tmp_path / "deployment.yaml"), "--secret-key-file", str(key), snapshot=None)
    assert (
        done.exit == 4 and message in done.out and "looking at" not in done.out and "k" * 31 not in done.out
    )
