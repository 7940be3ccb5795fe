"""Layouts: which hosts a lab has, what runs on them and under which names they are reached.

A layout is a module of this package that defines LAYOUT. Its hosts learn it as JSON (`layout.json` below the
directory that `boot.sh` runs in):

    {"name": "a", "generation": "5.x", "domain": "bklab.test", "home": "/data/bkce", "scheme": "http",
     "network": "10.66.0.0/24", "controller": "10.66.0.1", "timezone": "Asia/Shanghai", "disk_mb": 512,
     "names_in_dns": true, "bind_all": true, "loopback": false, "plugins": true, "inventory": "lab",
     "ports": {"paas": 8001, ...},
     "names": {"paas.bklab.test": "10.66.0.30", ...},
     "resolver": {"paas.bklab.test": ["10.66.0.30"], "redis.service.consul": ["10.66.0.51"], ...},
     "hosts": [{"name": "paas-1", "address": "10.66.0.11", "roles": ["paas"], "more_addresses": []}, ...]}

The resolver knows the names, unless they stand in the hosts' own /etc/hosts, the hosts and ROLE.service.consul.
"""

from __future__ import annotations

import importlib
import pkgutil

from bkpaas.messages import msg
from lab import generated
from lab.errors import LabError
from lab.layout import Host, Layout

__all__ = ["Host", "Layout", "available", "load"]


def available() -> list[str]:
    """The names of the layouts, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> Layout:
    """Return the layout of that name, or a random one for random:SEED. Raises LabError."""
    if name.startswith("random:"):
        return generated.layout(name)
    if name not in available():
        names = ", ".join(available())
        raise LabError(msg("no layout {name!r}; there is {known}", name=name, known=names))
    layout: Layout = importlib.import_module(f"{__name__}.{name}").LAYOUT
    return layout
