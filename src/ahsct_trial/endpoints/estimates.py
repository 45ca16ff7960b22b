"""Estimates as results: None, never NaN or infinity, where a part is undefined, and a note that says why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from math import isfinite
from typing import SupportsFloat

from ahsct_trial.catalogue import EVENTS
from ahsct_trial.estimators.proportions import clopper_pearson
from ahsct_trial.patients import PatientTable
from ahsct_trial.results import Estimate, Unit
from ahsct_trial.wording import plural

#: Derived columns whose name does not say which kind of record tells of them.
_RECORD_OF = {event.years: event.record for event in EVENTS} | {
    "years_to_improvement": "edss",
    "edss_baseline": "edss",
    "edss_last": "edss",
    "relapses_before": "relapse",
    "relapses_after": "relapse",
    "years_observed_before": "observed_from",
}


def finite(value: SupportsFloat) -> float | None:
    """The number, or None where it is NaN or infinite."""
    number = float(value)
    return number if isfinite(number) else None


def absent(unit: Unit, note: str | None) -> Estimate:
    """The estimate that there is none."""
    return Estimate(unit=unit, note=note)


def share(n: int | None, of: int | None, level: float, *, note: str | None = None) -> Estimate:
    """A share of a count with its Clopper–Pearson limits; no value where a count is unknown or `of` is 0."""
    if n is None or not of:
        return Estimate(unit="share", n=n, of=of, note=note)
    low, high = clopper_pearson(n, of, level)
    return Estimate(
        unit="share",
        value=n / of,
        ci_low=finite(low),
        ci_high=finite(high),
        ci_method="clopper-pearson",
        confidence_level=level,
        n=n,
        of=of,
        note=note,
    )


def complement(estimate: Estimate) -> Estimate:
    """The share of the others: 1 less the value and each limit, and the upper limit becomes the lower."""
    return replace(
        estimate,
        value=rest_of(estimate.value),
        ci_low=rest_of(estimate.ci_high),
        ci_high=rest_of(estimate.ci_low),
    )


def rest_of(share_of: float | None) -> float | None:
    """1 less a share."""
    # In decimals: a share that reads 0.9875 leaves 0.0125, and not a little less.
    return None if share_of is None else float(1 - Decimal(repr(share_of)))


def not_in_file(table: PatientTable, columns: tuple[str, ...]) -> str:
    """The note of an endpoint that lacks columns; of records, the kind of record that they come from."""
    if table.layout == "records":
        kinds = dict.fromkeys(_RECORD_OF.get(name, "mri") for name in columns)
        return f"Not in this file: {' and '.join(kinds)} records that tell of it."
    return f"Not in this file: {', '.join(columns)}."


def joined(notes: Iterable[str | None]) -> str | None:
    """Several notes as one text; None without any."""
    return " ".join(filter(None, notes)) or None


def patients(n: int) -> str:
    """A number of patients in words that agree with it."""
    return f"{n:,} {plural('patient', n)}"
