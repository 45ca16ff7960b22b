"""`Cohort`: one row per patient with canonical columns and types, and where the rows come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ahsct_trial.results import Account, SourceInfo


@dataclass(frozen=True, eq=False)
class Cohort:
    """A trial's patients.

    Attributes
    ----------
    patients
        One row per patient. Numbers are float64 with NaN for missing, `patient_id` is text, the other
        texts are categories. A column that the file lacks is not there.
    lines
        Line of the file on which each patient stands.
    source
        The file.
    account
        What became of its rows.
    warnings
        What a person should know about the reading.
    """

    patients: pd.DataFrame
    lines: NDArray[np.int64]
    source: SourceInfo
    account: Account
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.patients)

    def lacking(self, *columns: str) -> tuple[str, ...]:
        """Those of the columns that the file does not have."""
        return tuple(column for column in columns if column not in self.patients)

    def numbers(self, column: str) -> NDArray[np.float64]:
        """A numeric column, NaN where missing."""
        return self.patients[column].to_numpy()
