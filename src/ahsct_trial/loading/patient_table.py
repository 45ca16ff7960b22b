"""The patient table, one row per patient, from a file to a `Trial`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ahsct_trial.columns import PATIENT_ID
from ahsct_trial.loading.checks import (
    Violation,
    cell_violations,
    cross_violations,
    repeated_identifiers,
)
from ahsct_trial.loading.header import Header
from ahsct_trial.loading.reading import IsWrong, Shape, read_checked, similar_identifiers
from ahsct_trial.loading.rows import CodedTexts, Rows, Texts, joined_texts
from ahsct_trial.loading.source import Source
from ahsct_trial.patients import PatientTable
from ahsct_trial.threads import side_by_side
from ahsct_trial.trial import Trial


@dataclass(frozen=True)
class Patients:
    """Rows of a patient table, whole or in part, with a value for each row.

    Attributes
    ----------
    identifiers
        Strings.
    numbers
        Numeric columns, NaN where missing.
    texts
        Text columns.
    """

    identifiers: pa.Array
    numbers: dict[str, NDArray[np.float64]]
    texts: dict[str, CodedTexts]


def read_patient_table(source: Source, header: Header) -> Trial:
    """Read and check the patients.

    Raises
    ------
    DataProblems
        All that is wrong with the file, at once.
    """
    read = read_checked(source, header, _SHAPE)
    patients = read.meaning
    import pandas as pd  # not before it is needed: it may be imported while the file is read

    columns = {PATIENT_ID.name: pa.chunked_array([patients.identifiers]).to_pandas()}
    for name, (places, different) in patients.texts.items():
        columns[name] = pd.Categorical.from_codes(places, pd.Index(different), validate=False)
    columns |= patients.numbers
    names = [column.name for column in header.known.values()]
    table = PatientTable(
        patients=pd.DataFrame({name: columns[name] for name in names}, copy=False),
        layout="patient_table",
        rows=np.arange(len(read.lines)),
    )
    return read.trial(table, (*header.notices, *similar_identifiers(patients.identifiers)))


def _check_rows(
    rows: Rows, header: Header, is_unreadable: Mapping[str, NDArray[np.bool_]], is_wrong: IsWrong
) -> Iterator[Violation]:
    yield from cell_violations(rows, header.known.values(), is_unreadable, is_wrong)
    yield from cross_violations(rows, is_wrong)


def _condense(rows: Rows) -> Patients:
    texts = {name: given for name, given in rows.columns.items() if isinstance(given, Texts)}
    return Patients(
        rows.identifiers,
        {name: rows.numbers(name) for name in rows.columns if name not in texts},
        {name: given.spread(len(rows)) for name, given in texts.items()},
    )


def _judge(
    parts: Sequence[Patients], _lines: NDArray[np.int64], _is_wrong: IsWrong, _header: Header
) -> tuple[Patients, Iterator[Violation]]:
    patients = _joined(parts)
    return patients, repeated_identifiers(patients.identifiers)


def _joined(parts: Sequence[Patients]) -> Patients:
    """Parts one after the other; they lose their columns, so that none is held twice for long."""

    def join_numbers(name: str) -> NDArray[np.float64]:
        return np.concatenate([part.numbers.pop(name) for part in parts])

    def join_texts(name: str) -> CodedTexts:
        return joined_texts(part.texts.pop(name) for part in parts)

    numbers, texts = [*parts[0].numbers], [*parts[0].texts]
    return Patients(
        pa.concat_arrays([part.identifiers for part in parts]),
        dict(zip(numbers, side_by_side(join_numbers, numbers), strict=True)),
        dict(zip(texts, side_by_side(join_texts, texts), strict=True)),
    )


_SHAPE = Shape(_check_rows, _condense, _judge)
