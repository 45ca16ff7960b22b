"""The timeline figure: a line per patient around transplant, with what happened on it; groups under headings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes

from ahsct_trial.escaping import shown
from ahsct_trial.rendering.figures.curves import multiples, tick_step
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
    TITLE_LINE_MM,
    TITLE_TYPE,
    VERMILLION,
    YELLOW,
    Drawing,
    Page,
    journal_style,
    named,
    width_of,
    wrapped,
)
from ahsct_trial.rendering.figures.style import Style
from ahsct_trial.rendering.sections import source_name
from ahsct_trial.results import TOOL
from ahsct_trial.wording import plural

if TYPE_CHECKING:
    from ahsct_trial.timelines import PatientTimeline, Timeline

#: From one patient's line to the next [mm]: for a few patients, and as the height of a page divides.
_WIDEST_PITCH_MM, _LONGEST_MM = 4.0, 215.0
#: Identifiers stand beside lines that leave room for this size of type [points].
_SMALLEST_TYPE = 5.5
_LONGEST_NAME = 16
_NAME_MM, _AXIS_NAME_MM = 2.0, 9.4
#: Above the first line of a group, and from the base line of its heading to the line [mm].
_HEADING_MM, _BELOW_HEADING_MM = 6.0, 1.8
_KEY_ROW_MM, _KEY_MARK_MM, _KEY_GAP_MM = 4.2, 3.6, 3.5
_HISTORY = "observation before time zero"
_LESIONS = {
    "gd": "gadolinium-enhancing",
    "t2": "new or enlarging T2",
    "either": "gadolinium-enhancing or new or enlarging T2",
}
_MOST_TICKS = 12


@dataclass(frozen=True)
class _Mark:
    """A kind of mark.

    `words` name it in the key: for records, and for a patient table, which knows one of its kind. `size` is
    its height in lines.
    """

    kind: str
    words: tuple[str, str]
    size: float
    style: dict[str, Any]


@dataclass(frozen=True)
class LineNames:
    """What stands beside the lines, from the upper one down, and what the caption says of it."""

    names: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class _Rows:
    """Where the lines stand, in steps from one line to the next, the upper edge at −0.5.

    Attributes
    ----------
    lines
        The patients in order.
    places
        The height of each line.
    spans
        For each group its name, its count in words, and the upper and lower edge of its lines; without groups
        one, unnamed.
    pitch
        From one line to the next [mm].
    """

    lines: Sequence[PatientTimeline]
    places: tuple[float, ...]
    spans: tuple[tuple[str, str, float, float], ...]
    pitch: float

    @classmethod
    def of(cls, timeline: Timeline) -> _Rows:
        """Stack the groups, each below room for its heading."""
        heading = _HEADING_MM if timeline.by is not None else 0.0
        room = _LONGEST_MM - heading * len(timeline.levels)
        pitch = min(_WIDEST_PITCH_MM, room / len(timeline.patients))
        places: list[float] = []
        spans = []
        top = -0.5
        for level, group in groupby(timeline.patients, key=lambda line: line.group):
            n = len(list(group))
            top += heading / pitch
            count = "" if level is None else f" ({n:,} {plural('patient', n)})"
            spans.append((shown(level or ""), count, top, top + n))
            places += [top + 0.5 + row for row in range(n)]
            top += n
        return cls(timeline.patients, tuple(places), tuple(spans), pitch)

    @property
    def bottom(self) -> float:
        return self.spans[-1][-1]

    @property
    def height(self) -> float:
        """Of all lines and headings [mm]."""
        return (self.bottom + 0.5) * self.pitch

    def mm(self, place: float) -> float:
        """From the upper edge to a place [mm]."""
        return (place + 0.5) * self.pitch


_EDGE = {"markeredgecolor": "white"}
_STROKE = {"marker": "|"}
_MARKS = (
    _Mark("scan", ("scan", "last scan"), 0.5, {"color": INK, **_STROKE}),
    _Mark(
        "untold-scan",
        ("scan without count", "last scan after a lesion"),
        0.5,
        {"color": "#A6A6A6", **_STROKE},
    ),
    _Mark(
        "relapse",
        ("relapse", "first relapse"),
        0.6,
        {"color": VERMILLION, "marker": "o", **_EDGE},
    ),
    _Mark(
        "lesion-scan",
        ("scan with lesion", "first new lesion"),
        0.6,
        {"color": BLUE, "marker": "D", **_EDGE},
    ),
    _Mark(
        "worsening",
        ("confirmed worsening",) * 2,
        0.8,
        {"color": PURPLE, "marker": "^", **_EDGE},
    ),
    _Mark(
        "improvement",
        ("confirmed improvement",) * 2,
        0.8,
        {"color": GREEN, "marker": "v", **_EDGE},
    ),
    _Mark(
        "therapy",
        ("start of a therapy",) * 2,
        0.6,
        {"color": YELLOW, "marker": "s", **_EDGE},
    ),
    _Mark("death", ("death",) * 2, 0.8, {"color": INK, "marker": "X", **_EDGE}),
)
#: Smallest and largest mark [points]; between close lines a mark may be higher than its line.
_MARK_POINTS = (2.6, 5.5)


def draw_timeline(timeline: Timeline, width_mm: float, style: Style | None = None) -> Drawing:
    """Draw a line for each patient, the longest follow-up above; groups one below the other, each headed.

    Parameters
    ----------
    timeline
        The patients' courses.
    width_mm
        Width of the figure [mm]; its height follows from the number of patients.
    style
        Title, and whether the caption stands in the picture.
    """
    style = style or Style()
    with journal_style():
        rows = _Rows.of(timeline)
        pitch = rows.pitch
        beside = line_names(rows.lines) if _has_names(pitch) else _numbers(timeline)
        names = beside.names
        size = _name_type(pitch) if _has_names(pitch) else SMALL_TYPE
        left = MARGIN_MM + max(width_of(name, size) for name in names) + _NAME_MM
        inner = width_mm - 2 * MARGIN_MM
        title = [] if style.title is None else wrapped(style.title, inner, TITLE_TYPE, "bold")
        key_top = MARGIN_MM + len(title) * TITLE_LINE_MM
        key = _key_rows(timeline, inner)
        legend, about = " ".join(_legend(timeline, beside)), _about(timeline)
        texts = [f"{legend} {about}"] if style.has_caption else []
        # What must stand beside every result stands in the picture, with or without its caption.
        texts = [*filter(None, [timeline.source.provenance]), *texts]
        lines = [line for text in texts for line in wrapped(text, inner)]
        top = key_top + len(key) * _KEY_ROW_MM + 1.0
        bottom = top + rows.height + _AXIS_NAME_MM + MARGIN_MM
        page = Page(width_mm, bottom + (2.0 + len(lines) * LINE_MM if lines else 0.0))
        for number, words in enumerate(title):
            y = MARGIN_MM + (number + 0.75) * TITLE_LINE_MM
            page.text(MARGIN_MM, y, words, size=TITLE_TYPE, fontweight="bold", gid=f"title-{number}")
        axes = page.axes(left, top, width_mm - left - 2 * MARGIN_MM, rows.height)
        _draw_axes(page, axes, timeline, rows, top + rows.height)
        for row, (name, place) in enumerate(zip(names, rows.places, strict=True)):
            y = top + rows.mm(place) + 0.12 * size
            page.text(left - _NAME_MM, y, name, ha="right", size=size, gid=f"patient-{row}")
        for number, (name, count, first, _) in enumerate(rows.spans):
            if name:
                y = top + rows.mm(first) - _BELOW_HEADING_MM
                words = named(name, count, inner, weight="bold")
                page.text(MARGIN_MM, y, words, fontweight="bold", gid=f"group-{number}")
        _draw_lines(axes, rows)
        _draw_marks(axes, rows)
        for row, marks in enumerate(key):
            _draw_key(page, marks, key_top + (row + 1) * _KEY_ROW_MM - 1.2)
        page.paragraph(bottom + LINE_MM, lines)
    return Drawing(page.figure, style.title or _title(timeline), _description(timeline), legend, about)


def _sized(mark: _Mark, pitch: float) -> dict[str, Any]:
    """The style of a mark for lines at a distance [mm]."""
    low, high = _MARK_POINTS
    is_stroke = mark.style["marker"] == "|"
    size = min(max(mark.size * pitch * POINTS_PER_MM, 0 if is_stroke else low), high * mark.size / 0.8)
    return {
        "linestyle": "none",
        "markersize": size,
        "markeredgewidth": (0.16 if is_stroke else 0.08) * size,
        **mark.style,
    }


def _name_type(pitch: float) -> float:
    return min(SMALL_TYPE, 0.85 * pitch * POINTS_PER_MM)


def _has_names(pitch: float) -> bool:
    """Whether identifiers have room beside the lines."""
    return _name_type(pitch) >= _SMALLEST_TYPE


def _numbers(timeline: Timeline) -> LineNames:
    """Some of the lines' numbers, where identifiers have no room."""
    rows = range(1, len(timeline.patients) + 1)
    return LineNames(
        tuple(str(row) if row == 1 or row % 25 == 0 else "" for row in rows), "Numbers count the lines."
    )


