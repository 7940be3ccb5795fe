"""The addresses in settings to which a connection is made."""

from __future__ import annotations

import pytest

from bkpaas.facts.setting_places import is_front, setting_place
from bkpaas.facts.settings import Settings, Value
from bkpaas.inventory.deployment import Connection, Deployment, Host

HOST = Host("n", "192.0.2.9", ("nginx",), Connection("ssh://192.0.2.9"))
DEPLOYMENT = Deployment("i", "5.x", (HOST,), "paas.example", fqdns={"job": "Job.example"})


def settings(**values: object) -> Settings:
    return Settings(
        project="esb",
        files=(),
        values={
            name: Value("int" if isinstance(value, int) else "str", "/a", 1, value=value)
            for name, value in values.items()
        },
    )


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"HOST_JOB": "http://job.example:8081/x"}, ("job.example", 8081)),
        ({"HOST_JOB": "https://job.example"}, ("job.example", 443)),
        ({"HOST_JOB": "job.example"}, ("job.example", 80)),
        ({"HOST_JOB": ""}, None),
        ({"HOST_JOB": "a:1,b:2"}, None),
        ({}, None),
    ],
)
def test_place(values: dict[str, object], place: tuple[str, int] | None) -> None:
    assert setting_place(settings(**values), "HOST_JOB") == place


def test_place_of_redis() -> None:
    assert setting_place(settings(REDIS_HOST="10.0.0.1", REDIS_PORT=6380), "REDIS_HOST") == ("10.0.0.1", 6380)
    assert setting_place(settings(REDIS_HOST="10.0.0.1"), "REDIS_HOST") == ("10.0.0.1", 6379)


def test_front() -> None:
    assert is_front("job.example", 80, DEPLOYMENT)
    assert not is_front("job.example", 81, DEPLOYMENT)
    assert not is_front("10.0.0.1", 80, DEPLOYMENT)
