"""report.html in a real browser: it renders, filters, links, fits, and runs nothing but its own script."""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from bkpaas.language import Language, set_language
from bkpaas.record import Results, Verdict, Wording
from bkpaas.report import html
from bkpaas.report.text import cut, visible

from .browser import Browser
from .fleet import large
from .hostile import MARKUP, ODD, SUBJECT, TEXT, hostile
from .sample import HOSTS, SCENARIOS, among_others, judge, settle, three_faults, without_data

Open = Callable[..., Results]

AXE = resources.files("axe_core_python") / "axe.min.js"
EVERY_COLUMN = "(() => { const all = document.querySelector('.columns'); if (!all.hidden) all.querySelector('button').click(); })()"

READY = "document.documentElement.dataset.ready === ''"
SHOWN = "[...document.querySelectorAll('.rows details .what span:nth-child(2)')].map(e => e.textContent)"


@pytest.fixture
def shown(browser: Browser, tmp_path: Path) -> Open:
    """Writes a record's page and opens it, at an address within it; it must have made no noise."""

    def show(results: Results, view: str = "", *, width: int = 1280, dark: bool = False) -> Results:
        path = tmp_path / "report.html"
        html.write(results, path)
        browser.size(width, 900, dark=dark)
        browser.open(path, view)
        browser.wait(READY)
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
    set_language(language)
    results = shown(SCENARIOS[scenario](), width=width)
    assert browser.evaluate("document.documentElement.lang") == {"en": "en", "zh": "zh-CN"}[language]
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert 0 < browser.evaluate("document.querySelectorAll('.rows details').length") <= len(results.verdicts)
    browser.evaluate(EVERY_COLUMN)
    names = browser.evaluate(
        "[...document.querySelectorAll('.matrix .line:not(.head) > :first-child')].map(e => e.textContent)"
    )
    assert names == [*HOSTS, "controller"]
    tally = browser.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.tally a')].map(e => [e.className.slice(2), e.innerText]))"
    )
    for word, number in results.counts.items():
        assert number == 0 or str(number) in tally[word]


POINTED = "document.querySelectorAll('.cell').forEach((e) => e.dispatchEvent(new Event('pointerover', { bubbles: true })))"
TEXTS = """(() => {
  const shown = document.body.innerText.split("\\n").map((line) => line.trim());
  const tips = [...document.querySelectorAll("[title], [aria-label], [placeholder]")].flatMap((e) =>
    ["title", "aria-label", "placeholder"].map((name) => e.getAttribute(name)));
  const titles = [...document.querySelectorAll("svg title")].map((e) => e.textContent);
  const options = [...document.querySelectorAll("option, optgroup")].map((e) => e.label);
  return [...shown, document.title, ...tips, ...titles, ...options].filter(Boolean).flatMap((text) => text.split("\\n"));
})()"""


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_both_languages_are_whole(scenario: str, shown: Open, browser: Browser) -> None:
    """In English nothing is Chinese; what stays the same in Chinese is what no language has: names, ids, commands."""
    results = shown(SCENARIOS[scenario]())
    nobodys = names_and_commands(results)
    english = texts(browser)
    chinese = [line for line in english if re.search("[\u4e00-\u9fff]", line) and line != "中文"]
    assert [line for line in chinese if not any(line in text for text in nobodys)] == []
    browser.evaluate("document.querySelector('[name=lang][value=zh]').click()")
    left = [
        functools.reduce(lambda rest, name: rest.replace(name, ""), nobodys, line)
        for line in english & texts(browser)
    ]
    assert [line for line in left if re.search("[A-Za-z]{2,} [A-Za-z]{2,}", line)] == []
    quiet(browser)


