"""The one program of this suite that runs on the hosts it looks at.

It arrives on standard input (or as an argument), answers on standard output and leaves nothing behind.

It reads     /proc (processes, the owners of sockets, the named environment variables), the files, globs and ends
             of logs that the plan names, the configuration of nginx, own addresses, free space.
It asks      for names, GET requests and TCP connections that the plan names, to see them as this host does.
It logs in   to the databases that the plan names, sends no statement and quits.
It runs      three commands, ever: see COMMANDS.  Without input, and killed at their limit.
It never     writes or creates a file, changes anything, sends another method than GET, follows a redirect,
             opens a FIFO or a device, or stays: it ends when nobody listens, and by an alarm of the kernel.

The plan and the answer are JSON documents.  Parts of a plan, each answered under its own name:

  visit, seconds, bytes, after, homes     number, limits, delay; where BlueKing may live ({home} in paths)
  processes   {environ, cmdline_bytes}    names of variables, cut of command lines
  sockets     true                        TCP listeners and unix sockets, with the processes that hold them
  addresses, disks                        own addresses; free space and inodes of these paths
  files       [{name, path, read, most}]  stat, and the first bytes, of what matches a path or glob
  tails       [{name, path, bytes, most}] the ends of the newest files that match
  nginx       {confs, bytes, most}        these files, those of running masters, and all that they include
  supervisor  [{name, conf, seconds}]     supervisorctl status;  time_daemon {seconds}: chronyc, ntpq
  resolve     [{name, seconds}]           addresses of names
  http        [{name, url, seconds, bytes, headers, ca_pem}]
  tcp         [{name, host, port, seconds, read, send, lines, again}]  what the peer says first, or so many
              lines to what is sent, in base64; once more after a while where that matches {when, seconds};
              with mysql {user, password, database}: a login to MySQL or MariaDB instead, and its result
  pids        [...]                       when these processes started, null when they are gone
  peers       [...]                       where the TCP connections of these processes lead

What could not be looked at is said in its place or under `errors`, never left out.  Valid for Python 2.6 to 3.13
with nothing but the standard library, hence no f-strings and the like.  Names of files are bytes, so that any name
can be read.  It is compiled page by page (form feeds divide them), which needs less memory than all at once.
"""
import _socket as socket  # the module around it costs 3 ms and a megabyte
import array
import binascii
import errno
import fcntl
import fnmatch
import gc
import json
import os
import re
import select
import signal
import stat
import struct
import sys
import threading
import time
import zlib

MARK = "@@bkpaas"  # begins each line of ours: output of others (profiles, banners) is told apart by it
COMMANDS = {  # all that can ever run; CONF is the one word that a plan fills in
    "supervisorctl": ["-c", "CONF", "status"],
    "chronyc": ["-h", "127.0.0.1", "-n", "tracking"],  # without -h, root's chronyc creates a socket in /run
    "ntpq": ["-pn"],
}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/py36/bin:/opt/py27/bin"
PATIENCE = 3.0  # seconds for one file; after that the others go on without it
PROC_SECONDS = 15.0  # the same for all of /proc
MOST_PROCESSES, MOST_FDS = 30000, 20000  # of the host, of one process
COMMAND_BYTES, HEAD_BYTES = 65536, 65536  # output of a command, head of an HTTP answer
TABLE_BYTES = 32 << 20  # of one table of sockets in /proc/net
TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFSOCK: "socket", stat.S_IFLNK: "symlink"}
TROUBLE = (EnvironmentError, ValueError, TypeError, IndexError)  # what odd files and lost processes raise

gc.disable()  # a short life, within bounds
monotonic = getattr(time, "monotonic", None) or (lambda: os.times()[4])
cpu_time = getattr(time, "process_time", None) or time.clock
TICKS = os.sysconf("SC_CLK_TCK")


def text(data):
    return data.decode("utf-8", "replace")


def problem():
    """The exception being handled, in words."""
    error = sys.exc_info()[1]
    if isinstance(error, EnvironmentError) and error.strerror:
        return error.strerror
    return "%s: %s" % (type(error).__name__, error)


# ---- threads: whatever may hang has its own, and nobody waits for it longer than its limit -----------------


class Job(object):
    """function(job, *arguments) in a daemon thread, filling `answer`; `stage` tells how far it came."""

    def __init__(self, seconds, answer, function, *arguments):
        self.answer, self.stage, self.trouble = answer, None, None
        self.begin = monotonic()
        self.until = self.begin + seconds
        self.finished = threading.Event()
        thread = threading.Thread(target=self.run, args=(function, arguments))
        thread.daemon = True
        thread.start()

    def run(self, function, arguments):
        try:
            function(self, *arguments)
        except Exception:
            self.trouble = failure(self.stage)
        if self.answer is not None:
            self.answer["seconds"] = round(monotonic() - self.begin, 3)
        self.finished.set()

    def left(self):
        return max(0.001, self.until - monotonic())

    def wait(self, until):
        self.finished.wait(max(0.0, until - monotonic()))
        return self.finished.is_set()

    def outcome(self, until, kinds):
        """What the answer has become; `error` is (kind, text) by `kinds`, else text alone."""
        if not self.wait(min(until, self.until + 0.5)):
            self.trouble = self.trouble or late(self.stage)
        answer = dict(self.answer)
        answer.setdefault("seconds", round(monotonic() - self.begin, 3))
        if self.trouble:
            answer["error"] = dict(zip(("kind", "text"), self.trouble)) if kinds else self.trouble[1]
        return answer


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
                results[key] = (None, problem())

    worker, done, since = Job(0, None, work), 0, monotonic()
    while len(results) < len(tasks) and monotonic() < until:
        if worker.wait(min(until, monotonic() + 0.1)):
            time.sleep(0.01)  # nothing is left but what hangs; that may still come
        if len(results) > done:
            done, since = len(results), monotonic()
        elif monotonic() - since > PATIENCE:
            if not todo:
                break
            worker, since = Job(0, None, work), since + PATIENCE / 10  # who waited once waits less the next time
    found = dict(results)
    return dict((key, found.get(key, (None, "did not answer in time"))) for key, _, _ in tasks)


