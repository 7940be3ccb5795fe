"""docs/safety.md says what the plan and the collector do today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bkpaas.facts import proxies
from bkpaas.inventory import platform
from bkpaas.language import Language
from docs import safety


@pytest.mark.parametrize("language", ["en", "zh"])
def test_lists_are_of_today(language: Language) -> None:
    assert safety.FILES[language].read_text("utf-8") == safety.written(language), (
        "script/docs writes it again"
    )


def test_lists_are_whole() -> None:
    commands, paths, requests = (safety.WRITTEN[name]("en") for name in ("commands", "paths", "requests"))
    assert commands[0].split() == ["supervisorctl", "-c", "CONF", "status"] and len(commands) == 4
    assert "| `/root/.bashrc` | read | every host |" in paths and len(paths) > 40
    assert "| `GET http://OWN:8003/healthz/` | paas |" in requests
    assert any(line == "| `TCP MYSQL:3306 login COM_QUERY COM_QUIT` | paas |" for line in requests)
    assert all("10." not in line for line in requests), "an address of the recorded hosts"


def test_free_space_is_listed_with_the_paths_of_data(monkeypatch: pytest.MonkeyPatch) -> None:
    table = "\n".join(safety.places("en"))
    assert "| `/` | every host |" in table and "| `/var/lib/mysql` | mysql |" in table
    monkeypatch.setattr(platform, "DATA_DIRECTORIES", {"mysql": ("/srv/mysql",)})
    assert safety.FILES["en"].read_text("utf-8") != safety.written("en")


def test_a_new_path_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxies, "_FILES", ("/etc/shadow",))
    assert safety.FILES["en"].read_text("utf-8") != safety.written("en")


def test_a_new_command_to_a_database_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert [line for line in safety.statements("en")[1:] if line[0] == "-"] == [
        "- `COM_QUERY`",
        "- `COM_QUIT`",
    ]
    source = (safety.ROOT / "bkpaas/collect/collector.py").read_text("utf-8")
    assert len(re.findall(r"packets\.send\(|self\.send\(", source)) == 7, (
        "every packet to a database is listed"
    )
    changed = source.replace('"COM_QUIT": b"\\x01"}', '"COM_QUIT": b"\\x01", "COM_PING": b"\\x0e"}')
    assert changed != source
    (tmp_path / "bkpaas/collect").mkdir(parents=True)
    (tmp_path / "bkpaas/collect/collector.py").write_text(changed, "utf-8")
    monkeypatch.setattr(safety, "ROOT", tmp_path)
    assert safety.FILES["en"].read_text("utf-8") != safety.written("en")


def test_every_statement_only_reads_and_is_bounded() -> None:
    texts = [line.strip(" -`") for line in safety.statements("en") if line.startswith("  - ")]
    assert len(texts) > 10
    for text in texts:
        assert text.startswith(("SELECT ", "SHOW ")) and ";" not in text and " INTO " not in text.upper()
        assert text.startswith("SHOW ") or " LIMIT " in text
