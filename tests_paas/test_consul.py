"""Foundations of generation 6.x: the names that consul gives."""

from bkpaas.checks import (
    CONSUL_SUFFIX,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    Names,
    NoData,
    case,
    condition,
    msg,
    series,
)

INTERNAL = f"paas{CONSUL_SUFFIX}"
"""The internal server of nginx: login, paas and ESB call each other through it."""
MOST_ANSWERS = 3
"""Addresses in one answer of consul."""


@condition("consul-names")
def test_names_of_consul_resolve(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Every name of consul that this host uses resolves, and paas.service.consul to nginx hosts only."""
    names = {name: one for name, one in host.names.by_name.items() if name.endswith(CONSUL_SUFFIX)}
    if INTERNAL not in names:
        raise NoData(msg("the name was not resolved"))
    finding.add_evidence(
        ", ".join(f"{name} {' '.join(one.addresses)}" for name, one in sorted(names.items()))
    )
    lost = {name: one.error for name, one in sorted(names.items()) if not one.addresses}
    reasons = series([msg("{name}: {error}", name=name, error=error or "-") for name, error in lost.items()])
    kind = "unresolved" if len(lost) == len(names) else "no-instance"
    assert not lost, (
        case("unresolved", reasons, names=series(lost))
        if kind == "unresolved"
        else case("no-instance", reasons, names=series(lost))
    )
    stale = _stale(host.names)
    assert not stale, case(
        "pinned",
        series(
            msg(
                "{name}: {pinned} in /etc/hosts, {addresses} in consul",
                name=name,
                pinned=pinned,
                addresses=addresses,
            )
            for name, (pinned, addresses) in stale.items()
        ),
        names=series(stale),
    )
    right = {
        address
        for nginx in deployment.hosts_with("nginx")
        for address in _own(nginx.name, nginx.address, host_facts)
    }
    right |= set(deployment.virtual_addresses)
    unexpected = [address for address in names[INTERNAL].addresses if address not in right]
    assert not right or not unexpected, case(
        "wrong-address",
        "{name} resolves to {addresses}, which is not an nginx host of the inventory ({expected})",
        name=INTERNAL,
        addresses=", ".join(unexpected),
        expected=", ".join(sorted(right)),
    )


def _stale(names: Names) -> dict[str, tuple[str, str]]:
    """Return, by name in /etc/hosts, its addresses and those of consul, where consul does not have one of them.

    An answer of consul has at most three addresses of a service with more. Source: consul, udp_answer_limit.
    """
    stale = {}
    for name, known in sorted(names.in_consul.items()):
        used = names.by_name.get(name)
        addresses = known.addresses
        if used is None or not 0 < len(addresses) < MOST_ANSWERS:
            continue
        if not set(used.addresses) <= set(addresses):
            stale[name] = " ".join(used.addresses), " ".join(addresses)
    return stale


def _own(name: str, address: str, host_facts: HostLookup) -> set[str]:
    try:
        return {address, *host_facts(name).addresses.items}
    except NoData:
        return {address}
