"""Parse the programs of a supervisor's configuration, and find what supervisord would refuse at its next start.

Source: supervisor/options.py and supervisor/datatypes.py of supervisor 3.3 and 4.2.
"""

from __future__ import annotations

import re
import shlex
from configparser import RawConfigParser
from fnmatch import fnmatchcase
from os.path import dirname, join, normpath
from typing import Any

from msgspec import field

from bkpaas.facts.file import FileFact, file_fact
from bkpaas.facts.missing import Record
from bkpaas.facts.process import ENVIRONMENT, command_line
from bkpaas.facts.secrets import Secrets
from bkpaas.messages import Message, msg

_NO = ("no", "false", "0", "off", "n", "f", "none")
_YES = ("yes", "true", "1", "on", "y", "t")
_COMMAND_LENGTH = 300
_NUMBERS = ("startsecs", "startretries", "stopwaitsecs", "priority", "numprocs", "numprocs_start")
_BOOLEANS = ("autostart", "redirect_stderr", "stopasgroup", "killasgroup")
_SIGNALS = ("TERM", "HUP", "INT", "QUIT", "KILL", "USR1", "USR2")
_EXPANSION = re.compile(r"%(?:%|\([A-Za-z_]\w*\)(?:s|\d*d))")
_HERE = re.compile(r"%\(here\)s")


class ConfProgram(Record, frozen=True):
    """Represent one [program:...] of a configuration, with supervisor's defaults."""

    name: str
    command: str
    startsecs: int = 1
    autostart: bool = True
    autorestart: str = "unexpected"
    stdout_logfile: str | None = None
    stderr_logfile: str | None = None
    directory: str | None = None
    user: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    """Of the variables that are read of each process too."""
    file: str = ""
    """The file that defines it: the configuration, or one that it includes."""
    numprocs: int = 1


def conf_programs(parser: RawConfigParser, path: str, secrets: Secrets) -> list[ConfProgram]:
    """Return the programs. Raises ValueError for an invalid number."""
    programs = []
    for section in parser.sections():
        kind, _, name = section.partition(":")
        if kind == "program" and name:
            programs.append(_program(parser, section, name.strip(), path, secrets))
    return programs


def _program(parser: RawConfigParser, section: str, name: str, path: str, secrets: Secrets) -> ConfProgram:
    command = parser.get(section, "command", fallback="")
    command = _HERE.sub(lambda _: dirname(path), command).replace("%(program_name)s", name)
    return ConfProgram(
        name=name,
        command=_command(command, secrets),
        startsecs=int(parser.get(section, "startsecs", fallback="1")),
        autostart=parser.get(section, "autostart", fallback="true").lower() not in _NO,
        autorestart=parser.get(section, "autorestart", fallback="unexpected").lower(),
        stdout_logfile=_log(parser, section, "stdout_logfile", path),
        stderr_logfile=_log(parser, section, "stderr_logfile", path),
        directory=conf_path(parser, section, "directory", path),
        user=parser.get(section, "user", fallback=None),
        environment=shown_variables(parser, section, secrets),
        file=path,
        numprocs=int(parser.get(section, "numprocs", fallback="1")),
    )


def _log(parser: RawConfigParser, section: str, option: str, path: str) -> str | None:
    log = conf_path(parser, section, option, path)
    return None if log is None or log.upper() in ("AUTO", "NONE") else log


def _command(text: str, secrets: Secrets) -> str:
    """Return a command without values of assignments and of options such as --token."""
    scrubbed = secrets.truncate(text, _COMMAND_LENGTH)
    try:
        arguments = shlex.split(scrubbed)
    except ValueError:  # a quote that does not end
        arguments = scrubbed.split()
    return " ".join(command_line(arguments, secrets))[:_COMMAND_LENGTH]


def variables(parser: RawConfigParser, section: str) -> dict[str, str]:
    """Return the variables that a section sets; empty where they cannot be read."""
    tokens = shlex.shlex(parser.get(section, "environment", fallback=""), posix=True)
    tokens.whitespace, tokens.whitespace_split = ",\n", True
    try:
        pairs = [word.strip().partition("=") for word in tokens]
    except ValueError:
        return {}
    return {name: value for name, equals, value in pairs if equals}


