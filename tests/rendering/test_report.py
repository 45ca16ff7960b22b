"""The report says what the screens and documents say, names no patient unasked, and shows text as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from cohorts import COHORTS, HOSTILE, LONG, table
from record_files import read

from ahsct_trial import Cohort, Protocol, Records, read_cohort, summarize
from ahsct_trial.checking import check
from ahsct_trial.protocol import with_settings
from ahsct_trial.published import find_publication
from ahsct_trial.rendering.figures.curves import drawn_curves
from ahsct_trial.rendering.figures.saving import as_svg
from ahsct_trial.rendering.figures.survival import draw_survival
from ahsct_trial.rendering.report import write_report
from ahsct_trial.rendering.sections import one_line
from ahsct_trial.rendering.sections.report import methods
from ahsct_trial.rendering.sections.summarize import summary_sections
from ahsct_trial.timelines import timeline

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
_SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)
#: What HTML does not close.
_VOID = {"meta", "link"}


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


def report_of(data: Cohort | Records, protocol: Protocol | None = None) -> str:
    return write_report(summarize(data, protocol or Protocol()))


@pytest.mark.parametrize("file", ["sample_cohort.csv", "sample_records.csv", "atkins2016_lancet.csv"])
@pytest.mark.parametrize("death", ["event", "censor"])
def test_all_that_the_screen_says_stands_on_the_page(file: str, death: str) -> None:
    summary = summarize(read_cohort(DATA / file), Protocol(death=death))  # type: ignore[arg-type]
    text = Page(write_report(summary)).text
    headline, *sections, rows = summary_sections(summary)
    for section in sections:
        said = [section.title, *section.lead, *section.notes, *(one_line(each) for each in section.headings)]
        said += [cell for row in section.rows for cell in row]
        assert [words for words in said if squeezed(words) not in text] == []
    assert headline.title in text
    for digits in re.findall(r"[\d.–]+", " ".join([*headline.lead, *rows.lead])):
        assert digits.rstrip(".") in text
    assert summary.source.sha256 in text


def test_the_headline_is_never_without_its_uncertainty() -> None:
    data = read_cohort(DATA / "sample_cohort.csv")
    text = Page(report_of(data)).text
    # Figures of data/README.md; limits as R gives them, see tests/golden/summarize-80.txt.
    assert (
        "MS activity-free survival at 3 years was 95.8 % by Kaplan–Meier (95 % CI 73.9–99.4, log-log), with "
        "1 event in 24 patients. 23 of 24 evaluable patients were event-free at 3 years (95.8 %; exact 95 % "
        "CI 78.9–99.9, Clopper–Pearson). The event is the first of relapse, new lesion, confirmed worsening "
        "and death. A death counts as an event."
    ) in text
    censored = Page(report_of(data, Protocol(death="censor", ci_method="logit"))).text
    # The one who died had no scan: he is left out, and not among those censored.
    assert (
        "A patient who dies without one is censored. 1 patient left out: the outcome is unknown (1 died)."
        in (censored)
    )
    dead = Page(report_of(read(DIED_WITHOUT_ACTIVITY), Protocol(death="censor"))).text
    assert "A patient who dies without one is censored. 1 patient died by 3 years and was censored." in dead
    assert "1 not followed to 3 years 1 patient died by 3 years and was censored" in dead
    assert "lost" not in dead
    assert (
        "Deaths are not in this file."
        in Page(
            report_of(
                read(DIED_WITHOUT_ACTIVITY.replace("years_to_death", "comment")), Protocol(death="censor")
            )
        ).text
    )
    assert "on the logit scale" in censored
    assert "for the other endpoints it ended the observation" in censored


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

    assert "MS activity-free survival cannot be computed. Not in this file: relapses_after" in text_of(
        "hardly a column"
    )
    assert "Figure" not in text_of("hardly a column").replace("Figures", "")
    assert (
        "100.0 % by Kaplan–Meier (its log-log interval is undefined there), with 0 events in 1 patient."
        in (text_of("one patient"))
    )
    short = text_of("nobody followed to the horizon")
    assert (
        "MS activity-free survival at 3 years cannot be estimated: of 3 patients 1 had an event and 2 were "
        "observed for less than 3 years (longest 2 years)."
    ) in short
    headline = short.split("The event is")[0]
    assert "evaluable" not in headline
    assert "%" not in headline
    assert (
        "of 1 patient 0 had an event and 1 was observed for less than 3 years (longest 1 year)."
        in Page(report_of(read(table((1, None))))).text
    )
    assert (
        "cannot be estimated: of no patient the outcome is known."
        in Page(report_of(read(table((1, None)).replace("4.0", "")))).text
    )
    assert "1 of 1 evaluable patient was event-free" in text_of("one patient")
    assert "0 of 5 evaluable patients were event-free at 3 years (0.0 %; exact 95 % CI 0.0–52.2" in (
        text_of("everyone an event at once")  # 1 − 0.025^(1/5) = 0.5218
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
    page = report_of(data)
    assert "sm1th" not in page.lower()
    assert "Identifiers differ only by case or blanks; `ahsct validate` names them." in Page(page).text
    shown = write_report(summarize(data), timeline=timeline(data, Protocol()))
    assert "'Sm1th-3' and 'sm1th-3'" in Page(shown).text
    assert "This page shows each patient" in shown


def test_the_flow_adds_up() -> None:
    data = read(COHORTS["nobody followed to the horizon"] + ",,,,,,,,,,\n")
    text = Page(report_of(data)).text
    assert "4 rows read 3 rows used 1 set aside: row without a value in a known column 3 patients" in text
    assert (
        "3 in the Kaplan–Meier estimate of MS activity-free survival 0 left out: outcome unknown 1 "
        "evaluable at 3 years 2 not followed to 3 years 0 event-free at 3 years 1 with an event"
    ) in text


def methods_of(text: str, **settings: Any) -> dict[str, str]:
    return dict(methods(summarize(read(text), Protocol(**settings)), None).paragraphs)


def test_methods_describe_only_what_the_file_gives() -> None:
    bare = methods(summarize(read(COHORTS["hardly a column"])), None)
    assert [title for title, _ in bare.paragraphs] == ["Data.", "Software."]
    assert bare.works == ()
    deaths = methods_of(COHORTS["deaths alone"])
    assert "The event of overall survival was death of any cause." in deaths["Survival."]
    assert deaths["Data."].endswith(
        "An empty time of an event was taken as no event by the end of follow-up."
    )
    assert deaths["Rates and proportions."].startswith("Proportions have exact binomial intervals [6].")
    said = " ".join(deaths.values())
    for absent in ("NEDA", "elapse", "esion", "EDSS", "Poisson", "Ratios", "Overdispersion", "unknown"):
        assert absent not in said
    lived = methods_of("patient_id,follow_up_years,years_to_death\nA,5,\n")
    assert "Greenwood" not in lived["Survival."]


def test_methods_say_what_an_empty_cell_means() -> None:
    # docs/endpoints.md, "Event, loss, or unknown".
    known = "provided the component was assessed"
    data = methods_of(COHORTS["one patient"])["Data."]
    assert (
        "An empty count was taken as unknown, never as zero; an empty time of an event was taken as no event "
        f"by the end of follow-up, {known}."
    ) in data
    assert "stood in for the last scan and the last EDSS visit, of which the file has no column." in data
    head, row = COHORTS["one patient"].split()
    dated = f"{head},years_to_last_edss,years_to_last_scan\n{row},,3\n"
    data = methods_of(dated)["Data."]
    assert (
        f"{known}; a patient without an EDSS since transplant was censored for worsening at transplant."
        in data
    )
    assert "An assessment without a time was taken to be at the end of follow-up." in data
    assert "stood in" not in data


def test_a_changed_protocol_is_one_term() -> None:
    page = report_of(read(COHORTS["one patient"]), with_settings(Protocol(), {"horizon_years": 2.0}))
    assert "<strong>Protocol default, changed: horizon_years:</strong> horizon 2 years;" in page


def test_a_publication_is_among_the_references_and_only_a_verdict_is_coloured() -> None:
    data = read(COHORTS["one patient"].replace("P0,here", "P0,differs"))
    page = write_report(summarize(data), check=check(data, find_publication("atkins2016-summary")))
    works = page.split('<ol class="works">')[1].split("</ol>")[0]
    assert "Atkins" in works.split("<li>")[-1]  # cited after the methods
    assert "not computable if" in page
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
        for name in ("endpoints.md", "figures.md", "worsening.md")
    )
    for work in re.findall(r"<li>(.*?)</li>", report_of(data).split('<ol class="works">')[1]):
        year_and_pages = re.search(r"\d{4};[\d:e–]+|\d{4}\.|HMSO; 1926:1–26|Wiley; 2002", unescape(work))
        assert year_and_pages is not None
        assert year_and_pages[0].rstrip(".") in documents
