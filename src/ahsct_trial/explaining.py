"""Why an event-free figure differs: what the cohort's events are, and what it would be if less counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ahsct_trial.counterparts import CohortResults, Counterpart, found_in
from ahsct_trial.endpoints.components import COMPONENTS
from ahsct_trial.endpoints.time_to_event import DEFINITIONS, Definition, all_courses, survival_endpoint
from ahsct_trial.protocol import DeathRule, Protocol
from ahsct_trial.published import Figure
from ahsct_trial.results import SurvivalEndpoint
from ahsct_trial.rounding import round_half_up

_TYPES = {component.key: component.words for component in COMPONENTS} | {"death": "death"}
_OTHER_RULE: dict[DeathRule, tuple[DeathRule, str]] = {
    "event": ("censor", "With the death rule changed, so that a death ends the observation,"),
    "censor": ("event", "With the death rule changed, so that a death counts as an event,"),
}


def survival_definition(figure: Figure) -> Definition | None:
    """The survival endpoint that a figure is part of; None for any other figure."""
    parts = (figure.figure or "").split(".")
    return next((each for each in DEFINITIONS if parts[:2] == ["endpoints", each.key]), None)


def horizon_not_stated(figure: Figure, protocol: Protocol) -> list[str]:
    """Say at which horizon a cohort's figure stands whose publication states none."""
    if figure.horizon_years is not None or not figure.is_at_horizon:
        return []
    return [f"No horizon is stated; this cohort's figure is at year {protocol.horizon_years:g}."]


def why_it_differs(results: CohortResults, figure: Figure, protocol: Protocol) -> Iterator[str]:
    """Sentences from the cohort's own numbers, for a figure that is part of a survival endpoint."""
    definition = survival_definition(figure)
    if definition is None:
        return
    endpoint: SurvivalEndpoint = getattr(results.summary(protocol, figure.where).endpoints, definition.key)
    yield _events(endpoint)
    if endpoint.note is not None:
        yield endpoint.note
    own = results.counterpart(figure, protocol)
    for component in definition.components:
        others = tuple(each for each in definition.components if each is not component)
        if others and getattr(endpoint.events_by_type, component.key):
            counted = replace(definition, components=others)
            yield from _instead(
                f"Not counting {component.words},", _redone(results, figure, counted, protocol), own, figure
            )
    if definition.components:
        other_rule, words = _OTHER_RULE[protocol.death]
        other = replace(protocol, death=other_rule)
        yield from _instead(words, results.counterpart(figure, other), own, figure)


def _events(endpoint: SurvivalEndpoint) -> str:
    by_type = {words: getattr(endpoint.events_by_type, key) for key, words in _TYPES.items()}
    listed = ", ".join(f"{words} {n:,}" for words, n in by_type.items() if n)
    return f"Events here up to year {endpoint.horizon_years:g}: {listed or 'none'}."


def _redone(
    results: CohortResults, figure: Figure, definition: Definition, protocol: Protocol
) -> Counterpart:
    """The figure where the endpoint counts less."""
    cohort = results.cohort(protocol, figure.where)
    endpoint = survival_endpoint(cohort, definition, all_courses(cohort), protocol)
    redone: dict[str, Any] = {definition.key: endpoint}
    summary = results.summary(protocol, figure.where)
    return found_in(replace(summary, endpoints=replace(summary.endpoints, **redone)), figure)


def _instead(words: str, other: Counterpart, own: Counterpart, figure: Figure) -> Iterator[str]:
    """What the figure would be, if it would be another."""
    if other.value is None or (other.value, other.of) == (own.value, own.of):
        return
    as_published = ", as published" if _printed(other, figure) == _published(figure) else ""
    yield f"{words} it is {_printed(other, figure)}{as_published}."


def _printed(counterpart: Counterpart, figure: Figure) -> str:
    """A counterpart as the publication prints its figure."""
    shift = 2 if figure.unit == "%" else 0
    n_decimals = len(figure.value.partition(".")[2])
    value = round_half_up(counterpart.value or 0, n_decimals, shift=shift)
    return _worded(value, None if counterpart.of is None else f"{counterpart.of:.0f}", figure.unit)


def _published(figure: Figure) -> str:
    return _worded(figure.value, figure.of, figure.unit)


def _worded(value: str, of: str | None, unit: str) -> str:
    return value + (f" {unit}" if unit else "") + (f" of {of}" if of is not None else "")
