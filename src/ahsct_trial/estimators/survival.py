"""The Kaplan–Meier curve, its confidence limits, quantiles and restricted mean; completeness of follow-up.

Curve, limits and quantiles follow `survfit` and `quantile.survfit` of the R package survival. Times are in
years here; any other unit gives the same as long as 1e-9 of it means nothing (`tied`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

#: The scales on which a normal interval of a Kaplan–Meier estimate can be symmetric.
Scale = Literal["log-log", "log", "plain", "logit", "arcsin"]
CiMethod = Literal["log-log", "log", "plain", "logit", "arcsin", "beta-product"]

#: Times that differ by no more than this are the same time [years].
SAME_TIME = 1e-9

#: Levels of a curve closer than this are the same level: sqrt of the machine epsilon, as in R.
_TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CurveValues:
    """A Kaplan–Meier curve at given times; each array has the shape of those times.

    Attributes
    ----------
    n_at_risk
        Patients at risk at the given time, those who leave at that very time included.
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
    estimate: Floats
    log_variance: Floats


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class KaplanMeier:
    """A Kaplan–Meier curve: one element per distinct time of leaving, in ascending order.

    Attributes
    ----------
    time
        The distinct times of events and losses, shape (k,) [years].
    n_at_risk
        Patients at risk at `time`: those who entered before it and leave at or after it, shape (k,).
    n_events, n_censored
        Events and losses at exactly `time`, shape (k,).
    estimate
        Probability of being event-free just after `time`, shape (k,), 0 to 1.
    log_variance
        Greenwood variance of the logarithm of `estimate`, shape (k,); infinite where `estimate` is 0.
    entry
        Times of entry in ascending order, shape (n,) [years]; None where everybody is at risk from the start.
    """

    time: Floats
    n_at_risk: NDArray[np.int64]
    n_events: NDArray[np.int64]
    n_censored: NDArray[np.int64]
    estimate: Floats
    log_variance: Floats
    entry: Floats | None

    def at(self, times: ArrayLike) -> CurveValues:
        """Read the curve at any times; what happens at the same time (`tied`) has happened by then.

        Before the first time of the curve its value is 1 with variance 0. After the last one it stays
        at its last level; whether a figure there means anything is for the caller to say.

        Parameters
        ----------
        times
            Any shape [years].

        Returns
        -------
        CurveValues
            Arrays of the shape of `times`; for a single number, arrays without dimensions.
        """
        times = np.asarray(times, dtype=np.float64)
        n_before = np.searchsorted(self.time, times - SAME_TIME, side="left")
        n_passed = self.n_passed(times)
        if self.entry is None:
            n_at_risk = np.append(self.n_at_risk, 0)[n_before]
        else:
            n_left = np.append(0, np.cumsum(self.n_events + self.n_censored))[n_before]
            n_at_risk = np.searchsorted(self.entry, times - SAME_TIME, side="left") - n_left
        return CurveValues(
            n_at_risk=np.asarray(n_at_risk),
            n_events=np.asarray(np.append(0, np.cumsum(self.n_events))[n_passed]),
            n_censored=np.asarray(np.append(0, np.cumsum(self.n_censored))[n_passed]),
            estimate=np.asarray(np.append(1.0, self.estimate)[n_passed]),
            log_variance=np.asarray(np.append(0.0, self.log_variance)[n_passed]),
        )

    def n_passed(self, times: Floats) -> NDArray[np.intp]:
        """How many times of the curve are at or before each given one."""
        return np.asarray(np.searchsorted(self.time, times + SAME_TIME, side="right"))


