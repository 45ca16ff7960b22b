"""Which interval method leads to a published rate of published counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.estimators import rates
from ahsct_trial.reconciling.printed import (
    Printed,
    PrintedFigure,
    Sought,
    check_level,
    enclosing,
    how_much_fits,
    read_number,
)
from ahsct_trial.results import SCHEMA_VERSION, TOOL, Tool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Method = Callable[..., tuple[NDArray[np.float64], NDArray[np.float64]]]

#: Interval of a rate from events, exposure and a level, by name.
METHODS: dict[str, Method] = {
    "garwood": rates.garwood,
    "byar": rates.byar,
    "log-wald": rates.log_wald,
    "wald": rates.wald,
}
#: The one whose lower limit may be printed as it is below 0.
_BELOW_0 = {"wald": partial(rates.wald, is_cut=False)}


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

    `exact` and `partial` together are all methods that are defined for the count and fit in any part. Where
    the figures are taken as cut off the exposure is, too.
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
    n_cut_off: int
    cut_off: tuple[RateFit, ...]
    partial: tuple[RateFit, ...]
    nearest: RateFit | None

    @property
    def is_explained(self) -> bool:
        """Whether a method, its figures rounded or cut off, gives all that is published."""
        return bool(self.n_exact or self.n_cut_off)


def reconcile_rate(
    value: str, counts: tuple[str, str], ci: tuple[str, str] | None = None, level: float = 0.95
) -> RateReconciliation:
    """Find the interval methods that give a published rate of published events and exposure.

    The methods are Garwood, Byar, log-Wald and Wald; see `estimators.rates`. The exposure counts as
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
        What fits exactly, what fits if it was cut off, what fits in part, and if nothing fits exactly, the
        nearest.

    Raises
    ------
    UsageError
        If a figure is no rate, the limits do not enclose the value, or counts or the level are impossible.
    """
    check_level(level)
    texts = [("The rate", value), *zip(("The lower limit", "The upper limit"), ci or (), strict=False)]
    sought = enclosing(
        [
            read_number(
                text, what, "a number such as 1.19", may_be_thousands=True, may_be_negative="lower" in what
            )
            for what, text in texts
        ]
    )
    events = counts[0].strip()
    exposure = read_number(counts[1], "The exposure", "a number such as 140", may_be_thousands=True)
    if not re.fullmatch("[0-9]{1,9}", events):
        raise UsageError(f"The number of events is '{shown(events)}'; write a whole number such as 167.")
    if not exposure.digits:
        raise UsageError(f"The exposure is {shown(exposure.given)}; a rate needs one above 0.")
    n_events = int(events)
    fits = sorted(_rate_fits(sought, n_events, exposure, level), key=_rank)
    exact = tuple(fit for fit in fits if fit.off == 0)
    by_rounding = {fit.method for fit in exact}
    cut = sorted(_rate_fits(sought.cut_off(), n_events, exposure.cut_off(), level), key=_rank)
    cut_off = tuple(fit for fit in cut if fit.off == 0 and fit.method not in by_rounding)
    return RateReconciliation(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        value=sought.value.as_figure(0),
        ci_low=None if sought.low is None else sought.low.as_figure(0),
        ci_high=None if sought.high is None else sought.high.as_figure(0),
        confidence_level=level,
        n_events=n_events,
        exposure=exposure.as_figure(0),
        methods=() if ci is None else tuple(_methods(sought)),
        n_exact=len(exact),
        exact=exact,
        n_cut_off=len(cut_off),
        cut_off=cut_off,
        partial=tuple(fit for fit in fits if fit.off and (fit.value_fits or fit.low_fits or fit.high_fits)),
        nearest=None if exact else min(fits, key=lambda fit: fit.off),
    )


def _methods(sought: Sought) -> Mapping[str, Method]:
    return _BELOW_0 if sought.is_below_0 else METHODS


def _rate_fits(sought: Sought, n_events: int, exposure: Printed, level: float) -> Iterator[RateFit]:
    """For each method the exposure, of those that are printed as the given one, that gives the most."""
    methods = _methods(sought)
    for name in methods if sought.low is not None else [None]:
        counts = np.array([n_events, np.nan, np.nan])
        if name is not None:
            counts[1:] = np.ravel(methods[name](n_events, 1, level))
            if np.isnan(counts).any():
                continue  # log-Wald has no limits without events
        fits = [
            _rate_fit(name, sought, n_events, counts, each, is_printed=each == exposure.value)
            for each in _exposures(sought, counts, exposure)
        ]
        yield min(fits, key=_rank)


def _exposures(sought: Sought, counts: NDArray[np.float64], exposure: Printed) -> list[Fraction]:
    """The printed exposure, and of those that are printed so one for each set of figures that can fit at once.

    A figure is its count (events, or their limit) ÷ exposure, and so fits over one range of exposures.
    """
    given = exposure.ends
    ranges = []
    for printed, count in zip((sought.value, sought.low, sought.high), counts.tolist(), strict=True):
        if printed is not None:
            lowest, highest = printed.ends
            exact = Fraction(count)
            if exact < 0:
                exact, lowest, highest = -exact, -highest, -lowest
            if exact == 0:  # a rate of 0 over any exposure
                ranges.append(given if lowest <= 0 else (given[1], given[0]))
            elif highest > 0:
                ranges.append((exact / highest, exact / lowest if lowest > 0 else given[1]))
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
    sought: Sought,
    n_events: int,
    counts: NDArray[np.float64],
    exposure: Fraction,
    *,
    is_printed: bool,
) -> RateFit:
    exact = Fraction(n_events) / exposure
    estimate, low, high = (np.array([float(exact)]), *np.split(counts[1:] / float(exposure), 2))
    # The published value may be a tie, and the rate of the printed exposure exactly that.
    lowest, highest = sought.value.ends
    value_fits = lowest <= exact < highest or (sought.value.includes_highest and exact == highest)
    off = [0.0 if value_fits else abs(float(exact - sought.value.value))]
    fits: dict[str, bool] = {}
    for (name, printed), limit in zip(sought.limits(), (low, high), strict=False):
        is_reached, is_beyond = printed.places_of(limit)
        fits[name] = bool((is_reached & ~is_beyond)[0])
        off.append(0.0 if fits[name] else abs(float(limit[0] - float(printed.value))))
    return RateFit(
        method=method,
        exposure=float(exposure),
        is_printed_exposure=is_printed,
        estimate=float(estimate[0]),
        ci_low=None if method is None else float(low[0]),
        ci_high=None if method is None else float(high[0]),
        value_fits=value_fits,
        low_fits=fits.get("low"),
        high_fits=fits.get("high"),
        off=max(off),
    )


def _rank(fit: RateFit) -> tuple[float, ...]:
    part = int(how_much_fits(fit.value_fits, bool(fit.low_fits), bool(fit.high_fits)))
    return (fit.off > 0, -part, fit.off, not fit.is_printed_exposure)
