"""What the network between the hosts does to packets."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from bkpaas.checks import (
    Answer,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    HttpName,
    Link,
    Message,
    NoData,
    NotApplicable,
    case,
    condition,
    has_project,
    labelled,
    lines,
    msg,
    series,
)

FEWEST_LOSSY = 2
LOSSY_SHARE = 0.2
"""Of the repeated connections; more are too many. One that is delayed by a busy host is not delayed again and again."""
WAITING = 4
"""Connections in the queue of a listener from which it may be full."""

Pair = tuple[str, str]
"""The host that connects, and the one that it connects to."""


@condition("packet-loss")
def test_no_packets_are_lost_between_the_hosts(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Connections between this host and the others do not send packets again and again."""
    own = host.retransmits
    fleet = host_facts.once("retransmits", lambda lookup: _all_connections(deployment, lookup))
    made, mine = fleet.connections.get(host.name, 0), fleet.lossy.get(host.name, {})
    if not made and not own.by_peer:
        raise NotApplicable(msg("no connection between this host and another one was made"))
    finding.add_evidence(msg("{number} connections", number=made))
    others = list(dict.fromkeys(other for pair in mine for other in pair if other != host.name))
    text = lines(_shown(pair, ends) for pair, ends in mine.items())
    other = deployment.host(others[0]).address if others else ""
    if host.name not in fleet.named:
        finding.depends_on_hosts(one for one in others if one in fleet.named)
        assert not mine, case("partner", text, others=series(others), other=other)
    assert not mine, case("lossy", text, others=series(others), other=other)


class _Connections(NamedTuple):
    """Hold what the connections between all hosts say, by host."""

    connections: dict[str, int]
    lossy: dict[str, dict[Pair, dict[int, Link]]]
    named: frozenset[str]
    """The hosts that are the cause."""


def _all_connections(deployment: Deployment, host_facts: HostLookup) -> _Connections:
    pairs = _pairs(deployment, host_facts)
    connections, by_host = Counter[str](), dict[str, dict[Pair, dict[int, Link]]]()
    for pair, ends in pairs.items():
        for name in pair:
            connections[name] += sum(one.connections for one in ends.values())
    lossy = _lossy(pairs)
    for pair, ends in lossy.items():
        for name in pair:
            by_host.setdefault(name, {})[pair] = ends
    return _Connections(connections, by_host, frozenset(_named(lossy)))


def _pairs(deployment: Deployment, host_facts: HostLookup) -> dict[Pair, dict[int, Link]]:
    """Return the counts of all connections between two hosts, by port; without listeners whose queue may be full."""
    views = {entry.name: host_facts(entry.name) for entry in deployment.selected()}
    names = {address: name for name, view in views.items() for address in _addresses(view)}
    names |= {entry.address: entry.name for entry in deployment.selected()}
    pairs: dict[Pair, dict[int, Link]] = {}
    for name, view in views.items():
        try:
            peers = view.retransmits.by_peer
        except NoData:
            continue
        for peer, link in peers.items():
            address, _, port = peer.rpartition(":")
            other = names.get(address.strip("[]"))
            if (
                other is None
                or other == name
                or not port.isdecimal()
                or _may_be_full(views[other], int(port))
            ):
                continue
            ends = pairs.setdefault((name, other), {})
            ends[int(port)] = link
    return pairs


def _addresses(view: HostView) -> Iterator[str]:
    try:
        addresses = view.addresses
    except NoData:
        return
    yield from (one for one in addresses.items if one not in addresses.loopback)


def _may_be_full(view: HostView, port: int) -> bool:
    try:
        return any((one.queue or 0) >= WAITING for one in view.sockets.on(port))
    except NoData:
        return False


def _lossy(pairs: Mapping[Pair, dict[int, Link]]) -> dict[Pair, dict[int, Link]]:
    """Return the pairs that lose packets, and those of the same hosts that lose them as often in what was asked first."""
    sure = {pair: ends for pair, ends in pairs.items() if _is_lossy(ends)}
    hosts = {name for pair in sure for name in pair}
    return sure | {
        pair: ends for pair, ends in pairs.items() if hosts.intersection(pair) and _is_lossy_at_first(ends)
    }


def _is_lossy(ends: Mapping[int, Link]) -> bool:
    tries = sum(one.repeats + one.heavy for one in ends.values())
    lossy = sum(one.lossy_repeats + one.heavy for one in ends.values())
    ports = [port for port, one in ends.items() if one.lossy]
    return lossy >= FEWEST_LOSSY and lossy > LOSSY_SHARE * tries and len(ports) >= min(2, len(ends))


def _is_lossy_at_first(ends: Mapping[int, Link]) -> bool:
    connections, lossy = (
        sum(one.connections for one in ends.values()),
        sum(one.lossy for one in ends.values()),
    )
    repeats, again = (
        sum(one.repeats for one in ends.values()),
        sum(one.lossy_repeats for one in ends.values()),
    )
    return lossy > 0 and lossy >= LOSSY_SHARE * connections and again >= LOSSY_SHARE * repeats


