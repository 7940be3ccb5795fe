"""What each role of install.config puts on a 6.x host: trees of files, units, and services for consul."""

from __future__ import annotations

from dataclasses import dataclass

USER = "blueking"
UID = 10000


@dataclass(frozen=True)
class Role:
    trees: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    """Names of units.py."""
    services: tuple[tuple[str, str], ...] = ()
    """Name in consul -> name of the port."""


AGENT = Role(("six_nginx", "six_agent", "six_log_agent"), ("openresty", "filebeat", "paasagent"))

ROLES = {
    "paas": Role(
        ("six_open_paas", "six_log_parser"),
        ("open_paas", "logstash"),
        (
            ("paas-appengine", "appengine"),
            ("paas-paas", "paas"),
            ("paas-esb", "esb"),
            ("paas-login", "login"),
        ),
    ),
    "nginx": Role(
        ("six_nginx", "six_gate"),
        ("openresty", "consul_template"),
        (("paas", "http"),),
    ),
    "appo": AGENT,
    "appt": AGENT,
    "redis": Role(("six_redis",), ("redis",), (("redis", "redis"),)),
    "rabbitmq": Role(("rabbitmq",), ("rabbitmq",), (("rabbitmq", "rabbitmq"),)),
    "mysql": Role(("mysql",), ("mysql",), (("mysql-default", "mysql"),)),
    "es": Role((), ("es",), (("es7", "es"),)),
    "cmdb": Role(("cmdb",), ("cmdb",), (("cmdb-api", "cmdb_api"), ("cmdb-web", "cmdb_web"))),
    "gse": Role(("six_gse",), ("gse",), (("gse-task", "gse"),)),
    "job": Role(("job",), ("job",), (("job-gateway", "job"),)),
    "iam": Role(("six_iam",), ("iam",), (("bkiam", "iam"),)),
    "usermgr": Role(("six_usermgr",), ("usermgr",), (("usermgr", "usermgr"),)),
}
