"""The one flat record of a run, results.json schema 1. Every writer reads this and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct, field

from bkpaas.files import MIB, read_bounded
from bkpaas.language import Language

T = TypeVar("T")
Word = Literal["pass", "warn", "fail", "no_data", "not_applicable", "waived"]
WORDS: tuple[Word, ...] = ("pass", "warn", "fail", "no_data", "not_applicable", "waived")


class Run(Struct):
    """When, over what and by which suite."""

    id: str
    started: str
    """ISO 8601 with offset."""
    seconds: float
    inventory: str
    suite: str
    collector_sha256: str
    exit: int
    """0 to 5, pytest's exit codes; 2: interrupted, the record is partial."""
    selected_from: int | None = None
    """Of how many conditions the verdicts are a selection (-m, -k, --only, -x ...); None: all were checked."""
    domain: str | None = None
    """The domain of PaaS; None in records of earlier versions."""
    language: Language = "en"
    """Language of every text in the record, en or zh; `translated` holds the other language."""


class Clock(Struct, omit_defaults=True):
    """A host's clock against that of the machine that looked."""

    offset_seconds: float
    uncertainty_seconds: float
    """The truth is within offset plus and minus this."""
    controller: str = ""
    """The run that measured it, where snapshots were merged: only clocks of one run can be compared."""


class HostRecord(Struct):
    name: str
    address: str
    roles: list[str]
    generation: str
    collected: bool
    seconds: float
    error: str | None
    translated: str | None = None
    """The error in the other language."""
    clock: Clock | None = None


class Wording(Struct, omit_defaults=True):
    """The texts of a verdict in the other language; what is absent is the same in both, or in neither."""

    title: str | None = None
    reason: str | None = None
    evidence: str | None = None
    remedy: str | None = None


class Part(Struct, frozen=True):
    """One thing that evidence shows: a failure is explained when all its parts are."""

    component: str
    """What is named, as `TYPE:NAME`: service:login, address:10.0.0.5:3306, setting:SECRET_KEY; empty: nothing."""
    kinds: tuple[str, ...]
    """The kinds of evidence, as the case declares them; empty: any."""


class Verdict(Struct):
    """One (condition, subject): what was expected to be judged and how it was."""

    id: str
    """condition@subject"""
    condition: str
    subject: str
    hosts: list[str]
    faq: str
    """Key of the symptom, as in the catalogue: fatal-exited-too-quickly."""
    severity: Literal["fail", "warn"]
    verdict: Word
    title: str
    reason: str | None
    """Why it was not judged, not applicable, or waived."""
    evidence: str | None
    remedy: str | None
    """How to repair it, with this host's paths; lines that are commands begin with "$ "."""
    explained_by: list[str]
    """Ids of the failures that account for this one."""
    case: str | None = None
    """In which way it failed, as the catalogue names it; None where nothing was seen to fail."""
    parts: list[Part] = []
    """What its evidence shows; empty where nothing was seen to fail."""
    may_be_explained_by: list[str] = []
    """Ids of failures that may account for it although its evidence does not show it. It is a root cause."""
    translated: Wording = field(default_factory=Wording)


class RootCause(Struct):
    """One root cause and what it accounts for."""

    headline: str
    """What is wrong, in one sentence."""
    case: str | None
    """As in its verdicts."""
    ids: list[str]
    """Its verdicts."""
    hosts: list[str]
    """All hosts of its verdicts."""
    explains: list[str]
    """Ids that it accounts for, directly or through others, in the order of the record."""
    may_explain: list[str] = field(default_factory=list)
    """Ids that it may account for, although their evidence does not show it."""
    translated: str | None = None
    """The headline in the other language; None if it is the same."""


class Section(Struct):
    """One section of the FAQ, as the catalogue orders them."""

    key: str
    title: str
    translated: str
    conditions: list[str]


