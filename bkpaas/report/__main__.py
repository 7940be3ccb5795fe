"""python -m bkpaas.report RESULTS.json: the page of a run, or its other outputs, made from its record alone."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from bkpaas import streams
from bkpaas.errors import SuiteError
from bkpaas.files import refused
from bkpaas.language import LANGUAGES, get_language, language_of_locale, set_language
from bkpaas.messages import msg, to_text
from bkpaas.record import Results, read_json, translated, write_private
from bkpaas.report import code_quality, html, junit, prometheus, summary


def main(arguments: list[str] | None = None) -> int:
    """Write the outputs again; return 0, or 1 if the record cannot be read or an output cannot be written."""
    set_language(language_of_locale())
    chosen = _parser().parse_args(arguments)
    streams.protect(chosen.lang or language_of_locale())
    try:
        results = read_json(chosen.results)
    except SuiteError as error:
        print(error, file=sys.stderr)
        return 1
    except (msgspec.DecodeError, RecursionError, ValueError) as error:  # a ValidationError is one too
        print(refused(chosen.results, str(error)[:200]), file=sys.stderr)
        return 1
    set_language(chosen.lang or results.run.language)
    try:
        _write(translated(results, get_language()), chosen)
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    if (failure := streams.failure("stdout")) is not None:
        print(f"{to_text(msg('standard output'))}: {failure.strerror}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bkpaas.report",
        description=to_text(
            msg(
                "Write the page of a run, or its other outputs, from its results.json, without its hosts or "
                "inventory."
            )
        ),
    )
    parser.add_argument("results", type=Path, metavar="RESULTS.json")
    page = to_text(msg("the page; without any option: report.html next to the record"))
    parser.add_argument("-o", "--html", dest="page", type=Path, metavar="PAGE.html", help=page)
    parser.add_argument("--junit", type=Path, metavar="FILE", help="JUnit XML")
    parser.add_argument(
        "--junit-causes-only",
        action="store_true",
        help=to_text(msg("in JUnit XML each root cause is one failure; what follows from it is skipped")),
    )
    parser.add_argument(
        "--code-quality",
        type=Path,
        metavar="FILE",
        help=to_text(msg("the root causes as a code quality report of GitLab")),
    )
    parser.add_argument(
        "--github",
        action="store_true",
        help=to_text(msg("print the root causes as annotations of GitHub Actions")),
    )
    parser.add_argument(
        "--prometheus",
        type=Path,
        metavar="FILE",
        help=to_text(msg("metrics for node_exporter")),
    )
    parser.add_argument(
        "--summary",
        metavar="FILE",
        help=to_text(msg("Markdown for a ticket, plain text if it ends in .txt; - is standard output")),
    )
    parser.add_argument("--lang", choices=LANGUAGES, help=to_text(msg("default: that of the run")))
    return parser


def _write(results: Results, chosen: argparse.Namespace) -> None:
    page = chosen.page
    others = (chosen.junit, chosen.prometheus, chosen.summary, chosen.code_quality, chosen.github)
    if not page and not any(others):
        page = chosen.results.with_name("report.html")
    if page:
        html.write(results, page)
        print(page, file=sys.stderr if chosen.summary == "-" else sys.stdout)
    if chosen.junit:
        junit.write(results, chosen.junit, causes_only=chosen.junit_causes_only)
    if chosen.code_quality:
        code_quality.write(results, chosen.code_quality)
    if chosen.github:
        print("\n".join(code_quality.github(results)))
    if chosen.prometheus:
        prometheus.write(results, chosen.prometheus)
    if chosen.summary == "-":
        print(summary.markdown(results), end="")
    elif chosen.summary:
        text = summary.written(results, chosen.summary)
        write_private(Path(chosen.summary), text.encode("utf-8", "replace"))


if __name__ == "__main__":
    sys.exit(main())
