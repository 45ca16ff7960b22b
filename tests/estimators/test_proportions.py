"""Intervals of a proportion against R, and Clopper–Pearson also against binomial sums."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from r_figures import assert_agrees, table
from tail_sums import binomial_sum

from ahsct_trial.estimators.proportions import (
    agresti_coull,
    clopper_pearson,
    jeffreys,
    uncensored_kaplan_meier,
    wald,
    wilson,
    wilson_corrected,
)
from ahsct_trial.estimators.survival import Scale, confidence_limits, kaplan_meier

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Interval = Callable[[ArrayLike, ArrayLike, float], tuple[NDArray[np.float64], NDArray[np.float64]]]

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
#: A number of successes and of trials.
counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def bisect(is_below: Callable[[float], bool]) -> float:
    """Give the p from 0 to 1 where `is_below` turns from true to false."""
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return low


def test_agrees_with_binom_test() -> None:
    """binomial_ci.csv: R 4.2.2, `binom.test`."""
    expected = table("binomial_ci").where(method="clopper-pearson")
    low, high = clopper_pearson(expected["x"], expected["n"], 0.95)
    assert_agrees(low, expected["lower"])
    assert_agrees(high, expected["upper"])


def test_agrees_with_binom_test_on_the_lancet_count() -> None:
    """lancet2016_check.csv: R 4.2.2, `binom.test(16, 23)`."""
    expected = table("lancet2016_check").where(case="binom 16/23 Clopper-Pearson")
    low, high = clopper_pearson(16, 23, 0.95)
    assert_agrees([low], expected["lower"])
    assert_agrees([high], expected["upper"])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("x", "n"), [(1, 1), (1, 24), (5, 12), (16, 23), (23, 24), (70, 100)])
def test_agrees_with_bisection_of_binomial_sums(x: int, n: int, level: float) -> None:
    """Oracle: the definition of Clopper & Pearson (1934), solved by bisection."""
    tail = (1 - level) / 2
    low, high = clopper_pearson(x, n, level)
    assert_agrees(low, bisect(lambda p: binomial_sum(n, p, range(x, n + 1)) < tail))
    upper = bisect(lambda p: binomial_sum(n, p, range(x + 1)) > tail) if x < n else 1.0
    assert_agrees(high, upper)


@given(counts, st.floats(0.001, 0.999), st.sampled_from(LEVELS))
def test_interval_holds_what_the_test_does_not_reject(count: tuple[int, int], p: float, level: float) -> None:
    x, n = count
    tails = binomial_sum(n, p, range(x, n + 1)), binomial_sum(n, p, range(x + 1))
    tail = (1 - level) / 2
    assume(all(abs(t - tail) > 1e-9 for t in tails))
    low, high = clopper_pearson(x, n, level)
    assert (low <= p <= high) == (min(tails) > tail)


@given(counts, st.sampled_from(LEVELS))
def test_limits_bracket_the_proportion_and_mirror_its_complement(
    count: tuple[int, int], level: float
) -> None:
    x, n = count
    low, high = clopper_pearson(x, n, level)
    assert 0 <= low <= x / n <= high <= 1
    other_low, other_high = clopper_pearson(n - x, n, level)
    assert float(low) == pytest.approx(1 - other_high, abs=1e-12)
    assert float(high) == pytest.approx(1 - other_low, abs=1e-12)


def test_edges_are_0_and_1_and_nothing_of_nothing_is_undefined() -> None:
    low, high = clopper_pearson([0, 5, 0], [5, 5, 0], 0.95)
    assert low[0] == 0
    assert high[1] == 1
    assert np.isnan([low[2], high[2]]).all()


def test_gives_arrays_of_the_broadcast_shape() -> None:
    low, high = clopper_pearson(np.arange(5)[:, None], np.arange(4, 7), 0.95)
    assert low.shape == high.shape == (5, 3)
    assert clopper_pearson(1, 2, 0.95)[0].shape == ()


@pytest.mark.parametrize(("x", "n"), [(-1, 3), (4, 3), (math.nan, 3), (1, math.nan)])
def test_impossible_counts_are_refused(x: float, n: float) -> None:
    with pytest.raises(ValueError, match="from 0 to n"):
        clopper_pearson(x, n, 0.95)


@pytest.mark.parametrize("level", [0, 1, 95])
def test_impossible_levels_are_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level is"):
        clopper_pearson(1, 2, level)


# The other intervals.

OTHERS = [wilson, wilson_corrected, jeffreys, agresti_coull, wald]


@pytest.mark.parametrize(
    ("interval", "method"),
    [
        (wilson, "wilson"),
        (wilson_corrected, "wilson-cc"),
        (jeffreys, "jeffreys"),
        (agresti_coull, "agresti-coull(clipped)"),
        (agresti_coull, "agresti-coull(raw)"),
        (wald, "wald(raw)"),
    ],
)
def test_other_intervals_agree_with_r(interval: Interval, method: str) -> None:
    """binomial_ci.csv: R 4.2.2, `prop.test` with or without correction, `qbeta`, formulas, cut at 0 and 1."""
    expected = table("binomial_ci").where(method=method)
    low, high = interval(expected["x"], expected["n"], 0.95)
    np.testing.assert_allclose(low, np.clip(expected["lower"], 0, 1), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(high, np.clip(expected["upper"], 0, 1), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("method", ["log-log", "log", "plain", "logit", "arcsin"])
def test_uncensored_kaplan_meier_agrees_with_r_on_the_lancet_count(method: Scale) -> None:
    """lancet2016_check.csv, case A: `survfit` of survival 3.5-3 on 23 patients with 7 events."""
    expected = table("lancet2016_check").where(
        case="A n=23, 7 events, none censored before 3y", conf_type=method
    )
    low, high = uncensored_kaplan_meier(16, 23, method, 0.95)
    assert_agrees([low], expected["lower"])
    assert_agrees([high], expected["upper"])


@given(counts, st.sampled_from(["log-log", "log", "plain", "logit", "arcsin"]), st.sampled_from(LEVELS))
def test_uncensored_kaplan_meier_is_the_curves_interval(
    count: tuple[int, int], method: Scale, level: float
) -> None:
    x, n = count
    time = [*range(n - x), *[n] * x]
    curve = kaplan_meier(time, [True] * (n - x) + [False] * x).at(n - x - 0.5)
    actual = uncensored_kaplan_meier(x, n, method, level)
    expected = confidence_limits(curve.estimate, curve.log_variance, method, level)
    np.testing.assert_allclose(actual, expected, rtol=1e-7, atol=1e-9)


@given(counts, st.sampled_from(LEVELS))
def test_wilson_limits_are_what_the_score_test_just_rejects(count: tuple[int, int], level: float) -> None:
    """Oracle: |x/n − p| = z √(p (1 − p)/n) at a limit p, half a case less with correction (Newcombe 1998)."""
    x, n = count
    z = NormalDist().inv_cdf((1 + level) / 2)
    for interval, correction in ((wilson, 0.0), (wilson_corrected, 0.5)):
        for limit in map(float, interval(x, n, level)):
            if 0 < limit < 1:
                distance = abs(x / n - limit) - correction / n
                assert distance == pytest.approx(z * math.sqrt(limit * (1 - limit) / n), abs=1e-9)


@pytest.mark.parametrize("interval", OTHERS)
@given(count=counts, level=st.sampled_from(LEVELS))
def test_other_limits_bracket_the_proportion_and_mirror_its_complement(
    interval: Interval, count: tuple[int, int], level: float
) -> None:
    x, n = count
    low, high = interval(x, n, level)
    assert 0 <= low <= x / n + 1e-12
    assert x / n - 1e-12 <= high <= 1
    other_low, other_high = interval(n - x, n, level)
    assert float(low) == pytest.approx(1 - other_high, abs=1e-12)
    assert float(high) == pytest.approx(1 - other_low, abs=1e-12)


@pytest.mark.parametrize("interval", OTHERS)
def test_other_intervals_of_nothing_are_undefined_and_impossible_ones_refused(interval: Interval) -> None:
    assert np.isnan(interval(0, 0, 0.95)).all()
    assert interval(np.arange(3)[:, None], [4, 5], 0.95)[0].shape == (3, 2)
    with pytest.raises(ValueError, match="from 0 to n"):
        interval(5, 4, 0.95)
    with pytest.raises(ValueError, match="level is"):
        interval(1, 4, 95)


def test_uncensored_kaplan_meier_is_undefined_where_r_has_it_so() -> None:
    assert np.isnan(uncensored_kaplan_meier(0, 5, "plain", 0.95)).all()
    assert np.isnan(uncensored_kaplan_meier(5, 5, "log-log", 0.95)).all()
    assert np.isnan(uncensored_kaplan_meier(0, 0, "log", 0.95)).all()
    assert [float(limit) for limit in uncensored_kaplan_meier(5, 5, "log", 0.95)] == [1, 1]
