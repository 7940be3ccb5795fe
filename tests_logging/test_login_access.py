"""The recent calls of is_login and get_user in the access log of login."""

import re
from collections import Counter

from bkpaas.checks import (
    LOGIN_TABLES,
    Access,
    CaseMessage,
    Deployment,
    FailedRoute,
    Finding,
    HostLookup,
    HostView,
    Message,
    Missing,
    NoData,
    NotApplicable,
    access_time,
    case,
    clauses,
    condition,
    database_works,
    exception_subject,
    host_time,
    host_was_put_right,
    is_about_server,
    log_time,
    msg,
    seconds,
    series,
    unread_nouns,
)


def _recent(host: HostView, deployment: Deployment, finding: Finding) -> list[Access]:
    """Return the calls of the last minutes, and add to the evidence how they came."""
    access, minutes = host.login_access, deployment.thresholds.log_window_minutes
    calls = [
        call
        for call in access.calls
        if call.time is not None and access_time(host) - call.time <= minutes * 60
    ]
    if not calls and access.problems:
        raise NoData(clauses(access.problems))
    if not calls and access.unparsed:
        raise NoData(
            msg(
                "{number} lines name is_login or get_user in a log-format that is not known",
                number=access.unparsed,
            )
        )
    if not calls and not any(file.type == "file" for file in access.files):
        paths = series(file.path for file in access.files)
        raise NoData(msg("the access log of login was not read: {paths}", paths=paths))
    callers = Counter((call.peer, call.route) for call in calls)
    ways = {
        "nginx": msg("through nginx"),
        "ESB": msg("directly, as ESB does"),
        "direct": msg("directly"),
    }
    parts = [
        msg("{number} calls within {minutes:.0f} minutes", number=len(calls), minutes=minutes),
        *(
            msg("{peer} {way}: {number}", peer=peer, way=ways[route], number=count)
            for (peer, route), count in callers.most_common(8)
        ),
    ]
    finding.add_evidence(clauses(parts))
    return calls


