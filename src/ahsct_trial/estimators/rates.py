"""Rates of events over exposure: Poisson intervals, the ratio of two rates, and dispersion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ahsct_trial.chunks import chunks
from ahsct_trial.estimators.proportions import clopper_pearson, normal_quantile
from ahsct_trial.estimators.survival import check_level

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def garwood(
    n_events: ArrayLike, exposure: ArrayLike, level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the exact interval of a Poisson rate: all values that a Poisson test does not reject.

    Each limit leaves (1 − level)/2 of the Poisson probability beyond the count; the lower limit is 0
    without events (Garwood 1936, Biometrika 28:437–442; by quantiles of the gamma distribution, as in
    R's `poisson.test`).

    Parameters
    ----------
    n_events
        Events, any shape that broadcasts [count].
    exposure
        What they were counted over, for example person-years or scans, any shape that broadcasts.
    level
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper limit [events per unit of exposure]; NaN where the exposure is 0.

    Raises
    ------
    ValueError
        If a count or an exposure is negative or NaN, or the level is not between 0 and 1.
    """
    y, t = _counts_and_exposures(n_events, exposure)
    check_level(level)
    from scipy.special import gammainccinv, gammaincinv

    tail = (1 - level) / 2
    t = np.where(t > 0, t, np.nan)
    with np.errstate(over="ignore"):  # infinite for an exposure of next to nothing
        return np.where(y > 0, gammaincinv(y, tail), 0.0) / t, np.asarray(gammainccinv(y + 1, tail) / t)


