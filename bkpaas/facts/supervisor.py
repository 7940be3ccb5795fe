"""A supervisor: its configuration, its socket and what supervisorctl status says."""

from __future__ import annotations

from bkpaas.facts.file import FileFact
from bkpaas.facts.missing import Fact, Record


class Program(Record, frozen=True):
    """One line of supervisorctl status."""

    name: str
    """group:name for a program in a group."""
    state: str
    """STOPPED STARTING RUNNING BACKOFF STOPPING EXITED FATAL UNKNOWN."""
    pid: int | None = None
    uptime_seconds: int | None = None
    description: str = ""


class ConfProgram(Record, frozen=True):
    """One [program:...] of a configuration, with supervisor's own defaults."""

    name: str
    command: str
    startsecs: int = 1
    autorestart: str = "unexpected"
    stdout_logfile: str | None = None


class Supervisor(Record, frozen=True):
    """One supervisor-<module>.conf and what stands behind it."""

    conf: FileFact
    programs_in_conf: tuple[ConfProgram, ...] = ()
    socket_path: str | None = None
    pidfile_path: str | None = None
    logfile_path: str | None = None
    socket: FileFact | None = None
    """None: not looked at."""
    pidfile: FileFact | None = None
    """None: not looked at."""
    pidfile_pid: int | None = None
    status: tuple[Program, ...] | None = None
    """None: supervisorctl was not asked or did not answer, see status_error."""
    status_error: str | None = None
    """What supervisorctl said instead of a status."""
    later: tuple[Program, ...] | None = None
    """The status of the second visit."""
    conf_error: str | None = None
    """Why the configuration cannot be read."""


class Supervisors(Fact, frozen=True):
    """By module: open_paas, paas_agent ..."""

    by_module: dict[str, Supervisor]
