"""FAQ: the redis between log_agent and log_parser: it answers both, takes their password, and its list does not grow."""

from bkpaas.checks import (
    QUEUE_SECONDS,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    IpAddress,
    LogPlugin,
    Message,
    NoData,
    NotApplicable,
    RedisKey,
    RedisTalk,
    RedisTarget,
    TcpName,
    addresses,
    answers_commands,
    clauses,
    condition,
    hosts_at,
    key_readings,
    labelled,
    lines,
    msg,
    no_answer,
    redis_endpoint,
    refused_command,
    require_log_search,
    unknown_field,
    valid_addresses,
)

REACHED = ("+PONG", "-NOAUTH", "-ERR operation not permitted")


def _targets(host: HostView, plugins: tuple[LogPlugin, ...]) -> list[RedisTarget]:
    """The lists of these plugins, one for each server and login."""
    targets = {target.server: target for plugin in plugins for target in plugin.targets}
    problems = [problem for plugin in plugins for problem in plugin.problems]
    if not targets and not any(plugin.filled or plugin.pids for plugin in plugins):
        raise NotApplicable(msg("no log_agent or log_parser on this host"))
    if not targets:
        nothing = msg("no redis in the configuration of the plugins")
        raise NoData("; ".join(problems[:3]) or nothing)
    return list(targets.values())


def _cannot_ask(target: RedisTarget) -> Message | None:
    """Return why a redis was not talked to, None if it was."""
    for field in ("host", "port", "password", "db"):
        if field in target.unknown:
            return unknown_field(target, field)
    return msg("{endpoint}: over TLS, not asked", endpoint=redis_endpoint(target)) if target.tls else None


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
        if trouble is None and reason is None:
            talk = host.redis.get(TcpName.REDIS, target.server)
            if talk.error_kind == "withheld":
                reason = no_answer(talk.error_kind)
            else:
                trouble = _refused(talk, target)
        if trouble:
            wrong.append(labelled(redis_endpoint(target), trouble))
        elif reason:
            unclear.append(labelled(redis_endpoint(target), reason))
        else:
            finding.add_evidence(redis_endpoint(target))
    assert not wrong, lines(wrong)
    if unclear:
        raise NoData(clauses(unclear))


def _unreached(talk: RedisTalk) -> Message | str | None:
    if not talk.ok and not talk.replies:
        return no_answer(talk.error_kind)
    reply = talk.replies[0] if talk.replies else ""
    if reply.startswith(REACHED):
        return None
    if reply[:1] in ("+", "-"):
        return reply
    return msg("no redis answers there: {reply}", reply=reply[:80])


def _refused(talk: RedisTalk, target: RedisTarget) -> Message | str | None:
    """Of AUTH, SELECT and PING the first that was not taken."""
    if refusal := refused_command(talk, target):
        command, reply = refusal
        text = f"{command}: {reply}"
        if reply.startswith("-NOAUTH") and not target.password:
            return msg("{text}, and there is no password in the configuration", text=text)
        return text
    return None if answers_commands(talk, target) else no_answer(talk.error_kind)


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
                raise NoData(labelled(redis_endpoint(target), no_answer(talk.error_kind)))
            text = f"{redis_endpoint(target)} {key.name}: {first}" + (
                "" if later is None else f" -> {later}, {QUEUE_SECONDS:g} s"
            )
            finding.add_evidence(text)
            finding.set_remedy_values(redis_host=target.host, redis_port=target.port, list=key.name)
            if first <= limit:
                continue
            if later is None:
                raise NoData(clauses([text, no_answer(talk.error_kind)]))
            assert later <= first, msg("{text}: it grows (limit {limit})", text=text, limit=limit)
    if not lists:
        raise NotApplicable(msg("log_parser reads a channel, not a list"))


def _length(key: RedisKey | None) -> int | None:
    """Return the length of a list, None without a reply; a key of another type is of no use to either plugin."""
    if key is None:
        return None
    if not key.readable:
        raise NoData(f"{key.name}: {key.type_reply} {key.length_reply}")
    assert key.is_list, msg("{name} is no list but a {type}", name=key.name, type=key.type)
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
            raise NoData(msg("the connections of {name} are not known", name=name))
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
            f"{name}: {shown}" if used else msg("{name}: {shown} (no connection now)", name=name, shown=shown)
        )
        assert not used or used & right, msg(
            "{name} is connected to {shown}, its configuration says {redis_endpoint}",
            name=name,
            shown=shown,
            redis_endpoint=redis_endpoint(plugin.targets[0]),
        )
    if not looked:
        raise NotApplicable(msg("no log_agent or log_parser runs here"))


def _meant(host: HostView, target: RedisTarget, deployment: Deployment) -> set[IpAddress]:
    """All addresses that a target may stand for; loopback is seen as such.

    A name may have more addresses than a resolver tells at once: any redis host of the inventory will do for it.
    """
    if target.host is None or target.port is None:
        raise NoData(_cannot_ask(target))
    found = (addresses(host, target.host, deployment) or set()) | valid_addresses([target.host])
    if not found:
        raise NoData(msg("{host} does not resolve here", host=target.host))
    if not valid_addresses([target.host]):
        found |= valid_addresses([redis.address for redis in deployment.hosts_with("redis")])
    return found
