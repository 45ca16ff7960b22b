"""Figures as printed, and what rounds to them, by rounding half up or half even.

The percentage of a count is compared as the ratio of whole numbers that it is, so that half a digit is
decided exactly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.written_numbers import MAY_BE_THOUSANDS, with_point

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = tuple[NDArray[np.bool_], NDArray[np.bool_]]

_LEVELS = (0.5, 0.9999)
# The Lancet prints a raised point, much of Europe a comma.
_NUMBER = re.compile(r"([-−]?)([0-9]{1,9})(?:[.,·]([0-9]{1,12}))?")


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintedFigure:
    """A published figure: as it was given, as it was read, and what rounds to it.

    `read_as` is a percentage or a rate; `lowest` to `highest` round to it, as proportions from 0 to 1 or as
    rates.
    """

    given: str
    read_as: str
    lowest: float
    highest: float


@dataclass(frozen=True)
class Printed:
    """A figure as printed: `digits` ÷ 10^`places`, rounded or, where `is_cut` says so, cut off."""

    given: str
    digits: int
    places: int
    is_cut: bool = False

    @cached_property
    def value(self) -> Fraction:
        """The figure itself."""
        return Fraction(self.digits, 10**self.places)

    @property
    def unit(self) -> Fraction:
        """One unit of the last digit."""
        return Fraction(1, 10**self.places)

    @property
    def ends(self) -> tuple[Fraction, Fraction]:
        """Half a unit below it, or where it is cut off itself, and one unit above that; below 0 mirrored.

        The first end and what lies above is printed as it, and what lies below the second, which is too if
        `includes_highest`.
        """
        halves = 2 * 10**self.places
        return Fraction(self._lowest_halves, halves), Fraction(self._lowest_halves + 2, halves)

    @cached_property
    def lowest(self) -> float:
        """The first of `ends`."""
        return float(self.ends[0])

    @cached_property
    def highest(self) -> float:
        """The second of `ends`."""
        return float(self.ends[1])

    def as_percentage(self) -> Printed:
        """Give the share that it is a percentage of."""
        return replace(self, places=self.places + 2)

    def cut_off(self) -> Printed:
        """Give the same figure as cut off and not rounded."""
        return replace(self, is_cut=True)

    @property
    def includes_highest(self) -> bool:
        """Whether half even comes down to it from the half above; half up always comes up from below."""
        return not self.is_cut and self.digits % 2 == 0

    @property
    def _lowest_halves(self) -> int:
        """`lowest`, in halves of a unit of the last digit."""
        if self.is_cut:
            return 2 * self.digits - 2 * (self.digits < 0)
        return 2 * self.digits - 1

    def places_of(self, figures: NDArray[np.float64]) -> Places:
        """Which figures reach what rounds to this one, and which lie beyond it; for NaN neither."""
        is_beyond = figures > self.highest if self.includes_highest else figures >= self.highest
        return np.asarray(figures >= self.lowest), np.asarray(is_beyond)

    def places_of_ratios(self, numerator: NDArray[np.int64], of: NDArray[np.int64]) -> Places:
        """Say the same of ratios of whole numbers up to 10,000, exactly."""
        doubled = 2 * 10**self.places * numerator
        highest = (self._lowest_halves + 2) * of
        is_beyond = doubled > highest if self.includes_highest else doubled >= highest
        return np.asarray(doubled >= self._lowest_halves * of), np.asarray(is_beyond)

    def counts(self, n: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give the first and the last count of n that round to this; none does if the last is below."""
        per_count = 2 * 10**self.places
        first = -(-self._lowest_halves * n // per_count)
        last = ((self._lowest_halves + 2) * n - (not self.includes_highest)) // per_count
        return np.maximum(first, 0), np.minimum(last, n)

    def as_figure(self, shift: int) -> PrintedFigure:
        """Give it as a result, with the point `shift` places further right."""
        read_as = Decimal(self.digits).scaleb(shift - self.places)
        lowest = self.lowest if self.digits < 0 else max(self.lowest, 0.0)
        return PrintedFigure(given=self.given, read_as=f"{read_as:f}", lowest=lowest, highest=self.highest)


@dataclass(frozen=True, slots=True)
class Sought:
    """What is published: a value and, unless there is no interval, its limits."""

    value: Printed
    low: Printed | None
    high: Printed | None

    def cut_off(self) -> Sought:
        """Give the same figures as cut off and not rounded."""
        low, high = (each and each.cut_off() for each in (self.low, self.high))
        return Sought(self.value.cut_off(), low, high)

    def limits(self) -> list[tuple[str, Printed]]:
        """The limits by name; empty where there is no interval."""
        named = (("low", self.low), ("high", self.high))
        return [(name, printed) for name, printed in named if printed is not None]

    @property
    def is_below_0(self) -> bool:
        """Whether the lower limit is, as a formula gives it that knows no edge."""
        return self.low is not None and self.low.value < 0

    @property
    def is_beyond_shares(self) -> bool:
        """Whether a limit is below 0 or above 1."""
        return self.is_below_0 or (self.high is not None and self.high.value > 1)


def how_much_fits(
    value_fits: NDArray[np.bool_] | bool,
    low_fits: NDArray[np.bool_] | bool,
    high_fits: NDArray[np.bool_] | bool,
) -> NDArray[np.int64]:
    """Give 4 for the value and a limit, 3 for both limits, 2 for the value, 1 for one limit, else 0."""
    value, n_limits = np.asarray(value_fits), np.add(low_fits, high_fits, dtype=np.int64)
    return np.select([value & (n_limits > 0), n_limits == 2, value, n_limits == 1], [4, 3, 2, 1], 0)


def read_number(
    text: str, what: str, form: str, *, may_be_thousands: bool, may_be_negative: bool = False
) -> Printed:
    """Read a figure; `what` it is and the `form` it has are for the error.

    Parameters
    ----------
    text
        The figure as printed, with a point or a comma before its decimals.
    what, form
        What it is, and an example of how to write it.
    may_be_thousands
        Whether it may be so large that the comma of ``1,234`` may also separate thousands.
    may_be_negative
        Whether it may be below 0.

    Raises
    ------
    UsageError
        If it is not digits with at most 12 decimals, or its comma may separate thousands.
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None or (match[1] and not may_be_negative):
        sign = "" if may_be_negative else ", not negative"
        raise UsageError(f"{what} is '{shown(text)}'; write {form}, with at most 12 decimals{sign}.")
    if may_be_thousands and MAY_BE_THOUSANDS.fullmatch(text.strip()):
        without, point = text.strip().replace(",", ""), with_point(text.strip())
        raise UsageError(f"{what} is {text.strip()}, which may be {without} or {point}; write one of them.")
    decimals = match[3] or ""
    digits = int(match[2] + decimals)
    return Printed(text.strip(), -digits if match[1] else digits, len(decimals))


def enclosing(printed: list[Printed]) -> Sought:
    """Take a value, and its limits where there is an interval, as what is sought.

    Raises
    ------
    UsageError
        If the limits do not enclose the value.
    """
    value, *limits = printed
    if not limits:
        return Sought(value, None, None)
    low, high = limits
    if low.value > high.value:
        raise UsageError(
            f"The interval goes from {low.given} down to {high.given}; write the lower limit first."
        )
    if not low.value <= value.value <= high.value:
        raise UsageError(
            f"The value {value.given} is outside its interval, {low.given} to {high.given}. "
            "Correct one of them."
        )
    return Sought(value, low, high)


def check_level(level: float) -> None:
    """Raise UsageError where a confidence level is not from 50 to 99.99 %."""
    if not _LEVELS[0] <= level <= _LEVELS[1]:
        raise UsageError(
            f"The confidence level is {level:g}; it lies from {_LEVELS[0]} to {_LEVELS[1]}, for example 0.95."
        )
