"""All endpoints once more, slowly and in another way: plain Python over one dictionary per patient.

Written from the definitions of the endpoints and from nothing in the package. A row holds the columns of the
patient table, None where a cell is empty; a column that the file lacks is in no row. Rows that come from
records have ``years_to_baseline`` beside them where patients are at risk of worsening from then on only, and
``years_to_transplant`` where time zero is another day. Survival and incidence are computed in fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import exp, floor, inf, log, sqrt
from statistics import NormalDist
from typing import Any

Row = dict[str, Any]

SAME = 1e-9
YEARS = {
    "relapse": "years_to_first_relapse",
    "new_lesion": "years_to_first_new_lesion",
    "worsening": "years_to_worsening",
    "therapy": "years_to_therapy",
    "death": "years_to_death",
}
KNOWN_BY = {"relapse": "relapses_after", "new_lesion": "scans_after", "worsening": "edss_baseline"}
LAST = {
    "relapse": "years_to_last_visit",
    "new_lesion": "years_to_last_scan",
    "worsening": "years_to_last_edss",
}
PARTS = {
    "activity_free_survival": ("relapse", "new_lesion", "worsening"),
    "relapse_free_survival": ("relapse",),
    "mri_activity_free_survival": ("new_lesion",),
    "worsening_free_survival": ("worsening",),
    "overall_survival": (),
}


def has(rows: list[Row], *columns: str) -> bool:
    return all(column in rows[0] for column in columns)


def whole_day(years: float) -> int:
    return round(365.25 * years)


def landmark_day(years: float, window: float) -> float:
    """The third anniversary is day 1095 or 1096, and day 1095 is at 3 years."""
    return floor(Fraction(years) * Fraction(1461, 4)) - window


# ---- Until when each patient was seen ---------------------------------------------------------------------


def is_unknown(row: Row, kind: str) -> bool:
    """The file has the count (or the baseline), and the cell is empty."""
    if kind == "worsening" and "years_to_baseline" in row and row["years_to_baseline"] is None:
        return True
    return KNOWN_BY[kind] in row and row[KNOWN_BY[kind]] is None


def last_assessment(row: Row, kind: str) -> float:
    """The last assessment that could have shown an event of a kind."""
    follow_up = float(row["follow_up_years"])
    if kind == "new_lesion" and row.get("scans_after") == 0:
        return 0.0
    if LAST[kind] not in row:
        return follow_up
    if row[LAST[kind]] is not None:
        seen = float(row[LAST[kind]])
    else:
        tells = {
            "relapse": row.get("relapses_after") is not None,
            "new_lesion": (row.get("scans_after") or 0) > 0,
            "worsening": row.get("edss_last") is not None,
        }
        seen = follow_up if tells[kind] or row.get(YEARS[kind]) is not None else 0.0
    if kind == "relapse":
        # A scan and an EDSS visit are visits.
        seen = max(seen, row.get(LAST["new_lesion"]) or 0.0, row.get(LAST["worsening"]) or 0.0)
    return seen


@dataclass
class Course:
    """What one patient contributes to a survival endpoint."""

    is_left_out: bool
    entry: float  # minus infinity for time zero
    end: float
    years: float
    kind: str | None  # of the event; None for a loss
    late: tuple[float, str] | None
    row: Row


def kinds_of(key: str, protocol: Any) -> list[str]:
    """What is an event, in the order in which coinciding ones are named."""
    parts = PARTS[key]
    kinds = list(parts)
    if parts and protocol.therapy == "event":
        kinds.append("therapy")
    if not parts or protocol.death == "event":
        kinds.append("death")
    return kinds


def span(
    row: Row, parts: tuple[str, ...], protocol: Any
) -> tuple[Row, list[str], float, float | None, float]:
    """The patient, the components that are known, and until when, to which therapy, and from when observed."""
    known = [part for part in parts if not is_unknown(row, part)]
    end = float(row["follow_up_years"])
    if protocol.observation_end == "last-assessment":
        end = min([end, *(last_assessment(row, part) for part in known)])
    therapy = row.get("years_to_therapy") if parts and protocol.therapy == "censor" else None
    if therapy is not None:
        end = min(end, therapy)
    entry = -inf
    if "worsening" in known and (row.get("years_to_baseline") or 0) > SAME:
        entry = row["years_to_baseline"]
    return row, known, end, therapy, entry


def follow(rows: list[Row], key: str, protocol: Any) -> list[Course] | None:
    """Each patient's first event or loss; None where the file lacks a column that is needed."""
    parts, kinds = PARTS[key], kinds_of(key, protocol)
    needed = [YEARS[kind] for kind in kinds]
    if parts and protocol.therapy == "censor":
        needed.append(YEARS["therapy"])
    if not has(rows, *needed):
        return None

    found = [span(row, parts, protocol) for row in rows]
    # A death later than anybody is observed would be alone in its risk set.
    largest = max(
        [0.0, *(end for _, known, end, _, entry in found if len(known) == len(parts) and end > entry + SAME)]
    )

    courses = []
    for row, known, end, therapy, entry in found:
        counted, late = [], []
        for order, kind in enumerate(kinds):
            years = row[YEARS[kind]]
            if years is None or (kind in parts and kind not in known):
                continue
            is_in_time = years <= end + SAME
            if kind == "death":
                is_in_time = (
                    whole_day(years - end) <= protocol.death_reach_days
                    and years <= largest + SAME
                    and (therapy is None or years <= therapy + SAME)
                )
            (counted if is_in_time else late).append((years, order))
        years, which = end, None
        if counted:
            years = min(counted)[0]
            which = min(order for at, order in counted if at <= years + SAME)
        is_left_out = len(known) < len(parts) or end <= entry + SAME or years <= entry + SAME
        last = None
        if late and not counted and not is_left_out:
            at = min(late)[0]
            last = (at, kinds[min(order for one, order in late if one <= at + SAME)])
        courses.append(
            Course(is_left_out, entry, end, years, None if which is None else kinds[which], last, row)
        )
    return courses


