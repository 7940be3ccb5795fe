"""The accounts in the settings, the connections that are planned for them, and the results of the logins."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from bkpaas.collect import program
from bkpaas.facts import Secrets, database
from bkpaas.facts.answers import connections
from bkpaas.facts.database_state import COUNTERS, SERVER_STATEMENTS, TABLES
from bkpaas.facts.host import HostFacts
from bkpaas.facts.missing import Missing
from bkpaas.facts.query import Earlier
from bkpaas.facts.settings import SettingsByProject, settings
from bkpaas.inventory.deployment import Connection, Deployment, Host

SHARED = {
    "ENGINE": "django.db.backends.mysql",
    "NAME": "open_paas",
    "USER": "op",
    "PASSWORD": "Pl4nted s3cret",
}
HERE = {**SHARED, "HOST": "10.0.1.5", "PORT": "3306"}


def read(secrets: Secrets, **projects: dict[str, Any]) -> Any:
    """Return the settings of projects with these DATABASES."""
    files = {
        f"settings-{project}-1": [
            {
                "path": f"/{project}.py",
                "type": "file",
                "mode": 0o644,
                "text": f"DATABASES = {{'default': {value!r}}}",
            }
        ]
        for project, value in projects.items()
    }
    return settings(files, secrets)


def plan(secrets: Secrets, **projects: dict[str, Any]) -> list[dict[str, Any]]:
    return planned(read(secrets, **projects), secrets.resolve_digest)


def planned(settings: SettingsByProject, resolve_digest: Callable[[str], str | None]) -> list[dict[str, Any]]:
    """Return the entries of the plan for a paas host with these settings."""
    entry = Host("paas-1", "192.0.2.1", ("paas",), Connection("ssh://192.0.2.1"))
    facts = cast(HostFacts, SimpleNamespace(settings=settings))
    queries = database.queries(
        entry, Deployment("i", "5.x", (entry,), "paas.example"), Earlier({"paas-1": facts}, resolve_digest)
    )
    return [msgspec.to_builtins(query) for query in queries]


def test_projects_with_one_account_share_one_connection() -> None:
    secrets = Secrets(b"k")
    projects = {"paas": HERE, "login": HERE, "esb": {**HERE, "NAME": "bk_esb"}, "appengine": HERE}
    (account,) = database.accounts(read(secrets, **projects)).values()
    assert account.projects == ("login", "paas", "esb", "appengine")
    (ask,) = plan(secrets, **projects)
    assert ask == {
        "name": "database", "host": "10.0.1.5", "port": 3306, "seconds": 8, "secret": True,
        "mysql": {"user": "op", "password": {"text": "Pl4nted s3cret", "source": None}, "database": "open_paas"},
        "statements": (*SERVER_STATEMENTS, *TABLES["login"], *TABLES["appengine"], COUNTERS),
    }  # fmt: skip
    assert program.without_secrets({"tcp": [ask]})[0] == {"tcp": []}


@pytest.mark.parametrize(
    "other", [{"USER": "esb"}, {"PASSWORD": "another"}, {"HOST": "10.0.1.6"}, {"PORT": 3307}]
)
def test_another_account_or_server_has_a_connection_of_its_own(other: dict[str, Any]) -> None:
    asks = plan(Secrets(b"k"), login=HERE, esb={**HERE, **other}, paas=HERE)
    assert [ask["name"] for ask in asks] == ["database", "database-2"]


@pytest.mark.parametrize(
    "changed",
    [
        {"USER": ""},
        {"USER": None},
        {"PASSWORD": None},
        {"OPTIONS": {"read_default_file": "/etc/my.cnf"}},
        {"OPTIONS": {"unix_socket": "/run/mysqld.sock"}},
        {"OPTIONS": {"ssl": {"ca": "/ca.pem", "cert": "/c.pem", "key": "/k.pem"}}},
    ],
)
def test_an_account_that_cannot_be_tried_is_not_connected(changed: dict[str, Any]) -> None:
    secrets = Secrets(b"k")
    assert plan(secrets, login={**HERE, **changed}) == []
    (account,) = database.accounts(read(secrets, login={**HERE, **changed})).values()
    assert account.obstacle and "login" in str(account.obstacle) and "not connected" in str(account.obstacle)


@pytest.mark.parametrize("password", ["half\ufffdread", "nul\0byte"])
def test_a_password_that_was_not_read_whole_is_not_tried(password: str) -> None:
    assert plan(Secrets(b"k"), login={**HERE, "PASSWORD": password}) == []


def test_a_digest_that_cannot_be_revealed_is_not_tried() -> None:
    found = read(Secrets(b"k"), login=HERE)
    assert planned(found, lambda digest: None) == []


def test_an_empty_password_is_one_and_a_missing_one_is_not() -> None:
    without = {key: value for key, value in HERE.items() if key != "PASSWORD"}
    assert plan(Secrets(b"k"), login=without) == []
    (ask,) = plan(Secrets(b"k"), login={**HERE, "PASSWORD": ""})
    assert ask["mysql"]["password"] == ""


@pytest.mark.parametrize(
    "changed",
    [{"HOST": "/run/mysqld.sock"}, {"ENGINE": "django.db.backends.sqlite3"}, {"PORT": "x"}, {"HOST": 5}],
)
def test_another_kind_of_database_is_not_read(changed: dict[str, Any]) -> None:
    assert database.accounts(read(Secrets(b"k"), login={**HERE, **changed})) == {}
    assert database.accounts(Missing("not looked at")) == {}


@pytest.mark.parametrize("state", ["accepted", "refused", "unsupported", "needs-tls", "error"])
def test_results_are_read_and_the_account_is_left_out(state: str) -> None:
    text = "Access denied for user 'op'@'10.0.1.3' (using password: YES)"
    login = {"state": state, "code": 1045, "text": text, "plugin": "dialog", "kind": "silent"}
    found = connections({"database": {"data": "", "login": login}}, Secrets(b"k")).by_name["database"].login
    assert found is not None and (found.state, found.code, found.plugin, found.kind) == (
        state,
        1045,
        "dialog",
        "silent",
    )
    assert found.text == "Access denied for user '...'@'...' (with a password)"


@pytest.mark.parametrize("login", [None, 5, [], {}, {"state": "root"}, {"state": ["accepted"]}])
def test_garbage_is_no_result(login: Any) -> None:
    assert connections({"database": {"login": login}}, Secrets(b"k")).by_name["database"].login is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "Access denied for user 'op'@'10.0.1.3' (using password: NO)",
            "Access denied for user '...'@'...' (without a password)",
        ),
        (
            "Access denied for user 'op'@'h' (using password: secret:f613f661e66f)",
            "Access denied for user '...'@'...'",
        ),
        (
            "Access denied for user 'op'@'%' to database 'x'",
            "Access denied for user '...'@'...' to database 'x'",
        ),
        ("Unknown database 'open_paas'", "Unknown database 'open_paas'"),
    ],
)
def test_an_error_does_not_name_the_account(text: str, shown: str) -> None:
    assert database.error_text(text) == shown
