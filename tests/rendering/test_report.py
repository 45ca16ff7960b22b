"""The report says what the screens and documents say, names no patient unasked, and shows text as text."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from cohorts import COHORTS, HOSTILE, LONG, table
from record_files import read

from ahsct_trial import Protocol, Trial, compare, read_cohort, summarize
from ahsct_trial.checking import check
from ahsct_trial.endpoints.incidence import incidence_curves
from ahsct_trial.protocol import with_settings
from ahsct_trial.published import find_publication
from ahsct_trial.rendering.figures.curves import drawn_curves, drawn_groups
from ahsct_trial.rendering.figures.incidence import draw_incidence, drawn_incidence
from ahsct_trial.rendering.figures.saving import as_svg
from ahsct_trial.rendering.figures.survival import draw_survival
from ahsct_trial.rendering.report import write_comparison_report, write_report
from ahsct_trial.rendering.sections import one_line
from ahsct_trial.rendering.sections.compare import comparison_sections
from ahsct_trial.rendering.sections.methods import methods
from ahsct_trial.rendering.sections.summarize import summary_sections
from ahsct_trial.results import Comparison, Notice
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


@cache
def report_of_sample(file: str) -> str:
    return report_of(read_cohort(DATA / file))


@cache
def report_of_cohort(name: str) -> str:
    """A cohort of COHORTS with each patient's timeline."""
    data = read(COHORTS[name])
    return write_report(summarize(data), timeline=timeline(data, Protocol()))


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
    text = Page(report_of_sample("sample_cohort.csv")).text
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
    page = report_of_sample("sample_cohort.csv")
    for width, name in ((180.0, "wide"), (80.0, "narrow")):
        [curve] = drawn_curves(summary, ["activity_free_survival"])
        assert as_svg(draw_survival(summary, [curve], width), f"headline-{name}") in page
    ids = [attributes["id"] for _, attributes in Page(page).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", COHORTS)
def test_edges_give_a_whole_page(name: str) -> None:
    page = Page(report_of_cohort(name))
    assert {"script", "img", "iframe", "object"}.isdisjoint(tag for tag, _ in page.tags)
    for tag, attributes in page.tags:
        for key in ("href", "src", "xlink:href"):
            assert (attributes.get(key) or "#").startswith(("#", "data:,")), (tag, attributes)
    assert not re.search(r"\bNone\b|\bnan\b|Undefined", page.text)


def test_edges_say_what_cannot_be_said() -> None:
    def text_of(name: str) -> str:
        return Page(report_of_cohort(name)).text

    bare = Page(report_of(read(COHORTS["hardly a column"]))).text
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
    page = report_of_cohort("hostile")
    assert "script" not in {tag for tag, _ in Page(page).tags}
    text = Page(page).text
    assert [name for name in HOSTILE if f"{name} 1" not in text] == []
    other = unescape(report_of_cohort("other scripts"))
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
    page = Page(report_of_sample("sample_cohort.csv"))
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
    page = report_of_sample("sample_records.csv")
    text = Page(page).text
    cited = {int(each) for group in re.findall(r"\[([\d, ]+)\]", text) for each in group.split(",")}
    works = page.split('<ol class="works">')[1].count("<li>")
    assert cited == set(range(1, works + 1))
    documents = "".join(
        " ".join((ROOT / "docs" / name).read_text(encoding="utf-8").split())
        for name in ("endpoints.md", "figures.md", "report.md", "worsening.md")
    )
    for work in re.findall(r"<li>(.*?)</li>", page.split('<ol class="works">')[1]):
        year_and_pages = re.search(r"\d{4};[\d:e–]+|\d{4}\.|HMSO; 1926:1–26|Wiley; 2002", unescape(work))
        assert year_and_pages is not None
        assert year_and_pages[0].rstrip(".") in documents


# ---- Groups side by side ----------------------------------------------------------------------------------

TRIAL = DATA / "sample_trial.csv"
#: Two arms: nobody in A has an event, two of B relapse; one patient has no arm, one stands at another site.
TWO_ARMS = """patient_id,arm,site,follow_up_years,relapses_after,years_to_first_relapse,years_to_death
Jones-1,A,X,5,0,,
Jones-2,A,X,2,0,,
Jones-3,A,X,4,0,,
Jones-4,B,X,5,1,1,
Jones-5,B,X,4,2,2,
Jones-6,B,X,1,0,,1
Jones-7,B,X,2,,,
Jones-8,,X,3,0,,
Jones-9,B,Y,3,0,,
"""


def comparison_of(trial: Trial, by: str = "arm", **options: Any) -> str:
    return write_comparison_report(compare(trial, by, **options))


@cache
def comparison_of_sample(strata: str | None = None) -> Comparison:
    return compare(read_cohort(TRIAL), "arm", reference="DMT", strata=strata)


@cache
def comparison_report_of_sample(strata: str | None = None) -> str:
    return write_comparison_report(comparison_of_sample(strata))


@cache
def report_of_arms() -> str:
    """The synthetic trial beside the randomised one, with its incidence."""
    trial = read_cohort(TRIAL)
    return write_comparison_report(
        comparison_of_sample(),
        incidence=incidence_curves(trial, Protocol(), "relapse_free_survival", "arm"),
        check=check(trial, find_publication("mist2019").with_arms({"HSCT": "AHSCT"})),
    )


def test_the_page_of_groups_without_its_figures(golden: Callable[[str, str], None]) -> None:
    page = report_of_arms()
    bare = re.sub(r"<style>.*?</style>", "<style/>", _SVG.sub("<svg/>", page), flags=re.DOTALL)
    golden(bare, "report-by-arm.html")


@pytest.mark.parametrize("strata", [None, "site"])
def test_all_that_compare_says_stands_on_the_page(strata: str | None) -> None:
    comparison = comparison_of_sample(strata)
    text = Page(comparison_report_of_sample(strata)).text
    *sections, rows = comparison_sections(comparison)
    for section in sections:
        words = [*section.notes, *(one_line(each) for each in section.headings)]
        words += [cell for row in section.rows for cell in row]
        if section.title != "How to read this":  # its sentences stand before the contrasts
            words.append(section.title)
        words += section.lead
        missing = [each for each in words if squeezed(each) not in text.replace(" :", ":")]
        assert missing == []
    for digits in re.findall(r"[\d.–]+", " ".join(rows.lead)):
        assert digits.rstrip(".") in text


def test_follow_up_stands_before_any_contrast() -> None:
    text = Page(comparison_of(read_cohort(TRIAL))).text.split("Participants", 2)[2]
    follow_up, complete = text.index("Median follow-up, years"), text.index("Complete to 3 years")
    for contrast in ("Hazard ratio", "Survival at 3 years, DMT − AHSCT", " p <0.001", "Boschloo"):
        assert max(follow_up, complete) < text.index(contrast)


def test_the_flow_of_groups_adds_up() -> None:
    trial = read(TWO_ARMS).where({"site": ("X",)})
    text = Page(comparison_of(trial)).text
    # By hand from TWO_ARMS. Jones-6 died at 1 year; Jones-7's relapses are unknown.
    assert (
        "9 rows read 9 rows used 0 set aside 9 patients 7 in 2 groups by arm 1 not selected (--where) "
        "1 left out: no arm is given"
    ) in text
    assert (
        "A Allocation 3 allocated to A Follow-up 2 followed to 3 years 0 died by 3 years 1 follow-up ended "
        "before 3 years Analysis 3 analysed for relapse-free survival 0 excluded from the analysis: a component "
        "is unknown 0 with an event by 3 years 2 event-free at 3 years 1 not observed to 3 years"
    ) in text
    assert (
        "B Allocation 4 allocated to B Follow-up 2 followed to 3 years 1 died by 3 years 1 follow-up ended "
        "before 3 years Analysis 3 analysed for relapse-free survival 1 excluded from the analysis: a component "
        "is unknown 3 with an event by 3 years 0 event-free at 3 years 0 not observed to 3 years"
    ) in text
    assert "with a late event" not in text


def test_a_randomised_trial_says_who_was_transplanted() -> None:
    rows = "patient_id,record,day,arm\n" + "".join(
        f"{name},baseline,,{name[0]}\n{name},randomisation,0,\n{name},last_contact,1200,\n"
        for name in ("A1", "A2", "A3", "B1", "B2")
    )
    trial = read(rows + "A1,transplant,30,\nA2,transplant,41,\n", time_zero="randomisation")
    text = Page(write_comparison_report(compare(trial, "arm", Protocol(time_zero="randomisation")))).text
    assert "3 randomised to A 2 transplanted 1 not transplanted" in text
    assert "2 randomised to B 0 transplanted 2 not transplanted" in text


def test_groups_by_another_attribute_are_not_called_arms() -> None:
    text = Page(comparison_of(read(TWO_ARMS), "site")).text
    assert "8 with site X" in text
    assert "llocat" not in text
    assert "randomised" not in text


def test_figures_of_groups_are_those_of_plot() -> None:
    comparison = comparison_of_sample()
    incidence = incidence_curves(read_cohort(TRIAL), Protocol(), "relapse_free_survival", "arm")
    page = report_of_arms()
    for width, name in ((180.0, "wide"), (80.0, "narrow")):
        for key in ("relapse_free_survival", "worsening_free_survival", "overall_survival"):
            drawing = draw_survival(comparison, drawn_groups(comparison, key), width)
            assert as_svg(drawing, f"by-{key.replace('_', '-')}-{name}") in page
        drawing = draw_incidence(incidence, drawn_incidence(incidence), width)
        assert as_svg(drawing, f"incidence-{name}") in page
    ids = [attributes["id"] for _, attributes in Page(page).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_a_page_of_groups_names_no_patient_unless_asked() -> None:
    trial = read(TWO_ARMS)
    assert "jones" not in comparison_of(trial).lower()
    page = write_comparison_report(compare(trial, "arm"), timeline=timeline(trial, Protocol(), "arm"))
    assert "Jones-1" in page
    assert "This page shows each patient" in page


@pytest.mark.parametrize("name", [name for name in COHORTS if "hardly" not in name and "nothing" not in name])
def test_edges_give_a_whole_page_of_groups(name: str) -> None:
    """Each cohort twice, as two sites whose patients have other identifiers."""
    header, *rows = COHORTS[name].splitlines()
    columns = [column for column in header.split(",") if column != "graft"]
    text = "\n".join(
        [f"{','.join(columns)},graft"]
        + [
            f"{prefix}{row},{graft}" if not row.startswith('"') else f'"{prefix}{row[1:]},{graft}'
            for prefix, graft in (("x", HOSTILE[0]), ("y", HOSTILE[2]))
            for row in rows
        ]
    )
    trial = read(text + "\n")
    page = Page(
        write_comparison_report(compare(trial, "graft"), timeline=timeline(trial, Protocol(), "graft"))
    )
    assert {"script", "img", "iframe", "object"}.isdisjoint(tag for tag, _ in page.tags)
    assert not re.search(r"\bNone\b|\bnan\b|Undefined(?!:)", page.text)


def test_every_work_on_a_page_of_groups_is_cited_in_order_and_documented() -> None:
    page = comparison_report_of_sample()
    text = Page(page).text
    cited = [int(each) for group in re.findall(r"\[([\d, ]+)\]", text) for each in group.split(",")]
    works = re.findall(r"<li>(.*?)</li>", page.split('<ol class="works">')[1].split("</ol>")[0])
    assert list(dict.fromkeys(cited)) == list(range(1, len(works) + 1))
    documents = "".join(
        " ".join((ROOT / "docs" / name).read_text(encoding="utf-8").split())
        for name in ("compare.md", "endpoints.md", "figures.md", "report.md", "worsening.md")
    )
    for work in works:
        year_and_pages = re.search(r"\d{4};[\d:e–]+|\d{4}\.|HMSO; 1926:1–26|Wiley; 2002", unescape(work))
        assert year_and_pages is not None
        assert year_and_pages[0].rstrip(".") in documents
