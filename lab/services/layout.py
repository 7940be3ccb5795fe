"""What one host knows of the deployment: the engine's layout.json, and the variables of the configuration templates."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .open_paas.passwords import hash_password

SERVICES = ("appengine", "paas", "esb", "login")
UNUSED_ADDRESS = "127.0.0.1"
"""The upstream of a module that the deployment does not have: nginx refuses an empty one."""

SEARCH_SETTINGS = """
# 多个地址用;分隔
ELASTICSEARCH_URLS = '{ES_IP}:{ES_REST_PORT}'
ELASTICSEARCH_HOSTS = ELASTICSEARCH_URLS.split(';')
"""

SECRETS = {
    "PAAS_ADMIN_USER": "admin",
    "PAAS_ADMIN_PASS": "Lab-admin-5Yq2",
    "MYSQL_USER": "open_paas",
    "MYSQL_PASS": "Lab-mysql-8Kd3",
    "REDIS_PASS": "Lab-redis-4Wz7",
    "ESB_TOKEN": "2f0c8d4e-lab-esb-token-6a1b9c7d",
    "LOGIN_SECRET_KEY": "lab-login-secret-key-Jx0vR5mT",
    "PAAS_SECRET_KEY": "lab-paas-secret-key-Hn3bE8wQ",
    "ESB_SECRET_KEY": "lab-esb-secret-key-Zc6uP1yL",
    "APPENGINE_SECRET_KEY": "lab-appengine-secret-key-Vt9kD4sF",
    "SAAS_APP_TOKEN": "7be1c2a4-lab-app-token-0d5f3e86",
}


@dataclass(frozen=True)
class Layout:
    """A deployment as layout.json tells it."""

    domain: str
    home: Path
    scheme: str
    ports: dict[str, int]
    names: dict[str, str]
    hosts: list[dict[str, Any]]
    bind_all: bool
    loopback: bool
    plugins: bool
    generation: str
    containers: bool
    controller: str

    @classmethod
    def of(cls, content: dict[str, Any]) -> Layout:
        """From what layout.json holds."""
        values = {field.name: content[field.name] for field in fields(cls)}
        return cls(**values | {"home": Path(content["home"])})

    def addresses(self, role: str) -> list[str]:
        return [host["address"] for host in self.hosts if role in host["roles"]]

    def first(self, role: str) -> str:
        """The address of the first host of a role; empty if the deployment has none."""
        return next(iter(self.addresses(role)), "")

    @property
    def site_port(self) -> int:
        """Where the public names are served."""
        return self.ports[self.scheme]

    def inner(self, address: str) -> str:
        """Where open_paas on that host, and its database, are asked."""
        return "127.0.0.1" if self.loopback else address

    def fqdn(self, module: str) -> str:
        return f"{module}.{self.domain}"

    def url(self, module: str) -> str:
        """scheme://name of a public name, with the port where it is not the usual one."""
        usual = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{self.fqdn(module)}" + (
            f":{self.site_port}" if self.site_port != usual else ""
        )


def load(path: str | Path) -> Layout:
    return Layout.of(json.loads(Path(path).read_text(encoding="utf-8")))


def variables(layout: Layout, address: str) -> dict[str, str]:
    """Every placeholder of the templates -> its value on the host with that address."""
    ports = layout.ports
    values = {
        "BK_HOME": str(layout.home),
        "LAN_IP": address,
        "WEB_IP": layout.inner(address),
        "BIND_IP": "0.0.0.0" if layout.bind_all else layout.inner(address),
        "HOST_NAME": next(host["name"] for host in layout.hosts if host["address"] == address),
        "BK_DOMAIN": layout.domain,
        "SCHEME": layout.scheme,
        "HTTP_PORT": str(ports["http"]),
        "SITE_LISTEN": f"{layout.site_port} ssl" if layout.scheme == "https" else str(layout.site_port),
        "APP_NGXPROXY_PORT": str(ports["agent_nginx"]),
        "PAAS_AGENT_PORT": str(ports["agent"]),
        "ES_REST_PORT": str(ports["es"]),
        "JOB_NGXPROXY_PORT": str(ports["job"]),
        "AGENT_SID": str(agent_secret(address, "sid")),
        "AGENT_TOKEN": str(agent_secret(address, "token")),
        "AGENT_ROWS": ", ".join(
            agent_row(layout, each, category)
            for role, category in (("appo", "app"), ("appt", "tapp"))
            for each in layout.addresses(role)
        ),
        "PAAS_ADMIN_HASH": hash_password(SECRETS["PAAS_ADMIN_PASS"], "labsalt"),
        **SECRETS,
    }
    for module in ("paas", "cmdb", "job"):
        values[f"{module.upper()}_FQDN"] = layout.fqdn(module)
        values[f"{module.upper()}_URL"] = layout.url(module)
        values[f"{module.upper()}_SITE"] = layout.url(module).partition("://")[2]
    for role in ("mysql", "redis", "es", "cmdb", "fta"):
        values[f"{role.upper()}_IP"] = layout.first(role)
    names = (*SERVICES, "mysql", "redis", "rabbitmq", "cmdb_api", "cmdb_web", "fta", "gse", "usermgr", "iam")
    for name in names:
        if name in ports:  # the last ones are of one generation
            values[f"{name.upper()}_PORT"] = str(ports[name])
    for name, role, port in (
        ("OPEN_PAAS", "paas", "paas"),
        ("OPEN_PAAS_APPENGINE", "paas", "appengine"),
        ("OPEN_PAAS_ESB", "paas", "esb"),
        ("OPEN_PAAS_LOGIN", "paas", "login"),
        ("PAAS_AGENT_PROD", "appo", "agent_nginx"),
        ("PAAS_AGENT_TEST", "appt", "agent_nginx"),
        ("CMDB", "cmdb", "cmdb_web"),
        ("JOB", "job", "job"),
    ):
        values[f"{name}_SERVERS"] = "\n".join(
            f"    server {layout.inner(each) if role == 'paas' else each}:{ports[port]} max_fails=1  fail_timeout=30s;"
            for each in layout.addresses(role) or [UNUSED_ADDRESS]
        )
    values["MYSQL_IP"] = layout.inner(values["MYSQL_IP"])
    values["SEARCH_SETTINGS"] = SEARCH_SETTINGS.format(**values) if layout.plugins else ""
    return values


def agent_secret(address: str, kind: str) -> uuid.UUID:
    """The same on the agent's host and in the database, another one for every agent."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"lab-agent-{kind}://{address}")


def agent_row(layout: Layout, address: str, category: str) -> str:
    name = next(host["name"] for host in layout.hosts if host["address"] == address)
    cells = [name, agent_secret(address, "sid").hex, agent_secret(address, "token").hex, address]
    cells += [str(layout.ports["agent"]), str(layout.ports["agent_nginx"]), category]
    return "(" + ", ".join(f"'{cell}'" for cell in cells) + ")"


def from_environment() -> tuple[Layout, str, list[str]]:
    """Layout, address and roles of this host, as boot.sh gives them."""
    return load(os.environ["LAYOUT_JSON"]), os.environ["ADDRESS"], os.environ["ROLES"].split()
