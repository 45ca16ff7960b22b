"""Words that agree with a number, two limits, lists in a sentence, and the name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def from_to(low: str, high: str) -> str:
    """Two limits: "46.6–84.2"; "-0.15 to -0.04" where the lower one is negative."""
    return f"{low} to {high}" if low.startswith(("-", "−")) else f"{low}–{high}"


def in_years(time: float) -> str:
    """A time in words: "1 year", "3 years"."""
    return "1 year" if time == 1 else f"{time:g} years"


def plural(noun: str, n: int) -> str:
    """The noun as it follows the number."""
    return noun if n == 1 else f"{noun}s"


def listed(words: Iterable[str], conjunction: str = "and") -> str:
    """Words as a list in a sentence: "a", "a and b", "a, b and c"."""
    *others, last = words
    return f"{', '.join(others)} {conjunction} {last}" if others else last


def first_of(words: Sequence[str], n: int = 12, separator: str = ", ") -> str:
    """The first of some words, and how many more there are: "a, b and 3 more"."""
    more = f" and {len(words) - n:,} more" if len(words) > n else ""
    return separator.join(words[:n]) + more


def in_a_sentence(text: str) -> str:
    """A label or a note as it stands within a sentence; an abbreviation keeps its capitals."""
    return (text if text[:2].isupper() else f"{text[:1].lower()}{text[1:]}").removesuffix(".")


def closest(name: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """The known name that is closest to a misspelt one, or that begins with it; None if none is close.

    `likeness` is the least ratio of `difflib.SequenceMatcher`, from 0 to 1.
    """
    from difflib import get_close_matches

    folded, by_folded = name.strip().casefold(), {each.casefold(): each for each in known}
    close = get_close_matches(folded, by_folded, n=1, cutoff=likeness)
    if not close and len(folded) > 2:
        close = [each for each in by_folded if each.startswith(folded)]
    return by_folded[close[0]] if close else None


def is_it_meant(name: str, known: Iterable[str]) -> str:
    """The question whether the closest of the known names is meant; nothing if none is close."""
    meant = closest(name, known)
    return "" if meant is None else f"Is {meant} meant?"
