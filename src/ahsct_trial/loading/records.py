"""Raw records, one row per observation, as a `Trial`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.columns import MEASUREMENTS, NUMERIC_KINDS, PATIENT_ID, RECORDS
from ahsct_trial.loading.checks import another_value, edss_10_notice, far_outside, long_follow_up
from ahsct_trial.loading.coded_records import (
    CODES,
    LONGEST_DAYS,
    NO_TIME,
    NOBODY,
    UNKNOWN,
    WRONG_TIME,
    Coded,
    code,
    condense,
    join,
    kinds,
)
from ahsct_trial.loading.identifiers import alike_identifiers
from ahsct_trial.loading.inputs import Input
from ahsct_trial.loading.problems import Violation, fatal, grouped
from ahsct_trial.loading.reading import read_parts
from ahsct_trial.loading.table import Labels, Table, labels_alike
from ahsct_trial.loading.values import iso_of
from ahsct_trial.protocol import DAYS_PER_YEAR, TimeZero
from ahsct_trial.records import KINDS, IntArray, Observations, Records, is_first_of_patient, is_same_day
from ahsct_trial.results import Notice
from ahsct_trial.trial import Trial

if TYPE_CHECKING:
    from pandas import DataFrame

_ONCE = ("baseline", "transplant", "randomisation", "observed_from", "death")
_COLUMN = {column.name: column for column in RECORDS}
_RANDOMISED = " In a randomised trial, count days from the randomisation: --time-zero randomisation."
_COUNTS = tuple(name for names in MEASUREMENTS.values() for name in names if _COLUMN[name].kind == "count")


def read_records(source: Input, time_zero: TimeZero, *, is_strict: bool) -> Trial:
    """Read, check and code the records.

    Raises
    ------
    DataProblems
        All that is wrong with the file, at once; with `is_strict` also what should be looked at first.
    """
    names = [column.name for column in source.columns]
    has_day, has_date = "day" in names, "date" in names
    if has_day == has_date:
        raise fatal(
            source.file,
            "the header has both day and date" if has_day else "the header has neither day nor date",
            f"records have whole days from {time_zero} or dates",
            "Keep one of the two columns." if has_day else "Add one of the two columns.",
        )
    read = read_parts(source, _misplaced, condense, is_patient_table=False)
    rows, labels = join(read.parts)
    read.parts.clear()
    clock = "day" if has_day else "date"
    coded = code(rows, read.places, clock, time_zero)
    alike = read.set_repeated_rows_aside(_candidates(coded))
    if alike.size:
        coded = code(rows.without(alike), read.places, clock, time_zero)
    attributes, contradictions = _attributes(coded)
    for violation in (*_violations(coded, time_zero), *contradictions):
        read.problems.add(grouped(violation, coded))
    read.notices += _notices(coded, labels)
    read.raise_any()
    records = Records(
        observations={kind: coded.of_kind[kind].observations for kind in KINDS},
        values={name: cells for placed in coded.of_kind.values() for name, cells in placed.values.items()},
        patients=_patients(coded, attributes),
    )
    return read.trial(records, is_strict=is_strict, time_zero=time_zero)


def _candidates(coded: Coded) -> IntArray:
    """Rows that may be alike in every cell: of one patient, kind and day."""
    found = []
    for kind in KINDS:
        observations = coded.of_kind[kind].observations
        is_same = is_same_day(observations)
        if is_same.any():
            is_candidate = np.append(is_same, False) | np.append(False, is_same)
            found.append(observations.row[is_candidate & (observations.patient != NOBODY)])
    return np.sort(np.concatenate(found)) if found else np.empty(0, dtype=np.intp)


# ---- Each record on its own ------------------------------------------------------------------------------


def _misplaced(table: Table) -> Iterator[Violation]:
    """Measurements that a kind of record needs and lacks, or has and does not take."""
    codes = kinds(table)
    for kind, columns in MEASUREMENTS.items():
        present = [column for column in columns if table.has(column)]
        has_value = np.zeros(len(table), dtype=bool)
        for column in present:
            is_there = ~table.is_missing(column)
            has_value |= is_there
            others = np.flatnonzero(is_there & (codes != CODES[kind]) & (codes >= 0))
            if others.size:
                yield Violation(
                    others,
                    column,
                    f"the record is {{record}}, and only {_article(kind)} record holds it",
                    "Move it to a record of its own, or leave it empty.",
                )
        # An EDSS visit without a score is a contact, and the cause of a death need not be known.
        if kind == "mri":
            lacking = np.flatnonzero((codes == CODES[kind]) & ~has_value)
            if lacking.size:
                yield Violation(
                    lacking,
                    (present or columns)[0],
                    f"{_article(kind)} record needs one of {', '.join(columns)}",
                    "Enter it, or remove the record.",
                )


def _article(kind: str) -> str:
    return f"an {kind}" if kind in {"edss", "mri", "observed_from"} else f"a {kind}"


# ---- All records together --------------------------------------------------------------------------------


def _violations(coded: Coded, origin: TimeZero) -> Iterator[Violation]:
    yield from _wrong_days(coded, origin)
    yield from _repeated(coded)
    yield from _impossible_order(coded, origin)
    yield from _contradicting_edss(coded)
    yield from _alive_after_edss_10(coded)
    yield from _never_followed(coded, origin)


def _wrong_days(coded: Coded, origin: TimeZero) -> Iterator[Violation]:
    """Days that are missing or cannot be; nothing else is said of such a record."""
    missing = [
        cells.row[cells.time == NO_TIME]
        for kind, cells in coded.condensed.of_kind.items()
        if kind not in {"baseline", UNKNOWN}
    ]
    if any(rows.size for rows in missing):
        rule = "every record but a baseline needs it"
        yield Violation(np.sort(np.concatenate(missing)), coded.clock, rule, "Enter it.")
    if coded.clock == "day":
        origins = coded.of_kind[origin].observations
        moved = np.sort(origins.row[origins.day != 0])
        if moved.size:
            rule = f"the {origin} is day 0"
            fix = f"Count all days from the {origin}."
            if origin == "transplant" and (coded.of_kind["randomisation"].observations.day == 0).any():
                fix += _RANDOMISED
            yield Violation(moved, "day", rule, fix)
    if coded.clock == "date" or origin == "randomisation":
        yield from _without_day_0(coded, origin)
    far = np.sort(np.concatenate([placed.far for placed in coded.of_kind.values()]))
    if far.size:
        rule = f"it is more than {LONGEST_DAYS:,.0f} days from the patient's {origin}"
        yield Violation(far, "date", rule, "Correct one of the two.")


def _without_day_0(coded: Coded, origin: TimeZero) -> Iterator[Violation]:
    """Patients without the record that makes day 0, where it must be there, at the first of their times.

    One whose record has no date, or who has a record of unknown kind, has another problem to solve first.
    """
    is_excused = np.zeros(coded.n_patients + 1, dtype=bool)
    for kind in (origin, UNKNOWN):
        is_excused[coded.condensed.of_kind[kind].patient] = True
    is_excused[NOBODY] = True
    if is_excused.all():
        return
    patient, _, time, _, is_dateless = coded.by_row
    is_lost = ~is_excused[patient] & (time > WRONG_TIME)
    lost = np.flatnonzero(is_lost & is_dateless if coded.clock == "date" else is_lost)
    if lost.size:
        fix = f"Add the {origin} {'with its date' if coded.clock == 'date' else 'on day 0'}."
        if origin == "transplant" and coded.of_kind["randomisation"].observations.row.size:
            fix += _RANDOMISED
        if origin == "randomisation" and coded.clock == "day":
            fix = f"{fix.removesuffix('.')}, or let days count from transplant."
        yield Violation(
            _first_of_each(patient, lost),
            "record",
            f"the patient has no {origin} record, so no day 0",
            fix,
        )


def _first_of_each(patient: IntArray, rows: IntArray) -> IntArray:
    """The first of the rows for each patient that has one, ascending."""
    return np.sort(rows[np.unique(patient[rows], return_index=True)[1]])


def _repeated(coded: Coded) -> Iterator[Violation]:
    """Records of which a patient has one, and has more."""
    for kind in _ONCE:
        patient = coded.of_kind[kind].observations.patient
        if not (~is_first_of_patient(patient) & (patient != NOBODY)).any():
            continue
        patient, _, rows, _ = coded.condensed.of_kind[kind]
        patient, rows = patient[patient != NOBODY], rows[patient != NOBODY]
        _, first, place = np.unique(patient, return_index=True, return_inverse=True)
        is_again = first[place] != np.arange(len(rows))
        yield Violation(
            rows[is_again],
            "record",
            f"the patient has {_article(kind)} record on {{other}} already",
            "Keep one of them.",
            rows[first[place]][is_again],
        )


def _impossible_order(coded: Coded, origin: TimeZero) -> Iterator[Violation]:
    clock = coded.clock
    deaths, _, is_dateless, _ = coded.of_kind["death"]
    early = np.sort(deaths.row[deaths.day < 0])
    if early.size:
        fix = "Correct it, or remove the patient."
        yield Violation(early, clock, f"that is a death before the {origin}", fix)
    yield from _early_contacts(coded, origin)
    is_dated = (deaths.patient != NOBODY) & (deaths.day >= 0) & ~is_dateless
    # One place more than there are patients: rows without an identifier are compared with "never" at −1. Of
    # two deaths the later one stands.
    died_on = np.full(coded.n_patients + 1, np.iinfo(np.int32).max, dtype=np.int32)
    died_on[deaths.patient[is_dated]] = deaths.day[is_dated]
    if (coded.last_day > died_on[:-1]).any():
        patient, day = coded.by_row.patient, coded.by_row.day
        after = np.flatnonzero(day > died_on[patient])
        death_of = np.zeros(coded.n_patients + 1, dtype=np.intp)
        death_of[deaths.patient[is_dated]] = deaths.row[is_dated]
        yield Violation(
            after,
            clock,
            "the patient died before, by the record on {other}",
            "Correct one of the two.",
            death_of[patient[after]],
        )
    starts = coded.of_kind["observed_from"].observations
    late = np.sort(starts.row[starts.day > 0])
    if late.size:
        fix = f"Correct it: days before the {origin} are negative." if clock == "day" else "Correct it."
        yield Violation(late, clock, f"the relapse history begins at or before the {origin}", fix)


def _early_contacts(coded: Coded, origin: TimeZero) -> Iterator[Violation]:
    """Last contacts before day 0; an EDSS visit without a score is none."""
    contacts = coded.of_kind["last_contact"].observations
    rows = np.sort(contacts.row[contacts.day < 0])
    rows = rows[~np.isin(rows, coded.condensed.scoreless)]
    if not rows.size:
        return
    patient, time, row, _ = coded.condensed.of_kind[origin]
    is_dated = time > WRONG_TIME
    row_of = np.full(coded.n_patients + 1, -1)
    row_of[patient[is_dated][::-1]] = row[is_dated][::-1]  # of two the first one makes day 0
    others = row_of[coded.by_row.patient[rows]]
    fix = "Correct one of the two."
    if (others >= 0).any() and coded.clock == "date":
        for other in np.unique(others[others >= 0])[:1000].tolist():
            day_0 = iso_of(int(coded.by_row.time[other]))
            rule = f"that is a last contact before the {origin} of {day_0} on {{other}}"
            rows_of_patient = rows[others == other]
            yield Violation(rows_of_patient, "date", rule, fix, np.full(len(rows_of_patient), other))
    else:
        yield Violation(rows, coded.clock, f"that is a last contact before the {origin}, which is day 0", fix)


def _contradicting_edss(coded: Coded) -> Iterator[Violation]:
    """EDSS scores of one patient and day that differ from the first one; wrong cells are left out."""
    visits, values, is_dateless, _ = coded.of_kind["edss"]
    if "edss" not in values:
        return
    edss = values["edss"]
    is_again = is_same_day(visits)
    if not (is_again & (edss[1:] != edss[:-1])).any():
        return
    is_known = ~np.isnan(edss) & (visits.patient != NOBODY) & ~is_dateless
    visits, edss = Observations(*(array[is_known] for array in visits)), edss[is_known]
    is_new_day = np.append(True, ~is_same_day(visits))[: len(edss)]
    first = np.maximum.accumulate(np.where(is_new_day, np.arange(len(edss)), 0))
    differs = np.flatnonzero(edss != edss[first])
    differs = differs[np.argsort(visits.row[differs])]
    if differs.size:
        yield Violation(
            visits.row[differs],
            "edss",
            "another score of the same day stands on {other}",
            "Keep the right one.",
            visits.row[first[differs]],
        )


def _edss_10(coded: Coded) -> tuple[IntArray, IntArray, IntArray]:
    """First EDSS of 10 of each patient without a death: the patients, its row and its day."""
    visits, values, is_dateless, _ = coded.of_kind["edss"]
    if "edss" not in values:
        return (np.empty(0, dtype=np.intp),) * 3
    is_dead = np.zeros(coded.n_patients + 1, dtype=bool)
    is_dead[coded.of_kind["death"].observations.patient] = True
    is_dead[NOBODY] = True
    found = np.flatnonzero(values["edss"] == 10)  # few
    patient, day, row = (column[found] for column in visits)
    is_meant = ~is_dead[patient] & ~is_dateless[found]
    patient, day, row = patient[is_meant], day[is_meant], row[is_meant]
    is_first = is_first_of_patient(patient)
    return patient[is_first], row[is_first], day[is_first]


def _alive_after_edss_10(coded: Coded) -> Iterator[Violation]:
    """An EDSS of 10, which is death due to MS, before another record of a patient who has not died."""
    patient, row, day = _edss_10(coded)
    is_later = coded.last_day[patient] > day
    if not is_later.any():
        return
    patient, row, day = patient[is_later], row[is_later], day[is_later]
    day_of = np.full(coded.n_patients + 1, np.iinfo(np.int32).max, dtype=np.int32)
    day_of[patient] = day
    later = np.flatnonzero(coded.by_row.day > day_of[coded.by_row.patient])[::-1]
    later_of = np.zeros(coded.n_patients + 1, dtype=np.intp)
    later_of[coded.by_row.patient[later]] = later  # the first one stands
    order = np.argsort(row)
    yield Violation(
        row[order],
        "edss",
        "an EDSS of 10 is death due to MS, and a record of a later day stands on {other}",
        "Correct the score, or enter the death and remove what follows.",
        later_of[patient[order]],
    )


def _never_followed(coded: Coded, origin: TimeZero) -> Iterator[Violation]:
    """Patients without a record from day 0 on, at the first of their rows."""
    is_unseen = coded.last_day < 0
    if not is_unseen.any():
        return
    patient = coded.by_row.patient
    rows = np.flatnonzero(np.append(is_unseen, False)[patient])  # nobody, at −1, is not missed
    yield Violation(
        _first_of_each(patient, rows),
        "record",
        f"the patient has no record from the {origin} on, so no follow-up",
        f"Add {_article(origin)} and a last_contact record, or remove the patient.",
    )


# ---- Attributes ------------------------------------------------------------------------------------------


def _attributes(coded: Coded) -> tuple[dict[str, NDArray[np.int32]], list[Violation]]:
    """The place of each patient's value of an attribute, −1 without one; and values that contradict it."""
    found: dict[str, NDArray[np.int32]] = {}
    violations = []
    for name, attribute in coded.condensed.attributes.items():
        is_known = attribute.places >= 0
        patient, rows, places = (
            of_cell[is_known] for of_cell in (attribute.patient, attribute.rows, attribute.places)
        )
        of_patient = np.full(coded.n_patients, -1, dtype=np.int32)
        row_of = np.zeros(coded.n_patients, dtype=np.intp)
        of_patient[patient[::-1]] = places[::-1]  # the first one stands
        row_of[patient[::-1]] = rows[::-1]
        found[name] = of_patient
        differs = np.flatnonzero(places != of_patient[patient])
        if differs.size:
            # Each other value of a patient once, at the first of its rows.
            key = patient[differs].astype(np.int64) * (len(attribute.different) + 1) + places[differs]
            differs = np.sort(differs[np.unique(key, return_index=True)[1]])
            violations.append(another_value(rows[differs], name, row_of[patient[differs]]))
    return found, violations


