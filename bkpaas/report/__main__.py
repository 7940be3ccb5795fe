"""python -m bkpaas.report RESULTS.json [-o report.html]: the page of a run, made from its record alone."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from bkpaas import lang
from bkpaas.lang import say
from bkpaas.report import html
from bkpaas.report.record import read_json


def main(arguments: list[str] | None = None) -> int:
    """0, or 1 when the record cannot be read or the page cannot be written."""
    lang.speak(lang.of_locale())
    parser = argparse.ArgumentParser(
        prog="python -m bkpaas.report",
        description=say(
            en="Write the page of a run from its results.json, without its hosts, inventory or catalogue.",
            zh="由 results.json 生成该次运行的页面，不需要主机、清单和检查目录。",
        ),
    )
    parser.add_argument("results", type=Path, metavar="RESULTS.json")
    parser.add_argument(
        "-o",
        dest="page",
        type=Path,
        metavar="PAGE.html",
        help=say(en="default: report.html beside the record", zh="默认：记录同目录下的 report.html"),
    )
    chosen = parser.parse_args(arguments)
    page = chosen.page or chosen.results.with_name("report.html")
    try:
        html.write(read_json(chosen.results), page)
    except (OSError, msgspec.DecodeError) as error:  # a ValidationError is one too
        print(f"{chosen.results}: {error}", file=sys.stderr)
        return 1
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
