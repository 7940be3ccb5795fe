"""The types of the catalogue: texts, conditions with their cases and causes, sections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from bkpaas.catalogue.scope import Scope, Subject
from bkpaas.inventory.deployment import Deployment, Generation
from bkpaas.language import Language, get_language
from bkpaas.messages import Message, both

Severity = Literal["fail", "warn"]
ReadOn = Literal["5.x", "6.0", "6.2"]
"""Generations by what runs the services: supervisord; systemd (6.0 and 6.1); docker (6.2 and later)."""
Scheme = Literal["http", "https"]

SERVICES = ("appengine", "paas", "esb", "login", "console", "apigw")
"""All services of open_paas."""
SERVICE_GROUPS: dict[str, tuple[str, ...]] = {"open_paas": SERVICES}
"""Names that stand for several services in a condition's file."""

DEFAULT_CASE = "failed"
"""The case of a site's condition that is made of keywords."""


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """One text in both languages."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.in_(get_language())

    def message(self) -> Message:
        """Return the text as a message."""
        return both(en=self.en, zh=self.zh)

    def in_(self, language: Language) -> str:
        """Return the text in one language."""
        return self.zh if language == "zh" else self.en


class Command(Struct, frozen=True):
    """One line for a shell with a comment; without a command it is a place for an edit by hand."""

    run: str = ""
    comment: Text | None = None

    def line(self, language: Language) -> str:
        """Return the line as a remedy shows it: `$ command    # comment`."""
        comment = f"# {self.comment.in_(language)}" if self.comment else ""
        return "$ " + "    ".join(filter(None, (self.run, comment)))


class RemedyPart(Struct, frozen=True):
    """Sentences of a remedy and the commands that follow them."""

    text: Text
    commands: tuple[Command, ...] = ()
    generations: tuple[Generation, ...] = ("5.x", "6.x")
    by_hand: bool = False
    """Only a person can repair it: the commands show where, and are not carried out in the lab."""


Relation = Literal[
    "same-host",
    "same-setting",
    "wrong-role",
    "source",
    "target",
    "same-link",
    "needed",
    "anywhere",
    "seen-from-host",
    "seen-by-all",
]
"""Where a cause must be for it to account for an effect.

same-host: they share a host, or both are seen from the controller.
same-setting: the same, and the evidence of both names the same setting.
wrong-role: the effect is judged on the cause's host for a role that the cause says it does not have.
source, target: the cause's host is where the effect's connection starts, ends.
same-link: both are about the same two hosts. needed: on a host that the effect's own check names. anywhere: always.
seen-from-host: the effect is seen from the controller, the cause on a host.
seen-by-all: the controller sees the cause in front of the platform, where every client meets it.
"""

Evidence = Literal[
    "refused",
    "silent",
    "cut-off",
    "slow",
    "5xx",
    "wrong-body",
    "tls",
    "unresolved",
    "not-listening",
    "not-running",
    "frozen",
    "extra-process",
    "missing",
    "wrong-value",
    "stale",
    "log-line",
    "no-line",
    "full",
    "no-data",
]
"""The kinds of evidence that a mechanism can produce.

refused: a connection is refused or has no route. silent: no answer within the limit. slow: an answer, but late.
cut-off: a connection is closed before there is an answer. full: a disk or a table of the system has no room left.
5xx: an HTTP answer with a server error. wrong-body: an answer of something else, or one that reports an error.
tls: a certificate or handshake is refused. unresolved: a name resolves to nothing or to a wrong address.
not-listening: no socket listens there. not-running: a program does not run as its manager should run it.
frozen: a process is stopped by a signal. extra-process: a process that should not be there. missing: a file or directory is gone.
wrong-value: a setting, clock or file differs from what it must be. stale: something old is still in use.
log-line: a line in a log. no-line: an expected line is not in a log. no-data: it could not be read.
"""


class Case(Struct, frozen=True):
    """One way in which a condition fails: what is wrong in one sentence, and what to do about it."""

    name: str
    headline: Text
    """False in health; may use remedy variables and the parameters."""
    parts: tuple[RemedyPart, ...] = ()
    parameters: tuple[str, ...] = ()
    """Names of the values that the check passes with the case."""
    evidence: tuple[Evidence, ...] = ()
    """The kinds of what is seen in this case; empty: any, as with the conditions of a site."""

    @property
    def by_hand(self) -> bool:
        """Return whether only a person can repair this case: it says so, or has a place for an edit by hand."""
        return any(part.by_hand or not all(one.run for one in part.commands) for part in self.parts)

    def remedy(self, generation: Generation | None = None) -> Text:
        """Return the remedy for one generation, for all of them when it is None.

        Lines that begin with "$ " are commands. Variables such as {host} are not replaced.
        """
        parts = [part for part in self.parts if generation is None or generation in part.generations]

        def lines(language: Language) -> str:
            return "\n".join(
                line
                for part in parts
                for line in (part.text.in_(language), *(command.line(language) for command in part.commands))
            )

        return Text(en=lines("en"), zh=lines("zh"))


Component = Literal["service", "address", "path", "setting", "role", "unit", "domain"]
"""The types of what evidence names.

