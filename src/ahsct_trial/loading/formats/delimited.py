"""Text of comma, semicolon or tab separated cells as a `CellTable`, without knowing what they mean."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from ahsct_trial.loading.formats.cells import CellTable
from ahsct_trial.loading.problems import DataProblems, Problem, fatal
from ahsct_trial.loading.source import read_source

_DELIMITERS = "\t;,"
#: Rows that are held as Python texts at a time: a million of them would fill the memory.
_N_ROWS_AT_A_TIME = 50_000
_SHOWN_RAGGED = 20
#: What the csv module says of a longer cell than it takes.
_TOO_LONG = "field larger than field limit"


def read_delimited(path: Path, encoding: str | None = None, heading_row: int | None = None) -> CellTable:
    """Read the cells of a text file, gzipped or not.

    Parameters
    ----------
    path
        The file.
    encoding
        Encoding of its text where it is not UTF-8.
    heading_row
        Line with the headings, from 1; None for the first that is not blank. Lines before it do not count.

    Raises
    ------
    UsageError
        If there is no such file, it cannot be read, or there is no such encoding.
    DataProblems
        If it is no text in this encoding, has no such line, or rows are longer than the headings.
    """
    source = read_source(path, encoding)
    stream = io.StringIO(source.data.decode("utf-8"), newline="")
    for _ in range((heading_row or 1) - 1):
        stream.readline()
    first_line = heading_row or 1
    line = stream.readline()
    while line.strip() == "" and line:
        first_line += 1
        line = stream.readline()
    if not line:
        raise fatal(
            source.file, f"there is no line {first_line}", "headings stand there", "Check heading_row."
        )
    delimiter = max(_DELIMITERS, key=_outside_quotes(line).count)
    reader = csv.reader(itertools.chain([line], stream), delimiter=delimiter)
    try:
        return _table(source.file, source.sha256, reader, first_line)
    except csv.Error as error:
        if str(error).startswith(_TOO_LONG):
            raise fatal(
                source.file,
                f"a cell has more than {csv.field_size_limit():,} characters",
                "a cell holds one value",
                "Shorten it, and look for a quote that is opened there and not closed.",
                line=first_line + reader.line_num - 1,
            ) from None
        raise fatal(
            source.file,
            f"a cell that begins before line {first_line + reader.line_num} never ends",
            "a quote that opens a cell must close it",
            "Export the file again, or close the quote.",
        ) from None


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])


def _table(file: str, sha256: str, reader: Iterator[list[str]], first_line: int) -> CellTable:
    lines_before = first_line - 1
    names = tuple(name.strip() for name in next(reader))
    width = len(names)
    chunks: list[list[pa.Array]] = [[] for _ in names]
    lines: list[int] = []
    ragged: list[Problem] = []
    n_ragged = 0
    before = reader.line_num  # type: ignore[attr-defined]
    while rows := list(itertools.islice(_numbered(reader, before), _N_ROWS_AT_A_TIME)):
        before = reader.line_num  # type: ignore[attr-defined]
        for line, cells in rows:
            lines.append(line + lines_before)
            if len(cells) != width:
                if any(cell.strip() for cell in cells[width:]):
                    n_ragged += 1
                    if len(ragged) < _SHOWN_RAGGED:
                        ragged.append(_too_long(file, line + lines_before, len(cells), width))
                cells[:] = [*cells, *[""] * (width - len(cells))][:width]
        for place in range(width):
            texts = [cells[place] or None for _, cells in rows]
            chunks[place].append(pa.array(texts, pa.string()))
    if ragged:
        raise DataProblems(file, ragged, n_ragged)
    columns = tuple(pa.concat_arrays(chunk) if chunk else pa.array([], pa.string()) for chunk in chunks)
    return CellTable(file, None, names, columns, np.array(lines, dtype=np.int64), sha256)


def _numbered(reader: Iterator[list[str]], before: int) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with the number of lines read before each plus one: where it begins."""
    for cells in reader:
        if cells:
            yield before + 1, cells
        before = reader.line_num  # type: ignore[attr-defined]


def _too_long(file: str, line: int, n_cells: int, width: int) -> Problem:
    return Problem(
        file=file,
        line=line,
        what=f"the row has {n_cells} cells, the headings {width}",
        rule="a cell stands under a heading",
        fix="Put a cell that holds the separator in quotes, or export the file again; where titles stand above the "
        "headings, say heading_row in the map.",
    )
