"""What is wrong with cells, collected over all tables: the same value of a column is one problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.escaping import shown
from ahsct_trial.loading.cells import CellTable
from ahsct_trial.loading.problems import SHOWN, DataProblems, Problem

_SHOWN_LINES = 3


@dataclass
class Faults:
    """Problems found so far; a row is counted for each."""

    problems: list[Problem] = field(default_factory=list)
    n_more: int = 0

    def add(self, problem: Problem) -> None:
        """Note one problem."""
        self.problems.append(problem)

    def add_cells(  # noqa: PLR0913, PLR0917 (the parts of one sentence)
        self, table: CellTable, lines: NDArray[np.int64], column: str, value: str | None, rule: str, fix: str
    ) -> None:
        """Note that a column has the same wrong value on some lines."""
        if len(self.problems) >= 10 * SHOWN:
            self.n_more += 1
            return
        what = f"{shown(column)} is {'empty' if value is None else repr(shown(value))}"
        self.problems.append(
            Problem(
                file=place(table, lines),
                column=column,
                value=value,
                what=what,
                rule=rule,
                fix=fix,
            )
        )

    def raise_any(self, file: str) -> None:
        """Raise `DataProblems` if there is one."""
        if self.problems:
            raise DataProblems(file, self.problems[:SHOWN], len(self.problems) + self.n_more)


def place(table: CellTable, lines: NDArray[np.int64] | Sequence[int]) -> str:
    """A table and the first of some lines: ``patients.csv:2, 3, 5 and 27 more``."""
    first = ", ".join(map(str, lines[:_SHOWN_LINES]))
    n_more = len(lines) - _SHOWN_LINES
    more = f" and {n_more:,} more" if n_more > 0 else ""
    return f"{table.label}:{first}{more}"
