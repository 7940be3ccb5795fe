"""The one program of this suite that runs on the hosts it looks at.

It arrives on standard input (or as an argument), answers on standard output and leaves nothing behind.

What it reads    /proc (processes, their sockets and the named environment variables), the files, globs and
                 ends of logs that the plan names, the configuration of nginx, own addresses, free space.
What it asks     name resolution, GET requests and TCP connections that the plan names; to see the services
                 as this host sees them.
What it runs     three commands, nothing else, ever (see COMMANDS): supervisorctl -c CONF status,
                 chronyc tracking, ntpq -pn.  Without input, killed at their limit.
What it never    writes or creates a file, changes anything, sends another method than GET, follows a
does             redirect, opens a FIFO or a device, stays: an alarm of the kernel ends it in any case.

The plan (JSON) says what to look at; the answer is one JSON document.  Each part of the answer has its own
error: what could not be looked at is said, never left out.  Valid for Python 2.6 to 3.13, standard library
only, so no f-strings and no "with a, b" here.  Paths are bytes, so that any name can be read.
"""
import binascii
import errno
import fnmatch
import json
import os
import re
import select
import signal
import socket
import stat
import struct
import sys
import threading
import time
import zlib

MARK = "@@bkpaas"  # begins each line of ours: other output (profiles, banners) is told apart by it
COMMANDS = {  # all that can ever be run; CONF is the one word that a plan fills in
    "supervisorctl": ["-c", "CONF", "status"],
    "chronyc": ["-h", "127.0.0.1", "-n", "tracking"],  # -h: as root it would else create a socket in /run
    "ntpq": ["-pn"],
}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/py36/bin:/opt/py27/bin"
PATIENCE = 3.0  # seconds that one file may take before the others go on without it
PROCESSES_SECONDS = 15.0  # the same for all of /proc
MOST_FDS = 20000  # open files looked at per process
MOST_PROCESSES = 30000
COMMAND_BYTES = 65536  # output of a command
HEAD_BYTES = 65536  # head of an HTTP answer
TABLE_BYTES = 32 << 20  # one table of sockets in /proc/net

monotonic = getattr(time, "monotonic", None) or (lambda: os.times()[4])


def text(data):
    """Bytes of any kind as text for the answer."""
    return data.decode("utf-8", "replace")


def problem(error):
    """An exception in words, without the path: the place of the answer names it."""
    if isinstance(error, EnvironmentError) and error.errno and error.strerror:
        return error.strerror
    return "%s: %s" % (type(error).__name__, error)


def caught():
    return problem(sys.exc_info()[1])


# ---- jobs: everything that may hang has its own thread, and nobody waits for it longer than its limit -------


class Job(object):
    """One function in a daemon thread.  `stage` tells how far it came when its time is over."""

    def __init__(self, seconds, function, *arguments):
        self.seconds, self.until = seconds, monotonic() + seconds
        self.stage = self.result = self.error = None
        self.finished = threading.Event()
        thread = threading.Thread(target=self.run, args=(function, arguments))
        thread.daemon = True
        thread.start()

    def run(self, function, arguments):
        try:
            self.result = function(self, *arguments)
        except Exception:
            self.error = caught()
        self.finished.set()

    def wait(self, until):
        """True when the function came to its end by then."""
        self.finished.wait(max(0.0, until - monotonic()))
        return self.finished.isSet()


def read_all(tasks, until):
    """Runs (key, function, arguments) tasks one by one: {key: (result, error)}.

    A task that blocks (a dead NFS server) is left behind, and another thread goes on with the rest.
    """
    todo, results = tasks[::-1], {}

    def work(job):
        while todo:
            key, function, arguments = todo.pop()
            try:
                results[key] = (function(*arguments), None)
            except Exception:
                results[key] = (None, caught())

    job, done = Job(0, work), 0
    while not job.wait(min(until, monotonic() + PATIENCE)) and monotonic() < until:
        if len(results) == done:
            job = Job(0, work)
        done = len(results)
    results = dict(results)
    for key, _, _ in tasks:
        results.setdefault(key, (None, "did not answer in time"))
    return results


# ---- processes and sockets: one pass over /proc ---------------------------------------------------------------


def first_bytes(path, most):
    """What one read of a file of the kernel's gives."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.read(fd, most)
    finally:
        os.close(fd)


def lines_of(path, most=TABLE_BYTES):
    """The lines of a table of the kernel's, one by one, so that a long one need not be read to its end."""
    fd = os.open(path, os.O_RDONLY)
    try:
        rest, size = b"", 0
        while size < most:
            piece = os.read(fd, 65536)
            if not piece:
                break
            size += len(piece)
            pieces = (rest + piece).split(b"\n")
            rest = pieces.pop()
            for line in pieces:
                yield line
    finally:
        os.close(fd)


def boot_time():
    """By the host's own clock, also when that was set after the boot."""
    return time.time() - float(first_bytes("/proc/uptime", 100).split()[0])


def stat_fields(pid):
    """(comm, [state, ppid, ...]) of /proc/PID/stat; comm may hold blanks and brackets."""
    data = first_bytes("/proc/%s/stat" % pid, 4096)
    end = data.rindex(b")")
    return data[data.index(b"(") + 1 : end], data[end + 2 :].split()


