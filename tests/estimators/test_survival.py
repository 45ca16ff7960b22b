"""Kaplan–Meier against R's survival and bpcp, a slow oracle in exact fractions, and what must always hold."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from r_figures import assert_agrees, patients_of, stratum, table

from ahsct_trial.estimators.proportions import clopper_pearson
from ahsct_trial.estimators.survival import (
    SAME_TIME,
    CiMethod,
    KaplanMeier,
    Scale,
    beta_product_limits,
    completeness,
    confidence_limits,
    estimate_at,
    kaplan_meier,
    quantile,
    restricted_mean,
    reverse_kaplan_meier_median,
    tied,
)

if TYPE_CHECKING:
    from collections.abc import Callable

METHODS: tuple[CiMethod, ...] = get_args(CiMethod)
SCALES: tuple[Scale, ...] = get_args(Scale)
UNDEFINED_AT_1: tuple[Scale, ...] = ("log-log", "logit", "arcsin")
STRATA = sorted({(row["dataset"], row["stratum"]) for row in table("km_steps").rows})
LANCET_TIME = 3 * 365.25

Patients = list[tuple[int, bool]]
#: Few distinct times, so that most examples have ties of every kind.
patients = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=40)
scales = st.sampled_from(SCALES)
methods = st.sampled_from(METHODS)
levels = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])


def median(curve: KaplanMeier) -> float:
    return quantile(curve, 0.5, "log-log", 0.95)[0]


def curve_of(patients: Patients) -> KaplanMeier:
    times, is_event = zip(*patients, strict=True)
    return kaplan_meier(times, is_event)


# R's figures.


def test_every_stratum_of_the_reference_is_tested() -> None:
    assert len(STRATA) == 8
    assert {(row["dataset"], row["stratum"]) for row in table("km_at_times").rows} == set(STRATA)
    assert {(row["dataset"], row["stratum"]) for row in table("km_quantiles").rows} == set(STRATA)


@pytest.mark.parametrize(("dataset", "name"), STRATA)
def test_steps_agree_with_survfit(dataset: str, name: str) -> None:
    """km_steps.csv: R 4.2.2, survival 3.5-3, `survfit`."""
    expected = table("km_steps").where(dataset=dataset, stratum=name)
    curve = kaplan_meier(*stratum(dataset, name))
    assert_agrees(curve.time, expected["time"])
    assert_agrees(curve.n_at_risk, expected["n_risk"])
    assert_agrees(curve.n_events, expected["n_event"])
    assert_agrees(curve.n_censored, expected["n_censor"])
    assert_agrees(curve.estimate, expected["surv"])
    log_error = np.sqrt(curve.log_variance)
    assert_agrees(log_error, expected["se_log_surv"])
    with np.errstate(invalid="ignore"):
        assert_agrees(curve.estimate * log_error, expected["se_surv"])


@pytest.mark.parametrize("method", SCALES)
@pytest.mark.parametrize(("dataset", "name"), STRATA)
def test_limits_of_steps_agree_with_survfit(dataset: str, name: str, method: Scale) -> None:
    """km_steps.csv: R 4.2.2, survival 3.5-3, `survfit` with each conf.type."""
    expected = table("km_steps").where(dataset=dataset, stratum=name)
    curve = kaplan_meier(*stratum(dataset, name))
    low, high = confidence_limits(curve.estimate, curve.log_variance, method, 0.95)
    column = method.replace("-", "")
    assert_agrees(low, expected[f"lower_{column}"])
    assert_agrees(high, expected[f"upper_{column}"])


@pytest.mark.parametrize("method", SCALES)
@pytest.mark.parametrize(("dataset", "name"), STRATA)
def test_values_at_times_agree_with_survfit(dataset: str, name: str, method: Scale) -> None:
    """km_at_times.csv: R 4.2.2, survival 3.5-3, `summary(survfit, times =, extend = TRUE)`.

    R counts events and losses since the row before; ours are counted from the start.
    """
    expected = table("km_at_times").where(dataset=dataset, stratum=name, conf_type=method)
    time, is_event = stratum(dataset, name)
    values = kaplan_meier(time, is_event).at(expected["time"])
    assert_agrees(values.n_at_risk, expected["n_risk"])
    assert_agrees(values.n_events, np.cumsum(expected["n_event"]))
    assert_agrees(values.n_censored, np.cumsum(expected["n_censor"]))
    assert_agrees(values.estimate, expected["surv"])
    with np.errstate(invalid="ignore"):
        assert_agrees(values.estimate * np.sqrt(values.log_variance), expected["se_surv"])

    limits = np.array(confidence_limits(values.estimate, values.log_variance, method, 0.95))
    r_limits = np.array([expected["lower"], expected["upper"]])
    # Before the first observed time R prints 1–1 for every interval type. Log-log, logit and arcsin are
    # undefined at S = 1, there as anywhere: in exactly those rows we give NaN instead.
    before_first = expected["time"] < time.min()
    assert (r_limits[:, before_first] == 1).all()
    if method in UNDEFINED_AT_1:
        r_limits[:, before_first] = np.nan
    assert_agrees(limits, r_limits)


@pytest.mark.parametrize("method", SCALES)
@pytest.mark.parametrize(("dataset", "name"), STRATA)
def test_quantiles_and_their_limits_agree_with_r(dataset: str, name: str, method: Scale) -> None:
    """km_quantiles.csv: R 4.2.2, survival 3.5-3, `quantile(survfit)`: quartiles and median."""
    expected = table("km_quantiles").where(dataset=dataset, stratum=name, conf_type=method)
    curve = kaplan_meier(*stratum(dataset, name))
    actual = [quantile(curve, p, method, 0.95) for p in expected["p"]]
    assert_agrees(np.transpose(actual), [expected["quantile"], expected["lower"], expected["upper"]])


BETA_PRODUCT = sorted(
    {tuple(row[key] for key in ("dataset", "stratum", "level")) for row in table("bpcp").rows}
)


@pytest.mark.parametrize(("dataset", "name", "level"), BETA_PRODUCT)
def test_beta_product_limits_agree_with_bpcp(dataset: str, name: str, level: str) -> None:
    """bpcp.csv: R package bpcp 1.4.2, method of moments; `cp_*` is `binom.test` where nobody was lost."""
    expected = table("bpcp").where(dataset=dataset, stratum=name, level=level)
    curve = kaplan_meier(*patients_of(expected.rows[0]))
    value, low, high = estimate_at(curve, expected["time"], "beta-product", float(level))
    assert_agrees(value, expected["km"])
    assert_agrees(low, expected["lower"])
    assert_agrees(high, expected["upper"])


@pytest.mark.parametrize(
    "row", table("rmst").rows, ids=lambda row: f"{row['dataset']} {row['stratum']} {row['tau']}"
)
def test_restricted_mean_agrees_with_survfit(row: dict[str, str]) -> None:
    """rmst.csv: R 4.2.2, survival 3.5-3, `survfit` with `rmean`."""
    curve = kaplan_meier(*stratum(row["dataset"], row["stratum"]))
    assert_agrees(restricted_mean(curve, float(row["tau"])), [float(row["rmst"]), float(row["se"])])


@pytest.mark.parametrize(
    "row",
    table("reverse_km").rows,
    ids=lambda row: f"{row['dataset']} {row['stratum']} {row['level']}",
)
def test_median_follow_up_agrees_with_survfit(row: dict[str, str]) -> None:
    """reverse_km.csv: R 4.2.2, survival 3.5-3, `survfit(Surv(time, 1 - status))`."""
    expected = [float(row[column] or "nan") for column in ("median", "lower", "upper")]
    assert_agrees(reverse_kaplan_meier_median(*patients_of(row), float(row["level"])), expected)


@pytest.mark.parametrize(
    "row",
    # At 5 years the set has patients who could not have been followed so long.
    [row for row in table("completeness").rows if row["horizon"] in {"2", "3"}],
    ids=lambda row: f"{row['group']} {row['horizon']}",
)
def test_completeness_agrees_with_r(row: dict[str, str]) -> None:
    """completeness.csv: sums in R 4.2.2 after Clark 2002."""
    followed = table("completeness_set").where(**({} if row["group"] == "all" else {"group": row["group"]}))
    actual = completeness(followed["time"], followed["status"] == 1, float(row["horizon"]))
    assert_agrees(actual, float(row["C_clark"]))


def lancet_patients(case: str) -> tuple[list[int], list[bool]]:
    """Build the patients that a case of lancet2016_check.csv describes; the others are lost after 3 years.

    ``events spread`` is one every 137 days, seven in 959 days.
    """
    spread = [137 * k for k in range(1, 8)]
    events, censored, n_followed = {
        "A n=23, 7 events, none censored before 3y": (spread, [], 16),
        "B n=24, one censored day 60 (before 1st event)": (spread, [60], 16),
        "B2 n=24, one censored day 60, first event day 50": ([50, *spread[1:]], [60], 16),
        "C n=24, death day 60 counts as event (8 events)": ([60, *spread], [], 16),
        "D n=24, 7 events incl. the death at day 60": ([60, *spread[1:]], [], 17),
        "E n=24, one censored day 100, events spread": (spread, [100], 16),
        "E n=24, one censored day 365, events spread": (spread, [365], 16),
        "E n=24, one censored day 730, events spread": (spread, [730], 16),
        "E n=24, one censored day 1094, events spread": (spread, [1094], 16),
    }[case]
    times = [*events, *censored, *[1200 + k for k in range(n_followed)]]
    return times, [True] * len(events) + [False] * (len(censored) + n_followed)


@pytest.mark.parametrize(
    "row",
    # The exact binomial case is tested with the proportions; F is a multi-state model, which is not ours.
    [row for row in table("lancet2016_check").rows if not row["case"].startswith(("binom", "F"))],
    ids=lambda row: f"{row['case']}, {row['conf_type']}",
)
def test_ways_to_count_the_lancet_trial_agree_with_survfit(row: dict[str, str]) -> None:
    """lancet2016_check.csv: R 4.2.2, survival 3.5-3."""
    times, is_event = lancet_patients(row["case"])
    values = kaplan_meier(times, is_event).at(LANCET_TIME)
    assert len(times) == int(row["n"])
    assert int(values.n_events) == int(row["events_by_3y"])
    assert int(values.n_at_risk) == int(row["at_risk_3y"])
    assert_agrees(values.estimate, float(row["surv"]))
    assert_agrees(values.estimate * np.sqrt(values.log_variance), float(row["se"]))
    method = next(method for method in METHODS if method == row["conf_type"])
    limits = confidence_limits(values.estimate, values.log_variance, method, 0.95)
    assert_agrees(limits, [float(row["lower"]), float(row["upper"])])


# A slow oracle, and rules worked by hand.


def product_limit(patients: Patients, t: float) -> tuple[Fraction, Fraction | None]:
    """Give S(t) and Greenwood's Var log S(t) as exact fractions, None for an infinite variance."""
    estimate, variance = Fraction(1), Fraction(0)
    for time in sorted({time for time, is_event in patients if is_event and time <= t}):
        n = sum(other >= time for other, _ in patients)
        d = patients.count((time, True))
        estimate *= Fraction(n - d, n)
        if n == d:
            return estimate, None
        variance += Fraction(d, n * (n - d))
    return estimate, variance


