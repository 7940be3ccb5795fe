"""Hold a deployment: hosts, roles, names, ports, limits. Data only; bkpaas.inventory.load validates it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import cached_property
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct, field

from bkpaas.former_names import warn_former_name
from bkpaas.messages import Message

Generation = Literal["5.x", "6.x"]
T = TypeVar("T")

# Seconds, bytes and counts are part of each name, so that a limit is never read in the wrong unit.


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Hold the limits of time and memory for a run, a host, a request and a file."""

    connect_seconds: float = 10.0
    """TCP connect, key exchange and login together, all attempts included."""
    connect_attempts: int = 5
    """Connections to one host or bastion that it may close before the login, one after the other."""
    host_seconds: float = 60.0
    """Everything on one host, both visits."""
    silent_seconds: float = 20.0
    """In which nothing comes from a host in the middle of a visit; the collector sends a heartbeat every second."""
    run_seconds: float = 600.0
    """All collecting of a run."""
    request_seconds: float = 8.0
    """One HTTP request or TCP connection of a probe."""
    healthz_seconds: float = 25.0
    """One healthz request: paas and esb ask their own dependencies one after the other."""
    command_seconds: float = 8.0
    """One supervisorctl status or chronyc tracking."""
    resolve_seconds: float = 12.0
    """One name resolution on a host."""
    answer_bytes: int = 4_000_000
    """All that one host may send in a run: both rounds, greeting, output and error output."""
    file_bytes: int = 262_144
    """What is read of one configuration file."""
    log_bytes: int = 262_144
    """What is read of the end of one log."""
    body_bytes: int = 65_536
    """What is read of one HTTP body."""
    concurrent_hosts: int = 32
    snapshot_hours: float = 6.0
    """Of snapshots that are merged, one that is older than the newest by more counts as not collected."""


class Thresholds(Struct, frozen=True, forbid_unknown_fields=True):
    """Hold the values at which a measurement becomes a finding."""

    clock_drift_seconds: float = 3.0
    """Two clocks further apart than this are a warning."""
    clock_apart_seconds: float = 60.0
    """A clock further than this from the median of all is a failure."""
    clock_uncertainty_seconds: float = 2.0
    """A clock measured less exactly than this cannot be judged."""
    token_offset_seconds: int = 60
    """BK_TOKEN_OFFSET_ERROR_TIME as shipped; more hides a skew."""
    log_window_minutes: float = 10.0
    """Log lines older than this are history."""
    log_delay_minutes: float = 5.0
    """A line of an application's log that cannot be searched so long after it was written is late."""
    log_queue_length: int = 1000
    """A redis list of log lines that is longer than this and grows is a warning."""
    login_error_percent: float = 1.0
    """More server errors than this among login's recent answers to callers are a warning."""
    login_slow_seconds: float = 5.0
    """One in twenty of login's recent answers slower than this is a warning."""
    disk_headroom_percent: float = 5.0
    """Less free space or inodes than this is a warning."""
    disk_free_percent: float = 1.0
    """Less free space or inodes than this is a failure."""
    listen_queue_percent: float = 80.0
    """A listen queue filled further than this is a warning."""
    database_connections_percent: float = 90.0
    """A database with more of its connections taken than this is a warning."""
    certificate_days: float = 30.0
    """A certificate that ends within so many days is a warning."""
    listen_queue_length: int = 100
    """The listen queue of uwsgi as shipped, in connections."""
    worker_deaths: int = 2
    """So many workers of a service that died within the log window are a warning."""
    resolve_slow_seconds: float = 1.0
    """A name resolution that takes longer is a warning."""
    answer_seconds: float = 30.0
    """nginx and uwsgi have to give a request this time at least."""
    upload_megabytes: int = 50
    """nginx in front has to accept a request body of this size."""


class Connection(Struct, frozen=True):
    """Represent the connection to one host."""

    spec: str
    """A testinfra host spec without credentials: ssh://root@10.0.1.3:22, local://, docker://name ..."""
    key: str | None = None
    known_hosts: str | None = None
    ssh_config: str | None = None
    bastion: str | None = None
    """ProxyJump host spec: user@host:port."""
    sudo: bool = False
    sudo_user: str | None = None


class Host(Struct, frozen=True):
    """Represent one host of the deployment."""

    name: str
    """[a-z0-9._-]; the overlay's name, else the address."""
    address: str
    roles: tuple[str, ...]
    """install.config words, sorted: paas nginx appo appt cmdb job redis rabbitmq mysql es fta ..."""
    connection: Connection
    projects: tuple[str, ...] = ()
    """Of open_paas, those that install.config names: paas(login); empty: all."""
    selected: bool = field(default=True, name="judged")
    """False if --limit leaves it out: known, but not collected. A snapshot has the key judged."""

    def has_role(self, *roles: str) -> bool:
        """Return whether the host has any of these roles."""
        return not set(roles).isdisjoint(self.roles)

    def has(self, *roles: str) -> bool:
        """Call has_role."""
        warn_former_name("host.has is now host.has_role")
        return self.has_role(*roles)

    @property
    def judged(self) -> bool:
        """Return selected."""
        warn_former_name("host.judged is now host.selected")
        return self.selected


