"""Layouts made at random, `random:SEED`: the roles of a deployment spread over two to nine hosts, in many ways.

The same seed is the same layout. Everything that may differ between sites differs here: which roles share a host,
ports, home, scheme, where services listen, who knows the names, with which account the hosts are looked at.
"""

from __future__ import annotations

import json
import random

from bkpaas.messages import msg
from lab.errors import LabError
from lab.layout import Host, Layout
from lab.layouts import a, b

PREFIX = "random:"
DOMAIN = "bkany.test"
NETWORK = "10.70.0"
VIRTUAL = f"{NETWORK}.200"
MOST = {"paas": 3, "nginx": 2, "appo": 2, "es": 2}
"""How many hosts a role may have; one where nothing is said."""
OPTIONAL = ("appt", "job")
"""What a site may do without, and"""
LOGS = ("es", "redis", "rabbitmq")
"""what it may do without when it has no paas_plugins."""
ZONES = ("Asia/Shanghai", "PRC", "UTC", "Europe/Berlin")
ROLES = ("paas", "nginx", "appo", "appt", "redis", "rabbitmq", "mysql", "es", "cmdb", "job", "fta")
PORT_NAMES = {"agent": "PAAS_AGENT_PORT", "agent_nginx": "APP_NGXPROXY_PORT", "es": "ES_REST_PORT"} | {
    name: f"{name.upper()}_PORT" for name in ("redis", "rabbitmq", "mysql")
}
"""Port of a layout -> its variable in ports.env; those of open_paas the suite finds on the hosts."""


def layout(name: str) -> Layout:
    """The layout random:SEED; LabError if SEED is not a number."""
    seed = name.removeprefix(PREFIX)
    if not seed.isdecimal():
        raise LabError(msg("{name}: SEED is a number, as in {prefix}7", name=name, prefix=PREFIX))
    chance = random.Random(int(seed))
    count = chance.randint(2, 9)
    plugins = chance.random() < 0.7
    absent = {role for role in (*OPTIONAL, *(() if plugins else LOGS)) if chance.random() < 0.3}
    loopback = chance.random() < 0.2
    roles = _spread(chance, count, [role for role in ROLES if role not in absent], loopback)
    hosts = tuple(
        Host(f"box-{number}", f"{NETWORK}.{10 + number}", tuple(names)) for number, names in roles.items()
    )
    fronts = [host for host in hosts if "nginx" in host.roles]
    entrance = fronts[0].address
    if chance.random() < 0.5:
        entrance = VIRTUAL
        hosts = tuple(
            Host(host.name, host.address, host.roles, (VIRTUAL,)) if host is fronts[0] else host
            for host in hosts
        )
    return Layout(
        name=name,
        inventory="",
        hosts=hosts,
        ports={"https": 443, **chance.choice((a, b)).LAYOUT.ports},
        names={f"{module}.{DOMAIN}": entrance for module in ("paas", "cmdb", "job")},
        names_in_dns=chance.random() < 0.5,
        bind_all=chance.random() < 0.5 or loopback,  # else all data services bind as open_paas does
        loopback=loopback,
        plugins=plugins,
        domain=DOMAIN,
        home=chance.choice(("/data/bkce", "/data/bkee")),
        scheme=chance.choice(("http", "https")),
        network=f"{NETWORK}.0/24",
        timezone=chance.choice(ZONES),
    )


def _spread(chance: random.Random, count: int, roles: list[str], loopback: bool) -> dict[int, list[str]]:
    """Number of a host -> its roles; every host has one, and appo and appt want the same port.

    loopback: open_paas, its nginx and its database share one host, since they meet on 127.0.0.1.
    """
    spread: dict[int, list[str]] = {number: [] for number in range(1, count + 1)}
    for role in roles:
        if loopback and role in ("paas", "nginx", "mysql"):
            spread[1].append(role)
            continue
        free = [number for number, names in spread.items() if role != "appt" or "appo" not in names]
        most = min(MOST.get(role, 1), len(free) - (role == "appo"))
        for number in chance.sample(free, chance.randint(1, most)):
            spread[number].append(role)
    for names in spread.values():
        if not names:
            names.append("consul")
    return spread


def inventory(layout: Layout, state: str) -> dict[str, str]:
    """File name -> content: what an operator of that site would have; state: the directory with the lab's keys."""
    site = layout.scheme == "https"
    virtual = [address for host in layout.hosts for address in host.more_addresses]
    account = {"user": "ops", "sudo": True} if len(layout.hosts) % 2 else {"user": "root"}
    overlay = {
        "connect": account | {"key": f"{state}/id_ed25519", "known_hosts": f"{state}/known_hosts"},
        "hosts": [{"name": host.name, "address": host.address} for host in layout.hosts],
        **({"virtual_addresses": virtual} if virtual else {}),
        **({"ca_file": f"{state}/tls/ca.crt"} if site else {}),
    }
    settings = {
        "BK_DOMAIN": layout.domain,
        **{f"{module}_FQDN": f"{module.lower()}.{layout.domain}" for module in ("PAAS", "CMDB", "JOB")},
        "INSTALL_PATH": layout.home,
        "HTTP_SCHEMA": layout.scheme,
    }
    ports = {variable: layout.ports[name] for name, variable in PORT_NAMES.items()}
    ports |= {"PAAS_HTTP_PORT": layout.ports["http"], "PAAS_HTTPS_PORT": layout.ports["https"]}
    return {
        "install.config": "".join(f"{host.address} {','.join(host.roles)}\n" for host in layout.hosts),
        "globals.env": "".join(f'export {name}="{value}"\n' for name, value in settings.items()),
        "ports.env": "".join(f"export {name}={value}\n" for name, value in ports.items()),
        "deployment.yaml": json.dumps(overlay, indent=1) + "\n",
    }
