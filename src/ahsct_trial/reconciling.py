"""Which counts and which interval method lead to a published percentage or rate.

A figure *fits* if it rounds to the printed one, by rounding half up or half even. The percentage of a count
is compared as the ratio of whole numbers that it is, so that half a digit is decided exactly.

How a percentage is searched for
    Every count from 0 to n is a candidate, for every n in range and every method. With n up to 5,000 there
    are more than 10⁸ intervals; most are ruled out before they are computed. For one n and one method both
    limits rise with the count; if the limits of the highest count whose percentage is near enough are still
    too low, or those of the lowest too high, no count between them fits. The limits of log, log-log and logit
    may turn where fewer than z² patients stand on one side (z the normal quantile of the level), so these
    counts are always computed. No exact fit can be missed. Partial fits are sought where fewer than 100 fit
    exactly, within a distance of the printed figures that grows until there are enough of them, or until
    going on would take many more intervals; within that distance, too, none is missed. A small range of n is
    searched whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, get_args

import numpy as np

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.estimators import proportions, rates
from ahsct_trial.estimators.survival import CiMethod
from ahsct_trial.results import SCHEMA_VERSION, TOOL, Tool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Limits = tuple[NDArray[np.float64], NDArray[np.float64]]

#: Denominators that are searched where none are given, and the largest that may be given.
DEFAULT_RANGE = (1, 5_000)
LARGEST_N = 10_000

#: Interval of a proportion from counts, arrays of one shape, and a level, by name.
_OF_PROPORTION: dict[str, Callable[..., Limits]] = {
    **{method: partial(proportions.uncensored_kaplan_meier, method=method) for method in get_args(CiMethod)},
    "clopper-pearson": proportions.clopper_pearson,
    "wilson": proportions.wilson,
    "wilson-cc": proportions.wilson_corrected,
    "jeffreys": proportions.jeffreys,
    "agresti-coull": proportions.agresti_coull,
    "wald": proportions.wald,
}
_OF_RATE: dict[str, Callable[..., Limits]] = {
    "garwood": rates.garwood,
    "byar": rates.byar,
    "log-wald": rates.log_wald,
}

_LEVELS = (0.5, 0.9999)
#: So many exact fits and so many partial ones are kept; the number of exact ones is always known.
_MOST_EXACT, _MOST_PARTIAL = 1_000, 100
#: With no more candidates than this the search is for all of them.
_FEW = 20_000
#: No wider search that needs more intervals than this, once something was found.
_MANY = 100_000
#: More than what rounding in binary may add to a limit.
_HAIR = 1e-12

# The Lancet prints a raised point.
_NUMBER = re.compile(r"([0-9]{1,9})(?:[.·]([0-9]{1,12}))?")
_CANDIDATE = np.dtype(
    [
        ("n_counted", np.int64),
        ("n", np.int64),
        ("method", np.int64),
        ("estimate", np.float64),
        ("ci_low", np.float64),
        ("ci_high", np.float64),
        ("value_fits", np.bool_),
        ("low_fits", np.bool_),
        ("high_fits", np.bool_),
        ("off", np.float64),
    ]
)


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """A count and a method beside the published percentage.

    Attributes
    ----------
    n_counted, n_others, n
        Patients whom the percentage counts, the others, and both together. Where it is the percentage
        event-free, the others had the event.
    method
        The interval; None where no interval is published.
    estimate, ci_low, ci_high
        What they give, 0 to 1.
    value_fits, low_fits, high_fits
        Whether each rounds to the published one; None where none is published.
    off
        The largest difference of a figure that does not fit from the published one, 0 to 1; 0 if all fit.
    """

    n_counted: int
    n_others: int
    n: int
    method: str | None
    estimate: float
    ci_low: float | None
    ci_high: float | None
    value_fits: bool
    low_fits: bool | None
    high_fits: bool | None
    off: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciliation:
    """Where a published percentage may come from.

    Attributes
    ----------
    value, ci_low, ci_high
        The published figures; limits are None where none were given.
    is_fraction
        Whether they were given as fractions of 1 and not as percentages.
    n_from, n_to, methods
        What was searched.
    n_exact
        How many counts and methods give all that is published.
    exact
        The first 1,000 of them, by n, count and method.
    partial
        The 100 nearest that give a part of it; none where 100 give all of it. First those that give the value
        and a limit, then both limits, the value alone, one limit alone; the nearest first in each.
    nearest
        The one with the smallest `off`, whether any figure fits or not; None where there is an exact fit.
    """

    schema_version: int
    tool: Tool
    value: PrintedFigure
    ci_low: PrintedFigure | None
    ci_high: PrintedFigure | None
    is_fraction: bool
    confidence_level: float
    n_from: int
    n_to: int
    methods: tuple[str, ...]
    n_exact: int
    exact: tuple[Fit, ...]
    partial: tuple[Fit, ...]
    nearest: Fit | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RateFit:
    """A method and an exposure beside the published rate.

    Attributes
    ----------
    method
        The interval; None where no interval is published.
    exposure
        The printed exposure, or where it does not lead to the published figures and another one that rounds
        to it does, that one.
    is_printed_exposure
        Whether it is the printed one.
    estimate, ci_low, ci_high
        The rate and its limits with that exposure.
    value_fits, low_fits, high_fits
        Whether each rounds to the published one; None where none is published.
    off
        The largest difference of a figure that does not fit from the published one; 0 if all fit.
    """

    method: str | None
    exposure: float
    is_printed_exposure: bool
    estimate: float
    ci_low: float | None
    ci_high: float | None
    value_fits: bool
    low_fits: bool | None
    high_fits: bool | None
    off: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RateReconciliation:
    """Which method makes a published rate of published counts; the fields are those of `Reconciliation`.

    `exact` and `partial` together are all methods that are defined for the count and fit in any part.
    """

    schema_version: int
    tool: Tool
    value: PrintedFigure
    ci_low: PrintedFigure | None
    ci_high: PrintedFigure | None
    confidence_level: float
    n_events: int
    exposure: PrintedFigure
    methods: tuple[str, ...]
    n_exact: int
    exact: tuple[RateFit, ...]
    partial: tuple[RateFit, ...]
    nearest: RateFit | None


@dataclass(frozen=True, slots=True)
class _Printed:
    """A figure as printed: `digits` ÷ 10^`places`."""

    given: str
    digits: int
    places: int

    @property
    def value(self) -> Fraction:
        return Fraction(self.digits, 10**self.places)

    @property
    def half(self) -> Fraction:
        """Half a unit of the last digit."""
        return Fraction(1, 2 * 10**self.places)

    @property
    def lowest(self) -> float:
        return float(self.value - self.half)

    @property
    def highest(self) -> float:
        return float(self.value + self.half)

    @property
    def is_even(self) -> bool:
        """Whether half even comes down to it from the half above; half up always comes up from below."""
        return self.digits % 2 == 0

    def fits(self, figures: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which figures round to this one; NaN does not."""
        is_below = figures <= self.highest if self.is_even else figures < self.highest
        return np.asarray((figures >= self.lowest) & is_below)

    def fits_ratio(self, numerator: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which ratios of whole numbers up to 10,000 round to this one, exactly."""
        doubled = 2 * 10**self.places * numerator
        above = (2 * self.digits + 1) * of
        is_below = doubled <= above if self.is_even else doubled < above
        return np.asarray((doubled >= (2 * self.digits - 1) * of) & is_below)

    def off(self, figures: NDArray[np.float64], is_fit: NDArray[np.bool_]) -> NDArray[np.float64]:
        """How far figures lie from this one; 0 where they fit."""
        return np.where(is_fit, 0.0, np.abs(figures - float(self.value)))

    def as_figure(self, shift: int) -> PrintedFigure:
        read_as = Decimal(self.digits).scaleb(shift - self.places)
        return PrintedFigure(
            given=self.given, read_as=f"{read_as:f}", lowest=max(self.lowest, 0.0), highest=self.highest
        )


@dataclass(frozen=True, slots=True)
class _Sought:
    """What is published: a value and, unless there is no interval, its limits."""

    value: _Printed
    low: _Printed | None
    high: _Printed | None

    def figures(self) -> list[_Printed]:
        """The value and, where there is an interval, its limits."""
        return [self.value, *(printed for _, printed in self.limits())]

    def limits(self) -> list[tuple[str, _Printed]]:
        """The limits by name; empty where there is no interval."""
        named = (("low", self.low), ("high", self.high))
        return [(name, printed) for name, printed in named if printed is not None]


@dataclass(frozen=True, slots=True)
class _Counts:
    """Counts from `first` to `last` of each `n`; none where `first` is beyond `last`."""

    n: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @property
    def n_each(self) -> NDArray[np.int64]:
        return np.asarray(np.maximum(self.last - self.first + 1, 0))

    @property
    def size(self) -> int:
        return int(self.n_each.sum())

    def expanded(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Each count, and its n."""
        n_each = self.n_each
        before = np.cumsum(n_each) - n_each
        return np.arange(n_each.sum()) + np.repeat(self.first - before, n_each), np.repeat(self.n, n_each)


def reconcile(
    value: str,
    ci: tuple[str, str] | None = None,
    n: tuple[int, int] = DEFAULT_RANGE,
    level: float = 0.95,
) -> Reconciliation:
    """Find the counts and interval methods that give a published percentage.

    The methods are those of Kaplan–Meier without censoring (log-log, log, plain, logit, arcsin),
    Clopper–Pearson, Wilson with and without continuity correction, Jeffreys, Agresti–Coull and Wald; see
    `estimators.proportions`.

    Parameters
    ----------
    value
        The percentage as printed, since its digits say how it was rounded: ``"69.6"``. Figures that are all
        at most 1, one of them between 0 and 1, and without a single decimal are read as fractions
        (``"0.696"``); a percent sign makes them percentages.
    ci
        Lower and upper limit as printed.
    n
        Smallest and largest number of patients to consider.
    level
        Two-sided confidence level of the interval, from 0.5 to 0.9999.

    Returns
    -------
    Reconciliation
        What fits exactly, what fits in part, and if nothing fits exactly, the nearest.

    Raises
    ------
    UsageError
        If a figure is no percentage, the limits do not enclose the value, or a range or the level is
        impossible.
    """
    _check_level(level)
    n_from, n_to = _checked_range(*n)
    sought, is_fraction = _percentages(value, ci)
    numbers = np.arange(n_from, n_to + 1)
    if sought.low is None:
        n_exact, exact, others = _by_value(sought.value, numbers)
        partial_fits = others[:0]
    else:
        ranges = _not_ruled_out(sought, numbers, level, 0.0)
        everywhere = np.concatenate([*_candidates(sought, ranges, level, 0.0)])
        n_exact, exact = (
            everywhere.size,
            _ordered(everywhere, "off", "n", "n_counted", "method")[:_MOST_EXACT],
        )
        # Nobody asks for a part of it where a hundred give all.
        others = _near(sought, numbers, level) if n_exact < _MOST_PARTIAL else everywhere[:0]
        partial_fits = _ranked(_ordered(others[_part(others) > 0], "off")[:_MOST_PARTIAL])
    nearest = None if n_exact else _fits(_ordered(others, "off", "n", "n_counted", "method")[:1])[0]
    return Reconciliation(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        value=sought.value.as_figure(2),
        ci_low=None if sought.low is None else sought.low.as_figure(2),
        ci_high=None if sought.high is None else sought.high.as_figure(2),
        is_fraction=is_fraction,
        confidence_level=level,
        n_from=n_from,
        n_to=n_to,
        methods=() if ci is None else tuple(_OF_PROPORTION),
        n_exact=n_exact,
        exact=_fits(exact),
        partial=_fits(partial_fits),
        nearest=nearest,
    )


def reconcile_rate(
    value: str, counts: tuple[str, str], ci: tuple[str, str] | None = None, level: float = 0.95
) -> RateReconciliation:
    """Find the interval methods that give a published rate of published events and exposure.

    The methods are Garwood, Byar and log-Wald; see `estimators.rates`. The exposure counts as
    rounded: a method also fits if it does with another exposure that rounds to the printed one.

    Parameters
    ----------
    value
        The rate as printed, in events per unit of the exposure: ``"1.19"``.
    counts
        Events and exposure as printed: ``("167", "140")``.
    ci
        Lower and upper limit as printed.
    level
        Two-sided confidence level of the interval, from 0.5 to 0.9999.

    Returns
    -------
    RateReconciliation
        What fits exactly, what fits in part, and if nothing fits exactly, the nearest.

    Raises
    ------
    UsageError
        If a figure is no rate, the limits do not enclose the value, or counts or the level are impossible.
    """
    _check_level(level)
    texts = [("The rate", value), *zip(("The lower limit", "The upper limit"), ci or (), strict=False)]
    sought = _enclosing(_sought([_number(text, what, "a number such as 1.19") for what, text in texts]))
    events, exposure = counts[0].strip(), _number(counts[1], "The exposure", "a number such as 140")
    if not re.fullmatch("[0-9]{1,9}", events):
        raise UsageError(f"The number of events is {shown(events)!r}; write a whole number such as 167.")
    if not exposure.digits:
        raise UsageError(f"The exposure is {shown(exposure.given)}; a rate needs one above 0.")
    n_events = int(events)
    fits = sorted(_rate_fits(sought, n_events, exposure, level), key=_rank)
    exact = tuple(fit for fit in fits if fit.off == 0)
    return RateReconciliation(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        value=sought.value.as_figure(0),
        ci_low=None if sought.low is None else sought.low.as_figure(0),
        ci_high=None if sought.high is None else sought.high.as_figure(0),
        confidence_level=level,
        n_events=n_events,
        exposure=exposure.as_figure(0),
        methods=() if ci is None else tuple(_OF_RATE),
        n_exact=len(exact),
        exact=exact,
        partial=tuple(fit for fit in fits if fit.off and (fit.value_fits or fit.low_fits or fit.high_fits)),
        nearest=None if exact else min(fits, key=lambda fit: fit.off),
    )


# ---- What was given -----------------------------------------------------------------------------------


def split_limits(text: str) -> tuple[str, str]:
    """Take ``LOW:HIGH`` apart.

    Raises
    ------
    UsageError
        If it is not of that form.
    """
    low, *high = text.split(":")
    if len(high) != 1:
        raise UsageError(f"The interval is {shown(text)!r}; write LOW:HIGH, for example 46.6:84.2.")
    return low, high[0]


def split_range(text: str) -> tuple[int, int]:
    """Take a range of denominators apart: ``A:B``, or one number.

    Raises
    ------
    UsageError
        If it is not of that form.
    """
    first, *last = text.split(":")
    ends = (first, *(last or [first]))
    if len(ends) != 2 or not all(re.fullmatch("[0-9]{1,9}", end) for end in ends):
        raise UsageError(f"The range of n is {shown(text)!r}; write A:B, for example 20:24, or one number.")
    return int(ends[0]), int(ends[1])


def split_counts(text: str) -> tuple[str, str]:
    """Take ``EVENTS/TIME`` apart.

    Raises
    ------
    UsageError
        If it is not of that form.
    """
    events, *exposure = text.split("/")
    if len(exposure) != 1:
        raise UsageError(f"The counts are {shown(text)!r}; write EVENTS/TIME, for example 167/140.")
    return events, exposure[0]


def _check_level(level: float) -> None:
    if not _LEVELS[0] <= level <= _LEVELS[1]:
        raise UsageError(
            f"The confidence level is {level:g}; it lies from {_LEVELS[0]} to {_LEVELS[1]}, for example 0.95."
        )


def _checked_range(n_from: int, n_to: int) -> tuple[int, int]:
    if n_from < 1:
        raise UsageError(f"The range of n begins with {n_from}; a percentage needs at least 1 patient.")
    if n_from > n_to:
        raise UsageError(
            f"The range of n goes from {n_from} down to {n_to}; write it upwards, {n_to}:{n_from}."
        )
    if n_to > LARGEST_N:
        raise UsageError(f"The range of n ends with {n_to:,}; at most {LARGEST_N:,} patients are searched.")
    return n_from, n_to


def _number(text: str, what: str, form: str) -> _Printed:
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"{what} is {shown(text)!r}; write {form}, with a point and at most 12 decimals, not negative."
        )
    whole, decimals = match[1], match[2] or ""
    return _Printed(text.strip(), int(whole + decimals), len(decimals))


