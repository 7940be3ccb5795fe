"""Healthy deployments that differ from the defaults: an unknown is no_data, never a failure."""

import pytest

OFFSET = "BK_TOKEN_OFFSET_ERROR_TIME"
PID, PPID, ARGV, ENVIRON = 0, 1, 6, 8
CONDITIONS = "supervisor-proc", "supervisor-sock", "uwsgi-orphans", "supervisor-status"


def paas(snapshot):
    return snapshot["hosts"]["paas-1"]


def supervisor(snapshot):
    return paas(snapshot)["supervisors"]["by_module"]["open_paas"]


def processes(snapshot):
    return paas(snapshot)["processes"]["items"]


def another_configuration(snapshot):
    for process in processes(snapshot):
        process[ARGV] = [
            "/etc/supervisord.conf" if word.endswith("/supervisor-open_paas.conf") else word
            for word in process[ARGV]
        ]


def installed_by_hand(snapshot):
    another_configuration(snapshot)
    path = supervisor(snapshot)["conf"]["path"]
    paas(snapshot)["supervisors"]["by_module"]["open_paas"] = {
        "conf": {"path": path, "type": "missing"},
        "status_error": "No such file or directory",
    }


@pytest.mark.parametrize("change", [another_configuration, installed_by_hand])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_another_supervisord_is_not_taken_for_a_dead_one(judge, change, condition):
    assert judge(condition, change)["paas-1"]["verdict"] == "no_data"


def test_uwsgi_of_no_supervisord_is_still_an_orphan_next_to_another_supervisord(judge):
    def change(snapshot):
        another_configuration(snapshot)
        for process in processes(snapshot):
            if "open_paas-login.ini" in " ".join(process[ARGV]):
                process[PPID] = 1 if process[PPID] == daemon(snapshot) else process[PPID]

    assert judge("uwsgi-orphans", change)["paas-1"]["verdict"] == "fail"


def daemon(snapshot):
    return next(
        one[PID] for one in processes(snapshot) if "/etc/supervisord.conf" in one[ARGV] and "-c" in one[ARGV]
    )


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("no supervisorctl", "no_data"),
        ("No such file or directory", "no_data"),
        ("Server requires authentication", "no_data"),
        ("/opt/supervisorctl may be written by everybody: not run", "no_data"),
        ("error: <class 'socket.error'>, [Errno 13] Permission denied: file: x line: 228", "no_data"),
        ("unix:///data/bkce/logs/open_paas/supervisor.sock no such file", "fail"),
        ("unix:///data/bkce/logs/open_paas/supervisor.sock refused connection", "fail"),
        ("timeout", "fail"),
    ],
)
def test_what_supervisorctl_says_instead_of_a_status(judge, message, word):
    def change(snapshot):
        supervisor(snapshot).update(status=None, later=None, status_error=message)

    assert judge("supervisor-status", change)["paas-1"]["verdict"] == word


def bk_env(value):
    """BK_ENV in the environment of all processes, in no file."""

    def change(snapshot):
        for service in paas(snapshot)["services"]["by_name"].values():
            service["bk_env"] = None
        for process in processes(snapshot):
            process[ENVIRON:] = [value]

    return change


def of_gunicorn(snapshot):
    bk_env({"BK_ENV": "production"})(snapshot)
    for process in processes(snapshot):
        process[ARGV] = [word.replace("uwsgi", "gunicorn") for word in process[ARGV]]


def nothing_started(snapshot):
    bk_env({"BK_ENV": "production"})(snapshot)
    services = ["supervisord" in " ".join(process[ARGV]) for process in processes(snapshot)]
    paas(snapshot)["processes"]["items"] = [
        process for process, kept in zip(processes(snapshot), services, strict=True) if kept
    ]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (bk_env({"BK_ENV": "production"}), "pass"),
        (bk_env({"BK_ENV": "development"}), "fail"),
        (bk_env({}), "fail"),
        (bk_env(None), "no_data"),
        (of_gunicorn, "pass"),
        (nothing_started, "pass"),
    ],
)
def test_bk_env_in_the_environment_only(judge, change, word):
    assert judge("bk-env-production", change)["paas-1"]["verdict"] == word


def test_an_offset_from_the_environment_is_not_called_wrong(judge):
    def change(snapshot):
        values = paas(snapshot)["settings"]["by_project"]["login"]["values"]
        values[OFFSET] = ["secret", "/x.py", 7, None, 'int(os.environ.get("X", 60))', "secret:0123456789ab"]

    assert judge("token-offset-config", change)["paas-1"]["verdict"] == "no_data"


def test_an_address_that_only_uwsgi_has_is_any(judge):
    def change(snapshot):
        for service in paas(snapshot)["services"]["by_name"].values():
            service["bind_address"] = None

    assert judge("paas-ports-local", change)["paas-1"]["verdict"] == "pass"


@pytest.mark.parametrize(("target", "word"), [("10.99.0.1", "pass"), ("10.98.0.1", "fail")])
def test_services_on_an_address_that_nginx_passes_to_without_an_upstream(judge, target, word):
    def change(snapshot):
        paas(snapshot)["addresses"]["items"].append("10.99.0.1")
        paas(snapshot)["services"]["by_name"]["login"]["bind_address"] = "10.99.0.1"
        nginx = snapshot["hosts"]["nginx-1"]["nginx"]
        nginx["upstreams"] = []
        for server in nginx["servers"]:
            for location in server.get("locations", []):
                location["upstream"] = None
                location["proxy_pass"] = f"http://{target}:8003/$1$is_args$args"

    assert judge("bind-address-consistent", change)["paas-1"]["verdict"] == word


def gunicorn(snapshot):
    """As the open-source example has it."""
    for service in paas(snapshot)["services"]["by_name"].values():
        service.update(ini=supervisor(snapshot)["conf"], logto=None)
    for process in processes(snapshot):
        if "uwsgi" in " ".join(process[ARGV]):
            process[ARGV] = ["/data/bkce/.envs/x/bin/python", "/data/bkce/.envs/x/bin/gunicorn", "wsgi"]
            process[ARGV - 1 : ARGV] = ["gunicorn"]
            process[ARGV + 1] = "/usr/bin/python2.7"
    access = {"path": "/data/bkce/logs/open_paas/login_uwsgi.log", "type": "missing"}
    paas(snapshot)["login_access"] = {"fact": "LoginAccess", "files": [access], "later": True}
    logs = paas(snapshot)["places"]["by_name"]["login-logs"]
    logs[:] = [log for log in logs if "uwsgi" not in log["path"]]


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        ("uwsgi-single-master", "not_applicable"),
        ("uwsgi-orphans", "not_applicable"),
        ("login-log-dir", "pass"),
        ("port-owner", "pass"),
        ("supervisor-status", "pass"),
    ],
)
def test_services_of_gunicorn(judge, condition, word):
    assert judge(condition, gunicorn)["paas-1"]["verdict"] == word


def test_the_other_port_in_nginx_of_the_app_host_is_reported(judge):
    def change(snapshot):
        appt = snapshot["hosts"]["appt-1"]
        for listener in appt["sockets"]["listeners"]:
            listener["port"] = 8085 if listener["port"] == 8010 else listener["port"]
        for server in appt["nginx"]["servers"]:
            for listen in server["listens"]:
                listen["port"] = 8085 if listen.get("port") == 8010 else listen.get("port", 80)

    assert "8085" in judge("agent-nginx-8010", change)["appt-1"]["evidence"]
