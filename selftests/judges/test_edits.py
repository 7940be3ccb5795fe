"""Commands of remedies that edit files, carried out on a copy."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bkpaas.checks import Edit, SettingReading, add_setting, copy_setting, edit_of, replace_first
from bkpaas.checks.edits import insert_after
from bkpaas.checks.nginx_edits import move_server, put_up
from bkpaas.facts import NginxUpstream, NginxUpstreamServer

SITE = """upstream OPEN_PAAS_LOGIN {
    server 10.0.0.9:8003 max_fails=1;
    server 10.0.0.2:8003 max_fails=1 down;
}
upstream OTHER {
    server 10.0.0.9:8003 max_fails=1;
}
"""


def run(*edits: Edit | None) -> None:
    subprocess.run(["sh", "-c", str(edit_of(edits, "paas-1"))], check=True)


def reading(file: Path, name: str, text: str, line: int = 1, host: str = "paas-1") -> SettingReading:
    return SettingReading(host, "login", name, frozenset((text,)), text, f"{file}:{line}")


def test_a_setting_is_set_in_the_last_line(tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text("A = 'x'")  # no end of the line
    port = reading(file, "DATABASES.default.PORT", "1")
    run(add_setting(reading(file, "A", '"x"'), '"it\'s"'), add_setting(port, '"3306"'))
    lines = [line for line in file.read_text().splitlines() if line]
    assert lines == ["A = 'x'", 'A = "it\'s"', 'DATABASES["default"]["PORT"] = "3306"']
    assert (tmp_path / "settings.py.bak").read_text() == "A = 'x'", "the file as it was before the first edit"


def test_a_secret_is_copied_on_its_host_and_never_shown(tmp_path: Path) -> None:
    wrong, right = tmp_path / "wrong.py", tmp_path / "right.py"
    wrong.write_text("TOKEN = 'a'\n")
    right.write_text("B = 1\nTOKEN = 'hunter2'\n")
    command = copy_setting(reading(wrong, "TOKEN", "***"), reading(right, "TOKEN", "***", 2))
    assert command is not None and "hunter2" not in str(edit_of([command], "paas-1"))
    run(command)
    assert wrong.read_text().splitlines()[-1] == "TOKEN = 'hunter2'"
    assert copy_setting(reading(wrong, "TOKEN", "***"), reading(right, "TOKEN", "***", 2, "paas-2")) is None


def test_what_is_no_literal_is_edited_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    assert copy_setting(reading(file, "A", "1"), reading(file, "A", "B + 1")) is None
    known = Edit("a b", "true")
    for edits in ([], [None, known]):
        assert str(edit_of(edits, "paas-1")).startswith("# edit")
    assert edit_of([known, known], "paas-1") == "cp -p 'a b' 'a b'.bak && true"


def test_added_lines_do_not_move_the_place_of_other_edits(tmp_path: Path) -> None:
    file = tmp_path / "site.conf"
    file.write_text(SITE)
    run(insert_after(str(file), 1, "    # first"), insert_after(str(file), 5, "    # second"))
    lines = file.read_text().splitlines()
    assert lines[1] == "    # first" and lines[lines.index("upstream OTHER {") + 1] == "    # second"


def test_only_the_first_match_from_the_line_on_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "site.conf"
    file.write_text(SITE)
    old, down = NginxUpstreamServer("10.0.0.9", 8003), NginxUpstreamServer("10.0.0.2", 8003, ("down",))
    upstream = NginxUpstream("OPEN_PAAS_LOGIN", (old, down), str(file), 1)
    run(move_server(upstream, old, "10.0.0.1:8003"), put_up(upstream, down))
    assert Path(f"{file}.bak").read_text() == SITE
    assert file.read_text() == SITE.replace("10.0.0.9", "10.0.0.1", 1).replace(" down", "")
    run(replace_first(str(file), 5, "OTHER", "THIRD"))
    assert "upstream THIRD {" in file.read_text()
    assert move_server(upstream, old, None) is None, "the inventory may lack the host"
