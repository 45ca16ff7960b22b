"""What a user may choose about the look of a figure."""

from __future__ import annotations

from dataclasses import dataclass

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.wording import is_it_meant

#: Colours in the order of the endpoints or groups. Okabe and Ito's and Tol's are told apart by colour-blind
#: readers (https://jfly.uni-koeln.de/color, https://sronpersonalpages.nl/~pault); grey is for print without
#: colour, where dashes tell curves apart.
PALETTES: dict[str, tuple[str, ...]] = {
    "okabe-ito": ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00"),
    "tol-bright": ("#4477AA", "#EE6677", "#228833", "#AA3377", "#000000", "#66CCEE", "#CCBB44"),
    "grey": ("#000000", "#595959", "#000000", "#595959", "#000000", "#595959", "#000000"),
}
#: Dashes and gaps [line widths] in the same order; the first curve is solid.
_DASHES: tuple[tuple[float, ...], ...] = (
    (),
    (5, 1.5),
    (2, 1),
    (6, 1.5, 1, 1.5),
    (1, 1),
    (8, 2),
    (3, 1, 1, 1, 1, 1),
)


@dataclass(frozen=True, kw_only=True)
class Style:
    """The look of a figure.

    Attributes
    ----------
    title
        Words above the picture; none without.
    has_caption
        Whether the caption stands in the picture; it is always a part of the drawing.
    palette
        Name of the colours.
    fade_below
        Where fewer patients than this are followed the interval band is pale.

    Raises
    ------
    UsageError
        If there is no such palette, or `fade_below` is negative.
    """

    title: str | None = None
    has_caption: bool = False
    palette: str = "okabe-ito"
    fade_below: int = 5

    def __post_init__(self) -> None:
        if self.palette not in PALETTES:
            sentence = (
                f"There is no palette {shown(repr(self.palette))}; --palette is one of {', '.join(PALETTES)}."
            )
            raise UsageError(f"{sentence} {is_it_meant(self.palette, PALETTES)}".rstrip())
        if self.fade_below < 0:
            raise UsageError(f"--fade is {self.fade_below}; it is a number of patients from 0 on.")

    def colour(self, look: int) -> str:
        """The colour of an endpoint or group by its place."""
        colours = PALETTES[self.palette]
        return colours[look % len(colours)]

    def dashes(self, look: int) -> tuple[float, ...]:
        """The dashes of an endpoint or group by its place; none for a solid line."""
        return _DASHES[look % len(_DASHES)]
