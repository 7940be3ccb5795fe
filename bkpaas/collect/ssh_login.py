"""Log in to a host over ssh, through its bastion if it has one, and describe why that failed."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from bkpaas.collect import errors
from bkpaas.collect.libraries import asyncssh
from bkpaas.collect.ssh_client import Client
from bkpaas.collect.ssh_keys import identity, known_hosts, prefer
from bkpaas.errors import CollectError, message_of
from bkpaas.inventory.deployment import Connection, Limits
from bkpaas.messages import Message, msg

FAST_KEX, FAST_CIPHER = b"curve25519-sha256", b"aes128-gcm@openssh.com"
"""Algorithms tried first; other key exchanges cost several times the CPU, chacha20 a quarter more in total."""
HOST_KEYS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")
FIRST_RETRY_SECONDS = 0.5
"""After a connection that was closed before the login, on average; doubles each time."""
DEFAULT_KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")
_CLOSED = (asyncssh.ConnectionLost, ConnectionResetError, BrokenPipeError)
"""What a connection ends with that the server closed."""


class Login:
    """Log in to a host, through its bastion if it has one, and describe errors."""

    def __init__(
        self, where: str, connection: Connection, limits: Limits, client: Client, bastion: str | None = None
    ) -> None:
        self.where, self.connection, self.limits = where, connection, limits
        self.seconds = limits.connect_seconds
        self.bastion = bastion or connection.bastion
        self.client = client
        self.host_keys: asyncssh.SSHKnownHosts | None = None
        self.closed: Exception | None = None

    async def run(self, spec: str, bastion: Any) -> asyncssh.SSHClientConnection:
        try:
            arguments = self._inventory_options(spec)
            options = asyncssh.SSHClientConnectionOptions(**arguments)
            arguments.update(self._host_options(options))
        except (OSError, ValueError, asyncssh.Error) as error:
            raise errors.config(self.where, message_of(error)) from None
        self.user, self.host, self.port = options.username, options.host, options.port
        self.alias, self.host_keys = options.host_key_alias or options.host, arguments["known_hosts"]
        jump = self.bastion or (options.tunnel if isinstance(options.tunnel, str) else None)
        try:
            arguments["tunnel"] = await bastion(jump, self.connection) if jump else ()
        except CollectError as error:
            raise errors.via(self.where, str(jump), error) from None
        try:
            return await asyncio.wait_for(self._connect(arguments), self.seconds)
        except asyncio.TimeoutError:
            raise (self._describe_failure(self.closed) if self.closed else self._timeout_error()) from None
        except (OSError, ValueError, asyncssh.Error) as error:
            raise self._describe_failure(error) from None

    async def _connect(self, arguments: dict[str, Any]) -> asyncssh.SSHClientConnection:
        """Log in; connect again while the server closes the connection before the login, as with MaxStartups."""
        loop = asyncio.get_running_loop()
        deadline, wait = loop.time() + self.seconds, FIRST_RETRY_SECONDS
        for _ in range(self.limits.connect_attempts - 1):
            try:
                return await asyncssh.connect(**arguments)
            except _CLOSED as error:
                self.closed = error  # counts, if the next connection comes too late to end
                pause = wait * (0.5 + random.random())  # or all hosts that were closed come again together
                if self._is_known() or self.client.left < 0 or loop.time() + pause >= deadline:
                    raise
            await asyncio.sleep(pause)
            wait *= 2
        return await asyncssh.connect(**arguments)

    def _is_known(self) -> bool:
        """Return whether the key exchange was over: from there on the server knows who it closes."""
        connection = self.client.connection
        return connection is not None and connection.get_server_host_key() is not None

    def _inventory_options(self, spec: str) -> dict[str, Any]:
        """Return the settings of the inventory as options of asyncssh; the rest comes from ssh_config."""
        parts = urlsplit(spec)
        arguments: dict[str, Any] = {
            "host": parts.hostname or "",
            "config": [self.connection.ssh_config] if self.connection.ssh_config else (),
            "client_factory": lambda: self.client,
            "password_auth": False,
            "kbdint_auth": False,
            "login_timeout": 0,
        }
        if parts.port:
            arguments["port"] = parts.port
        if parts.username:
            arguments["username"] = unquote(parts.username)
        if self.connection.key:
            arguments.update(identity(self.connection.key))
        return arguments

    def _host_options(self, options: asyncssh.SSHClientConnectionOptions) -> dict[str, Any]:
        """Return the host key and algorithm options, which depend on the ssh_config."""
        files: Any = options.known_hosts or ()  # None: "UserKnownHostsFile none", which is not accepted
        if self.connection.known_hosts:
            files = (self.connection.known_hosts,)
        host_keys = known_hosts(tuple(files) or DEFAULT_KNOWN_HOSTS)
        arguments: dict[str, Any] = {"known_hosts": host_keys}
        port = options.port if options.port != 22 else None
        keys, authorities, *_ = host_keys.match(options.host_key_alias or options.host, "", port)
        if keys and not authorities and not options.config.get("HostKeyAlgorithms"):
            # Known types first. With the others, a host whose key type changed is reported as changed.
            names = [name.decode() for key in keys for name in key.sig_algorithms]
            arguments["server_host_key_algs"] = [*names, *HOST_KEYS]
        if not options.config.get("KexAlgorithms"):
            arguments["kex_algs"] = prefer(FAST_KEX, options.kex_algs)
        if not options.config.get("Ciphers"):
            arguments["encryption_algs"] = prefer(FAST_CIPHER, options.encryption_algs)
        return arguments

    def _timeout_error(self) -> CollectError:
        if not self.client.connection:
            return errors.unreachable(
                self.where,
                msg(
                    "no TCP connection to port {port} within {seconds:g} s",
                    port=self.port,
                    seconds=self.seconds,
                ),
            )
        if not self.client.connection.get_extra_info("server_version"):
            return errors.login_hung(self.where, self.seconds, msg("sshd's greeting"))
        return errors.login_hung(self.where, self.seconds, msg("the end of the login"))

    def _describe_failure(self, error: Exception) -> CollectError:
        where = self.where
        if self.client.left < 0:
            return errors.too_much(where, self.limits.answer_bytes)
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return self._host_key_error()
        if isinstance(error, asyncssh.PermissionDenied):
            return errors.login_refused(where, self.user, msg("no key was accepted"))
        if isinstance(error, asyncssh.ChannelOpenError):
            cause = msg("message of the bastion: {reason}", reason=error.reason)
            return errors.unreachable(where, cause)
        if isinstance(error, _CLOSED):
            return errors.closed(where, msg("in the middle of the login"))
        if (
            isinstance(error, asyncssh.KeyExchangeFailed)
            and "host key" in str(error).lower()
            and self._known_keys()
        ):
            return errors.host_key_changed(where, msg("of another type"))
        if isinstance(error, asyncssh.KeyExchangeFailed):
            return errors.config(where, _no_algorithm(error.reason))
        if isinstance(error, asyncssh.DisconnectError):
            if "authentication" in error.reason.lower():
                return errors.login_refused(where, self.user, error.reason)
            return errors.garbage(where, error.reason)
        if isinstance(error, ConnectionRefusedError) or (
            "Connect call failed" in str(error) and "111" in str(error)
        ):
            return errors.refused(where)
        if isinstance(error, socket.gaierror):
            return errors.unreachable(where, msg("the name {host} does not resolve", host=self.host))
        if isinstance(error, OSError):
            return errors.unreachable(where, os.strerror(error.errno) if error.errno else str(error))
        return errors.config(where, message_of(error))

    def _host_key_error(self) -> CollectError:
        key = self.client.untrusted
        offered = f"{key.get_algorithm()} {key.get_fingerprint()}" if key else msg("a certificate")
        error = errors.host_key_changed if self._known_keys() else errors.host_key_unknown
        return error(self.where, offered)

    def _known_keys(self) -> Sequence[Any]:
        """Return the keys of this host in known_hosts."""
        assert self.host_keys is not None
        address = self.host
        if self.client.connection and (peer := self.client.connection.get_extra_info("peername")):
            address = peer[0]
        port = self.port if self.port != 22 else None
        return self.host_keys.match(self.alias, address, port)[0]


def _no_algorithm(reason: str) -> Message:
    return msg(
        "its sshd and this ssh client have no algorithm in common ({reason}); what a very old sshd needs has to be permitted for this host in ssh_config, with KexAlgorithms, HostKeyAlgorithms, Ciphers or MACs",
        reason=reason,
    )