@given(patients, st.floats(-1, 11) | st.integers(-1, 11))
def test_curve_agrees_with_exact_fractions(patients: Patients, t: float) -> None:
    """Oracle: the definitions of Kaplan & Meier (1958) and Greenwood in rational arithmetic."""
    assume(t == round(t) or abs(t - round(t)) > 2 * SAME_TIME)
    values = curve_of(patients).at(t)
    estimate, variance = product_limit(patients, t)
    assert float(values.estimate) == pytest.approx(float(estimate), rel=1e-12)
    expected = math.inf if variance is None else float(variance)
    assert float(values.log_variance) == pytest.approx(expected, rel=1e-12)
    assert values.n_at_risk == sum(time >= t for time, _ in patients)
    assert values.n_events == sum(time <= t and is_event for time, is_event in patients)
    assert values.n_censored == sum(time <= t and not is_event for time, is_event in patients)


@pytest.mark.parametrize(
    ("times", "is_event", "median"),
    [
        # Worked by hand from the rule of `quantile.survfit`: mid-point of the stretch where S is exactly 1/2.
        ([1, 2, 3, 4], [True, True, True, True], 2.5),
        ([1, 2, 3], [True, True, True], 2.0),
        ([1, 2, 4, 7], [True, True, False, False], 4.5),  # level to the end: from 2 to the last time
        ([1, 2, 3, 6], [True, True, False, True], 4.0),  # a loss does not end the level stretch
        ([1, 2, 3, 4], [True, False, False, False], math.nan),
        ([5], [True], 5.0),
        ([], [], math.nan),
        # 8/9 × 7/8 × 6/7 × 3/4 is 1/2 from 6 to 8, in floating point only nearly so.
        ([1, 2, 3, 4, 5, 6, 7, 8, 9], [True, True, True, False, False, True, False, True, False], 7.0),
    ],
)
def test_median_by_hand(times: list[int], is_event: list[bool], median: float) -> None:
    assert quantile(kaplan_meier(times, is_event), 0.5, "log-log", 0.95)[0] == pytest.approx(
        median, nan_ok=True
    )


