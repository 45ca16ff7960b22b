"""Sensitivity, whose combinations share what is derived, against a whole summary of its own for each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from test_derive_cohort import Row, as_records, courses, protocols

from ahsct_trial import Protocol, sensitivity_of, summarize
from ahsct_trial.endpoints.time_to_event import DEFINITIONS
from ahsct_trial.sensitivity_analysis import VARIED, Combination

SAME = (
    *("n_patients", "n_unknown", "n_events", "n_censored", "n_at_risk", "n_event_free", "n_evaluable"),
    *("proportion", "estimate", "ci_low", "ci_high", "note"),
)


def under(protocol: Protocol, each: Combination) -> Protocol:
    chosen = {name: getattr(each, name) for name in VARIED if getattr(each, name) is not None}
    return replace(protocol, horizon_years=each.years, **chosen)


@given(
    courses(),
    protocols,
    st.sampled_from([1.0, 2.0, 2.5]),
    st.sampled_from([definition.key for definition in DEFINITIONS]),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60)
def test_each_combination_is_that_of_a_summary(
    rows: list[Row], chosen: dict[str, Any], horizon: float, endpoint: str, random: Any
) -> None:
    records = as_records(rows)
    protocol = Protocol(horizon_years=horizon, **chosen)
    found = sensitivity_of(records, protocol, endpoint)
    for each in random.sample(found.combinations, 5):
        summary = summarize(records, under(protocol, each))
        expected = getattr(summary.endpoints, endpoint)
        assert {name: getattr(each, name) for name in SAME} == {
            name: getattr(expected, name) for name in SAME
        }


@given(courses(), protocols, st.sampled_from([definition.key for definition in DEFINITIONS]))
@settings(max_examples=30)
def test_what_is_not_varied_moves_nothing(rows: list[Row], chosen: dict[str, Any], endpoint: str) -> None:
    records = as_records(rows)
    protocol = Protocol(**chosen)
    other: dict[str, Any] = {"death": "censor", "new_lesion": "gd", "worsening_confirm_weeks": 12.0}
    for each in sensitivity_of(records, protocol, endpoint).not_varied:
        changed = replace(protocol, **{each.setting: other[each.setting]})
        one, two = (getattr(summarize(records, way).endpoints, endpoint) for way in (protocol, changed))
        assert {name: getattr(one, name) for name in SAME} == {name: getattr(two, name) for name in SAME}
