"""What each host is asked: a first visit by its roles, a second one by what the first visits found.

A plan is the JSON that collector.py reads; its parts are described there. Every request is a GET that changes
nothing, redis is told AUTH, SELECT, PING, TYPE and LLEN and nothing else, a database gets a login and COM_QUIT and
no statement, every path is only read.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from bkpaas.errors import NoData
from bkpaas.facts import HostFacts, Missing, Nginx, Place, RedisTarget, database, places
from bkpaas.facts.agent import MOST_SOCKETS
from bkpaas.facts.elasticsearch import INDEX
from bkpaas.facts.elasticsearch import PREFIX as SEARCH
from bkpaas.facts.redis import PREFIX as REDIS
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.lang import many, say

Plan = dict[str, Any]

HOMES = ("/data/bkce", "/data/bkee")
OPEN_PAAS = ("appengine", "paas", "esb", "login")

# Paths that answer without a token and without side effects. GET /login/ with a cookie would log a session out;
# none is ever sent.
SERVICE_PATHS = {"appengine": "/", "paas": "/", "esb": "/", "login": "/accounts/is_login/"}
HEALTHZ_PATHS = {
    "appengine": "/v1/healthz/",
    "paas": "/healthz/",
    "esb": "/healthz/",
    "login": "/healthz/",
    "console": "/console/healthz/",
}
DOMAIN_HEALTHZ_PATHS = {
    "appengine": "/v1/healthz/",
    "paas": "/healthz/",
    "esb": "/api/healthz/",
    "login": "/login/healthz/",
    "console": "/console/healthz/",
}

# Login's own answer to a request without a token: it asks no database, and proves that login was reached.
IS_LOGIN = "/login/accounts/is_login/"
IS_LOGIN_V2 = "/login/api/v2/is_login/"
IS_LOGIN_ESB = "/c/compapi/v2/bk_login/is_login/"
# Sends whoever is not logged in to the login form.
PLATFORM = "/platform/"

_SETTINGS = {
    "login": ("open_paas/login/conf/default.py", "open_paas/login/conf/settings_production.py"),
    "paas": ("open_paas/paas/conf/default.py", "open_paas/paas/conf/settings_production.py"),
    "esb": ("open_paas/esb/configs/default.py",),
    "appengine": ("open_paas/appengine/controller/settings.py",),
    "console": ("open_paas/console/conf/default.py", "open_paas/console/conf/settings_production.py"),
}

NEED_LOGIN = ("nginx", "paas", "appo", "appt", "cmdb", "job")
"""Roles whose programs ask login through the domain whether a user is logged in."""

_PROXY_FILES = (
    "/etc/environment",
    "/etc/profile",
    "/etc/profile.d/*.sh",
    "/root/.bashrc",
    "/root/.bash_profile",
    "/root/.profile",
    "/root/.curlrc",
    "/root/.wgetrc",
)
_VERSIONS = (
    ("version-system", "/etc/os-release"),
    ("version-system", "/etc/redhat-release"),
    ("version-module", "{home}/*/VERSION"),
    ("version-module", "{home}/open_paas/*/VERSION"),
)
_PACKAGES = ("Django", "uWSGI", "gunicorn", "supervisor", "celery")
"""Whose versions the names of their directories in the virtual environments tell."""
_VERSION_BYTES = 4096

_DATA = {
    "mysql": ("/var/lib/mysql", "{home}/public/mysql"),
    "redis": ("/var/lib/redis", "{home}/public/redis"),
    "rabbitmq": ("/var/lib/rabbitmq", "{home}/public/rabbitmq"),
    "es": ("/var/lib/elasticsearch", "{home}/public/es", "{home}/service/es"),
    "nginx": ("/var/log/nginx",),
    "appo": ("{home}/paas_agent",),
    "appt": ("{home}/paas_agent",),
}
LOG_PLUGINS = ("paas", "appo", "appt")
"""Roles whose hosts have log_agent or log_parser."""

_SEARCH = {"root": "/", "health": "/_cluster/health?master_timeout=5s"}
_MOST_SERVERS = 5
_MOST_KEYS = 8
_MOST_PIDS = 20
QUEUE_SECONDS = 3.0
"""How much later a long list is asked for once more."""

_PROXY_VARIABLES = ["http_proxy", "https_proxy", "no_proxy", "all_proxy"]
_ENVIRON = [*_PROXY_VARIABLES, *(name.upper() for name in _PROXY_VARIABLES), "TZ", "BK_ENV"]

_YOUNG_SECONDS = 10
"""A program that started so recently is looked at again a little later: does it keep its pid?"""
_STEADY_SECONDS = 4.0
"""How much later: longer than supervisor's start retries are apart."""


