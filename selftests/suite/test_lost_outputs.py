"""An output that cannot be written costs that output only, and the run is not green."""

import json
import os
import stat
import subprocess
import sys

import pytest

UNPRIVILEGED = () if os.geteuid() == 0 else ("-r",)
FULL = 'mount -t tmpfs -o size=64k full "$0" && head -c "$1" /dev/zero >"$0/filler" 2>/dev/null; shift; '
LISTED = '"$@"; code=$?; ls -A "$0" >"$0.listing"; exit $code'
VERDICT = "conditions hold on 9 hosts"
NO_SPACE = "No space left on device"


def on_full_disk(directory, filled="100k"):
    """The words that start a command where a directory is on a file system of 64k, filled by so much."""
    directory.mkdir()
    return ("unshare", *UNPRIVILEGED, "-m", "sh", "-c", FULL + LISTED, str(directory), filled)


def notices(done):
    return [line for line in done.out.splitlines() if "not written:" in line]


def listing(directory):
    return set(directory.with_name(f"{directory.name}.listing").read_text().split())


@pytest.mark.parametrize("option", ["--summary", "--prometheus", "--save-snapshot", "--history"])
def test_a_full_disk_costs_one_output(run, tmp_path, option):
    full = tmp_path / "full"
    name = full if option == "--history" else full / "x.prom"
    done = run(option, str(name), around=on_full_disk(full))
    assert VERDICT in done.out and "Traceback" not in done.out and "INTERNALERROR" not in done.out
    (notice,) = notices(done)
    assert str(name) in notice and NO_SPACE in notice and "fix: free space" in notice
    assert done.exit == done.results["run"]["exit"] == 1
    assert all(verdict["verdict"] in ("pass", "not_applicable") for verdict in done.results["verdicts"])
    present = {path.name for path in done.directory.iterdir()}
    assert present >= {"results.json", "report.html", "junit.xml", "details.html"}
    assert listing(full) <= {"filler", "history.sqlite"}


def test_a_full_disk_below_the_report_directory(run, tmp_path):
    full = tmp_path / "report"
    done = run("--summary", str(tmp_path / "summary.md"), around=on_full_disk(full))
    lost = {"results.json", "report.html", "junit.xml", "details.html"}
    assert VERDICT in done.out and "Traceback" not in done.out and done.exit == 1
    assert {line.split(":")[0].rpartition("/")[2] for line in notices(done)} == lost and len(
        notices(done)
    ) == 4
    assert listing(full) == {"filler", ".lock"}, "half a file is left"
    assert VERDICT in (tmp_path / "summary.md").read_text() and "Generated html report" not in done.out


def test_a_full_temporary_directory(run, tmp_path):
    """Python takes another one."""
    full = tmp_path / "full"
    for workers in ((), ("-n", "2", "--dist", "load")):
        around = on_full_disk(full)
        done = run("--only", "disk-space", *workers, around=around, TMPDIR=str(full))
        assert (
            done.exit == 0
            and ": all hold" in done.out
            and "\n9 of " in done.out
            and "Traceback" not in done.out
        )
        full.rmdir()


def test_a_temporary_directory_without_room_for_the_snapshot(run, tmp_path):
    """Collected facts are kept and reported although the workers cannot judge them."""
    full, saved = tmp_path / "full", tmp_path / "saved.json"
    around = on_full_disk(full, "48k")
    (tmp_path / "report").mkdir()
    (tmp_path / "report/details.html").write_text("of the run before")
    done = run("--save-snapshot", str(saved), "-n", "2", "--dist", "load", around=around, TMPDIR=str(full))
    assert "Traceback" not in done.out and "INTERNALERROR" not in done.out and saved.stat().st_size > 100_000
    assert done.exit == 1 and NO_SPACE in done.out and "set TMPDIR to another directory" in done.out
    assert {verdict["verdict"] for verdict in done.results["verdicts"]} == {"no_data"}
    assert not (done.directory / "details.html").exists(), "of another run than the report"


def test_workers_that_find_a_saved_snapshot(run, tmp_path):
    """The file that --save-snapshot wrote leads no worker to another pytest.ini."""
    done = run(
        "--save-snapshot", str(tmp_path / "saved.json"), "--only", "disk-space", "-n", "2", "--dist", "load"
    )
    assert (
        done.exit == 0 and ": all hold" in done.out and "\n9 of " in done.out and "node down" not in done.out
    )


def test_a_limit_of_the_size_of_files(run):
    done = run(around=("sh", "-c", 'ulimit -f 16; exec "$@"', "sh"))
    assert VERDICT in done.out and done.exit == 1 and "Traceback" not in done.out
    assert len(notices(done)) == 4 and all("ulimit -f" in line for line in notices(done))
    assert {path.name for path in done.directory.iterdir()} == {".lock"}


@pytest.mark.parametrize("name", ["results.json", "report.html", "junit.xml", "details.html"])
def test_a_directory_in_place_of_a_report(run, tmp_path, name):
    (tmp_path / "report" / name).mkdir(parents=True)
    done = run()
    (notice,) = notices(done)
    assert name in notice and "Is a directory" in notice and done.exit == 1 and VERDICT in done.out
    others = {"results.json", "report.html", "junit.xml", "details.html"} - {name}
    assert all((tmp_path / "report" / other).is_file() for other in others)


@pytest.mark.parametrize("name", ["results.json", "report.html", "junit.xml", "details.html"])
def test_a_link_in_place_of_a_report_is_not_followed(run, tmp_path, name):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("untouched")
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / name).symlink_to(elsewhere)
    done = run()
    assert done.exit == 0 and elsewhere.read_text() == "untouched"
    assert (tmp_path / "report" / name).lstat().st_size > 1000 and not (
        tmp_path / "report" / name
    ).is_symlink()


