"""How figures look. Expected texts are rounded by hand, half up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ahsct_trial.rendering import formats as fmt
from ahsct_trial.results import Distribution, Interval
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
    assert abs(moved) <= Decimal("0.5").scaleb(-decimals)


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


def test_what_is_missing_is_a_dash() -> None:
    nothing = Interval(value=None, ci_low=None, ci_high=None, ci_method="clopper-pearson")
    nobody = Distribution(n=0, median=None, min=None, max=None, total=None)
    texts = [
        fmt.count(None),
        fmt.fraction(None, 24),
        fmt.fraction(23, None),
        fmt.number(None, 1),
        fmt.percent_range(None, None),
        fmt.significant_range(None, None),
        fmt.proportion(nothing),
        fmt.distribution(nobody, 1),
        fmt.counts({}),
    ]
    assert set(texts) == {"–"}


def test_a_limit_that_is_missing_above_is_infinite() -> None:
    assert fmt.significant_range(0.123, None) == "0.12–∞"
    assert fmt.significant_range(0, None) == "0–∞"


def test_ranges() -> None:
    assert fmt.percent_range(0.465642, 0.841721) == "46.6–84.2"
    assert fmt.significant_range(0.0000774, 0.01704) == "0.000077–0.017"
    estimate = Interval(value=0.695652, ci_low=0.465642, ci_high=0.841721, ci_method="log-log")
    assert fmt.proportion(estimate) == "69.6 % (46.6–84.2)"


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
