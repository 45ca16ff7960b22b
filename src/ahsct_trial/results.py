"""The results of a trial as data: frozen, unrounded, proportions from 0 to 1, None where nothing applies.

A `Summary` is what every screen, document, figure and check is made of. Its field names are the keys of
the JSON document. How a figure looks is decided in `rendering`, never here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from ahsct_trial import __version__

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """The program that computed the results."""

    name: str
    version: str


TOOL = Tool(name="ahsct-trial", version=__version__)

#: The survival endpoint that a trial is known by.
HEADLINE = "activity_free_survival"


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceInfo:
    """The file that the results come from: its name without the path, and the digest of its bytes."""

    file: str
    sha256: str
    shape: str
    n_rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ProtocolInfo:
    """Every setting; those that the file's shape has no use for are None and named in `not_applicable`."""

    name: str
    horizon_years: float
    death: str
    ci_method: str
    confidence_level: float
    worsening_confirm_weeks: float | None
    confirm_early_days: float | None
    confirm_late_days: float | None
    relapse_free_days: float | None
    baseline: str | None
    step_from_zero: float | None
    step_low: float | None
    step_high: float | None
    step_high_from: float | None
    new_lesion: str | None
    mri_from_day: float | None
    not_applicable: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """A numeric column over the patients who have it: `n` of them, and what their values are."""

    n: int
    median: float | None
    min: float | None
    max: float | None
    total: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CohortInfo:
    """Who was treated.

    `n_sites` and a distribution are None-valued where the file lacks the column; counts of a column that
    the file lacks are empty. `n_missing` counts, for each column that the file has, its empty cells.
    """

    n_patients: int
    n_sites: int | None
    age_years: Distribution
    edss_baseline: Distribution
    follow_up_years: Distribution
    follow_up_years_of_survivors: Distribution
    years_observed_before: Distribution
    site: dict[str, int]
    arm: dict[str, int]
    sex: dict[str, int]
    ms_course: dict[str, int]
    prior_therapy: dict[str, int]
    conditioning: dict[str, int]
    graft: dict[str, int]
    n_missing: dict[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """An estimate with its confidence interval: a proportion, a rate or a ratio of rates."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    ci_method: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CurvePoint:
    """One distinct time of a Kaplan–Meier curve."""

    years: float
    n_at_risk: int
    n_events: int
    n_censored: int
    estimate: float
    ci_low: float | None
    ci_high: float | None


class Curve:
    """A Kaplan–Meier curve as columns; its points, `CurvePoint`, are made only when they are asked for.

    Each array has one element per distinct time; an undefined limit is NaN. `limits` gives the lower and
    upper limits and is called when points are asked for: a screen without the curve does not pay
    for it. It is not a dataclass, so that documents show its points.
    """

    def __init__(
        self,
        *,
        years: NDArray[np.float64],
        n_at_risk: NDArray[np.int64],
        n_events: NDArray[np.int64],
        n_censored: NDArray[np.int64],
        estimate: NDArray[np.float64],
        limits: Callable[[], tuple[NDArray[np.float64], NDArray[np.float64]]],
    ) -> None:
        self.years = years
        self.n_at_risk = n_at_risk
        self.n_events = n_events
        self.n_censored = n_censored
        self.estimate = estimate
        self._limits = limits

    def __len__(self) -> int:
        return len(self.years)

    def __iter__(self) -> Iterator[CurvePoint]:
        for values in zip(*self.columns(), strict=True):
            yield CurvePoint(**dict(zip(CurvePoint.__slots__, values, strict=True)))

    def columns(self) -> tuple[list[Any], ...]:
        """The values of all points for each field of `CurvePoint` in order; an undefined limit is None."""
        columns = (self.years, self.n_at_risk, self.n_events, self.n_censored, self.estimate)
        limits = ([None if isnan(limit) else limit for limit in side.tolist()] for side in self._limits())
        return (*(column.tolist() for column in columns), *limits)


@dataclass(frozen=True, kw_only=True, slots=True)
class EventsByType:
    """First events up to the horizon by what they were; None for a type that this endpoint does not count.

    Events of one patient at the same time are counted once, under the first of these types.
    """

    relapse: int | None
    new_lesion: int | None
    worsening: int | None
    death: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SurvivalEndpoint:
    """A time-to-event endpoint at the horizon.

    `n_patients` are those whose outcome is known, `n_unknown` those left out. `n_events`, `n_censored` and
    `events_by_type` count times up to and including the horizon; `n_at_risk` counts times at or after it.
    `n_censored_died` are those of `n_censored` who had died by the horizon, None where the file knows no
    deaths. `n_not_followed` were censored before the horizon.
    `n_event_free` of `n_evaluable` is the crude count among patients who had the event by the horizon or
    were followed to it, with `proportion` its exact interval. `estimate` is Kaplan–Meier at the horizon.
    """

    label: str
    definition: str
    horizon_years: float
    n_patients: int | None
    n_events: int | None
    events_by_type: EventsByType
    n_unknown: int | None
    n_censored: int | None
    n_censored_died: int | None
    n_not_followed: int | None
    n_at_risk: int | None
    n_event_free: int | None
    n_evaluable: int | None
    proportion: Interval
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    confidence_level: float
    ci_method: str
    median_years: float | None
    note: str | None
    curve: Curve

    @property
    def is_exact(self) -> bool:
        """Whether the exact interval stands in: all or none are free of the event, as in the crude count."""
        return self.estimate in {0, 1} and self.estimate == self.proportion.value

    @property
    def interval(self) -> Interval:
        """The estimate with its interval: at 0 and 1, where that of a curve says nothing, the exact one."""
        if self.is_exact:
            return self.proportion
        return Interval(
            value=self.estimate, ci_low=self.ci_low, ci_high=self.ci_high, ci_method=self.ci_method
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class NedaYear:
    """No evidence of disease activity by one landmark year."""

    years: int
    n_yes: int | None
    n_no: int | None
    n_not_evaluable: int | None
    n_not_evaluable_died: int | None
    proportion: Interval
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RelapseRate:
    """Relapses over person-years, on one side of transplant."""

    n_patients: int | None
    n_unknown: int | None
    n_relapses: int | None
    person_years: float | None
    rate: float | None
    ci_low: float | None
    ci_high: float | None
    ci_method: str
    dispersion: float | None
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RelapseRates:
    """Annualised relapse rates before and after transplant, and after ÷ before."""

    label: str
    definition: str
    before: RelapseRate
    after: RelapseRate
    ratio: Interval
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LesionRate:
    """Lesions over scans, on one side of transplant."""

    n_patients: int | None
    n_unknown: int | None
    n_scans: int | None
    n_lesions: int | None
    lesions_per_scan: float | None
    ci_low: float | None
    ci_high: float | None
    ci_method: str
    dispersion: float | None
    n_scans_with_lesions: int | None
    scans_with_lesions: Interval
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LesionRates:
    """Lesions per scan before and after transplant, and after ÷ before."""

    label: str
    definition: str
    before: LesionRate
    after: LesionRate
    ratio: Interval
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Disability:
    """Patients by confirmed change of EDSS; `n_patients` are those with a known outcome."""

    label: str
    definition: str
    n_patients: int | None
    n_worsened: int | None
    n_improved: int | None
    n_both: int | None
    n_neither: int | None
    n_unknown: int | None
    worsened: Interval
    improved: Interval
    edss_baseline: Distribution
    edss_last: Distribution
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MortalityByDay:
    """Transplant-related deaths up to a day after transplant, of all patients."""

    n_patients: int | None
    n_deaths: int | None
    value: float | None
    ci_low: float | None
    ci_high: float | None
    ci_method: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TransplantRelatedMortality:
    """Deaths with cause ``transplant`` of all patients, whenever they came and by day 100."""

    label: str
    definition: str
    n_patients: int | None
    n_unknown: int | None
    n_deaths: int | None
    value: float | None
    ci_low: float | None
    ci_high: float | None
    ci_method: str
    by_day_100: MortalityByDay
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoints:
    """All endpoints; each is always there, with None for figures that the file cannot give."""

    activity_free_survival: SurvivalEndpoint
    relapse_free_survival: SurvivalEndpoint
    mri_activity_free_survival: SurvivalEndpoint
    worsening_free_survival: SurvivalEndpoint
    overall_survival: SurvivalEndpoint
    neda3: tuple[NedaYear, ...]
    relapse_rate: RelapseRates
    lesions: LesionRates
    disability: Disability
    transplant_related_mortality: TransplantRelatedMortality


@dataclass(frozen=True, kw_only=True, slots=True)
class SetAside:
    """Rows that were read and not used, with the reason."""

    reason: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Where the rows went: rows read = rows used + rows set aside."""

    rows_read: int
    rows_used: int
    set_aside: tuple[SetAside, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """The results of one cohort under one protocol."""

    schema_version: int
    tool: Tool
    source: SourceInfo
    protocol: ProtocolInfo
    cohort: CohortInfo
    endpoints: Endpoints
    account: Account
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProblemInfo:
    """One thing that is wrong with a file; None for what has no place in a line or a column."""

    line: int | None
    patient: str | None
    column: str | None
    value: str | None
    rule: str
    fix: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Validation:
    """What reading a file found: the first problems and their total, or the account of its rows."""

    schema_version: int
    tool: Tool
    file: str
    n_problems: int
    problems: tuple[ProblemInfo, ...]
    account: Account | None
    warnings: tuple[str, ...]
