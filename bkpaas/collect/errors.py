"""Make the errors of a collection: one function per kind, each with host, cause and fix in a sentence.

`where` is always the result of `host_label`.  Programs may rely on the kinds; the sentences are for people.
"""

from __future__ import annotations

import re
from typing import Any

from bkpaas.errors import CollectError, message_of
from bkpaas.inventory.deployment import Host
from bkpaas.messages import Message, msg

_QUOTABLE = re.compile(rb"^(sudo: [^\n]{1,160}|This account is currently not available[^\n]{0,80})", re.M)
"""Parts of the output of other programs that may be quoted."""


def host_label(host: Host) -> str:
    """Return name and address of a host, or one of them if they are equal."""
    return host.address if host.name == host.address else f"{host.name} ({host.address})"


def via(where: str, jump: str, error: CollectError) -> CollectError:
    """Return the error of a bastion as the error of the host behind it."""
    return CollectError(
        error.kind, msg("{where} by way of {jump}: {reason}", where=where, jump=jump, reason=error.reason)
    )


def unreachable(where: str, cause: Message | str) -> CollectError:

    return CollectError(
        "unreachable",
        msg(
            "{where} cannot be reached: {cause}. Check that it is up, its address and port in the inventory, the route and the firewalls between.",
            where=where,
            cause=cause,
        ),
    )


def refused(where: str) -> CollectError:

    return CollectError(
        "refused",
        msg(
            "{where} refuses the connection: nothing listens on its ssh port. Check that sshd runs there and that the inventory names its port.",
            where=where,
        ),
    )


def login_refused(where: str, user: Message | str, cause: Message | str) -> CollectError:

    return CollectError(
        "login_refused",
        msg(
            "{where} refuses the login of {user}: {cause}. Try `ssh -o BatchMode=yes` with the same user and key; set user and key in deployment.yaml, or load the key into ssh-agent.",
            where=where,
            user=user,
            cause=cause,
        ),
    )


def host_key_changed(where: str, offered: Message | str) -> CollectError:

    return CollectError(
        "host_key_changed",
        msg(
            "{where} has another host key ({offered}) than the one in known_hosts: it was reinstalled, or another machine answers at its address. Nothing was sent. Compare the fingerprint on the host's console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then replace the old line (ssh-keygen -R HOST).",
            where=where,
            offered=offered,
        ),
    )


def host_key_unknown(where: str, offered: Message | str) -> CollectError:

    return CollectError(
        "host_key_unknown",
        msg(
            "the host key of {where} ({offered}) is not in known_hosts, and a key is never accepted unseen. Compare the fingerprint on the host's console, then add it (ssh-keyscan HOST >> known_hosts), or name the right file as known_hosts in deployment.yaml.",
            where=where,
            offered=offered,
        ),
    )


def login_hung(where: str, seconds: float, stage: Message | str) -> CollectError:
    """Return the error of a login without end; stage: the awaited event, in the language of the run."""

    return CollectError(
        "login_hung",
        msg(
            "{where} accepts the connection, but {stage} did not come within {seconds:g} s. The host may be out of memory, its disk or home directory may hang, or its DNS may be slow. Log in by hand and check, or raise limits.connect_seconds.",
            where=where,
            stage=stage,
            seconds=seconds,
        ),
    )


def hung(where: str, seconds: float) -> CollectError:

    return CollectError(
        "hung",
        msg(
            "{where} accepted the login but did not answer within {seconds:.0f} s: it is overloaded, or the connection was lost. Check its load and disks, or raise limits.host_seconds.",
            where=where,
            seconds=seconds,
        ),
    )


def silent(where: str, seconds: float) -> CollectError:

    return CollectError(
        "hung",
        msg(
            "{where} let us in, and then sent nothing for {seconds:.0f} s: frozen, overloaded, or lost on the way. Look at its load and disks, or raise limits.silent_seconds.",
            where=where,
            seconds=seconds,
        ),
    )


def out_of_time(where: str, seconds: float) -> CollectError:

    return CollectError(
        "out_of_time",
        msg(
            "interrupted: {where} was not collected completely when the time for the whole run ({seconds:g} s) was over. Raise limits.run_seconds or limits.concurrent_hosts.",
            where=where,
            seconds=seconds,
        ),
    )


def closed(where: str, cause: Message | str) -> CollectError:

    return CollectError(
        "closed",
        msg(
            "{where} closed the connection: {cause}. Look at its sshd's log (journalctl -u sshd, /var/log/secure) and at the login shell of that account.",
            where=where,
            cause=cause,
        ),
    )


