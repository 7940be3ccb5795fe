"""Answers of a database to the statements: variables, rights, tables, agents; no account, no token."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from bkpaas.facts.database_state import WRITE_RIGHTS, DatabaseState, database_state
from bkpaas.facts.secrets import Secrets

TOKEN = "b7b93cc985075ce8887b9843d4f2af32"


def state(**results: Any) -> DatabaseState:
    found = database_state(results, Secrets())
    assert found is not None
    return found


def granted(*lines: str) -> DatabaseState:
    return state(grants={"rows": [[line] for line in lines]})


@pytest.mark.parametrize(
    "line",
    [
        "GRANT ALL PRIVILEGES ON `open_paas`.* TO `op`@`%`",
        r"GRANT ALL PRIVILEGES ON `open\_paas`.* TO 'op'@'10.0.%' WITH GRANT OPTION",
        "GRANT ALL PRIVILEGES ON `open%`.* TO `op`@`%`",
        "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON *.* TO 'op'@'%' IDENTIFIED BY PASSWORD '*41AE925E'",
        "GRANT ALL PRIVILEGES ON *.* TO 'root'@'localhost' WITH GRANT OPTION",
        "GRANT SELECT, INSERT (`token`), UPDATE ON `open_paas`.`login_bktoken` TO `op`@`%`",
    ],
)
def test_rights_to_write(line: str) -> None:
    assert granted("GRANT USAGE ON *.* TO `op`@`%`", line).missing_rights("open_paas", "login_bktoken") == []


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        (["GRANT SELECT ON `open_paas`.* TO `op`@`%`"], ["INSERT", "UPDATE"]),
        (["GRANT USAGE ON *.* TO `op`@`%`"], list(WRITE_RIGHTS)),
        (["GRANT ALL PRIVILEGES ON `open_paas2`.* TO `op`@`%`"], list(WRITE_RIGHTS)),
        (
            ["GRANT ALL PRIVILEGES ON *.* TO `op`@`%`", "REVOKE INSERT ON `open_paas`.* FROM `op`@`%`"],
            ["INSERT"],
        ),
        (["GRANT EXECUTE ON PROCEDURE `open_paas`.`p` TO `op`@`%`"], list(WRITE_RIGHTS)),
    ],
)
def test_rights_that_are_missing(lines: list[str], missing: list[str]) -> None:
    assert granted(*lines).missing_rights("open_paas", "login_bktoken") == missing


def test_a_role_is_noted_and_super_may_write() -> None:
    assert granted("GRANT `app_role`@`%` TO `op`@`%`").roles
    assert not granted("GRANT ALL PRIVILEGES ON `open_paas`.* TO `op`@`%`").roles
    assert granted("GRANT SUPER ON *.* TO `op`@`%`").exempt_from_read_only()
    assert not granted("GRANT ALL PRIVILEGES ON `open_paas`.* TO `op`@`%`").exempt_from_read_only()


def test_variables_sessions_tables_and_errors() -> None:
    found = state(
        variables={"rows": [["read_only", "ON"], ["max_connections", "151"], ["odd"], [None, "x"]]},
        sessions={"rows": [["Waiting for global read lock", "3", "70"], ["", "1", "0"]]},
        django_session={"rows": []},
        bkaccount_bkuser={"rows": [["0", "0"]]},
        login_bktoken={"code": 1146, "text": "Table 'open_paas.login_bktoken' doesn't exist"},
        login_bklog={"kind": "silent", "text": "no answer in time"},
    )
    assert found.variables == {"read_only": "ON", "max_connections": "151"}
    assert (found.sessions[0].state, found.sessions[0].seconds) == ("Waiting for global read lock", 70)
    assert found.filled == {"django_session": False, "bkaccount_bkuser": True}
    assert (found.errors["login_bktoken"].code, found.errors["login_bklog"].kind) == (1146, "silent")
    assert found.agents is None


@pytest.mark.parametrize(
    ("rows", "counts"),
    [
        ([["0", "0", "3 1"]], (3, 1)),
        ([["0", "0", "0 0"]], (0, 0)),
        ([["0", "0"]], None),
        ([["0", "0", "x"]], None),
        ([["0", "0", None]], None),
        ([], None),
    ],
)
def test_passwords_that_are_not_hashes_are_counted(rows: Any, counts: tuple[int, int] | None) -> None:
    found = state(bkaccount_bkuser={"rows": rows}).unhashed
    assert (found and (found.users, found.administrators)) == counts


def test_agents_have_digests_of_their_tokens() -> None:
    secrets = Secrets()
    row = ["10.0.1.9", "4245", "8010", "tapp", "1", TOKEN, TOKEN.upper()]
    found = database_state({"engine_servers": {"rows": [row, ["too", "short"]]}}, secrets)
    assert found is not None and found.agents is not None and len(found.agents) == 1
    assert found.agents[0].token == found.agents[0].sid == secrets.digest(TOKEN)
    assert TOKEN not in json.dumps(msgspec.to_builtins(found)).lower()


def test_the_account_of_an_error_is_not_kept() -> None:
    text = "SELECT command denied to user 'op'@'10.0.1.3' for table `open_paas`.`login_bktoken`"
    assert "op'@" not in state(login_bktoken={"code": 1142, "text": text}).errors["login_bktoken"].text


@pytest.mark.parametrize("damaged", [{}, None, {"rows": 7}, {"rows": [7, [8]]}, {"rows": [["a"] * 99]}])
def test_damaged_results_raise_nothing(damaged: Any) -> None:
    names = ("variables", "status", "grants", "sessions", "django_session", "engine_servers")
    assert state(**dict.fromkeys(names, damaged))


def test_nothing_sent_is_nothing_known() -> None:
    assert database_state({}, Secrets()) is None
