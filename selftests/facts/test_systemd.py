"""The units of systemd: what systemctl show prints, in both rounds, and the control groups of processes."""

import pytest

from bkpaas.facts.secrets import Secrets
from bkpaas.facts.systemd import Unit, Units, units

SHOW = """MainPID=2844
Result=success
NRestarts=0
ExecMainPID=2844
ExecMainCode=0
ExecMainStatus=0
ControlGroup=/system.slice/bk-paas-login.service
Id=bk-paas-login.service
LoadState=loaded
ActiveState=active
SubState=running
FragmentPath=/lib/systemd/system/bk-paas-login.service
DropInPaths=
UnitFileState=enabled
NeedDaemonReload=no

MainPID=0
Result=success
NRestarts=0
Id=bk-paas-console.service
LoadState=not-found
ActiveState=inactive
SubState=dead
FragmentPath=
UnitFileState=
"""
LOOP = SHOW.replace("MainPID=2844\nResult=success\nNRestarts=0", "MainPID=0\nResult=exit-code\nNRestarts=3").replace(
    "ExecMainCode=0\nExecMainStatus=0", "ExecMainCode=1\nExecMainStatus=22"
).replace("ActiveState=active\nSubState=running", "ActiveState=activating\nSubState=auto-restart")  # fmt: skip
OLD = "\n".join(line for line in SHOW.splitlines() if not line.startswith("NRestarts"))
"""Constructed from the manual of systemd 219: it has no NRestarts."""


def answer(out=SHOW, err="", rc=0, booted=True, cgroups=None):
    show = {"argv": [], "rc": rc, "out": out, "err": err, "error": None}
    return {"booted": booted, "cgroups": cgroups or {}, "show": show if booted else None}


def parsed(first=SHOW, second=None) -> Units:
    later = answer(second) if second else None
    return units(answer(first), later, Secrets())


def login(facts: Units) -> Unit:
    return facts.by_name["bk-paas-login.service"]


def test_properties_are_read_by_name_in_any_order():
    unit = login(parsed())
    assert (unit.state, unit.pid, unit.restarts, unit.enabled) == ("active (running)", 2844, 0, "enabled")
    assert unit.exists and not unit.needs_reload and unit.end == ""


def test_a_unit_that_does_not_exist_is_not_present():
    facts = parsed()
    assert [unit.name for unit in facts.present] == ["bk-paas-login.service"]


def test_a_loop_is_seen_in_either_round():
    assert parsed(LOOP).restarted(login(parsed(LOOP)))
    facts = parsed(SHOW, LOOP)
    assert facts.restarted(login(facts)) and login(parsed(LOOP)).end == "code=exited, status=22"


def test_a_loop_between_two_running_states_is_seen_by_its_counter_or_its_pid():
    counted = SHOW.replace("NRestarts=0\nExec", "NRestarts=1\nExec")
    facts = parsed(SHOW, counted)
    assert facts.restarted(login(facts))
    facts = parsed(OLD, OLD.replace("MainPID=2844\nResult", "MainPID=2901\nResult"))
    assert login(facts).restarts is None and facts.restarted(login(facts))


def test_a_constant_counter_is_not_a_loop():
    """NRestarts keeps its value after an earlier loop."""
    old = SHOW.replace("NRestarts=0\nExec", "NRestarts=5\nExec")
    facts = parsed(old, old)
    assert not facts.restarted(login(facts))


def test_without_the_bus_the_reason_is_kept():
    facts = units(answer("", "Failed to connect to bus: Connection refused\n", 1), None, Secrets())
    assert facts.by_name == {} and str(facts.error) == "Failed to connect to bus: Connection refused"


OLD_BUS = "Failed to get D-Bus connection: Operation not permitted"
"""Constructed from the sources of systemd 219: its text without a bus."""
OLD_GAVE_UP = OLD.replace(
    "ActiveState=active\nSubState=running", "ActiveState=failed\nSubState=failed"
).replace("MainPID=2844\nResult=success", "MainPID=0\nResult=start-limit")
"""Constructed: systemd 219 names the limit of starts start-limit, later versions start-limit-hit."""


def test_the_texts_of_systemd_219() -> None:
    facts = units(answer("", f"{OLD_BUS}\n", 1), None, Secrets())
    assert facts.booted and str(facts.error) == OLD_BUS
    unit = login(parsed(OLD_GAVE_UP))
    assert (unit.active, unit.result, unit.restarts) == ("failed", "start-limit", None)


def test_another_init_is_not_booted():
    facts = units(answer(booted=False), None, Secrets())
    assert not facts.booted and facts.error


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("9:name=systemd:/\n8:pids:/\n0::/system.slice/bk-paas-login.service\n", "/system.slice/bk-paas-login.service"),
        ("9:name=systemd:/system.slice/bk-paas-login.service\n8:pids:/x\n1:cpu:/\n", "/system.slice/bk-paas-login.service"),
        ("0::/user.slice/user-0.slice/session-3.scope\n", "/user.slice/user-0.slice/session-3.scope"),
        ("12:cpu:/docker/0123\n1:name=systemd:/docker/0123\n", "/docker/0123"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_control_group_is_that_of_systemd(text, group):
    facts = units(answer(cgroups={"7": text}), None, Secrets())
    assert facts.group(7) == group and facts.group(8) is None


COMMAND = "ExecStart={ path=/bin/bash ; argv[]=/bin/bash -c /v/bin/uwsgi --ini %s --x=pa55word ; ignore_errors=no ; pid=0 }"


def _with(*lines: str) -> str:
    return SHOW.replace("NeedDaemonReload=no", "\n".join(("NeedDaemonReload=no", *lines)), 1)


def test_of_a_command_only_the_uwsgi_file_is_kept():
    ini = "/data/bkce/etc/uwsgi-open_paas-paas.ini"
    unit = login(parsed(_with(COMMAND % ini, "Restart=no")))
    assert (unit.ini, unit.service_of_ini, unit.restart) == (ini, "paas", "no")
    assert "pa55word" not in repr(unit)
    assert login(parsed()).service_of_ini is None


@pytest.mark.parametrize(
    "text", ["", "{ path=/usr/bin/java ; argv[]=/usr/bin/java -jar x.jar }", "{ --ini /x/own.ini ; }"]
)
def test_a_command_without_a_uwsgi_file_of_the_platform_has_no_service(text):
    assert login(parsed(_with(f"ExecStart={text}"))).service_of_ini is None