def test_quantile_1_is_the_time_of_the_last_event_if_nobody_is_left() -> None:
    assert quantile(kaplan_meier([1, 2, 3], [True, True, True]), 1, "plain", 0.95)[0] == 3
    assert math.isnan(quantile(kaplan_meier([1, 2, 3], [True, True, False]), 1, "plain", 0.95)[0])


def test_no_patients_give_an_empty_curve() -> None:
    curve = kaplan_meier([], [])
    assert curve.time.shape == curve.n_at_risk.shape == curve.estimate.shape == (0,)
    values = curve.at([0, 1])
    assert values.n_at_risk.tolist() == [0, 0]
    assert values.estimate.tolist() == [1, 1]
    assert values.log_variance.tolist() == [0, 0]


def test_values_have_the_shape_of_the_times() -> None:
    curve = kaplan_meier([1, 2], [True, False])
    assert curve.at(1).estimate.shape == ()
    assert curve.at([[0, 1, 2]]).n_events.tolist() == [[0, 1, 1]]


def test_minus_zero_is_zero() -> None:
    curve = kaplan_meier([-0.0, 0.0, 1.0], [True, False, False])
    assert curve.time.tolist() == [0, 1]
    assert curve.n_events.tolist() == [1, 0]


def test_limits_are_undefined_after_a_censoring_at_1() -> None:
    """R's convention: NA for log-log, logit and arcsin at S = 1 after a loss, 1–1 for log and plain."""
    curve = kaplan_meier([1, 2], [False, True])
    for method in SCALES:
        low, high = confidence_limits(curve.estimate, curve.log_variance, method, 0.95)
        at_1 = math.nan if method in UNDEFINED_AT_1 else 1
        assert_agrees(low, [at_1, math.nan])
        assert_agrees(high, [at_1, math.nan])


