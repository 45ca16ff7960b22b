"""Every endpoint against the slow oracle, and what must hold of all of them, on random small cohorts."""

from __future__ import annotations

from dataclasses import asdict, replace
from random import Random
from typing import Any

import pytest
from endpoint_oracle import (
    PARTS,
    Rate,
    Row,
    disability,
    follow_up_completeness,
    incidence_by_day_100,
    mortality,
    neda3,
    of_both,
    pooled,
    scans_with_lesions,
    survival,
)
from exact_tails import binomial_at_least, binomial_at_most, known, poisson_at_least, poisson_at_most
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trials import TIMES, as_trial

from ahsct_trial import Protocol, Summary, summarize
from ahsct_trial.columns import PATIENT_TABLE
from ahsct_trial.results import Endpoints, Estimate, EventRate

OPTIONAL = tuple(column.name for column in PATIENT_TABLE if not column.is_required)
#: What is read of a survival endpoint in one step.
COUNTS = (
    *("n_patients", "n_unknown", "n_unknown_with_event", "n_late_events", "n_events", "n_censored"),
    *("n_censored_died", "n_not_followed", "n_at_risk", "n_event_free", "n_evaluable"),
)


def some_patient(random: Random) -> Row:
    """One row that passes the checks of reading, with empty cells where they are allowed.

    Events may come after the last assessment. Some times differ from others by less than can be meant.
    """

    def near(years: float) -> float:
        return years + random.choice([0.0] * 8 + [1e-10, -1e-10]) if years else years

    end = near(random.choice(TIMES))

    def maybe(value: Any) -> Any:
        return random.choice([None, value, value])

    def some_time(last: float = end) -> float:
        return random.choice([near(years) for years in TIMES if years <= last - 1e-6] or [last])

    def event() -> float | None:
        return (random.choice([None, some_time()]) or None) if end else None

    row: Row = {"follow_up_years": end}
    row["years_to_last_visit"] = maybe(some_time())
    row["years_to_first_relapse"] = relapse = event()
    row["relapses_after"] = maybe(0 if relapse is None else random.randint(1, 3))

    row["scans_after"] = scans = maybe(random.randint(0, 3))
    row["years_to_last_scan"] = None if scans == 0 else maybe(some_time())
    row["years_to_first_new_lesion"] = lesion = None if scans == 0 else event()
    n_with_lesions = 0 if lesion is None else random.randint(1, scans or 3)
    row["scans_with_new_lesions_after"] = maybe(n_with_lesions)
    row["new_lesions_after"] = maybe(0 if lesion is None else random.randint(n_with_lesions, 4))

    for column in ("edss_baseline", "edss_last"):
        row[column] = maybe(random.choice([0.0, 1.0, 4.0, 5.5]))
    row["years_to_last_edss"] = maybe(some_time())
    row["years_to_worsening"], row["years_to_improvement"] = event(), event()
    row["years_to_therapy"] = event() if random.random() < 0.5 else None

    row["years_observed_before"] = observed = maybe(random.choice([0.0, 0.5, 2.0]))
    row["relapses_before"] = 0 if observed == 0 else maybe(random.randint(0, 3))
    row["scans_before"] = scans_before = maybe(random.randint(0, 2))
    row["lesions_before"] = 0 if scans_before == 0 else maybe(random.randint(0, 3))

    has_died = random.random() < 0.3
    row["years_to_death"] = end if has_died else None
    row["cause_of_death"] = maybe(random.choice(["transplant", "ms", "other"])) if has_died else None
    return row


def complete(row: Row) -> Row:
    """The same patient without an unknown component, so that a composite has someone."""
    filled = {"relapses_after": 0 if row["years_to_first_relapse"] is None else 1}
    filled |= {"scans_after": row["scans_with_new_lesions_after"] or 1, "edss_baseline": 1.0}
    return row | {name: value for name, value in filled.items() if row[name] is None}