def start_of(fields, booted):
    return round(booted + float(fields[19]) / os.sysconf("SC_CLK_TCK"), 2)


def address_of(word):
    """(family, address, port) of ADDRESS:PORT as /proc/net/tcp writes it: hex, each 32 bits in host order."""
    address, port = word.split(b":")
    data = binascii.unhexlify(address)
    data = struct.pack("=%dI" % (len(data) // 4), *struct.unpack(">%dI" % (len(data) // 4), data))
    family = socket.AF_INET if len(data) == 4 else socket.AF_INET6
    return (4 if len(data) == 4 else 6), socket.inet_ntop(family, data), int(port, 16)


class Scan(object):
    """Processes and sockets.  Filled while it runs: when /proc hangs, what was read so far is still told."""

    def __init__(self, plan, booted):
        self.booted = booted
        self.processes, self.listeners, self.unix, self.established = [], [], [], []
        self.owners, self.hidden, self.errors = {}, False, {}
        self.wanted = plan.get("processes") or {}
        self.sockets = plan.get("sockets") or {}

    def run(self, job):
        if self.sockets:
            ports = self.sockets.get("established") if isinstance(self.sockets, dict) else None
            for table in ("tcp", "tcp6", "unix"):
                try:
                    self.read_unix() if table == "unix" else self.read_tcp("/proc/net/" + table, ports)
                except EnvironmentError:
                    if sys.exc_info()[1].errno != errno.ENOENT:  # without IPv6 there is no tcp6
                        self.errors["sockets"] = "/proc/net/%s: %s" % (table, caught())
            for one in self.listeners + self.unix + self.established:
                self.owners[str(one["inode"])] = []
        names = [n.encode("utf-8") for n in self.wanted.get("environ", ())]
        keys = [(text(n), b"\0" + n + b"=") for n in names]
        pids = [name for name in os.listdir("/proc") if name.isdigit()]
        if os.geteuid() and "1" not in pids:
            self.errors["processes"] = "only own processes can be seen (hidepid)"
        if len(pids) > MOST_PROCESSES:
            self.errors["processes"] = "%d processes, the first %d looked at" % (len(pids), MOST_PROCESSES)
        for pid in pids[:MOST_PROCESSES]:
            try:
                self.read_process(pid, keys)
            except (EnvironmentError, ValueError, IndexError):
                pass  # gone while being read
        self.leave_out_own()
        return True

    def read_process(self, pid, keys):
        name, fields = stat_fields(pid)
        if int(fields[6]) & 0x00200000:  # a thread of the kernel
            return
        base = "/proc/" + pid
        argv = first_bytes(base + "/cmdline", self.wanted.get("cmdline_bytes", 1000))
        one = {"pid": int(pid), "ppid": int(fields[1]), "uid": os.stat(base).st_uid, "exe": None}
        one.update(name=text(name), state=text(fields[0]), start=start_of(fields, self.booted), environ=None)
        one["argv"] = text(argv.rstrip(b"\0")).split("\0") if argv.rstrip(b"\0") else []
        try:
            one["exe"] = text(os.readlink((base + "/exe").encode("ascii")))
        except EnvironmentError:
            pass  # not ours to see, or a zombie
        if keys:
            try:
                environ, found = b"\0" + first_bytes(base + "/environ", 131072), {}
                for key, start in keys:
                    at = environ.find(start)
                    if at >= 0:
                        found[key] = text(environ[at + len(start) :].split(b"\0", 1)[0])
                one["environ"] = found
            except EnvironmentError:
                one["environ_error"] = caught()
        if self.owners:
            self.read_fds(base + "/fd", one["pid"])
        self.processes.append(one)

    def read_fds(self, base, pid):
        try:
            fds = os.listdir(base)
        except EnvironmentError:
            self.hidden = True
            return
        if len(fds) > MOST_FDS:
            self.hidden, self.errors["sockets"] = True, "process %d has %d open files" % (pid, len(fds))
        base, owners, readlink = base + "/", self.owners, os.readlink
        for fd in fds[:MOST_FDS]:
            try:
                link = readlink(base + fd)
            except EnvironmentError:
                continue  # closed in between
            if link[:8] == "socket:[":
                pids = owners.get(link[8:-1])
                if pids is not None and pid not in pids:
                    pids.append(pid)

    def leave_out_own(self):
        """Takes this program out of the list, with the shell and the sudo that started it."""
        parents = dict((p["pid"], p) for p in self.processes)
        one = parents.get(os.getpid())
        while one and (one["pid"] == os.getpid() or MARK in " ".join(one["argv"])):
            self.processes.remove(one)
            one = parents.get(one["ppid"])

    def read_tcp(self, path, ports):
        for line in lines_of(path):
            words = line.split()
            if len(words) < 10 or words[3] not in (b"0A", b"01", b"03"):
                continue
            if words[3] == b"0A":  # listening; the receive queue is then what waits for accept()
                family, address, port = address_of(words[1])
                queue, inode = int(words[4].split(b":")[1], 16), int(words[9])
                one = {"family": family, "address": address, "port": port, "queue": queue, "inode": inode}
                self.listeners.append(one)
            elif words[3] == b"01":  # the kernel tells those that listen first
                if not ports:
                    break
                (_, address, port), (_, peer, peer_port) = address_of(words[1]), address_of(words[2])
                if port in ports or peer_port in ports:
                    one = {"address": address, "port": port, "peer_address": peer, "peer_port": peer_port}
                    self.established.append(dict(one, inode=int(words[9])))

    def read_unix(self):
        """All that listen, and of the others one for each path that nobody listens on."""
        others, heard = {}, set()
        for line in lines_of("/proc/net/unix"):
            words = line.split(None, 7)
            if len(words) < 8 or words[0] == b"Num":
                continue
            path, listening = text(words[7]), bool(int(words[3], 16) & 0x10000)
            one = {"path": path, "inode": int(words[6]), "listening": listening}
            if listening:
                heard.add(path)
                self.unix.append(one)
            else:
                others.setdefault(path, one)
        self.unix.extend(others[path] for path in sorted(others) if path not in heard)

    def with_owners(self, sockets, complete):
        for one in sockets:
            pids = self.owners.get(str(one["inode"])) or []
            one["pids"] = sorted(pids) if pids or (complete and not self.hidden) else None
        return sockets


# ---- files -----------------------------------------------------------------------------------------------------


class Files(object):
    """Reads regular files, never more than `left` bytes in all."""

    def __init__(self, home, most):
        self.home, self.left = home, most
        self.real = {}  # directories without links in their path

    def path(self, pattern):
        return pattern.encode("utf-8").replace(b"{home}", self.home or b"{home}")

    def expand(self, pattern):
        """(paths, error) of a glob; a directory that cannot be listed is an error, not an empty match."""
        if b"{home}" in pattern:
            return [], "no home of BlueKing on this host"
        if not re.search(b"[*?[]", pattern):
            return [pattern], None
        found, error = [b"/"], None
        for part in pattern.strip(b"/").split(b"/"):
            if not re.search(b"[*?[]", part):
                found = [os.path.join(base, part) for base in found]
                continue
            bases, found = found, []
            for base in bases:
                try:
                    names = fnmatch.filter(os.listdir(base), part)
                except EnvironmentError:
                    if sys.exc_info()[1].errno not in (errno.ENOENT, errno.ENOTDIR):
                        error = "%s: %s" % (text(base), caught())
                    continue
                shown = [n for n in names if part[:1] == b"." or n[:1] != b"."]
                found.extend(os.path.join(base, name) for name in sorted(shown))
        return [path for path in found if os.path.lexists(path)], error

    def entry(self, path, most=0, tail=False):
        """What the contract calls an ENTRY; text when `most` and the file is a regular one."""
        one = {"path": text(path)}
        try:
            link = stat.S_ISLNK(os.lstat(path).st_mode)
            folder = os.path.dirname(path)
            if folder not in self.real:
                self.real[folder] = os.path.realpath(folder)
            real = os.path.join(self.real[folder], os.path.basename(path))
            if link:
                real = os.path.realpath(path)
            if real != path:
                one["target"] = text(real)
            try:
                status = os.stat(path)
            except EnvironmentError:
                if not link:
                    raise
                status = os.lstat(path)  # a dangling link
                one["error"] = caught()
        except (EnvironmentError, ValueError, TypeError):
            code = getattr(sys.exc_info()[1], "errno", None)
            one["type"] = "missing" if code in (errno.ENOENT, errno.ENOTDIR) else "other"
            if one["type"] == "other":
                one["error"] = caught()
            return one
        kinds = ((stat.S_ISREG, "file"), (stat.S_ISDIR, "dir"), (stat.S_ISSOCK, "socket"), (stat.S_ISLNK, "symlink"))
        one["type"] = ([kind for test, kind in kinds if test(status.st_mode)] + ["other"])[0]
        one.update(mode=stat.S_IMODE(status.st_mode), uid=status.st_uid, gid=status.st_gid, size=status.st_size)
        one.update(mtime=round(status.st_mtime, 3), inode=status.st_ino)
        if most and one["type"] == "file":
            try:
                self.read(real, most, tail, one)
            except EnvironmentError:
                one["error"] = caught()
        return one

    def read(self, real, most, tail, one):
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY
        try:
            fd = os.open(real, flags | getattr(os, "O_NOATIME", 0))
        except EnvironmentError:
            fd = os.open(real, flags)  # not the owner: may read, but not without a trace in atime
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):  # changed since it was looked at
                one["error"] = "not a regular file any more"
                return
            if tail and status.st_size > most:
                one["offset"] = os.lseek(fd, status.st_size - most, os.SEEK_SET)
            granted, pieces, size = min(most, self.left), [], 0
            while size < granted:
                piece = os.read(fd, min(65536, granted - size))
                if not piece:
                    break
                pieces.append(piece)
                size += len(piece)
            self.left -= size
            one["text"] = text(b"".join(pieces))
            if size == granted and (granted < most or (not tail and status.st_size > size)):
                one["truncated"] = True
            if granted < most and size == granted:
                one["error"] = "the limit of bytes for one visit is reached"
        finally:
            os.close(fd)

    def listed(self, ask):
        """ENTRYs of one of plan["files"]."""
        pattern = self.path(ask["path"])
        paths, error = self.expand(pattern)
        entries = [self.entry(path, ask.get("read", 0)) for path in paths[: ask.get("most", 50)]]
        return self.told(pattern, paths, entries, error)

    def tails(self, ask):
        """ENTRYs of one of plan["tails"]: the ends of the newest files that match."""
        pattern = self.path(ask["path"])
        paths, error = self.expand(pattern)
        dated = [(self.entry(path), path) for path in paths]
        newest = sorted(dated, key=lambda pair: -pair[0].get("mtime", 0))
        entries = [self.entry(path, ask.get("bytes", 65536), True) for _, path in newest[: ask.get("most", 4)]]
        return self.told(pattern, entries, entries, error)

    def told(self, pattern, paths, entries, error):
        if len(paths) > len(entries):
            error = "%d match, %d taken" % (len(paths), len(entries))
        if not entries:
            entries = [{"path": text(pattern), "type": "missing"}]
            if error:
                entries[0]["error"] = error
        return entries, error

    def nginx(self, ask, processes):
        """The main files and everything they include; those of running masters first."""
        main = []
        for one in processes:
            words = " ".join(one["argv"]).split()
            if words[:3] != ["nginx:", "master", "process"]:
                continue
            prefix = words[words.index("-p") + 1] if "-p" in words[:-1] else ""
            conf = words[words.index("-c") + 1] if "-c" in words[:-1] else ""
            if not prefix and one["exe"]:
                prefix = os.path.dirname(os.path.dirname(one["exe"]))  # PREFIX/sbin/nginx
            main.append(os.path.join(prefix or "/", conf or "conf/nginx.conf"))
        main = [m.encode("utf-8") for m in main] + [self.path(c) for c in ask.get("confs", ())]
        main = [m for at, m in enumerate(main) if m not in main[:at] and os.path.exists(m)]
        todo, seen, entries, error = [(m, os.path.dirname(m)) for m in main], set(), [], None
        while todo:
            path, folder = todo.pop(0)
            real = os.path.realpath(path)
            if real in seen:
                continue
            if len(entries) >= ask.get("most", 200):
                error = "more than %d files, the rest not read" % len(entries)
                break
            seen.add(real)
            entries.append(self.entry(path, ask.get("bytes", 65536)))
            plain = re.sub("(?m)(^|\\s)#.*$", "", entries[-1].get("text", ""))
            for word in re.findall("(?:^|[\\s;{}])include\\s+(\"[^\"]*\"|'[^']*'|[^\\s;]+)\\s*;", plain):
                pattern = os.path.join(folder, word.strip("\"'").encode("utf-8"))
                paths, error = self.expand(pattern)[0], self.expand(pattern)[1] or error
                todo.extend((path, folder) for path in paths)
        return {"main": [text(m) for m in main], "files": entries, "error": error}


def disk(path):
    values = os.statvfs(path)
    one = {"path": text(path), "bytes": values.f_blocks * values.f_frsize, "inodes": values.f_files}
    one.update(bytes_available=values.f_bavail * values.f_frsize, inodes_available=values.f_favail)
    return dict(one, readonly=bool(values.f_flag & 1))


def find_home(candidates, processes):
    """The first home that exists, one of a running process before a resting one.

    A command line counts when root or we ourselves wrote it, or when it names a candidate.
    """
    running = []
    for one in processes:
        for word in one["argv"]:
            match = re.match("(/.+)/etc/(?:supervisor|uwsgi)-open_paas[^/]*$", word)
            if match and (one["uid"] in (0, os.geteuid()) or match.group(1) in candidates):
                running.append(match.group(1))
    ordered = [c for c in candidates if c in running] + running + list(candidates)
    for home in ordered:
        if os.path.isdir(home.encode("utf-8")):
            return home
    return None


# ---- the host itself -------------------------------------------------------------------------------------------


def system(booted):
    now = time.time()
    west = time.altzone if time.daylight and time.localtime(now).tm_isdst > 0 else time.timezone
    one = {"hostname": os.uname()[1], "kernel": os.uname()[2], "boot_time": booted, "time": now}
    one.update(utc_offset=-west, zone=list(time.tzname), localtime=None, timezone_file=None)
    if os.path.islink("/etc/localtime"):
        one["localtime"] = text(os.path.realpath(b"/etc/localtime"))
    if os.path.isfile("/etc/timezone"):
        one["timezone_file"] = text(first_bytes("/etc/timezone", 200)).strip()
    return one


def addresses():
    """Own addresses, asked of the kernel over netlink (RTM_GETADDR), as `ip address` does."""
    found, done = [], False
    link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    try:
        link.settimeout(PATIENCE)
        link.send(struct.pack("=IHHIIBBBBi", 24, 22, 0x301, 1, 0, socket.AF_UNSPEC, 0, 0, 0, 0))
        while not done:
            data = link.recv(65536)
            while len(data) >= 16:
                length, kind = struct.unpack("=IH", data[:6])
                if kind != 20 or length < 24:  # RTM_NEWADDR; else the end (or a refusal)
                    done = True
                    break
                family, message, values = struct.unpack("=B", data[16:17])[0], data[24:length], {}
                while len(message) >= 4:
                    size, name = struct.unpack("=HH", message[:4])
                    values[name] = message[4:size]
                    message = message[max(4, (size + 3) & ~3) :]
                value = values.get(2, values.get(1)) if family == socket.AF_INET else values.get(1)
                if family in (socket.AF_INET, socket.AF_INET6) and value:
                    found.append(socket.inet_ntop(family, value))
                data = data[(length + 3) & ~3 :]
    finally:
        link.close()
    return found


# ---- commands --------------------------------------------------------------------------------------------------

running = {}  # process groups that must not outlive this program


def command(job, argv, name, word="", user=None):
    """Runs one of COMMANDS: argv is how it is called, `user` (uid, gid) whom it runs as."""
    import subprocess  # only hosts that have something to run pay for it

    argv = argv + [word if part == "CONF" else part for part in COMMANDS[name]]
    one = {"argv": argv, "rc": None, "out": "", "err": "", "error": None}
    environ = {"LC_ALL": "C", "PATH": PATH, "HOME": "/", "PYTHONDONTWRITEBYTECODE": "1"}

    def alone():
        os.setsid()
        if user:
            os.setgroups([])
            os.setgid(user[1])
            os.setuid(user[0])

    null = os.open(os.devnull, os.O_RDONLY)
    begin = monotonic()
    try:
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            argv, stdin=null, stdout=pipe, stderr=pipe, close_fds=True, env=environ, cwd="/", preexec_fn=alone
        )
    finally:
        os.close(null)
    running[process.pid] = process
    names, output = {process.stdout.fileno(): "out", process.stderr.fileno(): "err"}, {"out": b"", "err": b""}
    while names and monotonic() < job.until:
        for fd in select.select(list(names), [], [], max(0.0, job.until - monotonic()))[0]:
            piece = os.read(fd, 65536)
            output[names[fd]] += piece
            if not piece or len(output[names[fd]]) > COMMAND_BYTES:
                del names[fd]
    while process.poll() is None and monotonic() < job.until and max(map(len, output.values())) <= COMMAND_BYTES:
        time.sleep(0.005)
    if process.poll() is None:
        one["error"] = "timeout" if monotonic() >= job.until else "more than %d bytes of output" % COMMAND_BYTES
        os.killpg(process.pid, signal.SIGKILL)
    one["rc"] = process.wait() if one["error"] is None else None
    running.pop(process.pid, None)
    process.wait()
    one.update(out=text(output["out"][:COMMAND_BYTES]), err=text(output["err"][:COMMAND_BYTES]))
    return dict(one, seconds=round(monotonic() - begin, 3))


