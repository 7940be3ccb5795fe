"""Declare the shape of every section of a collector's answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from msgspec import Meta

from bkpaas.facts.ranges import Count, HostTime, Id, Mode, Pid, Seconds


class Process(TypedDict):
    pid: Pid
    ppid: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    uid: Id
    name: str
    state: Annotated[str, Meta(min_length=1)]
    start: HostTime
    argv: list[str]
    exe: str | None
    cwd: NotRequired[str | None]
    environ: dict[str, str] | None
    open_files: NotRequired[Count | None]
    open_files_limit: NotRequired[Count | None]


class Listener(TypedDict):
    family: Literal[4, 6]
    address: str
    port: Annotated[int, Meta(ge=1, le=65535)]
    inode: Count
    queue: Count
    pids: list[Pid] | None


class UnixSocket(TypedDict):
    path: str
    inode: Count
    listening: bool
    pids: list[Pid] | None


class System(TypedDict):
    hostname: Annotated[str, Meta(min_length=1)]
    kernel: str
    boot_time: HostTime
    time: HostTime
    utc_offset: Annotated[int, Meta(gt=-86400, lt=86400)]
    zone: Annotated[list[str], Meta(min_length=1)]
    localtime: str | None
    timezone_file: str | None
    local_ports: NotRequired[Annotated[list[Count], Meta(min_length=2, max_length=2)]]


class _Path(TypedDict):
    path: str
    type: Literal["file", "dir", "socket", "symlink", "missing", "other"]


class Entry(_Path, total=False):
    """Declare the stat and content of a path; see _entry for the valid combinations of fields."""

    mode: Mode
    uid: Id
    gid: Id
    size: Count
    mtime: HostTime
    ctime: HostTime
    atime: HostTime
    links: Count
    link_mtime: HostTime
    folder_mtime: HostTime
    inode: Count
    target: str
    text: str
    offset: Count
    truncated: bool
    error: str


class _DiskPath(TypedDict):
    path: str


class Disk(_DiskPath, total=False):
    bytes: Count
    bytes_available: Count
    inodes: Count
    inodes_available: Count
    readonly: bool
    error: str


class Nginx(TypedDict):
    main: list[str]
    running: NotRequired[list[str]]
    files: list[Entry]
    error: str | None


class Command(TypedDict):
    argv: list[str]
    rc: int | None
    out: str
    err: str
    error: str | None


class TimeDaemon(TypedDict):
    chronyd: Pid | None
    ntpd: Pid | None
    chronyc: Command | None
    ntpq: Command | None


class Systemd(TypedDict):
    booted: bool
    cgroups: dict[str, str]
    show: Command | None


class ContainerState(TypedDict):
    Running: bool | None
    Paused: bool | None
    Restarting: bool | None
    OOMKilled: bool | None
    Dead: bool | None
    Pid: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None
    ExitCode: Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)] | None
    Error: str | None
    StartedAt: str | None
    FinishedAt: str | None


class Container(TypedDict):
    id: str
    name: Annotated[str, Meta(min_length=1)]
    state: ContainerState
    image: str | None
    image_id: str | None
    user: str | None
    memory: Annotated[int, Meta(ge=-1, le=2**62)] | None
    network: str | None
    restarts: Count | None
    policy: str | None
    oom_kills: Count | None
    binds: list[Annotated[list[str], Meta(min_length=3, max_length=3)]]


class _ContainersError(TypedDict):
    error: str | None


class Containers(_ContainersError, total=False):
    """Declare the containers of a host: an error or all other fields."""

    source: Literal["socket", "files"] | None
    containers: list[Container]
    reasons: list[Annotated[list[str], Meta(min_length=3, max_length=3)]]
    seconds: Seconds


class Docker(TypedDict):
    shown: Containers | None


class _Addresses(TypedDict):
    addresses: list[str]
    error: str | None


class Resolved(_Addresses, total=False):
    seconds: Seconds
    uid: Id


class Failure(TypedDict):
    kind: Annotated[str, Meta(min_length=1)]
    text: str


class Http(TypedDict, total=False):
    """Declare an HTTP answer: an error or all other fields; a peer only with a connection."""

    url: str
    status: Annotated[int, Meta(ge=100, le=999)] | None
    headers: list[Annotated[list[str], Meta(min_length=2, max_length=2)]]
    body: str
    truncated: bool
    peer: str | None
    seconds: Seconds
    retransmits: list[Count]
    error: Failure | None


class StatementResult(TypedDict, total=False):
    """Declare the answer of a database to one statement: rows, the server's error, or why it is missing."""

    rows: list[list[str | None]]
    code: Annotated[int, Meta(ge=0, le=65535)]
    kind: str
    text: str


class _LoginState(TypedDict):
    state: Literal["accepted", "refused", "unsupported", "needs-tls", "error"]


class Login(_LoginState, total=False):
    """Declare the result of a login to a database; a refusal has a code, an error a kind."""

    code: Annotated[int, Meta(ge=0, le=65535)]
    kind: str
    text: str
    plugin: str
    results: dict[str, StatementResult]


class Tcp(TypedDict, total=False):
    """Declare a TCP connection: an error or all other fields; a login if one was requested."""

    data: str
    login: Login
    peer: str | None
    seconds: Seconds
    retransmits: list[Count]
    error: Failure | None


class WrittenFile(TypedDict):
    """Declare a file that processes have open for writing."""

    path: Annotated[str, Meta(min_length=1)]
    inode: Count
    size: Count
    mtime: HostTime
    ctime: HostTime
    pids: Annotated[list[Id], Meta(min_length=1)]


class Deleted(TypedDict):
    """Declare the removed files of a file system that a process keeps open."""

    path: Annotated[str, Meta(min_length=1)]
    pid: Id
    bytes: Count
    files: Count


class Collector(TypedDict):
    """Declare the fields that the collector reports about itself."""

    visit: int
    uid: Id
    python: str
    home: str | None
    errors: dict[str, str]


SECTIONS: dict[str, Any] = {
    "system": System,
    "processes": Annotated[list[Process], Meta(min_length=1)],
    "listeners": Annotated[list[Listener], Meta(min_length=1)],
    "unix": list[UnixSocket],
    "addresses": Annotated[list[Annotated[list[str], Meta(min_length=2, max_length=2)]], Meta(min_length=1)],
    "disks": Annotated[list[Disk], Meta(min_length=1)],
    "nginx": Nginx,
    "time_daemon": TimeDaemon,
    "systemd": Systemd,
    "docker": Docker,
    "peers": dict[str, list[str]],
    "starts": dict[str, HostTime | None],
    "libraries": dict[str, list[str]],
    "writers": list[WrittenFile],
    "deleted": list[Deleted],
}
"""Sections that are read as a whole."""

NAMED_SECTIONS: dict[str, Any] = {
    "files": Annotated[list[Entry], Meta(min_length=1)],
    "tails": Annotated[list[Entry], Meta(min_length=1)],
    "supervisor": Command,
    "resolve": Resolved,
    "http": Http,
    "tcp": Tcp,
}
"""Sections that have one answer for each name that was asked: one bad answer leaves the others."""
