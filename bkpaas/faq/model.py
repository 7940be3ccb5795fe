"""The vocabulary of the catalogue: symptoms, conditions, who they are judged on, what causes what."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from bkpaas.inventory.deployment import Deployment, Generation
from bkpaas.lang import Language, say

Severity = Literal["fail", "warn"]


class Text(Struct, frozen=True):
    """One text in both languages."""

    en: str
    zh: str

    def __str__(self) -> str:
        return say(en=self.en, zh=self.zh)

    def in_(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


Command = str | tuple[str, Text]
"""One line for a shell; with what to say behind it. An empty one is the place of something to do by hand."""


def by_hand(en: str, zh: str) -> Command:
    """Between commands, where an edit belongs: a comment, so that a shell does nothing at it."""
    return ("", Text(en=en, zh=zh))


RELOAD: Command = (
    "{nginx} -t && {nginx} -s reload",
    Text(
        en="the program, and the -c, of the nginx that runs: ps -ef | grep '[n]ginx: master'",
        zh="使用正在运行的 nginx 的程序和 -c 参数：ps -ef | grep '[n]ginx: master'",
    ),
)
START: Command = (
    "pgrep -f '[n]ginx: master' || {nginx}",
    Text(
        en="never a second one; where systemd has it: systemctl start nginx",
        zh="不要启动第二个；由 systemd 管理时：systemctl start nginx",
    ),
)
"""Of nginx. Another one may be first in PATH, or the one that runs was told of another file."""


def repair(what: Text, *steps: Command | Text) -> Text:
    """A remedy: what to do in sentences, then the commands, the same in both languages.

    A sentence among the commands divides them: what is for another case cannot be pasted along.
    """

    def shown(step: Command | Text, language: Language) -> str:
        if isinstance(step, Text):
            return step.in_(language)
        command, comment = step if isinstance(step, tuple) else (step, None)
        behind = f"# {comment.in_(language)}" if comment else ""
        return "$ " + "    ".join(filter(None, (command, behind)))

    def lines(language: Language) -> str:
        return "\n".join((what.in_(language), *(shown(step, language) for step in steps)))

    return Text(en=lines("en"), zh=lines("zh"))


class Subject(Struct, frozen=True):
    """What one verdict is about: a host, a connection or pair, the controller, the deployment."""

    id: str
    hosts: tuple[str, ...] = ()
    """In order: for a connection from, to."""


SERVICES = ("appengine", "paas", "esb", "login", "console", "apigw")
"""All of open_paas."""

CONTROLLER = Subject("controller")
DEPLOYMENT = Subject("deployment")


class Each(Struct, frozen=True, tag=True):
    """Every judged host with any of these roles; every judged host when there are none."""

    roles: tuple[str, ...] = ()

    def subjects(self, deployment: Deployment) -> list[Subject]:
        return [Subject(host.name, (host.name,)) for host in deployment.judged(*self.roles)]


class Pairs(Struct, frozen=True, tag=True):
    """Every pair of judged hosts with this role, each pair once."""

    role: str

    def subjects(self, deployment: Deployment) -> list[Subject]:
        hosts = [host.name for host in deployment.judged(self.role)]
        return [Subject(f"{a}+{b}", (a, b)) for i, a in enumerate(hosts) for b in hosts[i + 1 :]]


class Links(Struct, frozen=True, tag=True):
    """Every connection from a judged host to a known host of these roles."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    both: bool = False
    """Whether the target's own facts are needed: then it must be judged as well."""

    def subjects(self, deployment: Deployment) -> list[Subject]:
        return [
            Subject(f"{source.name}+{target.name}", (source.name, target.name))
            for source in deployment.judged(*self.sources)
            for target in (deployment.judged if self.both else deployment.having)(*self.targets)
        ]


class FromController(Struct, frozen=True, tag=True):
    """The machine the suite runs on, looking at the deployment through its domain."""

    def subjects(self, deployment: Deployment) -> list[Subject]:
        return [CONTROLLER]


