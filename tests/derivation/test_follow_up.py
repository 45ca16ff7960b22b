"""The end of follow-up, death and its cause, from records worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from record_files import records
from trials import as_trial

from ahsct_trial import Protocol, summarize
from ahsct_trial.columns import PATIENT_TABLE
from ahsct_trial.derivation.follow_up import derive_first, derive_follow_up

#: One patient for each kind of record that may be the last; P7 dies on the day of a scan, and of nothing
#: that is known; P8 is only known to have been transplanted, and P9 has an end in the same place as a start.
COURSES = """
    P1 transplant 0
    P1 baseline - site=Ottawa
    P1 relapse 300
    P2 edss 300 edss=3.0
    P2 edss 90 edss=3.0
    P3 mri 301 gd=0 t2=0
    P3 last_contact 20
    P4 last_contact 302
    P4 observed_from -5000
    P5 death 62 cause=transplant
    P5 relapse 61
    P6 death 0 cause=ms
    P7 death 400
    P7 mri 400 gd=0 t2=0
    P8 transplant 0
    P9 observed_from 0
"""
DAYS = [300, 300, 301, 302, 62, 0, 400, 0, 0]
DEATHS = {4: 62, 5: 0, 6: 400}


def test_follow_up_ends_at_the_last_record_of_any_kind():
    derived = derive_follow_up(records(COURSES).data)
    assert derived.values["follow_up_years"].tolist() == [day / 365.25 for day in DAYS]
    # Rows count from 0; of two records of the last day, the one that stands later.
    assert derived.decided_by["follow_up_years"].tolist() == [2, 3, 5, 7, 9, 11, 13, 14, 15]


def test_death():
    derived = derive_follow_up(records(COURSES).data)
    expected = [DEATHS.get(patient, np.nan) / 365.25 for patient in range(9)]
    assert derived.values["years_to_death"].tolist() == pytest.approx(expected, rel=0, abs=0, nan_ok=True)
    assert derived.decided_by["years_to_death"].tolist() == [-1, -1, -1, -1, 9, 11, 12, -1, -1]


def test_cause_of_death():
    causes = records(COURSES).table(Protocol()).patients["cause_of_death"]
    assert [None if pd.isna(cause) else cause for cause in causes] == [
        *[None] * 4,
        "transplant",
        "ms",
        *[None] * 3,
    ]
    assert list(causes.cat.categories) == ["transplant", "ms", "other"]


def test_a_visit_is_neither_a_death_nor_the_word_of_a_registry():
    text = "P1 edss 90 edss=3.0\nP1 alive 900\nP2 death 62\nP2 observed_from -90\nP3 relapse 20\nP3 death 30"
    derived = derive_follow_up(records(text).data)
    assert derived.values["years_to_last_visit"].tolist() == [90 / 365.25, 0, 20 / 365.25]
    assert derived.values["follow_up_years"].tolist() == [900 / 365.25, 62 / 365.25, 30 / 365.25]
    assert derived.decided_by["years_to_last_visit"].tolist() == [0, -1, 4]


def test_therapy_after_day_0():
    text = "P1 therapy -90\nP1 therapy 0\nP1 therapy 200\nP1 therapy 100\nP1 last_contact 800\nP2 therapy 0"
    (column,) = (each for each in PATIENT_TABLE if each.name == "years_to_therapy")
    derived = derive_first(records(text).data, column)
    assert derived.values["years_to_therapy"].tolist() == pytest.approx([100 / 365.25, np.nan], nan_ok=True)
    assert derived.decided_by["years_to_therapy"].tolist() == [3, -1]


def test_transplant_related_mortality():
    found = summarize(records(COURSES), Protocol()).endpoints.mortality
    # P7 died on day 400 of nobody knows what; P5 died on day 62. P6 (dead on day 0), P8 and P9 (last seen
    # then).
    assert found.n_cause_unknown == 1
    assert (found.transplant_related_by_day_100.n, found.transplant_related_by_day_100.of) == (1, 7)
    assert found.transplant_related.value is None
    bounds = (found.transplant_related_lowest, found.transplant_related_highest)
    assert [(each.n, each.of) for each in bounds] == [(1, 9), (2, 9)]
    assert (found.all_cause_by_day_100.n, found.all_cause_by_day_100.of) == (2, 7)


def test_a_death_on_day_100_is_by_day_100():
    text = "P1 death 100 cause=transplant\nP2 death 101 cause=transplant\nP3 last_contact 800"
    found = summarize(records(text), Protocol()).endpoints.mortality
    assert (found.transplant_related.n, found.transplant_related_by_day_100.n) == (2, 1)
    assert found.incidence_by_day_100.value == pytest.approx(1 / 3)


def test_day_100_counts_from_transplant_where_day_0_is_another_day():
    # Days from randomisation. P1 dies 100 days after the transplant, P2 101 days after it; P3 was never
    # transplanted
    # and dies 100 days after randomisation.
    days = [
        (40, 140, 140, "transplant"),
        (40, 141, 141, "transplant"),
        (None, 100, 100, "other"),
        (40, 139, None, None),
    ]
    names = ("years_to_transplant", "follow_up_years", "years_to_death")
    rows = [
        {name: None if day is None else day / 365.25 for name, day in zip(names, row, strict=False)}
        | {"cause_of_death": row[3]}
        for row in days
    ]
    found = summarize(as_trial(rows), Protocol(time_zero="randomisation")).endpoints.mortality
    # P4 was seen for 99 days from transplant, and is in no denominator.
    assert (found.all_cause_by_day_100.n, found.all_cause_by_day_100.of) == (2, 3)
    assert (found.transplant_related_by_day_100.n, found.transplant_related_by_day_100.of) == (1, 3)


def test_deaths_in_a_file_without_causes():
    text = "P1 death 400\nP2 last_contact 800"
    found = summarize(records(text), Protocol()).endpoints
    assert (found.overall_survival.n_patients, found.overall_survival.n_events) == (2, 1)
    assert (found.mortality.n_cause_unknown, found.mortality.transplant_related.value) == (1, None)
    bounds = (found.mortality.transplant_related_lowest, found.mortality.transplant_related_highest)
    assert [each.n for each in bounds] == [0, 1]


def test_a_file_without_deaths():
    found = summarize(records("P1 last_contact 800\nP2 last_contact 700"), Protocol()).endpoints
    assert (found.overall_survival.n_patients, found.overall_survival.n_events) == (2, 0)
    assert (found.mortality.n_cause_unknown, found.mortality.transplant_related.n) == (0, 0)
