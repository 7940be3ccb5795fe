"""What the recordings are expected to be judged as: one compressed file for each layout, and a summary to read.

`script/replay --update` writes both. The summary (LAYOUT.txt) is derived: it makes an intended change reviewable.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bkpaas.catalogue.registry import ALIASES, current_id
from selftests.recordings.store import EXPECTED, SUFFIX, canonical, read_lines, write_lines

DIRECTORY = EXPECTED
CATALOGUE = "catalogue.json"
BAD = ("fail", "warn", "no_data")
EVIDENCE = 200
"""Characters of evidence in a summary."""


def read(layout: str, directory: Path, only: Collection[str] = ()) -> dict[str, str]:
    """Return what is expected of each run of a layout, or of those with these names, as JSON."""
    return {run["name"]: canonical(run) for run in runs(layout, directory, only)}


def runs(layout: str, directory: Path, only: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """Yield what is expected of each run of a layout, or of those with these names."""
    file, left = directory / f"{layout}{SUFFIX}", set(only)
    for line in read_lines(file) if file.exists() else ():
        if not only or line["name"] in left:
            yield _renamed(line)
        left.discard(line["name"])
        if only and not left:
            break


def _renamed(line: dict[str, Any]) -> dict[str, Any]:
    """Return what is expected of a run with the ids that its conditions have today."""
    if not any(id_.partition("@")[0] in ALIASES for id_ in line["order"]):
        return line
    text = canonical(line)
    for alias, current in ALIASES.items():
        text = text.replace(f'"{alias}@', f'"{current}@')
    renamed: dict[str, Any] = json.loads(text)
    renamed["markers"] = {marker: sorted(ids) for marker, ids in renamed["markers"].items()}
    return renamed


def update(layout: str, outputs: dict[str, str], directory: Path, names: Sequence[str]) -> None:
    """Write what was judged as expected, in the order of these names; what is expected of other runs stays."""
    expected = read(layout, directory) | outputs
    ordered = [json.loads(expected[name]) for name in names if name in expected]
    write_lines(directory / f"{layout}{SUFFIX}", ordered)
    lines = [line for one in ordered for line in summary(one)]
    (directory / f"{layout}.txt").write_text("\n".join(lines) + "\n", "utf-8")


def summary(output: Mapping[str, Any]) -> list[str]:
    """Return a paragraph about one run: the root causes in order, then all that they account for."""
    verdicts = output["verdicts"]
    bad = [id_ for id_ in output["order"] if verdicts[id_]["word"] in BAD]
    lines = [
        f"{output['name']}: exit {output['exit']}, {len(output['order'])} verdicts, {len(bad)} of them bad"
    ]
    for place, id_ in enumerate(output["root_causes"], 1):
        lines.append(f"  {place}. {id_} {_outcome(verdicts[id_])}: {_evidence(verdicts[id_])}")
    for id_ in bad:
        if id_ not in output["root_causes"]:
            by = " ".join(verdicts[id_]["explained_by"])
            lines.append(f"     {id_} {_outcome(verdicts[id_])} <- {by}: {_evidence(verdicts[id_])}")
    return lines


def _outcome(verdict: Mapping[str, Any]) -> str:
    """Return the word of a verdict, and the case of a failure."""
    return f"{verdict['word']} ({verdict['case']})" if verdict.get("case") else str(verdict["word"])


def _evidence(verdict: Mapping[str, Any]) -> str:
    text = (verdict["evidence"] or verdict["reason"] or {}).get("en") or ""
    return " | ".join(text.splitlines())[:EVIDENCE]


def write_catalogue(output: Mapping[str, Any], directory: Path) -> None:
    """Write what concerns no run."""
    edges = [json.dumps(edge) for edge in output["edges"]]
    plan = json.dumps(output["plan"], ensure_ascii=False, indent=1)
    text = '{"edges": [\n' + ",\n".join(edges) + '\n],\n"plan": ' + plan + "}\n"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / CATALOGUE).write_text(text, "utf-8")


def read_catalogue(directory: Path) -> dict[str, Any]:
    """Return what was written; nothing, where nothing was."""
    file = directory / CATALOGUE
    if not file.exists():
        return {"edges": [], "plan": {}}
    read: dict[str, Any] = json.loads(file.read_text("utf-8"))
    read["edges"] = [
        [current_id(condition), current_id(cause), how] for condition, cause, how in read["edges"]
    ]
    return read
