"""Modules that not every 6.x deployment has, and the placeholders that nginx's files then hold."""

from __future__ import annotations

from bkpaas.checks.log_search import is_loopback
from bkpaas.checks.lookup import HostLookup
from bkpaas.errors import NoData
from bkpaas.facts import Nginx, NginxUpstream
from bkpaas.inventory.deployment import Deployment

PLACEHOLDERS = {"OPEN_PAAS_CONSOLE": "console", "OPEN_PAAS_APIGW": "apigw", "BK_APIGATEWAY": "apigateway"}
"""Upstreams of modules that a deployment may lack, and the module."""


def hosts_with_module(module: str, deployment: Deployment, host_facts: HostLookup) -> list[str]:
    """Return the names of the collected paas hosts that have a module."""
    hosts = []
    for paas in deployment.selected("paas"):
        try:
            if module in host_facts(paas.name).services.by_name:
                hosts.append(paas.name)
        except NoData:
            continue
    return hosts


def is_placeholder(upstream: NginxUpstream) -> bool:
    """Return whether consul-template wrote this upstream without a passing instance: 127.0.0.1 without max_fails."""
    return bool(upstream.servers) and all(
        is_loopback(server.address) and not any("max_fails" in word for word in server.parameters)
        for server in upstream.servers
    )


def idle_placeholders(nginx: Nginx, deployment: Deployment, host_facts: HostLookup) -> set[str]:
    """Return the names of the upstreams that are placeholders of modules that the deployment does not have."""
    if deployment.generation == "5.x":
        return set()
    return {
        upstream.name
        for upstream in nginx.upstreams
        if upstream.name in PLACEHOLDERS
        and is_placeholder(upstream)
        and not hosts_with_module(PLACEHOLDERS[upstream.name], deployment, host_facts)
    }
