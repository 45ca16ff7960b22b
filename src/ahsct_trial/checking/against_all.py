"""A cohort's event-free figure beside those of all publications, each under its own protocol and horizon."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ahsct_trial.catalogue import HEADLINE
from ahsct_trial.checking.counterparts import TrialResults, figure_protocol
from ahsct_trial.checking.explaining import endpoint_of, horizon_not_stated
from ahsct_trial.endpoints.estimates import joined
from ahsct_trial.protocol import BUILT_IN, Overrides, Protocol, with_settings
from ahsct_trial.published import Figure, Publication
from ahsct_trial.results import (
    SCHEMA_VERSION,
    Estimate,
    Notice,
    ProtocolInfo,
    SourceInfo,
    SurvivalEndpoint,
    Tool,
)
from ahsct_trial.suppression import SHOW_ALL, Suppression
from ahsct_trial.trial import Trial


@dataclass(frozen=True, kw_only=True, slots=True)
class AlongsideFigure:
    """A publication's event-free figure beside the cohort's counterpart under the publication's protocol.

    `published` is as printed and `published_share` the same from 0 to 1; `value`, `of` and `estimate` are
    the trial's, unrounded. `differs_in` names what sets the published figure apart from the cohort's own
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
    estimate: Estimate | None
    n_patients_own: int | None
    own_horizon_years: float
    death: str
    confidence_level: float
    differs_in: tuple[str, ...]
    note: str | None
    mark: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Alongside:
    """The cohort's headline, the publications' by falling share, and the publications that have none."""

    schema_version: int
    tool: Tool
    source: SourceInfo
    protocol: ProtocolInfo
    n_patients: int
    headline: SurvivalEndpoint
    figures: tuple[AlongsideFigure, ...]
    without_headline: tuple[str, ...]
    notices: tuple[Notice, ...]


def set_alongside(
    trial: Trial,
    publications: Iterable[Publication],
    overrides: Overrides | None = None,
    suppression: Suppression = SHOW_ALL,
) -> Alongside:
    """Set a trial's event-free figure beside the publications'; nothing is judged.

    Parameters
    ----------
    trial
        The data.
    publications
        Those to set beside it.
    overrides
        Settings to change in the default protocol, behind the trial's headline, and in each publication's.
    suppression
        What leaves out figures with small counts.

    Returns
    -------
    Alongside
        One figure for each publication with a headline, the largest published share first.
    """
    publications, overrides = tuple(publications), overrides or {}
    protocol = with_settings(BUILT_IN["default"], overrides)
    results = TrialResults(trial, suppression)
    summary = results.summary(protocol)
    figures = (
        _beside(results, each, each.headline, protocol, overrides) for each in publications if each.headline
    )
    return Alongside(
        schema_version=SCHEMA_VERSION,
        tool=summary.tool,
        source=summary.source,
        protocol=replace(summary.protocol, name=protocol.name),
        n_patients=summary.cohort.n_patients,
        headline=getattr(summary.endpoints, HEADLINE.key),
        figures=tuple(sorted(figures, key=lambda each: (-each.published_share, each.publication))),
        without_headline=tuple(each.id for each in publications if each.headline is None),
        notices=summary.notices,
    )


def _beside(
    results: TrialResults, publication: Publication, figure: Figure, protocol: Protocol, overrides: Overrides
) -> AlongsideFigure:
    theirs = figure_protocol(publication, figure, overrides)
    counterpart = results.counterpart(figure, theirs)
    reasons: list[str | None] = [counterpart.absent]
    if counterpart.absent is None:
        reasons = [*horizon_not_stated(figure, theirs), *counterpart.notes, figure.differs]
    return AlongsideFigure(
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
        value=counterpart.value,
        of=counterpart.of,
        estimate=counterpart.estimate,
        n_patients_own=counterpart.n_patients,
        own_horizon_years=theirs.horizon_years,
        death=theirs.death,
        confidence_level=theirs.confidence_level,
        differs_in=tuple(_differs_in(figure, theirs, protocol)),
        note=joined(reasons),
        mark=figure.mark,
        source=figure.source,
    )


def _differs_in(figure: Figure, theirs: Protocol, headline_protocol: Protocol) -> Iterator[str]:
    declared = endpoint_of(figure)
    if figure.horizon_years is None:
        yield "horizon not stated"
    elif figure.horizon_years != headline_protocol.horizon_years:
        yield "horizon"
    if declared is not HEADLINE:
        yield "endpoint"
    if figure.disputed:
        yield "definition disputed"
    elif "definition" in figure.not_stated:
        yield "definition not stated"
    if figure.where:
        yield "patients"
    if "death" in figure.not_stated:
        yield "death rule not stated"
    elif theirs.death != headline_protocol.death:
        yield "death rule"
    if theirs.confidence_level != headline_protocol.confidence_level:
        yield "level"
