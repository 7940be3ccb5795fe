"""Edits of remedies that correct the configurations of log_agent and log_parser."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from os.path import dirname
from shlex import quote

from bkpaas.checks.case import CaseMessage
from bkpaas.checks.edits import Edit, escaped, replace_in_line
from bkpaas.facts import LogPlugin
from bkpaas.facts.log_plugin_conf import DEFAULT_INDEX, IndexName

LOGSTASH_DAY = "%{+YYYY.MM.dd}"
"""How logstash writes the day that paas puts into the name of an index."""


def agent_edits(agent: LogPlugin, problems: Iterable[CaseMessage]) -> Iterator[Edit | None]:
    """Yield the edits that let log_agent read the logs of these problems; None if one is not known."""
    for problem in problems:
        path = str(problem.parameters.get("path", ""))
        if problem.case == "excluded":
            yield from _read_again(agent, path)
        elif problem.case == "not-covered":
            yield _cover(agent, path)


def _read_again(agent: LogPlugin, path: str) -> list[Edit | None]:
    """Return the edits that take the exclusions away that fit a log; [None] if they are not known."""
    return [
        Edit(
            one.file,
            "sed -i --follow-symlinks -E -e "
            + quote(rf"{one.line}{{s%^( *)- *.?{escaped(one.text)}.? *$%\1# &%;t")
            + " -e "
            + quote(rf"s%.?{escaped(one.text)}.?(, *)?%%}}")
            + f" {quote(one.file)}",
            one.line,
        )
        for one in agent.excluded_by(path)
        if "%" not in one.text
    ] or [None]


def _cover(agent: LogPlugin, path: str) -> Edit | None:
    """Return the edit that adds a glob for the logs of all applications to the first paths of log_agent."""
    first = next((one for one in agent.patterns if not one.excludes), None)
    if first is None:
        return None
    glob = f"{dirname(dirname(path))}/*/*.log"
    step = rf"s%^( *)- .*%&\n\1- {glob}%;t;s%\[%[{glob}, %"
    return Edit(
        first.file,
        f"sed -i --follow-symlinks -E {quote(f'{first.line}{{{step}}}')} {quote(first.file)}",
        first.line,
    )


def name_index(index: IndexName, name: str) -> Edit:
    """Return the edit that gives an output of log_parser this index, also where it has none."""
    right = f'index => "{name}"'
    if index.name != DEFAULT_INDEX:
        return replace_in_line(index.file, index.line, escaped(index.name), name)
    step = rf"s#{escaped(index.name)}#{name}#;t;s#elasticsearch *\{{#& {right}#"
    command = f"sed -i --follow-symlinks -E {quote(f'{index.line}{{{step}}}')} {quote(index.file)}"
    return Edit(index.file, command, index.line)


def without_drop(place: str) -> Edit | None:
    """Return the edit that takes a filter `drop { }` out of a line; it stays in the copy of the file.

    None: the place has no line.
    """
    path, _, line = place.rpartition(":")
    if not line.isdecimal():
        return None
    return replace_in_line(path, int(line), r"drop *\{[^{}]*\}", "")


def deliver_to(files: Iterable[str], outputs: Iterable[str], right: str) -> list[Edit]:
    """Return the edits that replace the addresses of outputs, written in double quotes."""
    return [
        Edit(path, f"sed -i --follow-symlinks -E {quote(step)} {quote(path)}")
        for path in files
        for output in outputs
        for step in [f's#"{escaped(output)}"#"{right}"#']
    ]
