"""Rows of many patients that say the same: each different text behind an identifier is read once.

Ten million records say a few hundred thousand different things: a kind, a day, a score. To find which say the
same costs less than to find the cells of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ahsct_trial.columns import PATIENT_ID
from ahsct_trial.loading.arrow import (
    LARGEST_TEXT,
    MISSING,
    as_strings,
    characters,
    coded_together,
    every_other,
    words_at,
)
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
    found = side_by_side(lambda block: _cut(block, delimiter), blocks)
    cut = [own for own in found if own is not None]
    if len(cut) < len(found) or not _repeat_each_other(cut):
        return None
    return _told_apart(cut, delimiter)


@dataclass(frozen=True)
class _CutLines:
    """The lines of a block, each in two: the identifier and what follows.

    Attributes
    ----------
    text
        The lines; shape (n_bytes,).
    bounds
        Begin of each half of a line in turn, and the end of the last; shape (2 n_lines + 1,).
    """

    text: NDArray[np.uint8]
    bounds: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.bounds) // 2


def _told_apart(cut: Sequence[_CutLines], delimiter: bytes) -> SharedRows | None:
    """The different halves of lines, and where they stand; None if a first half is no identifier."""
    try:
        identifiers, patient = _coded_identifiers(cut)
        texts, place = _coded_halves(cut, 1)
        different = _as_rows(texts)
    except (pa.ArrowInvalid, pa.ArrowCapacityError):  # more different texts than pyarrow can hold
        return None
    if not _are_identifiers(identifiers, delimiter):
        return None
    return SharedRows(identifiers, patient, different, place, [len(own) for own in cut])


def _repeat_each_other(cut: Sequence[_CutLines]) -> bool:
    """Whether rows of blocks far apart do; a file may be in the order of what its rows say."""
    places = sorted({0, len(cut) // 2, len(cut) - 1})
    sample = [cut[place] for place in places]
    different, _ = _coded_halves(sample, 1)
    return len(different) < _TOO_DIFFERENT * sum(map(len, sample))


def _coded_identifiers(cut: Sequence[_CutLines]) -> tuple[pa.StringArray, NDArray[np.int32]]:
    """The different identifiers, and the place of each row's; those of eight bytes are told apart faster."""
    found = side_by_side(lambda own: words_at(own.text, own.bounds[:-1:2], own.bounds[1::2]), cut)
    words = [own for own in found if own is not None]
    if len(words) == len(found):
        different, places = coded_together(words)
        return as_strings(different), places
    different, places = _coded_halves(cut, 0)
    return different.cast(pa.string()), places


def _coded_halves(cut: Sequence[_CutLines], first: int) -> tuple[pa.BinaryArray, NDArray[np.int32]]:
    """The different first (0) or second (1) halves of lines, and the place of each line's among them."""
    return coded_together([every_other(own.text, own.bounds, first) for own in cut], first)


def _cut(block: Block, delimiter: bytes) -> _CutLines | None:
    """Cut the lines of a block behind their identifiers; None if a line is not so."""
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
    return _CutLines(text, bounds)


def _are_at(text: NDArray[np.uint8], bounds: NDArray[np.int32], delimiter: bytes) -> bool:
    """Whether within each line there is a delimiter at the bound, and none where the line begins."""
    start, middle, end = bounds[:-1:2], bounds[1::2], bounds[2::2]
    if not ((start < middle) & (middle < end)).all():
        return False
    return bool((text[middle] == ord(delimiter)).all() and (text[start] != ord(delimiter)).all())


def _are_identifiers(texts: pa.StringArray, delimiter: bytes) -> bool:
    """Whether each is a cell that can be an identifier.

    A half that was cut at a later delimiter, where the first identifier of a block ends, holds more than one.
    """
    is_more = pc.match_substring(texts, delimiter)
    is_missing = pc.is_in(texts, pa.array(MISSING))
    return not unusable(texts).size and not pc.any(pc.or_(is_more, is_missing)).as_py()


def _as_rows(texts: pa.BinaryArray) -> list[Block]:
    return in_blocks(characters(pc.binary_join_element_wise(_ANYBODY, texts, b"")).tobytes(), 0)
