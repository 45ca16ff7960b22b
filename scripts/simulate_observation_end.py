"""Simulate what the rule for the end of observation is worth: trials whose scans stop at random.

200 trials of 100 patients: relapses, new lesions, worsenings and deaths come at constant rates of 6, 6, 4
and 1 per 100 years; follow-up ends evenly between 3 and 8 years, and scans end evenly between 1 year and that
end. Printed are the share truly free of MS activity, and two Kaplan–Meier estimates of it, each as the mean
of all trials: by the program's rule, and with events counted whenever they come while the event-free are
censored at the last scan.

Usage: python scripts/simulate_observation_end.py        takes about a minute
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import numpy as np

from ahsct_trial import Protocol, read_cohort, summarize
from ahsct_trial.estimators.survival import kaplan_meier

N_TRIALS, N_PATIENTS = 200, 100
RATES = {"relapse": 0.06, "new_lesion": 0.06, "worsening": 0.04, "death": 0.01}  # per year
HORIZONS = (3.0, 5.0)
HEADER = (
    "patient_id",
    "follow_up_years",
    "relapses_after",
    "years_to_first_relapse",
    "scans_after",
    "years_to_first_new_lesion",
    "years_to_last_scan",
    "edss_baseline",
    "years_to_worsening",
    "years_to_last_edss",
    "years_to_death",
)


def main() -> None:
    """Simulate, and print the means."""
    random = np.random.default_rng(11)
    estimates = np.full((2, N_TRIALS, len(HORIZONS)), np.nan)
    with tempfile.TemporaryDirectory() as folder:
        for i in range(N_TRIALS):
            file = Path(folder) / f"{i}.csv"
            years, is_event = simulate(random, file)
            estimates[0, i] = kaplan_meier(years, is_event).at(HORIZONS).estimate
            trial = read_cohort(file)
            for j, horizon in enumerate(HORIZONS):
                endpoints = summarize(trial, Protocol(horizon_years=horizon)).endpoints
                value = endpoints.activity_free_survival.survival.value
                estimates[1, i, j] = np.nan if value is None else value
    every_event, by_the_rule = np.nanmean(estimates, axis=1)
    for j, horizon in enumerate(HORIZONS):
        truth = np.exp(-sum(RATES.values()) * horizon)
        print(
            f"{horizon:g} years: truly {100 * truth:.1f} %; every event counted "
            f"{100 * every_event[j]:.1f} %; by the rule {100 * by_the_rule[j]:.1f} %"
        )


def simulate(random: np.random.Generator, file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Write a trial as a patient table, and give its times and events with every event counted.

    Returns
    -------
    tuple of numpy.ndarray
        Time of the first event, or of the last scan [years], and whether it is an event; shape (n,).
    """
    end = random.uniform(3, 8, N_PATIENTS)
    last_scan = random.uniform(1, end)
    times = {kind: random.exponential(1 / rate, N_PATIENTS) for kind, rate in RATES.items()}
    follow_up = np.minimum(end, times["death"])
    last_scan = np.minimum(last_scan, follow_up)
    seen = {
        kind: np.where(own <= (last_scan if kind == "new_lesion" else follow_up), own, np.nan)
        for kind, own in times.items()
    }
    with file.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(HEADER)
        for i in range(N_PATIENTS):
            relapse, lesion, worsening, death = (_cell(seen[kind][i]) for kind in RATES)
            last = f"{follow_up[i]:.4f}"
            scans, scan = 1 + int(2 * last_scan[i]), f"{last_scan[i]:.4f}"
            until_scan = (scans, lesion, scan)
            table.writerow(
                (f"P{i}", last, int(relapse != ""), relapse, *until_scan, "3.0", worsening, last, death)
            )
    first = np.fmin.reduce(list(seen.values()))
    return np.fmin(first, np.where(np.isnan(first), last_scan, np.inf)), ~np.isnan(first)


def _cell(years: float) -> str:
    return "" if np.isnan(years) else f"{years:.4f}"


if __name__ == "__main__":
    main()
