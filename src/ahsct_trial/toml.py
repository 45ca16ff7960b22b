"""TOML from outside, read within limits that no honest file comes near."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown, shown_path
from ahsct_trial.file_names import no_such_file

MOST_BYTES = 1_000_000
MOST_LEVELS = 50
MOST_KEY_PARTS = 20
#: Python itself refuses to show whole numbers of more than 4,300 digits.
MOST_DIGITS = 400

_TEXTS_AND_COMMENTS = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"{3,5}|\Z)'
    r"|'''.*?(?:'{3,5}|\Z)"
    r'|"(?:\\[^\n]|[^"\\\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+",
    re.DOTALL,
)
_BRACKET = re.compile(r"[\[\]{}]")
_LONG_WORD = re.compile(rf"(?<![\w+-])[\w+-]{{{MOST_DIGITS + 1}}}")
_LONG_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{MOST_KEY_PARTS}}}")


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """Read a TOML file.

    Parameters
    ----------
    path
        The file.
    what
        What the file is, as a message names it before its path: ``Protocol``, ``Map``, ``Publication``.

    Raises
    ------
    UsageError
        If the file cannot be read, or is not TOML within the limits of `parse_toml`; one line that names it.
    """
    name = f"{what} {shown_path(path)}"
    try:
        with path.open("rb") as file:
            # One byte more than is taken shows that there is more; a device never ends.
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise no_such_file(path) from None
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from None
    return parse_toml(data, name)


def parse_toml(data: bytes, name: str) -> dict[str, Any]:
    """Give the tables and values of a TOML text in UTF-8, with or without a byte order mark.

    Parameters
    ----------
    data
        The text, at most 1,000,000 bytes: tables and lists nested at most 50 deep, keys of at most 20
        parts, numbers and bare keys of at most 400 characters.
    name
        What messages call the file, escaped already.

    Raises
    ------
    UsageError
        If it is not UTF-8, is not TOML or goes beyond a limit; one line that begins with `name`.
    """
    if len(data) > MOST_BYTES:
        raise UsageError(f"{name} has more than {MOST_BYTES:,} bytes. Is it the right file?")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 from byte {error.start + 1} on. Save it as UTF-8.") from None
    _refuse_overwhelming(text, name)
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not TOML: {shown(str(error), longest=200)}.") from None
    # Keys of several parts nest too, which no bracket shows.
    level: list[Any] = [tables]
    for _ in range(MOST_LEVELS + 1):
        level = [
            each
            for outer in level
            for each in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(each, dict | list)
        ]
        if not level:
            return tables
    raise UsageError(f"{name} is nested more than {MOST_LEVELS} levels deep.")


def _refuse_overwhelming(text: str, name: str) -> None:
    """Refuse what would overwhelm the parser, which knows no limits, before it sees it."""
    bare = _TEXTS_AND_COMMENTS.sub(_blanked, text)
    depth = 0
    for bracket in _BRACKET.finditer(bare):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MOST_LEVELS:
            line = bare.count("\n", 0, bracket.start()) + 1
            raise UsageError(f"{name}:{line} is nested more than {MOST_LEVELS} levels deep.")
    for pattern, fault in (
        (_LONG_WORD, f"a number or key of more than {MOST_DIGITS} characters"),
        (_LONG_KEY, f"a key of more than {MOST_KEY_PARTS} parts"),
    ):
        found = pattern.search(bare)
        if found:
            line = bare.count("\n", 0, found.start()) + 1
            raise UsageError(f"{name}:{line} has {fault}.")


def _blanked(found: re.Match[str]) -> str:
    """A text as one letter, which it is within a key; its line breaks stay, for the numbers of lines."""
    return ("" if found[0].startswith("#") else "s") + "\n" * found[0].count("\n")
