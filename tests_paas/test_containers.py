"""FAQ: starting PaaS fails, on generation 6.2 and later: the containers of docker; hosts of several generations."""

from collections import Counter
from collections.abc import Iterable

from bkpaas.checks import (
    GENERATIONS,
    OPEN_PAAS_SERVICES,
    CaseMessage,
    Container,
    Containers,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    Missing,
    NoData,
    NotApplicable,
    Process,
    case,
    clauses,
    condition,
    container_of,
    container_of_service,
    log_time,
    msg,
    require_one_generation,
    series,
    service_of_container,
    several,
    unit_of_service,
    unread_nouns,
)

KILLED = 9
"""Number of the signal that the kernel sends for memory."""
EXIT_KILLED = 128 + KILLED
SHORT_ID = 12
"""Characters of an id that docker shows."""
NOT_LOADED = 22
"""Exit code of a uwsgi whose application does not load, with need-app."""


def _containers(host: HostView) -> Containers:
    """Return the host's containers. NotApplicable: another manager runs the services. NoData: no answer."""
    containers, manager = host.containers, host.services.manager
    if manager != "docker" and not containers.by_name:
        if containers.absent or manager is not None:
            raise NotApplicable(msg("no container of the platform: this host is of another generation"))
        raise NoData(msg("docker: {error}", error=containers.error or msg("no answer")))
    if containers.source is None:
        raise NoData(msg("docker: {error}", error=containers.error or msg("no answer")))
    return containers


def _components(names: list[str]) -> dict[str, str]:
    """Return what each container is about: its service of open_paas, else itself."""
    services = {name: service_of_container(name) for name in names}
    return {
        name: f"service:{service}" if service in OPEN_PAAS_SERVICES else f"unit:{name}"
        for name, service in services.items()
    }


def _fill(finding: Finding, names: list[str]) -> None:
    """Set the remedy values of these containers, and what they are about."""
    services = sorted(service_of_container(name) for name in names)
    if set(services) <= set(OPEN_PAAS_SERVICES):
        finding.affects_services(services)
    finding.set_remedy_values(
        containers=" ".join(sorted(names)) or "CONTAINERS", service=" ".join(services) or "SERVICE"
    )


