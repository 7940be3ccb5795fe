"""The usual deployment of generation 5.x: two paas hosts behind one nginx, a host each for appo and appt."""

from __future__ import annotations

from lab.layout import PORTS_5, Host, Layout

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
    ports=dict(PORTS_5),
)
