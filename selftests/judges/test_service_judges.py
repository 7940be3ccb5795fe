"""Who serves: frozen workers, another service in the place of one, owners of ports, keys that are not in the file."""

import json

import pytest

PID, STATE, ARGV = 0, 4, 6


def paas(snapshot):
    return snapshot["hosts"]["paas-1"]


def processes_of(snapshot, service):
    return [
        one
        for one in paas(snapshot)["processes"]["items"]
        if f"open_paas-{service}.ini" in " ".join(one[ARGV])
    ]


def one_worker_frozen(snapshot):
    processes_of(snapshot, "esb")[-1][STATE] = "T"


def one_worker_reads_a_disk(snapshot):
    processes_of(snapshot, "esb")[-1][STATE] = "D"


def paas_in_the_place_of_login(snapshot):
    answers = paas(snapshot)["answers"]["by_name"]
    answers["healthz-login"]["body"] = answers["healthz-paas"]["body"]
    answers["answer-login"].update(status=404, body="<h1>404</h1>")


def login_speaks_english(snapshot):
    body = {"message": "Missing parameters bk_token", "code": "1200", "data": {}, "result": False}
    paas(snapshot)["answers"]["by_name"]["answer-login"]["body"] = json.dumps(body)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (one_worker_frozen, "fail"),
        (one_worker_reads_a_disk, "pass"),
        (paas_in_the_place_of_login, "fail"),
        (login_speaks_english, "pass"),
    ],
)
def test_services_answer(judge, change, word):
    assert judge("services-answer", change)["paas-1"]["verdict"] == word


def renamed(snapshot):
    """uwsgi with auto-procname."""
    for one in processes_of(snapshot, "login"):
        one[ARGV] = ["uWSGI worker 1"]


def foreign_gunicorn(snapshot):
    listener = next(one for one in paas(snapshot)["sockets"]["listeners"] if one["port"] == 8003)
    foreign = next(
        one for one in paas(snapshot)["processes"]["items"] if one[ARGV] and "sshd" in one[ARGV][0]
    )
    foreign[ARGV] = ["/usr/bin/python3", "/usr/bin/gunicorn", "app:app", "-b", ":8003"]
    listener["pids"] = [foreign[PID]]


@pytest.mark.parametrize(("change", "word"), [(renamed, "pass"), (foreign_gunicorn, "fail")])
def test_port_owner(judge, change, word):
    assert judge("port-owner", change)["paas-1"]["verdict"] == word


def test_a_key_from_the_environment_is_not_called_equal(judge):
    def change(snapshot):
        for host in ("paas-1", "paas-2"):
            value = snapshot["hosts"][host]["settings"]["by_project"]["login"]["values"]["SECRET_KEY"]
            value[4:] = ['os.environ["KEY"]', "0123456789abcdef"]

    assert judge("login-secret-equal", change)["paas-1+paas-2"]["verdict"] == "no_data"


def database_says(message):
    def change(snapshot):
        body = json.dumps({"bk_error_msg": f"数据库连接存在问题: {message}", "result": False})
        paas(snapshot)["answers"]["by_name"]["healthz-login"]["body"] = body

    return change


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("""(1045, "Access denied for user 'open_paas'@'10.66.0.11' (using password: YES)")""", "fail"),
        ("""(1040, 'Too many connections')""", "fail"),
        ("""(1049, "Unknown database 'open_paas'")""", "fail"),
        ("""(1146, "Table 'open_paas.bkaccount_bkuser' doesn't exist")""", "pass"),
        ("(10450, 'of another kind')", "pass"),
    ],
)
def test_a_database_that_refuses_is_reported_by_a_service(judge, message, word):
    found = judge("database-login", database_says(message))
    assert found["paas-1"]["verdict"] == word and found["paas-2"]["verdict"] == "pass"
    assert word == "pass" or message[1:5] in found["paas-1"]["evidence"]


def connection(**changed):
    def change(snapshot):
        by_name = paas(snapshot)["connections"]["by_name"]
        by_name["database"] = {**by_name["database"], **changed}

    return change


def login(**words):
    return connection(login=words)


def settings_of_login(**changed):
    def change(snapshot):
        value = paas(snapshot)["settings"]["by_project"]["login"]["values"]["DATABASES"]
        value[3]["default"].update(changed)

    return change


