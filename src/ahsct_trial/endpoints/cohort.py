"""Who was treated and for how long they were followed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.chunks import chunks
from ahsct_trial.columns import ATTRIBUTES
from ahsct_trial.endpoints.estimates import absent, finite
from ahsct_trial.endpoints.observation import FOLLOW_UP, reaches
from ahsct_trial.estimators.survival import SAME_TIME, completeness, reverse_kaplan_meier_median
from ahsct_trial.patients import YEARS_TO_TRANSPLANT, PatientTable
from ahsct_trial.protocol import Protocol
from ahsct_trial.results import CohortInfo, Distribution, Estimate, FollowUp, GroupFlow


def distribution(table: PatientTable, column: str, *, has_total: bool = False) -> Distribution:
    """Describe a numeric column over the patients who have it; `n` is 0 where the file lacks it."""
    if not table.has(column):
        return _described(np.empty(0), has_total)
    return _described(table.numbers(column), has_total)


def _described(values: NDArray[np.float64], has_total: bool) -> Distribution:
    is_empty = np.isnan(values)
    n = values.size - int(np.count_nonzero(is_empty))
    if not n:
        return Distribution(n=0, median=None, min=None, max=None, total=None)
    return Distribution(
        n=n,
        median=_median(values, n),
        min=float(np.fmin.reduce(values)),
        max=float(np.fmax.reduce(values)),
        total=float((values if n == values.size else values[~is_empty]).sum()) if has_total else None,
    )


def _median(values: NDArray[np.float64], n: int) -> float:
    """The middle one of the `n` values that are not NaN, or the mean of the middle two.

    `numpy.median` takes eight times as long. A partition leaves NaN at the end.
    """
    middle = n // 2
    parted = np.partition(values, middle)
    if n % 2:
        return float(parted[middle])
    return float((parted[:middle].max() + parted[middle]) / 2)


def _counts(table: PatientTable, column: str) -> dict[str, int]:
    """Patients by text, the most frequent first, ties by the text."""
    if not table.has(column):
        return {}
    categories: Any = table.patients[column].cat
    codes = categories.codes.to_numpy()
    n_by_code = np.zeros(len(categories.categories), dtype=np.int64)
    for chunk in chunks(len(codes)):
        # The code of a missing text is -1. There are fewer texts than the codes' type has room for.
        n_by_code += np.bincount(codes[chunk] + 1, minlength=n_by_code.size + 1)[1:]
    counts = {str(text): n for text, n in zip(categories.categories, n_by_code.tolist(), strict=True) if n}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def describe_cohort(table: PatientTable, protocol: Protocol) -> CohortInfo:
    """Describe the patients as a trial report's first table does."""
    counts = {
        column.name: _counts(table, column.name) for column in ATTRIBUTES if column.kind in {"text", "level"}
    }
    return CohortInfo(
        n_patients=len(table),
        n_sites=len(counts["site"]) if table.has("site") else None,
        age_years=distribution(table, "age_years"),
        edss_baseline=distribution(table, "edss_baseline"),
        years_observed_before=distribution(table, "years_observed_before", has_total=True),
        follow_up=_follow_up(table, protocol),
        **counts,
        n_missing={
            str(name): int(np.count_nonzero(column.isna())) for name, column in table.patients.items()
        },
    )


def _follow_up(table: PatientTable, protocol: Protocol) -> FollowUp:
    years = table.numbers(FOLLOW_UP)
    died = table.numbers("years_to_death") if table.has("years_to_death") else np.full(len(table), np.nan)
    is_alive = np.isnan(died)
    described = _described(years, has_total=True)
    level = protocol.confidence_level
    median, low, high = map(finite, reverse_kaplan_meier_median(years, ~is_alive, level))
    return FollowUp(
        n=len(years),
        median=described.median,
        min=described.min,
        max=described.max,
        total=described.total,
        survivors=_described(years[is_alive] if table.has("years_to_death") else np.empty(0), has_total=True),
        reverse_kaplan_meier=Estimate(
            unit="years",
            value=median,
            ci_low=low,
            ci_high=high,
            ci_method="log-log",
            confidence_level=level,
            note=None if median is not None else "Not reached.",
        ),
        completeness=_completeness(years, ~is_alive, protocol.horizon_years),
    )


def _completeness(years: NDArray[np.float64], has_died: NDArray[np.bool_], horizon: float) -> Estimate:
    value = finite(completeness(years, has_died, horizon))
    if value is None:
        return absent("share", "Nobody could have been followed.")
    return Estimate(unit="share", value=value)


def count_flow(table: PatientTable, protocol: Protocol) -> GroupFlow:
    """Count who was transplanted, who died by the horizon and who was followed to it.

    The landmark is a day, as for every endpoint; who died by the horizon was not followed to it.
    """
    horizon = protocol.horizon_years
    has_died = np.zeros(len(table), dtype=bool)
    if table.has("years_to_death"):
        has_died = table.numbers("years_to_death") <= horizon + SAME_TIME
    is_followed = reaches(table.numbers(FOLLOW_UP), horizon, protocol) & ~has_died
    n_died, n_followed = int(np.count_nonzero(has_died)), int(np.count_nonzero(is_followed))
    transplants = table.numbers(YEARS_TO_TRANSPLANT) if table.has(YEARS_TO_TRANSPLANT) else None
    return GroupFlow(
        n_transplanted=None if transplants is None else int(np.count_nonzero(~np.isnan(transplants))),
        n_died=n_died if table.has("years_to_death") else None,
        n_followed=n_followed,
        n_ended_before=len(table) - n_died - n_followed,
    )
