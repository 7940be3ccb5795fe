"""The catalogue, the tests and the words are in step."""

import ast
import json
import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from bkpaas.catalogue.registry import CONDITIONS, SECTIONS, markers, section_of, with_causes
from bkpaas.catalogue.scope import OnController, PerHost, PerLink, PerPair, PerVirtualAddress
from bkpaas.catalogue.variables import render_usual
from bkpaas.inventory.deployment import Limits, Thresholds
from bkpaas.inventory.platform import LOGIN_CALLER_ROLES
from bkpaas.language import LANGUAGES

ROOT = Path(__file__).parents[2]
HEADLINE_LETTERS = 100
EACH_CASE = pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{known.id}-{case.name}")
        for known in CONDITIONS.values()
        for case in known.cases
    ],
)


def checked_ids():
    """The ids that the decorators in tests_* name, with the file that names them."""
    found = []
    for path in sorted(ROOT.glob("tests_[!s]*/test_*.py")):  # tests_site is not ours
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                found += [
                    (decorator.args[0].value, node)
                    for decorator in node.decorator_list
                    if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "condition"
                ]
    return found


def test_every_condition_has_exactly_one_test():
    checked = [id_ for id_, _ in checked_ids()]
    assert sorted(checked) == sorted(CONDITIONS)


def test_every_test_says_what_must_be_true():
    assert not [node.name for _, node in checked_ids() if not ast.get_docstring(node)]


@pytest.mark.parametrize("known", CONDITIONS.values(), ids=lambda known: known.id)
def test_texts_exist_in_both_languages(known):
    texts = (known.title, known.inputs, known.rule, known.impact)
    cases = (text for case in known.cases for text in (case.headline, case.remedy()))
    mechanisms = (entry.mechanism for entry in known.caused_by)
    for text in (*texts, *cases, *mechanisms, *filter(None, [known.not_applicable_reason])):
        assert text.en.strip() and text.zh.strip()
        assert not re.search(r"[\u4e00-\u9fff]", text.en)
        assert re.search(r"[\u4e00-\u9fff]", text.zh)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.key)
def test_everything_the_faq_says_is_answered_in_both_languages(section):
    """By a condition that checks it, or by a sentence that says why none does."""
    assert section.points or section.key == "foundations"  # which is no section of the FAQ
    for text in (section.title, section.introduction):
        assert_both_languages(text)
    for point in section.points:
        assert_both_languages(point.faq_text)
        assert point.conditions or point.answer
        assert set(point.conditions) <= set(CONDITIONS)
        if point.answer:
            assert_both_languages(point.answer)


def assert_both_languages(text):
    """Text of the software itself may appear in brackets in the other language."""
    assert text.en.strip() and not re.search(r"[\u4e00-\u9fff]", re.sub(r"\([^)]*\)", "", text.en))
    assert re.search(r"[\u4e00-\u9fff]", text.zh)


@pytest.mark.parametrize("known", CONDITIONS.values(), ids=lambda known: known.id)
def test_a_limit_has_its_name_and_default_in_both_languages(known):
    """`disk_free_percent` (1): an inventory may set it, and its usual value is what the code has."""
    usual = {**msgspec.structs.asdict(Limits()), **msgspec.structs.asdict(Thresholds())}
    sides = [
        {(name, float(number)) for name, number in re.findall(r"`(\w+)`[ （(,，]{1,2}(\d+)", text)}
        for text in (f"{known.inputs.en} {known.rule.en}", f"{known.inputs.zh} {known.rule.zh}")
    ]
    assert sides[0] == sides[1]
    assert sides[0] <= {(name, float(value)) for name, value in usual.items()}
    named = re.findall(
        r"`(\w+_(?:seconds|percent|minutes|days|length|bytes|megabytes|deaths))`",
        known.inputs.en + known.rule.en,
    )
    assert set(named) == {name for name, _ in sides[0]}


@EACH_CASE
def test_remedies_use_the_same_commands_in_both_languages(case):
    commands = [command_lines(text) for text in (case.remedy().en, case.remedy().zh)]
    assert commands[0] and commands[0] == commands[1]


def command_lines(remedy):
    """Without what is said behind them, or in the place of an edit."""
    return [re.split("(?:    |^[$] )#", line)[0] for line in remedy.splitlines() if line.startswith("$ ")]