def garbage(where: str, cause: Message | str) -> CollectError:

    return CollectError(
        "garbage",
        msg(
            "{where} gives an unexpected answer: {cause}. Check that the port is that of an ssh server, and that neither a forced command nor the login shell replaces the program.",
            where=where,
            cause=cause,
        ),
    )


def too_much(where: str, limit: int) -> CollectError:

    return CollectError(
        "too_much",
        msg(
            "{where} sends more than {limit} bytes; the connection was cut. Something there prints without end; if the answer is truly that large, raise limits.answer_bytes.",
            where=where,
            limit=limit,
        ),
    )


def too_costly(where: str, cause: Message | str) -> CollectError:

    return CollectError(
        "too_costly",
        msg(
            "the answer of {where} was not read: {cause}, the limit of one host. Check the content of its files and logs; if it is correct, please report it.",
            where=where,
            cause=cause,
        ),
    )


def undecodable(where: str, error: Exception) -> CollectError:
    """Describe an answer that program.decoded refuses: Garbage or TooMuch."""
    cause = message_of(error) or msg("it unpacks to more than is allowed")
    return garbage(where, cause)


def no_python(where: str) -> CollectError:

    return CollectError(
        "no_python",
        msg(
            "no Python (2.6 or newer) was found on {where}: not in PATH, /usr/libexec, /opt/py36, /opt/py27 nor in the .envs of BlueKing. Install python3 there.",
            where=where,
        ),
    )


def sudo_denied(where: str, message: str) -> CollectError:

    return CollectError(
        "sudo_denied",
        msg(
            "sudo on {where} refuses: {message}. Allow this account sudo without a password (NOPASSWD) and without a terminal (!requiretty), or log in as root.",
            where=where,
            message=message,
        ),
    )


def config(where: str, cause: Message | str) -> CollectError:

    return CollectError(
        "config",
        msg(
            "the connection to {where} cannot be set up here: {cause}. Correct key, known_hosts, ssh_config or bastion in deployment.yaml; if only OpenSSH understands your ssh_config, use --transport openssh.",
            where=where,
            cause=cause,
        ),
    )


def backend(where: str, cause: Message | str) -> CollectError:

    return CollectError(
        "backend",
        msg(
            "{where} could not be collected: {cause}. Try the same connection by hand with the tool that it names.",
            where=where,
            cause=cause,
        ),
    )


def planned(where: str) -> CollectError:

    return CollectError("planned", msg("the plan of {where} was written, not executed", where=where))


def not_returned(where: str, file: str) -> CollectError:

    return CollectError(
        "not_returned",
        msg(
            "the engine has no answer of {where}: {file} is missing. Look there whether the host was reached, and run its script again.",
            where=where,
            file=file,
        ),
    )


def other_answer(where: str, cause: Message | str) -> CollectError:

    return CollectError(
        "other_answer",
        msg(
            "the answer of {where} is not that of its plan: {cause}. Run the script that belongs to it again, once, and keep its output whole.",
            where=where,
            cause=cause,
        ),
    )


def interrupted(where: str) -> CollectError:

    return CollectError(
        "interrupted",
        msg("{where} was not collected completely: interrupted.", where=where),
    )


def suite(where: str, cause: Message | str) -> CollectError:

    return CollectError(
        "suite",
        msg(
            "a fault of this suite while collecting {where}: {cause}. Please report it.",
            where=where,
            cause=cause,
        ),
    )


def unexpected(where: str, word: str, value: Any, limit: int) -> CollectError:
    """Return the error for an unexpected event of bkpaas.collect.program.AnswerParser."""
    if word == "too much":
        return too_much(where, limit)
    if word == "nopython":
        return no_python(where)
    if word == "failed":
        return suite(where, value)
    return garbage(where, value if word == "garbage" else word)


def ended(where: str, noise: bytes, stderr: bytes, status: int | None) -> CollectError:
    """Return the error for an end before the answer; noise, stderr: last output of other programs."""
    quote = _QUOTABLE.search(stderr) or _QUOTABLE.search(noise)
    text = quote.group(1).decode("utf-8", "replace").strip() if quote else ""
    if text.startswith("sudo:"):
        return sudo_denied(where, text)
    if noise and not text:
        return garbage(where, msg("{noise_count} bytes, then the end", noise_count=len(noise)))
    code = "" if status is None else msg(", exit status {status}", status=status)
    return closed(where, text or msg("before the answer{code}", code=code))
