"""Files that are not text, as `CellTable`s: workbooks, SAS, Stata, SPSS and Dataset-JSON.

What a file is, its first bytes say; its name only where they cannot. Packages that read a format are imported
when such a file comes.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from functools import partial
from hashlib import sha256
from itertools import islice
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.loading.file_bytes import STANDARD_INPUT, refuse_beyond_limit
from ahsct_trial.loading.formats.cells import CellTable
from ahsct_trial.loading.formats.delimited import read_delimited
from ahsct_trial.loading.formats.signatures import (
    FOREIGN,
    WORKBOOKS,
    ZIP,
    head_of,
    is_dataset_json,
    statistical_function,
    unpacked_head,
)
from ahsct_trial.loading.formats.workbook_guard import failed_formulas, refuse_overwhelming
from ahsct_trial.loading.problems import fatal

#: Rows that are held as Python values at a time.
_N_ROWS_AT_A_TIME = 50_000
Cell = Any  # float, int, str, bool, date, datetime, time or timedelta of Python, numpy or pandas; None


def read_tables(
    path: str | Path, *, encoding: str | None = None, sheet: str | None = None, heading_row: int | None = None
) -> list[CellTable]:
    """Read the tables of a file: one, or one for each sheet of a workbook that has a cell.

    Parameters
    ----------
    path
        A CSV (``.gz`` too), an Excel or OpenDocument workbook, SAS (transport and sas7bdat), Stata, SPSS or
        Dataset-JSON.
    encoding
        Encoding of a text file where it is not UTF-8.
    sheet
        The one sheet to be read, without regard to case.
    heading_row
        Line or row with the headings, from 1; None for the first with a cell.

    Raises
    ------
    UsageError
        If the file does not exist or cannot be read, or a package that reads it is not installed.
    DataProblems
        If it is damaged, too large, or a kind of file that holds no table.
    """
    path = Path(path)
    if str(path) == STANDARD_INPUT:
        return [read_delimited(path, encoding, heading_row)]
    head = head_of(path)
    read: Callable[[Path], list[CellTable]] | None = _reader(path, head)
    if head.startswith(WORKBOOKS):
        read = partial(_read_workbook, head=head, sheet=sheet, heading_row=heading_row)
    if read is not None:
        _refuse_large(path)
        return read(path)
    _refuse_foreign(path.name, unpacked_head(head))
    return [read_delimited(path, encoding, heading_row)]


def sheet_names(path: Path) -> list[str]:
    """The sheets of a workbook, the visible ones first; none for another file."""
    head = b"" if str(path) == STANDARD_INPUT else head_of(path)
    if not head.startswith(WORKBOOKS):
        return []
    workbook = _open_workbook(path, head)
    import python_calamine

    tables = [
        each for each in workbook.sheets_metadata if each.typ is python_calamine.SheetTypeEnum.WorkSheet
    ]
    visible = python_calamine.SheetVisibleEnum.Visible
    return [each.name for each in sorted(tables, key=lambda each: each.visible is not visible)]


# ---- What reads a file ----------------------------------------------------------------------------------


def _refuse_large(path: Path) -> None:
    """Refuse a file beyond the limit before a package reads it as a whole."""
    refuse_beyond_limit(path.stat().st_size, shown(str(path), longest=500))


def _reader(path: Path, head: bytes) -> Callable[[Path], list[CellTable]] | None:
    """What reads a file that is not text; None for text, and for what cannot be read."""
    if is_dataset_json(path):
        return _read_dataset_json
    function = statistical_function(path, head)
    return None if function is None else partial(_read_statistical, function)


def _refuse_foreign(file: str, head: bytes) -> None:
    for magic, kind, fix in FOREIGN:
        if head.startswith(magic):
            raise fatal(file, f"this is {kind}", "a table is a CSV, workbook, SAS, Stata or SPSS file", fix)


def _need(package: str, file: str) -> None:
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise UsageError(
            f"Reading {shown(file)} needs {package.replace('_', '-')}. Install it with: "
            "pip install 'ahsct-trial[formats]' (in a copy of the repository: pip install '.[formats]')"
        )


# ---- Workbooks ------------------------------------------------------------------------------------------


def _open_workbook(path: Path, head: bytes) -> Any:
    _refuse_large(path)
    if head.startswith(ZIP):
        _refuse_other_zip(path)
    _need("python_calamine", path.name)
    import python_calamine

    if head.startswith(ZIP):
        refuse_overwhelming(path)
    try:
        return python_calamine.load_workbook(str(path))
    except python_calamine.PasswordError:
        raise fatal(
            path.name, "the workbook has a password", "its cells can be read", "Save it without one."
        ) from None
    except (python_calamine.CalamineError, OSError) as error:
        raise fatal(
            path.name,
            f"the file cannot be opened as a workbook ({error})",
            "a workbook is complete and not protected",
            "Open it in Excel or LibreOffice and save it again as .xlsx.",
        ) from None


def _refuse_other_zip(path: Path) -> None:
    """Say what a zip file is that is no workbook, or that it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        raise fatal(
            path.name,
            "the zip data of this workbook is damaged or cut off",
            "a workbook must unpack completely",
            "Copy it or save it again.",
        ) from None
    if names & {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}:
        return
    is_word = any(name.startswith("word/") for name in names)
    kind = "a Word document" if is_word else "a zip archive"
    fix = "Save its table as a workbook or CSV." if is_word else "Unpack it and name the folder."
    raise fatal(path.name, f"this is {kind}", "a table is a CSV, workbook, SAS, Stata or SPSS file", fix)


