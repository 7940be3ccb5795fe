"""The open-source edition, set up by hand on one host: everything of open_paas on 127.0.0.1, the database too, no
paas_plugins, no redis, no RabbitMQ, no job, one app host for production and none for tests."""

from __future__ import annotations

from lab.layout import Host, Layout

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
    ports={
        "http": 80,
        "appengine": 8000,
        "paas": 8001,
        "esb": 8002,
        "login": 8003,
        "agent_nginx": 8085,
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
