"""A text of separated cells in blocks of whole lines, and each block as a table of texts."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from ahsct_trial.chunks import chunks, number_type
from ahsct_trial.columns import NUMERIC_KINDS, PATIENT_ID, Column
from ahsct_trial.escaping import SPREADSHEET_SAFE
from ahsct_trial.loading.header import Header
from ahsct_trial.loading.problems import fatal
from ahsct_trial.records import IntArray

#: Bytes of a block. Of smaller ones the texts that come again in the next are more, of larger ones the parts
#: that are in memory at once: 10,000,000 shuffled records take 11.0 s of processor time and 1.24 GB with it,
#: 13.5 s and 1.43 GB with a quarter of it.
_SIZE = 2**24
#: Bytes that are parsed at a time where a row that is longer may be read again: what the processor's cache holds.
_PLAIN_SIZE = 2**20
_TEXTS = pa.dictionary(pa.int32(), pa.string())
_NUMBERS = (pa.float64(), pa.date32())
_VISIBLE = re.compile(rb"[^\r\n]")
#: pyarrow counts positions within a text in 31 bits.
_LARGEST_TEXT = 2**31 - 1
#: What the csv module says where a quote is open at the end.
_END_OF_DATA = "unexpected end of data"


def is_ascending(texts: pa.StringArray) -> bool:
    """Whether each text is above the one before it, as the identifiers in a registry's list mostly are."""
    first = texts[:100]  # which spares most that are not a look at all of them
    return texts.null_count == 0 and all(
        pc.all(pc.less(each[:-1], each[1:])).as_py() for each in (first, texts)
    )


class NotPlain(Exception):
    """A cell is not as it mostly is, so that the part must be read as texts."""


@dataclass(frozen=True)
class TextColumn:
    """A column as the different texts in it, and which of them each row has.

    Attributes
    ----------
    codes
        Place of each row's text among the different ones, −1 where the cell is empty; shape (n_rows,).
    texts
        The different texts, as they are written.
    """

    codes: NDArray[np.int32]
    texts: pa.StringArray

    @classmethod
    def of(cls, column: pa.Array) -> TextColumn:
        """The column of an array of strings, coded or not."""
        if pa.types.is_string(column.type) and is_ascending(column):
            return cls(np.arange(len(column), dtype=np.int32), column)
        coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        codes = coded.indices.fill_null(-1) if coded.indices.null_count else coded.indices
        return cls(codes.to_numpy(), coded.dictionary)

    def without_apostrophes(self) -> TextColumn:
        """The column as it was before `spreadsheet_safe` put apostrophes before cells."""
        plain = pc.replace_substring_regex(self.texts, SPREADSHEET_SAFE, r"\1").dictionary_encode()
        return TextColumn(np.append(plain.indices.to_numpy(), np.int32(-1))[self.codes], plain.dictionary)


@dataclass(frozen=True)
class Rows:
    """Where the rows of a file, or of a part of it, stand.

    Attributes
    ----------
    lines
        Line on which each row begins, counted from the first line of the part; shape (n_rows,).
    n_lines
        Lines of the part, blank ones too.
    ragged
        Line and number of cells of each row that has too few or too many; none of the rows is one.
    broken
        Lines of the rows in which a quoted cell holds a line break.
    table
        Number of the table from which each row comes, shape (n_rows,); None for one table.
    numbers
        Number of each row, from 0, where rows are not known by their lines alone.
    """

    lines: IntArray
    n_lines: int = 0
    ragged: list[tuple[int, int]] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)
    table: IntArray | None = None
    numbers: IntArray | None = None

    def __len__(self) -> int:
        return len(self.lines)

    def among(self, is_kept: NDArray[np.bool_]) -> Rows:
        """The rows that are kept."""
        table, numbers = (
            None if per_row is None else per_row[is_kept] for per_row in (self.table, self.numbers)
        )
        return replace(self, lines=self.lines[is_kept], table=table, numbers=numbers)


