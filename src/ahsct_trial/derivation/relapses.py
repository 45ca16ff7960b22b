"""Relapses before and after time zero, from relapse records."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.derivation.reductions import Derived, count, first, rows_of, taken
from ahsct_trial.protocol import DAYS_PER_YEAR, Protocol
from ahsct_trial.records import Observations, Records, is_same_day
from ahsct_trial.results import Notice

#: By the usual definition a relapse begins at least so long after the one before [days].
_SOON_DAYS = 30


def derive_relapses(records: Records, protocol: Protocol) -> Derived:
    """Count relapses from `observed_from` to day 0, and those after day 0; find the first after.

    A patient without an `observed_from` record has no history: NaN for both columns before. A relapse
    before `observed_from` lies outside the observed time and is not counted. A relapse that begins less than
    `relapse_gap_days` after the onset of the one before is the same relapse.
    """
    n = records.n_patients
    patient, day, row = _distinct(records.observations["relapse"], protocol.relapse_gap_days)
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
        remark=_remark(protocol.relapse_gap_days),
        notices=_close_together(Observations(patient, day, row)),
    )


def _close_together(relapses: Observations) -> tuple[Notice, ...]:
    """The notice that relapses may be one that was recorded twice, of those that are counted."""
    is_soon = begins_soon_after(relapses, _SOON_DAYS)
    is_soon[1:] &= ~is_same_day(relapses)
    n = int(np.count_nonzero(is_soon))
    if not n:
        return ()
    text = (
        f"{n:,} {'relapse begins' if n == 1 else 'relapses begin'} within {_SOON_DAYS} days of another of the same "
        f"patient, and each is counted. Is it the same relapse? Then add --relapse-gap-days {_SOON_DAYS}."
    )
    return (Notice(code="relapses-close-together", severity="look first", text=text),)


def begins_soon_after(relapses: Observations, gap_days: float) -> NDArray[np.bool_]:
    """Whether each relapse begins less than so many days after the onset of the patient's one before."""
    patient, day, _ = relapses
    is_soon = np.zeros(len(day), dtype=bool)
    is_soon[1:] = (patient[1:] == patient[:-1]) & (day[1:] - day[:-1] < gap_days)
    return is_soon


def _distinct(relapses: Observations, gap_days: float) -> Observations:
    if not gap_days:
        return relapses
    is_new = ~begins_soon_after(relapses, gap_days)
    return Observations(*(column[is_new] for column in relapses))


def _remark(gap_days: float) -> str:
    if not gap_days:
        return ""
    return f"A relapse that begins less than {gap_days:g} days after the onset of the one before is the same."
