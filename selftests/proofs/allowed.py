"""Allowed traces, requests and processes of a run: the lists of docs/safety.md and those of the lab's services."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from collect.test_login_footprint import PAGES, documented

from docs import safety
from lab.layout import Layout

OF_SERVICES = {
    "/data/bkce/logs/*": "logs of the services: the lines of the requests",
    "/data/bkce/paas_agent/apps/logs/*": "logs of the applications: the lines of the requests",
    "/var/log/nginx/*": "logs of nginx",
    "/data/bkce/paas_plugins/log_agent": "the log agent's position in these logs",
    "/data/bkce/paas_plugins/log_agent/registry": "the log agent's position in these logs",
    "/data/bkce/public/es/*": "these log lines in the search engine",
    "/var/lib/mysql/*": "the database's own files",
    "/var/lib/rabbitmq/*": "RabbitMQ's own files",
    "/var/log/rabbitmq/*": "RabbitMQ's own files",
    "/var/lib/chrony/*": "the time daemon's own files",
    "/dev/shm/general.log": "the general log, which this proof switches on",
    "/tmp": "the database's internal temporary table for information_schema.PROCESSLIST",
    "/run": "the directory of motd.dynamic",
}
"""Files that a run changes without writing to them, and files that a deployment changes by itself."""

OF_ANSIBLE = {"/dev/tty": "with --become Ansible asks for a terminal, docs/safety.md"}
OF_SALT = {
    "/var/cache/salt/minion": "its directories",
    "/var/cache/salt/minion/*": "the running job, docs/safety.md",
    "/var/log/salt/minion": "the log of the minion, docs/safety.md",
    "/dev/shm": "semaphores of Python, docs/safety.md",
}
"""Files that a minion changes by itself while it runs a job."""

PROXY_HEADERS = ("x-real-ip", "x-forwarded-for")
OWN_AGENT = "bkpaas-acceptance"
SERVICE_AGENT = "python-requests/"
SERVICE_REQUESTS = {
    "GET /",
    "GET /v1/app/healthz",
    "GET /api/v3/biz/search",
    "GET /event/api/status/",
    "GET /login/accounts/get_all_user/?role=1&bk_token=",
    "POST /paas_app_log-DATE/_doc",
}
"""Requests between the services of the lab, above all for a healthz."""
REDIS_COMMANDS = {
    "AUTH",
    "SELECT",
    "PING",
    "TYPE",
    "LLEN",
    "INFO",
    "ECHO",
    "CONFIG GET",
    "COMMAND INFO",
    "ACL DRYRUN",
}
SERVICE_REDIS = ("BLPOP paas_app_log", "RPUSH paas_app_log", "AUTH (redacted)")
SERVICE_STATEMENTS = (
    "Connect open_paas@",
    "Query SELECT 0",
    "Query SELECT 1 FROM django_session LIMIT 1",
    "Query SELECT username FROM bkaccount_bkuser",
    "Query SELECT username, chname FROM bkaccount_bkuser",
    "Query SELECT id FROM ",
    "Query SELECT ip_address, ip_port, s_id, token FROM engine_servers",
    "Quit",
)
OF_PROOF = "Connect root@localhost"
"""Beginning of a connection of the proof itself."""
PAM_PROGRAMS = ("env", "run-parts", "10-uname", "uname", "sh")
CHRONY = re.compile(r"setsockopt\(\d+, SOL_IP, IP_RECVERR, ")
"""A socket option that chronyc sets on its own socket; it changes nothing outside of the process."""


def files() -> dict[str, str]:
    """Return {pattern: reason} of the files that may change."""
    return {**OF_SERVICES, **dict.fromkeys(documented(PAGES[0]), "the login, docs/safety.md")}


def rows() -> dict[str, set[str]]:
    """Return the requests of docs/safety.md with their senders."""
    found: dict[str, set[str]] = {}
    for line in safety.requests("en")[2:]:
        what, senders = (cell.strip() for cell in line.strip("|").rsplit("|", 1))
        found.setdefault(what.split("`")[1], set()).update(senders.split(", "))
    return found


def is_proxied(request: dict[str, Any], layout: Layout) -> bool:
    """Return whether an nginx of the lab passed this request on; the same one was seen when it arrived there."""
    proxies = {host.address for host in layout.hosts if {"nginx", "appo", "appt"} & set(host.roles)}
    return request["from"] in proxies and any(name in request["headers"] for name in PROXY_HEADERS)


def row_of(request: dict[str, Any], layout: Layout, domain: str) -> tuple[str, set[str]]:
    """Return a request as docs/safety.md writes it, and the roles of its sender."""
    roles = {host.address: host.roles for host in layout.hosts}
    path = re.sub(r"\d{4}\.\d\d\.\d\d", "DATE", request["path"])
    path = re.sub(r"&q=.*", "&q=HOST AND FILE", re.sub(r"\?bkpaas-acceptance=[0-9a-f]{12}$", "", path))
    if request["headers"].get("host", "").partition(":")[0] == domain:
        place = "DOMAIN"
    elif request["from"] == request["to"]:
        place = f"OWN:{request['port']}"
    else:
        place = f"{roles[request['to']][0].upper()}:{request['port']}"
    senders = set(roles.get(request["from"], ("the controller",)))
    return f"{request['method']} http://{place}{path}", senders


def not_listed(requests: Iterable[dict[str, Any]], layout: Layout, domain: str) -> Iterator[str]:
    """Yield every request of the suite that docs/safety.md does not list for this sender."""
    listed = rows()
    redirects = 0
    for request in requests:
        what, senders = row_of(request, layout, domain)
        if senders & listed.get(what, set()):
            continue
        upstream = re.sub(r"//[^/]+/$", "//UPSTREAM_SERVER/", what)
        if senders & listed.get(upstream, set()):
            continue
        if "DOMAIN" in what and senders == {"the controller"} and what.startswith("GET "):
            redirects += 1  # the target of a redirect within the domain
            if redirects <= safety.MAX_REDIRECTS:
                continue
        yield f"{request['from']}: {what}"


def unexpected_of_others(requests: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield every request that neither the suite nor a service of the lab sends."""
    for request in requests:
        agent = request["headers"].get("user-agent", "")
        what = re.sub(r"\d{4}\.\d\d\.\d\d", "DATE", f"{request['method']} {request['path']}")
        if not agent.startswith(SERVICE_AGENT) or what not in SERVICE_REQUESTS:
            yield f"{request['from']} -> {request['to']}:{request['port']}: {what} ({agent or 'no User-Agent'})"


