"""What the published figures of one trial are to each other: which agree, and which contradict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Literal, Protocol

from ahsct_trial.published.model import PRINT_FACTORS, Figure, Publication

#: What another figure of the trial is to one; events over another exposure are counted otherwise.
Relation = Literal["agrees", "counts otherwise", "contradicts"]
Known = Iterable[tuple[Publication, Figure]]


class Printed(Protocol):
    """A figure as it is printed: a number in a unit, or a count of something."""

    @property
    def value(self) -> str:
        """The number."""

    @property
    def of(self) -> str | None:
        """What a count is of."""

    @property
    def unit(self) -> str:
        """Its unit; empty for a count."""


def related_figures(
    publication: Publication, figure: Figure, known: Known
) -> Iterator[tuple[Publication, Figure, Relation]]:
    """What the figure's trial prints for the same endpoint, of the same patients, at the same time.

    Parameters
    ----------
    publication, figure
        The figure, and where it stands.
    known
        All figures that may be related to it, each with its publication.
    """
    for other_publication, other in known:
        is_same_trial = _trial(other_publication) == _trial(publication)
        if not is_same_trial or other is figure or not _is_for_the_same(figure, other):
            continue
        relation = _relation(figure, other)
        if relation is not None:
            yield other_publication, other, relation


def _trial(publication: Publication) -> str:
    return publication.trial or publication.id


def _is_for_the_same(figure: Figure, other: Figure) -> bool:
    place = _endpoint(figure)
    horizons = {figure.horizon_years, other.horizon_years} - {None}
    return (
        place is not None
        and place == _endpoint(other)
        and (figure.where, figure.contrast) == (other.where, other.contrast)
        and len(horizons) <= 1
    )


def _endpoint(figure: Figure) -> tuple[str, ...] | None:
    """Where its counterpart's endpoint stands in the results; None where there is no counterpart."""
    parts = tuple((figure.figure or "").split("."))
    if parts[0] != "endpoints":
        return None
    is_whole = parts[1].endswith("_survival") or parts[1] == "neda3"
    return parts[:2] if is_whole else parts[:3]


def _relation(figure: Figure, other: Figure) -> Relation | None:
    """What two figures of one endpoint are to each other; None where that cannot be told."""
    one, two = _share(figure), _share(other)
    if one is None or two is None:
        return None
    if figure.of is not None and other.of is not None:
        is_same = one == two
    elif figure.of is None and other.of is None:
        places = (_last_place(Decimal(each.value)) / each.print_factor for each in (figure, other))
        is_same = abs(one - two) < sum(places) / 2
    else:
        counted, printed = (one, other) if figure.of is not None else (two, figure)
        exact = (1 - counted if printed.is_complement else counted) * printed.print_factor
        is_same = is_printed_as(exact, Decimal(printed.value))
    if is_same:
        return "agrees"
    are_rates = is_rate(figure) and is_rate(other)
    return "counts otherwise" if are_rates and figure.of != other.of and one and two else "contradicts"


def _share(figure: Figure) -> Fraction | None:
    """The share or rate that a figure prints, that without the event; None for a bare count."""
    share = as_number(figure)
    return 1 - share if share is not None and figure.is_complement else share


def as_number(figure: Printed) -> Fraction | None:
    """A share from 0 to 1, a rate, or a time in years; None for a bare count."""
    if figure.of is not None:
        return ratio(figure.value, figure.of)
    factor = PRINT_FACTORS.get(figure.unit, 1)
    return Fraction(Decimal(figure.value)) / factor if figure.unit else None


def is_rate(figure: Figure) -> bool:
    """Whether it counts events over an exposure, and not patients or scans."""
    return (figure.figure or "").endswith(".rate.n")


def ratio(value: str, of: str) -> Fraction | None:
    """A count of something as an exact share; None of nothing."""
    return Fraction(Decimal(value)) / Fraction(Decimal(of)) if Decimal(of) else None


def is_printed_as(exact: Fraction, printed: Decimal) -> bool:
    """Whether a number is printed so: rounded, or decimals of it cut off."""
    is_cut_off = decimals(printed) > 0 and 0 <= exact - Fraction(printed) < _last_place(printed)
    return is_cut_off or rounds_to(exact, printed)


def rounds_to(exact: Fraction, printed: Decimal) -> bool:
    """Whether a number rounds half up to what is printed."""
    half = _last_place(printed) / 2
    return -half <= exact - Fraction(printed) < half


def decimals(number: Decimal) -> int:
    """How many digits stand behind the point."""
    return max(0, -int(number.as_tuple().exponent))


def _last_place(printed: Decimal) -> Fraction:
    return Fraction(1, 10 ** decimals(printed))
