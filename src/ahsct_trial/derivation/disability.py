"""Confirmed EDSS worsening and improvement, for all patients at once.

The rule, which `_find_candidates` states once for both directions:

- **Baseline**: with ``last-before`` the last relapse-free visit at or before day 0, with ``first-stable``
  the first relapse-free one from day 0 on. There is no second choice: without such a visit the patient's
  worsening and improvement are unknown.
- **Relapse-free**: no relapse on the day of the visit or fewer than `relapse_free_days` days before it. A
  visit exactly that many days after the relapse is relapse-free; with 0 every visit is.
- **Onset**: the earliest visit after the day of the baseline visit and after day 0 with EDSS ≥ baseline +
  step (improvement: ≤ baseline − step) that is confirmed. The step is a function of the baseline value in
  both directions. An onset need not be relapse-free.
- **Confirming visit**: the first relapse-free visit on a later day than the onset whose distance from it lies
  in [weeks · 7 − early, weeks · 7 + late] days, both ends included. It and every visit between the onset
  and it, relapse-free or not, must hold the threshold. If one of them does not, this onset is not
  confirmed, a later visit of the window cannot make up for it, and the next visit after it is tried.

Days are whole, so a window with fractions contains the whole days within it; its ends are first rounded to a
millionth of a day, so that 90/7 weeks are 90 days. Visits of one patient on one day are taken in the order
of the input; where they agree, as the checks of the reading demand, their order has no influence.

Source: Montobbio N et al. Mult Scler 2024;30:1185 and their package pymsprog 1.0.7, function ``MSprog`` with
``event='firstCDW'`` or ``'firstCDI'``, ``baseline='fixed'`` and ``check_intermediate=True``. What differs on
purpose is in ``docs/worsening.md``.

Notes
-----
Visits are put in the order of one integer key, (patient, day). Whatever the rule asks is then a position in
that order, found by binary search, and only visits that hold the threshold are looked at closely. This is
done for thousands of patients at a time: their arrays stay in the processor's cache, and time grows linearly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.derivation.reductions import taken
from ahsct_trial.protocol import DAYS_PER_WEEK, Protocol
from ahsct_trial.records import (
    EdssVisits,
    FloatArray,
    IntArray,
    Relapses,
    in_order,
    is_first_of_patient,
    is_ordered,
)

Direction = Literal["worsening", "improvement"]

#: Patients worked on at a time.
_BLOCK = 8192


@dataclass(frozen=True, slots=True)
class ConfirmedChange:
    """The first confirmed change of each patient in one direction; all arrays have shape (n_patients,).

    Attributes
    ----------
    onset_day
        Day of the onset visit [days from time zero], NaN without a confirmed change.
    onset_row, confirming_row
        Rows of the onset visit and of the visit that confirmed it, −1 without a confirmed change.
    """

    onset_day: FloatArray
    onset_row: IntArray
    confirming_row: IntArray


@dataclass(frozen=True, slots=True)
class DisabilityChange:
    """What the EDSS visits of each patient come to; all arrays have shape (n_patients,).

    A row is an index into the visits as they were passed in.

    Attributes
    ----------
    baseline_edss, baseline_row
        EDSS [EDSS points] and row of the baseline visit; NaN and −1 where no visit qualifies.
    last_edss, last_day, last_row
        EDSS [EDSS points], day [days from time zero] and row of the last visit after day 0, relapse-free or
        not; NaN, NaN and −1 without one.
    baseline_day
        Day of the baseline visit, NaN without one [days from time zero].
    worsening, improvement
        The first confirmed change in each direction.
    unconfirmed_day, unconfirmed_row
        Onset of a worsening that holds up to the patient's last visit and that no visit confirmed or refuted,
        in a patient without a confirmed one; NaN and −1 without it.
    """

    baseline_edss: FloatArray
    baseline_row: IntArray
    baseline_day: FloatArray
    last_edss: FloatArray
    last_day: FloatArray
    last_row: IntArray
    worsening: ConfirmedChange
    improvement: ConfirmedChange
    unconfirmed_day: FloatArray
    unconfirmed_row: IntArray


class Candidates(NamedTuple):
    """The onsets that were tried, in the order of patients and days; each array has shape (n_candidates,).

    Of consecutive visits that hold the threshold only the first is tried if `confirm_late_days` is None:
    where it fails the others fail too, since their confirming visit is the same or a later one.

    Attributes
    ----------
    patient
        Code of the patient.
    onset_row
        Row of the visit that reached the threshold.
    confirming_row
        Row of the visit that confirmed it, or −1.
    broken_row
        Row of the first visit after the onset that did not hold the threshold and so refuted it, or −1.
        Where both this and `confirming_row` are −1, no relapse-free visit lies in the window.
    is_pending
        Whether nothing confirmed or refuted it because the patient's visits end before it could: each visit
        up to the last one holds the threshold, and the window reaches beyond the last one.
    """

    patient: IntArray
    onset_row: IntArray
    confirming_row: IntArray
    broken_row: IntArray
    is_pending: NDArray[np.bool_]


def derive_disability(
    visits: EdssVisits, relapses: Relapses, n_patients: int, protocol: Protocol
) -> DisabilityChange:
    """Find baseline, last value, and first confirmed worsening and improvement of every patient.

    Parameters
    ----------
    visits, relapses
        The records of all patients.
    n_patients
        Number of patients, above every code; one without visits has no baseline and no change.
    protocol
        Its worsening, confirmation, relapse, baseline and step settings apply.

    Returns
    -------
    DisabilityChange
        One value per patient. The module's docstring states the rule.
    """
    baseline_row, last_row, worsening, improvement = _search(
        visits, relapses, n_patients, protocol, _first_confirmed_or_pending
    )
    confirmed, pending = _split(worsening)
    unconfirmed_row = np.full(n_patients, -1)
    unconfirmed_row[pending.patient] = pending.onset_row
    unconfirmed_row[confirmed.patient] = -1
    return DisabilityChange(
        baseline_edss=taken(visits.edss, baseline_row),
        baseline_row=baseline_row,
        baseline_day=taken(visits.day, baseline_row),
        last_edss=taken(visits.edss, last_row),
        last_day=taken(visits.day, last_row),
        last_row=last_row,
        worsening=_per_patient(confirmed, visits.day, n_patients),
        improvement=_per_patient(_split(improvement)[0], visits.day, n_patients),
        unconfirmed_day=taken(visits.day, unconfirmed_row),
        unconfirmed_row=unconfirmed_row,
    )


def explain_disability(
    visits: EdssVisits, relapses: Relapses, n_patients: int, protocol: Protocol
) -> tuple[Candidates, Candidates]:
    """List what `derive_disability` tries, confirmed or not: candidates of worsening and of improvement.

    Takes the same arguments; for the reasons of one patient, pass their visits and relapses alone. Their first
    candidate with a `confirming_row` is the change that `derive_disability` reports.
    """
    _, _, worsening, improvement = _search(visits, relapses, n_patients, protocol, keep=lambda tried: tried)
    return worsening, improvement


def _search(
    visits: EdssVisits,
    relapses: Relapses,
    n_patients: int,
    protocol: Protocol,
    keep: Callable[[Candidates], Candidates],
) -> tuple[IntArray, IntArray, Candidates, Candidates]:
    """Give each patient's baseline row and last row after day 0, and what to `keep` of the candidates."""
    baseline_row, last_row = np.full((2, n_patients), -1)
    tried: dict[Direction, list[Candidates]] = {"worsening": [], "improvement": []}
    for block in _blocks(visits, relapses, n_patients, protocol):
        baseline = _find_baseline(block, protocol)
        has_late_visit = block.position(block.patients, 1) < block.stop
        codes = block.first_patient + block.patients
        baseline_row[codes] = block.row(baseline)
        last_row[codes] = block.row(np.where(has_late_visit, block.stop - 1, -1))
        for direction, candidates in tried.items():
            candidates.append(keep(_find_candidates(block, baseline, direction, protocol)))
    worsening, improvement = (
        Candidates(*map(np.concatenate, zip(*parts, strict=True))) for parts in tried.values()
    )
    return baseline_row, last_row, worsening, improvement


