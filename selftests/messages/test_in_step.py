"""The messages of the code and the Chinese catalogue are in step, and what would part them is found."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bkpaas.messages import series
from selftests.messages import catalogue
from selftests.messages.source import (
    ROOT,
    Entry,
    Scan,
    cut_word,
    scan,
    scan_template,
    scan_text,
    source_files,
)

IMPORT = "from bkpaas.messages import joined, msg, plural; from bkpaas.checks import case\n"


def test_code_and_catalogue_are_in_step() -> None:
    found = scan(source_files())
    assert [*found.problems, *catalogue.check(found.entries)] == [], "run script/messages update"
    assert found.entries


def test_the_compiled_catalogue_is_read() -> None:
    assert series(["a", "b"]).render("zh") == "a、b"


def test_the_compiled_catalogue_is_part_of_the_package(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "bkpaas", tmp_path / "bkpaas")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "."]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        packed = content.read("bkpaas/locale/zh_CN/LC_MESSAGES/bkpaas.mo")
    assert packed == catalogue.MO.read_bytes()


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ('msg(f"{1}")', "literal"),
        ('msg("a" + name)', "literal"),
        ("msg(template)", "literal"),
        ('msg("a %s" % name)', "literal"),
        ('msg("")', "literal"),
        ('msg("a", context=name)', "literal"),
        ("msg()", "first 1 arguments"),
        ('case("gone", f"{1}")', "literal"),
        ('case("gone", "a" + name)', "literal"),
        ('case("gone")', "first 2 arguments"),
        ('case("gone", "{a}")', "placeholder a has no parameter"),
        ('plural("one", count=1)', "first 2 arguments"),
        ('msg("{a}")', "placeholder a has no parameter"),
        ('msg("a", b=1)', "parameter b has no placeholder"),
        ('plural("{count} {a}", "{count}s", count=1)', "placeholder a has no parameter"),
        ('msg("{a}", **values)', "instead of **"),
        ('msg("{a.b}", a=1)', "not a placeholder"),
        ('msg("{}", a=1)', "not a placeholder"),
        ('msg("{a", a=1)', "expected '}'"),
        ('msg("run sup" "ervisorctl")', "cuts 'supervisorctl'"),
    ],
)
def test_a_call_that_a_catalogue_cannot_hold_is_found(call: str, problem: str) -> None:
    found = Scan()
    scan_text(f"{IMPORT}{call}\n", "a.py", found)
    (only,) = found.problems
    assert only.startswith("a.py:2: ") and problem in only
    assert not found.entries


def test_messages_of_a_template_are_found() -> None:
    found = Scan()
    text = '<p>{{ msg("{n} of all", n=items | length) if n else msg("none", context="list") }}</p>\n{{ other("x") }}\n'
    scan_template(text, "a.html.j2", found)
    assert found.problems == []
    assert list(found.entries) == [(None, "{n} of all"), ("list", "none")]


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("msg(name)", "literal"),
        ('msg("a %s" % name)', "literal"),
        ('msg("{a}", b=1)', "placeholder a has no parameter"),
        ('msg("{a}", **values)', "instead of **"),
    ],
)
def test_a_call_of_a_template_that_a_catalogue_cannot_hold_is_found(call: str, problem: str) -> None:
    found = Scan()
    scan_template(f"\n{{{{ {call} }}}}", "a.html.j2", found)
    assert found.problems and found.problems[0].startswith("a.html.j2:2: ") and problem in found.problems[0]
    assert not found.entries


def test_a_maker_under_another_name_is_found() -> None:
    found = Scan()
    scan_text('from bkpaas.messages import msg as _\n_("a")\n', "a.py", found)
    assert found.problems == ["a.py:1: msg is imported under another name"]


def test_one_english_with_two_plurals_needs_a_context() -> None:
    found = Scan()
    scan_text(f'{IMPORT}plural("host", "hosts", count=1)\nmsg("host")\n', "a.py", found)
    assert found.problems == ["a.py:3: another plural than in a.py; give it a context"]


def test_messages_are_found_with_context_plural_and_separator() -> None:
    found = Scan()
    scan_text(
        f'{IMPORT}msg("a " "b", context="c")\nplural("{{count}} x", "{{count}} xs", count=n)\n'
        'joined("; ", items)\njoined("\\n", items)\nother.msg(f"x")\nmessages.msg("d")\n'
        'case("gone", "{p} is gone", p=p)\ncase("gone", lines(texts), services=names)\n',
        "a.py",
        found,
    )
    assert found.problems == []
    assert [(entry.context, entry.template, entry.plural) for entry in found.entries.values()] == [
        ("c", "a b", None),
        (None, "{count} x", "{count} xs"),
        (None, "; ", None),
        (None, "d", None),
        (None, "{p} is gone", None),
    ]


@pytest.mark.parametrize(
    ("source", "cut"), [('"a b" "c"', "bc"), ('"a "\n"b"', None), ('"a" " b"', None), ('("x/"\n"y")', "x/y")]
)
def test_a_word_cut_by_a_line_break(source: str, cut: str | None) -> None:
    assert cut_word(source) == cut


ENTRIES = [
    Entry("{path} is gone", files=["a.py"]),
    Entry("{count} host", plural="{count} hosts", files=["b.py"]),
]
CHINESE = {(None, "{path} is gone"): "{path} 不存在", (None, "{count} host"): "{count} 台主机"}


def write(po: Path, text: str) -> list[str]:
    """Write a catalogue, compile what it says, and return what the check finds."""
    po.write_text(text, "utf-8")
    po.with_suffix(".mo").write_bytes(catalogue.mo_bytes(ENTRIES, catalogue.read(po)))
    return list(catalogue.check({entry.key: entry for entry in ENTRIES}, po))


def test_a_catalogue_in_step_has_no_problem(tmp_path: Path) -> None:
    assert write(tmp_path / "x.po", catalogue.po_text(ENTRIES, CHINESE)) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"{path} 不存在"', '""', "not translated: '{path} is gone'"),
        ("{path} 不", "{file} 不", "only the Chinese has {file}"),
        ("{path} 不", "不", "only the English has {path}"),
        ("{path} 不", "{path!r} 不", "only the Chinese has {path!r}"),
        ("{count} 台", "{count:d} 台", "only the Chinese has {count:d}"),
        ("{path} 不", "{path 不", "expected '}'"),
        ("#: a.py\n", "#: a.py\n#, fuzzy\n", "fuzzy or obsolete: '{path} is gone'"),
        ("#: a.py\n", '#~ msgid "old"\n#~ msgstr "旧"\n\n#: a.py\n', "fuzzy or obsolete: 'old'"),
        ("#: a.py\n", 'msgid "old"\nmsgstr "旧"\n\n#: a.py\n', "not in the code: 'old'"),
        ('msgid "{path} is gone"', 'msgid "{path} is gone."', "not in x.po: '{path} is gone'"),
        ("#: a.py\n", "#: c.py\n", "x.po is not as script/messages update writes it"),
        ('"{path} 不存在"', '"{path} "\n"不存在"', "x.po is not as script/messages update writes it"),
    ],
)
def test_a_catalogue_out_of_step_is_found(tmp_path: Path, old: str, new: str, problem: str) -> None:
    text = catalogue.po_text(ENTRIES, CHINESE)
    assert text.count(old) == 1
    assert any(problem in each for each in write(tmp_path / "x.po", text.replace(old, new)))


def test_a_compiled_catalogue_out_of_step_is_found(tmp_path: Path) -> None:
    po = tmp_path / "x.po"
    write(po, catalogue.po_text(ENTRIES, CHINESE))
    po.with_suffix(".mo").write_bytes(catalogue.mo_bytes(ENTRIES, {}))
    assert list(catalogue.check({entry.key: entry for entry in ENTRIES}, po)) == [
        "x.mo is not compiled from x.po"
    ]


def test_equal_texts_make_equal_files() -> None:
    assert catalogue.mo_bytes(ENTRIES, CHINESE) == catalogue.mo_bytes(list(ENTRIES), dict(CHINESE))
    text = catalogue.po_text(ENTRIES, CHINESE)
    assert "Date" not in text and "Babel" not in text
