"""The bytes of the input, wherever they come from."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.file_names import no_such_file
from ahsct_trial.loading.limits import read_within_limit

STANDARD_INPUT = "-"


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
        If there is no such file, it cannot be read, or it is larger than `MOST_INPUT`.
    """
    # A name may hold bytes that are not text, and characters that a terminal would obey.
    name = shown(Path(path).name, longest=255)
    data = _read(path)
    return FileBytes(STANDARD_INPUT if str(path) == STANDARD_INPUT else name, data, Digest(data))


def _read(path: str | Path) -> bytes:
    if str(path) == STANDARD_INPUT:
        return _read_standard_input()
    named = shown(str(path), longest=500)
    try:
        with Path(path).open("rb") as stream:
            return read_within_limit(stream, named)
    except FileNotFoundError:
        raise no_such_file(path) from None
    except IsADirectoryError:
        raise UsageError(f"{named} is a folder. Name the CSV file in it.") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{named} cannot be read: {_reason(error)}.") from None


def _read_standard_input() -> bytes:
    if sys.stdin is None:
        raise UsageError("Standard input is closed. Pipe a CSV file into the command, or name the file.")
    try:
        return read_within_limit(sys.stdin.buffer, "Standard input")
    except (OSError, ValueError) as error:
        raise UsageError(f"Standard input cannot be read: {_reason(error)}.") from None


def _reason(error: OSError | ValueError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
