"""One run: look at every host before the first test, write every report after the last."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Generator
from functools import cached_property
from pathlib import Path

import pytest

from bkpaas import former_names, interruption, libraries, streams
from bkpaas.errors import SuiteError
from bkpaas.facts import Snapshot
from bkpaas.inventory.deployment import Deployment
from bkpaas.language import get_language
from bkpaas.libraries import MESSAGES
from bkpaas.messages import msg, to_text
from bkpaas.plugin import closing, markers, results, stops
from bkpaas.plugin.early import suite_directory
from bkpaas.plugin.ledger import Ledger, SelectionReporter
from bkpaas.plugin.options import (
    ARCHIVE,
    BASELINE,
    CREDENTIALS,
    DEPLOYMENT,
    HOOK,
    KEY,
    MONITOR,
    SNAPSHOT,
    UNREMEMBERED,
    exchange,
)
from bkpaas.plugin.outcome import Outcome
from bkpaas.plugin.outputs import Outputs, free_directory, not_written
from bkpaas.plugin.read_facts import FACTS
from bkpaas.plugin.selection import NOTHING_FAILED
from bkpaas.plugin.waivers import uses
from bkpaas.record import Results, Verdict
from bkpaas.report import details, summary
from bkpaas.runs.baseline import Baseline


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin of a run that judges; a worker only reports what it selected."""
    worker_input = getattr(config, "workerinput", None)
    if worker_input is not None:
        directory = Path(worker_input["bkpaas_snapshot"]).parent
        config.pluginmanager.register(SelectionReporter(None, directory), "bkpaas-selection")
    elif DEPLOYMENT in config.stash and not config.option.collectonly and not config.option.plan:
        interruption.hold()  # from here on there is something to clean up
        config.pluginmanager.register(Controller(config, config.stash[DEPLOYMENT]), "bkpaas-controller")


