"""nginx as it is configured: upstreams, servers, locations, logs."""

from __future__ import annotations

from bkpaas.facts.file import FileFact
from bkpaas.facts.missing import Fact, Record


class NginxUpstreamServer(Record, frozen=True):
    """One server line of an upstream."""

    address: str
    """An address, a name, or unix:/path."""
    port: int | None = None
    """80 where none is written; None for a unix socket."""
    parameters: tuple[str, ...] = ()
    """max_fails=1, backup, down ..."""


class NginxUpstream(Record, frozen=True):
    name: str
    servers: tuple[NginxUpstreamServer, ...]
    file: str
    line: int


class NginxListen(Record, frozen=True):
    """One listen directive; a server without any listens on *:80."""

    address: str = "*"
    """* where none is written; IPv6 without brackets."""
    port: int = 80
    default: bool = False
    ssl: bool = False
    ipv6only: bool | None = None
    """As written; None: not written, nginx then says on."""
    unix: str | None = None


class NginxLocation(Record, frozen=True):
    modifier: str
    """Empty, =, ~, ~* or ^~."""
    pattern: str
    proxy_pass: str | None = None
    upstream: str | None = None
    """The name of the upstream that proxy_pass leads to."""


class NginxServer(Record, frozen=True):
    listens: tuple[NginxListen, ...]
    names: tuple[str, ...]
    locations: tuple[NginxLocation, ...]
    error_log: str | None
    """Its own or the inherited one."""
    access_log: str | None
    returns: str | None
    """The arguments of a return that answers for the whole server."""
    file: str
    line: int


class Nginx(Fact, frozen=True):
    """All files of the configuration, includes followed."""

    main: str | None
    """The path of the main file; None: there is no nginx configuration."""
    files: tuple[FileFact, ...]
    upstreams: tuple[NginxUpstream, ...]
    servers: tuple[NginxServer, ...]
    error_logs: tuple[str, ...]
    problems: tuple[str, ...]
    """`file:line: ...` for each place that nginx would refuse or that could not be read."""
