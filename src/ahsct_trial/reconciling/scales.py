"""What a published interval tells without counts: its scale, its standard error, its effective n.

Where patients were lost before the landmark, no count gives a Kaplan–Meier estimate. Its interval is still
symmetric on the scale it was made on, g(S) ± h, with h = z g'(S) SE. Printed digits leave a small range for
S and both limits; a scale fits if some S, low and high within them are symmetric on it. With m = g(S) these
are linear conditions on m and h,

    g(low) = m − h,   g(high) = m + h,

so that m lies between the middles of the lowest and of the highest limits, and h, for each m, in one range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ahsct_trial.estimators.proportions import normal_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ahsct_trial.reconciling.printed import Sought

    Floats = NDArray[np.float64]
    Transform = Callable[[Any], Any]


class _Scale(NamedTuple):
    """A rising transformation of the estimate, its inverse and its slope."""

    transform: Transform
    inverse: Transform
    slope: Transform


#: The scales of `survival.confidence_limits`; log-log with its sign turned, so that it rises.
_SCALES = {
    "log-log": _Scale(
        lambda s: -np.log(-np.log(s)), lambda m: np.exp(-np.exp(-m)), lambda s: -1 / (s * np.log(s))
    ),
    "log": _Scale(np.log, np.exp, lambda s: 1 / s),
    "plain": _Scale(lambda s: s, lambda m: m, np.ones_like),
    "logit": _Scale(
        lambda s: np.log(s / (1 - s)), lambda m: 1 / (1 + np.exp(-m)), lambda s: 1 / (s * (1 - s))
    ),
    "arcsin": _Scale(
        lambda s: np.arcsin(np.sqrt(s)), lambda m: np.sin(m) ** 2, lambda s: 0.5 / np.sqrt(s * (1 - s))
    ),
}

#: Estimates are tried at so many steps between the ends of their range and the corners of the conditions,
#: where all extremes lie that are not flat.
_N_STEPS = 200
#: Middles closer than this are the same: they carry the noise of a logarithm.
_TOLERANCE = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class ScaleFit:
    """Whether a published interval is symmetric on a scale, and what follows if it was made there.

    Attributes
    ----------
    scale
        log-log, log, plain, logit or arcsin.
    fits
        Whether some estimate and limits that round to the printed ones are symmetric. What follows is None
        where not.
    below, above
        How far the printed limits are from the printed estimate on this scale; None where a limit of 0 or 1
        is infinitely far or may have been cut.
    standard_error, standard_error_low, standard_error_high
        Of the estimate (0 to 1): at the printed figures, and the range that the printed digits allow.
    effective_n, effective_n_low, effective_n_high
        S (1 − S) / SE²: so many patients without losses would have this standard error. The highest is None
        where the standard error may be 0.
    n_patients
        How many patients were asked about, at most; None where that was left open.
    n_events_low, n_events_high
        The numbers of events by the landmark with which so many patients can have this estimate and this
        standard error; None where they cannot.
    """

    scale: str
    fits: bool
    below: float | None
    above: float | None
    standard_error: float | None
    standard_error_low: float | None
    standard_error_high: float | None
    effective_n: float | None
    effective_n_low: float | None
    effective_n_high: float | None
    n_patients: int | None
    n_events_low: int | None
    n_events_high: int | None

    @property
    def is_possible(self) -> bool:
        """Whether it fits, and as many patients as were asked about are enough for it."""
        return self.fits and (self.n_patients is None or self.n_events_low is not None)


def fit_scales(sought: Sought, level: float, n_most: int | None) -> tuple[ScaleFit, ...]:
    """Find the scales on which a published interval is symmetric within its printed digits.

    Parameters
    ----------
    sought
        The published figures.
    level
        Two-sided confidence level of the interval.
    n_most
        The largest number of patients the estimate may be of; None if nothing is known of it.

    Returns
    -------
    tuple of ScaleFit
        One for each scale; none without an interval, where the estimate is 0 or 1, or where the limits are 0
        and 1, which tells nothing.
    """
    if sought.low is None or sought.high is None:
        return ()
    if sought.value.value in (0, 1) or (sought.low.value == 0 and sought.high.value == 1):
        return ()
    z = normal_quantile(level)
    return tuple(_fit(name, scale, sought, z, n_most) for name, scale in _SCALES.items())


def _fit(name: str, scale: _Scale, sought: Sought, z: float, n_most: int | None) -> ScaleFit:
    low, high = sought.low, sought.high
    assert low is not None
    assert high is not None
    # Limits beyond 0 and 1 were cut at neither, and are possible on the plain scale alone.
    is_cut = not sought.is_beyond_shares
    on = partial(_on, scale) if is_cut or name != "plain" else scale.transform
    printed = on(float(sought.value.value))
    lowest, highest = on(sought.value.lowest), on(sought.value.highest)
    low_from, low_to = on(low.lowest), on(low.highest)
    high_from, high_to = on(high.lowest), on(high.highest)
    below, above = printed - on(float(low.value)), on(float(high.value)) - printed
    first, last = (low_from + high_from) / 2, (low_to + high_to) / 2
    # Half a unit above the last digit rounds to a figure only if that is even.
    at_last = _TOLERANCE if sought.value.includes_highest else -_TOLERANCE
    at_first = _TOLERANCE if low.includes_highest and high.includes_highest else -_TOLERANCE
    fits = (is_cut or name == "plain") and first <= highest + at_last and last >= lowest - at_first
    what_follows: dict[str, float | int | None] = dict.fromkeys(_WHAT_FOLLOWS)
    if fits:
        first, last = max(first, lowest), min(last, highest)
        corners = [(low_from + high_to) / 2, (low_to + high_from) / 2, printed]
        middle = np.clip([*np.linspace(first, last, _N_STEPS), *corners], min(first, last), max(first, last))
        shortest = np.maximum(np.maximum(middle - low_to, high_from - middle), 0.0)
        longest = np.maximum(np.minimum(middle - low_from, high_to - middle), shortest)
        estimate = scale.inverse(middle)
        per_half = 1 / (z * scale.slope(estimate))
        what_follows = _what_follows(estimate, shortest * per_half, longest * per_half, n_most)
    return ScaleFit(
        scale=name,
        fits=bool(fits),
        below=float(below) if np.isfinite(below) else None,
        above=float(above) if np.isfinite(above) else None,
        n_patients=n_most,
        **what_follows,  # type: ignore[arg-type]
    )


def _on(scale: _Scale, figure: float) -> float:
    """The figure on the scale; one of 0 or 1 may lie anywhere beyond, as such a limit is cut there."""
    if figure <= 0:
        return -np.inf
    return np.inf if figure >= 1 else float(scale.transform(figure))


_WHAT_FOLLOWS = (
    "standard_error",
    "standard_error_low",
    "standard_error_high",
    "effective_n",
    "effective_n_low",
    "effective_n_high",
    "n_events_low",
    "n_events_high",
)


def _what_follows(
    estimate: Floats, error_low: Floats, error_high: Floats, n_most: int | None
) -> dict[str, float | int | None]:
    """What an estimate with a range of standard errors means; the last one is nearest to the printed one."""
    variance = estimate * (1 - estimate)
    error = (error_low[-1] + error_high[-1]) / 2
    with np.errstate(divide="ignore"):  # a standard error of 0 is that of infinitely many patients
        n_low, n_high = variance / error_high**2, variance / error_low**2
    events = None if n_most is None else _events(estimate, n_low, error_low, n_most)
    values = (
        float(error),
        float(error_low.min()),
        float(error_high.max()),
        float(variance[-1] / error**2),
        float(n_low.min()),
        float(n_high.max()) if np.isfinite(n_high.max()) else None,
        *(events or (None, None)),
    )
    return dict(zip(_WHAT_FOLLOWS, values, strict=True))


def _events(estimate: Floats, effective_n: Floats, error_low: Floats, n: int) -> tuple[int, int] | None:
    """The fewest and the most events that `n` patients can have with such an estimate and standard error.

    Events may be taken one by one, at r₁ > r₂ > … patients at risk: S = Π (1 − 1/rᵢ), and Greenwood's
    variance of log S is Σ 1/(rᵢ (rᵢ − 1)). Written with xᵢ = −log(1 − 1/rᵢ), which add up to −log S, each
    term is 4 sinh²(xᵢ/2), a convex function: the sum is the larger the more the rᵢ differ. For d events

    * it is smallest where nobody is lost between the first event and the last, (1 − S)²/(d S). So d is at
      least (1 − S) times the effective n.
    * it is largest where d − 1 events come first and the last one after all losses, among r patients with
      1 − 1/r = q = S n/(n − d + 1): 1/(n − d + 1) − 1/n + (1 − q)²/q. That falls with d. And d is at most
      (1 − S) n.

    The last r is not held to be a whole number, so that the range may be too wide, but never too narrow.
    """
    fewest = int(np.ceil((effective_n * (1 - estimate)).min() - 1e-6))
    n_events = np.arange(1, n + 1)[:, None]
    remaining = n - n_events + 1
    share = estimate * n / remaining
    largest = 1 / remaining - 1 / n + (1 - share) ** 2 / share
    can_be = (n_events <= n * (1 - estimate) + 1e-6) & ((error_low / estimate) ** 2 <= largest * (1 + 1e-6))
    possible = np.flatnonzero(can_be.any(axis=1))
    most = int(possible[-1]) + 1 if possible.size else 0
    return (max(fewest, 1), most) if most >= max(fewest, 1) else None
