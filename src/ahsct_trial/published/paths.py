"""Paths in the JSON document of `summarize`: where a published figure has its counterpart."""

from __future__ import annotations

from dataclasses import is_dataclass
from difflib import get_close_matches
from typing import Any, get_args, get_origin, get_type_hints

from ahsct_trial.results import Summary

#: Leads from a list with one row per year to the row at the horizon.
AT_HORIZON = "at_horizon"


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
