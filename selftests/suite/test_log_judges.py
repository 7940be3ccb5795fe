"""log_agent, log_parser and the list between them: the component at fault, and why."""

from __future__ import annotations

from typing import Any

import pytest
from judges import deployment, facts, room, views
from msgspec.structs import replace

from bkpaas.checks import Finding
from bkpaas.errors import NoData, NotApplicable
from bkpaas.facts import (
    Addresses,
    FileFact,
    HostFacts,
    LogPlugin,
    LogPlugins,
    Missing,
    Names,
    RedisTarget,
    Resolved,
)

LOGS = room("tests_logging/test_log_plugins.py")
ROLES = {"appo-1": "appo", "appt-1": "appt", "paas-1": "paas", "paas-2": "paas"}
DEPLOYMENT = deployment(ROLES)
TARGET = RedisTarget("/conf", 3, "10.0.1.9", 6379, 0, "paas_app_log", "list", "secret:aaaaaaaaaaaa")
ABSENT = LogPlugin(FileFact("/log_x", "missing"), False, (), (), (), ())
PRESENT = LogPlugin(FileFact("/log_x", "dir"), True, (7,), ("/conf",), (TARGET,), ())


def plugins(agent: LogPlugin = ABSENT, parser: LogPlugin = ABSENT) -> LogPlugins:
    return LogPlugins(agent, parser)


def site(**changed: HostFacts) -> list[HostFacts]:
    """A healthy one, with some hosts (paas_1 ...) changed."""
    usual = {
        "appo_1": facts("appo-1", log_plugins=plugins(agent=PRESENT)),
        "appt_1": facts("appt-1", log_plugins=plugins(agent=PRESENT)),
        "paas_1": facts("paas-1", log_plugins=plugins(parser=PRESENT)),
        "paas_2": facts("paas-2", log_plugins=plugins(parser=PRESENT)),
    }
    return list({**usual, **changed}.values())


def judge(test: Any, name: str, hosts: list[HostFacts], known: Any = DEPLOYMENT) -> str:
    """pass, or the word and the text."""
    of = views(hosts)
    try:
        test(of(name), known, of, Finding())
    except AssertionError as error:
        return f"fail: {error}"
    except NoData as error:
        return f"no data: {error}"
    except NotApplicable as error:
        return f"n/a: {error}"
    return "pass"


def agent(name: str, **fields: Any) -> HostFacts:
    return facts(name, log_plugins=plugins(agent=replace(PRESENT, targets=(replace(TARGET, **fields),))))


def parser(name: str, **fields: Any) -> HostFacts:
    return facts(name, log_plugins=plugins(parser=replace(PRESENT, targets=(replace(TARGET, **fields),))))


TESTS = {
    "appo-1": (LOGS.test_log_agent_runs, LOGS.test_log_agent_writes_where_log_parser_reads),
    "appt-1": (LOGS.test_log_agent_runs, LOGS.test_log_agent_writes_where_log_parser_reads),
    "paas-1": (LOGS.test_log_parser_runs,),
    "paas-2": (LOGS.test_log_parser_runs,),
}


def test_a_healthy_site_passes() -> None:
    assert {judge(test, name, site()) for name, tests in TESTS.items() for test in tests} == {"pass"}


def test_an_edition_without_plugins_is_not_judged() -> None:
    hosts = [facts(name, log_plugins=plugins()) for name in ROLES]
    words = {judge(test, name, hosts) for name, tests in TESTS.items() for test in tests}
    assert len(words) == 1 and words.pop().startswith("n/a: no log_agent")


def test_one_part_anywhere_asks_for_all_of_it() -> None:
    hosts = [facts(name, log_plugins=plugins()) for name in ROLES if name != "paas-2"]
    hosts.append(facts("paas-2", log_plugins=plugins(parser=PRESENT)))
    assert judge(LOGS.test_log_agent_runs, "appo-1", hosts) == "fail: /log_x does not exist"
    assert judge(LOGS.test_log_parser_runs, "paas-1", hosts) == "pass", "one paas host does for all"


def test_what_was_not_seen_may_have_it() -> None:
    hosts = [facts(name, log_plugins=plugins()) for name in ROLES if name != "paas-2"] + [facts("paas-2")]
    assert judge(LOGS.test_log_agent_runs, "appo-1", hosts).startswith(
        "no data: no paas_plugins found, but paas-2"
    )
    assert judge(LOGS.test_log_agent_runs, "appo-1", site(appo_1=facts("appo-1"))) == "no data: not looked at"


@pytest.mark.parametrize(
    ("plugin", "word"),
    [
        (replace(PRESENT, filled=False), "fail: /log_x is empty"),
        (replace(PRESENT, pids=()), "fail: no filebeat runs with a configuration below /log_x"),
        (replace(PRESENT, pids=None), "no data: the processes are not known"),
        (replace(PRESENT, folder=FileFact("/log_x", "other", error="Permission denied")), "no data: /log_x: Permission denied"),
    ],
)  # fmt: skip
def test_log_agent_that_is_not_there_or_does_not_run(plugin: LogPlugin, word: str) -> None:
    hosts = site(appo_1=facts("appo-1", log_plugins=plugins(agent=plugin)))
    assert judge(LOGS.test_log_agent_runs, "appo-1", hosts) == word


