"""Merge the snapshots of several controllers, each of its part of the hosts, into one that is judged as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from bkpaas.errors import SuiteError
from bkpaas.facts.build import uncollected_facts
from bkpaas.facts.host import HostFacts
from bkpaas.facts.missing import Missing
from bkpaas.facts.snapshot import ControllerFacts, Snapshot, SnapshotPart
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg

IDENTITY = ("generation", "domain", "scheme", "port")
"""Fields of a deployment that all parts must have equal."""
OF_A_PART = ("source", "hosts", "notes")
"""Fields of a deployment in which parts may differ; a difference in any other is a note."""
HOUR = 3600.0


class _Part(NamedTuple):
    """A snapshot with the name of its file."""

    source: str
    snapshot: Snapshot


def merge(given: Sequence[tuple[str, Snapshot]]) -> Snapshot:
    """Return one snapshot of all hosts.

    The controller's own requests and all settings are those of the first. A host that several have counts as the
    newest has it that collected it; a host that none has, or only a too old one, is not collected.

    Args:
        given: (name of the file, snapshot) of each part.

    Raises: SuiteError, if they are not parts of one deployment, or were collected with different keys.
    """
    parts = [_Part(*one) for one in given]
    _require_common_key(parts)
    for other in parts[1:]:
        _require_same_deployment(parts[0], other)
    entries = _entries(parts)
    newest = max(part.snapshot.started for part in parts)
    limit = parts[0].snapshot.deployment.limits.snapshot_hours * HOUR
    reasons = {
        part.source: _too_old(part, newest, limit) for part in parts if newest - part.snapshot.started > limit
    }
    chosen = {name: _chosen(name, parts) for name in entries}
    hosts = {name: _facts(entries[name], chosen[name], reasons, len(parts)) for name in entries}
    first = parts[0].snapshot
    controller = first.controller
    if parts[0].source in reasons:
        missing = Missing(reasons[parts[0].source])
        controller = ControllerFacts(names=missing, answers=missing, certificates=missing)
    return msgspec.structs.replace(
        first,
        run=hashlib.sha256("".join(part.snapshot.run for part in parts).encode()).hexdigest()[:32],
        deployment=_deployment(parts, entries, chosen),
        hosts=hosts,
        controller=controller,
        parts=tuple(_description(part, chosen) for part in parts),
    )


def _require_common_key(parts: Sequence[_Part]) -> None:
    """Raise SuiteError unless equal secrets have equal digests in all parts."""
    runs, keys = {part.snapshot.run for part in parts}, {part.snapshot.key for part in parts}
    if len(runs) > 1 and (len(keys) > 1 or None in keys):
        raise SuiteError(
            msg(
                "{names}: were collected with different keys, so that no secret of one can be compared with one of another; give each controller a copy of the same --secret-key-file, and collect again",
                names=", ".join(part.source for part in parts),
            )
        )


def _require_same_deployment(first: _Part, other: _Part) -> None:
    for name in IDENTITY:
        one, two = (getattr(part.snapshot.deployment, name) for part in (first, other))
        if one != two:
            raise SuiteError(
                msg(
                    "{first} and {other} are not of one deployment: {name} is {one} and {two}",
                    first=first.source,
                    other=other.source,
                    name=name,
                    one=str(one),
                    two=str(two),
                )
            )


def _entries(parts: Sequence[_Part]) -> dict[str, Host]:
    """Return the hosts of all inventories by name, in order. Raises SuiteError where two contradict each other."""
    by_name: dict[str, tuple[Host, str]] = {}
    by_address: dict[str, tuple[Host, str]] = {}
    for part in parts:
        for entry in part.snapshot.deployment.hosts:
            for known, source in filter(None, (by_name.get(entry.name), by_address.get(entry.address))):
                if _identity(known) != _identity(entry):
                    raise SuiteError(
                        msg(
                            "{first} and {other} differ in a host: {one} and {two}; give all controllers the same inventory, and each its hosts with --limit",
                            first=source,
                            other=part.source,
                            one=" ".join(_identity(known)),
                            two=" ".join(_identity(entry)),
                        )
                    )
            by_name.setdefault(entry.name, (entry, part.source))
            by_address.setdefault(entry.address, (entry, part.source))
    return {name: by_name[name][0] for name in sorted(by_name)}


def _identity(entry: Host) -> tuple[str, ...]:
    return entry.name, entry.address, *entry.roles


def _chosen(name: str, parts: Sequence[_Part]) -> _Part | None:
    """Return the part whose facts of a host count: the newest that collected it, else the newest; None: no part."""
    owners = [part for part in parts if name in part.snapshot.hosts]
    return max(
        owners,
        key=lambda part: (part.snapshot.hosts[name].collected, part.snapshot.started),
        default=None,
    )


def _facts(entry: Host, part: _Part | None, reasons: Mapping[str, Message], count: int) -> HostFacts:
    """Return the facts of a host, its clock marked with the controller that measured it."""
    if part is None:
        reason = msg(
            "none of the {count} snapshots has this host: collect it from the controller that reaches it, and give its snapshot too",
            count=count,
        )
        return uncollected_facts(entry.name, "no_snapshot", reason)
    if part.source in reasons:
        return uncollected_facts(entry.name, "old_snapshot", reasons[part.source])
    facts = part.snapshot.hosts[entry.name]
    if isinstance(facts.clock, Missing):
        return facts
    clock = msgspec.structs.replace(facts.clock, controller=facts.clock.controller or part.snapshot.run)
    return msgspec.structs.replace(facts, clock=clock)


def _too_old(part: _Part, newest: float, limit: float) -> Message:
    return msg(
        "{source} is {hours:.0f} hours older than the newest snapshot (limits.snapshot_hours: {limit:g}): collect its hosts again",
        source=part.source,
        hours=(newest - part.snapshot.started) / HOUR,
        limit=limit / HOUR,
    )


def _deployment(
    parts: Sequence[_Part], entries: Mapping[str, Host], chosen: Mapping[str, _Part | None]
) -> Deployment:
    """Return the deployment of the first part with all hosts; each is connected to as where it was collected."""
    first = parts[0].snapshot.deployment
    hosts = []
    for name, entry in entries.items():
        part = chosen[name]
        own = part.snapshot.deployment.host(name) if part else entry
        hosts.append(msgspec.structs.replace(own, selected=True))
    notes = [note for part in parts[1:] if (note := _difference(parts[0], part))]
    return msgspec.structs.replace(first, hosts=tuple(hosts), notes=(*first.notes, *notes))


def _difference(first: _Part, other: _Part) -> Message | None:
    """Return the note about settings of a part that do not count."""
    one, two = first.snapshot.deployment, other.snapshot.deployment
    differing = [
        name
        for name in one.__struct_fields__
        if name not in OF_A_PART and getattr(one, name) != getattr(two, name)
    ]
    if not differing:
        return None
    return msg(
        "{other} has other settings than {first}, whose settings count: {names}",
        other=other.source,
        first=first.source,
        names=", ".join(differing),
    )


def _description(part: _Part, chosen: Mapping[str, _Part | None]) -> SnapshotPart:
    own = [name for name in part.snapshot.hosts if chosen[name] is part]
    return SnapshotPart(
        source=part.source,
        run=part.snapshot.run,
        started=part.snapshot.started,
        hosts=tuple(own),
        elsewhere=tuple(name for name in part.snapshot.hosts if chosen[name] is not part),
    )
