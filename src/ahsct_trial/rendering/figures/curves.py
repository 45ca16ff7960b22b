"""What a drawing of survival curves shows, taken from results: steps, ticks, the numbers below them.

Times are drawn to the month. The exact ones are those of single patients: whoever knows when one was last
seen could find them in a picture, and learn what else is told of them. Events and losses of a month stand at
its end, so that the curve has the right height at the end of each month, and with it at each tick. Day 0
belongs to the first month.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from math import ceil, floor

from ahsct_trial.catalogue import SURVIVAL_ENDPOINTS
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.protocol import DAYS_PER_YEAR
from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.sections import sentences, source_name, survival_shown
from ahsct_trial.rendering.sections.compare import ratio_in_words
from ahsct_trial.results import TOOL, Comparison, Summary, SurvivalEndpoint
from ahsct_trial.wording import in_years, is_it_meant, plural

MONTHS_PER_YEAR = 12
#: Beyond so many months with censored patients their marks would only make the curve thicker.
MOST_CENSORING_MARKS = 100
#: Times between ticks [years]: a whole number of months each, so that a tick splits no month.
_STEPS = (0.25, 0.5, 1.0, 2.0, 2.5, 3.0, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0)
#: Times closer than this are the same [years].
_SAME_TIME = 1e-9
_SHORT = {endpoint.key: endpoint.short for endpoint in SURVIVAL_ENDPOINTS}


@dataclass(frozen=True)
class AtRisk:
    """Patients at one time: followed to it or beyond, and censored or with an event up to it.

    None between the steps of a curve that moves only where enough patients have had an event or were lost.
    """

    years: float
    n_at_risk: int | None
    n_censored: int | None
    n_events: int | None

    @property
    def counts(self) -> tuple[int | None, int | None, int | None]:
        """The numbers in the order of the table's rows."""
        return self.n_at_risk, self.n_censored, self.n_events


@dataclass(frozen=True)
class Month:
    """A month with events or losses, at its end: what happened in it, and the curve from there on.

    `n_left` are the patients who are followed beyond it.
    """

    years: float
    n_events: int
    n_censored: int
    n_left: int
    estimate: float
    ci_low: float | None
    ci_high: float | None


