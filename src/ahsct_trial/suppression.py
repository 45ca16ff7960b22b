"""Results without small cells, for cohorts in which a small count could point to a person.

A count below the threshold, other than 0, is not shown, and neither is what it could be worked out from: the
whole endpoint goes, since its counts add up and its estimates are made of them; levels of an attribute that
are too small stand together, with the next smallest where they would still be too few; the steps of a curve,
and the lowest and highest value of a distribution, are single patients'; and notes that hold a number go,
which may count patients or name a day. So do the rules of the United Kingdom's health statistics have it
(Office for National Statistics 2006, Review of the Dissemination of Health Statistics: Confidentiality
Guidance: primary and secondary suppression).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.results import (
    CohortInfo,
    Comparison,
    Contrast,
    Curve,
    Distribution,
    Endpoints,
    Estimate,
    EventRates,
    FollowUp,
    Group,
    Mortality,
    Notice,
    Summary,
)

Result = TypeVar("Result", Summary, Comparison)
Part = TypeVar("Part")

#: Levels of an attribute that are too small to stand alone.
OTHERS = "others (each too few to show)"
_NO_VALUES = Distribution(n=0, median=None, min=None, max=None, total=None)


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

    Raises
    ------
    UsageError
        If all patients, or those of a group, are fewer than that.
    """
    if isinstance(result, Comparison):
        for group in result.groups:
            _refuse_few(group.cohort.n_patients, below, f"{shown(result.by.column)} {shown(group.level)} has")
        hidden = {
            field.name
            for group in result.groups
            for field in fields(group.endpoints)
            if field.name in _of_few_more(group.endpoints, below)
            or _is_hidden(getattr(group.endpoints, field.name), group.cohort.n_patients, below)
        }
        return replace(
            result,
            groups=tuple(_group(group, below) for group in result.groups),
            contrasts=tuple(_contrast(each, hidden, below) for each in result.contrasts),
            tests={
                key: replace(test, log_rank=_blank(test.log_rank, below), gray={}) if key in hidden else test
                for key, test in result.tests.items()
            },
            notices=_notices(result.notices, below),
        )
    _refuse_few(result.cohort.n_patients, below, "There are")
    return replace(
        result,
        cohort=_cohort(result.cohort, below),
        endpoints=_endpoints(result.endpoints, result.cohort.n_patients, below),
        notices=_notices(result.notices, below),
    )


def _group(group: Group, below: int) -> Group:
    return replace(
        group,
        cohort=_cohort(group.cohort, below),
        endpoints=_endpoints(group.endpoints, group.cohort.n_patients, below),
    )


def _refuse_few(n_patients: int, below: int, who: str) -> None:
    if n_patients < below:
        raise UsageError(
            f"{who} fewer than {below} patients, too few to show anything of them. "
            "Leave them out with --where, or join them with others."
        )


def _note(below: int) -> str:
    return f"Not shown: a count here is below {below}."


def _is_small(n: float | None, below: int) -> bool:
    return n is not None and 0 < n < below


def _endpoints(endpoints: Endpoints, n_patients: int, below: int) -> Endpoints:
    changed: dict[str, Any] = {}
    later = _of_few_more(endpoints, below)
    for field in fields(endpoints):
        part = getattr(endpoints, field.name)
        if field.name in later or _is_hidden(part, n_patients, below):
            part = (
                tuple(_blank(year, below) for year in part)
                if isinstance(part, tuple)
                else _blank(part, below)
            )
        else:
            is_ratio_hidden = isinstance(part, EventRates) and _is_ratio_of_few(part, below)
            part = _without_single_patients(part)
            if is_ratio_hidden:
                part = _without_ratio(part, below)
        changed[field.name] = part
    return replace(endpoints, **changed)


def _of_few_more(endpoints: Endpoints, below: int) -> set[str]:
    """Endpoints that count few patients more than a survival endpoint does up to the horizon."""
    counts = {
        "disability": (endpoints.disability.worsened.n, endpoints.worsening_free_survival.n_events),
        "mortality": (endpoints.mortality.all_cause.n, endpoints.overall_survival.n_events),
    }
    return {
        name
        for name, (ever, by_horizon) in counts.items()
        if ever is not None and by_horizon is not None and _is_small(abs(ever - by_horizon), below)
    }


