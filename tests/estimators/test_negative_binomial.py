"""Negative-binomial rates against R's MASS, and against `scipy.stats.nbinom` maximised by brute force."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from r_figures import table
from scipy.optimize import minimize_scalar
from scipy.stats import chi2, nbinom, poisson

from ahsct_trial.estimators.negative_binomial import negative_binomial_rate, negative_binomial_ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Subjects = list[tuple[int, float]]
exposures = st.floats(0.2, 6)
subjects = st.lists(st.tuples(st.integers(0, 9), exposures), min_size=2, max_size=12)
levels = st.sampled_from([0.5, 0.8, 0.9, 0.95])


def of_group(dataset: str, group: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = table("nb_sets").where(dataset=dataset, group=group)
    return rows["relapses"], rows["years"]


def columns(subjects: Subjects) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    counts, years = zip(*subjects, strict=True)
    return np.array(counts, dtype=np.float64), np.array(years)


# R's figures.


@pytest.mark.parametrize("row", table("nb_ratio").rows, ids=lambda row: row["dataset"])
def test_ratio_and_its_profile_limits_agree_with_r(row: dict[str, str]) -> None:
    """nb_ratio.csv: R 4.2.2, `glm.nb` of MASS 7.3-58.2; the profile, by iteration, is good to about 1e-7."""
    actual = negative_binomial_ratio(
        *of_group(row["dataset"], row["group1"]), *of_group(row["dataset"], row["group2"]), 0.95
    )
    expected = [float(row[column]) for column in ("own_ratio", "profile_lower", "profile_upper")]
    np.testing.assert_allclose(actual, expected, rtol=1e-6)
    if row["ratio"] and not row["warning"]:
        assert actual[0] == pytest.approx(float(row["ratio"]), rel=1e-7)


# An oracle by brute force.


def most_likely(log_likelihood: Callable[[float], float]) -> float:
    """Give the largest log-likelihood over all dispersions: the best of a grid, refined, or Poisson's."""
    grid = np.linspace(-14, 8, 45)
    best = int(np.argmax([log_likelihood(math.exp(x)) for x in grid]))
    bounds = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
    refined = minimize_scalar(lambda x: -log_likelihood(math.exp(x)), bounds=bounds, method="bounded")
    return float(max(-refined.fun, log_likelihood(0)))


def log_likelihood_of(subjects: Subjects, rate: float, dispersion: float) -> float:
    counts, years = columns(subjects)
    mean = rate * years
    if not dispersion:
        return float(poisson.logpmf(counts, mean).sum())
    return float(nbinom.logpmf(counts, 1 / dispersion, 1 / (1 + dispersion * mean)).sum())


@given(subjects, levels)
@settings(max_examples=15, deadline=None)
def test_limits_of_a_rate_are_where_the_likelihood_has_fallen_enough(
    subjects: Subjects, level: float
) -> None:
    """Oracle: `scipy.stats.nbinom`, whose profile lies half a χ² quantile below its top at the limits."""
    assume(sum(count for count, _ in subjects))
    rate, low, high = negative_binomial_rate(*columns(subjects), level)

    def profile(at: float) -> float:
        return most_likely(lambda dispersion: log_likelihood_of(subjects, at, dispersion))

    top = profile(rate)
    assert profile(rate * 1.001) <= top + 1e-7
    assert profile(rate / 1.001) <= top + 1e-7
    for limit in (low, high):
        if limit < 1e9 * rate:
            assert top - profile(limit) == pytest.approx(chi2.ppf(level, 1) / 2, abs=1e-4)


@given(subjects, subjects)
@settings(max_examples=5, deadline=None)
def test_limits_of_a_ratio_are_where_the_likelihood_has_fallen_enough(one: Subjects, other: Subjects) -> None:
    """Oracle: as for a rate, here with the rate of the second group found by brute force too."""
    assume(sum(count for count, _ in one) and sum(count for count, _ in other))
    ratio, low, high = negative_binomial_ratio(*columns(one), *columns(other), 0.95)

    def profile(at: float) -> float:
        def at_dispersion(dispersion: float) -> float:
            found = minimize_scalar(
                lambda x: (
                    -(
                        log_likelihood_of(one, at * math.exp(x), dispersion)
                        + log_likelihood_of(other, math.exp(x), dispersion)
                    )
                ),
                bounds=(-12, 12),
                method="bounded",
            )
            return float(-found.fun)

        return most_likely(at_dispersion)

    top = profile(ratio)
    for limit in (low, high):
        if 1e-4 < limit / ratio < 1e4:
            assert top - profile(limit) == pytest.approx(chi2.ppf(0.95, 1) / 2, abs=1e-3)


# Edges, worked by hand.


