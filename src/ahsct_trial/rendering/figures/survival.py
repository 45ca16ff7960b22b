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

from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.figures.curves import (
    DrawnCurve,
    Month,
    axis_years,
    contrast_line,
    definitions,
    described,
    ends_together,
    how_joined,
    multiples,
    not_drawn,
    notes,
    origin,
    tick_step,
    titled,
)
from ahsct_trial.rendering.figures.page import (
    INK,
    LINE_MM,
    MARGIN_MM,
    PALE_INK,
    SMALL_TYPE,
    TITLE_LINE_MM,
    TITLE_TYPE,
    TYPE,
    Drawing,
    Page,
    journal_style,
    named,
    width_of,
    wrapped,
)
from ahsct_trial.rendering.figures.style import Style
from ahsct_trial.rendering.sections import survival_shown
from ahsct_trial.rendering.sections.compare import LIKELIHOODS
from ahsct_trial.results import Comparison, Summary, SurvivalContrast
from ahsct_trial.wording import in_years, plural

_ROWS = ("At risk", "Censored", "Events")
_CURVE_POINTS = 1.3
#: Of more curves the bands would lie over each other and none could be followed.
_MOST_BANDS = 2
_AXIS_NAME_MM, _ROW_MM, _GAP_MM, _GROUP_GAP_MM = 9.4, 3.6, 2.0, 1.2
#: From the vertical axis to the base line of its name: ticks, and "100".
_BESIDE_AXIS_MM = 10.5
_LOWEST_MM, _HIGHEST_MM = 42.0, 85.0
_SAMPLE_MM, _KEY_ROW_MM = 8.0, 4.2
_MOST_TICKS = 14
#: How much of the band's colour is left where few patients are followed.
_FADED = 0.35


@dataclass(frozen=True)
class _Layout:
    """Where the parts of the figure are [mm], and the times that have a tick."""

    curves: Sequence[DrawnCurve]
    style: Style
    title: Sequence[str]
    contrast: Sequence[str]
    ticks: Sequence[float]
    end_years: float
    left: float
    width: float
    height: float

    @property
    def is_single(self) -> bool:
        """Whether the title alone tells what the curve is."""
        return len(self.curves) == 1 and not self.curves[0].is_of_group

    @property
    def has_bands(self) -> bool:
        return len(self.curves) <= _MOST_BANDS and any(curve.has_band for curve in self.curves)

    @property
    def is_faded(self) -> bool:
        """Whether some of the band is pale."""
        n = self.style.fade_below
        return self.has_bands and any(
            curve.fades_from(n) < curve.last_years for curve in self.curves if curve.has_band
        )

    @property
    def horizon(self) -> float:
        return self.curves[0].endpoint.horizon_years

    @property
    def key_top(self) -> float:
        return MARGIN_MM + len(self.title) * TITLE_LINE_MM

    @property
    def axes_top(self) -> float:
        """Below the key, what separates two groups, and one line of text."""
        contrast = len(self.contrast) * _KEY_ROW_MM + (1.0 if self.contrast else 0.0)
        return self.contrast_top + contrast + LINE_MM + 2.0

    @property
    def contrast_top(self) -> float:
        """Below the key."""
        return self.key_top + (0.0 if self.is_single else (len(self.curves) + 1) * _KEY_ROW_MM + 1.0)

    def x(self, years: float) -> float:
        return self.left + self.width * years / self.end_years

    def y(self, proportion: float) -> float:
        return self.axes_top + self.height * (1 - proportion)

    @property
    def table_top(self) -> float:
        return self.axes_top + self.height + _AXIS_NAME_MM + _GAP_MM

    @property
    def table_height(self) -> float:
        if self.is_single:
            return len(_ROWS) * _ROW_MM
        return len(self.curves) * ((len(_ROWS) + 1) * _ROW_MM + _GROUP_GAP_MM) - _GROUP_GAP_MM


