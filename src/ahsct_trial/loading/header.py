"""The header line: which character separates, which columns there are, and where the rows begin."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ahsct_trial.columns import Column
from ahsct_trial.escaping import shown
from ahsct_trial.loading.problems import DataProblems, Problem, fatal
from ahsct_trial.loading.source import Source, refuse_other_encodings

_DELIMITERS = (",", ";", "\t")
# Searched with an offset, so that no part of a large file is copied.
_VISIBLE = re.compile(rb"\S")
_QUOTE_OR_BREAK = re.compile(rb'["\n]')


@dataclass(frozen=True)
class Header:
    """What the header line says.

    Attributes
    ----------
    delimiter
        The character between cells.
    names
        The header's own names, one per cell.
    columns
        The column that each cell is read as; None where it is unknown.
    body_offset, body_line
        Offset in the source's data and line number at which the first row begins.
    warnings
        What a person should know about columns that were left out.
    """

    delimiter: str
    names: tuple[str, ...]
    columns: tuple[Column | None, ...]
    body_offset: int
    body_line: int
    warnings: tuple[str, ...]

    @property
    def known(self) -> dict[int, Column]:
        """Position of each known column, in the order of the file."""
        return {position: column for position, column in enumerate(self.columns) if column is not None}


def read_header(source: Source, dictionary: Sequence[Column]) -> Header:
    """Find the delimiter and the columns.

    The delimiter is the one of comma, semicolon and tab under which the header has the most known
    columns, then the most cells; a tie goes to the first of these.

    Raises
    ------
    DataProblems
        If a required column is missing, a column stands there twice, or there is no row.
    """
    start, end = _header_span(source)
    try:
        line = source.data[start:end].decode("utf-8")
    except UnicodeDecodeError:
        refuse_other_encodings(source)
        raise
    names_by_delimiter = {delimiter: _cells(line, delimiter) for delimiter in _DELIMITERS}
    delimiter = max(
        _DELIMITERS,
        key=lambda candidate: (
            sum(name is not None for name in _recognised(names_by_delimiter[candidate], dictionary)),
            len(names_by_delimiter[candidate]),
        ),
    )
    names = names_by_delimiter[delimiter]
    columns = _recognised(names, dictionary)
    header_line = source.line_of(start)
    problems = [
        *_missing(source.file, header_line, names, columns, dictionary),
        *_repeated(source.file, header_line, names, columns),
    ]
    if problems:
        raise DataProblems(source.file, problems, len(problems))
    if not _VISIBLE.search(source.data, end):
        raise fatal(
            source.file,
            "there is a header and no row",
            "a cohort has a row per patient",
            "Export the data again.",
            line=header_line,
        )
    return Header(
        delimiter,
        tuple(names),
        tuple(columns),
        body_offset=end,
        body_line=source.line_of(end),
        warnings=_left_out(names, columns),
    )


def _header_span(source: Source) -> tuple[int, int]:
    """Start and end, with its line break, of the first line that is not blank; quotes may hold breaks."""
    first = _VISIBLE.search(source.data)
    start = first.start() if first else 0
    is_quoted = False
    for mark in _QUOTE_OR_BREAK.finditer(source.data, start):
        if mark[0] == b'"':
            is_quoted = not is_quoted
        elif not is_quoted:
            return start, mark.end()
    if is_quoted:
        raise fatal(
            source.file,
            "a quote in the header is never closed",
            "quotes come in pairs",
            "Close or remove it.",
            line=source.line_of(start),
        )
    return start, len(source.data)


def _cells(line: str, delimiter: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]


def _recognised(names: Sequence[str], dictionary: Sequence[Column]) -> list[Column | None]:
    by_name = {name: column for column in dictionary for name in (column.name, *column.aliases)}
    return [by_name.get(name.casefold()) for name in names]


def _missing(
    file: str,
    line: int,
    names: Sequence[str],
    columns: Sequence[Column | None],
    dictionary: Sequence[Column],
) -> list[Problem]:
    absent = [column for column in dictionary if column.is_required and column not in columns]
    if not absent:
        return []
    from difflib import get_close_matches

    unknown = [name for name, column in zip(names, columns, strict=True) if column is None]
    problems = []
    for column in absent:
        close = get_close_matches(column.name, [name.casefold()[:100] for name in unknown[:1000]], n=1)
        meant = f"Is {shown(close[0])!r} meant? " if close else ""
        problems.append(
            Problem(
                file=file,
                line=line,
                column=column.name,
                what=f"the header has no column {column.name}",
                rule="every file needs it",
                fix=f"{meant}Add it: {column.meaning}",
            )
        )
    return problems


def _repeated(file: str, line: int, names: Sequence[str], columns: Sequence[Column | None]) -> list[Problem]:
    problems = []
    for column in dict.fromkeys(column for column in columns if column is not None):
        written = [shown(name) for name, other in zip(names, columns, strict=True) if other is column]
        if len(written) > 1:
            problems.append(
                Problem(
                    file=file,
                    line=line,
                    column=column.name,
                    what=f"{len(written)} columns are {column.name} ({', '.join(written)})",
                    rule="each column stands there once",
                    fix="Remove or rename all but one.",
                )
            )
    return problems


def _left_out(names: Sequence[str], columns: Sequence[Column | None]) -> tuple[str, ...]:
    unknown = [name for name, column in zip(names, columns, strict=True) if column is None]
    if not unknown:
        return ()
    named = [shown(name) if name else "(without a name)" for name in unknown]
    listed = ", ".join(named[:10]) + (f" and {len(named) - 10} more" if len(named) > 10 else "")
    noun = "Column" if len(named) == 1 else "Columns"
    return (f"{noun} not known here and left out: {listed}.",)
