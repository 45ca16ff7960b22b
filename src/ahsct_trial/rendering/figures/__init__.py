"""Pictures of results: survival curves and the patients' timeline, for paper and for a terminal.

`curves` takes from results what any drawing of a curve needs; `text` draws it with characters. `survival`
and `timeline` draw with matplotlib on the `page`, and `saving` makes files of it: these alone import
matplotlib. Nothing is computed here: each number of a curve stands in the JSON document.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ahsct_trial.catalogue import HEADLINE
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.rendering.figures.style import Style
from ahsct_trial.results import Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# That matplotlib builds a list of fonts, or where it keeps it, is no matter for whoever wants a figure.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

_ENDINGS = ("svg", "pdf", "png")
#: Narrowest and widest figure [mm]: a column of a journal, and a sheet of A3.
_NARROWEST, _WIDEST = 80.0, 420.0
#: Two columns of a journal [mm].
_USUAL_WIDTH = 180.0


@dataclass(frozen=True)
class FigureFile:
    """Where a figure goes: the file, what kind it is by its ending, and the width of the figure [mm]."""

    path: Path
    ending: str
    width_mm: float


def figure_file(path: Path, width_mm: float | None) -> FigureFile:
    """Find what is asked for by a file's name and a width; without one it is 180 mm.

    Raises
    ------
    UsageError
        If the name has another ending than a figure, or no figure is so wide.
    """
    ending = path.suffix.lower().removeprefix(".")
    if ending not in _ENDINGS:
        raise UsageError(f"{shown(path.name)}: the name of a figure must end in .svg, .pdf or .png.")
    return FigureFile(path, ending, _checked_width(width_mm))


def _checked_width(width_mm: float | None) -> float:
    width = _USUAL_WIDTH if width_mm is None else width_mm
    if not _NARROWEST <= width <= _WIDEST:  # also refuses NaN
        raise UsageError(
            f"--width is {width:g}; a figure is from {_NARROWEST:g} to {_WIDEST:g} mm wide. "
            "One column of a journal is about 90 mm, two are 180."
        )
    return width


def plot_survival(
    summary: Summary,
    endpoints: Iterable[str] = (HEADLINE.key,),
    *,
    width_mm: float | None = None,
    style: Style | None = None,
) -> Figure:
    """Draw survival curves as a matplotlib figure; needs the extra ``report``.

    Parameters
    ----------
    summary
        The results.
    endpoints
        Keys of survival endpoints.
    width_mm
        Width of the figure [mm]; 180 if left out.
    style
        Title, caption, colours, and where the band fades.

    Raises
    ------
    UsageError
        If there is no such endpoint, or the data have no curve of it.
    """
    from ahsct_trial.rendering.figures.curves import drawn_curves, known_endpoints
    from ahsct_trial.rendering.figures.survival import draw_survival

    curves = drawn_curves(summary, known_endpoints(endpoints))
    return draw_survival(summary, curves, _checked_width(width_mm), style or Style()).figure
