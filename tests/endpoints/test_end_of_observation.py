"""That the end of observation leaves a curve without bias, by simulation.

Relapses are seen up to the last visit, new lesions on scans alone, and scans stop at random, long before the
visits do. Of patients whose scans have stopped only relapses are heard of. Counting these, while patients
without
one are censored at the last scan, makes a risk set of those who will fail (after Lesko et al. 2019,
Epidemiology
30:817). With independent end of scans, the truth is the exponential curve that the courses are drawn from.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ahsct_trial import Protocol, Trial, summarize
from ahsct_trial.estimators.survival import estimate_at, kaplan_meier
from ahsct_trial.patients import PatientTable
from ahsct_trial.results import Account, SourceInfo
from ahsct_trial.trial import Places

N = 100_000
#: Yearly hazards of relapse, of a new lesion, of death, and of the end of scans; visits go on to year 8.
RELAPSE, LESION, DEATH, LAST_SCAN = 0.06, 0.05, 0.01, 0.25


@pytest.fixture(scope="module")
def courses() -> dict[str, np.ndarray]:
    random = np.random.default_rng(30)
    relapse, lesion, death, last_scan = (
        random.exponential(1 / hazard, N) for hazard in (RELAPSE, LESION, DEATH, LAST_SCAN)
    )
    follow_up = np.minimum(death, 8.0)
    last_scan = np.minimum(last_scan, follow_up)
    return {
        "follow_up_years": follow_up,
        "years_to_last_visit": follow_up,
        "years_to_first_relapse": np.where(relapse <= follow_up, relapse, np.nan),
        # A lesion is seen on a scan; after the last one nobody sees it.
        "years_to_first_new_lesion": np.where(lesion <= last_scan, lesion, np.nan),
        "years_to_last_scan": last_scan,
        "years_to_worsening": np.full(N, np.nan),
        "years_to_last_edss": follow_up,
        "years_to_death": np.where(death <= 8, death, np.nan),
    }


def as_trial(courses: dict[str, np.ndarray]) -> Trial:
    patients = pd.DataFrame({"patient_id": np.arange(N).astype(str)} | courses)
    return Trial(
        data=PatientTable(patients=patients, layout="patient_table", rows=np.arange(N)),
        source=SourceInfo(files=(), shape="patient_table"),
        account=Account(rows_read=N, rows_used=N, set_aside=()),
        places=Places(np.arange(N), (("simulated", None),)),
    )


def truth(years: float) -> float:
    return float(np.exp(-(RELAPSE + LESION + DEATH) * years))


@pytest.mark.parametrize(("years", "most"), [(3.0, 0.005), (5.0, 0.01)])
def test_the_rule_is_within_a_point(courses: dict[str, np.ndarray], years: float, most: float) -> None:
    found = summarize(as_trial(courses), Protocol(horizon_years=years)).endpoints.activity_free_survival
    assert found.survival.value == pytest.approx(truth(years), abs=most)
    assert found.n_late_events is not None
    assert found.n_late_events > 0.05 * N


def test_the_incidence_of_each_type_is_within_a_point(courses: dict[str, np.ndarray]) -> None:
    found = summarize(as_trial(courses)).endpoints.activity_free_survival
    for kind, hazard in (("relapse", RELAPSE), ("new_lesion", LESION), ("death", DEATH)):
        expected = hazard / (RELAPSE + LESION + DEATH) * (1 - truth(3))
        assert found.incidence[kind].value == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("years", "least"), [(3.0, 0.01), (5.0, 0.04)])
def test_counting_every_event_would_not_be(
    courses: dict[str, np.ndarray], years: float, least: float
) -> None:
    kinds = ("years_to_first_relapse", "years_to_first_new_lesion", "years_to_death")
    first = np.fmin.reduce([courses[kind] for kind in kinds])
    has_event = ~np.isnan(first)
    curve = kaplan_meier(np.where(has_event, first, courses["years_to_last_scan"]), has_event)
    value, _, _ = estimate_at(curve, years, "log-log", 0.95)
    assert float(value) < truth(years) - least


def test_nor_would_following_everybody_to_the_end(courses: dict[str, np.ndarray]) -> None:
    """It presumes that whoever is no longer scanned is free: too high."""
    protocol = Protocol(observation_end="follow-up")
    found = summarize(as_trial(courses), protocol).endpoints.activity_free_survival
    assert found.survival.value is not None
    assert found.survival.value > truth(3) + 0.01
