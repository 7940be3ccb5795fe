"""FAQ: the developer center shows no logs: what applications wrote has to be found a few minutes later."""

from bkpaas.checks import (
    CaseMessage,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    Message,
    Missing,
    NoData,
    NotApplicable,
    case,
    condition,
    elasticsearch_endpoints,
    later_time,
    message_of,
    msg,
    newest_by_source,
    parsers,
    require_log_search,
    waiting_lines,
)

SLACK_SECONDS = 5.0  # between the time that a line bears and the time stamp of its document
DAY = 86400.0
MOST_NAMED = 6
"""So many logs are named."""

DueLine = tuple[float, str, str, float]
"""The time of a line, the host, the path of the log, and the time of that host when the log was read."""


@condition("log-index-fresh")
def test_logged_lines_are_in_the_index(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """No line that an application logged some minutes ago is younger than the newest document."""
    require_log_search(deployment, host_facts)
    newest, now = _newest(host, finding), later_time(host)
    delay_seconds = deployment.thresholds.log_delay_minutes * 60
    evidence = msg("the newest document is {age}", age=_age(now, newest))
    finding.add_evidence(evidence)
    assert newest is None or newest <= now + delay_seconds, case(
        "future",
        msg(
            "{newest} in the future: a clock is wrong, or a time zone in log_agent or log_parser",
            newest=evidence,
        ),
        distance=_amount(newest - now),
    )
    due, unclear = _due(deployment, host_facts, delay_seconds)
    missed = _missed(host, newest, due, deployment, host_facts)
    if missed:
        raise AssertionError(_stale(evidence, missed, deployment, host_facts))
    if due or (newest is not None and newest >= now - delay_seconds):
        return
    if unclear:
        raise NoData(
            msg(
                "{newest}; {logs}: only its last lines were read, all too new to be expected",
                newest=evidence,
                logs=", ".join(unclear),
            )
        )
    raise NotApplicable(
        msg("{newest}; no line that an application has written since then is overdue", newest=evidence)
    )


def _missed(
    host: HostView, newest: float | None, due: list[DueLine], deployment: Deployment, host_facts: HostLookup
) -> list[DueLine]:
    """Return the lines that are younger than the newest document of their host and file, else of all."""
    first = elasticsearch_endpoints(host.settings.by_project.get("paas"))[0]
    by_source = newest_by_source(host.searches.at(first), deployment, host_facts)
    missed = []
    for line in due:
        its_newest = by_source.get((line[1], line[2]), newest)
        # Without any document since yesterday (UTC) only lines from after its beginning count.
        since = its_newest + SLACK_SECONDS if its_newest is not None else line[3] // DAY * DAY - DAY
        if line[0] > since:
            missed.append(line)
    return missed


def _stale(
    newest: Message, missed: list[DueLine], deployment: Deployment, host_facts: HostLookup
) -> CaseMessage:
    """Return the case of lines that are not found, by the stage at which the newest of them stops."""
    time, name, path, _ = max(missed)
    others = ", ".join(f"{other[1]} {other[2]}" for other in sorted(missed, reverse=True)[1:MOST_NAMED])
    evidence = msg(
        "{newest}, but {source} {path} has a line from {age}",
        newest=newest,
        source=name,
        path=path,
        age=_age(later_time(host_facts(name)), time),
    )
    if others:
        evidence = msg("{evidence}; also missing: {others}", evidence=evidence, others=others)
    log = next(log for log in host_facts(name).log_plugins.logs if log.path == path)
    end = max((end for of, end in zip(log.times, log.ends, strict=False) if of <= time), default=None)
    waiting = waiting_lines(deployment, host_facts)
    if end is not None and log.offset is not None and log.offset < end:
        text_with = msg(
            "{evidence}; log_agent has read {offset} of {size} bytes",
            evidence=evidence,
            offset=log.offset,
            size=log.size,
        )
        return case("not-shipped", text_with, source=name, path=path)
    if waiting is not None:
        text_with = msg(
            "{evidence}; {list}: {length} lines wait", evidence=evidence, list=waiting[0], length=waiting[1]
        )
        return case("queued", text_with, source=name, path=path, list=waiting[0])
    if log.offset is not None:
        text_with = msg(
            "{evidence}; log_agent has sent it, and the list in redis is empty", evidence=evidence
        )
        return case("not-indexed", text_with, source=name, path=path)
    return case("stale", evidence, source=name, path=path)


def _newest(host: HostView, finding: Finding) -> float | None:
    try:
        first = elasticsearch_endpoints(host.settings.by_project.get("paas"))[0]
    except ValueError as error:
        raise NoData(message_of(error)) from None
    finding.set_remedy_values(es_url=f"{first.scheme}://{first.text}")
    search = host.searches.at(first)
    search.need("newest")
    return search.newest


def _due(
    deployment: Deployment, host_facts: HostLookup, delay_seconds: float
) -> tuple[list[DueLine], list[str]]:
    """Return ([(time, host, path, that host's now)] of the newest line in each log that is old enough to be missed,
    logs whose known lines are all younger)."""
    due: list[DueLine] = []
    unclear: list[str] = []
    if any(parser.selects for _, parser in parsers(deployment, host_facts)[0]):
        return due, unclear  # any line may be one that is dropped on purpose
    for app in deployment.selected("appo", "appt"):
        view = host_facts(app.name)
        if isinstance(view.facts.log_plugins, Missing) or isinstance(view.facts.system, Missing):
            continue
        now = view.system.time or 0.0
        for log in view.log_plugins.logs:
            if view.log_plugins.agent.selects or not view.log_plugins.agent.reads(log.path):
                continue
            old = [time for time in log.times if time <= now - delay_seconds]
            if old:
                due.append((old[-1], app.name, log.path, now))
            elif log.times and not log.whole:
                unclear.append(f"{app.name} {log.path}")
    return due, unclear


def _age(now: float, time: float | None) -> Message | str:
    if time is None:
        return msg("from before yesterday")
    amount = _amount(abs(now - time))
    return msg("{amount} old", amount=amount) if time <= now else amount


def _amount(seconds: float) -> str:
    if seconds >= 2 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
