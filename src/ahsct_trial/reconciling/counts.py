"""Search for the counts and interval methods whose figures come nearest to a published percentage.

Every count from 0 to n is a candidate, for every n and every method: for n up to 5,000 more than 10⁸
intervals. Few need be computed, since for one n and one method the estimate and both limits rise with the
count:

* How far the furthest figure is off falls to one place and rises from there: the *turn*, from which on the
  furthest one lies above what is printed. In any range of counts the nearest is one next to the turn.
* A figure fits over one range of counts; all figures fit over one range, which begins at the turn.

Turns and ends of ranges are found by halving, for all n at once. Only the limits of log, log-log and
logit, and those that are not cut at 0 and 1, may fall where fewer than z² patients stand on one side (z the
normal quantile of the level); these counts are computed one by one, as are 0 and n, where some limits are
undefined. So nothing is missed, however far off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from ahsct_trial.estimators import proportions
from ahsct_trial.estimators.survival import Scale
from ahsct_trial.reconciling.printed import how_much_fits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ahsct_trial.reconciling.printed import Printed, Sought

    Whole = NDArray[np.int64]
    Candidates = NDArray[np.void]
    Limits = tuple[NDArray[np.float64], NDArray[np.float64]]

#: Interval of a proportion from counts, arrays of one shape, and a level, by name.
METHODS: dict[str, Callable[..., Limits]] = {
    **{method: partial(proportions.uncensored_kaplan_meier, method=method) for method in get_args(Scale)},
    "clopper-pearson": proportions.clopper_pearson,
    "wilson": proportions.wilson,
    "wilson-cc": proportions.wilson_corrected,
    "jeffreys": proportions.jeffreys,
    "agresti-coull": proportions.agresti_coull,
    "wald": proportions.wald,
}
_MAY_FALL = {"log-log", "log", "logit"}
#: Those whose limits may be printed as they are beyond 0 and 1, without being cut there; they may fall, too.
_BEYOND_SHARES = {
    "plain": partial(proportions.wald, is_cut=False),
    "agresti-coull": partial(proportions.agresti_coull, is_cut=False),
    "wald": partial(proportions.wald, is_cut=False),
}

#: So many partial fits are kept.
_MOST_PARTIAL = 100
#: Halving begins this many counts about a guess. Any number is right; this one is fast.
_ABOUT = 3
#: Partial fits are sought with so many n first, those with the nearest candidates.
_STEPS = (100, 500, 2_500)

_CANDIDATE = np.dtype(
    [
        ("n_counted", np.int64),
        ("n", np.int64),
        ("method", np.int64),
        ("estimate", np.float64),
        ("ci_low", np.float64),
        ("ci_high", np.float64),
        ("value_fits", np.bool_),
        ("low_fits", np.bool_),
        ("high_fits", np.bool_),
        ("is_turned", np.bool_),
        ("off", np.float64),
    ]
)


def interval_methods(sought: Sought) -> Mapping[str, Callable[..., Limits]]:
    """The interval methods that can give limits such as those that are sought."""
    return _BEYOND_SHARES if sought.is_beyond_shares else METHODS


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, as arrays whose fields are those of `Fit`, with the number of the method.

    `exact` and `cut_off` are complete; `cut_off` are those that fit only if the figures were cut off and not
    rounded.
    """

    exact: Candidates
    cut_off: Candidates
    partial: Candidates
    nearest: Candidates


@dataclass(frozen=True, slots=True)
class _Counts:
    """Counts from `first` to `last` of each `n`; none where `first` is beyond `last`."""

    n: Whole
    first: Whole
    last: Whole

    def __getitem__(self, which: NDArray[np.bool_] | Whole) -> _Counts:
        return _Counts(self.n[which], self.first[which], self.last[which])

    def expanded(self) -> tuple[Whole, Whole]:
        """Each count, and its n."""
        n_each = np.maximum(self.last - self.first + 1, 0)
        before = np.cumsum(n_each) - n_each
        return np.arange(n_each.sum()) + np.repeat(self.first - before, n_each), np.repeat(self.n, n_each)


def search(sought: Sought, n: Whole, level: float) -> Found:
    """Search every count of each n, with every method or, where no interval is sought, none.

    Returns
    -------
    Found
        The exact fits by n, count and method, and those of figures that were cut off; where fewer than 100
        fit exactly the 100 nearest that fit in part, those with the most that fits first; where none does the
        nearest.
    """
    methods = _methods(sought, n, level)
    exact = np.concatenate([method.exact() for method in methods])
    cut = np.concatenate([method.exact() for method in _methods(sought.cut_off(), n, level)])
    # Nobody asks for a part of it where a hundred give all.
    some = exact[:0]
    for method in methods if exact.size < _MOST_PARTIAL else []:
        some = method.partial(some, exact.size)
    near = [method.nearest() for method in methods] if not exact.size else []
    return Found(
        exact=_ordered(exact),
        cut_off=_ordered(cut[~np.isin(_identity(cut), _identity(exact))]),
        partial=_ranked(some),
        nearest=_ordered(np.concatenate([exact[:0], *near]))[:1],
    )


