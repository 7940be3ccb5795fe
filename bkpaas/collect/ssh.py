"""Visits over asyncssh: one process, hundreds of connections, real limits.

Host keys are always verified against known_hosts; an unknown key is an error, never learned.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from bkpaas.collect import clock, errors, program
from bkpaas.collect.libraries import asyncssh
from bkpaas.collect.ssh_keys import first, identity, known_hosts
from bkpaas.errors import CollectError
from bkpaas.inventory.deployment import Connection, Deployment, Host, Limits
from bkpaas.lang import say

CLOCK_SAMPLES = 3
PENDING_EVENTS = 2
"""Events that may wait to be read: the answer to a request and the end of its time."""
COMPLAINTS_BYTES = 4096
"""What is kept of a host's error output."""
FAST_KEX, FAST_CIPHER = b"curve25519-sha256", b"aes128-gcm@openssh.com"
"""Tried first: other key exchanges cost several times the CPU, chacha20 a quarter more in all."""
HOST_KEYS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")
DEFAULT_KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")


class Ssh:
    """Opens sessions; holds the ways through bastions, which the hosts of a run share."""

    def __init__(self, deployment: Deployment) -> None:
        self._limits = deployment.limits
        self._homes = (deployment.home,) if deployment.home else ()
        self._bastion_bytes = deployment.limits.answer_bytes * (1 + len(deployment.judged()))
        """All that a bastion may send: the budgets of the hosts behind it and its own."""
        self._bastions: dict[tuple[str, Connection], asyncio.Task[asyncssh.SSHClientConnection]] = {}

    async def open(self, host: Host) -> Session:
        """Log in and start the collector. Raises CollectError."""
        where, connection = errors.place(host), host.connection
        client = _Client(self._limits.answer_bytes)
        connected = await _Login(where, connection, self._limits, client).run(connection.spec, self._bastion)
        session = Session(where, connected, client, self._limits.answer_bytes)
        try:
            await session.start(program.command(connection, self._homes), self._limits.connect_seconds)
        except BaseException:
            session.abort()
            raise
        return session

    async def _bastion(self, chain: str, connection: Connection) -> asyncssh.SSHClientConnection:
        """The connection to the last of "user@host:port,..." hops, shared by all behind it."""
        key = (chain, Connection("", connection.key, connection.known_hosts, connection.ssh_config))
        if key not in self._bastions:
            before, _, last = chain.rpartition(",")
            client = _Client(self._bastion_bytes)
            login = _Login(last, key[1], self._limits, client, before or None)
            self._bastions[key] = asyncio.create_task(login.run(f"ssh://{last}", self._bastion))
        return await asyncio.shield(self._bastions[key])

    async def close(self) -> None:
        for task in self._bastions.values():
            if not task.done():
                task.cancel()
            elif not task.cancelled() and not task.exception():
                task.result().abort()
        await asyncio.gather(*self._bastions.values(), return_exceptions=True)


