"""The CSV document: one row per statistic, re-read by Python's csv module."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import re
from pathlib import Path

import pytest

from ahsct_trial import Protocol, __version__, compare, read_cohort, summarize
from ahsct_trial.protocol import RECORDS_ONLY, SETTINGS
from ahsct_trial.rendering.documents import ARD_COLUMNS, write_csv

Row = dict[str, str]

ROOT = Path(__file__).resolve().parents[2]
#: Column order of an ARD: group, variable, context, statistic, format, conditions.
CARDS = (
    "group1,group1_level,variable,variable_level,context,"
    "stat_name,stat_label,stat,stat_fmt,fmt_fun,warning,error"
)

# Two patients, one of them overdispersed, one row that is empty, and a hospital that is no plain word.
TABLE = (
    "patient_id,site,follow_up_years,years_observed_before,relapses_before,years_to_death,cause_of_death\n"
    'A,"St. ""Mary"", [bold]x[/bold]",4,1,20,,\n'
    ",,,,,,\n"
    "B,=1+1,2,3,0,2,transplant\n"
)


def rows_of(path: Path, protocol: Protocol | None = None) -> list[Row]:
    text = write_csv(summarize(read_cohort(path), protocol or Protocol()))
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.fixture
def small(tmp_path: Path) -> list[Row]:
    path = tmp_path / "small.csv"
    path.write_text(TABLE, encoding="utf-8")
    return rows_of(path)


@pytest.fixture
def bare(tmp_path: Path) -> list[Row]:
    """A file that can give hardly anything."""
    path = tmp_path / "bare.csv"
    path.write_text("patient_id,follow_up_years\nA,4\n", encoding="utf-8")
    return rows_of(path)


@pytest.fixture(scope="module")
def sample() -> list[Row]:
    return rows_of(ROOT / "data" / "sample_cohort.csv")


def stat(rows: list[Row], variable: str, level: str, name: str) -> Row:
    (row,) = (
        row
        for row in rows
        if (row["variable"], row["variable_level"], row["stat_name"]) == (variable, level, name)
    )
    return row


def test_columns_are_those_of_an_ard(tmp_path: Path) -> None:
    path = tmp_path / "small.csv"
    path.write_text(TABLE, encoding="utf-8")
    text = write_csv(summarize(read_cohort(path)))
    assert ",".join(ARD_COLUMNS) == CARDS
    assert text.splitlines()[0] == CARDS
    assert text.endswith("\n")
    assert "\r" not in text
    assert all(len(row) == 12 for row in csv.reader(io.StringIO(text), strict=True))


@pytest.mark.parametrize("name", ["sample_cohort.csv", "sample_records.csv"])
def test_each_statistic_has_one_row(name: str) -> None:
    keys = [
        (row["variable"], row["variable_level"], row["context"], row["stat_name"])
        for row in rows_of(ROOT / "data" / name)
    ]
    assert len(set(keys)) == len(keys)


def test_a_figure_with_an_interval_has_its_method(sample: list[Row], bare: list[Row]) -> None:
    for rows in (sample, bare):
        with_limits = {
            (row["variable"], row["variable_level"]) for row in rows if row["stat_name"] == "ci_low"
        }
        methods = {
            (row["variable"], row["variable_level"]): row["stat"]
            for row in rows
            if row["stat_name"] == "method"
        }
        assert with_limits == set(methods)
    assert stat(sample, "lesions", "before rate", "method")["stat"] == "garwood"
    negative_binomial = stat(sample, "lesions", "before rate_negative_binomial", "method")
    assert negative_binomial["stat"] == "negative-binomial-profile"


def test_an_empty_statistic_says_why(sample: list[Row], small: list[Row], bare: list[Row]) -> None:
    for rows in (sample, small, bare):
        for row in rows:
            assert bool(row["stat"]) != bool(row["error"]), row
            assert bool(row["stat"]) == bool(row["stat_fmt"]) == bool(row["fmt_fun"]), row
            assert not (row["error"] and row["warning"]), row


def test_no_cell_is_a_number_that_is_none(sample: list[Row], small: list[Row], bare: list[Row]) -> None:
    for rows in (sample, small, bare):
        words = {cell.strip().lower() for row in rows for cell in row.values()}
        assert not words & {"nan", "none", "null", "inf", "-inf", "<na>", "nat"}
        assert not any(re.search(r"\bnan\b", word) for word in words)


def test_an_endpoint_without_its_columns_names_them(bare: list[Row]) -> None:
    row = stat(bare, "overall_survival", "survival", "value")
    assert (row["stat"], row["error"]) == ("", "Not in this file: years_to_death.")


def test_figures_by_hand(small: list[Row]) -> None:
    # One of two dies at 2 years: ½ at 3 years. 20 relapses in 4 patient-years are 5 a year.
    survival = stat(small, "overall_survival", "survival", "value")
    assert (float(survival["stat"]), survival["stat_fmt"]) == (0.5, "50.0 %")
    assert survival["fmt_fun"] == "percent, 1 decimal, half up"
    rate = stat(small, "relapse_rate", "before rate", "value")
    assert (float(rate["stat"]), rate["stat_fmt"]) == (5, "5.00")
    deaths = stat(small, "mortality", "transplant_related", "n")
    assert (deaths["stat"], deaths["stat_fmt"], deaths["fmt_fun"]) == ("1", "1", "count")
    # Nobody died of it by day 100: the upper exact limit of 0 of 2 is 1 − √0.025.
    by_day_100 = stat(small, "mortality", "transplant_related_by_day_100", "ci_high")
    assert float(by_day_100["stat"]) == pytest.approx(1 - 0.025**0.5)
    assert by_day_100["stat_fmt"] == "84.2 %"


def test_figures_are_not_rounded(sample: list[Row]) -> None:
    # 23 of 24 are event-free; 1 new lesion on 327 scans.
    survival = stat(sample, "activity_free_survival", "survival", "value")
    assert float(survival["stat"]) == pytest.approx(23 / 24, rel=1e-15)
    assert survival["stat_fmt"] == "95.8 %"
    lesions = stat(sample, "lesions", "after rate", "value")
    assert (float(lesions["stat"]), lesions["stat_fmt"]) == (1 / 327, "0.0031")


def test_half_in_the_last_digit() -> None:
    # 39 of 48 alive and nobody lost: 81.25 %, which the product of fractions misses by its last bit.
    rows = rows_of(ROOT / "tests" / "cases" / "right-12-half-in-the-last-digit" / "input.csv")
    for level in ("survival", "proportion"):
        assert stat(rows, "overall_survival", level, "value")["stat_fmt"] == "81.3 %"


def test_times_of_single_patients_are_given_to_a_tenth_of_a_year(sample: list[Row]) -> None:
    # The shortest follow-up of the sample is 0.1697 years, the longest 12.7036.
    assert [stat(sample, "follow_up", "", name)["stat"] for name in ("min", "max")] == ["0.2", "12.7"]
    assert "curve" not in {row["stat_name"] for row in sample}


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1 site", "@SUM(A1)", "\tx"])
def test_no_text_is_a_formula(tmp_path: Path, label: str) -> None:
    # tests/cases of faults: cells that a spreadsheet runs.
    path = tmp_path / "labels.csv"
    path.write_text(f'patient_id,site,follow_up_years\nA,"x{label}",2\n', encoding="utf-8")
    summary = summarize(read_cohort(path))
    cohort = dataclasses.replace(summary.cohort, site={label: 1})
    rows = csv.reader(io.StringIO(write_csv(dataclasses.replace(summary, cohort=cohort)), newline=""))
    cells = [cell for row in rows for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "@", "\t"))] == []
    assert [cell for cell in cells if cell.startswith("-") and not re.fullmatch(r"-[\d.e-]+", cell)] == []
    assert f"'{label}" in cells


def test_who_was_treated(small: list[Row]) -> None:
    sites = {row["variable_level"]: row["stat"] for row in small if row["variable"] == "site"}
    assert sites == {'St. "Mary", [bold]x[/bold]': "1", "'=1+1": "1"}
    assert stat(small, "cohort", "", "n_patients")["stat"] == "2"
    assert stat(small, "n_missing", "years_to_death", "n")["stat"] == "1"
    follow_up = [stat(small, "follow_up", "", name)["stat"] for name in ("n", "median", "min", "max")]
    assert [float(value) for value in follow_up] == [2, 3, 2, 4]


def test_what_made_the_figures(small: list[Row]) -> None:
    assert stat(small, "tool", "", "name")["stat"] == "ahsct-trial"
    assert stat(small, "tool", "", "version")["stat"] == __version__
    assert stat(small, "source", "small.csv", "n_rows")["stat"] == "3"
    assert stat(small, "source", "small.csv", "sha256")["stat"] == hashlib.sha256(TABLE.encode()).hexdigest()
    assert stat(small, "protocol", "", "name")["stat"] == "default"
    assert float(stat(small, "protocol", "", "horizon_years")["stat"]) == 3
    assert stat(small, "protocol", "", "death")["stat"] == "event"
    # A patient table already holds what the settings of records lead to.
    settings = {row["stat_name"] for row in small if row["variable"] == "protocol"}
    assert settings == {"name", *SETTINGS} - set(RECORDS_ONLY)


def test_the_account_of_rows_adds_up(small: list[Row]) -> None:
    account = [row for row in small if row["variable"] == "account"]
    counts = [(row["variable_level"], row["stat_name"], row["stat"]) for row in account]
    assert counts == [
        ("", "rows_read", "3"),
        ("", "rows_used", "2"),
        ("row without a value in a known column", "rows_set_aside", "1"),
    ]


def test_notices_are_rows_by_their_code(small: list[Row]) -> None:
    # 20 relapses in 1 year and none in 3, where 5 and 15 are expected: (15²/5 + 15²/15) ÷ 1 = 60.
    (dispersed,) = (
        row for row in small if (row["variable"], row["stat_name"]) == ("notice", "overdispersed")
    )
    assert dispersed["variable_level"] == "note"
    assert "dispersion 60.00" in dispersed["stat"]
    assert dispersed["fmt_fun"] == "as is"


def test_a_note_stands_beside_what_it_is_about(sample: list[Row]) -> None:
    # Of 24 patients the one who died early has no EDSS since.
    row = stat(sample, "disability", "worsened", "value")
    assert row["warning"] == "1 patient left out: no EDSS at baseline or none since."
    assert stat(sample, "disability", "worsened", "n")["stat"] == "2"


def test_groups_and_contrasts_have_rows_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "arms.csv"
    path.write_text(
        "patient_id,arm,follow_up_years,years_to_death\nA,x,4,\nB,x,4,\nC,y,4,1\nD,y,4,\n".replace(
            "4,1", "1,1"
        ),
        encoding="utf-8",
    )
    rows = list(csv.DictReader(io.StringIO(write_csv(compare(read_cohort(path), "arm")))))
    groups = {row["group1_level"] for row in rows if row["group1"] == "arm"}
    assert groups == {"x", "y", "y − x", ""}
    own = [
        row for row in rows if (row["variable"], row["variable_level"]) == ("overall_survival", "survival")
    ]
    assert {row["group1_level"]: row["stat"] for row in own if row["stat_name"] == "value"} == {
        "x": "1.0",
        "y": "0.5",
    }
    difference = [row for row in rows if row["variable_level"] == "survival_difference"]
    assert {row["group1_level"] for row in difference} == {"y − x"}
    # 0.5 − 1 in percentage points.
    assert [row["stat_fmt"] for row in difference if row["stat_name"] == "value"][-1] == "−50.0"
