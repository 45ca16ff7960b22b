"""What a file is, by its first bytes, and by its name only where they do not say."""

from __future__ import annotations

import zlib
from pathlib import Path

from ahsct_trial.loading.file_bytes import STANDARD_INPUT, opened

_HEAD = 512

ZIP = b"PK\x03\x04"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_SAS7BDAT = bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")
_XPORT = b"HEADER RECORD*******LIB"
_STATA_NEW = b"<stata_dta>"
#: Versions 105 to 115 of Stata's older format, each in one of two orders of bytes.
_STATA_OLD = tuple(bytes([version, order]) for version in range(105, 116) for order in (1, 2))
_SPSS = (b"$FL2", b"$FL3")

#: Binary files that hold no table for us, by how they begin, and what a person can do instead.
FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF document", "Export the table behind it as CSV."),
    (b"PAR1", "a Parquet file", "Write it as CSV, for example with pandas or DuckDB."),
    (b"ARROW1", "an Arrow file", "Write it as CSV."),
    (b"SQLite format 3", "an SQLite database", "Export its tables as CSV files."),
    (b"\x00\x01\x00\x00Standard Jet DB", "an Access database", "Export its tables as CSV files."),
    (b"\x00\x01\x00\x00Standard ACE DB", "an Access database", "Export its tables as CSV files."),
    (b"RDX", "an R workspace", "In R: write.csv(x, 'x.csv', row.names = FALSE, na = '')."),
    (b"X\n\x00", "an R data set", "In R: write.csv(x, 'x.csv', row.names = FALSE, na = '')."),
    (b"\x89PNG", "a picture (PNG)", "Name the table's file."),
    (b"\xff\xd8\xff", "a picture (JPEG)", "Name the table's file."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it and name the folder."),
    (b"Rar!", "a RAR archive", "Unpack it and name the folder."),
    (b"{\\rtf", "an RTF document", "Export the table behind it as CSV."),
)
#: How a workbook begins: a zip archive of XML, or the older form.
WORKBOOKS = (ZIP, _OLE)


def is_text(path: str | Path) -> bool:
    """Whether a file is read as text: whatever is not known to be something else."""
    path = Path(path)
    try:
        is_there = str(path) != STANDARD_INPUT and path.is_file()
    except OSError:  # a name that no file can have, which whoever reads it says
        is_there = False
    if not is_there:
        return True
    head = head_of(path)
    is_foreign = any(unpacked_head(head).startswith(magic) for magic, _, _ in FOREIGN)
    is_data_set = is_dataset_json(path) or statistical_function(path, head) is not None
    return not (is_foreign or is_data_set or head.startswith(WORKBOOKS))


def head_of(path: Path) -> bytes:
    """The first bytes of a file.

    Raises
    ------
    UsageError
        If there is no such file, or it cannot be read.
    """
    with opened(path) as file:
        return file.read(_HEAD)


def unpacked_head(head: bytes) -> bytes:
    """The beginning of what a gzip file holds: R's files are gzipped."""
    if not head.startswith(b"\x1f\x8b"):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, _HEAD)
    except zlib.error:
        return head


def is_dataset_json(path: Path) -> bool:
    """Whether a file has the name of a CDISC Dataset-JSON."""
    return path.suffix.lower() in {".json", ".ndjson"}


def statistical_function(path: Path, head: bytes) -> str | None:
    """The function of pyreadstat that reads a file of SAS, Stata or SPSS; None for another file."""
    ending = path.suffix.lower()
    functions = {
        "read_xport": head.startswith(_XPORT),
        "read_sas7bdat": head.startswith(_SAS7BDAT),
        "read_dta": head.startswith(_STATA_NEW) or (ending == ".dta" and head.startswith(_STATA_OLD)),
        "read_sav": head.startswith(_SPSS),
        "read_por": ending == ".por",
    }
    return next((name for name, is_meant in functions.items() if is_meant), None)
