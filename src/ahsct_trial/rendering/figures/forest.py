"""The forest figure: the published event-free figures of one endpoint, a row each, and a cohort's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes

from ahsct_trial.escaping import shown
from ahsct_trial.rendering import numbers as fmt
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
    width_of,
    wrapped,
)
from ahsct_trial.rendering.figures.style import Style
from ahsct_trial.rendering.sections import prose, shared_notes, source_name, survival_shown
from ahsct_trial.results import TOOL, Estimate, SurvivalEndpoint
from ahsct_trial.wording import in_years, plural

if TYPE_CHECKING:
    from ahsct_trial.forest import Apart, Forest, ForestGroup, ForestRow

_THIS_COHORT = "This cohort"
_NO_ESTIMATE = "no estimate"
_APART: dict[Apart, str] = {
    "no horizon": "No horizon stated",
    "disputed": "What was counted is disputed",
    "other treatment": "Another treatment",
    "no counterpart": "Without a counterpart here, so not drawn",
}
_COURSES = {
    (): "all patients",
    ("RRMS",): "relapsing–remitting MS",
    ("SPMS",): "secondary progressive MS",
    ("PPMS",): "primary progressive MS",
    ("SPMS", "PPMS"): "progressive MS",
}
_DEATH, _DEFINITION, _COMPLEMENT = "†", "‡", "§"
_USUAL_LEVEL = 0.95
#: What is set apart, and the lines of the ticks.
_GREY, _GRID = "#7F7F7F", "#E6E6E6"
#: A narrower figure has its text above the marks, a wider one beside them.
_NARROW_MM = 150.0
_TALL_MM = 100.0
_ROW_MM, _TEXT_LINE_MM, _HEADING_MM, _APART_MM = 3.8, 3.1, 5.2, 7.0
_AXIS_NAME_MM, _GAP_MM, _COLUMN_GAP_MM = 9.4, 2.0, 3.0
_KEY_ROW_MM, _KEY_MARK_MM, _KEY_GAP_MM = 4.2, 4.5, 4.0
#: How much of a wide figure names may take.
_NAMES = 0.4
_MARK_POINTS, _OWN_POINTS, _LINE_POINTS = 4.2, 5.2, 0.9


@dataclass(frozen=True)
class Line:
    """A line of the forest: a heading, or a row with its marks.

    Attributes
    ----------
    words
        The heading, or the name of the row; broken where it is long.
    n, printed, mark
        What stands in the columns of a row.
    share, ci_low, ci_high
        Where its marks are, from 0 to 1; a row without a share has none.
    kind
        ``part`` for what begins what is set apart, ``heading``, ``cohort`` or ``published``.
    is_neda, is_apart
        Whether it is a share of NEDA, and whether it is set apart.
    reference
        On a heading, where the cohort's own figure of the group is; None without one.
    """

    words: str
    kind: str
    n: str = ""
    printed: str = ""
    mark: str = ""
    share: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    is_neda: bool = False
    is_apart: bool = False
    reference: float | None = None


def forest_lines(result: Forest) -> list[Line]:
    """The lines of a forest from the upper one down."""
    lines = []
    for group in result.groups:
        words = f"At {in_years(group.horizon_years)}, {_course(group.population)}"
        of_cohort = None if group.cohort is None else survival_shown(group.cohort).value
        lines.append(Line(words, "heading", reference=of_cohort))
        if result.source is not None:
            lines.append(_cohort_line(group))
        names = [_name(row, is_apart=False) for row in group.rows]
        lines += [
            _row_line(row, name, is_apart=False) for row, name in _with_distinct_names(group.rows, names)
        ]
    if result.apart:
        lines.append(Line("Set apart: not comparable with the rows above", "part"))
    for reason, rows in result.apart:
        lines.append(Line(_APART[reason], "heading", is_apart=True))
        names = [_name(row, is_apart=True) for row in rows]
        lines += [_row_line(row, name, is_apart=True) for row, name in _with_distinct_names(rows, names)]
    return lines


def _cohort_line(group: ForestGroup) -> Line:
    endpoint = group.cohort
    estimate = Estimate(unit="share") if endpoint is None else survival_shown(endpoint)
    words = _NO_ESTIMATE
    if estimate.value is not None:
        limits = fmt.limits(estimate)
        words = fmt.percent(estimate.value, sign=False)
        words += "" if limits == fmt.NOTHING else f" ({limits}{_level(estimate.confidence_level)})"
    return Line(
        _THIS_COHORT,
        "cohort",
        n=fmt.count(None if endpoint is None else endpoint.n_patients),
        printed=words,
        share=estimate.value,
        ci_low=estimate.ci_low,
        ci_high=estimate.ci_high,
    )


def _row_line(row: ForestRow, name: str, *, is_apart: bool) -> Line:
    symbols = "".join(
        symbol
        for symbol, is_meant in (
            (_DEATH, "death" in row.not_stated),
            (_DEFINITION, "definition" in row.not_stated),
            (_COMPLEMENT, row.is_complement),
        )
        if is_meant
    )
    n = fmt.count(row.n)
    beside = "–".join(row.printed_ci) + _level(row.confidence_level) if row.printed_ci else row.beside
    return Line(
        f"{name}{symbols}",
        "published",
        n=n if row.is_n_printed or row.n is None else f"({n})",
        printed=f"{row.printed} ({beside})" if beside else row.printed,
        mark=row.mark,
        share=row.share,
        ci_low=row.ci_low,
        ci_high=row.ci_high,
        is_neda=row.is_neda,
        is_apart=is_apart,
    )


def _level(confidence: float | None) -> str:
    """The level of an interval that is not at the usual one."""
    return "" if confidence in {None, _USUAL_LEVEL} else f"; {fmt.level(confidence or 0)} CI"


def _course(population: tuple[str, ...]) -> str:
    return _COURSES.get(population, " and ".join(map(shown, population)))


def _name(row: ForestRow, *, is_apart: bool) -> str:
    """The study, and the patients that a heading does not tell."""
    parts = [prose(row.title)]
    if row.share is None:
        return f"{parts[0]}, {prose(row.label)}"
    for column, texts in row.where.items():
        if column == "ms_course":
            parts += [_course(texts)] if is_apart else []
        elif column != "arm" or is_apart:
            parts.append(" or ".join(map(shown, texts)))
    if is_apart and row.horizon_years is not None:
        parts.append(in_years(row.horizon_years))
    return ", ".join(parts)


def _with_distinct_names(rows: Sequence[ForestRow], names: Sequence[str]) -> Iterator[tuple[ForestRow, str]]:
    """Rows with their names; those of one name have what the publication calls the figure as well."""
    for row, name in zip(rows, names, strict=True):
        yield row, f"{name}, {prose(row.label)}" if names.count(name) > 1 else name


@dataclass
class _Layout:
    """Where the parts of the figure are [mm]."""

    lines: Sequence[Line]
    names: Sequence[Sequence[str]]
    width_mm: float
    plot_left: float
    plot_width: float
    n_right: float
    printed_left: float
    mark_left: float
    top: float
    #: The height of each line's first base line, and that of its marks.
    text_y: list[float] = field(default_factory=list)
    mark_y: list[float] = field(default_factory=list)
    bottom: float = 0.0

    @property
    def is_narrow(self) -> bool:
        return self.width_mm < _NARROW_MM

    @property
    def is_tall(self) -> bool:
        """Whether the axis is so far below the upper rows that its numbers stand above them too."""
        return not self.is_narrow and self.bottom - self.top > _TALL_MM


def draw_forest(result: Forest, width_mm: float, style: Style | None = None) -> Drawing:
    """Draw a row for each published figure, and for the cohort's own in each group.

    Parameters
    ----------
    result
        The published figures, and the cohort's.
    width_mm
        Width of the figure [mm]; its height follows from the number of rows.
    style
        Title, caption and colours.
    """
    style = style or Style()
    with journal_style():
        lines = forest_lines(result)
        inner = width_mm - 2 * MARGIN_MM
        title = [] if style.title is None else wrapped(style.title, inner, TITLE_TYPE)
        key = _key_rows(lines, style, inner)
        key_top = MARGIN_MM + (len(title) * TITLE_LINE_MM + _GAP_MM if title else 0.0)
        layout = _lay_out(lines, width_mm, key_top + len(key) * _KEY_ROW_MM)
        legend, about = " ".join(_legend(result, layout)), " ".join(_about(result))
        texts = [f"{legend} {about}"] if style.has_caption else []
        # What must stand beside every result stands in the picture, with or without its caption.
        provenance = None if result.source is None else result.source.provenance
        texts = [*filter(None, [provenance]), *texts]
        small = [line for text in texts for line in wrapped(text, inner)]
        bottom = layout.bottom + _AXIS_NAME_MM + MARGIN_MM
        page = Page(width_mm, bottom + (_GAP_MM + len(small) * LINE_MM if small else 0.0))
        for number, words in enumerate(title):
            y = MARGIN_MM + (number + 0.75) * TITLE_LINE_MM
            page.text(MARGIN_MM, y, words, size=TITLE_TYPE, fontweight="bold", gid=f"title-{number}")
        for row, marks in enumerate(key):
            _draw_key(page, marks, key_top + (row + 1) * _KEY_ROW_MM - 1.2)
        axes = _draw_axes(page, layout, f"{result.label} (%)")
        _draw_headings(page, layout)
        _draw_words(page, layout)
        _draw_references(axes, layout, style)
        for number, line in enumerate(lines):
            _draw_marks(axes, line, layout.mark_y[number], style, f"row-{number}")
        page.paragraph(bottom + LINE_MM, small)
    return Drawing(page.figure, style.title or _title(result), " ".join(_description(result)), legend, about)


def _lay_out(lines: Sequence[Line], width_mm: float, key_bottom: float) -> _Layout:
    inner = width_mm - 2 * MARGIN_MM
    rows = [line for line in lines if line.printed]
    printed = max(width_of(line.printed, SMALL_TYPE, _weight(line)) for line in rows)
    number = max(width_of("n", SMALL_TYPE), *(width_of(line.n, SMALL_TYPE, _weight(line)) for line in rows))
    mark = max(width_of("Mark", SMALL_TYPE), width_of("V", SMALL_TYPE))
    if width_mm < _NARROW_MM:
        name_room = inner - printed - _COLUMN_GAP_MM
        plot_left, plot_width, n_right = MARGIN_MM + 2.0, inner - 6.0, 0.0
        printed_left, mark_left = width_mm - MARGIN_MM - printed, 0.0
    else:
        names = max(width_of(line.words, SMALL_TYPE, _weight(line)) for line in rows)
        name_room = min(names, _NAMES * inner)
        n_right = MARGIN_MM + name_room + _COLUMN_GAP_MM + number
        mark_left = width_mm - MARGIN_MM - mark
        printed_left = mark_left - _COLUMN_GAP_MM - printed
        plot_left = n_right + _COLUMN_GAP_MM + 1.0
        plot_width = printed_left - _COLUMN_GAP_MM - 1.0 - plot_left
    layout = _Layout(
        lines=lines,
        names=[[line.words] if not line.printed else _broken(line, name_room, width_mm) for line in lines],
        width_mm=width_mm,
        plot_left=plot_left,
        plot_width=plot_width,
        n_right=n_right,
        printed_left=printed_left,
        mark_left=mark_left,
        top=key_bottom + _HEADING_MM,
    )
    _stack(layout)
    return layout


def _broken(line: Line, room: float, width_mm: float) -> list[str]:
    """The name of a row on lines of a width; a narrow figure has number of patients and mark there too."""
    words = line.words
    if width_mm < _NARROW_MM:
        beside = [f"n {line.n}"] if line.n != fmt.NOTHING else []
        words = ", ".join([words, *beside, *filter(None, [line.mark])])
    # Bold letters are wider than those that lines are measured with.
    return wrapped(words, room if line.kind == "published" else 0.9 * room)


def _stack(layout: _Layout) -> None:
    """Put the lines below each other."""
    y = layout.top
    for line, name in zip(layout.lines, layout.names, strict=True):
        if line.kind == "part":
            y += _APART_MM
            layout.text_y.append(y - 1.6)
            layout.mark_y.append(y)
        elif line.kind == "heading":
            y += _HEADING_MM
            layout.text_y.append(y - 1.4)
            layout.mark_y.append(y)
        else:
            text = (len(name) - 1) * _TEXT_LINE_MM
            layout.text_y.append(y + 2.75)
            layout.mark_y.append(y + text + 5.0 if layout.is_narrow else y + (_ROW_MM + text) / 2)
            y += _ROW_MM + text + (3.0 if layout.is_narrow and line.share is not None else 0.0)
    layout.bottom = y + 1.0


def _weight(line: Line) -> str:
    return "normal" if line.kind == "published" else "bold"


def _draw_axes(page: Page, layout: _Layout, name: str) -> Axes:
    """The axes; heights in them are those of the page [mm]."""
    axes = page.axes(layout.plot_left, layout.top, layout.plot_width, layout.bottom - layout.top)
    axes.set_xlim(0, 1)
    axes.set_ylim(layout.bottom, layout.top)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.patch.set_visible(False)
    if not layout.is_narrow:
        for share in (0, 0.25, 0.5, 0.75, 1):
            axes.axvline(share, color=_GRID, linewidth=0.5, zorder=0)
    if layout.is_tall:
        for share in (0, 0.25, 0.5, 0.75, 1):
            x = layout.plot_left + share * layout.plot_width
            words = f"{100 * share:.0f}"
            page.text(x, layout.top - 1.4, words, ha="center", size=SMALL_TYPE, color=PALE_INK)
    middle = layout.plot_left + layout.plot_width / 2
    half = width_of(name) / 2
    x = min(max(middle, MARGIN_MM + half), page.width - MARGIN_MM - half)
    page.text(x, layout.bottom + _AXIS_NAME_MM, name, ha="center")
    return axes


def _draw_headings(page: Page, layout: _Layout) -> None:
    """What the columns hold."""
    y = layout.top - 1.4
    small: dict[str, Any] = {"size": SMALL_TYPE, "color": PALE_INK}
    page.text(MARGIN_MM, y, "Study", **small)
    words = f"% ({fmt.level(_USUAL_LEVEL)} CI)"
    page.text(layout.printed_left, y, words, **small)
    if not layout.is_narrow:
        page.text(layout.n_right, y, "n", ha="right", **small)
        page.text(layout.mark_left, y, "Mark", **small)


def _draw_words(page: Page, layout: _Layout) -> None:
    for number, (line, name) in enumerate(zip(layout.lines, layout.names, strict=True)):
        y, gid = layout.text_y[number], f"row-{number}"
        if line.kind in {"part", "heading"}:
            size = TYPE if line.kind == "part" else SMALL_TYPE
            page.text(MARGIN_MM, y, line.words, size=size, fontweight="bold", gid=f"{gid}-heading")
            if line.kind == "part":
                rule = y - 4.0
                page.line(
                    (MARGIN_MM, page.width - MARGIN_MM), (rule, rule), color=INK, linewidth=0.6, gid="rule"
                )
            continue
        style: dict[str, Any] = {"size": SMALL_TYPE, "fontweight": _weight(line)}
        for place, words in enumerate(name):
            page.text(MARGIN_MM, y + place * _TEXT_LINE_MM, words, gid=f"{gid}-name-{place}", **style)
        beside = y if layout.is_narrow else y + (len(name) - 1) * _TEXT_LINE_MM / 2
        page.text(layout.printed_left, beside, line.printed, gid=f"{gid}-printed", **style)
        if not layout.is_narrow:
            page.text(layout.n_right, beside, line.n, ha="right", gid=f"{gid}-n", **style)
            page.text(layout.mark_left, beside, line.mark, gid=f"{gid}-mark-word", **style)


def _draw_references(axes: Axes, layout: _Layout, style: Style) -> None:
    """In each group a line down from the cohort's own figure; in a narrow figure it would cross the text."""
    if layout.is_narrow:
        return
    for number, line in enumerate(layout.lines):
        if line.kind != "heading" or line.reference is None:
            continue
        following = (place for place, each in enumerate(layout.lines) if place > number and not each.printed)
        end = next(following, len(layout.lines)) - 1
        axes.plot(
            [line.reference] * 2,
            [layout.mark_y[number + 1], layout.mark_y[end] + 1.6],
            color=style.colour(0),
            linewidth=0.6,
            linestyle=(0, (3, 2)),
            zorder=1,
            gid=f"row-{number}-reference",
        )


