"""Rows of many patients that say the same: each different text behind an identifier is read once.

Ten million records say a few hundred thousand different things: a kind, a day, a score. To find which say the
same costs less than to find the cells of each.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ahsct_trial.columns import PATIENT_ID
from ahsct_trial.loading.arrow import LARGEST_TEXT, MISSING, characters, coded_together
from ahsct_trial.loading.blocks import Block, in_blocks
from ahsct_trial.loading.checks import unusable
from ahsct_trial.loading.header import Header
from ahsct_trial.threads import side_by_side

#: Share of different texts among the rows of some blocks from which it is not worth looking for them.
_TOO_DIFFERENT = 1 / 3
#: What stands for the identifier before a text that many patients share.
_ANYBODY = b"-"


@dataclass(frozen=True)
class SharedRows:
    """The rows of a file as patients, and texts that are read once.

    Attributes
    ----------
    identifiers
        The different identifiers, in the order of their first rows.
    patient
        Place of each row's identifier among them; shape (n_rows,).
    different
        The different texts in blocks, as rows under an identifier that means nothing.
    place
        Number of the different row that says what each row says; shape (n_rows,).
    n_lines
        Number of rows in each block of the file; each is a line.
    """

    identifiers: pa.StringArray
    patient: NDArray[np.int32]
    different: list[Block]
    place: NDArray[np.int32]
    n_lines: list[int]


def find_shared_rows(blocks: Sequence[Block], header: Header) -> SharedRows | None:
    """Tell the different rows of a file.

    None where they hardly repeat each other, or where not each line is an identifier that can be used and a
    text behind it: with quotes, blank lines, or identifiers that are missing or not in the first column.

    Parameters
    ----------
    blocks, header
        All rows of the file, and what its header says.
    """
    first_column = header.columns[0]
    is_behind_identifier = first_column is not None and first_column.name == PATIENT_ID.name
    # Of a file with quotes there is one block.
    if not is_behind_identifier or blocks[0].has_quotes():
        return None
    delimiter = header.delimiter.encode()
    if not _repeat_each_other(blocks, delimiter):
        return None
    halves = _all_halves(blocks, delimiter)
    return None if halves is None else _told_apart(halves, delimiter)


def _told_apart(halves: Sequence[pa.BinaryArray], delimiter: bytes) -> SharedRows | None:
    """The different halves of lines, and where they stand; None if a first half is no identifier."""
    try:
        texts, pieces = coded_together(halves)
        is_behind = _begin_with(texts, delimiter)
        different = _as_rows(texts.filter(pa.array(is_behind)))
    except (pa.ArrowInvalid, pa.ArrowCapacityError):  # more different texts than pyarrow can hold
        return None
    identifiers = texts.filter(pa.array(~is_behind)).cast(pa.string())
    if not _are_identifiers(identifiers, delimiter):
        return None
    # Identifiers and what stands behind them are counted apart.
    number = np.where(is_behind, np.cumsum(is_behind), np.cumsum(~is_behind)).astype(np.int32) - 1
    numbered = [
        (number_of, places)
        for number_of, arrays in ((number[own], arrays) for own, arrays in pieces)
        for places in arrays
    ]
    n_lines = [len(own) // 2 for own in halves]
    patient = np.empty(sum(n_lines), dtype=np.int32)
    place = np.empty_like(patient)

    def fill(lines: tuple[int, NDArray[np.int32], NDArray[np.int32]]) -> None:
        start, number_of, places = lines
        here = slice(start, start + len(places) // 2)
        patient[here], place[here] = number_of[places[::2]], number_of[places[1::2]]

    starts = itertools.accumulate(n_lines[:-1], initial=0)
    side_by_side(fill, [(start, *lines) for start, lines in zip(starts, numbered, strict=True)])
    return SharedRows(identifiers, patient, different, place, n_lines)


def _repeat_each_other(blocks: Sequence[Block], delimiter: bytes) -> bool:
    """Whether rows of blocks far apart do; a file may be in the order of what its rows say."""
    places = sorted({0, len(blocks) // 2, len(blocks) - 1})
    halves = _all_halves([blocks[place] for place in places], delimiter)
    if halves is None:
        return False
    texts, _ = coded_together(halves)
    n_different = np.count_nonzero(_begin_with(texts, delimiter))
    return bool(n_different < _TOO_DIFFERENT * sum(len(own) for own in halves) / 2)


def _all_halves(blocks: Sequence[Block], delimiter: bytes) -> list[pa.BinaryArray] | None:
    """The lines of each block in halves; None if those of one are not so."""
    found = side_by_side(lambda block: _halves(block, delimiter), blocks)
    halves = [own for own in found if own is not None]
    return halves if len(halves) == len(found) else None


def _halves(block: Block, delimiter: bytes) -> pa.BinaryArray | None:
    """Each line in two, the identifier and what follows, in the same memory; None if a line is not so."""
    n_bytes = block.stop - block.start
    first_end = block.data.find(delimiter, block.start, block.stop) - block.start
    # Some such blocks must fit into pyarrow's texts together.
    if first_end < 1 or n_bytes > LARGEST_TEXT // 4:
        return None
    text = np.frombuffer(block.data, np.uint8, n_bytes, block.start)
    ends = np.flatnonzero(text == ord("\n")) + 1
    bounds = np.zeros(2 * len(ends) + 1, dtype=np.int32)
    bounds[2::2] = ends
    # Identifiers are mostly of one length.
    bounds[1::2] = bounds[:-1:2] + first_end
    if not _are_at(text, bounds, delimiter):
        delimiters = np.flatnonzero(text == ord(delimiter))
        n_each, n_left = divmod(len(delimiters), len(ends))
        if n_left:
            return None
        bounds[1::2] = delimiters[::n_each]
        if not _are_at(text, bounds, delimiter):
            return None
    return pa.Array.from_buffers(
        pa.binary(),
        len(bounds) - 1,
        [None, pa.py_buffer(bounds), pa.py_buffer(block.data).slice(block.start, n_bytes)],
    )


def _are_at(text: NDArray[np.uint8], bounds: NDArray[np.int32], delimiter: bytes) -> bool:
    """Whether within each line there is a delimiter at the bound, and none where the line begins."""
    start, middle, end = bounds[:-1:2], bounds[1::2], bounds[2::2]
    if not ((start < middle) & (middle < end)).all():
        return False
    return bool((text[middle] == ord(delimiter)).all() and (text[start] != ord(delimiter)).all())


def _begin_with(texts: pa.BinaryArray, delimiter: bytes) -> NDArray[np.bool_]:
    """Which texts are the second half of a line."""
    found: NDArray[np.bool_] = pc.starts_with(texts, delimiter).to_numpy(zero_copy_only=False)
    return found


def _are_identifiers(texts: pa.StringArray, delimiter: bytes) -> bool:
    """Whether each is a cell that can be an identifier.

    A half that was cut at a later delimiter, where the first identifier of a block ends, holds more than one.
    """
    is_more = pc.match_substring(texts, delimiter)
    is_missing = pc.is_in(texts, pa.array(MISSING))
    return not unusable(texts).size and not pc.any(pc.or_(is_more, is_missing)).as_py()


def _as_rows(texts: pa.BinaryArray) -> list[Block]:
    return in_blocks(characters(pc.binary_join_element_wise(_ANYBODY, texts, b"")).tobytes(), 0)
