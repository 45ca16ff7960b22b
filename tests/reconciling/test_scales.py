"""Intervals read without counts: published ones, a slow Kaplan–Meier oracle, every set of risk sets."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from statistics import NormalDist

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from printing import ROUNDINGS, percent_sign, printed

from ahsct_trial import reconcile
from ahsct_trial.reconciling import Reconciliation, ScaleFit

SCALES = ("log-log", "log", "plain", "logit", "arcsin")
#: The scale of an interval does not depend on how many patients are considered, and up to 5,000 take a second.
SOME_N = (1, 300)


def fitting(result: Reconciliation) -> dict[str, ScaleFit]:
    return {each.scale: each for each in result.scales if each.fits}


# ---- Published intervals ------------------------------------------------------------------------------

PUBLISHED = [
    # Boffa 2021, 95 %
    ("85.5", ("76.9", "94.1"), 0.95, {"plain"}),
    ("71.3", ("57.8", "84.8"), 0.95, {"plain"}),
    ("71.0", ("59.4", "82.6"), 0.95, {"plain"}),
    ("57.2", ("41.8", "72.7"), 0.95, {"plain"}),
    # HALT-MS (Nash 2017), 90 %
    ("69.2", ("50.2", "82.1"), 0.90, {"log-log"}),
    ("86.9", ("69.5", "94.7"), 0.90, {"log-log"}),
    ("86.3", ("68.1", "94.5"), 0.90, {"log-log"}),
    # Atkins 2016
    ("69.6", ("46.6", "84.2"), 0.95, {"log-log"}),
]


@pytest.mark.parametrize(("value", "ci", "level", "scales"), PUBLISHED)
def test_a_published_interval_has_one_scale(
    value: str, ci: tuple[str, str], level: float, scales: set[str]
) -> None:
    result = reconcile(value, ci, SOME_N, level)
    assert set(fitting(result)) == scales
    assert result.is_explained


def test_silfverberg_is_plain_log_or_arcsin_and_not_log_log() -> None:
    """73 (66–81), Silfverberg 2024.

    log(−log S), by hand, is −1.1561 of 0.73, −0.8782 of 0.66 and −1.5572 of 0.81: 0.278 and 0.401 away.
    arcsin by hand: the middle of arcsin √0.66 and √0.805 is that of 73.4 %, which rounds to 73.
    """
    result = reconcile("73", ("66", "81"))
    assert set(fitting(result)) == {"plain", "log", "arcsin"}
    log_log = result.scales[0]
    assert (log_log.scale, log_log.standard_error, log_log.n_events_low) == ("log-log", None, None)
    assert log_log.below == pytest.approx(0.2779, abs=1e-4)
    assert log_log.above == pytest.approx(0.4011, abs=1e-4)


def test_standard_error_and_effective_n_of_boffa() -> None:
    """8.6/1.959964 = 4.388 points; 0.855 × 0.145/0.04388² = 64.4; ends with limits ± 0.05, value ∓ 0.05."""
    fit = fitting(reconcile("85.5", ("76.9", "94.1")))["plain"]
    assert fit.standard_error == pytest.approx(0.086 / 1.959964, rel=1e-6)
    assert fit.standard_error_low == pytest.approx(0.0855 / 1.959964, rel=1e-6)
    assert fit.standard_error_high == pytest.approx(0.0865 / 1.959964, rel=1e-6)
    assert fit.effective_n == pytest.approx(64.4, abs=0.05)
    assert fit.n_patients is None


def test_without_losses_the_effective_n_is_n() -> None:
    """16 of 23 with log-log, lancet2016_check.csv, case A: nobody lost."""
    fit = fitting(reconcile("69.6", ("46.6", "84.2"), (23, 23)))["log-log"]
    assert fit.effective_n == pytest.approx(23, abs=0.01)
    assert (fit.n_events_low, fit.n_events_high) == (7, 7)


def test_too_few_patients_for_so_narrow_an_interval() -> None:
    result = reconcile("69.6", ("46.6", "84.2"), (20, 22))
    assert fitting(result)["log-log"].n_events_low is None
    assert (result.possible_scales, result.is_explained) == ((), False)


@pytest.mark.parametrize(
    ("value", "ci"),
    [
        ("69.6", None),
        ("100", ("85", "100")),
        ("0", ("0", "15")),
        ("50", ("0", "100")),
        ("16/23", ("46.6", "84.2")),
    ],
)
def test_where_an_interval_tells_no_scale(value: str, ci: tuple[str, str] | None) -> None:
    assert reconcile(value, ci, None if "/" in value else SOME_N).scales == ()


def test_an_interval_that_is_symmetric_nowhere() -> None:
    result = reconcile("90", ("40", "91"), SOME_N)
    assert not fitting(result)
    assert not result.is_explained


def test_half_a_digit_on_both_sides_must_round_that_way() -> None:
    """Plain, by hand: with 61 to 83 the middle is at least 71.5, which never rounds to 71, but to 72.

    With 60 to 82 it is at least 70.5, which half even rounds to 70.
    """
    assert "plain" not in fitting(reconcile("71", ("61", "83"), SOME_N))
    assert "plain" in fitting(reconcile("72", ("61", "83"), SOME_N))
    assert "plain" in fitting(reconcile("70", ("60", "82"), SOME_N))


# ---- Random patients: a Kaplan–Meier estimate by fractions ---------------------------------------------


def kaplan_meier(patients: list[tuple[int, bool]]) -> tuple[Fraction, Fraction, int]:
    """S, Greenwood's variance of log S, and the events, at the end; day by day, events before losses."""
    share, variance, n_events = Fraction(1), Fraction(0), 0
    for day in sorted({day for day, _ in patients}):
        at_risk = sum(each >= day for each, _ in patients)
        events = sum(each == day and is_event for each, is_event in patients)
        if events == at_risk:
            return Fraction(0), Fraction(0), n_events + events
        share *= Fraction(at_risk - events, at_risk)
        variance += Fraction(events, at_risk * (at_risk - events))
        n_events += events
    return share, variance, n_events


