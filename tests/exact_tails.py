"""Tail probabilities by adding up their terms: what an exact interval promises at its limits."""

from __future__ import annotations

from math import comb, exp, factorial, fsum


def binomial_at_most(count: int, n: int, p: float) -> float:
    return fsum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(count + 1))


def binomial_at_least(count: int, n: int, p: float) -> float:
    return fsum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(count, n + 1))


def poisson_at_most(count: int, mean: float) -> float:
    return fsum(exp(-mean) * mean**k / factorial(k) for k in range(count + 1))


def poisson_at_least(count: int, mean: float) -> float:
    return 1 - poisson_at_most(count - 1, mean)


def known(figure: float | None) -> float:
    assert figure is not None
    return figure
