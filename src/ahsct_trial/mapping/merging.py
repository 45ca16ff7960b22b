"""Records of several tables as those of one trial: one baseline and one death a patient, two scores a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ahsct_trial.columns import ATTRIBUTES, CAUSE_OF_DEATH, PATIENT_ID, RECORDS, Column
from ahsct_trial.escaping import shown
from ahsct_trial.loading.blocks import Rows, TextColumn
from ahsct_trial.loading.checks import another_value
from ahsct_trial.loading.formats.cells import CellTable
from ahsct_trial.loading.problems import grouped
from ahsct_trial.loading.table import Table
from ahsct_trial.loading.values import Forms, meant
from ahsct_trial.mapping.faults import Faults, problem_on
from ahsct_trial.mapping.model import Map
from ahsct_trial.mapping.rows import Made, TableRead, is_given, places_of
from ahsct_trial.mapping.values import RowsArray, combined, meanings, text_places
from ahsct_trial.wording import first_of

_EDSS = next(column for column in RECORDS if column.name == "edss")

#: Later than any day, for a patient who has not died.
_NEVER = np.iinfo(np.int64).max
_TIMELESS = -_NEVER
#: Kinds of record that make day 0.
_ZERO = ("transplant", "randomisation")
_ADDS_NOTHING = "adds nothing to the patient's other rows"


@dataclass(frozen=True, eq=False)
class Merged:
    """The records that stay.

    Attributes
    ----------
    made
        In the order of patients as they first come, then of time.
    also_used
        Rows of each table's view that gave a value to the record of another row.
    """

    made: Made
    also_used: tuple[RowsArray, ...]


@dataclass(frozen=True, eq=False)
class _OneEach:
    """Records of a kind of which a patient has one.

    Attributes
    ----------
    made
        All records; of each patient the first of the kind has what the others tell.
    is_other
        Which are the others; shape (n_records,).
    gives
        Which have a value that the first one took over; shape (n_records,).
    """

    made: Made
    is_other: NDArray[np.bool_]
    gives: NDArray[np.bool_]


def merge_records(rules: Map, made: Made, tables_read: Sequence[TableRead], faults: Faults) -> Merged:
    """Merge the deaths and the baselines of a patient, and set aside what the map chose to.

    - A cause of death without a day belongs to the patient's death; deaths of a patient on one day are one.
    - A last contact on the day of death is the death itself, and no visit.
    - ``after_death = "drop"``: what comes after the death is set aside.
    - ``same_day``: of two scores of a patient on one day the last in the file or the worst stays.
    - ``without_transplant = "drop"``: a patient without a record that makes day 0 is set aside; otherwise that
      is wrong in a file with dates.
    - Baselines of a patient are one, with the attributes that any of them tells; two that disagree are wrong.
    - Records that are alike in every cell are one.
    """
    patient = text_places(made.columns[PATIENT_ID.name].dictionary_encode())
    time = _times(made)
    is_kept = np.ones(len(made), dtype=bool)

    def drop(is_dropped: NDArray[np.bool_], reason: str) -> None:
        _drop(made, tables_read, is_kept, is_dropped, reason)

    deaths = _merge_deaths(made, patient, time, tables_read, faults)
    made = deaths.made
    drop(deaths.is_other & ~deaths.gives, _ADDS_NOTHING)
    is_death = _is_kind(made, "death")
    death_day = np.full(patient.max(initial=-1) + 1, _NEVER)
    the_death = is_death & ~deaths.is_other
    np.minimum.at(death_day, patient[the_death], time[the_death])
    death_of_patient = death_day[patient]
    drop(_is_kind(made, "last_contact") & (time == death_of_patient), "last contact on the day of death")
    if rules.after_death == "drop":
        drop((time > death_of_patient) & ~is_death, "after the patient's death")
    drop(_is_other_score(made, patient, time, is_kept, tables_read), "another score of that day")
    _set_aside_without_zero(rules, made, tables_read, patient, is_kept, faults)
    baselines = _merge_baselines(made, patient, is_kept, tables_read, faults)
    made = baselines.made
    drop(baselines.is_other & ~baselines.gives, _ADDS_NOTHING)
    is_part = deaths.is_other | baselines.is_other
    drop(_is_repeated(made, is_kept & ~is_part), "alike in every cell to an earlier record")
    stays = np.flatnonzero(is_kept & ~is_part)
    order = np.lexsort((np.arange(len(stays)), time[stays], patient[stays]))
    also_used = tuple(
        made.row[is_kept & is_part & (made.table == number)] for number in range(len(tables_read))
    )
    return Merged(made.among(stays[order]), also_used)


def _times(made: Made) -> NDArray[np.int64]:
    """Day of each record as a whole number, far in the past where it has none."""
    for name in ("date", "day"):
        if name in made.columns:
            texts = made.columns[name]
            break
    else:
        return np.full(len(made), _TIMELESS)
    if name == "date":
        days = pc.cast(texts, pa.date32()).cast(pa.int32()).cast(pa.int64())
    else:
        is_whole = pc.match_substring_regex(texts, r"^[+-]?[0-9]{1,9}$")
        days = pc.cast(pc.replace_substring_regex(pc.if_else(is_whole, texts, None), r"^\+", ""), pa.int64())
    return days.fill_null(_TIMELESS).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _merge_deaths(
    made: Made, patient: RowsArray, time: RowsArray, tables_read: Sequence[TableRead], faults: Faults
) -> _OneEach:
    """Give each patient one death a day, with the cause that any table tells."""
    is_other, gives = np.zeros((2, len(made)), dtype=bool)
    deaths = np.flatnonzero(_is_kind(made, "death"))
    of_patient: dict[int, list[int]] = {}
    for row in deaths.tolist():
        of_patient.setdefault(patient[row], []).append(row)
    has_cause = CAUSE_OF_DEATH.name in made.columns
    changed: dict[int, str] = {}
    for rows in of_patient.values():
        dated = [row for row in rows if time[row] != _TIMELESS]
        if not dated:
            _note_undated(made, tables_read, rows, faults)
            continue
        first = dated[0]
        same = [row for row in rows if time[row] in (time[first], _TIMELESS)]
        if len(same) == 1:
            continue
        causes = [(row, made.text(CAUSE_OF_DEATH.name, row)) for row in same] if has_cause else []
        told = {cause: row for row, cause in reversed(causes) if cause}
        if len(told) > 1:
            _note_two_causes(made, tables_read, told, faults)
        is_other[[row for row in same if row != first]] = True
        for cause, row in told.items():
            changed[first] = cause
            gives[row] = True
    if changed:
        causes_now = made.columns[CAUSE_OF_DEATH.name].to_pylist()
        for row, cause in changed.items():
            causes_now[row] = cause
        made = made.with_column(CAUSE_OF_DEATH.name, pa.array(causes_now, pa.string()))
    return _OneEach(made, is_other, gives)


def _merge_baselines(
    made: Made,
    patient: RowsArray,
    is_kept: NDArray[np.bool_],
    tables_read: Sequence[TableRead],
    faults: Faults,
) -> _OneEach:
    """Give each patient one baseline, with the attributes that any baseline tells.

    Those on other records must agree with it. That is judged here, while each value still stands on its own row.
    """
    is_other, gives = np.zeros((2, len(made)), dtype=bool)
    rows = np.flatnonzero(_is_kind(made, "baseline") & is_kept)
    baseline = np.full(len(made), -1)
    baseline[rows] = _first_of_patient(patient, rows)
    is_other[rows] = baseline[rows] != rows
    if not is_other.any():
        return _OneEach(made, is_other, gives)
    for column in ATTRIBUTES:
        texts = made.columns.get(column.name)
        if texts is None:
            continue
        is_there = is_given(texts) & is_kept & (patient >= 0)
        meaning, told = meanings(column, texts), np.flatnonzero(is_there)
        first = _first_of_patient(patient, told)
        differs = meaning[told] != meaning[first]
        if differs.any():
            _note_two_values(made, tables_read, column, told[differs], first[differs], faults)
        given = rows[is_there[rows]]
        first = _first_of_patient(patient, given)
        gives[first] = True
        source = np.arange(len(made))
        source[baseline[first]] = first
        made = made.with_column(column.name, texts.take(pa.array(source)))
    return _OneEach(made, is_other, gives)


def _first_of_patient(patient: RowsArray, rows: RowsArray) -> RowsArray:
    """Of each of some rows, ascending, the first one of its patient."""
    _, first, place = np.unique(patient[rows], return_index=True, return_inverse=True)
    return rows[first][place]


def _note_two_values(
    made: Made,
    tables_read: Sequence[TableRead],
    column: Column,
    rows: RowsArray,
    others: RowsArray,
    faults: Faults,
) -> None:
    """Note rows whose attribute is another one than that of the patient's earlier row."""
    places = places_of(made, tables_read)
    cells = Table(
        {
            each.name: meant(each, TextColumn.of(made.columns[each.name]), Forms())
            for each in (PATIENT_ID, column)
        },
        Rows(places.lines, table=places.table),
    )
    faults.add_groups(grouped(another_value(rows, column.name, others), cells), places)


