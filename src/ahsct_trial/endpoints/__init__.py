"""From a `Cohort` and a `Protocol` to a `Summary`: every endpoint of the trial."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from ahsct_trial.cohort import Cohort
from ahsct_trial.derivation import as_cohort
from ahsct_trial.endpoints.components import Course
from ahsct_trial.endpoints.counts import (
    DISPERSION_LIMIT,
    disability,
    lesion_rates,
    relapse_rates,
    transplant_related_mortality,
)
from ahsct_trial.endpoints.demographics import describe_cohort
from ahsct_trial.endpoints.time_to_event import DEFINITIONS, Definition, all_courses, neda3, survival_endpoint
from ahsct_trial.protocol import BUILT_IN, RECORDS_ONLY, Protocol
from ahsct_trial.records import Records
from ahsct_trial.results import SCHEMA_VERSION, TOOL, Endpoints, ProtocolInfo, Summary, SurvivalEndpoint

_MANY_PATIENTS = 50_000


def summarize(data: Cohort | Records, protocol: Protocol = BUILT_IN["default"]) -> Summary:
    """Compute all endpoints of a trial.

    Parameters
    ----------
    data
        The patients or their records, as `read_cohort` gives them.
    protocol
        The choices behind the figures.

    Returns
    -------
    Summary
        Unrounded results. An endpoint whose columns the file lacks has None for its figures and a note
        that names the columns.
    """
    cohort = as_cohort(data, protocol)
    courses = all_courses(cohort)
    survival = _survival(cohort, courses, protocol)
    endpoints = Endpoints(
        **survival,
        neda3=neda3(cohort, courses, protocol),
        relapse_rate=relapse_rates(cohort, protocol),
        lesions=lesion_rates(cohort, protocol),
        disability=disability(cohort, protocol),
        transplant_related_mortality=transplant_related_mortality(cohort, protocol),
    )
    return Summary(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        source=cohort.source,
        protocol=protocol_info(protocol, cohort.source.shape),
        cohort=describe_cohort(cohort),
        endpoints=endpoints,
        account=cohort.account,
        warnings=(
            *cohort.warnings,
            *ignored_settings(protocol, cohort.source.shape),
            *_overdispersed(endpoints),
        ),
    )


def _survival(cohort: Cohort, courses: dict[str, Course], protocol: Protocol) -> dict[str, SurvivalEndpoint]:
    """The survival endpoints by key; side by side where there are so many patients that it pays."""

    def estimate(definition: Definition) -> SurvivalEndpoint:
        return survival_endpoint(cohort, definition, courses, protocol)

    keys = [definition.key for definition in DEFINITIONS]
    if len(cohort) < _MANY_PATIENTS:
        return dict(zip(keys, map(estimate, DEFINITIONS), strict=True))
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as threads:
        return dict(zip(keys, threads.map(estimate, DEFINITIONS), strict=True))


def protocol_info(protocol: Protocol, shape: str) -> ProtocolInfo:
    """The settings as results name them; None for those that a shape of input has no use for."""
    not_applicable = _not_applicable(shape)
    return ProtocolInfo(**asdict(protocol) | dict.fromkeys(not_applicable), not_applicable=not_applicable)


def _not_applicable(shape: str) -> tuple[str, ...]:
    """A patient table holds what these settings lead to."""
    return () if shape == "records" else RECORDS_ONLY


def ignored_settings(protocol: Protocol, shape: str) -> Iterator[str]:
    """The warning that settings which need raw records were changed for a patient table, if they were."""
    default = BUILT_IN["default"]
    ignored = [name for name in _not_applicable(shape) if getattr(protocol, name) != getattr(default, name)]
    if ignored:
        yield (
            f"Settings that need raw records and change nothing here: {', '.join(ignored)}. "
            "A patient table already holds confirmed events and counted lesions."
        )


def _overdispersed(endpoints: Endpoints) -> Iterator[str]:
    rates = {
        "Relapses before transplant": endpoints.relapse_rate.before.dispersion,
        "Relapses after transplant": endpoints.relapse_rate.after.dispersion,
        "Lesions before transplant": endpoints.lesions.before.dispersion,
        "New lesions after transplant": endpoints.lesions.after.dispersion,
    }
    for what, dispersion in rates.items():
        # The order of patients changes the last digits of a sum, and must neither decide nor be seen.
        shown = None if dispersion is None else round(dispersion, 9)
        if shown is not None and shown > DISPERSION_LIMIT:
            yield (
                f"{what} vary between patients more than a Poisson rate allows (dispersion {shown:.2f}, "
                f"above {DISPERSION_LIMIT}): the interval of the rate is too narrow."
            )
