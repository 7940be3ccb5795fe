"""FAQ: clock and time zone of all hosts; logs are found by their time, and login judges by it."""

from collections import Counter
from typing import NamedTuple

from bkpaas.checks import (
    Deployment,
    Finding,
    HostLookup,
    HostView,
    Message,
    Missing,
    NoData,
    NotApplicable,
    Process,
    case,
    condition,
    host_time,
    lines,
    msg,
    offset,
    seconds,
    series,
    usual_clock,
    zone_offset,
)


def _others(deployment: Deployment, host_facts: HostLookup) -> list[HostView]:
    """Return the facts of all selected hosts; raise NotApplicable for a single one."""
    if len(deployment.selected()) < 2:
        raise NotApplicable(msg("only one host: nothing to compare"))
    return host_facts.once("all-hosts", lambda lookup: [lookup(host.name) for host in deployment.selected()])


def _from_the_others(host: HostView, deployment: Deployment, host_facts: HostLookup) -> tuple[float, float]:
    """Return (distance, uncertainty) in seconds from the median clock of all hosts that could be measured well."""
    limit = deployment.thresholds.clock_uncertainty_seconds
    _others(deployment, host_facts)
    own = host.clock
    usual, measured = usual_clock(deployment, host_facts, own)
    if own.uncertainty_seconds > limit:
        raise NoData(
            msg(
                "the clock could be measured to ±{uncertainty:.1f} s only (limit {limit} s)",
                uncertainty=own.uncertainty_seconds,
                limit=limit,
            )
        )
    if usual is None or measured < 2:
        if own.controller:
            raise NoData(msg("no other host's clock was measured by the controller of this one"))
        raise NoData(msg("no other host's clock could be measured"))
    if own == usual:
        return 0.0, 0.0
    return own.offset_seconds - usual.offset_seconds, own.uncertainty_seconds + usual.uncertainty_seconds


def _check_offset(distance: float, uncertainty: float, limit: float, finding: Finding) -> None:
    """Assert that the distance is within the limit; raise NoData if the uncertainty leaves it open."""
    evidence = msg(
        "{offset} (±{uncertainty:.3f} s) from the median of all hosts; limit {limit} s",
        offset=offset(distance),
        uncertainty=uncertainty,
        limit=limit,
    )
    finding.add_evidence(evidence)
    if abs(distance) - uncertainty <= limit < abs(distance) + uncertainty:
        raise NoData(msg("too close to the limit to decide: {evidence}", evidence=evidence))
    assert distance <= limit, case("ahead", evidence, distance=seconds(distance))
    assert distance >= -limit, case("behind", evidence, distance=seconds(-distance))


