"""The command line of the lab: `python -m lab --help`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import Protocol

# Ctrl-C during the imports below ends the process without a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from bkpaas.language import language_of_locale, set_language
from bkpaas.messages import msg, to_text
from lab import foreground, injection, layouts, lifecycle, machine
from lab.control import READY_SECONDS, Lab
from lab.errors import LabError

DESCRIPTION = msg(
    """\
A miniature BlueKing deployment on this machine: several hosts with real sshd, nginx, supervisord, uwsgi, MariaDB,
redis and RabbitMQ, and faults to inject. It is isolated from the network of this machine in both directions, changes
nothing outside .lab/, and needs root or a user with subordinate ids.

  python -m lab up                       start it (the first time it builds the disk of the hosts, about a minute)
  python -m lab exec .venv/bin/python -m pytest --inventory .lab/default/inventory     check it with the suite
  python -m lab faults                   list the faults
  python -m lab break NAME ; python -m lab heal                    inject a fault, remove it
  python -m lab ssh paas-1               log in (also ops@paas-1 with sudo, guest@paas-1 without)
  python -m lab down                     stop and remove it

Every command takes --name NAME: another name is a second, independent lab."""
)


class Add(Protocol):
    """Add a command with its help."""

    def __call__(self, name: str, text: str, more: str = "") -> argparse.ArgumentParser: ...


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m lab",
        description=to_text(DESCRIPTION),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str, more: str = "") -> argparse.ArgumentParser:
        description = f"{text}\n\n{more}" if more else text
        command = commands.add_parser(
            name, help=text, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        command.add_argument(
            "--name", default="default", help=to_text(msg("which lab, if there are several (%(default)s)"))
        )
        return command

    up = add("up", to_text(msg("bring the lab up and wait until everything answers")))
    up.add_argument("layout", nargs="?", default="a", metavar="LAYOUT",
                    help=to_text(msg("which hosts: {layouts}, random:SEED (a)", layouts=", ".join(layouts.available()))))  # fmt: skip
    up.add_argument("--timeout", type=float, default=READY_SECONDS, metavar="SECONDS",
                    help=to_text(msg("how long it may take (%(default)g)")))  # fmt: skip
    up.add_argument("--keep", action="store_true",
                    help=to_text(msg("leave it running even if something does not become ready")))  # fmt: skip
    add(
        "status",
        to_text(msg("the hosts, and whether they are ready; exit status 1 if not")),
    )
    _add_commands_on_hosts(add)
    _add_commands_on_faults(add)
    add("down", to_text(msg("end the lab; only the logs of its last run remain")))
    return top


def _add_commands_on_hosts(add: Add) -> None:
    run = add(
        "exec",
        to_text(msg("run a command in the lab's network, with the lab's names")),
        to_text(
            msg(
                """\
examples:
  python -m lab exec .venv/bin/python -m pytest --inventory .lab/default/inventory
  python -m lab exec curl -I http://paas.bklab.test/"""
            )
        ),
    )
    run.add_argument("arguments", nargs=argparse.REMAINDER, metavar="CMD...")
    ssh = add(
        "ssh",
        to_text(msg("log in to a host, or run a command there")),
        to_text(
            msg(
                """\
examples:
  python -m lab ssh paas-1                   a shell as root
  python -m lab ssh ops@paas-1 sudo -n id    as ops, who has sudo; guest has not"""
            )
        ),
    )
    ssh.add_argument("arguments", nargs=argparse.REMAINDER, metavar="[USER@]HOST [CMD...]")
    reboot = add(
        "reboot",
        to_text(msg("give a host a pristine disk; returns when all is ready again")),
    )
    reboot.add_argument("host", metavar="HOST", help=to_text(msg("its name, as `status` lists it")))


def _add_commands_on_faults(add: Add) -> None:
    add("faults", to_text(msg("list the faults")))
    breaking = add(
        "break",
        to_text(msg("inject a fault")),
        to_text(
            msg(
                """\
It prints the condition that the suite should report as root cause. Faults add up until `heal`.

example:
  python -m lab break clock-ahead"""
            )
        ),
    )
    breaking.add_argument("fault", metavar="NAME", help=to_text(msg("the fault, as `faults` lists it")))
    heal = add("heal", to_text(msg("undo a fault, or all of them")))
    heal.add_argument("fault", nargs="?", metavar="NAME", help=to_text(msg("only this fault (all)")))


