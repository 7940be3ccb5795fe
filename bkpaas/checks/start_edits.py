"""Edits of remedies for the next start of programs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from shlex import quote

from bkpaas.checks.case import CaseMessage
from bkpaas.checks.edits import Edit
from bkpaas.checks.permissions import worker_uids
from bkpaas.facts import ConfProgram, HostView, Missing
from bkpaas.facts.startup import accounts


def start_edits(
    host: HostView, wrong: Mapping[str, Sequence[CaseMessage]], uids: Mapping[str, int]
) -> Iterator[Edit | None]:
    """Yield the edits for programs that are not started, or under an account that does not exist.

    uids: of the running programs.
    """
    cases = {name: {problem.case for problem in problems} for name, problems in wrong.items()}
    supervisors = host.facts.supervisors
    for supervisor in () if isinstance(supervisors, Missing) else supervisors.by_module.values():
        for program in supervisor.programs_in_conf:
            if "not-by-itself" in cases.get(program.name, ()):
                yield start_by_itself(program)
    for name, account, path in accounts(host.facts):
        if "no-account" in cases.get(name, ()):
            running = worker_uids(host) if name == "nginx" else {uids[name]} if name in uids else set()
            yield run_as(account, min(running), path) if len(running) == 1 else None


def start_by_itself(program: ConfProgram) -> Edit:
    """Return the edit that removes `autostart` from the section of a program: supervisord then starts it."""
    step = rf"/^\[program:{program.name}\]/,/^\[/{{/^ *autostart *[=:]/d}}"
    return Edit(program.file, f"sed -i --follow-symlinks -E {quote(step)} {quote(program.file)}")


def run_as(account: str, uid: int, path: str) -> Edit | None:
    """Return the edit that gives `user` in a file of supervisord or nginx the account with this uid."""
    if not re.fullmatch(r"[\w.-]+", account):
        return None
    script = f'"s/^([ \\t]*user *[ =] *){account}([ ;]|$)/\\1$(id -nu {uid})\\2/"'
    return Edit(path, f"sed -i --follow-symlinks -E {script} {quote(path)}")
