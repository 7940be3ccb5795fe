"""Supervisor: what its configuration says, and what supervisorctl prints in every state."""

import pytest
from recorded import HOME, STATUS, SUPERVISOR_CONF, ctl, english, entry, missing

from bkpaas.facts.secrets import Secrets
from bkpaas.facts.supervisor import environment, status_of, supervisors

SOCK = f"{HOME}/logs/open_paas/supervisor.sock"
CONF = f"{HOME}/etc/supervisor-open_paas.conf"


def parsed(conf=SUPERVISOR_CONF, status=None, later=None, **files):
    entries = {"supervisor-conf": [entry(CONF, conf)]} | files
    statuses = [None if one is None else {"open_paas": one} for one in (status, later)]
    return supervisors(entries, *statuses, Secrets()).by_module["open_paas"]


def programs(out, **more):
    found, error = status_of(ctl(out, **more), Secrets())
    assert error is None
    return {program.name: program for program in found}


def test_programs_that_run():
    found = programs(STATUS)
    assert {name: program.state for name, program in found.items()} == dict.fromkeys(
        ("appengine", "esb", "login", "paas"), "RUNNING"
    )
    assert (found["login"].pid, found["login"].uptime_seconds) == (11042, 231)
    assert found["paas"].uptime_seconds == 12 * 86400 + 3 * 3600 + 4 * 60 + 5


def test_one_day_is_singular():
    assert programs("login   RUNNING   pid 7, uptime 1 day, 0:00:06")["login"].uptime_seconds == 86406


@pytest.mark.parametrize(
    ("line", "state", "description"),
    [
        (
            "appengine                        BACKOFF   Exited too quickly (process log may have details)",
            "BACKOFF",
            "Exited too quickly (process log may have details)",
        ),
        (
            "esb                              FATAL     Exited too quickly (process log may have details)",
            "FATAL",
            "Exited too quickly (process log may have details)",
        ),
        ("esb                              FATAL     can't find command '/x/uwsgi'", "FATAL", "can't find command '/x/uwsgi'"),
        ("login                            STOPPED   Nov 23 05:27 PM", "STOPPED", "Nov 23 05:27 PM"),
        ("login                            STOPPED   Not started", "STOPPED", "Not started"),
        ("login                            STARTING  ", "STARTING", ""),
        ("login                            STARTING", "STARTING", ""),
        ("esb                              EXITED    Jul 30 09:41 AM", "EXITED", "Jul 30 09:41 AM"),
    ],
)  # fmt: skip
def test_programs_that_do_not_run(line, state, description):
    (program,) = programs(line + "\n").values()
    assert (program.state, program.description) == (state, description)
    assert program.pid is None and program.uptime_seconds is None


def test_a_program_in_a_group_keeps_its_group():
    assert list(programs("common:apiserver                 RUNNING   pid 5, uptime 0:00:01")) == [
        "common:apiserver"
    ]


def test_a_long_name_leaves_one_space_only():
    name = "a" * 40
    assert programs(f"{name} FATAL     Exited too quickly")[name].state == "FATAL"


def test_exit_code_3_of_supervisor_4_says_nothing():
    assert programs("login   STOPPED   Not started\n", rc=3)["login"].state == "STOPPED"


def test_warnings_of_python_next_to_a_status_do_not_disturb():
    out = "login   RUNNING   pid 5, uptime 0:00:01\n"
    assert programs(out, err="UserWarning: pkg_resources is deprecated")["login"].pid == 5


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ctl(f"unix://{SOCK} no such file\n"), f"unix://{SOCK} no such file"),
        (ctl(f"unix://{SOCK} no such file\n", rc=4), f"unix://{SOCK} no such file"),
        (ctl(f"unix://{SOCK} refused connection\n"), f"unix://{SOCK} refused connection"),
        (
            ctl("error: <class 'socket.error'>, [Errno 13] Permission denied: file: /usr/lib64/python2.7/socket.py line: 224\n"),
            "error: <class 'socket.error'>, [Errno 13] Permission denied: file: /usr/lib64/python2.7/socket.py line: 224",
        ),
        (
            ctl("", err="Traceback (most recent call last):\n  File \"x\", line 1\nImportError: No module named supervisor\n", rc=1),
            "ImportError: No module named supervisor",
        ),
        (ctl("", error="timeout", rc=None), "timeout"),
        (ctl("login  RUNNING  pid 5, uptime 0:00:01\n", error="timeout"), "timeout"),
        (ctl("", rc=2), "supervisorctl printed nothing"),
        (None, "supervisorctl was not run"),
        ("login RUNNING", "supervisorctl was not run"),
    ],
)  # fmt: skip
def test_no_status_but_words(answer, words):
    programs, reason = status_of(answer, Secrets())
    assert programs is None and english(reason) == words


