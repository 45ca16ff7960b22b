"""pyarrow's reading of delimited text, and memory that it and numpy share.

pyarrow's own conversions make several passes over a column with nulls; on ten million rows that is seconds.
The layout that is read here is that of the Arrow columnar format: a bitmap of what is valid, then values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from ahsct_trial.columns import PATIENT_ID, Column
from ahsct_trial.loading.blocks import Block
from ahsct_trial.loading.header import Header
from ahsct_trial.stepwise import gathered
from ahsct_trial.threads import in_pieces, side_by_side

#: What a cell without a value holds.
MISSING = ("", "NA")

#: Bytes of an integer that stands for a short text.
_WORD = 8

#: pyarrow's own pool gives memory back between blocks, and the kernel takes a second to clear it again.
_POOL = pa.system_memory_pool()
#: pyarrow counts positions within a text in 31 bits.
LARGEST_TEXT = 2**31 - 1


def text_type(column: Column) -> pa.DataType:
    """How a column is read as text: coded, but for identifiers, of which each row of a table has its own."""
    return pa.string() if column.name == PATIENT_ID.name else pa.dictionary(pa.int32(), pa.string())


def read_table(
    block: Block,
    header: Header,
    types: dict[str, pa.DataType],
    decimal_point: str = ".",
    on_ragged: Callable[[Any], str] | None = None,
) -> pa.Table:
    """Read the known columns of a block, each as its type; blank lines are no rows.

    Parameters
    ----------
    block, header, types, decimal_point
        Lines of a file, what its header says, how each column is read, and what stands before decimals.
    on_ragged
        Is told each row with too few or too many cells, and says what to do with it.

    Raises
    ------
    pyarrow.ArrowInvalid
        If a cell is not of its column's type, or a row is ragged and nobody is told.
    """
    names = [
        f"unknown {position}" if column is None else column.name
        for position, column in enumerate(header.columns)
    ]
    n_bytes = block.stop - block.start
    has_quotes = block.has_quotes()
    # Blocks without quotes are read side by side already; and rows have a number only in one thread.
    use_threads = has_quotes and on_ragged is None
    return pyarrow.csv.read_csv(
        pa.BufferReader(pa.py_buffer(block.data).slice(block.start, n_bytes)),
        read_options=pyarrow.csv.ReadOptions(
            column_names=names,
            use_threads=use_threads,
            # A row must fit in a block.
            block_size=None if use_threads else min(n_bytes + 1, LARGEST_TEXT),
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


def whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return column.chunk(0) if column.num_chunks == 1 else column.unify_dictionaries().combine_chunks()


def given(array: pa.Array, kind: type[np.generic]) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """The rows of an array of numbers that hold a value, ascending, and these values."""
    bitmap, data = array.buffers()
    if array.null_count == len(array) or data is None:
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=kind)
    values = _stored(array, kind)
    if array.null_count == 0 or bitmap is None:
        return np.arange(len(array)), values
    bits = np.unpackbits(np.frombuffer(bitmap, np.uint8), bitorder="little", count=array.offset + len(array))
    rows = np.flatnonzero(bits[array.offset :].view(np.bool_))
    return rows, values[rows]


def _stored(array: pa.Array, kind: type[np.generic]) -> NDArray[Any]:
    """The numbers of an array in the same memory; where one is missing stands whatever there is."""
    return np.frombuffer(array.buffers()[1], kind, len(array), array.offset * np.dtype(kind).itemsize)


def characters(texts: pa.Array) -> NDArray[np.uint8]:
    """The bytes of all strings of an array, one after the other."""
    _, offsets, data = texts.buffers()
    if data is None:
        return np.zeros(0, dtype=np.uint8)
    begin, end = np.frombuffer(offsets, np.int32)[[texts.offset, texts.offset + len(texts)]]
    return np.frombuffer(data, np.uint8)[begin:end]


def as_words(texts: pa.Array) -> pa.Array | None:
    """Strings of eight bytes each as integers, which are compared faster, in the same memory; else None."""
    _, offsets, data = texts.buffers()
    if texts.null_count or data is None:
        return None
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    if ends[0] or (np.diff(ends) != _WORD).any():
        return None
    return pa.Array.from_buffers(pa.uint64(), len(texts), [None, data])


def words_at(text: NDArray[np.uint8], start: NDArray[np.int32], end: NDArray[np.int32]) -> pa.Array | None:
    """Parts of a text that have eight bytes each as such integers; else None."""
    if (end - start != _WORD).any():
        return None
    from_each_byte = np.ndarray(len(text) - _WORD + 1, np.uint64, text, strides=(1,))
    return pa.array(from_each_byte[start])  # `take` would copy all of them first


def every_other(text: NDArray[np.uint8], bounds: NDArray[np.int32], first: int) -> pa.BinaryArray:
    """Of the parts of a text every other one, in the same memory; nulls stand in place of the others.

    Parameters
    ----------
    text
        A text; shape (n_bytes,).
    bounds
        Begin of each part and the end of the last, ascending; an even number of parts, shape (n_parts + 1,).
    first
        0 or 1, the first part that is there.
    """
    n_parts = len(bounds) - 1
    is_valid = np.full(n_parts // 8 + 1, (0b01010101, 0b10101010)[first], dtype=np.uint8)
    buffers = [pa.py_buffer(own) for own in (is_valid, bounds, text)]
    return pa.Array.from_buffers(pa.binary(), n_parts, buffers, null_count=n_parts // 2)


def are_strings(keys: pa.Array) -> bool:
    """Whether these are texts as they were read, and not words."""
    return bool(pa.types.is_string(keys.type))


def as_strings(words: pa.Array) -> pa.Array:
    """Undo `as_words` and `words_at`; strings stay what they are.

    Raises
    ------
    pyarrow.ArrowCapacityError
        If there are more than one array of texts can hold.
    """
    if are_strings(words):
        return words
    if len(words) > LARGEST_TEXT // _WORD:
        raise pa.ArrowCapacityError(f"{len(words)} texts of {_WORD} bytes")
    offsets = np.arange(0, _WORD * (len(words) + 1), _WORD, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(words), [None, pa.py_buffer(offsets), words.buffers()[1]])


def coded_together(
    arrays: Sequence[pa.Array], first: int | None = None
) -> tuple[pa.Array, NDArray[np.int32]]:
    """Code the values of many arrays.

    Parameters
    ----------
    arrays
        What is coded, each array of the same type.
    first
        For arrays that `every_other` gave, what it was told: then only what is there has a place.

    Returns
    -------
    different
        The different values, in the order in which they come.
    places
        The place of each element among them, −1 where it is missing, one array after the other; shape
        (n_elements,).
    """
    pieces = side_by_side(_coded, in_pieces(arrays))
    own = [piece[0].dictionary for piece in pieces]
    together = pa.concat_arrays(own).dictionary_encode()
    place_of = np.split(together.indices.to_numpy(), np.cumsum([len(different) for different in own])[:-1])
    wanted = [
        (np.append(places, np.int32(-1)), _codes(chunk, first))
        for places, piece in zip(place_of, pieces, strict=True)
        for chunk in piece
    ]
    ends = np.cumsum([len(codes) for _, codes in wanted])
    found = np.empty(ends[-1], dtype=np.int32)

    def fill(part: int) -> None:
        places, codes = wanted[part]
        found[ends[part] - len(codes) : ends[part]] = gathered(places, codes)

    side_by_side(fill, range(len(wanted)))
    return together.dictionary, found


def _coded(arrays: Sequence[pa.Array]) -> list[pa.DictionaryArray]:
    """Arrays as places in one dictionary, which they share."""
    chunks: list[pa.DictionaryArray] = pa.chunked_array(arrays).dictionary_encode().chunks
    return chunks or [arrays[0].dictionary_encode()]  # pyarrow leaves empty arrays out


def _codes(coded: pa.DictionaryArray, first: int | None) -> NDArray[np.int32]:
    """The code of each element, or of every other one, −1 where it is missing."""
    indices = coded.indices
    if first is not None:
        # pyarrow would make floats of them, with NaN for those between.
        return _stored(indices, np.int32)[first::2]
    if indices.null_count:
        indices = indices.fill_null(-1)
    found: NDArray[np.int32] = indices.to_numpy()
    return found
