"""--help and --markers use the chosen language; no text for a person is in one language only."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bkpaas.catalogue.registry import SECTIONS
from selftests.messages.source import MAKERS

ROOT = Path(__file__).resolve().parents[2]


def printed(*words):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("words", [("--lang", "en"), ("--lang=zh",)])
def test_markers_lists_every_symptom_with_what_an_operator_sees(words):
    out = printed(*words, "--markers")
    language = "zh" if "--lang=zh" in words else "en"
    for symptom in SECTIONS:
        line = next(line for line in out.splitlines() if line.startswith(f"@pytest.mark.{symptom.marker}: "))
        assert symptom.title.in_(language) in line and symptom.introduction.in_(language) in line
    assert "@pytest.mark.site: " in out


def test_help_groups_the_options_in_both_languages():
    english, chinese = printed("--lang", "en", "--help"), printed("--lang=zh", "--help")
    assert english.count("\nBlueKing PaaS: ") == chinese.count("\n蓝鲸 PaaS：") > 2
    assert (
        "not used here: connections are set in deployment.yaml" in english
        and "连接方式由 deployment.yaml 决定" in chinese
    )
    groups = re.split(r"\n(?=\S)", chinese)
    options = [
        option
        for group in groups
        if group.startswith("蓝鲸")
        for option in re.split(r"\n  (?=--)", group)[1:]
    ]
    assert len(options) > 10
    for option in options:
        assert re.search(r"[\u4e00-\u9fff]", option), option


FOR_MACHINES = ("collector.py", "prometheus.py", "schema.py", "__init__.py")
"""Raw answers; metrics and a schema, whose texts must not change with the reader."""
FOR_PROGRAMMERS = ("compile", "warn_former_name")
"""Functions whose texts are patterns, or deprecations for authors of tests."""
QUOTED = re.compile(
    r"No route( to host)?|timed out|without response|Connect call failed|Connection (refused|closed|reset)|banner|"
    r"Permission denied|Host key verification failed|Too many authentication failures|Bad .*|not accessible|"
    r"-ERR .*|Could not resolve|during banner exchange|clock (begin|end)|too much|host key|not registered|"
    r"shutting down|no app loaded|nginx: worker process|No such file or directory|Exec format error|Read timed out|"
    r"worker_connections are not enough|\(\d+: .*\)|proxy_pass_request_headers off|"
    r"without any password configured|no password is set|max number of clients reached|verify from iam server fail|"
    r"(default-src|import |; do (command|d=`command) -v|exec env|\" or os|\",\"exec|<).*",
    re.S,
)
"""Texts of other programs, and texts for programs."""


def literals(path):
    """(line, text) of every string of several words that is in no call with an en and a zh, nor a docstring."""
    tree = ast.parse(path.read_text("utf-8"))
    passed = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            named = {keyword.arg for keyword in node.keywords}
            pair = any(
                has_chinese(word) for word in node.args if isinstance(word, ast.Constant | ast.JoinedStr)
            )
            if pair or named >= {"en", "zh"} or name in (*FOR_PROGRAMMERS, *MAKERS):
                passed.update(map(id, ast.walk(node)))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(id(node.value))
        elif isinstance(node, ast.Tuple) and has_chinese(node):
            passed.update(map(id, ast.walk(node)))  # a pair of texts
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("en", "zh"):
            passed.update(map(id, ast.walk(node)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            yield node.lineno, node.value


def has_chinese(node):
    return any(
        isinstance(part, ast.Constant)
        and isinstance(part.value, str)
        and re.search(r"[\u4e00-\u9fff]", part.value)
        for part in ast.walk(node)
    )


def test_no_text_for_a_person_is_in_one_language_only():
    rooms = (
        "bkpaas/checks",
        "bkpaas/plugin",
        "bkpaas/report",
        "bkpaas/inventory",
        "bkpaas/collect",
        "tests_paas",
        "tests_appengine",
        "tests_logging",
    )
    files = [
        file
        for room in rooms
        for file in sorted((ROOT / room).rglob("*.py"))
        if file.name not in FOR_MACHINES
    ]
    found = [
        f"{file.relative_to(ROOT)}:{line}: {text}"
        for file in files
        for line, text in literals(file)
        if re.search(r"[A-Za-z]{2,} [a-z]{2,} ?", text) and not QUOTED.fullmatch(text)
    ]
    assert not found, "\n".join(found)
