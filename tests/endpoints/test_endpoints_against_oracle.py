"""Every endpoint against the slow oracle, and what must hold of all of them, on random small cohorts."""

from __future__ import annotations

from dataclasses import asdict, replace
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from endpoint_oracle import (
    PARTS,
    Rate,
    Row,
    disability,
    neda3,
    pooled,
    scans_with_lesions,
    survival,
    transplant_deaths,
)
from exact_tails import binomial_at_least, binomial_at_most, known, poisson_at_least, poisson_at_most
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ahsct_trial import Cohort, Protocol, Summary, stepwise, summarize
from ahsct_trial.columns import NUMERIC_KINDS, PATIENT_TABLE
from ahsct_trial.results import Account, Interval, LesionRate, RelapseRate, SourceInfo

IS_NUMERIC = {column.name: column.kind in NUMERIC_KINDS for column in PATIENT_TABLE}
#: Times coincide with each other, with the horizon of 3 years and with the landmark years.
TIMES = (0.0, 0.25, 0.2738, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.25, 4.0, 5.0)
OPTIONAL = tuple(column.name for column in PATIENT_TABLE if not column.is_required)


def some_patient(random: Random) -> Row:
    """One row that passes the checks of loading, with empty cells where they are allowed."""
    end = random.choice(TIMES)

    def maybe(value: Any) -> Any:
        return random.choice([None, value, value])

    def some_time(last: float) -> float:
        return random.choice([years for years in TIMES if years <= last])

    def event(last: float) -> float | None:
        return random.choice([None, some_time(last)])

    row: Row = {"follow_up_years": end}
    row["relapses_after"] = relapses = maybe(random.randint(0, 3))
    row["years_to_first_relapse"] = (
        some_time(end) if relapses else None if relapses == 0 else maybe(some_time(end))
    )

    row["scans_after"] = scans = maybe(random.randint(0, 3))
    row["years_to_last_scan"] = last_scan = None if scans == 0 else maybe(some_time(end))
    lesion = None if scans == 0 else event(end if last_scan is None else last_scan)
    row["years_to_first_new_lesion"] = lesion
    n_with_lesions = 0 if lesion is None else random.randint(1, scans or 3)
    row["scans_with_new_lesions_after"] = maybe(n_with_lesions)
    row["new_lesions_after"] = maybe(0 if lesion is None else random.randint(n_with_lesions, 4))

    for column in ("edss_baseline", "edss_last"):
        row[column] = maybe(random.choice([0.0, 1.0, 4.0, 5.5]))
    row["years_to_last_edss"] = last_edss = maybe(some_time(end))
    for column in ("years_to_worsening", "years_to_improvement"):
        row[column] = event(end if last_edss is None else last_edss)

    row["years_observed_before"] = observed = maybe(random.choice([0.0, 0.5, 2.0]))
    row["relapses_before"] = 0 if observed == 0 else maybe(random.randint(0, 3))
    row["scans_before"] = scans_before = maybe(random.randint(0, 2))
    row["lesions_before"] = 0 if scans_before == 0 else maybe(random.randint(0, 3))

    has_died = random.random() < 0.3
    row["years_to_death"] = end if has_died else None
    row["cause_of_death"] = maybe(random.choice(["transplant", "ms", "other"])) if has_died else None
    return row


#: Drawing rows from a pool is fifty times as fast as drawing each cell, and the list still shrinks.
POOL = [some_patient(random) for random in [Random(2016)] for _ in range(5000)]
lists_of_patients = st.lists(st.integers(0, len(POOL) - 1), min_size=1, max_size=10)


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    """Rows of one file, which may lack some columns."""
    rows = [POOL[number] for number in draw(lists_of_patients)]
    lacking = draw(st.just([]) | st.lists(st.sampled_from(OPTIONAL), max_size=2))
    return [{name: cell for name, cell in row.items() if name not in lacking} for row in rows]


def as_cohort(rows: list[Row]) -> Cohort:
    columns: dict[str, Any] = {"patient_id": [f"P{number}" for number in range(len(rows))]}
    for name in rows[0]:
        cells = [row[name] for row in rows]
        is_number = IS_NUMERIC.get(name, False)
        columns[name] = np.array(cells, dtype=np.float64) if is_number else pd.Categorical(cells)
    return Cohort(
        patients=pd.DataFrame(columns),
        lines=np.arange(2, len(rows) + 2),
        source=SourceInfo(file="random.csv", sha256="", shape="patient_table", n_rows=len(rows)),
        account=Account(rows_read=len(rows), rows_used=len(rows), set_aside=()),
    )


protocols = st.builds(
    Protocol, death=st.sampled_from(["event", "censor"]), horizon_years=st.sampled_from([1.0, 2.25, 3.0])
)
# A slow machine is no fault of the code.
many = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
some = settings(many, max_examples=30)