# ---- The survival endpoints -------------------------------------------------------------------------------


@dataclass
class Survival:
    """A survival endpoint at the horizon; `curve` has time, at risk, events, losses and level."""

    n_patients: int
    n_unknown: int
    n_unknown_with_event: int
    n_late_events: int
    n_events: int
    n_censored: int
    n_censored_died: int | None
    n_not_followed: int
    n_at_risk: int
    n_event_free: int
    n_evaluable: int
    by_type: dict[str, int]
    value: Fraction | None
    limits: tuple[float, float] | None  # None where the method has none
    median_years: float | None
    incidence: dict[str, Fraction]
    curve: list[tuple[float, int, int, int, Fraction]]


def joined_times(times: list[float]) -> dict[float, float]:
    """Each time to the first of those that are the same."""
    first: dict[float, float] = {}
    before = start = -inf
    for time in sorted(set(times)):
        if time - before > SAME:
            start = time
        first[time], before = start, time
    return first


def survival(rows: list[Row], key: str, protocol: Any) -> Survival | None:
    courses = follow(rows, key, protocol)
    if courses is None:
        return None
    horizon = protocol.horizon_years
    landmark = landmark_day(horizon, protocol.landmark_window_days)
    kinds = kinds_of(key, protocol)
    used = [course for course in courses if not course.is_left_out]
    events = [course for course in used if course.kind is not None and course.years <= horizon + SAME]
    losses = [course for course in used if course.kind is None]
    n_reached = sum(
        whole_day(course.years) >= landmark and course.entry < horizon - SAME for course in losses
    )
    n_later = sum(
        course.kind is not None and course.years > horizon + SAME and course.entry < horizon - SAME
        for course in used
    )
    lost = [course for course in losses if course.years <= horizon + SAME]
    can_tell_deaths = has(rows, "years_to_death")

    first = joined_times([course.years for course in used] + [course.entry for course in used])
    spans = [(first[course.entry], first[course.years], course.kind) for course in used]
    level, greenwood, variance_at, value = Fraction(1), Fraction(0), Fraction(0), Fraction(1)
    incidence = dict.fromkeys(kinds, Fraction(0))
    curve = []
    for time in sorted({years for _, years, _ in spans}):
        n = sum(entry < time <= years for entry, years, _ in spans)
        n_of = {kind: sum(years == time and own == kind for _, years, own in spans) for kind in kinds}
        d = sum(n_of.values())
        if time <= horizon + SAME:
            for kind in kinds:
                incidence[kind] += level * Fraction(n_of[kind], n)
        level *= Fraction(n - d, n)
        if d < n:
            greenwood += Fraction(d, n * (n - d))
        n_lost = sum(years == time and own is None for _, years, own in spans)
        curve.append((time, n, d, n_lost, level))
        if time <= horizon + SAME:
            value, variance_at = level, greenwood

    is_estimable = bool(curve) and (whole_day(curve[-1][0]) >= landmark or curve[-1][4] == 0)
    return Survival(
        n_patients=len(used),
        n_unknown=len(rows) - len(used),
        n_unknown_with_event=sum(course.is_left_out and course.kind is not None for course in courses),
        n_late_events=sum(course.late is not None for course in courses),
        n_events=len(events),
        n_censored=len(lost),
        n_censored_died=(
            sum(
                (died := course.row["years_to_death"]) is not None and died <= horizon + SAME
                for course in lost
            )
            if can_tell_deaths
            else None
        ),
        n_not_followed=len(used) - len(events) - n_reached - n_later,
        n_at_risk=sum(
            course.entry < horizon - SAME
            and (
                course.years >= horizon - SAME
                if course.kind is not None
                else whole_day(course.years) >= landmark
            )
            for course in used
        ),
        n_event_free=n_reached + n_later,
        n_evaluable=n_reached + n_later + len(events),
        by_type={kind: sum(course.kind == kind for course in events) for kind in kinds},
        value=value if is_estimable else None,
        limits=limits(value, variance_at, protocol) if is_estimable else None,
        median_years=median_survival([(point[0], point[4]) for point in curve]),
        incidence=incidence if is_estimable else {},
        curve=curve,
    )


