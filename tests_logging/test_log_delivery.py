"""FAQ: log_parser delivers the lines where PaaS searches."""

from datetime import datetime, timedelta, timezone

from bkpaas.checks import (
    LOGSTASH_DAY,
    CaseMessage,
    Deployment,
    Edit,
    Finding,
    HostLookup,
    HostView,
    LogPlugin,
    NoData,
    NotApplicable,
    addresses,
    case,
    clauses,
    combined,
    condition,
    deliver_to,
    edit_of,
    elasticsearch_endpoints,
    es_addresses,
    hidden_copy,
    host_time,
    index_names,
    lines,
    message_of,
    msg,
    name_index,
    require_log_search,
    setting_text,
    without_drop,
)

INDEX_SETTING, INDEX_USUAL = "ES_APP_LOG_INDEX_FMT", "paas_app_log-%s"
DAYS = 40
"""So many days are tried for the name of an index: an error may show on some days only."""


@condition("log-parser-delivers")
def test_log_parser_delivers_where_paas_searches(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """log_parser delivers to the index and the Elasticsearch that paas searches, and does not drop every line."""
    require_log_search(deployment, host_facts)
    parser = host.log_plugins.parser
    if not parser.filled and not parser.pids:
        raise NotApplicable(msg("no log_parser on this host"))
    if parser.problems:
        raise NoData(clauses(parser.problems[:3]))
    finding.set_remedy_values(edit=edit_of([None], host.name))  # an output is a person's to write
    if parser.drops is not None:
        drop = without_drop(parser.drops)
        finding.set_remedy_values(edit=edit_of([drop and hidden_copy(drop)], host.name))
    assert parser.drops is None, case("drops-all", "{place}: a filter drops every line", place=parser.drops)
    assert parser.indices or not parser.targets, case(
        "no-output", "{files}: no elasticsearch output", files=", ".join(parser.files)
    )
    form = setting_text(host, "paas", INDEX_SETTING) or INDEX_USUAL
    wrong = [
        problem
        for problem in (_wrong_index(host, parser, form), _wrong_server(host, parser, deployment, host_facts))
        if problem
    ]
    finding.add_evidence(", ".join(f"{index.name} {index.file}:{index.line}" for index in parser.indices))
    edits = _edits(wrong, host, parser, form, deployment, host_facts)
    finding.set_remedy_values(edit=edit_of((one and hidden_copy(one) for one in edits), host.name))
    assert not wrong, combined(wrong, lines(one.evidence for one in wrong))


def _edits(
    wrong: list[CaseMessage],
    host: HostView,
    parser: LogPlugin,
    form: str,
    deployment: Deployment,
    host_facts: HostLookup,
) -> list[Edit | None]:
    """Return the edits of log_parser's files; None where the settings of paas may be what is wrong."""
    edits: list[Edit | None] = []
    cases = [problem.case for problem in wrong]
    if "wrong-name" in cases:
        usual = name_index(parser.indices[0], INDEX_USUAL.replace("%s", LOGSTASH_DAY))
        edits.append(usual if form == INDEX_USUAL else None)
    if "other-server" in cases or "unresolved" in cases:
        servers = es_addresses(deployment, host_facts)
        endpoints = elasticsearch_endpoints(host.settings.by_project.get("paas"))
        right = [one for one in endpoints if set(addresses(host, one.host, deployment) or ()) & servers]
        edits += (
            deliver_to(parser.files, parser.outputs, f"{right[0].host}:{right[0].port}") if right else [None]
        )
    return edits


def _wrong_index(host: HostView, parser: LogPlugin, form: str) -> CaseMessage | None:
    """Return the case of outputs of which none has the index that paas searches, on some day."""
    today = datetime.fromtimestamp(host_time(host), timezone.utc)
    for day in (today + timedelta(number) for number in range(DAYS)):
        wanted = form.replace("%s", f"{day:%Y.%m.%d}")
        names = {index: index_names(index.name, day) for index in parser.indices}
        if any(name is None or name == wanted for name in names.values()):
            continue
        index, name = next(iter(names.items()))
        return case(
            "wrong-name",
            "{place}: index {index} is {name} on {date}, paas searches {wanted} ({setting})",
            place=f"{index.file}:{index.line}",
            index=index.name,
            name=name,
            date=f"{day:%Y-%m-%d}",
            wanted=wanted,
            setting=INDEX_SETTING,
        )
    return None


def _wrong_server(
    host: HostView, parser: LogPlugin, deployment: Deployment, host_facts: HostLookup
) -> CaseMessage | None:
    """Return the case of outputs that all lead to another Elasticsearch than that of paas and of the inventory."""
    try:
        endpoints = elasticsearch_endpoints(host.settings.by_project.get("paas"))
    except ValueError as error:
        raise NoData(message_of(error)) from None
    searched = {
        (address, one.port) for one in endpoints for address in addresses(host, one.host, deployment) or ()
    }
    ports = {port for _, port in searched}
    expected = es_addresses(deployment, host_facts) | {address for address, _ in searched}
    for output in parser.outputs:
        name, _, port = output.rpartition(":") if ":" in output else (output, "", "9200")
        if "$" in output or not port.isdecimal():
            return None
        there = addresses(host, name, deployment)
        if there is None:
            return case("unresolved", "{output} does not resolve here", output=output)
        if there & expected and int(port) in ports:
            return None
    if not parser.outputs or not searched:
        return None
    wanted = ", ".join(one.text for one in endpoints)
    output = ", ".join(parser.outputs)
    return case(
        "other-server",
        "log_parser delivers to {output}, paas searches {wanted}",
        output=output,
        wanted=wanted,
    )
