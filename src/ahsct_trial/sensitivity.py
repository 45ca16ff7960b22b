"""One survival endpoint under every combination of the choices on which published figures differ.

Four settings of the protocol are varied: the death rule, which lesions count, how long worsening must hold,
and the kind of interval. A setting that cannot move an endpoint, or that a shape of input has no use for, is
not varied but named with its reason. All else is as in the protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from operator import attrgetter
from typing import Any, Literal, TypeVar, get_args

from ahsct_trial.cohort import Cohort
from ahsct_trial.derivation import Parts, derive_cohort
from ahsct_trial.endpoints import ignored_settings, protocol_info
from ahsct_trial.endpoints.components import NEW_LESION, WORSENING
from ahsct_trial.endpoints.time_to_event import DEFINITIONS, Definition, all_courses, survival_endpoints
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.protocol import BUILT_IN, CiMethod, DeathRule, NewLesion, Protocol
from ahsct_trial.records import Records
from ahsct_trial.results import (
    HEADLINE,
    SCHEMA_VERSION,
    TOOL,
    Interval,
    ProtocolInfo,
    SourceInfo,
    SurvivalEndpoint,
    Tool,
)

Setting = Literal["death", "new_lesion", "worsening_confirm_weeks", "ci_method"]
Value = str | float
Item = TypeVar("Item")

#: The settings that are varied, in the order of the combinations.
VARIED: tuple[Setting, ...] = get_args(Setting)
#: About 3, 6 and 11 months; a protocol's own length is added where it is another.
CONFIRM_WEEKS = (12.0, 24.0, 48.0)
#: Proportions closer than this are the same: products of the same fractions differ in their last digits.
_SAME = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A setting that is varied, its values, and the one that the protocol has."""

    setting: Setting
    values: tuple[Value, ...]
    protocol_value: Value


