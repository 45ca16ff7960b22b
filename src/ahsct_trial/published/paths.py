"""Paths in the results as JSON: where a published figure has its counterpart.

A path leads to a number of `summarize`, or of one contrast of `compare` where it begins with ``contrasts``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from difflib import get_close_matches
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from ahsct_trial.catalogue import ENDPOINTS, Topic
from ahsct_trial.results import Contrast, Estimate, Summary

#: Leads from a list with one row per year to the row at the horizon.
AT_HORIZON = "at_horizon"
#: Leads to the contrast of the two arms that a figure names.
CONTRASTS = "contrasts"

#: What a figure is about, by the innermost name on the way to it that tells.
_TOPICS: dict[str, Topic] = {
    **{endpoint.key: endpoint.topic for endpoint in ENDPOINTS},
    "worsened": "worsening",
    "unconfirmed": "worsening",
    "improved": "improvement",
    "edss_baseline": "edss",
    "edss_last": "edss",
    "follow_up": "follow-up",
}
_YEARS = ("years", "months")
#: The printed units of an `Estimate` by its name; any other is a share.
_UNITS: dict[str, tuple[str, ...]] = {
    "hazard_ratio": ("hazard ratio",),
    "ratio": ("rate ratio",),
    "ratio_negative_binomial": ("rate ratio",),
    "median_years": _YEARS,
    "reverse_kaplan_meier": _YEARS,
    "rmst_difference": _YEARS,
}
_UNITS_OF_RATES = {"relapse_rate": ("per year",), "lesions": ("per scan",)}
#: Those of a distribution's median, lowest and highest value.
_UNITS_OF_DISTRIBUTIONS = {"edss_baseline": ("median",), "edss_last": ("median",), "follow_up": _YEARS}


def fault_of_figure(path: str) -> str | None:
    """Say what is wrong with a path to a number; None if it leads to one."""
    kind, fault = _follow(path)
    if fault is None and not any(each in {int, float} for each in _kinds(kind) if isinstance(each, type)):
        return f"{path!r} is no number"
    return fault


def estimate_at(figure: str, figure_of: str | None) -> str | None:
    """The path of the `Estimate` whose value, or whose count and denominator, the paths lead to."""
    place, _, name = figure.rpartition(".")
    if not place or Estimate not in _kinds(_follow(place)[0]):
        return None
    is_value = name == "value" and figure_of is None
    is_count = name == "n" and figure_of == f"{place}.of"
    return place if is_value or is_count else None


def units_at(path: str) -> tuple[str, ...]:
    """The units in which the number at a path may be printed; none for a count."""
    *parts, holder, name = path.split(".")
    if name in {"median", "min", "max"}:
        return _first_of(_UNITS_OF_DISTRIBUTIONS, (*parts, holder))
    if name != "value":
        return ()
    if holder.startswith("rate"):
        return _first_of(_UNITS_OF_RATES, parts)
    return _UNITS.get(holder, ("%",))


def _first_of(units: Mapping[str, tuple[str, ...]], parts: Iterable[str]) -> tuple[str, ...]:
    return next((units[part] for part in parts if part in units), ())


def is_proportion(path: str) -> bool:
    """Whether a path leads to a number from 0 to 1: a share, and no rate, ratio or count."""
    return units_at(path) == ("%",)


def is_of_contrast(path: str) -> bool:
    """Whether a path leads to a number that compares two arms."""
    return path.partition(".")[0] == CONTRASTS


def is_count_of_an_endpoint(path: str) -> bool:
    """Whether a path leads to a count that means nothing without what it is of."""
    return path.startswith("endpoints.") and int in _kinds(_follow(path)[0])


def depends_on_horizon(path: str) -> bool:
    """Whether the number at a path is another at another horizon."""
    parts = set(path.split("."))
    is_of_all_follow_up = not parts.isdisjoint({"hazard_ratio", "median_years"})
    is_of_a_horizon = any(part.endswith("_survival") or part in {"neda3", "all_cause"} for part in parts)
    return is_of_a_horizon and not is_of_all_follow_up


def topic_of(path: str) -> Topic:
    """What the number at a path is about."""
    return next((_TOPICS[part] for part in reversed(path.split(".")) if part in _TOPICS), "other")


@cache
def _follow(path: str) -> tuple[Any, str | None]:
    """The type at a path in the results, and what is wrong with the path."""
    kind: Any = Summary
    place = "the result"
    for name in path.split("."):
        names = {CONTRASTS: Contrast} if kind is Summary and name == CONTRASTS else _names(kind)
        if name not in names:
            close = get_close_matches(name, names, n=1)
            remedy = f"is {close[0]} meant?" if close else f"it has {', '.join(names) or 'no parts'}"
            return None, f"{path!r} leads nowhere: {place} has no {name!r}; {remedy}"
        kind, place = names[name], name
    return kind, None


def _names(kind: Any) -> dict[str, Any]:
    """The parts of a type, by name."""
    for each in _kinds(kind):
        if is_dataclass(each):
            return get_type_hints(each)
        if get_origin(each) is tuple and is_dataclass(get_args(each)[0]):
            row = get_args(each)[0]
            return {AT_HORIZON: row} if "years" in get_type_hints(row) else {}
    return {}


def _kinds(kind: Any) -> tuple[Any, ...]:
    """A type, or those that a union is made of."""
    return get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)
