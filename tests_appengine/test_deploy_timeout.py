"""FAQ: the time-outs of a SaaS deployment: the agent times out before PaaS, and both have their files."""

from collections import Counter
from collections.abc import Iterator, Sequence

from bkpaas.checks import (
    AgentConfig,
    CaseMessage,
    Deployment,
    FileFact,
    Finding,
    Host,
    HostLookup,
    HostView,
    Message,
    Missing,
    NoData,
    NotApplicable,
    Process,
    Settings,
    Subject,
    case,
    clauses,
    clock_slack,
    combined,
    condition,
    keeps_settings,
    lines,
    load_time,
    msg,
    only_touched,
    require_one_generation,
    series,
    setting,
)

EVENT = "EVENT_STATE_EXPIRE_SECONDS"
HISTORY = "HISTORY_EVENT_STATE_EXPIRE_SECONDS"
LIMIT = "EXECUTE_TIME_LIMIT"
SHIPPED_LIMIT = 300
TIME_OUTS = (EVENT, HISTORY)
MARGIN_SECONDS = 60
"""By how much longer than an agent PaaS should wait, in the value that a remedy proposes."""

Readers = list[tuple[Process, Sequence[FileFact]]]
"""Processes with the files that each reads at its start."""


def _paas(host: HostView) -> Settings:
    """Return the settings of the developer center; those of login have the same names without effect."""
    project = host.settings.by_project.get("paas")
    if project is None:
        raise NoData(msg("the settings of paas were not read"))
    return project


def _event(host: HostView, name: str = EVENT) -> tuple[int | float, str]:
    """Return (seconds, file:line) of a time-out of PaaS, as it takes effect."""
    return _paas(host).number(name), setting(host, "paas", name)[1]


def _agent(host: HostView) -> AgentConfig:
    """Return the configuration of paas_agent."""
    config = host.agent.config
    if config is None:
        raise NoData(msg("there is no paas_agent_config.yaml on this host"))
    return config


def _limit(host: HostView) -> tuple[int, str]:
    """Return (seconds as the agent reads them, file:line)."""
    config = _agent(host)
    if not config.files:
        raise NoData(msg("the configuration of paas_agent was not read"))
    limit = config.execute_time_limit
    line = f":{limit.line}" if limit.line else ""
    return limit.seconds, f"{config.files[0].path}{line}"


@condition("deploy-timeout-parse")
def test_agent_reads_its_limit_as_a_number(host: HostView, finding: Finding) -> None:
    """The agent reads a number of seconds above 0; it takes what is missing or has a unit for 0."""
    config = _agent(host)
    seconds, where = _limit(host)
    finding.add_evidence(f"{where}: {LIMIT} = {seconds} s")
    assert seconds > 0, _no_limit(config, where)


def _no_limit(config: AgentConfig, where: str) -> CaseMessage:
    limit = config.execute_time_limit
    if limit.text is None:
        failure = case(
            "missing",
            msg("{where}: there is no {setting} under settings", where=where, setting=LIMIT),
            file=config.files[0].path,
        )
    else:
        failure = case(
            "wrong-value",
            "{where}: {setting}: {text} is read as {seconds}: every deployment ends immediately",
            where=where,
            setting=LIMIT,
            text=limit.text,
            seconds=limit.seconds,
        )
    return combined([failure], lines((failure.evidence, *config.problems)))


