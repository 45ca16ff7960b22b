"""Clopper–Pearson against R's `binom.test` and against binomial sums."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from r_figures import assert_agrees, table
from tail_sums import binomial_sum

from ahsct_trial.estimators.proportions import clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Callable

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
