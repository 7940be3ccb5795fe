"""What stands in front of login: a virtual address that one nginx host holds, a certificate that holds."""

import time

from bkpaas.checks import (
    CaseMessage,
    Certificate,
    ControllerView,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    HttpName,
    Message,
    Missing,
    NoData,
    Snapshot,
    Subject,
    TcpName,
    case,
    clauses,
    combined,
    condition,
    joined,
    labelled,
    lines,
    msg,
    no_answer,
)


@condition("virtual-address-held")
def test_one_nginx_host_holds_the_virtual_address(
    subject: Subject,
    deployment: Deployment,
    host_facts: HostLookup,
    controller: ControllerView,
    finding: Finding,
) -> None:
    """The address stands on the network card of one nginx host and of no other, and nginx listens on it there."""
    address = subject.id
    finding.set_remedy_values(virtual=address)
    hosts = [host_facts(name) for name in subject.hosts]
    unknown = [host.facts.addresses for host in hosts if isinstance(host.facts.addresses, Missing)]
    holders = [host for host in hosts if _holds(host, address)]
    names = ", ".join(host.name for host in holders)
    assert len(holders) < 2, case(
        "split-brain", "split brain: {names} hold {address} at the same time", names=names, address=address
    )
    if unknown:
        raise NoData(unknown[0].reason)
    if not holders:
        answer = controller.connections.get(TcpName.VIRTUAL_ADDRESS, address)
        assert answer.ok, case(
            "not-held",
            "no host holds {address}: no nginx host has it, and the controller finds nothing there: {reason}",
            address=address,
            reason=no_answer(answer.error_kind),
        )
        finding.add_evidence(
            msg(
                "{address} is not on an nginx host and answers: another device is in front of nginx",
                address=address,
            )
        )
        return
    [holder] = holders
    listeners = [one for one in holder.sockets.on(deployment.port) if one.covers(address) is not False]
    finding.add_evidence(f"{address}:{deployment.port} {names}")
    assert listeners, case(
        "not-listening",
        "{names} holds {address}, but nothing listens on port {port} of it",
        names=names,
        address=address,
        port=deployment.port,
    )


def _holds(host: HostView, address: str) -> bool:
    """Return whether the address is on an interface; on loopback it serves a load balancer of the kernel."""
    interfaces = host.facts.addresses
    return (
        not isinstance(interfaces, Missing)
        and address in interfaces.items
        and address not in interfaces.loopback
    )


@condition("domain-certificate")
def test_certificate_of_the_domain_is_valid(
    controller: ControllerView, deployment: Deployment, snapshot: Snapshot, finding: Finding
) -> None:
    """What the domain presents, and each nginx host behind it, verifies, is for this name and within its dates."""
    shown = _shown(controller, deployment, finding)
    wrong = {one.address: _wrong(one, deployment.domain, snapshot.started) for one in shown if one.received}
    finding.add_evidence(
        "\n".join(f"{one.address}: {', '.join(one.names)} ({_day(one.ends)})" for one in shown)
    )
    assert not any(wrong.values()), combined(
        [problem for problems in wrong.values() for problem in problems],
        lines(
            labelled(address, clauses(problem.evidence for problem in problems))
            for address, problems in wrong.items()
            if problems
        ),
    )


def _shown(controller: ControllerView, deployment: Deployment, finding: Finding) -> list[Certificate]:
    """Return the certificates to judge: the domain's own, and those of the nginx hosts that answered."""
    certificates = controller.certificates.items
    finding.depends_on_hosts(entry.name for entry in deployment.hosts_with("nginx"))
    if not certificates:
        raise NoData(msg("the domain has no address"))
    first, *others = certificates
    finding.set_remedy_values(address=first.address.rpartition(":")[0])
    assert first.error_kind != "tls", case("tls", labelled(first.address, first.error_text or ""))
    if not first.received:
        raise NoData(labelled(first.address, no_answer(first.error_kind)))
    return [first, *(one for one in others if one.received)]


def _wrong(one: Certificate, domain: str, now: float) -> list[CaseMessage]:
    """Return what is wrong with a certificate."""
    problems = []
    if one.ends is not None and now > one.ends:
        problems.append(case("expired", "it ended on {day}", day=_day(one.ends)))
    if one.begins is not None and now < one.begins:
        problems.append(case("not-yet-valid", "it begins on {day} only", day=_day(one.begins)))
    if one.problem and one.names and not one.covers(domain):
        names = ", ".join(one.names)
        problems.append(case("wrong-name", "it is for {names}, not for {domain}", names=names, domain=domain))
    if one.problem:
        problems.append(
            case("not-trusted", "{problem} (issued by {issuer})", problem=one.problem, issuer=one.issuer)
        )
    return problems


def _day(seconds: float | None) -> str:
    return "?" if seconds is None else time.strftime("%Y-%m-%d", time.gmtime(seconds))


@condition("domain-certificate-expiry")
def test_certificate_of_the_domain_does_not_expire_soon(
    controller: ControllerView, deployment: Deployment, snapshot: Snapshot, finding: Finding
) -> None:
    """The certificate of the domain is valid for longer than the configured number of days."""
    left = {
        one.address: (one.ends - snapshot.started) / 86400
        for one in _shown(controller, deployment, finding)
        if one.ends is not None
    }
    if not left:
        raise NoData(msg("the certificate cannot be read"))
    soon = {address: days for address, days in left.items() if days < deployment.thresholds.certificate_days}
    finding.add_evidence(_days(left))
    assert not soon, case("ends-soon", _days(soon), days=f"{min(left.values()):.0f}")


def _days(left: dict[str, float]) -> Message:
    return joined(
        ", ",
        [
            msg("{address}: {days:.0f} days left", address=address, days=days)
            for address, days in left.items()
        ],
        context="ids",
    )


@condition("domain-certificate-trusted")
def test_host_trusts_the_certificate(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """A program of this host that verifies the domain's certificate with the host's own store accepts it."""
    answer = host.answers.get(HttpName.DOMAIN_TRUSTED)
    finding.depends_on_hosts(one.name for one in deployment.hosts_with("nginx"))
    finding.set_remedy_values(url=answer.url)
    if not answer.ok and answer.error_kind != "tls":
        raise NoData(labelled(answer.url, answer.error_text or no_answer(answer.error_kind)))
    finding.add_evidence(answer.url)
    assert answer.ok, case("not-trusted", labelled(answer.url, answer.error_text or ""))
