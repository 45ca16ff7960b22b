"""Figures as text: the only place that decides how a number looks."""

from __future__ import annotations

from decimal import Decimal

from ahsct_trial.escaping import shown
from ahsct_trial.results import Distribution, Estimate, FollowUp, Unit
from ahsct_trial.rounding import decimals_for, round_half_up
from ahsct_trial.wording import listed as listed  # noqa: PLC0414

NOTHING = "–"
#: From here on the digits before the point of a rate or ratio say no more than how many they are.
_LARGE = 1e7
#: With fewer patients no percentage stands without its count.
FEW = 5

#: What follows a value of each unit, and how a value is rounded, as documents name it.
_WORDS: dict[Unit, str] = {
    "share": " %",
    "difference": " points",
    "per_year": " per year",
    "per_scan": " per scan",
    "ratio": "",
    "years": " years",
}
_PERCENT = "percent, 1 decimal, half up"
_SIGNIFICANT = "2 decimals or 2 significant digits, half up"
ROUNDING: dict[Unit, str] = {
    "share": _PERCENT,
    "difference": "percentage points, 1 decimal, half up",
    "per_year": _SIGNIFICANT,
    "per_scan": _SIGNIFICANT,
    "ratio": _SIGNIFICANT,
    "years": "1 decimal, half up",
}
#: What an interval method is called in a sentence.
_METHODS = {
    "clopper-pearson": "exact",
    "garwood": "exact",
    "exact-conditional": "exact",
    "negative-binomial-profile": "negative binomial",
    "beta-product": "beta product",
    "miettinen-nurminen": "Miettinen–Nurminen",
    "square-and-add": "square and add",
    "cox-efron-profile": "Cox, profile likelihood",
    "firth-profile": "Firth, profile likelihood",
}


def count(n: int | None) -> str:
    """A whole number with thousands separated."""
    return NOTHING if n is None else f"{n:,}"


def fraction(n: int | None, of: int | None) -> str:
    """A count of a count."""
    return NOTHING if n is None or of is None else f"{n:,} of {of:,}"


def number(value: float | None, decimals: int) -> str:
    """A number with fixed decimals, half up."""
    return NOTHING if value is None else _minus(round_half_up(value, decimals))


def significant(value: float | None) -> str:
    """A rate or ratio: two decimals, below 0.1 two significant digits, a bare 0, and a power of ten from 10⁷ on."""
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    if abs(value) >= _LARGE:
        return _minus(f"{value:.1e}")
    return _minus(round_half_up(value, max(2, min(decimals_for(value, 2), 10))))


def percent(value: float | None, *, sign: bool = True) -> str:
    """A proportion from 0 to 1 as a percentage with one decimal."""
    if value is None:
        return NOTHING
    return _minus(round_half_up(value, 1, shift=2)) + (" %" if sign else "")


def _minus(number: str) -> str:
    """A number with a sign that is as wide as a digit; what rounds to 0 has none."""
    if not number.startswith("-"):
        return number
    return f"−{number[1:]}" if number.strip("-0.") else number[1:]


def bare(value: float | None, unit: Unit) -> str:
    """A value in its unit, without the unit's word."""
    match unit:
        case "share" | "difference":
            return percent(value, sign=False)
        case "years":
            return number(value, 1)
        case "per_year" | "per_scan" | "ratio":
            return significant(value)


def value(estimate: Estimate) -> str:
    """A statistic with the word of its unit: "95.8 %", "1.19 per year", "6.7 years"."""
    if estimate.value is None:
        return NOTHING
    return bare(estimate.value, estimate.unit) + _WORDS[estimate.unit]


def limits(estimate: Estimate) -> str:
    """Confidence limits; one that is missing beside the other is said to be."""
    return span(estimate.ci_low, estimate.ci_high, estimate.unit)


def span(low: float | None, high: float | None, unit: Unit) -> str:
    """Two limits in a unit, without its word."""
    if low is None and high is None:
        return NOTHING
    low_text, high_text = bare(low, unit), bare(high, unit)
    if high is None:
        return f"{low_text}–∞" if unit != "years" else f"{low_text}–not reached"
    if low is None:
        return f"up to {high_text}"
    return f"{low_text} to {high_text}" if low < 0 else f"{low_text}–{high_text}"


def with_limits(estimate: Estimate) -> str:
    """A statistic with its limits in brackets, where it has them: "95.8 % (78.9–99.9)"."""
    between = limits(estimate)
    return value(estimate) if between == NOTHING else f"{value(estimate)} ({between})"


def with_interval(estimate: Estimate) -> str:
    """A statistic with its limits, their level and method: "95.8 % (95 % CI 73.9–99.4, log-log)"."""
    between = interval(estimate)
    return f"{value(estimate)} ({between})" if between else value(estimate)


def interval(estimate: Estimate) -> str:
    """Level, limits and method: "95 % CI 73.9–99.4, log-log"; empty where there are no limits."""
    between = limits(estimate)
    if between == NOTHING or estimate.confidence_level is None:
        return ""
    words = f"{level(estimate.confidence_level)} CI {between}"
    return f"{words}, {method(estimate)}" if estimate.ci_method else words


def method(estimate: Estimate) -> str:
    """What the interval method is called."""
    name = estimate.ci_method or ""
    return _METHODS.get(name, name)


def counted(estimate: Estimate) -> str:
    """The counts behind a share: "23 of 24"."""
    return NOTHING if estimate.n is None or estimate.of is None else f"{estimate.n:,} of {estimate.of:,.0f}"


def share(estimate: Estimate) -> str:
    """A share with its counts first: "1 of 24, 4.2 % (0.1–21.1)"."""
    counts_of = counted(estimate)
    if estimate.value is None or counts_of == NOTHING:
        return counts_of
    return f"{counts_of}, {with_limits(estimate)}"


def percent_range(low: float | None, high: float | None) -> str:
    """Limits of a proportion as percentages."""
    return span(low, high, "share")


def distribution(values: Distribution | FollowUp, decimals: int) -> str:
    """Median and range, called so."""
    return f"median {median_and_range(values, decimals)}" if values.n else NOTHING


def median_and_range(values: Distribution | FollowUp, decimals: int) -> str:
    """Median and range."""
    if not values.n:
        return NOTHING
    median = number(values.median, decimals)
    if values.min is None or values.max is None:  # not shown where small counts are not
        return median
    return f"{median} ({number(values.min, decimals)}–{number(values.max, decimals)})"


def counts(by_text: dict[str, int], most: int = 6) -> str:
    """Texts with their counts, the most frequent first; the rest are counted together."""
    if not by_text:
        return NOTHING
    parts = [f"{shown(text)} {n:,}" for text, n in list(by_text.items())[:most]]
    n_more = len(by_text) - most
    return ", ".join(parts) + (f", and {n_more:,} more" if n_more > 0 else "")


def p_value(p: float | None) -> str:
    """A p-value with three decimals."""
    if p is None:
        return NOTHING
    return "<0.001" if p < 0.001 else round_half_up(p, 3)


def level(confidence: float) -> str:
    """A confidence level as a percentage with all its digits: one just below 1 is not 100 %."""
    exact = float(Decimal(repr(confidence)).scaleb(2))
    return f"{exact!r} %".replace(".0 %", " %")
