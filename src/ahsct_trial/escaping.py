"""Text of a file as it may stand on a screen, in a message or in a cell of a CSV."""

from __future__ import annotations

import re

#: A path is shown to its end, which names the file.
_LONGEST_PATH = 4096

#: A cell that a spreadsheet runs as a formula, or one that could be taken for such a cell made safe.
_RUNS = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
#: All that is not plain; which of it is printable is looked at then.
_UNSEEN = re.compile(r"[^\n\t -~]+")
_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
#: What `spreadsheet_safe` makes of a cell, in the syntax that Python's `re` and pyarrow share; the group is
#: the cell as it was.
SPREADSHEET_SAFE = r"^'('*[=+\-@\t\r＝＋－＠])"


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


def visible(text: str) -> str:
    """Text of several lines for a terminal: what it would obey or hide is escaped as in JSON."""
    return _UNSEEN.sub(lambda found: "".join(_as_in_json(char) for char in found[0]), text)


def _as_in_json(char: str) -> str:
    if char.isprintable() or char == "\N{NO-BREAK SPACE}":
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def spreadsheet_safe(text: str) -> str:
    """A cell of a CSV so that a spreadsheet that opens it shows it and does not run it as a formula.

    What begins with ``=``, ``+``, ``-``, ``@``, in full width too, a tab or a carriage return, after any number of
    apostrophes, gets an apostrophe before it; negative numbers stay. `spreadsheet_plain` takes it off again.
    """
    return f"'{text}" if _RUNS.match(text) and not _NUMBER.fullmatch(text) else text


def spreadsheet_plain(text: str) -> str:
    """A cell as it was before `spreadsheet_safe`."""
    return re.sub(SPREADSHEET_SAFE, r"\1", text)
