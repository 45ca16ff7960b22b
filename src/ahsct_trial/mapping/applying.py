"""A map and a source make one canonical table, with the way back from each row to its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.columns import PATIENT_TABLE, RECORDS
from ahsct_trial.escaping import shown
from ahsct_trial.loading.cells import CellTable
from ahsct_trial.mapping.account import TableAccount
from ahsct_trial.mapping.faults import Faults
from ahsct_trial.mapping.model import Map
from ahsct_trial.mapping.patients import patients_of
from ahsct_trial.mapping.records import records_of
from ahsct_trial.mapping.settling import given_kinds, settle
from ahsct_trial.mapping.sources import find_tables
from ahsct_trial.mapping.working import Made, Worked, work

if TYPE_CHECKING:
    from ahsct_trial.mapping.sources import Source

#: What a file of records lacks without a kind of record, in the words of the endpoints.
_LACKING = {
    "death": "deaths: overall survival and mortality take everybody to be alive at last contact",
    "relapse": "relapses: relapse endpoints are not in this file",
    "mri": "MRI scans: lesion endpoints are not in this file",
    "edss": "EDSS visits: disability endpoints are not in this file",
}


@dataclass(frozen=True, eq=False)
class Origin:
    """Where each row of a mapped table comes from.

    Attributes
    ----------
    tables
        Each source table as a person would name it: its file, with its sheet where it has one.
    table
        Place in `tables` of each row's table; shape (n_rows,).
    line
        Line of that file, or row of that sheet, from 1; shape (n_rows,).
    """

    tables: tuple[str, ...]
    table: NDArray[np.int64]
    line: NDArray[np.int64]

    def __getitem__(self, row: int) -> tuple[str, int]:
        """The table of a row, and its line there."""
        return self.tables[self.table[row]], int(self.line[row])


@dataclass(frozen=True, eq=False)
class MappedTable:
    """What a map made of a source.

    Attributes
    ----------
    table
        Records or a patient table in canonical form; its line numbers are those that it has when written as CSV.
    origin
        Where each row comes from.
    accounts
        What became of the rows of each source table.
    notices
        What a person should know of, each a code and a sentence.
    unused
        Files and sheets of the source that the map does not name.
    """

    table: CellTable
    origin: Origin
    accounts: tuple[TableAccount, ...]
    notices: tuple[tuple[str, str], ...]
    unused: tuple[str, ...]


def apply_map(rules: Map, source: Source) -> MappedTable:
    """Make records or a patient table of a source.

    Parameters
    ----------
    rules
        The map.
    source
        A file, a folder, a list of files, or DataFrames by the names that the map has for its tables.

    Raises
    ------
    UsageError
        If a file cannot be read.
    DataProblems
        Everything in the source that the map cannot make canonical, at once.
    """
    found = find_tables(rules, source)
    faults = Faults()
    worked = [
        own
        for rule, table in zip(rules.tables, found.tables, strict=True)
        if table is not None and (own := work(table, rule, faults)) is not None
    ]
    if rules.gives_records:
        parts = [part for number, own in enumerate(worked) for part in records_of(own, number)]
        # What is wrong in one table must not hide what is wrong in another, but records need all tables.
        faults.raise_any(rules.file)
        joined = Made.joined(parts, [column.name for column in RECORDS])
        settled = settle(rules, joined, worked, faults)
        made, also_used = settled.made, settled.also_used
        used = [
            np.concatenate([made.row[made.table == number], own]) for number, own in enumerate(also_used)
        ]
    else:
        made, patients_used = patients_of(worked)
        used = list(patients_used)
    faults.raise_any(rules.file)
    accounts = tuple(own.account(rows) for own, rows in zip(worked, used, strict=True))
    notices = [*_unread(worked), *(_lacking(rules, made) if rules.gives_records else ())]
    if found.unused:
        listed = ", ".join(map(shown, found.unused))
        notices.append(("tables-not-in-map", f"The map {rules.name} does not name: {listed}."))
    return MappedTable(_table(made, accounts), _origin(made, worked), accounts, tuple(notices), found.unused)


def _table(made: Made, accounts: Sequence[TableAccount]) -> CellTable:
    names = tuple(column.name for column in (*RECORDS, *PATIENT_TABLE) if column.name in made.columns)
    names = tuple(dict.fromkeys(names))
    digest = sha256("".join(account.sha256 for account in accounts).encode()).hexdigest()
    return CellTable(
        file=", ".join(account.table for account in accounts),
        sheet=None,
        names=names,
        columns=tuple(made.columns[name] for name in names),
        lines=np.arange(2, len(made) + 2),
        sha256=accounts[0].sha256 if len(accounts) == 1 else digest,
    )


def _origin(made: Made, worked: Sequence[Worked]) -> Origin:
    line = np.empty(len(made), dtype=np.int64)
    for number, own in enumerate(worked):
        is_own = made.table == number
        line[is_own] = own.view.table.lines[made.row[is_own]]
    return Origin(tuple(own.source.table.label for own in worked), made.table, line)


def _unread(worked: Sequence[Worked]) -> Iterator[tuple[str, str]]:
    """Columns without a reader, and tests or conditions of the map that no row has."""
    for own in worked:
        label = own.source.table.label
        unused = own.account(np.empty(0, dtype=np.int64)).unused_columns
        if unused:
            yield "columns-not-in-map", f"{label}: columns that the map does not read: {', '.join(unused)}."
        for test in own.wide.tests if own.wide else ():
            if own.view.cells(test).null_count == len(own.view):
                pivot = own.view.rule.pivot
                assert pivot is not None
                yield "test-not-found", f"{label}: no row has {test} under {pivot.name}."


def _lacking(rules: Map, made: Made) -> Iterator[tuple[str, str]]:
    kinds = given_kinds(made)
    for kind, what in _LACKING.items():
        if kind not in rules.kinds:
            yield f"map-without-{kind}", f"The map {rules.name} names no {what}."
        elif kind not in kinds and kind != "death":
            yield f"no-{kind}", f"The source has no {what}."

