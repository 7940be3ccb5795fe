"""The command line of `script/record-snapshot`: record the snapshots of healthy labs that the selftests use.

Layout a is `healthy.json`, with the raw answers of its hosts in `answers.json`, and read by an account without rights
`guest.json`; another layout X is `healthy-X.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from bkpaas.facts.shapes import round_queries
from bkpaas.record import Results, read_json, write_file
from lab import layouts, lifecycle, machine
from lab.control import REPOSITORY, Lab
from selftests.proofs.live import inventory_of
from selftests.recordings.store import ELSEWHERE

HERE = Path(__file__).parent
LAB = "snapshot"
NEUTRAL = "/home/ops/acceptance/.lab/default"
"""Replaces the directory of the lab in a snapshot."""
GUEST = "guest"
"""The account of the lab's hosts that is neither root nor in a sudo rule."""
RUN_SECONDS = 300.0
RECORDER = "selftests.recordings.recorder"


class NotHealthyError(Exception):
    """A lab whose run is not green: its snapshot would make tests expect a fault."""


def main(words: list[str] | None = None) -> int:
    machine.complete_path()
    options = parser().parse_args(words)
    for layout in options.layouts or ["a"]:
        print(f"recording layout {layout}", flush=True)
        try:
            for file in record(layout, Lab(options.lab), options.directory, options.keep):
                print(f"{file}: {file.stat().st_size / 1000:.0f} kB")
        except NotHealthyError as error:
            print(f"not recorded: {error}", file=sys.stderr)
            return 1
    return 0


def record(layout: str, lab: Lab, directory: Path, keep: bool) -> list[Path]:
    """Start a lab of a layout, run the suite on it and write its files. Raises NotHealthyError."""
    if not (keep and lab.is_up):
        lifecycle.down(lab)
        lifecycle.up(lab, layouts.load(layout), print)
    try:
        with tempfile.TemporaryDirectory(prefix="bkpaas-snapshot-") as place:
            files = write(layout, *collected(lab, Path(place)), directory)
            return [*files, *write_guest(lab, Path(place), directory)] if layout == "a" else files
    finally:
        if not keep:
            lifecycle.down(lab)


def collected(lab: Lab, place: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the snapshot and the recording of one run of the suite. Raises NotHealthyError."""
    found, recording, results = run(lab, place, lab.state_dir / "inventory")
    require_green(results)
    return found, recording


def write_guest(lab: Lab, place: Path, directory: Path) -> list[Path]:
    """Run the suite with a plain account, and write its snapshot. -> the file"""
    snapshot, _, results = run(lab, place, inventory_of(lab, place / GUEST, GUEST))
    if not results.counts["pass"]:
        raise NotHealthyError("nothing was checked")
    snapshot.pop("key", None)
    write_file(directory / f"{GUEST}.json", msgspec.json.encode(snapshot), 0o644)
    return [directory / f"{GUEST}.json"]


def run(lab: Lab, place: Path, inventory: Path) -> tuple[dict[str, Any], dict[str, Any], Results]:
    """Return the snapshot, the recording and the results of one run of the suite."""
    snapshot, raw, report = place / "snapshot.json", place / "raw.json", place / "report"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--inventory",
        str(inventory),
        "--report",
        str(report),
        "--lang",
        "en",
    ]
    command += [
        "-p",
        "no:cacheprovider",
        "-p",
        RECORDER,
        "--record",
        str(raw),
        "--save-snapshot",
        str(snapshot),
    ]
    done = lab.run_program(*command, seconds=RUN_SECONDS)
    file = report / "results.json"
    if not file.exists():
        raise NotHealthyError(done.stdout)
    texts = (
        neutral(path.read_text("utf-8").replace(str(inventory), "inventory/lab"), lab)
        for path in (snapshot, raw)
    )
    found, recording = (json.loads(text) for text in texts)
    return found, recording, read_json(file)


def require_green(results: Results) -> None:
    """Raise NotHealthyError with the ids that are not well."""
    bad = [one.id for one in results.verdicts if one.verdict in ("fail", "warn", "no_data")]
    if bad or not results.counts["pass"]:
        raise NotHealthyError(" ".join(bad) or "nothing was checked")


def neutral(text: str, lab: Lab) -> str:
    """Return a text without the place of this repository and the name of the lab."""
    for place in (str(lab.state_dir), str(lab.state_dir).replace(str(REPOSITORY), ELSEWHERE)):
        text = text.replace(f"{place}/inventory", "inventory/lab").replace(place, NEUTRAL)
    return text


def write(layout: str, snapshot: dict[str, Any], recording: dict[str, Any], directory: Path) -> list[Path]:
    """Write the snapshot of a layout, of layout a also the raw answers. -> the files"""
    snapshot.pop("key", None)  # digests of another run are not comparable with those of a test
    name = "healthy.json" if layout == "a" else f"healthy-{layout}.json"
    files = {directory / name: msgspec.json.encode(snapshot)}
    if layout == "a":
        files[directory / "answers.json"] = json.dumps(answers(snapshot, recording)).encode("ascii")
    for file, data in files.items():
        write_file(file, data, 0o644)
    return list(files)


def answers(snapshot: dict[str, Any], recording: dict[str, Any]) -> dict[str, Any]:
    """Return the raw answers of all hosts with what they were asked, as selftests/suite/answers.py reads them."""
    return {
        "deployment": snapshot["deployment"],
        "started": snapshot["started"],
        "controller": recording["controller"],
        "visits": {
            host: {
                **{key: visit[key] for key in ("first", "second", "clock", "seconds", "error")},
                "asked": {
                    number: _sorted(msgspec.to_builtins(round_queries(plan or {})))
                    for number, plan in recording["plans"][host].items()
                },
            }
            for host, visit in recording["visits"].items()
        },
    }


def _sorted(value: Any) -> Any:
    """Return a structure whose lists of names are in order."""
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items()}
    return sorted(value) if isinstance(value, list) else value


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="script/record-snapshot",
        description="Record the snapshots of healthy labs for the selftests: layout a is healthy.json with the raw "
        "answers in answers.json, and guest.json as a plain account reads it, layout X is healthy-X.json. A lab that is not green is refused.",
    )
    top.add_argument("layouts", nargs="*", metavar="LAYOUT", help="of the lab: a b c d (a)")
    top.add_argument("--lab", metavar="NAME", default=LAB, help="name of the lab (%(default)s)")
    top.add_argument("--keep", action="store_true", help="use this lab if it is up, and leave it up")
    top.add_argument(
        "--directory", metavar="DIR", type=Path, default=HERE, help="where to write (%(default)s)"
    )
    return top


if __name__ == "__main__":
    sys.exit(main())
