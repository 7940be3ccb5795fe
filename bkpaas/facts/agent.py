"""The paas agent of an application host, and the applications that run there."""

from __future__ import annotations

from typing import Literal

from bkpaas.facts.file import FileFact
from bkpaas.facts.missing import Fact, Record


class TimeLimit(Record, frozen=True):
    """settings.EXECUTE_TIME_LIMIT."""

    text: str | None
    """As written; None: not in the file."""
    seconds: int
    """As the agent reads it: what is missing or no number is 0."""
    line: int | None = None


class AgentConfig(Record, frozen=True):
    """paas_agent_config.yaml as the agent reads it."""

    files: tuple[FileFact, ...]
    port: int
    ip: str
    """Empty: all addresses."""
    execute_time_limit: TimeLimit
    controller_url: str | None
    base_app_path: str | None
    problems: tuple[str, ...] = ()


class Agent(Fact, frozen=True):
    config: AgentConfig | None
    """None: there is no configuration file."""


class Saas(Record, frozen=True):
    """One application that nginx would serve here, because its pid file is there."""

    app: str
    environment: Literal["o", "t"] | None
    """Production or test, by the role of the host; None: the host has both roles, or neither."""
    pid: int | None
    alive: bool | None
    """None: the pid or the processes could not be read."""
    socket: FileFact | None


class SaasRuns(Fact, frozen=True):
    items: tuple[Saas, ...]
