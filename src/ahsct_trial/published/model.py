"""What a publication is made of: figures, each with its mark and source, whom it took, its protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from ahsct_trial.catalogue import Topic
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.protocol import SETTINGS, Protocol, named_protocol
from ahsct_trial.published.paths import depends_on_horizon, is_count_of_an_endpoint, topic_of
from ahsct_trial.results import Tool
from ahsct_trial.wording import from_to

#: V read in the source's own text, S in a secondary source, D computed from V figures.
Mark = Literal["V", "S", "D"]
#: What is printed before the number, what after it; a count has neither.
Unit = Literal[
    "",
    "%",
    "% (prevalence)",
    "hazard ratio",
    "rate ratio",
    "mean",
    "median",
    "mean difference",
    "standardised mean difference",
    "per year",
    "per scan",
    "per 1,000 person-years",
    "years",
    "months",
    "days",
]
_BEFORE_THE_NUMBER = {
    "hazard ratio",
    "rate ratio",
    "mean",
    "median",
    "mean difference",
    "standardised mean difference",
}
#: How many of the printed unit make one of the program's, where that is not 1.
PRINT_FACTORS = {"%": 100, "months": 12}


def printed_figure(
    value: str, of: str | None, ci: tuple[str, str] | None, unit: str, beside: tuple[str, ...] = ()
) -> str:
    """A figure as papers print it, its limits and what else stands beside it in brackets."""
    text = f"{unit} {value}" if unit in _BEFORE_THE_NUMBER else f"{value} {unit}".strip()
    if of is not None:
        text = f"{text} of {of}"
    if ci is not None:
        beside = (from_to(*ci), *beside)
    return f"{text} ({'; '.join(beside)})" if beside else text


class Contrast(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The arms that a figure compares: `level` against `reference`, as the publication calls them."""

    level: str
    reference: str


class Figure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One published figure and the place of its counterpart in the program's results.

    Attributes
    ----------
    label
        What it is, in a few words.
    value
        The figure as printed, so that its precision is known: ``"69.6"``.
    of
        The denominator as printed, where the figure is a count of something.
    ci, se, spread, p
        What is printed beside it: the lower and upper limit, the standard error, a spread
        (``"SD 1.5"``, ``"range 6–85"``, ``"IQR 3.4–7.5"``), the p-value against the other arm.
    unit
        One of `Unit`; empty for a count.
    definition
        What the publication counts, in its own terms, as far as it was read.
    horizon_years
        The landmark, where the publication names one [years]; the counterpart is computed there.
    where
        The patients it counts, if not all: accepted texts by column of the patient table.
    contrast
        The arms that it compares, if it does.
    mark, source, read_in
        How it was read, the address where, and the part of that: ``"Abstract"``, ``"Table 1"``.
    figure, figure_of
        Path of the counterpart of `value` and of `of` in the results as JSON; without a `figure` the program
        computes no counterpart. The limits beside it are those of the `Estimate` that holds the number.
    is_complement
        Whether the counterpart is the rest of what stands at `figure`: a share or count with the event, where
        the results have that without it.
    is_headline
        Whether it is the publication's event-free figure, to be set beside those of others.
    about
        The topics of a figure without a path; with one they follow from it.
    differs
        Why a cohort's figure may differ from it, in words; said where one does.
    not_stated
        What was not read of it: how the event is defined, whether a death counts.
    disputed
        Whether sources disagree on what it counts.
    no_counterpart
        Why there is none among the program's results, for a figure without `figure`.
    """

    label: str
    value: str
    mark: Mark
    source: str
    definition: str
    of: str | None = None
    ci: tuple[str, str] | None = None
    se: str | None = None
    spread: str | None = None
    p: str | None = None
    unit: Unit = ""
    horizon_years: float | None = None
    where: dict[str, tuple[str, ...]] = {}
    contrast: Contrast | None = None
    read_in: str | None = None
    figure: str | None = None
    figure_of: str | None = None
    is_complement: bool = False
    is_headline: bool = False
    about: tuple[Topic, ...] = ()
    differs: str | None = None
    not_stated: tuple[Literal["definition", "death"], ...] = ()
    disputed: bool = False
    no_counterpart: str | None = None

    @property
    def topics(self) -> tuple[Topic, ...]:
        """What it is about: by its path, or as the publication's file says."""
        if self.figure is not None:
            return (topic_of(self.figure),)
        return self.about or ("other",)

    @property
    def printed(self) -> str:
        """The figure as it is printed: "16 of 23", "69.6 % (46.6–84.2)", "mean 2.36"."""
        beside = [] if self.se is None else [f"SE {self.se}"]
        if self.spread is not None:
            beside.append(self.spread)
        if self.p is not None:
            beside.append(f"p {self.p}" + ("" if self.contrast else " against the other arm"))
        return printed_figure(self.value, self.of, self.ci, self.unit, tuple(beside))

    @property
    def print_factor(self) -> int:
        """By what the program's figure is multiplied to be in the printed unit."""
        return PRINT_FACTORS.get(self.unit, 1)

    @property
    def is_bare_count(self) -> bool:
        """Whether it is a count that means nothing without what it is of, which was not read."""
        is_count = self.figure is not None and is_count_of_an_endpoint(self.figure)
        return is_count and self.of is None and float(self.value) != 0

    @property
    def is_size(self) -> bool:
        """Whether it is how many patients there are."""
        return self.figure == "cohort.n_patients"

    @property
    def is_at_horizon(self) -> bool:
        """Whether its counterpart depends on a horizon."""
        return self.figure is not None and depends_on_horizon(self.figure)


