"""Rows in which nothing needs a closer look, the fast way: a block of whole lines, straight to types."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ahsct_trial.columns import NUMERIC_KINDS, PATIENT_ID, Column
from ahsct_trial.loading.arrow import given, read_table, text_type, whole
from ahsct_trial.loading.blocks import Block
from ahsct_trial.loading.dates import FIRST_DAY, day_numbers
from ahsct_trial.loading.header import Header
from ahsct_trial.loading.quotes import is_open_at_end
from ahsct_trial.loading.rows import Numbers, Rows, Texts


class NotPlainError(Exception):
    """A block holds something that only the exact way of reading takes, or can say what is wrong with."""


def read_plain_rows(block: Block, header: Header, decimal_point: str) -> Rows:
    """Read the rows of a block.

    Parameters
    ----------
    block, header
        Lines of a file, and what its header says.
    decimal_point
        What stands before the decimals of numbers, a point or a comma.

    Raises
    ------
    NotPlainError
        If a line is not one row with as many cells as the header has names, quotes do not pair, a cell is not
        what its column takes, or an identifier is missing.
    """
    # What a quote that is never closed swallows may look like rows.
    if is_open_at_end(block, header.delimiter):
        raise NotPlainError
    known = header.known.values()
    types = {column.name: _arrow_type(column, header) for column in known}
    try:
        table = read_table(block, header, types, decimal_point)
    except pa.ArrowInvalid:
        raise NotPlainError from None
    arrays = {column: whole(table.column(column.name)) for column in known}
    identifiers = arrays.pop(next(column for column in known if column.name == PATIENT_ID.name))
    if len(table) != block.count_lines() or identifiers.null_count:
        raise NotPlainError
    return Rows(identifiers, {column.name: _typed(column, array, header) for column, array in arrays.items()})


def _arrow_type(column: Column, header: Header) -> pa.DataType:
    if column.kind == "date":
        return pa.date32() if header.date_format is None else text_type(column)
    return pa.float64() if column.kind in NUMERIC_KINDS else text_type(column)


def _typed(column: Column, array: pa.Array, header: Header) -> Numbers | Texts:
    """A column's cells as they are used."""
    if pa.types.is_dictionary(array.type):
        cells = Texts(*given(array.indices, np.int32), array.dictionary.to_pylist())
        return _dates(cells, header) if column.kind == "date" else cells
    is_date = pa.types.is_date(array.type)
    rows, numbers = given(array, np.int32 if is_date else np.float64)
    # pyarrow takes the word "nan" for a number and knows a year 0; the contract takes neither.
    if (numbers < FIRST_DAY).any() if is_date else np.isnan(numbers).any():
        raise NotPlainError
    return Numbers(rows, numbers.astype(np.float64) if is_date else numbers)


def _dates(cells: Texts, header: Header) -> Numbers:
    """Dates of a form that only `header.date_format` knows."""
    days = day_numbers(cells.different, header.date_format)[cells.places]
    if np.isnan(days).any():
        raise NotPlainError
    return Numbers(cells.rows, days)
