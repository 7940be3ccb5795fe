"""FAQ: the redis between log_agent and log_parser: it answers both, takes their password, and its list does not grow."""

from bkpaas.checks import (
    QUEUE_SECONDS,
    CaseMessage,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    IpAddress,
    LogPlugin,
    Message,
    NoData,
    NotApplicable,
    RedisAnswer,
    RedisKey,
    RedisTarget,
    TcpName,
    addresses,
    answers_commands,
    case,
    clauses,
    combined,
    condition,
    connection_case,
    hosts_at,
    key_readings,
    labelled,
    lines,
    msg,
    no_answer,
    redis_endpoint,
    refused_command,
    refuses_login,
    require_log_search,
    unknown_field,
    valid_addresses,
)

FULL = "max number of clients reached"
"""The error of a redis that has no connection left."""
REACHED = ("+PONG", "-NOAUTH", "-ERR operation not permitted", "-MISCONF")
"""-MISCONF: redis refuses writes after a failed save, and PING as well; log-redis-writable checks it."""


def _targets(host: HostView, plugins: tuple[LogPlugin, ...]) -> list[RedisTarget]:
    """Return the lists of these plugins, one for each server and login."""
    targets = {target.server: target for plugin in plugins for target in plugin.targets}
    problems = [problem for plugin in plugins for problem in plugin.problems]
    if not targets and not any(plugin.filled or plugin.pids for plugin in plugins):
        raise NotApplicable(msg("no log_agent or log_parser on this host"))
    if problems and not targets:
        raise NoData(clauses(problems[:3]))
    if not targets:
        raise NoData(msg("no redis in the configuration of the plugins"))
    return list(targets.values())


def _not_queried_reason(target: RedisTarget) -> Message | None:
    """Return why a redis was not asked, None if it was."""
    for field in ("host", "port", "password", "db"):
        if field in target.unknown:
            return unknown_field(target, field)
    return msg("{endpoint}: over TLS, not queried", endpoint=redis_endpoint(target)) if target.tls else None