def tied(times: ArrayLike) -> Floats:
    """Make times that are the same time equal as floating-point numbers.

    Two times are the same if they differ by no more than `SAME_TIME`, or if others in between join them: each
    to the next. All become the earliest of them. (Days divided by 365.25 and days times its inverse differ in
    the last binary digit; R's `survfit` joins such times by its `timefix`.)

    Parameters
    ----------
    times
        Any shape [years]; give all times that meet in one comparison together. NaN stays NaN.

    Returns
    -------
    numpy.ndarray
        The shape of `times`; `times` itself where nothing is to be joined.
    """
    times = np.asarray(times, dtype=np.float64)
    order = np.argsort(times, axis=None)
    ordered = times.ravel()[order]
    with np.errstate(invalid="ignore"):  # infinity less infinity
        gaps = np.diff(ordered)
    if not np.any((gaps > 0) & (gaps <= SAME_TIME)):
        return times
    known = ordered[: np.count_nonzero(~np.isnan(ordered))]  # NaN comes last
    starts = _starts(known)
    known[:] = np.repeat(known[starts], np.diff(starts, append=known.size))
    joined = np.empty_like(ordered)
    joined[order] = ordered
    return joined.reshape(times.shape)


def kaplan_meier(years: ArrayLike, is_event: ArrayLike, entry: ArrayLike | None = None) -> KaplanMeier:
    """Estimate the probability of staying event-free by the product-limit method.

    At a tie events come before losses: a patient lost at the time of an event is still at risk of it
    (Kaplan & Meier 1958, J Am Stat Assoc 53:457–481, section 2). Times tie as `tied` says.

    With delayed entry (left truncation) a patient is at risk at t where entry < t ≤ years (Klein &
    Moeschberger 2003, Survival Analysis, section 4.6; R's `Surv(start, stop, event)`). The curve is then that
    of who is event-free at the first entry. A risk set may be small early on; if all of it have the event,
    the curve is at 0 from there on, whoever enters later, as in R.

    Parameters
    ----------
    years
        Time of the event or of the loss of each patient, shape (n,), finite and not negative.
    is_event
        Whether that time is an event, shape (n,).
    entry
        When each patient came under observation, shape (n,), before `years`; minus infinity for who is at
        risk from time 0 itself on. Without it all are.

    Returns
    -------
    KaplanMeier
        S(t), the product of (1 − d/r) over the times up to t with d events among r at risk, and Greenwood's
        Var log S(t), the sum of d / (r (r − d)) (Kalbfleisch & Prentice 2002, The Statistical Analysis of
        Failure Time Data, section 1.4). Up to the first loss S(t) is exactly, as a float, the fraction who
        are event-free. Arrays of length 0 without patients.

    Raises
    ------
    ValueError
        If a time is negative, infinite or NaN, an entry is not before it, or the arrays are not of one
        length.
    """
    left = np.asarray(years, dtype=np.float64)
    is_event = np.asarray(is_event, dtype=np.bool_)
    entered = None if entry is None else np.asarray(entry, dtype=np.float64)
    if left.ndim != 1 or left.shape != is_event.shape:
        raise ValueError(f"years has shape {left.shape} and is_event {is_event.shape}; both must be (n,)")
    if not (left.min(initial=0.0) >= 0.0 and left.max(initial=0.0) < np.inf):
        raise ValueError("years holds a negative, infinite or NaN value")
    if entered is not None:
        if entered.shape != left.shape:
            raise ValueError(f"entry has shape {entered.shape} and years {left.shape}; both must be (n,)")
        entered, left = tied(np.stack([entered, left]))
        if not np.all(entered < left):
            raise ValueError("entry holds a time that is not before the patient's event or loss")
        entered = np.sort(entered)

    # One sort for both columns: floats that are not negative sort as their bits do, and their sign bit
    # is free to make room for the event flag. Adding 0.0 turns -0.0, which has the sign bit, into 0.0.
    key = (left + 0.0).view(np.uint64)
    key <<= np.uint64(1)
    key |= is_event
    key.sort()
    starts = _starts(key, 0)
    key, n_of_key = key[starts], np.diff(starts, append=key.size)
    time, is_event_key = (key >> np.uint64(1)).view(np.float64), (key & np.uint64(1)).astype(np.bool_)

    starts = _starts(time)
    time = time[starts]
    n_leaving = np.add.reduceat(n_of_key, starts)
    n_events = np.add.reduceat(n_of_key * is_event_key, starts)
    n_entered = left.size if entered is None else np.searchsorted(entered, time, side="left")
    n_at_risk = n_entered - (np.cumsum(n_leaving) - n_leaving)
    with np.errstate(divide="ignore"):  # the variance is infinite once nobody remains
        log_variance = np.cumsum(n_events / (n_at_risk * (n_at_risk - n_events)))
    return KaplanMeier(
        time=time,
        n_at_risk=n_at_risk,
        n_events=n_events,
        n_censored=n_leaving - n_events,
        estimate=_product_limit(n_at_risk, n_events),
        log_variance=log_variance,
        entry=entered,
    )


