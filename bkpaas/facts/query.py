"""Declare the queries that a plan can contain, and the closed list of their names.

Each module of this package declares its own queries in `queries()`, next to the parser of the answers;
`bkpaas.collect.plan` merges them into the JSON that the collector reads. A name is written here once and used by
both ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from bkpaas.inventory.deployment import Deployment

if TYPE_CHECKING:
    from bkpaas.facts.host import HostFacts

Plan = dict[str, Any]
"""What one round asks of one host, as the collector reads it."""


REDIRECTS = (301, 302, 303, 307, 308)
"""The status codes of HTTP that name another URL."""


class _Names(str, Enum):
    """List the names of one section of a plan; those with braces name one query per service, host or address."""

    def of(self, *parts: object) -> str:
        """Return the name for this service, host, address or number."""
        return str(self.value).format(*parts)

    @property
    def prefix(self) -> str:
        """Return what all names of this kind begin with."""
        return str(self.value).partition("{")[0]


class FileName(_Names):
    """List the names of files and directories that are read or only checked."""

    TIMESYNCD = "timesyncd"
    CRON = "cron"
    PROXY = "proxy-{}"
    VERSION_SYSTEM = "version-system"
    VERSION_MODULE = "version-module"
    VERSION_PACKAGE = "version-package"
    LOG_PLUGIN_DIRECTORY = "log-{}"
    LOG_PLUGIN_CONTENT = "log-{}-content"
    LOG_PLUGIN_CONF = "log-{}-conf"
    LOG_REGISTRY = "log-registry"
    UWSGI_INI = "uwsgi-ini"
    SETTINGS = "settings-{}-{}"
    SETTINGS_MODULE = "module-{}"
    LOGIN_MANAGE = "login-manage"
    LOGIN_PYTHON = "login-python"
    LOGIN_LOG_DIRECTORY = "login-log-folder"
    LOGIN_LOGS = "login-logs"
    TEMPORARY = "temporary"
    AGENT_CONFIG = "agent-config"
    SAAS_PID = "saas-pid"
    SAAS_SOCKET = "saas-sock"
    REDIS_CONF = "redis-conf"
    SAAS_LOG_NAMES = "saas-names"
    SAAS_LOG_DEEPER = "saas-names-deeper"
    SUPERVISOR_CONF = "supervisor-conf"
    SUPERVISOR_INCLUDE = "supervisor-include"
    CODE = "code-{}"
    COMPILED = "compiled"
    START_PATH = "start-path"
    START_COMMAND = "start-command"
    NGINX_PID = "nginx-pid"
    UWSGI_PID = "uwsgi-pid-{}"
    RESOLV_CONF = "resolv-conf"
    NSSWITCH = "nsswitch"
    HOSTS = "hosts"
    SUPERVISOR_SOCKET = "supervisor-sock-{}"
    SUPERVISOR_PID = "supervisor-pid-{}"


class TailName(_Names):
    """List the names of logs whose end is read."""

    UWSGI_LOG = "uwsgi-log-{}"
    LOGIN_LOG = "login-log"
    PAAS_LOG = "paas-log"
    ESB_LOG = "esb-log"
    NGINX_ERROR_LOG = "nginx-error-log"
    SAAS_LOG = "saas-log"
    SAAS_LOG_RENAMED = "saas-log-renamed"
    RABBIT_LOG = "rabbit-log"


class HttpName(_Names):
    """List the names of HTTP requests of the hosts and the controller."""

    HEALTHZ = "healthz-{}"
    SERVICE = "answer-{}"
    IAM = "iam"
    SERVICE_OF_HOST = "{}@{}"
    LARGE = "large"
    LARGE_OF_HOST = "large@{}"
    LARGE_DOMAIN = "large-domain"
    IS_LOGIN_V2 = "is_login-v2"
    IS_LOGIN_ESB = "is_login-esb"
    IS_LOGIN_DOMAIN = "is_login-domain"
    DOMAIN_TRUSTED = "domain-trusted"
    DOMAIN_PATH = "domain-{}"
    REDIRECT = "redirect-{}"
    UPSTREAM = "upstream-{}:{}"
    AGENT_NGINX = "agent-nginx"
    AGENT_NGINX_OF_HOST = "agent-nginx@{}"
    AGENT_HEALTHZ = "agent-healthz"
    AGENT_HEALTHZ_OF_HOST = "agent-healthz@{}"
    SEARCH = "es-{}@{}"
    APPLICATION_SOCKET = "application-socket-{}"
    APPLICATION_NGINX = "application-nginx-{}"
    APPLICATION_DOMAIN = "application-domain-{}"


class TcpName(_Names):
    """List the names of TCP connections of the hosts and the controller."""

    REDIS = "redis-{}"
    REDIS_STATE = "state-of-redis-{}"
    REDIS_CONF = "conf-of-redis-{}"
    VIRTUAL_ADDRESS = "virtual-{}"
    SETTING = "setting-{}"


class ResolveName(_Names):
    """List the names of resolutions that are not names of hosts."""

    NAMESERVER = "nameserver-{}"
    CONSUL = "consul-has-{}"
    ROUTES = "routes"
    ACCOUNT = "account-{}"


class PasswordSource(Struct, frozen=True):
    """Name the place of a password in a file of the host, which must be as it was in round 1."""

    path: str
    line: int
    """From 1."""
    column: int
    """From 0, in characters."""
    end: str
    """The character after the password; empty: the end of the line."""
    escaped: bool
    """Whether a backslash stands before a character that is part of it."""
    size: int
    inode: int
    mtime: float


class Password(Struct, frozen=True):
    """Hold a password, in memory only, and where the host has it."""

    text: str
    source: PasswordSource | None = None
    """None: in no file as it is."""


class Query(Struct, frozen=True, omit_defaults=True):
    """Represent one query; its fields are those of the entry in the plan."""

    section: ClassVar[str]

    def add_to(self, plan: Plan) -> None:
        """Append the entry to its section of the plan."""
        plan.setdefault(self.section, []).append(msgspec.to_builtins(self))


class ReadFile(Query, frozen=True):
    """Read files, or only look at them."""

    section: ClassVar[str] = "files"
    name: str
    path: str
    """A glob; {home} is the install root."""
    read: int
    """Bytes; 0: only stat."""
    most: int | UnsetType = UNSET
    """Files."""


class ReadTail(Query, frozen=True):
    """Read the end of logs, the newest files first."""

    section: ClassVar[str] = "tails"
    name: str
    path: str
    bytes: int
    most: int
    """Files."""


class SupervisorStatus(Query, frozen=True):
    """Run supervisorctl status with this configuration."""

    section: ClassVar[str] = "supervisor"
    name: str
    conf: str
    seconds: float


class HttpGet(Query, frozen=True):
    """Request one GET; redirects are not followed."""

    section: ClassVar[str] = "http"
    name: str
    url: str
    seconds: float
    bytes: int
    headers: dict[str, str]
    ca_pem: str | UnsetType = UNSET
    login: dict[str, str | Password] | UnsetType = UNSET
    """{"user", "password"}, sent as Basic."""
    secret: bool | UnsetType = UNSET
    """Whether it contains a password."""
    again: dict[str, str | float] | UnsetType = UNSET
    """Repeat at most `times`, after `seconds`, while the body matches the expression `when`."""
    unix: str | UnsetType = UNSET
    """The path of a unix socket to connect to, instead of the address of the URL."""
    uwsgi: dict[str, str | int] | UnsetType = UNSET
    """The request is sent in the protocol of uwsgi: {"modifier", "SCRIPT_NAME"}."""


class TcpConnect(Query, frozen=True):
    """Connect, send what is to be sent, read the answer."""

    section: ClassVar[str] = "tcp"
    name: str
    host: str
    port: int
    seconds: float
    read: int
    """Bytes."""
    auth: Password | UnsetType = UNSET
    """Sent first, in AUTH of redis, which is answered by one line."""
    send: str | UnsetType = UNSET
    lines: int | UnsetType = UNSET
    """Lines of an answer to wait for."""
    until: str | UnsetType = UNSET
    """An expression that the complete answer matches."""
    secret: bool | UnsetType = UNSET
    """Whether it contains a password."""
    again: dict[str, Any] | UnsetType = UNSET
    """Repeat once after `seconds` when the answer matches the expression `when`."""


class MysqlLogin(Query, frozen=True, omit_defaults=False):
    """Log in to a MySQL server, send statements, and quit."""

    section: ClassVar[str] = "tcp"
    name: str
    host: str
    port: int
    seconds: float
    mysql: dict[str, str | Password]
    """{"user", "password", "database"}."""
    secret: bool = True
    statements: tuple[str, ...] = ()
    """Names of DATABASE_STATEMENTS of the collector."""


class Resolve(Query, frozen=True):
    """Resolve a name as the host's own programs do."""

    section: ClassVar[str] = "resolve"
    name: str
    seconds: float
    server: str | UnsetType = UNSET
    """The address of a nameserver, which is asked for `domain` over UDP."""
    domain: str | UnsetType = UNSET
    routes: tuple[str, ...] | UnsetType = UNSET
    """Addresses: only whether the host has a route to each is asked."""
    account: str | UnsetType = UNSET
    """An account, of which the uid is asked."""