def first(host: Host, deployment: Deployment) -> Plan:
    """What a host is asked before anything is known of it."""
    limits = deployment.limits
    plan: Plan = {
        "visit": 1,
        "homes": [deployment.home] if deployment.home else list(HOMES),
        "seconds": limits.host_seconds / 2,
        "bytes": limits.answer_bytes,
        "processes": {"environ": _ENVIRON, "cmdline_bytes": 8192},
        "sockets": True,
        "addresses": True,
        "disks": ["/", "{home}", "{home}/logs", *_data_places(host)],
        "time_daemon": {"seconds": limits.command_seconds},
        "resolve": [
            {"name": name, "seconds": limits.resolve_seconds}
            for name in dict.fromkeys((deployment.domain, *deployment.fqdns.values()))
        ],
        "files": [],
        "tails": [],
        "supervisor": [],
    }
    plan["files"].append({"name": "timesyncd", "path": "/run/systemd/timesync/synchronized", "read": 0})
    for order, path in enumerate(_PROXY_FILES, 1):
        _file(plan, deployment, f"proxy-{order}", path)
    _ask_versions(plan, host)
    if host.has(*LOG_PLUGINS):
        _ask_log_plugins(plan, deployment)
    if host.has("paas"):
        _ask_paas(plan, deployment)
    if host.has("nginx", "appo", "appt"):
        plan["nginx"] = {
            "confs": [
                "/etc/nginx/nginx.conf",
                "/usr/local/openresty/nginx/conf/nginx.conf",
                "/usr/local/nginx/conf/nginx.conf",
            ],
            "most": 200,
            "bytes": limits.file_bytes,
        }
    if host.has("nginx"):
        _tail(plan, deployment, "nginx-error-log", "{home}/logs/nginx/*error*.log", most=8)
        _tail(plan, deployment, "nginx-error-log", "/var/log/nginx/*error*.log", most=8)
    if host.has("appo", "appt"):
        _ask_agent(plan, deployment)
    return plan


def _data_places(host: Host) -> list[str]:
    """Where the data of a host's roles may lie on file systems of their own; those that are not there do not matter."""
    return [place for role, places in _DATA.items() if host.has(role) for place in places]


def _ask_paas(plan: Plan, deployment: Deployment) -> None:
    _ask_supervisor(plan, deployment, "open_paas")
    _file(plan, deployment, "uwsgi-ini", "{home}/etc/uwsgi-open_paas-*.ini")
    for project, paths in _SETTINGS.items():
        for order, path in enumerate(paths, 1):
            _file(plan, deployment, f"settings-{project}-{order}", "{home}/" + path)
    for service in OPEN_PAAS:
        _tail(plan, deployment, f"uwsgi-log-{service}", f"{{home}}/logs/open_paas/{service}_uwsgi.log")
    for name, path in (
        ("login-manage", "{home}/open_paas/login/manage.py"),
        ("login-python", "{home}/.envs/*login/bin/python"),
        ("login-log-folder", "{home}/logs/open_paas"),
        ("login-logs", "{home}/logs/open_paas/*login*"),
    ):
        plan["files"].append({"name": name, "path": path, "read": 0, "most": 100})
    _tail(plan, deployment, "login-log", "{home}/logs/open_paas/login.log")
    _tail(plan, deployment, "paas-log", "{home}/logs/open_paas/paas.log")
    _tail(plan, deployment, "esb-log", "{home}/logs/open_paas/esb*.log")


