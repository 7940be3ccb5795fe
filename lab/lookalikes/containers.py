"""Look-alikes of generation 6.2: containers and units that look like faults and are none of the platform's."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import address, host
from lab.faults.containers import (
    LOGIN,
    SERVICES,
    START,
    UNITS_OF_6_1,
    await_service,
    await_state,
    docker,
)
from lab.faults.units import paas, systemctl
from lab.lookalikes.lookalike import Lookalike

OTHERS = "my-bk-paas-tool"
"""A name that contains that of the platform's containers and does not begin with it."""


def fail_another_container(lab: Lab) -> None:
    """A container of another product was killed on a paas host."""
    docker(lab, paas(lab), f"run -d --name {OTHERS} bk-paas-login:2.14.60")
    docker(lab, paas(lab), f"kill {OTHERS}")


def remove_another_container(lab: Lab) -> None:
    docker(lab, paas(lab), f"rm -f {OTHERS}")


def have_restarted(lab: Lab) -> None:
    """login's container was killed and started again before the run."""
    name = paas(lab)
    docker(lab, name, f"kill {LOGIN}")
    await_state(lab, name, LOGIN, "exited 137")
    docker(lab, name, f"start {LOGIN}")
    await_service(lab, name, "login")


def have_reloaded(lab: Lab) -> None:
    """A plain kill reloads uwsgi: the same first process, new workers."""
    name = paas(lab)
    lab.run(name, f"kill $(docker inspect -f '{{{{.State.Pid}}}}' {LOGIN})")
    await_service(lab, name, "login")


def nothing(lab: Lab) -> None:
    await_service(lab, paas(lab), "login")


def leave_unit_files(lab: Lab) -> None:
    """An upgrade has left the unit files of 6.1, disabled."""
    name = host(lab, "paas")
    lab.run(name, UNITS_OF_6_1.format(address=address(lab, name)))
    units = " ".join(f"bk-paas-{service}.service" for service in SERVICES)
    systemctl(lab, name, f"disable {units} bk-paas.target blueking.target")
    lab.run(name, f"chown -R root:root {lab.layout.home}/logs/open_paas {lab.layout.home}/open_paas")


def remove_unit_files(lab: Lab) -> None:
    units = " ".join(f"bk-paas-{service}.service" for service in SERVICES)
    files = f"cd /usr/lib/systemd/system && rm -f {units} bk-paas.target blueking.target"
    name = host(lab, "paas")
    lab.run(name, f"({files}); rm -rf {lab.layout.home}/.envs/open_paas-*; systemctl daemon-reload")


def keep_old(lab: Lab) -> None:
    """The container of the former version was kept under another name and does not run."""
    line = f"$(grep -- '--name {LOGIN} ' {START} | sed 's/--name {LOGIN} /--name {LOGIN}-old /')"
    docker(lab, paas(lab), f"stop {LOGIN}")
    lab.run(paas(lab), f'eval "{line}"; docker stop {LOGIN}-old; docker start {LOGIN}', timeout=90)
    await_service(lab, paas(lab), "login")


def remove_old(lab: Lab) -> None:
    docker(lab, paas(lab), f"rm -f {LOGIN}-old")


LOOKALIKES = [
    Lookalike("container-kept", "The container of the former version is kept under another name", "保留了旧版本的容器，名称不同，未运行", keep_old, remove_old, layout="f"),
    Lookalike("container-of-another-product", "A container of another product that was killed", "其他产品已被杀死的容器", fail_another_container, remove_another_container, layout="f"),
    Lookalike("container-restarted-once", "A container that was started again before the run", "运行之前重新启动过的容器", have_restarted, nothing, layout="f"),
    Lookalike("container-reloaded", "A uwsgi in a container that was reloaded by TERM", "容器中被 TERM 重载过的 uwsgi", have_reloaded, nothing, layout="f"),
    Lookalike("unit-files-left", "Disabled unit files of 6.1 on a host with containers", "容器主机上遗留的、已禁用的 6.1 单元文件", leave_unit_files, remove_unit_files, layout="f"),
]  # fmt: skip