class Eligibility(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom a trial took: closed ranges of age [years] and EDSS, and the answer on earlier therapy."""

    age_years: tuple[float, float] | None = None
    edss_baseline: tuple[float, float] | None = None
    prior_therapy: Literal["yes", "no"] | None = None


class Publication(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One publication: what it is, the protocol behind its figures, whom it took, and the figures.

    Attributes
    ----------
    id, title, citation, year
        Short name, name, where it is published, and when.
    trial
        What two publications of one trial have in common, such as its registration; else None.
    n_patients, n_sites
        Size of the trial.
    ms_course
        The course of MS that it says it is about, where it is about one alone.
    uncertain
        What a reader must know before relying on its figures.
    protocol
        Settings that it states or that follow from its figures; the others are the program's default.
    inferred
        Those of `protocol` that it does not state and that its figures were found to follow.
    """

    id: str
    title: str
    citation: str
    figures: tuple[Figure, ...]
    trial: str | None = None
    year: int | None = None
    n_patients: int | None = None
    n_sites: int | None = None
    ms_course: tuple[Literal["RRMS", "SPMS", "PPMS"], ...] = ()
    uncertain: tuple[str, ...] = ()
    protocol: dict[str, float | str] = {}
    inferred: tuple[str, ...] = ()
    eligibility: Eligibility = Eligibility()

    def own_protocol(self, horizon_years: float | None = None) -> Protocol:
        """The protocol its figures were made with, as far as it says, at one of its horizons [years]."""
        horizon = {} if horizon_years is None else {"horizon_years": horizon_years}
        return named_protocol(self.id, self.protocol | horizon)

    @property
    def horizons(self) -> tuple[float, ...]:
        """The horizons that it states of what the program computes, in rising order [years]."""
        stated = {
            each.horizon_years for each in self.figures if each.figure and each.horizon_years is not None
        }
        if "horizon_years" in self.protocol and "horizon_years" not in self.inferred:
            stated.add(float(self.protocol["horizon_years"]))
        return tuple(sorted(stated))

    @property
    def stated(self) -> tuple[str, ...]:
        """The settings that it states itself."""
        given = {name for name in self.protocol if name not in self.inferred}
        return tuple(
            name for name in SETTINGS if name in given or (name == "horizon_years" and self.horizons)
        )

    @property
    def by_default(self) -> tuple[str, ...]:
        """The settings that it neither states nor was found to follow: the program's default."""
        return tuple(name for name in SETTINGS if name not in {*self.stated, *self.inferred})

    @property
    def headline(self) -> Figure | None:
        """Its event-free figure, if it has one."""
        return next((figure for figure in self.figures if figure.is_headline), None)

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that its figures tell apart."""
        named: list[str] = []
        for figure in self.figures:
            named += figure.where.get("arm", ())
            if figure.contrast is not None:
                named += (figure.contrast.level, figure.contrast.reference)
        return tuple(dict.fromkeys(named))

    def with_arms(self, cohort_arms: Mapping[str, str]) -> Publication:
        """Name its arms as a cohort does: the cohort's text by the publication's.

        Raises
        ------
        UsageError
            If it has no such arm; the text names those it has.
        """
        for arm in cohort_arms:
            if arm not in self.arms:
                known = f"Its arms are {', '.join(self.arms)}." if self.arms else "It tells no arms apart."
                raise UsageError(f"{self.id} has no arm '{shown(arm)}'. {known}")

        def named(arm: str) -> str:
            return cohort_arms.get(arm, arm)

        def renamed(figure: Figure) -> Figure:
            where, contrast = figure.where, figure.contrast
            if "arm" in where:
                where = where | {"arm": tuple(map(named, where["arm"]))}
            if contrast is not None:
                contrast = Contrast(level=named(contrast.level), reference=named(contrast.reference))
            return msgspec.structs.replace(figure, where=where, contrast=contrast)

        return msgspec.structs.replace(self, figures=tuple(map(renamed, self.figures)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """All publications that come with the program."""

    schema_version: int
    tool: Tool
    publications: tuple[Publication, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One publication of the library, with every setting of its protocol."""

    schema_version: int
    tool: Tool
    publication: Publication
    protocol: Protocol
