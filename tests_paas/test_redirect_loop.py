"""FAQ: the login page loops: equal settings, a route to the domain, the right scheme."""

import re
from urllib.parse import urljoin, urlsplit

from bkpaas.checks import (
    BEHIND_THE_DOMAIN,
    REDIRECTS,
    CaseMessage,
    ControllerView,
    Deployment,
    Finding,
    HostView,
    HttpName,
    NoData,
    NotApplicable,
    Settings,
    Value,
    case,
    check_refusal,
    clauses,
    combined,
    condition,
    connection_case,
    joined,
    labelled,
    lines,
    mentions,
    msg,
    no_answer,
    series,
    setting,
)

PRODUCTION = "settings_production.py"

Values = dict[str, Value]


@condition("login-settings-equal")
def test_production_settings_are_equal(pair: tuple[HostView, HostView], finding: Finding) -> None:
    """settings_production.py has equal values on both hosts, except for each host's own address."""
    compared = 0
    wrong: dict[str, list[CaseMessage]] = {}
    differing: set[str] = set()
    for project in ("login", "paas", "console"):
        first, second = (host.settings.by_project.get(project) for host in pair)
        if first is None or second is None or not (_is_there(first) or _is_there(second)):
            continue
        _must_be_readable(first)
        _must_be_readable(second)
        values = _production(first), _production(second)
        for name in dict.fromkeys((*values[0], *values[1])):
            compared += 1
            if not _equal(name, values, pair):
                wrong.setdefault(project, []).append(_difference(name, values, pair))
                differing.add(name)
    if not compared:
        raise NoData(msg("no {production} was read on either host", production=PRODUCTION))
    finding.affects_services(wrong)
    finding.names_components("setting", differing)
    finding.add_evidence(msg("{compared} settings are equal", compared=compared))
    differences = [(project, one) for project, of_project in wrong.items() for one in of_project]
    assert not wrong, combined(
        [one for _, one in differences],
        lines(labelled(project, one.evidence) for project, one in differences),
        projects=series(
            dict.fromkeys(project for project, one in differences if one.case == differences[0][1].case)
        ),
    )


def _is_there(settings: Settings) -> bool:
    return any(file.path.endswith(PRODUCTION) and file.exists for file in settings.files)


def _must_be_readable(settings: Settings) -> None:
    problems = [problem for problem in settings.problems if mentions(problem, PRODUCTION)]
    if problems:
        raise NoData(clauses(problems))


def _production(settings: Settings) -> Values:
    return {name: value for name, value in settings.values.items() if value.file.endswith(PRODUCTION)}


def _equal(name: str, values: tuple[Values, Values], pair: tuple[HostView, HostView]) -> bool:
    one, other = (values_of_host.get(name) for values_of_host in values)
    if one is None or other is None:
        return False
    if (one.kind, one.value, one.digest) == (other.kind, other.value, other.digest):
        return one.kind != "expression" or one.source == other.source
    if one.digest and other.digest and one.value is other.value is None:
        if one.digest == other.digest:
            return {one.kind, other.kind} <= {"str", "int", "float"}
        digests = [value.own_digest or value.digest for value in (one, other)]
        return one.kind == other.kind == "str" and digests[0] == digests[1]
    own = [_without_own_addresses(value, host) for value, host in zip((one, other), pair, strict=True)]
    return one.kind == other.kind == "str" and own[0] == own[1]


def _without_own_addresses(value: Value, host: HostView) -> str:
    """http://10.0.1.3:8003 of 10.0.1.3 and http://10.0.1.4:8003 of 10.0.1.4 mean the same; so do their own names."""
    text, name = str(value.value), host.system.hostname or ""
    for address in sorted(host.addresses.items, key=len, reverse=True):
        text = re.sub(rf"(?<![\w.]){re.escape(address)}(?![\w.])", "LAN_IP", text)
    for own in filter(None, (name, name.partition(".")[0])):
        text = re.sub(rf"(^|//){re.escape(own)}(?=[:/]|$)", r"\1LAN_IP", text)
    return text


def _difference(name: str, values: tuple[Values, Values], pair: tuple[HostView, HostView]) -> CaseMessage:
    """Return the case with the location of both values, and the values unless they are secrets."""
    present = [
        (host, values_of_host[name])
        for host, values_of_host in zip(pair, values, strict=True)
        if values_of_host.get(name) is not None
    ]
    if len(present) == 1:
        [(here, value)] = present
        return case(
            "only-on-one",
            "{name} stands on {here_name} only ({file}:{line})",
            name=name,
            here_name=here.name,
            file=value.file,
            line=value.line,
        )
    shown = [
        f"{host.name}:{value.file}:{value.line} {value.text if value.digest is None else '***'}"
        for host, value in present
    ]
    return case(
        "differs", "{name} differs: {values}", name=name, values=joined(", ", shown, context="clauses")
    )


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
    """HTTP_SCHEMA of login and paas is the scheme under which the domain is served."""
    configured = {
        project: (value, where)
        for project in ("login", "paas", "console")
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
    assert last.status not in REDIRECTS, case("no-end", lines([route, msg("this has no end")]))
    assert {"username", "password"} <= set(last.inputs), case(
        "no-form", lines([route, msg("this page has no fields for user name and password")])
    )