def _ask_versions(plan: Plan, host: Host) -> None:
    for name, path in _VERSIONS:
        plan["files"].append({"name": name, "path": path, "read": _VERSION_BYTES, "most": 50})
    if host.has("paas", "appo", "appt"):
        for package in _PACKAGES:
            path = f"{{home}}/.envs/*/lib/python*/site-packages/{package}-[0-9]*"
            plan["files"].append({"name": "version-package", "path": path, "read": 0, "most": 50})


def _ask_log_plugins(plan: Plan, deployment: Deployment) -> None:
    for name, ending in (("agent", "yml"), ("parser", "conf")):
        folder = f"{{home}}/paas_plugins/log_{name}"
        plan["files"].append({"name": f"log-{name}", "path": folder, "read": 0})
        plan["files"].append({"name": f"log-{name}-content", "path": f"{folder}/*", "read": 0})
        _file(plan, deployment, f"log-{name}-conf", f"{folder}/*.{ending}")
        _file(plan, deployment, f"log-{name}-conf", f"{folder}/*/*.{ending}")


def _ask_agent(plan: Plan, deployment: Deployment) -> None:
    _ask_supervisor(plan, deployment, "paas_agent")
    _file(plan, deployment, "agent-config", "{home}/etc/paas_agent_config.yaml")
    _file(plan, deployment, "agent-config", "{home}/paas_agent/paas_agent/etc/paas_agent_config.yaml")
    run = "{home}/paas_agent/apps/projects/*/run"
    for name, ending, read in (("saas-pid", "pid", 100), ("saas-sock", "sock", 0)):
        ask = {"name": name, "path": f"{run}/*.{ending}", "read": read, "most": MOST_SOCKETS}
        plan["files"].append(ask)
    _tail(plan, deployment, "saas-log", "{home}/paas_agent/apps/logs/*/*.log", most=16)


def _ask_supervisor(plan: Plan, deployment: Deployment, module: str) -> None:
    conf = f"{{home}}/etc/supervisor-{module}.conf"
    _file(plan, deployment, "supervisor-conf", conf)
    plan["files"].append(
        {"name": f"supervisor-sock-{module}", "path": f"{{home}}/logs/{module}/supervisor.sock", "read": 0}
    )
    _file(plan, deployment, f"supervisor-pid-{module}", f"{{home}}/logs/{module}/supervisord.pid")
    plan["supervisor"].append({"name": module, "conf": conf, "seconds": deployment.limits.command_seconds})


def _file(plan: Plan, deployment: Deployment, name: str, path: str) -> None:
    plan["files"].append({"name": name, "path": path, "read": deployment.limits.file_bytes, "most": 50})


def _tail(plan: Plan, deployment: Deployment, name: str, path: str, most: int = 4) -> None:
    plan["tails"].append({"name": name, "path": path, "bytes": deployment.limits.log_bytes, "most": most})