@pytest.mark.parametrize("time", [-1.0, math.nan, math.inf])
def test_impossible_times_are_refused(time: float) -> None:
    with pytest.raises(ValueError, match="negative, infinite or NaN"):
        kaplan_meier([1.0, time], [True, True])


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="both must be"):
        kaplan_meier([1.0, 2.0], [True])


@pytest.mark.parametrize("level", [0, 1, 95, math.nan])
def test_impossible_levels_are_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level is"):
        confidence_limits(0.5, 0.1, "log-log", level)


def test_unknown_methods_are_refused() -> None:
    with pytest.raises(ValueError, match="one of log-log, log, plain"):
        confidence_limits(0.5, 0.1, "loglog", 0.95)  # type: ignore[arg-type]


@pytest.mark.parametrize("p", [0, 1.1, math.nan])
def test_impossible_quantiles_are_refused(p: float) -> None:
    with pytest.raises(ValueError, match="p is"):
        quantile(kaplan_meier([1], [True]), p, "log-log", 0.95)


# What holds for every input.

#: Each scale and its slope at S; a change of log S by h is one of S by S × h.
SCALE_AND_SLOPE: dict[Scale, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "plain": (lambda s: s, lambda _: 1),
    "log": (math.log, lambda s: 1 / s),
    "log-log": (lambda s: math.log(-math.log(s)), lambda s: 1 / (s * math.log(s))),
    "logit": (lambda s: math.log(s / (1 - s)), lambda s: 1 / (s * (1 - s))),
    "arcsin": (lambda s: math.asin(math.sqrt(s)), lambda s: 1 / (2 * math.sqrt(s * (1 - s)))),
}


