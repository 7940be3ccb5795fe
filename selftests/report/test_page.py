"""report.html in a real browser: it renders, filters, links, fits, and runs nothing but its own script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bkpaas.lang import Language, speak
from bkpaas.report import html
from bkpaas.report.record import Results, Verdict
from bkpaas.report.text import cut, visible

from .browser import Browser
from .fleet import large
from .hostile import MARKUP, ODD, SUBJECT, TEXT, hostile
from .sample import HOSTS, SCENARIOS, settle, three_faults, without_data

Open = Callable[..., Results]

SHOWN = "[...document.querySelectorAll('.rows details .what span:nth-child(2)')].map(e => e.textContent)"


@pytest.fixture
def shown(browser: Browser, tmp_path: Path) -> Open:
    """Writes a record's page and opens it, at an address within it; it must have made no noise."""

    def show(results: Results, view: str = "", *, width: int = 1280, dark: bool = False) -> Results:
        path = tmp_path / "report.html"
        html.write(results, path)
        browser.size(width, 900, dark=dark)
        browser.open(path, view)
        quiet(browser)
        return results

    return show


def quiet(browser: Browser) -> None:
    """No error, no message, no dialog, and nothing asked of any server."""
    assert browser.noise == []
    assert [url for url in browser.requests if not url.startswith(("file:", "data:"))] == []
    assert len(browser.requests) <= 2  # the page, and its empty icon


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [390, 1280])
def test_renders_within_its_width(
    scenario: str, language: Language, width: int, shown: Open, browser: Browser
) -> None:
    speak(language)
    results = shown(SCENARIOS[scenario](), width=width)
    assert browser.evaluate("document.documentElement.lang") == {"en": "en", "zh": "zh-CN"}[language]
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("document.querySelectorAll('.rows details').length") == min(
        100, len(results.verdicts)
    )
    names = browser.evaluate(
        "[...document.querySelectorAll('.matrix .line:not(.head) > :first-child')].map(e => e.textContent)"
    )
    assert names == [*HOSTS, "controller"]
    tally = browser.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.tally a')].map(e => [e.className.slice(2), e.textContent]))"
    )
    for word, number in results.counts.items():
        assert number == 0 or str(number) in tally[word]


def test_a_run_without_verdicts_has_a_page(shown: Open, browser: Browser) -> None:
    results = SCENARIOS["healthy"]()
    results.hosts, results.verdicts = [], []
    shown(settle(results, 5))
    assert "Nothing was judged." in browser.evaluate("document.body.textContent")
    assert "No verdict matches." in browser.evaluate("document.querySelector('.rows').textContent")


def test_cells_stand_under_their_condition(shown: Open, browser: Browser) -> None:
    shown(three_faults())
    apart = browser.evaluate("""(() => {
      const middle = (e) => { const box = e.getBoundingClientRect(); return box.left + box.width / 2; };
      const heads = new Map([...document.querySelectorAll('.head a')].map(e => [e.textContent, middle(e)]));
      return Math.max(...[...document.querySelectorAll('.line .cell')].map(e =>
        Math.abs(middle(e) - heads.get(e.getAttribute('aria-label').split(': ')[1].split('@')[0]))));
    })()""")
    assert apart < 3


def tells(verdict: Verdict, word: str) -> bool:
    told = (verdict.id, verdict.title, verdict.evidence, verdict.reason, verdict.remedy, *verdict.hosts)
    return word in " ".join(filter(None, told)).lower()


@pytest.mark.parametrize(
    ("view", "keeps"),
    [
        ("#host=paas-1&verdict=fail", lambda v: "paas-1" in v.hosts and v.verdict == "fail"),
        ("#verdict=warn,waived", lambda v: v.verdict in ("warn", "waived")),
        ("#faq=login-502", lambda v: v.faq == "login-502"),
        ("#condition=disk-space", lambda v: v.condition == "disk-space"),
        ("#text=SUPERVISORD+", lambda v: False),
        ("#text=UWSGI%20paas-1", lambda v: tells(v, "uwsgi") and tells(v, "paas-1")),
        ("#id=paas-clock-skew@paas-1+paas-2", lambda v: v.id == "paas-clock-skew@paas-1+paas-2"),
        ("#id=paas-clock-skew%40paas-1%2Bpaas-2", lambda v: v.id == "paas-clock-skew@paas-1+paas-2"),
        ("#cause=disk-space@es-1", lambda v: v.id in ("disk-space@es-1", "es-health@es-1")),
        ("#host=nobody", lambda v: False),
        ("#text=%E0%A4%A", lambda v: False),
    ],
)
def test_the_address_is_the_view(
    view: str, keeps: Callable[..., bool], shown: Open, browser: Browser
) -> None:
    results = shown(three_faults(), view)
    wanted = {verdict.id for verdict in results.verdicts if keeps(verdict)}
    assert set(browser.evaluate(SHOWN)) == wanted
    assert browser.evaluate("document.querySelector('.shown').textContent") == f"{len(wanted)} of 166"


def test_controls_drive_the_view(shown: Open, browser: Browser) -> None:
    results = shown(three_faults())
    browser.evaluate("""(() => {
      const form = document.querySelector('.filters');
      form.host.value = 'paas-2';
      form.faq.value = 'login-validity-illegal';
      form.querySelector('[value=warn]').checked = true;
      form.dispatchEvent(new Event('input', { bubbles: true }));
    })()""")
    wanted = {v.id for v in results.verdicts if v.verdict == "warn" and "paas-2" in v.hosts}
    assert set(browser.evaluate(SHOWN)) == wanted
    assert browser.evaluate("location.hash") == "#host=paas-2&faq=login-validity-illegal&verdict=warn"
    browser.evaluate("document.querySelector('.filters button').click()")
    assert browser.evaluate("document.querySelector('.shown').textContent") == "166 of 166"
    quiet(browser)


