"""FAQ: "Login validity is illegal": clocks, the tolerated offset, and the key that signs tokens."""

from collections import Counter

from bkpaas.checks import (
    FEWEST_CLOCKS,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    NoData,
    Subject,
    condition,
    offset,
    say,
    usual_clock,
)

OFFSET = "BK_TOKEN_OFFSET_ERROR_TIME"


def _apart(
    pair: tuple[HostView, HostView], deployment: Deployment
) -> tuple[HostView, HostView, float, float]:
    """(ahead, behind, distance, uncertainty): how far the clock of one host is before the other's."""
    first, second = pair
    distance = first.clock.offset_seconds - second.clock.offset_seconds
    uncertainty = first.clock.uncertainty_seconds + second.clock.uncertainty_seconds
    limit = deployment.thresholds.clock_uncertainty_seconds
    if uncertainty > limit:
        raise NoData(
            say(
                en=f"the clocks could be measured to ±{uncertainty:.1f} s only (limit {limit} s)",
                zh=f"时钟测量误差 ±{uncertainty:.1f} s 过大（上限 {limit} s）",
            )
        )
    ahead, behind = (first, second) if distance >= 0 else (second, first)
    return ahead, behind, abs(distance), uncertainty


def _tolerated(host: HostView) -> tuple[int | float, str]:
    """(seconds, where it was read): how far a token may lie in the future of this host's clock."""
    login = host.settings.by_project.get("login")
    value = login.get(OFFSET) if login else None
    if login is None or value is None:
        raise NoData(
            say(
                en=f"{host.name}: {OFFSET} stands in no settings file of login",
                zh=f"{host.name}：login 的配置文件中没有 {OFFSET}",
            )
        )
    return login.number(OFFSET), f"{host.name}:{value.file}:{value.line}"


def _off(ahead: HostView, behind: HostView, deployment: Deployment, host_facts: HostLookup) -> str:
    """Which of two clocks is the wrong one, as far as the clocks of all hosts tell."""
    usual, measured = usual_clock(deployment, host_facts)
    if usual is None or measured < FEWEST_CLOCKS:
        return say(
            en=f"one of the two ({ahead.name} is ahead, which need not be the wrong one)",
            zh=f"两台之一（{ahead.name} 更快，但不一定是它错了）",
        )
    far, near = sorted((ahead, behind), key=lambda one: -abs(one.clock.offset_seconds - usual.offset_seconds))
    return say(
        en=f"{far.name} ({near.name} is nearer to the median of {measured} hosts)",
        zh=f"{far.name}（{near.name} 更接近 {measured} 台主机的中位数）",
    )


