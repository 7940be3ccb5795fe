"""FAQ: log_agent on every app host, log_parser behind it, and one redis list between them."""

from bkpaas.checks import (
    Deployment,
    Finding,
    HostLookup,
    HostView,
    LogPlugin,
    NoData,
    RedisTarget,
    addresses,
    condition,
    parsers,
    require_log_search,
    say,
)

FIELDS = ("host", "port", "db", "key", "type", "password")


def _judge_running(plugin: LogPlugin, program: str, finding: Finding) -> None:
    """The folder is there with something in it, and the program runs with a configuration below it."""
    folder = plugin.folder
    assert folder.exists, say(en=f"{folder.path} does not exist", zh=f"{folder.path} 不存在")
    assert plugin.filled, say(en=f"{folder.path} is empty", zh=f"{folder.path} 是空目录")
    if plugin.pids is None:
        raise NoData(say(en="the processes are not known", zh="进程未知"))
    assert plugin.pids, say(
        en=f"no {program} runs with a configuration below {folder.path}",
        zh=f"没有使用 {folder.path} 下配置的 {program} 进程",
    )
    finding.add_evidence(f"{folder.path}: {program}, pid {', '.join(map(str, plugin.pids))}")


@condition("log-agent-deployed")
def test_log_agent_runs(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """paas_plugins/log_agent is there, and filebeat runs with a configuration of it."""
    require_log_search(deployment, host_facts)
    _judge_running(host.log_plugins.agent, "filebeat", finding)


@condition("log-parser-deployed")
def test_log_parser_runs(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """paas_plugins/log_parser is there, and logstash runs with a configuration of it; one paas host may do for all."""
    require_log_search(deployment, host_facts)
    plugin = host.log_plugins.parser
    if deployment.generation == "5.x" and not (plugin.folder.exists and plugin.filled):
        others = [one for one, target in parsers(deployment, host_facts)[0] if target.pids]
        if others:
            names = ", ".join(one.name for one in others)
            finding.add_evidence(say(en=f"not here, it runs on {names}", zh=f"不在本机，运行于 {names}"))
            return
    _judge_running(plugin, "logstash", finding)


@condition("log-redis-equal")
def test_log_agent_writes_where_log_parser_reads(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Each list that this host's log_agent fills is, field by field, one that some log_parser reads."""
    require_log_search(deployment, host_facts)
    agent = host.log_plugins.agent
    if agent.problems:
        raise NoData("; ".join(agent.problems[:3]))
    if not agent.targets:
        raise NoData(
            say(
                en=f"no output.redis in the configuration of log_agent ({', '.join(agent.files) or 'no file'})",
                zh=f"log_agent 的配置中没有 output.redis（{', '.join(agent.files) or '没有文件'}）",
            )
        )
    known, unseen = parsers(deployment, host_facts)
    problems = [problem for _, parser in known for problem in parser.problems]
    read = [(other, target) for other, parser in known for target in parser.targets]
    if not read:
        reason = problems or [
            say(
                en="no log_parser with a redis input on any host",
                zh="没有任何主机的 log_parser 配置了 redis 输入",
            )
        ]
        raise NoData("; ".join(reason[:3]))
    wrong, unclear = [], []
    for target in agent.targets:
        compared = [(_compare(host, target, *other, deployment), other) for other in read]
        (differs, unknown), (reader, theirs) = min(compared, key=lambda one: (len(one[0][0]), len(one[0][1])))
        if differs:
            wrong.append(_told(differs, target, reader, theirs))
        elif unknown:
            unclear += unknown
        else:
            finding.add_evidence(f"{target.file}:{target.line} = {reader.name} {theirs.file}:{theirs.line}")
    if wrong and (unseen or problems):
        unclear += [*unseen, *problems]  # what was not read may be the one that fits
    elif wrong:
        raise AssertionError("\n".join(wrong))
    if unclear:
        raise NoData("; ".join(dict.fromkeys((*unclear, *wrong))))


def _compare(
    host: HostView, target: RedisTarget, other: HostView, theirs: RedisTarget, deployment: Deployment
) -> tuple[list[str], list[str]]:
    """(the fields that differ, why some cannot be compared)."""
    differs: list[str] = []
    unknown: list[str] = []
    for field in FIELDS:
        reasons = [
            f"{one.file}:{one.line}: {field} {one.unknown[field]}"
            for one in (target, theirs)
            if field in one.unknown
        ]
        if not reasons and field == "host":
            ours, own = (
                addresses(one[0], one[1].host or "", deployment) for one in ((host, target), (other, theirs))
            )
            if ours is None or own is None:
                if target.host != theirs.host:
                    name, where = (target.host, host) if ours is None else (theirs.host, other)
                    reasons.append(
                        say(
                            en=f"{name} does not resolve on {where.name}",
                            zh=f"{name} 在 {where.name} 上无法解析",
                        )
                    )
            elif not ours & own:
                differs.append(field)
        elif not reasons and getattr(target, field) != getattr(theirs, field):
            differs.append(field)
        unknown += reasons
    return differs, unknown


def _told(differs: list[str], target: RedisTarget, reader: HostView, theirs: RedisTarget) -> str:
    """The fields that differ, in both files; of passwords only that they do."""

    def values(one: RedisTarget) -> str:
        return ", ".join(
            field + ("" if field == "password" else f" {getattr(one, field)}") for field in differs
        )

    return say(
        en=f"{target.file}:{target.line}: {values(target)}; the nearest log_parser, {reader.name} "
        f"{theirs.file}:{theirs.line}: {values(theirs)}" + (" (differs)" if "password" in differs else ""),
        zh=f"{target.file}:{target.line}：{values(target)}；最接近的 log_parser，{reader.name} "
        f"{theirs.file}:{theirs.line}：{values(theirs)}" + ("（不同）" if "password" in differs else ""),
    )
