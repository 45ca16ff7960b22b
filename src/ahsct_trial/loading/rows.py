"""`Rows`: the rows of a file, or of a part of it, as typed columns that hold what is given and nothing else.

Ten million records have a hundred million cells, most of them empty. So a column is the cells that have a
value, and the rows in which they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ahsct_trial.stepwise import Scalar


@dataclass(frozen=True)
class Numbers:
    """The cells of a column that hold a number.

    Attributes
    ----------
    rows
        Their rows, ascending; shape (n_given,).
    values
        Their numbers; shape (n_given,).
    """

    rows: NDArray[np.intp]
    values: NDArray[np.float64]

    def spread(self, n_rows: int) -> NDArray[np.float64]:
        """The number in each row, NaN where there is none; shape (n_rows,)."""
        return _spread(self.rows, self.values, n_rows, np.nan)

    def among(self, is_kept: NDArray[np.bool_]) -> Numbers:
        """The cells in the rows that are kept, by the numbers that these rows then have."""
        rows, is_own = _kept(self.rows, is_kept)
        return Numbers(rows, self.values[is_own])


@dataclass(frozen=True)
class Texts:
    """The cells of a column that hold a text.

    Attributes
    ----------
    rows
        Their rows, ascending; shape (n_given,).
    places
        Places of their texts among the different ones; shape (n_given,).
    different
        The different texts; some may stand in no cell.
    """

    rows: NDArray[np.intp]
    places: NDArray[np.int32]
    different: Sequence[str]

    def spread(self, n_rows: int) -> CodedTexts:
        """The text of each row."""
        return CodedTexts(_spread(self.rows, self.places, n_rows, -1), self.different)

    def among(self, is_kept: NDArray[np.bool_]) -> Texts:
        """The cells in the rows that are kept, by the numbers that these rows then have."""
        rows, is_own = _kept(self.rows, is_kept)
        return Texts(rows, self.places[is_own], self.different)


def _spread(rows: NDArray[np.intp], values: NDArray[Scalar], n_rows: int, missing: float) -> NDArray[Scalar]:
    """One value for each row."""
    if len(rows) == n_rows:
        return values
    spread = np.full(n_rows, missing, dtype=values.dtype)
    spread[rows] = values
    return spread


def _kept(rows: NDArray[np.intp], is_kept: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The new numbers of those rows that are kept, and which they are."""
    is_own = is_kept[rows]
    return (np.cumsum(is_kept) - 1)[rows[is_own]], is_own


class CodedTexts(NamedTuple):
    """A text for each row, as a place among the different texts.

    Attributes
    ----------
    places
        −1 where there is no text; shape (n_rows,).
    different
        The different texts.
    """

    places: NDArray[np.int32]
    different: Sequence[str]


def joined_texts(parts: Iterable[CodedTexts]) -> CodedTexts:
    """Texts of rows one after the other."""
    place_of: dict[str, int] = {}
    places = []
    for own, different in parts:
        place = [place_of.setdefault(text, len(place_of)) for text in different]
        places.append(np.array([*place, -1], dtype=np.int32)[own])
    return CodedTexts(np.concatenate(places), list(place_of))


@dataclass(frozen=True)
class Rows:
    """Typed columns by canonical name, in the order of the file.

    Attributes
    ----------
    identifiers
        The patient's identifier in each row, a string, null where it is missing.
    columns
        All other columns.
    """

    identifiers: pa.Array
    columns: dict[str, Numbers | Texts]
    _numbers: dict[str, NDArray[np.float64]] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.identifiers)

    def has(self, *names: str) -> bool:
        """Whether the file has all of these columns."""
        return all(name in self.columns for name in names)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A numeric column, NaN where missing; shape (n_rows,)."""
        if name not in self._numbers:
            given = self.columns[name]
            assert isinstance(given, Numbers)
            self._numbers[name] = given.spread(len(self))
        return self._numbers[name]

    def is_missing(self, name: str) -> NDArray[np.bool_]:
        """Where a column has no value; shape (n_rows,)."""
        is_missing = np.ones(len(self), dtype=bool)
        is_missing[self.columns[name].rows] = False
        return is_missing

    def is_empty(self) -> NDArray[np.bool_]:
        """Where a row has no value at all; shape (n_rows,)."""
        is_empty: NDArray[np.bool_] = self.identifiers.is_null().to_numpy(zero_copy_only=False)
        for given in self.columns.values():
            is_empty[given.rows] = False
        return is_empty

    def among(self, is_kept: NDArray[np.bool_]) -> Rows:
        """The rows that are kept."""
        columns = {name: given.among(is_kept) for name, given in self.columns.items()}
        return Rows(self.identifiers.filter(pa.array(is_kept)), columns)
