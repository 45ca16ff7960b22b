"""The Kaplan–Meier curve, its confidence limits and its quantiles, in R's conventions.

`confidence_limits` and `quantile` follow `survfit` and `quantile.survfit` of the R package survival.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

CiMethod = Literal["log-log", "log", "plain", "logit", "arcsin"]

#: Levels of a curve closer than this are the same level: sqrt of the machine epsilon, as in R.
_TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CurveValues:
    """A Kaplan–Meier curve at given times; each array has the shape of those times.

    Attributes
    ----------
    n_at_risk
        Patients whose time is at or after the given one.
    n_events, n_censored
        Events and losses up to and including the given time.
    estimate
        Probability of being event-free just after the given time, 0 to 1.
    log_variance
        Greenwood variance of the logarithm of `estimate`; infinite where `estimate` is 0.
    """

    n_at_risk: NDArray[np.int64]
    n_events: NDArray[np.int64]
    n_censored: NDArray[np.int64]
    estimate: NDArray[np.float64]
    log_variance: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class KaplanMeier:
    """A Kaplan–Meier curve: one element per distinct time, in ascending order.

    Attributes
    ----------
    time
        The distinct times of events and losses, shape (k,) [the unit of the input].
    n_at_risk
        Patients whose time is at or after `time`, shape (k,).
    n_events, n_censored
        Events and losses at exactly `time`, shape (k,).
    estimate
        Probability of being event-free just after `time`, shape (k,), 0 to 1.
    log_variance
        Greenwood variance of the logarithm of `estimate`, shape (k,); infinite where `estimate` is 0.
    """

    time: NDArray[np.float64]
    n_at_risk: NDArray[np.int64]
    n_events: NDArray[np.int64]
    n_censored: NDArray[np.int64]
    estimate: NDArray[np.float64]
    log_variance: NDArray[np.float64]

    def at(self, times: ArrayLike) -> CurveValues:
        """Read the curve at any times.

        Before the first time of the curve its value is 1 with variance 0. After the last one it stays
        at its last level; whether a figure there means anything is for the caller to say.

        Parameters
        ----------
        times
            Any shape [the unit of the curve].

        Returns
        -------
        CurveValues
            Arrays of the shape of `times`; for a single number, arrays without dimensions.
        """
        not_before = np.searchsorted(self.time, times, side="left")
        n_passed = np.searchsorted(self.time, times, side="right")
        return CurveValues(
            n_at_risk=np.asarray(np.append(self.n_at_risk, 0)[not_before]),
            n_events=np.asarray(np.append(0, np.cumsum(self.n_events))[n_passed]),
            n_censored=np.asarray(np.append(0, np.cumsum(self.n_censored))[n_passed]),
            estimate=np.asarray(np.append(1.0, self.estimate)[n_passed]),
            log_variance=np.asarray(np.append(0.0, self.log_variance)[n_passed]),
        )


def kaplan_meier(time: ArrayLike, is_event: ArrayLike) -> KaplanMeier:
    """Estimate the probability of staying event-free by the product-limit method.

    At a tie events come before losses: a patient lost at the time of an event is still at risk of it
    (Kaplan & Meier 1958, J Am Stat Assoc 53:457–481, section 2). Times tie when they are equal as
    floating-point numbers.

    Parameters
    ----------
    time
        Time of the event or of the loss of each patient, shape (n,), finite and not negative [any unit].
    is_event
        Whether that time is an event, shape (n,).

    Returns
    -------
    KaplanMeier
        S(t), the product of (1 − d/r) over the times up to t with d events among r at risk, and
        Greenwood's Var log S(t), the sum of d / (r (r − d)) (Kalbfleisch & Prentice 2002, The
        Statistical Analysis of Failure Time Data, section 1.4). Arrays of length 0 without patients.

    Raises
    ------
    ValueError
        If a time is negative, infinite or NaN, or the arrays are not of one length.
    """
    time = np.asarray(time, dtype=np.float64)
    is_event = np.asarray(is_event, dtype=np.bool_)
    if time.ndim != 1 or time.shape != is_event.shape:
        raise ValueError(f"time has shape {time.shape} and is_event {is_event.shape}; both must be (n,)")
    if not (time.min(initial=0.0) >= 0.0 and time.max(initial=0.0) < np.inf):
        raise ValueError("time holds a negative, infinite or NaN value")

    # One sort for both columns: floats that are not negative sort as their bits do, and their sign bit
    # is free to make room for the event flag. Adding 0.0 turns -0.0, which has the sign bit, into 0.0.
    key = (time + 0.0).view(np.uint64)
    key <<= np.uint64(1)
    key |= is_event
    key.sort()
    starts = _starts(key)
    key, n_of_key = key[starts], np.diff(starts, append=key.size)
    bits, is_event_key = key >> np.uint64(1), (key & np.uint64(1)).astype(np.bool_)

    starts = _starts(bits)
    n_leaving = np.add.reduceat(n_of_key, starts)
    n_events = np.add.reduceat(n_of_key * is_event_key, starts)
    n_at_risk = time.size - np.cumsum(n_leaving) + n_leaving
    n_remaining = n_at_risk - n_events
    with np.errstate(divide="ignore"):  # the variance is infinite once nobody remains
        log_variance = np.cumsum(n_events / (n_at_risk * n_remaining))
    return KaplanMeier(
        time=bits[starts].view(np.float64),
        n_at_risk=n_at_risk,
        n_events=n_events,
        n_censored=n_leaving - n_events,
        estimate=np.cumprod(n_remaining / n_at_risk, dtype=np.float64),
        log_variance=log_variance,
    )


def _starts(ordered: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Where each run of equal elements begins."""
    is_start = np.ones(ordered.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_start[1:])
    return np.flatnonzero(is_start)


