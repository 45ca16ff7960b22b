"""The rows below the header as typed columns: fast when all is well, exact when something is not.

Both ways use pyarrow. `read_typed` asks for numbers and coded texts at once and gives up at the first
cell that is anything else. Only then does `read_text` read the cells as they stand, so that each wrong
one can be named; it also accepts what is right and the fast way is too strict for.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from ahsct_trial.columns import NUMERIC_KINDS, PATIENT_ID, Column
from ahsct_trial.loading import arrow
from ahsct_trial.loading.header import Header
from ahsct_trial.loading.problems import Finding, Problem, fatal
from ahsct_trial.loading.source import Source

MISSING = ("", "NA")

# What the csv module says where a quote is open at the end.
_END_OF_DATA = "unexpected end of data"
_MARK_NAMES = {".": "point", ",": "comma"}
_DELIMITER_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_1970 = date(1970, 1, 1).toordinal()
_VISIBLE = re.compile(rb"[^\r\n]")
#: pyarrow's own pool gives memory back between blocks, and the kernel takes a second to clear it again.
_POOL = pa.system_memory_pool()
#: Bytes that one thread reads at a time.
_BLOCK = 4 * 2**20
# pyarrow counts positions within a block in 31 bits.
_LARGEST_BLOCK = 2**31 - 1


Part = TypeVar("Part")


class UnreadableRowsError(Exception):
    """The fast way met a cell or a row that it cannot take; `read_text` says what it is."""


@dataclass(frozen=True)
class Rows:
    """Typed columns of equal length by canonical name.

    Attributes
    ----------
    numbers
        float64 arrays, NaN where the cell is missing.
    texts
        Text columns of pyarrow, coded where texts repeat, null where the cell is missing.
    lines
        Line of the file on which each row begins.
    """

    numbers: dict[str, NDArray[np.float64]]
    texts: dict[str, pa.ChunkedArray]
    lines: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that the file has."""
        return (*self.texts, *self.numbers)

    def has(self, *names: str) -> bool:
        """Whether the file has all of these columns."""
        return all(name in self.numbers or name in self.texts for name in names)

    def is_empty(self) -> NDArray[np.bool_]:
        """Where a row has no value at all."""
        is_empty = np.ones(len(self), dtype=bool)
        for name in self.names:
            is_empty &= self.is_missing(name)
        return is_empty

    def n_missing(self, name: str) -> int:
        """How many rows have no value in a column."""
        if name in self.numbers:
            return int(np.count_nonzero(np.isnan(self.numbers[name])))
        return int(self.texts[name].null_count)

    def is_missing(self, name: str) -> NDArray[np.bool_]:
        """Where a column has no value."""
        if name in self.numbers:
            return np.isnan(self.numbers[name])
        return arrow.is_null(self.texts[name])

    @classmethod
    def joined(cls, parts: Sequence[Rows], lines: NDArray[np.int64]) -> Rows:
        """Rows one part after the other; several parts lose their columns, to hold none twice for long."""
        if len(parts) == 1:
            return replace(parts[0], lines=lines)
        names, texts = [*parts[0].numbers], [*parts[0].texts]

        def join(name: str) -> NDArray[np.float64]:
            return np.concatenate([part.numbers.pop(name) for part in parts])

        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(pa.cpu_count()) as threads:
            numbers = dict(zip(names, threads.map(join, names), strict=True))
        return cls(
            numbers,
            {
                name: pa.chunked_array([chunk for part in parts for chunk in part.texts.pop(name).chunks])
                for name in texts
            },
            lines,
        )

    def keep(self, is_kept: NDArray[np.bool_]) -> Rows:
        """The rows where `is_kept` holds."""
        mask = pa.array(is_kept)
        return Rows(
            {name: values[is_kept] for name, values in self.numbers.items()},
            {name: texts.filter(mask) for name, texts in self.texts.items()},
            self.lines[is_kept],
        )


