"""Planted secrets reach no output: the snapshot, every report, the terminal and standard error."""

import base64
import json

import msgspec

from bkpaas.collect.host_answers import HostAnswers
from bkpaas.facts import ControllerFacts
from bkpaas.facts.build import controller_facts, host_facts
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import Connection, Host
from selftests.facts import recorded
from selftests.snapshots.edited import write_edited
from selftests.suite.runs import run_suite

HOME = recorded.HOME
KINDS = (
    "password={}",
    '{{"app_secret": "{}"}}',
    "GET /login/?bk_token={}&x=1 HTTP/1.1",
    "redis://:{}@10.0.0.1:6379/0",
    "Authorization: Bearer {}",
    "Set-Cookie: bk_token={}; Path=/",
    "mysql -uroot -p{} open_paas",
    "prog --pw {} --x",
    "session {} expired",
    "token {} rejected",
    "the password '{}' is wrong",
    "GET /x?sig={} HTTP/1.1",
    "http://{}@10.0.0.8:3128",
    "DB_PW: {}",
    "PRIVATE_BYTES = '{}'",
    "不存在bk_token[{}]的记录",
)
LOG_TIME = "2018/07/30 09:47:00 [error] 1#0: *1 upstream "


def secret(kind, place):
    return f"C4n{kind:02}x{place:02}Ary"


class Planter:
    """Give each path the next text of a kind, and keep the secrets."""

    def __init__(self, kind):
        self.kind, self.planted = kind, []

    def __call__(self):
        self.planted.append(secret(self.kind, len(self.planted)))
        return KINDS[self.kind].format(self.planted[-1])

    def value(self):
        """A secret alone, for a setting whose name marks it as one."""
        self.planted.append(secret(self.kind, len(self.planted)))
        return self.planted[-1]


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def first(plant):
    """The first answer of a paas host with a secret in each place that a text of the host has."""
    answer = recorded.first()
    production = "\n".join(
        (
            recorded.LOGIN_PRODUCTION.replace("Pl4nted-db-pass", plant.value()),
            f"UNUSUAL_KEY = {plant.value()!r}",
            f"UNUSUAL = {{'a': [{plant.value()!r}, {plant()!r}]}}",
            f"X = f({plant()!r})  # {plant()}",
            f"ELASTICSEARCH_URLS = 'elastic:{plant.value()}@10.0.0.1:9200'",
            f"HOST_CC = {plant()!r}",
            f"BROKEN = {plant()!r} x",
        )
    )
    conf = (
        recorded.SUPERVISOR_CONF
        + f'\nenvironment=A="{plant.value()}",BK_ENV="production"\n; {plant()}\n'
        + f"[program:x]\ncommand=/bin/x {plant()}\n"
    )
    ini = (
        recorded.LOGIN_INI
        + f"env = {plant()}\n# {plant()}\nenv = SECRET_KEY={plant.value()}\nhttp = {plant()}\n"
    )
    answer["files"] |= {
        "supervisor-conf": [recorded.entry(f"{HOME}/etc/supervisor-open_paas.conf", conf)],
        "settings-login-2": [
            recorded.entry(f"{HOME}/open_paas/login/conf/settings_production.py", production)
        ],
        "uwsgi-ini": [recorded.entry(f"{HOME}/etc/uwsgi-open_paas-login.ini", ini)],
        "proxy-environment": [
            recorded.entry("/etc/environment", f"http_proxy=http://{plant.value()}@10.0.0.8:1\n")
        ],
        "proxy-curl": [recorded.entry("/root/.curlrc", f"proxy = u:{plant.value()}@10.0.0.8:1\n")],
        "agent-config": [
            recorded.entry(
                f"{HOME}/etc/paas_agent_config.yaml",
                f"port: 4245\ntoken: {plant.value()}\nsettings:\n  EXECUTE_TIME_LIMIT: 300\n"
                f"  CONTROLLER_SERVER_URL: http://u:{plant.value()}@10.0.1.3/\n# {plant()}\n",
            )
        ],
        "log-parser": [recorded.entry(f"{HOME}/paas_plugins/log_parser", type="dir")],
        "log-parser-conf": [
            recorded.entry(
                f"{HOME}/paas_plugins/log_parser/x.conf",
                f'input {{ redis {{ host => "10.0.0.1" password => "{plant.value()}" key => "k" }} }}\n'
                f'output {{ elasticsearch {{ hosts => ["http://u:{plant.value()}@10.0.0.9:9200"] password => "{plant.value()}" }} }}',
            )
        ],
        "version-module": [recorded.entry(f"{HOME}/open_paas/VERSION", plant())],
    }
    answer["tails"] = {
        "login-log": [recorded.entry(f"{HOME}/logs/login.log", f"Login validity is illegal {plant()}\n")],
        "uwsgi-log-login": [
            recorded.entry(
                f"{HOME}/logs/login_uwsgi.log",
                f"*** Starting uWSGI 2 [Mon Jul 30 09:47:28 2018]\nValueError: {plant()}\n",
            )
        ],
        "nginx-error-log": [recorded.entry("/var/log/nginx/error.log", LOG_TIME + plant() + "\n")],
        "denied": [recorded.entry("/x.log", error=plant())],
    }
    answer["processes"] += [
        recorded.process(900, 1, "/bin/sh", "-c", plant()),
        recorded.process(901, 1, "/opt/x", *plant().split(" ")),
        recorded.process(
            902, 1, "/opt/y", environ={"http_proxy": f"http://u:{plant.value()}@10.0.0.8:1", "TZ": plant()}
        ),
        recorded.process(903, 1, "nginx: worker", exe="/usr/sbin/" + plant()),
    ]
    answer["nginx"] = {
        "main": ["/etc/nginx/nginx.conf"],
        "files": [
            recorded.entry(
                "/etc/nginx/nginx.conf",
                "http { upstream A { server 10.0.0.1:80; } server { listen 80; return 302 "
                f"http://x/?code={plant.value()}; location / {{ proxy_pass http://u:{plant.value()}@10.0.0.1/?sig={plant.value()}; }} }} }}",
            )
        ],
        "error": plant(),
    }
    answer["supervisor"] = {"open_paas": recorded.ctl(f"login   FATAL     {plant()}\n", err=plant())}
    answer["time_daemon"] = {"chronyd": 1, "ntpd": None, "chronyc": {"out": plant()}, "ntpq": None}
    answer["resolve"] = {"paas.bk.com": {"addresses": [], "seconds": 0.1, "error": plant()}}
    answer["errors"] = {"disks": plant()}
    answer["system"]["kernel"] = plant()
    return answer


