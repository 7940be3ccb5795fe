"""The words that a remedy leaves open: this host's real paths, addresses, ports and commands."""

from __future__ import annotations

from bkpaas.facts import HostFacts, Missing, Snapshot
from bkpaas.faq.model import Subject
from bkpaas.inventory.deployment import Deployment

_USUAL_HOME = "/data/bkce"


class _Slots(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return name.upper()


def fill(
    text: str, subject: Subject, deployment: Deployment, snapshot: Snapshot, found: dict[str, str]
) -> str:
    """A remedy with its slots filled; a slot nobody knows stays as its name in capitals."""
    slots = _Slots(
        domain=deployment.domain,
        domain_port=str(deployment.port),
        agent_port=str(deployment.service_port("agent_nginx")),
        paas_agent_port=str(deployment.service_port("paas_agent")),
        home=deployment.home or _USUAL_HOME,
        nginx="nginx",
        service="SERVICE",
    )
    if subject.hosts:
        slots.update(_of_host(subject.hosts[0], deployment, snapshot.hosts.get(subject.hosts[0])))
        slots.update(_of_link(subject, deployment))
    slots.update(found)
    return text.format_map(slots)


def _of_host(name: str, deployment: Deployment, facts: HostFacts | None) -> dict[str, str]:
    host = deployment.host(name)
    spec = host.connection.spec.partition("://")[2]
    slots = {"host": name, "address": host.address, "user": spec.partition("@")[0] if "@" in spec else "root"}
    home = deployment.home
    if facts is not None and not isinstance(facts.system, Missing):
        home = facts.system.home or home
    home = home or _USUAL_HOME
    conf = f"{home}/etc/supervisor-open_paas.conf"
    binary = f"{home}/.envs/open_paas/bin"
    slots |= {
        "home": home,
        "conf": conf,
        "sock": f"{home}/logs/open_paas/supervisor.sock",
        "supervisorctl": f"{binary}/python {binary}/supervisorctl -c {conf}",
        "supervisord": f"{binary}/python {binary}/supervisord -c {conf}",
        "agent_supervisorctl": f"{home}/.envs/paas_agent/bin/supervisorctl "
        f"-c {home}/etc/supervisor-paas_agent.conf",
    }
    return slots


def _of_link(subject: Subject, deployment: Deployment) -> dict[str, str]:
    if len(subject.hosts) < 2:
        return {}
    first, second = (deployment.host(name) for name in subject.hosts)
    return {
        "source": first.name,
        "source_address": first.address,
        "target": second.name,
        "target_address": second.address,
        "first": first.name,
        "second": second.name,
    }
