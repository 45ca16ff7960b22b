"""Reads R's figures and data sets from tests/reference; its README says how they were made."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

REFERENCE = Path(__file__).parents[1] / "reference"
#: The columns of each data set that hold the time and whether it is an event.
COLUMNS = {"aml": ("time", "status"), "ovarian": ("futime", "fustat"), "veteran": ("time", "status")}


class Table:
    """Rows of a table of text; columns come out as text or as numbers, an empty cell as NaN."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        assert rows, "no such rows"
        self.rows = rows

    def where(self, **values: str) -> Table:
        return Table([row for row in self.rows if values.items() <= row.items()])

    def texts(self, column: str) -> list[str]:
        return [row[column] for row in self.rows]

    def __getitem__(self, column: str) -> NDArray[np.float64]:
        return np.array([float(text or "nan") for text in self.texts(column)])


@cache
def table(name: str) -> Table:
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return Table(list(csv.DictReader(file)))


def stratum(dataset: str, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Give times and event flags of one stratum, named as R does: ``all`` or ``column=value``."""
    patients = table(dataset)
    if name != "all":
        column, value = name.split("=")
        patients = patients.where(**{column: value})
    time, status = COLUMNS[dataset]
    return patients[time], patients[status] == 1


def assert_agrees(actual: ArrayLike, expected: ArrayLike) -> None:
    """Compare with R to nine digits; NaN agrees with R's NA and with nothing else."""
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=1e-9, atol=0)
