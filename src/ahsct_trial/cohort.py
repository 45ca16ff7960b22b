"""`Cohort`: one row per patient with canonical columns and types, and where the rows come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.results import Account, SourceInfo

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Cohort:
    """A trial's patients.

    Attributes
    ----------
    patients
        One row per patient. Numbers are float64 with NaN for missing, `patient_id` is text, the other
        texts are categories. A column that the file lacks is not there.
    lines
        Line of the file on which each patient stands; derived from records, the line that ends follow-up.
    source
        The file.
    account
        What became of its rows.
    warnings
        What a person should know about the reading.
    decided_by
        For columns derived from records, the line of the record that decided each patient's value, 0
        where none did. Empty for a patient table, whose line decides all.
    remarks
        What a definition must add about derived columns, by the key of the component.
    """

    patients: pd.DataFrame
    lines: NDArray[np.integer[Any]]
    source: SourceInfo
    account: Account
    warnings: tuple[str, ...] = ()
    decided_by: Mapping[str, NDArray[np.integer[Any]]] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.patients)

    def lacking(self, *columns: str) -> tuple[str, ...]:
        """Those of the columns that the file does not have."""
        return tuple(column for column in columns if column not in self.patients)

    def numbers(self, column: str) -> NDArray[np.float64]:
        """A numeric column, NaN where missing."""
        return self.patients[column].to_numpy()

    def only(self, row: int) -> Cohort:
        """The cohort of one patient alone."""
        return self.among(np.arange(len(self)) == row)

    def among(self, is_member: NDArray[np.bool_]) -> Cohort:
        """The cohort of those patients for whom the flag, one each, is set."""
        return replace(
            self,
            patients=self.patients[is_member].reset_index(drop=True),
            lines=self.lines[is_member],
            decided_by={name: lines[is_member] for name, lines in self.decided_by.items()},
        )
