"""Which counts and which interval method lead to a published percentage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.reconciling.counts import METHODS, search
from ahsct_trial.reconciling.printed import (
    Printed,
    PrintedFigure,
    Sought,
    check_level,
    enclosing,
    read_number,
)
from ahsct_trial.results import SCHEMA_VERSION, TOOL, Tool

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Denominators that are searched where none are given, and the largest that may be given.
DEFAULT_RANGE = (1, 5_000)
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
    check_level(level)
    n_from, n_to = _checked_range(*n)
    sought, is_fraction = _percentages(value, ci)
    found = search(sought, np.arange(n_from, n_to + 1), level)
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
        methods=() if ci is None else tuple(METHODS),
        n_exact=found.n_exact,
        exact=_fits(found.exact),
        partial=_fits(found.partial),
        nearest=next(iter(_fits(found.nearest)), None),
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
    names = ("The percentage", "The lower limit", "The upper limit")
    texts = [value, *(ci or ())]
    printed = [
        read_number(text.strip().removesuffix("%"), what, "a percentage such as 69.6")
        for what, text in zip(names, texts, strict=False)
    ]
    is_fraction = (
        all(each.value <= 1 and each.places != 1 for each in printed)
        and any(0 < each.value < 1 for each in printed)
        and not any("%" in text for text in texts)
    )
    if not is_fraction:
        printed = [Printed(each.given, each.digits, each.places + 2) for each in printed]
    for what, each in zip(names, printed, strict=False):
        if each.value > 1:
            raise UsageError(f"{what} is {shown(each.given)}; a percentage lies from 0 to 100.")
    return enclosing(printed), is_fraction


def _fits(found: NDArray[np.void]) -> tuple[Fit, ...]:
    names = tuple(METHODS)
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
        for counted, n, method, estimate, low, high, value_fits, low_fits, high_fits, _, off in found.tolist()
    )
