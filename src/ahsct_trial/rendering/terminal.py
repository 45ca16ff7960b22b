"""Sections on a terminal, by rich: readable at any width, with or without colour, dark or light."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ahsct_trial.rendering.sections import Section, one_line

#: Bold and dim show on any background; a verdict also has a colour, never only a colour.
_STYLES = {"reproduced": "green", "compatible": "", "differs": "bold red", "not computable": "dim"}
_FILE_WIDTH = 100
#: Stands for a blank at which no line breaks while a section is drawn.
_KEPT_BLANK = "\ue000"


def draw(sections: Sequence[Section], stream: TextIO | None = None) -> str:
    """Draw sections as text for a stream: as wide as its terminal, with colour only if it shows colour.

    Without a stream the text is for a file: 100 columns, no colour.
    """
    text = io.StringIO()
    if stream is None:
        console = Console(file=text, width=_FILE_WIDTH, color_system=None, highlight=False)
    else:
        screen = Console(file=stream)
        console = Console(
            file=text,
            width=screen.width or _FILE_WIDTH,
            color_system=screen.color_system,  # type: ignore[arg-type]
            force_terminal=screen.is_terminal,
            no_color=screen.no_color,
            highlight=False,
        )
    for number, section in enumerate(sections):
        if number:
            console.print()
        _draw_section(console, section)
    lines = text.getvalue().replace(_KEPT_BLANK, " ").splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _text(words: str, style: str = "") -> Text:
    """Text in which a percentage keeps its sign."""
    return Text(words.replace(" %", f"{_KEPT_BLANK}%"), style=style)


def _draw_section(console: Console, section: Section) -> None:
    if section.title:
        console.print(_text(section.title, style="bold"))
    if section.headings:
        for sentence in section.lead:
            console.print(_text(sentence))
        console.print(_fitting(section, console))
    else:
        # One or two sentences are a message, more are a list.
        bullet = "•" if len(section.lead) > 2 else ""
        for sentence in section.lead:
            console.print(_indented(sentence, bullet=bullet))
        if section.rows:
            console.print(_list(section, console.width))
    for note in section.notes:
        console.print(_indented(note, style="dim"))


def _fitting(section: Section, console: Console) -> Table | Group:
    """The table if it fits with every word and figure whole, else each row in a block."""
    widths = _widths(section, console.width)
    return _blocks(section, console.width) if widths is None else _table(section, widths)


def _indented(sentence: str, style: str = "", bullet: str = "") -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=1)
    grid.add_column(overflow="fold")
    grid.add_row(Text(bullet), _text(sentence, style=style))
    return grid


def _table(section: Section, widths: Sequence[int]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1), show_edge=False, header_style="bold")
    for number, (heading, width) in enumerate(zip(section.headings, widths, strict=True)):
        is_text = number in section.texts
        table.add_column(
            _text(heading),
            justify="left" if is_text else "right",
            vertical="top",
            overflow="fold",
            no_wrap=not is_text,
            width=width,
        )
    for row in section.rows:
        table.add_row(*(_text(cell, style=_STYLES.get(cell, "")) for cell in row))
    return table


def _widths(section: Section, available: int) -> list[int] | None:
    """The width of each column, None where not even the longest words fit.

    What is left after the longest words of the text columns goes to those first that lack least.
    """
    columns = [
        [section.headings[number], *(row[number] for row in section.rows)]
        for number in range(len(section.headings))
    ]
    whole = [
        max(cell_len(line) for cell in cells for line in (cell.splitlines() or [""])) for cells in columns
    ]
    widths = [
        _longest_word(cells) if number in section.texts else whole[number]
        for number, cells in enumerate(columns)
    ]
    # One blank before each column, and one between two of them.
    left = available - sum(widths) - 2 * len(widths) + 1
    if left < 0:
        return None
    for number in sorted(section.texts, key=lambda number: whole[number] - widths[number]):
        more = min(left, whole[number] - widths[number])
        widths[number] += more
        left -= more
    return widths


def _longest_word(cells: Iterable[str]) -> int:
    words = (word for cell in cells for word in cell.replace(" %", f"{_KEPT_BLANK}%").split())
    return max(map(cell_len, words), default=0)


def _blocks(section: Section, width: int) -> Group:
    """The table for a screen too narrow for it: each row a name with its figures below."""
    headings = [one_line(heading) for heading in section.headings]
    blocks: list[Padding] = []
    named = ""
    for name, *cells in section.rows:
        # A row without a name goes on about the one before it.
        named = name or named
        blocks.append(Padding(_text(named.strip()), (0, 0, 0, 1)))
        figures = [(heading, cell) for heading, cell in zip(headings[1:], cells, strict=True) if cell]
        if figures:  # a row of a name alone stands above others
            blocks.append(_list(Section(section.title, rows=tuple(figures)), width))
    return Group(*blocks)


def _list(section: Section, width: int) -> Padding:
    grid = Table.grid(padding=(0, 2, 0, 0))
    # A name is broken only where it would take more than half of the line.
    grid.add_column(no_wrap=2 * max(cell_len(name) for name, _ in section.rows) <= width)
    grid.add_column(overflow="fold")
    for name, value in section.rows:
        grid.add_row(_text(name), _text(value))
    return Padding(grid, (0, 0, 0, 2))
