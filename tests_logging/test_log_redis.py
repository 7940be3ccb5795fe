"""FAQ: the redis between log_agent and log_parser: it answers both, takes their password, and its list does not grow."""

from bkpaas.checks import (
    QUEUE_SECONDS,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    IpAddress,
    LogPlugin,
    NoData,
    NotApplicable,
    RedisKey,
    RedisTalk,
    RedisTarget,
    TcpName,
    addresses,
    answers_commands,
    condition,
    hosts_at,
    key_readings,
    no_answer,
    redis_endpoint,
    refused_command,
    require_log_search,
    say,
    valid_addresses,
)

REACHED = ("+PONG", "-NOAUTH", "-ERR operation not permitted")


def _targets(host: HostView, plugins: tuple[LogPlugin, ...]) -> list[RedisTarget]:
    """The lists of these plugins, one for each server and login."""
    targets = {target.server: target for plugin in plugins for target in plugin.targets}
    problems = [problem for plugin in plugins for problem in plugin.problems]
    if not targets and not any(plugin.filled or plugin.pids for plugin in plugins):
        raise NotApplicable(
            say(en="no log_agent or log_parser on this host", zh="本机没有 log_agent 或 log_parser")
        )
    if not targets:
        nothing = say(en="no redis in the configuration of the plugins", zh="插件配置中没有 redis")
        raise NoData("; ".join(problems[:3]) or nothing)
    return list(targets.values())


def _cannot_ask(target: RedisTarget) -> str:
    """Why a redis was not talked to; empty when it was."""
    for field in ("host", "port", "password", "db"):
        if field in target.unknown:
            return f"{target.file}:{target.line}: {field} {target.unknown[field]}"
    return (
        say(
            en=f"{redis_endpoint(target)}: over TLS, not asked",
            zh=f"{redis_endpoint(target)}：使用 TLS，未询问",
        )
        if target.tls
        else ""
    )


