"""The controller: when its machine fails in any way, no verdict is lost and no failure is green."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

from collect import hostile_fleet, test_hostile_fleet

from lab import machine
from lab.control import REPOSITORY
from selftests.proofs.figures import Figures
from selftests.snapshots.edited import HEALTHY
from selftests.suite.runs import Done, run_suite
from selftests.suite.test_interruption import Process
from selftests.suite.test_lost_outputs import ASCII, LOST_STREAMS, UNPRIVILEGED, on_full_disk

VERDICT = ("conditions hold on", "root cause", "could not be checked")
"""Words of the last lines of a run that was judged."""
REPORTS = ("results.json", "report.html", "junit.xml", "details.html")
STEP_SECONDS = 3600
MEMORY_MB = 700
"""Limit of a run in which a worker takes more and is killed by the kernel."""
DESCRIPTORS = 64
FLEET = 40

SILENT_LOSS = """
from bkpaas.plugin.outputs import Outputs
def attempt(self, path, write):
    try:
        write(path)
    except Exception:
        pass
    return True
Outputs.attempt = attempt
"""
DIES = """
import os, signal
def pytest_runtest_call(item):
    if "disk-space@paas-1" in item.nodeid and "PYTEST_XDIST_WORKER" in os.environ:
        {how}
"""
STEP = """
import struct
from bkpaas.collect import deployment
original = deployment.collect
def stepped(*args, **settings):
    with open("/run/labclock", "r+b", 0) as file:
        file.write(struct.pack("=q", {seconds} * 10**9))
    return original(*args, **settings)
