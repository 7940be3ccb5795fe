"""Find the words that the style of this repository excludes, in prose and in identifiers."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]

WORDS = (
    "whoever",
    "whom",
    "somebody",
    "nobody",
    "for ever",
    "of late",
    "at once",
    "way out",
    "is none",
    "of ours",
    "of one's own",
    "beside",
)
"""Excluded words; docs/glossary.md and CHANGELOG.md may quote them."""

PLURALS = ("ways out",)

FORMER_NAMES = {"way_out"}
"""Identifiers with an excluded word that are deprecated aliases."""

EXEMPT = {
    "docs/glossary.md",
    "docs/glossary.zh-CN.md",
    "CHANGELOG.md",
    "CHANGELOG.zh-CN.md",
    "selftests/docs/words.py",
    "selftests/docs/test_words.py",
}
"""Files that have to quote the words."""

DATA = ("selftests/report/golden/", "selftests/facts/recorded/", "selftests/snapshots/")
"""Directories of outputs and recordings; their words come from the code or from other software."""

_TEXT = {
    *("", ".md", ".py", ".sh", ".toml", ".yaml", ".yml", ".ini", ".in", ".js", ".css", ".html", ".j2", ".po"),
    *(".service", ".timer", ".cron", ".env", ".config"),
}
_PATTERN = re.compile(rf"(?<![\w-])(?:{'|'.join((*WORDS, *PLURALS))})(?![\w-])", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def find_words(text: str) -> list[str]:
    """Return the excluded words of a text, in order; `is None` of Python is not one of them."""
    joined = " ".join(text.split())
    return [match.lower() for match in _PATTERN.findall(joined) if match != "is None"]


@cache  # the same names in hundreds of files
def find_in_identifier(name: str) -> list[str]:
    """Return the excluded words of an identifier, whether snake_case or CamelCase."""
    return find_words(_CAMEL.sub(" ", name).replace("_", " "))


def scan(name: str, text: str) -> list[str]:
    """Return the excluded words of a file.

    Args:
        name: its path below the root of the repository; the suffix selects how it is read.
        text: its content.
    """
    if name.endswith(".md"):
        return [word for prose in _markdown_prose(text) for word in find_words(prose)]
    if name.endswith(".py"):
        return _scan_python(text)
    return [word for line in text.splitlines() for word in find_words(line.replace("_", " "))]


def tracked_files() -> list[Path]:
    """Return the text files of the repository, those not yet added included."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [
        ROOT / name
        for name in sorted(set(names) - EXEMPT)
        if Path(name).suffix in _TEXT and not name.startswith(DATA) and (ROOT / name).is_file()
    ]


def find_in_files() -> dict[str, list[str]]:
    """Return {path: excluded words} of the files that contain any."""
    words = {
        str(path.relative_to(ROOT)): scan(path.name, path.read_text("utf-8")) for path in tracked_files()
    }
    return {name: of_file for name, of_file in words.items() if of_file}


def _markdown_prose(text: str) -> Iterator[str]:
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "inline":
            yield "".join(
                " " if child.type.endswith("break") else child.content
                for child in token.children or ()
                if child.type in ("text", "softbreak", "hardbreak")
            )
        if token.type in ("fence", "code_block"):
            yield from (
                comment
                for _, mark, comment in (line.partition("#") for line in token.content.splitlines())
                if mark
            )


def _scan_python(text: str) -> list[str]:
    found = [word for docstring in _docstrings(ast.parse(text)) for word in find_words(docstring)]
    comments: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comments.append((token.start[0], token.string.lstrip("#: ")))
        if token.type == tokenize.NAME and token.string not in FORMER_NAMES:
            found += find_in_identifier(token.string)
    return found + [word for block in _join_blocks(comments) for word in find_words(block)]


def _docstrings(tree: ast.AST) -> Iterator[str]:
    """Yield the docstrings, and the strings that document an attribute."""
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED):
            for statement in node.body:
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                    yield str(statement.value.value)


def _join_blocks(comments: list[tuple[int, str]]) -> Iterator[str]:
    """Join comments of consecutive lines."""
    block: list[str] = []
    previous = -1
    for line, comment in comments:
        if line != previous + 1 and block:
            yield " ".join(block)
            block = []
        block.append(comment)
        previous = line
    yield " ".join(block)
