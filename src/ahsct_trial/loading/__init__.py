"""From a file to a `Cohort`: the only place that opens input, knows its dialect and judges its cells."""

from __future__ import annotations

from pathlib import Path

from ahsct_trial.cohort import Cohort
from ahsct_trial.columns import PATIENT_TABLE
from ahsct_trial.loading.header import read_header
from ahsct_trial.loading.patient_table import read_patient_table
from ahsct_trial.loading.source import read_source


def read_cohort(path: str | Path, *, encoding: str | None = None) -> Cohort:
    """Read a trial's CSV: ``.csv``, gzip, or ``-`` for standard input.

    Parameters
    ----------
    path
        The file. Cells are separated by comma, semicolon or tab, found from the header line; semicolon
        and tab files may have decimal commas.
    encoding
        Encoding of its text where it is not UTF-8, for example ``cp1252``.

    Returns
    -------
    Cohort
        One row per patient; see the data dictionary for the columns.

    Raises
    ------
    UsageError
        If the file does not exist or cannot be read.
    DataProblems
        If anything in it is wrong: all problems at once, each with line, patient, column, value, rule and
        what to do about it.
    """
    source = read_source(path, encoding)
    return read_patient_table(source, read_header(source, PATIENT_TABLE))
