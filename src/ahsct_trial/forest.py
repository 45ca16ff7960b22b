"""One endpoint across the library: its published event-free figures side by side, and a cohort's own.

Figures stand together that are of one horizon and one kind of patients, the largest first. What cannot be
compared is set apart with its reason, and nothing is left out or added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from typing import Literal

from ahsct_trial.catalogue import HEADLINE, NEDA3, SURVIVAL_ENDPOINTS
from ahsct_trial.endpoints import protocol_info
from ahsct_trial.endpoints.observation import components
from ahsct_trial.endpoints.survival import AbsentEndpoint, ObservedEndpoint, observed_endpoint
from ahsct_trial.errors import UsageError
from ahsct_trial.protocol import BUILT_IN, Protocol
from ahsct_trial.published import Figure, Mark, Publication
from ahsct_trial.published.paths import topic_of
from ahsct_trial.results import ProtocolInfo, SourceInfo, SurvivalEndpoint
from ahsct_trial.suppression import SHOW_ALL, Suppression
from ahsct_trial.trial import Trial

#: Why a published figure is set apart, in the order in which reasons are looked for.
Apart = Literal["no counterpart", "other treatment", "disputed", "no horizon"]
APART: tuple[Apart, ...] = ("no horizon", "disputed", "other treatment", "no counterpart")
#: What publications call the arm that was transplanted.
_TRANSPLANTED = {"AHSCT", "HSCT"}
#: The attribute by which figures are of one kind of patients or of another.
_POPULATION = "ms_course"
#: Where in an endpoint's results an event-free share, or its count, stands.
_EVENT_FREE = {
    "survival.value",
    "proportion.value",
    "proportion.n",
    "n_event_free",
    *(f"at_horizon.{name}.{part}" for name in ("proportion", "lowest", "highest") for part in ("value", "n")),
    "at_horizon.n_yes",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ForestRow:
    """One published event-free figure.

    Attributes
    ----------
    publication, title, label
        The publication by its id and title, and what it calls the figure.
    horizon_years
        The landmark; None where none is stated [years].
    where
        The patients it is of, where not of all.
    population
        Levels of the course of MS that they have; none where several are not told apart.
    n, is_n_printed
        How many patients: the printed denominator, else the size of the group or the study; None where that
        was not read.
    printed, printed_ci
        The event-free share in percent, or a count of a count, with the decimals of the print.
    beside
        What else is printed instead of limits: a standard error, a range.
    share, ci_low, ci_high
        The same from 0 to 1; a `share` of None is not known to be event-free, and is not drawn.
    confidence_level
        That of the limits.
    is_neda
        Whether it is a share of NEDA, of those evaluable at the landmark, and no survival estimate.
    is_complement
        Whether the publication prints the share with the event.
    not_stated
        What was not read of it: how the event is defined, whether a death counts.
    mark
        How it was read.
    reason
        Why there is no counterpart, of a figure that has none.
    """

    publication: str
    title: str
    label: str
    horizon_years: float | None
    where: dict[str, tuple[str, ...]]
    population: tuple[str, ...]
    n: int | None
    is_n_printed: bool
    printed: str
    printed_ci: tuple[str, str] | None
    beside: str | None
    share: float | None
    ci_low: float | None
    ci_high: float | None
    confidence_level: float
    is_neda: bool
    is_complement: bool
    not_stated: tuple[str, ...]
    mark: Mark
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ForestGroup:
    """Published figures of one horizon and one kind of patients, and the cohort's own figure there.

    `population` are levels of the course of MS, none where several are not told apart. `cohort` is None without
    a cohort, and where the cohort has no such patients; `cohort_absent` then says so.
    """

    horizon_years: float
    population: tuple[str, ...]
    cohort: SurvivalEndpoint | None
    cohort_absent: str | None
    rows: tuple[ForestRow, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Forest:
    """The published figures of one endpoint; `source`, `protocol` and `n_patients` are those of the cohort.

    `apart` are the figures that cannot be compared, by reason.
    """

    key: str
    label: str
    has_neda: bool
    groups: tuple[ForestGroup, ...]
    apart: tuple[tuple[Apart, tuple[ForestRow, ...]], ...]
    source: SourceInfo | None
    protocol: ProtocolInfo | None
    n_patients: int | None


def forest(
    publications: Iterable[Publication],
    endpoint: str = HEADLINE.key,
    trial: Trial | None = None,
    protocol: Protocol = BUILT_IN["default"],
    suppression: Suppression = SHOW_ALL,
) -> Forest:
    """Set the published event-free figures of an endpoint side by side.

    Parameters
    ----------
    publications
        Those to take figures from.
    endpoint
        Key of a survival endpoint; with the headline go shares of NEDA, which are of the same events.
    trial
        A cohort whose own figure stands with those of each horizon, of the same kind of patients.
    protocol
        The choices behind the cohort's figures, all but the horizon.
    suppression
        What leaves out figures of the cohort with small counts.

    Returns
    -------
    Forest
        One row for each figure; a count beside a percentage of the same patients gives that its `n`.
    """
    declared = next(each for each in SURVIVAL_ENDPOINTS if each.key == endpoint)
    comparable: list[ForestRow] = []
    apart: dict[Apart, list[ForestRow]] = {reason: [] for reason in APART}
    for publication in publications:
        for figures in _same_figures(publication, endpoint):
            row = _row(publication, figures)
            reason = _why_apart(figures[0])
            (comparable if reason is None else apart[reason]).append(row)
    comparable.sort(key=lambda row: (row.horizon_years, _population_order(row.population), *_by_share(row)))
    observed: dict[tuple[str, ...], ObservedEndpoint | AbsentEndpoint | str] = {}
    groups = []
    for (horizon, population), rows in groupby(comparable, lambda row: (row.horizon_years, row.population)):
        assert horizon is not None
        cohort, cohort_absent = None, None
        if trial is not None:
            if population not in observed:
                observed[population] = _observed(trial, population, endpoint, protocol)
            found = observed[population]
            if isinstance(found, str):
                cohort_absent = found
            else:
                at_horizon = replace(protocol, horizon_years=horizon)
                n_patients = len(trial.where({_POPULATION: population})) if population else len(trial)
                cohort = suppression.survival(found.result(at_horizon), n_patients, at_horizon)
        groups.append(
            ForestGroup(
                horizon_years=horizon,
                population=population,
                cohort=cohort,
                cohort_absent=cohort_absent,
                rows=tuple(rows),
            )
        )
    return Forest(
        key=endpoint,
        label=declared.label,
        has_neda=any(row.is_neda for row in [*comparable, *(row for rows in apart.values() for row in rows)]),
        groups=tuple(groups),
        apart=tuple((reason, tuple(sorted(rows, key=_by_share))) for reason, rows in apart.items() if rows),
        source=None if trial is None else suppression.source(trial.source, len(trial)),
        protocol=None if trial is None else protocol_info(protocol, trial.layout),
        n_patients=None if trial is None else len(trial),
    )


def _observed(
    trial: Trial, population: tuple[str, ...], endpoint: str, protocol: Protocol
) -> ObservedEndpoint | AbsentEndpoint | str:
    """The cohort's observations of such patients, or why there are none."""
    declared = next(each for each in SURVIVAL_ENDPOINTS if each.key == endpoint)
    try:
        part = trial.where({_POPULATION: population}) if population else trial
    except UsageError as error:
        return str(error)
    table = part.table(protocol)
    return observed_endpoint(table, declared, components(table), protocol)


