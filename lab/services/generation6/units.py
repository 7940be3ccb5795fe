"""The unit files of a 6.x host, as its installer writes them, and the programs behind them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from ..daemons import es_command, link, logs, own
from ..layout import SERVICES, Layout
from ..programs import install
from .roles import USER

UNITS = Path("/usr/lib/systemd/system")
SETTINGS = Path("/etc/systemd/system")
OPENRESTY = Path("/usr/local/openresty/nginx")
MULTI_USER = "multi-user.target"

OPEN_PAAS = """[Unit]
Description=BlueKing PaaS({service}) uWSGI app
After=network-online.target
PartOf=bk-paas.target

[Service]
User={user}
Group={user}
Type=simple
LimitNOFILE=20000
Environment=PATH={venv}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin
Environment=BK_FILE_PATH={home}/open_paas/cert/saas_priv.txt
WorkingDirectory={home}/open_paas/{service}
ExecStart=/bin/bash -c '{venv}/bin/uwsgi --ini {home}/etc/uwsgi-open_paas-{service}.ini'
Restart=on-failure
RestartSec=3s
KillSignal=SIGQUIT

[Install]
WantedBy=bk-paas.target
"""
TARGET = """[Unit]
Description={description}

[Install]
WantedBy={wanted}
"""
PROGRAM = """[Unit]
Description={description}
After=network-online.target

[Service]
Type={kind}
User={user}
ExecStart={command}
{more}
[Install]
WantedBy={wanted}
"""


def write(name: str, text: str, wanted: str = MULTI_USER) -> None:
    """Write a unit file and enable it, as `systemctl enable` does."""
    (UNITS / name).write_text(text, "utf-8")
    wants = SETTINGS / f"{wanted}.wants"
    wants.mkdir(parents=True, exist_ok=True)
    link(wants / name, UNITS / name)


def program(
    name: str,
    description: str,
    command: str,
    *,
    user: str = "root",
    kind: str = "simple",
    more: str = "Restart=always\nRestartSec=3s\n",
    wanted: str = MULTI_USER,
) -> None:
    text = PROGRAM.format(
        description=description, kind=kind, user=user, command=command, more=more, wanted=wanted
    )
    write(f"{name}.service", text, wanted)


def open_paas(layout: Layout, address: str) -> None:
    home = layout.home
    targets = (
        (
            "blueking.target",
            "BlueKing target allowing to start/stop all BlueKing module instances at once",
            MULTI_USER,
        ),
        (
            "bk-paas.target",
            "BlueKing PaaS target allowing to start/stop all PaaS module instances at once",
            MULTI_USER,
        ),
    )
    for name, description, wanted in targets:
        write(name, TARGET.format(description=description, wanted=wanted), wanted)
    for service in SERVICES:
        venv = home / f".envs/open_paas-{service}"
        link(venv / "bin/python", "/usr/bin/python3")
        link(venv / "bin/uwsgi", "/usr/bin/uwsgi-core")
        text = OPEN_PAAS.format(service=service, user=USER, venv=venv, home=home)
        write(f"bk-paas-{service}.service", text, "bk-paas.target")
    logs(layout, "open_paas")
    (home / "open_paas/cert").mkdir(exist_ok=True)
    (home / "open_paas/cert/saas_priv.txt").write_text("")
    own(USER, home / "open_paas", home / "logs/open_paas")


def openresty(layout: Layout, address: str) -> None:
    """Install nginx under openresty's path: a file of its own, so that the process shows it."""
    (OPENRESTY / "sbin").mkdir(parents=True, exist_ok=True)
    for name in ("logs", "conf/conf.d"):
        (OPENRESTY / name).mkdir(parents=True, exist_ok=True)
    shutil.copy("/usr/sbin/nginx", OPENRESTY / "sbin/nginx")
    logs(layout, "nginx")
    start = f"{OPENRESTY}/sbin/nginx -p {OPENRESTY} -c conf/nginx.conf"
    more = (
        f"PIDFile={OPENRESTY}/logs/nginx.pid\nExecStartPre={start} -t\nExecReload=/bin/kill -s HUP $MAINPID\n"
    )
    more += "KillSignal=SIGQUIT\nTimeoutStopSec=5\nKillMode=mixed\nRestart=on-failure\nRestartSec=1s\n"
    program("openresty", "The OpenResty Application Platform", start, kind="forking", more=more)


def consul_template(layout: Layout, address: str) -> None:
    install(Path("/usr/bin/consul-template/bin/consul-template"), "consul_template")
    command = "/usr/bin/consul-template/bin/consul-template -config /etc/consul-template/conf.d"
    program("consul-template", "Consul Template", command, more="Restart=always\nRestartSec=3s\n")


def consul(layout: Layout, address: str) -> None:
    install(Path("/usr/local/consul/bin/consul"), "consul")
    program(
        "consul", "Consul agent", "/usr/local/consul/bin/consul agent -config-dir /etc/consul.d",
        more="Restart=on-failure\nRestartSec=1s\n",
    )  # fmt: skip


