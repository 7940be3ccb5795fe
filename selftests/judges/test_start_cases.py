"""The next start, pid files, valid files, on edited facts."""

from collections.abc import Callable
from typing import Any

import pytest

PID, UID, CWD, EXE, ARGV = 0, 2, 9, 7, 6
LOGIN_INI = "/data/bkce/etc/uwsgi-open_paas-login.ini"
LOGIN_CODE = "/data/bkce/open_paas/login"
UWSGI = "/data/bkce/.envs/login/bin/uwsgi"

Edit = Callable[[dict[str, Any]], object]


def paas(snapshot: dict[str, Any]) -> dict[str, Any]:
    host: dict[str, Any] = snapshot["hosts"]["paas-1"]
    return host


def supervisor(snapshot: dict[str, Any]) -> dict[str, Any]:
    one: dict[str, Any] = paas(snapshot)["supervisors"]["by_module"]["open_paas"]
    return one


def path(place: str, **values: Any) -> Edit:
    """Edit one of the paths that programs need."""
    return lambda snapshot: paas(snapshot)["startup"]["paths"][place].update(values)


def master(snapshot: dict[str, Any]) -> list[Any]:
    """Return the process of login's master."""
    lines = supervisor(snapshot)["status"]
    pid = next(line["pid"] for line in lines if line["name"] == "login")
    process: list[Any] = next(one for one in paas(snapshot)["processes"]["items"] if one[PID] == pid)
    return process


def deleted(snapshot: dict[str, Any]) -> None:
    master(snapshot)[EXE] += " (deleted)"


def moved(snapshot: dict[str, Any]) -> None:
    """The command leads to another program than the one that runs."""
    paas(snapshot)["startup"]["paths"][UWSGI]["target"] = "/usr/bin/uwsgi-new"


def renamed(snapshot: dict[str, Any]) -> None:
    """An upgrade moved the directory of login away and put another one there."""
    master(snapshot)[CWD] = LOGIN_CODE + ".bak"


def through_a_link(snapshot: dict[str, Any]) -> None:
    renamed(snapshot)
    path(LOGIN_CODE, target=LOGIN_CODE + ".bak")(snapshot)


def elsewhere_by_itself(snapshot: dict[str, Any]) -> None:
    master(snapshot)[CWD] = "/var/lib/other"


def by_hand(snapshot: dict[str, Any]) -> None:
    next(one for one in supervisor(snapshot)["programs_in_conf"] if one["name"] == "login")["autostart"] = (
        False
    )


def without_program(snapshot: dict[str, Any]) -> None:
    programs = supervisor(snapshot)["programs_in_conf"]
    supervisor(snapshot)["programs_in_conf"] = [one for one in programs if one["name"] != "login"]


def other_url(snapshot: dict[str, Any]) -> None:
    supervisor(snapshot)["server_url"] = "unix:///tmp/supervisor.sock"


def without_interface(snapshot: dict[str, Any]) -> None:
    supervisor(snapshot)["has_interface"] = False


def of_another_account(snapshot: dict[str, Any]) -> None:
    for process in paas(snapshot)["processes"]["items"]:
        if "supervisord" in " ".join(process[ARGV]):
            process[UID] = 1001
    path("/data/bkce/logs/open_paas", mode=0o755, uid=0)(snapshot)


def next_account(name: str, uid: int | None) -> Edit:
    """Let the file name an account that login gets at its next start."""

    def change(snapshot: dict[str, Any]) -> None:
        program = next(one for one in supervisor(snapshot)["programs_in_conf"] if one["name"] == "login")
        program["user"] = name
        if uid is not None:
            paas(snapshot)["names"].setdefault("accounts", {})[name] = uid
        path("/data/bkce/logs/open_paas", mode=0o755, uid=1001)(snapshot)

    return change


