"""Survival curves drawn with characters, for a terminal or a log: no colour, and readable at any width.

Each curve has a panel of its own. A column of characters stands for the time at its middle, a row for the
nearest proportion; the numbers below are exact. Times are drawn to the month, as in any picture.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.figures.curves import (
    DrawnCurve,
    axis_years,
    contrast_line,
    definitions,
    how_joined,
    multiples,
    not_drawn,
    origin,
    tick_step,
)
from ahsct_trial.results import Comparison, Summary
from ahsct_trial.wording import in_years

#: Before the first column: names of rows and the vertical axis.
_MARGIN = 10
_NARROWEST, _WIDEST = 30, 120
_ROWS_OF_WIDE, _ROWS_OF_NARROW, _NARROW = 17, 13, 60
_LEVEL, _FALL, _TOP, _BOTTOM = "─", "│", "┐", "└"
_CENSORED, _BAND, _FADED, _HORIZON = "+", "░", "·", "┊"
#: Where fewer patients are followed the band is pale, as in a figure.
_FEW_FOLLOWED = 5


def draw_text(result: Summary | Comparison, curves: Sequence[DrawnCurve], width: int) -> str:
    """Draw each curve in a panel as wide as a terminal [characters]."""
    width = min(max(width, _NARROWEST), _WIDEST)
    panels = ["\n".join(_panel(curve, width)) for curve in curves]
    contrast = contrast_line(result, curves[0].key)
    said = [
        f"{contrast}." if contrast else None,
        *not_drawn(result, curves[0].key),
        origin(result),
        result.source.provenance,
    ]
    closing = _indented(" ".join(filter(None, said)), width)
    return "\n".join([*("\n\n".join(panels).splitlines()), *closing]) + "\n"


def _panel(curve: DrawnCurve, width: int) -> Iterator[str]:
    endpoint = curve.endpoint
    horizon, end = endpoint.horizon_years, axis_years([curve])
    number = len(fmt.count(endpoint.n_patients))
    n_columns = width - _MARGIN - (number + 1) // 2
    n_rows = _ROWS_OF_NARROW if width < _NARROW else _ROWS_OF_WIDE
    years_per_column = end / (n_columns - 1)
    ticks = multiples(tick_step(end, horizon, max(2, n_columns // (max(number, 3) + 2))), 0, end)
    places = [round(years / years_per_column) for years in ticks]

    yield f"{endpoint.label}: {curve.name}" if curve.is_of_group else endpoint.label
    yield from _indented(f"Kaplan–Meier {curve.estimate_in_words} at {in_years(horizon)}", width)
    rows = _grid(curve, n_columns, n_rows, years_per_column)
    for number_of_row, row in enumerate(rows):
        proportion = 1 - number_of_row / (n_rows - 1)
        is_tick = number_of_row * 4 % (n_rows - 1) == 0
        axis = f"{100 * proportion:>{_MARGIN - 4}.0f} % ┤" if is_tick else " " * (_MARGIN - 1) + "│"
        yield (axis + "".join(row)).rstrip()
    yield " " * (_MARGIN - 1) + "└" + "".join("┬" if column in places else "─" for column in range(n_columns))
    yield _table_row("Years", [f"{years:g}" for years in ticks], places)
    counts = curve.at_risk(ticks)
    yield _table_row("At risk", [fmt.count(at.n_at_risk) for at in counts], places)
    yield _table_row("Censored", [fmt.count(at.n_censored) for at in counts], places)
    yield _table_row("Events", [fmt.count(at.n_events) for at in counts], places)
    yield from _indented(" ".join(_key(curve)), width)


def _grid(curve: DrawnCurve, n_columns: int, n_rows: int, years_per_column: float) -> list[list[str]]:
    """The characters of the drawing, from the upper row down."""
    grid = [[" "] * n_columns for _ in range(n_rows)]

    def row_of(proportion: float) -> int:
        return round((1 - proportion) * (n_rows - 1))

    horizon = round(curve.endpoint.horizon_years / years_per_column)
    for row in grid:
        row[horizon] = _HORIZON
    last = round(curve.last_years / years_per_column)
    fades_from = curve.fades_from(_FEW_FOLLOWED)
    level = 0
    for column in range(last + 1):
        # The last column stands for the last time, which may lie just behind its middle.
        point = curve.at(curve.last_years if column == last else column * years_per_column)
        if point is None:
            grid[0][column] = _LEVEL
            continue
        band = _FADED if column * years_per_column > fades_from else _BAND
        if point.ci_low is not None and point.ci_high is not None:
            for height in range(row_of(point.ci_high), row_of(point.ci_low) + 1):
                if grid[height][column] == " ":
                    grid[height][column] = band
        now = row_of(point.estimate)
        for height in range(level, now):
            grid[height][column] = _FALL if height > level else _TOP
        grid[now][column] = _LEVEL if now == level else _BOTTOM
        level = now
    for point in curve.censored:
        column, height = round(point.years / years_per_column), row_of(point.estimate)
        if grid[height][column] == _LEVEL:
            grid[height][column] = _CENSORED
    return grid


def _table_row(name: str, cells: Sequence[str], places: Sequence[int]) -> str:
    """A name, and cells whose middles stand below their columns."""
    line = name
    for cell, place in zip(cells, places, strict=True):
        start = max(_MARGIN + place - (len(cell) - 1) // 2, len(line) + 1)
        line = line.ljust(start) + cell
    return line


def _key(curve: DrawnCurve) -> Iterator[str]:
    endpoint, estimate = curve.endpoint, curve.endpoint.survival
    if curve.has_band and estimate.confidence_level is not None:
        few = f", {_FADED} fewer than {_FEW_FOLLOWED} followed" if curve.fades_from(_FEW_FOLLOWED) else ""
        yield f"{_BAND} {fmt.level(estimate.confidence_level)} interval ({fmt.method(estimate)}){few};"
    if curve.censored:
        yield f"{_CENSORED} censored;"
    if curve.is_censoring_unmarked:
        yield "censored patients not marked, too many;"
    yield f"{_HORIZON} horizon."
    yield from how_joined([curve])
    yield from definitions([curve])
    if endpoint.note:
        yield endpoint.note


def _indented(sentence: str, width: int) -> list[str]:
    return textwrap.wrap(sentence, width, initial_indent="  ", subsequent_indent="  ")
