"""Pictures of results: survival curves and the patients' timeline, for paper and for a terminal.

`curves` takes from a `Summary` what any drawing of a curve needs; `text` draws it with characters. `survival`
and `timeline` draw with matplotlib on the `page`, and `saving` makes files of it: these alone import
matplotlib. Nothing is computed here: each number of a curve stands in the JSON document.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown

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
        raise UsageError(f"{shown(path.name)} does not end like a figure. Name it .svg, .pdf or .png.")
    width = _USUAL_WIDTH if width_mm is None else width_mm
    if not _NARROWEST <= width <= _WIDEST:  # also refuses NaN
        raise UsageError(
            f"--width is {width:g}; a figure is from {_NARROWEST:g} to {_WIDEST:g} mm wide. "
            "One column of a journal is about 90 mm, two are 180."
        )
    return FigureFile(path, ending, width)
