"""What `ahsct summarize` shows: the important first, with its uncertainty and its counts, on few lines."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from cohorts import COHORTS, table
from record_files import read

from ahsct_trial import Protocol, Summary, Trial, read_cohort, summarize
from ahsct_trial.rendering.sections import Section, sentences, shared_sentences
from ahsct_trial.rendering.sections.summarize import summary_sections
from ahsct_trial.rendering.terminal import draw
from ahsct_trial.results import Notice

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample_cohort.csv"
CASES = ROOT / "tests" / "cases"


def of(trial: Trial, **settings: Any) -> Summary:
    return summarize(trial, Protocol(**settings))


def said(section: Section) -> list[str]:
    return [section.title, *section.lead, *(cell for row in section.rows for cell in row), *section.notes]


def text_of(summary: Summary, *, is_full: bool = False) -> str:
    """The screen with each run of blanks as one."""
    sections = summary_sections(summary, is_full=is_full)
    return " ".join(" ".join(said(section)) for section in sections)


@pytest.mark.parametrize("file", ["sample_cohort.csv", "sample_records.csv", "atkins2016_lancet.csv"])
@pytest.mark.parametrize("is_full", [False, True])
def test_no_word_is_broken_at_80_columns(monkeypatch: pytest.MonkeyPatch, file: str, is_full: bool) -> None:
    monkeypatch.setattr("ahsct_trial.rendering.terminal._FILE_WIDTH", 80)
    sections = summary_sections(of(read_cohort(ROOT / "data" / file)), is_full=is_full)
    drawn = draw(sections)
    assert max(map(len, drawn.splitlines())) <= 80
    # Every word of the tables stands whole on some line; a digest is longer than a word.
    for section in sections:
        for words in said(section):
            assert [word for word in words.split() if word not in drawn] == []


def test_what_must_be_looked_at_first_stands_above_the_headline() -> None:
    summary = of(read_cohort(CASES / "right-14-worse-at-the-last-visit" / "input.csv"))
    titles = [section.title for section in summary_sections(summary)]
    assert titles.index("Look at this first") < titles.index("MS activity-free survival at 3 years")
    # Five of seven were worse at the last visit.
    [first] = [section for section in summary_sections(summary) if section.title == "Look at this first"]
    assert any("5 patients of 7" in text for text in first.lead)


def test_neda3_of_all_says_in_the_same_row_that_one_died() -> None:
    [section] = [
        each for each in summary_sections(of(read_cohort(SAMPLE))) if each.title.startswith("No evidence")
    ]
    # data/README.md: 23 without activity, one death of the transplant; years 1 to 3 are alike and said once.
    [(name, words)] = section.rows
    assert name == "By year 1, 2 and 3"
    assert words.startswith(
        "23 of 23 evaluable, 100.0 % (95 % CI 85.2–100.0, exact); 1 not evaluable, who died"
    )
    assert "at least 23 of 24 (95.8 %), at most 24 of 24 (100.0 %)" in words


def test_endpoints_with_the_same_figures_are_one_row() -> None:
    [section] = [
        each for each in summary_sections(of(read_cohort(SAMPLE))) if each.title.startswith("Event-")
    ]
    [row] = section.rows
    assert row[0] == "MS activity-free, Relapse-free, MRI activity-free, Worsening-free, Alive"
    assert row[1:] == ("23 of 24", "95.8 % (73.9–99.4)", "death 1", "0", "0", "0")


def test_bounds_where_causes_of_death_are_unknown() -> None:
    # Two of unknown cause and one of the transplant by day 100, of 13 followed so far.
    text = text_of(of(read_cohort(CASES / "right-10-mortality-with-unknown-causes" / "input.csv")))
    assert "at least 1 of 13, 7.7 %" in text
    assert "at most 3 of 13, 23.1 %" in text
    assert "3 of 13, 23.1 % (5.0–53.8)" in text


def test_limits_at_100_percent_are_named() -> None:
    # 17 of 17: 0.025^(1/17) = 0.8049.
    summary = of(read_cohort(CASES / "right-19-nobody-failed" / "input.csv"))
    [section] = [each for each in summary_sections(summary) if each.title.startswith("Event-")]
    assert ("100.0 % (80.5–100.0)") in {row[2] for row in section.rows}
    assert "At 0 and 100 % the limits are those of the beta product interval." in section.notes
    one = of(read(table((4, None))))
    assert "Kaplan–Meier 100.0 % (95 % CI 2.5–100.0, beta product): 0 events in 1 patient." in text_of(one)


def test_overdispersed_rates_show_the_negative_binomial_interval_with_its_name() -> None:
    for is_full in (False, True):
        summary = of(read_cohort(SAMPLE))
        [section] = [
            each
            for each in summary_sections(summary, is_full=is_full)
            if each.title == "Relapses and lesions"
        ]
        methods = [(row[0], row[-1]) for row in section.rows]
        assert ("Lesions before", "negative binomial") in methods
        assert (("Lesions before", "exact") in methods) is is_full
        assert ("Relapses before", "exact") in methods
        assert sum("regression to the mean" in note for note in section.notes) == 1


def test_regression_to_the_mean_is_said_once() -> None:
    for is_full in (False, True):
        assert text_of(of(read_cohort(SAMPLE)), is_full=is_full).count("regression to the mean") == 1


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("is_full", [False, True])
def test_with_few_patients_no_percentage_stands_without_its_count(n: int, is_full: bool) -> None:
    summary = of(read(table(*((3.5 + number, 1.0 if number == 1 else None) for number in range(n)))))
    for section in summary_sections(summary, is_full=is_full):
        if section.title.startswith(("Definitions", "Notes", "Rows")):
            continue
        rows = section.rows or ((),)
        for words in [*section.lead, *(" | ".join(row) for row in rows)]:
            # A level and completeness are no share of patients.
            shares = re.findall(r"[\d.]+ %(?! CI)(?! complete)", words)
            if shares:
                has_count = re.search(r"\d+ of \d+|\d+ events? in \d+", words)
                has_column = any("atients" in heading or heading == "Yes" for heading in section.headings)
                assert has_count or has_column, words


def test_nobody_followed_so_far_gives_no_percentage() -> None:
    [headline] = [
        each
        for each in summary_sections(of(read(COHORTS["nobody followed to the horizon"])))
        if each.title.startswith("MS activity-free")
    ]
    assert headline.lead[0].startswith("No estimate: 1 event in 3 patients")
    assert "%" not in " ".join(said(headline))


def test_patients_are_not_named() -> None:
    summary = of(read_cohort(SAMPLE))
    named = dataclasses.replace(
        summary,
        notices=(
            Notice(code="a", text="'P01' and 'p01' are alike.", severity="look first", names_patients=True),
            Notice(code="b", text="Fine."),
        ),
    )
    for is_full in (False, True):
        text = text_of(named, is_full=is_full)
        assert "P01" not in text
        assert "1 notice names a patient and is left out here: `ahsct validate` shows it." in text
        assert "Look at this first" in text
        assert "Fine." in text


def test_full_has_every_definition_and_short_points_to_it() -> None:
    summary = of(read_cohort(ROOT / "data" / "sample_records.csv"))
    full, short = text_of(summary, is_full=True), text_of(summary)
    endpoints = summary.endpoints
    for result in (
        endpoints.relapse_free_survival,
        endpoints.neda3[0],
        endpoints.disability,
        endpoints.mortality,
    ):
        assert [words for words in sentences(result.definition) if words not in full] == []
    assert [
        words for words in sentences(endpoints.activity_free_survival.definition) if words not in short
    ] == []
    assert "--full" in short
    assert "--full" not in full


def test_a_sentence_of_several_definitions_is_said_once() -> None:
    assert shared_sentences(["A is 1. B is 2.", "C is 3. B is 2.", "A is 1. B is 2."]) == [
        "A is 1.",
        "B is 2.",
    ]
    full = text_of(of(read_cohort(ROOT / "data" / "sample_records.csv")), is_full=True)
    assert full.count("A new lesion is a gadolinium-enhancing or a new or enlarging T2 lesion.") == 1
    assert full.count("A visit is relapse-free from 30 days after a relapse on.") == 1


def test_synthetic_data_say_so() -> None:
    assert text_of(of(read_cohort(SAMPLE))).startswith(" Synthetic data: 24 invented patients")
