"""Metrics for node_exporter's textfile collector: words and numbers, never evidence.

The names and labels are a contract (docs/outputs.md); every series bears the inventory, so that the files of two
deployments can be stored next to each other.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from bkpaas.record import WORDS, Results, write_file
from bkpaas.report.text import visible

MODE = 0o644
"""node_exporter is another user, and there is nothing in the file that a dashboard would not show."""
WAIVER_STATES = ("used", "expired", "unneeded", "changed")


def write(results: Results, path: Path) -> None:
    """Replace the file as a whole: node_exporter never reads half of it."""
    write_file(path, generate_latest(_registry(results)), MODE)


def _registry(results: Results) -> CollectorRegistry:
    run, registry = results.run, CollectorRegistry(auto_describe=False)
    where = visible(run.inventory)

    def gauge(name: str, help_: str, *labels: str) -> Gauge:
        return Gauge(f"bkpaas_{name}", help_, ("inventory", *labels), registry=registry)

    verdict = gauge(
        "verdict", "1 for the verdict of a condition", "condition", "subject", "severity", "verdict"
    )
    for one in results.verdicts:
        labels = (where, one.condition, visible(one.subject), one.severity, one.verdict)
        verdict.labels(*labels).set(1)
    cause = gauge("root_cause", "Place among the root causes, from 1", "condition", "subject", "severity")
    by_id = {one.id: one for one in results.verdicts}
    for rank, id_ in enumerate(results.root_causes, 1):
        one = by_id[id_]
        cause.labels(where, one.condition, visible(one.subject), one.severity).set(rank)
    verdicts = gauge("verdicts", "How many verdicts of each word", "verdict")
    for word in WORDS:
        verdicts.labels(where, word).set(results.counts[word])
    collected = gauge("host_collected", "Whether the host could be looked at", "host")
    for host in results.hosts:
        collected.labels(where, visible(host.name)).set(host.collected)
    waivers = gauge("waivers", "How many waivers are in each state", "state")
    for state in WAIVER_STATES:
        waivers.labels(where, state).set(sum(one.state == state for one in results.waivers))
    started = datetime.fromisoformat(run.started).timestamp()
    for name, help_, value in (
        ("run_start_timestamp_seconds", "When the run began", started),
        ("run_duration_seconds", "How long it took", run.seconds),
        ("run_exit_code", "0 to 5, as pytest says it", float(run.exit)),
    ):
        gauge(name, help_).labels(where).set(value)
    info = gauge("run_info", "1, with what made the run", "suite", "collector_sha256")
    info.labels(where, run.suite, run.collector_sha256).set(1)
    return registry
