"""A lab comes up, whole or not at all, and goes down without a trace."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from bkpaas.messages import Message, msg, to_text
from lab import base, certificates, cgroups, generated, hosts, machine, namespaces
from lab.control import READY_SECONDS, RECORD, REPOSITORY, SERVICES, TLS, Lab, Notify, Record
from lab.errors import LabError
from lab.layouts import Layout
from lab.namespaces import Process

NETWORK = Path(__file__).with_name("network.sh")
INVENTORIES = REPOSITORY / "inventory"
DOWN_SECONDS = 20.0
KEPT = "logs"
"""What `down` leaves of the state: the logs of the last run."""


def up(
    lab: Lab,
    layout: Layout,
    notify: Notify,
    *,
    services: Path = SERVICES,
    seconds: float = READY_SECONDS,
    keep: bool = False,
) -> None:
    """Bring the lab up and wait until everything in it answers; nothing to do if it is up already.

    LabError says what is not ready, and then nothing is left running unless keep.
    """
    if unfit := set(str(lab.state_dir)) & set(',:\\"\n'):
        raise LabError(
            msg(
                "a mount cannot name this directory, it contains {unfit}: {directory}",
                unfit=unfit,
                directory=lab.state_dir,
            )
        )
    lab.state_dir.mkdir(parents=True, exist_ok=True)
    with _alone(lab):
        record = lab.record
        if record and record.finished and record.init.alive:
            if lab.layout.name != layout.name:
                raise LabError(_another(lab, layout))
            notify(to_text(msg("the lab {name} is up already", name=lab.name)))
            return
        machine.need(*machine.TO_RUN)
        home = lab.state_dir.parent
        if layout.systemd:
            cgroups.need()
        disk = base.ensure(home, notify, layout.systemd)
        _remove_old_bases(home)
        begun = time.monotonic()
        _end(lab)
        _write_state(lab, layout)
        try:
            record = _start(lab, disk, services)
            notify(to_text(msg("{number} hosts started", number=len(layout.hosts))))
            lab.wait_ready(seconds, notify)
            hosts.write_known_hosts(lab)
            _clear_boot_errors(lab, layout)
            replace(record, finished=True).write(lab.state_dir / RECORD)
        except BaseException:
            if keep and lab.is_up:
                with suppress(LabError, OSError):  # a host may be what is not there
                    hosts.write_known_hosts(lab)
            else:
                _end(lab)
            raise
        notify(to_text(msg("ready after {seconds:.1f} s", seconds=time.monotonic() - begun)))


def _another(lab: Lab, layout: Layout) -> Message:
    option = "" if lab.name == "default" else f" --name {lab.name}"
    return msg(
        "the lab {name} is up with layout {running}, not {layout}; end it first, or give the new one another name:\n"
        "  python -m lab down{option}\n  python -m lab up {layout} --name {other_name}",
        name=lab.name,
        running=lab.layout.name,
        layout=layout.name,
        option=option,
        other_name=f"{lab.name}-{layout.name[0]}",
    )


def down(lab: Lab) -> bool:
    """End the lab and remove its state but for the logs, whatever became of it before. -> was anything there?"""
    if not lab.state_dir.exists():
        return False
    with _alone(lab):
        there = any(item.name != KEPT for item in lab.state_dir.iterdir())
        _end(lab)
    return there


@contextmanager
def _alone(lab: Lab) -> Iterator[None]:
    """Only one command at a time starts or ends a lab."""
    lock = os.open(lab.state_dir, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise LabError(
            msg("another command is just starting or ending the lab {name}", name=lab.name)
        ) from None
    finally:
        os.close(lock)


def _clear_boot_errors(lab: Lab, layout: Layout) -> None:
    """Empty the logs of nginx where consul has listed the services only after it had been asked for them."""
    for host in layout.hosts if layout.systemd else ():
        if "nginx" in host.roles:
            lab.run(host.name, f"for log in {layout.home}/logs/nginx/*.log; do : > $log; done")


def _start(lab: Lab, disk: Path, services: Path) -> Record:
    log = (lab.state_dir / KEPT / "lab.log").open("w", encoding="utf-8")
    with log:
        holder, init = namespaces.start("lab", log)
    record = Record(Process.of(holder.pid), init, disk, services)
    record.write(lab.state_dir / RECORD)
    namespaces.send(holder, "noted")
    layout = lab.layout
    environment = os.environ | {
        "NAME": lab.name, "STATE": str(lab.state_dir), "BASE": str(disk), "DOMAIN": layout.domain,
        "CONTROLLER": layout.controller, "PREFIX": str(layout.prefix),
    }  # fmt: skip
    done = subprocess.run(
        lab.inside("bash", str(NETWORK)),
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise LabError(msg("the lab's network: {error}", error=done.stderr.strip()))
    for host in layout.hosts:
        hosts.start(lab, host, record)
    return record


def _end(lab: Lab) -> None:
    """End all processes of the lab and remove its state but for the logs.

    All processes end with the lab's PID 1, which ends with its holder. Mounts and network end with the last process.
    """
    record = lab.record
    both = (record.init, record.holder) if record else ()
    for process in both:
        if process.alive:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
    lab.wait(lambda: not any(process.alive for process in both), DOWN_SECONDS, f"the lab {lab.name} ends")
    cgroups.remove(lab.state_dir)
    for item in lab.state_dir.iterdir():
        if item.name == KEPT:
            continue
        if item.is_dir():
            shutil.rmtree(item)
        else:
            item.unlink()


def _remove_old_bases(home: Path) -> None:
    """Remove this user's bases of former recipes that no lab uses."""
    records = [Record.read(file) for file in home.glob(f"*/{RECORD}")]
    used = {record.base for record in records if record and record.holder.alive}
    for old in set(home.glob("base-*")) - used - {base.directory(home), base.directory(home, systemd=True)}:
        if old.suffix != base.PARTIAL and old.stat().st_uid == os.geteuid():
            base.remove(old)