@dataclass(frozen=True)
class DrawnCurve:
    """The curve of an endpoint, of all patients or of a group.

    Attributes
    ----------
    key
        The endpoint.
    name
        What the curve is called beside others: the endpoint in a few words, or the group.
    gid
        What the names of its parts in a file begin with.
    look
        Its place among the looks of curves: that of the endpoint in the catalogue, or of the group.
    endpoint
        The results.
    landmark_window_days
        How long before a landmark the last assessment may lie and still reach it.
    """

    key: str
    name: str
    gid: str
    look: int
    endpoint: SurvivalEndpoint
    landmark_window_days: float

    @property
    def is_of_group(self) -> bool:
        """Whether it is the curve of a group, which must be named also where it is the only one."""
        return self.gid != self.key

    @cached_property
    def months(self) -> tuple[Month, ...]:
        """The months in which something happened, in order."""
        curve = self.endpoint.curve
        _, at_risk, _, _, estimate, low, high = curve.columns()
        ends = [end_of_month(years) for years in curve.years.tolist()]
        # The last point of each month, and what has happened up to it.
        last = [at for at, (end, following) in enumerate(pairwise([*ends, 0])) if end != following]
        n_events, n_censored = curve.n_events.cumsum().tolist(), curve.n_censored.cumsum().tolist()
        return tuple(
            Month(
                years=ends[at],
                n_events=n_events[at] - (n_events[before] if before >= 0 else 0),
                n_censored=n_censored[at] - (n_censored[before] if before >= 0 else 0),
                n_left=at_risk[at + 1] if at + 1 < len(at_risk) else 0,
                estimate=estimate[at],
                ci_low=low[at],
                ci_high=high[at],
            )
            for before, at in pairwise([-1, *last])
        )

    @property
    def last_years(self) -> float:
        """The end of the curve."""
        return self.months[-1].years

    @cached_property
    def steps(self) -> tuple[Month, ...]:
        """The months at whose end the estimate or its limits move."""
        moved = []
        before: tuple[float, float | None, float | None] = (1.0, None, None)
        for month in self.months:
            now = (month.estimate, month.ci_low, month.ci_high)
            if now != before:
                moved.append(month)
                before = now
        return tuple(moved)

    @property
    def has_band(self) -> bool:
        """Whether the interval is defined anywhere."""
        return any(month.ci_low is not None for month in self.months)

    @cached_property
    def censored(self) -> tuple[Month, ...]:
        """The months with a censoring mark; none where there are too many, and none on the axis."""
        marks = tuple(month for month in self.months if month.n_censored and month.estimate > 0)
        return marks if len(marks) <= MOST_CENSORING_MARKS else ()

    @property
    def is_censoring_unmarked(self) -> bool:
        """Whether patients are censored and no mark says so."""
        return not self.censored and any(month.n_censored for month in self.months)

    def fades_from(self, n: int) -> float:
        """From when on fewer than so many patients are followed."""
        if (self.endpoint.n_patients or 0) < n:
            return 0.0
        return next(month.years for month in self.months if month.n_left < max(n, 1))

    def at(self, years: float) -> Month | None:
        """The last step up to a time, None before the first."""
        place = bisect_right(self.steps, years + _SAME_TIME, key=lambda month: month.years)
        return self.steps[place - 1] if place else None

    def at_risk(self, years: Sequence[float]) -> list[AtRisk]:
        """The numbers below the axis, counted as the results count them at the horizon.

        An event is at or before a time by its years; a patient who is lost reaches a time by whole days.
        """
        curve = self.endpoint.curve
        if curve.joined_below is not None:
            return self._at_risk_by_step(years)
        n_censored = [0, *curve.n_censored.cumsum().tolist()]
        n_events = [0, *curve.n_events.cumsum().tolist()]
        rows = []
        for year in years:
            following = int(curve.years.searchsorted(year - _SAME_TIME))
            until = int(curve.years.searchsorted(year + _SAME_TIME, side="right"))
            at_risk = int(curve.n_at_risk[following]) if following < len(curve) else 0
            landmark = floor(DAYS_PER_YEAR * year + _SAME_TIME) - self.landmark_window_days
            # Half a day before it is the first time that is the landmark's day when rounded.
            reached = min(int(curve.years.searchsorted((landmark - 0.5) / DAYS_PER_YEAR)), following)
            at_risk += n_censored[following] - n_censored[reached]
            rows.append(AtRisk(year, at_risk, n_censored[until], n_events[until]))
        return rows

    def _at_risk_by_step(self, years: Sequence[float]) -> list[AtRisk]:
        """The numbers at the steps of a curve with joined steps."""
        curve, rows = self.endpoint.curve, []
        n_events, n_censored = ([0, *each.cumsum().tolist()] for each in (curve.n_events, curve.n_censored))
        for year in years:
            at = int(curve.years.searchsorted(year + _SAME_TIME, side="right"))
            if year > 0 and (at == 0 or year > curve.years[at - 1] + _SAME_TIME):
                rows.append(AtRisk(year, None, None, None))
            else:
                n_left = int(curve.n_at_risk[0]) - n_events[at] - n_censored[at]
                rows.append(AtRisk(year, n_left, n_censored[at], n_events[at]))
        return rows

    @property
    def estimate_in_words(self) -> str:
        """The estimate at the horizon with its interval and the interval's level."""
        shown_estimate = survival_shown(self.endpoint)
        if shown_estimate.value is None:
            return "no estimate"
        limits = fmt.limits(shown_estimate)
        level = fmt.level(shown_estimate.confidence_level or 0)
        other = f", {fmt.method(shown_estimate)}" if shown_estimate is not self.endpoint.survival else ""
        interval = f" ({level} CI {limits}{other})" if limits != fmt.NOTHING else ""
        return f"{fmt.value(shown_estimate)}{interval}{self._few}"

    @property
    def estimate_in_figures(self) -> str:
        """The estimate at the horizon with its limits alone."""
        shown_estimate = survival_shown(self.endpoint)
        return "no estimate" if shown_estimate.value is None else fmt.with_limits(shown_estimate) + self._few

    @property
    def _few(self) -> str:
        """The count without which no percentage of few patients may stand."""
        n = self.endpoint.n_patients or 0
        return f", {self.endpoint.n_events:,} of {n:,} with an event" if n < fmt.FEW else ""


