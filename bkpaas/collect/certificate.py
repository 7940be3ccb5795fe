"""Which certificate a server presents, and whether the machine that asks would accept it."""

from __future__ import annotations

import base64
import socket
import ssl
import time
from pathlib import Path
from typing import Any

Raw = dict[str, Any]


def trusted(ca_file: str | None) -> str | bool:
    """What `verify` of requests is to be: the file, else the store of this system, else the one of requests."""
    paths = ssl.get_default_verify_paths()
    return ca_file or paths.cafile or paths.capath or True


def presented(address: str, port: int, name: str, ca_file: str | None, seconds: float) -> Raw:
    """{"address", "der", "problem", "error", "seconds"}: one TLS handshake, a second one if the first is refused.

    der: the certificate in base64, "" when there was no handshake, see error (kind, text).
    problem: why it does not verify for `name`, in OpenSSL's words; None: it does.
    """
    answer: Raw = {"address": f"{address}:{port}", "der": "", "problem": None, "error": None}
    started = time.monotonic()
    try:
        try:
            der = _handshake(_verifying(ca_file), address, port, name, seconds)
        except ssl.SSLCertVerificationError as error:
            answer["problem"] = error.verify_message or str(error)
            der = _handshake(_lenient(), address, port, name, seconds)
        answer["der"] = base64.b64encode(der).decode("ascii")
    except OSError as error:
        answer["error"] = {"kind": kind_of(error), "text": str(error)}
    answer["seconds"] = time.monotonic() - started
    return answer


def reached(address: str, port: int, seconds: float) -> Raw:
    """Does a TCP connection come about? In the form of the collector's connections."""
    answer: Raw = {"data": "", "error": None}
    started = time.monotonic()
    try:
        socket.create_connection((address, port), timeout=seconds).close()
    except OSError as error:
        answer["error"] = {"kind": kind_of(error), "text": str(error)}
    return answer | {"seconds": time.monotonic() - started}


def kind_of(error: OSError) -> str:
    """The collector's word for what went wrong with a connection."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return "reset" if isinstance(error, ConnectionResetError) else "unreachable"


def _verifying(ca_file: str | None) -> ssl.SSLContext:
    store = trusted(ca_file)
    if isinstance(store, bool):
        return ssl.create_default_context()
    if Path(store).is_dir():
        return ssl.create_default_context(capath=store)
    return ssl.create_default_context(cafile=store)


def _lenient() -> ssl.SSLContext:
    """To look at a certificate that is refused; nothing is sent over such a connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _handshake(context: ssl.SSLContext, address: str, port: int, name: str, seconds: float) -> bytes:
    with (
        socket.create_connection((address, port), timeout=seconds) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return secure.getpeercert(binary_form=True) or b""