class FlowPart(Struct):
    """A station of the request flow, or a step between two of them, as the catalogue describes it."""

    key: str
    """Of a step `FROM>TO`."""
    title: str
    """Empty for a step: it is named after its stations."""
    translated: str
    conditions: list[str]
    """Those that judge it on hosts of its roles."""
    roles: list[str] = field(default_factory=list)
    """Empty: hosts of every role."""
    anywhere: list[str] = field(default_factory=list)
    """Conditions that judge it on hosts of every role."""


class Change(Struct):
    """A verdict that is not what it was in another run."""

    id: str
    before: Word | None
    """None: not judged then."""
    after: Word | None
    """None: not judged now."""


class FactChange(Struct):
    """A fact that is not what it was, whatever the verdicts say."""

    host: str
    kind: Literal["version", "setting", "process", "listener", "upstream"]
    name: str
    """Which one, as the host calls it: login BK_COOKIE_DOMAIN, 10.0.0.3:8003."""
    before: str | None
    """None: it was not there."""
    after: str | None
    """None: it is not there."""


class NotCompared(Struct):
    """What cannot be compared on a host that was upgraded between both runs."""

    host: str
    before: str
    """Generation of the host then: 5.x (supervisord), 6.0/6.1 (systemd) or 6.2+ (docker)."""
    after: str
    """Generation of the host now."""
    conditions: list[str]
    """Those that apply to one of both generations only."""
    facts: list[str]
    """Kinds of facts that differ with the generation: process."""


class Comparison(Struct):
    """Comparison with an earlier run (--baseline)."""

    run: str
    started: str
    verdicts: list[Change]
    facts: list[FactChange]
    not_compared: list[NotCompared] = []
    """By host; empty unless hosts were upgraded to another generation."""


class PastRun(Struct, omit_defaults=True):
    started: str
    exit: int
    counts: dict[str, int]
    report: str | None = None
    """The directory that its report was written to."""


class History(Struct):
    """This run as the latest of many (--history)."""

    runs: list[PastRun]
    """Oldest first; the last is this one."""
    since: dict[str, str]
    """By id of what is bad now: the start of the first run of those in a row in which it was (ISO 8601)."""
    new: list[str]
    """Ids that are bad now and were not in the run before."""
    repaired: list[str]
    """Ids that were bad in the run before and pass now."""
    flapping: list[str]
    """Ids that changed more often recently than one repair explains."""


WaiverState = Literal["used", "expired", "unneeded", "changed"]


class WaiverUse(Struct):
    """What became of one waiver of the inventory in this run."""

    condition: str
    hosts: list[str]
    reason: str
    owner: str
    expires: str
    """Its last day, YYYY-MM-DD."""
    evidence: str | None
    """It applies only where the evidence contains this."""
    state: WaiverState
    """unneeded: all that it is about holds. changed: it fails there, but with other evidence than was accepted."""
    verdicts: list[str]
    """Ids it was used for, or would have been."""


class MergedSnapshot(Struct):
    """One of the snapshots that were judged as one."""

    source: str
    """Its file, as given."""
    started: str
    """ISO 8601 with offset."""
    age_seconds: float
    """How much older it is than the newest."""
    hosts: int
    """How many hosts' facts come from it."""
    elsewhere: list[str]
    """Hosts that it has too, and whose facts come from another one."""


class PlatformVersions(Struct):
    """Versions of BlueKing on the paas hosts, by whether the suite was proved on them."""

    proved: list[str]
    """`MODULE VERSION`: the real programs of this version were run, and the verdicts compared."""
    checked: list[str]
    """`MODULE VERSION`: checked all the same."""
    unknown: list[str]
    """Hosts on which no version was read."""
    text: str
    """The same in one sentence."""
    translated: str


