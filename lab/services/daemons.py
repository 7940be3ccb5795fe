"""How each daemon is started on a host. All of them go into the background by themselves or as our children."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from .layout import SERVICES, Layout
from .programs import install

CERTIFICATES = Path("/opt/lab/cert")  # the engine's: only for a host that serves https
WAIT_SECONDS = 120  # seconds that a daemon waits for what it cannot start without

Start = Callable[[Layout, str], None]


def open_paas(layout: Layout, address: str) -> None:
    environments = layout.home / ".envs"
    for service in SERVICES:
        link(environments / service / "bin/python", "/usr/bin/python3")
        link(environments / service / "bin/uwsgi", "/usr/bin/uwsgi-core")
    supervisord(layout, "open_paas")


def paas_agent(layout: Layout, address: str) -> None:
    """The agent gives up when its controller does not answer, so wait for that as the operators would."""
    home = layout.home / "paas_agent/paas_agent"
    install(home / "bin/paas_agent", "paas_agent")
    link(home / "etc/paas_agent_config.yaml", layout.home / "etc/paas_agent_config.yaml")
    for paas in layout.addresses("paas") if not layout.loopback else ():
        await_port(paas, layout.ports["appengine"])
    await_port(layout.names[layout.fqdn("paas")], layout.site_port)
    supervisord(layout, "paas_agent")


def paas_plugins(layout: Layout, address: str) -> None:
    install(Path("/usr/share/filebeat/bin/filebeat"), "log_agent")
    install(layout.home / "jvm/bin/java", "log_parser")
    (layout.home / "paas_plugins/log_agent").mkdir(parents=True, exist_ok=True)
    supervisord(layout, "paas_plugins")


def supervisord(layout: Layout, module: str) -> None:
    """Start the module's own supervisord under the command line that the FAQ shows."""
    binaries = layout.home / ".envs" / module / "bin"
    link(binaries / "python", "/usr/bin/python3")
    for program in ("supervisord", "supervisorctl"):
        link(binaries / program, f"/usr/bin/{program}")
    logs(layout, module)
    conf = layout.home / f"etc/supervisor-{module}.conf"
    if not answers_unix(layout.home / f"logs/{module}/supervisor.sock"):
        run(binaries / "python", binaries / "supervisord", "-c", conf)


def nginx(layout: Layout, address: str) -> None:
    logs(layout, "nginx")
    link(Path("/etc/nginx/nginx.conf"), layout.home / "etc/nginx.conf")
    if CERTIFICATES.exists() and not (layout.home / "cert").exists():
        shutil.copytree(CERTIFICATES, layout.home / "cert")
    if not alive("nginx"):
        run("/usr/sbin/nginx")


def saas(layout: Layout, address: str) -> None:
    apps = layout.home / "paas_agent/apps"
    for project in (apps / "projects").iterdir():
        for directory in (project / "run", apps / "logs" / project.name):
            directory.mkdir(parents=True, exist_ok=True)
        binary = apps / "Envs" / project.name / "bin/uwsgi"
        link(binary, "/usr/bin/uwsgi-core")
        if not serves(project / "run/uwsgi.pid"):
            run(binary, "--ini", project / f"conf/{project.name}.ini")


def mysql(layout: Layout, address: str) -> None:
    logs(layout, "mysql")
    own("mysql", layout.home / "logs/mysql", Path("/run/mysqld"))
    if not alive("mariadbd"):
        background("/usr/sbin/mariadbd", f"--defaults-file={layout.home}/etc/my.cnf")


def redis(layout: Layout, address: str) -> None:
    logs(layout, "redis")
    (layout.home / "public/redis").mkdir(parents=True, exist_ok=True)
    if not alive("redis-server"):
        run("/usr/bin/redis-server", layout.home / "etc/redis.conf")


def rabbitmq(layout: Layout, address: str) -> None:
    own("rabbitmq", Path("/etc/rabbitmq"), Path("/var/lib/rabbitmq"), Path("/var/log/rabbitmq"))
    if not alive("beam.smp"):
        run("/usr/sbin/rabbitmq-server", "-detached")


def es(layout: Layout, address: str) -> None:
    program = layout.home / "service/es/bin/elasticsearch"
    install(program, "elasticsearch")
    logs(layout, "es")
    if not alive(program.name):
        command = es_command(
            program, layout.home, "0.0.0.0" if layout.bind_all else address, layout.ports["es"]
        )
        background(*command, log=layout.home / "logs/es/elasticsearch.log")


def es_command(program: Path, home: Path, host: str, port: int) -> list[str]:
    """Return the command line of Elasticsearch; its class comes first, since an interpreter reads options before it."""
    settings = {"http.port": port, "network.host": host, "path.data": home / "public/es"}
    arguments = [f"-E{key}={value}" for key, value in settings.items()]
    return [str(program), "org.elasticsearch.bootstrap.Elasticsearch", *arguments]


def cmdb(layout: Layout, address: str) -> None:
    conf = "cmdb/server/conf/webserver.conf"
    platform(layout, "cmdb", "cmdb/server/bin/cmdb_apiserver", "interface", conf)
    platform(layout, "cmdb", "cmdb/server/bin/cmdb_webserver", "portal", conf)


def fta(layout: Layout, address: str) -> None:
    platform(layout, "fta", "fta/bin/fta", "interface", "fta/conf/fta.conf")


def job(layout: Layout, address: str) -> None:
    platform(layout, "job", "job/bin/job", "portal", "etc/job.conf")


def platform(layout: Layout, name: str, path: str, module: str, conf: str) -> None:
    program = layout.home / path
    logs(layout, name)
    install(program, module)
    if not alive(program.name):
        background(program, "-c", layout.home / conf, log=layout.home / f"logs/{name}/{program.name}.log")


START: dict[str, Start] = {
    "open_paas": open_paas,
    "paas_agent": paas_agent,
    "paas_plugins": paas_plugins,
    "nginx": nginx,
    "saas": saas,
    "mysql": mysql,
    "redis": redis,
    "rabbitmq": rabbitmq,
    "es": es,
    "cmdb": cmdb,
    "fta": fta,
    "job": job,
}


def run(*command: str | Path) -> None:
    """A command that goes into the background by itself."""
    subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, check=True)


def background(*command: str | Path, log: Path | None = None) -> None:
    with open(log or os.devnull, "ab") as output:
        subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
        )


def link(path: Path, target: str | Path) -> None:
    """Make the link, unless it leads there already: a newer one would look like an edit."""
    if path.is_symlink() and path.readlink() == Path(target):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def logs(layout: Layout, module: str) -> None:
    (layout.home / "logs" / module).mkdir(parents=True, exist_ok=True)


def own(user: str, *directories: Path) -> None:
    for directory in directories:
        directory.mkdir(parents=True, exist_ok=True)
        for path in (directory, *directory.rglob("*")):
            shutil.chown(path, user, user)


def alive(name: str) -> bool:
    """Does a process of that name run? Whether it answers does not matter: a second one would not help."""
    return any(_name(process) == name for process in Path("/proc").glob("[0-9]*"))


def serves(pid_file: Path) -> bool:
    """Is the uwsgi of that pid file alive?"""
    return pid_file.exists() and _name(Path("/proc") / pid_file.read_text().strip()) == "uwsgi"


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return ""


def answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def answers_unix(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def await_port(address: str, port: int) -> None:
    """TimeoutError after WAIT_SECONDS; an address that the deployment does not have is not waited for."""
    deadline = time.monotonic() + WAIT_SECONDS
    while address and not answers(address, port):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{address}:{port} does not answer after {WAIT_SECONDS} s")
        time.sleep(0.2)
