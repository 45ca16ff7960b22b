"""`Records`: a trial's observations as they were made, one row each, checked and coded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.chunks import chunks
from ahsct_trial.columns import RECORD_KINDS

if TYPE_CHECKING:
    import pandas as pd

IntArray = NDArray[np.integer[Any]]
FloatArray = NDArray[np.floating[Any]]

#: Holds all that a score or a number of lesions can be, in half the memory.
MEASURED = np.float32

#: Bits of a 64-bit integer that a sort key may use; the sign stays out.
_KEY_BITS = 63

#: Kinds of record, in the order in which the dictionary describes them.
KINDS = tuple(RECORD_KINDS)


class Relapses(NamedTuple):
    """Relapses of all patients in any order; each array has shape (n_relapses,).

    Attributes
    ----------
    patient
        Code of the patient, from 0.
    day
        Whole days from time zero, negative before it [days].
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
        Whole days from time zero, negative before it [days].
    edss
        EDSS without missing values [EDSS points].
    """

    patient: IntArray
    day: IntArray
    edss: FloatArray


class Scans(NamedTuple):
    """MRI scans of all patients in the order of patient and day; each array has shape (n_scans,).

    Attributes
    ----------
    patient
        Code of the patient, from 0.
    day
        Whole days from time zero, negative before it [days].
    gd_lesions, new_t2_lesions, new_lesions
        Gadolinium-enhancing lesions, new or enlarging T2 lesions, and lesions that are one or the other;
        NaN where it was not recorded.
    """

    patient: IntArray
    day: IntArray
    gd_lesions: FloatArray
    new_t2_lesions: FloatArray
    new_lesions: FloatArray


class Observations(NamedTuple):
    """Records of one kind in the order of patient, day and row; each array has shape (n_observations,).

    Attributes
    ----------
    patient
        Code of the patient, from 0.
    day
        Whole days from time zero, negative before it [days]; 0 for a baseline record.
    row
        Number of the record among the rows of the file that hold a value, from 0.
    """

    patient: IntArray
    day: IntArray
    row: IntArray

    def only(self, patient: int) -> slice:
        """Where the observations of one patient stand."""
        return slice(*np.searchsorted(self.patient, [patient, patient + 1]).tolist())


@dataclass(frozen=True, eq=False)
class Records:
    """All records of a trial.

    Attributes
    ----------
    observations
        The records by kind, of each kind in `KINDS`. Each patient has a record from day 0 on that is no
        baseline record. An EDSS visit without a score stands among the last contacts.
    values
        The measurements by column: one element per observation of the kind that has the column, in the same
        order; scores and counts as `MEASURED`. A column that the file lacks is not there.
    patients
        `patient_id` and the attributes, one row per patient in the order of codes. The categories of a text
        are those that a patient has, in the order in which they come in the file.
    """

    observations: dict[str, Observations]
    values: dict[str, NDArray[Any]]
    patients: pd.DataFrame

    def __len__(self) -> int:
        return sum(len(of_kind.row) for of_kind in self.observations.values())

    @property
    def n_patients(self) -> int:
        """Number of patients."""
        return len(self.patients)

    @property
    def relapses(self) -> Relapses:
        """All relapses, in the order of patient and day."""
        patient, day, _ = self.observations["relapse"]
        return Relapses(patient, day)

    @property
    def edss_visits(self) -> EdssVisits:
        """All EDSS visits, in the order of patient and day."""
        patient, day, _ = self.observations["edss"]
        return EdssVisits(patient, day, self.values.get("edss", np.empty(0, dtype=MEASURED)))

    @property
    def scans(self) -> Scans:
        """All MRI scans, in the order of patient and day."""
        patient, day, _ = self.observations["mri"]
        unknown = np.full(len(day), np.nan, dtype=MEASURED)
        gd, t2, new = (
            self.values.get(name, unknown) for name in ("gd_lesions", "new_t2_lesions", "new_lesions")
        )
        return Scans(patient, day, gd, t2, new)


def is_first_of_patient(patient: IntArray) -> NDArray[np.bool_]:
    """Whether each row, in the order of patients, is the first of its patient."""
    return np.append(True, patient[1:] != patient[:-1])[: len(patient)]


def is_last_of_patient(patient: IntArray) -> NDArray[np.bool_]:
    """Whether each row, in the order of patients, is the last of its patient."""
    return np.append(patient[1:] != patient[:-1], True)[: len(patient)]


def is_same_day(observations: Observations) -> NDArray[np.bool_]:
    """Whether each observation but the first is of the patient and day of the one before."""
    patient, day, _ = observations
    is_same: NDArray[np.bool_] = (patient[1:] == patient[:-1]) & (day[1:] == day[:-1])
    return is_same


def is_ordered(patient: IntArray, day: IntArray) -> bool:
    """Whether rows are in the order of patient and day already."""
    is_same = patient[1:] == patient[:-1]
    return not (patient[1:] < patient[:-1]).any() and not (is_same & (day[1:] < day[:-1])).any()


def in_order(patient: IntArray, day: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Patients and days in the order of patient and day, and the place from which each comes.

    Ties keep the order of the input.
    """
    n = len(patient)
    first_day = int(day.min())
    day_bits = (int(day.max()) - first_day).bit_length()
    place_bits = n.bit_length()
    if int(patient.max()).bit_length() + day_bits + place_bits > _KEY_BITS:
        order = np.lexsort((day, patient))
        return patient[order], day[order], order
    # With the place in its lowest bits a key is unique: a plain sort keeps ties in order, and is the fastest.
    key = np.empty(n, dtype=np.int64)
    for chunk in chunks(n):
        packed = np.left_shift(patient[chunk], day_bits, out=key[chunk], dtype=np.int64)
        packed += day[chunk]
        packed -= first_day
        packed <<= place_bits
        packed += np.arange(chunk.start, chunk.stop)
    key.sort()
    ordered_patient, ordered_day, place = np.empty((3, n), dtype=np.int32)
    for chunk in chunks(n):
        packed = key[chunk]
        place[chunk] = packed & ((1 << place_bits) - 1)
        packed >>= place_bits
        ordered_day[chunk] = (packed & ((1 << day_bits) - 1)) + first_day
        packed >>= day_bits
        ordered_patient[chunk] = packed
    return ordered_patient, ordered_day, place
