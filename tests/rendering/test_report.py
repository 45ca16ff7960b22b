"""The report says what the screens and documents say, names no patient unasked, and shows text as text."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from cohorts import COHORTS, HOSTILE, LONG, table
from record_files import read

from ahsct_trial import Protocol, Trial, read_cohort, summarize
from ahsct_trial.checking import check
from ahsct_trial.protocol import with_settings
from ahsct_trial.published import find_publication
from ahsct_trial.rendering.figures.curves import drawn_curves
from ahsct_trial.rendering.figures.saving import as_svg
from ahsct_trial.rendering.figures.survival import draw_survival
from ahsct_trial.rendering.report import write_report
from ahsct_trial.rendering.sections import one_line
from ahsct_trial.rendering.sections.methods import methods
from ahsct_trial.rendering.sections.summarize import summary_sections
from ahsct_trial.results import Notice
from ahsct_trial.timelines import timeline

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
_SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)
#: What HTML does not close.
_VOID = {"meta", "link", "input"}


class Page(HTMLParser):
    """The tags of a page, and its text with each run of blanks as one."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self._texts: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []
        self.text = " ".join("".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self._texts.append(data)


#: One of two dies at 2 years without relapse, lesion or worsening.
DIED_WITHOUT_ACTIVITY = table((2, None), (4, None)).replace("4.0,,\n", "4.0,,2\n", 1)


def squeezed(text: str) -> str:
    return " ".join(text.split())


def report_of(data: Trial, protocol: Protocol | None = None) -> str:
    return write_report(summarize(data, protocol or Protocol()))


@pytest.mark.parametrize("file", ["sample_cohort.csv", "sample_records.csv", "atkins2016_lancet.csv"])
@pytest.mark.parametrize("death", ["event", "censor"])
def test_all_that_the_screen_says_stands_on_the_page(file: str, death: str) -> None:
    summary = summarize(read_cohort(DATA / file), Protocol(death=death))  # type: ignore[arg-type]
    text = Page(write_report(summary)).text
    *sections, rows = summary_sections(summary, is_full=True)
    for section in sections:
        words = [section.title, *section.lead, *section.notes, *(one_line(each) for each in section.headings)]
        words += [cell for row in section.rows for cell in row]
        # A definition stands after its term in bold.
        missing = [each for each in words if squeezed(each) not in text.replace(" :", ":")]
        assert missing == []
    for digits in re.findall(r"[\d.–]+", " ".join(rows.lead)):
        assert digits.rstrip(".") in text
    assert summary.source.files[0].sha256 in text


def test_the_headline_is_never_without_its_uncertainty() -> None:
    data = read_cohort(DATA / "sample_cohort.csv")
    text = Page(report_of(data)).text
    # Figures of data/README.md; limits as R gives them, see tests/golden/summarize-80.txt.
    assert (
        "23 of 24 evaluable patients event-free: 95.8 % (95 % CI 78.9–99.9, exact). Kaplan–Meier "
        "95.8 % (95 % CI 73.9–99.4, log-log): 1 event in 24 patients (death 1). Time from transplant to the "
        "first of relapse, new lesion, confirmed EDSS worsening and death."
    ) in text
    censored = Page(report_of(data, Protocol(death="censor", ci_method="logit"))).text
    assert "on the logit scale" in censored
    assert "A patient who dies is censored." in censored
    dead = Page(report_of(read(DIED_WITHOUT_ACTIVITY), Protocol(death="censor"))).text
    assert "1 not observed to 3 years 1 of those censored had died" in dead


def test_the_page_without_its_figures(golden: Callable[[str, str], None]) -> None:
    data = read_cohort(DATA / "sample_records.csv")
    checked = check(data, find_publication("atkins2016-summary"))
    page = write_report(summarize(data), check=checked, timeline=timeline(data, Protocol()))
    golden(
        re.sub(r"<style>.*?</style>", "<style/>", _SVG.sub("<svg/>", page), flags=re.DOTALL), "report.html"
    )


def test_the_figures_are_those_of_plot() -> None:
    summary = summarize(read_cohort(DATA / "sample_cohort.csv"))
    page = write_report(summary)
    for width, name in ((180.0, "wide"), (80.0, "narrow")):
        [curve] = drawn_curves(summary, ["activity_free_survival"])
        assert as_svg(draw_survival(summary, [curve], width), f"headline-{name}") in page
    ids = [attributes["id"] for _, attributes in Page(page).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", COHORTS)
def test_edges_give_a_whole_page(name: str) -> None:
    data = read(COHORTS[name])
    page = Page(write_report(summarize(data), timeline=timeline(data, Protocol())))
    assert {"script", "img", "iframe", "object"}.isdisjoint(tag for tag, _ in page.tags)
    for tag, attributes in page.tags:
        for key in ("href", "src", "xlink:href"):
            assert (attributes.get(key) or "#").startswith(("#", "data:,")), (tag, attributes)
    assert not re.search(r"\bNone\b|\bnan\b|Undefined", page.text)


def test_edges_say_what_cannot_be_said() -> None:
    def text_of(name: str) -> str:
        return Page(report_of(read(COHORTS[name]))).text

    bare = text_of("hardly a column")
    assert "MS activity-free survival at 3 years Not in this file: years_to_first_relapse" in bare
    assert "Figure" not in bare.replace("Figures", "")
    assert "Kaplan–Meier 100.0 % (95 % CI 2.5–100.0, beta product): 0 events in 1 patient." in text_of(
        "one patient"
    )
    headline = text_of("nobody followed to the horizon").split("Patients 3 rows read")[0]
    assert "No estimate: 1 event in 3 patients (relapse 1)." in headline
    assert "%" not in headline
    assert (
        "No patient has a known outcome." in Page(report_of(read(table((1, None)).replace("4.0", "")))).text
    )
    # 1 − 0.025^(1/5) = 0.5218
    assert "0 of 5 evaluable patients event-free: 0.0 % (95 % CI 0.0–52.2, exact)." in (
        text_of("everyone an event at once")
    )


def test_hostile_text_is_text() -> None:
    data = read(COHORTS["hostile"])
    page = write_report(summarize(data), timeline=timeline(data, Protocol()))
    assert "script" not in {tag for tag, _ in Page(page).tags}
    text = Page(page).text
    assert [name for name in HOSTILE if f"{name} 1" not in text] == []
    other = unescape(report_of(read(COHORTS["other scripts"])))
    assert f"{LONG[:59]}… 1" in other
    assert "to\\u202eleft" in other
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in other


def test_a_page_names_no_patient_unless_asked() -> None:
    data = read(
        "patient_id,follow_up_years,years_to_death\n"
        + "".join(f"Sm1th-{n},{n + 1},\n" for n in range(9))
        + "sm1th-3,2,\n"
    )
    # Two identifiers are alike, which the reading says by lines or by name.
    summary = summarize(data)
    named = Notice(code="alike", text="Sm1th-3 and sm1th-3", severity="look first", names_patients=True)
    summary = dataclasses.replace(summary, notices=(*summary.notices, named))
    page = write_report(summary)
    assert "sm1th" not in page.lower()
    assert "1 notice names a patient and is left out here: `ahsct validate` shows it." in Page(page).text
    shown = write_report(summary, timeline=timeline(data, Protocol()))
    assert "Sm1th-3 and sm1th-3" in Page(shown).text
    assert "This page shows each patient" in shown


def test_the_flow_adds_up() -> None:
    data = read(COHORTS["nobody followed to the horizon"] + ",,,,,,,,,,\n")
    text = Page(report_of(data)).text
    assert "4 rows read 3 rows used 1 set aside: row without a value in a known column 3 patients" in text
    assert (
        "3 in the Kaplan–Meier estimate of MS activity-free survival 0 left out: a component is unknown 1 "
        "evaluable at 3 years 2 not observed to 3 years 0 event-free at 3 years 1 with an event"
    ) in text


def test_long_parts_are_folded_by_style_alone() -> None:
    page = Page(report_of(read_cohort(DATA / "sample_cohort.csv")))
    folds = [attributes for tag, attributes in page.tags if attributes.get("class") == "fold"]
    labels = {attributes.get("for") for tag, attributes in page.tags if tag == "label"}
    assert [each["type"] for each in folds] == ["checkbox"] * len(folds)
    assert (
        labels
        == {each["id"] for each in folds}
        == {f"fold-{part}" for part in ("survival", "methods", "definitions", "references")}
    )


def methods_of(text: str, **settings: Any) -> dict[str, str]:
    return dict(methods(summarize(read(text), Protocol(**settings)), None).paragraphs)


def test_methods_describe_only_what_the_file_gives() -> None:
    bare = methods(summarize(read(COHORTS["hardly a column"])), None)
    assert [title for title, _ in bare.paragraphs] == ["Data.", "Survival.", "Software."]
    assert [work.split()[0] for work in bare.works] == ["Schemper", "Clark"]
    deaths = methods_of(COHORTS["deaths alone"])
    assert "Shares have exact binomial intervals" in deaths["Rates and shares."]
    said = " ".join(deaths.values())
    for absent in ("NEDA", "elapse", "esion", "EDSS", "Poisson", "Ratios", "verdispersion", "Aalen"):
        assert absent not in said
    lived = methods_of("patient_id,follow_up_years,years_to_death\nA,5,\n")
    assert "Greenwood" not in lived["Survival."]
    assert "Limits at 0 and 100 % are those of the beta product method" in lived["Survival."]
    varied = methods(summarize(read_cohort(DATA / "sample_cohort.csv")), None)
    assert any("negative binomial distribution" in words for _, words in varied.paragraphs)


def test_a_changed_protocol_is_one_term() -> None:
    page = report_of(read(COHORTS["one patient"]), with_settings(Protocol(), {"horizon_years": 2.0}))
    assert (
        "<strong>Protocol default, changed: horizon_years:</strong> horizon 2 years from transplant;" in page
    )


def test_a_publication_is_among_the_references_and_only_a_verdict_is_coloured() -> None:
    data = read(COHORTS["one patient"].replace("P0,here", "P0,differs"))
    page = write_report(summarize(data), check=check(data, find_publication("atkins2016-summary")))
    works = page.split('<ol class="works">')[1].split("</ol>")[0]
    assert "Atkins" in works.split("<li>")[-1]  # cited after the methods
    assert "Not computable:" in page
    alarms = re.findall(r'<td class="[^"]* alarm"[^>]*>', page)
    assert all('data-heading="Verdict"' in each for each in alarms)


def test_every_work_is_cited_by_its_number() -> None:
    data = read_cohort(DATA / "sample_records.csv")
    text = Page(report_of(data)).text
    cited = {int(each) for group in re.findall(r"\[([\d, ]+)\]", text) for each in group.split(",")}
    works = report_of(data).split('<ol class="works">')[1].count("<li>")
    assert cited == set(range(1, works + 1))
    documents = "".join(
        " ".join((ROOT / "docs" / name).read_text(encoding="utf-8").split())
        for name in ("endpoints.md", "figures.md", "report.md", "worsening.md")
    )
    for work in re.findall(r"<li>(.*?)</li>", report_of(data).split('<ol class="works">')[1]):
        year_and_pages = re.search(r"\d{4};[\d:e–]+|\d{4}\.|HMSO; 1926:1–26|Wiley; 2002", unescape(work))
        assert year_and_pages is not None
        assert year_and_pages[0].rstrip(".") in documents
