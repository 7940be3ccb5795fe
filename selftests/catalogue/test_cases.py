"""The cases that a check names are those of its condition's file, and each assertion of a check names one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bkpaas.catalogue.registry import CONDITIONS

ROOT = Path(__file__).parents[2]
MODULES = sorted(ROOT.glob("tests_[!s]*/test_*.py"))  # tests_site belongs to a site
HELPERS = sorted((ROOT / "bkpaas/checks").glob("*.py"))
MAKERS = ("case", "combined", "connection_case", "several")
"""Functions of bkpaas.checks that make the message of an assertion."""

Functions = dict[str, ast.FunctionDef]


def functions(source: str) -> Functions:
    """Return the functions of a module by name."""
    return {node.name: node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}


SHARED: Functions = {
    name: node for path in HELPERS for name, node in functions(path.read_text("utf-8")).items()
}


def reached(check: ast.FunctionDef, known: Functions) -> list[ast.FunctionDef]:
    """Return a check and the functions that it uses, directly or through others."""
    found: Functions = {}
    waiting = [check]
    while waiting:
        function = waiting.pop()
        found[function.name] = function
        names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)} - set(found)
        waiting += [known[name] for name in sorted(names - {"case", "combined"}) if name in known]
    return list(found.values())


def checks(source: str) -> dict[str, ast.FunctionDef]:
    """Return the checks of a module by the id of their condition."""
    return {
        decorator.args[0].value: function
        for function in functions(source).values()
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call)
        and getattr(decorator.func, "id", "") == "condition"
        and isinstance(decorator.args[0], ast.Constant)
    }


def named_cases(used: list[ast.FunctionDef]) -> set[str]:
    """Return the names of the cases in these functions; `?` for one that is not a literal."""
    calls = [node for function in used for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {
        call.args[0].value if isinstance(call.args[0], ast.Constant) else "?"
        for call in calls
        if getattr(call.func, "id", "") == "case"
    }


def parameters(used: list[ast.FunctionDef]) -> Iterator[tuple[str, set[str]]]:
    """Yield the name of a case and the parameters of each call that makes it."""
    combined: set[str] = set()
    makers = {"combined", "connection_case", *(one.name for one in used if _returns_case(one))}
    calls = [node for function in used for node in ast.walk(function) if isinstance(node, ast.Call)]
    for call in calls:
        if getattr(call.func, "id", "") in makers:
            combined |= {word.arg for word in call.keywords if word.arg}
        if getattr(call.func, "id", "") == "several" and isinstance(call.args[1], ast.Constant):
            combined.add(call.args[1].value)
    for call in calls:
        if getattr(call.func, "id", "") == "case" and isinstance(call.args[0], ast.Constant):
            yield call.args[0].value, {word.arg for word in call.keywords if word.arg} | combined


def without_case(used: list[ast.FunctionDef], known: Functions) -> Iterator[int]:
    """Yield the line of each assertion whose message is not that of a case."""
    makers = {*MAKERS, *(name for name, node in known.items() if _returns_case(node))}
    for node in (node for function in used for node in ast.walk(function)):
        if isinstance(node, ast.Assert) and not _is_case(node.msg, makers):
            yield node.lineno
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            message = node.exc.args[0] if node.exc.args else None
            if getattr(node.exc.func, "id", "") == "AssertionError" and not _is_case(message, makers):
                yield node.lineno


def _returns_case(function: ast.FunctionDef) -> bool:
    return function.returns is not None and ast.unparse(function.returns) == "CaseMessage"


def _is_case(message: ast.expr | None, makers: set[str]) -> bool:
    if isinstance(message, ast.IfExp):
        return _is_case(message.body, makers) and _is_case(message.orelse, makers)
    return isinstance(message, ast.Call) and getattr(message.func, "id", "") in makers


EACH = [
    pytest.param(id_, check, {**SHARED, **functions(path.read_text("utf-8"))}, id=id_)
    for path in MODULES
    for id_, check in checks(path.read_text("utf-8")).items()
]


@pytest.mark.parametrize(("id_", "check", "known"), EACH)
def test_check_and_file_have_the_same_cases(id_: str, check: ast.FunctionDef, known: Functions) -> None:
    used = reached(check, known)
    assert named_cases(used) == {case.name for case in CONDITIONS[id_].cases}
    for name, passed in parameters(used):
        assert set(CONDITIONS[id_].case(name).parameters) <= passed


@pytest.mark.parametrize(("id_", "check", "known"), EACH)
def test_each_assertion_of_a_check_names_a_case(id_: str, check: ast.FunctionDef, known: Functions) -> None:
    assert list(without_case(reached(check, known), known)) == []


SOURCE = """
def _helper(x):
    assert x, case("gone", "{path} is gone", path=1)

def _message() -> CaseMessage:
    return case("other", "it")

@condition("some-id")
def test_it(host):
    _helper(host)
    assert host, _message() if host else combined([case("third", "it")], x, service=2)
    assert host
    assert host, "text"
    raise AssertionError(text)

def unused():
    assert 1, case("unused", "it")
"""


def test_cases_and_assertions_without_one_are_found() -> None:
    known = functions(SOURCE)
    (check,) = checks(SOURCE).values()
    used = reached(check, known)
    assert named_cases(used) == {"gone", "other", "third"}
    assert dict(parameters(used))["gone"] == {"path", "service"}
    assert [SOURCE.splitlines()[line - 1].strip() for line in without_case(used, known)] == [
        "assert host",
        'assert host, "text"',
        "raise AssertionError(text)",
    ]
