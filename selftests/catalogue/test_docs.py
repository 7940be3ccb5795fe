"""The page is the catalogue, whole, in both languages, and its links lead somewhere."""

import re
from typing import get_args

import pytest

from bkpaas.catalogue import docs
from bkpaas.catalogue.model import Relation
from bkpaas.catalogue.registry import CONDITIONS, SECTIONS
from bkpaas.language import LANGUAGES

EACH = pytest.mark.parametrize("language", LANGUAGES)


@EACH
def test_the_page_in_docs_is_that_of_the_catalogue(language):
    written = (docs.DOCS / docs.FILES[language]).read_text(encoding="utf-8")
    assert written == docs.page(language), "script/docs writes it again"


@EACH
def test_every_condition_and_section_is_there_once_under_its_own_name(language):
    text = docs.page(language)
    anchors = re.findall(r"^### (\S+)$", text, re.M) + re.findall(r'^<a id="([^"]+)"></a>$', text, re.M)
    assert sorted(anchors) == sorted([*CONDITIONS, *(section.key for section in SECTIONS)])


@EACH
def test_every_link_leads_somewhere(language):
    text = docs.page(language)
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= {*CONDITIONS, *(section.key for section in SECTIONS)}
    for path in re.findall(r"\]\(([^#)]+)\)", text):
        assert (docs.DOCS / path).exists(), path


@EACH
def test_no_variable_is_left_open(language):
    assert not re.findall(r"{\w+}", docs.page(language))


def test_both_pages_have_the_same_commands():
    commands = [
        [re.split("(?:    |^)#", line)[0] for block in blocks for line in block.splitlines()]
        for blocks in (re.findall(r"```bash\n(.*?)```", docs.page(language), re.S) for language in LANGUAGES)
    ]
    assert len(commands[0]) > len(CONDITIONS)
    assert commands[0] == commands[1]


@EACH
def test_every_edge_is_among_the_causes_of_the_page(language):
    """Every relation has a name in the page: an edge without one would be missing."""
    assert set(docs.RELATIONS) == set(get_args(Relation))
    blocks = re.split(r"^### (\S+)$", docs.page(language), flags=re.M)
    for id_, block in zip(blocks[1::2], blocks[2::2], strict=True):
        head = {"en": "**Can be caused by**", "zh": "**可能原因**"}[language]
        listed = block.partition(head)[2].split("\n- ")[0]
        named = set(re.findall(r"\]\(#([^)]+)\)", listed))
        assert named == {cause.condition for cause in CONDITIONS[id_].causes}
    caused = CONDITIONS["nginx-error-log"].causes
    assert ("domain-502", "seen-by-all") in [(cause.condition, cause.relation) for cause in caused]
    text = docs.causes(CONDITIONS["nginx-error-log"], language)
    assert {"en": "as the controller sees it", "zh": "从运行套件的机器看到的"}[language] in text
