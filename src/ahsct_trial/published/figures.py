"""What a publication is made of: figures, each with its mark and source, whom it took, its protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.protocol import SETTINGS, Protocol, named_protocol
from ahsct_trial.published.paths import is_count_of_an_endpoint
from ahsct_trial.results import Tool

#: V read in the source's own text, S in a secondary source, D computed from V figures.
Mark = Literal["V", "S", "D"]


class Figure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One published figure and the place of its counterpart in a `Summary`.

    Attributes
    ----------
    label
        What it is, in a few words.
    value
        The figure as printed, so that its precision is known: ``"69.6"``.
    of
        The denominator as printed, where the figure is a count of something.
    ci
        Lower and upper limit as printed.
    unit
        ``"%"`` where the figure is a percentage, else empty.
    definition
        What the publication counts, in its own terms, as far as it was read.
    horizon_years
        The landmark, where the publication names one [years]; the counterpart is computed there.
    where
        The patients it counts, if not all: accepted texts by column of the patient table.
    mark, source
        How it was read, and where.
    figure, figure_of
        Path of the counterpart of `value` and of `of` in the JSON document of `summarize`; without a
        `figure` the program computes no counterpart.
    interval
        Path of what holds the counterpart's ``ci_low`` and ``ci_high``. It follows from `figure` and
        `figure_of` and no other is accepted; of two counts of patients the exact one is computed.
    is_complement
        Whether the counterpart is 1 less what stands at `figure`: a share with the event, where the document
        has the share without it.
    is_headline
        Whether it is the publication's event-free figure, to be set beside those of others.
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
    unit: Literal["", "%"] = ""
    horizon_years: float | None = None
    where: dict[str, tuple[str, ...]] = {}
    figure: str | None = None
    figure_of: str | None = None
    interval: str | None = None
    is_complement: bool = False
    is_headline: bool = False
    differs: str | None = None
    not_stated: tuple[Literal["definition", "death"], ...] = ()
    disputed: bool = False
    no_counterpart: str | None = None

    @property
    def is_bare_count(self) -> bool:
        """Whether it is a count that means nothing without what it is of, which was not read."""
        is_count = self.figure is not None and is_count_of_an_endpoint(self.figure)
        return is_count and self.of is None and float(self.value) != 0

    @property
    def is_at_horizon(self) -> bool:
        """Whether its counterpart depends on a horizon."""
        return any(part in (self.figure or "") for part in ("_survival.", ".neda3."))


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
    n_patients, n_sites
        Size of the trial.
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
    year: int | None = None
    n_patients: int | None = None
    n_sites: int | None = None
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
        own = {each.horizon_years for each in self.figures if each.figure and each.horizon_years is not None}
        if "horizon_years" in self.protocol and "horizon_years" not in self.inferred:
            own.add(float(self.protocol["horizon_years"]))
        return tuple(sorted(own))

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
        named = (arm for figure in self.figures for arm in figure.where.get("arm", ()))
        return tuple(dict.fromkeys(named))

    def with_arms(self, own_arms: Mapping[str, str]) -> Publication:
        """Name its arms as a cohort does: the cohort's text by the publication's.

        Raises
        ------
        UsageError
            If it has no such arm; the text names those it has.
        """
        for arm in own_arms:
            if arm not in self.arms:
                known = f"Its arms are {', '.join(self.arms)}." if self.arms else "It tells no arms apart."
                raise UsageError(f"{self.id} has no arm {shown(arm)!r}. {known}")

        def renamed(figure: Figure) -> Figure:
            if "arm" not in figure.where:
                return figure
            arms = tuple(own_arms.get(arm, arm) for arm in figure.where["arm"])
            return msgspec.structs.replace(figure, where=figure.where | {"arm": arms})

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