def end_of_month(years: float) -> float:
    """The end of the month in which a time lies; day 0 belongs to the first month [years]."""
    return max(1, ceil(years * MONTHS_PER_YEAR - _SAME_TIME)) / MONTHS_PER_YEAR


def known_endpoints(keys: Iterable[str]) -> tuple[str, ...]:
    """The keys of the endpoints to draw, each once.

    Raises
    ------
    UsageError
        If there is no such endpoint.
    """
    for key in keys:
        if key not in _SHORT:
            sentence = f"There is no curve of '{shown(key)}'; --endpoint is one of {', '.join(_SHORT)}."
            raise UsageError(f"{sentence} {is_it_meant(key, _SHORT)}".rstrip())
    return tuple(dict.fromkeys(keys))


def drawn_curves(summary: Summary, keys: Iterable[str]) -> list[DrawnCurve]:
    """The curves of some endpoints, in the order in which they end, the highest first.

    Raises
    ------
    UsageError
        If the file has no curve of one of them; the text says why, and of which it has.
    """
    curves = []
    for key in keys:
        endpoint: SurvivalEndpoint = getattr(summary.endpoints, key)
        if not len(endpoint.curve):
            raise UsageError(
                f"There is no curve of {key} in {source_name(summary.source)}. "
                f"{_why_no_curve(endpoint)}{_others(summary)}"
            )
        window = summary.protocol.landmark_window_days
        curves.append(DrawnCurve(key, _SHORT[key], key, list(_SHORT).index(key), endpoint, window))
    return in_order(curves)


def drawn_groups(comparison: Comparison, key: str) -> list[DrawnCurve]:
    """The curves of one endpoint, one for each group that has any, the highest end first.

    Raises
    ------
    UsageError
        If no group has one.
    """
    curves = []
    window = comparison.protocol.landmark_window_days
    for place, group in enumerate(comparison.groups):
        endpoint: SurvivalEndpoint = getattr(group.endpoints, key)
        if len(endpoint.curve):
            curves.append(DrawnCurve(key, shown(group.level), f"{key}-{place}", place, endpoint, window))
    if not curves:
        why = _why_no_curve(getattr(comparison.groups[0].endpoints, key))
        raise UsageError(
            f"There is no curve of {key} in {source_name(comparison.source)}. {why} Draw another with --endpoint."
        )
    return in_order(curves)


def _why_no_curve(endpoint: SurvivalEndpoint) -> str:
    below = endpoint.curve.joined_below
    return endpoint.note or ("" if below is None else f"No step of the curve would cover {below} patients.")


def not_drawn(result: Summary | Comparison, key: str) -> Iterator[str]:
    """The groups that have no curve, and why."""
    if isinstance(result, Comparison):
        for group in result.groups:
            endpoint: SurvivalEndpoint = getattr(group.endpoints, key)
            if not len(endpoint.curve):
                n = group.cohort.n_patients
                who = f"{shown(group.level)}, {n:,} {plural('patient', n)}"
                yield f"Not drawn: {who}. {_why_no_curve(endpoint)}".strip()


def contrast_line(result: Summary | Comparison, key: str) -> str | None:
    """What separates two groups in an endpoint, in one line; None for one group, and for more than two.

    A log-rank p stands beside its hazard ratio alone: one of several groups has no estimate that it belongs to.
    """
    if not isinstance(result, Comparison) or len(result.contrasts) != 1:
        return None
    return ratio_in_words(result, result.contrasts[0], key)


def in_order(curves: Iterable[DrawnCurve]) -> list[DrawnCurve]:
    """Curves by the height at which they end, for the key, the lines and the tables alike."""
    return sorted(curves, key=lambda curve: (-curve.months[-1].estimate, curve.look))


def keys_with_curve(summary: Summary) -> list[str]:
    """The endpoints of which the file has a curve."""
    return [key for key in _SHORT if len(getattr(summary.endpoints, key).curve)]


def _others(summary: Summary) -> str:
    there = keys_with_curve(summary)
    return f" There is one of {', '.join(there)}: name it with --endpoint." if there else ""


def axis_years(curves: Sequence[DrawnCurve]) -> float:
    """Where the time axis ends: at the last observation, the horizon or the first tick, whichever is last."""
    return max(*(curve.last_years for curve in curves), curves[0].endpoint.horizon_years, _STEPS[0])


