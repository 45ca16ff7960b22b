"""The text of the input: unpacked, UTF-8, without a byte order mark."""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.loading.file_bytes import Digest, FileBytes, read_bytes, read_within_limit
from ahsct_trial.loading.problems import fatal

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_UTF8_RULE = "without an option the text is UTF-8"
_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Source:
    """A file that was read whole.

    Attributes
    ----------
    file
        Its name without the path; ``-`` for standard input.
    digest
        SHA-256 of its bytes as they were given, so of the compressed file where it is compressed.
    data
        Its text in valid UTF-8 without NUL bytes, of which no line begins with a byte order mark; each line,
        the last one too, ends with LF or CR LF.
    """

    file: str
    digest: Digest
    data: bytes

    @property
    def sha256(self) -> str:
        """The digest in hexadecimal digits."""
        return self.digest.result()

    def line_of(self, offset: int) -> int:
        """The line, from 1, on which a byte of `data` stands."""
        return _line_of(self.data, offset)


def read_source(path: str | Path, encoding: str | None = None) -> Source:
    """Read a file, or standard input for ``-``, as text.

    Raises
    ------
    UsageError, DataProblems
        As `read_bytes` and `as_text`.
    """
    return as_text(read_bytes(path), encoding)


def as_text(given: FileBytes, encoding: str | None = None) -> Source:
    """Unpack gzip, and turn the text into UTF-8.

    Raises
    ------
    UsageError
        If `encoding` does not exist, or the text is larger than `MOST_INPUT`.
    DataProblems
        If the content is not text in that encoding.
    """
    data = _unpacked(given.file, given.data) if given.data.startswith(_GZIP) else given.data
    return Source(given.file, given.digest, _as_utf8(given.file, data, encoding))


def _unpacked(file: str, raw: bytes) -> bytes:
    import gzip
    import zlib

    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
            return read_within_limit(stream, file)
    except (OSError, EOFError, zlib.error):
        raise fatal(
            file,
            "the gzip data is damaged or cut off",
            "a compressed file must unpack completely",
            "Copy or compress it again.",
        ) from None


def _as_utf8(file: str, data: bytes, encoding: str | None) -> bytes:
    if data.startswith(_ZIP):
        raise fatal(
            file,
            "this is a zip archive or an Excel workbook",
            "the input is a CSV file",
            "Save the sheet as CSV (UTF-8).",
        )
    if encoding is None:
        _refuse_wide(file, data)
    else:
        data = _recoded(file, data, encoding)
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data or data.isspace():
        raise fatal(
            file,
            "the file is empty",
            "a cohort needs a header line and a row per patient",
            "Export it again.",
        )
    data = _with_line_feeds(data)
    # All bytes are ASCII and none is NUL in most files of a million rows; a closer look costs a copy.
    if np.frombuffer(data, np.int8).min() <= 0:
        _refuse_binary(file, data)
        _refuse_later_mark(file, data)
    return data


def _refuse_wide(file: str, data: bytes) -> None:
    for mark, name in _WIDE_MARKS:
        if data.startswith(mark):
            raise fatal(
                file,
                f"the file begins with the mark of {name.upper()}",
                _UTF8_RULE,
                f"Add --encoding {name}, or save it as CSV UTF-8.",
            )


def _recoded(file: str, data: bytes, encoding: str) -> bytes:
    no_such = UsageError(
        f"There is no encoding '{shown(encoding)}'. Common ones are utf-8, utf-16, cp1252 and latin-1."
    )
    try:
        codecs.lookup(encoding)
    except (LookupError, ValueError):  # the latter for a name that is not text
        raise no_such from None
    try:
        return data.decode(encoding).encode("utf-8")
    except UnicodeError as error:
        place = f" at byte {error.start + 1:,}" if isinstance(error, UnicodeDecodeError) else ""
        raise fatal(
            file,
            f"the text is not {encoding}{place}",
            "every byte must be text in the named encoding",
            "Name the encoding that the file was saved in with --encoding, or save it as CSV UTF-8.",
        ) from None
    except (LookupError, ValueError):  # what it decodes is not text
        raise no_such from None


def _with_line_feeds(data: bytes) -> bytes:
    """End each line with a line feed, the last one too.

    The lone carriage returns of the old Macintosh, which Excel still offers, become line feeds: the rest of
    the program, unlike pyarrow, knows no line that ends with a carriage return alone.
    """
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data if data.endswith(b"\n") else data + b"\n"


def _refuse_binary(file: str, data: bytes) -> None:
    """Say where the text stops being UTF-8, if it does."""
    offset = data.find(b"\0")
    if offset >= 0:
        raise fatal(
            file,
            "there is a NUL byte",
            "a CSV file is text",
            "The file is binary or damaged, or in another encoding: export it again as CSV UTF-8, "
            "or name its encoding, for example --encoding utf-16.",
            line=_line_of(data, offset),
        )
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise fatal(
            file,
            f"byte 0x{data[error.start]:02x} is not UTF-8",
            _UTF8_RULE,
            "If it was saved by Excel on Windows add --encoding cp1252, or save it as CSV UTF-8.",
            line=_line_of(data, error.start),
        ) from None


def _refuse_later_mark(file: str, data: bytes) -> None:
    """Say where a line begins with a byte order mark, which would be an unseen part of an identifier."""
    is_first = data.startswith(codecs.BOM_UTF8)
    line_feed = data.find(b"\n" + codecs.BOM_UTF8)
    if is_first or line_feed >= 0:
        raise fatal(
            file,
            "the line begins with a byte order mark (U+FEFF)",
            "that mark stands once, where a file begins",
            "Files were joined, or it was written twice: remove it from this line.",
            line=1 if is_first else _line_of(data, line_feed + 1),
        )


def _line_of(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1
