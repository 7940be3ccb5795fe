"""Find the jobs of cron that end or restart services of the platform."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from bkpaas.facts.file import Files, content, file_fact, unreadable
from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.query import Earlier, FileName, Query, ReadFile
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg

Action = Literal["ends", "restarts"]

_TABLES = ("/etc/crontab", "/etc/cron.d/*", "/var/spool/cron/*", "/var/spool/cron/crontabs/*")
_FILE_BYTES = 16_384
_MOST_FILES = 50
_MOST_JOBS = 20
_COMMAND_LENGTH = 200
_OF_ACCOUNTS = "/var/spool/cron/"
"""Below it the tables have no column for the account, and only root may list them."""
_PROGRAMS = (
    r"(?:uwsgi|paas_?agent|supervisord?|log_agent|log_parser|filebeat|logstash|nginx|openresty|redis|mysqld?|mariadbd?"
    r"|rabbitmq|beam|elasticsearch|consul|bk-[a-z])"
)
"""What the programs, units and containers of the platform are called."""
_HARMLESS = r"(?:SIG)?(?:HUP|USR1|USR2|CONT|WINCH|0|1|10|12|18|28)\b"
"""Signals with which nginx and uwsgi reload or open their logs again, or that only ask whether a process runs."""
_KILL = re.compile(
    rf"(?:^|[\s/({{|`])(?:pkill|killall5?|kill)\s+(?!-{_HARMLESS}|(?:-s|--signal)[ =]?{_HARMLESS})"
)
_ENDS = (
    re.compile(rf"\b(?:systemctl|docker|podman)\b.*\s(?:stop|kill|rm)\s.*{_PROGRAMS}"),
    re.compile(r"\bsupervisorctl\b.*\s(?:stop|shutdown)\b"),
    re.compile(rf"(?:\bservice\s+|init\.d/){_PROGRAMS}\S*\s+stop\b"),
    re.compile(r"(?:^|/|\s)(?:nginx|openresty)\s.*-s\s+(?:stop|quit)\b"),
    re.compile(r"\b(?:bkcec|bkcli|bkctl)\s+stop\b"),
)
_RESTARTS = (
    re.compile(rf"\b(?:systemctl|docker|podman)\b.*\srestart\s.*{_PROGRAMS}"),
    re.compile(r"\bsupervisorctl\b.*\s(?:restart|reload)\b"),
    re.compile(rf"(?:\bservice\s+|init\.d/){_PROGRAMS}\S*\s+restart\b"),
    re.compile(r"\b(?:bkcec|bkcli|bkctl)\s+restart\b"),
)
_STARTS = re.compile(
    rf"\bstart\b|(?:^|/|\s)(?:supervisord|nginx|uwsgi|{_PROGRAMS})(?:\s+-c\b|\s+--ini\b|\s*$)"
)
_ENTRY = re.compile(r"(?P<when>@[a-z]+|(?:[0-9*/,A-Za-z-]+\s+){4}[0-9*/,A-Za-z-]+)\s+(?P<rest>\S.*)")
_RARELY = re.compile(r"@(?:daily|midnight|weekly|monthly|yearly|annually|reboot)|\d+\s+\d+\s+.*")
"""At most once a day: one minute of one hour."""


class CronJob(Record, frozen=True):
    """Represent a job that ends or restarts programs of the platform."""

    path: str
    line: int
    schedule: str
    command: str
    """Without secrets, cut."""
    action: Action

    @property
    def is_rare(self) -> bool:
        """Return whether it runs once a day at most."""
        return _RARELY.fullmatch(self.schedule) is not None


class Cron(Fact, frozen=True):
    """Hold the jobs that end or restart programs of the platform; of others only the number of their files is kept."""

    files: int = 0
    jobs: tuple[CronJob, ...] = ()
    unread: tuple[Message | str, ...] = ()


def cron(files: Files, secrets: Secrets) -> Cron:
    """Parse the tables of cron."""
    entries = [entry for entry in files.get(FileName.CRON, []) if entry.get("type") == "file"]
    unread: list[Message | str] = []
    jobs: list[CronJob] = []
    for entry in entries:
        if reason := unreadable(entry):
            unread.append(msg("{path}: {reason}", path=file_fact(entry).path, reason=reason))
        jobs += _jobs(entry, secrets)
    return Cron(files=len(entries), jobs=tuple(jobs[:_MOST_JOBS]), unread=tuple(unread[:5]))


def _jobs(entry: dict[str, Any], secrets: Secrets) -> Iterator[CronJob]:
    path = file_fact(entry).path
    for number, text in enumerate((content(entry) or "").splitlines(), 1):
        match = _ENTRY.match(text.strip())
        if match is None or text.lstrip().startswith("#"):
            continue
        command = match["rest"] if path.startswith(_OF_ACCOUNTS) else match["rest"].partition(" ")[2].strip()
        if (action := action_of(command)) is not None:
            shown = secrets.truncate(command, _COMMAND_LENGTH)
            yield CronJob(path, number, " ".join(match["when"].split()), shown, action)


def action_of(command: str) -> Action | None:
    """Return what a command does to programs of the platform; None: nothing that is known."""
    ends = restarts = starts = False
    for step in re.split(r";|&&|\|\||&", command):
        killed = _KILL.search(step) is not None and re.search(_PROGRAMS, step) is not None
        if killed or any(one.search(step) for one in _ENDS):
            ends = True
        elif any(one.search(step) for one in _RESTARTS):
            restarts = True
        elif _STARTS.search(step):
            starts = True
    return "ends" if ends and not starts else "restarts" if ends or restarts else None


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Read the tables of cron of the system and of its accounts."""
    if earlier is None:
        for path in _TABLES:
            yield ReadFile(FileName.CRON.value, path, _FILE_BYTES, _MOST_FILES)
