"""FAQ: how to make sure that PaaS is deployed well, on 6.x: bkiam, which every page of the developer center asks."""

from ipaddress import ip_address

from bkpaas.checks import (
    IAM_SETTING,
    Answer,
    Deployment,
    FailedRoute,
    Finding,
    HostView,
    HttpName,
    NoData,
    NotApplicable,
    case,
    clauses,
    condition,
    connection_case,
    host_accounts,
    labelled,
    location_host,
    log_time,
    msg,
    no_answer,
    require_project,
    seconds,
)

NOT_ANSWERED = "verify from iam server fail"
"""Of the exception for a bkiam that gave no answer, or none with HTTP 200. Source: iam-python-sdk, api/client.py."""
SETTLED_SECONDS = 60.0
"""A bkiam that answers again was repaired after failures that are older than this."""


@condition("iam-answers")
def test_bkiam_answers_the_developer_center(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """bkiam works for this host, and no page of the developer center failed because of it lately."""
    require_project(host, "paas", deployment)
    answer = host.answers.find(HttpName.IAM.value)
    if answer is not None and _names_the_database(answer, host):
        pass  # the database of the platform explains it, not the unit of bkiam
    elif answer is None or _leads_to_bkiam(answer, host, deployment):
        finding.names_components("unit", ["bk-iam"])
        finding.depends_on_hosts(entry.name for entry in deployment.hosts_with("iam"))
    else:
        finding.names_components("setting", [IAM_SETTING])
    if answer is not None:
        _check_answer(answer, finding)
    _check_pages(host, deployment, answer, finding)
    if answer is None:
        raise NotApplicable(msg("the settings of paas have no address of bkiam (HOST_IAM_NEW)"))


def _leads_to_bkiam(answer: Answer, host: HostView, deployment: Deployment) -> bool:
    """Return whether the address of bkiam in the settings is that of a host with the role, or may be."""
    right = {entry.address for entry in deployment.hosts_with("iam")}
    used = host.names.of(location_host(answer.url))
    return not right or not all(map(_is_address, used)) or bool(right & set(used))


def _names_the_database(answer: Answer, host: HostView) -> bool:
    """Return whether the error of bkiam is about the database that the services of this host use."""
    if not answer.ok or (answer.status or 0) < 500:
        return False
    try:
        accounts = host_accounts(host).values()
    except NoData:
        return False
    return any(f"{account.host}:{account.port}" in answer.body for account in accounts)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _check_answer(answer: Answer, finding: Finding) -> None:
    """Fail if bkiam gave no answer, or reports that it does not work."""
    finding.set_remedy_values(url=answer.url)
    problem = no_answer(answer.error_kind)
    assert answer.ok or answer.error_kind != "silent", case(
        "hangs", "{url}: {problem}", url=answer.url, problem=problem
    )
    assert answer.ok, connection_case(answer.error_kind, labelled(answer.url, problem), url=answer.url)
    status = answer.status or 0
    assert status < 500, case(
        "5xx",
        "{url}: HTTP {status} after {time}: {body}",
        url=answer.url,
        status=status,
        time=seconds(answer.seconds or 0.0),
        body=" ".join(answer.body.split())[:200],
    )
    finding.add_evidence(f"{answer.url}: HTTP {status}")


def _check_pages(host: HostView, deployment: Deployment, answer: Answer | None, finding: Finding) -> None:
    """Fail if a page failed with an exception of bkiam's client lately, and not with a success since."""
    failures = host.iam_failures
    now = log_time(host, failures.files[0] if failures.files else "")
    since = now - deployment.thresholds.log_window_minutes * 60
    recent = [route for route in failures.failed if route.times and route.times[-1] >= since]
    left = [route for route in recent if answer is None or not _is_over(route, now)]
    for route in recent:
        if route not in left:
            finding.add_evidence(
                msg(
                    "{route} failed with {exception}; bkiam answers now",
                    route=route.route,
                    exception=route.exception,
                )
            )
    if not left:
        if failures.problems:
            raise NoData(clauses(failures.problems))
        return
    finding.set_remedy_values(url=answer.url if answer else "http://bkiam.service.consul:5001/healthz")
    route = left[0]
    text = msg(
        "{route}: {failed} of {calls} answered with HTTP {status}, the last {ago:.0f} s ago: {exception}",
        route=route.route,
        failed=sum(1 for time in route.times if time >= since),
        calls=route.calls,
        status=route.status,
        ago=now - route.times[-1],
        exception=route.exception,
    )
    assert NOT_ANSWERED in route.exception, case(
        "refuses", text, route=route.route, exception=route.exception
    )
    raise AssertionError(case("pages-fail", text, route=route.route, exception=route.exception))


def _is_over(route: FailedRoute, now: float) -> bool:
    """Return whether a bkiam that answers now gave no answer then; one that refused may still do so."""
    return NOT_ANSWERED in route.exception and route.times[-1] < now - SETTLED_SECONDS
