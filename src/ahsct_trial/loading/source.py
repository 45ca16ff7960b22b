"""The bytes of the input, wherever they come from, as UTF-8 text without a byte order mark."""

from __future__ import annotations

import codecs
import sys
from dataclasses import dataclass
from pathlib import Path

from ahsct_trial.errors import UsageError
from ahsct_trial.loading.problems import fatal

STANDARD_INPUT = "-"

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
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
    sha256
        Digest of its bytes as they were given, so of the compressed file where it is compressed.
    data
        Its text in UTF-8, without a byte order mark and without NUL bytes.
    """

    file: str
    sha256: str
    data: bytes

    def line_of(self, offset: int) -> int:
        """The line, from 1, on which a byte of `data` stands."""
        return self.data.count(b"\n", 0, offset) + 1


def read_source(path: str | Path, encoding: str | None = None) -> Source:
    """Read a file, or standard input for ``-``; unpack gzip; turn its text into UTF-8.

    Raises
    ------
    UsageError
        If there is no such file, it cannot be read, or `encoding` does not exist.
    DataProblems
        If its content is not text in that encoding.
    """
    file = STANDARD_INPUT if str(path) == STANDARD_INPUT else Path(path).name
    raw = _read_bytes(path)
    from hashlib import sha256

    digest = sha256(raw).hexdigest()
    data = _unpacked(file, raw) if raw.startswith(_GZIP) else raw
    return Source(file, digest, _as_utf8(file, data, encoding))


def _read_bytes(path: str | Path) -> bytes:
    if str(path) == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}. Check the name and the folder.") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder. Name the CSV file in it.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{path} cannot be read: {reason}.") from None


def _unpacked(file: str, raw: bytes) -> bytes:
    import gzip
    import zlib

    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error):
        raise fatal(
            file,
            "the gzip data is damaged or cut off",
            "a compressed file must unpack completely",
            "Copy or compress it again.",
        ) from None


def _as_utf8(file: str, data: bytes, encoding: str | None) -> bytes:
    if encoding is not None:
        data = _decoded(file, data, encoding).encode("utf-8")
    else:
        _refuse_wide(file, data)
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data or data.isspace():
        raise fatal(
            file,
            "the file is empty",
            "a cohort needs a header line and a row per patient",
            "Export it again.",
        )
    offset = data.find(b"\0")
    if offset >= 0:
        raise fatal(
            file,
            "there is a NUL byte",
            "a CSV file is text",
            "The file is binary or damaged, or in another encoding: export it again as CSV in UTF-8, "
            "or name its encoding, for example --encoding utf-16.",
            line=data.count(b"\n", 0, offset) + 1,
        )
    # Line breaks of the old Macintosh, which Excel still offers; the rest of the program knows one kind.
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def _refuse_wide(file: str, data: bytes) -> None:
    if data.startswith(_ZIP):
        raise fatal(
            file,
            "this is a zip archive or an Excel workbook",
            "the input is a CSV file",
            "Save the sheet as CSV (UTF-8).",
        )
    for mark, name in _WIDE_MARKS:
        if data.startswith(mark):
            raise fatal(
                file,
                f"the file begins with the mark of {name.upper()}",
                "without an option the text is UTF-8",
                f"Add --encoding {name}, or save it as UTF-8.",
            )


def _decoded(file: str, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except LookupError:
        raise UsageError(
            f"There is no encoding {encoding!r}. Common ones are utf-8, utf-16, cp1252 and latin-1."
        ) from None
    except UnicodeError as error:
        raise fatal(
            file,
            f"the text is not {encoding} ({error})",
            "every byte must be text in the named encoding",
            "Name the encoding the file was saved in with --encoding, or save it as UTF-8.",
        ) from None


def refuse_other_encodings(source: Source) -> None:
    """Say where the text stops being UTF-8, if it does."""
    try:
        source.data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise fatal(
            source.file,
            f"byte 0x{source.data[error.start]:02x} is not UTF-8",
            "without an option the text is UTF-8",
            "If it was saved by Excel on Windows add --encoding cp1252, or save it as CSV UTF-8.",
            line=source.line_of(error.start),
        ) from None
