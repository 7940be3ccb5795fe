"""Collect the facts that a plan names from the host that runs this program.

The program arrives on standard input (or as an argument), answers on standard output and leaves no file.

It reads     /proc (processes, the owners of sockets, the named environment variables), the files, globs and ends
             of logs that the plan names, the configuration of nginx, the addresses of the host, free space.
It requests  name resolution, GET requests and TCP connections that the plan names, from this host.
It logs in   to the databases that the plan names, sends statements of DATABASE_STATEMENTS and quits.
It runs      four commands only: see COMMANDS.  They get no input and are killed at their limit.
It never     writes or creates a file, changes anything, sends another method than GET, follows a redirect,
             opens a FIFO or a device.  It ends when standard output is closed, and by an alarm of the kernel.

The plan and the answer are JSON documents.  Parts of a plan, each answered under its own name:

  visit, seconds, bytes, after, homes     number of the round, limits, delay; install roots ({home} in paths)
  processes   {environ, cmdline_bytes}    names of variables, limit of command lines
  sockets     true                        TCP listeners and unix sockets, with the processes that hold them
  addresses, disks                        own addresses; free space and inodes of these paths
  files       [{name, path, read, most}]  stat, and the first bytes, of what matches a path or glob
  tails       [{name, path, bytes, most}] the ends of the newest files that match
  nginx       {confs, bytes, most}        these files, those of running masters, and all that they include
  supervisor  [{name, conf, seconds}]     supervisorctl status;  time_daemon {seconds}: chronyc, ntpq
  systemd     {units, names, seconds}     systemctl show of these units; the control groups of processes so named
  docker      {prefixes, roots, seconds}  containers whose names begin so: GETs over docker's socket, else its files
  resolve     [{name, seconds}]           addresses of names; with server and domain those that one nameserver has, by one
              question over UDP; with routes those of these addresses to which there is a route (nothing is sent);
              with account its uid
  http        [{name, url, seconds, bytes, headers, ca_pem, unix, uwsgi, login}]; over the unix socket at the path `unix`;
              with uwsgi {modifier, SCRIPT_NAME} the GET of that URL is sent in the protocol of uwsgi; with again
              {when, seconds, times} it is repeated while the body matches; login {user, password} is sent as Basic
  tcp         [{name, host, port, seconds, read, auth, send, lines, until, again}]  the first bytes of the peer, or so
              many lines of its reply to `send`, or all until the end matches `until`, in base64; repeated once if the
              reply matches {when, seconds}; with auth the password goes first, in AUTH of redis; with mysql {user,
              password, database}: a login to MySQL or MariaDB instead, its result, and those of the `statements`
  peers       [...]                       remote endpoints of the TCP connections of these processes
  starts      [...]                       start times of these processes, null for one that has ended
  libraries   [...]                       shared objects that these processes have loaded and that were removed or replaced
  deleted     [...]                       space of removed files that processes keep open on the file systems of these paths

A password is {text}, or {source: {path, line, column, end, escaped, size, mtime, inode}}: then it is read from that place
of a file of this host, if the file is as it was in round 1, and replaced where a peer repeats it.

What could not be read is reported in its place or under `errors`, never left out.  The program is valid for Python
2.6 to 3.13 and uses the standard library only, hence no f-strings.  Names of files are bytes, so that any name can
be read.  The pages between form feeds are compiled one by one, which needs less memory.
"""
import _socket as socket  # importing the full socket module costs 3 ms and 1 MB
import array
import binascii
import errno
import fcntl
import fnmatch
import gc
import json
import os
import re
import resource
import select
import signal
import stat
import struct
import sys
import threading
import time
import zlib

MARK = "@@bkpaas"  # prefix of each line of the protocol; output of profiles and banners lacks it
COMMANDS = {  # the only commands that can run; a plan sets CONF and UNITS only
    "supervisorctl": ["-c", "CONF", "status"],
    "chronyc": ["-h", "127.0.0.1", "-n", "tracking"],  # without -h, root's chronyc creates a socket in /run
    "ntpq": ["-pn"],
    "systemctl": ["--no-pager", "show", "-p", "PROPERTIES", "UNITS"],
}
UNIT_PROPERTIES = (  # an older systemd leaves out what it does not have
    "Id,LoadState,ActiveState,SubState,Result,MainPID,ExecMainPID,ExecMainCode,ExecMainStatus,NRestarts,"
    "UnitFileState,FragmentPath,DropInPaths,NeedDaemonReload,ControlGroup,ExecStart,Restart"
)
UNIT_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9@._-]{0,100}\\.(service|target)$")  # never an option
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/py36/bin:/opt/py27/bin"
PASSWORD_FILE_BYTES = 4 << 20  # limit of a file from which a password is taken
SHORTEST_HIDDEN = 6  # bytes of a password that is replaced in answers; a shorter one may be a part of any word
FILE_TIMEOUT = 3.0  # seconds for one file; after that the next file is read in a new thread
PROC_TIMEOUT = 15.0  # seconds for all of /proc
BEAT_SECONDS = 1.0  # between the lines that show that the program still works
MAX_THREADS = 256  # for requests; a paas host with 500 app hosts has about 1,000 of them
MAX_PROCESSES, MAX_FDS = 30000, 20000  # of the host, of one process
SHORT_BYTES = 4096  # of the first read of a file of the kernel
MAX_HOLDERS = 20  # processes with removed files
MAX_WRITTEN = 1000  # files that the processes of applications write to
COMMAND_BYTES, HEAD_BYTES = 65536, 65536  # limits of the output of a command, of the headers of an HTTP answer
ROUTES_NAMED = 10  # addresses without a route that are listed
MAX_REPEATS, REPEAT_SECONDS, REPEAT_PAUSE = 5, 6.0, 0.3  # of a query whose connection has lost packets
TABLE_BYTES = 32 << 20  # limit of one table of sockets in /proc/net
TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFSOCK: "socket", stat.S_IFLNK: "symlink"}
EXPECTED_ERRORS = (EnvironmentError, ValueError, TypeError, IndexError)  # of malformed files and ended processes

gc.disable()  # the program is short-lived and its memory is bounded
monotonic = getattr(time, "monotonic", None) or (lambda: os.times()[4])
cpu_time = getattr(time, "process_time", None) or time.clock
TICKS = os.sysconf("SC_CLK_TCK")


def decode_text(data):
    """Decode bytes as UTF-8; replace invalid ones."""
    return data.decode("utf-8", "replace")


def exception_text():
    """Return the text of the exception being handled."""
    error = sys.exc_info()[1]
    if isinstance(error, EnvironmentError) and error.strerror:
        return error.strerror
    return "%s: %s" % (type(error).__name__, error)


# ---- threads: each operation that may hang runs in its own, and is awaited up to its limit ------------------


class Job(object):
    """Run function(job, *arguments) in a daemon thread; it fills `answer` and sets `stage` on its way."""

    def __init__(self, seconds, answer, function, *arguments):
        self.seconds, self.answer, self.stage, self.failure = seconds, answer, None, None
        self.function, self.arguments, self.hidden = function, arguments, []
        self.begin, self.until = None, None
        self.finished = threading.Event()
        self.start()

    def start(self):
        self.set_limit()
        thread = threading.Thread(target=self.run)
        thread.daemon = True
        thread.start()

    def set_limit(self):
        now = monotonic()
        self.until = now + self.seconds
        self.begin = now

    def run(self):
        try:
            self.function(self, *self.arguments)
        except Exception:
            self.failure = describe_exception(self.stage)
        if self.answer is not None:
            self.answer.setdefault("seconds", round(monotonic() - self.begin, 3))
        self.finished.set()

    def remaining(self):
        """Return the seconds until the limit, at least 1 ms."""
        return max(0.001, self.until - monotonic())

    def wait(self, until):
        """Wait until a time (monotonic); return whether the job has ended."""
        self.finished.wait(max(0.0, until - monotonic()))
        return self.finished.is_set()

    def outcome(self, until, kinds):
        """Return the final answer; its `error` is {kind, text} with `kinds`, else the text alone.

        None: the job has not been started until then.
        """
        while self.begin is None and monotonic() < until:
            self.wait(min(until, monotonic() + 0.05))
        if self.begin is None:
            return None
        if not self.wait(min(until, self.until + 0.5)):
            self.failure = self.failure or timeout_error(self.stage)
        answer = dict(self.answer)
        answer.setdefault("seconds", round(monotonic() - self.begin, 3))
        if self.failure:
            answer["error"] = dict(zip(("kind", "text"), self.failure)) if kinds else self.failure[1]
        return hide(answer, self.hidden) if self.hidden else answer


class Request(Job):
    """A job that one of the threads of run_requests starts; its limit of time begins then."""

    def start(self):
        pass


def run_requests(requests, until):
    """Run jobs in a bounded number of threads, those with the longest limits first."""
    pending = sorted(requests[::-1], key=lambda request: request.seconds)

    def work(job):
        while pending and monotonic() < until:
            try:
                request = pending.pop()
            except IndexError:  # another thread took the last one
                break
            request.set_limit()
            request.run()

    for _ in range(min(MAX_THREADS, len(requests))):
        Job(0, None, work)


def read_all(tasks, until):
    """Run (key, function, arguments) tasks one by one; return {key: (result, error)}.

    When a task blocks (on a dead NFS server), a new thread continues with the rest.
    """
    pending, results = tasks[::-1], {}

    def run_tasks(job):
        while pending:
            key, function, arguments = pending.pop()
            try:
                results[key] = (function(*arguments), None)
            except Exception:
                results[key] = (None, exception_text())

    worker, count, last_progress = Job(0, None, run_tasks), 0, monotonic()
    while len(results) < len(tasks) and monotonic() < until:
        if worker.wait(min(until, monotonic() + 0.1)):
            time.sleep(0.01)  # only blocked tasks are left; they may still end
        if len(results) > count:
            count, last_progress = len(results), monotonic()
        elif monotonic() - last_progress > FILE_TIMEOUT:
            if not pending:
                break
            worker, last_progress = Job(0, None, run_tasks), last_progress + FILE_TIMEOUT / 10  # wait less each time
    finished = dict(results)
    return dict((key, finished.get(key, (None, "did not answer in time"))) for key, _, _ in tasks)


# ---- processes and sockets: one pass over /proc ------------------------------------------------------------


def read_start(path, limit):
    """Return the first bytes of a file of the kernel; most are short, and memory for the longest would cost more."""
    fd = os.open(path, os.O_RDONLY)
    try:
        data = os.read(fd, min(limit, SHORT_BYTES))
        return data + os.read(fd, limit - SHORT_BYTES) if SHORT_BYTES == len(data) < limit else data
    finally:
        os.close(fd)


def read_lines(path):
    """Yield the lines of a table of the kernel; the caller may stop before the end of a long one."""
    fd, rest, size, piece = os.open(path, os.O_RDONLY), b"", 0, b" "
    try:
        while piece and size < TABLE_BYTES:
            piece = os.read(fd, 65536)
            size += len(piece)
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            for line in lines:
                yield line
    finally:
        os.close(fd)


def read_stat(pid):
    """Return (comm, [state, ppid, ...]) of /proc/PID/stat; comm may contain blanks and brackets."""
    data = read_start("/proc/%s/stat" % pid, 4096)
    end = data.rindex(b")")
    return data[data.index(b"(") + 1 : end], data[end + 2 :].split()


def start_time(fields, booted):
    """Return the start of a process in epoch seconds, from the fields of its stat."""
    return round(booted + float(fields[19]) / TICKS, 2)


