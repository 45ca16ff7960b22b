"""From files to a `Trial`: the only place that opens input, knows its dialect and judges its cells.

What needs pyarrow is imported behind the reading of the bytes: the command line lets a thread import it meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ahsct_trial.columns import RECORDS
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.loading.header import find_shape, read_header, recognise, shape_of
from ahsct_trial.loading.problems import fatal
from ahsct_trial.loading.signatures import is_text
from ahsct_trial.loading.source import read_source
from ahsct_trial.protocol import TimeZero
from ahsct_trial.trial import Places, Trial

if TYPE_CHECKING:
    import pandas as pd

    from ahsct_trial.loading.cells import CellTable
    from ahsct_trial.loading.inputs import Input
    from ahsct_trial.loading.values import Forms


def read_cohort(
    source: str | Path | pd.DataFrame | Sequence[str | Path],
    *,
    encoding: str | None = None,
    date_format: str | None = None,
    missing: Iterable[str] = (),
    time_zero: TimeZero = "transplant",
    is_strict: bool = False,
) -> Trial:
    """Read a trial's data: a CSV (``.csv``, gzip, or ``-`` for standard input), a workbook, or a DataFrame.

    Parameters
    ----------
    source
        The file or the DataFrame. Cells of a file are separated by comma, semicolon or tab, found from the
        header line; semicolon and tab files may have decimal commas.
    encoding
        Encoding of its text where it is not UTF-8, for example ``cp1252``.
    date_format
        Form of its dates where they are not ISO 8601: ``dd.mm.yyyy``, or in the terms of Python's `strptime`,
        ``%d.%m.%Y``.
    missing
        Texts that stand for a missing value, beside the empty cell and those that everybody knows.
    time_zero
        What makes day 0 of records.
    is_strict
        Whether what should be looked at first is an error.

    Returns
    -------
    Trial
        One row per patient, or raw records where the header has a column ``record``. See the data
        dictionary for the columns.

    Raises
    ------
    UsageError
        If the file does not exist or cannot be read.
    DataProblems
        If anything in it is wrong: all problems at once, each with lines, column, value, rule and what to do
        about it.
    """
    if isinstance(source, Sequence) and not isinstance(source, str):
        source = _only(source)
    text = read_source(source, encoding) if isinstance(source, (str, Path)) and is_text(source) else None

    from ahsct_trial.loading.inputs import from_text
    from ahsct_trial.loading.values import MISSING, Forms, as_date_format

    forms = Forms(
        date_format=None if date_format is None else as_date_format(date_format),
        missing=frozenset((*MISSING, *(token.strip() for token in missing))),
    )
    if text is not None:
        shape = find_shape(text)
        return _read(from_text(text, read_header(text, shape), forms), shape is RECORDS, time_zero, is_strict)
    if isinstance(source, (str, Path)):
        table = _first_table(Path(source))
    else:
        from ahsct_trial.loading.frames import cells_of_frame

        table = cells_of_frame(source)
    return _read_cells(table, forms, None, time_zero=time_zero, is_strict=is_strict)


def _first_table(path: Path) -> CellTable:
    """The table of a file that is not text; of a workbook the first visible sheet.

    Raises
    ------
    DataProblems
        If the sheet is empty.
    """
    from ahsct_trial.loading.formats import read_tables, sheet_names

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
    from ahsct_trial.loading.values import Forms

    return _read_cells(table, Forms(), origins, time_zero=time_zero, is_strict=is_strict)


def _read_cells(
    table: CellTable, forms: Forms, origins: Places | None, *, time_zero: TimeZero, is_strict: bool
) -> Trial:
    from ahsct_trial.loading.cells import unseen_errors
    from ahsct_trial.loading.inputs import from_cells

    shape = shape_of(table.names)
    columns, notices = recognise(table.file, None, table.names, shape)
    if origins is None:
        notices = (*notices, *unseen_errors([table.file]))
    return _read(from_cells(table, columns, notices, forms, origins), shape is RECORDS, time_zero, is_strict)


def _read(source: Input, is_records: bool, time_zero: TimeZero, is_strict: bool) -> Trial:
    if is_records:
        from ahsct_trial.loading.records import read_records

        return read_records(source, time_zero, is_strict=is_strict)
    from ahsct_trial.loading.patient_table import read_patient_table

    return read_patient_table(source, is_strict=is_strict)


def _only(paths: Sequence[str | Path]) -> str | Path:
    """The only one of some files.

    Raises
    ------
    UsageError
        If there are several, which only a map can join, or none.
    """
    if len(paths) != 1:
        listed = ", ".join(shown(str(path)) for path in paths[:5])
        raise UsageError(
            f"There are {len(paths)} files ({listed}): give one, or a map that says how to join them."
        )
    return paths[0]
