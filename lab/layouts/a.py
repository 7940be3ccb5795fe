"""The usual deployment of generation 5.x: two paas hosts behind one nginx, a host each for appo and appt."""

from __future__ import annotations

from lab.layout import Host, Layout

NGINX = "10.66.0.30"

LAYOUT = Layout(
    name="a",
    hosts=(
        Host("paas-1", "10.66.0.11", ("paas",)),
        Host("paas-2", "10.66.0.12", ("paas",)),
        Host("nginx-1", NGINX, ("nginx",)),
        Host("appo-1", "10.66.0.41", ("appo",)),
        Host("appt-1", "10.66.0.42", ("appt",)),
        Host("data-1", "10.66.0.51", ("redis", "rabbitmq", "mysql")),
        Host("es-1", "10.66.0.53", ("es",)),
        Host("cmdb-1", "10.66.0.61", ("cmdb", "fta")),
        Host("job-1", "10.66.0.62", ("job",)),
    ),
    names={"paas.bklab.test": NGINX, "cmdb.bklab.test": NGINX, "job.bklab.test": NGINX},
    ports={
        "http": 80,
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