class Controller:
    """The process that collects, keeps the ledger and writes the reports."""

    def __init__(self, config: pytest.Config, deployment: Deployment) -> None:
        self.config, self.deployment = config, deployment
        self.directory = _temporary_directory()
        self.ledger = Ledger(config, deployment, self.directory)
        self.began = time.monotonic()
        self.results: Results | None = None
        self.interrupted = False
        self.left_out = 0
        self._others = False  # whether tests ran that judge no condition
        self.not_imported: list[str] = []
        self.durations: dict[str, float] = {}
        self._rows: dict[str, Verdict] = {}
        self.failures: list[str] = []
        """Files that could not be imported, and failures of tests that judge no condition."""
        self.outputs = Outputs(config.option, config.stash[HOOK], config.stash[MONITOR])
        unremembered: list[str] = config.stash[UNREMEMBERED]
        self.outputs.notices += unremembered
        self.baseline: Baseline | None = None
        config.pluginmanager.register(SelectionReporter(self.ledger, self.directory), "bkpaas-selection")

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        stops.hide_interrupt_lines(self.config)
        if empty := _nothing_selected(self.config):  # contact no host
            raise pytest.exit.Exception(empty, int(pytest.ExitCode.NO_TESTS_COLLECTED))
        details.write_privately(self.config.pluginmanager, self.outputs.attempt)
        if (before := self.config.stash[BASELINE]) is not None:
            self.baseline = Baseline(
                before,
                Path(self.config.option.baseline),
                _selection(self.config),
                suite_directory(self.config.rootpath),
            )
        if SNAPSHOT not in self.config.stash:
            self.interrupted = self._collect()
        snapshot = self.config.stash[SNAPSHOT]
        if self.config.option.save_snapshot:
            self.outputs.attempt(Path(self.config.option.save_snapshot), snapshot.save)
        if self.config.pluginmanager.hasplugin("dsession"):
            self._hand_over(snapshot)

    def _collect(self) -> bool:
        """Visit the hosts; return whether that was interrupted."""
        from bkpaas.collect.deployment import collect  # asyncssh and requests take longer than a start
        from bkpaas.plugin.progress import Progress

        transport = self.config.option.transport
        if self.config.option.from_answers:
            transport = exchange(self.config.option, self.deployment)
        with libraries.captured_output() as terminal:
            with contextlib.redirect_stderr(terminal):
                progress = Progress(self.config)
            result = collect(
                self.deployment,
                transport,
                progress,
                self.config.stash[CREDENTIALS],
                self.config.stash[KEY],
            )
        self.config.stash[SNAPSHOT] = result.snapshot
        return result.interrupted or interruption.take()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        interruption.raise_from_now_on()

    def _hand_over(self, snapshot: Snapshot) -> None:
        """Write the snapshot for the workers. Without it nothing is judged; what was collected is still reported."""
        # A worker takes the value of an option for a test path once that file exists, and then looks for pytest.ini
        # there; without its plugins it would start a run of its own.
        suite_options = shlex.join(["-c", str(self.config.inipath), "--rootdir", str(self.config.rootpath)])
        os.environ["PYTEST_ADDOPTS"] = f"{os.environ.get('PYTEST_ADDOPTS', '')} {suite_options}"
        try:
            snapshot.save(self.directory / "snapshot.json")
        except OSError as error:
            self.outputs.notices.append(not_written(str(self.directory), error))
            details_file = Path(self.config.option.htmlpath)  # of an earlier run
            self.outputs.attempt(details_file, lambda path: path.unlink(missing_ok=True))
            exitstatus = self._finish(int(pytest.ExitCode.TESTS_FAILED))
            self._print(_colours(self.config))
            pytest.exit(free_directory(), exitstatus)

    def pytest_configure_node(self, node: object) -> None:
        node.workerinput["bkpaas_snapshot"] = str(self.directory / "snapshot.json")  # type: ignore[attr-defined]

    def pytest_testnodedown(self, node: object) -> None:
        output = getattr(node, "workeroutput", {})
        MESSAGES.merge(output.get("bkpaas_messages", {}), output.get("bkpaas_further", 0))
        former_names.add_uses(output.get("bkpaas_former_names", []))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.not_imported.append(closing.why_not_imported(report))
            self.failures.append(self.not_imported[-1])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.ledger.begun.add(nodeid.rpartition("[")[2].removesuffix("]"))

    @pytest.hookimpl(tryfirst=True)  # before pytest-html asks for the row of the same report
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if interruption.raised():  # a library suppressed it
            raise KeyboardInterrupt
        self.ledger.read_worker_selection()
        if plain := getattr(report, "bkpaas_plain", None):
            self.failures.append(f"{report.nodeid}: {plain}")
        outcome: Outcome | None = getattr(report, "bkpaas", None)
        self._others |= outcome is None and report.when == "call"
        if outcome is not None:
            self.ledger.outcomes[outcome.id] = outcome
            self._rows.pop(outcome.id, None)  # of an earlier run of the same test
            self.durations[outcome.id] = round(report.duration, 6)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, object, object]:
        interruption.ignore()
        ended = exitstatus == pytest.ExitCode.USAGE_ERROR
        if SNAPSHOT not in self.config.stash or self.results is not None or ended:
            return (yield)
        if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            with contextlib.suppress(Exception):  # the same error again, perhaps; it is printed already
                self._finish(int(exitstatus))
            return (yield)
        session.exitstatus = self._finish(self._ended(session, exitstatus))
        result = yield  # pytest-html writes details.html, pytest prints the summary
        if (error := streams.failure("stdout")) is not None:
            self.outputs.notices.append(not_written(to_text(msg("standard output")), error))
            print(self.outputs.notices[-1], file=sys.stderr)
        session.exitstatus = self._settle()
        return result

    def _ended(self, session: pytest.Session, exitstatus: int) -> int:
        """Return the exit status by the reason of the end; what -x left out was not selected."""
        if self.interrupted or interruption.received():
            return int(pytest.ExitCode.INTERRUPTED)
        if stops.stopped_at_failure(session, self.ledger.outcomes.values()):
            self.ledger.leave_out_the_rest()
            return int(pytest.ExitCode.TESTS_FAILED)
        return int(exitstatus)

    def _finish(self, exitstatus: int) -> int:
        snapshot: Snapshot = self.config.stash[SNAPSHOT]
        interrupted = exitstatus == pytest.ExitCode.INTERRUPTED
        self.results = results.build(
            self.deployment,
            snapshot,
            self.ledger.expected(),
            self.ledger.outcomes,
            interrupted=interrupted,
            seconds=time.monotonic() - self.began,
            rows=self._rows,
        )
        self.results.run.exit = self._exit(exitstatus, self.results)
        if (total := self.ledger.total()) > len(self.results.verdicts):
            self.results.run.selected_from = total
        self.results.durations = self.durations
        self.results.not_imported = list(self.not_imported)
        self.results.waivers = uses(self.deployment, self.ledger.outcomes)
        self._compare_with_earlier_runs(self.results, snapshot)
        self.outputs.write(self.results)
        if file := self.config.option.bundle:
            from bkpaas.runs import bundle

            record = self.results
            self.outputs.attempt(Path(file), lambda path: bundle.write(record, snapshot, path))
        self._settle()
        self.outputs.send(self.results)
        return self._settle()

    def _settle(self) -> int:
        """Return the exit code, which is not 0 if an output is missing; the files then say so too."""
        assert self.results is not None
        while self.results.lost != self.outputs.notices:  # writing may add a notice, once for each file
            self.results.lost = list(self.outputs.notices)
            self.results.run.exit = self.results.run.exit or int(pytest.ExitCode.TESTS_FAILED)
            self.outputs.write(self.results)
        return self.results.run.exit

    def _compare_with_earlier_runs(self, record: Results, snapshot: Snapshot) -> None:
        """Compare the run with the baseline and the history; neither changes a verdict."""
        checked = self.ledger.outcomes.keys()
        try:
            if self.baseline is not None and record.run.exit != pytest.ExitCode.INTERRUPTED:
                record.comparison = self.baseline.compare(record, snapshot, checked)
        except SuiteError as error:
            self.outputs.notices.append(str(error))
        try:
            if (archive := self.config.stash[ARCHIVE]) is not None:
                report = Path(self.config.option.report)
                record.history = archive.record(record, snapshot.started, checked, report)
        except SuiteError as error:
            self.outputs.notices.append(str(error))

    def _exit(self, exitstatus: int, record: Results) -> int:
        if exitstatus != pytest.ExitCode.OK:
            return exitstatus
        bad = record.counts["fail"] + record.counts["no_data"]
        if self.config.getini("strict"):
            bad += record.counts["warn"]
        checked = bad + record.counts["pass"] + record.counts["warn"]
        return int(pytest.ExitCode.TESTS_FAILED if bad or not checked else pytest.ExitCode.OK)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the summary in place of pytest's closing line, which remains if other tests ran as well."""
        counted = terminalreporter.summary_stats

        def last() -> None:
            if self._others:
                counted()
            self._print(_colours(self.config))

        if self.results is not None:
            terminalreporter.summary_stats = last  # type: ignore[method-assign]

    def _print(self, colour: bool) -> None:
        assert self.results is not None
        facts = self.config.stash.get(FACTS, None)
        lines = closing.lines(self.config.option, self.deployment, self.results, facts, colour=colour)
        for line in ("", *lines, *closing.remarks(self.config.option, self.failures, self.outputs.notices)):
            print(line)
        if self.config.option.summary == "-":
            print(f"\n{summary.markdown(self.results)}", end="")

    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        cells[1:-1] = details.header_cells(get_language())

    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        outcome: Outcome | None = getattr(report, "bkpaas", None)
        passed = outcome.word == "pass" if outcome else report.passed and report.when != "call"
        if passed and outcome is None and not report.sections:
            del cells[:]  # pytest-html shows nothing of it
        elif passed and self._too_many:
            self.left_out += outcome is not None
            del cells[:]  # so that pytest-html drops the row
        elif outcome is not None:  # asked while the tests run: the explanation is not known yet
            snapshot = self.config.stash[SNAPSHOT]
            verdict = results.verdict(outcome.id, outcome, self.deployment, snapshot)
            self._rows[outcome.id] = verdict
            cells[1:-1] = details.row_cells(verdict, get_language())
        else:
            cells[1:-1] = details.plain_cells(
                report.nodeid, getattr(report, "bkpaas_plain", None), get_language()
            )

    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        if self.results is not None:
            prefix.extend(details.prefix(self.results, lost=self._lost(), left_out=self.left_out))

    @cached_property
    def _too_many(self) -> bool:
        return len(self.ledger.expected()) > details.ROWS

    def _lost(self) -> list[str]:
        """Return the expected ids without a report of their own."""
        record = self.results.verdicts if self.results else []
        return [verdict.id for verdict in record if verdict.id not in self.ledger.outcomes]

    def pytest_unconfigure(self) -> None:
        if self.baseline is not None:
            self.baseline.close()
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.directory)


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excrepr: object, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Print where an internal error was raised, without the values that pytest would print with it."""
    excrepr.toterminal = lambda tw: tw.line("\n".join(_without_text(excinfo)))  # type: ignore[attr-defined]


def _without_text(excinfo: pytest.ExceptionInfo[BaseException]) -> list[str]:
    """Return an exception as the lines of a report: where it was raised, without values and without what it quotes."""
    frames = [
        f"{libraries.short(str(entry.path))}:{entry.lineno + 1} in {entry.name}"
        for entry in excinfo.traceback
    ]
    return [*frames, f"{excinfo.typename}: {libraries.redacted(str(excinfo.value))}"]


def _temporary_directory() -> Path:
    """Return a private directory for what workers exchange. UsageError: there is no place for it."""
    try:
        return Path(tempfile.mkdtemp(prefix="bkpaas-"))
    except OSError as error:
        raise pytest.UsageError(
            to_text(msg("{reason}; fix: {fix}", reason=error.strerror, fix=free_directory()))
        ) from None


def _nothing_selected(config: pytest.Config) -> str | None:
    """Return why nothing would be checked."""
    if unknown := markers.unknown(config):
        return markers.no_such_symptom(unknown)
    return config.stash.get(NOTHING_FAILED, None)


def _selection(config: pytest.Config) -> list[str]:
    """Return the arguments that chose what is judged, to judge the same of another snapshot."""
    option = config.option
    args = [f"--only={id_}" for id_ in option.only] + [f"--deselect={id_}" for id_ in option.deselect or ()]
    args += ["-m", option.markexpr] if option.markexpr else []
    args += ["-k", option.keyword] if option.keyword else []
    return args + (config.args if config.args_source == pytest.Config.ArgsSource.ARGS else [])


def _colours(config: pytest.Config) -> bool:
    return bool(config.get_terminal_writer().hasmarkup) and "NO_COLOR" not in os.environ
