"""Decide which directives of nginx refuse the requests of users or of the platform's own hosts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_network

from bkpaas.checks.nginx import IS_LOGIN_PATH, refused_address
from bkpaas.facts import NginxLocation, NginxServer
from bkpaas.facts.nginx_location import route, serving_location
from bkpaas.facts.nginx_refusals import Limit
from bkpaas.facts.nginx_rewrites import NginxRewrite, rewritten
from bkpaas.inventory.deployment import Deployment
from bkpaas.messages import Message, msg

USER_PATHS = {
    "/": "paas",
    "/platform/": "paas",
    "/app/": "paas",
    "/saas/": "paas",
    "/static/": "paas",
    "/login/": "login",
    "/login/accounts/is_login/": "login",
    "/login/static/": "login",
    "/api/c/compapi/v2/bk_login/is_login/": "esb",
    "/v1/healthz/": "appengine",
    "/o/bk_framework/": "agent",
    "/t/bk_framework/": "agent",
}
"""Paths of the domain that users, SaaS or the platform's hosts request, and the service behind each."""
HOSTS_OF_DOMAIN = ("paas", "appo", "appt", "cmdb", "job")
"""Roles whose hosts send requests to the domain."""
LEAST_REQUESTS = 10
"""Requests within a second that a page of the platform makes with its scripts, styles and pictures."""
LEAST_CONNECTIONS = 6
"""Connections that a browser opens to one name."""
_COUNTED = re.compile(
    r"\$(?:binary_remote_addr|remote_addr|server_name|host|http_host|server_addr|http_x_forwarded_for)"
)
"""Keys of limits that every request has; a variable of a map may be empty, and then nothing is counted."""


def refused_hosts(server: NginxServer, deployment: Deployment) -> list[str]:
    """Return the hosts whose requests for login a server block refuses by their address; none behind a balancer."""
    way = route(server.locations, IS_LOGIN_PATH)
    if way is None or deployment.virtual_addresses:  # requests may come with the address of the balancer
        return []
    return [
        entry.name
        for entry in deployment.hosts_with(*HOSTS_OF_DOMAIN)
        if refused_address(way.location.passing.access, entry.address)
        or _refused_by_if(way.location.refusal.clients, entry.address)
    ]


def _refused_by_if(conditions: Iterable[tuple[str, str]], address: str) -> bool:
    """Return whether an if on the address of a client fits one; False for an expression that is not understood."""
    return any(_fits(operator, operand, address) for operator, operand in conditions)


def _fits(operator: str, operand: str, address: str) -> bool:
    if operator in ("=", "!="):
        return (operand == address) is (operator == "=")
    if re.search(r"[+*}]\)*[+*{]", operand):
        return False
    try:
        found = re.search(operand, address) is not None
    except re.error:
        return False
    return found is not operator.startswith("!")


def refusal_of_users(location: NginxLocation, deployment: Deployment) -> Message | str | None:
    """Return the directive with which a location refuses every user; None without one.

    A rule that lets any network pass, or a host outside the inventory, is taken for that of the users.
    """
    own = location.refusal
    if own.answer:
        return own.answer
    if own.password:
        return msg("auth_basic: every client needs a password of nginx")
    browsers = [one for one in location.passing.refused_programs if one.startswith("Mozilla/")]
    if browsers:
        return msg("an if refuses browsers by their User-Agent: {browsers}", browsers=", ".join(browsers))
    rules = location.passing.access
    if ("deny", "all") in rules:
        allowed = [written for word, written in rules[: rules.index(("deny", "all"))] if word == "allow"]
        if all(_is_of_inventory(one, deployment) for one in allowed):
            return "; ".join(" ".join(rule) for rule in rules)
    low = next((limit for limit in own.limits if is_low(limit)), None)
    return limit_text(low) if low else None


def _is_of_inventory(written: str, deployment: Deployment) -> bool:
    """Return whether an allow means loopback or a single host of the inventory."""
    try:
        network = ip_network(written, strict=False)
    except ValueError:
        return written == "unix:"
    own = {entry.address for entry in deployment.hosts}
    return network.is_loopback or (network.num_addresses == 1 and str(network.network_address) in own)


def misled(server: NginxServer, path: str) -> tuple[str, NginxRewrite] | None:
    """Return the path that a rewrite makes of this one, and the rewrite, if another target serves it then."""
    new, by = rewritten(server.rewrites, path)
    if by is None:
        return None
    before, after = (serving_location(server.locations, one) for one in (path, new))
    if before is None or (after is not None and _target(before) == _target(after)):
        return None
    return new, by


def _target(location: NginxLocation) -> str | None:
    return location.upstream or location.proxy_pass or location.uwsgi_pass


def is_low(limit: Limit) -> bool:
    """Return whether a limit refuses a part of the requests of one page."""
    if not _COUNTED.fullmatch(limit.key):
        return False
    if limit.directive == "limit_conn":
        return limit.number < LEAST_CONNECTIONS
    return limit.per_second > 0 and limit.per_second + limit.number < LEAST_REQUESTS


def limit_text(limit: Limit) -> Message:
    """Return a limit as evidence."""
    if limit.directive == "limit_conn":
        return msg(
            "limit_conn {zone} {number} (limit {limit}, a browser opens as many; key {key})",
            zone=limit.zone,
            number=limit.number,
            limit=LEAST_CONNECTIONS,
            key=limit.key or "-",
        )
    return msg(
        "limit_req zone={zone} rate={rate}/s burst={number} (limit {limit} requests in a second, as a page makes; key {key})",
        zone=limit.zone,
        rate=f"{limit.per_second:.3g}",
        number=limit.number,
        limit=LEAST_REQUESTS,
        key=limit.key or "-",
    )


_LIMITED = re.compile(r'limiting (request|connection)s.* by zone "(?P<zone>[^"]+)"')


def limits_in_line(line: str, locations: Iterable[NginxLocation]) -> Iterator[tuple[NginxLocation, Limit]]:
    """Yield the locations and limits whose zone a line of the error log names."""
    match = _LIMITED.search(line)
    directive = {"request": "limit_req", "connection": "limit_conn"}.get(match[1]) if match else None
    for location in locations:
        for limit in location.refusal.limits:
            if match and limit.directive == directive and limit.zone == match["zone"]:
                yield location, limit


def client_of(line: str) -> str:
    """Return the address of the client in a line of the error log; empty without one."""
    match = re.search(r"client: ([0-9a-fA-F.:]+)", line)
    return match[1] if match else ""
