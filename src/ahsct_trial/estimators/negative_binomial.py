"""Rates whose counts vary more between subjects than Poisson's: the negative-binomial profile likelihood.

A subject with mean μ (rate × exposure) has variance μ + α μ², with one dispersion α = 1/θ for all subjects;
at α = 0 the counts are Poisson. Limits are those of the profile likelihood, α and whatever else is unknown at
their best for each value looked at: the values that the likelihood-ratio test does not reject (Venzon &
Moolgavkar 1988, Appl Stat 37:87–94). Counts that vary less than Poisson's have α = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from ahsct_trial.estimators.proportions import normal_quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    #: The profile log-likelihood at a value of a logarithm of a rate or a ratio, and its slope there.
    Profile = Callable[[float], tuple[float, float]]

#: Below this dispersion the likelihood is Poisson's to the last digit, and its slope is rounding.
_SMALLEST_DISPERSION = 1e-8
#: After a Newton step as small as this what is left is about its square.
_SMALLEST_STEP = 1e-6
#: A limit further away than a factor of e^60 = 1e26 is none; few subjects at a level near 1 have none.
_FURTHEST = 60.0


def negative_binomial_rate(
    counts: ArrayLike, exposures: ArrayLike, level: float
) -> tuple[float, float, float]:
    """Give the most likely rate of negative-binomial counts, with profile-likelihood limits.

    Where exposures differ the most likely rate is not the pooled one: a subject who was observed for
    long weighs less the more the counts vary.

    Parameters
    ----------
    counts
        Events of each subject, shape (n,), whole numbers.
    exposures
        What they were counted over, shape (n,). Subjects with neither exposure nor events are left out.
    level
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    tuple of float
        Rate, lower and upper limit [events per unit of exposure]; the upper limit is infinite where the
        likelihood does not fall. Without events the rate is 0 and the limits are NaN, since nothing tells the
        dispersion; without exposure all are NaN.

    Raises
    ------
    ValueError
        If a count is negative or not whole, an exposure is negative or NaN, a subject has events without
        exposure, or the level is not between 0 and 1.
    """
    group = _Group.of(counts, exposures)
    z = normal_quantile(level)
    if not group.n_events:
        return 0.0 if group.total_exposure else nan, nan, nan
    likelihood = _Likelihood([group])
    best = likelihood.maximum(np.zeros(1), np.eye(1))
    fixed = np.zeros((1, 0))

    def profile(log_rate: float) -> tuple[float, float]:
        at = likelihood.maximum(np.array([log_rate]), fixed)
        return at.value, at.slopes[0]

    centre, step = best.log_rates[0], z / sqrt(group.n_events)
    low, high = (_limit(profile, centre, centre + side * step, best.value, z) for side in (-1, 1))
    return exp(centre), exp(low), exp(high)


def negative_binomial_ratio(
    counts_1: ArrayLike, exposures_1: ArrayLike, counts_0: ArrayLike, exposures_0: ArrayLike, level: float
) -> tuple[float, float, float]:
    """Give the ratio of the rates of two groups of negative-binomial counts, rate 1 ÷ rate 0.

    Both groups have one dispersion; the ratio is that of `glm.nb` of R's MASS, with profile-likelihood
    limits. The same patients before and after make two groups as well: that they are the same is not used.

    Parameters
    ----------
    counts_1, exposures_1, counts_0, exposures_0
        Of the subjects of each group, as for `negative_binomial_rate`.
    level
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    tuple of float
        Ratio, lower and upper limit. If group 1 has no event, ratio and lower limit are 0; if group 0 has
        none, ratio and upper limit are infinite. The upper limit is also infinite, or the lower one 0, where
        the likelihood does not fall. All are NaN where neither group has an event or one has no exposure.

    Raises
    ------
    ValueError
        As `negative_binomial_rate` does.
    """
    groups = [_Group.of(counts_1, exposures_1), _Group.of(counts_0, exposures_0)]
    z = normal_quantile(level)
    with_events = [group for group in groups if group.n_events]
    if not with_events or not all(group.total_exposure for group in groups):
        return nan, nan, nan
    if not groups[1].n_events:
        _, _, high = negative_binomial_ratio(counts_0, exposures_0, counts_1, exposures_1, level)
        return inf, 1 / high, inf
    # A group without events is most likely at rate 0, where it says nothing about the dispersion.
    best = _Likelihood(with_events).maximum(np.zeros(len(with_events)), np.eye(len(with_events)))
    likelihood, shared = _Likelihood(groups), np.ones((2, 1))

    def profile(log_ratio: float) -> tuple[float, float]:
        at = likelihood.maximum(np.array([log_ratio, 0.0]), shared)
        return at.value, at.slopes[0]

    if not groups[0].n_events:
        # Where a Poisson count of none would be about as unlikely as the limit.
        start = log(z**2 / 2 / groups[0].total_exposure) - best.log_rates[0]
        return 0.0, 0.0, exp(_limit(profile, -inf, start, best.value, z))
    centre = float(best.log_rates[0] - best.log_rates[1])
    step = z * sqrt(sum(1 / group.n_events for group in groups))
    low, high = (_limit(profile, centre, centre + side * step, best.value, z) for side in (-1, 1))
    return exp(centre), exp(low), exp(high)


@dataclass(frozen=True, slots=True)
class _Group:
    """Subjects of one rate, those of one exposure together: all that the likelihood asks of them.

    `exposures` has shape (k,), the distinct ones; `weights` has shape (2, k): how many subjects have each,
    and the sum of their counts. `more_than[j]` is how many subjects have more than j events.
    """

    exposures: Floats
    weights: Floats
    more_than: Floats
    n_events: float
    total_exposure: float

    @classmethod
    def of(cls, counts: ArrayLike, exposures: ArrayLike) -> _Group:
        y, t = np.broadcast_arrays(np.asarray(counts, dtype=np.float64), np.asarray(exposures, np.float64))
        with_events = np.flatnonzero(y)
        events, exposed = y[with_events], t[with_events]
        if not (y.min(initial=0) >= 0 and y.max(initial=0) < np.inf and np.all(events == np.floor(events))):
            raise ValueError("counts must be whole numbers from 0 on")
        if not (t.min(initial=0) >= 0 and t.max(initial=0) < np.inf):
            raise ValueError("exposures must be finite and 0 or more")
        if not exposed.all():
            raise ValueError("a subject has events without exposure")
        # A sort alone takes a quarter of the time of one that keeps places, which only subjects with events need.
        distinct, n_subjects = np.unique(t, return_counts=True)
        order = np.argsort(exposed)
        exposed, starts = _runs(exposed[order])
        n_events = np.zeros(distinct.size)
        n_events[np.searchsorted(distinct, exposed)] = np.add.reduceat(events[order], starts)
        n_with = np.bincount(events.astype(np.int64), minlength=1)
        n_with[0] = n_subjects.sum() - events.size
        return cls(
            exposures=distinct,
            weights=np.stack([n_subjects, n_events]),
            more_than=n_with.sum() - np.cumsum(n_with).astype(np.float64),
            n_events=float(y.sum()),
            total_exposure=float(t.sum()),
        )


def _runs(ordered: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The distinct values of an array in ascending order, and where each begins."""
    starts = np.flatnonzero(np.diff(ordered, prepend=-1.0))
    return ordered[starts], starts


