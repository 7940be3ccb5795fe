"""Decide from mode and owner what an account may do with a path, and which directories nginx cannot use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bkpaas.facts import FileFact, HostView, Missing, Process
from bkpaas.facts.nginx_temporary import Directories, temporary_directories
from bkpaas.facts.startup import directories
from bkpaas.inventory.platform import NGINX_CONFS
from bkpaas.messages import Message, msg

READ, WRITE, EXECUTE = 4, 2, 1


def may_use(fact: FileFact, uid: int | None, wanted: int) -> bool:
    """Return whether an account may use a path; true where a group may decide, since groups are not known."""
    mode = fact.mode or 0
    if uid is None:
        return True
    if uid == 0:
        return not (wanted == EXECUTE and fact.type == "file") or bool(mode & 0o111)
    if fact.uid == uid:
        return (mode >> 6) & wanted == wanted
    return (mode | mode >> 3) & wanted == wanted


def worker_uids(host: HostView) -> set[int]:
    """Return the accounts of nginx's workers; where several nginx run, of the one whose files were read first."""
    masters = host.processes.nginx_masters()
    own = [one.pid for one in masters if len(masters) == 1 or _has_main(one, host)] or [
        one.pid for one in masters
    ]
    return {
        process.uid
        for process in host.processes.items
        if process.uid is not None
        and process.command.startswith("nginx: worker process")
        and host.processes.descends_from_any(process.pid, own)
    }


def _has_main(master: Process, host: HostView) -> bool:
    """Return whether a master of nginx was started with the main file of the platform's nginx."""
    words = master.command.split()
    named = words[words.index("-c") + 1 :][:1] if "-c" in words else []
    nginx = host.facts.nginx
    return not isinstance(nginx, Missing) and (
        named == [nginx.main] or (not named and nginx.main in NGINX_CONFS)
    )


def closed_path(
    path: str, facts: dict[str, FileFact], uids: Iterable[int], wanted: int
) -> tuple[str, Message] | None:
    """Return the path or the first directory to it that is missing or closed to an account, and why; None: none known."""
    for place in (*directories(path), path):
        fact = facts.get(place)
        if fact is None or (fact.error is not None and fact.mode is None):
            return None
        if fact.type in ("missing", "symlink"):
            return place, msg("{place} does not exist", place=place)
        needed = wanted if place == path else EXECUTE
        refused = [uid for uid in sorted(uids) if not may_use(fact, uid, needed)]
        if refused:
            return place, msg(
                "{place} is {permissions} of uid {owner}, the workers of nginx run as uid {uid}",
                place=place,
                permissions=fact.permissions,
                owner=fact.uid,
                uid=refused[0],
            )
    return None


def unusable_directories(host: HostView, names: Iterable[str]) -> list[tuple[str, Message]]:
    """Return the directories for bodies that nginx cannot use, and why; none if one set of directories is usable.

    names: body, proxy or uwsgi, as the host needs them. Raises NoData if the paths or the files of nginx were not read.
    """
    masters, paths, configured = host.processes.nginx_masters(), host.startup.paths, host.nginx.temporary
    candidates = temporary_directories(configured, masters[0].exe) if masters else ()
    present = [one for one in candidates if configured or _exists(one, paths)]
    problems = [list(_problems(one, host, names)) for one in present]
    return problems[0] if problems and all(problems) else []


def _exists(one: Directories, paths: dict[str, FileFact]) -> bool:
    """Return whether one of the directories is there; nginx makes all of them at its start."""
    return any(path in paths and paths[path].type == "dir" for path in (one.body, one.proxy, one.uwsgi))


def _problems(one: Directories, host: HostView, names: Iterable[str]) -> Iterator[tuple[str, Message]]:
    for name in names:
        if path := getattr(one, name):
            problem = closed_path(path, host.startup.paths, worker_uids(host), WRITE | EXECUTE)
            if problem is not None:
                yield problem
