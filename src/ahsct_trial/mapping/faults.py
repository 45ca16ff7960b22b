"""What is wrong with cells, collected over all tables: the same value of a column is one problem."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.escaping import shown
from ahsct_trial.loading.formats.cells import CellTable
from ahsct_trial.loading.problems import SHOWN, DataProblems, Group, Problem
from ahsct_trial.trial import Places

_SHOWN_LINES = 3
_MOST_PROBLEMS = 500


@dataclass
class Faults:
    """Problems found so far; a row is counted for each."""

    problems: list[Problem] = field(default_factory=list)
    n_more: int = 0

    def add(self, problem: Problem) -> None:
        """Note one problem, once if several columns are read from the same cell."""
        if problem in self.problems:
            return
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)
        else:
            self.n_more += 1

    def add_cells(
        self, table: CellTable, lines: NDArray[np.int64], column: str, value: str | None, rule: str, fix: str
    ) -> None:
        """Note that a column has the same wrong value on some lines."""
        what = f"{shown(column)} is {'empty' if value is None else repr(shown(value))}"
        self.add(problem_on(table, lines, what, rule, fix, column, value))

    def add_groups(self, groups: Iterable[Group], places: Places) -> None:
        """Note rows that have the same problem, and how many more such groups there are."""
        for group in groups:
            self.add(group.problem(places.tables))
            self.n_more += group.n_more

    def raise_any(self) -> None:
        """Raise `DataProblems` if there is one, headed by the files that have them."""
        if self.problems:
            raise DataProblems(
                files_with(self.problems), self.problems[:SHOWN], len(self.problems) + self.n_more
            )


def files_with(problems: Sequence[Problem]) -> str:
    """The files that have a problem."""
    return ", ".join(dict.fromkeys(problem.file for problem in problems))


def problem_on(  # noqa: PLR0913, PLR0917 (the parts of one sentence)
    table: CellTable,
    lines: NDArray[np.int64],
    what: str,
    rule: str,
    fix: str,
    column: str | None = None,
    value: str | None = None,
    patient: str | None = None,
) -> Problem:
    """A problem on some lines of a table, of which the first are named."""
    return Problem(
        file=table.file,
        sheet=table.sheet,
        line=int(lines[0]),
        lines=tuple(lines[:_SHOWN_LINES].tolist()),
        n_rows=len(lines),
        what=what,
        rule=rule,
        fix=fix,
        column=column,
        value=value,
        patient=patient,
    )
