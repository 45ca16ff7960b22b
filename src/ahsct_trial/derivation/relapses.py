"""Relapses before and after transplant, from relapse records."""

from __future__ import annotations

import numpy as np

from ahsct_trial.derivation.patients import Derived, count, first, rows_of, taken
from ahsct_trial.protocol import DAYS_PER_YEAR
from ahsct_trial.records import Records


def derive_relapses(records: Records) -> Derived:
    """Count relapses from `observed_from` to day 0, and those after day 0; find the first after.

    A patient without an `observed_from` record has no history: NaN for both columns before. A relapse
    before `observed_from` lies outside the observed time and is not counted.
    """
    n = records.n_patients
    patient, day, row = records.observations["relapse"]
    starts = records.observations["observed_from"]
    start = np.full(n, np.nan)
    start[starts.patient] = starts.day
    # Comparing with NaN is false, so a patient without a history counts none here.
    is_before = (day <= 0) & (day >= start[patient])
    is_after = day > 0
    place = first(patient[is_after], n)
    return Derived(
        values={
            "years_observed_before": (0 - start) / DAYS_PER_YEAR,
            "relapses_before": np.where(np.isnan(start), np.nan, count(patient[is_before], n)),
            "relapses_after": count(patient[is_after], n),
            "years_to_first_relapse": taken(day[is_after], place) / DAYS_PER_YEAR,
        },
        decided_by={"years_to_first_relapse": rows_of(row[is_after], place)},
    )
