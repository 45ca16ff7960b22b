"""Endpoints that count: relapses over time, lesions over scans, patients by disability, deaths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.cohort import Cohort
from ahsct_trial.endpoints.demographics import distribution
from ahsct_trial.endpoints.intervals import finite, joined, not_in_file, patients, proportion
from ahsct_trial.estimators.rates import garwood, pearson_dispersion, rate_ratio_interval
from ahsct_trial.protocol import DAYS_PER_YEAR, Protocol
from ahsct_trial.results import (
    Disability,
    Interval,
    LesionRate,
    LesionRates,
    MortalityByDay,
    RelapseRate,
    RelapseRates,
    TransplantRelatedMortality,
)

#: Above this, counts vary so much between patients that a Poisson interval is misleading.
DISPERSION_LIMIT = 1.5


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Events over exposure, pooled over the patients in whom both are known; None without the columns."""

    n_patients: int | None = None
    n_unknown: int | None = None
    n_events: int | None = None
    exposure: float | None = None
    rate: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    dispersion: float | None = None
    note: str | None = None


def pooled_rate(cohort: Cohort, count: str, exposure: str, level: float) -> Rate:
    """Pool a rate over the patients, with its Garwood interval."""
    missing = cohort.lacking(count, exposure)
    if missing:
        return Rate(note=not_in_file(cohort, missing))
    counts, exposures = cohort.numbers(count), cohort.numbers(exposure)
    is_known = ~(np.isnan(counts) | np.isnan(exposures))
    if not is_known.all():
        counts, exposures = counts[is_known], exposures[is_known]
    n_unknown = len(cohort) - len(counts)
    n_events, total = int(counts.sum()), float(exposures.sum())
    low, high = garwood(n_events, total, level)
    notes = []
    if n_unknown:
        notes.append(f"{patients(n_unknown)} left out: {count} or {exposure} is empty.")
    if not total:
        notes.append(f"No rate: {exposure} sums to 0.")
    # A relapse on the day of transplant in a patient who is lost that day: its expected number is 0.
    is_beyond_rates = bool(np.any(counts[exposures == 0]))
    if is_beyond_rates:
        notes.append(f"No dispersion: {count} is above 0 where {exposure} is 0.")
    return Rate(
        n_patients=len(counts),
        n_unknown=n_unknown,
        n_events=n_events,
        exposure=total,
        rate=n_events / total if total else None,
        ci_low=finite(low),
        ci_high=finite(high),
        dispersion=None if is_beyond_rates else finite(pearson_dispersion(counts, exposures)),
        note=joined(notes),
    )


def rate_ratio(after: Rate, before: Rate, level: float) -> tuple[Interval, str | None]:
    """After ÷ before with the exact conditional interval, and why a part of it is None."""
    value = low = high = note = None
    if not (after.exposure and before.exposure):
        note = "No ratio: it needs a rate before and a rate after."
    else:
        n_after, n_before = after.n_events or 0, before.n_events or 0
        limits = rate_ratio_interval(n_after, after.exposure, n_before, before.exposure, level)
        low, high = map(finite, limits)
        if n_before:
            value = (n_after / after.exposure) / (n_before / before.exposure)
        else:
            note = "No ratio: nothing was counted before."
    return Interval(value=value, ci_low=low, ci_high=high, ci_method="exact-conditional"), note


def _remark(cohort: Cohort, component: str) -> str:
    """What a definition must add about columns that were derived from records."""
    return f" {cohort.remarks[component]}" if component in cohort.remarks else ""


def relapse_rates(cohort: Cohort, protocol: Protocol) -> RelapseRates:
    """Annualised relapse rates before and after transplant."""
    level = protocol.confidence_level
    before = pooled_rate(cohort, "relapses_before", "years_observed_before", level)
    after = pooled_rate(cohort, "relapses_after", "follow_up_years", level)
    ratio, note = rate_ratio(after, before, level)
    return RelapseRates(
        label="Annualised relapse rate",
        definition=(
            "Relapses ÷ person-years: before, over the years observed before transplant; after, from "
            "transplant to the end of follow-up. Ratio: after ÷ before, each over its own patients."
        ),
        before=_relapse_rate(before),
        after=_relapse_rate(after),
        ratio=ratio,
        note=note,
    )


def _relapse_rate(rate: Rate) -> RelapseRate:
    return RelapseRate(
        n_patients=rate.n_patients,
        n_unknown=rate.n_unknown,
        n_relapses=rate.n_events,
        person_years=rate.exposure,
        rate=rate.rate,
        ci_low=rate.ci_low,
        ci_high=rate.ci_high,
        ci_method="garwood",
        dispersion=rate.dispersion,
        note=rate.note,
    )


def lesion_rates(cohort: Cohort, protocol: Protocol) -> LesionRates:
    """Lesions per scan before and after transplant."""
    level = protocol.confidence_level
    before = pooled_rate(cohort, "lesions_before", "scans_before", level)
    after = pooled_rate(cohort, "new_lesions_after", "scans_after", level)
    ratio, note = rate_ratio(after, before, level)
    n_scans_with_lesions, n_scans, scans_note = _scans_with_lesions(cohort)
    return LesionRates(
        label="MRI lesions",
        definition=(
            "Lesions ÷ scans: before, gadolinium-enhancing lesions on scans up to transplant; after, new "
            "lesions on scans since. Ratio: after ÷ before."
            + (
                _remark(cohort, "new_lesion")
                or " A new lesion is a gadolinium-enhancing or a new or enlarging T2 lesion."
            )
        ),
        before=_lesion_rate(before, None, None, level, before.note),
        after=_lesion_rate(
            after, n_scans_with_lesions, n_scans, level, joined([*filter(None, (after.note, scans_note))])
        ),
        ratio=ratio,
        note=note,
    )