@dataclass(frozen=True, slots=True)
class _Block:
    """Visits of neighbouring patients in the order of (patient, day), where a position stands for a visit.

    Attributes
    ----------
    key
        Patient and day in one ascending integer, as `_make_key` packs them.
    edss
        EDSS at each position.
    patients, start, stop
        Codes within the block (0 is `first_patient`), and the positions at which the visits of each patient
        begin and end (exclusive).
    relapsed_start, relapsed_stop
        Begin and end (exclusive) of each stretch of positions that are not relapse-free; ascending, with at
        least one relapse-free position between two of them.
    day_bits, first_day
        How `_make_key` packs.
    rows, first_row, first_patient
        Input rows of all visits in this order, or None where the input has it; which of them is position 0;
        and the code of patient 0.
    """

    key: NDArray[np.int64]
    edss: FloatArray
    patients: IntArray
    start: IntArray
    stop: IntArray
    relapsed_start: IntArray
    relapsed_stop: IntArray
    day_bits: int
    first_day: int
    rows: IntArray | None
    first_row: int
    first_patient: int

    def position(self, patient: IntArray, day: IntArray | int) -> IntArray:
        """Give the position of the patient's first visit on or after `day`, else the end of their visits."""
        return np.searchsorted(self.key, _make_key(patient, day, self.day_bits, self.first_day))

    def patient(self, position: IntArray) -> IntArray:
        return self.key[position] >> self.day_bits

    def day(self, position: IntArray) -> IntArray:
        return (self.key[position] & ((1 << self.day_bits) - 1)) + self.first_day

    def row(self, position: IntArray) -> IntArray:
        """Give the input row of each position; −1 stays −1."""
        row = position + self.first_row
        return np.where(position < 0, -1, row if self.rows is None else self.rows[row])

    def next_relapse_free(self, position: IntArray) -> IntArray:
        """Give the first relapse-free position from `position` on; it may be a later patient's."""
        return self._leave_stretch(position, self.relapsed_stop)

    def last_relapse_free(self, position: IntArray) -> IntArray:
        """Give the last relapse-free position up to `position`; it may be an earlier patient's, or −1."""
        return self._leave_stretch(position, self.relapsed_start - 1)

    def _leave_stretch(self, position: IntArray, exits: IntArray) -> IntArray:
        if not len(exits):
            return position
        stretch = np.searchsorted(self.relapsed_start, position, side="right") - 1
        is_inside = (stretch >= 0) & (position < self.relapsed_stop[stretch])
        return np.where(is_inside, exits[stretch], position)


