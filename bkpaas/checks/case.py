"""The message of an assertion: in which way the condition fails, and what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from bkpaas.checks.phrases import labelled
from bkpaas.messages import Message, Value, lines, series, to_value


class CaseMessage(Struct, frozen=True):
    """The message of a check's assertion: the case of the condition and the evidence."""

    case: str
    """A name of the condition's file: it selects the headline and the remedy."""
    evidence: Message
    parameters: dict[str, Value] = {}
    """Values for the headline and the remedy, by name."""
    parts: tuple[tuple[str, str], ...] = ()
    """Where the evidence lists several failures: what each is about, as `TYPE:NAME` or empty, and its case."""

    def __str__(self) -> str:
        return str(self.evidence)


def case(name: str, evidence: str | Message, /, **parameters: object) -> CaseMessage:
    """Return the message of an assertion: `assert sock.exists, case("gone", "{path} does not exist", path=path)`.

    name: a literal, `[case.NAME]` of the condition's file.
    evidence: what was read: a literal template with a `{name}` for each parameter, or a ready message.
    parameters: of the template; those that the file declares are values of headline and remedy, too.
    """
    values = {key: to_value(value) for key, value in parameters.items()}
    return CaseMessage(name, Message(evidence, values) if isinstance(evidence, str) else evidence, values)


def connection_case(kind: str | None, evidence: Message, /, **parameters: object) -> CaseMessage:
    """Return the case of a request without an answer, by its error kind: refused, silent, unresolved or cut-off."""
    if kind in ("refused", "unreachable"):
        return case("refused", evidence, **parameters)
    if kind in ("timeout", "silent", "resolver"):
        return case("silent", evidence, **parameters)
    if kind == "resolve":
        return case("unresolved", evidence, **parameters)
    return case("cut-off", evidence, **parameters)


def combined(cases: Sequence[CaseMessage], evidence: Message, /, **parameters: object) -> CaseMessage:
    """Return one message for several failures: the case and the parameters of the first, and more of these."""
    added = {key: to_value(value) for key, value in parameters.items()}
    parts = (part for one in cases for part in one.parts or (("", one.case),))
    return CaseMessage(cases[0].case, evidence, {**cases[0].parameters, **added}, tuple(dict.fromkeys(parts)))


def about(message: CaseMessage, /, *components: str) -> CaseMessage:
    """Return the message of a case with what its evidence names, each as `TYPE:NAME`."""
    return structs.replace(message, parts=tuple((component, message.case) for component in components))


def several(
    problems: Mapping[str, CaseMessage], names: str, components: Mapping[str, str] | None = None
) -> CaseMessage:
    """Return one message for the problems of several services, hosts or paths: a line for each, by name.

    The case is that of the first. names: the parameter that lists those with this case, for the headline.
    components: what each is about, by name, as `TYPE:NAME`; None: each name is that of a service.
    """
    first = next(iter(problems.values()))
    same = [name for name, problem in problems.items() if problem.case == first.case]
    text = lines(labelled(name, problem.evidence) for name, problem in problems.items())
    message = combined([first], text, **{names: series(same)})
    parts = (
        (f"service:{name}" if components is None else components.get(name, ""), case_)
        for name, problem in problems.items()
        for case_ in dict.fromkeys(case_ for _, case_ in problem.parts or (("", problem.case),))
    )
    return structs.replace(message, parts=tuple(dict.fromkeys(parts)))
