"""`Records`: a trial's observations as they were made, one row each, checked and coded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ahsct_trial.columns import MEASUREMENTS, RECORD_KINDS
from ahsct_trial.results import Account, SourceInfo

IntArray = NDArray[np.integer[Any]]

#: Bits of a 64-bit integer that a sort key may use; the sign stays out.
_KEY_BITS = 63

#: A record's kind is stored as its index in this order.
KINDS = tuple(RECORD_KINDS)


class Relapses(NamedTuple):
    """Relapses of all patients in any order; each array has shape (n_relapses,).

    Attributes
    ----------
    patient
        Code of the patient, from 0.
    day
        Whole days from transplant, negative before it [days].
    """

    patient: IntArray
    day: IntArray


class EdssVisits(NamedTuple):
    """EDSS visits of all patients in any order; each array has shape (n_visits,).

    Visits that come sorted by (patient, day) are not sorted again.

    Attributes
    ----------
    patient
        Code of the patient, from 0.
    day
        Whole days from transplant, negative before it [days].
    edss
        EDSS without missing values [EDSS points].
    """

    patient: IntArray
    day: IntArray
    edss: NDArray[np.floating[Any]]


class Scans(NamedTuple):
    """MRI scans of all patients in any order; each array has shape (n_scans,).

    Attributes
    ----------
    patient
        Code of the patient, from 0.
    day
        Whole days from transplant, negative before it [days].
    gd_lesions, new_t2_lesions, new_lesions
        Gadolinium-enhancing lesions, new or enlarging T2 lesions, and lesions that are one or the other;
        NaN where it was not recorded.
    """

    patient: IntArray
    day: IntArray
    gd_lesions: NDArray[np.float64]
    new_t2_lesions: NDArray[np.float64]
    new_lesions: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Records:
    """All records of a trial, in the order of the file.

    Attributes
    ----------
    patient
        Code of each record's patient, from 0; shape (n_records,).
    kind
        Index of its kind in `KINDS`; shape (n_records,).
    day
        Whole days from transplant [days], 0 for a baseline record; shape (n_records,).
    values
        The measurements by column: one element per record of the kind that has the column, in the order
        of its rows. A column that the file lacks is not there.
    patients
        `patient_id` and the attributes of the baseline records, one row per patient in the order of codes.
    edss_rows
        Rows of the ``edss`` records in the order of patient and day; shape (n_visits,).
    lines
        Line of the file on which each record stands; shape (n_records,).
    source, account, warnings
        As in `Cohort`.
    """

    patient: IntArray
    kind: NDArray[np.int8]
    day: IntArray
    edss_rows: NDArray[np.intp]
    values: dict[str, NDArray[Any]]
    patients: pd.DataFrame
    lines: IntArray
    source: SourceInfo
    account: Account
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.patient)

    @property
    def n_patients(self) -> int:
        """Number of patients."""
        return len(self.patients)

    @cached_property
    def _rows(self) -> dict[str, NDArray[np.intp]]:
        return {name: np.flatnonzero(self.kind == code) for code, name in enumerate(KINDS) if name != "edss"}

    def rows(self, kind: str) -> NDArray[np.intp]:
        """The rows of one kind: ascending, and of ``edss`` in the order of patient and day."""
        return self.edss_rows if kind == "edss" else self._rows[kind]

    @cached_property
    def relapses(self) -> Relapses:
        """All relapses, in the order of their rows."""
        rows = self.rows("relapse")
        return Relapses(self.patient[rows], self.day[rows])

    @cached_property
    def edss_visits(self) -> EdssVisits:
        """All EDSS visits, in the order of patient and day."""
        rows = self.rows("edss")
        return EdssVisits(self.patient[rows], self.day[rows], self.values.get("edss", np.empty(0)))

    @cached_property
    def scans(self) -> Scans:
        """All MRI scans, in the order of their rows."""
        rows = self.rows("mri")
        unknown = np.full(len(rows), np.nan)
        gd, t2, new = (
            self.values.get(name, unknown) for name in ("gd_lesions", "new_t2_lesions", "new_lesions")
        )
        return Scans(self.patient[rows], self.day[rows], gd, t2, new)

    def only(self, patient: int) -> Records:
        """The records of one patient alone."""
        is_own = self.patient == patient
        rows = np.flatnonzero(is_own)
        own_edss = self.edss_rows[is_own[self.edss_rows]]
        return replace(
            self,
            patient=np.zeros(len(rows), dtype=self.patient.dtype),
            kind=self.kind[rows],
            day=self.day[rows],
            edss_rows=np.searchsorted(rows, own_edss),
            values={
                column: self.values[column][is_own[self.rows(kind)]]
                for kind, columns in MEASUREMENTS.items()
                for column in columns
                if column in self.values
            },
            patients=self.patients.iloc[[patient]].reset_index(drop=True),
            lines=self.lines[rows],
        )


def is_ordered(patient: IntArray, day: IntArray) -> bool:
    """Whether rows are in the order of patient and day already."""
    is_same = patient[1:] == patient[:-1]
    return not (patient[1:] < patient[:-1]).any() and not (is_same & (day[1:] < day[:-1])).any()


def order_by_patient_and_day(patient: IntArray, day: IntArray) -> NDArray[np.intp]:
    """Positions in the order of patient and day, ties in the order of the input."""
    if is_ordered(patient, day):
        return np.arange(len(patient))
    first_day = int(day.min())
    day_bits = (int(day.max()) - first_day).bit_length()
    row_bits = len(patient).bit_length()
    key = (patient.astype(np.int64) << day_bits) + (day.astype(np.int64) - first_day)
    if int(patient.max()).bit_length() + day_bits + row_bits > _KEY_BITS:
        return np.argsort(key, kind="stable")
    # With the row in its lowest bits a key is unique: a plain sort keeps ties in order, and is the fastest.
    key = (key << row_bits) + np.arange(len(key))
    key.sort()
    return key & ((1 << row_bits) - 1)
