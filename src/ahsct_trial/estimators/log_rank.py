"""The log-rank test of survival curves: by its large-sample distribution and by permutation."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, lgamma, log, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from ahsct_trial.estimators.risk_sets import RiskSets, risk_sets

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

#: Up to so many ways to label the patients each one is looked at.
MOST_LABELLINGS = 2_000_000
#: Otherwise so many are drawn at random, …
N_RANDOM_LABELLINGS = 100_000
#: … fewer where many patients differ in their scores, since each distinct score costs one draw, …
_MOST_DRAWS = 2_000_000
#: … and none where so few would be left that their error matters. With so many distinct event times the
#: large-sample p-value is as good.
_FEWEST_RANDOM_LABELLINGS = 10_000
#: Sums of scores closer than this are equal but for rounding.
_TOLERANCE = 1e-10


@dataclass(frozen=True, kw_only=True, slots=True)
class LogRank:
    """The log-rank test: its χ² statistic, degrees of freedom and p-value.

    `statistic` and `p` are NaN, and `df` is 0, where no event happened while two groups were at risk.
    """

    statistic: float
    df: int
    p: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PermutationTest:
    """The permutation p-value of the log-rank O − E of two groups.

    Attributes
    ----------
    p
        The p-value; NaN where there is none.
    standard_error
        Monte Carlo standard error of `p`; 0 where all labellings were looked at, NaN where there is no p.
    n_labellings
        Labellings that were looked at.
    reason
        How `p` was found, or why there is none, in words.
    """

    p: float
    standard_error: float
    n_labellings: int
    reason: str


def log_rank(
    years: ArrayLike,
    is_event: ArrayLike,
    group: ArrayLike,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
) -> LogRank:
    """Test that two or more groups have one survival curve, or one within each stratum.

    Observed less expected events, with their hypergeometric covariance (Kalbfleisch & Prentice 2002, The
    Statistical Analysis of Failure Time Data, section 1.5; R's `survdiff` with rho 0). A group that was
    never at risk of an event does not count for the degrees of freedom.

    Parameters
    ----------
    years
        Time of the event or of the loss of each patient, shape (n,), finite and not negative; times tie as
        `survival.tied` says.
    is_event
        Whether that time is an event, shape (n,).
    group
        Group of each patient, shape (n,), any labels.
    strata
        Stratum of each patient, shape (n,), any labels; None for one.
    entry
        When each patient came under observation, shape (n,), before `years`; minus infinity for who is at
        risk from time 0 itself on. None where all are.

    Raises
    ------
    ValueError
        If the arrays are not of one length, a time is negative, infinite or NaN, or an entry not before it.
    """
    return log_rank_of(risk_sets(years, is_event, np.unique(group, return_inverse=True)[1], strata, entry))


def log_rank_of(sets: RiskSets) -> LogRank:
    """The test of `log_rank` from risk sets that were counted before."""
    from scipy.special import chdtrc

    has_events = sets.n_events.any(axis=1)
    at_risk, events = sets.n_at_risk[has_events], sets.n_events[has_events]
    r, d = at_risk.sum(axis=1), events.sum(axis=1)
    share = at_risk / r[:, None]
    difference = events.sum(axis=0) - d @ share
    weight = d * (r - d) / np.maximum(r - 1, 1)
    covariance = np.diag(weight @ share) - share.T @ (weight[:, None] * share)
    # The rows of the covariance add up to 0; a group that was never at risk adds a row of zeros.
    variances, axes = np.linalg.eigh(covariance)
    is_free = variances > 1e-10 * variances.max()
    if not is_free.any():
        return LogRank(statistic=float("nan"), df=0, p=float("nan"))
    statistic = float(np.sum((difference @ axes)[is_free] ** 2 / variances[is_free]))
    df = int(is_free.sum())
    return LogRank(statistic=statistic, df=df, p=float(chdtrc(df, statistic)))


def exact_log_rank(
    years: ArrayLike,
    is_event: ArrayLike,
    group: ArrayLike,
    strata: ArrayLike | None = None,
    seed: int = 2016,
    entry: ArrayLike | None = None,
) -> PermutationTest:
    """Test that two groups have one survival curve, by the permutation distribution of O − E.

    Each patient has the score event − Λ(t), with Λ the Nelson–Aalen estimate of all patients of the stratum,
    less Λ at entry; the scores of a group add up to its log-rank O − E (Hothorn & Lausen 2003, Comput Stat
    Data Anal 43:121–137; the scores are those of R's `coin::logrank_test` with ``mid-ranks``). P is the share
    of labellings, the group sizes within each stratum kept, whose O − E is as far from 0 as the observed one
    or further. It needs groups that were followed alike: a difference in censoring may make it small too.

    All labellings are looked at where there are at most 2,000,000; otherwise random ones, from a generator
    with the seed `seed`. Parameters and errors are those of `log_rank`.
    """
    labels, code = np.unique(group, return_inverse=True)
    if labels.size != 2:
        return _without_p("there are not two groups with patients")
    return exact_log_rank_of(risk_sets(years, is_event, code, strata, entry), is_event, code, seed)


def exact_log_rank_of(
    sets: RiskSets, is_event: ArrayLike, code: NDArray[np.integer[Any]], seed: int = 2016
) -> PermutationTest:
    """The test of `exact_log_rank` from risk sets that were counted before; `code` is 0 and 1 by patient."""
    if not sets.n_events.any():
        return _without_p("no event in either group")
    scores = _scores(sets, np.asarray(is_event, dtype=np.bool_))
    observed = abs(float(scores[code == 1].sum()))
    choices = [(scores, int(np.count_nonzero(code)))]
    if sets.stratum.any():
        stratum = sets.stratum[sets.row]
        order = np.argsort(stratum, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(stratum[order])) + 1)
        choices = [(scores[part], int(np.count_nonzero(code[part]))) for part in parts]

    log_n = sum(lgamma(s.size + 1) - lgamma(k + 1) - lgamma(s.size - k + 1) for s, k in choices)
    if log_n < log(MOST_LABELLINGS) + 1 and (n := _n_labellings(choices)) <= MOST_LABELLINGS:
        sums = np.zeros(1)
        for s, k in choices:
            sums = np.add.outer(sums, _sums_of_choices(s, k)).ravel()
        n_as_far = int(np.count_nonzero(np.abs(sums) >= observed - _TOLERANCE))
        return PermutationTest(
            p=n_as_far / n, standard_error=0.0, n_labellings=n, reason=f"all {n:,} labellings"
        )
    return _random_labellings(choices, observed, seed)


def _n_labellings(choices: list[tuple[NDArray[np.float64], int]]) -> int:
    n = 1
    for scores, n_chosen in choices:
        n *= comb(scores.size, n_chosen)
    return n


def _scores(sets: RiskSets, is_event: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Event − Λ(t) of each patient; they add up to 0 in each stratum."""
    r, d = sets.n_at_risk.sum(axis=1), sets.n_events.sum(axis=1)
    hazard = np.cumsum(d / np.maximum(r, 1))  # over all strata: what came before a stratum cancels
    start = np.searchsorted(sets.stratum, sets.stratum)
    hazard -= np.append(0.0, hazard)[start]
    at_entry = 0.0 if sets.entry_row is None else hazard[sets.entry_row]
    return np.asarray(is_event - (hazard[sets.row] - at_entry))


def _sums_of_choices(scores: NDArray[np.float64], n_chosen: int) -> NDArray[np.float64]:
    """The sum of every choice of `n_chosen` scores."""
    n_left = scores.size - n_chosen
    if n_left < n_chosen:
        return np.asarray(scores.sum() - _sums_by_size(scores, n_left)[n_left])
    return _sums_by_size(scores, n_chosen)[n_chosen]


def _sums_by_size(scores: NDArray[np.float64], most: int) -> list[NDArray[np.float64]]:
    """The sums of every choice of 0, 1, … `most` scores, from those of either half."""
    if most <= 1 or scores.size <= 1:
        few = [np.zeros(1), scores][: most + 1]
        return few + [np.empty(0)] * (most + 1 - len(few))
    half = scores.size // 2
    left, right = _sums_by_size(scores[:half], most), _sums_by_size(scores[half:], most)
    return [
        np.concatenate([np.add.outer(left[i], right[size - i]).ravel() for i in range(size + 1)])
        for size in range(most + 1)
    ]


def _random_labellings(
    choices: list[tuple[NDArray[np.float64], int]], observed: float, seed: int
) -> PermutationTest:
    # Patients with one score are alike, so that drawing how many of each is enough.
    distinct = [(*np.unique(scores, return_counts=True), n_chosen) for scores, n_chosen in choices]
    n = min(N_RANDOM_LABELLINGS, _MOST_DRAWS // sum(values.size for values, _, _ in distinct))
    if n < _FEWEST_RANDOM_LABELLINGS:
        return _without_p("too many distinct event times to permute; the log-rank p-value is as good")
    random = np.random.default_rng(seed)
    sums = np.zeros(n)
    for values, counts, n_chosen in distinct:
        sums += random.multivariate_hypergeometric(counts, n_chosen, size=n, method="marginals") @ values
    # The observed labelling is one of them (Phipson & Smyth 2010, Stat Appl Genet Mol Biol 9:39).
    p = (np.count_nonzero(np.abs(sums) >= observed - _TOLERANCE) + 1) / (n + 1)
    error = sqrt(p * (1 - p) / n)
    return PermutationTest(
        p=float(p),
        standard_error=error,
        n_labellings=n,
        reason=f"{n:,} random labellings, with a standard error of {error:.1g}",
    )


def _without_p(reason: str) -> PermutationTest:
    nan = float("nan")
    return PermutationTest(p=nan, standard_error=nan, n_labellings=0, reason=reason)
