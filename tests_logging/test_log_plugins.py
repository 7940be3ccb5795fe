"""FAQ: log_agent on every app host, log_parser behind it, and one redis list between them."""

from collections.abc import Sequence

from bkpaas.checks import (
    CaseMessage,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    LogPlugin,
    Message,
    NoData,
    RedisTarget,
    addresses,
    case,
    clauses,
    combined,
    condition,
    lines,
    msg,
    parsers,
    require_log_search,
    unknown_field,
)

FIELDS = ("host", "port", "db", "key", "type", "password")


def _check_running(plugin: LogPlugin, program: str, finding: Finding) -> None:
    """Assert that the folder has something in it, and that the program runs with a configuration below it."""
    folder = plugin.folder
    assert folder.exists, case("missing", "{path} does not exist", path=folder.path)
    assert plugin.filled, case("empty", "{path} is empty", path=folder.path)
    if plugin.pids is None:
        raise NoData(msg("the processes are not known"))
    assert plugin.pids, case(
        "not-running",
        "no {program} runs with a configuration below {path}",
        program=program,
        path=folder.path,
    )
    assert not plugin.stopped, case(
        "stopped",
        "{program}, pid {pids}, is stopped (state T)",
        program=program,
        pids=", ".join(map(str, plugin.stopped)),
    )
    finding.add_evidence(f"{folder.path}: {program}, pid {', '.join(map(str, plugin.pids))}")


@condition("log-agent-deployed")
def test_log_agent_runs(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """paas_plugins/log_agent is there, and filebeat runs with a configuration of it."""
    require_log_search(deployment, host_facts)
    _check_running(host.log_plugins.agent, "filebeat", finding)


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
            finding.add_evidence(msg("not here, it runs on {hosts}", hosts=names))
            return
    _check_running(plugin, "logstash", finding)


@condition("log-redis-equal")
def test_log_agent_writes_where_log_parser_reads(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Each list that this host's log_agent fills is, field by field, one that some log_parser reads."""
    require_log_search(deployment, host_facts)
    agent = host.log_plugins.agent
    if agent.problems:
        raise NoData(clauses(agent.problems[:3]))
    if not agent.targets:
        raise NoData(
            msg(
                "no output.redis in the configuration of log_agent ({files})",
                files=", ".join(agent.files) or msg("no file"),
            )
        )
    collected, not_collected = parsers(deployment, host_facts)
    problems = [problem for _, parser in collected for problem in parser.problems]
    read = [(other, target) for other, parser in collected for target in parser.targets]
    if not read:
        reason: Sequence[Message | str] = problems or [msg("no log_parser with a redis input on any host")]
        raise NoData(clauses(reason[:3]))
    wrong: list[CaseMessage] = []
    unclear: list[Message | str] = []
    for target in agent.targets:
        compared = [(_compare(host, target, *other, deployment), other) for other in read]
        (differs, unknown), (reader, theirs) = min(compared, key=lambda one: (len(one[0][0]), len(one[0][1])))
        if differs:
            wrong.append(_differs(differs, target, reader, theirs))
        elif unknown:
            unclear += unknown
        else:
            finding.add_evidence(f"{target.file}:{target.line} = {reader.name} {theirs.file}:{theirs.line}")
    if wrong and (not_collected or problems):
        unclear += [*not_collected, *problems]  # what was not read may be the one that fits
    elif wrong:
        raise AssertionError(combined(wrong, lines(one.evidence for one in wrong)))
    if unclear:
        reasons = dict.fromkeys((*unclear, *(one.evidence for one in wrong)))
        raise NoData(clauses(reasons))


def _compare(
    host: HostView, target: RedisTarget, other: HostView, theirs: RedisTarget, deployment: Deployment
) -> tuple[list[str], list[Message]]:
    """Return (the fields that differ, why some cannot be compared)."""
    differs: list[str] = []
    unknown: list[Message] = []
    for field in FIELDS:
        reasons = [unknown_field(one, field) for one in (target, theirs) if field in one.unknown]
        if not reasons and field == "host":
            ours, own = (
                addresses(one[0], one[1].host or "", deployment) for one in ((host, target), (other, theirs))
            )
            if ours is None or own is None:
                if target.host != theirs.host:
                    name, where = (target.host, host) if ours is None else (theirs.host, other)
                    reasons.append(msg("{name} does not resolve on {host}", name=name, host=where.name))
            elif not ours & own:
                differs.append(field)
        elif not reasons and getattr(target, field) != getattr(theirs, field):
            differs.append(field)
        unknown += reasons
    return differs, unknown


def _differs(differs: list[str], target: RedisTarget, reader: HostView, theirs: RedisTarget) -> CaseMessage:
    """Return the case of fields that differ, with both values; of passwords only that they differ."""

    def values(one: RedisTarget) -> str:
        return ", ".join(
            field + ("" if field == "password" else f" {getattr(one, field)}") for field in differs
        )

    evidence = msg(
        "{file}:{line}: {values}; the nearest log_parser, {reader} {reader_file}:{reader_line}: {reader_values}",
        file=target.file,
        line=target.line,
        values=values(target),
        reader=reader.name,
        reader_file=theirs.file,
        reader_line=theirs.line,
        reader_values=values(theirs),
    )
    if "password" in differs:
        evidence = msg("{evidence} (differs)", evidence=evidence)
    return case("differs", evidence, fields=", ".join(differs), reader=reader.name)
