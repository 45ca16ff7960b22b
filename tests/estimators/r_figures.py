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


#: Sets that the README of the tables describes in words.
SETS_IN_WORDS = {
    "full10": (list(range(1, 11)), [1] * 10),
    "tied10": ([1, 1, 2, 2, 2, 3, 4, 4, 5, 5], [1] * 10),
    "cens_end12": ([1, 2, 3, 4] + [6] * 8, [1] * 4 + [0] * 8),
}


def patients(dataset: str, **values: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Give times and event flags of the patients of a data set who have these values."""
    if dataset in SETS_IN_WORDS:
        times, status = SETS_IN_WORDS[dataset]
        return np.array(times, dtype=np.float64), np.array(status) == 1
    is_from_r = dataset in COLUMNS
    rows = table(dataset) if is_from_r else table("tiny_sets").where(dataset=dataset)
    time, status_column = COLUMNS[dataset] if is_from_r else ("time", "status")
    rows = rows.where(**values)
    return rows[time], rows[status_column] == 1


def stratum(dataset: str, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Give times and event flags of one stratum, named as R does: ``all`` or ``column=value``."""
    return patients(dataset, **({} if name == "all" else dict([name.split("=")])))


def patients_of(row: dict[str, str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Give times and event flags of those whom a row names by its dataset, by and stratum."""
    return patients(row["dataset"], **({} if row["stratum"] == "all" else {row["by"]: row["stratum"]}))


def assert_agrees(actual: ArrayLike, expected: ArrayLike) -> None:
    """Compare with R to nine digits; NaN agrees with R's NA and with nothing else."""
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=1e-9, atol=0)


def grouped(
    row: dict[str, str],
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.str_], NDArray[np.str_] | None]:
    """Give times, event flags, groups and strata of the patients whom a row of a comparison names."""
    dataset, _, without = row["dataset"].partition("(celltype!=")
    is_from_r = dataset in COLUMNS
    rows = table(dataset) if is_from_r else table("tiny_sets").where(dataset=dataset)
    if without:
        rows = Table([patient for patient in rows.rows if patient["celltype"] != without.rstrip(")")])
    time, status = COLUMNS[dataset] if is_from_r else ("time", "status")
    strata = np.array(rows.texts(row["strata"])) if row["strata"] else None
    return rows[time], rows[status] == 1, np.array(rows.texts(row["by"])), strata
