"""The pages hold together: links and anchors lead somewhere, both languages say the same, options exist."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from bkpaas.catalogue.registry import CONDITIONS
from bkpaas.plugin import early
from docs.pages import CHINESE, ROOT, Page, page, pages

ALL = pages()
PAIRS = [
    (page(one.path.with_name(one.path.name.replace(CHINESE, ".md"))), one)
    for one in ALL
    if one.path.name.endswith(CHINESE)
]
OTHERS = {
    *("--list", "--sample", "--update"),  # script/replay
    "--remedy",  # script/matrix
    *("--become", "--check", "--seconds", "--hosts", "--api"),  # Ansible, and the examples for Salt and JOB
    *("--require-hashes", "--no-index", "--find-links", "--only-binary", "--no-deps", "--no-build-isolation"),
    *(
        "--map-auto",
        "--map-root-user",
        "--ini",
        "--platform",
        "--help",
        "--host",
        "--network",
        "--add-host",
        "--userns",
        "--build-arg",
        "--noproxy",
    ),
}
"""Options of pip, docker and other programs that a sentence names without their command."""
PYTEST = {
    "--lf",
    "--stepwise",
    "--ff",
    "--strict",
    "--rootdir",
    "--co",
    "--collect-only",
    "--markers",
    "--maxfail",
    "--junitxml",
    "--html",
}


def anchors_of(target: Path, one: Page) -> set[str]:
    return one.anchors if target == one.path else page(target).anchors


def broken(one: Page) -> list[str]:
    found = []
    for link in one.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (one.path.parent / unquote(parts.path)).resolve() if parts.path else one.path
        if not target.exists() or not target.is_relative_to(ROOT):
            found.append(f"{one.name}: {link}")
        elif parts.fragment and unquote(parts.fragment) not in anchors_of(target, one):
            found.append(f"{one.name}: no anchor {link}")
    return found


def test_links_lead_somewhere() -> None:
    assert sum(len(one.links) for one in ALL) > 100
    assert [line for one in ALL for line in broken(one)] == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    file = ROOT / "docs" / "nightly.md"
    page = Page(
        file, anchors={"here"}, links=["#here", "#there", "gone.md", "connect.md#sudo", "connect.md#no"]
    )
    assert len(broken(page)) == 3


def test_every_page_is_in_both_languages() -> None:
    names = {one.name for one in ALL}
    alone = {"lab/services/README.md", "CHANGELOG.md"}
    assert {
        name for name in names if name.replace(".md", CHINESE) not in names and CHINESE not in name
    } == alone
    assert len(PAIRS) * 2 + len(alone) == len(names)


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=lambda one: one.path.name)
def test_both_languages_say_the_same(english: Page, chinese: Page) -> None:
    assert english.shape == chinese.shape

    def targets(one: Page) -> list[str]:
        return [
            re.sub(r"\.zh-CN\.md|\.zh\.png", lambda m: m[0][-3:], link.partition("#")[0])
            for link in one.links
        ]

    def bare(links: list[str]) -> list[str]:
        return sorted(link.replace(".en.png", "png").replace(".png", "png") for link in links)

    assert bare(targets(english)[1:]) == bare(targets(chinese)[1:])
    assert commands(english) == commands(chinese)
    assert options(english) == options(chinese)


def commands(one: Page) -> list[str]:
    """Return the commands for a shell; placeholders of each language are kept."""
    found = [
        line
        for line in one.commands()
        if re.match(r"[\w./]*(python|pytest|sudo|script/|docs/|ssh|podman|lab) ?", line)
    ]
    return [
        " ".join(word for word in line.split() if re.search("[a-z]", word) and word.isascii())
        for line in found
    ]


def options(one: Page) -> set[str]:
    """Those that a sentence names."""
    return {word for text in one.inline for word in re.findall(r"(?:^| )(--[a-z][a-z-]*)(?![\w.-])", text)}


def test_every_option_that_is_named_exists() -> None:
    known = {name for options in early.groups().values() for name in options} | OTHERS | PYTEST
    named = {(one.name, word) for one in ALL for word in options(one)}
    assert len(named) > 40
    assert {(name, word) for name, word in named if word not in known} == set()


def test_every_condition_that_is_named_exists() -> None:
    """condition@subject in a sentence or in code, and the conditions that root alone can judge."""
    named = {
        (one.name, word)
        for one in ALL
        for text in (*one.inline, *one.code)
        for word in re.findall(r"(?<![\w./])([a-z][a-z0-9-]+-[a-z0-9-]+)@[a-z0-9]", text)
    }
    for path in ("docs/connect.md", "docs/connect.zh-CN.md"):
        words = {
            word
            for word in page(ROOT / path).inline
            if re.fullmatch("(?:login|http|nginx|port)-[a-z-]+", word)
        }
        assert len(words) >= 7
        named |= {(path, word) for word in words}
    assert len(named) > 20
    assert {
        (name, word) for name, word in named if word not in CONDITIONS and not word.startswith("site-")
    } == set()


def test_every_option_is_explained() -> None:
    for ending in (".md", CHINESE):
        text = "\n".join(
            one.path.read_text("utf-8") for one in ALL if (CHINESE in one.path.name) == (ending == CHINESE)
        )
        missing = {name for options in early.groups().values() for name in options if name not in text}
        assert missing == set(), ending


PLACE = re.compile(r"(?:bkpaas|lab|selftests|script|inventory|docs|tests_[a-z]+|bench)/[\w./-]*")
"""A path of the repository, as a sentence names it between backquotes."""


def test_every_path_that_is_named_exists() -> None:
    """A path with a placeholder or a file that the reader makes is left out."""
    made = re.compile(r"[<>*]|[A-Z]{2,}\b(?!\.md)|hostname|tests_site")
    named = {
        (one.name, text.rstrip("/"))
        for one in ALL
        for text in one.inline
        if PLACE.fullmatch(text) and not made.search(text)
    }
    assert len(named) > 60
    assert {(name, path) for name, path in named if not (ROOT / path).exists()} == set()
