"""Long arrays worked on chunk by chunk, in memory that the processor's cache holds.

Fresh memory costs more than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)

#: Rows that are worked on at a time.
_ROWS = 2**16


def chunks(n: int) -> Iterator[slice]:
    """Rows 0 to n, as many at a time as fit into the cache with what is made of them."""
    for start in range(0, n, _ROWS):
        yield slice(start, min(start + _ROWS, n))


def gathered(values: NDArray[Scalar], places: NDArray[np.integer[Any]]) -> NDArray[Scalar]:
    """What ``values[places]`` is, faster for places of 32 bits; those below 0 count from the end.

    numpy takes 64 bits alone as they are, and would make such of all places at once.
    """
    found = np.empty(len(places), dtype=values.dtype)
    for chunk in chunks(len(places)):
        found[chunk] = values.take(places[chunk])
    return found


def number_type(n: int) -> type[np.signedinteger[Any]]:
    """What holds numbers up to this one, in half the memory if it can."""
    return np.int32 if n < 2**31 else np.int64


def end_to_end(
    pieces: Iterable[NDArray[np.integer[Any]]], n: int, dtype: type[np.signedinteger[Any]]
) -> NDArray[Any]:
    """Arrays one after the other, of which only one is in memory at a time; `n` is their length together."""
    found = np.empty(n, dtype=dtype)
    start = 0
    for piece in pieces:
        found[start : start + len(piece)] = piece
        start += len(piece)
    return found