def redis_commands(commands: Iterable[tuple[str, str]]) -> tuple[int, list[str]]:
    """Return how many commands the suite sent, and each that neither it nor a service of the lab sends."""
    own, wrong = 0, []
    for client, words in commands:
        first = words.upper().split(" ")[:2]
        if first[0] in REDIS_COMMANDS or " ".join(first) in REDIS_COMMANDS:
            own += 1
        elif not words.startswith(SERVICE_REDIS):
            wrong.append(f"{client}: {words[:80]}")
    return own, wrong


def database_statements(connections: dict[str, list[str]]) -> tuple[int, list[str]]:
    """Return how many connections the suite made, and each statement that neither it nor a service of the lab sends."""
    listed = {line.strip(" -`") for line in safety.statements("en") if line.startswith("  - ")}
    own, wrong = 0, []
    for lines in connections.values():
        queries = [line.removeprefix("Query ") for line in lines if line.startswith("Query ")]
        if lines[0].startswith(OF_PROOF):
            continue
        if len(queries) > 5 and set(queries) <= listed:
            own += 1
        else:
            wrong += [f"{lines[0]}: {line}" for line in lines if not line.startswith(SERVICE_STATEMENTS)]
    return own, wrong


def other_programs(started: Iterable[list[str]]) -> list[str]:
    """Return every program of a collector that docs/safety.md does not list."""
    wrong = []
    for words in started:
        line = " ".join(words)
        if re.search(r"/supervisorctl -c \S+ status$", line) or re.search(
            r"(^|/)(chronyc -h 127\.0\.0\.1 -n tracking|ntpq -pn|systemctl --no-pager show -p \S+ .+)$", line
        ):
            continue
        wrong.append(line[:160])
    return wrong
