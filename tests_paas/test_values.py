"""Settings that must have one value: over the projects of a host, and compared with the inventory."""

import json
from typing import NamedTuple

from bkpaas.checks import (
    SERVICE_SETTINGS,
    SHARED_SETTINGS,
    CaseMessage,
    Deployment,
    Edit,
    Finding,
    HostLookup,
    HostView,
    Message,
    Missing,
    NoData,
    NotApplicable,
    SettingReading,
    Sockets,
    about,
    accepts_host,
    add_setting,
    addresses,
    all_readings,
    case,
    clauses,
    combined,
    condition,
    copy_setting,
    deviating_readings,
    edit_of,
    equal,
    expected_port,
    groups,
    hosts_at,
    is_own,
    lines,
    location_host,
    location_port,
    msg,
    nearest,
    own_readings,
    series,
    service_endpoint,
    setting,
    shared_readings,
    unanswered_case,
    unanswered_places,
    unread_nouns,
)

LOCATIONS = {
    "PAAS_DOMAIN": ("login", "paas", "console"),
    "PAAS_INNER_DOMAIN": ("login", "paas", "console"),
    "PAAS_HOST": ("esb",),
    "LOGIN_HOST": ("paas", "console"),
    "HOST_BK_LOGIN": ("esb",),
    "ENGINE_HOST": ("paas", "console"),
    "HOST_CC": ("paas", "esb", "console"),
    "HOST_JOB": ("paas", "esb", "console"),
}
"""Settings with the address of a part of the platform, and the projects that have them."""
ROLES = {"HOST_CC": ("cmdb", "nginx"), "HOST_JOB": ("job", "nginx")}
"""Roles of the hosts that may stand behind a setting; others name the paas and nginx hosts."""
ACCEPTED = "ALLOWED_HOSTS"
"""The names under which a project answers; a request with another Host is answered with 400."""
SERVED = {
    "login": ("LOGIN_HOST", "HOST_BK_LOGIN"),
    "paas": (),
    "esb": (),
    "appengine": ("ENGINE_HOST",),
    "console": (),
}
"""Projects that are requested under the domain, and the settings with another name of theirs."""


class Problem(NamedTuple):
    """Represent a setting that is wrong in some projects of a host."""

    name: str
    """Of the setting."""
    projects: list[str]
    case: CaseMessage
    edits: tuple[Edit | None, ...] = (None,)
    """The commands that correct it; None where the right value is not known."""


