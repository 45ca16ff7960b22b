"""Reductions from rows to patients: count, sum, first and last, all patients at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.records import IntArray

Columns = dict[str, NDArray[np.floating[Any]]]

#: No row decided the value.
NO_ROW = -1


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
    warnings
        What a person should know about records that were left out.
    """

    values: Columns
    decided_by: dict[str, IntArray] = field(default_factory=dict)
    remark: str = ""
    warnings: tuple[str, ...] = ()


def count(patient: IntArray, n_patients: int) -> NDArray[np.float64]:
    """The number of rows of each patient."""
    return np.bincount(patient, minlength=n_patients).astype(np.float64)


def total(patient: IntArray, values: NDArray[np.float64], n_patients: int) -> NDArray[np.float64]:
    """The sum of each patient's values; NaN where one of them is."""
    return np.bincount(patient, weights=values, minlength=n_patients).astype(np.float64)


def first(patient: IntArray, day: IntArray, n_patients: int) -> tuple[NDArray[np.float64], IntArray]:
    """The earliest day of each patient and its place among the rows; ties go to the first row.

    NaN and −1 for a patient without a row.
    """
    found = np.full(n_patients, np.iinfo(day.dtype).max, dtype=day.dtype)
    np.minimum.at(found, patient, day)
    return _placed(found, patient, np.flatnonzero(day == found[patient])[::-1])


def last(
    patient: IntArray, day: IntArray, n_patients: int, is_counted: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float64], IntArray]:
    """The latest day of each patient and its place among the rows; ties go to the last row.

    NaN and −1 for a patient without a row. Only rows that count are placed; where some do not, each patient
    has one that does on his latest day.
    """
    found = np.full(n_patients, np.iinfo(day.dtype).min, dtype=day.dtype)
    np.maximum.at(found, patient, day)
    is_last = day == found[patient]
    if is_counted is not None:
        is_last &= is_counted
    return _placed(found, patient, np.flatnonzero(is_last))


def _placed(found: IntArray, patient: IntArray, places: IntArray) -> tuple[NDArray[np.float64], IntArray]:
    """Days as floats, and for each patient the last of his places."""
    place = np.full(len(found), NO_ROW)
    place[patient[places]] = places
    return np.where(place == NO_ROW, np.nan, found), place


def rows_of(rows: IntArray, place: IntArray) -> IntArray:
    """The row that stands at each place, −1 where there is none."""
    if not len(rows):
        return place
    return np.where(place == NO_ROW, NO_ROW, rows[place])
