"""Behind https: the site's own authority, a virtual address in front of two nginx hosts, names that only the hosts know."""

from __future__ import annotations

from lab.layout import Host, Layout

VIRTUAL = "10.68.0.80"

LAYOUT = Layout(
    name="c",
    inventory="lab-c",
    domain="bksec.test",
    scheme="https",
    network="10.68.0.0/24",
    names_in_dns=False,
    hosts=(
        Host("paas-1", "10.68.0.11", ("paas",)),
        Host("paas-2", "10.68.0.12", ("paas",)),
        Host("nginx-1", "10.68.0.31", ("nginx",), more_addresses=(VIRTUAL,)),
        Host("nginx-2", "10.68.0.32", ("nginx",)),
        Host("appo-1", "10.68.0.41", ("appo",)),
        Host("appt-1", "10.68.0.42", ("appt",)),
        Host("data-1", "10.68.0.51", ("redis", "rabbitmq", "mysql", "es")),
        Host("cmdb-1", "10.68.0.61", ("cmdb", "job", "fta")),
    ),
    names={"paas.bksec.test": VIRTUAL, "cmdb.bksec.test": VIRTUAL, "job.bksec.test": VIRTUAL},
    ports={
        "http": 80,
        "https": 443,
        "appengine": 8000,
        "paas": 8001,
        "esb": 8002,
        "login": 8003,
        "agent_nginx": 8010,
        "agent": 4245,
        "redis": 6379,
        "rabbitmq": 5672,
        "mysql": 3306,
        "es": 10004,
        "cmdb_api": 33031,
        "cmdb_web": 33083,
        "job": 8008,
        "fta": 13031,
    },
)