def confidence_limits(
    estimate: ArrayLike, log_variance: ArrayLike, method: CiMethod, level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give pointwise confidence limits of a Kaplan–Meier estimate.

    The limits are symmetric on the scale that `method` names and are cut at 0 and 1 (``plain``: Klein &
    Moeschberger 2003, Survival Analysis, equation 4.3.1; ``log-log``: 4.3.2; ``arcsin``: 4.3.3; all five as
    in `survfit` of R's survival). They are undefined where the estimate is 0, and for ``log-log``, ``logit``
    and ``arcsin`` also where it is 1; ``plain`` and ``log`` give 1–1 there.

    Parameters
    ----------
    estimate
        Kaplan–Meier estimate, any shape, 0 to 1.
    log_variance
        Greenwood variance of its logarithm, the same shape.
    method
        Scale of the interval.
    level
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper limit, each of the shape of `estimate`; NaN where undefined.

    Raises
    ------
    ValueError
        If there is no such method, or the level is not between 0 and 1.
    """
    if method not in get_args(CiMethod):
        raise ValueError(f"method is {method!r}; it is one of {', '.join(get_args(CiMethod))}")
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}; it must be above 0 and below 1")
    from scipy.special import expit, logit, ndtri

    s = np.asarray(estimate, dtype=np.float64)
    with np.errstate(all="ignore"):  # the edges 0 and 1 are set to NaN below
        half = ndtri((1 + level) / 2) * np.sqrt(log_variance)  # half width on the scale of log S
        match method:
            case "plain":
                low, high = s - half * s, s + half * s
            case "log":
                low, high = s * np.exp(-half), s * np.exp(half)
            case "log-log":
                log_s = np.log(s)
                half = half / log_s
                low, high = np.exp(log_s * np.exp(-half)), np.exp(log_s * np.exp(half))
            case "logit":
                half = half / (1 - s)
                low, high = expit(logit(s) - half), expit(logit(s) + half)
            case "arcsin":
                half = half / 2 * np.sqrt(s / (1 - s))
                angle = np.arcsin(np.sqrt(s))
                low = np.sin(np.maximum(angle - half, 0)) ** 2
                high = np.sin(np.minimum(angle + half, np.pi / 2)) ** 2
    is_defined = (s > 0) & ((s < 1) | (method in {"plain", "log"}))
    return (
        np.where(is_defined, np.clip(low, 0, 1), np.nan),
        np.where(is_defined, np.clip(high, 0, 1), np.nan),
    )


def quantile(curve: KaplanMeier, p: float = 0.5) -> float:
    """Find the time by which a proportion has had the event; the median when `p` is left out.

    Where the curve runs level at exactly 1 − p the quantile is the mid-point of that stretch, which ends at
    the next event, or at the last time of the curve if there is none (R's `quantile.survfit`).

    Parameters
    ----------
    curve
        A Kaplan–Meier curve.
    p
        Proportion that has had the event, above 0 and at most 1.

    Returns
    -------
    float
        The quantile [the unit of the curve]; NaN where the curve does not come down to 1 − p.

    Raises
    ------
    ValueError
        If `p` is not above 0 and at most 1.
    """
    if not 0 < p <= 1:
        raise ValueError(f"p is {p!r}; it must be above 0 and at most 1")
    failed = 1 - curve.estimate
    start = np.searchsorted(failed, p - _TOLERANCE)
    if start == failed.size:
        return float("nan")
    end = min(int(np.searchsorted(failed, p + _TOLERANCE)), failed.size - 1)
    return float((curve.time[start] + curve.time[end]) / 2)