def line_names(patients: Sequence[PatientTimeline]) -> LineNames:
    """Name each line by its patient's identifier; names differ wherever identifiers do.

    Long ones stand without the beginning that all have in common, then without their middles. Where that
    makes two of them one, the lines of the file stand for all.
    """
    names = tuple(shown(line.patient, longest=len(line.patient)) for line in patients)
    note = ""
    if _is_any_long(names) and (prefix := _common_beginning(names)):
        names = tuple(name.removeprefix(prefix) for name in names)
        note = f"Each identifier begins with “{shown(prefix)}”, left out here."
    if _is_any_long(names):
        names = tuple(_without_middle(name) for name in names)
        note = f"{note} … stands for the middle of a long identifier.".lstrip()
    if len(set(names)) < len(names):
        return LineNames(
            tuple(f"line {line.line}" for line in patients),
            "Beside each line: the patient's line in the file, as identifiers are too long to stand there.",
        )
    return LineNames(names, note)


def _is_any_long(names: Sequence[str]) -> bool:
    return any(len(name) > _LONGEST_NAME for name in names)


def _common_beginning(names: Sequence[str]) -> str:
    """What all names begin with, up to the beginning of a number or word that tells them apart."""
    first, last = min(names), max(names)
    prefix = first[
        : next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    ]
    while prefix and any(_is_within(name, len(prefix)) for name in names):
        prefix = prefix[:-1]
    return prefix