class _Client(asyncssh.SSHClient):
    """Keep how far a login came, which host key was not trusted, and how many bytes the host may still send."""

    connection: asyncssh.SSHClientConnection | None = None
    untrusted: asyncssh.SSHKey | None = None

    def __init__(self, most: int) -> None:
        self.left = most
        """Negative: the host sent more, and the connection was cut."""

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Count all bytes of the connection; asyncssh has no limit for what comes outside of a channel."""
        self.connection = conn
        receive = conn.data_received

        def counted(data: bytes, datatype: int | None = None) -> None:
            self.left -= len(data)
            if self.left < 0:
                conn.abort()
            else:
                receive(data, datatype)

        conn.data_received = counted  # type: ignore[method-assign]

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.untrusted = key
        return False


class _Login:
    """One login: options, the way there, and what went wrong in words."""

    def __init__(
        self, where: str, connection: Connection, limits: Limits, client: _Client, bastion: str | None = None
    ) -> None:
        self.where, self.connection, self.limits = where, connection, limits
        self.seconds = limits.connect_seconds
        self.bastion = bastion or connection.bastion
        self.client = client
        self.known: asyncssh.SSHKnownHosts | None = None

    async def run(self, spec: str, bastion: Any) -> asyncssh.SSHClientConnection:
        try:
            wanted = self._wanted(spec)
            options = asyncssh.SSHClientConnectionOptions(**wanted)
            wanted.update(self._settled(options))
        except (OSError, ValueError, asyncssh.Error) as error:
            raise errors.config(self.where, str(error)) from None
        self.user, self.host, self.port = options.username, options.host, options.port
        self.alias, self.known = options.host_key_alias or options.host, wanted["known_hosts"]
        jump = self.bastion or (options.tunnel if isinstance(options.tunnel, str) else None)
        try:
            wanted["tunnel"] = await bastion(jump, self.connection) if jump else ()
        except CollectError as error:
            raise errors.via(self.where, str(jump), error) from None
        try:
            return await asyncio.wait_for(asyncssh.connect(**wanted), self.seconds)
        except asyncio.TimeoutError:
            raise self._late() from None
        except (OSError, ValueError, asyncssh.Error) as error:
            raise self._explained(error) from None

    def _wanted(self, spec: str) -> dict[str, Any]:
        """What the inventory says, as options of asyncssh; all else comes from the user's ssh_config."""
        parts = urlsplit(spec)
        wanted: dict[str, Any] = {
            "host": parts.hostname or "",
            "config": [self.connection.ssh_config] if self.connection.ssh_config else (),
            "client_factory": lambda: self.client,
            "password_auth": False,
            "kbdint_auth": False,
            "login_timeout": 0,
        }
        if parts.port:
            wanted["port"] = parts.port
        if parts.username:
            wanted["username"] = unquote(parts.username)
        if self.connection.key:
            wanted.update(identity(self.connection.key))
        return wanted

    def _settled(self, options: asyncssh.SSHClientConnectionOptions) -> dict[str, Any]:
        """What depends on the ssh_config, and must not be left to it."""
        files: Any = options.known_hosts or ()  # None: "UserKnownHostsFile none", a wish that is not granted
        if self.connection.known_hosts:
            files = (self.connection.known_hosts,)
        known = known_hosts(tuple(files) or DEFAULT_KNOWN_HOSTS)
        settled: dict[str, Any] = {"known_hosts": known}
        port = options.port if options.port != 22 else None
        keys, authorities, *_ = known.match(options.host_key_alias or options.host, "", port)
        if keys and not authorities and not options.config.get("HostKeyAlgorithms"):
            # Known types first; the others only so that a host that changed its type is told as such.
            names = [name.decode() for key in keys for name in key.sig_algorithms]
            settled["server_host_key_algs"] = [*names, *HOST_KEYS]
        if not options.config.get("KexAlgorithms"):
            settled["kex_algs"] = first(FAST_KEX, options.kex_algs)
        if not options.config.get("Ciphers"):
            settled["encryption_algs"] = first(FAST_CIPHER, options.encryption_algs)
        return settled

    def _late(self) -> CollectError:
        if not self.client.connection:
            return errors.unreachable(
                self.where,
                say(
                    en=f"no TCP connection to port {self.port} within {self.seconds:g} s",
                    zh=f"{self.seconds:g} 秒内没有建立到端口 {self.port} 的 TCP 连接",
                ),
            )
        if not self.client.connection.get_extra_info("server_version"):
            return errors.login_hung(self.where, self.seconds, say(en="sshd's greeting", zh=" sshd 的问候"))
        return errors.login_hung(self.where, self.seconds, say(en="the end of the login", zh="登录完成"))

    def _explained(self, error: Exception) -> CollectError:
        where = self.where
        if self.client.left < 0:
            return errors.too_much(where, self.limits.answer_bytes)
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return self._untrusted()
        if isinstance(error, asyncssh.PermissionDenied):
            return errors.login_refused(where, self.user, say(en="no key was accepted", zh="没有密钥被接受"))
        if isinstance(error, asyncssh.ChannelOpenError):
            cause = say(en=f"the bastion says: {error.reason}", zh=f"跳板机报告：{error.reason}")
            return errors.unreachable(where, cause)
        if isinstance(error, (asyncssh.ConnectionLost, ConnectionResetError, BrokenPipeError)):
            return errors.closed(where, say(en="in the middle of the login", zh="登录过程中断开"))
        if (
            isinstance(error, asyncssh.KeyExchangeFailed)
            and "host key" in str(error).lower()
            and self._trusted()
        ):
            return errors.host_key_changed(where, say(en="of another type", zh="类型不同"))
        if isinstance(error, asyncssh.DisconnectError):
            if "authentication" in error.reason.lower():
                return errors.login_refused(where, self.user, error.reason)
            return errors.garbage(where, error.reason)
        if isinstance(error, ConnectionRefusedError) or (
            "Connect call failed" in str(error) and "111" in str(error)
        ):
            return errors.refused(where)
        if isinstance(error, socket.gaierror):
            return errors.unreachable(
                where, say(en=f"the name {self.host} does not resolve", zh=f"名字 {self.host} 无法解析")
            )
        if isinstance(error, OSError):
            return errors.unreachable(where, os.strerror(error.errno) if error.errno else str(error))
        return errors.config(where, str(error))

    def _untrusted(self) -> CollectError:
        key = self.client.untrusted
        offered = (
            f"{key.get_algorithm()} {key.get_fingerprint()}" if key else say(en="a certificate", zh="证书")
        )
        make = errors.host_key_changed if self._trusted() else errors.host_key_unknown
        return make(self.where, offered)

    def _trusted(self) -> Sequence[Any]:
        """The keys that known_hosts holds for this host."""
        assert self.known is not None
        address = self.host
        if self.client.connection and (peer := self.client.connection.get_extra_info("peername")):
            address = peer[0]
        port = self.port if self.port != 22 else None
        return self.known.match(self.alias, address, port)[0]


