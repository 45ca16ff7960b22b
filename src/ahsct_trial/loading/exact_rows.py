"""Rows as they stand in the file, cell by cell: slower, and exact about what is wrong with each.

It also takes what is right and the fast way is too strict for: quoted cells with separators or line breaks in
them, blank lines, rows without a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ahsct_trial.columns import NUMERIC_KINDS, PATIENT_ID
from ahsct_trial.loading.arrow import read_table, text_type, whole
from ahsct_trial.loading.blocks import Block
from ahsct_trial.loading.dates import day_numbers
from ahsct_trial.loading.header import Header
from ahsct_trial.loading.problems import Finding, Problem, fatal
from ahsct_trial.loading.quotes import is_open_at_end, walk
from ahsct_trial.loading.rows import Numbers, Rows, Texts

_MARK_NAMES = {".": "point", ",": "comma"}
_DELIMITER_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab"}


@dataclass(frozen=True)
class ExactRows:
    """Rows as they stand in the file.

    Attributes
    ----------
    cells
        Texts by canonical name, null where missing; shape (n_rows,).
    rows
        The same as typed columns, missing where a cell is unreadable.
    is_unreadable
        Where the cells of a numeric column are not numbers; shape (n_rows,).
    lines
        Line of the file on which each row begins; shape (n_rows,).
    decimal_point
        What stands before the decimals of numbers, a point or a comma.
    ragged
        Rows that have too few or too many cells, which all others leave out.
    """

    cells: dict[str, pa.ChunkedArray]
    rows: Rows
    is_unreadable: dict[str, NDArray[np.bool_]]
    lines: NDArray[np.int64]
    decimal_point: str
    ragged: list[Finding]

    def __len__(self) -> int:
        return len(self.lines)

    def with_value(self) -> ExactRows:
        """The rows that have a value in a known column, if only an unreadable one."""
        is_empty = self.rows.is_empty()
        for is_unreadable in self.is_unreadable.values():
            is_empty &= ~is_unreadable
        if not is_empty.any():
            return self
        mask = pa.array(~is_empty)
        return replace(
            self,
            cells={name: texts.filter(mask) for name, texts in self.cells.items()},
            rows=self.rows.among(~is_empty),
            is_unreadable={name: wrong[~is_empty] for name, wrong in self.is_unreadable.items()},
            lines=self.lines[~is_empty],
        )


def read_exact_rows(file: str, header: Header, block: Block, first_line: int) -> ExactRows:
    """Read the rows of a block as text, then turn into numbers what is a number.

    Parameters
    ----------
    file, header, block
        Name of the file, what its header says, and the lines to read.
    first_line
        Line of the file on which the first row begins.

    Raises
    ------
    DataProblems
        If a quote is never closed, so that rows cannot be told apart.
    """
    ragged: list[tuple[int, int]] = []

    def note_ragged(row: Any) -> str:
        ragged.append((row.number - 1, row.actual_columns))
        return "skip"

    types = {column.name: text_type(column) for column in header.known.values()}
    table = read_table(block, header, types, on_ragged=note_ragged)
    lines = _record_lines(file, header.delimiter, block, first_line, len(table) + len(ragged))
    cells = {column.name: table.column(column.name) for column in header.known.values()}
    coded = {name: _Coded.of(texts) for name, texts in cells.items() if name != PATIENT_ID.name}
    kinds = {column.name: column.kind for column in header.known.values()}
    decimal_point = _decimal_point(
        header, [own for name, own in coded.items() if kinds[name] in NUMERIC_KINDS - {"date"}]
    )
    columns: dict[str, Numbers | Texts] = {}
    is_unreadable = {}
    for name, own in coded.items():
        is_given = own.places >= 0
        if kinds[name] in NUMERIC_KINDS:
            numbers = (
                day_numbers(own.different.to_pylist(), header.date_format)
                if kinds[name] == "date"
                else _numbers(own.different, decimal_point)
            )
            numbers = np.append(numbers, np.nan)[own.places]
            is_unreadable[name] = is_given & np.isnan(numbers)
            rows = np.flatnonzero(is_given & ~is_unreadable[name])
            columns[name] = Numbers(rows, numbers[rows])
        else:
            rows = np.flatnonzero(is_given)
            columns[name] = Texts(rows, own.places[rows], own.different.to_pylist())
    return ExactRows(
        cells,
        Rows(whole(cells[PATIENT_ID.name]), columns),
        is_unreadable,
        np.delete(lines, [record for record, _ in ragged]),
        decimal_point,
        _ragged(file, header, lines, ragged),
    )


def decimal_rule(header: Header, decimal_point: str, text: str) -> str | None:
    """The rule that a number breaks whose decimals stand behind the other mark; None for other text."""
    other = "," if decimal_point == "." else "."
    if other not in text or not re.fullmatch(_number(other), text):
        return None
    if header.delimiter == ",":
        return "in a comma-separated file decimals have a point"
    return f"other numbers in this file have a decimal {_MARK_NAMES[decimal_point]}"


def _record_lines(
    file: str, delimiter: str, block: Block, first_line: int, n_records: int
) -> NDArray[np.int64]:
    """Line on which each record of a block begins; blank lines are no records, quotes may hold breaks."""
    data, start, end = block.data, block.start, block.end_of_text
    lines = np.arange(n_records)
    if block.count_lines() != n_records:
        lines = _visible_lines(data, start, end)
    if len(lines) == n_records:
        # Each line is a record. A quote that is open in the last one has nothing to join to it.
        is_open = is_open_at_end(block, delimiter)
    else:
        starts, fault = walk(data[start:end], delimiter)
        is_open = bool(fault)
        lines = np.array(starts)
    lines += first_line
    if is_open:
        raise fatal(
            file,
            "a quote is opened and not closed where its cell ends",
            "a quoted cell begins and ends with a quote",
            "Close or remove it.",
            line=int(lines[-1]),
        )
    return lines


def _visible_lines(data: bytes, start: int, end: int) -> NDArray[np.int64]:
    """Numbers, from 0, of the lines that are not blank; the last one is not."""
    text = np.frombuffer(data, dtype=np.uint8)[start:end]
    breaks = np.flatnonzero(text == ord("\n"))
    starts = np.concatenate(([0], breaks + 1))
    lengths = np.append(breaks, len(text)) - starts
    return np.flatnonzero((lengths > 1) | ((lengths == 1) & (text[starts] != ord("\r"))))


@dataclass(frozen=True)
class _Coded:
    """The different texts of a column, and the place of each row's among them, −1 where it is missing."""

    different: pa.Array
    places: NDArray[np.int32]

    @classmethod
    def of(cls, texts: pa.ChunkedArray) -> _Coded:
        coded = whole(texts)
        return cls(coded.dictionary, coded.indices.fill_null(-1).to_numpy())


