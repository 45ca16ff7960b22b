"""What `ahsct check --against all` shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ahsct_trial.escaping import shown
from ahsct_trial.published import printed_figure
from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.sections import (
    Section,
    cohort_figure,
    file_section,
    look_first,
    notes,
    protocol_sentence,
    provenance,
    public,
    shared_notes,
    source_name,
    survival_shown,
)
from ahsct_trial.wording import in_years

if TYPE_CHECKING:
    from ahsct_trial.checking import Alongside
    from ahsct_trial.checking.against_all import AlongsideFigure


_NOT_STATED = " not stated"


def alongside_sections(comparison: Alongside) -> list[Section]:
    """The cohort's event-free figure beside every publication's, and how to read the table."""
    headline = comparison.headline
    notices = public(comparison.notices)
    return [
        *provenance(comparison.source),
        *look_first(notices),
        Section(
            "Event-free figures beside the published ones",
            lead=(_cohort_headline(comparison),),
            headings=("Event-free figure", "Published", "This\ncohort", "n", "CI", "Set apart by"),
            rows=tuple(_row(each) for each in comparison.figures),
            texts=frozenset({0, 5}),
        ),
        *_about(comparison),
        Section(
            "How to read this",
            lead=(
                'Sorted by the published figure. "This cohort" is computed each time as that publication\'s '
                "own figure: its endpoint, horizon, death rule and confidence level, of the patients it "
                "counts; n is what its percentage is of, in a survival estimate all patients whose "
                "outcome is known. Nothing is judged here; `--against ID` judges, figure by figure.",
                '"Set apart by" says how the published figure differs in kind from this cohort\'s own '
                f"{headline.label} at {in_years(headline.horizon_years)}: figures that are set apart cannot be "
                "compared as they stand. Words of a definition may differ even where nothing is named: see "
                "`ahsct published ID`.",
                *_without_headline(comparison),
                protocol_sentence(comparison.protocol),
            ),
        ),
        *notes(notices),
        file_section(comparison.source),
    ]


def _cohort_headline(comparison: Alongside) -> str:
    headline = comparison.headline
    what = f"{source_name(comparison.source)}: {headline.label} at {in_years(headline.horizon_years)}"
    counted = "" if headline.n_event_free is None else fmt.counted(headline.proportion)
    if headline.survival.value is None:
        why = headline.note or headline.survival.note or "not computable"
        return f"{what}: {counted + '. ' if counted else ''}{why}"
    return f"{what} is {fmt.with_interval(survival_shown(headline))}; event-free {counted}."


def _row(figure: AlongsideFigure) -> tuple[str, ...]:
    estimate = figure.estimate
    return (
        f"{figure.publication} – {shown(figure.label)}",
        printed_figure(figure.published, figure.published_of, figure.published_ci, figure.unit),
        cohort_figure(figure.value, figure.of, figure.unit, estimate),
        "" if estimate is None or estimate.of is None else f"{estimate.of:,.0f}",
        fmt.NOTHING if estimate is None else fmt.limits(estimate),
        _set_apart_by(figure.differs_in) or fmt.NOTHING,
    )


def _set_apart_by(reasons: tuple[str, ...]) -> str:
    """What sets a figure apart, and last what was not stated; on short lines, to leave the ids room."""
    unsaid = [each.removesuffix(_NOT_STATED) for each in reasons if each.endswith(_NOT_STATED)]
    parts = [each.replace(" disputed", "\ndisputed") for each in reasons if not each.endswith(_NOT_STATED)]
    said = ["not stated:\n" + ",\n".join(unsaid)] if unsaid else []
    return ";\n".join([",\n".join(parts), *said] if parts else said)


def _about(comparison: Alongside) -> Iterator[Section]:
    sentences = shared_notes(((each.publication, each.note) for each in comparison.figures), between=", ")
    if sentences:
        yield Section("About some figures", lead=sentences)


def _without_headline(comparison: Alongside) -> Iterator[str]:
    if comparison.without_headline:
        yield f"Without an event-free figure: {', '.join(comparison.without_headline)}."
