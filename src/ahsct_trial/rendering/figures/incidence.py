"""The incidence figure: first events by type, stacked, with the numbers below the axis; a panel per group.

The height of an area is the cumulative incidence of its type, and the upper edge of the stack 1 less the
Kaplan–Meier curve. Times are drawn to the month, as in any picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from matplotlib.axes import Axes

from ahsct_trial.catalogue import EVENTS
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.figures.curves import (
    DrawnCurve,
    axis_years,
    end_of_month,
    how_joined,
    multiples,
    tick_step,
)
from ahsct_trial.rendering.figures.page import (
    INK,
    LINE_MM,
    MARGIN_MM,
    PALE_INK,
    SMALL_TYPE,
    TITLE_LINE_MM,
    TITLE_TYPE,
    Drawing,
    Page,
    journal_style,
    named,
    width_of,
    wrapped,
)
from ahsct_trial.rendering.figures.style import Style
from ahsct_trial.rendering.sections import source_name
from ahsct_trial.results import TOOL, Estimate, IncidenceCurves, IncidenceGroup
from ahsct_trial.wording import in_years, plural

_WORDS = {event.key: f"{event.words[0].upper()}{event.words[1:]}" for event in EVENTS}
_HEADINGS = {event.key: event.heading for event in EVENTS}
#: The place of each type among a palette's colours: those that it has in the timeline.
_LOOKS = {"relapse": 1, "new_lesion": 0, "worsening": 3, "therapy": 6, "death": 4}
#: Without colour the types differ in lightness, and everywhere in their hatching.
_GREYS = {
    "relapse": "#D9D9D9",
    "new_lesion": "#A6A6A6",
    "worsening": "#737373",
    "therapy": "#BFBFBF",
    "death": "#262626",
}
_HATCHES = {"relapse": "", "new_lesion": "////", "worsening": "\\\\\\\\", "therapy": "xxxx", "death": ""}
_LIGHT = {"relapse": 0.55, "new_lesion": 0.35, "worsening": 0.55, "therapy": 0.35, "death": 0.85}
_ANY, _ANY_WORDS = "any", "Any of these"
_ROWS = ("At risk", "Censored", "Events")
#: Where the vertical axis may end, and from tick to tick [shares].
_TOPS = ((0.1, 0.02), (0.25, 0.05), (0.5, 0.1), (0.75, 0.25), (1.0, 0.25))
_AXIS_NAME_MM, _ROW_MM, _GAP_MM, _PANEL_GAP_MM = 9.4, 3.6, 2.0, 7.0
#: From the vertical axis to the base line of its name: ticks, and "100".
_BESIDE_AXIS_MM = 10.5
_LOWEST_MM, _HIGHEST_MM = 38.0, 75.0
_SWATCH_MM, _KEY_ROW_MM, _KEY_GAP_MM = 5.0, 4.2, 3.5
#: A panel is at least so wide where several stand beside each other.
_NARROWEST_PANEL_MM = 78.0
_MOST_TICKS = 14


@dataclass(frozen=True)
class DrawnIncidence:
    """The stack of one group.

    Attributes
    ----------
    group
        The results.
    name
        What the group is called; empty for all patients.
    curve
        Its Kaplan–Meier curve, which has the numbers below the axis.
    """

    group: IncidenceGroup
    name: str
    curve: DrawnCurve

    @property
    def types(self) -> tuple[str, ...]:
        """The types of event, from the lowest area up: what is gravest stands on the axis."""
        return tuple(reversed(self.group.incidence))

    @cached_property
    def months(self) -> tuple[tuple[float, tuple[float, ...]], ...]:
        """The months with events: their ends [years], and the upper edge of each area from there on."""
        by_month: dict[float, tuple[float, ...]] = {}
        courses = (self.group.incidence[key] for key in self.types)
        for years, *incidences in zip(self.group.years, *courses, strict=True):
            by_month[end_of_month(years)] = tuple(accumulate(incidences))
        return tuple(by_month.items())

    @property
    def highest(self) -> float:
        """The upper edge of the stack at its end."""
        return self.months[-1][1][-1] if self.months else 0.0

    def edge(self, place: int) -> list[tuple[float, float]]:
        """The corners of the upper edge of an area, from time zero to the end; −1 is the axis."""
        corners = [(0.0, 0.0)]
        for years, edges in self.months:
            height = edges[place] if place >= 0 else 0.0
            if height != corners[-1][1]:
                corners += [(years, corners[-1][1]), (years, height)]
        return [*corners, (self.curve.last_years, corners[-1][1])]


def drawn_incidence(result: IncidenceCurves) -> list[DrawnIncidence]:
    """The stack of each group of which the data tell.

    Raises
    ------
    UsageError
        If there is none; the text says why.
    """
    window = result.protocol.landmark_window_days
    drawn = []
    for place, group in enumerate(result.groups):
        if not len(group.endpoint.curve):
            continue
        name = "" if group.level is None else shown(group.level)
        gid = result.key if group.level is None else f"{result.key}-{place}"
        drawn.append(
            DrawnIncidence(group, name, DrawnCurve(result.key, name, gid, 0, group.endpoint, window))
        )
    if not drawn:
        note = result.groups[0].endpoint.note
        raise UsageError(
            f"There is no incidence of {result.key} in {source_name(result.source)}. {note} Draw another with "
            "--endpoint."
        )
    return drawn


@dataclass(frozen=True)
class _Layout:
    """Where the parts of a panel are, from its upper left corner [mm], and what all panels share."""

    stacks: Sequence[DrawnIncidence]
    style: Style
    title: Sequence[str]
    n_columns: int
    panel: float
    left: float
    width: float
    height: float
    ticks: Sequence[float]
    end_years: float
    top: float
    step: float

    @property
    def types(self) -> tuple[str, ...]:
        return self.stacks[0].types

    @property
    def horizon(self) -> float:
        return self.stacks[0].curve.endpoint.horizon_years

    @property
    def is_faded(self) -> bool:
        n = self.style.fade_below
        return any(each.curve.fades_from(n) < each.curve.last_years and each.months for each in self.stacks)

    @property
    def key_top(self) -> float:
        return _KEY_ROW_MM + 0.8 if self.stacks[0].name else 0.0

    @property
    def axes_top(self) -> float:
        return self.key_top + (len(self.types) + 2) * _KEY_ROW_MM + LINE_MM + 2.5

    @property
    def table_top(self) -> float:
        return self.axes_top + self.height + _AXIS_NAME_MM + _GAP_MM

    @property
    def panel_height(self) -> float:
        return self.table_top + len(_ROWS) * _ROW_MM

    def corner(self, number: int) -> tuple[float, float]:
        """The upper left corner of a panel on the page [mm]."""
        row, column = divmod(number, self.n_columns)
        above = MARGIN_MM + (len(self.title) * TITLE_LINE_MM + _GAP_MM if self.title else 0.0)
        return (
            MARGIN_MM + column * (self.panel + _PANEL_GAP_MM),
            above + row * (self.panel_height + _PANEL_GAP_MM),
        )

    @property
    def bottom(self) -> float:
        """Below the last panel."""
        return self.corner(len(self.stacks) - 1)[1] + self.panel_height

    def x(self, years: float) -> float:
        return self.left + self.width * years / self.end_years

    def y(self, share: float) -> float:
        return self.axes_top + self.height * (1 - share / self.top)


def draw_incidence(
    result: IncidenceCurves, stacks: Sequence[DrawnIncidence], width_mm: float, style: Style | None = None
) -> Drawing:
    """Draw the stack of each group in a panel of its own.

    Parameters
    ----------
    result
        The results that the stacks are taken from.
    stacks
        One or more of them, as `drawn_incidence` gives them.
    width_mm
        Width of the figure [mm]; its height follows from the number of panels.
    style
        Title, caption, colours, and below how many patients the areas are pale.
    """
    with journal_style():
        layout = _lay_out(stacks, width_mm, style or Style())
        legend, about = " ".join(_legend(result, layout)), " ".join(_about(result, stacks))
        # What must stand beside every result stands in the picture, with or without its caption.
        alone = [*how_joined([stack.curve for stack in stacks])]
        texts = [
            *filter(None, [result.source.provenance]),
            *([f"{legend} {about}"] if layout.style.has_caption else alone),
        ]
        lines = [line for text in texts for line in wrapped(text, width_mm - 2 * MARGIN_MM)]
        bottom = layout.bottom + MARGIN_MM
        page = Page(width_mm, bottom + (_GAP_MM + len(lines) * LINE_MM if lines else 0.0))
        for number, words in enumerate(layout.title):
            y = MARGIN_MM + (number + 0.75) * TITLE_LINE_MM
            page.text(MARGIN_MM, y, words, size=TITLE_TYPE, fontweight="bold", gid=f"title-{number}")
        for number, stack in enumerate(stacks):
            _Panel(page, layout, stack, layout.corner(number)).draw(result.protocol.time_zero)
        page.paragraph(bottom + LINE_MM, lines)
    title = layout.style.title or _title(result, stacks)
    return Drawing(page.figure, title, " ".join(_description(stacks)), legend, about)


def _lay_out(stacks: Sequence[DrawnIncidence], width_mm: float, style: Style) -> _Layout:
    curves = [each.curve for each in stacks]
    inner = width_mm - 2 * MARGIN_MM
    fitting = int((inner + _PANEL_GAP_MM) / (_NARROWEST_PANEL_MM + _PANEL_GAP_MM))
    n_columns = max(1, min(len(stacks), fitting))
    panel = (inner - (n_columns - 1) * _PANEL_GAP_MM) / n_columns
    number = width_of(fmt.count(max(curve.endpoint.n_patients or 0 for curve in curves)))
    left = max(max(map(width_of, _ROWS)) + 2.0 + number / 2, _BESIDE_AXIS_MM + LINE_MM - 0.5)
    width = panel - left - max(number / 2, 2.0)
    end = axis_years(curves)
    most = min(_MOST_TICKS, max(2, int(width / (max(number, width_of("0.25")) + 2.0)) + 1))
    highest = max(each.highest for each in stacks)
    top, step = next(each for each in _TOPS if each[0] >= min(highest * 1.02, 1.0))
    return _Layout(
        stacks=stacks,
        style=style,
        title=[] if style.title is None else wrapped(style.title, inner, TITLE_TYPE),
        n_columns=n_columns,
        panel=panel,
        left=left,
        width=width,
        height=min(max(width / 2, _LOWEST_MM), _HIGHEST_MM),
        ticks=multiples(tick_step(end, curves[0].endpoint.horizon_years, most), 0, end),
        end_years=end,
        top=top,
        step=step,
    )


@dataclass(frozen=True)
class _Panel:
    """One group's part of the page, at its upper left corner [mm]."""

    page: Page
    layout: _Layout
    stack: DrawnIncidence
    corner: tuple[float, float]

    def draw(self, time_zero: str) -> None:
        """Draw the name, the key, the stack and the numbers below it."""
        if self.stack.name:
            n = self.stack.group.endpoint.n_patients or 0
            count = f" ({n:,} {plural('patient', n)})"
            name = named(self.stack.name, count, self.layout.panel, weight="bold")
            self._text(0.0, 0.8 * _KEY_ROW_MM, name, fontweight="bold", gid=f"{self._gid}-name")
        self._draw_key()
        axes = self._draw_axes(time_zero)
        self._draw_areas(axes)
        self._draw_table()

    @property
    def _gid(self) -> str:
        return self.stack.curve.gid

    def _text(self, x: float, y: float, words: str, **style: Any) -> None:
        self.page.text(self.corner[0] + x, self.corner[1] + y, words, **style)

    def _draw_key(self) -> None:
        """Each type from the upper area down, with its events and its incidence at the horizon."""
        layout, group = self.layout, self.stack.group
        shares = {**group.endpoint.incidence, _ANY: group.any_event}
        counts = {**group.endpoint.events_by_type, _ANY: group.endpoint.n_events}
        heading = f"First event by {in_years(layout.horizon)}"
        estimates = {key: _words(share).replace(" %", "") for key, share in shares.items()}
        level = fmt.level(group.any_event.confidence_level or 0.95)
        # What stands left and right of the names.
        beside = (
            _SWATCH_MM + 2.0 + width_of("1,000") + 1.0 + _KEY_GAP_MM + max(map(width_of, estimates.values()))
        )
        names = _names(layout.types, layout.panel - beside)
        longest = max(width_of(heading, SMALL_TYPE), *map(width_of, names.values()))
        left = min(layout.left, max(layout.panel - beside - longest, 0.0))
        at = left + _SWATCH_MM + 2.0
        n_right = at + longest + width_of("1,000") + 1.0
        y = layout.key_top + 0.75 * _KEY_ROW_MM
        self._text(at, y, heading, size=SMALL_TYPE, color=PALE_INK)
        self._text(n_right, y, "n", ha="right", size=SMALL_TYPE, color=PALE_INK)
        self._text(n_right + _KEY_GAP_MM, y, f"% ({level} CI)", size=SMALL_TYPE, color=PALE_INK)
        for key in [*reversed(layout.types), _ANY]:
            y += _KEY_ROW_MM
            if any(group.incidence.get(key, ())):  # what never happened has no area
                self._draw_swatch(key, left, y)
            self._text(at, y, names[key])
            self._text(n_right, y, fmt.count(counts[key]), ha="right", gid=f"{self._gid}-{key}-n")
            self._text(n_right + _KEY_GAP_MM, y, estimates[key], gid=f"{self._gid}-{key}-label")

    def _draw_swatch(self, key: str, x: float, y: float) -> None:
        axes = self.page.axes(self.corner[0] + x, self.corner[1] + y - 2.6, _SWATCH_MM, 3.0)
        axes.set_axis_off()
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        _fill(axes, [(0, 0), (1, 0), (1, 1), (0, 1)], key, self.layout.style)

    def _draw_axes(self, time_zero: str) -> Axes:
        layout = self.layout
        x, y = self.corner
        axes = self.page.axes(x + layout.left, y + layout.axes_top, layout.width, layout.height)
        axes.set_xlim(0, layout.end_years)
        axes.set_ylim(0, layout.top)
        axes.set_xticks(layout.ticks, [f"{years:g}" for years in layout.ticks])
        shares = multiples(layout.step, 0, layout.top)
        axes.set_yticks(shares, [f"{100 * share:.0f}" for share in shares])
        axes.spines["left"].set_position(("outward", 3))
        axes.spines["bottom"].set_position(("outward", 3))
        middle = layout.axes_top + layout.height / 2
        name = "Cumulative incidence (%)"
        self._text(
            layout.left - _BESIDE_AXIS_MM, middle, name, rotation=90, rotation_mode="anchor", ha="center"
        )
        centre = layout.left + layout.width / 2
        self._text(centre, layout.y(0) + _AXIS_NAME_MM, f"Years since {time_zero}", ha="center")
        return axes

    def _draw_areas(self, axes: Axes) -> None:
        layout, stack = self.layout, self.stack
        for place, key in enumerate(stack.types):
            lower, upper = stack.edge(place - 1), stack.edge(place)
            if lower != upper:
                _fill(axes, [*upper, *reversed(lower)], key, layout.style, gid=f"{self._gid}-{key}")
        fades_from = stack.curve.fades_from(layout.style.fade_below)
        if fades_from < stack.curve.last_years and stack.months:
            span = (fades_from, stack.curve.last_years)
            axes.fill_between(span, 0, stack.highest, color="white", alpha=0.5, linewidth=0, zorder=2)
        edge = stack.edge(len(stack.types) - 1)
        axes.plot(
            [years for years, _ in edge],
            [share for _, share in edge],
            color=INK,
            linewidth=0.9,
            clip_on=False,
            zorder=3,
            gid=f"{self._gid}-any",
        )
        axes.plot(
            [layout.horizon] * 2,
            [0, layout.top],
            color=PALE_INK,
            linewidth=0.6,
            linestyle=(0, (4, 2)),
            clip_on=False,
            zorder=4,
            gid=f"{self._gid}-horizon",
        )
        words = in_years(layout.horizon)
        half = width_of(words, SMALL_TYPE) / 2
        x = min(max(layout.x(layout.horizon), half), layout.panel - half)
        self._text(x, layout.axes_top - 1.6, words, ha="center", size=SMALL_TYPE, color=PALE_INK)

    def _draw_table(self) -> None:
        """At risk, censored and events, each number below its time."""
        y = self.layout.table_top
        counts = self.stack.curve.at_risk(self.layout.ticks)
        for row, name in enumerate(_ROWS):
            y += _ROW_MM
            self._text(0.0, y, name)
            for column, at in enumerate(counts):
                gid = f"{self._gid}-{name.lower().replace(' ', '-')}-{column}"
                self._text(self.layout.x(at.years), y, fmt.count(at.counts[row]), ha="center", gid=gid)


