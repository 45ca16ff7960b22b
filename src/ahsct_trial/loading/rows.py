"""The rows below the header as typed columns: fast when all is well, exact when something is not.

Both ways use pyarrow. `read_typed` asks for numbers and coded texts at once and gives up at the first
cell that is anything else. Only then does `read_text` read the cells as they stand, so that each wrong
one can be named; it also accepts what is right and the fast way is too strict for.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from ahsct_trial.columns import NUMERIC_KINDS, Column
from ahsct_trial.loading.header import Header
from ahsct_trial.loading.problems import Finding, Problem, fatal
from ahsct_trial.loading.source import Source, refuse_other_encodings

MISSING = ("", "NA")

_COMMA_NUMBER = r"^[ \t]*[+-]?[0-9]*,[0-9]+[ \t]*$"


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
    records
        The record of the file [from 0] that each row is.
    """

    numbers: dict[str, NDArray[np.float64]]
    texts: dict[str, pa.ChunkedArray]
    records: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.records)

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

    def is_missing(self, name: str) -> NDArray[np.bool_]:
        """Where a column has no value."""
        if name in self.numbers:
            return np.isnan(self.numbers[name])
        missing: NDArray[np.bool_] = self.texts[name].is_null().to_numpy()
        return missing

    def keep(self, is_kept: NDArray[np.bool_]) -> Rows:
        """The rows where `is_kept` holds."""
        mask = pa.array(is_kept)
        return Rows(
            {name: values[is_kept] for name, values in self.numbers.items()},
            {name: texts.filter(mask) for name, texts in self.texts.items()},
            self.records[is_kept],
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
    ragged
        Records that have too few or too many cells, which `cells` and `rows` leave out.
    """

    cells: dict[str, pa.ChunkedArray]
    rows: Rows
    is_unreadable: dict[str, NDArray[np.bool_]]
    ragged: list[Finding]


def read_typed(source: Source, header: Header) -> Rows:
    """Read all rows into typed columns.

    Raises
    ------
    UnreadableRowsError
        If a cell is not what its column takes, a row is ragged, or quotes do not pair.
    """
    # An odd number of quotes may be one that is never closed, which pyarrow would read to the end.
    if source.data.count(b'"', header.body_offset) % 2 == 1:
        raise UnreadableRowsError
    types = {column.name: _arrow_type(column) for column in header.known.values()}
    for decimal_point in (".",) if header.delimiter == "," else (".", ","):
        try:
            table = _read(source, header, types, decimal_point=decimal_point)
        except pa.ArrowInvalid:
            continue
        numeric = [name for name, kind in types.items() if kind == pa.float64()]
        numbers = {name: table.column(name).to_numpy() for name in numeric}
        # pyarrow takes the word "nan" for a number; the contract takes no word for one.
        if any(int(np.isnan(numbers[name]).sum()) != table.column(name).null_count for name in numeric):
            raise UnreadableRowsError
        texts = {name: table.column(name) for name in types if name not in numbers}
        return Rows(numbers, texts, np.arange(len(table)))
    raise UnreadableRowsError


def read_text(source: Source, header: Header) -> Text:
    """Read all rows as text, then turn into numbers what is a number.

    Raises
    ------
    DataProblems
        If the text is not UTF-8 or a quote is never closed, so that rows cannot be told apart.
    """
    refuse_other_encodings(source)
    _refuse_open_quote(source, header)
    ragged: list[tuple[int, int]] = []

    def note_ragged(row: Any) -> str:
        ragged.append((row.number - 1, row.actual_columns))
        return "skip"

    types = {column.name: pa.string() for column in header.known.values()}
    table = _read(source, header, types, on_ragged=note_ragged)
    cells = {name: table.column(name) for name in types}
    n_records = len(table) + len(ragged)
    records = np.delete(np.arange(n_records), [record for record, _ in ragged])
    decimal_point = _decimal_point(header, cells)
    numbers, is_unreadable, texts = {}, {}, {}
    for column in header.known.values():
        if column.kind in NUMERIC_KINDS:
            parsed, wrong = _as_numbers(cells[column.name], decimal_point)
            numbers[column.name], is_unreadable[column.name] = parsed, wrong
        else:
            texts[column.name] = cells[column.name].cast(_arrow_type(column))
    rows = Rows(numbers, texts, records)
    return Text(cells, rows, is_unreadable, _ragged(source, header, n_records, ragged))


def record_lines(source: Source, header: Header, n_records: int) -> NDArray[np.int64]:
    """Line on which each record of the file begins; blank lines are no records, quotes may hold breaks."""
    data, end = source.data, len(source.data)
    while data[end - 1 : end] in {b"\n", b"\r"}:
        end -= 1
    if data.count(b"\n", header.body_offset, end) + 1 == n_records:
        return np.arange(header.body_line, header.body_line + n_records)
    return np.array(_walk(source, header), dtype=np.int64) + header.body_line


def _walk(source: Source, header: Header) -> list[int]:
    """Line [from the first row's, which is 0] of each record, by the csv module: slow and exact."""
    csv.field_size_limit(max(csv.field_size_limit(), len(source.data)))
    body = io.TextIOWrapper(io.BytesIO(source.data[header.body_offset :]), encoding="utf-8", newline="")
    reader = csv.reader(body, delimiter=header.delimiter)
    starts, start = [], 0
    for record in reader:
        if record:
            starts.append(start)
        start = reader.line_num
    return starts


def _refuse_open_quote(source: Source, header: Header) -> None:
    if b'"' not in source.data[header.body_offset :]:
        return
    start = _walk(source, header)[-1]
    lines = source.data[header.body_offset :].split(b"\n")
    last = b"\n".join(lines[start:]).decode("utf-8")
    try:
        list(csv.reader(io.StringIO(last, newline=""), delimiter=header.delimiter, strict=True))
    except csv.Error as error:
        if "end of data" in str(error):
            raise fatal(
                source.file,
                "a quote is opened and never closed",
                "a quoted cell ends with a quote",
                "Close or remove it.",
                line=header.body_line + start,
            ) from None


def _arrow_type(column: Column) -> pa.DataType:
    if column.kind in NUMERIC_KINDS:
        return pa.float64()
    # An identifier is different in each row; other texts repeat.
    return pa.string() if column.is_required else pa.dictionary(pa.int32(), pa.string())


def _read(
    source: Source,
    header: Header,
    types: dict[str, pa.DataType],
    decimal_point: str = ".",
    on_ragged: Any = None,
) -> pa.Table:
    names = [
        f"unknown {position}" if column is None else column.name
        for position, column in enumerate(header.columns)
    ]
    return pyarrow.csv.read_csv(
        pa.BufferReader(pa.py_buffer(source.data).slice(header.body_offset)),
        # Records are numbered for `on_ragged` only where one thread reads them.
        read_options=pyarrow.csv.ReadOptions(column_names=names, use_threads=on_ragged is None),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=header.delimiter,
            newlines_in_values=source.data.find(b'"', header.body_offset) >= 0,
            invalid_row_handler=on_ragged,
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=list(MISSING),
            strings_can_be_null=True,
            decimal_point=decimal_point,
        ),
    )


def _decimal_point(header: Header, cells: dict[str, pa.ChunkedArray]) -> str:
    """A comma where some number of a semicolon or tab file has one, else a point."""
    if header.delimiter == ",":
        return "."
    has_comma = any(
        pc.any(pc.match_substring_regex(cells[column.name], _COMMA_NUMBER)).as_py()
        for column in header.known.values()
        if column.kind in NUMERIC_KINDS
    )
    return "," if has_comma else "."


def _number(point: str) -> str:
    point = re.escape(point)
    return rf"^[ \t]*[+-]?([0-9]+({point}[0-9]*)?|{point}[0-9]+)([eE][+-]?[0-9]+)?[ \t]*$"


def _as_numbers(texts: pa.ChunkedArray, decimal_point: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers, NaN where missing or unreadable, and where they are unreadable."""
    is_number = pc.match_substring_regex(texts, _number(decimal_point))
    plain = pc.replace_substring(pc.utf8_trim_whitespace(texts), decimal_point, ".")
    numbers = pc.if_else(is_number, plain, None).cast(pa.float64()).to_numpy()
    return numbers, pc.fill_null(pc.invert(is_number), False).to_numpy().astype(bool)


def _ragged(source: Source, header: Header, n_records: int, ragged: list[tuple[int, int]]) -> list[Finding]:
    if not ragged:
        return []
    lines = record_lines(source, header, n_records)
    n_cells = dict(ragged)
    name = {",": "a comma", ";": "a semicolon", "\t": "a tab"}[header.delimiter]

    def describe(record: int) -> Problem:
        return Problem(
            file=source.file,
            line=int(lines[record]),
            what=f"the row has {n_cells[record]:,} cells",
            rule=f"the header has {len(header.names):,}",
            fix=f"Add or remove cells; put a text that holds {name} in double quotes.",
        )

    return [Finding(np.array([record for record, _ in ragged]), describe)]
