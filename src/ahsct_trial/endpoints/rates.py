"""Relapses over person-years and lesions over scans, before and after time zero."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.catalogue import LESIONS, RELAPSE, RELAPSE_RATE, RateEndpoint
from ahsct_trial.endpoints.estimates import absent, finite, joined, not_in_file, patients, share
from ahsct_trial.endpoints.observation import last_assessment
from ahsct_trial.estimators.negative_binomial import negative_binomial_rate, negative_binomial_ratio
from ahsct_trial.estimators.rates import garwood, pearson_dispersion, rate_ratio_interval
from ahsct_trial.estimators.survival import SAME_TIME
from ahsct_trial.patients import PatientTable
from ahsct_trial.protocol import Protocol
from ahsct_trial.results import Estimate, EventRate, EventRates, Unit

#: Above this, counts vary so much between patients that a Poisson interval is misleading.
DISPERSION_LIMIT = 1.5

#: What must stand beside a comparison of before and after.
REGRESSION_TO_THE_MEAN = (
    "Patients are treated when their disease is most active: part of any fall would have come "
    "without treatment (regression to the mean)."
)


@dataclass(frozen=True)
class Side:
    """Counts and exposures of all patients on one side, NaN where unknown; shape (n_patients,)."""

    counts: NDArray[np.float64]
    exposures: NDArray[np.float64]

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Who has both."""
        return ~(np.isnan(self.counts) | np.isnan(self.exposures))

    def among(self, is_kept: NDArray[np.bool_]) -> Side:
        """The patients for whom the flag is set."""
        if is_kept.all():
            return self
        kept = np.flatnonzero(is_kept)  # once for both: looking at flags takes longer than taking values
        return Side(self.counts.take(kept), self.exposures.take(kept))


def event_rates(table: PatientTable, endpoint: RateEndpoint, protocol: Protocol) -> EventRates:
    """Compute a rate before and after time zero, each over its own patients, and their ratio.

    The ratio is after ÷ before over the patients who are known on both sides.
    """
    columns = {"before": endpoint.before, "after": endpoint.after}
    sides = {side: side_of(table, endpoint, *columns_of_side) for side, columns_of_side in columns.items()}
    missing = {
        side: None if sides[side] else _missing(table, endpoint, columns_of_side)
        for side, columns_of_side in columns.items()
    }
    before, after = (
        _absent(endpoint, missing[side] or "")
        if side_found is None
        else _rate(side_found, endpoint, columns[side], protocol)
        for side, side_found in sides.items()
    )
    if endpoint is RELAPSE_RATE and sides["after"] is not None:
        after = _with_late_relapses(after, table, sides["after"])
    if endpoint is LESIONS:
        after = _with_scans(after, table, protocol.confidence_level)
    ratio, negative_binomial, n_both, note = _ratio(sides["before"], sides["after"], protocol)
    return EventRates(
        label=endpoint.label,
        definition=_definition(table, endpoint, protocol),
        before=before,
        after=after,
        ratio=ratio,
        ratio_negative_binomial=negative_binomial,
        n_patients_in_ratio=n_both,
        note=note,
    )


def side_of(table: PatientTable, endpoint: RateEndpoint, count: str, exposure: str) -> Side | None:
    """One side's counts and exposures; None where the data lack a column."""
    if not table.has(count):
        return None
    if endpoint is RELAPSE_RATE and (count, exposure) == endpoint.after:
        # Relapses are seen up to the last visit, which is never unknown.
        return Side(table.numbers(count), last_assessment(table, RELAPSE)[0])
    if not table.has(exposure):
        return None
    return Side(table.numbers(count), table.numbers(exposure))


def _missing(table: PatientTable, endpoint: RateEndpoint, columns: tuple[str, str]) -> str:
    return not_in_file(table, table.lacking(*_needed(endpoint, columns)))


def _needed(endpoint: RateEndpoint, columns: tuple[str, str]) -> tuple[str, ...]:
    """Those of the two columns that may be missing or empty: nothing stands in for them."""
    return columns[:1] if columns == endpoint.after and endpoint.after_stands_in else columns


