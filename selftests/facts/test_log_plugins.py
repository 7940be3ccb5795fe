"""log_agent and log_parser from their folders, processes and configurations."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from recorded import HOME, NOW, english, entry, first, host, missing, process, visit

from bkpaas.facts import HostView, LogFile, LogPlugins, RedisTarget, Secrets
from bkpaas.facts.build import host_facts
from bkpaas.facts.log_plugins import log_plugins
from bkpaas.facts.process import processes

AGENT, PARSER = f"{HOME}/paas_plugins/log_agent", f"{HOME}/paas_plugins/log_parser"
DJANGO, APP_LOG = f"{AGENT}/conf/django.yml", f"{PARSER}/conf/paas_app_log.conf"

NESTED = """\
filebeat.prospectors:
- input_type: log
  paths: [/data/bkce/paas_agent/apps/logs/*/*.log]
output:
  redis:
    hosts: ["10.0.1.5"]
    port: 6380
    password: "Pl4nted-redis"
    db: 3
    key: paas_app_log
    datatype: list
"""
FLAT = """\
output.redis.hosts: ["10.0.1.5:6380"]
output.redis.password: Pl4nted-redis
output.redis.db: 3
output.redis.index: "paas_app_log"
"""
MIXED = """\
output.redis:
  hosts:
    - "10.0.1.5:6380"
  password: 'Pl4nted-redis'
  db: 3
  key: "paas_app_log"
"""
LOGSTASH = """\
input {
  redis { host => "10.0.1.5" port => 6380 password => "Pl4nted-redis" db => 3 key => "paas_app_log" data_type => "list" }
}
"""


def read(agent: Any = None, parser: Any = None, running: Any = (), **more: Any) -> LogPlugins:
    """agent and parser: the text of a configuration, or an entry."""
    files: dict[str, Any] = {}
    for which, folder, path, text in (("agent", AGENT, DJANGO, agent), ("parser", PARSER, APP_LOG, parser)):
        there = text is not None
        files[f"log-{which}"] = [entry(folder, type="dir") if there else missing(folder)]
        files[f"log-{which}-content"] = [
            entry(f"{folder}/conf", type="dir") if there else missing(f"{folder}/*")
        ]
        if there:
            files[f"log-{which}-conf"] = [text if isinstance(text, dict) else entry(path, text)]
    return log_plugins(files | more, {}, processes(list(running), Secrets(b"k")), Secrets(b"k"))


def known(target: RedisTarget) -> tuple[Any, ...]:
    return target.host, target.port, target.db, target.key, target.type


@pytest.mark.parametrize("text", [NESTED, FLAT, MIXED])
def test_every_form_of_filebeat_means_what_logstash_says(text: str) -> None:
    found = read(text, LOGSTASH)
    (agent,), (parser,) = found.agent.targets, found.parser.targets
    assert known(agent) == known(parser) == ("10.0.1.5", 6380, 3, "paas_app_log", "list")
    assert agent.password == parser.password and agent.password and agent.password.startswith("secret:")
    assert agent.file == DJANGO and parser.line == 2
    assert "Pl4nted" not in json.dumps(msgspec.to_builtins(found))


def test_what_is_left_out_has_its_default() -> None:
    found = read(
        "output.redis: {hosts: [localhost], key: x}", 'input { redis { key => "x" data_type => "list" } }'
    )
    assert known(found.agent.targets[0]) == ("localhost", 6379, 0, "x", "list")
    assert known(found.parser.targets[0]) == ("127.0.0.1", 6379, 0, "x", "list")
    assert found.agent.targets[0].password is None
    assert known(read("output.redis.hosts: h").agent.targets[0]) == ("h", 6379, 0, "filebeat", "list")


def test_several_hosts_keys_and_blocks() -> None:
    agent = """
output.redis:
  hosts: ["a:1", "b", "[::1]:3", "rediss://:Pl4nted-own@c:4"]
  port: 2
  key: usual
  keys:
    - key: special
      when.contains: {message: x}
"""
    found = read(agent, 'input { redis { key => "a" } redis { key => "b" ssl => true } stdin { } }')
    places = [(target.host, target.port, target.key) for target in found.agent.targets]
    assert places[:4] == [("a", 1, "special"), ("a", 1, "usual"), ("b", 2, "special"), ("b", 2, "usual")]
    assert places[4][:2] == ("::1", 3) and places[6][:2] == ("c", 4)
    assert [target.tls for target in found.agent.targets] == [False] * 6 + [True] * 2
    assert found.agent.targets[0].password is None and found.agent.targets[6].password
    assert [(target.key, target.tls) for target in found.parser.targets] == [("a", False), ("b", True)]


@pytest.mark.parametrize(
    ("agent", "field"),
    [
        ('output.redis: {hosts: ["${REDIS_HOST:10.0.1.5}"]}', "host"),
        ('output.redis: {hosts: [h], password: "${REDIS_PASS}"}', "password"),
        ('output.redis: {hosts: [h], key: "%{[type]}"}', "key"),
        ("output.redis: {hosts: [h], db: zero}", "db"),
        ("output.redis: {hosts: [h], db: [1]}", "db"),
        ("output.redis: {hosts: [{a: b}]}", "host"),
    ],
)
def test_an_unknown_value_is_not_guessed(agent: str, field: str) -> None:
    (target,) = read(agent).agent.targets
    assert list(target.unknown) == [field] and getattr(target, field) is None


@pytest.mark.parametrize(
    "text", ["", "output.elasticsearch.hosts: [x]", "output.redis: {hosts: [x], enabled: false}", "[]", "x"]
)
def test_a_filebeat_that_writes_elsewhere_has_no_target(text: str) -> None:
    assert read(text).agent.targets == () == read(text).agent.problems


@pytest.mark.parametrize(
    ("agent", "parser"),
    [
        ("a: [Pl4nted-secret\nb: 1", "input { redis { password => 'Pl4nted-secret"),
        ("\tPl4nted-secret: 1", "Pl4nted-secret"),
        ("a: &a [*b]", "input { redis { host => 10.0.1.5 } }"),
        ("- " * 5000, "input {" * 5000),
        ("\0", "\0"),
        ("a: !!python/object:os.system [x]\n  b", "}"),
    ],
)
def test_broken_files_are_problems_without_their_content(agent: str, parser: str) -> None:
    found = read(agent, parser)
    for plugin, path in ((found.agent, DJANGO), (found.parser, APP_LOG)):
        assert plugin.targets == () and len(plugin.problems) == 1
        assert english(plugin.problems[0]).startswith(f"{path}:")
    assert "Pl4nted" not in json.dumps(msgspec.to_builtins(found))


def test_a_flood_of_aliases_ends() -> None:
    lines = ["a0: &a0 {x: 1}"] + [f"a{n}: &a{n} {{x: *a{n - 1}, y: *a{n - 1}}}" for n in range(1, 40)]
    assert read("\n".join(lines)).agent.problems


def test_files_that_cannot_be_read_are_problems() -> None:
    found = read(entry(DJANGO, error="Permission denied"), entry(APP_LOG, "input {", truncated=True))
    assert [english(problem) for problem in found.agent.problems] == [f"{DJANGO}: Permission denied"]
    assert len(found.parser.problems) == 1


@pytest.mark.parametrize(
    ("argv", "runs"),
    [
        (("/usr/share/filebeat/bin/filebeat", "-c", DJANGO), True),
        (("/usr/share/filebeat/bin/filebeat", f"-path.config={AGENT}/conf"), True),
        ((f"{AGENT}/filebeat", "-e"), True),
        (("/usr/bin/filebeat", "-c", "/etc/filebeat/filebeat.yml"), False),
        (("/usr/bin/filebeat", "-c", f"{AGENT}_old/conf/django.yml"), False),
        (("tail", "-f", DJANGO), False),
        (("vim", DJANGO), False),
        (("grep", "filebeat", DJANGO), False),
        ((), False),
    ],
)
def test_what_counts_as_a_running_log_agent(argv: tuple[str, ...], runs: bool) -> None:
    found = read(NESTED, running=[process(7, 1, *argv)])
    assert found.agent.pids == ((7,) if runs else ())


def test_logstash_is_java_with_its_configuration_at_the_end_of_a_long_line() -> None:
    classpath = ":".join(f"/usr/share/logstash/logstash-core/lib/jars/jar-{n}.jar" for n in range(60))
    java = ["/usr/bin/java", "-Xms1g", "-cp", classpath, "org.logstash.Logstash", "-f", APP_LOG]
    assert read(parser=LOGSTASH, running=[process(7, 1, *java)]).parser.pids == (7,)
    other = [*java[:-1], "/etc/logstash/conf.d/x.conf"]
    assert read(parser=LOGSTASH, running=[process(7, 1, *other)]).parser.pids == ()
    zombie = process(7, 1, *java, state="Z")
    assert read(parser=LOGSTASH, running=[zombie]).parser.pids == ()


def test_only_the_configurations_that_a_process_names_count() -> None:
    old = entry(f"{AGENT}/conf/old.yml", NESTED.replace("paas_app_log", "paas_log"))
    both = {"log-agent-conf": [entry(DJANGO, NESTED), old]}
    keys = lambda running: [one.key for one in read(NESTED, running=running, **both).agent.targets]  # noqa: E731
    assert keys([]) == ["paas_app_log", "paas_log"]
    assert keys([process(7, 1, "/usr/bin/filebeat", "-c", DJANGO)]) == ["paas_app_log"]
    assert keys([process(7, 1, "/usr/bin/filebeat", "--path.config", f"{AGENT}/conf")]) == [
        "paas_app_log",
        "paas_log",
    ]


def test_folders_that_are_not_there() -> None:
    found = read()
    assert not found.agent.folder.exists and not found.parser.filled and found.agent.files == ()


LOGS = f"{HOME}/paas_agent/apps/logs"


def saas_log(name: str, *lines: str, **more: Any) -> dict[str, Any]:
    return entry(f"{LOGS}/a/{name}.log", "".join(f"{line}\n" for line in lines), mtime=NOW, **more)


def logs_of(*entries: dict[str, Any]) -> tuple[LogFile, ...]:
    return log_plugins({}, {"saas-log": list(entries)}, None, Secrets(b"k")).logs


def test_logs_of_applications_the_newest_first_without_those_of_uwsgi() -> None:
    found = logs_of(saas_log("uwsgi"), saas_log("a") | {"mtime": NOW - 60}, saas_log("b"), missing("x"))
    assert [log.path.rpartition("/")[2] for log in found] == ["b.log", "a.log"]
    assert logs_of() == ()


def test_a_log_has_the_last_time_of_each_quarter_of_a_minute() -> None:
    """NOW is 09:47:28 in Shanghai, where Django sets the zone of the lines."""
    lines = [
        "of a record before",
        "INFO [2018-07-30 09:45:01] a",
        "ERROR [2018-07-30 09:47:20] b",
        "  Traceback",
    ]
    (log,) = logs_of(saas_log("a", *lines, "INFO [2018-07-30 09:47:28] c"))
    assert log.times == (NOW - 147, NOW) and log.whole  # 09:47:20 is in the same quarter as 09:47:28
    (log,) = logs_of(saas_log("a", *lines, offset=4096))
    assert log.times == (NOW - 147, NOW - 8) and not log.whole


def test_of_a_long_log_only_the_last_times_are_kept() -> None:
    lines = [
        f"INFO [2018-07-30 08:{minute:02d}:{second:02d}] x" for minute in range(60) for second in (1, 20, 40)
    ]
    (log,) = logs_of(saas_log("a", *lines, "INFO [2018-07-30 09:47:28] x"))
    assert len(log.times) == 120 and log.times[-1] == NOW and not log.whole


@pytest.mark.parametrize(
    "line", ["INFO [2018-07-30 01:47:28] a", "INFO [2018-07-30 17:47:28] a", "no time", ""]
)
def test_lines_of_another_zone_have_no_times(line: str) -> None:
    assert logs_of(saas_log("a", line))[0].times == ()


@pytest.mark.parametrize(
    ("paths", "left_out", "reads"),
    [
        (["/logs/*/*.log"], [], True),
        (["/logs/a/b.log"], [r"uwsgi\.log$", r".*\.gz$", r"^.*celery"], True),
        (["/logs/*/*.log"], [r"b\.log$"], False),
        (["/logs/*/*.log"], [".log$"], False),
        (["/logs/*/*.log"], ["^/logs/(a|c)/"], False),
        (["/logs/*/*.log"], ["[a-c].log"], False),
        (["/logs/*/*.log"], [r"\.(gz|zip|[0-9])$", "^/other/.*log", "[a-c]_debug"], True),
        (["/logs/*/*.log"], ["a*b*c*d*$"], False),
        (["/logs/*.log"], [], False),
        (["/logs/*/*.log"], ["(a+)+$"], False),
        (["/logs/**"], [], False),
        ([], [], False),
    ],
)
def test_which_logs_log_agent_surely_reads(paths: list[str], left_out: list[str], reads: bool) -> None:
    prospector = {"input_type": "log", "paths": paths, "exclude_files": left_out}
    assert read(json.dumps({"filebeat.prospectors": [prospector]})).agent.reads("/logs/a/b.log") is reads
    nested = {"filebeat": {"inputs": [{"paths": ["/x"]}, prospector]}}
    assert read(json.dumps(nested)).agent.reads("/logs/a/b.log") is reads


