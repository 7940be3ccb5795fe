"""BASE_APP_PATH: where paas_agent puts the applications."""

from bkpaas.checks import (
    FileFact,
    Finding,
    HostView,
    NoData,
    NotApplicable,
    app_directories,
    case,
    condition,
    directories,
    msg,
)

WRITE, EXECUTE = 2, 1


@condition("agent-app-path")
def test_agent_can_create_applications(host: HostView, finding: Finding) -> None:
    """BASE_APP_PATH of paas_agent is a directory in which its account can create files."""
    config = host.agent.config
    if config is None or not config.files:
        raise NoData(msg("there is no paas_agent_config.yaml on this host"))
    if not config.base_app_path:
        raise NotApplicable(msg("{file} has no BASE_APP_PATH", file=config.files[0].path))
    file, base = config.files[0].path, config.base_app_path
    finding.names_components("setting", ["BASE_APP_PATH"])
    assert base.startswith("/"), case(
        "relative", "{file}: BASE_APP_PATH {path} is not an absolute path", file=file, path=base
    )
    uids = {one.uid for one in host.processes.named("paas_agent") if one.uid is not None}
    uid = uids.pop() if len(uids) == 1 else None
    paths = app_directories(host.facts)
    known = host.startup.paths
    for path in (*directories(paths[0]), *paths):
        fact = known.get(path)
        if fact is None or (fact.error is not None and fact.mode is None and fact.type != "symlink"):
            raise NoData(msg("not read: {paths}", paths=path))
        if fact.type == "missing" and path in paths[1:]:
            continue  # the agent creates it
        assert fact.type not in ("missing", "symlink"), case(
            "missing",
            "{file}: BASE_APP_PATH is {path}, {place} does not exist",
            file=file,
            path=base,
            place=path,
        )
        assert fact.type == "dir", case(
            "not-a-directory",
            "{file}: BASE_APP_PATH is {path}, {place} is not a directory",
            file=file,
            path=base,
            place=path,
        )
        wanted = WRITE | EXECUTE if path in paths[1:] or _is_created(path, paths, known) else EXECUTE
        assert _may(fact, uid, wanted), case(
            "no-access",
            "{file}: BASE_APP_PATH is {path}; {place} is {permissions} of uid {owner}, paas_agent runs as uid {uid}",
            file=file,
            path=base,
            place=path,
            permissions=fact.permissions,
            owner=fact.uid,
            uid=uid,
        )
    finding.add_evidence(base)


def _is_created(path: str, paths: tuple[str, ...], known: dict[str, FileFact]) -> bool:
    """Return whether the agent has to create the directory of the applications in this one."""
    apps = known.get(paths[1])
    return path == paths[0] and apps is not None and apps.type == "missing"


def _may(fact: FileFact, uid: int | None, wanted: int) -> bool:
    """Return whether an account may use a directory; true where a group may decide, since groups are not known."""
    if uid is None or uid == 0:
        return True
    mode = fact.mode or 0
    if fact.uid == uid:
        return (mode >> 6) & wanted == wanted
    return (mode | mode >> 3) & wanted == wanted