class Session(asyncssh.SSHClientSession[bytes]):
    """A running collector on a host: plans in, answers out."""

    def __init__(
        self, where: str, connection: asyncssh.SSHClientConnection, client: _Client, most: int
    ) -> None:
        self.clock: clock.Clock | None = None
        self._where, self._connection, self._client, self._most = where, connection, client, most
        self._talk = program.Talk(most, decode=False)
        self._cut = False
        self._events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._complaints = b""
        self._status: int | None = None
        self._timer: object = None
        self._channel: asyncssh.SSHClientChannel[bytes]
        self._samples: list[tuple[float, float, float]] = []

    async def start(self, command: str, seconds: float) -> None:
        """Send the program and compare clocks. Raises CollectError."""
        try:
            with self._limit(seconds):
                opening = self._connection.create_session(lambda: self, command, encoding=None)
                self._channel, _ = await asyncio.wait_for(opening, seconds)
                self._send(program.packed())
                await self._expect("ready")
                for _ in range(CLOCK_SAMPLES):
                    await self._compare_clocks()
        except asyncio.TimeoutError:
            stage = say(en="the start of a program", zh="程序启动")
            raise errors.login_hung(self._where, seconds, stage) from None
        except asyncssh.Error as error:
            raise errors.closed(self._where, str(error)) from None

    async def run_plan(self, plan: dict[str, Any], seconds: float) -> bytes:
        """Return the compressed answer, which must come within so many seconds. Raises CollectError."""
        try:
            with self._limit(seconds):
                self._send(program.plan_lines(plan))
                answer: bytes = await self._expect("answer")
                return answer
        except asyncio.TimeoutError:
            raise errors.hung(self._where, seconds) from None
        except (asyncssh.Error, OSError) as error:
            raise errors.closed(self._where, str(error)) from None

    @contextlib.contextmanager
    def _limit(self, seconds: float) -> Iterator[None]:
        """Tells whoever waits for an event when the time is over; costs no task, unlike wait_for."""
        self._timer = object()
        late = ("late", self._timer)
        timer = asyncio.get_running_loop().call_later(seconds, self._events.put_nowait, late)
        try:
            yield
        finally:
            timer.cancel()

    async def _compare_clocks(self) -> None:
        asked, key = clock.now(), len(self._samples)
        self._send(b"clock %d\n" % key)
        (answered_key, there), answered = await self._expect("clock"), clock.now()
        if answered_key != str(key):
            raise self._unexpected("clock", None)
        self._samples.append((asked, there, answered))
        self.clock = clock.measured(self._samples)

    async def _expect(self, wanted: str) -> Any:
        word, value = await self._events.get()
        while word == "late" and value is not self._timer:  # of an earlier visit that ended just in time
            word, value = await self._events.get()
        if word == wanted:
            return value
        if word == "late":
            raise asyncio.TimeoutError
        raise self._unexpected(word, value)

    def _unexpected(self, word: str, value: Any) -> CollectError:
        if self._client.left < 0:
            return errors.too_much(self._where, self._most)
        if word == "ended":
            return errors.ended(self._where, self._talk.noise, self._complaints, self._status)
        return errors.unexpected(self._where, word, value, self._most)

    def _send(self, data: bytes) -> None:
        """Send a request. Raises CollectError if something came that was not asked for."""
        while not self._events.empty():
            word, value = self._events.get_nowait()
            if word != "late":
                raise self._unexpected(word, value)
        try:
            self._channel.write(data)
        except OSError:  # the channel was closed
            raise self._unexpected("ended", None) from None

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Take what the host printed; the first thing that is wrong cuts the connection."""
        if self._cut:
            return
        try:
            if datatype == asyncssh.EXTENDED_DATA_STDERR:
                self._talk.count(len(data))
                self._complaints = (self._complaints + data)[-COMPLAINTS_BYTES:]
                return
            for event in self._talk.feed(data):
                if self._events.qsize() >= PENDING_EVENTS:
                    raise program.Garbage(say(en="more than was asked for", zh="多于所请求的内容"))
                self._events.put_nowait(event)
        except program.TooMuch:
            self._cut_with("too much", None)
        except program.Garbage as error:
            self._cut_with("garbage", str(error))

    def _cut_with(self, word: str, value: str | None) -> None:
        self._cut = True
        self._events.put_nowait((word, value))
        self.abort()

    def exit_status_received(self, status: int) -> None:
        self._status = status

    def connection_lost(self, exc: Exception | None) -> None:
        self._events.put_nowait(("ended", exc))

    def abort(self) -> None:
        """Cut the connection at once; the collector ends by itself when its input does."""
        self._connection.abort()

    async def close(self) -> None:
        self._connection.close()
        self._connection.abort()
