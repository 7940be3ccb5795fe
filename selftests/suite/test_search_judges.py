"""Elasticsearch and the redis before it: the component at fault, and when no answer is not a fault."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from judges import deployment, facts, room, views
from msgspec.structs import replace

from bkpaas import messages
from bkpaas.checks import Finding
from bkpaas.errors import NoData, NotApplicable
from bkpaas.facts import (
    Addresses,
    Answer,
    FileFact,
    HostFacts,
    Index,
    Listener,
    LogFile,
    LogPlugin,
    LogPlugins,
    Names,
    Node,
    RedisAnswer,
    RedisTarget,
    Resolved,
    Search,
    Searches,
    Settings,
    SettingsByProject,
    Sockets,
    System,
    Value,
)
from bkpaas.facts.redis import RedisAnswers
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import Deployment, Thresholds

SEARCH = room("tests_logging/test_elasticsearch.py")
REDIS = room("tests_logging/test_log_redis.py")
FRESH = room("tests_logging/test_log_freshness.py").test_logged_lines_are_in_the_index
NOW = 1532915248.0  # 2018-07-30 01:47:28 in UTC
SITE = deployment({"appo-1": "appo", "es-1": "es", "paas-1": "paas"})  # 10.0.1.1, .2, .3
OTHER_PORT = replace(SITE, ports={"es": 9200})
ES = "10.0.1.2:10004"
ROOT = {"version": {"number": "5.4.0"}, "name": "es-1"}
GREEN = {"status": "green", "number_of_nodes": 1, "unassigned_shards": 0}
TODAY, YESTERDAY = "paas_app_log-2018.07.30", "paas_app_log-2018.07.29"
OLD = "paas_app_log-2018.07.01"
TARGET = RedisTarget("/conf", 3, "10.0.1.9", 6379, 0, "paas_app_log", "list", "secret:aaaaaaaaaaaa")
PLUGIN = LogPlugin(
    FileFact("/log_x", "dir"), True, (7,), ("/conf",), (TARGET,), (), peers=(("10.0.1.9", 6379),)
)
AGENT = replace(PLUGIN, paths=("/logs/*/*.log",))
NONE = LogPlugin(FileFact("/log_x", "missing"), False, (), (), (), ())
CLOCK = System("x", 0, "2.7", "/data/bkce", 0.0, NOW, 28800, "CST", None, None)
GOOD = ("+OK", "+OK", "+PONG", "+list", ":5")


def answer(body: Any = "", status: int | None = 200, kind: str | None = None, path: str = "/") -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(f"http://{ES}{path}", status, body=text, error_kind=kind, error_text=kind)


def health(body: Any = GREEN, status: int | None = 200, kind: str | None = None) -> Answer:
    return answer(body, status, kind, "/_cluster/health")


WELL = Search(answer(ROOT), health(), indices=(Index(OLD), Index(YESTERDAY), Index(TODAY)), newest=NOW - 20)


def setting(value: Any, kind: Any = "str") -> SettingsByProject:
    values = {"ELASTICSEARCH_URLS": Value(kind, "/s.py", 37, value)}
    return SettingsByProject({"paas": Settings("paas", (), values)})


def talks(*replies: str, ping: RedisAnswer | None = None, **more: Any) -> RedisAnswers:
    first = ping or RedisAnswer(replies=("-NOAUTH Authentication required.",))
    own = RedisAnswer(replies=replies or GOOD, **more)
    return RedisAnswers({"redis-10.0.1.9:6379": first, f"redis-{TARGET.server}": own})


def paas(search: Search = WELL, value: Any = ES, parser: LogPlugin = PLUGIN, **more: Any) -> HostFacts:
    usual: dict[str, Any] = {
        "system": CLOCK, "settings": setting(value), "searches": Searches({ES: search}), "redis": talks(),
        "names": Names({}), "addresses": Addresses(("127.0.0.1", "10.0.1.3")), "log_plugins": LogPlugins(NONE, parser),
    }  # fmt: skip
    return facts("paas-1", **{**usual, **more})


def app(*logs: LogFile, agent: LogPlugin = AGENT, **more: Any) -> HostFacts:
    usual: dict[str, Any] = {
        "system": CLOCK,
        "redis": talks(),
        "names": Names({}),
        "log_plugins": LogPlugins(agent, NONE, logs),
    }
    return facts("appo-1", **{**usual, **more})


def es(*ports: int) -> HostFacts:
    listeners = tuple(Listener(4, "0.0.0.0", port) for port in ports)
    return facts(
        "es-1",
        addresses=Addresses(("127.0.0.1", "10.0.1.2", "172.16.0.2")),
        sockets=Sockets(listeners, (), True),
    )


def judge(test: Any, *hosts: HostFacts, name: str = "paas-1", known: Deployment = SITE) -> str:
    """pass, or the word and the text."""
    there = {one.host: one for one in (paas(), app(), es(10004), *hosts)}
    of = views(list(there.values()))
    try:
        test(of(name), known, of, Finding())
    except AssertionError as error:
        return f"fail: {error}"
    except NoData as error:
        return f"no data: {error}"
    except NotApplicable as error:
        return f"n/a: {error}"
    return "pass"


OF_PAAS = (
    SEARCH.test_elasticsearch_address_in_the_settings_of_paas,
    SEARCH.test_elasticsearch_is_healthy,
    SEARCH.test_elasticsearch_takes_new_documents,
    REDIS.test_redis_answers_the_plugins,
    REDIS.test_log_parser_keeps_up,
    REDIS.test_plugins_use_the_redis_of_their_configuration,
    FRESH,
)
OF_APPS = (REDIS.test_redis_answers_the_plugins, REDIS.test_plugins_use_the_redis_of_their_configuration)
CONFIG, WELLNESS, WRITABLE, REACHED, QUEUE, CONNECTED, _ = OF_PAAS


def test_a_healthy_site_passes() -> None:
    assert {judge(test) for test in OF_PAAS} | {judge(test, name="appo-1") for test in OF_APPS} == {"pass"}


def test_an_edition_without_plugins_is_not_judged() -> None:
    bare = paas(parser=NONE, settings=SettingsByProject({}), redis=RedisAnswers({})), app(agent=NONE)
    words = {judge(test, *bare) for test in OF_PAAS} | {judge(test, *bare, name="appo-1") for test in OF_APPS}
    assert len(words) == 1 and words.pop().startswith("n/a: no log_agent, no log_parser")


def at(place: str, **more: Any) -> HostFacts:
    return paas(value=place, searches=Searches({place.rpartition("@")[2]: WELL}), **more)


def refused(place: str) -> HostFacts:
    gone = answer(status=None, kind="refused")
    return paas(value=place, searches=Searches({place: Search(gone, gone)}))


@pytest.mark.parametrize("place", [ES, "172.16.0.2:10004", "elastic:secret:aaaaaaaaaaaa@10.0.1.2:10004"])
def test_every_address_of_an_es_host_will_do(place: str) -> None:
    assert judge(CONFIG, at(place)) == "pass"


def test_names_of_elasticsearch() -> None:
    named = Names(
        {
            "es": Resolved("es", ("10.0.1.2",)),
            "old": Resolved("old", ("10.0.1.2", "10.0.1.99")),
            "x": Resolved("x"),
        }
    )
    assert judge(CONFIG, at("es:10004", names=named)) == "pass"
    assert judge(CONFIG, at("old:10004", names=named)).startswith(
        "fail: old:10004: 10.0.1.99 is not an es host"
    )
    assert judge(CONFIG, at("x:10004", names=named)) == "fail: x does not resolve here"
    assert judge(CONFIG, at("y:10004", names=named)) == "no data: y was not resolved"


def test_an_address_outside_of_the_inventory() -> None:
    foreign = "10.0.1.77:10004"
    assert "10.0.1.77 is not an es host of the inventory (es-1 10.0.1.2)" in judge(CONFIG, at(foreign))
    assert judge(CONFIG, at(foreign), known=replace(SITE, virtual_addresses=("10.0.1.77",))) == "pass"
    assert judge(CONFIG, at(foreign, parser=replace(PLUGIN, outputs=(foreign,)))) == "pass"
    without = deployment({"appo-1": "appo", "x": "mysql", "paas-1": "paas"})
    assert judge(CONFIG, at(foreign), facts("x"), known=without) == "pass", "there is nothing to compare with"


def test_a_port_where_nothing_listens_is_a_wrong_address_and_a_stopped_elasticsearch_is_not() -> None:
    assert "nothing listens on 9201; the inventory's port of es is 10004" in judge(
        CONFIG, refused("10.0.1.2:9201")
    )
    assert judge(CONFIG, refused(ES), es()) == "pass"
    assert judge(CONFIG, refused("10.0.1.2:9201"), es(9201)) == "pass"
    assert judge(CONFIG, at("10.0.1.2:9201"), es(9201)) == "pass", (
        "the inventory may be the one that is wrong"
    )
    assert judge(CONFIG, refused(ES), es(), known=OTHER_PORT).startswith("fail")


@pytest.mark.parametrize("body", ["<html>nginx</html>", {"result": False}])
def test_another_program_at_the_address(body: Any) -> None:
    words = judge(CONFIG, paas(replace(WELL, root=answer(body))))
    assert words.startswith(f"fail: {ES} answers, but is not Elasticsearch: ")
    assert judge(WELLNESS, paas(replace(WELL, root=answer(body)))).startswith(
        f"fail: {ES} is not Elasticsearch"
    )
    assert judge(CONFIG, paas(replace(WELL, root=answer(status=None, kind="protocol")))).startswith("fail")


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("", "fail: /s.py:37: ELASTICSEARCH_URLS is empty"),
        ("es:port", "fail: /s.py:37: ELASTICSEARCH_URLS: 'es:port' is not an address"),
    ],
)
def test_what_is_no_address(value: str, word: str) -> None:
    assert judge(CONFIG, paas(value=value)) == word
    assert judge(WELLNESS, paas(value=value)) == word.replace("fail", "no data")
    assert judge(FRESH, paas(value=value)) == word.replace("fail", "no data")


def test_an_unknown_setting_is_no_data() -> None:
    for test in (CONFIG, WELLNESS, WRITABLE, FRESH):
        assert judge(test, paas(settings=setting(None, "expression"))).startswith("no data: /s.py:37")
        assert "is not in the settings" in judge(test, paas(settings=SettingsByProject({})))


REFUSED = {"error": {"type": "security_exception", "reason": "missing authentication"}, "status": 401}


@pytest.mark.parametrize(
    ("search", "words"),
    [
        (replace(WELL, health=health({**GREEN, "status": "yellow"})), "pass"),
        (replace(WELL, health=health({**GREEN, "status": "red", "unassigned_shards": 4})), "fail: .* status red, 1 nodes, 4 unassigned shards"),
        (replace(WELL, root=answer(status=None, kind="refused")), "fail: .*connection refused"),
        (replace(WELL, health=health(status=None, kind="silent")), "fail: .*connected, but no answer"),
        (replace(WELL, root=answer(REFUSED, 401)), "fail: .*requires a login, and the settings of paas have none .HTTP 401"),
        (replace(WELL, root=answer({"error": {"type": "master_not_discovered_exception", "reason": None}}, 503)), "fail: .*HTTP 503: master_not"),
        (replace(WELL, health=health(REFUSED, 403)), "no data: .*HTTP 403: security_exception"),
        (replace(WELL, health=health({})), "no data: .*no status"),
        (replace(WELL, root=answer(status=None, kind="withheld")), "no data: .*ssh://"),
        (replace(WELL, root=answer(status=None, kind="tls")), "no data: .*TLS"),
    ],
)  # fmt: skip
def test_health(search: Search, words: str) -> None:
    assert_matches(judge(WELLNESS, paas(search)), words)


def assert_matches(actual: str, words: str) -> None:

    assert re.match(words, actual), actual


def test_a_refused_login_names_its_user() -> None:
    place = "elastic:secret:aaaaaaaaaaaa@10.0.1.2:10004"
    words = judge(WELLNESS, paas(replace(WELL, root=answer(REFUSED, 401)), value=place))
    assert "refuses the login of elastic" in words and "secret:" not in words


def test_each_of_several_addresses_counts() -> None:
    both = Searches({ES: WELL, "10.0.1.4:10004": replace(WELL, root=answer(status=None, kind="timeout"))})
    words = judge(WELLNESS, paas(value=f"{ES};10.0.1.4:10004", searches=both))
    assert words.startswith("fail: 10.0.1.4:10004: no connection in time")


@pytest.mark.parametrize("name", ["", YESTERDAY, TODAY])
def test_blocks_where_documents_go(name: str) -> None:
    words = judge(
        WRITABLE,
        paas(
            replace(
                WELL,
                blocks={name: ("index.blocks.read_only_allow_delete",)},
                nodes=(Node("a", 96.5), Node("b", 40.0)),
            )
        ),
    )
    assert words.startswith(f"fail: {name or 'the cluster'}: index.blocks.read_only_allow_delete")
    assert "flood stage" in words and "too full: a 96.5 %" in words and "b 40" not in words


def test_an_old_index_may_be_read_only_but_not_the_newest() -> None:
    blocks = {OLD: ("index.blocks.write",)}
    assert judge(WRITABLE, paas(replace(WELL, blocks=blocks))) == "pass"
    words = judge(WRITABLE, paas(replace(WELL, blocks=blocks, indices=(Index(OLD),))))
    assert words == f"fail: {OLD}: index.blocks.write"
    assert judge(WRITABLE, paas(replace(WELL, indices=(Index(OLD, True), Index(TODAY))))) == "pass"
    assert judge(WRITABLE, paas(replace(WELL, indices=(Index(TODAY, True),)))) == f"fail: {TODAY}: closed"
    assert judge(WRITABLE, paas(replace(WELL, indices=()))) == "pass", "nothing was ever delivered"


def test_blocks_that_are_not_known() -> None:
    assert judge(WRITABLE, paas(replace(WELL, unknown={"blocks": "HTTP 403"}))) == "no data: HTTP 403"
    assert judge(WRITABLE, paas(replace(WELL, unknown={"nodes": "HTTP 403"}))) == "pass"


@pytest.mark.parametrize(
    ("redis", "words"),
    [
        (talks(ping=RedisAnswer(replies=("+PONG",))), "pass"),
        (talks("-WRONGPASS invalid", "-NOAUTH x", "-NOAUTH x"), "fail: 10.0.1.9:6379: AUTH: -WRONGPASS invalid$"),
        (talks("-ERR Client sent AUTH, but no password is set", "+OK", "+PONG"), "fail: .*AUTH: -ERR Client sent AUTH"),
        (talks("+OK", "-ERR DB index is out of range", "+PONG"), "fail: .*SELECT 0: -ERR DB index"),
        (talks("+OK", error_kind="silent"), "fail: .*connected, but no answer in time"),
        (talks(ping=RedisAnswer("refused")), "fail: .*connection refused"),
        (talks(ping=RedisAnswer("timeout")), "fail: .*a firewall drops it"),
        (talks(ping=RedisAnswer("empty", replies=("-DENIED Redis is running in protected mode",))), "fail: .*-DENIED"),
        (talks(ping=RedisAnswer(replies=("-LOADING Redis is loading the dataset in memory",))), "fail: .*-LOADING"),
        (talks(ping=RedisAnswer(replies=("HTTP/1.1 400 Bad Request",))), "fail: .*the answer is not from redis: HTTP/1.1 400"),
        (talks(error_kind="withheld"), "no data: .*ssh://"),
        (RedisAnswers({}), "no data: not queried"),
    ],
)  # fmt: skip
def test_redis_as_each_side_meets_it(redis: RedisAnswers, words: str) -> None:
    if redis.by_name and redis.by_name[f"redis-{TARGET.server}"].error_kind == "withheld":
        redis = RedisAnswers({**redis.by_name, f"redis-{TARGET.server}": RedisAnswer("withheld")})
    assert_matches(judge(REACHED, paas(redis=redis)), words)
    assert_matches(judge(REACHED, app(redis=redis), name="appo-1"), words)


def test_the_reply_to_a_refused_login_is_not_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    """`AUTH: ...` in one parameter of a message looks like a password."""
    monkeypatch.setattr(messages, "_redact", Secrets().redact)
    site = paas(redis=talks("-WRONGPASS invalid", "-NOAUTH x", "-NOAUTH x"))
    actual = judge(REDIS.test_redis_answers_the_plugins, site)
    assert actual == "fail: 10.0.1.9:6379: AUTH: -WRONGPASS invalid"


def test_a_redis_without_a_login() -> None:
    open_ = replace(TARGET, password=None)
    actual = RedisAnswers(
        {
            "redis-10.0.1.9:6379": RedisAnswer(replies=("-NOAUTH x",)),
            f"redis-{open_.server}": RedisAnswer(replies=("-NOAUTH x", "-NOAUTH x")),
        }
    )
    words = judge(REACHED, paas(parser=replace(PLUGIN, targets=(open_,)), redis=actual))
    assert words.endswith("SELECT 0: -NOAUTH x, and there is no password in the configuration")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"password": None, "unknown": {"password": "comes from the variable X"}}, "no data: .*comes from the variable X"),
        ({"host": None, "unknown": {"host": "comes from the variable X"}}, "no data: /conf:3: host comes from"),
        ({"tls": True}, "no data: .*over TLS, not queried"),
    ],
)  # fmt: skip
def test_what_could_not_be_asked(fields: dict[str, Any], words: str) -> None:
    parser = replace(PLUGIN, targets=(replace(TARGET, **fields),))
    for test in (REACHED, QUEUE):
        assert_matches(judge(test, paas(parser=parser)), words)


def test_a_host_without_plugins_next_to_one_with_them() -> None:
    for test in (REACHED, QUEUE, CONNECTED):
        assert judge(test, paas(parser=NONE)).startswith("n/a: no log_agent or log_parser on this host")
    assert judge(REACHED, paas(parser=replace(PLUGIN, targets=()))).startswith(
        "no data: no redis in the configuration"
    )


LENGTHS = ("+OK", "+OK", "+PONG", "+list")


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        (("+OK", "+OK", "+PONG", "+none", ":0"), "pass"),
        ((*LENGTHS, ":1000"), "pass"),
        ((*LENGTHS, ":1001", *LENGTHS, ":1002"), "fail: .*paas_app_log: 1001 -> 1002, 3 s: it grows .limit 1000"),
        ((*LENGTHS, ":900000", *LENGTHS, ":900000"), "pass"),
        ((*LENGTHS, ":900000", *LENGTHS, ":5"), "pass"),
        ((*LENGTHS, ":900000", *LENGTHS), "no data: .*paas_app_log: 900000; no answer"),
        ((*LENGTHS[:3], "+string", "-WRONGTYPE x"), "no data: paas_app_log is a string, not a list"),
        ((*LENGTHS[:3], "-ERR unknown command 'TYPE'", ":5"), "no data: paas_app_log: -ERR unknown command"),
        ((*LENGTHS, "-NOPERM x"), "no data: paas_app_log: .list -NOPERM"),
        (LENGTHS, "no data: 10.0.1.9:6379: no answer"),
        (("-WRONGPASS x",) * 5, "no data: paas_app_log: -WRONGPASS"),
    ],
)  # fmt: skip
def test_length_of_the_list(replies: tuple[str, ...], words: str) -> None:
    assert_matches(judge(QUEUE, paas(redis=talks(*replies))), words)


def test_a_channel_has_no_length() -> None:
    channel = replace(PLUGIN, targets=(replace(TARGET, type="channel"),))
    assert judge(QUEUE, paas(parser=channel)).startswith("n/a: log_parser reads a channel")


@pytest.mark.parametrize(
    ("peers", "words"),
    [
        ((), "pass"),
        ((("10.0.1.2", 10004),), "pass"),
        ((("10.0.1.8", 6379), ("10.0.1.9", 6379)), "pass"),
        ((("10.0.1.8", 6379),), "fail: log_parser is connected to 10.0.1.8:6379, its configuration has 10.0.1.9:6379"),
        (None, "no data: the connections of log_parser are not known"),
    ],
)  # fmt: skip
def test_connections(peers: Any, words: str) -> None:
    assert_matches(judge(CONNECTED, paas(parser=replace(PLUGIN, peers=peers))), words)


def test_a_name_may_have_more_addresses_than_a_resolver_returns_in_one_answer() -> None:
    parser = replace(PLUGIN, targets=(replace(TARGET, host="redis"),), peers=(("10.0.1.4", 6379),))
    host = paas(parser=parser, names=Names({"redis": Resolved("redis", ("10.0.1.9",))}))
    assert judge(CONNECTED, host).startswith("fail")
    more = deployment({"appo-1": "appo", "es-1": "es", "paas-1": "paas", "redis-1": "redis"})
    assert judge(CONNECTED, host, known=more) == "pass"


def test_connections_of_a_name() -> None:
    parser = replace(PLUGIN, targets=(replace(TARGET, host="redis"),))
    named = Names({"redis": Resolved("redis", ("10.0.1.8", "10.0.1.9"))})
    assert judge(CONNECTED, paas(parser=parser, names=named)) == "pass"
    assert judge(CONNECTED, paas(parser=parser)) == "no data: redis does not resolve here"
    local = replace(PLUGIN, targets=(replace(TARGET, host="127.0.0.1"),), peers=(("127.0.0.1", 6379),))
    assert judge(CONNECTED, paas(parser=local)) == "pass"


def log(*ages: float, path: str = "/logs/a/a.log", whole: bool = True) -> LogFile:
    """With lines so many seconds ago."""
    return LogFile(path, NOW - (ages[-1] if ages else 0), tuple(NOW - age for age in ages), whole)


def fresh(newest: float | None, *logs: LogFile, **more: Any) -> str:
    """newest: how old the newest document is."""
    search = replace(WELL, newest=None if newest is None else NOW - newest)
    return judge(FRESH, paas(search), app(*logs, **more))


@pytest.mark.parametrize(
    ("newest", "logs", "words"),
    [
        (10, [log(400, 9)], "pass"),
        (3600, [log(400)], "fail: the newest document is 60 min old, but appo-1 /logs/a/a.log has a line from 7 min old"),
        (3600, [log(3601)], "pass"),
        (3600, [log(9000)], "pass"),
        (3600, [log(200, 100, 2)], "n/a: .*no line that an application has written since"),
        (3600, [log(290, 2, whole=False)], "no data: .*too new"),
        (3600, [], "n/a"),
        (200, [log(290, 2, whole=False)], "pass"),
        (None, [log(400)], "fail: the newest document is from before yesterday"),
        (None, [log(200000)], "pass"),
        (None, [], "n/a"),
        (-28800, [log(400)], "fail: the newest document is 8.0 h in the future: a clock is wrong, or a time zone"),
        (3600, [log(400, path="/logs/a/b/c.log")], "n/a"),
        (404, [log(400)], "pass"),
    ],
)  # fmt: skip
def test_only_a_line_that_should_be_there_by_now_is_missed(
    newest: float | None, logs: list[LogFile], words: str
) -> None:
    assert_matches(fresh(newest, *logs), words)


def test_the_delay_is_the_sites_own() -> None:
    patient = replace(SITE, thresholds=Thresholds(log_delay_minutes=10))
    hosts = paas(replace(WELL, newest=NOW - 3600)), app(log(400))
    assert judge(FRESH, *hosts).startswith("fail") and judge(FRESH, *hosts, known=patient).startswith("n/a")


def test_what_log_agent_may_leave_out_is_not_missed() -> None:
    assert fresh(3600, log(400), agent=replace(AGENT, left_out=(r"a\.log$",))).startswith("n/a")
    assert fresh(3600, log(400), agent=replace(AGENT, paths=())).startswith("n/a")


def test_where_lines_are_dropped_on_purpose_none_is_missed() -> None:
    assert fresh(3600, log(400), agent=replace(AGENT, selects=True)).startswith("n/a")
    drops = paas(replace(WELL, newest=NOW - 3600), parser=replace(PLUGIN, selects=True))
    assert judge(FRESH, drops, app(log(400))).startswith("n/a")


def test_a_port_is_only_wrong_on_a_collected_host() -> None:
    hidden = facts("es-1")
    assert judge(CONFIG, refused("10.0.1.2:9201"), hidden) == "pass"


def test_what_is_needed_is_named() -> None:
    needed = []
    for test, name in ((WELLNESS, "paas-1"), (WRITABLE, "paas-1"), (REACHED, "appo-1")):
        finding = Finding()
        known = deployment(
            {"appo-1": "appo", "es-1": "es", "paas-1": "paas"}
            | {f"x{n}": "x" for n in range(5)}
            | {"redis-1": "redis"}
        )
        of = views([paas(), app(), es(10004), facts("redis-1"), *(facts(f"x{n}") for n in range(5))])
        test(of(name), known, of, finding)
        needed.append(finding.hosts)
    assert needed == [{"es-1"}, {"es-1"}, {"redis-1"}]


def test_a_search_that_failed_is_no_data() -> None:
    assert judge(FRESH, paas(replace(WELL, unknown={"newest": "HTTP 400"}))) == "no data: HTTP 400"
