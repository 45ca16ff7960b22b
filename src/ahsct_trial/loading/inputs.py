"""Where rows of cells come from: a file of separated cells in blocks, or a table of cells in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ahsct_trial.columns import Column
from ahsct_trial.loading.blocks import (
    Block,
    Rows,
    TextColumn,
    TextTable,
    cells_at,
    in_blocks,
    read_block,
)
from ahsct_trial.loading.formats.cells import CellTable
from ahsct_trial.loading.header import Header
from ahsct_trial.loading.source import Source
from ahsct_trial.loading.values import Forms
from ahsct_trial.records import IntArray
from ahsct_trial.results import Notice
from ahsct_trial.trial import Places

#: Stands between the cells of a row where it is compared with others: no file of text holds it.
CELL_END = "\0"


@dataclass(frozen=True, eq=False)
class Input:
    """Rows of cells.

    Attributes
    ----------
    file, tables
        The name of the whole, and file and sheet of each table in it.
    columns
        The known columns, in the order of the file.
    notices
        What should be known of its header.
    n_names
        Number of its headings.
    forms
        How its values are written.
    first_line
        Line of the file on which the first part begins.
    readers
        Each reads a part of the rows: as texts or, if so told, as numbers, dates and texts. The latter raises
        `NotPlain` where a cell is not like its column; a table in memory has texts alone.
    row_texts
        The whole text of some rows, alike where all their cells are; by their lines, or by their numbers
        where they have them.
    sha256
        Gives the digest of the file.
    """

    file: str
    tables: Sequence[tuple[str, str | None]]
    columns: Sequence[Column]
    notices: Sequence[Notice]
    n_names: int
    forms: Forms
    first_line: int
    readers: Sequence[Callable[[bool], TextTable]]
    row_texts: Callable[[IntArray], pa.Array]
    sha256: Callable[[], str]


def from_text(source: Source, header: Header, forms: Forms) -> Input:
    """The rows of a file of separated cells."""
    blocks = in_blocks(source.data, header.body_offset)
    before = Block(source.data, header.body_offset, blocks[0].start)
    first_line = header.body_line + before.count_lines()

    def reader(block: Block) -> Callable[[bool], TextTable]:
        # A file with quotes is one block, and only there can a quote be left open.
        line = first_line if len(blocks) == 1 else None
        return lambda as_plain: read_block(source.file, header, block, line, as_plain=as_plain)

    def row_texts(lines: IntArray) -> pa.Array:
        text = np.frombuffer(source.data, np.uint8)
        ends = np.concatenate(([0], np.flatnonzero(text == ord("\n")) + 1))
        buffers = [None, pa.py_buffer(ends), pa.py_buffer(source.data)]
        rows: Any = pa.Array.from_buffers(pa.large_string(), len(ends) - 1, buffers).take(pa.array(lines - 1))
        cells = pc.replace_substring(pc.utf8_rtrim(rows, "\r\n"), header.delimiter, CELL_END)
        is_quoted = pc.match_substring(rows, '"').to_numpy(zero_copy_only=False)
        if not is_quoted.any():
            return cells
        starts = ends[lines[is_quoted] - 1].tolist()
        unquoted = [cells_at(source.data, start, header.delimiter) for start in starts]
        return pc.replace_with_mask(
            cells, is_quoted, pa.array(map(CELL_END.join, unquoted), pa.large_string())
        )

    return Input(
        file=source.file,
        tables=((source.file, None),),
        columns=tuple(header.known.values()),
        notices=header.notices,
        n_names=len(header.names),
        forms=replace(forms, delimiter=header.delimiter),
        first_line=first_line,
        readers=[reader(block) for block in blocks],
        row_texts=row_texts,
        sha256=lambda: source.sha256,
    )


def from_cells(
    table: CellTable,
    columns: Sequence[Column | None],
    notices: Sequence[Notice],
    forms: Forms,
    origins: Places | None,
) -> Input:
    """The rows of a table of cells, read as these columns; `origins` is where each row comes from."""

    def read(_as_plain: bool) -> TextTable:
        known = zip(columns, table.columns, strict=True)
        rows = Rows(
            lines=table.lines if origins is None else origins.lines,
            table=None if origins is None else origins.table,
            numbers=np.arange(len(table)),
        )
        return TextTable(
            rows, {column.name: TextColumn.of(cells) for column, cells in known if column is not None}
        )

    def row_texts(numbers: IntArray) -> pa.Array:
        cells = [pc.fill_null(column.take(pa.array(numbers)), "") for column in table.columns]
        return pc.binary_join_element_wise(*cells, CELL_END)

    return Input(
        file=table.file,
        tables=((table.file, table.sheet),) if origins is None else origins.tables,
        columns=[column for column in columns if column is not None],
        notices=notices,
        n_names=len(columns),
        forms=forms,
        first_line=0,
        readers=[read],
        row_texts=row_texts,
        sha256=lambda: table.sha256,
    )
