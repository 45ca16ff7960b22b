"""Scans and lesions before and after time zero, from MRI records."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.derivation.reductions import Columns, Derived, count, first, last, rows_of, taken, total
from ahsct_trial.protocol import DAYS_PER_YEAR, NewLesion, Protocol
from ahsct_trial.records import FloatArray, Records, Scans
from ahsct_trial.results import Notice

#: Record columns that a lesion rule needs; ``either`` is also served by `new_lesions` alone.
NEEDED: dict[NewLesion, tuple[str, ...]] = {
    "gd": ("gd_lesions",),
    "t2": ("new_t2_lesions",),
    "either": ("gd_lesions", "new_t2_lesions"),
}
_WORDS: dict[NewLesion, str] = {
    "gd": "a gadolinium-enhancing lesion",
    "t2": "a new or enlarging T2 lesion",
    "either": "a gadolinium-enhancing or a new or enlarging T2 lesion",
}


def derive_lesions(records: Records, protocol: Protocol) -> Derived:
    """Count scans and lesions on each side of time zero, and find the first scan with a new lesion.

    Before (day ≤ 0): all scans, and the gadolinium-enhancing lesions on them; NaN for a patient with a
    scan that does not give their number. After: scans later than `mri_from_day` that give the number of
    lesions of the kind that `new_lesion` asks for. A scan that gives only one of two kinds tells of a
    lesion, and never that there is none: a lesion on it is an event, and the patient's number of lesions is
    unknown (NaN).
    """
    n = records.n_patients
    scans, row = records.scans, records.observations["mri"].row
    is_before = scans.day <= 0
    lesions, is_sum = new_lesions(scans, protocol.new_lesion)
    is_after = scans.day > protocol.mri_from_day
    is_told = is_after & ~np.isnan(lesions)
    is_new = is_after & shows_new_lesion(scans, lesions, protocol.new_lesion)
    new, seen, untold = map(np.flatnonzero, (is_new, is_told | is_new, is_after & ~is_told))
    counted = new[is_told[new]]  # all other scans that tell their number have none
    patient_new, patient_seen = scans.patient[new], scans.patient[seen]
    place_new, place_last = first(patient_new, n), last(patient_seen, n)
    has_untold = count(scans.patient[untold], n) > 0
    n_lesions = total(scans.patient[counted], lesions[counted], n)
    values: Columns = {
        "scans_after": count(patient_seen, n),
        "scans_with_new_lesions_after": np.where(has_untold, np.nan, count(patient_new, n)),
        "new_lesions_after": np.where(has_untold, np.nan, n_lesions),
        "years_to_first_new_lesion": taken(scans.day[new], place_new) / DAYS_PER_YEAR,
        "years_to_last_scan": taken(scans.day[seen], place_last) / DAYS_PER_YEAR,
    }
    if "gd_lesions" in records.values:
        values["scans_before"] = count(scans.patient[is_before], n)
        values["lesions_before"] = total(scans.patient[is_before], scans.gd_lesions[is_before], n)
    return Derived(
        values=values,
        decided_by={
            "years_to_first_new_lesion": rows_of(row[new], place_new),
            "years_to_last_scan": rows_of(row[seen], place_last),
        },
        remark=_remark(protocol, has_sum=bool((is_sum & is_told).any())),
        notices=_untold(len(untold), protocol),
    )


def _untold(n_scans: int, protocol: Protocol) -> tuple[Notice, ...]:
    """What a person should know of scans since transplant that do not give the number of lesions."""
    if not n_scans:
        return ()
    noun = "1 scan after day 0 does" if n_scans == 1 else f"{n_scans:,} scans after day 0 do"
    needed = " and ".join(NEEDED[protocol.new_lesion])
    text = f"{noun} not give {needed}: these patients are left out of the lesion rate after {protocol.time_zero}."
    return (Notice(code="scans-without-counts", text=text),)


def new_lesions(scans: Scans, rule: NewLesion) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Lesions per scan that count under a rule, and where they are a sum of both kinds.

    NaN where the scan does not tell. With ``either`` the number of `new_lesions` is taken where it was
    recorded; else both kinds are added.
    """
    if rule != "either":
        return (scans.gd_lesions if rule == "gd" else scans.new_t2_lesions), np.zeros(
            len(scans.day), dtype=bool
        )
    is_not_given = np.isnan(scans.new_lesions)
    added = scans.gd_lesions + scans.new_t2_lesions
    is_sum = is_not_given & ~np.isnan(added)
    return np.where(is_not_given, added, scans.new_lesions), is_sum


def shows_new_lesion(scans: Scans, lesions: FloatArray, rule: NewLesion) -> NDArray[np.bool_]:
    """Whether each scan shows a lesion that counts, given the numbers that `new_lesions` found."""
    is_shown = lesions > 0
    if rule == "either":
        # Where a number is missing, what was counted is a lower bound: enough for an event.
        is_shown |= np.isnan(lesions) & ((scans.gd_lesions > 0) | (scans.new_t2_lesions > 0))
    return is_shown


def _remark(protocol: Protocol, *, has_sum: bool) -> str:
    sentences = [f"A new lesion is {_WORDS[protocol.new_lesion]}."]
    if has_sum:
        sentences.append(
            "Where new_lesions is not recorded the two kinds are added: a lesion that is both counts twice."
        )
    if protocol.mri_from_day:
        sentences.append(f"Scans up to day {protocol.mri_from_day:g} set the reference and are not events.")
    return " ".join(sentences)
