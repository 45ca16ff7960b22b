"""The end of follow-up, and death, from records of any kind."""

from __future__ import annotations

import numpy as np

from ahsct_trial.derivation.patients import NO_ROW, Derived, last
from ahsct_trial.protocol import DAYS_PER_YEAR
from ahsct_trial.records import Records

_ROW_BITS = 32


def derive_follow_up(records: Records) -> Derived:
    """Find how long each patient was followed: to the last record of any kind, which is death if he died.

    Of several records on that day the last row decides. A baseline record is no observation.
    """
    n = records.n_patients
    # Day and row in one integer: the largest is the last of the last day. Each patient has one.
    latest = np.full(n, np.iinfo(np.int64).min)
    for kind, (patient, day, row) in records.observations.items():
        if kind != "baseline":
            place = last(patient, n)
            place = place[place != NO_ROW]
            key = (day[place].astype(np.int64) << _ROW_BITS) + row[place]
            latest[patient[place]] = np.maximum(latest[patient[place]], key)
    deaths = records.observations["death"]
    died_on, death_row = np.full(n, np.nan), np.full(n, NO_ROW)
    died_on[deaths.patient] = deaths.day
    death_row[deaths.patient] = deaths.row
    return Derived(
        values={
            "follow_up_years": (latest >> _ROW_BITS) / DAYS_PER_YEAR,
            "years_to_death": died_on / DAYS_PER_YEAR,
        },
        decided_by={"follow_up_years": latest & (2**_ROW_BITS - 1), "years_to_death": death_row},
    )
