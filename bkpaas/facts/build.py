"""From the raw answers of a host to its facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from bkpaas.facts import raw
from bkpaas.facts.access import login_access
from bkpaas.facts.agent import agent, saas
from bkpaas.facts.answers import answers, connections
from bkpaas.facts.certificates import certificates
from bkpaas.facts.clock import Clock
from bkpaas.facts.disks import disks
from bkpaas.facts.elasticsearch import searches
from bkpaas.facts.file import Files, places
from bkpaas.facts.host import HostFacts
from bkpaas.facts.log_plugins import log_plugins
from bkpaas.facts.logs import logs
from bkpaas.facts.missing import Fact, Missing
from bkpaas.facts.names import names
from bkpaas.facts.nginx import nginx
from bkpaas.facts.process import PidsLater, Processes, processes
from bkpaas.facts.proxies import proxies
from bkpaas.facts.query import FileName, HttpName, TailName, TcpName
from bkpaas.facts.redis import redis_talks
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.settings import settings
from bkpaas.facts.shown import Own, own_places
from bkpaas.facts.snapshot import ControllerFacts
from bkpaas.facts.sockets import sockets
from bkpaas.facts.supervisor import Supervisors, supervisors
from bkpaas.facts.system import System, addresses, system
from bkpaas.facts.timedaemon import time_daemon
from bkpaas.facts.uwsgi import services
from bkpaas.facts.versions import versions
from bkpaas.inventory.deployment import Host
from bkpaas.lang import say

if TYPE_CHECKING:
    from bkpaas.collect.visit import Visit

T = TypeVar("T", bound=Fact)

_MOST_ADDRESSES = 200
"""Of a host, to be found in its settings."""

_NOUNS = tuple(
    field.name
    for field in msgspec.structs.fields(HostFacts)
    if field.name not in ("host", "collected", "error_kind", "error", "seconds", "clock")
)


def host_facts(host: Host, visit: Visit, secrets: Secrets) -> HostFacts:
    """The facts of a host. Never raises: what is absent, malformed or of a wrong type is Missing."""
    error = visit.error.reason if visit.error else None
    shared = {
        "host": host.name,
        "collected": visit.first is not None,
        "error_kind": visit.error.kind if visit.error else None,
        "error": error,
        "seconds": visit.seconds,
        "clock": _clock(visit, error),
    }
    if visit.first is None:
        reason = error or say(en="the host was not collected", zh="未采集该主机")
        nouns: dict[str, Fact] = {noun: Missing(reason) for noun in _NOUNS}
    else:
        nouns = _Answers(host, visit, secrets).nouns()
    return _without_secrets(HostFacts(**shared, **nouns), HostFacts, secrets)  # type: ignore[arg-type]


def controller_facts(given: dict[str, Any], secrets: Secrets) -> ControllerFacts:
    """The controller's own probes, in the form that bkpaas.collect.probes.probe gives."""
    clean = raw.record(raw.clean(given))
    facts = ControllerFacts(
        names=_built(lambda: names(clean["resolve"])) if "resolve" in clean else _not_asked("resolve"),
        answers=_built(lambda: answers(clean["http"], secrets)) if "http" in clean else _not_asked("http"),
        agent=raw.text(clean.get("agent"), 60) or "",
        connections=connections(clean.get("tcp"), secrets),
        certificates=_built(lambda: certificates(clean["certificates"]))
        if "certificates" in clean
        else _not_asked("certificates"),
    )
    return _without_secrets(facts, ControllerFacts, secrets)


F = TypeVar("F")


def _without_secrets(facts: F, kind: type[F], secrets: Secrets) -> F:
    """Once more over everything: by now all secrets of the host are known, also where they have no name."""
    return msgspec.convert(secrets.strings(msgspec.to_builtins(facts)), kind)


def _clock(visit: Visit, error: str | None) -> Clock | Missing:
    clock = visit.clock
    if clock is None:
        return Missing(error or say(en="the clock was not measured", zh="未测量时钟"))
    return Clock(clock.offset_seconds, clock.uncertainty_seconds, clock.samples)


def _not_asked(section: str) -> Missing:
    return Missing(say(en=f"not in the host's answer: {section}", zh=f"主机的应答中没有：{section}"))


def _built(build: Callable[[], T | Missing]) -> T | Missing:
    """What a parser makes; Missing when it stumbles over what nobody thought of."""
    try:
        return build()
    except Exception as error:
        words = say(en="the answer cannot be read (suite error)", zh="无法解析应答（套件错误）")
        return Missing(f"{words}: {type(error).__name__}")


def _but(prefix: str, section: dict[str, Any]) -> dict[str, Any]:
    """The answers that another noun does not make its own."""
    return {name: item for name, item in section.items() if not name.startswith(prefix)}


