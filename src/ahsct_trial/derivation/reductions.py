"""Reductions from rows to patients: count, sum, first and last, all patients at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.records import FloatArray, IntArray, is_first_of_patient, is_last_of_patient
from ahsct_trial.results import Notice

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
    notices
        What a person should know about records that were left out.
    """

    values: Columns
    decided_by: dict[str, IntArray] = field(default_factory=dict)
    remark: str = ""
    notices: tuple[Notice, ...] = ()


def count(patient: IntArray, n_patients: int) -> NDArray[np.float64]:
    """The number of rows of each patient; the rows are in the order of patients."""
    place = np.flatnonzero(is_first_of_patient(patient))
    found = np.zeros(n_patients)
    found[patient[place]] = np.diff(place, append=len(patient))
    return found


def total(patient: IntArray, values: FloatArray, n_patients: int) -> NDArray[np.float64]:
    """The sum of each patient's values, NaN where one of them is; the rows are in the order of patients."""
    place = np.flatnonzero(is_first_of_patient(patient))
    found = np.zeros(n_patients)
    if place.size:
        found[patient[place]] = np.add.reduceat(values, place, dtype=np.float64)
    return found


def first(patient: IntArray, n_patients: int) -> IntArray:
    """The place of each patient's first row, −1 without one; the rows are in the order of patients."""
    return _placed(patient, np.flatnonzero(is_first_of_patient(patient)), n_patients)


def last(patient: IntArray, n_patients: int) -> IntArray:
    """The place of each patient's last row, −1 without one; the rows are in the order of patients."""
    return _placed(patient, np.flatnonzero(is_last_of_patient(patient)), n_patients)


def _placed(patient: IntArray, places: IntArray, n_patients: int) -> IntArray:
    place = np.full(n_patients, NO_ROW)
    place[patient[places]] = places
    return place


def taken(values: NDArray[Any], place: IntArray) -> NDArray[np.float64]:
    """The value at each place, NaN where it is −1."""
    found = np.full(len(place), np.nan)
    is_there = place >= 0
    found[is_there] = values[place[is_there]]
    return found


def rows_of(rows: IntArray, place: IntArray) -> IntArray:
    """The row that stands at each place, −1 where there is none."""
    if not len(rows):
        return place
    return np.where(place == NO_ROW, NO_ROW, rows[place])
