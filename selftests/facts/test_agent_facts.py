"""The paas agent's configuration as the agent itself reads it, and the applications of a host."""

import pytest
from recorded import HOME, entry, host, missing, process

from bkpaas.facts.agent import Agent, _scalars, agent, saas, whole_number
from bkpaas.facts.missing import Missing
from bkpaas.facts.process import processes
from bkpaas.facts.secrets import Secrets

PATH = f"{HOME}/etc/paas_agent_config.yaml"
OTHER = f"{HOME}/paas_agent/paas_agent/etc/paas_agent_config.yaml"
YAML = """\
# paas agent
auth:
  sid: 'Pl4nted-sid'       # of this server
  token: "Pl4nted-token"
settings:
  # EXECUTE_TIME_LIMIT: 1
  CONTROLLER_SERVER_URL: 'http://paas.bk.com'  # the PaaS domain
  BASE_PATH: '/data/bkce'
  BASE_APP_PATH: '/data/bkce/paas_agent'
  EXECUTE_TIME_LIMIT: 300   # seconds; EVENT_STATE_EXPIRE_SECONDS must be more
  PYTHON_PIP: 'http://pip.bk.com/simple'
port: 4245
ip: ''
"""


def read(files):
    return agent(files, Secrets())


def config(text, **more):
    found = read({"agent-config": [entry(PATH, text, **more)]})
    assert isinstance(found, Agent) and found.config is not None
    return found.config


def test_the_shipped_file():
    found = config(YAML)
    assert (found.port, found.ip, found.problems) == (4245, "", ())
    limit = found.execute_time_limit
    assert (limit.text, limit.seconds, limit.line) == ("300", 300, 10)
    assert (found.controller_url, found.base_app_path) == ("http://paas.bk.com", "/data/bkce/paas_agent")
    assert "Pl4nted" not in str(found)


@pytest.mark.parametrize(
    ("written", "text", "seconds"),
    [
        ("EXECUTE_TIME_LIMIT: 300", "300", 300),
        ("EXECUTE_TIME_LIMIT: '300'", "300", 300),
        ('EXECUTE_TIME_LIMIT: "300" # x', "300", 300),
        ("EXECUTE_TIME_LIMIT: '300s'", "300s", 0),
        ("EXECUTE_TIME_LIMIT: 300s", "300s", 0),
        ("EXECUTE_TIME_LIMIT: 5m", "5m", 0),
        ("EXECUTE_TIME_LIMIT: 0300", "0300", 192),
        ("EXECUTE_TIME_LIMIT: 0x100", "0x100", 256),
        ("EXECUTE_TIME_LIMIT: 300.7", "300.7", 300),
        ("EXECUTE_TIME_LIMIT:", "", 0),
        ("execute_time_limit: 200", "200", 200),
        ("# EXECUTE_TIME_LIMIT: 300", None, 0),
    ],
)
def test_time_limits(written, text, seconds):
    limit = config(f"settings:\n  {written}\n  X: 1\n").execute_time_limit
    assert (limit.text, limit.seconds) == (text, seconds)


def test_whole_numbers():
    assert [whole_number(text) for text in (None, "-5", "9" * 30, "08", "x")] == [0, -5, 0, 0, 0]


@pytest.mark.parametrize("text", ["EXECUTE_TIME_LIMIT: 300\n", "java_settings:\n  EXECUTE_TIME_LIMIT: 300\n"])
def test_a_time_limit_under_another_key_does_not_count(text):
    found = config(text)
    assert found.execute_time_limit.seconds == 0 and found.execute_time_limit.text is None
    assert "EXECUTE_TIME_LIMIT is not under settings" in str(found.problems[0])


def test_address_and_port():
    found = config("settings: {EXECUTE_TIME_LIMIT: 300}\nport: '4246'\nip: \"10.0.1.41\"\n")
    assert (found.ip, found.port, found.execute_time_limit.seconds) == ("10.0.1.41", 4246, 300)


@pytest.mark.parametrize("text", ["settings:\n\tX: 1\n", "a: [1\n", "a: b: c\n", "\x00", "%x", "'"])
def test_broken_yaml(text):
    found = config(text)
    assert found.problems[0].startswith(f"{PATH}:") and found.execute_time_limit.seconds == 0


@pytest.mark.parametrize("text", ["", "- 1\n- 2\n", "just text", "? [a]\n: b\n", "a: &x {b: *x}\n"])
def test_yaml_of_another_shape(text):
    assert config(text).execute_time_limit.seconds == 0


def test_which_file_holds():
    assert read({"agent-config": [missing(PATH), missing(OTHER)]}) == Agent(config=None)
    second = read({"agent-config": [missing(PATH), entry(OTHER, YAML)]})
    assert [file.path for file in second.config.files] == [OTHER]
    both = read({"agent-config": [entry(PATH, YAML), entry(OTHER, YAML, target=PATH)]})
    assert both.config.problems == () and len(both.config.files) == 2
    differ = read({"agent-config": [entry(PATH, YAML), entry(OTHER, YAML.replace("300", "600"))]})
    assert "these differ" in str(differ.config.problems[0])
    assert differ.config.execute_time_limit.seconds == 300
    denied = read({"agent-config": [entry(PATH, error="Permission denied")]})
    assert isinstance(denied, Missing) and "Permission denied" in str(denied.reason)


RUN = f"{HOME}/paas_agent/apps/projects"