def assert_exact_proportion(interval: Interval, n_successes: int, n: int) -> None:
    """The value, and limits that leave 2.5 % of the binomial probability beyond the count."""
    if n == 0:
        assert (interval.value, interval.ci_low, interval.ci_high) == (None, None, None)
        return
    assert interval.value == n_successes / n
    low, high = known(interval.ci_low), known(interval.ci_high)
    if n_successes == 0:
        assert low == 0
    else:
        assert binomial_at_least(n_successes, n, low) == pytest.approx(0.025)
    if n_successes == n:
        assert high == 1
    else:
        assert binomial_at_most(n_successes, n, high) == pytest.approx(0.025)


def assert_rate(actual: RelapseRate | LesionRate, expected: Rate | None) -> None:
    if isinstance(actual, RelapseRate):
        figures = (actual.n_patients, actual.n_unknown, actual.n_relapses, actual.person_years, actual.rate)
    else:
        n_scans, rate = actual.n_scans, actual.lesions_per_scan
        figures = (actual.n_patients, actual.n_unknown, actual.n_lesions, n_scans, rate)
    if expected is None:
        assert set(figures) == {actual.dispersion, actual.ci_low, actual.ci_high} == {None}
        return
    counted = (expected.n_patients, expected.n_unknown, expected.n_events, expected.exposure, expected.rate)
    assert figures == pytest.approx(counted)
    assert actual.dispersion == pytest.approx(expected.dispersion)
    if expected.exposure == 0:
        assert (actual.ci_low, actual.ci_high) == (None, None)
        return
    low, high = known(actual.ci_low) * expected.exposure, known(actual.ci_high) * expected.exposure
    assert poisson_at_most(expected.n_events, high) == pytest.approx(0.025)
    if expected.n_events == 0:
        assert low == 0
    else:
        assert poisson_at_least(expected.n_events, low) == pytest.approx(0.025)


def assert_ratio(actual: Interval, after: Rate | None, before: Rate | None) -> None:
    if after is None or before is None or not after.exposure or not before.exposure:
        assert (actual.value, actual.ci_low, actual.ci_high) == (None, None, None)
        return
    if before.n_events:
        assert actual.value == pytest.approx(known(after.rate) / known(before.rate))
    else:
        assert (actual.value, actual.ci_high) == (None, None)
    n = after.n_events + before.n_events

    def share(ratio: float | None) -> float:
        """Probability that an event, given that there is one, comes after."""
        return known(ratio) * after.exposure / (known(ratio) * after.exposure + before.exposure)

    if before.n_events:
        assert binomial_at_most(after.n_events, n, share(actual.ci_high)) == pytest.approx(0.025)
    if after.n_events:
        assert binomial_at_least(after.n_events, n, share(actual.ci_low)) == pytest.approx(0.025)
    else:
        assert actual.ci_low == (0 if n else None)


@many
@given(tables(), protocols)
def test_survival_endpoints(rows: list[Row], protocol: Protocol) -> None:
    endpoints = summarize(as_cohort(rows), protocol).endpoints
    for key in PARTS:
        actual = getattr(endpoints, key)
        expected = survival(rows, key, protocol.death, protocol.horizon_years)
        if expected is None:
            assert (actual.n_patients, actual.estimate, len(actual.curve)) == (None, None, 0)
            assert actual.note.startswith("Not in this file: ")
            continue
        figures = asdict(expected)
        curve, by_type = figures.pop("curve"), figures.pop("by_type")
        for name, figure in figures.items():
            assert getattr(actual, name) == pytest.approx(figure), (key, name)
        types = ("relapse", "new_lesion", "worsening", "death")
        assert asdict(actual.events_by_type) == {kind: by_type.get(kind) for kind in types}
        assert_exact_proportion(actual.proportion, expected.n_event_free, expected.n_evaluable)
        points = [
            (point.years, point.n_at_risk, point.n_events, point.n_censored, point.estimate)
            for point in actual.curve
        ]
        assert [point[:4] for point in points] == [point[:4] for point in curve]
        assert [point[4] for point in points] == pytest.approx([point[4] for point in curve])


