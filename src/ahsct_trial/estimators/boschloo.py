"""Boschloo's exact test of two proportions."""

from __future__ import annotations

from math import exp, pi
from typing import TYPE_CHECKING

import numpy as np

from ahsct_trial.estimators.differences import check_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: With more patients the test takes longer than half a second, and large-sample tests give the same answer.
MOST_PATIENTS = 5_000
#: P-values of Fisher's test closer than this, relatively, are equal but for rounding.
_TOLERANCE = 1e-9


def boschloo(x_1: int, n_1: int, x_2: int, n_2: int) -> float:
    """Test that two proportions are equal by Boschloo's test, two-sided and central.

    Twice the smaller of both one-sided p-values, or 1. A one-sided one is the largest probability, over all
    common proportions, of the tables whose one-sided Fisher p-value is at most the observed one (Boschloo
    1970, Stat Neerl 24:1–9; as `scipy.stats.boschloo_exact`, which counts all n₁ n₂ tables and so takes
    seconds from 300 patients in a group on).

    Parameters
    ----------
    x_1, n_1, x_2, n_2
        Patients with the event and all patients, of either group [counts].

    Returns
    -------
    float
        The p-value; NaN where a group has no patient, and where there are more than 5,000 in all.

    Raises
    ------
    ValueError
        If a count of events is not from 0 to the group's size.
    """
    check_counts(x_1, n_1, x_2, n_2)
    if n_1 == 0 or n_2 == 0 or n_1 + n_2 > MOST_PATIENTS:
        return float("nan")
    return min(1.0, 2 * min(_p_less(x_1, n_1, x_2, n_2), _p_less(x_2, n_2, x_1, n_1)))


def _p_less(x_1: int, n_1: int, x_2: int, n_2: int) -> float:
    """One-sided p-value against a smaller proportion in group 1."""
    log_choose_1, log_choose_2 = _log_binomials(n_1), _log_binomials(n_2)
    fewest_2 = _rejection_boundary(x_1, x_2, log_choose_1, log_choose_2)
    i, j = np.arange(n_1 + 1), np.arange(n_2 + 1)

    def probability(angle: float) -> float:
        """Of a table at least as extreme, where both groups have the proportion sin²(angle)."""
        # Next to 0 and 1 the logarithm stays finite and the powers are 0 as they should be.
        log_p, log_q = (2 * np.log(max(side, 1e-300)) for side in (np.sin(angle), np.cos(angle)))
        of_1 = np.exp(log_choose_1 + i * log_p + (n_1 - i) * log_q)
        of_2 = np.exp(log_choose_2 + j * log_p + (n_2 - j) * log_q)
        of_2_and_more = np.append(np.cumsum(of_2[::-1])[::-1], 0.0)
        return float(of_1 @ of_2_and_more[fewest_2])

    # On this scale a proportion has the standard deviation 1/(2 √n) everywhere, and the probability changes
    # no faster: a quarter of it finds each hump, whose top is then narrowed down.
    step = 1 / (8 * np.sqrt(n_1 + n_2))
    angles = np.linspace(0, pi / 2, int(np.ceil(pi / 2 / step)) + 1)
    heights = np.array([probability(angle) for angle in angles])
    if heights.max() >= 0.5:
        return float(heights.max())  # doubled it is 1 in any case
    from scipy.optimize import minimize_scalar

    def top(k: int) -> float:
        beside = angles[max(k - 1, 0)], angles[min(k + 1, angles.size - 1)]
        found = minimize_scalar(lambda angle: -probability(angle), bounds=beside, options={"xatol": 1e-10})
        return -float(found.fun)

    padded = np.pad(heights, 1, constant_values=-1.0)
    is_hump = (heights >= padded[:-2]) & (heights >= padded[2:]) & (heights >= 0.9 * heights.max())
    return max(float(heights.max()), *(top(int(k)) for k in np.flatnonzero(is_hump)))


def _log_binomials(n: int) -> NDArray[np.float64]:
    """The logarithms of n over 0, 1, … n."""
    from scipy.special import gammaln

    log_factorial = gammaln(np.arange(n + 1) + 1.0)
    return np.asarray(log_factorial[-1] - log_factorial - log_factorial[::-1])


def _rejection_boundary(
    x_1: int, x_2: int, log_choose_1: NDArray[np.float64], log_choose_2: NDArray[np.float64]
) -> NDArray[np.intp]:
    """For each number of events in group 1, the fewest in group 2 whose Fisher p-value is as small.

    Where m patients in all have the event, let a be the most of them in group 1 for which
    F = P(X ≤ a | m) is at most the observed p-value. With one event more, a stays or grows by 1, and F
    follows by P(X ≤ a | m + 1) = P(X ≤ a | m) − P(X = a | m) (n₁ − a)/(N − m). So one walk along the
    boundary finds it, without the tables on either side.
    """
    n_1, n_2 = log_choose_1.size - 1, log_choose_2.size - 1
    n = n_1 + n_2
    log_choose = _log_binomials(n)

    def mass(a: int, m: int) -> float:
        if not max(0, m - n_2) <= a <= min(n_1, m):
            return 0.0
        return exp(log_choose_1[a] + log_choose_2[m - a] - log_choose[m])

    m = x_1 + x_2
    observed = sum(mass(a, m) for a in range(x_1 + 1)) * (1 + _TOLERANCE)
    fewest_2 = np.full(n_1 + 1, n_2 + 1, dtype=np.intp)  # beyond n₂: no number is enough
    a, below = -1, 0.0
    for m in range(n + 1):
        if a < n_1 and below + (more := mass(a + 1, m)) <= observed:
            a, below = a + 1, below + more
            fewest_2[a] = min(m - a, n_2 + 1)
        if m < n:
            below -= mass(a, m) * (n_1 - a) / (n - m)
    return fewest_2
