"""The command line of the lab: `python -m lab --help`."""

from __future__ import annotations

import argparse
import os
import sys

from bkpaas import lang
from bkpaas.lang import say
from lab import broken, layouts, lifecycle, machine
from lab.control import READY_SECONDS, Lab
from lab.errors import LabError

EN = """\
A miniature BlueKing deployment on this machine: several hosts with real sshd, nginx, supervisord, uwsgi, MariaDB,
redis and RabbitMQ, and faults to break it with. Nothing of it is reachable from this machine's network, or the
other way round; it changes nothing outside .lab/ and needs root or a user with subordinate ids.

  python -m lab up                       bring it up (the first time it builds the hosts' disk, about a minute)
  python -m lab exec .venv/bin/python -m pytest --inventory .lab/default/inventory     look at it with the suite
  python -m lab faults                   what can be broken
  python -m lab break NAME ; python -m lab heal                    break it, mend it
  python -m lab ssh paas-1               look for yourself (also ops@paas-1 with sudo, guest@paas-1 without)
  python -m lab down                     end it without a trace

Every command takes --name NAME: another name is another lab, beside the first."""

ZH = """\
本机上的微型蓝鲸部署：多台主机，运行真实的 sshd、nginx、supervisord、uwsgi、MariaDB、redis 和 RabbitMQ，并可注入故障。
实验环境与本机网络互不可达；除 .lab/ 外不改动任何内容；需要 root，或拥有从属 id 的普通用户。

  python -m lab up                       启动（首次需构建主机磁盘，约一分钟）
  python -m lab exec pytest --inventory .lab/default/inventory     用验收套件检查
  python -m lab faults                   列出可注入的故障
  python -m lab break NAME ; python -m lab heal                    注入故障，修复故障
  python -m lab ssh paas-1               自己登录查看（ops@paas-1 有 sudo，guest@paas-1 没有）
  python -m lab down                     停止并清除

所有命令都支持 --name NAME：不同的名字是并存的另一套环境。"""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m lab",
        description=say(en=EN, zh=ZH),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--name", default="default", help=say(en="which lab", zh="实验环境的名字"))
        return command

    up = add("up", say(en="bring the lab up and wait until everything answers", zh="启动并等待全部就绪"))
    up.add_argument("layout", nargs="?", default="a", metavar="LAYOUT",
                    help=say(en="which hosts: ", zh="主机布局：") + f"{', '.join(layouts.available())}, random:SEED (a)")  # fmt: skip
    up.add_argument("--timeout", type=float, default=READY_SECONDS, metavar="SECONDS",
                    help=say(en="how long it may take", zh="最长等待时间") + " (%(default)g)")  # fmt: skip
    up.add_argument("--keep", action="store_true",
                    help=say(en="leave it running even if something does not become ready", zh="未就绪时也保持运行"))  # fmt: skip
    add(
        "status",
        say(
            en="the hosts, and whether they are ready; exit status 1 if not",
            zh="主机及其状态；未就绪时退出码为 1",
        ),
    )
    run = add(
        "exec",
        say(en="run a command in the lab's network, with the lab's names", zh="在实验环境的网络中运行命令"),
    )
    run.add_argument("arguments", nargs=argparse.REMAINDER, metavar="CMD...")
    ssh = add("ssh", say(en="log in to a host, or run a command there", zh="登录主机或在其上运行命令"))
    ssh.add_argument("arguments", nargs=argparse.REMAINDER, metavar="[USER@]HOST [CMD...]")
    reboot = add(
        "reboot",
        say(en="give a host a pristine disk; returns when all is ready again", zh="重置一台主机并等待就绪"),
    )
    reboot.add_argument("host", metavar="HOST")
    add("faults", say(en="list the faults", zh="列出故障"))
    breaking = add("break", say(en="inject a fault", zh="注入故障"))
    breaking.add_argument("fault", metavar="NAME")
    heal = add("heal", say(en="undo a fault, or all of them", zh="撤销一个或全部故障"))
    heal.add_argument("fault", nargs="?", metavar="NAME")
    add("down", say(en="end the lab; only the logs of its last run remain", zh="停止；只保留最近一次的日志"))
    return top


