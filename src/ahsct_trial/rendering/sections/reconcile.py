"""What `ahsct reconcile` shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ahsct_trial.rendering import formats as fmt
from ahsct_trial.rendering.sections import Section
from ahsct_trial.rounding import round_half_up
from ahsct_trial.wording import plural

if TYPE_CHECKING:
    from ahsct_trial.reconciling import Fit, PrintedFigure, RateFit, RateReconciliation, Reconciliation

    Result = Reconciliation | RateReconciliation
    Show = Callable[[float], str]

_MOST_EXACT, _MOST_PARTIAL = 20, 10
_METHODS = {
    "clopper-pearson": "Clopper–Pearson",
    "wilson": "Wilson",
    "wilson-cc": "Wilson, corrected",
    "jeffreys": "Jeffreys",
    "agresti-coull": "Agresti–Coull",
    "wald": "Wald",
    "garwood": "Garwood",
    "byar": "Byar",
    "log-wald": "log-Wald",
}


def reconcile_sections(result: Reconciliation) -> list[Section]:
    """Where a percentage may come from: what fits, what fits in part, and what was searched."""
    show = _shower(result, shift=2)
    span = f"{result.n_from:,}" if result.n_from == result.n_to else f"{result.n_from:,} to {result.n_to:,}"
    # Without an interval there is no method.
    columns = (0, 1, 2, 3) if result.methods else (0, 1, 3)
    headings = ("Count", "The others", "Method", "Gives %")
    rows = [(*_count(fit), _method(fit.method), _figures(fit, show)) for fit in result.exact[:_MOST_EXACT]]
    exact = Section(
        _title(result, " %"),
        lead=(*_how_read(result), _verdict(result, span, show)),
        headings=tuple(headings[place] for place in columns) if rows else (),
        rows=tuple(tuple(row[place] for place in columns) for row in rows),
        texts=frozenset(),
        notes=_more(result),
    )
    partial = Section(
        "What gives a part of it",
        headings=("Count", "Method", "Gives %", "Fits", "Off by"),
        rows=tuple(
            (_count(fit)[0], _method(fit.method), _figures(fit, show), _what_fits(fit), show(fit.off))
            for fit in result.partial[:_MOST_PARTIAL]
        ),
        texts=frozenset({3}),
        notes=("Off by: the largest difference of a figure that does not fit, in percentage points.",),
    )
    notes = [
        f"Searched: every count of patients for n {span}"
        + (
            f", with {len(result.methods)} interval methods." if result.methods else "; no interval is given."
        ),
        _rounding(result, shift=2),
        "Count: whom the percentage counts. If it is the percentage event-free, the others had an event.",
    ]
    if result.methods:
        notes.append(
            "log-log, log, plain, logit and arcsin are intervals of a Kaplan–Meier estimate where nobody was "
            "lost before; plain is then Wald's. Wilson, corrected: for continuity."
        )
    return [exact, *([partial] if result.partial else []), Section("How to read this", lead=tuple(notes))]


def rate_sections(result: RateReconciliation) -> list[Section]:
    """Which methods make a rate of its counts."""
    show = _shower(result, shift=0)
    counts = f"{result.n_events:,} {plural('event', result.n_events)} in {result.exposure.read_as}"
    exact = Section(
        _title(result, ""),
        lead=(f"{counts}: {_rate_verdict(result, show)}",),
        headings=("Method", "Exposure", "Gives") if result.n_exact else (),
        rows=tuple(
            (_method(fit.method), _exposure(fit, result), _figures(fit, show)) for fit in result.exact
        ),
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
        f"The exposure counts as rounded, {lowest} to {highest}. Where the printed one does not lead to as "
        "much, one of these stands here. Give it with more decimals to hold it closer.",
    )
    return [exact, *([partial] if result.partial else []), Section("How to read this", lead=notes)]


def _title(result: Result, unit: str) -> str:
    if result.ci_low is None or result.ci_high is None:
        return f"{result.value.read_as}{unit}"
    limits = f"{result.ci_low.read_as}–{result.ci_high.read_as}"
    return f"{result.value.read_as}{unit} ({fmt.level(result.confidence_level)} CI {limits})"


def _how_read(result: Reconciliation) -> tuple[str, ...]:
    """What was made of figures that might mean two things."""
    given, read_as = result.value.given, result.value.read_as
    if result.is_fraction:
        return (f"{given} is read as a fraction, {read_as} %. For a percentage below 1 write {given}%.",)
    if 0 < float(read_as) < 1 and not given.endswith("%"):
        return (f"{given} is read as {read_as} %. Write a fraction with two decimals or more.",)
    return ()


def _verdict(result: Reconciliation, span: str, show: Show) -> str:
    if result.nearest is not None:
        nearest = result.nearest
        method = "" if nearest.method is None else f" with {_method(nearest.method)}"
        return (
            f"Nothing gives this for n {span}. Nearest: {_count(nearest)[0]}{method}, "
            f"{_figures(nearest, show)} %, off by {show(nearest.off)} percentage points."
        )
    if result.n_exact > 1:
        what = "pairs of a count and a method" if result.methods else "counts"
        return f"{result.n_exact:,} {what} give this for n {span}."
    fit = result.exact[0]
    count, others = _count(fit)
    return (
        f"{count}{f' with {_method(fit.method)}' if fit.method else ''} gives this, and for n {span} nothing "
        f"else does. If it is the percentage event-free: {fit.n_counted:,} event-free, {others} "
        f"{plural('event', fit.n_others)}."
    )


def _rate_verdict(result: RateReconciliation, show: Show) -> str:
    nearest = result.nearest
    if nearest is not None:
        method = f" {_method(nearest.method)}," if nearest.method else ""
        return f"nothing gives this. Nearest:{method} {_figures(nearest, show)}, off by {show(nearest.off)}."
    if not result.methods:
        return "this is their rate."
    words = []
    for is_printed, condition in ((True, ""), (False, " with another exposure that rounds to it")):
        names = [_method(fit.method) for fit in result.exact if fit.is_printed_exposure is is_printed]
        if names:
            words.append(f"{_listed(names)} {'gives' if len(names) == 1 else 'give'} this{condition}")
    return "; ".join(words) + "."


def _listed(names: list[str]) -> str:
    return fmt.listed(names)


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
    return f"{show(fit.estimate)} ({show(fit.ci_low)}–{show(fit.ci_high)})"


def _what_fits(fit: Fit | RateFit) -> str:
    if fit.low_fits and fit.high_fits:
        return "both limits"
    fitting = ("value", fit.value_fits), ("lower limit", fit.low_fits), ("upper limit", fit.high_fits)
    return ", ".join(name for name, is_fit in fitting if is_fit)


def _more(result: Reconciliation) -> tuple[str, ...]:
    if result.n_exact <= _MOST_EXACT:
        return ()
    remedy = "a narrower --n" if result.methods else "a narrower --n, or the interval by --ci,"
    return (f"The first {_MOST_EXACT} of {result.n_exact:,}, by n; {remedy} leaves fewer.",)


def _rounding(result: Result, shift: int) -> str:
    ranges = [
        f"{name} {round_half_up(printed.lowest, decimals, shift=shift)} to "
        f"{round_half_up(printed.highest, decimals, shift=shift)}"
        for name, printed in (("value", result.value), ("lower", result.ci_low), ("upper", result.ci_high))
        if printed is not None
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