def draw_survival(
    result: Summary | Comparison, curves: Sequence[DrawnCurve], width_mm: float, style: Style | None = None
) -> Drawing:
    """Draw the curves of some endpoints, or of one endpoint in several groups, in one figure.

    Parameters
    ----------
    result
        The results that the curves are taken from.
    curves
        One or more of them, in the order of the key.
    width_mm
        Width of the figure [mm]; its height follows from what stands in it.
    style
        Title, caption, colours, and where the band fades.
    """
    with journal_style():
        contrast = None if len(curves) < 2 else contrast_line(result, curves[0].key)
        layout = _lay_out(curves, contrast or "", width_mm, style or Style())
        legend, about = " ".join(_legend(result, layout)), " ".join(_about(result, curves))
        # What must stand beside every result stands in the picture, with or without its caption.
        alone = [*how_joined(curves), *not_drawn(result, curves[0].key)]
        texts = [
            *filter(None, [result.source.provenance]),
            *([f"{legend} {about}"] if layout.style.has_caption else alone),
        ]
        lines = [line for text in texts for line in wrapped(text, width_mm - 2 * MARGIN_MM)]
        bottom = layout.table_top + layout.table_height + MARGIN_MM
        page = Page(width_mm, bottom + (_GAP_MM + len(lines) * LINE_MM if lines else 0.0))
        for number, words in enumerate(layout.title):
            y = MARGIN_MM + (number + 0.75) * TITLE_LINE_MM
            page.text(MARGIN_MM, y, words, size=TITLE_TYPE, fontweight="bold", gid=f"title-{number}")
        axes = _draw_axes(page, layout, result.protocol.time_zero)
        for curve in curves:
            _draw_curve(axes, curve, layout)
        _draw_horizon(page, axes, layout)
        if not layout.is_single:
            _draw_key(page, layout)
        for number, words in enumerate(layout.contrast):
            y = layout.contrast_top + (number + 0.75) * _KEY_ROW_MM
            page.text(layout.left, y, words, gid=f"contrast-{number}")
        _draw_table(page, layout)
        page.paragraph(bottom + LINE_MM, lines)
    description = " ".join([described(curves), *([f"{contrast}."] if contrast else [])])
    return Drawing(page.figure, layout.style.title or titled(curves), description, legend, about)


def _lay_out(curves: Sequence[DrawnCurve], contrast: str, width_mm: float, style: Style) -> _Layout:
    end = axis_years(curves)
    number = width_of(fmt.count(max(curve.endpoint.n_patients or 0 for curve in curves)))
    left = MARGIN_MM + max(map(width_of, _ROWS)) + 2.0 + number / 2
    width = width_mm - left - max(MARGIN_MM + number / 2, 4.0)
    most = min(_MOST_TICKS, max(2, int(width / (max(number, width_of("0.25")) + 2.0)) + 1))
    return _Layout(
        curves=curves,
        style=style,
        title=[]
        if style.title is None
        else wrapped(style.title, width_mm - 2 * MARGIN_MM, TITLE_TYPE, "bold"),
        contrast=wrapped(contrast, width_mm - MARGIN_MM - left, TYPE),
        ticks=multiples(tick_step(end, curves[0].endpoint.horizon_years, most), 0, end),
        end_years=end,
        left=left,
        width=width,
        height=min(max(width / 2, _LOWEST_MM), _HIGHEST_MM),
    )


def _draw_axes(page: Page, layout: _Layout, time_zero: str) -> Axes:
    axes = page.axes(layout.left, layout.axes_top, layout.width, layout.height)
    axes.set_xlim(0, layout.end_years)
    axes.set_ylim(0, 1)
    axes.set_xticks(layout.ticks, [f"{years:g}" for years in layout.ticks])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    axes.spines["left"].set_position(("outward", 3))
    axes.spines["bottom"].set_position(("outward", 3))
    is_one_endpoint = len({curve.key for curve in layout.curves}) == 1
    what = f"{layout.curves[0].endpoint.label} (%)" if is_one_endpoint else "Event-free (%)"
    x = max(layout.left - _BESIDE_AXIS_MM, MARGIN_MM + LINE_MM - 0.5)
    page.text(x, layout.y(0.5), what, rotation=90, rotation_mode="anchor", ha="center")
    middle = layout.left + layout.width / 2
    page.text(middle, layout.y(0) + _AXIS_NAME_MM, f"Years since {time_zero}", ha="center")
    return axes


def _line_style(curve: DrawnCurve, layout: _Layout) -> Any:
    """As matplotlib wants it: an only curve is solid."""
    dashes = layout.style.dashes(curve.look)
    return "solid" if layout.is_single or not dashes else (0, dashes)


def _draw_curve(axes: Axes, curve: DrawnCurve, layout: _Layout) -> None:
    colour = layout.style.colour(curve.look)
    if layout.has_bands:
        # Two bands that lie over each other must not hide the curves.
        alpha = 0.2 if layout.is_single else 0.12
        fades_from = curve.fades_from(layout.style.fade_below)
        for number, (x, y, is_faded) in enumerate(_bands(curve, fades_from)):
            [band] = axes.fill(
                x, y, facecolor=colour, alpha=alpha * (_FADED if is_faded else 1), linewidth=0, zorder=1
            )
            band.set_gid(f"{curve.gid}-band-{number}")
    x, y = _stairs([(step.years, step.estimate) for step in curve.steps], (0.0, 1.0), curve.last_years)
    axes.plot(
        x,
        y,
        color=colour,
        linewidth=_CURVE_POINTS,
        linestyle=_line_style(curve, layout),
        clip_on=False,
        zorder=3,
        gid=f"{curve.gid}-curve",
    )
    axes.plot(
        [month.years for month in curve.censored],
        [month.estimate for month in curve.censored],
        color=colour,
        linestyle="none",
        marker="|",
        markersize=5,
        markeredgewidth=0.7,
        clip_on=False,
        zorder=3,
        gid=f"{curve.gid}-censored",
    )


