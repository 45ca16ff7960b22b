"""Deaths of any cause and transplant-related ones: by day 100, to the horizon, and ever."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.catalogue import MORTALITY
from ahsct_trial.endpoints.estimates import absent, finite, joined, not_in_file, patients, share
from ahsct_trial.endpoints.observation import FOLLOW_UP, reaches, whole_days
from ahsct_trial.estimators.survival import SAME_TIME, estimate_at, kaplan_meier
from ahsct_trial.patients import YEARS_TO_TRANSPLANT, PatientTable
from ahsct_trial.protocol import Protocol
from ahsct_trial.results import Estimate, Mortality
from ahsct_trial.wording import in_years

#: The day by which a death counts as an early one, from transplant.
EARLY_DAYS = 100


def mortality(table: PatientTable, protocol: Protocol) -> Mortality:
    """Count deaths among the patients who were followed that far or had died.

    A patient lost before is in no denominator. Where a cause is unknown the transplant-related figure is
    None, and its bounds take the unknown causes as another one and as the transplant (Iacobelli et al. 2013,
    Bone
    Marrow Transplant 48:S1–S37; Klein et al. 2001, Bone Marrow Transplant 28:909–915).
    """
    level = protocol.confidence_level
    if not table.has("years_to_death"):
        return _absent(table, not_in_file(table, ("years_to_death",)), protocol)
    died, follow_up = table.numbers("years_to_death"), table.numbers(FOLLOW_UP)
    has_died = ~np.isnan(died)
    day_of_death, last_day = _days_from_transplant(table, died), _days_from_transplant(table, follow_up)
    is_early = has_died & (day_of_death <= EARLY_DAYS)
    is_followed_early = is_early | (last_day >= EARLY_DAYS)
    is_by_horizon = has_died & (died <= protocol.horizon_years + SAME_TIME)
    is_followed = reaches(follow_up, protocol.horizon_years, protocol)
    n_all = len(table)
    is_related, is_unknown = _causes(table, has_died)
    early = _bounds(
        is_related & is_early, is_unknown & is_early, int(np.count_nonzero(is_followed_early)), level
    )
    ever = _bounds(is_related, is_unknown, n_all, level)
    n_unknown = int(np.count_nonzero(is_unknown))
    notes = []
    n_lost_early = n_all - int(np.count_nonzero(is_followed_early))
    if n_lost_early:
        notes.append(
            f"{patients(n_lost_early)} followed for less than {EARLY_DAYS} days, in no figure by then."
        )
    if n_unknown:
        notes.append(f"The cause of death of {patients(n_unknown)} is unknown.")
    return Mortality(
        label=MORTALITY.label,
        definition=_definition(table, protocol),
        all_cause_by_day_100=_counted(is_early, is_followed_early, level),
        all_cause=_counted(is_by_horizon, is_by_horizon | is_followed, level),
        incidence_by_day_100=_incidence(day_of_death, last_day, protocol),
        transplant_related_by_day_100=early[0],
        transplant_related_by_day_100_lowest=early[1],
        transplant_related_by_day_100_highest=early[2],
        transplant_related=ever[0],
        transplant_related_lowest=ever[1],
        transplant_related_highest=ever[2],
        n_cause_unknown=n_unknown,
        note=joined(notes),
    )


def _days_from_transplant(table: PatientTable, years: NDArray[np.float64]) -> NDArray[np.float64]:
    """Whole days from transplant where the data know its day and the patient had one, else from time zero."""
    if not table.has(YEARS_TO_TRANSPLANT):
        return whole_days(years)
    return whole_days(years - np.nan_to_num(table.numbers(YEARS_TO_TRANSPLANT)))


def _causes(table: PatientTable, has_died: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whose death was transplant-related, and of whose death the cause is unknown."""
    if not table.has("cause_of_death"):
        return np.zeros(len(table), bool), has_died
    cause = table.patients["cause_of_death"]
    return has_died & (cause == "transplant").to_numpy(), has_died & cause.isna().to_numpy()


def _counted(is_death: NDArray[np.bool_], is_followed: NDArray[np.bool_], level: float) -> Estimate:
    return share(int(np.count_nonzero(is_death)), int(np.count_nonzero(is_followed)), level)


def _bounds(
    is_related: NDArray[np.bool_], is_unknown: NDArray[np.bool_], of: int, level: float
) -> tuple[Estimate, Estimate, Estimate]:
    """The transplant-related share, and its bounds where causes are unknown."""
    n, n_unknown = int(np.count_nonzero(is_related)), int(np.count_nonzero(is_unknown))
    lowest, highest = share(n, of, level), share(n + n_unknown, of, level)
    if not n_unknown:
        return lowest, lowest, highest
    note = (
        f"The cause of {n_unknown:,} of these deaths is unknown: between {n:,} and {n + n_unknown:,} of "
        f"{of:,}."
    )
    return absent("share", note), lowest, highest


def _incidence(
    day_of_death: NDArray[np.float64], last_day: NDArray[np.float64], protocol: Protocol
) -> Estimate:
    """Cumulative incidence of death at day 100, as 1 less the Kaplan–Meier estimate."""
    has_died = ~np.isnan(day_of_death)
    days = np.maximum(np.where(has_died, day_of_death, last_day), 0)
    curve = kaplan_meier(days, has_died)
    if not days.size or (days.max() < EARLY_DAYS and curve.estimate[-1] > 0):
        return absent("share", f"Nobody was followed to day {EARLY_DAYS}.")
    method, level = protocol.ci_method, protocol.confidence_level
    # Beta-product limits hold after the losses of a time, and who is lost on day 100 was followed to it.
    is_at_day = bool(np.any(has_died & (days == EARLY_DAYS)))
    at = EARLY_DAYS - 0.5 if method == "beta-product" and not is_at_day else EARLY_DAYS
    value, low, high = estimate_at(curve, at, method, level)
    return Estimate(
        unit="share",
        value=1 - float(value),
        ci_low=finite(1 - high),
        ci_high=finite(1 - low),
        ci_method=method,
        confidence_level=level,
        note=None if 0 < value < 1 else f"The {method} interval is undefined or has no width here.",
    )


def _definition(table: PatientTable, protocol: Protocol) -> str:
    zero, day = protocol.time_zero, f"day {EARLY_DAYS}"
    since = f"transplant, or from {zero} in a patient without one" if table.has(YEARS_TO_TRANSPLANT) else zero
    return (
        f"Deaths of any cause by {day} from {since}, and by {in_years(protocol.horizon_years)} from {zero}, each "
        f"of the patients followed that far or dead by then. Transplant-related: deaths with that cause by {day}, "
        "of the same patients, and ever, of all patients. Lowest and highest: deaths of unknown cause as not "
        f"transplant-related, and as transplant-related. Incidence by {day}: 1 − Kaplan–Meier."
    )


def _absent(table: PatientTable, note: str, protocol: Protocol) -> Mortality:
    nothing = absent("share", note)
    return Mortality(
        label=MORTALITY.label,
        definition=_definition(table, protocol),
        all_cause_by_day_100=nothing,
        all_cause=nothing,
        incidence_by_day_100=nothing,
        transplant_related_by_day_100=nothing,
        transplant_related_by_day_100_lowest=nothing,
        transplant_related_by_day_100_highest=nothing,
        transplant_related=nothing,
        transplant_related_lowest=nothing,
        transplant_related_highest=nothing,
        n_cause_unknown=None,
        note=note,
    )
