"""`Table`: the rows of a file, or of a part of it, as typed columns; every check is made on one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ahsct_trial.chunks import gathered
from ahsct_trial.escaping import shown
from ahsct_trial.loading.blocks import Rows
from ahsct_trial.loading.values import Numbers, Values
from ahsct_trial.records import IntArray
from ahsct_trial.results import Notice


@dataclass(frozen=True, eq=False)
class Table:
    """Typed columns by canonical name, in the order of the file.

    Attributes
    ----------
    columns
        The columns, `patient_id` among them.
    rows
        Where its rows stand.
    """

    columns: dict[str, Values | Numbers]
    rows: Rows
    _numbers: dict[str, NDArray[np.float64]] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def has(self, *names: str) -> bool:
        """Whether the file has all of these columns."""
        return all(name in self.columns for name in names)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A numeric column, NaN where it is missing or wrong; shape (n_rows,)."""
        if name not in self._numbers:
            self._numbers[name] = self.columns[name].numbers()
        return self._numbers[name]

    def is_missing(self, name: str) -> NDArray[np.bool_]:
        """Where a column has no value, not even a wrong one; shape (n_rows,)."""
        return self.columns[name].is_missing()

    def is_right(self, name: str) -> NDArray[np.bool_]:
        """Where a column has a value that it takes; shape (n_rows,)."""
        return self.columns[name].is_right()

    def texts_of(self, name: str) -> Values:
        """A column that was read as texts, as those of each part are in which anything is wrong."""
        column = self.columns[name]
        if isinstance(column, Numbers):
            raise TypeError(f"{name} was read as numbers")
        return column

    def is_empty(self) -> NDArray[np.bool_]:
        """Where a row has no value at all; shape (n_rows,)."""
        is_empty = np.ones(len(self), dtype=bool)
        for column in self.columns.values():
            is_empty &= column.is_missing()
            if not is_empty.any():
                break
        return is_empty

    def among(self, is_kept: NDArray[np.bool_]) -> Table:
        """The rows that are kept."""
        columns = {name: column.among(is_kept) for name, column in self.columns.items()}
        return Table(columns, self.rows.among(is_kept))

    # ---- What must be known where a row is wrong (`problems.Cells`) --------------------------------------

    def keyed(self, name: str, rows: IntArray) -> tuple[IntArray, Callable[[int], str | None]]:
        """A code for each row's cell of a column, and the text behind a code."""
        column = self.texts_of(name)
        return column.codes[rows], lambda code: None if code < 0 else column.texts[code].as_py()

    @property
    def lines(self) -> IntArray:
        """The line of each row."""
        return self.rows.lines

    @property
    def table(self) -> IntArray | None:
        """The number of the table from which each row comes; None for one table."""
        return self.rows.table


class Labels:
    """Labels of many parts of a file: those that differ by case alone are one, spelt as it is most often."""

    def __init__(self) -> None:
        self._n: dict[str, Counter[str]] = {}

    def count(self, labels: Sequence[str | None], n: NDArray[np.int64]) -> None:
        """Note how many rows have each of some labels."""
        for label, n_rows in zip(labels, n.tolist(), strict=True):
            if label is not None and n_rows:
                self._n.setdefault(label.casefold(), Counter())[label] += n_rows

    @property
    def levels(self) -> list[str]:
        """The labels, in the order in which they come."""
        return [spellings.most_common(1)[0][0] for spellings in self._n.values()]

    @property
    def alike(self) -> list[list[str]]:
        """Spellings that were taken as one, the one that stands for them first."""
        return [
            [spelling for spelling, _ in all_.most_common()] for all_ in self._n.values() if len(all_) > 1
        ]

    def places(self, labels: Sequence[str | None]) -> IntArray:
        """The place of each label among `levels`, −1 for None, and −1 behind them all, in the smallest type."""
        place_of = {folded: place for place, folded in enumerate(self._n)}
        found = [-1 if label is None else place_of.get(label.casefold(), -1) for label in labels]
        return np.array([*found, -1], dtype=np.min_scalar_type(-1 - len(self._n)))


def repeated(texts: pa.Array) -> tuple[IntArray, IntArray]:
    """Places whose text stands at an earlier place: the first such place of each, and these places."""
    codes = texts.dictionary_encode().indices.fill_null(-1).to_numpy()
    _, first_of_code, code = np.unique(codes, return_index=True, return_inverse=True)
    first = first_of_code[code]
    again = np.flatnonzero((first < np.arange(len(codes))) & (codes >= 0))
    return first[again], again


def coded_texts(
    parts: Sequence[tuple[NDArray[np.int32], Sequence[str | None]]],
) -> tuple[Labels, IntArray]:
    """The labels of rows in parts, and the place of each row's among them, −1 where it has none."""
    labels = Labels()
    for codes, texts in parts:
        labels.count(texts, np.bincount(codes + 1, minlength=len(texts) + 1)[1:])
    return labels, np.concatenate([gathered(labels.places(texts), codes) for codes, texts in parts])


def labels_alike(name: str, labels: Labels) -> Iterator[Notice]:
    """That labels which differ by case alone were taken as one."""
    if labels.alike:
        told = "; ".join(
            ", ".join(map(shown, spellings[1:6])) + f" as {shown(spellings[0])}"
            for spellings in labels.alike[:5]
        )
        more = f"; and {len(labels.alike) - 5:,} more" if len(labels.alike) > 5 else ""
        text = f"Labels of {name} that differ only by case were taken as one: {told}{more}."
        yield Notice(code="labels-alike", text=text)
