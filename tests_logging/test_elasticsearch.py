"""FAQ: Elasticsearch is well, PaaS asks the right one, and it takes what log_parser delivers."""

from datetime import datetime, timedelta, timezone

from bkpaas.checks import (
    LOG_INDEX,
    Answer,
    CaseMessage,
    Deployment,
    Endpoint,
    Finding,
    Host,
    HostLookup,
    HostView,
    IpAddress,
    Message,
    Missing,
    NoData,
    Search,
    addresses,
    case,
    clauses,
    combined,
    condition,
    connection_case,
    elasticsearch_endpoints,
    elasticsearch_error,
    host_time,
    hosts_at,
    is_elasticsearch,
    labelled,
    lines,
    message_of,
    msg,
    no_answer,
    own_addresses,
    parsers,
    request_failure,
    require_log_search,
    series,
    valid_addresses,
)

LOW_WATERMARK = 85.0  # percent of a disk above which Elasticsearch begins to mind
FLOOD_BLOCK = "read_only_allow_delete"
"""The block that Elasticsearch itself sets on an index."""


def _endpoints(host: HostView, finding: Finding) -> tuple[Endpoint, ...]:
    configured = elasticsearch_endpoints(host.settings.by_project.get("paas"))
    finding.set_remedy_values(
        es_url=f"{configured[0].scheme}://{configured[0].text}", es_host=configured[0].host
    )
    return configured


def _readable_endpoints(host: HostView, finding: Finding) -> tuple[Endpoint, ...]:
    """Return the configured addresses; raise NoData for a wrong one, which paas-es-config judges."""
    try:
        return _endpoints(host, finding)
    except ValueError as error:
        raise NoData(message_of(error)) from None