def test_every_link_lands(shown: Open, browser: Browser) -> None:
    shown(without_data())
    landed = browser.evaluate("""(async () => {
      const landed = {};
      for (const link of [...document.querySelectorAll('a[href]')]) {
        const turned = new Promise((done) => addEventListener('hashchange', done, { once: true }));
        link.click();
        if (location.hash) await turned;
        landed[link.getAttribute('href')] = document.querySelectorAll('.rows details').length;
        history.replaceState(null, '', location.pathname);
      }
      return landed;
    })()""")
    assert len(landed) > 180 and all(link.startswith("#") for link in landed)
    assert [link for link, rows in landed.items() if not 0 < rows < 100 and link != "#verdict=pass"] == []
    quiet(browser)


def test_a_cell_opens_its_row_in_view(shown: Open, browser: Browser) -> None:
    shown(three_faults())
    browser.evaluate("document.querySelector('.cell[aria-label*=\"es-health@es-1\"]').click()")
    browser.wait("document.querySelector('.rows details[open] .body')")
    text = browser.evaluate("document.querySelector('.rows details[open]').innerText")
    assert "status red, 12 unassigned shards" in text and "disk-space@es-1" in text
    top = browser.evaluate("document.querySelector('.rows details[open]').getBoundingClientRect().top")
    assert 0 <= top < 900


def test_commands_are_copied_as_they_are_typed(shown: Open, browser: Browser) -> None:
    shown(three_faults())
    browser.evaluate("""
      Object.defineProperty(navigator, 'clipboard', { value: { writeText: (text) => { window.copied = text; } } });
      document.querySelector('.cause .copy').click()""")
    browser.wait("window.copied")
    assert browser.evaluate("window.copied").splitlines() == [
        "kill 26444",
        "pgrep -af /data/bkce/etc/uwsgi-open_paas",
        "/data/bkce/.envs/open_paas/bin/supervisord -c /data/bkce/etc/supervisor-open_paas.conf",
    ]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("scenario", ["three-faults", "without-data", "nothing-judged"])
def test_everything_can_be_read(scenario: str, dark: bool, shown: Open, browser: Browser) -> None:
    """Contrast of every piece of text with what is behind it, as WCAG 2 AA asks for; what is switched off excepted."""
    shown(SCENARIOS[scenario](), dark=dark)
    faint = browser.evaluate("""(() => {
      const parts = (text) => text.match(/[\\d.]+/g).map(Number);
      const behind = (e) => { for (; e; e = e.parentElement) {
        const [r, g, b, a = 1] = parts(getComputedStyle(e).backgroundColor);
        if (a === 1) return [r, g, b];
      } return [255, 255, 255]; };
      const light = (rgb) => rgb.slice(0, 3).map(c => c / 255).map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
      const faint = new Set();
      for (const e of document.querySelectorAll('body *')) {
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || e.closest('.zero, script, option')) continue;
        const [a, b] = [light(parts(getComputedStyle(e).color)), light(behind(e))];
        const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        if (ratio < 4.5) faint.add(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
      }
      return [...faint];
    })()""")
    assert faint == []


@pytest.mark.parametrize("width", [390, 1280])
def test_hostile_text_stays_text(width: int, shown: Open, browser: Browser) -> None:
    results = shown(hostile(), width=width)
    assert (
        browser.evaluate("document.querySelectorAll('img, svg, b b, .rows script, main script').length") == 0
    )
    assert browser.evaluate("document.scripts.length") == 2
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("document.querySelector('.cause .evidence').textContent") == cut(
        TEXT, html.TEXT_LIMIT
    )
    assert visible(ODD) in browser.evaluate("document.querySelector('.over').textContent")
    browser.evaluate("document.querySelectorAll('.rows details').forEach((row) => { row.open = true; })")
    browser.wait("document.querySelectorAll('.rows .body').length === 100")
    inside = browser.evaluate("document.querySelector('.rows').textContent")
    assert MARKUP in inside and visible(ODD) in inside and cut(TEXT, html.TEXT_LIMIT) in inside
    assert browser.evaluate("document.querySelectorAll('.rows :is(img, svg, script)').length") == 0
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    browser.evaluate("document.querySelector('.rows a[href*=\"disk-space@%3Cb\"]').click()")
    browser.wait(f"{SHOWN}.length === 1")
    assert browser.evaluate(SHOWN) == [f"disk-space@{SUBJECT}"]
    assert results.counts["fail"]
    quiet(browser)


def test_a_fleet_is_drawn_as_it_is_scrolled_to(shown: Open, browser: Browser) -> None:
    results = shown(large(1_600))
    assert len(results.verdicts) > 100_000
    assert browser.evaluate("document.querySelectorAll('*').length") < 12_000
    assert (
        browser.evaluate("document.querySelector('.shown').textContent")
        == f"{len(results.verdicts)} of {len(results.verdicts)}"
    )
    for drawn, end in {
        ".rows details": ".rows > :last-child",
        ".line": ".matrix > :last-child > :last-child",
    }.items():
        before = browser.evaluate(f"document.querySelectorAll('{drawn}').length")
        browser.evaluate(f"document.querySelector('{end}').scrollIntoView()")
        browser.wait(f"document.querySelectorAll('{drawn}').length > {before}")
    browser.evaluate("location.hash = '#host=host-1599&verdict=fail'")
    browser.wait(f"{SHOWN}.every((id) => id.endsWith('@host-1599'))")
    quiet(browser)


def test_a_fleet_stays_small(tmp_path: Path) -> None:
    html.write(large(1_600), tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 3_000_000
