"""No evidence of disease activity (NEDA-3) at each landmark year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ahsct_trial.catalogue import ACTIVITY, HEADLINE
from ahsct_trial.endpoints.estimates import absent, joined, not_in_file, share
from ahsct_trial.endpoints.observation import Component, observe, reaches
from ahsct_trial.estimators.survival import SAME_TIME
from ahsct_trial.patients import PatientTable
from ahsct_trial.protocol import Protocol
from ahsct_trial.results import NedaYear
from ahsct_trial.wording import in_years, listed


def neda3(table: PatientTable, parts: Mapping[str, Component], protocol: Protocol) -> tuple[NedaYear, ...]:
    """Judge each patient at each whole year up to the horizon.

    No: an event of a component by then, within the patient's observation. Yes: none by then, all components
    known, and an observation that begins before the landmark and reaches it. Not evaluable: neither, which
    includes deaths without activity. The rules on death and therapy have no influence. Giovannoni et al. 2015,
    Mult Scler Relat Disord 4:329–333.
    """
    landmarks = range(1, int(protocol.horizon_years + SAME_TIME) + 1)
    definition = _definition(protocol)
    missing = table.lacking(*(column for event in ACTIVITY for column in event.needed))
    if missing:
        note = not_in_file(table, missing)
        return tuple(_absent(years, definition, note) for years in landmarks)
    # A death neither is activity nor keeps a patient under observation: it ends follow-up.
    alone = replace(protocol, name="", death="censor", therapy="ignore")
    observed = observe(table, HEADLINE, parts, alone)
    died = table.numbers("years_to_death") if table.has("years_to_death") else None
    level, n_all = protocol.confidence_level, len(table)
    rows = []
    for years in landmarks:
        has_activity = observed.is_known & observed.is_event & (observed.years <= years + SAME_TIME)
        is_seen = reaches(observed.end, years, protocol)
        if observed.entry is not None:
            is_seen &= observed.entry < years - SAME_TIME
        is_free = observed.is_known & ~has_activity & is_seen
        n_no, n_yes = int(np.count_nonzero(has_activity)), int(np.count_nonzero(is_free))
        n_open = n_all - n_no - n_yes
        is_dead = None if died is None else (died <= years + SAME_TIME) & ~has_activity & ~is_free
        rows.append(
            NedaYear(
                years=years,
                definition=definition,
                n_yes=n_yes,
                n_no=n_no,
                n_not_evaluable=n_open,
                n_not_evaluable_died=None if is_dead is None else int(np.count_nonzero(is_dead)),
                proportion=share(n_yes, n_yes + n_no, level),
                lowest=share(n_yes, n_all, level),
                highest=share(n_yes + n_open, n_all, level),
                note=_note(years, n_yes + n_no, is_anybody_seen=bool((observed.is_known & is_seen).any())),
            )
        )
    return tuple(rows)


def _definition(protocol: Protocol) -> str:
    until = (
        "the end of follow-up"
        if protocol.observation_end == "follow-up"
        else f"the earliest of {listed([event.assessment for event in ACTIVITY])}"
    )
    return (
        joined(
            [
                f"No evidence of disease activity: no {', no '.join(event.words for event in ACTIVITY)} by the "
                f"landmark, in a patient whose observation reaches it; the observation ends at {until}.",
                "A patient whose observation ends before the landmark without activity, or with a component "
                "unknown, is not evaluable, and so is a patient who dies without activity.",
                "Lowest and highest: all who are not evaluable as having had, or not having had, activity.",
            ]
        )
        or ""
    )


def _note(years: int, n_evaluable: int, *, is_anybody_seen: bool) -> str | None:
    if not n_evaluable:
        return "No patient is evaluable."
    if is_anybody_seen:
        return None
    return f"Nobody was followed to {in_years(years)}: only patients with activity are evaluable."


def _absent(years: int, definition: str, note: str) -> NedaYear:
    nothing = absent("share", note)
    return NedaYear(
        years=years,
        definition=definition,
        n_yes=None,
        n_no=None,
        n_not_evaluable=None,
        n_not_evaluable_died=None,
        proportion=nothing,
        lowest=nothing,
        highest=nothing,
        note=note,
    )
