"""The end of follow-up, the last visit, death and the first of other records, from records of any kind."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.columns import Column
from ahsct_trial.derivation.reductions import NO_ROW, Columns, Derived, first, rows_of, taken
from ahsct_trial.patients import YEARS_TO_TRANSPLANT
from ahsct_trial.protocol import DAYS_PER_YEAR
from ahsct_trial.records import Observations, Records, is_last_of_patient

_ROW_BITS = 32
#: What is known of a patient without a visit: it cannot show a relapse.
_NO_VISIT = {"death", "alive"}


def derive_follow_up(records: Records) -> Derived:
    """Find how long each patient was followed, and until when they were seen.

    Follow-up ends at death or the last record of any kind; the last visit is the last record other than a
    death or the word of a registry that the patient was alive, and no earlier than day 0. Of several records
    on that day the last row decides. A baseline record is no observation.
    """
    n = records.n_patients
    kinds = records.observations
    visits = _latest((kinds[kind] for kind in kinds if kind not in _NO_VISIT | {"baseline"}), n)
    others = _latest((kinds[kind] for kind in _NO_VISIT), n)
    (last_day, last_row), (visit_day, visit_row) = map(_unpacked, (np.maximum(visits, others), visits))
    is_seen = visit_day >= 0
    deaths = kinds["death"]
    values: Columns = {
        "follow_up_years": last_day / DAYS_PER_YEAR,
        "years_to_last_visit": np.where(is_seen, visit_day, 0) / DAYS_PER_YEAR,
        "years_to_death": _day_of_each(deaths, n) / DAYS_PER_YEAR,
    }
    transplants = kinds["transplant"]
    if len(transplants.row) and transplants.day.any():  # day 0 is another one
        values[YEARS_TO_TRANSPLANT] = _day_of_each(transplants, n) / DAYS_PER_YEAR
    death_row = np.full(n, NO_ROW)
    death_row[deaths.patient] = deaths.row
    return Derived(
        values=values,
        decided_by={
            "follow_up_years": last_row,
            "years_to_last_visit": np.where(is_seen, visit_row, NO_ROW),
            "years_to_death": death_row,
        },
    )


def derive_first(records: Records, column: Column) -> Derived:
    """Find the first record after day 0 of the kind that a column tells of, such as a therapy that starts."""
    patient, day, row = records.observations[column.first_record]
    is_after = day > 0
    place = first(patient[is_after], records.n_patients)
    return Derived(
        values={column.name: taken(day[is_after], place) / DAYS_PER_YEAR},
        decided_by={column.name: rows_of(row[is_after], place)},
    )


def _latest(kinds: Iterable[Observations], n_patients: int) -> NDArray[np.int64]:
    """Day and row of each patient's last observation of some kinds, in one integer, the lowest there is without one."""
    latest = np.full(n_patients, np.iinfo(np.int64).min)
    for patient, day, row in kinds:
        place = np.flatnonzero(is_last_of_patient(patient))
        of_patient = patient[place]
        key = (day[place].astype(np.int64) << _ROW_BITS) + row[place]
        latest[of_patient] = np.maximum(latest[of_patient], key)
    return latest


def _unpacked(latest: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The day and the row in each integer; a day below all others without an observation."""
    return latest >> _ROW_BITS, latest & (2**_ROW_BITS - 1)


def _day_of_each(once: Observations, n_patients: int) -> NDArray[np.float64]:
    """The day of what a patient has once at most; NaN without it."""
    day = np.full(n_patients, np.nan)
    day[once.patient] = once.day
    return day
