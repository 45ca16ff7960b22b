"""What `ahsct reconcile` shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.sections import Section
from ahsct_trial.rounding import round_half_up
from ahsct_trial.wording import from_to, plural

if TYPE_CHECKING:
    from ahsct_trial.reconciling import (
        Fit,
        PrintedFigure,
        RateFit,
        RateReconciliation,
        Reconciliation,
        ScaleFit,
    )

    Result = Reconciliation | RateReconciliation
    Show = Callable[[float], str]

_IF_CUT_OFF = "cut off (truncated) and not rounded"
_LIMITS_ARE_FRACTIONS = "The limits are read as fractions. For percentages below 1 write them with a % sign."
_WHAT_IS_CUT_OFF = "A figure is cut off to the printed one from that up to one more in its last digit."
_MOST_EXACT, _MOST_PARTIAL, _MOST_NAMED = 10, 10, 3
_METHODS = {
    "clopper-pearson": "Clopper–Pearson",
    "wilson": "Wilson",
    "wilson-cc": "Wilson (corrected)",
    "jeffreys": "Jeffreys",
    "agresti-coull": "Agresti–Coull",
    "wald": "Wald",
    "garwood": "Garwood",
    "byar": "Byar",
    "log-wald": "log-Wald",
}


def reconcile_sections(result: Reconciliation) -> list[Section]:
    """Where a percentage may come from: the answer first, then what else there is, and what was searched."""
    show = _shower(result, shift=2)
    answers = [
        *([_exact(result, show)] if result.exact else []),
        *([_scales(result)] if result.possible_scales else []),
        *([_cut_off(result, show)] if result.cut_off and not result.exact else []),
    ]
    if not answers:
        answers = [_nothing(result, show), *([_partial(result, show)] if result.partial else [])]
    first, *others = answers
    title = f"{result.value.given} = " * result.is_count + _title(result, " %")
    titled = replace(first, title=title, lead=(*_how_read(result), *first.lead))
    return [titled, *others, Section("How to read this", lead=_how_to_read(result))]


def _exact(result: Reconciliation, show: Show) -> Section:
    notes = list(_more(result))
    if result.n_cut_off:
        notes.append(
            f"If the figures were {_IF_CUT_OFF}, {result.n_cut_off:,} more would give them, the first "
            f"{_count(result.cut_off[0])[0]}."
        )
    return _counts_section(result, result.exact, show, _what_is_common(result), notes)


def _what_is_common(result: Reconciliation) -> str:
    """The answer in a sentence: the only count, or what all of them have in common."""
    common = result.in_common
    assert common is not None
    span, methods = _span(result), [_method(name) for name in common.methods]
    n, counted = _range(common.n_low, common.n_high), _range(common.n_counted_low, common.n_counted_high)
    others = _range(common.n_others_low, common.n_others_high)
    if result.is_count and result.ci_low is None:
        return f"The {fmt.level(result.confidence_level)} interval of {counted} of {n} depends on the method:"
    if result.is_count:
        return f"{counted} of {n} gives this interval with {_one_of(methods)}, and with no other method."
    if common.n_low == common.n_high and common.n_counted_low == common.n_counted_high:
        return (
            f"{counted} of {n}{f' with {_one_of(methods)}' if methods else ''} gives this, and for n {span} "
            f"nothing else does. If it is the percentage event-free: {counted} event-free, {others} "
            f"{plural('event', common.n_others_high)}."
        )
    if not methods:
        named = [_count(fit)[0] for fit in result.exact[:_MOST_NAMED]]
        return (
            f"{result.n_exact:,} counts give this for n {span}, none of them below n {common.n_low:,}. The "
            f"smallest are {fmt.listed(named)}."
        )
    ruled_out = [_method(name) for name in result.methods if name not in common.methods]
    method = _one_of(methods)
    if len(ruled_out) < len(methods):
        method = f"any but {_one_of(ruled_out)}" if ruled_out else "any"
    return (
        f"{result.n_exact:,} pairs of a count and a method give this for n {span}. In common: n {n}, with "
        f"{counted} counted and {others} others; the method is {method}."
    )


def _cut_off(result: Reconciliation, show: Show) -> Section:
    """What gives the printed figures only if they were cut off, apart from what rounds to them."""
    first = result.cut_off[0]
    found = f"{_count(first)[0]}{f' with {_method(first.method)}' if first.method else ''}"
    if result.n_cut_off == 1:
        found = f"{found} gives it: {_figures(first, show)} %"
    else:
        found = f"{result.n_cut_off:,} give it, the first {found}"
    lead = f"Nothing rounds to this for n {_span(result)}. If it was {_IF_CUT_OFF}, {found}."
    more = [f"The first {_MOST_EXACT} of {result.n_cut_off:,}, by n."] * (result.n_cut_off > _MOST_EXACT)
    return _counts_section(result, result.cut_off, show, lead, more)


def _counts_section(
    result: Reconciliation, fits: Sequence[Fit], show: Show, lead: str, notes: Sequence[str]
) -> Section:
    headings = ("Count", "The others", "Method", "Gives %")
    # A count that was given needs no column, nor a method where there is no interval.
    columns = [2, 3] if result.is_count else [0, 1, 2, 3] if result.methods else [0, 1, 3]
    n_shown = len(result.methods) if result.is_count else _MOST_EXACT
    rows = [(*_count(fit), _method(fit.method), _figures(fit, show)) for fit in fits[:n_shown]]
    return Section(
        "If cut off and not rounded",
        lead=(lead,),
        headings=tuple(headings[place] for place in columns),
        rows=tuple(tuple(row[place] for place in columns) for row in rows),
        texts=frozenset({0} if result.is_count else ()),
        notes=tuple(notes),
    )


def _scales(result: Reconciliation) -> Section:
    """On which scale an interval is symmetric, its standard error and its effective n."""
    possible = result.possible_scales
    others = [each.scale for each in result.scales if each not in possible]
    if len(possible) == 1:
        lead = [f"The interval is {possible[0].scale} and nothing else: symmetric on that scale alone."]
    else:
        lead = [
            f"The interval is {_one_of([each.scale for each in possible])}"
            f"{f', not {_one_of(others)}' if others else ''}."
        ]
    if not result.exact:
        lead.append(
            f"Without losses no count gives it for n {_span(result)}. So patients were probably lost "
            "(censored) before, or it comes from a model."
        )
    lead.append(f"Standard error {_errors(possible)}, effective n {_effective_n(possible)}.")
    n_patients = possible[0].n_patients
    if n_patients is not None:
        events = _between(
            [each.n_events_low for each in possible], [each.n_events_high for each in possible], _whole
        )
        patients = f"{n_patients:,}" if result.n_from == result.n_to else f"Up to {n_patients:,}"
        noun = plural("event", 2 if " " in events else int(events))
        lead.append(f"{patients} {plural('patient', n_patients)} would have had {events} {noun} by then.")
    if result.exact:
        return Section("If patients were lost before", lead=(" ".join(lead),))
    return Section(
        "If patients were lost before",
        lead=tuple(lead),
        headings=("Scale", "Below", "Above", "Standard error", "Effective n"),
        rows=tuple(
            (
                each.scale,
                fmt.number(each.below, 3),
                fmt.number(each.above, 3),
                fmt.NOTHING if each.standard_error is None else _points(each.standard_error),
                fmt.NOTHING if each.effective_n is None else _whole(each.effective_n),
            )
            for each in sorted(result.scales, key=lambda each: not each.fits)
        ),
        notes=(
            "Below, Above: from the estimate to its limits, on the scale. They are equal, within the printed "
            "digits, on the scale the interval was made on.",
        ),
    )


def _errors(possible: Sequence[ScaleFit]) -> str:
    span = _between(
        [each.standard_error_low for each in possible],
        [each.standard_error_high for each in possible],
        _points,
    )
    one = possible[0].standard_error
    if one is None or len(possible) > 1:
        return f"{span} percentage points"
    return f"{_points(one)} percentage points ({span})"


def _effective_n(possible: Sequence[ScaleFit]) -> str:
    span = _between(
        [each.effective_n_low for each in possible], [each.effective_n_high for each in possible], _whole
    )
    one = possible[0].effective_n
    return span if one is None or len(possible) > 1 or " " not in span else f"{_whole(one)} ({span})"


def _nothing(result: Reconciliation, show: Show) -> Section:
    nearest = result.nearest
    assert nearest is not None
    names = [] if result.is_count else [_count(nearest)[0]]
    names += [] if nearest.method is None else [_method(nearest.method)]
    what = (
        f"No method gives this interval for {_count(nearest)[0]}"
        if result.is_count
        else (f"Nothing gives this for n {_span(result)}")
    )
    lead = [
        f"{what}. Nearest: {' with '.join(names)}, {_figures(nearest, show)} %, off by {show(nearest.off)} "
        "percentage points."
    ]
    fitting = [each for each in result.scales if each.fits]
    if fitting:
        patients = f"{'' if result.n_from == result.n_to else 'up to '}{result.n_to:,}"
        lead.append(
            f"With losses before, it would be {_one_of([each.scale for each in fitting])}, but in {patients} "
            f"{plural('patient', result.n_to)} no number of events gives this estimate with so narrow an interval."
        )
    elif result.scales:
        lead.append(
            "Nor is the interval symmetric on any scale of a Kaplan–Meier estimate. If it is the percentage "
            "with an event, try its complement, 100 less each figure."
        )
    return Section("", lead=tuple(lead))


def _partial(result: Reconciliation, show: Show) -> Section:
    return Section(
        "What gives a part of it",
        headings=("Count", "Method", "Gives %", "Fits", "Off by"),
        rows=tuple(
            (_count(fit)[0], _method(fit.method), _figures(fit, show), _what_fits(fit), show(fit.off))
            for fit in result.partial[:_MOST_PARTIAL]
        ),
        texts=frozenset({3}),
        notes=("Off by: the largest difference of a figure that does not fit, in percentage points.",),
    )


def _how_to_read(result: Reconciliation) -> tuple[str, ...]:
    notes = []
    if not result.is_count:
        what = (
            f", with {len(result.methods)} interval methods" if result.methods else "; no interval is given"
        )
        notes.append(f"Searched: every count of patients for n {_span(result)}{what}.")
    if not result.is_count or result.ci_low is not None:
        notes.append(_rounding(result, shift=2))
    if result.cut_off and not result.exact:
        notes.append(_WHAT_IS_CUT_OFF)
    if not result.is_count and (result.exact or result.cut_off or not result.possible_scales):
        notes.append(
            "Count: whom the percentage counts. If it is the percentage event-free, the others had an event."
        )
    if result.exact and result.methods:
        notes.append(
            "log-log, log, plain, logit and arcsin are intervals of a Kaplan–Meier estimate where nobody was "
            "lost before; plain is then Wald's. Wilson (corrected): for continuity."
        )
    if result.possible_scales:
        notes.append(
            "Effective n: S (1 − S) / SE². So many patients without losses would have this standard error; "
            "there were at least as many."
        )
    return tuple(notes)


def rate_sections(result: RateReconciliation) -> list[Section]:
    """Which methods make a rate of its counts."""
    show = _shower(result, shift=0)
    fits = result.exact or result.cut_off
    counts = f"{result.n_events:,} {plural('event', result.n_events)} in {result.exposure.read_as}"
    exact = Section(
        _title(result, ""),
        lead=(f"{counts}: {_rate_verdict(result, show)}",),
        headings=("Method", "Exposure", "Gives") if fits else (),
        rows=tuple((_method(fit.method), _exposure(fit, result), _figures(fit, show)) for fit in fits),
    )
    partial = Section(
        "What gives a part of it",
        headings=("Method", "Exposure", "Gives", "Fits", "Off by"),
        rows=tuple(
            (_method(fit.method), _exposure(fit, result), _figures(fit, show), _what_fits(fit), show(fit.off))
            for fit in result.partial
        ),
        texts=frozenset({0, 3}),
        notes=("Off by: the largest difference of a figure that does not fit.",),
    )
    decimals = _decimals(result.exposure) + 1
    lowest, highest = (fmt.number(end, decimals) for end in (result.exposure.lowest, result.exposure.highest))
    notes = (
        _rounding(result, shift=0),
        *([] if result.exact or not result.cut_off else [f"{_WHAT_IS_CUT_OFF} The exposure then is, too."]),
        f"The exposure counts as rounded, {lowest} to {highest}. Where the printed one does not lead to as "
        "much, one of these stands here. Give it with more decimals to hold it closer.",
    )
    is_partial_shown = result.partial and not fits
    return [exact, *([partial] if is_partial_shown else []), Section("How to read this", lead=notes)]


def _title(result: Result, unit: str) -> str:
    if result.ci_low is None or result.ci_high is None:
        return f"{result.value.read_as}{unit}"
    limits = from_to(result.ci_low.read_as, result.ci_high.read_as)
    return f"{result.value.read_as}{unit} ({fmt.level(result.confidence_level)} CI {limits})"


def _how_read(result: Reconciliation) -> tuple[str, ...]:
    """What was made of figures that might mean two things."""
    given, read_as = result.value.given, result.value.read_as
    if result.is_count:
        return (_LIMITS_ARE_FRACTIONS,) if result.is_fraction else ()
    if result.is_fraction:
        return (f"{given} is read as a fraction, {read_as} %. For a percentage below 1 write {given}%.",)
    if 0 < float(read_as) < 1 and not given.endswith("%"):
        return (f"{given} is read as {read_as} %. Write a fraction with two decimals or more.",)
    return ()


def _rate_verdict(result: RateReconciliation, show: Show) -> str:
    if result.exact:
        verdict = f"{_what_gives_it(result, result.exact, 'rounds')}."
        if result.cut_off:
            also = fmt.listed([_method(fit.method) for fit in result.cut_off])
            verdict += f" If the figures were {_IF_CUT_OFF}, {also} would give them."
        return verdict
    if result.cut_off:
        what = _what_gives_it(result, result.cut_off, "is cut off")
        return f"nothing rounds to this. If it was {_IF_CUT_OFF}, {what}."
    nearest = result.nearest
    assert nearest is not None
    method = f" {_method(nearest.method)}," if nearest.method else ""
    return f"nothing gives this. Nearest:{method} {_figures(nearest, show)}, off by {show(nearest.off)}."


def _what_gives_it(result: RateReconciliation, fits: Sequence[RateFit], how: str) -> str:
    """Which methods give a rate, with the printed exposure or one that rounds or is cut off to it."""
    if not result.methods:
        return "this is their rate"
    words = []
    for is_printed, condition in ((True, ""), (False, f" with another exposure that {how} to it")):
        names = [_method(fit.method) for fit in fits if fit.is_printed_exposure is is_printed]
        if names:
            words.append(f"{fmt.listed(names)} {'gives' if len(names) == 1 else 'give'} this{condition}")
    return "; ".join(words)


def _one_of(names: Sequence[str]) -> str:
    """Names as alternatives: "plain, log or arcsin"."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _span(result: Reconciliation) -> str:
    return _range(result.n_from, result.n_to)


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _between(lows: Sequence[float | None], highs: Sequence[float | None], show: Show) -> str:
    """The range that several ranges span; without an end where one of them has none."""
    low = show(min(each for each in lows if each is not None))
    if None in highs:
        return f"at least {low}"
    high = show(max(each for each in highs if each is not None))
    return low if low == high else f"{low} to {high}"


