"""From a table to a `Trial`: a text of separated cells, the table of another file, or a DataFrame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ahsct_trial.columns import RECORDS
from ahsct_trial.loading.file_bytes import FileBytes
from ahsct_trial.loading.formats.cells import CellTable, unseen_errors
from ahsct_trial.loading.header import find_shape, read_header, recognise, refuse_titles, shape_of
from ahsct_trial.loading.inputs import Input, from_cells, from_text
from ahsct_trial.loading.patient_table import read_patient_table
from ahsct_trial.loading.problems import fatal
from ahsct_trial.loading.source import as_text
from ahsct_trial.loading.values import MISSING, Forms
from ahsct_trial.parallel import import_meanwhile
from ahsct_trial.protocol import TimeZero
from ahsct_trial.trial import Places, Trial

if TYPE_CHECKING:
    import pandas as pd


def read_table(
    source: FileBytes | Path | pd.DataFrame,
    *,
    encoding: str | None,
    date_format: str | None,
    missing: Iterable[str],
    time_zero: TimeZero,
    is_strict: bool,
) -> Trial:
    """Read a text of separated cells by its bytes, the first table of another file, or a DataFrame.

    Parameters and errors are those of `read_cohort`; the date format is one of `strptime`.
    """
    forms = Forms(
        date_format=date_format,
        missing=frozenset((*MISSING, *(token.strip() for token in missing))),
    )
    if isinstance(source, FileBytes):
        text = as_text(source, encoding)
        shape = find_shape(text)
        rows = from_text(text, read_header(text, shape), forms)
        return _read(rows, shape is RECORDS, time_zero, is_strict)
    if isinstance(source, Path):
        table = _first_table(source)
        refuse_titles(table.file, None, table.names, _lower_rows(table))
    else:
        from ahsct_trial.loading.formats.frames import cells_of_frame

        table = cells_of_frame(source)
    return _read_cells(table, forms, None, time_zero=time_zero, is_strict=is_strict)


def _first_table(path: Path) -> CellTable:
    """The table of a file that is not text; of a workbook the first visible sheet.

    Raises
    ------
    DataProblems
        If the sheet is empty.
    """
    from ahsct_trial.loading.formats.tables import read_tables, sheet_names

    sheet = next(iter(sheet_names(path)), None)
    tables = read_tables(path, sheet=sheet)
    if not tables:
        raise fatal(
            path.name, f"the sheet '{sheet}' is empty", "a table has headings", "Fill in the first sheet."
        )
    return tables[0]


def read_cells(
    table: CellTable,
    *,
    time_zero: TimeZero = "transplant",
    origins: Places | None = None,
    is_strict: bool = False,
) -> Trial:
    """Check a table of text cells, as a map made it, and turn it into a trial.

    Parameters
    ----------
    table
        Cells under canonical headings, dates in ISO 8601, numbers with a decimal point.
    time_zero
        What makes day 0 of records.
    origins
        The table and line that each row comes from, which messages name; None for those of `table`.
    is_strict
        Whether what should be looked at first is an error.

    Raises
    ------
    DataProblems
        All that is wrong with the cells, at once.
    """
    return _read_cells(table, Forms(), origins, time_zero=time_zero, is_strict=is_strict)


def _read_cells(
    table: CellTable, forms: Forms, origins: Places | None, *, time_zero: TimeZero, is_strict: bool
) -> Trial:
    shape = shape_of(table.names)
    columns, notices = recognise(table.file, None, table.names, shape)
    if origins is None:
        notices = (*notices, *unseen_errors([table.file]))
    return _read(from_cells(table, columns, notices, forms, origins), shape is RECORDS, time_zero, is_strict)


def _lower_rows(table: CellTable) -> Iterator[tuple[int, list[str]]]:
    for row, line in enumerate(table.lines.tolist()):
        yield line, [column[row].as_py() or "" for column in table.columns]


def _read(source: Input, is_records: bool, time_zero: TimeZero, is_strict: bool) -> Trial:
    if is_records:
        # Which a patient table does without.
        from ahsct_trial.loading.records import read_records

        import_meanwhile(["ahsct_trial.derivation"])
        return read_records(source, time_zero, is_strict=is_strict)
    return read_patient_table(source, is_strict=is_strict)
