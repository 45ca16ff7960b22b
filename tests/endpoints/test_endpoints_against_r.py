"""Whole summaries against R's `survfit`, on R's own data sets turned into patient tables.

tests/reference/README.md says how R's figures were made. R's times are days; here they become years of
365.25 days, so
that each lies on a day of its own and a horizon meets the times exactly.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import pytest
from patient_tables import cohort, survival_table

from ahsct_trial import Protocol, Trial, summarize
from ahsct_trial.results import SurvivalEndpoint

REFERENCE = Path(__file__).parents[1] / "reference"
COLUMNS = {"aml": ("time", "status"), "ovarian": ("futime", "fustat"), "veteran": ("time", "status")}
SCALE = 365.25

Row = dict[str, str]


def table(name: str) -> list[Row]:
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def strata(name: str) -> dict[tuple[str, str], list[Row]]:
    """R's figures by data set and stratum."""

    def key(row: Row) -> tuple[str, str]:
        return row["dataset"], row["stratum"]

    return {stratum: list(rows) for stratum, rows in groupby(sorted(table(name), key=key), key)}


def times_and_events(dataset: str, stratum: str) -> tuple[list[float], list[bool]]:
    rows = table(dataset)
    if stratum != "all":
        column, value = stratum.split("=")
        rows = [row for row in rows if row[column] == value]
    time, status = COLUMNS[dataset]
    return [float(row[time]) / SCALE for row in rows], [row[status] == "1" for row in rows]


def number(text: str) -> float | None:
    return float(text) if text else None


def assert_same(actual: Sequence[float | None], expected: Sequence[float | None]) -> None:
    """Equal to nine digits; None agrees with R's NA and with nothing else."""
    assert [figure is None for figure in actual] == [figure is None for figure in expected]
    assert [figure or 0 for figure in actual] == pytest.approx(
        [figure or 0 for figure in expected], rel=1e-9, abs=0
    )


AT_TIMES, STEPS, QUANTILES = strata("km_at_times"), strata("km_steps"), strata("km_quantiles")
each_stratum = pytest.mark.parametrize(("dataset", "stratum"), list(AT_TIMES), ids=map(" ".join, AT_TIMES))


def assert_agrees(endpoint: SurvivalEndpoint, row: Row, n_patients: int, n_events: int, n_lost: int) -> None:
    """One row of `summary(survfit, times=, extend=TRUE)`; R counts events since the row before."""
    assert endpoint.n_patients == n_patients
    assert (endpoint.n_events, endpoint.n_censored) == (n_events, n_lost)
    assert endpoint.n_at_risk == int(row["n_risk"])
    expected = [number(row[name]) for name in ("surv", "lower", "upper")]
    if endpoint.n_at_risk == 0 and expected[0] != 0:
        # Nobody was followed so far: R goes on with its last level, we say that there is no estimate.
        assert "No estimate" in (endpoint.note or "")
        expected = [None] * 3
    elif expected == [1, 1, 1] and endpoint.survival.ci_method not in {"log", "plain"}:
        # Before the first time of the data R gives 1 to 1; where S is 1 after it, R gives NA, as we do.
        expected = [1, None, None]
    assert_same([endpoint.survival.value, endpoint.survival.ci_low, endpoint.survival.ci_high], expected)


@each_stratum
def test_overall_survival_at_several_horizons_with_all_intervals(dataset: str, stratum: str) -> None:
    times, is_event = times_and_events(dataset, stratum)
    patients = cohort(survival_table(times, is_event))
    for method in {row["conf_type"] for row in AT_TIMES[dataset, stratum]}:
        rows = [row for row in AT_TIMES[dataset, stratum] if row["conf_type"] == method]
        assert len(rows) > 2
        n_events = n_lost = 0
        for row in rows:
            n_events, n_lost = n_events + int(row["n_event"]), n_lost + int(row["n_censor"])
            if float(row["time"]) == 0:
                continue  # a horizon lies after the start
            protocol = Protocol(horizon_years=float(row["time"]) / SCALE, ci_method=method)  # type: ignore[arg-type]
            endpoint = summarize(patients, protocol).endpoints.overall_survival
            assert_agrees(endpoint, row, len(times), n_events, n_lost)


@each_stratum
def test_curve_and_median(dataset: str, stratum: str) -> None:
    endpoint = summarize(
        cohort(survival_table(*times_and_events(dataset, stratum)))
    ).endpoints.overall_survival
    points, steps = list(endpoint.curve), STEPS[dataset, stratum]
    assert len(points) == len(steps)
    for point, row in zip(points, steps, strict=True):
        assert point.years == float(row["time"]) / SCALE
        counts = (point.n_at_risk, point.n_events, point.n_censored)
        assert counts == tuple(int(row[name]) for name in ("n_risk", "n_event", "n_censor"))
        expected = [number(row[name]) for name in ("surv", "lower_loglog", "upper_loglog")]
        assert_same([point.estimate, point.ci_low, point.ci_high], expected)
    (median,) = {row["quantile"] for row in QUANTILES[dataset, stratum] if row["p"] == "0.5"}
    expected_median = number(median)
    scaled = None if expected_median is None else expected_median / SCALE
    assert_same([endpoint.median_years.value], [scaled])


def dealt_out(times: list[float], is_event: list[bool]) -> Trial:
    """The events dealt out in turn as relapses, lesions, worsening and deaths; losses, to the last scan."""
    kinds = ("relapse_at", "lesion_at", "worse_at", "dead_at")
    rows = ["id follow_up relapses scans last_scan edss relapse_at lesion_at worse_at dead_at"]
    for number_, (years, had_event) in enumerate(zip(times, is_event, strict=True)):
        kind = kinds[number_ % 4] if had_event else None
        cells = {name: repr(years) if name == kind else "." for name in kinds}
        end = years if kind == "dead_at" else years + 1
        relapses = int(kind == "relapse_at")
        rows.append(f"P{number_} {end!r} {relapses} 3 {years!r} 4.0 {' '.join(cells.values())}")
    return cohort("\n".join(rows))


@each_stratum
def test_the_composite_of_events_of_all_types(dataset: str, stratum: str) -> None:
    times, is_event = times_and_events(dataset, stratum)
    patients = dealt_out(times, is_event)
    rows = [row for row in AT_TIMES[dataset, stratum] if row["conf_type"] == "log-log"]
    n_events = n_lost = 0
    for row in rows:
        n_events, n_lost = n_events + int(row["n_event"]), n_lost + int(row["n_censor"])
        if float(row["time"]) > 0:
            protocol = Protocol(horizon_years=float(row["time"]) / SCALE)
            endpoint = summarize(patients, protocol).endpoints.activity_free_survival
            assert_agrees(endpoint, row, len(times), n_events, n_lost)


def test_the_trials_own_figure() -> None:
    # Lancet 2016;388:576-585: 69.6 % (46.6-84.2); 7 events in 23 patients, none lost before 3 years.
    # R: tests/reference/lancet2016_check.csv
    (row,) = (
        row
        for row in table("lancet2016_check")
        if row["case"].startswith("A n=23, 7 events, none censored") and row["conf_type"] == "log-log"
    )
    patients = cohort(survival_table([1.0] * 7 + [5.0] * 16, [True] * 7 + [False] * 16))
    endpoint = summarize(patients).endpoints.overall_survival
    expected = [number(row[name]) for name in ("surv", "lower", "upper")]
    assert_same([endpoint.survival.value, endpoint.survival.ci_low, endpoint.survival.ci_high], expected)
    assert [round(100 * (figure or 0), 1) for figure in expected] == [69.6, 46.6, 84.2]