def names_and_commands(results: Results) -> list[str]:
    """Return the texts that are equal in every language, the longest first."""
    found: set[str | None] = {"results.json", "details.html", "junit.xml"}
    for verdict in results.verdicts:
        found |= {verdict.id, verdict.condition, verdict.subject}
        found |= {line[2:] for line in (verdict.remedy or "").splitlines() if line.startswith("$ ")}
        names = ("reason", "evidence")
        found |= {getattr(verdict, name) for name in names if getattr(verdict.translated, name) is None}
    for waiver in results.waivers:
        found |= {waiver.reason, waiver.owner, waiver.evidence}
    if results.comparison:
        found |= {text for fact in results.comparison.facts for text in (fact.name, fact.before, fact.after)}
    return sorted(filter(None, found), key=len, reverse=True)


def texts(browser: Browser) -> set[str]:
    """Every line that a person can come to see: text, tooltips, what is read out, choices."""
    browser.evaluate(POINTED)
    browser.evaluate("document.querySelectorAll('.rows details').forEach((row) => { row.open = true; })")
    browser.wait(
        "document.querySelectorAll('.rows details .body').length === document.querySelectorAll('.rows details').length"
    )
    return set(browser.evaluate(TEXTS))


def test_the_language_switches_in_place(shown: Open, browser: Browser) -> None:
    results = shown(three_faults(), "#verdict=fail&host=paas-1")
    browser.evaluate("window.kept = true; document.querySelector('[name=lang][value=zh]').click()")
    assert browser.evaluate("document.documentElement.lang") == "zh-CN"
    assert (
        browser.evaluate("document.querySelector('h1').innerText")
        == "3 个根因，另有 9 项失败和 3 项警告由此引起；另有 1 项警告。"
    )
    assert browser.evaluate("document.title") == "3 个根因，另有 9 项失败和 3 项警告由此引起；另有 1 项警告。"
    assert browser.evaluate("location.hash") == "#host=paas-1&verdict=fail&lang=zh"
    first = results.verdict("supervisor-sock@paas-1").translated.title
    assert browser.evaluate("document.querySelector('.rows details b').innerText") == first
    browser.evaluate("document.querySelector('.cell[aria-label*=\"es-health@es-1\"]').click()")
    browser.wait("location.hash === '#id=es-health@es-1&lang=zh'")
    assert browser.evaluate(SHOWN) == ["es-health@es-1"]
    browser.evaluate("document.querySelector('[name=lang][value=en]').click()")
    assert browser.evaluate("location.hash") == "#id=es-health@es-1"
    assert (
        browser.evaluate("document.querySelector('h1').innerText")
        == "3 root causes; their consequences: 9 failures and 3 warnings; 1 other warning."
    )
    assert browser.evaluate("window.kept") is True
    quiet(browser)


def test_an_address_brings_its_language(shown: Open, browser: Browser) -> None:
    set_language("zh")
    shown(three_faults(), "#lang=en&theme=dark")
    assert (
        browser.evaluate("document.querySelector('h1').innerText")
        == "3 root causes; their consequences: 9 failures and 3 warnings; 1 other warning."
    )
    assert browser.evaluate(GROUND) == DARK
    browser.evaluate("location.hash = '#lang=fr&theme=loud'")
    browser.wait("location.hash === '#lang=en&theme=dark'")
    quiet(browser)


GROUND = "getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(245, 246, 248)", "rgb(16, 20, 26)"


@pytest.mark.parametrize("dark", [False, True])
def test_colours_follow_the_system_or_the_switch(dark: bool, shown: Open, browser: Browser) -> None:
    shown(three_faults(), dark=dark)
    grounds = [browser.evaluate(GROUND)]
    for name in ("dark", "light", ""):
        browser.evaluate(f"document.querySelector('[name=theme][value=\"{name}\"]').click()")
        grounds.append(browser.evaluate(GROUND))
    own = DARK if dark else LIGHT
    assert grounds == [own, DARK, LIGHT, own]
    assert browser.evaluate("document.querySelectorAll('.switches [aria-pressed=true]').length") == 2


def test_a_run_without_verdicts_has_a_page(shown: Open, browser: Browser) -> None:
    results = SCENARIOS["healthy"]()
    results.hosts, results.verdicts = [], []
    shown(settle(results, 5))
    assert "Nothing was checked." in browser.evaluate("document.body.textContent")
    assert "No verdict matches." in browser.evaluate("document.querySelector('.rows').textContent")


