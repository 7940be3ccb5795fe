"""Measure how long report.html takes to open in a headless Chromium, compared with empty pages.

python -m bench.page [VERDICTS ...] prints a table; exit status 1 when a figure is beyond its limit.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.fleet import fleet
from bkpaas.report import html
from selftests.report.browser import BINARY, Browser

SECONDS = {3_000: 0.3, 100_000: 1.0}
"""By verdicts, how long a page may take to open."""
BYTES = 3_000_000

# Ready is when the first rows have been painted: two frames after the page said so.
_WATCH = """
new MutationObserver(() => {
  if (document.documentElement?.dataset.ready === undefined || window.opened) return;
  window.opened = 1;
  requestAnimationFrame(() => requestAnimationFrame(() => { window.opened = performance.now(); }));
}).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-ready"] });
"""
_AFTER = """(async () => {{
  const begun = performance.now();
  {action};
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - begun;
}})()"""
_ACTIONS = {
    "find": "location.hash = '#text=' + Math.random()",
    "switch": "document.querySelector('[name=lang][aria-pressed=false]').click()",
}


def trivial(_: int) -> str:
    """Return a page with one line of text."""
    return (
        "<!DOCTYPE html><title>x</title><p>x</p><script>document.documentElement.dataset.ready = ''</script>"
    )


def empty_rows(verdicts: int) -> str:
    """Return a page with as many empty rows as there are verdicts."""
    rows = "<div></div>" * verdicts
    return (
        f"<!DOCTYPE html><title>x</title>{rows}<script>document.documentElement.dataset.ready = ''</script>"
    )


def ours(verdicts: int) -> str:
    """Return the page of a run with so many verdicts."""
    return html.page(fleet(verdicts))


PAGES: dict[str, Callable[[int], str]] = {"trivial": trivial, "empty rows": empty_rows, "report.html": ours}


def opened(browser: Browser, page: Path) -> tuple[float, float]:
    """Measure the time from the start of the navigation to the first rows on the screen: (s, s of processor time)."""
    before = _busy(browser)
    browser.open(page)
    browser.wait("window.opened > 1")
    after = _busy(browser)  # counted anew when the browser took another process for the page
    return float(browser.evaluate("window.opened")) / 1000, after - before if after >= before else after


def _busy(browser: Browser) -> float:
    """Return the seconds of processor time of the page's main thread so far."""
    metrics = browser.call("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verdicts", type=int, nargs="*", default=sorted(SECONDS))
    parser.add_argument(
        "--runs", type=int, default=5, help="of each page, of which the median is printed (default 5)"
    )
    chosen = parser.parse_args()
    if BINARY is None:
        print("no Chromium here: apt-get install chromium", file=sys.stderr)
        return 2
    slow = False
    print(
        f"{'verdicts':>9} {'page':12} {'bytes':>10} {'open s':>7} {'/trivial':>8} {'/empty':>7} {'cpu s':>6} {'find s':>7} {'switch s':>8}"
    )
    with tempfile.TemporaryDirectory() as directory:
        browser = Browser(Path(directory) / "profile")
        browser.size(1280, 900)
        browser.call("Performance.enable", timeDomain="threadTicks")
        browser.call("Page.addScriptToEvaluateOnNewDocument", source=_WATCH)
        for verdicts in chosen.verdicts:
            slow = not measure(browser, Path(directory), verdicts, chosen.runs) or slow
        browser.close()
    return int(slow)


def measure(browser: Browser, directory: Path, verdicts: int, runs: int) -> bool:
    """Print the rows of one size; whether our page keeps its limits."""
    begun = time.perf_counter()
    pages = {name: directory / f"{number}.html" for number, name in enumerate(PAGES)}
    for name, path in pages.items():
        path.write_text(PAGES[name](verdicts), "utf-8")
    made = time.perf_counter() - begun
    times: dict[str, list[float]] = {name: [] for name in pages}
    busy: dict[str, list[float]] = {name: [] for name in pages}
    actions: dict[str, list[float]] = {name: [] for name in _ACTIONS}
    for _ in range(runs):  # in turn, so that a slow minute of the machine falls on all of them
        for name, path in pages.items():
            seconds, processor = opened(browser, path)
            times[name].append(seconds)
            busy[name].append(processor)
        for name, action in _ACTIONS.items():  # the last opened page is ours
            actions[name].append(float(browser.evaluate(_AFTER.format(action=action))) / 1000)
    for name, path in pages.items():
        seconds = median(times[name])
        medians = [median(actions[action]) for action in _ACTIONS] if name == "report.html" else []
        print(
            f"{verdicts:9,} {name:12} {path.stat().st_size:10,} {seconds:7.3f} {seconds / median(times['trivial']):8.1f}"
            f" {seconds / median(times['empty rows']):7.2f} {median(busy[name]):6.3f}"
            + "".join(f" {number:7.3f}" for number in medians)
        )
    print(f"{'':9} made in {made:.1f} s")
    page = pages["report.html"]
    return median(times["report.html"]) <= SECONDS.get(verdicts, 1e9) and page.stat().st_size <= BYTES


if __name__ == "__main__":
    sys.exit(main())