def end_commands():
    for pid in list(running):
        try:
            os.killpg(pid, signal.SIGKILL)
        except EnvironmentError:
            pass


def find_program(name, places=()):
    for place in list(places) + PATH.split(":"):
        path = os.path.join(place, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def supervisorctl(job, conf, home, processes):
    """status of the supervisord of `conf`, asked with the program that belongs to it.

    It runs as the owner of that program, so that root never runs what another account could have put there.
    """
    one = {"conf": conf, "argv": [], "rc": None, "out": "", "err": "", "seconds": 0.0, "error": None}
    try:
        owner = os.stat(conf.encode("utf-8")).st_uid
    except EnvironmentError:
        return dict(one, error="%s: %s" % (conf, caught()))
    argv = []
    for process in processes:
        words = process["argv"]
        daemon = [at for at, word in enumerate(words) if os.path.basename(word) == "supervisord"]
        if daemon and conf in words and process["uid"] in (0, owner) and words[daemon[0]].startswith("/"):
            script = os.path.join(os.path.dirname(words[daemon[0]]), "supervisorctl")
            if os.path.isfile(script):
                python = words[0] if words[0].startswith("/") else process["exe"]
                argv = [python, script] if daemon[0] and python else [script]
    if not argv:
        folders = Files(home.encode("utf-8"), 0).expand(Files(home.encode("utf-8"), 0).path("{home}/.envs/*/bin"))[0] if home else []
        found = find_program("supervisorctl", [text(folder) for folder in folders])
        argv = [found] if found else []
    if not argv:
        return dict(one, error="no supervisorctl")
    status = os.stat(argv[-1])
    if status.st_mode & stat.S_IWOTH:
        return dict(one, argv=argv, error="%s may be written by everybody: not run" % argv[-1])
    user = (status.st_uid, status.st_gid) if os.geteuid() == 0 and status.st_uid else None
    return dict(one, **command(job, argv, "supervisorctl", conf, user))


def time_command(job, name):
    path = find_program(name)
    return command(job, [path], name) if path else {"rc": None, "out": "", "err": "", "error": "no " + name}


# ---- the network -----------------------------------------------------------------------------------------------


def failure(stage, error):
    """(kind, text) of what went wrong with a connection in that stage."""
    words = problem(error)
    code = getattr(error, "errno", None)
    late = isinstance(error, socket.timeout) or "timed out" in words
    if late or code == errno.ETIMEDOUT:
        return ("timeout", "no connection in time") if stage == "connect" else ("silent", "no complete answer in time")
    if stage == "resolve":
        return "resolve", words
    if code == errno.ECONNREFUSED:
        return "refused", words
    if code in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EADDRNOTAVAIL):
        return "unreachable", words
    if code in (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED):
        return "reset", words
    return ("tls" if stage == "tls" else "other"), words


