"""The rows of a source table that are read, and the canonical rows that are made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ahsct_trial.loading.formats.cells import CellTable
from ahsct_trial.loading.reading import ALIKE_ROW
from ahsct_trial.mapping.account import Reasons
from ahsct_trial.mapping.faults import Faults
from ahsct_trial.mapping.model import TableRule
from ahsct_trial.mapping.pivoting import Wide, pivoted
from ahsct_trial.mapping.values import RowsArray, SourceTable, combined, text_places
from ahsct_trial.results import TableAccount
from ahsct_trial.trial import Places


@dataclass(frozen=True, eq=False)
class TableRead:
    """A source table that is being read.

    Attributes
    ----------
    source
        The table as it stands in its file.
    view
        The table whose rows give records: the source, or what a pivot made of it.
    rows
        Rows of `view` that are read; shape (n_rows_read,).
    wide
        The pivot's work; None where there is none.
    reasons
        Why rows of `source` are not used.
    """

    source: SourceTable
    view: SourceTable
    rows: RowsArray
    wide: Wide | None
    reasons: Reasons

    def source_rows(self, view_rows: RowsArray) -> RowsArray:
        """The rows of the source of which these rows of the view are made."""
        if self.wide is None:
            return view_rows
        is_named = np.zeros(len(self.view) + 1, dtype=bool)
        is_named[view_rows] = True
        return np.flatnonzero(is_named[self.wide.row_of])  # -1 is the last, which is never named

    def account(self, used_view_rows: RowsArray) -> TableAccount:
        """The account of the table, given the rows of the view that are used."""
        is_used = np.zeros(len(self.source), dtype=bool)
        is_used[self.source_rows(used_view_rows)] = True
        return self.reasons.account(is_used)

    @property
    def n_missing(self) -> Counter[str]:
        """Cells that a text other than the empty one marks as missing, by that text."""
        return self.source.n_missing

    @property
    def unread_columns(self) -> tuple[str, ...]:
        """Headings that the map does not read."""
        read = {heading.casefold() for heading in self.source.rule.headings}
        return tuple(
            name or "(a column without a heading)"
            for name in self.source.table.names
            if name.casefold() not in read
        )


@dataclass(frozen=True, eq=False)
class Made:
    """Canonical rows, and where they come from.

    Attributes
    ----------
    table
        Number of the source table of each row; shape (n_rows,).
    row
        Row of that table's view; shape (n_rows,).
    columns
        Canonical texts by column, null where unknown; shape (n_rows,) each.
    """

    table: RowsArray
    row: RowsArray
    columns: dict[str, pa.StringArray]

    def __len__(self) -> int:
        return len(self.row)

    def among(self, rows: RowsArray) -> Made:
        """Some of the rows, in this order."""
        taken = {name: texts.take(pa.array(rows)) for name, texts in self.columns.items()}
        return Made(self.table[rows], self.row[rows], taken)

    def with_column(self, name: str, texts: pa.StringArray) -> Made:
        """The rows with one column replaced."""
        return replace(self, columns={**self.columns, name: texts})

    def text(self, column: str, row: int) -> str | None:
        """One cell."""
        return self.columns[column][row].as_py()  # type: ignore[no-any-return]

    @classmethod
    def joined(cls, parts: Sequence[Made], order: Sequence[str]) -> Made:
        """All rows, one part after the other, with the columns that one of them has, in this order."""
        names = [name for name in order if any(name in part.columns for part in parts)]
        return cls(
            np.concatenate([part.table for part in parts]),
            np.concatenate([part.row for part in parts]),
            {
                name: pa.concat_arrays(
                    [part.columns.get(name, pa.nulls(len(part), pa.string())) for part in parts]
                )
                for name in names
            },
        )


def places_of(made: Made, tables_read: Sequence[TableRead]) -> Places:
    """Where the rows come from: their tables and lines."""
    lines = np.empty(len(made), dtype=np.int64)
    for number, table_read in enumerate(tables_read):
        is_of_table = made.table == number
        lines[is_of_table] = table_read.view.table.lines[made.row[is_of_table]]
    tables = tuple(
        (table_read.source.table.file, table_read.source.table.sheet) for table_read in tables_read
    )
    return Places(lines, tables, made.table)


def read_table(table: CellTable, rule: TableRule, faults: Faults) -> TableRead | None:
    """Find the rows of a table that are read, pivoted if the rule says so; None if columns are missing."""
    source = SourceTable(table, rule, faults)
    n_before = len(faults.problems)
    tests = _tests(source)
    source.check_headings(
        (heading for heading in rule.headings if heading not in tests), rule.optional_headings
    )
    if len(faults.problems) > n_before:
        return None
    reasons = Reasons(source)
    rows = np.flatnonzero(~reasons.give_blank())
    for heading, allowed in rule.where.items():
        is_held = source.holds({heading: allowed}, rows)
        reasons.give_by_value(rows[~is_held], heading)
        rows = rows[is_held]
    if rule.pivot is None:
        return TableRead(source, source, rows, None, reasons)
    # A test that a visit has twice makes two rows, but a row that stands twice is one.
    again = alike_rows(table, rows)
    reasons.give(again, ALIKE_ROW)
    rows = np.setdiff1d(rows, again)
    wide = pivoted(source, rows)
    not_read = rows[wide.row_of[rows] < 0]
    reasons.give_by_value(not_read, rule.pivot.name)
    view = SourceTable(wide.table, rule, faults)
    return TableRead(source, view, np.arange(len(view)), wide, reasons)


def alike_rows(table: CellTable, rows: RowsArray) -> RowsArray:
    """Those of some rows that are alike in every cell with an earlier one of them."""
    cells = [text_places(column.dictionary_encode())[rows] for column in table.columns]
    return np.delete(rows, np.unique(combined(cells, len(rows)), return_index=True)[1])


def _tests(source: SourceTable) -> frozenset[str]:
    """Headings of the rule that a pivot will make."""
    if source.rule.pivot is None:
        return frozenset()
    return frozenset(heading for heading in source.rule.value_headings if not source.has(heading))


def is_given(texts: pa.StringArray) -> NDArray[np.bool_]:
    """Whether each text is there; shape (n_rows,)."""
    given: NDArray[np.bool_] = texts.is_valid().to_numpy(zero_copy_only=False)
    return given
