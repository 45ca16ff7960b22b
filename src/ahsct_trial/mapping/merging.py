"""Records of several tables as those of one trial: one death a patient, contacts after it, two scores a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ahsct_trial.columns import CAUSE_OF_DEATH, PATIENT_ID
from ahsct_trial.escaping import shown
from ahsct_trial.loading.formats.cells import CellTable
from ahsct_trial.mapping.faults import Faults, problem_on
from ahsct_trial.mapping.model import Map
from ahsct_trial.mapping.rows import Made, TableRead, is_given
from ahsct_trial.mapping.values import RowsArray, text_places

#: Later than any day, for a patient who has not died.
_NEVER = np.iinfo(np.int64).max
_TIMELESS = -_NEVER
#: Kinds of record that make day 0.
_ZERO = ("transplant", "randomisation")


@dataclass(frozen=True, eq=False)
class Merged:
    """The records that stay.

    Attributes
    ----------
    made
        In the order of patients as they first come, then of time.
    also_used
        Rows of each table's view of which a record took over a value.
    """

    made: Made
    also_used: tuple[RowsArray, ...]


def merge_records(rules: Map, made: Made, tables_read: Sequence[TableRead], faults: Faults) -> Merged:
    """Merge the deaths of a patient, and set aside what the map chose to.

    - A cause of death without a day belongs to the patient's death; deaths of a patient on one day are one.
    - A last contact on the day of death is the death itself, and no visit.
    - Records that are alike in every cell are one.
    - ``after_death = "drop"``: what comes after the death is set aside.
    - ``same_day``: of two scores of a patient on one day the last in the file or the worst stays.
    - ``without_transplant = "drop"``: a patient without a record that makes day 0 is set aside; otherwise that
      is wrong in a file with dates.
    """
    patient = text_places(made.columns[PATIENT_ID.name].dictionary_encode())
    time = _times(made)
    made, is_kept, used = _merge_deaths(made, patient, time, tables_read, faults)
    kinds = made.columns["record"]
    death_day = np.full(patient.max(initial=-1) + 1, _NEVER)
    is_death = _is_kind(kinds, "death") & is_kept
    np.minimum.at(death_day, patient[is_death], time[is_death])
    death_of_patient = death_day[patient]
    is_contact = _is_kind(kinds, "last_contact")
    _drop(
        made,
        tables_read,
        is_kept,
        is_contact & (time == death_of_patient),
        "last contact on the day of death",
    )
    if rules.after_death == "drop":
        _drop(made, tables_read, is_kept, (time > death_of_patient) & ~is_death, "after the patient's death")
    _drop(
        made,
        tables_read,
        is_kept,
        _is_other_score(made, patient, time, is_kept, tables_read),
        "another score of that day",
    )
    _drop(made, tables_read, is_kept, _is_repeated(made, is_kept), "alike in every cell to an earlier record")
    _set_aside_without_zero(rules, made, tables_read, patient, is_kept, faults)
    kept = np.flatnonzero(is_kept)
    order = np.lexsort((np.arange(len(kept)), time[kept], patient[kept]))
    return Merged(made.among(kept[order]), used)


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
) -> tuple[Made, NDArray[np.bool_], tuple[RowsArray, ...]]:
    """Give each patient one death a day, with the cause that any table tells."""
    is_kept = np.ones(len(made), dtype=bool)
    used: list[list[int]] = [[] for _ in tables_read]
    deaths = np.flatnonzero(_is_kind(made.columns["record"], "death"))
    of_patient: dict[int, list[int]] = {}
    for row in deaths.tolist():
        of_patient.setdefault(patient[row], []).append(row)
    has_cause = CAUSE_OF_DEATH.name in made.columns
    changed: dict[int, str] = {}
    for rows in of_patient.values():
        dated = [row for row in rows if time[row] != _TIMELESS]
        first = dated[0] if dated else rows[0]
        if not dated:
            _note_undated(made, tables_read, rows, faults)
            continue
        same = [row for row in rows if time[row] in (time[first], _TIMELESS)]
        if len(same) == 1:
            continue
        causes = [(row, made.text(CAUSE_OF_DEATH.name, row)) for row in same] if has_cause else []
        told = {cause: row for row, cause in reversed(causes) if cause}
        if len(told) > 1:
            _note_two_causes(made, tables_read, told, faults)
        for row in same:
            if row != first:
                is_kept[row] = False
                used[made.table[row]].append(made.row[row])
        if told:
            changed[first] = next(iter(told))
    if changed:
        causes_now = made.columns[CAUSE_OF_DEATH.name].to_pylist()
        for row, cause in changed.items():
            causes_now[row] = cause
        made = made.with_column(CAUSE_OF_DEATH.name, pa.array(causes_now, pa.string()))
    return made, is_kept, tuple(np.array(rows_used, dtype=np.int64) for rows_used in used)


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


def _is_kind(kinds: pa.StringArray, kind: str) -> NDArray[np.bool_]:
    return pc.equal(kinds, kind).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


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
    rows = np.flatnonzero(_is_kind(made.columns["record"], "edss") & is_kept & is_choosing)
    is_worst = np.array([choice == "worst" for choice in choices])[made.table[rows]]
    is_number = pc.match_substring_regex(made.columns["edss"], r"^[0-9]{1,2}(\.[0-9]+)?$")
    scores = pc.cast(pc.if_else(is_number, made.columns["edss"], None), pa.float64()).fill_null(-1.0)
    score = np.where(is_worst, scores.to_numpy(zero_copy_only=False)[rows], 0.0)
    order = np.lexsort((rows, score, time[rows], patient[rows]))
    ordered = rows[order]
    # The last of each patient and day stays.
    is_again = (patient[ordered][1:] == patient[ordered][:-1]) & (time[ordered][1:] == time[ordered][:-1])
    is_other[ordered[:-1][is_again]] = True
    return is_other


def _is_repeated(made: Made, is_kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which records are alike in every cell to one before them."""
    key = np.arange(1, len(made) + 1) * ~is_kept
    for texts in made.columns.values():
        places = text_places(texts.dictionary_encode()) + 1
        key = np.unique(key * (places.max(initial=0) + 1) + places, return_inverse=True)[1]
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
        is_zero |= _is_kind(made.columns["record"], kind)
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
    named = ", ".join(shown(made.text(PATIENT_ID.name, row) or "") for row in first[:5].tolist())
    more = f" and {len(first) - 5:,} more" if len(first) > 5 else ""
    faults.add(
        problem_on(
            *_on(made, tables_read, first.tolist()),
            what=f"no row of the source gives a transplant for {named}{more}",
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
                texts = table_read.view.cells(heading).dictionary_encode().dictionary.to_pylist()[:5]
                seen = ", ".join(repr(shown(text)) for text in texts)
                wanted = ", ".join(repr(shown(text)) for text in allowed)
                return f"; in {table_read.source.table.label} {shown(heading)} is {seen}, the map looks for {wanted}"
    return ""


def given_kinds(made: Made) -> frozenset[str]:
    """The kinds of record that are there."""
    kinds = made.columns["record"]
    return frozenset(pc.unique(kinds.filter(pa.array(is_given(kinds)))).to_pylist())