@pytest.mark.parametrize("known", CONDITIONS.values(), ids=lambda known: known.id)
def test_a_headline_says_what_is_wrong_and_is_not_the_title(known):
    """In one sentence, short enough for a card, and with the values that every subject has."""
    for case in known.cases:
        for language in LANGUAGES:
            headline = case.headline.in_(language)
            assert headline.strip(" .。") != known.title.in_(language).strip(" .。")
            assert len(headline) <= HEADLINE_LETTERS and headline[-1] not in ".。"
            used = set(re.findall(r"{(\w+)}", headline))
            assert used <= {"domain", *case.parameters, *set.intersection(*map(values_of, known.scopes))}


def values_of(scope):
    """The variables that have a value for each subject of a scope."""
    return {
        PerHost: {"host", "address"},
        PerPair: {"first", "second", "host"},
        PerLink: {"source", "target", "host"},
        PerVirtualAddress: set(),
        OnController: set(),
    }[type(scope)]


@EACH_CASE
def test_no_command_of_a_remedy_is_one_to_regret(case):
    """A step that cannot be undone is prose with a warning, never a command to paste."""
    for command in command_lines(case.remedy().en):
        assert not re.search(r"kill -9|\brm\b|-delete|mkfs|drop |reset_all|/tmp/", command, re.I)
        # {service}, {urls} and {pids} may have several values, so no path ends with them
        assert not re.search(r"/{service}|{service}_|{service}/", command)


@EACH_CASE
def test_a_shell_understands_every_command_of_a_remedy(case):
    """Its quotes and brackets close, and what is sent as JSON is JSON."""
    for part in case.parts:
        commands = [render_usual(command.line("en"))[2:] for command in part.commands]
        if "Python's own prompt" in part.text.en:
            assert ast.parse("\n".join(commands))
            continue
        for command in commands:
            done = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            for body in re.findall(r" -d '(.*)'", command):
                assert json.loads(body)


def test_ids_and_keys_are_ascii_words():
    for id_ in (*CONDITIONS, *(section.key for section in SECTIONS)):
        assert re.fullmatch(r"[a-z0-9-]+", id_)


def test_every_condition_belongs_to_a_section_and_every_section_lists_known_ones():
    for known in CONDITIONS.values():
        assert known.id in section_of(known.id).conditions
    for section in SECTIONS:
        assert set(section.conditions) <= set(CONDITIONS)


def test_causes_are_known_and_run_in_no_circle():
    """No kind of evidence of a condition is caused by itself, through whatever others."""

    def kinds(id_, cases=()):
        return {
            kind
            for case in CONDITIONS[id_].cases
            if not cases or case.name in cases
            for kind in case.evidence
        }

    def visit(id_, present, way, generations):
        for cause in CONDITIONS[id_].causes:
            within = generations & set(cause.generations) if cause.generations else generations
            if not within:
                continue
            here = present & set(cause.produces) if cause.produces else present
            if (
                cause.condition == id_ or not here
            ):  # the same condition, seen from a host and from the controller
                continue
            before = [*way, (id_, here)]
            there = kinds(cause.condition, cause.cases) or {"no-data"}
            again = [kinds for name, kinds in before if name == cause.condition and kinds & there]
            assert not again, f"circle: {[name for name, _ in before]} -> {cause.condition} {again}"
            visit(cause.condition, there, before, within)

    for id_ in CONDITIONS:
        visit(id_, kinds(id_) | {"no-data"}, [], {"5.x", "6.x"})


def test_hosts_that_ask_login_are_those_of_the_platform():
    assert CONDITIONS["domain-certificate-trusted"].scopes == (PerHost(LOGIN_CALLER_ROLES),)


def test_a_sections_marker_selects_its_conditions_and_all_that_can_cause_them():
    assert "fatal_exited_too_quickly" in markers("supervisor-sock")
    assert "fatal_exited_too_quickly" in markers("disk-space")
    assert "login_502" in markers("supervisor-status")
    assert "platform_healthy" in markers("agent-process")
    assert "appt_502" not in markers("paas-clock-skew")
    assert with_causes("supervisor-sock") >= {"supervisor-sock", "supervisor-proc", "host-reachable"}
