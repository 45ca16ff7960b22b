"""The header line: which character separates, which columns there are, and where the rows begin."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ahsct_trial.columns import PATIENT_TABLE, RECORDS, Column
from ahsct_trial.escaping import shown
from ahsct_trial.loading.problems import DataProblems, Problem, fatal
from ahsct_trial.loading.source import Source
from ahsct_trial.results import Notice

_DELIMITERS = (",", ";", "\t")
# Searched with an offset, so that no part of a large file is copied.
_VISIBLE = re.compile(rb"\S")
#: What Excel writes for itself above the header.
_SEPARATOR_LINE = re.compile(rb'"?sep=[^\r\n]"?\r?\n', re.IGNORECASE)


#: Names of columns that were left out are listed up to this number.
_SHOWN_NAMES = 10


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
    notices
        What a person should know about columns that were left out.
    date_format
        How dates are written, in the terms of Python's `strptime`; None for YYYY-MM-DD.
    """

    delimiter: str
    names: tuple[str, ...]
    columns: tuple[Column | None, ...]
    body_offset: int
    body_line: int
    notices: tuple[Notice, ...]
    date_format: str | None = None

    @property
    def known(self) -> dict[int, Column]:
        """Position of each known column, in the order of the file."""
        return {position: column for position, column in enumerate(self.columns) if column is not None}


def find_shape(source: Source) -> Sequence[Column]:
    """The dictionary of the header: records if it has `record` or a day, and no `follow_up_years`."""
    start = _first_visible_line(source)
    readings = [_names(source, start, delimiter)[0] for delimiter in _DELIMITERS]
    known = {
        column.name
        for names in readings
        for column in (*_recognised(names, RECORDS), *_recognised(names, PATIENT_TABLE))
        if column is not None
    }
    is_records = bool(known & {"record", "day", "date"}) and "follow_up_years" not in known
    return RECORDS if is_records else PATIENT_TABLE


def read_header(source: Source, dictionary: Sequence[Column]) -> Header:
    """Find the delimiter and the columns.

    The delimiter is the one of comma, semicolon and tab under which the header has the most known
    columns, then the most cells; a tie goes to the first of these.

    Raises
    ------
    DataProblems
        If a required column is missing, a column stands there twice, a quote is never closed, or there
        is no row.
    """
    start = _first_visible_line(source)
    header_line = source.line_of(start)
    readings = {delimiter: _names(source, start, delimiter) for delimiter in _DELIMITERS}
    delimiter, (names, end) = max(
        readings.items(),
        key=lambda reading: (
            sum(column is not None for column in _recognised(reading[1][0], dictionary)),
            len(reading[1][0]),
        ),
    )
    columns = _recognised(names, dictionary)
    problems = [
        *_missing(source.file, header_line, names, columns, dictionary),
        *_repeated(source.file, header_line, names, columns),
    ]
    # A quote that is open under one delimiter may be mere text under another, and hide all columns there.
    if problems and any(not other for other, _ in readings.values()):
        raise fatal(
            source.file,
            "a quote in the header is opened and never closed",
            "a quoted name ends with a quote",
            "Close or remove it.",
            line=header_line,
        )
    if len(names) == 1:
        raise fatal(
            source.file,
            f"the header is one cell, '{shown(names[0])}'",
            "cells are separated by commas, semicolons or tabs",
            "Export the data as CSV again.",
            line=header_line,
        )
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
        notices=_left_out(names, columns, dictionary),
    )


def _first_visible_line(source: Source) -> int:
    """Offset of the first line that is not blank; in a tab file it may begin with an empty cell."""
    named = _SEPARATOR_LINE.match(source.data)
    begin = named.end() if named else 0
    first = _VISIBLE.search(source.data, begin)
    return max(begin, source.data.rfind(b"\n", 0, first.start()) + 1) if first else 0


def _names(source: Source, start: int, delimiter: str) -> tuple[list[str], int]:
    """Names of the header under one delimiter, and the offset behind it; no names if a quote never ends."""
    stream = io.BytesIO(source.data)
    stream.seek(start)
    end_of_file = "\0"  # which no source has
    lines = itertools.chain((line.decode("utf-8") for line in stream), [end_of_file])
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        names = next(reader)
    except csv.Error:  # a cell is too long: a quote over many lines, or a line without this delimiter
        names = [
            end_of_file if reader.line_num > 1 else source.data[start : start + 200].decode("utf-8", "ignore")
        ]
    return [] if names[-1].endswith(end_of_file) else [name.strip() for name in names], stream.tell()


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

    unknown = {
        name.casefold()[:100]: name for name, column in zip(names, columns, strict=True) if column is None
    }
    problems = []
    for column in absent:
        close = [
            near
            for known in (column.name, *column.aliases)
            for near in get_close_matches(known, list(unknown)[:1000], n=1, cutoff=0.7)
        ]
        meant = f"Rename '{shown(unknown[close[0]])}' if it is meant, or add it" if close else "Add it"
        problems.append(
            Problem(
                file=file,
                line=line,
                column=column.name,
                what=f"the header has no column {column.name}",
                rule="every file needs it",
                fix=f"{meant}: {column.meaning}",
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


def _left_out(
    names: Sequence[str], columns: Sequence[Column | None], dictionary: Sequence[Column]
) -> tuple[Notice, ...]:
    unknown = [name for name, column in zip(names, columns, strict=True) if column is None]
    if not unknown:
        return ()
    absent = [column.name for column in dictionary if column not in columns]
    named = [_with_meant(name, absent) if name else "(without a name)" for name in unknown[:_SHOWN_NAMES]]
    more = len(unknown) - len(named)
    listed = ", ".join(named) + (f" and {more} more" if more else "")
    noun = "Column" if len(unknown) == 1 else "Columns"
    return (Notice(code="unknown-columns", text=f"{noun} not known here and left out: {listed}."),)


def _with_meant(name: str, absent: Sequence[str]) -> str:
    """A name, and the column it may be a slip of the pen for."""
    from difflib import get_close_matches

    close = get_close_matches(name.casefold()[:100], absent, n=1, cutoff=0.8)
    return f"{shown(name)} (is {close[0]} meant?)" if close else shown(name)
