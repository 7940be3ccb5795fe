"""The process that holds the namespaces of a lab: `python namespace_holder.py {lab,build} [COMMAND...]`.

It makes a user namespace, waits until its parent has given it a range of ids, makes the other namespaces and
starts their PID 1. `lab` is a PID 1 that only collects orphans; `build` runs COMMAND as PID 1 and ends with it.
When either process ends, the kernel ends everything inside: nothing has to be cleaned up.

Standard library only. Protocol with `namespaces` over standard input and output: "user" -> "mapped" ->
the number of PID 1 -> "noted" (a lab only), or "refused STEP ERRNO" at the step that the kernel did not allow.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
SPACES = {
    "lab": NEWNS | NEWUTS | NEWIPC | NEWPID | NEWNET,
    "build": NEWNS | NEWUTS | NEWIPC | NEWPID,  # needs the machine's network for its downloads
}
PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)


def unshare(step: str, flags: int) -> None:
    if libc.unshare(flags):
        write_line(f"refused {step} {ctypes.get_errno()}")
        sys.exit(1)


def write_line(line: str) -> None:
    os.write(1, line.encode() + b"\n")


def die_with_parent() -> None:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def reap() -> None:
    """Collect orphaned processes, as PID 1."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        signal.sigwait({signal.SIGCHLD})
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            continue


def main() -> int:
    kind, command = sys.argv[1], sys.argv[2:]
    if kind == "build":
        die_with_parent()
    unshare("user namespace", NEWUSER)
    write_line("user")
    if sys.stdin.readline() != "mapped\n":
        return 1
    try:
        os.setgid(0)
        os.setuid(0)
        os.setgroups([])
    except OSError as error:
        write_line(f"refused ids {error.errno}")
        return 1
    unshare("other namespaces", SPACES[kind])
    init = os.fork()
    if init == 0:
        die_with_parent()
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(2, 1)
        if command:
            os.execvp(command[0], command)
        reap()
    write_line(str(init))
    if kind == "lab" and sys.stdin.readline() != "noted\n":
        return 1  # the caller has ended before the lab was registered
    os.close(1)
    _, status = os.waitpid(init, 0)
    return os.waitstatus_to_exitcode(status) & 0xFF


if __name__ == "__main__":
    sys.exit(main())
