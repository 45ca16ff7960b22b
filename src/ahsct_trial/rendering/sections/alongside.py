"""What `ahsct check --against all` shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ahsct_trial.escaping import shown
from ahsct_trial.rendering import formats as fmt
from ahsct_trial.rendering.sections import (
    Section,
    file_section,
    protocol_sentence,
    published_figure,
    shared_notes,
    warnings_section,
)
from ahsct_trial.wording import in_years

if TYPE_CHECKING:
    from ahsct_trial.comparing import ComparedFigure, Comparison


_NOT_STATED = " not stated"


def comparison_sections(comparison: Comparison) -> list[Section]:
    """The cohort's event-free figure beside every publication's, and how to read the table."""
    own = comparison.headline
    return [
        Section(
            "Event-free figures beside the published ones",
            lead=(_own_headline(comparison),),
            headings=("Event-free figure", "Published", "This\ncohort", "n", "CI", "Set apart by"),
            rows=tuple(_row(each) for each in comparison.figures),
            texts=frozenset({0, 5}),
        ),
        *_notes(comparison),
        Section(
            "How to read this",
            lead=(
                'Sorted by the published figure. "This cohort" is computed each time as that publication\'s '
                "own figure: its endpoint, horizon, death rule and confidence level, of the patients it "
                "counts; n is what its percentage is of, in a survival estimate all patients whose "
                "outcome is known. Nothing is judged here; `--against ID` does, figure by figure.",
                '"Set apart by" says in what the published figure is another one than this cohort\'s own '
                f"{own.label} at {in_years(own.horizon_years)}: figures that are set apart cannot be "
                "compared as they stand. Words of a definition may differ even where nothing is named: see "
                "`ahsct published ID`.",
                *_without_headline(comparison),
                protocol_sentence(comparison.protocol),
            ),
        ),
        *warnings_section(comparison.warnings),
        file_section(comparison.source),
    ]


def _own_headline(comparison: Comparison) -> str:
    own = comparison.headline
    confidence = fmt.level(comparison.protocol.confidence_level)
    what = f"{shown(comparison.source.file)}: {own.label} at {in_years(own.horizon_years)}"
    if own.estimate is None:
        counted = "" if own.n_event_free is None else f"{fmt.fraction(own.n_event_free, own.n_evaluable)}. "
        return f"{what}: {counted}{own.note or 'not computable'}"
    limits = fmt.percent_range(own.ci_low, own.ci_high)
    return (
        f"{what} is {fmt.percent(own.estimate)} ({confidence} CI {limits}); event-free "
        f"{fmt.fraction(own.n_event_free, own.n_evaluable)}."
    )


def _row(figure: ComparedFigure) -> tuple[str, ...]:
    return (
        f"{figure.publication} – {shown(figure.label)}",
        published_figure(figure.published, figure.published_of, figure.published_ci, figure.unit),
        fmt.own_figure(figure.value, figure.of, figure.unit),
        "" if figure.share_of is None else fmt.count(figure.share_of),
        fmt.percent_range(figure.ci_low, figure.ci_high),
        _set_apart_by(figure.differs_in) or fmt.NOTHING,
    )


def _set_apart_by(reasons: tuple[str, ...]) -> str:
    """What sets a figure apart, and last what was not stated; on short lines, to leave the ids room."""
    unsaid = [each.removesuffix(_NOT_STATED) for each in reasons if each.endswith(_NOT_STATED)]
    parts = [each.replace(" disputed", "\ndisputed") for each in reasons if not each.endswith(_NOT_STATED)]
    said = ["not stated:\n" + ",\n".join(unsaid)] if unsaid else []
    return ";\n".join([",\n".join(parts), *said] if parts else said)


def _notes(comparison: Comparison) -> Iterator[Section]:
    sentences = shared_notes(((each.publication, each.note) for each in comparison.figures), between=", ")
    if sentences:
        yield Section("About some figures", lead=sentences)


def _without_headline(comparison: Comparison) -> Iterator[str]:
    if comparison.without_headline:
        yield f"Without an event-free figure: {', '.join(comparison.without_headline)}."