def _stairs(
    steps: Sequence[tuple[float, float]], start: tuple[float, float], end_years: float
) -> tuple[list[float], list[float]]:
    """Level from one step to the next, from the start to the end."""
    x, y = [start[0]], [start[1]]
    for years, value in steps:
        if value != y[-1]:
            x += [years, years]
            y += [y[-1], value]
    return [*x, end_years], [*y, y[-1]]


def _bands(curve: DrawnCurve, fades_from: float) -> Iterator[tuple[list[float], list[float], bool]]:
    """The outline of the interval band in parts: where the limits are defined, before and after it fades."""
    ends = [*(step.years for step in curve.steps[1:]), curve.last_years][: len(curve.steps)]
    part: list[tuple[float, float, float]] = []
    for step, end in zip(curve.steps, ends, strict=True):
        if step.ci_low is None or step.ci_high is None:
            continue
        limits = (step.ci_low, step.ci_high)
        part.append((step.years, *limits))
        if step.years < fades_from < end:
            yield *_outline(part, fades_from), False
            part = [(fades_from, *limits)]
        is_last = end == curve.last_years or not _goes_on(curve, end)
        if is_last or end == fades_from:
            yield *_outline(part, end), part[0][0] >= fades_from
            part = []


def _goes_on(curve: DrawnCurve, years: float) -> bool:
    """Whether the step at a time has limits."""
    step: Month | None = curve.at(years)
    return step is not None and step.ci_low is not None and step.ci_high is not None


def _outline(part: Sequence[tuple[float, float, float]], end: float) -> tuple[list[float], list[float]]:
    first, low, high = part[0]
    x_low, y_low = _stairs([(years, low) for years, low, _ in part[1:]], (first, low), end)
    x_high, y_high = _stairs([(years, high) for years, _, high in part[1:]], (first, high), end)
    return [*x_high, *reversed(x_low)], [*y_high, *reversed(y_low)]


def _draw_horizon(page: Page, axes: Axes, layout: _Layout) -> None:
    """The line at the horizon; above it the estimate of an only curve, as several have theirs in the key."""
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
    page.text(x, layout.axes_top - 2.6, words, ha="center", gid="horizon-words")


def _draw_estimate(axes: Axes, curve: DrawnCurve) -> None:
    """A dot at the horizon, and the limits around it."""
    estimate = survival_shown(curve.endpoint)
    if estimate.value is None:
        return
    years = curve.endpoint.horizon_years
    if estimate.ci_low is not None and estimate.ci_high is not None:
        axes.plot(
            [years] * 2,
            [estimate.ci_low, estimate.ci_high],
            color=INK,
            linewidth=0.9,
            marker="_",
            markersize=5,
            clip_on=False,
            zorder=4,
            gid=f"{curve.gid}-interval",
        )
    axes.plot(
        [years],
        [estimate.value],
        color=INK,
        marker="o",
        markersize=3.5,
        clip_on=False,
        zorder=5,
        gid=f"{curve.gid}-estimate",
    )


def _draw_key(page: Page, layout: _Layout) -> None:
    """A piece of each line with its name and its estimate at the horizon, in the order of the lines' ends."""
    figures = max(width_of(curve.estimate_in_figures) for curve in layout.curves)
    room = page.width - 2 * MARGIN_MM - _SAMPLE_MM - 2.0 - 3.0 - figures
    shown_names = [named(curve.name, "", room) for curve in layout.curves]
    names = max(map(width_of, shown_names))
    # Above the axes, and further to the left on a narrow page.
    right_of_names = _SAMPLE_MM + 2.0 + names + 3.0
    left = max(min(layout.left, page.width - MARGIN_MM - right_of_names - figures), MARGIN_MM)
    beside = left + right_of_names
    confidence = fmt.level(survival_shown(layout.curves[0].endpoint).confidence_level or 0.95)
    y = layout.key_top + 0.75 * _KEY_ROW_MM
    page.text(beside, y, f"At {in_years(layout.horizon)} ({confidence} CI)", size=SMALL_TYPE, color=PALE_INK)
    for curve, name in zip(layout.curves, shown_names, strict=True):
        y += _KEY_ROW_MM
        _draw_sample(page, curve, layout, (left, y - 1.0))
        page.text(left + _SAMPLE_MM + 2.0, y, name, size=TYPE)
        page.text(beside, y, curve.estimate_in_figures, size=TYPE, gid=f"{curve.gid}-label")