@given(st.floats(0.05, 0.95), st.floats(0.01, 0.3), scales, levels)
def test_limits_are_a_normal_interval_on_their_scale(
    estimate: float, log_error: float, method: Scale, level: float
) -> None:
    """Oracle: the delta method, with the normal quantile of Python's `statistics`."""
    scale, slope = SCALE_AND_SLOPE[method]
    half = NormalDist().inv_cdf((1 + level) / 2) * log_error * estimate * abs(slope(estimate))
    for limit in confidence_limits(estimate, log_error**2, method, level):
        if 0 < limit < 1:  # a limit that is cut at the edge is not at its distance
            assert abs(scale(float(limit)) - scale(estimate)) == pytest.approx(half, rel=1e-7)


@given(patients, methods, levels)
def test_limits_bracket_the_estimate(patients: Patients, method: CiMethod, level: float) -> None:
    curve = curve_of(patients)
    _, low, high = estimate_at(curve, curve.time, method, level)
    is_defined = ~np.isnan(low)
    assert (is_defined == ~np.isnan(high)).all()
    rounding = 1e-12
    assert (low[is_defined] >= 0).all()
    assert (low[is_defined] <= curve.estimate[is_defined] + rounding).all()
    assert (curve.estimate[is_defined] <= high[is_defined] + rounding).all()
    assert (high[is_defined] <= 1).all()


@given(patients)
def test_curve_falls_from_1_towards_0_and_accounts_for_everyone(patients: Patients) -> None:
    curve = curve_of(patients)
    steps = np.append(1.0, curve.estimate)
    assert (np.diff(steps) <= 0).all()
    assert curve.estimate[-1] >= 0
    assert (np.diff(curve.time) > 0).all()
    assert curve.n_events.sum() + curve.n_censored.sum() == len(patients)
    assert curve.n_at_risk[0] == len(patients)
    assert (curve.n_at_risk - curve.n_events - curve.n_censored == np.append(curve.n_at_risk, 0)[1:]).all()


@given(patients.flatmap(lambda patients: st.tuples(st.just(patients), st.permutations(patients))))
def test_order_of_patients_does_not_matter(orders: tuple[Patients, Patients]) -> None:
    one, other = map(curve_of, orders)
    for column in KaplanMeier.__slots__:
        assert np.array_equal(getattr(one, column), getattr(other, column))


@given(patients)
def test_without_losses_the_curve_is_the_fraction_event_free(patients: Patients) -> None:
    times = np.array([time for time, _ in patients])
    curve = kaplan_meier(times, np.ones(len(times), dtype=bool))
    assert curve.estimate.tolist() == [np.mean(times > time) for time in curve.time]


@given(patients, st.floats(1e-3, 1e3))
def test_unit_of_time_does_not_matter(patients: Patients, factor: float) -> None:
    times, is_event = map(np.array, zip(*patients, strict=True))
    curve, scaled = kaplan_meier(times, is_event), kaplan_meier(times * factor, is_event)
    assert (scaled.estimate == curve.estimate).all()
    assert (scaled.time == curve.time * factor).all()
    assert median(scaled) == pytest.approx(median(curve) * factor, nan_ok=True)


@given(st.lists(st.integers(0, 10**6).map(lambda thousandths: thousandths / 1000), max_size=30))
def test_distinct_times_come_out_bit_for_bit(times: list[float]) -> None:
    """The sort packs time and flag into one integer; no time may change on the way."""
    curve = kaplan_meier(times, np.arange(len(times)) % 2 == 0)
    assert curve.time.tolist() == sorted(set(times))


# The fraction who are event-free, to the last digit.


@pytest.mark.parametrize(("n_event_free", "n"), [(39, 48), (45, 48), (48, 49), (1, 3)])
def test_without_losses_before_the_estimate_is_the_fraction_to_the_last_digit(
    n_event_free: int, n: int
) -> None:
    """39 of 48 is 81.25 %, which prints as 81.3 %; the product of fractions is 0.8124999999999999."""
    is_event = np.arange(n) < n - n_event_free
    curve = kaplan_meier(np.where(is_event, np.arange(n) / 365.25, 9), is_event)
    assert float(curve.at(8).estimate) == n_event_free / n


