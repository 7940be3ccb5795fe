"""The inventory and the hosts agree: which host has which role, who answers at an address, what the domain is."""

from __future__ import annotations

from bkpaas.checks import (
    ROLE_SIGNS,
    SETTINGS_OF_ROLE,
    CaseMessage,
    Deployment,
    Finding,
    Host,
    HostLookup,
    HostView,
    HttpName,
    Missing,
    NoData,
    NotApplicable,
    Noun,
    RoleSign,
    Subject,
    about,
    app_role_in_use,
    case,
    clauses,
    combined,
    condition,
    is_login_refusal,
    is_loopback,
    misplaced_roles,
    msg,
    own_interfaces,
    role_places,
    series,
    unread_nouns,
)

APP_PATHS = {"appt": "/t/", "appo": "/o/"}
OPEN_PAAS = "OPEN_PAAS"
"""What the names of the upstreams of open_paas begin with."""


@condition("inventory-roles")
def test_inventory_and_hosts_agree_on_roles(
    host: HostView, subject: Subject, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The host at the address of the inventory is the one that is meant, and it runs what its roles say."""
    entry = deployment.host(subject.id)
    views = host_facts.once(
        "views", lambda lookup: {one.name: lookup(one.name) for one in deployment.selected()}
    )
    problem = (
        _other_identity(
            host, entry, deployment, host_facts.once("identities", lambda _: _identities(views)), views
        )
        or _role_elsewhere(host, entry, deployment, views, finding)
        or _role_placed_elsewhere(
            host,
            entry,
            deployment,
            views,
            host_facts.once("role-places", lambda _: role_places(deployment, views)),
        )
        or _role_missing(host, entry, deployment, views, finding)
        or _other_app_role(host, entry, deployment, views, finding)
        or _missing_host(host, deployment, views, finding)
    )
    finding.add_evidence(", ".join(entry.roles))
    assert problem is None, combined([problem], problem.evidence)
    nouns: tuple[Noun, ...] = ("addresses", "sockets", "services", "settings", "nginx", "agent")
    if unread := unread_nouns(host, deployment, *nouns):
        raise NoData(clauses(unread))


def _identities(views: dict[str, HostView]) -> dict[str, set[str]]:
    """Return the hosts by their names in lower case and by their addresses."""
    found: dict[str, set[str]] = {}
    for name, view in views.items():
        for identity in (name.lower(), *own_interfaces(view)):
            found.setdefault(identity, set()).add(name)
    return found


def _other_identity(
    host: HostView,
    entry: Host,
    deployment: Deployment,
    identities: dict[str, set[str]],
    views: dict[str, HostView],
) -> CaseMessage | None:
    """Return the case of an address where another host of the inventory answers."""
    own = own_interfaces(host)
    name = (host.system.hostname or "").partition(".")[0].lower()
    others = (identities.get(name, set()) | identities.get(entry.address, set())) - {entry.name}
    for other in map(deployment.host, sorted(others, key=deployment.position)):
        if name == other.name.lower() and name != entry.name.lower():
            return case(
                "other-host",
                "the inventory has {address} as {host_name}, and the hostname of the host there is {other}",
                address=entry.address,
                host_name=entry.name,
                other=other.name,
            )
        if other.address in own and entry.address in own_interfaces(views[other.name]):
            return case(
                "twice",
                "{address} and {other_address} ({other}) are addresses of one host",
                address=entry.address,
                other_address=other.address,
                other=other.name,
            )
        if own and entry.address not in own and entry.address in own_interfaces(views[other.name]):
            return case(
                "other-host",
                "the inventory has {address} as {host_name}, and it is an address of {other}",
                address=entry.address,
                host_name=entry.name,
                other=other.name,
            )
    return None


def _role_elsewhere(
    host: HostView, entry: Host, deployment: Deployment, views: dict[str, HostView], finding: Finding
) -> CaseMessage | None:
    """Return the case of a role whose programs are not on this host, but on one that does not have the role."""
    for role, (runs, equal) in ROLE_SIGNS.items():
        if role not in entry.roles or _has_files(role, host, deployment) or runs(host, deployment):
            continue
        others = [
            one.name
            for one in deployment.selected()
            if not one.has_role(*equal) and _shows(runs, views[one.name], deployment)
        ]
        if role == "nginx":
            others += _unlisted_front(host, deployment)
        if role == "paas":
            others += [
                address
                for nginx in deployment.selected("nginx")
                for address in _unlisted_paas(views[nginx.name], deployment)
            ]
        if others:
            finding.names_components("role", [role])
            return case(
                "role-elsewhere",
                "the inventory gives {host_name} the role {role}, but the host has nothing of it; it is on {others}",
                host_name=entry.name,
                role=role,
                others=series(others),
            )
    return None


def _role_placed_elsewhere(
    host: HostView,
    entry: Host,
    deployment: Deployment,
    views: dict[str, HostView],
    places: dict[str, set[tuple[str, int]]],
) -> CaseMessage | None:
    """Return the case of the roles of cmdb, job and the data hosts that the platform uses on another host."""
    found = misplaced_roles(host, entry, deployment, views, places)
    if not found:
        return None
    components = [f"role:{role}" for role in found]
    components += [f"setting:{name}" for role in found for name in SETTINGS_OF_ROLE.get(role, ())]
    components += sorted({f"domain:{address}" for role in found for address, _ in places.get(role, ())})
    message = case(
        "role-elsewhere",
        "the inventory gives {host_name} the role {role}, but nothing listens there, and the platform uses {others} for it",
        host_name=entry.name,
        role=series(found),
        others=series(dict.fromkeys(name for names in found.values() for name in names)),
    )
    return about(message, *components)


def _role_missing(
    host: HostView, entry: Host, deployment: Deployment, views: dict[str, HostView], finding: Finding
) -> CaseMessage | None:
    """Return the case of a host that runs a role that the inventory does not give to it, nor to another by mistake."""
    for role, (runs, equal) in ROLE_SIGNS.items():
        if entry.has_role(*equal) or not runs(host, deployment):
            continue
        holders = deployment.hosts_with(*equal)
        mistaken = [
            one.name
            for one in holders
            if one.selected
            and not _has_files(role, views[one.name], deployment)
            and not _shows(runs, views[one.name], deployment)
        ]
        used = not holders or role != "paas" or _named_by_nginx(host, deployment, views)
        if used and not mistaken:
            finding.names_components("role", [role])
            return case(
                "role-missing",
                "{host_name} runs programs of the role {role}, which the inventory does not give to it",
                host_name=entry.name,
                role=role,
            )
    return None


def _other_app_role(
    host: HostView, entry: Host, deployment: Deployment, views: dict[str, HostView], finding: Finding
) -> CaseMessage | None:
    """Return the case of an app host that nginx and appengine use for the other kind of applications."""
    roles = [role for role in APP_PATHS if entry.has_role(role)]
    used = app_role_in_use(own_interfaces(host) | {entry.address}, deployment, views)
    if used is None or len(roles) != 1 or used == roles[0]:
        return None
    finding.names_components("role", roles)
    return case(
        "other-app-role",
        "the inventory gives {host_name} the role {role}; nginx sends the requests for {path} there and appengine has registered it for them, as for {other}",
        host_name=entry.name,
        role=roles[0],
        path=APP_PATHS[used],
        other=used,
    )


def _missing_host(
    host: HostView, deployment: Deployment, views: dict[str, HostView], finding: Finding
) -> CaseMessage | None:
    """Return the case of a healthy paas host that is in nginx's upstreams and not in the inventory."""
    if not deployment.host(host.name).has_role("nginx"):
        return None
    if any(not _has_files("paas", views[paas.name], deployment) for paas in deployment.selected("paas")):
        return None  # the role stands at another host by mistake, which is said there
    for address, ports in _unlisted_paas(host, deployment).items():
        finding.names_components("address", [f"{address}:{port}" for port in ports])
        return case(
            "host-missing",
            "every upstream of open_paas in nginx on {host_name} names {missing}, which answers for all of them but is not in the inventory",
            host_name=host.name,
            missing=address,
        )
    return None


def _unlisted_paas(nginx: HostView, deployment: Deployment) -> dict[str, list[int]]:
    """Return the ports of each address outside the inventory that serves all upstreams of open_paas."""
    if isinstance(nginx.facts.nginx, Missing):
        return {}
    upstreams = [one for one in nginx.facts.nginx.upstreams if one.name.startswith(OPEN_PAAS)]
    addresses = {one.address for one in deployment.hosts} | own_interfaces(nginx)
    named: dict[str, dict[str, int]] = {}
    for upstream in upstreams:
        for server in upstream.servers:
            for address in nginx.names.of(server.address):
                if address not in addresses and not is_loopback(address) and server.port:
                    named.setdefault(address, {})[upstream.name] = server.port
    return {
        address: list(ports.values())
        for address, ports in named.items()
        if len(ports) == len(upstreams) and all(_is_healthy(nginx, address, port) for port in ports.values())
    }


def _is_healthy(nginx: HostView, address: str, port: int) -> bool:
    answer = nginx.answers.find(HttpName.UPSTREAM.of(address, port))
    return answer is not None and answer.ok and (answer.status or 500) < 500


def _unlisted_front(host: HostView, deployment: Deployment) -> list[str]:
    """Return the addresses outside the inventory that the domain resolves to, if login answers there."""
    resolved = host.names.get(deployment.domain)
    answer = host.answers.find(HttpName.IS_LOGIN_DOMAIN.value)
    addresses = (
        {one.address for one in deployment.hosts} | set(deployment.virtual_addresses) | own_interfaces(host)
    )
    outside = [address for address in (resolved.addresses if resolved else ()) if address not in addresses]
    return outside if answer is not None and is_login_refusal(answer) else []


def _has_files(role: str, host: HostView, deployment: Deployment) -> bool:
    """Return whether the files of a role are on a host, whether it runs or not; True where that is not known."""
    facts = host.facts
    if role == "paas":
        if isinstance(facts.services, Missing) or isinstance(facts.settings, Missing):
            return True
        files = [file for one in facts.settings.by_project.values() for file in one.files]
        return any(one.ini.exists for one in facts.services.by_name.values()) or any(
            one.exists for one in files
        )
    if role == "nginx":
        if isinstance(facts.nginx, Missing):
            return True
        return any(one.name.startswith(OPEN_PAAS) for one in facts.nginx.upstreams) or any(
            deployment.domain in server.names for server in facts.nginx.servers
        )
    return isinstance(facts.agent, Missing) or facts.agent.config is not None


def _shows(runs: RoleSign, host: HostView, deployment: Deployment) -> bool:
    try:
        return runs(host, deployment)
    except NoData:
        return False


def _named_by_nginx(host: HostView, deployment: Deployment, views: dict[str, HostView]) -> bool:
    own = own_interfaces(host)
    for nginx in deployment.selected("nginx"):
        facts = views[nginx.name].facts.nginx
        if not isinstance(facts, Missing) and any(
            server.address in own
            for upstream in facts.upstreams
            if upstream.name.startswith(OPEN_PAAS)
            for server in upstream.servers
        ):
            return True
    return False


def _names_by_address(deployment: Deployment, host_facts: HostLookup) -> dict[str, list[str]]:
    """Return the names of the hosts that have an address on an interface."""

    def compute(lookup: HostLookup) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in deployment.selected():
            for address in own_interfaces(lookup(one.name)):
                found.setdefault(address, []).append(one.name)
        return found

    return host_facts.once("names-by-address", compute)


@condition("address-unique")
def test_no_other_host_has_the_address(
    host: HostView, subject: Subject, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The address of the host is on no network interface of another host."""
    entry = deployment.host(subject.id)
    own, address = own_interfaces(host), entry.address
    if not own:
        raise NoData(msg("the addresses of {host} were not read", host=host.name))
    if address not in own:
        raise NotApplicable(msg("{address} is not on an interface: it is translated", address=address))
    others = [
        name
        for name in _names_by_address(deployment, host_facts).get(address, ())
        if name != entry.name
        and own_interfaces(host_facts(name)) != own  # not the same machine under two names
    ]
    finding.add_evidence(address)
    assert not others, case(
        "twice",
        "{address} is on the interfaces of {host} and of {others}",
        address=address,
        host=entry.name,
        others=series(others),
    )