@condition("paas-es-config")
def test_elasticsearch_address_in_the_settings_of_paas(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Every address in the settings resolves here, to an es host of the inventory and a port where it listens."""
    require_log_search(deployment, host_facts)
    try:
        configured = _endpoints(host, finding)
    except ValueError as error:
        raise AssertionError(case("wrong-value", lines([message_of(error)]))) from None
    right = _right_addresses(deployment, host_facts)
    for endpoint in configured:
        own = _resolved(host, endpoint, deployment)
        unexpected = ", ".join(sorted(map(str, own - right)))
        inventory_hosts = ", ".join(f"{es.name} {es.address}" for es in deployment.hosts_with("es"))
        assert not unexpected or not inventory_hosts, case(
            "other-host",
            "{endpoint}: {addresses} is not an es host of the inventory ({hosts}), and no log_parser writes to it",
            endpoint=endpoint.text,
            addresses=unexpected,
            hosts=inventory_hosts,
        )
        _check_port(host, endpoint, own, deployment, host_facts)
        finding.add_evidence(
            endpoint.text
            if inventory_hosts
            else msg("{endpoint}, no es in the inventory", endpoint=endpoint.text)
        )


def _resolved(host: HostView, endpoint: Endpoint, deployment: Deployment) -> set[IpAddress]:
    if not valid_addresses([endpoint.host]) and host.names.get(endpoint.host) is None:
        raise NoData(msg("{name} was not resolved", name=endpoint.host))
    own = addresses(host, endpoint.host, deployment)
    assert own, case("unresolved", "{name} does not resolve here", name=endpoint.host)
    return own


def _right_addresses(deployment: Deployment, host_facts: HostLookup) -> set[IpAddress]:
    """Return the addresses of the es hosts, of the virtual addresses, and of the outputs of the log_parsers."""
    right = valid_addresses(deployment.virtual_addresses)
    for es in deployment.hosts_with("es"):
        right |= (
            own_addresses(host_facts(es.name), deployment) if es.selected else valid_addresses([es.address])
        )
    for other, parser in parsers(deployment, host_facts)[0]:
        for output in parser.outputs:
            right |= addresses(other, output.rpartition(":")[0] or output, deployment) or set()
    return right


def _check_port(
    host: HostView, endpoint: Endpoint, own: set[IpAddress], deployment: Deployment, host_facts: HostLookup
) -> None:
    """Assert that Elasticsearch answers at an address, or that its port is the usual one, which es-health judges."""
    usual = deployment.service_port("es")
    listens = [_listens(es, endpoint.port, own, deployment, host_facts) for es in deployment.selected("es")]
    search = host.searches.by_address.get(endpoint.text)
    root = search.root if search else None
    if root is not None and (
        root.error_kind == "protocol" or (root.status == 200 and not is_elasticsearch(root))
    ):
        raise AssertionError(
            case(
                "other-server",
                "{endpoint} answers, but is not Elasticsearch: {answer}",
                endpoint=endpoint.text,
                answer=root.error_text or elasticsearch_error(root),
            )
        )
    answers = root is not None and root.ok
    assert endpoint.port == usual or answers or False not in listens or True in listens, case(
        "not-listening",
        "{endpoint}: nothing listens on {port}; the inventory's port of es is {usual}",
        endpoint=endpoint.text,
        port=endpoint.port,
        usual=usual,
    )


def _listens(
    es: Host, port: int, own: set[IpAddress], deployment: Deployment, host_facts: HostLookup
) -> bool | None:
    """Return whether an es host listens on this port; None if it is another host, or not known."""
    view = host_facts(es.name)
    if isinstance(view.facts.sockets, Missing) or not own & own_addresses(view, deployment):
        return None
    return bool(view.sockets.on(port))


@condition("es-health")
def test_elasticsearch_is_healthy(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """At each configured address Elasticsearch answers this host, takes the login, and its cluster is green or yellow."""
    require_log_search(deployment, host_facts)
    wrong: list[CaseMessage] = []
    unclear: list[Message] = []
    for endpoint in _readable_endpoints(host, finding):
        finding.depends_on_hosts(hosts_at(addresses(host, endpoint.host, deployment), deployment, host_facts))
        search = host.searches.at(endpoint)
        try:
            failure = (
                _failure(endpoint, search.root)
                or _failure(endpoint, search.health)
                or _status(endpoint, search.health, finding)
            )
        except NoData as gap:
            unclear.append(labelled(endpoint.text, gap.message()))
            continue
        if failure is not None:
            wrong.append(failure)
            finding.set_remedy_values(es_url=f"{endpoint.scheme}://{endpoint.text}", es_host=endpoint.host)
    assert not wrong, combined(wrong, lines(one.evidence for one in wrong))
    if unclear:
        raise NoData(clauses(unclear))


def _failure(endpoint: Endpoint, answer: Answer) -> CaseMessage | None:
    """Return the failure that an answer shows, None if it is that of a healthy Elasticsearch."""
    if answer.error_kind in ("withheld", "tls"):
        raise NoData(request_failure(answer))
    at = endpoint.text
    if not answer.ok:
        return connection_case(answer.error_kind, labelled(at, no_answer(answer.error_kind)), endpoint=at)
    if answer.status == 401 and endpoint.user:
        return case(
            "login-refused",
            "{endpoint} refuses the login of {user} (HTTP 401)",
            endpoint=at,
            user=endpoint.user,
        )
    if answer.status == 401:
        return case(
            "login-missing",
            "{endpoint} requires a login, and the settings of paas have none (HTTP 401)",
            endpoint=at,
        )
    error = elasticsearch_error(answer)
    if answer.status == 403 and not answer.url.endswith("/"):
        raise NoData(f"HTTP 403: {error}")
    evidence = labelled(at, f"HTTP {answer.status}: {error}")
    if answer.status is not None and answer.status >= 500:
        return case("5xx", evidence, endpoint=at, status=answer.status)
    if answer.status != 200:
        return case("wrong-status", evidence, endpoint=at, status=answer.status)
    if answer.url.endswith("/") and not is_elasticsearch(answer):
        return case("other-server", "{endpoint} is not Elasticsearch: {answer}", endpoint=at, answer=error)
    return None


def _status(endpoint: Endpoint, health: Answer, finding: Finding) -> CaseMessage | None:
    values = health.json() or {}
    status, nodes, lost = (values.get(name) for name in ("status", "number_of_nodes", "unassigned_shards"))
    if status not in ("green", "yellow", "red"):
        raise NoData(msg("no status in its health: {answer}", answer=elasticsearch_error(health)))
    evidence = msg(
        "status {status}, {nodes} nodes, {shards} unassigned shards", status=status, nodes=nodes, shards=lost
    )
    finding.add_evidence(evidence)
    if status != "red":
        return None
    return case(
        "unassigned",
        labelled(endpoint.text, evidence),
        endpoint=endpoint.text,
        shards=lost,
    )


@condition("es-writable")
def test_elasticsearch_takes_new_documents(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """No block of the cluster or of today's index keeps documents out, as one does when a disk is too full."""
    require_log_search(deployment, host_facts)
    endpoint = _readable_endpoints(host, finding)[0]
    finding.depends_on_hosts(hosts_at(addresses(host, endpoint.host, deployment), deployment, host_facts))
    search = host.searches.at(endpoint)
    search.need("blocks", "indices")
    current = _current(host, search)
    blocked = {name: blocks for name, blocks in search.blocks.items() if name in current}
    closed = [index.name for index in search.indices if index.closed and index.name in current]
    assert not blocked and not closed, _not_writable(blocked, closed, search)
    finding.add_evidence(", ".join(sorted(current - {""})) or msg("no index of logs yet"))


def _not_writable(blocked: dict[str, tuple[str, ...]], closed: list[str], search: Search) -> CaseMessage:
    whole = msg("the cluster")
    evidence = clauses(
        [
            *(
                msg("{index}: {blocks}", index=name or whole, blocks=", ".join(blocks))
                for name, blocks in blocked.items()
            ),
            *(msg("{index}: closed", index=name) for name in closed),
        ],
    )
    flood = any(FLOOD_BLOCK in block for blocks in blocked.values() for block in blocks)
    if flood:
        evidence = msg(
            "{blocks}; Elasticsearch sets it when a disk is fuller than the flood stage, 95 %",
            blocks=evidence,
        )
    disks = ", ".join(
        f"{node.name} {node.used_percent:g} %" for node in search.nodes if node.used_percent >= LOW_WATERMARK
    )
    if disks:
        evidence = msg("{blocks}; disks that are too full: {disks}", blocks=evidence, disks=disks)
    if not blocked:
        return case("closed", evidence, indices=series(closed))
    indices = series(name or whole for name in blocked)
    return case("full", evidence, indices=indices) if flood else case("read-only", evidence, indices=indices)


def _current(host: HostView, search: Search) -> set[str]:
    """Return the indices that documents go to now: those of these days in UTC, the newest, and the cluster ("")."""
    names = {index.name for index in search.indices}
    today = datetime.fromtimestamp(host_time(host), timezone.utc)
    days = {f"{LOG_INDEX}{today + timedelta(day):%Y.%m.%d}" for day in (-1, 0, 1)}
    return {"", *(names & days), *sorted(names)[-1:]}
