"""The state of redis: INFO and a few settings."""

from __future__ import annotations

import base64
from typing import Any

from bkpaas.facts.log_plugin_conf import RedisTarget
from bkpaas.facts.redis_state import redis_states
from bkpaas.facts.secrets import Secrets

TARGET = RedisTarget("/a", 1, "10.0.1.9", 6379, 0, "logs", "list")
INFO = (
    "# Replication\r\nrole:slave\r\nmaster_host:10.0.1.8\r\nmaster_port:6379\r\nmaster_link_status:down\r\n",
    "# Memory\r\nused_memory:1048600\r\nused_memory_human:1.00M\r\nmaxmemory:1048576\r\nmaxmemory_policy:noeviction\r\n",
    "# Persistence\r\nloading:0\r\nrdb_last_bgsave_status:err\r\n",
    "# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0\r\ndb3:keys=9,expires=4,avg_ttl=7\r\n",
)
CONFIG = "*2\r\n$27\r\nstop-writes-on-bgsave-error\r\n$3\r\nyes\r\n*2\r\n$4\r\nsave\r\n$6\r\n3600 1\r\n*0\r\n"
END = "$10\r\nbkpaas-end\r\n"


def state(reply: str, **more: Any) -> Any:
    item = {"data": base64.b64encode(reply.encode()).decode(), "peer": "10.0.1.9:6379", "error": None, **more}
    return redis_states({f"state-of-redis-{TARGET.server}": item}, Secrets(b"k")).of(TARGET)


def test_state() -> None:
    found = state("+OK\r\n" + "".join(f"${len(part)}\r\n{part}\r\n" for part in INFO) + CONFIG + END)
    assert found.fields["role"] == "slave" and found.fields["master_host"] == "10.0.1.8"
    assert found.number("used_memory") == 1048600 and found.number("maxmemory") == 1048576
    assert "used_memory_human" not in found.fields
    assert found.settings == {"stop-writes-on-bgsave-error": "yes", "save": "3600 1"}
    assert found.expiring == 4 and found.refusal == ""


def test_refusals() -> None:
    refused = state("-NOAUTH Authentication required.\r\n")
    assert refused.refusal.startswith("-NOAUTH") and not refused.fields and refused.expiring is None
    partial = state(f"${len(INFO[0])}\r\n{INFO[0]}\r\n-ERR unknown command 'CONFIG'\r\n" + END)
    assert partial.fields["role"] == "slave" and partial.settings == {} and partial.refusal == ""
    silent = state("", error={"kind": "silent", "text": "no complete answer in time"})
    assert silent.error_kind == "silent" and silent.number("maxmemory") is None


KNOWN = "$12\r\nbkpaas-known\r\n"
ALLOWED = "$14\r\nbkpaas-allowed\r\n"
COMMANDS = (
    "*4\r\n*2\r\n$5\r\nrpush\r\n:-3\r\n*-1\r\n*2\r\n$7\r\npublish\r\n:3\r\n*2\r\n$9\r\nsubscribe\r\n:-2\r\n"
)
DENIED = "This user has no permissions to run the 'rpush' command"
NO_KEY = "This user has no permissions to access the 'logs' key"


def answered(commands: str, rights: str) -> Any:
    return state(f"${len(INFO[0])}\r\n{INFO[0]}\r\n{KNOWN}{commands}{ALLOWED}{rights}{END}")


def test_commands_of_the_plugins() -> None:
    found = answered(COMMANDS, f"${len(DENIED)}\r\n{DENIED}\r\n+OK\r\n")
    assert found.unknown_commands == ("blpop",)
    assert found.refused_commands == {"rpush": DENIED}
    assert answered(COMMANDS, f"${len(NO_KEY)}\r\n{NO_KEY}\r\n").refused_commands == {"key": NO_KEY}
    old = answered("-ERR unknown command 'COMMAND'\r\n", "-ERR unknown command 'ACL'\r\n")
    assert (old.unknown_commands, old.refused_commands) == ((), {})
    assert state(END).unknown_commands == ()
