"""Trials made in memory from one dictionary per patient, for tests that need thousands of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ahsct_trial import Trial
from ahsct_trial.columns import NUMERIC_KINDS, PATIENT_TABLE
from ahsct_trial.patients import YEARS_TO_BASELINE, YEARS_TO_TRANSPLANT, PatientTable
from ahsct_trial.results import Account, SourceFile, SourceInfo
from ahsct_trial.trial import Places

Row = dict[str, Any]

#: Times that coincide with each other, with the horizon of 3 years and with the landmark years.
TIMES = (0.0, 0.25, 0.2738, 0.5, 1.0, 1.5, 2.0, 2.5, 2.7, 2.9979, 3.0, 3.25, 4.0, 5.0)
_NUMBERS = {column.name for column in PATIENT_TABLE if column.kind in NUMERIC_KINDS} | {
    YEARS_TO_BASELINE,
    YEARS_TO_TRANSPLANT,
}


def as_trial(rows: list[Row]) -> Trial:
    """A trial that was read as a patient table; a row may have its own ``patient_id``."""
    columns: dict[str, Any] = {
        "patient_id": [row.get("patient_id", f"P{number}") for number, row in enumerate(rows)]
    }
    for name in rows[0]:
        if name != "patient_id":
            cells = [row[name] for row in rows]
            columns[name] = np.array(cells, dtype=np.float64) if name in _NUMBERS else pd.Categorical(cells)
    return Trial(
        data=PatientTable(
            patients=pd.DataFrame(columns), layout="patient_table", rows=np.arange(len(rows), dtype=np.int64)
        ),
        source=SourceInfo(
            files=(SourceFile(file="made.csv", sha256="", n_rows=len(rows)),), shape="patient_table"
        ),
        account=Account(rows_read=len(rows), rows_used=len(rows), set_aside=()),
        places=Places(np.arange(2, len(rows) + 2), (("made.csv", None),)),
    )
