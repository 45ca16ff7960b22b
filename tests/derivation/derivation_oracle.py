"""The patient table from records once more: plain loops over one patient's rows.

Written from the definitions of the records and the protocol, and from nothing in the package. Confirmed
worsening and improvement have an oracle of their own in ``test_disability.py``.
"""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
DAYS_PER_YEAR = 365.25


def derive(rows: list[Row], **settings: Any) -> dict[str, Row]:
    """Give each patient's row, by identifier; `settings` are what differs from the default protocol."""
    rule = settings.get("new_lesion", "either")
    columns = {name for row in rows for name in row}
    has_scans = any(row["record"] == "mri" for row in rows)
    has_edss = any(row["record"] == "edss" for row in rows)
    of_patient: dict[str, list[Row]] = {}
    for row in rows:
        of_patient.setdefault(row["patient_id"], []).append(row)
    table = {}
    for patient, own in of_patient.items():
        found = follow_up(own) | relapses(own)
        if has_scans and can_tell(rule, columns):
            found |= scans_after(own, rule, settings.get("mri_from_day", 0))
            if "gd_lesions" in columns:
                found |= scans_before(own)
        if has_edss:
            found |= edss(own, settings.get("baseline", "last-before"), settings.get("relapse_free_days", 30))
        table[patient] = found
    return table


def years(day: float | None) -> float | None:
    return None if day is None else day / DAYS_PER_YEAR


def days_of(own: list[Row], kind: str) -> list[int]:
    return sorted(row["day"] for row in own if row["record"] == kind)


def follow_up(own: list[Row]) -> Row:
    """It ends at the last record of any kind; a baseline record has no day."""
    last = max(row["day"] for row in own if row["record"] != "baseline")
    died, cause = None, None
    for row in own:
        if row["record"] == "death":
            died, cause = row["day"], row.get("cause_of_death")
    return {"follow_up_years": years(last), "years_to_death": years(died), "cause_of_death": cause}


def relapses(own: list[Row]) -> Row:
    """Before: from `observed_from` to day 0, both included. After: from day 1 on."""
    days = days_of(own, "relapse")
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


def edss(own: list[Row], rule: str, relapse_free_days: float) -> Row:
    visits = sorted((row["day"], row["edss"]) for row in own if row["record"] == "edss")
    onsets = days_of(own, "relapse")
    calm = [
        (day, score)
        for day, score in visits
        if not any(onset <= day < onset + relapse_free_days for onset in onsets)
    ]
    if rule == "last-before":
        candidates = [score for day, score in calm if day <= 0][-1:]
    else:
        candidates = [score for day, score in calm if day >= 0][:1]
    after = [visit for visit in visits if visit[0] > 0]
    return {
        "edss_baseline": candidates[0] if candidates else None,
        "edss_last": after[-1][1] if after else None,
        "years_to_last_edss": years(after[-1][0]) if after else None,
    }
