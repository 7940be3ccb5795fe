"""Actions of faults on hosts, as an operator would do them: edit a file, restart a program, block a port."""

from __future__ import annotations

import shlex
from ipaddress import IPv4Address

from lab.control import READY_SECONDS, Lab

KEPT = "/run/lab-faults"  # where the hosts keep the files that a fault changed
HTTP_ANSWER = "curl -s -o /dev/null -m 5 -w '%{{http_code}}' {url} || true"


def host(lab: Lab, role: str, number: int = 0) -> str:
    """Return the name of the first host of a role, or of a later one."""
    return [each.name for each in lab.layout.hosts if role in each.roles][number]


def address(lab: Lab, name: str) -> str:
    return lab.layout.host(name).address


def inner(lab: Lab, name: str) -> str:
    """Return the address on which open_paas of that host listens."""
    return "127.0.0.1" if lab.layout.loopback else address(lab, name)


def fqdn(lab: Lab, module: str) -> str:
    return f"{module}.{lab.layout.domain}"


def gate_url(lab: Lab, path: str) -> str:
    return f"http://{fqdn(lab, 'paas')}{path}"


# files


def keep(lab: Lab, name: str, path: str) -> None:
    """Keep a copy with its times: a restored file must not look newer than the process that read it."""
    kept = KEPT + path
    lab.run(name, f"mkdir -p $(dirname {kept}) && cp -p {path} {kept}")


def edit(lab: Lab, name: str, path: str, sed: str) -> None:
    """Change a file with a sed expression, which has to change something. `restore` undoes it."""
    keep(lab, name, path)
    lab.run(name, f"sed -i {shlex.quote(sed)} {path} && ! cmp -s {path} {KEPT}{path}")


def restore(lab: Lab, name: str, path: str) -> None:
    """Restore the file as it was before `edit` or `keep`; do nothing without a copy."""
    kept = KEPT + path
    lab.run(name, f"[ ! -e {kept} ] || {{ rm -f {path} && cp -p {kept} {path} && rm {kept}; }}")


# processes


def supervisorctl(lab: Lab, name: str, arguments: str, module: str = "open_paas") -> str:
    """Run supervisorctl; return its output, whatever its exit status."""
    binaries = f"{lab.layout.home}/.envs/{module}/bin"
    conf = f"{lab.layout.home}/etc/supervisor-{module}.conf"
    return lab.run(
        name, f"{binaries}/python {binaries}/supervisorctl -c {conf} {arguments} || true", timeout=60
    )


def start_supervisord(lab: Lab, name: str, module: str = "open_paas") -> None:
    binaries = f"{lab.layout.home}/.envs/{module}/bin"
    lab.run(
        name, f"{binaries}/python {binaries}/supervisord -c {lab.layout.home}/etc/supervisor-{module}.conf"
    )


def await_states(lab: Lab, name: str, state: str, *programs: str) -> None:
    """Wait until all of these programs (all of open_paas if none is named) are in that state."""

    def reached() -> bool:
        lines = [line.split() for line in supervisorctl(lab, name, "status").splitlines()]
        states = [line[1] for line in lines if len(line) > 1 and (not programs or line[0] in programs)]
        return len(states) == (len(programs) or 4) and set(states) == {state}

    lab.wait(reached, 40, f"{' '.join(programs) or 'open_paas'} is {state} on {name}")


def restart(lab: Lab, name: str, *programs: str) -> None:
    """Restart programs of open_paas, and wait until each answers."""
    supervisorctl(lab, name, f"restart {' '.join(programs)}")
    await_states(lab, name, "RUNNING", *programs)
    for program in programs:
        await_http(lab, name, f"http://{inner(lab, name)}:{lab.layout.ports[program]}/")


def restart_open_paas(lab: Lab, name: str) -> None:
    """Clean up as in the FAQ: end all processes of open_paas and start again."""
    logs = f"{lab.layout.home}/logs/open_paas"
    lab.run(
        name,
        "while pids=$(pgrep -f '^/.*-open_paas[-.]'); do kill -9 $pids; sleep 0.05; done;"
        f" rm -f {logs}/supervisor.sock {logs}/*.pid",
    )
    start_supervisord(lab, name)
    await_states(lab, name, "RUNNING")