def test_a_read_only_directory_is_refused_before_any_host(run, tmp_path):
    directory = tmp_path / "fixed"
    directory.mkdir()
    mounted = 'mount -t tmpfs -o ro fixed "$0" && exec "$@"'
    around = ("unshare", *UNPRIVILEGED, "-m", "sh", "-c", mounted, str(directory))
    for words in (["--summary", str(directory / "x.md")], ["--report", str(directory)]):
        done = run(*words, around=around)
        assert done.exit == 4 and "cannot be written to" in done.out and VERDICT not in done.out


def test_a_writer_that_breaks_costs_its_report(run):
    done = run(
        plugin="""
        from bkpaas.report import junit
        def broken(*arguments, **options): raise ValueError("Pl4nted")
        junit.write = broken
        """
    )
    (notice,) = notices(done)
    assert "junit.xml" in notice and "ValueError (spoiler.py:" in notice and "Pl4nted" not in done.out
    assert done.exit == 1 and VERDICT in done.out and (done.directory / "report.html").exists()


CLOSED_PIPE = (
    "import os,sys; reading, writing = os.pipe(); os.close(reading); os.dup2(writing, 1); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)
LOST_STREAMS = {
    "broken pipe": (sys.executable, "-c", CLOSED_PIPE),
    "full disk": ("sh", "-c", '"$@" >/dev/full', "sh"),
    "closed": ("sh", "-c", '"$@" >&-', "sh"),
}


@pytest.mark.parametrize("kind", LOST_STREAMS)
def test_a_lost_standard_output_costs_no_report(run, kind):
    done = run(around=LOST_STREAMS[kind])
    assert "Traceback" not in done.out and "Exception ignored" not in done.out
    assert "standard output: not written:" in done.out and done.exit == 1
    assert (
        done.results["run"]["exit"] == 1
        and len(done.results["verdicts"]) == sum(done.results["counts"].values()) > 300
    )
    assert (done.directory / "details.html").exists()


def test_a_lost_standard_error_costs_nothing(run, tmp_path):
    inventory = tmp_path / "deployment.yaml"
    inventory.write_text(
        "generation: 5.x\ndomain: paas.example.test\nhosts:\n- {address: 127.0.0.1, roles: [paas], connect: {port: 9}}\n"
    )
    done = run("--inventory", str(inventory), snapshot=None, around=("sh", "-c", '"$@" 2>/dev/full', "sh"))
    assert done.exit == 1 and "INTERNALERROR" not in done.out and done.results["run"]["exit"] == 1


def test_files_are_private_from_their_creation(run, tmp_path):
    """An older file that others may have open is replaced, not written to; so are files of other plugins."""
    (tmp_path / "report").mkdir()
    before = tmp_path / "report/details.html"
    before.write_text("before")
    os.link(before, tmp_path / "opened")
    done = run(
        "--junitxml", str(tmp_path / "pytest.xml"),
        plugin="""
        import os, pathlib
        def pytest_sessionfinish(session):
            path = pathlib.Path(session.config.option.report, "plugin.txt")
            with open(path, "w") as stream:
                stream.write(oct(os.fstat(stream.fileno()).st_mode & 0o777))
        """,
    )  # fmt: skip
    assert done.exit == 0 and (tmp_path / "opened").read_text() == "before"
    assert (done.directory / "plugin.txt").read_text() == "0o600"
    for path in (*done.directory.iterdir(), tmp_path / "pytest.xml"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


HOLDER = (
    "import fcntl,sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"
)


def test_a_second_run_into_one_report_directory_is_refused(run, tmp_path):
    inventory = tmp_path / "deployment.yaml"
    inventory.write_text(
        "generation: 5.x\ndomain: paas.example.test\nhosts:\n- {address: 127.0.0.1, roles: [paas], connect: {port: 9}}\n"
    )
    report = tmp_path / "report"
    report.mkdir()
    lock = report / ".lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        first.stdout.readline()
        done = run("--inventory", str(inventory), snapshot=None)
        assert done.exit == 4 and "another run writes its report there" in done.out
        assert "looking at" not in done.out and "Traceback" not in done.out
        assert [path.name for path in report.iterdir()] == [".lock"]
        elsewhere = run("--only", "disk-space", report="other")
        assert elsewhere.exit == 0
        first.kill()
    assert run("--only", "disk-space").exit == 0, "a lock must end with its process"


ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("locale", [ASCII, {"PYTHONIOENCODING": "ascii"}, {**ASCII, "LC_ALL": "POSIX"}])
def test_text_in_a_locale_that_cannot_express_it(run, changed, language, locale):
    def evidence(snapshot):
        disk = snapshot["hosts"]["paas-1"]["supervisors"]["by_module"]["open_paas"]["socket"]
        disk["mode"], disk["owner"] = 0o777, "用户"

    done = run("--lang", language, "-vv", snapshot=changed(evidence), **locale)
    assert done.exit == 1 and "Traceback" not in done.out and "UnicodeEncodeError" not in done.out
    assert ("失败" if language == "zh" else "supervisor-sock@paas-1") in done.out


def test_the_record_alone_in_a_locale_that_cannot_express_it(run, tmp_path):
    record = run("--only", "disk-space").directory / "results.json"
    command = [sys.executable, "-m", "bkpaas.report", record, "--summary", "-", "--lang", "zh"]
    done = subprocess.run(command, env={**ASCII, "PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert done.returncode == 0 and "蓝鲸" in done.stdout and done.stderr == ""
    assert json.loads(record.read_text())["run"]["language"] == "en"
