"""Rows of texts and numbers as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def write_rows(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A CSV with a line of names; None and NaN are empty, numbers have all their digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(harmless, names))
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def harmless(text: str) -> str:
    """A text that a spreadsheet would run as a formula stands after an apostrophe."""
    runs = text.startswith(("=", "+", "-", "@", "\t", "\r")) and not _NUMBER.fullmatch(text)
    return f"'{text}" if runs else text


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return harmless(value)
    return "" if value is None or value != value else value  # noqa: PLR0124 (NaN)
