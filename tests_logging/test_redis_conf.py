"""FAQ: the redis between log_agent and log_parser: it runs with what its file has, so the next start changes nothing."""

from collections.abc import Iterator

from bkpaas.checks import (
    CaseMessage,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    Missing,
    NoData,
    NotApplicable,
    RedisFile,
    RedisRunning,
    RedisTarget,
    TcpName,
    addresses,
    answers_commands,
    case,
    clock_slack,
    combined,
    condition,
    lines,
    msg,
    own_addresses,
    refused_command,
    refuses_login,
    series,
)

NO_PASSWORD = ("without any password configured", "no password is set")
"""What redis answers to AUTH when it has no password."""


@condition("redis-password")
def test_redis_has_the_password_of_its_file(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The redis of the log plugins accepts their password, and its file has the same one."""
    compared = _compared(host, deployment, host_facts, finding)
    slack = clock_slack(host, deployment, host_facts)
    _require_none(
        [
            problem
            for view, target, file in compared
            if (problem := _password(view, target, file, _was_edited(host, file, slack)))
        ]
    )


@condition("redis-loaded")
def test_redis_runs_with_its_file(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The redis of the log plugins runs with the port, addresses and limit of memory that its file has."""
    compared = _compared(host, deployment, host_facts, finding)
    _require_none([problem for view, target, file in compared if (problem := _settings(view, file, target))])


def _require_none(wrong: list[CaseMessage]) -> None:
    texts = dict.fromkeys(one.evidence for one in wrong)
    assert not wrong, combined(wrong, lines(texts))


def _compared(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> list[tuple[HostView, RedisTarget, RedisFile]]:
    """Return each view of a paas host, the redis of this host that its log_parser uses, and the file of that redis."""
    uses = list(_uses(host, deployment, host_facts))
    if not uses:
        raise NotApplicable(msg("no log_parser uses a redis of this host"))
    compared = []
    for view, target in uses:
        file = _file_of(host.redis_confs.files, view.redis_confs.of(target), target)
        if file is None:
            continue
        if file.problem is not None:
            raise NoData(msg("{path}: {reason}", path=file.file.path, reason=file.problem))
        compared.append((view, target, file))
        finding.add_evidence(file.file.path)
        finding.set_remedy_values(redis_host=target.host, redis_port=target.port)
    if not compared:
        path = next((path for view, target in uses if (path := _path(view, target))), "")
        reason = msg("redis was started with {path}, which is not read", path=path)
        raise NotApplicable(reason if path else msg("the file that redis was started with is not known"))
    return compared


def _uses(
    host: HostView, deployment: Deployment, host_facts: HostLookup
) -> Iterator[tuple[HostView, RedisTarget]]:
    """Yield each view of a paas host whose log_parser uses a redis of this host, and the target."""
    own = own_addresses(host, deployment)
    for entry in deployment.selected("paas"):
        view = host_facts(entry.name)
        if isinstance(view.facts.log_plugins, Missing):
            continue
        for target in {one.server: one for one in view.log_plugins.parser.targets}.values():
            if own & (addresses(view, target.host or "", deployment) or set()):
                yield view, target


def _path(view: HostView, target: RedisTarget) -> str:
    running = view.redis_confs.of(target)
    return running.config_file if running else ""


def _file_of(
    files: tuple[RedisFile, ...], running: RedisRunning | None, target: RedisTarget
) -> RedisFile | None:
    """Return the file that redis names; without an answer the one with the port and the password of the target."""
    if running is not None:
        named = running.config_file
        return next((one for one in files if named and named in (one.file.path, one.file.target)), None)
    return next(
        (
            one
            for one in files
            if target.password
            and one.password == target.password
            and one.settings.get("port") == str(target.port)
        ),
        None,
    )


def _was_edited(host: HostView, file: RedisFile, slack: float) -> bool:
    """Return whether the file was changed after each redis of the host had started; true where that is not known."""
    if isinstance(host.facts.processes, Missing):
        return True
    starts = [one.start for one in host.processes.items if one.name == "redis-server" and one.start]
    return not starts or max(file.file.mtime or 0.0, file.file.link_mtime or 0.0) > min(starts) + slack


def _password(view: HostView, target: RedisTarget, file: RedisFile, was_edited: bool) -> CaseMessage | None:
    """Return the case of a password of the file that is not the one which the running redis has.

    was_edited: whether the file was changed since redis started.
    """
    if "requirepass" in file.unknown or "password" in target.unknown:
        return None
    answer = view.redis.get(TcpName.REDIS, target.server)
    refusal = refused_command(answer, target)
    path, endpoint = file.file.path, f"{target.host}:{target.port}"
    if refusal is None and answers_commands(answer, target):
        return (
            None
            if file.password == target.password
            else case(
                "edited",
                "{endpoint} accepts the password of {plugin}, and requirepass in {path} is another one",
                endpoint=endpoint,
                plugin=target.file,
                path=path,
            )
        )
    if refusal is None or file.password != target.password:
        return None  # log-redis-reachable
    command, reply = refusal
    refused = refuses_login(command, reply)
    if refused and not was_edited:
        return case(
            "closed",
            "{endpoint} refuses the password of {plugin}, which is requirepass in {path}, a file that was not changed since redis started: {reply}",
            endpoint=endpoint,
            plugin=target.file,
            path=path,
            reply=reply,
        )
    return (
        case(
            "not-loaded",
            "{endpoint} refuses the password of {plugin}, which is requirepass in {path}: {reply}",
            endpoint=endpoint,
            plugin=target.file,
            path=path,
            reply=reply,
        )
        if refused
        else None
    )


def _settings(view: HostView, file: RedisFile, target: RedisTarget) -> CaseMessage | None:
    """Return the case of other settings than the file has."""
    running = view.redis_confs.of(target)
    if running is None:
        return None
    other = {
        name: (value, file.settings[name])
        for name, value in sorted(running.settings.items())
        if name in file.settings and name not in file.unknown and value != file.settings[name]
    }
    if not other:
        return None
    return case(
        "settings",
        lines(
            msg(
                "{path}: {name} is {written}, the running redis has {value}",
                path=file.file.path,
                name=name,
                written=written or "-",
                value=value or "-",
            )
            for name, (value, written) in other.items()
        ),
        endpoint=f"{target.host}:{target.port}",
        names=series(other),
    )