def with_every_method(sought: Sought, n_counted: int, n: int, level: float) -> Found:
    """Hold one count against what is sought, with every method that is defined for it."""

    def held_against(sought: Sought) -> Candidates:
        each = [
            _Weigh(sought, list(METHODS).index(name), level)(np.array([n_counted]), np.array([n]))
            for name in interval_methods(sought)
        ]
        return np.concatenate([found for found in each if not np.isnan(found["ci_low"]).any()])

    found = held_against(sought)
    exact = found[found["off"] == 0]
    # The count itself is known; what may be cut off are its limits.
    cut = held_against(replace(sought.cut_off(), value=sought.value))
    cut = cut[cut["off"] == 0]
    return Found(
        exact=exact,
        cut_off=cut[~np.isin(_identity(cut), _identity(exact))],
        partial=_ranked(_ordered(_fitting_in_part(found))),
        nearest=_ordered(found)[: not exact.size],
    )


def _methods(sought: Sought, n: Whole, level: float) -> list[_Method]:
    numbers = [list(METHODS).index(name) for name in interval_methods(sought)] if sought.limits() else [-1]
    return [_Method.turned(_Weigh(sought, number, level), n) for number in numbers]


@dataclass(frozen=True, slots=True)
class _Weigh:
    """Computes candidates of one method and how far they are off; number −1 is no interval."""

    sought: Sought
    number: int
    level: float

    def __call__(self, counted: Whole, n: Whole) -> Candidates:
        found = np.zeros(n.size, _CANDIDATE)
        found["n_counted"], found["n"], found["method"] = counted, n, self.number
        found["estimate"] = counted / n
        value = self.sought.value
        places = [("value", "estimate", value, value.places_of_ratios(counted, n))]
        if self.number >= 0:
            limits = interval_methods(self.sought)[list(METHODS)[self.number]]
            found["ci_low"], found["ci_high"] = limits(counted, n, level=self.level)
        for name, printed in self.sought.limits():
            places.append((name, f"ci_{name}", printed, printed.places_of(found[f"ci_{name}"])))
        below, above = np.zeros(n.size), np.zeros(n.size)
        for name, column, printed, (is_reached, is_beyond) in places:
            found[f"{name}_fits"] = is_reached & ~is_beyond
            difference = found[column] - float(printed.value)
            above = np.maximum(above, np.where(is_beyond, difference, 0.0))
            # An undefined limit is not reached, and makes `off` NaN.
            below = np.maximum(below, np.where(is_reached, 0.0, -difference))
        found["is_turned"] = above >= below
        found["off"] = np.maximum(above, below)
        return found