def _note_undated(made: Made, tables_read: Sequence[TableRead], rows: Sequence[int], faults: Faults) -> None:
    faults.add(
        problem_on(
            *_on(made, tables_read, rows),
            patient=made.text(PATIENT_ID.name, rows[0]),
            what="there is a cause of death but no death with a day",
            rule="a death counts on its day",
            fix="Add the day of death to the table that holds it, or correct the cause.",
        )
    )


def _note_two_causes(
    made: Made, tables_read: Sequence[TableRead], told: dict[str, int], faults: Faults
) -> None:
    faults.add(
        problem_on(
            *_on(made, tables_read, list(told.values())),
            patient=made.text(PATIENT_ID.name, next(iter(told.values()))),
            what=f"the cause of death is {' and '.join(told)}",
            rule="a death has one cause",
            fix="Correct one of them.",
        )
    )


def _on(
    made: Made, tables_read: Sequence[TableRead], rows: Sequence[int]
) -> tuple[CellTable, NDArray[np.int64]]:
    """The table of the first of some records, and the lines of those that come from it."""
    number = made.table[rows[0]]
    table = tables_read[number].view.table
    of_table = [row for row in rows if made.table[row] == number]
    return table, table.lines[np.unique(made.row[of_table])]


def _is_kind(made: Made, kind: str) -> NDArray[np.bool_]:
    return pc.equal(made.columns["record"], kind).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _drop(
    made: Made,
    tables_read: Sequence[TableRead],
    is_kept: NDArray[np.bool_],
    is_dropped: NDArray[np.bool_],
    reason: str,
) -> None:
    """Set records aside; rows of the source that give no other record have this as their reason."""
    dropped = np.flatnonzero(is_dropped & is_kept)
    is_kept[dropped] = False
    for number in np.unique(made.table[dropped]).tolist():
        table_read = tables_read[number]
        table_read.reasons.give(
            table_read.source_rows(made.row[dropped[made.table[dropped] == number]]), reason
        )


