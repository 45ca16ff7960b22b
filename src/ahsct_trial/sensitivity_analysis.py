"""One survival endpoint under every choice on which published figures differ, each changed alone.

A setting that cannot move an endpoint, or that the data cannot answer to, is not varied but named with its
reason. All else is as in the protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, get_args

from ahsct_trial.catalogue import (
    HEADLINE,
    NEW_LESION,
    SURVIVAL_ENDPOINTS,
    THERAPY,
    WORSENING,
    SurvivalEndpoint,
)
from ahsct_trial.endpoints import arm_unknown, ignored_settings, protocol_info
from ahsct_trial.endpoints.observation import components
from ahsct_trial.endpoints.survival import survival_endpoint
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.patients import PatientTable
from ahsct_trial.protocol import (
    BUILT_IN,
    RECORDS_ONLY,
    Baseline,
    CiMethod,
    DeathRule,
    NewLesion,
    ObservationEnd,
    Protocol,
    TherapyRule,
    Unconfirmed,
)
from ahsct_trial.results import SCHEMA_VERSION, TOOL, Estimate, Notice, ProtocolInfo, SourceInfo, Tool
from ahsct_trial.results import SurvivalEndpoint as SurvivalResult
from ahsct_trial.suppression import SHOW_ALL, Suppression
from ahsct_trial.trial import Trial
from ahsct_trial.wording import is_it_meant

Value = str | float

#: What is varied, in the order in which it is shown: a protocol's own value is added where it is another.
VARIED: dict[str, tuple[Value, ...]] = {
    "death": get_args(DeathRule),
    "observation_end": get_args(ObservationEnd),
    "therapy": get_args(TherapyRule),
    "new_lesion": get_args(NewLesion),
    "mri_from_day": (0.0, 180.0),
    "worsening_confirm_weeks": (12.0, 24.0, 48.0),  # about 3, 6 and 11 months
    "unconfirmed": get_args(Unconfirmed),
    "baseline": get_args(Baseline),
    "step_high": (0.5, 1.0),  # trials differ on the rise that counts from EDSS 5.5 on
    "ci_method": get_args(CiMethod),
}
_LESION_SETTINGS = {"new_lesion", "mri_from_day"}
_WORSENING_SETTINGS = {"worsening_confirm_weeks", "unconfirmed", "baseline", "step_high"}
#: Proportions closer than this are the same: products of the same fractions differ in their last digits.
_SAME = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class NotVaried:
    """A setting that is not varied, and why."""

    setting: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Alternative:
    """The endpoint at the horizon under one value of one setting, all else as in the protocol.

    `is_protocol` marks the protocol's own value. The figures are those of `results.SurvivalEndpoint`.
    """

    value: Value
    is_protocol: bool
    n_patients: int | None
    n_unknown: int | None
    n_late_events: int | None
    n_events: int | None
    n_at_risk: int | None
    n_event_free: int | None
    n_evaluable: int | None
    proportion: Estimate
    survival: Estimate
    survival_beta_product: Estimate
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A setting, the endpoint under each of its values, and how far they move it.

    A change is the largest difference between two of the values, of proportions from 0 to 1; of limits, the
    larger of that of the lower and that of the upper ones. None where no two values have the figure.
    """

    setting: str
    alternatives: tuple[Alternative, ...]
    survival_change: float | None
    limits_change: float | None
    proportion_change: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sensitivity:
    """One survival endpoint under each choice changed alone.

    `definition` is that under the protocol. The lowest and highest figures are those over all alternatives;
    `moved_most_by` names the settings that move the estimate most, and is empty where nothing moves it.
    """

    schema_version: int
    tool: Tool
    source: SourceInfo
    protocol: ProtocolInfo
    endpoint: str
    label: str
    definition: str
    horizon_years: float
    under_protocol: Alternative
    choices: tuple[Choice, ...]
    not_varied: tuple[NotVaried, ...]
    n_alternatives: int
    survival_lowest: float | None
    survival_highest: float | None
    ci_lowest: float | None
    ci_highest: float | None
    proportion_lowest: float | None
    proportion_highest: float | None
    moved_most_by: tuple[str, ...]
    limits_moved_most_by: tuple[str, ...]
    notices: tuple[Notice, ...]


def find_endpoint(key: str) -> SurvivalEndpoint:
    """Find a survival endpoint by its key.

    Raises
    ------
    UsageError
        If there is none; the text names the closest, or all.
    """
    by_key = {endpoint.key: endpoint for endpoint in SURVIVAL_ENDPOINTS}
    if key in by_key:
        return by_key[key]
    sentence = f"There is no survival endpoint '{shown(key)}'; the endpoints are {', '.join(by_key)}."
    raise UsageError(f"{sentence} {is_it_meant(key, by_key)}".rstrip())