class _Answers:
    """The two raw answers of a host as one."""

    def __init__(self, host: Host, visit: Visit, secrets: Secrets) -> None:
        self.host, self.secrets = host, secrets
        self.first = raw.record(raw.clean(visit.first))
        self.second = raw.record(raw.clean(visit.second))
        self.errors = raw.record(self.first.get("errors"))

    def nouns(self) -> dict[str, Fact]:
        secrets, first = self.secrets, self.first
        its_system = self._noun(dict, "system", lambda: system(first))
        its_processes = self._noun(list, "processes", lambda: processes(first["processes"], secrets))
        its_supervisors = self._files_noun(FileName.SUPERVISOR_CONF, self._supervisors)
        known = its_supervisors if isinstance(its_supervisors, Supervisors) else None
        running = its_processes if isinstance(its_processes, Processes) else None
        peers = self.second.get("peers")
        zone = its_system.utc_offset_seconds if isinstance(its_system, System) else None
        return {
            "system": its_system,
            "addresses": self._noun(list, "addresses", lambda: addresses(first["addresses"])),
            "processes": its_processes,
            "sockets": self._sockets(),
            "supervisors": its_supervisors,
            "services": self._files_noun(FileName.UWSGI_INI, lambda files: services(files, known, secrets)),
            "settings": self._files_noun(
                FileName.SETTINGS.prefix, lambda files: settings(files, secrets, self._own())
            ),
            "places": self._merged("files", lambda _: places(self._entries("files"))),
            "proxies": self._files_noun(FileName.PROXY.prefix, lambda files: proxies(files, secrets)),
            "nginx": self._noun(dict, "nginx", lambda: nginx(first["nginx"])),
            "agent": self._files_noun(FileName.AGENT_CONFIG, agent),
            "saas": self._files_noun(FileName.SAAS_PID, lambda files: saas(self.host, files, running)),
            "disks": self._noun(list, "disks", lambda: disks(first["disks"])),
            "names": self._merged("resolve", names),
            "answers": self._merged(
                "http", lambda section: answers(_but(HttpName.SEARCH.prefix, section), secrets)
            ),
            "connections": self._merged(
                "tcp", lambda section: connections(_but(TcpName.REDIS.prefix, section), secrets)
            ),
            "searches": self._merged("http", lambda section: searches(section, secrets)),
            "redis": self._merged("tcp", lambda section: redis_talks(section, secrets)),
            "logs": self._merged("tails", lambda _: logs(self._entries("tails"), zone, secrets)),
            "login_access": self._login_access(),
            "log_plugins": self._files_noun(
                "log-", lambda files: log_plugins(files, self._entries("tails"), running, secrets, peers)
            ),
            "time_daemon": self._noun(
                dict,
                "time_daemon",
                lambda: time_daemon(
                    first["time_daemon"], secrets, running.items if running else (), self._entries("files")
                ),
            ),
            "pids_later": self._pids(),
            "versions": self._files_noun("version-", lambda files: versions(files, first.get("system"))),
        }

    def _noun(self, kind: type, section: str, build: Callable[[], T | Missing]) -> T | Missing:
        """From one section of the first answer, which must be whole."""
        if (error := raw.text(self.errors.get(section), 300)) is not None:
            return Missing(error)
        if section not in self.first:
            return _not_asked(section)
        if not isinstance(self.first[section], kind):
            return Missing(say(en=f"malformed: {section}", zh=f"格式错误：{section}"))
        return _built(build)

    def _merged(self, section: str, build: Callable[[dict[str, Any]], T]) -> T | Missing:
        """From a section of both answers; what the second has of the same name is the newer."""
        given = [answer[section] for answer in (self.first, self.second) if section in answer]
        if not given:
            return _not_asked(section)
        if not all(isinstance(one, dict) for one in given):
            return Missing(say(en=f"malformed: {section}", zh=f"格式错误：{section}"))
        both = {name: value for one in given for name, value in one.items()}
        return _built(lambda: build(both))

    def _files_noun(self, prefix: str, build: Callable[[Files], T | Missing]) -> T | Missing:
        """From the files whose names begin so; they must have been looked for."""
        files = self._entries("files")
        asked = [entry for name, entries in files.items() if name.startswith(prefix) for entry in entries]
        if not asked:
            return _not_asked(prefix)
        errors = [raw.text(entry.get("error"), 300) for entry in asked if "mode" not in entry]
        if len(errors) == len(asked) and any(errors):
            return Missing("; ".join(dict.fromkeys(error for error in errors if error)))
        return _built(lambda: build(files))

    def _entries(self, section: str) -> Files:
        """The entries by name; of the same path the newer. What could not be looked for is an entry as well."""
        found: Files = {}
        for answer in (self.first, self.second):
            errors = raw.record(answer.get("errors"))
            for name, entries in raw.record(answer.get(section)).items():
                new = {str(entry.get("path")): entry for entry in raw.records(entries)}
                if not new and isinstance(error := errors.get(f"{section}:{name}"), str):
                    new = {name: {"path": name, "type": "other", "error": error}}
                kept = [entry for entry in found.get(name, []) if str(entry.get("path")) not in new]
                found[name] = [*kept, *new.values()]
        return found

    def _supervisors(self, files: Files) -> Supervisors:
        return supervisors(files, self.first.get("supervisor"), self.second.get("supervisor"), self.secrets)

    def _own(self) -> Own:
        """What replaces this host's own addresses and names, loopback among them, in a setting."""
        pairs = self.first.get("addresses")
        found = [
            raw.texts(pair, 100)[:1] for pair in (pairs if isinstance(pairs, list) else ())[:_MOST_ADDRESSES]
        ]
        hostname = raw.text(raw.record(self.first.get("system")).get("hostname"), 255)
        return own_places([address for one in found for address in one], hostname)

    def _sockets(self) -> Fact:
        if (error := raw.text(self.errors.get("listeners"), 300)) is not None:
            return Missing(error)
        return self._noun(list, "listeners", lambda: sockets(self.first["listeners"], self.first.get("unix")))

    def _login_access(self) -> Fact:
        tails = self._entries("tails")
        if TailName.UWSGI_LOG.of("login") not in tails:
            return _not_asked(TailName.UWSGI_LOG.of("login"))
        later = TailName.UWSGI_LOG.of("login") in raw.record(self.second.get("tails"))
        return _built(lambda: login_access(tails, later))

    def _pids(self) -> Fact:
        if "pids" not in self.second:
            return _not_asked("pids")
        given = raw.record(self.second["pids"])
        return PidsLater(by_pid={pid: raw.number(start) for pid, start in given.items()})