def _blocks(visits: EdssVisits, relapses: Relapses, n_patients: int, protocol: Protocol) -> Iterator[_Block]:
    """Sort visits and relapses unless they are sorted, and give them `_BLOCK` patients at a time."""
    patient, day, rows = _sort(visits.patient, visits.day)
    edss = visits.edss if rows is None else visits.edss[rows]
    relapse_patient, relapse_day, _ = _sort(relapses.patient, relapses.day)
    limits = np.append(np.arange(0, max(n_patients, 1), _BLOCK), n_patients)
    visit_limits = np.searchsorted(patient, limits).tolist()
    relapse_limits = np.searchsorted(relapse_patient, limits).tolist()
    for i, first_patient in enumerate(limits[:-1].tolist()):
        here, near = slice(*visit_limits[i : i + 2]), slice(*relapse_limits[i : i + 2])
        first_day, day_bits = _day_width(day[here])
        key = _make_key(patient[here] - first_patient, day[here], day_bits, first_day)
        patients = np.arange(limits[i + 1] - first_patient + 1)
        bounds = np.searchsorted(key, patients << day_bits)

        # Every relapse marks a window of the same length. So the windows end in the order in which they
        # begin, and those that touch merge into one stretch.
        marked = [
            np.searchsorted(key, _make_key(relapse_patient[near] - first_patient, edge, day_bits, first_day))
            for edge in (relapse_day[near], relapse_day[near] + math.ceil(protocol.relapse_free_days))
        ]
        start, stop = np.compress(marked[0] < marked[1], marked, axis=1)
        is_apart = start[1:] > stop[:-1]
        yield _Block(
            key=key,
            edss=edss[here],
            patients=patients[:-1],
            start=bounds[:-1],
            stop=bounds[1:],
            relapsed_start=start[np.append(True, is_apart)[: len(start)]],
            relapsed_stop=stop[np.append(is_apart, True)[: len(stop)]],
            day_bits=day_bits,
            first_day=first_day,
            rows=rows,
            first_row=here.start,
            first_patient=first_patient,
        )


def _day_width(day: IntArray) -> tuple[int, int]:
    """Give the first day and the bits that hold any day from there, with one to spare above the last."""
    first_day = int(day.min(initial=0))
    return first_day, (int(day.max(initial=0)) - first_day + 1).bit_length()


def _make_key(patient: IntArray, day: IntArray | int, day_bits: int, first_day: int) -> NDArray[np.int64]:
    """Pack patient and day into integers that sort like the pair; a day beyond the width moves to its end."""
    key = np.clip(np.asarray(day, dtype=np.int64) - first_day, 0, (1 << day_bits) - 1)
    packed: NDArray[np.int64] = (patient.astype(np.int64) << day_bits) + key
    return packed


def _sort(patient: IntArray, day: IntArray) -> tuple[IntArray, IntArray, IntArray | None]:
    """Sort by (patient, day), ties in the order of the input; also give the input rows, None if sorted."""
    if is_ordered(patient, day):
        return patient, day, None
    return in_order(patient, day)


