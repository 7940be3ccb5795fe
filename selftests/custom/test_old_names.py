"""A site's test with the names of 0.1 works as before, and a warning gives the new names."""

from __future__ import annotations

from pathlib import Path

import pytest

import bkpaas.suite
from bkpaas import checks
from bkpaas.checks import Finding
from custom.site import HEALTHY, Site, changed

OLD = """
from bkpaas.errors import NoData
from bkpaas.suite import Each, Text, condition, same_host


@condition("site-old", scope=Each(("paas",)), remedy=Text(en="Do {it}.", zh="请{it}。"), causes=same_host("disk-space"))
def test_old(host, deployment, finding):
    '''The zone is that of China.'''
    finding.saw(f"zone {host.system.zone}")
    finding.fill(it="this")
    finding.concerns(["login"])
    finding.needs(one.name for one in deployment.having("mysql") if one.has("mysql") and one.judged)
    assert len(deployment.judged("paas")) == 2 and finding.seen and finding.slots and not finding.missed
    assert deployment.home == deployment.install_root
    assert host.system.zone == "CST", f"the zone is {host.system.zone}"
"""
TOLD = (
    "bkpaas.suite is now bkpaas.checks: import condition from there",
    "bkpaas.suite is now bkpaas.checks: import PerHost from there, in place of Each",
    "finding.saw is now finding.add_evidence",
    "finding.fill is now finding.set_remedy_values",
    "finding.concerns is now finding.affects_services",
    "finding.needs is now finding.depends_on_hosts",
    "finding.seen is now finding.evidence",
    "finding.slots is now finding.remedy_values",
    "finding.missed is now finding.unreachable_hosts",
    "deployment.home is now deployment.install_root",
    "deployment.having is now deployment.hosts_with",
    "deployment.judged is now deployment.selected",
    "host.has is now host.has_role",
    "host.judged is now host.selected",
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


@pytest.mark.parametrize("words", [(), ("-n", "2", "--dist", "load")], ids=["alone", "workers"])
def test_an_old_test_works_and_names_what_is_new(site: Site, tmp_path: Path, words: tuple[str, ...]) -> None:
    site.put("tests_site/test_old.py", OLD)

    def spoil(snapshot: dict[str, object]) -> None:
        snapshot["hosts"]["paas-2"]["system"]["zone"] = "UTC"  # type: ignore[index]

    done = site.run(changed(tmp_path / "spoilt.json", spoil), "tests_site", *words)
    assert done.of("site-old") == {"paas-1": "pass", "paas-2": "fail"}, done.out
    assert done.verdicts["site-old@paas-1"]["evidence"] == "zone CST"
    assert done.verdicts["site-old@paas-2"]["remedy"] == "Do this."
    for text in TOLD:
        assert done.out.count(f"{text}\n") == 1, done.out
    assert "tests_site/test_old.py:3" in done.out and "tests_site/test_old.py:9" in done.out


def test_a_run_without_old_names_has_no_warnings(site: Site) -> None:
    site.put(
        "tests_site/test_new.py",
        "from bkpaas.checks import condition\n\n\n"
        "@condition('site-new', remedy='x', roles='paas')\n"
        "def test_new(host, finding):\n    '''True.'''\n    finding.add_evidence(host.name)\n",
    )
    done = site.run(f"--from-snapshot={HEALTHY}")
    assert done.exit == 0 and done.of("site-new") == {"paas-1": "pass", "paas-2": "pass"}
    assert "is now" not in done.out


def test_every_name_of_the_former_package_is_forwarded() -> None:
    assert len(bkpaas.suite.FORWARDED) == 13
    for name in bkpaas.suite.FORWARDED:
        new = bkpaas.suite.RENAMED.get(name, name)
        with pytest.warns(DeprecationWarning, match=f"import {new} from there"):
            assert getattr(bkpaas.suite, name) is getattr(checks, new)
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        bkpaas.suite.other  # noqa: B018


def test_the_old_names_of_a_finding_fill_the_new_ones() -> None:
    finding = Finding()
    with pytest.warns(DeprecationWarning):
        finding.saw("one")
        finding.fill(two=2)
        finding.concerns(["three"])
        finding.needs(["four"])
    finding.unreachable_hosts.add("five")
    assert (finding.evidence, finding.remedy_values) == (["one"], {"two": "2"})
    assert (finding.services, finding.hosts, finding.unreachable_hosts) == ({"three"}, {"four"}, {"five"})
