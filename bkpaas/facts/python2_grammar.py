"""The grammars of parso that read settings: its grammar of Python 3.6 with the rules of Python 2 added, and that of 3.10."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import parso
from parso.grammar import PythonGrammar, load_grammar
from parso.python.token import PythonTokenTypes
from parso.python.tokenize import PythonToken
from parso.utils import parse_version_string

_RULES = {
    "raise_stmt: 'raise' [test ['from' test]]": "raise_stmt: 'raise' [test [',' test [',' test]]]",
    "except_clause: 'except' [test ['as' NAME]]": "except_clause: 'except' [test [('as' | ',') test]]",
    "import_stmt | global_stmt |": "import_stmt | print_stmt | exec_stmt | global_stmt |",
    "NAME | NUMBER | strings |": "'`' testlist '`' | NAME | NUMBER | strings |",
}
_NEW_RULES = """
print_stmt: 'print' ([test (',' test)* [',']] | '>>' test [(',' test)+ [',']])
exec_stmt: 'exec' expr ['in' test [',' test]]
"""


class _Python2(PythonGrammar):
    """Extend the grammar of parso to Python 2.7."""

    def _tokenize_lines(self, lines: list[str], **options: Any) -> Iterator[PythonToken]:
        return _joined(super()._tokenize_lines(lines, **options))


def _joined(tokens: Iterable[PythonToken]) -> Iterator[PythonToken]:
    """Join the tokens 0777, 10L, ur"" and <>, which are one token each in Python 2."""
    before: PythonToken | None = None
    for token in tokens:
        if before is not None and not token.prefix and _belong(before, token):
            before = PythonToken(token.type, before.string + token.string, before.start_pos, before.prefix)
            if token.string in ("L", "l"):
                before = before._replace(type=PythonTokenTypes.NUMBER)
            continue
        if before is not None:
            yield before
        before = token
    if before is not None:
        yield before


def _belong(first: PythonToken, second: PythonToken) -> bool:
    if first.type == PythonTokenTypes.NUMBER:
        octal = first.string == "0" * len(first.string) and second.type == PythonTokenTypes.NUMBER
        return octal or second.string in ("L", "l")
    if second.type == PythonTokenTypes.STRING:
        return first.string in ("ur", "uR", "Ur", "UR")
    return (first.string, second.string) == ("<", ">")


@cache
def grammars() -> tuple[Any, Any]:
    """Return the grammar of Python 2.7 and 3.6, and that of Python 3.10."""
    bnf = (Path(parso.__file__).parent / "python" / "grammar36.txt").read_text(encoding="utf-8")
    for rule, other in _RULES.items():
        if rule not in bnf:
            raise RuntimeError(f"parso's grammar has no longer the rule: {rule}")
        bnf = bnf.replace(rule, other)
    return _Python2(parse_version_string("3.6"), bnf + _NEW_RULES), load_grammar(version="3.10")
