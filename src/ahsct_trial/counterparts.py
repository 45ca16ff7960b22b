"""A cohort's counterparts of published figures: the same figure, of such patients, at that horizon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.cohort import Cohort
from ahsct_trial.derivation import as_cohort
from ahsct_trial.endpoints import summarize
from ahsct_trial.endpoints.intervals import proportion
from ahsct_trial.escaping import shown
from ahsct_trial.protocol import RECORDS_ONLY, Protocol, Settings
from ahsct_trial.published import Figure, Publication
from ahsct_trial.published.paths import (
    AT_HORIZON,
    counts_patients,
    denominator_of,
    interval_of,
    is_proportion,
)
from ahsct_trial.records import Records
from ahsct_trial.results import NedaYear, Summary, SurvivalEndpoint

Where = Mapping[str, tuple[str, ...]]

_EVERYBODY: Where = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Counterpart:
    """A cohort's own figure, unrounded; `absent` says why there is none.

    `n_patients` are the patients that the figure is about, `share_of` what a percentage is of: patients with
    a known outcome or whom one can judge, or scans. `n_event_free` of `n_evaluable` is the crude count beside
    a survival estimate. `notes` are what must be said of it.
    """

    value: float | None = None
    of: float | None = None
    n_patients: int | None = None
    share_of: int | None = None
    n_event_free: int | None = None
    n_evaluable: int | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    ci_method: str | None = None
    notes: tuple[str, ...] = ()
    absent: str | None = None


def unchanged(protocol: Protocol) -> Protocol:
    """Leave a publication's protocol as it is."""
    return protocol


class CohortResults:
    """A cohort's summaries under any protocol and of any of its patients, each computed once."""

    def __init__(self, data: Cohort | Records) -> None:
        self._data = data
        self._cohorts: dict[object, Cohort] = {}
        self._summaries: dict[object, Summary] = {}

    def cohort(self, protocol: Protocol, where: Where = _EVERYBODY) -> Cohort:
        """The patients whose columns hold one of the texts; derived once for each way to derive them."""
        derived_by = tuple(getattr(protocol, setting) for setting in RECORDS_ONLY)
        if derived_by not in self._cohorts:
            self._cohorts[derived_by] = as_cohort(self._data, protocol)
        everybody = self._cohorts[derived_by]
        return everybody.among(_is_meant(everybody, where)) if where else everybody

    def summary(self, protocol: Protocol, where: Where = _EVERYBODY) -> Summary:
        """The results of those patients; the name of the protocol is left out."""
        nameless = replace(protocol, name="")
        key = (nameless, tuple(sorted(where.items())))
        if key not in self._summaries:
            self._summaries[key] = summarize(self.cohort(protocol, where), nameless)
        return self._summaries[key]

    def counterpart(self, figure: Figure, protocol: Protocol) -> Counterpart:
        """The counterpart of a published figure under a protocol, whose horizon must be the figure's."""
        if figure.figure is None:
            return Counterpart(absent=figure.no_counterpart or "No counterpart: see its definition.")
        if figure.horizon_years not in {None, protocol.horizon_years}:
            return Counterpart(
                absent=f"The published horizon is year {figure.horizon_years:g}, the protocol's is year "
                f"{protocol.horizon_years:g}."
            )
        absent = _why_nobody(self.cohort(protocol), figure.where)
        if absent is not None:
            return Counterpart(absent=absent)
        own = found_in(self.summary(protocol, figure.where), figure)
        if figure.is_bare_count and own.absent is None:
            return Counterpart(
                absent=f"No denominator of the published count was read; here it is {own.value:,} among "
                f"{own.n_patients:,} patients."
            )
        return own


def figure_protocol(publication: Publication, figure: Figure, settings: Settings) -> Protocol:
    """The publication's protocol at the figure's horizon, as far as the user leaves it so."""
    return settings(publication.own_protocol(figure.horizon_years))