def test_a_supervisor_without_programs_answers_nothing():
    assert status_of(ctl(""), Secrets()) == ((), None)


def test_configuration_with_comments_behind_values():
    supervisor = parsed()
    assert supervisor.socket_path == SOCK
    assert supervisor.logfile_path == f"{HOME}/logs/open_paas/supervisord_out.log"
    assert supervisor.pidfile_path == f"{HOME}/logs/open_paas/supervisord.pid"
    assert supervisor.conf_error is None
    login, paas = supervisor.programs_in_conf
    assert (login.name, login.startsecs, login.autorestart) == ("login", 1, "true")
    assert login.stdout_logfile == f"{HOME}/logs/open_paas/login_supervisord.log"
    assert (paas.startsecs, paas.autorestart, paas.stdout_logfile) == (0, "unexpected", None)


@pytest.mark.parametrize(
    "conf", ["no section\n", "[program:x\n", "[program:x]\nstartsecs=soon\n", "[a]\nb\n"]
)
def test_configuration_that_cannot_be_read(conf):
    assert parsed(conf).conf_error


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ("\n[program:x\n", "line 2 is in no section: [program:x"),
        ("[a]\nb\n", "line 2 has no =: 'b\\n'"),
    ],
)
def test_the_line_that_is_wrong(conf, words):
    assert english(parsed(conf).conf_error) == words


def test_the_included_file_that_is_wrong():
    conf = "[supervisord]\n[include]\nfiles = open_paas/*.conf\n"
    more = entry(f"{HOME}/etc/open_paas/login.conf", "[program:login\ncommand=x\n")
    problems = parsed(conf, **{"supervisor-include": [more]}).conf_refused
    assert [english(one) for one in problems] == [
        f"{HOME}/etc/open_paas/login.conf: line 1 is in no section: [program:login"
    ]


def test_configuration_that_may_not_be_read():
    denied = {"supervisor-conf": [entry(CONF, error="Permission denied")]}
    assert supervisors(denied, None, None, Secrets()).by_module["open_paas"].conf_error == "Permission denied"


def test_types_of_the_paths():
    supervisor = parsed(
        status=ctl(STATUS),
        later=ctl("login   FATAL     Exited too quickly\n"),
        **{
            "supervisor-sock-open_paas": [missing("/elsewhere"), entry(SOCK, type="socket", mode=0o700)],
            "supervisor-pid-open_paas": [entry(f"{HOME}/logs/open_paas/supervisord.pid", "20313\n")],
        },
    )
    assert supervisor.socket.permissions == "srwx------" and supervisor.socket.exists
    assert supervisor.pidfile_pid == 20313
    assert [program.state for program in supervisor.later] == ["FATAL"]
    assert len(supervisor.status) == 4


def test_missing_socket_and_socket_that_was_not_collected():
    assert not parsed(**{"supervisor-sock-open_paas": [missing(SOCK)]}).socket.exists
    assert parsed().socket is None


def test_variables_of_a_program():
    conf = '[program:x]\nenvironment=BK_ENV="production",PATH="/a:/b, c"\n'
    assert environment(entry(CONF, conf), "x", Secrets()) == {"BK_ENV": "production", "PATH": "/a:/b, c"}
    assert environment(entry(CONF, "broken"), "x", Secrets()) == {}


def test_an_option_of_a_program_hides_what_follows_it():
    text = "[program:x]\ncommand=/x/run --token Pl4nted1 --password 'Pl4nted2 Pl4nted3' --key=Pl4nted4 --ini /x.ini\n"
    path = f"{HOME}/etc/supervisor-open_paas.conf"
    found = supervisors({"supervisor-conf": [entry(path, text)]}, None, None, Secrets())
    (program,) = found.by_module["open_paas"].programs_in_conf
    assert "Pl4nted" not in program.command and program.command.endswith("--ini /x.ini")
