"""Judge one recording with the code at hand, in this process. The only module here that knows the product's inside.

The functions that reach the network are replaced; everything else runs as it does for an operator: pytest, its
plugins, the plans of both rounds, facts, tests, explanation and writers.
"""

from __future__ import annotations

import json
import os
import re
import time
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from bkpaas import inventory
from bkpaas.catalogue.registry import CONDITIONS, SECTIONS
from bkpaas.collect import deployment as collection
from bkpaas.collect import errors, parsing, plan_text, probes
from bkpaas.collect.clock import Clock
from bkpaas.collect.host_answers import Failure, HostAnswers
from bkpaas.errors import CollectError
from bkpaas.facts import HostFacts
from bkpaas.facts.build import controller_facts
from bkpaas.facts.login import LoginTrial
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.shapes import round_queries
from bkpaas.language import LANGUAGES, Language, set_language
from bkpaas.plugin import options
from bkpaas.plugin import results as plugin_results
from bkpaas.plugin.selection import identity
from bkpaas.record import Results, RootCause, Verdict, read_json, translated
from selftests.recordings import unrecorded
from selftests.recordings.store import ELSEWHERE, KEY, Recording, canonical, product
from selftests.snapshots.placeholders import unfilled

REPOSITORY = Path(__file__).resolve().parents[2]
RUN = "recorded"
TEXTS = ("title", "reason", "evidence", "remedy")
SUITE_FAILED = ("the suite itself failed", "a fault of this suite", "suite error")
"""Parts of English texts that report a defect of the suite."""
ASSUMED = {"services": "services", "missed": "unreachable_hosts", "needs": "depends_on_hosts"}
"""Parts of an outcome that decide what may account for it: name in the expectation, field of Outcome."""


def judge(recording: Recording, directory: Path) -> dict[str, Any]:
    """Return everything that an expectation holds of a run. directory: an empty one, for the reports."""
    os.chdir(REPOSITORY)
    os.environ["TZ"] = "UTC"
    time.tzset()
    os.environ[options.PASSWORD] = "given so that the option is accepted; it is sent nowhere"
    place, report = directory / "inventory", directory / "report"
    _write_inventory(recording, place)
    capture = _Capture()
    plans, ignored = (
        _replace_network(recording),
        _leave_out(recording.get("known"), recording.get("left_out") or ()),
    )
    words = ["--inventory", str(place), "--report", str(report), "--lang", recording["language"]]
    if recording["login_user"]:
        words += ["--login-user", recording["login_user"]]
    # without these pytest looks for its settings next to the inventory, and the product starts it once more
    settings = ["-c", str(REPOSITORY / "pytest.ini"), "--rootdir", str(REPOSITORY), "-p", "no:cacheprovider"]
    code = pytest.main([*settings, *words, *recording["words"]], plugins=[capture])
    found: dict[str, Any] = {"exit": int(code), "plans": plans, "markers": capture.markers}
    results = report / "results.json"
    if not results.exists():
        return without_place(found | {"verdicts": {}, "order": []}, directory)
    record = read_json(results)
    if ignored:
        found |= {"exit": _exit(int(code), record), "not_recorded": ignored}
    return without_place(found | _describe(record, capture), directory)


def _leave_out(known: Collection[str] | None, before: Collection[str]) -> list[str]:
    """Explain a run without the verdicts that are not recorded. -> their ids, filled in when the run ends"""
    ignored: list[str] = []
    build = plugin_results.build

    def build_without(deployment: Any, snapshot: Any, expected: Any, outcomes: Any, **how: Any) -> Results:
        ignored[:] = unrecorded.left_out(outcomes, known, before)
        rest = {id_: outcome for id_, outcome in outcomes.items() if id_ not in ignored}
        return build(deployment, snapshot, [id_ for id_ in expected if id_ not in ignored], rest, **how)

    replaced: Any = plugin_results
    replaced.build = build_without
    return ignored


def _exit(code: int, record: Results) -> int:
    """Return the exit code without the verdicts that are not recorded."""
    good = not (record.counts["fail"] or record.counts["no_data"])
    return 0 if code == 1 and good and all(host.generation == "5.x" for host in record.hosts) else code


def _write_inventory(recording: Recording, directory: Path) -> None:
    """Write its files, an empty one for each key and known_hosts that they name, and certificates."""
    lab = directory.with_name("lab")
    for name, text in recording["inventory"].items():
        for path in re.findall(f"{re.escape(ELSEWHERE)}([^\\s\"'}}]*)", text):
            _write(Path(f"{lab}{path}"), "")
        _write(directory / name, text.replace(ELSEWHERE, str(lab)))
    for path, text in recording["certificates"].items():
        _write(Path(path.replace(ELSEWHERE, str(lab))), text)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    file.chmod(0o600)  # a private key that others can read is refused


