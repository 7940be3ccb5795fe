"""The client of one ssh connection: which host key was not trusted, and how much the host may still send."""

from __future__ import annotations

from bkpaas.collect.libraries import asyncssh


class Client(asyncssh.SSHClient):
    """Hold the connection of a login, the host key that was not trusted, and the remaining bytes."""

    connection: asyncssh.SSHClientConnection | None = None
    untrusted: asyncssh.SSHKey | None = None

    def __init__(self, limit: int) -> None:
        self.left = limit
        """Bytes that the host may still send; negative: the limit was exceeded and the connection aborted."""

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Count all bytes of the connection; asyncssh does not limit data outside of channels."""
        self.connection = conn
        receive = conn.data_received

        def count_bytes(data: bytes, datatype: int | None = None) -> None:
            self.left -= len(data)
            if self.left < 0:
                conn.abort()
            else:
                receive(data, datatype)

        conn.data_received = count_bytes  # type: ignore[method-assign]

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.untrusted = key
        return False
