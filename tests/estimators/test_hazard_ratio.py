"""Hazard ratios against R's `coxph` and `coxphf`, and against the likelihoods as they are defined."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from r_figures import Table, grouped, table
from two_groups import Sample, risk_sets_of, samples

from ahsct_trial.estimators.hazard_ratio import (
    HazardRatio,
    cox_hazard_ratio,
    firth_hazard_ratio,
    hazard_ratio,
)

METHODS = [cox_hazard_ratio, firth_hazard_ratio, hazard_ratio]


def figures(ratio: HazardRatio) -> list[float]:
    return [ratio.value, ratio.ci_low, ratio.ci_high, ratio.p]


def name(row: dict[str, str]) -> str:
    return "-".join(row[column] for column in ("dataset", "strata", "level") if row[column])


# Against R.


@pytest.mark.parametrize("row", table("cox_profile").where(ties="efron").rows, ids=name)
def test_cox_agrees_with_coxph(row: dict[str, str]) -> None:
    """cox_profile.csv: `coxph`, profile-likelihood limits, likelihood-ratio p; 0 or Inf if monotone."""
    years, is_event, group, strata = grouped(row)
    second = row["term"].split(" vs ")[0]
    ratio = cox_hazard_ratio(years, is_event, group == second, strata, float(row["level"]))
    expected = Table([row])
    columns = ("hr", "profile_lower", "profile_upper", "lrt_p")
    np.testing.assert_allclose(figures(ratio), [expected[c][0] for c in columns], rtol=1e-9)


@pytest.mark.parametrize("row", table("cox_firth").where(ties="breslow").rows, ids=name)
def test_firth_agrees_with_coxphf(row: dict[str, str]) -> None:
    """cox_firth.csv: coxphf 1.13.4 (stops at about 4e-8), and a second implementation (own)."""
    years, is_event, group, strata = grouped(row)
    ratio = firth_hazard_ratio(years, is_event, group == max(group), strata, float(row["level"]))
    expected = Table([row])
    tolerance = 1e-7 if row["method"] == "coxphf" else 1e-9
    columns = ("hr", "lower", "upper", "p")
    np.testing.assert_allclose(figures(ratio), [expected[c][0] for c in columns], rtol=tolerance)


def test_one_event_each_has_firths_ratio_3() -> None:
    """By hand: one of each group, and the second fails first. With p = e^β/(1 + e^β) the penalised
    likelihood p √(p (1 − p)) is greatest at p = 3/4."""
    assert firth_hazard_ratio([2, 1], [True, True], [False, True]).value == pytest.approx(3, rel=1e-9)


# Which likelihood, and why.


def chosen(dataset: str, strata: str = "") -> HazardRatio:
    by = {"veteran": "trt", "ovarian": "rx", "aml": "x"}.get(dataset, "group")
    years, is_event, group, labels = grouped({"dataset": dataset, "by": by, "strata": strata})
    return hazard_ratio(years, is_event, group == max(group), labels)


@pytest.mark.parametrize(
    ("dataset", "method", "reason"),
    [
        ("veteran", "cox-efron-profile", "10 events or more"),
        ("ovarian", "cox-efron-profile", "10 events or more"),  # 12 events
        ("sep41", "firth-profile", "one group has no event"),
        ("mono9", "firth-profile", "monotone"),
        ("revties12", "firth-profile", "fewer than 10 events"),  # 9
        ("none12", "firth-profile", "undefined"),
    ],
)
def test_likelihood_is_chosen_by_the_events(dataset: str, method: str, reason: str) -> None:
    ratio = chosen(dataset)
    assert ratio.method == method
    assert reason in ratio.reason
    assert math.isfinite(ratio.value) == math.isfinite(ratio.ci_high) == (dataset != "none12")


def test_likelihood_is_monotone_with_many_events_in_both_groups() -> None:
    """The second group is gone before the first event of the first one, which then says nothing."""
    years, is_second = np.arange(1, 25), np.arange(24) < 12
    assert cox_hazard_ratio(years, years > 0, is_second).value == math.inf
    assert cox_hazard_ratio(years, years > 0, ~is_second).value == 0
    ratio = hazard_ratio(years, years > 0, is_second)
    assert "monotone" in ratio.reason
    assert 1 < ratio.ci_low < ratio.value < ratio.ci_high < math.inf


def test_death_in_one_arm_of_six() -> None:
    """Two of six against none of six: finite limits about a ratio below 1 (level ÷ reference)."""
    years = np.array([4.0] * 6 + [1, 2, 4, 4, 4, 4])
    is_event = years < 4
    ratio = hazard_ratio(years, is_event, np.arange(12) < 6)
    assert ratio.method == "firth-profile"
    assert 0 < ratio.ci_low < ratio.value < 1 < ratio.ci_high < math.inf


# Against the definition.


def log_likelihood(sample: Sample, beta: float, *, is_firth: bool) -> float:
    """Oracle: Efron's product over tied events; Breslow's with half the log information for Firth."""
    total = information = 0.0
    for (first, second), (d_first, d_second) in risk_sets_of(sample):
        d = d_first + d_second
        total += d_second * beta
        for gone in range(d):
            share = 0 if is_firth else gone / d
            weight_first = first - share * d_first
            weight_second = (second - share * d_second) * math.exp(beta)
            total -= math.log(weight_first + weight_second)
            p = weight_second / (weight_first + weight_second)
            information += p * (1 - p)
    return total + (math.log(information) / 2 if is_firth else 0)


@settings(max_examples=60)
@given(samples, st.sampled_from([0.5, 0.9, 0.95]), st.booleans())
def test_profile_limits_have_the_likelihood_they_should(sample: Sample, level: float, is_firth: bool) -> None:
    """Chi-squared quantiles of 1 degree of freedom from tables: 0.4549, 2.7055, 3.8415."""
    quantile = {0.5: 0.454936423119572, 0.9: 2.70554345409541, 0.95: 3.84145882069412}[level]
    ratio = (firth_hazard_ratio if is_firth else cox_hazard_ratio)(
        sample.years, sample.is_event, sample.is_second, sample.strata, level, sample.entry
    )
    assume(not math.isnan(ratio.value))
    peak = 0.0
    if 0 < ratio.value < math.inf:
        peak = log_likelihood(sample, math.log(ratio.value), is_firth=is_firth)
        for beta in np.linspace(-8, 8, 65):
            assert log_likelihood(sample, beta, is_firth=is_firth) <= peak + 1e-9
    else:
        assert not is_firth
        peak = log_likelihood(sample, math.copysign(40, ratio.value - 1), is_firth=False)
    for limit in (ratio.ci_low, ratio.ci_high):
        if 0 < limit < math.inf:
            drop = peak - log_likelihood(sample, math.log(limit), is_firth=is_firth)
            assert 2 * drop == pytest.approx(quantile, abs=1e-8)
    at_1 = log_likelihood(sample, 0, is_firth=is_firth)
    assert ratio.p == pytest.approx(math.erfc(math.sqrt(max(peak - at_1, 0))), abs=1e-7)


def test_highest_of_two_modes_is_found() -> None:
    """Strata of 2 against 2000 and of 2000 against 3: one event in each pulls the ratio far to either side.

    Oracle: the penalised likelihood on a fine grid; its modes are near −6.0 and 6.4.
    """
    n = 2000
    is_second = np.concatenate([np.arange(n + 2) >= n, np.arange(n + 3) >= 3])
    strata = np.repeat([0, 1], [n + 2, n + 3])
    years = np.full(is_second.size, 5.0)
    is_event = np.zeros(is_second.size, dtype=bool)
    for patient in (0, is_second.size - 1):
        years[patient], is_event[patient] = 1, True
    ratio = firth_hazard_ratio(years, is_event, is_second, strata)
    p = [lambda b, q=q: q * math.exp(b) / (1 - q + q * math.exp(b)) for q in (2 / (n + 2), n / (n + 3))]

    def penalised(beta: float) -> float:
        low, high = (share(beta) for share in p)
        return math.log((1 - low) * high) + math.log(low * (1 - low) + high * (1 - high)) / 2

    grid = np.linspace(-12, 12, 24001)
    heights = [penalised(beta) for beta in grid]
    assert math.log(ratio.value) == pytest.approx(grid[int(np.argmax(heights))], abs=1e-3)
    inside = grid[np.array(heights) >= max(heights) - 3.84145882069412 / 2]
    assert np.log([ratio.ci_low, ratio.ci_high]) == pytest.approx([inside[0], inside[-1]], abs=2e-3)


# What must hold for every sample.


@settings(max_examples=60)
@given(samples, st.sampled_from(METHODS))
def test_groups_swapped_invert_the_ratio(sample: Sample, method: type) -> None:
    years, is_event, is_second, strata, entry = sample
    ratio = method(years, is_event, is_second, strata, 0.9, entry)
    other = method(years, is_event, ~is_second, strata, 0.9, entry)
    with np.errstate(divide="ignore"):
        expected = [*(1 / np.array([other.value, other.ci_high, other.ci_low])), other.p]
    np.testing.assert_allclose(figures(ratio), expected, rtol=1e-7)
    assert ratio.method == other.method


@settings(max_examples=60)
@given(samples, st.sampled_from(METHODS), st.randoms())
def test_order_labels_and_unit_change_nothing(sample: Sample, method: type, random) -> None:
    order = random.sample(range(sample.years.size), sample.years.size)
    years, is_event, is_second, strata, entry = (column[order] for column in sample)
    labels = np.array(["south", "north"])[strata]
    ratio = method(sample.years, sample.is_event, sample.is_second, sample.strata, 0.95, sample.entry)
    other = method(years * 12, is_event, is_second, labels, 0.95, entry * 12)
    np.testing.assert_allclose(figures(other), figures(ratio), rtol=1e-9)


@settings(max_examples=60)
@given(samples, st.sampled_from(METHODS))
def test_group_against_itself_has_ratio_1(sample: Sample, method: type) -> None:
    twice = [np.tile(column, 2) for column in sample]
    twice[2] = np.repeat([False, True], sample.years.size)
    years, is_event, is_second, strata, entry = twice
    ratio = method(years, is_event, is_second, strata, 0.95, entry)
    if not any(d > 0 for risk_set in risk_sets_of(sample) for d in risk_set.n_events):
        assert math.isnan(ratio.value)
        return
    assert ratio.value == pytest.approx(1, abs=1e-7)
    assert ratio.p == pytest.approx(1, abs=1e-6)
    assert ratio.ci_low * ratio.ci_high == pytest.approx(1, abs=1e-7)


@settings(max_examples=60)
@given(samples, st.sampled_from(METHODS))
def test_interval_of_the_level_of_the_test_ends_at_1(sample: Sample, method: type) -> None:
    years, is_event, is_second, strata, entry = sample
    p = method(years, is_event, is_second, strata, 0.95, entry).p
    assume(1e-6 < p < 0.999)
    limits = figures(method(years, is_event, is_second, strata, 1 - p, entry))[1:3]
    assert min(abs(limit - 1) for limit in limits) < 1e-6


def test_a_patient_followed_in_two_spells_counts_as_one() -> None:
    """Who leaves at 2.5 without an event and enters there again was at risk all along (veteran, in years)."""
    years, is_event, group, _ = grouped({"dataset": "veteran", "by": "trt", "strata": ""})
    years, is_second = years / 365.25, group == "2"
    is_long = years > 0.25
    whole = cox_hazard_ratio(years, is_event, is_second)
    split = cox_hazard_ratio(
        np.append(np.minimum(years, 0.25), years[is_long]),
        np.append(is_event & ~is_long, is_event[is_long]),
        np.append(is_second, is_second[is_long]),
        entry=np.append(np.full(years.size, -math.inf), np.full(is_long.sum(), 0.25)),
    )
    np.testing.assert_allclose(figures(split), figures(whole), rtol=1e-9)


def test_times_that_differ_by_rounding_tie() -> None:
    years, is_event, group, _ = grouped({"dataset": "ties20", "by": "group", "strata": ""})
    off = years + np.linspace(-4e-10, 4e-10, years.size)
    whole, rounded = (cox_hazard_ratio(times, is_event, group == "B") for times in (years, off))
    np.testing.assert_allclose(figures(rounded), figures(whole), rtol=1e-9)


@pytest.mark.parametrize("is_second", [True, False])
def test_one_group_alone_and_nobody_have_no_ratio(is_second: bool) -> None:
    for years, is_event in (([1, 2, 3], [True] * 3), ([], [])):
        for method in METHODS:
            ratio = method(years, is_event, [is_second] * len(years))
            assert np.isnan(figures(ratio)).all()
            assert "undefined" in ratio.reason


def test_impossible_input_is_refused() -> None:
    for method in METHODS:
        with pytest.raises(ValueError, match="level is"):
            method([1, 2], [True, True], [True, False], level=95)
        with pytest.raises(ValueError, match="negative, infinite or NaN"):
            method([1, math.nan], [True, True], [True, False])
        with pytest.raises(ValueError, match="one length"):
            method([1, 2], [True], [True, False])
        with pytest.raises(ValueError, match="one length"):
            method([1, 2], [True, True], [True, False], entry=[0])
        with pytest.raises(ValueError, match="not before"):
            method([1, 2], [True, True], [True, False], entry=[1, 0])


@pytest.mark.parametrize("level", [1e-300, 1 - 2**-53])
def test_levels_next_to_0_and_1_have_limits(level: float) -> None:
    for dataset in ("ovarian", "sep41"):
        by = "rx" if dataset == "ovarian" else "group"
        years, is_event, group, _ = grouped({"dataset": dataset, "by": by, "strata": ""})
        for method in METHODS:
            ratio = method(years, is_event, group == max(group), level=level)
            assert ratio.ci_low <= ratio.value <= ratio.ci_high