#: Drawing rows from a pool is fifty times as fast as drawing each cell, and the list still shrinks.
POOL = [
    complete(row) if number % 2 else row
    for random in [Random(2016)]
    for number in range(5000)
    for row in [some_patient(random)]
]
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
many = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
some = settings(many, max_examples=40)


# ---- The oracle -------------------------------------------------------------------------------------------


def assert_share(found: Estimate, n: int, of: int, level: float) -> None:
    """The value, and limits that leave half of what is outside the level beyond the count."""
    assert found.n == n
    assert found.of == of
    if of == 0:
        assert (found.value, found.ci_low, found.ci_high) == (None, None, None)
        return
    tail = (1 - level) / 2
    assert found.value == n / of
    low, high = known(found.ci_low), known(found.ci_high)
    assert low == 0 if n == 0 else binomial_at_least(n, of, low) == pytest.approx(tail)
    assert high == 1 if n == of else binomial_at_most(n, of, high) == pytest.approx(tail)


def assert_survival(endpoints: Endpoints, rows: list[Row], protocol: Protocol) -> None:
    for key in PARTS:
        found, expected = getattr(endpoints, key), survival(rows, key, protocol)
        if expected is None:
            assert (found.n_patients, found.survival.value, len(found.curve)) == (None, None, 0)
            assert found.note.startswith("Not in this file: ")
            continue
        assert {name: getattr(found, name) for name in COUNTS} == {
            name: getattr(expected, name) for name in COUNTS
        }, key
        types = ("relapse", "new_lesion", "worsening", "therapy", "death")
        assert found.events_by_type == {kind: expected.by_type.get(kind) for kind in types}
        assert_share(found.proportion, expected.n_event_free, expected.n_evaluable, protocol.confidence_level)
        points = list(found.curve)
        assert [(point.n_at_risk, point.n_events, point.n_censored) for point in points] == [
            point[1:4] for point in expected.curve
        ]
        for place, name in ((0, "years"), (4, "estimate")):
            assert [getattr(point, name) for point in points] == pytest.approx(
                [float(point[place]) for point in expected.curve], abs=2e-10
            )
        assert found.median_years.value == pytest.approx(expected.median_years, abs=2e-10)
        if expected.value is None:
            assert (found.survival.value, found.survival.ci_low, found.survival.ci_high) == (None,) * 3
            assert all(each.value is None for each in found.incidence.values())
            assert found.note
            continue
        assert found.survival.value == pytest.approx(float(expected.value), abs=1e-12)
        if expected.limits is not None:
            assert (found.survival.ci_low, found.survival.ci_high) == pytest.approx(expected.limits)
        assert {kind: each.value for kind, each in found.incidence.items()} == pytest.approx(
            {kind: float(value) for kind, value in expected.incidence.items()}
        )


def assert_rate(found: EventRate, expected: Rate | None, level: float) -> None:
    figures = (found.n_patients, found.n_unknown, found.n_events, found.exposure, found.rate.value)
    if expected is None:
        assert {*figures, found.dispersion, found.rate.ci_low, found.rate.ci_high} == {None}
        return
    assert figures == pytest.approx(
        (expected.n_patients, expected.n_unknown, expected.n_events, expected.exposure, expected.rate)
    )
    assert found.dispersion == pytest.approx(expected.dispersion)
    if expected.exposure == 0:
        assert (found.rate.ci_low, found.rate.ci_high) == (None, None)
        return
    tail = (1 - level) / 2
    low, high = (known(limit) * expected.exposure for limit in (found.rate.ci_low, found.rate.ci_high))
    assert poisson_at_most(expected.n_events, high) == pytest.approx(tail)
    if expected.n_events == 0:
        assert low == 0
    else:
        assert poisson_at_least(expected.n_events, low) == pytest.approx(tail)


