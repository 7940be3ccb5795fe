"""Queries for Elasticsearch and redis follow their configuration and only read, for any configuration."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec.structs import fields

from bkpaas.collect import plan
from bkpaas.facts import HostFacts, LogPlugin, LogPlugins, Missing, RedisTarget, Secrets, System
from bkpaas.facts.file import FileFact
from bkpaas.facts.query import Earlier
from bkpaas.facts.settings import settings
from bkpaas.inventory.deployment import Connection, Deployment, Host

HOST = Host("paas-1", "10.0.1.3", ("paas",), Connection("ssh://root@10.0.1.3"))
DEPLOYMENT = Deployment("x", "5.x", (HOST,), "paas.bk.com")
READING = {"AUTH": 1, "SELECT": 1, "PING": 0, "TYPE": 1, "LLEN": 1}
TARGET = RedisTarget("/conf", 3, "10.0.1.9", 6379, 0, "logs", "list")
SYSTEM = System("x", 0, "2.7", "/data/bkce", 0.0, 1532915248.0, 28800, "CST", None, None)


def second(secrets: Secrets, source: str = "", *targets: RedisTarget) -> dict[str, Any]:
    """The second plan of a paas host with these settings and lists."""
    nouns: dict[str, Any] = {field.name: Missing("not looked at") for field in fields(HostFacts)}
    plugin = LogPlugin(FileFact("/log_x", "dir"), True, (7, 8), ("/conf",), targets, ())
    none = LogPlugin(FileFact("/log_y", "missing"), False, (), (), (), ())
    file = {"path": "/settings.py", "type": "file", "mode": 0o644, "text": source}
    nouns |= {
        "host": "paas-1", "collected": True, "error_kind": None, "error": None, "seconds": 0.1, "system": SYSTEM,
        "log_plugins": LogPlugins(none, plugin), "settings": settings({"settings-paas-2": [file]}, secrets),
    }  # fmt: skip
    found = plan.round_2(HOST, DEPLOYMENT, Earlier({"paas-1": HostFacts(**nouns)}, secrets.resolve_digest))
    assert found
    return found


def commands(ask: dict[str, Any]) -> list[list[str]]:
    """Return the commands that a redis receives."""
    data, found = ask["send"].encode(), [["AUTH", ask["auth"]["text"]]] if "auth" in ask else []
    while data:
        head, data = data.split(b"\r\n", 1)
        words = []
        for _ in range(int(head.removeprefix(b"*"))):
            size, data = data.split(b"\r\n", 1)
            length = int(size.removeprefix(b"$"))
            words.append(data[:length].decode())
            assert data[length : length + 2] == b"\r\n"
            data = data[length + 2 :]
        found.append(words)
    return found


def conversations(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {ask["name"]: ask for ask in found["tcp"] if ask["name"].startswith("redis-")}


def test_a_redis_is_asked_without_and_with_its_password() -> None:
    secrets = Secrets(b"k")
    one = RedisTarget("/a", 1, "10.0.1.9", 6379, 3, "logs", "list", secrets.digest("pass word\n你"))
    found = second(secrets, "", one, RedisTarget("/b", 1, "10.0.1.9", 6379, 3, "more", "list", one.password))
    requests_by_name = conversations(found)
    assert list(requests_by_name) == ["redis-10.0.1.9:6379", f"redis-{one.server}"]
    first, own = requests_by_name.values()
    assert commands(first) == [["PING"]] and first["lines"] == 1 and not first.get("secret")
    assert commands(own) == [
        ["AUTH", "pass word\n你"], ["SELECT", "3"], ["PING"], ["TYPE", "logs"], ["LLEN", "logs"], ["TYPE", "more"], ["LLEN", "more"],
    ]  # fmt: skip
    assert own["secret"] is True and own["lines"] == 7
    assert found["peers"] == [7, 8]


@pytest.mark.parametrize(
    "key", ["x\r\nFLUSHALL\r\n", "*1\r\n$8\r\nFLUSHALL\r\n", "x y", "你", "k" * 9000, "\0"]
)
def test_no_configuration_makes_it_say_anything_else(key: str) -> None:
    secrets = Secrets(b"k")
    targets = [RedisTarget("/a", 1, "r", 1, 0, key, "list", secrets.digest(key)), TARGET]
    for ask in conversations(second(secrets, "", *targets)).values():
        for name, *words in commands(ask):
            assert len(words) == READING[name]


def test_what_cannot_be_asked_is_not() -> None:
    unclear = RedisTarget("/a", 1, "r", 1, 0, "k", "list", unknown={"password": "comes from the variable X"})
    lost = RedisTarget("/a", 1, None, 1, 0, "k", unknown={"host": "comes from the variable X"})
    secure = RedisTarget("/a", 1, "s", 1, 0, "k", tls=True)
    assert list(conversations(second(Secrets(), "", unclear, lost, secure))) == ["redis-r:1"]
    many = [RedisTarget("/a", 1, f"r{number}", 1, 0, "k") for number in range(50)]
    assert len(conversations(second(Secrets(), "", *many))) == 10, "five servers are enough"


def requests(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [ask for ask in found["http"] if ask["name"].startswith("es-")]


def test_elasticsearch_is_asked_at_each_address_and_for_its_contents_at_the_first() -> None:
    secrets = Secrets(b"k")
    found = requests(second(secrets, "ELASTICSEARCH_URLS = 'elastic:p@ss/w:rd@es-1:9200;es-2'"))
    assert [ask["name"] for ask in found] == [
        *(
            f"es-{part}@es-1:9200"
            for part in ("root", "health", "blocks", "cluster", "indices", "nodes", "newest", "mapping")
        ),
        "es-root@es-2:9200",
        "es-health@es-2:9200",
    ]
    assert found[6]["url"].startswith(
        "http://es-1:9200/paas_app_log-2018.07.29,paas_app_log-2018.07.30,paas_app_log-2018.07.31/_search?"
    ), "of these days in UTC"
    for ask in found:
        login = ask.get("login")
        assert bool(login) is bool(ask.get("secret")) is ask["name"].endswith("es-1:9200")
        assert not login or (login["user"], login["password"]["text"]) == ("elastic", "p@ss/w:rd")
        assert "ss/w" not in ask["url"]


@pytest.mark.parametrize(
    "place", ["es:9200/_shutdown", "es:9200/x?y#z", "es/_all", "http://es:9200/_cluster/reroute?"]
)
def test_no_setting_leads_to_another_path(place: str) -> None:
    found = requests(second(Secrets(), f"ELASTICSEARCH_URLS = {place!r}"))
    assert len(found) == 8
    for ask in found:
        parts = urlsplit(ask["url"])
        assert (parts.netloc, parts.fragment) == ("es:9200", "")
        assert (
            parts.path in ("/", "/_cluster/health", "/_cluster/settings", "/_cat/allocation")
            or "paas_app_log-" in parts.path
        )


def test_without_plugins_and_settings_nothing_is_asked() -> None:
    found = second(Secrets())
    assert not requests(found) and not conversations(found)
    assert not requests(second(Secrets(), "ELASTICSEARCH_URLS = os.environ['X']"))
