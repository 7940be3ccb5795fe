"""FAQ: the login page loops: equal settings, a route to the domain, the right scheme."""

from urllib.parse import urljoin, urlsplit

from bkpaas.checks import (
    BEHIND_THE_DOMAIN,
    REDIRECTS,
    SERVICE_SETTINGS,
    CaseMessage,
    ControllerView,
    Deployment,
    Edit,
    Finding,
    HostLookup,
    HostView,
    HttpName,
    Message,
    NoData,
    NotApplicable,
    SettingReading,
    SettingReadings,
    all_readings,
    case,
    check_refusal,
    clauses,
    combined,
    condition,
    connection_case,
    copy_setting,
    deviating_hosts,
    deviating_readings,
    edit_of,
    equal,
    joined,
    labelled,
    leads_to_own_service,
    lines,
    message_of,
    msg,
    no_answer,
    readings,
    refuses_password,
    require_one_generation,
    series,
    setting,
    shared_readings,
    unset_setting,
)

PROJECTS = ("login", "paas", "esb", "appengine", "console")
WITH_BROWSERS = ("login", "paas", "console")
"""Projects that answer to browsers."""
FOR_HTTPS = ("CSRF_COOKIE_SECURE", "SESSION_COOKIE_SECURE")
"""Settings with which a browser keeps the cookie from https only."""