def second(plant):
    answer = recorded.second()
    headers = [
        ("Set-Cookie", f"bk_token={plant.value()}; Path=/"),
        ("Location", plant()),
        ("Server", plant()),
    ]
    answer["http"] = {
        "healthz-login": recorded.got("http://10.0.1.3:8003/healthz/", plant(), headers=headers),
        "healthz-paas": recorded.got(plant(), json.dumps({"ok": False, "message": plant()})),
        "healthz-esb": recorded.got(
            "http://10.0.1.3:8002/", "", None, error={"kind": "other", "text": plant()}
        ),
        "answer-login": recorded.got("http://10.0.1.3:8003/", "x " * 450 + plant()),
        "elasticsearch-root@10.0.0.1:9200": recorded.got("http://10.0.0.1:9200/", plant()),
    }
    answer["tcp"] = {
        "database": {"seconds": 0.1, "data": encoded(plant()), "peer": "10.0.1.4:3306", "error": None},
        "redis-1": {"seconds": 0.1, "data": encoded(f"-ERR {plant()}\r\n"), "peer": "", "error": None},
        "refused": {"seconds": 0.1, "data": "", "peer": "", "error": {"kind": "refused", "text": plant()}},
    }
    answer["supervisor"] = {"open_paas": recorded.ctl("", rc=1, err=plant())}
    return answer


def facts_of(kind):
    """Facts of a paas host and of the controller, and the secrets that were planted in their answers."""
    plant, secrets = Planter(kind), Secrets()
    entry = Host("paas-1", "10.66.0.11", ("paas",), Connection("ssh://root@10.66.0.11"))
    visit = recorded.visit(first(plant), second(plant))
    failed = HostAnswers.failed("paas-2", "closed", f"10.66.0.12 closed the connection: {plant()}")
    seen = {
        "resolve": {"paas.bk.com": {"addresses": [], "seconds": 0.1, "error": plant()}},
        "http": {"domain-/": recorded.got("http://paas.bk.com/", plant(), headers=[("Location", plant())])},
        "agent": "bkpaas-acceptance/0123456789ab",
        "tcp": {},
        "certificates": [{"address": "10.0.0.1:443", "error": {"kind": "other", "text": plant()}}],
    }
    hosts = {"paas-1": host_facts(entry, visit, secrets)}
    other = Host("paas-2", "10.66.0.12", ("paas",), Connection("ssh://root@10.66.0.12"))
    hosts["paas-2"] = host_facts(other, failed, secrets)
    return hosts, controller_facts(seen, secrets), plant.planted


def leaked(text, planted):
    return sorted(one for one in planted if one in text or one[:-3] in text)


def test_no_planted_secret_is_in_the_facts():
    total = 0
    wrong = {}
    for kind, words in enumerate(KINDS):
        hosts, controller, planted = facts_of(kind)
        total += len(planted)
        for name, facts in (*hosts.items(), ("controller", controller)):
            text = msgspec.json.encode(facts).decode()
            if left := leaked(text, planted):
                wrong[words, name] = [
                    text[max(0, text.index(one) - 60) : text.index(one) + 30] for one in left if one in text
                ]
    assert total >= 154
    assert not wrong, json.dumps(
        {str(key): value for key, value in wrong.items()}, indent=1, ensure_ascii=False
    )


def test_no_planted_secret_is_in_any_output(tmp_path):
    planted = []

    def change(snapshot):
        for kind, name in enumerate(("paas-1", "paas-2")):
            hosts, controller, secrets = facts_of(kind + 2)
            snapshot["hosts"][name] = msgspec.to_builtins(hosts["paas-1"]) | {"host": name}
            snapshot["controller"] = msgspec.to_builtins(controller)
            planted.extend(secrets)
        assert msgspec.convert(snapshot["controller"], ControllerFacts)

    snapshot = write_edited(tmp_path / "changed.json", change)
    done = run_suite(
        f"--from-snapshot={snapshot}",
        f"--prometheus={tmp_path / 'x.prom'}",
        f"--summary={tmp_path / 'summary.md'}",
        "-rA",
        report=tmp_path / "report",
    )
    (tmp_path / "said.txt").write_text(done.out)
    results = done.results
    assert results["counts"]["fail"] > 5 and len(planted) > 100
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"said.txt", "changed.json", "x.prom", "summary.md", "report.html", "junit.xml"} <= {
        one.name for one in written
    }
    wrong = {path.name: leaked(path.read_text(errors="replace"), planted) for path in written}
    assert not any(wrong.values()), wrong
