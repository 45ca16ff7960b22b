"""Rows of source tables as one row per patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ahsct_trial.columns import ATTRIBUTES, PATIENT_ID, PATIENT_TABLE
from ahsct_trial.escaping import shown
from ahsct_trial.loading.problems import Problem
from ahsct_trial.loading.reading import ALIKE_ROW
from ahsct_trial.mapping.faults import problem_on
from ahsct_trial.mapping.model import Cells
from ahsct_trial.mapping.rows import Made, TableRead, alike_rows, is_given
from ahsct_trial.mapping.values import RowsArray, meanings, text_places
from ahsct_trial.wording import first_of

_COLUMNS = {column.name: column for column in PATIENT_TABLE}
_ATTRIBUTES = frozenset(column.name for column in ATTRIBUTES)
_REQUIRED = frozenset(column.name for column in PATIENT_TABLE if column.is_required)


def patients_of(tables_read: Sequence[TableRead], *, is_whole: bool) -> tuple[Made, tuple[RowsArray, ...]]:
    """The patient table that tables give together, and the rows of each that it used.

    A column takes one row of a patient: several that differ are wrong, so that two parameters in one cannot
    be. A column none of whose rows are there is left out. The line of a patient is that of the first table
    that has them. Unless these are all tables (`is_whole`), another one may tell what a patient lacks in them.
    """
    ids = [each.view.texts(each.view.rule.patient_id, PATIENT_ID.name, each.rows) for each in tables_read]
    for table_read, texts in zip(tables_read, ids, strict=True):
        _note_without_patient(table_read, table_read.rows[~is_given(texts)])
    coded = pa.concat_arrays(ids).dictionary_encode()
    patient = text_places(coded)
    n_rows = [len(each.rows) for each in tables_read]
    of_table = np.split(patient, np.cumsum(n_rows)[:-1])
    n_patients = len(coded.dictionary)
    columns: dict[str, pa.StringArray] = {PATIENT_ID.name: coded.dictionary}
    used = []
    for table_read, patients in zip(tables_read, of_table, strict=True):
        view, rows = table_read.view, table_read.rows
        unread = np.ones(len(rows), dtype=bool)
        for name, cells in (view.rule.patients or {}).items():
            is_read = view.holds(cells.where, rows) & (patients >= 0)
            unread &= ~is_read
            if not is_read.any():
                continue
            texts = view.texts(cells, name, rows[is_read])
            column = _one_each(table_read, name, cells, patients[is_read], rows[is_read], texts, n_patients)
            columns[name] = _filled(columns.get(name), column, name, coded.dictionary, table_read)
        _give_reasons(table_read, rows[unread])
        used.append(np.setdiff1d(rows[~unread], _alike_rows(table_read, patients)))
    for table_read in tables_read:
        _note_lost(table_read, columns)
    if is_whole:
        _note_unfollowed(tables_read, of_table, coded.dictionary)
    first = np.unique(patient[patient >= 0], return_index=True)[1]
    given = np.flatnonzero(patient >= 0)[first]
    table = np.repeat(np.arange(len(tables_read)), n_rows)[given]
    row = np.concatenate([each.rows for each in tables_read])[given]
    return Made(table, row, columns), tuple(used)


def _one_each(  # noqa: PLR0913, PLR0917
    table_read: TableRead,
    name: str,
    cells: Cells,
    patients: RowsArray,
    rows: RowsArray,
    texts: pa.StringArray,
    n_patients: int,
) -> pa.StringArray:
    """The text of each patient; several rows of one patient must agree."""
    # An attribute may stand on any row. Not so a time: empty, it says that there was no event.
    if name in _ATTRIBUTES:
        is_there = is_given(texts)
        patients, rows, texts = patients[is_there], rows[is_there], texts.filter(pa.array(is_there))
    order = np.argsort(patients, kind="stable")
    meaning = meanings(_COLUMNS[name], texts)[order]
    differs = (patients[order][1:] == patients[order][:-1]) & (meaning[1:] != meaning[:-1])
    if differs.any():
        pairs = np.flatnonzero(differs)
        both = np.sort(rows[order[[pairs[0], pairs[0] + 1]]])
        where = f" where {', '.join(cells.where)} is that" if cells.where else ""
        is_given_once = (meaning[pairs[0]] < 0) != (meaning[pairs[0] + 1] < 0)
        n_more = len(np.unique(patients[order][pairs])) - 1
        table_read.view.faults.add(
            problem_on(
                table_read.view.table,
                table_read.view.table.lines[both],
                column=name,
                what=(
                    f"a patient has {name} on one row and not on another"
                    if is_given_once
                    else f"a patient has rows with different {name}"
                )
                + (f"; so have {n_more:,} more" if n_more else ""),
                rule=f"a patient table takes one row of a patient{where}",
                fix="Name the rows that count with where = { … } in the map, or correct the table.",
            )
        )
    places = np.full(n_patients, -1, dtype=np.int64)
    places[patients[order][::-1]] = order[::-1]
    return texts.take(pa.array(places, mask=places < 0))


def _filled(
    first: pa.StringArray | None,
    second: pa.StringArray,
    name: str,
    identifiers: pa.StringArray,
    table_read: TableRead,
) -> pa.StringArray:
    """What two tables tell of a column together; where both tell of a patient, they must agree."""
    if first is None:
        return second
    # Of both together, so that one meaning has one number.
    meaning, other = np.split(meanings(_COLUMNS[name], pa.concat_arrays([first, second])), 2)
    differs = np.flatnonzero((meaning >= 0) & (other >= 0) & (meaning != other))
    if differs.size:
        place = int(differs[0])
        more = f"; so they differ for {len(differs) - 1:,} more" if len(differs) > 1 else ""
        table_read.view.faults.add(
            Problem(
                file=table_read.view.table.label,
                patient=identifiers[place].as_py(),
                column=name,
                what=f"{name} is {second[place].as_py()!r} here and {first[place].as_py()!r} in a table before"
                + more,
                rule="two tables that give a column must agree",
                fix="Correct one of them, or take the column from one table in the map.",
            )
        )
    return pc.coalesce(first, second)


def _note_lost(table_read: TableRead, columns: Mapping[str, pa.StringArray]) -> None:
    """Note the columns that each cohort needs and that no row gives, since none has what the map looks for."""
    for name, cells in (table_read.view.rule.patients or {}).items():
        if name not in _REQUIRED:
            continue
        pivot, wide = table_read.view.rule.pivot, table_read.wide
        absent = tuple(heading for heading in cells.headings if wide and heading in wide.absent)
        if pivot and absent:
            heading, allowed = pivot.name, absent
            texts = table_read.source.cells(heading)
        elif name not in columns and cells.where and table_read.rows.size:
            heading, allowed = next(iter(cells.where.items()))
            texts = table_read.view.cells(heading).take(pa.array(table_read.rows))
        else:
            continue
        seen = texts.unique().drop_null().to_pylist()
        table_read.view.faults.add(
            Problem(
                file=table_read.view.table.label,
                column=heading,
                what=f"no row has {first_of([*map(shown, allowed)], separator=' or ')} under {shown(heading)}",
                rule=f"the map takes {name} from it; there are {first_of([*map(shown, seen)])}",
                fix="Name yours in the map.",
            )
        )


def _note_unfollowed(
    tables_read: Sequence[TableRead], of_table: Sequence[RowsArray], identifiers: pa.StringArray
) -> None:
    """Note the patients whom another table names, and of whom none has a row that tells what is required."""
    for name in sorted(_REQUIRED):
        has_row = np.zeros(len(identifiers), dtype=bool)
        sources = []
        for table_read, patients in zip(tables_read, of_table, strict=True):
            cells = (table_read.view.rule.patients or {}).get(name)
            if cells is not None:
                is_read = table_read.view.holds(cells.where, table_read.rows) & (patients >= 0)
                has_row[patients[is_read]] = True
                meant = [
                    f"{heading} {first_of(texts, separator=' or ')}" for heading, texts in cells.where.items()
                ]
                sources.append(f"{table_read.view.table.label}{' with ' if meant else ''}{', '.join(meant)}")
        if not has_row.any():
            continue  # the file as a whole lacks it, which is said elsewhere
        for table_read, patients in zip(tables_read, of_table, strict=True):
            is_lost = (patients >= 0) & ~has_row[patients]
            if is_lost.any():
                lost = list(dict.fromkeys(identifiers.take(pa.array(patients[is_lost])).to_pylist()))
                named = first_of([*map(shown, lost)], 5)
                table_read.view.faults.add(
                    problem_on(
                        table_read.view.table,
                        table_read.view.table.lines[table_read.rows[is_lost]],
                        what=f"no row of {' or of '.join(sources)} gives {name} for {named}",
                        rule="it must be known of each patient whom a table names",
                        fix="Add it there, or say with where = { … } in the map which patients are in the analysis.",
                    )
                )
                has_row[patients[is_lost]] = True


def _alike_rows(table_read: TableRead, patients: RowsArray) -> RowsArray:
    """The rows that are alike in every cell with an earlier one, which is their reason not to be used."""
    if table_read.wide is not None:
        return table_read.rows[:0]  # the pivot has set them aside
    has_several = np.bincount(patients + 1)[patients + 1] > 1
    again = alike_rows(table_read.view.table, table_read.rows[has_several])
    table_read.reasons.give(again, ALIKE_ROW)
    return again


def _give_reasons(table_read: TableRead, rows: RowsArray) -> None:
    """Say of rows of which no column comes why."""
    wheres = {heading for cells in (table_read.view.rule.patients or {}).values() for heading in cells.where}
    if len(wheres) == 1:
        table_read.reasons.give_by_value(table_read.source_rows(rows), *wheres)


def _note_without_patient(table_read: TableRead, rows: NDArray[np.int64]) -> None:
    if rows.size:
        table_read.view.faults.add_cells(
            table_read.view.table,
            table_read.view.table.lines[rows],
            " or ".join(table_read.view.rule.patient_id.headings),
            None,
            "each row belongs to a patient",
            "Fill in the identifier, or take the row out of the table.",
        )
