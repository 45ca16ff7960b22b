"""A trial's counterparts of published figures: the same figure, of such patients, at that horizon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ahsct_trial.endpoints import summarize
from ahsct_trial.endpoints.estimates import complement, rest_of, share
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.protocol import Overrides, Protocol, with_settings
from ahsct_trial.published import Figure, Publication
from ahsct_trial.published.paths import AT_HORIZON, CONTRASTS, is_count_of_an_endpoint, is_proportion
from ahsct_trial.results import Estimate, NedaYear, Summary, SurvivalEndpoint
from ahsct_trial.suppression import SHOW_ALL, Suppression
from ahsct_trial.trial import Trial

Where = Mapping[str, tuple[str, ...]]

_EVERYBODY: Where = {}
#: Counts of an endpoint that are of its patients, so that their share has exact limits.
_OF_PATIENTS = {"n_evaluable", "n_patients"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Counterpart:
    """A trial's own figure, unrounded; `absent` says why there is none.

    `estimate` has the limits, and what a share is of; for a count it is that of its share. `value` is the
    number itself and `of` what a count is of. `n_patients` are the patients that the figure is about,
    `n_event_free` of `n_evaluable` the crude count beside a survival estimate. `notes` must be said of it.
    """

    value: float | None = None
    of: float | None = None
    estimate: Estimate | None = None
    n_patients: int | None = None
    n_event_free: int | None = None
    n_evaluable: int | None = None
    notes: tuple[str, ...] = ()
    absent: str | None = None


class TrialResults:
    """A trial's summaries under any protocol and of any of its patients, each computed once.

    Small cells are left out of them by a suppression.
    """

    def __init__(self, trial: Trial, suppression: Suppression = SHOW_ALL) -> None:
        self.trial = trial
        self.suppression = suppression
        self._summaries: dict[object, Summary] = {}
        self._contrasts: dict[object, dict[str, Any]] = {}

    def of(self, where: Where) -> Trial:
        """The patients whose attributes are among the texts.

        Raises
        ------
        UsageError
            If there are none, or the data have no such attribute.
        """
        return self.trial.where(where) if where else self.trial

    def summary(self, protocol: Protocol, where: Where = _EVERYBODY) -> Summary:
        """The results of those patients; the name of the protocol is left out.

        Raises
        ------
        UsageError
            As `of`, and if there are too few of them to be shown.
        """
        nameless = replace(protocol, name="")
        key = (nameless, tuple(sorted(where.items())))
        if key not in self._summaries:
            self._summaries[key] = self.suppression.of(summarize(self.of(where), nameless))
        return self._summaries[key]

    def counterpart(self, figure: Figure, protocol: Protocol) -> Counterpart:
        """The counterpart of a published figure under a protocol, whose horizon must be the figure's."""
        if figure.figure is None:
            return Counterpart(absent=figure.no_counterpart or "No counterpart: see its definition.")
        if figure.horizon_years not in {None, protocol.horizon_years}:
            return Counterpart(
                absent=f"The published horizon is year {figure.horizon_years:g}, the protocol's is year "
                f"{protocol.horizon_years:g}."
            )
        try:
            results: Any = self.summary(protocol, figure.where)
            if figure.contrast is not None:
                results = {CONTRASTS: self._contrast(figure, protocol)}
        except UsageError as error:
            arms = figure.where.get("arm", ())
            if figure.contrast is not None:
                arms = (figure.contrast.level, figure.contrast.reference)
            known = self.trial.levels("arm") if "arm" in self.trial.attributes else ()
            arms = tuple(arm for arm in arms if arm not in known)
            hint = f" Say which is meant with --arm {shown(arms[0])}=…" if arms else ""
            return Counterpart(absent=f"{error}{hint}")
        counterpart = found_in(results, figure, protocol)
        if counterpart.absent is None and _is_without_denominator(figure, counterpart):
            return Counterpart(
                absent=f"No denominator of the published count was read; here it is {counterpart.value:,} among "
                f"{counterpart.n_patients:,} patients."
            )
        return counterpart

    def _contrast(self, figure: Figure, protocol: Protocol) -> dict[str, Any]:
        from ahsct_trial.endpoints.groups import contrast_of

        assert figure.contrast is not None
        arms = (figure.contrast.level, figure.contrast.reference)
        key = (replace(protocol, name=""), arms)
        if key not in self._contrasts:
            found = contrast_of(self.of(figure.where), "arm", *arms, protocol)
            if self.suppression:
                groups = [self.summary(protocol, {**figure.where, "arm": (arm,)}).endpoints for arm in arms]
                found = {"endpoints": self.suppression.contrast(found["endpoints"], groups)}
            self._contrasts[key] = found
        return self._contrasts[key]


def _is_without_denominator(figure: Figure, counterpart: Counterpart) -> bool:
    """Whether a count means nothing without what it is of, which was not read.

    None is none, of however many.
    """
    if figure.is_bare_count:
        return True
    is_count = (
        figure.of is None and counterpart.estimate is None and is_count_of_an_endpoint(figure.figure or "")
    )
    return is_count and counterpart.value != 0