def second(
    host: Host,
    deployment: Deployment,
    facts: Mapping[str, HostFacts],
    reveal: Callable[[str], str | None] = lambda digest: None,
) -> Plan | None:
    """What a host is asked when the first visits are over; None when there is nothing.

    reveal: the password that a digest stands for. What contains one is marked `secret`.
    """
    own = facts[host.name]
    plan: Plan = {
        "visit": 2,
        "homes": [deployment.home] if deployment.home else list(HOMES),
        "seconds": deployment.limits.host_seconds / 2,
        "bytes": deployment.limits.answer_bytes,
        "files": [],
        "tails": [],
        "supervisor": [],
        "http": [],
        "tcp": [],
        "resolve": [],
    }
    if host.has("paas"):
        _ask_services(plan, host, deployment, own)
        plan["tcp"] += database.queries(own.settings, deployment.limits.request_seconds, reveal)
        _ask_search(plan, deployment, own, reveal)
        _look_at_supervisor_again(plan, deployment, own)
        _tail(plan, deployment, "uwsgi-log-login", login_access_log(own))
    if host.has("nginx"):
        _ask_paas_hosts(plan, deployment, facts)
        _ask_upstreams(plan, deployment, own)
        _read_more_error_logs(plan, deployment, own)
    if host.has("nginx", "paas"):
        _ask_app_hosts(plan, host, deployment)
    if host.has("appo", "appt"):
        _ask_own_agent(plan, host, deployment, own)
    if host.has(*NEED_LOGIN):
        _get(plan, deployment, "is_login-domain", domain_url(deployment, IS_LOGIN))
        if deployment.scheme == "https":
            _get(plan, deployment, "domain-trusted", domain_url(deployment, IS_LOGIN), own_trust=True)
    if host.has(*LOG_PLUGINS):
        _resolve_log_plugins(plan, deployment, own)
        _ask_redis(plan, deployment, own, reveal)
        _look_at_log_plugins(plan, own)
    asked = ("files", "tails", "supervisor", "http", "tcp", "resolve", "peers")
    return plan if any(plan.get(part) for part in asked) else None


def service_address(
    service: str, host: Host, deployment: Deployment, facts: HostFacts | None
) -> tuple[str, int]:
    """Where a service of a paas host is to be asked: its configured bind, the inventory's where that is silent."""
    address, port = host.address, deployment.service_port(service)
    if facts is not None and not isinstance(facts.services, Missing):
        known = facts.services.by_name.get(service)
        if known is not None and known.bind_port:
            port = known.bind_port
            if known.bind_address not in (None, "0.0.0.0", "::"):
                address = known.bind_address or address
    return address, port


def _ask_services(plan: Plan, host: Host, deployment: Deployment, own: HostFacts) -> None:
    services = list(OPEN_PAAS)
    if not isinstance(own.services, Missing) and "console" in own.services.by_name:
        services.append("console")
    for service in services:
        address, port = service_address(service, host, deployment, own)
        place = f"http://{address}:{port}"
        _get(plan, deployment, f"healthz-{service}", place + HEALTHZ_PATHS[service], healthz=True)
        if service in SERVICE_PATHS:
            _get(plan, deployment, f"answer-{service}", place + SERVICE_PATHS[service])
        if service == "login":
            _get(plan, deployment, "is_login-v2", place + IS_LOGIN_V2)
        if service == "esb":
            _get(plan, deployment, "is_login-esb", place + IS_LOGIN_ESB)


def login_access_log(own: HostFacts) -> str:
    """Where login's uwsgi logs its requests."""
    login = None if isinstance(own.services, Missing) else own.services.by_name.get("login")
    return login.logto if login and login.logto else "{home}/logs/open_paas/login_uwsgi.log"


def _look_at_supervisor_again(plan: Plan, deployment: Deployment, own: HostFacts) -> None:
    if isinstance(own.supervisors, Missing) or "open_paas" not in own.supervisors.by_module:
        return
    supervisor = own.supervisors.by_module["open_paas"]
    plan["supervisor"].append(
        {"name": "open_paas", "conf": supervisor.conf.path, "seconds": deployment.limits.command_seconds}
    )
    if supervisor.socket_path:
        plan["files"].append({"name": "supervisor-sock-open_paas", "path": supervisor.socket_path, "read": 0})
    if supervisor.pidfile_path:
        _file(plan, deployment, "supervisor-pid-open_paas", supervisor.pidfile_path)
    young = [
        program
        for program in supervisor.status or ()
        if program.state != "RUNNING" or (program.uptime_seconds or 0) < _YOUNG_SECONDS
    ]
    if young:
        plan["after"] = _STEADY_SECONDS


