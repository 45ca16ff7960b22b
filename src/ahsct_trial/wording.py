"""Words that agree with a number."""

from __future__ import annotations

from collections.abc import Iterable


def in_years(time: float) -> str:
    """A time in words: "1 year", "3 years"."""
    return "1 year" if time == 1 else f"{time:g} years"


def plural(noun: str, n: int) -> str:
    """The noun as it follows the number."""
    return noun if n == 1 else f"{noun}s"


def listed(words: Iterable[str]) -> str:
    """Words as a list in a sentence: "a", "a and b", "a, b and c"."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
