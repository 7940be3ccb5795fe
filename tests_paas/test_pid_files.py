"""The pid files of nginx and of the uwsgi services name the masters that run."""

from collections.abc import Iterator
from shlex import quote

from bkpaas.checks import (
    CaseMessage,
    Deployment,
    Finding,
    HostView,
    Missing,
    NoData,
    NotApplicable,
    Process,
    case,
    clauses,
    condition,
    container_of,
    ended_between_rounds,
    msg,
    pid_files,
    require_no_problems,
    series,
    unread_nouns,
)


@condition("pid-files")
def test_pid_files_name_the_masters(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """The pid files of nginx and of the uwsgi services exist and name the running master."""
    startup = host.startup
    wrong: dict[str, list[CaseMessage]] = {}
    files = list(_masters(host))
    unread = [path for _, path, _ in files if path not in (*startup.pids, *startup.absent_pids)]
    restarted = [name for name, _, master in files if ended_between_rounds(host, master.pid)]
    for name, path, master in files:
        written, pid = startup.pids.get(path), master.pid
        finding.add_evidence(f"{path} {written}")
        if name in restarted:
            continue
        if path in startup.absent_pids:
            gone = case(
                "gone", "{path} does not exist, while {program} {pid} runs", path=path, program=name, pid=pid
            )
            wrong.setdefault(name, []).append(gone)
        elif path in startup.pids and written != pid:
            other = case(
                "wrong",
                "{path} has {written}, the master of {program} is {pid}",
                path=path,
                written=written if written is not None else "",
                program=name,
                pid=pid,
            )
            wrong.setdefault(name, []).append(other)
    steps = [
        f"kill -0 {master.pid} && echo {master.pid} > {quote(path)}"
        for name, path, master in files
        if name in wrong and startup.pids.get(path) != master.pid
    ]
    finding.set_remedy_values(edit="; ".join(steps))
    require_no_problems(wrong, finding)
    if missing := unread_nouns(host, deployment, "nginx", "services"):
        raise NoData(clauses(missing))
    if not files and host.services.manager == "docker":
        raise NotApplicable(msg("the pid files of services in containers hold the pids of the container"))
    if not files:
        raise NotApplicable(msg("no running master has a pid file in its configuration"))
    if unread:
        raise NoData(msg("not read: {paths}", paths=", ".join(unread[:3])))
    if restarted:
        raise NoData(msg("{program} was restarted between the two rounds", program=series(restarted)))


def _masters(host: HostView) -> Iterator[tuple[str, str, Process]]:
    """Yield (program, pid file, master) where one master runs."""
    for path, name in pid_files(host.facts).items():
        masters = host.processes.nginx_masters() if name == "nginx" else host.processes.uwsgi_masters(name)
        groups = (
            [] if isinstance(host.facts.units, Missing) else [host.units.group(one.pid) for one in masters]
        )
        if any(container_of(group) for group in groups):
            continue  # the file has the pid that the process has in its container
        if len(masters) == 1:
            yield name, path, masters[0]
