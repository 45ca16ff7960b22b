"""Who was treated: distributions of numbers and counts of texts over the patients."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.cohort import Cohort
from ahsct_trial.results import CohortInfo, Distribution


def distribution(cohort: Cohort, column: str, *, has_total: bool = False) -> Distribution:
    """Describe a numeric column over the patients who have it; `n` is 0 where the file lacks it."""
    if cohort.lacking(column):
        return _described(np.empty(0), has_total)
    return _described(cohort.numbers(column), has_total)


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


def _counts(cohort: Cohort, column: str) -> dict[str, int]:
    """Patients by text, the most frequent first, ties by the text."""
    if cohort.lacking(column):
        return {}
    categories: Any = cohort.patients[column].cat
    # The code of a missing text is -1. There are fewer texts than the codes' type has room for.
    n_by_code = np.bincount(categories.codes.to_numpy() + 1, minlength=len(categories.categories) + 1)[1:]
    counts = {str(text): n for text, n in zip(categories.categories, n_by_code.tolist(), strict=True) if n}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def describe_cohort(cohort: Cohort) -> CohortInfo:
    """Describe the patients as a trial report's first table does."""
    sites = _counts(cohort, "site")
    follow_up = cohort.numbers("follow_up_years")
    survivors = np.empty(0)
    if not cohort.lacking("years_to_death"):
        survivors = follow_up[np.isnan(cohort.numbers("years_to_death"))]
    return CohortInfo(
        n_patients=len(cohort),
        n_sites=None if cohort.lacking("site") else len(sites),
        age_years=distribution(cohort, "age_years"),
        edss_baseline=distribution(cohort, "edss_baseline"),
        follow_up_years=_described(follow_up, has_total=True),
        follow_up_years_of_survivors=_described(survivors, has_total=True),
        years_observed_before=distribution(cohort, "years_observed_before", has_total=True),
        site=sites,
        arm=_counts(cohort, "arm"),
        sex=_counts(cohort, "sex"),
        ms_course=_counts(cohort, "ms_course"),
        prior_therapy=_counts(cohort, "prior_therapy"),
        conditioning=_counts(cohort, "conditioning"),
        graft=_counts(cohort, "graft"),
        n_missing={
            str(name): int(np.count_nonzero(column.isna())) for name, column in cohort.patients.items()
        },
    )
