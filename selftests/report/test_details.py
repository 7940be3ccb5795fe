"""Our columns and our prefix in a page that pytest-html really made, in a real browser."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path

from bkpaas.record import write_json
from bkpaas.report import details
from bkpaas.report.text import visible

from .browser import Browser
from .hostile import MARKUP, ODD, hostile

AXE = resources.files("axe_core_python") / "axe.min.js"

CONFTEST = """
from pathlib import Path
import pytest
from bkpaas.report import details
from bkpaas.record import read_json

RESULTS = read_json(Path(__file__).with_name("results.json"))
VERDICTS = [verdict for verdict in RESULTS.verdicts if verdict.verdict != "pass"]

def pytest_generate_tests(metafunc):
    metafunc.parametrize("verdict", VERDICTS, ids=[f"v{number}" for number in range(len(VERDICTS))])

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    (yield).get_result().verdict = item.callspec.params["verdict"]

def pytest_html_results_table_header(cells):
    cells[1:] = details.header_cells("en")

def pytest_html_results_table_row(report, cells):
    cells[1:] = details.row_cells(report.verdict, "en")

def pytest_html_results_summary(prefix):
    prefix.extend(details.prefix(RESULTS, ["lost@paas-2"]))
"""


def test_pytest_html_page(tmp_path: Path, browser: Browser) -> None:
    write_json(hostile(), tmp_path / "results.json")
    (tmp_path / "conftest.py").write_text(CONFTEST, "utf-8")
    (tmp_path / "test_one.py").write_text(
        "def test_one(verdict): assert verdict.verdict != 'fail'\n", "utf-8"
    )
    page = tmp_path / "details.html"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--html={page}",
        "--self-contained-html",
    ]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(root)}, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stdout

    page.write_text(
        details.readable(page.read_text("utf-8", "surrogatepass"), "en"), "utf-8", "surrogatepass"
    )
    browser.size(1280, 900)
    browser.open(page)
    browser.wait("document.querySelector('.results-table-row')")
    browser.evaluate(AXE.read_text("utf-8") + ";0")
    violations = "axe.run().then((found) => found.violations.map((one) => [one.id, one.nodes[0].html]))"
    for width in (1280, 390):
        browser.size(width, 900)
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        assert browser.evaluate(violations) == []
    rows = "document.querySelectorAll('#results-table .results-table-row').length"
    assert browser.evaluate(rows) == sum(verdict.verdict != "pass" for verdict in hostile().verdicts)
    text = browser.evaluate("document.querySelector('#results-table').textContent")
    assert (
        MARKUP in text and visible(ODD).replace("\\ud83d\\udc80", "??") in text
    )  # read back from results.json
    prefix = browser.evaluate("document.querySelector('.prefix').textContent")
    assert (
        "3 root causes; their consequences" in prefix
        and "supervisor-sock@paas-1" in prefix
        and "lost@paas-2" in prefix
    )
    ours = "document.querySelectorAll('.prefix :is(img, svg, script), td[class^=col-bk] *, td pre *').length"
    assert browser.evaluate(ours) == 0
    browser.evaluate("document.querySelector('th[data-column-type=bkId]').click()")
    browser.wait("document.querySelector('th[data-column-type=bkId]').matches('.asc, .desc')")
    assert browser.evaluate(rows)
    assert browser.noise == []
