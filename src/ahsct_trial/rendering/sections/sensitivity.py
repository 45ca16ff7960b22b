"""What `ahsct sensitivity` shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

from ahsct_trial.rendering import formats as fmt
from ahsct_trial.rendering.sections import Section, file_section, protocol_sentence, warnings_section
from ahsct_trial.wording import in_years

if TYPE_CHECKING:
    from ahsct_trial.sensitivity_analysis import Choice, Combination, Sensitivity, Setting, Value, YearRange

#: Each setting as a row names it, and as a narrow column does.
_NAMES: dict[Setting, tuple[str, str]] = {
    "death": ("Death rule", "Death"),
    "new_lesion": ("Lesion rule", "Lesions"),
    "worsening_confirm_weeks": ("Confirmation", "Weeks"),
    "ci_method": ("Interval method", "Interval"),
}
_MEANINGS: dict[Setting, str] = {
    "death": "with event a death is an event, with censor it ends the observation.",
    "new_lesion": "a new lesion is gadolinium-enhancing (gd), new or enlarging T2 (t2), or either.",
    "worsening_confirm_weeks": "worsening of EDSS must still be there so many weeks later.",
    "ci_method": "the scale on which the Kaplan–Meier interval is symmetric; it moves the limits alone.",
}
_INTERVAL: Setting = "ci_method"

#: Values of one setting between which no figure changes.
Same: TypeAlias = "tuple[Value, ...]"


def sensitivity_sections(result: Sensitivity) -> list[Section]:
    """What `ahsct sensitivity` shows: the range, what moves it, each distinct result, and year by year."""
    at_horizon = [each for each in result.combinations if each.years == result.protocol.horizon_years]
    is_in_file = any(each.n_patients is not None for each in result.combinations)
    tables = (_one_at_a_time, _results, _limits) if is_in_file else ()
    return [
        _headline(result, at_horizon),
        *(table(result, at_horizon) for table in tables),
        *([_by_year(result)] if is_in_file else []),
        Section("How to read this", lead=tuple(_explained(result))),
        *warnings_section(result.warnings),
        file_section(result.source),
    ]


def _name(setting: Setting) -> str:
    return _NAMES[setting][0].lower()


def _at(result: Sensitivity) -> str:
    return in_years(result.protocol.horizon_years)


def _word(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _marked(choice: Choice, value: Value, unit: str = "") -> str:
    """A value as text, with a mark if it is the protocol's own."""
    return f"{_word(value)}{unit}{'*' if value == choice.protocol_value else ''}"


def _points(change: float | None) -> str:
    """A difference of proportions in percentage points."""
    return fmt.percent(change, sign=False)


def _headline(result: Sensitivity, at_horizon: list[Combination]) -> Section:
    title = f"{result.label} at {_at(result)}, under every combination of choices"
    (own,) = (each for each in at_horizon if each.is_protocol)
    over_all = result.years[-1]
    lead = [f"As the protocol has it: {_figures(own, result)}."]
    if over_all.n_estimates:
        lead.append(_range(over_all))
        lead.append(_movers(over_all))
    return Section(title, lead=tuple(lead))


def _figures(own: Combination, result: Sensitivity) -> str:
    """A combination's figures, or why there are none."""
    if own.n_evaluable is None:
        return (own.note or "").rstrip(".")
    confidence = fmt.level(result.protocol.confidence_level)
    crude = f"{fmt.fraction(own.n_event_free, own.n_evaluable)} evaluable patients"
    if own.proportion.value is not None:
        exact = fmt.percent_range(own.proportion.ci_low, own.proportion.ci_high)
        crude += f" ({fmt.percent(own.proportion.value)}; exact {confidence} CI {exact})"
    if own.estimate is None:
        return f"{crude}; no Kaplan–Meier estimate"
    limits = fmt.percent_range(own.ci_low, own.ci_high)
    return f"{crude}; Kaplan–Meier {fmt.percent(own.estimate)} ({confidence} CI {limits}, {own.ci_method})"


def _range(over_all: YearRange) -> str:
    estimates = _from_to(over_all.estimate_low, over_all.estimate_high)
    crude = _from_to(over_all.proportion_low, over_all.proportion_high)
    limits = _from_to(over_all.ci_low, over_all.ci_high)
    n, n_estimates = over_all.n_combinations, over_all.n_estimates
    which = f"all {n} combinations" if n_estimates == n else f"the {n_estimates} of {n} that have an estimate"
    return f"Over {which}: Kaplan–Meier {estimates}, its limits {limits}; crude {crude}."


