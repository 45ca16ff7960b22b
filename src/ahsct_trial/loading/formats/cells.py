"""`CellTable`: a table of cells as text, from whatever file it came; all checks begin here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ahsct_trial.escaping import shown
from ahsct_trial.results import Notice

#: Of workbooks in these formats nobody says which formulas gave an error.
_BINARY_WORKBOOKS = (".xls", ".xlsb")


def unseen_errors(files: Iterable[str]) -> Iterator[Notice]:
    """That formulas which gave an error are read as empty cells, if one of some files is such a workbook."""
    binary = [file for file in files if file.lower().endswith(_BINARY_WORKBOOKS)]
    if binary:
        yield Notice(
            code="formula-errors-unseen",
            text=f"In {', '.join(map(shown, binary))} a formula that gives an error, such as #DIV/0!, is read as "
            "an empty cell. Saved as .xlsx such a cell is named.",
        )


@dataclass(frozen=True, eq=False)
class CellTable:
    """The cells of one table.

    Attributes
    ----------
    file
        Name of its file as shown to a person, without the folder.
    sheet
        Name of the sheet in a workbook, else None.
    names
        Headings as they are written, without blanks around them.
    columns
        Text of each cell, one pyarrow string array of shape (n_rows,) per heading; null where the cell is
        empty.
    lines
        Line of the file, or row of the sheet, on which each row stands, from 1; shape (n_rows,).
    sha256
        SHA-256 of the file in hexadecimal digits.
    """

    file: str
    sheet: str | None
    names: tuple[str, ...]
    columns: tuple[pa.StringArray, ...]
    lines: NDArray[np.int64]
    sha256: str

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def label(self) -> str:
        """The file, with its sheet where it has one, as a person would name the table."""
        return self.file if self.sheet is None else f"{self.file}, sheet {self.sheet}"

    def column(self, name: str) -> pa.StringArray:
        """The cells under a heading."""
        return self.columns[self.names.index(name)]
