"""The publications that come with the program: each figure is traceable, and says what was read."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from ahsct_trial.errors import UsageError
from ahsct_trial.protocol import BUILT_IN
from ahsct_trial.published import (
    Figure,
    Mark,
    Publication,
    entry,
    find_publication,
    library,
    publication,
    publications,
)

TESTS = Path(__file__).parents[1]
FOLDER = TESTS.parents[0] / "src" / "ahsct_trial" / "published"

#: Those whose figures are published somewhere in the notes.
IDS = [
    "atkins2016-lancet",
    "atkins2016-summary",
    "boffa2021",
    "burman2014",
    "halt-ms2017",
    "hamerschlak2010",
    "kvistad2020",
    "mist2019",
    "muraro2017",
    "nabizadeh2022",
    "shevchenko2015",
    "silfverberg2024",
    "sormani2017",
]
SHIPPED = [
    pytest.param(one, id=f"{each.id}-{number}")
    for each in publications().values()
    for number, one in enumerate(each.figures, start=1)
]


def test_the_library_is_complete() -> None:
    assert list(publications()) == IDS


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
    ],
)
def test_sizes_and_years(name: str, n_patients: int, year: int) -> None:
    assert (publication(name).n_patients, publication(name).year) == (n_patients, year)


@pytest.mark.parametrize("one", SHIPPED)
def test_every_figure_says_how_and_where_it_was_read_and_what_it_counts(one: Figure) -> None:
    assert one.mark in get_args(Mark)
    assert one.source.strip()
    assert one.label.strip()
    assert one.definition.strip()


@pytest.mark.parametrize("one", SHIPPED)
def test_a_horizon_that_was_not_read_is_said_to_be_missing(one: Figure) -> None:
    if one.is_at_horizon and one.horizon_years is None:
        assert "horizon" in one.definition
        assert "not stated" in one.definition


@pytest.mark.parametrize("one", SHIPPED)
def test_a_count_has_an_interval_only_with_what_it_is_counted_of(one: Figure) -> None:
    is_count = Decimal(one.value) == int(Decimal(one.value)) and one.unit != "%"
    if is_count and one.of is None:
        assert one.interval is None


@pytest.mark.parametrize("each", [*publications().values()], ids=lambda each: each.id)
def test_every_publication_is_whole(each: Publication) -> None:
    assert each.title.strip()
    assert each.citation.strip()
    assert each.own_protocol().name == each.id
    assert (FOLDER / f"{each.id}.toml").is_file()
    assert publication(each.id) is each
    if each.headline is None:
        assert each.id == "mist2019"  # its notes give no event-free figure


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
    assert disputed == ["atkins2016-summary"]


def test_one_wording_for_what_23_of_24_is() -> None:
    summary, abstract = (publication(f"atkins2016-{name}") for name in ("summary", "lancet"))
    words = (
        "News reports say that 23 of 24 had no further relapse or new lesion (bmj.com/content/353/bmj.i3269)"
    )
    for said in (summary.uncertain[0], summary.figures[0].differs, abstract.figures[0].differs):
        assert said is not None
        assert words in said
    for said in (summary.figures[0].differs, abstract.figures[0].differs):
        assert said is not None
        assert "Our inference" in said


def test_the_library_as_a_document_has_the_newest_first() -> None:
    known = library()
    assert known.publications[0].id == "silfverberg2024"
    assert {each.id for each in known.publications} == set(IDS)
    assert entry("halt-ms2017").protocol.confidence_level == 0.9


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("atkins", "Closest: atkins2016-lancet, atkins2016-summary."),
        ("HALT-MS", "Closest: halt-ms2017."),
        ("zzz", "Known: atkins2016-lancet, .*sormani2017."),
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
