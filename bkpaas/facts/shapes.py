"""The shape of a collector's answer: every section declared once, read strictly, refused as a whole when it differs.

A section that is absent, has another shape, or does not match the queries becomes an error of that section, in the
form in which the collector reports its own: `processes`, `http:healthz-login`. Nothing of it reaches a parser.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct, field

from bkpaas.facts import raw
from bkpaas.facts.sections import NAMED_SECTIONS, SECTIONS, Collector
from bkpaas.messages import Message, msg


class RoundQueries(Struct, frozen=True):
    """Hold the queries of one round."""

    sections: dict[str, frozenset[str]] = field(default_factory=dict)
    """The names of each section; empty for a section without names."""
    whole: frozenset[str] = frozenset()
    """Of those, as section:name, the files whose content and the connections whose login is queried."""
    variables: frozenset[str] = frozenset()
    """The names of the variables that are queried of each process."""


def round_queries(plan: Mapping[str, Any]) -> RoundQueries:
    """Return what a plan asks, without its contents: a plan may hold passwords."""
    sections = {"system": frozenset[str]()}
    for section in ("processes", "addresses", "nginx", "time_daemon", "systemd", "docker", "writers"):
        if plan.get(section):
            sections[section] = frozenset()
    if plan.get("sockets"):
        sections |= {"listeners": frozenset(), "unix": frozenset()}
    for section in NAMED_SECTIONS:
        if section in plan:
            sections[section] = frozenset(query["name"] for query in plan[section])
    if plan.get("disks"):
        sections["disks"] = frozenset(path for path in plan["disks"] if "{home}" not in path)
    if plan.get("peers"):
        sections["peers"] = frozenset(map(str, plan["peers"]))
    if plan.get("starts"):
        sections["starts"] = frozenset(map(str, plan["starts"]))
    if plan.get("libraries"):
        sections["libraries"] = frozenset(map(str, plan["libraries"]))
    if plan.get("deleted"):
        sections["deleted"] = frozenset(plan["deleted"])
    read = {f"files:{query['name']}" for query in plan.get("files", ()) if query.get("read")}
    logins = {f"tcp:{query['name']}" for query in plan.get("tcp", ()) if "mysql" in query}
    variables = raw.record(plan.get("processes")).get("environ", ())
    return RoundQueries(sections, frozenset(read | logins), frozenset(map(str, variables)))


class Round(Struct):
    """Hold the valid sections of one answer, and the errors of the others."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Message | str] = field(default_factory=dict)
    """By section, or section:name. A section may have both: what was read, and why it is not complete."""


def read_round(
    answer: Any,
    number: int,
    queries: RoundQueries,
    reason: Message | str | None = None,
    rejected: Mapping[str, Message] = MappingProxyType({}),
) -> Round:
    """Read the answer of a round. Never raises.

    Args:
        answer: as it was decoded; None when there is no answer.
        number: of the round, 1 or 2.
        queries: everything else in the answer is ignored.
        reason: why there is no answer.
        rejected: sections that were not decoded, with the reason.
    """
    result = Round()
    whole = _no_answer(answer, number, reason)
    if whole is None:
        answer = answer.clean() if isinstance(answer, raw.Decoded) else raw.clean(answer)
        collector, whole = convert_shape(answer, Collector, "answer")
    if whole is not None:
        for section, names in queries.sections.items():
            result.errors[section] = whole
            result.errors |= {f"{section}:{name}": whole for name in names}
        return result
    result.values["collector"] = collector
    result.errors.update(collector["errors"])
    result.errors.update(rejected)
    for section, names in queries.sections.items():
        if section in NAMED_SECTIONS:
            read_named(result, section, answer.get(section), names, queries)
        else:
            _read_section(result, section, answer, names)
    return result


def _no_answer(answer: Any, number: int, reason: Message | str | None) -> Message | str | None:
    if answer is None:
        return reason or msg("the host was not collected")
    if not isinstance(answer, dict):
        return malformed("answer")
    if answer.get("visit") != number or isinstance(answer.get("visit"), bool):
        return msg("not the answer of collection round {number}", number=number)
    return None


def _read_section(result: Round, section: str, answer: dict[str, Any], names: frozenset[str]) -> None:
    if section not in answer:
        result.errors.setdefault(section, not_answered(section))
        return
    value, problem = convert_shape(answer[section], SECTIONS[section], section)
    if problem is None and (section not in _CHECKS or _CHECKS[section](value, names)):
        result.values[section] = value
    else:
        result.errors.setdefault(section, problem or malformed(section))


def read_named(result: Round, section: str, items: Any, names: frozenset[str], queries: RoundQueries) -> None:
    """Read the answers of a section for these names; one bad answer leaves the others."""
    values = result.values[section] = {}
    for name in sorted(names):
        key = f"{section}:{name}"
        if isinstance(items, dict) and items.get(name) == [] and key in result.errors:
            continue  # the collector gives the reason
        value, problem = _named(section, name, items, key in queries.whole)
        if problem is None:
            values[name] = value
        else:  # a section that was too large is absent, with its reason
            result.errors.setdefault(key, result.errors.get(section, problem) if items is None else problem)


