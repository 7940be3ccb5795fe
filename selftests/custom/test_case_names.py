"""The case that a check names selects headline and remedy, and its parameters are values of both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from custom.site import Site, changed

CONDITION = """
scope = {per = "host"}
severity = "fail"
title.en = "The time zone is as planned"
title.zh = "时区符合计划"
inputs.en = "The time zone."
inputs.zh = "时区。"
rule.en = "It is another one."
rule.zh = "时区不同。"
impact.en = "Times cannot be compared."
impact.zh = "时间无法比较。"

[case.unnamed]
headline.en = "The zone of {host} is wrong"
headline.zh = "{host} 的时区有误"

[case.other-zone]
headline.en = "{host} has the zone {zone}"
headline.zh = "{host} 的时区是 {zone}"
parameters = ["zone"]

[[case.other-zone.remedy]]
en = "Replace {zone}."
zh = "替换 {zone}。"
commands = ["timedatectl set-timezone Asia/Shanghai    # {host}"]

[[remedy]]
en = "Set the zone."
zh = "设置时区。"
commands = ["timedatectl"]
"""
CHECK = '''
from bkpaas.checks import case, condition


@condition("site-zone")
def test_zone(host, finding):
    """The time zone is as planned."""
    system = host.system
    assert system.zone != "UTC", case("other-zone", "zone {zone}, {seconds} s", zone=system.zone, seconds=0)
    assert system.zone != "EST"
    assert system.zone != "PST", case("misspelt", "zone {zone}", zone=system.zone)
'''


def test_a_case_selects_headline_and_remedy(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.put("tests_site/site-zone.toml", CONDITION)
    site.put("tests_site/test_zone.py", CHECK)

    def change(snapshot: dict[str, Any]) -> None:
        for host, zone in (("job-1", "UTC"), ("es-1", "EST"), ("data-1", "PST")):
            snapshot["hosts"][host]["system"]["zone"] = zone

    snapshot = changed(tmp_path / "changed.json", change)
    done = site.run(snapshot, "tests_site")
    named, unnamed, misspelt = (done.verdicts[f"site-zone@{host}"] for host in ("job-1", "es-1", "data-1"))
    assert named["case"] == "other-zone" and named["evidence"] == "zone UTC, 0 s"
    assert named["remedy"] == "Replace UTC.\n$ timedatectl set-timezone Asia/Shanghai    # job-1"
    assert [one["case"] for one in (unnamed, misspelt)] == ["unnamed", "unnamed"]
    assert {one["remedy"] for one in (unnamed, misspelt)} == {"Set the zone.\n$ timedatectl"}
    assert misspelt["evidence"] == "zone PST" and done.verdicts["site-zone@paas-1"]["case"] is None
    headlines = {
        cause["ids"][0]: (cause["headline"], cause["translated"]) for cause in done.results["causes"]
    }
    assert headlines["site-zone@job-1"] == ("job-1 has the zone UTC", "job-1 的时区是 UTC")
    assert headlines["site-zone@es-1"] == ("The zone of es-1 is wrong", "es-1 的时区有误")
