"""A cohort's figures held against published ones: which are reproduced, and which differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.cohort import Cohort
from ahsct_trial.counterparts import CohortResults, Counterpart, figure_protocol, unchanged
from ahsct_trial.endpoints.intervals import joined
from ahsct_trial.explaining import horizon_not_stated, why_it_differs
from ahsct_trial.protocol import Protocol, Settings
from ahsct_trial.published import Figure, Publication
from ahsct_trial.records import Records
from ahsct_trial.results import SCHEMA_VERSION, ProtocolInfo, SourceInfo, Tool
from ahsct_trial.rounding import round_half_up

Verdict = Literal["reproduced", "compatible", "differs", "not computable"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedFigure:
    """A published figure beside the cohort's.

    `published` and `published_of` are as printed; `value`, `of` and the interval are the cohort's own,
    unrounded, percentages from 0 to 1. `n_patients` are the patients that the cohort's figure is about,
    `share_of` what a percentage of it is of, and `n_event_free` of `n_evaluable` the crude count beside a
    survival estimate. `where` names the patients that it counts, if not all; `note` says why
    it differs or is not computable, or that it has no horizon.
    """

    label: str
    definition: str
    published: str
    published_of: str | None
    published_ci: tuple[str, str] | None
    unit: str
    value: float | None
    of: float | None
    n_patients: int | None
    share_of: int | None
    n_event_free: int | None
    n_evaluable: int | None
    ci_low: float | None
    ci_high: float | None
    ci_method: str | None
    verdict: Verdict
    mark: str
    source: str
    horizon_years: float | None
    where: dict[str, tuple[str, ...]]
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedCriterion:
    """How many patients meet one criterion of the trial; counts are None where the file lacks the column."""

    criterion: str
    n_met: int | None
    n_not_met: int | None
    n_unknown: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicationInfo:
    """The publication that a cohort is held against."""

    id: str
    title: str
    citation: str
    n_patients: int | None
    n_sites: int | None
    uncertain: tuple[str, ...]


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
    figures: tuple[CheckedFigure, ...]
    eligibility: tuple[CheckedCriterion, ...]
    n_reproduced: int
    n_compatible: int
    n_differs: int
    n_not_computable: int
    warnings: tuple[str, ...]


def check(data: Cohort | Records, publication: Publication, settings: Settings = unchanged) -> Check:
    """Hold a cohort's figures against a publication's.

    Parameters
    ----------
    data
        The patients or their records.
    publication
        The published figures.
    settings
        What to change in the publication's own protocol; it is asked at each horizon of its figures.

    Returns
    -------
    Check
        For each figure: *reproduced* if the cohort's rounds to it, and its interval to the published one;
        *compatible* if it lies in the cohort's interval; else *differs*; *not computable* where the file
        does not give it, or the protocol's horizon is not the figure's.
    """
    own_protocol = publication.own_protocol()
    protocol = settings(own_protocol)
    results = CohortResults(data)
    summary = results.summary(protocol)
    figures = tuple(
        _checked(results, figure, figure_protocol(publication, figure, settings))
        for figure in publication.figures
    )
    verdicts = [figure.verdict for figure in figures]
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
        is_own_protocol=replace(protocol, name="") == replace(own_protocol, name=""),
        horizons_stated=publication.horizons,
        settings_stated=publication.stated,
        settings_inferred=publication.inferred,
        settings_by_default=publication.by_default,
        n_patients=summary.cohort.n_patients,
        n_sites=summary.cohort.n_sites,
        figures=figures,
        eligibility=tuple(_eligibility(results.cohort(protocol), publication)),
        n_reproduced=verdicts.count("reproduced"),
        n_compatible=verdicts.count("compatible"),
        n_differs=verdicts.count("differs"),
        n_not_computable=verdicts.count("not computable"),
        warnings=summary.warnings,
    )


def _checked(results: CohortResults, figure: Figure, protocol: Protocol) -> CheckedFigure:
    own = results.counterpart(figure, protocol)
    verdict = _verdict(figure, own)
    reasons: list[str | None] = [own.absent, *own.notes]
    if own.absent is None:
        reasons = [*horizon_not_stated(figure, protocol), *reasons]
    if verdict == "differs":
        reasons = [*reasons, *why_it_differs(results, figure, protocol), figure.differs]
    return CheckedFigure(
        label=figure.label,
        definition=figure.definition,
        published=figure.value,
        published_of=figure.of,
        published_ci=figure.ci,
        unit=figure.unit,
        value=own.value,
        of=own.of,
        n_patients=own.n_patients,
        share_of=own.share_of,
        n_event_free=own.n_event_free,
        n_evaluable=own.n_evaluable,
        ci_low=own.ci_low,
        ci_high=own.ci_high,
        ci_method=own.ci_method,
        verdict=verdict,
        mark=figure.mark,
        source=figure.source,
        horizon_years=figure.horizon_years,
        where=figure.where,
        note=joined(reasons),
    )


def _verdict(figure: Figure, own: Counterpart) -> Verdict:
    if own.value is None:
        return "not computable"
    shift = 2 if figure.unit == "%" else 0
    limits = (own.ci_low, own.ci_high)
    own_and_printed: list[tuple[float | None, str]] = [(own.value, figure.value)]
    if figure.ci is not None:
        own_and_printed += zip(limits, figure.ci, strict=True)
    is_same = all(each is not None and _rounds_to(each, printed, shift) for each, printed in own_and_printed)
    if is_same and (figure.of is None or own.of is None or _rounds_to(own.of, figure.of)):
        return "reproduced"
    low, high = limits
    if low is None or high is None:
        return "differs"
    published = float(figure.value) / (float(figure.of) if figure.of is not None else 10**shift)
    return "compatible" if low <= published <= high else "differs"


def _rounds_to(value: float, printed: str, shift: int = 0) -> bool:
    exponent = Decimal(printed).as_tuple().exponent
    return Decimal(round_half_up(value, -int(exponent), shift=shift)) == Decimal(printed)


def _eligibility(cohort: Cohort, publication: Publication) -> list[CheckedCriterion]:
    rules = publication.eligibility
    criteria = []
    for column, words, limits in (
        ("age_years", "Age {:g} to {:g} years", rules.age_years),
        ("edss_baseline", "EDSS {:.1f} to {:.1f} at baseline", rules.edss_baseline),
    ):
        if limits is not None:
            is_met = is_known = None
            if not cohort.lacking(column):
                values = cohort.numbers(column)
                is_known, is_met = ~np.isnan(values), (values >= limits[0]) & (values <= limits[1])
            criteria.append(_criterion(words.format(*limits), is_met, is_known))
    if rules.prior_therapy is not None:
        is_met = is_known = None
        if not cohort.lacking("prior_therapy"):
            answers = cohort.patients["prior_therapy"]
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
