"""Scans and lesions before and after transplant, from MRI records."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.derivation.patients import Columns, Derived, count, first, last, rows_of, total
from ahsct_trial.protocol import DAYS_PER_YEAR, NewLesion, Protocol
from ahsct_trial.records import Records, Scans

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
    """Count scans and lesions on each side of transplant, and find the first scan with a new lesion.

    Before (day ≤ 0): all scans, and the gadolinium-enhancing lesions on them; NaN for a patient with a
    scan that does not give their number. After: scans later than `mri_from_day` that tell whether there
    is a lesion of the kind that `new_lesion` asks for; a scan that does not tell is not counted.
    """
    n = records.n_patients
    rows, scans = records.rows("mri"), records.scans
    is_before = scans.day <= 0
    lesions, is_sum = new_lesions(scans, protocol.new_lesion)
    is_after = (scans.day > protocol.mri_from_day) & ~np.isnan(lesions)
    patient, day, found = scans.patient[is_after], scans.day[is_after], lesions[is_after]
    is_new = found > 0
    rows = rows[is_after]
    day_new, place_new = first(patient[is_new], day[is_new], n)
    day_last, place_last = last(patient, day, n)
    values: Columns = {
        "scans_after": count(patient, n),
        "scans_with_new_lesions_after": count(patient[is_new], n),
        "new_lesions_after": total(patient, found, n),
        "years_to_first_new_lesion": day_new / DAYS_PER_YEAR,
        "years_to_last_scan": day_last / DAYS_PER_YEAR,
    }
    if "gd_lesions" in records.values:
        values["scans_before"] = count(scans.patient[is_before], n)
        values["lesions_before"] = total(scans.patient[is_before], scans.gd_lesions[is_before], n)
    return Derived(
        values=values,
        decided_by={
            "years_to_first_new_lesion": rows_of(rows[is_new], place_new),
            "years_to_last_scan": rows_of(rows, place_last),
        },
        remark=_remark(protocol, has_sum=bool(is_sum[is_after].any())),
    )


def new_lesions(scans: Scans, rule: NewLesion) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Lesions per scan that count under a rule, and where they are a sum of both kinds.

    NaN where the scan does not tell. With ``either`` the number of `new_lesions` is taken where it was
    recorded; else both kinds are added; where only one kind was recorded, it tells if it found any.
    """
    if rule != "either":
        return (scans.gd_lesions if rule == "gd" else scans.new_t2_lesions), np.zeros(
            len(scans.day), dtype=bool
        )
    is_not_given = np.isnan(scans.new_lesions)
    added = scans.gd_lesions + scans.new_t2_lesions
    is_sum = is_not_given & ~np.isnan(added)
    only_one = np.fmax(scans.gd_lesions, scans.new_t2_lesions)
    added = np.where(np.isnan(added) & (only_one > 0), only_one, added)
    return np.where(is_not_given, added, scans.new_lesions), is_sum


def _remark(protocol: Protocol, *, has_sum: bool) -> str:
    sentences = [f"A new lesion is {_WORDS[protocol.new_lesion]}."]
    if has_sum:
        sentences.append(
            "Where new_lesions is not recorded the two kinds are added: a lesion that is both counts twice."
        )
    if protocol.mri_from_day:
        sentences.append(f"Scans up to day {protocol.mri_from_day:g} set the reference and are not events.")
    return " ".join(sentences)