def _patients(coded: Coded, attributes: dict[str, NDArray[np.int32]]) -> DataFrame:
    """`patient_id` and the attributes, one row per patient."""
    import pandas as pd  # not before it is needed: it may be imported while the file is read

    columns: dict[str, Any] = {PATIENT_ID.name: coded.identifiers.to_pandas()}
    for name, places in attributes.items():
        levels = coded.condensed.attributes[name].different
        if not (places >= 0).any():
            continue
        if _COLUMN[name].kind in NUMERIC_KINDS:
            columns[name] = np.array([*map(float, levels), np.nan])[places]
        else:
            columns[name] = pd.Categorical.from_codes(places, pd.Index(levels), validate=False)
    return pd.DataFrame(columns, copy=False)


# ---- What a person should know ---------------------------------------------------------------------------


def _notices(coded: Coded, labels: dict[str, Labels]) -> Iterator[Notice]:
    for name, of_column in labels.items():
        if _COLUMN[name].kind == "text":
            yield from labels_alike(name, of_column)

    yield from alike_identifiers(coded.identifiers, coded.first_rows, coded.places)
    yield from long_follow_up(coded.last_day / DAYS_PER_YEAR)
    for name in _COUNTS:
        for observations, values, *_ in coded.of_kind.values():
            if name in values:
                yield from far_outside(name, values[name], observations.row, coded.places)
    yield from _edss_notices(coded)
    if (coded.condensed.of_kind["baseline"].time > WRONG_TIME).any():
        yield Notice(code="baseline-time", text=f"Not read on baseline records: {coded.clock}.")
    yield from _relapse_notices(coded)
    yield from _scan_notices(coded)
    for kind, noun in (("relapse", "relapse"), ("mri", "scan")):
        n_again = int(np.count_nonzero(is_same_day(coded.of_kind[kind].observations)))
        if n_again:
            of_them = f"1 {noun} stands" if n_again == 1 else f"{n_again:,} {noun}s stand"
            text = (
                f"{of_them} on a day on which the patient has another one already: each is counted. "
                "Is it entered twice?"
            )
            yield Notice(code="same-day", text=text)


