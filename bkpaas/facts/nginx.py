"""Parse the configuration of nginx: upstreams, servers, locations, logs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from msgspec import field, structs

from bkpaas.facts import raw
from bkpaas.facts.file import FileFact, file_fact
from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.nginx_location import NginxLocation, Statement, locations, target_name
from bkpaas.facts.nginx_passing import Inherited, inherited, refuses_post
from bkpaas.facts.nginx_rewrites import NginxRewrite, rewrites
from bkpaas.facts.nginx_syntax import certificates, conf_problems
from bkpaas.facts.nginx_temporary import configured_directories
from bkpaas.facts.nginx_tree import Tree
from bkpaas.facts.process import Processes
from bkpaas.facts.query import Earlier, Query, Resolve, Section
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import DEFAULT_PORTS, Deployment, Host
from bkpaas.messages import Message

APP_UPSTREAMS = {"PAAS_AGENT_TEST": "appt", "PAAS_AGENT_PROD": "appo"}
"""The upstreams of the SaaS, as paas.conf calls them -> the role of the hosts they name."""


class NginxUpstreamServer(Record, frozen=True):
    """Represent one server line of an upstream."""

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
    http: bool = True
    """Whether nginx speaks plain HTTP to it: not so in a stream, or when nothing or only other protocols lead there."""
    used: bool = True
    """Whether anything leads there, or a variable may."""
    main: str = ""
    """The main file that includes it, when several nginx run."""


class NginxListen(Record, frozen=True):
    """Represent one listen directive; a server without any listens on *:80."""

    address: str = "*"
    """* where none is written; IPv6 without brackets."""
    port: int = 80
    default: bool = False
    ssl: bool = False
    ipv6only: bool | None = None
    """As written; None: not written, nginx then says on."""
    unix: str | None = None


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
    main: str = ""
    """The main file that includes it, when several nginx run."""
    rewrites: tuple[NginxRewrite, ...] = ()


class Nginx(Fact, frozen=True):
    """Hold the configuration of nginx, includes followed."""

    main: str | None
    """The path of the main file, the first one when several nginx run; None: there is no nginx configuration."""
    files: tuple[FileFact, ...]
    upstreams: tuple[NginxUpstream, ...]
    servers: tuple[NginxServer, ...]
    error_logs: tuple[str, ...]
    problems: tuple[Message | str, ...]
    """`file:line: ...` for each place that nginx would refuse or that could not be read."""
    pid: str | None = None
    """The pid file that the configuration names; None: it names none."""
    certificates: tuple[str, ...] = ()
    """The paths of certificates and keys in use."""
    certificate_places: tuple[str, ...] = ()
    """`file:line` of the directive, for each of them."""
    user: str | None = None
    """The account of the workers; None: the one that nginx was built with."""
    temporary: dict[str, str] = field(default_factory=dict)
    """The directories of client_body_temp_path, proxy_temp_path and uwsgi_temp_path, by directive."""
    syntax: tuple[Message | str, ...] = ()
    """`file:line: ...` for each place that nginx would refuse at a reload, by stricter rules than the parser's."""
    mains: tuple[str, ...] = ()
    """The main files when several nginx run, each with its own -c."""
    includes: tuple[str, ...] = ()
    """The patterns that include whole groups of files."""
    files_of: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The paths that each main file leads to, itself first, when several nginx run."""

    def http_servers(self) -> list[tuple[str, int]]:
        """Return address and port of every upstream server that nginx speaks HTTP to, without those marked down."""
        return list(
            dict.fromkeys(
                (server.address, server.port)
                for upstream in self.upstreams
                if upstream.http
                for server in upstream.servers
                if server.port is not None and "down" not in server.parameters
            )
        )

    def needed_names(self) -> list[str]:
        """Return the names that nginx resolves when it loads its files, and without which it refuses them."""
        targets = [
            server.address
            for one in self.upstreams
            for server in one.servers
            if server.port and "resolve" not in server.parameters
        ]
        matches = [
            re.match(r"https?://([^/$?]+)(?:[/?][^$]*)?$", location.proxy_pass)
            for server in self.servers
            for location in server.locations
            if location.proxy_pass and location.upstream is None
        ]
        targets += [_address(match[1])[0] for match in matches if match]
        return [name for name in dict.fromkeys(targets) if re.search("[g-zG-Z]", name)]

    def passed_to(self) -> set[tuple[str, int]]:
        """Return address and port of a target without upstream: `proxy_pass http://10.0.0.1:8003/`."""
        matches = (
            re.match(r"https?://([^/$?]+)", location.proxy_pass)
            for server in self.servers
            for location in server.locations
            if location.proxy_pass and location.upstream is None
        )
        return {_address(match[1]) for match in matches if match}


def nginx(section: dict[str, Any], processes: Processes | None = None) -> Nginx:
    """Parse the raw section: the main files of the nginx that run, else the first one, and all their includes."""
    entries = {entry["path"]: entry for entry in section["files"]}
    running = [path for path in section.get("running", ()) if path in entries]
    usual = [path for path in section["main"] if path in entries and path not in running][:1]
    mains = [*(usual if not running or _runs_usual(processes, running) else ()), *running]
    tree = Tree(entries)
    if error := raw.reason(section.get("error")):
        tree.problems.append(error)
    reader, upstreams, servers = _Reader(), list[NginxUpstream](), list[NginxServer]()
    syntax, parsed = list[Message | str](), list[tuple[str, list[Statement], bool]]()
    for main in mains:
        statements = tree.read(main, ())
        syntax += conf_problems(entries, main, statements)
        its_upstreams, its_servers = _configuration(statements, reader)
        parsed.append((main, statements, _is_platform(its_upstreams, its_servers)))
        label = main if len(mains) > 1 else ""
        # nginx refuses a second one of the same name
        first_of = {one.name: one for one in reversed(its_upstreams)}
        upstreams += [structs.replace(one, main=label) for one in its_upstreams if first_of[one.name] is one]
        servers += [structs.replace(one, main=label) for one in its_servers]
    own, first, _ = next((one for one in parsed if one[2]), parsed[0] if parsed else (None, [], False))
    in_use = certificates(first)
    return Nginx(
        main=own,
        files=tuple(map(file_fact, entries.values())),
        upstreams=tuple(upstreams),
        servers=tuple(servers),
        error_logs=tuple(dict.fromkeys(reader.error_logs)),
        problems=tuple(tree.problems),
        pid=next((one["args"][0][:300] for one in first if one["directive"] == "pid" and one["args"]), None),
        certificates=tuple(in_use),
        certificate_places=tuple(in_use.values()),
        user=next((one["args"][0][:64] for one in first if one["directive"] == "user" and one["args"]), None),
        temporary=configured_directories(first),
        syntax=tuple(dict.fromkeys(syntax)),
        mains=tuple(mains) if len(mains) > 1 else (),
        includes=tuple(tree.patterns),
        files_of={main: tuple(tree.reached[main]) for main in mains} if len(mains) > 1 else {},
    )


def _runs_usual(processes: Processes | None, running: Collection[str]) -> bool:
    """Return whether an nginx runs without -c and not with the file of its own prefix, so with the usual main file.

    running: the main files that nginx runs with by their -c or their prefix.
    """
    masters = processes.nginx_masters() if processes is not None else ()
    programs = [PurePosixPath(one.exe or one.argv[-1]) for one in masters if " -c" not in one.command]
    return any(f"{program.parent.parent}/conf/nginx.conf" not in running for program in programs)


def _is_platform(upstreams: Iterable[NginxUpstream], servers: Iterable[NginxServer]) -> bool:
    """Return whether this is the configuration of the nginx in front, or of that of the applications."""
    front = any(one.name.startswith(("OPEN_PAAS", *APP_UPSTREAMS)) for one in upstreams)
    ports = {listen.port for server in servers for listen in server.listens if not listen.unix}
    return front or DEFAULT_PORTS["agent_nginx"] in ports


def _configuration(
    statements: list[Statement], reader: _Reader
) -> tuple[list[NginxUpstream], list[NginxServer]]:
    """Return the upstreams and servers of one main file; its logs are added to the reader."""
    reader.upstreams, reader.servers = [], []
    reader.block(statements, _Logs(None, None))
    names = {upstream.name for upstream in reader.upstreams}
    protocols_by_name = _protocols(statements, names)
    guessed = protocols_by_name.get(_BY_VARIABLE, set())
    paired = [(upstream, protocols_by_name.get(upstream.name, guessed)) for upstream in reader.upstreams]
    upstreams = [
        structs.replace(upstream, http=upstream.http and "http" in protocols, used=bool(protocols))
        for upstream, protocols in paired
    ]
    return upstreams, [_server(statement, logs, names, above) for statement, logs, above in reader.servers]


class _Logs(Record, frozen=True):
    """Hold the logs that a block inherits."""

    error: str | None
    access: str | None


class _Reader:
    """Find upstreams and servers in all blocks, with the logs in effect there."""

    def __init__(self) -> None:
        self.upstreams: list[NginxUpstream] = []
        self.servers: list[tuple[Statement, _Logs, Inherited]] = []
        self.error_logs: list[str] = []

    def block(
        self, statements: list[Statement], logs: _Logs, http: bool = True, above: Inherited | None = None
    ) -> None:
        effective = inherited(statements, above or {})
        logs = _Logs(
            _log(statements, "error_log") or logs.error, _log(statements, "access_log") or logs.access
        )
        if logs.error and logs.error.startswith("/"):
            self.error_logs.append(logs.error)
        for statement in statements:
            directive, inner = statement["directive"], statement.get("block", [])
            if directive == "upstream" and statement["args"]:
                self.upstreams.append(structs.replace(_upstream(statement), http=http))
            elif directive == "server" and "block" in statement:
                if http:
                    self.servers.append((statement, logs, effective))
                self.block(inner, logs, http, effective)
            elif directive in ("http", "location", "stream"):
                self.block(inner, logs, http and directive != "stream", effective)


_BY_VARIABLE = "$"
"""Stands for whatever upstream a variable names."""


def _protocols(block: list[Statement], upstreams: set[str]) -> dict[str, set[str]]:
    """Return {upstream: protocol} of the upstreams in use: http, https, uwsgi, fastcgi, grpc ..."""
    by_upstream: dict[str, set[str]] = {}
    for statement in block:
        protocol, passes, _ = statement["directive"].partition("_pass")
        if passes and statement["args"]:
            target = statement["args"][0]
            scheme, slashes, _ = target.partition("://")
            address = target if slashes else f"://{target}"
            name = _BY_VARIABLE if "://$" in address else target_name(address, upstreams)
            if protocol == "proxy":
                protocol = scheme if slashes else "tcp"
            if name:
                by_upstream.setdefault(name, set()).add(protocol)
        for name, protocols in _protocols(statement.get("block", []), upstreams).items():
            by_upstream.setdefault(name, set()).update(protocols)
    return by_upstream


def _log(statements: list[Statement], directive: str) -> str | None:
    return next((s["args"][0] for s in statements if s["directive"] == directive and s["args"]), None)


def _upstream(statement: Statement) -> NginxUpstream:
    servers = (inner["args"] for inner in statement["block"] if inner["directive"] == "server")
    return NginxUpstream(
        name=statement["args"][0],
        servers=tuple(_upstream_server(args) for args in servers if args),
        file=statement["file"],
        line=statement["line"],
    )


def _upstream_server(args: list[str]) -> NginxUpstreamServer:
    if args[0].startswith("unix:"):
        return NginxUpstreamServer(address=args[0], parameters=tuple(args[1:]))
    address, port = _address(args[0])
    return NginxUpstreamServer(address=address, port=port, parameters=tuple(args[1:]))


def _address(text: str) -> tuple[str, int]:
    """Parse `10.0.0.1:80`, `[::1]:80`, `name` or `name:80`; the default port is 80."""
    address, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or len(port) > 5 or text.endswith("]"):
        address, port = text, "80"
    return address.strip("[]"), int(port)


def _server(statement: Statement, logs: _Logs, upstreams: set[str], above: Inherited) -> NginxServer:
    block = statement["block"]
    listens = [_listen(inner["args"]) for inner in block if inner["directive"] == "listen" and inner["args"]]
    if any(inner["directive"] == "ssl" and inner["args"] == ["on"] for inner in block):
        listens = [structs.replace(listen, ssl=True) for listen in listens]
    names = [name for inner in block if inner["directive"] == "server_name" for name in inner["args"]]
    returns = next((" ".join(inner["args"]) for inner in block if inner["directive"] == "return"), None)
    return NginxServer(
        listens=tuple(listens or (NginxListen(),)),
        names=tuple(names),
        locations=tuple(locations(block, upstreams, above, refuses_post(block))),
        error_log=_log(block, "error_log") or logs.error,
        access_log=_log(block, "access_log") or logs.access,
        returns=returns,
        file=statement["file"],
        line=statement["line"],
        rewrites=rewrites(block),
    )


def _listen(args: list[str]) -> NginxListen:
    socket, *parameters = args
    address, port, unix = "*", 80, None
    if socket.startswith("unix:"):
        unix = socket[len("unix:") :]
    elif socket.isdecimal() and len(socket) < 6:
        port = int(socket)
    else:
        address, port = _address(socket)
    return NginxListen(
        address=address or "*",
        port=port,
        default=not {"default_server", "default"}.isdisjoint(parameters),
        ssl="ssl" in parameters,
        ipv6only={"ipv6only=on": True, "ipv6only=off": False}.get(
            next((p for p in parameters if p.startswith("ipv6only=")), "")
        ),
        unix=unix,
    )


_MOST_FILES = 200


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Read the configuration; round 2: resolve the names among the upstream servers."""
    if earlier is None:
        if entry.has_role("nginx", "appo", "appt"):
            confs, size = list(platform.NGINX_CONFS), deployment.limits.file_bytes
            yield Section("nginx", {"confs": confs, "most": _MOST_FILES, "bytes": size})
        return
    facts = earlier.hosts[entry.name].nginx
    if isinstance(facts, Nginx):
        for name in facts.needed_names():
            yield Resolve(name, deployment.limits.resolve_seconds)
