"""Differences between two groups: of survival, of restricted mean survival, of proportions.

Each is group 1 − group 2: level − reference where group 1 is the level.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, copysign, cos, hypot, pi, sqrt

from scipy.optimize import brentq

from ahsct_trial.estimators.proportions import normal_quantile
from ahsct_trial.estimators.survival import SAME_TIME, KaplanMeier, check_level, restricted_mean


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Group 1 − group 2 with its limits; NaN where undefined, and `reason` says why, or what to heed."""

    value: float
    ci_low: float
    ci_high: float
    reason: str | None = None


def survival_difference(
    value_1: float, limits_1: tuple[float, float], value_2: float, limits_2: tuple[float, float]
) -> Difference:
    """Give the difference of two survival probabilities with limits made of those of each.

    Square-and-add: the lower limit lies √((p₁ − l₁)² + (u₂ − p₂)²) below the difference and the upper one
    √((u₁ − p₁)² + (p₂ − l₂)²) above it, which keeps the limits within −1 and 1 and carries the asymmetry of
    each interval over (Zou & Donner 2008, Stat Med 27:1693–1702; with Wilson's limits it is method 10 of
    Newcombe 1998, Stat Med 17:873–890). The level is that of the limits.

    Parameters
    ----------
    value_1, value_2
        The probabilities, of two independent groups, 0 to 1.
    limits_1, limits_2
        Lower and upper limit of each, of one level.

    Returns
    -------
    Difference
        value₁ − value₂; a limit is NaN where one that it needs is.
    """
    (low_1, high_1), (low_2, high_2) = limits_1, limits_2
    value = value_1 - value_2
    return Difference(
        value=value,
        ci_low=value - hypot(value_1 - low_1, high_2 - value_2),
        ci_high=value + hypot(high_1 - value_1, value_2 - low_2),
    )


def risk_difference(x_1: int, n_1: int, x_2: int, n_2: int, level: float = 0.95) -> Difference:
    """Give the difference of two proportions with Miettinen and Nurminen's score limits.

    The limits are the differences δ at which (p₁ − p₂ − δ)² equals z² times the variance under δ, with both
    proportions estimated by maximum likelihood with difference δ, times N/(N − 1) (Miettinen & Nurminen
    1985, Stat Med 4:213–226; Farrington & Manning 1990, Stat Med 9:1447–1454, has the root of the
    likelihood equation). Defined at 0 of n against 0 of m too, where the limits lie on either side of 0.

    Parameters
    ----------
    x_1, n_1, x_2, n_2
        Patients with the event and all patients, of either group [counts].
    level
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    Difference
        x₁/n₁ − x₂/n₂; NaN where a group has no patient.

    Raises
    ------
    ValueError
        If a count of events is not from 0 to the group's size, or the level is not between 0 and 1.
    """
    check_counts(x_1, n_1, x_2, n_2)
    check_level(level)
    if n_1 == 0 or n_2 == 0:
        return _undefined("a group has no patient")

    value = x_1 / n_1 - x_2 / n_2
    z = normal_quantile(level)
    correction = (n_1 + n_2) / (n_1 + n_2 - 1)

    def excess(delta: float) -> float:
        """How much further from the estimate `delta` is than the score test allows."""
        p_1, p_2 = _constrained_proportions(x_1, n_1, x_2, n_2, delta)
        variance = (p_1 * (1 - p_1) / n_1 + p_2 * (1 - p_2) / n_2) * correction
        return abs(value - delta) - z * sqrt(variance)

    # At the estimate itself the variance may be 0, where neither group or each patient has the event.
    beside = 1e-9
    return Difference(
        value=value,
        ci_low=-1.0 if value - beside <= -1 else float(brentq(excess, -1, value - beside, xtol=1e-13)),
        ci_high=1.0 if value + beside >= 1 else float(brentq(excess, value + beside, 1, xtol=1e-13)),
    )


def _constrained_proportions(x_1: int, n_1: int, x_2: int, n_2: int, delta: float) -> tuple[float, float]:
    """The likeliest proportions p₁ = p₂ + δ, by the root of a cubic equation in p₂."""
    n = n_1 + n_2
    b = ((n_1 + 2 * n_2) * delta - n - x_1 - x_2) / n
    c = ((n_2 * delta - n - 2 * x_2) * delta + x_1 + x_2) / n
    d = x_2 * delta * (1 - delta) / n
    q = (b / 3) ** 3 - b * c / 6 + d / 2
    p = copysign(sqrt(max((b / 3) ** 2 - c / 3, 0.0)), q)
    angle = (pi + acos(min(max(q / p**3, -1.0), 1.0) if p else 0.0)) / 3
    p_2 = min(max(2 * p * cos(angle) - b / 3, 0.0, -delta), 1.0, 1 - delta)
    return min(max(p_2 + delta, 0.0), 1.0), p_2


def rmst_difference(
    curve_1: KaplanMeier, curve_2: KaplanMeier, horizon: float, level: float = 0.95
) -> Difference:
    """Give the difference of two restricted means: of the event-free time up to a horizon.

    Normal limits with the variances of `survival.restricted_mean` added (Royston & Parmar 2013, BMC Med Res
    Methodol 13:152). A group without an event up to the horizon has a standard error of 0, which `reason`
    tells; where both have, there are no limits, for they would claim certainty.

    Parameters
    ----------
    curve_1, curve_2
        The Kaplan–Meier curves of two independent groups.
    horizon
        Up to when, 0 or later [years].
    level
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    Difference
        Mean₁ − mean₂ [years]; NaN where the horizon lies beyond the last time of a group, unless its curve
        has come down to 0 by then.

    Raises
    ------
    ValueError
        If the horizon is negative, infinite or NaN, or the level is not between 0 and 1.
    """
    z = normal_quantile(level)
    for curve in (curve_1, curve_2):
        if curve.time.size == 0:
            return _undefined("a group has no patient")
        if horizon > curve.time[-1] + SAME_TIME and curve.estimate[-1] > 0:
            return _undefined("the horizon lies beyond the last follow-up of a group")
    (mean_1, se_1), (mean_2, se_2) = restricted_mean(curve_1, horizon), restricted_mean(curve_2, horizon)
    value, half = mean_1 - mean_2, z * hypot(se_1, se_2)
    reason = None
    if se_1 == 0 and se_2 == 0:
        half, reason = float("nan"), "no limits: the standard error of both groups is 0"
    elif se_1 == 0 or se_2 == 0:
        reason = "the standard error of one group is 0, so that the limits are too narrow"
    return Difference(value=value, ci_low=value - half, ci_high=value + half, reason=reason)


def check_counts(x_1: int, n_1: int, x_2: int, n_2: int) -> None:
    """Raise ValueError where a count of events is not from 0 to the size of its group."""
    if not (0 <= x_1 <= n_1 and 0 <= x_2 <= n_2):
        raise ValueError(f"{x_1} of {n_1} against {x_2} of {n_2}: events must be from 0 to n")


def _undefined(reason: str) -> Difference:
    nan = float("nan")
    return Difference(value=nan, ci_low=nan, ci_high=nan, reason=reason)
