"""What each role of install.config puts on a host: trees of configuration files, and the daemons that use them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    trees: tuple[str, ...]
    daemons: tuple[str, ...]


AGENT = Role(("nginx", "agent", "paas_plugins", "log_agent"), ("saas", "nginx", "paas_plugins", "paas_agent"))
PLUGINS = ("paas_plugins", "log_agent", "log_parser")
"""Trees and daemons that a deployment without them leaves out."""

ROLES = {
    "paas": Role(("open_paas", "paas_plugins", "log_parser"), ("open_paas", "paas_plugins")),
    "nginx": Role(("nginx", "nginx_gate"), ("nginx",)),
    "appo": AGENT,
    "appt": AGENT,
    "redis": Role(("redis",), ("redis",)),
    "rabbitmq": Role(("rabbitmq",), ("rabbitmq",)),
    "mysql": Role(("mysql",), ("mysql",)),
    "es": Role((), ("es",)),
    "cmdb": Role(("cmdb",), ("cmdb",)),
    "fta": Role(("fta",), ("fta",)),
    "job": Role(("job",), ("job",)),
}

ORDER = (
    *("mysql", "redis", "es", "rabbitmq", "cmdb", "fta", "job"),
    *("open_paas", "nginx", "saas", "paas_plugins", "paas_agent"),
)
"""Daemons in the order of their start; a host that has several roles starts each once."""
