"""Probabilities of counts, added up term by term: a slow oracle that shares nothing with the estimators."""

from __future__ import annotations

import math


def binomial_sum(n: int, p: float, n_successes: range) -> float:
    """Give the probability of any of these numbers of successes in `n` trials."""
    return math.fsum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in n_successes)


def poisson_sum(mean: float, n_events: range) -> float:
    """Give the probability of any of these numbers of events."""
    return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in n_events)