def _same_figures(publication: Publication, endpoint: str) -> Iterator[list[Figure]]:
    """The publication's figures of an endpoint; those of the same patients at one landmark together.

    A percentage stands before a count, and what was read before what was computed from it.
    """
    found: dict[object, list[Figure]] = {}
    for place, figure in enumerate(publication.figures):
        if not _is_of(figure, endpoint):
            continue
        holder = _holder(figure) or place
        key = (holder, figure.horizon_years, tuple(sorted(figure.where.items())))
        found.setdefault(key, []).append(figure)
    for figures in found.values():
        yield sorted(figures, key=lambda each: (each.unit != "%", each.mark == "D", each.is_complement))


def _is_of(figure: Figure, endpoint: str) -> bool:
    """Whether a figure is an event-free share of an endpoint, or one that may be and has no counterpart."""
    if figure.contrast is not None:
        return False
    if figure.figure is None:
        # Percentages about deaths are mortality, and none of them is known to be overall survival.
        topic = topic_of(f"endpoints.{endpoint}.")
        return figure.unit == "%" and topic != "death" and topic in figure.topics
    holders = (endpoint, NEDA3.key) if endpoint == HEADLINE.key else (endpoint,)
    is_share = figure.unit == "%" or figure.of is not None
    return is_share and _holder(figure) in holders and figure.figure.split(".", 2)[2] in _EVENT_FREE