def _named(section: str, name: str, section_answer: Any, whole: bool) -> tuple[Any, Message | None]:
    """Return the answer for one name, and why it cannot be used."""
    key = f"{section}:{name}"
    if not isinstance(section_answer, dict):
        return None, not_answered(section) if section_answer is None else malformed(section)
    if name not in section_answer:
        return None, not_answered(key)
    value, problem = convert_shape(section_answer[name], NAMED_SECTIONS[section], key)
    if problem is None and not _answer_is_whole(section, value, whole):
        problem = malformed(key)
    return value, problem


def convert_shape(value: Any, shape: Any, section: str) -> tuple[Any, Message | None]:
    """Return the value of a section in its shape, and why it cannot be used."""
    try:
        return msgspec.convert(value, shape), None
    except msgspec.ValidationError as error:
        # Only the place: the rest of msgspec's text may hold a part of the value.
        return None, malformed(section, str(error).rpartition(" - at ")[2] if " - at " in str(error) else "")


def malformed(section: str, path: str = "") -> Message:
    """Return the reason for a section of another shape; place: where in it, as msgspec writes it."""
    where = f"{section}: {path.strip('`')[:100]}" if path else section
    return msg("malformed: {where}", where=where)


def not_answered(section: str) -> Message:
    return msg("not in the host's answer: {section}", section=section)


# ---- what a type cannot express -------------------------------------------------------------------------------


def _answer_is_whole(section: str, value: Any, whole: bool) -> bool:
    if section in ("files", "tails"):
        return all(_entry_is_whole(entry, whole or section == "tails") for entry in value)
    if section == "http":
        needed = {"url", "status", "headers", "body", "truncated"}
        return value.get("error") is not None or (needed <= value.keys() and value["status"] is not None)
    if section == "tcp":
        needed = {"data", "login"} if whole else {"data"}
        return (
            (value.get("error") is not None or needed <= value.keys())
            and is_base64(value.get("data", ""))
            and _login_is_whole(value.get("login"))
        )
    if section == "resolve":
        return value["error"] is not None or (
            "uid" in value or (value["addresses"] != [] and all(map(_is_address, value["addresses"])))
        )
    return True


def _entry_is_whole(entry: dict[str, Any], read: bool) -> bool:
    """Return whether an entry has its stat and, if it was queried, its text; else it must have an error."""
    if not entry["path"]:
        return False
    if entry["type"] == "missing" or "error" in entry:
        return True
    return {"mode", "uid", "gid", "size", "mtime", "inode"} <= entry.keys() and (
        "text" in entry or not read or entry["type"] != "file"
    )


def _login_is_whole(login: dict[str, Any] | None) -> bool:
    needed = {"refused": "code", "error": "kind"}
    return login is None or login["state"] not in needed or needed[login["state"]] in login


def is_base64(text: str) -> bool:
    """Return whether a text is base64."""
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_peer(text: str) -> bool:
    address, _, port = text.rpartition(":")
    return _is_address(address.strip("[]")) and port.isascii() and port.isdigit() and int(port) < 65536


def _disks_are_whole(disks: list[dict[str, Any]], names: frozenset[str]) -> bool:
    figures = {"bytes", "bytes_available", "inodes", "inodes_available", "readonly"}
    return names <= {disk["path"] for disk in disks} and all(
        "error" in disk or figures <= disk.keys() for disk in disks
    )


def _nginx_is_whole(nginx: dict[str, Any], names: frozenset[str]) -> bool:
    """Return whether the main file is among the files, and there are no files without one."""
    paths = [entry["path"] for entry in nginx["files"]]
    return all(_entry_is_whole(entry, read=True) for entry in nginx["files"]) and (
        nginx["main"][0] in paths if nginx["main"] else paths == []
    )


def _time_daemon_is_whole(daemon: dict[str, Any], names: frozenset[str]) -> bool:
    """Return whether the client of each running daemon was run."""
    return (daemon["chronyd"] is None or daemon["chronyc"] is not None) and (
        daemon["ntpd"] is None or daemon["ntpq"] is not None
    )


_CHECKS: dict[str, Callable[[Any, frozenset[str]], bool]] = {
    "processes": lambda items, _: len({process["pid"] for process in items}) == len(items),
    "listeners": lambda items, _: all(_is_address(listener["address"]) for listener in items),
    "addresses": lambda items, _: all(_is_address(address) for address, _ in items),
    "disks": _disks_are_whole,
    "nginx": _nginx_is_whole,
    "time_daemon": _time_daemon_is_whole,
    "systemd": lambda item, _: item["show"] is not None or not item["booted"],
    "docker": lambda item, _: (
        item["shown"] is not None
        and (
            item["shown"]["error"] is not None or {"source", "containers", "reasons"} <= item["shown"].keys()
        )
    ),
    "starts": lambda items, names: items.keys() <= names,
    "libraries": lambda items, names: items.keys() <= names,
    "deleted": lambda items, names: all(item["path"] in names for item in items),
    "peers": lambda items, names: (
        items.keys() <= names and all(_is_peer(one) for ones in items.values() for one in ones)
    ),
}
