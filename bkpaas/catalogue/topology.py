"""The topology of the platform: its components, what each needs, what breaks it, and the picture of the request flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, structs

from bkpaas.catalogue.model import Evidence, Text

Strings = tuple[str, ...]


class Component(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the platform that other parts need."""

    name: Text
    needs: Strings = ()
    """Components without which it does not work."""
    parts: Strings = ()
    """Components that it consists of."""
    broken_by: Strings = ()
    """Conditions whose failure breaks it, in the order in which they are named as causes."""
    produces: tuple[Evidence, ...] = ()
    """The kinds of evidence that its failure makes where it is needed."""
    mechanism: Text | None = None
    """How its failure shows where it is needed, in one sentence."""


class Station(Struct, frozen=True, forbid_unknown_fields=True):
    """A box in the picture of the request flow."""

    name: Text
    roles: Strings = ()
    """Only verdicts about hosts of these roles count; those of every host when there are none."""
    components: Strings = ()
    """Its state is that of the conditions that break these components,"""
    signs: Strings = ()
    """and of these, which show a fault without being its cause."""
    inside: str = ""
    """The station that it is drawn in; it has no hosts of its own."""
    same_as: str = ""
    """The station whose components and signs it has."""


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """An arrow in the picture of the request flow; its key is `FROM>TO`."""

    roles: Strings = ()
    components: Strings = ()
    signs: Strings = ()
    anywhere: Strings = ()
    """Further conditions that count for every host, whatever its role."""
    same_as: str = ""


class Topology(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of topology.toml."""

    component: dict[str, Component]
    station: dict[str, Station]
    step: dict[str, Step]
    breaks_in: dict[str, Strings] = {}
    """By condition, the cases in which it breaks something else; all where it is not listed."""
    views: Strings = ()
    """Conditions that see the platform through its domain, as users do: what they see has one origin."""
    reported_first: Strings = ()
    """Conditions about the inventory: as root causes they come before all others."""

    def leaves(self, name: str) -> Iterator[tuple[str, Component]]:
        """Yield the components that conditions break, by name: the parts of a component, then itself."""
        component = self.component[name]
        for part in component.parts:
            yield from self.leaves(part)
        if component.broken_by:
            yield name, component

    def broken_by(self, name: str) -> Strings:
        """Return the conditions whose failure breaks a component or one of its parts."""
        return tuple(condition for _, leaf in self.leaves(name) for condition in leaf.broken_by)

    def conditions(self, drawn: Station | Step) -> Strings:
        """Return the conditions that decide the state of a station or step, each once."""
        broken = (condition for name in drawn.components for condition in self.broken_by(name))
        return tuple(dict.fromkeys((*broken, *drawn.signs)))


def resolve_same_as(topology: Topology) -> Topology:
    """Copy components and signs to the stations and steps that have those of another one. KeyError: unknown."""
    return structs.replace(
        topology,
        station={key: _resolved(station, topology.station) for key, station in topology.station.items()},
        step={key: _resolved(step, topology.step) for key, step in topology.step.items()},
    )


def _resolved(drawn: Station | Step, others: Mapping[str, Station | Step]) -> Station | Step:
    if not drawn.same_as:
        return drawn
    model = others[drawn.same_as]
    copied = {"components": model.components, "signs": model.signs}
    if isinstance(model, Step):
        copied["anywhere"] = model.anywhere
    return structs.replace(drawn, same_as="", **copied)
