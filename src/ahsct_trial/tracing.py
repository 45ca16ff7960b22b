"""One patient's course, and for each endpoint what decided it: the time, the line of the file, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ahsct_trial.cohort import Cohort
from ahsct_trial.columns import PATIENT_ID
from ahsct_trial.derivation import as_cohort
from ahsct_trial.derivation.disability import Candidates, explain_disability
from ahsct_trial.endpoints import protocol_info
from ahsct_trial.endpoints.components import COMPONENTS, NEW_LESION, WORSENING, Component
from ahsct_trial.endpoints.time_to_event import (
    DEATH,
    DEFINITIONS,
    Definition,
    all_courses,
    needed_columns,
    observe,
)
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.protocol import DAYS_PER_YEAR, Protocol
from ahsct_trial.records import Records
from ahsct_trial.results import SCHEMA_VERSION, TOOL, ProtocolInfo, SourceInfo, Tool

Outcome = Literal["event", "censored", "unknown", "not in this file"]

_FOLLOW_UP = "follow_up_years"
#: How alike an identifier is to be offered for an unknown one, of how many, and how much of each is compared.
_LIKE = 0.5
_COMPARED = 5_000
_LONGEST_COMPARED = 100
_PUNCTUATION = re.compile(r"[\W_]+")
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
#: Why records do not tell of a component.
_UNSEEN = {
    NEW_LESION.key: "no scan since transplant tells of new lesions",
    WORSENING.key: "no EDSS visit can be the baseline",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CourseEntry:
    """One observation: its time, what was seen, and where the file says so."""

    day: int | None
    years: float | None
    what: str
    column: str | None
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DecidedEndpoint:
    """What an endpoint takes from the patient.

    `column` is the column of the patient table that decided, read or derived; `line` the line it comes
    from. `day` is None where the file has years.
    """

    endpoint: str
    label: str
    outcome: Outcome
    event: str | None
    years: float | None
    day: int | None
    column: str | None
    line: int | None
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """One patient's course in time order, and the endpoints.

    `edss_changes` says of each rise and fall of EDSS that reached the step whether it was confirmed; it is
    None for a patient table, which holds only what was confirmed.
    """

    schema_version: int
    tool: Tool
    source: SourceInfo
    protocol: ProtocolInfo
    patient: str
    course: tuple[CourseEntry, ...]
    endpoints: tuple[DecidedEndpoint, ...]
    edss_changes: tuple[str, ...] | None


def trace(data: Cohort | Records, patient: str, protocol: Protocol) -> Trace:
    """Trace one patient.

    Parameters
    ----------
    data
        The patients or their records.
    patient
        Identifier of the patient, as it stands in the file.
    protocol
        The choices behind the endpoints.

    Raises
    ------
    UsageError
        If there is no such patient; the text names the closest identifiers.
    """
    row = _find(data.patients[PATIENT_ID.name].to_numpy(), patient)
    own = data.only(row)
    # Of all patients: which columns there are follows from the whole file.
    cohort = as_cohort(data, protocol).only(row)
    changes = None
    worsening = ""
    if isinstance(own, Records):
        changes, worsening = _explain_edss(own, cohort, protocol)
    return Trace(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        source=data.source,
        protocol=protocol_info(protocol, data.source.shape),
        patient=patient,
        course=tuple(_course_of_records(own) if isinstance(own, Records) else _course_of_row(own)),
        endpoints=tuple(_decide(cohort, definition, protocol, worsening) for definition in DEFINITIONS),
        edss_changes=changes,
    )


def _find(identifiers: np.ndarray, patient: str) -> int:
    rows = np.flatnonzero(identifiers == patient)
    if rows.size:
        return int(rows[0])
    close = _closest(identifiers.tolist(), patient)
    hint = f" Closest: {', '.join(shown(text) for text in close)}." if close else ""
    raise UsageError(f"There is no patient '{shown(patient)}' among {len(identifiers):,}.{hint}")


def _closest(identifiers: list[str], patient: str) -> list[str]:
    """The three identifiers most like it; of equally close ones, those with more letters in their place."""
    from difflib import SequenceMatcher

    asked, plain = patient[:_LONGEST_COMPARED], _plain(patient)
    same = [text for text in identifiers if _plain(text) == plain]
    if len(identifiers) > _COMPARED:
        # Beside one slip of the pen, the half without it is as it should be.
        half = len(asked) // 2
        ending = [text for text in identifiers if text.endswith(asked[half:])]
        beginning = [text for text in identifiers if text.startswith(asked[:half] or asked)]
        identifiers = [*ending, *beginning][:_COMPARED]
    matcher = SequenceMatcher(b=asked)
    ranked: list[tuple[float, int, str]] = []
    for text in identifiers:
        other = text[:_LONGEST_COMPARED]
        matcher.set_seq1(other)
        if matcher.real_quick_ratio() >= _LIKE and matcher.quick_ratio() >= _LIKE:
            ranked.append((matcher.ratio(), sum(map(str.__eq__, other, asked)), text))
    ranked.sort(key=lambda like: like[:2], reverse=True)
    close = [text for ratio, _, text in ranked if ratio >= _LIKE]
    return list(dict.fromkeys([*same, *close]))[:3]


def _plain(identifier: str) -> str:
    """An identifier without case, blanks, punctuation and the leading zeros of its numbers."""
    return _LEADING_ZEROS.sub("", _PUNCTUATION.sub("", identifier.casefold()))


def _course_of_records(records: Records) -> Iterator[CourseEntry]:
    course = [
        (day, row, kind, place)
        for kind, (_, days, rows) in records.observations.items()
        for place, (day, row) in enumerate(zip(days.tolist(), rows.tolist(), strict=True))
        if kind != "baseline"
    ]
    for day, row, kind, place in sorted(course):
        yield CourseEntry(
            day=day,
            years=day / DAYS_PER_YEAR,
            what=kind.replace("_", " ") + _measured(records, kind, place),
            column=None,
            line=int(records.lines[row]),
        )


def _measured(records: Records, kind: str, place: int) -> str:
    """What a record measured, in words that follow its kind."""
    if kind == "edss":
        return f" {records.edss_visits.edss[place]:.1f}"
    if kind == "mri":
        scans = records.scans
        counts = {"Gd": scans.gd_lesions, "new T2": scans.new_t2_lesions, "new": scans.new_lesions}
        given = [f"{count[place]:.0f} {name}" for name, count in counts.items() if not np.isnan(count[place])]
        return f": {', '.join(given)}"
    if kind == "death" and "cause_of_death" in records.values:
        cause = records.values["cause_of_death"][place]
        return "" if cause is None else f" ({cause})"
    return ""


def _course_of_row(cohort: Cohort) -> Iterator[CourseEntry]:
    """The times of a patient table's row, in time order."""
    times = [
        (float(cohort.numbers(column)[0]), column)
        for column in map(str, cohort.patients)
        if column.startswith("years_to_") or column == _FOLLOW_UP
    ]
    for years, column in sorted(time for time in times if not np.isnan(time[0])):
        words = column.removeprefix("years_to_").replace("_", " ")
        yield CourseEntry(
            day=None,
            years=years,
            what="end of follow-up" if column == _FOLLOW_UP else words,
            column=column,
            line=int(cohort.lines[0]),
        )