def _ask_paas_hosts(plan: Plan, deployment: Deployment, facts: Mapping[str, HostFacts]) -> None:
    for paas in deployment.having("paas"):
        for service in OPEN_PAAS:
            _, port = service_address(service, paas, deployment, facts.get(paas.name))
            address = _as_nginx_sees(paas, deployment, port, facts)
            _get(
                plan, deployment, f"{service}@{paas.name}", f"http://{address}:{port}{SERVICE_PATHS[service]}"
            )


def _as_nginx_sees(paas: Host, deployment: Deployment, port: int, facts: Mapping[str, HostFacts]) -> str:
    """The address under which nginx's own files know a paas host; the inventory's when they do not."""
    own = facts.get(paas.name)
    addresses = {paas.address}
    if own is not None and not isinstance(own.addresses, Missing) and paas.has("nginx"):
        addresses |= set(own.addresses.items)
    for host in deployment.having("nginx"):
        nginx = facts[host.name].nginx if host.name in facts else None
        for server in servers(nginx) if isinstance(nginx, Nginx) else ():
            if server[0] in addresses and server[1] == port:
                return server[0]
    return paas.address


def servers(nginx: Nginx) -> list[tuple[str, int]]:
    """Address and port of every upstream server that nginx speaks HTTP to, each once, those marked down left out."""
    return list(
        dict.fromkeys(
            (server.address, server.port)
            for upstream in nginx.upstreams
            if upstream.http
            for server in upstream.servers
            if server.port is not None and "down" not in server.parameters
        )
    )


def _ask_upstreams(plan: Plan, deployment: Deployment, own: HostFacts) -> None:
    if isinstance(own.nginx, Nginx):
        for address, port in servers(own.nginx):
            _get(plan, deployment, f"upstream-{address}:{port}", f"http://{address}:{port}/")
        seconds = deployment.limits.resolve_seconds
        plan["resolve"] += [{"name": name, "seconds": seconds} for name in _named_servers(own.nginx)]


def _named_servers(nginx: Nginx) -> list[str]:
    """Names that stand for addresses in upstreams."""
    found = (server.address for upstream in nginx.upstreams for server in upstream.servers if server.port)
    return [name for name in dict.fromkeys(found) if re.search("[g-zG-Z]", name)]


def _read_more_error_logs(plan: Plan, deployment: Deployment, own: HostFacts) -> None:
    if isinstance(own.nginx, Nginx):
        for path in own.nginx.error_logs:
            _tail(plan, deployment, "nginx-error-log", path)


def _ask_app_hosts(plan: Plan, host: Host, deployment: Deployment) -> None:
    for app in deployment.having("appo", "appt"):
        port = deployment.service_port("agent_nginx")
        _get(plan, deployment, f"agent-nginx@{app.name}", f"http://{app.address}:{port}/")
        if host.has("paas"):
            port = deployment.service_port("paas_agent")
            _get(plan, deployment, f"agent-healthz@{app.name}", f"http://{app.address}:{port}/healthz")


def _ask_own_agent(plan: Plan, host: Host, deployment: Deployment, own: HostFacts) -> None:
    port = deployment.service_port("agent_nginx")
    _get(plan, deployment, "agent-nginx", f"http://{host.address}:{port}/")
    address, port = host.address, deployment.service_port("paas_agent")
    if not isinstance(own.agent, Missing) and own.agent.config is not None:
        address, port = own.agent.config.ip or address, own.agent.config.port or port
    _get(plan, deployment, "agent-healthz", f"http://{address}:{port}/healthz")


def domain_url(deployment: Deployment, path: str) -> str:
    """A path of the PaaS domain, as a browser would write it."""
    default = {"http": 80, "https": 443}[deployment.scheme]
    port = "" if deployment.port == default else f":{deployment.port}"
    return f"{deployment.scheme}://{deployment.domain}{port}{path}"


