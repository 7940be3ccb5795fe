"""The controller's own answers are read as strictly as those of a host: what has another shape is never a fact."""

import pytest

from bkpaas.errors import NoData
from bkpaas.facts import ControllerView, Secrets, controller_facts
from bkpaas.facts.query import HttpName

PAGE = {"url": "http://x/", "status": 200, "headers": [["a", "b"]], "body": "", "truncated": False}
ANSWERS = {
    "resolve": {"paas.bk.com": {"addresses": ["10.0.1.1"], "error": None, "seconds": 0.1}},
    "http": {"healthz-login": {**PAGE, "seconds": 0.1, "peer": "10.0.1.1:80", "error": None}},
    "tcp": {"virtual-10.0.1.9": {"data": "", "error": None, "seconds": 0.1}},
    "agent": "bkpaas/1",
    "certificates": [{"address": "10.0.1.1:443", "der": "", "problem": None, "error": None}],
}


def view(**changed):
    return ControllerView(controller_facts({**ANSWERS, **changed}, Secrets()))


def test_answers_of_the_declared_shape_are_facts():
    seen = view()
    assert seen.names.of("paas.bk.com") == ("10.0.1.1",)
    assert seen.answers.get(HttpName.HEALTHZ, "login").status == 200
    assert seen.connections.by_name["virtual-10.0.1.9"].ok
    assert [one.address for one in seen.certificates.items] == ["10.0.1.1:443"]


@pytest.mark.parametrize("junk", [5, None, [], "x", [{"x": 1}]])
@pytest.mark.parametrize("section", ["resolve", "http", "certificates"])
def test_a_section_of_another_shape_is_no_data(section, junk):
    if (section, junk) == ("certificates", []):
        assert view(certificates=[]).certificates.items == ()  # plain http
        return
    noun = {"resolve": "names", "http": "answers"}.get(section, section)
    with pytest.raises(NoData, match=f"malformed: {section}"):
        getattr(view(**{section: junk}), noun)


@pytest.mark.parametrize(
    "change",
    [{"status": "200"}, {"status": 7}, {"seconds": 1e300}, {"seconds": float("nan")}, {"headers": [["a"]]}],
)
def test_one_answer_of_another_shape_is_no_data_and_leaves_the_others(change):
    http = {"healthz-login": {**ANSWERS["http"]["healthz-login"], **change}}
    seen = view(http={**http, "healthz-esb": ANSWERS["http"]["healthz-login"]})
    with pytest.raises(NoData, match="malformed: http:healthz-login"):
        seen.answers.get(HttpName.HEALTHZ, "login")
    assert seen.answers.get(HttpName.HEALTHZ, "esb").status == 200


@pytest.mark.parametrize("bad", [{"addresses": [], "error": None}, {"addresses": ["x"], "error": None}, 7])
def test_a_name_that_resolves_to_no_address_is_no_data(bad):
    with pytest.raises(NoData, match=r"malformed: resolve:paas\.bk\.com"):
        view(resolve={"paas.bk.com": bad}).names.get("paas.bk.com")


@pytest.mark.parametrize(
    "bad", [{"address": 5}, {"address": "x"}, {"address": "x", "der": "?", "problem": None}]
)
def test_a_certificate_that_is_not_whole_is_no_data(bad):
    with pytest.raises(NoData, match="malformed: certificates"):
        view(certificates=[bad]).certificates  # noqa: B018 - the access raises
