"""Figures as a paper prints them."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

ROUNDINGS = (ROUND_HALF_UP, ROUND_HALF_EVEN)


def printed(figure: float | Fraction, decimals: int, rounding: str = ROUND_HALF_UP, shift: int = 2) -> str:
    """A proportion as a percentage (a rate with `shift` 0), as a paper prints it."""
    if isinstance(figure, Fraction):
        exact = Decimal(figure.numerator) / Decimal(figure.denominator)
    else:
        exact = Decimal(repr(float(figure)))
    return f"{exact.scaleb(shift).quantize(Decimal(1).scaleb(-decimals), rounding):f}"


def percent_sign(*texts: str) -> tuple[str, ...]:
    """Figures below 1 % may look like fractions."""
    return tuple(f"{text}%" for text in texts)


def may_be_printed(figure: float | Fraction, text: str) -> bool:
    """Whether one of the two roundings prints this, ties of ratios decided by Fraction."""
    decimals = len(text.partition(".")[2])
    if abs(100 * float(figure) - float(text)) > 10**-decimals:  # no rounding goes further than half of it
        return False
    if isinstance(figure, float):
        return any(Decimal(printed(figure, decimals, rounding)) == Decimal(text) for rounding in ROUNDINGS)
    unit = Fraction(1, 10**decimals)
    distance = 100 * figure - Fraction(text)
    is_even = int(Fraction(text) / unit) % 2 == 0
    return -unit / 2 <= distance < unit / 2 or (is_even and distance == unit / 2)
