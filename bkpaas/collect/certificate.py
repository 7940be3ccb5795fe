"""Fetch the certificate of a server and verify it with the controller's store of authorities."""

from __future__ import annotations

import base64
import socket
import ssl
import time
from pathlib import Path
from typing import Any

Raw = dict[str, Any]


def verify_option(ca_file: str | None) -> str | bool:
    """Return the `verify` option of requests: the file, else the system's store, else True."""
    paths = ssl.get_default_verify_paths()
    return ca_file or paths.cafile or paths.capath or True


def fetch_certificate(address: str, port: int, name: str, ca_file: str | None, seconds: float) -> Raw:
    """Return the certificate of a server: one TLS handshake, and an unverified one if that is refused.

    Args:
        name: host name that is sent (SNI) and verified.
        seconds: limit of each connection.

    Returns: {"address", "der", "problem", "error", "seconds"}.
        der: the certificate in base64, "" without a handshake.
        problem: OpenSSL's reason why it does not verify for `name`, None if it does.
        error: {"kind", "text"} of the connection, or None.
    """
    answer: Raw = {"address": f"{address}:{port}", "der": "", "problem": None, "error": None}
    start = time.monotonic()
    try:
        try:
            der = _handshake(_verifying_context(ca_file), address, port, name, seconds)
        except ssl.SSLCertVerificationError as error:
            answer["problem"] = error.verify_message or str(error)
            der = _handshake(_unverified_context(), address, port, name, seconds)
        answer["der"] = base64.b64encode(der).decode("ascii")
    except OSError as error:
        answer["error"] = {"kind": error_kind(error), "text": str(error)}
    answer["seconds"] = time.monotonic() - start
    return answer


def try_connection(address: str, port: int, seconds: float) -> Raw:
    """Try a TCP connection; return the result in the form of the collector's `tcp` section."""
    answer: Raw = {"data": "", "error": None}
    start = time.monotonic()
    try:
        socket.create_connection((address, port), timeout=seconds).close()
    except OSError as error:
        answer["error"] = {"kind": error_kind(error), "text": str(error)}
    return answer | {"seconds": time.monotonic() - start}


def error_kind(error: OSError) -> str:
    """Return the collector's error kind for a connection error."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return "reset" if isinstance(error, ConnectionResetError) else "unreachable"


def _verifying_context(ca_file: str | None) -> ssl.SSLContext:
    store = verify_option(ca_file)
    if isinstance(store, bool):
        return ssl.create_default_context()
    if Path(store).is_dir():
        return ssl.create_default_context(capath=store)
    return ssl.create_default_context(cafile=store)


def _unverified_context() -> ssl.SSLContext:
    """Return a context without verification, to read a refused certificate; nothing is sent with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _handshake(context: ssl.SSLContext, address: str, port: int, name: str, seconds: float) -> bytes:
    with (
        socket.create_connection((address, port), timeout=seconds) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return secure.getpeercert(binary_form=True) or b""
