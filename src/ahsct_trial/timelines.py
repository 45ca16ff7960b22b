"""What happened to each patient around time zero: one line per patient, by length of follow-up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from ahsct_trial.columns import PATIENT_ID
from ahsct_trial.derivation.lesions import new_lesions, shows_new_lesion
from ahsct_trial.endpoints import protocol_info
from ahsct_trial.errors import UsageError
from ahsct_trial.patients import PatientTable
from ahsct_trial.protocol import BUILT_IN, DAYS_PER_YEAR, Protocol
from ahsct_trial.records import IntArray, Records
from ahsct_trial.results import TOOL, ProtocolInfo, SourceInfo, Tool
from ahsct_trial.trial import Trial

_Mark = TypeVar("_Mark")

#: A page has room for so many lines that can still be told apart.
MOST_PATIENTS = 250

#: What a line can show beside follow-up, and the column without which the file does not know it.
_KNOWN_BY = {
    "observation before time zero": "years_observed_before",
    "relapses": "years_to_first_relapse",
    "new lesions": "years_to_first_new_lesion",
    "worsening": "years_to_worsening",
    "improvement": "years_to_improvement",
    "death": "years_to_death",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class TimelineScan:
    """One scan: its time, and whether it shows a lesion.

    A lesion is gadolinium-enhancing up to day 0, and a new one by the protocol's rule after it. None where
    the scan does not tell, or only sets the reference.
    """

    years: float
    has_lesion: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PatientTimeline:
    """What happened to one patient [years from time zero, negative before it].

    `group` is the level that puts the patient into a group, None where there are no groups.
    `line` is that of the file on which the patient stands; of records, the one that ends follow-up.
    `observed_before_years` is the length of the relapse history before time zero, None where it is unknown.
    `worsening_years` and `improvement_years` are the onsets of the first confirmed change of EDSS,
    `therapy_years` the start of the first therapy after time zero.
    """

    patient: str
    group: str | None
    line: int
    observed_before_years: float | None
    follow_up_years: float
    relapse_years: tuple[float, ...]
    scans: tuple[TimelineScan, ...]
    worsening_years: float | None
    improvement_years: float | None
    therapy_years: float | None
    death_years: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """All patients, the one with the longest follow-up first; by group where there are groups.

    `by` is the attribute that makes the groups, whose `levels` stand in the order of the patients; None and
    empty for all patients as one. `n_without_level` patients have no level and are not among the patients.
    `is_every_observation` is False for a patient table, of which only the first relapse, the first new
    lesion and the last scan after time zero have a time. `not_in_file` names what the file does not know.
    """

    tool: Tool
    source: SourceInfo
    protocol: ProtocolInfo
    by: str | None
    levels: tuple[str, ...]
    n_without_level: int
    is_every_observation: bool
    not_in_file: tuple[str, ...]
    patients: tuple[PatientTimeline, ...]


def timeline(trial: Trial, protocol: Protocol = BUILT_IN["default"], by: str | None = None) -> Timeline:
    """Put what happened to each patient on a line.

    Parameters
    ----------
    trial
        The data.
    protocol
        Its settings on worsening, improvement and lesions apply to records.
    by
        An attribute whose levels, in the order in which groups are compared, put the patients into groups.

    Raises
    ------
    UsageError
        If there are more patients than lines that can be told apart; if there is no such attribute, or it has
        no level or too many.
    """
    n_all = len(trial)
    levels: tuple[str, ...] = ()
    if by is not None:
        levels = tuple(trial.groups(by))
        trial = trial.where({by: levels})
    if len(trial) > MOST_PATIENTS:
        raise UsageError(
            f"There are {len(trial):,} patients; a timeline gives each a line of its own, up to "
            f"{MOST_PATIENTS} of them. Draw a part of the file, for example one site: --where site=NAME."
        )
    table = trial.table(protocol)
    if isinstance(trial.data, Records):
        relapses = _relapses_of_records(trial.data)
        scans = _scans_of_records(trial.data, table, protocol)
        if trial.is_member is not None:
            members = np.flatnonzero(trial.is_member).tolist()
            relapses, scans = [relapses[code] for code in members], [scans[code] for code in members]
    else:
        relapses, scans = _first_relapses(table), _dated_scans(table)
    columns = {
        "observed_before_years": _column(table, "years_observed_before"),
        "follow_up_years": _column(table, "follow_up_years"),
        "worsening_years": _column(table, "years_to_worsening"),
        "improvement_years": _column(table, "years_to_improvement"),
        "therapy_years": _column(table, "years_to_therapy"),
        "death_years": _column(table, "years_to_death"),
    }
    groups = _texts(table, by)
    courses = [
        PatientTimeline(
            patient=patient,
            group=groups[row],
            line=trial.places.of(int(table.rows[row])).line,
            relapse_years=tuple(relapses[row]),
            scans=tuple(scans[row]),
            **{name: column[row] for name, column in columns.items()},
        )
        for row, patient in enumerate(table.patients[PATIENT_ID.name])
    ]
    return Timeline(
        tool=TOOL,
        source=trial.source,
        protocol=protocol_info(protocol, trial.layout),
        by=by,
        levels=levels,
        n_without_level=n_all - len(trial),
        is_every_observation=isinstance(trial.data, Records),
        not_in_file=(
            *(what for what, column in _KNOWN_BY.items() if not table.has(column)),
            *(() if any(scans) else ("times of scans",)),
        ),
        patients=tuple(
            sorted(
                courses,
                key=lambda each: (
                    levels.index(each.group) if each.group is not None else 0,
                    -each.follow_up_years,
                    each.patient,
                ),
            )
        ),
    )


def _texts(table: PatientTable, name: str | None) -> list[str | None]:
    """An attribute with None for missing; nothing but None where the file lacks it, or none is meant."""
    if name is None or not table.has(name):
        return [None] * len(table)
    return [text if isinstance(text, str) else None for text in table.patients[name].astype(object)]


def _column(table: PatientTable, name: str) -> list[Any]:
    """A numeric column with None for missing; nothing but None where the file lacks it."""
    if not table.has(name):
        return [None] * len(table)
    return [None if np.isnan(value) else value for value in table.numbers(name).tolist()]


def _relapses_of_records(records: Records) -> list[list[float]]:
    patient, day = records.relapses
    return _by_patient(patient, (day / DAYS_PER_YEAR).tolist(), records.n_patients)


def _first_relapses(table: PatientTable) -> list[list[float]]:
    return [[] if years is None else [years] for years in _column(table, "years_to_first_relapse")]


def _scans_of_records(records: Records, table: PatientTable, protocol: Protocol) -> list[list[TimelineScan]]:
    scans = records.scans
    lesions, _ = new_lesions(scans, protocol.new_lesion)
    is_after = scans.day > protocol.mri_from_day
    if not table.has("scans_after"):
        # The rule needs a column that the file lacks, and no endpoint counts these scans either.
        is_after[:] = False
    is_before = scans.day <= 0
    has_lesion = (is_after & shows_new_lesion(scans, lesions, protocol.new_lesion)) | (
        is_before & (scans.gd_lesions > 0)
    )
    is_told = has_lesion | (is_after & ~np.isnan(lesions)) | (is_before & ~np.isnan(scans.gd_lesions))
    marks = [
        TimelineScan(years=years, has_lesion=has if told else None)
        for years, has, told in zip(
            (scans.day / DAYS_PER_YEAR).tolist(), has_lesion.tolist(), is_told.tolist(), strict=True
        )
    ]
    return _by_patient(scans.patient, marks, records.n_patients)


def _dated_scans(table: PatientTable) -> list[list[TimelineScan]]:
    """The scans of a patient table that have a time: the first with a new lesion, and the last."""
    found = []
    for first_new, last in zip(
        _column(table, "years_to_first_new_lesion"), _column(table, "years_to_last_scan"), strict=True
    ):
        scans = [] if first_new is None else [TimelineScan(years=first_new, has_lesion=True)]
        if last is not None and last != first_new:
            # After a first lesion nobody can say whether the last scan shows another.
            scans.append(TimelineScan(years=last, has_lesion=None if scans else False))
        found.append(scans)
    return found


def _by_patient(patient: IntArray, marks: Iterable[_Mark], n_patients: int) -> list[list[_Mark]]:
    """The marks of each patient, in the order of the file."""
    found: list[list[_Mark]] = [[] for _ in range(n_patients)]
    for code, mark in zip(patient.tolist(), marks, strict=True):
        found[code].append(mark)
    return found