@pytest.mark.parametrize(
    ("change", "case", "programs"),
    [
        (next_account("nobody", 65534), "no-access", "login"),
        (next_account("65534", None), "no-access", "login"),
        (next_account("blueking", 1001), None, ""),
        (path(LOGIN_CODE, type="missing"), "missing", "login"),
        (path(UWSGI, type="symlink"), "missing", "login"),
        (path(UWSGI, mode=0o644), "no-access", "login"),
        (of_another_account, "no-access", "login, paas, supervisord (open_paas), supervisord (paas_plugins)"),
        (path(LOGIN_INI, type="dir"), "wrong-kind", "login"),
        (deleted, "deleted", "login"),
        (moved, "other-program", "login"),
        (renamed, "moved", "login"),
        (by_hand, "not-by-itself", "login"),
        (without_program, "not-in-file", "login"),
        (other_url, "control", "supervisorctl (open_paas)"),
        (without_interface, "control", "supervisorctl (open_paas)"),
        (path(LOGIN_CODE, mode=0o700), None, ""),
        (through_a_link, None, ""),
        (elsewhere_by_itself, None, ""),
    ],
)
def test_the_next_start(record: Any, change: Edit, case: str | None, programs: str) -> None:
    results = record(change, "next-start")
    verdict = next(one for one in results["verdicts"] if one["subject"] == "paas-1")
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))
    headlines = [cause["headline"] for cause in results["causes"]]
    assert not case or f"{programs} on " in headlines[0]


def first_pid_file(snapshot: dict[str, Any]) -> str:
    return next(iter(paas(snapshot)["startup"]["pids"]))


def unread_pid(snapshot: dict[str, Any]) -> None:
    """Round 2 ended before the pid file was read, or the account may not read it."""
    del paas(snapshot)["startup"]["pids"][first_pid_file(snapshot)]


def unread_and_gone_pid(snapshot: dict[str, Any]) -> None:
    unread_pid(snapshot)
    gone_pid(snapshot)


def gone_pid(snapshot: dict[str, Any]) -> None:
    startup = paas(snapshot)["startup"]
    startup["absent_pids"] = [first_pid_file(snapshot)]
    del startup["pids"][first_pid_file(snapshot)]


def other_pid(snapshot: dict[str, Any]) -> None:
    pids = paas(snapshot)["startup"]["pids"]
    pids[next(iter(pids))] = 1


