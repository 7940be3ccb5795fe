"""Compare the facts of two snapshots, without data that varies by itself: pids, times, order, some ports."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from os.path import basename
from typing import Literal

from bkpaas.facts import (
    Agent,
    Answers,
    HostFacts,
    Listener,
    Missing,
    Nginx,
    Process,
    Processes,
    Services,
    SettingsByProject,
    Snapshot,
    Sockets,
    Supervisors,
    System,
    Value,
    Versions,
)
from bkpaas.facts.secrets import DIGEST
from bkpaas.record import FactChange

Kind = Literal["version", "setting", "process", "listener", "upstream"]
Table = dict[tuple[Kind, str], str]
"""What is compared of a host: by kind and name, as a text."""

EPHEMERAL = range(32768, 61000)
"""Ports that Linux gives to who asks for none in particular. Of these it only counts who has how many."""
SHOWN = 300
"""Characters of one side of a change."""
_UNKNOWN = "secret:?"
_COUNTED = re.compile(r"\b\d+\b")
_INTERPRETER = re.compile(r"(python|perl|ruby|bash|sh|node)[\d.]*")
_SESSION = re.compile(r"sshd(-session)?: \S+@")


def changes(before: Snapshot, after: Snapshot) -> list[FactChange]:
    """Return the changes by host, kind and name, of facts and hosts that both snapshots have.

    Secrets are compared if both snapshots have digests with the same key; otherwise they count as equal.
    """
    comparable = before.run == after.run or (before.key is not None and before.key == after.key)
    changed: list[FactChange] = []
    for host in sorted(before.hosts.keys() & after.hosts.keys()):
        changed += _of_host(host, before.hosts[host], after.hosts[host], comparable)
    old, new = (_servers("domain", snapshot.controller.answers) for snapshot in (before, after))
    return changed + list(_differences("controller", old, new, comparable=True, removals=False))


def _of_host(host: str, before: HostFacts, after: HostFacts, comparable: bool) -> Iterator[FactChange]:
    for nouns, table in _TABLES:
        if not all(_whole(getattr(facts, noun)) for facts in (before, after) for noun in nouns):
            continue
        old, new = (table(*(getattr(facts, noun) for noun in nouns)) for facts in (before, after))
        yield from _differences(host, old, new, comparable)
    old, new = (_servers("own", facts.answers) for facts in (before, after))
    yield from _differences(host, old, new, comparable=True, removals=False)
    if not any(isinstance(facts.sockets, Missing) for facts in (before, after)):
        yield from _listeners(host, before, after)


def _whole(fact: object) -> bool:
    """Return whether a noun is complete; an unreadable file must not look like a removed one."""
    if isinstance(fact, SettingsByProject):
        return not any(file.error for its in fact.by_project.values() for file in its.files)
    return not isinstance(fact, Missing)


def _differences(
    host: str, old: Table, new: Table, comparable: bool, removals: bool = True
) -> Iterator[FactChange]:
    """Yield the differences of two values. removals: whether a value that is absent on one side is a change."""
    for kind, name in sorted(old.keys() | new.keys()):
        was, is_ = old.get((kind, name)), new.get((kind, name))
        if not removals and None in (was, is_):
            continue
        if not comparable:
            was, is_ = was and DIGEST.sub(_UNKNOWN, was), is_ and DIGEST.sub(_UNKNOWN, is_)
        if was != is_:
            yield FactChange(host, kind, name, *_shown(was, is_))


def _shown(before: str | None, after: str | None) -> tuple[str | None, str | None]:
    """Cut so that the difference is seen."""
    if before is None or after is None:
        return before and before[:SHOWN], after and after[:SHOWN]
    pairs = zip(before, after, strict=False)
    same = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(before), len(after)))
    start = same - 40 if same > SHOWN - 100 else 0
    first, second = (("…" if start else "") + text[start : start + SHOWN] for text in (before, after))
    return first, second


def _versions(versions: Versions, system: System) -> Table:
    table: Table = {("version", name): version for name, version in versions.by_name.items()}
    if system.python:
        table["version", "python"] = system.python
    return table


def _servers(whose: str, answers: Answers | Missing) -> Table:
    """Return the Server headers of successful answers; a 502 comes from the server in front."""
    if isinstance(answers, Missing):
        return {}
    names = {"own": ("agent-nginx",), "domain": ("domain-/", "domain-/login/")}[whose]
    named_answers = ((name, answers.by_name.get(name)) for name in names)
    return {
        ("version", f"Server of {answer.url}"): answer.headers["server"]
        for _, answer in named_answers
        if answer is not None and "server" in answer.headers
    }


def _settings(settings: SettingsByProject) -> Table:
    return {
        ("setting", f"{project} {name}"): _text(value)
        for project, its in settings.by_project.items()
        for name, value in its.values.items()
    }


def _text(value: Value) -> str:
    if value.digest is not None or (value.value is None and value.kind != "none"):
        return value.source or value.digest or value.kind
    return json.dumps(value.value, ensure_ascii=False, sort_keys=True)


def _services(services: Services) -> Table:
    table: Table = {}
    for name, service in services.by_name.items():
        if service.bind_port is not None:
            table["setting", f"{name} bind"] = f"{service.bind_address}:{service.bind_port}"
        if service.bk_env is not None:
            table["setting", f"{name} BK_ENV"] = service.bk_env
    return table


def _programs(supervisors: Supervisors) -> Table:
    return {
        ("setting", f"{basename(module.conf.path)} {program.name}"): program.command
        for module in supervisors.by_module.values()
        for program in module.programs_in_conf
    }


def _agent(agent: Agent) -> Table:
    if agent.config is None:
        return {}
    config = agent.config
    values = {
        "PORT": f"{config.ip}:{config.port}",
        "EXECUTE_TIME_LIMIT": config.execute_time_limit.text,
        "CONTROLLER_SERVER_URL": config.controller_url,
        "BASE_APP_PATH": config.base_app_path,
    }
    return {("setting", f"paas_agent {name}"): value for name, value in values.items() if value is not None}


def _upstreams(nginx: Nginx) -> Table:
    table: Table = {}
    for upstream in nginx.upstreams:
        servers = (
            " ".join((f"{one.address}:{one.port}" if one.port else one.address, *sorted(one.parameters)))
            for one in upstream.servers
        )
        table["upstream", upstream.name] = ", ".join(sorted(servers))
    return table


def _processes(processes: Processes, sockets: Sockets, system: System) -> Table:
    """Return the relevant processes, masters only: listeners, supervised ones, those of the install root."""
    by_pid = {process.pid: process for process in processes.items}
    listening = {pid for one in sockets.listeners for pid in one.pids or ()}
    supervisord_pids = {one.pid for one in processes.items if program(one) == "supervisord"}
    install_root = f"{system.install_root}/" if system.install_root else None
    programs: dict[str, set[str]] = {}
    for process in processes.items:
        parent = by_pid.get(process.ppid)
        paths = (process.exe or "", *process.argv[:2])
        ours = install_root is not None and any(path.startswith(install_root) for path in paths)
        if not (process.pid in listening or process.ppid in supervisord_pids or ours) or _SESSION.match(
            process.command
        ):
            continue
        if parent is None or program(parent) != program(process):
            programs.setdefault(program(process), set()).add(_command(process))
    return {("process", name): " | ".join(sorted(commands)) for name, commands in programs.items()}


def program(process: Process) -> str:
    """Return the usual name of a process: login, supervisord, nginx, redis-server."""
    if process.service:
        return f"uwsgi {process.service}"
    if not process.argv:
        return process.name
    first = process.argv[0]
    if ": " in first:  # a title that the process gave itself: `nginx: master process /usr/sbin/nginx`
        return first.partition(":")[0]
    if _INTERPRETER.fullmatch(basename(first)):
        script = next((word for word in process.argv[1:] if not word.startswith("-")), first)
        return basename(script)
    return basename(first.partition(" ")[0])  # `/usr/bin/redis-server 0.0.0.0:6379` is a title as well


def _command(process: Process) -> str:
    """Return the command line without counters of titles: `0 of 10-100 startups`."""
    title = len(process.argv) == 1 and ": " in process.argv[0]
    return _COUNTED.sub("N", process.command) if title else process.command


def _listeners(host: str, before: HostFacts, after: HostFacts) -> Iterator[FactChange]:
    """Return listeners by address and port with owners; ephemeral ports are counted per owner."""
    old, new = (_listening(facts) for facts in (before, after))
    common = old.keys() & new.keys()
    unusual_old, unusual_new = (
        Counter(map(_unusual_port, rest)) for rest in (_only(old, common), _only(new, common))
    )
    for name in sorted(old.keys() | new.keys()):
        was, is_ = old.get(name), new.get(name)
        if name in common:
            if was is not None and is_ is not None and was[1] != is_[1] and None not in (was[1], is_[1]):
                yield FactChange(host, "listener", name, was[1], is_[1])
            continue
        one = was or is_
        assert one is not None
        if one[0].port in EPHEMERAL and unusual_old[_unusual_port(one)] == unusual_new[_unusual_port(one)]:
            continue
        yield FactChange(host, "listener", name, was and (was[1] or "?"), is_ and (is_[1] or "?"))


_ListenerRow = tuple[Listener, str | None]


def _only(rows: dict[str, _ListenerRow], common: set[str]) -> list[_ListenerRow]:
    return [one for name, one in rows.items() if name not in common and one[0].port in EPHEMERAL]


def _unusual_port(row: _ListenerRow) -> tuple[str, str | None]:
    return row[0].address, row[1]


def _listening(facts: HostFacts) -> dict[str, _ListenerRow]:
    """Return the listeners with the programs that own them, None if unknown."""
    assert not isinstance(facts.sockets, Missing)
    processes = (
        {} if isinstance(facts.processes, Missing) else {one.pid: one for one in facts.processes.items}
    )
    rows: dict[str, _ListenerRow] = {}
    for one in facts.sockets.listeners:
        owners = [processes[pid] for pid in one.pids or () if pid in processes]
        if owners and all(_SESSION.match(owner.command) for owner in owners):
            continue  # forwarded by an ssh session
        name = f"[{one.address}]:{one.port}" if one.family == 6 else f"{one.address}:{one.port}"
        rows[name] = one, ", ".join(sorted({program(owner) for owner in owners})) or None
    return rows


_TABLES: tuple[tuple[tuple[str, ...], Callable[..., Table]], ...] = (
    (("versions", "system"), _versions),
    (("settings",), _settings),
    (("services",), _services),
    (("supervisors",), _programs),
    (("agent",), _agent),
    (("nginx",), _upstreams),
    (("processes", "sockets", "system"), _processes),
)
