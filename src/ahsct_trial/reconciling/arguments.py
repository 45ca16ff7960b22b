"""What is written on the command line: an interval, a range of denominators, events over a time."""

from __future__ import annotations

import re

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown

#: What stands between two limits: 46.6:84.2, 46.6-84.2, 46,6–84,2, "46.6 to 84.2", "46.6, 84.2".
_BETWEEN_LIMITS = re.compile(r"\s*(?:[:;‐-―−-]|\bto\b|,\s)\s*")
_BETWEEN_NUMBERS = re.compile(r"\s*(?:[:‐-―−-]|\bto\b)\s*")


def split_limits(text: str) -> tuple[str, str]:
    """Take the limits of an interval apart.

    They may stand in brackets, with a colon, a hyphen or dash, a semicolon, a comma and a blank, or "to"
    between them.

    Raises
    ------
    UsageError
        If they are not two.
    """
    limits = _BETWEEN_LIMITS.split(re.sub(r"^\s*[(\[](.*)[)\]]\s*$", r"\1", text))
    if len(limits) != 2 or not all(limits):
        raise UsageError(
            f"The interval is {shown(text)!r}; write LOW:HIGH, for example 46.6:84.2, neither negative."
        )
    return limits[0], limits[1]


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
        raise UsageError(f"The range of n is {shown(text)!r}; write A:B, for example 20:24, or one number.")
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
        raise UsageError(f"The counts are {shown(text)!r}; write EVENTS/TIME, for example 167/140.")
    return events, exposure[0]
