"""Find the place in a file of a host at which a password stands as it is.

Through an engine a plan is a file that others can read. It then names this place, and the collector reads the password
there, if the file is as it was in round 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bkpaas.errors import NoData
from bkpaas.facts import raw
from bkpaas.facts.database import accounts
from bkpaas.facts.elasticsearch import elasticsearch_endpoints
from bkpaas.facts.file import content
from bkpaas.facts.host import HostFacts
from bkpaas.facts.missing import Missing
from bkpaas.facts.query import FileName, PasswordSource
from bkpaas.facts.secret_names import is_secret
from bkpaas.facts.secrets import DIGEST, Secrets

_AFTER = re.compile(r"(?P<end>['\"]|@[A-Za-z0-9.-]{0,64}|\r?$|[ \t])")
"""What follows a password: a quote, the host in a URL, the end of the line, or a blank after an unquoted value."""
_WORD = re.compile(r"[A-Za-z_]+")


def password_sources(answer: Any, facts: HostFacts, secrets: Secrets) -> dict[str, PasswordSource]:
    """Return the places of the passwords of a host that round 2 may use, by their digests.

    Args:
        answer: of round 1, as it was decoded.
        facts: of the same round.
    """
    files = list(_files(answer))
    sources: dict[str, PasswordSource] = {}
    for digest in dict.fromkeys(_digests(facts)):
        value = secrets.resolve_digest(digest)
        places = [place for entry in files for place in _places(entry, value)] if value else []
        if places:
            sources[digest] = max(places, key=lambda place: place[0])[1]
    return sources


def _digests(facts: HostFacts) -> Iterator[str]:
    """Yield the digests in the logins of a host."""
    for account in accounts(facts.settings).values():
        yield from filter(DIGEST.fullmatch, (account.user, account.password, account.database))
    if not isinstance(facts.settings, Missing):
        try:
            endpoints = elasticsearch_endpoints(facts.settings.by_project.get("paas"))
        except (NoData, ValueError):
            endpoints = ()
        yield from filter(DIGEST.fullmatch, (endpoint.password for endpoint in endpoints))
    if not isinstance(facts.log_plugins, Missing):
        targets = facts.log_plugins.targets
        yield from filter(DIGEST.fullmatch, (target.password for target in targets if target.password))


def _files(answer: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the entries of files with settings whose text was read."""
    section = raw.record(raw.record(answer).get("files"))
    plugins = tuple(FileName.LOG_PLUGIN_CONF.of(name) for name in ("agent", "parser"))
    for name, entries in section.items():
        wanted = (
            name.startswith((FileName.SETTINGS.prefix, FileName.SETTINGS_MODULE.prefix)) or name in plugins
        )
        for entry in raw.records(entries) if wanted else ():
            stat = [entry.get("size"), entry.get("inode"), entry.get("mtime")]
            numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in stat)
            if content(entry) and numbers and "\ufffd" not in str(entry.get("path")):
                yield entry


def _places(entry: Mapping[str, Any], value: str) -> Iterator[tuple[bool, PasswordSource]]:
    """Yield the places of a value in a file, each with whether its line has a name like password."""
    for number, line in enumerate((content(dict(entry)) or "").split("\n"), 1):
        if max(line, default="") > "\uffff" or "\ufffd" in line:
            continue  # a column counts differently in some builds of Python 2
        for column, end, escaped in _columns(line, value):
            named = any(is_secret(word, "?") for word in _WORD.findall(line[:column]))
            yield (
                named,
                PasswordSource(
                    path=entry["path"],
                    line=number,
                    column=column,
                    end=end,
                    escaped=escaped,
                    size=entry["size"],
                    inode=entry["inode"],
                    mtime=entry["mtime"],
                ),
            )


def _columns(line: str, value: str) -> Iterator[tuple[int, str, bool]]:
    """Yield (column, what follows, whether it is written with backslashes) of a value in a line."""
    for at in _all(line, value):
        following = _AFTER.match(line, at + len(value))
        end = following["end"] if following else ""
        if following and (not end or (value + end).find(end) == len(value)):
            yield at, end, False
    for quote in ("'", '"'):
        escaped = re.sub(rf"([\\{quote}])", r"\\\1", value)
        if escaped != value:
            yield from ((at, quote, True) for at in _all(line, escaped + quote))


def _all(line: str, text: str) -> Iterator[int]:
    at = line.find(text)
    while at >= 0:
        yield at
        at = line.find(text, at + 1)
