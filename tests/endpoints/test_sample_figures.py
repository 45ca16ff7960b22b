"""The sample cohort's figures against those of the popular summary of NCT01099930, and against R's.

The summary's figures are what ``atkins2016-summary`` holds. Intervals are R's, from tests/reference
(``binomial_ci.csv``, ``poisson_rate_ci.csv``, ``poisson_ratio_ci.csv``) unless said otherwise.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ahsct_trial import Protocol, Summary, read_cohort, summarize
from ahsct_trial.results import Estimate

PATH = Path(__file__).parents[2] / "data" / "sample_cohort.csv"


@pytest.fixture(scope="module")
def sample() -> Summary:
    return summarize(read_cohort(PATH))


def limits(interval: Estimate) -> tuple[float | None, float | None]:
    return interval.ci_low, interval.ci_high


def test_who_was_treated(sample: Summary) -> None:
    assert (sample.cohort.n_patients, sample.cohort.n_sites) == (24, 3)
    assert (sample.cohort.age_years.min, sample.cohort.age_years.max) == (18, 50)
    assert (sample.cohort.edss_baseline.min, sample.cohort.edss_baseline.max) == (3.0, 6.0)
    assert sample.cohort.prior_therapy == {"yes": 24}
    assert sample.cohort.conditioning == {"Bu/Cy/ATG": 24}
    assert sample.cohort.graft == {"CD34-selected": 24}


def test_follow_up_of_the_survivors_as_in_the_abstract(sample: Summary) -> None:
    years = sample.cohort.follow_up.survivors
    assert years.n == 23
    figures = (years.median or 0, years.min or 0, years.max or 0)
    assert [round(figure, 1) for figure in figures] == [6.7, 3.9, 12.7]


def test_23_of_24_are_activity_free_at_3_years(sample: Summary) -> None:
    endpoint = sample.endpoints.activity_free_survival
    assert (endpoint.n_event_free, endpoint.n_evaluable, endpoint.n_at_risk) == (23, 24, 23)
    assert (endpoint.n_patients, endpoint.n_unknown, endpoint.n_censored) == (24, 0, 0)
    assert endpoint.events_by_type == {
        "relapse": 0,
        "new_lesion": 0,
        "worsening": 0,
        "therapy": None,
        "death": 1,
    }
    # R 4.2.2, survival 3.5-3: 1 event in 24, log-log: 95.83 % (73.92 to 99.40)
    km = endpoint.survival
    figures = (km.value or 0, km.ci_low or 0, km.ci_high or 0)
    assert [round(100 * figure, 2) for figure in figures] == [95.83, 73.92, 99.40]
    assert endpoint.proportion.value == 23 / 24
    assert limits(endpoint.proportion) == pytest.approx((0.788798316543027, 0.99894564755453), rel=1e-9)
    assert endpoint.note is None


def test_components_at_3_years(sample: Summary) -> None:
    endpoints = sample.endpoints
    for endpoint in (
        endpoints.relapse_free_survival,
        endpoints.mri_activity_free_survival,
        endpoints.worsening_free_survival,
        endpoints.overall_survival,
    ):
        assert (endpoint.n_event_free, endpoint.n_evaluable, endpoint.n_events) == (23, 24, 1)
        assert endpoint.survival.value == pytest.approx(23 / 24)


def test_the_patient_who_died_is_lost_on_day_0_where_death_is_censored() -> None:
    # The patient was never scanned: observation ends on day 0, and 23 of 23 others reach year 3.
    result = summarize(read_cohort(PATH), Protocol(death="censor")).endpoints
    composite = result.activity_free_survival
    assert (composite.n_patients, composite.n_unknown, composite.n_not_followed) == (24, 0, 1)
    assert (composite.n_event_free, composite.n_evaluable, composite.survival.value) == (23, 23, 1.0)
    # 23 of 23, nobody lost before year 3 but on day 0: the exact interval of Clopper and Pearson.
    assert composite.survival.ci_low is None
    assert composite.survival_beta_product.ci_low == pytest.approx(0.025 ** (1 / 23))
    assert result.overall_survival.survival.value == pytest.approx(23 / 24)


def test_the_curve_goes_on_falling_after_year_3(sample: Summary) -> None:
    # data/README.md: the death on day 62, a lesion at 4.5 years, worsening at 5.0 and 5.5 years.
    curve = [point for point in sample.endpoints.activity_free_survival.curve if point.n_events]
    assert [round(point.years, 1) for point in curve] == [0.2, 4.5, 5.0, 5.5]


def test_relapses(sample: Summary) -> None:
    rates = sample.endpoints.relapse_rate
    before, after = rates.before, rates.after
    assert before.n_events == 167
    assert before.exposure == pytest.approx(140.0)
    assert round(before.rate.value or 0, 1) == 1.2
    assert limits(before.rate) == pytest.approx((1.01879798903978, 1.38812522969443), rel=1e-9)
    assert (after.n_events, after.rate.value, after.n_patients) == (0, 0.0, 24)
    assert (rates.ratio.value, rates.ratio.ci_low) == (0.0, 0.0)


def test_lesions(sample: Summary) -> None:
    lesions = sample.endpoints.lesions
    before, after = lesions.before, lesions.after
    assert (before.n_events, before.exposure) == (93, 24)
    assert limits(before.rate) == pytest.approx((3.12762511346872, 4.74713679272219), rel=1e-9)
    assert (after.scans_with_lesions.n, after.n_events, after.exposure) == (1, 1, 327)
    assert limits(after.rate) == pytest.approx((7.7424489248593e-05, 0.0170386648040945), rel=1e-9)
    assert lesions.ratio.value == pytest.approx(0.000789188122718753, rel=1e-9)
    assert limits(lesions.ratio) == pytest.approx((1.97706170752649e-05, 0.00450668781658257), rel=1e-9)


def test_one_transplant_related_death(sample: Summary) -> None:
    mortality = sample.endpoints.mortality
    expected = (0.00105435244546975, 0.211201683456973)
    for death in (
        mortality.transplant_related,
        mortality.transplant_related_by_day_100,
        mortality.all_cause,
        mortality.all_cause_by_day_100,
    ):
        assert (death.n, death.of) == (1, 24)
        assert limits(death) == pytest.approx(expected, rel=1e-9)
    assert mortality.incidence_by_day_100.value == pytest.approx(1 / 24)


def test_improvement_as_in_the_abstract(sample: Summary) -> None:
    disability = sample.endpoints.disability
    improved = disability.improved
    assert (improved.n, improved.of, disability.n_patients, disability.n_unknown) == (8, 23, 23, 1)
    assert round(100 * (improved.value or 0)) == 35


def test_neda3(sample: Summary) -> None:
    # Without activity, and not evaluable: the patient who died.
    counts = [
        (year.n_yes, year.n_no, year.n_not_evaluable, year.n_not_evaluable_died)
        for year in sample.endpoints.neda3
    ]
    assert counts == [(23, 0, 1, 1)] * 3


def test_scattered_lesions_before_are_the_only_notice_of_the_results(sample: Summary) -> None:
    [notice] = [notice for notice in sample.notices if notice.code == "overdispersed"]
    assert notice.text.startswith("Lesions before (dispersion 3.89) vary more than a Poisson rate allows")
    assert {notice.code for notice in sample.notices} <= {"overdispersed", "synthetic"}
