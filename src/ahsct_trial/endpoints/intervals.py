"""Estimates with their intervals as results: None, never NaN or infinity, where one is undefined."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import SupportsFloat

from ahsct_trial.cohort import Cohort
from ahsct_trial.estimators.proportions import clopper_pearson
from ahsct_trial.results import Interval
from ahsct_trial.wording import plural

#: Columns that are derived from ``edss`` records without naming them.
_FROM_EDSS = frozenset({"years_to_worsening", "years_to_improvement"})


def finite(value: SupportsFloat) -> float | None:
    """The number, or None where it is NaN or infinite."""
    number = float(value)
    return number if isfinite(number) else None


def proportion(n_successes: int | None, n: int | None, level: float) -> Interval:
    """A proportion with its Clopper–Pearson interval; None where the counts are unknown or `n` is 0."""
    if n_successes is None or not n:
        return Interval(value=None, ci_low=None, ci_high=None, ci_method="clopper-pearson")
    low, high = clopper_pearson(n_successes, n, level)
    return Interval(
        value=n_successes / n, ci_low=finite(low), ci_high=finite(high), ci_method="clopper-pearson"
    )


def not_in_file(cohort: Cohort, columns: tuple[str, ...]) -> str:
    """The note of an endpoint that lacks columns; of records, the kind of record that they come from."""
    if cohort.source.shape == "records":
        kinds = dict.fromkeys("edss" if "edss" in name or name in _FROM_EDSS else "mri" for name in columns)
        return f"Not in this file: {' and '.join(kinds)} records that tell of it."
    return f"Not in this file: {', '.join(columns)}."


def joined(notes: Iterable[str | None]) -> str | None:
    """Several notes as one text; None without any."""
    return " ".join(filter(None, notes)) or None


def patients(n: int) -> str:
    """A number of patients in words that agree with it."""
    return f"{n:,} {plural('patient', n)}"