class Results(Struct, dict=True):
    run: Run
    hosts: list[HostRecord]
    verdicts: list[Verdict]
    root_causes: list[str]
    """Ids, the most explanatory first."""
    counts: dict[str, int]
    sections: list[Section] = field(default_factory=list)
    flow: list[FlowPart] = field(default_factory=list)
    """The request flow: its stations in the order of the catalogue, then its steps."""
    limits: dict[str, float] = field(default_factory=dict)
    """Where a measured value becomes a finding, for drawing: clock_drift_seconds, clock_apart_seconds, ..."""
    comparison: Comparison | None = None
    history: History | None = None
    waivers: list[WaiverUse] = field(default_factory=list)
    durations: dict[str, float] = field(default_factory=dict)
    """By id, the seconds that its check took."""
    not_imported: list[str] = field(default_factory=list)
    """Test files of a site that could not be imported, with the line and the error; their conditions are missing."""
    lost: list[str] = field(default_factory=list)
    """Outputs of this run that could not be written or sent, with the reason; the run is then not green."""
    causes: list[RootCause] = field(default_factory=list)
    """The root causes with their headlines, in the same order."""
    merged: list[MergedSnapshot] = field(default_factory=list)
    """The snapshots of several controllers that were judged together; empty: one controller."""
    versions: PlatformVersions | None = None
    schema: Literal[1] = 1

    def verdict(self, id_: str) -> Verdict:
        return next(verdict for verdict in self.verdicts if verdict.id == id_)

    def once(self, key: str, compute: Callable[[], T]) -> T:
        """Return a value that depends on verdicts and causes only, computed the first time; it must not be changed."""
        if key not in self.__dict__:
            self.__dict__[key] = compute()
        value: T = self.__dict__[key]
        return value


def translated(results: Results, language: Language) -> Results:
    """Return the record with its texts in one of its two languages; the former language becomes the translation."""
    if language == results.run.language:
        return results
    replace = msgspec.structs.replace
    hosts = [replace(one, error=one.translated, translated=one.error) for one in results.hosts]
    for old, new in zip(results.hosts, hosts, strict=True):
        new.error, new.translated = (new.error or old.error), (new.translated or old.translated)
    return replace(
        results,
        run=replace(results.run, language=language),
        hosts=hosts,
        verdicts=[_translated(verdict) for verdict in results.verdicts],
        causes=[
            replace(cause, headline=cause.translated, translated=cause.headline)
            if cause.translated is not None
            else cause
            for cause in results.causes
        ],
        versions=results.versions
        and replace(results.versions, text=results.versions.translated, translated=results.versions.text),
        sections=[replace(one, title=one.translated, translated=one.title) for one in results.sections],
        flow=[replace(one, title=one.translated, translated=one.title) for one in results.flow],
    )


def _translated(verdict: Verdict) -> Verdict:
    texts, own = msgspec.structs.asdict(verdict.translated), {}
    for name, text in texts.items():
        if text is not None:
            own[name], texts[name] = text, getattr(verdict, name)
    return msgspec.structs.replace(verdict, **own, translated=Wording(**texts))


def count(verdicts: list[Verdict]) -> dict[str, int]:
    """Count the verdicts of each word; every word is present."""
    counts: dict[str, int] = dict.fromkeys(WORDS, 0)
    for verdict in verdicts:
        counts[verdict.verdict] += 1
    return counts


def write_private(path: Path, data: bytes) -> None:
    """Replace a file as a whole, readable by its owner only."""
    write_file(path, data, 0o600)


def write_file(path: Path, data: bytes, mode: int) -> None:
    """Replace a file as a whole; a symbolic link is replaced, not followed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, mode)
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)  # some file systems report a full disk only here
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_json(results: Results, path: Path) -> None:
    try:
        data = msgspec.json.format(msgspec.json.encode(results), indent=1)
    except UnicodeEncodeError:  # half a character of a host: "?" takes its place, the record is kept
        data = json.dumps(msgspec.to_builtins(results), ensure_ascii=False, indent=1).encode(
            "utf-8", "replace"
        )
    write_private(path, data + b"\n")


RECORD_BYTES = 256 * MIB
"""Limit of results.json: that of 1000 hosts has about 20 MiB."""


def read_json(path: Path) -> Results:
    """Read results.json. Raises SuiteError, msgspec.DecodeError, RecursionError.

    The counts are those of its verdicts: a headline must not differ from them.
    """
    results = msgspec.json.decode(read_bounded(path, RECORD_BYTES), type=Results)
    results.counts = count(results.verdicts)
    return results
