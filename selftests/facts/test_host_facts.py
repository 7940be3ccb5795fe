"""A host's raw answers become facts: both visits as one, nothing lost in silence, no secret, no crash."""

import copy
import random

import msgspec
import pytest
from recorded import HOME, ctl, english, entry, first, got, host, missing, process, second, uwsgi, visit

from bkpaas.collect.host_answers import HostAnswers
from bkpaas.errors import NoData
from bkpaas.facts import HostFacts, HostView, Missing, Secrets, controller_facts, host_facts
from bkpaas.facts.query import HttpName

NOUNS = [name for name, kind in HostFacts.__annotations__.items() if "Missing" in kind]


def built(one, two=None, roles=("paas",)):
    return host_facts(host(*roles), visit(one, two), Secrets())


def test_a_healthy_host():
    view = HostView(built(first(), second()))
    assert view.facts.collected and view.facts.error is None and view.name == "paas-1"
    assert (view.clock.offset_seconds, view.clock.samples) == (0.5, 5)
    assert view.system.root and view.system.install_root == HOME and view.system.zone == "CST"
    assert view.addresses.items == ("127.0.0.1", "10.0.1.3", "10.0.1.9", "::1")
    assert view.addresses.loopback == ("127.0.0.1", "10.0.1.9", "::1")
    assert [p.service for p in view.processes.uwsgi_masters()] == ["appengine", "paas", "login", "esb"]
    (listener,) = view.sockets.on(8003)
    assert view.processes.descends(listener.pids[1], 10486)
    supervisor = view.supervisor
    assert supervisor.socket.permissions == "srwx------" and supervisor.pidfile_pid == 10486
    assert len(supervisor.status) == len(supervisor.later) == 4
    assert view.services.by_name["login"].bind_port == 8003
    assert view.settings.by_project["login"].number("BK_TOKEN_OFFSET_ERROR_TIME") == 60
    assert view.answers.get(HttpName.HEALTHZ, "login").json() == {"result": True, "data": {}}
    assert view.connections.by_name["database"].greeting == "mysql"
    assert view.names.by_name["paas.bk.com"].addresses == ("10.0.1.1",)
    assert view.disks.items[0].free_percent == 25.0
    assert view.time_daemon.daemon is None and view.logs.problems == ()


def test_what_was_not_asked_is_missing_with_a_reason():
    view = HostView(built(first()))
    for noun in ("nginx", "agent", "saas", "answers", "connections"):
        with pytest.raises(NoData, match="not in the host's answer"):
            getattr(view, noun)
    with pytest.raises(NoData, match="not queried: healthz-x"):
        HostView(built(first(), second())).answers.get(HttpName.HEALTHZ, "x")


def test_a_host_that_was_not_reached():
    facts = host_facts(
        host(), HostAnswers.failed("paas-1", "unreachable", "10.0.1.3 does not answer"), Secrets()
    )
    assert (facts.collected, facts.error_kind, facts.error) == (
        False,
        "unreachable",
        "10.0.1.3 does not answer",
    )
    for noun in NOUNS:
        with pytest.raises(NoData, match=r"10.0.1.3 does not answer"):
            getattr(HostView(facts), noun)
    assert isinstance(host_facts(host(), HostAnswers("paas-1"), Secrets()).system, Missing)


def test_a_second_visit_that_failed_leaves_the_first():
    failed = visit(first())
    failed.error = HostAnswers.failed("paas-1", "closed", "the connection was lost").error
    facts = host_facts(host(), failed, Secrets())
    assert facts.collected and facts.error == "the connection was lost"
    assert HostView(facts).supervisor.status and HostView(facts).supervisor.later is None


def test_a_section_with_an_error_is_missing():
    one = first()
    one["errors"] = {"processes": "/proc did not answer in time", "disks": "cut"}
    facts = built(one)
    assert facts.processes == Missing("/proc did not answer in time") and facts.disks == Missing("cut")
    assert not isinstance(facts.sockets, Missing)


def test_files_that_could_not_be_searched_for():
    one = first()
    one["files"]["uwsgi-ini"] = [
        missing(f"{HOME}/etc/uwsgi-open_paas-*.ini") | {"error": "Permission denied"}
    ]
    assert english(built(one).services.reason) == "Permission denied"
    one["files"]["uwsgi-ini"] = [missing(f"{HOME}/etc/uwsgi-open_paas-*.ini")]
    assert built(one).services.by_name == {}


