"""From files to a `Trial`: the only place that opens input, knows its dialect and judges its cells.

The bytes are read first; the command line imports the rest of this package in a thread meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.loading.date_formats import as_date_format
from ahsct_trial.loading.file_bytes import FileBytes, read_bytes
from ahsct_trial.loading.formats.signatures import is_text
from ahsct_trial.protocol import TimeZero

if TYPE_CHECKING:
    import pandas as pd

    from ahsct_trial.trial import Trial


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
    if date_format is not None:
        date_format = as_date_format(date_format)  # a wrong one is told before a long file is read
    given = _bytes_of(source)
    from ahsct_trial.loading.trials import read_table

    return read_table(
        given,
        encoding=encoding,
        date_format=date_format,
        missing=missing,
        time_zero=time_zero,
        is_strict=is_strict,
    )


def _bytes_of(source: str | Path | pd.DataFrame) -> FileBytes | Path | pd.DataFrame:
    """The bytes of a text; a path of another file, and a DataFrame, as they are."""
    if isinstance(source, (str, Path)):
        return read_bytes(source) if is_text(source) else Path(source)
    return source


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