def tick_step(length: float, horizon: float, most: int, *, finest: float = _STEPS[0]) -> float:
    """The round time from one tick to the next on an axis with at most so many ticks.

    A wider step on which the horizon falls is preferred while it costs no more than half of the ticks.
    """
    finer = (finest, 2 * finest) if finest < _STEPS[0] else ()
    fitting: list[float] = [step for step in (*finer, *_STEPS, length) if length / step < most]
    dividing = [step for step in fitting if abs(horizon / step - round(horizon / step)) < 1e-9]
    return dividing[0] if dividing and dividing[0] <= 2 * fitting[0] else fitting[0]


def multiples(step: float, low: float, high: float) -> list[float]:
    """The multiples of a step from one end of an axis to the other."""
    return [round(n * step, 9) for n in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def origin(result: Summary | Comparison) -> str:
    """The file and its patients, and by which program and protocol."""
    n = n_patients(result)
    return (
        f"{source_name(result.source)}: {n:,} {plural('patient', n)}; protocol "
        f"{shown(result.protocol.name, longest=200)}; {TOOL.name} {TOOL.version}."
    )


def n_patients(result: Summary | Comparison) -> int:
    """All patients of a result."""
    if isinstance(result, Comparison):
        return sum(group.cohort.n_patients for group in result.groups)
    return result.cohort.n_patients


def definitions(curves: Sequence[DrawnCurve]) -> Iterator[str]:
    """What counts, as the results say it: of an only endpoint in full, of several in a sentence each."""
    by_key = {curve.key: curve.endpoint for curve in curves}
    if len(by_key) == 1:
        yield next(iter(by_key.values())).definition
        return
    for endpoint in by_key.values():
        yield f"{endpoint.label}: {sentences(endpoint.definition)[0]}"


def notes(curves: Sequence[DrawnCurve]) -> Iterator[str]:
    """What must be said of the curves; with several of them, of which."""
    for curve in curves:
        if curve.endpoint.note:
            yield curve.endpoint.note if len(curves) == 1 else f"{curve.name}: {curve.endpoint.note}"


def how_joined(curves: Sequence[DrawnCurve]) -> Iterator[str]:
    """How a curve moves where small counts are not shown."""
    for below in {curve.endpoint.curve.joined_below for curve in curves} - {None}:
        yield (
            f"The curve moves only where at least {below:,} more patients have had an event or were lost: between "
            "its steps it stands still whatever happens, no numbers are given, and it ends where fewer would be left."
        )


def ends_together(curves: Sequence[DrawnCurve]) -> Iterator[str]:
    """Which curves run into the same end, where a figure does not tell them apart."""

    def end(curve: DrawnCurve) -> str:
        return fmt.percent(curve.months[-1].estimate)

    for height, group in groupby(curves, end):
        same = list(group)
        if len(same) > 1:
            courses = {tuple((step.years, step.estimate) for step in curve.steps) for curve in same}
            how = "coincide throughout and end" if len(courses) == 1 else "end together"
            yield f"{fmt.listed(curve.name for curve in same)} {how} at {height}."


def titled(curves: Sequence[DrawnCurve]) -> str:
    """The title of a drawing."""
    if len(curves) == 1 and not curves[0].is_of_group:
        return curves[0].endpoint.label
    names = ", ".join(curve.name for curve in curves)
    if len({curve.key for curve in curves}) == 1:
        return f"{curves[0].endpoint.label} by group: {names}"
    return f"Survival by endpoint: {names}"


def described(curves: Sequence[DrawnCurve]) -> str:
    """The drawing in words, for whoever cannot see it."""
    said = []
    for curve in curves:
        endpoint = curve.endpoint
        n_events = sum(month.n_events for month in curve.months)
        n = endpoint.n_patients or 0
        is_joined = endpoint.curve.joined_below is not None
        until = f"by {in_years(round(curve.last_years, 2))}" if is_joined else "over all follow-up"
        said.append(
            f"{curve.name}: {curve.estimate_in_words} at {in_years(endpoint.horizon_years)}; "
            f"{fmt.percent(curve.months[-1].estimate)} at the end of the curve; {n:,} "
            f"{plural('patient', n)}, {n_events:,} {plural('event', n_events)} {until}."
        )
    return " ".join(["Kaplan–Meier curve with its interval.", *said, *definitions(curves)])