def _is_other_score(
    made: Made,
    patient: RowsArray,
    time: RowsArray,
    is_kept: NDArray[np.bool_],
    tables_read: Sequence[TableRead],
) -> NDArray[np.bool_]:
    """Which EDSS records another one of the same patient and day stands for, by the map's choice."""
    is_other = np.zeros(len(made), dtype=bool)
    choices = [table_read.view.rule.same_day for table_read in tables_read]
    if not any(choices) or "edss" not in made.columns:
        return is_other
    is_choosing = np.array([choice is not None for choice in choices])[made.table]
    scores = meant(_EDSS, TextColumn.of(made.columns["edss"]), Forms())
    is_wrong = ~(scores.is_missing() | scores.is_right())  # which is told where the column is read
    rows = np.flatnonzero(_is_kind(made, "edss") & is_kept & is_choosing & ~is_wrong)
    is_worst = np.array([choice == "worst" for choice in choices])[made.table[rows]]
    score = np.where(is_worst, np.nan_to_num(scores.numbers(), nan=-1.0)[rows], 0.0)
    order = np.lexsort((rows, score, time[rows], patient[rows]))
    ordered = rows[order]
    # The last of each patient and day stays.
    is_again = (patient[ordered][1:] == patient[ordered][:-1]) & (time[ordered][1:] == time[ordered][:-1])
    is_other[ordered[:-1][is_again]] = True
    return is_other


