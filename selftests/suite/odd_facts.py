"""Facts with other values that their types allow, found by reflection over the Structs of a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect as types

from bkpaas.facts import Snapshot
from bkpaas.messages import Message

Path = tuple[Any, ...]
"""Field names, keys and indices from the snapshot to a value."""
TEXTS = ("", " ", "x", "0", "²", "[::1%x]:99999", "{0}%s\\", "\x00\n\u202e中", "-1", "10.66.0.11", "/" * 5000)
TOP = 2**63 - 1
KEY = "login"
"""Of a dictionary that is filled: the name of a service."""
PARTS = ("hosts", "controller")
"""Of a snapshot; the deployment is the inventory's."""


class Field(NamedTuple):
    """A field of a Struct, or an item of a collection in it: `Process.argv`, `Process.argv[]`."""

    name: str
    type: types.Type


class Place(NamedTuple):
    field: Field
    path: Path
    value: Any


def union(kind: types.Type) -> tuple[types.Type, ...]:
    return kind.types if isinstance(kind, types.UnionType) else (kind,)


@cache
def structs(cls: type) -> dict[str, types.Type]:
    """Return the types of the fields of a Struct by name."""
    info = types.type_info(cls)
    assert isinstance(info, types.StructType)
    return {field.name: field.type for field in info.fields}


def declared(cls: type) -> dict[str, types.Type]:
    """Return every field that a Struct or one below it declares, also those that no recorded snapshot uses."""
    found: dict[str, types.Type] = {}

    def below(name: str, kind: types.Type) -> None:
        for one in union(kind):
            if isinstance(one, types.StructType) and one.cls is not Message:
                struct(one.cls)
            elif isinstance(one, types.DictType):
                item(f"{name}[]", one.value_type)
            elif isinstance(one, types.VarTupleType | types.ListType):
                item(f"{name}[]", one.item_type)
            elif isinstance(one, types.TupleType):
                for number, part in enumerate(one.item_types):
                    item(f"{name}[{number}]", part)

    def item(name: str, kind: types.Type) -> None:
        found[name] = kind
        below(name, kind)

    def struct(cls: type) -> None:
        for name, kind in structs(cls).items():
            if (full := f"{cls.__name__}.{name}") not in found:
                item(full, kind)

    struct(cls)
    return found


def places(snapshot: Snapshot) -> Iterator[Place]:
    """Yield every value in the facts of a snapshot."""
    for part in PARTS:
        yield from _below(getattr(snapshot, part), structs(Snapshot)[part], f"Snapshot.{part}", (part,))


def _below(value: Any, kind: types.Type, name: str, path: Path) -> Iterator[Place]:
    if isinstance(value, Message):  # a text, whose parts are no facts
        return
    if isinstance(value, msgspec.Struct):
        for key, of_field in structs(type(value)).items():
            full = f"{type(value).__name__}.{key}"
            child = getattr(value, key)
            yield Place(Field(full, of_field), (*path, key), child)
            yield from _below(child, of_field, full, (*path, key))
        return
    for one in union(kind):
        if isinstance(value, dict) and isinstance(one, types.DictType):
            for key, child in value.items():
                yield Place(Field(f"{name}[]", one.value_type), (*path, key), child)
                yield from _below(child, one.value_type, f"{name}[]", (*path, key))
        elif isinstance(value, tuple) and isinstance(one, types.VarTupleType):
            for index, child in enumerate(value):
                yield Place(Field(f"{name}[]", one.item_type), (*path, index), child)
                yield from _below(child, one.item_type, f"{name}[]", (*path, index))
        elif isinstance(value, tuple) and isinstance(one, types.TupleType):
            for index, (child, part) in enumerate(zip(value, one.item_types, strict=True)):
                yield Place(Field(f"{name}[{index}]", part), (*path, index), child)
                yield from _below(child, part, f"{name}[{index}]", (*path, index))


def others(value: Any, kind: types.Type) -> Iterator[Any]:
    """Yield values that a type allows, in the place of one."""
    for one in union(kind):
        yield from _of(value, one)


def _of(value: Any, kind: types.Type) -> Iterator[Any]:
    match kind:
        case types.AnyType():
            yield from (None, True, 0, -1, TOP, 1.5, *TEXTS, [], ["x", None], {}, {"x": None})
        case types.NoneType():
            yield None
        case types.BoolType():
            yield from (True, False)
        case types.IntType() | types.FloatType():
            yield from _numbers(kind)
        case types.StrType():
            yield from (text for text in TEXTS if len(text) >= (kind.min_length or 0))
        case types.LiteralType():
            yield from kind.values
        case types.DictType():
            yield {}
            if isinstance(value, dict) and value:
                first = next(iter(value.values()))
                yield dict.fromkeys(value, first)
                yield {**value, **dict.fromkeys(_keys(kind.key_type), first)}
                yield dict.fromkeys(_keys(kind.key_type), first)
        case types.VarTupleType():
            yield ()
            if isinstance(value, tuple) and value:
                yield from ((*value, *value), value[:1], value[::-1])
            yield from ((other,) for other in others(None, kind.item_type))
            yield tuple(others(None, kind.item_type))
        case types.TupleType():
            choices = [list(others(None, part)) for part in kind.item_types]
            yield from (tuple(values[index] for values in choices) for index in (0, -1))
        case types.StructType():
            if kind.cls.__name__ == "Missing":
                yield kind.cls("odd")
            else:
                yield from made(kind.cls)


def _keys(kind: types.Type) -> list[Any]:
    return list(_numbers(kind)) if isinstance(kind, types.IntType) else list(TEXTS)


