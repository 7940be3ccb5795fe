"""Generation 6.2: open_paas and usermgr run in containers of docker, everything else in units of systemd."""

from __future__ import annotations

from lab.layout import PORTS_6, Host, Layout

NGINX = "10.71.0.30"

LAYOUT = Layout(
    name="f",
    inventory="lab-f",
    domain="bklab62.test",
    network="10.71.0.0/24",
    generation="6.x",
    systemd=True,
    containers=True,
    hosts=(
        Host("paas-1", "10.71.0.11", ("paas", "consul")),
        Host("paas-2", "10.71.0.12", ("paas", "consul")),
        Host("nginx-1", NGINX, ("nginx", "consul")),
        Host("appo-1", "10.71.0.41", ("appo",)),
        Host("appt-1", "10.71.0.42", ("appt",)),
        Host("data-1", "10.71.0.51", ("redis", "rabbitmq", "mysql")),
        Host("es-1", "10.71.0.53", ("es",)),
        Host("cmdb-1", "10.71.0.61", ("cmdb", "gse")),
        Host("job-1", "10.71.0.62", ("job", "usermgr", "iam")),
    ),
    names={"paas.bklab62.test": NGINX, "cmdb.bklab62.test": NGINX, "job.bklab62.test": NGINX},
    ports=dict(PORTS_6),
)
