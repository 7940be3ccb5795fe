"""Measure the suite against the floor, in one run on one machine; see bench/README.md.

script/bench prints a table and writes report/bench.json; exit status 1 when a figure is beyond its goal.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench import hosts, measure
from bench.hosts import Fleet
from bench.measure import Cost
from bench.stages import CURVE, PYTEST, ROOT, Bench, collector_cost, round_trips
from bkpaas.language import language_of_locale, set_language
from bkpaas.messages import msg, to_text

DELAY_SECONDS = 0.2
JSON = ROOT / "report/bench.json"
README = {"README.md": "en", "README.zh-CN.md": "zh"}
FAULTY_FROM = 100
"""Hosts of the largest fleet from which it is also measured with faulty hosts."""
MARKS = ("<!-- bench: made by script/bench -->", "<!-- /bench -->")
STAGES = {"start": ("--plan",), "collect": ("--only", "host-reachable"), "judge": ()}


class Figure(msgspec.Struct):
    """Hold one figure: what, its value, its spread over repeated runs, and the goal."""

    n: int
    """Hosts, or verdicts where the text says so."""
    what: str
    value: float
    goal: float
    spread: float = 0.0
    most: bool = True
    """True: the goal is the largest good value; False: the smallest."""
    ok: bool = False

    def __post_init__(self) -> None:
        self.ok = self.value <= self.goal if self.most else self.value >= self.goal


def fleet_figures(bench: Bench, times: int) -> tuple[list[Figure], float]:
    """Return the figures of one size, and the processor time for each host without the start."""
    count = bench.fleet.count

    def repeated(what: str, run: Callable[[], Cost]) -> tuple[Cost, float]:
        return measure.repeated(run, times, f"{count} hosts: {what}")

    shipped, _ = repeated("ssh HOST true", bench.openssh)
    curve, _ = repeated("ssh HOST true with curve25519", lambda: bench.openssh(*CURVE))
    floor, _ = repeated("asyncssh true", bench.asyncssh)
    imported = [sys.executable, "-c", "import asyncssh"]
    empty, _ = repeated("import asyncssh", lambda: measure.command(imported, ROOT, bench.output))
    whole, spread = repeated("whole suite", bench.suite)
    verdicts = len(bench.results()["verdicts"])
    judging, judging_spread = repeated("judge the snapshot", bench.judge)
    trivial, _ = repeated(f"{verdicts} trivial items", lambda: bench.trivial(verdicts))
    start, _ = repeated("one verdict of the snapshot", bench.one_verdict)
    collecting = whole.cpu - judging.cpu
    true = max(floor.cpu - empty.cpu, 1e-6)
    print(
        f"{count} hosts, {verdicts} verdicts: ssh {shipped.wall:.1f} s, {1000 * shipped.cpu / count:.1f} ms a host; "
        f"curve25519 {1000 * curve.cpu / count:.1f} ms; asyncssh {1000 * true / count:.1f} ms; "
        f"suite {whole.wall:.1f} s, {1000 * whole.cpu / count:.1f} ms "
        f"(start {start.cpu:.2f} s, collect {collecting:.2f} s, judge and report {judging.cpu - start.cpu:.2f} s), "
        f"{whole.rss:.0f} MB",
        flush=True,
    )
    return [
        Figure(count, "wall time, whole suite / ssh HOST true", whole.wall / shipped.wall, 0.85, spread),
        Figure(count, "processor time, whole suite / ssh HOST true", whole.cpu / shipped.cpu, 0.3, spread),
        Figure(count, "processor time, collecting / asyncssh true", collecting / true, 1.5, spread),
        Figure(
            count, "processor time, collecting / ssh with curve25519", collecting / curve.cpu, 0.5, spread
        ),
        Figure(count, "memory of the suite, MB", whole.rss, 200.0),
        Figure(
            verdicts,
            "processor time, judging / trivial items (n: verdicts)",
            judging.cpu / trivial.cpu,
            1.0,
            judging_spread,
        ),
    ], (whole.cpu - start.cpu) / count


def other_figures(bench: Bench, times: int, whole: float) -> list[Figure]:
    """Return the figures that do not depend on the size: start, collector, round trips, testinfra, hung hosts."""
    count = bench.fleet.count
    inventory = f"--inventory={bench.fleet.inventory()}"
    helped, _ = measure.repeated(lambda: bench.start("--help"), times, "--help")
    planned, _ = measure.repeated(lambda: bench.start("--plan", inventory), times, "--plan")
    one, _ = measure.repeated(bench.one_verdict, times, "one verdict of the snapshot")
    measure.progress("collector on a host with 400 processes")
    cost = collector_cost(bench.fleet, 400)
    measure.progress("round trips")
    trips, floor_trips = round_trips(Bench(Fleet(bench.folder, 1)), DELAY_SECONDS)
    print(f"round trips: asyncssh true {floor_trips:.1f}", flush=True)
    few = min(count, 10)
    measure.progress("testinfra as shipped")
    shipped = bench.testinfra(few).cpu / few
    measure.progress("testinfra with ControlPath")
    path = bench.testinfra(
        few, "  ControlMaster auto", f"  ControlPath {bench.folder}/cm-%h", "  ControlPersist 60"
    )
    alone = Bench(Fleet(bench.folder, count))
    return [
        Figure(1, "start: --help, s of processor time", helped.cpu, 0.5),
        Figure(1, "start: --plan, s of processor time", planned.cpu, 0.5),
        Figure(1, "start: one verdict of a snapshot, s of processor time", one.cpu, 0.8),
        Figure(1, "collector, 400 processes, ms of processor time", cost["cpu_ms"], 50.0),
        Figure(1, "collector, 400 processes, MB", cost["rss_mb"], 15.0),
        Figure(1, "round trips for a host, both rounds", trips, 11.0),
        Figure(few, "processor time, testinfra as shipped / suite", shipped / whole, 100.0, most=False),
        Figure(
            few,
            "processor time, testinfra with ControlPath / suite",
            path.cpu / few / whole,
            40.0,
            most=False,
        ),
        *(_hung(alone, hung) for hung in (1, 10) if hung < count),
    ]


def _hung(bench: Bench, hung: int) -> Figure:
    """Return by how much so many hung hosts delay the end, in seconds."""
    measure.progress(f"{hung} hung hosts")
    without = bench.suite("--only", "host-reachable").wall
    delayed = bench.suite("--only", "host-reachable", hung=hung).wall
    assert len(bench.results()["verdicts"]) == bench.fleet.count
    goal = hosts.SILENT_SECONDS + 2
    return Figure(bench.fleet.count, f"delay of the end by {hung} hung, s", delayed - without, goal)


def faulty_figures(bench: Bench) -> list[Figure]:
    """Return the figures of a fleet of which 1 % of the hosts hang, 1 % refuse and 1 % answer garbage."""
    count = bench.fleet.count
    measure.progress(f"{count} hosts, all well")
    well = bench.suite()
    expected = sorted(one["id"] for one in bench.results()["verdicts"])
    measure.progress(f"{count} hosts, of which 1 % hang, 1 % refuse, 1 % answer garbage")
    cost = bench.suite(faulty=True)
    results = bench.results()
    found = sorted(one["id"] for one in results["verdicts"])
    wrong = sum(((Counter(expected) - Counter(found)) + (Counter(found) - Counter(expected))).values())
    faulty = {hosts.name(number) for number in range(count) if number % 100 in hosts.FAULTY}
    read = {host["name"] for host in results["hosts"] if host["collected"]}
    print(
        f"{count} hosts, {len(faulty)} of them faulty: {len(found)} verdicts, {cost.wall:.1f} s, {cost.cpu:.1f} s of "
        f"processor time, {cost.rss:.0f} MB, {len(read)} hosts read; all well: {well.wall:.1f} s",
        flush=True,
    )
    return [
        Figure(count, "1 % hang, 1 % refuse, 1 % garbage: ids without exactly one verdict", wrong, 0),
        Figure(
            count,
            "the same: faulty hosts that count as read, others that do not",
            len(read & faulty) + count - len(read | faulty),
            0,
        ),
        Figure(count, "the same: delay of the end, s", cost.wall - well.wall, hosts.SILENT_SECONDS + 2),
        Figure(count, "the same: memory, MB", cost.rss, 1000),
    ]


def _fill_caches(bench: Bench) -> None:
    """Run everything once: the first run of an installation compiles its modules."""
    measure.progress("first run, not measured")
    bench.suite()
    bench.judge()


def commit() -> str:
    """Return the commit that is measured, with + where files differ from it."""
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run(
        [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True).stdout
    return head + ("+" if changed.strip() else "")


def table(figures: list[Figure], language: str, load: float) -> str:
    """Return the table of the README."""
    chinese = language == "zh"
    first = (
        f"提交 {commit()}，{os.cpu_count()} 核，开始时负载 {load:.1f}（空闲时低于 0.5）。"
        if chinese
        else f"Commit {commit()}, {os.cpu_count()} cores, load {load:.1f} at the start (below 0.5: idle)."
    )
    head = "| n | 指标 | 值 | 目标 | 达到 |" if chinese else "| n | figure | value | goal | met |"
    words = ("是", "否") if chinese else ("yes", "no")
    rows = [
        f"| {one.n} | {one.what} | {one.value:.2f} | {'≤' if one.most else '≥'} {one.goal:g} | {words[not one.ok]} |"
        for one in figures
    ]
    return "\n".join([first, "", head, "|---:|---|---:|---:|---|", *rows])


def write_readme(figures: list[Figure], load: float) -> None:
    """Replace the tables between the marks."""
    for file, language in README.items():
        path = ROOT / file
        text = path.read_text("utf-8")
        new = f"{MARKS[0]}\n{table(figures, language, load)}\n{MARKS[1]}"
        path.write_text(
            re.sub(f"{MARKS[0]}.*?{MARKS[1]}", lambda _, new=new: new, text, flags=re.DOTALL), "utf-8"
        )


def profile(bench: Bench, stage: str) -> int:
    """Print where the time of a stage goes; the profile stays in report/."""
    file = ROOT / f"report/bench-{stage}.prof"
    file.parent.mkdir(exist_ok=True)
    bench.suite("--only", "host-reachable")
    source = (
        f"--from-snapshot={bench.snapshot}" if stage == "judge" else f"--inventory={bench.fleet.inventory()}"
    )
    words = [PYTEST[0], "-m", "cProfile", "-o", str(file), *PYTEST[1:], f"--report={bench.report}", source]
    status = measure.command([*words, *STAGES[stage]], ROOT, bench.output).status
    subprocess.run(
        [
            sys.executable,
            "-c",
            f"import pstats; pstats.Stats({str(file)!r}).sort_stats('tottime').print_stats(30)",
        ]
    )
    return status


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="script/bench",
        description=to_text(
            msg(
                "Measure the suite against the floor, on hosts that it makes itself; see bench/README.md. Prints a table and writes report/bench.json. Exit status 1: a figure is beyond its goal."
            )
        ),
    )
    top.add_argument(
        "hosts",
        nargs="*",
        type=int,
        default=[10, 50],
        help=to_text(msg("how many hosts; several sizes are possible (10 50)")),
    )
    top.add_argument(
        "--times",
        type=int,
        default=3,
        help=to_text(msg("repetitions, of which the median counts (%(default)s)")),
    )
    top.add_argument(
        "--profile", choices=STAGES, help=to_text(msg("print where the time of a stage goes, and end"))
    )
    top.add_argument(
        "--faulty",
        action="store_true",
        help=to_text(
            msg("measure only a fleet of which 1 %% hang, 1 %% refuse and 1 %% answer garbage, and end")
        ),
    )
    top.add_argument(
        "--readme",
        action="store_true",
        help=to_text(msg("write the table into README.md and README.zh-CN.md")),
    )
    return top


def main() -> int:
    set_language(language_of_locale())
    options = parser().parse_args()
    hosts.enter_namespace("bench.run")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bkpaas-bench-") as folder:
        fleets = [Fleet(Path(folder), count) for count in sorted(options.hosts, reverse=True)][::-1]
        with hosts.sshd(fleets[-1]):
            if options.profile:
                return profile(Bench(fleets[-1]), options.profile)
            if options.faulty:
                figures = faulty_figures(Bench(fleets[-1]))
                print(table(figures, "en", load))
                return 0 if all(one.ok for one in figures) else 1
            _fill_caches(Bench(fleets[0]))
            figures, costs = list[Figure](), list[float]()
            for fleet in fleets:
                Fleet(fleet.folder, fleets[-1].count)  # known_hosts of all
                found, cost = fleet_figures(Bench(fleet), options.times)
                figures += found
                costs.append(cost)
            if len(costs) > 1:
                what = f"processor time of a host, at {fleets[-1].count} / at {fleets[0].count}"
                figures.append(Figure(fleets[-1].count, what, costs[-1] / costs[0], 1.1))
            figures += other_figures(Bench(fleets[0]), options.times, costs[0])
            if fleets[-1].count >= FAULTY_FROM:
                figures += faulty_figures(Bench(fleets[-1]))
    JSON.parent.mkdir(exist_ok=True)
    document = {"commit": commit(), "load": load, "figures": [msgspec.to_builtins(one) for one in figures]}
    JSON.write_text(json.dumps(document, indent=1) + "\n")
    print(table(figures, "en", load))
    if options.readme:
        write_readme(figures, load)
    return 0 if all(one.ok for one in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
