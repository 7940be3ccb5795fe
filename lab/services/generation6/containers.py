"""What the hosts of generation 6.2 and later have instead of units: docker, images and containers that stay."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from shlex import join

from ..daemons import link, logs
from ..layout import SERVICES, Layout
from ..programs import install
from .units import MULTI_USER, program, write

VERSION = "2.14.68"
OLD_VERSION = "2.14.60"
"""Of an image that the hosts have as well: the one before the upgrade."""
PROGRAMS = Path("/opt/docker")
DATA_ROOT = "public/docker"
IMAGES = Path("/opt/docker/images")
START = Path("/opt/docker/start.sh")
MEMORY = "512m"
"""resource.tpl of the installer; without a unit it would be 512 bytes."""
ONESHOT = """[Unit]
Description=The containers that the installer has started
After=docker.service
Requires=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/bash {start}

[Install]
WantedBy=multi-user.target
"""


def open_paas(layout: Layout, address: str) -> None:
    """Write the images of the services and the commands that create their containers."""
    logs(layout, "open_paas")
    (layout.home / "open_paas/cert").mkdir(exist_ok=True)
    (layout.home / "open_paas/cert/saas_priv.txt").write_text("")
    (layout.home / "cert").mkdir(exist_ok=True)
    (layout.home / "public/open_paas").mkdir(parents=True, exist_ok=True)
    lines = []
    for service in SERVICES:
        venv = IMAGES / f"open_paas-{service}"
        link(venv / "bin/python", "/usr/bin/python3")
        link(venv / "bin/uwsgi", "/usr/bin/uwsgi-core")
        lines.append(create(layout, service))
    _docker(
        layout, {f"bk-paas-{name}:{tag}": _image(layout, name) for name in SERVICES for tag in TAGS}, lines
    )


TAGS = (VERSION, OLD_VERSION)


def create(layout: Layout, service: str, version: str = VERSION, memory: str = MEMORY) -> str:
    """Return the command that creates and starts the container of a service, as the installer does."""
    home = layout.home
    own = f"{home}/etc/uwsgi-open_paas-{service}.ini"
    places = [f"{home}/open_paas", f"{home}/cert", f"{home}/public/open_paas", f"{home}/logs/open_paas", own]
    words = ["docker", "run", "-d", "--name", f"bk-paas-{service}", "--network=host", "--cpu-shares=1024"]
    words += ["--memory", memory, *(f"-v={place}:{place}" for place in places)]
    return join([*words, f"bk-paas-{service}:{version}"])


def usermgr(layout: Layout, address: str) -> None:
    home = layout.home
    install(home / "usermgr/bin/usermgr", "usermgr")
    conf = f"{home}/etc/usermgr.conf"
    image = {
        "Id": "sha256:" + "ab" * 32, "Cmd": [f"{home}/usermgr/bin/usermgr", "-c", conf],
        "WorkingDir": str(home), "Files": {},
    }  # fmt: skip
    words = ["docker", "run", "-d", "--name", "bk-usermgr-usermgr", "--network=host", "--memory", MEMORY]
    line = join([*words, f"-v={conf}:{conf}", f"bk-usermgr-usermgr:{VERSION}"])
    _docker(layout, {f"bk-usermgr-usermgr:{VERSION}": image}, [line])


def _image(layout: Layout, service: str) -> dict[str, object]:
    """Return the image of a service: its command, and the virtual environments that only the container has."""
    venvs = layout.home / ".envs"
    venvs.mkdir(exist_ok=True)
    command = [f"{venvs}/open_paas-{service}/bin/uwsgi", "--ini"]
    return {
        "Id": "sha256:" + service.encode().hex().ljust(64, "0"),
        "Cmd": [*command, f"{layout.home}/etc/uwsgi-open_paas-{service}.ini"],
        "WorkingDir": f"{layout.home}/open_paas/{service}",
        "Files": {str(venvs): str(IMAGES)},
    }


def _docker(layout: Layout, images: dict[str, dict[str, object]], lines: list[str]) -> None:
    """Install docker with these images, and a unit that runs the lines once."""
    for name, module in (("docker", "docker"), ("dockerd", "dockerd"), ("containerd-shim-runc-v2", "shim")):
        install(PROGRAMS / "bin" / name, module)
    client = Path("/usr/bin/docker")
    client.write_text(f'#!/bin/sh\nexec {PROGRAMS}/bin/docker "$@"\n', "utf-8")
    client.chmod(0o755)
    root = layout.home / DATA_ROOT
    (root / "image").mkdir(parents=True, exist_ok=True)
    root.chmod(0o711)
    (root / "image/images.json").write_text(json.dumps(images), "utf-8")
    Path("/etc/docker").mkdir(exist_ok=True)
    settings = {"data-root": str(root), "exec-opts": ["native.cgroupdriver=cgroupfs"], "bridge": "none"}
    settings |= {"iptables": False, "ip-forward": False, "live-restore": True, "log-driver": "json-file"}
    Path("/etc/docker/daemon.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
    more = (
        "KillMode=process\nRestart=always\nRestartSec=2s\nExecStartPost=/bin/sh -c"
        " 'until [ -S /run/docker.sock ]; do sleep 0.05; done'\n"
    )
    program("docker", "Docker Application Container Engine", f"{PROGRAMS}/bin/dockerd", more=more)
    START.write_text("\n".join(["set -e", *lines]) + "\n", "utf-8")
    write("lab-containers.service", ONESHOT.format(start=START), MULTI_USER)


CONTAINERS: dict[str, Callable[[Layout, str], None]] = {"open_paas": open_paas, "usermgr": usermgr}
"""Instead of the units of the same names."""