def _decimal_point(header: Header, columns: Iterable[_Coded]) -> str:
    """The mark that more numbers of a semicolon or tab file have, a comma at a tie; else a point."""
    if header.delimiter == ",":
        return "."
    n_numbers = {".": 0, ",": 0}
    for column in columns:
        n_rows = np.bincount(column.places + 1, minlength=len(column.different) + 1)[1:]
        for mark in n_numbers:
            has_mark = pc.and_(
                pc.match_substring_regex(column.different, _number(mark)),
                pc.match_substring(column.different, mark),
            )
            n_numbers[mark] += int(n_rows[has_mark.to_numpy(zero_copy_only=False)].sum())
    return "." if n_numbers["."] > n_numbers[","] else ","


def _numbers(texts: pa.Array, decimal_point: str) -> NDArray[np.float64]:
    """Numbers, NaN for a text that is none."""
    is_number = pc.match_substring_regex(texts, _number(decimal_point))
    plain = pc.replace_substring(pc.utf8_trim_whitespace(texts), decimal_point, ".")
    numbers = pc.if_else(is_number, plain, None).cast(pa.float64())
    return np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)


def _number(point: str) -> str:
    point = re.escape(point)
    return rf"^[ \t]*[+-]?([0-9]+({point}[0-9]*)?|{point}[0-9]+)([eE][+-]?[0-9]+)?[ \t]*$"


def _ragged(
    file: str, header: Header, lines: NDArray[np.int64], ragged: Sequence[tuple[int, int]]
) -> list[Finding]:
    if not ragged:
        return []
    n_names = len(header.names)
    n_cells_of_line = {int(lines[record]): n_cells for record, n_cells in ragged}

    def describe(line: int) -> Problem:
        n_cells = n_cells_of_line[line]
        too_many = (
            f"Remove cells, or put a text that holds {_DELIMITER_NAMES[header.delimiter]} in double quotes."
        )
        return Problem(
            file=file,
            line=line,
            what=f"the row has {n_cells:,} {'cell' if n_cells == 1 else 'cells'}",
            rule=f"the header has {n_names:,}",
            fix=too_many if n_cells > n_names else "Add the missing cells, if only as empty ones.",
        )

    return [Finding(np.array(list(n_cells_of_line)), describe)]