def _decide(cohort: Cohort, definition: Definition, protocol: Protocol, worsening: str) -> DecidedEndpoint:
    missing = cohort.lacking(*needed_columns(definition, protocol))
    if missing:
        return _undecided(definition, "not in this file", f"not in this file: {', '.join(missing)}")
    courses = all_courses(cohort)
    observed = observe(cohort, definition, courses, protocol)
    if observed.n_unknown:
        reasons = [
            _why_unknown(cohort, component)
            for component in definition.components
            if courses[component.key].is_unknown[0]
        ]
        return _undecided(definition, "unknown", f"left out: {' and '.join(reasons)}")
    years = float(observed.years[0])
    is_event = bool(observed.is_event[0])
    event = observed.types[observed.event_type[0]] if is_event else None
    column = _column_of(event) if event else _last_seen(cohort, definition, years)
    line = _line(cohort, column)
    day = round(years * DAYS_PER_YEAR) if cohort.decided_by else None
    when = f"at {years:.4g} years ({column})" if day is None else f"on day {day}"
    if event == WORSENING.key and worsening:
        reason = worsening
    elif event:
        reason = f"{event.replace('_', ' ')} {when}"
    elif np.isnan(cohort.numbers(column)[0]):
        assessment = _assessment(definition, column).removeprefix("the last ")
        reason = f"censored on day 0: no {assessment} since transplant"
        if not cohort.decided_by:
            reason += f" ({column} is empty)"
    else:
        reason = f"no event up to {_assessment(definition, column)} {when}"
    return DecidedEndpoint(
        endpoint=definition.key,
        label=definition.label,
        outcome="event" if is_event else "censored",
        event=event,
        years=years,
        day=day,
        column=column,
        line=line,
        reason=reason,
    )