@pytest.mark.parametrize(
    ("agent", "parser"),
    [
        ({"filebeat.prospectors": [{"paths": ["/x"], "exclude_lines": ["^DEBUG"]}]}, LOGSTASH),
        ({"filebeat": {"inputs": [{"paths": ["/x"], "include_lines": ["ERROR"]}]}}, LOGSTASH),
        ({"processors": [{"drop_event": {"when": {"equals": {"x": 1}}}}]}, LOGSTASH),
        ({"processors": [{"drop_event": None}]}, LOGSTASH),
        ({}, LOGSTASH + 'filter { if "DEBUG" in [message] { drop { } } }'),
    ],
)
def test_plugins_that_drop_lines_on_purpose(agent: Any, parser: str) -> None:
    found = read(json.dumps(agent), parser)
    assert found.agent.selects is bool(agent) and found.parser.selects is not bool(agent)


def test_where_log_parser_delivers_without_logins() -> None:
    text = (
        LOGSTASH
        + """output {
      if [type] == "django" { elasticsearch { hosts => ["10.0.1.7:9200", "http://me:Pl4/nted@es:9201/x"] } }
      else { elasticsearch { hosts => "10.0.1.8" password => "Pl4nted-too" } }
    }"""
    )
    assert read(parser=text).parser.outputs == ("10.0.1.7:9200", "es:9201", "10.0.1.8")


