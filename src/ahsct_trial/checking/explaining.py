"""Why an event-free figure differs: what the cohort's events are, and what it would be if less counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ahsct_trial.catalogue import EVENTS, SURVIVAL_ENDPOINTS, SurvivalEndpoint
from ahsct_trial.checking.counterparts import Counterpart, TrialResults, found_in
from ahsct_trial.endpoints.observation import components
from ahsct_trial.endpoints.survival import survival_endpoint
from ahsct_trial.protocol import DeathRule, Protocol
from ahsct_trial.published import Figure
from ahsct_trial.results import SurvivalEndpoint as SurvivalResult
from ahsct_trial.rounding import round_half_up

_OTHER_RULE: dict[DeathRule, tuple[DeathRule, str]] = {
    "event": ("censor", "With the death rule changed, so that a death ends the observation,"),
    "censor": ("event", "With the death rule changed, so that a death counts as an event,"),
}


def endpoint_of(figure: Figure) -> SurvivalEndpoint | None:
    """The survival endpoint that a figure is part of; None for any other figure."""
    parts = (figure.figure or "").split(".")
    return next((each for each in SURVIVAL_ENDPOINTS if parts[:2] == ["endpoints", each.key]), None)


def horizon_not_stated(figure: Figure, protocol: Protocol) -> list[str]:
    """Say at which horizon a cohort's figure stands whose publication states none."""
    if figure.horizon_years is not None or not figure.is_at_horizon:
        return []
    return [f"No horizon is stated; this cohort's figure is at year {protocol.horizon_years:g}."]


def why_it_differs(results: TrialResults, figure: Figure, protocol: Protocol) -> Iterator[str]:
    """Sentences from the cohort's own numbers, for a figure that is part of a survival endpoint."""
    declared = endpoint_of(figure)
    if declared is None or figure.contrast is not None:
        return
    endpoint: SurvivalResult = getattr(results.summary(protocol, figure.where).endpoints, declared.key)
    yield _events(endpoint)
    if endpoint.note is not None:
        yield endpoint.note
    counterpart = results.counterpart(figure, protocol)
    for event in () if results.suppression else declared.components:
        others = tuple(each for each in declared.components if each is not event)
        if others and endpoint.events_by_type[event.key]:
            counted = replace(declared, components=others)
            yield from _instead(
                f"Not counting {event.words},",
                _redone(results, figure, counted, protocol),
                counterpart,
                figure,
            )
    if declared.components:
        other_rule, words = _OTHER_RULE[protocol.death]
        other = replace(protocol, death=other_rule)
        yield from _instead(words, results.counterpart(figure, other), counterpart, figure)


def _events(endpoint: SurvivalResult) -> str:
    by_type = {event.words: endpoint.events_by_type[event.key] for event in EVENTS}
    listed = ", ".join(f"{words} {n:,}" for words, n in by_type.items() if n)
    return f"Events here up to year {endpoint.horizon_years:g}: {listed or 'none'}."


def _redone(
    results: TrialResults, figure: Figure, declared: SurvivalEndpoint, protocol: Protocol
) -> Counterpart:
    """The figure where the endpoint counts less."""
    table = results.of(figure.where).table(protocol)
    redone: dict[str, Any] = {declared.key: survival_endpoint(table, declared, components(table), protocol)}
    summary = results.summary(protocol, figure.where)
    return found_in(replace(summary, endpoints=replace(summary.endpoints, **redone)), figure, protocol)


def _instead(words: str, other: Counterpart, counterpart: Counterpart, figure: Figure) -> Iterator[str]:
    """What the figure would be, if it would be another."""
    if other.value is None or (other.value, other.of) == (counterpart.value, counterpart.of):
        return
    as_published = ", as published" if _printed(other, figure) == _published(figure) else ""
    yield f"{words} it is {_printed(other, figure)}{as_published}."


def _printed(counterpart: Counterpart, figure: Figure) -> str:
    """A counterpart as the publication prints its figure."""
    shift = 2 if figure.print_factor == 100 else 0
    n_decimals = len(figure.value.partition(".")[2])
    value = round_half_up(counterpart.value or 0, n_decimals, shift=shift)
    return _worded(value, None if counterpart.of is None else f"{counterpart.of:.0f}", figure.unit)


def _published(figure: Figure) -> str:
    return _worded(figure.value, figure.of, figure.unit)


def _worded(value: str, of: str | None, unit: str) -> str:
    return value + (f" {unit}" if unit else "") + (f" of {of}" if of is not None else "")
