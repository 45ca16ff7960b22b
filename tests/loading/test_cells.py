"""Tables that come from a DataFrame or through a map meet the same checks as a file."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ahsct_trial import DataProblems, UsageError, read_cohort
from ahsct_trial.loading.formats.cells import CellTable
from ahsct_trial.loading.trials import read_cells
from ahsct_trial.rendering.workbook import Sheet, SheetColumn, write_workbook
from ahsct_trial.trial import Places


def test_a_data_frame_of_any_types():
    frame = pd.DataFrame(
        {
            "USUBJID": ["007", "008"],
            "follow_up": [4, 5.25],
            "sex": pd.Categorical(["F", None]),
            "relapses_after": pd.array([0, None], dtype="Int64"),
            "prior_therapy": [True, False],
            "weight": [80, 90],
        }
    )
    trial = read_cohort(frame)
    patients = trial.data.patients
    assert patients["patient_id"].tolist() == ["007", "008"]
    assert patients["follow_up_years"].tolist() == [4, 5.25]
    assert patients["sex"].isna().tolist() == [False, True]
    assert patients["relapses_after"].isna().tolist() == [False, True]
    assert patients["prior_therapy"].tolist() == ["yes", "no"]
    assert [notice.code for notice in trial.notices] == ["unknown-columns"]
    assert trial.source.files[0].file == "(data frame)"
    assert trial.places.lines.tolist() == [1, 2]


@pytest.mark.parametrize(
    "dates",
    [
        pd.to_datetime(["2020-01-31 00:00", "2020-03-01 10:30"]),
        [date(2020, 1, 31), date(2020, 3, 1)],
        ["2020-01-31", "2020-03-01"],
        [pd.Timestamp("2020-01-31"), "2020-03-01"],
    ],
)
def test_dates_of_a_data_frame(dates):
    frame = pd.DataFrame({"patient_id": [7, 7], "record": ["transplant", "last_contact"], "date": dates})
    trial = read_cohort(frame)
    # 2020 is a leap year: 31 January to 1 March is 30 days.
    assert trial.data.observations["last_contact"].day.tolist() == [30]
    assert trial.data.patients["patient_id"].tolist() == ["7"]


def test_problems_of_a_data_frame_are_told_by_its_rows():
    frame = pd.DataFrame({"patient_id": ["A", "B", "C"], "follow_up_years": [1, -1, np.nan]})
    with pytest.raises(DataProblems) as caught:
        read_cohort(frame)
    assert list(map(str, caught.value.problems)) == [
        "(data frame):2 patient B: follow_up_years is -1; it must be a number of years from 0 to 50. "
        "Correct it.",
        "(data frame):3 patient C: follow_up_years is empty; it cannot be left empty. Enter it.",
    ]


def test_rows_of_a_data_frame_that_are_alike():
    frame = pd.DataFrame(
        {
            "patient_id": ["A", "A", "B"],
            "record": ["last_contact"] * 3,
            "day": [9, 9, 9],
            "x": [None, None, 1],
        }
    )
    trial = read_cohort(frame)
    assert trial.account.set_aside[0].lines == (2,)
    contacts = trial.data.observations["last_contact"]
    assert [trial.places.of(row).line for row in contacts.row.tolist()] == [1, 3]


def test_several_files_need_a_map(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("patient_id,follow_up_years\nP1,3\n")
    assert len(read_cohort([file])) == 1
    with pytest.raises(UsageError, match="a map that says how to join them"):
        read_cohort([file, file])


def cells(**columns: list[str | None]) -> CellTable:
    return CellTable(
        file="joined",
        sheet=None,
        names=tuple(columns),
        columns=tuple(pa.array(column, pa.string()) for column in columns.values()),
        lines=np.arange(1, len(next(iter(columns.values()))) + 1),
        sha256="0" * 64,
    )


#: Rows of two sheets and of a file.
ORIGINS = Places(
    np.array([2, 9, 4, 5]), (("p.xlsx", "MRT"), ("d.csv", None)), np.array([0, 0, 1, 1], dtype=np.int8)
)


def test_cells_are_told_by_where_they_come_from():
    table = cells(
        patient_id=["P1", "P2", "P3", "P4"], follow_up_years=["3", "x", "x", "-1"], sex=["w", "w", "F", "w"]
    )
    with pytest.raises(DataProblems) as caught:
        read_cells(table, origins=ORIGINS)
    level = "it must be female or male. Correct it, or give a map that translates it."
    years = "it must be a number of years from 0 to 50. Correct it."
    assert list(map(str, caught.value.problems)) == [
        f"p.xlsx, sheet MRT:2, 9: sex is 'w'; {level}",
        f"p.xlsx, sheet MRT:9 patient P2: follow_up_years is 'x'; {years}",
        f"d.csv:4 patient P3: follow_up_years is 'x'; {years}",
        f"d.csv:5 patient P4: follow_up_years is -1; {years}",
        f"d.csv:5 patient P4: sex is 'w'; {level}",
    ]


def test_records_of_several_tables_are_told_by_where_they_come_from():
    table = cells(
        patient_id=["P1", "P1", "P1", "P1"],
        record=["transplant", "death", "relapse", "death"],
        date=["2020-01-31", "2021-01-31", "2022-01-31", "2021-01-31"],
    )
    with pytest.raises(DataProblems) as caught:
        read_cells(table, origins=ORIGINS)
    # The two deaths are alike in every cell, so one.
    assert list(map(str, caught.value.problems)) == [
        "d.csv:4 patient P1: date is 2022-01-31; the patient died before, "
        "by the record on p.xlsx, sheet MRT:9. "
        "Correct one of the two."
    ]


def test_places_lead_back_to_the_tables():
    table = cells(
        patient_id=["P1", None, "P1", "P1"],
        record=["transplant", None, "last_contact", "relapse"],
        day=["0", None, "900", "4"],
    )
    trial = read_cells(table, origins=ORIGINS)
    row = int(trial.data.observations["relapse"].row[0])
    assert str(trial.places.of(row)) == "d.csv:5"
    assert (trial.account.rows_read, trial.account.rows_used) == (4, 3)


def test_titles_above_the_headings_of_a_sheet(tmp_path):
    file = tmp_path / "p.xlsx"
    rows = (("", ""), ("patient_id", "follow_up_years"), ("P1", 3))
    file.write_bytes(write_workbook([Sheet("p", (SheetColumn("Patients of 2016"), SheetColumn("")), rows)]))
    with pytest.raises(DataProblems) as caught:
        read_cohort(file)
    assert list(map(str, caught.value.problems)) == [
        "p.xlsx: these are not the headings; they seem to stand on line 3; a file begins with its headings. "
        "Remove the lines above them, or give a map with heading_row = 3."
    ]