def _resolve_log_plugins(plan: Plan, deployment: Deployment, own: HostFacts) -> None:
    if isinstance(own.log_plugins, Missing):
        return
    _resolve(plan, deployment, [target.host for target in redis_targets(own) if target.host])


def _look_at_log_plugins(plan: Plan, own: HostFacts) -> None:
    if not isinstance(own.log_plugins, Missing):
        pids = (*(own.log_plugins.agent.pids or ()), *(own.log_plugins.parser.pids or ()))
        plan["peers"] = list(pids[:_MOST_PIDS])


def redis_targets(own: HostFacts) -> tuple[RedisTarget, ...]:
    """The lists of redis that the plugins of a host write to and read from."""
    if isinstance(own.log_plugins, Missing):
        return ()
    return (*own.log_plugins.agent.targets, *own.log_plugins.parser.targets)


def redis_keys(own: HostFacts, target: RedisTarget) -> list[str]:
    """The lists that are asked about in one conversation with the server of this one, in their order."""
    same = (one for one in redis_targets(own) if one.server == target.server and one.key)
    return list(dict.fromkeys(one.key for one in same if one.key))[:_MOST_KEYS]


def _ask_redis(
    plan: Plan, deployment: Deployment, own: HostFacts, reveal: Callable[[str], str | None]
) -> None:
    """PING without a login; then with that of the configuration, and how long the lists are.

    Only a list that is long is asked for once more, a little later.
    """
    targets = {target.server: target for target in redis_targets(own)}
    for target in list(targets.values())[:_MOST_SERVERS]:
        if target.host is None or target.port is None or target.tls:
            continue
        place = f"{REDIS}{target.host}:{target.port}"
        if place not in [ask["name"] for ask in plan["tcp"]]:
            _converse(plan, deployment, place, target, [["PING"]])
        if "password" in target.unknown or target.db is None:
            continue
        commands = [["SELECT", str(target.db)], ["PING"]]
        if target.password:
            commands.insert(0, ["AUTH", reveal(target.password) or ""])
        for key in redis_keys(own, target):
            commands += [["TYPE", key], ["LLEN", key]]
        ask = _converse(plan, deployment, f"{REDIS}{target.server}", target, commands)
        ask["secret"] = target.password is not None
        digits = len(str(deployment.thresholds.log_queue_length))
        ask["again"] = {"when": f":[0-9]{{{digits},}}\r", "seconds": QUEUE_SECONDS}


def _converse(
    plan: Plan, deployment: Deployment, name: str, target: RedisTarget, commands: list[list[str]]
) -> Plan:
    """A conversation with a redis; every one of these commands only reads and is answered by one line."""
    _connect(plan, deployment, name, target.host or "", target.port or 0)
    ask: Plan = plan["tcp"][-1]
    ask |= {"send": "".join(map(_command, commands)), "lines": len(commands), "read": 4096}
    return ask


def _command(command: list[str]) -> str:
    return f"*{len(command)}\r\n" + "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in command)


def search_places(own: HostFacts) -> tuple[Place, ...]:
    """Where the settings of paas look for logs; none when that cannot be told."""
    if isinstance(own.settings, Missing):
        return ()
    try:
        return places(own.settings.by_project.get("paas"))[:_MOST_SERVERS]
    except (NoData, ValueError):
        return ()


def _ask_search(
    plan: Plan, deployment: Deployment, own: HostFacts, reveal: Callable[[str], str | None]
) -> None:
    """Each address whether it is well; the first one, for all are of one cluster, what it holds."""
    for number, place in enumerate(search_places(own)):
        for part, path in {**_SEARCH, **({} if number else _search_details(own))}.items():
            url = f"{place.scheme}://{place.text}{path}"
            _get(plan, deployment, f"{SEARCH}{part}@{place.text}", url)
            if place.password:
                login = f"{place.user}:{reveal(place.password) or ''}".encode()
                plan["http"][-1]["headers"]["Authorization"] = f"Basic {b64encode(login).decode('ascii')}"
                plan["http"][-1]["secret"] = True
    _resolve(plan, deployment, [place.host for place in search_places(own)])