def _scans_with_lesions(cohort: Cohort) -> tuple[int | None, int | None, str | None]:
    """Scans after transplant with a new lesion, of how many, where both are known, and who is left out."""
    columns = ("scans_with_new_lesions_after", "scans_after")
    if missing := cohort.lacking(*columns):
        return None, None, f"Scans with lesions: {not_in_file(cohort, missing)}"
    with_lesions, scans = map(cohort.numbers, columns)
    is_known = ~(np.isnan(with_lesions) | np.isnan(scans))
    n_unknown = int(np.count_nonzero(~is_known))
    note = f"Scans with lesions: {patients(n_unknown)} left out: {' or '.join(columns)} is empty."
    return int(with_lesions[is_known].sum()), int(scans[is_known].sum()), note if n_unknown else None


def _lesion_rate(
    rate: Rate, n_with_lesions: int | None, n_scans: int | None, level: float, note: str | None
) -> LesionRate:
    return LesionRate(
        n_patients=rate.n_patients,
        n_unknown=rate.n_unknown,
        n_scans=None if rate.exposure is None else int(rate.exposure),
        n_lesions=rate.n_events,
        lesions_per_scan=rate.rate,
        ci_low=rate.ci_low,
        ci_high=rate.ci_high,
        ci_method="garwood",
        dispersion=rate.dispersion,
        n_scans_with_lesions=n_with_lesions,
        scans_with_lesions=proportion(n_with_lesions, n_scans, level),
        note=note,
    )


def disability(cohort: Cohort, protocol: Protocol) -> Disability:
    """Patients by confirmed change of EDSS, of those with a baseline and an EDSS since."""
    level = protocol.confidence_level
    missing = cohort.lacking("edss_baseline", "years_to_worsening", "years_to_improvement")
    n_known = n_worsened = n_improved = n_both = n_neither = n_unknown = None
    note: str | None = not_in_file(cohort, missing)
    if not missing:
        has_worsened = ~np.isnan(cohort.numbers("years_to_worsening"))
        has_improved = ~np.isnan(cohort.numbers("years_to_improvement"))
        n_worsened = int(np.count_nonzero(has_worsened))
        n_improved = int(np.count_nonzero(has_improved))
        n_both = int(np.count_nonzero(has_worsened & has_improved))
        n_known = int(np.count_nonzero(has_worsened | has_improved | _has_edss_before_and_after(cohort)))
        n_neither = n_known - n_worsened - n_improved + n_both
        n_unknown = len(cohort) - n_known
        note = f"{patients(n_unknown)} left out: no EDSS at baseline or none since." if n_unknown else None
    return Disability(
        label="Disability",
        definition=(
            "Patients with a confirmed worsening and with a confirmed improvement of EDSS at any time of "
            "follow-up, of those with an EDSS at baseline and one since; a patient may have had both."
            + _remark(cohort, "worsening")
        ),
        n_patients=n_known,
        n_worsened=n_worsened,
        n_improved=n_improved,
        n_both=n_both,
        n_neither=n_neither,
        n_unknown=n_unknown,
        worsened=proportion(n_worsened, n_known, level),
        improved=proportion(n_improved, n_known, level),
        edss_baseline=distribution(cohort, "edss_baseline"),
        edss_last=distribution(cohort, "edss_last"),
        note=note,
    )


def _has_edss_before_and_after(cohort: Cohort) -> NDArray[np.bool_]:
    """Who has an EDSS at baseline and one since, as far as the file's columns tell."""
    has_both = ~np.isnan(cohort.numbers("edss_baseline"))
    after = [name for name in ("edss_last", "years_to_last_edss") if not cohort.lacking(name)]
    if after:
        has_both &= np.logical_or.reduce([~np.isnan(cohort.numbers(name)) for name in after])
    return has_both


def transplant_related_mortality(cohort: Cohort, protocol: Protocol) -> TransplantRelatedMortality:
    """Deaths of the transplant among all patients, whenever they came and by day 100."""
    level = protocol.confidence_level
    missing = cohort.lacking("years_to_death", "cause_of_death")
    n_patients = n_unknown = n_deaths = n_by_day_100 = None
    note: str | None = not_in_file(cohort, missing)
    if not missing:
        years, cause = cohort.numbers("years_to_death"), cohort.patients["cause_of_death"]
        has_died = ~np.isnan(years)
        n_unknown = int(np.count_nonzero(has_died & cause.isna().to_numpy()))
        n_patients = len(cohort) - n_unknown
        is_counted = has_died & (cause == "transplant").to_numpy()
        n_deaths = int(np.count_nonzero(is_counted))
        # Years in a patient table are rounded: whole days again, or day 100 may come out as 100.005.
        n_by_day_100 = int(np.count_nonzero(np.rint(years[is_counted] * DAYS_PER_YEAR) <= 100))
        note = f"{patients(n_unknown)} left out: died, cause_of_death is empty." if n_unknown else None
    ever = proportion(n_deaths, n_patients, level)
    early = proportion(n_by_day_100, n_patients, level)
    return TransplantRelatedMortality(
        label="Transplant-related mortality",
        definition=(
            "Deaths whose cause is the transplant ÷ patients, at any time of follow-up and by day 100."
        ),
        n_patients=n_patients,
        n_unknown=n_unknown,
        n_deaths=n_deaths,
        value=ever.value,
        ci_low=ever.ci_low,
        ci_high=ever.ci_high,
        ci_method=ever.ci_method,
        by_day_100=MortalityByDay(
            n_patients=n_patients,
            n_deaths=n_by_day_100,
            value=early.value,
            ci_low=early.ci_low,
            ci_high=early.ci_high,
            ci_method=early.ci_method,
        ),
        note=note,
    )
