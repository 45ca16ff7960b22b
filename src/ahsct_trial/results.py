"""The results of a trial as data: frozen, unrounded, proportions from 0 to 1, None where nothing applies.

A `Summary` is what every screen, document, figure and check is made of. Its field names are the keys of
the JSON document. How a figure looks is decided in `rendering`, never here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from math import isnan
from typing import TYPE_CHECKING, Any, Literal

from ahsct_trial import __version__

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

SCHEMA_VERSION = 2
#: What is a number and no statistic of its own.
_NO_STATISTICS = {"years", "horizon_years"}


class Result:
    """What each class here would get from `dataclass`; to make it anew for each is half of what they cost to import."""

    __slots__ = ()

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__dataclass_fields__)  # type: ignore[attr-defined]

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        names = self.__dataclass_fields__  # type: ignore[attr-defined]
        listed = ", ".join(f"{name}={value!r}" for name, value in zip(names, self._values(), strict=True))
        return f"{type(self).__name__}({listed})"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Tool(Result):
    """The program that computed the results."""

    name: str
    version: str


TOOL = Tool(name="ahsct-trial", version=__version__)

Severity = Literal["look first", "note"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Notice(Result):
    """Something that a person should know about the data or the results.

    Attributes
    ----------
    code
        What it is about, for programs: ``months-read-as-years``.
    severity
        ``look first`` for what may make the figures wrong, and is shown above them; else ``note``.
    text
        One or more sentences.
    names_patients
        Whether the text holds an identifier of a patient, or what is told of one patient; such a text has no
        place in aggregate output.
    """

    code: str
    text: str
    severity: Severity = "note"
    names_patients: bool = False


Unit = Literal["share", "difference", "per_year", "per_scan", "ratio", "years"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Estimate(Result):
    """A statistic with its confidence limits, unrounded: the only shape in which one exists.

    Attributes
    ----------
    value
        The statistic in `unit`; shares and differences from 0 to 1; None where it is undefined.
    ci_low, ci_high
        Limits, None where undefined.
    ci_method, confidence_level
        How the limits were made, and their two-sided level; None where there are none by design.
    n, of
        The counts behind a share, or the events and the exposure behind a rate; None where neither is meant.
    unit
        What `value` is in.
    note
        Why a part is None, or what must be said beside it.
    """

    unit: Unit
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    ci_method: str | None = None
    confidence_level: float | None = None
    n: int | None = None
    of: float | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class SourceFile(Result):
    """A file that was read: its name without the path, the digest of its bytes, its rows.

    `n_rows` is None where it would tell a small count that is not shown.
    """

    file: str
    sha256: str
    n_rows: int | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class SourceInfo(Result):
    """The files that the results come from, and the layout of the data: ``patient_table`` or ``records``.

    `provenance` is what must be said of the data beside every result, such as that they are synthetic.
    """

    files: tuple[SourceFile, ...]
    shape: str
    provenance: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class ProtocolInfo(Result):
    """Every setting; those that the data's layout has no use for are None and named in `not_applicable`."""

    name: str
    time_zero: str
    horizon_years: float
    landmark_window_days: float
    observation_end: str
    death_reach_days: float
    death: str
    therapy: str
    ci_method: str
    confidence_level: float
    worsening_confirm_weeks: float | None
    confirm_early_days: float | None
    confirm_late_days: float | None
    unconfirmed: str | None
    relapse_free_days: float | None
    relapse_gap_days: float | None
    baseline: str | None
    step_from_zero: float | None
    step_low: float | None
    step_high: float | None
    step_high_from: float | None
    new_lesion: str | None
    mri_from_day: float | None
    not_applicable: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Distribution(Result):
    """A numeric column over the patients who have it: `n` of them, None where few, and what their values are."""

    n: int | None
    median: float | None
    min: float | None
    max: float | None
    total: float | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class FollowUp(Result):
    """Follow-up of all patients [years], of survivors, and how complete it is to the horizon."""

    n: int
    median: float | None
    min: float | None
    max: float | None
    total: float | None
    survivors: Distribution
    reverse_kaplan_meier: Estimate
    completeness: Estimate


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class CohortInfo(Result):
    """Who was treated.

    `n_sites` and a distribution are None-valued where the file lacks the column; counts of a column that
    the file lacks are empty. `n_missing` counts, for each column that the file has, its empty cells.
    """

    n_patients: int
    n_sites: int | None
    age_years: Distribution
    edss_baseline: Distribution
    years_observed_before: Distribution
    follow_up: FollowUp
    site: dict[str, int]
    arm: dict[str, int]
    sex: dict[str, int]
    ms_course: dict[str, int]
    prior_therapy: dict[str, int]
    conditioning: dict[str, int]
    graft: dict[str, int]
    n_missing: dict[str, int]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class CurvePoint(Result):
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
    for it. It is not a dataclass, so that documents show its points. Where small counts are not shown it moves
    only where at least `joined_below` patients more had an event or were lost: the times are then ends of
    months.
    """

    joined_below: int | None = None

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

    @classmethod
    def empty(cls) -> Curve:
        """A curve without a time."""
        import numpy as np

        nothing, none = np.empty(0), np.empty(0, dtype=np.int64)
        return cls(
            years=nothing,
            n_at_risk=none,
            n_events=none,
            n_censored=none,
            estimate=nothing,
            limits=lambda: (nothing, nothing),
        )

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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class SurvivalEndpoint(Result):
    """A time-to-event endpoint at the horizon.

    `n_patients` are those on the curve, `n_unknown` those left out: a component is unknown, or the baseline EDSS
    that puts them at risk came no earlier than their event or the end of their observation. Of these
    `n_unknown_with_event` had another event, whenever it came. `n_late_events` are patients with an event
    after the end of their observation, whenever it came, and none before: they are censored. `n_events`,
    `events_by_type` and `n_censored` count times up to and including the landmark, `n_at_risk` those who
    reached it; the types are those of the catalogue, None for one that does not count here.
    `n_censored_died` are those of `n_censored` who had died by the landmark, None where the file knows no
    deaths; `n_not_followed` were lost before it, or came under observation only after it. `n_event_free` of
    `n_evaluable` is the crude count among patients who had the event by the landmark or were observed at it,
    `proportion` its exact interval. `survival` is Kaplan–Meier at the landmark;
    `survival_beta_product` the same with the beta-product limits, where those of the protocol's method are
    undefined or have no width; `incidence`, for each type that counts, is the cumulative incidence with the
    others competing.
    """

    label: str
    definition: str
    horizon_years: float
    n_patients: int | None
    n_unknown: int | None
    n_unknown_with_event: int | None
    n_late_events: int | None
    n_events: int | None
    events_by_type: dict[str, int | None]
    n_censored: int | None
    n_censored_died: int | None
    n_not_followed: int | None
    n_at_risk: int | None
    n_event_free: int | None
    n_evaluable: int | None
    proportion: Estimate
    survival: Estimate
    survival_beta_product: Estimate
    median_years: Estimate
    incidence: dict[str, Estimate]
    note: str | None
    curve: Curve


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class NedaYear(Result):
    """No evidence of disease activity by one landmark year.

    `lowest` and `highest` are the share if all who are not evaluable had, or had not, disease activity.
    """

    years: int
    definition: str
    n_yes: int | None
    n_no: int | None
    n_not_evaluable: int | None
    n_not_evaluable_died: int | None
    proportion: Estimate
    lowest: Estimate
    highest: Estimate
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class EventRate(Result):
    """Events over exposure on one side of time zero.

    `rate_negative_binomial` has a value where the dispersion is above 1.5. `scans_with_lesions` is the share
    of scans that show a lesion, for lesions after time zero alone.
    """

    n_patients: int | None
    n_unknown: int | None
    n_events: int | None
    exposure: float | None
    rate: Estimate
    rate_negative_binomial: Estimate
    dispersion: float | None
    scans_with_lesions: Estimate
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class EventRates(Result):
    """A rate before and after time zero, and after ÷ before over the patients known on both sides."""

    label: str
    definition: str
    before: EventRate
    after: EventRate
    ratio: Estimate
    ratio_negative_binomial: Estimate
    n_patients_in_ratio: int | None
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Disability(Result):
    """Patients by confirmed change of EDSS; `n_patients` are those with a known outcome.

    `unconfirmed` are those whose EDSS was worse at their last visit, which nothing can confirm.
    """

    label: str
    definition: str
    n_patients: int | None
    n_both: int | None
    n_neither: int | None
    n_unknown: int | None
    worsened: Estimate
    improved: Estimate
    unconfirmed: Estimate
    edss_baseline: Distribution
    edss_last: Distribution
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Mortality(Result):
    """Deaths of any cause and transplant-related ones, of patients followed that far or dead.

    The figures without `_lowest` and `_highest` are None where a cause is unknown that they depend on.
    """

    label: str
    definition: str
    all_cause_by_day_100: Estimate
    all_cause: Estimate
    incidence_by_day_100: Estimate
    transplant_related_by_day_100: Estimate
    transplant_related_by_day_100_lowest: Estimate
    transplant_related_by_day_100_highest: Estimate
    transplant_related: Estimate
    transplant_related_lowest: Estimate
    transplant_related_highest: Estimate
    n_cause_unknown: int | None
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Endpoints(Result):
    """All endpoints; each is always there, with None for figures that the file cannot give."""

    activity_free_survival: SurvivalEndpoint
    relapse_free_survival: SurvivalEndpoint
    mri_activity_free_survival: SurvivalEndpoint
    worsening_free_survival: SurvivalEndpoint
    overall_survival: SurvivalEndpoint
    neda3: tuple[NedaYear, ...]
    relapse_rate: EventRates
    lesions: EventRates
    disability: Disability
    mortality: Mortality


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class SetAside(Result):
    """Rows that were read and not used: the reason, how many, and the first lines on which they stand."""

    reason: str
    count: int
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class TableAccount(Result):
    """Where the rows of one table of a source went; `sheet` is None where a file holds one table."""

    file: str
    sheet: str | None
    rows_read: int
    rows_used: int
    set_aside: tuple[SetAside, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Account(Result):
    """Where the rows went: rows read = rows used + rows set aside.

    `missing` counts the cells by the text that stands for missing, other than empty ones. `tables` has one
    account per table where the data came through a map. Rows are None where they would tell a small count
    that is not shown.
    """

    rows_read: int | None
    rows_used: int | None
    set_aside: tuple[SetAside, ...]
    missing: dict[str, int] = field(default_factory=dict)
    tables: tuple[TableAccount, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Summary(Result):
    """The results of one cohort under one protocol."""

    schema_version: int
    tool: Tool
    source: SourceInfo
    protocol: ProtocolInfo
    cohort: CohortInfo
    endpoints: Endpoints
    account: Account
    notices: tuple[Notice, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per statistic, unrounded.

        Returns
        -------
        pandas.DataFrame
            ``endpoint`` is the key in `Endpoints`, or ``cohort``; ``statistic`` the way from there, as in the
            JSON document: ``survival``, ``after.rate``, ``year_3.proportion``, ``n_events``. ``group`` is
            empty. ``value``, ``ci_low``, ``ci_high`` and ``of`` are NaN where they are None, and ``n`` is NA.
        """
        return _frame(_rows("", self.cohort, self.endpoints))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class ProblemInfo(Result):
    """One thing that is wrong with a file; None for what has no place in a sheet, a line or a column.

    `line` is the first of its lines, `lines` are the first few, and `n_rows` is how many rows have it.
    """

    file: str
    sheet: str | None
    line: int | None
    lines: tuple[int, ...]
    n_rows: int
    patient: str | None
    column: str | None
    value: str | None
    rule: str
    fix: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Validation(Result):
    """What reading a file found: the first problems and their total, or the account of its rows."""

    schema_version: int
    tool: Tool
    file: str
    n_problems: int
    problems: tuple[ProblemInfo, ...]
    account: Account | None
    notices: tuple[Notice, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class HypothesisTest(Result):
    """A test: its statistic, degrees of freedom and p-value, and for two groups the permutation p-value.

    `note` says how the permutation p was found, or why a part is None.
    """

    statistic: float | None
    df: int | None
    p: float | None
    p_exact: float | None
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class SurvivalContrast(Result):
    """Two groups in one survival endpoint, level − reference or level ÷ reference.

    `survival_difference` is at the horizon, `risk_difference` that of the crude share with an event by it, with
    `p_exact` by Boschloo's test. `hazard_ratio` and its `hazard_ratio_p`, and `log_rank`, are over all follow-up.
    """

    survival_difference: Estimate
    risk_difference: Estimate
    p_exact: float | None
    hazard_ratio: Estimate
    hazard_ratio_p: float | None
    rmst_difference: Estimate
    log_rank: HypothesisTest
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class RateContrast(Result):
    """The rates of two groups after time zero, level ÷ reference."""

    ratio: Estimate
    ratio_negative_binomial: Estimate


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class ShareContrast(Result):
    """The shares of two groups, level − reference, with Boschloo's p-value."""

    risk_difference: Estimate
    p_exact: float | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class DisabilityContrast(Result):
    """Shares with a confirmed change of EDSS."""

    worsened: ShareContrast
    improved: ShareContrast


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class MortalityContrast(Result):
    """Shares of patients who died by day 100."""

    all_cause_by_day_100: ShareContrast


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class NedaContrast(Result):
    """Shares of evaluable patients without evidence of disease activity by one landmark year."""

    years: int
    risk_difference: Estimate
    p_exact: float | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class ContrastEndpoints(Result):
    """All that separates two groups."""

    activity_free_survival: SurvivalContrast
    relapse_free_survival: SurvivalContrast
    mri_activity_free_survival: SurvivalContrast
    worsening_free_survival: SurvivalContrast
    overall_survival: SurvivalContrast
    relapse_rate: RateContrast
    lesions: RateContrast
    disability: DisabilityContrast
    mortality: MortalityContrast
    neda3: tuple[NedaContrast, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Contrast(Result):
    """A group against the reference."""

    level: str
    reference: str
    endpoints: ContrastEndpoints


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class GroupFlow(Result):
    """What became of the patients of a group up to the horizon; each is in one of the last three.

    `n_transplanted` had a transplant, None where the data do not say who had one. `n_died` died by the
    horizon, None where the data know no deaths. `n_followed` were followed to it; of the other
    `n_ended_before` the follow-up ended before it, for whatever reason. All are None where small counts are
    not shown.
    """

    n_transplanted: int | None
    n_died: int | None
    n_followed: int | None
    n_ended_before: int | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Group(Result):
    """One group of patients."""

    level: str
    cohort: CohortInfo
    flow: GroupFlow
    endpoints: Endpoints


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class EndpointTests(Result):
    """Tests of one survival endpoint over all groups: of its curves, and of the incidence of each type."""

    log_rank: HypothesisTest
    gray: dict[str, HypothesisTest]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Grouping(Result):
    """How the groups were made.

    `n_not_selected` patients of the file were not asked for, and `n_without_level` of the others have no
    level and are in no group; None where too few to show.
    """

    column: str
    reference: str
    levels: tuple[str, ...]
    strata: str | None
    n_not_selected: int | None
    n_without_level: int | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Comparison(Result):
    """Groups side by side, and what separates each from the reference."""

    schema_version: int
    tool: Tool
    source: SourceInfo
    protocol: ProtocolInfo
    account: Account
    by: Grouping
    groups: tuple[Group, ...]
    contrasts: tuple[Contrast, ...]
    tests: dict[str, EndpointTests]
    notices: tuple[Notice, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per statistic of each group and contrast, as `Summary.to_frame`.

        ``group`` is the level of a group, and for a contrast its level, a minus sign and the reference.
        """
        rows: list[tuple[Any, ...]] = []
        for group in self.groups:
            rows += _rows(group.level, group.cohort, group.endpoints)
        for contrast in self.contrasts:
            rows += _rows(f"{contrast.level} − {contrast.reference}", None, contrast.endpoints)
        return _frame(rows)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class IncidenceGroup(Result):
    """First events by type in one group of patients.

    Attributes
    ----------
    level
        The group; None for all patients.
    endpoint
        The figures at the horizon, the incidence of each type among them, and the Kaplan–Meier curve.
    any_event
        1 − survival at the horizon, with its limits: what the incidences add up to.
    years
        The distinct times of events, ascending, shape (k,) [years].
    incidence
        For each type that counts, its cumulative incidence by those times, shape (k,), 0 to 1.
    """

    level: str | None
    endpoint: SurvivalEndpoint
    any_event: Estimate
    years: tuple[float, ...]
    incidence: dict[str, tuple[float, ...]]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class IncidenceCurves(Result):
    """Cumulative incidence of each type of first event, the others competing, of one group or of several.

    `by` is the attribute that makes the groups, None for all patients as one; `n_without_level` patients have
    no level of it and are in no group, None where they are too few to show.
    """

    source: SourceInfo
    protocol: ProtocolInfo
    n_patients: int
    key: str
    by: str | None
    n_without_level: int | None
    groups: tuple[IncidenceGroup, ...]


def _frame(rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    import pandas as pd

    names = ["endpoint", "group", "statistic", "value", "ci_low", "ci_high", "n", "of", "unit"]
    frame = pd.DataFrame(rows, columns=names)
    numbers = dict.fromkeys(["value", "ci_low", "ci_high", "of"], "float64")
    return frame.astype({**numbers, "n": "Int64"})


def _rows(
    group: str, cohort: CohortInfo | None, endpoints: Endpoints | ContrastEndpoints
) -> Iterator[tuple[Any, ...]]:
    parts: dict[str, Any] = {} if cohort is None else {"cohort": cohort}
    parts |= {each.name: getattr(endpoints, each.name) for each in fields(endpoints)}
    for key, part in parts.items():
        for path, found in _statistics(part, ""):
            if isinstance(found, Estimate):
                limits = (found.value, found.ci_low, found.ci_high)
                yield key, group, path, *limits, found.n, found.of, found.unit
            else:
                yield key, group, path, found, None, None, None, None, None


def _statistics(part: Any, path: str) -> Iterator[tuple[str, Estimate | float]]:
    """The estimates and the other numbers of a part of the results, each with the way to it."""
    if isinstance(part, Estimate | int | float):
        yield path, part
    elif isinstance(part, tuple):
        for year in part:
            yield from _statistics(year, f"year_{year.years}")
    elif isinstance(part, dict):
        for name, inner in part.items():
            yield from _statistics(inner, f"{path}.{name}")
    elif is_dataclass(part):
        for each in fields(part):
            if each.name not in _NO_STATISTICS:
                yield from _statistics(getattr(part, each.name), f"{path}.{each.name}".removeprefix("."))
