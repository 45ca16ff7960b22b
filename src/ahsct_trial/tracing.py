"""What happened to one patient, and what decided each endpoint: the time, the line of the file, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ahsct_trial.catalogue import (
    ACTIVITY,
    EVENTS,
    RELAPSE,
    SURVIVAL_ENDPOINTS,
    THERAPY,
    WORSENING,
    Event,
    SurvivalEndpoint,
)
from ahsct_trial.columns import PATIENT_ID
from ahsct_trial.derivation.disability import Candidates, explain_disability
from ahsct_trial.derivation.reductions import NO_ROW
from ahsct_trial.endpoints import protocol_info
from ahsct_trial.endpoints.observation import FOLLOW_UP, Component, components, needed_columns, observe
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.patients import PatientTable
from ahsct_trial.protocol import BUILT_IN, DAYS_PER_YEAR, Protocol
from ahsct_trial.records import EdssVisits, Records, Relapses
from ahsct_trial.results import SCHEMA_VERSION, TOOL, ProtocolInfo, SourceInfo, Tool
from ahsct_trial.trial import Place, Trial

Outcome = Literal["event", "censored", "unknown", "not in this file"]

#: How alike an identifier is to be offered for an unknown one, of how many, and how much of each is compared.
_LIKE = 0.5
_COMPARED = 5_000
_LONGEST_COMPARED = 100
_PUNCTUATION = re.compile(r"[\W_]+")
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
#: Why records do not tell of a component.
_UNSEEN = {
    "relapse": "nobody recorded relapses",
    "new_lesion": "no scan after day 0 tells of new lesions",
    "worsening": "no EDSS visit can be the baseline",
}
_EVENT_OF = {event.key: event for event in EVENTS}


@dataclass(frozen=True, kw_only=True, slots=True)
class CourseEntry:
    """One observation: its time, what was seen, and where the files say so."""

    day: int | None
    years: float | None
    what: str
    column: str | None
    file: str
    sheet: str | None
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DecidedEndpoint:
    """What an endpoint takes from the patient.

    `column` is the column of the patient table that decided, read or derived; `file`, `sheet` and `line` are
    where it comes from. `day` is None where the data have years. `late_event` is an event after the end of
    the patient's observation, which is not counted.
    """

    endpoint: str
    label: str
    outcome: Outcome
    event: str | None
    late_event: str | None
    years: float | None
    day: int | None
    column: str | None
    file: str | None
    sheet: str | None
    line: int | None
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """What happened to one patient, in time order, and the endpoints.

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


