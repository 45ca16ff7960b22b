"""A cohort's event-free figure beside those of all publications, each under its own protocol and horizon."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ahsct_trial.cohort import Cohort
from ahsct_trial.counterparts import CohortResults, figure_protocol, unchanged
from ahsct_trial.endpoints.intervals import joined
from ahsct_trial.explaining import horizon_not_stated, survival_definition
from ahsct_trial.protocol import BUILT_IN, Protocol, Settings
from ahsct_trial.published import Figure, Publication
from ahsct_trial.records import Records
from ahsct_trial.results import HEADLINE, SCHEMA_VERSION, ProtocolInfo, SourceInfo, SurvivalEndpoint, Tool


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnHeadline:
    """The cohort's event-free figure under the protocol that was asked for."""

    label: str
    definition: str
    horizon_years: float
    n_event_free: int | None
    n_evaluable: int | None
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    ci_method: str
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparedFigure:
    """A publication's event-free figure beside the cohort's counterpart under the publication's protocol.

    `published` is as printed and `published_share` the same from 0 to 1; `value`, `of` and the interval are
    the cohort's, unrounded. `differs_in` names what sets the published figure apart from the cohort's own
    headline: ``horizon``, ``horizon not stated``, ``endpoint``, ``definition disputed``,
    ``definition not stated``, ``patients``, ``death rule``, ``death rule not stated``, ``level``.
    `own_horizon_years` and `death` are what the cohort's figure was computed with.
    """

    publication: str
    title: str
    n_patients: int | None
    label: str
    definition: str
    horizon_years: float | None
    where: dict[str, tuple[str, ...]]
    published: str
    published_of: str | None
    published_ci: tuple[str, str] | None
    published_share: float
    unit: str
    value: float | None
    of: float | None
    n_patients_own: int | None
    share_of: int | None
    own_horizon_years: float
    death: str
    ci_low: float | None
    ci_high: float | None
    ci_method: str | None
    confidence_level: float
    differs_in: tuple[str, ...]
    note: str | None
    mark: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The cohort's headline, the publications' by falling share, and the publications that have none."""

    schema_version: int
    tool: Tool
    source: SourceInfo
    protocol: ProtocolInfo
    n_patients: int
    headline: OwnHeadline
    figures: tuple[ComparedFigure, ...]
    without_headline: tuple[str, ...]
    warnings: tuple[str, ...]


def compare(
    data: Cohort | Records, publications: Iterable[Publication], settings: Settings = unchanged
) -> Comparison:
    """Set a cohort's event-free figure beside the publications'; nothing is judged.

    Parameters
    ----------
    data
        The patients or their records.
    publications
        Those to compare with.
    settings
        What to change in the default protocol, behind the cohort's headline, and in each publication's.

    Returns
    -------
    Comparison
        One figure for each publication with a headline, the largest published share first.
    """
    publications = tuple(publications)
    protocol = settings(BUILT_IN["default"])
    results = CohortResults(data)
    summary = results.summary(protocol)
    own: SurvivalEndpoint = getattr(summary.endpoints, HEADLINE)
    limits = own.interval
    figures = (
        _compared(results, each, each.headline, protocol, settings) for each in publications if each.headline
    )
    return Comparison(
        schema_version=SCHEMA_VERSION,
        tool=summary.tool,
        source=summary.source,
        protocol=replace(summary.protocol, name=protocol.name),
        n_patients=summary.cohort.n_patients,
        headline=OwnHeadline(
            label=own.label,
            definition=own.definition,
            horizon_years=own.horizon_years,
            n_event_free=own.n_event_free,
            n_evaluable=own.n_evaluable,
            estimate=own.estimate,
            ci_low=limits.ci_low,
            ci_high=limits.ci_high,
            ci_method=limits.ci_method,
            note=own.note,
        ),
        figures=tuple(sorted(figures, key=lambda each: (-each.published_share, each.publication))),
        without_headline=tuple(each.id for each in publications if each.headline is None),
        warnings=summary.warnings,
    )


def _compared(
    results: CohortResults, publication: Publication, figure: Figure, protocol: Protocol, settings: Settings
) -> ComparedFigure:
    theirs = figure_protocol(publication, figure, settings)
    own = results.counterpart(figure, theirs)
    reasons: list[str | None] = [own.absent]
    if own.absent is None:
        reasons = [*horizon_not_stated(figure, theirs), *own.notes, figure.differs]
    return ComparedFigure(
        publication=publication.id,
        title=publication.title,
        n_patients=publication.n_patients,
        label=figure.label,
        definition=figure.definition,
        horizon_years=figure.horizon_years,
        where=figure.where,
        published=figure.value,
        published_of=figure.of,
        published_ci=figure.ci,
        published_share=float(figure.value) / (100 if figure.of is None else float(figure.of)),
        unit=figure.unit,
        value=own.value,
        of=own.of,
        n_patients_own=own.n_patients,
        share_of=own.share_of,
        own_horizon_years=theirs.horizon_years,
        death=theirs.death,
        ci_low=own.ci_low,
        ci_high=own.ci_high,
        ci_method=own.ci_method,
        confidence_level=theirs.confidence_level,
        differs_in=tuple(_differs_in(figure, theirs, protocol)),
        note=joined(reasons),
        mark=figure.mark,
        source=figure.source,
    )


def _differs_in(figure: Figure, theirs: Protocol, own: Protocol) -> Iterator[str]:
    definition = survival_definition(figure)
    if figure.horizon_years is None:
        yield "horizon not stated"
    elif figure.horizon_years != own.horizon_years:
        yield "horizon"
    if definition is None or definition.key != HEADLINE:
        yield "endpoint"
    if figure.disputed:
        yield "definition disputed"
    elif "definition" in figure.not_stated:
        yield "definition not stated"
    if figure.where:
        yield "patients"
    if "death" in figure.not_stated:
        yield "death rule not stated"
    elif theirs.death != own.death:
        yield "death rule"
    if theirs.confidence_level != own.confidence_level:
        yield "level"
