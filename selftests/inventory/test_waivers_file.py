"""--waivers FILE: the list of deployment.yaml in a file of its own, refused with file, line and near matches."""

from __future__ import annotations

from pathlib import Path

import pytest

from bkpaas.errors import InventoryError
from bkpaas.inventory import Connection, Host, Waiver, load_waivers

HOSTS = tuple(
    Host(name, f"10.0.1.{number}", ("paas",), Connection("ssh://x"))
    for number, name in enumerate(("paas-1", "paas-2"), 1)
)
CONDITIONS = {"disk-space", "paas-clock-skew", "paas-clock-drift"}
GOOD = "reason: r, owner: o, expires: 2030-01-31"


def read(tmp_path: Path, text: str) -> tuple[Waiver, ...]:
    file = tmp_path / "waivers.yaml"
    file.write_text(text, "utf-8")
    return load_waivers(file, HOSTS, CONDITIONS)


def test_read(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        f"waivers:\n- {{condition: disk-space, hosts: [10.0.1.2, controller], {GOOD}, evidence: /data}}\n"
        f"- {{condition: paas-clock-skew, {GOOD}}}\n",
    )
    assert found == (
        Waiver("disk-space", ("paas-2", "controller"), "r", "o", "2030-01-31", "/data"),
        Waiver("paas-clock-skew", (), "r", "o", "2030-01-31", None),
    )


REFUSED = {
    "condition": (
        f"waivers:\n- {{condition: paas-clok-skew, {GOOD}}}\n",
        ":2:",
        "paas-clok-skew",
        "paas-clock-skew",
    ),
    "condition-far": (f"waivers:\n- {{condition: xyz, {GOOD}}}\n", ":2:", "xyz", "before the @"),
    "host": (
        f"waivers:\n- {{condition: disk-space, hosts: [paas-11], {GOOD}}}\n",
        ":2:",
        "paas-11",
        "paas-1",
    ),
    "no-expiry": (
        "waivers:\n- {condition: disk-space, reason: r, owner: o}\n",
        ":2:",
        "has no expires:",
        "add expires:",
    ),
    "no-list": ("- condition: disk-space\n", ":1:", "is not a mapping", "key: value"),
    "nothing": ("other: 1\n", ":1:", "has no waivers:", "add waivers:"),
    "unknown": (
        f"waivers:\n- {{condition: disk-space, host: paas-1, {GOOD}}}\n",
        ":2:",
        "'host' is unknown",
        "hosts:",
    ),
    "empty": ("", ": ", "is empty", ""),
    "yaml": ("waivers: [\n", ":2:", "is not YAML", ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path: Path, name: str) -> None:
    text, line, reason, fix = REFUSED[name]
    with pytest.raises(InventoryError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert f"waivers.yaml{line}" in message and reason in message and fix in message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="cannot be read"):
        load_waivers(tmp_path / "nowhere.yaml", HOSTS, CONDITIONS)
