"""An upgrade from 5.x to 6.1 that has not reached a paas host: supervisord runs its services."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import (
    address,
    await_http,
    await_states,
    host,
    keep,
    restore,
    start_supervisord,
    supervisorctl,
)
from lab.faults.fault import Fault
from lab.faults.units import await_registered, await_service, ini, systemctl

SERVICES = ("appengine", "paas", "esb", "login")
NOT_IN_5 = ("console", "apigw")
"""Modules whose ini files the installer of 5.x does not write."""
INSTALL_6_1 = (
    'cd /opt && python3 -c "from lab.generation6 import units; from lab.layout import load;'
    " units.open_paas(load('/opt/lab/layout.json'), '{address}')\" && systemctl daemon-reload"
)
"""Install the units and virtual environments of 6.1 on a paas host."""


def remove_units(lab: Lab, name: str) -> None:
    """Stop the services of a host and remove its units and targets."""
    units = " ".join(f"bk-paas-{service}.service" for service in SERVICES)
    systemctl(lab, name, f"disable --now {units} bk-paas.target blueking.target")
    files = f"cd /usr/lib/systemd/system && rm -f {units} bk-paas.target blueking.target"
    lab.run(name, f"({files}); systemctl daemon-reload")


def leave_supervisord(lab: Lab) -> None:
    """The second paas host has the virtual environments of 5.x and its supervisord, and no unit."""
    name = host(lab, "paas", 1)
    remove_units(lab, name)
    moves = "; ".join(f"mv .envs/open_paas-{service} .envs/{service}" for service in SERVICES)
    links = (
        "mkdir -p .envs/open_paas/bin; ln -sf /usr/bin/python3 .envs/open_paas/bin/python;"
        " ln -sf /usr/bin/supervisord /usr/bin/supervisorctl .envs/open_paas/bin/"
    )
    for module in NOT_IN_5:
        keep(lab, name, ini(lab, module))
        lab.run(name, f"rm -f {ini(lab, module)}")
    lab.run(name, f"cd {lab.layout.home} && {moves}; {links}")
    start_supervisord(lab, name)
    await_states(lab, name, "RUNNING", *SERVICES)
    for service in SERVICES:
        path = "/v1/ping/" if service == "appengine" else "/ping/"
        await_http(lab, name, f"http://{address(lab, name)}:{lab.layout.ports[service]}{path}", "200")
    await_registered(lab, name)


def replace_supervisord(lab: Lab) -> None:
    """Complete the upgrade of the second host."""
    name = host(lab, "paas", 1)
    supervisorctl(lab, name, "shutdown")
    environments = " ".join(f".envs/{service}" for service in ("open_paas", *SERVICES))
    for module in NOT_IN_5:
        restore(lab, name, ini(lab, module))
    lab.run(name, f"cd {lab.layout.home} && rm -rf {environments}")
    lab.run(name, INSTALL_6_1.format(address=address(lab, name)))
    systemctl(lab, name, "start " + " ".join(f"bk-paas-{service}" for service in SERVICES))
    systemctl(lab, name, "start bk-paas.target blueking.target")
    for service in SERVICES:
        await_service(lab, name, service)
    await_registered(lab, name)


FAULTS = [
    Fault(
        "upgrade-left-supervisord",
        "generation-mixed",
        "fatal-exited-too-quickly",
        "The upgrade from 5.x has not reached one paas host",
        "从 5.x 升级时遗漏了一台 paas 主机",
        leave_supervisord,
        replace_supervisord,
        layout="e",
    ),
]