def byar(
    n_events: ArrayLike, exposure: ArrayLike, level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give Byar's approximate interval of a Poisson rate, from the cube root of the count and a half.

    Both limits are c (1 − 1/(9c) ± z/(3√c))³ events with c the count plus ½ (Rothman 2002, Epidemiology: An
    Introduction, p. 134; R's `epitools::pois.byar`). A lower limit below 0 is 0, and without events it is 0
    at every level: the formula alone gives one above 0 there for levels below 0.90. The older form of Breslow
    & Day (1987), with the count below and the count plus 1 above, is another interval,
    close to Garwood's. Parameters, returns and errors are those of `garwood`.
    """
    y, t = _counts_and_exposures(n_events, exposure)
    z = normal_quantile(level)
    centre = y + 0.5
    t = np.where(t > 0, t, np.nan)
    low, high = (
        centre * (1 - 1 / (9 * centre) + side * z / (3 * np.sqrt(centre))) ** 3 / t for side in (-1, +1)
    )
    return np.asarray(np.maximum(low, 0) * (y > 0)), np.asarray(high)


def wald(
    n_events: ArrayLike, exposure: ArrayLike, level: float, *, is_cut: bool = True
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the interval of a Poisson rate that is symmetric about it: rate ± z √count / exposure.

    The variance of a Poisson count is its mean (Rothman & Greenland 1998, Modern Epidemiology, 2nd edition,
    chapter 14). A lower limit below 0 is 0, or with `is_cut` false left there; without events the interval has
    no width. Parameters, returns and errors are those of `garwood`.
    """
    y, t = _counts_and_exposures(n_events, exposure)
    t = np.where(t > 0, t, np.nan)
    half = normal_quantile(level) * np.sqrt(y)
    low = np.maximum(y - half, 0) if is_cut else y - half
    return np.asarray(low / t), np.asarray((y + half) / t)


def log_wald(
    n_events: ArrayLike, exposure: ArrayLike, level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the interval of a Poisson rate that is symmetric for its logarithm: rate × exp(± z/√count).

    The variance of the logarithm is 1/count by the delta method (Rothman & Greenland 1998, Modern
    Epidemiology, 2nd edition, chapter 14), so that without events there is no interval. Parameters, returns
    and errors are those of `garwood`, with NaN also where there is no event.
    """
    y, t = _counts_and_exposures(n_events, exposure)
    z = normal_quantile(level)
    y, t = np.where(y > 0, y, np.nan), np.where(t > 0, t, np.nan)
    return np.asarray(y / t * np.exp(-z / np.sqrt(y))), np.asarray(y / t * np.exp(z / np.sqrt(y)))


def rate_ratio_interval(
    n_1: ArrayLike, exposure_1: ArrayLike, n_0: ArrayLike, exposure_0: ArrayLike, level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the exact interval of the ratio of two Poisson rates, rate 1 ÷ rate 0.

    Given the sum of both counts, `n_1` is binomial with odds that are the ratio of the rates times that of
    the exposures; the limits are those of Clopper–Pearson, as odds (Przyborowski & Wilenski 1940, Biometrika
    31:313–323; as in R's `poisson.test`).

    Parameters
    ----------
    n_1, n_0
        Events in the numerator and in the denominator, any shapes that broadcast [counts].
    exposure_1, exposure_0
        What they were counted over, any shapes that broadcast, both in one unit.
    level
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper limit. The upper one is infinite where `n_0` is 0; both are NaN where neither
        side has an event or an exposure is 0.

    Raises
    ------
    ValueError
        If a count or an exposure is negative or NaN, or the level is not between 0 and 1.
    """
    y_1, t_1 = _counts_and_exposures(n_1, exposure_1)
    y_0, t_0 = _counts_and_exposures(n_0, exposure_0)
    # The share of side 0 has the complementary limits; asking for them loses no digits to 1 − p.
    low_1, high_1 = clopper_pearson(y_1, y_1 + y_0, level)
    low_0, high_0 = clopper_pearson(y_0, y_1 + y_0, level)
    per_odds = np.where(t_0 > 0, t_0, np.nan) / np.where(t_1 > 0, t_1, np.nan)
    with np.errstate(divide="ignore"):  # without events on side 0 the upper limit is infinite
        return np.asarray(low_1 / high_0 * per_odds), np.asarray(high_1 / low_0 * per_odds)


def pearson_dispersion(counts: ArrayLike, exposures: ArrayLike) -> float:
    """Measure how much more the counts of subjects vary than a common Poisson rate allows.

    The sum of (y − μ)²/μ over the subjects, divided by their number less one, with μ the pooled rate times
    the exposure of the subject (McCullagh & Nelder 1989, Generalized Linear Models, section 6.2.3). About 1
    for Poisson counts; above it, intervals from Poisson theory are too narrow. Subjects with neither
    exposure nor events are left out.

    Parameters
    ----------
    counts
        Events of each subject, shape (n,).
    exposures
        What they were counted over, shape (n,).

    Returns
    -------
    float
        The dispersion; NaN with fewer than two subjects or without events, infinite or NaN where an exposure
        is too small to divide by.

    Raises
    ------
    ValueError
        If a count or an exposure is negative or NaN, or a subject has events without exposure.
    """
    y, t = _counts_and_exposures(counts, exposures)
    is_exposed = t > 0
    if not is_exposed.all():
        if np.any(y[~is_exposed]):
            raise ValueError("a subject has events without exposure")
        y, t = y[is_exposed], t[is_exposed]
    if y.size < 2 or not y.any():
        return float("nan")
    rate, total = y.sum() / t.sum(), 0.0
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # an exposure of next to nothing
        for chunk in chunks(y.size):
            expected = t[chunk] * rate
            total += np.sum((y[chunk] - expected) ** 2 / expected)
    return float(total / (y.size - 1))


def _counts_and_exposures(
    counts: ArrayLike, exposures: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give both as floats of one shape, or raise ValueError where one is negative or NaN."""
    y, t = np.broadcast_arrays(np.asarray(counts, dtype=np.float64), np.asarray(exposures, dtype=np.float64))
    if not (y.min(initial=0) >= 0 and t.min(initial=0) >= 0):
        raise ValueError("counts and exposures must be 0 or more")
    return y, t