class Waiver(Struct, frozen=True):
    """Represent a known failure that is accepted until a day."""

    condition: str
    hosts: tuple[str, ...]
    """Empty: everywhere."""
    reason: str
    owner: str
    expires: str
    """ISO date, the last day on which the waiver holds."""
    evidence: str | None = None
    """When given, only a failure whose evidence contains this text is waived."""


class Deployment(Struct, frozen=True, dict=True):
    """Represent a validated inventory."""

    source: str
    """The path that was loaded, as given."""
    generation: Generation
    hosts: tuple[Host, ...]
    """In order of name."""
    domain: str
    """The FQDN of the PaaS, without port."""
    scheme: str = "http"
    port: int = 80
    """Where the domain is served."""
    install_root: str | None = field(default=None, name="home")
    """/data/bkce, /data/bkee ...; None: looked up on each host. A snapshot has the key home."""
    cookie_domain: str | None = None
    """BK_DOMAIN, if the inventory has it."""
    fqdns: dict[str, str] = field(default_factory=dict)
    """By role: {"cmdb": "cmdb.bk.com", "job": "job.bk.com"}."""
    ports: dict[str, int] = field(default_factory=dict)
    """By service: appengine paas esb login console paas_agent agent_nginx es redis rabbitmq mysql. Only those of the inventory."""
    application_paths: dict[str, str] = field(default_factory=dict)
    """By application: the path below it that is requested instead of /."""
    virtual_addresses: tuple[str, ...] = ()
    """Addresses in front of the nginx hosts: VIP, load balancer."""
    ca_file: str | None = None
    limits: Limits = field(default_factory=Limits)
    thresholds: Thresholds = field(default_factory=Thresholds)
    waivers: tuple[Waiver, ...] = ()
    notes: tuple[Message | str, ...] = ()
    """Remarks for the user: defaults used, unusual punctuation, unknown roles."""

    def hosts_with(self, *roles: str) -> tuple[Host, ...]:
        """Return the hosts with any of these roles, selected or not."""
        return self.once(
            ("hosts_with", *roles), lambda: tuple(host for host in self.hosts if host.has_role(*roles))
        )

    def selected(self, *roles: str) -> tuple[Host, ...]:
        """Return the selected hosts, with any of these roles if roles are given."""
        return self.once(
            ("selected", *roles),
            lambda: tuple(h for h in self.hosts if h.selected and (not roles or h.has_role(*roles))),
        )

    @property
    def home(self) -> str | None:
        """Return install_root."""
        warn_former_name("deployment.home is now deployment.install_root")
        return self.install_root

    def having(self, *roles: str) -> tuple[Host, ...]:
        """Call hosts_with."""
        warn_former_name("deployment.having is now deployment.hosts_with")
        return self.hosts_with(*roles)

    def judged(self, *roles: str) -> tuple[Host, ...]:
        """Call selected."""
        warn_former_name("deployment.judged is now deployment.selected")
        return self.selected(*roles)

    def host(self, name: str) -> Host:
        return self._by_name[name]

    def position(self, name: str) -> int:
        """Return the place of a host in the inventory."""
        return self.once("positions", lambda: {host.name: at for at, host in enumerate(self.hosts)})[name]

    @cached_property
    def _by_name(self) -> dict[str, Host]:
        return {host.name: host for host in self.hosts}

    @cached_property
    def _values(self) -> dict[Hashable, Any]:
        return {}

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return a value that depends on the inventory only, computed the first time; it must not be changed."""
        if key not in self._values:
            self._values[key] = compute()
        value: T = self._values[key]
        return value

    def as_generation(self, generation: Generation) -> Deployment:
        """Return the deployment with another generation, for hosts that an upgrade has reached before the others."""
        if generation == self.generation:
            return self
        return self.once(
            ("generation", generation), lambda: msgspec.structs.replace(self, generation=generation)
        )

    def service_port(self, service: str) -> int:
        return self.ports.get(service, DEFAULT_PORTS[service])

    def url(self, path: str) -> str:
        """Return the URL of a path of the PaaS domain, as a browser would write it."""
        port = "" if self.port == SCHEME_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.domain}{port}{path}"


SCHEME_PORTS = {"http": 80, "https": 443}

DEFAULT_PORTS = {
    "appengine": 8000,
    "paas": 8001,
    "esb": 8002,
    "login": 8003,
    "console": 8004,
    "agent_nginx": 8010,
    "paas_agent": 4245,
    "redis": 6379,
    "rabbitmq": 5672,
    "es": 10004,
    "mysql": 3306,
}


def names(hosts: Iterable[Host]) -> list[str]:
    return [host.name for host in hosts]
