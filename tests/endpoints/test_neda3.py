"""NEDA-3 at each landmark year, worked out by hand: yes, no, or not evaluable."""

from __future__ import annotations

from dataclasses import replace

import pytest
from exact_tails import binomial_at_least, binomial_at_most, known
from patient_tables import cohort, without

from ahsct_trial import Protocol, summarize
from ahsct_trial.results import NedaYear

# Each patient is named for what is expected at years 1, 2, 3 (y yes, n no, x not evaluable). Whoever has an
# unknown
# component is not evaluable, with or without activity: keeping those with activity alone would bias the
# share.
TABLE = """
id                     follow_up relapses relapse_at scans lesion_at last_scan last_edss edss worse_at dead_at
yyy_free                     5.0        0          .     5         .       5.0       5.0  4.0        .       .
yyy_seen_to_the_day          3.0        0          .     3         .       3.0       3.0  4.0        .       .
yyn_relapse_on_the_day       5.0        1        3.0     5         .       5.0       5.0  4.0        .       .
yyy_relapse_after            5.0        1        3.1     5         .       5.0       5.0  4.0        .       .
nnn_lesion_lost_later        1.0        0          .     1       1.0       1.0       1.0  4.0        .       .
yyx_last_scan_at_2           5.0        0          .     2         .       2.0       5.0  4.0        .       .
yxx_last_edss_before_2       5.0        0          .     5         .       5.0       1.9  4.0        .       .
yxx_died_without_any         1.5        0          .     2         .       1.5       1.5  4.0        .     1.5
nnn_died_after_worsening     1.5        0          .     2         .       1.5       1.5  4.0      0.9     1.5
xxx_no_relapse_count         5.0        .          .     5         .       5.0       5.0  4.0        .       .
xxx_no_scan                  5.0        0          .     0         .         .       5.0  4.0        .       .
xxx_no_baseline              5.0        0          .     5         .       5.0       5.0    .        .       .
xxx_unknown_then_lesion      5.0        .          .     5       1.5       5.0       5.0  4.0        .       .
xxx_lesion_but_no_scan_count 5.0        0          .     .       4.0         .       5.0  4.0        .       .
"""


def neda3(text: str, protocol: Protocol | None = None) -> tuple[NedaYear, ...]:
    return summarize(cohort(text), protocol or Protocol()).endpoints.neda3


def test_each_patient_is_what_its_name_says() -> None:
    header, *rows = TABLE.strip().splitlines()
    for row in rows:
        expected = row.split("_")[0]
        found = "".join(
            "y" if year.n_yes else "n" if year.n_no else "x" for year in neda3(f"{header}\n{row}")
        )
        assert found == expected, row


def test_counts_of_all_patients_together() -> None:
    years = neda3(TABLE)
    assert [year.years for year in years] == [1, 2, 3]
    counts = [(year.n_yes, year.n_no, year.n_not_evaluable) for year in years]
    assert counts == [(7, 2, 5), (5, 2, 7), (3, 3, 8)]
    # The one who died at 1.5 without any activity; who died after worsening is a no.
    assert [year.n_not_evaluable_died for year in years] == [0, 1, 1]
    assert [year.proportion.value for year in years] == [7 / 9, 5 / 7, 3 / 6]
    assert binomial_at_least(3, 6, known(years[2].proportion.ci_low)) == pytest.approx(0.025)
    assert binomial_at_most(3, 6, known(years[2].proportion.ci_high)) == pytest.approx(0.025)
    # Of all 14: those who are not evaluable as no, and as yes.
    assert [(year.lowest.value, year.highest.value) for year in years] == [
        (7 / 14, 12 / 14),
        (5 / 14, 12 / 14),
        (3 / 14, 11 / 14),
    ]


def test_a_relapse_after_the_last_scan_is_not_evaluable() -> None:
    # Scans to 1.5 years, a relapse at 1.8: nobody was looking for lesions any more.
    header, *_ = TABLE.strip().splitlines()
    row = "late 5.0 1 1.8 2 . 1.5 5.0 4.0 . ."
    assert [(year.n_yes, year.n_no) for year in neda3(f"{header}\n{row}")] == [(1, 0), (0, 0), (0, 0)]
    every = neda3(f"{header}\n{row}", Protocol(observation_end="follow-up"))
    assert [(year.n_yes, year.n_no) for year in every] == [(1, 0), (0, 1), (0, 1)]


def test_the_window_before_a_landmark() -> None:
    # The third anniversary is day 1095, and day 1065 is 30 days before it.
    header, *_ = TABLE.strip().splitlines()
    for day, expected in ((1095, 1), (1094, 0), (1065, 0)):
        years = day / 365.25
        row = f"A {years:.4f} 0 . 3 . {years:.4f} {years:.4f} 4.0 . ."
        assert neda3(f"{header}\n{row}")[2].n_yes == expected
        assert neda3(f"{header}\n{row}", Protocol(landmark_window_days=30))[2].n_yes == 1
    late = Protocol(landmark_window_days=29)
    assert neda3(f"{header}\nA 2.9158 0 . 3 . 2.9158 2.9158 4.0 . .", late)[2].n_yes == 0


def test_the_death_rule_changes_nothing() -> None:
    assert neda3(TABLE) == neda3(TABLE, Protocol(death="censor"))


@pytest.mark.parametrize(("horizon", "n_years"), [(0.5, 0), (1, 1), (2.75, 2), (3, 3), (13, 13)])
def test_one_row_per_whole_year_up_to_the_horizon(horizon: float, n_years: int) -> None:
    years = neda3(TABLE, Protocol(horizon_years=horizon))
    assert [year.years for year in years] == list(range(1, n_years + 1))


def test_nobody_is_evaluable() -> None:
    (year, *_) = neda3("id follow_up relapses relapse_at scans lesion_at edss worse_at\nA 0.5 0 . 1 . 4 .")
    assert (year.n_yes, year.n_no, year.n_not_evaluable) == (0, 0, 1)
    assert (year.proportion.value, year.proportion.ci_low, year.proportion.ci_high) == (None, None, None)
    assert year.note == "No patient is evaluable."


def test_a_year_that_nobody_was_followed_to_says_so() -> None:
    # Both are seen for 1.5 years, and A relapses at 0.9: of year 2 only the failure is known.
    one, two, three = neda3(
        "id follow_up relapses relapse_at scans lesion_at edss worse_at\n"
        "A 1.5 1 0.9 2 . 4 .\nB 1.5 0 . 2 . 4 ."
    )
    assert (one.n_yes, one.n_no, one.note) == (1, 1, None)
    assert (two.n_yes, two.n_no, two.n_not_evaluable) == (0, 1, 1)
    assert two.note == "Nobody was followed to 2 years: only patients with activity are evaluable."
    assert three.note == "Nobody was followed to 3 years: only patients with activity are evaluable."


@pytest.mark.parametrize(
    "column", ["years_to_first_relapse", "years_to_first_new_lesion", "years_to_worsening"]
)
def test_rows_without_a_column_are_there_and_null(column: str) -> None:
    years = neda3(without([column], TABLE))
    assert [year.years for year in years] == [1, 2, 3]
    for year in years:
        assert (year.n_yes, year.n_no, year.n_not_evaluable, year.proportion.value) == (None,) * 4
        assert year.note == f"Not in this file: {column}."


def test_a_column_of_deaths_is_not_needed() -> None:
    # Follow-up ends at death, so the patient who died stays not evaluable.
    with_deaths, without_deaths = neda3(TABLE), neda3(without(["years_to_death"], TABLE))
    assert without_deaths == tuple(replace(year, n_not_evaluable_died=None) for year in with_deaths)
