"""What became of the rows of each source table: read = used + set aside, each with its reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.escaping import shown
from ahsct_trial.mapping.values import RowsArray, SourceTable, text_places
from ahsct_trial.results import SetAside, TableAccount

_BLANK = "row without a value"
_MOST_REASONS = 8
_SHOWN_LINES = 3


@dataclass
class Reasons:
    """Why rows of a table would not be used; the first reason given to a row stays.

    Attributes
    ----------
    source
        The table.
    reason
        Number of each row's reason among `texts`, 0 for none so far; shape (n_rows,).
    texts
        The reasons.
    """

    source: SourceTable
    reason: NDArray[np.int32] = field(init=False)
    texts: list[str] = field(default_factory=lambda: ["no record comes of it"])

    def __post_init__(self) -> None:
        self.reason = np.zeros(len(self.source), dtype=np.int32)

    def give(self, rows: RowsArray, text: str) -> None:
        """Give rows without a reason this one."""
        if text not in self.texts:
            self.texts.append(text)
        without = rows[self.reason[rows] == 0]
        self.reason[without] = self.texts.index(text)

    def give_by_value(self, rows: RowsArray, heading: str) -> None:
        """Give rows as their reason what they have under a heading."""
        coded = self.source.cells(heading).dictionary_encode()
        indices = text_places(coded)[rows]
        counts = Counter(indices.tolist()).most_common()
        for place, _ in counts[:_MOST_REASONS]:
            value = "empty" if place < 0 else f"'{shown(coded.dictionary[place].as_py())}'"
            self.give(rows[indices == place], f"{shown(heading)} is {value}")
        others = [place for place, _ in counts[_MOST_REASONS:]]
        self.give(rows[np.isin(indices, others)], f"{shown(heading)} has another value")

    def give_blank(self) -> NDArray[np.bool_]:
        """Find the rows without any cell, which is their reason; shape (n_rows,)."""
        is_blank = np.ones(len(self.source), dtype=bool)
        for column in self.source.table.columns:
            is_blank &= column.is_null().to_numpy(zero_copy_only=False)
        self.give(np.flatnonzero(is_blank), _BLANK)
        return is_blank

    def account(self, is_used: NDArray[np.bool_]) -> TableAccount:
        """The account, given which rows were used; of each reason the first lines are named."""
        table = self.source.table
        set_aside = []
        for number, text in enumerate(self.texts):
            rows = np.flatnonzero(~is_used & (self.reason == number))
            if rows.size:
                lines = tuple(table.lines[rows[:_SHOWN_LINES]].tolist())
                set_aside.append(SetAside(reason=text, count=len(rows), lines=lines))
        return TableAccount(
            file=table.file,
            sheet=table.sheet,
            rows_read=len(table),
            rows_used=int(np.count_nonzero(is_used)),
            set_aside=tuple(set_aside),
        )
