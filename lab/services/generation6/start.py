"""Make this host what its roles say, before systemd starts: configuration files, unit files, consul's definitions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ..layout import SERVICES, Layout, variables
from ..render import render
from .containers import CONTAINERS
from .roles import ROLES
from .units import UNIT

CONSUL = Path("/etc/consul.d")
KEYS = "public/consul/kv.json"
CHECK_SECONDS = 3
"""The original checks every 10 s; the lab must not wait that long."""
ABSENT = {"console": 8004, "apigw": 8005}
"""Modules that are not installed: the installer writes their uwsgi files nevertheless."""
ES_PASSWORD = "Lab-es-7Tn2"


def main(layout: Layout, address: str, roles: list[str]) -> None:
    """Write everything; may be run again."""
    values = variables(layout, address) | {"ES_PASS": ES_PASSWORD, "WORKERS": "2"}
    services = [ROLES[role] for role in roles if role in ROLES]
    for role in services:
        for tree in role.trees:
            render(tree, layout.home, values)
    if "paas" in roles:
        for service, port in ({name: layout.ports[name] for name in SERVICES} | ABSENT).items():
            more = {
                "SERVICE": service,
                "SERVICE_PORT": str(port),
                "HTTP_TIMEOUT": "600" if service == "esb" else "60",
            }
            render("six_open_paas_ini", layout.home, values | more)
            if service not in ABSENT:
                render("six_open_paas_service", layout.home, values | more)
    write_consul(layout, address, [service for role in services for service in role.services])
    resolver = "nameserver 127.0.0.1\nsearch node.consul\n"
    Path("/etc/resolv.conf").write_text(resolver, "ascii")
    for name in (
        "sshd",
        "chronyd",
        "consul",
        *dict.fromkeys(name for role in services for name in role.units),
    ):
        write = CONTAINERS.get(name, UNIT[name]) if layout.containers else UNIT[name]
        write(layout, address)
    (layout.home / "logs").mkdir(exist_ok=True)
    shutil.chown(layout.home / "logs", "blueking", "blueking")


def write_consul(layout: Layout, address: str, services: list[tuple[str, str]]) -> None:
    """Write the agent's configuration, one definition per service, and the keys."""
    (CONSUL / "service").mkdir(parents=True, exist_ok=True)
    leader = layout.first("paas")
    config = {
        "node_name": next(host["name"] for host in layout.hosts if host["address"] == address),
        "bind_addr": address,
        "retry_join": [host["address"] for host in layout.hosts if host["address"] != address],
        "recursors": [layout.controller],
        "leader": leader,
        "check_seconds": CHECK_SECONDS,
        "kv_file": str(layout.home / KEYS),
    }
    (CONSUL / "consul.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    for name, port in services:
        check = {"tcp": f"{address}:{layout.ports[port]}", "interval": "10s", "timeout": "3s"}
        service = {
            "id": f"{name}-{address}",
            "name": name,
            "address": address,
            "port": layout.ports[port],
            "check": check,
        }
        text = json.dumps({"service": service}, indent=2) + "\n"
        (CONSUL / f"service/{name}.json").write_text(text, "utf-8")
    keys = {
        "bkcfg/fqdn/paas": layout.fqdn("paas"),
        "bkcfg/ports/paas_http": str(layout.ports["http"]),
        "bkcfg/ports/paasagent": str(layout.ports["agent_nginx"]),
        "bkapps/upstreams/test/t.bk_framework": json.dumps(_servers(layout, "appt")),
        "bkapps/upstreams/prod/bk_framework": json.dumps(_servers(layout, "appo")),
    }
    file = layout.home / KEYS
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(keys, indent=2) + "\n", "utf-8")


def _servers(layout: Layout, role: str) -> list[str]:
    return [f"{address}:{layout.ports['agent_nginx']}" for address in layout.addresses(role)]