def test_cells_are_under_their_condition(shown: Open, browser: Browser) -> None:
    shown(three_faults())
    browser.evaluate(EVERY_COLUMN)
    browser.evaluate(POINTED)
    assert "status red, 12 unassigned" in browser.evaluate(
        "document.querySelector('.cell[aria-label*=\"es-health@es-1\"]').title"
    )
    distance = browser.evaluate("""(() => {
      const middle = (e) => { const box = e.getBoundingClientRect(); return box.left + box.width / 2; };
      const heads = new Map([...document.querySelectorAll('.head a')].map(e => [e.textContent, middle(e)]));
      return Math.max(...[...document.querySelectorAll('.line .cell')].map(e =>
        Math.abs(middle(e) - heads.get(e.getAttribute('aria-label').split(': ')[1].split('@')[0]))));
    })()""")
    assert distance < 3


JOB_TO_NGINX = ("domain-from-cmdb-job", "domain-resolve", "http-proxy-env")
NGINX_TO_AGENT = ("agent-8010-from-nginx", "agent-upstream-map")


def mentions(verdict: Verdict, word: str) -> bool:
    texts = (verdict.id, verdict.title, verdict.evidence, verdict.reason, verdict.remedy, *verdict.hosts)
    return word in " ".join(filter(None, texts)).lower()


