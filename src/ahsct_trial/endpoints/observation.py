"""When each patient had the first event of an endpoint, or else until when they were seen without one.

Each component of an endpoint has a last assessment that could have shown it. A patient's observation ends at
the earliest of these, e: an event at or before e counts, and one after it does not, since a patient without
one was no longer looked at. Counting events beyond e while the event-free are censored there would leave a risk
set of those who fail (after Lesko et al. 2019, Epidemiology 30:817). A death counts up to `death_reach_days`
after e: the patient was still being assessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.catalogue import (
    ACTIVITY,
    COMPONENTS,
    DEATH,
    NEW_LESION,
    RELAPSE,
    THERAPY,
    WORSENING,
    Event,
    SurvivalEndpoint,
)
from ahsct_trial.chunks import chunks
from ahsct_trial.endpoints.estimates import patients
from ahsct_trial.estimators.survival import SAME_TIME
from ahsct_trial.parallel import side_by_side
from ahsct_trial.patients import YEARS_TO_BASELINE, PatientTable
from ahsct_trial.protocol import DAYS_PER_YEAR, Protocol
from ahsct_trial.wording import listed

FOLLOW_UP = "follow_up_years"

Years = NDArray[np.float64]
Flags = NDArray[np.bool_]
#: The rows of the patients who had an event, ascending, and when each had it.
EventTimes = tuple[NDArray[np.intp], Years]


def whole_days(years: Years) -> Years:
    """Times as whole days: times in a table are rounded, and a landmark is a day."""
    days = np.multiply(years, DAYS_PER_YEAR)
    return np.rint(days, out=days)


def landmark_day(years: float, protocol: Protocol) -> float:
    """The day from which on a last assessment reaches a landmark [days]: the anniversary, less the window."""
    return float(np.floor(DAYS_PER_YEAR * years + SAME_TIME)) - protocol.landmark_window_days


def reaches(last: Years, landmark: float, protocol: Protocol) -> Flags:
    """Which times of a last assessment reach a landmark [both in years], by whole days."""
    day = landmark_day(landmark, protocol)
    is_reached = np.empty(len(last), dtype=np.bool_)
    for chunk in chunks(len(last)):
        is_reached[chunk] = whole_days(last[chunk]) >= day
    return is_reached


@dataclass(frozen=True)
class Component:
    """An event over the patients of a table; arrays have shape (n_patients,).

    Attributes
    ----------
    event
        What it is.
    is_unknown
        Whether nobody can say whether it happened.
    last_seen
        Until when it would have been seen; infinity where it is unknown, which ends no observation.
    entry
        From when on it can be seen; minus infinity for who is at risk from time zero on. None where all are.
    remarks
        What a definition must say about it: how it was derived, and what stands in for a last assessment.
    event_times
        Of whom it is known that they had it, and when; shape (n_events,).
    """

    event: Event
    is_unknown: Flags
    last_seen: Years
    entry: Years | None
    remarks: tuple[str, ...]
    event_times: EventTimes


def _event_times(years: Years) -> EventTimes:
    """Who had an event, which are few of most."""
    rows = np.flatnonzero(~np.isnan(years))
    return rows, years[rows]


def components(table: PatientTable) -> dict[str, Component]:
    """The components of the endpoints that the data tell of, by key."""
    told = [event for event in COMPONENTS if table.has(*event.needed)]
    each = side_by_side(lambda event: _component(table, event), told, n_rows=len(table))
    return {event.key: component for event, component in zip(told, each, strict=True)}


def _component(table: PatientTable, event: Event) -> Component:
    known_by = [column for column in event.known_by if table.has(column)]
    is_unknown = np.zeros(len(table), dtype=bool)
    for column in known_by:
        is_unknown |= np.isnan(table.numbers(column))
    last_seen, stand_in = last_assessment(table, event)
    entry = None
    if event is WORSENING and table.has(YEARS_TO_BASELINE):
        baseline = table.numbers(YEARS_TO_BASELINE)
        is_unknown |= np.isnan(baseline)
        # Whose baseline is of day 0 is at risk from time zero itself on, like everybody elsewhere.
        is_entered_later = baseline > SAME_TIME
        entry = np.where(is_entered_later, baseline, -np.inf) if is_entered_later.any() else None
    remarks = tuple(filter(None, (table.remarks.get(event.key), stand_in)))
    rows, years = _event_times(table.numbers(event.years))
    if is_unknown.any():
        last_seen = np.where(is_unknown, np.inf, last_seen)
        is_kept = ~is_unknown[rows]
        rows, years = rows[is_kept], years[is_kept]
    return Component(event, is_unknown, last_seen, entry, remarks, (rows, years))


def last_assessment(table: PatientTable, event: Event) -> tuple[Years, str | None]:
    """Until when an event would have been seen, and what the definition must say about it.

    Without the column the end of follow-up stands in. Where the cell is empty it does so too if another cell
    shows that there was an assessment; else there was none since time zero, as where the number of scans is
    0. A scan and an EDSS visit are visits, so that the last visit is no earlier.
    """
    follow_up = table.numbers(FOLLOW_UP)
    column = event.last_assessment
    if column is None:
        return follow_up, None
    if not table.has(column):
        remark = f"{column} is not in this file: the end of follow-up stands in for it."
        if event is NEW_LESION and table.has("scans_after"):
            return np.where(table.numbers("scans_after") == 0, 0.0, follow_up), remark
        return follow_up, remark
    years, is_dateless = table.numbers(column), np.zeros(len(table), dtype=bool)
    is_empty = np.isnan(years)
    if is_empty.any():
        is_dateless = is_empty & _was_assessed(table, event)
        years = np.where(is_dateless, follow_up, np.where(is_empty, 0.0, years))
    if event is RELAPSE:
        for other in ACTIVITY:
            if other is not RELAPSE and table.has(str(other.last_assessment)):
                years = np.fmax(years, table.numbers(str(other.last_assessment)))
    n_dateless = int(np.count_nonzero(is_dateless))
    if not n_dateless:
        return years, None
    return years, (
        f"{column} is empty for {patients(n_dateless)} with an assessment: "
        "the end of follow-up stands in for it."
    )


def _was_assessed(table: PatientTable, event: Event) -> Flags:
    """Whether a cell other than that of the last assessment shows that there was one after time zero."""
    was_assessed = (
        ~np.isnan(table.numbers(event.years)) if table.has(event.years) else np.zeros(len(table), bool)
    )
    for column in event.assessed_by:
        if table.has(column):
            values = table.numbers(column)
            was_assessed |= ~np.isnan(values) if column != "scans_after" else values > 0
    return was_assessed


@dataclass(frozen=True)
class Observation:
    """The patients of an endpoint; arrays of shape (n_patients,) over all of them, with those left out.

    Attributes
    ----------
    is_known
        Who is not left out.
    years
        Time of the first event or of the loss.
    event_type
        Index within `types` of the type of the event, or their number for a loss.
    types
        Keys of the types, in the order in which coinciding events are named.
    is_late
        Who had an event after the end of their observation, and none before.
    end
        The end of each patient's observation.
    entry
        When each patient came under observation, minus infinity for time zero; None where all did there.
    is_unknown_with_event
        Who is left out and had another event: of a component that is known, a death or a therapy.
    too_late
        For each type the rows of those who had it after the end of their observation, and when.
    """

    is_known: Flags
    years: Years
    event_type: NDArray[np.int8]
    types: tuple[str, ...]
    is_late: Flags
    end: Years
    entry: Years | None
    is_unknown_with_event: Flags
    too_late: Sequence[EventTimes]

    @property
    def is_event(self) -> Flags:
        """Whether the time is that of an event."""
        return self.event_type < len(self.types)

    def late(self) -> tuple[Years, NDArray[np.int8]]:
        """Time of each patient's first event that is too late, and its index within `types`.

        NaN and the number of types where there is none, also for who is not late.
        """
        years, event_type = _first(self.too_late, len(self.years))
        years[~self.is_late], event_type[~self.is_late] = np.nan, len(self.types)
        return years, event_type

    def known(self) -> Leaving:
        """Those who are not left out."""
        # Once for all: looking at flags takes longer than taking values.
        known = np.flatnonzero(self.is_known)
        entry = None if self.entry is None else self.entry.take(known)
        return Leaving(self.years.take(known), self.event_type.take(known), entry)


class Leaving(NamedTuple):
    """The patients of whom an endpoint is known, as the estimators take them; arrays of one length.

    Attributes
    ----------
    years, event_type, entry
        As in `Observation`.
    """

    years: Years
    event_type: NDArray[np.int8]
    entry: Years | None


def counts_death(endpoint: SurvivalEndpoint, protocol: Protocol) -> bool:
    """Whether a death is an event: always for overall survival, else by the protocol's rule."""
    return not endpoint.components or protocol.death == "event"