# ---- processes and sockets: one pass over /proc ------------------------------------------------------------


def first_bytes(path, most):
    """What one read of a file of the kernel's gives."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.read(fd, most)
    finally:
        os.close(fd)


def lines_of(path):
    """The lines of a table of the kernel's, one by one: a long one need not be read to its end."""
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


def stat_of(pid):
    """(comm, [state, ppid, ...]) of /proc/PID/stat; comm may hold blanks and brackets."""
    data = first_bytes("/proc/%s/stat" % pid, 4096)
    end = data.rindex(b")")
    return data[data.index(b"(") + 1 : end], data[end + 2 :].split()


def start_of(fields, booted):
    return round(booted + float(fields[19]) / TICKS, 2)


def address_of(word):
    """(family, address, port) of ADDRESS:PORT in /proc/net/tcp: hex, each 32 bits in the host's order."""
    address, port = word.split(b":")
    data = binascii.unhexlify(address)
    count = len(data) // 4
    data = struct.pack("=%dI" % count, *struct.unpack(">%dI" % count, data))
    family = (4, socket.AF_INET) if count == 1 else (6, socket.AF_INET6)
    return family[0], socket.inet_ntop(family[1], data), int(port, 16)


def peers(pids):
    """{pid: ["ADDRESS:PORT", ...]}: where the established TCP connections of these processes lead."""
    found = {}
    for pid in pids:
        base, own = "/proc/%d/" % pid, set()
        try:
            fds = os.listdir(base + "fd")
        except EnvironmentError:
            continue  # gone, or not ours to see
        for fd in fds[:MOST_FDS]:
            try:
                own.add(os.readlink(base + "fd/" + fd))
            except EnvironmentError:
                pass  # closed in between
        places = found[str(pid)] = []
        for table in ("net/tcp", "net/tcp6"):
            for line in lines_of(base + table) if os.path.exists(base + table) else ():
                words = line.split()
                if len(words) >= 10 and words[3] == b"01" and "socket:[%d]" % int(words[9]) in own:
                    places.append("%s:%d" % address_of(words[2])[1:])
    return found


class Scan(object):
    """Processes and sockets.  Filled while it runs: when /proc hangs, what was read so far is still told."""

    def __init__(self, plan, booted):
        wanted, self.booted, self.sockets = plan.get("processes") or {}, booted, plan.get("sockets")
        self.processes, self.listeners, self.unix = [], [], []
        self.owners, self.hidden, self.errors = {}, False, {}
        self.cmdline_bytes = wanted.get("cmdline_bytes", 1000)
        names = [name.encode("utf-8") for name in wanted.get("environ", ())]
        self.environ = [(text(name), b"\0" + name + b"=") for name in names]

    def run(self, job):
        for table in ("tcp", "tcp6", "unix") if self.sockets else ():
            try:
                self.read_unix() if table == "unix" else self.read_tcp("/proc/net/" + table)
            except EnvironmentError:
                if sys.exc_info()[1].errno != errno.ENOENT:  # without IPv6 there is no tcp6
                    self.errors["listeners"] = "/proc/net/%s: %s" % (table, problem())
        self.owners = dict(("socket:[%d]" % one["inode"], []) for one in self.listeners + self.unix)
        pids = [name for name in os.listdir("/proc") if name.isdigit()]
        if "1" not in pids:
            self.errors["processes"] = "the processes of others are hidden (hidepid)"
        if len(pids) > MOST_PROCESSES:
            self.errors["processes"] = "%d processes, %d looked at" % (len(pids), MOST_PROCESSES)
        for pid in pids[:MOST_PROCESSES]:
            try:
                self.read_process(pid)
            except TROUBLE:
                pass  # gone while being read
        by_pid = dict((one["pid"], one) for one in self.processes)
        own = by_pid.get(os.getpid())
        while own and (own["pid"] == os.getpid() or MARK in " ".join(own["argv"])):
            self.processes.remove(own)  # this program, and the shell and the sudo that started it
            own = by_pid.get(own["ppid"])

    def read_process(self, pid):
        base = "/proc/" + pid
        name, fields = stat_of(pid)
        if int(fields[6]) & 0x00200000:  # a thread of the kernel
            return
        argv = first_bytes(base + "/cmdline", self.cmdline_bytes).rstrip(b"\0")
        one = {
            "pid": int(pid),
            "ppid": int(fields[1]),
            "uid": os.stat(base).st_uid,
            "name": text(name),
            "state": text(fields[0]),
            "start": start_of(fields, self.booted),
            "argv": text(argv).split("\0") if argv else [],
            "exe": None,
            "environ": None,
        }
        self.processes.append(one)
        try:
            one["exe"] = text(os.readlink((base + "/exe").encode("ascii")))
        except EnvironmentError:
            pass  # not ours to see, or a zombie
        try:
            environ = b"\0" + first_bytes(base + "/environ", 131072) if self.environ else b""
            found = [(key, environ.index(start) + len(start)) for key, start in self.environ if start in environ]
            one["environ"] = dict((key, text(environ[at:].split(b"\0", 1)[0])) for key, at in found)
        except EnvironmentError:
            one["environ_error"] = problem()
        if self.owners:
            self.read_fds(base + "/fd/", one["pid"])

    def read_fds(self, base, pid):
        owners, readlink = self.owners, os.readlink
        try:
            fds = os.listdir(base)
        except EnvironmentError:
            fds, self.hidden = [], True
        if len(fds) > MOST_FDS:
            self.hidden = True
        for fd in fds[:MOST_FDS]:
            try:
                pids = owners.get(readlink(base + fd))
            except EnvironmentError:
                continue  # closed in between
            if pids is not None and pid not in pids:
                pids.append(pid)

    def read_tcp(self, path):
        for line in lines_of(path):
            words = line.split()
            if len(words) >= 10 and words[3] == b"01":
                break  # the kernel tells those that listen first
            if len(words) >= 10 and words[3] == b"0A":
                family, address, port = address_of(words[1])
                one = {"family": family, "address": address, "port": port, "inode": int(words[9])}
                # What waits for accept() stands in the receive queue.
                self.listeners.append(dict(one, queue=int(words[4].split(b":")[1], 16)))

    def read_unix(self):
        """All that listen; of the others one for each path on which nobody listens."""
        heard, others = set(), {}
        for line in lines_of("/proc/net/unix"):
            words = line.split(None, 7)
            if len(words) < 8 or words[0] == b"Num":
                continue
            one = {"path": text(words[7]), "inode": int(words[6]), "listening": bool(int(words[3], 16) & 0x10000)}
            if one["listening"]:
                heard.add(one["path"])
                self.unix.append(one)
            else:
                others.setdefault(one["path"], one)
        self.unix.extend(others[path] for path in sorted(others) if path not in heard)

    def owned(self, sockets, complete):
        for one in sockets:
            pids = self.owners.get("socket:[%d]" % one["inode"]) or []
            one["pids"] = sorted(pids) if pids or (complete and not self.hidden) else None
        return sockets