service: of open_paas, agent, or the address and port of another server. address: host:port that is connected to.
path: of a file. role: of the inventory. unit: of systemd, without its type. domain: the host part of an address in the settings. setting: the name of a key in a settings file; what names none is not explained by a setting.
"""


class Cause(Struct, frozen=True):
    """Another condition whose failure accounts for this one's: one edge of the graph."""

    condition: str
    relation: Relation
    produces: tuple[Evidence, ...] = ()
    """The kinds of evidence that it can make here; empty: any, as with the conditions of a site."""
    cases: tuple[str, ...] = ()
    """The cases of the cause in which it does; empty: all."""
    generations: tuple[Generation, ...] = ()
    """The generations of hosts on which the mechanism exists; empty: all."""


class CausedBy(Struct, frozen=True):
    """One authored entry: the edges it stands for, and the mechanism behind them."""

    causes: tuple[Cause, ...]
    produces: tuple[Evidence, ...]
    mechanism: Text
    """How the cause makes the effect, in one sentence."""
    component: str = ""
    """The component that stands for the conditions; empty where the entry names them itself."""

    @property
    def generations(self) -> tuple[Generation, ...]:
        """Return the generations on which the mechanism exists; empty: all."""
        return self.causes[0].generations if self.causes else ()


class Condition(Struct, frozen=True):
    """One thing that must be true, its texts, its cases and its causes."""

    id: str
    scopes: tuple[Scope, ...]
    title: Text
    inputs: Text
    """What is read: files, /proc, requests, and from where."""
    rule: Text
    """When it fails, with the names of its limits and their usual values: `disk_free_percent` (1)."""
    impact: Text
    """What an operator or a user then sees."""
    cases: tuple[Case, ...]
    remedy: tuple[RemedyPart, ...] = ()
    """The remedy of each case that has none of its own."""
    severity: Severity = "fail"
    caused_by: tuple[CausedBy, ...] = ()
    causes: tuple[Cause, ...] = ()
    """The edges of caused_by, in order, each once."""
    services: tuple[str, ...] = ()
    """The services it is about, when not all: a cause about others does not account for it."""
    generations: tuple[Generation, ...] = ("5.x", "6.x")
    """Where it can be judged."""
    schemes: tuple[Scheme, ...] = ("http", "https")
    """The schemes of the domain for which it has a meaning."""
    reads: Mapping[ReadOn, Text] = {}
    """What is read on one generation, where that differs from the inputs."""
    not_applicable_reason: Text | None = None
    """Why it is not applicable when no host of the inventory is in its scope; None: the general sentence."""
    aliases: tuple[str, ...] = ()
    """Its former ids, which waivers, --only, histories and the checks of a site may still use."""

    def subjects(self, deployment: Deployment) -> list[Subject]:
        """Return what the condition is judged on in a deployment; empty if nothing is in its scope."""
        if deployment.scheme not in self.schemes:
            return []
        return [subject for scope in self.scopes for subject in scope.subjects(deployment)]

    def case(self, name: str | None = None) -> Case:
        """Return a case by its name; the first one without a name or for an unknown name."""
        return next((case for case in self.cases if case.name == name), self.cases[0])


class Point(Struct, frozen=True):
    """One statement of the FAQ in short, and how the suite treats it."""

    faq_text: Text
    conditions: tuple[str, ...] = ()
    """Those that check it."""
    answer: Text | None = None
    """What is true where that is not quite what the FAQ says, or why nothing checks it."""


class Section(Struct, frozen=True):
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


def anywhere(*conditions: str) -> tuple[Cause, ...]:
    return tuple(Cause(condition, "anywhere") for condition in conditions)


def seen_from_host(*conditions: str) -> tuple[Cause, ...]:
    return tuple(Cause(condition, "seen-from-host") for condition in conditions)
