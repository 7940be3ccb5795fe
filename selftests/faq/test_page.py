"""The page is the catalogue, whole, in both languages, and its links lead somewhere."""

import re

import pytest

from bkpaas.faq import page
from bkpaas.faq.catalogue import CONDITIONS, SYMPTOMS
from bkpaas.lang import LANGUAGES

EACH = pytest.mark.parametrize("language", LANGUAGES)


@EACH
def test_the_page_in_docs_is_that_of_the_catalogue(language):
    written = (page.DOCS / page.FILES[language]).read_text(encoding="utf-8")
    assert written == page.page(language), "script/docs writes it again"


@EACH
def test_every_condition_and_section_is_there_once_under_its_own_name(language):
    text = page.page(language)
    anchors = re.findall(r"^### (\S+)$", text, re.M) + re.findall(r'^<a id="([^"]+)"></a>$', text, re.M)
    assert sorted(anchors) == sorted([*CONDITIONS, *(symptom.key for symptom in SYMPTOMS)])


@EACH
def test_every_link_leads_somewhere(language):
    text = page.page(language)
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= {*CONDITIONS, *(symptom.key for symptom in SYMPTOMS)}
    for path in re.findall(r"\]\(([^#)]+)\)", text):
        assert (page.DOCS / path).exists(), path


@EACH
def test_no_slot_is_left_open(language):
    assert not re.findall(r"{\w+}", page.page(language))


def test_both_pages_have_the_same_commands():
    commands = [
        [re.split("(?:    |^)#", line)[0] for block in blocks for line in block.splitlines()]
        for blocks in (re.findall(r"```bash\n(.*?)```", page.page(language), re.S) for language in LANGUAGES)
    ]
    assert len(commands[0]) > len(CONDITIONS)
    assert commands[0] == commands[1]