GONE = connection(error_kind="refused", error_text="Connection refused", greeting="none", text="", login=None)
MUTE = connection(error_kind="silent", error_text="no answer", greeting="none", text="", login=None)
SSH = connection(greeting="ssh", text="SSH-2.0", login={"state": "error", "kind": "protocol", "text": "x"})
FULL = connection(
    greeting="mysql-error", text="1040 x", login={"state": "refused", "code": 1040, "text": "x"}
)
WITHHELD = connection(error_kind="withheld", error_text="", greeting="none", text="", login=None)


@pytest.mark.parametrize(
    ("change", "reached", "accepted", "words"),
    [
        pytest.param(GONE, "fail", "no_data", "did not answer", id="refused"),
        pytest.param(MUTE, "fail", "no_data", "did not answer", id="silent"),
        pytest.param(SSH, "fail", "no_data", "did not end", id="not-mysql"),
        pytest.param(FULL, "pass", "fail", "1040", id="too-many"),
        pytest.param(WITHHELD, "no_data", "no_data", "ssh://", id="withheld"),
        pytest.param(login(state="accepted"), "pass", "pass", "accepted", id="accepted"),
        pytest.param(
            login(state="refused", code=1045, text="Access denied"), "pass", "fail", "1045 Access", id="1045"
        ),
        pytest.param(
            login(state="refused", code=1043, text="Bad handshake"), "pass", "no_data", "1043 Bad", id="1043"
        ),
        pytest.param(login(state="unsupported", plugin="dialog"), "pass", "no_data", "dialog", id="plugin"),
        pytest.param(
            login(state="needs-tls", plugin="caching_sha2_password"), "pass", "no_data", "TLS", id="tls"
        ),
        pytest.param(
            login(state="error", kind="silent", text="no answer"), "pass", "fail", "no answer", id="hangs"
        ),
        pytest.param(
            login(state="error", kind="tls", text="bad record"), "pass", "no_data", "bad record", id="broken"
        ),
        pytest.param(settings_of_login(USER=""), "no_data", "no_data", "no USER", id="no-account"),
        pytest.param(
            settings_of_login(PASSWORD="other"), "no_data", "no_data", "not connected", id="not-tried"
        ),
    ],
)
def test_reaching_the_database_and_logging_in_are_two_things(judge, change, reached, accepted, words):
    for condition, word in (("database-reachable", reached), ("database-login", accepted)):
        found = judge(condition, change)
        assert found["paas-1"]["verdict"] == word and found["paas-2"]["verdict"] == "pass"
        text = f"{found['paas-1']['evidence']}{found['paas-1']['reason']}"
        assert condition == "database-reachable" or words in text, text


def without_socket(snapshot):
    snapshot["hosts"]["appt-1"]["saas"]["items"][0]["socket"].update(type="missing", mode=None)


def socket_not_looked_for(snapshot):
    snapshot["hosts"]["appt-1"]["saas"]["items"][0]["socket"] = None


@pytest.mark.parametrize(("change", "word"), [(without_socket, "fail"), (socket_not_looked_for, "pass")])
def test_a_saas_needs_its_socket(judge, change, word):
    assert judge("saas-run-state", change)["appt-1"]["verdict"] == word


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("problems", "/data/bkce/open_paas/esb/configs/default.py:31: syntax error"),
        ("placeholders", "/data/bkce/open_paas/esb/configs/default.py:12: __MYSQL_IP__"),
    ],
)
def test_settings_that_break_the_next_start(judge, where, text):
    def spoil(snapshot):
        snapshot["hosts"]["paas-2"]["settings"]["by_project"]["esb"][where] = [text]

    found = judge("settings-valid", spoil)
    assert [found[name]["verdict"] for name in ("paas-1", "paas-2")] == ["pass", "fail"]
    assert text in found["paas-2"]["evidence"] and "restart esb" in found["paas-2"]["remedy"]


def test_settings_that_cannot_be_read_are_no_data(judge):
    def spoil(snapshot):
        esb = snapshot["hosts"]["paas-2"]["settings"]["by_project"]["esb"]
        esb["files"][0]["error"] = "Permission denied"
        esb["problems"] = [f"{esb['files'][0]['path']}: Permission denied"]

    assert judge("settings-valid", spoil)["paas-2"]["verdict"] == "no_data"


def test_a_service_whose_file_has_no_address_is_not_taken_for_one_that_listens(judge):
    def change(snapshot):
        login = paas(snapshot)["services"]["by_name"]["login"]
        login.update(bind_address=None, bind_port=None, problems=["no http, http-socket or socket option"])

    found = judge("paas-ports-local", change)["paas-1"]
    assert found["verdict"] == "no_data"
    assert found["reason"] == "no address of login: no http, http-socket or socket option"
