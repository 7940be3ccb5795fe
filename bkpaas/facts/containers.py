"""Parse the containers of the platform on a host, in both rounds (generation 6.2 and later).

Source: the Engine API of docker, `GET /containers/ID/json`; config.v2.json and hostconfig.json below the data root.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from bkpaas.facts import raw
from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.query import Earlier, Query, Section
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.inventory.platform import CONTAINER_PREFIXES, CONTAINER_ROLES, DOCKER_ROOTS
from bkpaas.messages import Message

_DOCKER_GROUP = re.compile(r"/docker[/-](?P<id>[0-9a-f]{64})(?:\.scope)?(?:/|$)")
"""The control group of a container, with docker's own driver or with that of systemd."""
_NAME_LENGTH = 120
_ID_LENGTH = 64
_SHORT_ID = 12
_ABSENT = ("gone", "other", "refused")
"""Kinds of errors without docker: no socket, or one that a daemon has left."""


class Bind(Record, frozen=True):
    """Represent a path of the host that a container has at a path of its own."""

    source: str
    destination: str
    type: str
    """Of the source: file, dir, missing ..."""


class Container(Record, frozen=True):
    """Represent one container as the daemon reports it."""

    name: str
    id: str = ""
    state: Literal["running", "paused", "restarting", "exited", "dead", "created"] = "running"
    pid: int = 0
    """Of the first process, as the host counts; 0: none."""
    exit_code: int = 0
    oom_killed: bool = False
    """Set late: after the first process was killed."""
    oom_kills: int | None = None
    """Processes that the kernel has killed for memory; None: not counted."""
    error: str = ""
    """Why the daemon could not start it."""
    finished: str = ""
    image: str = ""
    """NAME:VERSION."""
    image_id: str = ""
    user: str = ""
    """Empty: the user of the image."""
    memory: int | None = None
    """Limit in bytes; None: no limit."""
    network: str = ""
    policy: str = ""
    """of restarts: no, always, on-failure, unless-stopped; empty: no."""
    restarts: int | None = None
    binds: tuple[Bind, ...] = ()

    @property
    def version(self) -> str:
        """Return the version of the image; empty without one."""
        return self.image.rpartition("/")[2].partition(":")[2]

    @property
    def short_id(self) -> str:
        return self.id[:_SHORT_ID]

    @property
    def runs(self) -> bool:
        return self.state == "running"

    @property
    def shown(self) -> str:
        """Return the state in the words of docker ps."""
        return f"exited ({self.exit_code})" if self.state == "exited" else self.state


class Containers(Fact, frozen=True):
    """Hold the containers of the platform."""

    by_name: dict[str, Container]
    later: dict[str, Container]
    """The same in round 2; empty if it was not queried then."""
    source: Literal["socket", "files"] | None = None
    """From where: docker's socket or the files of the daemon; None: from neither."""
    absent: bool = False
    """Whether there is no docker on this host."""
    error: Message | str | None = None
    """Why the daemon could not be asked, also if its files were read."""

    def now(self, container: Container) -> Container:
        """Return the state of a container in the last round in which it was read."""
        return self.later.get(container.name, container)

    def restarted(self, container: Container, far_apart: bool = False) -> bool:
        """Return whether its first process ended between the rounds and another one runs, or it waits for its start.

        far_apart: the rounds are too far apart to count what happened in between.
        """
        then = self.now(container)
        if container.state == "restarting" or then.state == "restarting":
            return True
        return not far_apart and container.pid > 0 and then.pid > 0 and container.pid != then.pid


def container_of(group: str | None) -> str | None:
    """Return the id of the container of a control group, None if it is not one of docker."""
    match = _DOCKER_GROUP.search(group or "")
    return match["id"] if match else None


def containers(first: dict[str, Any], second: dict[str, Any] | None, secrets: Secrets) -> Containers:
    """Parse the answers of both rounds."""
    answer = raw.record(first["shown"])
    later = raw.record(second["shown"]) if second else {}
    reasons = list(answer.get("reasons") or ())
    error: Message | str | None = raw.reason(answer.get("error"))
    if reasons and error is None:
        error = secrets.truncate("; ".join(f"{source}: {text}" for source, _, text in reasons), 300)
    return Containers(
        by_name=_by_name(answer, secrets),
        later=_by_name(later, secrets),
        source=answer.get("source"),
        absent=answer.get("source") is None
        and len(reasons) > 1
        and all(kind in _ABSENT for _, kind, _ in reasons),
        error=error,
    )


def _by_name(answer: dict[str, Any], secrets: Secrets) -> dict[str, Container]:
    items = answer.get("containers") or ()
    return {container.name: container for container in (_container(item, secrets) for item in items)}


def _container(item: dict[str, Any], secrets: Secrets) -> Container:
    state, memory = item["state"], item["memory"] or 0

    def text(value: str | None, length: int = _NAME_LENGTH) -> str:
        return secrets.truncate(value or "", length)

    return Container(
        name=text(item["name"]),
        id=text(item["id"], _ID_LENGTH),
        state=_state(state),
        pid=state["Pid"] or 0,
        exit_code=state["ExitCode"] or 0,
        oom_killed=bool(state["OOMKilled"]),
        oom_kills=item["oom_kills"],
        error=text(state["Error"], 300),
        finished=text(state["FinishedAt"], 40),
        image=text(item["image"]),
        image_id=text(item["image_id"]),
        user=text(item["user"]),
        memory=memory if memory > 0 else None,
        network=text(item["network"]),
        policy=text(item["policy"]),
        restarts=item["restarts"],
        binds=tuple(
            Bind(text(source, 300), text(destination, 300), text(kind, 20))
            for source, destination, kind in item["binds"]
        ),
    )


def _state(
    state: dict[str, Any],
) -> Literal["running", "paused", "restarting", "exited", "dead", "created"]:
    """Return the state as docker itself derives it from its flags."""
    if state["Running"]:
        if state["Paused"]:
            return "paused"
        return "restarting" if state["Restarting"] else "running"
    if state["Restarting"]:
        return "restarting"
    if state["Dead"]:
        return "dead"
    never = (state["StartedAt"] or "").startswith("0001-") or not state["StartedAt"]
    return "created" if never else "exited"


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Ask for the containers of a host that may have some, in both rounds."""
    if deployment.generation != "6.x" or not entry.has_role(*CONTAINER_ROLES):
        return
    value = {
        "prefixes": CONTAINER_PREFIXES,
        "roots": DOCKER_ROOTS,
        "seconds": deployment.limits.command_seconds,
    }
    if earlier is None:
        yield Section("docker", value)
        return
    facts = earlier.hosts[entry.name].containers
    if isinstance(facts, Containers) and facts.by_name:
        yield Section("docker", value)