@condition("deploy-timeout-order")
def test_paas_waits_longer_than_the_agent_works(
    source: HostView, target: Host, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """EVENT_STATE_EXPIRE_SECONDS of PaaS is greater than EXECUTE_TIME_LIMIT of the agent."""
    if not target.selected:
        raise NoData(msg("{host} was not collected", host=target.name))
    event, event_at = _event(source)
    limit, limit_at = _limit(host_facts(target.name))
    finding.add_evidence(f"{limit} s < {event} s")
    finding.names_components("setting", [EVENT, LIMIT])
    finding.set_remedy_values(proposed=str(_longest_limit(deployment, host_facts) + MARGIN_SECONDS))
    assert limit < event, case(
        "too-short",
        "{target} {limit_at}: {limit_name} = {limit}, not less than {event_name} = {event} ({source} {event_at})",
        target=target.name,
        limit_at=limit_at,
        limit_name=LIMIT,
        limit=limit,
        event_name=EVENT,
        event=event,
        source=source.name,
        event_at=event_at,
    )


def _longest_limit(deployment: Deployment, host_facts: HostLookup) -> int:
    """Return the largest EXECUTE_TIME_LIMIT of all agents that are known, in seconds."""
    return host_facts.once("longest-limit", lambda lookup: max([0, *_limits(deployment, lookup)]))


def _limits(deployment: Deployment, host_facts: HostLookup) -> Iterator[int]:
    """Yield the EXECUTE_TIME_LIMIT of each agent of which it is known, in seconds."""
    for entry in deployment.selected("appo", "appt"):
        facts = host_facts(entry.name)
        if not isinstance(facts.facts.agent, Missing) and facts.agent.config is not None:
            yield _limit(facts)[0]


@condition("deploy-timeout-consistent")
def test_paas_hosts_wait_equally_long(pair: tuple[HostView, HostView], finding: Finding) -> None:
    """Whichever paas host handles a deployment, it waits as long as the other."""
    require_one_generation(*pair)
    first, second = pair
    (one, one_at), (other, other_at) = map(_event, pair)
    finding.names_components("setting", [EVENT])
    finding.add_evidence(f"{EVENT} = {one}")
    finding.set_remedy_values(proposed=str(max(one, other)))
    assert one == other, case(
        "differs",
        "{setting} = {one} on {first} ({one_at}), {other} on {second} ({other_at})",
        setting=EVENT,
        one=one,
        first=first.name,
        one_at=one_at,
        other=other,
        second=second.name,
        other_at=other_at,
    )


@condition("deploy-timeout-agents-equal")
def test_agents_work_equally_long(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """EXECUTE_TIME_LIMIT is what most agents have; between equals, what is shipped."""
    others = deployment.selected("appo", "appt")
    if len(others) < 2:
        raise NotApplicable(msg("only one app host: nothing to compare"))
    own, where = _limit(host)
    finding.names_components("setting", [LIMIT])
    counts = host_facts.once("limits-of-agents", lambda lookup: Counter(_limits(deployment, lookup)))
    usual = max(counts, key=lambda seconds: (counts[seconds], seconds == SHIPPED_LIMIT))
    finding.add_evidence(f"{where}: {LIMIT} = {own}")
    earlier = _agent(host).execute_time_limit.earlier
    file = _agent(host).files[0].path
    assert not earlier, case(
        "repeated",
        "{file}: {setting} stands in lines {lines} too, with another value; the agent takes the last, {own} ({where})",
        file=file,
        setting=LIMIT,
        lines=", ".join(map(str, earlier)),
        own=own,
        where=where,
    )
    equal = [seconds for seconds in counts if counts[seconds] == counts[usual]]
    assert len(equal) < 2 or SHIPPED_LIMIT in equal, _undecided(deployment, host_facts, finding)
    assert own == usual, case(
        "differs",
        "{where}: {setting} = {own}, other app hosts have {usual}",
        where=where,
        setting=LIMIT,
        own=own,
        usual=usual,
    )


def _undecided(deployment: Deployment, host_facts: HostLookup, finding: Finding) -> CaseMessage:
    """Return the case of values that are equally frequent, none of them the shipped one; the remedy names all hosts."""
    hosts: dict[int, list[str]] = {}
    for entry in deployment.selected("appo", "appt"):
        facts = host_facts(entry.name)
        if not isinstance(facts.facts.agent, Missing) and facts.facts.agent.config is not None:
            hosts.setdefault(_limit(facts)[0], []).append(entry.name)
    shown = (f"{seconds} ({', '.join(names)})" for seconds, names in sorted(hosts.items()))
    finding.set_remedy_values(values=clauses(shown))
    return case(
        "undecided",
        "{setting} differs between the app hosts: {numbers}; which is right is undecided, shipped is {shipped}",
        setting=LIMIT,
        numbers=", ".join(map(str, sorted(hosts))),
        shipped=SHIPPED_LIMIT,
    )


@condition("deploy-timeout-stale")
def test_processes_know_their_files(
    host: HostView, subject: Subject, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """No file with a time-out was surely changed after the process that reads it at its start had started."""
    roles = deployment.host(subject.id)
    slack = clock_slack(host, deployment, host_facts)
    readers = _paas_readers(host) if roles.has_role("paas") else []
    readers += _agent_readers(host) if roles.has_role("appo", "appt") else []
    stale: list[CaseMessage] = []
    for process, files in readers:
        finding.add_evidence(f"pid {process.pid} (±{slack:.1f} s)")
        for file in files:
            if file.mtime is None or process.start is None:
                raise NoData(msg("{path}: its time is not known", path=file.path))
            loaded = load_time(host, process) or process.start
            if file.mtime - loaded > slack and not only_touched(file):
                stale.append(
                    case(
                        "stale",
                        "{path} was changed {seconds:.0f} s after pid {pid} ({command}) had started",
                        path=file.path,
                        seconds=file.mtime - loaded,
                        pid=process.pid,
                        command=process.command[:80],
                    )
                )
    assert not stale, combined(stale, lines(one.evidence for one in stale))


def _paas_readers(host: HostView) -> Readers:
    masters = host.processes.uwsgi_masters("paas")
    if not masters:
        raise NoData(msg("no process of paas was found"))
    startup = host.facts.startup
    compiled = () if isinstance(startup, Missing) else startup.compiled
    return [
        (
            master,
            [
                file
                for file in _paas(host).files
                if file.exists and not keeps_settings(file, compiled, load_time(host, master), TIME_OUTS)
            ],
        )
        for master in masters
    ]


def _agent_readers(host: HostView) -> Readers:
    files = _agent(host).files
    agents = [process for process in host.processes.items if process.is_agent]
    if not agents:
        raise NoData(msg("no process of paas_agent was found"))
    return [(agent, files) for agent in agents]


@condition("history-ge-event")
def test_old_tasks_are_swept_later_than_deployments_end(host: HostView, finding: Finding) -> None:
    """HISTORY_EVENT_STATE_EXPIRE_SECONDS is at least EVENT_STATE_EXPIRE_SECONDS."""
    event, event_at = _event(host)
    history, history_at = _event(host, HISTORY)
    finding.names_components("setting", [EVENT])
    finding.add_evidence(f"{history} s >= {event} s")
    assert history >= event, case(
        "too-short",
        "{history_name} = {history} ({history_at}) is less than {event_name} = {event} ({event_at})",
        history_name=HISTORY,
        history=history,
        history_at=history_at,
        event_name=EVENT,
        event=event,
        event_at=event_at,
    )


SHIPPED = {"login": {"BK_TOKEN_OFFSET_ERROR_TIME": 60}, "paas": {EVENT: 360}}
"""By project of 6.x, the settings that the FAQ changes, as default.py has them."""


@condition("settings-lost-at-upgrade")
def test_changed_settings_survive_an_upgrade(host: HostView, finding: Finding) -> None:
    """What counts of the settings that the FAQ changes is as shipped, or in settings_production.py."""
    changed: dict[str, Message] = {}
    for project, shipped in SHIPPED.items():
        settings = host.settings.by_project.get(project)
        for name, usual in shipped.items():
            value = settings.get(name) if settings else None
            if settings is None or value is None:
                continue
            number = settings.number(name)
            finding.add_evidence(f"{value.file}:{value.line} {name} = {number}")
            if value.file.endswith("/conf/default.py") and number != usual:
                changed[name] = msg(
                    "{file}:{line}: {name} = {number}, shipped {usual}",
                    file=value.file,
                    line=value.line,
                    name=name,
                    number=number,
                    usual=usual,
                )
    finding.names_components("setting", list(changed))
    assert not changed, case("in-default", lines(changed.values()), settings=series(sorted(changed)))
