"""The five survival endpoints and NEDA-3: who is event-free, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.cohort import Cohort
from ahsct_trial.endpoints.components import (
    COMPONENTS,
    NEW_LESION,
    RELAPSE,
    WORSENING,
    Component,
    Course,
    course,
)
from ahsct_trial.endpoints.intervals import finite, joined, not_in_file, patients, proportion
from ahsct_trial.estimators.survival import KaplanMeier, confidence_limits, kaplan_meier, quantile
from ahsct_trial.protocol import Protocol
from ahsct_trial.results import Curve, EventsByType, NedaYear, SurvivalEndpoint
from ahsct_trial.stepwise import steps
from ahsct_trial.wording import in_years

DEATH = "years_to_death"


@dataclass(frozen=True)
class Definition:
    """A survival endpoint: its components, besides death."""

    key: str
    label: str
    components: tuple[Component, ...]


DEFINITIONS = (
    Definition("activity_free_survival", "MS activity-free survival", COMPONENTS),
    Definition("relapse_free_survival", "Relapse-free survival", (RELAPSE,)),
    Definition("mri_activity_free_survival", "MRI activity-free survival", (NEW_LESION,)),
    Definition("worsening_free_survival", "Worsening-free survival", (WORSENING,)),
    Definition("overall_survival", "Overall survival", ()),
)


@dataclass(frozen=True)
class Observation:
    """When each patient with a known outcome had the event or was last seen without it.

    Attributes
    ----------
    years
        Time of the event or the loss, shape (n_known,).
    event_type
        Index within `types` of the type of the event, or their number for a loss, shape (n_known,).
    types
        Names of the types, in the order in which coinciding events are named.
    n_unknown, n_unknown_died
        Patients that are left out, and those of them who died.
    lost_dead_years
        For each patient who is lost and has died, the later of both times, any order; None where the file
        knows no deaths.
    """

    years: NDArray[np.float64]
    event_type: NDArray[np.int8]
    types: tuple[str, ...]
    n_unknown: int
    n_unknown_died: int
    lost_dead_years: NDArray[np.float64] | None

    @property
    def is_event(self) -> NDArray[np.bool_]:
        """Whether the time is that of an event, shape (n_known,)."""
        return self.event_type < len(self.types)


def counts_death(definition: Definition, protocol: Protocol) -> bool:
    """Whether a death is an event: always for overall survival, else by the protocol's rule."""
    return not definition.components or protocol.death == "event"


def needed_columns(definition: Definition, protocol: Protocol) -> tuple[str, ...]:
    """The columns without which an endpoint is not in a file."""
    columns = [column for component in definition.components for column in component.columns]
    return (*columns, DEATH) if counts_death(definition, protocol) else tuple(columns)


def observe(
    cohort: Cohort, definition: Definition, courses: dict[str, Course], protocol: Protocol
) -> Observation:
    """Find each patient's first event, or else the last moment at which he was known to be without one.

    The time of an event is its own, whenever it comes. Without one a patient is censored at the earliest
    of the last assessments of the components and the end of follow-up, which is death for those who died.
    Left out is whoever has had no event while a component of his is unknown.
    """
    parts = [courses[component.key] for component in definition.components]
    event_years = [part.event_years for part in parts]
    types = [component.key for component in definition.components]
    if counts_death(definition, protocol):
        event_years.append(cohort.numbers(DEATH))
        types.append("death")
    last_seen = [cohort.numbers("follow_up_years"), *(part.last_seen_years for part in parts)]
    unknown = [part.is_unknown for part in parts]
    death_years = _death_years(cohort)
    years, event_type = np.empty(len(cohort)), np.empty(len(cohort), dtype=np.int8)
    n_known = n_unknown_died = 0
    lost_dead_years = []
    for step in steps(len(cohort)):
        left, left_by, is_known = _leaving(
            [times[step] for times in event_years],
            [times[step] for times in last_seen],
            [flags[step] for flags in unknown],
        )
        here = slice(n_known, n_known + int(np.count_nonzero(is_known)))
        years[here], event_type[here] = left[is_known], left_by[is_known]
        n_known = here.stop
        if death_years is not None:
            has_died = ~np.isnan(death_years[step])
            n_unknown_died += int(np.count_nonzero(has_died & ~is_known))
            is_lost_dead = has_died & is_known & (left_by == len(types))
            lost_dead_years.append(np.maximum(left, death_years[step])[is_lost_dead])
    return Observation(
        years=years[:n_known],
        event_type=event_type[:n_known],
        types=tuple(types),
        n_unknown=len(cohort) - n_known,
        n_unknown_died=n_unknown_died,
        lost_dead_years=None if death_years is None else np.concatenate([np.empty(0), *lost_dead_years]),
    )


