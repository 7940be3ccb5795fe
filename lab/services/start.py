"""Bring this host's roles up: write every configuration file first, then start every daemon once. May be run again."""

from __future__ import annotations

from .daemons import START
from .generation6.start import main as start_generation6
from .layout import SERVICES, from_environment, variables
from .render import render
from .roles import ORDER, PLUGINS, ROLES


def main() -> None:
    layout, address, roles = from_environment()
    if layout.generation == "6.x":
        start_generation6(layout, address, roles)
        return
    values = variables(layout, address)
    services = [ROLES[role] for role in roles if role in ROLES]
    absent = () if layout.plugins else PLUGINS
    for role in services:
        for tree in role.trees:
            if tree not in absent:
                render(tree, layout.home, values)
    if "nginx" in roles:
        for module in ("cmdb", "job"):
            if layout.addresses(module):
                render(f"nginx_{module}", layout.home, values)
        if layout.scheme == "https":
            render("nginx_tls", layout.home, values)
    if "paas" in roles:
        for service in SERVICES:
            more = {
                "SERVICE": service,
                "SERVICE_PORT": str(layout.ports[service]),
                "HTTP_TIMEOUT": "600" if service == "esb" else "60",
            }
            render("open_paas_service", layout.home, values | more)
    wanted = {daemon for role in services for daemon in role.daemons}.difference(absent)
    for daemon in ORDER:
        if daemon in wanted:
            START[daemon](layout, address)


if __name__ == "__main__":
    main()
