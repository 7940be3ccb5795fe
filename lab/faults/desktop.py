"""The desktop of the enterprise edition, console: installed, but not well."""

from __future__ import annotations

import shlex

from lab.control import Lab
from lab.faults.actions import (
    address,
    await_http,
    await_states,
    edit,
    host,
    reload_nginx,
    restore,
    supervisorctl,
)
from lab.faults.fault import Fault

PORT = 8004
CODE = """# -*- coding: utf-8 -*-
from pathlib import Path

from lab.open_paas.database import Database
from lab.open_paas.settings import load
from lab.open_paas.web import Site, answer_json

database = Database(load(Path.cwd(), "conf/settings_production.py"))


def healthz(request):
    try:
        database.query("SELECT 1")
    except Exception as error:
        return answer_json({"code:": "1303101", "ok": False, "message": str(error), "data": {"database": str(error)}})
    return answer_json({"code:": "1303000", "ok": True, "message": "OK", "data": {"database": "ok"}})


application = Site([("/console/healthz/", healthz)])
"""


def hosts(lab: Lab) -> tuple[str, str]:
    return host(lab, "paas"), host(lab, "paas", 1)


def conf(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/supervisor-open_paas.conf"


def site(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/nginx/paas.conf"


def install(lab: Lab) -> None:
    """All of it but its database, on both paas hosts, made from what login has there."""
    for name in hosts(lab):
        lab.run(name, _installation(lab))
        edit(lab, name, conf(lab), "/^\\[program:login\\]/,/^$/{H}; $G; ${s/login/console/g}")
        supervisorctl(lab, name, "update")
        await_http(lab, name, f"http://{address(lab, name)}:{PORT}/console/healthz/", "200")
    servers = " ".join(f"server {address(lab, name)}:{PORT};" for name in hosts(lab))
    upstream = f"1 a upstream OPEN_PAAS_CONSOLE {{ {servers} }}"
    location = "/^    # paas$/ i location ~ ^/console/ { proxy_pass http://OPEN_PAAS_CONSOLE; }"
    edit(lab, host(lab, "nginx"), site(lab), f"{upstream}\n{location}")
    reload_nginx(lab, host(lab, "nginx"))


def _installation(lab: Lab) -> str:
    home, console = lab.layout.home, f"{lab.layout.home}/open_paas/console"
    ini = f"s/login/console/g; s/:{lab.layout.ports['login']}$/:{PORT}/"
    settings = f"{home}/open_paas/login/conf/settings_production.py"
    return (
        f"mkdir -p {console}/conf && echo {shlex.quote(CODE)} > {console}/wsgi.py"
        f" && sed \"s/'NAME': 'open_paas'/'NAME': 'bksuite'/\" {settings} > {console}/conf/settings_production.py"
        f" && cp -r {home}/.envs/login {home}/.envs/console"
        f" && sed '{ini}' {home}/etc/uwsgi-open_paas-login.ini > {home}/etc/uwsgi-open_paas-console.ini"
    )


def uninstall(lab: Lab) -> None:
    restore(lab, host(lab, "nginx"), site(lab))
    reload_nginx(lab, host(lab, "nginx"))
    home = lab.layout.home
    for name in hosts(lab):
        restore(lab, name, conf(lab))
        supervisorctl(lab, name, "update")
        await_states(lab, name, "RUNNING")
        logs = f"{home}/logs/open_paas/console*"
        lab.run(
            name,
            f"rm -rf {home}/open_paas/console {home}/.envs/console {home}/etc/uwsgi-open_paas-console.ini {logs}",
        )


FAULTS = (
    Fault(
        "console-without-database",
        "healthz-console",
        "platform-healthy",
        "console was installed on both paas hosts, its database was not",
        "两台 paas 上安装了 console，但没有创建它的数据库",
        install,
        uninstall,
    ),
)
