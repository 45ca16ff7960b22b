"""Differences of survival, restricted means and proportions against R, and against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from r_figures import Table, grouped, table

from ahsct_trial.estimators.differences import (
    Difference,
    risk_difference,
    rmst_difference,
    survival_difference,
)
from ahsct_trial.estimators.proportions import wilson
from ahsct_trial.estimators.survival import estimate_at, kaplan_meier

TABLES = table("risk_difference").rows


def figures(difference: Difference) -> list[float]:
    return [difference.value, difference.ci_low, difference.ci_high]


def counts(row: dict[str, str]) -> tuple[int, int, int, int]:
    return int(row["x1"]), int(row["n1"]), int(row["x2"]), int(row["n2"])


two_proportions = st.tuples(st.integers(1, 40), st.integers(1, 40)).flatmap(
    lambda sizes: st.tuples(
        st.integers(0, sizes[0]), st.just(sizes[0]), st.integers(0, sizes[1]), st.just(sizes[1])
    )
)

# Proportions.


def test_risk_difference_agrees_with_miettinen_and_nurminen() -> None:
    """risk_difference.csv: `mn_own_*`, which `ratesci` meets to its 4e-9; all 131 tables, two levels."""
    for row in TABLES:
        expected = [float(row[column]) for column in ("diff", "mn_own_lower", "mn_own_upper")]
        difference = risk_difference(*counts(row), float(row["level"]))
        np.testing.assert_allclose(figures(difference), expected, rtol=0, atol=1e-10, err_msg=str(row))


def test_risk_difference_of_a_small_trial() -> None:
    """0 of 6 against 2 of 6: −0.333333 (−0.711841 to 0.153222), by R's `ratesci`."""
    expected = [-0.333333, -0.711841, 0.153222]
    assert figures(risk_difference(0, 6, 2, 6)) == pytest.approx(expected, abs=5e-7)


