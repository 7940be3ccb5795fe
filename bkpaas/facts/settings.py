"""Parse the Django settings of the open_paas projects from their source, without executing it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from os.path import dirname
from typing import Any

from bkpaas.errors import NoData
from bkpaas.facts import raw
from bkpaas.facts.calls import Environment
from bkpaas.facts.file import FileFact, Files, content, file_fact, unreadable
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.names import unresolved
from bkpaas.facts.query import Earlier, FileName, ProcessVariables, Query, ReadFile
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.setting_value import SEARCH_SETTINGS, Value
from bkpaas.facts.settings_reader import SettingsReader
from bkpaas.facts.shown import SHOWN, Own, no_own
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg

__all__ = ["SEARCH_SETTINGS", "Settings", "SettingsByProject", "Value", "settings"]


class Settings(Record, frozen=True):
    """Hold the settings of one project, from its files in order."""

    project: str
    files: tuple[FileFact, ...]
    values: dict[str, Value]
    """Module-level upper-case names; a later file, and in a file a later line, wins."""
    problems: tuple[Message | str, ...] = ()
    """`file:line: ...` for each place that is neither Python 2 nor Python 3."""
    placeholders: tuple[str, ...] = ()
    """`file:line: __NAME__` for each template variable that was never replaced."""
    consul_names: tuple[str, ...] = ()
    """Names of consul's services in any of the values."""

    variables: tuple[str, ...] = ()
    """Names of variables of the environment that the files use and that are not known."""
    unfollowed: str | None = None
    """`file:line` of the last statement that may set any name and cannot be followed."""

    def get(self, name: str) -> Value | None:
        """Return the value of a name, None if it is not set. Raises NoData if a statement may have set it."""
        value = self.values.get(name)
        location = f"{value.file}:{value.line}" if value and value.kind == "unknown" else None
        if value is None:
            location = self.unfollowed
        if location is not None:
            raise NoData(
                msg(
                    "{location} may set {name} in a way that is not followed here",
                    location=location,
                    name=name,
                )
            )
        return value

    def number(self, name: str) -> int | float:
        """Return the number assigned to a name.

        Raises: NoData if it is absent, not a plain number, or if a file was not readable, which may set it.
        """
        for file in self.files:
            if file.error is not None:
                raise NoData(msg("{path}: {reason}", path=file.path, reason=file.error))
        value = self.get(name)
        if value is None:
            raise NoData(msg("{name} is not set in {project}", name=name, project=self.project))
        if value.kind not in ("int", "float") or value.value is None:
            raise NoData(
                msg(
                    "{file}:{line}: {name} = {text} is not a plain number",
                    file=value.file,
                    line=value.line,
                    name=name,
                    text=value.text,
                )
            )
        number: int | float = value.value
        return number


class SettingsByProject(Fact, frozen=True):
    """Hold the settings by project: login, paas, esb, appengine, console."""

    by_project: dict[str, Settings]


_FILES = re.compile(r"settings-(?P<project>[a-z0-9_]+)-(?P<order>\d+)")
_MOST_NAMES = 100
_MOST_VARIABLES = 20
"""Of the environment, per project."""


def settings(
    files: Files,
    secrets: Secrets,
    own: Own = no_own,
    shown: Set[str] = SHOWN,
    environments: Mapping[str, Environment] | None = None,
) -> SettingsByProject:
    """Return the settings of all projects, the files of each in their order of reading.

    own: replaces the host's own addresses and names in a text. shown: names whose values are kept.
    environments: of the processes of the projects.
    """
    modules = {
        path: text
        for name, entries in files.items()
        if name.startswith(FileName.SETTINGS_MODULE.prefix)
        for entry in entries
        if (text := content(entry)) and unreadable(entry) is None and (path := file_fact(entry).path)
    }
    by_project: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for name, entries in files.items():
        if match := _FILES.fullmatch(name):
            read = by_project.setdefault(match["project"], [])
            there = [entry for entry in entries if entry.get("type") != "missing"]
            read.extend((int(match["order"]), entry) for entry in there or entries[:1])
    return SettingsByProject(
        by_project={
            project: _settings(
                project,
                [entry for _, entry in sorted(read, key=lambda one: one[0])],
                SettingsReader(secrets, own, shown, (environments or {}).get(project), modules),
            )
            for project, read in by_project.items()
        }
    )


