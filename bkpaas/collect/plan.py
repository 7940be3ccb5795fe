"""Make the plan of a round: the queries of all facts modules for one host, merged into the collector's JSON.

Every HTTP request is a GET without side effects. Redis gets AUTH, SELECT, PING, TYPE, LLEN, INFO, ECHO,
COMMAND INFO, ACL DRYRUN and CONFIG GET only. A database gets a login, a fixed list of SELECT and SHOW statements, and COM_QUIT. Paths are only read.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from bkpaas.facts import (
    access,
    agent,
    answers,
    applications,
    containers,
    cron,
    database,
    disks,
    elasticsearch,
    file,
    iam,
    log_plugins,
    log_writers,
    logs,
    names,
    nginx,
    process,
    proxies,
    redis,
    redis_conf,
    redis_state,
    services,
    setting_places,
    settings,
    sockets,
    startup,
    supervisor,
    system,
    systemd,
    timedaemon,
    uwsgi,
    versions,
)
from bkpaas.facts.generations import deployment_of
from bkpaas.facts.query import Earlier, Plan, Query
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment, Host

MODULES = (
    process,
    sockets,
    system,
    disks,
    timedaemon,
    cron,
    names,
    proxies,
    versions,
    log_plugins,
    log_writers,
    supervisor,
    uwsgi,
    systemd,
    containers,
    services,
    startup,
    settings,
    file,
    logs,
    access,
    nginx,
    agent,
    answers,
    iam,
    applications,
    database,
    elasticsearch,
    redis,
    redis_state,
    redis_conf,
    setting_places,
)
"""All modules of facts that have queries, in the order of their queries in the plan."""

_SECTIONS: dict[int, tuple[str, ...]] = {
    1: ("files", "tails", "supervisor"),
    2: ("files", "tails", "supervisor", "http", "tcp", "resolve"),
}
_WORTH_A_ROUND = (
    "files",
    "tails",
    "supervisor",
    "http",
    "tcp",
    "resolve",
    "peers",
    "starts",
    "deleted",
    "systemd",
    "docker",
)


def round_1(entry: Host, deployment: Deployment) -> Plan:
    """Return the plan of round 1, which depends on the inventory only."""
    return _merged(1, deployment, _queries(entry, deployment, None))


def round_2(entry: Host, deployment: Deployment, earlier: Earlier) -> Plan | None:
    """Return the plan of round 2 from the facts of round 1, or None if it has no queries.

    A host of another generation than the inventory's is also asked what round 1 asks hosts of its own one.
    """
    own = deployment_of(earlier.hosts[entry.name], entry, deployment)
    queries = [*_queries(entry, own, earlier)]
    if own is not deployment:
        sent = {msgspec.json.encode(query) for query in _queries(entry, deployment, None)}
        first = _queries(entry, own, None)
        queries = [*(query for query in first if msgspec.json.encode(query) not in sent), *queries]
    plan = _merged(2, deployment, queries)
    return plan if any(plan.get(section) for section in _WORTH_A_ROUND) else None


def _queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterable[Query]:
    return (query for module in MODULES for query in module.queries(entry, deployment, earlier))


def _merged(number: int, deployment: Deployment, queries: Iterable[Query]) -> Plan:
    plan: Plan = {
        "visit": number,
        "homes": [deployment.install_root] if deployment.install_root else list(platform.INSTALL_ROOTS),
        "seconds": deployment.limits.host_seconds / 2,
        "bytes": deployment.limits.answer_bytes,
        **{section: [] for section in _SECTIONS[number]},
    }
    equal = {(query.section, msgspec.json.encode(query)): query for query in queries}
    for query in equal.values():
        query.add_to(plan)
    return plan