def _is_within(name: str, place: int) -> bool:
    """Whether a name ends before a place, or has letters or digits that go on from before it to behind it."""
    around = name[place - 1 : place + 1]
    return len(around) < 2 or around.isdecimal() or around.isalpha()


def _without_middle(name: str) -> str:
    kept = _LONGEST_NAME - 1
    return name if len(name) <= _LONGEST_NAME else f"{name[: kept // 2]}…{name[-(kept - kept // 2) :]}"


def _places(mark: _Mark, line: PatientTimeline) -> Sequence[float]:
    """When a mark stands on a patient's line [years]."""
    match mark.kind:
        case "relapse":
            return line.relapse_years
        case "worsening" | "improvement" | "therapy" | "death":
            years = getattr(line, f"{mark.kind}_years")
            return () if years is None else (years,)
    has_lesion = {"scan": False, "untold-scan": None, "lesion-scan": True}[mark.kind]
    return [scan.years for scan in line.scans if scan.has_lesion is has_lesion]


def _draw_axes(page: Page, axes: Axes, timeline: Timeline, rows: _Rows, bottom: float) -> None:
    lines = rows.lines
    starts = [-(line.observed_before_years or 0) for line in lines]
    low = min([*starts, *(years for line in lines for mark in _MARKS for years in _places(mark, line))])
    high = max(line.follow_up_years for line in lines)
    room = 0.015 * (high - low or 1)
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(rows.bottom, -0.5)
    # The figure shows each patient anyway, and a course of weeks needs ticks between months.
    step = tick_step(high - low or 1, timeline.protocol.horizon_years, _MOST_TICKS, finest=0.05)
    ticks = multiples(step, low, high)
    axes.set_xticks(ticks, [f"{years:g}".replace("-", "−") for years in ticks])
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    # Not through the headings: the line is broken there.
    heights = [height for *_, top, low in rows.spans for height in (top, low, float("nan"))][:-1]
    axes.plot([0] * len(heights), heights, color=INK, linewidth=0.8, zorder=1, gid="time-zero")
    x = axes.get_position()
    middle = page.width * (x.x0 + x.x1) / 2
    page.text(middle, bottom + _AXIS_NAME_MM, f"Years from {timeline.protocol.time_zero}", ha="center")