def _fill(
    axes: Axes, corners: Sequence[tuple[float, float]], key: str, style: Style, gid: str | None = None
) -> None:
    """An area in the look of its type: a colour, and a hatching that print without colour keeps."""
    is_grey = style.palette == "grey"
    colour = _GREYS[key] if is_grey else _tinted(style.colour(_LOOKS[key]), _LIGHT[key])
    ink = INK if is_grey else style.colour(_LOOKS[key])
    [area] = axes.fill(
        [x for x, _ in corners],
        [y for _, y in corners],
        facecolor=colour,
        edgecolor=ink,
        linewidth=0.4,
        hatch=_HATCHES[key],
        zorder=1,
        clip_on=False,
    )
    area.set_hatch_linewidth(0.5)
    if gid is not None:
        area.set_gid(gid)


def _names(types: Sequence[str], room: float) -> dict[str, str]:
    """What the types are called where names have so much room [mm]."""
    words = {key: _WORDS[key] for key in types}
    is_fitting = max(map(width_of, words.values())) <= room
    return {**(words if is_fitting else {key: _HEADINGS[key] for key in types}), _ANY: _ANY_WORDS}


def _tinted(colour: str, strength: float) -> str:
    """A colour on white paper, so strong."""
    channels = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - strength * (255 - channel)):02X}" for channel in channels)


