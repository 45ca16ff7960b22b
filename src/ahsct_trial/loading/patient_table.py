"""The patient table, one row per patient, from a file to a `Cohort`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ahsct_trial.cohort import Cohort
from ahsct_trial.columns import PATIENT_ID
from ahsct_trial.loading.checks import (
    Violation,
    cell_violations,
    cross_violations,
    repeated_identifiers,
)
from ahsct_trial.loading.header import Header
from ahsct_trial.loading.reading import IsWrong, Shape, read_checked, similar_identifiers
from ahsct_trial.loading.rows import Rows
from ahsct_trial.loading.source import Source


def read_patient_table(source: Source, header: Header) -> Cohort:
    """Read, check and turn into a cohort.

    Raises
    ------
    DataProblems
        All that is wrong with the file, at once.
    """
    read = read_checked(source, header, _SHAPE)
    rows = read.meaning
    patients = pd.DataFrame(
        {
            column.name: rows.numbers[column.name]
            if column.name in rows.numbers
            else rows.texts[column.name].to_pandas()
            for column in header.known.values()
        },
        copy=False,
    )
    return Cohort(
        patients=patients,
        lines=rows.lines,
        source=read.info("patient_table"),
        account=read.account,
        warnings=(*header.warnings, *similar_identifiers(rows.texts[PATIENT_ID.name])),
    )


def _check_rows(
    rows: Rows, header: Header, is_unreadable: Mapping[str, NDArray[np.bool_]], is_wrong: IsWrong
) -> Iterator[Violation]:
    yield from cell_violations(rows, header.known.values(), is_unreadable, is_wrong)
    yield from cross_violations(rows, is_wrong)


def _judge(
    parts: Sequence[Rows], lines: NDArray[np.int64], _is_wrong: IsWrong, _header: Header
) -> tuple[Rows, Iterator[Violation]]:
    rows = Rows.joined(parts, lines)
    return rows, repeated_identifiers(rows.texts[PATIENT_ID.name])


_SHAPE = Shape(_check_rows, lambda rows: rows, _judge)
