"""What a drawing of survival curves shows, taken from a `Summary`: steps, ticks, the numbers below them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, groupby
from math import ceil, floor

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.rendering import formats as fmt
from ahsct_trial.rendering.sections import SHORT_NAMES
from ahsct_trial.results import TOOL, CurvePoint, ProtocolInfo, SourceInfo, Summary, SurvivalEndpoint
from ahsct_trial.wording import in_years, plural

#: Beyond so many times of censoring their marks would only make the curve thicker.
MOST_CENSORING_MARKS = 250
_STEPS = tuple(
    mantissa * 10.0**exponent for exponent in range(-4, 3) for mantissa in (1.0, 2.0, 2.5, 3.0, 5.0)
)


@dataclass(frozen=True)
class AtRisk:
    """Patients at one time: followed to it or beyond, and censored or with an event up to it."""

    years: float
    n_at_risk: int
    n_censored: int
    n_events: int


@dataclass(frozen=True)
class DrawnCurve:
    """One endpoint's curve, as its points in the JSON document."""

    key: str
    endpoint: SurvivalEndpoint
    points: tuple[CurvePoint, ...]

    @property
    def name(self) -> str:
        """The endpoint in a few words."""
        return SHORT_NAMES[self.key]

    @property
    def last_years(self) -> float:
        """The last time of the curve."""
        return self.points[-1].years

    @cached_property
    def steps(self) -> tuple[CurvePoint, ...]:
        """The points at which estimate or limits move: those with events."""
        return tuple(point for point in self.points if point.n_events)

    @property
    def has_band(self) -> bool:
        """Whether the interval is defined anywhere."""
        return any(step.ci_low is not None for step in self.steps)

    @cached_property
    def censored_points(self) -> tuple[CurvePoint, ...]:
        """The points with a censoring mark; none where there are too many of them to be told apart."""
        marks = tuple(point for point in self.points if point.n_censored)
        return marks if len(marks) <= MOST_CENSORING_MARKS else ()

    @property
    def is_censoring_unmarked(self) -> bool:
        """Whether patients are censored and no mark says so."""
        return not self.censored_points and any(point.n_censored for point in self.points)

    def at(self, years: float) -> CurvePoint | None:
        """The last step up to a time, None before the first."""
        place = bisect_right(self.steps, years, key=lambda point: point.years)
        return self.steps[place - 1] if place else None

    def at_risk(self, years: Sequence[float]) -> list[AtRisk]:
        """The numbers below the axis, counted as `n_at_risk`, `n_censored` and `n_events` at the horizon."""
        times = [point.years for point in self.points]
        n_censored = [0, *accumulate(point.n_censored for point in self.points)]
        n_events = [0, *accumulate(point.n_events for point in self.points)]
        rows = []
        for year in years:
            following, until = bisect_left(times, year), bisect_right(times, year)
            at_risk = self.points[following].n_at_risk if following < len(times) else 0
            rows.append(AtRisk(year, at_risk, n_censored[until], n_events[until]))
        return rows

    @property
    def interval(self) -> tuple[float | None, float | None, str]:
        """The limits at the horizon, and what to call them."""
        own = self.endpoint.interval
        exact = "exact " if self.endpoint.is_exact else ""
        return own.ci_low, own.ci_high, f"{exact}{fmt.level(self.endpoint.confidence_level)} CI"

    @property
    def estimate_in_words(self) -> str:
        """The estimate at the horizon with its interval and the interval's name."""
        low, high, name = self.interval
        return self._estimate(f" ({name} {fmt.percent_range(low, high)})" if low is not None else "")

    @property
    def estimate_in_figures(self) -> str:
        """The estimate at the horizon with its interval alone."""
        low, high, _ = self.interval
        return self._estimate(f" ({fmt.percent_range(low, high)})" if low is not None else "")

    def _estimate(self, interval: str) -> str:
        estimate = self.endpoint.estimate
        return "no estimate" if estimate is None else fmt.percent(estimate) + interval


def known_endpoints(keys: Iterable[str]) -> tuple[str, ...]:
    """The keys of the endpoints to draw, each once, in the order asked for.

    Raises
    ------
    UsageError
        If there is no such endpoint.
    """
    for key in keys:
        if key not in SHORT_NAMES:
            raise UsageError(
                f"There is no curve of '{shown(key)}'. --endpoint is one of {', '.join(SHORT_NAMES)}."
            )
    return tuple(dict.fromkeys(keys))


def drawn_curves(summary: Summary, keys: Iterable[str]) -> list[DrawnCurve]:
    """The curves of some endpoints.

    Raises
    ------
    UsageError
        If the file has no curve of one of them; the text says why, and of which it has.
    """
    curves = []
    for key in keys:
        endpoint: SurvivalEndpoint = getattr(summary.endpoints, key)
        points = tuple(endpoint.curve)
        if not points:
            raise UsageError(
                f"There is no curve of {key} in {shown(summary.source.file)}. "
                f"{endpoint.note}{_others(summary)}"
            )
        curves.append(DrawnCurve(key, endpoint, points))
    return curves