def overdue(stage):
    """The same for a job that did not come back at all."""
    if stage == "resolve":
        return "resolve", "no answer from the resolver in time"
    return failure(stage, socket.timeout("timed out"))


def lookup(host, port):
    return socket.getaddrinfo(host.encode("ascii"), port, 0, socket.SOCK_STREAM)  # bytes: no idna, which is slow


def resolve(job, name):
    job.stage, begin = "resolve", monotonic()
    found = []
    for item in lookup(name, None):
        if item[4][0] not in found:
            found.append(item[4][0])
    return {"addresses": found, "seconds": round(monotonic() - begin, 3), "error": None}


def connect(job, host, port):
    job.stage = "resolve"
    trouble = None
    for family, kind, protocol, _, address in lookup(host, port):
        job.stage = "connect"
        one = socket.socket(family, kind, protocol)
        try:
            one.settimeout(max(0.001, job.until - monotonic()))
            one.connect(address)
            job.stage = "wait"
            return one, (("[%s]:%d" if ":" in address[0] else "%s:%d") % address[:2])
        except (EnvironmentError, socket.timeout):
            trouble = sys.exc_info()[1]
            one.close()
    raise trouble or socket.gaierror(socket.EAI_NONAME, "no address")


def receive(job, one, most=16384):
    one.settimeout(max(0.001, job.until - monotonic()))
    return one.recv(most)