def _percentages(value: str, ci: tuple[str, str] | None) -> tuple[_Sought, bool]:
    """Read percentages, or fractions where all are at most 1, as no percentage is likely to be printed.

    One of them must be between 0 and 1. A figure with one decimal is a percentage: 0.5 % is often printed, a
    fraction of one digit is not.
    """
    names = ("The percentage", "The lower limit", "The upper limit")
    texts = [value, *(ci or ())]
    printed = [
        _number(text.strip().removesuffix("%"), what, "a percentage such as 69.6")
        for what, text in zip(names, texts, strict=False)
    ]
    is_fraction = (
        all(each.value <= 1 and each.places != 1 for each in printed)
        and any(0 < each.value < 1 for each in printed)
        and not any("%" in text for text in texts)
    )
    if not is_fraction:
        printed = [_Printed(each.given, each.digits, each.places + 2) for each in printed]
    for what, each in zip(names, printed, strict=False):
        if each.value > 1:
            raise UsageError(f"{what} is {shown(each.given)}; a percentage lies from 0 to 100.")
    return _enclosing(_sought(printed)), is_fraction


def _sought(printed: list[_Printed]) -> _Sought:
    value, low, high = (*printed, None, None)[:3]
    assert value is not None
    return _Sought(value, low, high)


def _enclosing(sought: _Sought) -> _Sought:
    value, low, high = sought.value, sought.low, sought.high
    if low is not None and high is not None:
        if low.value > high.value:
            raise UsageError(
                f"The interval goes from {low.given} down to {high.given}; write the lower limit first."
            )
        if not low.value <= value.value <= high.value:
            raise UsageError(
                f"The value {value.given} is outside its interval, {low.given} to {high.given}. "
                "Correct one of them."
            )
    return sought