@condition("paas-clock-skew")
def test_tokens_of_one_host_are_valid_on_the_other(
    pair: tuple[HostView, HostView], deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """A token is refused when its issuer's clock is ahead of the verifier's by more than the verifier tolerates."""
    ahead, behind, distance, uncertainty = _apart(pair, deployment)
    limits = {host.name: _tolerated(host) for host in pair}
    limit, where = limits[behind.name] if distance > uncertainty else min(limits.values())
    finding.set_remedy_values(off=_off(ahead, behind, deployment, host_facts))
    text = say(
        en=f"the clock of {ahead.name} is {offset(distance)} (±{uncertainty:.3f} s) ahead of {behind.name}; "
        f"limit {limit} s, {OFFSET} read in {where}",
        zh=f"{ahead.name} 的时钟比 {behind.name} 快 {offset(distance)}（±{uncertainty:.3f} s）；"
        f"上限 {limit} s，{OFFSET} 读自 {where}",
    )
    finding.add_evidence(text)
    if distance - uncertainty <= limit < distance + uncertainty:
        raise NoData(say(en="too close to the limit to tell: ", zh="过于接近上限，无法判定：") + text)
    assert distance <= limit, text + say(
        en=f": tokens issued on {ahead.name} are refused on {behind.name}",
        zh=f"：{ahead.name} 签发的登录态会被 {behind.name} 拒绝",
    )


@condition("paas-clock-drift")
def test_clocks_of_paas_hosts_agree(
    pair: tuple[HostView, HostView], deployment: Deployment, finding: Finding
) -> None:
    """The clocks of the paas hosts are within a few seconds of each other."""
    ahead, behind, distance, uncertainty = _apart(pair, deployment)
    limit = deployment.thresholds.clock_drift_seconds
    text = say(
        en=f"the clock of {ahead.name} is {offset(distance)} (±{uncertainty:.3f} s) ahead of {behind.name}; "
        f"better within {limit} s",
        zh=f"{ahead.name} 的时钟比 {behind.name} 快 {offset(distance)}（±{uncertainty:.3f} s）；建议不超过 {limit} s",
    )
    finding.add_evidence(text)
    assert distance - uncertainty <= limit, text


@condition("time-daemon")
def test_time_is_kept_by_a_daemon(host: HostView, finding: Finding) -> None:
    """chronyd or ntpd runs, and follows a server."""
    daemon = host.time_daemon
    assert daemon.daemon is not None, say(
        en="neither chronyd, ntpd nor systemd-timesyncd runs",
        zh="chronyd、ntpd 和 systemd-timesyncd 都没有运行",
    )
    if daemon.synchronised is None:
        raise NoData(
            say(
                en=f"{daemon.daemon} runs, but does not tell whether it is synchronised: {daemon.text[:120]}",
                zh=f"{daemon.daemon} 在运行，但无法得知是否已同步：{daemon.text[:120]}",
            )
        )
    finding.add_evidence(f"{daemon.daemon} {daemon.source or ''}".strip())
    assert daemon.synchronised, say(
        en=f"{daemon.daemon} runs but follows no server", zh=f"{daemon.daemon} 在运行但没有同步到服务器"
    )


@condition("token-offset-config")
def test_tolerated_offset_is_equal_everywhere(
    host: HostView, subject: Subject, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The value that takes effect is a number of seconds, not negative, and the same on every paas host."""
    login = host.settings.by_project.get("login")
    value = login.get(OFFSET) if login else None
    if login is None or value is None:
        raise NoData(
            say(en=f"{OFFSET} stands in no settings file of login", zh=f"login 的配置文件中没有 {OFFSET}")
        )
    where = f"{value.file}:{value.line}"
    if value.kind == "expression" or (value.kind == "secret" and value.source):
        raise NoData(f"{where}: {OFFSET} = {value.text}")
    assert value.kind in ("int", "float") and value.value >= 0, say(
        en=f"{where}: {OFFSET} = {value.text} is not a number of seconds",
        zh=f"{where}：{OFFSET} = {value.text} 不是秒数",
    )
    usual = _usual_offset(deployment, host_facts)
    finding.add_evidence(f"{OFFSET} = {value.value} ({where})")
    assert value.value == usual, say(
        en=f"{where}: {OFFSET} = {value.value}, other paas hosts have {usual}",
        zh=f"{where}：{OFFSET} = {value.value}，其他 paas 主机为 {usual}",
    )


def _usual_offset(deployment: Deployment, host_facts: HostLookup) -> int | float:
    """What most paas hosts have; between equals the value as shipped, then that of the first host."""
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
    finding.add_evidence(f"{OFFSET} = {value} ({where})")
    assert value <= shipped, say(
        en=f"{where}: {OFFSET} = {value}, shipped is {shipped}",
        zh=f"{where}：{OFFSET} = {value}，出厂为 {shipped}",
    )


@condition("login-secret-equal")
def test_paas_hosts_sign_with_the_same_key(pair: tuple[HostView, HostView], finding: Finding) -> None:
    """SECRET_KEY of each project is the same on both hosts; only digests are compared."""
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
        raise NoData(say(en="no SECRET_KEY in any settings file", zh="配置文件中都没有 SECRET_KEY"))
    finding.affects_services(wrong)
    finding.add_evidence(say(en="equal for ", zh="相同：") + ", ".join(compared))
    assert not wrong, say(
        en=f"SECRET_KEY of {', '.join(wrong)} differs between {first.name} and {second.name}",
        zh=f"{first.name} 与 {second.name} 的 SECRET_KEY 不同：{', '.join(wrong)}",
    )


def _secret(host: HostView, project: str) -> str | None:
    """The digest of a project's key, None where it has none."""
    settings = host.settings.by_project.get(project)
    value = settings.get("SECRET_KEY") if settings else None
    if value is None:
        return None
    if value.digest is None or value.source:
        raise NoData(
            say(
                en=f"{host.name}:{value.file}:{value.line}: SECRET_KEY is no plain string",
                zh=f"{host.name}:{value.file}:{value.line}：SECRET_KEY 不是普通字符串",
            )
        )
    return value.digest
