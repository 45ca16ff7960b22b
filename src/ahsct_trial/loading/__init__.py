"""From a file to a `Trial`: the only place that opens input, knows its dialect and judges its cells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ahsct_trial.columns import RECORDS
from ahsct_trial.loading.header import find_shape, read_header
from ahsct_trial.loading.patient_table import read_patient_table
from ahsct_trial.loading.records import read_records
from ahsct_trial.loading.source import read_source
from ahsct_trial.protocol import TimeZero
from ahsct_trial.trial import Trial


def read_cohort(
    path: str | Path,
    *,
    encoding: str | None = None,
    date_format: str | None = None,
    time_zero: TimeZero = "transplant",
) -> Trial:
    """Read a trial's CSV: ``.csv``, gzip, or ``-`` for standard input.

    Parameters
    ----------
    path
        The file. Cells are separated by comma, semicolon or tab, found from the header line; semicolon
        and tab files may have decimal commas.
    encoding
        Encoding of its text where it is not UTF-8, for example ``cp1252``.
    date_format
        Form of its dates where they are not YYYY-MM-DD, in the terms of Python's `strptime`, for example
        ``%d.%m.%Y``.
    time_zero
        What makes day 0 of records.

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
        If anything in it is wrong: all problems at once, each with line, patient, column, value, rule and
        what to do about it.
    """
    source = read_source(path, encoding)
    shape = find_shape(source)
    header = replace(read_header(source, shape), date_format=date_format)
    if shape is RECORDS:
        return read_records(source, header, time_zero)
    return read_patient_table(source, header)