def tcp(job, ask):
    """Connects and hears what the peer says first."""
    begin, answer = monotonic(), {"data": "", "peer": None, "error": None}
    one = None
    try:
        one, answer["peer"] = connect(job, ask["host"], ask["port"])
        if ask.get("read"):
            answer["data"] = binascii.b2a_base64(receive(job, one, ask["read"])).decode("ascii").strip()
            if not answer["data"]:
                answer["error"] = {"kind": "empty", "text": "closed without a word"}
    except Exception:
        answer["error"] = dict(zip(("kind", "text"), failure(job.stage, sys.exc_info()[1])))
    if one:
        one.close()
    return dict(answer, seconds=round(monotonic() - begin, 3))


def secured(one, host, ca_pem):
    import ssl  # costly, and seldom needed

    trust = getattr(ssl, "create_default_context", None)
    if trust is None:
        raise ValueError("this Python cannot verify certificates")
    context = trust(cadata=ca_pem) if ca_pem else trust()
    return context.wrap_socket(one, server_hostname=host)


def http(job, ask):
    """One GET.  Whatever comes back is kept, also when the end of it never comes."""
    begin, one = monotonic(), None
    answer = {"url": ask["url"], "status": None, "headers": [], "body": "", "truncated": False, "peer": None, "error": None}
    try:
        scheme, host, _, port, path = re.match(
            "(https?)://(\\[[0-9a-fA-F:.]+\\]|[^/:?#]+)(:(\\d+))?([^#]*)", ask["url"]
        ).groups()
        name = "Host: " + host + (":" + port if port else "")
        one, answer["peer"] = connect(job, host.strip("[]"), int(port or {"http": 80, "https": 443}[scheme]))
        if scheme == "https":
            job.stage = "tls"
            one = secured(one, host.strip("[]"), ask.get("ca_pem"))
            job.stage = "wait"
        headers = {"Host": name[6:], "User-Agent": "bkpaas-acceptance", "Accept": "*/*", "Connection": "close"}
        headers.update(ask.get("headers") or {})
        lines = ["%s: %s" % item for item in sorted(headers.items())]
        if re.search("[\\r\\n]", "".join(lines) + path):
            raise ValueError("a line break in the request")
        path = path if path.startswith("/") else "/" + path
        one.sendall("\r\n".join(["GET %s HTTP/1.1" % path] + lines + ["", ""]).encode("utf-8"))
        read_answer(job, one, ask.get("bytes", 65536), answer)
    except Exception:
        answer["error"] = dict(zip(("kind", "text"), failure(job.stage, sys.exc_info()[1])))
    if one:
        one.close()
    return dict(answer, seconds=round(monotonic() - begin, 3))


