"""Report the problems of programs, and find those that are not installed: to start them does not help."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from os.path import basename

from bkpaas.checks.case import CaseMessage, combined
from bkpaas.checks.finding import Finding
from bkpaas.facts import HostView, Missing, Process
from bkpaas.facts.startup import directories, needs
from bkpaas.inventory.platform import OPEN_PAAS_SERVICES
from bkpaas.messages import lines, series


def require_no_problems(
    by_program: Mapping[str, Sequence[CaseMessage]], finding: Finding, first: str = ""
) -> None:
    """Assert that no program has a problem; the finding gets the programs.

    first: the case that decides headline and remedy if a program has it.
    """
    if set(by_program) <= set(OPEN_PAAS_SERVICES):
        finding.affects_services(by_program)
    finding.set_remedy_values(service=" ".join(sorted(by_program)) or "SERVICE")
    problems = [one for messages in by_program.values() for one in messages]
    problems.sort(key=lambda one: one.case != first)
    assert not problems, combined(
        problems, lines(one.evidence for one in problems), programs=series(sorted(by_program))
    )


def control_of(host: HostView, conf: str) -> str:
    """Return the supervisorctl next to the supervisord that runs with a configuration; "" if none is known."""
    if isinstance(host.facts.processes, Missing):
        return ""
    for daemon in host.processes.supervisords(basename(conf)):
        for place, word in enumerate(daemon.argv):
            if basename(word) == "supervisord":
                return " ".join([*daemon.argv[:place], f"{word[:-1]}ctl", "-c", conf])
    return ""


def missing_program(host: HostView, program: str) -> str | None:
    """Return what is not there of the command of a program: its file or its interpreter.

    None: all is there, or it is not known.
    """
    startup = host.facts.startup
    if isinstance(startup, Missing):
        return None
    for need in needs(host.facts):
        if need.program != program or need.kind != "command":
            continue
        interpreter = startup.interpreters.get(need.path)
        for path in (need.path, interpreter) if interpreter else (need.path,):
            facts = [startup.paths.get(one) for one in (*directories(path), path)]
            if any(fact is not None and fact.type in ("missing", "symlink") for fact in facts):
                return path  # a symlink is one that leads nowhere
    return None


def other_socket(host: HostView, path: str, daemons: Iterable[Process]) -> str | None:
    """Return the unix socket on which a supervisord listens, if it is not the one at this path; None if it is.

    supervisord binds PATH.PID before it forks, then links it to PATH.
    """
    if isinstance(host.facts.sockets, Missing):
        return None
    pids = {process.pid for process in daemons}
    held = [
        re.sub(r"\.\d+$", "", socket.path)
        for socket in host.sockets.unix
        if socket.listening and pids & set(socket.pids or ())
    ]
    return None if not held or path in held else held[0]
