"""The port of a service in its uwsgi file: another one than everything that requests it has."""

from __future__ import annotations

from lab.control import Lab
from lab.faults import containers, units
from lab.faults.actions import address, await_http, edit, host, restart, restore, supervisorctl
from lab.faults.fault import Act, Fault

FAR = 10
"""How far the wrong port is from the right one."""


def ini(lab: Lab, service: str) -> str:
    return f"{lab.layout.home}/etc/uwsgi-open_paas-{service}.ini"


def write_port(lab: Lab, name: str, service: str) -> int:
    """Write another port into the file of a service. -> the port"""
    right = lab.layout.ports[service]
    edit(lab, name, ini(lab, service), f"s/^\\(http = .*\\):{right}/\\1:{right + FAR}/")
    return right + FAR


def load(lab: Lab, name: str, service: str) -> None:
    """Restart a service with the manager of its generation."""
    if lab.layout.containers:
        containers.docker(lab, name, f"restart bk-paas-{service}")
    elif lab.layout.systemd:
        units.systemctl(lab, name, f"restart bk-paas-{service}")
    else:
        supervisorctl(lab, name, f"restart {service}")


def move(service: str, *numbers: int) -> Act:
    """Return the act of moving a service to another port on some paas hosts."""

    def break_(lab: Lab) -> None:
        for number in numbers:
            name = host(lab, "paas", number)
            port = write_port(lab, name, service)
            load(lab, name, service)
            await_http(lab, name, f"http://{address(lab, name)}:{port}/")

    return break_


def write(service: str) -> Act:
    """Return the act of writing another port into the file of a service that is not restarted."""

    def break_(lab: Lab) -> None:
        write_port(lab, host(lab, "paas"), service)

    return break_


def move_back(service: str, *numbers: int) -> Act:
    def heal(lab: Lab) -> None:
        for number in numbers:
            name = host(lab, "paas", number)
            restore(lab, name, ini(lab, service))
            if lab.layout.containers:
                load(lab, name, service)
                containers.await_service(lab, name, service)
            elif lab.layout.systemd:
                units.start(lab, name, service)
            else:
                restart(lab, name, service)

    return heal


def _fault(name: str, en: str, zh: str, break_: Act, heal: Act, layout: str = "a") -> Fault:
    return Fault(name, "bind-address-consistent", "login-502", en, zh, break_, heal, layout=layout)


FAULTS = [
    _fault("uwsgi-port-login", "login was moved to another port on one host", "一台主机上的 login 换了端口", move("login", 0), move_back("login", 0)),
    _fault("uwsgi-port-login-everywhere", "login was moved to another port on both hosts", "两台主机上的 login 都换了端口", move("login", 0, 1), move_back("login", 0, 1)),
    _fault("uwsgi-port-esb", "esb was moved to another port on the second host", "第二台主机上的 esb 换了端口", move("esb", 1), move_back("esb", 1)),
    _fault("uwsgi-port-not-loaded", "The port of login was edited, and login not restarted", "修改了 login 的端口但没有重启", write("login"), move_back("login", 0)),
    _fault("unit-uwsgi-port", "login of 6.1 was moved to another port on one host", "6.1 一台主机上的 login 换了端口", move("login", 0), move_back("login", 0), "e"),
    _fault("container-uwsgi-port", "The port of login was edited below its container", "修改了容器中 login 的端口但没有重启", write("login"), move_back("login", 0), "f"),
]  # fmt: skip
