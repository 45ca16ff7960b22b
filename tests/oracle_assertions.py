"""That a summary is what the slow oracle of the endpoints says, figure by figure."""

from __future__ import annotations

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

from ahsct_trial import Protocol, Summary
from ahsct_trial.results import Endpoints, Estimate, EventRate

#: What is read of a survival endpoint in one step.
COUNTS = (
    *("n_patients", "n_unknown", "n_unknown_with_event", "n_late_events", "n_events", "n_censored"),
    *("n_censored_died", "n_not_followed", "n_at_risk", "n_event_free", "n_evaluable"),
)


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
