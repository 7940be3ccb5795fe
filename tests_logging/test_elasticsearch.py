"""FAQ: Elasticsearch is well, PaaS asks the right one, and it takes what log_parser delivers."""

from datetime import datetime, timedelta, timezone

from bkpaas.checks import (
    LOG_INDEX,
    Answer,
    Deployment,
    Finding,
    Host,
    HostLookup,
    HostView,
    IpAddress,
    Message,
    Missing,
    NoData,
    Place,
    Search,
    addresses,
    clauses,
    condition,
    elasticsearch_error,
    elasticsearch_places,
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
    valid_addresses,
)

LOW_WATERMARK = 85.0  # percent of a disk above which Elasticsearch begins to mind


def _places(host: HostView, finding: Finding) -> tuple[Place, ...]:
    found = elasticsearch_places(host.settings.by_project.get("paas"))
    finding.set_remedy_values(es_url=f"{found[0].scheme}://{found[0].text}", es_host=found[0].host)
    return found


def _known_places(host: HostView, finding: Finding) -> tuple[Place, ...]:
    """For conditions that need one; what is wrong with it is another condition's."""
    try:
        return _places(host, finding)
    except ValueError as error:
        raise NoData(message_of(error)) from None


@condition("paas-es-config")
def test_paas_is_told_where_elasticsearch_is(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Every address in the settings resolves here, to an es host of the inventory and a port where it listens."""
    require_log_search(deployment, host_facts)
    try:
        found = _places(host, finding)
    except ValueError as error:
        raise AssertionError(message_of(error)) from None
    right = _right_addresses(deployment, host_facts)
    for place in found:
        own = _resolved(host, place, deployment)
        strange = ", ".join(sorted(map(str, own - right)))
        known = ", ".join(f"{es.name} {es.address}" for es in deployment.hosts_with("es"))
        assert not strange or not known, msg(
            "{text}: {strange} is no es host of the inventory ({known}), and no log_parser delivers there",
            text=place.text,
            strange=strange,
            known=known,
        )
        _judge_port(host, place, own, deployment, host_facts)
        finding.add_evidence(place.text if known else msg("{text}, no es in the inventory", text=place.text))


def _resolved(host: HostView, place: Place, deployment: Deployment) -> set[IpAddress]:
    if not valid_addresses([place.host]) and host.names.get(place.host) is None:
        raise NoData(msg("{host} was not resolved", host=place.host))
    own = addresses(host, place.host, deployment)
    assert own, msg("{host} does not resolve here", host=place.host)
    return own


def _right_addresses(deployment: Deployment, host_facts: HostLookup) -> set[IpAddress]:
    """Of the es hosts, what stands in front of them, and where a log_parser delivers."""
    right = valid_addresses(deployment.virtual_addresses)
    for es in deployment.hosts_with("es"):
        right |= (
            own_addresses(host_facts(es.name), deployment) if es.selected else valid_addresses([es.address])
        )
    for other, parser in parsers(deployment, host_facts)[0]:
        for output in parser.outputs:
            right |= addresses(other, output.rpartition(":")[0] or output, deployment) or set()
    return right


def _judge_port(
    host: HostView, place: Place, own: set[IpAddress], deployment: Deployment, host_facts: HostLookup
) -> None:
    """What answers at a wrong port is not asked about: that nothing listens at the right one is es-health's."""
    usual = deployment.service_port("es")
    listens = [_listens(es, place.port, own, deployment, host_facts) for es in deployment.selected("es")]
    search = host.searches.by_place.get(place.text)
    root = search.root if search else None
    if root is not None and (
        root.error_kind == "protocol" or (root.status == 200 and not is_elasticsearch(root))
    ):
        raise AssertionError(
            msg(
                "{text} answers, but is not Elasticsearch: {error_text}",
                text=place.text,
                error_text=root.error_text or elasticsearch_error(root),
            )
        )
    answers = root is not None and root.ok
    assert place.port == usual or answers or False not in listens or True in listens, msg(
        "{text}: nothing listens on {port}; the inventory's port of es is {usual}",
        text=place.text,
        port=place.port,
        usual=usual,
    )


def _listens(
    es: Host, port: int, own: set[IpAddress], deployment: Deployment, host_facts: HostLookup
) -> bool | None:
    """Whether an es host listens on this port, None: it is another one or not known."""
    view = host_facts(es.name)
    if isinstance(view.facts.sockets, Missing) or not own & own_addresses(view, deployment):
        return None
    return bool(view.sockets.on(port))


@condition("es-health")
def test_elasticsearch_is_well(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """At each configured address Elasticsearch answers this host, takes the login, and its cluster is green or yellow."""
    require_log_search(deployment, host_facts)
    wrong, unclear = [], []
    for place in _known_places(host, finding):
        finding.depends_on_hosts(hosts_at(addresses(host, place.host, deployment), deployment, host_facts))
        search = host.searches.at(place)
        try:
            trouble = (
                _trouble(place, search.root)
                or _trouble(place, search.health)
                or _status(search.health, finding)
            )
        except NoData as gap:
            unclear.append(labelled(place.text, gap.message()))
            continue
        if trouble is not None:
            wrong.append(labelled(place.text, trouble))
            finding.set_remedy_values(es_url=f"{place.scheme}://{place.text}", es_host=place.host)
    assert not wrong, lines(wrong)
    if unclear:
        raise NoData(clauses(unclear))


def _trouble(place: Place, answer: Answer) -> Message | str | None:
    """Return why an answer is not that of a healthy Elasticsearch, None if it is one."""
    if answer.error_kind in ("withheld", "tls"):
        raise NoData(request_failure(answer))
    if not answer.ok:
        return no_answer(answer.error_kind)
    if answer.status == 401 and place.user:
        return msg("refuses the login of {user} (HTTP 401)", user=place.user)
    if answer.status == 401:
        return msg("asks for a login, and the settings of paas have none (HTTP 401)")
    if answer.status == 403 and not answer.url.endswith("/"):
        raise NoData(f"HTTP 403: {elasticsearch_error(answer)}")
    if answer.status != 200:
        return f"HTTP {answer.status}: {elasticsearch_error(answer)}"
    if answer.url.endswith("/") and not is_elasticsearch(answer):
        return msg("is not Elasticsearch: {error}", error=elasticsearch_error(answer))
    return None


def _status(health: Answer, finding: Finding) -> Message | None:
    told = health.json() or {}
    status, nodes, lost = (told.get(name) for name in ("status", "number_of_nodes", "unassigned_shards"))
    if status not in ("green", "yellow", "red"):
        raise NoData(msg("no status in its health: {error}", error=elasticsearch_error(health)))
    text = msg(
        "status {status}, {nodes} nodes, {lost} shards without one", status=status, nodes=nodes, lost=lost
    )
    finding.add_evidence(text)
    return text if status == "red" else None


@condition("es-writable")
def test_elasticsearch_takes_new_documents(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """No block of the cluster or of today's index keeps documents out, as one does when a disk is too full."""
    require_log_search(deployment, host_facts)
    place = _known_places(host, finding)[0]
    finding.depends_on_hosts(hosts_at(addresses(host, place.host, deployment), deployment, host_facts))
    search = host.searches.at(place)
    search.need("blocks", "indices")
    current = _current(host, search)
    wrong = [
        msg("{name}: {blocks}", name=name or msg("the cluster"), blocks=", ".join(blocks))
        for name, blocks in search.blocks.items()
        if name in current
    ]
    wrong += [
        msg("{index}: closed", index=index.name)
        for index in search.indices
        if index.closed and index.name in current
    ]
    full = ", ".join(
        f"{node.name} {node.used_percent:g} %" for node in search.nodes if node.used_percent >= LOW_WATERMARK
    )
    text = clauses(wrong)
    if any("read_only_allow_delete" in block for name in current for block in search.blocks.get(name, ())):
        text = msg(
            "{text}; Elasticsearch sets it when a disk is fuller than the flood stage, 95 %", text=text
        )
    if full:
        text = msg("{text}; disks that are too full: {full}", text=text, full=full)
    assert not wrong, text
    finding.add_evidence(", ".join(sorted(current - {""})) or msg("no index of logs yet"))


def _current(host: HostView, search: Search) -> set[str]:
    """The indices that documents go to now: those of these days in UTC, the newest in any case, and all ("")."""
    names = {index.name for index in search.indices}
    today = datetime.fromtimestamp(host_time(host), timezone.utc)
    days = {f"{LOG_INDEX}{today + timedelta(day):%Y.%m.%d}" for day in (-1, 0, 1)}
    return {"", *(names & days), *sorted(names)[-1:]}
