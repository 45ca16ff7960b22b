"""Cumulative incidence of several types of first event that compete, and Gray's test of it between groups.

The type of an event is a whole number from 0 to one below the number of types; that number itself is a loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ahsct_trial.estimators.proportions import normal_quantile
from ahsct_trial.estimators.survival import SAME_TIME, KaplanMeier, kaplan_meier

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CumulativeIncidence:
    """Cumulative incidences: one row per type, one column per distinct time of events, in ascending order.

    Attributes
    ----------
    time
        The distinct times of events of any type, shape (k,) [years].
    estimate
        Probability of a first event of each type by `time`, shape (n_types, k), 0 to 1.
    variance
        Its variance by the delta method, shape (n_types, k).
    """

    time: Floats
    estimate: Floats
    variance: Floats

    def at(self, times: ArrayLike) -> tuple[Floats, Floats]:
        """Read estimate and variance at any times; an event at the same time (`survival.tied`) has happened.

        Before the first event both are 0. After the last one they stay; whether a figure there means anything
        is for the caller to say.

        Parameters
        ----------
        times
            Any shape [years].

        Returns
        -------
        tuple of numpy.ndarray
            Estimate and variance, each of shape (n_types, *times.shape).
        """
        n_passed = np.searchsorted(self.time, np.asarray(times, dtype=np.float64) + SAME_TIME, side="right")
        start = np.zeros((len(self.estimate), 1))
        return np.hstack([start, self.estimate])[:, n_passed], np.hstack([start, self.variance])[:, n_passed]


def cumulative_incidence(
    years: ArrayLike,
    event_type: ArrayLike,
    n_types: int,
    entry: ArrayLike | None = None,
    *,
    curve: KaplanMeier | None = None,
) -> CumulativeIncidence:
    """Estimate the probability of a first event of each type by the method of Aalen and Johansen.

    F_k(t) is the sum of S(t−) d_k/r over the times up to t, with d_k events of type k among r at risk and S
    the Kaplan–Meier estimate for events of any type; the F_k add up to 1 − S (Kalbfleisch & Prentice 2002,
    The Statistical Analysis of Failure Time Data, section 8.2.3). Up to the first loss F_k is exactly, as a
    float, the fraction with that event. The variance is that of the delta method, in which each time is a
    draw from a multinomial distribution (Marubini & Valsecchi 1995, Analysing Survival Data from Clinical
    Trials and Observational Studies, equation 10.12); R's multi-state `survfit` gives the same.

    Parameters
    ----------
    years
        Time of the event or of the loss of each patient, shape (n,), finite and not negative.
    event_type
        Type of the event, 0 to `n_types` − 1, or `n_types` for a loss, shape (n,).
    n_types
        How many types there are.
    entry
        When each patient came under observation, as for `survival.kaplan_meier`.
    curve
        Their Kaplan–Meier curve for events of any type, where it is there already.

    Returns
    -------
    CumulativeIncidence
        Of all types, those without events included.

    Raises
    ------
    ValueError
        If a type is not from 0 to `n_types`, or as `survival.kaplan_meier` does.
    """
    types = _types(event_type, n_types)
    if curve is None:
        curve = kaplan_meier(years, types < n_types, entry)
    n_events = np.array([_counts_at(curve.time, years, types == k) for k in range(n_types)])
    has_events = curve.n_events > 0
    r, d, n_events = curve.n_at_risk[has_events], curve.n_events[has_events], n_events[:, has_events]

    before = np.append(1.0, curve.estimate[has_events][:-1])
    # Until somebody is lost each event weighs one in all; a sum of such weights would lose the last digit.
    is_whole = r == r[:1] - (np.cumsum(d) - d)
    n_whole = np.count_nonzero(np.logical_and.accumulate(is_whole))
    whole = np.cumsum(n_events[:, :n_whole], axis=1) / r[:1]
    later = np.cumsum((n_events * (before / r))[:, n_whole:], axis=1)
    estimate = np.hstack([whole, whole[:, -1:] + later])
    return CumulativeIncidence(
        time=curve.time[has_events],
        estimate=estimate,
        variance=_delta_variance(estimate, before, n_events, r, d),
    )


def _delta_variance(
    estimate: Floats,
    before: Floats,
    n_events: NDArray[np.int64],
    r: NDArray[np.int64],
    d: NDArray[np.int64],
) -> Floats:
    """The variance of each F(t): the sum over u ≤ t of what the draw at u does to it.

    That is (F(t) − F(u))² d/(r (r − d)) + S(u−)² d_k (r − d_k)/r³ − 2 (F(t) − F(u)) S(u−) d_k/r², here with
    the powers of F(t) taken out of the sums.
    """
    # Where nobody remains F rises no more, so that the first term is 0.
    any_type = np.where(r > d, d / (r * np.maximum(r - d, 1.0)), 0.0)
    this_type = before**2 * n_events * (r - n_events) / r**3.0
    both = before * n_events / r**2.0
    constant = estimate**2 * any_type + this_type + 2 * estimate * both
    linear = estimate * any_type + both
    variance = (
        estimate**2 * np.cumsum(any_type)
        - 2 * estimate * np.cumsum(linear, axis=1)
        + np.cumsum(constant, axis=1)
    )
    return np.asarray(np.maximum(variance, 0.0))


def incidence_limits(estimate: ArrayLike, variance: ArrayLike, level: float) -> tuple[Floats, Floats]:
    """Give the log-log limits of a cumulative incidence: F^exp(± z se/(F log F)).

    Choudhury 2002, Stat Med 21:1129–1144, equation 3: the transformation acts on the incidence itself, as in
    R's multi-state `survfit`.

    Parameters
    ----------
    estimate, variance
        Of the incidence, one shape.
    level
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper limit, each of the shape of `estimate`; NaN where the estimate is 0 or 1.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.
    """
    z = normal_quantile(level)
    f = np.asarray(estimate, dtype=np.float64)
    f = np.where((f > 0) & (f < 1), f, np.nan)
    half = z * np.sqrt(variance) / (f * np.log(f))
    with np.errstate(over="ignore"):  # next to 1 the exponent may be infinite, and the lower limit 0
        return np.asarray(f ** np.exp(-half)), np.asarray(f ** np.exp(half))


def gray_test(
    years: ArrayLike,
    event_type: ArrayLike,
    n_types: int,
    group: ArrayLike,
    strata: ArrayLike | None = None,
) -> tuple[Floats, int, Floats]:
    """Test for each type whether its cumulative incidence is the same in all groups.

    Gray 1988, Ann Stat 16:1141–1154, with equal weights (rho 0): events of a type in a group against those
    expected if all groups had one subdistribution hazard; scores and their variance are added up over
    strata. Ties are dealt with as `cuminc` of R's cmprsk does.

    Parameters
    ----------
    years, event_type, n_types
        As for `cumulative_incidence`, the arrays of shape (n,).
    group
        Group of each patient, shape (n,): whole numbers, text, anything that sorts.
    strata
        Stratum of each patient, shape (n,); one stratum if left out.

    Returns
    -------
    statistic
        χ² of each type, shape (n_types,); NaN where a type has no events that tell groups apart.
    df
        Degrees of freedom: groups less one.
    p
        p-value of each type, shape (n_types,).

    Raises
    ------
    ValueError
        As `cumulative_incidence` does, or if the arrays are not of one length, or group or strata hold NaN.
    """
    time = np.asarray(years, dtype=np.float64)
    types = _types(event_type, n_types)
    of_group = np.asarray(group)
    stratum = np.zeros(time.shape, dtype=np.int8) if strata is None else np.asarray(strata)
    if not time.shape == types.shape == of_group.shape == stratum.shape:
        raise ValueError("years, event_type, group and strata must be of one length")
    if any(labels.dtype.kind == "f" and np.isnan(labels).any() for labels in (of_group, stratum)):
        raise ValueError("group and strata hold no NaN")

    levels = np.unique(of_group)
    df = max(len(levels) - 1, 0)
    scores, variances = np.zeros((n_types, df)), np.zeros((n_types, df, df))
    for s in stratum[:1] if strata is None else np.unique(stratum):
        is_here = stratum == s
        here = slice(None) if strata is None else is_here
        curve = kaplan_meier(time[here], types[here] < n_types)
        is_in_group = [is_here & (of_group == level) for level in levels]
        groups = [_group_counts(curve, time[is_in], types[is_in], n_types) for is_in in is_in_group]
        for k in range(n_types):
            score, variance = _gray_score(groups, k)
            scores[k] += score[:df]
            variances[k] += variance[:df, :df]

    from scipy.special import chdtrc

    statistic = np.full(n_types, np.nan)
    for k in range(n_types):
        spread = np.linalg.eigvalsh(variances[k])  # in ascending order
        if df and spread[0] > 1e-12 * max(spread[-1], 1):  # else it is 0 but for rounding
            statistic[k] = scores[k] @ np.linalg.solve(variances[k], scores[k])
    return statistic, df, np.asarray(chdtrc(df, statistic)) if df else statistic


@dataclass(frozen=True, slots=True)
class _GroupCounts:
    """One group at the times of events of its stratum, shape (k,).

    `n_events` has shape (n_types, k). `before` is S of the group just before a time, `estimate` just after.
    """

    n_at_risk: NDArray[np.int64]
    n_events: NDArray[np.int64]
    before: Floats
    estimate: Floats


def _group_counts(
    stratum: KaplanMeier, years: Floats, types: NDArray[np.signedinteger[Any]], n_types: int
) -> _GroupCounts:
    time = stratum.time[stratum.n_events > 0]
    n_events = np.array([_counts_at(time, years, types == k) for k in range(n_types)])
    n_at_risk = years.size - np.searchsorted(np.sort(years), time, side="left")
    estimate = np.cumprod(1 - n_events.sum(axis=0) / np.maximum(n_at_risk, 1))
    return _GroupCounts(n_at_risk, n_events, np.append(1.0, estimate)[:-1], estimate)


def _gray_score(groups: list[_GroupCounts], k: int) -> tuple[Floats, Floats]:
    """Observed less expected events of one type in each group, shape (g,), and their covariance, (g, g)."""
    d = np.array([group.n_events[k] for group in groups])
    d_other = np.array([group.n_events.sum(axis=0) for group in groups]) - d
    r = np.array([group.n_at_risk for group in groups])
    before, after = (np.array([getattr(group, name) for group in groups]) for name in ("before", "estimate"))
    d_all = d.sum(axis=0)
    # Where nobody of a group remains it has no part in what follows.
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(r > 0, r / before, 0.0)
        incidence = np.cumsum(np.where(r > 0, before * d / r, 0.0), axis=1)
        subdistribution_risk = weight * (1 - np.hstack([np.zeros((len(groups), 1)), incidence])[:, :-1])
        score = d - d_all * subdistribution_risk / subdistribution_risk.sum(axis=0)

        # Under the hypothesis all groups have one F, and dΓ is the increment of its cumulative hazard.
        total = weight.sum(axis=0)
        common = np.cumsum(d_all / total)
        d_gamma = d_all / total / (1 - np.append(0.0, common)[:-1])
    covariance = np.zeros((len(groups), len(groups)))
    for j in range(len(groups)):
        with np.errstate(divide="ignore", invalid="ignore"):
            share = -weight * weight[j] / total
            share[j] += weight[j]
            still = np.cumsum(share * d_gamma, axis=1)
            still = still[:, -1:] - still  # what later times make of a draw at this one
            free_of_type = np.where(after[j] > 0, (1 - common) / after[j], 0.0)
            # A draw of an event of this type, and one of any other type, with the correction for ties.
            of_type = share + (1 - free_of_type) * still
            tie = 1 - np.where(d_all > 1, (d_all - 1) / (total * before[j] - 1), 0.0)
            var_type = np.where((r[j] > 0) & (d_all > 0), tie * before[j] * d_all / (total * r[j]), 0.0)
            of_other = -free_of_type * still
            tie = 1 - np.where(d_other[j] > 1, (d_other[j] - 1) / (r[j] - 1), 0.0)
            var_other = np.where(d_other[j] > 0, tie * before[j] ** 2 * d_other[j] / r[j] ** 2, 0.0)
        covariance += (of_type * var_type) @ of_type.T + (of_other * var_other) @ of_other.T
    return score.sum(axis=1), covariance


def _types(event_type: ArrayLike, n_types: int) -> NDArray[np.signedinteger[Any]]:
    """Give the types as whole numbers, or raise ValueError where one is not from 0 to `n_types`."""
    types = np.asarray(event_type)
    if not (types.min(initial=0) >= 0 and types.max(initial=0) <= n_types):
        raise ValueError(f"event_type must be from 0 to {n_types}, which stands for a loss")
    return types if types.dtype.kind == "i" else types.astype(np.int64)


def _counts_at(time: Floats, years: ArrayLike, is_counted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many of the counted patients leave at each time; those at the same time have the earliest one."""
    rows = np.searchsorted(time, np.sort(np.asarray(years, dtype=np.float64)[is_counted]), side="right") - 1
    return np.bincount(rows, minlength=time.size)