def _numbers(kind: types.IntType | types.FloatType) -> Iterator[Any]:
    numbers: tuple[float, ...] = (0, 1, -1, 3, 65536, TOP, -TOP)
    if isinstance(kind, types.FloatType):
        numbers = (*map(float, numbers), 1e-9, 1e300, -1e300)
    bounds = [bound for bound in (kind.ge, kind.le) if bound is not None]
    for number in (*numbers, *bounds):
        if (
            (kind.ge is None or number >= kind.ge)
            and (kind.le is None or number <= kind.le)
            and (kind.gt is None or number > kind.gt)
            and (kind.lt is None or number < kind.lt)
        ):
            yield int(number) if isinstance(kind, types.IntType) else float(number)


@cache
def made(cls: type) -> tuple[Any, ...]:
    """Return two of a Struct: with the first and with the last values that its fields allow; one message."""
    if cls is Message:  # it may hold messages, without end
        return (Message("odd"),)
    choices = {name: list(others(None, kind)) for name, kind in structs(cls).items()}
    found = []
    for index in (0, -1):
        with suppress(ValueError):  # a Struct may refuse fields that do not go together
            found.append(cls(**{name: values[index] for name, values in choices.items()}))
    return tuple(found)


def changed(value: Any, kind: types.Type, name: str, change: Callable[[str, types.Type, Any], Any]) -> Any:
    """Return a copy in which `change(field, type, value)` has replaced each value that it accepts."""
    if isinstance(value, Message):
        return value
    if isinstance(value, msgspec.Struct):
        new = {}
        for key, of_field in structs(type(value)).items():
            full = f"{type(value).__name__}.{key}"
            old = getattr(value, key)
            child = change(full, of_field, old)
            new[key] = changed(old, of_field, full, change) if child is old else child
        return type(value)(**new)
    for one in union(kind):
        if isinstance(value, dict) and isinstance(one, types.DictType):
            return {key: _item(child, one.value_type, f"{name}[]", change) for key, child in value.items()}
        if isinstance(value, tuple) and isinstance(one, types.VarTupleType):
            return tuple(_item(child, one.item_type, f"{name}[]", change) for child in value)
        if isinstance(value, tuple) and isinstance(one, types.TupleType):
            return tuple(
                _item(child, part, f"{name}[{index}]", change)
                for index, (child, part) in enumerate(zip(value, one.item_types, strict=True))
            )
    return value


def _item(value: Any, kind: types.Type, name: str, change: Callable[[str, types.Type, Any], Any]) -> Any:
    child = change(name, kind, value)
    return changed(value, kind, name, change) if child is value else child


def replaced(snapshot: Snapshot, change: Callable[[str, types.Type, Any], Any]) -> Snapshot:
    """Return the snapshot with other facts."""
    kinds = structs(Snapshot)
    return msgspec.structs.replace(
        snapshot,
        **{part: changed(getattr(snapshot, part), kinds[part], f"Snapshot.{part}", change) for part in PARTS},
    )


class Replacement:
    """Hold the value that takes the place of another one."""

    def __init__(self, value: Any) -> None:
        self.value = value


Tree = dict[Any, Any]
"""Field, key or index: a Replacement, or the tree of what is below."""


def tree_of(places: Iterable[Place], other: Callable[[Place], Any]) -> Tree:
    """Return the tree of what `other(place)` gives; a value that it leaves unchanged is searched.

    places: in their order in the snapshot.
    """
    tree: Tree = {}
    for place in places:
        node = tree
        for key in place.path[:-1]:
            node = node.setdefault(key, {})
            if isinstance(node, Replacement):
                break
        if isinstance(node, Replacement) or (new := other(place)) is place.value:
            continue
        node[place.path[-1]] = Replacement(new)
    return tree


def put(value: Any, tree: Tree | Replacement) -> Any:
    """Return a copy in which the places of a tree have other values."""
    if isinstance(tree, Replacement):
        return tree.value
    if not tree:
        return value
    if isinstance(value, tuple):
        return tuple(put(item, tree.get(index, {})) for index, item in enumerate(value))
    if isinstance(value, dict):
        return {key: put(item, tree.get(key, {})) for key, item in value.items()}
    fields = {name: getattr(value, name) for name in value.__struct_fields__}
    return type(value)(**{name: put(item, tree.get(name, {})) for name, item in fields.items()})


def filled(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot behind https, with something in every collection that is empty and every fact that is absent."""
    https = msgspec.structs.replace(snapshot.deployment, scheme="https", virtual_addresses=("10.66.0.99",))
    full = msgspec.structs.replace(snapshot, deployment=https)
    for _ in range(3):  # what is filled in has collections of its own
        full = replaced(full, _fill)
    return full


def _fill(name: str, kind: types.Type, value: Any) -> Any:
    if value not in (None, (), {}) and type(value).__name__ != "Missing":
        return value
    for one in union(kind):
        match one:
            case types.StructType() if one.cls.__name__ != "Missing":
                return next(iter(made(one.cls)), value)
            case types.VarTupleType():
                return tuple(others(None, one.item_type))[:1]
            case types.DictType() if isinstance(one.key_type, types.StrType):
                return {KEY: next(others(None, one.value_type))}
    return value


def loaded(snapshot: Callable[[], Snapshot]) -> Snapshot | None:
    """Return a snapshot as it is after it was saved and loaded; None if it is refused."""
    try:
        return msgspec.json.decode(msgspec.json.encode(snapshot()), type=Snapshot)
    except ValueError:  # of which msgspec.ValidationError is one
        return None
