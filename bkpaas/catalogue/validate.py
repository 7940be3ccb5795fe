"""Check what the files of the catalogue say about each other. CatalogueError names the file and the key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from string import Formatter

from bkpaas.catalogue.load import CONDITIONS, SECTIONS, TOPOLOGY, Catalogue
from bkpaas.catalogue.model import SERVICES, Case, Condition, RemedyPart, Section, Text
from bkpaas.catalogue.scope import roles_of
from bkpaas.catalogue.topology import Step, Topology
from bkpaas.catalogue.variables import VARIABLES
from bkpaas.errors import CatalogueError
from bkpaas.inventory.words import ROLES
from bkpaas.messages import msg, to_text

_SERVICES = frozenset((*SERVICES, "agent"))
"""agent: paas_agent and the nginx of an app host."""

Exists = Callable[[str], bool]


def validate(catalogue: Catalogue, folder: Path) -> None:
    """Check a whole catalogue."""
    _validate_topology(catalogue.topology, folder / TOPOLOGY, catalogue.conditions)
    for section in catalogue.sections:
        _validate_section(section, folder / SECTIONS / f"{section.key}.toml", catalogue)
    for condition in catalogue.conditions.values():
        path = folder / CONDITIONS / f"{condition.id}.toml"
        validate_condition(condition, path, catalogue.conditions.__contains__)
        _refuse_used(path, condition.aliases, catalogue)
        if not any(condition.id in section.conditions for section in catalogue.sections):
            raise CatalogueError(path, None, to_text(msg("no section lists it")))


def _refuse_used(path: Path, aliases: tuple[str, ...], catalogue: Catalogue) -> None:
    """Refuse an alias that is the id of a condition, or that two conditions have."""
    every = [*catalogue.conditions, *(id_ for one in catalogue.conditions.values() for id_ in one.aliases)]
    for alias in aliases:
        if every.count(alias) > 1:
            raise CatalogueError(path, "aliases", to_text(msg("{alias!r} is used twice", alias=alias)))


def validate_condition(condition: Condition, path: Path, exists: Exists) -> None:
    """Check one condition; `known` tells if an id is that of a condition."""
    for key, text in _texts(condition):
        for language in ("en", "zh"):
            if not getattr(text, language).strip():
                raise CatalogueError(path, f"{key}.{language}", to_text(msg("is empty")))
    _refuse_unknown(
        path, "scope", (role for scope in condition.scopes for role in roles_of(scope)), ROLES.__contains__
    )
    _refuse_unknown(path, "services", condition.services, _SERVICES.__contains__)
    _refuse_unknown(path, "caused_by", (cause.condition for cause in condition.causes), exists)
    for number, entry in enumerate(condition.caused_by):
        if entry.generations and set(entry.generations).isdisjoint(condition.generations):
            raise CatalogueError(
                path,
                f"caused_by[{number}].generations",
                to_text(
                    msg(
                        "the condition is not checked on {generations}",
                        generations=", ".join(entry.generations),
                    )
                ),
            )
    if not condition.cases:
        raise CatalogueError(path, "case", to_text(msg("has no case")))
    if condition.remedy and all(case.parts is not condition.remedy for case in condition.cases):
        raise CatalogueError(path, "remedy", to_text(msg("each case has a remedy of its own")))
    for case in condition.cases:
        _validate_case(case, path)


def _texts(condition: Condition) -> Iterator[tuple[str, Text]]:
    for key in ("title", "inputs", "rule", "impact", "not_applicable_reason"):
        text = getattr(condition, key)
        if text is not None:
            yield key, text
    yield from _texts_of_remedy("remedy", condition.remedy)
    for case in condition.cases:
        yield f"case.{case.name}.headline", case.headline
        if case.parts is not condition.remedy:
            yield from _texts_of_remedy(f"case.{case.name}.remedy", case.parts)


def _texts_of_remedy(key: str, parts: tuple[RemedyPart, ...]) -> Iterator[tuple[str, Text]]:
    for number, part in enumerate(parts):
        yield f"{key}[{number}]", part.text
        for line, command in enumerate(part.commands):
            if command.comment is not None:
                yield f"{key}[{number}].commands[{line}]", command.comment


def _validate_case(case: Case, path: Path) -> None:
    if not case.parts:
        raise CatalogueError(path, f"case.{case.name}.remedy", to_text(msg("is empty")))
    for key, text in (("headline", case.headline), ("remedy", case.remedy())):
        names = []
        for language in ("en", "zh"):
            try:
                used = {
                    name for _, name, _, _ in Formatter().parse(getattr(text, language)) if name is not None
                }
            except ValueError as error:
                raise CatalogueError(path, f"case.{case.name}.{key}.{language}", str(error)) from error
            _refuse_unknown(
                path,
                f"case.{case.name}.{key}.{language}",
                used,
                lambda name: name in VARIABLES or name in case.parameters,
            )
            names.append(used)
        if names[0] != names[1]:
            differing = ", ".join(sorted(names[0] ^ names[1]))
            raise CatalogueError(
                path,
                f"case.{case.name}.{key}",
                to_text(msg("one language only uses {differing}", differing=differing)),
            )


def _validate_section(section: Section, path: Path, catalogue: Catalogue) -> None:
    exists = catalogue.conditions.__contains__
    _refuse_unknown(path, "conditions", section.conditions, exists)
    for number, point in enumerate(section.points):
        _refuse_unknown(path, f"points[{number}].conditions", point.conditions, exists)
        if not point.conditions and point.answer is None:
            raise CatalogueError(
                path,
                f"points[{number}]",
                to_text(msg("needs `conditions` or an `answer`")),
            )


def _validate_topology(topology: Topology, path: Path, conditions: dict[str, Condition]) -> None:
    exists = conditions.__contains__
    for name, component in topology.component.items():
        _refuse_unknown(path, f"component.{name}.broken_by", component.broken_by, exists)
    for key, station in topology.station.items():
        _refuse_unknown(path, f"station.{key}.signs", station.signs, exists)
        _refuse_unknown(path, f"station.{key}.roles", station.roles, ROLES.__contains__)
        _refuse_unknown(
            path, f"station.{key}.inside", filter(None, [station.inside]), topology.station.__contains__
        )
    for key, step in topology.step.items():
        _validate_step(key, step, path, topology, exists)


def _validate_step(key: str, step: Step, path: Path, topology: Topology, exists: Exists) -> None:
    _refuse_unknown(path, f"step.{key}", key.split(">"), topology.station.__contains__)
    _refuse_unknown(path, f"step.{key}.signs", (*step.signs, *step.anywhere), exists)
    _refuse_unknown(path, f"step.{key}.roles", step.roles, ROLES.__contains__)


def _refuse_unknown(path: Path, key: str, names: Iterable[str], exists: Exists) -> None:
    for name in names:
        if not exists(name):
            raise CatalogueError(path, key, to_text(msg("unknown: {name!r}", name=name)))
