"""Cumulative incidence and Gray's test against R, exact fractions, and what must always hold."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from r_figures import assert_agrees, table

from ahsct_trial.estimators.competing_risks import cumulative_incidence, gray_test, incidence_limits
from ahsct_trial.estimators.survival import SAME_TIME, kaplan_meier

if TYPE_CHECKING:
    from r_figures import Table

#: As status 1 to 4 in competing_sets.csv.
TYPES = ("relapse", "new_lesion", "worsening", "death")
CURVES = sorted(
    {tuple(row[key] for key in ("dataset", "group", "level", "type")) for row in table("cif").rows}
)

Patients = list[tuple[int, int]]
#: Few distinct times, so that most examples have ties of every kind; type 3 is a loss.
patients = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=40)
grouped = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 3), st.sampled_from("ABC")), min_size=1, max_size=40
)


def types_of(rows: Table) -> list[int]:
    return [4 if status == 0 else int(status) - 1 for status in rows["status"]]


# R's figures.


@pytest.mark.parametrize(("dataset", "group", "level", "event_type"), CURVES)
def test_incidence_agrees_with_survfit(dataset: str, group: str, level: str, event_type: str) -> None:
    """cif.csv: R 4.2.2, survival 3.5-3, multi-state `survfit`; limits on the incidence itself."""
    expected = table("cif").where(dataset=dataset, group=group, level=level, type=event_type)
    rows = table("competing_sets").where(dataset=dataset, **({} if group == "all" else {"group": group}))
    incidence = cumulative_incidence(rows["time"], types_of(rows), len(TYPES))
    estimates, variances = incidence.at(expected["time"])
    estimate, variance = estimates[TYPES.index(event_type)], variances[TYPES.index(event_type)]
    assert_agrees(estimate, expected["cif"])
    assert_agrees(np.sqrt(variance), expected["se"])
    low, high = incidence_limits(estimate, variance, float(level))
    assert_agrees(low, expected["lower"])
    assert_agrees(high, expected["upper"])


@pytest.mark.parametrize(
    "row", table("gray").rows, ids=lambda row: f"{row['dataset']} {row['strata']} {row['type']}"
)
def test_gray_test_agrees_with_cmprsk(row: dict[str, str]) -> None:
    """gray.csv: R 4.2.2, cmprsk 2.2-11, `cuminc` with rho 0."""
    rows = table("competing_sets").where(dataset=row["dataset"])
    group = rows.texts("stratum" if row["strata"] == "(groups = stratum)" else "group")
    strata = rows.texts("stratum") if row["strata"] == "stratum" else None
    statistic, df, p = gray_test(rows["time"], types_of(rows), len(TYPES), group, strata)
    this_type = TYPES.index(row["type"])
    assert_agrees(statistic[this_type], float(row["stat"]))
    assert df == int(row["df"])
    assert_agrees(p[this_type], float(row["p"]))


def test_a_type_that_never_occurs_has_no_test() -> None:
    """gray.csv has no death in cr24: cmprsk gives none either."""
    rows = table("competing_sets").where(dataset="cr24")
    statistic, _, p = gray_test(rows["time"], types_of(rows), len(TYPES), rows.texts("group"))
    assert np.isnan([statistic[3], p[3]]).all()


# A slow oracle, and figures worked by hand.


def aalen_johansen(patients: Patients, k: int, t: float) -> tuple[Fraction, Fraction]:
    """Give F_k(t) and its delta-method variance, by their definitions, as exact fractions."""
    steps = []
    survival, incidence = Fraction(1), Fraction(0)
    for time in sorted({time for time, kind in patients if kind < 3 and time <= t}):
        r = sum(other >= time for other, _ in patients)
        d = sum(other == time and kind < 3 for other, kind in patients)
        d_k = patients.count((time, k))
        incidence += survival * Fraction(d_k, r)
        steps.append((survival, incidence, r, d, d_k))
        survival *= Fraction(r - d, r)
    variance = Fraction(0)
    for before, so_far, r, d, d_k in steps:
        rest = incidence - so_far
        if r > d:
            variance += rest**2 * Fraction(d, r * (r - d))
        variance += before**2 * Fraction(d_k * (r - d_k), r**3) - 2 * rest * before * Fraction(d_k, r**2)
    return incidence, variance


@given(patients, st.integers(-1, 11))
def test_incidence_agrees_with_exact_fractions(patients: Patients, t: int) -> None:
    """Oracle: the definitions of Aalen & Johansen and of Marubini & Valsecchi in rational arithmetic."""
    times, types = zip(*patients, strict=True)
    estimates, variances = cumulative_incidence(times, types, 3).at(t)
    for k in range(3):
        estimate, variance = aalen_johansen(patients, k, t)
        assert float(estimates[k]) == pytest.approx(float(estimate), rel=1e-12)
        assert float(variances[k]) == pytest.approx(float(variance), rel=1e-9, abs=1e-15)


def test_competing_first_events_by_hand() -> None:
    """Worked by hand (Gooley 1999, Stat Med 18:695 has why 1 − Kaplan–Meier of one type would be too much).

    Six patients: relapse at 1, a loss at 1.5, a death at 2, a relapse at 2.5, two losses at 4. S is 5/6, then
    5/6 × 3/4, then 5/6 × 3/4 × 2/3.
    """
    incidence = cumulative_incidence([1, 1.5, 2, 2.5, 4, 4], [0, 2, 1, 0, 2, 2], 2)
    assert_agrees(incidence.at(3)[0], [1 / 6 + 5 / 8 / 3, 5 / 6 / 4])
    assert_agrees(incidence.at(3)[0].sum(), 1 - 5 / 12)


def test_incidence_with_delayed_entry_by_hand() -> None:
    """Worked by hand: two at risk at 2 (the third enters then), two at 3: S is 1/2, then 1/4."""
    incidence = cumulative_incidence([2, 3, 4], [0, 1, 2], 2, [0, 1, 2])
    assert incidence.time.tolist() == [2, 3]
    assert_agrees(incidence.estimate, [[1 / 2, 1 / 2], [0, 1 / 4]])


@given(patients)
def test_until_somebody_is_lost_the_incidence_is_the_fraction_to_the_last_digit(patients: Patients) -> None:
    times, types = map(np.array, zip(*patients, strict=True))
    incidence = cumulative_incidence(times, types, 3)
    first_loss = times[types == 3].min(initial=99)
    for t, estimates in zip(incidence.time, incidence.estimate.T, strict=True):
        if t <= first_loss:
            assert estimates.tolist() == [np.mean((times <= t) & (types == k)) for k in range(3)]


def test_times_that_nearly_agree_are_one_time() -> None:
    """Worked by hand; in floating point 0.1 + 0.2 comes after 0.3."""
    incidence = cumulative_incidence([0.1 + 0.2, 0.3, 0.3, 1], [0, 1, 2, 2], 2)
    assert incidence.time.tolist() == [0.3]
    assert incidence.estimate.tolist() == [[1 / 4], [1 / 4]]
    assert incidence.at(0.3 - SAME_TIME / 2)[0].tolist() == [1 / 4, 1 / 4]


def test_nobody_and_no_events() -> None:
    for years, types in (([], []), ([1.0], [2])):
        incidence = cumulative_incidence(years, types, 2)
        assert incidence.estimate.shape == (2, 0)
        assert incidence.at([[0, 1, 2]])[0].tolist() == [[[0, 0, 0]]] * 2
    assert np.isnan(incidence_limits([0, 1], [0, 0], 0.95)).all()


def test_limits_next_to_one_claim_nothing() -> None:
    """By the formula: F^exp(∓ z se/(F log F)), whose exponents are beyond the range of floats here."""
    low, high = incidence_limits(0.9999, 0.1, 0.95)
    assert (float(low), float(high)) == (0, 1)


# What holds for every input.


@given(patients)
def test_incidences_rise_and_add_up_with_survival_to_1(patients: Patients) -> None:
    times, types = map(np.array, zip(*patients, strict=True))
    incidence = cumulative_incidence(times, types, 3)
    survival = kaplan_meier(times, types < 3).at(incidence.time).estimate
    assert (np.diff(incidence.estimate, axis=1) >= 0).all()
    np.testing.assert_allclose(incidence.estimate.sum(axis=0) + survival, 1, rtol=0, atol=1e-12)
    assert (incidence.variance >= 0).all()
    low, high = incidence_limits(incidence.estimate, incidence.variance, 0.9)
    is_defined = ~np.isnan(low)
    assert (is_defined == ((incidence.estimate > 0) & (incidence.estimate < 1))).all()
    assert (low[is_defined] <= incidence.estimate[is_defined] + 1e-12).all()
    assert (incidence.estimate[is_defined] <= high[is_defined] + 1e-12).all()


@given(patients)
def test_without_competing_events_the_incidence_is_the_complement_of_kaplan_meier(patients: Patients) -> None:
    times, types = map(np.array, zip(*patients, strict=True))
    one_type = np.where(types < 3, 0, 1)
    incidence = cumulative_incidence(times, one_type, 1)
    curve = kaplan_meier(times, one_type == 0).at(incidence.time)
    np.testing.assert_allclose(incidence.estimate[0], 1 - curve.estimate, rtol=0, atol=1e-12)
    greenwood = np.where(curve.estimate > 0, curve.estimate, math.nan) ** 2 * curve.log_variance
    is_left = curve.estimate > 0
    np.testing.assert_allclose(incidence.variance[0][is_left], greenwood[is_left], rtol=1e-9, atol=1e-15)


@given(grouped.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))), st.floats(0.1, 10))
def test_gray_test_knows_neither_order_nor_names_of_groups_nor_unit(
    orders: tuple[list[tuple[int, int, str]], list[tuple[int, int, str]]], factor: float
) -> None:
    (times, types, group), (other_times, other_types, other_group) = (zip(*o, strict=True) for o in orders)
    renamed = [{"A": 3, "B": 1, "C": 2}[name] for name in other_group]
    statistic, df, p = gray_test(times, types, 3, group)
    other, other_df, _ = gray_test(np.array(other_times) * factor, other_types, 3, renamed)
    assert df == other_df == len(set(group)) - 1
    np.testing.assert_allclose(other, statistic, rtol=1e-6, atol=1e-9)
    assert np.all(np.isnan(statistic) | ((p >= 0) & (p <= 1)))


@given(patients)
def test_groups_that_are_alike_do_not_differ(patients: Patients) -> None:
    times, types = zip(*patients, strict=True)
    statistic, df, _ = gray_test(times * 2, types * 2, 3, [0] * len(times) + [1] * len(times))
    assert df == 1
    assert (np.isnan(statistic) | (np.abs(statistic) < 1e-12)).all()


def test_one_group_has_no_test() -> None:
    statistic, df, p = gray_test([1, 2], [0, 1], 1, ["A", "A"])
    assert df == 0
    assert np.isnan([*statistic, *p]).all()


def test_impossible_input_is_refused() -> None:
    for types in ([0, 3], [0, -1]):
        with pytest.raises(ValueError, match="event_type must be from 0 to 2"):
            cumulative_incidence([1, 2], types, 2)
    with pytest.raises(ValueError, match="of one length"):
        gray_test([1, 2], [0, 1], 2, ["A"])
    with pytest.raises(ValueError, match="of one length"):
        gray_test([1, 2], [0, 1], 2, ["A", "B"], [1])
    with pytest.raises(ValueError, match="level is"):
        incidence_limits(0.5, 0.1, 95)
