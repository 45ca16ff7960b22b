"""The five survival endpoints: who is event-free at the landmark, and the curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ahsct_trial.catalogue import EVENTS, SurvivalEndpoint
from ahsct_trial.endpoints.estimates import absent, finite, joined, not_in_file, patients, share
from ahsct_trial.endpoints.observation import (
    Component,
    Leaving,
    Observation,
    define,
    landmark_day,
    needed_columns,
    observe,
    reaches,
    whole_days,
)
from ahsct_trial.estimators.competing_risks import CumulativeIncidence, cumulative_incidence, incidence_limits
from ahsct_trial.estimators.survival import SAME_TIME, KaplanMeier, estimate_at, kaplan_meier, quantile
from ahsct_trial.patients import PatientTable
from ahsct_trial.protocol import DAYS_PER_YEAR, CiMethod, Protocol
from ahsct_trial.results import Curve, Estimate
from ahsct_trial.results import SurvivalEndpoint as SurvivalResult
from ahsct_trial.wording import in_years


def survival_endpoint(
    table: PatientTable,
    endpoint: SurvivalEndpoint,
    parts: Mapping[str, Component],
    protocol: Protocol,
) -> SurvivalResult:
    """Estimate one survival endpoint at the protocol's horizon.

    Parameters
    ----------
    table
        The patients.
    endpoint
        What counts.
    parts
        The components that the data tell of, as `observation.components` gives them.
    protocol
        Horizon, rules, interval method and level.
    """
    observed = observed_endpoint(table, endpoint, parts, protocol)
    return observed.result(protocol)


def observed_endpoint(
    table: PatientTable,
    endpoint: SurvivalEndpoint,
    parts: Mapping[str, Component],
    protocol: Protocol,
) -> ObservedEndpoint | AbsentEndpoint:
    """Observe the patients of an endpoint; takes what `survival_endpoint` takes."""
    definition = define(endpoint, parts, protocol)
    missing = table.lacking(*needed_columns(endpoint, protocol))
    if missing:
        return AbsentEndpoint(endpoint, definition, not_in_file(table, missing))
    observed = observe(table, endpoint, parts, protocol)
    died = table.numbers("years_to_death") if table.has("years_to_death") else None
    known = observed.known()
    curve = kaplan_meier(known.years, known.event_type < len(observed.types), known.entry)
    return ObservedEndpoint(endpoint, definition, observed, known, curve, died)


@dataclass(frozen=True)
class ObservedEndpoint:
    """An endpoint's observations and their curve, from which figures at any landmark are read.

    Attributes
    ----------
    endpoint, definition
        What it is, and its definition in words.
    observed, known
        All patients, and those who are not left out.
    curve
        Kaplan–Meier over those who are known.
    died
        Time of each patient's death, NaN for who lives; None where the data know no deaths.
    """

    endpoint: SurvivalEndpoint
    definition: str
    observed: Observation
    known: Leaving
    curve: KaplanMeier
    died: np.ndarray | None

    def result(self, protocol: Protocol) -> SurvivalResult:
        """The figures at the protocol's horizon, with its interval method and level."""
        observed, horizon, level = self.observed, protocol.horizon_years, protocol.confidence_level
        years, event_type, entry = self.known
        is_event = event_type < len(observed.types)
        is_by_horizon = years <= horizon + SAME_TIME
        is_followed = reaches(years, horizon, protocol)
        n_patients, n_events = len(years), int(np.count_nonzero(is_event & is_by_horizon))
        # Who comes under observation after the landmark cannot have had the event by it.
        is_entered = True if entry is None else entry < horizon - SAME_TIME
        n_event_free = int(np.count_nonzero(np.where(is_event, ~is_by_horizon, is_followed) & is_entered))
        is_at_risk = np.where(is_event, years >= horizon - SAME_TIME, is_followed) & is_entered
        n_at_risk = int(np.count_nonzero(is_at_risk))
        by_type = np.bincount(event_type[is_by_horizon & is_event], minlength=len(observed.types))
        n_late = int(np.count_nonzero(observed.is_late))
        is_estimable = self._is_estimable(protocol)
        survival = self._survival(protocol, protocol.ci_method) if is_estimable else None
        why_not = None if is_estimable else self._why_not(protocol)
        return SurvivalResult(
            label=self.endpoint.label,
            definition=self.definition,
            horizon_years=horizon,
            n_patients=n_patients,
            n_unknown=len(observed.years) - n_patients,
            n_unknown_with_event=int(np.count_nonzero(observed.is_unknown_with_event)),
            n_late_events=n_late,
            n_events=n_events,
            events_by_type={event.key: None for event in EVENTS}
            | dict(zip(observed.types, by_type.tolist(), strict=True)),
            n_censored=int(np.count_nonzero(~is_event & is_by_horizon)),
            n_censored_died=self._n_censored_died(protocol),
            n_not_followed=n_patients - n_events - n_event_free,
            n_at_risk=n_at_risk,
            n_event_free=n_event_free,
            n_evaluable=n_event_free + n_events,
            proportion=share(n_event_free, n_event_free + n_events, level),
            survival=survival or absent("share", why_not),
            survival_beta_product=self._beta_product(protocol, survival),
            median_years=self._median(protocol),
            incidence=self._incidence(protocol, why_not),
            note=joined([_unknown_note(observed, self.died), _late_note(n_late), why_not]),
            curve=_as_curve(self.curve, protocol),
        )

    def first_events(self) -> CumulativeIncidence:
        """The cumulative incidence of each type of first event, over those who are known."""
        known, n_types = self.known, len(self.observed.types)
        return cumulative_incidence(known.years, known.event_type, n_types, curve=self.curve)

    def _is_estimable(self, protocol: Protocol) -> bool:
        """Whether the curve says anything at the horizon: somebody reached it, or nobody is left."""
        if not self.curve.time.size:
            return False
        is_reached = reaches(self.curve.time[-1:], protocol.horizon_years, protocol)[0]
        return bool(is_reached or self.curve.estimate[-1] == 0)

    def _why_not(self, protocol: Protocol) -> str:
        """Why there is no estimate at the horizon, and what reaches it.

        It is the same for all days of a tenth of a year, so that a patient's day cannot be read off it.
        """
        if not self.curve.time.size:
            return "No patient has a known outcome."
        horizon = protocol.horizon_years
        last = int(whole_days(self.curve.time[-1:])[0])
        tenths = int(10 * (last + 0.9) / DAYS_PER_YEAR)
        first_of_tenth = np.ceil(tenths * DAYS_PER_YEAR / 10 - 0.9)
        window = protocol.landmark_window_days + landmark_day(horizon, protocol) - first_of_tenth
        if window <= 100:
            way = f"; --window-days {10 * np.ceil(window / 10):g} reaches it"
        else:
            way = f"; --horizon {tenths / 10:g} or less has a figure" if tenths else ""
        return (
            f"No estimate at {in_years(horizon)}: the longest observation ends between {tenths / 10:g} and "
            f"{in_years((tenths + 1) / 10)}{way}."
        )

    def _survival(self, protocol: Protocol, method: CiMethod) -> Estimate:
        horizon = protocol.horizon_years
        at = horizon
        if method == "beta-product":
            # Its limits hold after the losses of a time, and who is lost on the landmark has reached it.
            before = (landmark_day(horizon, protocol) - 0.5) / DAYS_PER_YEAR
            is_counted = (self.curve.n_events > 0) & (self.curve.time <= horizon + SAME_TIME)
            at = max([before, *self.curve.time[is_counted][-1:].tolist()])
            if self.curve.entry is not None:
                return absent("share", "No beta-product limits where patients enter after time zero.")
        value, low, high = estimate_at(self.curve, at, method, protocol.confidence_level)
        return Estimate(
            unit="share",
            value=float(value),
            ci_low=finite(low),
            ci_high=finite(high),
            ci_method=method,
            confidence_level=protocol.confidence_level,
            note=_undefined_note(float(value), method),
        )

    def _beta_product(self, protocol: Protocol, survival: Estimate | None) -> Estimate:
        """The limits that stand where those of the protocol's method are undefined or have no width."""
        if survival is None or survival.value not in {0.0, 1.0} or protocol.ci_method == "beta-product":
            return absent("share", None)
        return self._survival(protocol, "beta-product")

    def _median(self, protocol: Protocol) -> Estimate:
        method: CiMethod = protocol.ci_method
        if self.curve.entry is not None and method == "beta-product":
            method = "log-log"
        if not self.curve.time.size:
            return absent("years", "No patient has a known outcome.")
        value, low, high = map(finite, quantile(self.curve, 0.5, method, protocol.confidence_level))
        note = "Not reached: the curve stays above one half." if value is None else None
        return Estimate(
            unit="years",
            value=value,
            ci_low=low,
            ci_high=high,
            ci_method=method,
            confidence_level=protocol.confidence_level,
            note=note,
        )

    def _incidence(self, protocol: Protocol, why_not: str | None) -> dict[str, Estimate]:
        observed = self.observed
        if why_not is not None:
            return {key: absent("share", why_not) for key in observed.types}
        level = protocol.confidence_level
        values, variances = self.first_events().at(protocol.horizon_years)
        lows, highs = incidence_limits(values, variances, level)
        return {
            key: Estimate(
                unit="share",
                value=float(value),
                ci_low=finite(low),
                ci_high=finite(high),
                ci_method="log-log",
                confidence_level=level,
                note=None if value else "Nobody had this event first: no limits.",
            )
            for key, value, low, high in zip(observed.types, values, lows, highs, strict=True)
        }

    def _n_censored_died(self, protocol: Protocol) -> int | None:
        if self.died is None:
            return None
        observed = self.observed
        is_lost = (
            observed.is_known & ~observed.is_event & (observed.years <= protocol.horizon_years + SAME_TIME)
        )
        return int(np.count_nonzero(is_lost & (self.died <= protocol.horizon_years + SAME_TIME)))


