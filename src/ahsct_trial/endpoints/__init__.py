"""From a `Cohort` and a `Protocol` to a `Summary`: every endpoint of the trial."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from ahsct_trial.cohort import Cohort
from ahsct_trial.derivation import as_cohort
from ahsct_trial.endpoints.counts import (
    DISPERSION_LIMIT,
    disability,
    lesion_rates,
    relapse_rates,
    transplant_related_mortality,
)
from ahsct_trial.endpoints.demographics import describe_cohort
from ahsct_trial.endpoints.time_to_event import DEFINITIONS, all_courses, neda3, survival_endpoint
from ahsct_trial.protocol import BUILT_IN, RECORDS_ONLY, Protocol
from ahsct_trial.records import Records
from ahsct_trial.results import SCHEMA_VERSION, TOOL, Endpoints, ProtocolInfo, Summary
from ahsct_trial.threads import N_PROCESSORS


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
    # Side by side, for numpy leaves the interpreter to others while it works; the longest first.
    with ThreadPoolExecutor(N_PROCESSORS) as threads:
        described = threads.submit(describe_cohort, cohort)
        lesions = threads.submit(lesion_rates, cohort, protocol)
        relapses = threads.submit(relapse_rates, cohort, protocol)
        changes = threads.submit(disability, cohort, protocol)
        mortality = threads.submit(transplant_related_mortality, cohort, protocol)
        courses = all_courses(cohort)
        survival = {
            definition.key: threads.submit(survival_endpoint, cohort, definition, courses, protocol)
            for definition in DEFINITIONS
        }
        neda = threads.submit(neda3, cohort, courses, protocol)
    endpoints = Endpoints(
        **{key: endpoint.result() for key, endpoint in survival.items()},
        neda3=neda.result(),
        relapse_rate=relapses.result(),
        lesions=lesions.result(),
        disability=changes.result(),
        transplant_related_mortality=mortality.result(),
    )
    return Summary(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        source=cohort.source,
        protocol=protocol_info(protocol, cohort.source.shape),
        cohort=described.result(),
        endpoints=endpoints,
        account=cohort.account,
        warnings=(
            *cohort.warnings,
            *ignored_settings(protocol, cohort.source.shape),
            *_overdispersed(endpoints),
        ),
    )


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
