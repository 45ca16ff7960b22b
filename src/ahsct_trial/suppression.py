"""Results without small cells, for cohorts in which a small count could point to a person.

A count below the threshold, other than 0, is not shown, and neither is what it could be worked out from: the
whole endpoint goes, since its counts add up and its estimates are made of them; levels of an attribute that are
too small stand together, with the next smallest where they would still be too few; the steps of a curve, and the
lowest and highest value of a distribution, are single patients'. So do the rules of the United Kingdom's health
statistics have it (Office for National Statistics 2006, Review of the Dissemination of Health Statistics:
Confidentiality Guidance: primary and secondary suppression).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from ahsct_trial.results import (
    CohortInfo,
    Comparison,
    Contrast,
    Curve,
    Disability,
    Distribution,
    Endpoints,
    Estimate,
    EventRate,
    EventRates,
    FollowUp,
    Group,
    Mortality,
    NedaYear,
    Notice,
    Summary,
    SurvivalEndpoint,
)

Result = TypeVar("Result", Summary, Comparison)
Part = TypeVar("Part")

#: What holds counts of patients or of their events, and goes as a whole.
_CELLS = (SurvivalEndpoint, NedaYear, EventRate, Disability, Mortality)
#: Levels of an attribute that are too small to stand alone.
OTHERS = "others, too few to show"


def suppress(result: Result, below: int) -> Result:
    """Leave out every cell that is smaller than a number, and what it could be worked out from.

    Parameters
    ----------
    result
        The results.
    below
        The smallest count that is shown [patients or events]; 0 is always shown.

    Returns
    -------
    Summary or Comparison
        The same results with None where something was left out, and a note that says so.
    """
    if isinstance(result, Comparison):
        groups = tuple(_group(group, below) for group in result.groups)
        hidden = {
            field.name
            for group in groups
            for field in fields(group.endpoints)
            if _is_suppressed(getattr(group.endpoints, field.name))
        }
        return replace(
            result,
            groups=groups,
            contrasts=tuple(_contrast(each, hidden, below) for each in result.contrasts),
            tests={
                key: replace(test, log_rank=_blank(test.log_rank, below), gray={}) if key in hidden else test
                for key, test in result.tests.items()
            },
            notices=_notices(result.notices, below),
        )
    return replace(
        result,
        cohort=_cohort(result.cohort, below),
        endpoints=_endpoints(result.endpoints, below),
        notices=_notices(result.notices, below),
    )


def _group(group: Group, below: int) -> Group:
    return replace(group, cohort=_cohort(group.cohort, below), endpoints=_endpoints(group.endpoints, below))


def _note(below: int) -> str:
    return f"Not shown: a count here is below {below}."


def _is_small(n: float | None, below: int) -> bool:
    return n is not None and 0 < n < below


def _endpoints(endpoints: Endpoints, below: int) -> Endpoints:
    changed: dict[str, Any] = {}
    for field in fields(endpoints):
        part = getattr(endpoints, field.name)
        if isinstance(part, tuple):
            # Years follow from one another: one that is too small hides all.
            is_small = any(_has_small_cell(year, below) for year in part)
            changed[field.name] = tuple(_blank(year, below) for year in part) if is_small else part
        elif isinstance(part, EventRates):
            sides = (part.before, part.after)
            if any(_has_small_cell(side, below) for side in sides):
                part = _blank(part, below)
            changed[field.name] = part
        else:
            part = _blank(part, below) if _has_small_cell(part, below) else _without_extremes(part)
            # The steps of a curve are single patients'.
            changed[field.name] = (
                replace(part, curve=Curve.empty()) if isinstance(part, SurvivalEndpoint) else part
            )
    return replace(endpoints, **changed)


def _has_small_cell(part: Any, below: int) -> bool:
    """Whether a result holds a count that is too small, or a share of which one side is."""
    if not isinstance(part, _CELLS):
        return False
    return any(_is_small(n, below) for n in _counts(part))


def _counts(part: Any) -> Iterator[float]:
    for field in fields(part):
        value = getattr(part, field.name)
        if isinstance(value, Estimate):
            if value.n is not None and value.unit == "share":
                yield value.n
                yield (value.of or 0) - value.n
        elif isinstance(value, dict):
            yield from (n for n in value.values() if isinstance(n, int))
        elif isinstance(value, int) and field.name.startswith("n_"):
            yield value


def _blank(part: Part, below: int) -> Part:
    """A result without any figure; what it is and how it is defined stay."""
    changed: dict[str, Any] = {}
    for field in fields(part):  # type: ignore[arg-type]
        value = getattr(part, field.name)
        if field.name in {"label", "definition", "horizon_years", "years", "unit", "level", "reference"}:
            continue
        if field.name == "note":
            changed["note"] = _note(below)
        elif isinstance(value, Estimate):
            changed[field.name] = Estimate(unit=value.unit, note=_note(below))
        elif isinstance(value, Curve):
            changed[field.name] = Curve.empty()
        elif isinstance(value, dict):
            changed[field.name] = {
                key: Estimate(unit=one.unit, note=_note(below)) if isinstance(one, Estimate) else None
                for key, one in value.items()
            }
        elif isinstance(value, Distribution):
            changed[field.name] = _without_extremes(value)
        elif isinstance(value, tuple):
            changed[field.name] = tuple(_blank(each, below) for each in value)
        elif is_dataclass(value):
            changed[field.name] = _blank(value, below)
        else:
            changed[field.name] = None
    return replace(part, **changed)  # type: ignore[type-var]


def _is_suppressed(part: Any) -> bool:
    if isinstance(part, tuple):
        return any(_is_suppressed(each) for each in part)
    return (getattr(part, "note", None) or "").startswith("Not shown: a count")


def _contrast(contrast: Contrast, hidden: set[str], below: int) -> Contrast:
    """A contrast without the endpoints of which a group is not shown."""
    changed: dict[str, Any] = {}
    for name in hidden:
        part = getattr(contrast.endpoints, name)
        changed[name] = (
            tuple(_blank(each, below) for each in part) if isinstance(part, tuple) else _blank(part, below)
        )
    return replace(contrast, endpoints=replace(contrast.endpoints, **changed))


def _without_extremes(part: Part) -> Part:
    """A result whose distributions have no lowest and highest value, which are single patients'."""
    if isinstance(part, Distribution):
        return replace(part, min=None, max=None)
    changed = {
        field.name: _without_extremes(value)
        for field in fields(part)  # type: ignore[arg-type]
        if isinstance(value := getattr(part, field.name), Distribution)
    }
    return replace(part, **changed)  # type: ignore[type-var]


