"""How a figure is rounded: half up, in one place, as papers print it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

#: More digits than the longest float has in front of the point and behind it as they are printed.
_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)


def round_half_up(value: float, decimals: int, *, shift: int = 0) -> str:
    """Print a number with a fixed number of decimals; a half goes away from zero.

    The number is rounded as its shortest decimal form reads, so that 0.285 becomes 0.29 although the
    nearest binary number lies below it. The point is moved to the right by `shift` before that: 2 makes a
    percentage of a proportion, where a product with 100 would already be another binary number.
    """
    exact = Decimal(repr(float(value))).scaleb(shift, _EXACT)
    return f"{exact.quantize(Decimal(1).scaleb(-decimals), context=_EXACT):f}"


def decimals_for(value: float, digits: int) -> int:
    """Give the number of decimals that shows so many significant digits of a number other than 0."""
    rounded = Context(prec=digits, rounding=ROUND_HALF_UP).create_decimal(repr(float(value)))
    return digits - 1 - rounded.adjusted()
