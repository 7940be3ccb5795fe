"""Hold all facts of one host, and the view of them that checks use."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any, Generic, TypeVar

from msgspec import field

from bkpaas.errors import NoData
from bkpaas.facts.access import LoginAccess
from bkpaas.facts.agent import Agent, SaasRuns
from bkpaas.facts.answers import Answers, Connections
from bkpaas.facts.clock import Clock
from bkpaas.facts.containers import Containers
from bkpaas.facts.cron import Cron
from bkpaas.facts.disks import Disks
from bkpaas.facts.elasticsearch import Searches
from bkpaas.facts.file import PathStats
from bkpaas.facts.iam import IamFailures
from bkpaas.facts.log_plugins import LogPlugins
from bkpaas.facts.logs import Logs
from bkpaas.facts.missing import Missing, Record
from bkpaas.facts.names import Names
from bkpaas.facts.nginx import Nginx
from bkpaas.facts.process import Processes
from bkpaas.facts.proxies import Proxies
from bkpaas.facts.ranges import Seconds
from bkpaas.facts.redis import RedisAnswers
from bkpaas.facts.redis_conf import RedisConfs
from bkpaas.facts.redis_state import RedisStates
from bkpaas.facts.retransmits import Retransmits
from bkpaas.facts.services import Later, ServicesView
from bkpaas.facts.settings import SettingsByProject
from bkpaas.facts.sockets import Sockets
from bkpaas.facts.startup import Startup
from bkpaas.facts.supervisor import Supervisor, Supervisors
from bkpaas.facts.system import Addresses, Moments, System
from bkpaas.facts.systemd import Units
from bkpaas.facts.timedaemon import TimeDaemon
from bkpaas.facts.uwsgi import Services
from bkpaas.facts.versions import Versions
from bkpaas.messages import Message, msg

T = TypeVar("T")

_LATER = Missing(msg("the snapshot is older than this fact"))
"""A noun that joined while snapshots without it were kept."""


class HostFacts(Record, frozen=True):
    """Hold the facts of one host; each noun is a value or Missing."""

    host: str
    collected: bool
    error_kind: str | None
    """See bkpaas.collect.errors; set in addition to facts when only round 2 failed."""
    error: Message | str | None
    seconds: Seconds
    clock: Clock | Missing
    system: System | Missing
    addresses: Addresses | Missing
    processes: Processes | Missing
    sockets: Sockets | Missing
    supervisors: Supervisors | Missing
    services: Services | Missing
    settings: SettingsByProject | Missing
    path_stats: PathStats | Missing = field(name="places")
    proxies: Proxies | Missing
    nginx: Nginx | Missing
    agent: Agent | Missing
    saas: SaasRuns | Missing
    disks: Disks | Missing
    names: Names | Missing
    answers: Answers | Missing
    connections: Connections | Missing
    searches: Searches | Missing
    redis: RedisAnswers | Missing
    logs: Logs | Missing
    log_plugins: LogPlugins | Missing
    login_access: LoginAccess | Missing
    time_daemon: TimeDaemon | Missing
    versions: Versions | Missing = _LATER
    redis_states: RedisStates | Missing = _LATER
    later: Later | Missing = _LATER
    startup: Startup | Missing = _LATER
    units: Units | Missing = _LATER
    containers: Containers | Missing = _LATER
    moments: Moments | Missing = _LATER
    redis_confs: RedisConfs | Missing = _LATER
    retransmits: Retransmits | Missing = _LATER
    iam_failures: IamFailures | Missing = _LATER
    cron: Cron | Missing = _LATER

    @property
    def far_apart(self) -> bool:
        """Return whether the rounds were so far apart that a restart in between is not one of a series."""
        return not isinstance(self.moments, Missing) and self.moments.far_apart


class _Noun(Generic[T]):
    """Return the noun of the same name. Raises NoData if it is missing."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, view: HostView, owner: type) -> T:
        fact: T | Missing = getattr(view.facts, self.name)
        view.reads.add(self.name)
        if isinstance(fact, Missing):
            raise NoData(fact.reason)
        return fact


class HostView:
    """Give the facts of one host by noun; a missing noun raises NoData with the reason."""

    clock = _Noun[Clock]()
    system = _Noun[System]()
    addresses = _Noun[Addresses]()
    processes = _Noun[Processes]()
    sockets = _Noun[Sockets]()
    supervisors = _Noun[Supervisors]()
    settings = _Noun[SettingsByProject]()
    path_stats = _Noun[PathStats]()
    proxies = _Noun[Proxies]()
    nginx = _Noun[Nginx]()
    agent = _Noun[Agent]()
    saas = _Noun[SaasRuns]()
    disks = _Noun[Disks]()
    names = _Noun[Names]()
    answers = _Noun[Answers]()
    connections = _Noun[Connections]()
    searches = _Noun[Searches]()
    redis = _Noun[RedisAnswers]()
    logs = _Noun[Logs]()
    log_plugins = _Noun[LogPlugins]()
    login_access = _Noun[LoginAccess]()
    time_daemon = _Noun[TimeDaemon]()
    versions = _Noun[Versions]()
    redis_states = _Noun[RedisStates]()
    later = _Noun[Later]()
    startup = _Noun[Startup]()
    units = _Noun[Units]()
    containers = _Noun[Containers]()
    moments = _Noun[Moments]()
    redis_confs = _Noun[RedisConfs]()
    retransmits = _Noun[Retransmits]()
    iam_failures = _Noun[IamFailures]()
    cron = _Noun[Cron]()

    def __init__(self, facts: HostFacts) -> None:
        self.facts = facts
        self.name = facts.host
        self.reads: set[str] = set()
        """The nouns that checks have read of this host, Missing or not."""
        self._values: dict[Hashable, Any] = {}

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return a value that depends on the facts of this host only, computed the first time; it must not be changed."""
        if key not in self._values:
            self._values[key] = compute()
        value: T = self._values[key]
        return value

    @cached_property
    def services(self) -> ServicesView:
        """Return the services, configured and running. Raises NoData if the host was not collected."""
        self.reads.add("services")
        if not self.facts.collected and isinstance(self.facts.services, Missing):
            raise NoData(self.facts.services.reason)
        return ServicesView(self.facts)

    @property
    def supervisor(self) -> Supervisor:
        """Return the supervisor of open_paas."""
        supervisor = self.supervisors.by_module.get("open_paas")
        if supervisor is None or not supervisor.conf.exists:
            raise NoData(msg("there is no etc/supervisor-open_paas.conf on this host"))
        return supervisor
