"""What a user would write instead: the main endpoints of a records file with days, by polars alone.

    python benchmarks/polars_script.py RECORDS.csv

Prints, as JSON, how many patients were event-free at 3 years, the Kaplan–Meier figure of each of five
endpoints, and the rates. It checks nothing, knows one way of each rule, and leaves out the relapse-free rule
of worsening; with that set aside (``relapse_free_days = 0``) it counts what ``ahsct summarize`` counts.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import polars as pl

YEAR = 365.25
HORIZON = 1095
CONFIRMED_AFTER = 24 * 7 - 7
DEATH_REACH = 365


def patients(file: str) -> pl.DataFrame:
    """One row per patient: the day of each first event and of each last assessment."""
    rows = pl.scan_csv(file, schema_overrides={"patient_id": pl.String})
    rows = rows.select("patient_id", "record", "day", "edss", "gd_lesions", "new_t2_lesions")
    timed = rows.filter(pl.col("record") != "baseline").collect()
    kind, day = pl.col("record"), pl.col("day")
    lesions = pl.col("gd_lesions") + pl.col("new_t2_lesions")
    each = timed.group_by("patient_id").agg(
        last=day.max(),
        death=day.filter(kind == "death").first(),
        observed=-day.filter(kind == "observed_from").first(),
        relapses_before=((kind == "relapse") & (day <= 0)).sum(),
        relapses_after=((kind == "relapse") & (day > 0)).sum(),
        first_relapse=day.filter((kind == "relapse") & (day > 0)).min(),
        lesions_before=pl.col("gd_lesions").filter((kind == "mri") & (day <= 0)).sum(),
        scans_before=((kind == "mri") & (day <= 0)).sum(),
        lesions_after=lesions.filter((kind == "mri") & (day > 0)).sum(),
        scans_after=((kind == "mri") & (day > 0)).sum(),
        first_lesion=day.filter((kind == "mri") & (day > 0) & (lesions > 0)).min(),
        last_scan=day.filter((kind == "mri") & (day > 0)).max(),
        last_edss=day.filter((kind == "edss") & (day > 0)).max(),
        edss_baseline=pl.col("edss")
        .filter((kind == "edss") & (day <= 0))
        .sort_by(day.filter((kind == "edss") & (day <= 0)))
        .last(),
    )
    return each.join(worsening(timed, each), on="patient_id", how="left")


def worsening(timed: pl.DataFrame, each: pl.DataFrame) -> pl.DataFrame:
    """The first day of a worsening that every visit for 24 weeks confirms."""
    visits = timed.filter((pl.col("record") == "edss") & (pl.col("day") > 0)).select(
        "patient_id", "day", "edss"
    )
    visits = visits.join(each.select("patient_id", "edss_baseline"), on="patient_id").sort(
        "patient_id", "day"
    )
    base = pl.col("edss_baseline")
    step = pl.when(base == 0).then(1.5).when(base < 5.5).then(1.0).otherwise(0.5)
    visits = visits.with_columns(is_worse=pl.col("edss") >= base + step)
    visits = visits.with_columns(run=pl.struct("patient_id", "is_worse").rle_id())
    runs = (
        visits.filter(pl.col("is_worse"))
        .group_by("run")
        .agg(pl.col("patient_id").first(), start=pl.col("day").min(), end=pl.col("day").max())
    )
    confirmed = runs.filter(pl.col("end") - pl.col("start") >= CONFIRMED_AFTER)
    return confirmed.group_by("patient_id").agg(worsening=pl.col("start").min())


def event_free(table: pl.DataFrame, events: list[str], seen: list[str]) -> dict[str, float]:
    """Kaplan–Meier at 3 years with log-log limits; an event counts up to the last assessment of all."""

    def days(name: str) -> np.ndarray:
        return table[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()

    is_known = ~np.isnan(days("edss_baseline")) if "worsening" in events else np.ones(len(table), bool)
    end = days("last")
    for name in seen:
        end = np.minimum(end, np.nan_to_num(days(name)))
    first = np.full(len(table), np.nan)
    for name in events:
        first = np.fmin(first, np.where(days(name) <= end, days(name), np.nan))
    death = days("death")
    first = np.fmin(
        first, np.where((death - end <= DEATH_REACH) & (death <= end[is_known].max()), death, np.nan)
    )
    is_event = ~np.isnan(first)
    time, is_event = np.where(is_event, first, end)[is_known], is_event[is_known]
    times, place = np.unique(time, return_inverse=True)
    d, left = np.bincount(place, is_event), np.bincount(place)
    r = len(time) - np.cumsum(left) + left
    until = times <= HORIZON
    survival = float(np.prod(1 - d[until] / r[until]))
    variance = np.sum(d[until] / (r[until] * (r[until] - d[until])))
    spread = 1.959964 * np.sqrt(variance) / np.log(survival)
    return {
        "n_events": int(np.count_nonzero(is_event & (time <= HORIZON))),
        "n_event_free": int(np.count_nonzero(np.where(is_event, time > HORIZON, time >= HORIZON))),
        "survival": survival,
        "ci_low": survival ** float(np.exp(-spread)),
        "ci_high": survival ** float(np.exp(spread)),
    }


def rates(table: pl.DataFrame) -> dict[str, float]:
    """Relapses a year and lesions a scan, before and after."""
    total = table.select(pl.col(pl.Int64, pl.UInt32).sum()).row(0, named=True)
    return {
        "relapses_before": total["relapses_before"] / (total["observed"] / YEAR),
        "relapses_after": total["relapses_after"] / (total["last"] / YEAR),
        "lesions_before": total["lesions_before"] / total["scans_before"],
        "lesions_after": total["lesions_after"] / total["scans_after"],
    }


def main() -> None:
    """Compute and print."""
    table = patients(sys.argv[1])
    seen = {"first_relapse": "last", "first_lesion": "last_scan", "worsening": "last_edss"}
    endpoints = {
        "activity_free_survival": ["first_relapse", "first_lesion", "worsening"],
        "relapse_free_survival": ["first_relapse"],
        "mri_activity_free_survival": ["first_lesion"],
        "worsening_free_survival": ["worsening"],
        "overall_survival": [],
    }
    found = {
        key: event_free(table, events, [seen[name] for name in events]) for key, events in endpoints.items()
    }
    print(json.dumps({"patients": len(table), **found, "rates": rates(table)}, indent=1))


if __name__ == "__main__":
    main()