def keys_with_curve(summary: Summary) -> list[str]:
    """The endpoints of which the file has a curve."""
    return [key for key in SHORT_NAMES if len(getattr(summary.endpoints, key).curve)]


def _others(summary: Summary) -> str:
    there = keys_with_curve(summary)
    return f" There is one of {', '.join(there)}: name it with --endpoint." if there else ""


def axis_years(curves: Sequence[DrawnCurve]) -> float:
    """Where the time axis ends: at the last observation, or at the horizon if that is later."""
    return max(*(curve.last_years for curve in curves), curves[0].endpoint.horizon_years)


def tick_step(length: float, horizon: float, most: int) -> float:
    """The round time from one tick to the next on an axis with at most so many ticks.

    A wider step on which the horizon falls is preferred while it costs no more than half of the ticks.
    """
    fitting = [step for step in (*_STEPS, length) if length / step < most]
    dividing = [step for step in fitting if abs(horizon / step - round(horizon / step)) < 1e-9]
    return dividing[0] if dividing and dividing[0] <= 2 * fitting[0] else fitting[0]


def multiples(step: float, low: float, high: float) -> list[float]:
    """The multiples of a step from one end of an axis to the other."""
    return [round(n * step, 9) for n in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def event_in_words(endpoint: SurvivalEndpoint) -> str:
    """What counts as an event."""
    counted = endpoint.events_by_type
    names = {
        "relapse": counted.relapse,
        "new lesion": counted.new_lesion,
        "confirmed worsening": counted.worsening,
        "death": counted.death,
    }
    types = [name for name, n in names.items() if n is not None]
    if len(types) == 1:
        return types[0]
    return f"the first of {fmt.listed(types)}"


def death_rule(endpoint: SurvivalEndpoint) -> str:
    """What a death means where it is no event."""
    return " A patient who dies is censored." if endpoint.events_by_type.death is None else ""


def death_rule_of_several(protocol: ProtocolInfo) -> str:
    """What a death means to several endpoints together."""
    return {
        "event": "A death is an event.",
        "censor": "A patient who dies is censored, but for overall survival.",
    }[protocol.death]


def origin(source: SourceInfo, n_patients: int, protocol: ProtocolInfo) -> str:
    """The file and its patients, and by which program and protocol."""
    return (
        f"{shown(source.file)}: {n_patients:,} {plural('patient', n_patients)}; "
        f"protocol {shown(protocol.name)}; {TOOL.name} {TOOL.version}."
    )


def notes(curves: Sequence[DrawnCurve]) -> Iterator[str]:
    """What must be said of the curves; with several of them, of which."""
    for curve in curves:
        if curve.endpoint.note:
            yield curve.endpoint.note if len(curves) == 1 else f"{curve.name}: {curve.endpoint.note}"


def ends_together(curves: Sequence[DrawnCurve]) -> Iterator[str]:
    """Which curves run into the same end, where a figure does not tell them apart."""

    def end(curve: DrawnCurve) -> str:
        return fmt.percent(curve.points[-1].estimate)

    for height, group in groupby(sorted(curves, key=lambda curve: -curve.points[-1].estimate), end):
        same = list(group)
        if len(same) > 1:
            courses = {tuple((step.years, step.estimate) for step in curve.steps) for curve in same}
            how = "coincide throughout and end" if len(courses) == 1 else "end together"
            yield f"{fmt.listed(curve.name for curve in same)} {how} at {height}."


def titled(curves: Sequence[DrawnCurve]) -> str:
    """The title of a drawing."""
    if len(curves) == 1:
        return curves[0].endpoint.label
    return f"Survival by endpoint: {', '.join(curve.name for curve in curves)}"


def described(curves: Sequence[DrawnCurve]) -> str:
    """The drawing in words, for whoever cannot see it."""
    sentences = []
    for curve in curves:
        endpoint, last = curve.endpoint, curve.points[-1]
        n_events = sum(point.n_events for point in curve.points)
        sentences.append(
            f"{endpoint.label}: {curve.estimate_in_words} at {in_years(endpoint.horizon_years)}; "
            f"{fmt.percent(last.estimate)} after the last observation at {last.years:.3g} years; "
            f"{fmt.count(endpoint.n_patients)} "
            f"{plural('patient', endpoint.n_patients or 0)}, {n_events:,} {plural('event', n_events)}. "
            f"{endpoint.definition}"
        )
    return " ".join(["Kaplan–Meier curve with its interval.", *sentences])
