"""How much input is read: a compressed bomb, a device and a pipe without end stop there."""

from __future__ import annotations

import io
import os
import re
import stat
from contextvars import ContextVar
from typing import Protocol

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown

#: Bytes that are read of one file, and bytes of text that one is unpacked to; ``--max-input`` sets it.
MOST_INPUT: ContextVar[int] = ContextVar("most_input", default=4 * 2**30)

_CHUNK = 2**24
_SIZE = re.compile(r"([0-9]{1,15}) ?([kmgt]?)(i?b)?", re.IGNORECASE)
_UNITS = ("", "k", "m", "g", "t")


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_within_limit(stream: _Readable, name: str) -> bytes:
    """Read a stream of bytes to its end.

    Parameters
    ----------
    stream
        What is read, at most `MOST_INPUT` bytes and a chunk.
    name
        What messages call it, escaped already.

    Raises
    ------
    UsageError
        If there is more.
    """
    if _is_file_within(stream, MOST_INPUT.get()):
        return stream.read(-1)  # at once takes a third of the time of chunks
    content = io.BytesIO()
    while chunk := stream.read(_CHUNK):
        content.write(chunk)
        refuse_beyond_limit(content.tell(), name)
    return content.getvalue()


def _is_file_within(stream: _Readable, limit: int) -> bool:
    """Whether this is an ordinary file, which has a size, of no more bytes; a device or a pipe may be endless."""
    if not isinstance(stream, io.BufferedReader):
        return False
    status = os.fstat(stream.fileno())
    return stat.S_ISREG(status.st_mode) and status.st_size <= limit


def refuse_beyond_limit(n_bytes: int, name: str) -> None:
    """Refuse more bytes of a file, or of what it unpacks to, than `MOST_INPUT`.

    Raises
    ------
    UsageError
        If there are more.
    """
    limit = MOST_INPUT.get()
    if n_bytes > limit:
        raise UsageError(
            f"{name} has more than {_worded(limit)}. If that is right, raise the limit: "
            f"--max-input {_worded(4 * limit).replace(' bytes', '').replace(' ', '')}."
        )


def as_size(text: str) -> int:
    """A number of bytes from ``4G``, ``500 MB`` or ``1000``; units are powers of 1024.

    Raises
    ------
    UsageError
        If it is no size.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise UsageError(f"--max-input is {shown(text)!r}; it is a size such as 500M or 16G.")
    return int(found[1]) << 10 * _UNITS.index(found[2].lower())


def _worded(n_bytes: int) -> str:
    for power in (4, 3, 2, 1):
        if n_bytes >= 1024**power and n_bytes % 1024**power == 0:
            return f"{n_bytes // 1024**power} {_UNITS[power].upper()}B"
    return f"{n_bytes} bytes"
