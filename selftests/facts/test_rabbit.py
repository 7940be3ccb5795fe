"""The log of RabbitMQ: alarms that are set, clients that are refused, in the formats of 3.6 and 3.8."""

from __future__ import annotations

from datetime import datetime, timezone

from bkpaas.facts.rabbit import RabbitLog, rabbit_log

NEW = """\
2026-11-29 10:01:02.103 [notice] <0.44.0> Starting RabbitMQ 3.10.8 on Erlang 25.2.3
2026-11-29 10:18:00.123 [warning] <0.377.0> memory resource limit alarm set on node 'rabbit@data-1'.
"""
OLD = """\
=WARNING REPORT==== 29-Nov-2026::10:18:00 ===
disk resource limit alarm set on node 'rabbit@data-1'.

**********************************************************
*** Publishers will be blocked until this alarm clears ***
**********************************************************
"""
REFUSED = """\
2026-11-29 10:18:05.001 [error] <0.900.0> Error on AMQP connection <0.900.0> (10.0.1.3:5000 -> 10.0.1.5:5672, state: starting):
2026-11-29 10:18:05.001 [error] <0.900.0> PLAIN login refused: user 'bk_app' - invalid credentials
"""


def read(*texts: str) -> RabbitLog | None:
    return rabbit_log(
        [(f"/var/log/{number}", text) for number, text in enumerate(texts)],
        lambda text, form: datetime.strptime(text, form).replace(tzinfo=timezone.utc).timestamp(),
        str.upper,
    )


def alarms(*texts: str) -> tuple[str, ...]:
    found = read(*texts)
    assert found is not None
    return found.alarms


def test_alarms_of_both_formats() -> None:
    assert alarms(NEW) == ("memory",) and alarms(OLD) == ("disk",) and alarms(NEW, OLD) == ("memory", "disk")


def test_a_cleared_alarm_and_a_start_end_it() -> None:
    assert alarms(NEW.replace(" set ", " set ") + NEW.splitlines()[1].replace("set", "cleared")) == ()
    assert alarms(OLD, NEW.splitlines()[0]) == ()


def test_refusals_have_their_time_and_are_redacted() -> None:
    found = read(REFUSED)
    assert found is not None and len(found.refusals) == 1
    assert found.refusals[0].text.startswith("LOGIN REFUSED: USER 'BK_APP'")
    assert found.refusals[0].time == datetime(2026, 11, 29, 10, 18, 5, tzinfo=timezone.utc).timestamp()


def test_without_a_log_it_is_unknown() -> None:
    assert read() is None