@settings(max_examples=60)
@given(two_proportions, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_risk_difference_swapped_and_mirrored(table_: tuple[int, int, int, int], level: float) -> None:
    x_1, n_1, x_2, n_2 = table_
    value, low, high = figures(risk_difference(x_1, n_1, x_2, n_2, level))
    assert -1 <= low <= value <= high <= 1
    assert high - low > 0
    negated = [-value, -high, -low]
    np.testing.assert_allclose(figures(risk_difference(x_2, n_2, x_1, n_1, level)), negated, atol=1e-9)
    mirrored = risk_difference(n_1 - x_1, n_1, n_2 - x_2, n_2, level)
    np.testing.assert_allclose(figures(mirrored), negated, atol=1e-9)
    np.testing.assert_allclose(figures(risk_difference(x_1, n_1, x_1, n_1, level))[0], 0, atol=1e-12)


@settings(max_examples=40)
@given(two_proportions, st.sampled_from([0.9, 0.95]))
def test_risk_difference_limits_are_rejected_by_neither_too_much_nor_too_little(
    table_: tuple[int, int, int, int], level: float
) -> None:
    """Oracle: the score statistic with the proportions found by golden-section search on the likelihood."""
    x_1, n_1, x_2, n_2 = table_
    z2 = {0.9: 2.70554345409541, 0.95: 3.84145882069412}[level]
    difference = risk_difference(*table_, level)

    def log_likelihood(p_2: float, delta: float) -> float:
        terms = ((x_1, p_2 + delta), (n_1 - x_1, 1 - p_2 - delta), (x_2, p_2), (n_2 - x_2, 1 - p_2))
        return sum(x * math.log(max(p, 1e-300)) for x, p in terms if x)

    for limit in (difference.ci_low, difference.ci_high):
        if abs(limit) == 1:
            continue
        low, high = max(0.0, -limit), min(1.0, 1 - limit)
        for _ in range(200):
            third = (high - low) / 3
            if log_likelihood(low + third, limit) < log_likelihood(high - third, limit):
                low += third
            else:
                high -= third
        p_2 = (low + high) / 2
        p_1 = p_2 + limit
        variance = (p_1 * (1 - p_1) / n_1 + p_2 * (1 - p_2) / n_2) * (n_1 + n_2) / (n_1 + n_2 - 1)
        assert (difference.value - limit) ** 2 == pytest.approx(z2 * variance, rel=1e-5)


def test_risk_difference_of_half_a_million() -> None:
    """With so many the limits are Wald's, p̂₁ − p̂₂ ± z √(Σ p̂ (1 − p̂)/n), to four digits."""
    n, x_1, x_2 = 500_000, 100_000, 101_000
    half = 1.95996398454005 * math.sqrt((0.2 * 0.8 + 0.202 * 0.798) / n)
    expected = [-0.002, -0.002 - half, -0.002 + half]
    np.testing.assert_allclose(figures(risk_difference(x_1, n, x_2, n)), expected, rtol=1e-4)
    low, high = figures(risk_difference(0, n, 0, n))[1:]
    assert -low == pytest.approx(high, rel=1e-5)
    assert high == pytest.approx(3.84145882069412 / n, rel=1e-4)  # z²/n for 0 of n, Miettinen & Nurminen


def test_risk_difference_without_patients_and_with_impossible_counts() -> None:
    assert np.isnan(figures(risk_difference(0, 0, 1, 2))).all()
    with pytest.raises(ValueError, match="from 0 to n"):
        risk_difference(3, 2, 1, 2)
    with pytest.raises(ValueError, match="level is"):
        risk_difference(1, 2, 1, 2, 95)


# Survival.


def test_square_and_add_of_wilsons_limits_is_newcombes() -> None:
    """risk_difference.csv: Newcombe's hybrid score limits (method 10 of Newcombe 1998)."""
    for row in TABLES:
        x_1, n_1, x_2, n_2 = counts(row)
        level = float(row["level"])
        limits_1, limits_2 = (tuple(map(float, wilson(x, n, level))) for x, n in ((x_1, n_1), (x_2, n_2)))
        difference = survival_difference(x_1 / n_1, limits_1, x_2 / n_2, limits_2)
        expected = [float(row[column]) for column in ("diff", "newcombe_lower", "newcombe_upper")]
        np.testing.assert_allclose(figures(difference), expected, rtol=0, atol=1e-9, err_msg=str(row))


def test_survival_difference_by_hand() -> None:
    """0.9 (0.6 to 0.95) less 0.5 (0.38 to 0.9): 0.4 − √(0.3² + 0.4²), 0.4 + √(0.05² + 0.12²)."""
    difference = survival_difference(0.9, (0.6, 0.95), 0.5, (0.38, 0.9))
    assert figures(difference) == pytest.approx([0.4, -0.1, 0.53])


def test_survival_difference_without_events_in_an_arm_claims_no_certainty() -> None:
    """Six without a death and six with two: beta-product limits keep both sides open."""
    curves = kaplan_meier([4.0] * 6, [False] * 6), kaplan_meier([1, 2, 4, 4, 4, 4], [True] * 2 + [False] * 4)
    (value_1, low_1, high_1), (value_2, low_2, high_2) = (
        map(float, estimate_at(curve, 3, "beta-product", 0.95)) for curve in curves
    )
    difference = survival_difference(value_1, (low_1, high_1), value_2, (low_2, high_2))
    assert difference.value == pytest.approx(1 / 3)
    assert -1 <= difference.ci_low < 0 < difference.ci_high <= 1


probabilities = st.lists(st.floats(0, 1), min_size=3, max_size=3).map(sorted)


@given(probabilities, probabilities)
def test_survival_difference_swapped_is_negated_and_within_bounds(
    first: list[float], second: list[float]
) -> None:
    (low_1, value_1, high_1), (low_2, value_2, high_2) = first, second
    value, low, high = figures(survival_difference(value_1, (low_1, high_1), value_2, (low_2, high_2)))
    assert -1 - 1e-12 <= low <= value <= high <= 1 + 1e-12
    swapped = survival_difference(value_2, (low_2, high_2), value_1, (low_1, high_1))
    assert figures(swapped) == pytest.approx([-value, -high, -low])


def test_survival_difference_of_undefined_limits_is_undefined() -> None:
    nan = math.nan
    difference = survival_difference(1.0, (nan, nan), 0.5, (0.3, 0.7))
    assert difference.value == 0.5
    assert math.isnan(difference.ci_low)
    assert math.isnan(difference.ci_high)


# Restricted means.


def name(row: dict[str, str]) -> str:
    return "-".join(row[column] for column in ("dataset", "tau", "level"))


@pytest.mark.parametrize("row", table("rmst_difference").rows, ids=name)
def test_restricted_means_agree_with_survfit(row: dict[str, str]) -> None:
    """rmst_difference.csv: `survfit(rmean =)`; survRM2 refuses what is undefined here.

    Where no group adds variance R has limits without width; here there are none.
    """
    years, is_event, group, _ = grouped({**row, "strata": ""})
    curves = [kaplan_meier(years[group == g], is_event[group == g]) for g in (row["group1"], row["group2"])]
    difference = rmst_difference(*curves, float(row["tau"]), float(row["level"]))
    expected = Table([row])
    if row["survRM2_error"]:
        assert np.isnan(figures(difference)).all()
        assert "beyond" in difference.reason
        return
    assert difference.value == pytest.approx(expected["diff"][0], rel=1e-9, abs=1e-12)
    limits = figures(difference)[1:]
    if expected["se"][0] == 0:
        assert np.isnan(limits).all()
        assert "no limits" in difference.reason
    else:
        np.testing.assert_allclose(limits, [expected["lower"][0], expected["upper"][0]], rtol=1e-9)
        assert (difference.reason is not None) == (0 in {expected["se1"][0], expected["se2"][0]})


def test_restricted_means_without_patients_or_with_an_impossible_horizon() -> None:
    curve, nobody = kaplan_meier([1, 2, 3], [True, False, True]), kaplan_meier([], [])
    assert np.isnan(figures(rmst_difference(curve, nobody, 1))).all()
    with pytest.raises(ValueError, match="horizon is"):
        rmst_difference(curve, curve, -1)
    with pytest.raises(ValueError, match="level is"):
        rmst_difference(curve, curve, 1, 95)
    assert rmst_difference(curve, curve, 2).value == 0