def _holder(figure: Figure) -> str | None:
    """The endpoint that the path of a figure leads into."""
    first, _, rest = (figure.figure or "").partition(".")
    return rest.partition(".")[0] if first == "endpoints" else None


def _why_apart(figure: Figure) -> Apart | None:
    if figure.figure is None:
        return "no counterpart"
    if not _TRANSPLANTED.issuperset(figure.where.get("arm", ())):
        return "other treatment"
    if figure.disputed:
        return "disputed"
    return "no horizon" if figure.horizon_years is None else None


def _row(publication: Publication, figures: list[Figure]) -> ForestRow:
    figure = figures[0]
    printed_ci = figure.ci
    printed = figure.value
    if figure.is_complement:
        printed = _rest(figure.value, figure.of or "100")
        printed_ci = figure.ci and (_rest(figure.ci[1], "100"), _rest(figure.ci[0], "100"))
    whole = Decimal(figure.of or "100")
    is_drawn = figure.figure is not None
    low, high = (
        (float(Decimal(limit) / 100) for limit in printed_ci) if printed_ci and is_drawn else (None, None)
    )
    beside = [f"SE {figure.se}"] if figure.se is not None else []
    counted = next((each.of for each in figures if each.of is not None), None)
    return ForestRow(
        publication=publication.id,
        title=publication.title,
        label=figure.label,
        horizon_years=figure.horizon_years,
        where=figure.where,
        population=figure.where.get(_POPULATION, publication.ms_course),
        n=_n_patients(publication, figure) if counted is None else int(counted),
        is_n_printed=counted is not None,
        printed=printed if figure.of is None else f"{printed} of {figure.of}",
        printed_ci=printed_ci,
        beside="; ".join([*beside, *filter(None, [figure.spread])]) or None,
        share=float(Decimal(printed) / whole) if is_drawn else None,
        ci_low=low,
        ci_high=high,
        confidence_level=publication.own_protocol().confidence_level,
        is_neda=_holder(figure) == NEDA3.key,
        is_complement=figure.is_complement,
        not_stated=figure.not_stated,
        mark=figure.mark,
        reason=figure.no_counterpart,
    )


def _rest(printed: str, whole: str) -> str:
    """What is left of a whole, with the decimals of the print."""
    return str(Decimal(whole) - Decimal(printed))


def _n_patients(publication: Publication, figure: Figure) -> int | None:
    """The size of a figure's group, or of the study where it is of all patients."""
    if figure.figure is None:
        return None
    sizes = (each.value for each in publication.figures if each.is_size and each.where == figure.where)
    size = next(sizes, None)
    if size is not None:
        return int(size)
    return None if figure.where else publication.n_patients


def _population_order(population: tuple[str, ...]) -> tuple[bool, bool, tuple[str, ...]]:
    """All patients first, then those with a relapsing course, then the others."""
    return (bool(population), population != ("RRMS",), population)


def _by_share(row: ForestRow) -> tuple[float, str, str]:
    return (0.0 if row.share is None else -row.share, row.publication, row.label)