def _cohort(cohort: CohortInfo, below: int) -> CohortInfo:
    changed: dict[str, Any] = {}
    for field in fields(cohort):
        value = getattr(cohort, field.name)
        if field.name == "n_missing":
            changed["n_missing"] = {column: n for column, n in value.items() if not _is_small(n, below)}
        elif isinstance(value, dict):
            changed[field.name] = _together(value, below)
        elif isinstance(value, Distribution):
            is_few = value.n < below or _is_small(cohort.n_patients - value.n, below)
            changed[field.name] = (
                Distribution(n=0, median=None, min=None, max=None, total=None)
                if is_few
                else _without_extremes(value)
            )
        elif isinstance(value, FollowUp):
            survivors = value.survivors
            is_few = survivors.n < below or _is_small(cohort.n_patients - survivors.n, below)
            changed[field.name] = replace(
                value,
                min=None,
                max=None,
                survivors=Distribution(n=0, median=None, min=None, max=None, total=None)
                if is_few
                else _without_extremes(survivors),
            )
    return replace(cohort, **changed)


def _together(counts: dict[str, int], below: int) -> dict[str, int]:
    """Counts by level with the small ones together, and the next smallest with them until they are enough."""
    ordered = sorted(counts.items(), key=lambda item: item[1])
    n_together = taken = 0
    for _, n in ordered:
        if not _is_small(n, below) and (n_together == 0 or n_together >= below):
            break
        n_together, taken = n_together + n, taken + 1
    if not taken:
        return counts
    kept = {level for level, _ in ordered[taken:]}
    return {level: n for level, n in counts.items() if level in kept} | {OTHERS: n_together}


def _notices(notices: tuple[Notice, ...], below: int) -> tuple[Notice, ...]:
    """The notices, of which those that count patients only say what they are about."""
    return tuple(
        replace(
            notice,
            text=f"{notice.code.replace('-', ' ').capitalize()}: numbers below {below} may stand in it.",
        )
        if any(character.isdigit() for character in notice.text)
        else notice
        for notice in notices
    )
