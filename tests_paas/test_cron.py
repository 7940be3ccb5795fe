"""Jobs of cron that stop what supervisor, systemd and docker keep running."""

from __future__ import annotations

from bkpaas.checks import Finding, HostView, NoData, case, clauses, condition, lines, msg


@condition("cron-jobs")
def test_no_job_ends_the_services(host: HostView, finding: Finding) -> None:
    """No job of cron ends programs of the platform, or restarts them more than once a day."""
    cron = host.cron
    places = {
        one: msg(
            "{path}:{line}: {schedule} {command}",
            path=one.path,
            line=one.line,
            schedule=one.schedule,
            command=one.command,
        )
        for one in cron.jobs
    }
    ends = [one for one in cron.jobs if one.action == "ends" and one.schedule != "@reboot"]
    often = [one for one in cron.jobs if one.action == "restarts" and not one.is_rare]
    finding.add_evidence(msg("{number} tables of cron were read", number=cron.files))
    assert not ends, case(
        "ends", lines(places[one] for one in ends), place=f"{ends[0].path}:{ends[0].line}" if ends else ""
    )
    assert not often, case(
        "restarts-often",
        lines(places[one] for one in often),
        place=f"{often[0].path}:{often[0].line}" if often else "",
    )
    if cron.unread:
        raise NoData(clauses(cron.unread))
    if host.system.uid not in (0, None):
        raise NoData(
            msg("the tables of the accounts in {path} are readable by root only", path="/var/spool/cron")
        )
