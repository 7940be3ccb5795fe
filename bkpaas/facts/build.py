"""Build the facts of a host from its raw answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec

from bkpaas.facts.access import login_access
from bkpaas.facts.agent import agent, saas
from bkpaas.facts.answers import Connections, answers, connections
from bkpaas.facts.certificates import certificates
from bkpaas.facts.clock import Clock
from bkpaas.facts.containers import containers
from bkpaas.facts.cron import cron
from bkpaas.facts.disks import disks
from bkpaas.facts.elasticsearch import searches
from bkpaas.facts.environments import environments
from bkpaas.facts.file import Files, file_fact, path_stats
from bkpaas.facts.host import HostFacts
from bkpaas.facts.iam import iam_failures
from bkpaas.facts.log_plugins import log_plugins
from bkpaas.facts.logs import Logs, logs
from bkpaas.facts.merged_rounds import MergedRounds, built, named_errors
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
from bkpaas.facts.retransmits import retransmits
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.services import later
from bkpaas.facts.settings import SettingsByProject, settings
from bkpaas.facts.shapes import RoundQueries, not_answered, read_round
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
from bkpaas.messages import Message, msg

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
    """Declare the fields of bkpaas.collect.host_answers.HostAnswers that are read here."""

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
        return built(lambda: build(read.values[section], named_errors(read, section)))

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


def _but(prefix: str, section: dict[str, Any]) -> dict[str, Any]:
    """Return the answers without those of another noun, by the prefix of their names."""
    return {name: item for name, item in section.items() if not name.startswith(prefix)}


def _but_redis(section: dict[str, Any]) -> dict[str, Any]:
    """Return the connections to other services than redis."""
    prefixes = tuple(name.prefix for name in (TcpName.REDIS, TcpName.REDIS_STATE, TcpName.REDIS_CONF))
    return {name: item for name, item in section.items() if not name.startswith(prefixes)}


class _Answers(MergedRounds):
    """Build all nouns of a host from its raw answers."""

    def __init__(self, host: Host, answers: HostAnswers, secrets: Secrets) -> None:
        self.host = host
        reason = answers.error.reason if answers.error else None
        numbered = enumerate((answers.round_1, answers.round_2), 1)
        rounds = [
            read_round(
                answer,
                number,
                answers.queries.get(number, RoundQueries()),
                reason,
                answers.rejected.get(number, {}),
            )
            for number, answer in numbered
        ]
        super().__init__(rounds, secrets)
        self.times = answers.times
        self.variables = answers.queries.get(2, RoundQueries()).variables
        queried = answers.queries.get(2, RoundQueries()).sections
        self.connects = any(queried.get(section) for section in ("http", "tcp"))

    def nouns(self) -> dict[str, Fact]:
        secrets, first = self.secrets, self.round_1.values
        its_system = self.noun(lambda: system(first["system"], first["collector"]), "system")
        its_processes = self.noun(lambda: processes(first["processes"], secrets), "processes")
        its_supervisors = self.files_noun(FileName.SUPERVISOR_CONF, self._supervisors)
        parsed_supervisors = its_supervisors if isinstance(its_supervisors, Supervisors) else None
        running = its_processes if isinstance(its_processes, Processes) else None
        peers, writers = self.round_2.values.get("peers"), first.get("writers")
        zone = its_system.utc_offset_seconds if isinstance(its_system, System) else None
        return {
            "system": its_system,
            "moments": built(self._moments),
            "addresses": self.noun(lambda: addresses(first["addresses"]), "addresses"),
            "processes": its_processes,
            "sockets": self.noun(lambda: sockets(first["listeners"], first["unix"]), "listeners", "unix"),
            "supervisors": its_supervisors,
            "services": self.files_noun(
                FileName.UWSGI_INI, lambda files: services(files, parsed_supervisors, secrets)
            ),
            "settings": self._settings(parsed_supervisors, running),
            "path_stats": self.merged("files", lambda *_: path_stats(self.entries("files"))),
            "proxies": self.files_noun(FileName.PROXY.prefix, lambda files: proxies(files, secrets)),
            "nginx": self.noun(lambda: nginx(first["nginx"], running), "nginx"),
            "agent": self.files_noun(FileName.AGENT_CONFIG, lambda files: agent(files, secrets)),
            "saas": self.files_noun(FileName.SAAS_PID, lambda files: saas(self.host, files, running)),
            "disks": self.noun(lambda: disks(first["disks"], self.round_2.values.get("deleted")), "disks"),
            "names": self.merged("resolve", lambda own, errors: names(own, errors, self.entries("files"))),
            **self._requests(),
            "logs": self.merged("tails", lambda *_: self._logs(zone)),
            "login_access": self._login_access(),
            "iam_failures": self.merged("tails", lambda *_: iam_failures(self.entries("tails"), secrets)),
            "log_plugins": self.files_noun(
                "log-",
                lambda files: log_plugins(
                    files,
                    self.entries("tails"),
                    running,
                    secrets,
                    peers,
                    writers,
                    self.round_1.errors.get("writers"),
                ),
            ),
            "time_daemon": self.noun(
                lambda: time_daemon(
                    first["time_daemon"], secrets, running.items if running else None, self.entries("files")
                ),
                "time_daemon",
            ),
            "cron": self.files_noun(FileName.CRON.value, lambda files: cron(files, secrets)),
            "later": self._later(),
            "startup": self.merged("files", lambda *_: startup(self.entries("files"))),
            "units": self.both_rounds(units, "systemd"),
            "containers": self.both_rounds(containers, "docker"),
            "versions": self.files_noun("version-", lambda files: versions(files, first.get("system"))),
        }

    def _requests(self) -> dict[str, Fact]:
        """Return the nouns of requests and connections."""
        secrets, search = self.secrets, HttpName.SEARCH.prefix
        return {
            "answers": self.merged(
                "http",
                lambda section, errors: answers(_but(search, section), secrets, _but(search, errors)),
            ),
            "connections": self.merged(
                "tcp",
                lambda section, errors: connections(_but_redis(section), secrets, _but_redis(errors)),
            ),
            "searches": self.merged("http", lambda section, errors: searches(section, secrets, errors)),
            "redis_states": self.merged(
                "tcp", lambda section, errors: redis_states(section, secrets, errors)
            ),
            "redis_confs": built(self._redis_confs),
            "retransmits": self._retransmits(),
            "redis": self.merged("tcp", lambda section, errors: redis_answers(section, secrets, errors)),
        }

    def _retransmits(self) -> Fact:
        sections = [self.round_2.values[name] for name in ("http", "tcp") if name in self.round_2.values]
        if not sections and self.connects:
            return Missing(self.round_2.errors.get("http", not_answered("http")))
        return built(lambda: retransmits(item for section in sections for item in section.values()))

    def _moments(self) -> Moments:
        first, later = (
            moment(one.values.get("system"), self.times.get(number)) if "system" in one.values else None
            for number, one in enumerate(self.rounds, 1)
        )
        return Moments(first=first or moment(None, self.times.get(1)), later=later)

    def _redis_confs(self) -> Fact:
        tcp, errors = self.round_2.values.get("tcp", {}), named_errors(self.round_2, "tcp")
        return redis_confs(self.entries("files"), tcp, self.secrets, errors)

    def _logs(self, utc_offset_seconds: int | None) -> Logs:
        later = [entry for entries in self.round_2.values.get("tails", {}).values() for entry in entries]
        paths = tuple(dict.fromkeys(file_fact(entry).path for entry in later))
        return logs(self.entries("tails"), utc_offset_seconds, self.secrets, paths)

    def _supervisors(self, files: Files) -> Supervisors:
        status, later = (
            one.values.get("supervisor", {})
            | {name: {"error": error} for name, error in named_errors(one, "supervisor").items()}
            for one in self.rounds
        )
        return supervisors(files, status, later, self.secrets)

    def _settings(self, parsed: Supervisors | None, running: Processes | None) -> Fact:
        items = [one.values.get("processes", []) for one in self.rounds]

        def build(files: Files) -> SettingsByProject:
            by_project = environments(files, parsed, running, items, self.variables, self.secrets)
            return settings(files, self.secrets, self._own(), environments=by_project)

        return self.files_noun(FileName.SETTINGS.prefix, build)

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
        values, problem = self.round_2.values, self.round_2.errors.get("libraries")
        return built(lambda: later(values["starts"], values.get("libraries"), problem))

    def _login_access(self) -> Fact:
        tails = self.entries("tails")
        if TailName.UWSGI_LOG.of("login") not in tails:
            return Missing(not_answered(TailName.UWSGI_LOG.of("login")))
        later = TailName.UWSGI_LOG.of("login") in self.round_2.values.get("tails", {})
        return built(lambda: login_access(tails, later, self.secrets))
