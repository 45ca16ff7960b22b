"""From a `Trial` and a column to a `Comparison`: groups side by side, and what separates them.

Differences are level − reference and ratios level ÷ reference. Each group's figures are those that it has
alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.catalogue import RATE_ENDPOINTS, SURVIVAL_ENDPOINTS, RateEndpoint
from ahsct_trial.endpoints import (
    Computed,
    endpoint_notices,
    ignored_settings,
    protocol_info,
)
from ahsct_trial.endpoints.cohort import count_flow
from ahsct_trial.endpoints.estimates import absent, finite, joined, patients
from ahsct_trial.endpoints.observation import Leaving, landmark_day, whole_days
from ahsct_trial.endpoints.rates import rate_ratio, side_of
from ahsct_trial.endpoints.survival import AbsentEndpoint, ObservedEndpoint
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.estimators.boschloo import MOST_PATIENTS, boschloo
from ahsct_trial.estimators.competing_risks import gray_test
from ahsct_trial.estimators.differences import (
    Difference,
    risk_difference,
    rmst_difference,
    survival_difference,
)
from ahsct_trial.estimators.hazard_ratio import hazard_ratio_of
from ahsct_trial.estimators.log_rank import exact_log_rank_of, log_rank_of
from ahsct_trial.estimators.risk_sets import RiskSets, risk_sets
from ahsct_trial.estimators.survival import KaplanMeier
from ahsct_trial.parallel import side_by_side
from ahsct_trial.patients import YEARS_TO_TRANSPLANT, PatientTable
from ahsct_trial.protocol import BUILT_IN, Protocol
from ahsct_trial.results import (
    SCHEMA_VERSION,
    TOOL,
    Comparison,
    Contrast,
    ContrastEndpoints,
    DisabilityContrast,
    EndpointTests,
    Estimate,
    Group,
    Grouping,
    HypothesisTest,
    MortalityContrast,
    NedaContrast,
    Notice,
    RateContrast,
    ShareContrast,
    SurvivalContrast,
    Unit,
)
from ahsct_trial.trial import Trial
from ahsct_trial.wording import in_years

#: Median follow-up of two groups that differs by more than this, as a share of the longer, is followed
#: unlike.
_UNLIKE = 0.2
_NO_BOSCHLOO = f"Boschloo's p is not computed for more than {MOST_PATIENTS:,} patients."


@dataclass(frozen=True)
class _Group:
    """A group, what its patients come to, and the stratum of each if there are strata."""

    level: str
    table: PatientTable
    computed: Computed
    strata: NDArray[Any] | None

    @classmethod
    def of(cls, level: str, table: PatientTable, protocol: Protocol, strata: str | None) -> _Group:
        return cls(
            level,
            table,
            Computed.of(table, protocol),
            None
            if strata is None
            else table.patients[strata].astype(object).fillna("").to_numpy().astype(str),
        )


def compare(
    trial: Trial,
    by: str,
    protocol: Protocol = BUILT_IN["default"],
    *,
    reference: str | None = None,
    strata: str | None = None,
) -> Comparison:
    """Compute every endpoint of each group, and what separates each group from the reference.

    Parameters
    ----------
    trial
        The data.
    by
        The attribute whose levels are the groups; patients without a level are in none.
    protocol
        The choices behind the figures.
    reference
        The level that the others are compared with; the first in alphabetical order if left out.
    strata
        An attribute within whose levels the log-rank test, the hazard ratio and Gray's test compare.

    Returns
    -------
    Comparison
        Unrounded results.

    Raises
    ------
    UsageError
        If there is no such attribute or level, there are fewer than two groups or too many, or the strata are
        the groups.
    """
    parts = trial.groups(by)
    if strata is not None:
        trial.levels(strata)
        if strata == by:
            raise UsageError(f"{shown(by)} makes the groups: within its levels there is nothing to compare.")
    levels = tuple(parts)
    if len(levels) < 2:
        raise UsageError(
            f"{shown(by)} has one level, {shown(levels[0])}: there is nothing to compare it with."
        )
    is_chosen = reference is None
    reference = levels[0] if reference is None else trial.level(by, reference)
    tables = side_by_side(lambda part: part.table(protocol), parts.values(), n_rows=len(trial))
    groups = [_Group.of(level, table, protocol, strata) for level, table in zip(parts, tables, strict=True)]
    base = next(group for group in groups if group.level == reference)
    others = [group for group in groups if group is not base]
    keys = [endpoint.key for endpoint in SURVIVAL_ENDPOINTS]
    compared = side_by_side(
        lambda key: _compare_survival(base, others, key, protocol), keys, n_rows=len(trial)
    )
    survival = dict(zip(keys, compared, strict=True))
    n_without = len(trial) - sum(len(group.table) for group in groups)
    return Comparison(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        source=trial.source,
        protocol=protocol_info(protocol, trial.layout),
        account=trial.account,
        by=Grouping(
            column=by,
            reference=reference,
            levels=levels,
            strata=strata,
            n_not_selected=len(trial.data.patients) - len(trial),
            n_without_level=n_without,
        ),
        groups=tuple(
            Group(
                level=group.level,
                cohort=group.computed.cohort,
                flow=count_flow(group.table, protocol),
                endpoints=group.computed.endpoints,
            )
            for group in groups
        ),
        contrasts=tuple(
            Contrast(
                level=group.level,
                reference=reference,
                endpoints=_contrast(
                    group, base, protocol, {key: found.contrasts[place] for key, found in survival.items()}
                ),
            )
            for place, group in enumerate(others)
        ),
        tests={key: found.tests for key, found in survival.items()},
        notices=(
            *trial.notices,
            *base.table.notices,
            *ignored_settings(protocol, trial.layout),
            *([_chosen_reference(reference)] if is_chosen else []),
            *_notices(groups, by, n_without, protocol),
        ),
    )


def contrast_of(trial: Trial, by: str, level: str, reference: str, protocol: Protocol) -> dict[str, Any]:
    """What separates two levels of an attribute, as ``endpoints`` of a contrast.

    Raises
    ------
    UsageError
        If there is no such attribute or level.
    """
    compared, base = (
        _Group.of(text, trial.where({by: (text,)}).table(protocol), protocol, None)
        for text in (level, reference)
    )
    survival = {
        endpoint.key: _survival_contrast(
            compared, base, endpoint.key, protocol, _pooled([base, compared], endpoint.key)
        )
        for endpoint in SURVIVAL_ENDPOINTS
    }
    return {"endpoints": _contrast(compared, base, protocol, survival)}


def _chosen_reference(reference: str) -> Notice:
    return Notice(
        code="reference-chosen",
        text=f"The reference is {shown(reference)}, the first level in alphabetical order: nobody named one. "
        "--reference LEVEL names another.",
    )


def _notices(groups: Sequence[_Group], by: str, n_without: int, protocol: Protocol) -> Iterator[Notice]:
    if n_without:
        yield Notice(
            code="without-level",
            severity="look first",
            text=f"{patients(n_without)} without {by} left out: in no group.",
        )
    for group in groups:
        for notice in endpoint_notices(group.computed.cohort, group.computed.endpoints, protocol):
            yield replace(notice, text=f"{shown(group.level)}: {notice.text}")


def _contrast(
    compared: _Group, base: _Group, protocol: Protocol, survival: Mapping[str, Any]
) -> ContrastEndpoints:
    level = protocol.confidence_level

    def rate_contrast(endpoint: RateEndpoint) -> RateContrast:
        sides = [side_of(group.table, endpoint, *endpoint.after) for group in (compared, base)]
        if None in sides:
            nothing = absent("ratio", "Not in this file.")
            return RateContrast(ratio=nothing, ratio_negative_binomial=nothing)
        known = [side.among(side.is_known) for side in sides if side is not None]
        exact, varied = rate_ratio(known[0], known[1], level)
        return RateContrast(ratio=exact, ratio_negative_binomial=varied)

    n_rows = len(compared.table) + len(base.table)
    contrasts = side_by_side(rate_contrast, RATE_ENDPOINTS, n_rows=n_rows)
    rates: dict[str, Any] = {
        endpoint.key: contrast for endpoint, contrast in zip(RATE_ENDPOINTS, contrasts, strict=True)
    }
    ours, theirs = compared.computed.endpoints, base.computed.endpoints
    return ContrastEndpoints(
        **survival,
        **rates,
        disability=DisabilityContrast(
            worsened=_share_contrast(ours.disability.worsened, theirs.disability.worsened, level),
            improved=_share_contrast(ours.disability.improved, theirs.disability.improved, level),
        ),
        mortality=MortalityContrast(all_cause_by_day_100=_early_deaths(compared, base, level)),
        neda3=tuple(
            _neda_contrast(one, other, level) for one, other in zip(ours.neda3, theirs.neda3, strict=True)
        ),
    )


def _early_deaths(compared: _Group, base: _Group, level: float) -> ShareContrast:
    """Deaths by day 100, which counts from transplant in those who had one and from time zero in the others."""
    ours, theirs = compared.computed.endpoints.mortality, base.computed.endpoints.mortality
    contrast = _share_contrast(ours.all_cause_by_day_100, theirs.all_cause_by_day_100, level)
    if not any(group.table.has(YEARS_TO_TRANSPLANT) for group in (compared, base)):
        return contrast
    note = "Day 100 counts from transplant in patients who had one, and from time zero in the others."
    difference = contrast.risk_difference
    return replace(contrast, risk_difference=replace(difference, note=joined([difference.note, note])))


def _share_contrast(compared: Estimate, base: Estimate, level: float) -> ShareContrast:
    counts = (compared.n, compared.of, base.n, base.of)
    difference, p = _risk_difference(counts, level)
    return ShareContrast(risk_difference=difference, p_exact=p)


def _neda_contrast(compared: Any, base: Any, level: float) -> NedaContrast:
    shares = _share_contrast(compared.proportion, base.proportion, level)
    return NedaContrast(years=compared.years, risk_difference=shares.risk_difference, p_exact=shares.p_exact)


def _risk_difference(
    counts: tuple[float | None, float | None, float | None, float | None], level: float
) -> tuple[Estimate, float | None]:
    """Miettinen and Nurminen's difference of two shares, and Boschloo's p-value."""
    if any(each is None for each in counts) or not (counts[1] and counts[3]):
        return absent("difference", "A group has no patient with a known outcome."), None
    x_1, n_1, x_2, n_2 = (int(each or 0) for each in counts)
    found = _estimate(risk_difference(x_1, n_1, x_2, n_2, level), "difference", "miettinen-nurminen", level)
    if n_1 + n_2 > MOST_PATIENTS:
        return replace(found, note=joined([found.note, _NO_BOSCHLOO])), None
    return found, finite(boschloo(x_1, n_1, x_2, n_2))


def _estimate(found: Difference, unit: Unit, method: str, level: float) -> Estimate:
    note = None if found.reason is None else f"{found.reason[0].upper()}{found.reason[1:]}."
    return Estimate(
        unit=unit,
        value=finite(found.value),
        ci_low=finite(found.ci_low),
        ci_high=finite(found.ci_high),
        ci_method=method,
        confidence_level=level,
        note=note,
    )


@dataclass(frozen=True)
class _SurvivalCompared:
    """One survival endpoint: the contrast of each group with the reference, and the tests over all."""

    contrasts: tuple[SurvivalContrast, ...]
    tests: EndpointTests


def _compare_survival(
    base: _Group, others: Sequence[_Group], key: str, protocol: Protocol
) -> _SurvivalCompared:
    """Compare an endpoint in all groups; two of them are pooled once for the contrast and the tests."""
    pooled = _pooled([base, *others], key)
    return _SurvivalCompared(
        contrasts=tuple(
            _survival_contrast(
                compared, base, key, protocol, pooled if len(others) == 1 else _pooled([base, compared], key)
            )
            for compared in others
        ),
        tests=_tests(pooled),
    )


def _survival_contrast(
    compared: _Group, base: _Group, key: str, protocol: Protocol, pooled: _Pooled | None
) -> SurvivalContrast:
    level = protocol.confidence_level
    curves = [
        each.curve
        for group in (compared, base)
        if isinstance(each := group.computed.observed[key], ObservedEndpoint)
    ]
    results = [getattr(group.computed.endpoints, key) for group in (compared, base)]
    if pooled is None:
        note = results[0].note or results[1].note
        return SurvivalContrast(
            survival_difference=absent("difference", note),
            risk_difference=absent("difference", note),
            p_exact=None,
            hazard_ratio=absent("ratio", note),
            hazard_ratio_p=None,
            rmst_difference=absent("years", note),
            log_rank=HypothesisTest(statistic=None, df=None, p=None, p_exact=None, note=note),
            note=note,
        )
    counts = (results[0].n_events, results[0].n_evaluable, results[1].n_events, results[1].n_evaluable)
    difference, p_exact = _risk_difference(counts, level)
    ratio, ratio_p = _hazard_ratio(pooled, level)
    return SurvivalContrast(
        survival_difference=_survival_difference(results[0], results[1], level),
        risk_difference=difference,
        p_exact=p_exact,
        hazard_ratio=ratio,
        hazard_ratio_p=ratio_p,
        rmst_difference=_rmst_difference(curves[0], curves[1], protocol),
        log_rank=_permuted_log_rank(pooled),
        note=joined([_unlike_follow_up(compared, base)]),
    )


def _rmst_difference(compared: KaplanMeier, base: KaplanMeier, protocol: Protocol) -> Estimate:
    """The difference of restricted means: to the horizon, or to the last day that reaches its landmark."""
    if compared.entry is not None or base.entry is not None:
        return absent("years", "No restricted mean where patients enter after time zero.")
    level, until, note = protocol.confidence_level, protocol.horizon_years, None
    last = min(
        (curve.time[-1] for curve in (compared, base) if curve.time.size and curve.estimate[-1] > 0),
        default=until,
    )
    last_day, until_day = whole_days(np.array([last, until])).tolist()
    if last < until and last_day >= landmark_day(until, protocol):
        if until_day - last_day > 1:
            note = f"Restricted to {in_years(round(float(last), 3))}: the last that reaches the landmark."
        until = float(last)
    found = _estimate(rmst_difference(compared, base, until, level), "years", "normal", level)
    return replace(found, note=joined([found.note, note]))


def _survival_difference(compared: Any, base: Any, level: float) -> Estimate:
    """Square-and-add from each group's limits, the beta-product ones where a curve is at 1 or 0."""
    limits = []
    for result in (compared, base):
        if result.survival.value is None:
            return absent("difference", result.survival.note)
        stands_in = result.survival_beta_product
        used = result.survival if stands_in.value is None else stands_in
        nothing = float("nan")
        limits.append(
            (
                nothing if used.ci_low is None else used.ci_low,
                nothing if used.ci_high is None else used.ci_high,
            )
        )
    found = survival_difference(compared.survival.value, limits[0], base.survival.value, limits[1])
    return _estimate(found, "difference", "square-and-add", level)


