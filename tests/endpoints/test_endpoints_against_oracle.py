"""Every endpoint against the slow oracle, and what must hold of all of them, on random small cohorts."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest
from endpoint_oracle import PARTS, Row
from exact_tails import known
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_assertions import assert_counts, assert_survival
from trials import POOL, as_trial

from ahsct_trial import Protocol, Summary, summarize
from ahsct_trial.catalogue import SURVIVAL_ENDPOINTS
from ahsct_trial.columns import PATIENT_TABLE

OPTIONAL = tuple(column.name for column in PATIENT_TABLE if not column.is_required)


lists_of_patients = st.lists(st.integers(0, len(POOL) - 1), min_size=1, max_size=12)


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    """Rows of one file, which may lack some columns."""
    rows = [POOL[number] for number in draw(lists_of_patients)]
    lacking = draw(st.just([]) | st.lists(st.sampled_from(OPTIONAL), max_size=3))
    return [{name: cell for name, cell in row.items() if name not in lacking} for row in rows]


protocols = st.builds(
    Protocol,
    horizon_years=st.sampled_from([1.0, 2.25, 3.0, 3.0]),
    landmark_window_days=st.sampled_from([0.0, 0.0, 30.0, 100.0]),
    observation_end=st.sampled_from(["last-assessment", "last-assessment", "follow-up"]),
    death=st.sampled_from(["event", "censor"]),
    death_reach_days=st.sampled_from([365.0, 365.0, 0.0, 91.0, 20000.0]),
    therapy=st.sampled_from(["ignore", "event", "censor"]),
    ci_method=st.sampled_from(["log-log", "log", "plain"]),
    confidence_level=st.sampled_from([0.95, 0.9]),
)
many = settings(max_examples=100)
some = settings(many, max_examples=20)


# ---- The oracle -------------------------------------------------------------------------------------------


def test_the_oracle_knows_every_survival_endpoint() -> None:
    assert {endpoint.key for endpoint in SURVIVAL_ENDPOINTS} == {*PARTS}


@many
@given(tables(), protocols)
def test_survival_endpoints(rows: list[Row], protocol: Protocol) -> None:
    assert_survival(summarize(as_trial(rows), protocol).endpoints, rows, protocol)


@settings(many, max_examples=40)
@given(tables(), protocols)
def test_counting_endpoints(rows: list[Row], protocol: Protocol) -> None:
    assert_counts(summarize(as_trial(rows), protocol), rows, protocol)


@settings(many, max_examples=40)
@given(tables(), protocols, st.lists(st.sampled_from([None, 0.0, 0.25, 1.0, 1.5 + 1e-10, 3.0]), min_size=12))
def test_patients_who_come_under_observation_later(
    rows: list[Row], protocol: Protocol, baselines: list[float | None]
) -> None:
    """As records under ``first-stable`` have it: nobody is at risk of worsening before the baseline EDSS."""
    rows = [row | {"years_to_baseline": baselines[place]} for place, row in enumerate(rows)]
    assert_survival(summarize(as_trial(rows), protocol).endpoints, rows, protocol)


# ---- What must hold of every cohort -----------------------------------------------------------------------


def comparable(summary: Summary) -> Any:
    """A summary as plain values, curves as their rows."""
    values = asdict(summary)
    # A rounded number within a text may be that of a sum whose last digit the order changes.
    values["notices"] = [(notice.code, notice.severity) for notice in summary.notices]
    for key in PARTS:
        values["endpoints"][key]["curve"] = [asdict(point) for point in getattr(summary.endpoints, key).curve]
    return values


def assert_same(one: Any, other: Any) -> None:
    """Equal but for the last digits, which the order of a sum may change."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_same(left, right)
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-9)
    else:
        assert one == other