def found_in(summary: Summary, figure: Figure) -> Counterpart:
    """What stands in a summary at the figure's paths, with the interval of exactly that."""
    path = figure.figure or ""
    value = _at(summary, path)
    if value is None or _knows_failures_alone(summary, path):
        return Counterpart(absent=_why_absent(summary, path))
    of = None
    if figure.figure_of is not None:
        of = _at(summary, figure.figure_of)
        if of is None:
            return Counterpart(absent=_why_absent(summary, figure.figure_of))
    interval = _interval(summary, figure, value, of)
    low, high = getattr(interval, "ci_low", None), getattr(interval, "ci_high", None)
    if figure.is_complement:
        value, low, high = _complement(value), _complement(high), _complement(low)
    holder = _at(summary, path.rpartition(".")[0])
    estimated = holder if isinstance(holder, SurvivalEndpoint) else None
    judged = _judged(summary, figure)
    return Counterpart(
        value=value,
        of=of,
        n_patients=summary.cohort.n_patients,
        share_of=_share_of(summary, path, judged) if is_proportion(path) else None,
        n_event_free=getattr(estimated, "n_event_free", None),
        n_evaluable=getattr(estimated, "n_evaluable", None),
        ci_low=low,
        ci_high=high,
        ci_method=getattr(interval, "ci_method", None),
        notes=tuple(_notes(estimated, judged, path, summary)),
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """A crude count at a landmark: free of the event, evaluable, and whom nobody can judge."""

    n_free: int
    n_evaluable: int
    n_not_evaluable: int


def _judged(summary: Summary, figure: Figure) -> _Judged | None:
    """The crude count that a figure is part of; None for an estimate or any other figure."""
    path = figure.figure or ""
    place, _, name = path.removesuffix(".proportion.value").rpartition(".")
    found = _at(summary, f"{place}.{name}" if path.endswith(".proportion.value") else place)
    if isinstance(found, NedaYear):
        n_yes, n_no, n_not = found.n_yes, found.n_no, found.n_not_evaluable
        return None if n_yes is None or n_no is None or n_not is None else _Judged(n_yes, n_yes + n_no, n_not)
    is_crude = path.endswith((".proportion.value", ".n_event_free"))
    is_of_evaluable = (figure.figure_of or "").endswith(".n_evaluable")
    if isinstance(found, SurvivalEndpoint) and (is_crude or is_of_evaluable):
        n_free, n_evaluable = found.n_event_free, found.n_evaluable
        if n_free is None or n_evaluable is None:
            return None
        n_all = (found.n_patients or 0) + (found.n_unknown or 0)
        return _Judged(n_free, n_evaluable, n_all - n_evaluable)
    return None


def _share_of(summary: Summary, path: str, judged: _Judged | None) -> int | None:
    """What a percentage is of."""
    if judged is not None:
        return judged.n_evaluable
    of = denominator_of(path)
    found = None if of is None else _at(summary, of)
    return found if isinstance(found, int) else None


def _notes(
    estimated: SurvivalEndpoint | None, judged: _Judged | None, path: str, summary: Summary
) -> Iterator[str]:
    if estimated is not None and estimated.is_exact and path.endswith(".estimate"):
        yield (
            f"At {100 * (estimated.estimate or 0):.0f} % the exact interval (Clopper–Pearson) of "
            f"{estimated.n_event_free:,} of {estimated.n_evaluable:,} stands in."
        )
    if judged is not None and judged.n_not_evaluable:
        n_all = judged.n_evaluable + judged.n_not_evaluable
        yield (
            f"{judged.n_evaluable:,} of {n_all:,} evaluable; {judged.n_not_evaluable:,} not followed to year "
            f"{summary.protocol.horizon_years:g} without failing: a patient who fails counts however short "
            "the follow-up, so the share free of it tends to be too low."
        )


def _interval(summary: Summary, figure: Figure, value: Any, of: Any) -> Any:
    """What holds the limits of a figure; where nothing does, the exact ones of two counts of patients."""
    path = figure.figure or ""
    place = interval_of(path, figure.figure_of)
    if place is not None:
        found = _at(summary, place)
        return found.interval if isinstance(found, SurvivalEndpoint) else found
    if counts_patients(path, figure.figure_of) and value <= of:
        return proportion(value, of, summary.protocol.confidence_level)
    return None


def _at(summary: Summary, path: str) -> Any:
    found: Any = summary
    for name in path.split("."):
        found = _part(found, name, summary.protocol.horizon_years)
    return found


def _part(found: Any, name: str, horizon_years: float) -> Any:
    if name == AT_HORIZON:
        return next((row for row in found if row.years == horizon_years), None)
    return getattr(found, name, None)


def _knows_failures_alone(summary: Summary, path: str) -> bool:
    """Whether nobody was followed to the horizon, so that a crude share would be that of the failures."""
    holders: list[Any] = [_at(summary, ".".join(path.split(".")[:n])) for n in (2, 3)]
    return any(
        (isinstance(each, SurvivalEndpoint) and each.estimate is None)
        or (isinstance(each, NedaYear) and each.note is not None)
        for each in holders
    )


def _complement(share: float | None) -> float | None:
    # In decimals: a share that reads 0.9875 leaves 0.0125, and not a little less.
    return None if share is None else float(1 - Decimal(repr(share)))


def _why_absent(summary: Summary, path: str) -> str:
    """The note nearest to an empty place."""
    found: Any = summary
    note = "Not in this file."
    for name in path.split("."):
        found = _part(found, name, summary.protocol.horizon_years)
        if found is None and name == AT_HORIZON:
            return f"Judged at whole years, and not at {summary.protocol.horizon_years:g}."
        note = getattr(found, "note", None) or note
    return note


def _is_meant(cohort: Cohort, where: Where) -> NDArray[np.bool_]:
    is_meant = np.ones(len(cohort), dtype=bool)
    for column, texts in where.items():
        accepted = {text.casefold() for text in texts}
        values = cohort.patients[column]
        own = [text for text in values.cat.categories if str(text).casefold() in accepted]
        is_meant &= values.isin(own).to_numpy()
    return is_meant


def _why_nobody(cohort: Cohort, where: Where) -> str | None:
    """Why a cohort has no patients of a kind; None if it has."""
    missing = cohort.lacking(*where)
    if missing:
        return f"Not in this file: {', '.join(missing)}, which tells the patients apart."
    if not where or _is_meant(cohort, where).any():
        return None
    wanted = " and ".join(f"{column} {shown(' or '.join(texts))}" for column, texts in where.items())
    own = cohort.patients["arm"].dropna().unique().tolist() if "arm" in where else []
    remedy = (
        f" This file's arms are {shown(', '.join(sorted(own)), longest=200)}: say which is meant with "
        f"--arm {shown(where['arm'][0])}=…"
        if own
        else ""
    )
    return f"No patient with {wanted}.{remedy}"