@given(st.integers(1, 200), st.data())
def test_losses_before_the_first_event_leave_the_fraction_of_the_others(n: int, data: st.DataObject) -> None:
    n_lost = data.draw(st.integers(0, n - 1))
    n_events = data.draw(st.integers(0, n - n_lost))
    times = [0.5] * n_lost + [1.0 + k for k in range(n_events)] + [1000.0] * (n - n_lost - n_events)
    curve = kaplan_meier(times, [False] * n_lost + [True] * n_events + [False] * (n - n_lost - n_events))
    assert float(curve.at(999).estimate) == (n - n_lost - n_events) / (n - n_lost)


# Times that are nearly the same.


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-4, 4), st.booleans()), min_size=1, max_size=40))
def test_times_that_nearly_agree_are_one_time(patients: list[tuple[int, int, bool]]) -> None:
    """Oracle: the same curve with the times that were meant."""
    times = [time + 1 + SAME_TIME / 9 * shift for time, shift, _ in patients]
    is_event = [flag for *_, flag in patients]
    curve = kaplan_meier(times, is_event)
    meant = kaplan_meier([time + 1 for time, *_ in patients], is_event)
    assert curve.time == pytest.approx(meant.time, abs=SAME_TIME)
    for column in ("n_at_risk", "n_events", "n_censored", "estimate", "log_variance"):
        assert np.array_equal(getattr(curve, column), getattr(meant, column))
    for t in (1, 3, 10):
        ours, theirs = curve.at(t), meant.at(t)
        assert (ours.n_at_risk, ours.n_events, ours.estimate) == (
            theirs.n_at_risk,
            theirs.n_events,
            theirs.estimate,
        )
    assert np.array_equal(np.unique(tied(times)), curve.time)


def test_near_ties_chain() -> None:
    """Worked by hand: each lies within 1e-9 of the next, the first and the third do not."""
    step = 0.8e-9
    chain = [1 + 2 * step, 1, 1 + step, 2]
    assert tied(chain).tolist() == [1, 1, 1, 2]
    curve = kaplan_meier(chain, [True, False, True, True])
    assert curve.time.tolist() == [1, 2]
    assert curve.n_at_risk.tolist() == [4, 1]
    assert curve.n_events.tolist() == [2, 1]


def test_a_loss_at_nearly_the_time_of_an_event_is_still_at_risk_of_it() -> None:
    """Worked by hand; in floating point 0.1 + 0.2 comes after 0.3."""
    curve = kaplan_meier([0.3, 0.1 + 0.2, 1], [False, True, True])
    assert curve.n_at_risk.tolist() == [3, 1]
    assert curve.estimate.tolist() == [2 / 3, 0]


def test_tied_keeps_shape_and_unknown_times() -> None:
    times = np.array([[math.nan, 0.1 + 0.2, -math.inf], [0.3, math.inf, math.inf]])
    assert np.array_equal(
        tied(times), [[math.nan, 0.3, -math.inf], [0.3, math.inf, math.inf]], equal_nan=True
    )
    assert tied([]).size == 0
    distinct = np.array([3.0, 1.0, 1.0, math.nan])
    assert tied(distinct) is distinct


# Delayed entry.

#: Entry, time under observation from then on, and whether it ends in an event.
late_patients = st.lists(
    st.tuples(st.integers(-1, 6), st.integers(1, 5), st.booleans()).filter(lambda one: one[0] + one[1] >= 0),
    min_size=1,
    max_size=30,
)


def test_baseline_after_day_0_by_hand() -> None:
    """Worked by hand: on day 200 two are at risk, on day 900 three, so that S is 1/2 × 2/3."""
    years = np.array([900, 1200, 200, 1200]) / 365.25
    entry = np.array([500, 0, 30, 600]) / 365.25
    curve = kaplan_meier(years, [True, False, True, False], entry)
    assert curve.n_at_risk.tolist() == [2, 3, 2]
    assert curve.estimate == pytest.approx([1 / 2, 1 / 3, 1 / 3])
    # Not only at times of leaving: on day 300 one is left; by day 550 a second has entered, by 700 a third.
    between = curve.at(np.array([10, 300, 550, 700, 1095, 1201]) / 365.25)
    assert between.n_at_risk.tolist() == [1, 1, 2, 3, 2, 0]


