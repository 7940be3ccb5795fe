"""Raw answers of hosts, in the form in which the collector sends them."""

from __future__ import annotations

from typing import Any

from bkpaas.collect.clock import Clock
from bkpaas.collect.host_answers import HostAnswers
from bkpaas.facts.sections import NAMED_SECTIONS, SECTIONS
from bkpaas.facts.shapes import RoundQueries
from bkpaas.inventory.deployment import Connection, Host
from bkpaas.messages import Message

HOME = "/data/bkce"
NOW = 1532915248.0  # 2018-07-30 09:47:28 in Shanghai

SUPERVISOR_CONF = f"""\
[unix_http_server]
file={HOME}/logs/open_paas/supervisor.sock   ; (the path to the socket file)

[supervisord]
logfile={HOME}/logs/open_paas/supervisord_out.log ; (main log file)
logfile_maxbytes=50MB
pidfile=%(here)s/../logs/open_paas/supervisord.pid ; supervisord pidfile
nodaemon=false

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{HOME}/logs/open_paas/supervisor.sock

; the services
[program:login]
command={HOME}/.envs/login/bin/uwsgi --ini {HOME}/etc/uwsgi-open_paas-login.ini
stdout_logfile={HOME}/logs/open_paas/login_supervisord.log
autorestart=true
redirect_stderr=true
stopsignal=QUIT

[program:paas]
command={HOME}/.envs/paas/bin/uwsgi --ini {HOME}/etc/uwsgi-open_paas-paas.ini
startsecs=0
"""

LOGIN_INI = f"""\
[uwsgi]
http = 10.0.1.3:8003
pidfile2 = {HOME}/logs/open_paas/login_uwsgi.pid
logto2 = {HOME}/logs/open_paas/login_uwsgi.log
logdate = true
log-format = [%(addr)] [%(ctime)] [%(method)] [%(uri)] [%(proto)] [%(status)] [%(msecs)] [%(referer)]
memory-report
master
vacuum
need-app = true
# http = 127.0.0.1:9999
; http = 127.0.0.1:9998
    chdir = {HOME}/open_paas/login
module = wsgi:application
env=BK_ENV=development
env = PAAS_LOGGING_DIR={HOME}/logs/open_paas
env=BK_ENV=production
http-var=SERVER_PROTOCOL=HTTP/1.1
workers = 4
"""

LOGIN_DEFAULT = """\
# -*- coding: utf-8 -*-
import os
from django.utils.translation import ugettext_lazy as _

# EVENT_STATE_EXPIRE_SECONDS = 1
EVENT_STATE_EXPIRE_SECONDS = 180
BK_TOKEN_OFFSET_ERROR_TIME = 60   # 默认1分钟
BK_COOKIE_AGE = 60 * 60 * 24
SITE_URL = '/login/'
ENVIRONMENT = os.environ.get('BK_ENV', 'development')
try:
    conf_module = __import__('conf.settings_%s' % ENVIRONMENT)
except ImportError, e:
    raise ImportError("Could not import conf (%s)" % e)
"""

LOGIN_PRODUCTION = """\
# -*- coding: utf-8 -*-
DEBUG = False
DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.mysql',
        'NAME': 'open_paas',
        'USER': 'bk_paas',
        'PASSWORD': 'Pl4nted-db-pass',
        'HOST': '10.0.1.4',
        'PORT': '3306',
    },
}
PAAS_INNER_DOMAIN = 'paas.bk.com'
BK_COOKIE_DOMAIN = '.bk.com'
SECRET_KEY = 'Pl4nted-secret-key'
ESB_TOKEN = 'Pl4nted-esb-token'
"""

STATUS = """\
appengine                        RUNNING   pid 10591, uptime 0:10:43
esb                              RUNNING   pid 15538, uptime 0:01:49
login                            RUNNING   pid 11042, uptime 0:03:51
paas                             RUNNING   pid 32127, uptime 12 days, 3:04:05
"""


def entry(path: str, text: str | None = None, **more: Any) -> dict[str, Any]:
    """Return the entry of a file as stat and read give it."""
    one = {
        "path": path,
        "type": "file",
        "mode": 0o644,
        "uid": 0,
        "gid": 0,
        "mtime": NOW - 9000.0,
        "inode": 7,
        "size": 0,
    }
    if text is not None:
        one |= {"text": text, "size": len(text.encode())}
    return one | more


def missing(path: str) -> dict[str, Any]:
    return {"path": path, "type": "missing"}


def process(pid: int, ppid: int, *argv: str, **more: Any) -> dict[str, Any]:
    one = {"pid": pid, "ppid": ppid, "uid": 0, "start": NOW - 600.0, "state": "S", "argv": list(argv)}
    name = argv[0].rpartition("/")[2][:15] if argv else "x"
    return one | {"name": name, "exe": argv[0] if argv else None, "environ": {}} | more


def uwsgi(service: str, master: int, parent: int, workers: int = 3) -> list[dict[str, Any]]:
    """One master, its router and workers: the same command line for all."""
    argv = (f"{HOME}/.envs/{service}/bin/uwsgi", "--ini", f"{HOME}/etc/uwsgi-open_paas-{service}.ini")
    pids = [(master, parent), *((master + n, master) for n in range(1, workers + 1))]
    return [process(pid, ppid, *argv) for pid, ppid in pids]