def test_files_that_did_not_answer_in_time():
    one = first()
    words = "did not answer in time"
    for name in ("supervisor-conf", "settings-login-2"):
        one["files"][name] = []
        one["errors"][f"files:{name}"] = words
    one["tails"]["login-log"] = []
    one["errors"]["tails:login-log"] = words
    facts = built(one)
    assert english(facts.supervisors.reason) == words
    with pytest.raises(NoData, match=words):
        facts.settings.by_project["login"].number("BK_COOKIE_AGE")
    assert [english(problem) for problem in facts.logs.problems] == [f"login-log: {words}"]


def test_a_host_without_supervisor_configuration():
    one = first()
    one["files"]["supervisor-conf"] = [missing(f"{HOME}/etc/supervisor-*.conf")]
    with pytest.raises(NoData, match=r"no etc/supervisor-open_paas\.conf"):
        _ = HostView(built(one)).supervisor


def test_the_second_visit_adds_and_renews():
    one, two = first(), second()
    sock = one["files"]["supervisor-sock-open_paas"][0]
    two["files"]["supervisor-sock-open_paas"] = [missing(sock["path"])]
    two["tails"] = {"nginx-error-log": [entry("/x.log", "")]}
    one["http"] = {"old": got("http://a/", "1"), "healthz-login": got("http://a/", "old")}
    two["resolve"] = {"cmdb.bk.com": {"addresses": [], "error": "timeout"}}
    facts = built(one, two)
    assert not HostView(facts).supervisor.socket.exists
    assert (
        facts.answers.by_name["old"].body == "1"
        and facts.answers.get(HttpName.HEALTHZ, "login").json() is not None
    )
    assert set(facts.names.by_name) == {"paas.bk.com", "cmdb.bk.com"}


def test_facts_survive_json():
    facts = built(first(), second())
    assert msgspec.json.decode(msgspec.json.encode(facts), type=HostFacts) == facts


PLANTED = [f"Pl4nted{n}" for n in range(60)]


