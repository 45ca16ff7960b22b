"""Reductions from rows to patients: count, sum, first and last, all patients at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.integer[Any]]

Columns = dict[str, NDArray[np.floating[Any]]]

#: No row decided the value.
NO_ROW = -1
_ROW_BITS = 32


@dataclass(frozen=True)
class Derived:
    """Columns of the patient table, and the records that decided them.

    Attributes
    ----------
    values
        Columns by canonical name, float64 with NaN for missing; shape (n_patients,).
    decided_by
        For some of them the row of the deciding record, −1 without one; shape (n_patients,).
    remark
        What a definition must say about how they were derived.
    """

    values: Columns
    decided_by: dict[str, IntArray] = field(default_factory=dict)
    remark: str = ""


def count(patient: IntArray, n_patients: int) -> NDArray[np.float64]:
    """The number of rows of each patient."""
    return np.bincount(patient, minlength=n_patients).astype(np.float64)


def total(patient: IntArray, values: NDArray[np.float64], n_patients: int) -> NDArray[np.float64]:
    """The sum of each patient's values; NaN where one of them is."""
    return np.bincount(patient, weights=values, minlength=n_patients).astype(np.float64)


def first(
    patient: IntArray, day: IntArray, rows: IntArray, n_patients: int
) -> tuple[NDArray[np.float64], IntArray]:
    """The earliest day of each patient and its row, NaN and −1 without one; ties go to the lowest row."""
    # Day and row in one integer: the smallest one is the first day with the first of its rows.
    found = np.full(n_patients, np.iinfo(np.int64).max)
    np.minimum.at(found, patient, (day.astype(np.int64) << _ROW_BITS) + rows)
    has_none = found == np.iinfo(np.int64).max
    return _split(found, has_none)


def last(
    patient: IntArray, day: IntArray, rows: IntArray, n_patients: int
) -> tuple[NDArray[np.float64], IntArray]:
    """The latest day of each patient and its row, NaN and −1 without one; ties go to the highest row."""
    found = np.full(n_patients, np.iinfo(np.int64).min)
    np.maximum.at(found, patient, (day.astype(np.int64) << _ROW_BITS) + rows)
    has_none = found == np.iinfo(np.int64).min
    return _split(found, has_none)


def _split(found: NDArray[np.int64], has_none: NDArray[np.bool_]) -> tuple[NDArray[np.float64], IntArray]:
    day = np.where(has_none, np.nan, found >> _ROW_BITS)
    row = np.where(has_none, NO_ROW, found & ((1 << _ROW_BITS) - 1))
    return day, row