@dataclass(frozen=True, kw_only=True, slots=True)
class NotVaried:
    """A setting that is not varied, and why."""

    setting: Setting
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Combination:
    """The endpoint at one time under one combination of choices; a setting that is not varied is None.

    `is_protocol` marks the protocol's own combination. The figures are those of `SurvivalEndpoint`.
    """

    years: float
    death: str | None
    new_lesion: str | None
    worsening_confirm_weeks: float | None
    ci_method: str
    is_protocol: bool
    n_patients: int | None
    n_unknown: int | None
    n_events: int | None
    n_censored: int | None
    n_at_risk: int | None
    n_event_free: int | None
    n_evaluable: int | None
    proportion: Interval
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Influence:
    """How far one choice moves the figures at one time.

    Each is the largest difference between two combinations that differ in this choice alone, a difference of
    proportions from 0 to 1; of limits, the larger of that of the lower and that of the upper ones. None where
    no two such combinations have the figure.
    """

    setting: Setting
    estimate_change: float | None
    limits_change: float | None
    proportion_change: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class YearRange:
    """The figures over all combinations at one time, from 0 to 1, and which choice moves them.

    `n_estimates` combinations have an estimate, `n_limits` have limits. `ci_low` is the lowest of the lower
    limits, `ci_high` the highest of the upper ones; `proportion_low` and `proportion_high` are of the crude
    proportion. Several settings move the estimate or the limits most where they move them equally, and none
    does where nothing moves.
    """

    years: float
    n_combinations: int
    n_estimates: int
    n_limits: int
    proportion_low: float | None
    proportion_high: float | None
    estimate_low: float | None
    estimate_high: float | None
    ci_low: float | None
    ci_high: float | None
    influences: tuple[Influence, ...]
    estimate_moved_most_by: tuple[Setting, ...]
    limits_moved_most_by: tuple[Setting, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sensitivity:
    """One survival endpoint under all combinations: `years` in ascending order, `combinations` by year.

    `definition` is that under the protocol's own choices.
    """

    schema_version: int
    tool: Tool
    source: SourceInfo
    protocol: ProtocolInfo
    endpoint: str
    label: str
    definition: str
    choices: tuple[Choice, ...]
    not_varied: tuple[NotVaried, ...]
    years: tuple[YearRange, ...]
    combinations: tuple[Combination, ...]
    warnings: tuple[str, ...]


Figure = Callable[[Combination], float | None]

_PROPORTION: Figure = attrgetter("proportion.value")
_ESTIMATE: Figure = attrgetter("estimate")
_LOW: Figure = attrgetter("ci_low")
_HIGH: Figure = attrgetter("ci_high")


def find_endpoint(key: str) -> Definition:
    """Find a survival endpoint by its key.

    Raises
    ------
    UsageError
        If there is none; the text names the closest, or all.
    """
    by_key = {definition.key: definition for definition in DEFINITIONS}
    if key in by_key:
        return by_key[key]
    from difflib import get_close_matches

    close = get_close_matches(key, by_key, n=1, cutoff=0.4)
    meant = f"Is {close[0]} meant? " if close else ""
    raise UsageError(
        f"There is no survival endpoint '{shown(key)}'. {meant}The endpoints are {', '.join(by_key)}."
    )


def sensitivity_of(
    data: Cohort | Records,
    protocol: Protocol = BUILT_IN["default"],
    endpoint: str = HEADLINE,
) -> Sensitivity:
    """Compute a survival endpoint under every combination of choices, at each year up to the horizon.

    Parameters
    ----------
    data
        The patients or their records, as `read_cohort` gives them.
    protocol
        Where the choices start from, and all settings that are not varied; its `horizon_years` is the last
        time, also where it is not a whole year.
    endpoint
        Key of a survival endpoint.

    Returns
    -------
    Sensitivity
        Unrounded results. A combination that the file cannot answer has None for its figures and a note that
        says why.

    Raises
    ------
    UsageError
        If there is no such endpoint.
    """
    definition = find_endpoint(endpoint)
    choices, not_varied = _choices(definition, protocol, data.source.shape)
    times = _times(protocol.horizon_years)
    settings = [choice.setting for choice in choices]
    protocols = [
        _with(protocol, years, zip(settings, values, strict=True))
        for years in times
        for values in product(*(choice.values for choice in choices))
    ]
    derive = _derivation(data)
    endpoints = dict(_endpoints(derive, definition, protocols))
    combinations = tuple(_combination(settings, each, protocol, endpoints[each]) for each in protocols)
    return Sensitivity(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        source=data.source,
        protocol=protocol_info(protocol, data.source.shape),
        endpoint=definition.key,
        label=definition.label,
        definition=endpoints[protocol].definition,
        choices=choices,
        not_varied=not_varied,
        years=tuple(
            _range(years, [each for each in combinations if each.years == years], settings) for years in times
        ),
        combinations=combinations,
        warnings=(*derive(protocol).warnings, *ignored_settings(protocol, data.source.shape)),
    )


def _choices(
    definition: Definition, protocol: Protocol, shape: str
) -> tuple[tuple[Choice, ...], tuple[NotVaried, ...]]:
    """The settings that can move an endpoint, with their values, and the others with the reason."""
    values: dict[Setting, tuple[Value, ...]] = {
        "death": get_args(DeathRule),
        "new_lesion": get_args(NewLesion),
        "worsening_confirm_weeks": tuple(sorted({*CONFIRM_WEEKS, float(protocol.worsening_confirm_weeks)})),
        "ci_method": get_args(CiMethod),
    }
    reasons = dict(_reasons(definition, shape))
    return (
        tuple(
            Choice(setting=setting, values=values[setting], protocol_value=getattr(protocol, setting))
            for setting in VARIED
            if setting not in reasons
        ),
        tuple(NotVaried(setting=setting, reason=reason) for setting, reason in reasons.items()),
    )


def _reasons(definition: Definition, shape: str) -> Iterator[tuple[Setting, str]]:
    """Why a setting cannot move an endpoint."""
    if not definition.components:
        yield "death", "A death is the event."
    if NEW_LESION not in definition.components:
        yield "new_lesion", "A new lesion is no event of this endpoint."
    elif shape != "records":
        yield "new_lesion", "It needs raw records: a patient table already holds counted lesions."
    if WORSENING not in definition.components:
        yield "worsening_confirm_weeks", "Worsening is no event of this endpoint."
    elif shape != "records":
        yield (
            "worsening_confirm_weeks",
            "It needs raw records: a patient table already holds confirmed worsening.",
        )


def _times(horizon_years: float) -> list[float]:
    """Each whole year up to the horizon, and the horizon."""
    return sorted({*map(float, range(1, int(horizon_years) + 1)), float(horizon_years)})


def _with(protocol: Protocol, horizon_years: float, chosen: Iterable[tuple[Setting, Value]]) -> Protocol:
    settings: dict[str, Any] = dict(chosen)
    return replace(protocol, horizon_years=horizon_years, **settings)


def _derivation(data: Cohort | Records) -> Callable[[Protocol], Cohort]:
    """What gives the patient table under a protocol; of records, each part is derived once."""
    if isinstance(data, Cohort):
        return lambda _protocol: data
    shared = Parts(data)
    return lambda protocol: derive_cohort(data, protocol, shared)


def _endpoints(
    derive: Callable[[Protocol], Cohort], definition: Definition, protocols: list[Protocol]
) -> Iterator[tuple[Protocol, SurvivalEndpoint]]:
    """The endpoint under each protocol: one patient table per derivation, one curve per death rule."""
    for with_one_table in _alike(protocols, attrgetter("new_lesion", "worsening_confirm_weeks")):
        cohort = derive(with_one_table[0])
        courses = all_courses(cohort)
        for with_one_curve in _alike(with_one_table, attrgetter("death")):
            endpoints = survival_endpoints(cohort, definition, courses, with_one_curve)
            yield from zip(with_one_curve, endpoints, strict=True)


def _alike(items: Iterable[Item], key: Callable[[Item], Hashable]) -> list[list[Item]]:
    """Items in groups of the same key, in the order in which each key is first met."""
    groups: dict[Hashable, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())


def _combination(
    settings: list[Setting], under: Protocol, protocol: Protocol, endpoint: SurvivalEndpoint
) -> Combination:
    chosen: dict[str, Any] = {name: getattr(under, name) if name in settings else None for name in VARIED}
    return Combination(
        years=under.horizon_years,
        **chosen,
        is_protocol=replace(under, horizon_years=protocol.horizon_years) == protocol,
        n_patients=endpoint.n_patients,
        n_unknown=endpoint.n_unknown,
        n_events=endpoint.n_events,
        n_censored=endpoint.n_censored,
        n_at_risk=endpoint.n_at_risk,
        n_event_free=endpoint.n_event_free,
        n_evaluable=endpoint.n_evaluable,
        proportion=endpoint.proportion,
        estimate=endpoint.estimate,
        ci_low=endpoint.ci_low,
        ci_high=endpoint.ci_high,
        note=endpoint.note,
    )


def _range(years: float, combinations: list[Combination], settings: list[Setting]) -> YearRange:
    influences = tuple(_influence(setting, combinations) for setting in settings)
    proportions, estimates, lows, highs = (
        _known(combinations, figure) for figure in (_PROPORTION, _ESTIMATE, _LOW, _HIGH)
    )
    return YearRange(
        years=years,
        n_combinations=len(combinations),
        n_estimates=len(estimates),
        n_limits=len(lows),
        proportion_low=min(proportions, default=None),
        proportion_high=max(proportions, default=None),
        estimate_low=min(estimates, default=None),
        estimate_high=max(estimates, default=None),
        ci_low=min(lows, default=None),
        ci_high=max(highs, default=None),
        influences=influences,
        estimate_moved_most_by=_most({each.setting: each.estimate_change for each in influences}),
        limits_moved_most_by=_most({each.setting: each.limits_change for each in influences}),
    )


def _known(combinations: Iterable[Combination], figure: Figure) -> list[float]:
    return [value for value in map(figure, combinations) if value is not None]


def _influence(setting: Setting, combinations: list[Combination]) -> Influence:
    others = attrgetter(*(name for name in VARIED if name != setting))
    groups = _alike(combinations, others)
    return Influence(
        setting=setting,
        estimate_change=_largest_change(groups, _ESTIMATE),
        limits_change=_largest_change(groups, _LOW, _HIGH),
        proportion_change=_largest_change(groups, _PROPORTION),
    )


def _largest_change(groups: list[list[Combination]], *figures: Figure) -> float | None:
    """The largest difference of a figure within a group; None where no group has the figure twice."""
    series = [_known(group, figure) for group in groups for figure in figures]
    largest = max((max(values) - min(values) for values in series if len(values) > 1), default=None)
    return 0.0 if largest is not None and largest < _SAME else largest


def _most(changes: dict[Setting, float | None]) -> tuple[Setting, ...]:
    most = max((change for change in changes.values() if change), default=None)
    return tuple(name for name, change in changes.items() if most and change and most - change < _SAME)
