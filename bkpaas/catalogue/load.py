"""Load the catalogue from its TOML files. CatalogueError: a file cannot be used, with the line or the key."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from bkpaas.catalogue.model import (
    SERVICE_GROUPS,
    Case,
    Cause,
    CausedBy,
    Command,
    Condition,
    Evidence,
    Point,
    ReadOn,
    Relation,
    RemedyPart,
    Scheme,
    Section,
    Severity,
    Text,
)
from bkpaas.catalogue.scope import Scope
from bkpaas.catalogue.topology import Topology, resolve_same_as
from bkpaas.errors import CatalogueError
from bkpaas.inventory.deployment import Generation
from bkpaas.messages import msg, to_text

FOLDER = Path(__file__).parent
CONDITIONS = "conditions"
SECTIONS = "sections"
TOPOLOGY = "topology.toml"

_LINE = re.compile(r"(.*) \(at line (\d+), column \d+\)", re.DOTALL)
"""The position that tomllib puts behind its message."""
_KEY = re.compile(r"(.*) - at `\$\.?(.*)`", re.DOTALL)
"""The path that msgspec puts behind its message."""

File = TypeVar("File")


class Catalogue(Struct, frozen=True):
    """All that the files say."""

    conditions: dict[str, Condition]
    """By id, in the order of the catalogue: it decides between root causes that explain equally much."""
    sections: tuple[Section, ...]
    topology: Topology


class _Command(Struct, forbid_unknown_fields=True):
    """A command with a comment, or a place for an edit by hand."""

    en: str
    zh: str
    run: str = ""


class _Part(Struct, forbid_unknown_fields=True):
    en: str
    zh: str
    commands: list[str | _Command] = []
    generations: tuple[Generation, ...] = ("5.x", "6.x")
    by_hand: bool = False


class _Case(Struct, forbid_unknown_fields=True):
    headline: Text
    evidence: tuple[Evidence, ...] = ()
    remedy: list[_Part] = []
    parameters: tuple[str, ...] = ()


class _CausedBy(Struct, forbid_unknown_fields=True):
    relation: Relation
    component: str | list[str] = []
    condition: str | list[str] = []
    cases: tuple[str, ...] = ()
    produces: tuple[Evidence, ...] = ()
    generations: tuple[Generation, ...] = ()
    mechanism: Text | None = None


class _Condition(Struct, forbid_unknown_fields=True):
    scope: Scope | list[Scope]
    severity: Severity
    title: Text
    inputs: Text
    rule: Text
    impact: Text
    cases: dict[str, Any] = field(name="case")
    remedy: list[_Part] = []
    caused_by: list[_CausedBy] = []
    services: tuple[str, ...] = ()
    generations: tuple[Generation, ...] = ("5.x", "6.x")
    schemes: tuple[Scheme, ...] = ("http", "https")
    reads: dict[ReadOn, Text] = {}
    not_applicable_reason: Text | None = None
    aliases: tuple[str, ...] = ()


class _Point(Struct, forbid_unknown_fields=True):
    faq_text: Text
    conditions: tuple[str, ...] = ()
    answer: Text | None = None


class _Section(Struct, forbid_unknown_fields=True):
    order: int
    title: Text
    introduction: Text
    conditions: tuple[str, ...]
    points: list[_Point] = []


def load_catalogue(folder: Path = FOLDER) -> Catalogue:
    """Load every file of a catalogue. References between the files are not checked here: see validate."""
    topology = load_topology(folder / TOPOLOGY)
    conditions = {
        path.stem: load_condition(path, topology) for path in sorted((folder / CONDITIONS).glob("*.toml"))
    }
    sections = load_sections(folder / SECTIONS)
    ranked = {id_: conditions[id_] for id_ in _ranking(sections) if id_ in conditions}
    return Catalogue({**ranked, **conditions}, sections, topology)


def load_condition(path: Path, topology: Topology) -> Condition:
    """Load one condition; its id is the name of the file without `.toml`."""
    file = _read(path, _Condition)
    remedy = tuple(_part(part) for part in file.remedy)
    return Condition(
        id=path.stem,
        scopes=tuple(file.scope) if isinstance(file.scope, list) else (file.scope,),
        title=_joined_lines(file.title),
        inputs=_joined_lines(file.inputs),
        rule=_joined_lines(file.rule),
        impact=_joined_lines(file.impact),
        cases=tuple(
            _case(name, _convert(path, table, _Case, f"case.{name}"), remedy)
            for name, table in file.cases.items()
        ),
        remedy=remedy,
        severity=file.severity,
        caused_by=(caused_by := _caused_by(path, file.caused_by, topology)),
        causes=_edges(caused_by),
        services=tuple(one for name in file.services for one in SERVICE_GROUPS.get(name, (name,))),
        generations=file.generations,
        schemes=file.schemes,
        reads={generation: _joined_lines(text) for generation, text in file.reads.items()},
        not_applicable_reason=file.not_applicable_reason and _joined_lines(file.not_applicable_reason),
        aliases=file.aliases,
    )


def load_sections(folder: Path) -> tuple[Section, ...]:
    """Load every section, in the order of their numbers."""
    files = [(path, _read(path, _Section)) for path in folder.glob("*.toml")]
    return tuple(
        Section(
            key=path.stem,
            title=_joined_lines(file.title),
            introduction=_joined_lines(file.introduction),
            conditions=file.conditions,
            points=tuple(
                Point(
                    _joined_lines(point.faq_text),
                    point.conditions,
                    point.answer and _joined_lines(point.answer),
                )
                for point in file.points
            ),
        )
        for path, file in sorted(files, key=lambda one: (one[1].order, one[0].stem))
    )


def load_topology(path: Path) -> Topology:
    """Load the components and the picture; names that they refer to are known and in no circle."""
    topology = _read(path, Topology)
    for name, component in topology.component.items():
        if component.broken_by and not (component.mechanism and component.produces):
            raise CatalogueError(
                path,
                f"component.{name}",
                to_text(msg("`broken_by` needs `produces` and `mechanism`")),
            )
        for key in ("needs", "parts"):
            for other in getattr(component, key):
                if other not in topology.component:
                    raise CatalogueError(path, f"component.{name}.{key}", _no_component(other))
                if name in _reached(topology, other, key):
                    raise CatalogueError(path, f"component.{name}.{key}", to_text(msg("has a cycle")))
    for table, drawn in (("station", topology.station), ("step", topology.step)):
        for name, one in drawn.items():
            for component_name in one.components:
                if component_name not in topology.component:
                    raise CatalogueError(path, f"{table}.{name}.components", _no_component(component_name))
            if one.same_as and one.same_as not in drawn:
                raise CatalogueError(
                    path,
                    f"{table}.{name}.same_as",
                    to_text(msg("no {table} {same_as}", table=table, same_as=one.same_as)),
                )
    return resolve_same_as(topology)


def _reached(topology: Topology, name: str, key: str) -> set[str]:
    """Return what a component leads to through `needs` or `parts`, itself included."""
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in reached and current in topology.component:
            reached.add(current)
            waiting += getattr(topology.component[current], key)
    return reached


def _ranking(sections: tuple[Section, ...]) -> list[str]:
    """Return the ids in the order of the sections that list them."""
    ids = (id_ for section in sections for id_ in section.conditions)
    return list(dict.fromkeys(ids))


def _case(name: str, file: _Case, remedy: tuple[RemedyPart, ...]) -> Case:
    """Return a case, with the remedy of its condition if it has none of its own."""
    own = tuple(_part(part) for part in file.remedy)
    return Case(name, _joined_lines(file.headline), own or remedy, file.parameters, file.evidence)


def _part(file: _Part) -> RemedyPart:
    commands = tuple(
        Command(one) if isinstance(one, str) else Command(one.run, Text(one.en, one.zh))
        for one in file.commands
    )
    return RemedyPart(_joined_lines(Text(file.en, file.zh)), commands, file.generations, file.by_hand)


def _caused_by(path: Path, entries: list[_CausedBy], topology: Topology) -> tuple[CausedBy, ...]:
    """Expand the entries: a component becomes the conditions that break it, part by part."""
    expanded: list[CausedBy] = []
    for number, entry in enumerate(entries):
        key = f"caused_by[{number}]"
        if bool(entry.component) == bool(entry.condition):
            raise CatalogueError(
                path, key, to_text(msg("needs `component` or `condition`, not both"))
            )  # fmt: skip
        if entry.condition and (entry.mechanism is None or not entry.produces):
            raise CatalogueError(
                path, key, to_text(msg("`condition` needs `produces` and `mechanism`"))
            )  # fmt: skip
        if entry.mechanism is not None and entry.condition:
            causes = tuple(
                Cause(id_, entry.relation, entry.produces, entry.cases, entry.generations)
                for id_ in _listed(entry.condition)
            )
            expanded.append(CausedBy(causes, entry.produces, _joined_lines(entry.mechanism)))
        for name in _listed(entry.component):
            if name not in topology.component:
                raise CatalogueError(path, f"{key}.component", _no_component(name))
            expanded += [
                CausedBy(
                    tuple(
                        Cause(id_, entry.relation, entry.produces or leaf.produces, (), entry.generations)
                        for id_ in leaf.broken_by
                    ),
                    entry.produces or leaf.produces,
                    _joined_lines(mechanism),
                    part,
                )
                for part, leaf in topology.leaves(name)
                if (mechanism := entry.mechanism or leaf.mechanism) is not None
            ]
    return tuple(expanded)


def _edges(entries: tuple[CausedBy, ...]) -> tuple[Cause, ...]:
    """Return the edges of the entries in order, those that differ in `produces` only as one, with all they produce."""
    produced: dict[Cause, list[Evidence]] = {}
    for entry in entries:
        for cause in entry.causes:
            key = Cause(cause.condition, cause.relation, (), cause.cases, cause.generations)
            produced.setdefault(key, []).extend(cause.produces)
    return tuple(
        msgspec.structs.replace(edge, produces=tuple(dict.fromkeys(kinds)))
        for edge, kinds in produced.items()
    )


def _listed(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names


def _no_component(name: str) -> str:
    return to_text(msg("no component {name} in {topology}", name=name, topology=TOPOLOGY))


_SPACED = re.compile(r"(?<=[\u4e00-\u9fff])\n(?=[A-Za-z0-9`{])|(?<=[A-Za-z0-9`}])\n(?=[\u4e00-\u9fff])")
"""A line end between a Chinese and a Latin letter."""


def _joined_lines(text: Text) -> Text:
    """Join the lines of a text: with a space in English and between Chinese and Latin letters, else with nothing."""
    chinese = _SPACED.sub(" ", text.zh.strip())
    return Text(" ".join(text.en.strip().split("\n")), "".join(chinese.split("\n")))


def _read(path: Path, type_: type[File]) -> File:
    if sys.version_info >= (3, 11):  # imported here: a start with a cached catalogue does not need it
        import tomllib
    else:
        import tomli as tomllib
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CatalogueError(path, None, str(error.strerror)) from error
    except UnicodeDecodeError as error:
        raise CatalogueError(path, None, to_text(msg("is not UTF-8"))) from error
    except tomllib.TOMLDecodeError as error:
        match = _LINE.fullmatch(str(error))
        reason, line = (match[1], int(match[2])) if match else (str(error), None)
        raise CatalogueError(path, line, reason) from error
    return _convert(path, data, type_)


def _convert(path: Path, data: object, type_: type[File], prefix: str = "") -> File:
    try:
        return msgspec.convert(data, type_)
    except msgspec.ValidationError as error:
        match = _KEY.fullmatch(str(error))
        reason, key = (match[1], match[2]) if match else (str(error), "")
        raise CatalogueError(path, ".".join(filter(None, (prefix, key))) or None, reason) from error