def _rate(side: Side, endpoint: RateEndpoint, columns: tuple[str, str], protocol: Protocol) -> EventRate:
    known = side.among(side.is_known)
    n_unknown = len(side.counts) - len(known.counts)
    n_events, exposure = int(known.counts.sum()), float(known.exposures.sum())
    level = protocol.confidence_level
    notes = []
    if n_unknown:
        notes.append(f"{patients(n_unknown)} left out: {' or '.join(_needed(endpoint, columns))} is empty.")
    if not exposure:
        notes.append(f"No rate: {endpoint.exposure} sum to 0.")
    # A relapse on the day of a loss: its expected number is 0.
    is_beyond_rates = bool(np.any(known.counts[known.exposures == 0]))
    if is_beyond_rates:
        notes.append(f"No dispersion: {columns[0]} is above 0 where there are no {endpoint.exposure}.")
    dispersion = None if is_beyond_rates else finite(pearson_dispersion(known.counts, known.exposures))
    low, high = garwood(n_events, exposure, level)
    return EventRate(
        n_patients=len(known.counts),
        n_unknown=n_unknown,
        n_events=n_events,
        exposure=exposure,
        rate=Estimate(
            unit=endpoint.unit,
            value=finite(n_events / exposure) if exposure else None,
            ci_low=finite(low),
            ci_high=finite(high),
            ci_method="garwood",
            confidence_level=level,
            n=n_events,
            of=exposure,
        ),
        rate_negative_binomial=_negative_binomial(known, endpoint.unit, dispersion, level),
        dispersion=dispersion,
        scans_with_lesions=absent("share", None),
        note=joined(notes),
    )


def is_overdispersed(dispersion: float | None) -> bool:
    """Whether counts vary between patients more than a Poisson rate allows."""
    # The order of patients changes the last digits of a sum, and must not decide.
    return dispersion is not None and round(dispersion, 9) > DISPERSION_LIMIT


def _negative_binomial(side: Side, unit: Unit, dispersion: float | None, level: float) -> Estimate:
    # Where a patient has events without exposure there is no dispersion.
    if not is_overdispersed(dispersion):
        return absent(unit, f"Given where the dispersion is above {DISPERSION_LIMIT}.")
    value, low, high = map(finite, negative_binomial_rate(side.counts, side.exposures, level))
    return Estimate(
        unit=unit,
        value=value,
        ci_low=low,
        ci_high=high,
        ci_method="negative-binomial-profile",
        confidence_level=level,
        n=int(side.counts.sum()),
        of=float(side.exposures.sum()),
    )


def _ratio(
    before: Side | None, after: Side | None, protocol: Protocol
) -> tuple[Estimate, Estimate, int | None, str | None]:
    """After ÷ before over the patients known on both sides: exact, negative binomial, of how many, why not."""
    if before is None or after is None:
        note = "No ratio: it needs a rate before and a rate after."
        return absent("ratio", note), absent("ratio", note), None, note
    is_both = before.is_known & after.is_known
    exact, varied = rate_ratio(after.among(is_both), before.among(is_both), protocol.confidence_level)
    return exact, varied, int(np.count_nonzero(is_both)), exact.note


