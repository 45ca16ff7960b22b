"""A file's text in blocks of whole lines, that can be read side by side."""

from __future__ import annotations

import re

import numpy as np

#: Begin of a part of a text, and the offset behind its end.
Span = tuple[int, int]

#: Bytes of a block: what is made of them fits into the processor's cache.
_BLOCK = 4 * 2**20
#: Bytes that are looked at together.
_STEP = 2**18
_VISIBLE = re.compile(rb"[^\r\n]")


def spans(data: bytes, start: int) -> list[Span]:
    """Begin and end of blocks of whole lines; one block where quotes may hold line breaks.

    Blank lines between two blocks belong to the first, those before and behind all rows to none.
    """
    start = _next_row(data, start, len(data))
    stop = data.index(b"\n", end_of_text(data, len(data))) + 1
    if data.find(b'"', start, stop) >= 0:
        return [(start, stop)]
    found = []
    while stop - start > _BLOCK:
        end = _next_row(data, data.index(b"\n", start + _BLOCK) + 1, stop)
        found.append((start, end))
        start = end
    return [*found, (start, stop)] if start < stop else found


def end_of_text(data: bytes, stop: int) -> int:
    """Offset behind the last character before `stop` that is no line break."""
    while data[stop - 1] in b"\r\n":
        stop -= 1
    return stop


def _next_row(data: bytes, start: int, stop: int) -> int:
    """Begin of the first line that is not blank, `stop` without one."""
    visible = _VISIBLE.search(data, start, stop)
    return visible.start() if visible else stop


def count_line_feeds(data: bytes, span: Span) -> int:
    """The line feeds of a part of a text, in steps that stay in the processor's cache."""
    start, stop = span
    parts = (
        np.frombuffer(data, np.uint8, min(_STEP, stop - begin), begin) for begin in range(start, stop, _STEP)
    )
    return sum(int(np.count_nonzero(part == ord("\n"))) for part in parts)
