"""The end of follow-up, and death, from records of any kind."""

from __future__ import annotations

import numpy as np

from ahsct_trial.derivation.patients import NO_ROW, Derived, last
from ahsct_trial.protocol import DAYS_PER_YEAR
from ahsct_trial.records import KINDS, Records

_BASELINE = KINDS.index("baseline")


def derive_follow_up(records: Records) -> Derived:
    """Find how long each patient was followed: to the last record of any kind, which is death if he died."""
    n = records.n_patients
    is_dated = records.kind != _BASELINE
    rows = np.flatnonzero(is_dated)
    day, row = last(records.patient[rows], records.day[rows], rows, n)
    deaths = records.rows("death")
    died_on, death_row = np.full(n, np.nan), np.full(n, NO_ROW)
    died_on[records.patient[deaths]] = records.day[deaths]
    death_row[records.patient[deaths]] = deaths
    return Derived(
        values={"follow_up_years": day / DAYS_PER_YEAR, "years_to_death": died_on / DAYS_PER_YEAR},
        decided_by={"follow_up_years": row, "years_to_death": death_row},
    )
