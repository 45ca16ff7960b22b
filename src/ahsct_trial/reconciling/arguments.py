"""What is written on the command line: an interval, a range of denominators, events over a time."""

from __future__ import annotations

import re

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown


def split_limits(text: str) -> tuple[str, str]:
    """Take ``LOW:HIGH`` apart.

    Raises
    ------
    UsageError
        If it is not of that form.
    """
    low, *high = text.split(":")
    if len(high) != 1:
        raise UsageError(f"The interval is {shown(text)!r}; write LOW:HIGH, for example 46.6:84.2.")
    return low, high[0]


def split_range(text: str) -> tuple[int, int]:
    """Take a range of denominators apart: ``A:B``, or one number.

    Raises
    ------
    UsageError
        If it is not of that form.
    """
    first, *last = text.split(":")
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
