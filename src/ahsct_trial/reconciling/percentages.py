"""Which counts and which interval method lead to a published percentage."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.reconciling.counts import METHODS, interval_methods, search, with_every_method
from ahsct_trial.reconciling.printed import (
    Printed,
    PrintedFigure,
    Sought,
    check_level,
    enclosing,
    read_number,
)
from ahsct_trial.reconciling.scales import ScaleFit, fit_scales
from ahsct_trial.results import SCHEMA_VERSION, TOOL, Tool
from ahsct_trial.rounding import round_half_up
from ahsct_trial.written_numbers import COUNT, NUMBER, PEOPLE, with_point

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: So many fits are kept; how many there are is always known.
_MOST_KEPT = 1_000
#: Denominators that are searched where none are given, and the largest that may be given.
DEFAULT_RANGE = (1, 5_000)
_PERCENTAGE, _LIMITS = "The percentage", ("The lower limit", "The upper limit")
LARGEST_N = 10_000


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
class InCommon:
    """What all exact fits have in common: the ranges of their counts, and their methods.

    `methods` is empty where no interval is published.
    """

    n_low: int
    n_high: int
    n_counted_low: int
    n_counted_high: int
    n_others_low: int
    n_others_high: int
    methods: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciliation:
    """Where a published percentage may come from.

    Attributes
    ----------
    value, ci_low, ci_high
        The published figures; limits are None where none were given.
    is_fraction
        Whether they (of a count its limits) were given as fractions of 1 and not as percentages.
    is_count
        Whether the value was given as a count such as 23/24. Its n is then all that is searched, and without
        limits the exact fits are the intervals of each method.
    n_from, n_to, methods
        What was searched.
    n_exact
        How many counts and methods give all that is published.
    exact
        The first 1,000 of them, by n, count and method.
    in_common
        What all of them have in common; None where there is none.
    n_cut_off, cut_off
        How many more there are if the figures were cut off (truncated) and not rounded, and the first 1,000.
        "Fits" means of these that a figure is cut off to the printed one.
    scales
        On which scales the interval is symmetric, if patients were lost before: see `ScaleFit`. Empty without
        an interval, for a value of 0 or 100 %, for limits of 0 and 100 %, and for a count.
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
    is_count: bool
    confidence_level: float
    n_from: int
    n_to: int
    methods: tuple[str, ...]
    n_exact: int
    exact: tuple[Fit, ...]
    in_common: InCommon | None
    n_cut_off: int
    cut_off: tuple[Fit, ...]
    scales: tuple[ScaleFit, ...]
    partial: tuple[Fit, ...]
    nearest: Fit | None

    @property
    def is_explained(self) -> bool:
        """Whether counts and a method, rounded or cut off, or a scale give all that is published."""
        return bool(self.n_exact or self.n_cut_off or self.possible_scales)

    @property
    def possible_scales(self) -> tuple[ScaleFit, ...]:
        """The scales on which patients as many as were asked about can have the interval."""
        return tuple(each for each in self.scales if each.is_possible)


