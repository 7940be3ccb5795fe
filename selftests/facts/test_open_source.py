"""The open-source edition: gunicorn under a supervisor of another name, code and logs below /data/paas."""

import pytest

from bkpaas.facts.access import login_access
from bkpaas.facts.process import Process, Processes
from bkpaas.facts.query import FileName
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.supervisor import supervisors
from bkpaas.facts.uwsgi import services

CONF = """[unix_http_server]
file=/data/paas/logs/run/supervisor.sock
[supervisord]
pidfile=/data/paas/logs/run/supervisord.pid
"""
PROGRAM = """[program:{name}]
command=/root/.virtualenvs/{name}/bin/gunicorn wsgi --bind 0.0.0.0:{port} -k gevent -w 4 -n {name} --access-logfile -
directory=/data/paas/{name}
environment=PYTHONPATH=/data/paas/{name},BK_ENV="production",PAAS_LOGGING_DIR="/data/paas/logs/"
stdout_logfile=/data/paas/logs/{name}_gunicorn.log
"""


def conf(path="/data/paas/supervisord.conf"):
    text = CONF + "".join(
        PROGRAM.format(name=name, port=port) for name, port in (("login", 8003), ("paas", 8001))
    )
    return {"path": path, "type": "file", "mode": 0o644, "text": text}


STATUS = {
    "open_paas": {
        "out": "login  RUNNING  pid 5, uptime 0:10:00\npaas  RUNNING  pid 6, uptime 0:10:00\n",
        "rc": 0,
    }
}


def test_a_configuration_of_another_name_is_that_of_open_paas_if_it_starts_login_and_paas():
    missing = {"path": "/data/paas/etc/supervisor-open_paas.conf", "type": "missing"}
    files = {FileName.SUPERVISOR_CONF.value: [missing, conf()]}
    found = supervisors(files, {"open_paas": {"error": "no such file"}}, STATUS, Secrets()).by_module[
        "open_paas"
    ]
    assert found.conf.path == "/data/paas/supervisord.conf"
    assert found.socket_path == "/data/paas/logs/run/supervisor.sock"
    assert [program.state for program in found.status] == ["RUNNING", "RUNNING"]
    login = services(
        {**files, FileName.UWSGI_INI.value: []}, supervisors(files, {}, STATUS, Secrets()), Secrets()
    )
    assert login.by_name["login"].logto == "/data/paas/logs/login_gunicorn.log"
    assert (login.by_name["login"].bind_port, login.by_name["login"].bk_env) == (8003, "production")


def test_another_supervisor_is_not_that_of_open_paas():
    usual = conf("/data/bkce/etc/supervisor-open_paas.conf")
    files = {FileName.SUPERVISOR_CONF.value: [usual, conf("/etc/supervisord.conf")]}
    assert supervisors(files, STATUS, None, Secrets()).by_module["open_paas"].conf.path == usual["path"]


PYTHON = (
    "/root/.virtualenvs/login/bin/python",
    "/root/.virtualenvs/login/bin/gunicorn",
    "wsgi",
    "--bind",
    "0.0.0.0:8003",
)


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ((*PYTHON, "-n", "login"), "login"),
        ((*PYTHON, "--name=login"), "login"),
        (("gunicorn: master [login]",), "login"),
        (("gunicorn: worker [paas]",), "paas"),
        (("gunicorn: master [bk_sops]",), None),
        ((*PYTHON,), None),
        (("grep", "gunicorn", "-n", "login"), None),
        (("vim", "gunicorn", "-n", "login"), None),
    ],
)
def test_the_service_of_a_gunicorn(argv, expected):
    assert Process(pid=5, ppid=1, argv=argv).service == expected


def test_masters_of_gunicorn():
    argv = (*PYTHON, "-n", "login")
    processes = Processes((Process(5, 1, argv=argv), Process(6, 5, argv=argv), Process(7, 1, argv=argv)))
    assert [master.pid for master in processes.uwsgi_masters("login")] == [5, 7]


def test_the_access_log_of_gunicorn():
    line = '10.0.0.1 - - [29/Nov/2026:20:00:00 +0800] "GET /accounts/is_login/?bk_token=x HTTP/1.0" 500 95 "-" "a/1"\n'
    entry = {"path": "/data/paas/logs/login_gunicorn.log", "type": "file", "mode": 0o644, "text": line}
    access = login_access({"uwsgi-log-login": [entry]}, later=True, secrets=Secrets())
    [call] = access.calls
    assert (call.status, call.path, call.time, access.timed) == (
        500,
        "/accounts/is_login/",
        1795953600.0,
        False,
    )
