"""Parse the pages of the documentation: headings, links, code and its command lines."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
CHINESE = ".zh-CN.md"

_PYTEST = re.compile(r"^(?:\S*\bpython3? -m )?pytest(?: |$)")


@dataclass
class Page:
    """One Markdown file."""

    path: Path
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    """The text of each block of code."""
    inline: list[str] = field(default_factory=list)
    """Texts between backquotes."""
    shape: list[str] = field(default_factory=list)
    """Headings, tables, lists and code as they follow each other, without their words."""

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    def commands(self) -> list[str]:
        """The lines of its code, continued lines joined, without comments."""
        return [line for block in self.code for line in shell_lines(block)]


def pages() -> list[Page]:
    """Every page of the project."""
    places = (".", "docs", "inventory", "lab/services")
    return [page(path) for place in places for path in sorted((ROOT / place).glob("*.md"))]


@cache
def page(path: Path) -> Page:
    found = Page(path)
    text = path.read_text("utf-8")
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    taken: dict[str, int] = {}
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            anchor = _anchor(tokens[at + 1])
            count = taken.get(anchor, 0)
            taken[anchor] = count + 1
            found.anchors.add(f"{anchor}-{count}" if count else anchor)
        if token.type in ("fence", "code_block"):
            found.code.append(token.content)
        if token.nesting >= 0 and token.type != "inline":
            found.shape.append(token.tag + token.info)
        for child in token.children or ():
            if child.type == "link_open":
                found.links.append(str(child.attrs["href"]))
            if child.type == "image":
                found.links.append(str(child.attrs["src"]))
            if child.type == "code_inline":
                found.inline.append(child.content)
    found.anchors |= set(re.findall(r'<a (?:id|name)="([^"]+)"', text))
    return found


def _anchor(heading: Token) -> str:
    """GitHub's name for a heading: lower case, blanks as hyphens, punctuation left out."""
    words = "".join(
        child.content for child in heading.children or () if child.type in ("text", "code_inline")
    )
    return re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")


def shell_lines(block: str) -> list[str]:
    """Each command, continued lines joined, comments and blanks left out."""
    joined = re.sub(r"\\\n\s*", "", block)
    lines = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in joined.splitlines())
    return [line for line in lines if line]


def engine_words(language: str, part: str, **values: str) -> list[str]:
    """Return the words of the command of engines.md that contains this text, its placeholders replaced by values."""
    (line,) = {line for line in page(ROOT / "docs" / f"engines{language}.md").commands() if part in line}
    for name, value in values.items():
        line = re.sub(rf"\b{name}\b", value, line)
    return shlex.split(line)


def pytest_words(line: str) -> list[str] | None:
    """Return the arguments of pytest on a command line; None for another command."""
    begin = _PYTEST.match(line)
    return shlex.split(line[begin.end() :]) if begin else None