@dataclass(frozen=True)
class TextTable:
    """The cells of some rows as they are written.

    Attributes
    ----------
    rows
        Where they stand.
    columns
        The known columns by canonical name.
    plain
        Those of them that were read as numbers, or as days since 1970: NaN where a cell is empty.
    """

    rows: Rows
    columns: dict[str, TextColumn]
    plain: dict[str, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """Whole lines of a text.

    Attributes
    ----------
    data
        A text in which they stand.
    start, stop
        Offset of the first line, and the one behind the line feed of the last.
    """

    data: bytes
    start: int
    stop: int

    def has(self, mark: bytes) -> bool:
        """Whether a character is there."""
        return self.data.find(mark, self.start, self.stop) >= 0

    def has_quotes(self) -> bool:
        """Whether there is a quote, which may hide line breaks."""
        return self.has(b'"')

    def text(self) -> NDArray[np.uint8]:
        """The bytes of the lines."""
        return np.frombuffer(self.data, np.uint8, self.stop - self.start, self.start)

    def count_lines(self) -> int:
        """Number of lines, blank ones too."""
        text = self.text()
        return sum(int(np.count_nonzero(text[chunk] == ord("\n"))) for chunk in chunks(len(text)))


def in_blocks(data: bytes, start: int) -> list[Block]:
    """The rows of a text from an offset on in blocks; in one where quotes may hold line breaks.

    Blank lines between two blocks belong to the first, those before and behind all rows to none.
    """
    start = _next_row(data, start, len(data))
    stop = data.index(b"\n", _end_of_text(data, len(data))) + 1
    rows = Block(data, start, stop)
    if rows.has_quotes():
        return [rows]
    found = []
    while stop - start > _SIZE:
        end = _next_row(data, data.index(b"\n", start + _SIZE) + 1, stop)
        found.append(Block(data, start, end))
        start = end
    return [*found, Block(data, start, stop)] if start < stop else found


def _end_of_text(data: bytes, stop: int) -> int:
    """Offset behind the last character that is no line break."""
    while data[stop - 1] in b"\r\n":
        stop -= 1
    return stop


def _next_row(data: bytes, start: int, stop: int) -> int:
    """Begin of the first line that is not blank, `stop` without one."""
    visible = _VISIBLE.search(data, start, stop)
    return visible.start() if visible else stop


def read_block(
    file: str, header: Header, block: Block, first_line: int | None = None, *, as_plain: bool = False
) -> TextTable:
    """Read the known columns of a block; blank lines are no rows.

    Parameters
    ----------
    file, header, block
        Name of the file, what its header says, and the lines to read.
    first_line
        Line of the file on which the block begins; only used to say where a quote is never closed.
    as_plain
        Whether to read numbers with a decimal point, and ISO dates, as such, which is faster.

    Raises
    ------
    NotPlain
        If cells are to be read as numbers or dates, and one that is not empty is neither.
    DataProblems
        If a quote is never closed, so that rows cannot be told apart.
    """
    ragged: list[tuple[int, int]] = []

    def skip(row: Any) -> str:
        ragged.append((row.number - 1, row.actual_columns))
        return "skip"

    n_bytes = block.stop - block.start
    names = [
        f"unknown {position}" if column is None else column.name
        for position, column in enumerate(header.columns)
    ]
    types = {column.name: _plain_type(column) if as_plain else _TEXTS for column in header.known.values()}
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(pa.py_buffer(block.data).slice(block.start, n_bytes)),
            read_options=pyarrow.csv.ReadOptions(
                column_names=names,
                use_threads=False,  # rows have a number only in one thread
                block_size=_PLAIN_SIZE
                if as_plain
                else min(n_bytes + 1, _LARGEST_TEXT),  # a row must fit in it
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=header.delimiter, newlines_in_values=block.has_quotes(), invalid_row_handler=skip
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=types,
                include_columns=[*types],
                null_values=[""],
                strings_can_be_null=True,
                check_utf8=False,  # the source is known to be
            ),
        )
    except pa.ArrowInvalid as error:
        raise NotPlain from error
    plain = {
        name: _as_numbers(table.column(name)) for name, cell_type in types.items() if cell_type in _NUMBERS
    }
    if any(
        np.count_nonzero(np.isnan(numbers)) != table.column(name).null_count
        for name, numbers in plain.items()
    ):
        raise NotPlain  # the text nan is no number
    n_lines, all_lines, broken = _record_lines(file, header, block, first_line, len(table) + len(ragged))
    columns = {name: TextColumn.of(_whole(table.column(name))) for name in types if name not in plain}
    if block.has(b"'"):
        columns = {name: column.without_apostrophes() for name, column in columns.items()}
    lines = np.delete(all_lines, [record for record, _ in ragged]) if ragged else all_lines
    return TextTable(
        Rows(lines, n_lines, [(int(all_lines[record]), n_cells) for record, n_cells in ragged], broken),
        columns,
        plain,
    )


