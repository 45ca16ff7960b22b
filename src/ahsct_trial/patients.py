"""`PatientTable`: one row per patient with canonical columns and types, and the rows that decided them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.results import Notice

if TYPE_CHECKING:
    import pandas as pd

#: How the data came: one row per patient, or one per observation.
Layout = Literal["patient_table", "records"]

#: Columns that only a derivation from records gives, beside those of the data dictionary [years].
YEARS_TO_BASELINE = "years_to_baseline"
YEARS_TO_UNCONFIRMED_WORSENING = "years_to_unconfirmed_worsening"
YEARS_TO_TRANSPLANT = "years_to_transplant"


@dataclass(frozen=True, eq=False)
class PatientTable:
    """A trial's patients.

    Attributes
    ----------
    patients
        One row per patient. Numbers are float64 with NaN for missing, `patient_id` is text, the other
        texts are categories. A column that the data lack is not there.
    layout
        Whether it was read as it is, or derived from records.
    rows
        Row of the data on which each patient stands; derived from records, the row that ends follow-up.
    decided_by
        For columns derived from records, the row of the record that decided each patient's value, −1
        where none did. Empty for a patient table as it was read, whose row decides all.
    remarks
        What a definition must add about derived columns, by the key of the event.
    notices
        What a person should know about the derivation.
    """

    patients: pd.DataFrame
    layout: Layout
    rows: NDArray[np.integer[Any]]
    decided_by: Mapping[str, NDArray[np.integer[Any]]] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()

    def __len__(self) -> int:
        return len(self.patients)

    def has(self, *columns: str) -> bool:
        """Whether the data have all of the columns."""
        return not self.lacking(*columns)

    def lacking(self, *columns: str) -> tuple[str, ...]:
        """Those of the columns that the data do not have."""
        return tuple(column for column in columns if column not in self.patients)

    def numbers(self, column: str) -> NDArray[np.float64]:
        """A numeric column, NaN where missing."""
        return self.patients[column].to_numpy()

    def among(self, is_member: NDArray[np.bool_]) -> PatientTable:
        """The table of those patients for whom the flag, one each, is set."""
        return replace(
            self,
            patients=self.patients[is_member].reset_index(drop=True),
            rows=self.rows[is_member],
            decided_by={name: rows[is_member] for name, rows in self.decided_by.items()},
        )
