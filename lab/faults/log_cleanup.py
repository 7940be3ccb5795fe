"""Empty the logs in which a fault left lines."""

from __future__ import annotations

from uuid import uuid4

from lab.control import Lab

LOG_PATTERNS = (
    "open_paas/{login,paas,esb,esb_api,appengine}.log",
    "open_paas/*_uwsgi.log",
    "open_paas/*supervisord.log",
    "nginx/*.log",
    "{cmdb,job}/*.log",
)


def clear_logs(lab: Lab) -> None:
    """Wait until the lab is healthy, then empty every log that may have lines of a fault."""
    for host in lab.layout.hosts:
        if "nginx" in host.roles:  # its workers remember for 30 s which upstreams had failed
            lab.run(host.name, "systemctl reload openresty" if lab.layout.systemd else "nginx -s reload")
    lab.wait_ready()
    await_delivery(lab)
    paths = " ".join(f"{lab.layout.home}/logs/{pattern}" for pattern in LOG_PATTERNS)
    for host in lab.layout.hosts:
        lab.run(host.name, f"shopt -s nullglob; for log in {paths}; do [ ! -f $log ] || : > $log; done")


def await_delivery(lab: Lab) -> None:
    """Wait until a line that each application writes now can be searched, and with it all earlier lines."""
    if not lab.layout.plugins:
        return
    word = f"delivered{uuid4().hex}"
    writers = [each.name for each in lab.layout.hosts if {"appo", "appt"} & set(each.roles)]
    for name in writers:
        lab.run(name, f"echo \"INFO [$(date '+%F %T')] lab 1 {word}\" >> {application_log(lab)}")
    search = next(each for each in lab.layout.hosts if {"es", "es7"} & set(each.roles))
    url = f"http://{search.address}:{lab.layout.ports['es']}/paas_app_log-*/_count?q=message:{word}"

    def arrived() -> bool:
        return f'"count":{len(writers)}' in lab.run(search.name, f"curl -s -m 5 '{url}' || true")

    lab.wait(arrived, 60, f"new log lines of {', '.join(writers)} can be searched")


def application_log(lab: Lab) -> str:
    return f"{lab.layout.home}/paas_agent/apps/logs/bk_framework/bk_framework.log"
