"""Redaction is linear: every pattern by its steps, every scanner by its executed lines; no clock is read."""

import re
import sys
from types import ModuleType

import pytest
from steps import REPEATS, Counter, hostile, inner, ops, parsed
from test_secrets import SHAPES

from bkpaas.facts import secret_names, secret_shapes, secret_spellings, secret_words, secrets
from bkpaas.facts.secrets import Secrets

MODULES: tuple[ModuleType, ...] = (secrets, secret_names, secret_shapes, secret_spellings, secret_words)
PATTERNS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": one
    for module in MODULES
    for name, one in vars(module).items()
    if isinstance(one, re.Pattern)
}
LOOKING_AROUND = tuple(
    getattr(ops, name) for name in ("ASSERT", "ASSERT_NOT", "GROUPREF", "GROUPREF_IGNORE", "GROUPREF_EXISTS")
    if hasattr(ops, name)
)  # fmt: skip
MOST_REPEATS = 300
LENGTH = 320
"""Characters, more than any bounded repeat takes."""
TOLERANCE = 1.2
"""Of the double: what a bounded repeat finds at the end of a text is less."""


def unbounded(tree, last=True):
    """Repeats without a bound that something may follow."""
    for at, (op, argument) in enumerate(tree):
        ends = last and at == len(tree) - 1
        if op in REPEATS and (argument[1] is ops.MAXREPEAT or argument[1] > MOST_REPEATS) and not ends:
            yield op, argument
        for one in inner(op, argument):
            yield from unbounded(one, ends and op not in REPEATS)


def elements(tree):
    for op, argument in tree:
        yield op, argument
        for one in inner(op, argument):
            yield from elements(one)


def test_every_pattern_is_examined():
    assert len(PATTERNS) > 25 and "secret_shapes._HEADER" in PATTERNS and "secret_words._BARE" in PATTERNS


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_a_pattern_has_no_lookaround_no_backreference_and_bounded_repeats(pattern):
    tree = parsed(pattern)
    assert not [op for op, _ in elements(tree) if op in LOOKING_AROUND]
    assert not list(unbounded(tree))
    repeats = [argument for op, argument in elements(tree) if op in REPEATS]
    assert all(most == 1 or (len(body) == 1 and not inner(*body[0])) for _, most, body in repeats)


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_steps_of_a_pattern_double_with_the_input(pattern):
    for piece in sorted(set(hostile(parsed(pattern)))):
        text = piece * (LENGTH // len(piece) + 1)
        once, twice = Counter(pattern, text).steps, Counter(pattern, text * 2).steps
        assert twice <= 2 * TOLERANCE * once, (piece, once, twice)


PIECES = [
    *SHAPES,
    *("a", "a=", "a:", "\\", '"', "a-", "://a:", "a='", "%26", "?a=b&", "name='token' ", "\n", "@a", "a:b@"),
    *(
        'key="\\\n',
        "key='''",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ",
        "eyJ-",
        "eyJaaaaaaaa.aaaa.",
        "http://a:@",
    ),
    *(
        "Set-Cookie: a",
        "Cookie: a;",
        "密码：",
        "token ",
        "mysql -p",
        "--key ",
        "secret:",
        "token=\\\n",
        "key=\n ",
    ),
]


def lines(text):
    """Lines of the modules that are executed for one text, and the characters that they pass on."""
    names = {module.__file__ for module in MODULES}
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        if frame.f_code.co_filename not in names:
            return None
        count += event == "line"
        return trace

    one = Secrets(b"key")
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        one.redact(text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("piece", PIECES)
def test_executed_lines_double_with_the_input(piece):
    text = piece * (2000 // len(piece) + 1)
    once, twice = lines(text), lines(text * 2)
    assert twice <= 2 * TOLERANCE * once, (once, twice)


def test_a_long_text_is_cut_before_it_is_redacted():
    most = secrets._REDACTED_LENGTH
    found = Secrets().redact("x " * most + "token=Pl4nted")
    assert most // 2 < len(found) <= most
    edge = "a " * (most // 2 - 5) + "http://user:Pl4nted@10.0.0.1/"
    assert "Pl4" not in Secrets().redact(edge)
