"""After an upgrade: the same version on all hosts of a role."""

from __future__ import annotations

from bkpaas.checks import (
    OPEN_PAAS_SERVICES,
    CaseMessage,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    Message,
    NotApplicable,
    case,
    combined,
    condition,
    joined,
    labelled,
    lines,
    msg,
    series,
)

PLUGINS = "paas_plugins"
PAAS_MODULES = ("open_paas", *OPEN_PAAS_SERVICES, "console", "apigw", PLUGINS)
AGENT_MODULES = ("paas_agent", PLUGINS)

Readings = dict[str, dict[str, str]]
"""Versions by module and host."""


@condition("versions-equal")
def test_hosts_of_a_role_have_the_same_version(
    deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Each module has the same version on all paas hosts, and on all app hosts."""
    paas = [host_facts(entry.name) for entry in deployment.selected("paas")]
    apps = [host_facts(entry.name) for entry in deployment.selected("appo", "appt")]
    compared = {"paas": _of_paas(paas), "agents": _shared(apps, AGENT_MODULES)}
    for readings in compared.values():
        for module, versions in readings.items():
            finding.add_evidence(f"{module} {', '.join(sorted(set(versions.values())))}")
    problems = [problem for name, readings in compared.items() if (problem := _problem(name, readings))]
    assert not problems, combined(problems, lines(problem.evidence for problem in problems))
    if not any(compared.values()):
        raise NotApplicable(msg("no two hosts of a role have the file VERSION of the same module"))


def _of_paas(hosts: list[HostView]) -> Readings:
    """Return the versions of open_paas on hosts of one generation; those of code that is in images are not in files."""
    managers = {host.services.manager for host in hosts} - {None}
    if len(managers) > 1:
        return {}
    return _shared(hosts, (PLUGINS,) if "docker" in managers else PAAS_MODULES)


def _shared(hosts: list[HostView], modules: tuple[str, ...]) -> Readings:
    """Return the versions of the modules that at least two hosts have. Raises NoData for a host without facts."""
    found: Readings = {}
    for host in hosts:
        for module in modules:
            if version := _plain(host.versions.by_name.get(module, "")):
                found.setdefault(module, {})[host.name] = version
    return {module: versions for module, versions in found.items() if len(versions) > 1}


def _plain(version: str) -> str:
    """Return a version without what different releases write around it: V3.2.5, "3.2.5"."""
    return version.strip("\ufeff \t\"'").lower().removeprefix("v")


def _problem(name: str, readings: Readings) -> CaseMessage | None:
    texts = {
        module: _by_version(versions)
        for module, versions in readings.items()
        if len(set(versions.values())) > 1
    }
    if not texts:
        return None
    evidence = lines(labelled(module, text) for module, text in texts.items())
    modules, first = series(texts), next(iter(texts.values()))
    if name == "paas":
        return case("paas", evidence, modules=modules, versions=first)
    return case("agents", evidence, modules=modules, versions=first)


def _by_version(versions: dict[str, str]) -> Message:
    """Return which hosts have each version."""
    hosts: dict[str, list[str]] = {}
    for name, version in versions.items():
        hosts.setdefault(version, []).append(name)
    return joined(
        "; ",
        (
            msg("{version} on {hosts}", version=version, hosts=series(names))
            for version, names in hosts.items()
        ),
    )