@condition("container-state")
def test_all_containers_run(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """docker shows every container of the host's projects running, and none restarts."""
    containers = _containers(host)
    entry = deployment.host(host.name)
    required = [container_of_service(name) for name in OPEN_PAAS_SERVICES] if entry.has_role("paas") else []
    if entry.projects:
        required = [container_of_service(name) for name in entry.projects]
    wrong: dict[str, CaseMessage] = {}
    for name in dict.fromkeys((*required, *containers.by_name)):
        container = containers.by_name.get(name)
        if container is not None and _was_put_aside(container, containers):
            continue
        problem = _problem(host, containers, container) if container else _absent(containers)
        if problem:
            wrong[name] = problem
    _fill(finding, list(wrong))
    finding.add_evidence(", ".join(f"{one.name} {one.shown}" for one in containers.by_name.values()))
    assert not wrong, several(dict(sorted(wrong.items())), "containers", components=_components(list(wrong)))
    not_collected = [name for name in containers.by_name if name not in containers.later]
    if not_collected:
        names = " ".join(not_collected)
        raise NoData(msg("all run, but were not read again a moment later: {names}", names=names))


def _was_put_aside(container: Container, containers: Containers) -> bool:
    """Return whether a container has another name than that of a service and does not run, such as one kept as NAME-old."""
    other = service_of_container(container.name) == container.name
    return other and containers.now(container).state in ("exited", "created")


def _absent(containers: Containers) -> CaseMessage:
    return case(
        "not-created", "there is no such container; there are {names}", names=series(containers.by_name)
    )


def _problem(host: HostView, containers: Containers, container: Container) -> CaseMessage | None:
    """Return why a container does not run well; None if it does."""
    now = containers.now(container)
    if now.state == "paused":
        return case("paused", "paused")
    if containers.restarted(container, host.facts.far_apart):
        return case(
            "restarts",
            "another first process in round 2: pid {first}, then {then}",
            first=container.pid,
            then=now.pid,
        )
    if now.runs:
        if containers.source == "files" and host.processes.get(now.pid) is None:
            return case(
                "killed", "its first process, pid {pid}, is gone, and no daemon has noted it", pid=now.pid
            )
        return None
    hit = host.logs.start_errors.get(service_of_container(container.name))
    text = msg(
        "{state}, {oom}{error}{reason}",
        state=now.shown,
        oom="OOMKilled" if now.oom_killed else f"image {now.image}",
        error=f", {now.error}" if now.error else "",
        reason=f": {hit.text[:200]}" if hit else "",
    )
    if now.oom_killed:
        return case("out-of-memory", text)
    if now.state == "exited" and now.exit_code == NOT_LOADED:
        return case("application", text)
    if now.state == "exited" and now.exit_code == EXIT_KILLED:
        return case("killed", text)
    return case("exits", text)


@condition("container-processes")
def test_every_uwsgi_runs_in_its_container(host: HostView, finding: Finding) -> None:
    """Each master of open_paas's uwsgi is in the control group of the container of its service."""
    containers = _containers(host)
    first = {container.pid for container in containers.by_name.values() if container.pid}
    outside: dict[str, CaseMessage] = {}
    pids: list[int] = []
    copies: list[str] = []
    for master in host.processes.uwsgi_masters():
        group = host.units.group(master.pid)
        if copy := _copy(containers, master, container_of(group)):
            copies.append(copy)
            outside[master.service or ""] = case(
                "copy",
                "pid {pid} runs in the container {copies}, not in {containers}",
                pid=master.pid,
                copies=copy,
                containers=container_of_service(master.service or ""),
            )
            continue
        if master.pid in first or container_of(group):
            continue
        if f"/{unit_of_service(master.service or '')}.service" in (group or ""):
            continue  # not by hand: see process-manager and generation-mixed
        if group is None:
            raise NoData(msg("the control group of pid {pid} was not read", pid=master.pid))
        pids.append(master.pid)
        outside[master.service or ""] = case(
            "outside",
            "pid {pid} of uid {uid} runs in {group}",
            pid=master.pid,
            uid=master.uid,
            group=group or "/",
        )
    finding.affects_services(outside)
    finding.set_remedy_values(
        pids=" ".join(map(str, pids)) or "PIDS",
        copies=" ".join(sorted(set(copies))) or "CONTAINER",
        containers=" ".join(map(container_of_service, sorted(outside))) or "CONTAINERS",
    )
    assert not outside, several(dict(sorted(outside.items())), "services")


def _copy(containers: Containers, master: Process, id_: str | None) -> str | None:
    """Return the container in which a service's uwsgi runs, if it is another one than that of the service.

    id_: of the container of the process, from its control group.
    """
    if master.service not in OPEN_PAAS_SERVICES:
        return None
    name = container_of_service(master.service)
    read = [*containers.by_name.values(), *containers.later.values()]
    if any(one.name == name and (one.pid == master.pid or one.id == id_) for one in read):
        return None
    other = next((one for one in read if one.pid == master.pid or (id_ and one.id == id_)), None)
    return other.name if other else id_ and id_[:SHORT_ID]


LOGS = "logs/open_paas"
HOME_INSIDE = "/data/bkce"
"""BK_HOME in the containers, also where the host has another one. Source: the CE installer."""


@condition("container-definition")
def test_the_sources_of_bind_mounts_are_there(host: HostView, finding: Finding) -> None:
    """Every container has the network and the bind mounts of the installer, each with its source; a uwsgi file is a file."""
    wrong: dict[str, CaseMessage] = {}
    for container in _containers(host).by_name.values():
        for bind in container.binds:
            if bind.type == "dir" and bind.destination.endswith((".ini", ".conf")):
                problem = case("directory", "{file} is a directory", file=bind.source)
            elif bind.type == "missing":
                problem = case(
                    "gone", "{file} of {containers} is missing", file=bind.source, containers=container.name
                )
            else:
                continue
            wrong.setdefault(container.name, problem)
            finding.set_remedy_values(file=bind.source)
        if other := _other_definition(host, container):
            wrong.setdefault(container.name, other)
    _fill(finding, list(wrong))
    assert not wrong, several(dict(sorted(wrong.items())), "containers", components=_components(list(wrong)))
    unread = [one.name for one in _containers(host).by_name.values() if not one.network]
    if unread:
        raise NoData(msg("the network of {containers} was not read", containers=series(unread)))


def _other_definition(host: HostView, container: Container) -> CaseMessage | None:
    """Return how a container of open_paas was created otherwise than by the installer. Source: the CE installer."""
    home = host.system.install_root
    if service_of_container(container.name) not in OPEN_PAAS_SERVICES:
        return None
    if container.network not in ("", "host"):
        return case("network", "network {mode}", mode=container.network)
    if home is None or not container.binds:
        return None
    shared = _shared(container, home)
    if lost := [f"{home}/{path}" for path, source in shared.items() if source is None]:
        return case("no-mount", "no bind mount of {paths}", paths=series(lost))
    others = [
        f"{source} ({path})"
        for path, source in shared.items()
        if source != f"{home}/{path}" and path != LOGS  # which often are on a disk of their own
    ]
    if others and _take_files_below(home, host):
        return case("other-source", "not from {home}: {paths}", home=home, paths=series(others))
    return None


def _shared(container: Container, home: str) -> dict[str, str | None]:
    """Return the paths on the host of what a container of open_paas needs below its home; None: it does not have it."""
    service = service_of_container(container.name)
    needed = ("open_paas", LOGS, f"etc/uwsgi-open_paas-{service}.ini")
    return {path: _source(container, (f"{home}/{path}", f"{HOME_INSIDE}/{path}")) for path in needed}


def _source(container: Container, inside: Iterable[str]) -> str | None:
    """Return the path on the host of the first of these paths that a container shares."""
    for path in inside:
        for bind in container.binds:
            destination = bind.destination.rstrip("/")
            if f"{path}/".startswith(f"{destination}/"):
                return bind.source.rstrip("/") + path.removeprefix(destination)
    return None


def _take_files_below(home: str, host: HostView) -> bool:
    """Return whether any mount names the home of the host: it may be a link, and all mounts name where it leads."""
    return any(
        source == f"{home}/{path}"
        for container in _containers(host).by_name.values()
        if service_of_container(container.name) in OPEN_PAAS_SERVICES
        for path, source in _shared(container, home).items()
    )


@condition("container-memory")
def test_containers_have_enough_memory(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """No process of a running container is killed for memory."""
    containers = _containers(host)
    deaths = Counter(_killed_workers(host, deployment))
    wrong: dict[str, CaseMessage] = {}
    for container in containers.by_name.values():
        now = containers.now(container)
        limit = _size(now.memory)
        finding.add_evidence(f"{now.name} {limit}")
        count = deaths[service_of_container(now.name)]
        if now.state not in ("running", "paused"):
            continue  # see container-state
        if now.oom_kills or now.oom_killed:
            wrong[now.name] = case(
                "killed", "limit {limit}, killed for memory: {count}", limit=limit, count=now.oom_kills or 1
            )
        elif now.memory and count >= deployment.thresholds.worker_deaths:
            wrong[now.name] = case(
                "workers", "limit {limit}, workers killed by signal 9: {count}", limit=limit, count=count
            )
    _fill(finding, list(wrong))
    assert not wrong, several(dict(sorted(wrong.items())), "containers", components=_components(list(wrong)))
    if unread := unread_nouns(host, deployment, "logs", "system"):
        raise NoData(clauses(unread))


def _killed_workers(host: HostView, deployment: Deployment) -> list[str]:
    """Return the service of each worker that was killed lately; none where the logs could not be read."""
    if isinstance(host.facts.logs, Missing) or isinstance(host.facts.system, Missing):
        return []
    window = deployment.thresholds.log_window_minutes * 60
    return [
        death.service
        for death in host.facts.logs.worker_deaths
        if death.signal == KILLED and (death.time or 0) >= log_time(host, death.file) - window
    ]


def _size(memory: int | None) -> str:
    return "-" if memory is None else f"{memory / (1 << 20):g} MiB"


@condition("containers-equal")
def test_containers_of_both_hosts_are_equal(pair: tuple[HostView, HostView], finding: Finding) -> None:
    """Containers of the same name have the same image, user and memory limit on both hosts."""
    require_one_generation(*pair)
    first, second = (_containers(host).by_name for host in pair)
    wrong: dict[str, CaseMessage] = {}
    for name in sorted(first.keys() & second.keys()):
        one, other = first[name], second[name]
        finding.add_evidence(f"{name} {one.image}")
        if one.image != other.image or (one.image_id != other.image_id and one.image_id and other.image_id):
            wrong[name] = case("image", "{first} and {second}", first=one.image, second=other.image)
        elif one.user != other.user:
            wrong[name] = case(
                "user", "user {first} and {second}", first=one.user or "-", second=other.user or "-"
            )
        elif one.memory != other.memory:
            wrong[name] = case(
                "memory", "{first} and {second}", first=_size(one.memory), second=_size(other.memory)
            )
    _fill(finding, list(wrong))
    assert not wrong, several(wrong, "containers", components=_components(list(wrong)))


@condition("generation-mixed")
def test_paas_hosts_are_of_one_generation(
    deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """One process manager runs the services of all paas hosts, that of the inventory's generation."""
    managers: dict[str, list[str]] = {}
    for entry in deployment.selected("paas"):
        names = [
            GENERATIONS[name] for name in host_facts(entry.name).services.managers if name in GENERATIONS
        ]
        managers.setdefault(", ".join(sorted(names)), []).append(entry.name)
        assert len(names) < 2, case(
            "one-host", "{host_name}: {managers}", host_name=entry.name, managers=" + ".join(sorted(names))
        )
    managers.pop("", None)  # nothing runs there: see the conditions of that host
    text = "; ".join(f"{', '.join(names)}: {manager}" for manager, names in managers.items())
    finding.add_evidence(text)
    assert len(managers) < 2, case("hosts", "{managers}", managers=text)
    for manager in managers:
        is_older = manager == GENERATIONS["supervisord"]
        assert is_older == (deployment.generation == "5.x"), case(
            "inventory",
            "inventory {generation}; {managers}",
            generation=deployment.generation,
            managers=text,
        )
    unread = [
        reason
        for entry in deployment.selected("paas")
        for reason in unread_nouns(host_facts(entry.name), deployment, "processes", "units")
    ]
    if unread:
        raise NoData(clauses(dict.fromkeys(unread)))
