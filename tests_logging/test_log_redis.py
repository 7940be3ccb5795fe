"""FAQ: the redis between log_agent and log_parser: it answers both, takes their password, and its list does not grow."""

from bkpaas.errors import NoData, NotApplicable
from bkpaas.facts.query import TcpName
from bkpaas.facts.redis import QUEUE_SECONDS, redis_keys
from bkpaas.lang import say
from bkpaas.suite import condition
from bkpaas.suite.log_search import addresses, hosts_at, in_use, place, valid
from bkpaas.suite.words import no_answer

REACHED = ("+PONG", "-NOAUTH", "-ERR operation not permitted")


def _targets(host, plugins):
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


def _cannot_ask(target):
    """Why a redis was not talked to; empty when it was."""
    for field in ("host", "port", "password", "db"):
        if field in target.unknown:
            return f"{target.file}:{target.line}: {field} {target.unknown[field]}"
    return (
        say(en=f"{place(target)}: over TLS, not asked", zh=f"{place(target)}：使用 TLS，未询问")
        if target.tls
        else ""
    )


@condition("log-redis-reachable")
def test_redis_answers_the_plugins(host, deployment, host_facts, finding):
    """From this host the configured redis answers PING, and takes the configured password."""
    in_use(deployment, host_facts)
    wrong, unclear = [], []
    for target in _targets(host, (host.log_plugins.agent, host.log_plugins.parser)):
        finding.fill(redis_host=target.host, redis_port=target.port)
        finding.needs(hosts_at(addresses(host, target.host or "", deployment), deployment, host_facts))
        reason = _cannot_ask(target)
        if reason and (target.host is None or target.port is None or target.tls):
            unclear.append(reason)
            continue
        trouble = _unreached(host.redis.get(TcpName.REDIS, place(target)))
        if not trouble and not reason:
            talk = host.redis.get(TcpName.REDIS, target.server)
            if talk.error_kind == "withheld":
                reason = no_answer(talk.error_kind)
            else:
                trouble = _refused(talk, target)
        if trouble:
            wrong.append(f"{place(target)}: {trouble}")
        elif reason:
            unclear.append(f"{place(target)}: {reason}")
        else:
            finding.saw(place(target))
    assert not wrong, "\n".join(wrong)
    if unclear:
        raise NoData("; ".join(unclear))


def _unreached(talk):
    if not talk.ok and not talk.replies:
        return no_answer(talk.error_kind)
    reply = talk.replies[0] if talk.replies else ""
    if reply.startswith(REACHED):
        return ""
    if reply[:1] in ("+", "-"):
        return reply
    return say(en="no redis answers there: ", zh="应答的不是 redis：") + reply[:80]


def _refused(talk, target):
    """Of AUTH, SELECT and PING the first that was not taken."""
    commands = [*(["AUTH"] if target.password else []), f"SELECT {target.db}", "PING"]
    for command, reply in zip(commands, talk.replies, strict=False):
        if reply.startswith("-"):
            hint = say(en=", and there is no password in the configuration", zh="，而配置中没有密码")
            return f"{command}: {reply}" + (
                hint if reply.startswith("-NOAUTH") and not target.password else ""
            )
    if len(talk.replies) < len(commands):
        return no_answer(talk.error_kind)
    return ""


@condition("log-queue-depth")
def test_log_parser_keeps_up(host, deployment, host_facts, finding):
    """The list that log_parser reads is short, or does not grow between two looks."""
    in_use(deployment, host_facts)
    limit, lists = deployment.thresholds.log_queue_length, 0
    for target in _targets(host, (host.log_plugins.parser,)):
        if target.type not in (None, "list"):
            continue
        if reason := _cannot_ask(target):
            raise NoData(reason)
        talk = host.redis.get(TcpName.REDIS, target.server)
        keys, before = redis_keys(host.log_plugins, target), 3 if target.password else 2
        once = before + 2 * len(keys)
        for number, key in enumerate(keys):
            lists += 1
            at = before + 2 * number
            first, later = (_length(talk, key, at + look, at + look + 1) for look in (0, once))
            if first is None:
                raise NoData(f"{place(target)}: {no_answer(talk.error_kind)}")
            text = f"{place(target)} {key}: {first}" + (
                "" if later is None else f" -> {later}, {QUEUE_SECONDS:g} s"
            )
            finding.saw(text)
            finding.fill(redis_host=target.host, redis_port=target.port, list=key)
            if first > limit and later is None:
                raise NoData(f"{text}; {no_answer(talk.error_kind)}")
            assert first <= limit or later <= first, say(
                en=f"{text}: it grows (limit {limit})", zh=f"{text}：持续增长（上限 {limit}）"
            )
    if not lists:
        raise NotApplicable(
            say(en="log_parser reads a channel, not a list", zh="log_parser 读取的是频道而不是列表")
        )


def _length(talk, key, kind_at, length_at):
    """None: not told. A key of another type is one that neither plugin can use."""
    if len(talk.replies) <= length_at:
        return None
    kind, length = talk.replies[kind_at], talk.replies[length_at]
    if kind.startswith("-") or not (
        kind.startswith("+") and (length.startswith(":") or kind not in ("+list", "+none"))
    ):
        raise NoData(f"{key}: {kind} {length}")
    assert kind in ("+list", "+none"), say(
        en=f"{key} is no list but a {kind[1:]}", zh=f"{key} 不是列表，而是 {kind[1:]}"
    )
    return int(length[1:])


@condition("log-redis-connected")
def test_plugins_use_the_redis_of_their_configuration(host, deployment, host_facts, finding):
    """No plugin talks to another redis than its configuration names; filebeat with nothing to send may talk to none."""
    in_use(deployment, host_facts)
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
        finding.fill(pids=",".join(map(str, plugin.pids or ())), redis_port=plugin.targets[0].port)
        shown = ", ".join(f"{address}:{port}" for address, port in sorted(used or right))
        finding.saw(
            f"{name}: {shown}" + ("" if used else say(en=" (no connection now)", zh="（当前无连接）"))
        )
        assert not used or used & right, say(
            en=f"{name} is connected to {shown}, its configuration says {place(plugin.targets[0])}",
            zh=f"{name} 连接的是 {shown}，而配置为 {place(plugin.targets[0])}",
        )
    if not looked:
        raise NotApplicable(
            say(en="no log_agent or log_parser runs here", zh="本机没有运行 log_agent 或 log_parser")
        )


def _meant(host, target, deployment):
    """All addresses that a target may stand for; loopback is seen as such.

    A name may have more addresses than a resolver tells at once: any redis host of the inventory will do for it.
    """
    if target.host is None or target.port is None:
        raise NoData(_cannot_ask(target))
    found = (addresses(host, target.host, deployment) or set()) | valid([target.host])
    if not found:
        raise NoData(say(en=f"{target.host} does not resolve here", zh=f"{target.host} 在本机无法解析"))
    if not valid([target.host]):
        found |= valid([redis.address for redis in deployment.having("redis")])
    return found
