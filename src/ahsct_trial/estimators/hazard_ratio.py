"""The hazard ratio of two groups: Cox's partial likelihood, and Firth's penalised one where events are few.

With one covariate that is 0 or 1, each event takes log(a + c exp β) from the log partial likelihood, where a
and c count the first and the second group at risk of it. All that follows works on the shares q = c/(a + c),
so that no row per patient and no matrix is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.optimize import brentq

from ahsct_trial.estimators.proportions import normal_quantile
from ahsct_trial.estimators.risk_sets import RiskSets, risk_sets

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

HazardRatioMethod = Literal["cox-efron-profile", "firth-profile"]

#: With fewer events Cox's estimate is biased away from 1 and its limits miss the level they name.
FEWEST_EVENTS_FOR_COX = 10
#: Step of the search for the highest mode of a penalised likelihood [log hazard ratio]. Its terms change no
#: faster than a logistic density with scale 1 does, so that none of its modes is narrower than this.
_MODE_STEP = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class HazardRatio:
    """Hazard of the second group ÷ hazard of the first.

    Attributes
    ----------
    value, ci_low, ci_high
        The ratio and its profile limits; NaN where no event says anything of it.
    p
        P-value of the likelihood-ratio test of no difference, which belongs to the limits: the
        interval of level 1 − p ends at 1.
    method
        The likelihood used.
    reason
        Why that one was, or why there is no ratio, in words.
    """

    value: float
    ci_low: float
    ci_high: float
    p: float
    method: HazardRatioMethod
    reason: str


def hazard_ratio(
    years: ArrayLike,
    is_event: ArrayLike,
    is_second_group: ArrayLike,
    strata: ArrayLike | None = None,
    level: float = 0.95,
    entry: ArrayLike | None = None,
) -> HazardRatio:
    """Estimate a hazard ratio by the likelihood that the number of events allows.

    Firth's penalised likelihood where a group has no event, where the likelihood is monotone, or where there
    are fewer than 10 events; Cox's partial likelihood with Efron's ties otherwise. Parameters, returns and
    errors are those of `cox_hazard_ratio`.
    """
    return hazard_ratio_of(_two_group_risk_sets(years, is_event, is_second_group, strata, entry), level)


def hazard_ratio_of(sets: RiskSets, level: float = 0.95) -> HazardRatio:
    """The ratio of `hazard_ratio` from risk sets of two groups that were counted before."""
    n_events = int(sets.n_events.sum())
    partial = _PartialLikelihood.with_efron_ties(sets)
    if n_events == 0:
        return _firth(sets, level, "no event in either group")
    if not sets.n_events.any(axis=0).all():
        return _firth(sets, level, "one group has no event")
    if partial.is_monotone:
        return _firth(sets, level, "the likelihood is monotone: one group always had the event first")
    if n_events < FEWEST_EVENTS_FOR_COX:
        return _firth(sets, level, f"fewer than {FEWEST_EVENTS_FOR_COX} events")
    return _cox(partial, level, f"{FEWEST_EVENTS_FOR_COX} events or more together, some in each group")


def cox_hazard_ratio(
    years: ArrayLike,
    is_event: ArrayLike,
    is_second_group: ArrayLike,
    strata: ArrayLike | None = None,
    level: float = 0.95,
    entry: ArrayLike | None = None,
) -> HazardRatio:
    """Estimate a hazard ratio by Cox's partial likelihood, with limits of the profile likelihood.

    Ties as in Efron 1977, J Am Stat Assoc 72:557–565. The limits are the ratios that the likelihood-ratio
    test does not reject (Venzon & Moolgavkar 1988, Appl Stat 37:87–94). Where the likelihood is monotone,
    as where a group has no event, the ratio is 0 or infinite and one limit with it; the other one stands.

    Parameters
    ----------
    years
        Time of the event or of the loss of each patient, shape (n,), finite and not negative; times tie as
        `survival.tied` says.
    is_event
        Whether that time is an event, shape (n,).
    is_second_group
        Whether the patient is of the group in the numerator, shape (n,): level ÷ reference where it says
        who is of the level.
    strata
        Stratum of each patient, shape (n,), any labels; each has its own baseline hazard. None for one.
    level
        Two-sided confidence level, between 0 and 1.
    entry
        When each patient came under observation, shape (n,), before `years`; minus infinity for who is at
        risk from time 0 itself on. None where all are.

    Returns
    -------
    HazardRatio
        The second group against the first; NaN where no event happened while both were at risk.

    Raises
    ------
    ValueError
        If the arrays are not of one length, a time is negative, infinite or NaN, an entry is not before it,
        or the level is not between 0 and 1.
    """
    sets = _two_group_risk_sets(years, is_event, is_second_group, strata, entry)
    return _cox(_PartialLikelihood.with_efron_ties(sets), level, "Cox's partial likelihood was asked for")


def firth_hazard_ratio(
    years: ArrayLike,
    is_event: ArrayLike,
    is_second_group: ArrayLike,
    strata: ArrayLike | None = None,
    level: float = 0.95,
    entry: ArrayLike | None = None,
) -> HazardRatio:
    """Estimate a hazard ratio by Firth's penalised likelihood, with limits of its profile.

    Half the logarithm of the information is added to Cox's partial likelihood, with Breslow's ties as in R's
    coxphf, which takes the first-order bias away and leaves the ratio and both limits finite also where a
    group has no event (Heinze & Schemper 2001, Biometrics 57:114–119; Firth 1993, Biometrika 80:27–38).
    Parameters, returns and errors are those of `cox_hazard_ratio`.
    """
    sets = _two_group_risk_sets(years, is_event, is_second_group, strata, entry)
    return _firth(sets, level, "Firth's penalised likelihood was asked for")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _PartialLikelihood:
    """Cox's partial likelihood of the log hazard ratio of two groups, relative to that of no difference.

    Attributes
    ----------
    share
        Share of the second group among those at risk, for each event or time, above 0 and below 1: events
        while only one group was at risk say nothing.
    weight
        How often each share counts.
    n_second
        Events of the second group among those.
    """

    share: NDArray[np.float64]
    weight: NDArray[np.float64]
    n_second: int

    @classmethod
    def with_breslow_ties(cls, sets: RiskSets) -> _PartialLikelihood:
        at_risk, events = _informative(sets)
        return cls(
            share=at_risk[:, 1] / at_risk.sum(axis=1),
            weight=events.sum(axis=1).astype(np.float64),
            n_second=int(events[:, 1].sum()),
        )

    @classmethod
    def with_efron_ties(cls, sets: RiskSets) -> _PartialLikelihood:
        at_risk, events = _informative(sets)
        # Of d tied events the l-th finds l/d of each of them gone.
        n_tied = events.sum(axis=1)
        row = np.repeat(np.arange(n_tied.size), n_tied)
        n_gone = np.arange(row.size) - (np.cumsum(n_tied) - n_tied)[row]
        second = at_risk[row, 1] - n_gone / n_tied[row] * events[row, 1]
        return cls(
            share=second / (at_risk.sum(axis=1)[row] - n_gone),
            weight=np.ones(row.size),
            n_second=int(events[:, 1].sum()),
        )

    @property
    def n_events(self) -> int:
        return int(self.weight.sum())

    @property
    def is_monotone(self) -> bool:
        """Whether it rises or falls for ever, since each event that says anything was of one group."""
        return self.n_second in {0, self.n_events}

    @property
    def span(self) -> tuple[float, float]:
        """An interval of β with every finite stationary point of it and of its penalised form inside.

        With E = exp(−(β − max u)), u = −logit q, the score falls short of its limit n_second − n_events by
        less than n_events · E and the derivative of the penalty is below E − ½. To the right of
        max u + log(2 n_events + 2) the sum is negative; on the left likewise.
        """
        half_way = np.log1p(-self.share) - np.log(self.share)
        margin = float(np.log(2 * self.n_events + 2))
        return float(half_way.min()) - margin, float(half_way.max()) + margin

    def __call__(self, beta: float) -> float:
        change = np.log1p(self.share * np.expm1(beta))
        return float(self.n_second * beta - self.weight @ change)

    def supremum(self, side: Literal[-1, 1]) -> float:
        """Give the limit of a monotone likelihood at β = ±∞."""
        return float(-self.weight @ np.log(self.share if side > 0 else 1 - self.share))

    def score(self, beta: float) -> float:
        return float(self.n_second - self.weight @ self._expected_share(beta))

    def information(self, beta: float) -> float:
        return float(self._variance(beta).sum())

    def penalised(self, beta: float) -> float:
        return self(beta) + float(np.log(self.information(beta))) / 2

    def penalised_score(self, beta: float) -> float:
        share, variance = self._expected_share(beta), self._variance(beta)
        return float(self.n_second - self.weight @ share + variance @ (1 - 2 * share) / variance.sum() / 2)

    def _expected_share(self, beta: float) -> NDArray[np.float64]:
        return np.asarray(self.share * np.exp(beta) / (1 + self.share * np.expm1(beta)))

    def _variance(self, beta: float) -> NDArray[np.float64]:
        # Not p (1 − p), which loses its digits where p is close to 1.
        odds = self.share * (1 - self.share) * np.exp(beta)
        return np.asarray(self.weight * odds / (1 + self.share * np.expm1(beta)) ** 2)


def _two_group_risk_sets(
    years: ArrayLike,
    is_event: ArrayLike,
    is_second_group: ArrayLike,
    strata: ArrayLike | None,
    entry: ArrayLike | None,
) -> RiskSets:
    return risk_sets(years, is_event, np.asarray(is_second_group, dtype=np.bool_), strata, entry)


def _informative(sets: RiskSets) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Those at risk and the events, at the times of events at which both groups were at risk."""
    is_informative = sets.n_events.any(axis=1) & sets.n_at_risk.all(axis=1)
    return sets.n_at_risk[is_informative], sets.n_events[is_informative]