@condition("log-redis-reachable")
def test_redis_answers_the_plugins(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """From this host the configured redis answers PING, and takes the configured password."""
    require_log_search(deployment, host_facts)
    wrong: list[CaseMessage] = []
    unclear: list[Message] = []
    for target in _targets(host, (host.log_plugins.agent, host.log_plugins.parser)):
        finding.set_remedy_values(redis_host=target.host, redis_port=target.port)
        finding.depends_on_hosts(
            hosts_at(addresses(host, target.host or "", deployment), deployment, host_facts)
        )
        endpoint, reason = redis_endpoint(target), _not_queried_reason(target)
        if reason is not None and (target.host is None or target.port is None or target.tls):
            unclear.append(reason)
            continue
        failure = _unreached(host.redis.get(TcpName.REDIS, endpoint), endpoint)
        if failure is None and reason is None:
            answer = host.redis.get(TcpName.REDIS, target.server)
            if answer.error_kind == "withheld":
                unclear.append(labelled(endpoint, no_answer("withheld")))
                continue
            failure = _refused(answer, target)
        if failure is not None:
            wrong.append(failure)
        elif reason is not None:
            unclear.append(labelled(endpoint, reason))
        else:
            finding.add_evidence(endpoint)
    assert not wrong, combined(wrong, lines(one.evidence for one in wrong))
    if unclear:
        raise NoData(clauses(unclear))


def _unreached(answer: RedisAnswer, endpoint: str) -> CaseMessage | None:
    """Return the failure of a PING without a login, None if redis answers it."""
    if not answer.ok and not answer.replies:
        return _unanswered(answer, endpoint)
    reply = answer.replies[0] if answer.replies else ""
    if reply.startswith(REACHED):
        return None
    if FULL in reply:
        return case("clients", labelled(endpoint, reply), endpoint=endpoint)
    if reply[:1] in ("+", "-"):
        return case("error-reply", labelled(endpoint, reply), endpoint=endpoint, reply=reply)
    return case(
        "other-server",
        "{endpoint}: the answer is not from redis: {reply}",
        endpoint=endpoint,
        reply=reply[:80],
    )


def _unanswered(answer: RedisAnswer, endpoint: str) -> CaseMessage:
    evidence = labelled(endpoint, no_answer(answer.error_kind))
    return connection_case(answer.error_kind, evidence, endpoint=endpoint)


def _refused(answer: RedisAnswer, target: RedisTarget) -> CaseMessage | None:
    """Return the failure of the first of AUTH, SELECT and PING that is not accepted, None if all are."""
    endpoint, refusal = redis_endpoint(target), refused_command(answer, target)
    if refusal is None:
        return None if answers_commands(answer, target) else _unanswered(answer, endpoint)
    command, reply = refusal
    if reply.startswith("-MISCONF"):
        return None
    # One parameter "AUTH: ..." would be redacted, as a line of a log with a password is.
    evidence = msg("{endpoint}: {command}: {reply}", endpoint=endpoint, command=command, reply=reply)
    if FULL in reply:
        return case("clients", evidence, endpoint=endpoint)
    if reply.startswith("-NOAUTH") and not target.password:
        evidence = msg("{evidence}, and there is no password in the configuration", evidence=evidence)
        return case("login-missing", evidence, endpoint=endpoint)
    if refuses_login(command, reply):
        return case("login-refused", evidence, endpoint=endpoint)
    return case("error-reply", evidence, endpoint=endpoint, reply=reply)


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
        if (reason := _not_queried_reason(target)) is not None:
            raise NoData(reason)
        answer = host.redis.get(TcpName.REDIS, target.server)
        for key in key_readings(answer, host.log_plugins, target):
            lists += 1
            first, later = _length(key.first), _length(key.later)
            if first is None:
                raise NoData(labelled(redis_endpoint(target), no_answer(answer.error_kind)))
            text = f"{redis_endpoint(target)} {key.name}: {first}" + (
                "" if later is None else f" -> {later}, {QUEUE_SECONDS:g} s"
            )
            finding.add_evidence(text)
            finding.set_remedy_values(redis_host=target.host, redis_port=target.port, list=key.name)
            if first <= limit:
                continue
            if later is None:
                raise NoData(clauses([text, no_answer(answer.error_kind)]))
            assert later <= first, case(
                "grows",
                msg("{lengths}: it grows (limit {limit})", lengths=text, limit=limit),
                key=key.name,
                first=first,
                later=later,
            )
    if not lists:
        raise NotApplicable(msg("log_parser reads a channel, not a list"))


def _length(key: RedisKey | None) -> int | None:
    """Return the length of a list, None without a reply; log-redis-writable judges its type."""
    if key is None:
        return None
    if not key.readable:
        raise NoData(f"{key.name}: {key.type_reply} {key.length_reply}")
    if not key.is_list:
        raise NoData(msg("{key} is a {type}, not a list", key=key.name, type=key.type))
    return key.length


@condition("log-redis-connected")
def test_plugins_use_the_redis_of_their_configuration(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """No plugin talks to another redis than its configuration names; filebeat with nothing to send may talk to none."""
    require_log_search(deployment, host_facts)
    _targets(host, (host.log_plugins.agent, host.log_plugins.parser))
    checked = False
    for name, plugin in (("log_agent", host.log_plugins.agent), ("log_parser", host.log_plugins.parser)):
        if not plugin.targets or plugin.pids == ():
            continue
        if plugin.peers is None:
            if not host.system.root:
                raise NoData(msg("only root can see the owners of sockets"))
            raise NoData(msg("the connections of {program} are not known", program=name))
        checked = True
        right = {
            (str(address), target.port)
            for target in plugin.targets
            for address in _configured_addresses(host, target, deployment)
        }
        ports = {deployment.service_port("redis"), *(target.port for target in plugin.targets)}
        used = {peer for peer in plugin.peers if peer[1] in ports}
        finding.set_remedy_values(
            pids=",".join(map(str, plugin.pids or ())), redis_port=plugin.targets[0].port
        )
        shown = ", ".join(f"{address}:{port}" for address, port in sorted(used or right))
        finding.add_evidence(
            f"{name}: {shown}"
            if used
            else msg("{program}: {peers} (no connection now)", program=name, peers=shown)
        )
        assert not used or used & right, case(
            "other-server",
            "{program} is connected to {peers}, its configuration has {configured}",
            program=name,
            peers=shown,
            configured=redis_endpoint(plugin.targets[0]),
        )
    if not checked:
        raise NotApplicable(msg("no log_agent or log_parser runs here"))


def _configured_addresses(host: HostView, target: RedisTarget, deployment: Deployment) -> set[IpAddress]:
    """Return all addresses that a target may have, loopback included.

    A name may have more addresses than one answer of a resolver has, so any redis host of the inventory counts.
    """
    if target.host is None or target.port is None:
        raise NoData(_not_queried_reason(target) or "")
    resolved = (addresses(host, target.host, deployment) or set()) | valid_addresses([target.host])
    if not resolved:
        raise NoData(msg("{name} does not resolve here", name=target.host))
    if not valid_addresses([target.host]):
        resolved |= valid_addresses([redis.address for redis in deployment.hosts_with("redis")])
    return resolved