def _replace_network(recording: Recording) -> dict[str, dict[str, Any]]:
    """Put the recorded answers in the place of the network. -> the plans that the code makes meanwhile"""
    plans: dict[str, dict[str, Any]] = {}
    names: dict[str, Any] = {}

    def collect_hosts(
        deployment: Any, first: Any, second: Any, *, between: Any, parse: Any, **_: Any
    ) -> dict[str, HostAnswers]:
        """Do what bkpaas.collect.rounds does, one host after the other."""
        hosts = deployment.selected()
        visits = {host.name: _first_visit(recording, host.name) for host in hosts}
        for host in hosts:
            plans[host.name] = {"1": _planned(lambda host=host: first(host))}
            visits[host.name].queries[1] = round_queries(plans[host.name]["1"])
            _complete(visits[host.name], 1, recording, plans)
            _parse(parse, host, visits[host.name])
        between()
        reached = [host for host in hosts if visits[host.name].error is None]
        for host in reached:
            plans[host.name]["2"] = _planned(lambda host=host: second(host, visits))
            visits[host.name].queries[2] = round_queries(plans[host.name]["2"] or {})
        for host in reached:
            recorded_visit, visit = recording["visits"].get(host.name, {}), visits[host.name]
            visit.error = _error(recorded_visit.get("error"))
            _complete(visit, 2, recording, plans)
            if visit.round_2 is not None and visit.error is None:
                _parse(parse, host, visit)
        return visits

    def try_login(*_: Any) -> LoginTrial:
        known = {field.encode_name for field in msgspec.structs.fields(LoginTrial)}
        assert recording["login"].keys() <= known, "a name that is not read would be lost, and the login pass"
        return msgspec.convert(msgspec.to_builtins(product(recording["login"])), LoginTrial)

    replaced: Any = collection
    replaced.collect_hosts, replaced.try_login, replaced.Parser = collect_hosts, try_login, _Parser
    replaced.probe = lambda deployment: (
        names.update(probes._domain_requests(deployment, "")) or product(recording["controller"])
    )
    replaced.controller_facts = lambda *given: unrecorded.complete_controller(
        controller_facts(*given), recording["controller"], names
    )
    replaced.time = SimpleNamespace(time=lambda: recording["started"])
    replaced.uuid = SimpleNamespace(uuid4=lambda: SimpleNamespace(hex=RUN))
    return plans


class _Parser:
    """Stands for the product's: the same work in this process, since to start another takes longer than to judge."""

    def __init__(self, secrets: Any) -> None:
        self._secrets, self._of_worker = secrets, Secrets(secrets.key)
        self._digests: dict[str, set[str]] = {}
        self.sources: dict[str, Any] = {}

    def facts(self, host: Any, visit: HostAnswers) -> HostFacts:
        reply = parsing._parse(parsing._Request(host, msgspec.structs.replace(visit)), self._of_worker)
        for value in reply.secrets:
            self._secrets.digest(value)
        self._digests.setdefault(host.name, set()).update(reply.digests)
        self.sources[host.name] = reply.sources
        if reply.facts is None:
            raise errors.garbage(errors.host_label(host), reply.error)
        return reply.facts

    def secret(self, host: str, digest: str) -> str | None:
        return self._secrets.resolve_digest(digest) if digest in self._digests.get(host, ()) else None

    def close(self) -> None:
        """There is nothing to end."""


def _planned(make: Any) -> Any:
    """Return the plan, or what the code that makes it raised: the real collector goes on as well."""
    try:
        return make()
    except Exception as error:
        return {"raised": f"{type(error).__name__}: {error}"}


def _parse(parse: Any, host: Any, visit: HostAnswers) -> None:
    """Parse what there is; what that raises is an error of the visit, as in the product."""
    if visit.round_1 is None:
        return
    try:
        parse(host, visit)
    except CollectError as error:
        visit.fail(error)
    except Exception as error:
        visit.fail(errors.suite(errors.host_label(host), f"{type(error).__name__}: {error}"))


def _first_visit(recording: Recording, name: str) -> HostAnswers:
    recorded_visit = recording["visits"].get(name)
    if recorded_visit is None:
        return HostAnswers.failed(name, "other", "not in the recording")
    clock = recorded_visit["clock"]
    return HostAnswers(
        name,
        error=None if recorded_visit["first"] is not None else _error(recorded_visit["error"]),
        clock=clock and Clock(clock["offset_seconds"], clock["uncertainty_seconds"], clock["samples"]),
        seconds=recorded_visit["seconds"],
    )