def _draw_sample(page: Page, curve: DrawnCurve, layout: _Layout, place: tuple[float, float]) -> None:
    x, y = place
    page.line(
        (x, x + _SAMPLE_MM),
        (y, y),
        color=layout.style.colour(curve.look),
        linewidth=_CURVE_POINTS,
        linestyle=_line_style(curve, layout),
    )


def _draw_table(page: Page, layout: _Layout) -> None:
    """At risk, censored and events, each number below its time."""
    y = layout.table_top
    for curve in layout.curves:
        if not layout.is_single:
            y += _ROW_MM
            room = page.width - 2 * MARGIN_MM - _SAMPLE_MM - 1.5
            name = named(curve.name, "", room, weight="bold")
            page.text(MARGIN_MM, y, name, fontweight="bold")
            start = MARGIN_MM + width_of(name, weight="bold") + 1.5
            _draw_sample(page, curve, layout, (start, y - 1.0))
        counts = curve.at_risk(layout.ticks)
        for row, name in enumerate(_ROWS):
            y += _ROW_MM
            page.text(MARGIN_MM, y, name)
            for column, at in enumerate(counts):
                page.text(
                    layout.x(at.years),
                    y,
                    fmt.count(at.counts[row]),
                    ha="center",
                    gid=f"{curve.gid}-{name.lower().replace(' ', '-')}-{column}",
                )
        y += _GROUP_GAP_MM


def _legend(result: Summary | Comparison, layout: _Layout) -> Iterator[str]:
    """How to read the figure."""
    curves = layout.curves
    shown = survival_shown(curves[0].endpoint)
    protocol = result.protocol
    interval = f"{fmt.level(protocol.confidence_level)} confidence interval ({protocol.ci_method})"
    yield f"Kaplan–Meier estimate{f'; shaded: pointwise {interval}' if layout.has_bands else ''}."
    if layout.is_faded:
        n = layout.style.fade_below
        yield f"The band is pale where fewer than {n:,} {plural('patient', n)} are followed."
    if any(curve.censored for curve in curves):
        yield "Short strokes: patients censored."
    if any(curve.is_censoring_unmarked for curve in curves):
        yield "Censored patients have no stroke where there are too many."
    yield "Events and losses of a month are drawn at its end, so that no patient's day can be read off."
    yield from how_joined(curves)
    if layout.is_single and shown is not curves[0].endpoint.survival:
        yield f"The limits at {in_years(layout.horizon)} are those of the {fmt.method(shown)} interval."
    if not layout.is_single:
        yield f"In the key: the estimate at {in_years(layout.horizon)} and its {interval}."
        if any(survival_shown(curve.endpoint) is not curve.endpoint.survival for curve in curves):
            yield "At 0 and 100 % it is the beta product interval."
        yield from _about_ratio(result, layout)
        if len(curves) > _MOST_BANDS:
            yield f"Intervals are not shaded for more than {_MOST_BANDS} curves."
        yield from ends_together(curves)
    yield "At risk: followed to that time or beyond; censored and events: up to and including it."
    if any(_is_in_two_rows(curve, layout.ticks) for curve in curves):
        yield "A patient whose time is that of a tick is in two rows."


def _about_ratio(result: Summary | Comparison, layout: _Layout) -> Iterator[str]:
    """Over which time the hazard ratio is, and why its likelihood was taken."""
    if not isinstance(result, Comparison) or not layout.contrast:
        return
    [contrast] = result.contrasts
    endpoint: SurvivalContrast = getattr(contrast.endpoints, layout.curves[0].key)
    if endpoint.hazard_ratio.value is not None:
        yield "The hazard ratio, with limits of the profile likelihood, is over all follow-up."
        yield f"{LIKELIHOODS[endpoint.hazard_ratio.ci_method or '']}: {endpoint.hazard_ratio.note}"


def _about(result: Summary | Comparison, curves: Sequence[DrawnCurve]) -> Iterator[str]:
    """What the figure shows."""
    yield from definitions(curves)
    yield from notes(curves)
    yield from not_drawn(result, curves[0].key)
    yield origin(result)


def _is_in_two_rows(curve: DrawnCurve, ticks: Sequence[float]) -> bool:
    n = curve.at_risk([0.0])[0].n_at_risk
    return any(sum(each or 0 for each in at.counts) > (n or 0) for at in curve.at_risk(ticks))