def notify(line: str) -> None:
    """Print without buffering; if the reader has gone (`| head`), continue without output."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> int:
    set_language(language_of_locale())
    machine.complete_path()
    options = parser().parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return int(COMMANDS[options.command](Lab(options.name), options) or 0)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    except PermissionError as error:
        notify(f"{error.filename}: {error.strerror}")
        notify(to_text(msg("it belongs to another user: the lab is used by the user who started it (sudo?)")))  # fmt: skip
        return 1
    except KeyboardInterrupt:
        return 130


def up(lab: Lab, options: argparse.Namespace) -> None:
    lifecycle.up(lab, layouts.load(options.layout), notify, seconds=options.timeout, keep=options.keep)
    notify(check_command(lab))


def status(lab: Lab, _: argparse.Namespace) -> int:
    lab.started()
    missing: dict[str, str] = {}
    checked: set[str] = set()
    for event in lab.checks():
        checked.add(event.host)
        if event.missing:
            missing[event.host] = f"{event.name}: {event.missing}"
    for host in lab.layout.hosts:
        state = missing.get(host.name) or (
            to_text(msg("ready")) if not missing else to_text(msg("not checked completely"))
        )
        notify(f"{host.name:10s} {host.address:14s} {','.join(host.roles):22s} {state}")
    for name in injection.names(lab):
        notify(to_text(msg("injected: {name}", name=name)))
    return 1 if missing else 0


def run(lab: Lab, options: argparse.Namespace) -> int:
    command = ("env", "-C", os.getcwd(), *(arguments_of(options) or [os.environ.get("SHELL", "/bin/sh")]))
    return foreground.run(lab.inside(*foreground.with_default_signals(*command)))


def ssh(lab: Lab, options: argparse.Namespace) -> None:
    arguments = arguments_of(options)
    if not arguments:
        raise LabError(msg("which host? {hosts}", hosts=" ".join(host.name for host in lab.layout.hosts)))
    replace(lab, "ssh", "-F", str(lab.state_dir / "ssh_config"), *arguments)


def check_command(lab: Lab) -> str:
    """Return the command that checks the lab with the suite, to be pasted."""
    name = "" if lab.name == "default" else f"--name {lab.name} "
    inventory = os.path.relpath(lab.state_dir / "inventory")
    command = f".venv/bin/python -m lab exec {name}.venv/bin/python -m pytest --inventory {inventory}"
    return to_text(msg("check it: {command}", command=command))


def arguments_of(options: argparse.Namespace) -> list[str]:
    """Return the arguments of the command, without a leading `--`."""
    arguments: list[str] = options.arguments
    return arguments[1:] if arguments[:1] == ["--"] else arguments


def replace(lab: Lab, *command: str) -> None:
    """Replace this process by a command inside the lab, with the same terminal and exit status."""
    whole = lab.inside(*command)
    os.execvp(whole[0], whole)


def reboot(lab: Lab, options: argparse.Namespace) -> None:
    lab.reboot(options.host, notify=notify)
    if not injection.names(lab):
        lab.wait_ready()


def faults(_: Lab, __: argparse.Namespace) -> None:
    for fault in injection.faults().values():
        where = "" if fault.layout == "a" else to_text(msg(" (layout {layout})", layout=fault.layout))
        notify(f"{fault.name:28s} {injection.title(fault)}{where}")


def break_(lab: Lab, options: argparse.Namespace) -> None:
    injection.inject(lab, options.fault, notify)
    notify(check_command(lab))


def heal(lab: Lab, options: argparse.Namespace) -> None:
    injection.heal(lab, options.fault, notify)


def down(lab: Lab, _: argparse.Namespace) -> None:
    there = lifecycle.down(lab)
    notify(to_text(msg("the lab is down")) if there else to_text(msg("there was no lab")))


COMMANDS = {
    "up": up, "status": status, "exec": run, "ssh": ssh, "reboot": reboot,
    "faults": faults, "break": break_, "heal": heal, "down": down,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
