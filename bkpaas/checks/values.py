"""Compare settings by value over projects and hosts, and find the one that differs from the others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bkpaas.checks.lookup import HostLookup
from bkpaas.errors import NoData, message_of
from bkpaas.facts import HostView, Settings, Value
from bkpaas.facts.setting_value import TEXT_LENGTH
from bkpaas.facts.shown import normalised, replace_own_names
from bkpaas.inventory.deployment import Deployment
from bkpaas.messages import Message, msg

SHARED_SETTINGS: dict[str, tuple[str, ...]] = {
    "ESB_TOKEN": ("login", "paas", "esb", "console"),
    "BK_COOKIE_NAME": ("login", "paas", "console"),
    "BK_COOKIE_DOMAIN": ("login", "paas", "console"),
    "BK_COOKIE_AGE": ("login", "paas", "console"),
    "DATABASES.default.HOST": ("login", "paas", "esb", "appengine"),
    "DATABASES.default.PORT": ("login", "paas", "esb", "appengine"),
    "DATABASES.default.NAME": ("login", "paas", "esb", "appengine"),
}
"""Settings that are equal in all these projects, on every host; console has a database of its own. Source: the settings
of the packages."""

_DATABASE = "DATABASES"
_ANY = ("0.0.0.0", "::", "localhost")
_LOOPBACK = ("127.", "::1")
_DEFAULTS = {"PORT": ("", "3306"), "HOST": ("", "127.0.0.1")}
"""Values of a database that mean the same when they are empty."""


class Reading(NamedTuple):
    """Represent the effective value of one setting of a project on one host."""

    host: str
    project: str
    name: str
    """With dots for a key within a dictionary: DATABASES.default.HOST."""
    tokens: frozenset[str]
    """What is compared; two values are equal if they have one in common."""
    text: str
    """For a message; *** for a secret."""
    where: str
    """file:line."""
    evaluated: bool = True
    """False for an expression whose value is not known; its source is compared."""


def is_own(text: str, host: HostView) -> bool:
    """Return whether a host part means the host itself: its addresses, loopback, any address, its name."""
    name = (host.system.hostname or "").lower()
    own = (*host.addresses.items, *_ANY, *filter(None, (name, name.partition(".")[0])))
    return text in own or text.startswith(_LOOPBACK)


SettingReadings = dict[str, Reading | NoData]
"""Of one project on one host, by name; NoData where the value is not known."""


def lost_settings(settings: Settings) -> list[str]:
    """Return names of settings that a statement may have set that cannot be followed; empty if none is in doubt."""
    if settings.unfollowed is None:
        return []
    lost = [name for name, value in settings.values.items() if value.kind == "unknown"]
    return lost or [name for name in SHARED_SETTINGS if name.partition(".")[0] not in settings.values]


def readings(host: HostView, project: str) -> SettingReadings:
    """Return the effective settings of a project by name, or why a value is not known; {} without files."""
    return host.once(("readings", project), lambda: _readings(host, project))


def _readings(host: HostView, project: str) -> SettingReadings:
    settings = host.settings.by_project.get(project)
    if settings is None or not any(file.exists for file in settings.files):
        return {}
    for file in settings.files:
        if file.error is not None:
            raise NoData(msg("{path}: {reason}", path=file.path, reason=file.error))
    if lost := lost_settings(settings):
        settings.get(lost[0].partition(".")[0])
    by_host: dict[str, Reading | NoData] = {}
    for name, value in settings.values.items():
        if name.startswith("_"):
            continue  # of the file itself: `from settings_production import *` leaves it out
        by_host.update(_of_value(host, settings, name, value))
    return by_host


def _of_value(
    host: HostView, settings: Settings, name: str, value: Value
) -> Iterator[tuple[str, Reading | NoData]]:
    where = f"{value.file}:{value.line}"
    if value.kind in ("unknown", "broken"):
        try:
            settings.get(name)
            yield name, NoData(msg("{where}: the value of {name} is not known", where=where, name=name))
        except NoData as reason:
            yield name, reason
    elif name == _DATABASE and isinstance(value.value, dict):
        for path, plain in _leaves(value.value, name):
            text = "***" if plain.startswith("secret:") else plain
            tokens = _of_database(path, plain, host)
            yield path, Reading(host.name, settings.project, path, tokens, text, where)
    else:
        text = "***" if value.digest is not None else _shown(value)
        evaluated = value.kind != "expression" and not (value.kind == "secret" and value.source)
        tokens = frozenset(_tokens(name, value, host))
        yield name, Reading(host.name, settings.project, name, tokens, text, where, evaluated)


def _shown(value: Value) -> str:
    """Return the text of a value: of an expression that was evaluated its result, not its source."""
    if value.kind == "str" and isinstance(value.value, str):
        return json.dumps(value.value, ensure_ascii=False)[:TEXT_LENGTH]
    return value.text


def _leaves(tree: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(tree, dict):
        for key, item in tree.items():
            yield from _leaves(item, f"{path}.{key}")
    else:
        yield path, normalised(tree)


def _of_database(path: str, plain: str, host: HostView) -> frozenset[str]:
    """Return a key of DATABASES; for HOST all addresses that it means."""
    key = path.rpartition(".")[2]
    plain = _DEFAULTS[key][1] if key in _DEFAULTS and plain == _DEFAULTS[key][0] else plain
    location = plain.lower()
    if key != "HOST":
        return frozenset((plain,))
    if location.startswith("/") or is_own(location, host):
        return frozenset(one for one in host.addresses.items if not one.startswith(_LOOPBACK))
    return frozenset((location, *host.names.of(location)))


def _tokens(name: str, value: Value, host: HostView) -> Iterator[str]:
    """Yield the forms of a value in which it may be equal to that of another host."""
    if value.kind == "expression" or (value.kind == "secret" and value.source):
        yield f"source {value.source} {value.digest or ''}"
        return
    if value.value is None and value.digest is not None:
        yield value.digest
        if value.own_digest is not None:
            yield f"own {value.own_digest}"
        return
    plain = _plain(name, normalised(value.value))
    yield plain
    replace = host.once("own-names", lambda: replace_own_names(host.addresses.items, host.system.hostname))
    own = replace(plain)
    if own != plain:
        yield f"own {own}"


def _plain(name: str, text: str) -> str:
    """Return a text without differences that have no meaning for this setting."""
    if name.endswith("COOKIE_DOMAIN"):
        return text.lower().lstrip(".")
    if name.endswith(("_HOST", "_DOMAIN", "_SCHEMA")) or name.startswith("HOST_"):
        plain = text.lower().rstrip("/")
        return plain.removesuffix(":80") if not plain.startswith("https") else plain.removesuffix(":443")
    return text


def equal(one: Reading, other: Reading) -> bool:
    """Return whether two hosts or projects have the same value."""
    return bool(one.tokens & other.tokens)


def groups(readings: Iterable[Reading]) -> list[list[Reading]]:
    """Return the readings by value, the largest group first."""
    by_value: list[list[Reading]] = []
    for reading in readings:
        group = next((group for group in by_value if equal(group[0], reading)), None)
        if group is None:
            by_value.append([reading])
        else:
            group.append(reading)
    return sorted(by_value, key=len, reverse=True)


def all_readings(name: str, deployment: Deployment, host_facts: HostLookup) -> list[Reading]:
    """Return the known values of a setting in all projects of all paas hosts that were collected."""
    return host_facts.once(("readings", name), lambda lookup: _all_readings(name, deployment, lookup))


def _all_readings(name: str, deployment: Deployment, host_facts: HostLookup) -> list[Reading]:
    result = []
    for entry in deployment.selected("paas"):
        try:
            host = host_facts(entry.name)
            projects = host.settings.by_project
        except NoData:
            continue
        for project in projects:
            try:
                value = readings(host, project).get(name)
            except NoData:
                continue
            if isinstance(value, Reading):
                result.append(value)
    return result


def deviating_hosts(project: str, everywhere: Sequence[Reading]) -> set[str] | None:
    """Return the hosts whose value of a project is not that of the others, None if that is undecided.

    The majority of the hosts decides; where they are equally many, the values of the other projects do.
    """
    by_value = groups(one for one in everywhere if one.project == project)
    if len(by_value) < 2:
        return set()
    if len(by_value[0]) == len(by_value[1]):
        others = [one for one in everywhere if one.project != project]
        by_value.sort(key=lambda group: -sum(equal(group[0], other) for other in others))
        votes = [sum(equal(group[0], other) for other in others) for group in by_value]
        if votes[0] == votes[1]:
            return None
    return {one.host for group in by_value[1:] for one in group}


def deviating_readings(everywhere: Sequence[Reading]) -> tuple[list[Reading], Reading] | None:
    """Return (the readings that differ, one of the majority) of a setting that is equal everywhere.

    None: all are equal, or two values are equally frequent.
    """
    by_value = groups(everywhere)
    if len(by_value) < 2 or len(by_value[0]) == len(by_value[1]):
        return None
    return [one for group in by_value[1:] for one in group], by_value[0][0]


def shared_readings(name: str, deployment: Deployment, host_facts: HostLookup) -> list[Reading]:
    """Return the known values of a setting in the projects that share it."""
    projects = SHARED_SETTINGS.get(name, ())
    return [one for one in all_readings(name, deployment, host_facts) if one.project in projects]


def own_readings(
    host: HostView, name: str, projects: tuple[str, ...]
) -> tuple[list[Reading], list[Message | str]]:
    """Return the values of a setting on a host, and why others are not known."""
    result: list[Reading] = []
    unclear: list[Message | str] = []
    for project in projects:
        try:
            reading = readings(host, project).get(name)
        except NoData as reason:
            reading = reason
        if isinstance(reading, NoData):
            unclear.append(message_of(reading))
        elif reading is not None and not reading.evaluated:
            unclear.append(
                msg(
                    "{where}: {name} = {text} is not known", where=reading.where, name=name, text=reading.text
                )
            )
        elif reading is not None:
            result.append(reading)
    return result, unclear


def accepts_host(pattern: str, name: str) -> bool:
    """Return whether Django takes the name for one of ALLOWED_HOSTS."""
    pattern = pattern.lower()
    return pattern in ("*", name) or (pattern.startswith(".") and f".{name}".endswith(pattern))