def read_answer(job, one, most, answer):
    head, body = b"", b""
    while b"\r\n\r\n" not in head:
        piece = receive(job, one)
        head += piece
        broken = not head.startswith(b"HTTP/"[: len(head)]) or len(head) > HEAD_BYTES
        if broken or not piece:
            kind = "protocol" if head else "empty"
            answer["error"] = {"kind": kind, "text": "not an HTTP answer" if broken else "closed without an answer"}
            return
        if re.match(b"HTTP/\\S+ 1\\d\\d\\b", head) and b"\r\n\r\n" in head:
            head = head.split(b"\r\n\r\n", 1)[1]  # 100 Continue and its like: the answer follows
    head, body = head.split(b"\r\n\r\n", 1)
    lines = text(head).split("\r\n")
    match = re.match("HTTP/\\d\\S* +(\\d{3})\\b", lines[0])
    if not match:
        answer["error"] = {"kind": "protocol", "text": "not an HTTP answer"}
        return
    answer["status"] = int(match.group(1))
    answer["headers"] = [[w.strip() for w in line.split(":", 1)] for line in lines[1:] if ":" in line]
    fields = dict((name.lower(), value) for name, value in answer["headers"])
    chunked = "chunked" in fields.get("transfer-encoding", "").lower()
    length = fields.get("content-length", "")
    length = int(length) if length.isdigit() and not chunked else None
    if answer["status"] in (204, 304):
        length = 0
    room = 2 * most + 65536 if chunked else most  # chunks carry their sizes with them
    try:
        while not (length is not None and len(body) >= length) and not (chunked and body.endswith(b"0\r\n\r\n")):
            piece = receive(job, one) if len(body) <= room else b""
            if not piece:
                if len(body) <= room and (length is not None or chunked):
                    answer["error"] = {"kind": "protocol", "text": "closed in the middle of the answer"}
                break
            body += piece
    finally:
        if chunked:
            body = dechunked(body)
        answer["truncated"] = len(body) > most
        answer["body"] = text(body[:most])


