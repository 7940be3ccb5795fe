"""The token of bk_paas in the database, against ESB_TOKEN of the settings."""

from typing import Any

import pytest

from selftests.judges.test_rare_cases import of_6


def token(value: str | None, error: dict[str, Any] | None = None) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        database = snapshot["hosts"]["paas-1"]["connections"]["by_name"]["database"]["login"]["database"]
        database.update(esb_token=value, errors={"esb_token": error} if error else {})

    return change


def test_on_6x_a_missing_row_is_a_fault(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        of_6(snapshot)
        token("")(snapshot)

    verdict = judge("esb-token", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "no-row")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda snapshot: None, "pass"),
        (token("secret:0123456789ab"), "fail"),
        (token(""), "not_applicable"),
        (token(None), "no_data"),
        (token(None, {"code": 1142, "text": "SELECT command denied"}), "no_data"),
    ],
)
def test_the_token_of_the_database(judge: Any, change: Any, word: str) -> None:
    verdict = judge("esb-token", change)["paas-1"]
    assert verdict["verdict"] == word
    if word == "fail":
        assert "login, paas, esb" in verdict["evidence"]


def test_a_project_that_differs_is_one_cause(record: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        value = snapshot["hosts"]["paas-1"]["settings"]["by_project"]["esb"]["values"]["ESB_TOKEN"]
        value[5] = "secret:0123456789ab"

    results = record(change)
    verdicts = {one["id"]: one for one in results["verdicts"]}
    assert verdicts["esb-token@paas-1"]["verdict"] == "fail"
    assert verdicts["esb-token@paas-1"]["explained_by"] == ["settings-across-projects@paas-1"]
