"""Foundations of generation 6.x: the names that consul gives."""

from bkpaas.checks import (
    CONSUL_SUFFIX,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    NoData,
    case,
    condition,
    msg,
    series,
)

INTERNAL = f"paas{CONSUL_SUFFIX}"
"""The internal server of nginx: login, paas and ESB call each other through it."""


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


def _own(name: str, address: str, host_facts: HostLookup) -> set[str]:
    try:
        return {address, *host_facts(name).addresses.items}
    except NoData:
        return {address}