@condition("settings-across-projects")
def test_projects_have_the_same_values(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The projects that use a setting together have the same value of it, on this host as on the others."""
    wrong: list[Problem] = []
    unclear: list[Message | str] = []
    compared = 0
    for name, projects in SHARED_SETTINGS.items():
        own, reasons = own_readings(host, name, projects)
        unclear += reasons
        compared += len(own)
        everywhere = shared_readings(name, deployment, host_facts)
        decided = deviating_readings(everywhere)
        if decided is not None:
            deviating = [one for one in decided[0] if one.host == host.name]
            wrong += [_deviating(name, deviating, decided[1], everywhere)] if deviating else []
        elif len(groups(own)) > 1:
            wrong.append(_not_covering(own, deployment) or _differing(name, own))
    if not compared:
        raise NoData(
            clauses(list(dict.fromkeys(unclear))[:5]) if unclear else msg("no settings file was read")
        )
    finding.add_evidence(
        msg("{compared} values of {names} agree", compared=compared, names=series(SHARED_SETTINGS))
    )
    _assert_none(wrong, host, finding)
    if unclear:
        raise NoData(clauses(list(dict.fromkeys(unclear))[:5]))


def _assert_none(wrong: list[Problem], host: HostView, finding: Finding) -> None:
    """Fail with the case of the first problem; the remedy corrects all of them."""
    if wrong:
        finding.affects_services(project for problem in wrong for project in problem.projects)
        finding.set_remedy_values(
            service=" ".join(dict.fromkeys(project for problem in wrong for project in problem.projects)),
            edit=edit_of((edit for problem in wrong for edit in problem.edits), host.name),
        )
    assert not wrong, combined(
        [_of_setting(problem) for problem in wrong], lines(problem.case.evidence for problem in wrong)
    )


def _of_setting(problem: Problem) -> CaseMessage:
    return problem.case if problem.case.parts else about(problem.case, f"setting:{problem.name}")


def _deviating(
    name: str, deviating: list[SettingReading], usual: SettingReading, everywhere: list[SettingReading]
) -> Problem:
    text = msg(
        "{places}: {name} = {text}; the others have {usual} ({where} on {host})",
        places=series(one.where for one in deviating),
        name=name,
        text=series(dict.fromkeys(one.text for one in deviating)),
        usual=usual.text,
        where=usual.where,
        host=usual.host,
    )
    projects = list(dict.fromkeys(one.project for one in deviating))
    edits = tuple(copy_setting(one, nearest(one, usual, everywhere)) for one in deviating)
    return Problem(name, projects, case("deviates", text, key=name, projects=series(projects)), edits)


def _not_covering(own: list[SettingReading], deployment: Deployment) -> Problem | None:
    """Return the projects whose cookie is not for the domain of PaaS, None if that does not decide."""
    outside = [one for one in own if not _is_for_domain(one, deployment)]
    inside = [one for one in own if one not in outside]
    if own[0].name != "BK_COOKIE_DOMAIN" or not outside or len(groups(inside)) != 1:
        return None
    return _deviating(own[0].name, outside, inside[0], inside)


def _is_for_domain(reading: SettingReading, deployment: Deployment) -> bool:
    covered = reading.text.strip("'\"").lstrip(".").lower()
    return not covered or f".{deployment.domain.lower()}".endswith(f".{covered}")


def _differing(name: str, own: list[SettingReading]) -> Problem:
    text = msg(
        "{name} differs: {values}; which one is right is undecided",
        name=name,
        values=series(f"{one.project} {one.text} ({one.where})" for one in own),
    )
    projects = list(dict.fromkeys(one.project for one in own))
    return Problem(name, projects, case("apart", text, key=name, projects=series(projects)), (None,))


@condition("settings-match-inventory")
def test_addresses_in_the_settings_are_those_of_the_inventory(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The addresses of PaaS, login, appengine, CMDB and JOB in the settings lead to hosts with these roles."""
    wrong: list[Problem] = []
    unclear: list[Message | str] = []
    compared: list[str] = []
    for name, projects in LOCATIONS.items():
        own, reasons = own_readings(host, name, projects)
        unclear += reasons
        for reading in own:
            if not reading.text.strip("'\" "):
                continue  # not configured
            compared.append(f"{reading.project} {name}")
            problem = _location_problem(reading, host, deployment, host_facts)
            if problem is not None:
                edit = _location_edit(reading, host, deployment, host_facts)
                wrong.append(Problem(name, [reading.project], problem, (edit,)))
    for one in unanswered_places(host, deployment, unclear):
        finding.depends_on_hosts(_hosts_behind(host, one.host, deployment, host_facts))
        wrong.append(Problem(one.name, [one.project], unanswered_case(one)))
    wrong += _refusals(host, deployment)
    if not compared and not unclear and not wrong:
        raise NotApplicable(msg("no settings file has an address of another part of the platform"))
    unclear += unread_nouns(host, deployment, "sockets")
    finding.add_evidence(series(compared))
    finding.affects_services(SERVICE_SETTINGS[one.name] for one in wrong if one.case.case == "not-listening")
    _assert_none(wrong, host, finding)
    if unclear:
        raise NoData(clauses(list(dict.fromkeys(unclear))[:5]))


def _refusals(host: HostView, deployment: Deployment) -> list[Problem]:
    """Return the projects that answer 400 to requests for the domain, or for the address in the settings."""
    result = []
    for project, names in SERVED.items():
        value, where = setting(host, project, ACCEPTED)
        debug, _ = setting(host, project, "DEBUG")
        if value is None or value.kind != "list" or value.value is None or (debug and debug.value is True):
            continue
        own = [reading for name in names for reading in own_readings(host, name, LOCATIONS[name])[0]]
        places = [location_host(reading.text.strip("'\" ")) for reading in own]
        wanted = dict.fromkeys((deployment.domain.lower(), *(one for one in places if is_own(one, host))))
        refused = [one for one in wanted if not any(accepts_host(str(name), one) for name in value.value)]
        if refused:
            text = msg(
                "{where}: {name} = {text} does not contain {names}",
                where=where,
                name=ACCEPTED,
                text=value.text,
                names=series(refused),
            )
            names_of = case("name-refused", text, projects=project, names=series(refused))
            accepted = json.dumps([*map(str, value.value), *refused])
            edits = tuple(add_setting(one, accepted) for one in own_readings(host, ACCEPTED, (project,))[0])
            result.append(Problem(ACCEPTED, [project], names_of, edits or (None,)))
    return result


OWN_HOST = ("LOGIN_HOST", "ENGINE_HOST", "HOST_BK_LOGIN")
"""Addresses of services that run on each paas host."""


@condition("settings-own-host")
def test_services_use_those_of_their_own_host(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """No address of login or appengine in the settings is that of one other paas host alone."""
    if len(deployment.hosts_with("paas")) < 2:
        raise NotApplicable(msg("there is one paas host"))
    wrong: dict[str, SettingReading] = {}
    unclear: list[Message | str] = []
    compared = 0
    other: set[str] = set()
    for name in OWN_HOST:
        own, reasons = own_readings(host, name, LOCATIONS[name])
        unclear += reasons
        for reading in own:
            place = location_host(reading.text.strip("'\" "))
            if not place:
                continue
            compared += 1
            if is_own(place, host) or place in deployment.virtual_addresses:
                continue
            behind = _hosts_behind(host, place, deployment, host_facts)
            if len(behind) == 1 and deployment.host(behind[0]).has_role("paas") and behind != [host.name]:
                wrong[reading.where] = reading
                other |= set(behind)
    finding.add_evidence(msg("{number} addresses", number=compared))
    if wrong:
        finding.set_remedy_values(
            service=" ".join(dict.fromkeys(one.project for one in wrong.values())),
            edit=edit_of((_own_edit(one, host, deployment) for one in wrong.values()), host.name),
        )
    assert not wrong, case(
        "other-host",
        lines(
            msg("{where}: {name} = {text}", where=where, name=one.name, text=one.text)
            for where, one in wrong.items()
        ),
        projects=series(sorted({one.project for one in wrong.values()})),
        others=series(sorted(other)),
    )
    if not compared and not unclear:
        raise NotApplicable(msg("no settings file has an address of another part of the platform"))
    if unclear:
        raise NoData(clauses(list(dict.fromkeys(unclear))[:5]))


def _location_problem(
    reading: SettingReading, host: HostView, deployment: Deployment, host_facts: HostLookup
) -> CaseMessage | None:
    """Return in which way an address does not match the inventory, None if it matches or is outside of it."""
    text = reading.text.strip("'\"")
    host_name = location_host(text)
    if reading.name == "PAAS_DOMAIN":
        if host_name == deployment.domain.lower():
            return None
        return _problem(
            "other-domain", reading, text, msg("the domain is {domain}", domain=deployment.domain)
        )
    if host_name == deployment.domain.lower() or host_name in map(str.lower, deployment.fqdns.values()):
        return None
    if host_name in deployment.virtual_addresses:
        return None
    service = SERVICE_SETTINGS.get(reading.name)
    roles = ROLES.get(reading.name, ("paas", "nginx"))
    resolved = host.names.get(host_name)
    if resolved is not None and not resolved.addresses and deployment.hosts_with(*roles[:1]):
        reason = msg("{place} does not resolve on {host}", place=host_name, host=host.name)
        return _problem("unresolved", reading, text, reason)
    hosts = [host.name] if is_own(host_name, host) else _hosts_behind(host, host_name, deployment, host_facts)
    behind = [deployment.host(name) for name in hosts]
    if behind and not any(entry.has_role(*roles) for entry in behind):
        reason = msg(
            "{place} is {hosts}, which has none of the roles {roles}",
            place=host_name,
            hosts=series(entry.name for entry in behind),
            roles=series(roles),
        )
        return _problem("other-host", reading, text, reason)
    paas = next((entry for entry in behind if entry.has_role("paas")), None)
    if service is None or paas is None:
        return None
    facts = host.facts if paas.name == host.name else host_facts(paas.name).facts
    configured = service_endpoint(service, paas, deployment, facts)[1]
    port = expected_port(service, paas.name, configured, deployment, host_facts)
    if (location_port(text) or 80) == port:
        return _not_listening(reading, text, host_name, port, host, facts.sockets)
    return _problem(
        "other-port", reading, text, msg("{service} listens on port {port}", service=service, port=port)
    )


def _own_edit(reading: SettingReading, host: HostView, deployment: Deployment) -> Edit:
    """Return the edit that gives an address of login or appengine that of the host itself."""
    address, port = service_endpoint(
        SERVICE_SETTINGS[reading.name], deployment.host(host.name), deployment, host.facts
    )
    scheme, separator, _ = reading.text.strip("'\"").partition("://")
    return add_setting(reading, json.dumps(f"{scheme + separator if separator else ''}{address}:{port}"))


def _location_edit(
    reading: SettingReading, host: HostView, deployment: Deployment, host_facts: HostLookup
) -> Edit | None:
    """Return the edit that corrects an address; None where no other project or host has a right one."""
    if reading.name == "PAAS_DOMAIN":
        return add_setting(reading, json.dumps(deployment.domain))
    if reading.name in SERVICE_SETTINGS:
        return _own_edit(reading, host, deployment)
    others = [
        one
        for one in all_readings(reading.name, deployment, host_facts)
        if not equal(one, reading) and _location_problem(one, host, deployment, host_facts) is None
    ]
    others.sort(key=lambda one: one.project != reading.project)
    if not others:
        return None
    own, other = deployment.host(host.name), deployment.host(others[0].host)
    return copy_setting(reading, others[0]._replace(text=others[0].text.replace(other.address, own.address)))


def _not_listening(
    reading: SettingReading, text: str, name: str, port: int, host: HostView, sockets: Sockets | Missing
) -> CaseMessage | None:
    """Return the case of an address on which the service does not listen; None if it does, or nothing listens."""
    listeners = () if isinstance(sockets, Missing) else sockets.on(port)
    targets = ("127.0.0.1",) if name == "localhost" else host.names.of(name)
    if not listeners or any(
        listener.covers(target) is not False for listener in listeners for target in targets
    ):
        return None
    shown = ", ".join(f"{listener.address}:{port}" for listener in listeners)
    return _problem(
        "not-listening", reading, text, msg("the service listens on {addresses}", addresses=shown)
    )


def _hosts_behind(host: HostView, name: str, deployment: Deployment, host_facts: HostLookup) -> list[str]:
    hosts = addresses(host, name, deployment)
    return hosts_at(hosts, deployment, host_facts) if hosts else []


def _problem(kind: str, reading: SettingReading, text: str, reason: Message) -> CaseMessage:
    evidence = msg(
        "{where}: {name} = {text}; {reason}", where=reading.where, name=reading.name, text=text, reason=reason
    )
    message = _case_of(kind, evidence, reading, text)
    return about(message, f"setting:{reading.name}", f"domain:{location_host(text)}")


def _case_of(kind: str, evidence: Message, reading: SettingReading, text: str) -> CaseMessage:
    if kind == "other-domain":
        return case("other-domain", evidence, key=reading.name, projects=reading.project, value=text)
    if kind == "other-host":
        return case("other-host", evidence, key=reading.name, projects=reading.project, value=text)
    if kind == "not-listening":
        return case("not-listening", evidence, key=reading.name, projects=reading.project, value=text)
    if kind == "unresolved":
        return case("unresolved", evidence, key=reading.name, projects=reading.project, value=text)
    return case("other-port", evidence, key=reading.name, projects=reading.project, value=text)
