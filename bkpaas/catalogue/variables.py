"""Remedy variables: the real paths, addresses, ports and commands of a host, and how they are rendered."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from os.path import dirname
from shlex import quote

from bkpaas.catalogue.model import Text
from bkpaas.catalogue.scope import Subject
from bkpaas.facts import HostFacts, Missing, Nginx, Process, Snapshot
from bkpaas.facts.managers import manager_of
from bkpaas.inventory.deployment import DEFAULT_PORTS, Connection, Deployment
from bkpaas.inventory.platform import (
    INSTALL_ROOTS,
    OPEN_PAAS_SERVICES,
    container_of_service,
    unit_of_service,
)
from bkpaas.language import Language
from bkpaas.messages import Message

_DEFAULT_INSTALL_ROOT = INSTALL_ROOTS[0]
VARIABLES = frozenset({
    "host", "address", "login", "home", "conf", "sock", "supervisorctl", "supervisord", "domain", "domain_port",
    "agent_port", "paas_agent_port", "nginx", "service", "ports", "pids", "url", "off", "first", "second",
    "agent_supervisorctl", "source", "source_address", "target", "target_address", "database", "database_port",
    "no_proxy", "zone", "virtual", "disk", "port", "urls", "service_logs", "nginx_folder", "error_logs", "site",
    "domain_address", "cookie_domain", "es_url", "es_host", "redis_host", "redis_port", "list", "file", "units",
    "proposed", "containers", "copies", "values", "edit", "account", "main",
})  # fmt: skip
"""What a remedy or a headline may use."""
_TITLE = "nginx: master process "
"""What nginx puts before its command line."""


class _Variables(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return name.upper()


def render(
    text: Text,
    subject: Subject,
    deployment: Deployment,
    snapshot: Snapshot,
    parameters: Mapping[str, Message | str],
    language: Language,
) -> str:
    """Return a remedy or headline in one language; a variable without a value becomes its name in capitals.

    parameters: values of the check that failed; they take precedence.
    """
    values = _Variables(
        domain=deployment.domain,
        domain_port=str(deployment.port),
        agent_port=str(deployment.service_port("agent_nginx")),
        paas_agent_port=str(deployment.service_port("paas_agent")),
        site=_site(deployment),
        cookie_domain=deployment.cookie_domain or deployment.domain.partition(".")[2] or deployment.domain,
        domain_address=", ".join(_addresses_of_the_domain(deployment)) or "NGINX_ADDRESS",
        **_below(deployment.install_root or _DEFAULT_INSTALL_ROOT),
    )
    if subject.hosts:
        values.update(_of_host(subject.hosts[0], deployment, snapshot.hosts.get(subject.hosts[0])))
        values.update(_of_link(subject, deployment))
    for name, value in parameters.items():
        values[name] = value.render(language) if isinstance(value, Message) else value
    values["service_logs"] = " ".join(
        f"{values['home']}/logs/open_paas/{service}_uwsgi.log" for service in values["service"].split()
    )
    if deployment.generation == "5.x":
        return text.in_(language).format_map(values)
    managers = {manager_of(snapshot.hosts[name]) for name in subject.hosts if name in snapshot.hosts}
    managers = managers - {None} or {manager_of(facts) for facts in snapshot.hosts.values()}
    if managers - {None} == {"supervisord"}:  # a host that the upgrade has not reached
        return text.in_(language).format_map(values)
    values["supervisorctl"] = values["agent_supervisorctl"] = _MARK
    return _without_supervisorctl(text.in_(language).format_map(values), "docker" in managers)


_MARK = "\0supervisorctl"
"""Replaces supervisorctl on a host without it."""
_COMMAND = re.compile(rf"{_MARK} (?P<verb>start|restart|stop)(?P<services>(?: [a-z_]+)+)")


def _without_supervisorctl(text: str, docker: bool) -> str:
    """Return a text whose commands of supervisorctl are those of systemctl, or of docker for open_paas."""

    def command(match: re.Match[str]) -> str:
        services = match["services"].split()
        if docker and set(services) <= set(OPEN_PAAS_SERVICES):
            return f"docker {match['verb']} {' '.join(map(container_of_service, services))}"
        return f"systemctl {match['verb']} {' '.join(map(unit_of_service, services))}"

    status = "docker ps -a --filter name=bk-paas" if docker else "systemctl list-units --all 'bk-paas*'"
    return _COMMAND.sub(command, text).replace(f"{_MARK} status", status)


def _site(deployment: Deployment) -> str:
    usual = {"http": 80, "https": 443}[deployment.scheme]
    port = "" if deployment.port == usual else f":{deployment.port}"
    return f"{deployment.scheme}://{deployment.domain}{port}"


def _addresses_of_the_domain(deployment: Deployment) -> tuple[str, ...]:
    """Return the addresses that the domain should resolve to."""
    return deployment.virtual_addresses or tuple(host.address for host in deployment.hosts_with("nginx"))


def render_usual(text: str) -> str:
    """Replace the variables of a remedy by the usual paths and ports, others by their names in capitals."""
    values = _Variables(
        domain="PAAS_DOMAIN",
        domain_port="DOMAIN_PORT",
        site="http://PAAS_DOMAIN",
        cookie_domain="COMMON_DOMAIN",
        domain_address="NGINX_ADDRESS",
        agent_port=str(DEFAULT_PORTS["agent_nginx"]),
        paas_agent_port=str(DEFAULT_PORTS["paas_agent"]),
        login="ssh -v USER@ADDRESS",
        port=str(DEFAULT_PORTS["login"]),
        ports="8000|8001|8002|8003",
        off="HOST_THAT_IS_OFF",
        first="PAAS_1",
        second="PAAS_2",
        source="SOURCE_HOST",
        target="TARGET_HOST",
        database="DATABASE_HOST",
        zone="TIME_ZONE",
        edit="cp -p FILE FILE.bak && printf '\\n%s\\n' 'NAME = VALUE' >> FILE",
        routes="ip route show type TYPE match ADDRESS | tail -n 1 | xargs -r ip route del",
        main="/etc/nginx/nginx.conf",
        **_below(_DEFAULT_INSTALL_ROOT),
    )
    return text.format_map(values)


def _of_host(name: str, deployment: Deployment, facts: HostFacts | None) -> dict[str, str]:
    host = deployment.host(name)
    values = {"host": name, "address": host.address, "login": login_command(host.connection)}
    install_root = deployment.install_root
    if facts is not None and not isinstance(facts.system, Missing):
        install_root = facts.system.install_root or install_root
    values |= _below(install_root or _DEFAULT_INSTALL_ROOT)
    if facts is not None and not isinstance(facts.processes, Missing):
        values |= _of_nginx(facts.processes.nginx_masters())
    if facts is not None and isinstance(facts.nginx, Nginx):
        files = [upstream.file for upstream in facts.nginx.upstreams if upstream.name.startswith("OPEN_PAAS")]
        if files:
            values["nginx_folder"] = quote(dirname(files[0]))
        if facts.nginx.error_logs:
            values["error_logs"] = " ".join(map(quote, facts.nginx.error_logs))
    return values


def _of_nginx(masters: tuple[Process, ...]) -> dict[str, str]:
    """Return the nginx that runs, with its -c and -p: another nginx may be first in PATH."""
    if not masters:
        return {}
    argv = masters[0].argv
    args = argv[0].removeprefix(_TITLE).split() if len(argv) == 1 else argv
    program = (masters[0].exe or "nginx").removesuffix(" (deleted)")
    options = [pair for pair in itertools.pairwise(args) if pair[0] in ("-c", "-p")]
    return {"nginx": " ".join((quote(program), *(f"{option} {quote(value)}" for option, value in options)))}


def login_command(connection: Connection) -> str:
    """Return the command that logs in as the suite does."""
    scheme, _, rest = connection.spec.partition("://")
    if scheme in ("docker", "podman"):
        user, at, name = rest.rpartition("@")
        return f"{scheme} exec " + (f"-u {user} " if at else "") + name
    if scheme == "local":
        return "sh -c"
    if scheme != "ssh":
        return f"# {connection.spec}:"
    destination, _, port = rest.partition(":")
    options = (
        ("-F", connection.ssh_config),
        ("-o", connection.known_hosts and f"UserKnownHostsFile={connection.known_hosts}"),
        ("-i", connection.key),
        ("-J", connection.bastion),
        ("-p", port),
    )
    return " ".join(
        ("ssh -v", *(f"{option} {quote(value)}" for option, value in options if value), destination)
    )


def _below(install_root: str) -> dict[str, str]:
    """Return the paths below the install root, and usual values for what a host may override."""
    conf = f"{install_root}/etc/supervisor-open_paas.conf"
    binary = f"{install_root}/.envs/open_paas/bin"
    return {
        "home": install_root,
        "conf": conf,
        "sock": f"{install_root}/logs/open_paas/supervisor.sock",
        "supervisorctl": f"{binary}/python {binary}/supervisorctl -c {conf}",
        "supervisord": f"{binary}/python {binary}/supervisord -c {conf}",
        "agent_supervisorctl": f"{install_root}/.envs/paas_agent/bin/supervisorctl "
        f"-c {install_root}/etc/supervisor-paas_agent.conf",
        "disk": install_root,
        "service": "SERVICE",
        "service_logs": f"{install_root}/logs/open_paas/SERVICE_uwsgi.log",
        "nginx": "nginx",
        "nginx_folder": f"{install_root}/etc/nginx",
        "error_logs": f"{install_root}/logs/nginx/*error*.log /var/log/nginx/*error*.log",
    }


def _of_link(subject: Subject, deployment: Deployment) -> dict[str, str]:
    if len(subject.hosts) < 2:
        return {}
    first, second = (deployment.host(name) for name in subject.hosts)
    return {
        "source": first.name,
        "source_address": first.address,
        "target": second.name,
        "target_address": second.address,
        "first": first.name,
        "second": second.name,
    }
