"""Confidence intervals of a proportion.

All functions take successes and trials as arrays, and a level, and give the lower and the upper limit. Where
a formula leads below 0 or above 1 the limit is 0 or 1; with `is_cut` false it is left there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ahsct_trial.estimators.survival import Scale, check_level, confidence_limits

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Limits = tuple[NDArray[np.float64], NDArray[np.float64]]


def clopper_pearson(n_successes: ArrayLike, n: ArrayLike, level: float) -> Limits:
    """Give the exact interval of a proportion: all values that a binomial test does not reject.

    Each limit leaves (1 − level)/2 of the binomial probability beyond the count. The lower limit is 0
    without successes, the upper limit 1 without failures (Clopper & Pearson 1934, Biometrika 26:404–413;
    by quantiles of the beta distribution, as in R's `binom.test`).

    Parameters
    ----------
    n_successes, n
        Successes and trials, any shapes that broadcast [counts].
    level
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper limit, 0 to 1; NaN where `n` is 0.

    Raises
    ------
    ValueError
        If a number of successes is not from 0 to `n`, or the level is not between 0 and 1.
    """
    x, n = _counts(n_successes, n, level)
    from scipy.special import betainccinv, betaincinv

    tail = (1 - level) / 2
    low = np.where(x > 0, betaincinv(x, n - x + 1, tail), 0.0)
    high = np.where(x < n, betainccinv(x + 1, n - x, tail), 1.0)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def jeffreys(n_successes: ArrayLike, n: ArrayLike, level: float) -> Limits:
    """Give the Jeffreys interval: equal tails of the beta posterior with the prior Beta(½, ½).

    The lower limit is 0 without successes, the upper limit 1 without failures (Brown, Cai & DasGupta 2001,
    Stat Sci 16:101–133, section 3.1.2). Parameters, returns and errors are those of `clopper_pearson`.
    """
    x, n = _counts(n_successes, n, level)
    from scipy.special import betainccinv, betaincinv

    tail = (1 - level) / 2
    low = np.where(x > 0, betaincinv(x + 0.5, n - x + 0.5, tail), 0.0)
    high = np.where(x < n, betainccinv(x + 0.5, n - x + 0.5, tail), 1.0)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def wilson(n_successes: ArrayLike, n: ArrayLike, level: float) -> Limits:
    """Give the score interval: all values that the normal test with their own variance does not reject.

    Wilson 1927, J Am Stat Assoc 22:209–212; method 3 of Newcombe 1998, Stat Med 17:857–872; R's `prop.test`
    without correction. Parameters, returns and errors are those of `clopper_pearson`.
    """
    x, n = _counts(n_successes, n, level)
    # At the edges the limit is 0 or 1 but for rounding.
    low = np.where(x > 0, _score_limit(x, n, level, -1), 0.0)
    high = np.where(x < n, _score_limit(x, n, level, +1), 1.0)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def wilson_corrected(n_successes: ArrayLike, n: ArrayLike, level: float) -> Limits:
    """Give the score interval with continuity correction: each limit from a count half a case further out.

    The lower limit is 0 without successes, the upper limit 1 without failures (method 4 of Newcombe 1998,
    Stat Med 17:857–872). R's `prop.test` agrees except for exactly n/2 successes, where it does not correct
    because its test of ½ needs no correction. Parameters, returns and errors are those of `clopper_pearson`.
    """
    x, n = _counts(n_successes, n, level)
    low = np.where(x > 0, _score_limit(np.maximum(x - 0.5, 0), n, level, -1), 0.0)
    high = np.where(x < n, _score_limit(np.minimum(x + 0.5, n), n, level, +1), 1.0)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def agresti_coull(n_successes: ArrayLike, n: ArrayLike, level: float, *, is_cut: bool = True) -> Limits:
    """Give the interval of Wald's form about the centre of Wilson's, with z²/2 successes and failures more.

    Agresti & Coull 1998, Am Stat 52:119–126, as Brown, Cai & DasGupta 2001, Stat Sci 16:101–133, equation 5,
    have it for any level. Parameters, returns and errors are those of `clopper_pearson`.
    """
    x, n = _counts(n_successes, n, level)
    z = normal_quantile(level)
    low, high = _about(x + z**2 / 2, n + z**2, z, is_cut=is_cut)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def wald(n_successes: ArrayLike, n: ArrayLike, level: float, *, is_cut: bool = True) -> Limits:
    """Give the interval p ± z √(p (1 − p)/n), which has no width without successes or without failures.

    Brown, Cai & DasGupta 2001, Stat Sci 16:101–133, equation 1. Parameters, returns and errors are those of
    `clopper_pearson`.
    """
    x, n = _counts(n_successes, n, level)
    return _about(x, np.where(n > 0, n, np.nan), normal_quantile(level), is_cut=is_cut)


def uncensored_kaplan_meier(n_event_free: ArrayLike, n: ArrayLike, method: Scale, level: float) -> Limits:
    """Give the Kaplan–Meier limits of a proportion event-free where nobody was lost before.

    The estimate is then the proportion itself, and Greenwood's sum of d / (r (r − d)) collapses to
    1/n_event_free − 1/n. ``plain`` is Wald's interval.

    Parameters
    ----------
    n_event_free, n
        Patients without an event and all patients, any shapes that broadcast [counts].
    method
        Scale of the interval, as for `survival.confidence_limits`.
    level
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper limit; NaN where nobody is event-free or `n` is 0, and for ``log-log``, ``logit`` and
        ``arcsin`` also where everybody is.

    Raises
    ------
    ValueError
        As `clopper_pearson` and `survival.confidence_limits` do.
    """
    x, n = _counts(n_event_free, n, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        return confidence_limits(x / n, (n - x) / (n * x), method, level)


def _counts(
    n_successes: ArrayLike, n: ArrayLike, level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give both as floats of one shape, or raise ValueError where they or the level are impossible."""
    check_level(level)
    x, n = np.broadcast_arrays(np.asarray(n_successes, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if not np.all((x >= 0) & (x <= n)):
        raise ValueError("n_successes must be from 0 to n")
    return x, n


def normal_quantile(level: float) -> float:
    """The z of a two-sided interval: half of the level lies between 0 and it.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.
    """
    check_level(level)
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def _score_limit(
    x: NDArray[np.float64], n: NDArray[np.float64], level: float, side: int
) -> NDArray[np.float64]:
    z = normal_quantile(level)
    n = np.where(n > 0, n, np.nan)
    p = x / n
    centre = p + z**2 / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    # Rounding may leave a limit that is 0 or 1 a last digit beyond it.
    return np.clip((centre + side * half) / (1 + z**2 / n), 0, 1)


def _about(x: NDArray[np.float64], n: NDArray[np.float64], z: float, *, is_cut: bool) -> Limits:
    p = x / n
    half = z * np.sqrt(p * (1 - p) / n)
    low, high = p - half, p + half
    return (np.clip(low, 0, 1), np.clip(high, 0, 1)) if is_cut else (low, high)
