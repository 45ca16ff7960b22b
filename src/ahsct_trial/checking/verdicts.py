"""A trial's figures compared with published ones: which are reproduced, and which differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.checking.counterparts import Counterpart, TrialResults, figure_protocol
from ahsct_trial.checking.explaining import horizon_not_stated, why_it_differs
from ahsct_trial.endpoints.estimates import joined
from ahsct_trial.patients import PatientTable
from ahsct_trial.protocol import Overrides, with_settings
from ahsct_trial.published import Figure, Publication, publications
from ahsct_trial.published.relations import related_figures
from ahsct_trial.results import SCHEMA_VERSION, Estimate, Notice, ProtocolInfo, SourceInfo, Tool
from ahsct_trial.rounding import round_half_up
from ahsct_trial.suppression import SHOW_ALL, Suppression
from ahsct_trial.trial import Trial

Verdict = Literal["reproduced", "compatible", "differs", "not computable"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedFigure:
    """A published figure beside the trial's.

    `published` and `published_of` are as printed. `value` and `of` are the trial's own, unrounded; `estimate`
    has their limits and what a share is of. `n_patients` are the patients that the trial's figure is about,
    `n_event_free` of `n_evaluable` the crude count beside a survival estimate. `where` names the patients
    that it counts, if not all; `note` says why it differs or is not computable, or that it has no horizon. A
    figure of mark D was computed by this program, and counts in none of the totals.
    """

    label: str
    definition: str
    published: str
    published_of: str | None
    published_ci: tuple[str, str] | None
    unit: str
    value: float | None
    of: float | None
    estimate: Estimate | None
    n_patients: int | None
    n_event_free: int | None
    n_evaluable: int | None
    verdict: Verdict
    mark: str
    source: str
    horizon_years: float | None
    where: dict[str, tuple[str, ...]]
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedCriterion:
    """How many patients meet one criterion of the published trial.

    The counts are None where the file lacks the column.
    """

    criterion: str
    n_met: int | None
    n_not_met: int | None
    n_unknown: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicationInfo:
    """The publication that a trial is compared with."""

    id: str
    title: str
    citation: str
    n_patients: int | None
    n_sites: int | None
    uncertain: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Contradiction:
    """What another publication of the same trial prints for the endpoint that a publication is known by."""

    publication: str
    label: str
    printed: str
    mark: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """All figures of one publication, and whom the trial would have taken.

    `is_own_protocol` says whether `protocol` has the settings of the publication's own: those that it states,
    those inferred from its figures, and the program's default for what it does not state. A figure with a
    horizon of its own is computed there, unless the user chose a horizon.
    """

    schema_version: int
    tool: Tool
    source: SourceInfo
    publication: PublicationInfo
    protocol: ProtocolInfo
    is_own_protocol: bool
    horizons_stated: tuple[float, ...]
    settings_stated: tuple[str, ...]
    settings_inferred: tuple[str, ...]
    settings_by_default: tuple[str, ...]
    n_patients: int
    n_sites: int | None
    contradicted_by: tuple[Contradiction, ...]
    figures: tuple[CheckedFigure, ...]
    eligibility: tuple[CheckedCriterion, ...]
    n_reproduced: int
    n_compatible: int
    n_differs: int
    n_not_computable: int
    n_computed_here: int
    notices: tuple[Notice, ...]


def check(
    trial: Trial,
    publication: Publication,
    overrides: Overrides | None = None,
    suppression: Suppression = SHOW_ALL,
) -> Check:
    """Compare a trial's figures with a publication's.

    Parameters
    ----------
    trial
        The data.
    publication
        The published figures.
    overrides
        Settings to change in the publication's own protocol, at each horizon of its figures.
    suppression
        What leaves out small counts: figures made of them are not computable.

    Returns
    -------
    Check
        For each figure: *reproduced* if the trial's rounds to it, and its interval to the published one;
        *compatible* if it lies in the trial's interval; else *differs*; *not computable* where the data
        do not give it, or the protocol's horizon is not the figure's.
    """
    overrides = overrides or {}
    protocol_of_publication = publication.own_protocol()
    protocol = with_settings(protocol_of_publication, overrides)
    results = TrialResults(trial, suppression)
    summary = results.summary(protocol)
    figures = tuple(_checked(results, figure, publication, overrides) for figure in publication.figures)
    # What this program computed itself is no evidence for its figures.
    verdicts = [figure.verdict for figure in figures if figure.mark != "D"]
    return Check(
        schema_version=SCHEMA_VERSION,
        tool=summary.tool,
        source=summary.source,
        publication=PublicationInfo(
            id=publication.id,
            title=publication.title,
            citation=publication.citation,
            n_patients=publication.n_patients,
            n_sites=publication.n_sites,
            uncertain=publication.uncertain,
        ),
        protocol=replace(summary.protocol, name=protocol.name),
        is_own_protocol=replace(protocol, name="") == replace(protocol_of_publication, name=""),
        horizons_stated=publication.horizons,
        settings_stated=publication.stated,
        settings_inferred=publication.inferred,
        settings_by_default=publication.by_default,
        n_patients=summary.cohort.n_patients,
        n_sites=summary.cohort.n_sites,
        contradicted_by=tuple(_contradictions(publication)),
        figures=figures,
        eligibility=tuple(map(suppression.whole, _eligibility(trial.table(protocol), publication))),
        n_reproduced=verdicts.count("reproduced"),
        n_compatible=verdicts.count("compatible"),
        n_differs=verdicts.count("differs"),
        n_not_computable=verdicts.count("not computable"),
        n_computed_here=len(figures) - len(verdicts),
        notices=summary.notices,
    )


def _contradictions(publication: Publication) -> Iterator[Contradiction]:
    """What its trial's other publications print for its event-free figure, if it is another number."""
    headline = publication.headline
    if headline is None or publication.trial is None:
        return
    others = (
        (each, figure)
        for each in publications().values()
        if each.id != publication.id
        for figure in each.figures
        if figure.mark != "D"
    )
    for other, figure, relation in related_figures(publication, headline, others):
        if relation == "contradicts":
            yield Contradiction(
                publication=other.id,
                label=figure.label,
                printed=figure.printed,
                mark=figure.mark,
                source=figure.source,
            )


