"""The report as Chromium shows and prints it: whole, readable, quiet, and alone."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pypdf
import pytest
from browser import Browser, find_browser, running_browser
from cohorts import COHORTS, HOSTILE
from record_files import read

from ahsct_trial import Protocol, Trial, compare, read_cohort, summarize
from ahsct_trial.checking import check
from ahsct_trial.endpoints.incidence import incidence_curves
from ahsct_trial.published import find_publication
from ahsct_trial.rendering.report import write_comparison_report, write_report
from ahsct_trial.timelines import timeline

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on the path (apt-get install chromium)"),
]
DATA = Path(__file__).resolve().parents[2] / "data"
COHORT_PAGES = (
    *("hostile", "other scripts", "hardly a column", "everyone an event", "one patient"),
    "nobody followed to the horizon",
)
PAGES = ("records", "lancet", "without patients", "by arm", *COHORT_PAGES)
#: The figures of a page where they are not the two of survival and the timeline.
N_FIGURES = {"hardly a column": 1, "without patients": 2, "by arm": 5}
#: WCAG 2.2, success criterion 1.4.3.
LEAST_CONTRAST = 4.5

#: Each text with its ratio to the first opaque ground below it; formula of WCAG 2.2, relative luminance.
_CONTRASTS = """(() => {
  const rgba = colour => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const luminance = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map(each => {
      const part = each / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const ground = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgba(getComputedStyle(each).backgroundColor);
      if (colour[3] === 1) return colour;
    }
    return [255, 255, 255, 1];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode, element = text.parentElement;
    if (!text.data.trim() || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const own = luminance(rgba(element.closest("svg") ? style.fill : style.color));
    const other = luminance(ground(element));
    const ratio = (Math.max(own, other) + 0.05) / (Math.min(own, other) + 0.05);
    found.push([text.data.trim(), ratio]);
  }
  return found;
})()"""

_FIGURES = """[...document.querySelectorAll("figure")].map(figure =>
  [...figure.querySelectorAll("svg")].map(svg => svg.getBoundingClientRect())
    .filter(box => box.width && box.height).map(box => [box.width, box.height]))"""

#: Cells that a reader must scroll to.
_OFF_SCREEN = """[...document.querySelectorAll("th, td, caption")]
  .filter(each => each.getBoundingClientRect().right > innerWidth + 1).map(each => each.textContent)"""

#: The texts of each table, of its caption first; those that come to nothing left out.
_TABLES = """[...document.querySelectorAll("table")].map(table =>
  [...table.querySelectorAll("caption, th, td")].map(each => each.textContent).filter(each => each.trim()))"""

_FIGURE_TEXTS = """[...document.querySelectorAll("figure")].map(figure => [
  figure.querySelector("figcaption").textContent,
  ...[...figure.querySelectorAll("svg:first-child text")].map(each => each.textContent)])"""


def page_of(data: Trial, publication: str | None = None) -> str:
    return write_report(
        summarize(data),
        check=check(data, find_publication(publication)) if publication else None,
        timeline=timeline(data, Protocol()),
    )


def page_by_arm() -> str:
    """The synthetic trial with all that a page of groups can have."""
    trial = read_cohort(DATA / "sample_trial.csv")
    return write_comparison_report(
        compare(trial, "arm"),
        incidence=incidence_curves(trial, Protocol(), "relapse_free_survival", "arm"),
        check=check(trial, find_publication("mist2019").with_arms({"HSCT": "AHSCT"})),
        timeline=timeline(trial, Protocol(), "arm"),
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    texts = {name: page_of(read(COHORTS[name])) for name in COHORT_PAGES}
    texts["without patients"] = write_report(summarize(read_cohort(DATA / "sample_cohort.csv")))
    texts["records"] = page_of(read_cohort(DATA / "sample_records.csv"), "atkins2016-summary")
    texts["lancet"] = page_of(read_cohort(DATA / "atkins2016_lancet.csv"), "atkins2016-lancet")
    texts["by arm"] = page_by_arm()
    found = {}
    for name, text in texts.items():
        found[name] = folder / f"{name}.html"
        found[name].write_text(text, encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = find_browser()
    assert executable is not None
    with running_browser(executable) as browser:
        yield browser


def squeezed(text: str) -> str:
    """Without blanks, hyphens and ligatures, which a PDF sets as it likes."""
    return re.sub(r"[\s\N{SOFT HYPHEN}\N{HYPHEN}-]", "", text).replace("ﬁ", "fi").replace("ﬂ", "fl")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [360, 800, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_quiet_alone_readable_and_fits(
    browser: Browser, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    browser.open(pages[name], width, scheme=scheme)
    contrasts = browser.evaluate(_CONTRASTS)
    assert len(contrasts) > 100
    assert [(text, ratio) for text, ratio in contrasts if ratio < LEAST_CONTRAST] == []
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    browser.evaluate("document.querySelectorAll('.fold').forEach(box => box.click())")
    figures = browser.evaluate(_FIGURES)
    assert len(figures) == N_FIGURES.get(name, 3)
    for shown in figures:
        [[across, down]] = shown  # one of the two widths
        assert across > 0.8 * min(width, 700)
        assert down > 60
    if width == 360:
        assert browser.evaluate(_OFF_SCREEN) == []
    # The last command has been answered, so whatever was said or asked for is known.
    assert browser.console == []
    assert browser.requests == [pages[name].resolve().as_uri()]


@pytest.mark.parametrize(("width", "is_folded"), [(360, True), (800, False)])
def test_long_parts_are_folded_on_a_phone_alone(
    browser: Browser, pages: dict[str, Path], width: int, is_folded: bool
) -> None:
    browser.open(pages["records"], width)
    heights = "[...document.querySelectorAll('.folded')].map(part => part.getBoundingClientRect().height)"
    assert [height == 0 for height in browser.evaluate(heights)] == [is_folded] * 4
    if is_folded:
        browser.evaluate("[...document.querySelectorAll('.fold')].forEach(box => box.click())")
        assert all(browser.evaluate(heights))
        assert browser.evaluate(_OFF_SCREEN) == []
        assert browser.evaluate("document.documentElement.scrollWidth") == width


def test_the_colour_scheme_is_followed(browser: Browser, pages: dict[str, Path]) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        browser.open(pages["records"], 800, scheme=scheme)
        grounds.append(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] == "rgb(255, 255, 255)"
    assert grounds[1] != grounds[0]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_has_its_structure(browser: Browser, pages: dict[str, Path], name: str) -> None:
    browser.open(pages[name], 800)
    levels = browser.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert browser.evaluate("document.documentElement.lang") == "en"
    assert browser.evaluate("document.querySelectorAll('th:not([scope])').length") == 0
    assert browser.evaluate("[...document.querySelectorAll('table')].every(t => t.caption.textContent)")
    assert browser.evaluate(
        "[...document.querySelectorAll('tbody tr')].every(tr => tr.cells[0].scope === 'row')"
    )
    named = """[...document.querySelectorAll('svg')].every(svg => svg.getAttribute('role') === 'img' &&
        svg.getAttribute('aria-labelledby').split(' ')
            .every(id => document.getElementById(id).textContent))"""
    assert browser.evaluate(named)
    links = "[...document.querySelectorAll('a')].every(a => document.getElementById(a.hash.slice(1)))"
    assert browser.evaluate(links)


def test_hostile_text_is_text(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["hostile"], 800)
    assert browser.evaluate("document.querySelectorAll('script, main p b, td b, svg b').length") == 0
    text = browser.evaluate("document.body.innerText")
    assert [name for name in HOSTILE if f"{name} 1" not in text] == []
    drawn = browser.evaluate("document.querySelector('#figure-timeline svg').textContent")
    # A timeline takes the middle out of identifiers of more than 16 characters.
    assert [name for name in HOSTILE if (name if len(name) <= 16 else name[:7]) not in drawn] == []


# A PDF gives right-to-left text in the order of the eye, not of the page.
@pytest.mark.parametrize("name", [name for name in PAGES if name != "other scripts"])
def test_no_table_and_no_figure_breaks_in_print(browser: Browser, pages: dict[str, Path], name: str) -> None:
    browser.open(pages[name], 800)
    document = pypdf.PdfReader(io.BytesIO(browser.print()))
    a4 = [(round(page.mediabox.width), round(page.mediabox.height)) for page in document.pages]
    assert set(a4) <= {(595, 842), (595, 841), (596, 842), (594, 841)}
    sheets = [squeezed(page.extract_text()) for page in document.pages]
    for caption, *cells in browser.evaluate(_TABLES):
        [sheet] = [sheet for sheet in sheets if squeezed(caption) in sheet]
        below = sheet[sheet.index(squeezed(caption)) :]
        assert "".join(map(squeezed, cells)) in below, caption
    for caption, *texts in browser.evaluate(_FIGURE_TEXTS):
        [sheet] = [sheet for sheet in sheets if squeezed(caption) in sheet]
        assert [text for text in texts if squeezed(text) not in sheet] == []
