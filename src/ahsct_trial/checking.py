"""A cohort's figures held against published ones: which are reproduced, and which differ."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.cohort import Cohort
from ahsct_trial.derivation import as_cohort
from ahsct_trial.endpoints import summarize
from ahsct_trial.protocol import Protocol
from ahsct_trial.published import Figure, Publication
from ahsct_trial.records import Records
from ahsct_trial.results import ProtocolInfo, SourceInfo, Tool
from ahsct_trial.rounding import round_half_up

Verdict = Literal["reproduced", "compatible", "differs", "not computable"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedFigure:
    """A published figure beside the cohort's.

    `published` and `published_of` are as printed; `value`, `of` and the interval are the cohort's own,
    unrounded, percentages from 0 to 1.
    """

    label: str
    definition: str
    published: str
    published_of: str | None
    published_ci: tuple[str, str] | None
    unit: str
    value: float | None
    of: float | None
    ci_low: float | None
    ci_high: float | None
    ci_method: str | None
    verdict: Verdict
    mark: str
    source: str


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
    """All figures of one publication, and whom the trial would have taken."""

    tool: Tool
    source: SourceInfo
    publication: PublicationInfo
    protocol: ProtocolInfo
    n_patients: int
    n_sites: int | None
    figures: tuple[CheckedFigure, ...]
    eligibility: tuple[CheckedCriterion, ...]
    n_reproduced: int
    n_compatible: int
    n_differs: int
    n_not_computable: int
    warnings: tuple[str, ...]


def check(data: Cohort | Records, publication: Publication, protocol: Protocol | None = None) -> Check:
    """Hold a cohort's figures against a publication's.

    Parameters
    ----------
    data
        The patients or their records.
    publication
        The published figures.
    protocol
        The choices behind the cohort's figures; the publication's own where it is left out.

    Returns
    -------
    Check
        For each figure: *reproduced* if the cohort's rounds to it, and its interval to the published one;
        *compatible* if it lies in the cohort's interval; else *differs*; *not computable* where the file
        does not give it, or the protocol's horizon is not the figure's.
    """
    protocol = protocol or publication.own_protocol()
    cohort = as_cohort(data, protocol)
    summary = summarize(cohort, protocol)
    figures = tuple(_checked(summary, figure) for figure in publication.figures)
    verdicts = [figure.verdict for figure in figures]
    return Check(
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
        protocol=summary.protocol,
        n_patients=summary.cohort.n_patients,
        n_sites=summary.cohort.n_sites,
        figures=figures,
        eligibility=tuple(_eligibility(cohort, publication)),
        n_reproduced=verdicts.count("reproduced"),
        n_compatible=verdicts.count("compatible"),
        n_differs=verdicts.count("differs"),
        n_not_computable=verdicts.count("not computable"),
        warnings=summary.warnings,
    )


def _at(summary: Any, path: str) -> Any:
    for name in path.split("."):
        summary = getattr(summary, name)
    return summary


def _checked(summary: Any, figure: Figure) -> CheckedFigure:
    value = _at(summary, figure.figure)
    of = None if figure.figure_of is None else _at(summary, figure.figure_of)
    interval = None if figure.interval is None else _at(summary, figure.interval)
    low, high = getattr(interval, "ci_low", None), getattr(interval, "ci_high", None)
    return CheckedFigure(
        label=figure.label,
        definition=figure.definition,
        published=figure.value,
        published_of=figure.of,
        published_ci=figure.ci,
        unit=figure.unit,
        value=value,
        of=of,
        ci_low=low,
        ci_high=high,
        ci_method=getattr(interval, "ci_method", None),
        verdict=_verdict(figure, summary.protocol.horizon_years, value, of, (low, high)),
        mark=figure.mark,
        source=figure.source,
    )


def _verdict(
    figure: Figure,
    horizon_years: float,
    value: float | None,
    of: float | None,
    limits: tuple[float | None, float | None],
) -> Verdict:
    low, high = limits
    is_elsewhere = figure.horizon_years not in {None, horizon_years}
    if is_elsewhere or value is None or (figure.of is not None and of is None):
        return "not computable"
    shift = 2 if figure.unit == "%" else 0
    own_and_printed: list[tuple[float | None, str]] = [(value, figure.value)]
    if figure.ci is not None:
        own_and_printed += zip(limits, figure.ci, strict=True)
    is_same = all(own is not None and _rounds_to(own, printed, shift) for own, printed in own_and_printed)
    if is_same and (figure.of is None or of is None or _rounds_to(of, figure.of)):
        return "reproduced"
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