def _plain_type(column: Column) -> pa.DataType:
    if column.kind == "date":
        return pa.date32()
    if column.name == PATIENT_ID.name:
        return pa.string()  # most differ: coded once for the block, not for each piece that is parsed
    return pa.float64() if column.kind in NUMERIC_KINDS else _TEXTS


def _as_numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Numbers, or days since 1970, NaN where a cell is empty; shape (n_rows,)."""
    if pa.types.is_date(column.type):
        column = column.cast(pa.int32())
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """A column of texts in one piece."""
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _record_lines(
    file: str, header: Header, block: Block, first_line: int | None, n_records: int
) -> tuple[int, IntArray, list[int]]:
    """Number of lines of a block, the line on which each record begins, and those that hold line breaks."""
    n_lines = block.count_lines()
    line_type = number_type(n_lines)
    lines: IntArray = np.arange(n_lines, dtype=line_type)
    broken: list[int] = []
    if n_lines != n_records:
        lines = _visible_lines(block).astype(line_type)
    end = _end_of_text(block.data, block.stop)
    if len(lines) == n_records:
        # Each line is a record. A quote that is open in the last one has nothing to join to it.
        last = block.data[max(block.start, block.data.rfind(b"\n", block.start, end) + 1) : end]
        is_open = b'"' in last and _walk(last, header.delimiter)[2] == _END_OF_DATA
    else:
        starts, broken, fault = _walk(block.data[block.start : end], header.delimiter)
        is_open = bool(fault)
        lines = np.array(starts, dtype=line_type)
    if is_open:
        raise fatal(
            file,
            "a quote is opened and not closed where its cell ends",
            "a quoted cell begins and ends with a quote",
            "Close or remove it.",
            line=None if first_line is None else first_line + int(lines[-1]),
        )
    return n_lines, lines, broken


def _visible_lines(block: Block) -> IntArray:
    """Numbers, from 0, of the lines that are not blank."""
    text = block.text()
    breaks = np.flatnonzero(text == ord("\n"))
    starts = np.concatenate(([0], breaks[:-1] + 1))
    lengths = breaks - starts
    return np.flatnonzero((lengths > 1) | ((lengths == 1) & (text[starts] != ord("\r"))))


def _walk(body: bytes, delimiter: str) -> tuple[list[int], list[int], str]:
    """Line, from 0, on which each record begins, those of more than one line, and what is wrong with quotes.

    Uses the csv module: slow, and exact where quotes hold line breaks. It is strict, because a quote that
    is left open joins rows up to the next quote, which then stands in the wrong place.
    """
    # Only ASCII characters matter here, and Latin-1 keeps each byte one character.
    text = io.TextIOWrapper(io.BytesIO(body), encoding="latin-1", newline="\n")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    starts: list[int] = []
    broken: list[int] = []
    start = 0
    try:
        with _cells_up_to(len(body)):
            for record in reader:
                if record:
                    starts.append(start)
                    if reader.line_num > start + 1:
                        broken.append(start)
                start = reader.line_num
    except csv.Error as error:
        return [*starts, start], broken, str(error)
    return starts, broken, ""


def cells_at(data: bytes, start: int, delimiter: str) -> list[str]:
    """The cells of the record that begins at an offset, without their quotes."""
    stream = io.BytesIO(data)
    stream.seek(start)
    with _cells_up_to(len(data)):
        return next(csv.reader((line.decode("utf-8") for line in stream), delimiter=delimiter))


@contextmanager
def _cells_up_to(n_characters: int) -> Iterator[None]:
    """Let the csv module read longer cells than it otherwise takes."""
    usual_limit = csv.field_size_limit(n_characters + 1)
    try:
        yield
    finally:
        csv.field_size_limit(usual_limit)