def parse_address(word):
    """Return (family, address, port) of ADDRESS:PORT in /proc/net/tcp: hex, 32-bit words in host byte order."""
    address, port = word.split(b":")
    data = binascii.unhexlify(address)
    count = len(data) // 4
    data = struct.pack("=%dI" % count, *struct.unpack(">%dI" % count, data))
    family = (4, socket.AF_INET) if count == 1 else (6, socket.AF_INET6)
    return family[0], socket.inet_ntop(family[1], data), int(port, 16)


def read_links(base, fds):
    """Return what these descriptors of a process point to."""
    links = set()
    for fd in fds[:MAX_FDS]:
        try:
            links.add(os.readlink(base + fd))
        except EnvironmentError:
            pass  # closed in between
    return links


def find_peers(pids):
    """Return {pid: ["ADDRESS:PORT", ...]}: the remote endpoints of established TCP connections."""
    by_pid = {}
    for pid in pids:
        base = "/proc/%d/" % pid
        try:
            sockets = read_links(base + "fd/", os.listdir(base + "fd"))
        except EnvironmentError:
            continue  # the process has ended, or permission denied
        targets = by_pid[str(pid)] = []
        for table in ("net/tcp", "net/tcp6"):
            for line in read_lines(base + table) if os.path.exists(base + table) else ():
                fields = line.split()
                if len(fields) >= 10 and fields[3] == b"01" and "socket:[%d]" % int(fields[9]) in sockets:
                    targets.append("%s:%d" % parse_address(fields[2])[1:])
    return by_pid


def find_writers(below, processes):
    """Return the regular files that processes of programs below a directory have open for writing, with their pids."""
    by_inode = {}
    for process in processes:
        words = [process["exe"] or "", process["cwd"] or ""] + process["argv"]
        if not [word for word in words if below in word]:
            continue
        base = ("/proc/%d/" % process["pid"]).encode("ascii")
        try:
            fds = os.listdir(base + b"fd")
        except EnvironmentError:
            if sys.exc_info()[1].errno in (errno.ENOENT, errno.ESRCH):
                continue  # the process has ended
            raise
        for fd in fds[:MAX_FDS]:
            try:
                written = open_for_writing(base, fd)
            except EXPECTED_ERRORS:
                continue  # closed in between
            if written and len(by_inode) < MAX_WRITTEN:
                entry = by_inode.setdefault((written.pop("device"), written["inode"]), dict(written, pids=[]))
                entry["pids"] += [process["pid"]] if process["pid"] not in entry["pids"] else []
    return sorted(by_inode.values(), key=lambda entry: entry["path"])


def find_deleted(paths):
    """Return the space of removed files that processes keep open, by file system of these paths and by process."""
    by_device, by_process, seen = {}, {}, set()
    for path in paths:
        by_device.setdefault(os.stat(path.encode("utf-8")).st_dev, path)
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit())[:MAX_PROCESSES]:
        base = "/proc/%d/fd/" % pid
        try:
            fds = os.listdir(base)
        except EnvironmentError:
            continue  # the process has ended, or permission denied
        for fd in fds[:MAX_FDS]:
            try:
                status = os.stat(base + fd) if os.readlink(base + fd).endswith(" (deleted)") else None
            except EnvironmentError:
                continue  # closed in between
            if not status or status.st_nlink or status.st_dev not in by_device:
                continue
            if (status.st_dev, status.st_ino) not in seen:  # workers share the files of their master
                seen.add((status.st_dev, status.st_ino))
                path = by_device[status.st_dev]
                entry = by_process.setdefault((path, pid), {"path": path, "pid": pid, "bytes": 0, "files": 0})
                entry["bytes"] += status.st_blocks * 512
                entry["files"] += 1
    return sorted(by_process.values(), key=lambda entry: -entry["bytes"])[:MAX_HOLDERS]


def open_for_writing(base, fd):
    """Return the file of a descriptor if it is a regular one, open for writing; a lost one ends with (deleted)."""
    path = os.readlink(base + b"fd/" + fd)
    if not path.startswith(b"/") or path.startswith((b"/dev/", b"/proc/", b"/sys/")):
        return None
    flags = re.search(b"flags:\\s*([0-7]+)", read_start(base + b"fdinfo/" + fd, 400))
    if not flags or int(flags.group(1), 8) & (os.O_WRONLY | os.O_RDWR) == 0:
        return None
    status = os.stat(base + b"fd/" + fd)
    if not stat.S_ISREG(status.st_mode):
        return None
    times = {"mtime": round(status.st_mtime, 6), "ctime": round(status.st_ctime, 6)}
    return dict(times, path=decode_text(path), size=status.st_size, inode=status.st_ino, device=status.st_dev)


def read_limit(pid):
    """Return the soft limit of open files of a process; None if it is unlimited."""
    try:
        limit = PRLIMIT(pid, resource.RLIMIT_NOFILE)[0]  # a tenth of the time of reading the file
        return None if limit == resource.RLIM_INFINITY else limit
    except (TypeError, EnvironmentError):  # Python has no prlimit; not permitted; the process has ended
        match = re.search(b"Max open files +([0-9]+)", read_start("/proc/%d/limits" % pid, 4096))
        return int(match.group(1)) if match else None


def find_starts(pids):
    """Return {pid: start time in epoch seconds} of these processes; None for one that has ended."""
    starts = {}
    for pid in pids:
        try:
            starts[str(pid)] = start_time(read_stat(pid)[1], boot_time())
        except EXPECTED_ERRORS:
            starts[str(pid)] = None
    return starts


PRLIMIT = getattr(resource, "prlimit", None)  # since Python 3.4; without a new limit it reads only
LIBRARY = re.compile(b"\\s(/[^\\n]*\\.so[.0-9]*) \\(deleted\\)\\n")
MAPS_BYTES, MAX_LIBRARIES = 1 << 20, 50  # of one process


def find_libraries(pids):
    """Return {pid: the paths of its shared objects that are no longer on disk}, without processes that have ended."""
    libraries = {}
    for pid in pids:
        data, piece = b"", b" "
        try:
            fd = os.open("/proc/%d/maps" % pid, os.O_RDONLY)
            try:
                while piece and len(data) < MAPS_BYTES:
                    piece = os.read(fd, 65536)
                    data += piece
            finally:
                os.close(fd)
        except EnvironmentError:
            continue  # it has ended, or permission denied
        paths = sorted(set(LIBRARY.findall(data)))
        libraries[str(pid)] = [decode_text(path) for path in paths[:MAX_LIBRARIES]]
    return libraries


class ProcScan(object):
    """Read processes and sockets.  It is filled while it runs, so that a hanging /proc gives a partial result."""

    def __init__(self, plan, booted):
        settings, self.booted, self.sockets = plan.get("processes") or {}, booted, plan.get("sockets")
        self.processes, self.listeners, self.unix = [], [], []
        self.owners, self.hidden, self.errors = {}, False, {}
        self.cmdline_bytes = settings.get("cmdline_bytes", 1000)
        names = [re.escape(name.encode("utf-8")) for name in settings.get("environ", ())]
        self.variables = re.compile(b"\0(" + b"|".join(names) + b")=([^\0]*)") if names else None

    def run(self, job):
        for table in ("tcp", "tcp6", "unix") if self.sockets else ():
            try:
                self.read_unix() if table == "unix" else self.read_tcp("/proc/net/" + table)
            except EnvironmentError:
                if sys.exc_info()[1].errno != errno.ENOENT:  # without IPv6 there is no tcp6
                    self.errors["listeners"] = "/proc/net/%s: %s" % (table, exception_text())
        self.owners = dict(("socket:[%d]" % entry["inode"], []) for entry in self.listeners + self.unix)
        pids = [name for name in os.listdir("/proc") if name.isdigit()]
        if "1" not in pids:
            self.errors["processes"] = "the processes of others are hidden (hidepid)"
        if len(pids) > MAX_PROCESSES:
            self.errors["processes"] = "%d processes, %d looked at" % (len(pids), MAX_PROCESSES)
        for pid in pids[:MAX_PROCESSES]:
            try:
                self.read_process(pid)
            except EXPECTED_ERRORS:
                pass  # the process ended meanwhile
        by_pid = dict((entry["pid"], entry) for entry in self.processes)
        own = by_pid.get(os.getpid())
        while own and (own["pid"] == os.getpid() or MARK in " ".join(own["argv"])):
            self.processes.remove(own)  # this program, and the shell and sudo that started it
            own = by_pid.get(own["ppid"])

    def read_process(self, pid):
        base = "/proc/" + pid
        name, fields = read_stat(pid)
        if int(fields[6]) & 0x00200000:  # PF_KTHREAD: a kernel thread
            return
        argv = read_start(base + "/cmdline", self.cmdline_bytes).rstrip(b"\0")
        process = {
            "pid": int(pid),
            "ppid": int(fields[1]),
            "uid": os.stat(base).st_uid,
            "name": decode_text(name),
            "state": decode_text(fields[0]),
            "start": start_time(fields, self.booted),
            "argv": decode_text(argv).split("\0") if argv else [],
            "exe": None,
            "cwd": None,
            "environ": None,
            "open_files": None,
            "open_files_limit": None,
        }
        self.processes.append(process)
        try:
            process["exe"] = decode_text(os.readlink((base + "/exe").encode("ascii")))
            process["cwd"] = decode_text(os.readlink((base + "/cwd").encode("ascii")))
        except EnvironmentError:
            pass  # permission denied, or a zombie
        try:
            environ = b"\0" + read_start(base + "/environ", 131072) if self.variables else b""
            found = self.variables.findall(environ) if self.variables else []  # of equal names the first one counts
            process["environ"] = dict((decode_text(key), decode_text(value)) for key, value in reversed(found))
        except EnvironmentError:
            process["environ_error"] = exception_text()
        if self.owners:
            process["open_files"] = self.read_fds(base + "/fd/", process["pid"])
            if process["open_files"]:
                process["open_files_limit"] = read_limit(process["pid"])

    def read_fds(self, base, pid):
        """Note the owners of sockets; return the number of descriptors, None if they cannot be read."""
        owners, readlink = self.owners, os.readlink
        try:
            fds = os.listdir(base)
        except EnvironmentError:
            self.hidden = True
            return None
        if len(fds) > MAX_FDS:
            self.hidden = True
        for fd in fds[:MAX_FDS]:
            try:
                pids = owners.get(readlink(base + fd))
            except EnvironmentError:
                continue  # closed in between
            if pids is not None and pid not in pids:
                pids.append(pid)
        return len(fds)

    def read_tcp(self, path):
        for line in read_lines(path):
            fields = line.split()
            if len(fields) >= 10 and fields[3] == b"01":
                break  # the kernel lists listening sockets first
            if len(fields) >= 10 and fields[3] == b"0A":
                family, address, port = parse_address(fields[1])
                listener = {"family": family, "address": address, "port": port, "inode": int(fields[9])}
                # For a listener the receive queue counts the connections that wait for accept().
                self.listeners.append(dict(listener, queue=int(fields[4].split(b":")[1], 16)))

    def read_unix(self):
        """Read all listening unix sockets, and one socket for each path without a listener."""
        listening_paths, others = set(), {}
        for line in read_lines("/proc/net/unix"):
            fields = line.split(None, 7)
            if len(fields) < 8 or fields[0] == b"Num":
                continue
            listening = bool(int(fields[3], 16) & 0x10000)
            listener = {"path": decode_text(fields[7]), "inode": int(fields[6]), "listening": listening}
            if listener["listening"]:
                listening_paths.add(listener["path"])
                self.unix.append(listener)
            else:
                others.setdefault(listener["path"], listener)
        self.unix.extend(others[path] for path in sorted(others) if path not in listening_paths)

    def with_owners(self, sockets, complete):
        """Add the sorted `pids` to each socket; None when the owners are not known."""
        for listener in sockets:
            pids = self.owners.get("socket:[%d]" % listener["inode"]) or []
            listener["pids"] = sorted(pids) if pids or (complete and not self.hidden) else None
        return sockets


