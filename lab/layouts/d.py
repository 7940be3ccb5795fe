"""The open-source edition, set up by hand on one host: everything of open_paas on 127.0.0.1, the database too, no
paas_plugins, no redis, no RabbitMQ, no job, one app host for production and none for tests."""

from __future__ import annotations

from lab.layout import PORTS_5, Host, Layout

BOX = "10.69.0.11"

LAYOUT = Layout(
    name="d",
    inventory="lab-d",
    domain="bking.test",
    network="10.69.0.0/24",
    loopback=True,
    bind_all=False,
    plugins=False,
    hosts=(
        Host("box-1", BOX, ("nginx", "paas", "mysql", "cmdb", "fta")),
        Host("appo-1", "10.69.0.41", ("appo",)),
    ),
    names={"paas.bking.test": BOX, "cmdb.bking.test": BOX},
    ports=PORTS_5 | {"agent_nginx": 8085},
)
