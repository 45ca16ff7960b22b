"""Boschloo's test against exact2x2-checked figures, against scipy, and against all tables in fractions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from r_figures import table

from ahsct_trial.estimators.boschloo import MOST_PATIENTS, boschloo


def test_agrees_with_the_reference() -> None:
    """risk_difference.csv: `boschloo_own_central` (scipy's to 9e-14); exact2x2 is too small in 4 tables."""
    for row in table("risk_difference").where(level="0.95").rows:
        p = boschloo(int(row["x1"]), int(row["n1"]), int(row["x2"]), int(row["n2"]))
        assert p == pytest.approx(float(row["boschloo_own_central"]), rel=1e-9), row


@pytest.mark.parametrize("counts", [(1, 60, 9, 70), (30, 60, 25, 80), (0, 90, 4, 30), (57, 60, 40, 50)])
def test_agrees_with_scipy(counts: tuple[int, int, int, int]) -> None:
    """Oracle: `scipy.stats.boschloo_exact`, which goes through all tables."""
    from scipy.stats import boschloo_exact

    x_1, n_1, x_2, n_2 = counts
    expected = boschloo_exact([[x_1, x_2], [n_1 - x_1, n_2 - x_2]]).pvalue
    assert boschloo(*counts) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=40)
@given(
    st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
        lambda n: st.tuples(st.integers(0, n[0]), st.just(n[0]), st.integers(0, n[1]), st.just(n[1]))
    )
)
def test_is_the_largest_probability_of_tables_as_extreme(counts: tuple[int, int, int, int]) -> None:
    """Oracle: every table whose Fisher p-value, a fraction, is as small; the largest of 2001 proportions."""
    x_1, n_1, x_2, n_2 = counts

    def fisher(i: int, j: int) -> tuple[int, int]:
        """P(X ≤ i) and P(X ≥ i) given i + j, times the same number."""
        m = i + j
        mass = [math.comb(n_1, a) * math.comb(n_2, m - a) if a <= m else 0 for a in range(n_1 + 1)]
        scale = math.lcm(*(math.comb(n_1 + n_2, k) for k in range(n_1 + n_2 + 1))) // math.comb(n_1 + n_2, m)
        return sum(mass[: i + 1]) * scale, sum(mass[i:]) * scale

    pi = np.sin(np.linspace(0, np.pi / 2, 2001)) ** 2
    p = []
    for side in (0, 1):
        probability = np.zeros_like(pi)
        for i in range(n_1 + 1):
            for j in range(n_2 + 1):
                if fisher(i, j)[side] <= fisher(x_1, x_2)[side]:
                    ways = math.comb(n_1, i) * math.comb(n_2, j)
                    probability += ways * pi ** (i + j) * (1 - pi) ** (n_1 + n_2 - i - j)
        p.append(probability.max())
    assert boschloo(*counts) == pytest.approx(min(1, 2 * min(p)), rel=1e-4)
    assert boschloo(x_2, n_2, x_1, n_1) == pytest.approx(boschloo(*counts), rel=1e-9)
    assert boschloo(n_1 - x_1, n_1, n_2 - x_2, n_2) == pytest.approx(boschloo(*counts), rel=1e-9)


@pytest.mark.parametrize(("x_1", "x_2"), [(0, 0), (30, 50)])
def test_none_or_all_in_both_groups_has_p_1(x_1: int, x_2: int) -> None:
    assert boschloo(x_1, 30, x_2, 50) == pytest.approx(1, abs=1e-12)


def test_is_undefined_without_patients_and_with_very_many() -> None:
    assert math.isnan(boschloo(0, 0, 1, 2))
    assert math.isnan(boschloo(1, MOST_PATIENTS, 1, 1))
    with pytest.raises(ValueError, match="from 0 to n"):
        boschloo(3, 2, 1, 2)


def test_agrees_with_scipy_with_thousands() -> None:
    """10 of 2000 against 20 of 2000: scipy 1.17.1 takes four minutes to find 0.0928188520."""
    assert boschloo(10, 2000, 20, 2000) == pytest.approx(0.0928188520, abs=1e-10)