def _cox(likelihood: _PartialLikelihood, level: float, reason: str) -> HazardRatio:
    drop = _drop(level)
    if likelihood.n_events == 0:
        return _undefined("cox-efron-profile")

    low, high = likelihood.span
    if not likelihood.is_monotone:
        beta = brentq(likelihood.score, low, high, xtol=1e-12)
        peak = likelihood(beta)
        inside = beta
    else:
        side: Literal[-1, 1] = 1 if likelihood.n_second else -1
        beta, peak = side * np.inf, likelihood.supremum(side)
        # So far out the likelihood is within half of `drop` of its limit.
        inside = high + np.log1p(2 / drop) if side > 0 else low - np.log1p(2 / drop)

    def excess(at: float) -> float:
        return likelihood(at) - peak + drop

    # A little more than the width of a parabola of that curvature.
    step = 1.1 * float(np.sqrt(2 * drop / likelihood.information(inside)))
    return HazardRatio(
        value=float(np.exp(beta)),
        ci_low=0.0 if beta == -np.inf else float(np.exp(_crossing(excess, inside, -step))),
        ci_high=float("inf") if beta == np.inf else float(np.exp(_crossing(excess, inside, step))),
        p=_likelihood_ratio_p(peak),
        method="cox-efron-profile",
        reason=reason,
    )


