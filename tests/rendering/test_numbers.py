"""How figures look. Expected texts are rounded by hand, half up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.results import Distribution, Estimate
from ahsct_trial.rounding import round_half_up


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.285, 2, "0.29"),  # the nearest binary number lies below the half
        (0.284999, 2, "0.28"),
        (2.5, 0, "3"),  # to even it would be 2
        (3.5, 0, "4"),
        (-2.5, 0, "-3"),
        (1.005, 2, "1.01"),
        (2.675, 2, "2.68"),
        (3.875, 2, "3.88"),
        (0.05, 1, "0.1"),
        (0, 1, "0.0"),
        (9.995, 2, "10.00"),
        (1e-7, 3, "0.000"),
        (5e30, 2, "5" + 30 * "0" + ".00"),  # more digits than decimal numbers have unasked
        ((2.3 + 2.4) / 2, 1, "2.4"),  # 2.3499999999999996
        (0.1 + 0.2 + 0.05, 1, "0.4"),  # 0.35000000000000003
        (1234567890123.0, 0, "1234567890123"),  # a whole number of more than twelve digits is not touched
    ],
)
def test_a_half_goes_away_from_zero(value: float, decimals: int, text: str) -> None:
    assert round_half_up(value, decimals) == text


@given(st.integers(-10_000, 10_000), st.integers(0, 4))
def test_every_half_goes_away_from_zero(n: int, decimals: int) -> None:
    """N and a half units of the last decimal, from its text, as a file would give it."""
    half = (Decimal(abs(n)) + Decimal("0.5")).scaleb(-decimals)
    up = Decimal(abs(n) + 1).scaleb(-decimals)
    assert Decimal(round_half_up(float(half), decimals)) == up
    assert Decimal(round_half_up(-float(half), decimals)) == -up


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 10))
def test_rounding_moves_a_number_by_half_a_unit_at_most(value: float, decimals: int) -> None:
    moved = Decimal(round_half_up(value, decimals)) - Decimal(repr(value))
    # What lies within the last bits of a float below a half counts as the half.
    assert abs(moved) <= Decimal("0.5").scaleb(-decimals) + abs(Decimal(repr(value))) * Decimal("1e-12")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (0.0, "0"),
        (12.345, "12.35"),
        (1.1928571428571428, "1.19"),
        (0.285, "0.29"),
        (0.1, "0.10"),
        (0.0995, "0.10"),
        (0.0994, "0.099"),
        (0.096, "0.096"),
        (0.045, "0.045"),
        (0.0455, "0.046"),
        (0.00996, "0.010"),
        (0.00306, "0.0031"),
        (0.001, "0.0010"),
        (0.00001, "0.000010"),
        (9_999_999.0, "9999999.00"),
        (3634478239850384.0, "3.6e+15"),
    ],
)
def test_rates_have_two_decimals_or_two_significant_digits(value: float | None, text: str) -> None:
    assert fmt.significant(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0.0 %"),
        (1, "100.0 %"),
        (16 / 23, "69.6 %"),
        (1 / 16, "6.3 %"),  # 6.25
        (45 / 48, "93.8 %"),  # 93.75
        (39 / 48, "81.3 %"),  # 81.25
        ((47 / 48) * (46 / 47) * (39 / 46), "81.3 %"),  # the same as a product, 0.8124999999999999
        (229 / 400, "57.3 %"),  # 57.25; times 100 it would be 57.24999999999999
        (571 / 2000, "28.6 %"),  # 28.55; times 100 it would be 28.549999999999997
        (0.99949, "99.9 %"),
        (0.9995, "100.0 %"),
    ],
)
def test_a_percentage_has_one_decimal(value: float | None, text: str) -> None:
    assert fmt.percent(value) == text


def test_a_percentage_without_its_sign() -> None:
    assert fmt.percent(0.696, sign=False) == "69.6"
    assert fmt.percent(None, sign=False) == "–"


def estimate(unit: Any, *figures: float | None, **more: Any) -> Estimate:
    """An estimate of a value and two limits."""
    value, low, high = figures
    return Estimate(unit=unit, value=value, ci_low=low, ci_high=high, **more)


def test_what_is_missing_is_a_dash() -> None:
    nothing = estimate("share", None, None, None, ci_method="clopper-pearson")
    nobody = Distribution(n=0, median=None, min=None, max=None, total=None)
    texts = [
        fmt.count(None),
        fmt.fraction(None, 24),
        fmt.fraction(23, None),
        fmt.number(None, 1),
        fmt.value(nothing),
        fmt.limits(nothing),
        fmt.with_limits(nothing),
        fmt.share(nothing),
        fmt.counted(nothing),
        fmt.p_value(None),
        fmt.distribution(nobody, 1),
        fmt.counts({}),
    ]
    assert set(texts) == {"–"}
    assert fmt.interval(nothing) == ""


@pytest.mark.parametrize(
    ("own", "value", "limits"),
    [
        (estimate("share", 16 / 23, 0.465642, 0.841721), "69.6 %", "46.6–84.2"),
        (estimate("share", 1.0, None, None), "100.0 %", "–"),
        (estimate("difference", -1 / 24, -0.151, 0.0312), "−4.2 points", "−15.1 to 3.1"),
        (estimate("difference", -0.0001, -0.0002, 0.1), "0.0 points", "0.0 to 10.0"),
        (estimate("per_year", 167 / 140, 1.0187, 1.3881), "1.19 per year", "1.02–1.39"),
        (estimate("per_scan", 1 / 327, 0.0000774, 0.01704), "0.0031 per scan", "0.000077–0.017"),
        (estimate("ratio", 0.0, 0.0, 0.018452), "0", "0–0.018"),
        (estimate("ratio", None, 0.123, None), "–", "0.12–∞"),
        (estimate("ratio", None, None, 0.44), "–", "up to 0.44"),
        (estimate("years", 2.35, 1.0, None), "2.4 years", "1.0–not reached"),
        (estimate("years", -0.5, -1.1, 0.1), "−0.5 years", "−1.1 to 0.1"),
    ],
)
def test_a_statistic_looks_by_its_unit(own: Estimate, value: str, limits: str) -> None:
    assert (fmt.value(own), fmt.limits(own)) == (value, limits)
    assert fmt.with_limits(own) == (value if limits == "–" else f"{value} ({limits})")


def test_a_share_has_its_counts_and_an_interval_its_name() -> None:
    own = estimate("share", 0.25, 0.01, 0.81, n=1, of=4, ci_method="clopper-pearson", confidence_level=0.9)
    assert fmt.share(own) == "1 of 4, 25.0 % (1.0–81.0)"
    assert fmt.with_interval(own) == "25.0 % (90 % CI 1.0–81.0, exact)"
    rate = estimate("per_year", 0.5, 0.2, 1.1, ci_method="negative-binomial-profile", confidence_level=0.95)
    assert fmt.with_interval(rate) == "0.50 per year (95 % CI 0.20–1.10, negative binomial)"


@pytest.mark.parametrize(
    ("p", "text"), [(0.00099, "<0.001"), (0.001, "0.001"), (0.0455, "0.046"), (1, "1.000")]
)
def test_p_values_have_three_decimals(p: float, text: str) -> None:
    assert fmt.p_value(p) == text


def test_counts_have_their_thousands_apart() -> None:
    assert fmt.count(0) == "0"
    assert fmt.count(1234567) == "1,234,567"
    assert fmt.fraction(23, 1024) == "23 of 1,024"


def test_a_distribution_is_its_median_and_range() -> None:
    ages = Distribution(n=4, median=4.75, min=3, max=6.25, total=None)
    assert fmt.distribution(ages, 1) == "median 4.8 (3.0–6.3)"


def test_many_texts_are_cut_and_counted() -> None:
    assert fmt.counts({"Ottawa": 1100, "Mont\nréal": 7}) == "Ottawa 1,100, Mont\\nréal 7"
    assert fmt.counts({"a": 3, "b": 2, "c": 1}, most=2) == "a 3, b 2, and 1 more"
    assert fmt.counts({"a": 3, "b": 2}, most=2) == "a 3, b 2"


@pytest.mark.parametrize(("level", "text"), [(0.95, "95 %"), (0.9, "90 %"), (0.995, "99.5 %")])
def test_a_level_has_no_needless_decimals(level: float, text: str) -> None:
    assert fmt.level(level) == text


@pytest.mark.parametrize(
    ("confidence", "words"),
    [
        (0.95, "95 %"),
        (0.9, "90 %"),
        (0.941, "94.1 %"),
        (0.999999999999, "99.9999999999 %"),
        (0.9999999999999999, "99.99999999999999 %"),
        (0.5, "50 %"),
        (0.001, "0.1 %"),
    ],
)
def test_a_level_keeps_its_digits(confidence: float, words: str) -> None:
    assert fmt.level(confidence) == words
