"""The grammar of logstash's configuration."""

from __future__ import annotations

import pytest

from bkpaas.facts.logstash import ParseError, plugins

PAAS_APP_LOG = """\
# SaaS logs { redis { host => "not.this" } }
input {
    redis {
        host => "redis.service.consul"   # the { in a comment
        port => 6379
        password => 'p#ss"w{rd'
        db => 0
        key => paas_app_log
        data_type => "list"
        codec => json { charset => "UTF-8" }
        batch_count => 125
        tags => ["django", 'uwsgi', 3]
        add_field => { "from" => "redis" "n" => 1 }
    }
    redis { host=>"10.0.1.9" port => 6380 key=>"other" }
}
filter {
    if [type] == "django" and [message] =~ /^{"a\\/b}/ {
        grok { match => { "message" => "%{TIMESTAMP_ISO8601:time} redis { }" } }
    } else if "x}" in [tags] or ![level] {
        mutate { remove_field => ["a", "b"] }
    } else {
        drop { }
    }
}
output {
    elasticsearch { hosts => ["10.0.1.7:9200"] index => "paas_app_log-%{+YYYY.MM.dd}" }
}
"""


def test_plugins_with_their_settings_and_lines() -> None:
    found = plugins(PAAS_APP_LOG)
    assert [(one.section, one.name, one.line) for one in found] == [
        ("input", "redis", 3),
        ("input", "redis", 15),
        ("filter", "grok", 19),
        ("filter", "mutate", 21),
        ("filter", "drop", 23),
        ("output", "elasticsearch", 27),
    ]
    values = {name: value for name, (value, _) in found[0].settings.items()}
    assert values == {
        "host": "redis.service.consul",
        "port": "6379",
        "password": 'p#ss"w{rd',
        "db": "0",
        "key": "paas_app_log",
        "data_type": "list",
        "codec": None,
        "batch_count": "125",
        "tags": ["django", "uwsgi", "3"],
        "add_field": {"from": "redis", "n": "1"},
    }
    assert found[0].settings["key"][1] == 8
    assert found[1].settings["port"] == ("6380", 15)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a\\"b"', 'a\\"b'),
        ("'two\nlines'", "two\nlines"),
        ("-1.5", "-1.5"),
        ("10.0.1.9", None),
        ("123abc", "123abc"),
        ("bare_word", "bare_word"),
        ('"${REDIS_HOST:10.0.0.1}"', "${REDIS_HOST:10.0.0.1}"),
        ("[]", []),
        ("{}", {}),
        ("[[1], [2]]", [["1"], ["2"]]),
        ("rubydebug", "rubydebug"),
        ("json {}", None),
    ],
)
def test_values(text: str, value: object) -> None:
    whole = f"input {{ redis {{ x => {text} }} }}"
    if text == "10.0.1.9":
        with pytest.raises(ParseError):  # logstash itself wants quotes here
            plugins(whole)
    else:
        assert plugins(whole)[0].settings["x"][0] == value


def test_nothing_is_a_configuration() -> None:
    assert plugins("") == plugins("\ufeff# only words\n") == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("input {\n redis {\n host => \n}\n}", 4),
        ("input {\n redis {\n host 'x' } }", 3),
        ("input {\n redis { a => 'never closed\n } }", 2),
        ("inputs { }", 1),
        ("input { redis { } ", 1),
        ("\n\n}", 3),
    ],
)
def test_invalid_syntax_is_reported_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ParseError) as broken:
        plugins(text)
    assert broken.value.line == line


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("input { x { a => " + "[" * 200_000, id="arrays"),
        pytest.param("input { x { a => " + "{ a => " * 50_000, id="hashes"),
        pytest.param("filter { " + "if a { " * 50_000, id="conditions"),
        pytest.param("filter { if /" + "\\/" * 100_000, id="regular-expression"),
        pytest.param('"' * 200_000, id="quotes"),
        pytest.param("input { x { " + "a => 1 " * 40_000, id="settings"),
        pytest.param("\0" * 200_000, id="zeros"),
    ],
)
def test_hostile_text_ends(text: str) -> None:
    with pytest.raises(ParseError):
        plugins(text)