@condition("clock-all")
def test_clock_is_that_of_the_others(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The clock agrees with the median of all hosts to a minute."""
    limit = deployment.thresholds.clock_apart_seconds
    _check_offset(*_from_the_others(host, deployment, host_facts), limit, finding)


@condition("clock-drift-all")
def test_clock_does_not_drift(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The clock agrees with the median of all hosts to a few seconds."""
    limit = deployment.thresholds.clock_drift_seconds
    _check_offset(*_from_the_others(host, deployment, host_facts), limit, finding)


@condition("timezone-all")
def test_time_zone_is_that_of_the_others(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The zone has the same offset from UTC as on most hosts; its name does not matter."""
    known = host_facts.once("time-zones", lambda lookup: _zones(deployment, lookup))
    own = host.system.utc_offset_seconds
    if own is None:
        raise NoData(msg("the time zone is not known"))
    if known.hosts < 2:
        raise NoData(msg("no other host's time zone is known"))
    zone = f"{_shown(own)} ({_zone(host) or host.system.zone})"
    finding.add_evidence(zone)
    if known.name is not None:
        finding.set_remedy_values(zone=known.name)
    if known.usual is None:
        raise AssertionError(
            case("no-majority", "{own}; no majority: {offsets}", own=zone, offsets=known.offsets)
        )
    assert own == known.usual, case(
        "differs", "{own}, most hosts have {usual}", own=zone, usual=_shown(known.usual)
    )
    unknown: list[Message | str] = []
    other_zones = _in_other_zones(host, deployment, own, unknown)
    finding.affects_services(other_zones)
    assert not other_zones, case(
        "process-differs",
        lines(
            msg(
                "{name} (pid {pid}) was started with {place}",
                name=name,
                pid=one.pid,
                place=f"TZ={one.environ['TZ']}",
            )
            for name, one in other_zones.items()
            if one.environ
        ),
        names=series(other_zones),
        own=zone,
    )
    if unknown:
        raise NoData(lines(unknown))


class _Zones(NamedTuple):
    """Hold what the time zones of all hosts say."""

    hosts: int
    """Whose zone is known."""
    usual: int | None
    """Seconds east of UTC that most hosts have; None without a majority."""
    name: str | None
    """The most frequent name of the usual zone, of all zones without a majority."""
    offsets: str
    """Each offset with the number of its hosts."""


def _zones(deployment: Deployment, host_facts: HostLookup) -> _Zones:
    others = [facts for facts in _others(deployment, host_facts) if _offset(facts) is not None]
    counts = Counter(_shown(seconds) for facts in others if (seconds := _offset(facts)) is not None)
    usual = _most(others, deployment)
    names = Counter(filter(None, (_zone(facts) for facts in others if usual in (None, _offset(facts)))))
    return _Zones(
        hosts=len(others),
        usual=usual,
        name=names.most_common(1)[0][0] if names else None,
        offsets=", ".join(f"{shown} x {count}" for shown, count in sorted(counts.items())),
    )


def _most(others: list[HostView], deployment: Deployment) -> int | None:
    """Return the offset that most hosts have, between equals that of most paas hosts; None without a majority."""
    paas = {host.name for host in deployment.selected("paas")}
    counts = Counter(_offset(facts) for facts in others)
    among_paas = Counter(_offset(facts) for facts in others if facts.name in paas)
    ranks = {seconds: (count, among_paas[seconds]) for seconds, count in counts.items()}
    best = [seconds for seconds in ranks if ranks[seconds] == max(ranks.values())]
    return best[0] if len(best) == 1 else None


def _offset(host: HostView) -> int | None:
    """Return the seconds east of UTC now, None if they are unknown."""
    return None if isinstance(host.facts.system, Missing) else host.system.utc_offset_seconds


def _zone(host: HostView) -> str | None:
    """Return the name of /etc/localtime or /etc/timezone, such as Asia/Shanghai; None for a copy without a name."""
    link = (host.system.localtime or "").partition("/zoneinfo/")[2]
    return link.removeprefix("posix/") or host.system.timezone_file or None


SERVICE_ROLES = ("paas", "appo", "appt")
"""Of the hosts that run services or paas_agent."""
ZONE_OF_HOST = (":/etc/localtime", "/etc/localtime")
"""Values of TZ that name the zone of the host itself."""


def _in_other_zones(
    host: HostView, deployment: Deployment, own: int, unknown: list[Message | str]
) -> dict[str, Process]:
    """Return the services and the agent whose variable TZ gives another offset than the host's zone has.

    own: seconds east of UTC. unknown: receives the reasons for which a process was not compared.
    """
    if deployment.generation != "5.x" or not deployment.host(host.name).has_role(*SERVICE_ROLES):
        return {}
    programs = [(process.service or "", process) for process in host.processes.uwsgi_masters()]
    programs += [("paas_agent", process) for process in host.processes.named("paas_agent")]
    others: dict[str, Process] = {}
    for name, process in programs:
        if process.environ is None:
            unknown.append(msg("/proc/{pid}/environ cannot be read ({name})", pid=process.pid, name=name))
            continue
        value = process.environ.get("TZ")
        if value is None or value in ZONE_OF_HOST:
            continue
        seconds = zone_offset(value, host_time(host))
        if seconds is None:
            place = f"TZ={value}"
            unknown.append(
                msg(
                    "{name} (pid {pid}): {place} is not a zone that is known here",
                    name=name,
                    pid=process.pid,
                    place=place,
                )
            )
        elif seconds != own:
            others[name] = process
    return others


def _shown(seconds: int) -> str:
    """Return an offset as date +%z prints it."""
    minutes = abs(seconds) // 60
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02d}{minutes % 60:02d}"