def _is_hidden(part: Any, n_patients: int, below: int) -> bool:
    """Whether an endpoint goes as a whole: years follow from one another, and so do both sides of a rate."""
    parts = part if isinstance(part, tuple) else (part,)
    if isinstance(part, EventRates):
        parts = (part.before, part.after)
    return any(_is_small(n, below) for each in parts for n in _counts(each, n_patients))


def _counts(part: Any, n_patients: int) -> Iterator[float]:
    """The counts of an endpoint, and those that follow from them: what is left of a share, who is in none."""
    for field in fields(part):
        value = getattr(part, field.name)
        if isinstance(value, Estimate):
            if value.n is not None and value.unit == "share":
                yield value.n
                yield (value.of or 0) - value.n
            if isinstance(part, Mortality) and value.of is not None:
                yield n_patients - value.of
        elif isinstance(value, Distribution):
            yield value.n
            yield n_patients - value.n
        elif isinstance(value, dict):
            yield from (n for n in value.values() if isinstance(n, int))
        elif isinstance(value, int) and field.name.startswith("n_"):
            yield value


def _is_ratio_of_few(rates: EventRates, below: int) -> bool:
    """Whether the ratio is of so few patients, or of all but so few of one side."""
    n_both = rates.n_patients_in_ratio
    if n_both is None:
        return False
    rest = ((side.n_patients or n_both) - n_both for side in (rates.before, rates.after))
    return any(_is_small(n, below) for n in (n_both, *rest))


def _without_ratio(rates: EventRates, below: int) -> EventRates:
    nothing = Estimate(unit="ratio", note=_note(below))
    return replace(
        rates,
        ratio=nothing,
        ratio_negative_binomial=nothing,
        n_patients_in_ratio=None,
        note=_note(below),
    )


def _without_single_patients(part: Any) -> Any:
    """A result without what is told of single patients: steps of a curve, extremes, and numbers in notes."""
    if isinstance(part, tuple):
        return tuple(_without_single_patients(each) for each in part)
    if isinstance(part, Curve):
        return Curve.empty()
    if isinstance(part, dict):
        return {key: _without_single_patients(each) for key, each in part.items()}
    if not is_dataclass(part) or isinstance(part, type):
        return part
    changed = {field.name: _without_single_patients(getattr(part, field.name)) for field in fields(part)}
    if isinstance(part, Distribution):
        changed |= {"min": None, "max": None}
    if any(map(str.isdigit, changed.get("note") or "")):
        changed["note"] = None
    return replace(part, **changed)


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
            changed[field.name] = _NO_VALUES
        elif isinstance(value, tuple):
            changed[field.name] = tuple(_blank(each, below) for each in value)
        elif is_dataclass(value):
            changed[field.name] = _blank(value, below)
        else:
            changed[field.name] = None
    return replace(part, **changed)  # type: ignore[type-var]


def _contrast(contrast: Contrast, hidden: set[str], below: int) -> Contrast:
    """A contrast without the endpoints of which a group is not shown."""
    changed: dict[str, Any] = {}
    for name in hidden:
        part = getattr(contrast.endpoints, name)
        changed[name] = (
            tuple(_blank(each, below) for each in part) if isinstance(part, tuple) else _blank(part, below)
        )
    return replace(contrast, endpoints=replace(contrast.endpoints, **changed))


def _cohort(cohort: CohortInfo, below: int) -> CohortInfo:
    changed: dict[str, Any] = {}
    for field in fields(cohort):
        value = getattr(cohort, field.name)
        if field.name == "n_missing":
            changed["n_missing"] = {column: n for column, n in value.items() if not _is_small(n, below)}
        elif isinstance(value, dict):
            n_without = cohort.n_patients - sum(value.values())
            # Few patients without a level would follow from the others: they stand with the small levels.
            without = {"": n_without} if value and _is_small(n_without, below) else {}
            changed[field.name] = _together(value | without, below)
        elif isinstance(value, Distribution):
            is_few = value.n < below or _is_small(cohort.n_patients - value.n, below)
            changed[field.name] = _NO_VALUES if is_few else _without_single_patients(value)
        elif isinstance(value, FollowUp):
            survivors = value.survivors
            is_few = survivors.n < below or _is_small(cohort.n_patients - survivors.n, below)
            changed[field.name] = replace(
                value,
                min=None,
                max=None,
                survivors=_NO_VALUES if is_few else _without_single_patients(survivors),
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
            text=f"A notice is not shown, since it may tell numbers below {below}: {notice.code.replace('-', ' ')}.",
        )
        if any(character.isdigit() for character in notice.text)
        else notice
        for notice in notices
    )