# ---- files -------------------------------------------------------------------------------------------------


class Files(object):
    """Reads regular files, `left` bytes of them in all."""

    def __init__(self, home, left):
        self.home, self.left, self.folders = home, left, {}

    def path(self, pattern):
        return pattern.encode("utf-8").replace(b"{home}", (self.home or "{home}").encode("utf-8"))

    def expand(self, pattern):
        """(paths, error) of a glob.  A directory that cannot be listed is an error, not an empty match."""
        if b"{home}" in pattern:
            return [], "no home of BlueKing on this host"
        if not re.search(b"[*?[]", pattern):
            return [pattern], None
        found, error = [b"/"], None
        for part in pattern.strip(b"/").split(b"/"):
            bases, found = found, []
            for base in bases:
                names = [part]
                if re.search(b"[*?[]", part):
                    try:
                        names = sorted(fnmatch.filter(os.listdir(base), part))
                    except EnvironmentError:
                        names = []
                        if sys.exc_info()[1].errno not in (errno.ENOENT, errno.ENOTDIR):
                            error = "%s: %s" % (text(base), problem())
                found += [os.path.join(base, n) for n in names if n[:1] != b"." or part[:1] == b"."]
        return [path for path in found if os.path.lexists(path)], error

    def entry(self, path, most=0, tail=False):
        """Type, mode, owner, size ... of a path, links followed; text when it is a regular file and `most`."""
        one = {"path": text(path), "type": "other"}
        try:
            folder = os.path.dirname(path)
            if folder not in self.folders:
                self.folders[folder] = os.path.realpath(folder)
            real = os.path.join(self.folders[folder], os.path.basename(path))
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                real = os.path.realpath(path)
                try:
                    status = os.stat(path)
                except EnvironmentError:
                    one["error"] = problem()  # dangling, or not ours to follow
            if real != path:
                one["target"] = text(real)
        except TROUBLE:
            if getattr(sys.exc_info()[1], "errno", None) in (errno.ENOENT, errno.ENOTDIR):
                return dict(one, type="missing")
            return dict(one, error=problem())
        one["type"] = TYPES.get(stat.S_IFMT(status.st_mode), "other")
        one.update(mode=stat.S_IMODE(status.st_mode), uid=status.st_uid, gid=status.st_gid, size=status.st_size)
        one.update(mtime=round(status.st_mtime, 3), inode=status.st_ino)
        if most and one["type"] == "file":
            try:
                self.read(real, most, tail, one)
            except EnvironmentError:
                one["error"] = problem()
        return one

    def read(self, real, most, tail, one):
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY
        try:
            fd = os.open(real, flags | getattr(os, "O_NOATIME", 0))
        except EnvironmentError:
            fd = os.open(real, flags)  # who does not own it cannot keep its atime
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise EnvironmentError(errno.EINVAL, "not a regular file any more")
            if tail and status.st_size > most:
                one["offset"] = os.lseek(fd, status.st_size - most, os.SEEK_SET)
            granted, data, piece = min(most, self.left), b"", b" "
            while piece and len(data) < granted:
                piece = os.read(fd, granted - len(data))
                data += piece
            self.left -= len(data)
            one["text"] = text(data)
            if len(data) == granted < max(most, 0 if tail else status.st_size):
                one["truncated"] = True
                if granted < most:
                    one["error"] = "the limit of bytes for one visit is reached"
        finally:
            os.close(fd)

    def matches(self, ask, tail=False):
        """(ENTRYs, error) of one of plan["files"], or of plan["tails"]: there the newest ones."""
        pattern = self.path(ask["path"])
        paths, error = self.expand(pattern)
        if tail:
            paths = [p for _, p in sorted([(-self.entry(p).get("mtime", 0), p) for p in paths])]
        most = ask.get("most", 4 if tail else 50)
        if len(paths) > most and not tail:
            error = "%d match, %d taken" % (len(paths), most)
        entries = [self.entry(p, ask.get("bytes" if tail else "read", 0), tail) for p in paths[:most]]
        if not entries:
            entries = [{"path": text(pattern), "type": "missing"}]
            if error:
                entries[0]["error"] = error
        return entries, error

    def nginx(self, ask, processes):
        """The main files, those of running masters first, and everything that they include."""
        main = [self.path(conf) for conf in ask.get("confs", ())]
        for words in [" ".join(one["argv"]).split() + [one["exe"] or ""] for one in processes]:
            if words[:3] == ["nginx:", "master", "process"]:
                prefix = os.path.dirname(os.path.dirname(words[-1]))  # PREFIX/sbin/nginx
                prefix = words[words.index("-p") + 1] if "-p" in words else prefix
                conf = words[words.index("-c") + 1] if "-c" in words else "conf/nginx.conf"
                main.insert(0, os.path.join(prefix, conf).encode("utf-8"))
        main = [conf for at, conf in enumerate(main) if conf not in main[:at]]
        main = [conf for conf in main if self.entry(conf)["type"] != "missing"]
        todo, seen, entries, error = [(conf, os.path.dirname(conf)) for conf in main], set(), [], None
        while todo:
            path, folder = todo.pop(0)
            if os.path.realpath(path) in seen:
                continue
            if len(entries) == ask.get("most", 200):
                error = "more than %d files" % len(entries)
                break
            seen.add(os.path.realpath(path))
            entries.append(self.entry(path, ask.get("bytes", 65536)))
            plain = re.sub("(?m)(^|\\s)#.*$", "", entries[-1].get("text", ""))
            for word in re.findall("(?:^|[\\s;{}])include\\s+(\"[^\"]*\"|'[^']*'|[^\\s;]+)\\s*;", plain):
                paths, trouble = self.expand(os.path.join(folder, word.strip("\"'").encode("utf-8")))
                todo, error = todo + [(path, folder) for path in paths], trouble or error
        return {"main": [text(conf) for conf in main], "files": entries, "error": error}


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
        if not [word for word in one["argv"][:3] if os.path.basename(word) in ("supervisord", "uwsgi")]:
            continue
        for match in [re.match("(/.+)/etc/(?:supervisor|uwsgi)-open_paas[^/]*$", word) for word in one["argv"]]:
            if match and (one["uid"] in (0, os.geteuid()) or match.group(1) in candidates):
                running.append(match.group(1))
    for home in [home for home in candidates if home in running] + running + list(candidates):
        if os.path.isdir(home.encode("utf-8")):
            return home
    return None