def _find_baseline(block: _Block, protocol: Protocol) -> IntArray:
    """Give the position of each patient's baseline visit, −1 where none qualifies; shape (n_patients,)."""
    if protocol.baseline == "last-before":
        position = block.last_relapse_free(block.position(block.patients, 1) - 1)
        is_found = position >= block.start
    else:
        position = block.next_relapse_free(block.position(block.patients, 0))
        is_found = position < block.stop
    return np.where(is_found, position, -1)


def _find_candidates(
    block: _Block, baseline: IntArray, direction: Direction, protocol: Protocol
) -> Candidates:
    """Try the onsets in one direction by the rule that the module's docstring states."""
    # Without a baseline visit the threshold is NaN, which no visit holds.
    edss = taken(block.edss, baseline)
    step = _compute_step(edss, protocol)
    threshold = edss + step if direction == "worsening" else edss - step
    holds_threshold = np.greater_equal if direction == "worsening" else np.less_equal
    holds = np.zeros(len(block.key) + 2, dtype=np.bool_)
    holds_threshold(block.edss, np.repeat(threshold, block.stop - block.start), out=holds[1:-1])

    # Runs of visits that hold it, from the day after the baseline visit and after day 0. A baseline visit
    # never holds its own threshold, so what a run covers of the next patient lies before that baseline.
    edges = np.flatnonzero(holds[1:] != holds[:-1])
    onset, run_stop = edges[::2], edges[1::2]
    patient = block.patient(onset)
    since = block.position(patient, np.maximum(block.day(baseline[patient]), 0) + 1)
    onset, run_stop = np.maximum(onset, since), np.minimum(run_stop, block.stop[patient])
    is_run = onset < run_stop
    patient, onset, run_stop = patient[is_run], onset[is_run], run_stop[is_run]
    first, last = _confirmation_window(protocol)
    if last is not None:  # Else the first visit of a run stands for all, as `Candidates` says.
        length = run_stop - onset
        onset = np.repeat(onset - np.cumsum(length) + length, length) + np.arange(length.sum())
        patient, run_stop = np.repeat(patient, length), np.repeat(run_stop, length)

    day = block.day(onset)
    confirming = block.next_relapse_free(block.position(patient, day + first))
    window_stop = block.stop[patient] if last is None else block.position(patient, day + last + 1)
    is_broken = run_stop < np.minimum(confirming + 1, window_stop)
    is_confirmed = (confirming < window_stop) & ~is_broken
    is_at_end = run_stop == block.stop[patient]
    is_pending = is_at_end & (window_stop == block.stop[patient]) & ~is_confirmed & ~is_broken
    return Candidates(
        patient=patient + block.first_patient,
        onset_row=block.row(onset),
        confirming_row=block.row(np.where(is_confirmed, confirming, -1)),
        broken_row=block.row(np.where(is_broken, run_stop, -1)),
        is_pending=is_pending,
    )


def _confirmation_window(protocol: Protocol) -> tuple[int, int | None]:
    """Give the first and last whole day after the onset on which a visit can confirm [days]."""
    centre = protocol.worsening_confirm_weeks * DAYS_PER_WEEK
    first = max(1, math.ceil(round(centre - protocol.confirm_early_days, 6)))
    if protocol.confirm_late_days is None:
        return first, None
    return first, math.floor(round(centre + protocol.confirm_late_days, 6))


def _compute_step(edss: FloatArray, protocol: Protocol) -> FloatArray:
    """Give the change that counts from each baseline value [EDSS points]."""
    above_zero = np.where(edss < protocol.step_high_from, protocol.step_low, protocol.step_high)
    return np.where(edss == 0, protocol.step_from_zero, above_zero)


def _first_confirmed_or_pending(candidates: Candidates) -> Candidates:
    """Keep the first confirmed candidate of each patient, and the first pending one."""
    confirmed, pending = _split(candidates)
    return Candidates._make(np.concatenate(both) for both in zip(confirmed, pending, strict=True))


def _split(candidates: Candidates) -> tuple[Candidates, Candidates]:
    """The first confirmed candidate of each patient, and the first pending one."""
    parts = []
    for is_kept in (candidates.confirming_row >= 0, candidates.is_pending):
        kept = np.flatnonzero(is_kept)
        kept = kept[is_first_of_patient(candidates.patient[kept])]
        parts.append(Candidates._make(column[kept] for column in candidates))
    return parts[0], parts[1]


def _per_patient(first: Candidates, day: IntArray, n_patients: int) -> ConfirmedChange:
    """Spread the first confirmed candidates over all patients."""
    onset_row, confirming_row = np.full((2, n_patients), -1)
    onset_row[first.patient] = first.onset_row
    confirming_row[first.patient] = first.confirming_row
    return ConfirmedChange(
        onset_day=taken(day, onset_row), onset_row=onset_row, confirming_row=confirming_row
    )
