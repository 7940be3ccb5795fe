"""What stands in front of login: a virtual address that one nginx host holds, a certificate that holds."""

import time

from bkpaas.checks import (
    Certificate,
    ControllerView,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    HttpName,
    Missing,
    NoData,
    Snapshot,
    Subject,
    TcpName,
    condition,
    no_answer,
    say,
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
    assert len(holders) < 2, say(
        en=f"split brain: {names} hold {address} at the same time",
        zh=f"脑裂：{names} 同时持有 {address}",
    )
    if unknown:
        raise NoData(unknown[0].reason)
    if not holders:
        answer = controller.connections.get(TcpName.VIRTUAL_ADDRESS, address)
        assert answer.ok, say(
            en=f"nobody holds {address}: no nginx host has it, and the controller finds nothing there: ",
            zh=f"没有主机持有 {address}：各 nginx 主机上都没有该地址，从运行套件的机器也连接不上：",
        ) + no_answer(answer.error_kind)
        finding.add_evidence(
            say(
                en=f"{address} is on no nginx host and answers: something else stands in front of them",
                zh=f"{address} 不在 nginx 主机上但有应答：前面是其他设备",
            )
        )
        return
    [holder] = holders
    listeners = [one for one in holder.sockets.on(deployment.port) if one.covers(address) is not False]
    finding.add_evidence(f"{address}:{deployment.port} {names}")
    assert listeners, say(
        en=f"{names} holds {address}, but nothing listens on port {deployment.port} of it",
        zh=f"{names} 持有 {address}，但没有程序在其 {deployment.port} 端口监听",
    )


def _holds(host: HostView, address: str) -> bool:
    """On an interface where others find it: a load balancer of the kernel wants it on loopback everywhere."""
    found = host.facts.addresses
    return not isinstance(found, Missing) and address in found.items and address not in found.loopback


@condition("domain-certificate")
def test_certificate_of_the_domain_is_valid(
    controller: ControllerView, deployment: Deployment, snapshot: Snapshot, finding: Finding
) -> None:
    """What the domain presents, and each nginx host behind it, verifies, is for this name and within its dates."""
    shown = _shown(controller, deployment, finding)
    wrong = {one.address: _wrong(one, deployment.domain, snapshot.started) for one in shown if one.seen}
    finding.add_evidence(
        "\n".join(f"{one.address}: {', '.join(one.names)} ({_day(one.ends)})" for one in shown)
    )
    assert not any(wrong.values()), "\n".join(
        f"{address}: {'; '.join(texts)}" for address, texts in wrong.items() if texts
    )


def _shown(controller: ControllerView, deployment: Deployment, finding: Finding) -> list[Certificate]:
    """What there is to judge: the domain's own certificate, and those of the nginx hosts that could be asked."""
    certificates = controller.certificates.items
    finding.depends_on_hosts(entry.name for entry in deployment.hosts_with("nginx"))
    if not certificates:
        raise NoData(say(en="the domain has no address", zh="域名没有地址"))
    first, *others = certificates
    finding.set_remedy_values(address=first.address.rpartition(":")[0])
    assert first.error_kind != "tls", f"{first.address}: {first.error_text}"
    if not first.seen:
        raise NoData(f"{first.address}: {no_answer(first.error_kind)}")
    return [first, *(one for one in others if one.seen)]


def _wrong(one: Certificate, domain: str, now: float) -> list[str]:
    texts = []
    if one.ends is not None and now > one.ends:
        texts.append(say(en=f"it ended on {_day(one.ends)}", zh=f"已于 {_day(one.ends)} 到期"))
    if one.begins is not None and now < one.begins:
        texts.append(say(en=f"it begins on {_day(one.begins)} only", zh=f"{_day(one.begins)} 才生效"))
    if one.problem and one.names and not one.covers(domain):
        names = ", ".join(one.names)
        texts.append(say(en=f"it is for {names}, not for {domain}", zh=f"证书属于 {names}，不是 {domain}"))
    if one.problem:
        texts.append(f"{one.problem} ({say(en='issued by', zh='签发者')} {one.issuer})")
    return texts


def _day(seconds: float | None) -> str:
    return "?" if seconds is None else time.strftime("%Y-%m-%d", time.gmtime(seconds))


@condition("domain-certificate-expiry")
def test_certificate_of_the_domain_does_not_end_soon(
    controller: ControllerView, deployment: Deployment, snapshot: Snapshot, finding: Finding
) -> None:
    """Whoever has to renew it is told in time."""
    left = {
        one.address: (one.ends - snapshot.started) / 86400
        for one in _shown(controller, deployment, finding)
        if one.ends is not None
    }
    if not left:
        raise NoData(say(en="the certificate cannot be read", zh="无法解析证书"))
    soon = {address: days for address, days in left.items() if days < deployment.thresholds.certificate_days}
    finding.add_evidence(_days(left))
    assert not soon, _days(soon)


def _days(left: dict[str, float]) -> str:
    return ", ".join(
        say(en=f"{address}: {days:.0f} days left", zh=f"{address}：还剩 {days:.0f} 天")
        for address, days in left.items()
    )


@condition("domain-certificate-trusted")
def test_host_trusts_the_certificate(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """A program of this host that verifies the domain's certificate with the host's own store accepts it."""
    answer = host.answers.get(HttpName.DOMAIN_TRUSTED)
    finding.depends_on_hosts(one.name for one in deployment.hosts_with("nginx"))
    finding.set_remedy_values(url=answer.url)
    if not answer.ok and answer.error_kind != "tls":
        raise NoData(f"{answer.url}: {answer.error_text or no_answer(answer.error_kind)}")
    finding.add_evidence(answer.url)
    assert answer.ok, f"{answer.url}: {answer.error_text}"
