"""A condition that was renamed can still be named by its former id, on the command line and in a site's causes."""

from bkpaas.catalogue.load import FOLDER
from bkpaas.catalogue.registry import ALIASES, CONDITIONS, current_id, find_condition, load_condition


def test_every_former_id_leads_to_its_condition():
    assert ALIASES["way-to-hosts"] == "controller-connectivity"
    for alias, id_ in ALIASES.items():
        assert alias not in CONDITIONS and find_condition(alias) is CONDITIONS[id_]
        assert current_id(f"{alias}@some-host") == f"{id_}@some-host"
    assert current_id("clock-all@a+b") == "clock-all@a+b"


def test_only_takes_a_former_id(run):
    done = run("--only", "way-to-hosts@controller")
    assert [one["id"] for one in done.results["verdicts"]] == ["controller-connectivity@controller"], done.out


def test_a_cause_of_a_site_may_have_a_former_id(tmp_path):

    text = (FOLDER / "conditions/host-reachable.toml").read_text("utf-8")
    path = tmp_path / "site-x.toml"
    path.write_text(
        text + '\n[[caused_by]]\ncondition = "way-to-hosts"\nrelation = "anywhere"\nproduces = ["no-data"]\n'
        'mechanism = {en = "A sentence.", zh = "一句话。"}\n',
        "utf-8",
    )
    assert "controller-connectivity" in [cause.condition for cause in load_condition(path).causes]