def _draw_lines(axes: Axes, rows: _Rows) -> None:
    width = min(max(0.1 * rows.pitch * POINTS_PER_MM, 0.5), 1.1)
    before = [
        (place, line.observed_before_years)
        for place, line in zip(rows.places, rows.lines, strict=True)
        if line.observed_before_years
    ]
    axes.hlines(
        [row for row, _ in before],
        [-years for _, years in before],
        0,
        color="#B3B3B3",
        linewidth=width,
        zorder=2,
        gid="observed-before",
    )
    axes.hlines(
        rows.places,
        0,
        [line.follow_up_years for line in rows.lines],
        color=PALE_INK,
        linewidth=width,
        zorder=2,
        gid="follow-up",
    )


def _draw_marks(axes: Axes, rows: _Rows) -> None:
    low, high = axes.get_xlim()
    years_per_point = (high - low) / (axes.get_position().width * axes.figure.bbox.width)
    for order, mark in enumerate(_MARKS):
        style = _sized(mark, rows.pitch)
        half = 0.0 if mark.style["marker"] == "|" else (0.5 * style["markersize"] + 0.6) * years_per_point
        places = [
            (_beside(years, half), place)
            for place, line in zip(rows.places, rows.lines, strict=True)
            for years in _places(mark, line)
        ]
        axes.plot(
            [years for years, _ in places],
            [place for _, place in places],
            clip_on=False,
            zorder=3 + order,
            gid=mark.kind,
            **style,
        )


def _beside(years: float, half: float) -> float:
    """Where a mark stands whose half is so wide: never on the line of time zero, which would hide it."""
    if abs(years) >= half:
        return years
    return half if years > 0 else -half


def _key_rows(timeline: Timeline, width: float) -> list[list[tuple[_Mark, str, float]]]:
    """The marks with their words and places [mm], in as many rows as they need."""
    rows: list[list[tuple[_Mark, str, float]]] = [[]]
    x = 0.0
    for mark in _MARKS:
        words = mark.words[0 if timeline.is_every_observation else 1]
        if not any(_places(mark, line) for line in timeline.patients):
            continue
        needed = _KEY_MARK_MM + width_of(words)
        if x and x + needed > width:
            rows.append([])
            x = 0.0
        rows[-1].append((mark, words, MARGIN_MM + x))
        x += needed + _KEY_GAP_MM
    return rows


def _draw_key(page: Page, row: Sequence[tuple[_Mark, str, float]], y: float) -> None:
    for mark, words, x in row:
        page.line((x + _KEY_MARK_MM / 2,), (y - 1.0,), **_sized(mark, _WIDEST_PITCH_MM))
        page.text(x + _KEY_MARK_MM, y, words)