def _undefined_note(value: float, method: CiMethod) -> str | None:
    if method == "beta-product" or value not in {0.0, 1.0}:
        return None
    is_undefined = value == 0 or method in {"log-log", "logit", "arcsin"}
    what = "is undefined" if is_undefined else "has no width"
    return f"At {100 * value:.0f} % the {method} interval {what}; the beta-product limits stand there."


def _unknown_note(observed: Observation, died: np.ndarray | None) -> str | None:
    n_unknown = int(np.count_nonzero(~observed.is_known))
    if not n_unknown:
        return None
    n_with_event = int(np.count_nonzero(observed.is_unknown_with_event))
    reason = "a component is unknown"
    if observed.entry is not None:
        reason += ", or the baseline EDSS came no earlier than the event or the end of observation"
    of_whom = f", of whom {n_with_event:,} had another event" if n_with_event else ""
    n_died = 0 if died is None else int(np.count_nonzero(~observed.is_known & ~np.isnan(died)))
    dead = f", {n_died:,} died" if n_died else ""
    return f"{patients(n_unknown)} left out: {reason}{of_whom}{dead}."


def _late_note(n_late: int) -> str | None:
    if not n_late:
        return None
    has = "had an event" if n_late == 1 else "had an event each"
    return f"{patients(n_late)} {has} after the end of their observation, which is not counted."