class VirtualAddresses(Struct, frozen=True, tag=True):
    """Every address in front of the nginx hosts, when none of those is left out."""

    def subjects(self, deployment: Deployment) -> list[Subject]:
        nginx = deployment.having("nginx")
        if not nginx or not all(host.judged for host in nginx):
            return []
        names = tuple(host.name for host in nginx)
        return [Subject(address, names) for address in dict.fromkeys(deployment.virtual_addresses)]


Scope = Each | Pairs | Links | FromController | VirtualAddresses

Relation = Literal[
    "same-host", "source", "target", "same-link", "needed", "anywhere", "seen-from-host", "seen-by-all"
]
"""Where a cause must stand for it to account for an effect.

same-host: they share a host, or both are seen from the controller.
source, target: the cause's host is where the effect's connection starts, ends.
same-link: both are about the same two hosts. needed: on a host that the effect's own test names. anywhere: always.
seen-from-host: the effect is seen from the controller, the cause on a host.
seen-by-all: the controller sees the cause in front, where everybody meets it.
"""


class Cause(Struct, frozen=True):
    """Another condition whose failure accounts for this one's."""

    condition: str
    relation: Relation


class Condition(Struct, frozen=True):
    """One thing that must be true, in words and in its place among causes and consequences."""

    id: str
    scopes: tuple[Scope, ...]
    title: Text
    reads: Text
    """What it is judged by: files, /proc, requests, and from where."""
    fails: Text
    """The rule, literally, with the names of its limits and their usual values: `disk_free_percent` (1)."""
    means: Text
    """What an operator, or a user, then sees."""
    remedy: Text
    """With slots such as {host} and {home}; lines that begin with "$ " are commands."""
    severity: Severity = "fail"
    causes: tuple[Cause, ...] = ()
    about: tuple[str, ...] = ()
    """The services it concerns, when it does not concern all: a cause about others does not account for it."""
    generations: tuple[Generation, ...] = ("5.x", "6.x")
    """Where it can be judged: the process manager of 6.x is another one and not judged yet."""
    schemes: tuple[str, ...] = ("http", "https")
    """Of the domain, where it means something."""
    nobody: Text | None = None
    """Why it is not applicable when no host of the inventory is in its scope; None: the general sentence."""

    def subjects(self, deployment: Deployment) -> list[Subject]:
        if deployment.scheme not in self.schemes:
            return []
        return [subject for scope in self.scopes for subject in scope.subjects(deployment)]


class Point(Struct, frozen=True):
    """One thing that the FAQ says, in short, and what becomes of it here."""

    says: Text
    conditions: tuple[str, ...] = ()
    """Those that check it."""
    answer: Text | None = None
    """What is true where that is not quite what the FAQ says, or why nothing checks it."""


class Symptom(Struct, frozen=True):
    """One section of the FAQ: what an operator sees, and the conditions in the order in which to look."""

    key: str
    title: Text
    introduction: Text
    """What is seen, and what to ask first."""
    conditions: tuple[str, ...]
    points: tuple[Point, ...] = ()
    """All that the section says, in its order."""

    @property
    def marker(self) -> str:
        """Its spelling for pytest's -m."""
        return self.key.replace("-", "_")


def same_host(*conditions: str) -> tuple[Cause, ...]:
    return tuple(Cause(condition, "same-host") for condition in conditions)


def source(*conditions: str) -> tuple[Cause, ...]:
    return tuple(Cause(condition, "source") for condition in conditions)


def target(*conditions: str) -> tuple[Cause, ...]:
    return tuple(Cause(condition, "target") for condition in conditions)


def same_link(*conditions: str) -> tuple[Cause, ...]:
    return tuple(Cause(condition, "same-link") for condition in conditions)


def needed(*conditions: str) -> tuple[Cause, ...]:
    return tuple(Cause(condition, "needed") for condition in conditions)


def anywhere(*conditions: str) -> tuple[Cause, ...]:
    return tuple(Cause(condition, "anywhere") for condition in conditions)


def seen_from_host(*conditions: str) -> tuple[Cause, ...]:
    return tuple(Cause(condition, "seen-from-host") for condition in conditions)


def seen_by_all(*conditions: str) -> tuple[Cause, ...]:
    return tuple(Cause(condition, "seen-by-all") for condition in conditions)
