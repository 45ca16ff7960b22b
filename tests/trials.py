"""Trials made in memory from one dictionary per patient, for tests that need thousands of them."""

from __future__ import annotations

from random import Random
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


def some_patient(random: Random) -> Row:
    """One row that passes the checks of reading, with empty cells where they are allowed.

    Events may come after the last assessment. Some times differ from others by less than can be meant.
    """

    def near(years: float) -> float:
        return years + random.choice([0.0] * 8 + [1e-10, -1e-10]) if years else years

    end = near(random.choice(TIMES))

    def maybe(value: Any) -> Any:
        return random.choice([None, value, value])

    def some_time(last: float = end) -> float:
        earlier = [years for years in TIMES if years <= last - 1e-6]
        return near(random.choice(earlier)) if earlier else last

    def event() -> float | None:
        return (random.choice([None, some_time()]) or None) if end else None

    row: Row = {"follow_up_years": end}
    row["years_to_last_visit"] = maybe(some_time())
    row["years_to_first_relapse"] = relapse = event()
    row["relapses_after"] = maybe(0 if relapse is None else random.randint(1, 3))

    row["scans_after"] = scans = maybe(random.randint(0, 3))
    row["years_to_last_scan"] = None if scans == 0 else maybe(some_time())
    row["years_to_first_new_lesion"] = lesion = None if scans == 0 else event()
    n_with_lesions = 0 if lesion is None else random.randint(1, scans or 3)
    row["scans_with_new_lesions_after"] = maybe(n_with_lesions)
    row["new_lesions_after"] = maybe(0 if lesion is None else random.randint(n_with_lesions, 4))

    for column in ("edss_baseline", "edss_last"):
        row[column] = maybe(random.choice([0.0, 1.0, 4.0, 5.5]))
    row["years_to_last_edss"] = maybe(some_time())
    row["years_to_worsening"], row["years_to_improvement"] = event(), event()
    row["years_to_therapy"] = event() if random.random() < 0.5 else None

    row["years_observed_before"] = observed = maybe(random.choice([0.0, 0.5, 2.0]))
    row["relapses_before"] = 0 if observed == 0 else maybe(random.randint(0, 3))
    row["scans_before"] = scans_before = maybe(random.randint(0, 2))
    row["lesions_before"] = 0 if scans_before == 0 else maybe(random.randint(0, 3))

    has_died = random.random() < 0.3
    row["years_to_death"] = end if has_died else None
    row["cause_of_death"] = maybe(random.choice(["transplant", "ms", "other"])) if has_died else None
    return row


def complete(row: Row) -> Row:
    """The same patient without an unknown component, so that a composite has someone."""
    filled = {"relapses_after": 0 if row["years_to_first_relapse"] is None else 1}
    filled |= {"scans_after": row["scans_with_new_lesions_after"] or 1, "edss_baseline": 1.0}
    return row | {name: value for name, value in filled.items() if row[name] is None}


#: Drawing rows from a pool is fifty times as fast as drawing each cell, and the list still shrinks.
POOL = [
    complete(row) if number % 2 else row
    for random in [Random(2016)]
    for number in range(5000)
    for row in [some_patient(random)]
]
