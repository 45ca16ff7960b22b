"""The end of follow-up, death and its cause, from records worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from record_files import records

from ahsct_trial import Protocol, summarize
from ahsct_trial.derivation import derive_cohort
from ahsct_trial.derivation.follow_up import derive_follow_up

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
    derived = derive_follow_up(records(COURSES))
    assert derived.values["follow_up_years"].tolist() == [day / 365.25 for day in DAYS]
    # Rows count from 0; of two records of the last day, the one that stands later.
    assert derived.decided_by["follow_up_years"].tolist() == [2, 3, 5, 7, 9, 11, 13, 14, 15]


def test_death():
    derived = derive_follow_up(records(COURSES))
    expected = [DEATHS.get(patient, np.nan) / 365.25 for patient in range(9)]
    assert derived.values["years_to_death"].tolist() == pytest.approx(expected, rel=0, abs=0, nan_ok=True)
    assert derived.decided_by["years_to_death"].tolist() == [-1, -1, -1, -1, 9, 11, 12, -1, -1]


def test_cause_of_death():
    causes = derive_cohort(records(COURSES), Protocol()).patients["cause_of_death"]
    assert [None if pd.isna(cause) else cause for cause in causes] == [
        *[None] * 4,
        "transplant",
        "ms",
        *[None] * 3,
    ]
    assert list(causes.cat.categories) == ["transplant", "ms", "other"]


def test_transplant_related_mortality():
    found = summarize(records(COURSES), Protocol()).endpoints.transplant_related_mortality
    # P7 died of nobody knows what and is left out of the 9; P5 died on day 62.
    assert (found.n_patients, found.n_unknown, found.n_deaths) == (8, 1, 1)
    assert (found.by_day_100.n_deaths, found.by_day_100.value) == (1, 1 / 8)


def test_a_death_on_day_100_is_by_day_100():
    text = "P1 death 100 cause=transplant\nP2 death 101 cause=transplant\nP3 last_contact 800"
    found = summarize(records(text), Protocol()).endpoints.transplant_related_mortality
    assert (found.n_deaths, found.by_day_100.n_deaths) == (2, 1)


def test_deaths_in_a_file_without_causes():
    text = "P1 death 400\nP2 last_contact 800"
    found = summarize(records(text), Protocol()).endpoints
    assert (found.overall_survival.n_patients, found.overall_survival.n_events) == (2, 1)
    mortality = found.transplant_related_mortality
    assert (mortality.n_patients, mortality.n_unknown, mortality.n_deaths) == (1, 1, 0)


def test_a_file_without_deaths():
    found = summarize(records("P1 last_contact 800\nP2 last_contact 700"), Protocol()).endpoints
    assert (found.overall_survival.n_patients, found.overall_survival.n_events) == (2, 0)
    mortality = found.transplant_related_mortality
    assert (mortality.n_patients, mortality.n_unknown, mortality.n_deaths) == (2, 0, 0)