@dataclass(frozen=True)
class Text:
    """The rows as they stand in the file.

    Attributes
    ----------
    cells
        Texts by canonical name, null where missing.
    rows
        The same as typed columns, missing where a cell is unreadable.
    is_unreadable
        Where the cells of a numeric column are not numbers.
    decimal_point
        What stands before the decimals of this file's numbers, a point or a comma.
    ragged
        Rows that have too few or too many cells, which `cells` and `rows` leave out.
    """

    cells: dict[str, pa.ChunkedArray]
    rows: Rows
    is_unreadable: dict[str, NDArray[np.bool_]]
    decimal_point: str
    ragged: list[Finding]

    def __len__(self) -> int:
        return len(self.rows)

    def is_empty(self) -> NDArray[np.bool_]:
        """Where a row has no value at all; an unreadable one is a value."""
        is_empty = self.rows.is_empty()
        for is_unreadable in self.is_unreadable.values():
            is_empty &= ~is_unreadable
        return is_empty

    def is_missing(self, name: str) -> NDArray[np.bool_]:
        """Where a column has no value."""
        return arrow.is_null(self.cells[name])

    def keep(self, is_kept: NDArray[np.bool_]) -> Text:
        """The rows where `is_kept` holds."""
        mask = pa.array(is_kept)
        return Text(
            {name: texts.filter(mask) for name, texts in self.cells.items()},
            self.rows.keep(is_kept),
            {name: wrong[is_kept] for name, wrong in self.is_unreadable.items()},
            self.decimal_point,
            self.ragged,
        )


def read_typed(
    source: Source, header: Header, take: Callable[[Rows], Part]
) -> tuple[list[Part], NDArray[np.int64]]:
    """Read all rows into typed columns, some at a time; give what `take` makes of them, and all lines.

    The rows that `take` is given have numbers of their own instead of lines.

    Raises
    ------
    UnreadableRowsError
        If a cell is not what its column takes, a row is ragged, or quotes do not pair. `take` raises it
        where rows are not right.
    DataProblems
        If the quote of the last row is never closed.
    """
    # An odd number of quotes may be one that is never closed, which pyarrow would read to the end.
    if source.data.count(b'"', header.body_offset) % 2 == 1:
        raise UnreadableRowsError
    for decimal_point in (".",) if header.delimiter == "," else (".", ","):
        try:
            blocks = _read_blocks(source, header, decimal_point, take)
        except pa.ArrowInvalid:
            continue
        lines = _record_lines(source, header, sum(n_rows for _, n_rows in blocks))
        return [part for part, _ in blocks], lines
    raise UnreadableRowsError


def _read_blocks(
    source: Source, header: Header, decimal_point: str, take: Callable[[Rows], Part]
) -> list[tuple[Part, int]]:
    """What `take` makes of each block of the file, and its number of rows.

    One thread per processor reads a block at a time, checks it while it is in the processor's cache, and
    keeps little of it. That takes half the time and a third of the memory of pyarrow's own threads, which
    build the whole table.
    """
    types = {column.name: _arrow_type(column, header) for column in header.known.values()}

    def read(span: tuple[int, int]) -> tuple[Part, int]:
        table = _read(source, header, types, span, decimal_point=decimal_point)
        cells = {column: table.column(column.name) for column in header.known.values()}
        block = Rows(
            {
                column.name: _typed_numbers(cells[column], header)
                for column in cells
                if column.kind in NUMERIC_KINDS
            },
            {column.name: cells[column] for column in cells if column.kind not in NUMERIC_KINDS},
            np.arange(len(table)),
        )
        return take(block), len(block)

    spans = _block_spans(source, header)
    if len(spans) == 1:
        return [read(spans[0])]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(pa.cpu_count()) as threads:
        return list(threads.map(read, spans))


def _block_spans(source: Source, header: Header) -> list[tuple[int, int]]:
    """Begin and end of blocks of whole lines; one block where quotes may hold line breaks."""
    data, start = source.data, header.body_offset
    if data.find(b'"', start) >= 0:
        return [(start, len(data))]
    cuts = [start]
    while cuts[-1] + _BLOCK < len(data):
        cuts.append(data.find(b"\n", cuts[-1] + _BLOCK) + 1 or len(data))
    spans = itertools.pairwise([*cuts, len(data)])
    # pyarrow refuses a block of nothing but blank lines.
    return [span for span in spans if _VISIBLE.search(data, *span)]


def _typed_numbers(cells: pa.ChunkedArray, header: Header) -> NDArray[np.float64]:
    """A numeric column as pyarrow read it."""
    if pa.types.is_dictionary(cells.type):  # dates of a form that only `header.date_format` knows
        days, is_unreadable = _as_dates(_Coded.of(cells), header.date_format)
        if is_unreadable.any():
            raise UnreadableRowsError
        return days
    if pa.types.is_date(cells.type):
        cells = cells.cast(pa.int32()).cast(pa.float64())
    numbers = arrow.numbers(cells)
    # pyarrow takes the word "nan" for a number; the contract takes no word for one.
    if int(np.count_nonzero(np.isnan(numbers))) != cells.null_count:
        raise UnreadableRowsError
    return numbers