def limits(value: Fraction, greenwood: Fraction, protocol: Any) -> tuple[float, float] | None:
    """Of survival strictly between 0 and 1 (Klein and Moeschberger 2003, section 4.3)."""
    if not 0 < value < 1 or protocol.ci_method not in {"log-log", "log", "plain"}:
        return None
    z, s, e = NormalDist().inv_cdf((1 + protocol.confidence_level) / 2), float(value), sqrt(greenwood)
    if protocol.ci_method == "log-log":
        return exp(log(s) * exp(-z * e / log(s))), exp(log(s) * exp(z * e / log(s)))
    if protocol.ci_method == "log":
        return s * exp(-z * e), min(1.0, s * exp(z * e))
    return max(0.0, s - z * s * e), min(1.0, s + z * s * e)


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


# ---- Everything else --------------------------------------------------------------------------------------


def neda3(rows: list[Row], year: int, protocol: Any) -> tuple[int, int, int, int | None] | None:
    """Yes, no and not evaluable at one landmark year, and who of the latter had died by then."""

    class Alone:
        death, therapy = "censor", "ignore"
        observation_end = protocol.observation_end
        death_reach_days = protocol.death_reach_days

    courses = follow(rows, "activity_free_survival", Alone)
    if courses is None:
        return None
    n_yes = n_no = n_not = n_died = 0
    can_tell_deaths = has(rows, "years_to_death")
    for course in courses:
        if not course.is_left_out and course.kind is not None and course.years <= year + SAME:
            n_no += 1
        elif (
            not course.is_left_out
            and course.entry < year - SAME
            and whole_day(course.end) >= landmark_day(year, protocol.landmark_window_days)
        ):
            n_yes += 1
        else:
            n_not += 1
            died = course.row.get("years_to_death")
            n_died += died is not None and died <= year + SAME
    return n_yes, n_no, n_not, n_died if can_tell_deaths else None


@dataclass
class Rate:
    """Events over exposure on one side of time zero; `of` has the count and exposure of each patient."""

    n_patients: int
    n_unknown: int
    n_events: int
    exposure: float
    rate: float | None
    dispersion: float | None
    of: dict[int, tuple[int, float]]


def pooled(rows: list[Row], count: str, exposure: str) -> Rate | None:
    """Relapses after time zero are seen up to the last visit."""
    is_to_last_visit = exposure == "years_to_last_visit"
    if not has(rows, count) or (not is_to_last_visit and not has(rows, exposure)):
        return None
    pairs = [
        (row[count], last_assessment(row, "relapse") if is_to_last_visit else row[exposure]) for row in rows
    ]
    return rate_of({place: pair for place, pair in enumerate(pairs) if None not in pair}, len(rows))