class ProcessVariables(Query, frozen=True):
    """Read the processes again, with these variables of their environment."""

    section: ClassVar[str] = "processes"
    names: tuple[str, ...]

    def add_to(self, plan: Plan) -> None:
        """Add the names to the query for the processes."""
        settings = plan.setdefault(self.section, {"environ": [], "cmdline_bytes": _COMMAND_BYTES})
        settings["environ"] = list(dict.fromkeys((*settings["environ"], *self.names)))


_COMMAND_BYTES = 8192
"""Of the command line of a process."""


class Section(Query, frozen=True):
    """Request a section that a plan has once: processes, sockets, disks, nginx ..."""

    section: ClassVar[str] = ""
    name: str
    value: Any

    def add_to(self, plan: Plan) -> None:
        """Set the section."""
        plan[self.name] = self.value


class Earlier(Struct, frozen=True):
    """Hold the facts of round 1, from which round 2 is planned."""

    hosts: Mapping[str, HostFacts]
    """All hosts that were collected, by name."""
    password: Callable[[str], str | None]
    """The password behind a digest, in memory only. A query that contains one is marked `secret`."""
    source: Callable[[str, str], PasswordSource | None] = lambda host, digest: None
    """Where a host has the password behind a digest."""

    def secret(self, host: str, digest: str) -> Password | None:
        """Return the password behind a digest, and where a host has it; None if it is unknown."""
        text = self.password(digest)
        return None if text is None else Password(text, self.source(host, digest))


