"""The patient table, one row per patient, from a file to a `Cohort`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from ahsct_trial.cohort import Cohort
from ahsct_trial.columns import PATIENT_ID, Column
from ahsct_trial.escaping import shown
from ahsct_trial.loading.checks import Violation, similar, violations
from ahsct_trial.loading.header import Header
from ahsct_trial.loading.problems import DataProblems, Finding, Problem
from ahsct_trial.loading.rows import (
    Rows,
    Text,
    UnreadableRowsError,
    read_text,
    read_typed,
    record_lines,
)
from ahsct_trial.loading.source import Source
from ahsct_trial.results import Account, SetAside, SourceInfo

EMPTY_ROW = "row without any value"
_SHOWN_PAIRS = 5


def read_patient_table(source: Source, header: Header) -> Cohort:
    """Read, check and turn into a cohort.

    Raises
    ------
    DataProblems
        All that is wrong with the file, at once.
    """
    columns = {column.name: column for column in header.known.values()}
    rows = _checked_rows(source, header, columns)
    n_read = len(rows)
    if rows.is_missing(PATIENT_ID.name).any():
        rows = rows.keep(~rows.is_empty())
    n_empty = n_read - len(rows)
    patients = pd.DataFrame(
        {
            name: rows.numbers[name] if name in rows.numbers else rows.texts[name].to_pandas()
            for name in columns
        },
        copy=False,
    )
    return Cohort(
        patients=patients,
        lines=record_lines(source, header, n_read)[rows.records],
        source=SourceInfo(file=source.file, sha256=source.sha256, shape="patient_table", n_rows=n_read),
        account=Account(
            rows_read=n_read,
            rows_used=len(rows),
            set_aside=(SetAside(reason=EMPTY_ROW, count=n_empty),) if n_empty else (),
        ),
        warnings=(*header.warnings, *_similar_identifiers(rows)),
    )


def _checked_rows(source: Source, header: Header, columns: dict[str, Column]) -> Rows:
    """The rows by the fast way if nothing is wrong with them, else by the exact one."""
    try:
        rows = read_typed(source, header)
    except UnreadableRowsError:
        pass
    else:
        if not any(violations(rows, columns, {})):
            return rows
    text = read_text(source, header)
    findings = [*text.ragged, *_findings(source, header, columns, text)]
    if findings:
        raise DataProblems.from_findings(source.file, findings)
    return text.rows


def _findings(source: Source, header: Header, columns: dict[str, Column], text: Text) -> list[Finding]:
    rows, cells = text.rows, text.cells
    n_ragged = sum(len(finding.rows) for finding in text.ragged)
    lines = record_lines(source, header, len(rows) + n_ragged)[rows.records]
    identifiers = cells[PATIENT_ID.name]

    def finding(violation: Violation) -> Finding:
        def describe(record: int) -> Problem:
            row = int(np.searchsorted(rows.records, record))
            value = cells[violation.column][row]
            named = {name: _named(texts[row].as_py()) for name, texts in cells.items()}
            first = pc.index(identifiers, identifiers[row]).as_py()
            return Problem(
                file=source.file,
                line=int(lines[row]),
                patient=identifiers[row].as_py(),
                column=violation.column,
                value=value.as_py(),
                what=f"{violation.column} is {named[violation.column]}",
                rule=violation.rule.format(**named, first_line=int(lines[first])),
                fix=violation.fix,
            )

        return Finding(rows.records[violation.rows], describe)

    return [finding(violation) for violation in violations(rows, columns, text.is_unreadable)]


def _named(text: str | None) -> str:
    """A cell's value within a sentence: numbers and plain words as they are, the rest in quotes."""
    if text is None:
        return "empty"
    return shown(text) if text.replace(".", "").replace("-", "").isalnum() else f"'{shown(text)}'"


def _similar_identifiers(rows: Rows) -> list[str]:
    pairs = similar(rows.texts[PATIENT_ID.name])
    texts = [f"'{shown(one)}' and '{shown(other)}'" for one, other in pairs[:_SHOWN_PAIRS]]
    more = f", and {len(pairs) - _SHOWN_PAIRS:,} more pairs" if len(pairs) > _SHOWN_PAIRS else ""
    if not texts:
        return []
    return [f"Identifiers differ only by case or blanks: {', '.join(texts)}{more}. Is it one patient?"]
