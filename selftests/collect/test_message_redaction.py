"""Once hosts are collected, what they say is redacted in every message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect import deployment
from bkpaas.inventory import load
from bkpaas.messages import msg, set_redactor

INVENTORY = Path(__file__).parents[2] / "inventory" / "example-5.x"


class Silent:
    """A watcher that shows nothing."""

    def start(self, hosts: int) -> None: ...
    def __call__(self, host: str, state: Any) -> None: ...
    def end(self, text: str) -> None: ...


@pytest.fixture(autouse=True)
def _no_redactor() -> Iterator[None]:
    set_redactor(None)
    yield
    set_redactor(None)


def test_a_message_made_after_collection_has_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "collect_hosts", lambda *args, **options: {})
    line = "mysql --password=hunter2-and-more"
    assert "hunter2" in msg("{line}", line=line).render("en")
    deployment.collect(load(INVENTORY), "asyncssh", Silent())
    rendered = msg("the log says {line}", line=line).render("zh")
    assert "hunter2" not in rendered and "mysql --password=secret:" in rendered
