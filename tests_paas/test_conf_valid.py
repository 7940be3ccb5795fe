"""The files of supervisord, uwsgi and nginx are ones that the program accepts at its next start."""

from collections.abc import Mapping

from bkpaas.checks import (
    UPSTREAM_SERVICES,
    Deployment,
    Finding,
    HostView,
    HttpName,
    Message,
    Missing,
    NoData,
    NotApplicable,
    Service,
    case,
    clauses,
    condition,
    conf_edits,
    control_of,
    edit_of,
    lines,
    msg,
    nginx_edit_of,
    require_supervisord,
    series,
)


@condition("supervisor-conf-valid")
def test_supervisor_files_are_valid(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """Each supervisor configuration and what it includes is one that supervisord accepts at its next start."""
    require_supervisord(host, deployment)
    wrong: list[Message | str] = []
    unread: list[Message] = []
    there = [one for one in host.supervisors.by_module.values() if one.conf.exists]
    for supervisor in there:
        finding.add_evidence(supervisor.conf.path)
        problems = list(supervisor.conf_refused)
        if supervisor.conf_error:
            reason = supervisor.conf_error
            problems.insert(0, msg("{path}: {reason}", path=supervisor.conf.path, reason=reason))
        if supervisor.conf.error is not None:
            unread.append(msg("{path}: {reason}", path=supervisor.conf.path, reason=supervisor.conf.error))
        else:
            wrong += problems
    if not there:
        raise NotApplicable(msg("there is no supervisor configuration here"))
    paths = sorted({one.conf.path for one in there if one.conf_error or one.conf_refused})
    finding.set_remedy_values(edit=edit_of(conf_edits(wrong), host.name))
    if paths and (control := control_of(host, paths[0])):
        finding.set_remedy_values(supervisorctl=control)
    assert not wrong, case(
        "invalid",
        lines(wrong),
        paths=series(paths),
    )
    if unread:
        raise NoData(lines(unread))


@condition("uwsgi-conf-valid")
def test_uwsgi_files_are_valid(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """Each uwsgi file of a service parses, binds one address, names its application, and gives requests time."""
    services = {name: one for name, one in host.services.by_name.items() if one.by_uwsgi}
    if not services:
        raise NotApplicable(msg("gunicorn runs the services here"))
    finding.add_evidence(", ".join(one.ini.path for one in services.values()))
    unread = [one.ini.path for one in services.values() if one.ini.error is not None]
    wrong = {name: one for name, one in services.items() if one.invalid and one.ini.error is None}
    finding.affects_services(wrong)
    finding.set_remedy_values(service=" ".join(sorted(wrong)) or "SERVICE")
    texts = [
        msg("{path}: {reason}", path=one.ini.path, reason=problem)
        for one in wrong.values()
        for problem in one.invalid
    ]
    finding.set_remedy_values(edit=edit_of(conf_edits(texts), host.name))
    assert not wrong, case(
        "invalid", lines(texts), paths=series(sorted(one.ini.path for one in wrong.values()))
    )
    least = deployment.thresholds.answer_seconds
    short = {
        name: f"{option} = {seconds}"
        for name, one in services.items()
        for option, seconds in one.time_limits
        if 0 < seconds < least
    }
    finding.affects_services(short)
    finding.set_remedy_values(service=" ".join(sorted(short)) or "SERVICE")
    assert not short, case(
        "short-limit",
        "{services}: {limits} (limit {least} s): uwsgi kills the worker, with all its requests",
        limits=", ".join(f"{services[name].ini.path}: {text}" for name, text in sorted(short.items())),
        least=f"{least:g}",
        services=series(sorted(short)),
    )
    _require_room_for_headers(host, services, finding)
    if unread:
        raise NoData(msg("not read: {paths}", paths=", ".join(unread)))


LEAST_HEADER = 4096
"""Bytes: what uwsgi takes where the file has no buffer-size."""


def _require_room_for_headers(host: HostView, services: Mapping[str, Service], finding: Finding) -> None:
    """Assert that the services accept a request with the headers of a browser."""
    small = {
        name: msg("{path}: buffer-size = {size}", path=one.ini.path, size=one.header_bytes)
        for name, one in services.items()
        if 0 < (one.header_bytes or 0) < LEAST_HEADER
    }
    finding.affects_services(small)
    finding.set_remedy_values(service=" ".join(sorted(small)) or "SERVICE")
    assert not small, case(
        "small-headers",
        "{services}: {found} (limit {limit} bytes): uwsgi closes the connection of a larger request",
        found=clauses(small.values()),
        limit=LEAST_HEADER,
        services=series(sorted(small)),
    )
    if _refuses_large(host):
        finding.affects_services(["login"])
        finding.set_remedy_values(service="login")
        raise AssertionError(
            case(
                "large-refused",
                "login answers a short request, and closes the connection of one with a header of 3,000 bytes",
            )
        )


def _refuses_large(host: HostView) -> bool:
    """Return whether login closes the connection of a large request of its own host, and answers a short one."""
    small, large = host.answers.get(HttpName.SERVICE, "login"), host.answers.get(HttpName.LARGE)
    return small.ok and large.error_kind in ("empty", "reset")


def _unresolved(host: HostView) -> list[str]:
    """Return the names without which nginx refuses its files, but for those of open_paas's upstreams."""
    if isinstance(host.facts.names, Missing):
        return []
    own = {
        server.address
        for upstream in host.nginx.upstreams
        if upstream.name in UPSTREAM_SERVICES
        for server in upstream.servers
    }
    resolved = [host.names.get(name) for name in host.nginx.needed_names() if name not in own]
    return [one.name for one in resolved if one is not None and not one.addresses]


@condition("nginx-conf-valid")
def test_nginx_files_are_valid(host: HostView, finding: Finding) -> None:
    """The files of nginx are ones that nginx accepts at its next start or reload."""
    nginx = host.nginx
    if nginx.main is None:
        raise NotApplicable(msg("no nginx configuration was found"))
    finding.set_remedy_values(main=nginx.main)
    finding.add_evidence(f"{nginx.main}: {len(nginx.files)} files")
    unread = [file.path for file in nginx.files if file.error is not None]
    every = {str(one): one for one in (*nginx.syntax, *nginx.problems)}
    wrong = [one for text, one in every.items() if not any(path in text for path in unread)]
    finding.set_remedy_values(edit=nginx_edit_of(conf_edits(wrong), host))
    assert not wrong, case("invalid", lines(wrong[:10]), main=nginx.main)
    unresolved = _unresolved(host)
    assert not unresolved, case(
        "unresolved",
        msg("not resolved on {host}: {names}", host=host.name, names=series(unresolved)),
        main=nginx.main,
    )
    if unread:
        raise NoData(msg("not read: {paths}", paths=", ".join(unread[:5])))
