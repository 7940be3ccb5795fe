"""Keep recordings usable that were made before a query or a condition existed.

The code of today may ask a host for more than a recording has. Such an answer gets the reason NOT_RECORDED here, so
that its absence is not taken for a fault of the host. Verdicts that are `no_data` for this reason only are left out
before the run is explained, are listed, and are no difference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from bkpaas.facts import shapes
from bkpaas.facts.missing import Missing
from bkpaas.facts.shapes import RoundQueries
from bkpaas.messages import Message

NOT_RECORDED = "not recorded: "
"""Begins the reason of a query that a recording has no answer to."""
ABSENT = ("not in the host's answer: {section}", "malformed: {where}")
"""Templates of the reasons of an answer that has not what a query asks for. No recorded host damages its answers."""

LATER = ("net.ipv4.ip_local_port_range was not read",)
"""Reasons of verdicts about a part of a section that the collector of the first recordings did not send."""


def complete(
    answer: dict[str, Any] | None, number: int, queries: RoundQueries, first: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Return a recorded answer in which the queries that it has no answer to have the reason NOT_RECORDED.

    Args:
        answer: of round `number`; None: the host was not asked in this round.
        queries: those of today.
        first: the answer of round 1, for an answer of round 2 that is made up since the recorded run had no round 2.
    """
    if answer is None:
        if number == 1 or first is None or not queries.sections:
            return None
        about = {key: first[key] for key in ("version", "uid", "python", "home", "system") if key in first}
        answer = {**about, "visit": number, "errors": {}}
    absent = {
        key: f"{NOT_RECORDED}{key}"
        for key, reason in shapes.read_round(answer, number, queries).errors.items()
        if isinstance(reason, Message) and reason.template in ABSENT
    }
    return {**answer, "errors": {**answer["errors"], **absent}} if absent else answer


