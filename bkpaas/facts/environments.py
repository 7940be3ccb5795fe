"""Find the variables of the environment of each service: of its uwsgi file, its process and its supervisor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os.path import basename
from typing import Any

from bkpaas.facts.calls import Environment
from bkpaas.facts.file import Files, content
from bkpaas.facts.process import ENVIRONMENT, Processes
from bkpaas.facts.query import FileName
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.supervisor import Supervisors, environment
from bkpaas.facts.uwsgi import read_ini
from bkpaas.inventory import platform

Variables = Mapping[str, str]


def environments(
    files: Files,
    supervisors: Supervisors | None,
    running: Processes | None,
    processes: Iterable[list[dict[str, Any]]],
    queried: Iterable[str],
    secrets: Secrets,
) -> dict[str, Environment]:
    """Return the environments of the services by project.

    Args:
        running: the processes of round 1.
        processes: the raw processes of both rounds, with the variables that were asked for.
        queried: names of the variables that round 2 asked for, in addition to those of round 1.
    """
    by_pid = [{item["pid"]: item["environ"] for item in items} for items in processes]
    names = [frozenset(ENVIRONMENT), frozenset(queried)]
    open_paas = supervisors.by_module.get("open_paas") if supervisors else None
    by_service = {}
    for project in platform.SETTINGS_FILES:
        pids = [one.pid for one in running.uwsgi_masters(project)] if running else []
        read = [
            (variable_names, environs[pid])
            for variable_names, environs in zip(names, by_pid, strict=False)
            for pid in pids[:1]
            if environs.get(pid) is not None
        ]
        configured = _configured(files, open_paas.conf.path if open_paas else "", project, secrets)
        by_service[project] = _environment(_ini(files, project), read, configured)
    return by_service


def _environment(
    ini: Variables, read: list[tuple[frozenset[str], Variables]], configured: Variables
) -> Environment:
    def variable(name: str) -> str | None:
        if name in ini:
            return ini[name]
        for queried, values in read:
            if name in queried:
                return values.get(name)
        return configured[name]

    return variable


def _ini(files: Files, project: str) -> Variables:
    """Return what `env =` sets in the uwsgi file of a project."""
    for entry in files.get(FileName.UWSGI_INI, []):
        if basename(str(entry.get("path"))) == f"uwsgi-open_paas-{project}.ini":
            options, _ = read_ini(content(entry) or "")
            pairs = (value.strip().partition("=") for value in options.get("env", []))
            return {name.strip(): value for name, equals, value in pairs if equals}
    return {}


def _configured(files: Files, conf: str, project: str, secrets: Secrets) -> Variables:
    """Return what supervisor's configuration sets for the program of a project."""
    for entry in files.get(FileName.SUPERVISOR_CONF, []):
        if entry.get("path") == conf:
            return environment(entry, project, secrets)
    return {}