def shown_variables(parser: RawConfigParser, section: str, secrets: Secrets) -> dict[str, str]:
    """Return the variables that a section sets, without secrets, of those that are read of each process too."""
    return {
        name: secrets.digest(value) if secrets.is_secret(name, value) else secrets.truncate(value, 2000)
        for name, value in variables(parser, section).items()
        if name in ENVIRONMENT and "%(" not in value
    }


def conf_path(parser: RawConfigParser, section: str, option: str, conf: str) -> str | None:
    """Return the path that an option names, normalised; None if it is not set."""
    value = parser.get(section, option, fallback=None)
    return normpath(_HERE.sub(lambda _: dirname(conf), value)) if value else None


def included(parser: RawConfigParser, conf: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries of the files that [include] names, in the order of their names."""
    patterns = (parser.get("include", "files", fallback="") or "").split()
    patterns = [normpath(join(dirname(conf), _HERE.sub(lambda _: dirname(conf), one))) for one in patterns]
    there = [entry for entry in entries if entry.get("type") not in (None, "missing")]
    return sorted(
        (e for e in there if any(_matches(normpath(e["path"]), pattern) for pattern in patterns)),
        key=lambda entry: str(entry["path"]),
    )


def _matches(path: str, pattern: str) -> bool:
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)


def refused(parser: RawConfigParser, conf: str) -> list[Message | str]:
    """Return what supervisord refuses in a configuration that parses, or takes for something else."""
    problems: list[Message | str] = []
    if not parser.has_section("supervisord"):
        problems.append(msg("{path}: there is no [supervisord] section", path=conf))
    for section in parser.sections():
        kind, _, name = section.partition(":")
        problems += [
            msg(
                "{place}: {option} lacks its bracket: it is an option here",
                place=f"{conf}: [{section}]",
                option=key,
            )
            for key in parser.options(section)
            if key.startswith("[")
        ]
        if kind in ("program", "eventlistener", "fcgi-program"):
            if not name.strip() or re.search(r"[:\s]", name.strip()):
                problems.append(msg("{place}: not a name of a program", place=f"{conf}: [{section}]"))
            problems += _refused_options(parser, section, conf)
        elif kind == "unix_http_server" and not parser.get(section, "file", fallback=None):
            problems.append(msg("{place}: there is no {option}", place=f"{conf}: [{section}]", option="file"))
    return problems


def _refused_options(parser: RawConfigParser, section: str, conf: str) -> list[Message | str]:
    location = f"{conf}: [{section}]"
    options = {key: value or "" for key, value in parser.items(section)}
    wrong: list[str] = []
    wrong += [key for key in _NUMBERS if key in options and not _is_number(options[key])]
    wrong += [key for key in _BOOLEANS if key in options and options[key].lower() not in (*_NO, *_YES)]
    if options.get("autorestart", "true").lower() not in (*_NO, *_YES, "unexpected"):
        wrong.append("autorestart")
    if options.get("stopsignal", "TERM").upper().removeprefix("SIG") not in _SIGNALS:
        wrong.append("stopsignal")
    problems: list[Message | str] = [
        msg("{place}: {option} = {value} is refused", place=location, option=key, value=options[key][:80])
        for key in wrong
    ]
    if not options.get("command", "").strip():
        problems.append(msg("{place}: there is no {option}", place=location, option="command"))
    for key in ("command", "environment", "directory", "stdout_logfile", "stderr_logfile"):
        value = options.get(key, "")
        if "%" in _EXPANSION.sub("", value):
            problems.append(msg("{place}: {option} has a lone %: write %%", place=location, option=key))
        elif key in ("command", "environment") and _is_unbalanced(value):
            problems.append(msg("{place}: a quote in {option} does not end", place=location, option=key))
    return problems


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"\s*-?\d+\s*", text))


def _is_unbalanced(text: str) -> bool:
    try:
        shlex.split(text)
    except ValueError:
        return True
    return False


def conf_files(conf: FileFact, entries: list[dict[str, Any]]) -> tuple[FileFact, ...]:
    """Return the configuration and the files that it includes."""
    return (conf, *map(file_fact, entries))