def _settings(project: str, entries: list[dict[str, Any]], reader: SettingsReader) -> Settings:
    files = tuple(map(file_fact, entries))
    for file, entry in zip(files, entries, strict=True):
        if reason := unreadable(entry):
            reader.problems.append(msg("{path}: {reason}", path=file.path, reason=reason))
        reader.read(file.path, content(entry) or "")
    return Settings(
        project=project,
        files=files,
        values=reader.values,
        problems=tuple(reader.problems),
        placeholders=tuple(reader.placeholders),
        consul_names=tuple(dict.fromkeys(reader.maker.consul_names))[:_MOST_NAMES],
        variables=tuple(sorted(reader.variables))[:_MOST_VARIABLES],
        unfollowed=reader.unfollowed,
    )


_MOST_FILES = 50
_MOST_MODULES = 10
_MOST_HOSTS = 20
_HOST = re.compile(r"[a-z0-9_.:-]{1,253}")
LOCATION_SETTINGS = (
    *("PAAS_INNER_DOMAIN", "PAAS_HOST", "LOGIN_HOST", "HOST_BK_LOGIN", "ENGINE_HOST", "HOST_CC", "HOST_JOB"),
    "DATABASES",
)
"""Settings with the addresses of parts of the platform, whose names are resolved."""


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Read the settings files of all projects of a paas host, and the modules next to them."""
    if earlier is None and entry.has_role("paas"):
        for project, paths in platform.settings_files(deployment).items():
            for order, usual in enumerate(paths, 1):
                for path in platform.project_paths(usual, deployment):
                    name = FileName.SETTINGS.of(project, order)
                    yield ReadFile(name, "{home}/" + path, deployment.limits.file_bytes, _MOST_FILES)
            for path in platform.project_paths(dirname(paths[-1]), deployment):
                name = FileName.SETTINGS_MODULE.of(project)
                yield ReadFile(name, f"{{home}}/{path}/*.py", deployment.limits.file_bytes, _MOST_MODULES)
    if earlier is not None and entry.has_role("paas"):
        yield from _later(deployment, earlier.hosts[entry.name].settings)


def _later(deployment: Deployment, facts: SettingsByProject | Missing) -> Iterator[Query]:
    """Return queries for the variables of the environment and the names that the settings use."""
    projects = {} if isinstance(facts, Missing) else facts.by_project
    variables = sorted({name for project in projects.values() for name in project.variables})
    if variables:
        yield ProcessVariables(tuple(variables))
    hosts = sorted({host for project in projects.values() for host in _hosts(project)})
    yield from unresolved(hosts[:_MOST_HOSTS], deployment)


def _hosts(project: Settings) -> Iterator[str]:
    """Return the hosts in the addresses of a project's settings."""
    for name in LOCATION_SETTINGS:
        value = project.values.get(name)
        text = value.value if value else None
        if isinstance(text, dict):
            text = raw.record(text.get("default")).get("HOST")
        if isinstance(text, str) and (host := location_host(text)) and _HOST.fullmatch(host):
            yield host


def location_port(text: str) -> int | None:
    """Return the port of a location: the written one, else that of its scheme, else None."""
    scheme, separator, rest = text.strip().lower().partition("://")
    rest = (rest if separator else scheme).partition("/")[0].rpartition("@")[2]
    _, colon, port = rest.rpartition("]")[2].rpartition(":")
    if colon and port.isdecimal() and len(port) < 6:
        return int(port)
    return {"http": 80, "https": 443}.get(scheme) if separator else None


def location_host(text: str) -> str:
    """Return the host of `http://host:port/path`, `host:port` or `host`, in lower case."""
    text = text.strip().lower()
    rest = (text.partition("://")[2] or text).partition("/")[0].rpartition("@")[2]
    if rest.startswith("["):
        return rest[1:].partition("]")[0]
    return rest if rest.count(":") > 1 else rest.partition(":")[0]
