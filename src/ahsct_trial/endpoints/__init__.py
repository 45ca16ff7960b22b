"""From a `Trial` and a `Protocol` to a `Summary`: every endpoint of the trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from ahsct_trial.catalogue import LESIONS, RELAPSE_RATE, SURVIVAL_ENDPOINTS, SurvivalEndpoint
from ahsct_trial.endpoints.cohort import describe_cohort
from ahsct_trial.endpoints.disability import disability
from ahsct_trial.endpoints.estimates import patients
from ahsct_trial.endpoints.mortality import mortality
from ahsct_trial.endpoints.neda import neda3
from ahsct_trial.endpoints.observation import components
from ahsct_trial.endpoints.rates import event_rates, is_overdispersed
from ahsct_trial.endpoints.survival import AbsentEndpoint, ObservedEndpoint, observed_endpoint
from ahsct_trial.escaping import shown
from ahsct_trial.parallel import side_by_side
from ahsct_trial.patients import Layout, PatientTable
from ahsct_trial.protocol import BUILT_IN, RECORDS_ONLY, Protocol
from ahsct_trial.results import (
    SCHEMA_VERSION,
    TOOL,
    CohortInfo,
    Endpoints,
    Notice,
    ProtocolInfo,
    Summary,
)
from ahsct_trial.results import SurvivalEndpoint as SurvivalResult
from ahsct_trial.trial import Trial

#: Above this share of patients without an EDSS at baseline, those who have one may be a selection.
_MANY = 0.1


def summarize(trial: Trial, protocol: Protocol = BUILT_IN["default"]) -> Summary:
    """Compute all endpoints of a trial.

    Parameters
    ----------
    trial
        The data, as `read_cohort` gives them.
    protocol
        The choices behind the figures.

    Returns
    -------
    Summary
        Unrounded results. An endpoint whose columns the data lack has None for its figures and a note
        that names the columns.
    """
    table = trial.table(protocol)
    computed = Computed.of(table, protocol)
    return Summary(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        source=trial.source,
        protocol=protocol_info(protocol, trial.layout),
        cohort=computed.cohort,
        endpoints=computed.endpoints,
        account=trial.account,
        notices=(
            *trial.notices,
            *table.notices,
            *ignored_settings(protocol, trial.layout),
            *arm_unknown(table),
            *endpoint_notices(computed.cohort, computed.endpoints, protocol),
        ),
    )


@dataclass(frozen=True)
class Computed:
    """What the patients of a table come to.

    Attributes
    ----------
    cohort, endpoints
        Who they are, and every endpoint.
    observed
        When each had the events of the survival endpoints, by their keys.
    """

    cohort: CohortInfo
    endpoints: Endpoints
    observed: dict[str, ObservedEndpoint | AbsentEndpoint]

    @classmethod
    def of(cls, table: PatientTable, protocol: Protocol) -> Computed:
        """Compute it; of many patients on all processors."""
        parts = components(table)

        def survival(
            endpoint: SurvivalEndpoint,
        ) -> tuple[ObservedEndpoint | AbsentEndpoint, SurvivalResult]:
            observed = observed_endpoint(table, endpoint, parts, protocol)
            return observed, observed.result(protocol)

        # The longest first, so that no processor waits long for another in the end.
        tasks: dict[str, Callable[[], Any]] = {
            "relapse_rate": partial(event_rates, table, RELAPSE_RATE, protocol),
            "lesions": partial(event_rates, table, LESIONS, protocol),
            **{each.key: partial(survival, each) for each in SURVIVAL_ENDPOINTS},
            "neda3": partial(neda3, table, parts, protocol),
            "cohort": partial(describe_cohort, table, protocol),
            "disability": partial(disability, table, protocol),
            "mortality": partial(mortality, table, protocol),
        }
        results = dict(
            zip(tasks, side_by_side(lambda task: task(), tasks.values(), n_rows=len(table)), strict=True)
        )
        cohort = results.pop("cohort")
        observed = {}
        for each in SURVIVAL_ENDPOINTS:
            observed[each.key], results[each.key] = results[each.key]
        return cls(cohort, Endpoints(**results), observed)


def protocol_info(protocol: Protocol, layout: Layout) -> ProtocolInfo:
    """The settings as results name them; None for those that a layout of the data has no use for."""
    not_applicable = _not_applicable(layout)
    return ProtocolInfo(**asdict(protocol) | dict.fromkeys(not_applicable), not_applicable=not_applicable)


def _not_applicable(layout: Layout) -> tuple[str, ...]:
    """A patient table holds what these settings lead to."""
    return () if layout == "records" else RECORDS_ONLY


def ignored_settings(protocol: Protocol, layout: Layout) -> Iterator[Notice]:
    """The notices of settings that were changed for a patient table, which cannot answer to them."""
    default = BUILT_IN["default"]
    ignored = [name for name in _not_applicable(layout) if getattr(protocol, name) != getattr(default, name)]
    if ignored:
        yield Notice(
            code="settings-without-effect",
            text=f"Settings that need records and change nothing here: {', '.join(ignored)}. "
            "A patient table already holds confirmed events and counted lesions.",
        )
    if layout != "records" and protocol.time_zero != default.time_zero:
        yield Notice(
            code="time-zero-not-in-file",
            text="A patient table does not say from when its times run. They are taken to run from "
            f"{protocol.time_zero}, as the protocol says; none was converted.",
        )


def arm_unknown(table: PatientTable) -> Iterator[Notice]:
    """That patients without an arm are one group with those of the only arm; several are not pooled unasked."""
    if not table.has("arm"):
        return
    arms = table.patients["arm"]
    n_unknown, levels = int(arms.isna().sum()), arms.dropna().unique()
    if n_unknown and len(levels) == 1:
        yield Notice(
            code="arm-unknown",
            severity="look first",
            text=f"{patients(n_unknown)} of {len(table):,} without an arm, counted with those of {shown(levels[0])}. "
            "--where arm=LEVEL leaves them out.",
        )


def endpoint_notices(cohort: CohortInfo, endpoints: Endpoints, protocol: Protocol) -> Iterator[Notice]:
    """What a person should know of the results before relying on them."""
    yield from _late_events(endpoints, protocol)
    unconfirmed = endpoints.disability.unconfirmed
    if unconfirmed.n:
        yield Notice(
            code="worsening-unconfirmed",
            severity="look first",
            text=f"{patients(unconfirmed.n)} of {unconfirmed.of:,.0f} had a worse EDSS at the last visit, which "
            "nothing can confirm: not counted without --unconfirmed event.",
        )
    n_missing = cohort.n_missing.get("edss_baseline", 0)
    if n_missing > _MANY * cohort.n_patients:
        yield Notice(
            code="edss-baseline-missing",
            severity="look first",
            text=f"EDSS at baseline is missing in {patients(n_missing)} of {cohort.n_patients:,}: their worsening is "
            "unknown, and they are left out of every endpoint that counts it.",
        )
    yield from _overdispersed(endpoints)


def _late_events(endpoints: Endpoints, protocol: Protocol) -> Iterator[Notice]:
    late = {
        endpoint.label: n
        for endpoint in (getattr(endpoints, each.key) for each in SURVIVAL_ENDPOINTS)
        if (n := endpoint.n_late_events)
    }
    if late:
        counts = ", ".join(f"{label} {n:,}" for label, n in late.items())
        by_assessment, by_therapy = "--observation-end follow-up", "--therapy ignore"
        if protocol.therapy != "censor":
            remedy = by_assessment
        elif protocol.observation_end == "follow-up":
            remedy = by_therapy
        else:
            remedy = f"{by_therapy} with {by_assessment}"
        yield Notice(
            code="events-after-observation",
            severity="look first",
            text="Some patients had an event after their observation had ended, which is not counted "
            f"({counts}). {remedy} counts it.",
        )


def _overdispersed(endpoints: Endpoints) -> Iterator[Notice]:
    rates = {
        "Relapses before": endpoints.relapse_rate.before,
        "Relapses after": endpoints.relapse_rate.after,
        "Lesions before": endpoints.lesions.before,
        "Lesions after": endpoints.lesions.after,
    }
    for what, rate in rates.items():
        if is_overdispersed(rate.dispersion):
            yield Notice(
                code="overdispersed",
                text=f"{what} (dispersion {rate.dispersion:.2f}) vary more than a Poisson rate allows: "
                "negative-binomial interval.",
            )
