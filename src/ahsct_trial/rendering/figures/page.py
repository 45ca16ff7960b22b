"""The page that a figure is drawn on: its measure in millimetres, its type and its colours."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path

from ahsct_trial.results import TOOL

MM_PER_INCH = 25.4
POINTS_PER_MM = 72 / MM_PER_INCH
#: Sizes of type [points]: for what is read in the picture, and for the sentences below it.
TYPE, SMALL_TYPE, TITLE_TYPE = 8.0, 7.0, 10.0
#: From one line of the small type to the next [mm].
LINE_MM = 3.2
#: The same of the title.
TITLE_LINE_MM = 4.8
MARGIN_MM = 2.0

INK, PALE_INK = "#000000", "#595959"
#: Okabe and Ito's colours, told apart by colour-blind readers; see https://jfly.uni-koeln.de/color.
BLUE, VERMILLION, GREEN, PURPLE, YELLOW = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"

#: Comes with matplotlib, so that a figure is the same everywhere.
_FONT = "DejaVu Sans"
_STYLE: Any = {
    "font.family": [_FONT],
    "font.size": TYPE,
    "text.parse_math": False,  # a text of the file is text: `$x^2$` stays as it is
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelsize": TYPE,
    "xtick.labelsize": TYPE,
    "ytick.labelsize": TYPE,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "path.simplify": False,  # each step stays where it is
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": TOOL.name,
    "pdf.fonttype": 42,
}


@dataclass(frozen=True)
class Drawing:
    """A figure and its words.

    Attributes
    ----------
    figure
        The picture.
    title, description
        What stands for it where it cannot be seen.
    legend
        How to read it.
    about
        What it shows: the definitions behind it, the data and the protocol.
    """

    figure: Figure
    title: str
    description: str
    legend: str
    about: str

    @property
    def caption(self) -> str:
        """All that must stand with the picture."""
        return f"{self.legend} {self.about}"


@contextmanager
def journal_style() -> Iterator[None]:
    """Draw and save in this style whatever the user's own is, and without a word on the screen."""
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        # A character that the font lacks is drawn as a box.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


class Page:
    """A white page [mm], measured from its upper left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self.figure = Figure(figsize=(width / MM_PER_INCH, height / MM_PER_INCH), dpi=72, facecolor="white")

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes at a place [mm]."""
        bottom = self.height - top - height
        return self.figure.add_axes(
            (left / self.width, bottom / self.height, width / self.width, height / self.height)
        )

    def text(self, x: float, y: float, words: str, *, size: float = TYPE, **style: Any) -> None:
        """Text whose base line is at a height [mm]."""
        self.figure.text(x / self.width, 1 - y / self.height, words, va="baseline", fontsize=size, **style)

    def line(self, x: tuple[float, ...], y: tuple[float, ...], **style: Any) -> None:
        """A line or marks [mm], over everything else."""
        self.figure.add_artist(
            Line2D([each / self.width for each in x], [1 - each / self.height for each in y], **style)
        )

    def paragraph(self, y: float, lines: list[str]) -> None:
        """Lines of small type from a height down [mm]."""
        for number, words in enumerate(lines):
            self.text(MARGIN_MM, y + number * LINE_MM, words, size=SMALL_TYPE, color=PALE_INK)


@cache
def width_of(words: str, size: float = TYPE, weight: str = "normal") -> float:
    """The width of a text [mm] in a size [points]."""
    font = FontProperties(family=_FONT, size=size, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(words, font, ismath=False)
    return width / POINTS_PER_MM


def wrapped(text: str, width: float, size: float = SMALL_TYPE, weight: str = "normal") -> list[str]:
    """Break a text into lines of a width [mm]; a word that is longer than a line is broken within."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".lstrip()
        if width_of(longer, size, weight) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while width_of(line, size, weight) > width:
            fitting = next(
                n for n in range(len(line) - 1, 0, -1) if n == 1 or width_of(line[:n], size, weight) <= width
            )
            lines.append(line[:fitting])
            line = line[fitting:]
    return [*lines, line] if line else lines


def named(name: str, rest: str, width: float, size: float = TYPE, weight: str = "normal") -> str:
    """A name with what follows it in a width [mm]; where both do not fit the name loses its middle.

    What tells two long names apart is mostly at an end.
    """
    kept, words = len(name), f"{name}{rest}"
    while kept > 2 and width_of(words, size, weight) > width:
        kept -= 1
        words = f"{name[: kept - kept // 2].rstrip()}…{name[-(kept // 2) :].lstrip()}{rest}"
    return words