PADDING = {"X-Padding": "bkpaas-acceptance-" * 167}
"""A header of 3,000 bytes: with it a request does not fit in one packet of 1,500."""
LARGE_ANSWER_BYTES = 4000
"""What is read of an answer that does not fit in one packet."""


def large_get(deployment: Deployment, name: str, url: str) -> HttpGet:
    """Return a GET that is as large as those of a browser with the cookies of a user."""
    query = http_get(deployment, name, url, headers=PADDING)
    return msgspec.structs.replace(query, bytes=LARGE_ANSWER_BYTES)


LOST_CONNECTION: dict[str, str | float] = {
    "when": r"\(20(?:06|13|55), ",
    "seconds": 0.2,
    "times": 4,
}
"""esb keeps a connection to the database in each worker: after a restart of the database each reports once that it is gone."""


def http_get(
    deployment: Deployment,
    name: str,
    url: str,
    *,
    seconds: float | None = None,
    headers: dict[str, str] | None = None,
    login: dict[str, str | Password] | UnsetType = UNSET,
    own_trust: bool = False,
    again: dict[str, str | float] | UnsetType = UNSET,
) -> HttpGet:
    """Return a GET within the deployment's limits.

    seconds: `limits.request_seconds` if None. own_trust: verify https as the host's own programs do, not with the
    inventory's ca_file.
    """
    limits = deployment.limits
    ca_pem: str | UnsetType = UNSET
    if url.startswith("https:") and deployment.ca_file and not own_trust:
        ca_pem = Path(deployment.ca_file).read_text(encoding="ascii", errors="replace")
    return HttpGet(
        name=name,
        url=url,
        seconds=limits.request_seconds if seconds is None else seconds,
        bytes=limits.body_bytes,
        headers=headers or {},
        ca_pem=ca_pem,
        login=login,
        secret=UNSET if login is UNSET else True,
        again=again,
    )
