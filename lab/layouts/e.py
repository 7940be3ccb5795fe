"""Generation 6.1: the services are units of systemd, which is the PID 1 of every host; consul resolves their names."""

from __future__ import annotations

from lab.layout import PORTS_6, Host, Layout

NGINX = "10.70.0.30"

LAYOUT = Layout(
    name="e",
    inventory="lab-e",
    domain="bklab6.test",
    network="10.70.0.0/24",
    generation="6.x",
    systemd=True,
    hosts=(
        Host("paas-1", "10.70.0.11", ("paas", "consul")),
        Host("paas-2", "10.70.0.12", ("paas", "consul")),
        Host("nginx-1", NGINX, ("nginx", "consul")),
        Host("appo-1", "10.70.0.41", ("appo",)),
        Host("appt-1", "10.70.0.42", ("appt",)),
        Host("data-1", "10.70.0.51", ("redis", "rabbitmq", "mysql")),
        Host("es-1", "10.70.0.53", ("es",)),
        Host("cmdb-1", "10.70.0.61", ("cmdb", "gse")),
        Host("job-1", "10.70.0.62", ("job", "usermgr", "iam")),
    ),
    names={"paas.bklab6.test": NGINX, "cmdb.bklab6.test": NGINX, "job.bklab6.test": NGINX},
    ports=dict(PORTS_6),
)
