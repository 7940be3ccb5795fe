"""Variables that a rendered remedy still names are found; selftests/judges and the replay look for them."""

from __future__ import annotations

import pytest

from selftests.snapshots.placeholders import unfilled


@pytest.mark.parametrize(
    ("remedy", "left"),
    [
        ("Restart SERVICE:\n$ supervisorctl restart SERVICE", ["SERVICE"]),
        ("$ kill PIDS    # the PIDS above", ["PIDS"]),
        ("$ curl {url}/", ["{url}"]),
        ("$ curl -d '{\"index.blocks.write\": null}' http://x/SERVICE_uwsgi.log", ["SERVICE"]),
        ("The SERVICE is down.\n$ awk '{print $1}' f; kill $PIDS", []),
    ],
)
def test_unfilled_variables_are_found(remedy: str, left: list[str]) -> None:
    assert unfilled(remedy) == left
