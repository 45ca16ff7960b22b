"""Kaplan–Meier against R's survival, a slow oracle in exact fractions, and what must hold for every input."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import NormalDist
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from r_figures import assert_agrees, stratum, table

from ahsct_trial.estimators.survival import CiMethod, KaplanMeier, confidence_limits, kaplan_meier, quantile

if TYPE_CHECKING:
    from collections.abc import Callable

METHODS: tuple[CiMethod, ...] = get_args(CiMethod)
UNDEFINED_AT_1: tuple[CiMethod, ...] = ("log-log", "logit", "arcsin")
STRATA = sorted({(row["dataset"], row["stratum"]) for row in table("km_steps").rows})
LANCET_TIME = 3 * 365.25

Patients = list[tuple[int, bool]]
#: Few distinct times, so that most examples have ties of every kind.
patients = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=40)
methods = st.sampled_from(METHODS)
levels = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])


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


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("dataset", "name"), STRATA)
def test_limits_of_steps_agree_with_survfit(dataset: str, name: str, method: CiMethod) -> None:
    """km_steps.csv: R 4.2.2, survival 3.5-3, `survfit` with each conf.type."""
    expected = table("km_steps").where(dataset=dataset, stratum=name)
    curve = kaplan_meier(*stratum(dataset, name))
    low, high = confidence_limits(curve.estimate, curve.log_variance, method, 0.95)
    column = method.replace("-", "")
    assert_agrees(low, expected[f"lower_{column}"])
    assert_agrees(high, expected[f"upper_{column}"])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("dataset", "name"), STRATA)
def test_values_at_times_agree_with_survfit(dataset: str, name: str, method: CiMethod) -> None:
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


@pytest.mark.parametrize(("dataset", "name"), STRATA)
def test_quantiles_agree_with_r(dataset: str, name: str) -> None:
    """km_quantiles.csv: R 4.2.2, survival 3.5-3, `quantile(survfit)`: quartiles and median."""
    expected = table("km_quantiles").where(dataset=dataset, stratum=name, conf_type="log-log")
    curve = kaplan_meier(*stratum(dataset, name))
    assert_agrees([quantile(curve, p) for p in expected["p"]], expected["quantile"])


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
    assert quantile(kaplan_meier(times, is_event)) == pytest.approx(median, nan_ok=True)


def test_quantile_1_is_the_time_of_the_last_event_if_nobody_is_left() -> None:
    assert quantile(kaplan_meier([1, 2, 3], [True, True, True]), 1) == 3
    assert math.isnan(quantile(kaplan_meier([1, 2, 3], [True, True, False]), 1))


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
    for method in METHODS:
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
        quantile(kaplan_meier([1], [True]), p)


# What holds for every input.

#: Each scale and its slope at S; a change of log S by h is one of S by S × h.
SCALES: dict[CiMethod, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "plain": (lambda s: s, lambda _: 1),
    "log": (math.log, lambda s: 1 / s),
    "log-log": (lambda s: math.log(-math.log(s)), lambda s: 1 / (s * math.log(s))),
    "logit": (lambda s: math.log(s / (1 - s)), lambda s: 1 / (s * (1 - s))),
    "arcsin": (lambda s: math.asin(math.sqrt(s)), lambda s: 1 / (2 * math.sqrt(s * (1 - s)))),
}


@given(st.floats(0.05, 0.95), st.floats(0.01, 0.3), methods, levels)
def test_limits_are_a_normal_interval_on_their_scale(
    estimate: float, log_error: float, method: CiMethod, level: float
) -> None:
    """Oracle: the delta method, with the normal quantile of Python's `statistics`."""
    scale, slope = SCALES[method]
    half = NormalDist().inv_cdf((1 + level) / 2) * log_error * estimate * abs(slope(estimate))
    for limit in confidence_limits(estimate, log_error**2, method, level):
        if 0 < limit < 1:  # a limit that is cut at the edge is not at its distance
            assert abs(scale(float(limit)) - scale(estimate)) == pytest.approx(half, rel=1e-7)


@given(patients, methods, levels)
def test_limits_bracket_the_estimate(patients: Patients, method: CiMethod, level: float) -> None:
    curve = curve_of(patients)
    low, high = confidence_limits(curve.estimate, curve.log_variance, method, level)
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
        assert (getattr(one, column) == getattr(other, column)).all()


@given(patients)
def test_without_losses_the_curve_is_the_fraction_event_free(patients: Patients) -> None:
    times = np.array([time for time, _ in patients])
    curve = kaplan_meier(times, np.ones(len(times), dtype=bool))
    assert curve.estimate == pytest.approx([np.mean(times > time) for time in curve.time])


@given(patients, st.floats(1e-3, 1e3))
def test_unit_of_time_does_not_matter(patients: Patients, factor: float) -> None:
    times, is_event = map(np.array, zip(*patients, strict=True))
    curve, scaled = kaplan_meier(times, is_event), kaplan_meier(times * factor, is_event)
    assert (scaled.estimate == curve.estimate).all()
    assert (scaled.time == curve.time * factor).all()
    assert quantile(scaled) == pytest.approx(quantile(curve) * factor, nan_ok=True)


@given(st.lists(st.floats(0, allow_infinity=False), max_size=30))
def test_distinct_times_come_out_bit_for_bit(times: list[float]) -> None:
    """The sort packs time and flag into one integer; no time may change on the way."""
    curve = kaplan_meier(times, np.arange(len(times)) % 2 == 0)
    assert curve.time.tolist() == sorted(set(times))
