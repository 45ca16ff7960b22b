"""The bytes of an input, wherever they come from: opened, and read up to a limit.

A compressed bomb, a device and a pipe without end stop there.
"""

from __future__ import annotations

import io
import os
import re
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.file_names import no_such_file

STANDARD_INPUT = "-"
#: Bytes that are read of one file, and bytes of text that one is unpacked to; ``--max-input`` sets it.
MOST_INPUT: ContextVar[int] = ContextVar("most_input", default=4 * 2**30)

_CHUNK = 2**24
_SIZE = re.compile(r"([0-9]{1,15}) ?([kmgt]?)(i?b)?", re.IGNORECASE)
_UNITS = ("", "k", "m", "g", "t")


class Digest(threading.Thread):
    """The SHA-256 of some bytes, computed beside other work."""

    def __init__(self, data: bytes) -> None:
        super().__init__(daemon=True)
        self._data = data
        self._hexadecimal = ""
        self.start()

    def run(self) -> None:
        """Compute it."""
        from hashlib import sha256

        self._hexadecimal = sha256(self._data).hexdigest()

    def result(self) -> str:
        """Wait for it, in hexadecimal digits."""
        self.join()
        return self._hexadecimal


@dataclass(frozen=True)
class FileBytes:
    """A file that was read whole.

    Attributes
    ----------
    file
        Its name without the path; ``-`` for standard input.
    data
        Its bytes as they were given, so of the compressed file where it is compressed.
    digest
        Their SHA-256.
    """

    file: str
    data: bytes
    digest: Digest


def read_bytes(path: str | Path) -> FileBytes:
    """Read a file whole, or standard input for ``-``.

    Raises
    ------
    UsageError
        If the file does not exist or cannot be read, or is larger than `MOST_INPUT`.
    """
    # A name may hold bytes that are not text, and characters that a terminal would obey.
    name, named = shown(Path(path).name, longest=255), shown(str(path), longest=500)
    if str(path) == STANDARD_INPUT:
        if sys.stdin is None:
            raise UsageError("Standard input is closed. Pipe a CSV file into the command, or name the file.")
        name, named = STANDARD_INPUT, "Standard input"
        with _as_usage_error(path, named):
            data = read_within_limit(sys.stdin.buffer, named)
    else:
        with opened(path) as stream:
            data = read_within_limit(stream, named)
    return FileBytes(name, data, Digest(data))


@contextmanager
def opened(path: str | Path) -> Iterator[BinaryIO]:
    """A file, opened to read its bytes.

    Raises
    ------
    UsageError
        If there is no such file, or it cannot be read.
    """
    if not str(path):
        raise UsageError("The name of the file is empty.")
    with _as_usage_error(path, shown(str(path), longest=500)), Path(path).open("rb") as stream:
        yield stream


@contextmanager
def _as_usage_error(path: str | Path, named: str) -> Iterator[None]:
    """Say in words what keeps a file from being read."""
    try:
        yield
    except FileNotFoundError:
        raise no_such_file(path) from None
    except IsADirectoryError:
        raise UsageError(f"{named} is a folder. Name the file in it.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise UsageError(f"{named} cannot be read: {reason or error}.") from None


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
    """Whether this is a regular file, which has a size, of no more bytes; a device or a pipe may be endless."""
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
        raise UsageError(f"--max-input is '{shown(text)}'; it is a size such as 500M or 16G.")
    return int(found[1]) << 10 * _UNITS.index(found[2].lower())


def _worded(n_bytes: int) -> str:
    for power in (4, 3, 2, 1):
        if n_bytes >= 1024**power and n_bytes % 1024**power == 0:
            return f"{n_bytes // 1024**power} {_UNITS[power].upper()}B"
    return f"{n_bytes} bytes"