def await_http(lab: Lab, name: str, url: str, *statuses: str) -> None:
    """Wait until a request from that host is answered with one of the statuses, with any if none is given."""

    def answered() -> bool:
        status = lab.run(name, HTTP_ANSWER.format(url=url)).strip()
        return status in statuses if statuses else status != "000"

    lab.wait(answered, 60, f"{url} answers {' or '.join(statuses) or 'anything'} on {name}")


def signal_processes(lab: Lab, name: str, signal: str, pattern: str) -> None:
    """Send a signal to every process whose command line begins like this; one must exist."""
    lab.run(name, f"pkill -{signal} -f {shlex.quote('^' + pattern)}")


def start_roles(lab: Lab, name: str) -> None:
    """Start every program of the host's roles that does not run."""
    roles = " ".join(lab.layout.host(name).roles)
    environment = f"ADDRESS={address(lab, name)} ROLES={shlex.quote(roles)} LAYOUT_JSON=/opt/lab/layout.json"
    lab.run(name, f"{environment} /opt/lab/start.sh", timeout=60)


# nginx


def reload_nginx(lab: Lab, name: str) -> None:
    """Reload, and wait until the workers of the old configuration take no more requests."""
    lab.run(
        name,
        "master=$(cat /run/nginx.pid); old=$(pgrep -P $master | sort); nginx -s reload;"
        ' while [ -n "$(comm -12 <(echo "$old") <(pgrep -P $master -f \'worker process$\' | sort))" ];'
        " do sleep 0.05; done",
    )


def restart_nginx(lab: Lab, name: str) -> None:
    stop_nginx(lab, name)
    lab.run(name, "/usr/sbin/nginx")


def stop_nginx(lab: Lab, name: str) -> None:
    lab.run(name, "nginx -s stop 2>/dev/null; while pgrep -x nginx >/dev/null; do sleep 0.05; done")


# network


def block(lab: Lab, name: str, port: int, source: str, verdict: str) -> None:
    """Add a rule to the host's firewall for connections from `source` to its `port`."""
    lab.run(name, f"iptables -I INPUT -s {source} -p tcp --dport {port} -j {verdict}")


def unblock(lab: Lab, name: str) -> None:
    lab.run(name, "iptables -F INPUT")


def add_address(lab: Lab, name: str) -> str:
    """Give the host a second address, as a second network card would; return it."""
    second = _second_address(lab, name)
    lab.run(name, f"ip addr add {second}/{lab.layout.prefix} dev eth0")
    return second


def remove_address(lab: Lab, name: str) -> None:
    second = _second_address(lab, name)
    lab.run(name, f"ip addr del {second}/{lab.layout.prefix} dev eth0 2>/dev/null || true")


def _second_address(lab: Lab, name: str) -> str:
    return str(IPv4Address(address(lab, name)) + 100)


# clocks


def set_clock(lab: Lab, name: str, seconds: float) -> None:
    """Set the host's clock off by that much; its time daemon follows its source and may not correct it."""
    lab.run(name, f"/opt/lab/labclock {seconds}")
    restart_time_daemon(lab, name)


def stop_time_daemon(lab: Lab, name: str) -> None:
    lab.run(name, "pkill -x chronyd; while pgrep -x chronyd >/dev/null; do sleep 0.05; done")


def restart_time_daemon(lab: Lab, name: str) -> None:
    stop_time_daemon(lab, name)
    lab.run(name, "/usr/sbin/chronyd -x -u root && chronyc waitsync 250 0 0 0.1", timeout=40)


def restart_services(lab: Lab, name: str) -> None:
    """Restart the programs of each supervisor of a host, and reload its nginx if one runs."""
    etc, environments = f"{lab.layout.home}/etc", f"{lab.layout.home}/.envs"
    lab.run(
        name,
        f"for conf in {etc}/supervisor-*.conf; do [ -e $conf ] || continue; module=${{conf##*/supervisor-}};"
        f" {environments}/${{module%.conf}}/bin/supervisorctl -c $conf restart all; done;"
        " pgrep -x nginx >/dev/null && nginx -s reload; true",
        timeout=90,
    )
    lab.wait_ready(READY_SECONDS, lambda _: None, name)
