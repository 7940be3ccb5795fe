"""Every parser of foreign text, with an example of what it is written for."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from bkpaas import inventory
from bkpaas.collect import program
from bkpaas.errors import InventoryError, SuiteError
from bkpaas.facts import (
    access,
    agent,
    bytecode,
    certificates,
    database,
    exceptions,
    log_plugin_conf,
    logs,
    logstash,
    nginx_syntax,
    proxies,
    python2,
    rabbit,
    settings,
    supervisor,
    systemd,
    timedaemon,
    uwsgi,
    versions,
)
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.snapshot import Snapshot
from selftests.facts import recorded

Parse = Callable[[str], object]


class Parser(NamedTuple):
    """A parser and an example; refusals: what it may raise."""

    parse: Parse
    example: str
    refusals: tuple[type[Exception], ...] = ()


NGINX = """user root;
http { upstream A { server 10.0.0.1:80 max_fails=1; } # x
  server { listen 80 ssl; server_name "paas.bk.com" ~^a; location ~ ^/(t|o)/ { proxy_pass http://A/$1; include /etc/*.conf; } } }
"""
LOGSTASH = """input { redis { host => "10.0.0.1" port => 6379 key => ["a", 'b'] codec => json {} } } # x
filter { if [a] == "b" { mutate { add_field => { "x" => "%{y}" } } } }
output { elasticsearch { hosts => ["http://u:p@10.0.0.9:9200"] index => "paas_app_log-%{+YYYY.MM.dd}" } }
"""
FILEBEAT = "filebeat.prospectors:\n- type: log\n  paths: ['/data/*.log']\noutput.redis:\n  hosts: [\"10.0.0.1:6379\"]\n  key: 'k'\n"
UWSGI_LOG = """*** Starting uWSGI 2 [Mon Jul 30 09:47:28 2018] ***
[pid: 5|app: 0|req: 1/2] 10.0.0.1 () {42 vars in 800 bytes} [Mon Jul 30 09:47:29 2018] GET /accounts/is_login/ => generated 60 bytes in 3 msecs (HTTP/1.1 200) 4 headers in 100 bytes
Traceback (most recent call last):
  File "/data/x.py", line 5, in y
ValueError: token x
DAMN ! worker 3 (pid: 77) died, killed by signal 9 :( trying respawn ...
"""
RABBIT = "=ERROR REPORT==== 30-Jul-2018::09:47:28 ===\nclosing AMQP connection <0.1.0>:\n{bad,1}\n2018-07-30 09:47:28.123 [error] <0.5.0> x\n"
INSTALL = "10.0.0.1 paas,nginx\n10.0.0.2\tappo(x) , appt # y\n[group]\n10.0.0.3 redis，mysql\n"
ENVIRONMENT = "export PAAS_HOST=\"paas.bk.com\"\nA='b c' B=$PAAS_HOST:8000\nC=$(id)\nD=(1 2)\n"
OVERLAY = "generation: 5.x\ndomain: paas.bk.com\nhosts:\n- {name: a, address: 10.0.0.1, roles: [paas]}\nwaivers:\n- id: x@a\n  reason: y\n  until: 2030-01-01\n"
ANSWER = "@@bkpaas ready 1 3.9.2\n@@bkpaas clock 0 1500000000.0\nnoise\n@@bkpaas answer 9\neJyrVkrLz1eyUkpKLFKqBQAgsgSQ\n@@bkpaas end\n@@bkpaas failed x\n"


def _files(name: str, path: str, parse: Callable[[dict[str, list[dict[str, Any]]]], object]) -> Parse:
    return lambda text: parse({name: [recorded.entry(path, text)]})


def _plugin(read: Callable[..., None]) -> Parse:
    return lambda text: read("/x.conf", text, Secrets(), log_plugin_conf.PluginSettings())


def _inventory(name: str, **others: str) -> Parse:
    def load(text: str) -> object:
        with tempfile.TemporaryDirectory() as folder:
            for file, content in {**others, name: text}.items():
                Path(folder, file).write_text(content, "utf-8", "surrogateescape")
            return inventory.load(Path(folder))

    return load


def _snapshot(text: str) -> object:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "snapshot.json")
        path.write_text(text, "utf-8", "surrogateescape")
        return Snapshot.load(path)


def _systemd(text: str) -> object:
    show = {"argv": [], "rc": 0, "out": text, "err": "", "error": None}
    return systemd.units({"booted": True, "cgroups": {"7": text}, "show": show}, None, Secrets())


def parsers() -> dict[str, Parser]:
    """Return the parsers by name."""
    wrong = (program.InvalidAnswer, program.AnswerTooLarge)
    data = json.dumps({"version": 1, "visit": 1, "files": {"a": []}})
    return {
        "answer lines": Parser(lambda text: list(program.AnswerParser(4_000_000).feed(text.encode("utf-8", "replace"))), ANSWER, wrong),
        "answer": Parser(lambda text: program.decode(text.encode("utf-8", "replace")), data, wrong),
        "answer JSON": Parser(lambda text: program.decode_json(text.encode("utf-8", "replace")), data, wrong),
        "nginx": Parser(nginx_syntax.parsed, NGINX),
        "nginx syntax": Parser(nginx_syntax.syntax_problems, NGINX),
        "logstash": Parser(logstash.plugins, LOGSTASH, (ValueError,)),
        "logstash settings": Parser(_plugin(log_plugin_conf.read_logstash), LOGSTASH, (log_plugin_conf.UnreadableConf,)),
        "filebeat settings": Parser(_plugin(log_plugin_conf.read_filebeat), FILEBEAT, (log_plugin_conf.UnreadableConf,)),
        "python settings": Parser(python2.parse, recorded.LOGIN_PRODUCTION),
        "python location": Parser(settings.location_host, "'http://u:p@paas.bk.com:80/x'"),
        "uwsgi ini": Parser(uwsgi.read_ini, recorded.LOGIN_INI),
        "uwsgi bind": Parser(uwsgi.bind, "10.0.0.1:8000"),
        "uwsgi services": Parser(_files("uwsgi-ini", f"{recorded.HOME}/etc/uwsgi-open_paas-login.ini", lambda files: uwsgi.services(files, None, Secrets())), recorded.LOGIN_INI),
        "supervisor": Parser(_files("supervisor-conf", f"{recorded.HOME}/etc/supervisor-open_paas.conf", lambda files: supervisor.supervisors(files, None, None, Secrets())), recorded.SUPERVISOR_CONF),
        "supervisorctl": Parser(lambda text: supervisor.status_of(recorded.ctl(text), Secrets()), recorded.STATUS),
        "exceptions": Parser(exceptions.last_exceptions, UWSGI_LOG),
        "exception subject": Parser(exceptions.exception_subject, "ValueError: [Errno 111] 10.0.0.1:80 refused"),
        "login access": Parser(_files("uwsgi-log-login", "/data/x_uwsgi.log", lambda tails: access.login_access(tails, False, Secrets())), UWSGI_LOG),
        "logs": Parser(_files("login-log", "/data/login.log", lambda tails: logs.logs(tails, 28800, Secrets())), UWSGI_LOG),
        "nginx error log": Parser(_files("nginx-error-log", "/var/log/nginx/error.log", lambda tails: logs.logs(tails, 28800, Secrets())), "2018/07/30 09:47:00 [error] 1#0: *1 upstream timed out (110: x) while y, client: 10.0.0.1, server: paas\n"),
        "line times": Parser(logs.line_times, UWSGI_LOG),
        "ctime": Parser(logs.shanghai_ctime, "Mon Jul 30 09:47:28 2018"),
        "RabbitMQ log": Parser(lambda text: rabbit.rabbit_log([("/x", text)], lambda time, form: 1.0, Secrets().redact), RABBIT),
        "time daemon": Parser(lambda text: timedaemon.time_daemon({"chronyd": 5, "ntpd": None, "chronyc": {"out": text, "rc": 0}, "ntpq": None}, Secrets()), "C0A80001,192.168.0.1,3,1500000000.1,0.1,0.2,0.3,1,2,3,4,5,6,Normal\n"),
        "systemd": Parser(_systemd, "Id=bk-paas.service\nActiveState=active\nMainPID=77\n\nId=x\n"),
        "certificates": Parser(lambda text: certificates.certificates([{"address": "10.0.0.1:443", "der": base64.b64encode(text.encode("utf-8", "replace")).decode()}]), "MIIB"),
        "byte code": Parser(lambda text: bytecode.compiled("/x/__pycache__/default.cpython-36.pyc", 1.0, base64.b64encode(text.encode("utf-8", "replace")).decode(), None), "3\r\r\n" + "\0" * 12),
        "database error": Parser(database.error_text, "Access denied for user 'open_paas'@'10.0.0.1' (using password: YES)"),
        "versions": Parser(_files("version-module", "/data/bkce/open_paas/VERSION", lambda files: versions.versions(files, None)), "2.12.18\n"),
        "proxies": Parser(_files("proxy-environment", "/etc/environment", lambda files: proxies.proxies(files, Secrets())), 'export http_proxy="http://u:p@10.0.0.8:1"\nno_proxy=.bk.com,10.\n'),
        "whole number": Parser(agent.whole_number, "300", (ValueError,)),
        "redaction": Parser(Secrets().redact, "password=x1Y2 token: 'abc' Authorization: Bearer y\nSet-Cookie: a=b; mysql -px"),
        "install.config": Parser(_inventory("install.config", **{"globals.env": "export PAAS_FQDN=p.bk.com\n"}), INSTALL, (InventoryError,)),
        "globals.env": Parser(_inventory("globals.env", **{"install.config": "10.0.0.1 paas\n"}), ENVIRONMENT, (InventoryError,)),
        "deployment.yaml": Parser(_inventory("deployment.yaml"), OVERLAY, (InventoryError,)),
        "snapshot": Parser(_snapshot, '{"schema": 1, "run": "x", "started": 1.0, "suite": "1", "hosts": {}}', (SuiteError,)),
    }  # fmt: skip