def _firth(sets: RiskSets, level: float, reason: str) -> HazardRatio:
    likelihood = _PartialLikelihood.with_breslow_ties(sets)
    drop = _drop(level)
    if likelihood.n_events == 0:
        return _undefined("firth-profile")

    # Where strata hold the groups in very unequal shares there may be more than one mode.
    low, high = likelihood.span
    grid = np.arange(low, high + _MODE_STEP, _MODE_STEP)
    heights = np.array([likelihood.penalised(beta) for beta in grid])
    left = right = int(np.argmax(heights))
    while likelihood.penalised_score(grid[left]) <= 0:
        left -= 1
    while likelihood.penalised_score(grid[right]) >= 0:
        right += 1
    beta = brentq(likelihood.penalised_score, grid[left], grid[right], xtol=1e-12)
    peak = likelihood.penalised(beta)

    def excess(at: float) -> float:
        return likelihood.penalised(at) - peak + drop

    inside = [*grid[heights - peak + drop >= 0], beta]
    return HazardRatio(
        value=float(np.exp(beta)),
        ci_low=float(np.exp(_crossing(excess, min(inside), -_MODE_STEP))),
        ci_high=float(np.exp(_crossing(excess, max(inside), _MODE_STEP))),
        p=_likelihood_ratio_p(peak - likelihood.penalised(0.0)),
        method="firth-profile",
        reason=reason,
    )


def _undefined(method: HazardRatioMethod) -> HazardRatio:
    nan = float("nan")
    return HazardRatio(
        value=nan,
        ci_low=nan,
        ci_high=nan,
        p=nan,
        method=method,
        reason="undefined: no event happened while both groups were at risk",
    )


def _drop(level: float) -> float:
    """How far the log likelihood at the limits lies below its peak: half the χ² quantile."""
    # Levels so close to 0 or 1 that they round to it still have limits.
    return min(max(normal_quantile(level) ** 2 / 2, 1e-9), 35.0)


def _crossing(excess: Callable[[float], float], inside: float, step: float) -> float:
    """Find where `excess`, at least 0 at `inside`, becomes negative in the direction of `step`."""
    outside = inside + step
    while excess(outside) >= 0:
        inside, step = outside, 2 * step
        outside = inside + step
    return float(brentq(excess, inside, outside, xtol=1e-12))


def _likelihood_ratio_p(gain: float) -> float:
    """P-value of twice the gain in log likelihood, by the χ² distribution with 1 degree of freedom."""
    from scipy.special import erfc

    return float(erfc(np.sqrt(max(gain, 0.0))))
