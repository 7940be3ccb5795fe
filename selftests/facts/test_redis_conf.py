"""The files of redis, and what the running redis tells."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from recorded import entry

from bkpaas.facts.log_plugin_conf import RedisTarget
from bkpaas.facts.redis_conf import RedisFile, redis_confs
from bkpaas.facts.secrets import Secrets

SECRETS = Secrets(b"k")
TARGET = RedisTarget("/a", 1, "10.0.1.9", 6379, 0, "logs", "list")
NAME = f"conf-of-redis-{TARGET.server}"


def read(text: str) -> RedisFile:
    (file,) = redis_confs({"redis-conf": [entry("/etc/redis.conf", text)]}, {}, SECRETS).files
    return file


@pytest.mark.parametrize(
    "line",
    [
        "requirepass Pl4nted-1",
        '  REQUIREPASS "Pl4nted-1"',
        "requirepass 'Pl4nted-1'",
        'requirepass "Pl4nted\\-1"',
        "requirepass old\nrequirepass Pl4nted-1",
        "include /etc/other.conf\nrequirepass Pl4nted-1",
    ],
)
def test_the_password_is_read_as_a_digest(line: str) -> None:
    file = read(f"# requirepass foobared\nport 6379\n{line}\n")
    assert file.password == SECRETS.digest("Pl4nted-1") and "requirepass" not in file.unknown
    assert "Pl4nted" not in repr(file)


def test_what_a_file_without_them_has() -> None:
    file = read("# requirepass foobared\n")
    assert file.password is None and file.unknown == ()
    assert file.settings == {"port": "6379", "maxmemory": "0", "maxmemory-policy": "noeviction"}


@pytest.mark.parametrize(
    ("text", "number"),
    [("2gb", 2 << 30), ("100MB", 100 << 20), ("5k", 5000), ("1024", 1024), ("3g", 3 * 10**9)],
)
def test_the_units_of_memory(text: str, number: int) -> None:
    assert read(f"maxmemory {text}").settings["maxmemory"] == str(number)


def test_other_files_and_access_lists_make_settings_unknown() -> None:
    assert read("port 7000\ninclude /etc/x.conf").unknown == (
        "bind",
        "maxmemory",
        "maxmemory-policy",
        "port",
        "requirepass",
    )
    assert read("requirepass a\naclfile /etc/users.acl").unknown == ("requirepass",)
    damaged = redis_confs(
        {"redis-conf": [entry("/etc/redis.conf") | {"error": "Permission denied"}]}, {}, SECRETS
    )
    assert damaged.files[0].problem == "Permission denied"


def answer(reply: str) -> dict[str, Any]:
    data = base64.b64encode(reply.encode()).decode()
    return {
        NAME: {"data": data, "peer": "10.0.1.9:6379", "error": None},
        "redis-x": {"data": "", "error": None},
    }


def test_the_running_redis() -> None:
    info = "# Server\r\ntcp_port:6379\r\nconfig_file:/etc/redis.conf\r\nrun_id:0123\r\n"
    memory = "maxmemory:1048576\r\nmaxmemory_policy:noeviction\r\nused_memory:5\r\n"
    bind = "*2\r\n$4\r\nbind\r\n$20\r\n10.0.1.9 -127.0.0.1 \r\n$10\r\nbkpaas-end\r\n"
    running = redis_confs({}, answer(f"+OK\r\n{info}{memory}{bind}"), SECRETS).of(TARGET)
    assert running is not None and running.config_file == "/etc/redis.conf"
    assert running.settings == {
        "port": "6379",
        "maxmemory": "1048576",
        "maxmemory-policy": "noeviction",
        "bind": "10.0.1.9 127.0.0.1",
    }
    assert redis_confs({}, answer("-NOAUTH Authentication required.\r\n"), SECRETS).of(TARGET) is None
    assert redis_confs({}, {}, SECRETS).of(TARGET) is None