# ---- Percentages --------------------------------------------------------------------------------------


def _by_value(value: _Printed, n: NDArray[np.int64]) -> tuple[int, NDArray[np.void], NDArray[np.void]]:
    """How many counts give a percentage, the first of them, and the nearest for each n."""
    per_n = 2 * 10**value.places
    first = np.maximum(-((1 - 2 * value.digits) * n // per_n), 0)
    last = np.minimum(((2 * value.digits + 1) * n - (not value.is_even)) // per_n, n)
    counts = _Counts(n, first, last)
    enough = int(np.searchsorted(np.cumsum(counts.n_each), _MOST_EXACT)) + 1
    exact = _valued(value, _Counts(n[:enough], first[:enough], last[:enough]))[:_MOST_EXACT]
    near = np.rint(n * float(value.value)).astype(np.int64)
    return counts.size, exact, _valued(value, _Counts(n, near, near))


def _valued(value: _Printed, counts: _Counts) -> NDArray[np.void]:
    """Counts without an interval as candidates."""
    counted, n = counts.expanded()
    found = np.zeros(n.size, _CANDIDATE)
    found["n_counted"], found["n"], found["method"] = counted, n, -1
    found["estimate"] = counted / n
    found["value_fits"] = value.fits_ratio(counted, n)
    found["off"] = value.off(found["estimate"], found["value_fits"])
    return found


def _near(sought: _Sought, n: NDArray[np.int64], level: float) -> NDArray[np.void]:
    """Candidates that do not fit exactly, out to a distance at which there are enough that fit in part."""
    # A figure that does not fit is further off than half a unit of its last digit.
    nearest = 1.0 if np.sum(n + 1) <= _FEW else 1.1 * max(float(each.half) for each in sought.figures())
    within = nearest
    growth = 4.0
    found = np.zeros(0, _CANDIDATE)
    while True:
        ranges = _not_ruled_out(sought, n, level, within)
        if sum(each.size for each in ranges) > _MANY and within > nearest:
            if found.size:
                return found
            if growth > 1.1:  # nothing was found before this step: take a smaller one
                within, growth = within / growth**0.5, growth**0.5
                continue
        found = np.concatenate([_nearest(each) for each in _candidates(sought, ranges, level, within)])
        if within >= 1 or np.count_nonzero(_part(found)) >= _MOST_PARTIAL:
            return found
        within *= growth


def _nearest(found: NDArray[np.void]) -> NDArray[np.void]:
    """Of those that do not fit exactly, as many that fit in part as are kept, and the nearest one."""
    found = _ordered(found[found["off"] > 0], "off", "n", "n_counted")
    is_kept = _part(found) > 0
    is_kept &= np.cumsum(is_kept) <= _MOST_PARTIAL
    is_kept[:1] = True
    return found[is_kept]


def _candidates(
    sought: _Sought, ranges: list[_Counts], level: float, within: float
) -> Iterator[NDArray[np.void]]:
    """For each method the counts none of whose figures is further off than `within`; 0 is an exact fit."""
    for number, (limits, counts) in enumerate(zip(_OF_PROPORTION.values(), ranges, strict=True)):
        found = _valued(sought.value, counts)
        found["method"] = number
        found["ci_low"], found["ci_high"] = limits(found["n_counted"], found["n"], level=level)
        for name, printed in sought.limits():
            figures = found[f"ci_{name}"]
            found[f"{name}_fits"] = printed.fits(figures)
            found["off"] = np.maximum(found["off"], printed.off(figures, found[f"{name}_fits"]))
        # An undefined limit makes `off` NaN, and that is not within anything.
        yield found[found["off"] <= within]


def _not_ruled_out(sought: _Sought, n: NDArray[np.int64], level: float, within: float) -> list[_Counts]:
    """For each method the counts that may have all figures within a distance."""
    reach = float(sought.value.half) + within
    first = np.maximum(np.floor(n * (float(sought.value.value) - reach)).astype(np.int64), 0)
    last = np.minimum(np.ceil(n * (float(sought.value.value) + reach)).astype(np.int64), n)
    edge = int(np.ceil(proportions.normal_quantile(level) ** 2))
    # Limits rise with the count from `bottom` to `top`; the few counts below and above are not ruled out.
    bottom, top = np.maximum(first, edge), np.minimum(last, n - edge)
    below = _Counts(n, first, np.minimum(last, edge - 1))
    above = _Counts(n, np.maximum(first, np.maximum(edge, n - edge + 1)), last)
    has_middle = bottom <= top
    of, bottom, top = n[has_middle], bottom[has_middle], top[has_middle]
    ranges = []
    for limits in _OF_PROPORTION.values():
        is_in = np.ones(of.size, np.bool_)
        ends = zip(limits(bottom, of, level=level), limits(top, of, level=level), strict=True)
        for (_, printed), (lowest, highest) in zip(sought.limits(), ends, strict=True):
            centre, reach = float(printed.value), float(printed.half) + within + _HAIR
            is_in &= (highest >= centre - reach) & (lowest <= centre + reach)
        middle = (of[is_in], bottom[is_in], top[is_in])
        columns = zip(
            *((each.n, each.first, each.last) for each in (below, _Counts(*middle), above)), strict=True
        )
        ranges.append(_Counts(*map(np.concatenate, columns)))
    return ranges


def _part(found: NDArray[np.void]) -> NDArray[np.int64]:
    """How much of what is published fits: 0 nothing, to 4 the value and a limit."""
    n_limits = found["low_fits"].astype(np.int64) + found["high_fits"]
    value_fits = found["value_fits"]
    return np.select([value_fits & (n_limits > 0), n_limits == 2, value_fits, n_limits == 1], [4, 3, 2, 1], 0)


def _ranked(found: NDArray[np.void]) -> NDArray[np.void]:
    found = _ordered(found, "off", "n", "n_counted", "method")
    return found[np.argsort(-_part(found), kind="stable")]


def _ordered(found: NDArray[np.void], *names: str) -> NDArray[np.void]:
    return found[np.lexsort([found[name] for name in reversed(names)])]


def _fits(found: NDArray[np.void]) -> tuple[Fit, ...]:
    names = tuple(_OF_PROPORTION)
    return tuple(
        Fit(
            n_counted=counted,
            n_others=n - counted,
            n=n,
            method=None if method < 0 else names[method],
            estimate=estimate,
            ci_low=None if method < 0 else low,
            ci_high=None if method < 0 else high,
            value_fits=value_fits,
            low_fits=None if method < 0 else low_fits,
            high_fits=None if method < 0 else high_fits,
            off=off,
        )
        for counted, n, method, estimate, low, high, value_fits, low_fits, high_fits, off in found.tolist()
    )


# ---- Rates --------------------------------------------------------------------------------------------


def _rate_fits(sought: _Sought, n_events: int, exposure: _Printed, level: float) -> Iterator[RateFit]:
    """For each method the exposure, of those that round to the printed one, that gives the most."""
    for name in _OF_RATE if sought.low is not None else [None]:
        counts = np.array([n_events, np.nan, np.nan])
        if name is not None:
            counts[1:] = np.ravel(_OF_RATE[name](n_events, 1, level))
            if np.isnan(counts).any():
                continue  # log-Wald has no limits without events
        fits = [
            _rate_fit(name, sought, n_events, counts, each, is_printed=each == exposure.value)
            for each in _exposures(sought, counts, exposure)
        ]
        yield min(fits, key=_rank)


def _exposures(sought: _Sought, counts: NDArray[np.float64], exposure: _Printed) -> list[Fraction]:
    """The printed exposure, and of those that round to it one for each set of figures that can fit at once.

    A figure is its count (events, or their limit) ÷ exposure, and so fits over one range of exposures.
    """
    given = exposure.value - exposure.half, exposure.value + exposure.half
    ranges = []
    for printed, count in zip((sought.value, sought.low, sought.high), counts.tolist(), strict=True):
        if printed is not None:
            lowest, highest = printed.value - printed.half, printed.value + printed.half
            exact = Fraction(count)
            ranges.append((exact / highest, exact / lowest if lowest > 0 else given[1]))
            if exact == 0:  # a rate of 0 over any exposure
                ranges[-1] = given if lowest <= 0 else (given[1], given[0])
    middles = [exposure.value]
    for size in range(len(ranges), 0, -1):
        for some in combinations(ranges, size):
            low = max(given[0], *(first for first, _ in some))
            high = min(given[1], *(last for _, last in some))
            if low < high:
                middles.append((low + high) / 2)
    return middles


def _rate_fit(
    method: str | None,
    sought: _Sought,
    n_events: int,
    counts: NDArray[np.float64],
    exposure: Fraction,
    *,
    is_printed: bool,
) -> RateFit:
    exact = Fraction(n_events) / exposure
    estimate, low, high = (np.array([float(exact)]), *np.split(counts[1:] / float(exposure), 2))
    # The published value may be a tie, and the rate of the printed exposure exactly that.
    lowest, highest = sought.value.value - sought.value.half, sought.value.value + sought.value.half
    value_fits = lowest <= exact < highest or (sought.value.is_even and exact == highest)
    off = [0.0 if value_fits else abs(float(exact - sought.value.value))]
    fits: list[bool | None] = []
    for printed, limit in ((sought.low, low), (sought.high, high)):
        is_fit = None if printed is None else bool(printed.fits(limit)[0])
        fits.append(is_fit)
        if printed is not None:
            off.append(float(printed.off(limit, printed.fits(limit))[0]))
    return RateFit(
        method=method,
        exposure=float(exposure),
        is_printed_exposure=is_printed,
        estimate=float(estimate[0]),
        ci_low=None if method is None else float(low[0]),
        ci_high=None if method is None else float(high[0]),
        value_fits=value_fits,
        low_fits=fits[0],
        high_fits=fits[1],
        off=max(off),
    )


def _rank(fit: RateFit) -> tuple[float, ...]:
    n_limits = bool(fit.low_fits) + bool(fit.high_fits)
    part = 4 if fit.value_fits and n_limits else 3 if n_limits == 2 else 2 * fit.value_fits or n_limits
    return (fit.off > 0, -part, fit.off, not fit.is_printed_exposure)