def _read_workbook(path: Path, *, head: bytes, sheet: str | None, heading_row: int | None) -> list[CellTable]:
    workbook = _open_workbook(path, head)
    digest = sha256(path.read_bytes()).hexdigest()
    wanted = [name for name in sheet_names(path) if sheet is None or name.casefold() == sheet.casefold()]
    tables = []
    for name in wanted:
        failed = failed_formulas(path, name) if head.startswith(ZIP) else {}
        rows = _rows(path.name, workbook, name, failed)
        table = _sheet(path.name, name, digest, rows, heading_row)
        if table is not None:
            tables.append(table)
    return tables


def _sheet(
    file: str,
    sheet: str,
    digest: str,
    rows: Iterator[list[Cell]],
    heading_row: int | None,
) -> CellTable | None:
    """Make a table of a sheet's rows; None where it has no cell at all."""
    numbered = enumerate(rows, start=1)
    names: tuple[str, ...] = ()
    for number, cells in numbered:
        if (heading_row is None and any(cell != "" for cell in cells)) or number == heading_row:
            names = tuple((_text(cell) or "").strip() for cell in cells)
            break
    if not names:
        if heading_row is None:
            return None
        raise fatal(
            f"{file}, sheet {sheet}",
            f"there is no row {heading_row}",
            "headings stand there",
            "Check heading_row in the map.",
        )
    chunks: list[list[pa.Array]] = [[] for _ in names]
    lines: list[int] = []
    while part := list(islice(numbered, _N_ROWS_AT_A_TIME)):
        lines += [number for number, _ in part]
        for place, column in enumerate(zip(*(cells for _, cells in part), strict=True)):
            chunks[place].append(_texts(column))
    columns = tuple(pa.concat_arrays(chunk) if chunk else pa.array([], pa.string()) for chunk in chunks)
    return CellTable(file, sheet, names, columns, np.array(lines, dtype=np.int64), digest)