def _draw_marks(axes: Axes, line: Line, y: float, style: Style, gid: str) -> None:
    """The interval if there is one, and the figure on it."""
    if line.share is None:
        return
    look = _look(line.kind, style, is_neda=line.is_neda, mark=line.mark, is_apart=line.is_apart)
    if line.ci_low is not None and line.ci_high is not None:
        axes.plot(
            [line.ci_low, line.ci_high],
            [y, y],
            color=look["markeredgecolor"],
            linewidth=_LINE_POINTS * (1.5 if line.kind == "cohort" else 1.0),
            solid_capstyle="butt",
            marker="|",
            markersize=3.5,
            markeredgewidth=_LINE_POINTS,
            clip_on=False,
            zorder=3,
            gid=f"{gid}-interval",
        )
    axes.plot([line.share], [y], clip_on=False, zorder=4, gid=f"{gid}-mark", **look)


def _look(kind: str, style: Style, *, is_neda: bool, mark: str, is_apart: bool) -> dict[str, Any]:
    """The mark of a row: its form by what it is, filled where it was read in the source's own text."""
    if kind == "cohort":
        colour = style.colour(0)
        return {
            "marker": "o",
            "markersize": _OWN_POINTS,
            "markerfacecolor": colour,
            "markeredgecolor": colour,
            "linestyle": "none",
        }
    ink = _GREY if is_apart else INK
    return {
        "marker": "D" if is_neda else "s",
        "markersize": _MARK_POINTS * (0.85 if is_neda else 1.0),
        "markerfacecolor": ink if mark == "V" else "white",
        "markeredgecolor": ink,
        "markeredgewidth": 0.8,
        "linestyle": "none",
    }