def counted_events(endpoint: SurvivalEndpoint, protocol: Protocol) -> tuple[Event, ...]:
    """What is an event of an endpoint under a protocol, in the order in which coinciding ones are named."""
    therapy = (THERAPY,) if endpoint.components and protocol.therapy == "event" else ()
    death = (DEATH,) if counts_death(endpoint, protocol) else ()
    return (*endpoint.components, *therapy, *death)


def needed_columns(endpoint: SurvivalEndpoint, protocol: Protocol) -> tuple[str, ...]:
    """The columns without which an endpoint is not in a file."""
    columns = [column for event in counted_events(endpoint, protocol) for column in event.needed]
    if endpoint.components and protocol.therapy == "censor":
        columns += THERAPY.needed
    return tuple(dict.fromkeys(columns))


def observe(
    table: PatientTable,
    endpoint: SurvivalEndpoint,
    parts: Mapping[str, Component],
    protocol: Protocol,
) -> Observation:
    """Find each patient's first event, or else the end of their observation.

    Whoever has an unknown component is left out, with or without another event: keeping only those who
    failed would bias the figure. Left out too is whoever was never under observation without an event: the
    observation ended, or the event came, no later than they entered.

    Parameters
    ----------
    table
        The patients; the table has the endpoint's needed columns.
    endpoint
        What counts.
    parts
        The components, as `components` gives them.
    protocol
        Its rules on death, therapy and the end of observation apply.
    """
    parts_needed = [parts[event.key] for event in endpoint.components]
    end = _end_of_observation(table, parts_needed, protocol)
    entry = next((part.entry for part in parts_needed if part.entry is not None), None)
    is_known = np.ones(len(table), dtype=bool)
    for part in parts_needed:
        is_known &= ~part.is_unknown
    if entry is not None:
        is_known &= end > entry + SAME_TIME
    events = counted_events(endpoint, protocol)
    last_end = end.max(where=is_known, initial=0.0)
    in_time, too_late = [], []
    for event in events:
        rows, years = (
            parts[event.key].event_times if event.key in parts else _event_times(table.numbers(event.years))
        )
        if event is DEATH:
            is_in_time = _is_death_in_time(table, endpoint, rows, end[rows], last_end, protocol)
        else:
            is_in_time = years <= end[rows] + SAME_TIME
        in_time.append((rows[is_in_time], years[is_in_time]))
        too_late.append((rows[~is_in_time], years[~is_in_time]))
    years, event_type = _first(in_time, len(table))
    has_event = event_type < len(events)
    if entry is not None:
        is_known &= ~(years <= entry + SAME_TIME)
    np.copyto(years, end, where=~has_event)
    is_late = np.zeros(len(table), dtype=bool)
    for rows, _ in too_late:
        is_late[rows] = True
    return Observation(
        is_known=is_known,
        years=years,
        event_type=event_type,
        types=tuple(event.key for event in events),
        is_late=is_late & is_known & ~has_event,
        end=end,
        entry=entry,
        is_unknown_with_event=~is_known & has_event,
        too_late=too_late,
    )