def _edss_notices(coded: Coded) -> Iterator[Notice]:
    n = len(coded.condensed.scoreless)
    if n:
        told = (
            "1 edss record has no score, and counts as a contact only."
            if n == 1
            else f"{n:,} edss records have no score, and count as contacts only."
        )
        yield Notice(code="edss-without-score", text=told)
    patient, _, day = _edss_10(coded)
    n_last = int(np.count_nonzero(coded.last_day[patient] <= day))
    if n_last:
        yield edss_10_notice(n_last)


def _relapse_notices(coded: Coded) -> Iterator[Notice]:
    relapses, starts = (coded.of_kind[kind].observations for kind in ("relapse", "observed_from"))
    if not relapses.row.size and not starts.row.size:
        text = "There is no relapse or observed_from record: relapse endpoints are not in this file."
        yield Notice(code="no-relapse-record", text=text)
    begin = np.full(coded.n_patients + 1, np.iinfo(np.int32).min)
    begin[starts.patient] = starts.day
    n_early = int(np.count_nonzero(relapses.day < begin[relapses.patient]))
    if n_early:
        noun = "1 relapse lies" if n_early == 1 else f"{n_early:,} relapses lie"
        text = f"{noun} before observed_from, outside the observed time: left out of the rate before."
        yield Notice(code="relapses-before-history", text=text)


def _scan_notices(coded: Coded) -> Iterator[Notice]:
    values = coded.of_kind["mri"].values
    if "new_lesions" not in values:
        return
    is_fewer = np.zeros(len(values["new_lesions"]), dtype=bool)
    for name in ("gd_lesions", "new_t2_lesions"):
        if name in values:
            is_fewer |= values["new_lesions"] < values[name]
    n_fewer = int(np.count_nonzero(is_fewer))
    if n_fewer:
        noun = "1 scan" if n_fewer == 1 else f"{n_fewer:,} scans"
        text = (
            f"On {noun} new_lesions is lower than gd_lesions or new_t2_lesions, and should hold each of "
            "these once. It is taken as it is."
        )
        yield Notice(code="fewer-new-lesions", text=text)