def _as_curve(curve: KaplanMeier, protocol: Protocol) -> Curve:
    def limits() -> tuple[np.ndarray, np.ndarray]:
        is_entered = curve.entry is not None and protocol.ci_method == "beta-product"
        method: CiMethod = "log-log" if is_entered else protocol.ci_method
        _, low, high = estimate_at(curve, curve.time, method, protocol.confidence_level)
        return low, high

    return Curve(
        years=curve.time,
        n_at_risk=curve.n_at_risk,
        n_events=curve.n_events,
        n_censored=curve.n_censored,
        estimate=curve.estimate,
        limits=limits,
    )


@dataclass(frozen=True)
class AbsentEndpoint:
    """An endpoint that the data do not tell of, and why."""

    endpoint: SurvivalEndpoint
    definition: str
    note: str

    def result(self, protocol: Protocol) -> SurvivalResult:
        """No figures, and the note."""
        note = self.note
        nothing = kaplan_meier(np.empty(0), np.empty(0, dtype=bool))
        return SurvivalResult(
            label=self.endpoint.label,
            definition=self.definition,
            horizon_years=protocol.horizon_years,
            n_patients=None,
            n_unknown=None,
            n_unknown_with_event=None,
            n_late_events=None,
            n_events=None,
            events_by_type={event.key: None for event in EVENTS},
            n_censored=None,
            n_censored_died=None,
            n_not_followed=None,
            n_at_risk=None,
            n_event_free=None,
            n_evaluable=None,
            proportion=absent("share", note),
            survival=absent("share", note),
            survival_beta_product=absent("share", None),
            median_years=absent("years", note),
            incidence={},
            note=note,
            curve=_as_curve(nothing, protocol),
        )
