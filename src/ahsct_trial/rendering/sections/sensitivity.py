"""What `ahsct sensitivity` shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.sections import (
    Section,
    file_section,
    look_first,
    notes,
    protocol_sentence,
    provenance,
    public,
    shared_notes,
    survival_shown,
)
from ahsct_trial.wording import in_years

if TYPE_CHECKING:
    from ahsct_trial.sensitivity_analysis import Alternative, Choice, Sensitivity, Value

#: Each setting as a row names it, the option that changes it, and what its values mean.
_NAMES = {
    "death": ("Death", "--death", "an event, or the end of observation (censor)"),
    "observation_end": (
        "End of observation",
        "--observation-end",
        "the last assessment that could have shown an event, or the end of follow-up",
    ),
    "therapy": (
        "Therapy",
        "--therapy",
        "one started after time zero is ignored, an event, or the end of observation",
    ),
    "new_lesion": (
        "New lesion",
        "--new-lesion",
        "gadolinium-enhancing (gd), new or enlarging T2 (t2), or either",
    ),
    "mri_from_day": ("Scans count from day", "--mri-from-day", "scans up to that day set the reference"),
    "worsening_confirm_weeks": ("Confirmed after weeks", "--confirm-weeks", "worsening must still be there"),
    "unconfirmed": ("Worse at last visit", "--unconfirmed", "ignored, or an event"),
    "baseline": (
        "Baseline EDSS",
        "--baseline",
        "the last before time zero, or the first stable one from it on",
    ),
    "step_high": ("EDSS step from 5.5", "a protocol's step_high", "the rise that counts"),
    "ci_method": ("Interval", "--ci", "the scale of the Kaplan–Meier interval; it moves the limits alone"),
}


def sensitivity_sections(result: Sensitivity) -> list[Section]:
    """What `ahsct sensitivity` shows: the range, what moves it, and the figure under each choice."""
    notices = public(result.notices)
    is_in_file = result.under_protocol.n_patients is not None
    return [
        *provenance(result.source),
        *look_first(notices),
        _headline(result),
        *([_choices(result)] if is_in_file else []),
        Section("How to read this", lead=tuple(_explained(result))),
        *notes(notices),
        file_section(result.source),
    ]


def _headline(result: Sensitivity) -> Section:
    under_protocol = result.under_protocol
    lead = [f"As the protocol has it: {_figures(under_protocol)}."]
    if result.survival_lowest is not None:
        lead.append(
            f"Over {result.n_alternatives:,} analyses, each with one choice changed: Kaplan–Meier "
            f"{_from_to(result.survival_lowest, result.survival_highest)}, its limits "
            f"{_from_to(result.ci_lowest, result.ci_highest)}; crude "
            f"{_from_to(result.proportion_lowest, result.proportion_highest)}."
        )
        estimate = [each.survival_change for each in result.choices]
        limits = [each.limits_change for each in result.choices]
        lead.append(
            f"{_moved('The estimate is', result.moved_most_by, estimate)} "
            f"{_moved('The limits are', result.limits_moved_most_by, limits)}"
        )
    return Section(f"{result.label} at {in_years(result.horizon_years)}, under each choice", lead=tuple(lead))


def _figures(alternative: Alternative) -> str:
    """The figures under the protocol, or why there are none."""
    if alternative.n_evaluable is None:
        return (alternative.note or "").rstrip(".")
    crude = f"{fmt.counted(alternative.proportion)} evaluable patients event-free"
    if alternative.proportion.value is not None:
        crude += f" ({fmt.value(alternative.proportion)}; {fmt.interval(alternative.proportion)})"
    if alternative.survival.value is None:
        return f"{crude}; no Kaplan–Meier estimate"
    return f"{crude}; Kaplan–Meier {fmt.with_interval(survival_shown(alternative))}"


def _from_to(low: float | None, high: float | None) -> str:
    """A range of percentages, or one where both ends read the same."""
    if low is None:
        return fmt.NOTHING
    if fmt.percent(low) == fmt.percent(high):
        return fmt.percent(low)
    return f"{fmt.percent_range(low, high)} %"


def _moved(what: str, settings: tuple[str, ...], changes: list[float | None]) -> str:
    if not settings:
        return f"{what} moved by none of the choices."
    largest = max(change for change in changes if change is not None)
    names = fmt.listed(f"“{_NAMES[setting][0]}”" for setting in settings)
    return f"{what} moved most by {names}: {fmt.percent(largest, sign=False)} points."


def _choices(result: Sensitivity) -> Section:
    """The figure under each value of each choice; values with the same figures are said once."""
    confidence = fmt.level(result.protocol.confidence_level)
    headings = (
        "Choice",
        "Value",
        "Event-\nfree",
        f"Kaplan–Meier\n({confidence} CI)",
        "Moved by\npoints",
    )
    return Section(
        "Each choice changed alone",
        headings=headings,
        rows=tuple(row for choice in result.choices for row in _rows(choice)),
        texts=frozenset({0, 1}),
        notes=(
            "* is the protocol's own. Moved: the largest change of the estimate; for the interval, of a "
            "limit.",
            *_not_counted(result),
            *_absent(result),
        ),
    )


def _rows(choice: Choice) -> Iterator[tuple[str, ...]]:
    by_figures: dict[tuple[str, ...], list[str]] = {}
    for each in choice.alternatives:
        figures = (
            fmt.fraction(each.n_event_free, each.n_evaluable),
            fmt.with_limits(survival_shown(each)),
        )
        by_figures.setdefault(figures, []).append(_word(each.value) + ("*" if each.is_protocol else ""))
    change = choice.limits_change if choice.setting == "ci_method" else choice.survival_change
    for at, ((event_free, survival), values) in enumerate(by_figures.items()):
        yield (
            "" if at else _NAMES[choice.setting][0],
            ", ".join(values),
            event_free,
            survival,
            "" if at else fmt.percent(change, sign=False),
        )


def _word(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _not_counted(result: Sensitivity) -> tuple[str, ...]:
    """Under which values patients are left out or have an event too late to count."""
    return shared_notes(
        (
            (f"{_NAMES[choice.setting][0]} {_word(each.value)}", _left_out(each))
            for choice in result.choices
            for each in choice.alternatives
        ),
        between=", ",
    )


def _left_out(each: Alternative) -> str | None:
    counts = [
        f"{words} {n:,}"
        for words, n in (("left out", each.n_unknown), ("late events", each.n_late_events))
        if n
    ]
    return f"{', '.join(counts)}." if counts else None


def _absent(result: Sensitivity) -> tuple[str, ...]:
    """Why figures are missing under a choice."""
    return shared_notes(
        (
            (f"{_NAMES[choice.setting][0]} {_word(each.value)}", each.survival.note)
            for choice in result.choices
            for each in choice.alternatives
            if each.survival.value is None or survival_shown(each) is not each.survival
        ),
        between=", ",
    )


def _explained(result: Sensitivity) -> Iterator[str]:
    yield (
        "The range is over definitions and methods, not over chance: it is no confidence interval, and it "
        "does not say which choice is right."
    )
    yield f"{result.label}: {result.definition}"
    yield (
        "Event-free: of the patients who had the event by then or were observed to it. Late: an event "
        "after the end of observation, not counted. Left out: a component is unknown."
    )
    for choice in result.choices:
        name, option, meaning = _NAMES[choice.setting]
        yield f"{name} ({option}): {meaning}."
    for each in result.not_varied:
        yield f"{_NAMES[each.setting][0]}: not varied. {each.reason}"
    yield protocol_sentence(result.protocol)
