"""What a fault leaves behind in logs, and how it is swept away."""

from __future__ import annotations

from lab.control import Lab

SWEPT = (
    "open_paas/{login,paas,esb,esb_api,appengine}.log",
    "open_paas/*_uwsgi.log",
    "open_paas/*supervisord.log",
    "nginx/*.log",
    "{cmdb,job}/*.log",
)


def sweep(lab: Lab) -> None:
    """Wait until the lab answers as it should; then empty every log that may tell of a fault."""
    for host in lab.layout.hosts:
        if "nginx" in host.roles:  # its workers remember for 30 s which upstreams had failed
            lab.run(host.name, "nginx -s reload")
    lab.wait_ready()
    places = " ".join(f"{lab.layout.home}/logs/{pattern}" for pattern in SWEPT)
    for host in lab.layout.hosts:
        lab.run(host.name, f"shopt -s nullglob; for log in {places}; do [ ! -f $log ] || : > $log; done")
