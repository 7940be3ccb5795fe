"""FAQ: how to make sure that PaaS is deployed well: the domain, and healthz read as the software means it."""

import re

from bkpaas.checks import (
    BEHIND_THE_DOMAIN,
    RESOLVER_SILENT,
    Answer,
    CaseMessage,
    ControllerView,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    HttpName,
    Message,
    NoData,
    NotApplicable,
    Subject,
    as_paas_hosts,
    case,
    condition,
    connection_case,
    domain_healthz_paths,
    edit_of,
    health,
    host_time,
    hosts_with_module,
    labelled,
    mentions,
    msg,
    nginx_addresses,
    no_answer,
    require_project,
    seconds,
    without_nameservers,
)

LOCAL_SOURCES = frozenset(("files", "myhostname"))
"""Sources of names that ask no server."""


@condition("domain-resolve")
def test_domain_resolves_to_nginx(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The PaaS domain resolves on this host, and only to nginx hosts of the inventory or their virtual address."""
    resolved = host.names.get(deployment.domain)
    if resolved is None:
        raise NoData(msg("the name was not resolved"))
    sources = host.names.sources
    assert resolved.addresses or not sources or not LOCAL_SOURCES.issuperset(sources), case(
        "no-dns",
        "{domain} does not resolve: {error}; the hosts line of /etc/nsswitch.conf has only {sources}",
        domain=deployment.domain,
        error=resolved.error,
        sources=" ".join(sources),
    )
    assert resolved.error != RESOLVER_SILENT, case(
        "silent", "{domain}: the resolver did not answer in time", domain=deployment.domain
    )
    assert resolved.addresses, case(
        "unresolved", "{domain} does not resolve: {error}", domain=deployment.domain, error=resolved.error
    )
    right = nginx_addresses(host, deployment, host_facts)
    finding.add_evidence(f"{deployment.domain} -> {', '.join(resolved.addresses)}")
    unexpected = [address for address in resolved.addresses if address not in right]
    assert not unexpected or not right, case(
        "wrong-address",
        "{domain} resolves to {addresses}, which is not an nginx host of the inventory ({expected})",
        domain=deployment.domain,
        addresses=", ".join(unexpected),
        expected=", ".join(sorted(right)),
    )


@condition("resolver-slow")
def test_names_resolve_quickly(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """Each name that was resolved on this host took less than a second."""
    limit = deployment.thresholds.resolve_slow_seconds
    measured = [one for one in host.names.by_name.values() if one.seconds is not None and one.addresses]
    if not measured:
        raise NoData(msg("no name resolves on this host, so no time was measured"))
    slowest = max(measured, key=lambda one: one.seconds or 0.0)
    text = msg(
        "{name}: {seconds:.1f} s (limit {limit} s)", name=slowest.name, seconds=slowest.seconds, limit=limit
    )
    finding.add_evidence(text)
    answers = host.names.nameservers
    silent = [
        server
        for server, one in answers.items()
        if not one.addresses and not str(one.error).startswith("rcode")
    ]
    some = len(silent) < len(answers)
    finding.set_remedy_values(edit=edit_of([without_nameservers(silent) if some else None], host.name))
    slow, shown = (slowest.seconds or 0.0) > limit, f"{slowest.seconds:.0f}"
    servers = ", ".join(silent)
    with_servers = msg("{time}; no answer from {servers}", time=text, servers=servers)
    assert not (slow and silent and some), case("nameserver", with_servers, servers=servers, seconds=shown)
    assert not slow, case("slow", text, seconds=shown)


HEADLINE_CHARACTERS = 100
QUERIED_BY_HEALTHZ = {"esb": ("cmdb", "fta", "job"), "appengine": ("appo", "appt")}
"""Roles whose hosts a service's healthz queries, in addition to those of every request."""


def _check_healthz(
    service: str, vantage: HostView | ControllerView, deployment: Deployment, finding: Finding
) -> None:
    answer, problem = _read_healthz(service, vantage, deployment, finding)
    assert not problem, _unhealthy(answer, problem)


def _read_healthz(
    service: str, vantage: HostView | ControllerView, deployment: Deployment, finding: Finding
) -> tuple[Answer, Message | str]:
    """Return the answer and what the service says is wrong; empty if nothing is."""
    if isinstance(vantage, ControllerView) and service not in domain_healthz_paths(deployment):
        raise NotApplicable(
            msg("on 6.x the healthz of {service} is not reachable through the domain", service=service)
        )
    if isinstance(vantage, HostView):
        require_project(vantage, service, deployment)
    answer = vantage.answers.get(HttpName.HEALTHZ, service)
    finding.set_remedy_values(url=answer.url)
    finding.depends_on_hosts(
        entry.name
        for entry in deployment.hosts_with(*BEHIND_THE_DOMAIN, *QUERIED_BY_HEALTHZ.get(service, ()))
    )
    if not answer.ok:
        raise AssertionError(_without_answer(answer))
    service_health = health(service, answer)
    if not service_health.healthy:
        _excused(service, service_health.message, deployment)
    if service == "appengine" and not mentions(service_health.message, "paasagent"):
        finding.affects_services([service])  # it asks the database first, and has not come to the agents
    if not service_health.healthy:
        finding.names_components("setting", _named_settings(service_health.message))
    finding.add_evidence(f"{answer.url}: HTTP {answer.status}")
    return answer, "" if service_health.healthy else service_health.message or "?"


SETTING_OF_SYSTEM = {"BK_LOGIN": "HOST_BK_LOGIN", "CC": "HOST_CC", "JOB": "HOST_JOB", "FTA": "HOST_FTA"}
"""The setting of ESB with the address of a system that its healthz calls."""
_SYSTEM = re.compile(r"third-party system \[(\w+)\]|系统 (\w+) 接口|System (\w+) interface")
_HOST = re.compile(r"\bname=(login_host|engine_host)\b")
_EMPTY = re.compile(r"settings 配置中 (\w+) 不能为空|缺失对应配置: ((?:\w+, )*\w+)")


def _named_settings(message: Message | str) -> list[str]:
    """Return the settings that a healthz names as missing, or whose address does not answer.

    Source: healthz of paas and esb, and ComponentClient of esb.
    """
    text = message.render("en") if isinstance(message, Message) else message
    if match := _SYSTEM.search(text):
        system = match[1] or match[2] or match[3]
        return [SETTING_OF_SYSTEM[system]] if system in SETTING_OF_SYSTEM else []
    if match := _HOST.search(text):
        return [match[1].upper()]
    match = _EMPTY.search(text)
    return (match[1] or match[2]).split(", ") if match else []


_CODE = re.compile(r"\b13\d{5}\b")
_REDIS = re.compile(r"\b1301004\b|Redis connection")
"""What paas and ESB of 6.x say of redis."""


def _is_about_redis(message: Message | str) -> bool:
    """Return whether redis is the only dependency that a healthz of 6.x complains of. Source: paas and esb."""
    text = message.render("en") if isinstance(message, Message) else message
    return bool(_REDIS.search(text)) and not _CODE.search(_REDIS.sub("", text))


def _of_redis(answer: Answer, problem: Message | str) -> CaseMessage:
    return case("redis", _words(answer, problem), problem=_in_a_headline(problem))


def _unhealthy(answer: Answer, problem: Message | str) -> CaseMessage:
    return case("unhealthy", _words(answer, problem), problem=_in_a_headline(problem))


def _words(answer: Answer, problem: Message | str) -> Message:
    return msg("{url}: HTTP {status}: {message}", url=answer.url, status=answer.status, message=problem)


def _waits_for_login(message: Message | str) -> bool:
    """Return whether paas asked login's page and waited too long: on 6.x it asks ESB, which asks usermgr."""
    return mentions(message, "name=login_host") and mentions(message, "Read timed out")


USERMGR_HANGS_SECONDS = 5.0
"""A usermgr that is stopped refuses ESB immediately; one that hangs lets it wait until its own limit."""
COLD_SECONDS = 180
"""A worker of ESB needs up to 11 s for its first call, and every worker has one."""


def _check_warm(deployment: Deployment, host_facts: HostLookup, message: Message | str) -> None:
    """Raise NoData where ESB or login was started a moment ago: login's page is slow until their workers are warm."""
    for entry in deployment.selected("paas"):
        host = host_facts(entry.name)
        for run in (host.services.run("esb"), host.services.run("login")):
            if run.since is not None and 0 <= host_time(host) - run.since < COLD_SECONDS:
                raise NoData(
                    msg(
                        "{service} on {host} was started {seconds} s ago, and its first calls are slow: check again in {wait} s ({message})",
                        service=run.name,
                        host=host.name,
                        seconds=round(host_time(host) - run.since),
                        wait=COLD_SECONDS,
                        message=message,
                    )
                )


def _in_a_headline(message: Message | str) -> Message | str:
    """Return what a service reports, short enough for a headline; the evidence has all of it."""
    if isinstance(message, Message):
        return message
    text = " ".join(message.split())
    return text if len(text) <= HEADLINE_CHARACTERS else f"{text[:HEADLINE_CHARACTERS].rstrip()} ..."


def _without_answer(answer: Answer) -> CaseMessage:
    problem = no_answer(answer.error_kind)
    if answer.error_kind == "silent":
        return case(
            "dependency-hangs",
            "{url}: {problem}: one of its dependencies hangs",
            url=answer.url,
            problem=problem,
        )
    return connection_case(answer.error_kind, labelled(answer.url, problem), url=answer.url)


def _excused(service: str, message: Message | str, deployment: Deployment) -> None:
    """Return the dependencies that the software reports although the site does not have them."""
    if service == "esb" and mentions(message, "FTA") and not deployment.hosts_with("fta"):
        raise NotApplicable(
            msg(
                "esb requires FTA, which this site does not have; everything that it checks before passes: {message}",
                message=message,
            )
        )
    if (
        service == "esb"
        and (mentions(message, "HOST_CC") or mentions(message, " CC "))
        and not deployment.hosts_with("cmdb")
    ):
        raise NotApplicable(
            msg(
                "esb requires CC, which this site does not have; everything that it checks before passes: {message}",
                message=message,
            )
        )
    if (
        service == "appengine"
        and mentions(message, "not registered")
        and not deployment.hosts_with("appo", "appt")
    ):
        raise NotApplicable(msg("the inventory has no appo or appt host: {message}", message=message))


@condition("healthz-paas")
def test_healthz_of_paas(
    vantage: HostView | ControllerView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The developer center finds its settings, the database, appengine and login."""
    answer, problem = _read_healthz("paas", vantage, deployment, finding)
    slow = deployment.generation == "6.x" and _waits_for_login(problem)
    if slow:
        _check_warm(deployment, host_facts, problem)
    assert not slow, case("login-page-slow", _words(answer, problem), url=answer.url)
    assert not _is_about_redis(problem), _of_redis(answer, problem)
    assert not problem, _unhealthy(answer, problem)


@condition("healthz-login")
def test_healthz_of_login(
    vantage: HostView | ControllerView, deployment: Deployment, finding: Finding
) -> None:
    """Login finds its settings and the database; it answers 200 when it does not."""
    _check_healthz("login", vantage, deployment, finding)


@condition("healthz-esb")
def test_healthz_of_esb(
    vantage: HostView | ControllerView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """ESB finds its settings, the database, login, CC and FTA; its code is the same when it does not."""
    if isinstance(vantage, ControllerView):
        deployment = as_paas_hosts(deployment, host_facts)
    answer, problem = _read_healthz("esb", vantage, deployment, finding)
    of_usermgr = mentions(problem, "[USERMANAGE]")
    waited = answer.seconds or 0.0
    assert not of_usermgr or waited < USERMGR_HANGS_SECONDS, case(
        "usermgr-hangs", _words(answer, problem), time=seconds(waited)
    )
    assert not of_usermgr, case("usermgr", _words(answer, problem), url=answer.url)
    assert not _is_about_redis(problem), _of_redis(answer, problem)
    assert not problem, _unhealthy(answer, problem)


@condition("healthz-console")
def test_healthz_of_console(
    vantage: HostView | ControllerView,
    subject: Subject,
    deployment: Deployment,
    host_facts: HostLookup,
    finding: Finding,
) -> None:
    """The desktop is well, where there is one: CE 5.x has none, its path then ends at the developer center."""
    if not _has_console(deployment, host_facts):
        raise NotApplicable(msg("no paas host has a console service"))
    _check_healthz("console", vantage, deployment, finding)


def _has_console(deployment: Deployment, host_facts: HostLookup) -> bool:
    return bool(hosts_with_module("console", deployment, host_facts))


@condition("healthz-appengine")
def test_healthz_of_appengine(
    vantage: HostView | ControllerView, deployment: Deployment, finding: Finding
) -> None:
    """appengine finds the database and every registered paas_agent."""
    _check_healthz("appengine", vantage, deployment, finding)