def test_where_the_connections_of_the_plugins_lead() -> None:
    running = processes([process(7, 1, "/usr/bin/filebeat", "-c", DJANGO)], Secrets(b"k"))
    files = {"log-agent": [entry(AGENT, type="dir")], "log-agent-conf": [entry(DJANGO, NESTED)]}

    def peers(given: Any) -> Any:
        return log_plugins(files, {}, running, Secrets(b"k"), given).agent.peers

    assert peers({"7": ["10.0.1.5:6380", "::ffff:10.0.1.6:6379", "fe80::1:22"]}) == (
        ("10.0.1.5", 6380),
        ("10.0.1.6", 6379),
        ("fe80::1", 22),
    )
    assert peers({"7": []}) == () and peers({}) is None and peers(None) is None


def test_hostile_entries_do_no_harm() -> None:
    answer = first()
    for value in (None, 7, [], "x", [None, 7, {"path": 7, "text": 8}], {"a": 1}):
        for name in ("log-agent", "log-agent-content", "log-agent-conf", "log-parser"):
            answer["files"][name] = value
        facts = host_facts(host(), visit(answer), Secrets())
        assert msgspec.json.decode(msgspec.json.encode(facts))


def test_a_host_without_a_home_says_so() -> None:
    answer = first()
    error = "no home of BlueKing on this host"
    for name in ("log-agent", "log-parser"):
        answer["files"][name] = [{"path": "x", "type": "missing", "error": error}]
    view = HostView(host_facts(host(), visit(answer), Secrets()))
    with pytest.raises(Exception, match=error):
        _ = view.log_plugins