def dechunked(data):
    body = b""
    while True:
        size, _, rest = data.partition(b"\r\n")
        try:
            count = int(size.split(b";")[0], 16)
        except ValueError:
            return body
        if count <= 0:
            return body
        body, data = body + rest[:count], rest[count + 2 :]


# ---- a visit ---------------------------------------------------------------------------------------------------


def start_network(plan, until):
    """{(section, name): Job} of everything that is asked of other hosts."""
    jobs = {}
    for section, function in (("http", http), ("tcp", tcp), ("resolve", resolve)):
        for ask in plan.get(section) or ():
            seconds = min(ask.get("seconds", 8), until - monotonic())
            jobs[section, ask["name"]] = Job(seconds, function, ask["name"] if section == "resolve" else ask)
    return jobs


def end_network(plan, jobs, answer, until):
    for section in ("http", "tcp", "resolve"):
        if section in plan:
            answer[section] = {}
        for ask in plan.get(section) or ():
            job = jobs[section, ask["name"]]
            if job.wait(min(until, job.until + 0.3)) and job.error is None:
                answer[section][ask["name"]] = job.result
                continue
            kind, words = ("resolve" if section == "resolve" else "other", job.error) if job.error else overdue(job.stage)
            one = {"seconds": job.seconds, "error": {"kind": kind, "text": words}}
            if section == "http":
                one.update(url=ask["url"], status=None, headers=[], body="", truncated=False, peer=None)
            elif section == "tcp":
                one.update(data="", peer=None)
            else:
                one.update(addresses=[], error=words)
            answer[section][ask["name"]] = one


def look_at_processes(plan, booted, answer, until):
    scan = Scan(plan, booted)
    job = Job(0, scan.run)
    complete = job.wait(min(until, monotonic() + PROCESSES_SECONDS)) and job.error is None
    answer["errors"].update(scan.errors)
    if not complete:
        words = job.error or "/proc did not answer in time: some processes are missing"
        answer["errors"]["processes"] = answer["errors"]["sockets"] = words
    if "processes" in plan:
        answer["processes"] = list(scan.processes)
    if plan.get("sockets"):
        answer["listeners"] = scan.with_owners(scan.listeners, complete)
        answer["unix"] = scan.with_owners(scan.unix, complete)
        if isinstance(plan["sockets"], dict):
            answer["established"] = scan.with_owners(scan.established, complete)
    return list(scan.processes)


def start_commands(plan, home, processes, until):
    jobs = {}
    for ask in plan.get("supervisor") or ():
        seconds = min(ask.get("seconds", 8), until - monotonic())
        conf = ask["conf"].replace("{home}", home or "{home}")
        jobs["supervisor", ask["name"]] = Job(seconds, supervisorctl, conf, home, processes)
    if plan.get("time_daemon"):
        seconds = min(plan["time_daemon"].get("seconds", 5), until - monotonic())
        for daemon, tool in (("chronyd", "chronyc"), ("ntpd", "ntpq")):
            pids = [p["pid"] for p in processes if p["name"] == daemon]
            jobs["daemon", daemon] = pids[0] if pids else None
            jobs["time", tool] = Job(seconds, time_command, tool) if pids else None
    return jobs


def end_commands_of(plan, jobs, answer, until):
    def result(job):
        if job is None:
            return None
        if job.wait(min(until, job.until + 1.0)) and job.error is None:
            return job.result
        return {"argv": [], "rc": None, "out": "", "err": "", "seconds": job.seconds, "error": job.error or "timeout"}

    if "supervisor" in plan:
        answer["supervisor"] = {}
    for ask in plan.get("supervisor") or ():
        one = result(jobs["supervisor", ask["name"]])
        one.setdefault("conf", ask["conf"])
        answer["supervisor"][ask["name"]] = one
    if plan.get("time_daemon"):
        one = {"chronyd": jobs["daemon", "chronyd"], "ntpd": jobs["daemon", "ntpd"]}
        answer["time_daemon"] = dict(one, chronyc=result(jobs["time", "chronyc"]), ntpq=result(jobs["time", "ntpq"]))


