"""The patient table from records once more: plain loops over one patient's rows.

Written from the definitions of the records and the protocol, and from nothing in the package.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

Row = dict[str, Any]
DAYS_PER_YEAR = 365.25


def derive(rows: list[Row], protocol: Any) -> dict[str, Row]:
    """Give each patient's row, by identifier, in the order of their first rows."""
    columns = {name for row in rows for name in row}
    # Rows that are alike in every cell are one row.
    rows = [row for place, row in enumerate(rows) if not any(_is_alike(row, other) for other in rows[:place])]
    kinds = {row["record"] for row in rows}
    of_patient: dict[str, list[Row]] = {}
    for row in rows:
        of_patient.setdefault(row["patient_id"], []).append(row)
    table = {}
    for patient, own in of_patient.items():
        found = follow_up(own)
        if kinds & {"relapse", "observed_from"}:
            found |= relapses(own, protocol.relapse_gap_days)
        if "mri" in kinds and can_tell(protocol.new_lesion, columns):
            found |= scans_after(own, protocol.new_lesion, protocol.mri_from_day)
            if "gd_lesions" in columns:
                found |= scans_before(own)
        if "edss" in kinds:
            found |= edss(own, protocol)
        if "therapy" in kinds:
            found["years_to_therapy"] = years(min(days_of(own, "therapy", after=0), default=None))
        if any(row["record"] == "transplant" and row["day"] for row in rows):
            found["years_to_transplant"] = years(min(days_of(own, "transplant"), default=None))
        table[patient] = found
    return table


def _is_alike(one: Row, other: Row) -> bool:
    return all(one.get(name) == other.get(name) for name in {*one, *other})


def years(day: float | None) -> float | None:
    return None if day is None else day / DAYS_PER_YEAR


def days_of(own: list[Row], kind: str, after: int = -100_000) -> list[int]:
    return sorted(row["day"] for row in own if row["record"] == kind and row["day"] > after)


def follow_up(own: list[Row]) -> Row:
    """It ends at the last record of any kind; a death and the word of a registry are no visits."""
    seen = [row for row in own if row["record"] != "baseline"]
    visits = [row["day"] for row in seen if row["record"] not in {"death", "alive"}]
    died, cause = None, None
    for row in own:
        if row["record"] == "death":
            died, cause = row["day"], row.get("cause_of_death")
    return {
        "follow_up_years": years(max(row["day"] for row in seen)),
        "years_to_last_visit": years(max([0, *visits])),
        "years_to_death": years(died),
        "cause_of_death": cause,
    }


def relapses(own: list[Row], gap: float) -> Row:
    """Before: from `observed_from` to day 0, both included. After: from day 1 on."""
    onsets = days_of(own, "relapse")
    days = [
        day
        for before, day in zip([None, *onsets], onsets, strict=False)
        if before is None or day - before >= gap
    ]
    after = [day for day in days if day > 0]
    found: Row = {
        "relapses_after": len(after),
        "years_to_first_relapse": years(after[0]) if after else None,
        "relapses_before": None,
        "years_observed_before": None,
    }
    for start in days_of(own, "observed_from"):
        found["years_observed_before"] = years(-start)
        found["relapses_before"] = len([day for day in days if start <= day <= 0])
    return found


def can_tell(rule: str, columns: set[str]) -> bool:
    if rule == "gd":
        return "gd_lesions" in columns
    if rule == "t2":
        return "new_t2_lesions" in columns
    return "new_lesions" in columns or {"gd_lesions", "new_t2_lesions"} <= columns


def lesions_on(scan: Row, rule: str) -> float | None:
    """New lesions on a scan, None where it does not tell."""
    gd, t2, new = (scan.get(name) for name in ("gd_lesions", "new_t2_lesions", "new_lesions"))
    if rule == "gd":
        return gd
    if rule == "t2":
        return t2
    if new is not None:
        return new
    if gd is not None and t2 is not None:
        return gd + t2
    return None


def shows_lesion(scan: Row, rule: str) -> bool:
    """Whether a lesion is known: one kind alone tells that there is one, and never that there is none."""
    lesions = lesions_on(scan, rule)
    if lesions is None and rule == "either":
        return any((scan.get(name) or 0) > 0 for name in ("gd_lesions", "new_t2_lesions"))
    return bool(lesions)