def assert_ratio(found: Estimate, rates: tuple[Rate, Rate] | None, level: float) -> None:
    """After ÷ before of the patients known on both sides; given an event, it comes after with some chance."""
    if rates is None or not all(rate.exposure for rate in rates):
        assert (found.value, found.ci_low, found.ci_high) == (None, None, None)
        return
    after, before = rates
    n, tail = after.n_events + before.n_events, (1 - level) / 2

    def share(ratio: float | None) -> float:
        return known(ratio) * after.exposure / (known(ratio) * after.exposure + before.exposure)

    if before.n_events:
        assert found.value == pytest.approx(known(after.rate) / known(before.rate))
        assert binomial_at_most(after.n_events, n, share(found.ci_high)) == pytest.approx(tail)
    else:
        assert (found.value, found.ci_high) == (None, None)
    if after.n_events:
        assert binomial_at_least(after.n_events, n, share(found.ci_low)) == pytest.approx(tail)
    else:
        assert found.ci_low == (0 if n else None)


def assert_counts(summary: Summary, rows: list[Row], protocol: Protocol) -> None:
    endpoints, level = summary.endpoints, protocol.confidence_level
    assert [row.years for row in endpoints.neda3] == list(range(1, int(protocol.horizon_years) + 1))
    for row in endpoints.neda3:
        expected = neda3(rows, row.years, protocol)
        counts = (row.n_yes, row.n_no, row.n_not_evaluable, row.n_not_evaluable_died)
        assert counts == (expected or (None,) * 4)
        if expected is not None:
            yes, no, unclear, _ = expected
            assert_share(row.proportion, yes, yes + no, level)
            assert_share(row.lowest, yes, len(rows), level)
            assert_share(row.highest, yes + unclear, len(rows), level)

    for found, names in (
        (
            endpoints.relapse_rate,
            (("relapses_before", "years_observed_before"), ("relapses_after", "years_to_last_visit")),
        ),
        (endpoints.lesions, (("lesions_before", "scans_before"), ("new_lesions_after", "scans_after"))),
    ):
        before, after = (pooled(rows, *columns) for columns in names)
        assert_rate(found.before, before, level)
        assert_rate(found.after, after, level)
        both = of_both(after, before)
        assert_ratio(found.ratio, both, level)
        assert found.n_patients_in_ratio == (both[0].n_patients if both else None)
    scans = scans_with_lesions(rows)
    if scans is None:
        assert endpoints.lesions.after.scans_with_lesions.value is None
    else:
        assert_share(endpoints.lesions.after.scans_with_lesions, *scans, level)

    changed, by_change = endpoints.disability, disability(rows)
    for name in ("n_patients", "n_both", "n_neither", "n_unknown"):
        assert getattr(changed, name) == (by_change[name] if by_change else None), name
    if by_change:
        assert_share(changed.worsened, by_change["n_worsened"], by_change["n_patients"], level)
        assert_share(changed.improved, by_change["n_improved"], by_change["n_patients"], level)
        if "years_to_unconfirmed_worsening" in rows[0]:
            assert_share(changed.unconfirmed, by_change["n_unconfirmed"], by_change["n_patients"], level)

    deaths = mortality(rows, protocol)
    for name, counted in (deaths or {}).items():
        share = getattr(endpoints.mortality, name)
        if counted is None:
            assert share.value is None
            assert "unknown" in share.note
        else:
            assert_share(share, *counted, level)
    early = incidence_by_day_100(rows) if deaths else None
    assert endpoints.mortality.incidence_by_day_100.value == pytest.approx(
        None if early is None else float(early)
    )
    completeness = follow_up_completeness(rows, protocol.horizon_years)
    assert summary.cohort.follow_up.completeness.value == pytest.approx(completeness)


@many
@given(tables(), protocols)
def test_survival_endpoints(rows: list[Row], protocol: Protocol) -> None:
    assert_survival(summarize(as_trial(rows), protocol).endpoints, rows, protocol)


@settings(many, max_examples=100)
@given(tables(), protocols)
def test_counting_endpoints(rows: list[Row], protocol: Protocol) -> None:
    assert_counts(summarize(as_trial(rows), protocol), rows, protocol)


@settings(many, max_examples=100)
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
    event, censor = (summarize(trial, replace(protocol, death=rule)).endpoints for rule in ("event", "censor"))
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