def read_files(plan, home, booted, processes, answer, until):
    """Everything that is read of file systems: each part on its own, since any of them may hang."""
    files = Files(home and home.encode("utf-8"), plan.get("bytes", 4000000))
    tasks = [(("system", None), system, (booted,))]
    tasks += [(("addresses", None), addresses, ())] if plan.get("addresses") else []
    tasks += [(("files", ask["name"]), files.listed, (ask,)) for ask in plan.get("files") or ()]
    tasks += [(("nginx", None), files.nginx, (plan["nginx"], processes))] if plan.get("nginx") else []
    tasks += [(("tails", ask["name"]), files.tails, (ask,)) for ask in plan.get("tails") or ()]
    disks = [path for path in plan.get("disks") or () if home or "{home}" not in path]
    tasks += [(("disks", path), disk, (files.path(path),)) for path in disks]
    found = read_all(tasks, until)
    for section in ("files", "tails", "disks"):
        if section in plan:
            answer[section] = [] if section == "disks" else {}
    for key, _, _ in tasks:
        (section, name), (result, error) = key, found[key]
        if section in ("files", "tails"):
            if result:
                result, error = result
            answer[section][name] = result or []
            if error:
                answer["errors"][section + ":" + name] = error
        elif section == "disks":
            answer[section].append(result or {"path": text(files.path(name)), "error": error})
        else:
            answer[section] = result if result is not None else {"system": {}, "nginx": {"main": [], "files": []}}.get(section, [])
            if error:
                answer["errors"][section] = error
                if section == "nginx":
                    answer[section]["error"] = error


def visit(plan):
    """The answer to a plan."""
    begin, until = monotonic(), monotonic() + plan.get("seconds", 45)
    answer = {"version": 1, "visit": plan.get("visit", 1), "uid": os.geteuid(), "home": None, "errors": {}}
    answer["python"] = ".".join(str(part) for part in sys.version_info[:3])
    booted = boot_time()
    network = start_network(plan, until)
    processes, parts = [], ("processes", "sockets", "nginx", "supervisor", "time_daemon")
    if "{home}" in json.dumps(plan) or [part for part in parts if plan.get(part)]:
        processes = look_at_processes(plan, booted, answer, until)
        job = Job(0, lambda job: find_home(plan.get("homes") or (), processes))
        if not job.wait(min(until, monotonic() + PATIENCE)):
            answer["errors"]["home"] = "did not answer in time"
        answer["home"] = job.result
    commands = start_commands(plan, answer["home"], processes, until)
    read_files(plan, answer["home"], booted, processes, answer, until)
    if plan.get("pids"):
        answer["pids"] = {}
        for pid in plan["pids"]:
            try:
                answer["pids"][str(pid)] = start_of(stat_fields(pid)[1], booted)
            except (EnvironmentError, ValueError, IndexError):
                answer["pids"][str(pid)] = None
    end_commands_of(plan, commands, answer, until)
    end_network(plan, network, answer, until)
    end_commands()
    peak = re.search(b"VmHWM:\\s+(\\d+)", first_bytes("/proc/self/status", 8192))
    used = os.times()
    answer["cost"] = {"cpu_seconds": round(used[0] + used[1], 3), "seconds": round(monotonic() - begin, 3)}
    answer["cost"]["rss_kb"] = int(peak.group(1)) if peak else None
    return answer


# ---- the conversation ------------------------------------------------------------------------------------------


def tell(*words):
    data = (" ".join([MARK] + [str(word) for word in words]) + "\n").encode("ascii")
    while data:
        data = data[os.write(1, data) :]


def tell_answer(answer):
    packed = zlib.compress(json.dumps(answer).encode("ascii"), 6)
    tell("answer", len(packed))
    data = b"".join(binascii.b2a_base64(packed[at : at + 3072]) for at in range(0, len(packed), 3072))
    while data:
        data = data[os.write(1, data) :]
    tell("end")


def serve(source, plan):
    """Answers the plan that came with the program, or clock and plan lines from `source` until its end."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(90)
    os.environ.pop("TZ", None)  # of the login; the host's own zone counts
    time.tzset()
    tell("ready", 1, sys.version.split()[0])
    if plan is not None:
        signal.alarm(int(plan.get("seconds", 45)) + 10)
        tell("clock", "begin", repr(time.time()))
        tell_answer(visit(plan))
        tell("clock", "end", repr(time.time()))
    while source is not None:
        words = source.readline().split()
        if words[:1] == [b"clock"]:
            tell("clock", words[1].decode("ascii"), repr(time.time()))
        elif words[:1] == [b"plan"]:
            plan = json.loads(source.read(int(words[1])).decode("utf-8"))
            signal.alarm(int(plan.get("seconds", 45)) + 10)
            tell_answer(visit(plan))
            signal.alarm(int(plan.get("wait", 600)))  # for the next plan
        else:
            break


def main(source=None, plan=None):
    try:
        serve(source, plan)
    except Exception:
        try:
            tell("failed", caught().encode("unicode_escape").decode("ascii"))
        finally:
            os._exit(3)
    os._exit(0)  # at once: a thread that hangs must not hold it


if __name__ == "@@bkpaas":
    main(globals().get("SOURCE"), globals().get("PLAN"))
