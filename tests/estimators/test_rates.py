"""Rates against R's `poisson.test` and against Poisson and binomial sums; dispersion by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from r_figures import assert_agrees, table
from tail_sums import binomial_sum, poisson_sum

from ahsct_trial.estimators.rates import (
    byar,
    garwood,
    log_wald,
    pearson_dispersion,
    rate_ratio_interval,
    wald,
)

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
exposures = st.floats(0.1, 1000)


# One rate.


def test_garwood_agrees_with_poisson_test() -> None:
    """poisson_rate_ci.csv: R 4.2.2, `poisson.test`."""
    expected = table("poisson_rate_ci").where(method="exact(garwood)")
    low, high = garwood(expected["events"], expected["exposure"], 0.95)
    assert_agrees(low, expected["lower"])
    assert_agrees(high, expected["upper"])


@given(st.integers(0, 80), exposures, st.sampled_from(LEVELS))
def test_garwood_leaves_equal_poisson_tails(y: int, exposure: float, level: float) -> None:
    """Oracle: the definition of Garwood (1936), the probability of counts up to and from `y`."""
    tail = (1 - level) / 2
    low, high = map(float, garwood(y, exposure, level))
    assert poisson_sum(high * exposure, range(y + 1)) == pytest.approx(tail, rel=1e-9)
    if y == 0:
        assert low == 0
    else:
        assert 1 - poisson_sum(low * exposure, range(y)) == pytest.approx(tail, rel=1e-9)


@given(st.integers(0, 60), st.floats(0.01, 90), st.sampled_from(LEVELS))
def test_garwood_holds_what_the_test_does_not_reject(y: int, mean: float, level: float) -> None:
    tails = 1 - poisson_sum(mean, range(y)), poisson_sum(mean, range(y + 1))
    tail = (1 - level) / 2
    assume(all(abs(t - tail) > 1e-9 for t in tails))
    low, high = garwood(y, 1, level)
    assert (low <= mean <= high) == (min(tails) > tail)
    assert low <= y <= high


def test_rate_without_exposure_is_undefined() -> None:
    assert np.isnan(garwood([0, 3], 0, 0.95)).all()


def test_byar_agrees_with_r() -> None:
    """poisson_rate_ci.csv: the formula of `epitools::pois.byar`; its limit below 0 is 0 here."""
    expected = table("poisson_rate_ci").where(method="byar")
    low, high = byar(expected["events"], expected["exposure"], 0.95)
    assert (expected["lower"] < 0).any()
    assert_agrees(low, np.maximum(expected["lower"], 0))
    assert_agrees(high, expected["upper"])


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_byar_without_events_starts_at_0_at_every_level(level: float) -> None:
    """By hand: at 50 % the formula alone has ½ (1 − 2/9 − 0.6745/(3 √½))³ = 0.049 events below."""
    low, high = byar(0, 12.5, level)
    assert low == 0
    assert high > 0


def test_byar_without_events_at_one_half_by_hand() -> None:
    """By hand: ½ (1 − 2/9 + 0.6745/(3 √½))³ = 0.658 events in 12.5 years are 0.0526 a year."""
    assert float(byar(0, 12.5, 0.5)[1]) == pytest.approx(0.0526, abs=5e-5)


def test_wald_by_hand() -> None:
    """By hand: 168 events in 40 years are 4.2 a year ± 1.96 √168/40 = ± 0.6351; 2 ± 2.77 is cut at 0."""
    low, high = wald([168, 2, 0], [40, 1, 1], 0.95)
    np.testing.assert_allclose(low, [3.5649, 0, 0], atol=5e-5)
    np.testing.assert_allclose(high, [4.8351, 4.7718, 0], atol=5e-5)


def test_log_wald_agrees_with_r() -> None:
    """poisson_rate_ci.csv: rate × exp(± z/√events) in R."""
    expected = table("poisson_rate_ci").where(method="log-wald")
    low, high = log_wald(expected["events"], expected["exposure"], 0.95)
    assert_agrees(low, expected["lower"])
    assert_agrees(high, expected["upper"])


def test_log_wald_without_events_and_rates_without_exposure_are_undefined() -> None:
    assert np.isnan(log_wald(0, 10, 0.95)).all()
    assert np.isnan(log_wald(3, 0, 0.95)).all()
    assert np.isnan(byar([3, 0], 0, 0.95)).all()
    assert np.isnan(wald([3, 0], 0, 0.95)).all()
    for interval in (byar, log_wald, wald):
        with pytest.raises(ValueError, match="level is"):
            interval(1, 1, 95)
        with pytest.raises(ValueError, match="0 or more"):
            interval(-1, 1, 0.95)


# The ratio of two rates.


def test_ratio_agrees_with_poisson_test() -> None:
    """poisson_ratio_ci.csv: R 4.2.2, `poisson.test` on two rates; Inf where side 0 has no event."""
    expected = table("poisson_ratio_ci").where(method="exact-conditional(poisson.test)")
    low, high = rate_ratio_interval(expected["x1"], expected["t1"], expected["x2"], expected["t2"], 0.95)
    assert_agrees(low, expected["lower"])
    assert_agrees(high, expected["upper"])


@pytest.mark.parametrize("level", ["0.95", "0.9"])
def test_ratio_of_two_groups_agrees_with_poisson_test(level: str) -> None:
    """rate_ratio_groups.csv: R 4.2.2, `poisson.test`; undefined where neither group has an event."""
    expected = table("rate_ratio_groups").where(kind="poisson", level=level)
    low, high = rate_ratio_interval(*(expected[c] for c in ("x1", "years1", "x2", "years2")), float(level))
    assert_agrees(low, expected["lower"])
    assert_agrees(high, expected["upper"])


@given(st.integers(0, 30), exposures, st.integers(0, 30), exposures, st.sampled_from(LEVELS))
def test_ratio_leaves_equal_binomial_tails(n_1: int, t_1: float, n_0: int, t_0: float, level: float) -> None:
    """Oracle: given the sum, `n_1` is binomial with odds ratio × t_1/t_0 (Przyborowski & Wilenski 1940)."""
    assume(n_1 + n_0 > 0)
    n, tail = n_1 + n_0, (1 - level) / 2
    low, high = map(float, rate_ratio_interval(n_1, t_1, n_0, t_0, level))
    if n_1 == 0:
        assert low == 0
    else:
        odds = low * t_1 / t_0
        assert binomial_sum(n, odds / (1 + odds), range(n_1, n + 1)) == pytest.approx(tail, rel=1e-9)
    if n_0 == 0:
        assert high == math.inf
    else:
        odds = high * t_1 / t_0
        assert binomial_sum(n, odds / (1 + odds), range(n_1 + 1)) == pytest.approx(tail, rel=1e-9)


@given(st.integers(1, 500), exposures, st.integers(1, 500), exposures, st.sampled_from(LEVELS))
def test_ratio_the_other_way_round_is_its_inverse(
    n_1: int, t_1: float, n_0: int, t_0: float, level: float
) -> None:
    low, high = rate_ratio_interval(n_1, t_1, n_0, t_0, level)
    other_low, other_high = rate_ratio_interval(n_0, t_0, n_1, t_1, level)
    assert_agrees(1 / other_high, low)
    assert_agrees(1 / other_low, high)
    assert low < (n_1 / t_1) / (n_0 / t_0) < high


def test_ratio_without_events_or_without_exposure_is_undefined() -> None:
    limits = rate_ratio_interval([0, 2, 2], [10, 0, 10], [0, 3, 3], [10, 10, 0], 0.95)
    assert np.isnan(limits).all()


# Dispersion.


@pytest.mark.parametrize(
    ("counts", "exposures", "expected"),
    [
        # Worked by hand from sum((y − μ)²/μ)/(n − 1), μ the pooled rate × exposure.
        ([0, 1, 5], [1, 1, 1], 3.5),  # μ = 2, 2, 2: (4 + 1 + 9)/2/2
        ([2, 2], [1, 3], 4 / 3),  # μ = 1, 3: (1/1 + 1/3)/1
        ([1, 2, 3], [10, 20, 30], 0.0),
        ([0, 1, 5, 0], [1, 1, 1, 0], 3.5),  # no exposure and no event: not counted
        ([4], [2], math.nan),
        ([4, 0], [2, 0], math.nan),
        ([0, 0], [1, 2], math.nan),
        ([], [], math.nan),
    ],
)
def test_dispersion_by_hand(counts: list[int], exposures: list[float], expected: float) -> None:
    assert pearson_dispersion(counts, exposures) == pytest.approx(expected, nan_ok=True)


@given(st.lists(st.tuples(st.integers(0, 9), exposures), min_size=2, max_size=20), st.floats(0.01, 100))
def test_dispersion_knows_neither_order_nor_unit(subjects: list[tuple[int, float]], factor: float) -> None:
    counts, exposures = map(np.array, zip(*subjects, strict=True))
    expected = pearson_dispersion(counts, exposures)
    assert pearson_dispersion(counts[::-1], exposures[::-1] * factor) == pytest.approx(expected, nan_ok=True)


# Arrays and errors.


def test_gives_arrays_of_the_broadcast_shape() -> None:
    assert garwood(3, 10, 0.95)[0].shape == garwood(3, 10, 0.95)[1].shape == ()
    assert garwood(np.arange(4)[:, None], [1, 2], 0.95)[1].shape == (4, 2)
    assert rate_ratio_interval(3, 10, 4, 10, 0.95)[0].shape == ()
    assert rate_ratio_interval(np.arange(4), 10, 4, 10, 0.95)[1].shape == (4,)


@pytest.mark.parametrize(("count", "exposure"), [(-1, 1), (1, -1), (math.nan, 1), (1, math.nan)])
def test_impossible_counts_and_exposures_are_refused(count: float, exposure: float) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        garwood(count, exposure, 0.95)
    with pytest.raises(ValueError, match="0 or more"):
        rate_ratio_interval(count, exposure, 1, 1, 0.95)
    with pytest.raises(ValueError, match="0 or more"):
        pearson_dispersion([count, 1], [exposure, 1])


def test_events_without_exposure_have_no_dispersion() -> None:
    with pytest.raises(ValueError, match="without exposure"):
        pearson_dispersion([1, 2], [0, 1])


@pytest.mark.parametrize("level", [0, 1, 95])
def test_impossible_levels_are_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level is"):
        garwood(1, 1, level)
    with pytest.raises(ValueError, match="level is"):
        rate_ratio_interval(1, 1, 1, 1, level)