def test_counts_that_vary_less_than_poisson_have_poisson_limits() -> None:
    """By hand: for 20 events in 4 years the log-likelihood is 20 log(λ/5) − 4 λ + 20 below its top.

    At 50 % dispersion does not help anywhere between the limits; further out it does.
    """
    rate, low, high = negative_binomial_rate([5, 5, 5, 5], [1, 1, 1, 1], 0.5)
    assert rate == pytest.approx(5)
    for limit in (low, high):
        assert 20 * math.log(limit / 5) - 4 * limit + 20 == pytest.approx(-chi2.ppf(0.5, 1) / 2)


def test_without_events_or_exposure_there_is_no_rate_interval() -> None:
    rate, low, high = negative_binomial_rate([0, 0], [1, 2], 0.95)
    assert rate == 0
    assert np.isnan([low, high]).all()
    assert np.isnan(negative_binomial_rate([], [], 0.95)).all()
    assert np.isnan(negative_binomial_rate([0], [0], 0.95)).all()


def test_a_group_without_events_has_one_limit() -> None:
    """As in nb_ratio.csv: if group 1 has no event only the upper limit stands, else only the lower one."""
    some, none = ([3, 0, 1, 7], [1, 2, 1, 2]), ([0, 0, 0, 0, 0], [2, 2, 2, 2, 2])
    ratio, low, high = negative_binomial_ratio(*none, *some, 0.95)
    assert (ratio, low) == (0, 0)
    assert 0 < high < math.inf
    inverse, inverse_low, inverse_high = negative_binomial_ratio(*some, *none, 0.95)
    assert inverse == inverse_high == math.inf
    assert inverse_low == pytest.approx(1 / high)
    assert np.isnan(negative_binomial_ratio(*none, *none, 0.95)).all()
    assert np.isnan(negative_binomial_ratio(*some, [], [], 0.95)).all()


def test_a_limit_that_the_likelihood_does_not_set_is_infinite() -> None:
    """One event in one subject: at 99.9 % rates beyond any bound are still not rejected."""
    assert negative_binomial_rate([1], [2], 0.999)[2] == math.inf


# What holds for every input.


@given(subjects, subjects, st.floats(0.1, 10), levels)
@settings(max_examples=40, deadline=None)
def test_ratio_knows_neither_order_nor_unit_and_turns_round(
    one: Subjects, other: Subjects, factor: float, level: float
) -> None:
    assume(sum(count for count, _ in one) and sum(count for count, _ in other))
    (counts_1, years_1), (counts_0, years_0) = columns(one), columns(other)
    expected = negative_binomial_ratio(counts_1, years_1, counts_0, years_0, level)
    again = negative_binomial_ratio(
        counts_1[::-1], years_1[::-1] * factor, counts_0[::-1], years_0[::-1] * factor, level
    )
    assert again == pytest.approx(expected, rel=1e-6)
    ratio, low, high = negative_binomial_ratio(counts_0, years_0, counts_1, years_1, level)
    assert (1 / ratio, 1 / high if high else math.inf, 1 / low if low else math.inf) == pytest.approx(
        expected, rel=1e-6
    )
    assert expected[1] < expected[0] < expected[2]


@given(subjects, levels)
@settings(max_examples=40, deadline=None)
def test_a_rate_lies_within_its_limits_and_a_higher_level_is_wider(subjects: Subjects, level: float) -> None:
    counts, years = columns(subjects)
    assume(counts.any())
    rate, low, high = negative_binomial_rate(counts, years, level)
    _, wider_low, wider_high = negative_binomial_rate(counts, years, 0.99)
    assert wider_low < low < rate < high <= wider_high


@given(st.lists(st.integers(0, 9), min_size=2, max_size=12), exposures)
@settings(max_examples=40, deadline=None)
def test_where_all_have_one_exposure_the_rate_is_the_pooled_one(counts: list[int], years: float) -> None:
    """Lawless 1987: the score of the rate is then that of Poisson counts."""
    rate, *_ = negative_binomial_rate(counts, years, 0.95)
    assert rate == pytest.approx(sum(counts) / years / len(counts))


def test_subjects_without_exposure_are_left_out() -> None:
    expected = negative_binomial_rate([3, 0, 5], [1, 2, 3], 0.95)
    assert negative_binomial_rate([3, 0, 0, 5], [1, 0, 2, 3], 0.95) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("count", "exposure", "message"),
    [
        (-1, 1, "whole numbers"),
        (0.5, 1, "whole numbers"),
        (math.nan, 1, "whole numbers"),
        (1, -1, "0 or more"),
        (1, math.inf, "0 or more"),
        (1, 0, "without exposure"),
    ],
)
def test_impossible_input_is_refused(count: float, exposure: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        negative_binomial_rate([count, 1], [exposure, 1], 0.95)
    with pytest.raises(ValueError, match=message):
        negative_binomial_ratio([1], [1], [count, 1], [exposure, 1], 0.95)
    with pytest.raises(ValueError, match="level is"):
        negative_binomial_rate([1], [1], 95)