def figure_protocol(publication: Publication, figure: Figure, overrides: Overrides) -> Protocol:
    """The publication's protocol at the figure's horizon, as far as the user leaves it so."""
    return with_settings(publication.own_protocol(figure.horizon_years), overrides)


def found_in(results: Any, figure: Figure, protocol: Protocol) -> Counterpart:
    """What stands in results at the figure's paths, with the limits of exactly that."""
    path = figure.figure or ""
    steps = _walk(results, path, protocol.horizon_years)
    value, holder = steps[-1], steps[-2]
    endpoint = next((each for each in reversed(steps) if isinstance(each, SurvivalEndpoint | NedaYear)), None)
    if value is None or _knows_failures_alone(endpoint, path):
        return Counterpart(absent=_why_absent(steps, path, protocol))
    of = None
    if figure.figure_of is not None:
        of_steps = _walk(results, figure.figure_of, protocol.horizon_years)
        of = of_steps[-1]
        if of is None:
            return Counterpart(absent=_why_absent(of_steps, figure.figure_of, protocol))
    estimate = _estimate(holder, endpoint, figure, value, of, protocol)
    if figure.is_complement:
        value = of - value if of is not None else rest_of(value)
        estimate = estimate and complement(estimate)
    survival = endpoint if isinstance(endpoint, SurvivalEndpoint) else None
    is_crude = survival is None or ".survival." not in path
    return Counterpart(
        value=value,
        of=of,
        estimate=estimate,
        n_patients=results.cohort.n_patients if isinstance(results, Summary) else None,
        n_event_free=None if survival is None else survival.n_event_free,
        n_evaluable=None if survival is None else survival.n_evaluable,
        notes=tuple(_notes(endpoint, estimate, protocol, is_crude=is_crude)),
    )


def _estimate(
    holder: Any, endpoint: Any, figure: Figure, value: Any, of: Any, protocol: Protocol
) -> Estimate | None:
    """The estimate with the limits of a figure; of two counts of patients, that of their share."""
    if isinstance(holder, Estimate):
        estimate: Estimate = holder
        if isinstance(endpoint, SurvivalEndpoint) and estimate is endpoint.survival:
            stands_in = endpoint.survival_beta_product
            # A survival estimate is of all patients whose outcome is known.
            estimate = replace(estimate if stands_in.value is None else stands_in, of=endpoint.n_patients)
        return estimate
    name_of = (figure.figure_of or "").rpartition(".")[2]
    if name_of in _OF_PATIENTS and of and value <= of:
        return share(int(value), int(of), protocol.confidence_level)
    if isinstance(endpoint, NedaYear) and figure.figure_of is None and is_proportion(figure.figure or ""):
        return endpoint.proportion
    return None


def _walk(results: Any, path: str, horizon_years: float) -> list[Any]:
    """What stands at each step of a path, from the results to its end; None from where it is lost."""
    steps = [results]
    for name in path.split("."):
        found = steps[-1]
        if name == AT_HORIZON:
            steps.append(next((row for row in found or () if row.years == horizon_years), None))
        elif isinstance(found, Mapping):
            steps.append(found.get(name))
        else:
            steps.append(getattr(found, name, None))
    return steps


def _knows_failures_alone(endpoint: Any, path: str) -> bool:
    """Whether nobody was followed to the horizon, so that a crude share would be that of the failures."""
    if isinstance(endpoint, SurvivalEndpoint):
        is_late = ".median_years." in path
        return endpoint.survival.value is None and not is_late
    return isinstance(endpoint, NedaYear) and endpoint.note is not None


def _why_absent(steps: list[Any], path: str, protocol: Protocol) -> str:
    """The note nearest to an empty place."""
    note = "Not in this file."
    for name, found in zip(["", *path.split(".")], steps, strict=True):
        if found is None and name == AT_HORIZON:
            return f"Judged at whole years, and not at {protocol.horizon_years:g}."
        note = getattr(found, "note", None) or note
    return note


def _notes(endpoint: Any, estimate: Estimate | None, protocol: Protocol, *, is_crude: bool) -> Iterator[str]:
    if (
        isinstance(endpoint, SurvivalEndpoint)
        and estimate is not None
        and estimate.ci_method == "beta-product"
        and protocol.ci_method != "beta-product"
    ):
        yield f"At {100 * (estimate.value or 0):.0f} % the beta-product limits stand in."
    if not is_crude or endpoint is None:
        return
    if isinstance(endpoint, NedaYear):
        n_evaluable = (endpoint.n_yes or 0) + (endpoint.n_no or 0)
        n_not = endpoint.n_not_evaluable or 0
    else:
        n_evaluable = endpoint.n_evaluable or 0
        n_not = (endpoint.n_patients or 0) + (endpoint.n_unknown or 0) - n_evaluable
    if n_not:
        yield (
            f"{n_evaluable:,} of {n_evaluable + n_not:,} evaluable; {n_not:,} not followed to year "
            f"{protocol.horizon_years:g} without failing: a patient who fails counts however short "
            "the follow-up, so the share free of it tends to be too low."
        )