def test_a_log_parser_that_is_deployed_must_run() -> None:
    stopped = facts("paas-1", log_plugins=plugins(parser=replace(PRESENT, pids=())))
    assert judge(LOGS.test_log_parser_runs, "paas-1", site(paas_1=stopped)).startswith(
        "fail: no logstash runs"
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("host", "10.0.1.8"), ("port", 6380), ("db", 1), ("key", "paas_log"), ("type", "channel"), ("password", "secret:bbbbbbbbbbbb"), ("password", None)],
)  # fmt: skip
def test_each_field_counts(field: str, value: object) -> None:
    words = judge(TESTS["appo-1"][1], "appo-1", site(appo_1=agent("appo-1", **{field: value})))
    assert words.startswith("fail: /conf:3: " + field) and "paas-1 /conf:3" in words
    assert "secret:" not in words
    assert [name for name in ("host", "port", "db", "key", "type", "password") if f": {name}" in words] == [
        field
    ]


def test_any_log_parser_suffices_and_the_nearest_is_named() -> None:
    far, near = parser("paas-1", db=7, port=1), parser("paas-2", key="other")
    words = judge(TESTS["appo-1"][1], "appo-1", site(paas_1=far, paas_2=near))
    assert "paas-2" in words and "key paas_app_log" in words and "key other" in words
    assert judge(TESTS["appo-1"][1], "appo-1", site(paas_1=far)) == "pass"


def test_every_list_that_is_written_must_be_read() -> None:
    both = replace(PRESENT, targets=(TARGET, replace(TARGET, key="nobody_reads")))
    hosts = site(appo_1=facts("appo-1", log_plugins=plugins(agent=both)))
    assert "nobody_reads" in judge(TESTS["appo-1"][1], "appo-1", hosts)


def named(host: HostFacts, **addresses: str) -> HostFacts:
    found = {name: Resolved(name, tuple(filter(None, words.split()))) for name, words in addresses.items()}
    return replace(host, names=Names(found))


def test_names_mean_their_addresses_where_they_are_used() -> None:
    ours = agent("appo-1", host="redis")
    assert judge(TESTS["appo-1"][1], "appo-1", site(appo_1=named(ours, redis="10.0.1.9"))) == "pass"
    words = judge(TESTS["appo-1"][1], "appo-1", site(appo_1=named(ours, redis="10.0.1.8")))
    assert words.startswith("fail: /conf:3: host redis")
    words = judge(TESTS["appo-1"][1], "appo-1", site(appo_1=named(ours, redis="")))
    assert words == "no data: redis does not resolve on appo-1"
    hostile = named(ours, redis="999.1.1.1 x")
    assert judge(TESTS["appo-1"][1], "appo-1", site(appo_1=hostile)).startswith("no data")


def test_the_same_name_is_equal_only_if_it_means_the_same() -> None:
    hosts = site(
        appo_1=named(agent("appo-1", host="redis"), redis="10.0.1.8"),
        paas_1=named(parser("paas-1", host="redis"), redis="10.0.1.9"),
        paas_2=named(parser("paas-2", host="redis"), redis="10.0.1.9"),
    )
    assert judge(TESTS["appo-1"][1], "appo-1", hosts).startswith("fail")


def test_loopback_is_the_host_itself() -> None:
    """appo-1 is 10.0.1.1."""
    for theirs, word in (("127.0.0.1", "fail"), ("10.0.1.1", "pass"), ("172.16.0.1", "pass")):
        ours = replace(agent("appo-1", host="127.0.0.1"), addresses=Addresses(("127.0.0.1", "172.16.0.1")))
        hosts = site(appo_1=ours, paas_1=parser("paas-1", host=theirs), paas_2=parser("paas-2", host=theirs))
        assert judge(TESTS["appo-1"][1], "appo-1", hosts).partition(":")[0] == word


def test_what_cannot_be_compared_is_no_data() -> None:
    unclear = agent("appo-1", password=None, unknown={"password": "comes from the variable X"})
    assert judge(TESTS["appo-1"][1], "appo-1", site(appo_1=unclear)).startswith(
        "no data: /conf:3: password comes"
    )
    broken = facts(
        "paas-2", log_plugins=plugins(parser=replace(PRESENT, targets=(), problems=("/b.conf:3: x",)))
    )
    wrong = agent("appo-1", key="other")
    assert judge(TESTS["appo-1"][1], "appo-1", site(appo_1=wrong, paas_2=broken)).startswith(
        "no data: /b.conf:3: x"
    )
    assert judge(TESTS["appo-1"][1], "appo-1", site(paas_2=broken)) == "pass"
    assert judge(TESTS["appo-1"][1], "appo-1", site(appo_1=wrong, paas_2=facts("paas-2"))).startswith(
        "no data: paas-2"
    )
    silent = facts("appo-1", log_plugins=plugins(agent=replace(PRESENT, targets=())))
    assert judge(TESTS["appo-1"][1], "appo-1", site(appo_1=silent)).startswith("no data: no output.redis")
    assert isinstance(facts("x").log_plugins, Missing)