@dataclass(frozen=True, slots=True)
class _Maximum:
    """The largest log-likelihood, where it is, and its slope in each logarithm of a rate, shape (g,)."""

    value: float
    log_rates: Floats
    slopes: Floats


class _Likelihood:
    """The log-likelihood of groups that each have a rate and share a dispersion, without what is constant.

    For one subject it is the sum of log(1 + α j) over j < y, plus y log λ − (y + 1/α) log(1 + α λ t) (Lawless
    1987, Can J Stat 15:209–225, equation 2.3).
    """

    def __init__(self, groups: Sequence[_Group]) -> None:
        self.groups = groups
        self.more_than = np.zeros(max(group.more_than.size for group in groups))
        for group in groups:
            self.more_than[: group.more_than.size] += group.more_than

    def maximum(self, offset: Floats, free: Floats) -> _Maximum:
        """Find the largest value where the logarithms of the rates are `offset` + `free` × anything.

        Parameters
        ----------
        offset
            Shape (g,).
        free
            The directions in which they may move, shape (g, 0), (g, 1) or (g, g).

        Notes
        -----
        Starts from Poisson counts. If a little dispersion does not make them likelier (the score test of
        Dean & Lawless 1989, J Am Stat Assoc 84:467–472) they stand; else Newton's method on the logarithms.
        """
        poisson = self._poisson(offset, free)
        dispersion = self._moment_dispersion(poisson.log_rates)
        if dispersion < _SMALLEST_DISPERSION:
            return poisson
        n_free = free.shape[1]
        directions = np.zeros((len(offset) + 1, n_free + 1))
        directions[:-1, :-1], directions[-1, -1] = free, 1.0
        at = np.append(poisson.log_rates, log(dispersion))
        value, gradient, curvature = self._derivatives(at)
        for _ in range(200):
            # Uphill whatever the curvature: where it bends upwards, its size is a measure all the same.
            sizes, axes = np.linalg.eigh(directions.T @ curvature @ directions)
            uphill = axes @ ((axes.T @ (directions.T @ gradient)) / np.maximum(np.abs(sizes), 1e-300))
            step = directions @ (uphill / max(1.0, float(np.max(np.abs(uphill))) / 2))
            here = value
            value, gradient, curvature = self._derivatives(at + step)
            while value < here - 1e-13 * abs(here) and np.max(np.abs(step)) > 1e-12:
                step /= 2
                value, gradient, curvature = self._derivatives(at + step)
            at += step
            if np.max(np.abs(step)) < _SMALLEST_STEP or at[-1] < log(_SMALLEST_DISPERSION):
                break
        return _Maximum(value, at[:-1], gradient[:-1]) if value > poisson.value else poisson

    def _poisson(self, offset: Floats, free: Floats) -> _Maximum:
        """The largest value without dispersion."""
        n_events = np.array([group.n_events for group in self.groups])
        exposure = np.array([group.total_exposure for group in self.groups])
        log_rates = offset.copy()
        if free.shape[1] == len(offset):
            log_rates = np.log(n_events / exposure)
        elif free.shape[1]:
            log_rates = offset + log(n_events.sum() / (np.exp(offset) @ exposure))
        expected = np.exp(log_rates) * exposure
        return _Maximum(float(n_events @ log_rates - expected.sum()), log_rates, n_events - expected)

    def _moment_dispersion(self, log_rates: Floats) -> float:
        """The sum of (y − μ)² − y over that of μ²: below 0 where the counts vary less than Poisson's."""
        excess = 2 * float(self.more_than @ np.arange(self.more_than.size))  # the sum of y (y − 1)
        squares = 0.0
        for group, rate in zip(self.groups, np.exp(log_rates), strict=True):
            mean = rate * group.exposures
            squares += float(group.weights[0] @ mean**2)
            excess -= 2 * float(group.weights[1] @ mean)
        return (excess + squares) / squares

    def _derivatives(self, at: Floats) -> tuple[float, Floats, Floats]:
        """Value, gradient and second derivatives in the logarithms of the rates and of the dispersion."""
        dispersion = exp(at[-1])
        scale = np.array([1 / dispersion, 1.0])
        j = dispersion * np.arange(self.more_than.size)
        share = j / (1 + j)
        value = float(self.more_than @ np.log1p(j))
        gradient, curvature = np.zeros(at.size), np.zeros((at.size, at.size))
        gradient[-1] = self.more_than @ share
        curvature[-1, -1] = self.more_than @ (share * (1 - share))
        for g, group in enumerate(self.groups):
            mean = exp(at[-1] + at[g]) * group.exposures
            rest = 1 / (1 + mean)
            share = mean * rest
            # Each over the subjects ÷ α, and over their events.
            subject_logs, event_logs = (group.weights @ np.log1p(mean)) * scale
            subject_shares, event_shares = (group.weights @ share) * scale
            bend = float(np.sum((group.weights @ (share * rest)) * scale))
            slope = float(subject_shares + event_shares)
            value += group.n_events * at[g] - float(subject_logs + event_logs)
            gradient[g] = group.n_events - slope
            gradient[-1] += subject_logs - slope
            curvature[g, g] = -bend
            curvature[g, -1] = curvature[-1, g] = subject_shares - bend
            curvature[-1, -1] += 2 * subject_shares - subject_logs - bend
        return value, gradient, curvature


def _limit(profile: Profile, best: float, start: float, largest: float, z: float) -> float:
    """Find where the profile log-likelihood has fallen by z²/2, from `best` in the direction of `start`.

    Infinite where it has not within `_FURTHEST`.

    Newton's method on the signed root of the likelihood ratio, which is nearly a straight line, kept between
    values known to lie inside and outside.
    """
    side = 1 if start > best else -1
    inside, outside, value = best, side * inf, start
    for _ in range(200):
        height, slope = profile(value)
        root = sqrt(2 * max(largest - height, 0.0))
        if root < z:
            inside = value
        else:
            outside = value
        change = float(np.clip((root - z) * root / slope, -3, 3)) if slope else side * 3.0
        following = value + change
        if abs(change) < _SMALLEST_STEP:
            return following
        if not min(inside, outside) < following < max(inside, outside):
            both = inside + outside
            following = both / 2 if abs(both) < inf else value + (side if root < z else -side) * 3.0
        value = following
        if abs(value - start) > _FURTHEST:
            break
    return side * inf
