"""File systems: space, inodes, removed files that are still open, and mounts that became read-only."""

from shlex import quote

from bkpaas.checks import (
    OPEN_PAAS_SERVICES,
    CaseMessage,
    Deployment,
    Disk,
    Finding,
    Holder,
    HostView,
    Message,
    NoData,
    case,
    condition,
    lines,
    msg,
    several,
)

HOLDERS_NAMED = 3


@condition("disk-space")
def test_no_file_system_is_full(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """There is room, and inodes, on every file system that BlueKing writes to; none is read-only."""
    limit = deployment.thresholds.disk_free_percent
    wrong, unread = _shortages(host, limit, finding)
    wrong |= {
        disk.path: case("read-only", "mounted read-only") for disk in _file_systems(host) if disk.readonly
    }
    _report(wrong, unread, finding)


@condition("disk-headroom")
def test_file_systems_have_room_left(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """There is some room left on every file system that BlueKing writes to."""
    limit = deployment.thresholds.disk_headroom_percent
    _report(*_shortages(host, limit, finding), finding)


def _file_systems(host: HostView) -> list[Disk]:
    """Return one path of each file system, the first."""
    by_figures = {disk.file_system: disk for disk in reversed(host.disks.items)}
    return [disk for disk in host.disks.items if by_figures[disk.file_system] is disk]


def _shortages(
    host: HostView, limit: float, finding: Finding
) -> tuple[dict[str, CaseMessage], list[Message | str]]:
    """Return the file systems with less room than the limit, by path, the fullest first; and what was not read.

    One that is mounted read-only is left out: room on it changes nothing.
    """
    full: dict[str, tuple[float, CaseMessage]] = {}
    least: list[tuple[float, Message]] = []
    unread: list[Message | str] = []
    for disk in _file_systems(host):
        try:
            space, inodes = disk.free_percent, disk.free_inodes_percent
        except NoData as gap:
            unread.append(gap.message())
            continue
        least.append((space, msg("{path}: {percent:.1f} % of space free", path=disk.path, percent=space)))
        if disk.readonly:
            continue
        if inodes is not None and inodes < limit and inodes < space:
            full[disk.path] = inodes, _without_inodes(disk, inodes, limit)
        elif space < limit:
            full[disk.path] = space, _without_space(host, disk, limit)
    if not host.disks.items:
        raise NoData(msg("no file system was collected"))
    if least:
        finding.add_evidence(min(least, key=lambda one: one[0])[1])
    return {path: one for path, (_, one) in sorted(full.items(), key=lambda item: item[1][0])}, unread


def _report(wrong: dict[str, CaseMessage], unread: list[Message | str], finding: Finding) -> None:
    if wrong:
        finding.set_remedy_values(disk=quote(next(iter(wrong))))
    components = {path: f"path:{path}" for path in wrong}
    assert not wrong, several(wrong, "paths", components)
    if unread:
        raise NoData(lines(unread))


def _without_inodes(disk: Disk, percent: float, limit: float) -> CaseMessage:
    return case(
        "inodes",
        "{percent} % of the inodes free, needed {limit} % ({space} % of the space is free)",
        percent=f"{percent:.1f}",
        limit=limit,
        space=f"{disk.free_percent:.1f}",
    )


def _without_space(host: HostView, disk: Disk, limit: float) -> CaseMessage:
    """Return the case of too little space: held by removed files if these alone would be enough."""
    percent = f"{disk.free_percent:.1f}"
    holders = disk.holders or ()
    enough = 100 * ((disk.bytes_available or 0) + disk.held_bytes) / (disk.bytes or 1) >= limit
    if not holders or not enough:
        return case("full", "{percent} % of space free, needed {limit} %", percent=percent, limit=limit)
    service = _service(host, holders[0].pid)
    names = ", ".join(_holder(host, holder) for holder in holders[:HOLDERS_NAMED])
    if service is None:
        return case(
            "held",
            "{percent} % of space free, needed {limit} %; {size} are in removed files that pid {pids} has open ({holders})",
            percent=percent,
            limit=limit,
            size=_size(disk.held_bytes),
            pids=holders[0].pid,
            holders=names,
        )
    return case(
        "held-by-service",
        "{percent} % of space free, needed {limit} %; {size} are in removed files that {service} (pid {pids}) has open ({holders})",
        percent=percent,
        limit=limit,
        size=_size(disk.held_bytes),
        service=service,
        pids=holders[0].pid,
        holders=names,
    )


def _size(number: int) -> str:
    return f"{number / 1048576:.1f} MB"


def _holder(host: HostView, holder: Holder) -> str:
    process = host.processes.get(holder.pid)
    return f"{process.name if process else holder.pid}: {_size(holder.bytes)}"


def _service(host: HostView, pid: int) -> str | None:
    """Return the service of open_paas that a process belongs to."""
    for service in OPEN_PAAS_SERVICES:
        masters = [master.pid for master in host.processes.uwsgi_masters(service)]
        if host.processes.descends_from_any(pid, masters):
            return service
    return None
