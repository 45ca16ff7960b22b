"""Published results as data: one TOML file per publication, each figure with its mark and its source."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from ahsct_trial.errors import UsageError
from ahsct_trial.protocol import Protocol, named_protocol

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
    figure, figure_of
        Path of the counterpart of `value` and of `of` in the JSON document.
    interval
        Path of what holds the counterpart's ``ci_low`` and ``ci_high``, an interval of `value`, or of
        `value` ÷ `of` where there is an `of`.
    definition
        What the publication counts, in its own terms.
    horizon_years
        The landmark, where there is one [years]; at another one there is nothing to compare.
    mark, source
        How it was read, and where.
    """

    label: str
    value: str
    figure: str
    mark: Mark
    source: str
    definition: str
    of: str | None = None
    figure_of: str | None = None
    ci: tuple[str, str] | None = None
    unit: Literal["", "%"] = ""
    interval: str | None = None
    horizon_years: float | None = None


class Eligibility(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom a trial took: closed ranges of age [years] and EDSS, and the answer on earlier therapy."""

    age_years: tuple[float, float] | None = None
    edss_baseline: tuple[float, float] | None = None
    prior_therapy: Literal["yes", "no"] | None = None


class Publication(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One publication: what it is, the protocol behind its figures, whom it took, and the figures.

    Attributes
    ----------
    id, title, citation
        Short name, name, and where it is published.
    n_patients, n_sites
        Size of the trial.
    uncertain
        What a reader must know before relying on its figures.
    protocol
        Settings that differ from the default protocol.
    """

    id: str
    title: str
    citation: str
    figures: tuple[Figure, ...]
    n_patients: int | None = None
    n_sites: int | None = None
    uncertain: tuple[str, ...] = ()
    protocol: dict[str, float | str] = {}
    eligibility: Eligibility = Eligibility()

    def own_protocol(self) -> Protocol:
        """The protocol that its figures were made with, as far as it says."""
        return named_protocol(self.id, dict(self.protocol))


@cache
def publications() -> dict[str, Publication]:
    """All publications that come with the program, by id."""
    texts = (file.read_bytes() for file in files(__name__).iterdir() if file.name.endswith(".toml"))
    known = (msgspec.toml.decode(text, type=Publication) for text in texts)
    return {publication.id: publication for publication in sorted(known, key=lambda known: known.id)}


def publication(name: str) -> Publication:
    """Find one publication by its id.

    Raises
    ------
    UsageError
        If there is none of that id; the text names those there are.
    """
    known = publications()
    if name not in known:
        raise UsageError(f"There is no publication {name!r} here. Known: {', '.join(known)}.")
    return known[name]