def _title(result: IncidenceCurves, stacks: Sequence[DrawnIncidence]) -> str:
    by = "" if result.by is None else f" by {result.by}"
    return f"{stacks[0].curve.endpoint.label}: cumulative incidence of first events{by}"


def _legend(result: IncidenceCurves, layout: _Layout) -> Iterator[str]:
    """How to read the figure."""
    protocol = result.protocol
    level = fmt.level(protocol.confidence_level)
    yield (
        "Aalen–Johansen estimates, stacked: the height of an area is the cumulative incidence of that type "
        "of first event, with the others competing; the upper edge is 100 % less the Kaplan–Meier estimate."
    )
    if layout.is_faded:
        n = layout.style.fade_below
        yield f"Areas are pale where fewer than {n:,} {plural('patient', n)} are followed."
    yield "Events of a month are drawn at its end, so that no patient's day can be read off."
    yield from how_joined([stack.curve for stack in layout.stacks])
    yield (
        f"In the key: first events by {in_years(layout.horizon)} and their cumulative incidence with its "
        f"{level} confidence interval, for a type log-log on the incidence, for any of them that of the "
        f"Kaplan–Meier estimate{_methods(layout)}."
    )
    if layout.top < 1:
        yield f"The vertical axis ends at {100 * layout.top:.0f} %."
    yield "At risk: followed to that time or beyond; censored and events: up to and including it."


