"""pyarrow's columns as numpy arrays, from their memory.

pyarrow's own conversions make several passes over a column with nulls; on ten million rows that is seconds.
The layout that is read here is that of the Arrow columnar format: a bitmap of what is valid, then values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def is_valid(array: pa.Array) -> NDArray[np.bool_]:
    """Where an array has a value."""
    bitmap = array.buffers()[0]
    if bitmap is None:
        return np.ones(len(array), dtype=bool)
    bits = np.unpackbits(np.frombuffer(bitmap, np.uint8), bitorder="little", count=array.offset + len(array))
    return bits[array.offset :].view(np.bool_)


def is_null(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Where a column has no value."""
    return np.concatenate([~is_valid(chunk) for chunk in column.chunks] or [np.zeros(0, dtype=bool)])


def numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A column of float64 with NaN where it has no value."""
    parts = []
    for chunk in column.chunks:
        values = _values(chunk, np.float64)
        parts.append(np.where(is_valid(chunk), values, np.nan) if chunk.null_count else values)
    return parts[0] if len(parts) == 1 else np.concatenate(parts or [np.zeros(0)])


def codes(array: pa.DictionaryArray) -> NDArray[np.int32]:
    """Indices into the dictionary, −1 where there is no value."""
    indices = _values(array.indices, np.int32)
    return np.where(is_valid(array.indices), indices, np.int32(-1)) if array.null_count else indices


def _values(array: pa.Array, kind: type[np.generic]) -> NDArray[Any]:
    """The values of an array; undefined where it has none."""
    data = array.buffers()[1]
    if data is None or not len(array):
        return np.zeros(0, dtype=kind)
    return np.frombuffer(data, kind, len(array), array.offset * np.dtype(kind).itemsize)