def rate_ratio(numerator: Side, denominator: Side, level: float) -> tuple[Estimate, Estimate]:
    """A ratio of two rates: with the exact conditional limits, and by the negative binomial distribution.

    The latter has a value where the dispersion of one of the two is above `DISPERSION_LIMIT`. All are known.
    """
    n_1, n_0 = int(numerator.counts.sum()), int(denominator.counts.sum())
    t_1, t_0 = float(numerator.exposures.sum()), float(denominator.exposures.sum())
    if not (t_1 and t_0):
        note = "No ratio: it needs a rate of either."
        return absent("ratio", note), absent("ratio", note)
    low, high = map(finite, rate_ratio_interval(n_1, t_1, n_0, t_0, level))
    exact = Estimate(
        unit="ratio",
        value=finite((n_1 / t_1) / (n_0 / t_0)) if n_0 else None,
        ci_low=low,
        ci_high=high,
        ci_method="exact-conditional",
        confidence_level=level,
        note=None if n_0 else "No ratio: nothing was counted in the denominator.",
    )
    if not any(is_overdispersed(_dispersion(side)) for side in (numerator, denominator)):
        return exact, absent("ratio", f"Given where the dispersion is above {DISPERSION_LIMIT}.")
    # An event without exposure has no likelihood.
    of_1, of_0 = (side.among((side.exposures > 0) | (side.counts == 0)) for side in (numerator, denominator))
    value, low, high = map(
        finite, negative_binomial_ratio(of_1.counts, of_1.exposures, of_0.counts, of_0.exposures, level)
    )
    return exact, Estimate(
        unit="ratio",
        value=value,
        ci_low=low,
        ci_high=high,
        ci_method="negative-binomial-profile",
        confidence_level=level,
    )


def _dispersion(side: Side) -> float | None:
    if np.any(side.counts[side.exposures == 0]):
        return None
    return finite(pearson_dispersion(side.counts, side.exposures))


def _with_late_relapses(after: EventRate, table: PatientTable, side: Side) -> EventRate:
    """Say of how many patients the relapses lie after their person-years, as a patient table may have them."""
    if not table.has(RELAPSE.years):
        return after
    is_late = side.is_known & (table.numbers(RELAPSE.years) > side.exposures + SAME_TIME)
    n_late = int(np.count_nonzero(is_late))
    if not n_late:
        return after
    note = (
        f"{patients(n_late)} relapsed only after the last visit: counted, over person-years that end before."
    )
    return replace(after, note=joined([after.note, note]))


def _with_scans(after: EventRate, table: PatientTable, level: float) -> EventRate:
    """Add the share of scans that show a new lesion, over the patients in whom both are known."""
    columns = ("scans_with_new_lesions_after", "scans_after")
    if missing := table.lacking(*columns):
        return replace(after, scans_with_lesions=absent("share", not_in_file(table, missing)))
    with_lesions, scans = map(table.numbers, columns)
    is_known = ~(np.isnan(with_lesions) | np.isnan(scans))
    n_unknown = int(np.count_nonzero(~is_known))
    note = f"{patients(n_unknown)} left out: {' or '.join(columns)} is empty." if n_unknown else None
    found = share(int(with_lesions[is_known].sum()), int(scans[is_known].sum()), level, note=note)
    return replace(after, scans_with_lesions=found)


def _definition(table: PatientTable, endpoint: RateEndpoint, protocol: Protocol) -> str:
    zero = protocol.time_zero
    if endpoint is RELAPSE_RATE:
        until = "the last visit" if table.has("years_to_last_visit") else "the end of follow-up"
        said = (
            f"Relapses ÷ person-years: before, over the years observed before {zero}; after, from {zero} to "
            f"{until}."
        )
        remark = table.remarks.get("relapse", "")
    else:
        said = (
            f"Lesions ÷ scans: before, gadolinium-enhancing lesions on scans up to {zero}; after, new "
            "lesions on scans since."
        )
        remark = table.remarks.get(
            "new_lesion", "A new lesion is a gadolinium-enhancing or a new or enlarging T2 lesion."
        )
    ratio = f"Ratio: after ÷ before, of patients known on both sides. {REGRESSION_TO_THE_MEAN}"
    return joined([said, remark, ratio]) or ""


def _absent(endpoint: RateEndpoint, note: str) -> EventRate:
    return EventRate(
        n_patients=None,
        n_unknown=None,
        n_events=None,
        exposure=None,
        rate=absent(endpoint.unit, note),
        rate_negative_binomial=absent(endpoint.unit, note),
        dispersion=None,
        scans_with_lesions=absent("share", note),
        note=note,
    )