@pytest.mark.parametrize(
    ("view", "keeps"),
    [
        ("#host=paas-1&verdict=fail", lambda v: "paas-1" in v.hosts and v.verdict == "fail"),
        ("#verdict=warn,waived", lambda v: v.verdict in ("warn", "waived")),
        ("#faq=login-502", lambda v: v.faq == "login-502"),
        (
            "#faq=login-redirect-loop",
            lambda v: (
                v.faq == "login-redirect-loop" or v.condition in ("paas-clock-skew", "login-secret-equal")
            ),
        ),
        ("#condition=disk-space", lambda v: v.condition == "disk-space"),
        ("#condition=disk-space,es-health", lambda v: v.condition in ("disk-space", "es-health")),
        ("#step=job>nginx", lambda v: v.subject == "job-1" and v.condition in JOB_TO_NGINX),
        (
            "#step=nginx>appt",
            lambda v: v.subject in ("nginx-1", "nginx-1+appt-1") and v.condition in NGINX_TO_AGENT,
        ),
        ("#step=unknown", lambda v: False),
        ("#text=%E4%B8%A4%E5%8F%B0+PaaS+%E7%9A%84%E6%97%B6%E9%97%B4%E5%B7%AE", lambda v: False),
        (
            "#text=%E4%B8%A4%E5%8F%B0%20PaaS%20%E7%9A%84%E6%97%B6%E9%97%B4%E5%B7%AE",
            lambda v: "paas-clock" in v.id,
        ),
        ("#text=SUPERVISORD+", lambda v: False),
        ("#text=UWSGI%20paas-1", lambda v: mentions(v, "uwsgi") and mentions(v, "paas-1")),
        ("#id=paas-clock-skew@paas-1+paas-2", lambda v: v.id == "paas-clock-skew@paas-1+paas-2"),
        ("#id=paas-clock-skew%40paas-1%2Bpaas-2", lambda v: v.id == "paas-clock-skew@paas-1+paas-2"),
        ("#cause=disk-space@es-1", lambda v: v.id in ("disk-space@es-1", "es-health@es-1")),
        ("#host=unknown", lambda v: False),
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
    shown(three_faults())
    browser.evaluate("""(() => {
      const form = document.querySelector('.filters');
      form.host.value = 'paas-2';
      form.condition.value = 'login-illegal-in-logs';
      form.faq.value = 'login-validity-illegal';
      form.querySelector('[value=warn]').checked = true;
      form.dispatchEvent(new Event('input', { bubbles: true }));
    })()""")
    assert browser.evaluate(SHOWN) == ["login-illegal-in-logs@paas-2"]
    assert (
        browser.evaluate("location.hash")
        == "#host=paas-2&condition=login-illegal-in-logs&faq=login-validity-illegal&verdict=warn"
    )
    browser.evaluate("document.querySelector('.filters button').click()")
    assert browser.evaluate("document.querySelector('.shown').textContent") == "166 of 166"
    quiet(browser)


@pytest.mark.parametrize("scenario", ["among-others", "without-data"])
def test_every_link_lands(scenario: str, shown: Open, browser: Browser) -> None:
    shown(SCENARIOS[scenario]())
    browser.evaluate(EVERY_COLUMN)
    landed = browser.evaluate("""(async () => {
      const landed = {};
      for (const link of [...document.querySelectorAll('a[href^="#"]')]) {
        const turned = new Promise((done) => addEventListener('hashchange', done, { once: true }));
        link.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
        await turned;
        landed[link.getAttribute('href')] = document.querySelectorAll('.rows details').length;
        history.replaceState(null, '', location.pathname);
      }
      return landed;
    })()""")
    assert len(landed) > 180 and "#step=nginx%3Eopen_paas" in landed
    # A waiver or an earlier run may name what this run did not judge.
    assert {
        link: rows for link, rows in landed.items() if not 0 < rows < 100 and link != "#verdict=pass"
    } == {}
    files = browser.evaluate(
        "[...document.querySelectorAll('a:not([href^=\"#\"])')].map((e) => e.getAttribute('href'))"
    )
    assert [file for file in files if file] == ["results.json", "details.html", "junit.xml"]
    quiet(browser)


def test_a_cell_opens_its_row_in_view(shown: Open, browser: Browser) -> None:
    shown(three_faults())
    browser.evaluate("document.querySelector('.cell[aria-label*=\"es-health@es-1\"]').click()")
    browser.wait("document.querySelector('.rows details[open] .body')")
    text = browser.evaluate("document.querySelector('.rows details[open]').innerText")
    assert "status red, 12 unassigned shards" in text and "disk-space@es-1" in text
    top = browser.evaluate("document.querySelector('.rows details[open]').getBoundingClientRect().top")
    assert 0 <= top < 900


def test_a_narrow_matrix_shows_what_failed(shown: Open, browser: Browser) -> None:
    shown(three_faults(), width=390)
    browser.evaluate("document.querySelector('.matrix').scrollIntoView()")
    inside = """(() => {
      const frame = document.querySelector('.matrix').getBoundingClientRect();
      const cell = document.querySelector('.matrix .cell.w-fail:not(.folded)').getBoundingClientRect();
      return frame.left < cell.left && cell.right < frame.right;
    })()"""
    browser.wait(inside)


@pytest.mark.parametrize("view", ["", "#lang=zh"])
def test_commands_are_copied_as_they_are_typed(view: str, shown: Open, browser: Browser) -> None:
    shown(three_faults(), view)
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
@pytest.mark.parametrize("scenario", ["among-others", "without-data", "nothing-judged"])
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
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || e.closest('.zero, script, option, title')) continue;
        const drawn = e instanceof SVGElement, station = e.closest('.box');
        const on = station ? parts(getComputedStyle(station.querySelector('rect')).fill) : behind(e);
        if (drawn && e.matches('.sign')) continue; // on its own circle, as every mark
        const [a, b] = [light(parts(getComputedStyle(e)[drawn ? 'fill' : 'color'])), light(on)];
        const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        if (ratio < 4.5) faint.add(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
      }
      return [...faint];
    })()""")
    assert faint == []


@pytest.mark.parametrize("view", ["", "#lang=zh"])
@pytest.mark.parametrize("width", [390, 1280])
def test_hostile_text_stays_text(width: int, view: str, shown: Open, browser: Browser) -> None:
    results = shown(hostile(), view, width=width)
    assert browser.evaluate(ALIEN) == []
    assert browser.evaluate("document.scripts.length") == 2
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    language: Language = "zh" if view else "en"
    assert browser.evaluate("document.querySelector('.cause .evidence').innerText.trim()") == cut(
        TEXT, html.TEXT_LIMIT, language
    ).replace("\t", " ")
    assert visible(ODD) in browser.evaluate("document.querySelector('.over').textContent")
    browser.evaluate("document.querySelectorAll('.rows details').forEach((row) => { row.open = true; })")
    browser.wait("document.querySelectorAll('.rows .body').length >= 50")
    inside = browser.evaluate("document.querySelector('.rows').textContent")
    assert MARKUP in inside and visible(ODD) in inside and cut(TEXT, html.TEXT_LIMIT, language) in inside
    assert browser.evaluate(ALIEN) == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    browser.evaluate("document.querySelector('.rows a[href*=\"disk-space@%3Cb\"]').click()")
    browser.wait(f"{SHOWN}.length === 1")
    assert browser.evaluate(SHOWN) == [f"disk-space@{SUBJECT}"]
    assert results.counts["fail"]
    quiet(browser)


# Elements that the page never makes, and attributes that run something.
ALIEN = """[...document.querySelectorAll("img, iframe, object, embed, main script, b b, svg svg, [style*=url]")].map((e) => e.outerHTML)
  .concat([...document.querySelectorAll("*")].flatMap((e) => [...e.attributes]).filter((a) => a.name.startsWith("on")).map((a) => a.name))"""


def test_the_way_is_drawn_as_judged(shown: Open, browser: Browser) -> None:
    shown(three_faults())
    parts = browser.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.path.wide [data-part]')].map((e) => [e.dataset.part, e.getAttribute('class')]))"
    )
    assert parts["open_paas"] == "box frame w-fail" and parts["login"] == "box w-fail"
    assert parts["browser>nginx"] == "step w-fail folded" and parts["nginx>open_paas"] == "step w-pass"
    assert parts["cmdb>nginx"] == "step w-waived" and parts["open_paas>appt"].endswith("unjudged")
    title = browser.evaluate("document.querySelector('.path.wide [data-part=login] title').textContent")
    assert title.splitlines()[:2] == ["login: fail, 18 verdicts", "paas-clock-skew@paas-1+paas-2"]
    assert "healthz-login@controller" in title


def test_what_history_and_baseline_say_is_shown(shown: Open, browser: Browser) -> None:
    shown(among_others())
    since = browser.evaluate("[...document.querySelectorAll('.cause .since')].map((e) => e.innerText)")
    assert since == ["since 2026-03-05 03:15, 3 runs in a row", "new in this run"]
    assert browser.evaluate("document.querySelectorAll('.trend .bar').length") == 7
    moves = browser.evaluate(
        "[...document.querySelectorAll('.moves li')].map((e) => e.innerText.split(/\\s+/).join(' '))"
    )
    assert "disk-space@es-1 ! warn → × fail" in moves and len(moves) == 5
    facts = browser.evaluate("[...document.querySelectorAll('.facts')].map((e) => e.innerText).join(' ')")
    assert "supervisord) -> 6.0/6.1" in facts and "2.14.56→2.14.61" in facts and "absent→uwsgi" in facts
    waivers = browser.evaluate("[...document.querySelectorAll('.waivers .state')].map((e) => e.innerText)")
    assert waivers == ["in use", "expired", "no longer needed", "evidence changed"]


def test_a_run_without_another_says_nothing_of_change(shown: Open, browser: Browser) -> None:
    shown(without_data())
    assert browser.evaluate("document.querySelectorAll('#changes, #waivers, .since').length") == 0


@pytest.mark.parametrize("view", ["", "#lang=zh"])
def test_a_print_is_few_pages(view: str, shown: Open, browser: Browser) -> None:
    """Problems, what changed, the run: at most three pages, light, without what only a screen can show."""
    shown(among_others(), view, dark=True)
    printed = base64.b64decode(browser.call("Page.printToPDF", printBackground=True)["data"])
    assert 1 <= len(re.findall(rb"/Type /Page\b", printed)) <= 3
    browser.call("Emulation.setEmulatedMedia", media="print", features=[])
    try:
        assert browser.evaluate(GROUND) == "rgb(255, 255, 255)"
        hidden = ("switches", "matrix", "rows", "path")
        shows = "[...document.querySelectorAll(`.${name}`)].some((one) => one.checkVisibility())"
        assert not [name for name in hidden if browser.evaluate(f"((name) => {shows})({name!r})")]
        assert browser.evaluate("document.querySelector('#changes').checkVisibility()")
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")


def told_apart(results: Results) -> Results:
    """Every passed verdict with evidence of its own, in both languages: nothing repeats."""
    for number, verdict in enumerate(results.verdicts):
        verdict.evidence, verdict.translated = (
            f"seen {number * 7919} times",
            Wording(evidence=f"看到 {number * 7919} 次"),
        )
    return results


def test_much_data_is_packed_and_opens(shown: Open, browser: Browser) -> None:
    shown(told_apart(large(200)))
    assert browser.evaluate("document.getElementById('data').type") == "application/packed"
    browser.evaluate("location.hash = '#lang=zh&host=host-7&condition=disk-space'")
    browser.wait(f"{SHOWN}.length === 1")
    browser.evaluate("document.querySelector('.rows summary').click()")
    browser.wait("document.querySelector('.rows .body')")
    assert "看到" in browser.evaluate("document.querySelector('.rows .evidence').innerText")
    quiet(browser)


def test_a_browser_that_cannot_unpack_says_so(tmp_path: Path, browser: Browser) -> None:
    path = tmp_path / "report.html"
    html.write(told_apart(large(200)), path)
    old = browser.call(
        "Page.addScriptToEvaluateOnNewDocument", source="delete globalThis.DecompressionStream"
    )
    try:
        browser.open(path)
        browser.wait("document.getElementById('old').checkVisibility()")
        assert "cannot unpack" in browser.evaluate("document.querySelector('.rows').innerText")
        assert browser.evaluate("document.querySelectorAll('.cause').length") == 4
        quiet(browser)
    finally:
        browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=old["identifier"])


def test_a_fleet_is_drawn_as_it_is_scrolled_to(shown: Open, browser: Browser) -> None:
    results = shown(large(1_600))
    assert len(results.verdicts) > 100_000
    assert browser.evaluate("document.querySelectorAll('*').length") < 12_000
    assert (
        browser.evaluate("document.querySelector('.shown').textContent")
        == f"{len(results.verdicts)} of {len(results.verdicts)}"
    )
    before = browser.evaluate("document.querySelectorAll('.line').length")
    browser.evaluate("document.querySelector('.matrix > :last-child > :last-child').scrollIntoView()")
    browser.wait(f"document.querySelectorAll('.line').length > {before}")
    browser.evaluate("document.querySelector('.pages [value=more]').click()")
    assert browser.evaluate("document.querySelectorAll('.rows details').length") == 100
    browser.evaluate("location.hash = '#host=host-1599&verdict=fail'")
    browser.wait(f"{SHOWN}.every((id) => id.endsWith('@host-1599'))")
    quiet(browser)


@pytest.mark.parametrize("evidence", ["alike", "apart"])
def test_a_fleet_stays_small(evidence: str, tmp_path: Path) -> None:
    results = large(1_600)
    html.write(told_apart(results) if evidence == "apart" else results, tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 3_000_000


@pytest.mark.parametrize(
    ("scenario", "width", "view"),
    [("among-others", 1280, ""), ("among-others", 390, "#lang=zh&theme=dark"), ("without-data", 1280, "")],
)
def test_axe_finds_nothing(scenario: str, width: int, view: str, shown: Open, browser: Browser) -> None:
    """The page works with a screen reader and with keys: no violation of any rule of axe-core."""
    shown(SCENARIOS[scenario](), view, width=width)
    browser.evaluate(AXE.read_text("utf-8") + ";0")
    script = "axe.run().then((found) => found.violations.map((one) => [one.id, one.nodes.map((node) => node.html)]))"
    assert browser.evaluate(script) == []


def test_the_list_ends_and_shows_all_on_demand(shown: Open, browser: Browser) -> None:
    """The end of the page can be reached, and a search of the browser finds every row."""
    shown(three_faults())
    rows = "document.querySelectorAll('.rows details').length"
    assert browser.evaluate(rows) == 50
    browser.evaluate("document.querySelector('.pages [value=more]').click()")
    assert browser.evaluate(rows) == 100
    browser.evaluate("document.querySelector('.pages [value=all]').click()")
    assert browser.evaluate(rows) == 166 and browser.evaluate("document.querySelector('.pages').hidden")


def test_further_causes_are_lines_that_open(shown: Open, browser: Browser) -> None:
    results = three_faults()
    ids = [one.id for one in results.verdicts if one.verdict == "pass"][:9]
    for id_ in ids:
        judge(results, id_, "fail", evidence=f"{id_} was seen", remedy="Repair it:\n$ true")
    results.root_causes += ids
    shown(settle(results, 1))
    assert browser.evaluate("document.querySelectorAll('article.cause').length") == html.UNFOLDED
    further = "[...document.querySelectorAll('#causes details.cause')]"
    assert browser.evaluate(f"{further}.length") == 12 - html.UNFOLDED
    assert browser.evaluate(f"{further}.every((one) => !one.open && one.querySelector('h3').innerText)")
    browser.evaluate(f"{further}[0].querySelector('summary').click()")
    assert "was seen" in browser.evaluate(f"{further}[0].innerText")


def test_the_matrix_shows_columns_with_findings_first(shown: Open, browser: Browser) -> None:
    results = shown(three_faults(), width=390)
    heads = "[...document.querySelectorAll('.head a')].map((e) => e.textContent)"
    bad = {one.condition for one in results.verdicts if one.verdict in ("fail", "warn", "no_data")}
    assert set(browser.evaluate(heads)) == bad
    cut_off = (
        "[...document.querySelectorAll('.head a')].filter((e) => e.scrollHeight > e.clientHeight + 1).length"
    )
    assert browser.evaluate(cut_off) == 0
    browser.evaluate("document.querySelector('.columns button').click()")
    assert len(browser.evaluate(heads)) == len({one.condition for one in results.verdicts})


def test_commands_break_between_words(shown: Open, browser: Browser) -> None:
    shown(three_faults(), width=390)
    style = "getComputedStyle(document.querySelector('.commands code'))"
    assert browser.evaluate(f"{style}.wordBreak") == "normal"
    assert browser.evaluate("document.querySelectorAll('.commands code wbr').length") > 3


def test_a_bar_opens_the_report_of_its_run(browser: Browser, tmp_path: Path) -> None:
    """The trend has an axis with days, and links to the earlier pages that are still there."""
    results = among_others()
    assert results.history is not None
    for number, run in enumerate(results.history.runs):
        run.report = str(tmp_path / f"day {number // 2}")  # a later run replaces the page of an earlier one
    (tmp_path / "day 1").mkdir()
    html.write(results, tmp_path / "day 1/report.html")
    html.write(results, tmp_path / "day 3/report.html")
    browser.size(390, 900)
    browser.open(tmp_path / "day 3/report.html")
    browser.wait(READY)
    links = "[...document.querySelectorAll('.trend a')].map((one) => one.getAttribute('href'))"
    assert browser.evaluate(links) == ["../day%201/report.html"]
    texts = browser.evaluate("[...document.querySelectorAll('.trend text')].map((one) => one.textContent)")
    assert texts == ["12", "0", "03-01", "03-07"]
    browser.evaluate(AXE.read_text("utf-8") + ";0")
    assert browser.evaluate("axe.run('.trend').then((found) => found.violations.map((one) => one.id))") == []