def complete_statements(
    answer: dict[str, Any] | None, plan: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Return a recorded answer in which the statements that a database was not sent have the reason NOT_RECORDED."""
    if answer is None or not isinstance(answer.get("tcp"), dict):
        return answer
    connections = dict(answer["tcp"])
    for query in (plan or {}).get("tcp", ()):
        item = connections.get(query["name"])
        login = item.get("login") if isinstance(item, dict) else None
        results = login.get("results") if isinstance(login, dict) else None
        if not login or not results or any("kind" in one for one in results.values()):
            continue  # no statement was sent, or one was not answered: then those after it were not sent
        absent = {
            name: {"kind": "protocol", "text": f"{NOT_RECORDED}{name}"}
            for name in query.get("statements", ())
            if name not in results
        }
        connections[query["name"]] = item | {"login": login | {"results": results | absent}}
    return answer | {"tcp": connections}


def complete_files(
    answer: dict[str, Any] | None, plan: Mapping[str, Any] | None, recorded_plan: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Return a recorded answer in which the files that a host was not asked for have the reason NOT_RECORDED.

    Args:
        plan: that of today.
        recorded_plan: that of the recorded run.
    """
    if answer is None or not isinstance(answer.get("files"), dict):
        return answer
    files, known = (
        dict(answer["files"]),
        {(one["name"], one["path"]) for one in (recorded_plan or {}).get("files", ())},
    )
    for query in (plan or {}).get("files", ()):
        name, path = query["name"], query["path"]
        if name in files and (name, path) not in known:
            files[name] = [
                *files[name],
                {"path": path, "type": "other", "error": f"{NOT_RECORDED}{path}"},
            ]
    return answer | {"files": files}


def complete_controller(facts: Any, recorded: Mapping[str, Any], names: Collection[str]) -> Any:
    """Return the facts of the controller with the reason NOT_RECORDED for what its recording has no answer to.

    names: of the requests that the controller makes today.
    """
    changes: dict[str, Any] = {}
    for field in facts.__struct_fields__:
        value = getattr(facts, field)
        if isinstance(value, Missing) and field not in recorded and _is_absent(value.reason):
            changes[field] = Missing(f"{NOT_RECORDED}{field}")
    if not isinstance(facts.answers, Missing):
        missing = {
            name: f"{NOT_RECORDED}http:{name}" for name in names if name not in recorded.get("http", ())
        }
        changes["answers"] = replace(facts.answers, missing={**facts.answers.missing, **missing})
    return replace(facts, **changes)


def _is_absent(reason: Message | str) -> bool:
    return isinstance(reason, Message) and reason.template in ABSENT


def left_out(
    outcomes: Mapping[str, Any], known: Collection[str] | None, before: Collection[str] = ()
) -> list[str]:
    """Return the ids whose outcome is no_data since the recording has no answer, or of a new condition.

    Args:
        known: the conditions that the expectation of the run has; None: all are known.
        before: ids that were left out when the expectation was made: it has no verdict of them.
    """
    return [
        id_
        for id_, outcome in outcomes.items()
        if outcome.word == "no_data"
        and (
            id_ in before
            or any(reason in _english(outcome.reason) for reason in (NOT_RECORDED, *LATER))
            or (known is not None and _condition(id_) not in known)
        )
    ]


def comparable(
    expected: Mapping[str, Any], actual: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both sides without what only a later recording can have.

    These are verdicts that are not recorded, verdicts of new conditions that are neither fail nor warn, and new
    queries of the plans. If a failure that was known is not recorded, the explanation of the others is left out too.
    """
    known = {_condition(id_) for id_ in expected["verdicts"]}
    ignored = set(actual.get("not_recorded", ()))
    ignored |= {
        id_
        for id_, verdict in actual["verdicts"].items()
        if _condition(id_) not in known and verdict["word"] not in ("fail", "warn")
    }
    lost = [id_ for id_ in actual.get("not_recorded", ()) if id_ in expected["verdicts"]]
    explained = all(expected["verdicts"][id_]["word"] in ("pass", "not_applicable") for id_ in lost)
    before, after = (_without(side, ignored, explained) for side in (expected, actual))
    after["plans"] = _known_queries(expected["plans"], actual["plans"])
    marked = known | {_condition(id_) for ids in expected["markers"].values() for id_ in ids}
    after["markers"] = {
        marker: [id_ for id_ in ids if _condition(id_) in marked] for marker, ids in after["markers"].items()
    }
    return before, after


def changed_words(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> Iterator[str]:
    """Yield `condition: word` for each verdict that was known and is now not recorded."""
    for id_ in actual.get("not_recorded", ()):
        if id_ in expected["verdicts"] and expected["verdicts"][id_]["word"] != "no_data":
            yield f"{_condition(id_)}: {expected['verdicts'][id_]['word']}"


def _without(output: Mapping[str, Any], ignored: set[str], explained: bool) -> dict[str, Any]:
    """Return the output of a run without these ids, and without the explanation unless `explained`."""

    def kept(ids: Collection[str]) -> list[str]:
        return [id_ for id_ in ids if id_ not in ignored]

    causes = [
        {name: kept(value) if isinstance(value, list) else value for name, value in group.items()}
        for group in output.get("causes", [])
        if kept(group["ids"])
    ]
    return {
        **output,
        "order": kept(output["order"]),
        "verdicts": {
            id_: {**verdict, "explained_by": kept(verdict.get("explained_by", [])) if explained else []}
            for id_, verdict in output["verdicts"].items()
            if id_ not in ignored
        },
        "root_causes": kept(output.get("root_causes", [])) if explained else [],
        "causes": causes if explained else [],
        "markers": {marker: kept(ids) for marker, ids in output["markers"].items()},
    }


def _known_queries(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plans of today without the queries whose name is not in the expected plan."""
    return {
        host: {
            round_: _known_parts((expected.get(host) or {}).get(round_), plan)
            for round_, plan in rounds.items()
        }
        for host, rounds in actual.items()
    }


def _known_parts(expected: Mapping[str, Any] | None, plan: Mapping[str, Any] | None) -> Any:
    if expected is None or plan is None:
        return None if expected is None else plan
    return {
        part: [
            _known_statements(item, known[_name(item)])
            for known in [{_name(one): one for one in expected[part]}]
            for item in value
            if _name(item) in known
        ]
        if isinstance(value, list) and isinstance(expected[part], list)
        else value
        for part, value in plan.items()
        if part in expected
    }


def _known_statements(item: Any, expected: Any) -> Any:
    """Return a query of today without the statements for a database that the expected one does not have."""
    if not isinstance(item, dict) or not isinstance(expected, dict) or "statements" not in item:
        return item
    known = expected.get("statements", ())
    return item | {"statements": [name for name in item["statements"] if name in known]}


def new_queries(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> Iterator[str]:
    """Yield `round N: part: name` for each query of today that the expected plans do not have."""
    for host, rounds in actual.items():
        for round_, plan in rounds.items():
            before = (expected.get(host) or {}).get(round_) or {}
            for part, value in (plan or {}).items():
                if not isinstance(value, list):
                    if part not in before and before:
                        yield f"round {round_}: {part}"
                    continue
                old = {_name(item) for item in before.get(part) or ()}
                yield from (
                    f"round {round_}: {part}: {_name(item)}" for item in value if _name(item) not in old
                )


def _name(item: Any) -> str:
    return str(item.get("name", item)) if isinstance(item, dict) else str(item)


def _english(text: Any) -> str:
    return text.render("en") if isinstance(text, Message) else text or ""


def _condition(id_: str) -> str:
    return id_.partition("@")[0]