@dataclass(frozen=True, slots=True)
class _Method:
    """One method over all n.

    Attributes
    ----------
    single
        Candidates outside the counts over which the limits rise, with all their figures defined.
    rising, turn
        These counts, for each n that has any, and the first that is turned, or the one after the last.
    """

    weigh: _Weigh
    single: Candidates
    rising: _Counts
    turn: Whole

    @classmethod
    def turned(cls, weigh: _Weigh, n: Whole) -> _Method:
        edge = 0
        if weigh.number >= 0:
            z = proportions.normal_quantile(weigh.level)
            may_fall = weigh.sought.is_beyond_shares or list(METHODS)[weigh.number] in _MAY_FALL
            edge = int(np.ceil(z**2)) if may_fall else 1
        outer = (
            _Counts(n, np.zeros_like(n), np.minimum(n, edge - 1)),
            _Counts(n, np.maximum(edge, n - edge + 1), n),
        )
        single = np.concatenate([weigh(*counts.expanded()) for counts in outer])
        rising = _Counts(n, np.full_like(n, edge), n - edge)
        rising = rising[rising.first <= rising.last]
        printed = [printed for _, printed in weigh.sought.limits()] or [weigh.sought.value]
        middle = sum(float(each.value) for each in printed) / len(printed)
        turn = _first(lambda counted, n: weigh(counted, n)["is_turned"], rising, rising.n * middle)
        return cls(weigh, single[~np.isnan(single["off"])], rising, turn)

    def exact(self) -> Candidates:
        """All candidates that fit exactly."""
        first = np.minimum(self.turn, self.rising.last)
        begins = self.weigh(first, self.rising.n)["off"] == 0
        fitting = _Counts(self.rising.n, first, self.rising.last)[begins]
        end = _first(lambda counted, n: self.weigh(counted, n)["off"] > 0, fitting, fitting.first)
        found = self.weigh(*_Counts(fitting.n, fitting.first, end - 1).expanded())
        return np.concatenate([self.single[self.single["off"] == 0], found])

    def nearest(self) -> Candidates:
        """The nearest candidate, or none where no interval is defined."""
        return _ordered(np.concatenate([self.single, self._nearest_in(self.rising, self.turn)]))[:1]

    def partial(self, found: Candidates, n_exact: int) -> Candidates:
        """The 100 nearest that fit in part, of those found before and all candidates of this method."""
        found = _ordered(np.concatenate([found, _fitting_in_part(self.single)]))[:_MOST_PARTIAL]
        nearest = self._nearest_in(self.rising, self.turn)["off"]
        order = np.argsort(nearest)
        for some in np.split(order, [size for size in _STEPS if size < order.size]):
            is_enough = found.size == _MOST_PARTIAL
            if is_enough and some.size and nearest[some[0]] >= found["off"][-1]:
                break
            found = np.concatenate([found, self._partial_among(self.rising[some], self.turn[some], n_exact)])
            found = _ordered(found)[:_MOST_PARTIAL]
        return found

    def _partial_among(self, rising: _Counts, turn: Whole, n_exact: int) -> Candidates:
        fitting = [self._with_value(rising)]
        fitting += [self._with_limit(name, printed, rising) for name, printed in self.weigh.sought.limits()]
        ranges, turn = _some(_joined(fitting), np.tile(turn, len(fitting)))
        # A candidate is in up to three ranges, and those with an exact fit come first.
        first = np.argsort(self._nearest_in(ranges, turn)["off"])[: 3 * (_MOST_PARTIAL + n_exact)]
        counted, n = np.unique(np.stack(ranges[first].expanded()), axis=1)
        return _fitting_in_part(self.weigh(counted, n))

    def _nearest_in(self, ranges: _Counts, turn: Whole) -> Candidates:
        """Of each range the nearest candidate."""
        before, after = (
            self.weigh(np.clip(beside, ranges.first, ranges.last), ranges.n) for beside in (turn - 1, turn)
        )
        return np.where(before["off"] <= after["off"], before, after)

    def _with_value(self, rising: _Counts) -> _Counts:
        """The counts with which the value fits."""
        first, last = self.weigh.sought.value.counts(rising.n)
        return _Counts(rising.n, np.maximum(first, rising.first), np.minimum(last, rising.last))

    def _with_limit(self, name: str, printed: Printed, rising: _Counts) -> _Counts:
        """The counts with which a limit fits."""
        z = proportions.normal_quantile(self.weigh.level)

        def first(end: float, place: int) -> Whole:
            share = min(max(end, 0.0), 1.0)
            away = z * np.sqrt(rising.n * share * (1 - share))  # as it is for Wilson's
            return _first(
                lambda counted, n: printed.places_of(self.weigh(counted, n)[f"ci_{name}"])[place],
                rising,
                rising.n * share + (away if name == "low" else -away),
            )

        return _Counts(rising.n, first(printed.lowest, 0), first(printed.highest, 1) - 1)


def _first(
    is_so: Callable[[Whole, Whole], NDArray[np.bool_]],
    ranges: _Counts,
    guess: NDArray[np.floating[Any]] | Whole,
) -> Whole:
    """The first count of each range from which on something is so, or the one after the last."""
    low, high = ranges.first.copy(), ranges.last + 1
    guess = np.rint(guess).astype(np.int64)
    beside = [-_ABOUT, +_ABOUT]
    while (is_open := np.flatnonzero(low < high)).size:
        some_low, some_high = low[is_open], high[is_open]
        tried = (some_low + some_high) // 2
        if beside:
            tried = np.clip(guess[is_open] + beside.pop(0), some_low, some_high - 1)
        is_reached = is_so(tried, ranges.n[is_open])
        low[is_open] = np.where(is_reached, some_low, tried + 1)
        high[is_open] = np.where(is_reached, tried, some_high)
    return low


def _joined(ranges: list[_Counts]) -> _Counts:
    columns = zip(*((each.n, each.first, each.last) for each in ranges), strict=True)
    return _Counts(*map(np.concatenate, columns))


def _some(ranges: _Counts, turn: Whole) -> tuple[_Counts, Whole]:
    """The ranges with any count, each with its turn."""
    are_some = ranges.first <= ranges.last
    return ranges[are_some], turn[are_some]


def _part(found: Candidates) -> Whole:
    return how_much_fits(found["value_fits"], found["low_fits"], found["high_fits"])


def _fitting_in_part(found: Candidates) -> Candidates:
    return found[(found["off"] > 0) & (_part(found) > 0)]


def _identity(found: Candidates) -> Whole:
    """A number of its own for each count of each n with each method, as n is at most 10,000."""
    return np.asarray((found["n"] * 10_001 + found["n_counted"]) * 100 + found["method"])


def _ordered(found: Candidates) -> Candidates:
    return found[np.lexsort([found[name] for name in ("method", "n_counted", "n", "off")])]


def _ranked(found: Candidates) -> Candidates:
    """Those of which the most fits first; they are ordered already."""
    return found[np.argsort(-_part(found), kind="stable")]