def reconcile(
    value: str,
    ci: tuple[str, str] | None = None,
    n: tuple[int, int] | None = None,
    level: float = 0.95,
) -> Reconciliation:
    """Find the counts and interval methods that give a published percentage.

    The methods are those of Kaplan–Meier without censoring (log-log, log, plain, logit, arcsin),
    Clopper–Pearson, Wilson with and without continuity correction, Jeffreys, Agresti–Coull and Wald; see
    `estimators.proportions`. For an interval under censoring, where no count gives it, see `ScaleFit`.

    Parameters
    ----------
    value
        The percentage as printed, since its digits say how it was rounded: ``"69.6"`` or ``"69,6 %"``.
        Figures that are all at most 1, one of them between 0 and 1, and without a single decimal are read as
        fractions (``"0.696"``); a percent sign makes them percentages. Or a count, ``"23/24"`` or
        ``"23 of 24"``.
    ci
        Lower and upper limit as printed.
    n
        Smallest and largest number of patients to consider; 1 to 5,000 if left out.
    level
        Two-sided confidence level of the interval, from 0.5 to 0.9999.

    Returns
    -------
    Reconciliation
        What fits exactly, what fits if it was cut off, on which scale the interval is symmetric, what fits in
        part, and if nothing fits exactly, the nearest.

    Raises
    ------
    UsageError
        If a figure is no percentage, the limits do not enclose the value, a range or the level is impossible,
        or both a count and `n` are given.
    """
    check_level(level)
    count = _read_count(value)
    if count is None:
        n_from, n_to = _checked_range(*(n or DEFAULT_RANGE))
        sought, is_fraction = _percentages(value, ci)
        figure = sought.value.as_figure(2)
        found = search(sought, np.arange(n_from, n_to + 1), level)
        scales = fit_scales(sought, level, None if n is None else n_to)
    else:
        if n is not None:
            raise UsageError(f"{value.strip()} says of how many patients it is; leave out n.")
        counted, n_to = count
        n_from, _ = _checked_range(n_to, n_to)
        sought, is_fraction = _count_with_limits(counted, n_to, ci)
        figure = _figure_of_count(value.strip(), counted / n_to)
        found = with_every_method(sought, counted, n_to, level)
        scales = ()
    return Reconciliation(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        value=figure,
        ci_low=None if sought.low is None else sought.low.as_figure(2),
        ci_high=None if sought.high is None else sought.high.as_figure(2),
        is_fraction=is_fraction,
        is_count=count is not None,
        confidence_level=level,
        n_from=n_from,
        n_to=n_to,
        methods=tuple(interval_methods(sought)) if ci is not None or count is not None else (),
        n_exact=found.exact.size,
        exact=_fits(found.exact[:_MOST_KEPT], sought),
        in_common=_in_common(found.exact),
        n_cut_off=found.cut_off.size,
        cut_off=_fits(found.cut_off[:_MOST_KEPT], sought),
        scales=scales,
        partial=_fits(found.partial, sought),
        nearest=next(iter(_fits(found.nearest, sought)), None),
    )


def _read_count(value: str) -> tuple[int, int] | None:
    """Read a count of patients, beside which its percentage may stand, or give None where it is none."""
    match = COUNT.search(value)
    if match is None:
        return None
    counted, n = int(with_point(match["value"])), int(with_point(match["of"]))
    if counted < 0:
        return None
    around = value[: match.start()] + (match["percentage"] or "") + value[match.end() :]
    around = re.sub(PEOPLE, "", around).strip(" ()[],;")
    beside = re.fullmatch(rf"({NUMBER})\s*%", around)
    if around and beside is None:
        return None
    if counted > n:
        raise UsageError(
            f"{value.strip()} counts more patients than there are. For events over a time write the rate and "
            f"--rate {counted}/{n}."
        )
    if beside is not None and n:
        printed, share = _read_share(_PERCENTAGE, beside[1]).as_percentage(), Fraction(counted, n)
        if not any(low <= share <= high for low, high in (printed.ends, printed.cut_off().ends)):
            raise UsageError(f"{value.strip()} is {float(100 * share):.4g} %. Correct one of them.")
    return counted, n


def _percentage_of(counted: int, n: int) -> str:
    """The percentage with 12 decimals."""
    return f"{(200 * counted * 10**12 + n) // (2 * n) / Decimal(10**12):.12f}"


