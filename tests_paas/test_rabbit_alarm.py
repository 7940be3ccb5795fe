"""RabbitMQ as its own log tells it: alarms and refused clients."""

from bkpaas.checks import (
    Deployment,
    Finding,
    HostView,
    NoData,
    case,
    clauses,
    condition,
    host_time,
    msg,
    series,
)


@condition("rabbit-alarm")
def test_rabbitmq_takes_messages(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """The log of RabbitMQ has no alarm that is set, and no recent refusal of a client."""
    log = host.logs.rabbit
    if log is None or not log.files:
        raise NoData(
            clauses(host.logs.problems) if host.logs.problems else msg("there is no log of RabbitMQ")
        )
    finding.add_evidence(series(log.files))
    assert not log.alarms, case(
        "alarm",
        "{file}: the alarm is set and not cleared: {alarms}",
        file=log.files[-1],
        alarms=", ".join(log.alarms),
    )
    minutes = deployment.thresholds.log_window_minutes
    since = host_time(host) - minutes * 60
    recent = [refusal for refusal in log.refusals if refusal.time is not None and refusal.time >= since]
    assert not recent, case(
        "refused",
        msg(
            "{file}: {count} refusals, the last {ago:.0f} s ago: {text}",
            file=log.files[-1],
            count=len(recent),
            ago=host_time(host) - (recent[-1].time or 0.0) if recent else 0.0,
            text=recent[-1].text if recent else "",
        ),
        count=len(recent),
        minutes=f"{minutes:.0f}",
    )