def trace(trial: Trial, patient: str, protocol: Protocol = BUILT_IN["default"]) -> Trace:
    """Trace one patient.

    Parameters
    ----------
    trial
        The data.
    patient
        Identifier of the patient, as it stands in the file.
    protocol
        The choices behind the endpoints.

    Raises
    ------
    UsageError
        If there is no such patient; the text names the closest identifiers.
    """
    row = _find(trial.attributes[PATIENT_ID.name].to_numpy(), patient)
    # Of all patients: which columns there are, and until when anybody is observed, follows from the whole.
    table = trial.table(protocol)
    single = table.among(np.arange(len(table)) == row)
    changes = None
    worsening = ""
    if isinstance(trial.data, Records):
        code = row if trial.is_member is None else int(np.flatnonzero(trial.is_member)[row])
        course = tuple(_course_of_records(trial, trial.data, code))
        changes, worsening = _explain_edss(trial, trial.data, code, single, protocol)
    else:
        course = tuple(_course_of_row(trial, single))
    parts = components(table)
    return Trace(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        source=trial.source,
        protocol=protocol_info(protocol, trial.layout),
        patient=patient,
        course=course,
        endpoints=tuple(
            _Decision(trial, table, single, row, endpoint, parts, worsening).decided(protocol)
            for endpoint in SURVIVAL_ENDPOINTS
        ),
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


def _course_of_records(trial: Trial, records: Records, code: int) -> Iterator[CourseEntry]:
    course = []
    for kind, observed in records.observations.items():
        if kind == "baseline":
            continue
        start, stop = np.searchsorted(observed.patient, [code, code + 1]).tolist()
        course += [(int(observed.day[at]), int(observed.row[at]), kind, at) for at in range(start, stop)]
    for day, row, kind, at in sorted(course):
        place = trial.places.of(row)
        yield CourseEntry(
            day=day,
            years=day / DAYS_PER_YEAR,
            what=kind.replace("_", " ") + _measured(records, kind, at),
            column=None,
            file=place.file,
            sheet=place.sheet,
            line=place.line,
        )


def _measured(records: Records, kind: str, at: int) -> str:
    """What a record measured, in words that follow its kind."""
    if kind == "edss":
        return f" {records.edss_visits.edss[at]:.1f}"
    if kind == "mri":
        scans = records.scans
        counts = {"Gd": scans.gd_lesions, "new T2": scans.new_t2_lesions, "new": scans.new_lesions}
        given = [f"{count[at]:.0f} {name}" for name, count in counts.items() if not np.isnan(count[at])]
        return f": {', '.join(given)}"
    if kind == "death" and "cause_of_death" in records.values:
        cause = records.values["cause_of_death"][at]
        return "" if cause is None else f" ({cause})"
    return ""


def _course_of_row(trial: Trial, single: PatientTable) -> Iterator[CourseEntry]:
    """The times of a patient table's row, in time order."""
    place = trial.places.of(int(single.rows[0]))
    times = [
        (float(single.numbers(column)[0]), column)
        for column in map(str, single.patients)
        if column.startswith("years_to_") or column == FOLLOW_UP
    ]
    for years, column in sorted(time for time in times if not np.isnan(time[0])):
        words = column.removeprefix("years_to_").replace("_", " ")
        yield CourseEntry(
            day=None,
            years=years,
            what="end of follow-up" if column == FOLLOW_UP else words,
            column=column,
            file=place.file,
            sheet=place.sheet,
            line=place.line,
        )


@dataclass(frozen=True)
class _Decision:
    """What decides one endpoint for one patient, whose row stands alone in `single`."""

    trial: Trial
    table: PatientTable
    single: PatientTable
    row: int
    endpoint: SurvivalEndpoint
    parts: dict[str, Component]
    worsening: str

    def decided(self, protocol: Protocol) -> DecidedEndpoint:
        missing = self.table.lacking(*needed_columns(self.endpoint, protocol))
        if missing:
            return self._undecided("not in this file", f"not in this file: {', '.join(missing)}")
        observed = observe(self.table, self.endpoint, self.parts, protocol)
        if not observed.is_known[self.row]:
            return self._undecided("unknown", f"left out: {self._why_unknown()}")
        years = float(observed.years[self.row])
        key = observed.types[observed.event_type[self.row]] if observed.is_event[self.row] else None
        column = _EVENT_OF[key].years if key else self._last_assessment(years, protocol)
        place = self._place(column)
        late, reason = None, self._reason(key, years, column)
        if observed.is_late[self.row]:
            late_years, late_type = (of_all[self.row] for of_all in observed.late())
            late = observed.types[late_type]
            late_at = self._when(float(late_years), _EVENT_OF[late].years)
            reason += f"; {_EVENT_OF[late].words} {late_at} came after that and is not counted"
        return DecidedEndpoint(
            endpoint=self.endpoint.key,
            label=self.endpoint.label,
            outcome="event" if key else "censored",
            event=key,
            late_event=late,
            years=years,
            day=round(years * DAYS_PER_YEAR) if self._has_days else None,
            column=column,
            file=None if place is None else place.file,
            sheet=None if place is None else place.sheet,
            line=None if place is None else place.line,
            reason=reason,
        )

    @property
    def _has_days(self) -> bool:
        return self.table.layout == "records"

    def _when(self, years: float, column: str) -> str:
        return f"on day {years * DAYS_PER_YEAR:.0f}" if self._has_days else f"at {years:.4g} years ({column})"

    def _reason(self, key: str | None, years: float, column: str) -> str:
        if key == WORSENING.key and self.worsening:
            return self.worsening
        when = self._when(years, column)
        if key is not None:
            return f"{_EVENT_OF[key].words} {when}"
        event = self._event_seen_to(column)
        if np.isnan(self.single.numbers(column)[0]):
            what = "assessment" if event is None else event.assessment.removeprefix("the last ")
            is_empty = "" if self._has_days else f" ({column} is empty)"
            return f"censored on day 0: no {what} after it{is_empty}"
        if column == THERAPY.years:
            return f"no event up to the start of a therapy {when}"
        return f"no event up to {'the end of follow-up' if event is None else event.assessment} {when}"

    def _event_seen_to(self, column: str) -> Event | None:
        return next((event for event in ACTIVITY if event.last_assessment == column), None)

    def _why_unknown(self) -> str:
        reasons = []
        for event in self.endpoint.components:
            part = self.parts[event.key]
            if part.is_unknown[self.row]:
                empty = [column for column in event.known_by if self.table.has(column)]
                reasons.append(_UNSEEN[event.key] if self._has_days else f"{' and '.join(empty)} is empty")
        return (
            " and ".join(reasons)
            or "at risk from the day of the baseline EDSS on, and no longer observed then"
        )

    def _last_assessment(self, years: float, protocol: Protocol) -> str:
        """The column that ends the observation: the assessment that was the last that counts."""
        candidates = [
            str(event.last_assessment)
            for event in self._seen_by()
            if self.table.has(str(event.last_assessment)) and protocol.observation_end == "last-assessment"
        ]
        if self.endpoint.components and protocol.therapy == "censor":
            candidates.append(THERAPY.years)
        for column in candidates:
            seen = self.single.numbers(column)[0]
            if round(seen - years, 9) == 0:
                return column
        # An empty cell is an assessment that never was, and ends the observation at time zero.
        if years == 0:
            return next(
                (column for column in candidates if np.isnan(self.single.numbers(column)[0])), FOLLOW_UP
            )
        return FOLLOW_UP

    def _seen_by(self) -> tuple[Event, ...]:
        """The events whose last assessment can end the observation: a scan and an EDSS visit are visits too."""
        is_visit = RELAPSE in self.endpoint.components and self.table.has(str(RELAPSE.last_assessment))
        return ACTIVITY if is_visit else self.endpoint.components

    def _place(self, column: str) -> Place | None:
        if not self.single.decided_by:
            return self.trial.places.of(int(self.single.rows[0]))
        row = int(self.single.decided_by[column][0])
        return None if row == NO_ROW else self.trial.places.of(row)

    def _undecided(self, outcome: Outcome, reason: str) -> DecidedEndpoint:
        return DecidedEndpoint(
            endpoint=self.endpoint.key,
            label=self.endpoint.label,
            outcome=outcome,
            event=None,
            late_event=None,
            years=None,
            day=None,
            column=None,
            file=None,
            sheet=None,
            line=None,
            reason=reason,
        )


def _explain_edss(
    trial: Trial, records: Records, code: int, single: PatientTable, protocol: Protocol
) -> tuple[tuple[str, ...], str]:
    """Of each rise and fall whether it was confirmed, and the sentence of the worsening that counts."""
    if not single.has("edss_baseline"):
        return (), ""
    of_kind = {kind: records.observations[kind].only(code) for kind in ("edss", "relapse")}
    visits = EdssVisits._make(column[of_kind["edss"]] for column in records.edss_visits)
    relapses = Relapses._make(column[of_kind["relapse"]] for column in records.relapses)
    visits = visits._replace(patient=np.zeros_like(visits.patient))
    relapses = relapses._replace(patient=np.zeros_like(relapses.patient))
    if not len(visits.day):
        return (), ""
    places = [trial.places.of(int(row)) for row in records.observations["edss"].row[of_kind["edss"]]]
    worsening, improvement = explain_disability(visits, relapses, 1, protocol)
    baseline = float(single.numbers("edss_baseline")[0])
    rises, which = _explain(
        trial, visits, places, worsening, ("worsening", baseline, protocol.unconfirmed == "event")
    )
    falls, _ = _explain(trial, visits, places, improvement, ("improvement", baseline, False))
    return (*rises, *falls), which


def _explain(
    trial: Trial,
    visits: EdssVisits,
    places: list[Place],
    candidates: Candidates,
    words: tuple[str, float, bool],
) -> tuple[list[str], str]:
    """A sentence on each candidate up to the first confirmed one, and that of the one that counts."""
    name, baseline, is_open_counted = words
    day, edss = visits.day, visits.edss
    sentences, counted = [], ""
    for onset, confirming, broken, is_pending in zip(
        candidates.onset_row.tolist(),
        candidates.confirming_row.tolist(),
        candidates.broken_row.tolist(),
        candidates.is_pending.tolist(),
        strict=True,
    ):
        begin = (
            f"{name} on day {day[onset]} ({_at(trial, places[onset])}): EDSS {edss[onset]:.1f} against a "
            f"baseline of {baseline:.1f}"
        )
        if confirming >= 0:
            at = _at(trial, places[confirming])
            counted = f"{begin}, confirmed on day {day[confirming]} ({at})"
            sentences.append(counted)
            break
        if broken >= 0:
            back = f"back to {edss[broken]:.1f} on day {day[broken]}"
            end = f"not confirmed: {back} ({_at(trial, places[broken])})"
        elif is_pending:
            end = "at the last visits, which nothing can confirm"
        else:
            end = "not confirmed: no relapse-free visit in the window that could confirm it"
        sentences.append(f"{begin}, {end}")
        if is_pending and is_open_counted and not counted:
            counted = sentences[-1]
    return sentences, counted


def _at(trial: Trial, place: Place) -> str:
    """A place in words: its line, with file and sheet where the data come from several tables."""
    return f"line {place.line}" if len(trial.places.tables) == 1 else str(place)
