"""Text of a file as it may stand on a screen or in a message."""

from __future__ import annotations

#: A path is shown to its end, which names the file.
_LONGEST_PATH = 4096


def shown_path(path: object) -> str:
    """A path as it may stand in a message."""
    return shown(str(path), longest=_LONGEST_PATH)


def shown(text: str, longest: int = 60) -> str:
    """Escape what a terminal would obey or hide, and cut what is longer than `longest` characters."""
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )
