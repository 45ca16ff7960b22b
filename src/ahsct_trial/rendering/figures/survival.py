"""The Kaplan–Meier figure: curves with their interval bands, the horizon, and the numbers below the axis.

The layout of the numbers (at risk, censored, events, each aligned with its time) is the one that readers
preferred in the KMunicate study: Morris TP, Jarvis CI, Cragg W, et al. Proposals on Kaplan–Meier plots in
medical research and a survey of stakeholder views: KMunicate. BMJ Open 2019;9:e030215.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from ahsct_trial.rendering import formats as fmt
from ahsct_trial.rendering.figures.curves import (
    AtRisk,
    DrawnCurve,
    axis_years,
    death_rule,
    death_rule_of_several,
    described,
    ends_together,
    event_in_words,
    multiples,
    notes,
    origin,
    tick_step,
    titled,
)
from ahsct_trial.rendering.figures.page import (
    BLUE,
    GREEN,
    INK,
    LINE_MM,
    MARGIN_MM,
    PALE_INK,
    POINTS_PER_MM,
    PURPLE,
    SMALL_TYPE,
    VERMILLION,
    Drawing,
    Page,
    journal_style,
    width_of,
    wrapped,
)
from ahsct_trial.results import CurvePoint, Summary
from ahsct_trial.wording import in_years


@dataclass(frozen=True)
class Look:
    """How an endpoint is drawn in each figure: its colour, and beside others its dashes."""

    colour: str
    dashes: tuple[float, ...] = ()

    @property
    def line_style(self) -> Any:
        """As matplotlib wants it."""
        return (0, self.dashes) if self.dashes else "solid"


LOOKS = {
    "activity_free_survival": Look(BLUE),
    "relapse_free_survival": Look(VERMILLION, (5, 1.5)),
    "mri_activity_free_survival": Look(GREEN, (2, 1)),
    "worsening_free_survival": Look(PURPLE, (6, 1.5, 1, 1.5)),
    "overall_survival": Look(INK, (1, 1)),
}
_ROWS = ("At risk", "Censored", "Events")
_CURVE_POINTS = 1.3
#: Of more curves the bands would lie over each other and none could be followed.
_MOST_BANDS = 2
#: Half of a dot at 300 dots per inch [points]: steps closer together than this are one in any print.
_INVISIBLE = 0.12
_AXIS_NAME_MM, _ROW_MM, _GAP_MM, _GROUP_GAP_MM = 9.4, 3.6, 2.0, 1.2
#: From the vertical axis to the base line of its name: ticks, and "100".
_BESIDE_AXIS_MM = 10.5
_LOWEST_MM, _HIGHEST_MM = 42.0, 85.0
_SAMPLE_MM, _LEADER_MM, _LABEL_MM = 6.0, 4.0, 7.4
_MOST_TICKS = 14


@dataclass(frozen=True)
class _Layout:
    """Where the parts of the figure are [mm], and the times that have a tick."""

    curves: Sequence[DrawnCurve]
    ticks: Sequence[float]
    end_years: float
    left: float
    width: float
    height: float

    @property
    def is_single(self) -> bool:
        return len(self.curves) == 1

    @property
    def has_bands(self) -> bool:
        return len(self.curves) <= _MOST_BANDS and any(curve.has_band for curve in self.curves)

    @property
    def horizon(self) -> float:
        return self.curves[0].endpoint.horizon_years

    def x(self, years: float) -> float:
        return self.left + self.width * years / self.end_years

    def y(self, proportion: float) -> float:
        return _top() + self.height * (1 - proportion)

    @property
    def table_top(self) -> float:
        return _top() + self.height + _AXIS_NAME_MM + _GAP_MM

    @property
    def table_height(self) -> float:
        if self.is_single:
            return len(_ROWS) * _ROW_MM
        return len(self.curves) * ((len(_ROWS) + 1) * _ROW_MM + _GROUP_GAP_MM) - _GROUP_GAP_MM


def draw_survival(summary: Summary, curves: Sequence[DrawnCurve], width_mm: float) -> Drawing:
    """Draw the curves of some endpoints in one figure.

    Parameters
    ----------
    summary
        The results that the curves are taken from.
    curves
        One or more of them.
    width_mm
        Width of the figure [mm]; its height follows from what stands in it.
    """
    with journal_style():
        layout = _lay_out(curves, width_mm)
        caption = wrapped(" ".join(_caption(summary, layout)), width_mm - 2 * MARGIN_MM)
        caption_top = layout.table_top + layout.table_height + _GAP_MM + LINE_MM
        page = Page(width_mm, caption_top + (len(caption) - 1) * LINE_MM + MARGIN_MM)
        axes = _draw_axes(page, layout)
        for curve in curves:
            _draw_curve(axes, curve, layout)
        _draw_horizon(page, axes, layout)
        if not layout.is_single:
            _draw_labels(page, layout)
        _draw_table(page, layout)
        page.paragraph(caption_top, caption)
    return Drawing(page.figure, titled(curves), described(curves))


def _top() -> float:
    """Above the axes there is one line of text [mm]."""
    return MARGIN_MM + LINE_MM + 2.0


def _lay_out(curves: Sequence[DrawnCurve], width_mm: float) -> _Layout:
    end = axis_years(curves)
    number = width_of(fmt.count(max(curve.endpoint.n_patients or 0 for curve in curves)))
    left = MARGIN_MM + max(map(width_of, _ROWS)) + 2.0 + number / 2
    right = max(MARGIN_MM + number / 2, 4.0)
    if len(curves) > 1:
        right = MARGIN_MM + _LEADER_MM + _SAMPLE_MM + 1.0 + max(map(_label_width, curves))
    width = width_mm - left - right
    most = min(_MOST_TICKS, max(2, int(width / (max(number, width_of("0.25")) + 2.0)) + 1))
    return _Layout(
        curves=curves,
        ticks=multiples(tick_step(end, curves[0].endpoint.horizon_years, most), 0, end),
        end_years=end,
        left=left,
        width=width,
        height=min(max(width / 2, _LOWEST_MM), _HIGHEST_MM),
    )


def _draw_axes(page: Page, layout: _Layout) -> Axes:
    axes = page.axes(layout.left, _top(), layout.width, layout.height)
    axes.set_xlim(0, layout.end_years)
    axes.set_ylim(0, 1)
    axes.set_xticks(layout.ticks, [f"{years:g}" for years in layout.ticks])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    axes.spines["left"].set_position(("outward", 3))
    axes.spines["bottom"].set_position(("outward", 3))
    what = f"{layout.curves[0].name} (%)" if layout.is_single else "Event-free (%)"
    x = max(layout.left - _BESIDE_AXIS_MM, MARGIN_MM + LINE_MM - 0.5)
    page.text(x, layout.y(0.5), what, rotation=90, rotation_mode="anchor", ha="center")
    middle = layout.left + layout.width / 2
    page.text(middle, _top() + layout.height + _AXIS_NAME_MM, "Years since transplant", ha="center")
    return axes


def _draw_curve(axes: Axes, curve: DrawnCurve, layout: _Layout) -> None:
    look = LOOKS[curve.key]
    steps = _thinned(curve.steps, layout)
    if layout.has_bands:
        # Two bands that lie over each other must not hide the curves.
        alpha = 0.2 if layout.is_single else 0.12
        for number, (x, y) in enumerate(_bands(steps, curve.last_years)):
            [band] = axes.fill(x, y, facecolor=look.colour, alpha=alpha, linewidth=0, zorder=1)
            band.set_gid(f"{curve.key}-band-{number}")
    x, y = _stairs([(step.years, step.estimate) for step in steps], (0.0, 1.0), curve.last_years)
    axes.plot(
        x,
        y,
        color=look.colour,
        linewidth=_CURVE_POINTS,
        linestyle="solid" if layout.is_single else look.line_style,
        clip_on=False,
        zorder=3,
        gid=f"{curve.key}-curve",
    )
    axes.plot(
        [point.years for point in curve.censored_points],
        [point.estimate for point in curve.censored_points],
        color=look.colour,
        linestyle="none",
        marker="|",
        markersize=5,
        markeredgewidth=0.7,
        clip_on=False,
        zorder=3,
        gid=f"{curve.key}-censored",
    )


def _thinned(steps: Sequence[CurvePoint], layout: _Layout) -> list[CurvePoint]:
    """The steps without those that lie within half a printed dot of one that is drawn."""
    per_year = layout.width * POINTS_PER_MM / layout.end_years
    per_one = layout.height * POINTS_PER_MM
    drawn: list[CurvePoint] = []
    for step in steps:
        if drawn and step is not steps[-1]:
            before = drawn[-1]
            moves = [(step.years - before.years) * per_year, (before.estimate - step.estimate) * per_one]
            limits = ((step.ci_low, before.ci_low), (step.ci_high, before.ci_high))
            moves += [per_one if a is None or b is None else abs(a - b) * per_one for a, b in limits]
            if max(moves) < _INVISIBLE:
                continue
        drawn.append(step)
    return drawn


def _stairs(
    steps: Sequence[tuple[float, float]], start: tuple[float, float], end_years: float
) -> tuple[list[float], list[float]]:
    """Level from one step to the next, from the start to the end."""
    x, y = [start[0]], [start[1]]
    for years, value in steps:
        x += [years, years]
        y += [y[-1], value]
    return [*x, end_years], [*y, y[-1]]


def _bands(steps: Sequence[CurvePoint], end_years: float) -> Iterator[tuple[list[float], list[float]]]:
    """The outline of the interval band, in as many parts as the limits are defined in."""
    part: list[tuple[float, float, float]] = []
    for step in steps:
        if step.ci_low is not None and step.ci_high is not None:
            part.append((step.years, step.ci_low, step.ci_high))
        elif part:
            yield _outline(part, step.years)
            part = []
    if part:
        yield _outline(part, end_years)


def _outline(part: Sequence[tuple[float, float, float]], end: float) -> tuple[list[float], list[float]]:
    first, low, high = part[0]
    x_low, y_low = _stairs([(years, low) for years, low, _ in part[1:]], (first, low), end)
    x_high, y_high = _stairs([(years, high) for years, _, high in part[1:]], (first, high), end)
    return [*x_high, *reversed(x_low)], [*y_high, *reversed(y_low)]


def _draw_horizon(page: Page, axes: Axes, layout: _Layout) -> None:
    """The line at the horizon; above it the estimate of an only curve, as several have theirs beside them."""
    axes.plot(
        [layout.horizon] * 2,
        [0, 1],
        color=PALE_INK,
        linewidth=0.6,
        linestyle=(0, (4, 2)),
        clip_on=False,
        zorder=2,
        gid="horizon",
    )
    words = in_years(layout.horizon)
    if layout.is_single:
        [curve] = layout.curves
        _draw_estimate(axes, curve)
        words = f"{words}: {curve.estimate_in_words}"
    half = width_of(words) / 2
    x = min(max(layout.x(layout.horizon), MARGIN_MM + half), page.width - MARGIN_MM - half)
    page.text(x, MARGIN_MM + LINE_MM - 0.6, words, ha="center", gid="horizon-words")


def _draw_estimate(axes: Axes, curve: DrawnCurve) -> None:
    """A dot at the horizon, and the limits around it."""
    endpoint = curve.endpoint
    if endpoint.estimate is None:
        return
    if endpoint.ci_low is not None and endpoint.ci_high is not None:
        axes.plot(
            [endpoint.horizon_years] * 2,
            [endpoint.ci_low, endpoint.ci_high],
            color=INK,
            linewidth=0.9,
            marker="_",
            markersize=5,
            clip_on=False,
            zorder=4,
            gid=f"{curve.key}-interval",
        )
    axes.plot(
        [endpoint.horizon_years],
        [endpoint.estimate],
        color=INK,
        marker="o",
        markersize=3.5,
        clip_on=False,
        zorder=5,
        gid=f"{curve.key}-estimate",
    )


def _label_width(curve: DrawnCurve) -> float:
    return max(width_of(curve.name), width_of(curve.estimate_in_figures, SMALL_TYPE))


def _draw_labels(page: Page, layout: _Layout) -> None:
    """Name each curve at its end, with a piece of its line; labels make room for each other."""
    by_height = sorted(layout.curves, key=lambda curve: -curve.points[-1].estimate)
    ends = [layout.y(curve.points[-1].estimate) for curve in by_height]
    places = _spread(ends, _LABEL_MM, layout.y(1), layout.y(0))
    edge = layout.left + layout.width
    for curve, end, place in zip(by_height, ends, places, strict=True):
        sample = edge + _LEADER_MM
        page.line(
            (layout.x(curve.last_years) + 0.5, edge + 0.5, sample - 0.5),
            (end, end, place),
            color=PALE_INK,
            linewidth=0.4,
        )
        _draw_sample(page, curve, sample, place)
        x, y = sample + _SAMPLE_MM + 1.0, place + 1.0
        page.text(x, y, curve.name)
        page.text(x, y + LINE_MM, curve.estimate_in_figures, size=SMALL_TYPE, gid=f"{curve.key}-label")


def _draw_sample(page: Page, curve: DrawnCurve, x: float, y: float) -> None:
    look = LOOKS[curve.key]
    page.line(
        (x, x + _SAMPLE_MM), (y, y), color=look.colour, linewidth=_CURVE_POINTS, linestyle=look.line_style
    )


def _spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Ascending places as near to those wanted as a gap between them and the two ends allow."""
    places: list[float] = []
    for place in wanted:
        places.append(max(place, places[-1] + gap if places else low))
    for number in reversed(range(len(places))):
        places[number] = min(places[number], high - gap * (len(places) - 1 - number))
    return places


def _draw_table(page: Page, layout: _Layout) -> None:
    """At risk, censored and events, each number below its time."""
    y = layout.table_top
    for curve in layout.curves:
        if not layout.is_single:
            y += _ROW_MM
            page.text(MARGIN_MM, y, curve.name, fontweight="bold")
            start = MARGIN_MM + width_of(curve.name, weight="bold") + 1.5
            _draw_sample(page, curve, start, y - 1.0)
        counts = curve.at_risk(layout.ticks)
        for row, name in enumerate(_ROWS):
            y += _ROW_MM
            page.text(MARGIN_MM, y, name)
            for column, at in enumerate(counts):
                page.text(
                    layout.x(at.years),
                    y,
                    fmt.count(_cell(at, row)),
                    ha="center",
                    gid=f"{curve.key}-{name.lower().replace(' ', '-')}-{column}",
                )
        y += _GROUP_GAP_MM


def _cell(at: AtRisk, row: int) -> int:
    return (at.n_at_risk, at.n_censored, at.n_events)[row]


def _caption(summary: Summary, layout: _Layout) -> Iterator[str]:
    """What the reader must know to read the figure."""
    curves = layout.curves
    first = curves[0].endpoint
    interval = f"{fmt.level(first.confidence_level)} confidence interval ({first.ci_method})"
    yield f"Kaplan–Meier estimate{f'; shaded: pointwise {interval}' if layout.has_bands else ''}."
    if any(curve.censored_points for curve in curves):
        yield "Short strokes: censored patients."
    if any(curve.is_censoring_unmarked for curve in curves):
        yield "Censored patients have no stroke where there are too many."
    if layout.is_single:
        yield f"Event: {event_in_words(first)}.{death_rule(first)}"
    else:
        exact = ", the exact one at 0 and 100 %" if any(curve.endpoint.is_exact for curve in curves) else ""
        yield f"Beside each name: the estimate at {in_years(layout.horizon)} and its {interval}{exact}."
        if len(curves) > _MOST_BANDS:
            yield f"Intervals are not shaded for more than {_MOST_BANDS} curves."
        yield from ends_together(curves)
        yield death_rule_of_several(summary.protocol)
    yield "At risk: followed to that time or beyond; censored and events: up to and including it."
    if any(point.years in layout.ticks for curve in curves for point in curve.points):
        yield "A patient whose time is exactly that is in two rows."
    yield from notes(curves)
    yield origin(summary.source, summary.cohort.n_patients, summary.protocol)