# ---- files -------------------------------------------------------------------------------------------------


class Files(object):
    """Read regular files, `remaining` bytes of them in total."""

    def __init__(self, home, remaining):
        self.home, self.remaining, self.folders, self.folder_times = home, remaining, {}, {}

    def path(self, pattern):
        """Return a pattern of the plan as bytes, with {home} replaced if known."""
        return pattern.encode("utf-8").replace(b"{home}", (self.home or "{home}").encode("utf-8"))

    def expand(self, pattern):
        """Return (paths, error) of a glob.  A directory that cannot be listed is an error, not an empty match."""
        if b"{home}" in pattern:
            return [], "no home of BlueKing on this host"
        if not re.search(b"[*?[]", pattern):
            return [pattern], None
        paths, error = [b"/"], None
        for part in pattern.strip(b"/").split(b"/"):
            bases, paths = paths, []
            for base in bases:
                names = [part]
                if re.search(b"[*?[]", part):
                    try:
                        names = sorted(fnmatch.filter(os.listdir(base), part))
                    except EnvironmentError:
                        names = []
                        if sys.exc_info()[1].errno not in (errno.ENOENT, errno.ENOTDIR):
                            error = "%s: %s" % (decode_text(base), exception_text())
                paths += [os.path.join(base, n) for n in names if n[:1] != b"." or part[:1] == b"."]
        return [path for path in paths if os.path.lexists(path)], error

    def entry(self, path, limit=0, tail=False, authors=()):
        """Return type, mode, owner, size ... of a path, links followed; with `limit` also the text of a file.

        authors: accounts that name the path, as in check_file.
        """
        entry = {"path": decode_text(path), "type": "other"}
        try:
            folder = os.path.dirname(path)
            if folder not in self.folders:
                self.folders[folder] = os.path.realpath(folder)
            real = os.path.join(self.folders[folder], os.path.basename(path))
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                real = os.path.realpath(path)
                entry["link_mtime"] = round(status.st_mtime, 3)
                try:
                    status = os.stat(path)
                except EnvironmentError:
                    entry["error"] = exception_text()  # dangling, or permission denied
            if real != path:
                entry["target"] = decode_text(real)
        except EXPECTED_ERRORS:
            if getattr(sys.exc_info()[1], "errno", None) in (errno.ENOENT, errno.ENOTDIR):
                return dict(entry, type="missing")
            return dict(entry, error=exception_text())
        entry["type"] = TYPES.get(stat.S_IFMT(status.st_mode), "other")
        entry.update(mode=stat.S_IMODE(status.st_mode), uid=status.st_uid, gid=status.st_gid, size=status.st_size)
        entry.update(mtime=round(status.st_mtime, 6), inode=status.st_ino, links=status.st_nlink)
        entry.update(ctime=round(status.st_ctime, 6), atime=round(status.st_atime, 6))
        try:
            folder = os.path.dirname(real)
            if folder not in self.folder_times:
                self.folder_times[folder] = round(os.stat(folder).st_mtime, 6)
            entry["folder_mtime"] = self.folder_times[folder]
        except EnvironmentError:
            pass  # permission denied
        if limit and entry["type"] == "file":
            try:
                check_file(path, real, status, authors, self.home)
                self.read(real, limit, tail, entry)
            except EnvironmentError:
                entry["error"] = exception_text()
        return entry

    def read(self, real, limit, tail, entry):
        """Add the first (or last) bytes of a regular file to its entry, up to `limit` and the total."""
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY
        try:
            fd = os.open(real, flags | getattr(os, "O_NOATIME", 0))
        except EnvironmentError:
            fd = os.open(real, flags)  # O_NOATIME needs the owner of the file
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise EnvironmentError(errno.EINVAL, "not a regular file any more")
            if os.readlink(("/proc/self/fd/%d" % fd).encode("ascii")) not in (real, real + b" (deleted)"):
                raise EnvironmentError(errno.EINVAL, "a directory on its path was replaced")
            if tail and status.st_size > limit:
                entry["offset"] = os.lseek(fd, status.st_size - limit, os.SEEK_SET)
            granted, data, piece = min(limit, self.remaining), b"", b" "
            while piece and len(data) < granted:
                piece = os.read(fd, granted - len(data))
                data += piece
            self.remaining -= len(data)
            compiled = real.endswith(b".pyc")  # byte code is sent in base64
            entry["text"] = decode_text(binascii.b2a_base64(data) if compiled else data)
            if len(data) == granted < max(limit, 0 if tail else status.st_size):
                entry["truncated"] = True
                if granted < limit:
                    entry["error"] = "the limit of bytes for one visit is reached"
        finally:
            os.close(fd)

    def matches(self, query, tail=False):
        """Return (entries, error) of an item of plan["files"] or, newest first, of plan["tails"]."""
        pattern = self.path(query["path"])
        paths, error = self.expand(pattern)
        if tail:
            paths = [p for _, p in sorted([(-self.entry(p).get("mtime", 0), p) for p in paths])]
        limit = query.get("most", 4 if tail else 50)
        if len(paths) > limit and not tail:
            error = "%d match, %d taken" % (len(paths), limit)
        entries = [self.entry(p, query.get("bytes" if tail else "read", 0), tail) for p in paths[:limit]]
        if not entries:
            entries = [{"path": decode_text(pattern), "type": "missing"}]
            if error:
                entries[0]["error"] = error
        return entries, error

    def nginx(self, query, processes):
        """Read the main files, those of running masters first, and all files that they include."""
        main, running, owners = [self.path(conf) for conf in query.get("confs", ())], [], {}
        for process in processes:
            argv_words = " ".join(process["argv"]).split() + [process["exe"] or ""]
            if argv_words[:3] == ["nginx:", "master", "process"]:
                prefix = os.path.dirname(os.path.dirname(argv_words[-1]))  # PREFIX/sbin/nginx
                prefix = argv_words[argv_words.index("-p") + 1] if "-p" in argv_words else prefix
                conf = argv_words[argv_words.index("-c") + 1] if "-c" in argv_words else "conf/nginx.conf"
                running.append(os.path.join(prefix, conf).encode("utf-8"))
                owners.setdefault(running[-1], set()).add(process["uid"])
        if not owners or 0 in set().union(*owners.values()):
            owners.update((conf, set([0])) for conf in main)  # what a nginx of root reads by default
        main = running[::-1] + main
        main = [conf for at, conf in enumerate(main) if conf not in main[:at]]
        main = [conf for conf in main if self.entry(conf)["type"] != "missing"]
        pending, visited, entries, error = [], set(), [], None
        for conf in main:
            authors = owners.get(conf, set())
            pending.append((conf, os.path.dirname(conf), None if 0 in authors else authors))
        while pending:
            path, folder, authors = pending.pop(0)
            if os.path.realpath(path) in visited:
                continue
            if len(entries) == query.get("most", 200):
                error = "more than %d files" % len(entries)
                break
            visited.add(os.path.realpath(path))
            entries.append(self.entry(path, query.get("bytes", 65536), authors=authors))
            if authors is not None:
                authors = set([entries[-1].get("uid", 0)]).union(authors)  # of what this file includes
            plain = re.sub("(?m)(^|\\s)#.*$", "", entries[-1].get("text", ""))
            for word in re.findall("(?:^|[\\s;{}])include\\s+(\"[^\"]*\"|'[^']*'|[^\\s;]+)\\s*;", plain):
                paths, expand_error = self.expand(os.path.join(folder, word.strip("\"'").encode("utf-8")))
                pending += [(path, folder, authors) for path in paths]
                error = expand_error or error
        running = [decode_text(conf) for conf in main if conf in running]
        return {"main": [decode_text(conf) for conf in main], "running": running, "files": entries, "error": error}


def check_file(path, real, status, authors=(), home=None):
    """Raise an error for a file that must not be read.

    Reading a file of the kernel may take something out of it, such as the messages of /proc/kmsg. Root reads what
    another account names, as one of `authors` or by a link to the file, only if that account may read it or the file
    is below `home`. A link to a directory does not name a file. authors: None for what a program of root reads.
    """
    if real.startswith((b"/proc/", b"/sys/")):
        raise EnvironmentError(errno.EPERM, "a file of the kernel: not read")
    if os.geteuid() or authors is None or status.st_mode & stat.S_IROTH:
        return
    links = set()
    if os.path.islink(path) and not (home and real.startswith(os.path.realpath(home.encode("utf-8")) + b"/")):
        links = link_owners(path)
    readers = group_members(status.st_gid) if status.st_mode & stat.S_IRGRP else []
    others = set(authors).union(links) - set([0, status.st_uid] + readers)
    if others:
        raise EnvironmentError(errno.EPERM, "named by the account %d, which may not read it: not read" % min(others))


def link_owners(path):
    """Return the owners of the links from a path to its file, without those of directories."""
    owners = set()
    for _ in range(100):
        status = os.lstat(path)
        if not stat.S_ISLNK(status.st_mode):
            break
        owners.add(status.st_uid)
        path = os.path.join(os.path.dirname(path), os.readlink(path))
    return owners


def group_members(gid):
    """Return the accounts of a group by /etc/passwd and /etc/group: other sources may not answer."""
    gid = str(gid).encode("ascii")
    accounts = [line.split(b":") for line in read_lines("/etc/passwd")]
    accounts = [words for words in accounts if len(words) > 3 and words[2].isdigit()]
    names = set(words[0] for words in accounts if words[3] == gid)
    for words in [line.strip().split(b":") for line in read_lines("/etc/group")]:
        if len(words) > 3 and words[2] == gid:
            names.update(words[3].split(b","))
    return [int(words[2]) for words in accounts if words[0] in names]


def disk(path):
    """Return size and free space of a file system, in bytes and inodes."""
    values = os.statvfs(path)
    entry = {"path": decode_text(path), "bytes": values.f_blocks * values.f_frsize, "inodes": values.f_files}
    entry.update(bytes_available=values.f_bavail * values.f_frsize, inodes_available=values.f_favail)
    return dict(entry, readonly=bool(values.f_flag & 1))


def find_home(candidates, processes):
    """Return the first install root that exists; those of running processes come first.

    A command line counts if its process runs as root or as this user, or if it names a candidate.
    """
    running = []
    for process in processes:
        if not [word for word in process["argv"][:3] if os.path.basename(word) in ("supervisord", "uwsgi")]:
            continue
        for match in [re.match("(/.+)/etc/(?:supervisor|uwsgi)-open_paas[^/]*$", word) for word in process["argv"]]:
            if match and (process["uid"] in (0, os.geteuid()) or match.group(1) in candidates):
                running.append(match.group(1))
    for home in [home for home in candidates if home in running] + running + list(candidates):
        if os.path.isdir(home.encode("utf-8")):
            return home
    return None


# ---- the host itself ---------------------------------------------------------------------------------------


LOCAL_PORTS = "/proc/sys/net/ipv4/ip_local_port_range"


def system(booted):
    """Return name, kernel, boot time, clock and time zone of the host."""
    now = time.time()
    west = time.altzone if time.daylight and time.localtime(now).tm_isdst > 0 else time.timezone
    entry = {"hostname": os.uname()[1], "kernel": os.uname()[2], "boot_time": booted, "time": now}
    entry.update(utc_offset=-west, zone=list(time.tzname), localtime=None, timezone_file=None)
    if os.path.isfile(LOCAL_PORTS):
        entry["local_ports"] = [int(word) for word in read_start(LOCAL_PORTS, 100).split()]
    if os.path.islink("/etc/localtime"):
        entry["localtime"] = decode_text(os.path.realpath(b"/etc/localtime"))
    if os.path.isfile("/etc/timezone"):
        entry["timezone_file"] = decode_text(read_start("/etc/timezone", 200)).strip()
    return entry


