"""From a file to a `Cohort`: the only place that opens input, knows its dialect and judges its cells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ahsct_trial.cohort import Cohort
from ahsct_trial.columns import RECORDS
from ahsct_trial.loading.header import find_shape, read_header
from ahsct_trial.loading.patient_table import read_patient_table
from ahsct_trial.loading.records import read_records
from ahsct_trial.loading.source import read_source
from ahsct_trial.records import Records


def read_cohort(
    path: str | Path, *, encoding: str | None = None, date_format: str | None = None
) -> Cohort | Records:
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

    Returns
    -------
    Cohort or Records
        One row per patient, or raw records where the header has a column ``record``; `summarize` takes
        both. See the data dictionary for the columns.

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
    return read_records(source, header) if shape is RECORDS else read_patient_table(source, header)
