"""Build the facts of a host from its raw answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec

from bkpaas.facts import raw
from bkpaas.facts.access import login_access
from bkpaas.facts.agent import agent, saas
from bkpaas.facts.answers import Connections, answers, connections
from bkpaas.facts.certificates import certificates
from bkpaas.facts.clock import Clock
from bkpaas.facts.containers import containers
from bkpaas.facts.disks import disks
from bkpaas.facts.elasticsearch import searches
from bkpaas.facts.environments import environments
from bkpaas.facts.file import Files, file_fact, path_stats
from bkpaas.facts.host import HostFacts
from bkpaas.facts.log_plugins import log_plugins
from bkpaas.facts.logs import Logs, logs
from bkpaas.facts.missing import Fact, Missing
from bkpaas.facts.names import names
from bkpaas.facts.nginx import nginx
from bkpaas.facts.probe_shapes import read_controller
from bkpaas.facts.process import Processes, processes
from bkpaas.facts.proxies import proxies
from bkpaas.facts.query import FileName, HttpName, TailName, TcpName
from bkpaas.facts.redis import redis_answers
from bkpaas.facts.redis_conf import redis_confs
from bkpaas.facts.redis_state import redis_states
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.services import later
from bkpaas.facts.settings import SettingsByProject, settings
from bkpaas.facts.shapes import Round, RoundQueries, not_answered, read_round
from bkpaas.facts.shown import Own, replace_own_names
from bkpaas.facts.snapshot import ControllerFacts
from bkpaas.facts.sockets import sockets
from bkpaas.facts.startup import startup
from bkpaas.facts.supervisor import Supervisors, supervisors
from bkpaas.facts.system import Moments, System, addresses, moment, system
from bkpaas.facts.systemd import units
from bkpaas.facts.timedaemon import time_daemon
from bkpaas.facts.uwsgi import services
from bkpaas.facts.versions import versions
from bkpaas.inventory.deployment import Host
from bkpaas.messages import Message, joined, msg

T = TypeVar("T", bound=Fact)

_MOST_ADDRESSES = 200
"""Of a host, to be found in its settings."""

_NOUNS = tuple(
    field.name
    for field in msgspec.structs.fields(HostFacts)
    if field.name not in ("host", "collected", "error_kind", "error", "seconds", "clock")
)


class _Failure(Protocol):
    @property
    def kind(self) -> str: ...

    @property
    def reason(self) -> Message | str: ...


class _Clock(Protocol):
    @property
    def offset_seconds(self) -> float: ...

    @property
    def uncertainty_seconds(self) -> float: ...

    @property
    def samples(self) -> int: ...


class HostAnswers(Protocol):
    """Declare the fields of bkpaas.collect.rounds.HostAnswers that are read here."""

    @property
    def round_1(self) -> Any: ...

    @property
    def round_2(self) -> Any: ...

    @property
    def error(self) -> _Failure | None: ...

    @property
    def clock(self) -> _Clock | None: ...

    @property
    def times(self) -> Mapping[int, Any]: ...

    @property
    def seconds(self) -> float: ...

    @property
    def queries(self) -> dict[int, RoundQueries]: ...

    @property
    def rejected(self) -> dict[int, dict[str, Message]]: ...


def host_facts(host: Host, answers: HostAnswers, secrets: Secrets) -> HostFacts:
    """Return the facts of a host. Never raises: absent, malformed or wrongly typed data is Missing."""
    error = answers.error.reason if answers.error else None
    shared = {
        "host": host.name,
        "collected": answers.round_1 is not None,
        "error_kind": answers.error.kind if answers.error else None,
        "error": error,
        "seconds": answers.seconds,
        "clock": _clock(answers, error),
    }
    if answers.round_1 is None:
        reason = error or msg("the host was not collected")
        nouns: dict[str, Fact] = {noun: Missing(reason) for noun in _NOUNS}
    else:
        nouns = _Answers(host, answers, secrets).nouns()
    return _without_secrets(HostFacts(**shared, **nouns), HostFacts, secrets)  # type: ignore[arg-type]


def uncollected_facts(host: str, kind: str, reason: Message) -> HostFacts:
    """Return the facts of a host that was not collected, for a kind of error and a reason."""
    nouns: dict[str, Fact] = {noun: Missing(reason) for noun in (*_NOUNS, "clock")}
    return HostFacts(host, False, kind, reason, 0.0, **nouns)  # type: ignore[arg-type]


def controller_facts(answer: dict[str, Any], secrets: Secrets) -> ControllerFacts:
    """Return the facts of the controller from the result of bkpaas.collect.probes.probe."""
    read = read_controller(answer)

    def noun(section: str, build: Callable[[Any, dict[str, Message | str]], T]) -> T | Missing:
        if section not in read.values:
            return Missing(read.errors[section])
        return _built(lambda: build(read.values[section], _named_errors(read, section)))

    made = noun("tcp", lambda section, errors: connections(section, secrets, errors))
    facts = ControllerFacts(
        names=noun("resolve", names),
        answers=noun("http", lambda section, errors: answers(section, secrets, errors)),
        agent=read.values.get("agent", ""),
        sent=read.values.get("sent"),
        connections=Connections({}) if isinstance(made, Missing) else made,
        certificates=noun("certificates", lambda section, _: certificates(section)),
    )
    return _without_secrets(facts, ControllerFacts, secrets)


F = TypeVar("F")


def _without_secrets(facts: F, kind: type[F], secrets: Secrets) -> F:
    """Redact all strings again, since by now all secrets of the host are known."""
    data = msgspec.json.encode(facts)
    if not secrets.changes_json(data):
        return msgspec.json.decode(data, type=kind)
    return msgspec.convert(secrets.strings(msgspec.to_builtins(facts)), kind)


def _clock(answers: HostAnswers, error: Message | str | None) -> Clock | Missing:
    clock = answers.clock
    if clock is None:
        return Missing(error or msg("the clock was not measured"))
    measured = Clock(clock.offset_seconds, clock.uncertainty_seconds, clock.samples)
    try:
        return msgspec.convert(msgspec.to_builtins(measured), Clock)
    except msgspec.ValidationError:
        return Missing(msg("the host answered with an impossible time"))


def _built(build: Callable[[], T | Missing]) -> T | Missing:
    """Run a parser; return Missing if it raises unexpectedly."""
    try:
        return build()
    except Exception as error:
        return Missing(msg("the answer cannot be read (suite error): {error}", error=type(error).__name__))


def _but(prefix: str, section: dict[str, Any]) -> dict[str, Any]:
    """Return the answers without those of another noun, by the prefix of their names."""
    return {name: item for name, item in section.items() if not name.startswith(prefix)}


def _but_redis(section: dict[str, Any]) -> dict[str, Any]:
    """Return the connections to other services than redis."""
    prefixes = tuple(name.prefix for name in (TcpName.REDIS, TcpName.REDIS_STATE, TcpName.REDIS_CONF))
    return {name: item for name, item in section.items() if not name.startswith(prefixes)}


class _Answers:
    """Merge the raw answers of both rounds of a host."""

    def __init__(self, host: Host, answers: HostAnswers, secrets: Secrets) -> None:
        self.host, self.secrets = host, secrets
        reason = answers.error.reason if answers.error else None
        numbered = enumerate((answers.round_1, answers.round_2), 1)
        self.rounds = [
            read_round(
                answer,
                number,
                answers.queries.get(number, RoundQueries()),
                reason,
                answers.rejected.get(number, {}),
            )
            for number, answer in numbered
        ]
        self.round_1, self.round_2 = self.rounds
        self.times = answers.times
        self.variables = answers.queries.get(2, RoundQueries()).variables

    def nouns(self) -> dict[str, Fact]:
        secrets, first = self.secrets, self.round_1.values
        its_system = self._noun(lambda: system(first["system"], first["collector"]), "system")
        its_processes = self._noun(lambda: processes(first["processes"], secrets), "processes")
        its_supervisors = self._files_noun(FileName.SUPERVISOR_CONF, self._supervisors)
        parsed_supervisors = its_supervisors if isinstance(its_supervisors, Supervisors) else None
        running = its_processes if isinstance(its_processes, Processes) else None
        peers, writers = self.round_2.values.get("peers"), first.get("writers")
        zone = its_system.utc_offset_seconds if isinstance(its_system, System) else None
        return {
            "system": its_system,
            "moments": _built(self._moments),
            "addresses": self._noun(lambda: addresses(first["addresses"]), "addresses"),
            "processes": its_processes,
            "sockets": self._noun(lambda: sockets(first["listeners"], first["unix"]), "listeners", "unix"),
            "supervisors": its_supervisors,
            "services": self._files_noun(
                FileName.UWSGI_INI, lambda files: services(files, parsed_supervisors, secrets)
            ),
            "settings": self._settings(parsed_supervisors, running),
            "path_stats": self._merged("files", lambda *_: path_stats(self._entries("files"))),
            "proxies": self._files_noun(FileName.PROXY.prefix, lambda files: proxies(files, secrets)),
            "nginx": self._noun(lambda: nginx(first["nginx"]), "nginx"),
            "agent": self._files_noun(FileName.AGENT_CONFIG, lambda files: agent(files, secrets)),
            "saas": self._files_noun(FileName.SAAS_PID, lambda files: saas(self.host, files, running)),
            "disks": self._noun(lambda: disks(first["disks"]), "disks"),
            "names": self._merged("resolve", lambda own, errors: names(own, errors, self._entries("files"))),
            "answers": self._merged(
                "http",
                lambda section, errors: answers(
                    _but(HttpName.SEARCH.prefix, section), secrets, _but(HttpName.SEARCH.prefix, errors)
                ),
            ),
            "connections": self._merged(
                "tcp",
                lambda section, errors: connections(_but_redis(section), secrets, _but_redis(errors)),
            ),
            "searches": self._merged("http", lambda section, errors: searches(section, secrets, errors)),
            "redis_states": self._merged(
                "tcp", lambda answers, errors: redis_states(answers, secrets, errors)
            ),
            "redis_confs": _built(self._redis_confs),
            "redis": self._merged("tcp", lambda section, errors: redis_answers(section, secrets, errors)),
            "logs": self._merged("tails", lambda *_: self._logs(zone)),
            "login_access": self._login_access(),
            "log_plugins": self._files_noun(
                "log-",
                lambda files: log_plugins(files, self._entries("tails"), running, secrets, peers, writers),
            ),
            "time_daemon": self._noun(
                lambda: time_daemon(
                    first["time_daemon"], secrets, running.items if running else None, self._entries("files")
                ),
                "time_daemon",
            ),
            "later": self._later(),
            "startup": self._merged("files", lambda *_: startup(self._entries("files"))),
            "units": self._both_rounds(units, "systemd"),
            "containers": self._both_rounds(containers, "docker"),
            "versions": self._files_noun("version-", lambda files: versions(files, first.get("system"))),
        }

    def _moments(self) -> Moments:
        first, later = (
            moment(one.values.get("system"), self.times.get(number)) if "system" in one.values else None
            for number, one in enumerate(self.rounds, 1)
        )
        return Moments(first=first or moment(None, self.times.get(1)), later=later)

    def _redis_confs(self) -> Fact:
        tcp, errors = self.round_2.values.get("tcp", {}), _named_errors(self.round_2, "tcp")
        return redis_confs(self._entries("files"), tcp, self.secrets, errors)

    def _logs(self, utc_offset_seconds: int | None) -> Logs:
        later = [entry for entries in self.round_2.values.get("tails", {}).values() for entry in entries]
        paths = tuple(dict.fromkeys(file_fact(entry).path for entry in later))
        return logs(self._entries("tails"), utc_offset_seconds, self.secrets, paths)

    def _noun(self, build: Callable[[], T | Missing], *sections: str) -> T | Missing:
        """Build a noun from sections of round 1, which must be complete."""
        for section in sections:
            if section in self.round_1.errors:
                return Missing(self.round_1.errors[section])
            if section not in self.round_1.values:
                return Missing(not_answered(section))
        return _built(build)

    def _both_rounds(
        self, build: Callable[[dict[str, Any], dict[str, Any] | None, Secrets], T], section: str
    ) -> T | Missing:
        """Build a noun from a section of round 1 and, where it was asked again, of round 2.

        Round 2 alone has it where only round 1 showed that the host is of another generation than the inventory.
        """
        then = self.round_2.values.get(section)
        if section not in self.round_1.values and then is not None:
            return _built(lambda: build(then, then, self.secrets))
        return self._noun(lambda: build(self.round_1.values[section], then, self.secrets), section)

    def _merged(
        self, section: str, build: Callable[[dict[str, Any], dict[str, Message | str]], T | Missing]
    ) -> T | Missing:
        """Build a noun from a section of both rounds; for the same name round 2 is newer.

        build: called with {name: answer} and {name: reason without an answer}.
        """
        if not any(section in one.values for one in self.rounds):
            reasons = [one.errors[section] for one in self.rounds if section in one.errors]
            return Missing(reasons[0] if reasons else not_answered(section))
        merged: dict[str, Any] = {}
        errors: dict[str, Message | str] = {}
        for one in self.rounds:
            values, refused = one.values.get(section, {}), _named_errors(one, section)
            merged = {name: item for name, item in {**merged, **values}.items() if name not in refused}
            errors = {name: error for name, error in errors.items() if name not in values} | refused
        return _built(lambda: build(merged, errors))

    def _files_noun(self, prefix: str, build: Callable[[Files], T | Missing]) -> T | Missing:
        """Build a noun from the files with this prefix; they must have been queried."""
        files = self._entries("files")
        entries = [entry for name, group in files.items() if name.startswith(prefix) for entry in group]
        if not entries:
            return Missing(not_answered(prefix))
        errors = [raw.reason(entry.get("error")) for entry in entries if "mode" not in entry]
        if len(errors) == len(entries) and any(errors):
            return Missing(
                joined("; ", dict.fromkeys(error for error in errors if error), context="as in English")
            )
        return _built(lambda: build(files))

    def _entries(self, section: str) -> Files:
        """Return the entries by name, the newer one of the same path; failed queries are entries too."""
        merged: Files = {}
        for one in self.rounds:
            newer = {name: list(entries) for name, entries in one.values.get(section, {}).items()}
            for name, error in _named_errors(one, section).items():
                if name not in newer:
                    newer[name] = [{"path": name, "type": "other", "error": error}]
            for name, entries in newer.items():
                new = {entry["path"]: entry for entry in entries}
                kept = [entry for entry in merged.get(name, []) if entry["path"] not in new]
                merged[name] = [*kept, *new.values()]
        return merged

    def _supervisors(self, files: Files) -> Supervisors:
        status, later = (
            one.values.get("supervisor", {})
            | {name: {"error": error} for name, error in _named_errors(one, "supervisor").items()}
            for one in self.rounds
        )
        return supervisors(files, status, later, self.secrets)

    def _settings(self, parsed: Supervisors | None, running: Processes | None) -> Fact:
        items = [one.values.get("processes", []) for one in self.rounds]

        def build(files: Files) -> SettingsByProject:
            by_project = environments(files, parsed, running, items, self.variables, self.secrets)
            return settings(files, self.secrets, self._own(), environments=by_project)

        return self._files_noun(FileName.SETTINGS.prefix, build)

    def _own(self) -> Own:
        """Return the replacements for the host's own addresses and names in a setting, loopback included."""
        values = self.round_1.values
        own_addresses = [address for address, _ in values.get("addresses", ())[:_MOST_ADDRESSES]]
        return replace_own_names(
            own_addresses, values["system"]["hostname"][:255] if "system" in values else None
        )

    def _later(self) -> Fact:
        """Return which main processes of round 1 still run in round 2."""
        if "starts" not in self.round_2.values:
            return Missing(self.round_2.errors.get("starts", not_answered("starts")))
        return _built(lambda: later(self.round_2.values["starts"]))

    def _login_access(self) -> Fact:
        tails = self._entries("tails")
        if TailName.UWSGI_LOG.of("login") not in tails:
            return Missing(not_answered(TailName.UWSGI_LOG.of("login")))
        later = TailName.UWSGI_LOG.of("login") in self.round_2.values.get("tails", {})
        return _built(lambda: login_access(tails, later, self.secrets))


def _named_errors(one: Round, section: str) -> dict[str, Message | str]:
    """Return {name: reason} of the names of a section without an answer in a round."""
    prefix = f"{section}:"
    return {
        key[len(prefix) :]: error
        for key, error in one.errors.items()
        if key.startswith(prefix) and key[len(prefix) :] not in one.values.get(section, {})
    }
