"""Patients who come under observation after a landmark say nothing of it. Expected: counted by hand."""

from __future__ import annotations

from pathlib import Path

from ahsct_trial import read_cohort, summarize
from ahsct_trial.protocol import Protocol
from ahsct_trial.results import Summary

#: With the first EDSS from day 0 on as the baseline, `early` is at risk from day 10 on, `worse` from day 1,
#: `late` from day 1300 and `late_worse` from day 1150; the landmark of 3 years is day 1095.
RECORDS = """\
patient_id,record,day,edss,gd_lesions,new_t2_lesions
early,transplant,0,,,
early,edss,10,4.0,,
early,edss,1200,4.0,,
early,mri,1200,,0,0
worse,transplant,0,,,
worse,edss,1,4.0,,
worse,edss,300,6.0,,
worse,edss,600,6.0,,
worse,edss,1400,6.0,,
worse,mri,1400,,0,0
late,transplant,0,,,
late,edss,1300,4.0,,
late,edss,1500,4.0,,
late,mri,1500,,0,0
late_worse,transplant,0,,,
late_worse,edss,1150,4.0,,
late_worse,edss,1250,6.0,,
late_worse,edss,1450,6.0,,
late_worse,mri,1450,,0,0
late_worse,observed_from,-100,,,
"""


def summary(tmp_path: Path, horizon: float) -> Summary:
    (tmp_path / "records.csv").write_text(RECORDS)
    protocol = Protocol(baseline="first-stable", horizon_years=horizon)
    return summarize(read_cohort(tmp_path / "records.csv"), protocol)


def test_who_enters_after_the_landmark_is_not_event_free_by_it(tmp_path: Path) -> None:
    found = summary(tmp_path, 3.0).endpoints.worsening_free_survival
    assert (found.n_patients, found.n_events, found.n_at_risk) == (4, 1, 1)
    assert (found.n_event_free, found.n_evaluable, found.n_not_followed) == (1, 2, 2)
    assert found.proportion.value == 0.5
    assert found.survival.value == 0.5


def test_by_a_later_landmark_all_have_entered(tmp_path: Path) -> None:
    # Day 1387 is the landmark of 3.8 years: `early` was seen up to day 1200 only.
    found = summary(tmp_path, 3.8).endpoints.worsening_free_survival
    assert (found.n_events, found.n_event_free, found.n_evaluable, found.n_not_followed) == (2, 1, 3, 1)


def test_neda_needs_an_observation_that_begins_before_the_landmark(tmp_path: Path) -> None:
    years = summary(tmp_path, 3.0).endpoints.neda3
    assert [(year.n_yes, year.n_no, year.n_not_evaluable) for year in years] == [(1, 1, 2)] * 3


def notices(tmp_path: Path, protocol: Protocol) -> list[str]:
    (tmp_path / "cohort.csv").write_text(
        "patient_id,follow_up_years,relapses_after,years_to_first_relapse,years_to_therapy,years_to_death\n"
        "A,5,1,2,1,\nB,5,0,,,\n"
    )
    return [notice.text for notice in summarize(read_cohort(tmp_path / "cohort.csv"), protocol).notices]


def test_the_remedy_for_an_event_after_a_therapy_is_the_rule_on_therapy(tmp_path: Path) -> None:
    assert notices(tmp_path, Protocol()) == []
    assert notices(tmp_path, Protocol(therapy="censor", observation_end="follow-up")) == [
        "Some patients had an event after their observation had ended, which is not counted (Relapse-free "
        "survival 1). --therapy ignore counts it."
    ]