def supervisord(pid: int) -> dict[str, Any]:
    python = f"{HOME}/.envs/open_paas/bin/python"
    conf = f"{HOME}/etc/supervisor-open_paas.conf"
    return process(pid, 1, python, f"{HOME}/.envs/open_paas/bin/supervisord", "-c", conf, name="supervisord")


def ctl(out: str, **more: Any) -> dict[str, Any]:
    one = {"conf": f"{HOME}/etc/supervisor-open_paas.conf", "argv": [], "rc": 0, "out": out, "err": ""}
    return one | {"seconds": 0.2, "error": None} | more


def got(url: str, body: str, status: int | None = 200, headers: Any = (), **more: Any) -> dict[str, Any]:
    one = {"url": url, "status": status, "headers": [list(pair) for pair in headers], "body": body}
    return one | {"truncated": False, "seconds": 0.1, "peer": "10.0.1.3:80", "error": None} | more


def first() -> dict[str, Any]:
    """The first visit to a healthy PaaS host."""
    pids = {"appengine": 10591, "paas": 32127, "login": 11042, "esb": 15538}
    ports = {"appengine": 8000, "paas": 8001, "esb": 8002, "login": 8003}
    processes = [process(1, 0, "/sbin/init"), supervisord(10486)]
    for service, pid in pids.items():
        processes += uwsgi(service, pid, 10486)
    listeners = [
        {"family": 4, "address": "10.0.1.3", "port": port, "queue": 0, "inode": port * 10,
         "pids": [pids[service], pids[service] + 3]}
        for service, port in ports.items()
    ]  # fmt: skip
    sock = f"{HOME}/logs/open_paas/supervisor.sock"
    conf = f"{HOME}/open_paas/login/conf"
    return {
        "version": 1, "visit": 1, "python": "2.7.5", "uid": 0, "home": HOME, "errors": {},
        "system": {
            "hostname": "paas-1", "kernel": "3.10.0", "boot_time": NOW - 1e6, "time": NOW, "utc_offset": 28800,
            "zone": ["CST", "CST"], "localtime": "/usr/share/zoneinfo/Asia/Shanghai", "timezone_file": None,
        },
        "addresses": [["127.0.0.1", "lo"], ["10.0.1.3", "eth0"], ["10.0.1.9", "lo:0"], ["::1", "lo"]],
        "processes": processes,
        "listeners": listeners,
        "unix": [{"path": sock, "inode": 77, "listening": True, "pids": [10486]}],
        "files": {
            "supervisor-conf": [entry(f"{HOME}/etc/supervisor-open_paas.conf", SUPERVISOR_CONF)],
            "supervisor-sock-open_paas": [entry(sock, type="socket", mode=0o700, size=0, inode=77)],
            "uwsgi-ini": [entry(f"{HOME}/etc/uwsgi-open_paas-login.ini", LOGIN_INI)],
            "settings-login-1": [entry(f"{conf}/default.py", LOGIN_DEFAULT)],
            "settings-login-2": [entry(f"{conf}/settings_production.py", LOGIN_PRODUCTION)],
        },
        "tails": {"login-log": [entry(f"{HOME}/logs/open_paas/login.log", "")]},
        "supervisor": {"open_paas": ctl(STATUS)},
        "time_daemon": {"chronyd": None, "ntpd": None, "chronyc": None, "ntpq": None},
        "disks": [{"path": "/", "bytes": 1000, "bytes_available": 250, "inodes": 10, "inodes_available": 5,
                   "readonly": False}],
        "resolve": {"paas.bk.com": {"addresses": ["10.0.1.1"], "seconds": 0.01, "error": None}},
    }  # fmt: skip


def second() -> dict[str, Any]:
    """The second visit to it."""
    return {
        "version": 1, "visit": 2, "python": "2.7.5", "uid": 0, "home": HOME, "errors": {},
        "files": {"supervisor-pid-open_paas": [entry(f"{HOME}/logs/open_paas/supervisord.pid", "10486\n")]},
        "supervisor": {"open_paas": ctl(STATUS)},
        "http": {"healthz-login": got("http://10.0.1.3:8003/healthz/", '{"result": true, "data": {}}')},
        "tcp": {"database": {"seconds": 0.1, "data": "SgAAAAo1LjUuNjgtTWFyaWFEQgA=", "peer": "10.0.1.4:3306",
                             "error": None}},
    }  # fmt: skip


def host(*roles: str) -> Host:
    return Host("paas-1", "10.0.1.3", tuple(sorted(roles or ("paas",))), Connection("ssh://root@10.0.1.3"))


def queries_of(answer: dict[str, Any]) -> RoundQueries:
    """A round that asks for exactly what this answer has."""
    given = {name: answer[name] for name in (*SECTIONS, *NAMED_SECTIONS) if name in answer}
    named = {
        section: frozenset(value)
        if section in (*NAMED_SECTIONS, "starts") and isinstance(value, dict)
        else frozenset()
        for section, value in given.items()
    }
    read = (name for name in named.get("files", ()) if not name.startswith("supervisor-sock"))
    return RoundQueries(named, whole=frozenset(f"files:{name}" for name in read))


def visit(one: Any, two: Any = None) -> HostAnswers:
    rounds = {
        number: queries_of(answer) for number, answer in enumerate((one, two), 1) if isinstance(answer, dict)
    }
    return HostAnswers("paas-1", one, two, clock=Clock(0.5, 0.01, 5), seconds=1.5, queries=rounds)


def english(message: Message | str) -> str:
    """Return the English text of a reason or a problem."""
    return message if isinstance(message, str) else message.render("en")
