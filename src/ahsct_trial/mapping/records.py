"""Rows of a source table as records."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ahsct_trial.columns import MEASUREMENTS, PATIENT_ID
from ahsct_trial.escaping import shown
from ahsct_trial.mapping.model import RecordRule
from ahsct_trial.mapping.rows import Made, TableRead, is_given
from ahsct_trial.mapping.values import RowsArray


def records_of(table_read: TableRead, number: int) -> list[Made]:
    """The records that the rows of a table give, one part for each rule; faults are noted.

    A row gives no record of a rule whose condition does not hold, or for which it has neither a time nor a
    value. A value without a time is wrong: a death whose date is missing must not be lost. An EDSS visit
    without a score is a contact.
    """
    view, rows = table_read.view, table_read.rows
    patient = view.texts(view.rule.patient_id, PATIENT_ID.name, rows)
    parts = []
    is_made = np.zeros(len(rows), dtype=bool)
    for rule in view.rule.records:
        is_meant = view.holds(rule.where, rows)
        meant = rows[is_meant]
        made, is_record = _records_of_rule(table_read, rule, number, meant)
        ids = patient.filter(pa.array(is_meant)).filter(pa.array(is_record))
        _note_without_patient(table_read, rule, meant[is_record], ids)
        parts.append(Made(made.table, made.row, {PATIENT_ID.name: ids, **made.columns}))
        is_made[np.flatnonzero(is_meant)[is_record]] = True
    _give_reasons(table_read, rows[~is_made])
    return parts


def _records_of_rule(
    table_read: TableRead, rule: RecordRule, number: int, rows: RowsArray
) -> tuple[Made, NDArray[np.bool_]]:
    """The records of one rule, and which of these rows give one."""
    view = table_read.view
    values = {name: view.texts(cells, name, rows) for name, cells in rule.values.items()}
    measured = [name for name in values if name in MEASUREMENTS.get(rule.kind, ())]
    has_value = np.zeros(len(rows), dtype=bool)
    for name in measured if rule.time else values:
        has_value |= is_given(values[name])
    if rule.time is None or rule.time_name is None:
        times, is_record = {}, has_value
    else:
        time = view.texts(rule.time, rule.time_name, rows)
        is_timed = is_given(time)
        has_cell = _has_cell(table_read, rule.time.headings, rows)
        is_event = np.ones(len(rows), dtype=bool)
        if rule.event is not None:
            is_event = view.happened(rule.event, rows, is_timed)
            _note_untimed(table_read, rule, rule.event.column, rows[is_event & ~has_cell])
        for name in measured:
            for heading in rule.values[name].headings[:1]:
                is_untimed = is_given(values[name]) & ~has_cell & is_event
                _note_untimed(table_read, rule, heading, rows[is_untimed])
        is_record = is_timed & is_event
        times = {rule.time_name: time.filter(pa.array(is_record))}
    kept = pa.array(is_record)
    values = {name: texts.filter(kept) for name, texts in values.items()}
    kind = _kinds(rule.kind, int(np.count_nonzero(is_record)), values)
    made = Made(
        np.full(len(kind), number, dtype=np.int64), rows[is_record], {"record": kind, **times, **values}
    )
    return made, is_record


def _kinds(kind: str, n_records: int, values: dict[str, pa.StringArray]) -> pa.StringArray:
    kinds = pa.array([kind], pa.string()).take(pa.array(np.zeros(n_records, dtype=np.int64)))
    if kind != "edss":
        return kinds
    if "edss" not in values:
        return pa.array(["last_contact"] * n_records, pa.string())
    return pc.if_else(values["edss"].is_valid(), kinds, "last_contact")


def _has_cell(table_read: TableRead, headings: Iterable[str], rows: RowsArray) -> NDArray[np.bool_]:
    """Whether there is a text under one of the headings, right or wrong; shape (n_rows,)."""
    has_cell = np.zeros(len(rows), dtype=bool)
    for heading in headings:
        has_cell |= is_given(table_read.view.cells(heading).take(pa.array(rows)))
    return has_cell


def _note_untimed(table_read: TableRead, rule: RecordRule, heading: str, rows: RowsArray) -> None:
    if not rows.size:
        return
    assert rule.time is not None
    table = table_read.view.table
    coded = table_read.view.cells(heading).take(pa.array(rows)).to_pylist()
    what = " or ".join(map(shown, rule.time.headings)) or rule.time_name
    for value in dict.fromkeys(coded):
        lines = table.lines[[row for row, text in zip(rows.tolist(), coded, strict=True) if text == value]]
        table_read.view.faults.add_cells(
            table,
            lines,
            heading,
            value,
            f"without {what} this {rule.kind} has no {rule.time_name}",
            f"Fill in {what}; where there was no {rule.kind}, empty the cell or name its text in missing.",
        )


def _note_without_patient(
    table_read: TableRead, rule: RecordRule, rows: RowsArray, ids: pa.StringArray
) -> None:
    without = rows[~is_given(ids)]
    if without.size:
        table_read.view.faults.add_cells(
            table_read.view.table,
            table_read.view.table.lines[without],
            " or ".join(table_read.view.rule.patient_id.headings),
            None,
            f"each {rule.kind} belongs to a patient",
            "Fill in the identifier: merged cells and headings between rows leave it empty.",
        )


def _give_reasons(table_read: TableRead, rows: RowsArray) -> None:
    """Say of rows of the view that give no record why."""
    left = rows
    for heading in dict.fromkeys(heading for rule in table_read.view.rule.records for heading in rule.where):
        conditions = [rule.where for rule in table_read.view.rule.records]
        if not all(heading in where for where in conditions):
            continue
        is_met = np.zeros(len(left), dtype=bool)
        for where in conditions:
            is_met |= table_read.view.holds({heading: where[heading]}, left)
        unmet = table_read.source_rows(left[~is_met])
        table_read.reasons.give_by_value(unmet, heading)
        left = left[is_met]
    table_read.reasons.give(table_read.source_rows(left), "no date and no value that the map reads")
