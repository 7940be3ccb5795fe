"""Find the messages of the code, and the calls that a catalogue cannot hold."""

from __future__ import annotations

import ast
import io
import itertools
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, nodes

from bkpaas.messages import fields

ROOT = Path(__file__).parents[2]
PLACES = (
    "conftest.py",
    "bkpaas",
    "lab",
    "tests_appengine",
    "tests_logging",
    "tests_paas",
    "selftests/matrix",
    "selftests/proofs/__main__.py",
    "selftests/recordings/record.py",
    "selftests/recordings/replay.py",
    "bench/run.py",
)
"""Files and directories whose messages are in the catalogue."""

TEMPLATE_SUFFIX = ".j2"
"""Of the Jinja templates."""

MAKERS = {"msg": 1, "plural": 2, "joined": 1, "case": 2}
"""Functions that make a message, and how many of their first arguments are literal texts."""
NAMED = "case"
"""The one whose first text is the name of a case, and whose second may be a ready message."""
MODULES = ("bkpaas.messages", "bkpaas.checks", "bkpaas.checks.case")
"""Modules that offer them."""

Key = tuple[str | None, str]
"""Context and English template of a message."""
Placeholder = tuple[str, str, str]
"""Name, format spec and conversion."""


@dataclass
class Entry:
    """One message, however many calls make it."""

    template: str
    context: str | None = None
    plural: str | None = None
    files: list[str] = field(default_factory=list)

    @property
    def key(self) -> Key:
        return self.context, self.template


@dataclass
class Scan:
    """The messages in order of their first file and place, and the problems as `file:line: text`."""

    entries: dict[Key, Entry] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def source_files(root: Path = ROOT) -> list[Path]:
    """Return the Python files and Jinja templates with messages, in order."""
    found = [root / place for place in PLACES if place.endswith(".py")]
    for place in (root / place for place in PLACES if not place.endswith(".py")):
        found += [*place.rglob("*.py"), *place.rglob(f"*{TEMPLATE_SUFFIX}")]
    return sorted(path for path in found if path.is_file())


def scan(files: list[Path], root: Path = ROOT) -> Scan:
    """Return the messages of these files."""
    result = Scan()
    for path in files:
        text, file = path.read_text("utf-8"), str(path.relative_to(root))
        if path.suffix == TEMPLATE_SUFFIX:
            scan_template(text, file, result)
        elif any(module in text for module in MODULES) or path.name == "messages.py":
            scan_text(text, file, result)
    return result


def scan_text(text: str, file: str, result: Scan) -> None:
    """Add the messages of one file."""
    tree = ast.parse(text)
    names = set(MAKERS) if file == "bkpaas/messages.py" else set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in MODULES:
            names |= {alias.name for alias in node.names} & set(MAKERS)
            renamed = [alias.name for alias in node.names if alias.asname and alias.name in MAKERS]
            result.problems += [
                f"{file}:{node.lineno}: {name} is imported under another name" for name in renamed
            ]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _maker(node, names)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        _add(call, text, f"{file}:{call.lineno}", file, result)


def scan_template(text: str, file: str, result: Scan) -> None:
    """Add the messages of one Jinja template, whose calls are read as those of Python."""
    calls = Environment(autoescape=True).parse(text).find_all(nodes.Call)
    for call in calls:
        if isinstance(call.node, nodes.Name) and call.node.name in MAKERS:
            values = [_python(node) for node in call.args]
            values += [f"{word.key}={_python(word.value)}" for word in call.kwargs]
            values += ["**x"] if call.dyn_args is not None or call.dyn_kwargs is not None else []
            source = f"{call.node.name}({', '.join(values)})"
            expression = ast.parse(source, mode="eval").body
            assert isinstance(expression, ast.Call)
            _add(expression, source, f"{file}:{call.lineno}", file, result)


def _python(node: nodes.Expr) -> str:
    """Return the Python for an argument of a template's call: a text as it is, anything else as a name."""
    return repr(node.value) if isinstance(node, nodes.Const) else "x"


def _add(call: ast.Call, text: str, line: str, file: str, result: Scan) -> None:
    """Add the message of one call, or what is wrong with it."""
    entry = Entry("")
    problems = list(_read(call, text, entry))
    result.problems += [f"{line}: {problem}" for problem in problems]
    if problems or not entry.template.strip():  # white space between items is the same in Chinese
        return
    known = result.entries.setdefault(entry.key, entry)
    if known.plural != entry.plural:
        result.problems.append(f"{line}: another plural than in {known.files[0]}; give it a context")
    if file not in known.files:
        known.files.append(file)


def placeholders(template: str) -> set[Placeholder]:
    """Return the placeholders of a template."""
    return {(name, spec, conversion) for _, name, spec, conversion in fields(template) if name}


def _maker(call: ast.Call, names: set[str]) -> str | None:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id if function.id in names else None
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.attr if function.value.id == "messages" and function.attr in MAKERS else None
    return None


def _read(call: ast.Call, text: str, entry: Entry) -> Iterator[str]:
    """Fill in the entry of a call; yield what is wrong with the call."""
    maker = _maker(call, set(MAKERS)) or ""
    keywords = {word.arg: word.value for word in call.keywords}
    if None in keywords:
        yield f"{maker}(): name each parameter instead of **"
        return
    context = keywords.pop("context", None)
    if maker == NAMED and len(call.args) == 2 and not _is_text(call.args[1]):
        return
    templates = call.args[: MAKERS[maker]]
    if len(templates) < MAKERS[maker]:
        yield f"{maker}(): the templates are its first {MAKERS[maker]} arguments"
        return
    values = [_literal(node) for node in (*templates, *([context] if context else []))]
    if None in values or "" in values:
        yield f"{maker}(): templates and context are literal texts, without f, + and %"
        return
    for node in templates:
        cut = cut_word(ast.get_source_segment(text, node) or "")
        if cut:
            yield f"{maker}(): a line break cuts {cut!r}; break the literal at a space"
    entry.template = str(values[1 if maker == NAMED else 0])
    entry.plural = values[1] if maker == "plural" else None
    entry.context = values[-1] if context else None
    if maker != "joined":
        yield from _compare(maker, entry, set(keywords) - {"count" if maker == "plural" else None})


def _compare(maker: str, entry: Entry, keywords: set[str | None]) -> Iterator[str]:
    try:
        names = {name for name, _, _ in placeholders(entry.template) | placeholders(entry.plural or "")}
    except ValueError as error:
        yield f"{maker}(): {error}"
        return
    names -= {"count"} if maker == "plural" else set()
    for name in sorted(names - keywords):
        yield f"{maker}(): the placeholder {name} has no parameter"
    for name in sorted(str(name) for name in keywords - names):
        yield f"{maker}(): the parameter {name} has no placeholder"


def _is_text(node: ast.expr) -> bool:
    """Return True if an expression is a text: a literal, an f-string, or made by + or %."""
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, ast.JoinedStr) or _literal(node) is not None


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def cut_word(source: str) -> str | None:
    """Return the word that adjacent literals in source cut in two, if there is one."""
    tokens = tokenize.generate_tokens(io.StringIO(f"({source})").readline)
    pieces = [ast.literal_eval(token.string) for token in tokens if token.type == tokenize.STRING]
    for left, right in itertools.pairwise(pieces):
        if left and right and not left[-1].isspace() and not right[0].isspace():
            return str(left.split()[-1] + right.split()[0])
    return None