@condition("login-access-log-status")
def test_login_answered_without_errors(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """Hardly any recent call of is_login or get_user was answered with a server error."""
    calls = _recent(host, deployment, finding)
    failed = [call for call in calls if call.status >= 500]
    limit = deployment.thresholds.login_error_percent
    assert len(failed) * 100 <= limit * len(calls), case(
        "5xx",
        "{failed} of {calls} calls were answered with a server error (limit {limit} %), the last: HTTP {status} {path} "
        "for {peer}; {callers}",
        failed=len(failed),
        calls=len(calls),
        limit=limit,
        status=failed[-1].status,
        path=failed[-1].path,
        peer=failed[-1].peer,
        callers=finding.evidence[-1],
    )


@condition("login-access-log-latency")
def test_login_answered_quickly(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """Nineteen of twenty recent calls of is_login or get_user were answered in good time."""
    calls = sorted(_recent(host, deployment, finding), key=lambda call: call.milliseconds)
    if not host.login_access.timed:
        raise NotApplicable(msg("the log of login has no durations"))
    if not calls:
        return
    slow = calls[min(len(calls) - 1, len(calls) * 19 // 20)]
    limit = deployment.thresholds.login_slow_seconds
    assert slow.milliseconds <= limit * 1000, case(
        "slow",
        msg(
            "5% took {seconds:.1f} s or longer (limit {limit} s), such as {path} for {peer}; {callers}",
            seconds=slow.milliseconds / 1000,
            limit=limit,
            path=slow.path,
            peer=slow.peer,
            callers=finding.evidence[-1],
        ),
        time=seconds(slow.milliseconds / 1000),
    )


CALLERS = ("/is_login", "/get_user")
"""Routes of programs that ask about a user: login-access-log-status."""
HOST_ERROR = re.compile(r"IndexError: list index out of range|(?:\w+\.)*DisallowedHost\b")
"""The exceptions of a Host without a dot, and of one that is not allowed."""
PASSWORD_ERROR = re.compile(
    r"ValueError: (?:not enough|need more|too many|invalid literal|Unknown password hashing algorithm)"
)
"""The exceptions of a password in the database that is not a hash, or half of one."""
SAME_TIME_SECONDS = 3.0
"""A record of login.log belongs to a request that ended within so many seconds."""


@condition("login-errors")
def test_requests_of_users_succeed(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """No request of a user to login was answered with a server error lately, and ESB trusts login."""
    _check_esb_trusts_login(host, deployment)
    access = host.login_access
    if not access.requests and access.problems:
        raise NoData(clauses(access.problems))
    if not any(file.type == "file" for file in access.files):
        paths = series(file.path for file in access.files)
        raise NoData(msg("the access log of login was not read: {paths}", paths=paths))
    since = access_time(host) - deployment.thresholds.log_window_minutes * 60
    routes = [route for route in access.failed if route.times and route.times[-1] >= since]
    routes = [route for route in routes if not any(name in route.route for name in CALLERS)]
    left = []
    for route in routes:
        repaired = _repaired(route, host, deployment, host_facts)
        if repaired is None:
            left.append(route)
        else:
            finding.add_evidence(repaired)
    finding.add_evidence(msg("{number} requests in the log", number=access.requests))
    if not left:
        if unread := unread_nouns(host, deployment, "logs"):
            raise NoData(clauses(unread))
        return
    route = left[0]
    exception = _exception(route, host)
    failed = sum(1 for time in route.times if time >= since)
    ago = access_time(host) - route.times[-1]
    text = msg(
        "{route}: {failed} of {calls} answered with HTTP {status}, the last {ago:.0f} s ago; the log has {exception}",
        route=route.route,
        failed=failed,
        calls=route.calls,
        status=route.status,
        ago=ago,
        exception=exception,
    )
    about_host = HOST_ERROR.match(exception) is not None
    assert not about_host, case("host", text, route=route.route, exception=exception)
    about_password = route.route.startswith("POST ") and PASSWORD_ERROR.match(exception) is not None
    assert not about_password, case("password", text, route=route.route, exception=exception)
    assert not exception, case("exception", text, route=route.route, exception=exception)
    assert route.times[-1] <= host_time(host) + SAME_TIME_SECONDS, _log_read_before(route, failed, ago)
    raise AssertionError(
        case(
            "5xx",
            "{route}: {failed} of {calls} answered with HTTP {status}, the last {ago:.0f} s ago; the log has no exception",
            route=route.route,
            failed=failed,
            calls=route.calls,
            status=route.status,
            ago=ago,
        )
    )


def _check_esb_trusts_login(host: HostView, deployment: Deployment) -> None:
    """Fail if ESB refused login's own calls lately, since login was started."""
    if isinstance(host.facts.logs, Missing) or not host.logs.esb_refusals:
        return
    last = host.logs.esb_refusals[-1]
    now = log_time(host, last.file)
    started = None if isinstance(host.facts.services, Missing) else host.services.run("login").since
    recent = last.time is not None and last.time >= now - deployment.thresholds.log_window_minutes * 60
    assert not recent or (last.time or 0.0) < (started or 0.0), case(
        "esb-refused",
        "{file}, {ago:.0f} s ago: {reason}",
        file=last.file,
        ago=now - (last.time or now),
        reason=last.text,
    )


def _log_read_before(route: FailedRoute, failed: int, ago: float) -> CaseMessage:
    """Return the case of a failure after login.log was read, so that its exception is not known."""
    return case(
        "5xx",
        "{route}: {failed} of {calls} answered with HTTP {status}, the last {ago:.0f} s ago; login.log was read before that",
        route=route.route,
        failed=failed,
        calls=route.calls,
        status=route.status,
        ago=ago,
    )


def _exception(route: FailedRoute, host: HostView) -> str:
    """Return the exception of a failed route: of the log of requests, else of login.log at the time of a failure."""
    logged = [
        hit.text
        for hit in host.logs.application_exceptions.get("login", ())
        if hit.time is not None and any(abs(hit.time - time) <= SAME_TIME_SECONDS for time in route.times)
    ]
    return route.exception or (logged[-1] if logged else "")


def _repaired(
    route: FailedRoute, host: HostView, deployment: Deployment, host_facts: HostLookup
) -> Message | None:
    """Return a text if what the exception names is well now, else None."""
    exception = _exception(route, host)
    if HOST_ERROR.match(exception):
        return _host_repaired(route, exception, host, deployment, host_facts)
    subject = exception_subject(exception) if exception else "other"
    well = (subject == "database" and is_about_server(exception, LOGIN_TABLES) and database_works(host)) or (
        subject == "disk" and _disks_are_well(host, deployment)
    )
    if not well:
        return None
    return msg("{route} failed with {exception}; that part works now", route=route.route, exception=exception)


def _host_repaired(
    route: FailedRoute, exception: str, host: HostView, deployment: Deployment, host_facts: HostLookup
) -> Message | None:
    """Return a text if nginx was reloaded after the last request with such a Host and passes the right one."""
    clock = host.facts.clock
    if isinstance(clock, Missing):
        return None
    first, last = (
        time - clock.offset_seconds + clock.uncertainty_seconds for time in (route.times[0], route.times[-1])
    )
    if not host_was_put_right(first, last, deployment, host_facts, clock.controller):
        return None
    return msg(
        "{route} failed with {exception}; nginx was reloaded since and passes the Host of a request on",
        route=route.route,
        exception=exception,
    )


def _disks_are_well(host: HostView, deployment: Deployment) -> bool:
    limit = deployment.thresholds.disk_free_percent
    try:
        disks = host.disks.items
    except NoData:
        return False
    return all(not disk.readonly and disk.free_percent >= limit for disk in disks)
