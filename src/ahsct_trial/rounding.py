"""How a figure is rounded: half up, in one place, as papers print it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def round_half_up(value: float, decimals: int) -> str:
    """Print a number with a fixed number of decimals; a half goes away from zero.

    The number is rounded as its shortest decimal form reads, so that 0.285 becomes 0.29 although the
    nearest binary number lies below it.
    """
    return f"{Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):f}"