deployment.collect = stepped
"""


class Runs:
    """Runs on the recorded snapshot, each in a directory of its own."""

    def __init__(self, folder: Path, figures: Figures) -> None:
        self.folder, self.figures, self.number = folder, figures, 0
        self.expected: dict[str, str] = {}

    def place(self) -> Path:
        self.number += 1
        place = self.folder / str(self.number)
        place.mkdir()
        return place

    def run(
        self,
        *words: str,
        place: Path | None = None,
        around: Sequence[str] = (),
        plugin: str = "",
        snapshot: bool = True,
        **environment: str,
    ) -> Done:
        place = place or self.place()
        options = [f"--from-snapshot={HEALTHY}"] if snapshot else []
        if plugin:
            (place / "spoiler.py").write_text(textwrap.dedent(plugin))
            options += ["-p", "spoiler"]
        names = {"PATH": os.environ["PATH"], "HOME": str(place), "PYTHONPATH": str(place), **environment}
        return run_suite(*options, *words, report=place / "report", environment=names, around=around)

    def check(self, name: str, problems: list[str]) -> None:
        """Add a figure: what is wrong with the end of a run."""
        self.figures.none(name, problems)


def problems(done: Done, *, green: bool = False, lost: Sequence[str] = (), ids: int = 0) -> list[str]:
    """Return what is wrong: a traceback, a green end, a missing report or a missing verdict."""
    found = [
        word
        for word in ("Traceback (most recent", "INTERNALERROR", "UnicodeEncodeError", "Exception ignored")
        if word in done.out
    ]
    if (done.exit == 0) != green:
        found.append(f"exit code {done.exit}")
    if "results.json" not in lost:
        verdicts = done.results.get("verdicts", [])
        if len({verdict["id"] for verdict in verdicts}) != len(verdicts) or len(verdicts) < max(ids, 1):
            found.append(f"{len(verdicts)} verdicts instead of {ids}")
        if done.results.get("run", {}).get("exit") != done.exit:
            found.append("results.json has another exit code")
    present = {path.name for path in done.directory.iterdir()} if done.directory.is_dir() else set()
    found += [f"{name} is missing" for name in REPORTS if name not in lost and name not in present]
    return found


def prove(figures: Figures) -> None:
    """Prove the law."""
    with tempfile.TemporaryDirectory(prefix="bkpaas-proof-") as folder:
        runs = Runs(Path(folder), figures)
        figures.step("a run without trouble")
        done = runs.run()
        ids = len(done.results["verdicts"])
        runs.check("without trouble: what is wrong", problems(done, green=True, ids=ids))
        _full_disks(runs, ids)
        _locales_and_streams(runs, ids)
        _workers(runs, ids)
        _two_runs(runs, ids)
        _clock(runs)
        _network(runs)
        _descriptors(runs)
        _signals(runs)
        _controls(runs, ids)


def _full_disks(runs: Runs, ids: int) -> None:
    runs.figures.step("a full disk below each output in turn, a read-only directory")
    for option in ("--summary", "--prometheus", "--save-snapshot", "--history"):
        place = runs.place()
        full = place / "full"
        name = full if option == "--history" else full / "x.prom"
        done = runs.run(option, str(name), place=place, around=on_full_disk(full))
        problem = [] if f"{name}" in done.out and "not written" in done.out else ["no notice"]
        runs.check(f"full disk, {option}: what is wrong", problems(done, ids=ids) + problem)
    place = runs.place()
    done = runs.run(place=place, around=on_full_disk(place / "report"))
    notices = [line for line in done.out.splitlines() if "not written" in line]
    wrong = problems(done, lost=REPORTS) + (
        [] if len(notices) == len(REPORTS) else [f"{len(notices)} notices"]
    )
    runs.check("full disk, report directory: what is wrong", wrong)
    for name in REPORTS:
        place = runs.place()
        (place / "report" / name).mkdir(parents=True)
        done = runs.run(place=place)
        runs.check(f"{name} cannot be written: what is wrong", problems(done, lost=(name,), ids=ids))
    place = runs.place()
    full = place / "full"
    done = runs.run(
        "-n", "2", "--dist", "load", place=place, around=on_full_disk(full, "48k"), TMPDIR=str(full)
    )
    # nothing is judged then, and details.html is the report of tests that ran
    wrong = problems(done, ids=ids, lost=("details.html",))
    runs.check("full disk, temporary directory, two workers: what is wrong", wrong)
    place = runs.place()
    (place / "report").mkdir()
    around = (
        "unshare",
        *UNPRIVILEGED,
        "-m",
        "sh",
        "-c",
        'mount -t tmpfs -o ro fixed "$0" && exec "$@"',
        str(place / "report"),
    )
    done = runs.run(place=place, around=around)
    wrong = (
        []
        if done.exit == 4 and "cannot be written to" in done.out and "Traceback" not in done.out
        else [f"exit code {done.exit}"]
    )
    runs.check("read-only report directory: what is wrong", wrong)


def _locales_and_streams(runs: Runs, ids: int) -> None:
    runs.figures.step("an ASCII locale, lost streams")
    for language in ("en", "zh"):
        done = runs.run("--lang", language, "-vv", **ASCII)
        runs.check(f"ASCII locale, --lang {language}: what is wrong", problems(done, green=True, ids=ids))
    for kind, around in LOST_STREAMS.items():
        done = runs.run(around=around)
        runs.check(f"standard output lost ({kind}): what is wrong", problems(done, ids=ids))


def _workers(runs: Runs, ids: int) -> None:
    runs.figures.step("killed workers")
    killed = DIES.format(how="os.kill(os.getpid(), signal.SIGKILL)")
    done = runs.run("-n", "2", "--dist", "load", "--max-worker-restart=0", plugin=killed)
    runs.check("a worker killed by SIGKILL: what is wrong", problems(done, ids=ids) + _lost_word(done))
    place = runs.place()
    filled = DIES.format(
        how=f"held = bytearray(4 * {MEMORY_MB} << 20); held[::4096] = b'x' * len(held[::4096])"
    )
    done = runs.run(
        "-n",
        "2",
        "--dist",
        "load",
        "--max-worker-restart=0",
        place=place,
        plugin=filled,
        around=_limited_memory(),
    )
    runs.check(
        "a worker killed for its memory by the kernel: what is wrong",
        problems(done, ids=ids) + _lost_word(done),
    )


def _lost_word(done: Done) -> list[str]:
    word = done.verdicts.get("disk-space@paas-1", {}).get("verdict")
    return [] if word == "no_data" else [f"the verdict of the killed worker is {word}"]


def _limited_memory() -> tuple[str, ...]:
    """Return a command that runs another in a control group with little memory and no swap."""
    version_1 = Path("/sys/fs/cgroup/memory")
    root, limit = (
        (version_1, "memory.limit_in_bytes") if version_1.is_dir() else (Path("/sys/fs/cgroup"), "memory.max")
    )
    group = root / f"bkpaas-proof-{os.getpid()}"
    script = f'mkdir -p {group}; echo {MEMORY_MB}M >{group}/{limit} || exit 99; echo $$ >{group}/cgroup.procs; "$@"; code=$?; '
    script += f"echo $$ >{root}/cgroup.procs; rmdir {group}; exit $code"
    return ("sh", "-c", script, "sh")


def _two_runs(runs: Runs, ids: int) -> None:
    runs.figures.step("two runs into one report directory")
    place = runs.place()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        f"--from-snapshot={HEALTHY}",
        f"--report={place / 'report'}",
        "--lang=en",
    ]
    both = [
        subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    outputs = [one.communicate()[0] for one in both]
    codes = sorted(one.returncode for one in both)
    wrong = (
        []
        if codes in ([0, 0], [0, 4]) and not any("Traceback" in out for out in outputs)
        else [f"exit codes {codes}"]
    )
    done = Done(0, "", place / "report")
    runs.check("two runs into one directory: what is wrong", wrong + problems(done, green=True, ids=ids))


def _here(place: Path, more: str = "") -> str:
    """Write an inventory of this machine, without ssh."""
    path = place / "deployment.yaml"
    path.write_text(
        f"generation: 5.x\ndomain: paas.example.test\nhome: {place}\n"
        "limits: {request_seconds: 2, healthz_seconds: 2, command_seconds: 5, resolve_seconds: 3}\n"
        f"hosts:\n- {{name: here, address: 127.0.0.1, roles: [paas], connect: {{spec: 'local://'}}}}\n{more}"
    )
    return f"--inventory={path}"


def _clock(runs: Runs) -> None:
    runs.figures.step("the clock of the controller jumps during the run")
    place = runs.place()
    before = runs.run(_here(place), place=place, snapshot=False)
    library = runs.folder / "labclock.so"
    subprocess.run(
        [machine.compiler(), "-shared", "-fPIC", "-o", str(library), str(REPOSITORY / "lab/host/labclock.c")],
        check=True,
    )
    script = (
        f'mount -t tmpfs none /run && head -c 8 /dev/zero >/run/labclock && LD_PRELOAD={library} exec "$@"'
    )
    around = ("unshare", *UNPRIVILEGED, "-m", "sh", "-c", script, "sh")
    for seconds in (STEP_SECONDS, -STEP_SECONDS):
        place = runs.place()
        done = runs.run(
            _here(place), place=place, snapshot=False, around=around, plugin=STEP.format(seconds=seconds)
        )
        wrong = problems(done, ids=len(before.verdicts))
        wrong += [] if done.verdicts.keys() == before.verdicts.keys() else ["other ids"]
        length = done.results.get("run", {}).get("seconds", -1)
        wrong += [] if 0 < length < 300 else [f"{length} s"]
        greener = [
            id_
            for id_, one in done.verdicts.items()
            if one["verdict"] == "pass" and before.word(id_) in ("fail", "no_data")
        ]
        runs.check(f"clock step of {seconds} s: what is wrong", wrong + greener)


def _network(runs: Runs) -> None:
    runs.figures.step("no DNS")
    place = runs.place()
    more = (
        "- {name: far, address: 10.255.0.9, roles: [nginx], connect: {spec: 'ssh://root@far.example.test'}}\n"
    )
    done = runs.run(_here(place, more), place=place, snapshot=False, around=("unshare", "-n"))
    wrong = problems(done, ids=1)
    if done.word("host-reachable@far") not in ("fail", "no_data"):
        wrong.append("a host that cannot be resolved is reachable")
    runs.check("no network and no DNS: what is wrong", wrong)


def _descriptors(runs: Runs) -> None:
    runs.figures.step(f"{DESCRIPTORS} descriptors, {FLEET} hosts")
    with test_hostile_fleet.fleet(runs.place() / "fleet", FLEET, 0) as path:
        before = test_hostile_fleet.Run(path)
        place = runs.place()
        limited = ("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}")
        done = runs.run(
            f"--inventory={path}", place=place, snapshot=False, around=limited, PYTHONPATH=str(REPOSITORY)
        )
    changed = [
        id_ for id_, word in before.verdicts.items() if done.verdicts.get(id_, {}).get("verdict") != word
    ]
    runs.check(f"{DESCRIPTORS} descriptors: what is wrong", problems(done, ids=len(before.verdicts)))
    runs.check(f"{DESCRIPTORS} descriptors: verdicts of {FLEET} hosts that changed", changed)


def _signals(runs: Runs) -> None:
    runs.figures.step("SIGTERM, SIGHUP, Ctrl-C once and twice, while hosts hang")
    term, hup, interrupt = signal.SIGTERM, signal.SIGHUP, signal.SIGINT
    hostile = len(hostile_fleet.BEFORE_LOGIN) + 1
    with test_hostile_fleet.fleet(runs.place() / "fleet", FLEET, hostile) as path:
        for name, numbers in {
            "SIGTERM": [term],
            "SIGHUP": [hup],
            "Ctrl-C": [interrupt],
            "two Ctrl-C": [interrupt, interrupt],
        }.items():
            runs.check(f"{name}: what is wrong", _interrupted(runs.place(), path, numbers))


def _interrupted(place: Path, inventory: Path, numbers: Sequence[signal.Signals]) -> list[str]:
    run = Process(place, f"--inventory={inventory}")
    run.wait_for_file("paas-0.round_1")
    for number in numbers:
        time.sleep(1.5)
        run.process.send_signal(number)
    try:
        done = run.end()
    except AssertionError as error:
        return [f"left or printed: {str(error)[-600:]}"]
    left = subprocess.run(
        ["pgrep", "-s", str(run.process.pid)], capture_output=True, text=True
    ).stdout.split()
    wrong = [f"process {pid} is left" for pid in left]
    wrong += [f"exit code {done.exit}"] if done.exit != 2 else []
    if not done.results:
        return [*wrong, "no record"]
    return wrong + [problem for problem in problems(done, ids=1) if not problem.startswith("exit")]


def _controls(runs: Runs, ids: int) -> None:
    runs.figures.step("negative controls")
    place = runs.place()
    full = place / "full"
    done = runs.run(
        "--summary", str(full / "s.md"), place=place, around=on_full_disk(full), plugin=SILENT_LOSS
    )
    runs.figures.caught("an output that is lost without a word", problems(done, ids=ids))
    done = runs.run()
    shutil.copy(done.directory / "results.json", place / "kept")
    (done.directory / "junit.xml").unlink()
    runs.figures.caught("a report that is missing", problems(done, green=True, ids=ids))
    runs.figures.caught("a verdict that is missing", problems(done, green=True, ids=ids + 1))
