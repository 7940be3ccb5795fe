"""A plugin of pytest that records what a run of the suite collects: `-p selftests.recordings.recorder --record FILE`.

It stores raw answers, secrets included. No option of the product may do that, and nothing but a lab may be
recorded with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bkpaas.collect import deployment, program
from bkpaas.collect.host_answers import HostAnswers
from bkpaas.plugin import options
from bkpaas.record import write_private
from lab.control import REPOSITORY
from selftests.recordings.store import ELSEWHERE, KEY, neutral, stored


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", metavar="FILE", help="record the raw answers of a lab in FILE")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.option.record:
        config.stash[options.KEY] = KEY
        config.pluginmanager.register(Recorder(config), "recorder")


@dataclass(eq=False)  # pluggy keeps plugins in a set
class Recorder:
    """Wrap the functions that reach the network, and write what they returned when the run ends."""

    config: pytest.Config
    plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    collected: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.collected["login"] = None
        for name in ("collect_hosts", "probe", "try_login"):
            setattr(deployment, name, getattr(self, f"_{name}")(getattr(deployment, name)))

    def _collect_hosts(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(deployment: Any, first: Any, second: Any, **more: Any) -> Any:
            def plan_first(host: Any) -> Any:
                return self._plan(host.name, "1", first(host))

            def plan_second(host: Any, visits: Any) -> Any:
                return self._plan(host.name, "2", second(host, visits))

            visits = original(deployment, plan_first, plan_second, **more)
            self._keep("visits", {name: _visit(visit) for name, visit in visits.items()})
            return visits

        return recorded

    def _probe(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(deployment: Any) -> Any:
            answer = original(deployment)
            self._keep("controller", answer)
            return answer

        return recorded

    def _try_login(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(*words: Any) -> Any:
            trial = original(*words)
            self._keep("login", trial)
            return trial

        return recorded

    def _plan(self, host: str, round_: str, plan: Any) -> Any:
        self.plans.setdefault(host, {})[round_] = json.loads(stored(plan))
        return plan

    def _keep(self, name: str, value: Any) -> None:
        """Copy it now: what was returned may be changed later."""
        self.collected[name] = json.loads(stored(neutral(_plain(value))))

    def pytest_unconfigure(self) -> None:
        option, inventory = self.config.option, Path(self.config.option.inventory)
        snapshot = self.config.stash[options.SNAPSHOT]
        ca_files = filter(None, [snapshot.deployment.ca_file])
        recording = {
            "words": ["-m", option.markexpr] if option.markexpr else [],
            "language": option.lang,
            "login_user": option.login_user,
            "inventory": {
                str(file.relative_to(inventory)): file.read_text("utf-8")
                for file in sorted(inventory.rglob("*"))
                if file.is_file()
            },
            "certificates": {file: Path(file).read_text("ascii") for file in ca_files},
            "started": snapshot.started,
            "plans": self.plans,
            **self.collected,
        }
        write_private(Path(option.record), without_place(stored(recording)).encode("ascii"))


def _visit(visit: HostAnswers) -> dict[str, Any]:
    """Return the answers of a host decoded, under the names that the stored recordings use."""
    fields = msgspec.structs.asdict(visit)
    del fields["queries"]  # the plans say it
    rounds = {"first": fields.pop("round_1"), "second": fields.pop("round_2")}
    return fields | {
        name: program.decode(answer) if isinstance(answer, bytes) else answer
        for name, answer in rounds.items()
    }


def _plain(value: Any) -> Any:
    """Return structures of the product under their stored names. Answers are plain already, and stay as they are."""
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def without_place(text: str) -> str:
    """Return the text with a neutral path for the repository, and one name for every lab."""
    return re.sub(r"/\.lab/[a-z]+-\d+/", "/.lab/recorded/", text.replace(str(REPOSITORY), ELSEWHERE))