def _why_unknown(cohort: Cohort, component: Component) -> str:
    if cohort.decided_by:
        return _UNSEEN[component.key]
    value = cohort.numbers(component.witness)[0]
    return f"{component.witness} is {'empty' if np.isnan(value) else f'{value:g}'}"


def _undecided(definition: Definition, outcome: Outcome, reason: str) -> DecidedEndpoint:
    return DecidedEndpoint(
        endpoint=definition.key,
        label=definition.label,
        outcome=outcome,
        event=None,
        years=None,
        day=None,
        column=None,
        line=None,
        reason=reason,
    )


def _column_of(event: str) -> str:
    return {component.key: component.time for component in COMPONENTS}.get(event, DEATH)


def _last_seen(cohort: Cohort, definition: Definition, years: float) -> str:
    """The column whose assessment was the last that counts; an empty one counts as day 0."""
    for component in definition.components:
        column = component.last_seen
        if column is not None and not cohort.lacking(column):
            seen = cohort.numbers(column)[0]
            if seen == years or (np.isnan(seen) and years == 0):
                return column
    return _FOLLOW_UP


def _assessment(definition: Definition, column: str) -> str:
    by_column: dict[str | None, Component] = {each.last_seen: each for each in definition.components}
    return by_column[column].assessment if column in by_column else "the end of follow-up"


def _line(cohort: Cohort, column: str) -> int | None:
    if not cohort.decided_by:
        return int(cohort.lines[0])
    line = int(cohort.decided_by[column][0])
    return line or None


def _explain_edss(records: Records, cohort: Cohort, protocol: Protocol) -> tuple[tuple[str, ...], str]:
    """Of each rise and fall whether it was confirmed, and the sentence of the first confirmed worsening."""
    visits = records.edss_visits
    if not len(visits.day):
        return (), ""
    worsening, improvement = explain_disability(visits, records.relapses, 1, protocol)
    baseline = float(cohort.numbers("edss_baseline")[0])
    rises = _explain(records, "worsening", worsening, baseline)
    falls = _explain(records, "improvement", improvement, baseline)
    confirmed = rises[-1] if cohort.decided_by["years_to_worsening"][0] else ""
    return (*rises, *falls), confirmed


def _explain(records: Records, name: str, candidates: Candidates, baseline: float) -> list[str]:
    """A sentence on each candidate up to the first confirmed one."""
    day, edss = records.edss_visits.day, records.edss_visits.edss
    lines = records.lines[records.observations["edss"].row]
    sentences = []
    for onset, confirming, broken in zip(
        candidates.onset_row.tolist(),
        candidates.confirming_row.tolist(),
        candidates.broken_row.tolist(),
        strict=True,
    ):
        begin = (
            f"{name} on day {day[onset]} (line {lines[onset]}): EDSS {edss[onset]:.1f} against a baseline of "
            f"{baseline:.1f}"
        )
        if confirming >= 0:
            sentences.append(f"{begin}, confirmed on day {day[confirming]} (line {lines[confirming]})")
            break
        if broken >= 0:
            end = f"back to {edss[broken]:.1f} on day {day[broken]} (line {lines[broken]})"
        else:
            end = "no relapse-free visit in the window that could confirm it"
        sentences.append(f"{begin}, not confirmed: {end}")
    return sentences