def _leaving(
    event_years: list[NDArray[np.float64]],
    last_seen: list[NDArray[np.float64]],
    unknown: list[NDArray[np.bool_]],
) -> tuple[NDArray[np.float64], NDArray[np.int8], NDArray[np.bool_]]:
    """When patients had the event or were lost, by which type, and whether that is known.

    All arrays have shape (n,): for each type its time, NaN where there was none, then whatever ends the
    observation, then whether a component is unknown. The type is the first that came at the earliest time; a
    loss has the number of types.
    """
    first = reduce(np.fmin, event_years)
    left_by = np.zeros(first.size, dtype=np.int8)
    is_later = np.ones(first.size, dtype=np.bool_)
    for times in event_years:
        is_later &= times != first
        left_by += is_later
    # An event counts also after the patient's last assessment for another component.
    lost = reduce(np.minimum, last_seen)
    left = np.where(is_later, lost, first)
    is_unknown = reduce(np.logical_or, unknown, np.zeros(first.size, dtype=np.bool_))
    return left, left_by, ~(is_unknown & is_later)


def _death_years(cohort: Cohort) -> NDArray[np.float64] | None:
    """Time of each death, NaN for who lives; None where the file has no such column."""
    return None if cohort.lacking(DEATH) else cohort.numbers(DEATH)


def survival_endpoint(
    cohort: Cohort, definition: Definition, courses: dict[str, Course], protocol: Protocol
) -> SurvivalEndpoint:
    """Estimate one survival endpoint at the protocol's horizon.

    Parameters
    ----------
    cohort
        The patients.
    definition
        What counts.
    courses
        The components that the cohort has columns for, by key.
    protocol
        Horizon, death rule, interval method and level.
    """
    return survival_endpoints(cohort, definition, courses, (protocol,))[0]


def survival_endpoints(
    cohort: Cohort, definition: Definition, courses: dict[str, Course], protocols: Sequence[Protocol]
) -> list[SurvivalEndpoint]:
    """Estimate one survival endpoint under protocols of one death rule, all from the same curve.

    Takes what `survival_endpoint` takes; the protocols differ in horizon, interval method and level.
    """
    any_protocol = protocols[0]
    missing = cohort.lacking(*needed_columns(definition, any_protocol))
    sentence = define(definition, courses, any_protocol)
    if missing:
        note = not_in_file(cohort, missing)
        return [_absent(definition, sentence, note, protocol) for protocol in protocols]
    observed = observe(cohort, definition, courses, any_protocol)
    curve = kaplan_meier(observed.years, observed.is_event)
    return [_estimate(definition, sentence, observed, curve, protocol) for protocol in protocols]


