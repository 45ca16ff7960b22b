"""The exact confidence interval of a proportion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def clopper_pearson(
    n_successes: ArrayLike, n: ArrayLike, level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
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
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}; it must be above 0 and below 1")
    x, n = np.broadcast_arrays(np.asarray(n_successes, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if not np.all((x >= 0) & (x <= n)):
        raise ValueError("n_successes must be from 0 to n")
    from scipy.special import betainccinv, betaincinv

    tail = (1 - level) / 2
    low = np.where(x > 0, betaincinv(x, n - x + 1, tail), 0.0)
    high = np.where(x < n, betainccinv(x + 1, n - x, tail), 1.0)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)