def _title(timeline: Timeline) -> str:
    n = len(timeline.patients)
    by = "" if timeline.by is None else f" by {timeline.by}"
    return f"Course of {n:,} {plural('patient', n)} before and after {timeline.protocol.time_zero}{by}"


def _legend(timeline: Timeline, beside: LineNames) -> Iterator[str]:
    """What the reader must know to read the figure, and what the file does not know."""
    lines = timeline.patients
    yield (
        f"A line is a patient: pale, the relapse history before {timeline.protocol.time_zero}; dark, "
        "follow-up to death or last contact."
    )
    if timeline.by is not None:
        yield "In each group the longest follow-up stands above."
    if timeline.n_without_level:
        n = timeline.n_without_level
        yield f"{n:,} {plural('patient', n)} without {timeline.by} left out: in no group."
    if beside.note:
        yield beside.note
    yield from _kinds(timeline)
    n_unknown = sum(line.observed_before_years is None for line in lines)
    if n_unknown and _HISTORY not in timeline.not_in_file:
        patients = f"{n_unknown:,} {plural('patient', n_unknown)}"
        yield f"No pale line ({patients}): the length of the history is unknown."
    if any(years < -(line.observed_before_years or 0) for line in lines for years in line.relapse_years):
        yield "A relapse left of its line lies outside the observed history."
    if timeline.not_in_file:
        yield f"Not in this file: {', '.join(timeline.not_in_file)}."
    yield f"A mark that would cover the line of {timeline.protocol.time_zero} stands beside it."


def _about(timeline: Timeline) -> str:
    """The file and its patients, and by which program and protocol."""
    n = len(timeline.patients)
    return (
        f"{source_name(timeline.source)}: {n:,} {plural('patient', n)}; protocol "
        f"{shown(timeline.protocol.name, longest=200)}; {TOOL.name} {TOOL.version}."
    )


def _kinds(timeline: Timeline) -> Iterator[str]:
    """What the marks mean; of a patient table, which observations it has no time for."""
    protocol = timeline.protocol
    if protocol.new_lesion is None:
        yield (
            "The file is a patient table: it does not know when relapses and scans before "
            f"{protocol.time_zero} were, "
            "nor those after it but the first relapse, the first new lesion and the last scan. They are not "
            "drawn."
        )
        if any(scan.has_lesion is None for line in timeline.patients for scan in line.scans):
            yield "Grey: the last scan after a first new lesion; whether it shows another is unknown."
    elif "new lesions" not in timeline.not_in_file:
        kind = _LESIONS[protocol.new_lesion]
        yield f"Lesions: gadolinium-enhancing up to {protocol.time_zero}, {kind} after it."
    if "worsening" not in timeline.not_in_file:
        weeks = protocol.worsening_confirm_weeks
        confirmed = "confirmed" if weeks is None else f"confirmed {weeks:g} weeks later"
        yield f"Worsening, improvement: onset of the first change of EDSS that was {confirmed}."


def _description(timeline: Timeline) -> str:
    """What is drawn, in numbers."""
    lines = timeline.patients
    follow_up = [line.follow_up_years for line in lines]
    shape = 0 if timeline.is_every_observation else 1
    drawn = {mark.words[shape]: sum(len(_places(mark, line)) for line in lines) for mark in _MARKS}
    counts = ", ".join(f"{words} {n:,}" for words, n in drawn.items() if n)
    groups = [
        f"{shown(level)}: " + f"{sum(line.group == level for line in lines):,}" for level in timeline.levels
    ]
    by = f", in groups by {timeline.by} ({', '.join(groups)})" if groups else ""
    return (
        f"One line for each of {len(lines):,} {plural('patient', len(lines))}{by}, by length of follow-up "
        f"({min(follow_up):.1f} to {max(follow_up):.1f} years). Marks on the lines: {counts or 'none'}."
    )