@dataclass(frozen=True)
class _Pooled:
    """The observations of several groups one after the other, arrays of shape (n_used,), and their risk sets."""

    years: NDArray[np.float64]
    event_type: NDArray[np.int8]
    is_event: NDArray[np.bool_]
    group: NDArray[np.int64]
    entry: NDArray[np.float64] | None
    strata: NDArray[Any] | None
    types: tuple[str, ...]
    risk_sets: RiskSets

    @property
    def has_two_groups(self) -> bool:
        """Whether two groups at least have a patient with a known outcome."""
        return bool(np.count_nonzero(np.bincount(self.group)) > 1)


def _pooled(groups: Sequence[_Group], key: str) -> _Pooled | None:
    """The observations of the groups; None where the data do not tell of the endpoint in one of them."""
    if any(isinstance(group.computed.observed[key], AbsentEndpoint) for group in groups):
        return None
    observed = [
        (group, each)
        for group in groups
        if isinstance(each := group.computed.observed[key], ObservedEndpoint)
    ]
    known = [each.known for _, each in observed]
    types = observed[0][1].observed.types
    years = np.concatenate([leaving.years for leaving in known])
    event_type = np.concatenate([leaving.event_type for leaving in known])
    is_event = event_type < len(types)
    group_of_patient = np.repeat(np.arange(len(known)), [len(leaving.years) for leaving in known])
    entry = strata = None
    if any(leaving.entry is not None for leaving in known):
        entry = np.concatenate([_entry(leaving) for leaving in known])
    if all(group.strata is not None for group in groups):
        strata = np.concatenate(
            [np.asarray(group.strata)[each.observed.is_known] for group, each in observed]
        )
    return _Pooled(
        years=years,
        event_type=event_type,
        is_event=is_event,
        group=group_of_patient,
        entry=entry,
        strata=strata,
        types=types,
        risk_sets=risk_sets(years, is_event, group_of_patient, strata, entry),
    )


