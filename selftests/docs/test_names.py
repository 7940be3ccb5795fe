"""Names that were replaced by the terms of docs/glossary.md do not come back."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bkpaas", "tests_paas", "tests_appengine", "tests_logging", "selftests", "lab", "bench")

FORMER = {
    *(
        "told",
        "said",
        "heard",
        "spoken",
        "asked",
        "looked",
        "judged",
        "unseen",
        "strange",
        "odd",
        "ill",
        "talk",
    ),
    *(
        "trouble",
        "troubles",
        "news",
        "apart",
        "tone",
        "nobody",
        "somebody",
        "visit_first",
        "visit_second",
        "hands",
    ),
    *("Each", "Pairs", "Links", "FromController", "VirtualAddresses", "Looked", "Watcher", "SICK", "Judged"),
    *(
        "saw",
        "having",
        "beside",
        "dark",
        "foundations",
        "judge",
        "judges",
    ),
    *("login_silent", "way_out", "scrub", "reveal", "withhold"),
}
"""Names of variables, functions and classes, without leading underscores."""

ALIASES = {
    "bkpaas/checks/finding.py",
    "bkpaas/inventory/deployment.py",
    "bkpaas/errors.py",
    "bkpaas/suite/__init__.py",
}
"""Files with deprecated aliases."""

IN_TESTS = {"judge", "dark"}
"""Names that selftests and measurements may have: the verb for what a run of the checks does, and a colour scheme."""


def names(source: str) -> set[str]:
    """Return the names that a module defines: variables, arguments, functions, classes."""
    defined = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defined.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.arg):
            defined.add(node.arg)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            defined.add(node.attr)
    return {re.sub("^_+", "", name) for name in defined}


def test_names_are_read() -> None:
    assert names("def _told(said): odd = 1; self.ill = odd\nclass Each: pass\n") == {
        *("told", "said", "odd", "ill", "Each"),
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_no_former_name_is_used(package: str) -> None:
    former = FORMER - IN_TESTS if package in ("selftests", "bench") else FORMER
    used = {
        str(path.relative_to(ROOT)): sorted(names(path.read_text("utf-8")) & former)
        for path in sorted((ROOT / package).rglob("*.py"))
        if str(path.relative_to(ROOT)) not in ALIASES
    }
    assert {name: found for name, found in used.items() if found} == {}, "see docs/glossary.md"


NO_VERB = re.compile(
    "An?|The|All|Another|Each|Every|Everything|Nothing|One|Others?|Some|This|That|These|Those|Its?|Ours?|What|Whatever|"
    "When|Where|Whether|Which|Who|Whom|Whose|Why|How|As|At|By|For|From|In|Near|Of|On|To|With|Without|Is|Are|Was|Has|"
    "Can|Does|Tells?|Only|None"
)
"""First words of a docstring that is no imperative; `Tell if` is written as `Return whether`."""


def first_words(source: str) -> dict[str, str]:
    """Return the first word of each function's docstring; a property and a check have a noun or a sentence there."""
    return {
        node.name: (ast.get_docstring(node) or "Return").split()[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("test_")
        and not any("property" in ast.unparse(decorator) for decorator in node.decorator_list)
    }


@pytest.mark.parametrize("package", ["bkpaas", "tests_paas", "tests_appengine", "tests_logging", "bench"])
def test_docstrings_begin_with_a_verb(package: str) -> None:
    """docs/glossary.md and the manuals of Python: `Return the ...`, not `The ...` or `What ...`."""
    wrong = [
        f"{path.relative_to(ROOT)}: {name}: {word} ..."
        for path in sorted((ROOT / package).rglob("*.py"))
        for name, word in first_words(path.read_text("utf-8")).items()
        if NO_VERB.fullmatch(word)
    ]
    assert wrong == []
    assert first_words("def one():\n    '''The first.'''\n") == {"one": "The"}
