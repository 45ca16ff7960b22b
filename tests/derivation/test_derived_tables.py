"""The whole patient table from records: against plain loops, and back through a file of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from derivation_oracle import Row, derive
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_assertions import assert_counts, assert_survival
from record_files import csv_of, differences, figures, read, records

from ahsct_trial import Protocol, Trial, summarize
from ahsct_trial.columns import PATIENT_TABLE
from ahsct_trial.patients import YEARS_TO_UNCONFIRMED_WORSENING, PatientTable

SCORES = st.sampled_from([0.0, 1.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 9.5])
# Days that meet: the edges of day 0, of the windows of confirmation and of relapses, and of the reference.
BEFORE = st.sampled_from([-2000, -400, -30, -29, -5, -1, 0])
AFTER = st.sampled_from([0, 1, 29, 30, 31, 90, 100, 180, 191, 260, 300, 341, 365, 400, 470, 700, 1096])
COUNT = st.none() | st.integers(0, 3)


@st.composite
def courses(draw) -> list[Row]:
    """Records of a few patients in any order, as the reading accepts them."""
    kinds = draw(st.sampled_from([("relapse", "edss", "mri")] * 4 + [("relapse",), ("edss", "mri"), ()]))
    scan_columns = draw(
        st.sampled_from(
            [
                *[("gd_lesions", "new_t2_lesions", "new_lesions")] * 3,
                ("gd_lesions", "new_t2_lesions"),
                ("gd_lesions",),
                ("new_lesions",),
            ]
        )
    )
    rows: list[Row] = []
    for number in range(draw(st.integers(1, 4))):
        rows += [
            {"patient_id": f"P{number}"} | row for row in draw(course_of_one(kinds, scan_columns)) if row
        ]
    return draw(st.permutations(rows))


@st.composite
def course_of_one(draw, kinds, scan_columns) -> list[Row]:
    rows: list[Row] = []
    # The day of the last record; nothing comes after it, and the patient may have died on it.
    end = draw(AFTER)
    days = st.one_of(BEFORE, AFTER).filter(lambda day: day <= end)
    if draw(st.booleans()):
        rows.append({"record": "baseline", "site": draw(st.sampled_from(["A", "B"])), "age_years": 38.0})
    if draw(st.booleans()):
        rows.append({"record": "transplant", "day": 0})
    if draw(st.booleans()):
        # Not on day 0 itself: a relapse in no time at all is refused in a patient table.
        rows.append({"record": "observed_from", "day": draw(st.sampled_from([-2000, -365, -30, -1]))})
    if "relapse" in kinds:
        rows += [{"record": "relapse", "day": day} for day in draw(st.lists(days, max_size=4))]
    if "edss" in kinds:
        for day, score in draw(st.dictionaries(days, SCORES, max_size=8)).items():
            visit = {"record": "edss", "day": day, "edss": score}
            rows += [visit, dict(visit)] if draw(st.integers(0, 9)) == 0 else [visit]
    if "mri" in kinds:
        for day in draw(st.lists(days, max_size=5)):
            scan = {name: draw(COUNT) for name in scan_columns}
            if any(count is not None for count in scan.values()):
                rows.append({"record": "mri", "day": day} | scan)
    if draw(st.integers(0, 3)) == 0:
        rows += [{"record": "therapy", "day": day} for day in draw(st.lists(days, max_size=2, unique=True))]
    ending = draw(st.sampled_from(["death", "alive", "last_contact"]))
    if ending == "death":
        rows.append(
            {
                "record": "death",
                "day": end,
                "cause_of_death": draw(st.sampled_from([None, "transplant", "ms", "other"])),
            }
        )
    else:
        rows.append({"record": ending, "day": end})
    return rows


def cells(rows: list[Row]) -> list[Row]:
    return [{name: "" if value is None else value for name, value in row.items()} for row in rows]


def as_records(rows: list[Row]) -> Trial:
    found = read(csv_of(cells(rows)))
    assert found.layout == "records"
    return found


protocols = st.builds(
    Protocol,
    new_lesion=st.sampled_from(["either", "either", "gd", "t2"]),
    mri_from_day=st.sampled_from([0.0, 0.0, 90.0, 99.5]),
    baseline=st.sampled_from(["last-before", "last-before", "first-stable"]),
    relapse_free_days=st.sampled_from([30.0, 30.0, 0.0, 90.0]),
    relapse_gap_days=st.sampled_from([0.0, 0.0, 30.0, 100.5]),
    worsening_confirm_weeks=st.sampled_from([24.0, 12.0, 90 / 7]),
    confirm_late_days=st.sampled_from([None, None, 0.0, 30.0]),
    unconfirmed=st.sampled_from(["ignore", "event"]),
    step_high=st.sampled_from([0.5, 1.0]),
    horizon_years=st.sampled_from([1.0, 2.0, 2.5]),
    landmark_window_days=st.sampled_from([0.0, 30.0]),
    observation_end=st.sampled_from(["last-assessment", "last-assessment", "follow-up"]),
    death=st.sampled_from(["event", "censor"]),
    death_reach_days=st.sampled_from([365.0, 0.0, 91.0]),
    therapy=st.sampled_from(["ignore", "ignore", "event", "censor"]),
)


@given(courses(), protocols)
@settings(max_examples=50)
def test_the_patient_table_is_that_of_plain_loops(rows, protocol):
    expected = derive(rows, protocol)
    patients = as_records(rows).table(protocol).patients.set_index("patient_id")
    assert list(patients.index) == list(expected)  # in the order of their first rows
    assert set(patients) - {"site", "age_years"} == set(next(iter(expected.values())))
    for patient, row in expected.items():
        for column, value in row.items():
            found = patients.loc[patient, column]
            assert (None if pd.isna(found) else found) == value, (patient, column)


@given(courses(), protocols)
@settings(max_examples=50)
def test_every_endpoint_is_that_of_plain_loops(rows, protocol):
    """From the records to the figures: two oracles, one after the other, against the whole program."""
    expected = list(derive(rows, protocol).values())
    summary = summarize(as_records(rows), protocol)
    assert_survival(summary.endpoints, expected, protocol)
    assert_counts(summary, expected, protocol)


@given(courses(), protocols)
@settings(max_examples=15)
def test_a_patient_table_of_its_own_gives_the_same_figures(rows, protocol):
    # Delayed entry, and worsening that nothing confirms, are of records alone.
    protocol = replace(protocol, baseline="last-before", unconfirmed="ignore")
    observations = as_records(rows)
    table = read(table_of(observations.table(protocol)))
    assert table.layout == "patient_table"
    # Records alone tell how the columns came about; apart from that nothing differs, to the last digit.
    here, there = figures(summarize(table, protocol)), figures(summarize(observations, protocol))
    for each in (here, there):
        del each["endpoints"]["disability"]["unconfirmed"]
        each["cohort"]["n_missing"].pop(YEARS_TO_UNCONFIRMED_WORSENING, None)
    assert differences(here, there, 0) == []


def table_of(table: PatientTable) -> str:
    known = table.patients.drop(columns=[YEARS_TO_UNCONFIRMED_WORSENING], errors="ignore")
    rows: list[dict[str, Any]] = known.astype(object).to_dict("records")
    return csv_of(
        [{name: "" if pd.isna(value) else value for name, value in row.items()} for row in rows],
        ["follow_up_years"],
    )


@given(courses(), protocols)
@settings(max_examples=15)
def test_the_deciding_line_is_that_of_a_record_which_says_so(rows, protocol):
    trial = as_records(rows)
    table = trial.table(protocol)
    kinds = {
        "years_to_first_relapse": "relapse",
        "years_to_first_new_lesion": "mri",
        "years_to_last_scan": "mri",
        "years_to_last_edss": "edss",
        "years_to_worsening": "edss",
        "years_to_improvement": "edss",
        YEARS_TO_UNCONFIRMED_WORSENING: "edss",
        "years_to_therapy": "therapy",
        "years_to_death": "death",
    }
    for column, decided in table.decided_by.items():
        values = table.numbers(column)
        if column != "years_to_last_visit":  # 0 without a visit
            assert ((decided == -1) == np.isnan(values)).all()
        for patient, row, value in zip(table.patients["patient_id"], decided.tolist(), values, strict=True):
            if row < 0:
                continue
            record = rows[trial.places.of(row).line - 2]
            assert record["patient_id"] == patient
            assert record["record"] == kinds.get(column, record["record"])
            if column == "edss_baseline":
                assert record["edss"] == value
            else:
                assert record["day"] / 365.25 == value


# ---- What a file may lack ---------------------------------------------------------------------------------


def test_a_file_of_last_contacts_alone():
    found = summarize(records("P1 last_contact 800\nP2 last_contact 900"), Protocol())
    assert [notice.code for notice in found.notices] == ["no-relapse-record"]
    ends = found.endpoints
    # The living are known; nothing is known of relapses, of scans and of EDSS.
    assert ends.overall_survival.n_patients == 2
    for missing in (
        ends.activity_free_survival,
        ends.relapse_free_survival,
        ends.mri_activity_free_survival,
        ends.worsening_free_survival,
    ):
        assert missing.n_patients is missing.n_events is missing.survival.value is None
        assert missing.note is not None
        assert missing.note.startswith("Not in this file: ")
    assert ends.disability.n_patients is ends.disability.worsened.n is None
    assert ends.disability.worsened.value is None
    assert ends.lesions.before.n_events is ends.lesions.after.n_events is None
    assert ends.neda3[0].n_yes is None


def test_an_edss_column_without_an_edss_record_is_no_edss():
    found = records("P1 last_contact 800", columns=["edss"]).table(Protocol())
    assert found.lacking("edss_baseline", "years_to_worsening") == ("edss_baseline", "years_to_worsening")


def test_a_patient_without_edss_in_a_file_that_has_some():
    text = "P1 edss -5 edss=3.0\nP1 edss 90 edss=3.0\nP1 last_contact 800\nP2 last_contact 900"
    ends = summarize(records(text), Protocol()).endpoints
    assert (ends.worsening_free_survival.n_patients, ends.worsening_free_survival.n_unknown) == (1, 1)
    assert (ends.disability.n_patients, ends.disability.n_unknown, ends.disability.n_neither) == (1, 1, 1)


def test_the_columns_are_those_of_the_dictionary():
    text = """
        P1 baseline - site=A arm=B sex=male age=38 ms_course=RRMS prior_therapy=no conditioning=C graft=D
        P1 observed_from -90
        P1 therapy 60
        P1 edss 90 edss=3.0
        P1 mri 90 gd=0 t2=0
        P1 death 90 cause=ms
    """
    names = set(records(text).table(Protocol()).patients)
    assert names - {YEARS_TO_UNCONFIRMED_WORSENING} == {column.name for column in PATIENT_TABLE}


@pytest.mark.parametrize("n_patients", [1, 3])
def test_the_same_visits_for_more_patients(n_patients):
    text = "\n".join(
        f"P{number} edss {day} edss={score}"
        for number in range(n_patients)
        for day, score in ((-5, 4.0), (90, 5.0), (300, 5.0))
    )
    found = records(text).table(Protocol())
    assert found.numbers("years_to_worsening").tolist() == [90 / 365.25] * n_patients
