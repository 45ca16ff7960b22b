"""A file's text in blocks of whole lines, that can be read side by side."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

#: Bytes of a block: what is made of them fits into the processor's cache.
_SIZE = 4 * 2**20
#: Bytes that are looked at together.
_STEP = 2**18
_VISIBLE = re.compile(rb"[^\r\n]")


@dataclass(frozen=True)
class Block:
    """Whole lines of a text.

    Attributes
    ----------
    data
        A text in which they stand.
    start, stop
        Offset of the first line, and the one behind the line feed of the last.
    """

    data: bytes
    start: int
    stop: int

    @property
    def end_of_text(self) -> int:
        """Offset behind the last character that is no line break."""
        return _end_of_text(self.data, self.stop)

    def has_quotes(self) -> bool:
        """Whether there is a quote, which may hide line breaks."""
        return self.data.find(b'"', self.start, self.stop) >= 0

    def count_lines(self) -> int:
        """Number of line feeds, counted in steps that stay in the processor's cache."""
        parts = (
            np.frombuffer(self.data, np.uint8, min(_STEP, self.stop - begin), begin)
            for begin in range(self.start, self.stop, _STEP)
        )
        return sum(int(np.count_nonzero(part == ord("\n"))) for part in parts)


def in_blocks(data: bytes, start: int) -> list[Block]:
    """The rows of a text from an offset on in blocks; in one where quotes may hold line breaks.

    Blank lines between two blocks belong to the first, those before and behind all rows to none.
    """
    start = _next_row(data, start, len(data))
    stop = data.index(b"\n", _end_of_text(data, len(data))) + 1
    rows = Block(data, start, stop)
    if rows.has_quotes():
        return [rows]
    found = []
    while stop - start > _SIZE:
        end = _next_row(data, data.index(b"\n", start + _SIZE) + 1, stop)
        found.append(Block(data, start, end))
        start = end
    return [*found, Block(data, start, stop)] if start < stop else found


def _end_of_text(data: bytes, stop: int) -> int:
    while data[stop - 1] in b"\r\n":
        stop -= 1
    return stop


def _next_row(data: bytes, start: int, stop: int) -> int:
    """Begin of the first line that is not blank, `stop` without one."""
    visible = _VISIBLE.search(data, start, stop)
    return visible.start() if visible else stop