def _figure_of_count(given: str, share: float) -> PrintedFigure:
    decimals = 1 if share == 0 or share >= 0.01 else 2
    return PrintedFigure(
        given=given, read_as=round_half_up(share, decimals, shift=2), lowest=share, highest=share
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


def _percentages(value: str, ci: tuple[str, str] | None) -> tuple[Sought, bool]:
    """Read percentages, or fractions where all are at most 1, as no percentage is likely to be printed.

    One of them must be between 0 and 1. A figure with one decimal is a percentage: 0.5 % is often printed, a
    fraction of one digit is not.
    """
    printed = [_read_share(_PERCENTAGE, value), *_read_limits(ci)]
    is_fraction = (
        all(each.value <= 1 and each.places != 1 for each in printed)
        and any(0 < each.value < 1 for each in printed)
        and not any("%" in text for text in (value, *(ci or ())))
    )
    return _enclosing_shares(
        printed if is_fraction else [each.as_percentage() for each in printed]
    ), is_fraction


def _count_with_limits(counted: int, n: int, ci: tuple[str, str] | None) -> tuple[Sought, bool]:
    """Take a count as its percentage, and its limits as fractions where only as such they enclose it.

    Where both would, as for 0 of n, they are fractions unless they have a single decimal.
    """
    # To 12 decimals no other count of so many patients has the same percentage.
    value = _read_share(_PERCENTAGE, _percentage_of(counted, n)).as_percentage()
    limits, share = _read_limits(ci), Fraction(counted, n)
    is_fraction = False
    if limits and not any("%" in text for text in ci or ()):
        low, high = limits
        is_percentage = low.value <= 100 * share <= high.value
        # Limits of fractions that are above 1 have decimals, as Wald's have.
        is_whole = high.value > 1 and not (low.places or high.places)
        is_fraction = low.value <= share <= high.value and not (
            is_percentage and (is_whole or 1 in {low.places, high.places})
        )
    return _enclosing_shares(
        [value, *(each if is_fraction else each.as_percentage() for each in limits)]
    ), is_fraction


def _read_limits(ci: tuple[str, str] | None) -> list[Printed]:
    return [_read_share(what, text) for what, text in zip(_LIMITS, ci or (), strict=False)]


def _read_share(what: str, text: str) -> Printed:
    return read_number(
        text.strip().removesuffix("%"),
        what,
        "a percentage such as 69.6",
        may_be_thousands=False,
        may_be_negative=what in _LIMITS,
    )


def _enclosing_shares(printed: list[Printed]) -> Sought:
    """Take shares as what is sought, if they can be.

    Limits may lie beyond 0 and 1 where a formula does not cut them there (Wald's, Agresti and Coull's), but then
    no further from the value than the other limit.
    """
    value, *limits = printed
    if value.value > 1:
        raise UsageError(f"{_PERCENTAGE} is {shown(value.given)}; a percentage lies from 0 to 100.")
    last_digits = 2 * value.unit + sum(each.unit for each in limits)
    for what, each, other in zip(_LIMITS, limits, reversed(limits), strict=False):
        further = abs(each.value - value.value) - abs(other.value - value.value)
        if not 0 <= each.value <= 1 and further > last_digits:
            raise UsageError(
                f"{what} is {shown(each.given)}; a percentage lies from 0 to 100. A limit beyond that, as Wald's "
                "may be, is no further from the percentage than the other limit."
            )
    return enclosing(printed)


def _in_common(found: NDArray[np.void]) -> InCommon | None:
    if not found.size:
        return None
    others = found["n"] - found["n_counted"]
    ranges = {
        f"{name}_{end}": int(getattr(counts, reduce)())
        for name, counts in (("n", found["n"]), ("n_counted", found["n_counted"]), ("n_others", others))
        for end, reduce in (("low", "min"), ("high", "max"))
    }
    names = tuple(METHODS)
    methods = tuple(names[number] for number in np.unique(found["method"]).tolist() if number >= 0)
    return InCommon(**ranges, methods=methods)


def _fits(found: NDArray[np.void], sought: Sought) -> tuple[Fit, ...]:
    names, has_limits = tuple(METHODS), bool(sought.limits())
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
            low_fits=low_fits if has_limits else None,
            high_fits=high_fits if has_limits else None,
            off=off,
        )
        for counted, n, method, estimate, low, high, value_fits, low_fits, high_fits, _, off in found.tolist()
    )
