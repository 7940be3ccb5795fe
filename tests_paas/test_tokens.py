"""FAQ: "Login validity is illegal": clocks, the tolerated offset, and the key that signs tokens."""

from collections import Counter

from bkpaas.checks import (
    FEWEST_CLOCKS,
    CaseMessage,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    Message,
    NoData,
    Subject,
    case,
    condition,
    msg,
    offset,
    require_one_generation,
    seconds,
    usual_clock,
)

OFFSET = "BK_TOKEN_OFFSET_ERROR_TIME"
IDLE = "BK_INACTIVE_COOKIE_AGE"
"""Of 6.x: how long a token may be unused, in seconds of the host that verifies it."""


def _compare_clocks(
    pair: tuple[HostView, HostView], deployment: Deployment
) -> tuple[HostView, HostView, float, float]:
    """Return (ahead, behind, distance, uncertainty): how far one host's clock is ahead of the other's."""
    first, second = pair
    if first.clock.controller != second.clock.controller:
        raise NoData(msg("two controllers measured the clocks: against their own clocks, which may differ"))
    distance = first.clock.offset_seconds - second.clock.offset_seconds
    uncertainty = first.clock.uncertainty_seconds + second.clock.uncertainty_seconds
    limit = deployment.thresholds.clock_uncertainty_seconds
    if uncertainty > limit:
        raise NoData(
            msg(
                "the clocks could be measured to ±{uncertainty:.1f} s only (limit {limit} s)",
                uncertainty=uncertainty,
                limit=limit,
            )
        )
    ahead, behind = (first, second) if distance >= 0 else (second, first)
    return ahead, behind, abs(distance), uncertainty


def _tolerated(host: HostView) -> tuple[int | float, str]:
    """Return (seconds, source): how far a token may lie in the future of this host's clock."""
    login = host.settings.by_project.get("login")
    value = login.get(OFFSET) if login else None
    if login is None or value is None:
        raise NoData(
            msg("{name}: {offset} is not set in any settings file of login", name=host.name, offset=OFFSET)
        )
    return login.number(OFFSET), f"{host.name}:{value.file}:{value.line}"


def _idle_limit(host: HostView) -> int | float | None:
    """Return how far this host's clock may be ahead of a token's issuer; None: login has no such limit."""
    login = host.settings.by_project.get("login")
    value = login.get(IDLE) if login else None
    if login is None or value is None:
        return None
    return login.number(IDLE) + _tolerated(host)[0]


def _off(ahead: HostView, behind: HostView, deployment: Deployment, host_facts: HostLookup) -> Message:
    """Return which of two clocks is wrong, judging by the clocks of all hosts."""
    usual, measured = usual_clock(deployment, host_facts, ahead.clock)
    if usual is None or measured < FEWEST_CLOCKS:
        return msg("one of the two ({name} is ahead, which need not be the wrong one)", name=ahead.name)
    far, near = sorted((ahead, behind), key=lambda one: -abs(one.clock.offset_seconds - usual.offset_seconds))
    return msg(
        "{name} ({near_name} is nearer to the median of {measured} hosts)",
        name=far.name,
        near_name=near.name,
        measured=measured,
    )