def sensitivity(
    trial: Trial,
    protocol: Protocol = BUILT_IN["default"],
    endpoint: str = HEADLINE.key,
    suppression: Suppression = SHOW_ALL,
) -> Sensitivity:
    """Compute a survival endpoint under each choice changed alone, at the horizon.

    Parameters
    ----------
    trial
        The data, as `read_cohort` gives them.
    protocol
        Where the choices start from, and all settings that are not varied.
    endpoint
        Key of a survival endpoint.
    suppression
        What leaves out alternatives with small counts, or that differ by few from one that is shown.

    Returns
    -------
    Sensitivity
        Unrounded results. A value that the data cannot answer to has None for its figures and a note that
        says why.

    Raises
    ------
    UsageError
        If there is no such endpoint.
    """
    declared = find_endpoint(endpoint)
    table = trial.table(protocol)
    reasons = dict(_reasons(declared, table))
    results = _Results(trial, declared, suppression)
    under_protocol = results.under(protocol)
    choices = tuple(
        _choice(results, protocol, setting, under_protocol) for setting in VARIED if setting not in reasons
    )
    everything = [each for choice in choices for each in choice.alternatives]
    survivals = _values(each.survival.value for each in everything)
    proportions = _values(each.proportion.value for each in everything)
    lows, highs = (
        _values(getattr(each.survival, side) for each in everything) for side in ("ci_low", "ci_high")
    )
    return Sensitivity(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        source=suppression.source(trial.source, len(trial)),
        protocol=protocol_info(protocol, trial.layout),
        endpoint=declared.key,
        label=declared.label,
        definition=under_protocol.definition,
        horizon_years=protocol.horizon_years,
        under_protocol=_alternative("", under_protocol, is_protocol=True),
        choices=choices,
        not_varied=tuple(NotVaried(setting=setting, reason=reason) for setting, reason in reasons.items()),
        n_alternatives=1 + sum(not each.is_protocol for each in everything),
        survival_lowest=min(survivals, default=None),
        survival_highest=max(survivals, default=None),
        ci_lowest=min(lows, default=None),
        ci_highest=max(highs, default=None),
        proportion_lowest=min(proportions, default=None),
        proportion_highest=max(proportions, default=None),
        moved_most_by=_most({each.setting: each.survival_change for each in choices}),
        limits_moved_most_by=_most({each.setting: each.limits_change for each in choices}),
        notices=suppression.notices(
            (*trial.notices, *table.notices, *ignored_settings(protocol, trial.layout), *arm_unknown(table))
        ),
    )


def _reasons(endpoint: SurvivalEndpoint, table: PatientTable) -> Iterator[tuple[str, str]]:
    """Why a setting cannot move an endpoint of these data."""
    if not endpoint.components:
        yield "death", "A death is the event."
        yield "observation_end", "Deaths are seen to the end of follow-up."
        yield "therapy", "A therapy has no influence on overall survival."
    elif not table.has(*THERAPY.needed):
        yield "therapy", "Not in this file: therapies after transplant."
    for event, settings in ((NEW_LESION, _LESION_SETTINGS), (WORSENING, _WORSENING_SETTINGS)):
        for setting in (name for name in VARIED if name in settings):
            if event not in endpoint.components:
                yield setting, f"A {event.words} does not count in this endpoint."
            elif table.layout != "records" and setting in RECORDS_ONLY:
                yield setting, "It needs records: a patient table already holds what the setting leads to."


@dataclass(frozen=True)
class _Results:
    """The endpoint of the data under any protocol, without small cells."""

    trial: Trial
    endpoint: SurvivalEndpoint
    suppression: Suppression

    def under(self, protocol: Protocol) -> SurvivalResult:
        table = self.trial.table(protocol)
        found = survival_endpoint(table, self.endpoint, components(table), protocol)
        return self.suppression.survival(found, len(table), protocol)


def _choice(results: _Results, protocol: Protocol, setting: str, under_protocol: SurvivalResult) -> Choice:
    protocol_value = getattr(protocol, setting)
    values = VARIED[setting] if protocol_value in VARIED[setting] else (protocol_value, *VARIED[setting])
    alternatives = []
    for value in values:
        if value == protocol_value:
            alternatives.append(_alternative(value, under_protocol, is_protocol=True))
            continue
        changed: dict[str, Any] = {setting: value}
        other = results.under(replace(protocol, **changed))
        alternatives.append(_alternative(value, other, is_protocol=False))
    limits = [
        _spread(getattr(each.survival, side) for each in alternatives) for side in ("ci_low", "ci_high")
    ]
    return Choice(
        setting=setting,
        alternatives=tuple(alternatives),
        survival_change=_spread(each.survival.value for each in alternatives),
        limits_change=max(_values(limits), default=None),
        proportion_change=_spread(each.proportion.value for each in alternatives),
    )


def _alternative(value: Value, found: SurvivalResult, *, is_protocol: bool) -> Alternative:
    return Alternative(
        value=value,
        is_protocol=is_protocol,
        n_patients=found.n_patients,
        n_unknown=found.n_unknown,
        n_late_events=found.n_late_events,
        n_events=found.n_events,
        n_at_risk=found.n_at_risk,
        n_event_free=found.n_event_free,
        n_evaluable=found.n_evaluable,
        proportion=found.proportion,
        survival=found.survival,
        survival_beta_product=found.survival_beta_product,
        note=found.note,
    )


def _values(figures: Iterator[float | None] | list[float | None]) -> list[float]:
    return [value for value in figures if value is not None]


def _spread(figures: Iterator[float | None]) -> float | None:
    """The largest difference between two of the figures; None where there are not two."""
    known = _values(figures)
    if len(known) < 2:
        return None
    spread = max(known) - min(known)
    return 0.0 if spread < _SAME else spread


def _most(changes: dict[str, float | None]) -> tuple[str, ...]:
    most = max((change for change in changes.values() if change), default=None)
    return tuple(name for name, change in changes.items() if most and change and most - change < _SAME)
