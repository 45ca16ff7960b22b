"""What is written on the command line: an interval, a range of denominators, events over a time."""

from __future__ import annotations

import re

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.written_numbers import LIMITS, PERCENT, in_digits, level_beside, without_limits

_BETWEEN_NUMBERS = re.compile(r"\s*(?:[:‐-―−-]|\bto\b)\s*")


def split_figure(text: str) -> tuple[str, tuple[str, str] | None]:
    """Take a figure and the limits beside it apart; what is said in words becomes digits: "eleven of twelve"."""
    figure, limits = without_limits(in_digits(text))
    if len(limits) > 1:
        raise UsageError(
            f"The figure is '{shown(text)}', which has more than one interval; write one figure."
        )
    figure = re.sub(PERCENT, "%", figure, flags=re.IGNORECASE)
    return " ".join(figure.split()), next(iter(limits), None)


def one_level(text: str, level: float | None) -> float:
    """The confidence level that is given, or stands beside the figure, as in "90 % CI"; else 0.95.

    Raises
    ------
    UsageError
        If both are there and differ.
    """
    quoted = level_beside(text)
    if quoted is not None and level is not None and quoted != level:
        raise UsageError(f"--level is {level:g}, and the figure says {100 * quoted:g} %. Give one of them.")
    return level or quoted or 0.95


def split_limits(text: str) -> tuple[str, str]:
    """Take the limits of an interval apart.

    They may stand in brackets, with a colon, a hyphen or dash, a semicolon, a comma and a blank, or "to"
    between them.

    Raises
    ------
    UsageError
        If they are not two.
    """
    limits = re.fullmatch(LIMITS, re.sub(r"^\s*[(\[](.*)[)\]]\s*$", r"\1", text).strip(), re.IGNORECASE)
    if limits is None:
        raise UsageError(f"The interval is '{shown(text)}'; write LOW:HIGH, for example 46.6:84.2.")
    return limits[1], limits[2]


def split_range(text: str) -> tuple[int, int]:
    """Take a range of denominators apart: ``A:B``, ``A-B``, or one number.

    Raises
    ------
    UsageError
        If it is not of that form.
    """
    first, *last = _BETWEEN_NUMBERS.split(text.strip())
    ends = (first, *(last or [first]))
    if len(ends) != 2 or not all(re.fullmatch("[0-9]{1,9}", end) for end in ends):
        raise UsageError(f"The range of n is '{shown(text)}'; write A:B, for example 20:24, or one number.")
    return int(ends[0]), int(ends[1])


def split_counts(text: str) -> tuple[str, str]:
    """Take ``EVENTS/TIME`` apart.

    Raises
    ------
    UsageError
        If it is not of that form.
    """
    events, *exposure = text.split("/")
    if len(exposure) != 1:
        raise UsageError(f"The counts are '{shown(text)}'; write EVENTS/TIME, for example 167/140.")
    return events, exposure[0]