def _from_to(low: float | None, high: float | None, sign: str = " %") -> str:
    """A range of percentages, or one where both ends read the same."""
    if low is None:
        return fmt.NOTHING
    if fmt.percent(low) == fmt.percent(high):
        return fmt.percent(low, sign=False) + sign
    return fmt.percent_range(low, high) + sign


def _movers(over_all: YearRange) -> str:
    each = over_all.influences
    return " ".join(
        _moved(what, settings, changes)
        for what, settings, changes in (
            ("estimate is", over_all.estimate_moved_most_by, [one.estimate_change for one in each]),
            ("limits are", over_all.limits_moved_most_by, [one.limits_change for one in each]),
        )
    )


def _moved(what: str, settings: tuple[Setting, ...], changes: list[float | None]) -> str:
    if settings:
        names = " and the ".join(map(_name, settings))
        return f"The {what} moved most by the {names}: up to {_points(_largest(changes))} points."
    return f"The {what} moved by none of the choices" + (" that can be compared." if None in changes else ".")


def _largest(changes: Iterable[float | None]) -> float | None:
    return max((change for change in changes if change is not None), default=None)


def _one_at_a_time(result: Sensitivity, at_horizon: list[Combination]) -> Section:
    """Each choice changed alone from the protocol, and how far it moves the figures at the most."""
    influences = {each.setting: each for each in result.years[-1].influences}
    (own,) = (each for each in at_horizon if each.is_protocol)
    rows = []
    for choice in result.choices:
        alone = [each for each in at_horizon if _differs_only_in(choice.setting, each, own)]
        influence = influences[choice.setting]
        rows.append(
            (
                _NAMES[choice.setting][0],
                ", ".join(_alternative(choice, each) for each in alone),
                _points(influence.estimate_change),
                _points(influence.limits_change),
            )
        )
    return Section(
        f"How far each choice moves the figure at {_at(result)}",
        headings=("Choice", "Changed alone, all else as in the protocol", "Estimate", "Limits"),
        rows=tuple(rows),
        texts=frozenset({0, 1}),
        notes=(
            "* is the protocol's own. Estimate, Limits: the largest change in percentage points between any "
            "two combinations that differ in this choice alone.",
        ),
    )


def _differs_only_in(setting: Setting, one: Combination, other: Combination) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in _NAMES if name != setting)


def _alternative(choice: Choice, each: Combination) -> str:
    """A value of a choice with the figure it leads to: limits for the interval, else the estimate."""
    value = getattr(each, choice.setting)
    figure = (
        fmt.percent_range(each.ci_low, each.ci_high)
        if choice.setting == _INTERVAL
        else fmt.percent(each.estimate)
    )
    unit = " weeks" if choice.setting == "worsening_confirm_weeks" else ""
    return f"{_marked(choice, value, unit)} {figure}"


# Every distinct result: values of a choice that give the same figures stand in one row.


def _split(choice: Choice, in_file: list[Combination]) -> list[Same]:
    """The values of a choice, those together between which no figure changes, whatever else is chosen."""
    groups: dict[tuple[object, ...], list[Value]] = {}
    for value in choice.values:
        figures = tuple(_all_figures(each) for each in in_file if getattr(each, choice.setting) == value)
        if figures:
            groups.setdefault(figures, []).append(value)
    return [tuple(values) for values in groups.values()]


def _all_figures(each: Combination) -> tuple[object, ...]:
    counts = (each.n_patients, each.n_unknown, each.n_events, each.n_censored, each.n_at_risk)
    return (*counts, each.n_event_free, *map(fmt.percent, (each.estimate, each.ci_low, each.ci_high)))


@dataclass(frozen=True)
class Distinct:
    """A result: its number, the words of the choices that lead to it, and its figures, one per interval."""

    number: str
    choices: tuple[str, ...]
    by_interval: tuple[Combination, ...]


def _distinct(result: Sensitivity, at_horizon: list[Combination]) -> tuple[tuple[str, ...], list[Distinct]]:
    """The choices that make a difference, and the results they lead to."""
    in_file = [each for each in at_horizon if each.n_patients is not None]
    split = {
        choice: same
        for choice in result.choices
        if choice.setting != _INTERVAL and (same := _split(choice, in_file)) != [choice.values]
    }
    found = []
    for number, values in enumerate(product(*split.values()), start=1):
        first = {choice.setting: same[0] for choice, same in zip(split, values, strict=True)}
        alike = [each for each in in_file if all(getattr(each, key) == first[key] for key in first)]
        is_own = all(choice.protocol_value in same for choice, same in zip(split, values, strict=True))
        found.append(
            Distinct(
                f"{number}*" if is_own else f"{number}",
                tuple(", ".join(map(_word, same)) for same in values),
                tuple({each.ci_method: each for each in alike}.values()),
            )
        )
    return tuple(_NAMES[choice.setting][1] for choice in split), found