@many
@given(tables(), protocols)
def test_counting_endpoints(rows: list[Row], protocol: Protocol) -> None:
    endpoints = summarize(as_cohort(rows), protocol).endpoints

    assert [row.years for row in endpoints.neda3] == list(range(1, int(protocol.horizon_years) + 1))
    for row in endpoints.neda3:
        counts = (row.n_yes, row.n_no, row.n_not_evaluable, row.n_not_evaluable_died)
        assert counts == (neda3(rows, row.years) or (None,) * 4)
        assert_exact_proportion(row.proportion, row.n_yes or 0, (row.n_yes or 0) + (row.n_no or 0))

    before = pooled(rows, "relapses_before", "years_observed_before")
    after = pooled(rows, "relapses_after", "follow_up_years")
    assert_rate(endpoints.relapse_rate.before, before)
    assert_rate(endpoints.relapse_rate.after, after)
    assert_ratio(endpoints.relapse_rate.ratio, after, before)

    before = pooled(rows, "lesions_before", "scans_before")
    after = pooled(rows, "new_lesions_after", "scans_after")
    assert_rate(endpoints.lesions.before, before)
    assert_rate(endpoints.lesions.after, after)
    assert_ratio(endpoints.lesions.ratio, after, before)
    scans = scans_with_lesions(rows)
    assert endpoints.lesions.after.n_scans_with_lesions == (scans[0] if scans else None)
    assert_exact_proportion(endpoints.lesions.after.scans_with_lesions, *(scans or (0, 0)))

    changed, expected = endpoints.disability, disability(rows)
    for name in ("n_patients", "n_worsened", "n_improved", "n_both", "n_neither", "n_unknown"):
        assert getattr(changed, name) == (expected[name] if expected else None), name
    assert_exact_proportion(changed.worsened, changed.n_worsened or 0, changed.n_patients or 0)
    assert_exact_proportion(changed.improved, changed.n_improved or 0, changed.n_patients or 0)

    mortality, deaths = endpoints.transplant_related_mortality, transplant_deaths(rows)
    for name in ("n_patients", "n_unknown", "n_deaths"):
        assert getattr(mortality, name) == (deaths[name] if deaths else None), name
    assert mortality.by_day_100.n_deaths == (deaths["n_by_day_100"] if deaths else None)


# ---- What must hold of every cohort -------------------------------------------------------------------


def comparable(summary: Summary) -> Any:
    """A summary as plain values, curves as their rows."""
    values = asdict(summary)
    for key in PARTS:
        values["endpoints"][key]["curve"] = list(getattr(summary.endpoints, key).curve)
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
        assert one == pytest.approx(other, rel=1e-12)
    else:
        assert one == other


@some
@given(tables(), protocols, st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(rows: list[Row], protocol: Protocol, random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    result = summarize(as_cohort(shuffled), protocol)
    assert_same(comparable(summarize(as_cohort(rows), protocol)), comparable(result))


@some
@given(tables(), protocols, st.integers(1, 4))
def test_patients_may_be_observed_a_few_at_a_time(rows: list[Row], protocol: Protocol, step: int) -> None:
    expected = comparable(summarize(as_cohort(rows), protocol))
    with patch.object(stepwise, "_STEP", step):
        assert comparable(summarize(as_cohort(rows), protocol)) == expected


@some
@given(tables(), protocols)
def test_a_column_of_another_name_changes_nothing(rows: list[Row], protocol: Protocol) -> None:
    cohort = as_cohort(rows)
    wider = replace(cohort, patients=cohort.patients.assign(lesion_volume=1.0))
    expected, found = comparable(summarize(cohort, protocol)), comparable(summarize(wider, protocol))
    assert found["cohort"]["n_missing"].pop("lesion_volume") == 0
    assert_same(expected, found)


@some
@given(tables(), protocols)
def test_counts_add_up_and_curves_fall(rows: list[Row], protocol: Protocol) -> None:
    endpoints = summarize(as_cohort(rows), protocol).endpoints
    for key in PARTS:
        endpoint = getattr(endpoints, key)
        if endpoint.n_patients is None:
            continue
        points = list(endpoint.curve)
        n_beyond = sum(
            point.n_events + point.n_censored for point in points if point.years > protocol.horizon_years
        )
        assert endpoint.n_patients + endpoint.n_unknown == len(rows)
        assert endpoint.n_patients == endpoint.n_events + endpoint.n_censored + n_beyond
        assert endpoint.n_event_free + endpoint.n_events == endpoint.n_evaluable
        assert sum(filter(None, asdict(endpoint.events_by_type).values())) == endpoint.n_events
        estimates = [1.0, *(point.estimate for point in points), 0.0]
        assert estimates == sorted(estimates, reverse=True)
        assert all((point.ci_low or 0) <= point.estimate <= (point.ci_high or 1) for point in points)
    for year, later in zip(endpoints.neda3, endpoints.neda3[1:], strict=False):
        if year.n_no is not None and later.n_no is not None:
            assert year.n_no <= later.n_no
    for year in endpoints.neda3:
        if year.n_yes is not None:
            assert year.n_yes + (year.n_no or 0) + (year.n_not_evaluable or 0) == len(rows)


@some
@given(tables())
def test_the_death_rules_differ_by_deaths_alone(rows: list[Row]) -> None:
    event = summarize(as_cohort(rows), Protocol(death="event"))
    censor = summarize(as_cohort(rows), Protocol(death="censor"))
    assert event.endpoints.overall_survival.estimate == censor.endpoints.overall_survival.estimate
    assert event.endpoints.neda3 == censor.endpoints.neda3
    for key in PARTS:
        with_deaths, without_deaths = getattr(event.endpoints, key), getattr(censor.endpoints, key)
        if with_deaths.n_patients is not None:
            assert without_deaths.n_events <= with_deaths.n_events
            assert without_deaths.n_unknown >= with_deaths.n_unknown
