"""What `ahsct published` shows: the library, and one publication."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ahsct_trial.escaping import shown
from ahsct_trial.published import printed_figure
from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.sections import (
    Section,
    prose,
    protocol_sentence,
    settings_by_origin,
)
from ahsct_trial.wording import in_years

if TYPE_CHECKING:
    from ahsct_trial.published import Entry, Figure, Library, Publication

_MARKS = {
    "V": "read in the source's own text, or in its abstract where that is quoted",
    "S": "read in a secondary source",
    "D": "computed from figures marked V",
}


def library_sections(library: Library) -> list[Section]:
    """All publications, one line each."""
    n_figures = sum(len(each.figures) for each in library.publications)
    return [
        Section(
            "Publications known here",
            lead=(f"{len(library.publications)} publications, {n_figures} figures.",),
            headings=("Publication", "Patients", "Headline", "Published"),
            rows=tuple(_library_row(each) for each in library.publications),
            texts=frozenset({0, 2}),
        ),
        Section(
            "Next steps",
            lead=(
                "`ahsct published ID` shows one with its figures, their definitions, and what is uncertain.",
                "`ahsct check COHORT --against ID` compares a cohort with it; `--against all` with all.",
                "Only figures with a source are here; a horizon or definition that was not read is said to "
                "be missing.",
            ),
        ),
    ]


def _library_row(publication: Publication) -> tuple[str, ...]:
    headline = publication.headline
    return (
        f"{publication.id} – {publication.title}",
        fmt.count(publication.n_patients),
        fmt.NOTHING if headline is None else _headline(headline),
        fmt.NOTHING
        if headline is None
        else printed_figure(headline.value, headline.of, headline.ci, headline.unit),
    )


def _headline(figure: Figure) -> str:
    """What the figure is; its horizon is part of its label, unless none is stated."""
    return shown(figure.label) + ("" if figure.horizon_years else ", horizon not stated")


def entry_sections(entry: Entry) -> list[Section]:
    """One publication: its figures as printed, what each counts, where it was read, and what is uncertain."""
    publication = entry.publication
    return [
        Section(
            shown(publication.id),
            lead=(
                f"{prose(publication.title)}.",
                f"{prose(publication.citation)}.",
                f"{fmt.count(publication.n_patients)} patients"
                + ("." if publication.n_sites is None else f", {publication.n_sites:,} sites."),
            ),
            headings=("Figure", "Published", "Horizon", "Mark"),
            rows=tuple(
                (shown(each.label), each.printed, _horizon(each), each.mark) for each in publication.figures
            ),
            texts=frozenset({0, 2, 3}),
        ),
        Section(
            "What each counts",
            lead=tuple(_labelled((each.definition, each.label) for each in publication.figures)),
        ),
        *_without_counterpart(publication),
        *_uncertain(publication),
        Section("Where it was read", lead=tuple(_sources(publication))),
        Section(
            "Its protocol",
            lead=(
                protocol_sentence(entry.protocol),
                f"Its settings: {_origins(entry)}.",
            ),
        ),
        *_eligibility(publication),
    ]


def _origins(entry: Entry) -> str:
    publication = entry.publication
    return settings_by_origin(
        entry.protocol,
        horizons=publication.horizons,
        stated=publication.stated,
        inferred=publication.inferred,
    )


def _horizon(figure: Figure) -> str:
    if figure.horizon_years is not None:
        return in_years(figure.horizon_years)
    return "not stated" if figure.is_at_horizon else fmt.NOTHING


def _without_counterpart(publication: Publication) -> Iterator[Section]:
    reasons = [(each.no_counterpart or "", each.label) for each in publication.figures if each.figure is None]
    if reasons:
        yield Section("Not among the program's own results", lead=tuple(_labelled(reasons)))


def _labelled(texts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Texts, each after the labels of the figures that have it."""
    labels: dict[str, list[str]] = {}
    for text, label in texts:
        labels.setdefault(text, []).append(shown(label))
    for text, those in labels.items():
        yield f"{'; '.join(those)}: {prose(text).removesuffix('.')}."


def _uncertain(publication: Publication) -> Iterator[Section]:
    if publication.uncertain:
        yield Section("What is uncertain", lead=tuple(prose(sentence) for sentence in publication.uncertain))


def _sources(publication: Publication) -> Iterator[str]:
    for mark, words in _MARKS.items():
        sources = dict.fromkeys(
            f"{prose(each.source)}" + (f" ({prose(each.read_in)})" if each.read_in else "")
            for each in publication.figures
            if each.mark == mark
        )
        if sources:
            yield f"{mark}, {words}: {'; '.join(sources)}"


def _eligibility(publication: Publication) -> Iterator[Section]:
    rules = publication.eligibility
    rows = []
    if rules.age_years is not None:
        rows.append(("Age (years)", "{:g} to {:g}".format(*rules.age_years)))
    if rules.edss_baseline is not None:
        rows.append(("EDSS at baseline", "{:.1f} to {:.1f}".format(*rules.edss_baseline)))
    if rules.prior_therapy is not None:
        rows.append(("Earlier therapy failed", rules.prior_therapy))
    if rows:
        yield Section("Whom it took", rows=tuple(rows))
