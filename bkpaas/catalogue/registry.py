"""The catalogue in use, looked up by id, with the conditions that a site adds."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from msgspec.structs import replace

from bkpaas.catalogue.cache import checked_catalogue
from bkpaas.catalogue.load import load_condition as _load
from bkpaas.catalogue.model import Cause, Condition, Section, Text
from bkpaas.catalogue.topology import Topology
from bkpaas.catalogue.validate import validate_condition

_CATALOGUE = checked_catalogue()

SECTIONS: tuple[Section, ...] = _CATALOGUE.sections
CONDITIONS: dict[str, Condition] = _CATALOGUE.conditions
TOPOLOGY: Topology = _CATALOGUE.topology
ALIASES: dict[str, str] = {alias: known.id for known in CONDITIONS.values() for alias in known.aliases}
"""The id of today, by each former id of a condition."""

CUSTOM_CONDITIONS: dict[str, Condition] = {}
"""The conditions of a site's own tests, by id; filled when these are imported."""
CUSTOM_PREFIX = "site-"
"""The ids of these begin with it, so that no version of the catalogue has the same one."""


def load_condition(path: Path) -> Condition:
    """Load and check a condition of a site from a file like those in conditions/. CatalogueError: it cannot be used."""
    condition = _with_current_causes(_load(path, TOPOLOGY))
    validate_condition(condition, path, lambda id_: id_ in CONDITIONS or id_.startswith(CUSTOM_PREFIX))
    return condition


def _with_current_causes(condition: Condition) -> Condition:
    """Return a condition of a site whose causes have the ids of today."""
    causes = tuple(Cause(current_id(cause.condition), cause.relation) for cause in condition.causes)
    return replace(condition, causes=causes)


def current_id(id_: str) -> str:
    """Return the id of today of a condition or of condition@subject; an id that was never renamed is returned as is."""
    name, at, subject = id_.partition("@")
    return f"{ALIASES.get(name, name)}{at}{subject}"


def custom_section() -> Section:
    """Return the section under which a site's own conditions are reported."""
    return Section(
        key="site",
        title=Text(en="This site's own checks", zh="本站点自己的检查"),
        introduction=Text(en="What tests_site/ adds.", zh="tests_site/ 中添加的检查。"),
        conditions=tuple(CUSTOM_CONDITIONS),
    )


def sections() -> tuple[Section, ...]:
    """Return every section that has a condition in this run."""
    return (*SECTIONS, custom_section()) if CUSTOM_CONDITIONS else SECTIONS


def find_condition(id_: str) -> Condition | None:
    """Return a condition of the catalogue, also by a former id, or of the site; None if it is unknown."""
    return CONDITIONS.get(current_id(id_)) or CUSTOM_CONDITIONS.get(id_)


def get_condition(id_: str) -> Condition:
    """Return a condition of the catalogue or of the site. KeyError: it is unknown."""
    return CONDITIONS[id_] if id_ in CONDITIONS else CUSTOM_CONDITIONS[id_]


def section_of(id_: str) -> Section:
    """Return the section under which a condition is reported: the first that lists it."""
    return _section_of_catalogue(id_) or custom_section()


@cache
def _section_of_catalogue(id_: str) -> Section | None:
    return next((section for section in SECTIONS if id_ in section.conditions), None)


@cache
def with_causes(id_: str) -> frozenset[str]:
    """Return a condition and all that can cause it, directly or through others; host-reachable can cause anything."""
    selected: set[str] = {
        "host-reachable",
        *(cause.condition for cause in CONDITIONS["host-reachable"].causes),
    }
    waiting = [id_]
    while waiting:
        current = waiting.pop()
        if current not in selected or current == id_:
            selected.add(current)
            waiting += [
                cause.condition for cause in CONDITIONS[current].causes if cause.condition not in selected
            ]
    return frozenset(selected)


@cache
def markers(id_: str) -> tuple[str, ...]:
    """Return the markers of every section whose conditions this one belongs to or can cause."""
    return tuple(section.marker for section in SECTIONS if id_ in _selected_by(section.key))


@cache
def _selected_by(key: str) -> frozenset[str]:
    """Return the conditions of a section and all that can cause them."""
    section = next(section for section in SECTIONS if section.key == key)
    return frozenset[str]().union(*map(with_causes, section.conditions))