def _checked(
    results: TrialResults, figure: Figure, publication: Publication, overrides: Overrides
) -> CheckedFigure:
    protocol = figure_protocol(publication, figure, overrides)
    counterpart = results.counterpart(figure, protocol)
    verdict = _verdict(figure, counterpart)
    reasons: list[str | None] = [counterpart.absent, *counterpart.notes]
    if counterpart.absent is None:
        reasons = [*horizon_not_stated(figure, protocol), *reasons]
    if verdict == "differs":
        reasons = [*reasons, *why_it_differs(results, figure, protocol), figure.differs]
    elif verdict == "compatible" and figure.ci is not None and _is_same_value(figure, counterpart):
        reasons = [*reasons, "The figure is the same, the interval is another.", figure.differs]
    return CheckedFigure(
        label=figure.label,
        definition=figure.definition,
        published=figure.value,
        published_of=figure.of,
        published_ci=figure.ci,
        unit=figure.unit,
        value=counterpart.value,
        of=counterpart.of,
        estimate=counterpart.estimate,
        n_patients=counterpart.n_patients,
        n_event_free=counterpart.n_event_free,
        n_evaluable=counterpart.n_evaluable,
        verdict=verdict,
        mark=figure.mark,
        source=figure.source,
        horizon_years=figure.horizon_years,
        where=figure.where,
        note=joined(reasons),
    )


def _verdict(figure: Figure, counterpart: Counterpart) -> Verdict:
    if counterpart.value is None:
        return "not computable"
    factor = figure.print_factor
    estimate = counterpart.estimate
    low, high = (None, None) if estimate is None else (estimate.ci_low, estimate.ci_high)
    is_same_interval = figure.ci is None or all(
        each is not None and _rounds_to(each, printed, factor)
        for each, printed in zip((low, high), figure.ci, strict=True)
    )
    if is_same_interval and _is_same_value(figure, counterpart):
        return "reproduced"
    if low is None or high is None:
        return "differs"
    published = float(figure.value) / (float(figure.of) if figure.of is not None else factor)
    return "compatible" if low <= published <= high else "differs"


def _is_same_value(figure: Figure, counterpart: Counterpart) -> bool:
    """Whether the trial's figure, and what it is of, round to the published."""
    if counterpart.value is None or not _rounds_to(counterpart.value, figure.value, figure.print_factor):
        return False
    return figure.of is None or counterpart.of is None or _rounds_to(counterpart.of, figure.of)


def _rounds_to(value: float, printed: str, factor: int = 1) -> bool:
    exponent = -int(Decimal(printed).as_tuple().exponent)
    shift = {1: 0, 100: 2}.get(factor)
    if shift is None:
        value, shift = value * factor, 0
    return Decimal(round_half_up(value, exponent, shift=shift)) == Decimal(printed)


def _eligibility(table: PatientTable, publication: Publication) -> list[CheckedCriterion]:
    rules = publication.eligibility
    criteria = []
    for column, words, limits in (
        ("age_years", "Age {:g} to {:g} years", rules.age_years),
        ("edss_baseline", "EDSS {:.1f} to {:.1f} at baseline", rules.edss_baseline),
    ):
        if limits is not None:
            is_met = is_known = None
            if table.has(column):
                values = table.numbers(column)
                is_known, is_met = ~np.isnan(values), (values >= limits[0]) & (values <= limits[1])
            criteria.append(_criterion(words.format(*limits), is_met, is_known))
    if rules.prior_therapy is not None:
        is_met = is_known = None
        if table.has("prior_therapy"):
            answers = table.patients["prior_therapy"]
            is_known, is_met = answers.notna().to_numpy(), (answers == rules.prior_therapy).to_numpy()
        criteria.append(
            _criterion(
                {"yes": "Earlier therapy had failed", "no": "No earlier therapy"}[rules.prior_therapy],
                is_met,
                is_known,
            )
        )
    return criteria


def _criterion(
    words: str, is_met: NDArray[np.bool_] | None, is_known: NDArray[np.bool_] | None
) -> CheckedCriterion:
    if is_met is None or is_known is None:
        return CheckedCriterion(criterion=words, n_met=None, n_not_met=None, n_unknown=None)
    n_met, n_known = int(np.count_nonzero(is_met)), int(np.count_nonzero(is_known))
    return CheckedCriterion(
        criterion=words, n_met=n_met, n_not_met=n_known - n_met, n_unknown=len(is_known) - n_known
    )
