"""Valid states that resemble faults, on edited facts."""

from copy import deepcopy
from typing import Any


def copied_ini(snapshot: dict[str, Any]) -> None:
    """Copy the uwsgi file of login to one of another name, which nothing starts."""
    services = snapshot["hosts"]["paas-1"]["services"]["by_name"]
    demo = deepcopy(services["login"]) | {"name": "demo", "bind_port": 8093, "paths": []}
    demo["ini"]["path"] = "/data/bkce/etc/uwsgi-open_paas-demo.ini"
    services["demo"] = demo


def down_server(snapshot: dict[str, Any]) -> None:
    """Take a paas host that was removed out of use with the parameter of nginx for that."""
    for upstream in snapshot["hosts"]["nginx-1"]["nginx"]["upstreams"]:
        if upstream["name"] == "OPEN_PAAS_LOGIN":
            server = deepcopy(upstream["servers"][0])
            upstream["servers"].append(server | {"address": "10.66.0.13", "parameters": ["down"]})


def test_a_copied_uwsgi_file_is_no_service(record: Any) -> None:
    assert record(copied_ini)["causes"] == []


def test_a_server_that_is_marked_down_is_not_judged(record: Any) -> None:
    assert record(down_server)["causes"] == []
