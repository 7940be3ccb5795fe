"""A cause explains only what it names: another setting, domain or file is a cause of its own, on edited facts."""

from __future__ import annotations

from typing import Any

Snapshot = dict[str, Any]


def roots(results: Any) -> list[str]:
    return sorted(results["root_causes"])


def stale(snapshot: Snapshot, *names: str) -> None:
    """Let these settings of login on paas-1 be other than what its process has loaded."""
    host = snapshot["hosts"]["paas-1"]
    file = next(
        one for one in host["settings"]["by_project"]["login"]["files"] if one["path"].endswith("default.py")
    )
    loaded = min(
        one[3] for one in host["processes"]["items"] if "uwsgi-open_paas-login.ini" in " ".join(one[6])
    )
    file.update(mtime=loaded + 60, ctime=loaded + 60)
    compiled = {"source": file["path"], "compiled": loaded, "source_mtime": 1, "changed": list(names)}
    host["startup"]["compiled"] = [
        *(one for one in host["startup"]["compiled"] if one["source"] != file["path"]),
        compiled,
    ]


def only_here(snapshot: Snapshot, *names: str) -> None:
    """Give login on paas-1 these settings, which paas-2 does not have."""
    values = snapshot["hosts"]["paas-1"]["settings"]["by_project"]["login"]["values"]
    some = next(one for one in values.values() if one[0] == "str")
    values.update({name: list(some) for name in names})


def test_a_setting_that_was_not_loaded_explains_the_difference(record: Any) -> None:
    def change(snapshot: Snapshot) -> None:
        stale(snapshot, "LOGIN_NOTE")
        only_here(snapshot, "LOGIN_NOTE")

    assert roots(record(change)) == ["services-loaded@paas-1"]


def test_another_setting_does_not(record: Any) -> None:
    def change(snapshot: Snapshot) -> None:
        stale(snapshot, "LOGIN_NOTE")
        only_here(snapshot, "LOGIN_TITLE")

    assert roots(record(change)) == ["login-settings-equal@paas-1+paas-2", "services-loaded@paas-1"]


def with_other_inventory(snapshot: Snapshot) -> None:
    snapshot["deployment"]["domain"] = "old.bklab.test"


def test_the_domain_of_the_inventory_explains_the_domain_of_the_files(record: Any) -> None:
    results = record(with_other_inventory)
    own = {one["id"]: one for one in results["verdicts"]}
    assert own["settings-match-inventory@paas-1"]["explained_by"] == ["inventory-domain@controller"]


def test_it_does_not_explain_a_third_domain(record: Any) -> None:
    def change(snapshot: Snapshot) -> None:
        with_other_inventory(snapshot)
        value = snapshot["hosts"]["paas-1"]["settings"]["by_project"]["login"]["values"]["PAAS_DOMAIN"]
        value[3] = "third.bklab.test"

    results = record(change)
    assert "settings-match-inventory@paas-1" in results["root_causes"]
    assert "settings-match-inventory@paas-2" not in results["root_causes"]


def test_a_name_of_cmdb_that_nothing_serves_is_the_cause(record: Any) -> None:
    def change(snapshot: Snapshot) -> None:
        snapshot["deployment"]["fqdns"]["cmdb"] = "cmbd.bklab.test"

    assert roots(record(change)) == ["inventory-domain@controller"]


def edited(*names: str) -> Any:
    """Lower the limit of uploads in paas.conf, and let these files be newer than the nginx that runs."""

    def change(snapshot: Snapshot) -> None:
        host = snapshot["hosts"]["nginx-1"]
        for server in host["nginx"]["servers"]:
            for location in server["locations"]:
                location["passing"]["body_bytes"] = 1024**2
        for file in host["nginx"]["files"]:
            if file["path"].endswith(names):
                file.update(mtime=host["system"]["time"], ctime=host["system"]["time"], atime=0.0)

    return change


def test_a_limit_that_is_not_loaded_yet_is_the_cause(record: Any) -> None:
    assert roots(record(edited("/paas.conf"))) == ["nginx-upload-size@nginx-1"]


def test_another_file_that_is_not_loaded_is_a_cause_of_its_own(record: Any) -> None:
    assert roots(record(edited("/cmdb.conf", "/job.conf", "/default.conf"))) == [
        "nginx-loaded@nginx-1",
        "nginx-upload-size@nginx-1",
    ]
