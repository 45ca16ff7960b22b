"""How a figure is rounded: half up, in one place, as papers print it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

#: More digits than the longest float has in front of the point and behind it as they are printed.
_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)
#: Digits of a float that a sum or product of other floats leaves right.
_SURE_DIGITS = 12


def round_half_up(value: float, decimals: int, *, shift: int = 0) -> str:
    """Print a number with a fixed number of decimals; a half goes away from zero.

    The number is taken as the decimal number that it stands for: a product of fractions gives
    0.8124999999999999 for 0.8125, and (2.3 + 2.4) / 2 gives 2.3499999999999996. Therefore it is first rounded
    to 12 significant digits, or to three more than are printed where those are more. The point is moved to
    the right by `shift` before that: 2 makes a percentage of a proportion, where a product with 100 would
    already be another binary number.
    """
    exact = Decimal(repr(float(value))).scaleb(shift, _EXACT)
    meant = Context(prec=max(_SURE_DIGITS, exact.adjusted() + decimals + 4)).create_decimal(exact)
    return f"{meant.quantize(Decimal(1).scaleb(-decimals), context=_EXACT):f}"


def decimals_for(value: float, digits: int) -> int:
    """Give the number of decimals that shows so many significant digits of a number other than 0."""
    meant = Context(prec=max(_SURE_DIGITS, digits)).create_decimal(repr(float(value)))
    rounded = Context(prec=digits, rounding=ROUND_HALF_UP).create_decimal(meant)
    return digits - 1 - rounded.adjusted()
