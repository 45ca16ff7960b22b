"""Rows of texts and numbers as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from ahsct_trial.escaping import spreadsheet_safe


def write_rows(names: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """A CSV with a line of names; None and NaN are empty, numbers have all their digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(spreadsheet_safe, names))
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return spreadsheet_safe(value)
    return "" if value is None or value != value else value  # noqa: PLR0124 (NaN)