@given(late_patients, st.integers(-1, 12))
def test_delayed_entry_agrees_with_exact_fractions(patients: list[tuple[int, int, bool]], t: int) -> None:
    """Oracle: at risk are those with entry < t ≤ time, in rational arithmetic."""
    people = [(entry, entry + observed, is_event) for entry, observed, is_event in patients]
    entry, years, is_event = zip(*people, strict=True)
    estimate, variance = Fraction(1), Fraction(0)
    for time in sorted({time for _, time, is_event in people if is_event and time <= t}):
        n = sum(start < time <= stop for start, stop, _ in people)
        d = sum(stop == time and flag for _, stop, flag in people)
        estimate *= Fraction(n - d, n)
        variance = variance + Fraction(d, n * (n - d)) if n > d else math.inf
    values = kaplan_meier(years, is_event, entry).at(t)
    assert float(values.estimate) == pytest.approx(float(estimate), rel=1e-12)
    assert float(values.log_variance) == pytest.approx(float(variance), rel=1e-12)
    assert values.n_at_risk == sum(start < t <= stop for start, stop, _ in people)


def test_a_curve_that_reaches_0_early_stays_there_whoever_enters_later() -> None:
    """R's `survfit(Surv(start, stop, event))`: the first risk set is one patient, who has the event."""
    curve = kaplan_meier([1, 3, 4], [True, True, False], [0, 2, 2])
    assert curve.n_at_risk.tolist() == [1, 2, 1]
    assert curve.estimate.tolist() == [0, 0, 0]
    assert np.isinf(curve.log_variance).all()


@given(patients)
def test_entry_before_everything_changes_nothing(patients: Patients) -> None:
    times, is_event = zip(*patients, strict=True)
    early, curve = kaplan_meier(times, is_event, [-math.inf] * len(times)), curve_of(patients)
    for column in ("time", "n_at_risk", "n_events", "estimate", "log_variance"):
        assert np.array_equal(getattr(early, column), getattr(curve, column))
    assert np.array_equal(early.at([0, 2.5, 99]).n_at_risk, curve.at([0, 2.5, 99]).n_at_risk)


def test_impossible_entries_are_refused() -> None:
    for entry in ([1.0, 2.0], [0.0, 3.0], [0.0, 2 - SAME_TIME / 2], [0.0, math.nan]):
        with pytest.raises(ValueError, match="not before"):
            kaplan_meier([1.5, 2.0], [True, True], entry)
    with pytest.raises(ValueError, match="both must be"):
        kaplan_meier([1.0, 2.0], [True, True], [0.0])
    with pytest.raises(ValueError, match="delayed entry"):
        beta_product_limits(kaplan_meier([1.0], [True], [0.0]), 1, 0.95)


# Beta-product limits.


@given(patients, levels)
def test_without_losses_beta_product_limits_are_those_of_clopper_and_pearson(
    patients: Patients, level: float
) -> None:
    """Fay, Brittain & Proschan 2013; without losses the products are beta distributions themselves."""
    times = np.array([time for time, _ in patients])
    curve = kaplan_meier(times, np.ones(len(times), dtype=bool))
    at = np.arange(-1, 10)
    expected = clopper_pearson([np.sum(times > t) for t in at], len(times), level)
    np.testing.assert_allclose(beta_product_limits(curve, at, level), expected, rtol=1e-9, atol=1e-14)


def test_beta_product_limits_stand_where_nobody_failed_and_where_nobody_is_left() -> None:
    """By hand: 17 of 17 event-free have (α/2)^(1/17) to 1, and nothing is known beyond the last time."""
    curve = kaplan_meier(np.arange(4, 21), np.zeros(17, dtype=bool))
    assert_agrees(beta_product_limits(curve, 3, 0.95), [0.025 ** (1 / 17), 1])
    assert_agrees(beta_product_limits(curve, [20, 21], 0.95), [[0, 0], [1, 1]])
    assert np.isnan(estimate_at(curve, 3, "log-log", 0.95)[1])
    nobody_left = kaplan_meier([1, 1], [True, True])
    assert_agrees(beta_product_limits(nobody_left, 1, 0.95), clopper_pearson(0, 2, 0.95))
    with pytest.raises(ValueError, match="level is"):
        beta_product_limits(curve, 3, 95)


# Quantiles, the restricted mean, and completeness of follow-up.