@pytest.mark.parametrize(("change", "case"), [(gone_pid, "gone"), (other_pid, "wrong")])
def test_pid_files(judge: Any, change: Edit, case: str) -> None:
    verdict = judge("pid-files", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("warn", case)


def test_a_pid_file_that_was_not_read_is_no_data(judge: Any) -> None:
    assert judge("pid-files", unread_pid)["paas-1"]["verdict"] == "no_data"
    assert judge("pid-files", unread_and_gone_pid)["paas-1"]["case"] == "gone"


def login_files(snapshot: dict[str, Any]) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = paas(snapshot)["settings"]["by_project"]["login"]["files"]
    return files


def without_settings(snapshot: dict[str, Any]) -> None:
    file = login_files(snapshot)[-1]
    login_files(snapshot)[-1] = {"path": file["path"], "type": "missing"}


def elsewhere(snapshot: dict[str, Any]) -> None:
    """The project is started in a directory that is not below the install root."""
    without_settings(snapshot)
    paas(snapshot)["services"]["by_name"]["login"]["chdir"] = "/opt/login"


def only_compiled(snapshot: dict[str, Any]) -> None:
    without_settings(snapshot)
    for one in paas(snapshot)["startup"]["compiled"]:
        one["source_size"] = None


def not_of_production(snapshot: dict[str, Any]) -> None:
    without_settings(snapshot)
    paas(snapshot)["services"]["by_name"]["login"]["bk_env"] = "testing"


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (without_settings, "absent"),
        (elsewhere, None),
        (only_compiled, None),
        (not_of_production, None),
    ],
)
def test_a_settings_file_that_is_gone(judge: Any, change: Edit, case: str | None) -> None:
    verdict = judge("settings-valid", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


def without_project(snapshot: dict[str, Any]) -> None:
    """The directory of login is gone: what was read of it in health is not there."""
    own = paas(snapshot)["settings"]["by_project"]["login"]
    own["files"] = [{"path": one["path"], "type": "missing"} for one in own["files"]]
    own["values"] = {}
    path(LOGIN_CODE, type="missing")(snapshot)
    for place in paas(snapshot)["places"]["by_name"]["login-manage"]:
        place["type"] = "missing"


def test_a_project_that_is_gone_is_one_cause(record: Any) -> None:
    results = record(without_project)
    assert [cause["ids"] for cause in results["causes"]] == [["settings-valid@paas-1"]]


def syntax_error(snapshot: dict[str, Any]) -> None:
    own = paas(snapshot)["settings"]["by_project"]["esb"]
    own["problems"] = [f"{own['files'][0]['path']}:45: syntax error"]


def test_what_an_invalid_file_hides_is_explained_by_it(record: Any) -> None:
    results = record(syntax_error)
    assert [cause["ids"] for cause in results["causes"]] == [["settings-valid@paas-1"]]


def refused_line(snapshot: dict[str, Any]) -> None:
    supervisor(snapshot)["conf_refused"] = ["/x.conf: [program:login]: stopsignal = SIGFOO is refused"]


def refused_ini(snapshot: dict[str, Any]) -> None:
    paas(snapshot)["services"]["by_name"]["login"]["invalid"] = ["no [uwsgi] section"]


@pytest.mark.parametrize(
    ("condition", "change"),
    [("supervisor-conf-valid", refused_line), ("uwsgi-conf-valid", refused_ini)],
)
def test_files_that_are_refused(judge: Any, condition: str, change: Edit) -> None:
    verdict = judge(condition, change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "invalid")


APP = "/data/bkce/paas_agent/apps"
APP_UWSGI = f"{APP}/Envs/bk_framework/bin/uwsgi"
APP_INI = f"{APP}/projects/bk_framework/conf/bk_framework.ini"


def of_application(place: str, **values: Any) -> Edit:
    return lambda snapshot: snapshot["hosts"]["appo-1"]["startup"]["paths"][place].update(values)


def in_a_container(snapshot: dict[str, Any]) -> None:
    """What runs in an image has no virtual environment on the host."""
    host = snapshot["hosts"]["appo-1"]
    of_application(APP_UWSGI, type="missing")(snapshot)
    pid = host["saas"]["items"][0]["pid"]
    next(one for one in host["processes"]["items"] if one[PID] == pid)[ARGV][0] = "/app/.env/bin/uwsgi"


def offline(snapshot: dict[str, Any]) -> None:
    """An application that does not run has no next start."""
    of_application(APP_UWSGI, type="missing")(snapshot)
    snapshot["hosts"]["appo-1"]["saas"]["items"][0].update(pid=None, alive=None)


def not_asked(snapshot: dict[str, Any]) -> None:
    del snapshot["hosts"]["appo-1"]["startup"]["paths"][APP_UWSGI]


@pytest.mark.parametrize(
    ("change", "word", "case"),
    [
        (of_application(f"{APP}/Envs/bk_framework", type="missing"), "fail", "application"),
        (of_application(APP_UWSGI, type="symlink"), "fail", "application"),
        (of_application(APP_UWSGI, mode=0o644), "fail", "application"),
        (of_application(APP_INI, type="missing"), "fail", "application"),
        (not_asked, "no_data", None),
        (in_a_container, "pass", None),
        (offline, "pass", None),
    ],
)
def test_the_next_start_of_an_application(record: Any, change: Edit, word: str, case: str | None) -> None:
    results = record(change, "next-start")
    verdict = next(one for one in results["verdicts"] if one["subject"] == "appo-1")
    assert (verdict["verdict"], verdict["case"]) == (word, case)