def _key_rows(
    lines: Sequence[Line], style: Style, width: float
) -> list[list[tuple[dict[str, Any], str, float]]]:
    """The kinds of mark that there are, with their words and places [mm], in as many rows as they need."""
    drawn = [line for line in lines if line.share is not None]
    kinds = [
        ("cohort", False, "", False, "this cohort", any(line.kind == "cohort" for line in drawn)),
        (
            "published",
            False,
            "V",
            False,
            "survival estimate or crude share",
            any(line.kind == "published" and not line.is_neda for line in drawn),
        ),
        ("published", True, "V", False, "share of NEDA", any(line.is_neda for line in drawn)),
        (
            "published",
            False,
            "S",
            False,
            "not read in the source's own text",
            any(line.mark in {"S", "D"} for line in drawn),
        ),
        ("published", False, "V", True, "set apart", any(line.is_apart for line in drawn)),
    ]
    rows: list[list[tuple[dict[str, Any], str, float]]] = [[]]
    x = 0.0
    for kind, is_neda, mark, is_apart, words, is_there in kinds:
        if not is_there:
            continue
        needed = _KEY_MARK_MM + width_of(words, SMALL_TYPE)
        if x and x + needed > width:
            rows.append([])
            x = 0.0
        look = _look(kind, style, is_neda=is_neda, mark=mark, is_apart=is_apart)
        rows[-1].append((look, words, MARGIN_MM + x))
        x += needed + _KEY_GAP_MM
    return rows