def _points(share: float) -> str:
    return round_half_up(share, 2, shift=2)


def _whole(n: float) -> str:
    return f"{int(round_half_up(n, 0)):,}"


def _count(fit: Fit) -> tuple[str, str]:
    return fmt.fraction(fit.n_counted, fit.n), fmt.count(fit.n_others)


def _method(name: str | None) -> str:
    return fmt.NOTHING if name is None else _METHODS.get(name, name)


def _exposure(fit: RateFit, result: RateReconciliation) -> str:
    if fit.is_printed_exposure:
        return result.exposure.read_as
    return fmt.number(fit.exposure, _decimals(result.exposure) + 2)


def _figures(fit: Fit | RateFit, show: Show) -> str:
    if fit.ci_low is None or fit.ci_high is None:
        return show(fit.estimate)
    return f"{show(fit.estimate)} ({from_to(show(fit.ci_low), show(fit.ci_high))})"


def _what_fits(fit: Fit | RateFit) -> str:
    if fit.low_fits and fit.high_fits:
        return "both limits"
    fitting = ("value", fit.value_fits), ("lower limit", fit.low_fits), ("upper limit", fit.high_fits)
    return ", ".join(name for name, is_fit in fitting if is_fit)


def _more(result: Reconciliation) -> tuple[str, ...]:
    if result.n_exact <= _MOST_EXACT or result.is_count:
        return ()
    remedy = "a narrower --n" if result.methods else "a narrower --n, or the interval by --ci,"
    return (f"The first {_MOST_EXACT} of {result.n_exact:,}, by n; {remedy} leaves fewer.",)


def _rounding(result: Result, shift: int) -> str:
    ranges = [
        f"{name} {round_half_up(printed.lowest, decimals, shift=shift)} to "
        f"{round_half_up(printed.highest, decimals, shift=shift)}"
        for name, printed in (("value", result.value), ("lower", result.ci_low), ("upper", result.ci_high))
        if printed is not None and printed.lowest < printed.highest  # a count is none to be rounded
        for decimals in [_decimals(printed) + 1]
    ]
    return f"A figure fits if it rounds to the printed one, half up or half even: {', '.join(ranges)}."


def _decimals(printed: PrintedFigure) -> int:
    return len(printed.read_as.partition(".")[2])


def _shower(result: Result, shift: int) -> Show:
    """Shows a figure with one decimal more than the published ones have."""
    given = (result.value, result.ci_low, result.ci_high)
    decimals = 1 + max(_decimals(printed) for printed in given if printed is not None)
    return lambda figure: round_half_up(figure, decimals, shift=shift)