def _product_limit(n_at_risk: NDArray[np.int64], n_events: NDArray[np.int64]) -> Floats:
    """The product of (1 − d/r) up to each time, with what cancels left out.

    Who remains after one time of events is at risk at the next unless lost in between, so that the product of
    (r − d)/r is the last r − d over the first r, times (r − d) over the next r where somebody was lost. The
    plain product would make 0.8124999999999999 of 39 in 48.
    """
    has_events = n_events > 0
    at_risk = n_at_risk[has_events]
    remaining = at_risk - n_events[has_events]
    unlike = np.cumprod(np.append(1.0, remaining[:-1] / at_risk[1:]))[: at_risk.size]
    steps = remaining / at_risk[:1] * unlike
    return np.append(1.0, steps)[np.cumsum(has_events)]


def _starts(ordered: NDArray[np.uint64] | Floats, tolerance: float = SAME_TIME) -> NDArray[np.intp]:
    """Where each run begins of elements that are no further than the tolerance from the one before."""
    is_start = np.ones(ordered.size, dtype=np.bool_)
    with np.errstate(invalid="ignore"):  # infinity less infinity
        np.greater(np.diff(ordered), tolerance, out=is_start[1:])
    return np.flatnonzero(is_start)


def confidence_limits(
    estimate: ArrayLike, log_variance: ArrayLike, method: Scale, level: float
) -> tuple[Floats, Floats]:
    """Give pointwise normal confidence limits of a Kaplan–Meier estimate.

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
    if method not in get_args(Scale):
        raise ValueError(f"method is {method!r}; it is one of {', '.join(get_args(Scale))}")
    check_level(level)
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


def estimate_at(
    curve: KaplanMeier, times: ArrayLike, method: CiMethod, level: float
) -> tuple[Floats, Floats, Floats]:
    """Read the curve at any times with its pointwise confidence limits, by whatever method.

    Parameters
    ----------
    curve
        A Kaplan–Meier curve.
    times
        Any shape [years]; `curve.time` for the band along the curve.
    method
        Scale of the normal interval (`confidence_limits`), or ``beta-product`` (`beta_product_limits`).
    level
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    tuple of numpy.ndarray
        Estimate, lower and upper limit, each of the shape of `times`; limits are NaN where undefined.

    Raises
    ------
    ValueError
        As `confidence_limits` and `beta_product_limits` do.
    """
    values = curve.at(times)
    if method == "beta-product":
        return values.estimate, *beta_product_limits(curve, times, level)
    return values.estimate, *confidence_limits(values.estimate, values.log_variance, method, level)


def beta_product_limits(curve: KaplanMeier, times: ArrayLike, level: float) -> tuple[Floats, Floats]:
    """Give the beta-product limits of a Kaplan–Meier curve, which stand also where it is at 1 or at 0.

    With d events among r at risk the probability falls by a factor that is distributed as Beta(r − d + 1, d).
    The upper limit is a quantile of the product of these factors over the events up to t; the lower limit of
    that product times Beta(m, 1), where m patients are still at risk beyond t: nobody knows how soon the next
    of them would have failed. Each product is taken as the beta distribution of the same mean and variance
    (Fay, Brittain & Proschan 2013, Biostatistics 14:723–736, sections 3 and 4; `bpcp` of the R package of
    that name, method of moments). Where nobody was lost up to t the limits are those of Clopper and Pearson.
    Without events the upper limit is 1; with nobody beyond t the lower one is 0.

    Parameters
    ----------
    curve
        A Kaplan–Meier curve without delayed entry, for which the method is not made.
    times
        Any shape [years]. The limits hold after the events and the losses at that time.
    level
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper limit, each of the shape of `times`.

    Raises
    ------
    ValueError
        If the curve has delayed entry, or the level is not between 0 and 1.
    """
    if curve.entry is not None:
        raise ValueError("beta-product limits are not defined for delayed entry; choose another method")
    check_level(level)
    n_passed = curve.n_passed(np.asarray(times, dtype=np.float64))
    r, d = curve.n_at_risk, curve.n_events
    # Of the product up to each time: the mean, and the logarithm of (second moment ÷ mean²).
    mean = np.append(1.0, np.cumprod((r - d + 1) / (r + 1)))[n_passed]
    spread = np.append(0.0, np.cumsum(np.log1p(d / ((r - d + 1.0) * (r + 2.0)))))[n_passed]
    m = np.append(r, 0)[n_passed]
    low = _beta_quantile(
        (1 - level) / 2, mean * m / (m + 1), spread + np.log1p(1 / np.maximum(m * (m + 2.0), 1))
    )
    high = _beta_quantile((1 + level) / 2, mean, spread)
    return np.where(m > 0, low, 0.0), np.where(spread > 0, high, 1.0)


def _beta_quantile(probability: float, mean: Floats, spread: Floats) -> Floats:
    """A quantile of the beta distribution of this mean and this log(second moment ÷ mean²)."""
    from scipy.special import betaincinv

    with np.errstate(all="ignore"):  # of no spread, or of mean 0, which the caller answers
        total = (1 - mean * np.exp(spread)) / (mean * np.expm1(spread))
        return np.asarray(betaincinv(mean * total, (1 - mean) * total, probability))


def quantile(curve: KaplanMeier, p: float, method: CiMethod, level: float) -> tuple[float, float, float]:
    """Find the time by which a proportion has had the event, with confidence limits; the median at 0.5.

    The limits are the times at which the lower and the upper limit of the curve come down to 1 − p
    (Brookmeyer & Crowley 1982, Biometrics 38:29–41). Where one of the three lines runs level at exactly 1 − p
    the time is the mid-point of that stretch, which ends where the line next falls, or at the last time of
    the curve if it does not (R's `quantile.survfit`).

    Parameters
    ----------
    curve
        A Kaplan–Meier curve.
    p
        Proportion that has had the event, above 0 and at most 1.
    method, level
        Of the limits of the curve, as for `estimate_at`.

    Returns
    -------
    tuple of float
        The quantile, its lower and its upper limit [years]; NaN where a line does not come down to 1 − p.

    Raises
    ------
    ValueError
        If `p` is not above 0 and at most 1, or as `estimate_at` does.
    """
    if not 0 < p <= 1:
        raise ValueError(f"p is {p!r}; it must be above 0 and at most 1")
    start = -1.0  # before anything happens; the lower beta-product limit may be below 1 − p even there
    lines = estimate_at(curve, np.append(start, curve.time), method, level)
    time = np.append(0.0, curve.time)
    value, low, high = (_first_time_at(time, line, 1 - p) for line in lines)
    return value, low, high


def _first_time_at(time: Floats, line: Floats, target: float) -> float:
    """When a line first comes down to a level; where it is undefined it has not."""
    lowest = np.fmin.accumulate(np.append(np.fmin(line[0], 1.0), line[1:]))
    first = int(np.argmax(lowest <= target + _TOLERANCE))
    if lowest[first] > target + _TOLERANCE:
        return float("nan")
    is_below = lowest < target - _TOLERANCE
    end = int(np.argmax(is_below)) if is_below[-1] else time.size - 1
    return float((time[first] + time[end]) / 2)


def restricted_mean(curve: KaplanMeier, horizon: float) -> tuple[float, float]:
    """Give the mean event-free time up to a horizon: the area under the curve, with its standard error.

    The variance is the sum of A² d / (r (r − d)) over the events, with A the area from the event to the
    horizon (Klein & Moeschberger 2003, Survival Analysis, equations 4.5.1 and 4.5.2; `rmean` of R's
    `survfit`). Beyond the last time the curve stays at its last level; whether a mean there means anything is
    for the caller to say.

    Parameters
    ----------
    curve
        A Kaplan–Meier curve.
    horizon
        Up to when, 0 or later [years].

    Returns
    -------
    tuple of float
        Mean and standard error [years].

    Raises
    ------
    ValueError
        If the horizon is negative, infinite or NaN.
    """
    if not 0 <= horizon < np.inf:
        raise ValueError(f"horizon is {horizon!r}; it must be a time from 0 on")
    n = int(np.searchsorted(curve.time, horizon, side="left"))
    areas = np.append(1.0, curve.estimate[:n]) * np.diff(curve.time[:n], prepend=0.0, append=horizon)
    area_after = np.cumsum(areas[:0:-1])[::-1]
    r, d = curve.n_at_risk[:n], curve.n_events[:n]
    # Where nobody remains the curve is at 0, and so is the area after it.
    variance = np.sum(area_after**2 * d / (r * np.maximum(r - d, 1)))
    return float(np.sum(areas)), float(np.sqrt(variance))


def reverse_kaplan_meier_median(
    years: ArrayLike, is_event: ArrayLike, level: float
) -> tuple[float, float, float]:
    """Give the median follow-up by the reverse Kaplan–Meier method, with log-log limits.

    Losses are what is waited for and events end the wait (Schemper & Smith 1996, Control Clin Trials
    17:343–346; R's `survfit(Surv(time, 1 - status))`). A patient with an event at the time of another's loss
    is still under observation then.

    Parameters
    ----------
    years, is_event
        As for `kaplan_meier`, shape (n,).
    level
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    tuple of float
        Median, lower and upper limit [years]; NaN where not reached.

    Raises
    ------
    ValueError
        As `kaplan_meier` and `quantile` do.
    """
    return quantile(kaplan_meier(years, ~np.asarray(is_event, dtype=np.bool_)), 0.5, "log-log", level)


def completeness(years: ArrayLike, is_event: ArrayLike, horizon: float) -> float:
    """Give the share of the follow-up to a horizon that was had: observed ÷ potential person-time.

    Clark, Altman & De Stavola 2002, Lancet 359:1309–1310. The potential of a patient ends at the event, or at
    the horizon if that is earlier.

    Parameters
    ----------
    years
        Time of the event or of the last contact of each patient, shape (n,), not negative [years].
    is_event
        Whether that time is an event, shape (n,).
    horizon
        Up to when all were meant to be followed, above 0 [years].

    Returns
    -------
    float
        The share, 0 to 1; NaN where there is no potential follow-up.

    Raises
    ------
    ValueError
        If a time is negative or NaN, or the horizon is not above 0.
    """
    years = np.asarray(years, dtype=np.float64)
    if not (np.all(years >= 0) and horizon > 0):
        raise ValueError("years must be 0 or more and the horizon above 0")
    observed = np.minimum(years, horizon)
    potential = float(np.sum(np.where(is_event, observed, horizon)))
    return float(np.sum(observed)) / potential if potential else float("nan")


def check_level(level: float) -> None:
    """Raise ValueError where a confidence level is not between 0 and 1."""
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}; it must be above 0 and below 1")