def _draw_key(page: Page, row: Sequence[tuple[dict[str, Any], str, float]], y: float) -> None:
    for look, words, x in row:
        page.line((x + _KEY_MARK_MM / 2,), (y - 0.9,), **look)
        page.text(x + _KEY_MARK_MM, y, words, size=SMALL_TYPE)


def _title(result: Forest) -> str:
    return f"{result.label}: published figures" + ("" if result.source is None else " and this cohort's")


def _legend(result: Forest, layout: _Layout) -> Iterator[str]:
    """How to read the figure."""
    neda = ", with shares of NEDA, which is of the same events" if result.has_neda else ""
    yield (
        f"Published event-free figures{neda}, by horizon and by the course of MS that a study is about; "
        "the largest first."
    )
    yield (
        f"A line is the printed confidence interval, at {fmt.level(_USUAL_LEVEL)} where no other level "
        "stands beside it; a mark without a line has none in print."
    )
    yield (
        "n: the printed denominator; in brackets the size of the group or the study where none is printed, "
        "of whom fewer may have been analysed."
    )
    yield "Mark: V read in the source's own text, S in a secondary source, D computed from V figures."
    names = "".join(line.words for line in layout.lines)
    if _DEATH in names:
        yield f"{_DEATH} Whether a death counts was not stated in what was read."
    if _DEFINITION in names:
        yield f"{_DEFINITION} How the event is defined was not stated in what was read."
    if _COMPLEMENT in names:
        yield f"{_COMPLEMENT} Printed as the share with the event."
    if not layout.is_narrow and any(line.reference is not None for line in layout.lines):
        yield "Dashed: this cohort's figure in the group."
    if result.apart:
        yield "What cannot be compared is set apart, in grey."
        rows = [row for reason, rows in result.apart if reason == "no counterpart" for row in rows]
        yield from shared_notes(((row.publication, row.reason) for row in rows), between=", ")
    yield (
        "Rows are not independent: a pooled analysis has patients of others, and two publications may be "
        "of one trial. Nothing is pooled here."
    )


