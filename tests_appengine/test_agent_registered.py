"""The app hosts in the table of appengine: with the address, port, category and token that they have."""

import re
from collections.abc import Iterator, Sequence

from bkpaas.checks import (
    AgentConfig,
    DatabaseAccount,
    DatabaseState,
    Deployment,
    Finding,
    Host,
    HostLookup,
    HostView,
    HttpName,
    Message,
    NoData,
    RegisteredAgent,
    Subject,
    case,
    clock_slack,
    condition,
    database_states,
    health,
    is_loopback,
    lines,
    msg,
    name_database,
    newer_files,
    series,
    statement_failure,
)

CATEGORIES = {"appo": "app", "appt": "tapp"}
"""Of each role, in engine_servers."""


@condition("agent-registered")
def test_agent_is_registered(
    host: HostView, subject: Subject, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """appengine has an active row for this host, with the port, category and token of its agent."""
    entry = deployment.host(subject.hosts[0])
    rows = _registered(deployment, host_facts, finding)
    addresses = _addresses(entry, host)
    categories = {CATEGORIES[role] for role in CATEGORIES if entry.has_role(role)}
    own = [
        row
        for row in rows
        if row.address in addresses or (entry.has_role("paas") and is_loopback(row.address))
    ]
    config = _config(host)
    if not own:
        _require_row(rows, config, addresses)
    right = [row for row in own if row.category in categories] or own
    row = max(right, key=lambda each: each.active)
    active = [each for each in rows if each.active and each.category == row.category]
    endpoint = f"{row.address}:{row.port}"
    assert row.category in categories, case(
        "other-category",
        "engine_servers has {registered} as {category}, its role is {roles}",
        category=row.category,
        roles=series(sorted(role for role in CATEGORIES if entry.has_role(role))),
        registered=row.address,
    )
    assert row.active or len(active) == 1, case(
        "not-active",
        "{registered} ({category}) is not active in engine_servers, {count} others of its category are",
        category=row.category,
        count=len(active),
        registered=row.address,
    )
    if config is not None:
        _compare(row, config)
        _require_loaded(host, row, config, deployment, host_facts)
    if not row.active:
        finding.add_evidence(
            msg("{place} is registered, active is {other}", place=endpoint, other=active[0].address)
        )
        return
    finding.add_evidence(
        msg("{place} is registered and active ({category})", place=endpoint, category=row.category)
    )
    if config is None:
        raise NoData(msg("the configuration of the agent could not be read: port and token are not compared"))


def _require_row(rows: Sequence[RegisteredAgent], config: AgentConfig | None, addresses: set[str]) -> None:
    """Raise AssertionError for a host without a row: another address has its token, or none has."""
    same = [row for row in rows if config is not None and row.token and row.token == config.token]
    assert not same, case(
        "other-address",
        "engine_servers has the token of this agent with the address {registered}, the host has {addresses}",
        registered=same[0].address,
        addresses=series(sorted(addresses)),
    )
    raise AssertionError(
        case(
            "not-registered",
            "engine_servers has no row with {addresses} ({count} other rows)",
            addresses=series(sorted(addresses)),
            count=len(rows),
        )
    )


def _compare(row: RegisteredAgent, config: AgentConfig) -> None:
    """Raise AssertionError if the row is not that of the agent."""
    assert row.port == str(config.port), case(
        "other-port",
        "engine_servers has {registered} with the port {ip_port}, the agent's configuration has {port}",
        ip_port=row.port,
        port=config.port,
        registered=row.address,
    )
    malformed = [name for name in config.malformed if row.sid and row.token]
    assert not malformed, case(
        "malformed-token",
        "{path}: {names} under auth has a blank or another character that does not belong to it",
        path=config.files[0].path if config.files else "-",
        names=series(malformed),
    )
    other = [
        name
        for name, theirs, ours in (("sid", row.sid, config.sid), ("token", row.token, config.token))
        if theirs and ours and theirs != ours
    ]
    assert not other, case(
        "other-token",
        "{names} of {registered} in engine_servers is not that of the agent's configuration",
        names=series(other),
        registered=row.address,
    )


def _require_loaded(
    host: HostView,
    row: RegisteredAgent,
    config: AgentConfig,
    deployment: Deployment,
    host_facts: HostLookup,
) -> None:
    """Fail if appengine's healthz names this agent and its file was changed after the running agent had started."""
    texts = [
        text for text in _failures(deployment, host_facts) if re.search(_whole_address(row.address), text)
    ]
    if not texts:
        return
    slack = clock_slack(host, deployment, host_facts)
    agents = [process for process in host.processes.items if process.name == "paas_agent"]
    for process in agents:
        if process.start is None or not newer_files(config.files, process.start, slack):
            continue
        raise AssertionError(
            case(
                "not-loaded",
                "paas_agent (pid {pid}) started before {path} was changed, the row agrees with the file, and appengine "
                "reports: {message}",
                pid=process.pid,
                path=config.files[0].path,
                message=texts[0],
            )
        )


def _whole_address(address: str) -> str:
    return rf"(?<![\d.]){re.escape(address)}(?![\d.])"


def _failures(deployment: Deployment, host_facts: HostLookup) -> Iterator[str]:
    """Yield the messages of appengine's healthz on each paas host where it reports a failure."""
    for entry in deployment.hosts_with("paas"):
        if not entry.selected:
            continue
        try:
            answer = host_facts(entry.name).answers.get(HttpName.HEALTHZ, "appengine")
        except NoData:
            continue
        state = health("appengine", answer)
        if answer.error_kind is None and not state.healthy:
            yield str(state.message)[:200]


def _config(host: HostView) -> AgentConfig | None:
    """Return the configuration of the agent, None if it could not be read."""
    try:
        return host.agent.config
    except NoData:
        return None


def _addresses(entry: Host, host: HostView) -> set[str]:
    """Return the addresses of an app host, without loopback."""
    try:
        addresses = set(host.addresses.items)
    except NoData:
        addresses = set()
    local = ("fe80:", "169.254.")
    return {each for each in addresses if not is_loopback(each) and not each.startswith(local)} | {
        entry.address
    }


def _registered(
    deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> tuple[RegisteredAgent, ...]:
    """Return the rows that the first paas host could read. Raises NoData if none could."""
    unknown: list[Message | str] = []
    for paas in deployment.selected("paas"):
        try:
            view = host_facts(paas.name)
            for account, endpoint, state in database_states(view, unknown):
                if state.agents is not None:
                    name_database(account, view, deployment, host_facts, finding)
                    return state.agents
                _explain(account, endpoint, state, unknown)
        except NoData as error:
            unknown.append(error.message())
    raise NoData(lines(unknown) if unknown else msg("no paas host reads the table of appengine"))


def _explain(
    account: DatabaseAccount, endpoint: str, state: DatabaseState, unknown: list[Message | str]
) -> None:
    """Append why an account of appengine has no rows."""
    if "engine_servers" in state.errors:
        reason = statement_failure(state.errors["engine_servers"])
        unknown.append(msg("{endpoint}: engine_servers: {reason}", endpoint=endpoint, reason=reason))
    elif ended := [name for name, error in state.errors.items() if error.kind]:
        unknown.append(
            msg("{endpoint}: engine_servers: not queried after {table}", endpoint=endpoint, table=ended[0])
        )
    elif "appengine" in account.projects and "appengine" not in account.tables_of:
        unknown.append(
            msg(
                "{endpoint}: appengine uses another database with the same account: not read",
                endpoint=endpoint,
            )
        )
