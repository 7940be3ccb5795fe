"""The prose of --plan: per host what would be read and requested, for a person; nothing is sent."""

from __future__ import annotations

from bkpaas.collect.plan import round_1
from bkpaas.facts.query import Plan
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment
from bkpaas.messages import Message, joined, lines, msg, plural, series


def describe(deployment: Deployment) -> Message:
    """Return the text of --plan."""
    text: list[Message | str] = [
        msg(
            "{source}: generation {generation}, {hosts}, domain {domain}; nothing has been sent",
            source=deployment.source,
            generation=deployment.generation,
            hosts=plural("{count} host", "{count} hosts", count=len(deployment.selected())),
            domain=deployment.domain,
        )
    ]
    text += [msg("  note: {note}", note=note) for note in deployment.notes]
    for host in deployment.selected():
        planned = [joined(" ", ["   ", line]) for line in _described(round_1(host, deployment))]
        head = f"{host.name}  {host.address}  {','.join(host.roles)}  {host.connection.spec}"
        text += ["", lines([head, *planned])]
    return lines([*text, *_later_requests(deployment)])


def _later_requests(deployment: Deployment) -> list[Message | str]:
    """Return the lines about the controller and round 2."""
    text: list[Message | str] = ["", msg("then, depending on the answers of round 1:")]
    paths = dict.fromkeys(
        (
            *platform.domain_healthz_paths(deployment).values(),
            *platform.domain_paths(deployment),
            platform.IS_LOGIN_PATH,
        )
    )
    text += [
        msg("    controller: GET {url}", url=f"{deployment.scheme}://{deployment.domain}{path}")
        for path in paths
    ]
    text.append(
        msg(
            "    controller: GET {url} and the redirects from there within the domain, without cookies",
            url=deployment.url(platform.PLATFORM_PATH),
        )
    )
    text += [
        msg("    controller: TCP connection to {endpoint}", endpoint=f"{address}:{deployment.port}")
        for address in deployment.virtual_addresses
    ]
    if deployment.scheme == "https":
        text.append(
            msg(
                "    controller: TLS handshake with the domain and with every nginx host, to see their certificates; hosts that request login: one more GET of is_login, verified with their own trust store"
            )
        )
    text.append(
        msg(
            "    paas hosts: GET healthz and one harmless page of each service; one login to each database with the account in the settings, a fixed list of SELECT and SHOW, then COM_QUIT (without an account no connection); paas_agent and 8010 of each app host; nginx hosts: GET / of each upstream server in their files; app hosts: their own 8010 and paas_agent, and for each application (50 at most) one GET on its own socket, one through their nginx and one through the domain; every host that requests login: GET is_login without a token through the domain"
        )
    )
    text.append(
        msg(
            "    paas hosts: GET /, health, settings, mappings, indices, disks and the newest documents of Elasticsearch at the addresses in the settings of paas; hosts of log_agent and log_parser: PING, TYPE, LLEN, INFO and CONFIG GET of the redis in their configuration; both with the configured login"
        )
    )
    return text


def _described(plan: Plan) -> list[Message]:
    disks = series(plan["disks"])
    text = [
        msg("/proc (processes, sockets, addresses), clock, time zone, free space of {disks}", disks=disks)
    ]
    text += [
        msg("read {path}", path=file["path"]) if file["read"] else msg("stat {path}", path=file["path"])
        for file in plan["files"]
    ]
    text += [
        msg("read the last {number} bytes of {path}", number=tail["bytes"], path=tail["path"])
        for tail in plan["tails"]
    ]
    if "nginx" in plan:
        text.append(msg("read {path}", path=f"{' '.join(plan['nginx']['confs'])} + include"))
    text += [
        msg("run {command}", command=f"supervisorctl -c {entry['conf']} status")
        for entry in plan["supervisor"]
    ]
    text.append(msg("run {command}", command="chronyc -n tracking | ntpq -pn"))
    for entry in plan["resolve"]:
        if "routes" in entry:
            text.append(msg("ask the kernel for routes to {addresses}", addresses=series(entry["routes"])))
        else:
            text.append(msg("resolve {name}", name=entry["name"]))
    return text