@condition("login-settings-equal")
def test_settings_are_equal(
    pair: tuple[HostView, HostView], deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Each setting has the same value on both hosts, but for each host's own address."""
    require_one_generation(*pair)
    compared = 0
    wrong: dict[str, list[CaseMessage]] = {}
    differing: set[str] = set()
    edits: list[Edit | None] = []
    unclear: list[Message | str] = []
    unknown: set[str] = set()
    for project in PROJECTS:
        values = readings(pair[0], project), readings(pair[1], project)
        if not values[0] and not values[1]:
            continue
        if not values[0] or not values[1]:
            wrong.setdefault(project, []).append(_no_file(project, pair, values))
            continue
        before = len(unclear)
        unclear += _unreadable(pair, project)
        for name in dict.fromkeys((*values[0], *values[1])):
            compared += 1
            one, other = (settings.get(name) for settings in values)
            if isinstance(one, NoData):
                unclear.append(message_of(one))
            elif isinstance(other, NoData):
                unclear.append(message_of(other))
            elif one is None or other is None:
                only = [reading for reading in (one, other) if reading is not None]
                wrong.setdefault(project, []).extend(map(_only_on_one, only))
                differing.add(name)
            elif not equal(one, other) and not (one.evaluated and other.evaluated):
                unclear.append(_unknown(one if not one.evaluated else other))
            elif not equal(one, other) and not (
                _may_differ(one, other, pair) or _judged_elsewhere(one, deployment, host_facts)
            ):
                wrong.setdefault(project, []).append(_difference(one, other, deployment, host_facts))
                edits.append(_edit(one, other, deployment, host_facts))
                differing.add(name)
        unknown |= {project} if len(unclear) > before else set()
    finding.affects_services(wrong or unknown)
    finding.names_components("setting", differing)
    first = list(wrong)[:1]
    finding.set_remedy_values(service=" ".join(wrong), file=_file(pair[0], first) or _file(pair[1], first))
    finding.set_remedy_values(edit=edit_of(edits, f"{pair[0].name}, {pair[1].name}"))
    finding.add_evidence(msg("{compared} settings are equal", compared=compared))
    differences = [(project, one) for project, names in wrong.items() for one in names]
    assert not wrong, combined(
        [one for _, one in differences],
        lines(labelled(project, one.evidence) for project, one in differences),
        projects=series(
            dict.fromkeys(project for project, one in differences if one.case == differences[0][1].case)
        ),
    )
    if unclear or not compared:
        raise NoData(
            clauses(list(dict.fromkeys(unclear))[:5])
            if unclear
            else msg("no settings file was read on either host")
        )


def _file(host: HostView, projects: list[str]) -> str:
    """Return the last settings file of a project; "" if the host has none."""
    files = [path for project in projects for path in _paths(host, project)]
    return files[-1] if files else ""


def _paths(host: HostView, project: str) -> list[str]:
    """Return the paths of the settings files of a project, also of those that do not exist."""
    settings = host.settings.by_project.get(project)
    return [file.path for file in settings.files] if settings else []


def _unreadable(pair: tuple[HostView, HostView], project: str) -> list[Message | str]:
    return [
        labelled(host.name, problem)
        for host in pair
        for problem in host.settings.by_project[project].problems
    ]


def _no_file(
    project: str, pair: tuple[HostView, HostView], values: tuple[SettingReadings, SettingReadings]
) -> CaseMessage:
    """Return the case of a project that has settings files on one of the hosts only."""
    without = pair[0] if not values[0] else pair[1]
    paths = _paths(without, project) or [path for host in pair for path in _paths(host, project)]
    return case("no-file", "{paths}: not on {without}", paths=series(paths), without=without.name)


def _only_on_one(reading: SettingReading) -> CaseMessage:
    return case(
        "only-on-one",
        "{name} is set on {here_name} only ({where})",
        name=reading.name,
        here_name=reading.host,
        where=reading.where,
    )


def _unknown(reading: SettingReading) -> Message:
    return msg(
        "{host}: {where}: the value of {name} = {text} is not known",
        host=reading.host,
        where=reading.where,
        name=reading.name,
        text=reading.text,
    )


def _refused(reading: SettingReading, pair: tuple[HostView, HostView]) -> bool:
    """Return whether database-login names the account of this setting on one of the hosts."""
    is_account = reading.name.startswith("DATABASES.") and reading.name.endswith((".USER", ".PASSWORD"))
    return is_account and any(refuses_password(host, reading.project) for host in pair)


def _judged_elsewhere(reading: SettingReading, deployment: Deployment, host_facts: HostLookup) -> bool:
    """Return whether settings-across-projects names the project and host that differ."""
    return deviating_readings(shared_readings(reading.name, deployment, host_facts)) is not None


def _may_differ(one: SettingReading, other: SettingReading, pair: tuple[HostView, HostView]) -> bool:
    """Return whether the account is refused, which another condition names, or each host's own service is meant."""
    return _refused(one, pair) or (
        one.name in SERVICE_SETTINGS
        and leads_to_own_service(one, pair[0])
        and leads_to_own_service(other, pair[1])
    )


def _difference(
    one: SettingReading, other: SettingReading, deployment: Deployment, host_facts: HostLookup
) -> CaseMessage:
    """Return the case: which host has another value than the others, if that can be decided."""
    text = msg(
        "{name} differs: {values}",
        name=one.name,
        values=joined(
            ", ", [f"{side.host}:{side.where} {side.text}" for side in (one, other)], context="clauses"
        ),
    )
    everywhere = all_readings(one.name, deployment, host_facts)
    deviating = deviating_hosts(one.project, everywhere)
    wrong = [side.host for side in (one, other) if deviating and side.host in deviating]
    if len(wrong) == 1:
        return case("deviates", text, deviating=wrong[0])
    return case("differs", msg("{text}; which of the two is right is undecided", text=text))


def _edit(
    one: SettingReading, other: SettingReading, deployment: Deployment, host_facts: HostLookup
) -> Edit | None:
    """Return the edit that gives the host that differs the value of the other; None if that is undecided."""
    deviating = deviating_hosts(one.project, all_readings(one.name, deployment, host_facts)) or set()
    wrong = [side for side in (one, other) if side.host in deviating]
    if len(wrong) != 1:
        return None
    right = other if wrong[0] is one else one
    own, its = deployment.host(wrong[0].host).address, deployment.host(right.host).address
    return copy_setting(wrong[0], right._replace(text=right.text.replace(its, own)))


@condition("domain-from-agents")
def test_app_host_reaches_login(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """From an app host, is_login through the domain is answered by login: its SaaS can have logins checked."""
    check_refusal(host.answers.get(HttpName.IS_LOGIN_DOMAIN), finding, through="nginx", deployment=deployment)


@condition("domain-from-cmdb-job")
def test_cmdb_and_job_reach_login(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """From the hosts of cmdb and job, is_login through the domain is answered by login."""
    check_refusal(host.answers.get(HttpName.IS_LOGIN_DOMAIN), finding, through="nginx", deployment=deployment)


@condition("scheme-matches")
def test_settings_have_the_scheme_of_the_domain(
    host: HostView, deployment: Deployment, finding: Finding
) -> None:
    """HTTP_SCHEMA of login and paas is the scheme under which the domain is served; cookies are not for https only."""
    dropped = _cookies_for_https(host, deployment)
    finding.names_components("setting", list(dropped))
    finding.affects_services(project for places in dropped.values() for project in places)
    finding.set_remedy_values(
        service=" ".join(dict.fromkeys(project for places in dropped.values() for project in places)),
        edit=edit_of(
            (unset_setting(name, where) for name, places in dropped.items() for where in places.values()),
            host.name,
        ),
    )
    assert not dropped, case(
        "cookie-dropped",
        lines(
            msg(
                "{where}: {name} = True, the domain is served under {scheme}",
                where=where,
                name=name,
                scheme=deployment.scheme,
            )
            for name, places in dropped.items()
            for where in places.values()
        ),
        projects=series(dict.fromkeys(project for places in dropped.values() for project in places)),
        names=series(dropped),
    )
    configured = {
        project: (value, where)
        for project in WITH_BROWSERS
        for value, where in [setting(host, project, "HTTP_SCHEMA")]
        if value is not None
    }
    if not configured:
        raise NotApplicable(msg("no settings file has HTTP_SCHEMA"))
    wrong = {project: one for project, one in configured.items() if one[0].value != deployment.scheme}
    unclear = [f"{where}: {value.text}" for value, where in wrong.values() if value.kind != "str"]
    if unclear:
        raise NoData("; ".join(unclear))
    finding.affects_services(wrong)
    finding.names_components("setting", ["HTTP_SCHEMA"])
    finding.add_evidence(f"HTTP_SCHEMA = {deployment.scheme}: {', '.join(configured)}")
    assert not wrong, case(
        "differs",
        lines(
            msg(
                "{where}: HTTP_SCHEMA = {value}, the domain is served under {scheme}",
                where=where,
                value=value.text,
                scheme=deployment.scheme,
            )
            for value, where in wrong.values()
        ),
        projects=series(wrong),
        scheme=deployment.scheme,
    )


def _cookies_for_https(host: HostView, deployment: Deployment) -> dict[str, dict[str, str]]:
    """Return {setting: {project: file:line}} of cookies that a browser drops since the domain has no https."""
    if deployment.scheme == "https":
        return {}
    found = {
        name: {
            project: where
            for project in WITH_BROWSERS
            for value, where in [setting(host, project, name)]
            if value is not None and value.value is True
        }
        for name in FOR_HTTPS
    }
    return {name: places for name, places in found.items() if places}


@condition("login-redirect-shape")
def test_platform_leads_to_the_login_form(
    controller: ControllerView, deployment: Deployment, finding: Finding
) -> None:
    """Without a login the platform redirects to a page with fields for user name and password, in a few steps."""
    steps = [controller.answers.get(HttpName.REDIRECT, 1)]
    while HttpName.REDIRECT.of(len(steps) + 1) in controller.answers.by_name:
        steps.append(controller.answers.get(HttpName.REDIRECT, len(steps) + 1))
    last = steps[-1]
    route = "\n".join(
        f"{step.url}: HTTP {step.status} {step.headers.get('location', '')}".rstrip() for step in steps
    )
    finding.set_remedy_values(url=steps[0].url)
    finding.depends_on_hosts(entry.name for entry in deployment.hosts_with(*BEHIND_THE_DOMAIN))
    finding.add_evidence(route)
    assert last.ok, connection_case(last.error_kind, lines([route, no_answer(last.error_kind)]))
    target = urljoin(last.url, last.headers.get("location", ""))
    if last.status in REDIRECTS and urlsplit(target).hostname != deployment.domain:
        if urlsplit(last.url).path.startswith("/login"):
            raise NotApplicable(
                msg("login sends its users to another site: {hostname}", hostname=urlsplit(target).hostname)
            )
        raise AssertionError(
            case(
                "other-site",
                lines([route, msg("this leads to another site")]),
                site=urlsplit(target).hostname,
            )
        )
    assert last.status not in REDIRECTS, case("no-end", lines([route, msg("the redirects do not end")]))
    assert {"username", "password"} <= set(last.inputs), case(
        "no-form", lines([route, msg("this page has no fields for user name and password")])
    )