def _rows(
    file: str, workbook: Any, sheet: str, failed: Mapping[int, Mapping[int, str]]
) -> Iterator[list[Cell]]:
    """The rows of a sheet from its first on, with the errors of formulas, which calamine leaves empty."""
    import python_calamine

    try:
        cells = workbook.get_sheet_by_name(sheet)
    except python_calamine.CalamineError as error:
        raise fatal(
            file,
            f"sheet '{shown(sheet)}' cannot be read ({shown(str(error))})",
            "a sheet is a table of cells",
            "Open the workbook in Excel or LibreOffice and save it again as .xlsx.",
        ) from None
    # Columns before the first with a cell are left out.
    n_left_out = cells.start[1] if cells.start else 0
    if not failed:
        yield from cells.iter_rows()
        return
    for number, row in enumerate(cells.iter_rows(), start=1):
        for column, text in failed.get(number, {}).items():
            row[column - n_left_out] = text
        yield row


# ---- Statistical packages -------------------------------------------------------------------------------


def _read_statistical(function: str, path: Path) -> list[CellTable]:
    _need("pyreadstat", path.name)
    import pyreadstat

    try:
        columns, _ = getattr(pyreadstat, function)(str(path), output_format="dict")
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, ValueError, OverflowError) as error:
        raise fatal(
            path.name,
            f"the file cannot be read ({shown(str(error))})",
            "a data set of SAS, Stata or SPSS is complete",
            "Export it again.",
        ) from None
    texts = tuple(_texts(column) for column in columns.values())
    n_rows = len(texts[0]) if texts else 0
    names = tuple(name.strip() for name in columns)
    digest = sha256(path.read_bytes()).hexdigest()
    return [CellTable(path.name, None, names, texts, np.arange(1, n_rows + 1), digest)]


# ---- CDISC Dataset-JSON ---------------------------------------------------------------------------------


def _read_dataset_json(path: Path) -> list[CellTable]:
    """Read CDISC Dataset-JSON: version 1.1 (columns, rows), as lines (.ndjson), or 1.0 (itemData)."""
    raw = path.read_bytes()
    try:
        if path.suffix.lower() == ".ndjson":
            first, *rows = [json.loads(line) for line in raw.splitlines() if line.strip()]
            names = [column["name"] for column in first["columns"]]
        else:
            names, rows = _dataset(json.loads(raw))
        if any(len(row) != len(names) for row in rows):
            raise fatal(
                path.name, "a row is longer or shorter than its columns", "each cell has a column", _AGAIN
            )
        columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
        texts = tuple(_texts(column) for column in columns)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise fatal(
            path.name,
            "this JSON is not a CDISC data set",
            "Dataset-JSON has columns and rows",
            "Export the data set as Dataset-JSON 1.1 or as CSV.",
        ) from None
    lines = np.arange(1, len(rows) + 1)
    return [CellTable(path.name, None, tuple(names), texts, lines, sha256(raw).hexdigest())]


_AGAIN = "Export the data set again."


def _dataset(document: dict[str, Any]) -> tuple[list[str], list[list[Cell]]]:
    if "columns" in document:
        return [column["name"] for column in document["columns"]], document["rows"]
    study = document.get("clinicalData") or document["referenceData"]
    (group,) = study["itemGroupData"].values()
    return [item["name"] for item in group["items"]], group["itemData"]


# ---- Cells as text --------------------------------------------------------------------------------------


def _texts(cells: Sequence[Cell]) -> pa.Array:
    return pa.array(map(_text, cells), pa.string(), size=len(cells))


def _text(cell: Cell) -> str | None:  # noqa: PLR0911 (one for each type)
    """A cell as a person would write it in a CSV: whole numbers without a point, dates as YYYY-MM-DD."""
    if type(cell) is str:  # most cells are this or the next
        return cell or None
    if type(cell) is float:
        return _number_text(cell)
    if cell is None or cell != cell:  # noqa: PLR0124 (NaT, as NaN, is not equal to itself)
        return None
    if isinstance(cell, bool | np.bool_):
        return str(bool(cell)).upper()
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, int | float | np.number):
        return _number_text(float(cell))
    return str(cell) or None


def _number_text(number: float) -> str | None:
    if number.is_integer():
        return str(int(number))
    # Excel keeps 15 digits: 0.1 + 0.2 is 0.3 there.
    return None if isnan(number) else format(number, ".15g")
