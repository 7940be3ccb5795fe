"""The domain of the inventory is that of the files."""

from __future__ import annotations

from bkpaas.checks import (
    Deployment,
    Finding,
    HostLookup,
    HostView,
    Missing,
    NginxServer,
    NoData,
    NotApplicable,
    Value,
    about,
    case,
    clauses,
    condition,
    msg,
    server_name_fits,
    unread_nouns,
)

OPEN_PAAS = "OPEN_PAAS"
"""What the names of the upstreams of open_paas begin with."""


@condition("inventory-domain")
def test_inventory_has_the_domain_of_the_files(
    deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The domain of the inventory is that of nginx's server block for open_paas, or of PAAS_DOMAIN in the settings."""
    fronts, services = ([one.name for one in deployment.selected(role)] for role in ("nginx", "paas"))
    served: dict[str, str] = {}
    for name in fronts:
        served |= _served(host_facts(name))
    configured: dict[str, str] = {}
    unclear: list[NoData] = []
    for name in services:
        configured |= _configured(host_facts(name), unclear)
    names = {name: location for name, location in (served | configured).items() if name != deployment.domain}
    finding.add_evidence(deployment.domain)
    if served and not configured and unclear:
        raise unclear[0]
    unread = [
        *(one for name in fronts for one in unread_nouns(host_facts(name), deployment, "nginx")),
        *(one for name in services for one in unread_nouns(host_facts(name), deployment, "settings")),
    ]
    if unread and not (served and configured):
        raise NoData(clauses(dict.fromkeys(unread)))
    if not served or not configured:
        raise NotApplicable(msg("no server block of open_paas, or no PAAS_DOMAIN, was read"))
    fits = [name for name in served if server_name_fits(name, deployment.domain)]
    other = next((name for name in configured if name in served), None)
    if fits or deployment.domain in configured or other is None:
        # files that differ: other conditions compare them
        _refuse_other_names(deployment, [host_facts(name) for name in fronts])
        return
    message = case(
        "differs",
        "the inventory has the domain {domain}, and {place} has {other}",
        domain=deployment.domain,
        place=names[other],
        other=other,
    )
    domains = [f"domain:{name}" for name in configured if name in served]
    raise AssertionError(about(message, *domains))


def _refuse_other_names(deployment: Deployment, fronts: list[HostView]) -> None:
    """Refuse a name of CMDB or JOB that no server block has, where a server block for it has another name."""
    unread = [one for host in fronts for one in unread_nouns(host, deployment, "nginx")]
    if unread and deployment.fqdns:
        raise NoData(clauses(dict.fromkeys(unread)))
    for role, name in deployment.fqdns.items():
        if any(
            server_name_fits(own, name) for host in fronts for one in host.nginx.servers for own in one.names
        ):
            continue
        for host in fronts:
            for server in _servers_of_role(host, deployment, role):
                other = next((own for own in server.names if "." in own), None)
                if other is not None:
                    message = case(
                        "other-name",
                        "the inventory has the name {name} for {role}, and {place} has {other}",
                        name=name,
                        role=role,
                        place=f"{host.name}:{server.file}:{server.line}",
                        other=other,
                    )
                    raise AssertionError(about(message, f"domain:{name}"))


def _servers_of_role(host: HostView, deployment: Deployment, role: str) -> list[NginxServer]:
    """Return the server blocks that lead to an upstream of this role: by its name, or by the addresses in it."""
    addresses = {entry.address for entry in deployment.hosts_with(role)}
    upstreams = {
        one.name
        for one in host.nginx.upstreams
        if one.name.lower() == role or addresses & {server.address for server in one.servers}
    }
    return [
        server
        for server in host.nginx.servers
        if any(location.upstream in upstreams for location in server.locations)
    ]


def _served(host: HostView) -> dict[str, str]:
    """Return where each name of a server block that leads to open_paas is."""
    if isinstance(host.facts.nginx, Missing):
        return {}
    return {
        name.lower(): f"{host.name}:{server.file}:{server.line}"
        for server in host.facts.nginx.servers
        if any((location.upstream or "").startswith(OPEN_PAAS) for location in server.locations)
        for name in server.names
    }


def _configured(host: HostView, unclear: list[NoData]) -> dict[str, str]:
    """Return where each value of PAAS_DOMAIN is, without its port; add why others are not known to unclear."""
    if isinstance(host.facts.settings, Missing):
        return {}
    values: list[Value | None] = []
    for settings in host.facts.settings.by_project.values():
        try:
            values.append(settings.get("PAAS_DOMAIN"))
        except NoData as reason:
            unclear.append(reason)
    return {
        str(value.value).partition(":")[0].lower(): f"{host.name}:{value.file}:{value.line}"
        for value in values
        if value is not None and value.kind == "str"
    }