def read_text(source: Source, header: Header) -> Text:
    """Read all rows as text, then turn into numbers what is a number.

    Raises
    ------
    DataProblems
        If a quote is never closed, so that rows cannot be told apart.
    """
    ragged: list[tuple[int, int]] = []

    def note_ragged(row: Any) -> str:
        ragged.append((row.number - 1, row.actual_columns))
        return "skip"

    types = {column.name: _coded_type(column) for column in header.known.values()}
    table = _read(source, header, types, (header.body_offset, len(source.data)), on_ragged=note_ragged)
    lines = _record_lines(source, header, len(table) + len(ragged))
    cells = {name: table.column(name) for name in types}
    numeric = {
        column: _Coded.of(cells[column.name])
        for column in header.known.values()
        if column.kind in NUMERIC_KINDS
    }
    decimal_point = _decimal_point(
        header, (coded for column, coded in numeric.items() if column.kind != "date")
    )
    numbers, is_unreadable = {}, {}
    for column, coded in numeric.items():
        numbers[column.name], is_unreadable[column.name] = (
            _as_dates(coded, header.date_format)
            if column.kind == "date"
            else _as_numbers(coded, decimal_point)
        )
    rows = Rows(
        numbers,
        {name: texts for name, texts in cells.items() if name not in numbers},
        np.delete(lines, [record for record, _ in ragged]),
    )
    return Text(cells, rows, is_unreadable, decimal_point, _ragged(source, header, lines, ragged))


def decimal_rule(header: Header, decimal_point: str, text: str) -> str | None:
    """The rule that a number breaks whose decimals stand behind the other mark; None for other text."""
    other = "," if decimal_point == "." else "."
    if other not in text or not re.fullmatch(_number(other), text):
        return None
    if header.delimiter == ",":
        return "in a comma-separated file decimals have a point"
    return f"other numbers in this file have a decimal {_MARK_NAMES[decimal_point]}"