def _write_state(lab: Lab, layout: Layout) -> None:
    """Write everything that the lab's programs and its users read."""
    state = lab.state_dir
    state.chmod(0o700)
    shutil.rmtree(state / KEPT, ignore_errors=True)
    for name in (KEPT, "pids", "mnt/controller", "mnt/host"):
        (state / name).mkdir(parents=True)
    (state / "layout.json").write_text(json.dumps(layout.to_json(), indent=1) + "\n", "utf-8")
    names = "".join(
        f"{address} {name}\n" for name, addresses in layout.known_names().items() for address in addresses
    )
    (state / "names").write_text(names, "ascii")
    (state / "hosts").write_text(f"127.0.0.1 localhost\n::1 localhost\n{names}", "ascii")
    (state / "resolv.conf").write_text(f"nameserver {layout.controller}\n", "ascii")
    key = state / "id_ed25519"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab {lab.name}", "-f", str(key)], check=True
    )
    (state / "ssh_config").write_text(_ssh_config(state, layout), "utf-8")
    if layout.scheme == "https":
        certificates.create_authority(state / TLS, layout.names)
    _write_inventory(lab, layout)


def _ssh_config(state: Path, layout: Layout) -> str:
    addresses = "".join(f"Host {host.name}\n  HostName {host.address}\n" for host in layout.hosts)
    return f"""{addresses}Host *
  User root
  IdentityFile "{state}/id_ed25519"
  IdentitiesOnly yes
  UserKnownHostsFile "{state}/known_hosts"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  ConnectTimeout 5
  BatchMode yes
"""


def _write_inventory(lab: Lab, layout: Layout) -> None:
    """The repository's inventory of the layout, with the key and the host keys of this lab."""
    if not layout.inventory:
        folder = lab.state_dir / "inventory"
        folder.mkdir(exist_ok=True)
        for name, text in generated.inventory(layout, str(lab.state_dir)).items():
            (folder / name).write_text(text, "utf-8")
        return
    source = INVENTORIES / layout.inventory
    for file in (file for file in source.rglob("*") if file.is_file()):
        target = lab.state_dir / "inventory" / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        own = re.sub(r"[./]*\.lab/default\b", lambda _: str(lab.state_dir), file.read_text("utf-8"))
        target.write_text(own, "utf-8")