def everywhere():
    """A host answer with a secret at each place where hosts have them."""
    s = iter(PLANTED)
    one, two = first(), second()
    one["system"]["hostname"] = f"token={next(s)}"
    one["processes"] += [
        process(50, 1, "mysqldump", f"-p{next(s)}"),
        process(
            51,
            1,
            "java",
            f"-Dredis.password={next(s)}",
            environ={"http_proxy": f"http://u:{next(s)}@10.0.0.8:3128"},
        ),
        process(52, 1, "x", environ={"DB_PASSWORD": next(s), "https_proxy": f"u:{next(s)}@proxy:80"}),
        process(53, 1, "curl", "-H", f"Authorization: Basic {next(s)}", f"http://x/?bk_token={next(s)}"),
    ]
    one["files"]["settings-login-2"] = [
        entry(
            "/settings_production.py",
            f"SECRET_KEY = '{next(s)}'\nESB_TOKEN = env('ESB_TOKEN', '{next(s)}')\nX = 'redis://:{next(s)}@h:1/0'\n"
            f"DATABASES = {{'default': {{'PASSWORD': '{next(s)}'}}}}\n# password: {next(s)}\nPASSWORD = '{next(s)}\n",
        )
    ]
    one["files"]["uwsgi-ini"] = [
        entry(
            f"{HOME}/etc/uwsgi-open_paas-login.ini",
            f"[uwsgi]\nhttp = :8003\nenv = DB_PASSWORD={next(s)}\nlogto = /x?token={next(s)}\nhttp = u:{next(s)}@h:1\n",
        )
    ]
    one["files"]["proxy-1"] = [
        entry("/etc/environment", f"http_proxy=http://u:{next(s)}@h:1\nALL_PROXY=u:{next(s)}@h:2\n")
    ]
    one["files"]["cron"] = [entry("/etc/cron.d/x", f"0 3 * * * root pkill uwsgi; x --token={next(s)}\n")]
    one["files"]["log-agent-conf"] = [
        entry("/a.yml", f"output.redis: {{hosts: ['redis://:{next(s)}@h:1'], password: {next(s)}}}\n")
    ]
    one["files"]["log-parser-conf"] = [
        entry("/a.conf", f"input {{ redis {{ password => '{next(s)}' host => 'u:{next(s)}@h' }} }}"),
        entry("/b.conf", f"input {{ redis {{ password => '{next(s)}"),
    ]
    one["files"]["supervisor-conf"] = [
        entry(
            f"{HOME}/etc/supervisor-open_paas.conf",
            f"[unix_http_server]\npassword={next(s)}\n[program:x]\ncommand=x --password {next(s)} --token={next(s)}\n"
            f"environment=SECRET_KEY={next(s)}\n[broken\npassword={next(s)}\n",
        )
    ]
    one["files"]["agent-config"] = [
        entry(
            "/a.yaml",
            f"auth:\n  sid: '{next(s)}'\n  token: {next(s)}\nsettings:\n  PYTHON_PIP: 'http://u:{next(s)}@pip/'\n",
        )
    ]
    conf = (
        f"http {{ server {{ location / {{ proxy_set_header Authorization 'Basic {next(s)}'; proxy_pass http://u:{next(s)}@h/; }}"
        f" return 301 http://x/?token={next(s)}; }} }}"
    )
    one["nginx"] = {"main": ["/n.conf"], "files": [entry("/n.conf", conf)], "error": None}
    one["tails"] = {
        "nginx-error-log": [
            entry(
                "/e.log",
                f'2018/07/30 09:47:28 [error] 1#0: *1 x while reading upstream, request: "GET /?bk_token={next(s)}", '
                f'upstream: "http://u:{next(s)}@h/"\n',
            )
        ],
        "esb-log": [
            entry(
                "/esb.log",
                f'{{"a": "Login validity is illegal", "app_secret": "{next(s)}", "bk_token": "{next(s)}"}}\n',
            )
        ],
        "uwsgi-log-login": [entry("/u.log", f"*** Starting uWSGI\nImportError: password={next(s)}\n")],
    }
    one["supervisor"] = {"open_paas": ctl(f"http://u:{next(s)}@127.0.0.1:9001 refused connection")}
    one["resolve"] = {"paas.bk.com": {"addresses": [], "error": f"token: {next(s)}"}}
    headers = [("Set-Cookie", f"bk_token={next(s)}; Path=/"), ("Location", f"/login/?bk_token={next(s)}")]
    two["http"] = {
        "healthz-appengine": got(
            f"http://x/?bk_token={next(s)}", f'{{"message": "sid={next(s)}, token={next(s)}"}}', 200, headers
        )
    }
    one["files"]["version-module"] = [entry("/data/bkce/open_paas/VERSION", f"2.1 token={next(s)}\n")]
    two["tcp"] = {"x": {"error": {"kind": "other", "text": f"password={next(s)}"}}}
    used = PLANTED[: PLANTED.index(next(s))]
    # Without a name, but the same secrets stand with one elsewhere.
    two["http"]["unnamed"] = got("http://x/", " ".join(used[:5]))
    return one, two, used


def test_no_secret_is_left_in_the_facts():
    one, two, used = everywhere()
    two["starts"] = {"50": None}
    shown = "Id=bk-paas-login.service\nLoadState=loaded\nFragmentPath=/etc/token=Pl4ntedZ\n"
    show = {"argv": [], "rc": 0, "out": shown, "err": "", "error": None}
    one["systemd"] = {"booted": True, "cgroups": {"50": "0::/token=Pl4ntedZ"}, "show": show}
    fields = ("image", "image_id", "user", "memory", "network", "restarts", "policy", "oom_kills")
    states = (
        "Running",
        "Paused",
        "Restarting",
        "OOMKilled",
        "Dead",
        "Pid",
        "ExitCode",
        "StartedAt",
        "FinishedAt",
    )
    box = {**dict.fromkeys(fields), "id": "", "name": "bk-paas-login", "user": "token=Pl4ntedZ"}
    box |= {"state": {**dict.fromkeys(states), "Error": "mount: password=Pl4ntedZ"}}
    box |= {"binds": [["/data/token=Pl4ntedZ", "/data", "dir"]]}
    answer = {
        "error": None,
        "source": "files",
        "containers": [box],
        "reasons": [["socket", "x", "token=Pl4ntedZ"]],
    }
    one["docker"] = {"shown": answer}
    visited = visit(one, two)
    visited.error = HostAnswers.failed("paas-1", "closed", "token=Pl4ntedZ").error
    facts = host_facts(host("paas", "appo", "nginx"), visited, Secrets())
    text = msgspec.json.encode(facts).decode()
    left = [secret for secret in [*used, "Pl4ntedZ"] if f"{secret}" in text]
    assert left == [] and len(used) > 30
    location = facts.nginx.servers[0].locations[0]
    assert location.proxy_pass.startswith("http://u:secret:"), "a field keeps its text, whatever its name"
    missing_nouns = [noun for noun in NOUNS if isinstance(getattr(facts, noun), Missing)]
    assert missing_nouns == ["saas"], "each noun must have been read for this to prove anything"