def _record_lines(source: Source, header: Header, n_records: int) -> NDArray[np.int64]:
    """Line on which each record of the file begins; blank lines are no records, quotes may hold breaks."""
    data, start, end = source.data, header.body_offset, len(source.data)
    while data[end - 1] in b"\r\n":
        end -= 1
    lines = np.arange(n_records)
    if data.count(b"\n", start, end) + 1 != n_records:
        lines = _visible_lines(data, start, end)
    if len(lines) == n_records:
        # Each line is a record. A quote that is open in the last one has nothing to join to it.
        _, fault = _walk(data[max(start, data.rfind(b"\n", start, end) + 1) :], header.delimiter)
        is_open = fault == _END_OF_DATA
    else:
        starts, fault = _walk(data[start:], header.delimiter)
        is_open = bool(fault)
        lines = np.array(starts)
    lines += header.body_line
    if is_open:
        raise fatal(
            source.file,
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


def _walk(body: bytes, delimiter: str) -> tuple[list[int], str]:
    """Line, from 0, on which each record begins, and what is wrong with the quotes of the last one.

    Uses the csv module: slow, and exact where quotes hold line breaks. It is strict, because a quote that
    is left open joins rows up to the next quote, which then stands in the wrong place.
    """
    # Only ASCII characters matter here, and Latin-1 keeps each byte one character.
    text = io.TextIOWrapper(io.BytesIO(body), encoding="latin-1", newline="\n")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    starts, start = [], 0
    usual_limit = csv.field_size_limit(len(body) + 1)
    try:
        for record in reader:
            if record:
                starts.append(start)
            start = reader.line_num
    except csv.Error as error:
        return [*starts, start], str(error)
    finally:
        csv.field_size_limit(usual_limit)
    return starts, ""


def _arrow_type(column: Column, header: Header) -> pa.DataType:
    if column.kind == "date":
        return pa.date32() if header.date_format is None else _coded_type(column)
    return pa.float64() if column.kind in NUMERIC_KINDS else _coded_type(column)


def _coded_type(column: Column) -> pa.DataType:
    # An identifier is different in each row; other texts repeat.
    return pa.string() if column.name == PATIENT_ID.name else pa.dictionary(pa.int32(), pa.string())


def _read(
    source: Source,
    header: Header,
    types: dict[str, pa.DataType],
    span: tuple[int, int],
    decimal_point: str = ".",
    on_ragged: Any = None,
) -> pa.Table:
    names = [
        f"unknown {position}" if column is None else column.name
        for position, column in enumerate(header.columns)
    ]
    start, stop = span
    has_quotes = source.data.find(b'"', start, stop) >= 0
    # Blocks without quotes are read side by side already; and rows have a number only in one thread.
    use_threads = has_quotes and on_ragged is None
    return pyarrow.csv.read_csv(
        pa.BufferReader(pa.py_buffer(source.data).slice(start, stop - start)),
        read_options=pyarrow.csv.ReadOptions(
            column_names=names,
            use_threads=use_threads,
            # A row must fit in a block.
            block_size=None if use_threads else min(stop - start + 1, _LARGEST_BLOCK),
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=header.delimiter,
            newlines_in_values=has_quotes,
            invalid_row_handler=on_ragged,
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=list(MISSING),
            strings_can_be_null=True,
            check_utf8=False,  # the source is known to be
            decimal_point=decimal_point,
        ),
        memory_pool=_POOL,
    )


@dataclass(frozen=True)
class _Coded:
    """Texts of a column: the different ones, and the place of each row's among them, −1 where missing."""

    words: pa.Array
    codes: NDArray[np.int32]

    @classmethod
    def of(cls, texts: pa.ChunkedArray) -> _Coded:
        array = texts.unify_dictionaries().combine_chunks()
        return cls(array.dictionary, arrow.codes(array))

    def spread(self, of_words: pa.Array, of_missing: float) -> NDArray[Any]:
        """What is known of each word, for each row."""
        return np.append(of_words.to_numpy(zero_copy_only=False), of_missing)[self.codes]


def _decimal_point(header: Header, columns: Iterable[_Coded]) -> str:
    """The mark that more numbers of a semicolon or tab file have, a comma at a tie; else a point."""
    if header.delimiter == ",":
        return "."
    n_numbers = {".": 0, ",": 0}
    for coded in columns:
        for mark in n_numbers:
            has_mark = pc.and_(
                pc.match_substring_regex(coded.words, _number(mark)), pc.match_substring(coded.words, mark)
            )
            n_numbers[mark] += int(coded.spread(has_mark, False).sum())
    return "." if n_numbers["."] > n_numbers[","] else ","


def _number(point: str) -> str:
    point = re.escape(point)
    return rf"^[ \t]*[+-]?([0-9]+({point}[0-9]*)?|{point}[0-9]+)([eE][+-]?[0-9]+)?[ \t]*$"


def _as_numbers(coded: _Coded, decimal_point: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers, NaN where missing or unreadable, and where they are unreadable."""
    is_number = pc.match_substring_regex(coded.words, _number(decimal_point))
    plain = pc.replace_substring(pc.utf8_trim_whitespace(coded.words), decimal_point, ".")
    numbers = pc.if_else(is_number, plain, None).cast(pa.float64())
    return coded.spread(numbers, np.nan), coded.spread(pc.invert(is_number), False).astype(bool)


def _as_dates(coded: _Coded, date_format: str | None) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Days since 1970, NaN where missing or no date, and where they are no date."""
    days = np.array([_day_number(word, date_format) for word in coded.words.to_pylist()], dtype=np.float64)
    numbers = pa.array(days)
    return coded.spread(numbers, np.nan), coded.spread(pc.is_nan(numbers), False).astype(bool)


def _day_number(word: str, date_format: str | None) -> float:
    """The day of a date since 1970; NaN for a text that is none. Unlike Python's, ISO here has hyphens."""
    try:
        if date_format is not None:
            return datetime.strptime(word, date_format).date().toordinal() - _DAY_1970
        word = word.strip(" \t")  # as pyarrow does
        return date.fromisoformat(word).toordinal() - _DAY_1970 if _ISO_DATE.fullmatch(word) else np.nan
    except ValueError:
        return np.nan


def _ragged(
    source: Source, header: Header, lines: NDArray[np.int64], ragged: Sequence[tuple[int, int]]
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
            file=source.file,
            line=line,
            what=f"the row has {n_cells:,} {'cell' if n_cells == 1 else 'cells'}",
            rule=f"the header has {n_names:,}",
            fix=too_many if n_cells > n_names else "Add the missing cells, if only as empty ones.",
        )

    return [Finding(np.array(list(n_cells_of_line)), describe)]