# ---- the host itself ---------------------------------------------------------------------------------------


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
    """[address, interface] of each: IPv4 from the kernel (SIOCGIFCONF), IPv6 from /proc."""
    found, buffer, one = [], array.array("B", [0]) * 65536, socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        ask = struct.pack("iL", len(buffer), buffer.buffer_info()[0])
        length = struct.unpack("iL", fcntl.ioctl(one.fileno(), 0x8912, ask))[0]
    finally:
        one.close()
    size = 40 if struct.calcsize("L") == 8 else 32  # of a struct ifreq: 16 bytes of name, then the address
    for at in range(0, length, size):
        name = text(bytes(bytearray(buffer[at : at + 16])).split(b"\0")[0])
        found.append([".".join(str(byte) for byte in buffer[at + 20 : at + 24]), name])
    if os.path.exists("/proc/net/if_inet6"):
        words = [line.split() for line in lines_of("/proc/net/if_inet6")]
        found += [[socket.inet_ntop(socket.AF_INET6, binascii.unhexlify(w[0])), text(w[-1])] for w in words if w]
    return found


# ---- commands ----------------------------------------------------------------------------------------------

groups = set()  # process groups that must not outlive this program


def run_command(job, name, argv, conf="", user=None):
    """Runs one of COMMANDS; argv: how to call it; user: (uid, gid) to run it as."""
    import subprocess  # only hosts that have something to run pay for it

    def alone():
        os.setsid()
        if user:
            os.setgroups([])
            os.setgid(user[1])
            os.setuid(user[0])

    argv = job.answer["argv"] = argv + [conf if word == "CONF" else word for word in COMMANDS[name]]
    environ = {"LC_ALL": "C", "PATH": PATH, "HOME": "/", "PYTHONDONTWRITEBYTECODE": "1"}
    options = {"env": environ, "cwd": "/", "close_fds": True, "preexec_fn": alone}
    null = open(os.devnull, "rb")
    process = subprocess.Popen(argv, stdin=null, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    groups.add(process.pid)
    null.close()
    pipes, size = {process.stdout.fileno(): [], process.stderr.fileno(): []}, 0
    job.stage, names = "command", {process.stdout.fileno(): "out", process.stderr.fileno(): "err"}
    waiting = list(pipes)
    while waiting and size <= COMMAND_BYTES and monotonic() < job.until:
        for fd in select.select(waiting, [], [], job.left())[0]:
            pipes[fd].append(os.read(fd, 16384))
            size += len(pipes[fd][-1])
            if not pipes[fd][-1]:
                waiting.remove(fd)
    while not waiting and process.poll() is None and monotonic() < job.until:
        time.sleep(0.005)
    for fd in pipes:
        job.answer[names[fd]] = text(b"".join(pipes[fd]))
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        job.trouble = late("command") if size <= COMMAND_BYTES else ("other", "more than %d bytes" % COMMAND_BYTES)
        process.wait()
    else:
        job.answer["rc"] = process.returncode
    groups.discard(process.pid)


def end_commands():
    for group in list(groups):
        try:
            os.killpg(group, signal.SIGKILL)
        except EnvironmentError:
            pass  # ended just now


def time_command(job, tool):
    run_command(job, tool, [find_program(tool, [])])


def find_program(name, places):
    for place in places + PATH.split(":"):
        path = os.path.join(place, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise EnvironmentError(errno.ENOENT, "no " + name)


def supervisorctl(job, conf, home, processes):
    """`status` of the supervisord of `conf`, asked with the program that belongs to it.

    It runs as the owner of that program, so that root never runs what another account could have put there.  With
    a configuration that no supervisord of root's has, the folders, links and that configuration count as well.
    """
    owner, argv, known = os.stat(conf.encode("utf-8")).st_uid, [], False
    for one in processes:
        daemon = [word for word in one["argv"][:3] if os.path.basename(word) == "supervisord"]
        if daemon and conf in one["argv"] and one["uid"] in (0, owner) and daemon[0].startswith("/"):
            script = os.path.join(os.path.dirname(daemon[0]), "supervisorctl")
            python = one["argv"][0] if one["argv"][0].startswith("/") else one["exe"]
            if os.path.isfile(script) and python:
                argv = [script] if one["argv"][0] == daemon[0] else [python, script]
                known = one["uid"] == 0
    if not argv:
        folders = Files(home, 0).expand(home.encode("utf-8") + b"/.envs/*/bin")[0] if home else []
        argv = [find_program("supervisorctl", [text(folder) for folder in folders])]
    user = keeper(argv[-1:] if known else argv + [conf], not known)
    run_command(job, "supervisorctl", argv, conf, user if os.geteuid() == 0 else None)


def keeper(paths, folders):
    """(uid, gid) of the first account but root that could have put these files there; None when only root could."""
    paths = [path.encode("utf-8") for path in paths]
    for path in paths + [os.path.realpath(path) for path in paths if folders]:
        while True:
            for status in (os.lstat(path), os.stat(path)):
                if status.st_uid:
                    return status.st_uid, status.st_gid
            if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
                raise EnvironmentError(errno.EPERM, text(path) + " may be written by everybody: not run")
            if not folders or path == b"/":
                break
            path = os.path.dirname(path)
    return None


# ---- the network -------------------------------------------------------------------------------------------

KINDS = {
    errno.ECONNREFUSED: "refused",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
}


def late(stage):
    """(kind, text) when time runs out in that stage."""
    return {
        "command": ("timeout", "timeout"),
        "resolve": ("resolve", "no answer from the resolver in time"),
        "connect": ("timeout", "no connection in time"),
    }.get(stage, ("silent", "no complete answer in time"))


def failure(stage):
    """(kind, text) of the exception being handled."""
    error, words = sys.exc_info()[1], problem()
    code = getattr(error, "errno", None)
    if isinstance(error, Broken):
        return error.args
    if isinstance(error, socket.timeout) or "timed out" in words:
        return late(stage)
    if stage == "resolve" or (stage == "tls" and code not in KINDS):
        return stage, words
    return KINDS.get(code, "other"), words


class Broken(Exception):
    """(kind, text): an answer that is none."""


def lookup(job, host, port):
    job.stage = "resolve"
    found = socket.getaddrinfo(host.encode("ascii"), port, 0, socket.SOCK_STREAM)  # bytes: str costs idna
    job.stage = "connect"
    return found


def resolve(job, ask):
    for item in lookup(job, ask["name"], None):
        if item[4][0] not in job.answer["addresses"]:
            job.answer["addresses"].append(item[4][0])


def connect(job, host, port):
    trouble = None
    for family, kind, protocol, _, address in lookup(job, host, port):
        one = socket.socket(family, kind, protocol)
        try:
            one.settimeout(job.left())
            one.connect(address)
            job.stage = "wait"
            job.answer["peer"] = ("[%s]:%d" if ":" in address[0] else "%s:%d") % address[:2]
            return one
        except EnvironmentError:
            trouble = sys.exc_info()[1]
            one.close()
    raise trouble


def receive(job, one, most=16384):
    one.settimeout(job.left())
    return one.recv(most)


def tcp(job, ask):
    """Connects, says what is to be said, and hears the peer; once more when what it says asks for that."""
    one, most, again = connect(job, ask["host"], ask["port"]), ask.get("read", 0), ask.get("again")
    data, lines = b"", 0
    try:
        while True:
            one.sendall(ask.get("send", "").encode("utf-8"))
            lines += ask.get("lines", 0)
            while len(data) < most and (not data or data.count(b"\n") < lines):
                piece = receive(job, one, most - len(data))
                data += piece
                job.answer["data"] = text(binascii.b2a_base64(data)).strip()
                if not piece:
                    raise Broken("empty", "closed without a word" if not data else "closed in the middle")
            if not again or not re.search(again["when"].encode("ascii"), data):
                break
            time.sleep(min(again["seconds"], job.left()))
            again = None
    finally:
        one.close()


def http(job, ask):
    """One GET.  What came of the answer is kept, also when its end never comes."""
    url = re.match("(https?)://(\\[[0-9a-fA-F:.]+\\]|[^/:?#\\[\\]]+)(:\\d+)?([^#]*)", ask["url"])
    if not url or re.search("\\s", ask["url"]):
        raise ValueError("not a URL")
    scheme, host, port, path = url.groups()
    headers = {"Host": host + (port or ""), "User-Agent": "bkpaas-acceptance"}
    headers.update({"Accept": "*/*", "Connection": "close"})
    headers.update(ask.get("headers") or {})
    lines = [re.sub("[\\r\\n]", " ", "%s: %s" % item) for item in sorted(headers.items())]
    lines.insert(0, "GET %s HTTP/1.1" % (path if path.startswith("/") else "/" + path))
    one = connect(job, host.strip("[]"), int(port[1:]) if port else {"http": 80, "https": 443}[scheme])
    try:
        if scheme == "https":
            one = secured(job, one, host.strip("[]"), ask.get("ca_pem"))
        one.sendall("\r\n".join(lines + ["", ""]).encode("utf-8"))
        read_answer(job, one, ask.get("bytes", 65536))
    finally:
        one.close()


CA_FILES = "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"


def secured(job, one, host, ca_pem):
    import ssl  # costly, and seldom needed

    one, trust = whole_socket(job, one), getattr(ssl, "create_default_context", None)
    if trust is None:
        raise Broken("other", "this Python cannot verify certificates")
    context = trust(cadata=ca_pem) if ca_pem else trust()
    for path in [path for path in CA_FILES if not ca_pem and os.path.isfile(path)][:1]:
        context.load_verify_locations(path)  # a Python that was built elsewhere does not know the system's
    one = context.wrap_socket(one, server_hostname=host)
    job.stage = "wait"
    return one


def whole_socket(job, one):
    """Return the same connection as a socket of the module that ssl can wrap."""
    import socket as whole

    one = whole.socket(_sock=one) if bytes is str else whole.socket(one.family, one.type, one.proto, one.detach())
    one.settimeout(job.left())
    job.stage = "tls"
    return one


def read_answer(job, one, most):
    head, answer = b"", job.answer
    while b"\r\n\r\n" not in head:
        piece = receive(job, one)
        head += piece
        if not head:
            raise Broken("empty", "closed without an answer")
        if not piece or head[:5] != b"HTTP/"[: len(head)] or len(head) > HEAD_BYTES:
            raise Broken("protocol", "not an HTTP answer")
        if re.match(b"HTTP/\\S+ 1\\d\\d\\b", head) and b"\r\n\r\n" in head:
            head = head.split(b"\r\n\r\n", 1)[1]  # 100 Continue and its like: the answer follows
    head, body = head.split(b"\r\n\r\n", 1)
    lines = text(head).split("\r\n")
    status = re.match("HTTP/\\d\\S* +(\\d{3})\\b", lines[0])
    if not status:
        raise Broken("protocol", "not an HTTP answer")
    answer["status"] = int(status.group(1))
    answer["headers"] = [[word.strip() for word in line.split(":", 1)] for line in lines[1:] if ":" in line]
    fields = dict((name.lower(), value) for name, value in answer["headers"])
    chunked, length = "chunked" in fields.get("transfer-encoding", "").lower(), fields.get("content-length", "")
    length = int(length) if length.isdigit() and not chunked else None
    length = 0 if answer["status"] in (204, 304) else length
    room, at, chunks, last = (2 * most + 65536 if chunked else most), 0, [], False
    try:
        while True:
            at, last = take_chunks(body, at, chunks) if chunked else (0, False)
            if last or len(body) > room or (length is not None and len(body) >= length):
                break
            piece = receive(job, one)
            if not piece and (chunked or length is not None):
                raise Broken("protocol", "closed in the middle of the answer")
            if not piece:
                break
            body += piece
    finally:
        if chunked:
            rest = CHUNK.match(body, at)
            body = b"".join(chunks + [body[rest.end() :] if rest and not last else b""])
        answer["truncated"], answer["body"] = len(body) > most, text(body[:most])


CHUNK = re.compile(b"([0-9a-fA-F]+)[^\\n]*\\n")  # the line before the bytes of a chunk


def take_chunks(data, at, chunks):
    """Adds the whole chunks of data[at:] to `chunks`; (where the next one begins, whether the last has come)."""
    while True:
        size = CHUNK.match(data, at)
        if not size or not int(size.group(1), 16):
            return at, bool(size)
        end = size.end() + int(size.group(1), 16)
        if end + 2 > len(data):
            return at, False
        chunks.append(data[size.end() : end])
        at = end + 2



# ---- MySQL and MariaDB -------------------------------------------------------------------------------------

PACKET_BYTES = 16384  # limit of one packet; a greeting has about 100 bytes
MOST_PACKETS = 8  # a database sends at most so many before it accepts or refuses a login
MYSQL_ERROR_BYTES = 512  # limit of the text of an error
QUIT_SECONDS = 1.0  # limit for the database to close the connection after COM_QUIT
DATABASE_COMMANDS = {"COM_QUIT": b"\x01"}  # all that can be sent after a login
CLIENT_FLAGS = 0x0008A201  # LONG_PASSWORD, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH
CLIENT_DATABASE, CLIENT_SSL, CLIENT_PLUGIN_AUTH = 0x8, 0x800, 0x80000
SERVER_NEEDS = 0x8200  # PROTOCOL_41 and SECURE_CONNECTION: servers before 4.1 lack them
UTF8 = 33
PROOF_BYTES = {"client_ed25519": 64, "mysql_old_password": 9}  # lengths that these expect


def mysql(job, ask):
    """Log in with the account of ask["mysql"] and quit; answer["login"] is the result.

    A server that does not greet is an error of the connection, as in tcp().
    """
    packets = Packets(job, connect(job, ask["host"], ask["port"]))
    try:
        job.answer["login"] = log_in(packets, ask["mysql"])
    except Exception:
        if not job.answer["data"]:
            raise
        kind, words = failure(job.stage)
        job.answer["login"] = {"state": "error", "kind": kind, "text": words}
    finally:
        packets.one.close()


class Packets(object):
    """Packets of MySQL's protocol: 3 bytes of length, a sequence number, the payload."""

    def __init__(self, job, one):
        self.job, self.one, self.data, self.number, self.count, self.tls = job, one, b"", 0, 0, False

    def read(self):
        """Return the payload of the next packet."""
        size = None
        while size is None or len(self.data) < size:
            if len(self.data) >= 4:
                size = 4 + struct.unpack("<I", self.data[:3] + b"\0")[0]
                if size > PACKET_BYTES:
                    raise Broken("protocol", "a packet of more than %d bytes" % PACKET_BYTES)
            if size is None or len(self.data) < size:
                self.receive()
        self.count += 1
        if self.count > MOST_PACKETS:
            raise Broken("protocol", "more than %d packets" % MOST_PACKETS)
        self.number = (ord(self.data[3:4]) + 1) % 256
        payload, self.data = self.data[4:size], self.data[size:]
        return payload

    def receive(self):
        piece = receive(self.job, self.one)
        if not piece:
            raise Broken("empty", "closed in the middle" if self.count or self.data else "closed without a word")
        self.data += piece
        if not self.count:
            self.job.answer["data"] = text(binascii.b2a_base64(self.data[:64])).strip()

    def send(self, payload):
        self.one.settimeout(self.job.left())
        self.one.sendall(struct.pack("<I", len(payload))[:3] + struct.pack("B", self.number) + payload)
        self.number = (self.number + 1) % 256

    def start_tls(self, context):
        if self.data:
            raise Broken("protocol", "more than a greeting")
        self.one = context(whole_socket(self.job, self.one))
        self.job.stage, self.tls = "wait", True

    def quit(self):
        """Send COM_QUIT and wait for the server to close, so that it sees no aborted connection."""
        self.number = 0
        self.send(DATABASE_COMMANDS["COM_QUIT"])
        self.end()

    def decline(self, plugin):
        """Send a wrong proof: a refused login, where closing or a wrong length counts towards a block of this host."""
        self.send(b"\0" * PROOF_BYTES.get(plugin, 1))
        self.end()

    def end(self):
        try:
            self.one.settimeout(min(self.job.left(), QUIT_SECONDS))
            self.one.recv(PACKET_BYTES)
        except EnvironmentError:
            pass  # the result is known


def unverified_tls():
    """Return the function that encrypts a socket; like the services' own clients it does not verify the server."""
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
        return refusal(greeting)
    plugin, nonce, offered = parse_greeting(greeting)
    words = [account[key].encode("utf-8") for key in ("user", "password", "database")]
    user, password, database = words
    encrypt = unverified_tls() if offered & CLIENT_SSL else None
    flags = CLIENT_FLAGS | (CLIENT_DATABASE if database else 0) | (CLIENT_SSL if encrypt else 0)
    head = struct.pack("<IIB23x", flags, PACKET_BYTES, UTF8)
    if encrypt:
        packets.send(head)
        packets.start_tls(encrypt)
    plugin = plugin if plugin in SCRAMBLES else "mysql_native_password"  # the server asks for another one
    proof = SCRAMBLES[plugin](password, nonce)
    body = user + b"\0" + struct.pack("B", len(proof)) + proof + (database + b"\0" if database else b"")
    packets.send(head + body + plugin.encode("ascii") + b"\0")
    while True:
        reply = packets.read()
        if reply[:1] == b"\0":
            packets.quit()
            return {"state": "accepted"}
        if reply[:1] == b"\xff":
            return refusal(reply)
        if reply[:1] == b"\xfe":
            plugin, _, nonce = reply[1:].partition(b"\0")
            plugin = text(plugin) or "mysql_old_password"
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
            raise Broken("protocol", "not an answer to a login")


def parse_greeting(data):
    """Return (plugin, nonce, capabilities) of a handshake packet, version 10."""
    end = data.find(b"\0")
    rest = data[end + 1 :]
    if data[:1] != b"\n" or end < 0 or len(rest) < 44:
        raise Broken("protocol", "not a greeting of MySQL 4.1 or later")
    low, high, length = struct.unpack("<13xH3xHB", rest[:21])
    offered, plugin = low | high << 16, b"mysql_native_password"
    if offered & SERVER_NEEDS != SERVER_NEEDS:
        raise Broken("protocol", "not a greeting of MySQL 4.1 or later")
    if offered & CLIENT_PLUGIN_AUTH:
        plugin = rest[31 + max(13, length - 8) :].split(b"\0")[0]
    return text(plugin), check_nonce(rest[4:12] + rest[31:44]), offered


def check_nonce(data):
    """Return the 20 bytes that the server wants the password mixed with."""
    if len(data) not in (20, 21):
        raise Broken("protocol", "not the data of an authentication")
    return data[:20]


def refusal(data):
    if len(data) < 3:
        raise Broken("protocol", "not an error of MySQL")
    words = data[9:] if data[3:4] == b"#" else data[3:]
    (code,) = struct.unpack("<H", data[1:3])
    return {"state": "refused", "code": code, "text": text(words[:MYSQL_ERROR_BYTES])}


def scramble_native(password, nonce):
    import hashlib

    if not password:
        return b""
    once = hashlib.sha1(password).digest()
    return mixed(once, hashlib.sha1(nonce + hashlib.sha1(once).digest()).digest())


def scramble_sha2(password, nonce):
    import hashlib

    if not password:
        return b""
    once = hashlib.sha256(password).digest()
    return mixed(once, hashlib.sha256(hashlib.sha256(once).digest() + nonce).digest())


def mixed(one, other):
    return bytes(bytearray(a ^ b for a, b in zip(bytearray(one), bytearray(other))))


SCRAMBLES = {"mysql_native_password": scramble_native, "caching_sha2_password": scramble_sha2}


# ---- a visit -----------------------------------------------------------------------------------------------


class Visit(object):
    """The answer to a plan, as it grows."""

    def __init__(self, plan):
        self.plan, self.begin, self.booted = plan, monotonic(), boot_time()
        self.until = self.begin + plan.get("seconds", 45)
        self.jobs, self.processes, self.home, self.errors = [], [], None, {}
        self.answer = {"version": 1, "visit": plan.get("visit", 1), "uid": os.geteuid(), "errors": self.errors}
        self.answer["python"] = ".".join(str(part) for part in sys.version_info[:3])

    def run(self):
        blank = {"status": None, "headers": [], "body": "", "truncated": False, "peer": None, "error": None}
        for ask in self.plan.get("http") or ():
            self.start("http", ask["name"], ask, dict(blank, url=ask["url"]), http, ask)
        for ask in self.plan.get("tcp") or ():
            blank_tcp, function = {"data": "", "peer": None, "error": None}, mysql if "mysql" in ask else tcp
            self.start("tcp", ask["name"], ask, blank_tcp, function, ask)
        for ask in self.plan.get("resolve") or ():
            self.start("resolve", ask["name"], ask, {"addresses": [], "error": None}, resolve, ask)
        time.sleep(max(0.0, min(self.plan.get("after", 0), self.until - monotonic())))
        parts = ("processes", "sockets", "nginx", "supervisor", "time_daemon")
        if "{home}" in json.dumps(self.plan) or [part for part in parts if self.plan.get(part)]:
            self.look_at_processes()
        self.answer["home"] = self.home
        self.start_commands()
        self.read_files()
        pids = self.plan.get("pids")
        if pids is not None:
            self.answer["pids"] = dict((str(pid), self.start_time(pid)) for pid in pids)
        for section in ("http", "tcp", "resolve", "supervisor"):
            if section in self.plan:
                self.answer[section] = {}
        for section, name, job in self.jobs:
            self.answer[section][name] = job.outcome(self.until, section in ("http", "tcp"))
        end_commands()
        peak = re.search(b"VmHWM:\\s+(\\d+)", first_bytes("/proc/self/status", 8192))
        cost = {"cpu_seconds": round(cpu_time(), 4), "seconds": round(monotonic() - self.begin, 3)}
        self.answer["cost"] = dict(cost, rss_kb=int(peak.group(1)) if peak else None)
        return self.answer

    def start(self, section, name, ask, answer, function, *arguments):
        seconds = min(ask.get("seconds", 8), self.until - monotonic())
        self.jobs.append((section, name, Job(seconds, answer, function, *arguments)))

    def start_time(self, pid):
        try:
            return start_of(stat_of(pid)[1], self.booted)
        except TROUBLE:
            return None  # gone

    def look_at_processes(self):
        scan = Scan(self.plan, self.booted)
        job = Job(0, None, scan.run)
        complete = job.wait(min(self.until, monotonic() + PROC_SECONDS)) and not job.trouble
        self.errors.update(scan.errors)
        if not complete:
            words = job.trouble[1] if job.trouble else "/proc did not answer in time: processes are missing"
            self.errors.update(processes=words, listeners=words)
        self.processes = list(scan.processes)
        if "processes" in self.plan:
            self.answer["processes"] = self.processes
        if self.plan.get("sockets"):
            self.answer["listeners"] = scan.owned(scan.listeners, complete)
            self.answer["unix"] = scan.owned(scan.unix, complete)
        tasks = [("home", find_home, (self.plan.get("homes") or (), self.processes))]
        self.home, error = read_all(tasks, min(self.until, monotonic() + PATIENCE))["home"]
        if error:
            self.errors["home"] = error

    def start_commands(self):
        blank = {"argv": [], "rc": None, "out": "", "err": "", "error": None}
        for ask in self.plan.get("supervisor") or ():
            conf = text(Files(self.home, 0).path(ask["conf"]))
            answer = dict(blank, conf=conf)
            self.start("supervisor", ask["name"], ask, answer, supervisorctl, conf, self.home, self.processes)
        ask = self.plan.get("time_daemon")
        if ask:
            self.answer["time_daemon"] = {}
            for daemon, tool in (("chronyd", "chronyc"), ("ntpd", "ntpq")):
                pids = [one["pid"] for one in self.processes if one["name"] == daemon]
                self.answer["time_daemon"].update([(daemon, pids[0] if pids else None), (tool, None)])
                if pids:
                    self.start("time_daemon", tool, ask, dict(blank), time_command, tool)

    def read_files(self):
        """Everything that is read of file systems, each part on its own: any of them may hang."""
        plan, files = self.plan, Files(self.home, self.plan.get("bytes", 4000000))
        tasks = [(("system", None), system, (self.booted,))]
        tasks += [(("addresses", None), addresses, ())] if plan.get("addresses") else []
        tasks += [(("peers", None), peers, (plan["peers"],))] if plan.get("peers") else []
        asked = enumerate(plan.get("files") or ())
        tasks += [(("files", ask["name"], at), files.matches, (ask,)) for at, ask in asked]
        tasks += [(("nginx", None), files.nginx, (plan["nginx"], self.processes))] if plan.get("nginx") else []
        asked = enumerate(plan.get("tails") or ())
        tasks += [(("tails", ask["name"], at), files.matches, (ask, True)) for at, ask in asked]
        disks = [path for path in plan.get("disks") or () if self.home or "{home}" not in path]
        tasks += [(("disks", path), disk, (files.path(path),)) for path in disks]
        found = read_all(tasks, self.until)
        blank = {"files": {}, "tails": {}, "disks": [], "addresses": [], "system": {}, "peers": {}}
        blank["nginx"] = {"main": [], "files": [], "error": None}
        self.answer.update((section, blank[section]) for section in blank if section in plan or section == "system")
        for key, _, _ in tasks:
            (section, name), (result, error) = key[:2], found[key]
            if section in ("files", "tails"):
                result, error = result or ([], error)
                self.answer[section].setdefault(name, []).extend(result)  # a name may stand for several paths
            elif section == "disks":
                self.answer[section].append(result or {"path": text(files.path(name)), "error": error})
                continue
            elif result:
                self.answer[section] = result
            if error:
                self.errors[":".join([section, name] if name else [section])] = error


def boot_time(known=[]):
    """By the host's own clock, also when that was set after the boot; the same for all visits."""
    if not known:
        known.append(time.time() - float(first_bytes("/proc/uptime", 100).split()[0]))
    return known[0]


# ---- the conversation --------------------------------------------------------------------------------------


def tell(*words):
    send((" ".join((MARK,) + words) + "\n").encode("ascii"))


def send(data):
    while data:
        data = data[os.write(1, data) :]


def watch(job):
    """Ends everything at once when nobody listens any more."""
    poll = select.poll()
    poll.register(1, 0)  # only errors and hang-ups
    poll.poll()
    end_commands()
    os._exit(3)


def answer_to(plan):
    signal.alarm(int(plan.get("seconds", 45)) + 10)
    packed = zlib.compress(json.dumps(Visit(plan).run()).encode("ascii"), 6)
    lines = [binascii.b2a_base64(packed[at : at + 3072]) for at in range(0, len(packed), 3072)]
    tell("answer", str(len(packed)) + "\n" + text(b"".join(lines)) + MARK + " end")


def talk(source, plan):
    """Answers the plan that came with the program, or the clock and plan lines of `source` until its end."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(90)
    os.environ.pop("TZ", None)  # of the login; the host's own zone counts
    time.tzset()
    Job(0, None, watch)
    tell("ready", "1", sys.version.split()[0])
    if plan is not None:
        tell("clock", "begin", repr(time.time()))
        answer_to(plan)
        tell("clock", "end", repr(time.time()))
    while source is not None:
        words = source.readline().split()
        if words[:1] == [b"clock"]:
            tell("clock", text(words[1]), repr(time.time()))
        elif words[:1] == [b"plan"]:
            plan = json.loads(text(source.read(int(words[1]))))
            answer_to(plan)
            signal.alarm(int(plan.get("wait", 600)))  # for the next plan
        else:
            break


def main(source=None, plan=None):
    try:
        talk(source, plan)
    except Exception:
        try:
            tell("failed", problem().encode("unicode_escape").decode("ascii"))
        finally:
            os._exit(3)
    os._exit(0)  # at once: a thread that hangs must not hold it


if __name__ == MARK:  # what the bootstrap calls it
    main(globals().get("SOURCE"), globals().get("PLAN"))