def _entry(known: Leaving) -> NDArray[np.float64]:
    """When each patient came under observation; minus infinity in a group in which all did at time zero."""
    return np.full(len(known.years), -np.inf) if known.entry is None else known.entry


def _hazard_ratio(pooled: _Pooled, level: float) -> tuple[Estimate, float | None]:
    if not pooled.years.size:
        return absent("ratio", "No patient has a known outcome."), None
    found = hazard_ratio_of(pooled.risk_sets, level)
    return (
        Estimate(
            unit="ratio",
            value=finite(found.value),
            ci_low=finite(found.ci_low),
            ci_high=finite(found.ci_high),
            ci_method=found.method,
            confidence_level=level,
            note=f"{found.reason[0].upper()}{found.reason[1:]}.",
        ),
        finite(found.p),
    )


def _log_rank(pooled: _Pooled) -> HypothesisTest:
    if not pooled.has_two_groups:
        return HypothesisTest(
            statistic=None, df=None, p=None, p_exact=None, note="A group has no patient with a known outcome."
        )
    found = log_rank_of(pooled.risk_sets)
    p = finite(found.p)
    return HypothesisTest(
        statistic=finite(found.statistic),
        df=found.df,
        p=p,
        p_exact=None,
        note=None
        if p is not None
        else "No log-rank test: no event happened while groups were at risk together.",
    )


