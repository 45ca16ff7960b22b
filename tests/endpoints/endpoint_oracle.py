"""All endpoints once more, slowly and in another way: plain Python over one dictionary per patient.

Written from the definitions in docs/endpoints.md and from nothing else. A row holds the columns of the file,
None where a cell is empty; a column that the file lacks is in no row. Survival is computed in fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, exp, log, sqrt
from typing import Any

Row = dict[str, Any]

Z = 1.959963984540054  # normal quantile of 0.975
NEEDS = {
    "relapse": ("relapses_after", "years_to_first_relapse"),
    "new_lesion": ("scans_after", "years_to_first_new_lesion"),
    "worsening": ("edss_baseline", "years_to_worsening"),
}
TIME = {kind: columns[1] for kind, columns in NEEDS.items()} | {"death": "years_to_death"}
PARTS = {
    "activity_free_survival": ("relapse", "new_lesion", "worsening"),
    "relapse_free_survival": ("relapse",),
    "mri_activity_free_survival": ("new_lesion",),
    "worsening_free_survival": ("worsening",),
    "overall_survival": (),
}


def has(rows: list[Row], *columns: str) -> bool:
    return all(column in rows[0] for column in columns)


def is_unknown(row: Row, kind: str) -> bool:
    """Whether the file cannot say that an event of this kind did not happen."""
    if row[TIME[kind]] is not None:
        return False
    if kind == "relapse":
        return row["relapses_after"] is None
    if kind == "new_lesion":
        return row["scans_after"] in (None, 0)
    return row["edss_baseline"] is None


def last_seen(row: Row, kind: str) -> float:
    """Until when an event of this kind would have been noticed."""
    end: float = row["follow_up_years"]
    if kind == "relapse":
        return end
    column = "years_to_last_scan" if kind == "new_lesion" else "years_to_last_edss"
    if column not in row:
        return end
    if row[column] is not None:
        return float(row[column])
    was_scanned, has_edss = bool(row.get("scans_after")), row.get("edss_last") is not None
    was_assessed = was_scanned if kind == "new_lesion" else has_edss
    return end if was_assessed or row[TIME[kind]] is not None else 0.0


@dataclass
class Course:
    """What one patient contributes to a survival endpoint."""

    years: float
    kind: str | None  # of the event; None for a loss


def follow(row: Row, parts: tuple[str, ...], counts_death: bool) -> Course | None:
    """One patient's first event or loss; None where the outcome is unknown."""
    kinds = [*parts, "death"] if counts_death else list(parts)
    happened = [(row[TIME[kind]], order) for order, kind in enumerate(kinds) if row[TIME[kind]] is not None]
    if happened:
        years, order = min(happened)
        return Course(years, kinds[order])
    if any(is_unknown(row, kind) for kind in parts):
        return None
    return Course(min([row["follow_up_years"], *(last_seen(row, kind) for kind in parts)]), None)


@dataclass
class Estimate:
    """A survival endpoint at the horizon."""

    n_patients: int
    n_unknown: int
    n_events: int
    n_censored: int
    n_censored_died: int | None
    n_not_followed: int
    n_at_risk: int
    n_event_free: int
    n_evaluable: int
    by_type: dict[str, int]
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    median_years: float | None
    curve: list[tuple[float, int, int, int, float]]


def survival(rows: list[Row], key: str, death: str, horizon: float) -> Estimate | None:
    """One endpoint with the log-log interval of 95 %; None where the file lacks its columns."""
    parts = PARTS[key]
    counts_death = death == "event" or key == "overall_survival"
    needed = [column for kind in parts for column in NEEDS[kind]]
    if not has(rows, *needed, *(["years_to_death"] if counts_death else [])):
        return None
    all_courses = [follow(row, parts, counts_death) for row in rows]
    courses = [course for course in all_courses if course is not None]
    censored_rows = [
        row
        for row, course in zip(rows, all_courses, strict=True)
        if course is not None and course.kind is None and course.years <= horizon
    ]
    kinds = [*parts, "death"] if counts_death else list(parts)
    early = [course for course in courses if course.years <= horizon]
    n_events = sum(course.kind is not None for course in early)
    n_free = sum(
        course.years > horizon or (course.years == horizon and course.kind is None) for course in courses
    )

    level, greenwood, curve, levels = Fraction(1), Fraction(0), [], []
    at_horizon = (level, greenwood)
    for years in sorted({course.years for course in courses}):
        at_risk = sum(course.years >= years for course in courses)
        events = sum(course.years == years and course.kind is not None for course in courses)
        lost = sum(course.years == years and course.kind is None for course in courses)
        level *= Fraction(at_risk - events, at_risk)
        if events < at_risk:
            greenwood += Fraction(events, at_risk * (at_risk - events))
        curve.append((years, at_risk, events, lost, float(level)))
        levels.append((years, level))
        if years <= horizon:
            at_horizon = (level, greenwood)

    low = high = estimate = None
    is_followed = any(course.years >= horizon for course in courses)
    if courses and (is_followed or level == 0):
        estimate = float(at_horizon[0])
        if 0 < at_horizon[0] < 1:
            width = Z * sqrt(at_horizon[1]) / log(estimate)
            low, high = (exp(log(estimate) * exp(sign * width)) for sign in (-1, 1))
    return Estimate(
        n_patients=len(courses),
        n_unknown=len(rows) - len(courses),
        n_events=n_events,
        n_censored=len(early) - n_events,
        n_censored_died=(
            sum(
                row["years_to_death"] is not None and row["years_to_death"] <= horizon
                for row in censored_rows
            )
            if has(rows, "years_to_death")
            else None
        ),
        n_not_followed=sum(course.years < horizon and course.kind is None for course in courses),
        n_at_risk=sum(course.years >= horizon for course in courses),
        n_event_free=n_free,
        n_evaluable=n_free + n_events,
        by_type={kind: sum(course.kind == kind for course in early) for kind in kinds},
        estimate=estimate,
        ci_low=low,
        ci_high=high,
        median_years=median_survival(levels),
        curve=curve,
    )