def _search_details(own: HostFacts) -> dict[str, str]:
    """Only the indices of these days are searched: a month of them would be work."""
    now = None if isinstance(own.system, Missing) else own.system.time
    today = datetime.fromtimestamp(now, timezone.utc) if now is not None else datetime.now(timezone.utc)
    days = ",".join(f"{INDEX}{today + timedelta(day):%Y.%m.%d}" for day in (-1, 0, 1))
    return {
        "blocks": f"/{INDEX}*/_settings/index.blocks.*",
        "cluster": "/_cluster/settings",
        "indices": f"/_cat/indices/{INDEX}*?format=json&h=index,status",
        "nodes": "/_cat/allocation?format=json&h=node,disk.percent",
        "newest": f"/{days}/_search?ignore_unavailable=true&size=1&sort=@timestamp:desc&_source=@timestamp",
    }


def _resolve(plan: Plan, deployment: Deployment, names: list[str]) -> None:
    """Those that are no addresses."""
    for name in dict.fromkeys(names):
        try:
            ip_address(name)
        except ValueError:
            plan["resolve"].append({"name": name, "seconds": deployment.limits.resolve_seconds})


def _get(
    plan: Plan, deployment: Deployment, name: str, url: str, *, healthz: bool = False, own_trust: bool = False
) -> None:
    """own_trust: https is verified as the host's own programs do it, not with the inventory's ca_file."""
    limits = deployment.limits
    ask = {
        "name": name,
        "url": url,
        "seconds": limits.healthz_seconds if healthz else limits.request_seconds,
        "bytes": limits.body_bytes,
        "headers": {},
    }
    if url.startswith("https:") and deployment.ca_file and not own_trust:
        ask["ca_pem"] = Path(deployment.ca_file).read_text(encoding="ascii", errors="replace")
    plan["http"].append(ask)


def _connect(plan: Plan, deployment: Deployment, name: str, host: str, port: int) -> None:
    seconds = deployment.limits.request_seconds
    plan["tcp"].append({"name": name, "host": host, "port": port, "seconds": seconds, "read": 64})