@condition("log-redis-reachable")
def test_redis_answers_the_plugins(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """From this host the configured redis answers PING, and takes the configured password."""
    require_log_search(deployment, host_facts)
    wrong, unclear = [], []
    for target in _targets(host, (host.log_plugins.agent, host.log_plugins.parser)):
        finding.set_remedy_values(redis_host=target.host, redis_port=target.port)
        finding.depends_on_hosts(
            hosts_at(addresses(host, target.host or "", deployment), deployment, host_facts)
        )
        reason = _cannot_ask(target)
        if reason and (target.host is None or target.port is None or target.tls):
            unclear.append(reason)
            continue
        trouble = _unreached(host.redis.get(TcpName.REDIS, redis_endpoint(target)))
        if not trouble and not reason:
            talk = host.redis.get(TcpName.REDIS, target.server)
            if talk.error_kind == "withheld":
                reason = no_answer(talk.error_kind)
            else:
                trouble = _refused(talk, target)
        if trouble:
            wrong.append(f"{redis_endpoint(target)}: {trouble}")
        elif reason:
            unclear.append(f"{redis_endpoint(target)}: {reason}")
        else:
            finding.add_evidence(redis_endpoint(target))
    assert not wrong, "\n".join(wrong)
    if unclear:
        raise NoData("; ".join(unclear))


def _unreached(talk: RedisTalk) -> str:
    if not talk.ok and not talk.replies:
        return no_answer(talk.error_kind)
    reply = talk.replies[0] if talk.replies else ""
    if reply.startswith(REACHED):
        return ""
    if reply[:1] in ("+", "-"):
        return reply
    return say(en="no redis answers there: ", zh="应答的不是 redis：") + reply[:80]


def _refused(talk: RedisTalk, target: RedisTarget) -> str:
    """Of AUTH, SELECT and PING the first that was not taken."""
    if refusal := refused_command(talk, target):
        command, reply = refusal
        hint = say(en=", and there is no password in the configuration", zh="，而配置中没有密码")
        return f"{command}: {reply}" + (hint if reply.startswith("-NOAUTH") and not target.password else "")
    return "" if answers_commands(talk, target) else no_answer(talk.error_kind)


@condition("log-queue-depth")
def test_log_parser_keeps_up(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The list that log_parser reads is short, or does not grow between two looks."""
    require_log_search(deployment, host_facts)
    limit, lists = deployment.thresholds.log_queue_length, 0
    for target in _targets(host, (host.log_plugins.parser,)):
        if target.type not in (None, "list"):
            continue
        if reason := _cannot_ask(target):
            raise NoData(reason)
        talk = host.redis.get(TcpName.REDIS, target.server)
        for key in key_readings(talk, host.log_plugins, target):
            lists += 1
            first, later = _length(key.first), _length(key.later)
            if first is None:
                raise NoData(f"{redis_endpoint(target)}: {no_answer(talk.error_kind)}")
            text = f"{redis_endpoint(target)} {key.name}: {first}" + (
                "" if later is None else f" -> {later}, {QUEUE_SECONDS:g} s"
            )
            finding.add_evidence(text)
            finding.set_remedy_values(redis_host=target.host, redis_port=target.port, list=key.name)
            if first <= limit:
                continue
            if later is None:
                raise NoData(f"{text}; {no_answer(talk.error_kind)}")
            assert later <= first, say(
                en=f"{text}: it grows (limit {limit})", zh=f"{text}：持续增长（上限 {limit}）"
            )
    if not lists:
        raise NotApplicable(
            say(en="log_parser reads a channel, not a list", zh="log_parser 读取的是频道而不是列表")
        )


def _length(key: RedisKey | None) -> int | None:
    """Return the length of a list, None without a reply; a key of another type is of no use to either plugin."""
    if key is None:
        return None
    if not key.readable:
        raise NoData(f"{key.name}: {key.type_reply} {key.length_reply}")
    assert key.is_list, say(
        en=f"{key.name} is no list but a {key.type}", zh=f"{key.name} 不是列表，而是 {key.type}"
    )
    return key.length


@condition("log-redis-connected")
def test_plugins_use_the_redis_of_their_configuration(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """No plugin talks to another redis than its configuration names; filebeat with nothing to send may talk to none."""
    require_log_search(deployment, host_facts)
    _targets(host, (host.log_plugins.agent, host.log_plugins.parser))
    looked = False
    for name, plugin in (("log_agent", host.log_plugins.agent), ("log_parser", host.log_plugins.parser)):
        if not plugin.targets or plugin.pids == ():
            continue
        if plugin.peers is None:
            raise NoData(say(en=f"the connections of {name} are not known", zh=f"{name} 的连接未知"))
        looked = True
        right = {
            (str(address), target.port)
            for target in plugin.targets
            for address in _meant(host, target, deployment)
        }
        ports = {deployment.service_port("redis"), *(target.port for target in plugin.targets)}
        used = {peer for peer in plugin.peers if peer[1] in ports}
        finding.set_remedy_values(
            pids=",".join(map(str, plugin.pids or ())), redis_port=plugin.targets[0].port
        )
        shown = ", ".join(f"{address}:{port}" for address, port in sorted(used or right))
        finding.add_evidence(
            f"{name}: {shown}" + ("" if used else say(en=" (no connection now)", zh="（当前无连接）"))
        )
        assert not used or used & right, say(
            en=f"{name} is connected to {shown}, its configuration says {redis_endpoint(plugin.targets[0])}",
            zh=f"{name} 连接的是 {shown}，而配置为 {redis_endpoint(plugin.targets[0])}",
        )
    if not looked:
        raise NotApplicable(
            say(en="no log_agent or log_parser runs here", zh="本机没有运行 log_agent 或 log_parser")
        )


def _meant(host: HostView, target: RedisTarget, deployment: Deployment) -> set[IpAddress]:
    """All addresses that a target may stand for; loopback is seen as such.

    A name may have more addresses than a resolver tells at once: any redis host of the inventory will do for it.
    """
    if target.host is None or target.port is None:
        raise NoData(_cannot_ask(target))
    found = (addresses(host, target.host, deployment) or set()) | valid_addresses([target.host])
    if not found:
        raise NoData(say(en=f"{target.host} does not resolve here", zh=f"{target.host} 在本机无法解析"))
    if not valid_addresses([target.host]):
        found |= valid_addresses([redis.address for redis in deployment.hosts_with("redis")])
    return found