def _is_repeated(made: Made, is_kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which records are alike in every cell to one before them."""
    like_no_other = np.arange(1, len(made) + 1) * ~is_kept
    cells = [text_places(texts.dictionary_encode()) for texts in made.columns.values()]
    key = combined([like_no_other, *cells], len(made))
    is_repeated = np.ones(len(made), dtype=bool)
    is_repeated[np.unique(key, return_index=True)[1]] = False
    return is_repeated


def _set_aside_without_zero(
    rules: Map,
    made: Made,
    tables_read: Sequence[TableRead],
    patient: RowsArray,
    is_kept: NDArray[np.bool_],
    faults: Faults,
) -> None:
    """Set aside, or note as wrong, patients without a record that makes day 0."""
    is_zero = np.zeros(len(made), dtype=bool)
    for kind in _ZERO:
        is_zero |= _is_kind(made, kind)
    has_zero = np.zeros(patient.max(initial=-1) + 1, dtype=bool)
    has_zero[patient[is_zero & is_kept]] = True
    is_without = ~has_zero[patient] & is_kept
    if rules.without_transplant == "drop":
        _drop(made, tables_read, is_kept, is_without, "patient without a transplant")
        return
    if "date" not in made.columns or not is_without.any():
        return
    rows = np.flatnonzero(is_without)
    first = rows[np.unique(patient[rows], return_index=True)[1]]
    first = first[np.argsort(first)]
    named = first_of([shown(made.text(PATIENT_ID.name, row) or "") for row in first.tolist()], 5)
    faults.add(
        problem_on(
            *_on(made, tables_read, first.tolist()),
            what=f"no row of the source gives a transplant for {named}",
            rule="in a file with dates the transplant makes day 0" + _why_none(rules, tables_read, is_zero),
            fix='Add it; where others were not transplanted, say without_transplant = "drop" in the map, or in a '
            "randomised trial give records of kind randomisation and --time-zero randomisation.",
        )
    )


def _why_none(rules: Map, tables_read: Sequence[TableRead], is_zero: NDArray[np.bool_]) -> str:
    """What the source has where the map looks for a transplant, if no row is one."""
    if is_zero.any():
        return ""
    if not rules.kinds & set(_ZERO):
        return "; the map names no record of kind transplant"
    for table_read in tables_read:
        for rule in table_read.view.rule.records:
            for heading, allowed in rule.where.items() if rule.kind in _ZERO else ():
                texts = table_read.view.cells(heading).dictionary_encode().dictionary.to_pylist()
                seen = first_of([repr(shown(text)) for text in texts], 5)
                wanted = first_of([repr(shown(text)) for text in allowed])
                return f"; in {table_read.source.table.label} {shown(heading)} is {seen}, the map looks for {wanted}"
    return ""


def given_kinds(made: Made) -> frozenset[str]:
    """The kinds of record that are there."""
    kinds = made.columns["record"]
    return frozenset(pc.unique(kinds.filter(pa.array(is_given(kinds)))).to_pylist())