def _permuted_log_rank(pooled: _Pooled) -> HypothesisTest:
    """The log-rank test of two groups, with the permutation p-value beside that of large samples."""
    found = _log_rank(pooled)
    if found.p is None:
        return found
    permuted = exact_log_rank_of(pooled.risk_sets, pooled.is_event, pooled.group)
    return replace(
        found, p_exact=finite(permuted.p), note=f"{permuted.reason[0].upper()}{permuted.reason[1:]}."
    )


def _tests(pooled: _Pooled | None) -> EndpointTests:
    """The log-rank test over all groups, and Gray's test of each type of event that occurred."""
    if pooled is None:
        nothing = HypothesisTest(statistic=None, df=None, p=None, p_exact=None, note="Not in this file.")
        return EndpointTests(log_rank=nothing, gray={})
    gray: dict[str, HypothesisTest] = {}
    if pooled.entry is None and pooled.has_two_groups:
        statistic, df, p = gray_test(
            pooled.years, pooled.event_type, len(pooled.types), pooled.group, pooled.strata
        )
        gray = {
            name: HypothesisTest(statistic=finite(one), df=df, p=finite(p_of_type), p_exact=None, note=None)
            for name, one, p_of_type in zip(pooled.types, statistic, p, strict=True)
            if finite(one) is not None
        }
    return EndpointTests(log_rank=_log_rank(pooled), gray=gray)


def _unlike_follow_up(compared: _Group, base: _Group) -> str | None:
    medians = [group.computed.cohort.follow_up.reverse_kaplan_meier.value for group in (compared, base)]
    if None in medians:
        return None
    short, long = sorted(median for median in medians if median is not None)
    if short >= (1 - _UNLIKE) * long:
        return None
    return (
        f"Median follow-up differs ({medians[0]:.1f} and {medians[1]:.1f} years): the permutation p needs "
        "groups that were followed alike."
    )