@condition("paas-clock-skew")
def test_tokens_of_one_host_are_valid_on_the_other(
    pair: tuple[HostView, HostView], deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """A token is refused when its issuer's clock is too far ahead of the verifier's, on 6.x also too far behind."""
    ahead, behind, distance, uncertainty = _compare_clocks(pair, deployment)
    limits = {host.name: _tolerated(host) for host in pair}
    limit, where = limits[behind.name] if distance > uncertainty else min(limits.values())
    finding.set_remedy_values(off=_off(ahead, behind, deployment, host_facts))
    text = msg(
        "the clock of {ahead} is {distance} (±{uncertainty:.3f} s) ahead of {behind}; "
        "limit {limit} s, {setting} read in {where}",
        ahead=ahead.name,
        distance=offset(distance).removeprefix("+"),
        uncertainty=uncertainty,
        behind=behind.name,
        limit=limit,
        setting=OFFSET,
        where=where,
    )
    finding.add_evidence(text)
    idle = _idle_limit(ahead)
    # One limit that is surely exceeded decides, however close the other is.
    exceeded = [one for one in (limit, idle) if one is not None and distance - uncertainty > one]
    for one in (limit, idle):
        if one is not None and not exceeded and distance - uncertainty <= one < distance + uncertainty:
            raise NoData(msg("too close to the limit to decide: {text}", text=text))
    if idle is not None and idle in exceeded:
        raise AssertionError(_idle_refused(text, idle, ahead, behind, distance, both=limit in exceeded))
    assert distance <= limit, case(
        "apart",
        msg(
            "{text}: tokens issued on {ahead} are refused on {behind}",
            text=text,
            ahead=ahead.name,
            behind=behind.name,
        ),
        ahead=ahead.name,
        behind=behind.name,
        distance=seconds(distance),
    )


def _idle_refused(
    text: Message, idle: int | float, ahead: HostView, behind: HostView, distance: float, *, both: bool
) -> CaseMessage:
    """Return the host ahead, which takes a new token of the other for one that was idle for hours."""
    shown = msg(
        "{text}; but above {idle} s ({setting} and {offset} of {ahead}): tokens issued on {behind} are refused on "
        "{ahead} as not used for too long",
        text=text,
        idle=idle,
        setting=IDLE,
        offset=OFFSET,
        ahead=ahead.name,
        behind=behind.name,
    )
    if not both:
        return case("idle", shown, ahead=ahead.name, behind=behind.name, distance=seconds(distance))
    refused = msg(
        "{text}, and above {idle} s ({setting} and {offset} of {ahead}): each refuses the tokens of the other",
        text=text,
        idle=idle,
        setting=IDLE,
        offset=OFFSET,
        ahead=ahead.name,
    )
    return case("both-refuse", refused, ahead=ahead.name, behind=behind.name, distance=seconds(distance))


@condition("paas-clock-drift")
def test_clocks_of_paas_hosts_agree(
    pair: tuple[HostView, HostView], deployment: Deployment, finding: Finding
) -> None:
    """The clocks of the paas hosts are within a few seconds of each other."""
    ahead, behind, distance, uncertainty = _compare_clocks(pair, deployment)
    limit = deployment.thresholds.clock_drift_seconds
    text = msg(
        "the clock of {ahead} is {distance} (±{uncertainty:.3f} s) ahead of {behind}; better within {limit} s",
        ahead=ahead.name,
        distance=offset(distance).removeprefix("+"),
        uncertainty=uncertainty,
        behind=behind.name,
        limit=limit,
    )
    finding.add_evidence(text)
    assert distance - uncertainty <= limit, case(
        "apart", text, ahead=ahead.name, behind=behind.name, distance=seconds(distance)
    )


@condition("time-daemon")
def test_time_is_kept_by_a_daemon(host: HostView, finding: Finding) -> None:
    """chronyd or ntpd runs, and follows a server."""
    daemon = host.time_daemon
    assert daemon.daemon is not None, case("not-running", "neither chronyd, ntpd nor systemd-timesyncd runs")
    if daemon.synchronised is None:
        raise NoData(
            msg(
                "{daemon} runs, but does not report whether it is synchronised: {text}",
                daemon=daemon.daemon,
                text=daemon.text[:120],
            )
        )
    finding.add_evidence(f"{daemon.daemon} {daemon.source or ''}".strip())
    assert not daemon.follows_itself, case(
        "own-clock",
        "{daemon} (pid {pid}) runs, but follows the clock of its own host ({source})",
        daemon=daemon.daemon,
        pid=daemon.pid,
        source=daemon.source,
    )
    assert daemon.synchronised or daemon.daemon != "ntpd", case(
        "ntpd-not-synchronised",
        "{daemon} (pid {pid}) runs, but follows no server",
        daemon="ntpd",
        pid=daemon.pid,
    )
    assert daemon.synchronised, case(
        "not-synchronised",
        "{daemon} (pid {pid}) runs, but follows no server (source: {source})",
        daemon=daemon.daemon,
        pid=daemon.pid,
        source=daemon.source or msg("none", context="time source"),
    )


@condition("token-offset-config")
def test_tolerated_offset_is_equal_everywhere(
    host: HostView, subject: Subject, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The value that takes effect is a number of seconds, not negative, and the same on every paas host."""
    login = host.settings.by_project.get("login")
    value = login.get(OFFSET) if login else None
    if login is None or value is None:
        raise NoData(msg("{offset} is not set in any settings file of login", offset=OFFSET))
    where = f"{value.file}:{value.line}"
    if value.kind == "expression" or (value.kind == "secret" and value.source):
        raise NoData(f"{where}: {OFFSET} = {value.text}")
    is_seconds = value.kind in ("int", "float") and login.number(OFFSET) >= 0
    assert is_seconds, case(
        "not-a-number",
        "{where}: {offset} = {text} is not a number of seconds",
        where=where,
        offset=OFFSET,
        text=value.text,
    )
    finding.names_components("setting", [OFFSET])
    usual = _usual_offset(deployment, host_facts)
    finding.add_evidence(f"{OFFSET} = {value.value} ({where})")
    assert value.value == usual, case(
        "differs",
        "{where}: {offset} = {value}, other paas hosts have {usual}",
        where=where,
        offset=OFFSET,
        value=value.value,
        usual=usual,
    )


def _usual_offset(deployment: Deployment, host_facts: HostLookup) -> int | float:
    """Return what most paas hosts have; of equals the shipped value, then that of the first host."""
    values = []
    for host in deployment.selected("paas"):
        try:
            values.append(_tolerated(host_facts(host.name))[0])
        except NoData:
            continue
    shipped = deployment.thresholds.token_offset_seconds
    counts = Counter(values)
    return max(values, key=lambda value: (counts[value], value == shipped))


@condition("token-offset-raised")
def test_tolerated_offset_hides_nothing(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """The tolerated offset is not larger than shipped: a larger one hides a skew and repairs nothing."""
    shipped = deployment.thresholds.token_offset_seconds
    value, where = _tolerated(host)
    finding.names_components("setting", [OFFSET])
    finding.add_evidence(f"{OFFSET} = {value} ({where})")
    assert value <= shipped, case(
        "raised",
        "{where}: {offset} = {value}, the default is {shipped}",
        where=where,
        offset=OFFSET,
        value=value,
        shipped=shipped,
    )


@condition("login-secret-equal")
def test_paas_hosts_sign_with_the_same_key(pair: tuple[HostView, HostView], finding: Finding) -> None:
    """SECRET_KEY of each project is the same on both hosts; only digests are compared."""
    require_one_generation(*pair)
    first, second = pair
    compared, wrong = [], []
    for project in ("login", "paas", "esb", "appengine"):
        values = [_secret(host, project) for host in pair]
        if values[0] is None and values[1] is None:
            continue
        compared.append(project)
        if values[0] != values[1]:
            wrong.append(project)
    if not compared:
        raise NoData(msg("no SECRET_KEY in any settings file"))
    finding.affects_services(wrong)
    finding.names_components("setting", ["SECRET_KEY"])
    finding.add_evidence(msg("equal for {projects}", projects=", ".join(compared)))
    assert not wrong, case(
        "differs",
        "SECRET_KEY of {projects} differs between {first} and {second}",
        projects=", ".join(wrong),
        first=first.name,
        second=second.name,
    )


def _secret(host: HostView, project: str) -> str | None:
    """Return the digest of a project's key, None where it has none."""
    settings = host.settings.by_project.get(project)
    value = settings.get("SECRET_KEY") if settings else None
    if value is None:
        return None
    if value.digest is None or value.source:
        raise NoData(
            msg(
                "{name}:{file}:{line}: SECRET_KEY is not a plain string",
                name=host.name,
                file=value.file,
                line=value.line,
            )
        )
    return value.digest
