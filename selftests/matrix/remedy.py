"""Carry out the remedy of a root cause literally in the lab: what an operator would type on each host.

A remedy that repairs leaves everything green, also after what runs on the hosts is restarted. A step that only a
person can do is declared in the catalogue (`by_hand`), and such a remedy is not carried out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from bkpaas.catalogue.registry import get_condition
from bkpaas.record import HostRecord, Results, RootCause, Verdict
from lab.control import Lab
from lab.errors import LabError
from lab.faults.actions import restart_services
from lab.faults.log_cleanup import clear_logs
from lab.faults.units import await_registered

COMMAND_SECONDS = 90.0
"""How long one command may take, as that of an operator who waits."""
OUTPUT = 300
"""Characters of a command's output that are kept."""
CONTROLLER = "controller"
PLACES = {
    r"\bpaas hosts?\b": ("paas",),
    r"\bnginx hosts?\b": ("nginx",),
    r"\bapp hosts?\b": ("appo", "appt"),
    r"\bhost of bkiam\b": ("iam",),
}
"""Words of a comment that name all hosts of some roles."""
HERE = re.compile(r"machine (that|this)|this machine")
BY_HAND = re.compile(r"(^|\s)#\s")


class Step(NamedTuple):
    """A command line of a remedy."""

    run: str
    """Empty: a place for an edit by hand."""
    comment: str


class Done(NamedTuple):
    """What a step did on a host."""

    host: str
    run: str
    output: str


class Carried(NamedTuple):
    """What carrying out a remedy came to."""

    hosts: tuple[str, ...]
    """Those on which something was run."""
    by_hand: bool
    """A step needs a person, or the catalogue says so."""
    log: tuple[Done, ...]


def steps(remedy: str) -> Iterator[Step]:
    """Yield the command lines of a remedy in order."""
    for line in remedy.splitlines():
        if line.startswith("$ "):
            run, _, comment = line[2:].partition("    # ")
            yield Step("", run[1:].strip()) if run.startswith("#") else Step(run, comment)


def places(step: Step, verdict: Verdict, hosts: Sequence[HostRecord]) -> list[str]:
    """Return the hosts that a step is for: those its comment names, else the first of the verdict."""
    if HERE.search(step.comment):
        return [CONTROLLER]
    named = [
        host.name
        for host in hosts
        if re.search(
            rf"\bon\b.*\b({re.escape(host.name)}|{re.escape(host.address)})(?![\w.]*\d)", step.comment
        )
    ]
    for words, roles in PLACES.items():
        if re.search(words, step.comment):
            named += [host.name for host in hosts if set(roles) & set(host.roles)]
    return list(dict.fromkeys(named)) or verdict.hosts[:1] or [CONTROLLER]


def is_by_hand(cause: RootCause, verdict: Verdict) -> bool:
    """Return whether the catalogue says that a person has to repair this case."""
    return get_condition(verdict.condition).case(cause.case).by_hand


def carry_out(lab: Lab, results: Results) -> Carried:
    """Run the remedies of the first root cause in results, and of those with its condition and case on other hosts.

    Nothing is run if one of their steps needs a person.
    """
    first = results.causes[0]
    pairs = [
        (cause, results.verdict(id_))
        for cause in results.causes
        if (cause.case, _condition(cause)) == (first.case, _condition(first))
        for id_ in cause.ids
    ]
    plans = [(verdict, list(steps(verdict.remedy or ""))) for _, verdict in pairs]
    if any(is_by_hand(cause, verdict) for cause, verdict in pairs) or not all(
        step.run for _, plan in plans for step in plan
    ):
        return Carried((), True, ())
    log = [
        Done(host, step.run, _run(lab, host, step.run))
        for verdict, plan in plans
        for step in plan
        for host in places(step, verdict, results.hosts)
    ]
    return Carried(tuple(dict.fromkeys(one.host for one in log if one.host != CONTROLLER)), False, tuple(log))


def _condition(cause: RootCause) -> str:
    return cause.ids[0].partition("@")[0]


def _run(lab: Lab, host: str, command: str) -> str:
    """Return the output of a command; one that fails or takes too long is not an error: it may only look."""
    script = f"cd /root; {{ {command}\n}} 2>&1 </dev/null"
    try:
        if host == CONTROLLER:
            output = lab.exec(["bash", "-c", script], COMMAND_SECONDS)
        else:
            output = lab.run(host, script, COMMAND_SECONDS)
    except LabError as error:
        output = str(error)
    return output[-OUTPUT:]


def _await_consul(lab: Lab) -> None:
    """Wait, where there is consul, until nginx has the login of each paas host, or until that takes too long."""
    if lab.layout.generation == "5.x":
        return
    for host in lab.layout.hosts:
        if "paas" in host.roles:
            with suppress(LabError):  # what a remedy has not repaired stays red
                await_registered(lab, host.name)


def judge(lab: Lab, results: Results, run: Callable[[str], list[str]]) -> tuple[bool | None, list[str]]:
    """Carry out the remedy and return whether it repaired, with the lines of what was done.

    run: runs the suite under a name and returns the ids that are not green.
    """
    if not results.causes:
        return False, ["no root cause"]
    carried = carry_out(lab, results)
    lines = [f"{one.host}$ {one.run}\n{one.output}".rstrip() for one in carried.log]
    if carried.by_hand:
        return None, ["by hand"]
    try:
        _await_consul(lab)
        clear_logs(lab)  # as when the window of the logs has passed
    except LabError as error:
        return False, [*lines, f"not repaired: {error}"]
    if left := run("remedied"):
        return False, [*lines, f"not green: {' '.join(left)}"]
    for host in carried.hosts:
        restart_services(lab, host)
    _await_consul(lab)
    clear_logs(lab)
    left = run("restarted")
    return not left, [*lines, f"not green after a restart: {' '.join(left)}" if left else "green"]
