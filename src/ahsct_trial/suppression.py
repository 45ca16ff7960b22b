"""Results without small cells, for cohorts in which a small count could point to a person.

A count below the threshold, other than 0, is not shown, and neither is what it could be worked out from:

- an endpoint goes as a whole, since its counts add up and its estimates are made of them;
- of two counts that differ by so few, of which one is of some of the other's patients, the later one goes
  with its endpoint: the headline stands before the other endpoints, and what was shown first before what is
  shown beside it;
- a curve moves only at the ends of months up to which enough patients more have had an event or were lost,
  or none, and of which enough, or none, are left;
- levels of an attribute that are too small stand together, with the next smallest where they would still be
  too few;
- lowest and highest values, and notes that hold a number, which may count patients or name a day, go.

So do the rules of the United Kingdom's health statistics have it (Office for National Statistics 2006, Review
of the Dissemination of Health Statistics: Confidentiality Guidance: primary and secondary suppression). For
curves: Griffiths E, Greci C, Kotrotsios Y, et al. 2019, Handbook on Statistical Disclosure Control for
Outputs: steps of single persons are joined, and the end of a curve of few is cut.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeVar

from ahsct_trial.catalogue import HEADLINE, NEDA3, SURVIVAL_ENDPOINTS
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.protocol import DAYS_PER_YEAR, Protocol
from ahsct_trial.results import (
    Account,
    CohortInfo,
    Comparison,
    Curve,
    Disability,
    Distribution,
    Endpoints,
    Estimate,
    EventRates,
    FollowUp,
    GroupFlow,
    IncidenceCurves,
    IncidenceGroup,
    Mortality,
    NedaYear,
    Notice,
    ProtocolInfo,
    SourceInfo,
    Summary,
    SurvivalEndpoint,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Result = TypeVar("Result", Summary, Comparison, IncidenceCurves)
Part = TypeVar("Part")

#: Levels of an attribute that are too small to stand alone.
OTHERS = "others (each too few to show)"
_NO_VALUES = Distribution(n=None, median=None, min=None, max=None, total=None)
#: What a result is and is not, rather than what it tells.
_WORDS = {"label", "definition", "horizon_years", "years", "unit", "level", "reference", "note"}
#: Counts that can be left out alone.
_APART_FROM_CELLS = {"n_censored", "n_censored_died", "n_at_risk", "n_patients_in_ratio"}
_MONTHS = 12
_SAME_TIME = 1e-9
_SURVIVAL = tuple(endpoint.key for endpoint in SURVIVAL_ENDPOINTS)
#: Empty cells of other columns would tell of events: who has no time of death is alive.
_COUNTED_COLUMNS = {field.name for field in fields(CohortInfo)} - {
    "n_patients",
    "n_sites",
    "follow_up",
    "n_missing",
}


def suppress(result: Result, below: int) -> Result:
    """Leave out every cell that is smaller than a number, and what it could be worked out from.

    Parameters
    ----------
    result
        The results.
    below
        The smallest count that is shown [patients or events]; 0 is always shown.

    Returns
    -------
    Summary, Comparison or IncidenceCurves
        The same results with None where something was left out, and a note that says so.

    Raises
    ------
    UsageError
        If all patients, or those of a group, are fewer than that.
    """
    return Suppression(below).of(result)


class Suppression:
    """Leaves small cells out of results that are shown together.

    It remembers what it has shown, so that no small count is the difference of two results: of two horizons,
    or of all patients and some of them.

    Parameters
    ----------
    below
        The smallest count that is shown [patients or events]; 0 is always shown. None leaves all as it is.
    """

    def __init__(self, below: int | None) -> None:
        self.below = below or 0
        self._shown: dict[str, list[Any]] = {}

    def __bool__(self) -> bool:
        return self.below > 0

    def of(self, result: Result) -> Result:
        """The result without small cells, as `suppress`.

        Raises
        ------
        UsageError
            If all patients, or those of a group, are too few.
        """
        if not self:
            return result
        if isinstance(result, Summary):
            return self._summary(result)
        if isinstance(result, Comparison):
            return self._comparison(result)
        is_few_without = self.is_small(result.n_without_level)
        n_patients = result.n_patients - (result.n_without_level or 0) * is_few_without
        return replace(
            result,
            source=self.source(result.source, n_patients),
            n_patients=n_patients,
            n_without_level=None if is_few_without else result.n_without_level,
            groups=tuple(self._incidence(group, result.protocol) for group in result.groups),
        )

    def is_small(self, n: float | None) -> bool:
        """Whether a count is not shown."""
        return n is not None and 0 < n < self.below

    def is_shown(self, name: str, part: Any, n_patients: int) -> bool:
        """Whether a result has no small cell, and may stand beside those shown by that name; it then does."""
        shown_before = self._shown.setdefault(name, [])
        if any(map(self.is_small, _cells(part, n_patients))) or any(
            self._are_few_apart(part, other) for other in shown_before
        ):
            return False
        shown_before.append(part)
        return True

    def blank(self, part: Part) -> Part:
        """A result without any figure; what it is and how it is defined stay."""
        return _blank(part, self.note)

    @property
    def note(self) -> str:
        """What stands where something is not shown."""
        return f"Not shown: a count here, or the difference of two, is below {self.below}."

    def contrast(self, endpoints: Part, groups: Iterable[Endpoints]) -> Part:
        """The endpoints of a contrast without those of which one of its groups is not shown."""
        if not self:
            return endpoints
        groups = tuple(groups)
        changed: dict[str, Any] = {}
        for field in fields(endpoints):  # type: ignore[arg-type]
            part = getattr(endpoints, field.name)
            of_groups = [getattr(group, field.name) for group in groups]
            if isinstance(part, tuple):
                hidden = {year.years for years in of_groups for year in years if _is_blank(year)}
                changed[field.name] = tuple(
                    self.blank(each) if each.years in hidden else each for each in part
                )
            elif any(map(_is_blank, of_groups)):
                changed[field.name] = self.blank(part)
        return replace(endpoints, **changed)  # type: ignore[type-var]

    def whole(self, row: Part) -> Part:
        """A row of counts that add up to all patients, which goes as a whole."""
        is_hidden = any(self.is_small(n) for _, n in _counts(row))
        return self.blank(row) if is_hidden else row

    def survival(
        self, endpoint: SurvivalEndpoint, n_patients: int, protocol: Protocol | ProtocolInfo
    ) -> SurvivalEndpoint:
        """A survival endpoint of so many patients, to stand beside others of its kind."""
        if not self:
            return endpoint
        others = self._shown.setdefault("patients", [])
        is_few = n_patients < self.below or any(self.is_small(abs(n_patients - n)) for n in others)
        if is_few or not self.is_shown(endpoint.label, endpoint, n_patients):
            return self.blank(endpoint)
        others.append(n_patients)
        return self._shown_survival(endpoint, _Steps.of(endpoint, protocol), ())

    def _summary(self, summary: Summary) -> Summary:
        n = summary.cohort.n_patients
        self._refuse_few(n, "There are")
        others = self._shown.setdefault("patients", [])
        if any(self.is_small(abs(n - other)) for other in others):
            raise UsageError(
                f"These patients and others already shown differ by fewer than {self.below}, "
                "so the difference could be worked out."
            )
        others.append(n)
        return replace(
            summary,
            source=self.source(summary.source, n),
            account=self._account(summary.account, summary.source, n),
            cohort=self._cohort(summary.cohort),
            endpoints=self._endpoints(summary.endpoints, summary.cohort, summary.protocol),
            notices=self.notices(summary.notices),
        )

    def _comparison(self, comparison: Comparison) -> Comparison:
        by = comparison.by
        for group in comparison.groups:
            self._refuse_few(group.cohort.n_patients, f"{shown(by.column)} {shown(group.level)} has")
        # Groups have no patient in common: nothing of one is told by another.
        groups = {
            group.level: replace(
                group,
                cohort=Suppression(self.below)._cohort(group.cohort),
                flow=GroupFlow(n_transplanted=None, n_died=None, n_followed=None, n_ended_before=None),
                endpoints=Suppression(self.below)._endpoints(
                    group.endpoints, group.cohort, comparison.protocol
                ),
            )
            for group in comparison.groups
        }
        endpoints = [group.endpoints for group in groups.values()]
        n_patients = sum(group.cohort.n_patients for group in comparison.groups)
        account = self._account(comparison.account, comparison.source, n_patients)
        source = self.source(comparison.source, n_patients)
        if self.is_small(by.n_not_selected) or self.is_small(by.n_without_level):
            # Rows less the groups would tell each of the two beside the other.
            by = replace(by, n_not_selected=None, n_without_level=None)
            account = replace(account, rows_read=None, rows_used=None, set_aside=())
            source = replace(source, files=tuple(replace(file, n_rows=None) for file in source.files))
        return replace(
            comparison,
            source=source,
            account=account,
            by=by,
            groups=tuple(groups.values()),
            contrasts=tuple(
                replace(each, endpoints=self.contrast(each.endpoints, endpoints))
                for each in comparison.contrasts
            ),
            tests={
                key: replace(test, log_rank=self.blank(test.log_rank), gray={})
                if any(_is_blank(getattr(each, key)) for each in endpoints)
                else test
                for key, test in comparison.tests.items()
            },
            notices=self.notices(comparison.notices),
        )

    def _incidence(self, group: IncidenceGroup, protocol: ProtocolInfo) -> IncidenceGroup:
        endpoint = group.endpoint
        if endpoint.n_patients is None:
            return group
        n_patients = endpoint.n_patients + (endpoint.n_unknown or 0)
        self._refuse_few(n_patients, "There are" if group.level is None else f"{shown(group.level)} has")
        if any(map(self.is_small, _cells(endpoint, n_patients))):
            return replace(
                group,
                endpoint=self.blank(endpoint),
                any_event=Estimate(unit=group.any_event.unit, note=self.note),
                years=(),
                incidence={},
            )
        steps = _Steps.of(endpoint, protocol, group)
        shown_endpoint = self._shown_survival(endpoint, steps, ())
        years = shown_endpoint.curve.years.tolist()
        places = [_last_by(group.years, end) for end in years]
        return replace(
            group,
            endpoint=shown_endpoint,
            years=tuple(years),
            incidence={
                key: tuple(values[place] if place >= 0 else 0.0 for place in places)
                for key, values in group.incidence.items()
            },
        )

    def _refuse_few(self, n_patients: int, who: str) -> None:
        if n_patients < self.below:
            raise UsageError(
                f"{who} fewer than {self.below} patients, too few to show anything of them. "
                "Leave them out with --where, or join them with others."
            )

    def _endpoints(self, endpoints: Endpoints, cohort: CohortInfo, protocol: ProtocolInfo) -> Endpoints:
        """The endpoints in their order: each as far as what was shown before it allows."""
        changed: dict[str, Any] = {}
        steps: dict[str, _Steps] = {}
        for field in fields(endpoints):
            name, part = field.name, getattr(endpoints, field.name)
            before = {key: getattr(endpoints, key) for key, each in changed.items() if not _is_blank(each)}
            if isinstance(part, tuple):
                changed[name] = self._years(part, cohort.n_patients, before)
            elif any(map(self.is_small, _differences(part, name, before, cohort))) or not self.is_shown(
                part.label, part, cohort.n_patients
            ):
                changed[name] = self.blank(part)
            elif isinstance(part, SurvivalEndpoint):
                part_steps = _Steps.of(part, protocol)
                above = tuple(steps[key] for key in _WITHIN[name] if key in steps)
                changed[name] = self._shown_survival(part, part_steps, above)
                steps[name] = part_steps.at(changed[name].curve)
            else:
                changed[name] = _without_single_patients(part)
                if isinstance(part, EventRates) and self._is_ratio_of_few(part):
                    changed[name] = self._without_ratio(changed[name])
        return replace(endpoints, **changed)

    def _shown_survival(
        self, endpoint: SurvivalEndpoint, steps: _Steps, above: tuple[_Steps, ...]
    ) -> SurvivalEndpoint:
        curve = steps.curve(endpoint, steps.joined(self.below, above), self.below)
        endpoint = replace(_without_single_patients(endpoint), curve=curve)
        n_censored, n_died, n_at_risk = endpoint.n_censored, endpoint.n_censored_died, endpoint.n_at_risk
        pairs = [
            *((n, 0) for n in (n_censored, n_died, n_at_risk)),
            (n_censored, n_died),
            (n_censored, endpoint.n_not_followed),
            (n_at_risk, endpoint.n_event_free),
        ]
        if any(map(self.is_small, _apart(pairs))):
            # They also tell how many were last seen, or had the event, on the landmark's day.
            return replace(endpoint, n_censored=None, n_censored_died=None, n_at_risk=None)
        return endpoint

    def _years(
        self, years: tuple[NedaYear, ...], n_patients: int, before: Mapping[str, Any]
    ) -> tuple[NedaYear, ...]:
        """The landmark years from the last one back: those of which each year between two tells of enough."""
        kept: list[NedaYear] = []
        headline: SurvivalEndpoint | None = before.get(HEADLINE.key)
        for year in reversed(years):
            pairs = []
            if headline is not None and year.years == headline.horizon_years:
                pairs = [(year.n_no, headline.n_events), (year.n_yes, headline.n_event_free)]
            is_few = any(self.is_small(n) for n in _apart(pairs)) or any(
                self._are_few_apart(year, other) for other in kept
            )
            if is_few or not self.is_shown(f"{NEDA3.key} {year.years}", year, n_patients):
                kept.append(self.blank(year))
            else:
                kept.append(_without_single_patients(year))
        return tuple(reversed(kept))

    def _are_few_apart(self, part: Any, other: Any) -> bool:
        """Whether a count in one result and the same in another differ by few."""
        counts = dict(_counts(other))
        return any(self.is_small(n) for n in _apart((n, counts.get(name)) for name, n in _counts(part)))

    def _is_ratio_of_few(self, rates: EventRates) -> bool:
        """Whether the ratio is of so few patients, or of all but so few of one side."""
        n_both = rates.n_patients_in_ratio
        if n_both is None:
            return False
        rest = ((side.n_patients or n_both) - n_both for side in (rates.before, rates.after))
        return any(self.is_small(n) for n in (n_both, *rest))

    def _without_ratio(self, rates: EventRates) -> EventRates:
        nothing = Estimate(unit="ratio", note=self.note)
        return replace(
            rates, ratio=nothing, ratio_negative_binomial=nothing, n_patients_in_ratio=None, note=self.note
        )

    def _cohort(self, cohort: CohortInfo) -> CohortInfo:
        changed: dict[str, Any] = {}
        n_patients = cohort.n_patients
        for field in fields(cohort):
            value = getattr(cohort, field.name)
            if field.name == "n_missing":
                changed["n_missing"] = {
                    column: n
                    for column, n in value.items()
                    if column in _COUNTED_COLUMNS
                    and not self.is_small(n)
                    and not self.is_small(n_patients - n)
                }
            elif isinstance(value, dict):
                n_without = n_patients - sum(value.values())
                # Few patients without a level would follow from the others: they stand with the small levels.
                without = {"": n_without} if value and self.is_small(n_without) else {}
                changed[field.name] = _together(value | without, self.below)
            elif isinstance(value, Distribution):
                changed[field.name] = self._distribution(value, n_patients)
            elif isinstance(value, FollowUp):
                survivors = self._distribution(value.survivors, n_patients)
                complete = value.completeness
                if survivors is _NO_VALUES:
                    # Beside the total it tells how long the dead were not there.
                    complete = Estimate(unit=complete.unit, note=self.note)
                changed[field.name] = replace(
                    value, min=None, max=None, survivors=survivors, completeness=complete
                )
        if OTHERS in changed["site"]:
            changed["n_sites"] = None  # five patients at five other sites are one at each
        hidden = self._shown.setdefault("cohort", [])
        changed |= {
            name: {} if isinstance(part, dict) else _NO_VALUES
            for name, part in changed.items()
            if isinstance(part, dict | Distribution)
            and any(self._are_few_apart(part, getattr(other, name)) for other in hidden)
        }
        result = replace(cohort, **changed)
        hidden.append(result)
        return result

    def _distribution(self, values: Distribution, n_patients: int) -> Distribution:
        is_few = self.is_small(values.n) or self.is_small(n_patients - (values.n or 0))
        return _NO_VALUES if is_few else _without_single_patients(values)

    def source(self, source: SourceInfo, n_patients: int) -> SourceInfo:
        """The source without the rows of its files where they tell a count of patients."""
        if not self or not self._do_rows_tell(source, n_patients):
            return source
        return replace(source, files=tuple(replace(file, n_rows=None) for file in source.files))

    def _account(self, account: Account, source: SourceInfo, n_patients: int) -> Account:
        """The account of rows, likewise."""
        if not (account.tables or self._do_rows_tell(source, n_patients)):
            # Texts for missing in a column of events alone would count them.
            return replace(account, missing={})
        return replace(account, rows_read=None, rows_used=None, set_aside=(), missing={}, tables=())

    def _do_rows_tell(self, source: SourceInfo, n_patients: int) -> bool:
        """Whether rows may be of deaths alone, or are those of all patients but a few."""
        if len(source.files) > 1:
            return True
        is_table = source.shape == "patient_table"
        return is_table and any(self.is_small((file.n_rows or 0) - n_patients) for file in source.files)

    def notices(self, notices: tuple[Notice, ...]) -> tuple[Notice, ...]:
        """The notices, of which those that count patients only say what they are about."""
        return tuple(
            replace(
                notice,
                text=f"A notice is not shown, since it may tell numbers below {self.below}: "
                f"{notice.code.replace('-', ' ')}.",
            )
            if self and any(character.isdigit() for character in notice.text)
            else notice
            for notice in notices
        )


#: Leaves all as it is.
SHOW_ALL = Suppression(None)
#: Survival endpoints of whose events those of an endpoint are some: each, of those that stand before it.
_WITHIN = {
    key: tuple(
        before
        for before in _SURVIVAL[:place]
        if before == HEADLINE.key or not SURVIVAL_ENDPOINTS[place].components
    )
    for place, key in enumerate(_SURVIVAL)
}


@dataclass(frozen=True)
class _Steps:
    """What happened up to the end of each month, shape (n_months,): who had an event and who was lost.

    An event counts by its years and a loss by whole days, as the results count them at a landmark. `types` are
    the events of each type, shape (n_types, n_months); `n_patients` is None where patients enter later, so
    that what is left does not follow. `at_horizon` are events and losses as the results have them there.
    """

    months: NDArray[np.int64]
    events: NDArray[np.int64]
    lost: NDArray[np.int64]
    types: NDArray[np.int64]
    n_patients: int | None
    horizon: float
    at_horizon: tuple[int, ...]

    @classmethod
    def of(
        cls,
        endpoint: SurvivalEndpoint,
        protocol: Protocol | ProtocolInfo,
        group: IncidenceGroup | None = None,
    ) -> _Steps:
        import numpy as np

        curve, n_patients = endpoint.curve, endpoint.n_patients or 0
        n_left = n_patients - np.cumsum(curve.n_events + curve.n_censored)
        is_closed = np.array_equal(curve.n_at_risk, np.concatenate([[n_patients], n_left])[: len(curve)])
        last = float(curve.years[-1]) if len(curve) else 0.0
        months = np.arange(1, max(2, np.ceil(last * _MONTHS) + 2), dtype=np.int64)
        ends = months / _MONTHS
        events = np.concatenate([[0], np.cumsum(curve.n_events)])
        lost = np.concatenate([[0], np.cumsum(curve.n_censored)])
        landmark = np.floor(DAYS_PER_YEAR * ends + _SAME_TIME) - protocol.landmark_window_days
        by = np.searchsorted(curve.years, ends + _SAME_TIME, side="right")
        reached = np.searchsorted(np.rint(curve.years * DAYS_PER_YEAR), landmark)
        counts = np.empty((0, len(months)), dtype=np.int64)
        by_type = endpoint.events_by_type
        if group is not None and group.years:
            counts = _events_by_type(group, ends)
        return cls(
            months=months,
            events=events[by],
            lost=lost[reached],
            types=counts,
            n_patients=n_patients if is_closed else None,
            horizon=endpoint.horizon_years * _MONTHS,
            at_horizon=(
                endpoint.n_events or 0,
                endpoint.n_not_followed or 0,
                *((by_type.get(key) or 0 for key in group.incidence) if group is not None else ()),
            ),
        )

    @property
    def left(self) -> NDArray[np.int64]:
        """Who is still followed."""
        return (self.n_patients or 0) - self.events - self.lost

    def at(self, curve: Curve) -> _Steps:
        """Those months alone at which a curve moves."""
        import numpy as np

        places = np.rint(curve.years * _MONTHS).astype(np.int64) - 1
        return replace(self, months=self.months[places], events=self.events[places], lost=self.lost[places])

    def joined(self, below: int, above: tuple[_Steps, ...]) -> list[int]:
        """The places of the months at whose ends the curve may move, in order.

        From each to the next, from or to the horizon, and between this endpoint and those `above`, whose
        events include those of this one, the numbers are none or enough. Whole years are tried before other
        months, and the horizon before these, since numbers stand below them.
        """
        if self.n_patients is None:
            return []
        counts = [[int(n) for n in row] for row in (self.events, self.lost, *self.types)]
        start, at_horizon = [0] * len(counts), list(self.at_horizon)

        def is_horizon(place: int) -> bool:
            return abs(int(self.months[place]) - self.horizon) < _SAME_TIME

        def numbers(place: int) -> list[int]:
            return [row[place] for row in counts]

        def are_enough(place: int, before: list[int], after: list[int]) -> bool:
            now = numbers(place)
            if now == before and not is_horizon(place):
                return False
            apart = [
                n - other
                for others in (before, after, at_horizon)
                for n, other in zip(now, others, strict=True)
            ]
            apart += [int(self.left[place]), *(n for each in above for n in each.beyond(self, place))]
            return not any(0 < abs(n) < below for n in apart)

        places: list[int] = []
        for place in sorted(
            range(len(self.months)),
            key=lambda place: (not is_horizon(place), self.months[place] % _MONTHS != 0, place),
        ):
            at = bisect_left(places, place)
            before = numbers(places[at - 1]) if at else start
            after = numbers(places[at]) if at < len(places) else numbers(place)
            if are_enough(place, before, after):
                places.insert(at, place)
        return places

    def beyond(self, other: _Steps, place: int) -> Iterator[int]:
        """How many more had an event, and how many fewer are left, at the first step from a month on."""
        at = int(self.months.searchsorted(other.months[place]))
        if at < len(self.months):
            yield int(self.events[at] - other.events[place])
            yield int(self.left[at] - other.left[place])

    def curve(self, endpoint: SurvivalEndpoint, places: list[int], below: int) -> Curve:
        """The curve that moves at those places alone, to the estimate at the end of the month."""
        import numpy as np

        exact, ends = endpoint.curve, self.months[places] / _MONTHS
        last = np.searchsorted(exact.years, ends + _SAME_TIME, side="right") - 1
        left = np.concatenate([[self.n_patients or 0], self.left[places]])

        def limits() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            low, high = (np.array([*side, np.nan], dtype=np.float64) for side in exact.columns()[-2:])
            return low[last], high[last]  # before the first time there is none

        joined = Curve(
            years=ends,
            n_at_risk=left[:-1],
            n_events=np.diff(self.events[places], prepend=0),
            n_censored=np.diff(self.lost[places], prepend=0),
            estimate=np.append(exact.estimate, 1.0)[last],
            limits=limits,
        )
        joined.joined_below = below
        return joined


def _events_by_type(group: IncidenceGroup, ends: NDArray[np.float64]) -> NDArray[np.int64]:
    """Events of each type up to each time: at a time they are to each other as their incidences rise."""
    import numpy as np

    curve = group.endpoint.curve
    rises = np.diff(np.array([*group.incidence.values()]), axis=1, prepend=0.0)
    n_events = curve.n_events[curve.n_events > 0]
    counts = np.rint(rises / rises.sum(axis=0) * n_events).astype(np.int64)
    by = np.searchsorted(np.array(group.years), ends + _SAME_TIME, side="right")
    return np.concatenate([np.zeros((len(counts), 1), dtype=np.int64), counts.cumsum(axis=1)], axis=1)[:, by]


def _last_by(years: Sequence[float], end: float) -> int:
    """The place of the last of some ascending times up to a time; −1 if there is none."""
    return bisect_right(years, end + _SAME_TIME) - 1


def _differences(part: Any, name: str, before: Mapping[str, Any], cohort: CohortInfo) -> Iterator[float]:
    """By how much the counts of an endpoint differ from those before it that hold them, or that they hold."""
    pairs: list[tuple[float | None, float | None]] = []
    for other_name, other in before.items():
        if other_name == NEDA3.key:
            continue
        pairs.append((_n_known(part), _n_known(other)))
        if isinstance(part, SurvivalEndpoint) and other_name in _WITHIN[name]:
            pairs += [(part.n_events, other.n_events), (part.n_event_free, other.n_event_free)]
            pairs += [(n, other.events_by_type[key]) for key, n in part.events_by_type.items()]
        if isinstance(part, Disability) and other_name == "worsening_free_survival":
            pairs += [(part.worsened.n, other.n_events), (part.worsened.n, other.events_by_type["worsening"])]
        if isinstance(part, Mortality) and other_name == "overall_survival":
            pairs.append((part.all_cause.n, other.n_events))
    if isinstance(part, Disability):
        pairs.append((part.edss_baseline.n, cohort.edss_baseline.n))
    if isinstance(part, EventRates) and name == "relapse_rate":
        pairs.append((part.before.n_patients, cohort.years_observed_before.n or None))
    return _apart(pairs)


def _apart(pairs: Iterable[tuple[float | None, float | None]]) -> Iterator[float]:
    return (abs(n - m) for n, m in pairs if n is not None and m is not None)


def _n_known(part: Any) -> int | None:
    """Of how many patients an endpoint is known after time zero."""
    return part.after.n_patients if isinstance(part, EventRates) else getattr(part, "n_patients", None)


def _counts(part: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """The counts in a result, each with the way to it; the curve has its own rules."""
    if isinstance(part, Estimate):
        if part.n is not None and part.unit == "share":
            yield f"{path}.n", part.n
            yield f"{path}.rest", (part.of or 0) - part.n
            yield f"{path}.of", part.of or 0
    elif isinstance(part, Distribution):
        yield f"{path}.n", part.n or 0
    elif isinstance(part, dict):
        for key, value in part.items():
            if isinstance(value, int):
                yield f"{path}.{key}", value
    elif is_dataclass(part):
        for field in fields(part):
            value = getattr(part, field.name)
            if isinstance(value, int) and field.name.startswith("n_"):
                yield f"{path}.{field.name}", value
            else:
                yield from _counts(value, f"{path}.{field.name}")


def _cells(part: Any, n_patients: int) -> Iterator[float]:
    """The counts of an endpoint, and those that follow from them: who is in none, and in one but not another."""
    for path, n in _counts(part):
        if path.lstrip(".") not in _APART_FROM_CELLS:
            yield n
        if path.endswith((".edss_baseline.n", ".edss_last.n")) or (
            isinstance(part, Mortality) and path.endswith(".of")
        ):
            yield n_patients - n
    nested: list[tuple[float | None, float | None]] = []
    if isinstance(part, SurvivalEndpoint):
        nested = [(part.n_unknown, part.n_unknown_with_event)]
    elif isinstance(part, NedaYear):
        nested = [(part.n_not_evaluable, part.n_not_evaluable_died)]
    elif isinstance(part, Disability):
        nested = [(part.worsened.n, part.n_both), (part.improved.n, part.n_both)]
    elif isinstance(part, Mortality):
        shares = [getattr(part, field.name) for field in fields(part)]
        shares = [each for each in shares if isinstance(each, Estimate) and each.n is not None]
        nested = [(one.n, other.n) for one, other in combinations(shares, 2)]
        nested += [(one.of, other.of) for one, other in combinations(shares, 2)]
    yield from _apart(nested)


def _is_blank(part: Any) -> bool:
    """Whether nothing is told by a result."""
    if isinstance(part, Estimate):
        return part.value is None and part.ci_low is None and part.ci_high is None
    if isinstance(part, tuple):
        return all(map(_is_blank, part))
    if isinstance(part, dict):
        return all(value is None or _is_blank(value) for value in part.values())
    if is_dataclass(part):
        return all(_is_blank(getattr(part, field.name)) for field in fields(part) if field.name not in _WORDS)
    return part is None or part == 0 or isinstance(part, Curve | str)


def _without_single_patients(part: Any) -> Any:
    """A result without what is told of single patients: extremes, and numbers in notes."""
    if isinstance(part, tuple):
        return tuple(_without_single_patients(each) for each in part)
    if isinstance(part, dict):
        return {key: _without_single_patients(each) for key, each in part.items()}
    if not is_dataclass(part) or isinstance(part, type):
        return part
    changed = {field.name: _without_single_patients(getattr(part, field.name)) for field in fields(part)}
    if isinstance(part, Distribution):
        changed |= {"min": None, "max": None}
    if any(map(str.isdigit, changed.get("note") or "")):
        changed["note"] = None
    return replace(part, **changed)


def _blank(part: Part, note: str) -> Part:
    """A result without any figure; what it is and how it is defined stay."""
    changed: dict[str, Any] = {}
    for field in fields(part):  # type: ignore[arg-type]
        value = getattr(part, field.name)
        if field.name == "note":
            changed["note"] = note
        elif field.name in _WORDS:
            continue
        elif isinstance(value, Estimate):
            changed[field.name] = Estimate(unit=value.unit, note=note)
        elif isinstance(value, Curve):
            changed[field.name] = Curve.empty()
        elif isinstance(value, dict):
            changed[field.name] = {
                key: Estimate(unit=one.unit, note=note) if isinstance(one, Estimate) else None
                for key, one in value.items()
            }
        elif isinstance(value, Distribution):
            changed[field.name] = _NO_VALUES
        elif isinstance(value, tuple):
            changed[field.name] = tuple(_blank(each, note) for each in value)
        elif is_dataclass(value):
            changed[field.name] = _blank(value, note)
        else:
            changed[field.name] = None
    return replace(part, **changed)  # type: ignore[type-var]


def _together(counts: dict[str, int], below: int) -> dict[str, int]:
    """Counts by level with the small ones together, and the next smallest with them until they are enough."""
    ordered = sorted(counts.items(), key=lambda item: item[1])
    n_together = taken = 0
    for _, n in ordered:
        if not 0 < n < below and (n_together == 0 or n_together >= below):
            break
        n_together, taken = n_together + n, taken + 1
    if not taken:
        return counts
    kept = {level for level, _ in ordered[taken:]}
    return {level: n for level, n in counts.items() if level in kept} | {OTHERS: n_together}