def median_survival(levels: list[tuple[float, Fraction]]) -> float | None:
    """The first time at which half have had the event; midway through a stretch at exactly one half."""
    half = Fraction(1, 2)
    start = next((years for years, level in levels if level <= half), None)
    if start is None:
        return None
    if not any(level == half for _, level in levels):
        return start
    end = next((years for years, level in levels if level < half), levels[-1][0])
    return (start + end) / 2


def neda3(rows: list[Row], year: int) -> tuple[int, int, int, int | None] | None:
    """Yes, no and not evaluable at one landmark year, and who of the latter had died by then."""
    kinds = PARTS["activity_free_survival"]
    if not has(rows, *(column for kind in kinds for column in NEEDS[kind])):
        return None
    n_yes = n_no = n_not = n_died = 0
    can_tell_deaths = has(rows, "years_to_death")
    for row in rows:
        if any(row[TIME[kind]] is not None and row[TIME[kind]] <= year for kind in kinds):
            n_no += 1
        elif all(not is_unknown(row, kind) and last_seen(row, kind) >= year for kind in kinds):
            n_yes += 1
        else:
            n_not += 1
            if can_tell_deaths and row["years_to_death"] is not None and row["years_to_death"] <= year:
                n_died += 1
    return n_yes, n_no, n_not, n_died if can_tell_deaths else None


@dataclass
class Rate:
    """Events over exposure on one side of transplant."""

    n_patients: int
    n_unknown: int
    n_events: int
    exposure: float
    rate: float | None
    dispersion: float | None


def pooled(rows: list[Row], count: str, exposure: str) -> Rate | None:
    if not has(rows, count, exposure):
        return None
    pairs = [(row[count], row[exposure]) for row in rows]
    pairs = [(events, time) for events, time in pairs if events is not None and time is not None]
    n_events, total = sum(events for events, _ in pairs), sum(time for _, time in pairs)
    rate = n_events / total if total else None
    dispersion = None
    exposed = [(events, time) for events, time in pairs if time > 0]
    has_stray = any(events > 0 and time == 0 for events, time in pairs)
    if rate and len(exposed) > 1 and not has_stray:
        squares = sum((events - rate * time) ** 2 / (rate * time) for events, time in exposed)
        dispersion = squares / (len(exposed) - 1)
    return Rate(len(pairs), len(rows) - len(pairs), n_events, total, rate, dispersion)


def scans_with_lesions(rows: list[Row]) -> tuple[int, int] | None:
    columns = ("scans_with_new_lesions_after", "scans_after")
    if not has(rows, *columns):
        return None
    known = [row for row in rows if None not in (row[columns[0]], row[columns[1]])]
    return sum(row[columns[0]] for row in known), sum(row[columns[1]] for row in known)


def disability(rows: list[Row]) -> dict[str, int] | None:
    if not has(rows, "edss_baseline", "years_to_worsening", "years_to_improvement"):
        return None
    counts = dict.fromkeys(("n_worsened", "n_improved", "n_both", "n_neither", "n_unknown"), 0)
    for row in rows:
        worse, better = row["years_to_worsening"] is not None, row["years_to_improvement"] is not None
        tells_of_visits = [name for name in ("edss_last", "years_to_last_edss") if name in row]
        was_seen = any(row[name] is not None for name in tells_of_visits) or not tells_of_visits
        counts["n_worsened"] += worse
        counts["n_improved"] += better
        counts["n_both"] += worse and better
        if not worse and not better:
            is_known = row["edss_baseline"] is not None and was_seen
            counts["n_neither" if is_known else "n_unknown"] += 1
    return counts | {"n_patients": len(rows) - counts["n_unknown"]}


def transplant_deaths(rows: list[Row]) -> dict[str, int] | None:
    """Deaths of the transplant; day 100 is reached from 99.5 days on and passed at 100.5."""
    if not has(rows, "years_to_death", "cause_of_death"):
        return None
    dead = [row for row in rows if row["years_to_death"] is not None]
    of_transplant = [row for row in dead if row["cause_of_death"] == "transplant"]
    n_unknown = sum(row["cause_of_death"] is None for row in dead)
    return {
        "n_patients": len(rows) - n_unknown,
        "n_unknown": n_unknown,
        "n_deaths": len(of_transplant),
        "n_by_day_100": sum(ceil(row["years_to_death"] * 365.25 - 0.5) <= 100 for row in of_transplant),
    }
