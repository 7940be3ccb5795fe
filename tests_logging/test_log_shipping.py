"""FAQ: log_agent reads what the applications write, and the redis of the logs takes it."""

from collections.abc import Iterator

from bkpaas.checks import (
    READING,
    WRITING,
    CaseMessage,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    LogFile,
    LogPlugin,
    Message,
    NoData,
    NotApplicable,
    RedisState,
    RedisTarget,
    TcpName,
    WrittenLog,
    agent_edits,
    case,
    clauses,
    combined,
    condition,
    edit_of,
    key_readings,
    lines,
    msg,
    no_answer,
    redis_endpoint,
    require_log_search,
)

READ_OTHERS = 0o004


@condition("log-agent-reads")
def test_log_agent_reads_the_logs(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """log_agent covers the log of each application here, and has read its lines some minutes later."""
    require_log_search(deployment, host_facts)
    plugins = host.log_plugins
    agent = plugins.agent
    if not agent.filled or agent.pids == ():
        raise NotApplicable(msg("no log_agent runs here"))
    if agent.problems:
        raise NoData(clauses(agent.problems[:3]))
    wrong: list[CaseMessage] = []
    for app, logs in _logs_by_application(plugins.logs).items():
        problem = _not_covered(agent, app, logs)
        if problem is not None:
            wrong.append(problem)
            continue
        for log in logs:
            behind = _behind(host, log, deployment) if agent.covers(log.path) else None
            if behind is not None:
                wrong.append(behind)
        finding.add_evidence(", ".join(f"{log.path}: {log.offset}/{log.size}" for log in logs[:2]))
    finding.set_remedy_values(edit=edit_of(agent_edits(agent, wrong), host.name))
    wrong += _written_elsewhere(host, deployment)
    assert not wrong, combined(wrong, lines(one.evidence for one in wrong))
    if not plugins.logs:
        raise NotApplicable(msg("no application has a log here"))
    if plugins.unread_writers is not None:
        raise NoData(msg("the files that applications have open: {reason}", reason=plugins.unread_writers))


def _logs_by_application(logs: tuple[LogFile, ...]) -> dict[str, list[LogFile]]:
    """Return the logs by their directory, which has the name of the application."""
    by_application: dict[str, list[LogFile]] = {}
    for log in logs:
        by_application.setdefault(log.path.rpartition("/")[0].rpartition("/")[2], []).append(log)
    return by_application


def _not_covered(agent: LogPlugin, app: str, logs: list[LogFile]) -> CaseMessage | None:
    """Return the case of an application of whose logs log_agent surely reads none, or not the main one."""
    main = [log for log in logs if log.path.endswith(f"/{app}/{app}.log")] or logs
    if any(agent.covers(log.path) is not False for log in main):
        return None
    path = main[0].path
    if agent.covers_without_exclusions(path):
        return case(
            "excluded", "{path}: excluded by {patterns}", path=path, patterns=", ".join(agent.left_out)
        )
    where = agent.disabled_at(path)
    if where is not None:
        return case(
            "disabled",
            "{path}: the input of log_agent that covers it has `enabled: false` ({file}:{line})",
            path=path,
            file=where.rpartition(":")[0],
            line=where.rpartition(":")[2],
        )
    globs = ", ".join(agent.paths) or "-"
    return case(
        "not-covered", "{path}: none of the paths of log_agent covers it ({paths})", path=path, paths=globs
    )


def _behind(host: HostView, log: LogFile, deployment: Deployment) -> CaseMessage | None:
    """Return the case of a log with lines that log_agent should have read, by its own registry."""
    registry = host.log_plugins.registry
    now = host.system.time
    if registry is None or now is None or log.size is None or not log.size:
        return None
    due_until = now - deployment.thresholds.log_delay_minutes * 60
    ends = [end for time, end in zip(log.times, log.ends, strict=False) if time <= due_until]
    due = log.size if log.mtime <= due_until else max(ends, default=0)
    offset = log.offset
    if offset is not None and offset >= due:
        return None
    if not due or (offset is None and log.mtime <= due_until - DAY):
        return None  # filebeat may forget a file that is no longer written
    readable = log.mode is None or log.uid is None or 0 in host.log_plugins.agent.uids
    closed = not readable and log.mode is not None and not log.mode & READ_OTHERS
    text = msg(
        "{path}: {size} bytes, {due} of them for more than {minutes:g} min, read by log_agent: {offset} ({registry})",
        path=log.path,
        size=log.size,
        due=due,
        minutes=deployment.thresholds.log_delay_minutes,
        offset="-" if offset is None else offset,
        registry=registry,
    )
    if closed and log.uid not in host.log_plugins.agent.uids:
        uids = ", ".join(map(str, host.log_plugins.agent.uids))
        text = msg(
            "{evidence}; its mode is {mode:o}, log_agent runs as uid {uids}",
            evidence=text,
            mode=log.mode,
            uids=uids,
        )
        return case("unreadable", text, path=log.path)
    return case("behind", text, path=log.path)


DAY = 86400.0


def _written_elsewhere(host: HostView, deployment: Deployment) -> list[CaseMessage]:
    """Return the cases of applications that write to other files than log_agent reads."""
    by_application: dict[str, list[WrittenLog]] = {}
    for log in host.log_plugins.written or ():
        by_application.setdefault(log.app, []).append(log)
    wrong: list[CaseMessage] = []
    for app, logs in by_application.items():
        problems = [problem for log in logs if (problem := _moved(host, log, deployment)) is not None]
        elsewhere = None if problems else _elsewhere(host, app, logs)
        wrong += problems if elsewhere is None else [elsewhere]
    return wrong


def _moved(host: HostView, log: WrittenLog, deployment: Deployment) -> CaseMessage | None:
    """Return the case of a log that lost its name while an application has it open and writes on."""
    if log.hidden and log.size and not _is_there(host, log):
        text = msg(
            "{app} (pid {pids}) has {path} open, {size} bytes, and no file or another one has this name now",
            app=log.app,
            pids=", ".join(map(str, log.pids[:3])),
            path=log.path,
            size=log.size,
        )
        return case("hidden", text, app=log.app, path=log.path)
    if not log.written_since or not log.size or not host.log_plugins.agent.covers(log.first_path):
        return None
    pids = ", ".join(map(str, log.pids[:3]))
    if log.lost:
        text = msg(
            "{path} was removed, and {app} (pid {pids}) still writes to it: {size} bytes",
            path=log.path,
            app=log.app,
            pids=pids,
            size=log.size,
        )
        return case("removed", text, app=log.app, path=log.path)
    lines_of = next((one for one in host.log_plugins.renamed if one.path == log.path), None)
    behind = None if lines_of is None else _behind(host, lines_of, deployment)
    if behind is None:
        return None
    text = msg(
        "{app} (pid {pids}) writes to {path}, no path of log_agent covers it; {evidence}",
        app=log.app,
        pids=pids,
        path=log.path,
        evidence=behind.evidence,
    )
    return case("renamed", text, app=log.app, path=log.path)


def _is_there(host: HostView, log: WrittenLog) -> bool:
    """Return whether a log had its name in round 2, as one that was made while the logs were listed."""
    return any(one.path == log.path and one.inode == log.inode for one in host.log_plugins.renamed)


def _elsewhere(host: HostView, app: str, logs: list[WrittenLog]) -> CaseMessage | None:
    """Return the case of an application of whose logs none that it wrote since its start is covered."""
    plugins = host.log_plugins
    written = [log for log in logs if log.size and log.since is not None and log.mtime >= log.since - 1]
    others = [log for log in written if log.covered is False and not plugins.agent.covers(log.first_path)]
    covered = _logs_by_application(plugins.logs).get(app, [])
    if (
        not others
        or len(others) < len(written)
        or any(log.mtime >= (others[0].since or 0) for log in covered)
    ):
        return None
    newest = max(others, key=lambda log: log.mtime)
    text = msg(
        "{app} writes to {path} (pid {pids}), no path of log_agent covers it ({paths}); no other log was written since its start",
        app=app,
        path=newest.path,
        pids=", ".join(map(str, newest.pids[:3])) or "-",
        paths=", ".join(plugins.agent.paths) or "-",
    )
    return case("elsewhere", text, app=app, path=newest.path)


@condition("log-redis-writable")
def test_redis_accepts_new_lines(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The redis of log_agent and log_parser is a master, has memory left and accepts writes."""
    require_log_search(deployment, host_facts)
    targets = {target.server: target for target in host.log_plugins.targets}
    if not targets:
        raise NotApplicable(msg("no log_agent or log_parser on this host"))
    wrong: list[CaseMessage] = []
    unclear: list[Message] = []
    for target in targets.values():
        finding.set_remedy_values(redis_host=target.host, redis_port=target.port)
        endpoint = redis_endpoint(target)
        wrong += _wrong_keys(host, target, finding, unclear)
        if target.tls or target.host is None or target.port is None or "password" in target.unknown:
            unclear.append(msg("{endpoint}: cannot be queried from this host", endpoint=endpoint))
            continue
        state = host.redis_states.of(target)
        if state.refusal or not state.fields:
            reason = state.refusal or no_answer(state.error_kind)
            unclear.append(msg("{endpoint}: {reason}", endpoint=endpoint, reason=reason))
            continue
        wrong += _refused_commands(host, state, target)
        try:
            problem = _refuses_writes(state, target)
        except NoData as gap:
            unclear.append(msg("{endpoint}: {reason}", endpoint=endpoint, reason=gap.message()))
            continue
        if problem is not None:
            wrong.append(problem)
        finding.add_evidence(f"{endpoint} {state.fields.get('role', '')}")
    assert not wrong, combined(wrong, lines(one.evidence for one in wrong))
    if unclear:
        raise NoData(clauses(unclear))


def _wrong_keys(
    host: HostView, target: RedisTarget, finding: Finding, unclear: list[Message]
) -> list[CaseMessage]:
    """Return the cases of the lists of a server whose keys have another type: redis refuses each line for them."""
    try:
        answer = host.redis.get(TcpName.REDIS, target.server)
    except NoData as gap:
        unclear.append(msg("{endpoint}: {reason}", endpoint=redis_endpoint(target), reason=gap.message()))
        return []
    channels = {one.key for one in host.log_plugins.targets if one.type not in (None, "list")}
    wrong: list[CaseMessage] = []
    for readings in key_readings(answer, host.log_plugins, target):
        key = readings.later or readings.first
        if key is None or key.name in channels or not key.readable or key.is_list:
            continue
        finding.set_remedy_values(list=key.name)
        text = msg(
            "{endpoint}: {key} is a {type}, not a list",
            endpoint=redis_endpoint(target),
            key=key.name,
            type=key.type,
        )
        wrong.append(case("wrong-type", text, endpoint=redis_endpoint(target), key=key.name, type=key.type))
    return wrong


def _refused_commands(host: HostView, state: RedisState, target: RedisTarget) -> Iterator[CaseMessage]:
    """Yield the commands of the plugins of this host that redis does not know, or that the account may not use."""
    endpoint = redis_endpoint(target)
    if closed := state.refused_commands.get("key"):
        yield case(
            "key-refused",
            "{endpoint} refuses the key {key} to the account of the plugins: {reason}",
            endpoint=endpoint,
            key=target.key,
            reason=closed,
        )
    for plugin, name, commands in (
        (host.log_plugins.agent, "log_agent", WRITING),
        (host.log_plugins.parser, "log_parser", READING),
    ):
        types = {
            "channel" if one.type == "channel" else "list"
            for one in plugin.targets
            if one.server == target.server
        }
        for command in sorted(commands[type_] for type_ in types):
            if command in state.unknown_commands:
                yield case(
                    "command-unknown",
                    "{endpoint} does not know {command}, which {plugin} sends: rename-command in its file",
                    endpoint=endpoint,
                    command=command.upper(),
                    plugin=name,
                )
            reason = state.refused_commands.get(command)
            if reason:
                yield case(
                    "command-refused",
                    "{endpoint} refuses {command}, which {plugin} sends: {reason}",
                    endpoint=endpoint,
                    command=command.upper(),
                    plugin=name,
                    reason=reason,
                )


def _refuses_writes(state: RedisState, target: RedisTarget) -> CaseMessage | None:
    """Return why redis refuses a write, None if it takes it."""
    endpoint = redis_endpoint(target)
    if state.fields.get("role") in ("slave", "replica"):
        master = f"{state.fields.get('master_host', '?')}:{state.fields.get('master_port', '?')}"
        return case("replica", "{endpoint} is a replica of {master}", endpoint=endpoint, master=master)
    limit, used = state.number("maxmemory"), state.number("used_memory")
    policy = state.fields.get("maxmemory_policy", state.settings.get("maxmemory-policy", "noeviction"))
    keeps = policy == "noeviction" or (policy.startswith("volatile") and not state.expiring)
    if limit and used is not None and used >= limit and keeps:
        return case(
            "full",
            "{endpoint}: {used} of {limit} bytes are used, maxmemory-policy is {policy}",
            endpoint=endpoint,
            used=used,
            limit=limit,
            policy=policy,
        )
    if state.fields.get("aof_last_write_status", "ok") != "ok":
        return case("not-saved", "{endpoint}: aof_last_write_status is err", endpoint=endpoint)
    if state.fields.get("rdb_last_bgsave_status", "ok") != "ok":
        stops = state.settings.get("stop-writes-on-bgsave-error")
        if stops is None:
            raise NoData(msg("the last save failed, and CONFIG GET is not allowed"))
        if stops == "yes" and state.settings.get("save", "-"):
            return case(
                "not-saved",
                "{endpoint}: rdb_last_bgsave_status is err, stop-writes-on-bgsave-error is yes",
                endpoint=endpoint,
            )
    # newer versions have the same setting under two names
    limits = [value for name, value in state.settings.items() if name.startswith("min-")]
    need = max((int(value) for value in limits if value.isdecimal()), default=0)
    good = state.number("min_slaves_good_slaves")
    if good is not None and good < need:
        return case(
            "no-replicas",
            "{endpoint}: {good} good replicas, min-replicas-to-write is {need}",
            endpoint=endpoint,
            good=good,
            need=need,
        )
    return None
