"""Figures as text: the only place that decides how a number looks."""

from __future__ import annotations

from collections.abc import Iterable

from ahsct_trial.escaping import shown
from ahsct_trial.results import Distribution, Interval
from ahsct_trial.rounding import decimals_for, round_half_up

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
    return round_half_up(value, max(2, min(decimals_for(value, 2), 10)))


def percent(value: float | None, *, sign: bool = True) -> str:
    """A proportion from 0 to 1 as a percentage with one decimal."""
    if value is None:
        return NOTHING
    return round_half_up(value, 1, shift=2) + (" %" if sign else "")


def percent_range(low: float | None, high: float | None) -> str:
    """Limits of a proportion as percentages."""
    return _span(low, high, percent(low, sign=False), percent(high, sign=False))


def significant_range(low: float | None, high: float | None) -> str:
    """Limits of a rate or a ratio."""
    return _span(low, high, significant(low), significant(high))


def _span(low: float | None, high: float | None, low_text: str, high_text: str) -> str:
    """Two limits; an upper one that is missing beside a lower one is without bound."""
    if low is None:
        return NOTHING
    return f"{low_text}–{high_text}" if high is not None else f"{low_text}–∞"


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


def own_figure(value: float | None, of: float | None, unit: str, share_of: int | None = None) -> str:
    """A cohort's figure beside a published one: a percentage of n, a rate, a count, or a count of a count."""
    if value is None:
        return NOTHING
    if unit == "%":
        return percent(value) + ("" if share_of is None else f", n {share_of:,}")
    own = count(value) if isinstance(value, int) else significant(value)
    return own if of is None else f"{own} of {number(of, 0)}"


def listed(texts: Iterable[str]) -> str:
    """Texts as a sentence lists them: "2, 5 and 10"."""
    *others, last = texts
    return f"{', '.join(others)} and {last}" if others else last