def _estimate(
    definition: Definition, sentence: str, observed: Observation, curve: KaplanMeier, protocol: Protocol
) -> SurvivalEndpoint:
    horizon = protocol.horizon_years
    at = curve.at(horizon)
    n_patients, n_events = len(observed.years), int(at.n_events)
    n_not_followed = int(curve.n_censored[curve.time < horizon].sum())
    n_event_free = n_patients - n_events - n_not_followed
    is_by_horizon = observed.years <= horizon
    by_type = {
        name: int(np.count_nonzero(is_by_horizon & (observed.event_type == index)))
        for index, name in enumerate(observed.types)
    }
    lost_dead = observed.lost_dead_years
    notes = _notes(curve, observed, protocol)
    is_estimable = _is_estimable(curve, horizon)
    low, high = confidence_limits(at.estimate, at.log_variance, protocol.ci_method, protocol.confidence_level)
    return SurvivalEndpoint(
        label=definition.label,
        definition=sentence,
        horizon_years=horizon,
        n_patients=n_patients,
        n_events=n_events,
        events_by_type=_by_type(by_type),
        n_unknown=observed.n_unknown,
        n_censored=int(at.n_censored),
        n_censored_died=None if lost_dead is None else int(np.count_nonzero(lost_dead <= horizon)),
        n_not_followed=n_not_followed,
        n_at_risk=int(at.n_at_risk),
        n_event_free=n_event_free,
        n_evaluable=n_event_free + n_events,
        proportion=proportion(n_event_free, n_event_free + n_events, protocol.confidence_level),
        estimate=float(at.estimate) if is_estimable else None,
        ci_low=finite(low) if is_estimable else None,
        ci_high=finite(high) if is_estimable else None,
        confidence_level=protocol.confidence_level,
        ci_method=protocol.ci_method,
        median_years=finite(quantile(curve, 0.5, protocol.ci_method, protocol.confidence_level)[0]),
        note=joined(notes),
        curve=Curve(
            years=curve.time,
            n_at_risk=curve.n_at_risk,
            n_events=curve.n_events,
            n_censored=curve.n_censored,
            estimate=curve.estimate,
            limits=lambda: confidence_limits(
                curve.estimate, curve.log_variance, protocol.ci_method, protocol.confidence_level
            ),
        ),
    )


def define(definition: Definition, courses: dict[str, Course], protocol: Protocol) -> str:
    """The definition in words, with the death rule and what stands in for a missing column."""
    words = [component.words for component in definition.components]
    if counts_death(definition, protocol):
        words.append("death")
    ends = [component.assessment for component in definition.components if component.last_seen]
    ends.append("the end of follow-up")
    censoring = ends[0] if len(ends) == 1 else f"the earliest of {_listed(ends, 'and')}"
    first = "the first of " if len(words) > 1 else ""
    sentences = [
        f"Time from transplant to {first}{_listed(words, 'and')}; "
        f"a patient without an event is censored at {censoring}."
    ]
    if definition.components and protocol.death == "censor":
        sentences.append("A patient who dies is censored at death.")
    parts = [courses[component.key] for component in definition.components if component.key in courses]
    sentences.extend(remark for part in parts for remark in part.remarks)
    return " ".join(sentences)


def _listed(words: list[str], conjunction: str) -> str:
    return f" {conjunction} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _is_estimable(curve: KaplanMeier, horizon: float) -> bool:
    """Whether the curve says anything at the horizon: somebody was followed to it, or nobody is left."""
    return bool(curve.time.size) and bool(horizon <= curve.time[-1] or curve.estimate[-1] == 0)


def _notes(curve: KaplanMeier, observed: Observation, protocol: Protocol) -> list[str]:
    notes = []
    if observed.n_unknown:
        died = f" ({observed.n_unknown_died:,} died)" if observed.n_unknown_died else ""
        notes.append(f"{patients(observed.n_unknown)} left out: the outcome is unknown{died}.")
    if not curve.time.size:
        return [*notes, "No patient has a known outcome."]
    horizon = protocol.horizon_years
    if not _is_estimable(curve, horizon):
        return [
            *notes,
            f"No estimate at {in_years(horizon)}: the longest observation is "
            f"{in_years(round(float(curve.time[-1]), 3))}. "
            "The crude count knows only patients who have had an event.",
        ]
    estimate = float(curve.at(horizon).estimate)
    if estimate == 0:
        notes.append("The estimate is 0 %, where its interval is undefined; see the exact interval.")
    elif estimate == 1 and protocol.ci_method in {"log-log", "logit", "arcsin"}:
        notes.append(
            f"The estimate is 100 %, where the {protocol.ci_method} interval is undefined; "
            "see the exact interval."
        )
    elif estimate == 1:
        notes.append(
            f"The estimate is 100 %, where the {protocol.ci_method} interval has no width; "
            "see the exact interval."
        )
    return notes


