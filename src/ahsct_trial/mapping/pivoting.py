"""Findings one per row as one row per patient and visit, with a column for each test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ahsct_trial.loading.formats.cells import CellTable
from ahsct_trial.mapping.model import code_key
from ahsct_trial.mapping.values import RowsArray, SourceTable, combined, text_places


@dataclass(frozen=True, eq=False)
class Wide:
    """A pivoted table.

    Attributes
    ----------
    table
        One row per patient, visit and repetition; its line is that of the first row it is made of.
    row_of
        The row of `table` that each source row became a part of, -1 for none; shape (n_source_rows,).
    absent
        Names of the tests that the map reads and no row has, as the map writes them.
    """

    table: CellTable
    row_of: RowsArray
    absent: tuple[str, ...]


def pivoted(source: SourceTable, rows: RowsArray) -> Wide:
    """Pivot these rows of a table whose rule has a pivot.

    Rows of one patient that agree in every column that the map reads, apart from the two of the pivot, are
    one row. A test that such a row has twice makes a second row: nothing is overwritten.
    """
    pivot = source.rule.pivot
    assert pivot is not None
    others = {pivot.name, pivot.value, *source.rule.where}
    read = [heading for heading in source.rule.headings if heading not in others]
    values = source.rule.value_headings
    tests = tuple(heading for heading in read if heading in values and not source.has(heading))
    kept = [heading for heading in read if source.has(heading)]
    place_of = {code_key(test): place for place, test in enumerate(tests)}
    coded = source.cells(pivot.name).dictionary_encode()
    places = np.array([-1, *(place_of.get(code_key(name), -1) for name in coded.dictionary.to_pylist())])
    test = places[text_places(coded)[rows] + 1]
    rows, test = rows[test >= 0], test[test >= 0]
    key = combined(
        [text_places(source.cells(heading).dictionary_encode())[rows] for heading in kept], len(rows)
    )
    first, wide_row = _numbered(combined([key, _repetition(key, test)], len(rows)))
    row_of = np.full(len(source), -1, dtype=np.int64)
    row_of[rows] = wide_row
    columns = [source.cells(heading).take(pa.array(rows[first])) for heading in kept]
    for place in range(len(tests)):
        cell_rows = np.full(len(first), -1, dtype=np.int64)
        cell_rows[wide_row[test == place]] = rows[test == place]
        columns.append(source.cells(pivot.value).take(pa.array(cell_rows, mask=cell_rows < 0)))
    table = CellTable(
        source.table.file,
        source.table.sheet,
        (*kept, *tests),
        tuple(columns),
        source.table.lines[rows[first]],
        source.table.sha256,
    )
    found = set(test.tolist())
    return Wide(table, row_of, tuple(name for place, name in enumerate(tests) if place not in found))


def _repetition(key: RowsArray, test: RowsArray) -> RowsArray:
    """How many rows before each have the same key and test."""
    pair = combined([key, test], len(key))
    order = np.argsort(pair, kind="stable")
    is_first = np.append(True, np.diff(pair[order]) != 0)[: len(pair)]
    start = np.maximum.accumulate(np.where(is_first, np.arange(len(pair)), 0))
    repetition = np.empty(len(pair), dtype=np.int64)
    repetition[order] = np.arange(len(pair)) - start
    return repetition


def _numbered(key: RowsArray) -> tuple[RowsArray, RowsArray]:
    """First row of each different key in the order of the rows, and the number of each row's key."""
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    return first[order], number[inverse]
