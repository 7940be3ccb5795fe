"""FAQ: the developer center shows no logs: what applications wrote has to be found a few minutes later."""

from bkpaas.checks import (
    Deployment,
    Finding,
    HostLookup,
    HostView,
    Missing,
    NoData,
    NotApplicable,
    condition,
    elasticsearch_places,
    host_time,
    parsers,
    require_log_search,
    say,
)

SLACK_SECONDS = 5.0  # between the time that a line bears and the time stamp of its document
DAY = 86400.0

DueLine = tuple[float, str, str, float]
"""The time of a line, the host, the path of the log, and the time of that host."""


@condition("log-index-fresh")
def test_logged_lines_can_be_found(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """No line that an application logged some minutes ago is younger than the newest document."""
    require_log_search(deployment, host_facts)
    newest, now = _newest(host, finding), host_time(host)
    late = deployment.thresholds.log_delay_minutes * 60
    text = say(en="the newest document is ", zh="最新文档：") + _age(now, newest)
    finding.add_evidence(text)
    assert newest is None or newest <= now + late, text + say(
        en=" in the future: a time zone is wrong in log_agent or log_parser",
        zh="之后：log_agent 或 log_parser 的时区有误",
    )
    due, unclear = _due(deployment, host_facts, late)
    # Without any document since yesterday (UTC) only lines from after its beginning count.
    since = newest + SLACK_SECONDS if newest is not None else now // DAY * DAY - DAY
    missed = [one for one in due if one[0] > since]
    if missed:
        time, name, path, its_now = max(missed)
        raise AssertionError(
            say(
                en=f"{text}, but {name} {path} has a line from {_age(its_now, time)}",
                zh=f"{text}，而 {name} {path} 有一行日志写于 {_age(its_now, time)}",
            )
        )
    if due or (newest is not None and newest >= now - late):
        return
    if unclear:
        raise NoData(
            say(
                en=f"{text}; {', '.join(unclear)}: only its last lines are known, all too young to be missed",
                zh=f"{text}；{', '.join(unclear)}：只读到末尾几行，都太新，无法判定",
            )
        )
    raise NotApplicable(
        say(
            en=f"{text}; no application has logged anything since that would have to be there",
            zh=f"{text}；此后没有应用写过应当已送达的日志",
        )
    )


def _newest(host: HostView, finding: Finding) -> float | None:
    try:
        first = elasticsearch_places(host.settings.by_project.get("paas"))[0]
    except ValueError as error:
        raise NoData(str(error)) from None
    finding.set_remedy_values(es_url=f"{first.scheme}://{first.text}")
    search = host.searches.at(first)
    search.need("newest")
    return search.newest


def _due(deployment: Deployment, host_facts: HostLookup, late: float) -> tuple[list[DueLine], list[str]]:
    """([(time, host, path, that host's now)] of the newest line in each log that is old enough to be missed,
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
            old = [time for time in log.times if time <= now - late]
            if old:
                due.append((old[-1], app.name, log.path, now))
            elif log.times and not log.whole:
                unclear.append(f"{app.name} {log.path}")
    return due, unclear


def _age(now: float, time: float | None) -> str:
    if time is None:
        return say(en="from before yesterday", zh="前天或更早")
    seconds = abs(now - time)
    amount = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    if seconds >= 2 * 3600:
        amount = f"{seconds / 3600:.1f} h"
    return amount + (say(en=" old", zh="前") if time <= now else "")