def _by_type(counts: dict[str, int]) -> EventsByType:
    return EventsByType(
        relapse=counts.get("relapse"),
        new_lesion=counts.get("new_lesion"),
        worsening=counts.get("worsening"),
        death=counts.get("death"),
    )


def _absent(definition: Definition, sentence: str, note: str, protocol: Protocol) -> SurvivalEndpoint:
    nothing = kaplan_meier(np.empty(0), np.empty(0, dtype=bool))
    return SurvivalEndpoint(
        label=definition.label,
        definition=sentence,
        horizon_years=protocol.horizon_years,
        n_patients=None,
        n_events=None,
        events_by_type=_by_type({}),
        n_unknown=None,
        n_censored=None,
        n_censored_died=None,
        n_not_followed=None,
        n_at_risk=None,
        n_event_free=None,
        n_evaluable=None,
        proportion=proportion(None, None, protocol.confidence_level),
        estimate=None,
        ci_low=None,
        ci_high=None,
        confidence_level=protocol.confidence_level,
        ci_method=protocol.ci_method,
        median_years=None,
        note=note,
        curve=Curve(
            years=nothing.time,
            n_at_risk=nothing.n_at_risk,
            n_events=nothing.n_events,
            n_censored=nothing.n_censored,
            estimate=nothing.estimate,
            limits=lambda: (nothing.estimate, nothing.estimate),
        ),
    )


def neda3(cohort: Cohort, courses: dict[str, Course], protocol: Protocol) -> tuple[NedaYear, ...]:
    """No evidence of disease activity at each landmark year up to the horizon.

    No: a component's event came by then. Yes: no event by then, each component known and its last
    assessment at or after that year. Not evaluable: neither, which includes deaths without activity.
    """
    missing = cohort.lacking(*(column for component in COMPONENTS for column in component.columns))
    level = protocol.confidence_level
    death_years = _death_years(cohort)
    rows = []
    for year in range(1, int(protocol.horizon_years) + 1):
        if missing:
            rows.append(
                NedaYear(
                    years=year,
                    n_yes=None,
                    n_no=None,
                    n_not_evaluable=None,
                    n_not_evaluable_died=None,
                    proportion=proportion(None, None, level),
                    note=not_in_file(cohort, missing),
                )
            )
            continue
        has_failed = np.zeros(len(cohort), dtype=bool)
        is_seen = np.ones(len(cohort), dtype=bool)
        for component in COMPONENTS:
            part = courses[component.key]
            has_failed |= part.event_years <= year
            is_seen &= ~part.is_unknown & (part.last_seen_years >= year)
        n_no = int(np.count_nonzero(has_failed))
        is_yes = is_seen & ~has_failed
        n_yes = int(np.count_nonzero(is_yes))
        rows.append(
            NedaYear(
                years=year,
                n_yes=n_yes,
                n_no=n_no,
                n_not_evaluable=len(cohort) - n_no - n_yes,
                n_not_evaluable_died=(
                    None
                    if death_years is None
                    else int(np.count_nonzero((death_years <= year) & ~has_failed & ~is_yes))
                ),
                proportion=proportion(n_yes, n_yes + n_no, level),
                note=_neda_note(year, n_yes, n_no, is_anybody_seen=bool(is_seen.any())),
            )
        )
    return tuple(rows)


def _neda_note(year: int, n_yes: int, n_no: int, *, is_anybody_seen: bool) -> str | None:
    if not n_yes + n_no:
        return "No patient is evaluable."
    if is_anybody_seen:
        return None
    return f"Nobody was followed to year {year}: only patients with activity are evaluable."


def all_courses(cohort: Cohort) -> dict[str, Course]:
    """The components that the cohort has columns for, by key."""
    return {
        component.key: course(cohort, component)
        for component in COMPONENTS
        if not cohort.lacking(*component.columns)
    }
