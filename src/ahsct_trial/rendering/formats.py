"""Figures as text: the only place that decides how a number looks."""

from __future__ import annotations

from ahsct_trial.escaping import shown
from ahsct_trial.results import Distribution, Interval
from ahsct_trial.rounding import round_half_up

NOTHING = "–"


def count(n: int | None) -> str:
    """A whole number with thousands separated."""
    return NOTHING if n is None else f"{n:,}"


def fraction(n: int | None, of: int | None) -> str:
    """A count of a count."""
    return NOTHING if n is None or of is None else f"{n:,} of {of:,}"


def number(value: float | None, decimals: int) -> str:
    """A number with fixed decimals, half up."""
    return NOTHING if value is None else round_half_up(value, decimals)


def significant(value: float | None) -> str:
    """A rate or ratio: two decimals, below 0.1 two significant digits, and a bare 0."""
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    if abs(value) >= 0.095:
        return round_half_up(value, 2)
    decimals = 2
    while abs(value) * 10**decimals < 10 and decimals < 10:
        decimals += 1
    return round_half_up(value, decimals)


def percent(value: float | None, *, sign: bool = True) -> str:
    """A proportion from 0 to 1 as a percentage with one decimal."""
    if value is None:
        return NOTHING
    return round_half_up(100 * value, 1) + (" %" if sign else "")


def percent_range(low: float | None, high: float | None) -> str:
    """Limits of a proportion as percentages."""
    if low is None and high is None:
        return NOTHING
    return f"{percent(low, sign=False)}–{percent(high, sign=False)}"


def significant_range(low: float | None, high: float | None) -> str:
    """Limits of a rate or a ratio."""
    if low is None and high is None:
        return NOTHING
    return f"{significant(low)}–{significant(high)}"


def proportion(interval: Interval) -> str:
    """A proportion with its limits in brackets."""
    if interval.value is None:
        return NOTHING
    return f"{percent(interval.value)} ({percent_range(interval.ci_low, interval.ci_high)})"


def distribution(values: Distribution, decimals: int) -> str:
    """Median and range."""
    if not values.n:
        return NOTHING
    low, high = number(values.min, decimals), number(values.max, decimals)
    return f"median {number(values.median, decimals)} ({low}–{high})"


def counts(by_text: dict[str, int], most: int = 6) -> str:
    """Texts with their counts, the most frequent first; the rest are counted together."""
    if not by_text:
        return NOTHING
    parts = [f"{shown(text)} {n:,}" for text, n in list(by_text.items())[:most]]
    n_more = len(by_text) - most
    return ", ".join(parts) + (f", and {n_more:,} more" if n_more > 0 else "")


def level(confidence: float) -> str:
    """A confidence level as a percentage without needless decimals."""
    return f"{100 * confidence:g} %"