def _results(result: Sensitivity, at_horizon: list[Combination]) -> Section:
    headings, distinct = _distinct(result, at_horizon)
    return Section(
        f"Every distinct result at {_at(result)}",
        headings=("No.", *headings, "Left\nout", "Censored", "Event-free", "Crude", "Kaplan–\nMeier"),
        rows=tuple(
            (
                each.number,
                *each.choices,
                fmt.count(each.by_interval[0].n_unknown),
                fmt.count(each.by_interval[0].n_censored),
                fmt.fraction(each.by_interval[0].n_event_free, each.by_interval[0].n_evaluable),
                fmt.percent(each.by_interval[0].proportion.value),
                fmt.percent(each.by_interval[0].estimate),
            )
            for each in distinct
        ),
        texts=frozenset(range(len(headings) + 1)),
    )


def _limits(result: Sensitivity, at_horizon: list[Combination]) -> Section:
    _, distinct = _distinct(result, at_horizon)
    (interval,) = (choice for choice in result.choices if choice.setting == _INTERVAL)
    return Section(
        f"Their {fmt.level(result.protocol.confidence_level)} limits by interval method",
        headings=("No.", "Exact", *(_marked(interval, method) for method in interval.values)),
        rows=tuple(
            (
                each.number,
                fmt.percent_range(
                    each.by_interval[0].proportion.ci_low, each.by_interval[0].proportion.ci_high
                ),
                *(_from_to(one.ci_low, one.ci_high, sign="") for one in each.by_interval),
            )
            for each in distinct
        ),
        notes=tuple(_notes(result, at_horizon)),
    )


def _notes(result: Sensitivity, at_horizon: list[Combination]) -> Iterator[str]:
    """Why figures are missing, and what limits are worth at the edges."""
    for choice in result.choices:
        for value in choice.values:
            chosen = [each for each in at_horizon if getattr(each, choice.setting) == value]
            if all(each.n_patients is None for each in chosen):
                yield f"{_NAMES[choice.setting][0]} {_word(value)}: {chosen[0].note}"
    without = [each.note for each in at_horizon if each.n_patients is not None and each.estimate is None]
    for note, n in Counter(filter(None, without)).items():
        yield note if n == len(at_horizon) else f"{n} of {len(at_horizon)} combinations: {note}"
    if any(each.estimate in {0, 1} for each in at_horizon):
        yield (
            "Where the estimate is 100 %, log and plain limits have no width and the others are undefined; "
            "where it is 0 %, all are. See the exact interval."
        )


def _by_year(result: Sensitivity) -> Section:
    return Section(
        "Over all combinations, by year",
        headings=(
            "Year",
            "Crude",
            "Kaplan–\nMeier",
            "Limits",
            "Estimate\nmoved most by",
            "Limits\nmoved most by",
        ),
        rows=tuple(
            (
                f"{year.years:g}",
                _from_to(year.proportion_low, year.proportion_high),
                _from_to(year.estimate_low, year.estimate_high),
                _from_to(year.ci_low, year.ci_high),
                _most(year.estimate_moved_most_by, (each.estimate_change for each in year.influences)),
                _most(year.limits_moved_most_by, (each.limits_change for each in year.influences)),
            )
            for year in result.years
        ),
        texts=frozenset({0, 4, 5}),
    )


def _most(settings: tuple[Setting, ...], changes: Iterator[float | None]) -> str:
    """The choices that move a figure most, and by how many points."""
    if not settings:
        return fmt.NOTHING
    names = ", ".join(_NAMES[setting][1].lower() for setting in settings)
    return f"{names} {_points(_largest(changes))}"


def _explained(result: Sensitivity) -> Iterator[str]:
    yield (
        "* marks the protocol's own choices, and the result they lead to. The range is over definitions and "
        "methods, not over chance: it is no confidence interval, and it does not say which choice is right."
    )
    yield f"{result.label}: {result.definition}"
    yield (
        "Event-free, crude, and exact limits: of the patients who had the event by then or were followed to "
        "it. Kaplan–Meier uses those censored before as well. Left out: patients whose outcome is unknown."
    )
    for choice in result.choices:
        yield f"{_NAMES[choice.setting][0]}: {_MEANINGS[choice.setting]}"
    for each in result.not_varied:
        yield f"{_NAMES[each.setting][0]}: not varied. {each.reason}"
    yield protocol_sentence(result.protocol)
