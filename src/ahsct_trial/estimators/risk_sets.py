"""Who is at risk and who has the event, by group, at each distinct time of each stratum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ahsct_trial.estimators.survival import SAME_TIME

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RiskSets:
    """Counts of two or more groups; one row per stratum and distinct time, times ascending in a stratum.

    Attributes
    ----------
    n_at_risk
        Patients of each group under observation just before that time, shape (m, k).
    n_events
        Events of each group at exactly that time, shape (m, k).
    stratum
        Stratum of each row, shape (m,), from 0 up.
    row
        Row at which each patient leaves, shape (n,).
    entry_row
        Row at which each patient enters, who is at risk from the next one on, shape (n,); None where
        all patients are at risk from the start.
    """

    n_at_risk: NDArray[np.int64]
    n_events: NDArray[np.int64]
    stratum: NDArray[np.intp]
    row: NDArray[np.intp]
    entry_row: NDArray[np.intp] | None


def risk_sets(
    years: ArrayLike,
    is_event: ArrayLike,
    group: ArrayLike,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
) -> RiskSets:
    """Count those at risk and those with an event, by stratum, time and group.

    At a tie events come before losses, and a patient is at risk at t where entry < t ≤ years. Times tie as
    `survival.tied` says, within a stratum.

    Parameters
    ----------
    years
        Time of the event or of the loss of each patient, shape (n,), finite and not negative.
    is_event
        Whether that time is an event, shape (n,).
    group
        Group of each patient, shape (n,): 0, 1, …, k − 1; k is at least 2, whoever is there.
    strata
        Stratum of each patient, shape (n,), any labels; None for one stratum.
    entry
        When each patient came under observation, shape (n,), before `years`; minus infinity for who is at
        risk from time 0 itself on. None where all are.

    Raises
    ------
    ValueError
        If the arrays are not of one length, a time is negative, infinite or NaN, or an entry not before it.
    """
    time = np.asarray(years, dtype=np.float64)
    happened = np.asarray(is_event, dtype=np.bool_)
    code = np.asarray(group, dtype=np.intp)
    stratum = (
        np.zeros(time.size, dtype=np.intp) if strata is None else np.unique(strata, return_inverse=True)[1]
    )
    if time.ndim != 1 or not time.shape == happened.shape == code.shape == stratum.shape:
        raise ValueError("years, is_event, group and strata must be of one length")
    if not (time.min(initial=0.0) >= 0.0 and time.max(initial=0.0) < np.inf):
        raise ValueError("years holds a negative, infinite or NaN value")
    n_groups = max(2, int(code.max(initial=0)) + 1)

    entry_row = None
    if entry is None:
        row, row_stratum = _rows(time, stratum)
    else:
        start = np.asarray(entry, dtype=np.float64)
        if start.shape != time.shape:
            raise ValueError("years and entry must be of one length")
        row, row_stratum = _rows(np.append(time, start), np.append(stratum, stratum))
        row, entry_row = row[: time.size], row[time.size :]
        if np.isnan(start).any() or not np.all(entry_row < row):
            raise ValueError("entry holds a time that is not before the patient's event or loss")

    def counted(rows: NDArray[np.intp], groups: NDArray[np.intp]) -> NDArray[np.int64]:
        cells = np.bincount(rows * n_groups + groups, minlength=row_stratum.size * n_groups)
        return cells.reshape(-1, n_groups).astype(np.int64, copy=False)

    left = counted(row, code)
    left_before = np.cumsum(left, axis=0) - left
    # Both sums run over all strata: whoever entered an earlier stratum has left it too.
    if entry_row is None:
        n_of_stratum = np.bincount(stratum * n_groups + code).astype(np.int64, copy=False)
        n_of_stratum.resize((int(row_stratum.max(initial=-1)) + 1, n_groups))
        entered_before = np.cumsum(n_of_stratum, axis=0)[row_stratum]
    else:
        entered = counted(entry_row, code)
        entered_before = np.cumsum(entered, axis=0) - entered
    return RiskSets(
        n_at_risk=entered_before - left_before,
        n_events=counted(row[happened], code[happened]),
        stratum=row_stratum,
        row=row,
        entry_row=entry_row,
    )


def _rows(time: NDArray[np.float64], stratum: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Number the distinct pairs of stratum and time; give each patient's row and each row's stratum."""
    has_strata = bool(stratum.any())
    order = np.lexsort((time, stratum)) if has_strata else np.argsort(time)
    is_start = np.ones(time.size, dtype=np.bool_)
    with np.errstate(invalid="ignore"):  # infinity less infinity, at entry
        is_start[1:] = np.diff(time[order]) > SAME_TIME
    if has_strata:
        is_start[1:] |= np.diff(stratum[order]) > 0
    row = np.empty(time.size, dtype=np.intp)
    row[order] = np.cumsum(is_start) - 1
    return row, stratum[order[is_start]]
