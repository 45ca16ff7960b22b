"""Cumulative incidence of each type of first event over time, of all patients or of groups."""

from __future__ import annotations

from ahsct_trial import catalogue
from ahsct_trial.endpoints import protocol_info
from ahsct_trial.endpoints.estimates import complement
from ahsct_trial.endpoints.observation import components
from ahsct_trial.endpoints.survival import AbsentEndpoint, observed_endpoint
from ahsct_trial.protocol import BUILT_IN, Protocol
from ahsct_trial.results import IncidenceCurves, IncidenceGroup
from ahsct_trial.trial import Trial


def incidence_curves(
    trial: Trial,
    protocol: Protocol = BUILT_IN["default"],
    endpoint: str = catalogue.HEADLINE.key,
    by: str | None = None,
) -> IncidenceCurves:
    """Estimate the cumulative incidence of each type of first event of an endpoint (Aalen–Johansen).

    Parameters
    ----------
    trial
        The data.
    protocol
        The choices behind the figures.
    endpoint
        Key of a survival endpoint.
    by
        The attribute whose levels are the groups; all patients are one group if left out.

    Returns
    -------
    IncidenceCurves
        At each time the incidences of a group add up to 1 − its Kaplan–Meier estimate. A group of which the
        data do not tell has no times, and its endpoint says why.

    Raises
    ------
    UsageError
        If there is no such attribute, or it has no level or too many.
    """
    declared = next(each for each in catalogue.SURVIVAL_ENDPOINTS if each.key == endpoint)
    parts: list[tuple[str | None, Trial]] = [(None, trial)] if by is None else [*trial.groups(by).items()]
    return IncidenceCurves(
        source=trial.source,
        protocol=protocol_info(protocol, trial.layout),
        n_patients=len(trial),
        key=endpoint,
        by=by,
        n_without_level=len(trial) - sum(len(part) for _, part in parts),
        groups=tuple(_group(level, part, declared, protocol) for level, part in parts),
    )


def _group(
    level: str | None, trial: Trial, declared: catalogue.SurvivalEndpoint, protocol: Protocol
) -> IncidenceGroup:
    table = trial.table(protocol)
    found = observed_endpoint(table, declared, components(table), protocol)
    result = found.result(protocol)
    stands_in = result.survival_beta_product
    any_event = complement(result.survival if stands_in.value is None else stands_in)
    if isinstance(found, AbsentEndpoint) or not found.curve.time.size:
        return IncidenceGroup(level=level, endpoint=result, any_event=any_event, years=(), incidence={})
    curves = found.first_events()
    return IncidenceGroup(
        level=level,
        endpoint=result,
        any_event=any_event,
        years=tuple(curves.time.tolist()),
        incidence={
            key: tuple(row.tolist()) for key, row in zip(found.observed.types, curves.estimate, strict=True)
        },
    )
