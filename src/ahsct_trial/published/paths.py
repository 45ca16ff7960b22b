"""Paths in the JSON document of `summarize`: where a published figure has its counterpart."""

from __future__ import annotations

from dataclasses import is_dataclass
from difflib import get_close_matches
from typing import Any, get_args, get_origin, get_type_hints

from ahsct_trial.results import (
    Disability,
    Interval,
    LesionRate,
    MortalityByDay,
    RelapseRate,
    Summary,
    SurvivalEndpoint,
    TransplantRelatedMortality,
)

#: Leads from a list with one row per year to the row at the horizon.
AT_HORIZON = "at_horizon"

#: The number that the ci_low and ci_high beside it are an interval of.
_ESTIMATES: dict[Any, str] = {
    SurvivalEndpoint: "estimate",
    Interval: "value",
    RelapseRate: "rate",
    LesionRate: "lesions_per_scan",
    TransplantRelatedMortality: "value",
    MortalityByDay: "value",
}
#: A count, what it is of, and the part that holds the interval of their ratio; an empty part is the whole.
_PAIRS: dict[Any, dict[tuple[str, str], str]] = {
    SurvivalEndpoint: {("n_event_free", "n_evaluable"): "proportion"},
    RelapseRate: {("n_relapses", "person_years"): ""},
    LesionRate: {("n_lesions", "n_scans"): "", ("n_scans_with_lesions", "n_scans"): "scans_with_lesions"},
    Disability: {("n_worsened", "n_patients"): "worsened", ("n_improved", "n_patients"): "improved"},
    TransplantRelatedMortality: {("n_deaths", "n_patients"): ""},
    MortalityByDay: {("n_deaths", "n_patients"): ""},
}
#: Counts that are not of patients, though they stand beside such.
_NOT_PATIENTS = {"n_relapses", "n_lesions", "n_scans", "n_scans_with_lesions", "n_sites", "n_rows"}
_ALL_PATIENTS = {"n_patients", "n_evaluable"}


def fault_of_figure(path: str) -> str | None:
    """Say what is wrong with a path to a number; None if it leads to one."""
    kind, fault = _follow(path)
    if fault is None and not set(get_args(kind) or (kind,)) & {int, float}:
        return f"{path!r} is no number"
    return fault


def fault_of_interval(path: str) -> str | None:
    """Say what is wrong with a path to something with confidence limits; None if it leads there."""
    kind, fault = _follow(path)
    if fault is None and "ci_low" not in _names(kind):
        return f"{path!r} has no ci_low and ci_high"
    return fault


def interval_of(figure: str, figure_of: str | None) -> str | None:
    """The path of the interval of a number, or of a count and what it is of; None if there is none."""
    place, _, name = figure.rpartition(".")
    holder, _ = _follow(place) if place else (Summary, None)
    if figure_of is None:
        return place if _ESTIMATES.get(holder) == name else None
    place_of, _, name_of = figure_of.rpartition(".")
    part = _PAIRS.get(holder, {}).get((name, name_of)) if place_of == place else None
    return None if part is None else f"{place}.{part}".removesuffix(".")


def is_proportion(path: str) -> bool:
    """Whether a path leads to a number from 0 to 1: a share, and no rate, ratio or count."""
    place, _, name = path.rpartition(".")
    holder, _ = _follow(place) if place else (Summary, None)
    is_other = holder in {RelapseRate, LesionRate} or place.endswith(".ratio")
    return _ESTIMATES.get(holder) == name and not is_other


def is_count_of_an_endpoint(path: str) -> bool:
    """Whether a path leads to a count that means nothing without what it is of."""
    kind, _ = _follow(path)
    return path.startswith("endpoints.") and int in (get_args(kind) or (kind,))


def denominator_of(path: str) -> str | None:
    """The path of what a share is of: the count beside a proportion, or the patients of an estimate."""
    place = path.rpartition(".")[0]
    holder, _ = _follow(place)
    if holder is SurvivalEndpoint:
        return f"{place}.n_patients"
    for home, part in ((place, ""), place.rpartition(".")[::2]):
        for (_, of), own in _PAIRS.get(_follow(home)[0], {}).items() if home else ():
            if own == part:
                return f"{home}.{of}"
    return None


def counts_patients(figure: str, figure_of: str | None) -> bool:
    """Whether a pair of paths leads to some patients of all those that are counted."""
    if figure_of is None:
        return False
    name, name_of = figure.rpartition(".")[2], figure_of.rpartition(".")[2]
    is_count = all(int in (get_args(kind) or (kind,)) for kind in (_follow(figure)[0], _follow(figure_of)[0]))
    return is_count and name not in _NOT_PATIENTS and name_of in _ALL_PATIENTS


def _follow(path: str) -> tuple[Any, str | None]:
    """The type at a path in a `Summary`, and what is wrong with the path."""
    kind: Any = Summary
    place = "a summary"
    for name in path.split("."):
        names = _names(kind)
        if name not in names:
            close = get_close_matches(name, names, n=1)
            remedy = f"is {close[0]} meant?" if close else f"it has {', '.join(names) or 'no parts'}"
            return None, f"{path!r} leads nowhere: {place} has no {name!r}; {remedy}"
        kind, place = names[name], name
    return kind, None


def _names(kind: Any) -> dict[str, Any]:
    """The parts of a type, by name."""
    if is_dataclass(kind):
        return get_type_hints(kind)
    if get_origin(kind) is tuple and is_dataclass(get_args(kind)[0]):
        return {AT_HORIZON: get_args(kind)[0]} if "years" in get_type_hints(get_args(kind)[0]) else {}
    return {}