def paasagent(layout: Layout, address: str) -> None:
    home = layout.home / "paas_agent"
    install(home / "paas_agent/bin/paas_agent", "paas_agent")
    link(home / "paas_agent/etc/paas_agent_config.yaml", layout.home / "etc/paas_agent_config.yaml")
    (layout.home / "logs/paasagent").mkdir(parents=True, exist_ok=True)
    for project in (home / "apps/projects").iterdir():
        for directory in (project / "run", home / "apps/logs" / project.name):
            directory.mkdir(parents=True, exist_ok=True)
        link(home / "apps/Envs" / project.name / "bin/uwsgi", "/usr/bin/uwsgi-core")
    own(USER, home / "apps", layout.home / "logs/paasagent")
    more = "ExecStartPre=/opt/lab/generation6/saas.sh\nKillMode=process\nRestart=always\nRestartSec=3s\n"
    command = f"{home}/paas_agent/bin/paas_agent"
    program("bk-paasagent", "BlueKing PaaS agent", command, user=USER, more=more)


def filebeat(layout: Layout, address: str) -> None:
    install(Path("/usr/share/filebeat/bin/filebeat"), "log_agent")
    logs(layout, "paas_plugins")
    name = "bk-filebeat.target"
    write(name, TARGET.format(description="BlueKing log agents", wanted=MULTI_USER))
    command = f"/usr/share/filebeat/bin/filebeat -c {layout.home}/paas_plugins/log_agent/conf/django.yml"
    program("bk-filebeat@django", "BlueKing log agent of django", command, wanted=name)


def logstash(layout: Layout, address: str) -> None:
    install(layout.home / "jvm/bin/java", "log_parser")
    logs(layout, "paas_plugins")
    name = "bk-logstash.target"
    write(name, TARGET.format(description="BlueKing log parsers", wanted=MULTI_USER))
    jars = "/usr/share/logstash/logstash-core/lib/jars"
    conf = f"{layout.home}/paas_plugins/log_parser/conf/paas_app_log.conf"
    command = f"{layout.home}/jvm/bin/java -cp {jars} org.logstash.Logstash -f {conf}"
    program("bk-logstash-paas-app-log", "BlueKing log parser of applications", command, wanted=name)


def mysql(layout: Layout, address: str) -> None:
    logs(layout, "mysql")
    own("mysql", layout.home / "logs/mysql")
    more = "RuntimeDirectory=mysqld\nRestart=on-failure\n"
    command = f"/usr/sbin/mariadbd --defaults-file={layout.home}/etc/my.cnf"
    program("mysql@default", "MySQL Server(default)", command, user="mysql", more=more)


def redis(layout: Layout, address: str) -> None:
    logs(layout, "redis")
    (layout.home / "public/redis").mkdir(parents=True, exist_ok=True)
    command = f"/usr/bin/redis-server {layout.home}/etc/redis.conf"
    program("redis@default", "Redis persistent key-value database", command)


def rabbitmq(layout: Layout, address: str) -> None:
    own("rabbitmq", Path("/etc/rabbitmq"), Path("/var/lib/rabbitmq"), Path("/var/log/rabbitmq"))
    program(
        "rabbitmq-server", "RabbitMQ broker", "/usr/sbin/rabbitmq-server", user="rabbitmq",
        more="Restart=on-failure\nRestartSec=10\nTimeoutStartSec=600\n",
    )  # fmt: skip


def es(layout: Layout, address: str) -> None:
    path = layout.home / "service/es/bin/elasticsearch"
    install(path, "elasticsearch")
    logs(layout, "es")
    command = " ".join(es_command(path, layout.home, "0.0.0.0", layout.ports["es"]))
    program("elasticsearch", "Elasticsearch", command)


def cmdb(layout: Layout, address: str) -> None:
    _platform(
        layout,
        "bk-cmdb-api",
        "cmdb/server/bin/cmdb_apiserver",
        "interface",
        "cmdb/server/conf/webserver.conf",
    )
    _platform(
        layout, "bk-cmdb-web", "cmdb/server/bin/cmdb_webserver", "portal", "cmdb/server/conf/webserver.conf"
    )


def gse(layout: Layout, address: str) -> None:
    _platform(layout, "bk-gse-task", "gse/server/bin/gse_task", "interface", "etc/gse.conf")


def job(layout: Layout, address: str) -> None:
    _platform(layout, "bk-job-gateway", "job/bin/job", "portal", "etc/job.conf")


def usermgr(layout: Layout, address: str) -> None:
    _platform(layout, "bk-usermgr", "usermgr/bin/usermgr", "usermgr", "etc/usermgr.conf")


def iam(layout: Layout, address: str) -> None:
    _platform(layout, "bk-iam", "bkiam/bin/iam", "iam", "etc/iam.conf")


def _platform(layout: Layout, unit: str, path: str, module: str, conf: str) -> None:
    install(layout.home / path, module)
    command = f"{layout.home / path} -c {layout.home / conf}"
    program(unit, f"BlueKing {unit.removeprefix('bk-')}", command, user=USER)


def sshd(layout: Layout, address: str) -> None:
    more = "RuntimeDirectory=sshd\nKillMode=process\nRestart=on-failure\nRestartSec=1s\n"
    program("sshd", "OpenSSH server daemon", "/usr/sbin/sshd -D", more=more)


def chronyd(layout: Layout, address: str) -> None:
    program("chronyd", "NTP client/server", "/usr/sbin/chronyd -d -x -u root")


UNIT: dict[str, Callable[[Layout, str], None]] = {
    one.__name__: one
    for one in (
        *(open_paas, openresty, consul_template, consul, paasagent, filebeat, logstash, mysql, redis),
        *(rabbitmq, es, cmdb, gse, job, usermgr, iam, chronyd, sshd),
    )
}
