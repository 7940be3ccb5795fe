"""Find programs that are not installed: to start them does not help."""

from __future__ import annotations

from bkpaas.facts import HostView, Missing
from bkpaas.facts.startup import directories, needs


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
