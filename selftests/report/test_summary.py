"""The summary for a ticket: hostile text cannot become anything but text."""

from __future__ import annotations

import re

from bkpaas.record import Results
from bkpaas.report.summary import block, code, escaped, markdown, plain, written

from .hostile import hostile
from .sample import SCENARIOS, among_others, healthy, three_faults


def outside_of_code(text: str) -> str:
    """Return the text in which Markdown finds markup: without fenced blocks, code spans and escapes."""
    text = re.sub(r"^(`{3,})[^\n]*\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", text)
    return re.sub(r"\\[^\w\s]", "", text)


def test_hostile_text_stays_text() -> None:
    markdown_text = markdown(hostile())
    left = outside_of_code(markdown_text)
    assert "<" not in left and "`" not in left and "://" not in left
    assert not set(markdown_text) & set("\x00\x1b\u2028\u202e")
    assert len(markdown_text) < 60_000


def test_fences_hold() -> None:
    for text in ("```\n# out\n````", "`", "``x``", "a`b"):
        first, *_, last = block(text).split("\n")
        assert first.removesuffix("text") == last and last not in text.split("\n")
    assert code("`a`") == "`` `a` ``" and code("a``b") == "```a``b```"


def test_escapes() -> None:
    assert escaped("BK_TOKEN *x* [a](http://b) <i> @all #12\nnext") == (
        r"BK\_TOKEN \*x\* \[a\](http\://b) \<i\> \@all \#12 next"
    )
    assert escaped("1. one") == r"1\. one" and escaped("- x") == r"\- x" and escaped("2.7 s") == "2.7 s"


def test_commands_are_unchanged_in_blocks() -> None:
    markdown_text = markdown(three_faults())
    assert "```sh\nkill 26444\npgrep -af /data/bkce/etc/uwsgi-open_paas\n" in markdown_text
    assert "\n$ kill" not in markdown_text


def test_what_is_waived_is_named_with_who_accepted_it() -> None:
    results = healthy()
    one = next(verdict for verdict in results.verdicts if verdict.verdict == "pass")
    one.verdict, one.evidence = "waived", "3 % free\nof 200 GiB"
    one.reason = "the new disk is ordered (ops@example.com, until 2030-01-31): 3 % free\nof 200 GiB"
    line = f"- `{one.id}`: `the new disk is ordered (ops@example.com, until 2030-01-31): 3 % free`"
    assert line in markdown(results).splitlines()


def test_every_cause_and_count_is_listed() -> None:
    for scenario in SCENARIOS.values():
        results: Results = scenario()
        markdown_text = markdown(results)
        for word, number in results.counts.items():
            assert (f"| {number} |" in markdown_text) or not number, word
    assert all(f"`{id_}`" in markdown(three_faults()) for id_ in three_faults().root_causes)


def test_a_mail_is_plain_and_names_before_and_after() -> None:
    text = plain(among_others())
    assert text.splitlines()[0] == "inventory/bklab, 2026-03-07 03:15 UTC+08:00"
    assert "1  fail  supervisor.sock of paas-1 is gone" in text
    assert (
        "paas-1 version open_paas: 2.14.56 -> 2.14.61" in text
        and "supervisor-sock@paas-1: pass -> fail" in text
    )
    commands = (
        "kill 26444",
        "/data/bkce/.envs/open_paas/bin/supervisord -c /data/bkce/etc/supervisor-open_paas.conf",
    )
    assert all(f"    {command}\n" in text for command in commands)
    assert not re.search(r"[\\`*#]", text) and "..." not in text
    assert written(among_others(), "mail.txt") == text and written(among_others(), "-") == markdown(
        among_others()
    )