def _end_of_observation(table: PatientTable, parts_needed: list[Component], protocol: Protocol) -> Years:
    end = table.numbers(FOLLOW_UP).copy()
    if protocol.observation_end == "last-assessment":
        for part in parts_needed:
            np.minimum(end, part.last_seen, out=end)
    if parts_needed and protocol.therapy == "censor":
        np.fmin(end, table.numbers(THERAPY.years), out=end)
    return end


def _is_death_in_time(
    table: PatientTable,
    endpoint: SurvivalEndpoint,
    rows: NDArray[np.intp],
    end: Years,
    last_end: float,
    protocol: Protocol,
) -> Flags:
    """Which of the deaths in some rows count: soon enough after the last assessment, and while anybody is observed.

    A death beyond the largest end of observation would be alone in its risk set. A therapy that ends the
    observation ends it for death too.
    """
    years = table.numbers(DEATH.years)[rows]
    is_in_time = (whole_days(years - end) <= protocol.death_reach_days) & (years <= last_end + SAME_TIME)
    if endpoint.components and protocol.therapy == "censor":
        is_in_time &= ~(years > table.numbers(THERAPY.years)[rows] + SAME_TIME)
    return is_in_time


def _first(events: Sequence[EventTimes], n_patients: int) -> tuple[Years, NDArray[np.int8]]:
    """The time of each patient's earliest event and which it is; NaN and their number without one.

    Of each event there are the rows of the patients who had it, and when. Of times that are the same the first
    is named.
    """
    first = np.full(n_patients, np.nan)
    for rows, years in events:
        first[rows] = np.fmin(first[rows], years)
    which = np.full(n_patients, len(events), dtype=np.int8)
    for index, (rows, years) in reversed([*enumerate(events)]):
        which[rows[years <= first[rows] + SAME_TIME]] = index
    return first, which


def define(endpoint: SurvivalEndpoint, parts: Mapping[str, Component], protocol: Protocol) -> str:
    """The definition in words, with the rules of the protocol and what stands in for a missing column."""
    events = counted_events(endpoint, protocol)
    first = "the first of " if len(events) > 1 else ""
    sentences = [f"Time from {protocol.time_zero} to {first}{listed([event.words for event in events])}."]
    if not endpoint.components:
        sentences.append("A patient who is alive is censored at the end of follow-up.")
        return " ".join(sentences)
    if protocol.observation_end == "follow-up":
        sentences.append(
            "A patient without an event is censored at the end of follow-up, which presumes that a patient "
            "who is no longer assessed is free of the event."
        )
    else:
        ends = [event.assessment for event in endpoint.components]
        earliest = ends[0] if len(ends) == 1 else f"the earliest of {listed(ends)}"
        reach = (
            f", and deaths up to {protocol.death_reach_days:g} days later"
            if counts_death(endpoint, protocol)
            else ""
        )
        sentences.append(f"Observed to {earliest}: events by then count{reach}; others are censored then.")
    if protocol.death == "censor":
        sentences.append("A patient who dies is censored.")
    if protocol.therapy == "censor":
        sentences.append("The start of a disease-modifying therapy ends the observation.")
    if any(
        part.entry is not None for key, part in parts.items() if key in {e.key for e in endpoint.components}
    ):
        sentences.append("A patient is at risk from the day of the baseline EDSS on.")
    for event in endpoint.components:
        if event.key in parts:
            sentences.extend(parts[event.key].remarks)
    return " ".join(sentences)
