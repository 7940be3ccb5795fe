"""Behind https: the site's own authority, a virtual address in front of two nginx hosts, names that only the hosts know."""

from __future__ import annotations

from lab.layout import PORTS_5, Host, Layout

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
    ports=PORTS_5 | {"https": 443},
)