ODD = [
    None, True, 0, -1, 3.5, float("nan"), float("inf"), 10**400, "", "x", "\x00", "a\ud800", "x" * 1_000_000, [], [[]], {},
    [None], [1, "a", {}], {"a": {"b": [1]}}, [[["x"]] * 3], {"path": 5, "text": 7, "type": []}, "%s%n{}", "../../etc/passwd",
]  # fmt: skip


def paths(value, at=()):
    """Every place in a JSON value."""
    yield at
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield from paths(child, (*at, key))


def put(value, path, replacement):
    """A copy with something else at one place."""
    if not path:
        return replacement
    changed = copy.copy(value)
    changed[path[0]] = put(value[path[0]], path[1:], replacement)
    return changed


def whole():
    one, two, _ = everywhere()
    one["processes"] = one["processes"][:3] + one["processes"][-4:]
    one["files"]["saas-pid"] = [entry("/p/projects/a/run/uwsgi.pid", "5")]
    one["time_daemon"] = {
        "chronyd": 5,
        "ntpd": None,
        "chronyc": {"out": "Leap status : Normal"},
        "ntpq": None,
    }
    return one, two


def test_a_hostile_answer_never_raises():
    """Anything of any type at any place: what cannot be read is missing, the rest stays, and JSON can carry it."""
    one, two = whole()
    chosen = random.Random(5)
    places = [(0, at) for at in paths(one)] + [(1, at) for at in paths(two)]
    secrets = Secrets()
    for which, at in places:
        answers = [one, two]
        answers[which] = put(answers[which], at, chosen.choice(ODD))
        facts = host_facts(host("paas", "appo", "nginx"), visit(*answers), secrets)
        assert msgspec.json.decode(msgspec.json.encode(facts), type=HostFacts) == facts, (which, at)


@pytest.mark.parametrize("replacement", range(len(ODD)))
def test_a_whole_answer_of_one_wrong_type_never_raises(replacement):
    one, _ = whole()
    for key in one:
        host_facts(host(), visit(one | {key: ODD[replacement]}, {key: ODD[replacement]}), Secrets())
    facts = built(ODD[replacement] if ODD[replacement] is not None else 5, ODD[replacement])
    assert isinstance(facts.processes, Missing)


def test_a_stumbling_parser_is_no_data_and_says_so(monkeypatch):
    monkeypatch.setattr("bkpaas.facts.build.nginx", lambda *_, **__: 1 / 0)
    one = first() | {"nginx": {"main": [], "files": [], "error": None}}
    assert english(built(one).nginx.reason) == "the answer cannot be read (suite error): ZeroDivisionError"


def typical():
    """A PaaS host as busy as they are: 200 processes, five projects, long settings."""
    one, two = first(), second()
    one["processes"] += [
        process(n, 1, f"/usr/sbin/daemon-{n}", "-f", f"/etc/daemon-{n}.conf") for n in range(40000, 40120)
    ]
    for service in ("login", "paas", "esb", "appengine"):
        one["processes"] += uwsgi(service, 50000 + len(one["processes"]) * 20, 10486, 12)
    settings = "".join(f"SETTING_NUMBER_{n} = 'http://paas.bk.com/some/{n}/'\n" for n in range(60))
    for project in ("login", "paas", "esb", "appengine"):
        one["files"][f"settings-{project}-1"] = [
            entry(f"{HOME}/open_paas/{project}/conf/default.py", settings)
        ]
    return one, two


def test_the_facts_of_a_typical_host_are_small():
    assert len(msgspec.json.encode(built(*typical()))) < 72_000


def test_what_the_controller_saw():
    facts = controller_facts(
        {
            "resolve": {"paas.bk.com": {"addresses": ["10.0.1.1"], "error": None}},
            "http": {"x": got("http://x/?bk_token=Pl4nted", "{}")},
        },
        Secrets(),
    )
    assert facts.names.by_name["paas.bk.com"].addresses == ("10.0.1.1",)
    assert facts.answers.by_name["x"].json() == {} and "Pl4nted" not in str(facts)
    assert isinstance(controller_facts({}, Secrets()).names, Missing)