def describe(deployment: Deployment) -> str:
    """--plan: per host what would be read and requested, for a person."""
    lines = [
        say(
            en=f"{deployment.source}: generation {deployment.generation}, "
            f"{many(len(deployment.judged()), 'host')}, "
            f"domain {deployment.domain}; nothing has been sent",
            zh=f"{deployment.source}：{deployment.generation} 版本，{len(deployment.judged())} 台主机，域名 "
            f"{deployment.domain}；尚未发送任何请求",
        )
    ]
    lines += [say(en=f"  note: {note}", zh=f"  提示：{note}") for note in map(str, deployment.notes)]
    for host in deployment.judged():
        lines += ["", f"{host.name}  {host.address}  {','.join(host.roles)}  {host.connection.spec}"]
        lines += [f"    {line}" for line in _described(first(host, deployment))]
    lines += ["", say(en="then, from what was found:", zh="然后，根据所见：")]
    lines += [
        f"    {say(en='controller: GET', zh='运行套件的机器：GET')} {deployment.scheme}://{deployment.domain}{path}"
        for path in dict.fromkeys((*DOMAIN_HEALTHZ_PATHS.values(), *domain_paths(deployment), IS_LOGIN))
    ]
    lines.append(
        f"    {say(en='controller: GET', zh='运行套件的机器：GET')} {domain_url(deployment, PLATFORM)}"
        + say(
            en=" and the redirects from there within the domain, without cookies",
            zh=" 及其在该域名内的跳转，不带 cookie",
        )
    )
    lines += [
        "    "
        + say(en="controller: TCP connection to ", zh="运行套件的机器：TCP 连接 ")
        + f"{address}:{deployment.port}"
        for address in deployment.virtual_addresses
    ]
    if deployment.scheme == "https":
        lines.append(
            say(
                en="    controller: TLS handshake with the domain and with every nginx host, to see their certificates; "
                "hosts that ask login: one more GET of is_login, verified with their own store of authorities",
                zh="    运行套件的机器：与域名及每台 nginx 主机进行 TLS 握手以查看证书；需要校验登录态的主机：再 GET 一次 is_login，"
                "用自身的信任库校验",
            )
        )
    lines.append(
        say(
            en="    paas hosts: GET healthz and one harmless page of each service, one login to the database with the "
            "account in the settings, no statement, then COM_QUIT (sent over ssh:// only, without an account no connection), "
            "paas_agent and 8010 of each app host; nginx hosts: GET / of each upstream server in their files; app hosts: "
            "their own 8010 and paas_agent; every host that asks login: GET is_login without a token through the "
            "domain",
            zh="    paas 主机：各服务的 healthz 和一个无副作用的页面，用配置中的账号登录数据库一次，不执行任何语句，随后 "
            "COM_QUIT（账号只通过 ssh:// 发送，没有账号则不连接），各 app 主机的 paas_agent 和 "
            "8010；nginx 主机：配置中每个 upstream server 的 GET /；app 主机：自身的 8010 和 paas_agent；所有需要校验登录态"
            "的主机：通过域名 GET 不带 token 的 is_login",
        )
    )
    lines.append(
        say(
            en="    paas hosts: GET /, health, blocks, indices, disks and the newest document of Elasticsearch at the addresses "
            "in the settings of paas; hosts of log_agent and log_parser: PING, TYPE and LLEN of the redis in their "
            "configuration; both with the login that stands there, which is sent over ssh:// only",
            zh="    paas 主机：在 paas 配置的地址上 GET Elasticsearch 的 /、健康状态、只读设置、索引、磁盘和最新文档；log_agent 与 "
            "log_parser 所在主机：对其配置的 redis 执行 PING、TYPE、LLEN；均使用配置中的账号，且只通过 ssh:// 发送",
        )
    )
    return "\n".join(lines)


def domain_paths(deployment: Deployment) -> list[str]:
    """Paths that are asked through the domain for a 502, one for each upstream behind it."""
    paths = ["/", "/login/", "/api/", "/v1/"]
    if deployment.having("appo"):
        paths.append("/o/")
    if deployment.having("appt"):
        paths.append("/t/")
    return paths


def _described(plan: Plan) -> list[str]:
    read, stat = say(en="read", zh="读取"), say(en="stat", zh="查看属性")
    lines = [
        say(
            en="/proc (processes, sockets, addresses), clock, time zone, free space of "
            + ", ".join(plan["disks"]),
            zh="/proc（进程、套接字、地址）、时钟、时区、磁盘空间：" + "、".join(plan["disks"]),
        )
    ]
    lines += [f"{read if file['read'] else stat} {file['path']}" for file in plan["files"]]
    lines += [
        say(en=f"read the last {tail['bytes']} bytes of ", zh=f"读取末尾 {tail['bytes']} 字节：")
        + tail["path"]
        for tail in plan["tails"]
    ]
    if "nginx" in plan:
        lines.append(f"{read} {' '.join(plan['nginx']['confs'])} + include")
    lines += [
        say(en="run ", zh="执行 ") + f"supervisorctl -c {entry['conf']} status"
        for entry in plan["supervisor"]
    ]
    lines.append(say(en="run ", zh="执行 ") + "chronyc -n tracking | ntpq -pn")
    lines += [say(en="resolve ", zh="解析 ") + entry["name"] for entry in plan["resolve"]]
    return lines
