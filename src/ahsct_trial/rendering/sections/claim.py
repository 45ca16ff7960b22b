"""What `ahsct claim` shows: a sentence, then the evidence with its addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ahsct_trial.escaping import shown
from ahsct_trial.rendering.sections import Section, prose
from ahsct_trial.rendering.sections.reconcile import reconcile_sections
from ahsct_trial.wording import in_years

if TYPE_CHECKING:
    from ahsct_trial.claiming import ClaimAnswer, Found, PublishedFigure, Related

_MOST_SHOWN = 6
_MARKS = {
    "V": "read in the source's own text, or in its abstract where that is quoted",
    "S": "read in a secondary source alone",
    "D": "computed by this program from what the source prints, not printed there",
}
_RELATIONS = {
    "agrees": "agrees",
    "counts otherwise": "counts otherwise",
    "contradicts": "contradicts it",
}
_HOW_TO_READ = Section(
    "How to read this",
    lead=(
        "Printed: the figure stands so in what was read. Same share: counts that give it, or the "
        "percentage of such counts. Rounded: a longer figure that rounds to it. Contradicts: another "
        "figure for the same endpoint of the same patients that is not the same number.",
        "Only the publications known here are searched, see `ahsct published`; their full texts were "
        "not at hand.",
    ),
)


def claim_sections(answer: ClaimAnswer) -> list[Section]:
    """The answer first, then each figure with what else its trial prints, then what gives such a figure."""
    shown_here, others = answer.published[:_MOST_SHOWN], answer.published[_MOST_SHOWN:]
    return [
        Section(f"Claim: {shown(answer.claim.text)}", lead=(prose(answer.sentence),)),
        *(_found(each) for each in shown_here),
        *_nearest(answer),
        *_others(others),
        *_arithmetic(answer),
        *([] if answer.impossible else [_HOW_TO_READ]),
    ]


def _found(found: Found) -> Section:
    figure = found.figure
    reasons = dict.fromkeys(each.why for each in found.related if each.why)
    return Section(
        f"{shown(figure.publication)}: {shown(figure.label)}",
        lead=(
            f"{figure.printed}, {found.match}. Mark {figure.mark}: {_MARKS[figure.mark]}.",
            f"What it counts: {prose(figure.definition).removesuffix('.')}.{_scope(figure)}",
            *_unclear(found),
            f"Read in: {_source(figure)}",
        ),
        headings=("The same trial also has", "Figure", "Mark", "Which") if found.related else (),
        rows=tuple(_related_row(each) for each in found.related),
        texts=frozenset({0, 2, 3}),
        notes=(
            *map(prose, reasons),
            *_unexplained(found),
            *dict.fromkeys(
                f"{shown(each.figure.publication)}: {_source(each.figure)}" for each in found.related
            ),
        ),
    )


def _unclear(found: Found) -> Iterable[str]:
    """Why it is not clear what a figure counts; where others of its trial stand below, they show it."""
    if not found.figure.disputed:
        return ()
    return ("Sources disagree on what it counts.",) if found.related else map(prose, found.uncertain)


def _related_row(related: Related) -> tuple[str, ...]:
    figure = related.figure
    return (
        f"{shown(figure.label)} ({shown(figure.publication)})",
        figure.printed,
        figure.mark,
        _RELATIONS[related.relation],
    )


def _unexplained(found: Found) -> Iterator[str]:
    if any(each.why is None for each in found.contradicted_by):
        yield "No source read here says why they differ."


def _scope(figure: PublishedFigure) -> str:
    """The patients that it counts, if not all, and when."""
    texts = [f" Patients: {column} {shown(' or '.join(those))}." for column, those in figure.where.items()]
    if figure.horizon_years is not None:
        texts.append(f" At {in_years(figure.horizon_years)}.")
    return "".join(texts)


def _source(figure: PublishedFigure) -> str:
    part = f"{prose(figure.read_in)}, " if figure.read_in else ""
    return f"{part}{prose(figure.source)}"


def _nearest(answer: ClaimAnswer) -> Iterator[Section]:
    if answer.nearest:
        yield Section(
            "Nearest",
            headings=("Publication", "Figure", "Published", "Mark"),
            rows=tuple(
                (shown(each.publication), shown(each.label), each.printed, each.mark)
                for each in answer.nearest
            ),
            texts=frozenset({0, 1, 3}),
            notes=tuple(dict.fromkeys(_source(each) for each in answer.nearest)),
        )


def _others(others: tuple[Found, ...]) -> Iterator[Section]:
    if others:
        yield Section(
            "Also",
            headings=("Publication", "Figure", "Published", "Mark"),
            rows=tuple(
                (
                    shown(each.figure.publication),
                    shown(each.figure.label),
                    each.figure.printed,
                    each.figure.mark,
                )
                for each in others
            ),
            texts=frozenset({0, 1, 3}),
        )


def _arithmetic(answer: ClaimAnswer) -> Iterator[Section]:
    """What gives such a figure, without the words on how it was searched."""
    if answer.arithmetic is not None:
        *sections, _ = reconcile_sections(answer.arithmetic)
        yield from sections