def tell(line: str) -> None:
    """Print at once. Whoever stopped reading (`| head`) has seen enough: the work goes on in silence."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> int:
    lang.speak(lang.of_locale())
    machine.complete_path()
    options = parser().parse_args()
    try:
        return int(COMMANDS[options.command](Lab(options.name), options) or 0)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    except PermissionError as error:
        tell(f"{error.filename}: {error.strerror}")
        tell(say(en="it belongs to another user: the lab is used by the user who started it (sudo?)",
                 zh="属于其他用户：实验环境只能由启动它的用户使用（需要 sudo？）"))  # fmt: skip
        return 1
    except KeyboardInterrupt:
        return 130


def up(lab: Lab, options: argparse.Namespace) -> None:
    lifecycle.up(lab, layouts.load(options.layout), tell, seconds=options.timeout, keep=options.keep)
    tell(look(lab))


def status(lab: Lab, _: argparse.Namespace) -> int:
    lab.started()
    missing: dict[str, str] = {}
    seen: set[str] = set()
    for event in lab.checks():
        seen.add(event.host)
        if event.missing:
            missing[event.host] = f"{event.name}: {event.missing}"
    for host in lab.layout.hosts:
        state = missing.get(host.name) or (
            say(en="ready", zh="就绪") if not missing else say(en="not asked to the end", zh="未完全检查")
        )
        tell(f"{host.name:10s} {host.address:14s} {','.join(host.roles):22s} {state}")
    for name in broken.names(lab):
        tell(say(en="broken: ", zh="已注入故障：") + name)
    return 1 if missing else 0


def run(lab: Lab, options: argparse.Namespace) -> None:
    replace(lab, "env", "-C", os.getcwd(), *(words(options) or [os.environ.get("SHELL", "/bin/sh")]))


def ssh(lab: Lab, options: argparse.Namespace) -> None:
    arguments = words(options)
    if not arguments:
        raise LabError(
            say(en="which host?", zh="哪台主机？") + f" {' '.join(host.name for host in lab.layout.hosts)}"
        )
    replace(lab, "ssh", "-F", str(lab.state_dir / "ssh_config"), *arguments)


def look(lab: Lab) -> str:
    """The command that looks at the lab with the suite, in words that can be pasted."""
    name = "" if lab.name == "default" else f"--name {lab.name} "
    inventory = os.path.relpath(lab.state_dir / "inventory")
    return (
        say(en="look at it: ", zh="检查：")
        + f".venv/bin/python -m lab exec {name}.venv/bin/python -m pytest --inventory {inventory}"
    )


def words(options: argparse.Namespace) -> list[str]:
    found: list[str] = options.arguments
    return found[1:] if found[:1] == ["--"] else found


def replace(lab: Lab, *command: str) -> None:
    """Become that command inside the lab: its terminal and its exit status are ours."""
    whole = lab.inside(*command)
    os.execvp(whole[0], whole)


def reboot(lab: Lab, options: argparse.Namespace) -> None:
    lab.reboot(options.host, tell=tell)
    if not broken.names(lab):
        lab.wait_ready()


def faults(_: Lab, __: argparse.Namespace) -> None:
    for fault in broken.faults().values():
        where = (
            "" if fault.layout == "a" else say(en=f" (layout {fault.layout})", zh=f"（布局 {fault.layout}）")
        )
        tell(f"{fault.name:28s} {say(en=fault.title_en, zh=fault.title_zh)}{where}")


def break_(lab: Lab, options: argparse.Namespace) -> None:
    broken.inject(lab, options.fault, tell)
    tell(look(lab))


def heal(lab: Lab, options: argparse.Namespace) -> None:
    broken.heal(lab, options.fault, tell)


def down(lab: Lab, _: argparse.Namespace) -> None:
    there = lifecycle.down(lab)
    tell(
        say(en="the lab is down", zh="实验环境已停止")
        if there
        else say(en="there was no lab", zh="没有实验环境")
    )


COMMANDS = {
    "up": up, "status": status, "exec": run, "ssh": ssh, "reboot": reboot,
    "faults": faults, "break": break_, "heal": heal, "down": down,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
