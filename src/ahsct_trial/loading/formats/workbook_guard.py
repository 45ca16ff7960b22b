"""What must be known of a workbook before it is opened: how large it is, and which formulas failed.

calamine holds a sheet as a full grid: one cell in the last corner, or a part that unpacks to a thousand times
its size, would fill any memory. And it gives a formula's error as an empty cell. So the XML is looked through
first, a piece at a time.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree as ET

from ahsct_trial.escaping import shown
from ahsct_trial.loading.file_bytes import refuse_beyond_limit
from ahsct_trial.loading.problems import DataProblems, fatal

#: A million rows with 15 columns have 600 MB of XML.
_MOST_XML = 2_000_000_000
#: Parts that are parsed as a whole.
_MOST_WHOLE = 300_000_000
#: A cell takes 32 bytes in calamine's grid: 1.3 GB.
_MOST_CELLS = 40_000_000
_MOST_ROWS = 1_048_576
_PIECE = 1 << 20

_TOO_LARGE_FIX = "Save the sheet as CSV, which may be of any size."
_RELATIONSHIP = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

_TWO_LETTERS = re.compile(rb'\br="([A-Z]{2,})[0-9]')
_SIX_DIGITS = re.compile(rb'\br="[A-Z]*[0-9]{6}')
_PLACE = re.compile(rb'\br="([A-Z]*)([0-9]+)"')
_FAILED = re.compile(
    rb'<(?:\w+:)?c\s(?=[^>]*\bt="e")[^>]*\br="([A-Z]+)([0-9]+)"[^>]*>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<',
    re.DOTALL,
)
_REPEATED_CELL = re.compile(rb'<table:table-cell\b[^>]*number-columns-repeated="[0-9]{4,}"[^>]*>')
_REPEATED_ROW = re.compile(
    rb'<table:table-row\b[^>]*number-rows-repeated="[0-9]{4,}"[^>]*>(.*?)</table:table-row>', re.DOTALL
)
_ODS_VALUE = b"office:value-type="
_ODS_ERROR = b'calcext:value-type="error"'


def refuse_overwhelming(path: Path) -> None:
    """Refuse a workbook of which one must fear that it fills the memory.

    Raises
    ------
    DataProblems
        If its parts unpack to more than a sheet can need, or a cell is repeated thousands of times.
    UsageError
        If they unpack to more than the limit of input.
    """
    with zipfile.ZipFile(path) as archive:
        n_bytes = sum(part.file_size for part in archive.infolist())
        refuse_beyond_limit(n_bytes, f"Unpacked, {shown(path.name, longest=255)}")
        if n_bytes > _MOST_XML:
            raise _too_large(path.name, f"it unpacks to {n_bytes / 1e9:,.1f} GB")
        if "content.xml" in archive.namelist():
            _check_open_document(path.name, _whole(path.name, archive, "content.xml"))


def failed_formulas(path: Path, sheet: str) -> dict[int, dict[int, str]]:
    """Errors of formulas in a sheet of an .xlsx, such as #DIV/0!, by row from 1 and column from 0.

    Raises
    ------
    DataProblems
        If the sheet's cells span a grid that would fill the memory, or its XML is damaged.
    """
    failed: dict[int, dict[int, str]] = {}
    with zipfile.ZipFile(path) as archive:
        part = _part_of(path.name, archive, sheet)
        if part is None:
            return {}
        letters: set[bytes] = set()
        has_many_rows = False
        for piece in _pieces(path.name, archive, part):
            letters.update(_TWO_LETTERS.findall(piece))
            has_many_rows = has_many_rows or _SIX_DIGITS.search(piece) is not None
            if b't="e"' in piece:
                for column, row, text in _FAILED.findall(piece):
                    failed.setdefault(int(row), {})[_column_number(column)] = text.decode("utf-8", "replace")
        width = max(map(_column_number, letters), default=25) + 1
        if width * (_MOST_ROWS if has_many_rows else 100_000) > _MOST_CELLS:
            _refuse_wide_grid(path.name, sheet, _pieces(path.name, archive, part))
    return failed


def _refuse_wide_grid(file: str, sheet: str, pieces: Iterator[bytes]) -> None:
    width, height = 0, 0
    for piece in pieces:
        for letters, digits in _PLACE.findall(piece):
            # A cell without a value takes no room, but is rare enough here to count.
            width = max(width, _column_number(letters) + 1) if letters else width
            height = max(height, int(digits[:9]))
    if width * height > _MOST_CELLS:
        raise _too_large(
            file, f"the cells of sheet '{shown(sheet)}' span {height:,} rows and {width:,} columns"
        )


def _part_of(file: str, archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The part of the archive that holds a sheet; None for a workbook that is not XML."""
    if "xl/workbook.xml" not in archive.namelist():
        return None
    try:
        book = ET.fromstring(_whole(file, archive, "xl/workbook.xml"))
        links = ET.fromstring(_whole(file, archive, "xl/_rels/workbook.xml.rels"))
        targets = {link.get("Id"): link.get("Target", "") for link in links}
        identifier = next(
            entry.get(_RELATIONSHIP)
            for entry in book.iter()
            if entry.tag.endswith("}sheet") and entry.get("name") == sheet
        )
        target = targets[identifier]
    except (ET.ParseError, StopIteration, KeyError):
        return None  # calamine says what is wrong with it
    part = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
    return part if part in archive.namelist() else None


def _pieces(file: str, archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The text of a part in pieces, each of which begins with a cell."""
    rest = b""
    try:
        with archive.open(part) as stream:
            while piece := stream.read(_PIECE):
                text = rest + piece
                cut = max(text.rfind(b"<c "), text.rfind(b":c "), len(text) - _PIECE)
                yield text[:cut]
                rest = text[cut:]
        yield rest
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise _damaged(file, error) from None


def _whole(file: str, archive: zipfile.ZipFile, part: str) -> bytes:
    try:
        n_bytes = archive.getinfo(part).file_size
        if n_bytes > _MOST_WHOLE:
            raise _too_large(file, f"its part {part} unpacks to {n_bytes / 1e6:,.0f} MB")
        return archive.read(part)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise _damaged(file, error) from None


def _check_open_document(file: str, content: bytes) -> None:
    rows = (row for row in _REPEATED_ROW.findall(content) if _ODS_VALUE in row)
    cells = (cell for cell in _REPEATED_CELL.findall(content) if _ODS_VALUE in cell)
    if next(rows, None) is not None or next(cells, None) is not None:
        raise _too_large(file, "a row or cell with a value is repeated more than a thousand times")
    n_failed = content.count(_ODS_ERROR)
    if n_failed:
        raise fatal(
            file,
            f"formulas give an error in {n_failed:,} {'cell' if n_failed == 1 else 'cells'}",
            "a cell holds a value or is empty",
            "Mend or delete these formulas, or save the workbook as .xlsx, where each can be named.",
        )


def _column_number(letters: bytes) -> int:
    """Number of a column, from 0, by its letters."""
    number = 0
    for letter in letters[:8]:
        number = number * 26 + letter - 64
    return number - 1


def _too_large(file: str, what: str) -> DataProblems:
    return fatal(
        file, what, f"up to {_MOST_CELLS:,} cells and {_MOST_XML / 1e9:g} GB are read", _TOO_LARGE_FIX
    )


def _damaged(file: str, error: Exception) -> DataProblems:
    return fatal(
        file,
        f"the zip data of this workbook is damaged ({shown(str(error))})",
        "a workbook must unpack completely",
        "Copy it or save it again.",
    )
