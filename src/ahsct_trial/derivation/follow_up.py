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
    # A baseline record stands on day 0 and is no observation; each patient has one from day 0 on.
    day, row = last(records.patient, records.day, n, records.kind != _BASELINE)
    deaths = records.rows("death")
    died_on, death_row = np.full(n, np.nan), np.full(n, NO_ROW)
    died_on[records.patient[deaths]] = records.day[deaths]
    death_row[records.patient[deaths]] = deaths
    return Derived(
        values={"follow_up_years": day / DAYS_PER_YEAR, "years_to_death": died_on / DAYS_PER_YEAR},
        decided_by={"follow_up_years": row, "years_to_death": death_row},
    )