def _about(result: Forest) -> Iterator[str]:
    """What the figure shows."""
    source, protocol, n = result.source, result.protocol, result.n_patients
    if source is None or protocol is None or n is None:
        yield f"{TOOL.name} {TOOL.version}."
        return
    yield f"{_THIS_COHORT}: Kaplan–Meier estimate at each horizon, of its patients with that course of MS."
    in_groups = [(group, group.cohort) for group in result.groups]
    yield from dict.fromkeys(endpoint.definition for _, endpoint in in_groups if endpoint is not None)
    absent = [(_heading(group), group.cohort_absent or _why_not(endpoint)) for group, endpoint in in_groups]
    yield from shared_notes(absent, between="; ")
    yield (
        f"{source_name(source)}: {n:,} {plural('patient', n)}; protocol "
        f"{shown(protocol.name, longest=200)}; {TOOL.name} {TOOL.version}."
    )


def _why_not(endpoint: SurvivalEndpoint | None) -> str | None:
    return None if endpoint is None or endpoint.survival.value is not None else endpoint.survival.note


def _heading(group: ForestGroup) -> str:
    return f"{in_years(group.horizon_years)}, {_course(group.population)}"


def _description(result: Forest) -> Iterator[str]:
    """The drawing in words, for whoever cannot see it."""
    yield f"Published figures of {result.label}, a row each."
    for group in result.groups:
        n = len(group.rows)
        of_cohort = "" if result.source is None else f"; this cohort {_cohort_line(group).printed}"
        rows = ", ".join(f"{row.publication} {row.printed}" for row in group.rows)
        yield f"{_heading(group)}: {n} {plural('row', n)}, {rows}{of_cohort}."
    n = sum(len(rows) for _, rows in result.apart)
    if n:
        yield f"{n} set apart."
