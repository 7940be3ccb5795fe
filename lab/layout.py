"""The shape of a layout: its hosts, ports and names; its form as JSON is described in lab.layouts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from ipaddress import IPv4Network
from typing import Any

from bkpaas.messages import msg
from lab.errors import LabError

PORTS_5 = {
    "http": 80,
    "appengine": 8000,
    "paas": 8001,
    "esb": 8002,
    "login": 8003,
    "agent_nginx": 8010,
    "agent": 4245,
    "redis": 6379,
    "rabbitmq": 5672,
    "mysql": 3306,
    "es": 10004,
    "cmdb_api": 33031,
    "cmdb_web": 33083,
    "job": 8008,
    "fta": 13031,
}
"""The usual TCP ports of generation 5.x by service."""
PORTS_6 = {
    **{name: port for name, port in PORTS_5.items() if name != "fta"},
    "es": 9200,
    "gse": 10503,
    "usermgr": 8009,
    "iam": 5001,
}
"""The usual TCP ports of generation 6.x by service."""


@dataclass(frozen=True)
class Host:
    """One host: its roles are the words of install.config; nothing runs for those that have no program here."""

    name: str
    address: str
    roles: tuple[str, ...]
    more_addresses: tuple[str, ...] = ()
    """Further addresses of its one network card, as a host with a second card or a virtual address has."""


@dataclass(frozen=True)
class Layout:
    """A deployment in miniature."""

    name: str
    hosts: tuple[Host, ...]
    ports: dict[str, int]
    """TCP port by service."""
    names: dict[str, str]
    """Public name -> address."""
    inventory: str = "lab"
    """Its directory in the repository's inventory/; empty: made as the layout was, at random."""
    names_in_dns: bool = True
    """Else the names stand in every host's /etc/hosts, and the controller does not know them."""
    bind_all: bool = True
    """Do the data services listen on all addresses of their host? Else on its first one only."""
    loopback: bool = False
    """Do open_paas and its database listen on 127.0.0.1 only? Then nginx and mysql must be on the paas host."""
    plugins: bool = True
    """Are paas_plugins there, which bring logs to the developer centre? The open-source edition has none."""
    domain: str = "bklab.test"
    generation: str = "5.x"
    systemd: bool = False
    """Is systemd the PID 1 of the hosts? Else a small init of the lab."""
    containers: bool = False
    """Do open_paas and usermgr run in containers, as in generation 6.2 and later?"""
    home: str = "/data/bkce"
    scheme: str = "http"
    network: str = "10.66.0.0/24"
    timezone: str = "Asia/Shanghai"
    disk_mb: int = 512
    """Size of one host's disk, in memory only as far as it is written to."""

    @property
    def controller(self) -> str:
        """The address of the side that looks at the hosts: the lab's resolver and time server, and pytest."""
        return str(next(IPv4Network(self.network).hosts()))

    @property
    def prefix(self) -> int:
        return IPv4Network(self.network).prefixlen

    def host(self, name: str) -> Host:
        """Return the host of that name or address. Raises LabError."""
        for host in self.hosts:
            if name in (host.name, host.address):
                return host
        names = ", ".join(host.name for host in self.hosts)
        raise LabError(
            msg(
                "layout {layout} has no host {name!r}; it has {known}",
                layout=self.name,
                name=name,
                known=names,
            )
        )

    def known_names(self) -> dict[str, list[str]]:
        """Every name of the lab's resolver -> addresses."""
        addresses = {name: [address] for name, address in self.names.items() if self.names_in_dns}
        for host in self.hosts:
            addresses[host.name] = [host.address]
            for role in host.roles if self.generation == "5.x" else ():  # else each host has its own consul
                addresses.setdefault(f"{role}.service.consul", []).append(host.address)
        return addresses

    def to_json(self) -> dict[str, Any]:
        """What the hosts, ready.py and the faults read: see the head of this file."""
        return asdict(self) | {"resolver": self.known_names(), "controller": self.controller}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Layout:
        """The layout that to_json() gave."""
        values = {item.name: record[item.name] for item in fields(cls)}
        values["hosts"] = tuple(
            Host(one["name"], one["address"], tuple(one["roles"]), tuple(one["more_addresses"]))
            for one in record["hosts"]
        )
        return cls(**values)