@some
@given(tables(), protocols, st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(rows: list[Row], protocol: Protocol, random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    result = summarize(as_trial(shuffled), protocol)
    assert_same(comparable(summarize(as_trial(rows), protocol)), comparable(result))


@some
@given(tables(), protocols)
def test_a_column_of_another_name_changes_nothing(rows: list[Row], protocol: Protocol) -> None:
    trial = as_trial(rows)
    wider = replace(trial, data=replace(trial.data, patients=trial.data.patients.assign(lesion_volume=1.0)))  # type: ignore[type-var]
    expected, found = comparable(summarize(trial, protocol)), comparable(summarize(wider, protocol))
    assert found["cohort"]["n_missing"].pop("lesion_volume") == 0
    assert_same(expected, found)


@some
@given(tables(), protocols)
def test_counts_add_up_and_curves_fall(rows: list[Row], protocol: Protocol) -> None:
    endpoints = summarize(as_trial(rows), protocol).endpoints
    for key in PARTS:
        endpoint = getattr(endpoints, key)
        if endpoint.n_patients is None:
            continue
        points = list(endpoint.curve)
        horizon = protocol.horizon_years + 1e-9
        n_beyond = sum(point.n_events + point.n_censored for point in points if point.years > horizon)
        assert endpoint.n_patients + endpoint.n_unknown == len(rows)
        assert endpoint.n_patients == endpoint.n_events + endpoint.n_censored + n_beyond
        assert endpoint.n_event_free + endpoint.n_events == endpoint.n_evaluable
        assert endpoint.n_evaluable + endpoint.n_not_followed == endpoint.n_patients
        assert sum(filter(None, endpoint.events_by_type.values())) == endpoint.n_events
        assert endpoint.n_unknown_with_event <= endpoint.n_unknown
        assert endpoint.n_late_events + endpoint.n_events <= endpoint.n_patients
        estimates = [1.0, *(point.estimate for point in points), 0.0]
        assert estimates == sorted(estimates, reverse=True)
        assert all((point.ci_low or 0) <= point.estimate <= (point.ci_high or 1) for point in points)
    for year, later in zip(endpoints.neda3, endpoints.neda3[1:], strict=False):
        if year.n_no is not None and later.n_no is not None:
            assert year.n_no <= later.n_no
    for year in endpoints.neda3:
        if year.n_yes is not None:
            assert year.n_yes + (year.n_no or 0) + (year.n_not_evaluable or 0) == len(rows)
            assert known(year.lowest.value) <= known(year.highest.value)
            if year.proportion.value is not None:
                assert year.lowest.value <= year.proportion.value <= year.highest.value


@some
@given(tables(), protocols)
def test_incidences_add_up_to_what_survival_lacks(rows: list[Row], protocol: Protocol) -> None:
    endpoints = summarize(as_trial(rows), protocol).endpoints
    for key in PARTS:
        endpoint = getattr(endpoints, key)
        if endpoint.survival.value is None:
            continue
        assert endpoint.incidence.keys() == {
            kind for kind, n in endpoint.events_by_type.items() if n is not None
        }
        assert sum(each.value for each in endpoint.incidence.values()) == pytest.approx(
            1 - endpoint.survival.value, abs=1e-12
        )


@some
@given(tables(), protocols)
def test_bounds_of_mortality_hold_what_is_between(rows: list[Row], protocol: Protocol) -> None:
    found = summarize(as_trial(rows), protocol).endpoints.mortality
    for name in ("transplant_related_by_day_100", "transplant_related"):
        low, between, high = (getattr(found, f"{name}{end}") for end in ("_lowest", "", "_highest"))
        if low.value is not None:
            assert low.value <= (high.value if between.value is None else between.value) <= high.value
            assert low.ci_low <= high.ci_low
            assert low.ci_high <= high.ci_high


@some
@given(tables(), protocols)
def test_the_death_rules_differ_by_deaths_alone(rows: list[Row], protocol: Protocol) -> None:
    trial = as_trial(rows)
    event, censor = (
        summarize(trial, replace(protocol, death=rule)).endpoints for rule in ("event", "censor")
    )
    assert event.overall_survival.survival == censor.overall_survival.survival
    assert event.neda3 == censor.neda3
    for key in PARTS:
        with_deaths, without_deaths = getattr(event, key), getattr(censor, key)
        if with_deaths.n_patients is not None:
            assert without_deaths.n_events <= with_deaths.n_events
            assert without_deaths.n_patients == with_deaths.n_patients


@some
@given(tables(), protocols)
def test_a_longer_reach_counts_no_fewer_deaths(rows: list[Row], protocol: Protocol) -> None:
    trial = as_trial(rows)
    short, long = (
        summarize(trial, replace(protocol, death_reach_days=days)).endpoints for days in (30.0, 400.0)
    )
    for key in PARTS:
        one, other = getattr(short, key), getattr(long, key)
        if one.n_patients is not None:
            assert sum(point.n_events for point in one.curve) <= sum(point.n_events for point in other.curve)
            assert one.n_late_events >= other.n_late_events