def _complete(visit: HostAnswers, number: int, recording: Recording, plans: Mapping[str, Any]) -> None:
    """Set the recorded answer of a round, with the reason of each query of today that it does not have."""
    recorded_visit = recording["visits"].get(visit.host, {})
    answer = recorded_visit.get("first" if number == 1 else "second")
    if answer is not None or visit.error is None:
        answer = unrecorded.complete(answer, number, visit.queries[number], recorded_visit.get("first"))
        plan = plans[visit.host].get(str(number))
        answer = unrecorded.complete_statements(answer, plan)
        if number == 2:  # its files depend on what round 1 found
            recorded_plan = recording["plans"].get(visit.host, {}).get("2")
            answer = unrecorded.complete_files(answer, plan, recorded_plan)
    if number == 1:
        visit.round_1 = _packed(answer)
    else:
        visit.round_2 = _packed(answer)


def _packed(answer: Any) -> bytes | None:
    """Return an answer as the collector sends it."""
    return None if answer is None else zlib.compress(json.dumps(answer).encode("ascii"), 1)


def _error(error: Any) -> Failure | None:
    return error and Failure(error["kind"], product(error["reason"]))


class _Capture:
    """A plugin that keeps what the record of a run does not hold: the marks of tests, the services of outcomes."""

    def __init__(self) -> None:
        self.markers: dict[str, list[str]] = {}
        self.outcomes: dict[str, dict[str, Any]] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[options.KEY] = KEY

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for section in SECTIONS:
            marked = (identity(item) for item in items if item.get_closest_marker(section.marker))
            self.markers[section.marker] = sorted(id_ for id_ in marked if id_)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if outcome := getattr(report, "bkpaas", None):
            self.outcomes[outcome.id] = msgspec.to_builtins(outcome)


def _describe(results: Results, capture: _Capture) -> dict[str, Any]:
    """Return what the record says, in a form of our own that later records can be brought into as well."""
    pages = {language: translated(results, language) for language in LANGUAGES}
    texts = {language: {verdict.id: verdict for verdict in page.verdicts} for language, page in pages.items()}
    verdicts = {
        verdict.id: {
            "word": verdict.verdict,
            "severity": verdict.severity,
            "case": verdict.case,
            **{name: _in_both(name, verdict.id, texts) for name in TEXTS},
            **{
                name: list(capture.outcomes.get(verdict.id, {}).get(field, ()))
                for name, field in ASSUMED.items()
            },
            "explained_by": verdict.explained_by,
        }
        for verdict in results.verdicts
    }
    return {
        "verdicts": verdicts,
        "order": list(verdicts),
        "root_causes": results.root_causes,
        "causes": _causes({language: page.causes for language, page in pages.items()}),
        "unfilled": sorted(
            f"{id_}: {name}"
            for id_, verdict in verdicts.items()
            for remedy in (verdict["remedy"] or {}).values()
            for name in unfilled(remedy or "")
        ),
        "suite_failed": sorted(id_ for id_, verdict in verdicts.items() if _is_broken(verdict)),
    }


def _causes(pages: Mapping[Language, list[RootCause]]) -> list[dict[str, Any]]:
    """Return the grouped root causes in order, their headlines in both languages."""
    groups = []
    for by_language in zip(*pages.values(), strict=True):
        fields = msgspec.structs.asdict(by_language[0])
        del fields["translated"]
        headlines = {language: one.headline for language, one in zip(pages, by_language, strict=True)}
        groups.append(fields | {"headline": headlines})
    return groups


def _in_both(name: str, id_: str, texts: Mapping[Language, dict[str, Verdict]]) -> dict[str, str] | None:
    both: dict[str, str] = {language: getattr(by_id[id_], name) for language, by_id in texts.items()}
    return None if not any(both.values()) else both


def _is_broken(verdict: dict[str, Any]) -> bool:
    texts = [(verdict[name] or {}).get("en") or "" for name in TEXTS]
    return any(part in text for text in texts for part in SUITE_FAILED)


def without_place(value: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Replace the directory of this replay, which some texts name, by a fixed word."""
    return dict(json.loads(canonical(value).replace(str(directory), "DIRECTORY")))


def edges() -> list[tuple[str, str, str]]:
    """Return every edge of the catalogue: condition, cause, relation."""
    return sorted(
        (condition.id, cause.condition, cause.relation)
        for condition in CONDITIONS.values()
        for cause in condition.causes
    )


def plan_texts(recording: Recording, directory: Path) -> dict[str, str]:
    """Return what --plan prints for the inventory of a recording, by language."""
    _write_inventory(recording, directory / "inventory")
    texts: dict[str, str] = {}
    for language in LANGUAGES:
        set_language(language)
        texts[language] = plan_text.describe(inventory.load(directory / "inventory")).render(language)
    return without_place(texts, directory)