def addresses():
    """Return [address, interface] pairs: IPv4 from the kernel (SIOCGIFCONF), IPv6 from /proc."""
    result, buffer, sock = [], array.array("B", [0]) * 65536, socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        request = struct.pack("iL", len(buffer), buffer.buffer_info()[0])
        length = struct.unpack("iL", fcntl.ioctl(sock.fileno(), 0x8912, request))[0]
    finally:
        sock.close()
    size = 40 if struct.calcsize("L") == 8 else 32  # of struct ifreq: 16 bytes of name, then the address
    for at in range(0, length, size):
        name = decode_text(bytes(bytearray(buffer[at : at + 16])).split(b"\0")[0])
        result.append([".".join(str(byte) for byte in buffer[at + 20 : at + 24]), name])
    if os.path.exists("/proc/net/if_inet6"):
        lines = [line.split() for line in read_lines("/proc/net/if_inet6")]
        rows = [row for row in lines if row]
        result += [[socket.inet_ntop(socket.AF_INET6, binascii.unhexlify(w[0])), decode_text(w[-1])] for w in rows]
    return result


# ---- commands ----------------------------------------------------------------------------------------------

groups = set()  # process groups that are killed when this program ends


def run_command(job, name, argv, conf="", user=None, units=()):
    """Run one of COMMANDS; argv: the program and its interpreter; user: (uid, gid) to run it as."""
    import subprocess  # imported only where a command runs

    def prepare_child():
        os.setsid()
        if user:
            os.setgroups([])
            os.setgid(user[1])
            os.setuid(user[0])

    arguments = {"CONF": [conf], "UNITS": list(units), "PROPERTIES": [UNIT_PROPERTIES]}
    argv = job.answer["argv"] = sum([arguments.get(word, [word]) for word in COMMANDS[name]], argv)
    environ = {"LC_ALL": "C", "PATH": PATH, "HOME": "/", "PYTHONDONTWRITEBYTECODE": "1"}
    options = {"env": environ, "cwd": "/", "close_fds": True, "preexec_fn": prepare_child}
    null = open(os.devnull, "rb")
    process = subprocess.Popen(argv, stdin=null, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    groups.add(process.pid)
    null.close()
    pipes, size = {process.stdout.fileno(): [], process.stderr.fileno(): []}, 0
    job.stage, names = "command", {process.stdout.fileno(): "out", process.stderr.fileno(): "err"}
    open_pipes = list(pipes)
    while open_pipes and size <= COMMAND_BYTES and monotonic() < job.until:
        for fd in select.select(open_pipes, [], [], job.remaining())[0]:
            pipes[fd].append(os.read(fd, 16384))
            size += len(pipes[fd][-1])
            if not pipes[fd][-1]:
                open_pipes.remove(fd)
    while not open_pipes and process.poll() is None and monotonic() < job.until:
        time.sleep(0.005)
    for fd in pipes:
        job.answer[names[fd]] = decode_text(b"".join(pipes[fd]))
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        too_much = ("other", "more than %d bytes" % COMMAND_BYTES)
        job.failure = timeout_error("command") if size <= COMMAND_BYTES else too_much
        process.wait()
    else:
        job.answer["rc"] = process.returncode
    groups.discard(process.pid)


def end_commands():
    """Kill the commands that still run."""
    for group in list(groups):
        try:
            os.killpg(group, signal.SIGKILL)
        except EnvironmentError:
            pass  # it has ended


def time_command(job, tool):
    """Run chronyc or ntpq."""
    run_command(job, tool, [find_program(tool, [])])


def show_units(job, units):
    """Run systemctl show, which only reads."""
    wrong = [unit for unit in units if not UNIT_NAME.match(unit)]
    if wrong:
        raise EnvironmentError(errno.EINVAL, "not the name of a unit: " + wrong[0])
    run_command(job, "systemctl", [find_program("systemctl", [])], units=units)


def control_groups(processes, names):
    """Return {pid: the text of /proc/PID/cgroup} of the processes with these names."""
    groups_by_pid = {}
    for process in [process for process in processes if process["name"] in names][:MAX_FDS]:
        try:
            text = read_start("/proc/%d/cgroup" % process["pid"], 4096)
        except EXPECTED_ERRORS:
            continue  # the process has ended
        groups_by_pid[str(process["pid"])] = decode_text(text)
    return groups_by_pid


def find_program(name, directories):
    """Return the path of an executable in the directories or in PATH."""
    for directory in directories + PATH.split(":"):
        path = os.path.join(directory, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise EnvironmentError(errno.ENOENT, "no " + name)


def supervisorctl(job, conf, home, processes):
    """Run supervisorctl status with the program that belongs to the supervisord of `conf`.

    It runs as the owner of that program, so that root never runs a file that another account can replace.  When
    no supervisord of root has this configuration, the directories, links and the configuration count as well.  The
    owner of the program cannot reach the socket of a supervisord of root: the collector sends the request itself.
    """
    owner, argv, runs_as_root = os.stat(conf.encode("utf-8")).st_uid, [], None
    for process in processes:
        daemon = [word for word in process["argv"][:3] if os.path.basename(word) == "supervisord"]
        if daemon and conf in process["argv"] and process["uid"] in (0, owner) and daemon[0].startswith("/"):
            script = os.path.join(os.path.dirname(daemon[0]), "supervisorctl")
            python = process["argv"][0] if process["argv"][0].startswith("/") else process["exe"]
            if os.path.isfile(script) and python:
                argv = [script] if process["argv"][0] == daemon[0] else [python, script]
                runs_as_root = process["pid"] if process["uid"] == 0 else None
    if not argv:
        folders = Files(home, 0).expand(home.encode("utf-8") + b"/.envs/*/bin")[0] if home else []
        argv = [find_program("supervisorctl", [decode_text(folder) for folder in folders])]
    user = untrusted_owner(argv[-1:] if runs_as_root else argv + [conf], not runs_as_root)
    if os.geteuid() or not user or not (runs_as_root and ask_supervisord(job, conf, runs_as_root)):
        run_command(job, "supervisorctl", argv, conf, user if os.geteuid() == 0 else None)


def ask_supervisord(job, conf, pid):
    """Send the request of supervisorctl status to the socket that this supervisord holds; return whether it answered.

    The answer has the form of supervisorctl's output.
    """
    text = Files("", 65536).entry(conf.encode("utf-8"), 65536).get("text", "")
    section = (re.findall("(?ms)^\\[unix_http_server\\](.*?)(?=^\\[|\\Z)", text) or [""])[-1]
    options = dict(re.findall("(?m)^(file|username|password)[ \t]*[=:][ \t]*(.*?)[ \t\r]*(?:[ \t];.*)?$", section))
    path = options.get("file", "").replace("%(here)s", os.path.dirname(conf))
    if not path.startswith("/"):
        return False
    body = "<?xml version='1.0'?><methodCall><methodName>supervisor.getAllProcessInfo</methodName><params/></methodCall>"
    lines = ["POST /RPC2 HTTP/1.0", "Content-Type: text/xml", "Content-Length: %d" % len(body)]
    if options.get("username"):
        login = "%s:%s" % (options["username"], options.get("password", ""))
        lines.append("Authorization: Basic " + decode_text(binascii.b2a_base64(login.encode("utf-8"))).strip())
    data, piece, sock = b"", b" ", socket.socket(socket.AF_UNIX)
    try:
        if not holds_socket(pid, path):
            return False
        sock.settimeout(job.remaining())
        sock.connect(path.encode("utf-8"))
        sock.sendall("\r\n".join(lines + ["", body]).encode("utf-8"))
        while piece and len(data) <= COMMAND_BYTES and monotonic() < job.until:
            sock.settimeout(job.remaining())
            piece = sock.recv(65536)
            data += piece
    except EXPECTED_ERRORS:
        return False
    finally:
        sock.close()
    text = decode_text(data)
    if piece or "</methodResponse>" not in text or "<fault>" in text:
        return False
    output = []
    for struct in re.findall("(?s)<struct>(.*?)</struct>", text):
        found = dict(re.findall("(?s)<name>(\\w+)</name>\\s*<value>(?:<string>)?(.*?)(?:</string>)?</value>", struct))
        for name in found:
            for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
                found[name] = " ".join(found[name].replace(entity, character).split())
        name, group = found.get("name", ""), found.get("group", "")
        name = name if name == group else group + ":" + name
        output.append("%-32s %-9s %s" % (name, found.get("statename", ""), found.get("description", "")))
    job.answer.update(argv=["supervisor.getAllProcessInfo", path], rc=0, out="\n".join(output + [""]), err="")
    return True


def holds_socket(pid, path):
    """Return whether a process holds the listening unix socket of this path; supervisord binds to PATH.PID first."""
    inodes = set()
    for line in read_lines("/proc/net/unix"):
        fields = decode_text(line).split(None, 7)
        if len(fields) == 8 and re.match(re.escape(path) + "(\\.[0-9]+)?$", fields[7]):
            inodes.add("socket:[%s]" % fields[6])
    base = "/proc/%d/fd/" % pid
    return bool(inodes.intersection(read_links(base, os.listdir(base))))


def untrusted_owner(paths, folders):
    """Return (uid, gid) of the first account except root that can replace these files, or None."""
    paths = [path.encode("utf-8") for path in paths]
    for path in paths + [os.path.realpath(path) for path in paths if folders]:
        while True:
            for status in (os.lstat(path), os.stat(path)):
                if status.st_uid:
                    return status.st_uid, status.st_gid
            if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
                raise EnvironmentError(errno.EPERM, decode_text(path) + " may be written by everybody: not run")
            if not folders or path == b"/":
                break
            path = os.path.dirname(path)
    return None


# ---- the network -------------------------------------------------------------------------------------------

ERROR_KINDS = {
    errno.ECONNREFUSED: "refused",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
}


def timeout_error(stage):
    """Return (kind, text) for a timeout in this stage."""
    return {
        "command": ("timeout", "timeout"),
        "resolve": ("resolve", "no answer from the resolver in time"),
        "connect": ("timeout", "no connection in time"),
    }.get(stage, ("silent", "no complete answer in time"))


def describe_exception(stage):
    """Return (kind, text) of the exception being handled."""
    error, text = sys.exc_info()[1], exception_text()
    code = getattr(error, "errno", None)
    if isinstance(error, ProtocolError):
        return error.args
    if isinstance(error, socket.timeout) or "timed out" in text:
        return timeout_error(stage)
    if stage == "resolve" or (stage == "tls" and code not in ERROR_KINDS):
        return stage, text
    return ERROR_KINDS.get(code, "other"), text


class ProtocolError(Exception):
    """Signal an answer that breaks the protocol; its arguments are kind and text."""


def lookup(job, host, port):
    """Resolve a name; return the tuples of getaddrinfo."""
    job.stage = "resolve"
    addresses = socket.getaddrinfo(host.encode("ascii"), port, 0, socket.SOCK_STREAM)  # str would import the idna codec
    job.stage = "connect"
    return addresses


def resolve(job, query):
    """Fill the addresses of a name."""
    for item in lookup(job, query["name"], None):
        if item[4][0] not in job.answer["addresses"]:
            job.answer["addresses"].append(item[4][0])


def find_routes(job, query):
    """Fill those of the addresses to which there is a route; to connect a UDP socket sends no packet."""
    failed = []
    for address in query["routes"]:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.connect((address, 9))
            job.answer["addresses"].append(address)
        except EnvironmentError:
            failed.append("%s %s" % (address, errno.errorcode.get(sys.exc_info()[1].errno, "other")))
        finally:
            sock.close()
    if failed:
        raise ProtocolError("route", ", ".join(failed[:ROUTES_NAMED]))


def find_account(job, query):
    """Fill the uid of an account, as the programs of the host find it."""
    import pwd

    job.stage = "account"
    try:
        job.answer["uid"] = pwd.getpwnam(query["account"]).pw_uid
    except KeyError:
        raise ProtocolError("account", "no such account")


def ask_nameserver(job, query):
    """Fill the IPv4 addresses that one nameserver has for a name; its error is the code of the answer."""
    server, number = query["server"], os.urandom(2)
    labels = [label.encode("ascii") for label in query["domain"].split(".")]
    question = b"".join([struct.pack("B", len(label)) + label for label in labels]) + b"\0\0\1\0\1"
    sock = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.connect((server, 53))
        data = b""
        while data[:2] != number or len(data) < 12:
            sock.settimeout(min(2.0, job.remaining()))
            sock.send(number + b"\1\0\0\1\0\0\0\0\0\0" + question)
            try:
                data = sock.recv(4096)
            except socket.timeout:  # a packet may be lost once
                if job.remaining() < 0.1:
                    raise
    finally:
        sock.close()
    flags, _, count = struct.unpack(">HHH", data[2:8])
    job.answer["addresses"] = dns_addresses(data, 12 + len(question), count)
    if not job.answer["addresses"]:
        raise ProtocolError("resolve", "rcode %d" % (flags & 15))


def dns_addresses(data, at, count):
    """Return the IPv4 addresses among the records of a DNS answer, which begin at an offset."""
    found = []
    for _ in range(count):
        while data[at : at + 1] not in (b"", b"\0") and ord(data[at : at + 1]) < 0xC0:
            at += 1 + ord(data[at : at + 1])
        at += 1 if data[at : at + 1] == b"\0" else 2
        if len(data) < at + 10:
            break
        kind, _, _, size = struct.unpack(">HHIH", data[at : at + 10])
        if len(data) < at + 10 + size:
            break
        if kind == 1 and size == 4:
            found.append(socket.inet_ntop(socket.AF_INET, data[at + 10 : at + 14]))
        at += 10 + size
    return found


def connect(job, host, port):
    """Return a socket that is connected to the first address that accepts."""
    error = None
    for family, kind, protocol, _, address in lookup(job, host, port):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(job.remaining())
            sock.connect(address)
            job.stage = "wait"
            job.answer["peer"] = ("[%s]:%d" if ":" in address[0] else "%s:%d") % address[:2]
            return sock
        except EnvironmentError:
            error = sys.exc_info()[1]
            sock.close()
    raise error


def note_retransmits(job, sock):
    """Append to the answer how many packets this connection has sent again, by the kernel's count (TCP_INFO)."""
    try:
        count = struct.unpack("=I", sock.getsockopt(6, 11, 104)[100:104])[0]
    except EXPECTED_ERRORS + (struct.error,):
        return  # a unix socket, or a kernel without the count
    job.answer.setdefault("retransmits", []).append(count)


def repeat_if_lossy(job, query, function):
    """Repeat a query whose connection lost packets, to tell a moment from a link that loses packets again and again."""
    job.answer["seconds"] = round(monotonic() - job.begin, 3)
    counts = job.answer.get("retransmits") or [0]
    last, times = min(job.until - 1, job.begin + REPEAT_SECONDS), MAX_REPEATS
    if not counts[0] or "healthz" in query.get("url", ""):  # a healthz makes the service send requests of its own
        times = 0
    while len(counts) <= times and monotonic() + REPEAT_PAUSE < last:
        time.sleep(REPEAT_PAUSE)
        again = Reply(job)
        again.until, known = last, len(counts)
        try:
            function(again, query)
        except EXPECTED_ERRORS + (ProtocolError,):
            pass  # what was counted counts
        counts += again.answer.get("retransmits") or []
        if len(counts) == known:
            break  # no connection


def connect_unix(job, path):
    """Return a socket that is connected to the unix socket at a path."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    job.stage = "connect"
    sock.settimeout(job.remaining())
    try:
        sock.connect(path.encode("utf-8"))
    except EnvironmentError:
        sock.close()
        error = sys.exc_info()[1]
        kind = {errno.EACCES: "denied", errno.ENOENT: "gone", errno.EAGAIN: "silent"}.get(error.errno)
        if kind:
            raise ProtocolError(kind, error.strerror)
        raise
    job.stage = "wait"
    return sock


def uwsgi_request(uwsgi, path, headers):
    """Return a GET as a packet of the protocol of uwsgi: modifier, size, then pairs of counted strings."""
    path, _, parameters = path.partition("?")
    pairs = {"REQUEST_METHOD": "GET", "REQUEST_URI": path, "PATH_INFO": path, "QUERY_STRING": parameters}
    pairs.update({"SERVER_PROTOCOL": "HTTP/1.1", "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1"})
    pairs.update({"SERVER_NAME": headers["Host"].split(":")[0], "CONTENT_LENGTH": "", "CONTENT_TYPE": ""})
    pairs.update(("HTTP_" + name.upper().replace("-", "_"), value) for name, value in headers.items())
    if "SCRIPT_NAME" in uwsgi:
        pairs["SCRIPT_NAME"] = uwsgi["SCRIPT_NAME"]
    data = b""
    for pair in sorted(pairs.items()):
        for word in [word.encode("utf-8") for word in pair]:
            data += struct.pack("<H", len(word)) + word
    return struct.pack("<BHB", uwsgi.get("modifier", 0), len(data), 0) + data


def receive(job, sock, limit=16384):
    """Receive up to `limit` bytes within the time of the job, also from a peer that never stops sending."""
    if monotonic() > job.until:
        raise socket.timeout("timed out")
    sock.settimeout(job.remaining())
    return sock.recv(limit)


def read_password(job, item):
    """Return a word of a login as bytes: a text, {"text"}, or {"source"}: a place in a file of this host."""
    if not isinstance(item, dict):
        return item.encode("utf-8")
    if "text" in item:
        return item["text"].encode("utf-8")
    source, limit = item["source"], PASSWORD_FILE_BYTES
    entry = Files(None, limit).entry(source["path"].encode("utf-8"), limit, authors=None)
    same = [name for name in ("size", "inode") if entry.get(name) == source[name]]
    if "text" not in entry or len(same) < 2 or abs(entry["mtime"] - source["mtime"]) > 0.00001:
        raise ProtocolError("withheld", source["path"] + ": has changed since round 1, or cannot be read")
    line = entry["text"].split("\n")[source["line"] - 1 : source["line"]]
    word = "(?:\\\\.|[^\\\\])*?" if source.get("escaped") else ".*?"
    found = re.match("(%s)(?:%s)" % (word, re.escape(source["end"]) or "$"), line[0][source["column"] :] if line else "")
    if not found:
        raise ProtocolError("withheld", source["path"] + ": has no password at its place")
    text = re.sub("\\\\(.)", "\\1", found.group(1)) if source.get("escaped") else found.group(1)
    password = text.encode("utf-8")
    job.hidden.append(password)
    return password


def hide(value, words):
    """Return an answer in which these passwords, and base64 data with them, are replaced."""
    if isinstance(value, dict):
        return dict((key, hide_data(item, words) if key == "data" else hide(item, words)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return [hide(item, words) for item in value]
    if not hasattr(value, "encode"):
        return value
    for word in [decode_text(word) for word in words if len(word) >= SHORTEST_HIDDEN]:
        value = value.replace(word, "*" * len(word))
    return value


def hide_data(text, words):
    """Return data in base64 in which these passwords are replaced."""
    data = binascii.a2b_base64(text.encode("ascii"))
    for word in [word for word in words if len(word) >= SHORTEST_HIDDEN]:
        data = data.replace(word, b"*" * len(word))
    return decode_text(binascii.b2a_base64(data)).strip()


def redis_command(words):
    """Return a command of redis."""
    return b"".join([("*%d\r\n" % len(words)).encode("ascii")] + [
        ("$%d\r\n" % len(word)).encode("ascii") + word + b"\r\n" for word in words
    ])


def tcp(job, query):
    """Exchange once with the peer; again where packets were lost."""
    exchange(job, query)
    repeat_if_lossy(job, query, exchange)


def exchange(job, query):
    """Connect, send the request, read the reply; repeat once if the reply matches `again`."""
    request = query.get("send", "").encode("utf-8")
    if "auth" in query:
        request = redis_command([b"AUTH", read_password(job, query["auth"])]) + request
    sock, limit, again = connect(job, query["host"], query["port"]), query.get("read", 0), query.get("again")
    data, lines, until = b"", 0, re.compile(query.get("until", "").encode("ascii"))
    try:
        while True:
            sock.sendall(request)
            lines += query.get("lines", 0)
            while len(data) < limit and (not data or data.count(b"\n") < lines or not until.search(data)):
                piece = receive(job, sock, limit - len(data))
                data += piece
                job.answer["data"] = decode_text(binascii.b2a_base64(data)).strip()
                if not piece:
                    raise ProtocolError("empty", "closed without a word" if not data else "closed in the middle")
            if not again or not re.search(again["when"].encode("ascii"), data):
                break
            time.sleep(min(again["seconds"], job.remaining()))
            again = None
    finally:
        note_retransmits(job, sock)
        sock.close()


def http(job, query):
    """Send a GET; repeat it at most `times` while the body matches `when` of `again`."""
    blank, again = dict(job.answer), query.get("again") or {}
    for _ in range(again.get("times", 0)):
        send_get(job, query)
        if not re.search(again["when"], job.answer["body"]):
            return
        time.sleep(min(again["seconds"], job.remaining()))
        job.answer.update(blank)
    send_get(job, query)
    repeat_if_lossy(job, query, send_get)


def send_get(job, query):
    """Send one GET.  A partial answer is kept when the end does not arrive."""
    url = re.match("(https?)://(\\[[0-9a-fA-F:.]+\\]|[^/:?#\\[\\]]+)(:\\d+)?([^#]*)", query["url"])
    if not url or re.search("\\s", query["url"]):
        raise ValueError("not a URL")
    scheme, host, port, path = url.groups()
    headers = {"Host": host + (port or ""), "User-Agent": "bkpaas-acceptance"}
    headers.update({"Accept": "*/*", "Connection": "close"})
    headers.update(query.get("headers") or {})
    if "login" in query:
        login = query["login"]
        data = binascii.b2a_base64(login["user"].encode("utf-8") + b":" + read_password(job, login["password"]))
        headers["Authorization"] = "Basic " + decode_text(data).strip()
        job.hidden += [data.strip()] if job.hidden else []
    lines = [re.sub("[\\r\\n]", " ", "%s: %s" % item) for item in sorted(headers.items())]
    path = path if path.startswith("/") else "/" + path
    lines.insert(0, "GET %s HTTP/1.1" % path)
    request, uwsgi = "\r\n".join(lines + ["", ""]).encode("utf-8"), query.get("uwsgi")
    if uwsgi:
        request = uwsgi_request(uwsgi, path, headers)
    if query.get("unix"):
        sock = connect_unix(job, query["unix"])
    else:
        sock = connect(job, host.strip("[]"), int(port[1:]) if port else {"http": 80, "https": 443}[scheme])
    try:
        if scheme == "https":
            sock = wrap_tls(job, sock, host.strip("[]"), query.get("ca_pem"))
        sock.sendall(request)
        read_answer(job, sock, query.get("bytes", 65536))
    finally:
        note_retransmits(job, sock)
        sock.close()


CA_FILES = "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"


def wrap_tls(job, sock, host, ca_pem):
    """Return a socket with verified TLS, by `ca_pem` or the certificate store of the host."""
    import ssl  # imported only where needed, since it is slow

    sock, trust = sslable_socket(job, sock), getattr(ssl, "create_default_context", None)
    if trust is None:
        raise ProtocolError("other", "this Python cannot verify certificates")
    context = trust(cadata=ca_pem) if ca_pem else trust()
    for path in [path for path in CA_FILES if not ca_pem and os.path.isfile(path)][:1]:
        context.load_verify_locations(path)  # a Python built elsewhere lacks the path of the system's store
    sock = context.wrap_socket(sock, server_hostname=host)
    job.stage = "wait"
    return sock


def sslable_socket(job, sock):
    """Return the same connection as a socket of the module that ssl can wrap."""
    import socket as whole

    sock = whole.socket(_sock=sock) if bytes is str else whole.socket(sock.family, sock.type, sock.proto, sock.detach())
    sock.settimeout(job.remaining())
    job.stage = "tls"
    return sock


def read_answer(job, sock, limit):
    """Fill status, headers and up to `limit` bytes of the body of an HTTP answer."""
    head, answer = b"", job.answer
    while b"\r\n\r\n" not in head:
        piece = receive(job, sock)
        head += piece
        if not head:
            raise ProtocolError("empty", "closed without an answer")
        if not piece or head[:5] != b"HTTP/"[: len(head)] or len(head) > HEAD_BYTES:
            raise ProtocolError("protocol", "not an HTTP answer")
        if re.match(b"HTTP/\\S+ 1\\d\\d\\b", head) and b"\r\n\r\n" in head:
            head = head.split(b"\r\n\r\n", 1)[1]  # 1xx: the final answer follows
    head, body = head.split(b"\r\n\r\n", 1)
    lines = decode_text(head).split("\r\n")
    status = re.match("HTTP/\\d\\S* +(\\d{3})\\b", lines[0])
    if not status:
        raise ProtocolError("protocol", "not an HTTP answer")
    answer["status"] = int(status.group(1))
    answer["headers"] = [[word.strip() for word in line.split(":", 1)] for line in lines[1:] if ":" in line]
    fields = dict((name.lower(), value) for name, value in answer["headers"])
    chunked, length = "chunked" in fields.get("transfer-encoding", "").lower(), fields.get("content-length", "")
    length = int(length) if length.isdigit() and not chunked else None
    length = 0 if answer["status"] in (204, 304) else length
    capacity, at, chunks, last = (2 * limit + 65536 if chunked else limit), 0, [], False
    try:
        while True:
            at, last = split_chunks(body, at, chunks) if chunked else (0, False)
            if last or len(body) > capacity or (length is not None and len(body) >= length):
                break
            piece = receive(job, sock)
            if not piece and (chunked or length is not None):
                raise ProtocolError("protocol", "closed in the middle of the answer")
            if not piece:
                break
            body += piece
    finally:
        endless = chunked and not last and len(body) > capacity  # tiny chunks: the body itself may be short
        if chunked:
            rest = CHUNK.match(body, at)
            body = b"".join(chunks + [body[rest.end() :] if rest and not last else b""])
        answer["truncated"], answer["body"] = endless or len(body) > limit, decode_text(body[:limit])


CHUNK = re.compile(b"([0-9a-fA-F]+)[^\\n]*\\n")  # the size line of a chunk


def split_chunks(data, at, chunks):
    """Append the complete chunks of data[at:]; return (offset of the next chunk, last chunk received)."""
    while True:
        size = CHUNK.match(data, at)
        if not size or not int(size.group(1), 16):
            return at, bool(size)
        end = size.end() + int(size.group(1), 16)
        if end + 2 > len(data):
            return at, False
        chunks.append(data[size.end() : end])
        at = end + 2



# ---- containers --------------------------------------------------------------------------------------------

DOCKER_SOCKET = "/var/run/docker.sock"
INIT = 1  # systemd: it listens for a service that it starts on the first connection
DOCKER_REQUESTS = {  # the only requests that are sent to docker's socket, all GET; ID is 12 to 64 hexadecimal digits
    "list": "/containers/json?all=1&filters=%7B%22name%22%3A%5B%22bk-%22%5D%7D",
    "inspect": "/containers/ID/json",
}
DOCKER_SETTINGS = b"/etc/docker/daemon.json"
DOCKER_BYTES = 262144  # limit of one answer and one file
MAX_CONTAINERS, MAX_BINDS = 30, 30  # with one of the prefixes; bind mounts of one container
CONTAINER_ID = re.compile("[0-9a-f]{12,64}$")


def containers(job, query):
    """Read the containers: over the socket, or, where that is not possible, from the files of the daemon."""
    job.answer.update(source=None, containers=[], reasons=[])
    for source, function in (("socket", containers_by_socket), ("files", containers_by_files)):
        try:
            job.answer["containers"] = function(job, query)[:MAX_CONTAINERS]
            job.answer["source"] = source
            return
        except Exception:
            kind, text = describe_exception(job.stage)
            job.answer["reasons"].append([source, kind, text])


class Reply(Job):
    """Hold the answer to one request of a job that sends several, within the limit of the job."""

    def __init__(self, job):
        self.answer, self.stage, self.until, self.hidden = {}, None, job.until, job.hidden


def ask_docker(job, request, identity=""):
    """Send one of DOCKER_REQUESTS; return the decoded answer."""
    if may_start(DOCKER_SOCKET):
        raise ProtocolError("other", "no dockerd runs: a request would start it")
    reply, url = Reply(job), "http://docker" + DOCKER_REQUESTS[request].replace("ID", identity)
    try:
        send_get(reply, {"url": url, "unix": DOCKER_SOCKET, "bytes": DOCKER_BYTES})
    finally:
        job.stage = reply.stage
    if reply.answer["status"] != 200:
        raise ProtocolError("protocol", "docker answers %d" % reply.answer["status"])
    return json.loads(reply.answer["body"])


def may_start(path):
    """Return whether a connection to a unix socket may start a service: init alone listens on it."""
    names, inodes, hidden = set([path, os.path.realpath(path)]), set(), False
    for line in read_lines("/proc/net/unix"):
        fields = line.split(None, 7)
        if len(fields) == 8 and fields[0] != b"Num" and int(fields[3], 16) & 0x10000:
            if os.path.realpath(decode_text(fields[7])) in names:
                inodes.add("socket:[%d]" % int(fields[6]))
    pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    for pid in pids if inodes else ():
        try:
            fds = os.listdir("/proc/%d/fd" % pid)
        except EnvironmentError:
            hidden = True
            continue
        links = read_links("/proc/%d/fd/" % pid, fds)
        if bool(links & inodes) != (pid == INIT):
            return False  # the service runs, or init has nothing to do with it
    return bool(inodes) and not (hidden and named_dockerd(pids))


def named_dockerd(pids):
    """Return whether one of these processes is called dockerd; its sockets may not be visible to this account."""
    for pid in pids:
        try:
            if read_stat(pid)[0].startswith(b"dockerd"):
                return True
        except EXPECTED_ERRORS:
            pass  # it has ended
    return False


def containers_by_socket(job, query):
    """Return the containers as the daemon reports them."""
    shown = []
    for item in ask_docker(job, "list"):
        names = [name.lstrip("/") for name in item.get("Names") or ()]
        if CONTAINER_ID.match(item["Id"]) and has_prefix(names, query) and len(shown) < MAX_CONTAINERS:
            details = ask_docker(job, "inspect", item["Id"])
            shown.append(container(details, details.get("HostConfig") or {}, details.get("Mounts") or ()))
    return shown


def containers_by_files(job, query):
    """Return the containers as the daemon has written them; a daemon that has ended left its last state."""
    files = Files(None, 16 * DOCKER_BYTES)
    settings = json.loads(files.entry(DOCKER_SETTINGS, DOCKER_BYTES).get("text") or "{}")
    roots = [settings.get("data-root") or settings.get("graph")] + list(query["roots"])
    for root in [root for root in roots if root and "{home}" not in root]:
        paths, error = files.expand(root.encode("utf-8") + b"/containers/*/config.v2.json")
        if error:
            raise ProtocolError("denied", error)
        shown = []
        for path in paths[:MAX_FDS]:
            text = files.entry(path, DOCKER_BYTES).get("text")
            details = json.loads(text) if text else {}
            if has_prefix([details.get("Name", "").lstrip("/")], query):
                host = files.entry(os.path.join(os.path.dirname(path), b"hostconfig.json"), DOCKER_BYTES)
                mounts = (details.get("MountPoints") or {}).values()
                shown.append(container(details, json.loads(host.get("text") or "{}"), mounts))
        if paths:
            return shown
    raise EnvironmentError(errno.ENOENT, "no containers of docker")


def has_prefix(names, query):
    return bool([name for name in names if name.startswith(tuple(query["prefixes"]))])


def container(details, host, mounts):
    """Return what is read of a container: without its variables, which hold passwords."""
    config, state = details.get("Config") or {}, details.get("State") or {}
    identity = details.get("Id") or details.get("ID")
    shown = {"id": identity, "name": details["Name"].lstrip("/"), "binds": []}
    fields = ("Running", "Paused", "Restarting", "OOMKilled", "Dead", "Pid", "ExitCode", "Error", "StartedAt")
    shown["state"] = dict((field, state.get(field)) for field in fields + ("FinishedAt",))
    shown.update(image=config.get("Image"), image_id=details.get("Image"), user=config.get("User"))
    shown.update(memory=host.get("Memory"), network=host.get("NetworkMode"), restarts=details.get("RestartCount"))
    shown["policy"] = (host.get("RestartPolicy") or {}).get("Name")
    shown["oom_kills"] = oom_kills(identity)
    for mount in list(mounts)[:MAX_BINDS]:
        if mount.get("Type", "bind") == "bind" and mount.get("Source"):
            kind = Files(None, 0).entry(mount["Source"].encode("utf-8"))["type"]
            shown["binds"].append([mount["Source"], mount.get("Destination") or "", kind])
    return shown


def oom_kills(identity):
    """Return how many processes of a container the kernel has killed for memory; None if it does not count them."""
    for path in ("/sys/fs/cgroup/memory/docker/%s/memory.oom_control", "/sys/fs/cgroup/docker/%s/memory.events"):
        try:
            count = re.search(b"(?m)^oom_kill (\\d+)", read_start(path % identity, 4096))
        except EXPECTED_ERRORS:
            continue
        if count:
            return int(count.group(1))
    return None




# ---- MySQL and MariaDB -------------------------------------------------------------------------------------

PACKET_BYTES = 16384  # limit of one packet; a greeting has about 100 bytes
MAX_PACKETS = 8  # limit of packets until the database accepts or refuses a login
MAX_ROWS, MAX_COLUMNS = 200, 8  # limits of the answer to a statement
VALUE_BYTES = 1024  # limit of one value of an answer
MYSQL_ERROR_BYTES = 512  # limit of the text of an error
QUIT_SECONDS = 1.0  # limit for the database to close the connection after COM_QUIT
DATABASE_COMMANDS = {"COM_QUERY": b"\x03", "COM_QUIT": b"\x01"}  # the only commands that can be sent after a login
# The only statements that can be sent: a plan has their names. Of tables that hold secrets they ask whether values are there.
DATABASE_STATEMENTS = {
    "variables": "SHOW VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only', 'innodb_read_only', "
    "'innodb_force_recovery', 'tx_read_only', 'transaction_read_only', 'max_connections', 'max_user_connections', 'wsrep_on', "
    "'tmpdir')",
    "status": "SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_connected', 'wsrep_ready')",
    "grants": "SHOW GRANTS",
    "sessions": "SELECT STATE, COUNT(*), MAX(TIME) FROM information_schema.PROCESSLIST "
    "WHERE USER = SUBSTRING_INDEX(USER(), '@', 1) GROUP BY STATE ORDER BY COUNT(*) DESC LIMIT 50",
    "django_session": "SELECT session_key IS NULL, session_data IS NULL, expire_date IS NULL FROM django_session LIMIT 1",
    "bkaccount_bkuser": "SELECT username IS NULL, password IS NULL, (SELECT CONCAT(COUNT(*), ' ', COALESCE(SUM(username = "
    "'admin'), 0)) FROM bkaccount_bkuser WHERE password <> '' AND password NOT REGEXP '^(!|[0-9A-Fa-f]{32}$|pbkdf2_[^$]+[$]"
    "[0-9]+[$][^$]+[$].)' AND (password LIKE 'pbkdf2%' OR password NOT REGEXP '^[0-9A-Za-z_]+[$].*[$]')) "
    "FROM bkaccount_bkuser LIMIT 1",
    "login_bktoken": "SELECT token IS NULL, is_logout IS NULL, inactive_expire_time IS NULL FROM login_bktoken LIMIT 1",
    "login_bklog": "SELECT login_time IS NULL, login_browser IS NULL, login_host IS NULL FROM login_bklog LIMIT 1",
    "esb_app_account": "SELECT app_code IS NULL, app_token IS NULL FROM esb_app_account LIMIT 1",
    "esb_token": "SELECT app_token FROM esb_app_account WHERE app_code = 'bk_paas' LIMIT 1",
    "esb_channel": "SELECT path IS NULL FROM esb_channel LIMIT 1",
    "counters": "SELECT t.TABLE_NAME, c.COLUMN_TYPE, t.AUTO_INCREMENT FROM information_schema.TABLES t JOIN "
    "information_schema.COLUMNS c ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME WHERE t.TABLE_SCHEMA = "
    "DATABASE() AND c.TABLE_SCHEMA = DATABASE() AND t.AUTO_INCREMENT > 100 AND c.EXTRA = 'auto_increment' "
    "ORDER BY t.AUTO_INCREMENT DESC LIMIT 100",
    "engine_servers": "SELECT ip_address, ip_port, app_port, category, is_active, s_id, token FROM engine_servers "
    "ORDER BY id LIMIT 100",
}
CLIENT_FLAGS = 0x0008A201  # LONG_PASSWORD, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH
CLIENT_DATABASE, CLIENT_SSL, CLIENT_PLUGIN_AUTH = 0x8, 0x800, 0x80000
SERVER_NEEDS = 0x8200  # PROTOCOL_41 and SECURE_CONNECTION: servers before 4.1 lack them
UTF8 = 33
PROOF_BYTES = {"client_ed25519": 64, "mysql_old_password": 9}  # lengths that these expect


def mysql(job, query):
    """Log in with the account of query["mysql"], send its statements and quit; answer["login"] is the result.

    A server without a greeting is an error of the connection, as in tcp().
    """
    account = dict((key, read_password(job, word)) for key, word in query["mysql"].items())
    packets = Packets(job, connect(job, query["host"], query["port"]))
    try:
        job.answer["login"] = log_in(packets, account)
        if job.answer["login"]["state"] == "accepted" and run_statements(job, packets, query.get("statements") or ()):
            packets.quit()
    except Exception:
        if not job.answer["data"]:
            raise
        kind, text = describe_exception(job.stage)
        job.answer["login"] = {"state": "error", "kind": kind, "text": text}
    finally:
        note_retransmits(job, packets.sock)
        packets.sock.close()


def run_statements(job, packets, names):
    """Send the statements of these names; return whether the connection still works.

    answer["login"]["results"] has by name {"rows"}, {"code", "text"} of the server's error, or {"kind", "text"} if
    there was no answer.
    """
    results = {}
    for name in names:
        try:
            result = packets.query(DATABASE_STATEMENTS[name])
        except Exception:
            kind, text = describe_exception(job.stage)
            result = {"kind": kind, "text": text}
        results[name] = result
        job.answer["login"] = dict(job.answer["login"], results=dict(results))
        if "kind" in result:
            return False
    return True


class Packets(object):
    """Read and send packets of the MySQL protocol: 3 bytes of length, a sequence number, the payload."""

    def __init__(self, job, sock):
        self.job, self.sock, self.data, self.number, self.count, self.tls = job, sock, b"", 0, 0, False
        self.most = MAX_PACKETS

    def read(self):
        """Return the payload of the next packet."""
        size = None
        while size is None or len(self.data) < size:
            if len(self.data) >= 4:
                size = 4 + struct.unpack("<I", self.data[:3] + b"\0")[0]
                if size > PACKET_BYTES:
                    raise ProtocolError("protocol", "a packet of more than %d bytes" % PACKET_BYTES)
            if size is None or len(self.data) < size:
                self.receive()
        self.count += 1
        if self.count > self.most:
            raise ProtocolError("protocol", "more than %d packets" % self.most)
        self.number = (ord(self.data[3:4]) + 1) % 256
        payload, self.data = self.data[4:size], self.data[size:]
        return payload

    def receive(self):
        piece = receive(self.job, self.sock)
        if not piece:
            raise ProtocolError("empty", "closed in the middle" if self.count or self.data else "closed without a word")
        self.data += piece
        if not self.job.answer["data"]:
            self.job.answer["data"] = decode_text(binascii.b2a_base64(self.data[:64])).strip()

    def send(self, payload):
        self.sock.settimeout(self.job.remaining())
        self.sock.sendall(struct.pack("<I", len(payload))[:3] + struct.pack("B", self.number) + payload)
        self.number = (self.number + 1) % 256

    def start_tls(self, context):
        if self.data:
            raise ProtocolError("protocol", "more than a greeting")
        self.sock = context(sslable_socket(self.job, self.sock))
        self.job.stage, self.tls = "wait", True

    def query(self, statement):
        """Send a statement; return {"rows": lists of text or None}, or {"code", "text"} of the server's error."""
        self.number, self.count, self.most = 0, 0, MAX_COLUMNS + MAX_ROWS + 3
        self.send(DATABASE_COMMANDS["COM_QUERY"] + statement.encode("ascii"))
        head = self.read()
        if head[:1] == b"\xff":
            return parse_error(head)
        columns = ord(head[:1] or b"\0")
        if len(head) != 1 or not 0 < columns <= MAX_COLUMNS:
            raise ProtocolError("protocol", "not the head of a table")
        while not is_end(self.read()):  # the descriptions of the columns
            pass
        rows = []
        while True:
            row = self.read()
            if row[:1] == b"\xff":
                return parse_error(row)
            if is_end(row):
                return {"rows": rows}
            rows.append(parse_row(row, columns))

    def quit(self):
        """Send COM_QUIT and wait for the server to close, so that it sees no aborted connection."""
        self.number = 0
        try:
            self.send(DATABASE_COMMANDS["COM_QUIT"])
        except EnvironmentError:
            return  # the result does not depend on it
        self.end()

    def decline(self, plugin):
        """Send a wrong proof: a refused login, where closing or a wrong length counts towards a block of this host."""
        self.send(b"\0" * PROOF_BYTES.get(plugin, 1))
        self.end()

    def end(self):
        try:
            self.sock.settimeout(min(self.job.remaining(), QUIT_SECONDS))
            self.sock.recv(PACKET_BYTES)
        except EnvironmentError:
            pass  # the result does not depend on it


def unverified_tls():
    """Return a function that wraps a socket in TLS; like the clients of the services it does not verify."""
    try:
        import ssl
    except ImportError:
        return None
    kind, versions = getattr(ssl, "SSLContext", None), getattr(ssl, "TLSVersion", None)
    if kind is None:
        return ssl.wrap_socket
    context = kind(getattr(ssl, "PROTOCOL_TLS_CLIENT", None) or ssl.PROTOCOL_SSLv23)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if versions is not None:  # MySQL 5.6 and 5.7 may offer TLS 1.0 and 1.1 only
        context.minimum_version = versions.MINIMUM_SUPPORTED
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context.wrap_socket


def log_in(packets, account):
    """Return {"state": accepted, refused (code, text), unsupported (plugin) or needs-tls}."""
    greeting = packets.read()
    if greeting[:1] == b"\xff":
        return parse_refusal(greeting)
    plugin, nonce, capabilities = parse_greeting(greeting)
    user, password, database = [account[key] for key in ("user", "password", "database")]
    encrypt = unverified_tls() if capabilities & CLIENT_SSL else None
    flags = CLIENT_FLAGS | (CLIENT_DATABASE if database else 0) | (CLIENT_SSL if encrypt else 0)
    head = struct.pack("<IIB23x", flags, PACKET_BYTES, UTF8)
    if encrypt:
        packets.send(head)
        packets.start_tls(encrypt)
    plugin = plugin if plugin in SCRAMBLES else "mysql_native_password"  # the server may then request another
    proof = SCRAMBLES[plugin](password, nonce)
    body = user + b"\0" + struct.pack("B", len(proof)) + proof + (database + b"\0" if database else b"")
    packets.send(head + body + plugin.encode("ascii") + b"\0")
    while True:
        reply = packets.read()
        if reply[:1] == b"\0":
            return {"state": "accepted"}
        if reply[:1] == b"\xff":
            return parse_refusal(reply)
        if reply[:1] == b"\xfe":
            plugin, _, nonce = reply[1:].partition(b"\0")
            plugin = decode_text(plugin) or "mysql_old_password"
            if plugin not in SCRAMBLES:
                packets.decline(plugin)
                return {"state": "unsupported", "plugin": plugin}
            packets.send(SCRAMBLES[plugin](password, check_nonce(nonce)))
        elif reply == b"\x01\x04" and plugin == "caching_sha2_password":
            if not packets.tls:
                packets.decline(plugin)
                return {"state": "needs-tls", "plugin": plugin}
            packets.send(password + b"\0")
        elif reply != b"\x01\x03":  # 3: the digest is cached, OK follows
            raise ProtocolError("protocol", "not an answer to a login")


def parse_greeting(data):
    """Return (plugin, nonce, capabilities) of a handshake packet, version 10."""
    end = data.find(b"\0")
    rest = data[end + 1 :]
    if data[:1] != b"\n" or end < 0 or len(rest) < 44:
        raise ProtocolError("protocol", "not a greeting of MySQL 4.1 or later")
    low, high, length = struct.unpack("<13xH3xHB", rest[:21])
    capabilities, plugin = low | high << 16, b"mysql_native_password"
    if capabilities & SERVER_NEEDS != SERVER_NEEDS:
        raise ProtocolError("protocol", "not a greeting of MySQL 4.1 or later")
    if capabilities & CLIENT_PLUGIN_AUTH:
        plugin = rest[31 + max(13, length - 8) :].split(b"\0")[0]
    return decode_text(plugin), check_nonce(rest[4:12] + rest[31:44]), capabilities


def check_nonce(data):
    """Return the 20 bytes of the server's challenge."""
    if len(data) not in (20, 21):
        raise ProtocolError("protocol", "not the data of an authentication")
    return data[:20]


def parse_refusal(data):
    """Return the login result of an error packet."""
    return dict(parse_error(data), state="refused")


def parse_error(data):
    """Return {"code", "text"} of an error packet."""
    if len(data) < 3:
        raise ProtocolError("protocol", "not an error of MySQL")
    message = data[9:] if data[3:4] == b"#" else data[3:]
    (code,) = struct.unpack("<H", data[1:3])
    return {"code": code, "text": decode_text(message[:MYSQL_ERROR_BYTES])}


def is_end(data):
    """Return whether a packet ends the columns or the rows of an answer."""
    return data[:1] == b"\xfe" and len(data) < 9


def parse_row(data, columns):
    """Return the values of a row as text; None is NULL."""
    values, at = [], 0
    for _ in range(columns):
        size, at = ord(data[at : at + 1] or b"\xff"), at + 1
        if size == 0xFB:
            values.append(None)
            continue
        if size in (0xFC, 0xFD):
            width = size - 0xFA
            (size,) = struct.unpack("<I", data[at : at + width].ljust(4, b"\0"))
            at += width
        if size > len(data) - at:
            raise ProtocolError("protocol", "a value that is longer than its row")
        values.append(decode_text(data[at : at + min(size, VALUE_BYTES)]))
        at += size
    return values


def scramble_native(password, nonce):
    """Return the proof of mysql_native_password."""
    import hashlib

    if not password:
        return b""
    once = hashlib.sha1(password).digest()
    return xor_bytes(once, hashlib.sha1(nonce + hashlib.sha1(once).digest()).digest())


def scramble_sha2(password, nonce):
    """Return the proof of caching_sha2_password."""
    import hashlib

    if not password:
        return b""
    once = hashlib.sha256(password).digest()
    return xor_bytes(once, hashlib.sha256(hashlib.sha256(once).digest() + nonce).digest())


def xor_bytes(left, right):
    return bytes(bytearray(a ^ b for a, b in zip(bytearray(left), bytearray(right))))


SCRAMBLES = {"mysql_native_password": scramble_native, "caching_sha2_password": scramble_sha2}


# ---- a collection round ------------------------------------------------------------------------------------


class Collection(object):
    """Execute a plan; the answer grows while it runs."""

    def __init__(self, plan):
        self.plan, self.begin, self.booted = plan, monotonic(), boot_time()
        self.until = self.begin + plan.get("seconds", 45)
        self.jobs, self.processes, self.home, self.errors = [], [], None, {}
        self.answer = {"version": 1, "visit": plan.get("visit", 1), "uid": os.geteuid(), "errors": self.errors}
        self.answer["python"] = ".".join(str(part) for part in sys.version_info[:3])

    def run(self):
        """Execute the plan; return the answer."""
        blank = {"status": None, "headers": [], "body": "", "truncated": False, "peer": None, "error": None}
        for query in self.plan.get("http") or ():
            self.add("http", query, dict(blank, url=query["url"]), http)
        for query in self.plan.get("tcp") or ():
            blank_tcp, function = {"data": "", "peer": None, "error": None}, mysql if "mysql" in query else tcp
            self.add("tcp", query, blank_tcp, function)
        for query in self.plan.get("resolve") or ():
            function = ask_nameserver if "server" in query else find_routes if "routes" in query else resolve
            function = find_account if "account" in query else function
            self.add("resolve", query, {"addresses": [], "error": None}, function)
        run_requests([job for _, _, job in self.jobs], self.until)
        time.sleep(max(0.0, min(self.plan.get("after", 0), self.until - monotonic())))
        parts = ("processes", "sockets", "nginx", "supervisor", "time_daemon", "writers")
        if "{home}" in json.dumps(self.plan) or [part for part in parts if self.plan.get(part)]:
            self.scan_processes()
        self.answer["home"] = self.home
        self.start_commands()
        self.read_files()
        for section in ("http", "tcp", "resolve", "supervisor"):
            if section in self.plan:
                self.answer[section] = {}
        for section, name, job in self.jobs:
            outcome = job.outcome(self.until, section in ("http", "tcp"))
            if outcome is None:
                self.errors["%s:%s" % (section, name)] = "not sent in time: too many requests"
            else:
                self.answer[section][name] = outcome
        end_commands()
        peak = re.search(b"VmHWM:\\s+(\\d+)", read_start("/proc/self/status", 8192))
        cost = {"cpu_seconds": round(cpu_time(), 4), "seconds": round(monotonic() - self.begin, 3)}
        self.answer["cost"] = dict(cost, rss_kb=int(peak.group(1)) if peak else None)
        return self.answer

    def add(self, section, query, answer, function):
        seconds = min(query.get("seconds", 8), self.until - monotonic())
        self.jobs.append((section, query["name"], Request(seconds, answer, function, query)))

    def start(self, section, name, query, answer, function, *arguments):
        seconds = min(query.get("seconds", 8), self.until - monotonic())
        self.jobs.append((section, name, Job(seconds, answer, function, *arguments)))

    def scan_processes(self):
        scan = ProcScan(self.plan, self.booted)
        job = Job(0, None, scan.run)
        complete = job.wait(min(self.until, monotonic() + PROC_TIMEOUT)) and not job.failure
        self.errors.update(scan.errors)
        if not complete:
            error = job.failure[1] if job.failure else "/proc did not answer in time: processes are missing"
            self.errors.update(processes=error, listeners=error)
        self.processes = list(scan.processes)
        if "processes" in self.plan:
            self.answer["processes"] = self.processes
        if self.plan.get("sockets"):
            self.answer["listeners"] = scan.with_owners(scan.listeners, complete)
            self.answer["unix"] = scan.with_owners(scan.unix, complete)
        tasks = [("home", find_home, (self.plan.get("homes") or (), self.processes))]
        self.home, error = read_all(tasks, min(self.until, monotonic() + FILE_TIMEOUT))["home"]
        if error:
            self.errors["home"] = error

    def start_commands(self):
        blank = {"argv": [], "rc": None, "out": "", "err": "", "error": None}
        for query in self.plan.get("supervisor") or ():
            conf = decode_text(Files(self.home, 0).path(query["conf"]))
            answer = dict(blank, conf=conf)
            self.start("supervisor", query["name"], query, answer, supervisorctl, conf, self.home, self.processes)
        query = self.plan.get("systemd")
        if query:
            booted = os.path.isdir("/run/systemd/system")  # as sd_booted(3) decides
            groups_by_pid = control_groups(self.processes, query.get("names") or ())
            self.answer["systemd"] = {"booted": booted, "cgroups": groups_by_pid, "show": None}
            if booted:
                self.start("systemd", "show", query, dict(blank), show_units, query["units"])
        query = self.plan.get("docker")
        if query:
            self.answer["docker"] = {"shown": None}
            roots = [decode_text(Files(self.home, 0).path(root)) for root in query["roots"]]
            self.start("docker", "shown", query, {"error": None}, containers, dict(query, roots=roots))
        query = self.plan.get("time_daemon")
        if query:
            self.answer["time_daemon"] = {}
            for daemon, tool in (("chronyd", "chronyc"), ("ntpd", "ntpq")):
                pids = [process["pid"] for process in self.processes if process["name"] == daemon]
                self.answer["time_daemon"].update([(daemon, pids[0] if pids else None), (tool, None)])
                if pids:
                    self.start("time_daemon", tool, query, dict(blank), time_command, tool)

    def read_files(self):
        """Read all parts that touch file systems, as separate tasks, since each may hang."""
        plan, files = self.plan, Files(self.home, self.plan.get("bytes", 4000000))
        tasks = [(("system", None), system, (self.booted,))]
        tasks += [(("addresses", None), addresses, ())] if plan.get("addresses") else []
        tasks += [(("peers", None), find_peers, (plan["peers"],))] if plan.get("peers") else []
        below = decode_text(files.path(plan["writers"])) if plan.get("writers") else ""
        tasks += [(("writers", None), find_writers, (below, self.processes))] if below else []
        tasks += [(("deleted", None), find_deleted, (plan["deleted"],))] if plan.get("deleted") else []
        tasks += [(("starts", None), find_starts, (plan["starts"],))] if plan.get("starts") else []
        tasks += [(("libraries", None), find_libraries, (plan["libraries"],))] if plan.get("libraries") else []
        queries = enumerate(plan.get("files") or ())
        tasks += [(("files", query["name"], at), files.matches, (query,)) for at, query in queries]
        tasks += [(("nginx", None), files.nginx, (plan["nginx"], self.processes))] if plan.get("nginx") else []
        queries = enumerate(plan.get("tails") or ())
        tasks += [(("tails", query["name"], at), files.matches, (query, True)) for at, query in queries]
        disks = [path for path in plan.get("disks") or () if self.home or "{home}" not in path]
        tasks += [(("disks", path), disk, (files.path(path),)) for path in disks]
        results = read_all(tasks, self.until)
        blank = {"files": {}, "tails": {}, "disks": [], "addresses": [], "system": {}, "peers": {}, "starts": {}}
        blank["libraries"] = {}
        blank["writers"] = blank["deleted"] = []
        blank["nginx"] = {"main": [], "files": [], "error": None}
        self.answer.update((section, blank[section]) for section in blank if section in plan or section == "system")
        for key, _, _ in tasks:
            (section, name), (result, error) = key[:2], results[key]
            if section in ("files", "tails"):
                result, error = result or ([], error)
                self.answer[section].setdefault(name, []).extend(result)  # a name may have several paths
            elif section == "disks":
                self.answer[section].append(result or {"path": decode_text(files.path(name)), "error": error})
                continue
            elif result:
                self.answer[section] = result
            if error:
                self.errors[":".join([section, name] if name else [section])] = error


def boot_time(cache=[]):
    """Return the boot time by the clock of the host (epoch seconds); it is equal in both rounds."""
    if not cache:
        cache.append(time.time() - float(read_start("/proc/uptime", 100).split()[0]))
    return cache[0]


# ---- the protocol ------------------------------------------------------------------------------------------


def send_message(*words):
    """Print a line of the protocol."""
    send((" ".join((MARK,) + words) + "\n").encode("ascii"))


def send(data, lock=threading.Lock()):
    with lock:  # a heartbeat is never within an answer
        while data:
            data = data[os.write(1, data) :]


def heartbeat(job, answered):
    """Print a line every second until the plan is answered: the controller sees that this program works."""
    while True:
        answered.wait(BEAT_SECONDS)
        if answered.is_set():
            break
        send_message("beat")


def exit_on_hangup(job):
    """End the program and its commands when the reader of standard output is gone."""
    poll = select.poll()
    poll.register(1, 0)  # only errors and hang-ups
    poll.poll()
    end_commands()
    os._exit(3)


def answer_plan(plan, beats):
    """Execute a plan and print the compressed answer; the kernel's alarm limits the time."""
    signal.alarm(int(plan.get("seconds", 45)) + 10)
    answered = threading.Event()
    if beats:
        Job(0, None, heartbeat, answered)
    packed = zlib.compress(json.dumps(Collection(plan).run()).encode("ascii"), 6)
    lines = [binascii.b2a_base64(packed[at : at + 3072]) for at in range(0, len(packed), 3072)]
    answered.set()
    send_message("answer", str(len(packed)) + "\n" + decode_text(b"".join(lines)) + MARK + " end")


def no_core_dumps():
    """Prevent core dumps of this program and its commands: a limit of 1 also keeps the kernel from piping one."""
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    except (EnvironmentError, ValueError):
        pass  # the limit is 0 already


def serve(source, plan):
    """Answer the plan that came with the program, or the clock and plan requests of `source` until its end."""
    no_core_dumps()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(90)
    os.environ.pop("TZ", None)  # set by the login; the zone of the host counts
    time.tzset()
    Job(0, None, exit_on_hangup)
    send_message("ready", "1", sys.version.split()[0])
    if plan is not None:
        send_message("clock", "begin", repr(time.time()))
        answer_plan(plan, False)  # into a file, or to a program that waits for the end
        send_message("clock", "end", repr(time.time()))
    while source is not None:
        message = source.readline().split()
        if message[:1] == [b"clock"]:
            send_message("clock", decode_text(message[1]), repr(time.time()))
        elif message[:1] == [b"plan"]:
            plan = json.loads(decode_text(source.read(int(message[1]))))
            answer_plan(plan, True)
            signal.alarm(int(plan.get("wait", 600)))  # for the next plan
        else:
            break


def main(source=None, plan=None):
    try:
        serve(source, plan)
    except Exception:
        try:
            send_message("failed", exception_text().encode("unicode_escape").decode("ascii"))
        finally:
            os._exit(3)
    os._exit(0)  # do not wait for threads that hang


if __name__ == MARK:  # the name that the bootstrap sets
    main(globals().get("SOURCE"), globals().get("PLAN"))
