"""Settings that differ between the paas hosts, and may."""

import pytest

VALUE = 3


def engine(first, second):
    """ENGINE_HOST of the developer center on each of the two hosts."""

    def change(snapshot):
        for name, value in (("paas-1", first), ("paas-2", second)):
            known = snapshot["hosts"][name]["settings"]["by_project"]["paas"]["values"]["ENGINE_HOST"]
            known[VALUE] = value

    return change


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        ("http://10.66.0.11:8000", "http://10.66.0.12:8000", "pass"),
        ("http://paas-1:8000", "http://paas-2:8000", "pass"),
        ("http://paas-1:8000", "http://10.66.0.12:8000", "pass"),
        ("http://paas-1:8000", "http://paas-1:8000", "pass"),
        ("http://paas-1:8000", "http://paas-3:8000", "fail"),
        ("http://10.66.0.11:8000", "http://10.66.0.121:8000", "fail"),
        ("http://10.66.0.11:8000", "http://10.66.0.12:8001", "fail"),
        ("http://x/paas-1", "http://x/paas-2", "fail"),
    ],
)
def test_a_host_may_name_itself(judge, first, second, word):
    assert judge("login-settings-equal", engine(first, second))["paas-1+paas-2"]["verdict"] == word


@pytest.mark.parametrize(
    ("key", "code", "word"),
    [
        ("PASSWORD", None, "fail"),
        ("PASSWORD", 1045, "pass"),
        ("PASSWORD", 1698, "pass"),
        ("PASSWORD", 1040, "fail"),
        ("OPTIONS", 1045, "fail"),
    ],
)
def test_an_account_that_the_database_refuses_is_left_to_its_condition(judge, key, code, word):
    def change(snapshot):
        settings = snapshot["hosts"]["paas-2"]["settings"]["by_project"]["login"]["values"]
        settings["DATABASES"][VALUE]["default"][key] = "other"
        if code:
            refused = {"state": "refused", "code": code, "text": "Access denied"}
            for connection in snapshot["hosts"]["paas-1"]["connections"]["by_name"].values():
                if connection.get("login"):
                    connection["login"].update(refused)

    assert judge("login-settings-equal", change)["paas-1+paas-2"]["verdict"] == word