def test_applications():
    files = {
        "saas-pid": [
            entry(f"{RUN}/bk_framework/run/uwsgi.pid", "100\n"),
            entry(f"{RUN}/bk_framework/run/supervisord.pid", "99\n"),
            entry(f"{RUN}/gone/run/uwsgi.pid", "555\n"),
            entry(f"{RUN}/container/run/nginx.pid", "garbage"),
        ],
        "saas-sock": [entry(f"{RUN}/bk_framework/run/uwsgi.sock", type="socket", mode=0o755)],
    }
    running = processes([process(100, 1, "uwsgi")], Secrets())
    found = {run.app: run for run in saas(host("appt"), files, running).items}
    assert set(found) == {"bk_framework", "gone", "container"}
    framework = found["bk_framework"]
    assert (framework.environment, framework.pid, framework.alive) == ("t", 100, True)
    assert framework.socket.type == "socket"
    assert (found["gone"].pid, found["gone"].alive, found["gone"].socket.exists) == (555, False, False)
    assert (found["container"].pid, found["container"].alive) == (None, None)
    for unread in ([], [missing(f"{RUN}/*/run/*.sock") | {"error": "Permission denied"}]):
        one = saas(host("appo"), files | {"saas-sock": unread}, running).items[0]
        assert (one.alive, one.socket) == (True, None)
    assert saas(host("appo"), files, None).items[0].environment == "o"
    assert saas(host("appo"), files, None).items[0].alive is None
    assert saas(host("appo", "appt"), files, None).items[0].environment is None
    assert saas(host("appo"), {"saas-pid": [missing(f"{RUN}/*/run/*.pid")]}, None).items == ()


def test_an_application_that_runs_without_its_pid_file():
    ini = f"{RUN}/bk_framework/conf/bk_framework.ini"
    running = processes(
        [
            process(100, 1, "/envs/bin/uwsgi", "--ini", f"{ini}"),
            process(101, 100, "/envs/bin/uwsgi", "--ini", f"{ini}"),
            process(102, 1, "vi", ini),
            process(103, 1, "/envs/bin/uwsgi", "--ini", f"{RUN}/offline/conf/offline.ini"),
        ],
        Secrets(),
    )
    socket = entry(f"{RUN}/bk_framework/run/uwsgi.sock", type="socket", mode=0o755)
    files = {"saas-pid": [missing(f"{RUN}/*/run/*.pid")], "saas-sock": [socket]}
    (one,) = saas(host("appt"), files, running).items
    assert (one.app, one.pid, one.alive, one.pid_file) == ("bk_framework", 100, True, False)
    assert one.socket is not None and one.socket.path.endswith("/bk_framework/run/uwsgi.sock")
    files["saas-pid"] = [entry(f"{RUN}/bk_framework/run/uwsgi.pid", "100\n")]
    assert [one.pid_file for one in saas(host("appt"), files, running).items] == [True]


def test_ids_and_tokens_are_digests_that_do_not_depend_on_their_spelling():
    secrets = Secrets()
    text = YAML.replace("Pl4nted-sid", "0A6F3D2C-1111-4222-8333-444455556666").replace(
        "Pl4nted-token", "ffff3d2c111142228333444455556666"
    )
    found = agent({"agent-config": [entry(PATH, text)]}, secrets).config
    assert found.sid == secrets.digest("0a6f3d2c111142228333444455556666")
    assert found.token == secrets.digest("ffff3d2c111142228333444455556666")
    assert config(YAML).sid == config(YAML).token == ""


def test_a_key_that_is_there_twice_takes_the_last():
    scalars, *_ = _scalars("settings:\n  A: 1\n  EXECUTE_TIME_LIMIT: 300\n  EXECUTE_TIME_LIMIT: 3000\n")
    assert scalars["settings.execute_time_limit"].value == "3000"
    scalars, *_ = _scalars("settings:\n  A: 1\nsettings:\n  B: 2\n")
    assert list(scalars) == ["settings.b"]


@pytest.mark.parametrize(
    ("token", "malformed"),
    [
        ("FFFF3d2c-1111-4222-8333-444455556666", ()),
        ("ffff3d2c-1111-4222-8333-444455556666 ", ("token",)),
        ("\u200bffff3d2c-1111-4222-8333-444455556666", ("token",)),
        ("", ()),
    ],
)
def test_a_token_with_a_character_that_does_not_belong_to_it(token, malformed):
    text = f"auth:\n  sid: '3c3467501d06501e820309fadde782fd'\n  token: '{token}'\n"
    assert config(text).malformed == malformed


@pytest.mark.parametrize(
    ("text", "seconds", "earlier"),
    [
        ("settings:\n  EXECUTE_TIME_LIMIT: 300\n  A: 1\n  EXECUTE_TIME_LIMIT: 200\n", 200, (2,)),
        ("settings:\n  EXECUTE_TIME_LIMIT: 300\n  EXECUTE_TIME_LIMIT: 300\n", 300, ()),
        ("settings:\n  execute_time_limit: 1\n  EXECUTE_TIME_LIMIT: 2\n  EXECUTE_TIME_LIMIT: 3\n", 3, (2, 3)),
    ],
)
def test_a_key_that_is_repeated(text, seconds, earlier):
    limit = config(text).execute_time_limit
    assert (limit.seconds, limit.earlier) == (seconds, earlier)