def _methods(layout: _Layout) -> str:
    """How the intervals of all types together were made, in brackets."""
    methods = (stack.group.any_event for stack in layout.stacks if stack.group.any_event.ci_method)
    names = dict.fromkeys(map(fmt.method, methods))
    return f" ({fmt.listed(names)})" if names else ""


def _about(result: IncidenceCurves, stacks: Sequence[DrawnIncidence]) -> Iterator[str]:
    """What the figure shows."""
    yield stacks[0].curve.endpoint.definition
    for group in result.groups:
        if group.endpoint.note:
            level = "" if group.level is None else f"{shown(group.level)}: "
            yield f"{level}{group.endpoint.note}"
    if result.n_without_level:
        n = result.n_without_level
        yield f"{n:,} {plural('patient', n)} without {result.by} left out: in no group."
    n = result.n_patients
    yield (
        f"{source_name(result.source)}: {n:,} {plural('patient', n)}; protocol "
        f"{shown(result.protocol.name, longest=200)}; {TOOL.name} {TOOL.version}."
    )


def _description(stacks: Sequence[DrawnIncidence]) -> Iterator[str]:
    """The drawing in words, for whoever cannot see it."""
    yield "Stacked cumulative incidence of first events by type."
    for stack in stacks:
        endpoint = stack.group.endpoint
        at = f"at {in_years(endpoint.horizon_years)}"
        shares: Mapping[str, Estimate] = endpoint.incidence
        said = "; ".join(f"{_WORDS[key].lower()} {_words(share)}" for key, share in shares.items())
        name = f"{stack.name}: " if stack.name else ""
        yield f"{name}{said}; any of these {_words(stack.group.any_event)} {at}."
    yield stacks[0].curve.endpoint.definition


def _words(share: Estimate) -> str:
    return "no estimate" if share.value is None else fmt.with_limits(share)
