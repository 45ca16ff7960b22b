"""The publications that come with the program: each figure is traceable, and says what was read."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from ahsct_trial.errors import UsageError
from ahsct_trial.protocol import BUILT_IN
from ahsct_trial.published import (
    Contrast,
    Figure,
    Mark,
    Publication,
    entry,
    find_publication,
    library,
    publication,
    publications,
)
from ahsct_trial.published.paths import estimate_at, fault_of_figure, units_at

TESTS = Path(__file__).parents[1]
FOLDER = TESTS.parents[0] / "src" / "ahsct_trial" / "published"

#: All that were read, by id.
IDS = [
    "alping2021",
    "atkins2016-lancet",
    "atkins2016-summary",
    "boffa2021",
    "boffa2023-spms",
    "braun2024-hamburg",
    "burman2014",
    "burt2015",
    "burt2021-northwestern",
    "das2021-first-line",
    "fischbach2026-germany",
    "ge2019-meta",
    "giedraitiene2023",
    "halt-ms2017",
    "hamerschlak2010",
    "kalincik2023",
    "kalincik2024-progressive",
    "kvistad2020",
    "mancardi2012-italy",
    "mancardi2015-astims",
    "mariottini2022-florence",
    "melnichenko2021-russia",
    "mist2019",
    "msjetc2026",
    "muraro2017",
    "muraro2025-uk",
    "nabizadeh2022",
    "nicholas2021-london",
    "ruizarguelles2019-mexico",
    "samijn2006",
    "shevchenko2015",
    "silfverberg2024",
    "silfverberg2024-beam-cy",
    "sormani2017",
    "zhukovsky2021",
]
#: Those of which no event-free share was read that a cohort could be set beside.
WITHOUT_EVENT_FREE_FIGURE = {
    "alping2021",
    "das2021-first-line",
    "giedraitiene2023",
    "kalincik2023",
    "kalincik2024-progressive",
    "mancardi2015-astims",
    "mist2019",
    "ruizarguelles2019-mexico",
    "samijn2006",
}
ADDRESS = re.compile(r"https://[a-z0-9.-]+/[^ ]*")
SHIPPED = [
    pytest.param(one, id=f"{each.id}-{number}")
    for each in publications().values()
    for number, one in enumerate(each.figures, start=1)
]


def test_the_library_is_complete() -> None:
    assert list(publications()) == IDS
    assert len(IDS) >= 30


def test_every_printed_number_was_copied_twice_the_same() -> None:
    # tests/reference/published_figures.csv: see the README there.
    with (TESTS / "reference" / "published_figures.csv").open(encoding="utf-8", newline="") as file:
        noted = Counter(
            (
                row["id"],
                row["value"],
                row["of"],
                row["ci_low"],
                row["ci_high"],
                row["horizon_years"],
                row["mark"],
                row["beside"],
                row["p"],
            )
            for row in csv.DictReader(file)
        )
    shipped = Counter(
        (
            each.id,
            one.value,
            one.of or "",
            *(one.ci or ("", "")),
            "" if one.horizon_years is None else f"{one.horizon_years:g}",
            one.mark,
            one.spread or (f"SE {one.se}" if one.se else ""),
            one.p or "",
        )
        for each in publications().values()
        for one in each.figures
    )
    assert shipped == noted


@pytest.mark.parametrize(
    ("name", "n_patients", "year"),
    [
        # Lancet 2016;388:576-585; JAMA 2019; Neurology 2017; JAMA Neurol 2017; and the notes' own column.
        ("atkins2016-lancet", 24, 2016),
        ("atkins2016-summary", 24, 2016),
        ("mist2019", 110, 2019),
        ("halt-ms2017", 24, 2017),
        ("muraro2017", 281, 2017),
        ("sormani2017", 764, 2017),
        ("nabizadeh2022", 4831, 2022),
        ("boffa2021", 210, 2021),
        ("burman2014", 41, 2014),
        ("silfverberg2024", 174, 2024),
        ("kvistad2020", 30, 2020),
        ("shevchenko2015", 99, 2015),
        ("hamerschlak2010", 41, 2010),
        ("muraro2025-uk", 364, 2025),
        ("nicholas2021-london", 120, 2021),
        ("burt2021-northwestern", 414 + 93, 2021),
        ("silfverberg2024-beam-cy", 33 + 141, 2024),
        ("zhukovsky2021", 69 + 75, 2021),
        ("boffa2023-spms", 79 + 1975, 2023),
        ("kalincik2024-progressive", 39 + 65, 2024),
        ("braun2024-hamburg", 20 + 21, 2024),
        ("fischbach2026-germany", 55 + 23 + 31, 2026),
        ("mariottini2022-florence", 31 + 62, 2022),
        ("mancardi2015-astims", 21, 2015),
        ("mancardi2012-italy", 74, 2012),
        ("das2021-first-line", 20, 2021),
        ("ruizarguelles2019-mexico", 259 + 228 + 130, 2019),
        ("ge2019-meta", 732, 2019),
        ("msjetc2026", 29, 2026),
        ("samijn2006", 14, 2006),
        ("melnichenko2021-russia", 258, 2021),
        ("burt2015", 123 + 28, 2015),
        ("giedraitiene2023", 31 + 19, 2023),
    ],
)
def test_sizes_and_years(name: str, n_patients: int, year: int) -> None:
    assert (publication(name).n_patients, publication(name).year) == (n_patients, year)


@pytest.mark.parametrize("one", SHIPPED)
def test_every_figure_says_how_and_where_it_was_read_and_what_it_counts(one: Figure) -> None:
    assert one.mark in get_args(Mark)
    assert ADDRESS.fullmatch(one.source), one.source
    assert (one.read_in or "").strip()
    assert one.label.strip()
    assert one.definition.strip()
    assert (one.mark == "D") == (one.read_in or "").startswith("Computed from ")


@pytest.mark.parametrize("one", SHIPPED)
def test_a_horizon_that_was_not_read_is_said_to_be_missing(one: Figure) -> None:
    if one.is_at_horizon and one.horizon_years is None:
        assert "horizon" in one.definition
        assert "not stated" in one.definition


@pytest.mark.parametrize("one", SHIPPED)
def test_every_path_leads_to_a_number_of_the_printed_kind(one: Figure) -> None:
    if one.figure is None:
        assert one.no_counterpart
        assert one.about
        return
    for path in filter(None, (one.figure, one.figure_of)):
        assert fault_of_figure(path) is None
    name = one.figure.rpartition(".")[2]
    kinds = {"n": "", "n_patients": "", "value": units_at(one.figure), "median": units_at(one.figure)}
    if name in {"min", "max"}:
        assert one.unit == "years"
    else:
        assert one.unit in kinds[name]
    if one.ci is not None:
        assert estimate_at(one.figure, one.figure_of) == one.figure.removesuffix(".value")
    assert (one.of is None) == (one.figure_of is None)


@pytest.mark.parametrize(
    ("name", "label", "topics"),
    [
        ("atkins2016-summary", "MS activity-free at 3 years", ("activity",)),
        ("atkins2016-summary", "No further relapse or new lesion", ("relapse", "lesion")),
        ("atkins2016-lancet", "Relapses per year before", ("relapse",)),
        ("atkins2016-lancet", "Lesions on scans after", ("lesion",)),
        ("atkins2016-lancet", "Sustained EDSS improvement", ("improvement",)),
        ("atkins2016-lancet", "Sustained progression by 3 years", ("worsening",)),
        ("atkins2016-lancet", "Transplant-related deaths", ("death",)),
        ("atkins2016-lancet", "Follow-up, median", ("follow-up",)),
        ("das2021-first-line", "EDSS after, median", ("edss",)),
        ("mist2019", "Hazard ratio of progression", ("worsening",)),
        ("mist2019", "Patients, HSCT arm", ("other",)),
        ("alping2021", "Thyroid disease, AHSCT", ("safety",)),
        ("kvistad2020", "NEDA-3", ("activity",)),
    ],
)
def test_what_a_figure_is_about(name: str, label: str, topics: tuple[str, ...]) -> None:
    (one,) = (each for each in publication(name).figures if each.label == label)
    assert one.topics == topics


@pytest.mark.parametrize(
    ("name", "label", "printed"),
    [
        ("atkins2016-lancet", "MS activity-free at 3 years", "69.6 % (46.6–84.2)"),
        ("atkins2016-summary", "MS activity-free at 3 years", "23 of 24"),
        ("mist2019", "Hazard ratio of progression", "hazard ratio 0.07 (0.02–0.24)"),
        ("mist2019", "EDSS at 1 year, HSCT arm", "mean 2.36"),
        ("mist2019", "Difference of the change in EDSS at 1 year", "mean difference -1.7 (-2.03 to -1.29)"),
        ("mist2019", "Time to progression, median, DMT arm", "24 months (IQR 18–48)"),
        ("alping2021", "Death rate, AHSCT", "1.7 per 1,000 person-years (0.0–9.6)"),
        ("boffa2023-spms", "Hazard ratio of first progression", "hazard ratio 0.50 (0.31–0.81; p 0.005)"),
        ("zhukovsky2021", "NEDA at 3 years, AHSCT", "88 % (p < 0.0001 against the other arm)"),
        ("fischbach2026-germany", "NEDA-3", "82.8 % (SE 4.9)"),
        ("muraro2025-uk", "EDSS improvement, prevalence at 2 years", "24.2 % (prevalence)"),
    ],
)
def test_a_figure_as_printed(name: str, label: str, printed: str) -> None:
    (one,) = (each for each in publication(name).figures if each.label == label)
    assert one.printed == printed


def test_two_publications_of_one_trial_say_so() -> None:
    trials = Counter(each.trial for each in publications().values() if each.trial is not None)
    assert [trial for trial, n in trials.items() if n > 1] == ["NCT01099930"]


def test_the_kind_of_interval_that_was_found_from_the_figures() -> None:
    # Notes: HALT-MS and Atkins fit log-log only, Boffa 2021 plain only, Silfverberg plain or log.
    found = {each.id: each.protocol.get("ci_method") for each in publications().values() if each.inferred}
    assert found == {
        "atkins2016-lancet": "log-log",
        "boffa2021": "plain",
        "halt-ms2017": "log-log",
        "silfverberg2024": "log",
        "silfverberg2024-beam-cy": "log",
    }


def test_the_randomised_trials_compare_their_arms() -> None:
    mist = publication("mist2019")
    (ratio,) = (one for one in mist.figures if one.contrast)
    assert ratio.figure == "contrasts.endpoints.worsening_free_survival.hazard_ratio.value"
    assert mist.arms == ("HSCT", "DMT")
    renamed = mist.with_arms({"HSCT": "transplant", "DMT": "control"})
    assert renamed.arms == ("transplant", "control")
    (ratio,) = (one for one in renamed.figures if one.contrast)
    assert ratio.contrast == Contrast(level="transplant", reference="control")


def test_a_disputed_publication_gives_nothing_to_compare_with() -> None:
    figures = publication("giedraitiene2023").figures
    assert all(one.disputed and one.figure is None and one.no_counterpart for one in figures)


@pytest.mark.parametrize("each", [*publications().values()], ids=lambda each: each.id)
def test_every_publication_is_whole(each: Publication) -> None:
    assert each.title.strip()
    assert each.citation.strip()
    assert each.own_protocol().name == each.id
    assert (FOLDER / f"{each.id}.toml").is_file()
    assert publication(each.id) is each
    assert (each.headline is None) == (each.id in WITHOUT_EVENT_FREE_FIGURE)


def test_protocols_are_the_publications_own() -> None:
    halt = publication("halt-ms2017").own_protocol()
    assert (halt.confidence_level, halt.horizon_years) == (0.9, 5)
    assert publication("atkins2016-lancet").own_protocol().death == "censor"
    assert publication("atkins2016-summary").own_protocol().death == "event"
    at_2 = publication("sormani2017").own_protocol(2.0)
    assert (at_2.name, at_2.horizon_years) == ("sormani2017", 2)


@pytest.mark.parametrize(
    ("name", "built_in"), [("atkins2016-lancet", "atkins2016-lancet"), ("halt-ms2017", "halt-ms")]
)
def test_a_built_in_protocol_is_that_of_its_publication(name: str, built_in: str) -> None:
    assert replace(publication(name).own_protocol(), name=built_in) == BUILT_IN[built_in]


@pytest.mark.parametrize("one", SHIPPED)
def test_what_was_not_read_is_marked_and_said(one: Figure) -> None:
    unsaid = "not stated in what was read" in one.definition
    if one.is_at_horizon and unsaid and "defin" in one.definition:
        assert "definition" in one.not_stated
    if "definition" in one.not_stated:
        assert unsaid
    if one.figure is None:
        assert one.no_counterpart


def test_the_disputed_figure_is_marked() -> None:
    disputed = [each.id for each in publications().values() if any(one.disputed for one in each.figures)]
    assert disputed == ["atkins2016-summary", "giedraitiene2023"]


def test_one_wording_for_what_23_of_24_is() -> None:
    summary, abstract = (publication(f"atkins2016-{name}") for name in ("summary", "lancet"))
    words = (
        "News reports say that 23 of 24 had no further relapse or new lesion "
        "(https://www.bmj.com/content/353/bmj.i3269.full)"
    )
    for said in (summary.uncertain[0], summary.figures[0].differs, abstract.figures[0].differs):
        assert said is not None
        assert words in said
    for said in (summary.figures[0].differs, abstract.figures[0].differs):
        assert said is not None
        assert "Our inference" in said


def test_the_library_as_a_document_has_the_newest_first() -> None:
    known = library()
    assert known.publications[0].id == "fischbach2026-germany"
    assert {each.id for each in known.publications} == set(IDS)
    assert entry("halt-ms2017").protocol.confidence_level == 0.9


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("atkins", "Closest: atkins2016-lancet, atkins2016-summary."),
        ("HALT-MS", "Closest: halt-ms2017."),
        ("zzz", "Known: alping2021, .*zhukovsky2021."),
        ("../figures", "Known: "),
        ("", "Known: "),
    ],
)
def test_an_unknown_publication_names_the_closest_or_all(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=f"There is no publication '.*' here. {words}"):
        find_publication(name)


def test_a_file_cannot_take_the_place_of_a_publication_that_is_known(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    text = (FOLDER / "burman2014.toml").read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"id is 'burman2014'.*Choose another id"):
        find_publication(str(file))
    file.write_text(text.replace('id = "burman2014"', 'id = "mine"'), encoding="utf-8")
    assert find_publication(str(file)).id == "mine"
