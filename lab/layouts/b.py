"""The official sample of three hosts, as an enterprise edition: /data/bkee, ports of its own, services that listen on
the address of their host only. nginx in front and the one of appt are one nginx; paas, cmdb and job share a host."""

from __future__ import annotations

from lab.layout import Host, Layout

FRONT = "10.67.0.11"

LAYOUT = Layout(
    name="b",
    inventory="lab-b",
    domain="bkee.test",
    home="/data/bkee",
    network="10.67.0.0/24",
    bind_all=False,
    hosts=(
        Host("front-1", FRONT, ("nginx", "appt", "rabbitmq", "kafka", "zk", "es", "bkdata", "consul", "fta")),
        Host(
            "data-1", "10.67.0.12", ("mongodb", "appo", "kafka", "zk", "es", "mysql", "beanstalk", "consul")
        ),
        Host(
            "paas-1",
            "10.67.0.13",
            ("paas", "cmdb", "job", "gse", "license", "kafka", "zk", "es", "redis", "consul", "influxdb"),
        ),
    ),
    names={"paas.bkee.test": FRONT, "cmdb.bkee.test": FRONT, "job.bkee.test": FRONT},
    ports={
        "http": 8088,
        "appengine": 18000,
        "paas": 18001,
        "esb": 18002,
        "login": 18003,
        "agent_nginx": 18010,
        "agent": 14245,
        "redis": 16379,
        "rabbitmq": 15672,
        "mysql": 13306,
        "es": 19200,
        "cmdb_api": 33031,
        "cmdb_web": 33083,
        "job": 18008,
        "fta": 13031,
    },
)