def test_median_with_limits_as_survfit_prints_it() -> None:
    """R's `survfit` with log-log limits prints 4, 1, NA of these six patients (lifelines issue 199)."""
    curve = kaplan_meier([1, 2, 3, 4, 5, 6], [True, True, False, True, True, False])
    value, low, high = quantile(curve, 0.5, "log-log", 0.95)
    assert (value, low) == (4, 1)
    assert math.isnan(high)


def test_lower_limit_of_a_median_of_few_patients_is_0_where_the_curve_may_start_below_one_half() -> None:
    """By hand: of three patients the lower beta-product limit is 0.025^(1/3) = 0.29 before any event."""
    curve = kaplan_meier([1, 2, 3], [True, True, False])
    assert quantile(curve, 0.5, "beta-product", 0.95)[:2] == (2, 0)


@given(patients, st.sampled_from([0.25, 0.5, 0.75]), methods, levels)
def test_limits_of_a_quantile_hold_the_times_at_which_the_curve_may_have_passed_it(
    patients: Patients, p: float, method: CiMethod, level: float
) -> None:
    """The interval and its test agree: before the lower limit the curve is credibly above 1 − p."""
    curve = curve_of(patients)
    value, low, high = quantile(curve, p, method, level)
    at = np.arange(0, 9.5, 0.5)
    _, lower, upper = estimate_at(curve, at, method, level)
    assume(all(np.all(np.abs(limit[~np.isnan(limit)] - (1 - p)) > 1e-7) for limit in (lower, upper)))
    assert not np.any(lower[at < (math.inf if math.isnan(low) else low)] < 1 - p)
    assert not np.any(upper[at < (math.inf if math.isnan(high) else high)] < 1 - p)
    assert not low > value
    assert not value > high


@given(patients, st.floats(0, 12))
@example([(0, True)], 0.0)
def test_restricted_mean_is_the_area_under_the_curve(patients: Patients, horizon: float) -> None:
    """Oracle: rectangles between whole times, and the variance by its definition in a loop."""
    curve = curve_of(patients)
    edges = [*range(math.ceil(horizon)), horizon]

    def area(start: float) -> float:
        cuts = [start, *[edge for edge in edges if edge > start]]
        return math.fsum(float(curve.at(a).estimate) * (b - a) for a, b in pairwise(cuts))

    variance = math.fsum(
        area(t) ** 2 * d / (r * (r - d))
        for t, r, d in zip(curve.time, curve.n_at_risk, curve.n_events, strict=True)
        if t < horizon and r > d
    )
    mean, error = restricted_mean(curve, horizon)
    assert mean == pytest.approx(area(0), abs=1e-12)
    assert error == pytest.approx(math.sqrt(variance), abs=1e-12)
    assert 0 <= mean <= horizon


def test_restricted_mean_of_an_impossible_horizon_is_refused() -> None:
    for horizon in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match="horizon is"):
            restricted_mean(kaplan_meier([1], [True]), horizon)
    assert restricted_mean(kaplan_meier([], []), 3) == (3, 0)


def test_median_follow_up_and_completeness_by_hand() -> None:
    """Worked by hand: (1 + 2 + 3 + 3) of (1 + 3 + 3 + 3) years; reversed, 2/3 at 2 and 1/3 at 5."""
    years, is_event = [1, 2, 5, 6], [True, False, False, False]
    assert completeness(years, is_event, 3) == pytest.approx(9 / 10)
    assert reverse_kaplan_meier_median(years, is_event, 0.95)[0] == 5
    assert math.isnan(completeness([], [], 3))
    assert math.isnan(completeness([0.0], [True], 3))
    for years_or_horizon in (([-1.0], 3), ([1.0], 0), ([math.nan], 3)):
        with pytest.raises(ValueError, match="0 or more"):
            completeness(years_or_horizon[0], [False], years_or_horizon[1])


@given(patients, st.integers(1, 9))
def test_completeness_is_a_share_and_whole_if_nobody_is_lost_early(patients: Patients, horizon: int) -> None:
    times, is_event = map(np.array, zip(*patients, strict=True))
    share = completeness(times, is_event, horizon)
    assert math.isnan(share) or 0 <= share <= 1
    nobody_lost = bool(np.all(is_event | (times >= horizon)))
    assert math.isnan(share) or (share == 1) == nobody_lost
