"""Variables that a rendered remedy still names are found; selftests/judges and the replay look for them."""

from __future__ import annotations

import re

import pytest

from bkpaas.catalogue.registry import CONDITIONS
from selftests.snapshots.placeholders import unfilled


@pytest.mark.parametrize(
    ("remedy", "left"),
    [
        ("Restart SERVICE:\n$ supervisorctl restart SERVICE", ["SERVICE"]),
        ("$ kill PIDS    # the PIDS above", ["PIDS"]),
        ("$ curl {url}/", ["{url}"]),
        ("$ curl -d '{\"index.blocks.write\": null}' http://x/SERVICE_uwsgi.log", ["SERVICE"]),
        ('$ printf \'DATABASES["default"]["HOST"] = "db"\' >> f', []),
        ("The SERVICE is down.\n$ awk '{print $1}' f; kill $PIDS", []),
    ],
)
def test_unfilled_variables_are_found(remedy: str, left: list[str]) -> None:
    assert unfilled(remedy) == left


WORDS = re.compile(
    r"(?<![\w.$])(USER|HOST|INTERFACE|PREFIX|NUMBER|TYPE|PASSWORD|NEW_PASSWORD|FILE|PATH|INDEX|KEY|NAME|ADDRESS"
    r"|NTP_SERVER|SERVICE|PIDS|URL)(?![\w=])"
)
"""Words that a person replaces before a command can run."""


@pytest.mark.parametrize("id_", CONDITIONS)
def test_only_a_remedy_by_hand_has_words_to_replace(id_: str) -> None:
    left = {
        (case.name, command.run)
        for case in CONDITIONS[id_].cases
        if not case.by_hand
        for part in case.parts
        for command in part.commands
        if WORDS.search(command.run)
    }
    assert not left