def scans_after(own: list[Row], rule: str, from_day: float) -> Row:
    scans = [row for row in own if row["record"] == "mri" and row["day"] > from_day]
    with_new = [row["day"] for row in scans if shows_lesion(row, rule)]
    seen = [row["day"] for row in scans if lesions_on(row, rule) is not None or shows_lesion(row, rule)]
    is_known = all(lesions_on(row, rule) is not None for row in scans)
    return {
        "scans_after": len(seen),
        "scans_with_new_lesions_after": len(with_new) if is_known else None,
        "new_lesions_after": sum(lesions_on(row, rule) for row in scans) if is_known else None,
        "years_to_first_new_lesion": years(min(with_new, default=None)),
        "years_to_last_scan": years(max(seen, default=None)),
    }


def scans_before(own: list[Row]) -> Row:
    scans = [row for row in own if row["record"] == "mri" and row["day"] <= 0]
    counts = [row.get("gd_lesions") for row in scans]
    return {
        "scans_before": len(scans),
        "lesions_before": None if None in counts else sum(counts),
    }


def edss(own: list[Row], protocol: Any) -> Row:
    score = {row["day"]: row["edss"] for row in own if row["record"] == "edss"}
    onsets = days_of(own, "relapse")

    def is_relapse_free(day: int) -> bool:
        return all(onset > day or day - onset >= protocol.relapse_free_days for onset in onsets)

    if protocol.baseline == "last-before":
        base = max((day for day in score if day <= 0 and is_relapse_free(day)), default=None)
    else:
        base = min((day for day in score if day >= 0 and is_relapse_free(day)), default=None)
    last = max((day for day in score if day > 0), default=None)
    worse = confirmed_change(score, base, is_relapse_free, protocol, +1)
    better = confirmed_change(score, base, is_relapse_free, protocol, -1)
    # A relapse that is the continuation of another still disturbs the visit: all onsets count above.
    pending = unconfirmed_worsening(score, base, protocol) if worse is None else None
    worse_on = None if worse is None else worse[0]
    if protocol.unconfirmed == "event" and worse_on is None:
        worse_on = pending
    found = {
        "edss_baseline": None if base is None else score[base],
        "edss_last": None if last is None else score[last],
        "years_to_last_edss": years(last),
        "years_to_worsening": years(worse_on),
        "years_to_improvement": years(None if better is None else better[0]),
        "years_to_unconfirmed_worsening": years(pending),
    }
    if protocol.baseline == "first-stable":
        found["years_to_baseline"] = years(base)
    return found


def step_of(baseline: float, protocol: Any) -> float:
    if baseline == 0:
        return float(protocol.step_from_zero)
    return float(protocol.step_high if baseline >= protocol.step_high_from else protocol.step_low)


def window_of(protocol: Any) -> tuple[Fraction, Fraction | None]:
    """How long after the onset a visit may confirm: from so many days, to so many or without a last."""
    weeks = Fraction(protocol.worsening_confirm_weeks).limit_denominator(1000)
    early = Fraction(protocol.confirm_early_days).limit_denominator(1000)
    late = protocol.confirm_late_days
    return 7 * weeks - early, None if late is None else 7 * weeks + Fraction(late).limit_denominator(1000)


def confirmed_change(
    score: dict[int, float], base: int | None, is_relapse_free: Any, protocol: Any, sign: int
) -> tuple[int, int] | None:
    """The first onset that is confirmed, and the visit that confirms it."""
    if base is None:
        return None
    step = step_of(score[base], protocol)
    first, last = window_of(protocol)
    for onset in sorted(day for day in score if day > max(base, 0)):
        if sign * (score[onset] - score[base]) < step:
            continue
        for visit in sorted(day for day in score if day > onset):
            if sign * (score[visit] - score[base]) < step:
                break
            if first <= visit - onset and (last is None or visit - onset <= last) and is_relapse_free(visit):
                return onset, visit
    return None


def unconfirmed_worsening(score: dict[int, float], base: int | None, protocol: Any) -> int | None:
    """Where no visit confirmed one: the first onset that holds up to the last visit, in its window."""
    if base is None:
        return None
    step = step_of(score[base], protocol)
    _, last = window_of(protocol)
    for onset in sorted(day for day in score if day > max(base, 0)):
        later = [day for day in score if day >= onset]
        if all(score[day] - score[base] >= step for day in later) and (
            last is None or max(later) - onset <= last
        ):
            return onset
    return None