def _named(lossy: Iterable[Pair]) -> list[str]:
    """Return the hosts that are named as the cause: the one of most lossy pairs first, of equal ones that which connects."""
    left, named = list(lossy), list[str]()
    while left:
        partners: dict[str, set[str]] = {}
        for source, target in left:
            partners.setdefault(source, set()).add(target)
            partners.setdefault(target, set()).add(source)
        named.append(max(partners, key=lambda one: len(partners[one])))
        left = [pair for pair in left if named[-1] not in pair]
    return named


def _shown(pair: Pair, ends: Mapping[int, Link]) -> Message:
    return msg(
        "{source} to {target}: {lossy} of {number} connections and {lossy_repeats} of {repeats} repeated ones have sent packets again, {packets} in all (limit {percent} %)",
        source=pair[0],
        target=pair[1],
        lossy=sum(one.lossy for one in ends.values()),
        number=sum(one.connections for one in ends.values()),
        lossy_repeats=sum(one.lossy_repeats for one in ends.values()),
        repeats=sum(one.repeats for one in ends.values()),
        packets=sum(one.packets for one in ends.values()),
        percent=round(100 * LOSSY_SHARE),
    )


@condition("large-packets")
def test_large_packets_pass(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """A request and an answer of several packets pass where short ones do."""
    lost: dict[str, Answer] = {}
    unknown: list[Message | str] = []
    targets = deployment.selected("paas") if deployment.host(host.name).has_role("nginx") else ()
    for target in (one for one in targets if one.name != host.name and has_project(one, "login")):
        small = host.answers.get(HttpName.SERVICE_OF_HOST, "login", target.name)
        large = host.answers.get(HttpName.LARGE_OF_HOST, target.name)
        finding.add_evidence(labelled(target.name, f"HTTP {large.status}"))
        answers = _is_lost(small, large) and _answers(host_facts(target.name), HttpName.LARGE.value)
        if answers is None:
            unknown.append(_unclear(large, host, target.name))
        elif answers:
            lost[target.name] = large
    fronts = deployment.hosts_with("nginx")
    if host.name not in {front.name for front in fronts}:
        small, large = host.answers.get(HttpName.IS_LOGIN_DOMAIN), host.answers.get(HttpName.LARGE_DOMAIN)
        finding.add_evidence(f"HTTP {large.status}")
        near = {
            front.name: _answers(host_facts(front.name), HttpName.LARGE_DOMAIN.value)
            for front in deployment.selected("nginx")
        }
        working = host_facts.once("login-behind-nginx", lambda lookup: _login_works(deployment, lookup))
        works = _all([any(near.values()) or (None if None in near.values() else False), working])
        if _is_lost(small, large) and works is None:
            unknown.append(
                _unclear(large, host, series(name for name, one in near.items() if one is not False))
            )
        elif _is_lost(small, large) and works:
            lost[next(name for name, answers in near.items() if answers)] = large
    finding.depends_on_hosts(front.name for front in fronts if front.name != host.name)
    assert not lost, case(
        "lost",
        lines(
            msg(
                "{url} with a header of 3,000 bytes: no answer to {host} in time", url=one.url, host=host.name
            )
            for one in lost.values()
        ),
        others=series(lost),
        other=deployment.host(next(iter(lost))).address if lost else "",
    )
    if unknown:
        raise NoData(lines(unknown))


def _is_lost(small: Answer, large: Answer) -> bool:
    return small.ok and large.error_kind == "silent"


def _unclear(large: Answer, host: HostView, other: Message | str) -> Message:
    return msg(
        "{url} with a header of 3,000 bytes: no answer to {host} in time, and it is not known whether login works behind {other}",
        url=large.url,
        host=host.name,
        other=other,
    )


def _login_works(deployment: Deployment, host_facts: HostLookup) -> bool | None:
    """Return whether each login answers, to its own host and to nginx; one that hangs fails every other request."""
    names = [one.name for one in deployment.selected("paas") if has_project(one, "login")]
    own = [_answers(host_facts(name), HttpName.LARGE.value) for name in names]
    from_nginx = [
        _answers(host_facts(front.name), HttpName.SERVICE_OF_HOST.of("login", name))
        for front in deployment.selected("nginx")
        for name in names
        if name != front.name
    ]
    return _all([*own, *from_nginx])


def _all(answers: Iterable[bool | None]) -> bool | None:
    """Return whether all are true; None if none is false and one is not known."""
    known = set(answers)
    return False if False in known else None if None in known else True


def _answers(view: HostView, name: str) -> bool | None:
    """Return whether a request of a host was answered, None if that is not known."""
    try:
        answer = view.answers.find(name)
    except NoData:
        return None
    return None if answer is None else answer.ok