def rate_of(of: dict[int, tuple[int, float]], n_all: int) -> Rate:
    n_events, total = sum(events for events, _ in of.values()), sum(time for _, time in of.values())
    rate = n_events / total if total else None
    dispersion = None
    exposed = [(events, time) for events, time in of.values() if time > 0]
    has_stray = any(events > 0 and time == 0 for events, time in of.values())
    if rate and len(exposed) > 1 and not has_stray:
        squares = sum((events - rate * time) ** 2 / (rate * time) for events, time in exposed)
        dispersion = squares / (len(exposed) - 1)
    return Rate(len(of), n_all - len(of), n_events, total, rate, dispersion, of)


def of_both(one: Rate | None, other: Rate | None) -> tuple[Rate, Rate] | None:
    """Two rates over the patients who are known in both."""
    if one is None or other is None:
        return None
    both = one.of.keys() & other.of.keys()
    return tuple(rate_of({place: rate.of[place] for place in both}, len(both)) for rate in (one, other))  # type: ignore[return-value]


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
    counts["n_unconfirmed"] = 0
    for row in rows:
        worse, better = row["years_to_worsening"] is not None, row["years_to_improvement"] is not None
        tells_of_visits = [name for name in ("edss_last", "years_to_last_edss") if name in row]
        was_seen = any(row[name] is not None for name in tells_of_visits) or not tells_of_visits
        counts["n_worsened"] += worse
        counts["n_improved"] += better
        counts["n_both"] += worse and better
        counts["n_unconfirmed"] += row.get("years_to_unconfirmed_worsening") is not None
        if not worse and not better:
            is_known = row["edss_baseline"] is not None and was_seen
            counts["n_neither" if is_known else "n_unknown"] += 1
    return counts | {"n_patients": len(rows) - counts["n_unknown"]}


def mortality(rows: list[Row], protocol: Any) -> dict[str, tuple[int, int] | None] | None:
    """Deaths and of how many; a transplant-related figure is None where a cause is unknown."""
    if not has(rows, "years_to_death"):
        return None
    landmark = landmark_day(protocol.horizon_years, protocol.landmark_window_days)
    early, n_early, by_horizon, n_horizon = [], 0, 0, 0
    for row in rows:
        since, died = row.get("years_to_transplant") or 0.0, row["years_to_death"]
        is_early = died is not None and whole_day(died - since) <= 100
        early += [row] if is_early else []
        n_early += is_early or whole_day(row["follow_up_years"] - since) >= 100
        is_by_horizon = died is not None and died <= protocol.horizon_years + SAME
        by_horizon += is_by_horizon
        n_horizon += is_by_horizon or whole_day(row["follow_up_years"]) >= landmark
    dead = [row for row in rows if row["years_to_death"] is not None]
    found: dict[str, tuple[int, int] | None] = {
        "all_cause_by_day_100": (len(early), n_early),
        "all_cause": (by_horizon, n_horizon),
    }
    for name, deaths, of in (
        ("transplant_related_by_day_100", early, n_early),
        ("transplant_related", dead, len(rows)),
    ):
        n = sum(row.get("cause_of_death") == "transplant" for row in deaths)
        n_unknown = sum(row.get("cause_of_death") is None for row in deaths)
        found[name] = None if n_unknown else (n, of)
        found[f"{name}_lowest"], found[f"{name}_highest"] = (n, of), (n + n_unknown, of)
    return found


def incidence_by_day_100(rows: list[Row]) -> Fraction | None:
    """One less the Kaplan–Meier estimate, in whole days from transplant."""
    spans = []
    for row in rows:
        since, died = row.get("years_to_transplant") or 0.0, row["years_to_death"]
        last = row["follow_up_years"] if died is None else died
        spans.append((max(0, whole_day(last - since)), died is not None))
    level = Fraction(1)
    for day in sorted({day for day, has_died in spans if has_died and day <= 100}):
        n = sum(last >= day for last, _ in spans)
        level *= Fraction(n - sum(last == day and has_died for last, has_died in spans), n)
    return 1 - level if level == 0 or any(day >= 100 for day, _ in spans) else None


def follow_up_completeness(rows: list[Row], horizon: float) -> float | None:
    """Person-time seen to the horizon of that which could be (Clark 2002): to the horizon, or to a death."""
    seen = possible = 0.0
    for row in rows:
        died = row.get("years_to_death")
        seen += min(row["follow_up_years"], horizon)
        possible += horizon if died is None else min(died, horizon)
    return seen / possible if possible else None