def limits(scale: str, share: float, variance: float, level: float) -> tuple[float, float]:
    """Klein & Moeschberger 2003, section 4.3, and R's `survfit`, cut at 0 and 1."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    half = z * math.sqrt(variance)
    ends: tuple[float, float]
    if scale == "plain":
        ends = share * (1 - half), share * (1 + half)
    elif scale == "log":
        ends = share * math.exp(-half), share * math.exp(half)
    elif scale == "log-log":
        theta = math.exp(half / math.log(share))
        ends = share ** (1 / theta), share**theta
    elif scale == "logit":
        odds, turn = share / (1 - share), math.exp(half / (1 - share))
        ends = odds / turn / (1 + odds / turn), odds * turn / (1 + odds * turn)
    else:
        angle, turn = math.asin(math.sqrt(share)), half / 2 * math.sqrt(share / (1 - share))
        ends = math.sin(max(angle - turn, 0)) ** 2, math.sin(min(angle + turn, math.pi / 2)) ** 2
    return max(ends[0], 0), min(ends[1], 1)


@given(
    st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=2, max_size=80),
    st.sampled_from(SCALES),
    st.integers(0, 2),
    st.sampled_from(ROUNDINGS),
    st.sampled_from([0.8, 0.9, 0.95, 0.99]),
)
@settings(max_examples=60)
def test_the_true_scale_is_always_found(
    patients: list[tuple[int, bool]], scale: str, decimals: int, rounding: str, level: float
) -> None:
    """With its standard error, its effective n and its number of events within the ranges."""
    share, variance, n_events = kaplan_meier(patients)
    assume(0 < share < 1)
    ends = limits(scale, float(share), float(variance), level)
    texts = [printed(share, decimals, rounding), *(printed(end, decimals, rounding) for end in ends)]
    assume(0 < Decimal(texts[0]) < 100)
    assume((Decimal(texts[1]), Decimal(texts[2])) != (0, 100))
    value, low, high = percent_sign(*texts)
    n = len(patients)
    result = reconcile(value, (low, high), (n, n), level)
    fit = fitting(result)[scale]
    error = float(share) * math.sqrt(variance)
    assert fit.standard_error_low is not None
    assert fit.standard_error_high is not None
    assert fit.standard_error_low <= error * (1 + 1e-9)
    assert error <= fit.standard_error_high * (1 + 1e-9)
    assert fit.effective_n_low is not None
    effective_n = float(share * (1 - share)) / error**2
    assert fit.effective_n_low <= effective_n * (1 + 1e-9)
    assert fit.effective_n_high is None or effective_n <= fit.effective_n_high * (1 + 1e-9)
    assert fit.n_events_low is not None
    assert fit.n_events_high is not None
    assert fit.n_events_low <= n_events <= fit.n_events_high
    assert result.is_explained
    assert fit.standard_error is not None
    assert fit.standard_error_low <= fit.standard_error <= fit.standard_error_high


# ---- Every way to lose patients -----------------------------------------------------------------------


def risk_sets(n: int, lowest: float) -> Iterator[tuple[int, float, float]]:
    """Events, S and the variance of log S of every set of numbers at risk whose S is at least `lowest`."""

    def further(
        largest: int, n_events: int, share: float, variance: float
    ) -> Iterator[tuple[int, float, float]]:
        if n_events:
            yield n_events, share, variance
        for at_risk in range(largest, 1, -1):
            left = share * (1 - 1 / at_risk)
            if left < lowest:
                break  # fewer at risk lose more
            yield from further(at_risk - 1, n_events + 1, left, variance + 1 / (at_risk * (at_risk - 1)))

    yield from further(n, 0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("value", "ci", "level", "n", "scale"),
    [
        ("69.2", ("50.2", "82.1"), 0.90, 24, "log-log"),
        ("86.3", ("68.1", "94.5"), 0.90, 24, "log-log"),
        ("75", ("45", "100"), 0.95, 16, "plain"),
        ("60", ("38", "95"), 0.95, 18, "log"),
    ],
)
def test_the_numbers_of_events_are_those_of_every_way_to_lose_patients(
    value: str, ci: tuple[str, str], level: float, n: int, scale: str
) -> None:
    decimals = len(value.partition(".")[2])

    def is_printed(share: float, variance: float) -> bool:
        figures = share, *limits(scale, share, variance, level)
        return tuple(printed(each, decimals) for each in figures) == (value, *ci)

    half = 0.5 / 100 / 10**decimals
    possible = {
        n_events
        for n_events, share, variance in risk_sets(n, float(value) / 100 - half)
        if share < float(value) / 100 + half and is_printed(share, variance)
    }
    fit = fitting(reconcile(value, ci, (n, n), level))[scale]
    assert possible
    # An end may be one too wide, as the last number at risk is not held to be whole.
    assert fit.n_events_low in {min(possible), min(possible) - 1}
    assert fit.n_events_high in {max(possible), max(possible) + 1}
